"""A budget as bounds on candidates: families, territories, years, what is decided already."""

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.errors import GraceTHDError
from resilience.choice.limits import CENT, Limits
from resilience.measures import Candidates
from resilience.study_budget import Budget


class BudgetError(GraceTHDError):
    """A budget whose conditions no set of works can meet."""


def limits_of(budget: Budget, candidates: Candidates) -> Limits:
    """Turn a budget into bounds on the candidates.

    Raises
    ------
    BudgetError
        When its conditions contradict each other or the candidates: says which, and what would do.
    """
    measures = candidates.measures
    cost = measures["cost_eur_central"].to_numpy(np.float64)
    forced, forbidden = (_named(names, measures, key) for key, names in
                         (("force", budget.force), ("forbid", budget.forbid)))  # fmt: skip
    if (forced & forbidden).any():
        both = measures["action_id"][forced & forbidden].iloc[0]
        raise BudgetError(f"budget: {both} is in force and in forbid; leave it in one of them")
    ceilings = [(_in_family(name, measures), most) for name, most in budget.families.items()]
    floors = [(_inside(place, measures), least) for place, least in budget.floors.items()]
    limits = Limits(
        cost, budget.total_eur, ceilings, floors,
        [(int(a), int(b)) for a, b in candidates.exclusions.tolist()],
        [(int(a), int(b)) for a, b in candidates.requirements.tolist()],
        forced, forbidden,
    )  # fmt: skip
    _check(budget, limits, measures)
    return limits


def years_of(
    order: Sequence[int],
    cost_eur: NDArray[np.float64],
    requirements: Sequence[tuple[int, int]],
    years_eur: Sequence[float],
) -> dict[int, int]:
    """Give the year (0, 1...) in which each of the chosen works begins.

    Parameters
    ----------
    order : sequence of int
        The chosen works, the first to begin first; what they require begins no later than they do.
    cost_eur : (n,) float64
    requirements : sequence of (int, int)
    years_eur : sequence of float
        Envelopes; none = everything begins in year 0. Each work takes the first year from which on its cost
        fits into all that the envelopes have brought by then and in every year after.

    Examples
    --------
    >>> years_of([0, 1, 2], np.array([60.0, 60.0, 30.0]), [], [100.0, 50.0])
    {0: 0, 1: 1, 2: 0}
    """
    begun: dict[int, int] = {}
    brought = np.cumsum(np.array(years_eur, np.float64))
    spent = np.zeros(len(brought))

    def begin(number: int) -> None:
        if number in begun:
            return
        begun[number] = 0  # a circle of requirements ends here
        needed = [b for a, b in requirements if a == number and b in set(order)]
        for other in needed:
            begin(other)
        if not len(brought):
            return
        fits = spent + cost_eur[number] <= brought + CENT
        first = len(fits) - int(np.argmin(fits[::-1])) if not fits.all() else 0
        year = min(max([first, *(begun[other] for other in needed)]), len(brought) - 1)
        begun[number] = year
        spent[year:] += cost_eur[number]

    for number in order:
        begin(number)
    return {number: begun[number] for number in order}


def _named(names: Sequence[str], measures: pd.DataFrame, key: str) -> NDArray[np.bool_]:
    known = measures["action_id"].tolist()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise BudgetError(
                f"budget.{key}: no proposed work is called {name!r}{hint} (action_id, in sheets Plan and"
                " Écartées of plan.xlsx)"
            )
    return np.isin(np.array(known, dtype=object), list(names)).astype(np.bool_)


def _in_family(name: str, measures: pd.DataFrame) -> NDArray[np.bool_]:
    return (measures["famille"] == name).to_numpy(np.bool_)


def _inside(place: str, measures: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which works stand in one commune or EPCI only."""
    return ((measures["commune"] == place) | (measures["epci"] == place)).to_numpy(np.bool_)


def _check(budget: Budget, limits: Limits, measures: pd.DataFrame) -> None:
    names = measures["action_id"].tolist()
    for a, b in limits.exclusions:
        if limits.forced[a] and limits.forced[b]:
            raise BudgetError(f"budget.force: {names[a]} and {names[b]} exclude each other; keep one")
    for a, b in limits.requirements:
        if limits.forced[a] and limits.forbidden[b]:
            raise BudgetError(f"budget: {names[a]} is in force and requires {names[b]}, which is in forbid")
    spent = float(limits.cost_eur[limits.forced].sum())
    if spent > budget.total_eur + CENT:
        raise BudgetError(
            f"budget.force: these works cost {spent:,.0f} €, more than budget.total_eur"
            f" ({budget.total_eur:,.0f} €)"
        )
    for (of, most), family in zip(limits.ceilings, budget.families, strict=True):
        inside = float(limits.cost_eur[limits.forced & of].sum())
        if inside > most + CENT:
            raise BudgetError(
                f"budget.families.{family}: works in force cost {inside:,.0f} €, more than {most:,.0f} €"
            )
    for (of, least), place in zip(limits.floors, budget.floors, strict=True):
        could = float(limits.cost_eur[of & ~limits.forbidden].sum())
        if could < least - CENT:
            raise BudgetError(
                f"budget.floors.{place}: {least:,.0f} € are to be spent there, and all works proposed inside"
                f" it cost {could:,.0f} €; lower the floor, or check that it is a code of commune or EPCI"
            )
    floors = sum(budget.floors.values())
    if floors > budget.total_eur + CENT:
        raise BudgetError(f"budget.floors: {floors:,.0f} € in all, more than budget.total_eur")
