"""Connected parts, judged by networkx on drawn graphs."""

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gracethd.connected import connected_parts


def graphs(n: int) -> st.SearchStrategy[tuple[int, list[tuple[int, int]]]]:
    vertex = st.integers(0, n - 1)
    return st.tuples(st.just(n), st.lists(st.tuples(vertex, vertex), max_size=30))


@given(st.integers(1, 12).flatmap(graphs))
def test_parts_are_those_of_networkx(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    n, edges = drawn
    graph: nx.Graph[int] = nx.Graph(edges)
    graph.add_nodes_from(range(n))
    one, two = np.array(edges, np.int64).reshape(-1, 2).T
    part = connected_parts(n, one, two)
    assert {frozenset(np.flatnonzero(part == number).tolist()) for number in np.unique(part)} == {
        frozenset(vertices) for vertices in nx.connected_components(graph)
    }


def test_an_edge_that_stands_a_thousand_times_still_joins() -> None:
    many = np.zeros(1024, np.int64)
    assert connected_parts(2, many, many + 1).tolist() == [0, 0]
