"""Losses after a change, equal to those of a network built anew."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import resilience.changes
from gracethd.errors import GraceTHDError
from gracethd.network import build_network
from gracethd.network.types import Network
from gracethd.routes import trace_routes
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.changes import Change, NewCable, changed, losses_after, losses_with
from resilience.losses import index_graph, losses_of_assets
from tests.networks import Piece, cable, draw, nro, pbo, pm, prises
from tests.resilience.service_graphs import service_graph, service_graphs
from tests.resilience.small_network import small_network
from tests.resilience.test_losses import lost_by_search, members, weights


def int32(values: list[int]) -> np.ndarray:
    return np.array(values, np.int32)


@st.composite
def changes(draw: st.DrawFn, graph: ServiceGraph) -> Change:
    vertex, asset = st.integers(0, graph.n_vertices - 1), st.integers(0, graph.n_assets + 1)
    edges = draw(st.lists(st.tuples(vertex, vertex), max_size=4))
    links = draw(st.lists(st.tuples(asset, st.integers(0, len(edges) - 1)), max_size=5)) if edges else []
    removed = draw(st.sets(st.integers(0, graph.n_assets - 1), max_size=3))
    return Change(
        int32([a for a, _ in edges]), int32([b for _, b in edges]),
        int32([a for a, _ in links]), int32([e for _, e in links]), int32(sorted(removed)),
    )  # fmt: skip


@given(service_graphs(), st.data())
def test_losses_after_a_change_are_those_of_a_rebuild(graph: ServiceGraph, data: st.DataObject) -> None:
    change = data.draw(changes(graph))
    index = index_graph(graph, weights(graph))
    found = losses_after(graph, index, losses_of_assets(index), change)
    # of a place that no feed reached, no loss was known: its weight is not in the index
    reached = index.tree.position >= 0
    known = np.where(reached[:, None], weights(graph), 0)
    after = changed(graph, change)
    assert found.tolist() == losses_of_assets(index_graph(after, known)).tolist()


@given(service_graphs(), st.data())
def test_the_changed_graph_loses_what_remove_and_search_loses(
    graph: ServiceGraph, data: st.DataObject
) -> None:
    removed = data.draw(st.sets(st.integers(0, graph.n_assets - 1), max_size=2))
    change = Change(removed=int32(sorted(removed)))
    index = index_graph(graph, graph.prises)
    found = losses_after(graph, index, losses_of_assets(index), change)[:, 0]
    already = lost_by_search(graph, *members(graph, removed))
    for asset in range(graph.n_assets):
        more = lost_by_search(graph, *members(graph, removed | {asset})) - already
        assert found[asset] == graph.prises[sorted(more)].sum()


def test_a_second_cable_frees_what_hung_on_the_first_and_nothing_is_walked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    r"""0 --a-- 1(3) --b-- 2(4), then a cable from 0 to 2 in a new way."""
    line = service_graph([(0, 1), (1, 2)], [0, 3, 4], edge_links=[(0, 0), (1, 1)])
    index = index_graph(line, line.prises)
    before = losses_of_assets(index)
    assert before.tolist() == [[7], [4]]

    def refuse(*_: object) -> None:
        raise AssertionError("the network was walked again")

    monkeypatch.setattr(resilience.changes, "index_graph", refuse)
    change = Change(int32([0]), int32([2]), int32([2]), int32([0]))
    assert losses_after(line, index, before, change).tolist() == [[0], [0], [0]]
    # laid in the way of the first cable, it falls with it
    change = Change(int32([0]), int32([2]), int32([0]), int32([0]))
    assert losses_after(line, index, before, change).tolist() == [[7], [0]]
    # without the second stretch, the new cable is all that the far end has
    change = Change(int32([0]), int32([2]), int32([2]), int32([0]), int32([1]))
    assert losses_after(line, index, before, change).tolist() == [[3], [0], [4]]


def test_numbers_that_do_not_fit_are_named() -> None:
    line = service_graph([(0, 1)], [0, 3], edge_links=[(0, 0)])
    index = index_graph(line, line.prises)
    with pytest.raises(ValueError, match=r"Change\.removed: numbers must be in 0\.\.0"):
        losses_after(line, index, losses_of_assets(index), Change(removed=int32([4])))
    with pytest.raises(ValueError, match=r"Change\.head"):
        losses_after(line, index, losses_of_assets(index), Change(int32([0]), int32([9])))


def rows(found: pd.DataFrame) -> dict[str, tuple[int, ...]]:
    """Give cut before, cut, stranded before, stranded of each object that changed."""
    numbers = ["prises_cut_before", "prises_cut", "prises_stranded_before", "prises_stranded"]
    return dict(
        zip(
            found["kind"] + ":" + found["code"],
            found[numbers].itertuples(index=False, name=None),
            strict=True,
        )
    )


def test_a_new_cable_is_told_by_what_it_frees_and_not_beyond_the_way_it_lies_in() -> None:
    """A cable from LN2 to PM LP1 takes the place of TR1; in the way of CO3 it frees nobody behind CO3."""
    network, routes = small_network()
    in_its_way = losses_with(
        network, routes, added=[NewCable("X", "local:LP1", "local:LN2", ("cheminement:WC3",))]
    )
    freed = {"cable:TR1": (15, 0, 15, 0), "cheminement:W1": (15, 0, 15, 0)}
    assert rows(in_its_way) == {**freed, "cable:CO3": (7, 0, 7, 0)}
    apart = losses_with(network, routes, added=[NewCable("X", "local:LP1", "local:LN2")])
    assert rows(apart) == {**freed, "cable:CO3": (7, 0, 7, 0), "cheminement:WC3": (7, 0, 7, 0)}
    assert apart.attrs == {"prises_cut": 0, "prises_stranded": 0}


def test_what_is_taken_out_is_told_with_what_then_hangs_on_one_object() -> None:
    network, routes = small_network()
    found = losses_with(network, routes, removed=["cable:CO1"])
    assert rows(found) == {"cable:CO2": (0, 22, 0, 22), "cheminement:WC2": (0, 22, 0, 22)}
    assert found.attrs == {"prises_cut": 0, "prises_stranded": 0}
    assert losses_with(network, routes, removed=["cable:DI1"]).attrs == {
        "prises_cut": 10,
        "prises_stranded": 0,
    }


def test_a_cable_that_the_inventory_gets_changes_what_was_foretold() -> None:
    """Two NROs, each with its PM: the link between the PMs, foretold and then drawn."""
    at = {
        "N0": (0.0, 0.0),
        "N1": (500.0, 0.0),
        "N2": (500.0, 200.0),
        "N3": (600.0, 0.0),
        "N4": (600.0, 200.0),
    }
    drawn = [
        nro("R0", "N0"), pm("P1", "N1"), pm("P2", "N2"), pbo("B1", "N3"), pbo("B2", "N4"),
        prises("B1", "L1", "L2"), prises("B2", "L3"), cable("T1", "N0", "N1", "TR"),
        cable("T2", "N0", "N2", "TR"), cable("D1", "N1", "N3", "DI"), cable("D2", "N2", "N4", "DI"),
    ]  # fmt: skip

    def stranded(*more: Piece) -> tuple[Network, Routes, dict[str, int]]:
        inventory = draw(*drawn, *more, at=at)
        network = build_network(inventory)
        routes = trace_routes(inventory, network)
        lost = losses_of_assets(index_graph(routes.physical, routes.physical.prises))[:, 0]
        return (
            network,
            routes,
            dict(zip(network.assets["kind"] + ":" + network.assets["code"], lost.tolist(), strict=True)),
        )

    network, routes, before = stranded()
    *_, after = stranded(cable("X", "N1", "N2", "TR"))
    found = losses_with(network, routes, added=[NewCable("X", "local:P1", "local:P2")])
    foretold = before | {"cable:X": 0} | {name: numbers[3] for name, numbers in rows(found).items()}
    assert foretold == after
    assert before["cable:T1"] > 0 == after["cable:T1"]


def test_a_cable_between_what_is_no_end_is_refused_in_words() -> None:
    network, routes = small_network()
    with pytest.raises(GraceTHDError, match="cannot end in ebp:C1: 2 separate cables pass there"):
        losses_with(network, routes, added=[NewCable("X", "ebp:C1", "local:LN2")])
    with pytest.raises(GraceTHDError, match="no light is followed there"):
        losses_with(network, routes, added=[NewCable("X", "cheminement:W1", "local:LN2")])
    with pytest.raises(GraceTHDError, match="removed: no object 'local:LN9'"):
        losses_with(network, routes, removed=["local:LN9"])
