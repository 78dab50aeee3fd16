"""The assets behind the annual loss: how often each one fails, and what it costs a year.

For the analyst who looks for the worst assets, and for the classes of likelihood of the SPOF list
(column ``vraisemblance``).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.loss.annual import Tail, shares_of_year
from resilience.loss.draws import Bearers, Float, Index, UInt64
from resilience.loss.events import check_failures, events_of, sample_event
from resilience.losses import LossIndex, index_graph, losses_of_sets
from resilience.rates import rate_losses_of_bearers


def losses_by_asset(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    rates: pd.DataFrame,
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
    tail: Tail = "constant",
    index: LossIndex | None = None,
) -> pd.DataFrame:
    """Give what each bearer's failures cost a year, alone and together with what fails with them.

    Neither column adds up to the loss of the network, and neither is the effect of a measure: two rooms
    drowned on one route both carry its loss. They tell where to look; `network_loss` tells what is gained.

    Parameters
    ----------
    graph, failures, rates, asset_keys, seed, draws, tail, index
        As for `network_loss`.

    Returns
    -------
    DataFrame
        One row per asset that can fail and serves somebody or has a rate, the worst alone first, then by
        asset number: asset (int32); prises_h_alone_per_year, exact: its expected hours out of service a
        year x the prises that it cuts when nothing else fails (0 for an asset that redundancy protects);
        prises_h_with_per_year: the expected loss of the states in which it has failed, its own rate
        included; share_with: the latter over the loss of the network.
    """
    index = index_graph(graph, graph.prises[:, None]) if index is None else index
    alone_h, with_ph = np.zeros(graph.n_assets), np.zeros(graph.n_assets)
    is_bearer = np.zeros(graph.n_assets, np.bool_)
    total = 0.0
    weight = shares_of_year(failures, tail)
    for event in events_of(graph, failures, asset_keys=asset_keys, seed=seed):
        a_year = weight[event.hazard, event.scenario]
        asset = event.bearers.asset
        is_bearer[asset] = True
        np.add.at(alone_h, asset, a_year * _expected_hours(event.bearers))
        for sample in sample_event(index, event, draws=draws):
            hours = sample.hours[:, 0] * a_year / draws
            total += float(hours.sum())
            failed = asset[sample.row]
            once = np.ones(len(failed), np.bool_)
            once[1:] = (failed[1:] != failed[:-1]) | (sample.draw[1:] != sample.draw[:-1])
            np.add.at(with_ph, failed[once], hours[sample.draw[once]])

    rate_asset, rate_loss = rates["asset"].to_numpy(np.int32), rate_losses_of_bearers(index, rates)
    is_bearer[rate_asset] = True
    bearers = np.flatnonzero(is_bearer).astype(np.int32)
    cut = losses_of_sets(index, np.arange(len(bearers) + 1, dtype=np.int64), bearers)[:, 0]
    alone = _sums(rate_asset, rate_loss, graph.n_assets)
    together = with_ph + alone
    total += float(rate_loss.sum())
    table = pd.DataFrame(
        {
            "asset": bearers,
            "prises_h_alone_per_year": alone[bearers] + alone_h[bearers] * cut,
            "prises_h_with_per_year": together[bearers],
            "share_with": together[bearers] / total if total else 0.0,
        }
    )
    return table.sort_values(["prises_h_alone_per_year", "asset"], ascending=[False, True], ignore_index=True)


def failure_frequency(
    failures: pd.DataFrame,
    rates: pd.DataFrame,
    *,
    n_assets: int,
    tail: Tail = "constant",
    uses: pd.DataFrame | None = None,
) -> pd.Series:
    """Give how often a year each asset fails, by itself or with what carries it.

    For each hazard the probabilities of failure in its events are integrated over frequency by
    `annual_loss`; the rates without a map are added. In one event the bearers of a cable fail
    independently, and the cable fails with any of them.

    Parameters
    ----------
    failures, rates : DataFrame
        From `failure_probabilities` and `annual_rates`.
    n_assets : int
        Rows of ``Network.assets``.
    tail : {"none", "constant", "linear"}
    uses : DataFrame, optional
        ``Network.uses`` (carrier, carried); without it only the bearers themselves have a frequency.

    Returns
    -------
    Series
        (n_assets,) float64 named failures_per_year, indexed by asset number; NaN where no mechanism is
        known for the asset or its carriers (not mapped counts as not known).
    """
    check_failures(failures, n_assets)
    pairs = _distinct_uses(uses)
    known = np.zeros(n_assets, np.bool_)
    frequency = np.zeros(n_assets)
    weight = shares_of_year(failures, tail)
    mapped, has_groups = failures[failures["p"].notna()], "fails_with" in failures
    for key, rows in mapped.groupby(["hazard", "scenario"], sort=True):
        asset = rows["asset"].to_numpy()
        known[asset] = True
        with np.errstate(divide="ignore"):  # a certain failure: the logarithm of its survival is -inf
            survival = np.log1p(-rows["p"].to_numpy(np.float64))
        shared = (rows["fails_with"] != "").to_numpy() if has_groups else np.zeros(len(rows), np.bool_)
        survives = _with_carriers(_sums(asset, np.where(shared, 0.0, survival), n_assets), pairs)
        if shared.any():
            survives += _of_groups(rows.loc[shared], survival[shared], pairs, n_assets)
        fails = -np.expm1(survives)
        frequency += weight[str(key[0]), str(key[1])] * fails
    known[rates["asset"].to_numpy()] = True
    rate = rates["rate_per_year"].to_numpy(np.float64)
    frequency += _with_carriers(_sums(rates["asset"].to_numpy(), rate, n_assets), pairs)
    known = _with_carriers(known.astype(np.float64), pairs) > 0
    return pd.Series(np.where(known, frequency, np.nan), name="failures_per_year")


def _of_groups(rows: pd.DataFrame, survival: Float, pairs: tuple[Index, Index], n_assets: int) -> Float:
    """Sum the survivals of what fails together (a bridge), once for each member and all that it carries."""
    members = rows[["asset", "mechanism", "fails_with"]].assign(survival=survival)
    carried = members.merge(pd.DataFrame({"asset": pairs[0], "carried": pairs[1]}), on="asset")
    both = pd.concat([members, carried.assign(asset=carried["carried"])[members.columns]])
    once = both.drop_duplicates(["asset", "mechanism", "fails_with"])
    return _sums(once["asset"].to_numpy(np.int64), once["survival"].to_numpy(), n_assets)


def _expected_hours(bearers: Bearers) -> Float:
    """Hours that each row adds to its asset's outage, which lasts until the slowest repair only."""
    survives = pd.Series(1.0 - bearers.p).groupby(bearers.asset).cumprod()
    is_first = np.ones(len(bearers.asset), np.bool_)
    is_first[1:] = bearers.asset[1:] != bearers.asset[:-1]
    not_before = np.where(is_first, 1.0, survives.shift(1, fill_value=1.0))
    return bearers.p * bearers.repair_h * not_before


def _distinct_uses(uses: pd.DataFrame | None) -> tuple[Index, Index]:
    """Carriers and what they carry, each pair once: links have several sources and sections."""
    if uses is None or uses.empty:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    pairs = uses.loc[uses["carrier"] != uses["carried"], ["carrier", "carried"]].drop_duplicates()
    pairs = pairs.sort_values(["carried", "carrier"])
    return pairs["carrier"].to_numpy(np.intp), pairs["carried"].to_numpy(np.intp)


def _sums(asset: NDArray[np.integer], values: Float, n_assets: int) -> Float:
    """Sum the values of each asset."""
    return np.bincount(asset, weights=values, minlength=n_assets).astype(np.float64)


def _with_carriers(own: Float, pairs: tuple[Index, Index]) -> Float:
    """Add to each asset's own value those of its carriers."""
    carrier, carried = pairs
    return own + _sums(carried, own[carrier], len(own))
