"""The routes by which prises that a state of failures cuts would be served again, and what each needs.

For `resilience.choice.sampled`. The spanning tree of the service graph falls into *pieces* where something
fails. Between pieces light passes again once what failed there is cured, through an edge outside the tree,
or through a second path that is built; so the ways of being served are the paths of a small graph of pieces,
each the set of cures that it needs. A piece that nothing can cure and nothing else joins is left out at once.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled
from gracethd.service import ServiceGraph
from resilience.losses import LOOSE, OPENS, REMOVES, Elements, LossIndex, Owned, index_graph, owned_elements
from resilience.spanning import Bool, Int, Long, nothing

NO_CURE = 0
"""Number of the cure of what no option cures."""
MOST_ROUTES = 4
"""Routes of a piece that are kept, those of fewest cures first: a ring with a second path has three."""
_FORK = 1 << 32
_NOBODY = -1


@dataclass(frozen=True)
class PieceIndex:
    """A service graph with every second path that could be built, ready to be cut into pieces.

    Attributes
    ----------
    index : LossIndex
        Of the graph without the new links, weighted by prises.
    owned : Owned
        Elements of each asset, the new links included.
    elements : Elements
    half : tuple of (n,) int32
        Edges outside the tree, the new links included, by position: pointers, own position, other, edge.
    asked_ptr, asked : (n_edges + 1,), (asked_ptr[-1],) int32
        Cures that each edge asks for even where nothing fails: those of second paths, and of first paths
        that a room leaves for them.
    """

    index: LossIndex
    owned: Owned
    elements: Elements
    half: tuple[Int, Int, Int, Int]
    asked_ptr: Int
    asked: Int


class Needs(NamedTuple):
    """Prises that are down in a state unless one of their routes works, in compressed rows.

    Attributes
    ----------
    state : (n_needs,) int64
    prises : (n_needs,) int64
    route_ptr : (n_needs + 1,) int64
    cure_ptr : (n_routes + 1,) int64
    cure : (cure_ptr[-1],) int64
        Cures that each route needs, rising, all of them.
    """

    state: Long
    prises: Long
    route_ptr: Long
    cure_ptr: Long
    cure: Long


def index_pieces(graph: ServiceGraph, conditions: Sequence[Sequence[int]]) -> PieceIndex:
    """Walk the graph once.

    Parameters
    ----------
    graph : ServiceGraph
        Its last ``len(conditions)`` edges are not there today, as `with_possible_paths` lays them.
    conditions : sequence of sequences of int
        Cures that each of them asks for.
    """
    n_standing = len(graph.tail) - len(conditions)
    index = index_graph(_without_links(graph, n_standing), graph.prises[:, None])
    position = index.tree.position
    tail, head = position[graph.tail[n_standing:]], position[graph.head[n_standing:]]
    joins = (tail >= 0) & (head >= 0) & (tail != head)
    edge = (n_standing + np.flatnonzero(joins)).astype(np.int32)
    tree = index.tree
    at = np.concatenate([tree.half_at, tail[joins], head[joins]])
    to = np.concatenate([tree.half_to, head[joins], tail[joins]])
    every = np.concatenate([tree.half_edge, edge, edge])
    order = np.lexsort((every, to, at))
    ptr = np.searchsorted(at[order], np.arange(len(tree.end) + 1)).astype(np.int32)
    return PieceIndex(
        index=index,
        owned=owned_elements(graph),
        elements=index.exact.with_edges(joins),
        half=(ptr, at[order].astype(np.int32), to[order].astype(np.int32), every[order].astype(np.int32)),
        asked_ptr=np.concatenate(
            [np.zeros(n_standing + 1), np.cumsum([len(asked) for asked in conditions])]
        ).astype(np.int32),
        asked=np.array([cure for asked in conditions for cure in asked], np.int32),
    )


def routes_of_states(
    pieces: PieceIndex, indptr: NDArray[np.integer], assets: NDArray[np.integer], cures: NDArray[np.integer]
) -> Needs:
    """Give what is cut in each state and can be served again, with the routes that would do it.

    Parameters
    ----------
    pieces : PieceIndex
    indptr : (n_states + 1,) int
        State i fails ``assets[indptr[i]:indptr[i + 1]]``; an asset may come twice, with several cures.
    assets : (indptr[-1],) int
    cures : (indptr[-1],) int
        What makes each of them work again; `NO_CURE` = nothing.

    Returns
    -------
    Needs
        A need whose route has no cure is always served, and is left out; so is one without a route.
    """
    sets = np.ascontiguousarray(indptr, np.int64)
    members = np.ascontiguousarray(assets, np.int32)
    tree, owned = pieces.index.tree, pieces.owned
    sizes = np.concatenate([[0], np.cumsum(np.diff(owned.ptr)[members])])
    n_keys = 2 * len(tree.end) + len(pieces.asked_ptr) - 1
    most = int(np.diff(sizes[sets]).max(initial=0))
    return Needs(
        *_routes(
            (sets, pieces.index.prefix[:, 0].copy()),
            (members, np.ascontiguousarray(cures, np.int32), *owned, *pieces.elements[:2]),
            (tree.end, tree.parent, tree.child_ptr, tree.child),
            pieces.half,
            (pieces.asked_ptr, pieces.asked),
            (
                np.empty(n_keys, np.int64),
                np.full(n_keys, _NOBODY),
                np.empty(most, np.int64),
                np.empty(most, np.int64),
            ),
            MOST_ROUTES,
        )
    )


def _without_links(graph: ServiceGraph, n_edges: int) -> ServiceGraph:
    stands = graph.edge_of < n_edges
    return replace(
        graph,
        tail=graph.tail[:n_edges],
        head=graph.head[:n_edges],
        ambiguous=graph.ambiguous[:n_edges],
        edge_asset=graph.edge_asset[stands],
        edge_of=graph.edge_of[stands],
    )


# What the kernels share, as plain tuples (see `resilience.losses`):
# Failing: members, cures, pointers and elements of assets, kind and start of elements.
# Marks: for each element, the first of its cures in a chain and the state that it was written in; the chain,
#   and the cures along it. Elements are the edge above each position, each position, and each edge.
# Edges: ends of the edges of the graph of pieces, and where the cures of each end in a pool.
Failing = tuple[Int, Int, Int, Int, Int, Int]
Forest = tuple[Int, Int, Int, Int]
Marks = tuple[Long, Long, Long, Long]
Edges = tuple[list[int], list[int], list[int], list[int]]
Ways = tuple[list[int], list[int], list[int], Long]


@compiled
def _routes(
    longs: tuple[Long, Long],
    failing: Failing,
    forest: Forest,
    half: Forest,
    asked: tuple[Int, Int],
    marks: Marks,
    most: int,
) -> tuple[Long, Long, Long, Long, Long]:
    sets, prefix = longs
    end = forest[0]
    state, prises = nothing(), nothing()
    route_ptr, cure_ptr = nothing(), nothing()
    route_ptr.append(0)
    cure_ptr.append(0)
    cure = nothing()
    for s in range(len(sets) - 1):
        touched = _marked(s, sets, failing, marks, len(end))
        if len(touched) == 0:
            continue  # edges outside the tree fail alone: nobody loses light
        root, lost = _pieces(s, touched, marks, forest, half[0])
        if lost[1:].all():
            continue
        outer, own = _enclosing(root, end, prefix)
        edges = _crossings(s, (root, outer), lost, marks, forest[1])
        _around(s, (root, outer), lost, marks, (end, *half), asked, edges)
        ways = _ways(len(root), edges, most)
        _write(s, own, ways, (state, prises, route_ptr, cure_ptr, cure))
    return np.array(state), np.array(prises), np.array(route_ptr), np.array(cure_ptr), np.array(cure)


@compiled
def _marked(s: int, sets: Long, failing: Failing, marks: Marks, n: int) -> Long:
    """Note the cures of every element that fails; give the positions that are touched, rising."""
    members, cures, ptr, element, kind, start = failing
    slot, slot_set, chain, chain_cure = marks
    n_vertices, size = len(kind) - (len(slot) - 2 * n), 0
    touched = nothing()
    for m in range(sets[s], sets[s + 1]):
        for i in range(ptr[members[m]], ptr[members[m] + 1]):
            e = element[i]
            key = int(2 * n + e - n_vertices)
            if kind[e] == OPENS:
                key = int(start[e])
            elif kind[e] == REMOVES:
                key = int(n + start[e])
            elif kind[e] != LOOSE:
                continue
            if slot_set[key] != s:
                slot_set[key], slot[key] = s, -1
                if key < 2 * n and slot_set[(key + n) % (2 * n)] != s:
                    touched.append(key % n)
            chain[size], chain_cure[size], slot[key] = slot[key], cures[m], size
            size += 1
    found = np.array(touched)
    found.sort()
    return found


@compiled
def _pieces(s: int, touched: Long, marks: Marks, forest: Forest, half_ptr: Int) -> tuple[Long, Bool]:
    """Give the root position of each piece, rising, the root's first, and whether it is lost for good."""
    end, _, child_ptr, child = forest
    n = len(end)
    root, dead = nothing(), nothing()
    root.append(0)
    skip = 0
    for p in touched:
        if p < skip:
            continue
        root.append(p)
        if half_ptr[end[p]] == half_ptr[p] and (_is_dead(s, p, marks) or _is_dead(s, n + p, marks)):
            dead.append(p)
            skip = int(end[p])
        elif marks[1][n + p] == s:
            for j in range(child_ptr[p], child_ptr[p + 1]):
                c = int(child[j])
                if marks[1][c] != s and marks[1][n + c] != s:
                    root.append(c)
    roots = np.array(root)
    roots.sort()
    lost = np.zeros(len(roots), np.bool_)
    for p in dead:
        lost[np.searchsorted(roots, p)] = True
    return roots, lost


