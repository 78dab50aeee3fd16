"""The parameter set: every value has a source, levels are ordered, and replacing one replaces one."""

import io
import math

import numpy as np
import pandas as pd
import pytest

from resilience.parameters import (
    COLUMNS,
    LEVELS,
    default_curves,
    default_parameters,
    one_at_a_time,
    replace_curves,
    replace_parameters,
)
from resilience.parameters.curves import Curve, read_curves

FLOOD = {
    # slr.md 4.4: low, central, high
    "nro.floor_m": (0.15, 0.30, 0.60),
    "pm.plinth_m": (0.15, 0.20, 0.30),
    "nro.curve_shift_m": (0.20, 0.0, -0.20),
    "pm.curve_shift_m": (0.20, 0.0, -0.20),
    "closure.chamber.p": (0.01, 0.02, 0.05),
    "closure.pole.p": (0.0, 0.0, 0.0),
    "way.buried.rate_per_wet_km": (0.005, 0.02, 0.05),
    "bridge.p": (0.2, 0.35, 0.5),
    "nro.flood.repair_h": (72, 168, 360),
    "pm.flood.repair_h": (48, 168, 336),
    "closure.flood.repair_h": (6, 9, 12),
    "way.flood.repair_h": (12, 24, 48),
}


@pytest.mark.parametrize("name", FLOOD)
def test_flood_parameters_are_those_of_the_table_of_assumptions(name: str) -> None:
    parameters = default_parameters()
    assert tuple(parameters.at(name, level) for level in LEVELS) == FLOOD[name]


def test_every_parameter_has_a_unit_and_a_source_and_ordered_levels() -> None:
    table = default_parameters().table
    assert tuple(table.columns) == COLUMNS
    assert table["name"].is_unique
    assert table["name"].is_monotonic_increasing
    assert (table[["unit", "source"]].map(lambda text: len(text.strip())) > 0).all().all()
    low, central, high = (table[level] for level in LEVELS)
    assert (((low <= central) & (central <= high)) | ((low >= central) & (central >= high))).all()


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(KeyError, match=r"pm\.plinthe_m"):
        default_parameters().at("pm.plinthe_m", "central")


def test_replacing_one_parameter_changes_one_row() -> None:
    before = default_parameters()
    change = {"low": 0.2, "central": 0.25, "high": 0.4, "source": "survey of 2026"}
    after = replace_parameters(before, {"pm.plinth_m": change})
    assert [after.at("pm.plinth_m", level) for level in LEVELS] == [0.2, 0.25, 0.4]
    other = before.table["name"] != "pm.plinth_m"
    pd.testing.assert_frame_equal(after.table[other], before.table[other])
    assert before.at("pm.plinth_m", "central") == 0.20
    with pytest.raises(ValueError, match=r"pm\.plinthe_m.*pm\.plinth_m"):
        replace_parameters(before, {"pm.plinthe_m": change})
    with pytest.raises(ValueError, match="source missing"):
        replace_parameters(before, {"pm.plinth_m": {"low": 0, "central": 0, "high": 0}})


def test_shipped_curves_have_sources_and_never_fall() -> None:
    curves = default_curves()
    assert (curves["source"].str.len() > 0).all()
    parameters = default_parameters()
    x = np.linspace(0.0, 100.0, 2001)
    for name in curves["curve"].unique():
        by_level = [parameters.curve(name, level)(x) for level in LEVELS]
        for y in by_level:
            assert (np.diff(y) >= 0).all()
        assert (by_level[0] <= by_level[1]).all()
        assert (by_level[1] <= by_level[2]).all()


def test_lognormal_by_the_error_function() -> None:
    x = [20.0, 68.0, 100.0]
    expected = [0.5 * math.erfc(-math.log(v / 68.0) / 0.22 / math.sqrt(2)) for v in x]
    curve = Curve("lognormal", np.array([68.0, 0.22]), np.empty(0))
    np.testing.assert_allclose(curve(np.array(x)), expected, rtol=1e-12)
    assert curve(np.array([0.0, -1.0])).tolist() == [0.0, 0.0]
    assert np.isnan(curve(np.array([np.nan]))).all()


