"""The hazards of a study: what its [[hazards]] tables may say, and what they stand for."""

from math import inf, isnan, nan
from pathlib import Path
from typing import Literal, get_args

from resilience.hazards import (
    FIELDS,
    OPEN_CLASS_M,
    STATIC_KINDS,
    WOODS_M,
    Hazard,
    HazardEvent,
    HazardKind,
    Reading,
    Triple,
    years_of_scenario,
)
from resilience.sections import Section, StudyError

KEYS = (
    "name", "kind", "unit", "coverage", "events", "sweep", "terrain", "distance_m",
    "fields", "where", "classes", "open_class_m", "presence", "valid_on", "same_event",
)  # fmt: skip
EVENT_KEYS = ("return_period", "path", "layer", "scenario", "observed")
MAX_STEPS = 1000


def read_hazards(raw: Section, folder: Path) -> tuple[Hazard, ...]:
    """Give the hazards of a study; no file is opened.

    Parameters
    ----------
    raw : Section
        The study.
    folder : Path
        That of the study: paths are relative to it.

    Raises
    ------
    StudyError
        An unknown key, a value of the wrong type or out of range, a scenario without a return period.
    HazardError
        What `resilience.hazards.Hazard` refuses.
    """
    sections = raw.sections("hazards") if "hazards" in raw.values else []
    hazards = tuple(_hazard(section, folder) for section in sections)
    names = [hazard.name for hazard in hazards]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise StudyError(f"hazards.name: {twice[0]!r} is given twice; each hazard needs its own name")
    return hazards


def _hazard(raw: Section, folder: Path) -> Hazard:
    raw.refuse_unknown(KEYS)
    raw = Section(f"hazards.{raw.text('name')}", raw.values)
    kind: HazardKind = raw.choice("kind", get_args(HazardKind))
    terrain = raw.path("terrain", folder) if "terrain" in raw.values else None
    if "sweep" in raw.values and "events" in raw.values:
        raise StudyError(
            f"{raw.full('sweep')}: a rising water stands in the place of events; keep one of them"
        )
    if "sweep" in raw.values:
        events = _sweep(raw.section("sweep"), folder, terrain)
    else:
        events = [_event(section, folder, kind) for section in raw.sections("events")]
    return Hazard(
        name=raw.text("name"),
        kind=kind,
        unit=raw.text("unit"),
        coverage=_coverage(raw, folder),
        events=tuple(sorted(events, key=_by_period)),
        reading=_reading(raw),
        terrain=terrain,
        distance_m=_distance(raw, kind),
        same_event=raw.text("same_event", default=""),
    )


def _by_period(event: HazardEvent) -> float:
    """Order events: those without a return period come last, as they were written."""
    return inf if isnan(event.return_period) else event.return_period


def _coverage(raw: Section, folder: Path) -> Path | Literal["extent", "valid"]:
    value = raw.text("coverage", hint='"extent", "valid" or the path of a polygon layer')
    if value == "extent":
        return "extent"
    return "valid" if value == "valid" else raw.path("coverage", folder)


def _event(raw: Section, folder: Path, kind: HazardKind) -> HazardEvent:
    raw.refuse_unknown(EVENT_KEYS)
    path, layer = raw.path("path", folder), raw.text("layer", default="")
    scenario = raw.text("scenario", default="")
    if "observed" in raw.values:
        if "return_period" in raw.values:
            raise StudyError(
                f"{raw.full('observed')}: an event that was seen has no return period; keep one of them"
            )
        return HazardEvent(nan, path, f"observé {raw.day('observed')}", scenario, layer)
    if "return_period" in raw.values:
        return HazardEvent(raw.number("return_period"), path, "", scenario, layer)
    if kind in STATIC_KINDS:
        return HazardEvent(nan, path, "" if scenario else layer or path.stem, scenario, layer)
    years = years_of_scenario(scenario)
    if years is None:
        known = f"nothing says how rare the scenario {scenario!r} is" if scenario else "a number is expected"
        raise StudyError(
            f"{raw.full('return_period')}: {known}; give return_period in years, or observed = the date"
            " of an event"
            " that was seen (01For, 02Moy, 03Mcc and 04Fai are known)"
        )
    return HazardEvent(years, path, "", scenario, layer)


def _sweep(raw: Section, folder: Path, terrain: Path | None) -> list[HazardEvent]:
    """Give the steps of a rising water: above what a map shows, or of a level over the ground alone."""
    raw.refuse_unknown(("path", "from_m", "to_m", "step_m"))
    first, last, step = (raw.number(key) for key in ("from_m", "to_m", "step_m"))
    if step <= 0 or last < first or (last - first) / step > MAX_STEPS:
        raise StudyError(
            f"{raw.name}: from_m = {first:g}, to_m = {last:g}, step_m = {step:g}; rise by steps above 0,"
            " at most"
            f" {MAX_STEPS} of them"
        )
    rises = [round(first + number * step, 6) for number in range(int((last - first) / step + 1e-9) + 1)]
    if "path" not in raw.values and terrain is not None:
        return [HazardEvent(nan, terrain, f"cote {rise:g} m", rise_m=rise) for rise in rises]
    return [HazardEvent(nan, raw.path("path", folder), f"{rise:+g} m", rise_m=rise) for rise in rises]


def _reading(raw: Section) -> Reading:
    fields, where, classes = (raw.section(key) for key in ("fields", "where", "classes"))
    fields.refuse_unknown(FIELDS)
    return Reading(
        fields={role: fields.text(role) for role in fields.values},
        where={name: _texts(where, name) for name in where.values},
        classes={code: _triple(classes, code) for code in classes.values},
        open_class_m=_triple(raw, "open_class_m") if "open_class_m" in raw.values else OPEN_CLASS_M,
        presence=_triple(raw, "presence") if "presence" in raw.values else None,
        valid_on=raw.day("valid_on") if "valid_on" in raw.values else None,
    )


def _texts(raw: Section, key: str) -> tuple[str, ...]:
    """Give one or several values, as text."""
    value = raw.values[key]
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str | int) for one in values):
        raise StudyError(f"{raw.full(key)}: a text, or a list of texts, is expected, not {value!r}")
    return tuple(str(one) for one in values)


def _triple(raw: Section, key: str) -> Triple:
    """Give low, central and high: a list of three numbers, or one that stands for all three."""
    if not isinstance(raw.values.get(key), list):
        value = raw.number(key)
        return value, value, value
    low, central, high = raw.numbers(key, n=3)
    if not 0 <= low <= central <= high:
        raise StudyError(
            f"{raw.full(key)}: low, central and high must rise from 0, not {low:g}, {central:g}, {high:g}"
        )
    return low, central, high


def _distance(raw: Section, kind: HazardKind) -> float:
    distance_m = raw.number("distance_m", default=WOODS_M if kind == "woods" else 0.0)
    if distance_m < 0:
        raise StudyError(f"{raw.full('distance_m')}: {distance_m:g} m; give a distance of 0 or more")
    return distance_m
