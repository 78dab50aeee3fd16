"""Outlines of hazards for maps: what each event covers, and where the hazard has been mapped.

For the picture only: large rasters are read at a coarser size and outlines are generalised. What is counted
comes from `resilience.exposure`, cell by cell.
"""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import rasterio.features
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling

from resilience.exposure.coverage import read_coverage
from resilience.exposure.grid import open_raster
from resilience.hazards import Hazard

PICTURE_CELLS = 2000
"""Cells along the longest side of a raster as it is drawn: 5 m for a valley of 10 km."""


def water_extents(hazards: Sequence[Hazard], crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Give what each event covers: hazard, return_period, geometry (one multipolygon where depth > 0).

    Parameters
    ----------
    hazards : sequence of Hazard
    crs : pyproj.CRS
        Of the result.

    Returns
    -------
    GeoDataFrame
        One row per event, by hazard as given and return period; geometry is empty where nothing is wet.
    """
    rows = [(hazard, event) for hazard in hazards for event in hazard.events]
    shapes = []
    for hazard, event in rows:
        with open_raster(event.path, hazard=hazard.name) as source:
            # an average over the cells merged into one is above 0 as soon as one of them is wet
            depth = source.read(1, out_shape=_picture(source), resampling=Resampling.average, masked=True)
            shapes.append(_outline(np.ma.filled(depth > 0, fill_value=False), source, crs))
    columns = {
        "hazard": [hazard.name for hazard, _ in rows],
        "return_period": [float(event.return_period) for _, event in rows],
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def mapped_areas(hazards: Sequence[Hazard], crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Give where each hazard has been mapped (D17): hazard, geometry.

    For "extent" and "valid" it is where every event of the hazard has been.
    """
    shapes = [_mapped(hazard, crs) for hazard in hazards]
    return gpd.GeoDataFrame({"hazard": [hazard.name for hazard in hazards]}, geometry=shapes, crs=crs)


def _mapped(hazard: Hazard, crs: pyproj.CRS) -> shapely.Geometry:
    if not isinstance(hazard.coverage, str):
        return read_coverage(hazard.coverage, crs, hazard=hazard.name)
    areas = []
    for event in hazard.events:
        with open_raster(event.path, hazard=hazard.name) as source:
            shape = _picture(source)
            is_data = np.ones(shape, dtype=bool)
            if hazard.coverage == "valid":
                is_data = source.read_masks(1, out_shape=shape) > 0
            areas.append(_outline(is_data, source, crs))
    return shapely.intersection_all(areas)


def _picture(source: rasterio.DatasetReader) -> tuple[int, int]:
    factor = max(1.0, max(source.height, source.width) / PICTURE_CELLS)
    return max(1, round(source.height / factor)), max(1, round(source.width / factor))


def _outline(cells: NDArray[np.bool_], source: rasterio.DatasetReader, crs: pyproj.CRS) -> shapely.Geometry:
    """Give the outline of the true cells, its steps smoothed to about half a cell."""
    wide, high = source.width / cells.shape[1], source.height / cells.shape[0]
    a, b, c, d, e, f = source.transform[:6]
    transform = rasterio.Affine(a * wide, b * high, c, d * wide, e * high, f)
    found = rasterio.features.shapes(cells.astype(np.uint8), mask=cells, transform=transform)
    whole = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in found])
    outline = gpd.GeoSeries([whole], crs=source.crs.to_wkt()).to_crs(crs)
    half_cell = 0.5 * np.sqrt(outline.area.iloc[0] / max(1, int(cells.sum())))
    return shapely.make_valid(outline.simplify(half_cell).iloc[0])
