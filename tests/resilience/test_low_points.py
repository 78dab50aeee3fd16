"""Losses of nodes and cables in one walk, against remove-and-search, the index, and igraph at size."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_assets
from resilience.low_points import losses_of_nodes_and_cables
from tests.draws import draws
from tests.resilience.service_graphs import service_graph, service_graphs
from tests.resilience.test_losses import lost_by_search, multigraph


@given(service_graphs())
def test_each_node_and_cable_loses_what_remove_and_search_loses(graph: ServiceGraph) -> None:
    found = losses_of_nodes_and_cables(graph, graph.prises)
    vertices = [lost_by_search(graph, {v} - {0}, set()) for v in range(graph.n_vertices)]
    edges = [lost_by_search(graph, set(), {e}) for e in range(len(graph.tail))]
    for lost, told in ((vertices, found.vertex), (edges, found.edge)):
        assert told.tolist() == [int(graph.prises[sorted(one)].sum()) for one in lost]


@settings(max_examples=draws(20))
@given(st.integers(0, 2**32 - 1), st.integers(2, 3000), st.integers(0, 60))
def test_the_walk_and_the_index_agree_at_size(seed: int, n: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    climb = np.stack([rng.integers(np.maximum(np.arange(1, n) - 40, 0), np.arange(1, n)), np.arange(1, n)])
    ends = np.concatenate([climb.T, rng.integers(0, n, (more, 2))])
    rng.shuffle(ends)
    rows = np.arange(len(ends))
    graph = service_graph(
        ends.tolist(),
        rng.integers(0, 9, n).tolist(),
        n_assets=n + len(ends),
        vertex_links=[(v, v) for v in range(1, n)],
        edge_links=[(n + int(e), int(e)) for e in rows],
    )
    found = losses_of_nodes_and_cables(graph, graph.prises)
    every = losses_of_assets(index_graph(graph, graph.prises))[:, 0]
    assert found.vertex[1:].tolist() == every[1:n].tolist()
    assert found.edge.tolist() == every[n:].tolist()
    whole = multigraph(graph)
    whole.remove_edges_from(list(nx.selfloop_edges(whole, keys=True)))
    served = whole.subgraph(nx.node_connected_component(whole, 0))
    ones = losses_of_nodes_and_cables(graph, np.ones(n, np.int64))
    # a node that cuts more than itself is an articulation point, a cable that cuts is a bridge
    cutting = set((1 + np.flatnonzero(ones.vertex[1:] > 1)).tolist())
    assert cutting == set(nx.articulation_points(served)) - {0}
    pairs = nx.Graph(served)
    alone = {tuple(sorted(pair)) for pair in nx.bridges(pairs) if served.number_of_edges(*pair) == 1}
    assert {tuple(sorted(ends[e].tolist())) for e in np.flatnonzero(ones.edge)} == alone


def test_what_does_not_fit_is_named() -> None:
    graph = service_graph([(0, 1)], [0, 1])
    with pytest.raises(ValueError, match="weights"):
        losses_of_nodes_and_cables(graph, np.ones(3, np.int64))
    wrong = service_graph([(0, 2)], [0, 1])
    with pytest.raises(ValueError, match=r"0\.\.1"):
        losses_of_nodes_and_cables(wrong, np.ones(2, np.int64))
    assert losses_of_nodes_and_cables(service_graph([], [5]), np.array([5])).vertex.tolist() == [0]
