"""The road graph: what osmnx would have made, from any line layer."""

import geopandas as gpd
import networkx as nx
import osmnx as ox
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gracethd.errors import CRSError, SourceError
from resilience.roads import road_graph


def layer(lines: list[object], crs: object = "EPSG:2154", **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(dict(columns), geometry=lines, crs=crs)


@pytest.fixture
def crossroads() -> gpd.GeoDataFrame:
    """Two-way a, one-way b, against-the-drawing c, a loop d at B, and a bridge e over a that joins nothing.

    A --a-- B --b-> C <-c(drawn B to C, driven C to B)
            d          e crosses a without a common end
    """
    return layer(
        [
            shapely.LineString([(0, 0), (50, 10), (100, 0)]),
            shapely.LineString([(100.004, 0), (200, 0)]),
            shapely.LineString([(100, 0), (150, 50), (200, 0)]),
            shapely.LineString([(100, 0), (110, 20), (90, 20), (100, 0)]),
            shapely.LineString([(40, -50), (40, 50)]),
        ],
        highway=["residential", "primary", "primary", "service", "track"],
        oneway=["no", "yes", "-1", None, ""],
    )


def test_each_road_is_drivable_in_its_directions(crossroads: gpd.GeoDataFrame) -> None:
    graph = road_graph(crossroads)
    at = {(round(d["x"]), round(d["y"])): n for n, d in graph.nodes(data=True)}
    a, b, c = at[0, 0], at[100, 0], at[200, 0]
    driven = sorted((u, v, d["osmid"]) for u, v, d in graph.edges(data=True))
    low, high = at[40, -50], at[40, 50]
    assert driven == sorted(
        [(a, b, 0), (b, a, 0), (b, c, 1), (c, b, 2), (b, b, 3), (low, high, 4), (high, low, 4)]
    )
    assert nx.number_weakly_connected_components(graph) == 2


def test_lengths_geometries_and_street_counts_follow_the_lines(crossroads: gpd.GeoDataFrame) -> None:
    graph = road_graph(crossroads)
    for u, v, data in graph.edges(data=True):
        line = crossroads.geometry.iloc[data["osmid"]]
        assert data["length"] == pytest.approx(line.length)
        first, last = shapely.get_point(data["geometry"], [0, -1])
        assert first.distance(shapely.Point(graph.nodes[u]["x"], graph.nodes[u]["y"])) < 0.01
        assert last.distance(shapely.Point(graph.nodes[v]["x"], graph.nodes[v]["y"])) < 0.01
    at_b = next(d for _, d in graph.nodes(data=True) if (round(d["x"]), round(d["y"])) == (100, 0))
    assert at_b["street_count"] == 5  # a, b, c and both ends of the loop d


def test_osmnx_functions_work_on_it(crossroads: gpd.GeoDataFrame) -> None:
    graph = road_graph(crossroads)
    near = ox.distance.nearest_nodes(graph, 201, 1)
    start = ox.distance.nearest_nodes(graph, -1, 1)
    route = ox.routing.shortest_path(graph, start, near, weight="length")
    assert ox.routing.route_to_gdf(graph, route)["length"].sum() == pytest.approx(
        crossroads.length.iloc[:2].sum(), abs=0.01
    )


@given(
    ends=st.lists(
        st.tuples(*[st.integers(0, 4)] * 4).filter(lambda t: t[:2] != t[2:]), min_size=1, max_size=12
    )
)
def test_undirected_distances_equal_those_of_a_plain_graph(ends: list[tuple[int, int, int, int]]) -> None:
    lines = [shapely.LineString([(10 * a, 10 * b), (10 * c, 10 * d)]) for a, b, c, d in ends]
    graph = road_graph(layer(lines, highway=["track"] * len(lines)))
    plain = nx.Graph()
    for line, (a, b, c, d) in zip(lines, ends, strict=True):
        plain.add_edge((10.0 * a, 10.0 * b), (10.0 * c, 10.0 * d), weight=line.length)
    name = {n: (d["x"], d["y"]) for n, d in graph.nodes(data=True)}
    ours = {
        (name[u], name[v]): length
        for u, reached in nx.all_pairs_dijkstra_path_length(graph, weight="length")
        for v, length in reached.items()
    }
    theirs = {
        (u, v): d for u, reached in nx.all_pairs_dijkstra_path_length(plain) for v, d in reached.items()
    }
    assert ours.keys() == theirs.keys()
    assert all(ours[pair] == pytest.approx(theirs[pair]) for pair in theirs)


def test_multi_lines_are_taken_apart_and_empty_ones_left_out() -> None:
    two = shapely.MultiLineString([[(0, 0), (1, 0)], [(1, 0), (1, 1)]])
    graph = road_graph(layer([two, None, shapely.LineString()], highway=["a", "b", "c"]))
    assert sorted(d["osmid"] for *_, d in graph.edges(data=True)) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("lines", "error", "words"),
    [
        (layer([shapely.LineString([(0, 0), (1, 1)])], crs=None), CRSError, "no CRS"),
        (layer([shapely.LineString([(0, 0), (1, 1)])], crs=4326), CRSError, "degrees"),
        (layer([]), SourceError, "empty"),
        (layer([shapely.Point(0, 0)]), SourceError, "row 1 is a Point"),
        (layer([shapely.LineString([(0, 0), (1, 1)])], oneway=["perhaps"]), SourceError, "'perhaps'"),
    ],
)
def test_a_layer_that_cannot_be_used_is_refused_in_words(
    lines: gpd.GeoDataFrame, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        road_graph(lines)


def test_the_layer_given_is_left_as_it_was(crossroads: gpd.GeoDataFrame) -> None:
    before = crossroads.copy(deep=True)
    road_graph(crossroads)
    assert before.geom_equals(crossroads.geometry).all()
    assert list(before.columns) == list(crossroads.columns)
