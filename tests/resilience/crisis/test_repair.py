"""Crews that take tasks, and what is down meanwhile: laws on drawn cases, judged by search and counting."""

import networkx as nx
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.service import ServiceGraph
from resilience.crisis import dispatch, down_over_time, stock_used
from resilience.crisis.timeline import prises_hours, spans
from resilience.loss.events import cost_of_failures
from resilience.losses import index_graph
from resilience.parameters import default_parameters
from tests.draws import draws
from tests.resilience.service_graphs import served_only, service_graphs

PARAMETERS = default_parameters()
HOURS = st.integers(0, 6).map(float)


def tasks_of(rows: list[tuple[float, float, str, int, int]]) -> pd.DataFrame:
    """Give tasks from ready_h, crew_h, skill, x and prises behind, one asset each."""
    table = pd.DataFrame(rows, columns=["ready_h", "crew_h", "skill", "x", "prises_behind"])
    return table.assign(
        asset=np.arange(len(rows), dtype=np.int32), failed_at_h=0.0, y=0.0, sites_behind=0, stage=0,
        stock="", quantity=0.0, back_at_h=np.nan,
    )  # fmt: skip


tasks = st.lists(
    st.tuples(HOURS, st.integers(1, 5).map(float), st.sampled_from(["ligne", "nro", "pm"]),
              st.integers(0, 3).map(lambda place: place * 40_000), st.integers(0, 9)),
    min_size=1, max_size=9,
).map(tasks_of)  # fmt: skip
crews = st.lists(st.sampled_from(["", "ligne", "nro", "pm"]), min_size=1, max_size=4).map(
    lambda skills: pd.DataFrame(
        {"crew": np.arange(1, len(skills) + 1), "skill": skills, "x": 0.0, "y": 0.0, "from_h": 0.0}
    )
)
orders = st.sampled_from(["collecte", "prises", "sites", "proximite"])


@settings(max_examples=draws(80), deadline=None)
@given(tasks, crews, orders)
def test_a_crew_does_one_thing_at_a_time_and_never_stands_idle(
    tasks: pd.DataFrame, crews: pd.DataFrame, order: str
) -> None:
    done = dispatch(tasks, crews, PARAMETERS, order=order)  # type: ignore[arg-type]
    able = dict(zip(crews["crew"], crews["skill"], strict=True))
    assert sorted(done["turn"]) == list(range(1, len(done) + 1))
    for number, of_crew in done[done["crew"] > 0].groupby("crew"):
        assert (of_crew["skill"].isin([able[number]]) | (able[number] == "")).all()
        ordered = of_crew.sort_values("begin_h")
        leaves = np.append(0.0, ordered["end_h"].to_numpy()[:-1])
        came_from = np.append(0.0, ordered["x"].to_numpy()[:-1])
        # 40 km as the crow flies at 40 km/h, by a detour of 1.3
        road_h = np.abs(ordered["x"].to_numpy() - came_from) / 40_000 * 1.3
        assert np.allclose(ordered["travel_h"], road_h)
        assert (ordered["begin_h"] - road_h >= np.maximum(leaves, ordered["ready_h"]) - 1e-9).all()
    nobody = done[done["crew"] == -1]
    assert nobody["end_h"].isna().all()
    assert "" not in set(able.values()) or nobody.empty
    assert not set(nobody["skill"]) & set(able.values())
    # whoever is free and able while a task is ready has gone to one
    for task in done[done["crew"] > 0].itertuples():
        leaves = task.begin_h - task.travel_h
        for number, skill in able.items():
            if skill in ("", task.skill):
                mine = done[done["crew"] == number]
                busy = (mine["begin_h"] - mine["travel_h"] <= task.ready_h) & (task.ready_h < mine["end_h"])
                assert leaves <= task.ready_h + 1e-9 or busy.any()


@settings(max_examples=draws(40), deadline=None)
@given(tasks)
def test_a_crew_for_each_task_is_as_good_as_crews_without_limit(tasks: pd.DataFrame) -> None:
    many = pd.DataFrame(
        {"crew": range(1, len(tasks) + 1), "skill": "", "x": np.nan, "y": np.nan, "from_h": 0.0}
    )
    limited, unlimited = (dispatch(tasks.assign(x=np.nan), one, PARAMETERS) for one in (many, None))
    assert limited["end_h"].tolist() == unlimited["end_h"].tolist()
    assert unlimited["begin_h"].tolist() == tasks["ready_h"].tolist()


deliveries = st.lists(
    st.tuples(st.sampled_from(["poteau", "cable_m"]), HOURS, st.integers(0, 5).map(float)), max_size=4
).map(lambda rows: pd.DataFrame(rows, columns=["stock", "hour", "quantity"]))
takes = st.lists(
    st.tuples(st.sampled_from(["", "poteau", "cable_m"]), st.integers(1, 3)), min_size=9, max_size=9
)


