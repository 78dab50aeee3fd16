"""One object explained, in the network drawn in `small_network`; fates against remove-and-search."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest

from gracethd.errors import GraceTHDError
from resilience.explain import Explanation, explain
from resilience.explain.other_ways import shortest_way
from resilience.spof import spof
from tests.resilience.service_graphs import service_graph
from tests.resilience.small_network import small_network
from tests.resilience.test_losses import lost_by_search, members


@pytest.fixture(scope="module")
def table() -> gpd.GeoDataFrame:
    return spof(*small_network(), {})


def told(table: gpd.GeoDataFrame, label: str) -> Explanation:
    return explain(*small_network(), table, label, {})


def codes(explanation: Explanation, role: str) -> list[str]:
    rows = explanation.objects[explanation.objects["role"] == role]
    return (rows["kind"] + ":" + rows["code"]).tolist()


def test_a_spliced_cable_could_be_replaced_but_is_not_today(table: gpd.GeoDataFrame) -> None:
    found = told(table, "cable:DI1")
    assert codes(found, "amont") == ["cable:CO1", "local:LN1", "cable:TR1", "local:LP1"]
    assert codes(found, "aval") == ["cable:DI3", "cable:RA1", "ebp:B1", "ebp:C1"]
    assert codes(found, "secours") == ["cable:DI2"]
    assert found.prises.groupby("fate")["n"].sum().to_dict() == {"coupée": 10}
    assert any("DI2" in line and "ne compte pas" in line and "épissure" in line for line in found.lines)
    assert any("10 prises coupées, 0 isolée," in line for line in found.lines)


def test_two_cables_in_one_way_are_no_alternative(table: gpd.GeoDataFrame) -> None:
    found = told(table, "cheminement:W2")
    assert codes(found, "porté") == ["cable:DI1", "cable:DI2"]
    assert set(found.objects.loc[found.objects["role"] == "secours", "reason"]) == {
        "ne compte pas : tombe avec l'objet"
    }
    assert any("2 câbles relient" in line and "tombent ensemble" in line for line in found.lines)


def test_a_looped_cable_is_told_by_what_it_is_looped(table: gpd.GeoDataFrame) -> None:
    found = told(table, "cable:CO1")
    assert codes(found, "secours") == ["cable:CO2"]
    assert set(found.prises["fate"]) == {"secourue"}
    assert any("une autre route active sans lui : 22, par CO2" in line for line in found.lines)


def test_a_single_cable_is_said_to_be_alone(table: gpd.GeoDataFrame) -> None:
    assert any("un seul câble" in line and "TR1" in line for line in told(table, "local:LP1").lines)


def test_what_carries_nothing_says_so() -> None:
    network, routes = small_network()
    empty = routes.prises.assign(vertex_nominal=np.int32(-1), vertex_physical=np.int32(-1))
    bare = replace(
        routes,
        prises=empty,
        nominal=replace(routes.nominal, prises=np.zeros_like(routes.nominal.prises)),
        physical=replace(routes.physical, prises=np.zeros_like(routes.physical.prises)),
    )
    lines = explain(network, bare, spof(network, bare, {}), "cable:TR1", {}).lines
    assert any("aucune prise n'est tracée" in line for line in lines)


@pytest.mark.parametrize(
    ("label", "named"),
    [
        ("cable:DI9", "cable:DI1"),
        ("ebp:NC", "noeud:NC"),
        ("cables:DI1", "KIND:CODE"),
        ("DI1", "KIND:CODE"),
        ("cable:" + "\u202e" * 400, "no code of a cable is near it"),
    ],
)
def test_an_unknown_object_is_answered_with_the_nearest(
    table: gpd.GeoDataFrame, label: str, named: str
) -> None:
    with pytest.raises(GraceTHDError, match=named):
        told(table, label)


def test_fates_are_those_of_remove_and_search(table: gpd.GeoDataFrame) -> None:
    _, routes = small_network()
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0].set_index("code")
    for asset, label in (table["kind"] + ":" + table["code"]).items():
        found = told(table, label).prises.set_index("code")["fate"]
        cut = lost_by_search(routes.nominal, *members(routes.nominal, {int(asset)}))
        stranded = lost_by_search(routes.physical, *members(routes.physical, {int(asset)}))
        for code, row in prises.iterrows():
            fate = found.get(code, "")
            assert (fate == "isolée") == (row["vertex_physical"] in stranded), (label, code)
            assert (fate in {"isolée", "coupée"}) == (
                row["vertex_nominal"] in cut or row["vertex_physical"] in stranded
            )


def test_a_shortest_way_takes_only_what_is_kept() -> None:
    graph = service_graph([(0, 1), (1, 2), (0, 3), (3, 4), (4, 2), (2, 2)], [0] * 6)
    every = np.ones(6, np.bool_)
    assert shortest_way(graph, every, 2).tolist() == [0, 1]
    without_first = every.copy()
    without_first[0] = False
    assert shortest_way(graph, without_first, 2).tolist() == [2, 3, 4]
    assert shortest_way(graph, every, 5).tolist() == []
    assert shortest_way(graph, every, 0).tolist() == []


def test_what_holds_nothing_says_so_and_a_room_counts_the_paths_that_lead_to_it(
    table: gpd.GeoDataFrame,
) -> None:
    network, routes = small_network()
    way = int(network.assets.index[network.assets["code"] == "W5"][0])
    bare = {}
    for name in ("nominal", "physical"):
        graph = getattr(routes, name)
        kept = graph.edge_asset != way
        bare[name] = replace(graph, edge_asset=graph.edge_asset[kept], edge_of=graph.edge_of[kept])
    lines = explain(network, replace(routes, **bare), table, "cheminement:W5", {}).lines
    assert lines[1] == "aucun câble ni équipement suivi n'y tient : rien ne peut en dépendre"
    assert any(
        "chemins disjoints par câble qui y mènent : 2" in line for line in told(table, "local:LN1").lines
    )


def test_a_part_without_feed_says_so() -> None:
    network, routes = small_network()
    cable = network.assets.index[(network.assets["code"] == "TR2").to_numpy()][0]
    cut = {}
    for name in ("nominal", "physical"):
        graph = getattr(routes, name)
        gone = graph.edge_of[graph.edge_asset == cable]
        tail = graph.tail.copy()
        tail[gone] = graph.head[gone]  # the edge joins nothing any more
        cut[name] = replace(graph, tail=tail)
    apart = replace(routes, **cut)
    lines = explain(network, apart, spof(network, apart, {}), "cable:DI5", {}).lines
    assert any("aucun point d'injection n'y mène" in line for line in lines)
