"""Losses of a year: published figures, cases by hand, the worth of a measure, the worst assets."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.loss import (
    Tail,
    annual_loss,
    event_weights,
    failure_frequency,
    is_monotone,
    loss_table,
    losses_by_asset,
    network_loss,
)
from resilience.loss.events import events_of, sample_event
from resilience.losses import index_graph
from resilience.rates import rates_loss
from tests.resilience.loss_cases import NO_RATES, chain, failures, keys, two_legs


@pytest.fixture
def tree() -> ServiceGraph:
    """Root -- NRO[0] --way[1]-- PM[2](100 prises) --way[3]-- PBO[4](8 prises)."""
    return chain()


@pytest.fixture
def ring() -> ServiceGraph:
    """Root ==a[0], b[1]== V(10 prises)."""
    return two_legs()


@pytest.mark.parametrize(("tail", "expected"), [("none", 0.3375), ("constant", 0.3475), ("linear", 0.5475)])
def test_published_conventions_of_the_tails(tail: Tail, expected: float) -> None:
    """Losses 1, 5, 10 at 10, 100, 1000 years: the figures that the project's methods note publishes."""
    for order in itertools.permutations(range(3)):
        years, losses = np.array([10, 100, 1000])[list(order)], np.array([1, 5, 10])[list(order)]
        assert annual_loss(years, losses, tail=tail) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("losses", "expected"), [([1000, 2000], 7.5), ([500, 1000], 3.75)])
def test_published_figures_of_ra2ce(losses: list[float], expected: float) -> None:
    """RA2CE's own test (periods 100 and 200): what lies between the events only, our tail "none"."""
    assert annual_loss([100, 200], losses, tail="none") == pytest.approx(expected, abs=1e-12)


def test_linear_tail_adds_nothing_to_an_event_as_frequent_as_the_null_loss() -> None:
    for years in (1.0, 2.0):
        assert annual_loss([years, 50], [3, 9], tail="linear") == annual_loss(
            [years, 50], [3, 9], tail="constant"
        )


@given(
    st.lists(
        st.tuples(st.floats(2.5, 5000), st.floats(0, 1e6)),
        min_size=1,
        max_size=6,
        unique_by=lambda e: 1.0 / e[0],
    ),
    st.sampled_from(["none", "constant", "linear"]),
)
def test_annual_loss_is_the_area_under_the_curve(events: list[tuple[float, float]], tail: Tail) -> None:
    """Against the area under the curve drawn with its tails, by numpy, on its break points."""
    curve = sorted((1.0 / years, loss) for years, loss in events)
    if tail != "none":
        curve = [(0.0, curve[0][1]), *curve]
    if tail == "linear":
        curve.append((0.5, 0.0))
    area = np.trapezoid([loss for _, loss in curve], [f for f, _ in curve])
    years, losses = zip(*events, strict=True)
    assert annual_loss(years, losses, tail=tail) == pytest.approx(area, rel=1e-9, abs=1e-9)
    assert event_weights(years, tail=tail) @ np.array(losses) == pytest.approx(area, rel=1e-9, abs=1e-9)


def test_losses_that_fall_with_rarity_are_integrated_and_told() -> None:
    assert is_monotone([1000, 10, 100], [10, 1, 5])
    assert not is_monotone([1000, 10, 100], [4, 1, 5])
    assert annual_loss([10, 100, 1000], [1, 5, 4]) == pytest.approx(0.09 * 3 + 0.009 * 4.5 + 0.001 * 4)


