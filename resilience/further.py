"""The worst further failures: which two or three objects together cut off a room that no single one cuts.

For the engineer of a looped network, where the list of single points of failure ends. Sets are not tried one
by one. The part of the network on which the room depends is drawn together into few classes of objects that
do the same to it. What cuts the room off must hit every way to it: one way is found, each class on it is
taken out in turn, a way that remains is found, and so on (a bounded search for hitting sets). Of the sets of
classes found, the exact loss is computed only for those whose upper bound is still above the worst found
(branch and bound).
"""

import heapq
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.compiled import compiled
from gracethd.connected import connected_parts
from gracethd.network.types import Network
from gracethd.routes.climb import slices
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.areas import sums_in_intervals
from resilience.losses import LossIndex, index_graph, losses_of_sets, lost_intervals, with_weights
from resilience.low_points import adjacency
from resilience.shared_risk import group_rows, risk_groups, with_groups
from resilience.spanning import Int, Long, SpanningTree, grouped

SIZES = (2, 3)
MAX_SETS = 200_000
"""Sets of classes evaluated for one room and size; with more, the room is named as not searched further."""
COLUMNS = ("nature", "code", "size", "prises_cut", "objects")


class WorstSet(NamedTuple):
    """The set of a size that cuts a vertex off and costs most: its loss and its assets, ascending."""

    size: int
    loss: int
    assets: tuple[int, ...]


def worst_further_failures(
    network: Network, routes: Routes, tables: Mapping[str, pd.DataFrame], *, sizes: Sequence[int] = SIZES
) -> pd.DataFrame:
    """Find the worst two and three objects that together cut each protected NRO and PM.

    A room is protected when no single object cuts it but those at its own place (D12, D13). Sets are minimal:
    none of their parts cuts the room. Groups (`resilience.shared_risk.risk_groups`) are objects too.

    Parameters
    ----------
    network : Network
    routes : Routes
    tables : mapping of str to DataFrame
        Of use here: groupes, equipements.
    sizes : sequence of int

    Returns
    -------
    DataFrame
        Columns of `COLUMNS`: nature (NRO|PM), code, size, prises_cut (int64, exact, of the set as a whole),
        objects (``kind:code`` joined by " + "; one of the worst sets where several cost the same). By
        prises_cut descending, then nature, code, size. ``attrs["not_searched"]`` maps ``nature:code`` of
        rooms with more than `MAX_SETS` sets of classes to the smallest size not searched.
    """
    groups = risk_groups(network, tables)
    graph = with_groups(routes.nominal, groups)
    prepared = prepare(graph)
    names = pd.concat([network.assets[["kind", "code"]], group_rows(network, groups)[["kind", "code"]]])
    label = (names["kind"] + ":" + names["code"]).to_numpy(dtype=object)
    rooms = routes.rooms[routes.rooms["vertex_nominal"] > 0].sort_values(["nature", "code"])
    rows, not_searched = [], {}
    for room in rooms.itertuples():
        found, beyond = worst_sets(prepared, int(str(room.vertex_nominal)), sizes)
        if beyond is not None:
            not_searched[f"{room.nature}:{room.code}"] = beyond
        rows += [
            (room.nature, room.code, one.size, one.loss, " + ".join(label[list(one.assets)])) for one in found
        ]
    out = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"size": np.int64, "prises_cut": np.int64})
    out = out.sort_values(
        ["prises_cut", "nature", "code", "size"], ascending=[False, True, True, True], ignore_index=True
    )
    out.attrs["not_searched"] = not_searched
    return out


class Prepared(NamedTuple):
    """A graph made ready for `worst_sets`: its index, and who owns each vertex and each edge.

    Owners of vertex v are ``vertex_owner[vertex_ptr[v]:vertex_ptr[v + 1]]``, those of edges likewise;
    ``bridge`` is the edge of a block of one edge, by block; ``vertex_at`` the vertex at each position. What
    asset a cuts off alone are the intervals ``lost[lost_ptr[a]:lost_ptr[a + 1]]``
    (`resilience.losses.lost_intervals`); ``weighted`` are the positions that hold prises.
    """

    graph: ServiceGraph
    walked: LossIndex
    vertex_at: NDArray[np.int64]
    bridge: NDArray[np.int64]
    vertex_ptr: Int
    vertex_owner: Int
    edge_ptr: Int
    edge_owner: Int
    lost_ptr: NDArray[np.int64]
    lost: Long
    weighted: Int


