"""Hazards that come together: drawn in one sample, integrated once; by hand, and laws on drawn networks."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.hazards import Hazard, HazardError, HazardEvent, HazardKind
from resilience.loss import event_losses, failure_frequency, network_loss
from resilience.same_event import check_same_events, joined, joint_events, same_event_findings
from resilience.sections import Section
from resilience.study_hazards import read_hazards
from tests.draws import draws
from tests.resilience.loss_cases import NO_RATES, chain, failures, keys, two_legs
from tests.resilience.service_graphs import service_graphs

UNIT: dict[str, str] = {"flood_depth": "m", "flood_velocity": "m/s", "outage": "présence", "clay": "classe"}


def hazard(
    name: str, kind: HazardKind, *periods: float, event: str = "tempête", scenario: str = ""
) -> Hazard:
    events = tuple(HazardEvent(years, Path(f"{name}.tif"), select=scenario) for years in periods)
    return Hazard(name, kind, UNIT[kind], "valid", events, same_event=event)


def together(*tables: pd.DataFrame, periods: tuple[float, ...] = (100.0,)) -> pd.DataFrame:
    """Join tables of failures of hazards "a", "b"..., each mapped at `periods`, in the event "tempête"."""
    names = [str(table["hazard"].iloc[0]) for table in tables]
    hazards = [hazard(name, "flood_depth", *periods) for name in names]
    rows = pd.concat(tables, ignore_index=True).assign(is_assumed=False)
    return joined(rows, joint_events(hazards))


def per_year(table: pd.DataFrame, graph: ServiceGraph) -> float:
    losses = network_loss(graph, table, NO_RATES, asset_keys=keys(graph.n_assets), seed=1, draws=50)
    return float(losses["prises_h_per_year"].sum())


def test_water_on_one_leg_and_no_power_on_the_other_cut_together_what_neither_cuts_alone() -> None:
    """V (10 prises) has legs a and b. Flood takes a for 24 h, wind takes b for 8 h, once in 100 years."""
    water = failures([(0, 100, "way.flood", 1.0, 24.0)], "a")
    wind = failures([(1, 100, "way.wind", 1.0, 8.0)], "b")
    assert per_year(pd.concat([water, wind]), two_legs()) == 0.0
    assert per_year(together(water, wind), two_legs()) == pytest.approx(10 * 8.0 / 100)


def test_one_room_is_lost_once_until_the_slower_of_its_two_repairs() -> None:
    """NRO (108 prises) under water (168 h) and without mains (2 h): 168 h, not 170."""
    water = failures([(0, 100, "nro.flood", 1.0, 168.0)], "a")
    cut = failures([(0, 100, "nro.power", 1.0, 2.0)], "b")
    assert per_year(pd.concat([water, cut]), chain()) == pytest.approx(108 * 170.0 / 100)
    assert per_year(together(water, cut), chain()) == pytest.approx(108 * 168.0 / 100)


def test_an_asset_fails_with_any_of_its_mechanisms() -> None:
    """With p = 0.5 and 0.2 in one event it fails in 1 - 0.5 x 0.8 = 0.6 of the draws."""
    one, other = (
        failures([(1, 100, "way.flood", 0.5, 9.0)], "a"),
        failures([(1, 100, "way.wind", 0.2, 9.0)], "b"),
    )
    table = together(one, other)
    frequency = failure_frequency(table, NO_RATES, n_assets=5)
    assert frequency[1] == pytest.approx(0.6 / 100)
    drawn = event_losses(chain(), table, asset_keys=keys(5), seed=1, draws=20_000)
    assert drawn["prises_down_mean"].tolist() == pytest.approx([108 * 0.6], rel=0.02)


def test_two_maps_of_one_mechanism_are_one_row() -> None:
    """A river and the sea on one way: 1 - 0.5 x 0.6, the longer repair; the way that one misses is told."""
    river = failures([(1, 100, "way.flood", 0.5, 24.0), (3, 100, "way.flood", 0.3, 24.0)], "a")
    sea = failures([(1, 100, "way.flood", 0.4, 48.0), (3, 100, "way.flood", np.nan, 24.0)], "b")
    table = together(river, sea)
    mapped = table[table["p"].notna()].set_index("asset")
    assert mapped["p"].to_dict() == pytest.approx({1: 0.7, 3: 0.3})
    assert mapped["repair_h"].to_dict() == {1: 48.0, 3: 24.0}
    assert table.loc[table["p"].isna(), "asset"].tolist() == [3]
    assert set(table["hazard"]) == {"tempête"}
    losses = event_losses(chain(), table, asset_keys=keys(5), seed=1, draws=2)
    assert losses["n_unmapped"].tolist() == [1]


def test_a_rarer_event_brings_no_less_than_the_next_more_frequent_one() -> None:
    """Depths at 20, 100 and 1,000 years, a power cut at 100: none at 20, the same cut at 1,000."""
    hazards = [hazard("crue", "flood_depth", 20.0, 100.0, 1000.0), hazard("coupure", "outage", 100.0)]
    table = joint_events(hazards)
    cut = table[table["hazard"] == "coupure"]
    assert cut[["scenario", "joint_scenario"]].to_numpy().tolist() == [["Q100", "Q100"], ["Q100", "Q1000"]]
    flood = table[table["hazard"] == "crue"]
    assert flood["scenario"].tolist() == flood["joint_scenario"].tolist() == ["Q20", "Q100", "Q1000"]
    told = same_event_findings(hazards)
    assert set(told["code"]) == {"coupure"}
    assert sorted(message.rsplit(" : ", 1)[1] for message in told["message"]) == [
        "celle de Q100 est retenue", "rien n'est retenu",
    ]  # fmt: skip


def test_events_without_a_frequency_meet_by_name() -> None:
    seen = [
        Hazard(name, kind, UNIT[kind], "valid", (HazardEvent(math.nan, Path("a.gpkg"), day),), same_event="x")
        for name, kind, day in (
            ("crue", "flood_depth", "observé 2023-11-10"), ("coupure", "outage", "observé 2023-11-10"),
        )
    ]  # fmt: skip
    table = joint_events(seen)
    assert set(table["joint_scenario"]) == {"observé 2023-11-10"}
    rows = pd.concat(
        [failures([(i, 100, "m", 1.0, 2.0)], name) for i, name in ((0, "crue"), (1, "coupure"))]
    ).assign(scenario="observé 2023-11-10", return_period=np.nan, is_assumed=False)
    assert joined(rows, table)[["hazard", "asset"]].to_numpy().tolist() == [["x", 0], ["x", 1]]


@settings(max_examples=draws(25), deadline=None)
@given(data=st.data())
def test_another_hazard_in_the_event_never_lowers_a_loss(data: st.DataObject) -> None:
    graph = data.draw(service_graphs(max_vertices=8, max_edges=10))
    row = st.tuples(
        st.integers(0, graph.n_assets - 1), st.sampled_from([20, 100]), st.sampled_from(["m", "n"]),
        st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([5.0, 50.0]),
    )  # fmt: skip
    some = st.lists(row, min_size=1, max_size=6, unique_by=lambda r: r[:3])
    tables = [failures(data.draw(some), name) for name in "ab"]
    given_all: dict[str, Any] = {"asset_keys": keys(graph.n_assets), "seed": 3, "draws": 20}
    a, both = (together(*part, periods=(20.0, 100.0)) for part in (tables[:1], tables))
    before, after = (
        event_losses(graph, table, **given_all).set_index("return_period")["prises_h_mean"]
        for table in (a, both)
    )
    assert (after.reindex(before.index) >= before - 1e-9).all()
    alone = [event_losses(graph, table, **given_all)["hazard"].unique().tolist() for table in tables]
    assert alone == [["a"], ["b"]], "without the key each keeps its own draws"


def test_without_the_key_nothing_changes() -> None:
    table = failures([(0, 100, "m", 0.5, 2.0)])
    assert joined(table, joint_events([hazard("crue", "flood_depth", 100.0, event="")])) is table


@pytest.mark.parametrize(
    ("hazards", "message"),
    [
        ([hazard("crue", "flood_depth", 100.0)], "no other hazard has same_event = 'tempête'"),
        (
            [hazard("tempête", "flood_depth", 100.0), hazard("b", "outage", 100.0)],
            "also the name of a hazard",
        ),
        (
            [hazard("a", "flood_depth", 100.0), hazard("rga", "clay", math.nan, scenario="x")],
            "clay breaks nothing",
        ),
        (
            [hazard("a", "flood_depth", 100.0), hazard("b", "outage", math.nan, scenario="zone")],
            "nothing tells with which events of 'tempête' the map b.tif comes",
        ),
    ],
)
def test_what_cannot_come_together_is_refused(hazards: list[Hazard], message: str) -> None:
    with pytest.raises(HazardError, match=message):
        check_same_events(hazards)


def test_a_study_says_which_hazards_come_together(tmp_path: Path) -> None:
    def one(name: str, kind: str, unit: str) -> dict[str, object]:
        events = [{"path": f"{name}.tif", "return_period": 100}]
        return {"name": name, "kind": kind, "unit": unit, "coverage": "valid", "events": events,
                "same_event": "tempête"}  # fmt: skip

    raw = Section("", {"hazards": [one("crue", "flood_depth", "m"), one("vent", "gust", "m/s")]})
    assert [one.same_event for one in read_hazards(raw, tmp_path)] == ["tempête", "tempête"]
