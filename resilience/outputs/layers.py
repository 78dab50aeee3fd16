"""Layers of ``resultats.gpkg``: what a study's report puts in its GeoPackage, styled, in French."""

from collections.abc import Callable

import geopandas as gpd

from gracethd.outputs.drawing import are_lines, one_kind, standing_points
from gracethd.outputs.geopackage import Layer
from gracethd.outputs.labels import phrase
from gracethd.outputs.styles import (
    GeometryKind,
    Style,
    coverage_style,
    cut_style,
    depth_style,
    extent_style,
    outline_style,
    plan_style,
    rooms_style,
)

from .report import Report


def study_layers(report: Report) -> list[Layer]:
    """Give the layers of ``resultats.gpkg``, each only where the study has its part.

    QGIS draws one kind of geometry a layer. Where points and lines meet (plan, series, spof, exposure) the
    layer of that name holds every row as a point, a line by the point half-way along it, and
    ``<name>_lignes`` holds the lines again as lines. `exposure` has the rows in the water only; its title
    counts the others, which are in ``exposure.parquet``.
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
        depth = report.exposure["intensity_max"]
        dry, unmapped = int((depth <= 0).sum()), int(depth.isna().sum())
        title = f"Ouvrages dans l'eau (à part : {dry} lignes hors d'eau, {unmapped} non cartographiées)"
        layers += _points_and_lines("exposure", report.exposure[depth > 0], title, depth_style)
    return layers + _ground_layers(report)


def _ground_layers(report: Report) -> list[Layer]:
    plain: tuple[tuple[str, gpd.GeoDataFrame | None, str, Style], ...] = (
        ("nro_pm", report.rooms, phrase("layer_rooms"), rooms_style()),
        ("emprises_aleas", report.hazard_extents, "Emprise de chaque événement", extent_style()),
        ("emprise_cartographiee", report.coverage, phrase("layer_coverage"), coverage_style()),
        ("communes", report.communes, phrase("layer_communes"), outline_style()),
    )
    return [Layer(name, frame, title, style) for name, frame, title, style in plain if frame is not None]


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
