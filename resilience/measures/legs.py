"""Drafts that mend a false loop: one of its legs leaves what both share, and keeps the rest of its way."""

from collections.abc import Collection
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.connected import connected_parts
from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import cables_of_edges
from resilience.ground import NATURES, Ground
from resilience.losses import LossIndex, lost_alone
from resilience.measures.loops import Ends, carried_by, first_path, path_cost, path_words
from resilience.measures.sites import name_of, place_of
from resilience.measures.types import Draft, Int, Link
from resilience.near_legs import legs_of_nro
from resilience.parameters import LEVELS, Parameters
from resilience.second_path import second_path

Long = NDArray[np.int64]


@dataclass(frozen=True)
class _FalseLoop:
    """An NRO that objects cut although two legs reach it.

    Attributes
    ----------
    network : Network
    graph : ServiceGraph
        The nominal one.
    row, vertex : int
        Of the NRO: in the table of `Ends`, and in the graph.
    own, shared : (n,) int32
        Assets that the NRO fails with, and those that cut it alone and belong to no NRO or feed.
    within : (n_vertices,) bool
        Vertices that one of the shared assets cuts off.
    """

    network: Network
    graph: ServiceGraph
    row: int
    vertex: int
    own: Int
    shared: Int
    within: NDArray[np.bool_]


@dataclass(frozen=True)
class _Leg:
    """A leg of a false loop, from the NRO up to what no shared object cuts.

    Attributes
    ----------
    top : int
        Vertex at its upper end.
    last : (n,) int64
        Its edges at the NRO.
    assets : (n,) int32
        What its edges, and the closures between them, fail with.
    """

    top: int
    last: Long
    assets: Int


def moved_leg_drafts(
    network: Network,
    routes: Routes,
    index: LossIndex,
    ends: Ends,
    ground: Ground,
    parameters: Parameters,
    *,
    false_loops: Collection[str],
) -> list[Draft]:
    """Draft, for each NRO whose loop is false, the cheaper move of a leg out of what both legs share.

    The cable of the leg is cut at the last place before the shared part and at the first after it, and both
    are spliced to a new cable, which keeps away from the other leg too as long as a detour exists. What the
    legs share by passing the same NRO or feed stays shared.

    Parameters
    ----------
    network, routes
    index : LossIndex
        Of the nominal graph.
    ends : Ends
        From `resilience.measures.loops.rooms_and_feeds`.
    ground : Ground
    parameters : Parameters
    false_loops : collection of str
        Codes of NRO, from `resilience.loops.loops`.

    Examples
    --------
    >>> false = loops(network, routes).query("is_false")["nro"]  # doctest: +SKIP
    >>> given = (network, routes, index, ends, ground, parameters)  # doctest: +SKIP
    >>> moved_leg_drafts(*given, false_loops=set(false))  # doctest: +SKIP
    """
    row_of = {code: row for row, code in enumerate(ends.table["code"]) if code in false_loops}
    if not row_of:
        return []
    drafts: list[Draft] = []
    cable = cables_of_edges(routes.nominal, network)
    rooms = np.unique(np.concatenate(ends.own))
    for _, code, cables in legs_of_nro(network, routes, set(row_of)):
        row = row_of[code]
        shared = np.setdiff1d(ends.cutters[row], rooms).astype(np.int32)
        vertex, within = int(ends.table["vertex"].iloc[row]), lost_alone(index, shared)
        loop = _FalseLoop(network, routes.nominal, row, vertex, ends.own[row], shared, within)
        legs = [_leg(loop, np.flatnonzero(np.isin(cable, of))) for of in cables]
        found = [
            _draft(loop, leg, other, ends, ground, parameters)
            for leg, other in zip(legs, legs[::-1], strict=True)
            if leg is not None and other is not None
        ]
        possible = [draft for draft in found if draft is not None]
        if possible:
            drafts.append(min(possible, key=lambda draft: (draft.cost_eur["central"], draft.objects)))
    return _together(routes.nominal, drafts)


def _together(graph: ServiceGraph, drafts: list[Draft]) -> list[Draft]:
    """Leave out moves that, with those before them, would leave somebody without any leg of today.

    Two NRO on one ring, the one losing its leg on the left and the other its leg on the right, hang on new
    works alone: the choice weighs works against what stands (`resilience.choice`), so there must be some.
    """
    taken = [draft.link.replaces for draft in drafts if draft.link is not None]
    standing = np.ones(len(graph.tail), np.bool_)
    standing[np.concatenate([np.empty(0, np.int64), *taken])] = False
    label = connected_parts(graph.n_vertices, graph.tail[standing], graph.head[standing])
    rings: nx.MultiGraph[int] = nx.MultiGraph()
    rings.add_node(int(label[0]))
    for edge in np.flatnonzero(~standing).tolist():
        rings.add_edge(int(label[graph.tail[edge]]), int(label[graph.head[edge]]), edge)
    kept = []
    for draft, edges in zip(drafts, taken, strict=True):
        without = rings.copy()
        without.remove_edges_from(
            [(int(label[graph.tail[e]]), int(label[graph.head[e]]), e) for e in edges.tolist()]
        )
        if nx.is_connected(without):
            rings = without
            kept.append(draft)
    return kept


