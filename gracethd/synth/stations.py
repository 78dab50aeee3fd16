"""The graph that cables follow: every spot along the roads where a chamber, a pole or a PBO may stand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gracethd.synth.area import Area
from gracethd.synth.demand import Demand
from gracethd.synth.roads import Floats, Ints, Roads

_STREET_GAP_M = 60.0  # between two chambers or poles in a village
_ROAD_GAP_M = 130.0
_PM_SETBACK_M = 5.0
_SITE_SETBACK_M = 12.0


@dataclass(frozen=True)
class Stations:
    """Vertices and straight segments; sites (PM, NRO, feeds) are vertices of their own beside the road.

    Attributes
    ----------
    xy : (n_vertices, 2)
        Road nodes first, then PBO in their order, then spots in between, then PM, NRO and feeds.
    tail, head : (n_segments,); length_m : (n_segments,)
    edge : (n_segments,)
        Road piece, -1 for the entries of sites.
    pbo, pm, nro, feed : arrays of vertices
    pm_gate : (n_pm,)
        Junction in front of each PM.
    """

    xy: Floats
    tail: Ints
    head: Ints
    length_m: Floats
    edge: Ints
    pbo: Ints
    pm: Ints
    nro: Ints
    feed: Ints
    pm_gate: Ints


def place_stations(area: Area, roads: Roads, demand: Demand) -> Stations:
    """Cut roads at the PBO and often enough, then put PM, NRO and feeds beside them.

    A PM stands at the junction nearest to the middle of its zone, with one entry; an NRO at the junction
    nearest to the place that the area names and a feed at its gate, with two entries each, so that two legs
    can leave them apart.
    """
    xy, tail, head, edge, pbo = _cut_roads(roads, demand)
    taken: set[int] = set()
    weight = demand.pbo_demand.astype(float)
    middle = np.column_stack(
        [
            np.bincount(demand.pbo_zone, weight * xy[pbo, k]) / np.bincount(demand.pbo_zone, weight)
            for k in (0, 1)
        ]
    )
    degree = np.bincount(np.concatenate([roads.tail, roads.head]), minlength=len(roads.xy))
    nro_gate = [_nearest_junction(roads, degree, np.array([nro.x, nro.y]), taken) for nro in area.nros]
    pm_gate = [_nearest_junction(roads, degree, point, taken) for point in middle]
    gates = [*pm_gate, *nro_gate, *roads.feed_node.tolist()]
    incident = _incident(tail, head, gates)
    setback = [_PM_SETBACK_M] * len(pm_gate) + [_SITE_SETBACK_M] * (len(gates) - len(pm_gate))
    sites = np.array(
        [_beside(xy, gate, incident[gate], far) for gate, far in zip(gates, setback, strict=True)]
    )
    vertex = len(xy) + np.arange(len(gates))
    second = [(len(xy) + k, min(incident[gates[k]])) for k in range(len(pm_gate), len(gates))]
    entries = np.array([*zip(vertex.tolist(), gates, strict=True), *second], np.int64)
    xy = np.round(np.concatenate([xy, sites]), 2)
    tail, head = np.concatenate([tail, entries[:, 0]]), np.concatenate([head, entries[:, 1]])
    cuts = np.cumsum([len(pm_gate), len(nro_gate)])
    pm, nro, feed = np.split(vertex, cuts)
    return Stations(
        xy=xy,
        tail=tail,
        head=head,
        length_m=np.hypot(*(xy[head] - xy[tail]).T),
        edge=np.concatenate([edge, np.full(len(entries), -1)]),
        pbo=pbo,
        pm=pm,
        nro=nro,
        feed=feed,
        pm_gate=np.array(pm_gate, np.int64),
    )


def _cut_roads(roads: Roads, demand: Demand) -> tuple[Floats, Ints, Ints, Ints, Ints]:
    """Cut every road piece at its PBO, then into equal steps no longer than the widest gap allowed."""
    n_nodes, n_edges, n_pbo = len(roads.xy), len(roads.tail), len(demand.pbo_edge)
    length = roads.length_m
    pbo = n_nodes + np.arange(n_pbo)
    edge = np.concatenate([np.arange(n_edges), demand.pbo_edge])
    start = np.concatenate([np.zeros(n_edges), demand.pbo_offset_m])
    vertex = np.concatenate([roads.tail, pbo])
    order = np.lexsort((start, edge))
    edge, start, vertex = edge[order], start[order], vertex[order]
    last = np.concatenate([edge[1:] != edge[:-1], [True]])
    end = np.where(last, length[edge], np.roll(start, -1))
    end_vertex = np.where(last, roads.head[edge], np.roll(vertex, -1))
    gap = np.where(roads.commune[edge] < 0, _ROAD_GAP_M, _STREET_GAP_M)
    steps = np.maximum(1, np.ceil((end - start) / gap).astype(np.int64))
    piece = np.repeat(np.arange(len(edge)), steps)
    rank = np.arange(len(piece)) - np.repeat(np.cumsum(steps) - steps, steps)
    inner = rank > 0
    spot = n_nodes + n_pbo + np.cumsum(inner) - 1
    tail = np.where(inner, spot, vertex[piece])
    head = np.where(rank == steps[piece] - 1, end_vertex[piece], np.roll(tail, -1))
    share = start[piece] + (end - start)[piece] * rank / steps[piece]
    share = (share / length[edge[piece]])[:, None]
    points = roads.xy[roads.tail[edge[piece]]] * (1 - share) + roads.xy[roads.head[edge[piece]]] * share
    xy = np.concatenate([roads.xy, np.zeros((n_pbo + int(inner.sum()), 2))])
    xy[tail] = points  # pieces start at road nodes, PBO or spots: each gets its place
    xy[: len(roads.xy)] = roads.xy
    return np.round(xy, 2), tail, head, edge[piece], pbo


def _nearest_junction(roads: Roads, degree: Ints, point: Floats, taken: set[int]) -> int:
    """Give the free junction of three streets or more that is nearest, else the nearest free node."""
    away = np.hypot(*(roads.xy - point).T) + np.where(degree >= 3, 0.0, 1e6)
    away[list(taken)] = np.inf
    gate = int(np.argmin(away))
    taken.add(gate)
    return gate


def _incident(tail: Ints, head: Ints, gates: Sequence[int]) -> dict[int, list[int]]:
    """Give the neighbours of some vertices."""
    found: dict[int, list[int]] = {gate: [] for gate in gates}
    for a, b in ((tail, head), (head, tail)):
        there = np.isin(a, gates)
        for gate, other in zip(a[there].tolist(), b[there].tolist(), strict=True):
            found[gate].append(other)
    return found


def _beside(xy: Floats, gate: int, others: list[int], away_m: float) -> Floats:
    """Give a point in the middle of the widest free angle between the streets of a junction."""
    angles = np.sort(np.arctan2(*(xy[others] - xy[gate]).T[::-1]))
    gaps = np.diff(np.concatenate([angles, [angles[0] + 2 * np.pi]]))
    widest = int(np.argmax(gaps))
    angle = angles[widest] + gaps[widest] / 2
    place: Floats = xy[gate] + away_m * np.array([np.cos(angle), np.sin(angle)])
    return place


def street_graph(
    stations: Stations, *, open_sites: Sequence[int] = (), detour: Floats | None = None
) -> csr_array:
    """Give the lengths between vertices, both ways, as a sparse matrix.

    Buildings are not crossed: among NRO and feeds, only `open_sites` keep their entries. A segment counts
    for as many times its length as the larger `detour` of its ends says (1 by default).
    """
    closed = np.zeros(len(stations.xy), bool)
    closed[stations.nro] = closed[stations.feed] = True
    closed[list(open_sites)] = False
    kept = ~(closed[stations.tail] | closed[stations.head])
    weight, tail, head = stations.length_m[kept], stations.tail[kept], stations.head[kept]
    if detour is not None:
        weight = weight * np.maximum(detour[tail], detour[head])
    n = len(stations.xy)
    both = (np.concatenate([weight, weight]), (np.concatenate([tail, head]), np.concatenate([head, tail])))
    return csr_array(both, shape=(n, n))


def route_tree(graph: csr_array, root: int, *, limit_m: float = np.inf) -> tuple[Floats, Ints]:
    """Give the distance and the predecessor of every vertex on shortest paths from `root`."""
    # the stubs know matrices only, the function takes sparse arrays too
    distance, predecessor = dijkstra(  # type: ignore[call-overload]
        graph, indices=root, return_predecessors=True, limit=limit_m
    )
    return distance, predecessor.astype(np.int64)


def path_to(predecessor: Ints, root: int, vertex: int) -> list[int]:
    """Give the vertices from `root` to `vertex`, both included."""
    path = [vertex]
    while path[-1] != root:
        path.append(int(predecessor[path[-1]]))
    return path[::-1]
