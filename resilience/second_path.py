"""A second path on the ground between two places, away from the first one and from the water.

For the measures that close a loop. Ducts that exist come first because they are cheaper, then trenches along
roads; metres beside the first path or under water are avoided as long as a detour exists, and told when not.
"""

import heapq
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.compiled import compiled
from resilience.ground import EVENT, NATURES, Float, Ground, Index, Nature, Shapes
from resilience.parameters import Level, Parameters

Bool = NDArray[np.bool_]

ACCESS_M = 500.0  # the way out of a building or cabinet is counted as a trench, up to this far from a road


@dataclass(frozen=True)
class SecondPath:
    """A path between two places.

    Attributes
    ----------
    geometry : LineString or MultiLineString
    length_m : mapping of Nature to float
        All natures, 0 where none.
    ways : (n,) int32
        Assets of the existing ways whose ducts are used, by number.
    beside : (n,) int32
        Ways of the first path along which this one runs within the corridor, not merely crosses: there
        both share one fate.
    beside_m : float
        Metres within the corridor of the first path, crossings included.
    wet : DataFrame
        hazard, scenario, return_period, wet_m: metres of new trench under water, event by event.
    """

    geometry: shapely.LineString | shapely.MultiLineString
    length_m: dict[Nature, float]
    ways: NDArray[np.int32]
    beside: NDArray[np.int32]
    beside_m: float
    wet: pd.DataFrame


@dataclass(frozen=True)
class FirstPath:
    """What a second path is to stay away from.

    Attributes
    ----------
    ways : (n,) int32
        Ways of the first path, as assets.
    shapes : (n,) LineString
        Where they run.
    neighbours : (m,) int32
        Other ways that share a chamber, pole or site with the first path.
    """

    ways: NDArray[np.int32]
    shapes: Shapes
    neighbours: NDArray[np.int32]


def second_path(
    ground: Ground, start: shapely.Point, end: shapely.Point, first: FirstPath, parameters: Parameters
) -> SecondPath | None:
    """Find the cheapest path between two places that stays away from the first one and from the water.

    The search minimises central prices, in which a metre beside the first path, under water or in a duct
    that shares a place with the first path counts ``measure.second_path.avoid_factor`` times. Ducts of the
    first path itself are never taken. The price of what is found has no such factor: see `eur_per_m`.

    Parameters
    ----------
    ground : Ground
        From `resilience.ground.build_ground`.
    start, end : Point
        In the CRS of the ground. Each enters it at the nearest duct or road, within `ACCESS_M`.
    first : FirstPath
    parameters : Parameters
        Those of ``parameters/costs.csv``.

    Returns
    -------
    SecondPath or None
        None where no duct or road leads from one to the other, or where they are one place.
    """
    corridor_m = parameters.at("measure.second_path.corridor_m", "central")
    prices = eur_per_m(parameters, "central")
    weight = _weights(ground, first, parameters) * np.array([prices[name] for name in NATURES])[ground.nature]
    is_open = (ground.asset < 0) | ~np.isin(ground.asset, first.ways)
    if start.distance(end) == 0:
        return None
    found = cheapest_path(ground, weight, is_open, start, end, access_eur_per_m=prices["chaussee"])
    return None if found is None else _described(ground, *found, first, corridor_m)


def eur_per_m(parameters: Parameters, level: Level) -> dict[Nature, float]:
    """Give what a metre of second path costs, cable and chambers included, by the nature of the ground."""
    cable = parameters.at("cost.cable_in_duct.eur_per_m", level)
    chambers = parameters.at("cost.chamber.eur", level) / parameters.at("cost.chamber_spacing_m", level)
    return {
        "fourreau": parameters.at("cost.loop_in_duct.eur_per_m", level),
        "accotement": parameters.at("cost.trench_verge.eur_per_m", level) + cable + chambers,
        "chaussee": parameters.at("cost.trench_road.eur_per_m", level) + cable + chambers,
        "centre": parameters.at("cost.trench_town.eur_per_m", level) + cable + chambers,
    }


def cheapest_path(
    ground: Ground,
    weight: Float,
    is_open: Bool,
    start: shapely.Point,
    end: shapely.Point,
    *,
    access_eur_per_m: float,
) -> tuple[Index, Shapes] | None:
    """Give the edges of the cheapest path, in order, and the lines that join its ends to the two places.

    Parameters
    ----------
    ground : Ground
    weight : (n_edges,) float64
        What taking each edge costs, not negative.
    is_open : (n_edges,) bool
        Edges that may be taken.
    start, end : Point
    access_eur_per_m : float
        What a metre between a place and its node costs, as the crow flies.

    Returns
    -------
    (edges, access) or None
        ``edges`` is int64, ``access`` holds up to two LineStrings, none where the place is a node. None
        where no path exists.
    """
    places = shapely.get_coordinates([start, end])
    entries = [_entries(ground, is_open, place) for place in places]
    access = [
        np.linalg.norm(ground.xy[nodes] - place, axis=1) * access_eur_per_m
        for nodes, place in zip(entries, places, strict=True)
    ]
    flown_m = np.linalg.norm(ground.xy[ground.tail] - ground.xy[ground.head], axis=1)
    able = is_open & (flown_m > 0)
    least = float((weight[able] / flown_m[able]).min(initial=access_eur_per_m))
    nodes, edges = _walk(
        ground.around, (weight, is_open), ground.xy,
        (entries[0], access[0]), (entries[1], access[1]), (places[1], least),
    )  # fmt: skip
    if not len(nodes):
        return None
    ends = np.stack([[places[0], ground.xy[nodes[0]]], [ground.xy[nodes[-1]], places[1]]])
    lines: Shapes = np.asarray(shapely.linestrings(ends), object)
    return edges, lines[np.asarray(shapely.length(lines)) > 0]


