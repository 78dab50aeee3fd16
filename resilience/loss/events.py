"""Loss of each event in prises and prises·h, from joint draws of what it breaks (DESIGN D19).

For the analyst who asks what a flood of a given return period takes down, and for `resilience.loss.annual`,
which integrates the events over their frequencies.

A route works again when the slowest of its failed assets is repaired, and a prise when one of its routes
does. So at time t the prises that are down are those that the assets still failed at t cut together, and
the prises·h of a draw are the integral of that number over time: a few nested sets of assets, one for each
distinct repair time, whose exact losses are multiplied by how long they last. Losses of assets are never
added. Crews are unlimited.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.loss.draws import (
    Bearers,
    Float,
    Index,
    UInt64,
    failures_of_draws,
    repair_stages,
    stream_starts,
    text_keys,
)
from resilience.losses import LossIndex, index_graph, losses_of_sets

EVENT = ["hazard", "scenario", "return_period"]
FAILURE_COLUMNS = ("asset", *EVENT, "mechanism", "p", "repair_h")
_QUANTILES = {"p05": 0.05, "p50": 0.50, "p95": 0.95}
_FAILURES_AT_ONCE = 2_000_000  # with their nested sets about 200 MB, whatever the number of draws


@dataclass(frozen=True)
class Event:
    """One event of a hazard and what can fail in it.

    Attributes
    ----------
    hazard, scenario : str
    return_period : float
        In years.
    bearers : Bearers
        Only those that can fail (p > 0) and that serve somebody.
    n_mapped, n_unmapped : int
        Bearers inside and outside the hazard's coverage; the latter have no probability and do not fail.
    unmapped : (n,) int32
        The distinct assets with an unmapped bearer.
    """

    hazard: str
    scenario: str
    return_period: float
    bearers: Bearers
    n_mapped: int
    n_unmapped: int
    unmapped: NDArray[np.int32]


@dataclass(frozen=True)
class Sample:
    """Some draws of one event: what failed in each, and what that cost.

    Attributes
    ----------
    draw, row : (n_failures,) int
        The failures: number of the draw within this sample, and row of ``Event.bearers``.
    down : (n_draws, k) int64
        Prises down at the peak.
    hours : (n_draws, k) float64
        Prises·h.
    """

    draw: Index
    row: Index
    down: NDArray[np.int64]
    hours: Float


def event_losses(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
    index: LossIndex | None = None,
) -> pd.DataFrame:
    """Give the prises down and the prises·h of each event: mean, 5 %, 50 % and 95 % over the draws.

    Parameters
    ----------
    graph : ServiceGraph
        The nominal graph.
    failures : DataFrame
        Of one level of parameters: asset (row of ``Network.assets``), hazard, scenario, return_period
        (years), mechanism, p (probability to fail in the event; NaN = not mapped), repair_h. Rows of one
        asset and mechanism in one event are pieces of it that fail independently.
    asset_keys : (n_assets,) uint64
        From `keys_of_assets`: draws depend on them and not on the order of rows.
    seed : int
    draws : int
        Joint states drawn for each event.
    index : LossIndex, optional
        ``index_graph(graph, graph.prises[:, None])`` where the caller already has it.

    Returns
    -------
    DataFrame
        One row per event, by hazard, return period and scenario: hazard, scenario, return_period, draws;
        prises_down_mean, _se (standard error of the mean), _p05, _p50, _p95; prises_h_mean and the same
        four; n_mapped, n_unmapped (bearers); prises_unmapped (those that all unmapped bearers together
        would cut: what the event could still hold).

    Raises
    ------
    ValueError
        When a column is missing or a value is out of its range; the message names both.
    """
    index = _prises_index(graph) if index is None else index
    rows = []
    for event in events_of(graph, failures, asset_keys=asset_keys, seed=seed):
        samples = list(sample_event(index, event, draws=draws))
        down = np.concatenate([sample.down[:, 0] for sample in samples])
        hours = np.concatenate([sample.hours[:, 0] for sample in samples])
        unmapped = _losses(index, np.array([0, len(event.unmapped)]), event.unmapped)
        rows.append(
            {
                "hazard": event.hazard,
                "scenario": event.scenario,
                "return_period": event.return_period,
                "draws": draws,
                **_statistics("prises_down", down),
                **_statistics("prises_h", hours),
                "n_mapped": event.n_mapped,
                "n_unmapped": event.n_unmapped,
                "prises_unmapped": int(unmapped[0, 0]),
            }
        )
    return pd.DataFrame(rows, columns=_columns()) if rows else _no_events()


def event_losses_by_group(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    weights: NDArray[np.int64],
    names: Sequence[str],
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
) -> pd.DataFrame:
    """Give the mean loss of each event in each group of prises (PM, commune...), in the same draws.

    Parameters
    ----------
    graph, failures, asset_keys, seed, draws
        As for `event_losses`.
    weights : (n_vertices, n_groups) int64
        Prises of each group that stand at each vertex; see `group_weights`.
    names : sequence of str
        One per group.

    Returns
    -------
    DataFrame
        hazard, scenario, return_period, group, prises_down_mean, prises_h_mean: one row per event and
        group, in the order of events and of `names`. Where each prise has one group the means add up to
        those of `event_losses`.
    """
    index = index_graph(graph, weights)
    frames = [
        pd.DataFrame({column: getattr(event, column) for column in EVENT} | {"group": list(names)}).assign(
            prises_down_mean=sum(sample.down.sum(axis=0) for sample in samples) / draws,
            prises_h_mean=sum(sample.hours.sum(axis=0) for sample in samples) / draws,
        )
        for event in events_of(graph, failures, asset_keys=asset_keys, seed=seed)
        for samples in [list(sample_event(index, event, draws=draws))]
    ]
    return pd.concat(frames, ignore_index=True) if frames else _no_group()


def group_weights(
    prises: pd.DataFrame, by: str, *, n_vertices: int, vertex: str = "vertex_nominal"
) -> tuple[NDArray[np.int64], list[str]]:
    """Count the traced prises of each group at each vertex.

    Parameters
    ----------
    prises : DataFrame
        ``Routes.prises``: the columns `by` (text), `vertex` (-1 = untraced, left out) and n.
    by : str
        The column that tells the group: "pm", "nro", "insee"...

    Returns
    -------
    weights : (n_vertices, n_groups) int64
    names : list of str
        The groups in alphabetical order; "" holds the prises that the column does not place.
    """
    traced = prises[prises[vertex] >= 0]
    column, names = pd.factorize(traced[by].fillna("").astype(str), sort=True)
    weights = np.zeros((n_vertices, len(names)), np.int64)
    np.add.at(weights, (traced[vertex].to_numpy(), column), traced["n"].to_numpy(np.int64))
    return weights, [str(name) for name in names]


def events_of(
    graph: ServiceGraph, failures: pd.DataFrame, *, asset_keys: UInt64, seed: int
) -> Iterator[Event]:
    """Give the events of a table of failures one by one, by hazard, return period and scenario."""
    check_failures(failures, graph.n_assets)
    if len(asset_keys) != graph.n_assets:
        message = f"asset_keys has {len(asset_keys)} values for {graph.n_assets} assets"
        raise ValueError(f"{message}; use keys_of_assets on the assets of the network")
    serves = np.zeros(graph.n_assets, np.bool_)
    serves[graph.vertex_asset] = True
    serves[graph.edge_asset] = True
    asset = failures["asset"].to_numpy(np.int32)
    p, repair_h = (failures[column].to_numpy(np.float64) for column in ("p", "repair_h"))
    number, names = pd.factorize(failures["mechanism"])
    mechanism = text_keys(names)[number]
    by_event = failures.groupby(["hazard", "return_period", "scenario"], observed=True)
    rows_of = cast("dict[tuple[str, float, str], Index]", by_event.indices)
    for (hazard, return_period, scenario), rows in sorted(rows_of.items(), key=lambda item: item[0]):
        is_unmapped = np.isnan(p[rows])
        fail = rows[(p[rows] > 0) & serves[asset[rows]]]
        whole = _put_together(asset[fail], mechanism[fail], p[fail], repair_h[fail])
        yield Event(
            str(hazard),
            str(scenario),
            float(return_period),
            _bearers(f"{seed}/{hazard}/{scenario}", *whole, asset_keys),
            int((~is_unmapped).sum()),
            int(is_unmapped.sum()),
            np.unique(asset[rows[is_unmapped]]),
        )


def sample_event(index: LossIndex, event: Event, *, draws: int) -> Iterator[Sample]:
    """Draw joint states of one event and give what they cost, by blocks of draws that bound the memory.

    The blocks do not change the numbers: a draw is known by its number.
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1: {draws}")
    at_once = max(1, int(_FAILURES_AT_ONCE / max(1.0, float(event.bearers.p.sum()))))
    for first in range(0, draws, at_once):
        block = range(first, min(first + at_once, draws))
        draw, row = failures_of_draws(event.bearers, block)
        draw -= first
        stages = repair_stages(draw, event.bearers.asset[row], event.bearers.repair_h[row])
        lost = _losses(index, stages.indptr, stages.assets)[stages.set_row]
        down = np.zeros((len(block), lost.shape[1]), np.int64)
        hours = np.zeros(down.shape)
        if len(stages.draw):
            starts = np.flatnonzero(np.append(True, stages.draw[1:] != stages.draw[:-1]))
            hit = stages.draw[starts]
            hours[hit] = np.add.reduceat(lost * stages.hours[:, None], starts, axis=0)
            down[hit] = lost[np.append(starts[1:], len(lost)) - 1]
        yield Sample(draw, row, down, hours)


