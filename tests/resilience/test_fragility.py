"""Failure probabilities against values worked by hand from the published tables, and the laws of D18."""

import copy
from dataclasses import fields
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.network.types import Network
from resilience.bearers import equipment_findings, point_bearers
from resilience.fragility import (
    COLUMNS,
    count_bearers,
    failure_probabilities,
    room_probability,
)
from resilience.parameters import LEVELS, Level, default_parameters
from tests.draws import draws

PARAMETERS = default_parameters()
LINES = ["W1", "W2", "W3", "W4", "W5", "C1"]
SET_ASIDE = "PM9"  # at a place whose node has no geometry


def make_network(assets: list[tuple], lines: list[tuple[str, str, float]]) -> Network:
    """Give a network from (kind, code, nature, nd_code, has geometry) and (asset code, typ_imp, length_m)."""
    frame = pd.DataFrame(assets, columns=["kind", "code", "nature", "nd_code", "has"]).sort_values(
        ["kind", "code"]
    )
    frame = frame.reset_index(drop=True)
    points = [shapely.Point(i, 0) if has else None for i, has in enumerate(frame.pop("has"))]
    gdf = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(points, crs="EPSG:2154"))
    number = pd.Series(gdf.index, index=gdf["code"])
    lines_gdf = gpd.GeoDataFrame(
        {
            "asset": [np.int32(number[code]) for code, _, _ in lines],
            "typ_imp": pd.Series([typ for _, typ, _ in lines], dtype=str),
            "length_m": [length for _, _, length in lines],
        },
        geometry=gpd.GeoSeries([shapely.LineString([(0, 0), (x, 0)]) for _, _, x in lines], crs="EPSG:2154"),
    )
    rest = {field.name: pd.DataFrame() for field in fields(Network)}
    return Network(**(rest | {"assets": gdf, "lines": lines_gdf}))


@pytest.fixture
def aa() -> Network:
    """Draw one of each.

    N1 NRO room in site S1   N2 PM site S2 without room    N3 PM room L3, no geometry, node has one
    N4 chamber + BPE B4   N5 pole + PBO B5   N6 chamber and pole + B6   N7 nothing + B7
    W1 duct, W2 aerial, W3 unknown, W4 "specific", C1 the bare part of a cable, W5 in a building
    """
    return make_network(
        [
            ("local", "L1", "NRO", "N1", True), ("site", "S1", "NRO", "N1", True),
            ("noeud", "N1", "", "N1", True),
            ("site", "S2", "PM", "N2", True), ("noeud", "N2", "", "N2", True),
            ("local", "L3", "PM", "N3", False), ("noeud", "N3", "", "N3", True),
            ("local", SET_ASIDE, "PM", "", False),
            ("noeud", "N4", "", "N4", True),
            ("ptech", "P4", "chambre", "N4", True), ("ebp", "B4", "BPE", "N4", True),
            ("ptech", "P5", "appui", "N5", True), ("ebp", "B5", "PBO", "N5", True),
            ("ptech", "P6", "chambre", "N6", True), ("ptech", "P6b", "appui", "N6", True),
            ("ebp", "B6", "BPE", "N6", True),
            ("ebp", "B7", "", "N7", True),
            *[("cheminement", f"W{i}", "", "", False) for i in range(1, 6)], ("cable", "C1", "", "", False),
        ],
        [(code, typ_imp.strip(), 100.0) for code, typ_imp in zip(LINES, "70 93 ", strict=True)],
    )  # fmt: skip


def exposure_of(
    network: Network, depth: dict[str, float], wet_m: dict[str, float] | None = None, **event: Any
) -> pd.DataFrame:
    """Give exposure where everything is dry but what is named; `wet_m` by code of a line."""
    assets = network.assets
    event = {"hazard": "crue", "scenario": "Q20", "return_period": 20.0} | event
    point = assets[~shapely.is_missing(assets.geometry.to_numpy())]
    rows = pd.DataFrame({"asset": [*point.index, *network.lines["asset"]], "length_m": 0.0})
    rows["code"] = assets["code"].iloc[rows["asset"]].to_numpy()
    rows["kind"] = assets["kind"].iloc[rows["asset"]].to_numpy()
    for column, given_values in (("intensity_max", depth), ("wet_m", wet_m or {})):
        rows[column] = [given_values.get(code, 0.0) for code in rows["code"]]
    return rows.assign(asset=rows["asset"].astype(np.int32), intensity_unit="m", mapped_share=1.0, **event)


def p_of(network: Network, failures: pd.DataFrame) -> dict[str, float]:
    return dict(zip(network.assets["code"].iloc[failures["asset"]], failures["p"].tolist(), strict=True))


# ---------------------------------------------------------------- curves and heights


