"""Where the annual loss comes from: by série, by kind of asset, by commune or PM, and by convention.

For the analyst and the programme manager. Losses are never sums over assets: the part of a série is what the
network would no longer lose if the série never failed, read in the very states that were drawn for the
network's own loss, each evaluated again without it.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from gracethd.routes.climb import slices
from gracethd.service import ServiceGraph
from resilience.loss.annual import TAILS, Tail, annual_losses, shares_of_year
from resilience.loss.draws import Bearers, Float, Index, UInt64, failures_of_draws
from resilience.loss.events import (
    BYTES_PER_FAILURE,
    MEMORY_MB,
    Event,
    blocks_of,
    cost_of_failures,
    events_of,
)
from resilience.loss.means import event_losses_by_group
from resilience.losses import LossIndex, index_graph, lost_weights
from resilience.rates import rate_losses_of_bearers

PARTS_COLUMNS = (
    "serie", "n_bearers", "failures_per_year", "prises_h_per_year", "risk_reduction_worth",
    "birnbaum_prises_h", "draws_failed",
)  # fmt: skip


def units_of(assets: pd.DataFrame, serie: "pd.Series[str]") -> "pd.Series[str]":
    """Give what each asset counts with: its série, or itself where it is in none (rooms of NRO and PM).

    Parameters
    ----------
    assets : DataFrame
        ``Network.assets``.
    serie : Series of str, by asset number
        From `resilience.series.serie_of_assets`; "" where an asset is in none.

    Returns
    -------
    Series of str, by asset number
        The série, else ``kind:code``.
    """
    alone = assets["kind"].astype(str) + ":" + assets["code"].astype(str)
    return serie.where(serie != "", alone).rename("unit")


def contributions(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    rates: pd.DataFrame,
    units: "pd.Series[str]",
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
    tail: Tail = "constant",
) -> pd.DataFrame:
    """Give the part of each série, or asset outside any, in the annual loss of the network.

    Parameters
    ----------
    graph, failures, rates, asset_keys, seed, draws, tail
        As for `resilience.loss.network_loss`.
    units : Series of str, by asset number
        From `units_of`.

    Returns
    -------
    DataFrame
        One row per unit that can fail, the largest part first, then by code:

        - serie: the unit;
        - n_bearers: assets of it that can fail in an event or have a rate;
        - failures_per_year: how often one of them fails (in an event: at least one);
        - prises_h_per_year: what the network would no longer lose if it never failed, the *risk reduction
          worth* as a difference. Parts do not add up: two drowned rooms on one route carry its loss together,
          and either alone saves nothing;
        - risk_reduction_worth: the same as a ratio, loss of the network over what would remain (inf where
          nothing would);
        - birnbaum_prises_h: the importance of Birnbaum, expected loss of a state in which it has failed less
          that of a state in which it works: prises·h per failure. By the law of total expectation it is
          prises_h_per_year over failures_per_year, NaN where it never failed in a draw and has no rate;
        - draws_failed: draws in which it failed, over all events: how much the figures rest on.

    Notes
    -----
    Nothing is drawn again for a unit: each state in which it failed is evaluated once more without its
    failures. Exact on the drawn states; rates are exact without draws. W. E. Vesely et al. (1983), Measures
    of risk importance and their applications, NUREG/CR-3385; Z. W. Birnbaum (1969).
    """
    index = index_graph(graph, graph.prises[:, None])
    number, names = pd.factorize(units, sort=True)
    n = len(names)
    saved, often, failed = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
    is_bearer = np.zeros(len(units), np.bool_)
    total, shares = 0.0, shares_of_year(failures, tail)
    for event in events_of(graph, failures, asset_keys=asset_keys, seed=seed):
        a_year = shares[event.hazard, event.scenario]
        unit = number[event.bearers.asset]
        is_bearer[event.bearers.asset] = True
        often += a_year * _any_fails(event.bearers, unit, n)
        for block in blocks_of(event.bearers, range(draws)):
            hours, without, pair_draw, pair_unit = _without_each(index, event, unit, block)
            total += a_year * float(hours.sum()) / draws
            np.add.at(saved, pair_unit, (hours[pair_draw] - without) * a_year / draws)
            failed += np.bincount(pair_unit, minlength=n)
    of_rate = number[rates["asset"].to_numpy(np.int64)]
    by_rate = rate_losses_of_bearers(index, rates)
    often += np.bincount(of_rate, rates["rate_per_year"].to_numpy(np.float64), minlength=n)
    has_rate = np.bincount(of_rate, rates["rate_per_year"].to_numpy(np.float64), minlength=n) > 0
    saved += np.bincount(of_rate, by_rate, minlength=n)
    total += float(by_rate.sum())
    is_bearer[rates["asset"].to_numpy(np.int64)] = True
    bearers = np.bincount(number[is_bearer], minlength=n)
    is_known = (failed > 0) | has_rate
    with np.errstate(divide="ignore", invalid="ignore"):
        # what is left below a rounding of the total is nothing
        left = np.where(total - saved > 1e-12 * total, total - saved, 0.0)
        table = pd.DataFrame(
            {
                "serie": names.astype(str),
                "n_bearers": bearers,
                "failures_per_year": often,
                "prises_h_per_year": saved,
                "risk_reduction_worth": np.where(saved == 0, 1.0, total / left),
                "birnbaum_prises_h": np.where(is_known & (often > 0), saved / often, np.nan),
                "draws_failed": failed,
            }
        )[list(PARTS_COLUMNS)]
    table = table[table["n_bearers"] > 0]
    return table.sort_values(["prises_h_per_year", "serie"], ascending=[False, True], ignore_index=True)


def losses_by_kind(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    rates: pd.DataFrame,
    kinds: "pd.Series[str]",
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
    tail: Tail = "constant",
) -> pd.DataFrame:
    """Share the annual loss among kinds of assets so that the shares add up to it (values of Shapley).

    In each drawn state a kind is charged the mean, over all orders in which kinds may fail, of what its
    failures add to those before it. Two kinds that cut the same prises share them equally.

    Parameters
    ----------
    graph, failures, rates, asset_keys, seed, draws, tail
        As for `resilience.loss.network_loss`.
    kinds : Series of str, by asset number
        ``Network.assets["kind"]``, or any other way to tell few classes apart: 2**n_kinds states are
        evaluated for each drawn one.

    Returns
    -------
    DataFrame
        By kind: kind, prises_h_per_year (they add up to the loss of the network), alone (if nothing else
        failed), avoided (if it never failed).

    Notes
    -----
    L. S. Shapley (1953), A value for n-person games.
    """
    index = index_graph(graph, graph.prises[:, None])
    able = np.unique(
        np.concatenate([failures.loc[failures["p"] > 0, "asset"], rates["asset"]]).astype(np.int64)
    )
    names = sorted(kinds.iloc[able].unique())
    number = pd.Index(names).get_indexer(pd.Index(kinds))
    n = len(names)
    subsets = [part for size in range(n + 1) for part in combinations(range(n), size)]
    cost = np.zeros(len(subsets))
    shares = shares_of_year(failures, tail)
    for event in events_of(graph, failures, asset_keys=asset_keys, seed=seed):
        kind = number[event.bearers.asset]
        for block in blocks_of(event.bearers, range(draws)):
            draw, row = failures_of_draws(event.bearers, block)
            for place, part in enumerate(subsets):
                kept = np.isin(kind[row], part)
                hours = _hours(index, event.bearers, draw[kept] - block.start, row[kept], len(block))
                cost[place] += shares[event.hazard, event.scenario] * float(hours.sum()) / draws
    of = dict(zip(subsets, cost, strict=True))
    by_rate = rate_losses_of_bearers(index, rates)
    own = np.bincount(number[rates["asset"].to_numpy(np.int64)], by_rate, minlength=n)
    every = tuple(range(n))
    rows = []
    for i, name in enumerate(names):
        others = tuple(j for j in every if j != i)
        share = sum(
            math.factorial(len(part)) * math.factorial(n - len(part) - 1) / math.factorial(n)
            * (of[tuple(sorted((*part, i)))] - of[part])
            for size in range(n)
            for part in combinations(others, size)
        )  # fmt: skip
        rows.append(
            {
                "kind": name,
                "prises_h_per_year": share + own[i],
                "alone": of[(i,)] + own[i],
                "avoided": of[every] - of[others] + own[i],
            }
        )
    return pd.DataFrame(rows, columns=["kind", "prises_h_per_year", "alone", "avoided"])


def losses_by_group(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    rates: pd.DataFrame,
    groups: tuple[sparse.csr_array, Sequence[str]],
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
    tail: Tail = "constant",
) -> pd.DataFrame:
    """Give the annual loss of each group of prises: commune, PM, NRO...

    Parameters
    ----------
    graph, failures, rates, asset_keys, seed, draws, tail
        As for `resilience.loss.network_loss`.
    groups : (n_vertices, n_groups) csr_array of int64 and sequence of str
        Prises and names, from `resilience.loss.group_weights`.

    Returns
    -------
    DataFrame
        One row per group, in the order of the names: group, prises, events_prises_h_per_year,
        rates_prises_h_per_year, prises_h_per_year (their sum), hours_per_prise_year. Where each prise has
        one group the losses add up to that of the network.
    """
    weights, names = groups
    by_event = event_losses_by_group(
        graph, failures, weights, names, asset_keys=asset_keys, seed=seed, draws=draws
    )
    yearly = annual_losses(by_event, tail=tail).groupby("group")["prises_h_per_year"].sum()
    each = np.arange(len(rates) + 1, dtype=np.int64)
    hours = (rates["rate_per_year"] * rates["repair_h"]).to_numpy(np.float64)
    index = index_graph(graph, graph.prises[:, None])
    down_h = lost_weights(index, each, rates["asset"].to_numpy(np.int32), hours[:, None])[:, 0]
    by_rate = weights.T @ down_h
    prises = weights.sum(axis=0)
    events = yearly.reindex(list(names)).fillna(0.0).to_numpy(np.float64)
    total = events + by_rate
    return pd.DataFrame(
        {
            "group": pd.Series(list(names), dtype=str),
            "prises": prises,
            "events_prises_h_per_year": events,
            "rates_prises_h_per_year": by_rate,
            "prises_h_per_year": total,
            "hours_per_prise_year": np.divide(total, prises, out=np.zeros(len(total)), where=prises > 0),
        }
    )


def losses_by_convention(events: pd.DataFrame) -> pd.DataFrame:
    """Put the annual losses of each hazard side by side, one column a convention of the tail (D19).

    Parameters
    ----------
    events : DataFrame
        From `resilience.loss.event_losses`.

    Returns
    -------
    DataFrame
        hazard, none, constant, linear (prises·h per year), n_events, is_monotone.
    """
    tables = {tail: annual_losses(events, tail=tail).set_index("hazard") for tail in TAILS}
    columns = {str(tail): table["prises_h_per_year"] for tail, table in tables.items()}
    one = tables["constant"]
    return pd.DataFrame(
        columns | {"n_events": one["n_events"], "is_monotone": one["is_monotone"]}
    ).reset_index()


def _hours(index: LossIndex, bearers: Bearers, draw: Index, row: Index, n_draws: int) -> Float:
    return cost_of_failures(index, draw, bearers.asset[row], bearers.repair_h[row], n_draws)[1][:, 0]


def _any_fails(bearers: Bearers, unit: NDArray[np.int64], n_units: int) -> Float:
    """Give the probability that at least one bearer of each unit fails in the event."""
    # bearers of one stream (what crosses one bridge) fail together: they are one chance of the unit
    once = ~pd.DataFrame({"unit": unit, "stream": bearers.state}).duplicated().to_numpy()
    with np.errstate(divide="ignore"):
        survival = np.bincount(unit[once], np.log1p(-bearers.p[once]), minlength=n_units)
    return -np.expm1(survival)


def _without_each(
    index: LossIndex, event: Event, unit: NDArray[np.int64], block: range
) -> tuple[Float, Float, Index, NDArray[np.int64]]:
    """Give the prises·h of each draw, and of each pair of a draw and a unit that failed in it, without it.

    Returns
    -------
    hours : (n_draws,) float64
    without : (n_pairs,) float64
    pair_draw, pair_unit : (n_pairs,) int64
    """
    bearers = event.bearers
    draw, row = failures_of_draws(bearers, block)
    draw -= block.start
    hours = _hours(index, bearers, draw, row, len(block))
    pairs = (
        np.unique(np.stack([draw, unit[row]], axis=1), axis=0) if len(draw) else np.empty((0, 2), np.int64)
    )
    # a unit whose draw costs nothing saves nothing: its pair needs no evaluation
    costs = hours[pairs[:, 0]] > 0
    without = np.zeros(len(pairs))
    first = np.searchsorted(draw, np.arange(len(block) + 1))
    for some in _portions(np.diff(first)[pairs[:, 0]], np.flatnonzero(costs)):
        begin = pairs[some, 0]
        pair, at = slices(first[begin], first[begin + 1] - first[begin])
        kept = unit[row[at]] != pairs[some, 1][pair]
        without[some] = _hours(index, bearers, pair[kept], row[at[kept]], len(some))
    return hours, without, pairs[:, 0], pairs[:, 1]


def _portions(size: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut rows into portions whose failures, expanded, fit in memory."""
    at_once = int(MEMORY_MB * 1e6 / BYTES_PER_FAILURE)
    portion = np.cumsum(size[rows]) // max(1, at_once)
    for number in np.unique(portion):
        yield rows[portion == number]
