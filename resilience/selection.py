"""Choosing under a budget: the best set of measures, with the gap that is proven.

Knows nothing of networks: measures are numbers, with a cost, and terms say what groups of them are worth.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from resilience.benefits import Benefits
from resilience.interactions import Term

Float = NDArray[np.float64]
_SCALE = 1e3  # largest term in the solver: its absolute tolerance of 1e-6 is then a millionth of a thousandth
_TIE = 1e-6  # sets whose worth differs by less, on that scale, are equally good


@dataclass(frozen=True)
class Selection:
    """The chosen set.

    Attributes
    ----------
    chosen : tuple of int
        Sorted.
    cost_eur, value : float
    bound : float
        Proven: no set within the budget is worth more by these terms.
    """

    chosen: tuple[int, ...]
    cost_eur: float
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """The proven gap, (bound - value) / bound; 0 where nothing is worth anything."""
        return max(0.0, (self.bound - self.value) / self.bound) if self.bound > 0 else 0.0


def select(
    benefits: Benefits,
    cost_eur: ArrayLike,
    budget_eur: float,
    *,
    exclusions: Iterable[Iterable[int]] = (),
    requirements: Iterable[Iterable[int]] = (),
) -> Selection:
    """Choose the set of measures that is worth most within a budget.

    A mixed-integer programme solved by HiGHS: one binary variable for each measure, one for each term of
    several measures. Among sets of equal worth the cheapest is taken, then that whose numbers sum to least.

    Parameters
    ----------
    benefits : Benefits
    cost_eur : (n_measures,) float
        Positive.
    budget_eur : float
        Not negative.
    exclusions, requirements : iterables of pairs
        At most one of a pair; the first of a pair only with the second.

    Raises
    ------
    ValueError
        When the budget or a cost is negative or not a number.
    """
    costs = np.asarray(cost_eur, np.float64)
    if not np.isfinite(budget_eur) or budget_eur < 0:
        raise ValueError(f"budget: {budget_eur} €; a number of euros, 0 or more, is expected")
    if not (np.isfinite(costs) & (costs >= 0)).all():
        raise ValueError("costs: each measure needs a number of euros, 0 or more")
    n = len(costs)
    if n == 0:
        return Selection((), 0.0, 0.0, 0.0)
    groups = sorted(
        (term for term, gain in benefits.terms.items() if len(term) > 1 and gain != 0), key=_in_order
    )
    gains = np.array(
        [benefits.terms.get((i,), 0.0) for i in range(n)] + [benefits.terms[term] for term in groups]
    )
    scaled = gains * (_SCALE / max(float(np.abs(gains).max()), 1e-300))
    spent = np.concatenate([costs, np.zeros(len(groups))])
    rows = [
        (spent, -np.inf, budget_eur),
        *_pairs(exclusions, requirements, len(gains)),
        *_terms(groups, gains, n),
    ]
    best, bound = _solve(-scaled, rows)
    rows.append((scaled, float(scaled @ best) - _TIE, np.inf))
    cheapest, _ = _solve(spent, rows)
    rows.append((spent, -np.inf, float(spent @ cheapest) + 1e-6))
    first, _ = _solve(np.append(np.arange(1.0, n + 1), np.zeros(len(groups))), rows)
    chosen = tuple(np.flatnonzero(first[:n] > 0.5).tolist())
    return Selection(
        chosen,
        float(costs[list(chosen)].sum()),
        benefits.of(chosen),
        -bound * float(np.abs(gains).max()) / _SCALE,
    )


Row = tuple[Float, float, float]


def _pairs(
    exclusions: Iterable[Iterable[int]], requirements: Iterable[Iterable[int]], size: int
) -> list[Row]:
    rows = []
    for first, second in exclusions:
        rows.append((_unit(size, {first: 1.0, second: 1.0}), -np.inf, 1.0))
    for first, second in requirements:
        rows.append((_unit(size, {first: 1.0, second: -1.0}), -np.inf, 0.0))
    return rows


def _terms(groups: list[Term], gains: Float, n: int) -> list[Row]:
    """Tie the variable of each group to those of its measures, on the side towards which it is drawn."""
    rows: list[Row] = []
    for place, group in enumerate(groups, start=n):
        if gains[place] > 0:
            rows += [(_unit(len(gains), {place: 1.0, number: -1.0}), -np.inf, 0.0) for number in group]
        else:
            members = dict.fromkeys(group, 1.0) | {place: -1.0}
            rows.append((_unit(len(gains), members), -np.inf, len(group) - 1.0))
    return rows


def _unit(size: int, values: dict[int, float]) -> Float:
    row = np.zeros(size)
    row[list(values)] = list(values.values())
    return row


def _in_order(term: Term) -> tuple[int, Term]:
    return len(term), term


def _solve(objective: Float, rows: list[Row]) -> tuple[Float, float]:
    matrix = sparse.csr_array(np.stack([row for row, _, _ in rows]))
    constraint = LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows])
    result = milp(
        objective,
        integrality=np.ones(len(objective), np.int64),
        bounds=Bounds(0, 1),
        constraints=constraint,
        options={"mip_rel_gap": 0.0},
    )
    if result.x is None:
        raise RuntimeError(f"the choice of measures was not solved: {result.message}")
    return np.round(result.x), float(result.mip_dual_bound)
