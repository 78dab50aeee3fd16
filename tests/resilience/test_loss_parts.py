"""Parts of the annual loss, against the whole loss computed again with what never fails left out."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from gracethd.service import ServiceGraph
from resilience.loss import (
    contributions,
    event_losses,
    losses_by_convention,
    losses_by_group,
    losses_by_kind,
    network_loss,
    units_of,
)
from tests.draws import draws
from tests.resilience.loss_cases import NO_RATES, chain, failures, keys, two_legs
from tests.resilience.service_graphs import service_graphs

NETWORKS = service_graphs(max_vertices=6, max_edges=9)
Case = tuple[ServiceGraph, pd.DataFrame, pd.DataFrame, pd.Series]


def rates(rows: list[tuple[int, float, float]]) -> pd.DataFrame:
    """Make a table of rates from (asset, rate a year, hours)."""
    frame = pd.DataFrame(rows, columns=["asset", "rate_per_year", "repair_h"])
    return frame.assign(
        asset=frame["asset"].astype(np.int32), mechanism="cut", length_m=0.0, is_assumed=False
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a network, two events with two mechanisms, rates, and assets put into a few units."""
    graph = draw(NETWORKS)
    n = graph.n_assets
    p = st.lists(st.sampled_from([0.0, 0.2, 0.7, 1.0]), min_size=n, max_size=n)
    rows = [
        (asset, years, mechanism, chance, hours)
        for years, mechanism, hours in ((20, "water", 9.0), (100, "water", 24.0), (100, "wind", 4.0))
        for asset, chance in enumerate(draw(p))
    ]
    often = draw(st.lists(st.sampled_from([0.0, 0.01, 0.5]), min_size=n, max_size=n))
    by_rate = rates([(asset, rate, 12.0) for asset, rate in enumerate(often)])
    names = draw(st.lists(st.sampled_from(["A", "B", "C"]), min_size=n, max_size=n))
    return graph, failures(rows), by_rate, pd.Series(names, dtype=str)


def whole(graph: ServiceGraph, table: pd.DataFrame, by_rate: pd.DataFrame, draws: int = 30) -> float:
    loss = network_loss(graph, table, by_rate, asset_keys=keys(graph.n_assets), seed=3, draws=draws)
    return float(loss["prises_h_per_year"].sum())


@settings(max_examples=draws(30))
@given(cases())
def test_the_part_of_a_unit_is_what_is_saved_when_it_never_fails(case: Case) -> None:
    graph, table, by_rate, units = case
    got = contributions(
        graph, table, by_rate, units, asset_keys=keys(graph.n_assets), seed=3, draws=30
    ).set_index("serie")
    total = whole(graph, table, by_rate)
    for unit in got.index:
        of_unit = np.flatnonzero(units == unit)
        never = table.assign(p=table["p"].where(~table["asset"].isin(of_unit), 0.0))
        stopped = by_rate.assign(
            rate_per_year=by_rate["rate_per_year"].where(~by_rate["asset"].isin(of_unit), 0.0)
        )
        left = whole(graph, never, stopped)
        assert got.loc[unit, "prises_h_per_year"] == pytest.approx(total - left, abs=1e-9 * max(1, total))
        if left > 1e-9:
            assert got.loc[unit, "risk_reduction_worth"] == pytest.approx(total / left)


