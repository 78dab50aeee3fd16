"""Paths that share no risk: how many there are between two places of a small graph.

For the real redundancy of an NRO (`resilience.loops`). Such paths are not a flow: one trench may lie on
stretches far apart, and the problem is hard in general (J. Q. Hu, "Diverse routing in optical mesh
networks", IEEE Transactions on Communications 51, 2003). A short search finds what is easy; what it leaves
open is put to HiGHS as an integer program, which finds one path more or proves that there is none.
"""

import itertools
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, kron

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import networkx as nx

MAX_TRIED = 50
"""First legs that the search tries before the integer program is asked."""
MAX_NODES = 20_000
"""Nodes of the program's own search, after which it gives up; no clock, so that every run gives the same."""
_FOUND, _NONE = 0, 2  # statuses of scipy.optimize.milp


def most_disjoint(
    net: "nx.MultiGraph[int]", source: int, target: int, *, own: frozenset[int], at_most: int
) -> tuple[int, bool]:
    """Count the paths between two vertices that share no risk, no edge and no vertex but their ends.

    Parameters
    ----------
    net : networkx.MultiGraph
        Vertices and edges have ``risk``, a frozenset of numbers: what they fail with.
    source, target : int
    own : frozenset of int
        Risks that do not count: those of the ends.
    at_most : int
        Where the search may stop: no more such paths are known to be possible.

    Returns
    -------
    n : int
    is_sure : bool
        False where the program gave up after `MAX_NODES`: there are at least so many.

    Examples
    --------
    >>> import networkx as nx
    >>> net = nx.MultiGraph()
    >>> net.add_nodes_from([0, 1], risk=frozenset())
    >>> _ = [net.add_edge(0, 1, risk=frozenset(risk)) for risk in ({5}, {6}, {6})]
    >>> most_disjoint(net, 0, 1, own=frozenset(), at_most=3)
    (2, True)
    """
    stretches = _stretches(net, source, target, own)
    found = _most(stretches, (1 << len(stretches.clash)) - 1, at_most, itertools.count(1))
    while 0 < found < at_most:
        status = _status(stretches, found + 1)
        if status != _FOUND:
            return found, status == _NONE
        found += 1
    return found, True


class _Stretches(NamedTuple):
    """What paths are made of, numbered: edges, then vertices; a set of them is the bits of one number.

    ``legs[v]`` are the (edge, other vertex) at vertex v, which is part ``first + v``; ``clash[i]`` the parts
    that share a risk with part i, itself included; ``sharing`` the sets of parts that one risk lies on.
    """

    legs: list[list[tuple[int, int]]]
    first: int
    clash: list[int]
    sharing: list[tuple[int, ...]]
    source: int
    target: int


def _stretches(net: "nx.MultiGraph[int]", source: int, target: int, own: frozenset[int]) -> _Stretches:
    number = {vertex: i for i, vertex in enumerate(net.nodes)}
    legs: list[list[tuple[int, int]]] = [[] for _ in number]
    risks: list[frozenset[int]] = []
    edges = cast("Iterable[tuple[int, int, frozenset[int]]]", net.edges(data="risk"))
    for edge, (a, b, risk) in enumerate(edges):
        legs[number[a]].append((edge, number[b]))
        legs[number[b]].append((edge, number[a]))
        risks.append(risk - own)
    first = len(risks)
    risks += [net.nodes[vertex]["risk"] - own for vertex in net.nodes]
    parts: dict[int, list[int]] = {}
    for part, risk in enumerate(risks):
        for asset in risk:
            parts.setdefault(asset, []).append(part)
    ends = {first + number[source], first + number[target]}
    alone = {(part,) for part in range(len(risks)) if part not in ends}
    sharing = sorted(alone | {tuple(part for part in of if part not in ends) for of in parts.values()} - {()})
    clash = [1 << part for part in range(len(risks))]
    for of in sharing:
        together = sum(1 << part for part in of)
        for part in of:
            clash[part] |= together
    return _Stretches(legs, first, clash, sharing, number[source], number[target])


def _most(net: _Stretches, left: int, at_most: int, tried: "Iterator[int]") -> int:
    """Search the largest number of risk-disjoint paths among the parts left, first leg by first leg."""
    far = _distances(net, left)
    if at_most == 0 or far[net.source] < 0:
        return 0
    if at_most == 1:
        return 1
    best = 0
    for path in _paths(net, left, far):
        clash = 0
        for part in path:
            clash |= net.clash[part]
        best = max(best, 1 + _most(net, left & ~clash, at_most - 1, tried))
        if best == at_most or next(tried) >= MAX_TRIED:
            break
    return best