@pytest.mark.parametrize(
    ("km_h", "per_pole", "per_km"),
    # the table of domain notes, section 3.2, on Openreach and Ciarán
    [(110, 1.4e-4, 0.0035), (130, 2e-3, 0.049), (150, 1.3e-2, 0.28), (180, 8e-2, None)],
)
def test_poles_under_gusts_are_those_of_the_fit(km_h: float, per_pole: float, per_km: float | None) -> None:
    p = float(default_parameters().curve("way.wind", "central")(np.array([km_h / 3.6]))[0])
    assert p == pytest.approx(per_pole, rel=0.07)
    if per_km is not None:
        assert 1 - (1 - p) ** 25 == pytest.approx(per_km, rel=0.07)


HEADER = "curve,form,unit,at,low,central,high,parameter,source\n"


def test_a_study_replaces_a_whole_curve_by_another_form() -> None:
    text = (
        HEADER + "pm.flood,lognormal,m,theta,1.2,1,0.8,,survey\npm.flood,lognormal,m,beta,.5,.5,.5,,survey\n"
    )
    parameters = replace_curves(default_parameters(), read_curves(io.StringIO(text)))
    assert parameters.curve("pm.flood", "central")(np.array([1.0])).tolist() == [0.5]
    assert parameters.curve("pm.flood", "low")(np.array([1.0]))[0] < 0.5
    depth = np.linspace(0, 2, 9)
    for name in set(default_curves()["curve"]) - {"pm.flood"}:
        same = default_parameters().curve(name, "high")(depth)
        np.testing.assert_array_equal(parameters.curve(name, "high")(depth), same)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("pm.flod,step,m,p,0,0,0,,x\n", "pm.flod.*does not exist"),
        ("pm.flood,spline,m,0,0,0,0,,x\n", "form spline"),
        ("pm.flood,step,m,p,0,0,0,,x\n", "one row at each of"),
        ("pm.flood,step,m,p,0,2,2,,x\npm.flood,step,m,from,0,0,0,,x\n", "from 0 to 1"),
        ("pm.flood,table,m,0,0,0,0,,x\npm.flood,table,m,0,1,1,1,,x\n", "rise from row to row"),
        ("pm.flood,table,m,0,0.5,0.5,0.5,,x\npm.flood,table,m,1,0.4,0.4,0.4,,x\n", "never fall"),
        ("pm.flood,table,cm,0,0,0,0,,x\n", "unit 'cm'.*'m'"),
        ("pm.flood,table,m,0,,0,0,,x\n", "give low, central and high"),
        ("pm.flood,table,m,0,,,,pm.p,x\n", "parameter 'pm.p' does not exist"),
        ("pm.flood,table,m,0,0,0,0,,\n", "source"),
        ("pm.flood,table,m,0,zéro,0,0,,x\n", "line 2, column low: 'zéro' is not a number"),
    ],
)
def test_a_curve_that_cannot_be_one_is_named(rows: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace_curves(default_parameters(), read_curves(io.StringIO(HEADER + rows)))


def test_a_value_that_makes_a_curve_impossible_is_refused() -> None:
    change = {"low": 0.5, "central": 1.0, "high": 1.5, "source": "typo"}
    with pytest.raises(ValueError, match=r"closure\.chamber"):
        replace_parameters(default_parameters(), {"closure.chamber.p": change})


def test_one_at_a_time_moves_one_central_value() -> None:
    before = default_parameters()
    after = one_at_a_time(before, "pm.plinth_m", "high")
    assert [after.at("pm.plinth_m", level) for level in LEVELS] == [0.15, 0.30, 0.30]
    other = before.table["name"] != "pm.plinth_m"
    pd.testing.assert_frame_equal(after.table[other], before.table[other])
    clay = one_at_a_time(before, "curve:way.clay", "high")
    # the point of class 3 is a parameter, with a row of its own
    assert clay.curve("way.clay", "central")(np.array([2.0, 3.0])).tolist() == [0.02, 0.03]
