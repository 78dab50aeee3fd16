"""The worst further failures: which two or three objects together cut off a room that no single one cuts.

For the engineer of a looped network, where the list of single points of failure ends. Sets are not tried one
by one: the part of the network on which the room depends is drawn together into few classes of objects that
do the same to it, sets of classes are evaluated there, and the exact loss is computed only for sets whose
upper bound is still above the worst found (branch and bound).
"""

import heapq
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gracethd.compiled import compiled
from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.areas import sums_in_intervals
from resilience.losses import LossIndex, index_graph, losses_of_sets, lost_intervals
from resilience.shared_risk import group_rows, risk_groups, with_groups
from resilience.spanning import Int, Long, SpanningTree, grouped

SIZES = (2, 3)
MAX_SETS = 200_000
"""Sets of classes evaluated for one room and size; with more, the room is named as not searched."""
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
        prises_cut descending, then nature, code, size. ``attrs["not_searched"]`` lists ``nature:code`` of
        rooms with more than `MAX_SETS` sets of classes.
    """
    groups = risk_groups(network, tables)
    graph = with_groups(routes.nominal, groups)
    prepared = prepare(graph)
    names = pd.concat([network.assets[["kind", "code"]], group_rows(network, groups)[["kind", "code"]]])
    label = (names["kind"] + ":" + names["code"]).to_numpy(dtype=object)
    rooms = routes.rooms[routes.rooms["vertex_nominal"] > 0].sort_values(["nature", "code"])
    rows, not_searched = [], []
    for room in rooms.itertuples():
        found = worst_sets(prepared, int(str(room.vertex_nominal)), sizes)
        if found is None:
            not_searched.append(f"{room.nature}:{room.code}")
            continue
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
    ``bridge`` is the edge of a block of one edge, by block; ``vertex_at`` the vertex at each position.
    """

    graph: ServiceGraph
    walked: LossIndex
    vertex_at: NDArray[np.int64]
    bridge: NDArray[np.int64]
    vertex_ptr: Int
    vertex_owner: Int
    edge_ptr: Int
    edge_owner: Int


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
    return Prepared(
        graph, index, vertex_at, bridge,
        vertex_ptr, graph.vertex_asset[of_vertex], edge_ptr, graph.edge_asset[of_edge],
    )  # fmt: skip


