"""Exact losses: the prises cut when assets fail, for each asset alone, each group and each drawn set.

For the SPOF table, the event losses and the choice of works. The graph is walked once, into a spanning tree
in which every subtree is one interval (`resilience.spanning`). A set of failures then cuts a few intervals
off the tree; only edges outside the tree that leave these intervals may hold parts of them back, so the
search stays among those: a set costs its own elements and the cycles below them, never a walk of the network.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled
from gracethd.service import ServiceGraph
from resilience.spanning import Bool, Int, Long, SpanningTree, grouped, span

Ints = tuple[Int, ...]
Longs = tuple[Long, ...]
Floats = NDArray[np.float64]
# What the failure of an element (a vertex, else an edge) does to the spanning tree.
_NOTHING, OPENS, REMOVES, _FORCES, LOOSE = -1, 0, 1, 2, 3
_NO_LOG: Long = np.empty((0, 4), np.int64)
_NO_WEIGHTS: tuple[Floats, Floats] = (np.empty((0, 1)), np.empty((0, 1)))
_FEW_KEYS = 24  # sorted by insertion: most assets own a few elements
_HASH_SEEDS = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)  # odd constants of Weyl sequences (Steele et al. 2014)


class Elements(NamedTuple):
    """What each vertex and each edge cuts off the tree when it fails; vertices first, then edges.

    Attributes
    ----------
    kind : (n_vertices + n_edges,) int32
        Nothing; opens the edge above `start`; removes the vertex at `start`; forces the whole interval out,
        whatever joins it elsewhere; is an edge outside the tree.
    start, end : int32
        The interval of positions.
    """

    kind: Int
    start: Int
    end: Int

    def with_edges(self, loose: Bool) -> "Elements":
        """Give the elements with more edges, each outside the tree (`loose`) or joining nothing."""
        none = np.zeros(len(loose), np.int32)
        kind = np.where(loose, LOOSE, _NOTHING).astype(np.int32)
        return Elements(
            np.concatenate([self.kind, kind]),
            np.concatenate([self.start, none]),
            np.concatenate([self.end, none]),
        )


class Owned(NamedTuple):
    """Elements of each asset: those of asset a are ``element[ptr[a]:ptr[a + 1]]``."""

    ptr: Int
    element: Int


@dataclass(frozen=True)
class LossIndex:
    """A service graph walked once, ready to answer any set of failures.

    Attributes
    ----------
    n_vertices, n_assets, n_edges : int
    tree : SpanningTree
    exact : Elements
        For the exact loss.
    unsure : (n_blocks,) bool
        Blocks of the tree where data do not tell which path is lit.
    owned, possible : Owned
        Elements of each asset, without and with its possible vertices (D9).
    prefix : (n + 1, k) int64
        Sums of weights before each position.
    """

    n_vertices: int
    n_assets: int
    n_edges: int
    tree: SpanningTree
    exact: Elements
    unsure: Bool
    owned: Owned
    possible: Owned
    prefix: Long

    @cached_property
    def maximal(self) -> Elements:
        """Elements for the loss where data do not tell which path is lit; made when first asked for."""
        return _forced(self.exact, self.tree, self.unsure)

    @cached_property
    def behind(self) -> Elements:
        """Elements for all routes; made when first asked for."""
        return _forced(self.exact, self.tree, np.ones_like(self.unsure))


def index_graph(graph: ServiceGraph, weights: NDArray[np.int64]) -> LossIndex:
    """Walk the graph once, for the losses of `weights`.

    Parameters
    ----------
    graph : ServiceGraph
    weights : (n_vertices,) or (n_vertices, k) int64
        What is lost with each vertex: prises, rooms, subscribers... Those of vertices that the root does
        not reach are left out: they were not served before any failure.

    Raises
    ------
    ValueError
        When the shape of `weights` or a number in the graph does not fit.
    """
    _check(graph)
    tree = span(graph)
    ambiguous = np.zeros(len(tree.block_size), np.bool_)
    ambiguous[tree.edge_block[graph.ambiguous & (tree.edge_block >= 0)]] = True
    owned = owned_elements(graph)
    return LossIndex(
        n_vertices=graph.n_vertices,
        n_assets=graph.n_assets,
        n_edges=len(graph.tail),
        tree=tree,
        exact=_exact_elements(tree),
        unsure=ambiguous,
        owned=owned,
        possible=owned_elements(graph, with_possible=True) if len(graph.possible_asset) else owned,
        prefix=_prefix(tree, graph.n_vertices, weights),
    )


def with_weights(index: LossIndex, weights: NDArray[np.int64]) -> LossIndex:
    """Give the same index for other weights, without another walk of the graph."""
    other = replace(index, prefix=_prefix(index.tree, index.n_vertices, weights))
    vars(other).update({name: vars(index)[name] for name in ("maximal", "behind") if name in vars(index)})
    return other


def losses_of_sets(index: LossIndex, indptr: NDArray[np.integer], assets: NDArray[np.integer]) -> Long:
    """Sum the weights of the vertices that lose the root when the assets of each set fail together.

    Parameters
    ----------
    index : LossIndex
    indptr : (n_sets + 1,) int
        Set i is ``assets[indptr[i]:indptr[i + 1]]``; sets may be empty, an asset may come twice.
    assets : (indptr[-1],) int
        Asset numbers.

    Returns
    -------
    (n_sets, k) int64
        Exact. A vertex that the root does not reach before any failure is never lost; the root never fails.

    Examples
    --------
    >>> import numpy as np
    >>> none, one = np.empty(0, np.int32), np.zeros(1, np.int32)
    >>> graph = ServiceGraph(2, 1, one, one + 1, one > 0, none, none, one, one, none, none, np.array([0, 7]))
    >>> losses_of_sets(index_graph(graph, graph.prises), np.array([0, 1]), np.array([0]))
    array([[7]])
    """
    sets, members = np.ascontiguousarray(indptr, np.int64), np.ascontiguousarray(assets, np.int32)
    if len(sets) == 0 or sets[0] != 0 or sets[-1] != len(members) or (np.diff(sets) < 0).any():
        raise ValueError(f"indptr must rise from 0 to the number of assets, {len(members)}")
    if len(members) and (members.min() < 0 or members.max() >= index.n_assets):
        raise ValueError(f"asset numbers must be in 0..{index.n_assets - 1}")
    return _run(index, index.exact, index.owned, sets, members)


def losses_of_assets(index: LossIndex) -> Long:
    """Sum the weights lost with each asset alone, (n_assets, k) int64, exact."""
    return _each_asset(index, index.exact, index.owned)


def losses_of_owned(index: LossIndex, owned: Owned) -> Long:
    """Sum the weights lost with each row of elements, (n_rows, k) int64, exact."""
    sets = np.arange(len(owned.ptr), dtype=np.int64)
    return _run(index, index.exact, owned, sets, sets[:-1].astype(np.int32))


def maximal_losses_of_assets(index: LossIndex) -> Long:
    """Sum the weights that may be lost with each asset alone, (n_assets, k) int64 (`prises_cut_max`).

    A vertex counts when it is lost for certain, or when a simple path from the root to it passes through
    the asset inside an ambiguous part of the graph: a biconnected block with at least one ambiguous edge.
    Any two vertices of a block are joined by a simple path through any third vertex or any edge of it (the
    theorem of Whitney), so this is every vertex in or below the block. An asset that may stand on the way
    to a vertex (D9) counts as if it held that vertex.
    """
    return _each_asset(index, index.maximal, index.possible)


def behind_losses_of_assets(index: LossIndex) -> Long:
    """Sum the weights with the asset on any simple path from the root, (n_assets, k) int64.

    The same as `maximal_losses_of_assets` over all blocks, redundant ones included, without the possible
    vertices: 0 for an asset that carries nothing. An asset is *protected* when something is behind it, and
    nothing is or may be cut with it (D12).
    """
    return _each_asset(index, index.behind, index.owned)


def lost_vertices(index: LossIndex, assets: NDArray[np.integer]) -> Bool:
    """Tell which vertices lose the root when the assets fail together, (n_vertices,) bool."""
    return _touched(index, index.exact, assets)


def are_lost(
    index: LossIndex,
    indptr: NDArray[np.integer],
    assets: NDArray[np.integer],
    vertices: NDArray[np.integer],
) -> Bool:
    """Tell of one vertex a set of assets whether that set cuts it off, (n_sets,) bool.

    Parameters
    ----------
    index : LossIndex
    indptr, assets
        Set i is ``assets[indptr[i]:indptr[i + 1]]``.
    vertices : (n_sets,) int
    """
    sets, members = np.ascontiguousarray(indptr, np.int64), np.ascontiguousarray(assets, np.int32)
    number, start, end, sign = _logged(index, index.exact, sets, members).T
    position = index.tree.position[vertices][number]
    inside = (start <= position) & (position < end)
    return np.bincount(number[inside], sign[inside], len(vertices)) > 0


def vertices_behind(index: LossIndex, assets: NDArray[np.integer]) -> Bool:
    """Tell which vertices have one of the assets on a simple path from the root, (n_vertices,) bool."""
    return _touched(index, index.behind, assets)


def vertices_maybe_lost(index: LossIndex, assets: NDArray[np.integer]) -> Bool:
    """Tell which vertices are or may be lost with the assets, (n_vertices,) bool (`prises_cut_max`)."""
    members = np.ascontiguousarray(assets, np.int32)
    return _covered(index, index.maximal, index.possible, np.array([0, len(members)], np.int64), members)


def lost_alone(index: LossIndex, assets: NDArray[np.integer]) -> Bool:
    """Tell which vertices at least one of the assets cuts off when it fails alone, (n_vertices,) bool."""
    members = np.ascontiguousarray(assets, np.int32)
    return _covered(index, index.exact, index.owned, np.arange(len(members) + 1, dtype=np.int64), members)


def times_lost(index: LossIndex, assets: NDArray[np.integer]) -> Long:
    """Count the assets that cut off each vertex when they fail alone, (n_vertices,) int64."""
    members = np.ascontiguousarray(assets, np.int32)
    return _counted(index, index.exact, index.owned, np.arange(len(members) + 1, dtype=np.int64), members)


def lost_weights(
    index: LossIndex, indptr: NDArray[np.integer], assets: NDArray[np.integer], weights: Floats
) -> Floats:
    """Sum, at each vertex, the weights of the sets of assets that cut it off.

    What all groups of prises lose on average is then one product with the prises of each at each vertex.

    Parameters
    ----------
    index : LossIndex
    indptr, assets
        Set i is ``assets[indptr[i]:indptr[i + 1]]``.
    weights : (n_sets, k) float64

    Returns
    -------
    (n_vertices, k) float64
    """
    sets, members = np.ascontiguousarray(indptr, np.int64), np.ascontiguousarray(assets, np.int32)
    counted = np.column_stack([weights, np.ones(len(weights))])
    found = _weighed(index, index.exact, index.owned, sets, members, counted)
    # sums of floats do not come back to 0 where the last set that lost something ends: counts do
    return np.where(found[:, -1:] > 0, found[:, :-1], 0.0)


def lost_intervals(index: LossIndex, assets: NDArray[np.integer]) -> Long:
    """Give what each asset cuts off alone as intervals of positions, (n, 4) int64.

    Rows are (number in `assets`, start, end, sign): the asset loses the positions of its intervals of sign 1
    but those of sign -1. For sums over many groups of vertices, most of which most assets do not touch.
    """
    return _intervals(index, index.exact, assets)


def intervals_behind(index: LossIndex, assets: NDArray[np.integer]) -> Long:
    """Give what has each asset on a simple path from the root, as `lost_intervals` gives what it loses."""
    return _intervals(index, index.behind, assets)


def _intervals(index: LossIndex, elements: Elements, assets: NDArray[np.integer]) -> Long:
    members = np.ascontiguousarray(assets, np.int32)
    return _logged(index, elements, np.arange(len(members) + 1, dtype=np.int64), members)


def _logged(index: LossIndex, elements: Elements, sets: Long, members: Int) -> Long:
    """Give what each set cuts off as intervals of positions: (set, start, end, sign), (n, 4)."""
    alone = replace(index, prefix=np.zeros((len(index.prefix), 0), np.int64))
    counted = np.zeros((1, 4), np.int64)
    _run(alone, elements, index.owned, sets, members, log=counted)
    log = np.zeros((int(counted[0, 0]) + 1, 4), np.int64)
    _run(alone, elements, index.owned, sets, members, log=log)
    return log[1:]


def signatures_of_assets(index: LossIndex) -> NDArray[np.uint64]:
    """Give two 64-bit numbers for the set of weighted vertices lost with each asset, (n_assets, 2) uint64.

    Equal sets have equal signatures; different sets have different ones but for a chance of about 2**-128
    a pair. A vertex counts when its first weight is not 0; the empty set has signature (0, 0). The sum of
    a fixed mix of each vertex number (finaliser of SplitMix64, Steele et al. 2014), modulo 2**64.
    """
    vertex = np.arange(index.n_vertices, dtype=np.uint64)
    mixed = np.stack([_mixed(vertex, seed) for seed in _HASH_SEEDS], axis=1)
    weighted = np.zeros(index.n_vertices, np.bool_)
    position = index.tree.position
    reached = position >= 0
    weighted[reached] = (np.diff(index.prefix[:, 0]) != 0)[position[reached]]
    mixed[~weighted] = 0
    return losses_of_assets(with_weights(index, mixed.view(np.int64))).view(np.uint64)


def depths_of_assets(index: LossIndex) -> Int:
    """Tell how far from the root each asset stands, (n_assets,) int32: twice the number of edges.

    An asset stands at the nearest vertex that it owns, else at the middle of the nearest edge. One without
    element in reach has the largest int32.
    """
    far = np.iinfo(np.int32).max
    tree, n_vertices = index.tree, index.n_vertices
    depth = np.full(n_vertices + index.n_edges, far, np.int32)
    reached = tree.position >= 0
    depth[:n_vertices][reached] = 2 * tree.depth[tree.position[reached]]
    on_edge = depth[n_vertices:]
    on_tree = tree.edge_child >= 0
    on_edge[on_tree] = 2 * tree.depth[tree.edge_child[on_tree]] - 1
    np.minimum.at(on_edge, tree.half_edge, 2 * tree.depth[tree.half_at] + 1)
    owner = np.repeat(np.arange(index.n_assets), np.diff(index.owned.ptr))
    is_edge = index.owned.element >= n_vertices
    by_vertex, by_edge = (np.full(index.n_assets, far, np.int32) for _ in range(2))
    np.minimum.at(by_vertex, owner[~is_edge], depth[index.owned.element[~is_edge]])
    np.minimum.at(by_edge, owner[is_edge], depth[index.owned.element[is_edge]])
    return np.where(by_vertex < far, by_vertex, by_edge).astype(np.int32)


def _check(graph: ServiceGraph) -> None:
    pairs = (
        ("tail", graph.tail, graph.n_vertices),
        ("head", graph.head, graph.n_vertices),
        ("vertex_asset", graph.vertex_asset, graph.n_assets),
        ("vertex_of", graph.vertex_of, graph.n_vertices),
        ("edge_asset", graph.edge_asset, graph.n_assets),
        ("edge_of", graph.edge_of, len(graph.tail)),
        ("possible_asset", graph.possible_asset, graph.n_assets),
        ("possible_vertex", graph.possible_vertex, graph.n_vertices),
    )
    for name, values, limit in pairs:
        if len(values) and (values.min() < 0 or values.max() >= limit):
            raise ValueError(f"ServiceGraph.{name}: numbers must be in 0..{limit - 1}")
    if not 0 < graph.n_vertices < 2**29:
        raise ValueError(f"ServiceGraph: {graph.n_vertices} vertices; 1 (the root) to 2**29 - 1 are expected")


def owned_elements(graph: ServiceGraph, *, with_possible: bool = False) -> Owned:
    """Give the elements of each asset, with or without the vertices where it may stand (D9)."""
    owner = [graph.vertex_asset, graph.edge_asset]
    element = [graph.vertex_of, graph.edge_of + np.int32(graph.n_vertices)]
    if with_possible:
        owner.append(graph.possible_asset)
        element.append(graph.possible_vertex)
    ptr, order = grouped(np.concatenate(owner), graph.n_assets)
    return Owned(ptr, np.concatenate(element).astype(np.int32)[order])


def _exact_elements(tree: SpanningTree) -> Elements:
    position, below = tree.position.copy(), tree.edge_child
    position[0] = -1  # the root stands for the national backbone and cannot fail
    kind = np.concatenate(
        [
            np.where(position >= 0, REMOVES, _NOTHING),
            np.where(below >= 0, OPENS, np.where(below == -1, LOOSE, _NOTHING)),
        ]
    ).astype(np.int32)
    start = np.maximum(np.concatenate([position, below]), 0).astype(np.int32)
    return Elements(kind=kind, start=start, end=tree.end[start])


def _forced(exact: Elements, tree: SpanningTree, chosen: Bool) -> Elements:
    """Force out the region of each chosen block with any of its elements; leave the others as they are."""
    block = np.concatenate([tree.vertex_block, tree.edge_block])
    forced = np.zeros(len(block), np.bool_)
    forced[block >= 0] = chosen[block[block >= 0]]
    forced &= exact.kind != _NOTHING
    kind, start, end = exact.kind.copy(), exact.start.copy(), exact.end.copy()
    kind[forced] = _FORCES
    start[forced], end[forced] = tree.block_start[block[forced]], tree.block_end[block[forced]]
    return Elements(kind=kind, start=start, end=end)


def _prefix(tree: SpanningTree, n_vertices: int, weights: NDArray[np.int64]) -> Long:
    columns = weights.reshape(len(weights), -1).astype(np.int64)
    if len(columns) != n_vertices:
        raise ValueError(f"weights: {len(columns)} rows for {n_vertices} vertices")
    reached = np.flatnonzero(tree.position >= 0)
    prefix = np.zeros((len(reached) + 1, columns.shape[1]), np.int64)
    prefix[tree.position[reached] + 1] = columns[reached]
    return np.cumsum(prefix, axis=0)


def _mixed(values: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    state = (values + np.uint64(1)) * np.uint64(seed)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _each_asset(index: LossIndex, elements: Elements, owned: Owned) -> Long:
    """Lose each asset alone: by sums over regions where it has one element, else by the kernel."""
    n_elements = np.diff(owned.ptr)
    out = np.zeros((index.n_assets, index.prefix.shape[1]), np.int64)
    single = n_elements == 1
    out[single] = _losses_of_elements(index, elements)[owned.element[owned.ptr[:-1][single]]]
    several = np.flatnonzero(n_elements > 1).astype(np.int32)
    sets = np.arange(len(several) + 1, dtype=np.int64)
    out[several] = _run(index, elements, owned, sets, several)
    return out


def _losses_of_elements(index: LossIndex, elements: Elements) -> Long:
    """Lose each vertex and edge alone, (n_vertices + n_edges, k) int64.

    A vertex loses itself and the regions of the blocks that hang on it; an edge what is below it, if it is a
    bridge; what is forced out, its interval.
    """
    tree, prefix = index.tree, index.prefix
    region = prefix[tree.block_end] - prefix[tree.block_start]
    own = np.diff(prefix, axis=0)
    np.add.at(own, tree.parent[tree.block_start], region)
    out = np.zeros((len(elements.kind), prefix.shape[1]), np.int64)
    removed, opened = elements.kind == REMOVES, elements.kind == OPENS
    out[removed] = own[elements.start[removed]]
    bridge = np.flatnonzero(opened)
    bridge = bridge[tree.block_size[tree.edge_block[bridge - index.n_vertices]] == 1]
    out[bridge] = prefix[elements.end[bridge]] - prefix[elements.start[bridge]]
    forced = elements.kind == _FORCES
    out[forced] = prefix[elements.end[forced]] - prefix[elements.start[forced]]
    return out


def _touched(index: LossIndex, elements: Elements, assets: NDArray[np.integer]) -> Bool:
    members = np.ascontiguousarray(assets, np.int32)
    return _covered(index, elements, index.owned, np.array([0, len(members)], np.int64), members)


def _covered(index: LossIndex, elements: Elements, owned: Owned, sets: Long, members: Int) -> Bool:
    """Tell which vertices at least one of the sets cuts off."""
    return _counted(index, elements, owned, sets, members) > 0


def _counted(index: LossIndex, elements: Elements, owned: Owned, sets: Long, members: Int) -> Long:
    """Count the sets that cut off each vertex."""
    ones = np.ones((len(sets) - 1, 1))
    # counts are whole numbers far below 2**53: floats hold them exactly
    return _weighed(index, elements, owned, sets, members, ones)[:, 0].astype(np.int64)


def _weighed(
    index: LossIndex, elements: Elements, owned: Owned, sets: Long, members: Int, weights: Floats
) -> Floats:
    """Sum the weights of the sets that cut off each vertex."""
    steps = np.zeros((len(index.tree.end) + 1, weights.shape[1]))
    _run(index, elements, owned, sets, members, (steps, weights))
    return np.where(index.tree.position[:, None] < 0, 0.0, np.cumsum(steps, axis=0)[index.tree.position])


def _run(
    index: LossIndex,
    elements: Elements,
    owned: Owned,
    sets: Long,
    members: Int,
    weighed: tuple[Floats, Floats] = _NO_WEIGHTS,
    log: Long = _NO_LOG,
) -> Long:
    tree = index.tree
    sizes = np.concatenate([[0], np.cumsum(np.diff(owned.ptr)[members])])
    most, n, n_half = int(np.diff(sizes[sets]).max(initial=0)), len(tree.end), len(tree.half_at)
    # plain tuples: numba keeps the names of any other type in its cache, and a cache outlives a renaming
    return _losses(
        (sets, np.full(n, -1, np.int64), np.full(index.n_edges, -1, np.int64), np.empty(most, np.int64)),
        (members, *owned, *elements),
        (tree.end, tree.parent, tree.child_ptr, tree.child),
        (tree.half_ptr, tree.half_at, tree.half_to, tree.half_edge),
        (
            np.empty(most, np.int32),
            np.empty(most, np.int32),
            np.empty(most, np.int32),
            np.empty(most, np.int32),
        ),
        (np.empty(n, np.int32), np.empty(n_half + 1, np.int32), np.empty(n_half + 1, np.int32)),
        index.prefix,
        (*weighed, log),
    )


@compiled
def _losses(
    longs: Longs,
    failing: Ints,
    forest: Ints,
    loose: Ints,
    cuts: Ints,
    pieces: Ints,
    prefix: Long,
    record: tuple[Floats, Floats, Long],
) -> Long:
    """Sum what each set cuts off, less the pieces that edges outside the tree hold back.

    `record` is (steps, weights, log). steps, unless empty, receives the weights of the set where what is lost
    begins, and takes them back where it ends, by position. log, unless empty, receives a row (set, start,
    end, sign) for each interval, as many as it holds; its first row counts them.
    """
    sets, slot_set, failed_in, keys = longs
    start, end, kind, outer = cuts
    slot, root, link = pieces
    tree_end, parent, half_ptr = forest[0], forest[1], loose[0]
    out = np.zeros((len(sets) - 1, prefix.shape[1]), np.int64)
    for s in range(len(sets) - 1):
        n = _cut(s, sets, failing, cuts, keys, failed_in)
        n_loose = 0
        for i in range(n):
            if outer[i] < 0:
                _add(s, out[s], record, prefix, start[i], end[i], 1)
                if kind[i] != _FORCES:
                    n_loose += half_ptr[end[i]] - half_ptr[start[i]]
        if n_loose == 0:
            continue
        n_pieces = _join(s, n, forest, loose, cuts, pieces, slot_set, failed_in)
        served = _find(link, 0)
        for k in range(1, n_pieces):
            if _find(link, k) == served:
                _add(s, out[s], record, prefix, root[k], tree_end[root[k]], -1)
        for i in range(n):
            if outer[i] >= 0:
                around = _piece(parent[start[i]], n, cuts, forest)
                if around > 0 and slot_set[around] == s and _find(link, slot[around]) == served:
                    _add(s, out[s], record, prefix, start[i], end[i], 1)
    return out


@compiled
def _add(
    s: int, total: Long, record: tuple[Floats, Floats, Long], prefix: Long, start: int, end: int, sign: int
) -> None:
    steps, weights, log = record
    for j in range(prefix.shape[1]):
        total[j] += sign * (prefix[end, j] - prefix[start, j])
    if len(steps) > 0:
        for j in range(steps.shape[1]):
            steps[start, j] += sign * weights[s, j]
            steps[end, j] -= sign * weights[s, j]
    if len(log) > 0:
        log[0, 0] += 1
        row = log[0, 0]
        if row < len(log):
            log[row, 0], log[row, 1], log[row, 2], log[row, 3] = s, start, end, sign


@compiled
def _cut(s: int, sets: Long, failing: Ints, cuts: Ints, keys: Long, failed_in: Long) -> int:
    """Lay down the intervals that set `s` cuts off, outermost first, each with the next one around it.

    They are nested or apart. Start ascending, then end descending, then the strongest kind.
    """
    members, ptr, element, e_kind, e_start, e_end = failing
    start, end, kind, outer = cuts
    top, n_vertices, n_keys = np.int64(1) << 29, len(e_kind) - len(failed_in), 0
    for m in range(sets[s], sets[s + 1]):
        for i in range(ptr[members[m]], ptr[members[m] + 1]):
            e = element[i]
            if e_kind[e] == LOOSE:
                failed_in[e - n_vertices] = s
            elif e_kind[e] != _NOTHING:
                keys[n_keys] = (np.int64(e_start[e]) << 32) | ((top - e_end[e]) << 2) | (_FORCES - e_kind[e])
                n_keys += 1
    if n_keys > _FEW_KEYS:
        keys[:n_keys].sort()
    else:
        for k in range(1, n_keys):
            key, j = keys[k], k
            while j > 0 and keys[j - 1] > key:
                keys[j] = keys[j - 1]
                j -= 1
            keys[j] = key
    n, i = 0, -1
    for k in range(n_keys):
        a, b, strength = keys[k] >> 32, top - ((keys[k] & 0xFFFFFFFF) >> 2), _FORCES - (keys[k] & 3)
        while i >= 0 and end[i] <= a:
            i = outer[i]
        if i >= 0 and (kind[i] == _FORCES or (start[i] == a and end[i] == b)):
            continue
        start[n], end[n], kind[n], outer[n] = a, b, strength, i
        i = n
        n += 1
    return n


@compiled
def _join(
    s: int, n: int, forest: Ints, loose: Ints, cuts: Ints, pieces: Ints, slot_set: Long, failed_in: Long
) -> int:
    """Join the pieces of the cut tree that edges outside it still hold together; slot 0 is the root's."""
    half_ptr, half_at, half_to, half_edge = loose
    start, end, kind, outer = cuts
    slot, root, link = pieces
    root[0], link[0], slot[0], slot_set[0], n_pieces = 0, 0, 0, s, 1
    for i in range(n):
        if outer[i] >= 0 or kind[i] == _FORCES:
            continue
        for h in range(half_ptr[start[i]], half_ptr[end[i]]):
            if failed_in[half_edge[h]] == s:
                continue
            a, b = _piece(half_at[h], n, cuts, forest), _piece(half_to[h], n, cuts, forest)
            if a < 0 or b < 0 or a == b:
                continue
            for r in (a, b):
                if slot_set[r] != s:
                    slot[r], slot_set[r], root[n_pieces], link[n_pieces] = n_pieces, s, r, n_pieces
                    n_pieces += 1
            link[_find(link, slot[a])] = _find(link, slot[b])
    return n_pieces


@compiled
def _piece(p: int, n: int, cuts: Ints, forest: Ints) -> int:
    """Give the root position of the piece of the cut tree that holds `p`, or -1 where it is out."""
    start, end, kind, outer = cuts
    i = np.searchsorted(start[:n], p, side="right") - 1
    while i >= 0 and end[i] <= p:
        i = outer[i]
    if i < 0:
        return 0
    if kind[i] == OPENS:
        return int(start[i])
    if kind[i] == _FORCES or p == start[i]:
        return -1
    child_ptr, child = forest[2], forest[3]
    first, last = child_ptr[start[i]], child_ptr[start[i] + 1]
    return int(child[first + np.searchsorted(child[first:last], p, side="right") - 1])


@compiled
def _find(link: Int, i: int) -> int:
    while link[i] != i:
        link[i] = link[link[i]]
        i = int(link[i])
    return i
