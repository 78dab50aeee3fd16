"""The sampled model of a plan: every loss that an option can avoid, as needs, their routes and their cures.

For `resilience.plan`. The loss of the network under any set of options is that of a finite list of states
(the draws of each event, and each asset that fails by a rate); a prise that is down in a state is served
again as soon as all that failed on one of its routes is cured, or a second path is built. So the model is

    avoided(X) = sum over needs of weight x [some route of it has each of its cures in X]

less what is so already with no option at all. It is exact on these draws but for two things: a piece of the
network keeps `MOST_ROUTES` routes, and options on one bearer do not combine in events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.choice.routes import Needs, PieceIndex, index_pieces, routes_of_states
from resilience.choice.states import Cures, Drawing, States, states_by_events, states_by_rates
from resilience.loss import Sampling, shares_of_year
from resilience.loss.draws import distinct_sets
from resilience.losses import losses_of_assets, with_weights
from resilience.measures import Candidates, Situation
from resilience.measures.effects import keys_with_works, possible_graph
from resilience.parameters import LEVELS, Level
from resilience.spanning import Bool, Long

Float = NDArray[np.float64]
_MEMBERS = 2_000_000  # members of states whose routes are sought at once


@dataclass(frozen=True)
class Sampled:
    """What options avoid, as compressed rows: needs of routes, routes of cures, cures of options.

    Attributes
    ----------
    n_options : int
    weight : (n_needs,) float64
        Prises·h per year.
    cause : (n_needs,) int64
        Row of `causes`.
    causes : tuple of str
        Hazards, and mechanisms that have a rate.
    route_ptr : (n_needs + 1,) int64
    cure_ptr : (n_routes + 1,) int64
    cure : (cure_ptr[-1],) int64
    option_ptr : (n_cures + 1,) int64
    option : (option_ptr[-1],) int64
        Any of which cures; ``~k`` = option k not being taken. Cure 0 has none, and no route needs it.
    """

    n_options: int
    weight: Float
    cause: Long
    causes: tuple[str, ...]
    route_ptr: Long
    cure_ptr: Long
    cure: Long
    option_ptr: Long
    option: Long

    def served(self, taken: Bool) -> Bool:
        """Tell which needs are met by a set of options, (n_needs,) bool."""
        here = np.where(self.option >= 0, taken[self.option], ~taken[~self.option])
        return _any(_all(_any(here, self.option_ptr)[self.cure], self.cure_ptr), self.route_ptr)

    def value(self, taken: Bool) -> float:
        """Give the prises·h per year that a set of options avoids."""
        return float(self.weight @ self.served(taken)) - self.value_of_nothing

    @cached_property
    def value_of_nothing(self) -> float:
        """Prises·h per year of what is met with no option at all: what options could make fail."""
        return float(self.weight @ self.served(np.zeros(self.n_options, np.bool_)))


def sampled_model(today: Situation, candidates: Candidates, level: Level, sampling: Sampling) -> Sampled:
    """Build the model from the draws of every event and from the rates.

    Parameters
    ----------
    today : Situation
        Of `level`.
    candidates : Candidates
    level : {"low", "central", "high"}
    sampling : Sampling
    """
    return _model(today, candidates, level, sampling, _paths(today, candidates))


def sampled_models(
    today: Mapping[Level, Situation], candidates: Candidates, sampling: Sampling
) -> dict[Level, Sampled]:
    """Build the model of each level; the network is walked once for all of them.

    Parameters
    ----------
    today : mapping of Level to Situation
        Of one graph.
    candidates, sampling
        As for `sampled_model`.
    """
    paths = _paths(today["central"], candidates)
    return {level: _model(today[level], candidates, level, sampling, paths) for level in LEVELS}


def _paths(today: Situation, candidates: Candidates) -> tuple[PieceIndex, Cures, Bool]:
    """Lay every second path that could be built; tell which assets cut an end of one."""
    cures = Cures()
    graph, conditions = possible_graph(today.graph, candidates)
    pieces = index_pieces(graph, [[cures.number((one,)) for one in asked] for asked in conditions])
    return pieces, cures, _concerned(pieces, graph, len(conditions))


def _model(
    today: Situation,
    candidates: Candidates,
    level: Level,
    sampling: Sampling,
    paths: tuple[PieceIndex, Cures, Bool],
) -> Sampled:
    pieces, cures, concerned = paths
    serves = np.diff(pieces.owned.ptr) > 0
    failures, rates = (table[serves[table["asset"]]] for table in (today.failures, today.rates))
    changed_p, changed_rates = (
        table[level][serves[table[level]["asset"]]] for table in (candidates.failures, candidates.rates)
    )
    drawing = Drawing(
        keys_with_works(today, candidates), sampling.seed, sampling.draws,
        shares_of_year(pd.concat([failures, changed_p]), sampling.tail),
    )  # fmt: skip
    parts: dict[str, list[_Part]] = {}
    for cause, states in chain(
        states_by_rates(
            rates,
            changed_rates,
            concerned,
            cures,
            exclusions=[(int(a), int(b)) for a, b in candidates.exclusions],
        ),
        states_by_events(failures, changed_p, drawing, cures),
    ):
        parts.setdefault(cause, []).append(_compressed(pieces, states))
    causes = tuple(sorted(parts))
    option_ptr, option = cures.rows()
    joined = {cause: _possible(_joined(parts[cause]), option_ptr, option) for cause in causes}
    every = _laid([joined[cause] for cause in causes])
    return Sampled(
        n_options=len(candidates.measures),
        weight=every.weight,
        cause=np.repeat(np.arange(len(causes)), [len(joined[cause].weight) for cause in causes]),
        causes=causes,
        route_ptr=every.route_ptr,
        cure_ptr=every.cure_ptr,
        cure=every.cure,
        option_ptr=option_ptr,
        option=option,
    )


def alone(model: Sampled) -> Float:
    """Give the prises·h per year that each option avoids alone, (n_options,) float64."""
    n = model.n_options
    gained = np.zeros(n)
    if not len(model.weight):
        return gained
    need_of = np.repeat(np.arange(len(model.weight)), np.diff(model.route_ptr))
    route_of = np.repeat(np.arange(len(need_of)), np.diff(model.cure_ptr))
    open_now = _any(model.option < 0, model.option_ptr)[model.cure]
    missing = np.bincount(route_of[~open_now], minlength=len(need_of))
    served = _any(missing == 0, model.route_ptr)
    # each option of each cure of each route
    size = np.diff(model.option_ptr)[model.cure]
    entry = np.repeat(np.arange(len(model.cure)), size)
    option = model.option[
        np.arange(len(entry)) - np.repeat(np.cumsum(size) - size, size) + model.option_ptr[model.cure][entry]
    ]
    route = route_of[entry]
    helps = (option >= 0) & ~served[need_of[route]]
    by, count = np.unique(route[helps] * n + option[helps], return_counts=True)
    shut = np.unique(route[option < 0] * n + ~option[option < 0])
    opens = (count == missing[by // n]) & ~np.isin(by, shut)
    pairs = np.unique(need_of[by[opens] // n] * n + by[opens] % n)
    gained += np.bincount(pairs % n, model.weight[pairs // n], n)
    # what an option makes fail: every route of the need that works today asks for its absence
    harms = (option < 0) & (missing[route] == 0)
    by = np.unique(route[harms] * n + ~option[harms])
    need, count = np.unique(need_of[by // n] * n + by % n, return_counts=True)
    works = np.bincount(need_of[missing == 0], minlength=len(model.weight))
    closes = need[count == works[need // n]]
    return gained - np.bincount(closes % n, model.weight[closes // n], n)


def without_causes(model: Sampled) -> Sampled:
    """Put together what differs by its cause only."""
    part = _joined([_Part(model.weight, model.route_ptr, model.cure_ptr, model.cure)])
    return replace(
        model, weight=part.weight, cause=np.zeros(len(part.weight), np.int64), causes=("",),
        route_ptr=part.route_ptr, cure_ptr=part.cure_ptr, cure=part.cure,
    )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """Needs whose weights have been put together."""

    weight: Float
    route_ptr: Long
    cure_ptr: Long
    cure: Long


def _concerned(pieces: PieceIndex, graph: ServiceGraph, n_links: int) -> Bool:
    """Tell which assets cut an end of a second path when they fail alone."""
    ends = np.concatenate([graph.tail[len(graph.tail) - n_links :], graph.head[len(graph.head) - n_links :]])
    weights = np.zeros((graph.n_vertices, 1), np.int64)
    weights[ends] = 1
    return losses_of_assets(with_weights(pieces.index, weights))[:, 0] > 0


def _compressed(pieces: PieceIndex, states: States) -> _Part:
    """Find the routes of some states, a few states at a time, and put equal needs together."""
    found = []
    first = 0
    while first < len(states.hours):
        last = max(
            first + 1, int(np.searchsorted(states.indptr, states.indptr[first] + _MEMBERS, "right")) - 1
        )
        of = slice(states.indptr[first], states.indptr[last])
        needs = routes_of_states(
            pieces,
            states.indptr[first : last + 1] - states.indptr[first],
            states.assets[of],
            states.cures[of],
        )
        found.append(_equal_together(needs, states.hours[first:last][needs.state]))
        first = last
    return _joined(found)


def _equal_together(needs: Needs, hours: Float) -> _Part:
    """Add the weights of needs that have the same routes; those met first come first."""
    route, _ = distinct_sets(needs.cure, needs.cure_ptr[:-1], needs.cure_ptr[1:])
    need, need_first = distinct_sets(route, needs.route_ptr[:-1], needs.route_ptr[1:])
    weight = np.bincount(need, needs.prises * hours, len(need_first))
    return _taken(_Part(weight.astype(np.float64), needs.route_ptr, needs.cure_ptr, needs.cure), need_first)


def _possible(part: _Part, option_ptr: Long, option: Long) -> _Part:
    """Leave out routes that ask for one option to be taken and not to be, and needs that have no other."""
    single = np.diff(option_ptr) == 1
    only = np.where(single[part.cure], option[np.minimum(option_ptr[part.cure], len(option) - 1)], 0)
    route = np.repeat(np.arange(len(part.cure_ptr) - 1), np.diff(part.cure_ptr))
    base = int(np.abs(option).max(initial=0)) + 2
    wanted = route[single[part.cure] & (only >= 0)] * base + only[single[part.cure] & (only >= 0)]
    unwanted = route[only < 0] * base + ~only[only < 0]
    impossible = np.zeros(len(part.cure_ptr) - 1, np.bool_)
    impossible[np.intersect1d(wanted, unwanted) // base] = True
    if not impossible.any():
        return part
    need = np.repeat(np.arange(len(part.weight)), np.diff(part.route_ptr))
    left = np.bincount(need[~impossible], minlength=len(part.weight))
    cures, cure_ptr = rows_of(part.cure_ptr, np.flatnonzero(~impossible))
    route_ptr = np.concatenate([[0], np.cumsum(left[left > 0])]).astype(np.int64)
    return _Part(part.weight[left > 0], route_ptr, cure_ptr, part.cure[cures])


def _taken(part: _Part, rows: NDArray[np.integer]) -> _Part:
    """Keep some needs, with weights in their order."""
    routes, route_ptr = rows_of(part.route_ptr, rows)
    cures, cure_ptr = rows_of(part.cure_ptr, routes)
    return _Part(part.weight, route_ptr, cure_ptr, part.cure[cures])


def rows_of(ptr: Long, rows: NDArray[np.integer]) -> tuple[Long, Long]:
    """Give the places of some compressed rows, and the pointers of what is taken."""
    size = (ptr[1:] - ptr[:-1])[rows]
    new = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    return np.arange(new[-1]) + np.repeat(ptr[:-1][rows] - new[:-1], size), new


def _joined(parts: list[_Part]) -> _Part:
    every = _laid(parts)
    needs = Needs(
        np.empty(0, np.int64),
        np.ones(len(every.weight), np.int64),
        every.route_ptr,
        every.cure_ptr,
        every.cure,
    )
    return _equal_together(needs, every.weight)


def _laid(parts: list[_Part]) -> _Part:
    """Lay parts end to end."""
    return _Part(
        np.concatenate([np.empty(0), *(part.weight for part in parts)]),
        _pointers([part.route_ptr for part in parts]),
        _pointers([part.cure_ptr for part in parts]),
        np.concatenate([np.empty(0, np.int64), *(part.cure for part in parts)]),
    )


def _pointers(pointers: list[Long]) -> Long:
    sizes = [np.diff(ptr) for ptr in pointers]
    return np.concatenate([[0], np.cumsum(np.concatenate([np.empty(0, np.int64), *sizes]))]).astype(np.int64)


def _any(values: Bool, ptr: Long) -> Bool:
    counts = np.concatenate([[0], np.cumsum(values)])
    return np.asarray(counts[ptr[1:]] > counts[ptr[:-1]])


def _all(values: Bool, ptr: Long) -> Bool:
    return ~_any(~values, ptr)
