"""Spliced routes as chains: each distinct route has vertices and edges of its own (D7, D9)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.routes.alignments import Walks
from gracethd.routes.graph import GraphParts
from gracethd.routes.survey import NOWHERE, Survey


@dataclass(frozen=True)
class Starts:
    """Where each walk starts, at its downstream end.

    Attributes
    ----------
    stop : (n_walks,) int64
        Stop of the first cable: at a PBO, a premise or a PM; -1 where the cable has no stop there.
    box : (n_walks,) int64
        Asset of the box, -1 at a premise or a PM.
    vertex : (n_walks,) int32
        Vertex where the chain must end downstream, -1 for a new one.
    spot : (n_walks,) object
        `Survey.spot` where it starts; None for that of its stop.
    """

    stop: NDArray[np.int64]
    box: NDArray[np.int64]
    vertex: NDArray[np.int32]
    spot: NDArray[np.object_]


@dataclass(frozen=True)
class Chains:
    """Distinct routes, expanded into the stretches of cable that they run through.

    Attributes
    ----------
    route : (n_walks,) int64
        Route of each walk.
    first : (n_routes,) int64
        First walk along each route.
    room : (n_routes,) int32
        Room where it ends upstream (number in the list of the walks).
    steps : DataFrame
        One row per stretch, from downstream to upstream: route, section, turn (which fibre of the walk runs
        through it), and what stands at its downstream end: stop, place (number), owner (asset of the box, or
        -1).
    is_loose : (n_routes,) bool
        The cables of the route do not all meet in one layer where it goes from one to the next: only the
        splices of today say that it goes through.
    """

    route: NDArray[np.int64]
    first: NDArray[np.int64]
    room: NDArray[np.int32]
    steps: pd.DataFrame
    is_loose: NDArray[np.bool_]


def find_chains(survey: Survey, walks: Walks, starts: Starts) -> Chains:
    """Find the distinct routes among walks and expand each once."""
    cable = survey.cable_of_fibre[walks.fibre]
    box = np.append(survey.box_asset.to_numpy(np.int64), NOWHERE)[walks.box]  # -1 reads the last
    route, first = _distinct(walks, cable, box, starts)
    legs = _legs(survey, walks, cable, box, starts, first)
    is_loose = _loose(survey, legs, walks, starts, first)
    return Chains(route, first, walks.room[first], _steps(survey, legs), is_loose)


def lay_chains(
    parts: GraphParts,
    chains: Chains,
    survey: Survey,
    *,
    rooms: NDArray[np.int32],
    given: NDArray[np.int32],
    kept: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:
    """Lay routes as chains of vertices and give the downstream vertex of each, -1 where it has no stretch.

    Routes that end in a vertex of their own share what they have in common from their room on: a trunk that
    serves a hundred drops is laid once. Routes that end in a given vertex, which others may reach too,
    share nothing: light would come back up one of them and down another.

    Parameters
    ----------
    parts : GraphParts
        Receives vertices and edges.
    chains : Chains
    survey : Survey
    rooms : (n_rooms,) int32
        Vertex of each room number.
    given : (n_routes,) int32
        Vertex where a chain must end downstream, -1 for a new one.
    kept : (n_routes,) bool, optional
        Routes to lay; all by default.
    """
    steps = chains.steps if kept is None else chains.steps[kept[chains.steps["route"].to_numpy()]]
    size = np.bincount(steps["route"], minlength=len(chains.room))
    turn = size[steps["route"].to_numpy()] - 1 - steps.groupby("route").cumcount().to_numpy()
    label = np.where(given >= 0, len(rooms) + np.arange(len(given)), chains.room).astype(np.int64)
    vertex = rooms[chains.room].astype(np.int32)
    several = survey.boxed.loc[survey.boxed.duplicated("stop", keep=False), ["stop", "box"]]
    for now in range(int(size.max(initial=0))):
        at = steps[turn == now]
        route = at["route"].to_numpy()
        kind = _paired(_paired(label[route], at["section"].to_numpy()), at["owner"].to_numpy())
        kind = _paired(kind, at["stop"].to_numpy())
        _, first = np.unique(kind, return_index=True)  # numbers follow first appearance
        new = at.iloc[first]
        below = parts.vertices(len(new), new["place"], new["owner"])
        ends_here = (size[route[first]] == now + 1) & (given[route[first]] >= 0)
        below = np.where(ends_here, given[route[first]], below).astype(np.int32)
        parts.edges(vertex[route[first]], below, section=new["section"])
        _say_possible(parts, several, new, below)
        vertex[route], label[route] = below[kind], kind
    return np.where(size > 0, vertex, NOWHERE).astype(np.int32)


def _say_possible(
    parts: GraphParts, several: pd.DataFrame, steps: pd.DataFrame, downstream: NDArray[np.int32]
) -> None:
    """Say which other boxes may stand on the way: `several` (stop, box) open the cable at one place (D9)."""
    at = pd.DataFrame({"stop": steps["stop"].to_numpy(), "owner": steps["owner"], "vertex": downstream})
    maybe = at.merge(several, on="stop")
    maybe = maybe[maybe["box"] != maybe["owner"]]
    parts.possible(maybe["box"], maybe["vertex"])


def _distinct(
    walks: Walks, cable: NDArray[np.int64], box: NDArray[np.int64], starts: Starts
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell walks that run through the same cables and boxes; the first of each stands for it."""
    size = np.diff(walks.indptr)
    route = _paired(_paired(_paired(starts.stop, starts.vertex), walks.room), starts.box)
    for turn in range(int(size.max(initial=0))):
        on = np.flatnonzero(size > turn)
        at = walks.indptr[on] + turn
        step = _paired(_paired(route[on], cable[at]), box[at])
        # numbers of walks that have ended stay below those that go on
        route[on] = step + int(route.max()) + 1
    _, first, number = np.unique(route, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[number].astype(np.int64), first[order].astype(np.int64)


def _paired(one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.int64]:
    """Give a number to each distinct pair of two numbers, -1 and up."""
    width = int(other.max(initial=0)) + 2
    return pd.factorize(one.astype(np.int64) * width + other.astype(np.int64) + 1)[0].astype(np.int64)


def _legs(
    survey: Survey,
    walks: Walks,
    cable: NDArray[np.int64],
    box: NDArray[np.int64],
    starts: Starts,
    first: NDArray[np.int64],
) -> pd.DataFrame:
    """List the cables of each distinct route, with the stops between which it runs through each.

    One row per cable: route, cable, down_box, up_box (assets or -1), down, up (stops), is_told (both ends of
    the leg are stops of the cable).
    """
    size = np.diff(walks.indptr)[first]
    route = np.repeat(np.arange(len(first)), size)
    at = np.repeat(walks.indptr[first] - np.cumsum(size) + size, size) + np.arange(size.sum())
    is_first = np.diff(route, prepend=NOWHERE) != 0
    before = np.append(NOWHERE, box[at][:-1])[: len(at)]
    legs = pd.DataFrame(
        {
            "route": route,
            "turn": np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size),
            "cable": cable[at],
            "down_box": np.where(is_first, starts.box[first][route], before),
            "up_box": box[at],
            "start": np.where(is_first, starts.stop[first][route], NOWHERE),
        }
    )
    legs = legs[legs["cable"] >= 0].reset_index(drop=True)
    room = survey.rooms["room"].to_numpy()[walks.room[first][legs["route"].to_numpy()]]
    in_room = pd.MultiIndex.from_arrays([legs["cable"], room])
    stop_at = survey.boxed.drop_duplicates(["cable", "box"]).set_index(["cable", "box"])["stop"]
    down, up = (
        stop_at.reindex(pd.MultiIndex.from_frame(legs[["cable", name]])).to_numpy(float)
        for name in ("down_box", "up_box")
    )
    down = np.where(legs["start"] >= 0, legs["start"], down)
    at_drawer = survey.room_stop.reindex(in_room).to_numpy(float)
    up = np.where(legs["up_box"] < 0, at_drawer, up)
    edge = survey.network.stops.groupby("cable")["stop"].agg(["min", "max"])
    low, high = (edge[name].reindex(legs["cable"]).to_numpy(float) for name in ("min", "max"))
    is_told = ~np.isnan(down) & ~np.isnan(up)
    # a leg whose box or drawer is no stop of its cable runs to the end away from the other
    down = np.where(np.isnan(down), np.where(up == low, high, low), down)
    up = np.where(np.isnan(up), np.where(down == low, high, low), up)
    return legs.assign(down=down.astype(np.int64), up=up.astype(np.int64), is_told=is_told)