@settings(max_examples=draws(12))
@given(NETWORKS, st.data())
def test_birnbaum_is_the_difference_of_two_conditional_expectations(
    graph: ServiceGraph, data: st.DataObject
) -> None:
    """All 2^n states of at most four assets with their chances, against 4,000 draws."""
    n = min(4, graph.n_assets)
    p = np.array(data.draw(st.lists(st.sampled_from([0.2, 0.5, 0.8]), min_size=n, max_size=n)))
    table = failures([(a, 100, "w", p[a], 10.0) for a in range(n)])
    conditional = np.zeros((n, 2))
    for state in itertools.product([0, 1], repeat=n):
        certain = failures([(a, 100, "w", float(s), 10.0) for a, s in enumerate(state)])
        hours = event_losses(graph, certain, asset_keys=keys(graph.n_assets), seed=1, draws=1)[
            "prises_h_mean"
        ][0]
        chance = np.where(state, p, 1 - p)
        for a in range(n):
            conditional[a, state[a]] += hours * np.prod(np.delete(chance, a))
    units = pd.Series([f"U{a}" for a in range(graph.n_assets)], dtype=str)
    got = contributions(
        graph, table, NO_RATES, units, asset_keys=keys(graph.n_assets), seed=3, draws=4000
    ).set_index("serie")
    most = 10.0 * graph.prises.sum()
    for a in range(n):
        if f"U{a}" in got.index:
            expected = conditional[a, 1] - conditional[a, 0]
            # six standard errors of a mean of values in 0..most, divided by the chance of failing
            tolerance = 6 * most * 0.5 / np.sqrt(4000) / p[a]
            assert got.loc[f"U{a}", "birnbaum_prises_h"] == pytest.approx(expected, abs=tolerance)


def test_a_serie_in_a_chain_by_hand() -> None:
    """PM[2] and its way[1] are certain to fail for 100 h and 10 h, once in 100 years; 108 prises behind."""
    table = failures([(1, 100, "w", 1.0, 10.0), (2, 100, "w", 1.0, 100.0)])
    units = pd.Series(["LN", "S1", "PM", "S1", "PB"], dtype=str)
    by_rate = rates([(4, 0.5, 6.0)])
    got = contributions(chain(), table, by_rate, units, asset_keys=keys(5), seed=1, draws=5).set_index(
        "serie"
    )
    # the PM lasts longer: without its way nothing is saved, without it 90 h remain... of 10 h by the way
    assert got["prises_h_per_year"].to_dict() == pytest.approx(
        {"PM": 108 * 90 / 100, "S1": 0.0, "PB": 0.5 * 6 * 8}
    )
    assert got.index.tolist() == ["PM", "PB", "S1"]
    assert got["failures_per_year"].to_dict() == pytest.approx({"PM": 0.01, "S1": 0.01, "PB": 0.5})
    assert got["birnbaum_prises_h"].to_dict() == pytest.approx({"PM": 108 * 90, "S1": 0.0, "PB": 48.0})
    total = 108 + 24
    assert got.loc["PM", "risk_reduction_worth"] == pytest.approx(total / (total - 97.2))
    assert got.loc["S1", "risk_reduction_worth"] == 1.0


def test_portions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = failures([(a, 20, "w", 0.5, h) for a, h in enumerate([9.0, 24.0, 168.0, 24.0, 9.0])])
    units = pd.Series(list("ABCDE"), dtype=str)
    arguments = {"asset_keys": keys(5), "seed": 1, "draws": 200}
    expected = contributions(chain(), table, NO_RATES, units, **arguments)
    monkeypatch.setattr("resilience.loss.parts.BYTES_PER_FAILURE", 50_000_000)
    pd.testing.assert_frame_equal(contributions(chain(), table, NO_RATES, units, **arguments), expected)


def test_a_room_outside_any_serie_counts_with_itself() -> None:
    assets = pd.DataFrame({"kind": ["local", "cheminement"], "code": ["L1", "C1"]})
    assert units_of(assets, pd.Series(["", "S9"], dtype=str)).tolist() == ["local:L1", "S9"]


