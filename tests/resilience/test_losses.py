"""Losses against remove-and-search, maximal losses against the list of all simple paths."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.losses import (
    are_lost,
    behind_losses_of_assets,
    depths_of_assets,
    index_graph,
    losses_of_assets,
    losses_of_sets,
    lost_vertices,
    lost_weights,
    maximal_losses_of_assets,
    signatures_of_assets,
    vertices_behind,
    with_weights,
)
from tests.draws import draws
from tests.resilience.service_graphs import service_graph, service_graphs, with_edge


def multigraph(graph: ServiceGraph) -> nx.MultiGraph:
    out = nx.MultiGraph()
    out.add_nodes_from(range(graph.n_vertices))
    out.add_edges_from(
        (int(t), int(h), e) for e, (t, h) in enumerate(zip(graph.tail, graph.head, strict=True))
    )
    return out


def members(graph: ServiceGraph, assets: set[int], *, possible: bool = False) -> tuple[set[int], set[int]]:
    """Give the vertices (the root apart) and edges of a set of assets."""
    vertices = {int(v) for a, v in zip(graph.vertex_asset, graph.vertex_of, strict=True) if a in assets}
    if possible:
        vertices |= {
            int(v) for a, v in zip(graph.possible_asset, graph.possible_vertex, strict=True) if a in assets
        }
    edges = {int(e) for a, e in zip(graph.edge_asset, graph.edge_of, strict=True) if a in assets}
    return vertices - {0}, edges


def lost_by_search(graph: ServiceGraph, vertices: set[int], edges: set[int]) -> set[int]:
    whole = multigraph(graph)
    served = nx.node_connected_component(whole, 0)
    whole.remove_edges_from([edge for edge in whole.edges(keys=True) if edge[2] in edges])
    whole.remove_nodes_from(vertices)
    return set(served - nx.node_connected_component(whole, 0))


def through_by_paths(graph: ServiceGraph, assets: set[int], *, ambiguous_only: bool) -> set[int]:
    """Give the vertices with a simple path through the assets, inside ambiguous blocks or anywhere."""
    whole = multigraph(graph)
    whole.remove_edges_from(list(nx.selfloop_edges(whole, keys=True)))
    blocks = [set(block) for block in nx.biconnected_components(nx.Graph(whole))]
    chosen = set()
    for block in blocks:
        inside = [e for t, h, e in whole.edges(keys=True) if t in block and h in block]
        if not ambiguous_only or any(graph.ambiguous[e] for e in inside):
            chosen.update(inside)
    vertices, edges = members(graph, assets, possible=ambiguous_only)
    out = set()
    for target in range(1, graph.n_vertices):
        for path in nx.all_simple_edge_paths(whole, 0, target):
            # a vertex belongs to the block by which the path arrives
            if any(e in chosen and (e in edges or into in vertices) for _, into, e in path):
                out.add(target)
                break
    return out


def weights(graph: ServiceGraph) -> NDArray[np.int64]:
    return np.stack([graph.prises, np.arange(graph.n_vertices, dtype=np.int64) ** 2], axis=1)


def total(graph: ServiceGraph, vertices: set[int]) -> list[int]:
    return [int(column) for column in weights(graph)[sorted(vertices)].sum(axis=0)]


@given(service_graphs())
def test_each_asset_loses_what_remove_and_search_loses(graph: ServiceGraph) -> None:
    index = index_graph(graph, weights(graph))
    expected = [total(graph, lost_by_search(graph, *members(graph, {a}))) for a in range(graph.n_assets)]
    assert losses_of_assets(index).tolist() == expected


@given(service_graphs(max_vertices=14, max_edges=26), st.data())
def test_groups_lose_what_remove_and_search_loses(graph: ServiceGraph, data: st.DataObject) -> None:
    asset = st.integers(0, graph.n_assets - 1)
    groups = data.draw(st.lists(st.lists(asset, max_size=8), min_size=1, max_size=6))
    indptr = np.cumsum([0, *(len(group) for group in groups)])
    assets = np.array([a for group in groups for a in group], np.int64)
    found = losses_of_sets(index_graph(graph, weights(graph)), indptr, assets)
    expected = [lost_by_search(graph, *members(graph, set(group))) for group in groups]
    assert found.tolist() == [total(graph, lost) for lost in expected]
    first = lost_vertices(index_graph(graph, weights(graph)), np.array(groups[0], np.int64))
    assert set(np.flatnonzero(first).tolist()) == expected[0]


@given(service_graphs(max_vertices=8, max_edges=11))
def test_maximal_losses_are_those_of_all_simple_paths(graph: ServiceGraph) -> None:
    index = index_graph(graph, weights(graph))
    maximal, behind = [], []
    for a in range(graph.n_assets):
        certain = lost_by_search(graph, *members(graph, {a}, possible=True))
        maximal.append(total(graph, certain | through_by_paths(graph, {a}, ambiguous_only=True)))
        through = through_by_paths(graph, {a}, ambiguous_only=False)
        behind.append(total(graph, through))
        assert set(np.flatnonzero(vertices_behind(index, np.array([a]))).tolist()) == through
    assert maximal_losses_of_assets(index).tolist() == maximal
    assert behind_losses_of_assets(index).tolist() == behind


@given(service_graphs())
def test_cut_is_at_most_its_maximum_and_certainly_behind(graph: ServiceGraph) -> None:
    index = index_graph(graph, graph.prises)
    cut = losses_of_assets(index)
    assert (cut <= maximal_losses_of_assets(index)).all()
    assert (cut <= behind_losses_of_assets(index)).all()


@given(service_graphs())
def test_signatures_are_equal_when_the_lost_prises_are_the_same(graph: ServiceGraph) -> None:
    signatures = signatures_of_assets(index_graph(graph, graph.prises))
    assert signatures.dtype == np.uint64
    weighted = set(np.flatnonzero(graph.prises).tolist())
    lost = [lost_by_search(graph, *members(graph, {a})) & weighted for a in range(graph.n_assets)]
    for a in range(graph.n_assets):
        assert (signatures[a].tolist() == [0, 0]) == (not lost[a])
        for b in range(a):
            assert (signatures[a].tolist() == signatures[b].tolist()) == (lost[a] == lost[b])


@given(service_graphs())
def test_depth_is_that_of_the_nearest_vertex_else_of_the_nearest_edge(graph: ServiceGraph) -> None:
    far = np.iinfo(np.int32).max
    distance = nx.single_source_shortest_path_length(multigraph(graph), 0)
    expected = []
    for a in range(graph.n_assets):
        vertices = [int(v) for v in graph.vertex_of[graph.vertex_asset == a]]
        ends = [(int(graph.tail[e]), int(graph.head[e])) for e in graph.edge_of[graph.edge_asset == a]]
        spots = [2 * distance[v] for v in vertices if v in distance]
        middles = [2 * min(distance[t], distance[h]) + 1 for t, h in ends if t != h and t in distance]
        expected.append(min(spots or middles or [far]))
    assert depths_of_assets(index_graph(graph, graph.prises)).tolist() == expected


@given(service_graphs(), st.data())
def test_more_failures_never_restore_service(graph: ServiceGraph, data: st.DataObject) -> None:
    few = data.draw(st.sets(st.integers(0, graph.n_assets - 1)))
    more = few | data.draw(st.sets(st.integers(0, graph.n_assets - 1)))
    index = index_graph(graph, graph.prises)
    lost_few = lost_vertices(index, np.array(sorted(few), np.int64))
    assert not (lost_few & ~lost_vertices(index, np.array(sorted(more), np.int64))).any()


@given(service_graphs(), st.data())
def test_adding_an_edge_never_raises_a_loss(graph: ServiceGraph, data: st.DataObject) -> None:
    reached = np.flatnonzero(index_graph(graph, graph.prises).tree.position >= 0).tolist()
    tail, head = data.draw(st.sampled_from(reached)), data.draw(st.sampled_from(reached))
    more = with_edge(graph, tail, head)
    after = losses_of_assets(index_graph(more, more.prises))
    assert (after <= losses_of_assets(index_graph(graph, graph.prises))).all()


@given(service_graphs(), st.data())
def test_splitting_a_way_changes_no_loss(graph: ServiceGraph, data: st.DataObject) -> None:
    """Cut an edge in two at a place that holds nothing; both halves keep its owners."""
    if not len(graph.tail):
        return
    edge = data.draw(st.integers(0, len(graph.tail) - 1))
    middle, more = np.int32(graph.n_vertices), np.int32(len(graph.tail))
    head = graph.head.copy()
    head[edge] = middle
    owners = graph.edge_asset[graph.edge_of == edge]
    split = replace(
        graph, n_vertices=graph.n_vertices + 1, prises=np.append(graph.prises, 0),
        tail=np.append(graph.tail, middle), head=np.append(head, graph.head[edge]),
        ambiguous=np.append(graph.ambiguous, graph.ambiguous[edge]),
        edge_asset=np.concatenate([graph.edge_asset, owners]),
        edge_of=np.concatenate([graph.edge_of, np.full(len(owners), more)]),
    )  # fmt: skip
    before, after = index_graph(graph, graph.prises), index_graph(split, split.prises)
    for losses in (losses_of_assets, maximal_losses_of_assets, behind_losses_of_assets):
        if graph.tail[edge] != graph.head[edge]:
            assert (losses(before) == losses(after)).all()
    pairs = np.array(data.draw(st.lists(st.integers(0, graph.n_assets - 1), max_size=4)), np.int64)
    ends = np.array([0, len(pairs)])
    assert (losses_of_sets(before, ends, pairs) == losses_of_sets(after, ends, pairs)).all()


@given(service_graphs(), st.randoms(use_true_random=False))
def test_numbering_and_row_order_change_nothing(graph: ServiceGraph, random: object) -> None:
    rng = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    name = np.concatenate([[0], 1 + rng.permutation(graph.n_vertices - 1)]).astype(np.int32)
    row = rng.permutation(len(graph.tail))
    new_row = np.argsort(row).astype(np.int32)
    prises = np.empty_like(graph.prises)
    prises[name] = graph.prises
    shuffled = replace(
        graph, tail=name[graph.head][row], head=name[graph.tail][row], ambiguous=graph.ambiguous[row],
        vertex_of=name[graph.vertex_of], edge_of=new_row[graph.edge_of],
        possible_vertex=name[graph.possible_vertex], prises=prises,
    )  # fmt: skip
    before, after = index_graph(graph, graph.prises), index_graph(shuffled, prises)
    assert (losses_of_assets(before) == losses_of_assets(after)).all()
    assert (maximal_losses_of_assets(before) == maximal_losses_of_assets(after)).all()
    assert (behind_losses_of_assets(before) == behind_losses_of_assets(after)).all()
    assert (depths_of_assets(before) == depths_of_assets(after)).all()


@pytest.fixture
def two_cables_one_way() -> ServiceGraph:
    r"""Draw two cables a and b, laid in one way w.

    0 ==a== 1(10)      a: asset 0    w holds a and b: asset 2
    0 --b-- 2(20)      b: asset 1
    """
    return service_graph(
        [(0, 1), (0, 2)], [0, 10, 20], edge_links=[(0, 0), (1, 1), (2, 0), (2, 1)]
    )  # fmt: skip


def test_a_way_cuts_all_its_cables(two_cables_one_way: ServiceGraph) -> None:
    assert losses_of_assets(index_graph(two_cables_one_way, two_cables_one_way.prises)).tolist() == [
        [10],
        [20],
        [30],
    ]


def test_a_ring_in_one_trench_is_cut_by_the_trench_alone() -> None:
    r"""0 --a-- 1(5) --b-- 2(7) --c-- 0, all three legs in trench t, b ambiguous or not."""
    links = [(0, 0), (1, 1), (2, 2), (3, 0), (3, 2)]
    for ambiguous, most in (((), [[0], [0], [0], [12]]), ((1,), [[12], [12], [12], [12]])):
        ring = service_graph([(0, 1), (1, 2), (2, 0)], [0, 5, 7], edge_links=links, ambiguous=ambiguous)
        index = index_graph(ring, ring.prises)
        assert losses_of_assets(index).tolist() == [[0], [0], [0], [12]]
        assert maximal_losses_of_assets(index).tolist() == most
        assert behind_losses_of_assets(index).tolist() == [[12], [12], [12], [12]]


def test_an_opening_of_unknown_order_counts_only_in_the_maximum() -> None:
    r"""0 --a-- 1(3) --b-- 2(4): box asset 2 may stand before vertex 2."""
    line = service_graph([(0, 1), (1, 2)], [0, 3, 4], edge_links=[(0, 0), (1, 1)], possible=[(2, 2)])
    index = index_graph(line, line.prises)
    assert losses_of_assets(index).tolist() == [[7], [4], [0]]
    assert maximal_losses_of_assets(index).tolist() == [[7], [4], [4]]


def test_weights_may_be_replaced_and_inputs_stay_as_they_were(two_cables_one_way: ServiceGraph) -> None:
    prises = two_cables_one_way.prises.copy()
    index = index_graph(two_cables_one_way, prises)
    assert losses_of_assets(with_weights(index, np.array([9, 1, 1]))).tolist() == [[1], [1], [2]]
    assert losses_of_assets(index).tolist() == [[10], [20], [30]]
    assert prises.tolist() == [0, 10, 20]


def test_an_asset_number_out_of_range_is_named(two_cables_one_way: ServiceGraph) -> None:
    index = index_graph(two_cables_one_way, two_cables_one_way.prises)
    with pytest.raises(ValueError, match=r"0\.\.2"):
        losses_of_sets(index, np.array([0, 1]), np.array([3]))
    with pytest.raises(ValueError, match="indptr"):
        losses_of_sets(index, np.array([0, 2]), np.array([0]))
    with pytest.raises(ValueError, match="weights: 2 rows for 3 vertices"):
        index_graph(two_cables_one_way, np.array([1, 2]))
    with pytest.raises(ValueError, match="edge_of"):
        index_graph(
            replace(two_cables_one_way, edge_of=np.array([0, 1, 2, 1], np.int32)), np.zeros(3, np.int64)
        )


@settings(max_examples=draws(5))
@given(st.integers(0, 2**32 - 1))
def test_a_large_drawn_graph_agrees_with_remove_and_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 400
    climb = [(int(rng.integers(max(0, v - 30), v)), v) for v in range(1, n)]
    extra = [(int(a), int(b)) for a, b in rng.integers(0, n, (60, 2))]
    edges = climb + extra
    links = [
        (int(a), int(e))
        for a, e in zip(rng.integers(0, 80, 300), rng.integers(0, len(edges), 300), strict=True)
    ]
    spots = [(int(a), int(v)) for a, v in zip(rng.integers(0, 80, 60), rng.integers(0, n, 60), strict=True)]
    graph = service_graph(
        edges, rng.integers(0, 5, n).tolist(), n_assets=80, edge_links=links, vertex_links=spots
    )
    expected = [total(graph, lost_by_search(graph, *members(graph, {a}))) for a in range(80)]
    assert losses_of_assets(index_graph(graph, weights(graph))).tolist() == expected


def test_a_cache_that_cannot_be_written_does_not_stop_the_kernels(tmp_path: Path) -> None:
    code = (
        "import numba, numpy as np\n"
        "from gracethd import compiled\n"
        "real = numba.njit\n"
        "def njit(*args, cache=False, **kwargs):\n"
        "    if cache:\n"
        "        raise RuntimeError('cannot cache function: no locator available')\n"
        "    return real(*args, **kwargs)\n"
        "numba.njit = njit\n"
        "from resilience.spanning import grouped\n"
        "print(grouped(np.array([1, 0, 1]), 2)[1].tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[1, 0, 2]"


@settings(max_examples=draws(100))
@given(graph=service_graphs(), data=st.data())
def test_vertices_and_weights_of_sets_are_those_of_each_set_alone(
    graph: ServiceGraph, data: st.DataObject
) -> None:
    """Many sets at once, each judged by `lost_vertices`, which is judged by removing and searching."""
    asset, vertex = st.integers(0, graph.n_assets - 1), st.integers(0, graph.n_vertices - 1)
    drawn = data.draw(st.lists(st.tuples(st.lists(asset, max_size=4), vertex, st.floats(0, 9)), max_size=6))
    index = index_graph(graph, graph.prises[:, None])
    indptr = np.cumsum([0, *(len(of) for of, _, _ in drawn)])
    members = np.array([a for of, _, _ in drawn for a in of], np.int32)
    lost = [lost_vertices(index, np.array(of, np.int32)) for of, _, _ in drawn]
    asked = np.array([v for _, v, _ in drawn], np.int64)
    assert are_lost(index, indptr, members, asked).tolist() == [
        bool(one[v]) for one, v in zip(lost, asked, strict=True)
    ]
    weights = np.array([[w, 1.0] for _, _, w in drawn]).reshape(-1, 2)
    found = lost_weights(index, indptr, members, weights)
    expected = sum((np.outer(one, w) for one, w in zip(lost, weights, strict=True)), np.zeros(found.shape))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (found[expected[:, 1] == 0] == 0).all()  # never lost is exactly 0