@compiled
def _is_dead(s: int, key: int, marks: Marks) -> bool:
    """Tell whether something that nothing cures fails there."""
    slot, slot_set, chain, chain_cure = marks
    if slot_set[key] == s:
        i = slot[key]
        while i >= 0:
            if chain_cure[i] == NO_CURE:
                return True
            i = chain[i]
    return False


@compiled
def _enclosing(root: Long, end: Int, prefix: Long) -> tuple[Long, Long]:
    """Give the piece around each piece, and its own prises."""
    n = len(root)
    outer, own, stack = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n + 1, np.int64)
    depth = 0
    for i in range(1, n):
        while depth > 0 and end[root[stack[depth]]] <= root[i]:
            depth -= 1
        outer[i] = stack[depth]
        depth += 1
        stack[depth] = i
        weight = prefix[end[root[i]]] - prefix[root[i]]
        own[i] += weight
        own[outer[i]] -= weight
    return outer, own


@compiled
def _crossings(s: int, pieces: tuple[Long, Long], lost: Bool, marks: Marks, parent: Int) -> Edges:
    """Join each piece to the one around it, by what failed on the tree between them."""
    root, outer = pieces
    n = len(parent)
    tail, head = nothing(), nothing()
    last, pool = nothing(), nothing()
    last.append(0)
    edges = (tail, head, last, pool)
    for i in range(1, len(root)):
        if not lost[i]:
            found = nothing()
            _list_cures(s, int(root[i]), marks, found)
            _list_cures(s, int(n + root[i]), marks, found)
            _list_cures(s, int(n + parent[root[i]]), marks, found)
            _add_edge(outer[i], i, found, edges)
    return edges


