"""How long crews drive by road, and what no open road reaches.

The roads of a study become one sparse graph: crossroads are the vertices that lines share, whatever the
layer (BD TOPO is cut there, OpenStreetMap is not). Hours from every depot to every asset are one run of
Dijkstra from the distinct depots (`scipy.sparse.csgraph`), not one a crew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from resilience.exposure.layers import read_layers
from resilience.exposure.measuring import measure
from resilience.exposure.types import Places
from resilience.hazards import Hazard
from resilience.parameters import Level, Parameters
from resilience.roads import END_PRECISION_M, directions, is_driven
from resilience.scenarios import Scenario
from resilience.sections import StudyError, near_name

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Reach:
    """What roads say of depots and assets.

    Attributes
    ----------
    hours : (n_depots, n_spots) float64
        inf where no open road leads, or where an end stands too far from any; 0 where an end has no place.
    depot_off, spot_off : bool arrays
        Too far from any open road.
    """

    hours: Float
    depot_off: Bool
    spot_off: Bool


def access_hours(
    roads: gpd.GeoDataFrame,
    depots: Float,
    spots: Float,
    *,
    hours_per_m: float,
    reach_m: float,
    closed: Bool | None = None,
) -> Reach:
    """Give the hours by road from each depot to each asset.

    Parameters
    ----------
    roads : GeoDataFrame
        Lines in metres, in the CRS of the network, with the columns highway and oneway where there are; crews
        keep to what is driven (`resilience.roads.is_driven`).
    depots, spots : (n, 2) float64
        x, y; NaN without a place.
    hours_per_m : float
        Of road, and of the way between the road and the depot or asset.
    reach_m : float
        A depot or an asset farther than that from any open road is not reached.
    closed : (n_roads,) bool, optional
        Roads that cannot be driven.

    Raises
    ------
    SourceError
        When a value of oneway is not understood.

    Examples
    --------
    >>> road = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1000, 0)])], crs=2154)
    >>> ends = np.array([[0.0, 0.0], [1000.0, 30.0]])
    >>> access_hours(road, ends[:1], ends[1:], hours_per_m=1 / 40_000, reach_m=100).hours
    array([[0.02575]])
    """
    usable = roads[is_driven(roads) if closed is None else is_driven(roads) & ~closed]
    ends = np.concatenate([depots, spots])
    is_placed = ~np.isnan(ends).any(axis=1)
    hours = np.zeros((len(depots), len(spots)))
    off = is_placed.copy()
    if len(usable) and is_placed.any():
        place, way, row = _vertices(usable)
        tree = KDTree(place)
        gap_m, near = map(np.asarray, tree.query(ends[is_placed], distance_upper_bound=reach_m))
        found = near < len(place)
        off[is_placed] = ~found
        vertex = np.full(len(ends), -1)
        vertex[np.flatnonzero(is_placed)[found]] = near[found]
        to_road_m = np.zeros(len(ends))
        to_road_m[np.flatnonzero(is_placed)[found]] = gap_m[found]
        graph, node = _graph(place, way, row, directions(usable), np.unique(vertex[vertex >= 0]))
        at = np.where(vertex >= 0, node[vertex], -1)
        start, run = np.unique(at[: len(depots)], return_inverse=True)
        metres = np.full((len(start), graph.shape[0] + 1), np.inf)  # the last column: no vertex
        metres[start >= 0, :-1] = dijkstra(graph, indices=start[start >= 0])
        road_m = metres[run][:, at[len(depots) :]]
        hours = (road_m + to_road_m[: len(depots), None] + to_road_m[None, len(depots) :]) * hours_per_m
    hours[~is_placed[: len(depots)], :] = 0.0
    hours[:, ~is_placed[len(depots) :]] = 0.0
    hours[off[: len(depots)], :] = np.inf
    hours[:, off[len(depots) :]] = np.inf
    return Reach(hours, off[: len(depots)], off[len(depots) :])


def roads_to_works(
    scenario: Scenario,
    tasks: pd.DataFrame,
    crews: pd.DataFrame | None,
    roads: pd.DataFrame | None,
    hazards: Sequence[Hazard],
    parameters: Parameters,
) -> tuple[pd.DataFrame, Float | None]:
    """Give the tasks, and the hours by road from the depot of each crew to each of them.

    What only closed roads reach waits until they open; it is driven to by the roads of any day, all else by
    those that stay open.

    Returns
    -------
    tasks : DataFrame
        With a later ready_h and open_h where roads are closed.
    access_h : (n_crews, n_tasks) float64 or None
        inf where no road leads; None without roads or with crews without limit.

    Raises
    ------
    StudyError
        A depot that no road reaches, an event that does not exist, closed roads without a table of roads.
    """
    if scenario.closed_roads is not None and roads is None:
        raise StudyError(f"scenarios.{scenario.name}.closed_roads: name the roads in [tables] routes")
    if crews is None or not isinstance(roads, gpd.GeoDataFrame):
        return tasks, None
    level = scenario.level
    depots, spots = (frame[["x", "y"]].to_numpy(np.float64) for frame in (crews, tasks))
    hours_per_m = 1e-3 / parameters.at("crisis.road_kmh", level)
    reach_m = parameters.at("crisis.road_reach_m", level)
    any_day = access_hours(roads, depots, spots, hours_per_m=hours_per_m, reach_m=reach_m)
    if any_day.depot_off.any():
        x, y = depots[int(np.argmax(any_day.depot_off))]
        raise StudyError(
            f"ressources: no road of [tables] routes within {reach_m:g} m of the depot at {x:.0f}, {y:.0f};"
            " check its coordinates, or give roads that reach it"
        )
    if scenario.closed_roads is None:
        return tasks, any_day.hours
    depth_m = parameters.at("crisis.road_closed.depth_m", level)
    hazard, event = _event_named(scenario, hazards)
    closed = flooded_roads(roads, hazard, event, level=level, depth_m=depth_m)
    still = access_hours(roads, depots, spots, hours_per_m=hours_per_m, reach_m=reach_m, closed=closed)
    until_h = scenario.closed_roads.until_h
    if until_h is None:
        return tasks, still.hours
    waits = np.asarray(np.isinf(still.hours).all(axis=0), np.bool_)
    opens_h = np.where(waits, until_h, 0.0)
    later = tasks.assign(
        ready_h=np.maximum(tasks["ready_h"], opens_h), open_h=np.maximum(tasks["open_h"], opens_h)
    )
    return later, np.where(waits, any_day.hours, still.hours)


def _event_named(scenario: Scenario, hazards: Sequence[Hazard]) -> tuple[Hazard, str]:
    assert scenario.closed_roads is not None
    name, event = scenario.closed_roads.hazard, scenario.closed_roads.event
    where = f"scenarios.{scenario.name}.closed_roads"
    found = [hazard for hazard in hazards if hazard.name == name and hazard.kind == "flood_depth"]
    if not found:
        known = [hazard.name for hazard in hazards if hazard.kind == "flood_depth"]
        raise StudyError(f"{where}: no hazard {name!r} of depths of water; {near_name(name, known)}")
    events = [one.scenario for one in found[0].events]
    if event not in events:
        raise StudyError(f"{where}: no event {event!r} of {name!r}; {near_name(event, events)}")
    return found[0], event


def flooded_roads(
    roads: gpd.GeoDataFrame, hazard: Hazard, event: str, *, level: Level, depth_m: float
) -> Bool:
    """Tell which roads stand under more than `depth_m` of water somewhere in an event, (n_roads,) bool.

    Parameters
    ----------
    roads : GeoDataFrame
    hazard : Hazard
        Of depths of water; `event` is one of its scenarios.
    level : {"low", "central", "high"}
    """
    lines = shapely.force_2d(roads.geometry.to_numpy())
    none = np.full(0, None, dtype=object)
    places = Places(none, lines, pyproj.CRS.from_user_input(roads.crs))
    layers = read_layers([hazard], places.crs, bounds=roads.total_bounds)
    told = measure(places, hazard, layers, level=level, wet_from_m=0.0)
    (measured,) = [one for one in told if one.event.scenario == event]
    return np.nan_to_num(measured.line, nan=0.0) > depth_m


def _vertices(roads: gpd.GeoDataFrame) -> tuple[Float, Index, Index]:
    """Give the distinct vertices, and for each vertex along the lines its place and the row of its line."""
    parts, row = shapely.get_parts(roads.geometry.to_numpy(), return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    cell = np.round(xy / END_PRECISION_M).astype(np.int64)
    origin = cell.min(axis=0)
    # one number a place: a country is less than 2^32 centimetres wide
    key, place = np.unique(((cell - origin)[:, 0] << 32) | (cell - origin)[:, 1], return_inverse=True)
    places = np.column_stack([key >> 32, key & 0xFFFFFFFF]) + origin
    # parts are told apart by their number, rows are looked up through it
    return places * END_PRECISION_M, np.stack([place, part]), row


def _graph(
    places: Float, way: Index, row: Index, direction: NDArray[np.int64], wanted: Index
) -> tuple[csr_array, Index]:
    """Join crossroads, ends of lines and wanted vertices by the shortest piece of road between neighbours.

    Returns
    -------
    graph : csr_array
        Metres, by node, one way each.
    node : (n_places,) int
        Node of each vertex, -1 for those along a road.
    """
    place, part = way
    first = np.r_[True, part[1:] != part[:-1]]
    last = np.r_[first[1:], True]
    times = np.bincount(place, minlength=len(places))
    is_node = first | last | (times[place] > 1) | np.isin(place, wanted)
    step = np.hypot(*np.diff(places[place], axis=0, prepend=places[place[:1]]).T)
    along = np.cumsum(np.where(first, 0.0, step))
    stop = np.flatnonzero(is_node)
    begin, end = stop[:-1], stop[1:]
    same = part[begin] == part[end]
    begin, end = begin[same], end[same]
    number = np.full(len(places), -1)
    nodes = np.unique(place[stop])
    number[nodes] = np.arange(len(nodes))
    tail, head, metres = number[place[begin]], number[place[end]], along[end] - along[begin]
    driven = direction[row[part[begin]]]
    forth, back = driven >= 0, driven <= 0
    pairs = (
        np.r_[tail[forth], head[back]], np.r_[head[forth], tail[back]], np.r_[metres[forth], metres[back]]
    )  # fmt: skip
    order = np.lexsort((pairs[2], pairs[1], pairs[0]))
    u, v, length = (one[order] for one in pairs)
    shortest = np.r_[True, (u[1:] != u[:-1]) | (v[1:] != v[:-1])] if len(u) else np.zeros(0, np.bool_)
    # csgraph takes a stored 0 for no edge
    length = np.maximum(length[shortest], END_PRECISION_M / 1e3)
    n = len(nodes)
    return csr_array((length, (u[shortest], v[shortest])), shape=(n, n)), number
