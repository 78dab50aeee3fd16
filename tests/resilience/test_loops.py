"""Loops: drawn by hand, and against the search of all sets of paths on small graphs."""

import itertools
from dataclasses import fields, replace

import geopandas as gpd
import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import resilience.risk_disjoint
from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.loops import COLUMNS, loops, redundancy
from resilience.shared_risk import risk_groups
from tests.draws import draws
from tests.resilience.service_graphs import service_graph
from tests.resilience.small_network import small_network

Edge = tuple[int, int]


def collecte(
    edges: list[Edge],
    feeds: list[int],
    nro: list[int],
    ways: list[tuple[str, list[int]]],
    *,
    transport: tuple[int, ...] = (),
    pm: tuple[int, ...] = (),
) -> tuple[Network, Routes]:
    """Build a collecte: edge e is cable Ce; vertex v (above 0) is place Pv; `ways` hold edges by number.

    Feeds are joined to vertex 0 by edges that are no cable.
    """
    vertices = 1 + max(itertools.chain(*edges, feeds, nro))
    rows = [("cable", f"C{e}", "", 0.0) for e in range(len(edges))]
    rows += [("cheminement", name, "", 100.0) for name, _ in ways]
    rows += [("noeud", f"P{v}", f"P{v}", 0.0) for v in range(1, vertices)]
    table = pd.DataFrame(rows, columns=["kind", "code", "nd_code", "length_m"])
    assets = gpd.GeoDataFrame(table, geometry=[None] * len(rows))
    number = pd.Series(assets.index, index=assets["code"])
    links = [(e, e) for e in range(len(edges))]
    links += [(int(number[name]), e) for name, held in ways for e in held]
    for v in range(1, vertices):
        links += [(int(number[f"P{v}"]), e) for e, ends in enumerate(edges) if v in ends]
    spots = [(int(number[f"P{v}"]), v) for v in range(1, vertices)]
    joined = [*edges, *((0, feed) for feed in feeds)]
    graph = service_graph(joined, [0] * vertices, n_assets=len(rows), vertex_links=spots, edge_links=links)
    layer = ["transport" if e in transport else "collecte" for e in range(len(edges))]
    rooms = [(f"N{v}", "NRO", v) for v in nro] + [(f"M{v}", "PM", v) for v in pm]
    table = pd.DataFrame(rooms, columns=["code", "nature", "vertex_physical"])
    frames = {f.name: pd.DataFrame() for f in fields(Network)}
    sections = pd.DataFrame({"cable": range(len(edges)), "layer": layer})
    empty = pd.DataFrame()
    network = Network(**{**frames, "assets": assets, "sections": sections})
    return network, Routes(graph, graph, empty, table, empty, empty, {}, empty)


def row(table: pd.DataFrame, nro: str) -> dict[str, object]:
    return dict(table.set_index("nro").loc[nro])


def test_a_true_loop_has_two_paths_of_every_sort() -> None:
    r"""Feed 1 --C0-- 2 (NRO) --C1-- 3 (NRO) --C2-- 1."""
    table = loops(*collecte([(1, 2), (2, 3), (3, 1)], [1], [2, 3], []))
    assert tuple(table.columns) == COLUMNS
    for nro in ("N2", "N3"):
        assert row(table, nro) == {
            "k_cable": 2, "k_place": 2, "k_srlg": 2, "shared_m": 0.0, "shared_places": 0, "is_false": False,
        }  # fmt: skip


def test_a_loop_in_one_trench_is_false() -> None:
    r"""Feed 1 ==C0, C1== 2 (NRO): both cables in way W (100 m), C1 through chamber 3 and W."""
    table = loops(*collecte([(1, 2), (1, 3), (3, 2)], [1], [2], [("W", [0, 2])]))
    assert row(table, "N2") == {
        "k_cable": 2, "k_place": 2, "k_srlg": 1, "shared_m": 100.0, "shared_places": 0, "is_false": True,
    }  # fmt: skip


