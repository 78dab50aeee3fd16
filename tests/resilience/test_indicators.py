"""Each indicator of page one, by hand."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from resilience.hazards import Hazard, HazardEvent
from resilience.indicators import indicators
from tests.resilience.small_network import small_network

BEHIND = pd.DataFrame({"threshold": [100, 300, 1000], "prises": [20, 12, 0], "share": [0.9, 0.6, 0.0]})


@pytest.fixture
def results() -> Any:
    """Give the small network lines, two events, batteries and a plan."""
    network, routes = small_network()
    number = {code: i for i, code in zip(network.assets.index, network.assets["code"], strict=True)}
    lines = gpd.GeoDataFrame(
        {"asset": [number["W1"], number["W2"], number["W3"]], "typ_imp": ["0", "1", "7"],
         "length_m": [1500.0, 500.0, 900.0]},
        geometry=[shapely.LineString([(0, 0), (1, 1)])] * 3, crs=2154,
    )  # fmt: skip
    assets = network.assets.assign(capafo=np.where(network.assets["code"] == "DI1", 72.0, 12.0))
    exposure = pd.DataFrame(
        [("Q20", 20.0, "LN1", 0.0), ("Q20", 20.0, "LP1", 0.4), ("Q100", 100.0, "LN1", 0.2),
         ("Q100", 100.0, "LN2", np.nan), ("Q100", 100.0, "LP1", 1.0)],
        columns=["scenario", "return_period", "code", "intensity_max"],
    ).assign(hazard="crue")  # fmt: skip
    listed = pd.DataFrame({"prises_cut": [2000, 400, 350, 12], "protected": [False, True, False, False]})
    loss = pd.DataFrame(
        {"origin": ["event", "rate"], "cause": ["crue", "nro_fire"], "prises_h_per_year_low": [1.0, 2.0],
         "prises_h_per_year_central": [10.0, 20.0], "prises_h_per_year_high": [100.0, 200.0]}
    )  # fmt: skip
    plan = SimpleNamespace(
        summary={"loss_after": {"central": 12.0}, "avoided": {"central": 18.0}, "spent_eur": 900.0},
        causes=pd.DataFrame({"cause": ["nro_fire"], "prises_h_per_year_after": [9.0]}),
    )
    events = tuple(HazardEvent(years, Path("x.tif")) for years in (20.0, 100.0))
    return SimpleNamespace(
        routes=routes,
        network=replace(network, assets=assets, lines=lines),
        listed=listed,
        loops=pd.DataFrame({"k_srlg": pd.array([2, 1, None], "Int64"), "is_false": [False, True, False]}),
        exposure=exposure.assign(asset=exposure["code"].map(number)),
        study=SimpleNamespace(hazards=(Hazard("crue", "flood_depth", "m", "valid", events),)),
        tables={
            "equipements": pd.DataFrame(
                {"kind": "local", "code": ["LN1", "LN2", "LP1"], "autonomie_h": [4.0, 2.0, 9.0]}
            )
        },
        loss=loss,
        plan=plan,
    )


def test_each_indicator_by_hand(results: Any) -> None:
    table = indicators(results, BEHIND).set_index("code")
    assert table["value"].to_dict() == {
        "prises_inventoriees": 25.0,
        "prises_tracees": 22.0,
        "perte_unique_max": 2000.0,
        "objets_non_proteges_300": 2.0,
        "objets_non_proteges_1000": 1.0,
        "objets_non_proteges_5000": 0.0,
        "prises_derriere_objet_300": 12.0,
        "part_prises_derriere_objet_300": 0.6,
        "prises_derriere_objet_1000": 0.0,
        "part_prises_derriere_objet_1000": 0.0,
        "part_nro_deux_chemins": 0.5,  # of the two that are judged
        "fausses_boucles": 1.0,
        "km_aerien": 2.0,
        "km_aerien_48fo": 0.5,  # DI1 lies in W2
        "nro_inondes:crue:Q20": 0.0,
        "pm_inondes:crue:Q20": 1.0,
        "nro_inondes:crue:Q100": 1.0,  # LN2 is not mapped, and not counted
        "pm_inondes:crue:Q100": 1.0,
        "nro_autonomes": 1.0,
        "perte_annuelle_low": 3.0,
        "perte_annuelle_central": 30.0,
        "perte_annuelle_high": 300.0,
        "perte:crue": 10.0,
        "perte:nro_fire": 20.0,
        "perte_apres_plan": 12.0,
        "perte_apres_plan:nro_fire": 9.0,
        "cout_prise_h_evitee": 50.0,
    }
    assert table.index.is_unique
    assert table.loc["nro_autonomes", "scope"] == "2 NRO renseignés"


def test_what_a_study_has_not_gives_no_row_and_what_cannot_be_judged_no_number(results: Any) -> None:
    bare = SimpleNamespace(**{**vars(results), "exposure": None, "plan": None, "tables": {}})
    bare.loops = results.loops.iloc[2:]
    table = indicators(bare, BEHIND).set_index("code")["value"]
    assert math.isnan(table["part_nro_deux_chemins"])
    assert math.isnan(table["fausses_boucles"])
    assert not any(code.startswith(("nro_", "pm_", "perte_apres", "cout")) for code in table.index)
