"""Points and lines inside the polygons of an event, exactly: overlaps count once, borders are inside."""

from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from gracethd.compiled import compiled
from resilience.exposure.layers import Layer, Polygons, polygons_of
from resilience.exposure.pieces import Segments, segments_of
from resilience.exposure.types import Area, Measured, Places
from resilience.hazards import Hazard, HazardEvent
from resilience.parameters import Level

SLIVER = 1e-3  # of BORDER_M: shorter parts are rounding
BORDER_M = 1e-6  # a line this near to a border runs along it, up to the rounding of coordinates of 7,000 km

Float = NDArray[np.float64]
Index = NDArray[np.int64]
Array = TypeVar("Array", Float, Index)


def measure_polygons(
    places: Places,
    lines: NDArray[np.object_],
    hazard: Hazard,
    event: HazardEvent,
    area: Area,
    layer: Layer,
    *,
    level: Level,
    touched_from: float,
) -> Measured:
    """Measure one event that is a layer of polygons.

    Parameters
    ----------
    places : Places
    lines : (n_lines,) object
        Their mapped parts.
    hazard : Hazard
    event : HazardEvent
    area : Geometry or "valid"
        Where the hazard is mapped; "valid" = inside its polygons only.
    layer : Layer
    level : {"low", "central", "high"}
    touched_from : float
        A metre is touched where the intensity is greater.

    Raises
    ------
    GraceTHDError
        As `resilience.exposure.layers.polygons_of`.
    """
    polygons = polygons_of(layer, hazard, event, places.crs, level=level)
    point, is_in = point_intensity(places.points, polygons)
    line, inside_m, touched_m = line_intensity(lines, polygons, touched_from=touched_from)
    length_m = np.nan_to_num(shapely.length(lines))
    if area == "valid":
        return Measured(event, np.where(is_in, point, np.nan), line, touched_m, inside_m)
    is_mapped = ~(shapely.is_missing(lines) | shapely.is_empty(lines))
    return Measured(event, point, np.where(is_mapped, np.nan_to_num(line), np.nan), touched_m, length_m)


def point_intensity(points: NDArray[np.object_], polygons: Polygons) -> tuple[Float, NDArray[np.bool_]]:
    """Give the largest intensity at each point (0 outside all polygons), and whether it is in one.

    Examples
    --------
    >>> both = Polygons(np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)]), np.array([0.5, 1.0]))
    >>> point_intensity(shapely.points([[0.5, 1], [1.5, 1], [5, 5]]), both)[0].tolist()
    [0.5, 1.0, 0.0]
    """
    value, is_in = np.full(len(points), -np.inf), np.zeros(len(points), bool)
    number, point = shapely.STRtree(points).query(polygons.geometry, predicate="intersects")
    np.maximum.at(value, point, polygons.intensity[number])
    is_in[point] = True
    return np.where(is_in, value, 0.0), is_in


def line_intensity(
    lines: NDArray[np.object_], polygons: Polygons, *, touched_from: float = 0.0
) -> tuple[Float, Float, Float]:
    """Give, for each line, the largest intensity that it meets and its metres inside and touched.

    The tree is built on the lines, which are many; a line that a polygon covers is not cut. The others are
    cut by `crossed` segment by segment, and what several polygons cover is counted once.

    Parameters
    ----------
    lines : (n,) object
        LineStrings and MultiLineStrings; None has no metre.
    polygons : Polygons
        In the same CRS.
    touched_from : float

    Returns
    -------
    intensity : (n,) float64
        NaN where no polygon holds any part of the line.
    inside_m, touched_m : (n,) float64
        Metres inside any polygon, and inside one whose intensity is above `touched_from`.

    Examples
    --------
    >>> both = Polygons(np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)]), np.array([0.5, 1.0]))
    >>> [part.tolist() for part in line_intensity(np.array([shapely.LineString([(0, 1), (9, 1)])]), both)]
    [[1.0], [3.0], [3.0]]
    """
    length_m = np.nan_to_num(shapely.length(lines))
    most = np.full(len(lines), np.nan)
    number, line = shapely.STRtree(lines).query(polygons.geometry, predicate="intersects")
    shapely.prepare(polygons.geometry)
    is_whole = shapely.covers(polygons.geometry[number], lines[line])
    np.fmax.at(most, line[is_whole], polygons.intensity[number[is_whole]])
    is_inside, is_touched = np.zeros(len(lines), bool), np.zeros(len(lines), bool)
    is_inside[line[is_whole]] = True
    is_touched[line[is_whole & (polygons.intensity[number] > touched_from)]] = True
    # a polygon that adds nothing to what a line already has whole is not cut
    cut = ~is_whole & ~(
        is_touched[line] & (polygons.intensity[number] <= np.nan_to_num(most[line], nan=-np.inf))
    )
    cut_line, cut_number = line[cut], number[cut]
    chosen, row = np.unique(cut_line, return_inverse=True)
    segments = segments_of(lines[chosen])
    pair, segment, begin, until = crossed(segments, row, polygons.geometry, cut_number, n_lines=len(chosen))
    np.fmax.at(most, cut_line[pair], polygons.intensity[cut_number[pair]])
    inside_m, touched_m = (np.where(whole, length_m, 0.0) for whole in (is_inside, is_touched))
    above = polygons.intensity[cut_number[pair]] > touched_from
    for metres, whole, taken in (
        (inside_m, is_inside, np.ones(len(pair), bool)),
        (touched_m, is_touched, above),
    ):
        part = _metres_once(segment[taken], begin[taken], until[taken], segments, len(chosen))
        metres[chosen] = np.where(whole[chosen], metres[chosen], part)
    return most, np.minimum(inside_m, length_m), np.minimum(touched_m, length_m)


