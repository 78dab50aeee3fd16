"""Back-test: what the model takes down in an observed event, beside the number that was counted.

For whoever asks whether the figures can be believed. The footprint of the event is a map like any other; or
the objects that failed are known, and only what they cut is tested.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gracethd.network.types import Network
from gracethd.service import ServiceGraph
from resilience.loss.draws import UInt64
from resilience.loss.events import events_of, sample_event
from resilience.losses import LossIndex, index_graph, losses_of_sets
from resilience.objects import rows_named
from resilience.sections import StudyError
from resilience.study import Observed

COLUMNS = (
    "name", "hazard", "scenario", "observed", "prises_down_mean", "prises_down_p05", "prises_down_p50",
    "prises_down_p95", "share_below", "is_within", "n_failed",
)  # fmt: skip


def back_test(
    graph: ServiceGraph,
    network: Network,
    failures: pd.DataFrame,
    observed: Sequence[Observed],
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
) -> pd.DataFrame:
    """Set the prises down of drawn states beside those that were counted.

    Parameters
    ----------
    graph : ServiceGraph
        The nominal graph.
    network : Network
    failures : DataFrame
        From `failure_probabilities`, of one level; events may have no return period.
    observed : sequence of Observed
    asset_keys, seed, draws
        As for `resilience.loss.event_losses`.

    Returns
    -------
    DataFrame
        One row per event, in their order: name, hazard, scenario, observed, prises_down_mean, _p05, _p50,
        _p95 (of the draws; all equal where the objects are named), share_below (of the draws that take down
        fewer prises, half of those that take down as many), is_within (the count lies from p05 to p95),
        n_failed (mean number of bearers that fail).

    Raises
    ------
    StudyError
        When no row of `failures` has that hazard and scenario, or an object does not exist.
    """
    index = index_graph(graph, graph.prises[:, None])
    rows = [
        _of_objects(index, network, one)
        if one.objects
        else _of_map(graph, index, failures, one, asset_keys=asset_keys, seed=seed, draws=draws)
        for one in observed
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of_map(
    graph: ServiceGraph,
    index: LossIndex,
    failures: pd.DataFrame,
    one: Observed,
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int,
) -> dict[str, object]:
    rows = failures[(failures["hazard"] == one.hazard) & (failures["scenario"] == one.scenario)]
    if rows.empty:
        known = failures[["hazard", "scenario"]].drop_duplicates()
        named = ", ".join(f"{h} / {s}" for h, s in known.itertuples(index=False)) or "none"
        raise StudyError(
            f"loss.observed {one.name!r}: no event {one.scenario!r} of hazard {one.hazard!r}; events: {named}"
        )
    # one state of the world, whatever its frequency
    (event,) = events_of(graph, rows.assign(return_period=1.0), asset_keys=asset_keys, seed=seed)
    samples = list(sample_event(index, event, draws=draws))
    down = np.concatenate([sample.down[:, 0] for sample in samples])
    n_failed = sum(len(sample.draw) for sample in samples) / draws
    return _row(one, down, n_failed)


def _of_objects(index: LossIndex, network: Network, one: Observed) -> dict[str, object]:
    number = rows_named(network.assets, one.objects, where=f"loss.observed {one.name!r}").astype(np.int32)
    lost = losses_of_sets(index, np.array([0, len(number)]), number)
    return _row(one, lost[:, 0], float(len(number)))


def _row(
    one: Observed, down: "np.ndarray[tuple[int], np.dtype[np.int64]]", n_failed: float
) -> dict[str, object]:
    p05, p50, p95 = (float(value) for value in np.quantile(down, [0.05, 0.5, 0.95], method="inverted_cdf"))
    below = float(np.mean(down < one.prises_down) + 0.5 * np.mean(down == one.prises_down))
    return {
        "name": one.name, "hazard": one.hazard, "scenario": one.scenario, "observed": one.prises_down,
        "prises_down_mean": float(np.mean(down)), "prises_down_p05": p05, "prises_down_p50": p50,
        "prises_down_p95": p95, "share_below": below, "is_within": p05 <= one.prises_down <= p95,
        "n_failed": n_failed,
    }  # fmt: skip
