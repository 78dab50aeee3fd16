"""What measures avoid, alone and together: differences of the network's loss, never sums over assets.

For `resilience.plan`. The loss avoided by a set of measures is a sum of terms, one for each group of
measures that interact (the Möbius transform of the loss). The loss by rates is exact and needs no draws:
hours out of service times prises cut, both of which measures change. The loss by events is drawn, and there
prises fall into *classes*, those that the same measures can affect: in the draws of one seed the loss of a
class depends on these measures only, so that measures without a class in common are evaluated in one go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.interactions import (
    Classes,
    Event,
    Float,
    Term,
    acts_in_events,
    classes_of,
    growing,
    interactions,
)
from resilience.loss import Tail, shares_of_year
from resilience.loss.events import events_of
from resilience.loss.means import drawn
from resilience.loss.workers import HERE, Problem, Workers
from resilience.losses import LossIndex, index_graph, losses_of_sets, with_weights
from resilience.measures import Candidates, Situation
from resilience.measures.effects import keys_with_works, linked_graph, replaced
from resilience.parameters import Level

Terms = dict[Term, float]

__all__ = [
    "Benefits",
    "Classes",
    "Sampling",
    "class_losses",
    "classes_of",
    "joint_benefits",
    "single_benefits",
]

MOST_EVALUATIONS = 40
"""Losses of the whole network that may be drawn for the interactions in events, the largest ones first."""
MOST_GRAPHS = 300
"""Graphs with second paths that may be walked for the interactions in the loss by rates."""
_KEPT = 20_000_000  # numbers in the indexes that are kept for another evaluation: 160 MB
_COLUMNS = 32  # classes looked at in one pass: bounds memory to as many numbers a vertex


@dataclass(frozen=True)
class Sampling:
    """How losses are computed; the same for every evaluation, so that they can be compared.

    Attributes
    ----------
    seed, draws : int
    tail : {"none", "constant", "linear"}
        See `resilience.loss.annual_loss`.
    workers : Workers
        From `resilience.loss.workers`: where draws are evaluated; they change no number.
    """

    seed: int
    draws: int = 1000
    tail: Tail = "constant"
    workers: Workers = HERE


@dataclass(frozen=True)
class Benefits:
    """Prises·h per year avoided by any set of measures: the sum of the terms that the set contains.

    Attributes
    ----------
    terms : mapping of sorted tuple of measures to float
        Each measure alone, then what groups avoid more (or less) than their parts.
    order : int
        Size of the largest group looked at.
    neglected : float
        Bound, in the mean of the draws, on the sum of the terms that were left out, in prises·h per year.
    evaluations : int
        Losses of the whole network that were drawn for this.
    """

    terms: Mapping[Term, float]
    order: int
    neglected: float
    evaluations: int

    def of(self, chosen: Iterable[int]) -> float:
        """Give the prises·h per year that a set of measures avoids."""
        inside = set(chosen)
        return float(sum(gain for term, gain in self.terms.items() if inside.issuperset(term)))


def joint_benefits(
    today: Situation, candidates: Candidates, classes: Classes, level: Level, sampling: Sampling
) -> Benefits:
    """Give what any set of measures avoids, with the interactions that the limits of this module allow.

    Parameters
    ----------
    today : Situation
        Of `level`.
    candidates : Candidates
    classes : Classes
        From `classes_of`.
    level : {"low", "central", "high"}
    sampling : Sampling

    Notes
    -----
    Two measures can interact in events where they share a class and both change what fails there or how
    light runs; in the loss by rates, a second path interacts with all that it protects. Groups of which
    two measures exclude each other are left out.
    """
    events = _Evaluations(today, candidates, classes, level, sampling)
    acts = acts_in_events(candidates, level)
    terms: Terms = {(n,): events.gain((n,)) if acts[n] else 0.0 for n in range(len(acts))}
    neglected, limit = 0.0, events.count_with([]) + MOST_EVALUATIONS
    for group, most in interactions(today, candidates, classes, level, sampling.tail):
        if events.count_with([group]) <= limit:
            terms[group] = events.gain(group)
        else:
            neglected += most
    rates = _RateLosses(today, candidates, level)
    for groups in growing(np.array(sorted(candidates.links), np.int64), classes, candidates):
        if rates.count_with(groups) > MOST_GRAPHS and len(groups[0]) > 1:
            neglected = np.inf
            break
        _add(terms, rates.terms(groups))
    _add(terms, rates.terms([()]))
    order = max((len(term) for term in terms), default=1)
    return Benefits(terms, order, float(neglected), events.count_with([]))


def single_benefits(
    today: Situation, candidates: Candidates, classes: Classes, level: Level, sampling: Sampling
) -> Float:
    """Give the prises·h per year that each measure avoids alone, (n_measures,) float64."""
    events = _Evaluations(today, candidates, classes, level, sampling)
    acts = acts_in_events(candidates, level)
    rates = _RateLosses(today, candidates, level)
    terms = rates.terms([(), *((number,) for number in sorted(candidates.links))])
    alone = [events.gain((n,)) if acts[n] else 0.0 for n in range(len(acts))]
    return np.array([gain + terms.get((n,), 0.0) for n, gain in enumerate(alone)], np.float64)


def class_losses(situation: Situation, weights: NDArray[np.int64], sampling: Sampling) -> Float:
    """Give the expected prises·h per year of each class of prises, by events and by rates.

    Parameters
    ----------
    situation : Situation
    weights : (n, n_classes) int64
        Prises of each class at the first n vertices of the graph; the others hold none.
    sampling : Sampling

    Returns
    -------
    (n_classes,) float64
        Their sum is that of `resilience.loss.network_loss`.
    """
    happening = situation.rates[situation.rates["rate_per_year"] > 0]
    hours = (happening["rate_per_year"] * happening["repair_h"]).to_numpy(np.float64)
    cut = _cut_alone(situation.graph, weights, happening["asset"].to_numpy(np.int32))
    shares = shares_of_year(situation.failures, sampling.tail)
    return _event_losses(situation, _indexes(situation.graph, weights), sampling, shares) + hours @ cut


def _event_losses(
    situation: Situation, indexes: Sequence[LossIndex], sampling: Sampling, shares: Mapping[Event, float]
) -> Float:
    """Give the expected prises·h per year of each class, some of them an index, in all events."""
    events = tuple(
        events_of(situation.graph, situation.failures, asset_keys=situation.asset_keys, seed=sampling.seed)
    )
    parts = [np.zeros(0)]
    for index in indexes:
        total = np.zeros(index.prefix.shape[1])
        costs = drawn(Problem(index, events), sampling.draws, None, sampling.workers)
        for event, (_, hours) in zip(events, costs, strict=True):
            total += shares[event.hazard, event.scenario] * (hours.sum(axis=0) / sampling.draws)
        parts.append(total)
    return np.concatenate(parts)


def _indexes(graph: ServiceGraph, weights: NDArray[np.int64]) -> list[LossIndex]:
    """Index the graph for a few classes at a time."""
    if not weights.shape[1]:
        return []
    padded = _padded(weights, graph)
    whole = index_graph(graph, padded[:, :1])
    return [
        with_weights(whole, padded[:, first : first + _COLUMNS])
        for first in range(0, padded.shape[1], _COLUMNS)
    ]


def _cut_alone(
    graph: ServiceGraph, weights: NDArray[np.int64], assets: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Give what each asset cuts alone, (n_assets, n_classes)."""
    index = index_graph(graph, _padded(weights, graph))
    return losses_of_sets(index, np.arange(len(assets) + 1, dtype=np.int64), assets)


