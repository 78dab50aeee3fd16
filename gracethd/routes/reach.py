"""Reaching the vertices of a graph from its root, breadth first: how far, through whom, how surely."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled

UNREACHED = -1


@dataclass(frozen=True)
class Reach:
    """A breadth-first tree of a graph.

    Attributes
    ----------
    depth : (n_vertices,) int32
        Edges from the root, -1 where it cannot be reached.
    mark : (n_marks, n_vertices) int32
        For each set of marked vertices, the last one met on the tree path to each vertex, -1 none.
    unsure : (n_vertices,) bool
        The tree path runs through an ambiguous stretch of cable that another path avoids.
    """

    depth: NDArray[np.int32]
    mark: NDArray[np.int32]
    unsure: NDArray[np.bool_]


def reach(
    n_vertices: int,
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    marked: NDArray[np.bool_],
    unsure_edge: NDArray[np.bool_],
) -> Reach:
    """Search a graph breadth first from vertex 0; neighbours are taken in edge order, so ties are stable.

    Parameters
    ----------
    n_vertices : int
    tail, head : (n_edges,) int32
    marked : (n_marks, n_vertices) bool
    unsure_edge : (n_edges,) bool
        Edges that make a path unsure when they lie on a cycle.
    """
    near = np.concatenate([tail, head])
    far = np.concatenate([head, tail]).astype(np.int32)
    edge = np.tile(np.arange(len(tail), dtype=np.int32), 2)
    order = np.argsort(near, kind="stable")
    indptr = np.zeros(n_vertices + 1, np.int64)
    np.cumsum(np.bincount(near, minlength=n_vertices), out=indptr[1:])
    return Reach(*_search(indptr, far[order], edge[order], tail, head, marked, unsure_edge))


@compiled
def _search(
    indptr: NDArray[np.int64],
    far: NDArray[np.int32],
    edge: NDArray[np.int32],
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    marked: NDArray[np.bool_],
    unsure_edge: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    n = indptr.size - 1
    depth = np.full(n, -1, np.int32)
    parent = np.full(n, -1, np.int32)
    by = np.full(n, -1, np.int32)
    queue = np.empty(n, np.int32)
    depth[0], queue[0] = 0, 0
    size = 1
    at = 0
    while at < size:
        here = queue[at]
        at += 1
        for k in range(indptr[here], indptr[here + 1]):
            there = far[k]
            if depth[there] < 0:
                depth[there], parent[there], by[there] = depth[here] + 1, here, edge[k]
                queue[size] = there
                size += 1
    # a tree edge is a bridge when the labels of the non-tree edges that leave its subtree cancel out
    label = np.zeros(n, np.uint64)
    for e in range(tail.size):
        one, two = tail[e], head[e]
        if one != two and by[one] != e and by[two] != e and depth[one] >= 0:
            z = (np.uint64(e) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
            label[one] ^= z
            label[two] ^= z
    for i in range(size - 1, 0, -1):
        label[parent[queue[i]]] ^= label[queue[i]]
    mark = np.full((marked.shape[0], n), -1, np.int32)
    unsure = np.zeros(n, np.bool_)
    for i in range(size):
        here = queue[i]
        for m in range(marked.shape[0]):
            if marked[m, here]:
                mark[m, here] = here
            elif i > 0:
                mark[m, here] = mark[m, parent[here]]
        if i > 0:
            unsure[here] = unsure[parent[here]] or (unsure_edge[by[here]] and label[here] != 0)
    return depth, mark, unsure
