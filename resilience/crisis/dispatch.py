"""Who repairs what, and when: crews that take tasks by a rule, from a stock.

A task waits until its parts are there and until one can go there; then it keeps one crew for its hours of
work. With unlimited crews each task begins as soon as it can, which gives the prises·h of DESIGN D19.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.compiled import compiled
from resilience.crisis.resources import SKILLS, STOCK
from resilience.parameters import Level, Parameters
from resilience.scenarios import Order

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Problem = tuple[Float, Int, Float, Float, Float, Float, Float, Float]
# why nobody does a task, in the place of the number of a crew
_NOBODY, _NO_STOCK, _TOO_LATE = -1, -2, -3


def dispatch(
    tasks: pd.DataFrame,
    crews: pd.DataFrame | None,
    parameters: Parameters,
    stock: pd.DataFrame | None = None,
    *,
    access_h: Float | None = None,
    order: Order = "collecte",
    level: Level = "central",
) -> pd.DataFrame:
    """Say who does which task when.

    A crew that is free takes, among the tasks that can begin and that it has the skill for, the first by the
    rule; of several free crews the one that stands nearest to it goes, and takes what the task needs from
    the stock. No crew waits for a task that is not ready while another is. Rules: ``collecte``, by stage
    from collecte down to drops, then prises behind an hour of work; ``prises``, prises behind an hour of
    work; ``sites``, sensitive sites behind, then as collecte; ``proximite``, the nearest.

    Parameters
    ----------
    tasks : DataFrame
        From `resilience.crisis.repair.repair_tasks`.
    crews : DataFrame or None
        From `resilience.crisis.resources.crews_of`; None for unlimited crews, who need no time on the road
        and nothing from the stock.
    parameters, level
        ``crisis.road_kmh`` and ``crisis.road_detour``.
    stock : DataFrame, optional
        From `resilience.crisis.resources.stock_of`; without it nothing is ever short.
    access_h : (n_crews, n_tasks) float64, optional
        Hours by road from the depot of each crew, inf where no road leads; without it straight lines times
        the detour. Between two works a crew drives the straight line with its detour, but never less than the
        difference of their hours from its depot, nor more than by way of it.
    order : {"collecte", "prises", "sites", "proximite"}

    Returns
    -------
    DataFrame
        `tasks` with: turn (1, 2... by begin_h, then asset), crew (0 = unlimited, -1 = nobody), travel_h,
        begin_h, end_h (NaN where nobody does it), missing ("" or why nobody does: competence, acces, the
        kind of stock, or trop_tard for a generator that would come after the mains).

    Examples
    --------
    >>> dispatch(tasks, crews_of(tables), study.parameters)  # doctest: +SKIP
    """
    if crews is None:
        done = tasks.assign(crew=0, travel_h=0.0, begin_h=tasks["ready_h"], missing="")
    else:
        by_rule = _by_rule(tasks, order)
        crew, travel_h, begin_h = assigned(
            *problem(tasks, crews, parameters, stock, access_h=access_h, level=level),
            by_rule,
            order == "proximite",
        )
        missing = _missing(tasks, crews, crew)
        crew = np.where(crew < 0, -1, crew + 1)
        done = tasks.assign(crew=crew, travel_h=travel_h, begin_h=begin_h, missing=missing)
    done["end_h"] = done["begin_h"] + done["crew_h"]
    turn = done.sort_values(["begin_h", "asset"], kind="stable").index
    done["turn"] = pd.Series(np.arange(1, len(done) + 1), index=turn)
    return done


def problem(
    tasks: pd.DataFrame,
    crews: pd.DataFrame,
    parameters: Parameters,
    stock: pd.DataFrame | None = None,
    *,
    access_h: Float | None = None,
    level: Level = "central",
) -> Problem:
    """Put tasks, crews and stock into the arrays that `assigned` walks; see `dispatch`.

    Returns
    -------
    times : (n_tasks, 3) float64
        ready_h, crew_h, and the hour by which its work has to be done to be of use (inf).
    needs : (n_tasks, 2) int64
        Skill and stock by number; -1 where it needs no stock, or none that is counted.
    quantity : (n_tasks,) float64
    spot : (n_tasks, 2) float64
        In hours of road, so that distances are hours; NaN without a place.
    from_depot : (n_crews, n_tasks) float64
        Hours on the road, inf where a crew cannot go or has not the skill.
    depot : (n_crews, 2) float64
        As spot, where crews stand first.
    crew_from : (n_crews,) float64
    arrivals : (n_arrivals + n_tasks, 3) float64
        Stock by number, hour, quantity; rows of generators given back are filled in as they are taken.
    """
    hours_per_m = parameters.at("crisis.road_detour", level) / parameters.at("crisis.road_kmh", level) / 1e3
    counted = pd.DataFrame({"stock": [], "hour": [], "quantity": []}) if stock is None else stock
    number = pd.Index(STOCK)
    in_stock = number.get_indexer(pd.Index(counted["stock"]))
    kind = number.get_indexer(pd.Index(tasks["stock"]))
    kind = np.where(np.isin(kind, in_stock), kind, -1)
    skill = pd.Index(SKILLS).get_indexer(pd.Index(tasks["skill"]))
    spot = tasks[["x", "y"]].to_numpy(np.float64) * hours_per_m
    stands = crews[["x", "y"]].to_numpy(np.float64) * hours_per_m
    straight = np.nan_to_num(
        np.hypot(*(stands[:, None, :] - spot[None, :, :]).transpose(2, 0, 1)).reshape(len(crews), -1), nan=0.0
    )
    arrivals = np.full((len(counted) + len(tasks), 3), np.inf)
    arrivals[:, 0] = -1
    arrivals[: len(counted), 0] = in_stock
    arrivals[: len(counted), 1:] = counted[["hour", "quantity"]].to_numpy(np.float64)
    last_h = tasks["back_at_h"].fillna(np.inf)
    return (
        np.column_stack([tasks["ready_h"], tasks["crew_h"], last_h]).astype(np.float64),
        np.column_stack([skill, kind]).astype(np.int64),
        tasks["quantity"].to_numpy(np.float64),
        spot,
        np.where(_fits(tasks, crews), straight if access_h is None else access_h, np.inf),
        stands,
        crews["from_h"].to_numpy(np.float64),
        arrivals,
    )


@compiled
def assigned(  # noqa: PLR0913, PLR0917, C901, PLR0912 - one walk through time, compiled
    times: Float,
    needs: Int,
    quantity: Float,
    spot: Float,
    from_depot: Float,
    depot: Float,
    crew_from: Float,
    arrivals: Float,
    by_rule: Int,
    nearest: bool,  # noqa: FBT001
) -> tuple[Int, Float, Float]:
    """Let the crews take the tasks, in time: crew (from 0), hours on the road and begin of each task.

    `by_rule` holds the tasks, the first to take first; for the rest see `problem`. A crew below 0 says why
    nobody does it.
    """
    n_tasks, n_crews = len(times), len(from_depot)
    crew = np.full(n_tasks, _NOBODY, np.int64)
    travel_h, begin_h = np.zeros(n_tasks), np.full(n_tasks, np.nan)
    is_open = np.zeros(n_tasks, np.bool_)
    for t in range(n_tasks):
        for c in range(n_crews):
            is_open[t] |= from_depot[c, t] < np.inf
    free_h, at = crew_from.copy(), np.full(n_crews, -1, np.int64)
    used, given = np.zeros(8), arrivals.copy()
    while True:
        now = free_h.min()
        if now == np.inf:
            return crew, travel_h, begin_h
        best_task, best_crew, best_far, wait = -1, -1, np.inf, np.inf
        for t in by_rule:
            if not is_open[t]:
                continue
            there_h = in_stock_h(given, used, needs[t, 1], quantity[t])
            if now + times[t, 1] >= times[t, 2]:
                is_open[t] = False
                crew[t] = _NO_STOCK if there_h > now else _TOO_LATE
                continue
            for c in range(n_crews):
                if free_h[c] != now or from_depot[c, t] == np.inf:
                    continue
                start = max(times[t, 0], there_h)
                if start > now:
                    wait = min(wait, start)
                    crew[t] = _NO_STOCK if there_h == np.inf else _NOBODY
                    continue
                far = drive_h(c, t, at, spot, depot, from_depot)
                if best_task < 0 or ((nearest or t == best_task) and far < best_far):
                    best_task, best_crew, best_far = t, c, far
            if best_task >= 0 and not nearest:
                break
        if best_task < 0:
            for c in range(n_crews):
                if free_h[c] == now:
                    free_h[c] = wait
            continue
        t, c = best_task, best_crew
        is_open[t], crew[t] = False, c
        travel_h[t], begin_h[t] = best_far, now + best_far
        free_h[c] = begin_h[t] + times[t, 1]
        if not np.isnan(spot[t, 0] + spot[t, 1]):
            at[c] = t
        if needs[t, 1] >= 0:
            used[needs[t, 1]] += quantity[t]
            if times[t, 2] < np.inf:  # a generator, free again once the mains are back
                row = len(given) - n_tasks + t
                given[row, 0], given[row, 1], given[row, 2] = needs[t, 1], times[t, 2], quantity[t]


@compiled
def drive_h(c: int, t: int, at: Int, spot: Float, depot: Float, from_depot: Float) -> float:
    """Give the hours that a crew drives from where it stands; nothing where a place is not known."""
    if at[c] < 0:
        return float(from_depot[c, t])
    i = at[c]
    straight = np.hypot(spot[i, 0] - spot[t, 0], spot[i, 1] - spot[t, 1])
    if np.isnan(straight):
        return 0.0
    if np.isnan(depot[c, 0] + depot[c, 1]):
        return float(straight)
    gone, goes = from_depot[c, i], from_depot[c, t]
    return float(min(max(straight, abs(gone - goes)), gone + goes))


@compiled
def in_stock_h(given: Float, used: Float, kind: int, quantity: float) -> float:
    """Give the hour from which so much is left of a kind, inf if never; 0 where nothing has to be taken."""
    if kind < 0:
        return 0.0
    first = np.inf
    for row in range(len(given)):
        if given[row, 0] == kind and given[row, 1] < first:
            left = -used[kind]
            for other in range(len(given)):
                if given[other, 0] == kind and given[other, 1] <= given[row, 1]:
                    left += given[other, 2]
            if left >= quantity:
                first = given[row, 1]
    return float(first)


def _fits(tasks: pd.DataFrame, crews: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which crews have the skill for which tasks, (n_crews, n_tasks)."""
    skill = crews["skill"].to_numpy(str)[:, None]
    return (skill == "") | (skill == tasks["skill"].to_numpy(str))


def _missing(tasks: pd.DataFrame, crews: pd.DataFrame, crew: Int) -> NDArray[np.str_]:
    """Say why nobody does a task, "" where somebody does."""
    nobody_can = ~_fits(tasks, crews).any(axis=0)
    return np.select(
        [crew >= 0, nobody_can, crew == _NO_STOCK, crew == _TOO_LATE],
        ["", "competence", tasks["stock"].to_numpy(str), "trop_tard"],
        default="acces",
    )


def _by_rule(tasks: pd.DataFrame, order: Order) -> NDArray[np.intp]:
    """Give the tasks in the order in which a rule takes them."""
    per_hour = -tasks["prises_behind"].to_numpy() / np.maximum(tasks["crew_h"].to_numpy(np.float64), 1e-9)
    asset, stage, sites = (tasks[name].to_numpy() for name in ("asset", "stage", "sites_behind"))
    keys = {
        "collecte": (asset, per_hour, stage),
        "prises": (asset, per_hour),
        "sites": (asset, per_hour, stage, -sites),
        "proximite": (asset,),
    }
    return np.lexsort(keys[order]).astype(np.intp)
