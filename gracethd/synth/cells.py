"""Invented limits: the land nearest to what each zone holds, without gap or overlap."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gracethd.synth.roads import Floats, Ints


def dissolve_cells(xy: Floats, label: Ints, outline: BaseGeometry) -> list[shapely.MultiPolygon]:
    """Give, for each label from 0 up, the part of `outline` that is nearest to its points.

    Parameters
    ----------
    xy : (n, 2)
        Of points at one place the first counts.
    label : (n,) int
        Every label from 0 to the largest one occurs, at a place of its own.
    outline : Polygon

    Returns
    -------
    list of MultiPolygon
        Voronoi cells dissolved by label, which cover the outline exactly once.
    """
    n = int(label.max()) + 1
    if n == 1:
        return [polygons(outline)]
    first = np.sort(np.unique(xy, axis=0, return_index=True)[1])
    xy, label = xy[first], label[first]
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(xy), extend_to=outline, ordered=True)
    )
    shapely.prepare(outline)
    within = shapely.contains_properly(outline, cells)
    cells = np.where(within, cells, shapely.intersection(cells, outline))
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(n + 1))
    return [polygons(shapely.union_all(cells[order[bounds[k] : bounds[k + 1]]])) for k in range(n)]


def polygons(shape: BaseGeometry) -> shapely.MultiPolygon:
    """Give the polygons of a shape: clipping leaves a line or a point where limits only touch."""
    parts = shapely.get_parts(shape)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])
