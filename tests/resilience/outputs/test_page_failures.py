"""The network that the page carries, against the whole one: listed objects cut the same prises together."""

import networkx as nx
import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_sets
from resilience.outputs.page_failures import Contracted, contracted
from tests.resilience.service_graphs import service_graphs


def down(net: Contracted, failed: set[int]) -> dict[str, int]:
    """Search from the root without what fails, as the page does."""
    gone = {int(n) for o, n in zip(net.node_object, net.node_of, strict=True) if o in failed}
    cut = {int(e) for o, e in zip(net.edge_object, net.edge_of, strict=True) if o in failed}
    left = nx.Graph()
    left.add_nodes_from(set(range(net.n_nodes)) - gone)
    for edge, (a, b) in enumerate(zip(net.tail.tolist(), net.head.tolist(), strict=True)):
        if edge not in cut and not {a, b} & gone:
            left.add_edge(a, b)
    served = nx.node_connected_component(left, net.root)
    lost: dict[str, int] = {}
    for node, group, n in zip(net.node.tolist(), net.group.tolist(), net.prises.tolist(), strict=True):
        if node not in served:
            lost[net.groups[group]] = lost.get(net.groups[group], 0) + n
    return lost


@given(graph=service_graphs(max_vertices=9, max_edges=14), data=st.data())
def test_listed_objects_cut_what_they_cut_in_the_whole_network(
    graph: ServiceGraph, data: st.DataObject
) -> None:
    assets = st.integers(0, graph.n_assets - 1)
    listed = data.draw(st.lists(assets, unique=True, max_size=4))
    at = np.flatnonzero(graph.prises)
    pm = [data.draw(st.sampled_from("AB")) for _ in at]
    prises = pd.DataFrame({"vertex_nominal": at, "n": graph.prises[at], "pm": pm})
    net = contracted(graph, prises, np.array(listed, np.int64), "pm")
    failed = data.draw(st.sets(st.integers(0, max(len(listed) - 1, 0)))) if listed else set()
    members = np.array([listed[i] for i in sorted(failed)], np.int32)
    by_group = np.zeros((graph.n_vertices, 2), np.int64)
    by_group[at, [("A", "B").index(one) for one in pm]] = graph.prises[at]
    whole = losses_of_sets(index_graph(graph, by_group), np.array([0, len(members)]), members)[0]
    lost = down(net, failed)
    assert [lost.get("A", 0), lost.get("B", 0)] == whole.tolist()


def test_what_no_listed_object_cuts_apart_is_one_node() -> None:
    """A chain of 5 closures of which the middle way is listed: two nodes and one edge."""
    graph = ServiceGraph(
        6, 3, *(np.array(ends, np.int32) for ends in (range(5), range(1, 6))), np.zeros(5, np.bool_),
        *(np.array(rows, np.int32) for rows in ([0], [5], [1, 2], [2, 4], [], [])),
        np.array([0, 1, 2, 3, 4, 5], np.int64),
    )  # fmt: skip
    prises = pd.DataFrame({"vertex_nominal": range(1, 6), "n": range(1, 6), "pm": "PM"})
    net = contracted(graph, prises, np.array([1]), "pm")
    assert (net.n_nodes, len(net.tail), net.prises.tolist()) == (2, 1, [3, 12])
    assert down(net, {0}) == {"PM": 12}
    assert down(net, set()) == {}
