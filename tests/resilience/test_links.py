"""Second paths in the service graph, against directed light: no closure is lit backwards."""

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_sets
from resilience.measures import Link, with_second_paths
from tests.resilience.service_graphs import service_graph

NO_WATER = pd.DataFrame({"hazard": [], "scenario": [], "return_period": [], "wet_m": []})


def link(room: int, anchor: int, relays: Sequence[int], carriers: Sequence[int] = ()) -> Link:
    none = np.empty(0, np.int32)
    return Link(
        room=room, anchor=anchor, relays=np.array(relays, np.int64), protects=none,
        carriers=np.array(carriers, np.int32), dug_m=0.0, wet=NO_WATER,
    )  # fmt: skip


def loss(graph: ServiceGraph, failed: Sequence[int]) -> int:
    index = index_graph(graph, graph.prises[:, None])
    return int(losses_of_sets(index, np.array([0, len(failed)]), np.array(failed, np.int32))[0, 0])


@pytest.fixture
def trunk() -> ServiceGraph:
    r"""One trunk t feeds two cabinets through one closure.

    root --- N(1) --t(0)-- C(2) --a(1)-- P(3: 300)
                            \\--b(2)-- Q(4: 500)
    """
    return service_graph(
        [(0, 1), (1, 2), (2, 3), (2, 4)], [0, 0, 0, 300, 500], edge_links=[(0, 1), (1, 2), (2, 3)]
    )


def test_a_second_path_saves_its_own_cabinet_and_not_the_other_one_on_the_trunk(trunk: ServiceGraph) -> None:
    after = with_second_paths(trunk, [link(3, 1, [1], carriers=[3])])
    assert [loss(after, [asset]) for asset in range(4)] == [500, 0, 500, 0]
    assert loss(after, [0, 3]) == 800  # the trunk and the new path together
    assert loss(after, [1, 3]) == 300


def test_a_new_path_that_shares_the_trunk_protects_from_the_branch_only(trunk: ServiceGraph) -> None:
    after = with_second_paths(trunk, [link(3, 1, [1], carriers=[0])])
    assert [loss(after, [asset]) for asset in range(3)] == [800, 0, 500]


def test_a_looped_nro_relays_to_those_below_it() -> None:
    """Root --f(0)-- A(1: 10) --g(1)-- B(2: 20), a second feed D(3: 1) on the root, a loop from A to D."""
    graph = service_graph([(0, 1), (1, 2), (0, 3)], [0, 10, 20, 1], edge_links=[(0, 0), (1, 1)])
    after = with_second_paths(graph, [link(1, 3, [1, 2, 3], carriers=[2])])
    assert [loss(after, [asset]) for asset in range(3)] == [0, 20, 0]


def test_a_room_that_stands_on_a_ring_stays_a_relay() -> None:
    """Root --a-- X(1: 5) --b-- V(2: 7) --c-- Y(3: 9) --d-- root: V relays between the closures today."""
    ring = service_graph([(0, 1), (1, 2), (2, 3), (3, 0)], [0, 5, 7, 9], edge_links=[(0, 0), (1, 3)])
    after = with_second_paths(ring, [link(2, 0, [], carriers=[2])])
    assert [loss(after, [0, 1])] == [0]
    assert after.n_vertices == ring.n_vertices


@st.composite
def trees(draw: st.DrawFn) -> tuple[ServiceGraph, list[int], dict[int, int], list[Link]]:
    """Draw a tree with relays, prises anywhere, parallel cables, and second paths for some vertices."""
    n = draw(st.integers(3, 9))
    parent = {v: draw(st.integers(max(0, v - 3), v - 1)) for v in range(1, n)}
    double = draw(st.sets(st.integers(1, n - 1), max_size=2))
    edges = [(parent[v], v) for v in range(1, n)] + [(parent[v], v) for v in sorted(double)]
    relays = sorted(draw(st.sets(st.integers(1, n - 1), max_size=4)))
    n_assets = draw(st.integers(2, 6))
    asset = st.integers(0, n_assets - 1)
    graph = service_graph(
        edges, [0, *draw(st.lists(st.integers(0, 3), min_size=n - 1, max_size=n - 1))], n_assets=n_assets,
        vertex_links=draw(st.lists(st.tuples(asset, st.integers(1, n - 1)), max_size=4)),
        edge_links=draw(st.lists(st.tuples(asset, st.integers(0, len(edges) - 1)), max_size=8)),
    )  # fmt: skip
    links = []
    for room in sorted(draw(st.sets(st.integers(1, n - 1), max_size=3))):
        above = [v for v in _up(parent, room) if v != room and (v in relays or v == 0)]
        others = [v for v in [0, *relays] if room not in _up(parent, v)]
        anchors = others if room in relays else above
        if anchors:
            carriers = draw(st.lists(asset, max_size=2))
            links.append(link(room, draw(st.sampled_from(anchors)), relays, carriers))
    return graph, relays, parent, links


def _up(parent: dict[int, int], v: int) -> list[int]:
    return [v] if v == 0 else [v, *_up(parent, parent[v])]


def directed_loss(
    graph: ServiceGraph, relays: list[int], parent: dict[int, int], links: list[Link], failed: set[int]
) -> int:
    """Follow light down the tree, along the new links, and back along the first path of a room with one."""
    dead = {int(v) for a, v in zip(graph.vertex_asset, graph.vertex_of, strict=True) if a in failed} - {0}
    cut = {int(e) for a, e in zip(graph.edge_asset, graph.edge_of, strict=True) if a in failed}
    light = nx.DiGraph()
    light.add_nodes_from(range(graph.n_vertices))
    whole = set()
    for e, (u, v) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)):
        if e not in cut:
            light.add_edge(u, v)
            whole.add(v)
    for one in links:
        if not failed & set(one.carriers.tolist()):
            light.add_edges_from([(one.room, one.anchor), (one.anchor, one.room)])
        path = _up(parent, one.room)
        stop = next(i for i, v in enumerate(path) if i > 0 and (v in relays or v == 0))
        if all(v in whole for v in path[:stop]) and not dead & set(path[1:stop]):
            light.add_edge(one.room, path[stop])
    light.remove_nodes_from(dead)
    served = nx.descendants(light, 0) | {0}
    return sum(int(graph.prises[v]) for v in range(graph.n_vertices) if v not in served)


@given(case=trees(), failed=st.sets(st.integers(0, 5), max_size=4))
def test_light_never_runs_back_into_the_closures_of_a_first_path(
    case: tuple[ServiceGraph, list[int], dict[int, int], list[Link]], failed: set[int]
) -> None:
    graph, relays, parent, links = case
    failed &= set(range(graph.n_assets))
    after = with_second_paths(graph, links)
    assert loss(after, sorted(failed)) == directed_loss(graph, relays, parent, links, failed)


@given(case=trees(), failed=st.sets(st.integers(0, 5), max_size=4))
def test_a_second_path_never_cuts_anybody_and_their_order_changes_nothing(
    case: tuple[ServiceGraph, list[int], dict[int, int], list[Link]], failed: set[int]
) -> None:
    graph, _, _, links = case
    down = sorted(failed & set(range(graph.n_assets)))
    after = loss(with_second_paths(graph, links), down)
    assert after <= loss(graph, down)
    assert after == loss(with_second_paths(graph, links[::-1]), down)