@pytest.mark.parametrize(
    ("years", "losses", "message"),
    [
        ([], [], "at least one event"),
        ([10, 10], [1, 2], "same return period"),
        ([10, 0], [1, 2], "positive numbers of years"),
        ([10, np.inf], [1, 2], "positive numbers of years"),
        ([10, 20], [1, np.nan], "one finite number"),
        ([10, 20], [1], "one finite number"),
    ],
)
def test_events_that_cannot_be_integrated_are_refused(
    years: list[float], losses: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        annual_loss(years, losses)


def test_unknown_tail_is_refused() -> None:
    with pytest.raises(ValueError, match="none, constant, linear"):
        annual_loss([10], [1], tail="flat")


@pytest.fixture
def rates() -> pd.DataFrame:
    """One dig-up in 10 years on way 1 and one in 50 on way 3 (12 h); one NRO fire in 1000 years (72 h)."""
    return pd.DataFrame(
        {
            "asset": np.array([0, 1, 3], np.int32),
            "mechanism": ["nro_fire", "dig_up", "dig_up"],
            "rate_per_year": [0.001, 0.1, 0.02],
            "repair_h": [72.0, 12.0, 12.0],
            "length_m": [0.0, 5000.0, 1000.0],
            "is_assumed": False,
        }
    )


def test_rates_by_hand(tree: ServiceGraph, rates: pd.DataFrame) -> None:
    got = rates_loss(index_graph(tree, tree.prises), rates).set_index("mechanism")
    assert got.loc["dig_up", "prises_h_per_year"] == pytest.approx(0.1 * 108 * 12 + 0.02 * 8 * 12)
    assert got.loc["nro_fire", "prises_h_per_year"] == pytest.approx(0.001 * 108 * 72)
    counted = got.loc["dig_up", ["n_bearers", "length_m", "failures_per_year"]]
    assert counted.tolist() == pytest.approx([2, 6000, 0.12])


def test_network_loss_by_hand(tree: ServiceGraph, rates: pd.DataFrame) -> None:
    """PM certainly out for 100 h at 20, 100 and 1000 years: 10,800 prises·h, 1 year in 20."""
    table = failures([(2, t, "water", 1, 100) for t in (20, 100, 1000)])
    got = network_loss(tree, table, rates, asset_keys=keys(5), seed=1, draws=3)
    assert got[["origin", "cause", "convention"]].to_numpy().tolist() == [
        ["event", "crue", "constant"], ["rate", "dig_up", "additive"], ["rate", "nro_fire", "additive"],
    ]  # fmt: skip
    assert got.prises_h_per_year.tolist() == pytest.approx([10_800 / 20, 131.52, 7.776])
    assert got.standard_error.tolist() == [0, 0, 0]
    without_tail = network_loss(tree, table, NO_RATES, asset_keys=keys(5), seed=1, draws=3, tail="none")
    assert without_tail.prises_h_per_year.tolist() == pytest.approx([10_800 * (1 / 20 - 1 / 1000)])


def test_what_is_not_mapped_stands_beside_the_loss(tree: ServiceGraph, rates: pd.DataFrame) -> None:
    """The NRO is not mapped at all, the PBO at 100 years only: at most two bearers, and all 108 prises."""
    rows = [(0, t, "water", np.nan, np.nan) for t in (20, 100)]
    table = failures([*rows, (2, 20, "water", 0, 9), (4, 100, "water", np.nan, np.nan)])
    got = network_loss(tree, table, rates, asset_keys=keys(5), seed=1, draws=3).set_index("cause")
    assert got.loc["crue", ["prises_h_per_year", "n_unmapped", "prises_unmapped"]].tolist() == [0, 2, 108]
    assert got.loc["dig_up", ["n_unmapped", "prises_unmapped"]].tolist() == [0, 0]


def test_standard_error_covers_the_exact_loss(tree: ServiceGraph) -> None:
    """Two events of 10,800 prises·h with p = 0.1 and 0.3: 2 errors hold the truth for 95 % of 200 seeds."""
    exact = annual_loss([20, 100], [1080, 3240])
    covered = 0
    for seed in range(200):
        table = failures([(2, 20, "water", 0.1, 100), (2, 100, "water", 0.3, 100)])
        got = network_loss(tree, table, NO_RATES, asset_keys=keys(5), seed=seed, draws=300).iloc[0]
        covered += abs(got.prises_h_per_year - exact) <= 2 * got.standard_error
    assert 181 <= covered <= 197


def test_a_measure_is_worth_the_difference_in_the_same_draws(tree: ServiceGraph) -> None:
    """Raising the PM lowers its p: the difference of the losses is that of the draws in which it held."""
    before = failures([(2, 100, "water", 0.6, 100), (1, 100, "water", 0.5, 12)])
    after = failures([(2, 100, "water", 0.2, 100), (1, 100, "water", 0.5, 12)])
    (e0,), (e1,) = (list(events_of(tree, t, asset_keys=keys(5), seed=1)) for t in (before, after))
    index = index_graph(tree, tree.prises)
    (s0,), (s1,) = (list(sample_event(index, e, draws=1000)) for e in (e0, e1))
    changed = s0.hours[:, 0] - s1.hours[:, 0]
    assert set(np.unique(changed)) == {0.0, 108 * 88.0, 108 * 100.0}
    assert 0.35 < (changed > 0).mean() < 0.45
    totals = [
        network_loss(tree, t, NO_RATES, asset_keys=keys(5), seed=1).prises_h_per_year.sum()
        for t in (before, after)
    ]
    assert totals[0] - totals[1] == pytest.approx(changed.mean() / 100)


def test_levels_stand_side_by_side(tree: ServiceGraph, rates: pd.DataFrame) -> None:
    tables = {
        level: network_loss(
            tree, failures([(2, 100, "water", p, 100)]), rates[rates.mechanism != drop],
            asset_keys=keys(5), seed=1, draws=100,
        )
        for level, p, drop in [("low", 0.1, "nro_fire"), ("central", 0.4, ""), ("high", 0.9, "")]
    }  # fmt: skip
    got = loss_table(tables).set_index("cause")
    values = got[[f"prises_h_per_year_{level}" for level in ("low", "central", "high")]]
    assert values.loc["nro_fire"].tolist() == pytest.approx([0, 7.776, 7.776])
    assert (values.loc["crue"].diff().dropna() > 0).all()
    assert got.loc["crue", "standard_error"] > 0
    with pytest.raises(ValueError, match="low missing"):
        loss_table({level: table for level, table in tables.items() if level != "low"})


def test_losses_by_asset_by_hand(tree: ServiceGraph, rates: pd.DataFrame) -> None:
    """Way 1 (certain, 24 h) and PM 2 (certain, 100 h) fail together once a century; rates beside."""
    table = failures([(1, 100, "water", 1, 24), (2, 100, "water", 1, 100)])
    got = losses_by_asset(tree, table, rates, asset_keys=keys(5), seed=1, draws=10).set_index("asset")
    fire, ways = 0.001 * 108 * 72, (0.1 * 108 * 12, 0.02 * 8 * 12)
    alone = {0: fire, 1: 108 * 24 / 100 + ways[0], 2: 108.0, 3: ways[1]}
    assert got.prises_h_alone_per_year.to_dict() == pytest.approx(alone)
    together = {0: fire, 1: 108 + ways[0], 2: 108.0, 3: ways[1]}
    assert got.prises_h_with_per_year.to_dict() == pytest.approx(together)
    total = 108 + fire + sum(ways)
    assert got.share_with.to_dict() == pytest.approx({a: v / total for a, v in together.items()})
    assert got.index.tolist() == sorted(alone, key=lambda a: -alone[a])


def test_an_asset_that_fails_twice_waits_for_the_slowest(tree: ServiceGraph) -> None:
    """With p = 0.5 for 100 h and p = 0.4 for 10 h: 50 h + 0.5 x 0.4 x 10 h a time, once a draw."""
    table = failures([(2, 100, "scour", 0.4, 10), (2, 100, "water", 0.5, 100)])
    got = losses_by_asset(tree, table, NO_RATES, asset_keys=keys(5), seed=1, draws=4000).iloc[0]
    assert got.prises_h_alone_per_year == pytest.approx(108 * 52 / 100)
    total = network_loss(
        tree, table, NO_RATES, asset_keys=keys(5), seed=1, draws=4000
    ).prises_h_per_year.sum()
    assert got.prises_h_with_per_year == pytest.approx(total)
    assert total == pytest.approx(108 * 52 / 100, rel=0.1)
    assert got.share_with == pytest.approx(1)


def test_a_leg_of_a_ring_costs_nothing_alone(ring: ServiceGraph) -> None:
    table = failures([(0, 100, "w", 1, 4), (1, 100, "w", 1, 24)])
    got = losses_by_asset(ring, table, NO_RATES, asset_keys=keys(2), seed=1, draws=10)
    assert got.prises_h_alone_per_year.tolist() == [0, 0]
    assert got.prises_h_with_per_year.tolist() == pytest.approx([0.4, 0.4])


def test_failure_frequency_by_hand(rates: pd.DataFrame) -> None:
    """Cable 4 lies in ways 1 (p = 0.1 at 100 years) and 3 (0.2): it fails with either; dig-ups beside."""
    table = failures([(1, 100, "water", 0.1, 24), (3, 100, "water", 0.2, 24), (2, 100, "water", np.nan, 1)])
    uses = pd.DataFrame(
        {"carrier": [1, 3, 3], "carried": [4, 4, 4], "source": ["identity", "identity", "geometry"]}
    )
    got = failure_frequency(table, rates, n_assets=6, uses=uses)
    expected = [0.001, 0.1 + 0.001, np.nan, 0.02 + 0.002, 0.12 + (1 - 0.9 * 0.8) / 100, np.nan]
    assert got.tolist() == pytest.approx(expected, nan_ok=True)
    assert got.name == "failures_per_year"
    assert np.isnan(failure_frequency(table, rates, n_assets=6)[4])


def test_certain_failures_have_the_frequency_of_their_event(rates: pd.DataFrame) -> None:
    table = failures([(1, t, "water", 1.0, 24) for t in (20, 100)])
    got = failure_frequency(table, rates.iloc[:0], n_assets=2, tail="constant")
    assert got.tolist() == pytest.approx([np.nan, 1 / 20], nan_ok=True)


def test_inputs_are_left_as_they_were(tree: ServiceGraph, rates: pd.DataFrame) -> None:
    table = failures([(a, t, "water", 0.2, 12) for a in range(5) for t in (20, 100)]).sample(
        frac=1, random_state=2
    )
    kept, kept_rates, kept_keys = table.copy(), rates.copy(), keys(5)
    network_loss(tree, table, rates, asset_keys=kept_keys, seed=1, draws=20)
    losses_by_asset(tree, table, rates, asset_keys=kept_keys, seed=1, draws=20)
    failure_frequency(table, rates, n_assets=5)
    pd.testing.assert_frame_equal(table, kept)
    pd.testing.assert_frame_equal(rates, kept_rates)
    assert (kept_keys == keys(5)).all()
