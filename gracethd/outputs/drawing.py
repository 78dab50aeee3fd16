"""Geometry as a map draws it: one kind for each object, and a point that stands for a line."""

import numpy as np
import shapely
from numpy.typing import NDArray

_BUILDERS = ((1, shapely.multilinestrings), (2, shapely.multipolygons), (0, shapely.multipoints))
_COLLECTION = 7


def one_kind(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give geometries with parts of one kind: of a collection the lines, else polygons, else points.

    Examples
    --------
    >>> mixed = shapely.from_wkt("GEOMETRYCOLLECTION (POINT (0 0), LINESTRING (0 0, 1 0))")
    >>> str(one_kind(np.array([mixed]))[0])
    'MULTILINESTRING ((0 0, 1 0))'
    """
    result = np.array(geometries, dtype=object)
    # collections are few: only séries that hold chambers and ways are
    for row in np.flatnonzero(shapely.get_type_id(result) == _COLLECTION):
        parts = shapely.get_parts(shapely.get_parts(result[row]))
        dimensions = shapely.get_dimensions(parts)
        for dimension, build in _BUILDERS:
            if (dimensions == dimension).any():
                result[row] = build(parts[dimensions == dimension])
                break
    return result


def standing_points(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give a point for each geometry: itself, half-way along the longest line, or inside the polygon.

    Examples
    --------
    >>> str(standing_points(np.array([shapely.LineString([(0, 0), (4, 0)])]))[0])
    'POINT (2 0)'
    """
    plain = one_kind(geometries)
    is_line = shapely.get_dimensions(plain) == 1
    points = np.full(len(plain), None, dtype=object)
    points[~is_line] = shapely.point_on_surface(plain[~is_line])
    lines, rows = shapely.get_parts(plain[is_line], return_index=True)
    order = np.lexsort((-shapely.length(lines), rows))  # stable: the first of equal lengths wins
    _, first = np.unique(rows[order], return_index=True)
    longest = lines[order][first]
    points[is_line] = shapely.line_interpolate_point(longest, 0.5, normalized=True)
    return points


def are_lines(geometries: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which geometries are drawn as lines."""
    return np.asarray(shapely.get_dimensions(one_kind(geometries)) == 1)
