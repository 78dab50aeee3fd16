"""What would change the choice: another budget, other prices, other losses."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from resilience.choice.greedy import bundle_greedy
from resilience.choice.limits import Limits
from resilience.choice.sampled import Sampled, without_causes
from resilience.parameters import LEVELS, Level

Bool = NDArray[np.bool_]
Float = NDArray[np.float64]
STEPS = 12
"""Budgets of the frontier beside the study's own."""
DRAWS = 50
"""Choices made with drawn prices and losses."""


def frontier(model: Sampled, limits: Limits, taken: Bool, loss_before: float) -> pd.DataFrame:
    """Give what other budgets would avoid, chosen by bundles, beside the set that was chosen.

    Parameters
    ----------
    model : Sampled
    limits : Limits
        Floors are left out: a smaller budget could not meet them. What is forced stays.
    taken : (n_options,) bool
        The chosen set, the row of the study's own budget.
    loss_before : float
        Prises·h per year of the network as it is.

    Returns
    -------
    DataFrame
        budget_eur (from one that buys little to one that buys all that helps), spent_eur, n_chosen,
        avoided_per_year, loss_after (prises·h per year, by the model), marginal_eur_per_prise_h (euros that
        one more prise·h a year cost since the row before; NaN where nothing more is avoided).
    """
    model = without_causes(model)
    free = replace(limits, floors=(), total_eur=float(limits.cost_eur.sum()))
    most = float(limits.cost_eur[bundle_greedy(model, free)].sum())
    least = max(float(limits.cost_eur[limits.forced].sum()), most / 2 ** (STEPS - 2))
    steps = np.unique([0.0, *map(_rounded_up, np.geomspace(max(least, 1.0), max(most, 1.0), STEPS))])
    sets = {float(budget): bundle_greedy(model, replace(free, total_eur=float(budget))) for budget in steps
            if budget >= limits.cost_eur[limits.forced].sum()}  # fmt: skip
    sets[limits.total_eur] = taken
    rows: list[tuple[float, float, int, float]] = []
    for budget in sorted(sets):
        chosen = sets[budget]
        row = (budget, float(limits.cost_eur[chosen].sum()), int(chosen.sum()), model.value(chosen))
        # a larger budget can always buy what a smaller one bought
        if rows and row[3] < rows[-1][3] and budget != limits.total_eur:
            row = (budget, *rows[-1][1:])
        rows.append(row)
    table = pd.DataFrame(rows, columns=["budget_eur", "spent_eur", "n_chosen", "avoided_per_year"])
    more, dearer = table["avoided_per_year"].diff(), table["spent_eur"].diff()
    return table.assign(
        loss_after=loss_before - table["avoided_per_year"],
        marginal_eur_per_prise_h=(dearer / more.where(more > 0)).where(dearer > 0),
    )


def shares_chosen(
    model: Sampled,
    limits: Limits,
    measures: pd.DataFrame,
    losses: Mapping[Level, Mapping[str, float]],
    *,
    seed: int,
) -> Float:
    """Give the share of draws of prices and losses in which each option is chosen, (n_options,) float64.

    Parameters
    ----------
    model : Sampled
        At central parameters.
    limits : Limits
    measures : DataFrame
        mesure, cost_eur_low, cost_eur_central, cost_eur_high: the price of each kind of works is drawn
        between them (triangular), all works of a kind together.
    losses : mapping of level to mapping of cause to float
        Prises·h per year of each cause at each level: the loss by each cause is drawn between them.
    seed : int
    """
    chosen = np.zeros(model.n_options)
    if not model.n_options:
        return chosen
    kinds, kind_of = np.unique(measures["mesure"].astype(str), return_inverse=True)
    prices = [measures[f"cost_eur_{level}"].to_numpy(np.float64) for level in LEVELS]
    central = np.array([losses["central"].get(cause, 0.0) for cause in model.causes])
    factors = [
        np.divide([losses[level].get(cause, 0.0) for cause in model.causes], central, where=central > 0,
                  out=np.ones(len(central)))
        for level in LEVELS
    ]  # fmt: skip
    random = np.random.default_rng(seed)
    for _ in range(DRAWS):
        price = _between(prices, random.triangular(-1, 0, 1, len(kinds))[kind_of])
        factor = _between(factors, random.triangular(-1, 0, 1, len(central)))
        other = replace(model, weight=model.weight * factor[model.cause])
        chosen += bundle_greedy(other, replace(limits, cost_eur=price))
    return chosen / DRAWS


def _rounded_up(value: float) -> float:
    """Give the next number of two figures: a budget that people would say."""
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(np.round(np.ceil(value / unit - 1e-9) * unit, 2))


def _between(levels: list[Float], place: Float) -> Float:
    """Interpolate between low (-1), central (0) and high (1)."""
    low, central, high = levels
    return np.where(place < 0, central + place * (central - low), central + place * (high - central))
