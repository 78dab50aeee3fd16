"""One object in both graphs: what it cuts, strands, may cut, carries, and what lies above and below it."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import cables_of_edges
from resilience.losses import LossIndex, index_graph, lost_vertices, vertices_behind, vertices_maybe_lost
from resilience.shared_risk import with_groups
from resilience.spanning import Bool, Int

FATES = ("isolée", "coupée", "incertaine", "secourue")


@dataclass(frozen=True)
class Case:
    """One object in both graphs: which vertices it cuts, strands, may cut, and has behind it."""

    network: Network
    routes: Routes
    table: gpd.GeoDataFrame
    asset: int
    nominal: ServiceGraph
    physical: ServiceGraph
    index: LossIndex
    cut: Bool
    maybe: Bool
    behind: Bool
    stranded: Bool
    served: Bool


def case_of(
    network: Network, routes: Routes, table: gpd.GeoDataFrame, asset: int, groups: pd.DataFrame
) -> Case:
    """Fail one object of the SPOF table in both graphs, groups included."""
    nominal, physical = (with_groups(graph, groups) for graph in (routes.nominal, routes.physical))
    alone = np.array([asset])
    index = index_graph(nominal, nominal.prises)
    possible = index_graph(physical, physical.prises)
    return Case(
        network,
        routes,
        table,
        asset,
        nominal,
        physical,
        index,
        cut=lost_vertices(index, alone),
        maybe=vertices_maybe_lost(index, alone),
        behind=vertices_behind(index, alone),
        stranded=lost_vertices(possible, alone),
        served=possible.tree.position >= 0,
    )


def prises_behind(case: Case) -> gpd.GeoDataFrame:
    """List what hangs on the object, each premise with its fate."""
    prises = case.routes.prises[case.routes.prises["vertex_nominal"] >= 0]
    nominal, physical = prises["vertex_nominal"].to_numpy(), prises["vertex_physical"].to_numpy()
    stranded = case.stranded[physical] & (physical >= 0)
    fate = np.select(
        [stranded, case.cut[nominal], case.maybe[nominal], case.behind[nominal]], list(FATES), ""
    )
    hangs = prises.assign(fate=fate)[fate != ""]
    order = hangs["fate"].map({name: i for i, name in enumerate(FATES)})
    hangs = hangs.assign(order=order).sort_values(["order", "code"], kind="stable")
    places = gpd.points_from_xy(hangs["x"], hangs["y"])
    names = ["code", "n", "pbo", "pm", "nro", "fate"]
    return gpd.GeoDataFrame(hangs[names].reset_index(drop=True), geometry=places, crs=case.network.assets.crs)


def elements(case: Case) -> tuple[Int, Int]:
    """Give the vertices and the edges of the nominal graph that the object owns."""
    graph = case.nominal
    return graph.vertex_of[graph.vertex_asset == case.asset], graph.edge_of[graph.edge_asset == case.asset]


def carried_by(case: Case) -> NDArray[np.int64]:
    """Give the cables that fail with the object."""
    cable = cables_of_edges(case.nominal, case.network)[elements(case)[1]]
    return np.unique(cable[cable >= 0]).astype(np.int64)


def upstream_of(case: Case) -> NDArray[np.int64]:
    """Give the cables, rooms and closures between a feed and the object, from the feed down."""
    tree = case.index.tree
    vertices, edges = elements(case)
    below = tree.edge_child[edges]
    spots = [*tree.position[vertices].tolist(), *tree.parent[below[below > 0]].tolist()]
    spots = [spot for spot in spots if spot >= 0]
    if not spots:
        return np.empty(0, np.int64)
    at = min(spots, key=lambda spot: (tree.depth[spot], spot))
    path = [at]
    while tree.parent[path[-1]] >= 0:
        path.append(int(tree.parent[path[-1]]))
    vertex_at = np.empty(len(tree.end), np.int32)
    reached = np.flatnonzero(tree.position >= 0)
    vertex_at[tree.position[reached]] = reached
    edge_above = np.full(len(tree.end), -1, np.int32)
    on_tree = np.flatnonzero(tree.edge_child > 0)
    edge_above[tree.edge_child[on_tree]] = on_tree
    cable = cables_of_edges(case.nominal, case.network)
    shown = _equipment(case.nominal, case.network)
    found: list[int] = []
    for spot in reversed(path):
        edge = edge_above[spot]
        found += [int(cable[edge])] if edge >= 0 and cable[edge] >= 0 else []
        found += shown.get(int(vertex_at[spot]), [])
    once = list(dict.fromkeys(found))
    return np.array([asset for asset in once if asset != case.asset], np.int64)


def downstream_of(case: Case) -> NDArray[np.int64]:
    """Give the cables, rooms and closures that lose service with the object."""
    graph = case.nominal
    cable = cables_of_edges(graph, case.network)
    touched = (case.cut[graph.tail] | case.cut[graph.head]) & (cable >= 0)
    kind = case.table["kind"].reindex(graph.vertex_asset)
    shown = case.cut[graph.vertex_of] & kind.isin(("ebp", "local")).to_numpy()
    return np.unique(np.concatenate([cable[touched], graph.vertex_asset[shown]])).astype(np.int64)


def _equipment(graph: ServiceGraph, network: Network) -> dict[int, list[int]]:
    """Give the rooms and closures that stand at each vertex."""
    kind = network.assets["kind"].reindex(graph.vertex_asset)
    shown = kind.isin(("ebp", "local")).to_numpy()
    by_vertex: dict[int, list[int]] = {}
    for vertex, asset in zip(
        graph.vertex_of[shown].tolist(), graph.vertex_asset[shown].tolist(), strict=True
    ):
        by_vertex.setdefault(vertex, []).append(asset)
    return by_vertex
