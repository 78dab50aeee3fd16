"""Rates without a map: which bearer takes which mechanism, and how often."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gracethd.network import Network
from resilience.losses import index_graph
from resilience.parameters import LEVELS, Level, Parameters, default_parameters, replace_parameters
from resilience.rates import annual_rates, rates_loss, rooms
from tests.resilience.service_graphs import service_graph

ASSETS = [
    # kind, code, nature, nd_code
    ("cable", "CB1", "", ""),
    ("cheminement", "CM1", "", ""),
    ("cheminement", "CM2", "", ""),
    ("local", "LT1", "NRO", "ND1"),
    ("local", "LT2", "PM", "ND2"),
    ("local", "LT3", "PM", "ND1"),
    ("local", "LT4", "", "ND3"),
    ("local", "LT5", "NRO", ""),
    ("local", "LT6", "PM", ""),
    ("site", "ST1", "NRO", "ND1"),
    ("site", "ST2", "PM", "ND2"),
    ("site", "ST3", "PM", "ND4"),
    ("site", "ST4", "NRO", "ND5"),
    ("site", "ST5", "PM", ""),
]
LINES = [
    # asset, typ_imp, length_m
    (1, "7", 600.0),
    (1, "7", 400.0),
    (2, "0", 2000.0),
    (0, "", 500.0),
    (0, "7", 250.0),
]


def network(lines: list[tuple[int, str, float]] = LINES) -> Network:
    """Make a network: NRO at ND1 with PM room LT3 inside, cabinet at ND2, sites at ND4, ND5 without room."""
    assets = pd.DataFrame(ASSETS, columns=["kind", "code", "nature", "nd_code"])
    table = pd.DataFrame(lines, columns=["asset", "typ_imp", "length_m"]).astype({"asset": np.int32})
    nothing = pd.DataFrame()
    frames = [gpd.GeoDataFrame(frame, geometry=[None] * len(frame), crs=2154) for frame in (assets, table)]
    return Network(
        assets=frames[0], lines=frames[1], ends=nothing, stops=nothing, sections=nothing,
        uses=nothing, links=nothing, findings=nothing,
    )  # fmt: skip


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return default_parameters()


def by_asset(rates: pd.DataFrame) -> dict[tuple[str, str], float]:
    codes = [ASSETS[asset][1] for asset in rates["asset"]]
    return dict(zip(zip(codes, rates["mechanism"], strict=True), rates["rate_per_year"], strict=True))


def test_each_bearer_takes_its_mechanism(parameters: Parameters) -> None:
    """Central rates a year: dig-up 2.13 and aerial 4.5 per 1000 km, PM 0.0035, NRO 0.001."""
    rates = annual_rates(network(), parameters, "central")
    assert by_asset(rates) == pytest.approx(
        {
            ("CB1", "aerial_cut"): 0.5 * 0.0045,  # unknown mounting: the worse of the two
            ("CB1", "dig_up"): 0.25 * 0.00213,
            ("CM1", "dig_up"): 1.0 * 0.00213,
            ("CM2", "aerial_cut"): 2.0 * 0.0045,
            ("LT1", "nro_fire"): 0.001,
            ("LT2", "pm_destroyed"): 0.0035,  # LT3 is inside the NRO: no cabinet
            ("LT5", "nro_fire"): 0.001,
            ("LT6", "pm_destroyed"): 0.0035,  # no place: nothing says that it is inside LT5
            ("ST3", "pm_destroyed"): 0.0035,  # no room recorded there
            ("ST4", "nro_fire"): 0.001,
            ("ST5", "pm_destroyed"): 0.0035,
        }
    )
    assert rates.loc[rates.is_assumed, ["asset", "length_m"]].to_numpy().tolist() == [[0, 500]]
    assert rates.set_index("mechanism").repair_h.to_dict() == {
        "aerial_cut": 8, "dig_up": 12, "nro_fire": 72, "pm_destroyed": 168,
    }  # fmt: skip
    assert rates.asset.dtype == np.int32
    assert rates.equals(rates.sort_values(["asset", "mechanism"]))


@pytest.mark.parametrize(
    ("typ_imp", "mechanism", "is_assumed"),
    [
        *((code, "aerial_cut", False) for code in "012"),
        *((code, "dig_up", False) for code in "45678"),
        *((code, "aerial_cut", True) for code in ("", "9", "A3")),
    ],
)
def test_mountings(parameters: Parameters, typ_imp: str, mechanism: str, *, is_assumed: bool) -> None:
    rates = annual_rates(network([(1, typ_imp, 1000.0)]), parameters, "central")
    line = rates[rates.length_m > 0]
    assert line[["mechanism", "is_assumed"]].to_numpy().tolist() == [[mechanism, is_assumed]]


def test_inside_a_building_neither_rate_applies(parameters: Parameters) -> None:
    rates = annual_rates(network([(1, "3", 1000.0)]), parameters, "central")
    assert (rates.length_m == 0).all()


@pytest.mark.parametrize("level", LEVELS)
def test_unknown_mounting_is_never_the_milder_one(parameters: Parameters, level: Level) -> None:
    """It costs the larger of buried and aerial, also where a study makes the ground the more dangerous."""
    digging = {"low": 0.1, "central": 0.2, "high": 0.3, "source": "assumption"}
    for chosen in (parameters, replace_parameters(parameters, {"way.dig_up.rate_per_km_year": digging})):
        hours = []
        for typ_imp in ("", "0", "7"):
            rates = annual_rates(network([(1, typ_imp, 1000.0)]), chosen, level)
            hours.append((rates.rate_per_year * rates.repair_h)[rates.length_m > 0].sum())
        assert hours[0] == max(hours[1:])


def test_cutting_a_line_in_pieces_changes_nothing(parameters: Parameters) -> None:
    whole = annual_rates(network([(1, "7", 1000.0)]), parameters, "central")
    pieces = annual_rates(network([(1, "7", 125.0)] * 8), parameters, "central")
    pd.testing.assert_frame_equal(whole, pieces)


def test_order_of_lines_changes_nothing_and_inputs_stay(parameters: Parameters) -> None:
    drawn = network()
    kept = drawn.lines.copy()
    expected = annual_rates(drawn, parameters, "high")
    pd.testing.assert_frame_equal(annual_rates(network(LINES[::-1]), parameters, "high"), expected)
    pd.testing.assert_frame_equal(drawn.lines, kept)


def test_cuts_a_year_of_the_real_network(parameters: Parameters) -> None:
    """2.13 cuts per 1000 km and year on about 24,500 km are about 52 cuts a year."""
    rates = annual_rates(network([(1, "7", 24_500_000.0)]), parameters, "central")
    assert rates.rate_per_year[rates.mechanism == "dig_up"].sum() == pytest.approx(52, abs=0.5)


def test_levels_are_ordered(parameters: Parameters) -> None:
    hours = [annual_rates(network(), parameters, level) for level in LEVELS]
    cost = [(rates.rate_per_year * rates.repair_h).to_numpy() for rates in hours]
    assert (cost[0] < cost[1]).all()
    assert (cost[1] < cost[2]).all()


def test_rooms_are_sites_only_where_no_room_is_recorded() -> None:
    assets = network().assets
    assert assets.code[rooms(assets, "NRO")].tolist() == ["LT1", "LT5", "ST4"]
    assert assets.code[rooms(assets, "PM")].tolist() == ["LT2", "LT3", "LT6", "ST3", "ST5"]


def test_losses_of_rates_add_exactly(parameters: Parameters) -> None:
    """Root --CM1-- NRO(LT1) --CM2-- V(50 prises): each rate x 50 prises x its repair time."""
    graph = service_graph(
        [(0, 1), (1, 2)],
        [0, 0, 50],
        n_assets=len(ASSETS),
        vertex_links=[(3, 1)],
        edge_links=[(1, 0), (2, 1)],
    )
    rates = annual_rates(network(), parameters, "central")
    got = rates_loss(index_graph(graph, graph.prises), rates).set_index("mechanism").prises_h_per_year
    expected = {
        "aerial_cut": 2.0 * 0.0045 * 50 * 8,
        "dig_up": 1.0 * 0.00213 * 50 * 12,
        "nro_fire": 0.001 * 50 * 72,
        "pm_destroyed": 0.0,
    }
    assert got.to_dict() == pytest.approx(expected)
