"""Choosing exactly: the sampled model as a linear programme for HiGHS, whose bound proves how good a set is.

A variable for each option, each cure of several options, and each route; see `resilience.choice.sampled`.
Only options need to be whole: with them fixed the rest of the best solution is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from resilience.choice.limits import Limits
from resilience.choice.sampled import Sampled, rows_of, without_causes
from resilience.spanning import Bool, Long

Float = NDArray[np.float64]
_SCALE = (
    1e3  # largest weight in the solver: its absolute tolerance of 1e-6 is then a millionth of a thousandth
)
_TIE = 1e-6  # sets whose worth differs by less, on that scale, are equally good
MOST_NODES = 2_000
"""Of the search tree: a limit in nodes, unlike one in seconds, gives the same set on every machine."""


@dataclass(frozen=True)
class Solution:
    """What a programme found.

    Attributes
    ----------
    taken : (n_options,) bool or None
        None where only the bound was asked for, or where the search found no set within its limit.
    bound : float
        Proven: no set within the limits avoids more, prises·h per year.
    """

    taken: Bool | None
    bound: float


@dataclass(frozen=True)
class _Programme:
    """Maximise ``gain @ v - offset`` with ``low <= rows @ v <= high``, 0 <= v <= 1; options come first."""

    n_options: int
    gain: Float
    offset: float
    cost: Float
    rows: sparse.csr_array
    low: Float
    high: Float


def bound_of(model: Sampled, limits: Limits) -> float:
    """Give the bound of the relaxed programme, prises·h per year; 0 where no set is within limits."""
    programme = _programme(model, limits)
    result = _solved(programme, -programme.gain, [], whole=False)
    return 0.0 if result is None else max(0.0, -result[1] - programme.offset)


def best_set(model: Sampled, limits: Limits) -> Solution:
    """Choose the set that avoids most; of equal ones the cheapest, then that whose numbers sum to least."""
    programme = _programme(model, limits)
    scale = _SCALE / max(float(np.abs(programme.gain).max(initial=0.0)), 1e-300)
    gain = programme.gain * scale
    best = _solved(programme, -gain, [], whole=True)
    if best is None:
        return Solution(None, bound_of(model, limits))
    chosen, lowest = best
    rows = [(gain, float(gain @ chosen) - _TIE, np.inf)]
    cheapest = _solved(programme, programme.cost, rows, whole=True)
    if cheapest is not None:
        rows.append((programme.cost, -np.inf, float(programme.cost @ cheapest[0]) + 1e-6))
        numbers = np.zeros(len(gain))
        numbers[: programme.n_options] = np.arange(1.0, programme.n_options + 1)
        first = _solved(programme, numbers, rows, whole=True)
        chosen = cheapest[0] if first is None else first[0]
    return Solution(chosen[: programme.n_options] > 0.5, max(0.0, -lowest / scale - programme.offset))


def _programme(model: Sampled, limits: Limits) -> _Programme:
    whole = without_causes(model)
    n, n_cures, size = whole.n_options, len(whole.option_ptr) - 1, np.diff(whole.option_ptr)
    absence = np.zeros(n_cures, np.bool_)
    absence[np.repeat(np.arange(n_cures), size)[whole.option < 0]] = True
    # a cure by one option is that option; any other has a variable of its own
    own = np.flatnonzero((size > 1) & ~absence)
    variable = np.zeros(n_cures, np.int64)
    variable[size == 1] = whole.option[whole.option_ptr[:-1][size == 1]]
    variable[absence] = ~variable[absence]
    variable[own] = n + np.arange(len(own))
    need_of = np.repeat(np.arange(len(whole.weight)), np.diff(whole.route_ptr))
    n_cured = np.diff(whole.cure_ptr)
    # a need with one route of one cure is that cure; any other route has a variable of its own
    direct = (np.diff(whole.route_ptr)[need_of] == 1) & (n_cured == 1)
    place = np.full(len(need_of), -1)
    place[~direct] = n + len(own) + np.arange(int((~direct).sum()))
    gain = np.zeros(n + len(own) + int((~direct).sum()))
    only, worth = whole.cure[whole.cure_ptr[:-1][direct]], whole.weight[need_of[direct]]
    np.add.at(gain, variable[only], np.where(absence[only], -worth, worth))
    gain[place[~direct]] = whole.weight[need_of[~direct]]
    offset = whole.value_of_nothing - float(worth[absence[only]].sum())
    route_of = np.repeat(np.arange(len(need_of)), n_cured)
    kept = np.flatnonzero(~direct[route_of])
    cure = whole.cure[kept]
    several = np.flatnonzero(~direct & (np.diff(whole.route_ptr)[need_of] > 1))
    blocks = [
        _any_of(variable[own], *rows_of(whole.option_ptr, own), whole.option),
        _each_of(place[route_of[kept]], variable[cure], absence[cure]),
        _once(need_of[several], place[several]),
        *_bounds(limits),
    ]
    cost = np.append(limits.cost_eur, np.zeros(len(gain) - n))
    return _Programme(n, gain, offset, cost, *_stacked(blocks, len(gain)))


# Rows of constraints: row, column and value of each entry, then the bounds of each row.
_Block = tuple[Long, Long, Float, Float, Float]


def _any_of(cure: Long, at: Long, ptr: Long, option: Long) -> _Block:
    """Bound a cure by the sum of its options."""
    row = np.repeat(np.arange(len(cure)), np.diff(ptr))
    return (
        np.concatenate([np.arange(len(cure)), row]),
        np.concatenate([cure, option[at]]),
        np.concatenate([np.ones(len(cure)), -np.ones(len(row))]),
        np.full(len(cure), -np.inf),
        np.zeros(len(cure)),
    )


def _each_of(route: Long, cure: Long, is_absence: Bool) -> _Block:
    """Bound a route by each of its cures."""
    row = np.arange(len(route))
    return (
        np.concatenate([row, row]),
        np.concatenate([route, cure]),
        np.concatenate([np.ones(len(row)), np.where(is_absence, 1.0, -1.0)]),
        np.full(len(row), -np.inf),
        np.where(is_absence, 1.0, 0.0),
    )


def _once(need: Long, route: Long) -> _Block:
    """Count a need once, whatever the number of its routes."""
    needs, row = np.unique(need, return_inverse=True)
    return row, route, np.ones(len(row)), np.full(len(needs), -np.inf), np.ones(len(needs))


def _bounds(limits: Limits) -> list[_Block]:
    found = [_envelope(of, limits.cost_eur, -np.inf, most) for of, most in limits.envelopes]
    found += [_envelope(of, limits.cost_eur, least, np.inf) for of, least in limits.floors]
    for pairs, sign, most in ((limits.exclusions, 1.0, 1.0), (limits.requirements, -1.0, 0.0)):
        both = np.array(list(pairs), np.int64).reshape(-1, 2)
        row = np.arange(len(both))
        value = np.concatenate([np.ones(len(both)), np.full(len(both), sign)])
        bounds = np.full(len(both), -np.inf), np.full(len(both), most)
        found.append((np.concatenate([row, row]), both.T.ravel(), value, *bounds))
    for mask, fixed in ((limits.forced, 1.0), (limits.forbidden, 0.0)):
        inside = np.flatnonzero(mask)
        bounds = np.full(len(inside), fixed), np.full(len(inside), fixed)
        found.append((np.arange(len(inside)), inside, np.ones(len(inside)), *bounds))
    return found


def _envelope(of: Bool, cost: Float, least: float, most: float) -> _Block:
    inside = np.flatnonzero(of)
    return np.zeros(len(inside), np.int64), inside, cost[inside], np.array([least]), np.array([most])


def _stacked(blocks: list[_Block], width: int) -> tuple[sparse.csr_array, Float, Float]:
    start = np.concatenate([[0], np.cumsum([len(block[3]) for block in blocks])])
    row = np.concatenate([block[0] + first for block, first in zip(blocks, start[:-1], strict=True)])
    column, value, low, high = (np.concatenate([block[i] for block in blocks]) for i in (1, 2, 3, 4))
    return sparse.csr_array((value, (row, column)), shape=(int(start[-1]), width)), low, high


def _solved(
    programme: _Programme, objective: Float, more: list[tuple[Float, float, float]], *, whole: bool
) -> tuple[Float, float] | None:
    """Minimise; give the solution and the proven lower bound, None where there is none."""
    constraints = [LinearConstraint(programme.rows, programme.low, programme.high)]
    constraints += [LinearConstraint(row[None, :], low, high) for row, low, high in more]
    kinds = np.zeros(len(objective), np.int64)
    kinds[: programme.n_options] = int(whole)
    if not len(objective):
        return np.empty(0), 0.0
    result = milp(
        objective, integrality=kinds, bounds=Bounds(0, 1), constraints=constraints,
        options={"mip_rel_gap": 0.0, "node_limit": MOST_NODES},
    )  # fmt: skip
    if result.x is None:
        return None
    bound = result.mip_dual_bound if whole and result.mip_dual_bound is not None else result.fun
    return np.asarray(result.x), float(bound)