@compiled
def _around(
    s: int, pieces: tuple[Long, Long], lost: Bool, marks: Marks, half: tuple[Int, Int, Int, Int, Int],
    asked: tuple[Int, Int], edges: Edges,
) -> None:  # fmt: skip
    """Join pieces by the edges outside the tree that stand, could be cured, or could be built."""
    root, outer = pieces
    end, half_ptr, half_at, half_to, half_edge = half
    n = len(end)
    for i in range(1, len(root)):
        if lost[i] or outer[i] != 0:
            continue
        for h in range(half_ptr[root[i]], half_ptr[end[root[i]]]):
            a, b = _piece_of(half_at[h], pieces, end), _piece_of(half_to[h], pieces, end)
            if a == b or (b > 0 and half_at[h] > half_to[h]):
                continue
            e, found = half_edge[h], nothing()
            _list_cures(s, int(2 * n + e), marks, found)
            _list_cures(s, int(n + half_at[h]), marks, found)
            _list_cures(s, int(n + half_to[h]), marks, found)
            for k in range(asked[0][e], asked[0][e + 1]):
                found.append(int(asked[1][k]))
            _add_edge(a, b, found, edges)


@compiled
def _list_cures(s: int, key: int, marks: Marks, found: list[int]) -> None:
    slot, slot_set, chain, chain_cure = marks
    if slot_set[key] == s:
        i = slot[key]
        while i >= 0:
            found.append(chain_cure[i])
            i = chain[i]


