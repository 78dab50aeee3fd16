"""Lines cut exactly at the borders of raster cells, without building a geometry."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gracethd.compiled import compiled

Float = NDArray[np.float64]
Index = NDArray[np.int64]

SLIVER_CELLS = 1e-9  # shorter than the rounding of a corner: no cell is entered


@dataclass(frozen=True)
class Segments:
    """The straight segments of many lines, in order along each.

    Attributes
    ----------
    xy : (n_vertices, 2) float64
    start : (n_segments,) int64
        Vertex at which each segment starts; it ends at the next one.
    line : (n_segments,) int64
        Row of the geometry it belongs to, not decreasing.
    length_m : (n_segments,) float64
        In the units of `xy`.
    """

    xy: Float
    start: Index
    line: Index
    length_m: Float

    def of(self, chosen: Index) -> "Segments":
        """Give some of the segments, by number; vertices stay shared."""
        return Segments(self.xy, self.start[chosen], self.line[chosen], self.length_m[chosen])


@dataclass(frozen=True)
class Pieces:
    """Parts of lines, each within one cell.

    Attributes
    ----------
    line, row, col : (n_pieces,) int64
    length_m : (n_pieces,) float64
    segment : (n_pieces,) int64
        Row of the `Segments` that were cut.
    begin, until : (n_pieces,) float64
        Share of the segment at which the piece begins and ends, 0 to 1.
    """

    line: Index
    row: Index
    col: Index
    length_m: Float
    segment: Index
    begin: Float
    until: Float


def segments_of(geometry: NDArray[np.object_]) -> Segments:
    """Give the segments of LineStrings and MultiLineStrings (None and empty ones have none).

    A line of no length keeps one segment of no length, so that it still has a place.
    """
    # parts are copies: plain lines, which most are, are read as they are
    is_plain = bool((shapely.get_type_id(geometry) == shapely.GeometryType.LINESTRING).all())
    parts, line_of_part = geometry, np.arange(len(geometry))
    if not is_plain:
        parts, line_of_part = shapely.get_parts(geometry, return_index=True)
        is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
        parts, line_of_part = parts[is_line], line_of_part[is_line]
    xy, part = shapely.get_coordinates(parts, return_index=True)
    start = np.flatnonzero(part[1:] == part[:-1])
    length = np.hypot(*(xy[start + 1] - xy[start]).T)
    line = line_of_part[part[start]].astype(np.int64)
    has_length = np.zeros(len(geometry), bool)
    has_length[line[length > 0]] = True
    first = np.zeros(len(line), bool)
    first[np.unique(line, return_index=True)[1]] = True
    keep = (length > 0) | (first & ~has_length[line])
    return Segments(xy, start[keep], line[keep], length[keep])


def cut_at_cells(pixel: Float, segments: Segments) -> Pieces:
    """Cut segments at every row and column of the grid that they cross.

    Each crossing is found as a parameter along its segment, those of both axes are merged, and a piece lies
    in the cell that holds its middle: floor of the coordinates, so that a piece running along the border of
    two cells belongs to the one of higher row or column. Length is the piece's share of its segment times
    the segment's length, which therefore stays the one measured in the project's CRS. Pieces shorter than a
    billionth of a cell (a corner, up to rounding) are left out.

    Parameters
    ----------
    pixel : (n_vertices, 2) float64
        The vertices of `segments` in pixel space, (col, row).
    segments : Segments

    Returns
    -------
    Pieces
        Sorted by segment and along it.
    """
    segment, cell, share = _cut(pixel, segments.start)
    begin, until = share
    length_m = (until - begin) * segments.length_m[segment]
    return Pieces(segments.line[segment], cell[0], cell[1], length_m, segment, begin, until)


@compiled
def _cut(pixel: Float, start: Index) -> tuple[Index, Index, Float]:
    """Walk each segment from border to border: whole numbers strictly between its ends, on both axes."""
    most = len(start)
    for vertex in start:
        for axis in range(2):
            most += _borders(pixel[vertex, axis], pixel[vertex + 1, axis])[2]
    segment, cell, share = np.empty(most, np.int64), np.empty((2, most), np.int64), np.empty((2, most))
    n = 0
    for number, vertex in enumerate(start):
        x, y = pixel[vertex]
        dx, dy = pixel[vertex + 1, 0] - x, pixel[vertex + 1, 1] - y
        size = np.sqrt(dx * dx + dy * dy)
        border_x, step_x, left_x = _borders(x, pixel[vertex + 1, 0])
        border_y, step_y, left_y = _borders(y, pixel[vertex + 1, 1])
        was = 0.0
        while True:
            at_x = min(max((border_x - x) / dx, 0.0), 1.0) if left_x > 0 else 2.0
            at_y = min(max((border_y - y) / dy, 0.0), 1.0) if left_y > 0 else 2.0
            at = min(at_x, at_y)
            until = min(at, 1.0)
            # an uncut segment has a place, however short
            if (until - was) * size > SLIVER_CELLS or until - was == 1.0:
                middle = (was + until) / 2
                segment[n], share[0, n], share[1, n] = number, was, until
                cell[0, n], cell[1, n] = int(np.floor(y + middle * dy)), int(np.floor(x + middle * dx))
                n += 1
            if at == 2.0:
                break
            was = at
            if at_x <= at_y:
                border_x, left_x = border_x + step_x, left_x - 1
            else:
                border_y, left_y = border_y + step_y, left_y - 1
    return segment[:n], cell[:, :n], share[:, :n]


@compiled
def _borders(begin: float, end: float) -> tuple[float, float, int]:
    """Give the first whole number strictly between begin and end, the step to the next, and how many."""
    if begin < end:
        first = np.floor(begin) + 1.0
        return first, 1.0, int(max(np.ceil(end) - first, 0.0))
    last = np.ceil(begin) - 1.0
    return last, -1.0, int(max(last - np.floor(end), 0.0))


def segments_of_pieces(pieces: Pieces, segments: Segments) -> Segments:
    """Give each piece as a segment whose line is the row of the piece: to be cut on another grid."""
    start = segments.xy[segments.start[pieces.segment]]
    step = segments.xy[segments.start[pieces.segment] + 1] - start
    ends = start[:, None, :] + np.stack([pieces.begin, pieces.until], axis=1)[:, :, None] * step[:, None, :]
    number = np.arange(len(pieces.line))
    return Segments(ends.reshape(-1, 2), 2 * number, number, pieces.length_m)
