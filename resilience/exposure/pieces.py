"""Lines cut exactly at the borders of raster cells, without building a geometry."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Float = NDArray[np.float64]
Index = NDArray[np.int64]

SLIVER_CELLS = 1e-9  # shorter than the rounding of a corner: no cell is entered
BLOCK = 20_000  # segments cut at once: arrays that stay in the processor's cache are sorted 3 times faster


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

    Each crossing is found as a parameter along its segment, parameters are sorted, and a piece lies in the
    cell that holds its middle: floor of the coordinates, so that a piece running along the border of two
    cells belongs to the one of higher row or column. Length is the piece's share of its segment times the
    segment's length, which therefore stays the one measured in the project's CRS. Pieces shorter than a
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
    numbers = np.arange(len(segments.line))
    blocks = [numbers[first : first + BLOCK] for first in range(0, max(len(numbers), 1), BLOCK)]
    parts = [_cut(pixel, segments.of(block)) for block in blocks]
    segment = np.concatenate([part.segment + first * BLOCK for first, part in enumerate(parts)])
    line, row, col, length, begin, until = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("line", "row", "col", "length_m", "begin", "until")
    )
    return Pieces(line, row, col, length, segment, begin, until)


def segments_of_pieces(pieces: Pieces, segments: Segments) -> Segments:
    """Give each piece as a segment whose line is the row of the piece: to be cut on another grid."""
    start = segments.xy[segments.start[pieces.segment]]
    step = segments.xy[segments.start[pieces.segment] + 1] - start
    ends = start[:, None, :] + np.stack([pieces.begin, pieces.until], axis=1)[:, :, None] * step[:, None, :]
    number = np.arange(len(pieces.line))
    return Segments(ends.reshape(-1, 2), 2 * number, number, pieces.length_m)


def _cut(pixel: Float, segments: Segments) -> Pieces:
    begin, end = pixel[segments.start], pixel[segments.start + 1]
    crossings = [_crossings(begin[:, axis], end[:, axis]) for axis in (0, 1)]
    segment = np.concatenate([np.arange(len(begin)), *(number for number, _ in crossings)])
    at = np.concatenate([np.zeros(len(begin)), *(parameter for _, parameter in crossings)])
    order = np.lexsort((at, segment))
    segment, at = segment[order], at[order]
    until = np.ones(len(at))
    until[:-1] = np.where(segment[1:] == segment[:-1], at[1:], 1.0)
    share = until - at
    step = end - begin
    size = np.hypot(step[:, 0], step[:, 1])[segment]
    keep = (share * size > SLIVER_CELLS) | (share == 1)  # an uncut segment has a place, however short
    segment, share, at, until = segment[keep], share[keep], at[keep], until[keep]
    middle = (at + until) / 2
    cell = np.floor(begin[segment] + middle[:, None] * step[segment]).astype(np.int64)
    length_m = share * segments.length_m[segment]
    return Pieces(segments.line[segment], cell[:, 1], cell[:, 0], length_m, segment, at, until)


def _crossings(begin: Float, end: Float) -> tuple[Index, Float]:
    """Give, for each whole number strictly between begin and end, the segment and the parameter in it."""
    first = np.floor(np.minimum(begin, end)) + 1
    count = np.maximum(np.ceil(np.maximum(begin, end)) - first, 0).astype(np.int64)
    segment = np.repeat(np.arange(len(begin)), count)
    rank = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    at = (first[segment] + rank - begin[segment]) / (end - begin)[segment]
    return segment, np.clip(at, 0.0, 1.0)
