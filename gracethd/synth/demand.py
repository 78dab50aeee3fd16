"""Invented demand: addresses along the streets, their prises, the PBO that serves them and the PM zones."""

from dataclasses import dataclass

import numpy as np

from gracethd.synth.area import Area
from gracethd.synth.roads import FRONTAGE_M, Bools, Floats, Ints, Roads

PRISES_PER_PBO = 5.5  # 5 to 6 on rural networks: assumption
CONNECTED_SHARE = 504_500 / 680_300  # connected over deployed prises, Nord-Pas-de-Calais, end of 2024
_COLLECTIVE_SHARE = 0.05
_PRO_SHARE = 0.06
_SETBACK_M = (10.0, 18.0)


@dataclass(frozen=True)
class Demand:
    """Addresses, premises, PBO and PM zones; every array is in the order of its rank.

    Attributes
    ----------
    address_xy : (n_addresses, 2); address_edge, address_number, address_commune, address_pbo : (n_addresses,)
        Road piece, number in the street, commune and PBO.
    premise_address : (n_premises,)
        Sorted, so that premises of an address and of a PBO follow each other.
    premise_is_pro, premise_connected : (n_premises,) bool
    pbo_edge, pbo_offset_m, pbo_zone : (n_pbo,)
        Place along the road piece and PM zone; sorted by piece, then offset.
    pbo_demand : (n_pbo,)
        Prises.
    zone_commune : (n_zones,)
    """

    address_xy: Floats
    address_edge: Ints
    address_number: Ints
    address_commune: Ints
    address_pbo: Ints
    premise_address: Ints
    premise_is_pro: Bools
    premise_connected: Bools
    pbo_edge: Ints
    pbo_offset_m: Floats
    pbo_zone: Ints
    pbo_demand: Ints
    zone_commune: Ints


def place_demand(area: Area, roads: Roads, *, seed: int) -> Demand:
    """Place the prises of each commune, exactly, along its streets from the centre outwards."""
    parts = [
        _place_addresses(area, roads, rank, np.random.default_rng([seed, 31, rank]))
        for rank in range(len(area.communes))
    ]
    edge, offset, size, xy = (np.concatenate([part[k] for part in parts]) for k in range(4))
    order = np.lexsort((offset, edge))
    edge, offset, size, xy = edge[order], offset[order], size[order], xy[order]
    address_pbo = _group_by_pbo(edge, size)
    n_pbo = int(address_pbo[-1]) + 1
    pbo_offset = np.bincount(address_pbo, offset) / np.bincount(address_pbo)
    pbo_demand = np.bincount(address_pbo, size).astype(np.int64)
    first = np.searchsorted(address_pbo, np.arange(n_pbo))
    pbo_edge = edge[first]
    pbo_xy = _along(roads, pbo_edge, pbo_offset)
    zone, zone_commune = _zones(area, roads.commune[pbo_edge], pbo_xy, pbo_demand)
    premise_address = np.repeat(np.arange(len(edge)), size)
    rng = np.random.default_rng([seed, 32])
    _, number = np.unique(roads.street[edge], return_inverse=True)
    return Demand(
        address_xy=np.round(xy, 2),
        address_edge=edge,
        address_number=_house_numbers(number),
        address_commune=roads.commune[edge],
        address_pbo=address_pbo,
        premise_address=premise_address,
        premise_is_pro=rng.random(len(premise_address)) < _PRO_SHARE,
        premise_connected=rng.random(len(premise_address)) < CONNECTED_SHARE,
        pbo_edge=pbo_edge,
        pbo_offset_m=pbo_offset,
        pbo_zone=zone,
        pbo_demand=pbo_demand,
        zone_commune=zone_commune,
    )


def _along(roads: Roads, edge: Ints, offset: Floats) -> Floats:
    share = (offset / roads.length_m[edge])[:, None]
    points: Floats = roads.xy[roads.tail[edge]] * (1 - share) + roads.xy[roads.head[edge]] * share
    return points


def _address_sizes(prises: int, rng: np.random.Generator) -> Ints:
    """Draw premises per address until the total is exact: houses, and a few buildings of 3 to 10."""
    collective = rng.random(prises) < _COLLECTIVE_SHARE
    size = np.where(collective, rng.integers(3, 11, prises), 1)
    n = int(np.searchsorted(np.cumsum(size), prises)) + 1
    size = size[:n]
    size[-1] -= size.sum() - prises
    return size.astype(np.int64)


