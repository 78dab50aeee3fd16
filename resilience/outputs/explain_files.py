"""The sub-network of one explained object, as a table or as styled layers."""

from datetime import date
from pathlib import Path

import geopandas as gpd

from gracethd.errors import GraceTHDError
from gracethd.outputs.drawing import are_lines, one_kind, standing_points
from gracethd.outputs.geopackage import Layer, write_geopackage
from gracethd.outputs.styles import Class, GeometryKind, Style
from gracethd.outputs.tables import write_table
from resilience.explain import FATES, ROLES, Explanation

SUFFIXES = (".csv", ".gpkg", ".parquet")
_ROLE_COLORS = ("#4c0a16", "#a8261f", "#d95f43", "#3b6ea5", "#e8b48a", "#00776b")
_FATE_COLORS = ("#4c0a16", "#d95f43", "#e8b48a", "#00776b")


def check_explanation_destination(path: Path) -> None:
    """Refuse a name that ends in nothing that can be written.

    Raises
    ------
    GraceTHDError
    """
    if path.suffix not in SUFFIXES:
        raise GraceTHDError(
            f"{path}: --asset writes to a name that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        )


def write_explanation(told: Explanation, path: Path, *, day: date, recipient: str = "") -> None:
    """Write the objects (.csv, .parquet), or objects and prises as layers (.gpkg)."""
    check_explanation_destination(path)
    if path.suffix != ".gpkg":
        write_table(told.objects, path)
        return
    shapes = told.objects.geometry.to_numpy()
    points = told.objects.set_geometry(
        gpd.GeoSeries(standing_points(shapes), index=told.objects.index, crs=told.objects.crs)
    )
    layers = [Layer("objets", points, f"Objets autour de {told.label}", _style("point", "role"))]
    lines = are_lines(shapes)
    if lines.any():
        drawn = told.objects[lines].set_geometry(
            gpd.GeoSeries(one_kind(shapes[lines]), index=told.objects.index[lines], crs=told.objects.crs)
        )
        layers.append(
            Layer("objets_lignes", drawn, f"Objets autour de {told.label}, tracés", _style("line", "role"))
        )
    if len(told.prises):
        layers.append(Layer("prises", told.prises, f"Prises derrière {told.label}", _style("point", "fate")))
    write_geopackage(layers, path, recipient=recipient, day=day)


def _style(kind: GeometryKind, attribute: str) -> Style:
    values, colors = (ROLES, _ROLE_COLORS) if attribute == "role" else (FATES, _FATE_COLORS)
    classes = tuple(
        Class(value.capitalize(), color, 1.2, value=value)
        for value, color in zip(values, colors, strict=True)
    )
    return Style(kind, classes, attribute, "categorised")