def _distances(net: _Stretches, left: int) -> list[int]:
    """Give the edges from each vertex to the target, -1 where no path is left."""
    far = [-1] * len(net.legs)
    far[net.target] = 0
    queue = [net.target]
    for vertex in queue:  # grows as it is read
        for edge, other in net.legs[vertex]:
            if far[other] < 0 and left >> edge & 1 and left >> net.first + other & 1:
                far[other] = far[vertex] + 1
                queue.append(other)
    return far


def _paths(net: _Stretches, left: int, far: list[int]) -> "Iterator[list[int]]":
    """Give the simple paths as the parts between their ends, those that make for the target first."""
    onward = [
        sorted(
            (far[other], edge, other)
            for edge, other in legs
            if far[other] >= 0 and left >> edge & 1 and left >> net.first + other & 1
        )
        for legs in net.legs
    ]
    path: list[int] = []
    seen = {net.source}
    stack = [(net.source, iter(onward[net.source]))]
    while stack:
        vertex, steps = stack[-1]
        for _, edge, other in steps:
            if other == net.target:
                yield [*path, edge]
            elif other not in seen:
                seen.add(other)
                path += [edge, net.first + other]
                stack.append((other, iter(onward[other])))
                break
        else:
            stack.pop()
            seen.discard(vertex)
            del path[-2:]


def _status(net: _Stretches, k: int) -> int:
    """Ask whether there are `k` paths: one unit of flow for each, and each risk taken by one of them at most.

    Variables, for each path: 0 or 1 on each edge in each direction, then whether it takes each set of parts
    that a risk lies on. A cycle beside a path only takes more risks, so none is needed.
    """
    arcs = sorted((edge, v, w) for v, legs in enumerate(net.legs) for edge, w in legs)
    n_arcs, n_risks, n_vertices = len(arcs), len(net.sharing), len(net.legs)
    width = n_arcs + n_risks
    edge, tail, head = (np.array(column, np.int64) for column in zip(*arcs, strict=True))
    arc = np.arange(n_arcs)
    flow = coo_array(
        (np.repeat([1.0, -1.0], n_arcs), (np.concatenate([tail, head]), np.tile(arc, 2))),
        shape=(n_vertices, width),
    )
    # what enters a part: an edge by either of its arcs, a vertex by those that lead to it
    part_of = np.concatenate([edge, net.first + head])
    by_part = [np.tile(arc, 2)[part_of == part] for part in range(net.first + n_vertices)]
    members = [(risk, part) for risk, parts in enumerate(net.sharing) for part in parts]
    rows = [np.full(len(by_part[part]), row) for row, (_, part) in enumerate(members)]
    columns = [by_part[part] for _, part in members]
    n = len(members)
    takes = coo_array(
        (
            np.concatenate([np.ones(sum(map(len, columns))), np.full(n, -1.0)]),
            (
                np.concatenate([*rows, np.arange(n)]),
                np.concatenate([*columns, n_arcs + np.array([risk for risk, _ in members])]),
            ),
        ),
        shape=(n, width),
    )
    demand = np.zeros(n_vertices)
    demand[net.source], demand[net.target] = 1.0, -1.0
    eye = np.eye(k)
    once = coo_array(
        (np.ones(n_risks), (np.arange(n_risks), n_arcs + np.arange(n_risks))), shape=(n_risks, width)
    )
    upper = np.ones(width)
    upper[:n_arcs][(head == net.source) | (tail == net.target)] = 0.0
    answer = milp(
        np.zeros(k * width),
        integrality=np.tile(np.repeat([1, 0], [n_arcs, n_risks]), k),
        bounds=Bounds(0.0, np.tile(upper, k)),
        constraints=[
            LinearConstraint(kron(eye, flow), np.tile(demand, k), np.tile(demand, k)),
            LinearConstraint(kron(eye, takes), -np.inf, 0.0),
            LinearConstraint(kron(np.ones((1, k)), once), -np.inf, 1.0),
        ],
        options={"node_limit": MAX_NODES},
    )
    return int(answer.status)
