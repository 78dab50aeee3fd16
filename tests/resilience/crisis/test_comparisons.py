"""What schedules are compared with: every schedule of small cases, one more of each resource, drawn hours."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gracethd.service import ServiceGraph
from resilience.crisis.optimum import MAX_TASKS, optimum, orders_compared
from resilience.crisis.repair import triangular
from resilience.crisis.replay import Works
from resilience.crisis.timeline import down_over_time, prises_hours, spans
from resilience.crisis.what_if import one_more
from resilience.losses import index_graph
from resilience.parameters import default_parameters
from resilience.scenarios import Scenario
from tests.draws import draws
from tests.resilience.service_graphs import served_only, service_graphs

PARAMETERS = default_parameters()
ROAD_H = 1.3  # 40 km as the crow flies, at 40 km/h, by a detour of 1.3
rows = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 3).map(float), st.integers(1, 4).map(float), st.integers(0, 2)
    ),
    min_size=1, max_size=3, unique_by=lambda row: row[0],
)  # fmt: skip


def works(
    graph: ServiceGraph,
    tasks: list[tuple[int, float, float, int]],
    n_crews: int,
    stock: pd.DataFrame | None = None,
) -> Works:
    """Put together tasks (asset, ready_h, crew_h, x in 40 km) of a graph and crews that start at x = 0."""
    table = pd.DataFrame(tasks, columns=["asset", "ready_h", "crew_h", "x"])
    table["asset"] = (table["asset"] % graph.n_assets).astype(np.int32)
    table = table.drop_duplicates("asset", ignore_index=True)
    table = table.assign(
        x=table["x"] * 40_000.0, y=0.0, failed_at_h=0.0, skill="ligne", stock="poteau", quantity=1.0,
        back_at_h=np.nan, prises_behind=1, sites_behind=0, stage=0,
    )  # fmt: skip
    failures = table[["asset", "failed_at_h"]].assign(back_at_h=np.nan, cut_at_h=np.nan, repair_h=np.nan)
    crews = pd.DataFrame({"crew": np.arange(n_crews) + 1, "skill": "", "x": 0.0, "y": 0.0, "from_h": 0.0})
    none = pd.DataFrame({"stock": [], "hour": [], "quantity": []})
    index = index_graph(graph, graph.prises[:, None])
    return Works(
        Scenario("x", "x"), PARAMETERS, failures, table, crews, none if stock is None else stock, None, index
    )


def fewest_by_enumeration(case: Works) -> float:
    """Try every choice of crews, and every order of each, counting prises·h moment by moment."""
    tasks = case.tasks
    n, n_crews = len(tasks), len(case.crews)  # type: ignore[arg-type]
    best = np.inf
    for order in permutations(range(n)):
        for who in product(range(n_crews), repeat=n):
            free, at, ends = [0.0] * n_crews, [0.0] * n_crews, [0.0] * n
            for task, crew in zip(order, who, strict=True):
                x = tasks["x"].iloc[task] / 40_000
                leave = max(free[crew], tasks["ready_h"].iloc[task])
                ends[task] = leave + abs(x - at[crew]) * ROAD_H + tasks["crew_h"].iloc[task]
                free[crew], at[crew] = ends[task], x
            out = spans(case.failures, tasks.assign(end_h=ends))
            best = min(best, prises_hours(down_over_time(case.index, case.index, out)))
    return best


@settings(max_examples=draws(20), deadline=None)
@given(service_graphs(), rows, st.integers(1, 2))
def test_the_optimum_is_the_best_of_all_schedules_and_no_rule_beats_it(
    graph: ServiceGraph, tasks: list[tuple[int, float, float, int]], n_crews: int
) -> None:
    case = works(served_only(graph), tasks, n_crews)
    assert optimum(case) == pytest.approx(fewest_by_enumeration(case))
    table, why = orders_compared(case)
    best = table.set_index("order")["prises_h"]
    assert why == ""
    assert best["optimum"] == pytest.approx(optimum(case))
    assert (best >= best["optimum"] - 1e-6).all()


@settings(max_examples=draws(20), deadline=None)
@given(service_graphs(), rows, st.integers(1, 2))
def test_one_more_crew_never_worsens_the_optimum(
    graph: ServiceGraph, tasks: list[tuple[int, float, float, int]], n_crews: int
) -> None:
    case = works(served_only(graph), tasks, n_crews)
    more = works(served_only(graph), tasks, n_crews + 1)
    assert optimum(more) <= optimum(case) + 1e-9


def line(*prises: int) -> ServiceGraph:
    """Give a feed with one leaf an asset, of so many prises."""
    n = len(prises)
    asset, vertex, none = (
        np.arange(n, dtype=np.int32),
        np.arange(1, n + 1, dtype=np.int32),
        np.empty(0, np.int32),
    )
    return ServiceGraph(
        n + 1, n, np.zeros(n, np.int32), vertex, np.zeros(n, np.bool_), none, none, asset, asset, none, none,
        np.array([0, *prises]),
    )  # fmt: skip


POLES = pd.DataFrame({"stock": ["poteau", "poteau"], "hour": [0.0, 20.0], "quantity": [1.0, 1.0]})


def test_one_more_of_each_resource_by_hand() -> None:
    """10 and 6 prises, 4 h each: one crew takes them in turn, 10 x 4 + 6 x 8; two crews side by side."""
    case = works(line(10, 6), [(0, 0.0, 4.0, 0), (1, 0.0, 4.0, 0)], 1)
    told = one_more(case).set_index("resource")
    assert told["prises_h"].to_dict() == {"": 88, "equipe": 64}
    # with a pole at once and another at 20 h, the second task ends at 24 h: the pole is worth more
    told = one_more(works(line(10, 6), [(0, 0.0, 4.0, 0), (1, 0.0, 4.0, 0)], 1, POLES)).set_index("resource")
    assert told["prises_h"].to_dict() == {"": 184, "poteau": 88, "equipe": 184}
    assert told["prises_h_saved"].to_dict() == {"": 0, "poteau": 96, "equipe": 0}
    assert told.index.tolist() == ["", "poteau", "equipe"]


def test_prises_that_one_more_brings_back_are_counted_where_some_never_come_back() -> None:
    case = works(line(10, 6), [(0, 0.0, 4.0, 0), (1, 0.0, 4.0, 0)], 1, POLES.iloc[:1])
    told = one_more(case).set_index("resource")
    assert told["prises_never"].to_dict() == {"": 6, "poteau": 0, "equipe": 6}
    assert orders_compared(case)[1] == "missing"


def test_the_optimum_waits_for_a_pole_as_the_rules_do() -> None:
    """One pole at once, one at 20 h: the 10 prises first, 10 x 4 + 6 x 24; the worst rule takes the 6."""
    case = works(line(10, 6), [(0, 0.0, 4.0, 0), (1, 0.0, 4.0, 0)], 2, POLES)
    assert optimum(case) == 184
    worse = replace(case, tasks=case.tasks.assign(prises_behind=[1, 9]))
    table = orders_compared(worse)[0].set_index("order")
    assert table.loc["prises", "prises_h"] == 6 * 4 + 10 * 24
    assert table.loc["prises", "gap_share"] == pytest.approx((264 - 184) / 184)


def test_a_crew_waits_where_waiting_is_best() -> None:
    """1 prise now for 10 h, 50 ready at 1 h for 1 h: rules begin at once, the optimum waits."""
    case = works(line(1, 50), [(0, 0.0, 10.0, 0), (1, 1.0, 1.0, 0)], 1)
    table = orders_compared(case)[0].set_index("order")
    assert table.loc["prises", "prises_h"] == 1 * 10 + 50 * 11
    assert table.loc["optimum", "prises_h"] == 50 * 2 + 1 * 12


def test_above_the_bound_the_optimum_is_not_searched() -> None:
    many = [(i, 0.0, 1.0, 0) for i in range(MAX_TASKS + 1)]
    table, why = orders_compared(works(line(*range(1, MAX_TASKS + 2)), many, 1))
    assert why == "n_tasks"
    assert "optimum" not in set(table["order"])
    assert table["gap_share"].isna().all()


@settings(max_examples=draws(50))
@given(st.tuples(*[st.floats(0, 100)] * 3), st.floats(0.001, 0.999))
def test_drawn_hours_are_triangular(levels: tuple[float, float, float], u: float) -> None:
    low, mode, high = sorted(levels)
    drawn = triangular(np.array([[low], [mode], [high]]), np.array([u]))[0]
    if high - low < 1e-6:
        assert drawn == pytest.approx(mode, abs=1e-5)
    else:
        judged = stats.triang.ppf(u, (mode - low) / (high - low), low, high - low)
        assert drawn == pytest.approx(judged, abs=1e-5)
    assert triangular(np.full((3, 1), np.inf), np.array([u]))[0] == np.inf