def crossed(
    segments: Segments, line: Index, polygons: NDArray[np.object_], number: Index, *, n_lines: int
) -> tuple[Index, Index, Float, Float]:
    """Give the parts of segments inside polygons, for pairs of a line and a polygon.

    A segment is cut wherever it crosses a side, and a part is inside where its middle is: an odd number of
    sides lie on one side of it, or it is on the border.

    Parameters
    ----------
    segments : Segments
        Of the lines, in order.
    line, number : (n_pairs,) int64
        The line (as `segments` numbers it) and the polygon of each pair.
    polygons : (n,) object
        Single valid Polygons.
    n_lines : int

    Returns
    -------
    pair, segment : (n_parts,) int64
    begin, until : (n_parts,) float64
        Shares of the segment, 0 to 1.
    """
    used, polygon = np.unique(number, return_inverse=True)
    rings, of_polygon = shapely.get_rings(polygons[used], return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero(ring[1:] == ring[:-1])
    sides = np.column_stack([xy[start], xy[start + 1]])
    side_from = np.searchsorted(of_polygon[ring[start]], np.arange(len(used) + 1))
    ends = np.column_stack([segments.xy[segments.start], segments.xy[segments.start + 1]])
    segment_from = np.searchsorted(segments.line, np.arange(n_lines + 1))
    order = np.lexsort((line, polygon))
    pair, segment, begin, until = _parts_inside(
        order.astype(np.int64),
        line.astype(np.int64),
        polygon.astype(np.int64),
        ends,
        segment_from,
        sides,
        side_from,
    )
    return pair, segment, begin, until


@compiled
def _parts_inside(
    order: Index,
    line: Index,
    polygon: Index,
    ends: Float,
    segment_from: Index,
    sides: Float,
    side_from: Index,
) -> tuple[Index, Index, Float, Float]:
    room, n = 1024, 0
    numbers, shares = np.empty((room, 2), np.int64), np.empty((room, 2))
    for pair in order:
        around = sides[side_from[polygon[pair]] : side_from[polygon[pair] + 1]]
        for segment in range(segment_from[line[pair]], segment_from[line[pair] + 1]):
            at = _cuts(ends[segment], around)
            was_inside = False
            for piece in range(len(at) - 1):
                if not _is_inside(ends[segment], (at[piece] + at[piece + 1]) / 2, around):
                    was_inside = False
                elif was_inside:
                    shares[n - 1, 1] = at[piece + 1]
                else:
                    if n == room:
                        room *= 2
                        numbers, shares = _longer(numbers, room), _longer(shares, room)
                    numbers[n, 0], numbers[n, 1] = pair, segment
                    shares[n, 0], shares[n, 1] = at[piece], at[piece + 1]
                    n += 1
                    was_inside = True
    return numbers[:n, 0], numbers[:n, 1], shares[:n, 0], shares[:n, 1]


@compiled
def _cuts(segment: Float, sides: Float) -> Float:
    """Give the shares at which a segment meets sides, from 0 to 1; more of them than needed is no harm.

    Coordinates are taken from the segment's start: products of 7,000 km would cost digits.
    """
    dx, dy = segment[2] - segment[0], segment[3] - segment[1]
    square = dx * dx + dy * dy
    if square == 0.0:
        return np.empty(0)
    length = np.sqrt(square)
    slack = max(BORDER_M / length, 1e-15)
    low_x, high_x = min(dx, 0.0) - BORDER_M, max(dx, 0.0) + BORDER_M
    low_y, high_y = min(dy, 0.0) - BORDER_M, max(dy, 0.0) + BORDER_M
    cuts, n = np.empty(16), 1
    cuts[0] = 0.0
    for side in range(len(sides)):
        ax, ay = sides[side, 0] - segment[0], sides[side, 1] - segment[1]
        bx, by = sides[side, 2] - segment[0], sides[side, 3] - segment[1]
        is_beside = (ax < low_x and bx < low_x) or (ax > high_x and bx > high_x)
        if is_beside or (ay < low_y and by < low_y) or (ay > high_y and by > high_y):
            continue
        if n + 3 > len(cuts):
            wider = np.empty(2 * len(cuts))
            wider[:n] = cuts[:n]
            cuts = wider
        ex, ey = bx - ax, by - ay
        cross = dx * ey - dy * ex
        if cross != 0.0 and -1e-9 <= (ax * dy - ay * dx) / cross <= 1.0 + 1e-9:
            cuts[n] = (ax * ey - ay * ex) / cross
            n += 1
        if abs(dx * ay - dy * ax) <= BORDER_M * length:
            # a corner on the segment: where it may begin to run along the border
            cuts[n] = (dx * ax + dy * ay) / square
            n += 1
    cuts = np.sort(cuts[:n])
    kept = 1
    for cut in cuts[1:]:
        # parts shorter than the rounding of coordinates are none
        if cut - cuts[kept - 1] > slack * SLIVER and cut < 1.0 - slack * SLIVER:
            cuts[kept] = cut
            kept += 1
    out = np.empty(kept + 1)
    out[:kept], out[kept] = cuts[:kept], 1.0
    out[0] = 0.0
    return out


@compiled
def _is_inside(segment: Float, share: float, sides: Float) -> bool:
    """Tell whether the point at a share of a segment is inside closed rings, or on their border."""
    px = share * (segment[2] - segment[0])
    py = share * (segment[3] - segment[1])
    is_inside = False
    for side in range(len(sides)):
        ax, ay = sides[side, 0] - segment[0] - px, sides[side, 1] - segment[1] - py
        bx, by = sides[side, 2] - segment[0] - px, sides[side, 3] - segment[1] - py
        is_apart = (ay > BORDER_M and by > BORDER_M) or (ay < -BORDER_M and by < -BORDER_M)
        if is_apart or (ax < -BORDER_M and bx < -BORDER_M):
            continue
        ex, ey = bx - ax, by - ay
        if _is_near_origin(ax, ay, ex, ey):
            return True
        if (ay > 0.0) != (by > 0.0) and ax - ay * ex / ey > 0.0:
            is_inside = not is_inside
    return is_inside


@compiled
def _is_near_origin(ax: float, ay: float, ex: float, ey: float) -> bool:
    square = ex * ex + ey * ey
    if square == 0.0:
        return False
    nearest = min(1.0, max(0.0, -(ax * ex + ay * ey) / square))
    return (ax + nearest * ex) ** 2 + (ay + nearest * ey) ** 2 <= BORDER_M * BORDER_M


@compiled
def _longer(values: Array, room: int) -> Array:
    out = np.empty((room, values.shape[1]), values.dtype)
    out[: len(values)] = values
    return out


def _metres_once(segment: Index, begin: Float, until: Float, segments: Segments, n_lines: int) -> Float:
    """Give the metres of each line that parts cover, each metre once."""
    order = np.lexsort((until, begin, segment))
    return _covered(
        segment[order], begin[order], until[order], segments.line, segments.length_m, np.zeros(n_lines)
    )


@compiled
def _covered(
    segment: Index, begin: Float, until: Float, line: Index, length_m: Float, metres: Float
) -> Float:
    reached, last = 0.0, -1
    for part in range(len(segment)):
        if segment[part] != last:
            last, reached = segment[part], 0.0
        if until[part] > reached:
            metres[line[last]] += (until[part] - max(begin[part], reached)) * length_m[last]
            reached = until[part]
    return metres
