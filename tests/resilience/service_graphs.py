"""Service graphs drawn at random, and small ones built by hand, for the tests of losses."""

from collections.abc import Sequence
from dataclasses import replace

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gracethd.service import ServiceGraph

Pairs = Sequence[tuple[int, int]]


def _columns(pairs: Pairs) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    table = np.array(pairs, np.int32).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].copy()


def service_graph(
    edges: Pairs,
    prises: Sequence[int],
    *,
    n_assets: int = 0,
    vertex_links: Pairs = (),
    edge_links: Pairs = (),
    possible: Pairs = (),
    ambiguous: Sequence[int] = (),
) -> ServiceGraph:
    """Build a graph; `vertex_links`, `edge_links` and `possible` are (asset, vertex or edge) pairs."""
    tail, head = _columns(edges)
    vertex_asset, vertex_of = _columns(vertex_links)
    edge_asset, edge_of = _columns(edge_links)
    possible_asset, possible_vertex = _columns(possible)
    unsure = np.zeros(len(tail), np.bool_)
    unsure[list(ambiguous)] = True
    assets = np.concatenate([vertex_asset, edge_asset, possible_asset])
    return ServiceGraph(
        n_vertices=len(prises), n_assets=max(n_assets, int(assets.max(initial=-1)) + 1),
        tail=tail, head=head, ambiguous=unsure, vertex_asset=vertex_asset, vertex_of=vertex_of,
        edge_asset=edge_asset, edge_of=edge_of, possible_asset=possible_asset,
        possible_vertex=possible_vertex, prises=np.array(prises, np.int64),
    )  # fmt: skip


@st.composite
def service_graphs(draw: st.DrawFn, *, max_vertices: int = 10, max_edges: int = 16) -> ServiceGraph:
    """Draw parallel edges, self-loops, isolated parts, several feeds, zero weights, groups of anything.

    Half of the edges climb to a lower number, so that deep trees with cycles are as likely as loose parts.
    """
    n = draw(st.integers(1, max_vertices))
    vertex = st.integers(0, n - 1)
    climb = [(draw(st.integers(max(0, v - 2), v - 1)), v) for v in range(1, n) if draw(st.integers(0, 4))]
    others = draw(st.lists(st.tuples(vertex, vertex), max_size=max(0, max_edges - len(climb))))
    edges = draw(st.permutations(climb + others))
    n_assets = draw(st.integers(1, 6))
    asset = st.integers(0, n_assets - 1)
    edge = st.integers(0, max(0, len(edges) - 1))
    return service_graph(
        edges,
        draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)),
        n_assets=n_assets,
        vertex_links=draw(st.lists(st.tuples(asset, vertex), max_size=6)),
        edge_links=draw(st.lists(st.tuples(asset, edge), max_size=8)) if edges else (),
        possible=draw(st.lists(st.tuples(asset, vertex), max_size=3)),
        ambiguous=draw(st.lists(edge, max_size=3)) if edges else (),
    )


def served_only(graph: ServiceGraph) -> ServiceGraph:
    """Take away the prises that no path joins to the root."""
    joined = nx.Graph(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))
    joined.add_node(0)
    served = np.isin(np.arange(graph.n_vertices), list(nx.node_connected_component(joined, 0)))
    return replace(graph, prises=np.where(served, graph.prises, 0))


def with_edge(graph: ServiceGraph, tail: int, head: int) -> ServiceGraph:
    """Add an edge that no asset owns."""
    return replace(
        graph,
        tail=np.append(graph.tail, np.int32(tail)),
        head=np.append(graph.head, np.int32(head)),
        ambiguous=np.append(graph.ambiguous, np.False_),
    )