def _loose(
    survey: Survey, legs: pd.DataFrame, walks: Walks, starts: Starts, first: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell the routes that re-splicing by layer could not follow (D8)."""
    layers = survey.network.sections[["cable", "layer"]].drop_duplicates()
    bit = layers["layer"].map({"collecte": 1, "transport": 2, "distribution": 4})
    of_cable = bit.groupby(layers["cable"]).sum().reindex(legs["cable"]).fillna(0).to_numpy(np.int64)
    down = survey.spot.reindex(legs["down"]).to_numpy(object)
    up = survey.spot.reindex(legs["up"]).to_numpy(object)
    route = legs["route"].to_numpy()
    joined = route[1:] == route[:-1]
    apart = joined & (up[:-1] != down[1:])
    is_first, is_last = np.diff(route, prepend=NOWHERE) != 0, np.diff(route, append=NOWHERE) != 0
    room = "room:" + survey.rooms["room"].to_numpy(object)
    apart_at_end = is_last & (up != room[walks.room[first][route]])
    shared = np.full(len(first), 7)
    np.bitwise_and.at(shared, route, of_cable)
    # prises hang on distribution; between rooms, any layer that all the cables share will do
    from_room = pd.notna(starts.spot[first])
    is_mixed = np.where(from_room, shared, shared & 4) == 0
    apart_at_start = is_first & from_room[route] & (down != starts.spot[first][route])
    loose = is_mixed.copy()
    loose[route[~legs["is_told"].to_numpy() | apart_at_start | apart_at_end]] = True
    loose[route[1:][apart]] = True
    return loose


def _steps(survey: Survey, legs: pd.DataFrame) -> pd.DataFrame:
    """Expand legs into stretches between stops; a leg within one stop is the box, then the cable itself."""
    network, boxed = survey.network, survey.boxed
    length = (legs["up"] - legs["down"]).abs().to_numpy()
    size = np.where(length > 0, length, 2)
    row = np.repeat(np.arange(len(legs)), size)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    sign = np.sign((legs["up"] - legs["down"]).to_numpy())[row]
    here = legs["down"].to_numpy()[row] + sign * within
    section_of = network.sections.drop_duplicates("stop1").set_index("stop1")["section"]
    section = section_of.reindex(np.where(sign > 0, here, here - 1)).to_numpy(float)
    place_of = network.stops.drop_duplicates("stop").set_index("stop")["place"]
    alone = boxed[~boxed.duplicated("stop", keep=False)].set_index("stop")["box"]
    joint = np.where(within == 0, legs["down_box"].to_numpy()[row], NOWHERE)
    only = alone.reindex(here).fillna(NOWHERE).to_numpy(np.int64)
    only = np.where((sign == 0) & (within == 1), legs["cable"].to_numpy()[row], only)
    return pd.DataFrame(
        {
            "route": legs["route"].to_numpy()[row],
            "section": np.where(sign == 0, NOWHERE, section).astype(np.int64),
            "turn": legs["turn"].to_numpy()[row],
            "stop": here,
            "place": survey.nodes.get_indexer(pd.Index(place_of.reindex(here))),
            "owner": np.where(joint >= 0, joint, only),
        }
    )
