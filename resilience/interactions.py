"""Which measures can interact, and by how much at most.

For `resilience.benefits`. Prises fall into classes by the measures that can affect them in events; measures
interact only within a class, and a bound says which groups are worth an evaluation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.loss import Tail, shares_of_year
from resilience.losses import behind_losses_of_assets, index_graph, losses_of_assets, vertices_behind
from resilience.measures import Candidates, Situation, apply
from resilience.parameters import Level

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Term = tuple[int, ...]
Event = tuple[str, str]

_FLOOR = 1e-6  # share of the largest loss by events below which an interaction is not looked at
_COLUMNS = 32  # ends of second paths looked at in one pass: bounds memory to as many numbers a vertex


@dataclass(frozen=True)
class Classes:
    """Prises by the measures that can affect them in events.

    Attributes
    ----------
    members : (n_classes, n_measures) bool
    weights : (n_vertices, n_classes) int64
        Prises of each class at each vertex of today's graph.
    colour : (n_measures,) int
        Measures of one colour have no class in common.
    """

    members: Bool
    weights: NDArray[np.int64]
    colour: NDArray[np.int64]


def classes_of(today: Situation, candidates: Candidates) -> Classes:
    """Sort the prises by the measures that can affect them in events.

    A measure can affect the prises that have one of its objects, or its new link, on a simple path from a
    feed, today or once every second path is there.
    """
    n_measures, graph = len(candidates.measures), today.graph
    every = apply(today, candidates, candidates.links, "central").graph
    before, after = (index_graph(one, one.prises[:, None]) for one in (graph, every))
    stands = np.flatnonzero(graph.prises > 0)
    touched = np.zeros((len(stands), n_measures), np.bool_)
    changes = pd.concat(
        [rows[["asset", "measure"]] for rows in candidates.failures.values()]
    ).drop_duplicates()
    for number in range(n_measures):
        assets = changes.loc[changes["measure"] == number, "asset"].to_numpy(np.int32)
        assets = np.unique(np.append(assets, np.int32(graph.n_assets + number)))
        touched[:, number] = vertices_behind(after, assets)[stands]
        touched[:, number] |= vertices_behind(before, assets[assets < graph.n_assets])[stands]
    members, row = np.unique(touched, axis=0, return_inverse=True)
    weights = np.zeros((graph.n_vertices, len(members)), np.int64)
    weights[stands, row.reshape(-1)] = graph.prises[stands]
    concerned = members.any(axis=1)
    return Classes(members[concerned], weights[:, concerned], _colours(members[concerned], n_measures))


def interactions(
    today: Situation, candidates: Candidates, classes: Classes, level: Level, tail: Tail
) -> list[tuple[Term, float]]:
    """List the groups that may interact in events, each with a bound on its term, the largest bound first.

    A measure that changes what fails matters in a draw only where something of it fails, before or after,
    and then for the longest of these repairs at most: a term is at most 2**(size - 1) x the mean over
    events of the probability that all of the group matter x hours x prises that all of it can affect.
    """
    shares = shares_of_year(today.failures, tail)
    if not shares:
        return []
    touched, hours = _when_it_matters(today, candidates, level, list(shares))
    weight = np.array(list(shares.values()))
    prises = classes.weights.sum(axis=0)

    def bound(group: Term) -> float:
        together = float(weight @ touched[list(group)].prod(axis=0)) * float(hours[list(group)].min())
        return together * float(prises[classes.members[:, list(group)].all(axis=1)].sum())

    every = float((today.failures["p"] * today.failures["repair_h"]).max()) * float(prises.sum())
    floor = _FLOOR * every * float(weight.sum())
    found: list[tuple[Term, float]] = []
    numbers = np.flatnonzero(acts_in_events(candidates, level))
    for groups in growing(numbers, classes, candidates, lambda group: bound(group) > floor):
        found += [(group, 2.0 ** (len(group) - 1) * bound(group)) for group in groups if len(group) > 1]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _when_it_matters(
    today: Situation, candidates: Candidates, level: Level, events: Sequence[Event]
) -> tuple[Float, Float]:
    """Give the probability that each measure matters in each event, and for how many hours at most.

    A second path matters where something fails that one of its ends depends on and the other does not.
    """
    n = len(candidates.measures)
    changes = candidates.failures[level]
    changes = changes[~changes["measure"].isin(candidates.links)]
    key = ["asset", "hazard", "scenario", "mechanism"]
    before = today.failures[[*key, "p", "repair_h"]].rename(columns={"p": "was", "repair_h": "lasted"})
    rows = changes.merge(before, on=key, how="left")
    rows = rows.assign(p=rows[["p", "was"]].max(axis=1), repair_h=rows[["repair_h", "lasted"]].max(axis=1))
    hours = np.zeros(n)
    np.maximum.at(hours, rows["measure"].to_numpy(np.int64), rows["repair_h"].to_numpy(np.float64))
    longest = max(float(today.failures["repair_h"].max()), float(hours.max(initial=0.0)))
    parts = [rows[["measure", "hazard", "scenario", "p"]]]
    for number, depends in _dependence(today.graph, candidates).items():
        failing = today.failures.loc[depends[today.failures["asset"]], ["hazard", "scenario", "p"]]
        parts.append(failing.assign(measure=number))
        hours[number] = longest
    every = pd.concat(parts, ignore_index=True)
    at = pd.MultiIndex.from_tuples(events, names=["hazard", "scenario"])
    column = at.get_indexer(pd.MultiIndex.from_frame(every[["hazard", "scenario"]]))
    survives = np.ones((n, len(events)))
    p = every["p"].fillna(0.0).to_numpy(np.float64)
    np.multiply.at(survives, (every["measure"].to_numpy(np.int64), column), 1.0 - p)
    return 1.0 - survives, hours


def _dependence(graph: ServiceGraph, candidates: Candidates) -> dict[int, Bool]:
    """Tell, for each second path, on which assets one of its ends depends and the other does not wholly."""
    if not candidates.links:
        return {}
    ends = np.unique([(link.room, link.anchor) for link in candidates.links.values()])
    behind, cut = [], []
    for first in range(0, len(ends), _COLUMNS):
        weights = np.zeros((graph.n_vertices, len(ends[first : first + _COLUMNS])), np.int64)
        weights[ends[first : first + _COLUMNS], np.arange(weights.shape[1])] = 1
        index = index_graph(graph, weights)
        behind.append(behind_losses_of_assets(index) > 0)
        cut.append(losses_of_assets(index) > 0)
    any_route, each_route = np.concatenate(behind, axis=1), np.concatenate(cut, axis=1)
    found = {}
    for number, link in candidates.links.items():
        a, b = np.searchsorted(ends, [link.room, link.anchor])
        found[number] = (any_route[:, a] & ~each_route[:, b]) | (any_route[:, b] & ~each_route[:, a])
        # with an end itself down, its second path is of no use
        found[number][graph.vertex_asset[np.isin(graph.vertex_of, [link.room, link.anchor])]] = False
    return found


def acts_in_events(candidates: Candidates, level: Level) -> Bool:
    """Tell which measures change what fails in events, or how light runs."""
    numbers = np.arange(len(candidates.measures))
    return np.isin(numbers, candidates.failures[level]["measure"]) | np.isin(numbers, list(candidates.links))


def growing(
    numbers: NDArray[np.int64],
    classes: Classes,
    candidates: Candidates,
    counts: Callable[[Term], bool] = lambda _: True,
) -> Iterator[Sequence[Term]]:
    """Give the groups of measures that share a class, by size from 1 on, without those in exclusion.

    A group grows only from one that counts.
    """
    excluded = {frozenset(pair) for pair in candidates.exclusions.tolist()}
    known = set(numbers.tolist())
    members = {tuple(n for n in np.flatnonzero(row).tolist() if n in known) for row in classes.members}
    grown: set[Term] = {(number,) for number in known}
    while grown:
        yield sorted(grown)
        inside = [(one, set(one)) for one in sorted(members) if len(one) > len(next(iter(grown)))]
        grown = {
            (*group, number)
            for group in grown
            for one, whole in inside
            if whole.issuperset(group)
            for number in one
            if number > group[-1] and not any(frozenset((other, number)) in excluded for other in group)
        }
        grown = {group for group in grown if counts(group)}


def _colours(members: Bool, n_measures: int) -> NDArray[np.int64]:
    """Give each measure the first colour that no measure of its classes has."""
    meets = (members.astype(np.int64).T @ members.astype(np.int64)) > 0
    colour = np.full(n_measures, -1, np.int64)
    for number in range(n_measures):
        taken = set(colour[meets[number] & (colour >= 0)].tolist())
        colour[number] = next(c for c in range(n_measures + 1) if c not in taken)
    return colour
