"""Prises that a second path secures, against the whole network evaluated again for each failing asset."""

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, lost_vertices
from resilience.measures import Link, with_second_paths
from resilience.measures.loops import _cutters
from resilience.measures.secured import prises_secured
from tests.resilience.measure_cases import NO_WATER, candidates, failure_rows, rate_rows, situation
from tests.resilience.service_graphs import served_only, service_graphs


def lost(graph: ServiceGraph, asset: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    index = index_graph(graph, graph.prises[:, None])
    return np.asarray(lost_vertices(index, np.array([asset], np.int32))[:n], np.bool_)


@given(graph=service_graphs(max_vertices=9, max_edges=14), data=st.data())
def test_a_second_path_secures_whom_some_failure_cuts_no_more(
    graph: ServiceGraph, data: st.DataObject
) -> None:
    graph, n = served_only(graph), graph.n_vertices
    assume(n > 1)
    room, anchor = data.draw(st.integers(1, n - 1)), data.draw(st.integers(0, n - 1))
    relays = data.draw(st.sets(st.integers(1, n - 1), max_size=4))
    cut = [lost(graph, asset, n) for asset in range(graph.n_assets)]
    protects = [asset for asset in range(graph.n_assets) if cut[asset][room] and not cut[asset][anchor]]
    served = index_graph(graph, graph.prises[:, None]).tree.position >= 0
    assume(room != anchor and protects and served[anchor])
    at_room = np.flatnonzero((graph.tail == room) | (graph.head == room)).tolist()
    moved = data.draw(st.sampled_from([[], *([edge] for edge in at_room)]))
    link = Link(
        room=room, anchor=anchor, relays=np.array(sorted(relays), np.int64),
        protects=np.array(protects, np.int32), carriers=np.empty(0, np.int32), dug_m=10.0, wet=NO_WATER,
        replaces=np.array(moved, np.int64),
    )  # fmt: skip
    built = with_second_paths(graph, [link])
    saved = np.any([cut[asset] & ~lost(built, asset, n) for asset in protects], axis=0)

    none_p, none_rates = failure_rows([]), rate_rows([])
    numbered = [table.assign(measure=pd.Series(dtype=np.int64)) for table in (none_p, none_rates)]
    today = situation(graph, none_p, none_rates)
    whole = index_graph(graph, graph.prises[:, None])
    found = prises_secured(today, candidates(numbered[0], numbered[1], {0: link}, [1.0]), whole)
    assert found.tolist() == [int(graph.prises[saved].sum())]


def test_works_on_several_objects_secure_each_prise_once() -> None:
    """Two objects of one série and one beside it: the prises behind both are counted once."""
    graph = ServiceGraph(
        4, 3, *(np.array(ends, np.int32) for ends in ([0, 1, 1], [1, 2, 3])), np.zeros(3, np.bool_),
        *(np.array(rows, np.int32) for rows in ([], [], [0, 1, 2], [0, 1, 2], [], [])),
        np.array([0, 0, 30, 12], np.int64),
    )  # fmt: skip
    failures = failure_rows([(0, "flood", 0.5, 9.0), (1, "flood", 0.5, 9.0), (2, "flood", 0.5, 9.0)])
    today = situation(graph, failures, rate_rows([]))
    changes = failures[failures["asset"] < 2].assign(p=0.1, measure=0)
    worse = failures[failures["asset"] == 2].assign(p=0.9, measure=1)
    works = candidates(
        pd.concat([changes, worse], ignore_index=True), rate_rows([]).assign(measure=0), {}, [1.0, 1.0]
    )
    index = index_graph(graph, graph.prises[:, None])
    assert prises_secured(today, works, index).tolist() == [42, 0]


@given(graph=service_graphs(max_vertices=9, max_edges=14), data=st.data())
def test_what_cuts_an_end_is_what_cuts_it_alone(graph: ServiceGraph, data: st.DataObject) -> None:
    ends = data.draw(st.lists(st.integers(0, graph.n_vertices - 1), max_size=5))
    index = index_graph(graph, graph.prises[:, None])
    cut = [lost(graph, asset, graph.n_vertices) for asset in range(graph.n_assets)]
    found = _cutters(index, graph, np.array(ends, np.int64))
    assert [one.tolist() for one in found] == [
        [asset for asset in range(graph.n_assets) if cut[asset][end]] for end in ends
    ]
