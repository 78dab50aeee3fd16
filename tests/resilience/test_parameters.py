"""The parameter set: every value has a source, levels are ordered, and replacing one replaces one."""

import numpy as np
import pandas as pd
import pytest

from resilience.fragility import _curves
from resilience.parameters import COLUMNS, LEVELS, default_parameters, replace_parameters

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


def test_curves_rise_from_0_within_0_and_1() -> None:
    for _, curve in _curves().groupby("curve"):
        assert (np.diff(curve["x"]) > 0).all()
        assert (np.diff(curve["p"]) >= 0).all()
        assert curve["p"].iloc[0] == 0.0
        assert curve["p"].between(0, 1).all()
    assert sorted(set(_curves()["curve"])) == ["nro", "pm"]
    assert (_curves()["source"].str.len() > 0).all()
