"""How many prises each measure makes safer from something, counted once each."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.losses import LossIndex, index_graph, losses_of_sets, times_lost
from resilience.measures.links import with_second_paths
from resilience.measures.types import Candidates, Int, Link, Situation


def prises_secured(today: Situation, candidates: Candidates, index: LossIndex) -> NDArray[np.int64]:
    """Count, for each measure, the traced prises for which a failure goes away or becomes rarer, each once.

    Parameters
    ----------
    today : Situation
        Of the central level.
    candidates : Candidates
    index : LossIndex
        Of today's graph.

    Returns
    -------
    (n_measures,) int64
    """
    secured = np.zeros(len(candidates.measures), np.int64)
    for number, treated in _lowered(today, candidates).items():
        secured[number] = losses_of_sets(index, np.array([0, len(treated)]), treated)[0, 0]
    for number, link in candidates.links.items():
        secured[number] = _saved_by(link, today.graph, index)
    return secured


def _saved_by(link: Link, graph: ServiceGraph, index: LossIndex) -> int:
    """Count the prises that a second path saves from something: each alone that it protects the room from.

    What cuts the room may also carry its distribution, which the new path does not save. Nothing that it
    protects from cuts more than before, so a vertex is saved from something where fewer of them cut it.
    """
    before = times_lost(index, link.protects)
    lost = np.flatnonzero(before)
    part, number, edge_number = _part(graph, lost, link.protects)
    moved = Link(
        room=int(number[link.room]),
        anchor=int(number[link.anchor]),
        relays=np.unique(number[link.relays]),
        protects=np.arange(len(link.protects), dtype=np.int32),
        carriers=np.empty(0, np.int32),
        dug_m=link.dug_m,
        wet=link.wet,
        replaces=edge_number[link.replaces].astype(np.int64),
    )
    built = with_second_paths(part, [moved])
    after = times_lost(index_graph(built, built.prises[:, None]), moved.protects)
    return int(graph.prises[lost][before[lost] > after[1 : len(lost) + 1]].sum())


def _part(
    graph: ServiceGraph, inside: NDArray[np.int64], failing: Int
) -> tuple[ServiceGraph, NDArray[np.int64], Int]:
    """Give the graph of some vertices (1, 2, ...), the others being the root, and the numbers there.

    Numbers of vertices, 0 outside, and of edges, -1 outside.

    Where none of the others is lost with any of the failing assets, those cut in this graph, as 0, 1, ...,
    what they cut in the whole: the last step of a path into the part comes from a vertex that is served.
    """
    number = np.zeros(graph.n_vertices, np.int64)
    number[inside] = np.arange(1, len(inside) + 1)
    edges = np.flatnonzero((number[graph.tail] > 0) | (number[graph.head] > 0))
    edge_number = np.full(len(graph.tail), -1, np.int32)
    edge_number[edges] = np.arange(len(edges), dtype=np.int32)
    fails = np.zeros(graph.n_assets, np.bool_)
    fails[failing] = True
    at_vertex = fails[graph.vertex_asset] & (number[graph.vertex_of] > 0)
    at_edge = fails[graph.edge_asset] & (edge_number[graph.edge_of] >= 0)
    none = np.empty(0, np.int32)
    part = ServiceGraph(
        n_vertices=len(inside) + 1,
        n_assets=len(failing),
        tail=number[graph.tail[edges]].astype(np.int32),
        head=number[graph.head[edges]].astype(np.int32),
        ambiguous=graph.ambiguous[edges],
        vertex_asset=np.searchsorted(failing, graph.vertex_asset[at_vertex]).astype(np.int32),
        vertex_of=number[graph.vertex_of[at_vertex]].astype(np.int32),
        edge_asset=np.searchsorted(failing, graph.edge_asset[at_edge]).astype(np.int32),
        edge_of=edge_number[graph.edge_of[at_edge]],
        possible_asset=none,
        possible_vertex=none,
        prises=np.concatenate([[0], graph.prises[inside]]),
    )
    return part, number, edge_number


def _lowered(today: Situation, candidates: Candidates) -> dict[int, Int]:
    """Give, by measure, the assets of today that it makes fail more rarely, or for less long."""
    found = []
    for before, changes, often, event in (
        (today.failures, candidates.failures["central"], "p", ["hazard", "scenario"]),
        (today.rates, candidates.rates["central"], "rate_per_year", []),
    ):
        rows = changes.merge(before, on=["asset", "mechanism", *event], suffixes=("", "_before"))
        better = rows[often] * rows["repair_h"] < rows[f"{often}_before"] * rows["repair_h_before"]
        found.append(rows.loc[better, ["measure", "asset"]])
    pairs = pd.concat(found).drop_duplicates().sort_values(["measure", "asset"])
    pairs = pairs[~pairs["measure"].isin(list(candidates.links))]
    return {
        int(str(number)): of["asset"].to_numpy(np.int32) for number, of in pairs.groupby("measure", sort=True)
    }
