"""A second path on the ground between two places, away from the first one and from the water.

For the measures that close a loop. Ducts that exist come first because they are cheaper, then trenches along
roads; metres beside the first path or under water are avoided as long as a detour exists, and told when not.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

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
    used = np.flatnonzero(is_open)
    places = shapely.get_coordinates([start, end])
    source, target = len(ground.xy), len(ground.xy) + 1
    tail, head, cost = [ground.tail[used]], [ground.head[used]], [weight[used]]
    for place, terminal in zip(places, (source, target), strict=True):
        entries = _entries(ground, is_open, place)
        tail.append(entries)
        head.append(np.full(len(entries), terminal))
        cost.append(np.linalg.norm(ground.xy[entries] - place, axis=1) * access_eur_per_m)
    edge = np.concatenate([used, np.full(sum(map(len, tail[1:])), -1)])
    walked = _walk(np.concatenate(tail), np.concatenate(head), np.concatenate(cost), source, target)
    if walked is None:
        return None
    stops, taken = walked
    access = np.stack([[places[0], ground.xy[stops[1]]], [ground.xy[stops[-2]], places[1]]])
    lines: Shapes = np.asarray(shapely.linestrings(access), object)
    return edge[taken[1:-1]], lines[np.asarray(shapely.length(lines)) > 0]


def _entries(ground: Ground, is_open: Bool, place: Float) -> Index:
    """Give the nearest end of a duct and the nearest point of a road, where they are within `ACCESS_M`."""
    found = []
    for holds in (ground.asset >= 0, ground.asset < 0):
        edges = np.flatnonzero(is_open & holds)
        nodes = np.unique(np.concatenate([ground.tail[edges], ground.head[edges]]))
        if len(nodes):
            distance, nearest = cKDTree(ground.xy[nodes]).query(place)
            found += [nodes[nearest]] if distance <= ACCESS_M else []
    return np.unique(np.array(found, np.int64))


def _walk(tail: Index, head: Index, cost: Float, source: int, target: int) -> tuple[Index, Index] | None:
    """Give the nodes and the links of the cheapest walk, both in order; `target` is the last node."""
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((cost, high, low))  # stable: of parallel links of one cost the first is kept
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    kept = order[is_first & (low[order] != high[order])]
    # scipy takes a weight of 0 for no link at all
    weights = np.maximum(cost[kept], 1e-9)
    matrix = sparse.csr_array((weights, (low[kept], high[kept])), shape=(target + 1, target + 1))
    distance, before = csgraph.dijkstra(
        matrix, directed=False, indices=np.array([source]), return_predecessors=True
    )
    if not np.isfinite(distance[0, target]):
        return None
    stops = [target]
    while stops[-1] != source:
        stops.append(int(before[0, stops[-1]]))
    path = np.array(stops[::-1], np.int64)
    key = low[kept].astype(np.int64) * (target + 1) + high[kept]
    wanted = np.minimum(path[:-1], path[1:]) * (target + 1) + np.maximum(path[:-1], path[1:])
    return path, kept[np.searchsorted(key, wanted)]


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
