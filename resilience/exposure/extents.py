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
import rasterio.warp
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling

from resilience.exposure.coverage import read_coverage
from resilience.exposure.grid import open_raster
from resilience.exposure.layers import read_polygons
from resilience.exposure.layouts import intensity_of_codes
from resilience.hazards import Hazard, HazardEvent

Float = NDArray[np.float64]

PICTURE_CELLS = 2000
"""Cells along the longest side of a raster as it is drawn: 5 m for a valley of 10 km."""


def water_extents(
    hazards: Sequence[Hazard], crs: pyproj.CRS, *, bounds: Float | None = None
) -> gpd.GeoDataFrame:
    """Give what each event covers: hazard, return_period, geometry (one multipolygon where depth > 0).

    Parameters
    ----------
    hazards : sequence of Hazard
    crs : pyproj.CRS
        Of the result.
    bounds : (4,) float64, optional
        Of the network, in `crs`: polygons away from them are not drawn.

    Returns
    -------
    GeoDataFrame
        One row per event, by hazard as given and return period; geometry is empty where nothing is wet.
    """
    rows = [(hazard, event) for hazard in hazards for event in hazard.events]
    shapes = []
    for hazard, event in rows:
        if not event.is_raster:
            shapes.append(_union(hazard, event, crs, bounds, is_touched=True))
            continue
        with open_raster(event.path, hazard=hazard.name) as source:
            shapes.append(_outline(_wet_cells(source, hazard, event), source, crs))
    columns = {
        "hazard": [hazard.name for hazard, _ in rows],
        "return_period": [float(event.return_period) for _, event in rows],
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def mapped_areas(
    hazards: Sequence[Hazard], crs: pyproj.CRS, *, bounds: Float | None = None
) -> gpd.GeoDataFrame:
    """Give where each hazard has been mapped (D17): hazard, geometry.

    For "extent" and "valid" it is where every event of the hazard has been.
    """
    shapes = [_mapped(hazard, crs, bounds) for hazard in hazards]
    return gpd.GeoDataFrame({"hazard": [hazard.name for hazard in hazards]}, geometry=shapes, crs=crs)


def _mapped(hazard: Hazard, crs: pyproj.CRS, bounds: Float | None) -> shapely.Geometry:
    if not isinstance(hazard.coverage, str):
        return read_coverage(hazard.coverage, crs, hazard=hazard.name)
    areas = []
    for event in hazard.events:
        if not event.is_raster:
            areas.append(_union(hazard, event, crs, bounds, is_touched=False))
            continue
        with open_raster(event.path, hazard=hazard.name) as source:
            shape = _picture(source)
            is_data = np.ones(shape, dtype=bool)
            if hazard.coverage == "valid":
                is_data = source.read_masks(1, out_shape=shape) > 0
            areas.append(_outline(is_data, source, crs))
    return shapely.intersection_all(areas)


def _wet_cells(source: rasterio.DatasetReader, hazard: Hazard, event: HazardEvent) -> NDArray[np.bool_]:
    """Tell the cells of the picture with any water, or any other intensity."""
    shape = _picture(source)
    if hazard.reading.classes:
        codes = source.read(1, out_shape=shape, masked=True)  # codes have no average: the nearest one
        value = np.ma.filled(codes.astype(np.float64), np.nan).ravel()
        role = f"{event.path} (hazard {hazard.name!r})"
        return (intensity_of_codes(value, hazard, "central", role=role) > 0).reshape(shape)
    # an average over the cells merged into one is above 0 as soon as one of them is wet
    value = source.read(1, out_shape=shape, resampling=Resampling.average, masked=True)
    value = np.ma.filled(value.astype(np.float64) * source.scales[0] + source.offsets[0], np.nan)
    if hazard.terrain is None:
        return (value > 0) & (value + event.rise_m > 0)
    level = np.where(np.isnan(value), np.nan, 0.0) if event.path == hazard.terrain else value
    ground = np.full(shape, np.nan)
    with open_raster(hazard.terrain, hazard=hazard.name) as terrain:
        rasterio.warp.reproject(
            rasterio.band(terrain, 1), ground, dst_transform=_transform(source, shape), dst_crs=source.crs,
            dst_nodata=np.nan, resampling=Resampling.average,
        )  # fmt: skip
    return level + event.rise_m > ground


def _union(
    hazard: Hazard, event: HazardEvent, crs: pyproj.CRS, bounds: Float | None, *, is_touched: bool
) -> shapely.Geometry:
    """Give the outline of the polygons of an event: of those with an intensity, or of all."""
    polygons = read_polygons(hazard, event, crs, bounds=bounds, level="central")
    kept = polygons.geometry[polygons.intensity > 0] if is_touched else polygons.geometry
    return shapely.union_all(kept)


def _picture(source: rasterio.DatasetReader) -> tuple[int, int]:
    factor = max(1.0, max(source.height, source.width) / PICTURE_CELLS)
    return max(1, round(source.height / factor)), max(1, round(source.width / factor))


def _transform(source: rasterio.DatasetReader, shape: tuple[int, ...]) -> rasterio.Affine:
    """Give the place of the picture's cells."""
    wide, high = source.width / shape[1], source.height / shape[0]
    a, b, c, d, e, f = source.transform[:6]
    return rasterio.Affine(a * wide, b * high, c, d * wide, e * high, f)


def _outline(cells: NDArray[np.bool_], source: rasterio.DatasetReader, crs: pyproj.CRS) -> shapely.Geometry:
    """Give the outline of the true cells, its steps smoothed to about half a cell."""
    transform = _transform(source, cells.shape)
    found = rasterio.features.shapes(cells.astype(np.uint8), mask=cells, transform=transform)
    whole = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in found])
    outline = gpd.GeoSeries([whole], crs=source.crs.to_wkt()).to_crs(crs)
    half_cell = 0.5 * np.sqrt(outline.area.iloc[0] / max(1, int(cells.sum())))
    return shapely.make_valid(outline.simplify(half_cell).iloc[0])