def prepare(graph: ServiceGraph) -> Prepared:
    """Index a graph once for the searches of all its rooms."""
    index = index_graph(graph, graph.prises)
    tree = index.tree
    vertex_at = np.empty(len(tree.end), np.int64)
    reached = np.flatnonzero(tree.position >= 0)
    vertex_at[tree.position[reached]] = reached
    bridge = np.full(len(tree.block_size), -1, np.int64)
    inside = np.flatnonzero(tree.edge_block >= 0)
    bridge[tree.edge_block[inside]] = inside
    bridge[tree.block_size > 1] = -1
    vertex_ptr, of_vertex = grouped(graph.vertex_of, graph.n_vertices)
    edge_ptr, of_edge = grouped(graph.edge_of, max(1, len(graph.tail)))
    lost = lost_intervals(index, np.arange(graph.n_assets))
    return Prepared(
        graph, index, vertex_at, bridge,
        vertex_ptr, graph.vertex_asset[of_vertex], edge_ptr, graph.edge_asset[of_edge],
        np.searchsorted(lost[:, 0], np.arange(graph.n_assets + 1)), lost,
        np.flatnonzero(np.diff(index.prefix[:, 0])).astype(np.int32),
    )  # fmt: skip


def worst_sets(
    prepared: Prepared, target: int, sizes: Sequence[int] = SIZES
) -> tuple[list[WorstSet], int | None]:
    """Find, for each size, the worst minimal set of assets that cuts a vertex off.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.
    target : int
        Vertex. Assets that own it are left out.
    sizes : sequence of int

    Returns
    -------
    list of WorstSet
        One for each size of which a set exists; empty where a single asset cuts the vertex, or the root does
        not reach it.
    int or None
        The smallest size that was not searched because there are more than `MAX_SETS` sets of classes to
        evaluate; None where all were.
    """
    path = _blocks_to(prepared, target)
    if path is None:
        return [], None
    core = _core(prepared, path, target)
    cutting, beyond = _cutting_sets(core, max(sizes))
    if len(cutting.get(1, ())):
        return [], None
    kept = {size: sets for size, sets in sorted(cutting.items()) if size in sizes and len(sets)}
    if not kept:
        return [], beyond
    used = np.unique(np.concatenate([sets.ravel() for sets in kept.values()]))
    apart = _apart(prepared, core, used)
    return [
        _worst(prepared, core, apart, np.searchsorted(used, sets), sets) for sets in kept.values()
    ], beyond


class _Core(NamedTuple):
    """What a vertex depends on, drawn together: few vertices and chains, and classes of assets.

    ``drawn`` has one asset for each class; ``walked`` is its index with one column for each vertex that is
    kept; ``weights`` are what these hold with all that hangs on them, ``target`` is the number of the vertex
    asked about. ``classes`` are the assets of each; ``vertices`` those of the whole graph in the core, and
    ``number`` the kept vertex of each, -1 for a link of a chain.
    """

    drawn: ServiceGraph
    walked: LossIndex
    weights: Long
    target: int
    classes: list[NDArray[np.int64]]
    vertices: NDArray[np.int64]
    number: Int


class _Apart(NamedTuple):
    """Members of classes that differ in what they cut beyond the core.

    ``members[c]`` are assets of class c; ``beyond[c]`` is what each cuts at each vertex that is kept,
    (n_members, n_kept) int64.
    """

    members: list[NDArray[np.int64]]
    beyond: list[Long]