@pytest.mark.parametrize(
    ("mechanism", "depth", "expected"),
    [
        # the table of slr.md 3.2, at its points and half-way between them
        *[
            ("nro.flood", d, p)
            for d, p in ((0.0, 0), (0.2, 0), (0.25, 0.1), (0.3, 0.2), (0.4, 0.4), (0.5, 0.6))
        ],
        *[("nro.flood", d, p) for d, p in ((0.75, 0.8), (1.0, 1.0), (4.0, 1.0))],
        *[("pm.flood", d, p) for d, p in ((0.3, 0), (0.4, 0.075), (0.5, 0.15), (0.75, 0.375), (1.0, 0.6))],
        *[("pm.flood", d, p) for d, p in ((1.25, 0.75), (1.5, 0.9), (9.0, 0.9))],
        ("pm.flood", np.nan, np.nan),
    ],
)
def test_curves_at_the_default_height(mechanism: str, depth: float, expected: float) -> None:
    p = room_probability(mechanism, np.array([depth]), np.array([np.nan]), PARAMETERS, "central")
    np.testing.assert_allclose(p, [expected], atol=1e-12)


def test_levels_shift_the_curve_by_20_cm_each_way() -> None:
    depth, unknown = np.array([0.5]), np.array([np.nan])
    by_level = [room_probability("nro.flood", depth, unknown, PARAMETERS, level)[0] for level in LEVELS]
    assert by_level == pytest.approx([0.2, 0.6, 0.76])  # read at 0.3, 0.5 and 0.7 m


