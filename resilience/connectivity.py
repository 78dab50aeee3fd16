"""The literature's indicators of a damaged network: connectivity loss and efficiency.

For whoever must compare with published studies. They know distances but no prises, splices or shared risks;
the SPOF table is what counts here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gracethd.errors import GraceTHDError

MAX_VERTICES = 5000
"""Efficiency needs the distance of every pair; memory is 8 bytes a pair."""


class Connectivity(NamedTuple):
    """Losses from 0 (none) to 1 (all).

    Attributes
    ----------
    complete : float
        Share of demands that no source reaches any more, of those that one reached.
    weighted : float
        Mean over these demands of 1 - w'/w, where w is the number of sources that reach it times the sum of
        1/distance to them, before and after.
    efficiency : float
        1 - E'/E, where E is the sum over ordered pairs of vertices of 1/distance (Latora and Marchiori 2001),
        failed vertices counting as out of reach.
    """

    complete: float
    weighted: float
    efficiency: float


def connectivity_loss(
    tail: NDArray[np.integer],
    head: NDArray[np.integer],
    length: NDArray[np.floating],
    *,
    sources: NDArray[np.integer],
    demands: NDArray[np.integer],
    failed: NDArray[np.bool_],
) -> Connectivity:
    """Compare a network before and after the failure of vertices.

    Definitions as in the infrastructure module of OpenQuake, whose published case it reproduces.

    Parameters
    ----------
    tail, head : (n_edges,) int
    length : (n_edges,) float
        Above 0; of parallel edges the shortest counts.
    sources, demands : (n,) int
        Vertices; a demand that is a source itself is not judged.
    failed : (n_vertices,) bool

    Raises
    ------
    GraceTHDError
        More than `MAX_VERTICES` vertices, or a length that is not above 0.

    Examples
    --------
    >>> line = np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0])
    >>> ends = {"sources": np.array([0]), "demands": np.array([2])}
    >>> connectivity_loss(*line, **ends, failed=np.array([False, True, False]))
    Connectivity(complete=1.0, weighted=1.0, efficiency=1.0)
    """
    n = len(failed)
    if n > MAX_VERTICES:
        raise GraceTHDError(f"{n} vertices: these indicators are for {MAX_VERTICES} or fewer, cut a part out")
    if len(length) and not (length > 0).all():
        raise GraceTHDError("lengths must be above 0: put vertices at one place together first")
    before = _nearness(tail, head, length, np.zeros(n, np.bool_))
    after = _nearness(tail, head, length, failed)
    judged = np.setdiff1d(demands, sources)
    weight, left = (
        (near[np.ix_(judged, sources)] > 0).sum(axis=1) * near[np.ix_(judged, sources)].sum(axis=1)
        for near in (before, after)
    )
    weight, left = weight[weight > 0], left[weight > 0]
    total = before.sum()
    return Connectivity(
        complete=float((left == 0).mean()) if len(weight) else 0.0,
        weighted=float((1 - left / weight).mean()) if len(weight) else 0.0,
        efficiency=float(1 - after.sum() / total) if total else 0.0,
    )


def _nearness(
    tail: NDArray[np.integer],
    head: NDArray[np.integer],
    length: NDArray[np.floating],
    failed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Give 1/distance of every ordered pair of vertices, 0 where there is no way, (n, n) float64."""
    n = len(failed)
    kept = ~(failed[tail] | failed[head]) & (tail != head)
    low, high = np.minimum(tail, head)[kept], np.maximum(tail, head)[kept]
    order = np.lexsort((length[kept], high, low))
    pairs = low[order].astype(np.int64) * n + high[order]
    first = order[np.concatenate([[True], np.diff(pairs) > 0])] if len(order) else order
    matrix = sparse.csr_array((length[kept][first], (low[first], high[first])), shape=(n, n))
    distance = csgraph.dijkstra(matrix, directed=False)
    near = np.zeros_like(distance)
    np.divide(1.0, distance, out=near, where=distance > 0)
    return near
