"""A spanning tree of the service graph in which every subtree and every block is one interval.

For `resilience.losses`. The tree is breadth-first from the root. Vertices are numbered by *position*, in
preorder, children of one vertex grouped by biconnected block. Two things then become intervals of positions:

- a subtree: ``[p, end[p])``, what loses its tree path when the vertex or the edge above it is removed;
- the region of a block: every vertex in or below it, seen from the root.

The edges outside the tree (their number is that of independent cycles, small in a fibre network) are kept as
half-edges sorted by position, so that those leaving an interval are found without walking the graph.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled
from gracethd.service import ServiceGraph

Int = NDArray[np.int32]
Long = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class SpanningTree:
    """The tree, by position; n is the number of vertices that the root reaches.

    Attributes
    ----------
    position : (n_vertices,) int32
        Position of each vertex, -1 where the root does not reach it.
    end, parent, depth : (n,) int32
        End of the subtree, position of the parent (-1 for the root), number of edges to the root.
    child_ptr, child : (n + 1,), (n - 1,) int32
        Children of each position, ascending.
    half_ptr, half_at, half_to, half_edge : int32
        Half-edges outside the tree, by position: own position, other position, edge.
    edge_child : (n_edges,) int32
        Position below a tree edge; -1 for an edge outside the tree, -2 for one that joins nothing (a
        self-loop, or an edge between vertices that are not reached).
    edge_block : (n_edges,) int32
        Block of each edge, -1 where `edge_child` is -2.
    vertex_block : (n_vertices,) int32
        The block by which a vertex is reached; -1 for the root and for vertices that are not reached.
    block_start, block_end : (n_blocks,) int32
        Region of each block.
    block_size : (n_blocks,) int32
        Number of edges of each block; 1 = a bridge.
    """

    position: Int
    end: Int
    parent: Int
    depth: Int
    child_ptr: Int
    child: Int
    half_ptr: Int
    half_at: Int
    half_to: Int
    half_edge: Int
    edge_child: Int
    edge_block: Int
    vertex_block: Int
    block_start: Int
    block_end: Int
    block_size: Int


@compiled
def nothing() -> list[int]:
    """Give an empty list of whole numbers, which a compiler cannot tell from any other empty list."""
    return [0 for _ in range(0)]


def span(graph: ServiceGraph) -> SpanningTree:
    """Build the spanning tree of what the root reaches, in time linear in the graph (but for two sorts).

    The result does not depend on the order of `tail` and `head` within an edge; positions depend on the
    order of edges, losses do not.
    """
    n_vertices = graph.n_vertices
    tail, head = graph.tail.astype(np.int32), graph.head.astype(np.int32)
    ptr, half = grouped(np.concatenate([tail, head]), n_vertices)
    edge = (half % max(len(tail), 1)).astype(np.int32)
    other = np.concatenate([head, tail])[half]
    edge_block, n_blocks = _blocks(n_vertices, ptr, other, edge, len(tail))
    queue, rank, above, tree_edge, depth = _breadth_first(n_vertices, ptr, other, edge)
    vertex_block = np.full(n_vertices, -1, np.int32)
    vertex_block[queue[1:]] = edge_block[tree_edge[queue[1:]]]
    # siblings by block: the key puts each parent before its children, and each block's children together
    key = rank[above[queue[1:]]].astype(np.int64) * (n_blocks + 1) + vertex_block[queue[1:]]
    order = np.concatenate([queue[:1], queue[1:][np.argsort(key, kind="stable")]])
    position, end = _preorder(order, queue, above, n_vertices)
    at = np.empty(len(queue), np.int32)
    at[position[queue]] = queue
    parent = np.where(above[at] >= 0, position[above[at]], -1).astype(np.int32)
    child_ptr, child = grouped(parent[1:], len(queue))
    edge_child = np.where((position[tail] >= 0) & (tail != head), -1, -2).astype(np.int32)
    edge_child[tree_edge[at[1:]]] = np.arange(1, len(queue), dtype=np.int32)
    loose = np.flatnonzero(edge_child == -1).astype(np.int32)
    own = np.concatenate([position[tail[loose]], position[head[loose]]])
    half_ptr, half = grouped(own, len(queue))
    block_start, block_end = _regions(vertex_block[at], end, n_blocks)
    return SpanningTree(
        position=position,
        end=end,
        parent=parent,
        depth=depth[at],
        child_ptr=child_ptr,
        child=child + np.int32(1),
        half_ptr=half_ptr,
        half_at=own[half],
        half_to=np.concatenate([position[head[loose]], position[tail[loose]]])[half],
        half_edge=np.concatenate([loose, loose])[half],
        edge_child=edge_child,
        edge_block=edge_block,
        vertex_block=vertex_block,
        block_start=block_start,
        block_end=block_end,
        block_size=np.bincount(edge_block[edge_block >= 0], minlength=n_blocks).astype(np.int32),
    )


def grouped(keys: NDArray[np.integer], n: int) -> tuple[Int, Int]:
    """Give the indices of `keys` grouped by value (stable), as offsets (n + 1,) and indices.

    Keys are in 0..n-1.
    """
    return _grouped(np.ascontiguousarray(keys, dtype=np.int32), n)


@compiled
def _grouped(keys: Int, n: int) -> tuple[Int, Int]:
    ptr = np.zeros(n + 1, np.int32)
    for key in keys:
        ptr[key + 1] += 1
    for i in range(n):
        ptr[i + 1] += ptr[i]
    cursor = ptr[:-1].copy()
    order = np.empty(len(keys), np.int32)
    for i in range(len(keys)):
        order[cursor[keys[i]]] = i
        cursor[keys[i]] += 1
    return ptr, order


@compiled
def _breadth_first(n: int, ptr: Int, other: Int, edge: Int) -> tuple[Int, Int, Int, Int, Int]:
    """Give the queue, each vertex's rank in it, its parent, the edge to it and its depth."""
    queue, rank = np.empty(n, np.int32), np.full(n, -1, np.int32)
    above, tree_edge, depth = np.full(n, -1, np.int32), np.full(n, -1, np.int32), np.zeros(n, np.int32)
    queue[0], rank[0], size, i = 0, 0, 1, 0
    while i < size:
        v = queue[i]
        for h in range(ptr[v], ptr[v + 1]):
            w = other[h]
            if rank[w] < 0:
                rank[w], above[w], tree_edge[w], depth[w] = size, v, edge[h], depth[v] + 1
                queue[size] = w
                size += 1
        i += 1
    return queue[:size].copy(), rank, above, tree_edge, depth