def test_a_given_height_shifts_the_curve_once() -> None:
    """A plinth raised by 0.5 m over the default needs 0.5 m more water; the default height shifts nothing."""
    depth = np.linspace(0.01, 3, 50)
    default = room_probability("pm.flood", depth, np.full(50, np.nan), PARAMETERS, "central")
    same = room_probability("pm.flood", depth, np.full(50, 0.20), PARAMETERS, "central")
    raised = room_probability("pm.flood", depth + 0.5, np.full(50, 0.70), PARAMETERS, "central")
    np.testing.assert_allclose(same, default, atol=1e-12)
    np.testing.assert_allclose(raised, default, atol=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_dry_ground_never_fails_even_under_a_sunken_floor(level: Level) -> None:
    p = room_probability("nro.flood", np.array([0.0, 0.01]), np.array([-2.0, -2.0]), PARAMETERS, level)
    assert p.tolist() == [0.0, 1.0]


@given(
    depths=st.lists(st.floats(0, 5), min_size=2, max_size=20),
    height=st.one_of(st.just(np.nan), st.floats(-1, 2)),
    mechanism=st.sampled_from(["nro.flood", "pm.flood"]),
)
def test_deeper_water_and_higher_levels_never_lower_p(
    depths: list[float], height: float, mechanism: str
) -> None:
    depth = np.sort(depths)
    by_level = [
        room_probability(mechanism, depth, np.full(len(depth), height), PARAMETERS, x) for x in LEVELS
    ]
    for p in by_level:
        assert (np.diff(p) >= 0).all()
        assert ((p >= 0) & (p <= 1)).all()
    low, central, high = by_level
    assert (low <= central).all()
    assert (central <= high).all()


@given(depth=st.floats(0, 5), heights=st.tuples(st.floats(-1, 2), st.floats(-1, 2)))
def test_a_higher_floor_never_raises_p(depth: float, heights: tuple[float, float]) -> None:
    low, high = sorted(heights)
    p = room_probability("pm.flood", np.full(2, depth), np.array([low, high]), PARAMETERS, "central")
    assert p[0] >= p[1]


def test_deeper_and_longer_water_never_lowers_any_p(aa: Network) -> None:
    codes = aa.assets["code"]
    equipment = pd.DataFrame({"kind": ["ebp", "local"], "code": ["B4", "L1"], "hauteur_m": [0.3, -0.5]})
    for level in LEVELS:
        ladder = [
            failure_probabilities(
                aa,
                exposure_of(aa, dict.fromkeys(codes, depth), dict.fromkeys(LINES, 100 * depth)),
                PARAMETERS,
                level,
                equipment=equipment,
            )["p"]
            for depth in (0.0, 0.05, 0.2, 0.31, 0.6, 1.2, 3.0)
        ]
        for less, more in pairwise(ladder):
            assert (more.isna() | (more >= less)).all()
        assert (ladder[0].dropna() == 0.0).all()
        assert (ladder[-1] > 0).sum() == 10  # all 12 but PM9, without place, and B5, on its pole


# ---------------------------------------------------------------- one bearer per mechanism


def test_each_mechanism_has_one_bearer(aa: Network) -> None:
    failures = failure_probabilities(aa, exposure_of(aa, {}), PARAMETERS, "central")
    assert tuple(failures.columns) == COLUMNS
    assert failures["asset"].dtype == np.int32
    assert (failures["p"].dtype, failures["repair_h"].dtype) == (np.float64, np.float64)
    code = aa.assets["code"].iloc[failures["asset"]]
    assert dict(zip(code, failures["mechanism"], strict=True)) == {
        "L1": "nro.flood",  # the room, not its site S1 nor its node
        "S2": "pm.flood",  # the site where no room is recorded
        "L3": "pm.flood",
        SET_ASIDE: "pm.flood",
        **dict.fromkeys(["B4", "B5", "B6", "B7"], "closure.flood"),  # not the chambers, poles and nodes
        **dict.fromkeys(
            ["W1", "W3", "W4", "C1"], "way.flood"
        ),  # not the aerial way, nor the one in a building
    }
    assert len(failures) == 12


def test_values_by_hand(aa: Network) -> None:
    depth = {
        "L1": 0.4,
        "S1": 9.0,
        "S2": 1.0,
        "N3": 0.75,
        "B4": 0.1,
        "B5": 3.0,
        "B6": 0.1,
        "B7": 0.1,
        "P5": 3.0,
    }
    wet = {"W1": 50.0, "W2": 100.0, "W3": 100.0, "C1": 25.0}
    failures = failure_probabilities(aa, exposure_of(aa, depth, wet), PARAMETERS, "central")
    p = p_of(aa, failures)
    assert p == pytest.approx(
        {
            "L1": 0.4, "S2": 0.6, "L3": 0.375, SET_ASIDE: np.nan, "B4": 0.02, "B5": 0.0, "B6": 0.02,
            "B7": 0.02, "W1": 1 - np.exp(-0.02 * 0.05), "W3": 1 - np.exp(-0.02 * 0.1), "W4": 0.0,
            "C1": 1 - np.exp(-0.02 * 0.025),
        },
        nan_ok=True,
    )  # fmt: skip
    repair = dict(zip(failures["mechanism"], failures["repair_h"], strict=True))
    assert repair == {"nro.flood": 168.0, "pm.flood": 168.0, "closure.flood": 9.0, "way.flood": 24.0}
    assumed = aa.assets["code"].iloc[failures.loc[failures["is_assumed"], "asset"]].tolist()
    assert sorted(assumed) == ["B6", "B7", "C1", "W3", "W4"]


def test_heights_come_from_the_room_else_its_site_else_its_node(aa: Network) -> None:
    equipment = pd.DataFrame(
        {
            "kind": ["site", "local", "noeud", "noeud", "ebp", "site"],
            "code": ["S1", "L1", "N2", "N3", "B4", "S2"],
            "hauteur_m": [2.0, 0.5, 0.5, 0.7, 0.2, np.nan],
        }
    )
    bearers = point_bearers(aa, equipment)
    height = dict(zip(aa.assets["code"].iloc[bearers["asset"]], bearers["hauteur_m"], strict=True))
    assert height == pytest.approx(
        {
            "L1": 0.5,
            "S2": 0.5,
            "L3": 0.7,
            SET_ASIDE: np.nan,
            "B4": 0.2,
            "B5": np.nan,
            "B6": np.nan,
            "B7": np.nan,
        },
        nan_ok=True,
    )
    depth = {"L1": 0.7, "S2": 1.3, "N3": 1.5, "B4": 0.15}
    p = p_of(
        aa, failure_probabilities(aa, exposure_of(aa, depth), PARAMETERS, "central", equipment=equipment)
    )
    # NRO read at 0.7 + 0.3 - 0.5; PM at 1.3 + 0.2 - 0.5 and 1.5 + 0.2 - 0.7;
    # the water does not reach the closure
    assert [p["L1"], p["S2"], p["L3"], p["B4"]] == pytest.approx([0.6, 0.6, 0.6, 0.0])


def test_the_height_given_for_a_building_says_nothing_of_the_box_beside_it(aa: Network) -> None:
    equipment = pd.DataFrame({"kind": ["noeud"], "code": ["N4"], "hauteur_m": [1.0]})
    p = p_of(
        aa,
        failure_probabilities(aa, exposure_of(aa, {"B4": 0.5}), PARAMETERS, "central", equipment=equipment),
    )
    assert p["B4"] == 0.02


def test_what_is_not_mapped_is_nan_kept_and_counted(aa: Network) -> None:
    exposure = exposure_of(aa, {"L1": np.nan, "B4": np.nan, "S2": 1.0}, {"W1": np.nan, "W3": 10.0})
    failures = failure_probabilities(aa, exposure, PARAMETERS, "central")
    p = p_of(aa, failures)
    assert [code for code, value in p.items() if np.isnan(value)] == ["W1", "B4", "L1", SET_ASIDE]
    counts = count_bearers(failures).set_index("mechanism")
    assert counts["n_bearers"].to_dict() == {
        "closure.flood": 4,
        "nro.flood": 1,
        "pm.flood": 3,
        "way.flood": 4,
    }
    assert counts["n_unmapped"].to_dict() == {
        "closure.flood": 1,
        "nro.flood": 1,
        "pm.flood": 1,
        "way.flood": 1,
    }
    assert counts["n_assumed"].to_dict() == {
        "closure.flood": 2,
        "nro.flood": 0,
        "pm.flood": 0,
        "way.flood": 3,
    }
    assert counts["expected_failures"]["pm.flood"] == pytest.approx(0.6)


def test_rows_go_by_hazard_period_and_asset(aa: Network) -> None:
    exposure = pd.concat(
        [
            exposure_of(aa, {"S2": 2.0}, hazard="b", scenario="Q100", return_period=100.0),
            exposure_of(aa, {"S2": 1.0}, hazard="b", scenario="Q20", return_period=20.0),
            exposure_of(aa, {}, hazard="a", scenario="Q1000", return_period=1000.0),
        ],
        ignore_index=True,
    )
    failures = failure_probabilities(aa, exposure, PARAMETERS, "central")
    key = list(zip(failures["hazard"], failures["return_period"], failures["asset"], strict=True))
    assert key == sorted(key)
    assert failures.groupby(["hazard", "scenario"]).size().tolist() == [12, 12, 12]
    s2 = aa.assets.index[aa.assets["code"] == "S2"][0]
    assert failures.loc[failures["asset"] == s2, "p"].tolist() == pytest.approx([0.0, 0.6, 0.9])
    shuffled = exposure.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(failure_probabilities(aa, shuffled, PARAMETERS, "central"), failures)


def test_inputs_are_not_changed(aa: Network) -> None:
    exposure = exposure_of(aa, {"S2": 1.0})
    equipment = pd.DataFrame({"kind": ["site"], "code": ["S2"], "hauteur_m": [0.5]})
    before = copy.deepcopy((aa.assets, aa.lines, exposure, equipment))
    failure_probabilities(aa, exposure, PARAMETERS, "central", equipment=equipment)
    for now, then in zip((aa.assets, aa.lines, exposure, equipment), before, strict=True):
        pd.testing.assert_frame_equal(pd.DataFrame(now), pd.DataFrame(then))


def test_a_network_without_bearers_gives_no_rows() -> None:
    net = make_network([("noeud", "N1", "", "N1", True)], [])
    failures = failure_probabilities(net, exposure_of(net, {}), PARAMETERS, "central")
    assert (len(failures), tuple(failures.columns)) == (0, COLUMNS)


def test_equipment_that_no_asset_answers_to_is_told(aa: Network) -> None:
    equipment = pd.DataFrame({"kind": ["site", "local"], "code": ["S2", "S2"], "hauteur_m": [0.5, 0.5]})
    findings = equipment_findings(aa, equipment)
    assert findings[["rule", "code"]].to_numpy().tolist() == [["equipement_inconnu", "S2"]]
    assert "local" in findings["message"].iloc[0]


# ---------------------------------------------------------------- lines


@settings(max_examples=draws(40))
@given(wet=st.lists(st.floats(0, 500), min_size=1, max_size=6), level=st.sampled_from(LEVELS))
def test_how_a_way_was_cut_changes_no_loss(wet: list[float], level: Level) -> None:
    """One way of the whole wet length fails as often as at least one of its parts, D18."""
    codes = [f"W{i}" for i in range(len(wet))]
    assets = [("cheminement", code, "", "", False) for code in [*codes, "X"]]
    net = make_network(assets, [(code, "7", 500.0) for code in [*codes, "X"]])
    exposure = exposure_of(net, {}, dict(zip(codes, wet, strict=True)) | {"X": sum(wet)})
    p = p_of(net, failure_probabilities(net, exposure, PARAMETERS, level))
    assert 1 - np.prod([1 - p[code] for code in codes]) == pytest.approx(p["X"], abs=1e-12)


def test_lines_of_one_asset_add_up() -> None:
    net = make_network([("cable", "C1", "", "", False)], [("C1", "", 100.0), ("C1", "", 50.0)])
    exposure = exposure_of(net, {}).assign(wet_m=[30.0, np.nan])
    failures = failure_probabilities(net, exposure, PARAMETERS, "high")
    assert failures["p"].tolist() == pytest.approx([1 - np.exp(-0.05 * 0.03)])
    assert failures["is_assumed"].tolist() == [True]