def worst_sets(prepared: Prepared, target: int, sizes: Sequence[int] = SIZES) -> list[WorstSet] | None:
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
    list of WorstSet, or None
        One for each size of which a set exists; empty where a single asset cuts the vertex, or the root does
        not reach it. None where there are more than `MAX_SETS` sets of classes to evaluate.
    """
    path = _blocks_to(prepared, target)
    if path is None:
        return []
    core = _core(prepared, path, target)
    alone = _lost(core, np.arange(len(core.members))[:, None])
    if (alone[:, core.target] > 0).any():
        return []
    cutting: set[tuple[int, ...]] = set()
    found = []
    for size in sorted(sizes):
        n_sets = int(np.prod([(len(core.members) - i) / (i + 1) for i in range(size)]))
        if n_sets > MAX_SETS:
            return None
        combined = itertools.combinations(range(len(core.members)), size)
        sets = np.array(list(combined), np.int64).reshape(-1, size)
        lost = _lost(core, sets)
        sets, lost = sets[lost[:, core.target] > 0], lost[lost[:, core.target] > 0]
        is_minimal = [
            not any(part in cutting for n in range(2, size) for part in itertools.combinations(one, n))
            for one in map(tuple, sets.tolist())
        ]
        sets, lost = sets[is_minimal], lost[is_minimal]
        cutting |= set(map(tuple, sets.tolist()))
        if len(sets):
            found.append(_worst(prepared, core, sets, lost))
    return found


class _Core(NamedTuple):
    """What a vertex depends on, drawn together: few vertices and chains, and classes of assets.

    ``walked`` has one asset for each class and one column for each vertex that is kept; ``weights`` are what
    these hold with all that hangs on them, ``target`` is the number of the vertex asked about. ``members[c]``
    are assets of class c that differ in what they cut beyond the core, and ``beyond[c]`` is what each cuts at
    each vertex that is kept, (n_members, n_kept) int64.
    """

    walked: LossIndex
    weights: Long
    target: int
    members: list[NDArray[np.int64]]
    beyond: list[Long]


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
    members, beyond = _apart(prepared, list(classes.values()), vertices, number[vertices], len(kept))
    return _Core(walked, weights, int(number[target]), members, beyond)


def _apart(
    prepared: Prepared,
    classes: list[NDArray[np.int64]],
    vertices: NDArray[np.int64],
    number: Int,
    n_kept: int,
) -> tuple[list[NDArray[np.int64]], list[Long]]:
    """Keep, of each class, the first asset of those that cut the same at each kept vertex, and say what."""
    if not classes:
        return [], []
    tree, prefix = prepared.walked.tree, prepared.walked.prefix[:, 0]
    hangs = np.full(len(tree.end), -2, np.int32)
    hangs[tree.position[vertices]] = number
    hangs = _hanging(tree.parent, hangs)
    every = np.concatenate(classes)
    sums = sums_in_intervals(
        lost_intervals(prepared.walked, every),
        np.arange(len(tree.end), dtype=np.int32),
        hangs.astype(np.int64),
        np.diff(prefix),
        n_kept,
    )
    cut = np.zeros((len(every), n_kept), np.int64)
    cut[np.divmod(sums.index.to_numpy(), n_kept)] = sums.to_numpy()
    members, beyond = [], []
    for own, rows in zip(classes, np.split(cut, np.cumsum([len(one) for one in classes])[:-1]), strict=True):
        distinct, first = np.unique(rows, axis=0, return_index=True)
        members.append(own[first])
        beyond.append(distinct)
    return members, beyond


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
    shape = (n + len(vertices), n + len(vertices))
    joints = sparse.coo_array((np.ones(len(which), np.int8), (which, joint)), shape=shape)
    part = csgraph.connected_components(joints.tocsr(), directed=False)[1][:n]
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
    owned = np.unique(np.concatenate(pairs), axis=0)
    own = _owners(prepared.vertex_ptr, prepared.vertex_owner, target)
    owned = owned[(owned[:, 1] != 0) & ~np.isin(owned[:, 0], own)]  # 0 is the root, which cannot fail
    first = np.flatnonzero(np.diff(owned[:, 0], prepend=-1)).tolist()
    classes: dict[tuple[int, ...], list[int]] = {}
    for begin, stop in itertools.pairwise([*first, len(owned)]):
        classes.setdefault(tuple(owned[begin:stop, 1].tolist()), []).append(int(owned[begin, 0]))
    return {key: np.array(members, np.int64) for key, members in sorted(classes.items())}


def _owned_elements(
    ptr: Int, owner: Int, elements: NDArray[np.int64], names: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Give (asset, name) for each owner of some elements, (n, 2) int64."""
    size = (ptr[elements + 1] - ptr[elements]).astype(np.int64)
    row = np.repeat(np.arange(len(elements)), size)
    at = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size) + ptr[elements][row]
    return np.column_stack([owner[at], names[row]]).astype(np.int64)


def _lost(core: _Core, sets: NDArray[np.int64]) -> Long:
    """Tell which kept vertices sets of classes cut off, (n_sets, n_kept) int64 of 0 and 1."""
    ptr = np.arange(len(sets) + 1, dtype=np.int64) * sets.shape[1]
    return losses_of_sets(core.walked, ptr, sets.ravel())


def _worst(prepared: Prepared, core: _Core, sets: NDArray[np.int64], lost: Long) -> WorstSet:
    """Find the worst set of assets among sets of classes, best bound first.

    What a set of assets cuts is at most what its classes cut and what each cuts at vertices that stay.
    """
    size = sets.shape[1]
    certain, stays = lost @ core.weights, 1 - lost
    most = np.stack([(more @ stays.T).max(axis=0) for more in core.beyond])
    bounds = certain + most[sets, np.arange(len(sets))[:, None]].sum(axis=1)
    worst = WorstSet(size, -1, ())
    for row in np.argsort(-bounds, kind="stable").tolist():
        if bounds[row] <= worst.loss:
            break
        more = [core.beyond[c] @ stays[row] for c in sets[row].tolist()]
        order = [np.argsort(-one, kind="stable") for one in more]
        start = (0,) * size
        waiting, seen = [(-int(bounds[row]), start)], {start}
        while waiting and -waiting[0][0] > worst.loss:
            _, turn = heapq.heappop(waiting)
            chosen = [by[i] for by, i in zip(order, turn, strict=True)]
            classes = sets[row].tolist()
            assets = sorted(int(core.members[c][i]) for c, i in zip(classes, chosen, strict=True))
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
