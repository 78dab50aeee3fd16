"""Roads to the works: hours against networkx on drawn layers, and by hand where the water closes one."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience.crisis.access import access_hours, roads_to_works
from resilience.hazards import Hazard
from resilience.parameters import default_parameters
from resilience.scenarios import ClosedRoads, Scenario
from resilience.sections import StudyError
from tests.draws import draws

points = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda p: (p[0] * 100.0, p[1] * 100.0))
lines = st.lists(points, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)
layers = st.lists(st.tuples(lines, st.sampled_from(["", "yes", "-1"])), min_size=1, max_size=8)


def layer(rows: list[tuple[list[tuple[float, float]], str]]) -> gpd.GeoDataFrame:
    shapes = [shapely.LineString(line) for line, _ in rows]
    return gpd.GeoDataFrame({"oneway": [way for _, way in rows]}, geometry=shapes, crs=2154)


def hours_by_networkx(
    rows: list[tuple[list[tuple[float, float]], str]], start: object, goal: object
) -> float:
    """Join every vertex of every line, and search from one place to the other."""
    graph = nx.MultiDiGraph()
    for line, way in rows:
        for a, b in pairwise(line):
            for one, other, driven in ((a, b, way != "-1"), (b, a, way != "yes")):
                if driven:
                    graph.add_edge(one, other, metres=float(np.hypot(a[0] - b[0], a[1] - b[1])))
    try:
        return float(nx.dijkstra_path_length(graph, start, goal, weight="metres"))
    except (nx.NetworkXNoPath, nx.NodeNotFound):
        return np.inf


@settings(max_examples=draws(80), deadline=None)
@given(layers, st.lists(st.integers(0, 31), min_size=1, max_size=3), st.lists(st.integers(0, 31), max_size=4))
def test_hours_are_those_of_a_search_from_each_crew(
    rows: list[tuple[list[tuple[float, float]], str]], crews: list[int], works: list[int]
) -> None:
    vertices = [point for line, _ in rows for point in line]
    starts, goals = ([vertices[i % len(vertices)] for i in which] for which in (crews, works))
    told = access_hours(
        layer(rows), np.array(starts), np.array(goals).reshape(-1, 2), hours_per_m=1.0, reach_m=1.0
    )
    judged = [[hours_by_networkx(rows, start, goal) for goal in goals] for start in starts]
    assert told.hours == pytest.approx(np.array(judged).reshape(len(starts), len(goals)), abs=1e-3)


def test_ends_away_from_roads_walk_to_them_or_are_not_reached() -> None:
    roads = layer([([(0, 0), (1000, 0)], "")])
    depots = np.array([[0.0, 0.0], [np.nan, np.nan]])
    spots = np.array([[1000.0, 30.0], [1000.0, 300.0], [np.nan, np.nan]])
    told = access_hours(roads, depots, spots, hours_per_m=1.0, reach_m=100.0)
    assert told.hours.tolist() == [[1030, np.inf, 0], [0, np.inf, 0]]
    assert told.spot_off.tolist() == [False, True, False]


# depot at 0,0; work at 1000,0: the short road crosses the water at 500,0, the long one goes by 0,2000
SHORT, LONG = [(0.0, 0.0), (1000.0, 0.0)], [(0.0, 0.0), (0.0, 2000.0), (1000.0, 2000.0), (1000.0, 0.0)]


@pytest.fixture
def flood(tmp_path: Path) -> Hazard:
    """Write 0.4 m of water over 400..600, -100..100, dry elsewhere."""
    depth = np.zeros((26, 12), np.float32)
    depth[22:24, 5:7] = 0.4
    place = rasterio.transform.from_origin(-100, 2300, 100, 100)
    with rasterio.open(
        tmp_path / "q.tif", "w", driver="GTiff", width=12, height=26, count=1, dtype="float32",
        crs="EPSG:2154", transform=place,
    ) as target:  # fmt: skip
        target.write(depth, 1)
    (tmp_path / "a.zip").touch()
    text = 'inventory = ["a.zip"]\n[[hazards]]\nname = "crue"\nkind = "flood_depth"\nunit = "m"\n'
    text += 'coverage = "extent"\nevents = [{return_period = 100, path = "q.tif"}]\n'
    (tmp_path / "etude.toml").write_text(text, encoding="utf-8")
    from resilience.study import load_study

    (hazard,) = load_study(tmp_path / "etude.toml").hazards
    return hazard


CREW = pd.DataFrame({"crew": [1], "skill": [""], "x": [0.0], "y": [0.0], "from_h": [0.0]})
TASK = pd.DataFrame({"x": [1000.0], "y": [0.0], "ready_h": [2.0], "open_h": [0.0]})


@pytest.mark.parametrize(
    ("ways", "closed", "km", "ready_h"),
    [
        ([SHORT, LONG], None, 1, 2),
        ([SHORT, LONG], ClosedRoads("crue", "Q100", 30.0), 5, 2),  # by the detour
        ([SHORT], ClosedRoads("crue", "Q100", 30.0), 1, 30),  # once the water is gone
        ([SHORT], ClosedRoads("crue", "Q100"), np.inf, 2),
    ],
)
def test_water_closes_roads(
    flood: Hazard,
    ways: list[list[tuple[float, float]]],
    closed: ClosedRoads | None,
    km: float,
    ready_h: float,
) -> None:
    scenario = Scenario("x", "x", closed_roads=closed)
    roads = layer([(way, "") for way in ways])
    tasks, hours = roads_to_works(scenario, TASK, CREW, roads, [flood], default_parameters())
    assert hours == pytest.approx(np.array([[km / 40]]))  # at 40 km/h
    assert tasks["ready_h"].tolist() == [ready_h]


def test_what_roads_cannot_say_is_refused(flood: Hazard) -> None:
    roads, parameters = layer([(SHORT, "")]), default_parameters()
    far = CREW.assign(x=50_000.0)
    with pytest.raises(StudyError, match=r"no road of .* within 1000 m of the depot at 50000, 0"):
        roads_to_works(Scenario("x", "x"), TASK, far, roads, [flood], parameters)
    wrong = Scenario("x", "x", closed_roads=ClosedRoads("crue", "Q10"))
    with pytest.raises(StudyError, match=r"scenarios.x.closed_roads: no event 'Q10'.*did you mean 'Q100'"):
        roads_to_works(wrong, TASK, CREW, roads, [flood], parameters)
    other = replace(wrong, closed_roads=ClosedRoads("crues", "Q100"))
    with pytest.raises(StudyError, match="no hazard 'crues' of depths"):
        roads_to_works(other, TASK, CREW, roads, [flood], parameters)
    with pytest.raises(StudyError, match="name the roads in"):
        roads_to_works(wrong, TASK, CREW, None, [flood], parameters)
