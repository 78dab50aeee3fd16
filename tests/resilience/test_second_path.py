"""Second paths on the ground: the cheapest of all, away from the first path and from the water."""

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.network.types import Network
from resilience.ground import NATURES, Ground, build_ground
from resilience.parameters import Parameters, default_parameters
from resilience.roads import road_graph
from resilience.second_path import FirstPath, cheapest_path, eur_per_m, second_path
from tests.draws import draws

NO_WAYS = FirstPath(np.empty(0, np.int32), np.empty(0, object), np.empty(0, np.int32))


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return default_parameters()


def network(ways: dict[str, tuple[str, list[tuple[float, float]]]]) -> Network:
    """Build a network of ways only: code -> (typ_imp, coordinates)."""
    shapes = [shapely.LineString(xy) for _, xy in ways.values()]
    assets = gpd.GeoDataFrame(
        {"kind": "cheminement", "code": list(ways), "nd_code": ""}, geometry=shapes, crs=2154
    )
    lines = gpd.GeoDataFrame(
        {"asset": np.arange(len(ways)), "typ_imp": [t for t, _ in ways.values()], "length_m": 0.0},
        geometry=shapes,
        crs=2154,
    )
    empty = pd.DataFrame()
    return Network(assets, lines, empty, empty, empty, empty, empty, empty)


def roads(lines: list[list[tuple[float, float]]], nature: str = "residential") -> "nx.MultiDiGraph[int]":
    shapes = [shapely.LineString(xy) for xy in lines]
    return road_graph(gpd.GeoDataFrame({"highway": [nature] * len(lines)}, geometry=shapes, crs=2154))


@pytest.fixture
def valley() -> tuple[Network, "nx.MultiDiGraph[int]"]:
    """Draw a first path along the road of the valley, a road over the hill, a duct on half of that one.

    (0,300)==d==(500,300)-----(1000,300)
       |                           |
    (0,0)---------w0--------- (1000,0)
    """
    ways = {"w0": ("7", [(0.0, 0.0), (1000.0, 0.0)]), "d": ("7", [(0.0, 300.0), (500.0, 300.0)])}
    hill = [[(0.0, 0.0), (0.0, 300.0)], [(500.0, 300.0), (1000.0, 300.0)], [(1000.0, 300.0), (1000.0, 0.0)]]
    return network(ways), roads([[(0.0, 0.0), (1000.0, 0.0)], *hill])


def first(net: Network, *ways: int) -> FirstPath:
    lines = net.lines[net.lines["asset"].isin(ways)]
    return FirstPath(lines["asset"].to_numpy(np.int32), lines.geometry.to_numpy(), np.empty(0, np.int32))


def test_it_goes_over_the_hill_and_takes_the_duct_that_is_there(
    valley: tuple[Network, "nx.MultiDiGraph[int]"], parameters: Parameters
) -> None:
    net, graph = valley
    path = second_path(
        build_ground(net, roads=graph), shapely.Point(0, 0), shapely.Point(1000, 0), first(net, 0), parameters
    )
    assert path is not None
    assert path.length_m == pytest.approx({"fourreau": 500, "accotement": 0, "chaussee": 1100, "centre": 0})
    assert path.geometry.length == pytest.approx(1600)
    assert path.ways.tolist() == [1]
    assert path.beside.tolist() == []
    assert path.beside_m == pytest.approx(10, abs=0.1)  # leaving and reaching the ends of the first path


def test_where_only_the_first_road_leads_it_says_that_both_share_one_fate(parameters: Parameters) -> None:
    net = network({"w0": ("7", [(0.0, 0.0), (1000.0, 0.0)])})
    ground = build_ground(net, roads=roads([[(0.0, 3.0), (1000.0, 3.0)]]))
    path = second_path(ground, shapely.Point(0, 0), shapely.Point(1000, 0), first(net, 0), parameters)
    assert path is not None
    assert path.beside.tolist() == [0]
    assert path.ways.tolist() == []
    assert path.beside_m > 900


def test_merely_crossing_the_first_path_shares_nothing(parameters: Parameters) -> None:
    net = network({"w0": ("7", [(0.0, 0.0), (1000.0, 0.0)])})
    ground = build_ground(net, roads=roads([[(500.0, -200.0), (500.0, 200.0)]]))
    path = second_path(ground, shapely.Point(500, -200), shapely.Point(500, 200), first(net, 0), parameters)
    assert path is not None
    assert path.beside.tolist() == []


def test_no_ground_or_no_distance_is_no_path(parameters: Parameters) -> None:
    net = network({"w0": ("0", [(0.0, 0.0), (1000.0, 0.0)])})
    ground = build_ground(net)
    here, there = shapely.Point(0, 0), shapely.Point(1000, 0)
    assert second_path(ground, here, there, NO_WAYS, parameters) is None  # an aerial way holds no duct
    with_road = build_ground(net, roads=roads([[(0.0, 0.0), (100.0, 0.0)], [(900.0, 0.0), (1000.0, 0.0)]]))
    assert second_path(with_road, here, there, NO_WAYS, parameters) is None
    assert second_path(with_road, here, here, NO_WAYS, parameters) is None


