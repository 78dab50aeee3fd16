"""Loss of each event in prises and prises·h: means, errors and quantiles over its draws.

For the analyst who asks what a flood of a given return period takes down, and for `resilience.loss.annual`,
which integrates the events over their frequencies.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from gracethd.service import ServiceGraph
from resilience.loss.draws import Float, UInt64
from resilience.loss.events import EVENT, blocks_of, events_of, expected_losses
from resilience.loss.workers import Costs, Here, Problem, Workers
from resilience.losses import LossIndex, index_graph, losses_of_sets

NORMAL_95 = 1.959963984540054
"""Half-width of a 95 % interval of a mean, in standard errors (normal approximation)."""
_QUANTILES = {"p05": 0.05, "p50": 0.50, "p95": 0.95}


@dataclass(frozen=True)
class Until:
    """When there are draws enough.

    Attributes
    ----------
    half_width : float
        The 95 % interval of the mean prises·h of an event is at most this share of the mean on either side.
    max_draws : int
        Of one event, tight or not.
    """

    half_width: float
    max_draws: int = 100_000


def event_losses(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
    index: LossIndex | None = None,
    until: Until | None = None,
    workers: Workers | None = None,
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
    until : Until, optional
        Draws more until the mean is tight enough; `draws` are the first ones.
    workers : Workers, optional
        From `resilience.loss.workers`; without them, here. They change no number.

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
    if draws < 1:
        raise ValueError(f"draws must be at least 1: {draws}")
    index = index_graph(graph, graph.prises[:, None]) if index is None else index
    events = tuple(events_of(graph, failures, asset_keys=asset_keys, seed=seed))
    rows = []
    costs = drawn(Problem(index, events), draws, until, Here() if workers is None else workers)
    for event, (down, hours) in zip(events, costs, strict=True):
        unmapped = losses_of_sets(index, np.array([0, len(event.unmapped)]), event.unmapped)
        rows.append(
            {
                "hazard": event.hazard,
                "scenario": event.scenario,
                "return_period": event.return_period,
                "draws": len(down),
                **_statistics("prises_down", down[:, 0]),
                **_statistics("prises_h", hours[:, 0]),
                "n_mapped": event.n_mapped,
                "n_unmapped": event.n_unmapped,
                "prises_unmapped": int(unmapped[0, 0]),
            }
        )
    return pd.DataFrame(rows, columns=_columns()) if rows else _no_events()


def drawn(problem: Problem, draws: int, until: Until | None, workers: Workers) -> list[Costs]:
    """Draw each event, and those that are not tight again, twice as often each time.

    Returns
    -------
    list of (n_draws, k) int64 and (n_draws, k) float64
        Prises down and prises·h of each event, in the order of draws: the same in any blocks.
    """
    costs = [_nothing(problem.index)] * len(problem.events)
    wanted = dict.fromkeys(range(len(problem.events)), draws)
    while wanted:
        blocks = [
            (number, block)
            for number, total in wanted.items()
            for block in blocks_of(
                problem.events[number].bearers,
                range(len(costs[number][0]), total),
                memory_mb=workers.memory_mb,
            )
        ]
        parts: dict[int, list[Costs]] = {number: [costs[number]] for number in wanted}
        for (number, _), cost in zip(blocks, workers.costs(problem, blocks), strict=True):
            parts[number].append(cost)
        for number, of_event in parts.items():
            down, hours = (np.concatenate(values) for values in zip(*of_event, strict=True))
            costs[number] = down, hours
        wanted = {
            number: min(2 * total, until.max_draws)
            for number, total in wanted.items()
            if until is not None and total < until.max_draws and not _is_tight(costs[number][1][:, 0], until)
        }
    return costs


def _nothing(index: LossIndex) -> Costs:
    columns = index.prefix.shape[1]
    return np.empty((0, columns), np.int64), np.empty((0, columns))


def _is_tight(hours: Float, until: Until) -> bool:
    if len(hours) < 2:
        return False
    error = float(np.std(hours, ddof=1) / np.sqrt(len(hours)))
    return NORMAL_95 * error <= until.half_width * float(np.mean(hours))


def event_losses_by_group(
    graph: ServiceGraph,
    failures: pd.DataFrame,
    weights: sparse.csr_array,
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
    weights : (n_vertices, n_groups) csr_array of int64
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
    if not names:
        return _no_group()
    index = index_graph(graph, graph.prises[:, None])
    frames = []
    for event in events_of(graph, failures, asset_keys=asset_keys, seed=seed):
        expected = expected_losses(index, event, draws=draws)
        down, hours = (weights.T @ expected).T
        told = {column: getattr(event, column) for column in EVENT} | {"group": list(names)}
        frames.append(pd.DataFrame(told).assign(prises_down_mean=down, prises_h_mean=hours))
    return pd.concat(frames, ignore_index=True) if frames else _no_group()


def group_weights(
    prises: pd.DataFrame, by: str, *, n_vertices: int, vertex: str = "vertex_nominal"
) -> tuple[sparse.csr_array, list[str]]:
    """Count the traced prises of each group at each vertex.

    Parameters
    ----------
    prises : DataFrame
        ``Routes.prises``: the columns `by` (text), `vertex` (-1 = untraced, left out) and n.
    by : str
        The column that tells the group: "pm", "nro", "insee"...

    Returns
    -------
    weights : (n_vertices, n_groups) csr_array of int64
    names : list of str
        The groups in alphabetical order; "" holds the prises that the column does not place.
    """
    traced = prises[prises[vertex] >= 0]
    column, names = pd.factorize(traced[by].fillna("").astype(str), sort=True)
    rows = (traced["n"].to_numpy(np.int64), (traced[vertex].to_numpy(np.int64), column))
    weights = sparse.coo_array(rows, shape=(n_vertices, len(names))).tocsr()
    return weights, [str(name) for name in names]


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
