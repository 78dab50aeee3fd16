"""The best order of repair of a small case, exactly, and how far the rules are from it.

Branch and bound over who leaves for which task, in the order of time. A part of a schedule is given up when
even tasks done at the earliest possible, by crews without limit and without roads, would lose more than the
best schedule known. A crew may wait, which no rule does: one more crew is then never worse.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pandas as pd

from resilience.crisis.dispatch import Problem, drive_h, in_stock_h, problem
from resilience.crisis.replay import Works, curve_of, repaired
from resilience.crisis.timeline import hours_until_restored, prises_hours
from resilience.losses import losses_of_sets
from resilience.scenarios import Order

MAX_TASKS = 7
"""Above, the optimum is not searched: eight tasks have 40,320 orders, each with its choice of crews."""

Cost = Callable[[Sequence[float]], float]


def orders_compared(works: Works) -> tuple[pd.DataFrame, str]:
    """Compare the rules with each other, and with the optimum where the case is small.

    Parameters
    ----------
    works : Works

    Returns
    -------
    table : DataFrame
        order (the four rules, then optimum where it is known), prises_h (NaN where some never come back),
        restored_90_h (NaN for the optimum), gap_share (more prises·h than the optimum), is_chosen (bool).
    why : {"", "n_tasks", "missing", "power", "unlimited"}
        Why there is no optimum: more than `MAX_TASKS` tasks, tasks that nobody can do, generators to send,
        or crews without limit, for whom every order is the best.
    """
    rows = []
    complete = True
    for order in get_args(Order):
        done = repaired(replace(works, scenario=replace(works.scenario, order=order)))
        complete &= bool(done["end_h"].notna().all())
        curve = curve_of(works, done)
        rows.append((order, prises_hours(curve), hours_until_restored(curve, 0.9)))
    table = pd.DataFrame(rows, columns=["order", "prises_h", "restored_90_h"])
    table["is_chosen"] = table["order"] == works.scenario.order
    why = _why_not(works, complete=complete)
    best = np.nan
    if not why:
        best = optimum(works, at_most=float(table["prises_h"].min()))
        row = {"order": ["optimum"], "prises_h": [best], "restored_90_h": [np.nan], "is_chosen": [False]}
        table = pd.concat([table, pd.DataFrame(row)], ignore_index=True)
    table["prises_h"] = table["prises_h"].where(np.isfinite(table["prises_h"]))
    table["gap_share"] = (table["prises_h"] - best) / best if best else np.nan
    return table[["order", "prises_h", "restored_90_h", "gap_share", "is_chosen"]], why


def _why_not(works: Works, *, complete: bool) -> str:
    if works.crews is None:
        return "unlimited"
    if works.tasks["back_at_h"].notna().any():
        return "power"
    if not complete:
        return "missing"
    return "n_tasks" if len(works.tasks) > MAX_TASKS else ""


def optimum(works: Works, *, at_most: float = np.inf) -> float:
    """Give the fewest prises·h that any schedule of these crews loses.

    Parameters
    ----------
    works : Works
        With crews, and tasks that all can be done, none of them a generator.
    at_most : float
        Prises·h of a schedule that is known.
    """
    assert works.crews is not None
    case = problem(
        works.tasks, works.crews, works.parameters, works.stock,
        access_h=works.access_h, level=works.scenario.level,
    )  # fmt: skip
    return _search(case, _cost_of(works), at_most)


def _search(case: Problem, cost: Cost, at_most: float) -> float:
    times, needs, quantity, spot, from_depot, depot, crew_from, arrivals = case
    ready, hours = times[:, 0].tolist(), times[:, 1].tolist()
    n_tasks, n_crews = len(ready), len(crew_from)
    alike = [(from_depot[c].tobytes(), depot[c].tobytes()) for c in range(n_crews)]
    best = at_most

    def go_on(ends: list[float], free: list[float], at: list[int], used: np.ndarray, last: float) -> None:
        nonlocal best
        left = [t for t in range(n_tasks) if np.isnan(ends[t])]
        if not left:
            best = min(best, cost(ends))
            return
        place = np.array(at, np.int64)
        nodes = []
        for t in left:
            there_h = in_stock_h(arrivals, used, needs[t, 1], quantity[t])
            seen = set()
            for c in range(n_crews):
                who = (alike[c], free[c], at[c])
                leave = max(free[c], ready[t], there_h)
                if who in seen or leave < last or np.isinf(from_depot[c, t]) or np.isinf(leave):
                    continue
                seen.add(who)
                end = leave + drive_h(c, t, place, spot, depot, from_depot) + hours[t]
                soonest = [
                    end if i == t else max(leave, ready[i]) + hours[i] if np.isnan(e) else e
                    for i, e in enumerate(ends)
                ]
                nodes.append((cost(soonest), leave, t, c, end))
        for bound, leave, t, c, end in sorted(nodes):
            if bound >= best - 1e-9:
                return
            is_placed = not np.isnan(spot[t]).any()
            taken = used.copy()
            if needs[t, 1] >= 0:
                taken[needs[t, 1]] += quantity[t]
            go_on(
                [end if i == t else e for i, e in enumerate(ends)],
                [end if i == c else f for i, f in enumerate(free)],
                [t if i == c and is_placed else a for i, a in enumerate(at)],
                taken, leave,
            )  # fmt: skip

    go_on([np.nan] * n_tasks, crew_from.tolist(), [-1] * n_crews, np.zeros(8), 0.0)
    return best


def _cost_of(works: Works) -> Cost:
    """Give the prises·h of tasks that end at given hours; losses of sets are computed once each."""
    task, failed_at = works.tasks["asset"].tolist(), works.tasks["failed_at_h"].tolist()
    dark = works.failures[works.failures["back_at_h"].notna()]
    waits = list(dark[["asset", "failed_at_h", "back_at_h"]].itertuples(index=False, name=None))
    turns = sorted({0.0, *failed_at, *dark["failed_at_h"], *dark["back_at_h"]})
    known: dict[tuple[int, int], int] = {}

    def loss(turn: int, mask: int) -> int:
        if (turn, mask) not in known:
            hour = turns[turn]
            out = [a for i, a in enumerate(task) if mask >> i & 1]
            out += [a for a, begin, back in waits if begin <= hour < back]
            sets, members = np.array([0, len(out)]), np.array(out, np.int32)
            known[turn, mask] = int(losses_of_sets(works.index, sets, members)[0, 0])
        return known[turn, mask]

    def cost(ends: Sequence[float]) -> float:
        hours = sorted({*turns, *ends})
        lost = 0.0
        for hour, following in pairwise(hours):
            mask = sum(1 << i for i, end in enumerate(ends) if failed_at[i] <= hour < end)
            lost += loss(bisect_right(turns, hour) - 1, mask) * (following - hour)
        return lost

    return cost
