"""Layers of ``resultats.gpkg``: what a study's report puts in its GeoPackage, styled, in French."""

import re
from collections.abc import Callable, Sequence

import geopandas as gpd

from gracethd.outputs.drawing import are_lines, one_kind, standing_points
from gracethd.outputs.geopackage import Layer
from gracethd.outputs.labels import phrase
from gracethd.outputs.qgis_project import Group, Relation
from gracethd.outputs.styles import (
    GeometryKind,
    Style,
    coverage_style,
    cut_style,
    extent_style,
    outline_style,
    plan_style,
    rooms_style,
)
from resilience.hazards import WATER_KINDS, plain_text

from .hazard_styles import area_style, exposure_style
from .hazard_tables import kind_of
from .report import Report


def study_layers(report: Report) -> list[Layer]:
    """Give the layers of ``resultats.gpkg``, each only where the study has its part.

    QGIS draws one kind of geometry a layer. Where points and lines meet (plan, series, spof, exposure) the
    layer of that name holds every row as a point, a line by the point half-way along it, and
    ``<name>_lignes`` holds the lines again as lines. `exposure` has what is in the water, and
    ``exposure_<hazard>`` what another hazard touches; their titles count the rest, which is in
    ``exposure.parquet``. Likewise `emprises_aleas` and ``emprise_<hazard>`` are where hazards reach.
    """
    styles: dict[str, Callable[[GeometryKind], Style]] = {
        "plan": plan_style,
        "series": cut_style,
        "spof": cut_style,
    }
    layers = []
    for name, style in styles.items():
        frame = getattr(report, name)
        if isinstance(frame, gpd.GeoDataFrame):
            layers += _points_and_lines(name, frame, phrase(f"layer_{name}"), style)
    if isinstance(report.exposure, gpd.GeoDataFrame):
        for name, rows in _by_layer(report.exposure, "exposure"):
            layers += _exposure_layers(name, rows)
    return layers + _ground_layers(report)


def study_groups(layers: Sequence[Layer]) -> list[Group]:
    """Group the layers of a study by chapter, as the QGIS project lists them, the uppermost first."""
    chapters = (
        ("Plan d'actions", ("plan", "plan_lignes")),
        ("Défaillances", ("nro_pm", "series", "series_lignes", "spof", "spof_lignes")),
    )
    named = {layer.name: layer for layer in layers}
    taken = {name for _, names in chapters for name in names}
    groups = [
        Group(title, [named[name] for name in names if name in named], _SHOWN) for title, names in chapters
    ]
    ground = [layer for layer in layers if layer.name in {"communes", "emprise_cartographiee"}]
    hazards = [layer for layer in layers if layer.name not in taken and layer not in ground]
    groups += [Group("Aléas", hazards, _SHOWN), Group("Fond", ground, _SHOWN)]
    return [group for group in groups if group.layers]


RELATIONS = (
    Relation("Ouvrages de la série", "spof", "serie", "series", "serie"),
    Relation("Ouvrages de la série (tracés)", "spof_lignes", "serie", "series", "serie"),
)
"""Objects that form a série, in QGIS."""
_SHOWN = (
    "plan",
    "plan_lignes",
    "nro_pm",
    "series_lignes",
    "communes",
    "emprise_cartographiee",
    "emprises_aleas",
)


def _exposure_layers(name: str, rows: gpd.GeoDataFrame) -> list[Layer]:
    kind = kind_of(rows)
    strength = rows["intensity_max"]
    untouched, unmapped = int((strength <= 0).sum()), int(strength.isna().sum())
    what = "dans l'eau" if kind in WATER_KINDS else f"touchés, {rows['hazard'].iloc[0]}"
    title = f"Ouvrages {what} (à part : {untouched} lignes non touchées, {unmapped} non cartographiées)"
    return _points_and_lines(name, rows[strength > 0], title, lambda shape: exposure_style(kind, shape))


def _ground_layers(report: Report) -> list[Layer]:
    layers = [] if report.rooms is None else [
        Layer("nro_pm", report.rooms, phrase("layer_rooms"), rooms_style())
    ]  # fmt: skip
    if report.hazard_extents is not None:
        for name, rows in _by_layer(report.hazard_extents, "emprises_aleas", "emprise"):
            kind = kind_of(rows)
            if kind in WATER_KINDS:
                layers.append(Layer(name, rows, "Emprise de chaque événement", extent_style()))
            else:
                title = f"Emprise, {rows['hazard'].iloc[0]}"
                layers.append(Layer(name, rows[~rows.geometry.is_empty], title, area_style(kind)))
    plain: tuple[tuple[str, gpd.GeoDataFrame | None, str, Style], ...] = (
        ("emprise_cartographiee", report.coverage, phrase("layer_coverage"), coverage_style()),
        ("communes", report.communes, phrase("layer_communes"), outline_style()),
    )
    return layers + [
        Layer(name, frame, title, style) for name, frame, title, style in plain if frame is not None
    ]


def _by_layer(frame: gpd.GeoDataFrame, water: str, other: str = "") -> list[tuple[str, gpd.GeoDataFrame]]:
    """Give the rows of water as one layer, and those of each other hazard as one named after it."""
    is_water = frame["hazard_kind"].isin(list(WATER_KINDS))
    parts = [(water, frame[is_water])] if is_water.any() or frame.empty else []
    taken: set[str] = set()
    for hazard in sorted(frame.loc[~is_water, "hazard"].unique().tolist()):
        name = base = f"{other or water}_{layer_word(hazard)}"
        number = 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        parts.append((name, frame[frame["hazard"] == hazard]))
    return parts


def layer_word(text: str) -> str:
    """Give a name as a word that any GIS takes for a table: lower case ASCII letters, digits, underscores.

    Examples
    --------
    >>> layer_word("Feu de forêt (PPRIF)")
    'feu_de_foret_pprif'
    """
    return re.sub(r"[^a-z0-9]+", "_", plain_text(text)).strip("_")[:40] or "alea"


def _points_and_lines(
    name: str, frame: gpd.GeoDataFrame, title: str, style: Callable[[GeometryKind], Style]
) -> list[Layer]:
    geometries = frame.geometry.to_numpy()
    points = frame.set_geometry(gpd.GeoSeries(standing_points(geometries), index=frame.index, crs=frame.crs))
    layers = [Layer(name, points, title, style("point"))]
    lines = are_lines(geometries)
    if lines.any():
        drawn = gpd.GeoSeries(one_kind(geometries[lines]), index=frame.index[lines], crs=frame.crs)
        layers.append(
            Layer(f"{name}_lignes", frame[lines].set_geometry(drawn), f"{title}, tracés", style("line"))
        )
    return layers