def test_a_duct_of_the_first_path_is_no_way_in_though_a_road_passes_at_its_end(
    parameters: Parameters,
) -> None:
    """The chamber of w0 at (0, 0) is the nearest end of a duct, and all ducts there are of the first path.

    (0,40)==d==(500,40)     d is the second path; the road passes at both its ends, and by (0,0)
    """
    ways = {"w0": ("7", [(0.0, 0.0), (500.0, 0.0)]), "d": ("7", [(0.0, 40.0), (500.0, 40.0)])}
    net = network(ways)
    ground = build_ground(net, roads=roads([[(-20.0, 0.0), (-20.0, 40.0)], [(520.0, 0.0), (520.0, 40.0)]]))
    path = second_path(ground, shapely.Point(0, 0), shapely.Point(500, 0), first(net, 0), parameters)
    assert path is not None
    assert path.length_m["fourreau"] == pytest.approx(500.0)
    # 40 m to the end of d on either side: nearer in ducts than by the road and its connectors
    assert sum(path.length_m.values()) == pytest.approx(500.0 + 2 * 40.0)


def test_natures_of_roads_make_the_price(parameters: Parameters) -> None:
    prices = eur_per_m(parameters, "central")
    added = 6 + 1000 / 300  # cable, chambers
    by_hand = {"fourreau": 10, "accotement": 50 + added, "chaussee": 110 + added, "centre": 200 + added}
    assert prices == pytest.approx(by_hand)
    for nature, ground_nature in (
        ("track", "accotement"),
        ("residential", "chaussee"),
        ("footway", "centre"),
    ):
        ground = build_ground(network({}), roads=roads([[(0.0, 0.0), (90.0, 0.0)]], nature))
        assert {NATURES[i] for i in ground.nature} == {ground_nature}


def test_each_road_is_dug_once_whatever_its_directions() -> None:
    ground = build_ground(network({}), roads=roads([[(0.0, 0.0), (90.0, 0.0)], [(90.0, 0.0), (90.0, 40.0)]]))
    assert ground.length_m.sum() == pytest.approx(130)
    assert (ground.length_m <= 25).all()


@st.composite
def grids(draw: st.DrawFn) -> tuple[Ground, np.ndarray, np.ndarray]:
    """Draw a ground on a grid of 3 x 3 nodes, with parallel edges, weights and closed edges."""
    nodes = [(x, y) for x in range(3) for y in range(3)]
    near = [
        (a, b)
        for i, a in enumerate(nodes)
        for b in nodes[i + 1 :]
        if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1
    ]
    chosen = draw(st.lists(st.sampled_from(near), min_size=1, max_size=14))
    pieces = [[(1000.0 * x, 1000.0 * y) for x, y in pair] for pair in chosen]
    ground = build_ground(network({f"d{i}": ("7", xy) for i, xy in enumerate(pieces)}))
    weight = np.array(draw(st.lists(st.integers(0, 9), min_size=len(chosen), max_size=len(chosen))), float)
    is_open = np.array(draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen))))
    return ground, weight, is_open


@settings(max_examples=draws(150))
@given(case=grids(), start=st.integers(0, 8), end=st.integers(0, 8))
def test_the_path_is_the_cheapest_of_all_simple_paths(
    case: tuple[Ground, np.ndarray, np.ndarray], start: int, end: int
) -> None:
    ground, weight, is_open = case
    places = [(1000.0 * (i // 3), 1000.0 * (i % 3)) for i in (start, end)]
    plain = nx.MultiGraph()
    plain.add_nodes_from(places)
    for e in np.flatnonzero(is_open):
        plain.add_edge(tuple(ground.xy[ground.tail[e]]), tuple(ground.xy[ground.head[e]]), key=int(e))
    found = cheapest_path(
        ground, weight, is_open, shapely.Point(places[0]), shapely.Point(places[1]), access_eur_per_m=1.0
    )
    if start == end:
        return
    every = list(nx.all_simple_edge_paths(plain, *places))
    assert (found is None) == (not every)
    if found is not None:
        edges, access = found
        best = min(sum(weight[e] for _, _, e in path) for path in every)
        assert weight[edges].sum() == pytest.approx(best, abs=1e-6)
        assert len(access) == 0  # both places are nodes of the ground
        walk = [places[0]]
        for e in edges:
            ends = {tuple(ground.xy[ground.tail[e]]), tuple(ground.xy[ground.head[e]])}
            assert walk[-1] in ends
            walk.append((ends - {walk[-1]}).pop())
        assert walk[-1] == places[1]
        assert all(a != b for a, b in pairwise(walk))


@settings(max_examples=draws(40))
@given(case=grids(), data=st.data())
def test_when_a_detour_exists_nothing_of_the_first_path_is_used(
    case: tuple[Ground, np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    """Judge: edge-disjoint in networkx once the ways of the first path are gone."""
    ground, _, _ = case
    ways = np.array(sorted(data.draw(st.sets(st.integers(0, len(ground.tail) - 1), min_size=1))), np.int32)
    start, end = shapely.Point(ground.xy[0]), shapely.Point(ground.xy[-1])
    path = second_path(
        ground, start, end, FirstPath(ways, ground.shapes[ways], np.empty(0, np.int32)), default_parameters()
    )
    plain = nx.MultiGraph(
        [(int(t), int(h), i) for i, (t, h) in enumerate(zip(ground.tail, ground.head, strict=True))]
    )
    plain.remove_edges_from([(int(ground.tail[w]), int(ground.head[w]), int(w)) for w in ways])
    assert (path is not None) == nx.has_path(plain, 0, len(ground.xy) - 1)
    if path is not None:
        assert not set(path.ways.tolist()) & set(ways.tolist())
