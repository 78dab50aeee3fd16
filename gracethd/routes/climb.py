"""Climbing from vertices to the root of a graph, by the tree of `gracethd.routes.reach`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled

NONE = -1


@dataclass(frozen=True)
class Climbs:
    """Paths upward, one per start.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Slices of `vertex` and `edge`.
    vertex : vertices met, the start first; the last is where the climb stopped.
    edge : edge from each vertex to the next; -1 after the last.
    """

    indptr: NDArray[np.int64]
    vertex: NDArray[np.int32]
    edge: NDArray[np.int32]

    def last(self) -> NDArray[np.int32]:
        """Give where each climb stopped."""
        return self.vertex[self.indptr[1:] - 1]


def grow_tree(
    n_vertices: int, tail: NDArray[np.int32], head: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give the parent of each vertex and the edge to it in the breadth-first tree of vertex 0, -1 none.

    Neighbours are taken in edge order, as `gracethd.routes.reach.reach` does: it is the same tree.
    """
    near = np.concatenate([tail, head])
    far = np.concatenate([head, tail]).astype(np.int32)
    edge = np.tile(np.arange(len(tail), dtype=np.int32), 2)
    order = np.argsort(near, kind="stable")
    indptr = np.zeros(n_vertices + 1, np.int64)
    np.cumsum(np.bincount(near, minlength=n_vertices), out=indptr[1:])
    return _grow(indptr, far[order], edge[order])


def climb(
    tree: tuple[NDArray[np.int32], NDArray[np.int32]],
    starts: NDArray[np.integer],
    stops: NDArray[np.bool_],
) -> Climbs:
    """Climb from each start to the first vertex where `stops` is true; vertex 0 is always one.

    Parameters
    ----------
    tree : parents and edges, from `grow_tree`
    starts : (n,) int
        Vertices of the tree.
    stops : (n_vertices,) bool
    """
    ends = stops.copy()
    ends[0] = True
    size = _heights(starts.astype(np.int64), tree[0], ends)
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    return Climbs(indptr, *_climb(starts.astype(np.int64), indptr, *tree))


def slices(first: NDArray[np.int64], size: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lay slices end to end: the slice that each place belongs to, and what it is in the whole.

    Examples
    --------
    >>> owner, at = slices(np.array([5, 0]), np.array([2, 1]))
    >>> owner.tolist(), at.tolist()
    ([0, 0, 1], [5, 6, 0])
    """
    owner = np.repeat(np.arange(len(size)), size)
    return owner, np.arange(len(owner)) + np.repeat(first - (np.cumsum(size) - size), size)


@compiled
def _grow(
    indptr: NDArray[np.int64], far: NDArray[np.int32], edge: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    n = indptr.size - 1
    parent = np.full(n, -1, np.int32)
    by = np.full(n, -1, np.int32)
    seen = np.zeros(n, np.bool_)
    queue = np.empty(n, np.int32)
    queue[0], seen[0] = 0, True
    size, at = 1, 0
    while at < size:
        here = queue[at]
        at += 1
        for k in range(indptr[here], indptr[here + 1]):
            there = far[k]
            if not seen[there]:
                seen[there] = True
                parent[there], by[there] = here, edge[k]
                queue[size] = there
                size += 1
    return parent, by


@compiled
def _heights(
    starts: NDArray[np.int64], parent: NDArray[np.int32], ends: NDArray[np.bool_]
) -> NDArray[np.int64]:
    size = np.ones(starts.size, np.int64)
    for i in range(starts.size):
        here = starts[i]
        while not ends[here] and parent[here] >= 0:
            here = np.int64(parent[here])
            size[i] += 1
    return size


@compiled
def _climb(
    starts: NDArray[np.int64],
    indptr: NDArray[np.int64],
    parent: NDArray[np.int32],
    by: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    vertex = np.empty(indptr[-1], np.int32)
    edge = np.full(indptr[-1], -1, np.int32)
    for i in range(starts.size):
        here = starts[i]
        for k in range(indptr[i], indptr[i + 1]):
            vertex[k] = here
            if k + 1 < indptr[i + 1]:
                edge[k] = by[here]
                here = np.int64(parent[here])
    return vertex, edge