def _place_addresses(
    area: Area, roads: Roads, rank: int, rng: np.random.Generator
) -> tuple[Ints, Floats, Ints, Floats]:
    """Give road piece, offset along it, premises and position of each address of one commune."""
    commune = area.communes[rank]
    size = _address_sizes(commune.prises, rng)
    edges = np.flatnonzero((roads.commune == rank) & ~roads.bridge)
    length = roads.length_m[edges]
    middle = (roads.xy[roads.tail[edges]] + roads.xy[roads.head[edges]]) / 2
    near = np.argsort(np.hypot(*(middle - [commune.x, commune.y]).T), kind="stable")
    edges, length = edges[near], length[near]
    room = np.maximum(1, (length / FRONTAGE_M).astype(np.int64))
    room *= int(np.ceil(len(size) / room.sum()))  # a village too dense for its streets builds closer
    before = np.cumsum(room) - room
    count = np.clip(len(size) - before, 0, room)
    edge, piece = np.repeat(edges, count), np.repeat(np.arange(len(edges)), count)
    k = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    offset = (k + 0.5) / count[piece] * (length[piece] - 8) + 4  # nothing within 4 m of a junction
    side = np.where(k % 2 == 0, 1.0, -1.0) * rng.uniform(*_SETBACK_M, len(edge))
    axis = (roads.xy[roads.head[edge]] - roads.xy[roads.tail[edge]]) / length[piece][:, None]
    xy = _along(roads, edge, offset) + side[:, None] * np.column_stack([-axis[:, 1], axis[:, 0]])
    return edge, offset, size, xy


def _group_by_pbo(edge: Ints, size: Ints) -> Ints:
    """Cut the addresses of each road piece, in order, into groups of about 5.5 prises."""
    _, start, piece = np.unique(edge, return_index=True, return_inverse=True)
    total = np.bincount(piece, size)
    done = np.cumsum(size) - size
    middle = done - done[start][piece] + size / 2
    groups = np.ceil(total / PRISES_PER_PBO)
    group = np.minimum(
        (middle / total[piece] * groups[piece]).astype(np.int64), groups[piece].astype(np.int64) - 1
    )
    new = np.concatenate([[True], (piece[1:] != piece[:-1]) | (group[1:] != group[:-1])])
    return np.cumsum(new) - 1


def _house_numbers(street: Ints) -> Ints:
    """Give each address its number in its street."""
    order = np.argsort(street, kind="stable")
    start = np.searchsorted(street[order], street[order])
    number = np.empty(len(street), np.int64)
    number[order] = np.arange(len(street)) - start + 1
    return number


def _zones(area: Area, commune: Ints, xy: Floats, demand: Ints) -> tuple[Ints, Ints]:
    """Split the PBO of each commune into compact zones of about `prises_per_pm` prises."""
    zone = np.empty(len(commune), np.int64)
    zone_commune: list[int] = []
    for rank, place in enumerate(area.communes):
        members = np.flatnonzero(commune == rank)
        count = min(max(1, round(place.prises / area.prises_per_pm)), len(members))
        zone[members] = _bisect(xy[members], demand[members], count) + len(zone_commune)
        zone_commune += [rank] * count
    return zone, np.array(zone_commune, np.int64)


def _bisect(xy: Floats, weight: Ints, parts: int) -> Ints:
    """Cut points into `parts` groups of like weight by halving along the longer side."""
    label = np.zeros(len(xy), np.int64)
    stack = [(np.arange(len(xy)), 0, parts)]
    while stack:
        members, first, count = stack.pop()
        if count == 1:
            label[members] = first
            continue
        axis = int(np.argmax(np.ptp(xy[members], axis=0)))
        order = members[np.argsort(xy[members, axis], kind="stable")]
        left = count // 2
        done = np.cumsum(weight[order])
        cut = int(
            np.clip(np.searchsorted(done, done[-1] * left / count) + 1, left, len(order) - (count - left))
        )
        stack += [(order[:cut], first, left), (order[cut:], first + left, count - left)]
    return label
