"""Exact loss of every node and every cable alone, in one walk of the graph.

For whoever needs only these, at once: `resilience.losses` answers any set, ways and chambers included, but
builds an index first. The walk is that of Hopcroft and Tarjan (1973), depth first with low points, with sums
of subtrees carried along; edges are told apart by number, so that two parallel cables protect each other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled
from gracethd.service import ServiceGraph
from resilience.spanning import Int, Long


class SingleLosses(NamedTuple):
    """What is lost with each vertex and with each edge, (n_vertices,) and (n_edges,) int64."""

    vertex: Long
    edge: Long


def losses_of_nodes_and_cables(graph: ServiceGraph, weights: NDArray[np.integer]) -> SingleLosses:
    """Sum the weights that lose the root when one vertex, or one edge, fails.

    Parameters
    ----------
    graph : ServiceGraph
        Its assets do not matter.
    weights : (n_vertices,) int
        What is lost with each vertex.

    Returns
    -------
    SingleLosses
        Exact. 0 for the root, which cannot fail, and for what the root does not reach.

    Raises
    ------
    ValueError
        When the shape of `weights` or an end of an edge does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> none, one = np.empty(0, np.int32), np.zeros(1, np.int32)
    >>> seven = np.array([0, 7])
    >>> graph = ServiceGraph(2, 0, one, one + 1, one > 0, none, none, none, none, none, none, seven)
    >>> losses_of_nodes_and_cables(graph, graph.prises).edge
    array([7])
    """
    n = graph.n_vertices
    if weights.shape != (n,):
        raise ValueError(f"weights: shape {weights.shape} for {n} vertices")
    ends = np.concatenate([graph.tail, graph.head]) if len(graph.tail) else np.zeros(1, np.int32)
    if n < 1 or ends.min() < 0 or ends.max() >= n:
        raise ValueError(f"ServiceGraph: ends of edges must be in 0..{n - 1}")
    tail, head = np.ascontiguousarray(graph.tail, np.int32), np.ascontiguousarray(graph.head, np.int32)
    ptr, other, edge = adjacency(n, tail, head)
    return SingleLosses(*_walk(ptr, other, edge, np.ascontiguousarray(weights, np.int64), len(tail)))


@compiled
def adjacency(n: int, tail: Int, head: Int) -> tuple[Int, Int, Int]:
    """Give the edges around each vertex: offsets (n + 1,), other ends and edge numbers (2 n_edges,) int32.

    The edges of vertex v are ``edge[ptr[v]:ptr[v + 1]]``; parallel edges stay apart, self-loops come twice.
    """
    ptr = np.zeros(n + 1, np.int32)
    for e in range(len(tail)):
        ptr[tail[e] + 1] += 1
        ptr[head[e] + 1] += 1
    for v in range(n):
        ptr[v + 1] += ptr[v]
    cursor = ptr[:-1].copy()
    other, edge = np.empty(2 * len(tail), np.int32), np.empty(2 * len(tail), np.int32)
    for e in range(len(tail)):
        t, h = tail[e], head[e]
        other[cursor[t]], edge[cursor[t]] = h, e
        cursor[t] += 1
        other[cursor[h]], edge[cursor[h]] = t, e
        cursor[h] += 1
    return ptr, other, edge


@compiled
def _walk(ptr: Int, other: Int, edge: Int, weights: Long, n_edges: int) -> tuple[Long, Long]:
    n = len(ptr) - 1
    by_vertex, by_edge, below = np.zeros(n, np.int64), np.zeros(n_edges, np.int64), weights.copy()
    found, low, above = np.zeros(n, np.int32), np.zeros(n, np.int32), np.full(n, -1, np.int32)
    cursor, path = ptr[:-1].copy(), np.empty(n, np.int32)
    path[0], found[0], low[0] = 0, 1, 1
    time, length = 1, 1
    while length > 0:
        v = path[length - 1]
        if cursor[v] < ptr[v + 1]:
            w, e = other[cursor[v]], edge[cursor[v]]
            cursor[v] += 1
            if found[w] == 0:
                time += 1
                found[w], low[w], above[w] = time, time, e
                path[length] = w
                length += 1
            elif e != above[v]:
                low[v] = min(low[v], found[w])
        else:
            length -= 1
            if length > 0:
                u = path[length - 1]
                below[u] += below[v]
                low[u] = min(low[u], low[v])
                by_vertex[v] += weights[v]
                if low[v] >= found[u]:
                    by_vertex[u] += below[v]
                if low[v] > found[u]:
                    by_edge[above[v]] = below[v]
    by_vertex[0] = 0
    return by_vertex, by_edge
