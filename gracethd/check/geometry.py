"""Rules on shapes alone: validity, type, coordinates, length."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gracethd.check.batches import Batch
from gracethd.check.model import geometry_type
from gracethd.check.places import Shapes, shapes_of
from gracethd.check.rules import report
from gracethd.check.settings import Thresholds

_TYPES = {
    "Point": (shapely.GeometryType.POINT,),
    "LineString": (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING),
    "MultiPolygon": (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON),
}


def check_geometry(batch: Batch, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find shapes that cannot be what the table says; absent ones are found at reading."""
    table, layer = batch.table, batch.frame
    kind = geometry_type(table, batch.major)
    if not kind or not isinstance(layer, gpd.GeoDataFrame):
        return
    there = layer[layer.geometry.notna().to_numpy()]
    shapes = shapes_of(there.geometry)
    expected = np.isin(shapely.get_type_id(shapes), [int(one) for one in _TYPES[kind]])
    sane = _in_domain(shapes, batch.crs)
    yield report("geometrie_type", table, there, ~expected, attribute="geom", detail=f"{kind} attendu")
    yield report("coordonnees_absurdes", table, there, ~sane, attribute="geom")
    if kind == "LineString":
        yield from _lines(table, there[expected & sane], limits)
    else:
        invalid = sane & ~shapely.is_valid(shapes)
        yield report("geometrie_invalide", table, there, invalid, attribute="geom")


def _lines(table: str, layer: gpd.GeoDataFrame, limits: Thresholds) -> Iterator[pd.DataFrame]:
    shapes = shapes_of(layer.geometry)
    merged = shapely.line_merge(shapes)
    in_pieces = shapely.get_type_id(merged) == shapely.GeometryType.MULTILINESTRING
    null = shapely.length(shapes) < limits["null_length_m"]
    closed = ~null & ~in_pieces & shapely.is_closed(merged)
    yield report("longueur_nulle", table, layer, null, attribute="geom")
    yield report("geometrie_multiple", table, layer, in_pieces & ~null, attribute="geom")
    yield report("ligne_fermee", table, layer, closed, attribute="geom")


def _in_domain(shapes: Shapes, crs: pyproj.CRS | None) -> NDArray[np.bool_]:
    """Tell which shapes lie within the area where the CRS is meant to be used."""
    bounds = shapely.bounds(shapes)
    low_x, low_y, high_x, high_y = _domain(crs)
    inside: NDArray[np.bool_] = (
        (bounds[:, 0] >= low_x)
        & (bounds[:, 1] >= low_y)
        & (bounds[:, 2] <= high_x)
        & (bounds[:, 3] <= high_y)
    )
    return inside


def _domain(crs: pyproj.CRS | None) -> tuple[float, float, float, float]:
    """Give the bounds of the area of use in the CRS; the whole plane where it is not known."""
    area = crs.area_of_use if crs is not None else None
    if crs is None or area is None:
        return -1e9, -1e9, 1e9, 1e9
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return transformer.transform_bounds(*area.bounds)