@settings(max_examples=draws(80), deadline=None)
@given(tasks, crews, deliveries, takes, orders)
def test_what_is_taken_has_come_before_and_who_waits_for_ever_could_not_be_served(
    tasks: pd.DataFrame, crews: pd.DataFrame, stock: pd.DataFrame, takes: list[tuple[str, int]], order: str
) -> None:
    taken = takes[: len(tasks)]
    tasks = tasks.assign(stock=[kind for kind, _ in taken], quantity=[float(bool(k)) * n for k, n in taken])
    done = dispatch(tasks, crews, PARAMETERS, stock, order=order)  # type: ignore[arg-type]
    assert done["end_h"].isna().equals(done["missing"] != "")
    for kind, came in stock.groupby("stock"):
        of_kind = done[done["stock"] == kind]
        leaves = of_kind["begin_h"] - of_kind["travel_h"]
        for hour in leaves.dropna():
            # a hair of time: leaving is begin less travel
            used = of_kind.loc[leaves <= hour + 1e-9, "quantity"].sum()
            assert used <= came.loc[came["hour"] <= hour + 1e-9, "quantity"].sum()
        left = came["quantity"].sum() - of_kind.loc[of_kind["end_h"].notna(), "quantity"].sum()
        assert (of_kind.loc[of_kind["missing"] == kind, "quantity"] > left).all()
        (row,) = stock_used(done, stock).query("stock == @kind").to_dict("records")
        assert row["needed"] == row["taken"] + of_kind.loc[of_kind["end_h"].isna(), "quantity"].sum()
    # a kind that the table does not name is never short
    assert set(done["missing"]) <= {"", "competence", *stock["stock"]}


outages = st.lists(st.tuples(st.integers(0, 5), HOURS, st.integers(1, 6).map(float)), max_size=6)


@settings(max_examples=draws(60), deadline=None)
@given(service_graphs(), outages)
def test_at_every_moment_those_are_down_that_a_search_no_longer_reaches(
    graph: ServiceGraph, rows: list[tuple[int, float, float]]
) -> None:
    graph = served_only(graph)
    out = pd.DataFrame(rows, columns=["asset", "from_h", "lasts_h"]).astype({"asset": np.int32})
    out["asset"] %= graph.n_assets
    out["to_h"] = out["from_h"] + out["lasts_h"]
    index = index_graph(graph, graph.prises[:, None])
    curve = down_over_time(index, index, out)
    for hour in np.arange(0, 13, 0.5):
        failed = set(out.loc[(out["from_h"] <= hour) & (hour < out["to_h"]), "asset"].tolist())
        state = curve[curve["hour"] <= hour].iloc[-1]
        assert state["prises_down"] == state["prises_stranded"] == down_by_search(graph, failed)
    assert curve["prises_down"].iloc[-1] == 0


@settings(max_examples=draws(40), deadline=None)
@given(service_graphs(), outages)
def test_crews_without_limit_lose_the_prises_hours_of_an_event(
    graph: ServiceGraph, rows: list[tuple[int, float, float]]
) -> None:
    """DESIGN D19, by the other way: nested sets of one draw."""
    graph = served_only(graph)
    table = pd.DataFrame(rows, columns=["asset", "_", "repair_h"]).assign(
        failed_at_h=0.0, back_at_h=np.nan, cut_at_h=np.nan
    )
    table["asset"] = (table["asset"] % graph.n_assets).astype(np.int32)
    table = table.sort_values(["asset", "repair_h"], ascending=[True, False])
    index = index_graph(graph, graph.prises[:, None])
    draw = np.zeros(len(table), np.intp)
    down, hours = cost_of_failures(
        index, draw, table["asset"].to_numpy(), table["repair_h"].to_numpy(float), 1
    )
    slowest = table.drop_duplicates("asset")
    done = pd.DataFrame({"asset": slowest["asset"], "end_h": slowest["repair_h"], "back_at_h": np.nan})
    curve = down_over_time(index, index, spans(table, done))
    assert curve["prises_down"].max() == down[0, 0]
    assert np.isclose(prises_hours(curve), hours[0, 0])


@settings(max_examples=draws(40), deadline=None)
@given(service_graphs(), outages, st.integers(0, 5))
def test_one_failure_more_never_brings_anybody_back(
    graph: ServiceGraph, rows: list[tuple[int, float, float]], asset: int
) -> None:
    graph = served_only(graph)
    index = index_graph(graph, graph.prises[:, None])
    first = pd.DataFrame(rows, columns=["asset", "from_h", "lasts_h"]).assign(
        asset=lambda t: t["asset"] % graph.n_assets
    )
    more = pd.concat(
        [first, pd.DataFrame([{"asset": asset % graph.n_assets, "from_h": 1.0, "lasts_h": 4.0}])]
    )
    curves = []
    for table in (first, more):
        out = table.assign(to_h=table["from_h"] + table["lasts_h"]).astype({"asset": np.int32})
        curve = down_over_time(index, index, out).set_index("hour")["prises_down"]
        curves.append(curve.reindex(np.arange(0, 13, 1.0)).ffill())
    assert (curves[1] >= curves[0]).all()


def down_by_search(graph: ServiceGraph, failed: set[int]) -> int:
    """Remove what the failed assets own, search from the root, and count the prises that are not reached."""
    vertices = {
        int(v) for a, v in zip(graph.vertex_asset, graph.vertex_of, strict=True) if int(a) in failed
    } - {0}
    edges = {int(e) for a, e in zip(graph.edge_asset, graph.edge_of, strict=True) if int(a) in failed}
    left = nx.MultiGraph()
    left.add_nodes_from(set(range(graph.n_vertices)) - vertices)
    for number, (a, b) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)):
        if number not in edges and a not in vertices and b not in vertices:
            left.add_edge(a, b)
    reached = nx.node_connected_component(left, 0)
    return int(sum(int(n) for v, n in enumerate(graph.prises) if v not in reached))
