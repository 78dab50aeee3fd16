"""Observed events replayed, power cuts counted apart, one parameter at a time: by hand on small networks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.backtest import back_test
from resilience.fragility import failure_probabilities
from resilience.loss import keys_of_assets, network_loss, units_of
from resilience.parameters import default_parameters, one_at_a_time
from resilience.power import power_cuts
from resilience.rates import annual_rates
from resilience.sensitivity import EXPOSURE, Setting, one_at_a_time_table
from resilience.study import Observed, StudyError, load_study
from tests.resilience.loss_cases import failures
from tests.resilience.small_network import small_network

Small = tuple[Network, Routes]


@pytest.fixture
def small() -> Small:
    """Draw the network of `small_network`, with lines: the ways, W1 aerial, the others in ducts."""
    network, routes = small_network()
    ways = network.assets[network.assets["kind"] == "cheminement"]
    lines = ways[["length_m", "geometry"]].assign(
        asset=ways.index.to_numpy(np.int32), typ_imp=np.where(ways["code"] == "W1", "0", "7"), passage=""
    )
    return replace(network, lines=lines.reset_index(drop=True)), routes


def number(network: Network, name: str) -> int:
    kind, code = name.split(":")
    return int(np.flatnonzero((network.assets["kind"] == kind) & (network.assets["code"] == code))[0])


def exposure(network: Network, kind: str, places: dict[str, float], **event: object) -> pd.DataFrame:
    """Expose everything to 0 but the places named, lines over their whole length."""
    assets = network.assets
    point = assets[assets["kind"].isin(["local", "site", "ebp", "noeud", "ptech"])]
    rows = pd.DataFrame(
        {
            "asset": np.concatenate([point.index, network.lines["asset"]]).astype(np.int32),
            "length_m": np.concatenate([np.zeros(len(point)), network.lines["length_m"]]),
        }
    )
    rows["kind"], rows["code"] = (assets[name].iloc[rows["asset"]].to_numpy() for name in ("kind", "code"))
    rows["intensity_max"] = [places.get(code, 0.0) for code in rows["code"]]
    rows["wet_m"] = rows["length_m"].where(rows["intensity_max"] > 0, 0.0)
    named = {"hazard": "x", "scenario": "Q20", "return_period": 20.0} | event
    return rows.assign(hazard_kind=kind, **named)


def test_an_observed_count_stands_beside_the_draws(small: Small) -> None:
    """NRO LN2 (7 prises) and PM LP1 (15) fail each with 1/2: 0, 7, 15 or 22 prises, equally often."""
    network, routes = small
    rows = [(number(network, f"local:{c}"), 100, "w", 0.5, 9.0) for c in ("LN2", "LP1")]
    table = failures(rows).assign(scenario="nov. 2023", return_period=np.nan)
    seen = [Observed("crue", 15, "crue", "nov. 2023"), Observed("trop", 900, "crue", "nov. 2023")]
    got = back_test(
        routes.nominal, network, table, seen, asset_keys=keys_of_assets(network.assets), seed=1, draws=4000
    )
    first = got.iloc[0]
    assert first[["prises_down_p05", "prises_down_p95"]].tolist() == [0, 22]
    assert first["prises_down_mean"] == pytest.approx(11.0, abs=0.5)
    assert first["share_below"] == pytest.approx(0.5 + 0.125, abs=0.03)
    assert first["n_failed"] == pytest.approx(1.0, abs=0.05)
    assert got["is_within"].tolist() == [True, False]
    assert got["share_below"].iloc[1] == 1.0


def test_named_objects_cut_what_they_cut(small: Small) -> None:
    network, routes = small
    seen = [
        Observed("pelle", 15, objects=("cheminement:W2",)),
        Observed("deux", 22, objects=("local:LP1", "local:LP2")),
    ]
    keys = keys_of_assets(network.assets)
    got = back_test(routes.nominal, network, failures([]), seen, asset_keys=keys, seed=1)
    assert got["prises_down_mean"].tolist() == [15.0, 22.0]
    assert got["is_within"].tolist() == [True, True]
    with pytest.raises(StudyError, match="no object 'local:LP9'"):
        back_test(
            routes.nominal,
            network,
            failures([]),
            [Observed("x", 1, objects=("local:LP9",))],
            asset_keys=keys,
            seed=1,
        )
    with pytest.raises(StudyError, match="no event 'b' of hazard 'a'; events: none"):
        back_test(
            routes.nominal, network, failures([]), [Observed("x", 1, "a", "b")], asset_keys=keys, seed=1
        )


def test_homes_without_power_are_counted_apart(small: Small) -> None:
    """The cut takes NRO N1, through which N2 passes, and the homes at B1; B2 is not mapped, B3 has power."""
    network, routes = small
    cut = exposure(network, "outage", {"LN1": 1.0, "B1": 1.0, "B2": np.nan}, return_period=np.nan)
    rows = failure_probabilities(network, cut, default_parameters(), "central")
    got = power_cuts(routes, cut, rows, asset_keys=keys_of_assets(network.assets), seed=1, draws=3).iloc[0]
    assert got[["homes_inside", "homes_outside", "homes_unknown"]].tolist() == [10, 7, 5]
    # N1 feeds all; N2 transits through it
    assert got[["prises_down_inside", "prises_down_outside", "prises_down_unknown"]].tolist() == [10, 7, 5]
    assert got["prises_h_outside"] == 7 * (6.0 - 4.0)
    lasting = pd.DataFrame({"kind": ["local"], "code": ["LN1"], "autonomie_h": [8.0]})
    rows = failure_probabilities(network, cut, default_parameters(), "central", equipment=lasting)
    got = power_cuts(routes, cut, rows, asset_keys=keys_of_assets(network.assets), seed=1, draws=3).iloc[0]
    assert got[["prises_down_inside", "prises_down_outside", "prises_h_outside"]].tolist() == [0, 0, 0]


def test_one_at_a_time_is_the_loss_with_that_parameter_alone(small: Small) -> None:
    network, routes = small
    central = exposure(network, "flood_depth", {"LP1": 0.8, "LN2": 0.35, "W3": 0.5, "C1": 0.4})
    deeper = central.assign(intensity_max=central["intensity_max"] * 1.5)
    units = units_of(network.assets, pd.Series("", network.assets.index, dtype=str))
    setting = Setting(
        network,
        routes.nominal,
        {"low": central, "central": central, "high": deeper},
        None,
        units,
        1,
        200,
        "constant",
    )
    parameters = default_parameters()
    got = one_at_a_time_table(setting, parameters).set_index("parameter")

    def loss(changed: object, exposed: pd.DataFrame = central) -> float:
        table = network_loss(
            routes.nominal,
            failure_probabilities(network, exposed, changed, "central"),  # type: ignore[arg-type]
            annual_rates(network, changed, "central", exposure=exposed),  # type: ignore[arg-type]
            asset_keys=keys_of_assets(network.assets), seed=1, draws=200,
        )  # fmt: skip
        return float(table["prises_h_per_year"].sum())

    for name in ("pm.flood.repair_h", "pm.curve_shift_m", "way.dig_up.rate_per_km_year"):
        for level in ("low", "high"):
            expected = loss(one_at_a_time(parameters, name, level))  # type: ignore[arg-type]
            assert got.loc[name, f"prises_h_per_year_{level}"] == pytest.approx(expected)
    assert got.loc[EXPOSURE, "prises_h_per_year_low"] == pytest.approx(loss(parameters))
    assert got.loc[EXPOSURE, "prises_h_per_year_high"] == pytest.approx(loss(parameters, deeper))
    assert not [name for name in got.index if name.startswith(("cost.", "measure.", "pole.", "outage."))]
    base = loss(parameters)
    swing = got["prises_h_per_year_high"] - got["prises_h_per_year_low"]
    assert (got["swing_share"] - swing.abs() / base).abs().max() < 1e-12
    # a repair time of PM moves no rank of what is far ahead or behind, a shift of the curve of NRO may
    assert (got["rank_shift"].diff().dropna() <= 0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one_at_a_time = 1", r"loss\.one_at_a_time: true or false"),
        ('[[loss.observed]]\nname = "a"', r"'a': prises_down is missing"),
        ('[[loss.observed]]\nname = "a"\nprises_down = 1', r"hazard: a text is expected"),
        ('[[loss.observed]]\nname = "a"\nprises_down = 1\nobjects = ["LP1"]', r"kind:code"),
        ('[[loss.observed]]\nname = "a"\nprises_down = 1\nobjects = ["a:b"]\nevent = "b"', r"not both"),
    ],
)
def test_what_is_asked_wrongly_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "livraison").mkdir()
    (tmp_path / "e.toml").write_text(f'inventory = ["livraison"]\n[loss]\n{text}\n', encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        load_study(tmp_path / "e.toml")


def test_observed_events_are_read(tmp_path: Path) -> None:
    (tmp_path / "livraison").mkdir()
    text = '[[loss.observed]]\nname = "a"\nprises_down = 28\nhazard = "crue"\nevent = "nov"\n'
    (tmp_path / "e.toml").write_text(
        f'inventory = ["livraison"]\n[loss]\none_at_a_time = true\n{text}', encoding="utf-8"
    )
    loss = load_study(tmp_path / "e.toml").loss
    assert loss.one_at_a_time
    assert loss.observed == (Observed("a", 28, "crue", "nov"),)
