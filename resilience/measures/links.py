"""New links in the service graph: what a second path adds, and what it does not.

A second path ends in a room. When the first path of the room breaks, the room is served again, but light
does not travel back from it into the closures of the first path, where its fibres are spliced to nobody
else's. An undirected graph knows no such thing, so the room gets a copy of its first path of its own before
the new link is added: same assets, no other rooms on it. A room that already stands between two paths (a
ring) is a relay today, and stays one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled
from gracethd.service import ServiceGraph
from resilience.measures.types import Int, Link
from resilience.spanning import nothing

Index = NDArray[np.int64]


def with_second_paths(graph: ServiceGraph, links: Sequence[Link]) -> ServiceGraph:
    """Give the graph with one more link between each room and a place that serves.

    Parameters
    ----------
    graph : ServiceGraph
        The nominal one, without any second path yet. Not changed; the new one has its vertices and edges
        first, under their numbers.
    links : sequence of Link
        A carrier from ``n_assets`` on is a new asset. Their order does not matter.

    Returns
    -------
    ServiceGraph
        The new links are redundancy (not ambiguous): they are spliced and active.
    """
    own, left = _with_own_feeds(graph, {link.room: np.union1d(link.relays, [0]) for link in links})
    return _with_edges(
        _without(own, _replaced(links, left)),
        np.array([link.room for link in links], np.int64),
        np.array([link.anchor for link in links], np.int64),
        [np.unique(link.carriers) for link in links],
    )


def with_possible_paths(
    graph: ServiceGraph, links: Mapping[int, Link]
) -> tuple[ServiceGraph, list[tuple[int, ...]]]:
    """Give one graph that holds every second path that could be built, and what each added edge asks for.

    Parameters
    ----------
    graph : ServiceGraph
        As for `with_second_paths`.
    links : mapping of int to Link
        By number of the measure that builds it.

    Returns
    -------
    graph, conditions
        One tuple for each of the last edges of the graph: numbers of measures that must be built (k) or must
        not (``~k``) for light to pass. Under any set of measures that graph cuts what
        `with_second_paths` with these links cuts: a room leaves the first path that it shares with others
        when its second one is built, and not before.
    """
    by_room: dict[int, list[int]] = {}
    for number, link in links.items():
        by_room.setdefault(link.room, []).append(number)
    relays = {
        room: np.unique(np.concatenate([[0], *(links[number].relays for number in numbers)]))
        for room, numbers in by_room.items()
    }
    own, left = _with_own_feeds(graph, relays)
    leave = {int(edge): by_room[room] for room, edges in left.items() for edge in edges}
    replaced = _replaced(links.values(), left)
    for edge in replaced.tolist():
        leave[edge] = [number for number, link in links.items() if edge in link.replaces]
    own = _without(own, replaced)
    tail, head = (ends[list(leave)].tolist() for ends in (graph.tail, graph.head))
    owner = [graph.edge_asset[graph.edge_of == edge] for edge in leave]
    conditions = [tuple(~number for number in numbers) for numbers in leave.values()]
    tail += [link.room for link in links.values()]
    head += [link.anchor for link in links.values()]
    owner += [np.unique(link.carriers) for link in links.values()]
    conditions += [(number,) for number in links]
    return _with_edges(own, np.array(tail, np.int64), np.array(head, np.int64), owner), conditions


def _replaced(links: Iterable[Link], left: Mapping[int, Index]) -> Index:
    """List the edges that links take away, but those that their rooms have left anyway."""
    taken = np.concatenate([np.empty(0, np.int64), *(link.replaces for link in links)])
    gone = np.concatenate([np.empty(0, np.int64), *left.values()])
    return np.setdiff1d(taken, gone)


def _without(graph: ServiceGraph, edges: Index) -> ServiceGraph:
    """Turn edges into loops at the root, through which nobody is served; the others keep their numbers."""
    if not len(edges):
        return graph
    tail, head = graph.tail.copy(), graph.head.copy()
    tail[edges] = head[edges] = 0
    return replace(graph, tail=tail, head=head)


def _with_edges(graph: ServiceGraph, tail: Index, head: Index, owner: Sequence[Int]) -> ServiceGraph:
    """Add edges that are spliced and active; an asset from ``n_assets`` on is a new one."""
    n = len(graph.tail)
    edge = np.repeat(np.arange(n, n + len(tail)), [len(assets) for assets in owner])
    edge_asset = np.concatenate([graph.edge_asset, *owner])
    return replace(
        graph,
        n_assets=max(graph.n_assets, int(edge_asset.max(initial=-1)) + 1),
        tail=np.append(graph.tail, tail).astype(np.int32),
        head=np.append(graph.head, head).astype(np.int32),
        ambiguous=np.append(graph.ambiguous, np.zeros(len(tail), np.bool_)),
        edge_asset=edge_asset.astype(np.int32),
        edge_of=np.append(graph.edge_of, edge).astype(np.int32),
    )


def _with_own_feeds(
    graph: ServiceGraph, relays: Mapping[int, Index]
) -> tuple[ServiceGraph, dict[int, Index]]:
    """Give each room a copy of the part of the graph by which it hangs on its relays, if it only hangs there.

    Also gives, by room, the edges by which it hung there: they join the copy now.
    """
    rooms = np.array(list(relays), np.int64)
    stops = [np.union1d(relays[room], [room]) for room in relays]
    stop_ptr = np.concatenate([[0], np.cumsum([len(one) for one in stops])]).astype(np.int64)
    tail, head = graph.tail.astype(np.int64), graph.head.astype(np.int64)
    ends = np.concatenate([tail, head])
    order = np.argsort(ends, kind="stable")
    ptr = np.searchsorted(ends[order], np.arange(graph.n_vertices + 1)).astype(np.int64)
    around = (ptr, np.concatenate([head, tail])[order], order % max(len(tail), 1))
    vertex_ptr, vertices, edge_ptr, edges = _first_paths(
        around, rooms, (stop_ptr, np.concatenate([np.empty(0, np.int64), *stops]).astype(np.int64))
    )
    of_vertex = np.repeat(np.arange(len(rooms)), np.diff(vertex_ptr))
    of_edge = np.repeat(np.arange(len(rooms)), np.diff(edge_ptr))
    # each copied vertex, by room and number
    keys = of_vertex * graph.n_vertices + vertices
    sorted_keys = np.sort(keys)
    twin_of = graph.n_vertices + np.argsort(keys, kind="stable")

    def twins(of: Index, ends: Index) -> Index:
        wanted = of * graph.n_vertices + ends
        at = np.minimum(np.searchsorted(sorted_keys, wanted), max(len(keys) - 1, 0))
        return np.where(sorted_keys[at] == wanted, twin_of[at], ends) if len(keys) else ends

    at_room = (tail[edges] == rooms[of_edge]) | (head[edges] == rooms[of_edge])
    moved, new, of_new = edges[at_room], edges[~at_room], of_edge[~at_room]
    # the room leaves the shared part for its copy; nothing else does
    tail[moved], head[moved] = (twins(of_edge[at_room], one[moved]) for one in (tail, head))
    first = graph.tail.astype(np.int64), graph.head.astype(np.int64)
    vertex_rows, vertex_new = _owned_rows(graph.vertex_of, vertices, graph.n_vertices)
    edge_rows, edge_new = _owned_rows(graph.edge_of, new, len(tail))
    fed = replace(
        graph,
        n_vertices=graph.n_vertices + len(vertices),
        tail=np.concatenate([tail, twins(of_new, first[0][new])]).astype(np.int32),
        head=np.concatenate([head, twins(of_new, first[1][new])]).astype(np.int32),
        ambiguous=np.concatenate([graph.ambiguous, graph.ambiguous[new]]),
        vertex_asset=np.concatenate([graph.vertex_asset, graph.vertex_asset[vertex_rows]]),
        vertex_of=np.concatenate([graph.vertex_of, graph.n_vertices + vertex_new]).astype(np.int32),
        edge_asset=np.concatenate([graph.edge_asset, graph.edge_asset[edge_rows]]),
        edge_of=np.concatenate([graph.edge_of, len(tail) + edge_new]).astype(np.int32),
        prises=np.concatenate([graph.prises, np.zeros(len(vertices), np.int64)]),
    )
    left = {int(room): edges[at_room & (of_edge == number)] for number, room in enumerate(rooms)}
    return fed, left


def _owned_rows(owner: NDArray[np.int32], elements: Index, n: int) -> tuple[Index, Index]:
    """Give the rows of what owns some elements, and the place of each element among them."""
    order = np.argsort(owner, kind="stable")
    ptr = np.searchsorted(owner[order], np.arange(n + 1))
    size = (ptr[1:] - ptr[:-1])[elements]
    place = np.repeat(np.arange(len(elements)), size)
    offset = np.arange(len(place)) - np.repeat(np.cumsum(size) - size, size)
    return order[ptr[elements][place] + offset], place


# Around each vertex, in compressed rows: pointers, the vertices at the other ends, the edges.
Around = tuple[Index, Index, Index]


@compiled
def _first_paths(
    around: Around, rooms: Index, stops: tuple[Index, Index]
) -> tuple[Index, Index, Index, Index]:
    """Give the vertices and edges between each room and the relays above it, none where nothing is shared.

    That is also the answer for a room with two ways in: it stands on a ring, and relays.
    """
    n = len(around[0]) - 1
    is_stop, reached, part = np.full(n, -1), np.full(n, -1), np.full(n, -1)
    degree, is_edge = np.zeros(n, np.int64), np.full(len(around[2]), -1)
    vertices, edges = nothing(), nothing()
    vertex_ptr, edge_ptr = np.zeros(len(rooms) + 1, np.int64), np.zeros(len(rooms) + 1, np.int64)
    for i in range(len(rooms)):
        for k in range(stops[0][i], stops[0][i + 1]):
            is_stop[stops[1][k]] = i
        _reach(i, around, rooms[i], reached)
        inner = _shared_part(i, around, rooms[i], (is_stop, reached, part))
        _prune(i, around, inner, (part, degree, is_edge))
        for v in inner:
            if part[v] == i:
                vertices.append(v)
        for v in inner:
            for j in range(around[0][v], around[0][v + 1]):
                if is_edge[around[2][j]] == i:
                    is_edge[around[2][j]] = -1
                    edges.append(around[2][j])
        vertex_ptr[i + 1], edge_ptr[i + 1] = len(vertices), len(edges)
    return vertex_ptr, np.array(vertices), edge_ptr, np.array(edges)


@compiled
def _reach(i: int, around: Around, room: int, reached: Index) -> None:
    """Mark what the root reaches without the edges of a room."""
    ptr, other, _ = around
    stack = nothing()
    stack.append(0)
    reached[0] = i
    while len(stack) > 0:
        v = stack.pop()
        if v == room:
            continue
        for j in range(ptr[v], ptr[v + 1]):
            if other[j] != room and reached[other[j]] != i:
                reached[other[j]] = i
                stack.append(other[j])


@compiled
def _shared_part(i: int, around: Around, room: int, marks: tuple[Index, Index, Index]) -> list[int]:
    """Give the part between stops by which alone a room hangs on relays above it, marked; or nothing."""
    ptr, other, _ = around
    is_stop, reached, part = marks
    found, n_doors = nothing(), 0
    door = -1
    for j in range(ptr[room], ptr[room + 1]):
        v = other[j]
        if v in (room, door):
            continue
        if is_stop[v] == i:
            if reached[v] == i:
                return nothing()  # a relay is next to it
            continue
        inside = nothing()
        if _is_fed((i, room), around, j, marks, inside):
            n_doors += 1
            found, door = inside, v
    if n_doors != 1:
        return nothing()
    for v in found:
        part[v] = i
    return found


@compiled
def _is_fed(
    of: tuple[int, int], around: Around, door: int, marks: tuple[Index, Index, Index], inside: list[int]
) -> bool:
    """List the part beyond an edge of the room; tell whether it touches a relay above the room."""
    ptr, other, _ = around
    is_stop, reached, part = marks
    i, room = of
    stamp = -2 - door  # no room's number, and no other edge's of any room
    part[other[door]] = stamp
    inside.append(other[door])
    fed, at = False, 0
    while at < len(inside):
        v = inside[at]
        at += 1
        for j in range(ptr[v], ptr[v + 1]):
            u = other[j]
            if is_stop[u] == i:
                fed |= u != room and reached[u] == i
            elif part[u] != stamp:
                part[u] = stamp
                inside.append(u)
    return fed


@compiled
def _prune(i: int, around: Around, inner: list[int], marks: tuple[Index, Index, Index]) -> None:
    """Leave out the branches that lead neither to the room nor to a relay; mark the edges that stay."""
    ptr, other, edge = around
    part, degree, is_edge = marks
    leaves = nothing()
    for v in inner:
        degree[v] = 0
        for j in range(ptr[v], ptr[v + 1]):
            if other[j] != v:
                degree[v] += 1
                is_edge[edge[j]] = i
        if degree[v] <= 1:
            leaves.append(v)
    while len(leaves) > 0:
        v = leaves.pop()
        if part[v] != i:
            continue
        part[v] = -1
        for j in range(ptr[v], ptr[v + 1]):
            if is_edge[edge[j]] == i:
                is_edge[edge[j]] = -1
                u = other[j]
                if part[u] == i:
                    degree[u] -= 1
                    if degree[u] <= 1:
                        leaves.append(u)