def _cutting_sets(core: _Core, most: int) -> tuple[dict[int, NDArray[np.int64]], int | None]:
    """Find all minimal sets of up to `most` classes that cut the target off, (n, size) int64 by size.

    Also the size at which `MAX_SETS` ended the search, or None.
    """
    alone = np.zeros((len(core.weights), 1), np.int64)
    alone[core.target] = 1
    index = with_weights(core.walked, alone)
    joints = adjacency(core.drawn.n_vertices, core.drawn.tail, core.drawn.head)
    vertex_ptr, of_vertex = grouped(core.drawn.vertex_of, core.drawn.n_vertices)
    edge_ptr, of_edge = grouped(core.drawn.edge_of, max(1, len(core.drawn.tail)))
    owners = vertex_ptr, core.drawn.vertex_asset[of_vertex], edge_ptr, core.drawn.edge_asset[of_edge]
    standing = np.empty((1, 0), np.int64)
    cutting: dict[int, NDArray[np.int64]] = {}
    smaller: set[tuple[int, ...]] = set()
    for size in range(1, most + 1):
        ptr, on_way = _ways_without(standing, index.owned, joints, owners, core.target)
        sets = np.column_stack([np.repeat(standing, np.diff(ptr), axis=0), on_way])
        sets = np.unique(np.sort(sets, axis=1), axis=0)
        if len(sets) > MAX_SETS:
            return cutting, size
        lost = losses_of_sets(index, np.arange(len(sets) + 1, dtype=np.int64) * size, sets.ravel())[:, 0] > 0
        found = sets[lost]
        is_minimal = [
            not any(part in smaller for n in range(1, size) for part in itertools.combinations(one, n))
            for one in map(tuple, found.tolist())
        ]
        cutting[size], standing = found[is_minimal], sets[~lost]
        smaller |= set(map(tuple, cutting[size].tolist()))
    return cutting, None


