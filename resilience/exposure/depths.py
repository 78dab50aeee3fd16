"""Depths of water at points and along lines, for all events of one hazard."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np
import pyproj
import rasterio
import shapely
from numpy.typing import NDArray

from resilience.exposure.coverage import clip_lines, read_coverage
from resilience.exposure.grid import Grid, grid_of, open_raster, read_cells
from resilience.exposure.pieces import Segments, cut_at_cells, segments_of
from resilience.hazards import Hazard, HazardError, HazardEvent

CHUNK_PIECES = 1_000_000  # pieces of lines held at once: about 100 MB

Float = NDArray[np.float64]
Index = NDArray[np.int64]
Area = shapely.Geometry | Literal["extent", "valid"]


@dataclass(frozen=True)
class Places:
    """Points and lines (LineString or MultiLineString, arrays of geometries) in a metric CRS."""

    points: NDArray[np.object_]
    lines: NDArray[np.object_]
    crs: pyproj.CRS


@dataclass(frozen=True)
class Depths:
    """What one event does to the places; NaN depth = not mapped, 0 = mapped and dry.

    Attributes
    ----------
    event : HazardEvent
    point_m : (n_points,) float64
    line_m : (n_lines,) float64
        Deepest of the cells that the mapped part of the line enters.
    wet_m, mapped_m : (n_lines,) float64
        Metres of the line that are mapped and wet, and mapped.
    """

    event: HazardEvent
    point_m: Float
    line_m: Float
    wet_m: Float
    mapped_m: Float


@dataclass(frozen=True)
class _Map:
    event: HazardEvent
    source: rasterio.DatasetReader
    grid: Grid

    def depth_m(self, row: Index, col: Index, area: Area) -> Float:
        """Give the depth in each cell; inside the coverage, a cell without data is dry."""
        depth = read_cells(self.source, self.grid, row, col, path=self.event.path)
        if isinstance(area, str):
            return (
                np.where(np.isnan(depth) & self.grid.holds(row, col), 0.0, depth)
                if area == "extent"
                else depth
            )
        return np.where(np.isnan(depth), 0.0, depth)


def measure_depths(places: Places, hazard: Hazard, *, wet_from_m: float) -> list[Depths]:
    """Measure every event of a hazard, in order; lines are cut once for rasters that share a grid.

    See `resilience.exposure.expose` for the rules and the errors.
    """
    area = _area(places, hazard)
    lines, is_mapped = places.lines, np.ones(len(places.points), bool)
    if not isinstance(area, str):
        lines, is_mapped = clip_lines(lines, area), shapely.intersects(area, places.points)
    segments = segments_of(lines)
    with ExitStack() as stack:
        maps = []
        for event in hazard.events:
            source = stack.enter_context(open_raster(event.path, hazard=hazard.name))
            maps.append(_Map(event, source, grid_of(source, event.path)))
        same_grid = [list(group) for _, group in groupby(maps, key=lambda one: one.grid)]
        depths = [one for group in same_grid for one in _on_grid(group, places, segments, area, wet_from_m)]
    return [replace(one, point_m=np.where(is_mapped, one.point_m, np.nan)) for one in depths]


def _area(places: Places, hazard: Hazard) -> Area:
    if isinstance(hazard.coverage, str):
        return hazard.coverage
    area = read_coverage(hazard.coverage, places.crs, hazard=hazard.name)
    bounds = shapely.total_bounds(np.concatenate([places.points, places.lines]))
    if np.isfinite(bounds).all() and not shapely.intersects(area, shapely.box(*bounds)):
        raise HazardError(
            f"{hazard.coverage}: the coverage of hazard {hazard.name!r} does not touch the network; check its"
            " CRS and that it belongs to this territory"
        )
    return area


def _on_grid(
    maps: Sequence[_Map], places: Places, segments: Segments, area: Area, wet_from_m: float
) -> list[Depths]:
    grid, size = maps[0].grid, (len(maps), len(places.lines))
    at_point = grid.pixels(shapely.get_coordinates(places.points), places.crs)
    pixel = grid.pixels(segments.xy, places.crs)
    _refuse_elsewhere(np.concatenate([at_point, pixel]), maps[0])
    row, col = np.floor(at_point[:, ::-1]).astype(np.int64).T
    line_m, wet_m, mapped_m = np.full(size, np.nan), np.zeros(size), np.zeros(size)
    for chunk in _chunks(grid, pixel, segments):
        pieces = cut_at_cells(pixel, segments.of(chunk))
        for number, one in enumerate(maps):
            depth = one.depth_m(pieces.row, pieces.col, area)
            np.fmax.at(line_m[number], pieces.line, depth)
            np.add.at(wet_m[number], pieces.line, np.where(depth > wet_from_m, pieces.length_m, 0.0))
            np.add.at(mapped_m[number], pieces.line, np.where(np.isnan(depth), 0.0, pieces.length_m))
    return [
        Depths(one.event, one.depth_m(row, col, area), line_m[number], wet_m[number], mapped_m[number])
        for number, one in enumerate(maps)
    ]


def _refuse_elsewhere(pixel: Float, one: _Map) -> None:
    if len(pixel) == 0:
        return
    low, high = pixel.min(axis=0), pixel.max(axis=0)
    if (high < 0).any() or (low > [one.grid.width, one.grid.height]).any():
        raise HazardError(
            f"{one.event.path}: the raster ({one.grid.crs.name}) does not overlap the network, which spans"
            f" columns {low[0]:.0f} to {high[0]:.0f} and rows {low[1]:.0f} to {high[1]:.0f} of its"
            f" {one.grid.width} x {one.grid.height} cells; check its CRS and that it covers this territory"
        )


def _chunks(grid: Grid, pixel: Float, segments: Segments) -> Iterator[Index]:
    """Give segment numbers by chunks that meet few tiles and hold about `CHUNK_PIECES` pieces.

    Lines go by the tile of their first vertex; the segments of one line keep their order, so that its
    sums do not depend on the tiles.
    """
    if len(segments.line) == 0:
        return
    _, first, number = np.unique(segments.line, return_index=True, return_inverse=True)
    col, row = np.floor(pixel[segments.start[first]]).astype(np.int64).T
    order = np.argsort(grid.tile_of(row, col)[number], kind="stable")
    step = np.abs(pixel[segments.start + 1] - pixel[segments.start]).sum(axis=1)
    chunk = np.cumsum(step[order] + 1) // CHUNK_PIECES
    yield from np.split(order, np.flatnonzero(np.diff(chunk)) + 1)
