"""Worst pairs and triples: equal to trying all of them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import resilience.further
from gracethd.service import ServiceGraph
from resilience.further import prepare, worst_further_failures, worst_sets
from tests.draws import draws
from tests.resilience.service_graphs import service_graph
from tests.resilience.small_network import small_network
from tests.resilience.test_losses import lost_by_search, members


@st.composite
def meshes(draw: st.DrawFn) -> ServiceGraph:
    """Draw a ring through the root with chords, hanging trees, parallel cables; an asset each, and groups."""
    n = draw(st.integers(3, 5))
    edges = [(v, (v + 1) % n) for v in range(n)]
    edges += draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=4))
    hanging = draw(st.integers(0, 2))
    edges += [(draw(st.integers(1, n + h - 1)), n + h) for h in range(hanging)]
    total = n + hanging
    n_assets = len(edges) + draw(st.integers(1, 3))
    asset, part = st.integers(len(edges), n_assets - 1), st.integers(0, len(edges) - 1)
    return service_graph(
        edges,
        draw(st.lists(st.integers(0, 3), min_size=total, max_size=total)),
        n_assets=n_assets,
        vertex_links=draw(st.lists(st.tuples(asset, st.integers(0, total - 1)), max_size=2)),
        edge_links=[(e, e) for e in range(len(edges))] + draw(st.lists(st.tuples(asset, part), max_size=5)),
    )


def by_trying_all(graph: ServiceGraph, target: int) -> dict[int, tuple[int, set[tuple[int, ...]]]]:
    """Give the worst loss of each size, and the minimal sets that reach it."""
    own = {int(a) for a, v in zip(graph.vertex_asset, graph.vertex_of, strict=True) if v == target}
    assets = [a for a in range(graph.n_assets) if a not in own]
    if target not in lost_by_search(graph, {target}, set()):
        return {}
    cutting: list[set[int]] = []
    out: dict[int, tuple[int, set[tuple[int, ...]]]] = {}
    for size in (1, 2, 3):
        for one in itertools.combinations(assets, size):
            if any(part <= set(one) for part in cutting):
                continue
            lost = lost_by_search(graph, *members(graph, set(one)))
            if target in lost:
                cutting.append(set(one))
                loss = int(graph.prises[sorted(lost)].sum())
                best, sets = out.get(size, (-1, set()))
                if loss > best:
                    out[size] = (loss, {one})
                elif loss == best:
                    sets.add(one)
        if size == 1 and cutting:
            return {}
    return out


@settings(max_examples=draws(150))
@given(meshes(), st.data())
def test_the_worst_sets_are_those_of_trying_all(graph: ServiceGraph, data: st.DataObject) -> None:
    target = data.draw(st.integers(0, graph.n_vertices - 1))
    expected = {} if target == 0 else by_trying_all(graph, target)
    found, beyond = worst_sets(prepare(graph), target)
    assert beyond is None
    assert {one.size: one.loss for one in found} == {size: loss for size, (loss, _) in expected.items()}
    for one in found:
        assert one.assets in expected[one.size][1]


def test_a_looped_nro_falls_with_both_legs_of_its_loop() -> None:
    network, routes = small_network()
    table = worst_further_failures(network, routes, {})
    # LN1 falls only with a cable or way of each leg; LN2 hangs on CO3 alone, the PMs on their transport
    assert table[["nature", "code", "size", "prises_cut"]].to_numpy().tolist() == []
    # SH, NH and the place of the feed cut everything alone: without them the loop is all that there is
    fed = network.assets["code"].isin(["SH", "NH"])
    gone = set(network.assets.index[fed].tolist())
    graph = routes.nominal
    kept_edges = ~np.isin(graph.edge_asset, list(gone))
    kept = ~np.isin(graph.vertex_asset, list(gone))
    graph = replace(
        graph, vertex_asset=graph.vertex_asset[kept], vertex_of=graph.vertex_of[kept],
        edge_asset=graph.edge_asset[kept_edges], edge_of=graph.edge_of[kept_edges],
    )  # fmt: skip
    table = worst_further_failures(network, replace(routes, nominal=graph), {})
    assert table[["nature", "code", "size", "prises_cut"]].to_numpy().tolist() == [["NRO", "LN1", 2, 22]]
    assert table["objects"].tolist() == ["cable:CO1 + cable:CO2"]


def test_many_objects_that_do_the_same_are_one_class() -> None:
    """Two legs of 2,000 cables each: four million pairs, answered from two classes."""
    n = 2000
    left, right = [0, *range(1, n), 2 * n], [0, *range(n, 2 * n - 1), 2 * n]
    edges = [*itertools.pairwise(left), *itertools.pairwise(right)]
    prises = [0] * (2 * n + 1)
    prises[2 * n] = 7
    graph = service_graph(edges, prises, edge_links=[(e, e) for e in range(len(edges))])
    found, _ = worst_sets(prepare(graph), 2 * n)
    assert [(one.size, one.loss) for one in found] == [(2, 7)]


def test_too_many_sets_are_not_searched_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two legs of two stretches each, prises between: four pairs."""
    graph = service_graph(
        [(0, 1), (1, 2), (0, 3), (3, 2)], [0, 1, 5, 1], edge_links=[(e, e) for e in range(4)]
    )
    monkeypatch.setattr(resilience.further, "MAX_SETS", 3)
    assert worst_sets(prepare(graph), 2) == ([], 2)
    monkeypatch.setattr(resilience.further, "MAX_SETS", 4)
    found, beyond = worst_sets(prepare(graph), 2)
    assert [(one.size, one.loss, one.assets) for one in found] == [(2, 7, (0, 2))]
    assert beyond is None  # no pair stands: there is no triple to look at
