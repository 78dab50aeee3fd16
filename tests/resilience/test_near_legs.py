"""Legs that run near each other: drawn by hand, and against points walked along the first leg."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.network import build_network
from gracethd.network.types import Network
from gracethd.routes import trace_routes
from gracethd.routes.types import Routes
from resilience.near_legs import near_legs
from resilience.parameters import Parameters, default_parameters, replace_parameters
from tests.draws import draws
from tests.networks import cable, draw, nro, pbo, pm, prises, way
from tests.resilience.small_network import small_network


def near(distance_m: float, length_m: float) -> Parameters:
    """Give the shipped parameters but for these two, as a study would."""
    values = {"loop.near_legs.distance_m": distance_m, "loop.near_legs.length_m": length_m}
    changes = {
        name: {"low": value, "central": value, "high": value, "source": "test"}
        for name, value in values.items()
    }
    return replace_parameters(default_parameters(), changes)


def with_legs(first: shapely.LineString, second: shapely.LineString) -> tuple[Network, Routes]:
    """Lay the two legs of the loop of LN1 along these lines."""
    network, routes = small_network()
    shapes, assets = {"WC1": first, "WC2": second}, network.assets.copy()
    assets["geometry"] = [
        shapes.get(code, g) for code, g in zip(assets["code"], assets.geometry, strict=True)
    ]
    return replace(network, assets=assets), routes


def parallel(apart: float, metres: float) -> tuple[Network, Routes]:
    """Lay the second leg beside the first for some metres, far from it elsewhere."""
    points = [(0, 500), (300, 500), (300, apart), (300 + metres, apart), (300 + metres, 500), (1000, 500)]
    return with_legs(shapely.LineString([(0, 0), (1000, 0)]), shapely.LineString(points))


def test_legs_near_each_other_are_listed_apart_from_shared_risks() -> None:
    found = near_legs(*parallel(12.0, 250.0))
    assert found[["nature", "code", "stretch", "ways_a", "ways_b"]].to_numpy().tolist() == [
        ["NRO", "LN1", 1, "WC1", "WC2"]
    ]
    # beside the 250 m, what lies within 20 m of the two corners: sqrt(20^2 - 12^2) = 16 m at each
    assert found["length_m"].iloc[0] == pytest.approx(250 + 2 * 16, abs=0.2)
    assert found["distance_m"].tolist() == pytest.approx([12.0])
    assert near_legs(*parallel(25.0, 250.0)).empty
    assert near_legs(*parallel(12.0, 50.0)).empty


def test_the_thresholds_are_parameters_of_a_study() -> None:
    assert len(near_legs(*parallel(12.0, 50.0), near(20.0, 50.0))) == 1
    assert len(near_legs(*parallel(25.0, 250.0), near(30.0, 100.0))) == 1
    assert near_legs(*parallel(12.0, 250.0), near(10.0, 100.0)).empty


def test_a_way_that_both_legs_share_is_no_near_leg() -> None:
    network, routes = parallel(12.0, 250.0)
    second, way_of_first = (
        int(network.assets.index[network.assets["code"] == code][0]) for code in ("CO2", "WC1")
    )
    uses = network.uses.copy()
    uses.loc[uses["carried"] == second, "carrier"] = way_of_first
    assert near_legs(replace(network, uses=uses), routes).empty


def test_the_legs_of_a_pm_are_judged_too() -> None:
    """Two transport cables to one PM: 400 m beside each other, 10 m apart."""
    at = {"N0": (0.0, 0.0), "N1": (1000.0, 0.0), "N2": (1100.0, 0.0)}
    beside = [(0, 0), (0, 300), (200, 300), (200, 10), (600, 10), (600, 300), (1000, 300), (1000, 0)]
    lines = {"TR1": [at["N0"], at["N1"]], "TR2": [(float(x), float(y)) for x, y in beside]}
    inventory = draw(
        nro("R0", "N0"), pm("R1", "N1"), pbo("B1", "N2"), prises("B1", "L1"),
        *(cable(code, "N0", "N1", "TR", line=line) for code, line in lines.items()),
        *(way(f"W{code}", "N0", "N1", code, line=line) for code, line in lines.items()),
        cable("DI1", "N1", "N2", "DI"), at=at,
    )  # fmt: skip
    network = build_network(inventory)
    found = near_legs(network, trace_routes(inventory, network))
    assert found[["nature", "code", "ways_a", "ways_b"]].to_numpy().tolist() == [["PM", "R1", "WTR1", "WTR2"]]
    assert found["length_m"].tolist() == pytest.approx([400 + 2 * np.sqrt(20**2 - 10**2)], abs=0.2)


POINTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=5, unique=True)


@settings(max_examples=draws(10))
@given(POINTS, POINTS)
def test_what_is_near_is_what_a_walk_along_the_first_leg_finds_near(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    one, two = (shapely.LineString([(10 * x, 10 * y) for x, y in points]) for points in (first, second))
    found = near_legs(*with_legs(one, two), near(20.0, 0.001))
    step = 0.25
    pieces = shapely.get_parts(shapely.union_all(np.array([one])))
    walked = np.concatenate(
        [shapely.line_interpolate_point(piece, np.arange(0.0, piece.length, step)) for piece in pieces]
    )
    away = shapely.distance(walked, two)
    # a point at 20 m exactly is neither: walked a little nearer and a little farther
    least, most = (step * int((away <= 20.0 + slack).sum()) for slack in (-0.1, 0.1))
    ends = 2 * step * (len(pieces) + len(found))
    assert least - ends <= found["length_m"].sum() <= most + ends
    if len(found):
        assert found["distance_m"].min() == pytest.approx(shapely.distance(one, two), abs=1e-6)
