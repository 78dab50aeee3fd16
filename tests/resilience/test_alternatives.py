"""Ways that remain, against flows of networkx on every asset and every target."""

from dataclasses import fields

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import alternatives, cables_of_edges, disjoint_paths, joined_by_cables
from resilience.losses import index_graph
from tests.draws import draws
from tests.resilience.service_graphs import service_graph
from tests.resilience.test_losses import members, through_by_paths

INFINITE = -1


def network_of(kinds: list[str]) -> Network:
    frames = {f.name: pd.DataFrame() for f in fields(Network)}
    codes = [f"{i}" for i in range(len(kinds))]
    assets = gpd.GeoDataFrame({"kind": kinds, "code": codes, "nd_code": ""}, geometry=[None] * len(kinds))
    return Network(**{**frames, "assets": assets})


def routes_of(graph: ServiceGraph, rooms: list[tuple[int, str, int]]) -> Routes:
    empty = pd.DataFrame()
    standing = np.flatnonzero(graph.prises).astype(np.int32)
    prises = pd.DataFrame({"vertex_nominal": standing, "vertex_physical": standing}).assign(pbo="")
    table = pd.DataFrame(rooms, columns=["asset", "nature", "vertex_nominal"])
    table = table.astype({"asset": np.int64, "vertex_nominal": np.int32})
    table["vertex_physical"] = table["vertex_nominal"]
    return Routes(graph, graph, prises, table, empty, empty, {}, empty)


def ways_by_flow(graph: ServiceGraph, cable: list[bool], without: set[int], target: int) -> int:
    """Count paths to the target in networkx: a cable carries 1, anything else any number."""
    vertices, edges = members(graph, without)
    net = nx.DiGraph()
    net.add_nodes_from([0, target])
    for e, (t, h) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)):
        if e in edges or {t, h} & vertices or t == h:
            continue
        for number, (a, b) in enumerate(((t, h), (h, t))):
            middle = f"{e}-{number}"
            net.add_edge(a, middle, **({"capacity": 1} if cable[e] else {}))
            net.add_edge(middle, b)
    if target in vertices:
        return 0
    try:
        return int(nx.maximum_flow_value(net, 0, target))
    except nx.NetworkXUnbounded:
        return INFINITE


@st.composite
def cases(draw: st.DrawFn) -> tuple[ServiceGraph, list[bool], list[str], list[tuple[int, str, int]]]:
    """Draw a graph whose edges are cables (asset = edge) or joints, with ways, places and PM rooms."""
    n = draw(st.integers(2, 7))
    vertex = st.integers(0, n - 1)
    climb = [(draw(st.integers(0, v - 1)), v) for v in range(1, n)]
    edges = climb + draw(st.lists(st.tuples(vertex, vertex), max_size=6))
    cable = [draw(st.integers(0, 3)) > 0 for _ in edges]
    kinds = ["cable"] * len(edges) + ["cheminement", "cheminement", "ptech"]
    links = [(e, e) for e in range(len(edges)) if cable[e]]
    ways = st.tuples(st.integers(len(edges), len(edges) + 1), st.integers(0, len(edges) - 1))
    links += [(a, e) for a, e in draw(st.lists(ways, max_size=4)) if cable[e]]
    spots = [(len(edges) + 2, v) for v in draw(st.sets(st.integers(1, n - 1), max_size=2))]
    pms = draw(st.lists(st.integers(1, n - 1), max_size=2, unique=True))
    rooms = [(len(kinds) + i, "PM", v) for i, v in enumerate(pms)]
    kinds += ["local"] * len(rooms)
    spots += [(asset, v) for asset, _, v in rooms]
    prises = [0, *draw(st.lists(st.integers(0, 2), min_size=n - 1, max_size=n - 1))]
    graph = service_graph(edges, prises, n_assets=len(kinds), vertex_links=spots, edge_links=links)
    return graph, cable, kinds, rooms


@given(cases())
@settings(max_examples=draws(150))
def test_ways_that_remain_are_those_of_a_flow(
    case: tuple[ServiceGraph, list[bool], list[str], list[tuple[int, str, int]]],
) -> None:
    graph, cable, kinds, rooms = case
    index = index_graph(graph, graph.prises)
    found = alternatives(network_of(kinds), routes_of(graph, rooms), index, index)
    room_at = {asset: v for asset, _, v in rooms}
    for asset in range(len(kinds)):
        if asset in room_at:
            ways = [ways_by_flow(graph, cable, set(), room_at[asset])]
        else:
            behind = through_by_paths(graph, {asset}, ambiguous_only=False)
            pms = sorted(behind & set(room_at.values()))
            targets = pms or sorted(v for v in behind if graph.prises[v])
            ways = [ways_by_flow(graph, cable, {asset}, v) for v in targets]
        finite = [way for way in ways if way != INFINITE]
        assert found.fillna(INFINITE)[asset] == min(finite, default=INFINITE)


def test_paths_that_share_no_vertex() -> None:
    r"""0 --a-- 1 --c-- 3, 0 --b-- 1 --d-- 3, 0 --e-- 2 --f-- 3: two paths meet in 1."""
    edges = [(0, 1), (0, 1), (1, 3), (1, 3), (0, 2), (2, 3)]
    graph = service_graph(edges, [0, 0, 0, 1], edge_links=[(e, e) for e in range(6)])
    cable = cables_of_edges(graph, network_of(["cable"] * 6))
    flow = joined_by_cables(graph, cable, np.ones(6, np.bool_))
    assert disjoint_paths(flow, flow.label[0], flow.label[3]) == 3
    assert disjoint_paths(flow, flow.label[0], flow.label[3], by_vertex=True) == 2
