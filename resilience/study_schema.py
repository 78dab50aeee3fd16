"""A JSON schema of studies, for editors that complete keys and underline mistakes while a study is written.

It says what may stand where; what depends on several keys or on files is said when the study is loaded.
"""

from typing import Any, get_args

from gracethd.network.build import SEGMENTS
from gracethd.network.types import KINDS
from resilience.hazards import FIELDS, UNITS, HazardKind
from resilience.parameters import LEVELS, default_parameters
from resilience.scenarios import Mounting, Order
from resilience.study import Language, TableName, Tail
from resilience.study_budget import FAMILIES
from resilience.study_scenarios import NATURES

Schema = dict[str, Any]

_AMOUNT: Schema = {"type": "number", "minimum": 0}
_HOURS: Schema = {"type": "number", "minimum": 0, "description": "hours"}
_ABOVE: Schema = {"type": "number", "exclusiveMinimum": 0}
_SHARE: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
_TRIPLE: Schema = {
    "description": "one number, or low, central and high",
    "anyOf": [
        {"type": "number"},
        {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
    ],
}
_OBJECTS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "pattern": ":", "description": "kind:code, like local:LC0001"},
}


def study_schema() -> Schema:
    """Give the schema of a study file, JSON Schema of 2020-12.

    Examples
    --------
    >>> sorted(study_schema()["properties"])[:3]
    ['budget', 'hazards', 'inventory']
    """
    root = _table(
        "A study: deliveries, hazards, budget, and whom the results are for; paths are relative to it.",
        {
            "inventory": _list(_text("a delivery, a folder, a pattern, or a stored inventory")),
            "seed": {"type": "integer", "minimum": 0, "default": 1},
            "language": {"enum": [*get_args(Language)], "default": "fr"},
            "tables": _table("Optional tables", {name: _text("path") for name in get_args(TableName)}),
            "hazards": _list(_hazard()),
            "outages": _list(_outage()),
            "parameters": _parameters(),
            "loss": _loss(),
            "scenarios": {"type": "object", "additionalProperties": _scenario()},
            "budget": _budget(),
            "outputs": _table("", {key: _text("") for key in ("title", "recipient", "notice")}),
        },
        required=["inventory"],
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Study", **root}


def _table(description: str, properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if description:
        schema["description"] = description
    return schema | ({"required": required} if required else {})


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def _text(description: str) -> Schema:
    return {"type": "string", "minLength": 1} | ({"description": description} if description else {})


def _hazard() -> Schema:
    units = ", ".join(f"{kind}: {unit}" for kind, unit in UNITS.items())
    event = _table(
        "A map of one event",
        {
            "return_period": {**_ABOVE, "description": "years"},
            "path": _text("raster, or layer of polygons"),
            "layer": _text("of a file that has several"),
            "scenario": _text("01For, 02Moy, 03Mcc, 04Fai..., where a layer holds several"),
            "observed": {"description": "the day on which it was seen, in place of return_period"},
        },
        required=["path"],
    )
    rise = {"from_m": {"type": "number"}, "to_m": {"type": "number"}, "step_m": _ABOVE}
    return _table(
        "A hazard and its maps",
        {
            "name": _text("of the hazard, in every output"),
            "kind": {"enum": [*get_args(HazardKind)]},
            "unit": _text(f"of the intensity: {units}"),
            "coverage": _text('what has been mapped: "extent", "valid", or a layer of polygons'),
            "events": _list(event),
            "sweep": _table("A rising water in place of events", {"path": _text(""), **rise}, [*rise]),
            "terrain": _text("heights of the ground, for levels of water"),
            "distance_m": {**_AMOUNT, "description": "how near counts as touched"},
            "fields": _table("Columns of a layer by their role", {role: _text("") for role in FIELDS}),
            "where": {"type": "object", "description": "column = value, or values, of the rows that count"},
            "classes": {"type": "object", "additionalProperties": _TRIPLE},
            "open_class_m": _TRIPLE,
            "presence": _TRIPLE,
            "valid_on": {"description": "a day: of a layer with dates, the rows of that day"},
            "same_event": _text("name of what comes together"),
        },
        required=["name", "kind", "unit", "coverage"],
    )  # fmt: skip


def _outage() -> Schema:
    return _table(
        "A power cut of a zone of the table equipements",
        {
            "name": _text(""),
            "zone_elec": _text(""),
            "hours": _ABOVE,
            "return_period": {**_ABOVE, "description": "years; without it, imposed once"},
            "same_event": _text(""),
        },
        required=["name", "zone_elec"],
    )


def _parameters() -> Schema:
    levels: dict[str, Schema] = {level: {"type": "number"} for level in LEVELS}
    value = _table("", {**levels, "source": _text("")}, [*LEVELS, "source"])
    table = default_parameters().table
    named = {
        str(row["name"]): {**value, "description": f"{row['unit']}, {row['central']:g} by default"}
        for row in table.to_dict("records")
    }
    days = _table("Days that the log of incidents covers", {"from": {}, "to": {}}, required=["from", "to"])
    return _table(
        "Values in place of those of docs/parameters.md",
        {"curves": _text("path of a file of curves"), "incidents": days, **named},
    )


def _loss() -> Schema:
    observed = _table(
        "An event to replay",
        {
            "name": _text(""),
            "prises_down": {"type": "integer", "minimum": 0},
            "hazard": _text(""),
            "event": _text(""),
            "objects": _OBJECTS,
        },
        required=["name", "prises_down"],
    )
    count: Schema = {"type": "integer", "minimum": 1}
    return _table(
        "How losses are integrated",
        {
            "tail": {"enum": [*get_args(Tail)], "default": "constant"},
            "draws": {**count, "default": 1000},
            "wet_from_m": _AMOUNT,
            "precision": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "max_draws": count,
            "workers": {**count, "default": 1},
            "memory_mb": count,
            "one_at_a_time": {"type": "boolean"},
            "observed": _list(observed),
        },
    )


def _scenario() -> Schema:
    failure = _table(
        "What fails: objects, or a hazard and its event, or a selection",
        {
            "objects": _OBJECTS,
            "hazard": _text(""),
            "event": _text(""),
            "quantile": _SHARE,
            "kind": {"enum": [*KINDS]},
            "segment": {"enum": [*SEGMENTS]},
            "nature": {"enum": [*NATURES]},
            "commune": _text("INSEE code"),
            "mounting": {"enum": [*get_args(Mounting)]},
            "owner": _text(""),
            "polygon": _text("path of a layer"),
            "share": _SHARE,
            "at_h": _HOURS,
            "repair_h": _HOURS,
        },
    )
    outage = _table(
        "", {"zone_elec": _text(""), "at_h": _HOURS, "hours": _ABOVE}, required=["zone_elec", "hours"]
    )
    area = _table(
        "", {"polygon": _text("path of a layer"), "until_h": _HOURS}, required=["polygon", "until_h"]
    )
    roads = _table(
        "", {"hazard": _text(""), "event": _text(""), "until_h": _HOURS}, required=["hazard", "event"]
    )
    return _table(
        "A crisis",
        {
            "title": _text(""),
            "start": {"description": "date and time without quotes, like 2026-11-26T19:00:00"},
            "failures": _list(failure),
            "outages": _list(outage),
            "no_access": _list(area),
            "closed_roads": roads,
            "order": {"enum": [*get_args(Order)], "default": "collecte"},
            "level": {"enum": [*LEVELS], "default": "central"},
            "draws": {"type": "integer", "minimum": 0},
        },
    )


def _budget() -> Schema:
    actions = _list(_text("action_id"))
    return _table(
        "What may be spent, euros before VAT",
        {
            "total_eur": _ABOVE,
            "families": _table("Most by family", dict.fromkeys(FAMILIES, _AMOUNT)),
            "floors": {
                "type": "object",
                "additionalProperties": _AMOUNT,
                "description": "least by commune (INSEE) or EPCI",
            },
            "years_eur": _list(_AMOUNT),
            "force": actions,
            "forbid": actions,
        },
    )
