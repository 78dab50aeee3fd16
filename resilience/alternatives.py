"""Ways that remain: numbers of cable-disjoint paths from the feeds (D12), for the SPOF table and the loops.

Two paths are disjoint by cable when they share no stretch of cable. They are counted as maximum flows
(Menger 1927) on the graph in which whatever is not a cable, a room's inside for example, is drawn together.
Flows are only run where they can tell more than 1: in the part that no single cable cuts from the feeds.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gracethd.connected import connected_parts
from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.losses import (
    LossIndex,
    behind_losses_of_assets,
    intervals_behind,
    losses_of_assets,
    with_weights,
)
from resilience.spanning import Bool, Int, span

MAX_SEARCHES = 2000  # sets of assets searched by flow; assets beyond keep an empty n_alternatives


@dataclass(frozen=True)
class Flow:
    """A graph of cables: vertices joined by anything else are one.

    Attributes
    ----------
    label : (n_vertices,) int32
        The joined vertex of each vertex; that of the root is ``label[0]``.
    tail, head : (n,) int32
        Ends of each distinct cable between two joined vertices.
    """

    label: Int
    tail: Int
    head: Int

    @property
    def n(self) -> int:
        """Number of joined vertices."""
        return int(self.label.max()) + 1


def cables_of_edges(graph: ServiceGraph, network: Network) -> Int:
    """Give the cable (asset number) that each edge is a stretch of, -1 where it is none, (n_edges,) int32."""
    is_cable = np.zeros(graph.n_assets, np.bool_)
    is_cable[network.assets.index[network.assets["kind"] == "cable"]] = True
    cable = np.full(len(graph.tail), -1, np.int32)
    owned = is_cable[graph.edge_asset]
    cable[graph.edge_of[owned]] = graph.edge_asset[owned]
    return cable


def joined_by_cables(graph: ServiceGraph, cable: Int, kept: Bool) -> Flow:
    """Draw together what anything but a cable joins, among the edges kept."""
    inside = kept & (cable < 0)
    label = connected_parts(graph.n_vertices, graph.tail[inside], graph.head[inside])
    edges = np.flatnonzero(kept & (cable >= 0))
    ends = np.sort(np.stack([label[graph.tail[edges]], label[graph.head[edges]]], axis=1), axis=1)
    distinct = np.unique(np.column_stack([ends, cable[edges]])[ends[:, 0] != ends[:, 1]], axis=0)
    return Flow(label, distinct[:, 0].astype(np.int32), distinct[:, 1].astype(np.int32))


def disjoint_paths(flow: Flow, source: int, target: int, *, by_vertex: bool = False) -> int:
    """Count the paths between two joined vertices that share no cable, or no vertex on the way.

    Maximum flow with capacity 1 for each cable (and for each vertex but the two ends).
    """
    n = flow.n
    tail, head = np.concatenate([flow.tail, flow.head]), np.concatenate([flow.head, flow.tail])
    capacity = np.ones(len(tail), np.int32)
    if by_vertex:
        within = np.full(n, 1, np.int32)
        within[[source, target]] = len(flow.tail) + 1
        tail = np.concatenate([tail + n, np.arange(n)])
        head = np.concatenate([head, np.arange(n) + n])
        capacity = np.concatenate([capacity, within])
        source, n = source + n, 2 * n
    net = sparse.coo_array((capacity, (tail, head)), shape=(n, n), dtype=np.int32).tocsr()
    return int(csgraph.maximum_flow(net, source, target).flow_value)


def without(graph: ServiceGraph, asset: int) -> Bool:
    """Tell which edges remain when the asset fails, (n_edges,) bool."""
    vertex = np.zeros(graph.n_vertices, np.bool_)
    vertex[graph.vertex_of[graph.vertex_asset == asset]] = True
    vertex[0] = False
    edge = vertex[graph.tail] | vertex[graph.head]
    edge[graph.edge_of[graph.edge_asset == asset]] = True
    return ~edge


def part_of(graph: ServiceGraph, kept: Bool) -> tuple[ServiceGraph, Int]:
    """Cut a graph down to the edges kept, their ends and the root; give it with the new vertex numbers.

    Numbers are (n_vertices,) int32, -1 for a vertex left out; asset numbers do not change.
    """
    touched = np.zeros(graph.n_vertices, np.bool_)
    touched[0] = True
    touched[graph.tail[kept]] = touched[graph.head[kept]] = True
    vertex = np.where(touched, np.cumsum(touched) - 1, -1).astype(np.int32)
    edge = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    on_vertex, on_edge = touched[graph.vertex_of], kept[graph.edge_of]
    none = np.empty(0, np.int32)
    return ServiceGraph(
        n_vertices=int(touched.sum()),
        n_assets=graph.n_assets,
        tail=vertex[graph.tail[kept]],
        head=vertex[graph.head[kept]],
        ambiguous=graph.ambiguous[kept],
        vertex_asset=graph.vertex_asset[on_vertex],
        vertex_of=vertex[graph.vertex_of[on_vertex]],
        edge_asset=graph.edge_asset[on_edge],
        edge_of=edge[graph.edge_of[on_edge]],
        possible_asset=none,
        possible_vertex=none,
        prises=graph.prises[touched],
    ), vertex


def path_classes(graph: ServiceGraph, cable: Int) -> Int:
    """Tell how far each vertex is from hanging by one cable, (n_vertices,) int32.

    0: the root does not reach it; 1: some single cable cuts it off; 2: none does; 3: it is with the root,
    joined to it by no cable.
    """
    flow = joined_by_cables(graph, cable, np.ones(len(graph.tail), np.bool_))
    none = np.empty(0, np.int32)
    first = np.where(
        flow.label == flow.label[0], 0, np.where(flow.label < flow.label[0], flow.label + 1, flow.label)
    )
    rename = np.empty(flow.n, np.int32)
    rename[flow.label] = first
    tree = span(
        ServiceGraph(
            n_vertices=flow.n, n_assets=0, tail=rename[flow.tail], head=rename[flow.head],
            ambiguous=np.zeros(len(flow.tail), np.bool_), vertex_asset=none, vertex_of=none, edge_asset=none,
            edge_of=none, possible_asset=none, possible_vertex=none, prises=np.zeros(flow.n, np.int64),
        )
    )  # fmt: skip
    steps = np.zeros(len(tree.end) + 1, np.int64)
    bridge = tree.block_size == 1
    np.add.at(steps, tree.block_start[bridge], 1)
    np.add.at(steps, tree.block_end[bridge], -1)
    by_position = np.where(np.cumsum(steps)[:-1] > 0, 1, 2).astype(np.int32)
    by_position[0] = 3
    reached = tree.position >= 0
    by_label = np.zeros(flow.n, np.int32)
    by_label[reached] = by_position[tree.position[reached]]
    return np.asarray(by_label[rename[flow.label]], np.int32)


def alternatives(network: Network, routes: Routes, nominal: LossIndex, physical: LossIndex) -> pd.Series:
    """Count the cable-disjoint ways that remain without each asset (D12).

    For an asset: the smallest number, over the PMs behind it (the PBOs if none), of cable-disjoint paths from
    the feeds in the physical graph without the asset. For the room of an NRO or a PM: the number of such
    paths to the room itself.

    Parameters
    ----------
    network : Network
    routes : Routes
    nominal, physical : LossIndex
        Of the two graphs of `routes`; their weights do not matter.

    Returns
    -------
    Series of Int64, by asset number
        <NA> where nothing is behind, where the room is a feed itself, and beyond `MAX_SEARCHES` distinct
        searches (the number of assets so left is in ``attrs["not_searched"]``).
    """
    graph = routes.physical
    cable = cables_of_edges(graph, network)
    classes = path_classes(graph, cable)
    targets = _targets(network, routes)
    targets = targets[classes[targets["physical"].to_numpy()] > 0]
    answer = _without_search(targets, classes, graph, nominal, physical)
    rooms = routes.rooms[routes.rooms["vertex_physical"] >= 0]
    ring = classes >= 2
    part, number = part_of(graph, ring[graph.tail] & ring[graph.head])
    rings = _Rings(part, cables_of_edges(part, network))
    for asset, vertex in zip(rooms["asset"], rooms["vertex_physical"], strict=True):
        answer[asset] = classes[vertex] if classes[vertex] < 2 else rings.fewest(None, number[[vertex]])
    asked = np.flatnonzero(answer == _SEARCH).tolist()
    keys = [_elements(physical, a).tobytes() + b"|" + _elements(nominal, a).tobytes() for a in asked]
    first = dict(
        zip(reversed(keys), reversed(asked), strict=True)
    )  # assets of the same elements: searched once
    chosen = [first[key] for key in list(dict.fromkeys(keys))[:MAX_SEARCHES]]
    behind = _targets_behind(targets, nominal, classes, chosen)
    found = {asset: rings.fewest(asset, number[behind[asset]]) for asset in chosen}
    answer[asked] = [found.get(first[key], _UNKNOWN) for key in keys]
    left = sum(first[key] not in found for key in keys)
    out = pd.Series(answer, dtype="Int64", name="n_alternatives")
    out = out.mask(out < 0)
    out.attrs["not_searched"] = int(left)
    return out


_SEARCH, _UNKNOWN = -1, -2


def _targets(network: Network, routes: Routes) -> pd.DataFrame:
    """List where PMs and PBOs stand in both graphs: nominal, physical, is_pm."""
    rooms = routes.rooms[(routes.rooms["nature"] == "PM") & (routes.rooms["vertex_nominal"] >= 0)]
    pm = pd.DataFrame(
        {"nominal": rooms["vertex_nominal"], "physical": rooms["vertex_physical"], "is_pm": True}
    )
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0]
    assets = network.assets
    boxes = assets.index[assets["kind"] == "ebp"]
    owned = pd.Series(routes.physical.vertex_of, index=routes.physical.vertex_asset).groupby(level=0).min()
    of_box = pd.Series(owned.reindex(boxes).to_numpy(), index=assets.loc[boxes, "code"].to_numpy())
    standing = prises["pbo"].map(of_box).fillna(prises["vertex_physical"])
    pbo = pd.DataFrame({"nominal": prises["vertex_nominal"], "physical": standing, "is_pm": False})
    targets = pd.concat([pm, pbo], ignore_index=True).astype({"nominal": np.int32, "physical": np.int32})
    return targets[targets["physical"] >= 0].drop_duplicates(ignore_index=True)


def _without_search(
    targets: pd.DataFrame, classes: Int, graph: ServiceGraph, nominal: LossIndex, physical: LossIndex
) -> NDArray[np.int64]:
    """Give 0 and 1 where counts tell, `_UNKNOWN` where nothing is behind, `_SEARCH` elsewhere.

    No way can be more than 1 without the asset where it is 1 with it.
    """
    is_pm, single = targets["is_pm"].to_numpy(), classes[targets["physical"].to_numpy()] <= 1
    chosen = np.stack([is_pm, is_pm & single, ~is_pm, ~is_pm & single], axis=1)
    weights = np.zeros((nominal.n_vertices, 4), np.int64)
    np.add.at(weights, targets["nominal"].to_numpy(), chosen)
    pm, pm_single, pbo, pbo_single = behind_losses_of_assets(with_weights(nominal, weights)).T
    cut = np.stack([np.zeros(graph.n_vertices, np.int64), graph.prises], axis=1)
    np.add.at(cut[:, 0], targets.loc[is_pm, "physical"].to_numpy(), 1)
    pm_stranded, stranded = losses_of_assets(with_weights(physical, cut)).T
    of_pm = np.where(pm_stranded > 0, 0, np.where(pm_single > 0, 1, _SEARCH))
    of_pbo = np.where(stranded > 0, 0, np.where(pbo_single > 0, 1, _SEARCH))
    return np.asarray(np.where(pm > 0, of_pm, np.where(pbo > 0, of_pbo, _UNKNOWN)), np.int64)


def _elements(index: LossIndex, asset: int) -> Int:
    return np.sort(index.owned.element[index.owned.ptr[asset] : index.owned.ptr[asset + 1]])


def _targets_behind(
    targets: pd.DataFrame, nominal: LossIndex, classes: Int, assets: list[int]
) -> dict[int, Int]:
    """Give the physical vertices of the PMs behind each asset (the PBOs if none), those of rings only."""
    position = nominal.tree.position[targets["nominal"].to_numpy()]
    order = np.argsort(position, kind="stable")
    at = position[order]
    physical, is_pm = (targets[name].to_numpy()[order] for name in ("physical", "is_pm"))
    rows = intervals_behind(nominal, np.array(assets, np.int64))
    bounds = np.searchsorted(at, rows[:, 1:3])
    owner = np.searchsorted(rows[:, 0], np.arange(len(assets) + 1))
    out = {}
    for i, asset in enumerate(assets):
        spans = [np.arange(a, b) for a, b in bounds[owner[i] : owner[i + 1]]]
        behind = np.concatenate([np.empty(0, np.int64), *spans])
        behind = behind[is_pm[behind]] if is_pm[behind].any() else behind
        vertices = np.unique(physical[behind]).astype(np.int32)
        out[asset] = vertices[classes[vertices] >= 2]
    return out


@dataclass(frozen=True)
class _Rings:
    """The part of a graph that no single cable cuts off, searched island by island.

    An island hangs together without the root; a path from the root to a vertex stays in the island of that
    vertex, whatever fails. A network of a hundred loops is so searched one loop at a time.
    """

    graph: ServiceGraph
    cable: Int
    _near: dict[tuple[int, ...], tuple[ServiceGraph, Int, Int]] = field(default_factory=dict)

    @cached_property
    def island(self) -> Int:
        """Number of the island of each vertex; the root, which cannot fail, is in none: -1."""
        inside = (self.graph.tail != 0) & (self.graph.head != 0)
        island = connected_parts(self.graph.n_vertices, self.graph.tail[inside], self.graph.head[inside])
        island[0] = -1
        return island

    def fewest(self, asset: int | None, vertices: Int) -> int:
        """Count the ways without the asset to the vertex that keeps fewest (see `_fewest`)."""
        islands = np.unique(self.island[vertices])
        key = tuple(islands.tolist())
        if key not in self._near:
            tail, head = self.island[self.graph.tail], self.island[self.graph.head]
            kept = np.isin(np.maximum(tail, head), islands[islands >= 0])
            self._near[key] = (*part_of(self.graph, kept), self.cable[kept])
        part, number, cable = self._near[key]
        return _fewest(part, cable, asset, number[vertices])


def _fewest(part: ServiceGraph, cable: Int, asset: int | None, vertices: Int) -> int:
    """Count the ways to the vertex that keeps fewest, `_UNKNOWN` where all stand at a feed."""
    kept = np.ones(len(part.tail), np.bool_) if asset is None else without(part, asset)
    flow = joined_by_cables(part, cable, kept)
    ends = np.unique(flow.label[vertices])
    ways = [disjoint_paths(flow, flow.label[0], end) for end in ends if end != flow.label[0]]
    return min(ways, default=_UNKNOWN)
