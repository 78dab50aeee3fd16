"""Losses after a change, equal to those of a network built anew."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import resilience.changes
from gracethd.service import ServiceGraph
from resilience.changes import Change, changed, losses_after
from resilience.losses import index_graph, losses_of_assets
from tests.resilience.service_graphs import service_graph, service_graphs
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
