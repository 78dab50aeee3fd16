"""Legs between NRO and feeds: chains of disjoint legs, false loops that share one trench, spurs."""

from dataclasses import dataclass

import numpy as np

from gracethd.synth.area import Area
from gracethd.synth.roads import Floats, Roads
from gracethd.synth.stations import Stations, path_to, route_tree, street_graph

_NEVER, _RATHER_NOT = 1e4, 4.0  # times the length of what a leg shares only when nothing else leads on


@dataclass(frozen=True)
class Leg:
    """One collecte path, from site to site; `nro` is the rank of the NRO that it was laid for."""

    path: tuple[int, ...]
    nro: int


def lay_collecte(area: Area, roads: Roads, stations: Stations) -> list[Leg]:
    """Lay the legs of every NRO, in the order of the area.

    Looped NRO are cut into as many chains as there are feeds less one; each chain runs from one feed to the
    next through its members, a leg avoiding the vertices of the legs before it. A false loop takes the
    shortest leg to the nearest looped NRO, then a second leg, to the next one (else a feed), over the same
    first bridge (else the middle street of the first leg); before and beyond it the legs part where the
    streets offer another way that is not four times longer. A spur is one leg.
    """
    looped = [rank for rank, nro in enumerate(area.nros) if nro.protection == "boucle"]
    feeds = stations.feed.tolist()
    legs: list[Leg] = []
    for k, chain in enumerate(np.array_split(looped, max(1, len(feeds) - 1))):
        members = [int(rank) for rank in chain]
        sites = [feeds[k], *stations.nro[members].tolist(), feeds[min(k + 1, len(feeds) - 1)]]
        legs += _lay_chain(stations, sites, members)
    for rank, nro in enumerate(area.nros):
        if nro.protection != "boucle":
            twice = nro.protection == "fausse_boucle"
            legs += _lay_hanging(roads, stations, rank, stations.nro[looped].tolist(), feeds, twice=twice)
    return legs


def _lay_chain(stations: Stations, sites: list[int], members: list[int]) -> list[Leg]:
    detour = np.ones(len(stations.xy))
    legs = []
    for k in range(len(sites) - 1):
        path = _leg(stations, sites[k], sites[k + 1], detour)
        detour[path[1:-1]] = _NEVER
        legs.append(Leg(tuple(path), members[min(k, len(members) - 1)]))
    return legs


def _leg(stations: Stations, start: int, end: int, detour: Floats) -> list[int]:
    _, predecessor = route_tree(street_graph(stations, open_sites=(start, end), detour=detour), start)
    return path_to(predecessor, start, end)


def _lay_hanging(
    roads: Roads, stations: Stations, rank: int, looped: list[int], feeds: list[int], *, twice: bool
) -> list[Leg]:
    home = int(stations.nro[rank])
    distance, _ = route_tree(street_graph(stations, open_sites=(home, *looped, *feeds)), home)
    near = [*sorted(looped, key=lambda site: distance[site]), *sorted(feeds, key=lambda site: distance[site])]
    freely = np.ones(len(stations.xy))
    first = _leg(stations, home, near[0], freely)
    if not twice:
        return [Leg(tuple(first), rank)]
    begin, end = _shared_part(roads, stations, first)
    detour = freely.copy()
    detour[first[1:-1]] = _RATHER_NOT
    bridged = (stations.edge >= 0) & roads.bridge[stations.edge]
    detour[np.concatenate([stations.tail[bridged], stations.head[bridged]])] = _NEVER
    detour[first[begin]] = 1.0
    before = _leg(stations, home, first[begin], detour)
    detour = freely.copy()
    detour[first[end:-1]] = _RATHER_NOT
    detour[[*before[1:], *first[begin:end]]] = _NEVER
    detour[first[end]] = 1.0
    after = _leg(stations, first[end], near[1], detour)
    second = _without_detours([*before, *first[begin + 1 : end], *after])
    return [Leg(tuple(first), rank), Leg(second, rank)]


def _without_detours(path: list[int]) -> tuple[int, ...]:
    """Leave out what a path does between two visits of one vertex, which only scarce streets bring about."""
    last = {vertex: k for k, vertex in enumerate(path)}
    kept, k = [], 0
    while k < len(path):
        kept.append(path[k])
        k = last[path[k]] + 1
    return tuple(kept)


def _shared_part(roads: Roads, stations: Stations, path: list[int]) -> tuple[int, int]:
    """Give the positions, along a path, of both ends of its first bridge, else of its middle street."""
    code = np.minimum(stations.tail, stations.head) * len(stations.xy) + np.maximum(
        stations.tail, stations.head
    )
    order = np.argsort(code)
    a, b = np.array(path[:-1]), np.array(path[1:])
    segment = order[np.searchsorted(code[order], np.minimum(a, b) * len(stations.xy) + np.maximum(a, b))]
    edge = stations.edge[segment]
    bridged = np.flatnonzero((edge >= 0) & roads.bridge[edge])
    middle = edge[len(edge) // 2] if len(bridged) == 0 else edge[bridged[0]]
    there = np.flatnonzero(edge == middle)
    return int(there[0]), int(there[-1]) + 1
