"""Outlines of hazards for maps: where each event reaches, and where the hazard has been mapped."""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import rasterio.features
import shapely
from affine import Affine
from rasterio.enums import Resampling

from resilience.exposure.coverage import read_coverage
from resilience.exposure.grid import open_raster
from resilience.hazards import Hazard

MOST_CELLS = 1_000_000
"""Outlines are drawn from an overview of at most a million cells: they are for maps, not for counting."""


def wet_extents(hazards: Sequence[Hazard], crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Outline what each event covers: hazard, return_period, geometry (MultiPolygon in `crs`)."""
    rows = []
    for hazard in hazards:
        for event in hazard.events:
            with open_raster(event.path, hazard=hazard.name) as source:
                step = max(1.0, (source.width * source.height / MOST_CELLS) ** 0.5)
                shape = max(1, int(source.height / step)), max(1, int(source.width / step))
                cells = source.read(1, out_shape=shape, resampling=Resampling.average, masked=True)
                t, across, down = source.transform, source.width / shape[1], source.height / shape[0]
                transform = Affine(t.a * across, t.b * down, t.c, t.d * across, t.e * down, t.f)
                wet = (cells.filled(0) > 0).astype(np.uint8)
                found = rasterio.features.shapes(wet, mask=wet.astype(bool), transform=transform)
                area = shapely.union_all([shapely.geometry.shape(geometry) for geometry, _ in found])
                outline = gpd.GeoSeries([area], crs=source.crs).to_crs(crs).iloc[0]
            rows.append((hazard.name, event.return_period, outline))
    return gpd.GeoDataFrame(
        rows, columns=["hazard", "return_period", "geometry"], geometry="geometry", crs=crs
    )


def coverage_areas(hazards: Sequence[Hazard], crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Outline where each hazard has been mapped; a hazard known by its cells with data has no outline."""
    rows = []
    for hazard in hazards:
        if isinstance(hazard.coverage, Path):
            rows.append((hazard.name, read_coverage(hazard.coverage, crs, hazard=hazard.name)))
        elif hazard.coverage == "extent":
            with open_raster(hazard.events[0].path, hazard=hazard.name) as source:
                area = gpd.GeoSeries([shapely.box(*source.bounds)], crs=source.crs).to_crs(crs).iloc[0]
            rows.append((hazard.name, area))
    return gpd.GeoDataFrame(rows, columns=["hazard", "geometry"], geometry="geometry", crs=crs)