class _Evaluations:
    """Losses by events, class by class, for sets of colours; each is drawn once."""

    def __init__(
        self, today: Situation, candidates: Candidates, classes: Classes, level: Level, sampling: Sampling
    ) -> None:
        self._shares = shares_of_year(today.failures, sampling.tail)
        # what cannot fail is no part of any draw
        self.today = replace(today, failures=today.failures[today.failures["p"] > 0])
        self.candidates, self.classes, self.sampling = candidates, classes, sampling
        self.level: Level = level
        self._losses: dict[frozenset[int], Float] = {}
        self._acts = acts_in_events(candidates, level)
        self._keys = keys_with_works(today, candidates)
        self._graphs: dict[Term, tuple[ServiceGraph, list[LossIndex]]] = {}

    def gain(self, group: Term) -> float:
        """Give what a group avoids beyond its parts, over the classes that all of it affects."""
        of = self.classes.members[:, list(group)].all(axis=1)
        gain = np.zeros(int(of.sum()))
        for part in _parts(group):
            gain -= (-1) ** (len(group) - len(part)) * self._after(part)[of]
        return float(gain.sum())

    def count_with(self, groups: Iterable[Term]) -> int:
        """Count the losses that were or would be drawn."""
        parts = {self._colours(part) for group in groups for part in _parts(group)}
        return len(self._losses.keys() | parts)

    def _colours(self, group: Iterable[int]) -> frozenset[int]:
        return frozenset(int(self.classes.colour[number]) for number in group)

    def _after(self, group: Term) -> Float:
        colours = self._colours(group)
        if colours not in self._losses:
            chosen = np.flatnonzero(np.isin(self.classes.colour, list(colours)) & self._acts).tolist()
            links = tuple(number for number in chosen if number in self.candidates.links)
            graph, indexes = self._walked(links)
            failures = replaced(self.today.failures, self.candidates.failures[self.level], chosen)
            after = Situation(graph, self._keys, failures, self.today.rates)
            self._losses[colours] = _event_losses(after, indexes, self.sampling, self._shares)
        return self._losses[colours]

    def _walked(self, links: Term) -> tuple[ServiceGraph, list[LossIndex]]:
        """Give the graph with some second paths and its indexes, kept while they are small."""
        if links in self._graphs:
            return self._graphs[links]
        graph = linked_graph(self.today.graph, self.candidates, links)
        indexes = _indexes(graph, self.classes.weights)
        if (len(self._graphs) + 1) * self.classes.weights.size < _KEPT:
            self._graphs[links] = graph, indexes
        return graph, indexes


