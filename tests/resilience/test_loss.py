"""Losses of events: prises down and prises·h, against the list of all routes of small networks."""

import itertools
import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.loss import annual_losses, event_losses, event_losses_by_group, group_weights
from resilience.loss import events as events_module
from resilience.loss.events import events_of, sample_event
from resilience.losses import index_graph
from tests.draws import draws
from tests.resilience.loss_cases import chain, failures, keys, two_legs
from tests.resilience.service_graphs import service_graphs

NETWORKS = service_graphs(max_vertices=6, max_edges=9)


@pytest.fixture
def tree() -> ServiceGraph:
    """Root -- NRO[0] --way[1]-- PM[2](100 prises) --way[3]-- PBO[4](8 prises)."""
    return chain()


@pytest.fixture
def ring() -> ServiceGraph:
    """Root ==a[0], b[1]== V(10 prises)."""
    return two_legs()


def hours_until_back(graph: ServiceGraph, repair_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hours until each vertex has a working route, by listing every simple path; inf where there is none.

    The time of a route is that of its slowest failed asset; the time of a vertex that of its best route.
    """
    down_vertex, down_edge = np.zeros(graph.n_vertices), np.zeros(len(graph.tail))
    np.maximum.at(down_vertex, graph.vertex_of, repair_h[graph.vertex_asset])
    np.maximum.at(down_edge, graph.edge_of, repair_h[graph.edge_asset])
    best = np.full(graph.n_vertices, np.inf)
    best[0] = 0.0

    def walk(vertex: int, seen: set[int], hours: float) -> None:
        for e, ends in enumerate(zip(graph.tail, graph.head, strict=True)):
            if vertex not in ends:
                continue
            other = ends[1] if ends[0] == vertex else ends[0]
            if other in seen:
                continue
            arrival = max(hours, down_edge[e], down_vertex[other])
            best[other] = min(best[other], arrival)
            walk(other, seen | {other}, arrival)

    walk(0, {0}, 0.0)
    return best


def cost_by_paths(graph: ServiceGraph, repair_h: NDArray[np.float64]) -> tuple[int, float]:
    """Prises down at the peak and prises·h when assets with repair_h > 0 have failed together."""
    hours = hours_until_back(graph, repair_h)
    served = np.isfinite(hours)
    down = int(graph.prises[served & (hours > 0)].sum())
    return down, float((hours[served] * graph.prises[served]).sum())


@settings(max_examples=draws(150))
@given(NETWORKS, st.data())
def test_event_loss_is_the_bottleneck_of_the_best_route(graph: ServiceGraph, data: st.DataObject) -> None:
    """Certain failures: every draw is the one state, whose cost the list of all paths tells."""
    repair = data.draw(
        st.lists(st.sampled_from([0, 1, 6, 12, 168]), min_size=graph.n_assets, max_size=graph.n_assets)
    )
    rows = [(a, 100, "water", 1.0, h) for a, h in enumerate(repair) if h] or [(0, 100, "water", 0.0, 1)]
    got = event_losses(graph, failures(rows), asset_keys=keys(graph.n_assets), seed=1, draws=2).iloc[0]
    down, hours = cost_by_paths(graph, np.array(repair, float))
    assert (got.prises_down_mean, got.prises_h_mean) == (down, hours)
    assert (got.prises_down_p05, got.prises_h_p95, got.prises_h_se) == (down, hours, 0)


@settings(max_examples=draws(100))
@given(NETWORKS, st.data())
def test_each_draw_costs_what_its_own_failures_cost(graph: ServiceGraph, data: st.DataObject) -> None:
    """Random failures, two mechanisms an asset: the state of each draw, priced by the list of all paths."""
    size = st.lists(st.floats(0, 1), min_size=graph.n_assets, max_size=graph.n_assets)
    hours = st.lists(st.sampled_from([4.0, 9.0, 24.0]), min_size=graph.n_assets, max_size=graph.n_assets)
    rows = [
        (a, 100, mechanism, p, h)
        for mechanism in ("scour", "water")
        for a, (p, h) in enumerate(zip(data.draw(size), data.draw(hours), strict=True))
    ]
    (event,) = events_of(graph, failures(rows), asset_keys=keys(graph.n_assets), seed=3)
    (sample,) = sample_event(index_graph(graph, graph.prises), event, draws=20)
    for d in range(20):
        failed = sample.row[sample.draw == d]
        repair = np.zeros(graph.n_assets)
        np.maximum.at(repair, event.bearers.asset[failed], event.bearers.repair_h[failed])
        assert (sample.down[d, 0], sample.hours[d, 0]) == cost_by_paths(graph, repair)


@settings(max_examples=draws(100))
@given(NETWORKS, st.data())
def test_mean_agrees_with_the_exact_expectation(graph: ServiceGraph, data: st.DataObject) -> None:
    """All 2^n states of at most five assets, weighted by their probabilities, against 4,000 draws."""
    p = np.array(data.draw(st.lists(st.floats(0, 1), min_size=graph.n_assets, max_size=graph.n_assets)))[:5]
    repair = np.array([4.0, 9.0, 24.0, 24.0, 168.0])[: len(p)]
    exact = 0.0
    for state in itertools.product([0, 1], repeat=len(p)):
        chance = np.prod(np.where(state, p, 1 - p))
        exact += (
            chance * cost_by_paths(graph, np.append(repair * state, np.zeros(graph.n_assets - len(p))))[1]
        )
    rows = [(a, 100, "water", p[a], repair[a]) for a in range(len(p))]
    got = event_losses(graph, failures(rows), asset_keys=keys(graph.n_assets), seed=7, draws=4000).iloc[0]
    # six standard errors, and one more draw of the rarest kind where none was drawn
    assert abs(got.prises_h_mean - exact) <= 6 * got.prises_h_se + 168 * graph.prises.sum() * 10 / 4000


def test_hours_by_hand(tree: ServiceGraph) -> None:
    """PM out for 168 h and its way for 24 h: 108 prises wait 168 h; the PBO behind waits no longer."""
    rows = [(1, 100, "water", 1, 24), (2, 100, "water", 1, 168), (4, 100, "water", 1, 9)]
    got = event_losses(tree, failures(rows), asset_keys=keys(5), seed=1, draws=10).iloc[0]
    assert got.prises_down_mean == 108
    assert got.prises_h_mean == 108 * 168


def test_two_legs_cost_only_the_time_both_are_out(ring: ServiceGraph) -> None:
    """Leg a is back after 4 h: the prises wait 4 h although leg b takes 24 h."""
    both = event_losses(
        ring, failures([(0, 10, "w", 1, 4), (1, 10, "w", 1, 24)]), asset_keys=keys(2), seed=1, draws=5
    ).iloc[0]
    assert (both.prises_down_mean, both.prises_h_mean) == (10, 40)
    one = event_losses(ring, failures([(1, 10, "w", 1, 24)]), asset_keys=keys(2), seed=1, draws=5).iloc[0]
    assert one.prises_h_mean == 0


def test_draws_do_not_depend_on_row_order_on_other_rows_or_on_blocks(
    tree: ServiceGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(a, t, "water", 0.3, h) for a, h in enumerate([168, 24, 168, 24, 9]) for t in (20, 100)]
    table = failures(rows)
    expected = event_losses(tree, table, asset_keys=keys(5), seed=1, draws=300)
    shuffled = table.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(
        event_losses(tree, shuffled, asset_keys=keys(5), seed=1, draws=300), expected
    )
    monkeypatch.setattr(events_module, "BYTES_PER_FAILURE", 50_000_000)  # three draws in the memory given
    pd.testing.assert_frame_equal(event_losses(tree, table, asset_keys=keys(5), seed=1, draws=300), expected)
    monkeypatch.undo()
    # rows of another event, of an unmapped bearer and of one that serves nobody
    bigger = replace(tree, n_assets=6)
    more = pd.concat(
        [table, failures([(0, 50, "water", 1, 9), (5, 20, "water", 0.9, 9), (1, 20, "x", np.nan, 9)])]
    )
    got = event_losses(bigger, more, asset_keys=keys(6), seed=1, draws=300).query("return_period != 50")
    sampled = [c for c in expected if c.startswith("prises_") and c != "prises_unmapped"]
    pd.testing.assert_frame_equal(got[sampled].reset_index(drop=True), expected[sampled])


def test_renumbered_assets_fail_in_the_same_draws(tree: ServiceGraph) -> None:
    """Draws follow kind and code: the same network numbered the other way round loses the same."""
    rows = [(a, 100, "water", 0.3, 10 + a) for a in range(5)]
    expected = event_losses(tree, failures(rows), asset_keys=keys(5), seed=1, draws=200)
    turned = replace(tree, vertex_asset=4 - tree.vertex_asset, edge_asset=4 - tree.edge_asset)
    rows = [(4 - a, *rest) for a, *rest in rows]
    got = event_losses(turned, failures(rows), asset_keys=keys(5)[::-1].copy(), seed=1, draws=200)
    pd.testing.assert_frame_equal(got, expected)


@settings(max_examples=draws(50))
@given(NETWORKS, st.data())
def test_higher_probabilities_and_longer_repairs_never_cost_less(
    graph: ServiceGraph, data: st.DataObject
) -> None:
    n = graph.n_assets
    low = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    high = [data.draw(st.floats(p, 1)) for p in low]
    mild = [(a, 100, "water", p, 5 + a) for a, p in enumerate(low)]
    hard = [(a, 100, "water", p, 9 + a) for a, p in enumerate(high)]
    index = index_graph(graph, graph.prises)
    lost = []
    for rows in (mild, hard):
        (event,) = events_of(graph, failures(rows), asset_keys=keys(n), seed=1)
        lost.append(np.concatenate([s.hours for s in sample_event(index, event, draws=40)]))
    assert (lost[0] <= lost[1]).all()


def test_cutting_a_bearer_in_pieces_changes_no_probability(tree: ServiceGraph) -> None:
    """1 - exp(-0.4 x 3 km) in one row, or in three rows of 1 km: the same losses in the same draws."""
    whole = failures([(1, 100, "water", -np.expm1(-1.2), 24)])
    pieces = failures([(1, 100, "water", -np.expm1(-0.4), 24)] * 3)
    one, three = (event_losses(tree, t, asset_keys=keys(5), seed=1, draws=1000) for t in (whole, pieces))
    assert one.prises_h_mean.iloc[0] > 0
    assert one.prises_h_mean.iloc[0] == three.prises_h_mean.iloc[0]


def test_a_bearer_in_pieces_waits_for_its_slowest_piece(tree: ServiceGraph) -> None:
    table = failures([(1, 100, "water", 0.5, 100), (1, 100, "water", 0.4, 24)])
    got = event_losses(tree, table, asset_keys=keys(5), seed=1, draws=200).iloc[0]
    assert got.prises_h_mean == pytest.approx(100 * got.prises_down_mean)


def test_statistics_are_those_of_the_draws(tree: ServiceGraph) -> None:
    """Mean, standard error and quantiles of 51 draws, by the standard library."""
    table = failures([(a, 100, "water", 0.3, 10 + a) for a in range(5)])
    (event,) = events_of(tree, table, asset_keys=keys(5), seed=1)
    (sample,) = sample_event(index_graph(tree, tree.prises), event, draws=51)
    hours = sample.hours[:, 0].tolist()
    got = event_losses(tree, table, asset_keys=keys(5), seed=1, draws=51).iloc[0]
    assert got.prises_h_mean == pytest.approx(statistics.fmean(hours))
    assert got.prises_h_se == pytest.approx(statistics.stdev(hours) / 51**0.5)
    # the smallest drawn value that at least 5, 50 and 95 % of the draws do not exceed
    in_order = sorted(hours)
    assert [got.prises_h_p05, got.prises_h_p50, got.prises_h_p95] == [in_order[2], in_order[25], in_order[48]]


def test_unmapped_bearers_are_counted_and_never_fail(tree: ServiceGraph) -> None:
    rows = [(0, 100, "water", np.nan, np.nan), (2, 100, "water", 0, 168), (4, 100, "water", np.nan, np.nan)]
    got = event_losses(tree, failures(rows), asset_keys=keys(5), seed=1, draws=10).iloc[0]
    assert (got.prises_h_mean, got.n_mapped, got.n_unmapped, got.prises_unmapped) == (0, 1, 2, 108)


def test_no_failure_rows_give_an_empty_table(tree: ServiceGraph) -> None:
    got = event_losses(tree, failures([]), asset_keys=keys(5), seed=1)
    full = event_losses(tree, failures([(0, 9, "w", 1, 1)]), asset_keys=keys(5), seed=1, draws=3)
    assert len(got) == 0
    assert got.dtypes.to_dict() == full.dtypes.to_dict()
    assert annual_losses(got).empty


def test_groups_add_up_to_the_whole(tree: ServiceGraph) -> None:
    prises = pd.DataFrame(
        {"vertex_nominal": [2, 2, 3, -1], "n": [60, 40, 8, 5], "insee": ["B", "A", "A", "A"]}
    )
    weights, names = group_weights(prises, "insee", n_vertices=4)
    assert names == ["A", "B"]
    assert weights.toarray().tolist() == [[0, 0], [0, 0], [40, 60], [8, 0]]
    table = failures([(a, t, "water", 0.2, 12) for a in range(5) for t in (20, 100)])
    whole = event_losses(tree, table, asset_keys=keys(5), seed=1, draws=400)
    parts = event_losses_by_group(tree, table, weights, names, asset_keys=keys(5), seed=1, draws=400)
    assert len(parts) == 4
    assert parts.groupby("return_period").prises_h_mean.sum().tolist() == pytest.approx(
        whole.prises_h_mean.tolist()
    )
    assert parts.groupby("return_period").prises_down_mean.sum().tolist() == pytest.approx(
        whole.prises_down_mean.tolist()
    )
    assert annual_losses(parts).prises_h_per_year.sum() == pytest.approx(
        annual_losses(whole).prises_h_per_year.sum()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": 1.5}, "p = .*between 0 and 1"),
        ({"repair_h": np.nan}, "repair_h = .*positive number of hours"),
        ({"asset": 9}, "asset = .*5 assets"),
        ({"return_period": 0.0}, "return_period = .*positive"),
        ({"scenario": "Q20"}, "scenario 'Q20' of hazard 'crue' has several return periods"),
        ({"hazard": None}, "hazard = .*a name"),
    ],
)
def test_unusable_failures_are_named(tree: ServiceGraph, change: dict[str, object], message: str) -> None:
    table = failures([(0, 20, "water", 0.1, 5), (1, 100, "water", 0.1, 5)])
    broken = table.assign(
        **{column: table[column].where(table.index == 0, value) for column, value in change.items()}
    )
    with pytest.raises(ValueError, match=message):
        event_losses(tree, broken, asset_keys=keys(5), seed=1)


def test_missing_column_and_wrong_keys_are_named(tree: ServiceGraph) -> None:
    table = failures([(0, 20, "water", 0.1, 5)])
    with pytest.raises(ValueError, match="columns mechanism missing"):
        event_losses(tree, table.drop(columns="mechanism"), asset_keys=keys(5), seed=1)
    with pytest.raises(ValueError, match="4 values for 5 assets"):
        event_losses(tree, table, asset_keys=keys(4), seed=1)
    with pytest.raises(ValueError, match="at least 1: 0"):
        event_losses(tree, table, asset_keys=keys(5), seed=1, draws=0)
