"""Rasters of one hazard at points and along lines: depths, levels above a ground, classes, speeds."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyproj
import rasterio
import shapely
from numpy.typing import NDArray

from gracethd.compiled import compiled
from resilience.exposure.grid import Grid, grid_of, open_raster, raster_role, read_cells
from resilience.exposure.layouts import intensity_of_codes
from resilience.exposure.pieces import Pieces, Segments, cut_at_cells, segments_of, segments_of_pieces
from resilience.exposure.types import Area, Measured, Places
from resilience.hazards import Hazard, HazardError, HazardEvent
from resilience.parameters import Level

CHUNK_PIECES = 1_000_000  # pieces of lines held at once: about 100 MB

Float = NDArray[np.float64]
Index = NDArray[np.int64]

SENTINEL = -900.0  # -999, -9999, -32768 and float32 minimum stand for "no data" in files that do not say so
LARGEST = {"m": 100.0, "m/s": 150.0, "classe": 4.0, "présence": 1.0, "indice": 1e6}
"""Above it a number is no intensity: 9999 is how "more" is written in French classes of depth."""
HIGHEST_M = 9000.0  # of a level of water, or of the ground


@dataclass(frozen=True)
class _Map:
    event: HazardEvent
    role: str
    source: rasterio.DatasetReader
    grid: Grid


def measure_rasters(
    places: Places,
    lines: NDArray[np.object_],
    hazard: Hazard,
    events: Sequence[HazardEvent],
    area: Area,
    *,
    level: Level,
    touched_from: float,
) -> list[Measured]:
    """Measure the events that are rasters, in order; lines are cut once for rasters that share a grid.

    Parameters
    ----------
    places : Places
    lines : (n_lines,) object
        Their mapped parts.
    hazard : Hazard
    events : sequence of HazardEvent
    area : Geometry, "extent" or "valid"
    level : {"low", "central", "high"}
        Of classes that stand for an interval.
    touched_from : float
        A metre is touched where the intensity is greater.

    Raises
    ------
    GraceTHDError
        A raster that cannot be read, has no place or values that are no intensities.
    """
    segments = segments_of(lines)
    with ExitStack() as stack:
        terrain = None
        if hazard.terrain is not None and events:
            terrain = stack.enter_context(_opened(HazardEvent(np.nan, hazard.terrain), hazard))
        maps = [stack.enter_context(_opened(event, hazard)) for event in events]
        reader = _Reader(hazard, area, level, terrain)
        same_grid = [list(group) for _, group in groupby(maps, key=lambda one: one.grid)]
        return [
            one
            for group in same_grid
            for one in _on_grid(group, places, segments, reader, len(lines), touched_from)
        ]


@contextmanager
def _opened(event: HazardEvent, hazard: Hazard) -> Iterator[_Map]:
    with open_raster(event.path, hazard=hazard.name) as source:
        role = raster_role(event.path, hazard.name)
        yield _Map(event, role, source, grid_of(source, role))


@dataclass(frozen=True)
class _Reader:
    """Turns cells into intensities, inside the coverage: without data is dry there."""

    hazard: Hazard
    area: Area
    level: Level
    terrain: _Map | None

    def cut(self, pixel: Float, segments: Segments, crs: pyproj.CRS) -> tuple[Pieces, Index, Index]:
        """Cut segments on the map's cells, then on those of the ground; give each piece's cell of the map."""
        pieces = cut_at_cells(pixel, segments)
        if self.terrain is None:
            return pieces, pieces.row, pieces.col
        parts = segments_of_pieces(pieces, segments)
        fine = cut_at_cells(self.terrain.grid.pixels(parts.xy, crs), parts)
        line = pieces.line[fine.line]
        return (
            Pieces(line, fine.row, fine.col, fine.length_m, fine.segment, fine.begin, fine.until),
            pieces.row[fine.line],
            pieces.col[fine.line],
        )

    def intensity(self, one: _Map, row: Index, col: Index, ground: tuple[Index, Index] | None) -> Float:
        """Give the intensity in each cell; `ground` are the cells of the terrain."""
        value = read_cells(one.source, one.grid, row, col)
        is_void = np.isnan(value)
        if one.event.path == self.hazard.terrain:  # the level is the same everywhere, and its rise says which
            value, is_void = np.zeros(len(value)), np.zeros(len(value), bool)
        value = self._read(one, value)
        if self.terrain is not None and ground is not None:
            elevation = read_cells(self.terrain.source, self.terrain.grid, *ground)
            _refuse_values(elevation, SENTINEL, HIGHEST_M, self.terrain.role, "an elevation in metres")
            value = np.maximum(value + one.event.rise_m - elevation, 0.0)  # no ground: not known
        if self.area == "valid" or not is_void.any():
            return value
        is_dry = is_void if self.area != "extent" else is_void & one.grid.holds(row, col)
        return np.where(is_dry, 0.0, value)

    def _read(self, one: _Map, value: Float) -> Float:
        unit = self.hazard.unit
        if self.hazard.reading.classes:
            return intensity_of_codes(value, self.hazard, self.level, role=one.role)
        if self.hazard.kind == "flood_level":
            _refuse_values(value, SENTINEL, HIGHEST_M, one.role, "a level in metres")
            return value
        what = "depth in metres" if unit == "m" else f"{self.hazard.kind} in {unit}"
        _refuse_values(value, SENTINEL, LARGEST[unit], one.role, what)
        value = np.where(value < 0, 0.0, value)  # a negative depth is water below the ground
        return np.where(value > 0, np.maximum(value + one.event.rise_m, 0.0), value)


def _refuse_values(values: Float, least: float, most: float, role: str, what: str) -> None:
    wrong = (values < least) | (values > most)
    if wrong.any():
        value = values[wrong][0]
        raise HazardError(
            f"{role}: a cell holds {value:g}, which is no {what}; if it means 'no data', declare it"
            f" (gdal_edit.py -a_nodata {value:g}), else convert the raster, or say with classes what its"
            " codes stand for"
        )


def _on_grid(
    maps: Sequence[_Map],
    places: Places,
    segments: Segments,
    reader: _Reader,
    n_lines: int,
    touched_from: float,
) -> list[Measured]:
    grid, size = maps[0].grid, (len(maps), n_lines)
    xy = shapely.get_coordinates(places.points)
    at_point = grid.pixels(xy, places.crs)
    pixel = grid.pixels(segments.xy, places.crs)
    _refuse_elsewhere(np.concatenate([at_point, pixel]), maps[0])
    row, col = np.floor(at_point[:, ::-1]).astype(np.int64).T
    ground = None
    if reader.terrain is not None:
        under = reader.terrain.grid.pixels(xy, places.crs)
        _refuse_elsewhere(under, reader.terrain)
        ground_row, ground_col = np.floor(under[:, ::-1]).astype(np.int64).T
        ground = (ground_row, ground_col)
    line_most, touched_m, mapped_m = np.full(size, np.nan), np.zeros(size), np.zeros(size)
    for chunk in _chunks(grid, pixel, segments):
        pieces, piece_row, piece_col = reader.cut(pixel, segments.of(chunk), places.crs)
        for number, one in enumerate(maps):
            value = reader.intensity(one, piece_row, piece_col, (pieces.row, pieces.col))
            _gather(
                pieces.line, value, pieces.length_m, touched_from,
                line_most[number], touched_m[number], mapped_m[number],
            )  # fmt: skip
    return [
        Measured(
            one.event, reader.intensity(one, row, col, ground),
            line_most[number], touched_m[number], mapped_m[number],
        )
        for number, one in enumerate(maps)
    ]  # fmt: skip


@compiled
def _gather(
    line: Index,
    value: Float,
    length_m: Float,
    touched_from: float,
    most: Float,
    touched_m: Float,
    mapped_m: Float,
) -> None:
    """Add pieces to their lines in order: the largest value, metres above a value, mapped metres."""
    for piece in range(len(line)):
        if np.isnan(value[piece]):
            continue
        number = line[piece]
        mapped_m[number] += length_m[piece]
        if value[piece] > touched_from:
            touched_m[number] += length_m[piece]
        if not value[piece] <= most[number]:
            most[number] = value[piece]


def _refuse_elsewhere(pixel: Float, one: _Map) -> None:
    if len(pixel) == 0:
        return
    low, high = pixel.min(axis=0), pixel.max(axis=0)
    if (high < 0).any() or (low > [one.grid.width, one.grid.height]).any():
        raise HazardError(
            f"{one.role}: the raster ({one.grid.crs.name}) does not overlap the network, which spans"
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
    is_first = np.diff(segments.line, prepend=-1) > 0  # lines come in order
    first, number = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    col, row = np.floor(pixel[segments.start[first]]).astype(np.int64).T
    order = np.argsort(grid.tile_of(row, col)[number], kind="stable")
    step = np.abs(pixel[segments.start + 1] - pixel[segments.start]).sum(axis=1)
    chunk = np.cumsum(step[order] + 1) // CHUNK_PIECES
    yield from np.split(order, np.flatnonzero(np.diff(chunk)) + 1)