def test_a_loop_through_one_place_is_false() -> None:
    r"""Feed 1 ==C0, C1== 3 ==C2, C3== 2 (NRO): two cables all along, one place 3."""
    table = loops(*collecte([(1, 3), (1, 3), (3, 2), (3, 2)], [1], [2], []))
    assert row(table, "N2") == {
        "k_cable": 2, "k_place": 1, "k_srlg": 1, "shared_m": 0.0, "shared_places": 1, "is_false": True,
    }  # fmt: skip


def test_a_single_cable_is_no_loop_at_all_and_shares_nothing() -> None:
    table = loops(*collecte([(1, 2)], [1], [2], [("W", [0])]))
    assert row(table, "N2") == {
        "k_cable": 1, "k_place": 1, "k_srlg": 1, "shared_m": 0.0, "shared_places": 0, "is_false": False,
    }  # fmt: skip


def test_paths_of_transport_or_through_a_pm_do_not_count() -> None:
    r"""Feed 1 --C0-- 2 (NRO); C1 to C4 go round by transport, or by collecte through PM 4."""
    edges = [(1, 2), (1, 3), (3, 2), (1, 4), (4, 2)]
    table = loops(*collecte(edges, [1], [2], [], transport=(1, 2), pm=(4,)))
    assert row(table, "N2")["k_cable"] == 1


def test_an_nro_that_is_its_own_feed_is_not_judged() -> None:
    table = loops(*collecte([(1, 2)], [1], [1, 2], []))
    assert table.loc[0, ["k_cable", "k_place", "k_srlg"]].isna().all()
    assert not table.loc[0, "is_false"]


def test_an_nro_that_no_collecte_reaches_has_no_path() -> None:
    table = loops(*collecte([(1, 2), (3, 2)], [1], [2, 3], [], transport=(1,)))
    assert row(table, "N3")["k_cable"] == 0


def test_the_search_says_when_it_stopped_early(monkeypatch: pytest.MonkeyPatch) -> None:
    r"""No two of three paths are disjoint (ways A, B, C), yet no failure cuts all three."""
    edges = [(1, 2), (1, 2), (1, 2)]
    case = collecte(edges, [1], [2], [("A", [0, 1]), ("B", [1, 2]), ("C", [0, 2])])
    table = loops(*case)
    assert row(table, "N2")["k_srlg"] == 1
    assert row(table, "N2")["is_false"]
    assert table.attrs["k_srlg_at_least"] == []
    monkeypatch.setattr(resilience.risk_disjoint, "_status", lambda *_: 1)  # a limit was reached
    assert loops(*case).attrs["k_srlg_at_least"] == ["N2"]


def test_the_small_network() -> None:
    table = loops(*small_network())
    assert table["k_cable"].tolist() == [2, 1]
    assert table["k_srlg"].tolist() == [2, 1]
    assert table["is_false"].tolist() == [False, False]


@st.composite
def drawn(draw: st.DrawFn) -> tuple[list[Edge], list[int], list[tuple[str, list[int]]]]:
    n = draw(st.integers(2, 6))
    vertex = st.integers(1, n)
    edges = draw(st.lists(st.tuples(vertex, vertex).filter(lambda e: e[0] != e[1]), min_size=1, max_size=7))
    edges.append((1, n))
    ways = draw(st.lists(st.lists(st.integers(0, len(edges) - 1), min_size=2, max_size=3), max_size=2))
    return (
        edges,
        draw(st.lists(st.integers(1, n - 1), min_size=1, max_size=2)),
        [(f"W{i}", held) for i, held in enumerate(ways)],
    )


@given(drawn())
@settings(max_examples=draws(100))
def test_counts_are_those_of_all_sets_of_paths(
    case: tuple[list[Edge], list[int], list[tuple[str, list[int]]]],
) -> None:
    edges, feeds, ways = case
    target = max(itertools.chain(*edges))
    net = nx.MultiGraph()
    net.add_edges_from((0 if a in feeds else a, 0 if b in feeds else b, e) for e, (a, b) in enumerate(edges))
    net.add_nodes_from([0, target])
    net.remove_edges_from(list(nx.selfloop_edges(net, keys=True)))
    by_cable, by_risk, by_vertex = [], [], []
    for path in nx.all_simple_edge_paths(net, 0, target):
        inside = {f"P{b}" for _, b, _ in path[:-1]}
        cables = {f"C{e}" for _, _, e in path}
        held = {name for name, members in ways if {e for _, _, e in path} & set(members)}
        by_cable.append(cables)
        by_vertex.append(inside)
        # a cable that ends at another feed or at the NRO shares nothing there: those places do not count
        by_risk.append(cables | held | inside)
    expected = [most_disjoint(sets) for sets in (by_cable, by_vertex, by_risk)]
    found = row(loops(*collecte(edges, feeds, [target], ways)), f"N{target}")
    assert [found[name] for name in ("k_cable", "k_place", "k_srlg")] == expected


