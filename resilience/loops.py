"""Real redundancy of the collecte: how many paths reach each NRO, and which loops are false (D12).

For the engineer who is told "this NRO is looped": two cables are not two paths when they lie in one trench.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import networkx as nx
import numpy as np
import pandas as pd

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import Flow, cables_of_edges, disjoint_paths, joined_by_cables, part_of
from resilience.losses import index_graph, losses_of_sets
from resilience.spanning import Int

MAX_PATHS = 2000  # first legs tried for one NRO; a mesh of collecte with more keeps the best count found
TYPES = {
    "nro": "str", "k_cable": "Int64", "k_place": "Int64", "k_srlg": "Int64", "shared_m": "float64",
    "shared_places": "int64", "is_false": "bool",
}  # fmt: skip
COLUMNS = tuple(TYPES)
Leg = tuple[int, int, int]


def loops(network: Network, routes: Routes) -> pd.DataFrame:
    """Tell for each NRO how many collecte paths reach it, and whether its loop is a false one.

    Paths run from the feeds over collecte cables only, through other NROs but never through a PM.

    Parameters
    ----------
    network : Network
    routes : Routes

    Returns
    -------
    DataFrame
        One row per NRO, sorted by code:

        - nro: code of the room;
        - k_cable, k_place: Int64, number of paths that share no cable; no place where cables end (maximum
          flows; the NRO and the feeds themselves do not count). <NA> where the NRO is its own feed: the
          collecte is not judged (D14);
        - k_srlg: Int64, number of paths that share no risk: no cable, way, conduit, chamber, pole, site or
          place, ended in or passed through, but those of the NRO and of the feeds. Exact while at most
          `MAX_PATHS` first legs have to be tried, else the most found, and the code is in
          ``attrs["k_srlg_at_least"]``;
        - shared_m: float, metres of the ways that cut the NRO off alone although two cables or more reach it;
        - shared_places: int64, places that do so;
        - is_false: bool, k_cable >= 2 and k_srlg < 2.
    """
    nro = routes.rooms[(routes.rooms["nature"] == "NRO") & (routes.rooms["vertex_physical"] >= 0)]
    nro = nro.sort_values("code", ignore_index=True)
    collecte = _collecte(network, routes, nro["vertex_physical"].to_numpy())
    rows = [_row(network.assets, collecte, i, code) for i, code in enumerate(nro["code"])]
    table = pd.DataFrame([row[:-1] for row in rows], columns=list(COLUMNS)).astype(dict(TYPES))
    table.attrs["k_srlg_at_least"] = [row[0] for row in rows if not row[-1]]
    return table


@dataclass(frozen=True)
class _Collecte:
    """The collecte cut out of the physical graph.

    ``cutting[i]`` lists the assets that cut NRO i off alone; `owners` are sets of assets by joined vertex,
    `risks` by stretch of cable: (one end, other end, assets).
    """

    flow: Flow
    target: list[int]
    cutting: list[Int]
    owners: dict[int, frozenset[int]]
    risks: list[tuple[int, int, frozenset[int]]]

    @property
    def source(self) -> int:
        return int(self.flow.label[0])


def _collecte(network: Network, routes: Routes, nro: Int) -> _Collecte:
    graph, sections = routes.physical, network.sections
    cable = cables_of_edges(graph, network)
    is_collecte = np.zeros(graph.n_assets + 1, np.bool_)  # the last stands for edges that are no cable
    is_collecte[sections.loc[sections["layer"] == "collecte", "cable"].to_numpy()] = True
    is_collecte[-1] = True
    pm = np.zeros(graph.n_vertices, np.bool_)
    rooms = routes.rooms
    pm[
        rooms.loc[(rooms["nature"] == "PM") & (rooms["vertex_physical"] > 0), "vertex_physical"].to_numpy()
    ] = True
    pm[nro] = False
    part, number = part_of(graph, is_collecte[cable] & ~pm[graph.tail] & ~pm[graph.head])
    cable = cables_of_edges(part, network)
    flow = joined_by_cables(part, cable, np.ones(len(cable), np.bool_))
    vertex = number[nro]
    label = np.where(vertex >= 0, flow.label[vertex], -1)
    owned = pd.Series(part.vertex_asset).groupby(flow.label[part.vertex_of]).agg(frozenset)
    by_edge = pd.Series(part.edge_asset).groupby(part.edge_of).agg(frozenset)
    ends = flow.label[np.stack([part.tail, part.head], axis=1)][by_edge.index]
    risks = [(int(a), int(b), risk) for (a, b), risk in zip(ends, by_edge, strict=True) if a != b]
    return _Collecte(
        flow, label.tolist(), _cutting(part, vertex), dict(zip(owned.index, owned, strict=True)), risks
    )


def _cutting(part: ServiceGraph, vertex: Int) -> list[Int]:
    """List the assets that cut each vertex off alone."""
    weights = np.zeros((part.n_vertices, len(vertex)), np.int64)
    inside = np.flatnonzero(vertex >= 0)
    weights[vertex[inside], inside] = 1
    owners = np.unique(np.concatenate([part.vertex_asset, part.edge_asset]))
    lost = losses_of_sets(index_graph(part, weights), np.arange(len(owners) + 1), owners)
    return [owners[lost[:, i] > 0] for i in range(len(vertex))]


def _row(
    assets: pd.DataFrame, collecte: _Collecte, i: int, code: str
) -> tuple[str, int | None, int | None, int | None, float, int, bool, bool]:
    source, target = collecte.source, collecte.target[i]
    if target == source:
        return code, None, None, None, 0.0, 0, False, True
    if target < 0:
        return code, 0, 0, 0, 0.0, 0, False, True
    k_cable = disjoint_paths(collecte.flow, source, target)
    k_place = disjoint_paths(collecte.flow, source, target, by_vertex=True)
    own = collecte.owners.get(source, frozenset()) | collecte.owners.get(target, frozenset())
    alone = [asset for asset in collecte.cutting[i].tolist() if asset not in own]
    k_srlg, is_sure = (1, True) if alone else _disjoint_in_risk(collecte, target, own, k_cable)
    shared = assets.loc[alone if k_cable >= 2 else []]
    shared_m = float(shared.loc[shared["kind"] == "cheminement", "length_m"].sum())
    shared_places = int(shared.loc[shared["nd_code"] != "", "nd_code"].nunique())
    return code, k_cable, k_place, k_srlg, shared_m, shared_places, k_cable >= 2 > k_srlg, is_sure


def _disjoint_in_risk(
    collecte: _Collecte, target: int, own: frozenset[int], at_most: int
) -> tuple[int, bool]:
    """Count the paths that share no asset but `own`, and tell whether the search was exhaustive."""
    net: nx.MultiGraph[int] = nx.MultiGraph()
    for label in range(collecte.flow.n):
        net.add_node(label, risk=collecte.owners.get(label, frozenset()) - own)
    net.add_edges_from((a, b, {"risk": risk - own}) for a, b, risk in collecte.risks)
    tried = itertools.count(1)
    found = _most(_between(net, collecte.source, target), collecte.source, target, at_most, tried)
    return found, found == at_most or next(tried) <= MAX_PATHS


def _between(net: "nx.MultiGraph[int]", source: int, target: int) -> "nx.MultiGraph[int]":
    """Keep what lies on a simple path between two vertices, with chains drawn into single edges."""
    simple: nx.Graph[int] = nx.Graph(net)
    simple.add_edge(source, target)
    blocks = cast("Iterable[set[int]]", nx.biconnected_components(simple))
    block = next(block for block in blocks if source in block and target in block)
    kept = net.subgraph(block).copy()
    for vertex in sorted(block - {source, target}):
        legs = cast("Iterable[tuple[int, int, frozenset[int]]]", kept.edges(vertex, data="risk"))
        edges = [(head, risk) for _, head, risk in legs]
        if len(edges) == 2:
            (a, first), (b, second) = edges
            risk = first.union(second, kept.nodes[vertex]["risk"])
            kept.remove_node(vertex)
            if a != b:
                kept.add_edge(a, b, risk=risk)
    return kept


def _most(net: "nx.MultiGraph[int]", source: int, target: int, at_most: int, tried: Iterator[int]) -> int:
    """Search the largest number of risk-disjoint paths, first leg by first leg."""
    if at_most == 0 or not nx.has_path(net, source, target):
        return 0
    best = 0
    for path in cast("Iterable[list[Leg]]", nx.all_simple_edge_paths(net, source, target)):
        on_edges = [net.edges[leg]["risk"] for leg in path]
        on_vertices = [net.nodes[head]["risk"] for _, head, _ in path[:-1]]
        risk = frozenset[int]().union(*on_edges, *on_vertices)
        left = net.copy()
        legs = cast("Iterable[Leg]", net.edges(keys=True))
        for leg in [leg for leg in legs if net.edges[leg]["risk"] & risk]:
            left.remove_edge(*leg)
        left.remove_nodes_from([vertex for vertex in net.nodes if net.nodes[vertex]["risk"] & risk])
        best = max(best, 1 + _most(left, source, target, at_most - 1, tried))
        if best == at_most or next(tried) >= MAX_PATHS:
            break
    return best