def _entries(ground: Ground, is_open: Bool, place: Float) -> Index:
    """Give the nearest end of a duct and the nearest point of a road, where they are within `ACCESS_M`."""
    ptr, _, edge = ground.around
    found: list[int] = []
    for holds, nodes, tree in ground.doors:
        usable = is_open & holds
        near = nodes[np.asarray(tree.query_ball_point(place, ACCESS_M), np.int64)]
        open_ = [node for node in near.tolist() if usable[edge[ptr[node] : ptr[node + 1]]].any()]
        if open_:
            distance = np.linalg.norm(ground.xy[open_] - place, axis=1)
            found.append(open_[int(np.argmin(distance))])
    return np.unique(np.array(found, np.int64))


@compiled
def _walk(
    around: tuple[Index, Index, Index],
    edges: tuple[Float, Bool],
    xy: Float,
    starts: tuple[Index, Float],
    ends: tuple[Index, Float],
    aim: tuple[Float, float],
) -> tuple[Index, Index]:
    """Give the nodes and the edges of the cheapest walk, both in order; none where there is no walk.

    A*: Hart, Nilsson, Raphael (1968). What is left costs at least its metres as the crow flies.
    """
    ptr, other, edge = around
    weight, is_open = edges
    place, least = aim
    cost = np.full(len(xy), np.inf)
    before, by = np.full(len(xy), -1), np.full(len(xy), -1)
    heap = [(0.0, 0)]
    heap.clear()
    for i in range(len(starts[0])):
        node = starts[0][i]
        cost[node] = min(cost[node], starts[1][i])
        heapq.heappush(
            heap, (cost[node] + least * np.hypot(xy[node, 0] - place[0], xy[node, 1] - place[1]), node)
        )
    best, last = np.inf, -1
    done = np.zeros(len(xy), np.bool_)
    while len(heap) > 0:
        estimate, node = heapq.heappop(heap)
        if estimate >= best:
            break
        if done[node]:
            continue
        done[node] = True
        for i in range(len(ends[0])):
            if ends[0][i] == node and cost[node] + ends[1][i] < best:
                best, last = cost[node] + ends[1][i], node
        for i in range(ptr[node], ptr[node + 1]):
            there, through = other[i], edge[i]
            if is_open[through] and cost[node] + weight[through] < cost[there]:
                cost[there] = cost[node] + weight[through]
                before[there], by[there] = node, through
                left = least * np.hypot(xy[there, 0] - place[0], xy[there, 1] - place[1])
                heapq.heappush(heap, (cost[there] + left, there))
    n, node = 0, last
    while node >= 0:
        n, node = n + 1, before[node]
    nodes, taken = np.empty(n, np.int64), np.empty(max(n - 1, 0), np.int64)
    node = last
    for i in range(n - 1, -1, -1):
        nodes[i] = node
        if i > 0:
            taken[i - 1] = by[node]
        node = before[node]
    return nodes, taken


def _weights(ground: Ground, first: FirstPath, parameters: Parameters) -> Float:
    """Count the metres of each edge, more than once those that are to be avoided."""
    corridor_m = parameters.at("measure.second_path.corridor_m", "central")
    factor = parameters.at("measure.second_path.avoid_factor", "central")
    counted = ground.length_m.copy()
    corridor = shapely.buffer(shapely.union_all(first.shapes), corridor_m)
    near = ground.tree.query(corridor, predicate="intersects")
    counted[near] += (factor - 1) * np.asarray(
        shapely.length(shapely.intersection(ground.shapes[near], corridor))
    )
    wet_m = ground.wet.groupby("edge")["wet_m"].max()
    counted[wet_m.index.to_numpy()] += (factor - 1) * wet_m.to_numpy(np.float64)
    counted[np.isin(ground.asset, first.neighbours) & (ground.asset >= 0)] *= factor
    return counted


def _described(
    ground: Ground, edges: Index, access: Shapes, first: FirstPath, corridor_m: float
) -> SecondPath:
    metres = np.bincount(ground.nature[edges], weights=ground.length_m[edges], minlength=len(NATURES))
    length: dict[Nature, float] = dict(zip(NATURES, metres.tolist(), strict=True))
    length["chaussee"] += float(sum(line.length for line in access))
    drawn = shapely.union_all([*ground.shapes[edges], *access])
    geometry = shapely.line_merge(drawn) if drawn.geom_type == "MultiLineString" else drawn
    corridors = shapely.buffer(first.shapes, corridor_m)
    inside = np.asarray(shapely.length(shapely.intersection(geometry, corridors))).reshape(-1)
    # a line that crosses a corridor of half-width c at 42 degrees or more is within it for 3 c at most
    is_beside = inside > 3.0 * corridor_m
    dug = ground.wet[ground.wet["edge"].isin(edges[ground.asset[edges] < 0])]
    return SecondPath(
        geometry=cast("shapely.LineString | shapely.MultiLineString", geometry),
        length_m=length,
        ways=np.unique(ground.asset[edges][ground.asset[edges] >= 0]),
        beside=np.unique(first.ways[is_beside]),
        beside_m=float(shapely.length(shapely.intersection(geometry, shapely.union_all(corridors)))),
        wet=dug.groupby(EVENT, as_index=False)[["wet_m"]].sum(),
    )
