"""Indicators of the literature: the case that OpenQuake publishes, and networkx."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.errors import GraceTHDError
from resilience.connectivity import MAX_VERTICES, connectivity_loss
from tests.draws import draws


def test_the_published_case_of_seven_nodes() -> None:
    """The public demand and supply case: unit edges, sources C D F, demands A E G, node D down."""
    names = "ABCDEFG"
    pairs = ["DE", "FG", "AB", "BC", "EF", "CD", "CE"]
    tail, head = (np.array([names.index(pair[i]) for pair in pairs]) for i in (0, 1))
    found = connectivity_loss(
        tail, head, np.ones(7),
        sources=np.array([2, 3, 5]), demands=np.array([0, 4, 6]), failed=np.arange(7) == 3,
    )  # fmt: skip
    assert found.complete == 0
    assert found.weighted == pytest.approx(0.520228, abs=5e-7)
    assert found.efficiency == pytest.approx(0.296496, abs=5e-7)


@settings(max_examples=draws(60))
@given(st.data())
def test_losses_are_those_of_networkx(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 8))
    vertex = st.integers(0, n - 1)
    edges = data.draw(st.lists(st.tuples(vertex, vertex, st.integers(1, 9)), max_size=14))
    sources = sorted(data.draw(st.sets(vertex, max_size=3)))
    demands = sorted(data.draw(st.sets(vertex, max_size=4)))
    failed = data.draw(st.sets(vertex, max_size=3))
    whole = nx.MultiGraph()
    whole.add_nodes_from(range(n))
    whole.add_weighted_edges_from(edges)
    left = whole.copy()
    left.remove_nodes_from(failed)
    sums, weights = [], []
    for net in (whole, left):
        near = {
            (a, b): 1 / d
            for a, found in nx.all_pairs_dijkstra_path_length(net)
            for b, d in found.items()
            if a != b
        }
        sums.append(sum(near.values()))
        judged = [[near[d, s] for s in sources if (d, s) in near] for d in demands if d not in sources]
        weights.append([len(each) * sum(each) for each in judged])
    reached = [(w, v) for w, v in zip(*weights, strict=True) if w > 0]
    columns = np.array(edges, float).reshape(-1, 3)
    found = connectivity_loss(
        columns[:, 0].astype(int), columns[:, 1].astype(int), columns[:, 2],
        sources=np.array(sources, int), demands=np.array(demands, int),
        failed=np.isin(np.arange(n), sorted(failed)),
    )  # fmt: skip
    assert found.complete == pytest.approx(np.mean([v == 0 for _, v in reached]) if reached else 0)
    assert found.weighted == pytest.approx(np.mean([1 - v / w for w, v in reached]) if reached else 0)
    assert found.efficiency == pytest.approx(1 - sums[1] / sums[0] if sums[0] else 0)


def test_what_cannot_be_computed_is_refused() -> None:
    one = {"sources": np.array([0]), "demands": np.array([1])}
    with pytest.raises(GraceTHDError, match="vertices"):
        connectivity_loss(
            np.array([0]), np.array([1]), np.array([1.0]), **one, failed=np.zeros(MAX_VERTICES + 1, bool)
        )
    with pytest.raises(GraceTHDError, match="above 0"):
        connectivity_loss(np.array([0]), np.array([1]), np.array([0.0]), **one, failed=np.zeros(2, bool))