class _RateLosses:
    """Losses by rates: hours out of service, which measures change, times prises cut, which links change."""

    def __init__(self, today: Situation, candidates: Candidates, level: Level) -> None:
        self.today, self.candidates = today, candidates
        self.level: Level = level
        key = ["asset", "mechanism"]
        changes = candidates.rates[level]
        hours_before = pd.Series(
            (today.rates["rate_per_year"] * today.rates["repair_h"]).to_numpy(np.float64),
            pd.MultiIndex.from_frame(today.rates[key]),
        )
        self._assets = np.union1d(today.rates["asset"], changes["asset"]).astype(np.int32)
        row = np.searchsorted(self._assets, today.rates["asset"].to_numpy())
        self._hours = np.bincount(row, weights=hours_before.to_numpy(), minlength=len(self._assets))
        was = hours_before.reindex(pd.MultiIndex.from_frame(changes[key])).fillna(0.0).to_numpy(np.float64)
        gone = was - (changes["rate_per_year"] * changes["repair_h"]).to_numpy(np.float64)
        at, measure = np.searchsorted(self._assets, changes["asset"]), changes["measure"].to_numpy(np.int64)
        self._saved = [
            (number, at[measure == number], gone[measure == number]) for number in np.unique(measure).tolist()
        ]
        self._cuts: dict[Term, Float] = {}

    def terms(self, groups: Iterable[Term]) -> Terms:
        """Give the terms that groups of links, and each measure with them, add to what is avoided."""
        found: Terms = {}
        for group in groups:
            cut = sum((-1) ** (len(group) - len(part)) * self._cut(part) for part in _parts(group))
            if group:
                _add(found, {group: -float(self._hours @ cut)})
            for number, rows, hours in self._saved:
                _add(found, {tuple(sorted({number, *group})): float(hours @ cut[rows])})
        return found

    def count_with(self, groups: Iterable[Term]) -> int:
        """Count the graphs that were or would be walked."""
        return len(self._cuts.keys() | set(groups))

    def _cut(self, links: Term) -> Float:
        if links not in self._cuts:
            graph = linked_graph(self.today.graph, self.candidates, links)
            weights = self.today.graph.prises[:, None]
            self._cuts[links] = _cut_alone(graph, weights, self._assets)[:, 0].astype(np.float64)
        return self._cuts[links]


def _parts(group: Term) -> Iterator[Term]:
    for size in range(len(group) + 1):
        yield from combinations(group, size)


def _add(terms: Terms, more: Mapping[Term, float]) -> None:
    for term, gain in more.items():
        terms[term] = terms.get(term, 0.0) + gain


def _padded(weights: NDArray[np.int64], graph: ServiceGraph) -> NDArray[np.int64]:
    padded = np.zeros((graph.n_vertices, weights.shape[1]), np.int64)
    padded[: len(weights)] = weights
    return padded
