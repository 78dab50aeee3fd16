"""Real redundancy: how many paths reach each NRO and PM, and which loops are false (D12).

For the engineer who is told "this NRO is looped": two cables are not two paths when they lie in one trench.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import networkx as nx
import numpy as np
import pandas as pd

from gracethd.compiled import compiled
from gracethd.connected import connected_parts
from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import Flow, cables_of_edges, disjoint_paths, joined_by_cables, part_of
from resilience.losses import index_graph, losses_of_sets
from resilience.low_points import adjacency
from resilience.risk_disjoint import most_disjoint
from resilience.shared_risk import with_groups
from resilience.spanning import Bool, Int

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPES = {
    "nro": "str", "k_cable": "Int64", "k_place": "Int64", "k_srlg": "Int64", "shared_m": "float64",
    "shared_places": "int64", "is_false": "bool",
}  # fmt: skip
COLUMNS = tuple(TYPES)


def loops(network: Network, routes: Routes, groups: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tell for each NRO how many collecte paths reach it, and whether its loop is a false one.

    Paths run from the feeds over collecte cables only, through other NROs but never through a PM.

    Parameters
    ----------
    network : Network
    routes : Routes
    groups : DataFrame, optional
        Bridges and user groups that legs may share, from `resilience.shared_risk.risk_groups`; power zones
        are left out, since a room rides through a cut on its own supply.

    Returns
    -------
    DataFrame
        One row per NRO, sorted by code:

        - nro: code of the room;
        - k_cable, k_place: Int64, number of paths that share no cable; no place where cables end (maximum
          flows; the NRO and the feeds themselves do not count). <NA> where the NRO is its own feed: the
          collecte is not judged (D14);
        - k_srlg: Int64, number of paths that share no risk: no cable, way, conduit, chamber, pole, site or
          place, ended in or passed through, but those of the NRO and of the feeds. Exact, or the most found
          where `resilience.risk_disjoint` gives up, and the code is in ``attrs["k_srlg_at_least"]``;
        - shared_m: float, metres of the ways that cut the NRO off alone although two cables or more reach it;
        - shared_places: int64, places that do so;
        - is_false: bool, k_cable >= 2 and k_srlg < 2.
    """
    nro = routes.rooms[(routes.rooms["nature"] == "NRO") & (routes.rooms["vertex_physical"] >= 0)]
    nro = nro.sort_values("code", ignore_index=True)
    graph, targets = _with_risks(routes.physical, groups), nro["vertex_physical"].to_numpy()
    kept = collecte_edges(network, routes, graph, targets)
    drawn = _drawn(network, graph, kept, targets)
    return _table([_row(network.assets, drawn, i, code) for i, code in enumerate(nro["code"])])


