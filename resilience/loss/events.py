"""What joint draws of an event break, and what each costs in prises and prises·h (DESIGN D19).

For the modules beside this one, which give means over the draws, and for the plan.

A route works again when the slowest of its failed assets is repaired, and a prise when one of its routes
does. So at time t the prises that are down are those that the assets still failed at t cut together, and
the prises·h of a draw are the integral of that number over time: a few nested sets of assets, one for each
distinct repair time, whose exact losses are multiplied by how long they last. Losses of assets are never
added. Crews are unlimited.
"""

from collections.abc import Iterator
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
from resilience.loss.words import is_dense, losses_in_words
from resilience.losses import LossIndex, losses_of_sets, lost_weights

EVENT = ["hazard", "scenario", "return_period"]
FAILURE_COLUMNS = ("asset", *EVENT, "mechanism", "p", "repair_h")
BYTES_PER_FAILURE = 100
"""Of memory, measured, for each failure drawn, its nested sets included."""
MEMORY_MB = 200
"""For draws at once, in each process."""


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
    key = row_keys(failures, asset_keys[asset])
    by_event = failures.groupby(["hazard", "return_period", "scenario"], observed=True)
    rows_of = cast("dict[tuple[str, float, str], Index]", by_event.indices)
    for (hazard, return_period, scenario), rows in sorted(rows_of.items(), key=lambda item: item[0]):
        is_unmapped = np.isnan(p[rows])
        fail = rows[(p[rows] > 0) & serves[asset[rows]]]
        whole = put_together(asset[fail], mechanism[fail], p[fail], repair_h[fail], key[fail])
        yield Event(
            str(hazard),
            str(scenario),
            float(return_period),
            _bearers(f"{seed}/{hazard}/{scenario}", *whole),
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
    for block in blocks_of(event.bearers, range(draws)):
        yield sample_block(index, event, block)


def blocks_of(bearers: Bearers, draws: range, *, memory_mb: int = MEMORY_MB) -> list[range]:
    """Cut draws into blocks, each of which needs at most about `memory_mb` of memory."""
    expected = BYTES_PER_FAILURE * max(1.0, float(bearers.p.sum()))
    at_once = max(1, int(memory_mb * 1e6 / expected))
    return [
        range(first, min(first + at_once, draws.stop)) for first in range(draws.start, draws.stop, at_once)
    ]


def sample_block(index: LossIndex, event: Event, block: range) -> Sample:
    """Draw some joint states of one event, by their numbers, and give what they cost."""
    draw, row = failures_of_draws(event.bearers, block)
    draw -= block.start
    bearers = event.bearers
    down, hours = cost_of_failures(index, draw, bearers.asset[row], bearers.repair_h[row], len(block))
    return Sample(draw, row, down, hours)


def cost_of_failures(
    index: LossIndex, draw: Index, asset: NDArray[np.int32], repair_h: Float, n_draws: int
) -> tuple[NDArray[np.int64], Float]:
    """Give what each draw costs: prises down at the peak, and prises·h, (n_draws, k) each.

    Parameters
    ----------
    index : LossIndex
    draw, asset, repair_h : (n_failures,)
        Sorted by draw, then asset, then falling repair time.
    n_draws : int
    """
    stages = repair_stages(draw, asset, repair_h)
    lost = _losses(index, stages.indptr, stages.assets)[stages.set_row]
    down = np.zeros((n_draws, lost.shape[1]), np.int64)
    hours = np.zeros(down.shape)
    if len(stages.draw):
        starts = np.flatnonzero(np.append(True, stages.draw[1:] != stages.draw[:-1]))
        hit = stages.draw[starts]
        hours[hit] = np.add.reduceat(lost * stages.hours[:, None], starts, axis=0)
        down[hit] = lost[np.append(starts[1:], len(lost)) - 1]
    return down, hours


def expected_losses(index: LossIndex, event: Event, *, draws: int) -> Float:
    """Give how often each vertex is down in an event, and for how many hours, on average over the draws.

    Returns
    -------
    (n_vertices, 2) float64
        The mean prises down and prises·h of any group are its prises at each vertex times these.
    """
    expected = np.zeros((index.n_vertices, 2))
    for block in blocks_of(event.bearers, range(draws)):
        draw, row = failures_of_draws(event.bearers, block)
        stages = repair_stages(draw, event.bearers.asset[row], event.bearers.repair_h[row])
        if not len(stages.draw):
            continue
        is_last = np.append(stages.draw[1:] != stages.draw[:-1], True)
        n_sets = len(stages.indptr) - 1
        down = np.bincount(stages.set_row[is_last], minlength=n_sets)
        hours = np.bincount(stages.set_row, stages.hours, n_sets)
        weights = np.column_stack([down, hours]).astype(np.float64)
        expected += lost_weights(index, stages.indptr, stages.assets, weights)
    return expected / draws


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


def row_keys(failures: pd.DataFrame, own: UInt64) -> UInt64:
    """Give the key of each row's draws: that of its asset, or of what it fails with (a bridge)."""
    if "fails_with" not in failures:
        return own
    number, names = pd.factorize(failures["fails_with"])
    return np.where((failures["fails_with"] == "").to_numpy(), own, text_keys(names)[number])


def put_together(
    asset: NDArray[np.int32], mechanism: UInt64, p: Float, repair_h: Float, key: UInt64
) -> tuple[NDArray[np.int32], UInt64, Float, Float, UInt64]:
    """Put the pieces of each (asset, mechanism) together: it fails with any of them."""
    order = np.lexsort((repair_h, p, mechanism, asset))
    asset, mechanism, p, repair_h, key = asset[order], mechanism[order], p[order], repair_h[order], key[order]
    is_first = np.ones(len(asset), np.bool_)
    is_first[1:] = (asset[1:] != asset[:-1]) | (mechanism[1:] != mechanism[:-1])
    if is_first.all():
        return asset, mechanism, p, repair_h, key
    first = np.flatnonzero(is_first)
    in_one_piece = np.diff(first, append=len(asset)) == 1
    # 1 - (1 - p) is not p in floating point: what is in one piece keeps its p
    any_piece = np.where(in_one_piece, p[first], 1.0 - np.multiply.reduceat(1.0 - p, first))
    return asset[first], mechanism[first], any_piece, np.maximum.reduceat(repair_h, first), key[first]


def _bearers(
    event: str, asset: NDArray[np.int32], mechanism: UInt64, p: Float, repair_h: Float, key: UInt64
) -> Bearers:
    """Sort the rows of an event, the slowest repair of each asset first, and start their streams."""
    order = np.lexsort((mechanism, -repair_h, asset))
    state = stream_starts(event, mechanism[order], key[order])
    return Bearers(asset[order], state, p[order], repair_h[order])


def _losses(index: LossIndex, indptr: NDArray[np.int64], assets: NDArray[np.int32]) -> NDArray[np.int64]:
    sets = indptr.astype(np.int64)
    if is_dense(index, sets, assets):
        return losses_in_words(index, sets, assets)
    return losses_of_sets(index, sets, assets)