def check_failures(failures: pd.DataFrame, n_assets: int) -> None:
    """Refuse a table of failures that cannot be used, naming the column and the value."""
    missing = [column for column in FAILURE_COLUMNS if column not in failures]
    if missing:
        raise ValueError(f"failures: columns {', '.join(missing)} missing; see failure_probabilities")
    mapped = failures[failures["p"].notna()]
    rules = {
        "asset": (~failures["asset"].between(0, n_assets - 1), f"a row of the {n_assets} assets"),
        "p": (~mapped["p"].between(0.0, 1.0), "a probability between 0 and 1, or NaN where not mapped"),
        "repair_h": (
            ~((mapped["repair_h"] > 0) & np.isfinite(mapped["repair_h"])) & (mapped["p"] > 0),
            "a positive number of hours",
        ),
        "return_period": (
            ~((failures["return_period"] > 0) & np.isfinite(failures["return_period"])),
            "a positive number of years",
        ),
    }
    rules |= {column: (failures[column].isna(), "a name") for column in ("hazard", "scenario", "mechanism")}
    for column, (is_wrong, expected) in rules.items():
        if is_wrong.any():
            value = failures.loc[is_wrong.index[is_wrong], column].iloc[0]
            count = int(is_wrong.sum())
            raise ValueError(f"failures: {column} = {value!r} in {count} row(s); expected {expected}")
    events = failures[EVENT].drop_duplicates()
    twice = events[events.duplicated(["hazard", "scenario"])]
    if len(twice):
        hazard, scenario = twice.iloc[0][["hazard", "scenario"]]
        raise ValueError(f"failures: scenario {scenario!r} of hazard {hazard!r} has several return periods")