def test_two_kinds_that_cut_the_same_share_equally() -> None:
    """A room and its way both out for 10 h every 100 years: 108 prises·h/10 a year, half each."""
    table = failures([(1, 100, "w", 1.0, 10.0), (2, 100, "w", 1.0, 10.0)])
    kinds = pd.Series(["local", "cheminement", "local", "cheminement", "ebp"], dtype=str)
    got = losses_by_kind(chain(), table, NO_RATES, kinds, asset_keys=keys(5), seed=1, draws=3).set_index(
        "kind"
    )
    assert got["prises_h_per_year"].to_dict() == pytest.approx({"cheminement": 5.4, "local": 5.4})
    assert got["alone"].to_dict() == pytest.approx({"cheminement": 10.8, "local": 10.8})
    assert got["avoided"].to_dict() == pytest.approx({"cheminement": 0.0, "local": 0.0})
    legs = failures([(0, 100, "w", 1.0, 10.0), (1, 100, "w", 1.0, 10.0)])
    ring = losses_by_kind(
        two_legs(),
        legs,
        NO_RATES,
        pd.Series(["cable", "site"], dtype=str),
        asset_keys=keys(2),
        seed=1,
        draws=3,
    )
    # two legs of a loop: neither costs anything alone, and either would save all
    assert (
        ring[["prises_h_per_year", "alone", "avoided"]].to_numpy().tolist()
        == [pytest.approx([0.5, 0.0, 1.0])] * 2
    )


@settings(max_examples=draws(20))
@given(cases())
def test_kinds_and_groups_add_up_to_the_whole(case: Case) -> None:
    graph, table, by_rate, units = case
    total = whole(graph, table, by_rate)
    arguments = {"asset_keys": keys(graph.n_assets), "seed": 3, "draws": 30}
    kinds = losses_by_kind(graph, table, by_rate, units, **arguments)
    assert kinds["prises_h_per_year"].sum() == pytest.approx(total, abs=1e-9 * max(1, total))
    for _, row in kinds.iterrows():
        kept = np.flatnonzero(units == row["kind"])
        alone = whole(
            graph,
            table.assign(p=table["p"].where(table["asset"].isin(kept), 0.0)),
            by_rate[by_rate["asset"].isin(kept)],
        )
        assert row["alone"] == pytest.approx(alone, abs=1e-9 * max(1, total))
    names = [f"G{i:02d}" for i in range(40)]
    weights = np.zeros((graph.n_vertices, 40), np.int64)
    at = np.arange(graph.n_vertices)
    weights[at, (at * 7) % 40] = graph.prises
    groups = losses_by_group(graph, table, by_rate, (sparse.csr_array(weights), names), **arguments)
    assert groups["prises_h_per_year"].sum() == pytest.approx(total, abs=1e-9 * max(1, total))
    assert groups["group"].tolist() == names
    assert (groups.loc[groups["prises"] == 0, "prises_h_per_year"] == 0).all()


def test_conventions_stand_side_by_side() -> None:
    """The published losses 1, 5, 10 at 10, 100, 1000 years: 10 prises out for 0.1, 0.5 and 1 h."""
    table = failures([(0, years, "w", 1.0, hours) for years, hours in ((10, 0.1), (100, 0.5), (1000, 1.0))])
    both = pd.concat([table, table.assign(asset=1)])
    events = event_losses(two_legs(), both.astype({"asset": np.int32}), asset_keys=keys(2), seed=1, draws=3)
    got = losses_by_convention(events)
    assert got[["none", "constant", "linear"]].to_numpy().tolist() == [
        pytest.approx([0.3375, 0.3475, 0.5475])
    ]
    assert got[["n_events", "is_monotone"]].to_numpy().tolist() == [[3, True]]


def test_a_network_without_traced_prises_has_no_groups_and_nothing_to_lose() -> None:
    table = failures([(1, 20, "w", 1.0, 10.0)])
    given = {"asset_keys": keys(5), "seed": 1, "draws": 3}
    none = (sparse.csr_array((4, 0), dtype=np.int64), list[str]())
    assert losses_by_group(chain(), table, NO_RATES, none, **given).empty
    nothing = failures([])
    units = pd.Series(list("ABCDE"), dtype=str)
    assert losses_by_kind(chain(), nothing, NO_RATES, units, **given).empty
    assert contributions(chain(), nothing, NO_RATES, units, **given).empty
