"""Outlines of hazards for maps: what each event covers, and where the hazard has been mapped.

For the picture only: large rasters are read at a coarser size and outlines are generalised. What is counted
comes from `resilience.exposure`, cell by cell.
"""

from collections.abc import Callable, Sequence

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
from resilience.exposure.grid import open_raster, raster_role
from resilience.exposure.layers import Layers, polygons_of, read_layers
from resilience.exposure.layouts import intensity_of_codes
from resilience.hazards import Hazard, HazardEvent, HazardKind

Float = NDArray[np.float64]
Limits = Sequence[tuple[float, float, str]]
ANYWHERE: Limits = ((0.0, np.inf, ""),)

PICTURE_CELLS = 2000
"""Cells along the longest side of a raster as it is drawn: 5 m for a valley of 10 km."""


def hazard_extents(
    hazards: Sequence[Hazard],
    crs: pyproj.CRS,
    *,
    layers: Layers | None = None,
    limits: Callable[[HazardKind], Limits] = lambda _: ANYWHERE,
) -> gpd.GeoDataFrame:
    """Give where each event reaches, by class of intensity.

    Parameters
    ----------
    hazards : sequence of Hazard
    crs : pyproj.CRS
        Of the result.
    layers : mapping, optional
        From `resilience.exposure.layers_near`: polygons away from the network are not drawn. All are read
        otherwise.
    limits : callable
        Classes of a kind: lower limit (not in it), upper one (in it), name. By default one class: anything
        above 0.

    Returns
    -------
    GeoDataFrame
        hazard, hazard_kind, scenario, return_period (NaN without one), intensity_class (name of the class),
        geometry (one multipolygon, empty where the class is nowhere). One row per event and class, by hazard
        and event as given, weak classes first. Polygons may overlap from class to class, cells do not.
    """
    rows = []
    layers = read_layers(hazards, crs) if layers is None else layers
    for hazard in hazards:
        for event in hazard.events:
            head = (hazard.name, hazard.kind, event.scenario, float(event.return_period))
            classes = limits(hazard.kind)
            shapes = _shapes(hazard, event, crs, layers, classes)
            rows += [(*head, name, shape) for (_, _, name), shape in zip(classes, shapes, strict=True)]
    names = ["hazard", "hazard_kind", "scenario", "return_period", "intensity_class"]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return gpd.GeoDataFrame(columns, geometry=[row[-1] for row in rows], crs=crs)


def mapped_areas(
    hazards: Sequence[Hazard], crs: pyproj.CRS, *, layers: Layers | None = None
) -> gpd.GeoDataFrame:
    """Give where each hazard has been mapped (D17): hazard, geometry.

    For "extent" and "valid" it is where every event of the hazard has been.
    """
    layers = read_layers(hazards, crs) if layers is None else layers
    shapes = [_mapped(hazard, crs, layers) for hazard in hazards]
    return gpd.GeoDataFrame({"hazard": [hazard.name for hazard in hazards]}, geometry=shapes, crs=crs)


def _mapped(hazard: Hazard, crs: pyproj.CRS, layers: Layers) -> shapely.Geometry:
    if not isinstance(hazard.coverage, str):
        return read_coverage(hazard.coverage, crs, hazard=hazard.name)
    areas: list[shapely.Geometry] = []
    for event in hazard.events:
        if not event.is_raster:
            polygons = polygons_of(layers[event.path, event.layer], hazard, event, crs, level="central")
            areas.append(shapely.union_all(polygons.geometry))
            continue
        with open_raster(event.path, hazard=hazard.name) as source:
            shape = _picture(source)
            is_data = np.ones(shape, dtype=bool)
            if hazard.coverage == "valid":
                is_data = source.read_masks(1, out_shape=shape) > 0
            areas.append(_outline(is_data, source, crs))
    return shapely.intersection_all(areas)


def _shapes(
    hazard: Hazard, event: HazardEvent, crs: pyproj.CRS, layers: Layers, classes: Limits
) -> list[shapely.Geometry]:
    """Give the outline of each class of intensity of an event."""
    if not event.is_raster:
        polygons = polygons_of(layers[event.path, event.layer], hazard, event, crs, level="central")
        value = polygons.intensity
        return [shapely.union_all(polygons.geometry[(value > low) & (value <= up)]) for low, up, _ in classes]
    with open_raster(event.path, hazard=hazard.name) as source:
        value = _intensity_of_cells(source, hazard, event)
        return [_outline((value > low) & (value <= up), source, crs) for low, up, _ in classes]


def _intensity_of_cells(source: rasterio.DatasetReader, hazard: Hazard, event: HazardEvent) -> Float:
    """Give the intensity of the cells of the picture, NaN or 0 where there is none."""
    shape = _picture(source)
    if hazard.reading.classes:
        codes = source.read(1, out_shape=shape, masked=True)  # codes have no average: the nearest one
        code = np.ma.filled(codes.astype(np.float64), np.nan).ravel()
        role = raster_role(event.path, hazard.name)
        return intensity_of_codes(code, hazard, "central", role=role).reshape(shape)
    # an average over the cells merged into one is above 0 as soon as one of them is wet
    value = source.read(1, out_shape=shape, resampling=Resampling.average, masked=True)
    value = np.ma.filled(value.astype(np.float64) * source.scales[0] + source.offsets[0], np.nan)
    if hazard.terrain is None:
        return np.where(value > 0, value + event.rise_m, 0.0)
    level = np.where(np.isnan(value), np.nan, 0.0) if event.path == hazard.terrain else value
    ground = np.full(shape, np.nan)
    with open_raster(hazard.terrain, hazard=hazard.name) as terrain:
        rasterio.warp.reproject(
            rasterio.band(terrain, 1), ground, dst_transform=_transform(source, shape), dst_crs=source.crs,
            dst_nodata=np.nan, resampling=Resampling.average,
        )  # fmt: skip
    return level + event.rise_m - ground


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
