"""Layers of the page's map: geometry generalised and in degrees, classes, and what a click shows."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.outputs.drawing import one_kind
from gracethd.outputs.labels import (
    Language,
    column_format,
    column_label,
    is_missing,
    phrase,
    value_label,
    written,
)
from gracethd.outputs.styles import (
    Class,
    Style,
    coverage_style,
    cut_style,
    outline_style,
    plan_style,
    rooms_style,
)
from resilience.hazards import WATER_KINDS

from .hazard_styles import area_style, exposure_style
from .hazard_tables import event_words, events_of, kind_of
from .page_tables import TABLE_ROWS
from .report import Report, middle_event

GENERALISED_M = 1.5
"""Tolerance of the generalised lines: under the width of a stroke at the scale of a street."""
MAP_OBJECTS = 20_000
"""Objects of one layer that the page draws, in rank order; software rendering stays fluid up to there."""

_EXTENT_COLORS = ("#7fb2d9", "#a9cce6", "#cfe3f1", "#e3eff8")  # frequent to rare
_SHOWN = {
    "series": (
        "serie",
        "prises_cut",
        "length_m",
        "n_ways",
        "n_chambers",
        "n_poles",
        "n_cables",
        "intensity_max",
    ),
    "spof": (
        "kind",
        "code",
        "libelle",
        "segment",
        "commune",
        "prises_cut",
        "prises_stranded",
        "n_pm",
        "criticite",
    ),
    "rooms": ("nature", "code", "name", "nro", "prises"),
    "plan": ("rank", "famille", "libelle", "commune", "cost_eur_central", "prises_secured", "priority"),
    "exposure": (
        "kind",
        "code",
        "hazard",
        "scenario",
        "return_period",
        "intensity_max",
        "intensity_unit",
        "wet_m",
    ),
    "communes": ("nom", "code_insee", "epci_nom"),
}

_SEARCHED = {
    "spof": ("kind", "code", "libelle"),
    "series": ("serie",),
    "rooms": ("nature", "name", "code"),
    "plan": ("libelle",),
    "communes": ("nom", "code_insee"),
}
"""Columns by which objects of a layer are found, in the order in which they are written."""

MapLayer = dict[str, object]


def map_layers(report: Report) -> list[MapLayer]:
    """Give the layers to draw, lowest first, as plain values for JSON.

    Each has id, title, group (the hazard that it shows, or ""), visible, attribute, renderer, classes, total,
    and features: key (links with a table
    row), value (what the classes look at), title, facts ([heading, text] pairs) and a GeoJSON geometry in
    EPSG:4326, six decimals.
    """
    layers = [*_ground_layers(report), *_hazard_layers(report), *_loss_layers(report)]
    return [layer for layer in layers if layer["features"]]


def map_labels(report: Report) -> list[dict[str, object]]:
    """Give names to write on the map: NRO, then communes, with their position in degrees."""
    labels = []
    if report.rooms is not None:
        nro = report.rooms[report.rooms["nature"] == "NRO"]
        labels += _labels(nro, "name" if "name" in nro.columns else "code", "nro")
    if report.communes is not None:
        labels += _labels(report.communes, "nom", "commune")
    return labels


def _ground_layers(report: Report) -> list[MapLayer]:
    if report.communes is None:
        return []
    return [_layer("communes", report.communes, outline_style(), report.language)]


def _hazard_layers(report: Report) -> list[MapLayer]:
    """Give, for each hazard: where it has been looked for, where it reaches, and what it touches."""
    language, layers, shown = report.language, [], _shown_event(report)
    if report.coverage is not None:
        for name in report.coverage["hazard"].drop_duplicates().tolist():
            rows = report.coverage[report.coverage["hazard"] == name]
            title = phrase("layer_coverage", language)
            layer = _layer(f"coverage-{name}", rows, coverage_style(), language, title=title)
            layers.append({**layer, "group": str(name), "visible": str(name) == shown[0]})
    if report.hazard_extents is not None:
        layers += _extent_layers(report.hazard_extents, language, shown)
    if isinstance(report.exposure, gpd.GeoDataFrame):
        strongest = report.exposure.sort_values(["intensity_max", "code"], ascending=[False, True])
        touched = strongest[strongest["intensity_max"] > 0]
        for event, rows in _by_event(touched):
            title = phrase("layer_exposure", language, event=event_words(*event[1:], language))
            style = exposure_style(kind_of(rows), "line")
            name = f"exposure-{_event_id(event)}"
            layer = _layer(name, rows, style, language, title=title, shown=_SHOWN["exposure"])
            layers.append({**layer, "visible": False, "group": event[0]})
    return layers


def _shown_event(report: Report) -> tuple[str, str]:
    """Give the hazard and event that the map shows at first: the water nearest to the reference flood."""
    extents = report.hazard_extents
    if extents is None:
        return "", ""
    water = extents[extents["hazard_kind"].isin(list(WATER_KINDS))]
    event = middle_event(water)
    return ("", "") if event is None else (str(event["hazard"]), str(event["scenario"]))


def _extent_layers(extents: gpd.GeoDataFrame, language: Language, shown: tuple[str, str]) -> list[MapLayer]:
    """Give where each event reaches, the rarest lowest; one event is shown at first."""
    water = extents[extents["hazard_kind"].isin(list(WATER_KINDS))]
    periods = sorted(water["return_period"].dropna().unique().tolist())
    layers = []
    for event, rows in reversed(_by_event(extents)):
        name, scenario, years = event
        words = event_words(scenario, years, language)
        title = phrase("layer_extent", language, event=words)
        kind = kind_of(rows)
        style = area_style(kind) if kind not in WATER_KINDS else _water_style(title, years, periods)
        there = rows[~rows.geometry.is_empty]
        layer = _layer(f"extent-{_event_id(event)}", there, style, language, title=title)
        layers.append({**layer, "visible": (name, scenario) == shown, "group": name})
    return layers


def _water_style(title: str, years: float, periods: Sequence[float]) -> Style:
    rank = periods.index(years) if years in periods else 0
    return Style("polygon", (Class(title, _EXTENT_COLORS[min(rank, len(_EXTENT_COLORS) - 1)], 0.2),))


def _event_id(event: tuple[str, str, float]) -> str:
    hazard, scenario, years = event
    return f"{hazard}-{scenario}" if is_missing(years) else f"{hazard}-{years:g}"


def _by_event(frame: gpd.GeoDataFrame) -> list[tuple[tuple[str, str, float], gpd.GeoDataFrame]]:
    """Give the rows of each event, by return period (those without one last), then hazard and name."""
    events = sorted(events_of(frame), key=lambda one: (is_missing(one[2]), np.nan_to_num(one[2]), one))
    return [
        (event, frame[(frame["hazard"] == event[0]) & (frame["scenario"] == event[1])]) for event in events
    ]


def _loss_layers(report: Report) -> list[MapLayer]:
    language, layers = report.language, []
    if report.series is not None:
        layers.append(_layer("series", report.series, cut_style("line"), language))
    if report.spof is not None:
        layers.append(_layer("spof", report.spof, cut_style("point"), language))
        layers[-1]["visible"] = report.series is None
    if report.rooms is not None:
        layers.append(_layer("rooms", report.rooms, rooms_style(), language))
    if isinstance(report.plan, gpd.GeoDataFrame):
        layers.append(_layer("plan", report.plan, plan_style("line"), language))
    return layers


def _layer(
    name: str,
    frame: gpd.GeoDataFrame,
    style: Style,
    language: Language,
    *,
    title: str = "",
    shown: Sequence[str] | None = None,
) -> MapLayer:
    placed = np.flatnonzero((frame.geometry.notna() & ~frame.geometry.is_empty).to_numpy())
    drawn = placed[:MAP_OBJECTS]
    rows = frame.iloc[drawn]
    facts = _facts(rows, _SHOWN.get(name, ()) if shown is None else shown, language)
    values = rows[style.attribute].tolist() if style.attribute else [0] * len(rows)
    geometries = degrees(rows.geometry)
    features = [
        {
            "key": f"{name}:{position}" if position < TABLE_ROWS else "",
            "value": None if is_missing(value) else value,
            "name": name_,
            "code": code,
            "facts": fact,
            "geometry": geometry,
        }
        for position, value, name_, code, fact, geometry in zip(
            drawn.tolist(),
            values,
            _names(name, rows, language),
            _codes(name, rows),
            facts,
            geometries,
            strict=True,
        )
    ]
    classes = [
        {**asdict(entry), "label": value_label("legend", entry.label, language)}
        for entry in _used(style, values)
    ]
    return {
        "id": name, "title": title or phrase(f"layer_{name}", language), "group": "", "visible": True,
        "total": len(placed), "attribute": style.attribute, "renderer": style.renderer, "classes": classes,
        "features": features,
    }  # fmt: skip


def _names(layer: str, rows: pd.DataFrame, language: Language) -> list[str]:
    """Give what a reader types to find each object, "" for layers that are not searched."""
    columns = [name for name in _SEARCHED.get(layer, ()) if name in rows.columns]
    words = [
        ["" if is_missing(value) else value_label(name, value, language) for value in rows[name].tolist()]
        for name in columns
    ]
    named = [" ".join(dict.fromkeys(filter(None, row))) for row in zip(*words, strict=True)]
    return named or [""] * len(rows)


def _codes(layer: str, rows: pd.DataFrame) -> list[str]:
    """Give the code by which an object of one layer is that of another: a série bears that of a member."""
    column = {"rooms": "code", "series": "serie", "spof": "code"}.get(layer, "")
    return rows[column].astype(str).tolist() if column in rows.columns else [""] * len(rows)


def map_failures(report: Report) -> dict[str, object] | None:
    """Give the network around the listed objects, from which the page says what fails with what."""
    if report.failures is None or not report.failures.rows:
        return None
    net, rooms = report.failures.net, report.rooms
    places: dict[str, list[object]] = {}
    if rooms is not None and len(rooms):
        spots = rooms[rooms.geometry.notna()]
        points = gpd.GeoSeries(spots.geometry.representative_point(), crs=rooms.crs).to_crs(4326)
        shown = spots["name"] if "name" in spots else spots["code"]
        for code, name, x, y in zip(spots["code"], shown, points.x.round(6), points.y.round(6), strict=True):
            places[str(code)] = [str(name), x, y]
    numbers = ("tail", "head", "node_object", "node_of", "edge_object", "edge_of", "node", "group", "prises")
    return {
        "root": net.root,
        "n": net.n_nodes,
        "rows": [f"spof:{row}" for row in report.failures.rows],
        "codes": report.failures.codes,
        "groups": [places.get(code, [code]) for code in net.groups],
        **{name: getattr(net, name).tolist() for name in numbers},
    }


def _used(style: Style, values: Sequence[object]) -> list[Class]:
    """Keep the whole scale of a graduated style, and of a categorised one the entries that occur."""
    there = {str(value) for value in values}
    return [entry for entry in style.classes if style.renderer != "categorised" or entry.value in there]


def _facts(rows: pd.DataFrame, columns: Sequence[str], language: Language) -> list[list[list[str]]]:
    kept = [name for name in columns if name in rows.columns]
    formats = {name: column_format(name, rows[name]) for name in kept}
    facts: list[list[list[str]]] = [[] for _ in range(len(rows))]
    for name in kept:
        label = column_label(name, language)
        for fact, value in zip(facts, rows[name].tolist(), strict=True):
            if not is_missing(value):
                text = value_label(name, value, language) if isinstance(value, str) else ""
                fact.append([label, text or written(value, formats[name], language)])
    return facts


def degrees(geometries: gpd.GeoSeries) -> list[object]:
    """Give GeoJSON geometries in EPSG:4326: generalised by `GENERALISED_M`, six decimals (about 0.1 m).

    A collection keeps its lines, else its polygons, else its points: a map layer draws one kind.
    """
    simple = shapely.simplify(one_kind(geometries.to_numpy()), GENERALISED_M, preserve_topology=True)
    there = gpd.GeoSeries(simple, crs=geometries.crs).to_crs(4326)
    rounded = shapely.transform(there.to_numpy(), _six_decimals)
    return [json.loads(text) for text in shapely.to_geojson(rounded)]


def _six_decimals(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(xy, 6)


def _labels(frame: gpd.GeoDataFrame, column: str, kind: str) -> list[dict[str, object]]:
    known = frame[frame.geometry.notna()]
    points = gpd.GeoSeries(known.geometry.representative_point(), crs=frame.crs).to_crs(4326)
    xs, ys = points.x.round(6).tolist(), points.y.round(6).tolist()
    names = known[column].tolist()
    return [
        {"text": str(name), "kind": kind, "lng": x, "lat": y}
        for name, x, y in zip(names, xs, ys, strict=True)
        if not is_missing(name)
    ]
