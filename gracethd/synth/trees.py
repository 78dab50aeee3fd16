"""Cut a tree of streets into cables: where boxes stand, how many fibres each cable carries, which ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gracethd.synth.roads import Floats, Ints

CAPACITIES = (6, 12, 24, 36, 48, 72, 96, 144, 288, 432, 576, 720)
_SPARE = 1.15  # fibres laid over fibres used


@dataclass(frozen=True)
class Section:
    """One cable: its vertices from the root side on, and the slots of demand whose fibres it carries.

    Slots number the demand of a whole tree; a cable carries ``first`` to ``first + used - 1``, in its fibres
    1 to `used`, so that each splice joins the fibres of one slot.
    """

    path: tuple[int, ...]
    first: int
    used: int

    @property
    def capacity(self) -> int:
        """Fibres of the smallest cable sold that carries the used ones and the spare ones."""
        wanted = self.used * _SPARE
        return next((size for size in CAPACITIES if size >= wanted), 144 * -(-int(np.ceil(wanted)) // 144))


def cut_tree(
    predecessor: Ints,
    distance: Floats,
    root: int,
    demand: dict[int, int],
    *,
    max_fibres: int,
    max_length_m: float,
    boxes: Sequence[int] = (),
) -> list[Section]:
    """Cut the shortest paths from a root to where demand stands into cables, root side first.

    A box stands where demand stands, where paths part, after every `max_length_m` of cable and at the
    vertices that `boxes` asks for. Where more than `max_fibres` pass, cables run side by side and no box is
    put: each cable from the root then feeds one branch, so that several cables share the ways near the root.

    Parameters
    ----------
    predecessor, distance : (n_vertices,)
        Shortest paths from `root`.
    demand : dict of vertex to slots
    """
    vertices = _used_vertices(predecessor, distance, root, demand)
    rank = {vertex: i for i, vertex in enumerate(vertices)}
    parent = [0] + [rank[int(predecessor[vertex])] for vertex in vertices[1:]]
    own = [demand.get(vertex, 0) for vertex in vertices]
    below, children = own.copy(), [0] * len(vertices)
    for i in range(len(vertices) - 1, 0, -1):
        below[parent[i]] += below[i]
        children[parent[i]] += 1
    asked = set(boxes)
    side_by_side = [below[i] > max_fibres and vertices[i] not in asked for i in range(len(vertices))]
    side_by_side[0] = False
    since, anchor, free = [0.0] * len(vertices), [0] * len(vertices), [0] * len(vertices)
    sections = []
    for i in range(1, len(vertices)):
        above = parent[i]
        start = anchor[above]
        step = float(distance[vertices[i]] - distance[vertices[above]])
        since[i] = step + (0.0 if start == above else since[above])
        opened = not side_by_side[i] and (children[i] > 1 or since[i] > max_length_m)
        if not (opened or own[i] or vertices[i] in asked):
            anchor[i] = start
            continue
        used = own[i] if side_by_side[i] else below[i]
        sections.append(Section(_walk(vertices, parent, start, i), free[start], used))
        anchor[i], free[i] = (start if side_by_side[i] else i), free[start] + own[i]
        free[start] += used
    return sections


def _used_vertices(predecessor: Ints, distance: Floats, root: int, demand: dict[int, int]) -> list[int]:
    """Give the vertices on the paths to the demand, by distance (then number), the root first."""
    used = {root}
    for vertex in demand:
        walk = vertex
        while walk not in used:
            used.add(walk)
            walk = int(predecessor[walk])
    return sorted(used, key=lambda vertex: (distance[vertex], vertex))


def _walk(vertices: Sequence[int], parent: Sequence[int], start: int, end: int) -> tuple[int, ...]:
    path = [end]
    while path[-1] != start:
        path.append(parent[path[-1]])
    return tuple(vertices[i] for i in reversed(path))
