"""Losses after a change: cables added, assets taken out, without walking the network again.

For the planner who asks "and with this link?", again and again. A new cable between places that are served
is one more edge outside the spanning tree, and only assets on the way to its two ends can cut less; what is
taken out fails together with each asset asked about.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.errors import GraceTHDError
from gracethd.network.types import Network
from gracethd.routes.climb import slices
from gracethd.routes.types import Routes
from gracethd.service import Int, ServiceGraph
from resilience.losses import LossIndex, Owned, index_graph, losses_of_assets, losses_of_owned, losses_of_sets
from resilience.objects import object_named, rows_named
from resilience.spanning import Long, SpanningTree

_NONE: Int = np.empty(0, np.int32)


class Change(NamedTuple):
    """What is added and taken out.

    Attributes
    ----------
    tail, head : (n,) int32
        Ends of the edges that are added: vertices of the graph.
    edge_asset, edge_of : (m,) int32
        Asset ``edge_asset[i]`` takes the added edge ``edge_of[i]`` (from 0) with it: an asset of the graph (a
        way in which a new cable lies), or a new one, numbered from its n_assets on.
    removed : (r,) int32
        Assets that are taken out for good, with all that they own.
    """

    tail: Int = _NONE
    head: Int = _NONE
    edge_asset: Int = _NONE
    edge_of: Int = _NONE
    removed: Int = _NONE


class NewCable(NamedTuple):
    """A cable that is not there yet.

    Attributes
    ----------
    code : str
        Its name in the answer, of kind ``cable``.
    end1, end2 : str
        ``kind:code`` of the rooms, boxes or places that it joins.
    ways : tuple of str
        ``kind:code`` of what it lies in or on and fails with, of today's network.
    """

    code: str
    end1: str
    end2: str
    ways: tuple[str, ...] = ()


def losses_with(
    network: Network, routes: Routes, *, added: Sequence[NewCable] = (), removed: Sequence[str] = ()
) -> pd.DataFrame:
    """Tell which objects cut or strand more, or fewer, prises once cables are added and objects taken out.

    Parameters
    ----------
    network : Network
    routes : Routes
    added : sequence of NewCable
        Today's ways of serving go on as they are; light takes the new cable when they fail.
    removed : sequence of str
        ``kind:code`` of what is taken out for good.

    Returns
    -------
    DataFrame
        One row per object of which a number changes: kind, code, prises_cut_before, prises_cut,
        prises_stranded_before, prises_stranded (int64). New cables come last, with 0 before. What the removed
        objects cut together, whatever else fails, is in ``attrs["prises_cut"]`` and
        ``attrs["prises_stranded"]``; an object cuts what is lost beyond that.

    Raises
    ------
    GraceTHDError
        When an object does not exist, or is not one end: none of its fibres are followed, or several cables
        pass it that nothing joins.

    Examples
    --------
    >>> link = NewCable("projet", "local:LP1", "local:LN2")  # doctest: +SKIP
    >>> losses_with(network, routes, added=[link])  # doctest: +SKIP
    """
    assets = network.assets
    new = pd.DataFrame({"kind": "cable", "code": [cable.code for cable in added]}, dtype=object)
    out = pd.concat([pd.DataFrame(assets[["kind", "code"]]), new], ignore_index=True)
    gone = rows_named(assets, removed, where="removed").astype(np.int32)
    together: dict[str, int] = {}
    rooms = routes.rooms.set_index("asset")
    for name, graph, at in (
        ("prises_cut", routes.nominal, rooms["vertex_nominal"]),
        ("prises_stranded", routes.physical, rooms["vertex_physical"]),
    ):
        change = _cables(assets, graph, at[at >= 0], added)._replace(removed=gone)
        index = index_graph(graph, graph.prises)
        before = losses_of_assets(index)
        out[f"{name}_before"] = np.concatenate([before[:, 0], np.zeros(len(added), np.int64)])
        out[name] = losses_after(graph, index, before, change)[:, 0]
        together[name] = int(losses_of_sets(index, np.array([0, len(gone)]), gone)[0, 0])
    is_same = (out["prises_cut"] == out["prises_cut_before"]) & (
        out["prises_stranded"] == out["prises_stranded_before"]
    )
    found = out[~is_same].reset_index(drop=True)
    found.attrs.update(together)
    return found


def changed(graph: ServiceGraph, change: Change) -> ServiceGraph:
    """Give the graph after the change, vertices and edges numbered as before, added ones last.

    What is taken out stays as edges that join nothing.
    """
    gone = np.zeros(graph.n_vertices, np.bool_)
    gone[graph.vertex_of[np.isin(graph.vertex_asset, change.removed)]] = True
    gone[0] = False
    tail, head = np.concatenate([graph.tail, change.tail]), np.concatenate([graph.head, change.head])
    out = gone[tail] | gone[head]
    edge_asset = np.concatenate([graph.edge_asset, change.edge_asset])
    edge_of = np.concatenate([graph.edge_of, change.edge_of + np.int32(len(graph.tail))])
    out[edge_of[np.isin(edge_asset, change.removed)]] = True
    return replace(
        graph,
        n_assets=_n_assets(graph, change),
        tail=np.where(out, 0, tail).astype(np.int32),
        head=np.where(out, 0, head).astype(np.int32),
        ambiguous=np.concatenate([graph.ambiguous, np.zeros(len(change.tail), np.bool_)]),
        edge_asset=edge_asset.astype(np.int32),
        edge_of=edge_of.astype(np.int32),
    )


def losses_after(graph: ServiceGraph, index: LossIndex, before: Long, change: Change) -> Long:
    """Sum the weights lost with each asset alone once a network has changed.

    Parameters
    ----------
    graph : ServiceGraph
    index : LossIndex
        Of the graph.
    before : (n_assets, k) int64
        `resilience.losses.losses_of_assets` of the index.
    change : Change

    Returns
    -------
    (n_assets_after, k) int64
        Exact: what `losses_of_assets` gives for the index of `changed`. Only when a cable is added to a place
        that no feed reaches is the network walked again.

    Raises
    ------
    ValueError
        When a number in the change does not fit.

    Examples
    --------
    One cable (asset 0) serves 7 prises; a second one beside it leaves nothing to cut:

    >>> none, one = np.empty(0, np.int32), np.zeros(1, np.int32)
    >>> graph = ServiceGraph(2, 1, one, one + 1, one > 0, none, none, one, one, none, none, np.array([0, 7]))
    >>> index = index_graph(graph, graph.prises)
    >>> before = losses_of_assets(index)
    >>> before, losses_after(graph, index, before, Change(tail=one, head=one + 1))
    (array([[7]]), array([[0]]))
    """
    _check(graph, change)
    tree, n_after = index.tree, _n_assets(graph, change)
    reached = tree.position >= 0
    if (reached[change.tail] != reached[change.head]).any():
        # a part without feed gets one: the tree grows
        after = changed(graph, change)
        weights = np.zeros((graph.n_vertices, before.shape[1]), np.int64)
        weights[reached] = np.diff(index.prefix, axis=0)[tree.position[reached]]
        return losses_of_assets(index_graph(after, weights))
    wider = _with_edges(index, change)
    out = np.zeros((n_after, before.shape[1]), np.int64)
    out[: graph.n_assets] = before
    if len(change.removed):
        asked = np.arange(n_after)
    else:
        asked = _on_the_way(index, np.concatenate([change.tail, change.head]))
    rows = _owned_by(index, graph, change, asked)
    out[asked] = losses_of_owned(wider, rows)
    if len(change.removed):
        alone = _owned_by(index, graph, change, np.empty(0, np.int64), extra=1)
        out[asked] -= losses_of_owned(wider, alone)
    return out


def _cables(assets: pd.DataFrame, graph: ServiceGraph, rooms: pd.Series, added: Sequence[NewCable]) -> Change:
    """Give the edges of new cables between the vertices of their ends, and what these fail with.

    `rooms` is the vertex of each room of the graph, by asset number.
    """
    ends = [
        [_vertex_of(assets, graph, rooms, label) for label in (cable.end1, cable.end2)] for cable in added
    ]
    tail, head = np.array(ends, np.int32).reshape(-1, 2).T
    owners = [
        [*rows_named(assets, cable.ways, where=f"ways of {cable.code}"), graph.n_assets + number]
        for number, cable in enumerate(added)
    ]
    return Change(
        tail,
        head,
        edge_asset=np.array([asset for row in owners for asset in row], np.int32),
        edge_of=np.repeat(np.arange(len(added)), [len(row) for row in owners]).astype(np.int32),
    )


def _vertex_of(assets: pd.DataFrame, graph: ServiceGraph, rooms: pd.Series, label: str) -> int:
    asset = object_named(assets, label, where="ends of a cable")
    if asset in rooms.index:
        return int(rooms[asset])
    vertices = np.unique(graph.vertex_of[graph.vertex_asset == asset])
    if len(vertices) == 1:
        return int(vertices[0])
    found = f"{len(vertices)} separate cables pass there" if len(vertices) else "no light is followed there"
    cure = "name the room of an NRO or a PM, or a box that joins what it holds"
    raise GraceTHDError(f"a cable cannot end in {label}: {found}; {cure}")


def _n_assets(graph: ServiceGraph, change: Change) -> int:
    return max(graph.n_assets, int(change.edge_asset.max(initial=-1)) + 1)


def _check(graph: ServiceGraph, change: Change) -> None:
    limits = (
        ("tail", change.tail, graph.n_vertices),
        ("head", change.head, graph.n_vertices),
        ("edge_of", change.edge_of, len(change.tail)),
        ("removed", change.removed, graph.n_assets),
    )
    for name, values, limit in limits:
        if len(values) and (values.min() < 0 or values.max() >= limit):
            raise ValueError(f"Change.{name}: numbers must be in 0..{limit - 1}")


def _with_edges(index: LossIndex, change: Change) -> LossIndex:
    """Give the index with more edges outside its tree; its blocks are those of before and not to be used."""
    tree = index.tree
    at = np.stack([tree.position[change.tail], tree.position[change.head]])
    loose = (at[0] >= 0) & (at[0] != at[1])
    number = (index.n_edges + np.flatnonzero(loose)).astype(np.int32)
    own = np.concatenate([tree.half_at, at[0][loose], at[1][loose]])
    order = np.argsort(own, kind="stable")
    wider: SpanningTree = replace(
        tree,
        half_at=own[order],
        half_to=np.concatenate([tree.half_to, at[1][loose], at[0][loose]])[order],
        half_edge=np.concatenate([tree.half_edge, number, number])[order],
        half_ptr=np.searchsorted(own[order], np.arange(len(tree.end) + 1)).astype(np.int32),
    )
    n_edges = index.n_edges + len(change.tail)
    return replace(index, tree=wider, n_edges=n_edges, exact=index.exact.with_edges(loose))


def _on_the_way(index: LossIndex, vertices: Int) -> NDArray[np.int64]:
    """Give the assets that own a part of the tree path from the root to one of the vertices.

    Any other asset leaves these paths whole: it cuts neither end of a new edge, before or after.
    """
    tree = index.tree
    on_path = np.zeros(len(tree.end), np.bool_)
    for spot in tree.position[vertices].tolist():
        at = spot
        while at >= 0 and not on_path[at]:
            on_path[at] = True
            at = int(tree.parent[at])
    hit = np.zeros(index.n_vertices + index.n_edges, np.bool_)
    reached = np.flatnonzero(tree.position >= 0)
    hit[reached] = on_path[tree.position[reached]]
    below = tree.edge_child
    hit[index.n_vertices :][below >= 0] = on_path[below[below >= 0]]
    owner = np.repeat(np.arange(index.n_assets), np.diff(index.owned.ptr))
    return np.unique(owner[hit[index.owned.element]]).astype(np.int64)


def _owned_by(
    index: LossIndex, graph: ServiceGraph, change: Change, asked: NDArray[np.int64], *, extra: int = 0
) -> Owned:
    """Give the elements of each asset asked about, added edges and all that is taken out included.

    `extra` rows with what is taken out alone follow.
    """
    ptr, element = index.owned
    known = asked[asked < graph.n_assets]
    size = np.zeros(len(asked), np.int64)
    size[asked < graph.n_assets] = np.diff(ptr)[known]
    start = np.zeros(len(asked), np.int64)
    start[asked < graph.n_assets] = ptr[known]
    row, at = slices(start, size)
    own = element[at]
    first = index.n_vertices + index.n_edges
    order = np.argsort(asked, kind="stable")
    at = np.searchsorted(asked[order], change.edge_asset)
    met = (at < len(asked)) & np.isin(change.edge_asset, asked)
    added_row = order[at[met]] if len(asked) else np.empty(0, np.int64)
    gone = np.concatenate(
        [
            np.empty(0, np.int64),
            *(element[ptr[a] : ptr[a + 1]].astype(np.int64) for a in change.removed.tolist()),
            first + change.edge_of[np.isin(change.edge_asset, change.removed)].astype(np.int64),
        ]
    )
    n_rows = len(asked) + extra
    rows = np.concatenate([row, added_row, np.repeat(np.arange(n_rows), len(gone))])
    elements = np.concatenate([own, first + change.edge_of[met], np.tile(gone, n_rows)])
    by_row = np.argsort(rows, kind="stable")
    count = np.bincount(rows.astype(np.int64), minlength=n_rows)
    return Owned(np.concatenate([[0], np.cumsum(count)]).astype(np.int32), elements[by_row].astype(np.int32))
