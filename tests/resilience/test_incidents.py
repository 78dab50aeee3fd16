"""Rates after an incident log, against Bayes' rule summed over a grid; incidents put where they belong."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gracethd.network.types import Network
from resilience.incidents import NORMAL_90, update_rates
from resilience.parameters import default_parameters, replace_parameters
from resilience.rates import annual_rates
from resilience.study import StudyError, load_study
from tests.resilience.test_fragility import make_network

DAYS = (date(2021, 1, 1), date(2024, 12, 31))  # 1,461 days: four years
PARAMETERS = default_parameters()


@pytest.fixture
def network() -> Network:
    """Draw A aerial 200 km, B buried 100 km, one NRO (room L1, site S1), two PM in their street cabinets."""
    assets = [("cheminement", "A", "", "", False), ("cheminement", "B", "", "", False)]
    assets += [("local", "L1", "NRO", "N1", True), ("site", "S1", "NRO", "N1", True)]
    assets += [("local", "L2", "PM", "N2", True), ("site", "S2", "PM", "N2", True)]
    assets += [("local", "L3", "PM", "N3", True), ("ptech", "P9", "appui", "N9", True)]
    return make_network(assets, [("A", "0", 200_000.0), ("B", "7", 100_000.0)])


def log(*rows: tuple) -> pd.DataFrame:
    """Make a table from (kind, code, cause, hours) and, where they matter, the day, x and y."""
    filled = [(*row, *("2023-05-01", np.nan, np.nan)[len(row) - 4 :]) for row in rows]
    table = pd.DataFrame(filled, columns=["kind", "code", "cause", "hours", "date", "x", "y"])
    table["date"] = pd.to_datetime(table["date"])
    return table.astype({"kind": str, "code": str, "cause": str, "hours": float})


@pytest.mark.parametrize(("n_events", "expected_factor"), [(0, "<"), (3, ">"), (12, ">")])
def test_the_rate_after_the_log_is_that_of_bayes(
    network: Network, n_events: int, expected_factor: str
) -> None:
    """Prior times the likelihood of Poisson, summed over rates by steps of 1e-6 a km and year."""
    updated = update_rates(
        PARAMETERS, log(*[("cheminement", "B", "terrassement", 10.0)] * n_events), network, DAYS
    )
    row = updated.rates.set_index("mechanism").loc["dig_up"]
    assert (row["n_events"], row["exposure"]) == (n_events, pytest.approx(400.0))
    low, central, high = 0.0015, 0.00213, 0.004
    sd = (high - low) / (2 * NORMAL_90)
    grid = np.arange(5e-7, 0.1, 1e-6)
    prior = stats.gamma.pdf(grid, (central / sd) ** 2, scale=sd**2 / central)
    weight = prior * stats.poisson.pmf(n_events, grid * 400.0)
    weight /= weight.sum()
    assert row["central"] == pytest.approx(grid @ weight, rel=1e-3)
    ends = grid[np.searchsorted(np.cumsum(weight), [0.05, 0.95])]
    assert [row["low"], row["high"]] == pytest.approx(ends.tolist(), rel=2e-3)
    assert (row["central"] < central) == (expected_factor == "<")
    at = [updated.parameters.at("way.dig_up.rate_per_km_year", level) for level in ("low", "central", "high")]
    assert at == [row["low"], row["central"], row["high"]]
    source = updated.parameters.table.set_index("name").loc["way.dig_up.rate_per_km_year", "source"]
    assert f"{n_events} événement(s) sur 400.0 km·an" in source
    # the rate of a whole line moves with it, on the same scale
    rates = annual_rates(network, updated.parameters, "central").set_index("mechanism")
    assert rates.loc["dig_up", "rate_per_year"] == pytest.approx(row["central"] * 100.0)


def test_each_incident_counts_for_the_mechanism_of_what_failed(network: Network) -> None:
    incidents = log(
        ("cheminement", "A", "vehicule", 4.0), ("cheminement", "A", "malveillance", 8.0),
        ("local", "L1", "incendie", 48.0), ("site", "S1", "incendie", np.nan),
        ("site", "S2", "malveillance", 100.0), ("local", "L3", "vehicule", 200.0),
        ("", "", "terrassement", 6.0, "2022-01-01", 99_000.0, 5.0),  # along A and B: A is the first
    )  # fmt: skip
    rates = update_rates(PARAMETERS, incidents, network, DAYS).rates.set_index("mechanism")
    assert rates["n_events"].to_dict() == {"aerial_cut": 2, "dig_up": 0, "nro_fire": 2, "pm_destroyed": 2}
    assert rates["exposure"].to_dict() == pytest.approx(
        {"aerial_cut": 800.0, "dig_up": 400.0, "nro_fire": 4.0, "pm_destroyed": 8.0}
    )
    assert rates["exposure_unit"].to_dict() == {
        "aerial_cut": "km·an", "dig_up": "km·an", "nro_fire": "an", "pm_destroyed": "an"
    }  # fmt: skip
    assert rates["mean_hours"].to_dict() == pytest.approx(
        {"aerial_cut": 6.0, "dig_up": np.nan, "nro_fire": 48.0, "pm_destroyed": 150.0}, nan_ok=True
    )


def test_an_incident_known_by_its_place_is_that_of_the_nearest_line(network: Network) -> None:
    near = log(("", "", "vehicule", 6.0, "2022-01-01", 150_000.0, 29.0))
    far = log(("", "", "vehicule", 6.0, "2022-01-01", 150_000.0, 31.0))
    counted = [
        update_rates(PARAMETERS, table, network, DAYS).rates["n_events"].sum() for table in (near, far)
    ]
    assert counted == [1, 0]


def test_what_counts_for_no_rate_is_told_with_the_reason(network: Network) -> None:
    incidents = log(
        ("cheminement", "A", "vent", 4.0), ("cheminement", "A", "terrassement", 4.0),
        ("cheminement", "ZZ", "vehicule", 4.0), ("ptech", "P9", "vehicule", 4.0),
        ("cheminement", "A", "vehicule", 4.0, "2020-12-31"),
        ("cheminement", "A", "vehicule", 4.0, "2024-12-31"),
    )  # fmt: skip
    updated = update_rates(PARAMETERS, incidents, network, DAYS)
    assert updated.rates["n_events"].sum() == 1
    assert updated.findings["rule"].unique().tolist() == ["incident_sans_effet"]
    reasons = sorted(message.split(" : ")[1] for message in updated.findings["message"])
    assert reasons == sorted(
        ["cause ou objet sans taux propre (vent)", "cause ou objet sans taux propre (terrassement)",
         "aucun objet connu à cet endroit ou de ce code", "cause ou objet sans taux propre (vehicule)",
         "hors des dates du journal"]
    )  # fmt: skip


def test_more_events_never_lower_a_rate_and_a_known_rate_stays(network: Network) -> None:
    fixed = {"low": 0.001, "central": 0.001, "high": 0.001, "source": "contrat"}
    known = replace_parameters(PARAMETERS, {"nro.fire.rate_per_year": fixed})
    before = [0.0, 0.0, 0.0]
    for n in range(5):
        incidents = log(*[("local", "L3", "incendie", 1.0)] * n, ("local", "L1", "incendie", 1.0))
        rates = update_rates(known, incidents, network, DAYS).rates.set_index("mechanism")
        after = rates.loc["pm_destroyed", ["low", "central", "high"]].tolist()
        assert all(a >= b for a, b in zip(after, before, strict=True))
        assert rates.loc["nro_fire", ["low", "central", "high"]].tolist() == [0.001] * 3
        before = after


def test_a_log_and_its_days_go_together(tmp_path: Path) -> None:
    (tmp_path / "livraison").mkdir()
    (tmp_path / "journal.csv").write_text("date,kind,code,cause,hours\n", encoding="utf-8")
    named = '[tables]\nincidents = "journal.csv"\n'
    days = "[parameters]\nincidents = {from = 2021-01-01, to = 2024-12-31}\n"
    back = "[parameters]\nincidents = {from = 2021-01-02, to = 2021-01-01}\n"
    for text, message in (
        (named, r"tables\.incidents: say which days"),
        (days, r"parameters\.incidents: there is no log"),
        (named + back, r"parameters\.incidents: ends on 2021-01-01, before it begins"),
        (named + "[parameters]\nincidents = {from = 2021-01-01}\n", r"parameters\.incidents\.to: a date"),
    ):
        (tmp_path / "e.toml").write_text('inventory = ["livraison"]\n' + text, encoding="utf-8")
        with pytest.raises(StudyError, match=message):
            load_study(tmp_path / "e.toml")
    (tmp_path / "e.toml").write_text('inventory = ["livraison"]\n' + named + days, encoding="utf-8")
    assert load_study(tmp_path / "e.toml").incident_days == DAYS