@compiled
def _add_edge(a: int, b: int, found: list[int], edges: Edges) -> None:
    """Add an edge with the set of its cures, unless something on it has none."""
    tail, head, last, pool = edges
    found.sort()
    if len(found) > 0 and found[0] == NO_CURE:
        return
    for i in range(len(found)):
        if i == 0 or found[i] != found[i - 1]:
            pool.append(found[i])
    tail.append(a)
    head.append(b)
    last.append(len(pool))


@compiled
def _piece_of(p: int, pieces: tuple[Long, Long], end: Int) -> int:
    root, outer = pieces
    i = np.searchsorted(root, p, side="right") - 1
    while i > 0 and end[root[i]] <= p:
        i = outer[i]
    return int(i)


@compiled
def _ways(n: int, edges: Edges, most: int) -> Ways:
    """Find the ways of reaching each piece from the root's, those of fewest cures first.

    A way is kept unless one that is kept needs no cure that it does not need.
    """
    tail, head, last, pool = edges
    at, around = _adjacent(n, tail, head)
    # ways as labels: piece, and the set of cures ``pool[begin[w]:stop[w]]``
    piece, begin, stop, heap = nothing(), nothing(), nothing(), nothing()
    piece.append(0)
    begin.append(len(pool))
    stop.append(len(pool))
    heap.append(0)
    kept, n_kept = np.full((n, most), _NOBODY), np.zeros(n, np.int64)
    while len(heap) > 0:
        way = heapq.heappop(heap) & (_FORK - 1)
        here = piece[way]
        if n_kept[here] == most or _is_dominated(way, kept[here], begin, stop, pool):
            continue
        kept[here, n_kept[here]] = way
        n_kept[here] += 1
        for j in range(at[here], at[here + 1]):
            edge = around[j]
            there = head[edge] if tail[edge] == here else tail[edge]
            if there == 0 or n_kept[there] == most:
                continue
            begin.append(len(pool))
            _unite(begin[way], stop[way], last[edge], last[edge + 1], pool)
            stop.append(len(pool))
            piece.append(there)
            heapq.heappush(heap, (stop[-1] - begin[-1]) * _FORK + len(piece) - 1)
    return begin, stop, pool, kept.ravel()


@compiled
def _adjacent(n: int, tail: list[int], head: list[int]) -> tuple[Long, Long]:
    """Give the edges at each piece, in compressed rows."""
    at = np.zeros(n + 1, np.int64)
    for j in range(len(tail)):
        at[tail[j] + 1] += 1
        at[head[j] + 1] += 1
    at = np.cumsum(at)
    place, around = at[:-1].copy(), np.empty(2 * len(tail), np.int64)
    for j in range(len(tail)):
        for p in (tail[j], head[j]):
            around[place[p]] = j
            place[p] += 1
    return at, around


@compiled
def _unite(i: int, i_stop: int, j: int, j_stop: int, pool: list[int]) -> None:
    """Append the union of two sets of the pool to it."""
    while i < i_stop or j < j_stop:
        if j == j_stop or (i < i_stop and pool[i] < pool[j]):
            pool.append(pool[i])
            i += 1
        else:
            if i < i_stop and pool[i] == pool[j]:
                i += 1
            pool.append(pool[j])
            j += 1


@compiled
def _is_dominated(way: int, kept: Long, begin: list[int], stop: list[int], pool: list[int]) -> bool:
    """Tell whether a way that is kept needs no cure that this one does not need."""
    for other in kept:
        if other == _NOBODY:
            return False
        j = begin[other]
        for i in range(begin[way], stop[way]):
            if j < stop[other] and pool[i] == pool[j]:
                j += 1
        if j == stop[other]:
            return True
    return False


@compiled
def _write(
    s: int, own: Long, ways: Ways, out: tuple[list[int], list[int], list[int], list[int], list[int]]
) -> None:
    """Write the pieces that hold prises and are not served whatever happens."""
    begin, stop, pool, kept = ways
    state, prises, route_ptr, cure_ptr, cure = out
    most = len(kept) // len(own)
    for i in range(1, len(own)):
        first = kept[i * most]
        if own[i] <= 0 or first == _NOBODY or begin[first] == stop[first]:
            continue
        state.append(s)
        prises.append(own[i])
        for k in range(i * most, (i + 1) * most):
            if kept[k] != _NOBODY:
                for j in range(begin[kept[k]], stop[kept[k]]):
                    cure.append(pool[j])
                cure_ptr.append(len(cure))
        route_ptr.append(len(cure_ptr) - 1)
