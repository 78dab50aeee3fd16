"""Invented streets and roads: lattices around the centre of each commune, roads between them, bridges."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import Delaunay

from gracethd.synth.area import Area, Commune

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FRONTAGE_M = 11.0  # street per address, both sides together: plots of 22 m
_BLOCK_M = (105.0, 150.0)
_KEPT_SHARE = 0.72  # of the lattice edges that connectivity does not need
_STREET_USE = 0.75  # of the streets of the disc are there once some are removed
_RIVER_CLEAR_M = 25.0
_ROAD_STEP_M = 110.0
_CROSSING_PENALTY = 1e6


@dataclass(frozen=True)
class Roads:
    """Straight pieces of road between junctions.

    Attributes
    ----------
    xy : (n_nodes, 2)
    tail, head : (n_edges,)
        Nodes at both ends.
    street : (n_edges,)
        Number of the street that the piece belongs to; a street is one line of a lattice or one road.
    commune : (n_edges,)
        Rank of the commune, -1 on the roads between communes.
    bridge : (n_edges,) bool
        The piece crosses the river.
    names : tuple of str
        Of each street.
    feed_node : (n_feeds,)
        Node at the gate of each feed.
    """

    xy: Floats
    tail: Ints
    head: Ints
    street: Ints
    commune: Ints
    bridge: Bools
    names: tuple[str, ...]
    feed_node: Ints

    @property
    def length_m(self) -> Floats:
        """Length of each piece."""
        return np.hypot(*(self.xy[self.head] - self.xy[self.tail]).T)


_TREES = (
    "ormes", "tilleuls", "peupliers", "saules", "frênes", "érables", "noyers", "pommiers",
    "cerisiers", "aulnes", "bouleaux", "chênes", "hêtres", "charmes", "sureaux", "noisetiers",
    "poiriers", "pruniers", "houx", "genêts", "bleuets", "coquelicots", "jonquilles", "primevères",
    "violettes", "iris", "roseaux", "joncs", "nénuphars", "fougères", "bruyères", "aubépines",
    "églantiers", "lilas", "glycines", "jasmins",
)  # fmt: skip


def lay_roads(area: Area, *, seed: int) -> Roads:
    """Invent the roads of an area: one connected graph that crosses the river on bridges only.

    Streets of a commune are a shaken lattice large enough for its addresses; communes are joined along the
    Delaunay triangles of their centres; each feed hangs on the nearest node.
    """
    river = shapely.LineString(area.river) if len(area.river) > 1 else shapely.LineString()
    shapely.prepare(river)
    parts = [
        _lattice(commune, river, np.random.default_rng([seed, 21, rank]))
        for rank, commune in enumerate(area.communes)
    ]
    offset = np.concatenate([[0], np.cumsum([len(part[0]) for part in parts])]).astype(np.int64)
    xy = np.concatenate([part[0] for part in parts])
    edges = np.concatenate([part[1] + offset[i] for i, part in enumerate(parts)])
    rank = np.repeat(np.arange(len(parts)), [len(part[1]) for part in parts])
    _, street = np.unique(
        np.column_stack([rank, np.concatenate([part[2] for part in parts])]), axis=0, return_inverse=True
    )
    names = [_street_name(i) for i in range(int(street.max(initial=-1)) + 1)]
    between = [_road(xy, offset, area.communes, a, b, seed) for a, b in _neighbours(area.communes)]
    between += [_access(xy, np.array([feed.x, feed.y])) for feed in area.feeds]
    feed_node = []
    for k, (start, points, end) in enumerate(between):
        nodes = np.concatenate([[start], len(xy) + np.arange(len(points)), [] if end < 0 else [end]]).astype(
            np.int64
        )
        xy = np.concatenate([xy, points])
        edges = np.concatenate([edges, np.column_stack([nodes[:-1], nodes[1:]])])
        rank = np.concatenate([rank, np.full(len(nodes) - 1, -1)])
        street = np.concatenate([street, np.full(len(nodes) - 1, len(names))])
        names.append(f"ROUTE {k + 1}")
        if end < 0:
            feed_node.append(int(nodes[-1]))
    xy = np.round(xy, 2)
    lines = shapely.linestrings(xy[edges])
    return Roads(
        xy=xy,
        tail=edges[:, 0],
        head=edges[:, 1],
        street=street.astype(np.int64),
        commune=rank.astype(np.int64),
        bridge=np.asarray(shapely.intersects(river, lines)),
        names=tuple(names),
        feed_node=np.array(feed_node, np.int64),
    )


def _street_name(i: int) -> str:
    turn, k = divmod(i, len(_TREES))
    return f"RUE DES {_TREES[k].upper()}" + (f" {turn + 1}" if turn else "")


def lattice_radius(commune: Commune) -> float:
    """Radius in metres of the disc that holds enough streets for the addresses of a commune."""
    needed = commune.prises * FRONTAGE_M / _STREET_USE
    return float(np.sqrt(needed / (1 / _BLOCK_M[0] + 1 / _BLOCK_M[1]) / np.pi)) + _BLOCK_M[1]


def _lattice(
    commune: Commune, river: shapely.LineString, rng: np.random.Generator
) -> tuple[Floats, Ints, Ints]:
    """Give nodes, edges and the street (line of the lattice) of each edge; connected, few bridges."""
    half = int(np.ceil(lattice_radius(commune) / min(_BLOCK_M))) + 1
    i, j = (
        part.ravel()
        for part in np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1), indexing="ij")
    )
    turn = rng.uniform(0, np.pi / 2)
    flat = np.column_stack([i * _BLOCK_M[0], j * _BLOCK_M[1]]) + rng.uniform(-14, 14, (len(i), 2))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    xy = flat @ rotation + [commune.x, commune.y]
    inside = np.hypot(*flat.T) <= lattice_radius(commune)
    if not river.is_empty:
        inside &= shapely.distance(river, shapely.points(xy)) > _RIVER_CLEAR_M
    number = np.full((2 * half + 1, 2 * half + 1), -1)
    number[i[inside] + half, j[inside] + half] = np.arange(inside.sum())
    across = np.column_stack([number[:-1, :].ravel(), number[1:, :].ravel()])
    along = np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()])
    line_across = np.tile(np.arange(2 * half + 1), 2 * half)  # same j: one street
    line_along = np.repeat(np.arange(2 * half + 1), 2 * half) + 2 * half + 1
    edges, line = np.concatenate([across, along]), np.concatenate([line_across, line_along])
    there = (edges >= 0).all(axis=1)
    edges, line, xy = edges[there], line[there], xy[inside]
    return _prune(xy, edges, line, river, rng)


def _prune(
    xy: Floats, edges: Ints, line: Ints, river: shapely.LineString, rng: np.random.Generator
) -> tuple[Floats, Ints, Ints]:
    """Keep a spanning tree of the largest connected part, and a share of the edges that cross no water."""
    crossing = np.asarray(shapely.intersects(river, shapely.linestrings(xy[edges])))
    weight = rng.uniform(1, 2, len(edges)) + crossing * _CROSSING_PENALTY
    tree = _cheapest_tree(weight, edges, len(xy))
    code = edges[:, 0] * len(xy) + edges[:, 1]
    needed = np.isin(code, tree.coords[0].astype(np.int64) * len(xy) + tree.coords[1])
    kept = needed | (~crossing & (rng.random(len(edges)) < _KEPT_SHARE))
    part = connected_components(tree, directed=False)[1]
    main = part == np.argmax(np.bincount(part))
    kept &= main[edges[:, 0]]
    number = np.cumsum(main) - 1
    return xy[main], number[edges[kept]], line[kept]


def _cheapest_tree(weight: Floats, edges: Ints, n: int) -> coo_array:
    """Give the spanning tree of least weight; scipy walks graphs with indices of 32 bits only."""
    ends = edges.astype(np.int32)
    return minimum_spanning_tree(coo_array((weight, (ends[:, 0], ends[:, 1])), shape=(n, n))).tocoo()


def _neighbours(communes: tuple[Commune, ...]) -> list[tuple[int, int]]:
    """Give the pairs of communes that a road joins: Delaunay edges that pass no third village, and a tree."""
    xy = np.array([(commune.x, commune.y) for commune in communes])
    n = len(xy)
    if n < 4:
        return [(i, i + 1) for i in range(n - 1)]
    simplices = Delaunay(xy).simplices
    sides = np.concatenate([simplices[:, [0, 1]], simplices[:, [1, 2]], simplices[:, [0, 2]]])
    pairs = np.unique(np.sort(sides), axis=0)
    lines = shapely.linestrings(xy[pairs])
    length = shapely.length(lines)
    tree = _cheapest_tree(length, pairs, n)
    needed = np.isin(pairs[:, 0] * n + pairs[:, 1], tree.coords[0].astype(np.int64) * n + tree.coords[1])
    radius = np.array([lattice_radius(commune) for commune in communes])
    villages = shapely.STRtree(shapely.buffer(shapely.points(xy), 0.9 * radius))
    met = np.bincount(villages.query(lines, predicate="intersects")[0], minlength=len(pairs))
    free = (met <= 2) & (length < 2.2 * np.median(length))
    return [(int(a), int(b)) for a, b in pairs[needed | free]]


def _road(
    xy: Floats, offset: Ints, communes: tuple[Commune, ...], a: int, b: int, seed: int
) -> tuple[int, Floats, int]:
    """Draw a winding road from the street of `a` that reaches furthest towards `b` to its counterpart."""
    heading = np.array([communes[b].x - communes[a].x, communes[b].y - communes[a].y])
    start = offset[a] + int(np.argmax(xy[offset[a] : offset[a + 1]] @ heading))
    end = offset[b] + int(np.argmin(xy[offset[b] : offset[b + 1]] @ heading))
    rng = np.random.default_rng([seed, 22, a, b])
    steps = max(1, round(float(np.hypot(*(xy[end] - xy[start]))) / _ROAD_STEP_M))
    share = np.arange(1, steps) / steps
    chord = xy[end] - xy[start]
    wind = rng.uniform(-0.07, 0.07) * np.sin(np.pi * share) + rng.uniform(-0.02, 0.02) * np.sin(
        3 * np.pi * share
    )
    points = xy[start] + share[:, None] * chord + wind[:, None] * np.array([-chord[1], chord[0]])
    return int(start), points, int(end)


def _access(xy: Floats, gate: Floats) -> tuple[int, Floats, int]:
    """Draw the road from the nearest node to the gate of a feed."""
    start = int(np.argmin(np.hypot(*(xy - gate).T)))
    steps = max(1, round(float(np.hypot(*(gate - xy[start]))) / _ROAD_STEP_M))
    share = np.arange(1, steps + 1) / steps
    return start, xy[start] + share[:, None] * (gate - xy[start]), -1