def most_disjoint(sets: list[set[str]]) -> int:
    """Count by trying all sets of paths; empty sets (direct paths) are disjoint from any."""
    tries = (1 + most_disjoint([b for b in sets[i + 1 :] if not a & b]) for i, a in enumerate(sets))
    return max(tries, default=0)


def test_inputs_stay_as_they_were() -> None:
    network, routes = small_network()
    before = replace(network, assets=network.assets.copy())
    loops(network, routes)
    pd.testing.assert_frame_equal(network.assets, before.assets)


@given(drawn(), st.sets(st.integers(1, 6), max_size=2), st.sets(st.integers(0, 7), max_size=3))
@settings(max_examples=draws(100))
def test_paths_to_a_pm_are_those_of_all_sets_of_paths_through_no_other_pm(
    case: tuple[list[Edge], list[int], list[tuple[str, list[int]]]], pm: set[int], transport: set[int]
) -> None:
    edges, feeds, ways = case
    target = max(itertools.chain(*edges))
    others = pm - {target} - set(feeds)
    net = nx.MultiGraph()
    net.add_edges_from((0 if a in feeds else a, 0 if b in feeds else b, e) for e, (a, b) in enumerate(edges))
    net.add_nodes_from([0, target])
    net.remove_edges_from(list(nx.selfloop_edges(net, keys=True)))
    net.remove_nodes_from(others)
    by_cable, by_risk, by_vertex = [], [], []
    for path in nx.all_simple_edge_paths(net, 0, target):
        inside = {f"P{b}" for _, b, _ in path[:-1]}
        cables = {f"C{e}" for _, _, e in path}
        held = {name for name, members in ways if {e for _, _, e in path} & set(members)}
        by_cable.append(cables)
        by_vertex.append(inside)
        by_risk.append(cables | held | inside)
    expected = [most_disjoint(sets) for sets in (by_cable, by_vertex, by_risk)]
    lying = tuple(sorted(e for e in transport if e < len(edges)))
    rooms = tuple(sorted({target, *(v for v in others if v < target)}))
    table = redundancy(*collecte(edges, feeds, [], ways, transport=lying, pm=rooms))
    found = table[(table["nature"] == "PM") & (table["code"] == f"M{target}")].iloc[0]
    assert found[["k_cable", "k_place", "k_srlg"]].tolist() == expected
    assert found["is_false"] == (expected[0] >= 2 > expected[2])


def test_a_loop_over_one_bridge_is_false_only_when_the_bridge_is_known() -> None:
    network, routes = small_network()
    groupes = pd.DataFrame(
        [("pont", "cheminement", "WC1"), ("pont", "cheminement", "WC2")], columns=["group", "kind", "code"]
    )
    assert not row(loops(network, routes), "LN1")["is_false"]
    groups = risk_groups(network, {"groupes": groupes})
    assert row(loops(network, routes, groups), "LN1")["is_false"]
    zone = pd.DataFrame(
        [("cheminement", "WC1", "Z"), ("cheminement", "WC2", "Z")], columns=["kind", "code", "zone_elec"]
    )
    powered = risk_groups(network, {"equipements": zone})
    assert not row(loops(network, routes, powered), "LN1")["is_false"], "rooms ride through a power cut"


def test_redundancy_of_the_small_network() -> None:
    table = redundancy(*small_network())
    assert (table["nature"] + ":" + table["code"]).tolist() == ["NRO:LN1", "NRO:LN2", "PM:LP1", "PM:LP2"]
    # LP1 hangs on TR1 alone, LP2 on TR2 behind CO3
    assert table["k_cable"].tolist() == [2, 1, 1, 1]
