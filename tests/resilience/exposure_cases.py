"""Rasters, layers and networks that the tests of exposure draw."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.transform import Affine

from gracethd.network.types import Network
from resilience.hazards import Hazard, HazardEvent

L93 = "EPSG:2154"
Line = list[tuple[float, float]]
WEST, NORTH = 640_000.0, 7_070_000.0  # Saint-Omer


def from_origin(west: float, north: float, width: float, height: float) -> Affine:
    return Affine(width, 0, west, 0, -height, north)


def xy(col: float, row: float, *, cell: float = 10.0) -> tuple[float, float]:
    """Place of pixel coordinates in the 3 x 3 raster of 10 m cells that most tests use."""
    return WEST + col * cell, NORTH - row * cell


def write_raster(
    path: Path, cells: object, *, transform: Affine | None = None, crs: str | None = L93, **more: Any
) -> Path:
    array = np.atleast_2d(np.asarray(cells, dtype=more.pop("dtype", "float32")))
    transform = transform or from_origin(WEST, NORTH, 10.0, 10.0)
    profile = {"driver": "GTiff", "height": array.shape[0], "width": array.shape[1], "count": 1}
    with rasterio.open(
        path, "w", dtype=array.dtype, transform=transform, crs=crs, **profile, **more
    ) as target:
        target.write(array, 1)
    return path


def network(points: list = (), lines: list = (), *, crs: str = L93) -> Network:
    """Chambers C0, C1... at `points` and buried ways W0, W1... along `lines`."""
    kinds = ["cheminement"] * len(lines) + ["ptech"] * len(points)
    codes = [f"W{i}" for i in range(len(lines))] + [f"C{i}" for i in range(len(points))]
    shapes = [shape if isinstance(shape, shapely.Geometry) else shapely.LineString(shape) for shape in lines]
    assets = gpd.GeoDataFrame(
        {"kind": pd.Series(kinds, dtype=str), "code": pd.Series(codes, dtype=str)},
        geometry=gpd.GeoSeries(
            [*shapes, *(shapely.Point(p) if p is not None else None for p in points)], crs=crs
        ),
    )
    ways = gpd.GeoDataFrame(
        {"asset": np.arange(len(lines), dtype=np.int32), "typ_imp": pd.Series(["7"] * len(lines), dtype=str)},
        geometry=gpd.GeoSeries(shapes, crs=crs),
    )
    ways["length_m"] = shapely.length(ways.geometry.to_numpy())
    rest = {field.name: pd.DataFrame() for field in fields(Network)} | {"assets": assets, "lines": ways}
    return Network(**rest)


def flood(path: Path, coverage: object = "extent", *, period: float = 20.0, name: str = "crue") -> Hazard:
    return Hazard(name, "flood_depth", "m", coverage, (HazardEvent(period, path),))


def polygon_layer(
    path: Path, *polygons: shapely.Geometry, crs: str | None = L93, driver: str = "GPKG"
) -> Path:
    gpd.GeoDataFrame(geometry=gpd.GeoSeries(list(polygons), crs=crs)).to_file(
        path, driver=driver, engine="fiona"
    )
    return path


def row_of(exposure: pd.DataFrame, code: str) -> pd.Series:
    rows = exposure[exposure["code"] == code]
    assert len(rows) == 1
    return rows.iloc[0]