def _leg(loop: _FalseLoop, edges: Long) -> _Leg | None:
    """Give a leg from the edges of its cables; None where it does not leave what is shared at one vertex."""
    graph, within = loop.graph, loop.within
    edges = edges[within[graph.tail[edges]] | within[graph.head[edges]]]
    tail, head = graph.tail[edges], graph.head[edges]
    crossing = within[tail] != within[head]
    tops = np.unique(np.where(within[tail], head, tail)[crossing])
    if len(tops) != 1:
        return None
    between = np.setdiff1d(np.concatenate([tail, head]), [loop.vertex, tops[0]])
    by_edge = graph.edge_asset[np.isin(graph.edge_of, edges)]
    by_vertex = graph.vertex_asset[np.isin(graph.vertex_of, between)]
    last = edges[(tail == loop.vertex) | (head == loop.vertex)]
    return _Leg(int(tops[0]), last, np.unique(np.concatenate([by_edge, by_vertex])).astype(np.int32))


def _draft(
    loop: _FalseLoop, leg: _Leg, other: _Leg, ends: Ends, ground: Ground, parameters: Parameters
) -> Draft | None:
    """Draft the new way of a leg; None where there is none, or where it would protect from nothing."""
    network = loop.network
    found = _outside(loop, leg)
    if found is None:
        return None
    (leaves, returns), kept = found
    start, stop = place_of(network, leaves), place_of(network, returns)
    if start is None or stop is None:
        return None
    both = np.union1d(loop.shared, other.assets).astype(np.int32)
    path = second_path(ground, start, stop, first_path(network, both), parameters)
    if path is None:
        return None
    carriers = np.union1d(kept, carried_by(network, path)).astype(np.int32)
    protected = np.setdiff1d(loop.shared, carriers).astype(np.int32)
    if not len(protected):
        return None
    nro = ends.table.iloc[loop.row]
    codes = [str(network.assets["code"].iloc[node]) for node in (leaves, returns)]
    splices = "cost.loop_splice.eur_per_end"
    return Draft(
        mesure="deviation_jambe_nro",
        objects=(str(nro["code"]), *codes),
        name=name_of(network, int(nro["asset"])),
        treated=np.array([nro["asset"]], np.int32),
        changed=np.empty(0, np.int32),
        geometry=path.geometry,
        length_m=sum(path.length_m.values()),
        ground_m=dict(path.length_m.items()),
        cost_eur={level: path_cost(path, splices, parameters, level) for level in LEVELS},
        hypotheses=f"{path_words(path)} ; une jambe quitte la partie commune ; épissure aux deux bouts",
        link=Link(
            room=loop.vertex,
            anchor=leg.top,
            relays=ends.relays,
            protects=protected,
            carriers=carriers,
            dug_m=sum(path.length_m[nature] for nature in NATURES[1:]),
            wet=path.wet,
            replaces=leg.last,
        ),
    )


def _outside(loop: _FalseLoop, leg: _Leg) -> tuple[tuple[int, int], Int] | None:
    """Tell at which nodes a leg leaves its way and comes back to it, and on what it goes on depending.

    The leg without what is shared falls into parts; those that hold its upper end and the NRO stay in use,
    up to the nodes from which one way leads to something shared. None where one of the two has no such node.
    """
    network, graph = loop.network, loop.graph
    kind = network.assets["kind"].to_numpy()
    at_top = graph.vertex_asset[graph.vertex_of == leg.top]
    held = np.unique(np.concatenate([leg.assets, loop.own, at_top]))
    a, b = _links_among(network, held)
    is_way, is_node = kind == "cheminement", kind == "noeud"
    cables = leg.assets[kind[leg.assets] == "cable"]
    part = _parts(np.setdiff1d(held, np.union1d(loop.shared, cables)), a, b)
    # ways of the leg that are shared, or that join something shared
    joins = is_way[a] & np.isin(a, leg.assets) & np.isin(b, loop.shared)
    leads = np.union1d(a[joins], loop.shared[is_way[loop.shared]])
    doors, kept = [], [cables]
    for base in (at_top, loop.own):
        inside = part.index[part.isin(part[part.index.isin(base)])].to_numpy()
        found = a[np.isin(a, inside) & is_node[a] & np.isin(b, leads)]
        if not len(found):
            return None
        doors.append(int(found.min()))
        kept.append(np.intersect1d(inside, leg.assets))
    return (doors[0], doors[1]), np.unique(np.concatenate(kept)).astype(np.int32)


def _links_among(network: Network, assets: Long) -> tuple[Long, Long]:
    """Give the links between some assets, each in both directions."""
    among = np.zeros(len(network.assets), np.bool_)
    among[assets] = True
    a, b = (network.links[name].to_numpy(np.int64) for name in ("a", "b"))
    kept = among[a] & among[b]
    return np.concatenate([a[kept], b[kept]]), np.concatenate([b[kept], a[kept]])


def _parts(assets: Long, a: Long, b: Long) -> "pd.Series[int]":
    """Give, by asset, the number of the part in which links hold it to others of the list."""
    inside = np.isin(a, assets) & np.isin(b, assets)
    rows, columns = (np.searchsorted(assets, ends[inside]) for ends in (a, b))
    return pd.Series(connected_parts(len(assets), rows, columns), index=assets)
