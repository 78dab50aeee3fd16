"""64 states in a word give the very integers that cutting the tree gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.loss import event_losses
from resilience.loss.words import losses_in_words
from resilience.losses import index_graph, losses_of_sets
from tests.draws import draws
from tests.resilience.loss_cases import failures, keys
from tests.resilience.service_graphs import service_graphs


@settings(max_examples=draws(60))
@given(service_graphs(), st.integers(1, 140), st.integers(0, 2**32 - 1))
def test_words_lose_what_cuts_lose(graph: ServiceGraph, n_sets: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, graph.n_assets + 2, n_sets)
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    assets = rng.integers(0, graph.n_assets, indptr[-1]).astype(np.int32)
    weights = np.stack([graph.prises, rng.integers(0, 2**40, graph.n_vertices)], axis=1)
    index = index_graph(graph, weights)
    np.testing.assert_array_equal(
        losses_in_words(index, indptr, assets), losses_of_sets(index, indptr, assets)
    )


@settings(max_examples=draws(20))
@given(service_graphs(max_vertices=7, max_edges=12))
def test_events_cost_the_same_by_either_way(graph: ServiceGraph) -> None:
    table = failures([(a, 20, "w", 0.5, 9.0 + a) for a in range(graph.n_assets)])
    with pytest.MonkeyPatch.context() as patch:
        got = []
        for cost in (0, 10**9):
            patch.setattr("resilience.loss.words.ELEMENT_COST", cost)
            got.append(event_losses(graph, table, asset_keys=keys(graph.n_assets), seed=1, draws=100))
    assert got[0].equals(got[1])
