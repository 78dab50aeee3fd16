"""Losses of one vertex or one edge against igraph: its dominators, articulation points and bridges.

A vertex dominates another when every path from the root passes through it: what it cuts is what it dominates
(Lengauer and Tarjan 1979). An edge is judged as a vertex put in its middle.
"""

import math

import igraph
import numpy as np
from hypothesis import given, settings
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_assets
from resilience.low_points import losses_of_nodes_and_cables
from tests.draws import draws
from tests.resilience.service_graphs import service_graph, service_graphs


def split(graph: ServiceGraph) -> igraph.Graph:
    """Put a vertex on each edge (after the others, in the order of edges), both ways open."""
    n = graph.n_vertices
    arcs = []
    for e, (tail, head) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)):
        arcs += [(tail, n + e), (n + e, tail), (head, n + e), (n + e, head)]
    return igraph.Graph(n=n + len(graph.tail), edges=arcs, directed=True)


def dominated(whole: igraph.Graph, weights: NDArray[np.int64]) -> list[int]:
    """Sum the weights of what each vertex dominates, itself included; 0 where the root does not lead."""
    above = whole.dominator(0, mode="out")
    total = [0] * whole.vcount()
    for vertex, weight in enumerate(weights.tolist()):
        at: float = vertex
        while not math.isnan(at) and at >= 0:  # -1 above the root, NaN for what it does not reach
            total[int(at)] += weight
            at = above[int(at)]
    return [0 if math.isnan(a) else sum_ for a, sum_ in zip(above, total, strict=True)]


def alone(graph: ServiceGraph) -> ServiceGraph:
    """Give each vertex but the root, then each edge, an asset of its own."""
    n, m = graph.n_vertices, len(graph.tail)
    return service_graph(
        list(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)),
        graph.prises.tolist(),
        n_assets=n + m,
        vertex_links=[(v, v) for v in range(1, n)],
        edge_links=[(n + e, e) for e in range(m)],
    )


def test_a_ring_with_a_branch() -> None:
    # 0 - 1 - 2 - 3 - 0, and 2 - 4: only 2 and the branch cut anything beyond themselves
    graph = service_graph([(0, 1), (1, 2), (2, 3), (3, 0), (2, 4)], [0, 1, 10, 100, 1000])
    assert dominated(split(graph), graph.prises)[1:] == [1, 1010, 100, 1000, 0, 0, 0, 0, 1000]


@settings(max_examples=draws(60))
@given(service_graphs(max_vertices=14, max_edges=24))
def test_what_fails_alone_cuts_what_it_dominates(graph: ServiceGraph) -> None:
    n = graph.n_vertices
    expected = dominated(split(graph), graph.prises)
    every = losses_of_assets(index_graph(alone(graph), graph.prises))[:, 0]
    assert every[1:].tolist() == expected[1:]
    walk = losses_of_nodes_and_cables(graph, graph.prises)
    assert [*walk.vertex[1:].tolist(), *walk.edge.tolist()] == [*expected[1:n], *expected[n:]]


@settings(max_examples=draws(60))
@given(service_graphs(max_vertices=14, max_edges=24))
def test_articulation_points_and_bridges_are_what_cuts_others(graph: ServiceGraph) -> None:
    ends = list(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))
    whole = igraph.Graph(n=graph.n_vertices, edges=ends)
    served = set(whole.subcomponent(0))
    ones = losses_of_nodes_and_cables(graph, np.ones(graph.n_vertices, np.int64))
    assert set(np.flatnonzero(ones.vertex > 1).tolist()) == served & set(whole.articulation_points()) - {0}
    bridges = {e for e in whole.bridges() if ends[e][0] in served}
    assert set(np.flatnonzero(ones.edge > 0).tolist()) == bridges
