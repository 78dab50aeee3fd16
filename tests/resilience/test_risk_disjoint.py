"""Paths without a common risk: the count of `most_disjoint` is that of trying all sets of simple paths."""

from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience import risk_disjoint
from resilience.risk_disjoint import most_disjoint
from tests.draws import draws

risks = st.frozensets(st.integers(0, 6), max_size=2)


@st.composite
def meshes(draw: st.DrawFn) -> "nx.MultiGraph[int]":
    """Draw a few places and stretches between them; the ends, 0 and 1, have no risk."""
    n = draw(st.integers(2, 6))
    net: nx.MultiGraph[int] = nx.MultiGraph()
    for vertex in range(n):
        net.add_node(vertex, risk=draw(risks) if vertex > 1 else frozenset())
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda ends: ends[0] != ends[1])
    for a, b in draw(st.lists(pair, max_size=10)):
        net.add_edge(a, b, risk=draw(risks))
    return net


@pytest.mark.parametrize("tried", [0, 50], ids=["by the program", "by search first"])
@settings(max_examples=draws(60), deadline=None)
@given(net=meshes(), own=risks)
def test_the_count_is_that_of_all_sets_of_simple_paths(
    tried: int, net: "nx.MultiGraph[int]", own: frozenset[int]
) -> None:
    most = by_trying_all(net, own)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(risk_disjoint, "MAX_TRIED", tried)
        assert most_disjoint(net, 0, 1, own=own, at_most=4) == (min(most, 4), True)


def test_three_stretches_of_which_every_two_share_a_trench_are_one_path() -> None:
    net: nx.MultiGraph[int] = nx.MultiGraph()
    net.add_nodes_from([0, 1], risk=frozenset())
    for risk in ({7, 8}, {8, 9}, {7, 9}):
        net.add_edge(0, 1, risk=frozenset(risk))
    assert most_disjoint(net, 0, 1, own=frozenset(), at_most=3) == (1, True)


def test_a_program_that_gives_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    net: nx.MultiGraph[int] = nx.MultiGraph()
    net.add_nodes_from([0, 1], risk=frozenset())
    net.add_edge(0, 1, risk=frozenset())
    monkeypatch.setattr(risk_disjoint, "_status", lambda *_: 1)  # of scipy: a limit was reached
    assert most_disjoint(net, 0, 1, own=frozenset(), at_most=2) == (1, False)


def by_trying_all(net: "nx.MultiGraph[int]", own: frozenset[int]) -> int:
    """Give the size of the largest set of simple paths from 0 to 1 that share nothing."""
    paths = []
    for legs in nx.all_simple_edge_paths(net, 0, 1):
        inner = [head for _, head, _ in legs[:-1]]
        taken = {("edge", min(a, b), max(a, b), key) for a, b, key in legs}
        taken |= {("vertex", vertex) for vertex in inner}
        taken |= {("risk", one) for leg in legs for one in net.edges[leg]["risk"] - own}
        taken |= {("risk", one) for vertex in inner for one in net.nodes[vertex]["risk"] - own}
        paths.append(taken)
    for size in range(min(len(paths), 4), 0, -1):
        if any(all(a.isdisjoint(b) for a, b in combinations(some, 2)) for some in combinations(paths, size)):
            return size
    return 0