def redundancy(network: Network, routes: Routes, groups: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tell for each NRO and each PM how many paths reach it, and whether its loop is a false one.

    Parameters
    ----------
    network, routes, groups
        As for `loops`, which gives the rows of NROs. Paths to a PM run over collecte and transport cables,
        through NROs but never through another PM.

    Returns
    -------
    DataFrame
        nature (NRO|PM) and code, then the columns of `loops` but nro; sorted by nature and code.
        ``attrs["k_srlg_at_least"]`` as there.
    """
    of_nro = loops(network, routes, groups)
    pm = routes.rooms[(routes.rooms["nature"] == "PM") & (routes.rooms["vertex_physical"] >= 0)]
    pm = pm.sort_values("code", ignore_index=True)
    graph = _with_risks(routes.physical, groups)
    to_pm = transport_to_pm(network, graph, pm["vertex_physical"].to_numpy())
    rows = []
    for code, own, legs in zip(pm["code"], to_pm.vertex.tolist(), to_pm.legs.tolist(), strict=True):
        if own == 0:
            rows.append(_Row(code, None, None, None))
        elif legs < 2:
            rows.append(_Row(code, legs, legs, legs))
        else:
            kept = to_pm.edges_to(own)
            rows.append(_row(network.assets, _drawn(network, to_pm.part, kept, np.array([own])), 0, code))
    of_pm = _table(rows)
    out = pd.concat([of_nro.assign(nature="NRO"), of_pm.assign(nature="PM")], ignore_index=True)
    out = out.rename(columns={"nro": "code"})[["nature", "code", *COLUMNS[1:]]]
    out.attrs["k_srlg_at_least"] = of_nro.attrs["k_srlg_at_least"] + of_pm.attrs["k_srlg_at_least"]
    return out


def collecte_edges(network: Network, routes: Routes, graph: ServiceGraph, nro: Int) -> Bool:
    """Tell the edges that a path of collecte may take: no other layer, and no PM but at the vertices `nro`.

    `graph` is the physical graph of the routes, with or without groups; the answer is (n_edges,) bool.
    """
    pm, rooms = np.zeros(graph.n_vertices, np.bool_), routes.rooms
    is_pm = (rooms["nature"] == "PM") & (rooms["vertex_physical"] > 0)
    pm[rooms.loc[is_pm, "vertex_physical"].to_numpy()] = True
    pm[nro] = False
    return _kept(network, graph, ("collecte",)) & ~_touching(graph, pm)


class TransportToPm(NamedTuple):
    """What leads to PMs: the collecte and transport of a graph.

    Attributes
    ----------
    part : ServiceGraph
    is_pm : (n_vertices,) bool
    vertex : (n_pm,) int32
        Of each PM in `part`: 0 where it is a feed itself, -1 where no such cable reaches it.
    legs : (n_pm,) int32
        Cables by which it hangs on what a feed reaches without passing a PM: 0, 1, or 2 for two and more.
    """

    part: ServiceGraph
    is_pm: Bool
    vertex: Int
    legs: Int

    def edges_to(self, own: int) -> Bool:
        """Tell the edges on a way from a feed to the PM at a vertex that passes no other PM."""
        others = self.is_pm.copy()
        others[own] = False
        return _peeled(self.part.tail, self.part.head, ~_touching(self.part, others), len(others), own)


def transport_to_pm(network: Network, graph: ServiceGraph, pm: Int) -> TransportToPm:
    """Cut out of the physical graph, with or without groups, what leads to the PMs at these vertices."""
    part, number = part_of(graph, _kept(network, graph, ("collecte", "transport")))
    at = number[pm]
    is_pm = np.zeros(part.n_vertices, np.bool_)
    is_pm[at[at > 0]] = True
    legs = np.where(at > 0, _distinct_legs(part, network, is_pm)[np.maximum(at, 0)], 0)
    return TransportToPm(part, is_pm, at, legs.astype(np.int32))


class _Row(NamedTuple):
    """One row of the table, and whether k_srlg is exact."""

    code: str
    k_cable: int | None
    k_place: int | None
    k_srlg: int | None
    shared_m: float = 0.0
    shared_places: int = 0
    is_false: bool = False
    is_sure: bool = True


def _table(rows: list[_Row]) -> pd.DataFrame:
    table = pd.DataFrame([row[:-1] for row in rows], columns=list(COLUMNS)).astype(dict(TYPES))
    table.attrs["k_srlg_at_least"] = [row.code for row in rows if not row.is_sure]
    return table


def _with_risks(graph: ServiceGraph, groups: pd.DataFrame | None) -> ServiceGraph:
    return graph if groups is None else with_groups(graph, groups[groups["kind"] != "zone_elec"])


def _kept(network: Network, graph: ServiceGraph, layers: tuple[str, ...]) -> Bool:
    """Tell the edges that are no cable, or a stretch of one with these layers."""
    in_layer = np.zeros(graph.n_assets + 1, np.bool_)  # the last stands for edges that are no cable
    sections = network.sections
    in_layer[sections.loc[sections["layer"].isin(layers), "cable"].to_numpy()] = True
    in_layer[-1] = True
    return np.asarray(in_layer[cables_of_edges(graph, network)], np.bool_)


def _touching(graph: ServiceGraph, vertices: Bool) -> Bool:
    return np.asarray(vertices[graph.tail] | vertices[graph.head], np.bool_)


def _distinct_legs(part: ServiceGraph, network: Network, is_pm: Bool) -> Int:
    """Count, up to two, the cables by which each PM hangs on what a feed reaches without passing a PM."""
    base = ~_touching(part, is_pm)
    flow = joined_by_cables(part, np.full(len(part.tail), -1, np.int32), base)
    fed = (flow.label == flow.label[0]) & ~is_pm
    cable = cables_of_edges(part, network)
    legs = [
        pd.DataFrame({"pm": own, "far": far, "cable": cable, "edge": np.arange(len(cable))})
        for own, far in ((part.tail, part.head), (part.head, part.tail))
    ]
    ends = pd.concat(legs)
    ends = ends[is_pm[ends["pm"]] & fed[ends["far"]]]
    # what is no cable (a link inside a room) may lead to several: each counts for two, and is searched
    size = np.where(ends["cable"] < 0, 2, 1)
    ends = ends.assign(size=size, key=np.where(ends["cable"] < 0, -1 - ends["edge"], ends["cable"]))
    ends = ends.drop_duplicates(["pm", "key"])
    out = np.zeros(part.n_vertices, np.int32)
    np.add.at(out, ends["pm"].to_numpy(), ends["size"].to_numpy(np.int32))
    return np.minimum(out, 2)


@compiled
def _peeled(tail: Int, head: Int, kept: Bool, n: int, target: int) -> Bool:
    """Leave out edges that lead nowhere, again and again: dead ends but the root and the target."""
    ptr, other, edge = adjacency(n, tail, head)
    degree, left = np.zeros(n, np.int32), kept.copy()
    for e in range(len(tail)):
        if left[e]:
            degree[tail[e]] += 1
            degree[head[e]] += 1
    stack, size = np.empty(n + 1, np.int32), 0
    for v in range(1, n):
        if degree[v] == 1 and v != target:
            stack[size] = v
            size += 1
    while size > 0:
        size -= 1
        v = stack[size]
        for h in range(ptr[v], ptr[v + 1]):
            if left[edge[h]]:
                w = other[h]
                left[edge[h]] = False
                degree[v] -= 1
                degree[w] -= 1
                if degree[w] == 1 and w not in (0, target):
                    stack[size] = w
                    size += 1
    return left


@dataclass(frozen=True)
class _Collecte:
    """The collecte cut out of the physical graph.

    ``cutting[i]`` lists the assets that cut NRO i off alone; `owners` are sets of assets by joined vertex,
    `part` numbers what hangs together without the feeds, by joined vertex: no path to a target leaves its
    part. `nets` are what carries the paths of each part: joined vertices and stretches of cable with the
    assets that they fail with (``risk``), chains between NROs drawn into single edges.
    """

    flow: Flow
    target: list[int]
    cutting: list[Int]
    owners: dict[int, frozenset[int]]
    part: Int
    nets: dict[int, "nx.MultiGraph[int]"]

    @property
    def source(self) -> int:
        return int(self.flow.label[0])


def _drawn(network: Network, graph: ServiceGraph, kept: Bool, targets: Int) -> _Collecte:
    """Cut out the edges kept and draw them together for paths to the targets."""
    part, number = part_of(graph, kept)
    cable = cables_of_edges(part, network)
    flow = joined_by_cables(part, cable, np.ones(len(cable), np.bool_))
    vertex = number[targets]
    label = np.where(vertex >= 0, flow.label[vertex], -1)
    owned = pd.Series(part.vertex_asset).groupby(flow.label[part.vertex_of]).agg(frozenset)
    by_edge = pd.Series(part.edge_asset).groupby(part.edge_of).agg(frozenset)
    ends = flow.label[np.stack([part.tail, part.head], axis=1)][by_edge.index]
    source = int(flow.label[0])
    inside = (flow.tail != source) & (flow.head != source)
    number_of = connected_parts(flow.n, flow.tail[inside], flow.head[inside])
    of_vertex = dict(zip(owned.index, owned, strict=True))
    nets: dict[int, nx.MultiGraph[int]] = {}
    for (a, b), risk in zip(ends.tolist(), by_edge, strict=True):
        if a != b:
            net = nets.setdefault(int(number_of[b if a == source else a]), nx.MultiGraph())
            net.add_edge(a, b, risk=risk)
    for net in nets.values():
        for joined in net.nodes:
            net.nodes[joined]["risk"] = of_vertex.get(joined, frozenset())
        _draw_chains_together(net, set(net.nodes) - {source, *label.tolist()})
    return _Collecte(flow, label.tolist(), _cutting(part, vertex), of_vertex, number_of, nets)


def _cutting(part: ServiceGraph, vertex: Int) -> list[Int]:
    """List the assets that cut each vertex off alone."""
    weights = np.zeros((part.n_vertices, len(vertex)), np.int64)
    inside = np.flatnonzero(vertex >= 0)
    weights[vertex[inside], inside] = 1
    owners = np.unique(np.concatenate([part.vertex_asset, part.edge_asset]))
    lost = losses_of_sets(index_graph(part, weights), np.arange(len(owners) + 1), owners)
    return [owners[lost[:, i] > 0] for i in range(len(vertex))]


def _row(assets: pd.DataFrame, collecte: _Collecte, i: int, code: str) -> _Row:
    source, target = collecte.source, collecte.target[i]
    if target == source:
        return _Row(code, None, None, None)
    if target < 0:
        return _Row(code, 0, 0, 0)
    k_cable = disjoint_paths(collecte.flow, source, target)
    k_place = disjoint_paths(collecte.flow, source, target, by_vertex=True)
    at_most = min(k_cable, k_place)  # a cable and a place are risks too
    own = collecte.owners.get(source, frozenset()) | collecte.owners.get(target, frozenset())
    alone = [asset for asset in collecte.cutting[i].tolist() if asset not in own]
    k_srlg, is_sure = (1, True) if alone else _disjoint_in_risk(collecte, target, own, at_most)
    # a group is told by its members
    shared = assets.loc[[asset for asset in alone if asset < len(assets)] if k_cable >= 2 else []]
    shared_m = float(shared.loc[shared["kind"] == "cheminement", "length_m"].sum())
    shared_places = int(shared.loc[shared["nd_code"] != "", "nd_code"].nunique())
    return _Row(code, k_cable, k_place, k_srlg, shared_m, shared_places, k_cable >= 2 > k_srlg, is_sure)


def _disjoint_in_risk(
    collecte: _Collecte, target: int, own: frozenset[int], at_most: int
) -> tuple[int, bool]:
    """Count the paths that share no asset but `own`, and tell whether the search was exhaustive."""
    net = collecte.nets.get(int(collecte.part[target]))
    if net is None or not {collecte.source, target} <= set(net.nodes):
        return 0, True
    between = _between(net, collecte.source, target)
    if between is None:
        return 0, True
    return most_disjoint(between, collecte.source, target, own=own, at_most=at_most)


def _between(net: "nx.MultiGraph[int]", source: int, target: int) -> "nx.MultiGraph[int] | None":
    """Keep what lies on a simple path between two vertices, with chains drawn into single edges."""
    simple: nx.Graph[int] = nx.Graph(net)
    if not nx.has_path(simple, source, target):
        return None
    simple.add_edge(source, target)
    blocks = cast("Iterable[set[int]]", nx.biconnected_components(simple))
    block = next(block for block in blocks if source in block and target in block)
    kept = net.subgraph(block).copy()
    _draw_chains_together(kept, block - {source, target})
    return kept


def _draw_chains_together(net: "nx.MultiGraph[int]", through: set[int]) -> None:
    """Draw chains through these vertices into single edges and take dead ends at them away, in place."""
    waiting = sorted(through, reverse=True)
    while waiting:
        vertex = waiting.pop()
        if vertex not in net:
            continue
        legs = cast("Iterable[tuple[int, int, frozenset[int]]]", net.edges(vertex, data="risk"))
        edges = [(head, risk) for _, head, risk in legs]
        if len(edges) > 2:
            continue
        risk = frozenset[int]().union(net.nodes[vertex]["risk"], *(risk for _, risk in edges))
        heads = [head for head, _ in edges]
        net.remove_node(vertex)
        if len(heads) == 2 and heads[0] != heads[1]:
            net.add_edge(*heads, risk=risk)
        else:
            waiting += sorted(through.intersection(heads), reverse=True)