@compiled
def _ways_without(
    sets: NDArray[np.int64],
    owned: tuple[Int, Int],
    joints: tuple[Int, Int, Int],
    owners: tuple[Int, Int, Int, Int],
    target: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the classes on a shortest way from the root to the target without each set of classes.

    Those of set i are ``out[ptr[i]:ptr[i + 1]]``; none where no way remains.
    """
    owned_ptr, element = owned
    joint_ptr, other, joint_edge = joints
    vertex_ptr, vertex_owner, edge_ptr, edge_owner = owners
    n, n_edges = len(joint_ptr) - 1, len(joint_edge) // 2
    failed_by = np.full(n + n_edges, -1, np.int64)
    seen, met = np.full(n, -1, np.int64), np.full(len(owned_ptr), -1, np.int64)
    before, through, queue = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    ptr, out, used = np.zeros(len(sets) + 1, np.int64), np.empty(64, np.int64), 0
    for s in range(len(sets)):
        for c in sets[s]:
            for i in range(owned_ptr[c], owned_ptr[c + 1]):
                failed_by[element[i]] = s
        head, size = 0, 1
        queue[0], seen[0] = 0, s
        while head < size and seen[target] != s:
            v = queue[head]
            head += 1
            for i in range(joint_ptr[v], joint_ptr[v + 1]):
                w, e = other[i], joint_edge[i]
                if seen[w] != s and failed_by[w] != s and failed_by[n + e] != s:
                    seen[w], before[w], through[w] = s, v, e
                    queue[size] = w
                    size += 1
        v = target
        while seen[target] == s and v != 0:
            e = through[v]
            most = used + vertex_ptr[v + 1] - vertex_ptr[v] + edge_ptr[e + 1] - edge_ptr[e]
            if most > len(out):
                longer = np.empty(2 * most, np.int64)
                longer[:used] = out[:used]
                out = longer
            for i in range(vertex_ptr[v], vertex_ptr[v + 1]):
                if met[vertex_owner[i]] != s:
                    met[vertex_owner[i]] = s
                    out[used] = vertex_owner[i]
                    used += 1
            for i in range(edge_ptr[e], edge_ptr[e + 1]):
                if met[edge_owner[i]] != s:
                    met[edge_owner[i]] = s
                    out[used] = edge_owner[i]
                    used += 1
            v = before[v]
        ptr[s + 1] = used
    return ptr, out[:used].copy()


def _blocks_to(prepared: Prepared, target: int) -> list[int] | None:
    """Give the blocks between the root and a vertex, or None where some asset alone cuts it off."""
    tree = prepared.walked.tree
    if target == 0 or tree.position[target] < 0:
        return None
    own = _owners(prepared.vertex_ptr, prepared.vertex_owner, target)
    path, vertex = [], target
    while vertex != 0:
        block = int(tree.vertex_block[vertex])
        path.append(block)
        edge = int(prepared.bridge[block])
        if edge >= 0 and len(np.setdiff1d(_owners(prepared.edge_ptr, prepared.edge_owner, edge), own)):
            return None
        vertex = int(prepared.vertex_at[tree.parent[tree.block_start[block]]])
        at_vertex = _owners(prepared.vertex_ptr, prepared.vertex_owner, vertex)
        if vertex != 0 and len(np.setdiff1d(at_vertex, own)):
            return None
    return path


def _owners(ptr: Int, owner: Int, element: int) -> Int:
    return owner[ptr[element] : ptr[element + 1]]


def _core(prepared: Prepared, path: list[int], target: int) -> _Core:
    graph, index = prepared.graph, prepared.walked
    edges, vertices = _on_paths(graph, index.tree, path)
    weight = _folded(index, vertices)
    kept, chain = _chains(graph, edges, vertices, weight, target)
    number = np.full(graph.n_vertices, -1, np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    classes = _classes(prepared, target, (edges, chain), (vertices, number[vertices]))
    tail, head = _chain_ends(graph, edges, chain, number)
    weights = weight[np.searchsorted(vertices, kept)]
    weights[0] = 0  # the root is never lost
    owner = np.repeat(np.arange(len(classes), dtype=np.int32), [len(key) for key in classes])
    element = np.array([element for key in classes for element in key], np.int32)
    is_vertex = element >= 0
    none = np.empty(0, np.int32)
    drawn = ServiceGraph(
        n_vertices=len(kept), n_assets=len(classes), tail=tail, head=head,
        ambiguous=np.zeros(len(tail), np.bool_), vertex_asset=owner[is_vertex],
        vertex_of=element[is_vertex], edge_asset=owner[~is_vertex], edge_of=-1 - element[~is_vertex],
        possible_asset=none, possible_vertex=none, prises=weights,
    )  # fmt: skip
    walked = index_graph(drawn, np.eye(len(kept), dtype=np.int64))
    members = list(classes.values())
    return _Core(drawn, walked, weights, int(number[target]), members, vertices, number[vertices])


def _apart(prepared: Prepared, core: _Core, used: NDArray[np.int64]) -> _Apart:
    """Keep, of each class used, the first asset of those that cut the same at each kept vertex."""
    classes, n_kept = [core.classes[c] for c in used.tolist()], len(core.weights)
    tree, prefix, weighted = prepared.walked.tree, prepared.walked.prefix[:, 0], prepared.weighted
    hangs = np.full(len(tree.end), -2, np.int32)
    hangs[tree.position[core.vertices]] = core.number
    hangs = _hanging(tree.parent, hangs)
    every = np.concatenate(classes)
    row, at = slices(prepared.lost_ptr[every], prepared.lost_ptr[every + 1] - prepared.lost_ptr[every])
    lost = prepared.lost[at]
    lost[:, 0] = row
    sums = sums_in_intervals(
        lost, weighted, hangs[weighted].astype(np.int64), prefix[weighted + 1] - prefix[weighted], n_kept
    )
    cut = np.zeros((len(every), n_kept), np.int64)
    cut[np.divmod(sums.index.to_numpy(), n_kept)] = sums.to_numpy()
    members, beyond = [], []
    for own, rows in zip(classes, np.split(cut, np.cumsum([len(one) for one in classes])[:-1]), strict=True):
        told = np.flatnonzero(
            rows.any(axis=0)
        )  # what hangs on a class hangs on few vertices: sort those only
        _, first = np.unique(rows[:, told], axis=0, return_index=True)
        members.append(own[first])
        beyond.append(rows[first])
    return _Apart(members, beyond)


@compiled
def _hanging(parent: Int, number: Int) -> Int:
    """Give each position the number of the nearest position above, or of itself, that has one (not -2)."""
    out = number.copy()
    for p in range(1, len(parent)):
        if out[p] == -2:
            out[p] = out[parent[p]]
    return out


def _on_paths(graph: ServiceGraph, tree: SpanningTree, path: list[int]) -> tuple[Int, NDArray[np.int64]]:
    """Give the edges of some blocks, and their vertices (ascending, the root among them)."""
    on_path = np.zeros(len(tree.block_size), np.bool_)
    on_path[path] = True
    edges = np.flatnonzero((tree.edge_block >= 0) & on_path[tree.edge_block]).astype(np.int32)
    return edges, np.unique(np.concatenate([[0], graph.tail[edges], graph.head[edges]])).astype(np.int64)


def _folded(index: LossIndex, vertices: NDArray[np.int64]) -> Long:
    """Give each vertex its own weight and that of all that hangs on it outside the core."""
    tree, prefix = index.tree, index.prefix[:, 0]
    at = tree.position[vertices]
    below = prefix[tree.end[at]] - prefix[at]
    inside = np.zeros(len(tree.end), np.int64)
    np.add.at(inside, tree.parent[at[at > 0]], below[at > 0])
    return below - inside[at]


def _chains(
    graph: ServiceGraph, edges: Int, vertices: NDArray[np.int64], weight: Long, target: int
) -> tuple[NDArray[np.int64], Int]:
    """Give the vertices that are kept, and the chain of each edge.

    A vertex that holds nothing and joins two edges is a link of a chain.
    """
    ends = np.concatenate([graph.tail[edges], graph.head[edges]])
    local = np.searchsorted(vertices, ends)
    degree = np.bincount(local, minlength=len(vertices))
    is_link = (degree == 2) & (weight == 0) & (vertices != 0) & (vertices != target)
    n = len(edges)
    which = np.tile(np.arange(n), 2)[is_link[local]]
    joint = n + local[is_link[local]]
    part = connected_parts(n + len(vertices), which, joint)[:n]
    return vertices[~is_link], np.unique(part, return_inverse=True)[1].astype(np.int32)


def _chain_ends(graph: ServiceGraph, edges: Int, chain: Int, number: Int) -> tuple[Int, Int]:
    """Give the two kept ends of each chain."""
    ends = np.concatenate([number[graph.tail[edges]], number[graph.head[edges]]])
    owner = np.tile(chain, 2)[ends >= 0]
    order = np.argsort(owner, kind="stable")
    pairs = ends[ends >= 0][order].reshape(-1, 2)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def _classes(
    prepared: Prepared,
    target: int,
    on_edges: tuple[Int, Int],
    on_vertices: tuple[NDArray[np.int64], Int],
) -> dict[tuple[int, ...], NDArray[np.int64]]:
    """Group the assets by what they own of the core: kept vertices (0 and above) and chains (-1 - chain).

    `on_edges` are the edges of the core and the chain of each; `on_vertices` its vertices and the new number
    of each, -1 for a link of a chain.
    """
    (edges, chain), (vertices, number) = on_edges, on_vertices
    tail, head = prepared.graph.tail[edges], prepared.graph.head[edges]
    of_vertex = number.astype(np.int64)
    for end in (tail, head):
        local = np.searchsorted(vertices, end)
        link = number[local] < 0
        of_vertex[local[link]] = -1 - chain[link]
    pairs = [
        _owned_elements(prepared.vertex_ptr, prepared.vertex_owner, vertices, of_vertex),
        _owned_elements(prepared.edge_ptr, prepared.edge_owner, edges.astype(np.int64), -1 - chain),
    ]
    asset, name = (np.concatenate(both).astype(np.int64) for both in zip(*pairs, strict=True))
    own = _owners(prepared.vertex_ptr, prepared.vertex_owner, target)
    kept = (name != 0) & ~np.isin(asset, own)  # 0 is the root, which cannot fail
    asset, name = _distinct_pairs(asset[kept], name[kept])
    if not len(asset):
        return {}
    first = np.flatnonzero(np.diff(asset, prepend=-1))
    size = np.diff(first, append=len(asset))
    label = _labels_of_lists(name, first, size)
    order = np.argsort(label, kind="stable")
    begins = np.flatnonzero(np.diff(label[order], prepend=-1))
    classes = {}
    for rows in np.split(order, begins[1:]):
        begin = first[rows[0]]
        classes[tuple(name[begin : begin + size[rows[0]]].tolist())] = asset[first[rows]]
    return dict(sorted(classes.items()))


def _distinct_pairs(
    one: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give distinct pairs of numbers, sorted; the first are at least 0."""
    if not len(one):
        return one, other
    lowest = other.min()
    span = int(other.max() - lowest) + 1
    pair = np.sort(one * span + (other - lowest))  # faster here than np.unique, which hashes
    pair = pair[np.diff(pair, prepend=pair[0] - 1) > 0]
    return pair // span, pair % span + lowest


def _labels_of_lists(
    values: NDArray[np.int64], first: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give lists the same number exactly where they hold the same values in the same order.

    List i is ``values[first[i]:first[i] + size[i]]``. One value of each list is told apart at a time, so that
    only long lists cost more than one pass.
    """
    label, used = np.zeros(len(first), np.int64), 1
    lowest = values.min()
    span = int(values.max() - lowest) + 1
    for k in range(int(size.max())):
        longer = np.flatnonzero(size > k)
        pair = label[longer] * span + (values[first[longer] + k] - lowest)
        known, label[longer] = np.unique(pair, return_inverse=True)
        label[longer] += used
        used += len(known)
    return label


def _owned_elements(
    ptr: Int, owner: Int, elements: NDArray[np.int64], names: NDArray[np.integer]
) -> tuple[Int, NDArray[np.integer]]:
    """Give the owners of some elements, and the name of the element beside each."""
    begin, stop = ptr[elements].astype(np.int64), ptr[elements + 1].astype(np.int64)
    row, at = slices(begin, stop - begin)
    return owner[at], names[row]


def _worst(
    prepared: Prepared,
    core: _Core,
    apart: _Apart,
    sets: NDArray[np.int64],
    classes_of_sets: NDArray[np.int64],
) -> WorstSet:
    """Find the worst set of assets among sets of classes, best bound first.

    `sets` name classes by their number in `apart`, `classes_of_sets` by that in the core. What a set of
    assets cuts is at most what its classes cut and what each cuts at vertices that stay.
    """
    ptr = np.arange(len(sets) + 1, dtype=np.int64) * sets.shape[1]
    lost = losses_of_sets(core.walked, ptr, classes_of_sets.ravel())
    size = sets.shape[1]
    certain, stays = lost @ core.weights, 1 - lost
    remaining = stays.T.astype(np.float64)  # prises are far below 2**53: products are exact, and much faster
    most = np.stack([(more.astype(np.float64) @ remaining).max(axis=0) for more in apart.beyond])
    bounds = certain + most.astype(np.int64)[sets, np.arange(len(sets))[:, None]].sum(axis=1)
    worst = WorstSet(size, -1, ())
    for row in np.argsort(-bounds, kind="stable").tolist():
        if bounds[row] <= worst.loss:
            break
        more = [apart.beyond[c] @ stays[row] for c in sets[row].tolist()]
        order = [np.argsort(-one, kind="stable") for one in more]
        start = (0,) * size
        waiting, seen = [(-int(bounds[row]), start)], {start}
        while waiting and -waiting[0][0] > worst.loss:
            _, turn = heapq.heappop(waiting)
            chosen = [by[i] for by, i in zip(order, turn, strict=True)]
            classes = sets[row].tolist()
            assets = sorted(int(apart.members[c][i]) for c, i in zip(classes, chosen, strict=True))
            exact = losses_of_sets(prepared.walked, np.array([0, size]), np.array(assets))
            if int(exact[0, 0]) > worst.loss:
                worst = WorstSet(size, int(exact[0, 0]), tuple(assets))
            for k in range(size):
                after = (*turn[:k], turn[k] + 1, *turn[k + 1 :])
                if after[k] < len(order[k]) and after not in seen:
                    seen.add(after)
                    bound = certain[row] + sum(
                        int(one[by[i]]) for one, by, i in zip(more, order, after, strict=True)
                    )
                    heapq.heappush(waiting, (-int(bound), after))
    return worst
