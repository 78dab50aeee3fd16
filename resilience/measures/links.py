"""New links in the service graph: what a second path adds, and what it does not.

A second path ends in a room. When the first path of the room breaks, the room is served again, but light
does not travel back from it into the closures of the first path, where its fibres are spliced to nobody
else's. An undirected graph knows no such thing, so the room gets a copy of its first path of its own before
the new link is added: same assets, no other rooms on it. A room that already stands between two paths (a
ring) is a relay today, and stays one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gracethd.service import ServiceGraph
from resilience.measures.types import Int, Link

Index = NDArray[np.int64]
Bool = NDArray[np.bool_]


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
    own = graph
    for link in links:
        own, _ = _with_own_feed(own, link.room, np.union1d(link.relays, [0]))
    return _with_edges(
        own,
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
    own, tail, head, owner = graph, [], [], []
    conditions: list[tuple[int, ...]] = []
    by_room: dict[int, list[int]] = {}
    for number, link in links.items():
        by_room.setdefault(link.room, []).append(number)
    for room, numbers in by_room.items():
        before = own
        relays = np.unique(np.concatenate([[0], *(links[number].relays for number in numbers)]))
        own, left = _with_own_feed(before, room, relays)
        tail += before.tail[left].tolist()
        head += before.head[left].tolist()
        owner += [before.edge_asset[before.edge_of == edge] for edge in left.tolist()]
        conditions += [tuple(~number for number in numbers)] * len(left)
    tail += [link.room for link in links.values()]
    head += [link.anchor for link in links.values()]
    owner += [np.unique(link.carriers) for link in links.values()]
    conditions += [(number,) for number in links]
    return _with_edges(own, np.array(tail, np.int64), np.array(head, np.int64), owner), conditions


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


def _with_own_feed(graph: ServiceGraph, room: int, relays: Index) -> tuple[ServiceGraph, Index]:
    """Give `room` a copy of the part of the graph by which it hangs on relays, if it only hangs there.

    Also gives the edges by which it hung there: they join the copy now.
    """
    is_stop = np.zeros(graph.n_vertices, np.bool_)
    is_stop[relays] = True
    is_stop[room] = True
    first = _first_path(graph, room, is_stop)
    if first is None:
        return graph, np.empty(0, np.int64)
    is_inner, is_edge = first
    copied = np.flatnonzero(is_inner)
    twin = np.arange(graph.n_vertices)
    twin[copied] = graph.n_vertices + np.arange(len(copied))
    edges = np.flatnonzero(is_edge)
    at_room = edges[(graph.tail[edges] == room) | (graph.head[edges] == room)]
    new = np.setdiff1d(edges, at_room)
    tail, head = graph.tail.copy(), graph.head.copy()
    # the room leaves the shared part for its copy; nothing else does
    tail[at_room], head[at_room] = twin[tail[at_room]], twin[head[at_room]]
    edge_twin = np.full(len(tail), -1)
    edge_twin[new] = len(tail) + np.arange(len(new))
    vertices, edges_of = is_inner[graph.vertex_of], edge_twin[graph.edge_of] >= 0
    fed = replace(
        graph,
        n_vertices=graph.n_vertices + len(copied),
        tail=np.concatenate([tail, twin[graph.tail[new]]]).astype(np.int32),
        head=np.concatenate([head, twin[graph.head[new]]]).astype(np.int32),
        ambiguous=np.concatenate([graph.ambiguous, graph.ambiguous[new]]),
        vertex_asset=np.concatenate([graph.vertex_asset, graph.vertex_asset[vertices]]),
        vertex_of=np.concatenate([graph.vertex_of, twin[graph.vertex_of[vertices]]]).astype(np.int32),
        edge_asset=np.concatenate([graph.edge_asset, graph.edge_asset[edges_of]]),
        edge_of=np.concatenate([graph.edge_of, edge_twin[graph.edge_of[edges_of]]]).astype(np.int32),
        prises=np.concatenate([graph.prises, np.zeros(len(copied), np.int64)]),
    )
    return fed, at_room


def _first_path(graph: ServiceGraph, room: int, is_stop: Bool) -> tuple[Bool, Bool] | None:
    """Give the vertices and edges between `room` and the relays above it, or None where nothing is shared.

    That is also the answer for a room with two ways in: it stands on a ring, and relays.
    """
    tail, head = graph.tail, graph.head
    part = _parts(graph, ~is_stop[tail] & ~is_stop[head])
    at_room = (tail == room) | (head == room)
    without = _parts(graph, ~at_room)
    is_above = is_stop & (without == without[0])  # a relay that hangs below the room does not feed it
    outer = is_stop[tail] ^ is_stop[head]
    stop, entry = np.where(is_stop[tail], tail, head)[outer], np.where(is_stop[tail], head, tail)[outer]
    fed = np.unique(part[entry[is_above[stop] & (stop != room)]])
    doors = np.unique(entry[stop == room])
    doors = doors[np.isin(part[doors], fed)]
    is_direct = at_room & (tail != head) & (is_above[tail] | is_above[head])
    if len(doors) != 1 or is_direct.any():
        return None
    is_inner = (part == part[doors[0]]) & ~is_stop
    is_edge = is_inner[tail] | is_inner[head]
    return _pruned(graph, is_inner, is_edge)


def _parts(graph: ServiceGraph, is_edge: Bool) -> NDArray[np.int32]:
    """Give the number of the connected part of each vertex when only some edges stand."""
    ends = graph.tail[is_edge], graph.head[is_edge]
    joined = sparse.coo_array((np.ones(len(ends[0]), np.int8), ends), (graph.n_vertices,) * 2)
    return np.asarray(csgraph.connected_components(joined, directed=False)[1])


def _pruned(graph: ServiceGraph, is_inner: Bool, is_edge: Bool) -> tuple[Bool, Bool]:
    """Leave out the branches that lead neither to the room nor to a relay."""
    is_edge = is_edge & (graph.tail != graph.head)
    while True:
        ends = np.concatenate([graph.tail[is_edge], graph.head[is_edge]])
        degree = np.bincount(ends, minlength=graph.n_vertices)
        leaf = is_inner & (degree <= 1)
        if not leaf.any():
            return is_inner, is_edge
        is_inner = is_inner & ~leaf
        is_edge = is_edge & ~(leaf[graph.tail] | leaf[graph.head])
