"""From losses per event to a loss per year: the integral over frequency, by a named convention (DESIGN D19).

For the analyst, and for the engineer of the plan, who judges each measure by the difference of two tables
of `network_loss`.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gracethd.service import ServiceGraph
from resilience.loss.draws import Float, UInt64
from resilience.loss.means import event_losses
from resilience.loss.workers import Workers
from resilience.losses import LossIndex, index_graph
from resilience.parameters import LEVELS, Level
from resilience.rates import rates_loss

Tail = Literal["none", "constant", "linear"]
TAILS: tuple[Tail, ...] = get_args(Tail)
NULL_LOSS_YEARS = 2.0
"""Return period at which the tail "linear" takes the loss to be null."""
TABLE_COLUMNS = [
    "origin", "cause", "prises_h_per_year", "standard_error", "convention", "is_monotone",
    "n_unmapped", "prises_unmapped",
]  # fmt: skip
_UNMAPPED = ("n_unmapped", "prises_unmapped")


def annual_loss(return_periods: ArrayLike, losses: ArrayLike, *, tail: Tail = "constant") -> float:
    """Give the expected loss per year of events known at some return periods.

    The trapezoid rule over (frequency = 1 / return period, loss), in any order of the events, and outside
    them a convention:

    - ``none``: nothing beyond the rarest nor below the most frequent event (the published test of RA2CE);
    - ``constant``: the rarest event's loss down to frequency 0, nothing above the most frequent one;
    - ``linear``: as ``constant``, and a straight line from the most frequent event to no loss at all at a
      return period of 2 years (nothing where that event is itself as frequent).

    Losses that do not grow with the return period are integrated as they are: see `is_monotone`.

    Parameters
    ----------
    return_periods : (n_events,) float
        In years, positive, all different.
    losses : (n_events,) float
        In any unit.

    Returns
    -------
    float
        In that unit per year.

    Raises
    ------
    ValueError
        When there is no event, a value is not finite, or two events have one return period.

    Examples
    --------
    >>> round(annual_loss([10, 100, 1000], [1, 5, 10]), 6)
    0.3475
    """
    values = np.asarray(losses, np.float64)
    weights = event_weights(return_periods, tail=tail)
    if values.shape != weights.shape or not np.isfinite(values).all():
        raise ValueError(f"losses: one finite number per return period expected, got {values.tolist()}")
    rarest_first = np.argsort(-np.asarray(return_periods, np.float64))
    return float(np.sum((weights * values)[rarest_first]))


def event_weights(return_periods: ArrayLike, *, tail: Tail = "constant") -> Float:
    """Give the share of a year that each event stands for: `annual_loss` is their sum with the losses.

    Parameters
    ----------
    return_periods, tail
        As for `annual_loss`.

    Returns
    -------
    (n_events,) float64
        In events per year, in the order given.
    """
    years = np.asarray(return_periods, np.float64)
    if tail not in TAILS:
        raise ValueError(f"tail {tail!r} is unknown; expected one of {', '.join(TAILS)}")
    if years.ndim != 1 or not len(years):
        raise ValueError("at least one event is needed for a loss per year")
    if not (np.isfinite(years) & (years > 0)).all():
        raise ValueError(f"return periods are positive numbers of years: {years.tolist()}")
    if len(np.unique(years)) < len(years):
        raise ValueError(
            f"two events have the same return period, keep one of them: {sorted(years.tolist())}"
        )
    order = np.argsort(-years)
    frequency = 1.0 / years[order]
    half = np.diff(frequency) / 2.0
    weights = np.append(half, 0.0) + np.append(0.0, half)
    if tail != "none":
        weights[0] += frequency[0]
    if tail == "linear":
        weights[-1] += max(0.0, 1.0 / NULL_LOSS_YEARS - frequency[-1]) / 2.0
    placed: Float = np.empty_like(weights)
    placed[order] = weights
    return placed


def shares_of_year(failures: pd.DataFrame, tail: Tail) -> dict[tuple[str, str], float]:
    """Give the events per year that each event of a table of failures stands for, by (hazard, scenario)."""
    events = failures[["hazard", "scenario", "return_period"]].drop_duplicates()
    shares: dict[tuple[str, str], float] = {}
    for hazard, group in events.groupby("hazard", sort=True):
        weights = event_weights(group["return_period"], tail=tail)
        shares |= {(str(hazard), str(s)): float(w) for s, w in zip(group["scenario"], weights, strict=True)}
    return shares


def is_monotone(return_periods: ArrayLike, losses: ArrayLike) -> bool:
    """Tell whether no event costs less than a more frequent one, as one expects of maps that are nested."""
    order = np.argsort(np.asarray(return_periods, np.float64))
    return bool((np.diff(np.asarray(losses, np.float64)[order]) >= 0).all())


def annual_losses(events: pd.DataFrame, *, tail: Tail = "constant") -> pd.DataFrame:
    """Give the prises·h per year of each hazard.

    Parameters
    ----------
    events : DataFrame
        From `event_losses`, or from `event_losses_by_group`. To see what other return periods would give,
        replace that column: the draws do not depend on it.

    Returns
    -------
    DataFrame
        By hazard (and group): hazard, [group,] prises_h_per_year, convention (the tail), n_events,
        is_monotone; from `event_losses` also standard_error (of the draws; those of two events are
        independent), n_unmapped and prises_unmapped (the largest over the events).
    """
    keys = ["hazard", "group"] if "group" in events else ["hazard"]
    has_errors = "prises_h_se" in events
    rows = []
    for key, group in events.groupby(keys, sort=True):
        years, mean = group["return_period"], group["prises_h_mean"]
        row = dict(zip(keys, key, strict=True)) | {
            "prises_h_per_year": annual_loss(years, mean, tail=tail),
            "convention": tail,
            "n_events": len(group),
            "is_monotone": is_monotone(years, mean),
        }
        if has_errors:
            error = event_weights(years, tail=tail) * group["prises_h_se"].to_numpy()
            row["standard_error"] = float(np.sqrt(np.sum(error**2)))
            row |= {column: int(group[column].max()) for column in _UNMAPPED}
        rows.append(row)
    columns = [*keys, "prises_h_per_year", "convention", "n_events", "is_monotone"]
    return pd.DataFrame(rows, columns=[*columns, "standard_error", *_UNMAPPED] if has_errors else columns)


def network_loss(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    rates: pd.DataFrame,
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
    tail: Tail = "constant",
    workers: Workers | None = None,
) -> pd.DataFrame:
    """Give the expected prises·h per year of a network for one level of parameters, cause by cause.

    Parameters
    ----------
    graph, failures, asset_keys, seed, draws, workers
        As for `event_losses`. A measure is a change of `failures`, `rates` or `graph`: its effect is the
        difference of the totals before and after, in the same draws.
    rates : DataFrame
        From `annual_rates`, of the same level.
    tail : {"none", "constant", "linear"}
        See `annual_loss`.

    Returns
    -------
    DataFrame
        origin ("event": a hazard with maps; "rate": failures without a map, one bearer at a time), cause
        (hazard or mechanism), prises_h_per_year, standard_error (of the draws; 0 for rates, which are
        exact), convention (the tail; "additive" for rates), is_monotone, n_unmapped (bearers of which the
        hazard says nothing), prises_unmapped (what they would cut); sorted by origin and cause. The sum of
        prises_h_per_year is the loss of the network, where it is mapped.
    """
    index = index_graph(graph, graph.prises[:, None])
    events = event_losses(
        graph, failures, asset_keys=asset_keys, seed=seed, draws=draws, index=index, workers=workers
    )
    return yearly_loss(index, events, rates, tail=tail)


def yearly_loss(
    index: LossIndex, events: pd.DataFrame, rates: pd.DataFrame, *, tail: Tail = "constant"
) -> pd.DataFrame:
    """Give what `network_loss` gives, from the losses of events that are already known.

    Parameters
    ----------
    index : LossIndex
        Of the nominal graph, with one weight: the prises.
    events : DataFrame
        From `event_losses`.
    rates : DataFrame
        From `annual_rates`, of the same level.
    tail : {"none", "constant", "linear"}
    """
    by_hazard = annual_losses(events, tail=tail).rename(columns={"hazard": "cause"}).assign(origin="event")
    by_mechanism = rates_loss(index, rates).rename(columns={"mechanism": "cause"})
    nothing_unmapped = dict.fromkeys(_UNMAPPED, 0)
    exact = by_mechanism.assign(
        origin="rate",
        standard_error=0.0,
        convention="additive",
        is_monotone=True,
        **nothing_unmapped,
    )
    table = [part[TABLE_COLUMNS] for part in (by_hazard, exact) if len(part)]
    return pd.concat(table, ignore_index=True) if table else by_hazard[TABLE_COLUMNS]


def loss_table(tables: Mapping[Level, pd.DataFrame]) -> pd.DataFrame:
    """Put the losses of the levels side by side, cause by cause.

    Parameters
    ----------
    tables : mapping of level to DataFrame
        What `network_loss` gave for "low", "central" and "high".

    Returns
    -------
    DataFrame
        origin, cause, convention, prises_h_per_year_low, _central, _high, standard_error (central). A
        cause that a level does not have is 0 there: no bearer can fail by it.
    """
    missing = [level for level in LEVELS if level not in tables]
    if missing:
        raise ValueError(f"losses of the levels {', '.join(missing)} missing")
    keys = ["origin", "cause", "convention"]
    by_cause = {level: tables[level].set_index(keys) for level in LEVELS}
    columns = {f"prises_h_per_year_{level}": by_cause[level]["prises_h_per_year"] for level in LEVELS}
    columns["standard_error"] = by_cause["central"]["standard_error"]
    return pd.concat(columns, axis=1).fillna(0.0).sort_index().reset_index()
