"""Wind, fire, clay, scour and power: values by hand, one bearer each, and lines that can be cut anywhere."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.network.types import Network
from resilience.fragility import LINES, failure_probabilities
from resilience.loss import failure_frequency, keys_of_assets
from resilience.loss.events import events_of, sample_event
from resilience.losses import index_graph
from resilience.parameters import LEVELS, default_parameters
from resilience.rates import annual_rates
from tests.draws import draws
from tests.resilience.loss_cases import NO_RATES
from tests.resilience.service_graphs import service_graph
from tests.resilience.test_fragility import exposure_of, make_network, p_of

PARAMETERS = default_parameters()


def one_of_each() -> Network:
    """Draw W0 telecom and W1 power poles, W2 façade, W3 indoors, W4 earth, W7 duct, WU unknown; rooms."""
    mountings = {"W0": "0", "W1": "1", "W2": "2", "W3": "3", "W4": "4", "W7": "7", "WU": ""}
    assets = [("cheminement", code, "", "", False) for code in mountings]
    assets += [("local", "L1", "NRO", "N1", True), ("site", "S1", "NRO", "N1", True)]
    assets += [("local", "L2", "PM", "N2", True), ("ebp", "B1", "BPE", "N2", True)]
    return make_network(assets, [(code, typ, 1000.0) for code, typ in mountings.items()])


def failures(network: Network, kind: str, intensity: float, metres: float = 1000.0) -> dict[str, float]:
    """Give p by code where one intensity holds everywhere, over `metres` of each line."""
    everything = dict.fromkeys(network.assets["code"], intensity)
    exposure = exposure_of(network, everything, dict.fromkeys(network.assets["code"], metres))
    rows = failure_probabilities(network, exposure.assign(hazard_kind=kind), PARAMETERS, "central")
    own = {"nro.power", "way.scour", "way.wind", "way.fire", "closure.groundwater"}
    assert set(rows["mechanism"]) <= own
    return p_of(network, rows)


def test_wind_takes_lines_on_poles_and_unknown_ones() -> None:
    p = failures(one_of_each(), "gust", 150 / 3.6)
    assert set(p) == {"W0", "W1", "WU"}
    pole = PARAMETERS.curve("way.wind", "central")(np.array([150 / 3.6]))[0]
    assert p["W0"] == p["WU"] == pytest.approx(1 - (1 - pole) ** 25)


def test_spans_near_a_wood_have_five_times_the_odds() -> None:
    """Of 25 spans 10 stand near a wood."""
    network = one_of_each()
    ways = dict.fromkeys(network.assets["code"], 1000.0)
    gust = exposure_of(network, dict.fromkeys(ways, 40.0), ways).assign(hazard_kind="gust", length_m=1000.0)
    near = exposure_of(network, dict.fromkeys(ways, 1.0), dict.fromkeys(ways, 400.0), hazard="bois")
    near = near.assign(hazard_kind="woods", length_m=1000.0, return_period=np.nan)
    rows = failure_probabilities(network, pd.concat([gust, near]), PARAMETERS, "central")
    pole = PARAMETERS.curve("way.wind", "central")(np.array([40.0]))[0]
    odds = 5 * pole / (1 - pole)
    assert p_of(network, rows)["W0"] == pytest.approx(1 - (1 - pole) ** 15 * (1 - odds / (1 + odds)) ** 10)


def test_fire_takes_all_that_hangs() -> None:
    hanging = ["W0", "W1", "W2", "WU"]
    assert failures(one_of_each(), "fire", 4.0, 1.0) == dict.fromkeys(hanging, 1.0)
    assert failures(one_of_each(), "fire", 4.0, 0.0) == dict.fromkeys(hanging, 0.0)
    assert failures(one_of_each(), "fire", 2.0) == dict.fromkeys(hanging, 0.0)


def boxes_in_places(*natures: str) -> Network:
    """Draw one box at each place: a chamber, a pole, or nothing recorded ("")."""
    assets = [("ebp", f"B{i}", "BPE", f"N{i}", True) for i in range(len(natures))]
    assets += [("ptech", f"T{i}", nature, f"N{i}", True) for i, nature in enumerate(natures) if nature]
    return make_network(assets, [])


def test_groundwater_drowns_the_boxes_of_chambers_where_it_overflows() -> None:
    """Class 2, overflow, fills chambers; class 1, cellars, does not; poles stand dry."""
    network = boxes_in_places("chambre", "appui", "")
    assert failures(network, "groundwater", 2.0) == {"B0": 0.02, "B2": 0.02}
    assert failures(network, "groundwater", 1.0) == {"B0": 0.0, "B2": 0.0}
    unknown = failures(network, "groundwater", np.nan)
    assert np.isnan(unknown["B0"])


def test_moving_ground_breaks_lines_in_the_air_too() -> None:
    """500 m of each in high class at 0.005 cuts per km and year; nothing in low class; no line indoors."""
    network = one_of_each()
    ways = dict.fromkeys(network.assets["code"], 3.0)
    exposure = exposure_of(network, ways, dict.fromkeys(ways, 500.0)).assign(hazard_kind="ground_movement")
    exposure = exposure.assign(return_period=np.nan)
    rates = annual_rates(network, PARAMETERS, "central", exposure=exposure)
    rates = rates[rates["mechanism"] == "ground_movement"]
    assert rates["rate_per_year"].tolist() == pytest.approx([0.0025] * 6)
    assert rates["repair_h"].unique().tolist() == [72.0]
    broken = network.assets["code"].iloc[rates["asset"]].tolist()
    assert broken == ["W0", "W1", "W2", "W4", "W7", "WU"]
    low = annual_rates(network, PARAMETERS, "central", exposure=exposure.assign(intensity_max=1.0))
    assert "ground_movement" not in set(low["mechanism"])


def test_clay_shears_what_lies_in_the_ground_a_little_every_year() -> None:
    network = one_of_each()
    ways = dict.fromkeys(network.assets["code"], 3.0)
    exposure = exposure_of(network, ways, dict.fromkeys(ways, 500.0)).assign(hazard_kind="clay")
    assert failure_probabilities(network, exposure, PARAMETERS, "central").empty
    rates = annual_rates(network, PARAMETERS, "central", exposure=exposure).query("mechanism == 'clay'")
    by_code = dict(zip(network.assets["code"].iloc[rates["asset"]], rates["rate_per_year"], strict=True))
    assert by_code == dict.fromkeys(["W4", "W7", "WU"], pytest.approx(0.03 * 0.5))
    assert rates["is_assumed"].tolist() == [False, False, True]
    assert rates["repair_h"].tolist() == [48.0] * 3
    stable = annual_rates(network, PARAMETERS, "central", exposure=exposure.assign(intensity_max=1.0))
    pd.testing.assert_frame_equal(stable, annual_rates(network, PARAMETERS, "central"))


def test_a_flood_known_by_its_extent_has_an_assumed_depth() -> None:
    network = one_of_each()
    exposure = exposure_of(network, {"L1": 1.0}).assign(hazard_kind="flood_extent")
    p = p_of(network, failure_probabilities(network, exposure, PARAMETERS, "central"))
    assert p["L1"] == pytest.approx(0.6)  # the curve of an NRO at 0.5 m


def test_events_without_a_return_period_stay_apart() -> None:
    network = one_of_each()
    steps = [exposure_of(network, {"L1": d}, scenario=f"+{d} m", return_period=np.nan) for d in (0.3, 0.5)]
    rows = failure_probabilities(network, pd.concat(steps, ignore_index=True), PARAMETERS, "central")
    room = rows[rows["mechanism"] == "nro.flood"].set_index("scenario")["p"]
    assert room.to_dict() == pytest.approx({"+0.3 m": 0.2, "+0.5 m": 0.6})


def test_an_unknown_mounting_takes_the_mechanisms_of_both_and_is_marked() -> None:
    network = one_of_each()
    for kind in ("gust", "fire", "flood_depth"):
        exposure = exposure_of(network, {"WU": 3.0, "W0": 3.0, "W7": 3.0}, {"WU": 10.0})
        rows = failure_probabilities(network, exposure.assign(hazard_kind=kind), PARAMETERS, "central")
        marked = network.assets["code"].iloc[rows.loc[rows["is_assumed"], "asset"]]
        assert [code for code in marked if code != "B1"] == ["WU"], kind


def test_an_nro_lasts_its_batteries_then_waits_for_the_mains() -> None:
    network = one_of_each()
    exposure = exposure_of(network, {"L1": 1.0, "L2": 1.0}).assign(hazard_kind="outage")
    equipment = pd.DataFrame({"kind": ["site"], "code": ["S1"], "hauteur_m": [np.nan], "autonomie_h": [5.5]})
    default = failure_probabilities(network, exposure, PARAMETERS, "central")
    given_h = failure_probabilities(network, exposure, PARAMETERS, "central", equipment=equipment)
    for rows, hours in ((default, 6.0 - 4.0), (given_h, 6.0 - 5.5)):
        # PMs need no power
        assert network.assets["code"].iloc[rows["asset"]].tolist() == ["L1"]
        assert rows[["mechanism", "p", "repair_h"]].to_numpy().tolist() == [["nro.power", 1.0, hours]]
    for more in ({"autonomie_h": [6.0]}, {"autonomie_h": [24.0]}):
        lasting = equipment.assign(**more)
        assert (
            failure_probabilities(network, exposure, PARAMETERS, "central", equipment=lasting)["p"]
            .eq(0)
            .all()
        )
    outside = exposure.assign(intensity_max=0.0)
    assert failure_probabilities(network, outside, PARAMETERS, "central")["p"].tolist() == [0.0]


def bridges(pieces: Sequence[float]) -> Network:
    """Draw a bridge of 100 m cut into ways at the given shares, and another bridge BX far away."""
    ends = np.concatenate([[0.0], np.cumsum(pieces) / np.sum(pieces) * 100.0])
    codes = [f"B{i}" for i in range(len(pieces))]
    network = make_network(
        [("cheminement", code, "", "", False) for code in [*codes, "BX"]],
        [(code, "7", 1.0) for code in [*codes, "BX"]],
    )
    shapes = [shapely.LineString([(a, 0), (b, 0)]) for a, b in pairwise(ends)]
    shapes.append(shapely.LineString([(0, 500), (30, 500)]))
    lines = gpd.GeoDataFrame(
        network.lines.drop(columns="geometry").assign(length_m=[shape.length for shape in shapes]),
        geometry=gpd.GeoSeries(shapes, crs="EPSG:2154"),
    )
    nodes = gpd.GeoDataFrame({"kind": "noeud", "code": [f"N{i}" for i in range(len(pieces) + 1)]})
    assets = pd.concat([network.assets.assign(passage="PON"), nodes], ignore_index=True)
    number = pd.Series(assets.index, assets["code"])
    links = pd.DataFrame([(number[c], number[f"N{i + k}"]) for i, c in enumerate(codes) for k in (0, 1)])
    links.columns = ["a", "b"]
    return replace(network, lines=lines, assets=gpd.GeoDataFrame(assets, crs=2154), links=links)


@settings(max_examples=draws(15), deadline=None)
@given(pieces=st.lists(st.floats(0.1, 1.0), min_size=1, max_size=5), speed=st.sampled_from([1.9, 2.1]))
def test_a_bridge_goes_once_however_many_ways_make_it_up(pieces: list[float], speed: float) -> None:
    """In each draw all of its ways fail or none does, as often as the curve says; BX is another bridge."""
    network = bridges(pieces)
    codes = network.assets["code"]
    exposure = exposure_of(network, dict.fromkeys(codes, 0.0) | {"B0": speed, "BX": speed})
    rows = failure_probabilities(
        network, exposure.assign(hazard_kind="flood_velocity"), PARAMETERS, "central"
    )
    expected = 0.35 if speed > 2.0 else 0.0
    assert p_of(network, rows) == {f"B{i}": expected for i in range(len(pieces))} | {"BX": expected}
    graph = service_graph(
        [(0, i + 1) for i in range(len(codes))], [0, *[1] * len(codes)],
        edge_links=[(i, i) for i in range(len(codes))],
    )  # fmt: skip
    asset_keys = keys_of_assets(network.assets)
    (event,) = events_of(graph, rows, asset_keys=asset_keys, seed=1)
    down = np.concatenate(
        [s.down[:, 0] for s in sample_event(index_graph(graph, graph.prises[:, None]), event, draws=2000)]
    )
    whole = {0, 1, len(pieces), len(pieces) + 1} if expected else {0}
    assert set(down.tolist()) <= whole
    assert down.mean() == pytest.approx((len(pieces) + 1) * expected, abs=0.05 * (len(pieces) + 1))


def test_what_a_bridge_carries_fails_as_often_as_the_bridge() -> None:
    """Fast water at 100 years: each of the three ways, and the cable in all three, 0.35 / 100 a year."""
    network = bridges([1.0, 1.0, 1.0])
    exposure = exposure_of(network, {"B1": 3.0}, return_period=100.0).assign(hazard_kind="flood_velocity")
    rows = failure_probabilities(network, exposure, PARAMETERS, "central")
    uses = pd.DataFrame({"carrier": [0, 1, 2], "carried": 9})
    often = failure_frequency(rows, NO_RATES, n_assets=10, uses=uses)
    assert often[[0, 1, 2, 9]].tolist() == pytest.approx([0.0035] * 4)
    assert often[3] == 0.0  # BX is dry


@settings(max_examples=draws(20))
@given(
    pieces=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6),
    mechanism=st.sampled_from(sorted(LINES)),
    level=st.sampled_from(LEVELS),
    near=st.floats(0, 1),
)
def test_splitting_a_way_changes_no_probability(
    pieces: list[float], mechanism: str, level: str, near: float
) -> None:
    """One way of 800 m against its pieces, under one intensity: any piece that fails cuts the line."""
    typ = LINES[mechanism].certain[0]
    share = np.array(pieces) / np.sum(pieces)

    def survival(lengths: list[float]) -> float:
        codes = [f"W{i}" for i in range(len(lengths))]
        network = make_network(
            [("cheminement", code, "", "", False) for code in codes],
            [(code, typ, length) for code, length in zip(codes, lengths, strict=True)],
        )
        own = dict(zip(codes, lengths, strict=True))
        exposure = exposure_of(network, dict.fromkeys(codes, 2.0), own)
        exposure = exposure.assign(hazard_kind=LINES[mechanism].kinds[0], length_m=exposure["wet_m"])
        woods = exposure.assign(hazard_kind="woods", hazard="bois", wet_m=exposure["wet_m"] * near)
        rows = failure_probabilities(network, pd.concat([exposure, woods]), PARAMETERS, level)
        assert set(rows["mechanism"]) == {mechanism}
        return float(np.prod(1 - rows["p"]))

    assert survival([800.0]) == pytest.approx(survival((800.0 * share).tolist()), abs=1e-12)


@pytest.mark.parametrize("mechanism", sorted({*LINES, "way.scour"}))
def test_more_never_lowers_a_probability(mechanism: str) -> None:
    network = bridges([1.0]) if mechanism == "way.scour" else one_of_each()
    kind = "flood_velocity" if mechanism == "way.scour" else LINES[mechanism].kinds[0]
    by_intensity = []
    for x in (0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 30.0, 60.0, 90.0):
        codes = network.assets["code"]
        exposure = exposure_of(network, dict.fromkeys(codes, x), dict.fromkeys(codes, 100.0 * (x > 0)))
        levels = [
            failure_probabilities(network, exposure.assign(hazard_kind=kind), PARAMETERS, level)
            for level in LEVELS
        ]
        p = [rows.loc[rows["mechanism"] == mechanism, "p"].to_numpy() for rows in levels]
        assert (p[0] <= p[1]).all()
        assert (p[1] <= p[2]).all()
        by_intensity.append(p[1])
    assert (np.diff(by_intensity, axis=0) >= 0).all()
    assert (by_intensity[0] == 0).all()
    assert (by_intensity[-1] > 0).any()


def test_what_is_not_mapped_stays_unknown() -> None:
    network = one_of_each()
    for kind, code in (("gust", "W0"), ("fire", "W2"), ("flood_level", "W7"), ("outage", "L1")):
        exposure = exposure_of(network, {code: np.nan}, {code: np.nan}).assign(hazard_kind=kind)
        p = p_of(network, failure_probabilities(network, exposure, PARAMETERS, "central"))
        assert [name for name, value in p.items() if np.isnan(value)] == [code], kind