@compiled
def _preorder(order: Int, queue: Int, above: Int, n: int) -> tuple[Int, Int]:
    """Give positions in preorder, siblings in the order of `order`, and the end of each subtree."""
    size = np.ones(n, np.int32)
    for i in range(len(queue) - 1, 0, -1):
        size[above[queue[i]]] += size[queue[i]]
    position, cursor = np.full(n, -1, np.int32), np.zeros(n, np.int32)
    end = np.empty(len(queue), np.int32)
    for i in range(len(order)):
        v = order[i]
        p = 0 if i == 0 else cursor[above[v]]
        if i > 0:
            cursor[above[v]] += size[v]
        position[v], cursor[v], end[p] = p, p + 1, p + size[v]
    return position, end


@compiled
def _regions(block: Int, end: Int, n_blocks: int) -> tuple[Int, Int]:
    """Give the interval of positions reached through each block."""
    start, stop = np.full(n_blocks, len(end), np.int32), np.zeros(n_blocks, np.int32)
    for p in range(1, len(end)):
        b = block[p]
        start[b] = min(start[b], p)
        stop[b] = max(stop[b], end[p])
    return start, stop


@compiled
def _blocks(n: int, ptr: Int, other: Int, edge: Int, n_edges: int) -> tuple[Int, int]:
    """Give the biconnected block of each edge, and the number of blocks (Hopcroft and Tarjan 1973).

    Only what the root reaches, and -1 for self-loops. Iterative; edges are told apart by their number, so
    that two parallel edges make a block of two.
    """
    block, found = np.full(n_edges, -1, np.int32), np.zeros(n, np.int32)
    low, above, cursor = np.zeros(n, np.int32), np.full(n, -1, np.int32), ptr[:-1].copy()
    path, pending = np.empty(n, np.int32), np.empty(n_edges, np.int32)
    pushed = np.zeros(n, np.int32)
    path[0], found[0], low[0] = 0, 1, 1
    time, length, waiting, n_blocks = 1, 1, 0, 0
    while length > 0:
        v = path[length - 1]
        if cursor[v] < ptr[v + 1]:
            w, e = other[cursor[v]], edge[cursor[v]]
            cursor[v] += 1
            if e == above[v] or w == v:
                continue
            if found[w] == 0:
                time += 1
                found[w], low[w], above[w], pushed[w] = time, time, e, waiting
                pending[waiting] = e
                waiting += 1
                path[length] = w
                length += 1
            elif found[w] < found[v]:
                pending[waiting] = e
                waiting += 1
                low[v] = min(low[v], found[w])
        else:
            length -= 1
            if length > 0:
                u = path[length - 1]
                low[u] = min(low[u], low[v])
                if low[v] >= found[u]:
                    for i in range(pushed[v], waiting):
                        block[pending[i]] = n_blocks
                    waiting = pushed[v]
                    n_blocks += 1
    return block, n_blocks