def _put_together(
    asset: NDArray[np.int32], mechanism: UInt64, p: Float, repair_h: Float
) -> tuple[NDArray[np.int32], UInt64, Float, Float]:
    """Put the pieces of each (asset, mechanism) together: it fails with any of them."""
    order = np.lexsort((repair_h, p, mechanism, asset))
    asset, mechanism, p, repair_h = asset[order], mechanism[order], p[order], repair_h[order]
    is_first = np.ones(len(asset), np.bool_)
    is_first[1:] = (asset[1:] != asset[:-1]) | (mechanism[1:] != mechanism[:-1])
    if is_first.all():
        return asset, mechanism, p, repair_h
    first = np.flatnonzero(is_first)
    in_one_piece = np.diff(first, append=len(asset)) == 1
    # 1 - (1 - p) is not p in floating point: what is in one piece keeps its p
    any_piece = np.where(in_one_piece, p[first], 1.0 - np.multiply.reduceat(1.0 - p, first))
    return asset[first], mechanism[first], any_piece, np.maximum.reduceat(repair_h, first)


def _bearers(
    event: str, asset: NDArray[np.int32], mechanism: UInt64, p: Float, repair_h: Float, asset_keys: UInt64
) -> Bearers:
    """Sort the rows of an event, the slowest repair of each asset first, and start their streams."""
    order = np.lexsort((mechanism, -repair_h, asset))
    state = stream_starts(event, mechanism[order], asset_keys[asset[order]])
    return Bearers(asset[order], state, p[order], repair_h[order])


def _prises_index(graph: ServiceGraph) -> LossIndex:
    return index_graph(graph, graph.prises[:, None])


def _losses(index: LossIndex, indptr: NDArray[np.int64], assets: NDArray[np.int32]) -> NDArray[np.int64]:
    return losses_of_sets(index, indptr.astype(np.int64), assets)


def _statistics(name: str, values: NDArray[np.int64] | Float) -> dict[str, float]:
    """Mean, its standard error (NaN for one draw), and quantiles that are values drawn."""
    count = len(values)
    error = float(np.std(values, ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
    quantiles = np.quantile(values, list(_QUANTILES.values()), method="inverted_cdf")
    numbers = {f"{name}_mean": float(np.mean(values)), f"{name}_se": error}
    return numbers | {f"{name}_{key}": float(value) for key, value in zip(_QUANTILES, quantiles, strict=True)}


def _columns() -> list[str]:
    statistics = [f"{name}_{s}" for name in ("prises_down", "prises_h") for s in ("mean", "se", *_QUANTILES)]
    return [*EVENT, "draws", *statistics, "n_mapped", "n_unmapped", "prises_unmapped"]


def _no_events() -> pd.DataFrame:
    text, whole = ("hazard", "scenario"), ("draws", "n_mapped", "n_unmapped", "prises_unmapped")
    types = {c: str if c in text else np.int64 if c in whole else np.float64 for c in _columns()}
    return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in types.items()})


def _no_group() -> pd.DataFrame:
    types = {"hazard": str, "scenario": str, "return_period": float, "group": str}
    types |= {"prises_down_mean": float, "prises_h_mean": float}
    return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in types.items()})
