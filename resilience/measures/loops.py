"""Drafts of second paths: for rooms that one object alone can cut, false loops included."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.ground import NATURES, Ground
from resilience.losses import LossIndex, are_lost, lost_intervals
from resilience.measures.sites import name_of, place_of
from resilience.measures.types import Draft, Int, Link
from resilience.parameters import LEVELS, Level, Parameters
from resilience.second_path import FirstPath, SecondPath, eur_per_m, second_path

ANCHORS = 3  # nearest ends offered for the loop of an NRO: the fourth is seldom the cheapest
_TRIED_AT_ONCE = 8
_TO = {"NRO": "le NRO", "": "le point d'injection"}
_FRENCH = {"fourreau": "en fourreau existant", "accotement": "en accotement", "chaussee": "sous chaussée",
           "centre": "en centre pavé"}  # fmt: skip


@dataclass(frozen=True)
class Ends:
    """Rooms and feeds between which second paths can run, one row each.

    Attributes
    ----------
    table : DataFrame
        code, asset, nature (NRO, PM, or "" for a feed that is no room), nro, vertex.
    own : tuple of (n,) int32
        Assets with which each of them fails.
    cutters : tuple of (n,) int32
        Assets that cut each of them, own ones included.
    relays : (n,) int64
        Vertices of NRO and feeds.
    """

    table: pd.DataFrame
    own: tuple[Int, ...]
    cutters: tuple[Int, ...]
    relays: NDArray[np.int64]


def second_path_drafts(
    network: Network,
    index: LossIndex,
    ends: Ends,
    ground: Ground,
    parameters: Parameters,
    *,
    exposed: NDArray[np.float64],
    most: int,
) -> tuple[list[Draft], dict[str, int]]:
    """Draft the second path of the rooms that a single object can cut.

    For an NRO the path leads to the nearest NRO or feed that stays served when everything fails that cuts
    the room and not that end: the `ANCHORS` nearest are alternatives, but for those that cost more and
    protect from less. For a PM it leads to its own NRO: a passive cabinet on two NRO would have to change
    operators' ports, and is not proposed.

    Parameters
    ----------
    network : Network
    index : LossIndex
        Of the nominal graph, with the prises as one weight.
    ends : Ends
        From `rooms_and_feeds`.
    ground : Ground
    parameters : Parameters
    exposed : (n_assets,) float64
        Prises·h per year that each asset costs alone, which ranks the rooms.
    most : int
        Rooms of each nature for which a path is sought.

    Returns
    -------
    drafts, omitted
        `omitted` counts by mesure the rooms without a search.
    """
    drafts: list[Draft] = []
    omitted: dict[str, int] = {}
    for nature in ("NRO", "PM"):
        rooms = np.flatnonzero(ends.table["nature"] == nature).tolist()
        wanted = [
            (float(exposed[_united(anchors)].sum()), room, anchors)
            for room, anchors in _anchors(rooms, ends, network, index).items()
            if anchors
        ]
        wanted.sort(key=lambda one: (-one[0], ends.table["code"].iloc[one[1]]))
        for _, room, anchors in wanted[:most]:
            found = [
                _draft(room, end, protects, ends, network, ground, parameters) for end, protects in anchors
            ]
            drafts += undominated([draft for draft in found if draft is not None])
        if len(wanted) > most:
            omitted[f"second_chemin_{nature.lower()}"] = len(wanted) - most
    return drafts, omitted


def rooms_and_feeds(network: Network, routes: Routes, graph: ServiceGraph, index: LossIndex) -> Ends:
    """List the ends between which second paths can run, and what cuts each of them."""
    rooms = routes.rooms[routes.rooms["vertex_nominal"] >= 0]
    table = rooms[["code", "asset", "nature", "nro"]].assign(vertex=rooms["vertex_nominal"])
    table = pd.concat([table, _feed_ends(network, routes, graph, table["vertex"])], ignore_index=True)
    # a room that nothing serves today has nothing to lose, and nothing to pass on
    table = table[index.tree.position[table["vertex"]] >= 0].reset_index(drop=True)
    vertex = table["vertex"].to_numpy(np.int64)
    own = tuple(np.unique(graph.vertex_asset[graph.vertex_of == v]) for v in vertex)
    relays = vertex[(table["nature"] != "PM").to_numpy()]
    return Ends(table, own, _cutters(index, graph, vertex), relays)


def _feed_ends(network: Network, routes: Routes, graph: ServiceGraph, known: pd.Series) -> pd.DataFrame:
    """Give the feeds that are no room: vertices next to the root that fail with an asset of that code."""
    at_root = (graph.tail == 0) | (graph.head == 0)
    fed = np.setdiff1d(np.unique((graph.tail + graph.head)[at_root]), known)
    owned = pd.DataFrame({"asset": graph.vertex_asset, "vertex": graph.vertex_of})
    owned = owned[owned["vertex"].isin(fed)]
    named = network.assets.iloc[owned["asset"].to_numpy()]
    place = np.where(named["nd_code"].fillna("") != "", named["nd_code"], named["code"])
    feeds = set(routes.feeds["feed"])
    is_feed = named["code"].isin(feeds).to_numpy() | np.isin(place.astype(str), list(feeds))
    rows = owned[is_feed].assign(code=named["code"].to_numpy()[is_feed], nature="", nro="")
    return rows.sort_values(["vertex", "asset"]).drop_duplicates("vertex")[
        ["code", "asset", "nature", "nro", "vertex"]
    ]


def _cutters(index: LossIndex, graph: ServiceGraph, vertices: NDArray[np.int64]) -> tuple[Int, ...]:
    """Give the assets that cut each vertex when they fail alone."""
    owns = np.zeros(graph.n_assets, np.bool_)
    owns[graph.vertex_asset] = owns[graph.edge_asset] = True
    suspects = np.flatnonzero(owns).astype(np.int32)
    asset, start, end, sign = lost_intervals(index, suspects).T
    position = index.tree.position[vertices]
    order = np.argsort(position, kind="stable")
    first, last = (np.searchsorted(position[order], bound) for bound in (start, end))
    size = np.maximum(last - first, 0)
    # what an interval takes another one of the asset may give back: rows of both signs of a pair add up
    held, given = (
        _pairs(order, first[of], size[of], asset[of], len(suspects)) for of in (sign > 0, sign < 0)
    )
    pairs, times = np.unique(held, return_counts=True)
    back, undone = np.unique(given, return_counts=True)
    times[np.searchsorted(pairs, back)] -= undone
    pairs = pairs[times > 0]
    of, cutter = np.divmod(pairs, len(suspects))
    ptr = np.searchsorted(of, np.arange(len(vertices) + 1))
    return tuple(suspects[cutter[a:b]] for a, b in pairwise(ptr))


def _pairs(
    order: NDArray[np.int64],
    first: NDArray[np.int64],
    size: NDArray[np.int64],
    asset: NDArray[np.int64],
    n_assets: int,
) -> NDArray[np.int64]:
    """Give, as one number each, the (vertex, asset) of all places of some intervals of `order`."""
    offset = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    keys = order[np.repeat(first, size) + offset]
    keys *= n_assets
    keys += np.repeat(asset, size)
    return keys


def _anchors(
    rooms: list[int], ends: Ends, network: Network, index: LossIndex
) -> dict[int, list[tuple[int, Int]]]:
    """List, by room, the ends of possible second paths and what each would protect from, nearest first."""
    vertex = ends.table["vertex"].to_numpy(np.int64)
    ahead = {room: _nearest_ends(room, ends, network) for room in rooms}
    found: dict[int, list[tuple[int, Int]]] = {room: [] for room in rooms}
    while ahead:
        tried = [
            (room, end, protects)
            for room, near in ahead.items()
            for end in near[:_TRIED_AT_ONCE]
            if len(protects := _protected(room, end, ends))
        ]
        indptr = np.cumsum([0, *(len(protects) for _, _, protects in tried)])
        assets = np.concatenate([np.empty(0, np.int32), *(protects for _, _, protects in tried)])
        served = ~are_lost(index, indptr, assets, vertex[[end for _, end, _ in tried]])
        for (room, end, protects), is_served in zip(tried, served.tolist(), strict=True):
            if is_served and len(found[room]) < ANCHORS:
                found[room].append((end, protects))
        left = {room: near[_TRIED_AT_ONCE:] for room, near in ahead.items() if len(found[room]) < ANCHORS}
        ahead = {room: near for room, near in left.items() if near}
    return found


def _nearest_ends(room: int, ends: Ends, network: Network) -> list[int]:
    """List the ends to which a second path of a room may lead, nearest first."""
    table = ends.table
    if table["nature"].iloc[room] == "PM":
        others = np.flatnonzero((table["nature"] == "NRO") & (table["code"] == table["nro"].iloc[room]))
    else:
        others = np.flatnonzero((table["nature"] != "PM") & (np.arange(len(table)) != room))
    start = place_of(network, int(table["asset"].iloc[room]))
    if start is None:
        return []
    places = [(int(end), place_of(network, int(table["asset"].iloc[end]))) for end in others]
    near = [
        (start.distance(place), str(table["code"].iloc[end]), end)
        for end, place in places
        if place is not None
    ]
    return [end for _, _, end in sorted(near)]


def _protected(room: int, end: int, ends: Ends) -> Int:
    """List what cuts a room and not an end, but the room itself."""
    kept = np.union1d(ends.cutters[end], ends.own[room])
    return np.setdiff1d(ends.cutters[room], kept).astype(np.int32)


def _united(anchors: list[tuple[int, Int]]) -> Int:
    return np.unique(np.concatenate([protects for _, protects in anchors]))


def _draft(
    room: int, end: int, protects: Int, ends: Ends, network: Network, ground: Ground, parameters: Parameters
) -> Draft | None:
    """Draft one second path, None where there is no ground for it or where it would protect from nothing."""
    asset, other = int(ends.table["asset"].iloc[room]), int(ends.table["asset"].iloc[end])
    start, stop = place_of(network, asset), place_of(network, other)
    if start is None or stop is None:
        return None
    path = second_path(ground, start, stop, first_path(network, protects), parameters)
    if path is None:
        return None
    carriers = carried_by(network, path)
    protected = np.setdiff1d(protects, carriers).astype(np.int32)
    if not len(protected):
        return None
    table = ends.table
    return Draft(
        mesure=f"second_chemin_{table['nature'].iloc[room].lower()}",
        objects=(str(table["code"].iloc[room]), str(table["code"].iloc[end])),
        name=f"{name_of(network, asset)} vers {_TO[table['nature'].iloc[end]]} {name_of(network, other)}",
        treated=np.array([asset], np.int32),
        changed=np.empty(0, np.int32),
        geometry=path.geometry,
        length_m=sum(path.length_m.values()),
        ground_m=dict(path.length_m.items()),
        cost_eur={
            level: path_cost(path, "cost.loop_optics.eur_per_end", parameters, level) for level in LEVELS
        },
        hypotheses=f"{path_words(path)} ; optique aux deux bouts ; bascule active",
        link=Link(
            room=int(table["vertex"].iloc[room]),
            anchor=int(table["vertex"].iloc[end]),
            relays=ends.relays,
            protects=protected,
            carriers=carriers,
            dug_m=sum(path.length_m[nature] for nature in NATURES[1:]),
            wet=path.wet,
        ),
    )


def undominated(drafts: list[Draft]) -> list[Draft]:
    """Keep the alternatives for one room that protect from something from which no cheaper one does."""
    kept: list[Draft] = []
    for draft in sorted(drafts, key=lambda draft: (draft.cost_eur["central"], draft.objects)):
        if not any(_protects(other) >= _protects(draft) for other in kept):
            kept.append(draft)
    return kept


def _protects(draft: Draft) -> set[int]:
    return set() if draft.link is None else set(draft.link.protects.tolist())


def first_path(network: Network, protects: Int) -> FirstPath:
    """Give the ground of what a second path is to protect from."""
    lines = network.lines[network.lines["asset"].isin(protects)]
    kind = network.assets["kind"]
    places = protects[kind.iloc[protects].isin(["noeud", "ptech", "site"]).to_numpy()]
    near = _linked(network, places, ("noeud", "cheminement"))
    near = np.union1d(near, _linked(network, near, ("cheminement",)))
    ways = near[(kind.iloc[near] == "cheminement").to_numpy()]
    shapes = np.asarray(shapely.force_2d(lines.geometry.to_numpy()), object)
    return FirstPath(lines["asset"].to_numpy(np.int32), shapes, np.setdiff1d(ways, protects).astype(np.int32))


def carried_by(network: Network, path: SecondPath) -> Int:
    """Give the assets on which a path depends: ways, the nodes at their ends and what stands there (D3)."""
    nodes = _linked(network, path.ways, ("noeud",))
    held = np.concatenate([path.ways, nodes, _linked(network, nodes, ("ptech", "site")), path.beside])
    return np.unique(held).astype(np.int32)


def _linked(network: Network, assets: Int, kinds: tuple[str, ...]) -> Int:
    """Give the assets of some kinds that `Network.links` joins to the given ones."""
    among = np.zeros(len(network.assets), np.bool_)
    among[assets] = True
    a, b = network.links["a"].to_numpy(np.int32), network.links["b"].to_numpy(np.int32)
    found = np.unique(np.concatenate([b[among[a]], a[among[b]]]))
    return found[network.assets["kind"].iloc[found].isin(kinds).to_numpy()]


def path_cost(path: SecondPath, at_each_end: str, parameters: Parameters, level: Level) -> float:
    """Give the price of a path and of what is done at both ends, a parameter in euros."""
    prices = eur_per_m(parameters, level)
    ends_eur = 2 * parameters.at(at_each_end, level)
    return sum(prices[nature] * path.length_m[nature] for nature in NATURES) + ends_eur


def path_words(path: SecondPath) -> str:
    """Say in French where a path runs."""
    lengths = [
        f"{path.length_m[nature]:.0f} m {_FRENCH[nature]}" for nature in NATURES if path.length_m[nature] > 0
    ]
    words = f"itinéraire : {', '.join(lengths)}"
    if path.beside_m > 0:
        words += f", dont {path.beside_m:.0f} m au bord du premier chemin"
    wet_m = path.wet["wet_m"].max()
    if wet_m > 0:
        words += f", {wet_m:.0f} m en zone inondable"
    return words
