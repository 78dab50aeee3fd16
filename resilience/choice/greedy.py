"""Choosing fast: again and again the bundle of options that avoids most prises·h for its price.

Options in series on one route avoid nothing before all of them are there, so options are not added one by one
but as *bundles*: what it takes to open one route of one need. Within a few percent of the best set where
options are many and small beside the budget; `resilience.choice.programme` proves by how much.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled
from resilience.choice.limits import CENT, Limits
from resilience.choice.sampled import Sampled, rows_of
from resilience.loss.draws import distinct_sets
from resilience.spanning import Long, nothing

Bool = NDArray[np.bool_]
Float = NDArray[np.float64]
MOST_BUNDLES = 30_000
"""Bundles that are looked at beside the options alone: those of the heaviest needs."""
_LARGEST = 12  # options in a bundle: dearer ones are never the best first step
_NOTHING = 1e-9  # share of all that could be avoided below which a gain is rounding
_EURO = 1e-9  # what is free costs this much: its ratio is then the largest

# What the kernels share, as plain tuples (see `resilience.losses`):
# Turned: cures by option (pointers, numbers), cures that are an absence, routes by cure, need of each route.
# Counts: taken options of each cure, cures that each route misses, routes that work for each need.
# Model: routes by need, cures by route, options by cure, as `Sampled` has them.
# Bounds: cost, options of each envelope, room left in each, options that count towards a floor.
Turned = tuple[Long, Long, Bool, Long, Long, Long, Float]
Counts = tuple[Long, Long, Long]
Model = tuple[Long, Long, Long, Long, Long]
Bounds = tuple[Float, Bool, Float, Bool]
Rows = tuple[Long, Long]


def bundle_greedy(model: Sampled, limits: Limits) -> Bool:
    """Choose a set of options within limits, (n_options,) bool.

    Parameters
    ----------
    model : Sampled
    limits : Limits
        Where floors are out of reach the set falls short of them: `Limits.allow` tells.

    Returns
    -------
    (n_options,) bool
        Forced options first; then for each floor, while it is not reached, the bundles inside it; then any.
    """
    taken = _with_required(limits.forced.copy(), limits)
    bundles = _bundles(model, limits)
    for inside, least in [*limits.floors, (np.ones(len(taken), np.bool_), np.inf)]:
        taken = _filled(model, limits, _inside(bundles, inside), taken, inside, least)
    return taken


def _filled(model: Sampled, limits: Limits, bundles: Rows, taken: Bool, inside: Bool, least: float) -> Bool:
    """Add bundles while one avoids something and fits, until enough is spent inside."""
    of = np.array([mask for mask, _ in limits.envelopes], np.bool_)
    most = np.array([amount for _, amount in limits.envelopes], np.float64) + CENT
    turned, counts = _turned(model)
    option = np.where(model.option >= 0, model.option, ~model.option)
    return _greedy(
        (turned, (model.route_ptr, model.cure_ptr, model.cure, model.option_ptr, option)),
        counts, bundles, _rivals(limits), (limits.cost_eur, of, most, inside), taken.copy(),
        (float(least), _NOTHING * max(float(model.weight.sum()), 1e-300)),
    )  # fmt: skip


def _bundles(model: Sampled, limits: Limits) -> Rows:
    """Give each option alone, then what opens each route of the heaviest needs, with what they require."""
    n = model.n_options
    need_of = np.repeat(np.arange(len(model.weight)), np.diff(model.route_ptr))
    ptr, options = _covers(
        (model.cure_ptr, model.cure, model.option_ptr, model.option),
        limits.cost_eur,
        limits.forbidden,
        _LARGEST,
    )
    number, first = distinct_sets(options, ptr[:-1], ptr[1:])
    weight = np.bincount(number, model.weight[need_of], len(first)) if len(first) else np.empty(0)
    heaviest = np.lexsort((first, -weight))
    large = np.diff(ptr)[first[heaviest]] > 1
    rows, more = rows_of(ptr, first[heaviest[large][:MOST_BUNDLES]])
    every_ptr = np.concatenate([np.arange(n + 1), n + more[1:]]).astype(np.int64)
    every = np.concatenate([np.arange(n), options[rows]]).astype(np.int64)
    if limits.requirements:
        closed = [
            np.flatnonzero(_with_required(np.isin(np.arange(n), every[a:b]), limits))
            for a, b in pairwise(every_ptr)
        ]
        every_ptr = np.concatenate([[0], np.cumsum([len(one) for one in closed])]).astype(np.int64)
        every = np.concatenate([np.empty(0, np.int64), *closed]).astype(np.int64)
    sound = _sound((every_ptr, every), _rivals(limits), limits.forbidden)
    rows, every_ptr = rows_of(every_ptr, np.flatnonzero(sound))
    return every_ptr, every[rows]


def _inside(bundles: Rows, inside: Bool) -> Rows:
    """Keep the bundles that lie wholly inside."""
    ptr, options = bundles
    outside = np.concatenate([[0], np.cumsum(~inside[options])])
    rows, kept = rows_of(ptr, np.flatnonzero(outside[ptr[1:]] == outside[ptr[:-1]]))
    return kept, options[rows]


def _with_required(taken: Bool, limits: Limits) -> Bool:
    """Add what the taken options require, and what these require."""
    missing = [b for a, b in limits.requirements if taken[a] and not taken[b]]
    while missing:
        taken[missing] = True
        missing = [b for a, b in limits.requirements if taken[a] and not taken[b]]
    return taken


def _rivals(limits: Limits) -> Rows:
    """Give the options that each one excludes."""
    pairs = np.array([*limits.exclusions, *((b, a) for a, b in limits.exclusions)], np.int64).reshape(-1, 2)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    ptr = np.searchsorted(pairs[:, 0], np.arange(len(limits.cost_eur) + 1))
    return ptr.astype(np.int64), pairs[:, 1].copy()


def _turned(model: Sampled) -> tuple[Turned, Counts]:
    """Turn the model round: what is touched when an option is taken, and the counts with none taken."""
    n_routes, n_cures = len(model.cure_ptr) - 1, len(model.option_ptr) - 1
    need = np.repeat(np.arange(len(model.weight)), np.diff(model.route_ptr))
    route_of = np.repeat(np.arange(n_routes), np.diff(model.cure_ptr))
    cure_of = np.repeat(np.arange(n_cures), np.diff(model.option_ptr))
    option = np.where(model.option >= 0, model.option, ~model.option)
    by_cure, by_option = np.argsort(model.cure, kind="stable"), np.argsort(option, kind="stable")
    absence = np.zeros(n_cures, np.bool_)
    absence[cure_of[model.option < 0]] = True
    missing = np.bincount(route_of[~absence[model.cure]], minlength=n_routes).astype(np.int64)
    works = np.bincount(need[missing == 0], minlength=len(model.weight)).astype(np.int64)
    turned = (
        np.searchsorted(option[by_option], np.arange(model.n_options + 1)).astype(np.int64),
        cure_of[by_option].astype(np.int64),
        absence,
        np.searchsorted(model.cure[by_cure], np.arange(n_cures + 1)).astype(np.int64),
        route_of[by_cure].astype(np.int64),
        need.astype(np.int64),
        model.weight,
    )
    return turned, (np.zeros(n_cures, np.int64), missing, works)


@compiled
def _covers(
    rows: tuple[Long, Long, Long, Long], cost: Float, forbidden: Bool, largest: int
) -> tuple[Long, Long]:
    """Give a set of options that opens each route, rising; an empty one where it takes too many."""
    cure_ptr, cure, option_ptr, option = rows
    ptr, out = np.zeros(len(cure_ptr), np.int64), nothing()
    out.append(0)
    count = np.zeros(len(cost), np.int64)
    for r in range(len(cure_ptr) - 1):
        first, last = cure_ptr[r], cure_ptr[r + 1]
        is_open = np.zeros(last - first, np.bool_)
        for i in range(first, last):
            is_open[i - first] = option[option_ptr[cure[i]]] < 0
        chosen = nothing()
        chosen.append(-1)  # stays first when sorted: a list that may be empty has no type
        while not is_open.all() and len(chosen) <= largest:
            best = _best_cover(first, is_open, rows, count, (cost, forbidden))
            if best < 0:
                break
            chosen.append(best)
            for i in range(first, last):
                for j in range(option_ptr[cure[i]], option_ptr[cure[i] + 1]):
                    is_open[i - first] |= option[j] == best
        if is_open.all():
            chosen.sort()
            out.extend(chosen[1:])
        ptr[r + 1] = len(out) - 1
    return ptr, np.array(out[1:], np.int64)


@compiled
def _best_cover(
    first: int, is_open: Bool, rows: tuple[Long, Long, Long, Long], count: Long, prices: tuple[Float, Bool]
) -> int:
    """Give the option that cures most of what is still shut on a route for its price, -1 where none does."""
    _, cure, option_ptr, option = rows
    cost, forbidden = prices
    best, best_ratio = -1, -1.0
    for add in (1, 0):
        for i in range(len(is_open)):
            if is_open[i]:
                continue
            for j in range(option_ptr[cure[first + i]], option_ptr[cure[first + i] + 1]):
                k = option[j]
                if add:
                    count[k] += 1
                elif count[k] > 0:
                    ratio = count[k] / max(cost[k], _EURO)
                    count[k] = 0
                    if not forbidden[k] and (ratio > best_ratio or (ratio == best_ratio and k < best)):
                        best, best_ratio = int(k), ratio
    return best


@compiled
def _sound(bundles: Rows, rivals: Rows, forbidden: Bool) -> Bool:
    """Tell which bundles hold nothing forbidden and no two options that exclude each other."""
    ptr, options = bundles
    sound = np.ones(len(ptr) - 1, np.bool_)
    for b in range(len(ptr) - 1):
        for i in range(ptr[b], ptr[b + 1]):
            k = options[i]
            sound[b] &= not forbidden[k]
            for j in range(rivals[0][k], rivals[0][k + 1]):
                for other in range(ptr[b], ptr[b + 1]):
                    sound[b] &= options[other] != rivals[1][j]
    return sound


@compiled
def _greedy(
    whole: tuple[Turned, Model], counts: Counts, bundles: Rows, rivals: Rows, bounds: Bounds, taken: Bool,
    stop: tuple[float, float],
) -> Bool:  # fmt: skip
    turned, model = whole
    ptr, options = bundles
    least, negligible = stop
    cost, _, most, counted = bounds
    room, reached = most.copy(), 0.0
    for k in range(len(taken)):
        if taken[k]:
            _switched(k, 1, turned, counts)
            reached += cost[k] * counted[k]
            _spend(k, bounds, room)
    gain, stale = np.zeros(len(ptr) - 1), np.ones(len(ptr) - 1, np.bool_)
    looked = np.full(len(turned[6]), -1, np.int64)
    while reached < least:
        best, best_ratio = -1, 0.0
        for b in range(len(ptr) - 1):
            price = _price(b, bundles, rivals, bounds, room, taken)
            if price < 0.0:
                continue
            if stale[b]:
                gain[b] = _gain(b, bundles, turned, counts, taken)
                stale[b] = False
            ratio = gain[b] / max(price, _EURO)
            if gain[b] > negligible and ratio > best_ratio:
                best, best_ratio = b, ratio
        if best < 0:
            break
        touched = np.zeros(len(taken), np.bool_)
        for k in options[ptr[best] : ptr[best + 1]]:
            if not taken[k]:
                taken[k] = True
                _switched(k, 1, turned, counts)
                _spend(k, bounds, room)
                reached += cost[k] * counted[k]
                _touch(k, turned, model, looked, touched)
        for b in range(len(ptr) - 1):
            for i in range(ptr[b], ptr[b + 1]):
                stale[b] |= touched[options[i]]
    return taken


@compiled
def _spend(k: int, bounds: Bounds, room: Float) -> None:
    cost, of = bounds[0], bounds[1]
    for e in range(len(room)):
        room[e] -= cost[k] * of[e, k]


@compiled
def _price(b: int, bundles: Rows, rivals: Rows, bounds: Bounds, room: Float, taken: Bool) -> float:
    """Give what a bundle costs beside what is taken, -1 where it does not fit or is excluded."""
    ptr, options = bundles
    cost, of = bounds[0], bounds[1]
    price = 0.0
    for i in range(ptr[b], ptr[b + 1]):
        k = options[i]
        if not taken[k]:
            price += cost[k]
            for j in range(rivals[0][k], rivals[0][k + 1]):
                if taken[rivals[1][j]]:
                    return -1.0
    for e in range(len(room)):
        inside = 0.0
        for i in range(ptr[b], ptr[b + 1]):
            if not taken[options[i]]:
                inside += cost[options[i]] * of[e, options[i]]
        if inside > 0.0 and inside > room[e]:
            return -1.0
    return price


@compiled
def _gain(b: int, bundles: Rows, turned: Turned, counts: Counts, taken: Bool) -> float:
    """Give what a bundle would add to what is taken."""
    ptr, options = bundles
    gain = 0.0
    for sign in (1, -1):
        for i in range(ptr[b], ptr[b + 1]):
            if not taken[options[i]]:
                change = _switched(options[i], sign, turned, counts)
                if sign > 0:
                    gain += change
    return gain


@compiled
def _switched(k: int, sign: int, turned: Turned, counts: Counts) -> float:
    """Take an option (1), or give it back (-1); give what that avoids."""
    cure_ptr, cure, is_absence, route_ptr, route, need, weight = turned
    cured, missing, works = counts
    gain = 0.0
    for i in range(cure_ptr[k], cure_ptr[k + 1]):
        c = cure[i]
        before = cured[c]
        cured[c] += sign
        if (before > 0) == (cured[c] > 0):
            continue
        opens = (cured[c] > 0) != is_absence[c]
        for j in range(route_ptr[c], route_ptr[c + 1]):
            r = route[j]
            n = need[r]
            worked = works[n]
            if opens:
                missing[r] -= 1
                if missing[r] == 0:
                    works[n] += 1
            else:
                if missing[r] == 0:
                    works[n] -= 1
                missing[r] += 1
            if min(worked, 1) != min(works[n], 1):
                gain += weight[n] * (min(works[n], 1) - min(worked, 1))
    return gain


@compiled
def _touch(k: int, turned: Turned, model: Model, looked: Long, touched: Bool) -> None:
    """Mark the options that share a need with one: what they would add may have changed."""
    by_option, cure_of, _, by_cure, route_of, need = turned[:6]
    route_ptr, cure_ptr, cure, option_ptr, option = model
    touched[k] = True
    for i in range(by_option[k], by_option[k + 1]):
        for j in range(by_cure[cure_of[i]], by_cure[cure_of[i] + 1]):
            n = need[route_of[j]]
            if looked[n] == k:
                continue
            looked[n] = k
            for c in range(cure_ptr[route_ptr[n]], cure_ptr[route_ptr[n + 1]]):
                for o in range(option_ptr[cure[c]], option_ptr[cure[c] + 1]):
                    touched[option[o]] = True
