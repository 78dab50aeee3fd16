"""The plan: the best set within the budget, judged by the loss of the whole network for each set."""

from dataclasses import replace
from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience.loss import Sampling, network_loss
from resilience.measures import Candidates, Situation, apply
from resilience.parameters import LEVELS, Level
from resilience.plan import COLUMNS, FURTHER, Plan, choose
from resilience.study_budget import Budget
from tests.draws import draws
from tests.resilience.measure_cases import by_level, candidates, cases, failure_rows, rate_rows, situation
from tests.resilience.service_graphs import service_graph

DRAWS = Sampling(seed=5, draws=30)


def whole_loss(today: Situation) -> float:
    table = network_loss(
        today.graph,
        today.failures,
        today.rates,
        asset_keys=today.asset_keys,
        seed=DRAWS.seed,
        draws=DRAWS.draws,
    )
    return float(table["prises_h_per_year"].sum())


def plan_of(case: tuple[Situation, Candidates], budget_eur: float) -> Plan:
    today, measures = case
    return choose(by_level(today), measures, DRAWS, budget=Budget(budget_eur), first_year=2027)


@pytest.fixture
def spurs() -> tuple[Situation, Candidates]:
    """Three spurs cut once in ten years for 10 h: 100, 200 and 400 prises; a measure for each, 10, 10, 50 €.

    Root --- 1 (100), root --- 2 (200), root --- 3 (400)
    """
    graph = service_graph([(0, 1), (0, 2), (0, 3)], [0, 100, 200, 400], edge_links=[(0, 0), (1, 1), (2, 2)])
    rates = rate_rows([(i, "dig", 0.1, 10.0) for i in range(3)])
    cured = rate_rows([(i, "dig", 0.0, 10.0) for i in range(3)]).assign(measure=[0, 1, 2])
    measures = candidates(failure_rows([]).assign(measure=[]), cured, {}, [10.0, 10.0, 50.0])
    return situation(graph, failure_rows([]), rates), measures


def test_each_column_of_the_plan_by_hand(spurs: tuple[Situation, Candidates]) -> None:
    result = plan_of(spurs, 65.0)
    plan = result.plan.set_index("action_id")
    assert list(result.plan.columns) == [*COLUMNS, *FURTHER, "geometry"]
    assert isinstance(result.plan, gpd.GeoDataFrame)
    assert plan.index.tolist() == ["mesure-01", "mesure-02"]  # 10/200 €/prise·h, then 50/400
    assert plan["rank"].tolist() == [1, 2]
    assert plan["prises_h_avoided_per_year_low"].tolist() == pytest.approx([100, 200])
    assert plan["prises_h_avoided_per_year_central"].tolist() == pytest.approx([200, 400])
    assert plan["prises_h_avoided_per_year_high"].tolist() == pytest.approx([400, 800])
    assert plan["eur_per_prise_h"].tolist() == pytest.approx([0.05, 0.125])
    assert plan["rank_low"].tolist() == plan["rank_high"].tolist() == [1, 2]
    assert plan["priority"].tolist() == ["P3", "P3"]
    assert plan["year"].tolist() == [2027, 2027]
    assert plan["prises_h_added_per_year"].iloc[0] == pytest.approx(200.0)


def test_the_summary_says_what_is_bought_and_what_is_left(spurs: tuple[Situation, Candidates]) -> None:
    summary = plan_of(spurs, 65.0).summary
    assert summary["spent_eur"] == 60.0
    assert summary["loss_before"] == pytest.approx({"low": 350, "central": 700, "high": 1400})
    assert summary["avoided"] == pytest.approx({"low": 300, "central": 600, "high": 1200})
    assert summary["avoided_model"] == pytest.approx(600)
    assert summary["gap"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("budget", "n_chosen", "words"),
    [(0.0, 0, "Budget nul"), (5.0, 0, "Aucune des 3"), (1e9, 3, "suffit à toutes"), (20.0, 2, "2 mesure")],
)
def test_a_budget_is_told_in_words(
    spurs: tuple[Situation, Candidates], budget: float, n_chosen: int, words: str
) -> None:
    result = plan_of(spurs, budget)
    assert len(result.plan) == n_chosen
    assert words in str(result.summary["message"])
    assert len(result.plan) + len(result.ecartees) == 3


def test_those_left_out_say_why(spurs: tuple[Situation, Candidates]) -> None:
    today, measures = spurs
    why = plan_of(spurs, 20.0).ecartees.set_index("action_id")["motif"]
    assert why.to_dict() == {"mesure-02": "coûte plus que le budget"}
    rivals = replace(measures, exclusions=np.array([[0, 1]]))
    why = plan_of((today, rivals), 60.0).ecartees.set_index("action_id")["motif"]
    assert why.to_dict() == {"mesure-00": "incompatible avec mesure-01, retenue"}
    why = plan_of(spurs, 55.0).ecartees.set_index("action_id")["motif"]
    assert why["mesure-00"].startswith("le reste du budget ne suffit pas")


def test_no_candidate_is_a_plan_with_nothing_in_it(spurs: tuple[Situation, Candidates]) -> None:
    today, measures = spurs
    none = replace(
        measures, measures=measures.measures.iloc[:0],
        rates={level: rows.iloc[:0] for level, rows in measures.rates.items()},
    )  # fmt: skip
    result = plan_of((today, none), 100.0)
    assert list(result.plan.columns) == [*COLUMNS, *FURTHER, "geometry"]
    assert len(result.plan) == len(result.ecartees) == 0
    assert "Aucune mesure n'est proposée" in str(result.summary["message"])


@settings(max_examples=draws(20))
@given(case=cases(), budget=st.integers(0, 60))
def test_no_set_within_the_budget_avoids_more(case: tuple[Situation, Candidates], budget: int) -> None:
    today, measures = case
    cost = measures.measures["cost_eur_central"].to_numpy()
    before = whole_loss(today)
    worth = {
        chosen: before - whole_loss(apply(today, measures, chosen, "central"))
        for size in range(len(cost) + 1)
        for chosen in combinations(range(len(cost)), size)
        if cost[list(chosen)].sum() <= budget
        and not any(a in chosen and b in chosen for a, b in measures.exclusions.tolist())
    }
    result = plan_of(case, float(budget))
    assert result.summary["avoided_model"] == pytest.approx(max(worth.values()), abs=1e-6 * max(1.0, before))
    avoided = result.summary["avoided"]
    assert isinstance(avoided, dict)
    assert avoided["central"] == pytest.approx(result.summary["avoided_model"], abs=1e-9 * max(1.0, before))


@settings(max_examples=draws(10))
@given(case=cases(), budget=st.integers(0, 60))
def test_the_whole_plan_holds_at_each_level(case: tuple[Situation, Candidates], budget: int) -> None:
    today, measures = case
    levels = by_level(today)
    result = plan_of(case, float(budget))
    chosen = [int(name.split("-")[1]) for name in result.plan["action_id"]]
    avoided = result.summary["avoided"]
    assert isinstance(avoided, dict)
    level: Level
    for level in LEVELS:
        before, after = whole_loss(levels[level]), whole_loss(apply(levels[level], measures, chosen, level))
        assert avoided[level] == pytest.approx(before - after, abs=1e-9 * max(1.0, before))


def test_two_runs_are_equal_to_the_last_bit(spurs: tuple[Situation, Candidates]) -> None:
    one, two = plan_of(spurs, 60.0), plan_of(spurs, 60.0)
    assert one.plan.drop(columns="geometry").equals(two.plan.drop(columns="geometry"))
    assert one.summary == two.summary


def test_each_line_says_why_and_what_would_change_it(spurs: tuple[Situation, Candidates]) -> None:
    result = plan_of(spurs, 65.0)
    words = result.plan.set_index("action_id")["explication"]
    assert "évite 200 prises·h/an seule, 200 en plus des autres du plan" in words["mesure-01"]
    assert "retenue dans" in words["mesure-01"]
    left = result.ecartees.set_index("action_id")["explication"]
    # 10 € buy 100 prises·h/an more: with the next budget the last prise·h costs 0.1 €
    assert "le serait au-dessous de 10 €" in left["mesure-00"]
    shares = result.plan["share_chosen"]
    assert ((shares > 0) & (shares <= 1)).all()


def test_the_frontier_holds_the_chosen_set_and_what_other_budgets_buy(
    spurs: tuple[Situation, Candidates],
) -> None:
    curve = plan_of(spurs, 65.0).frontier
    own = curve[curve["budget_eur"] == 65.0].iloc[0]
    assert (own["spent_eur"], own["n_chosen"], own["avoided_per_year"], own["loss_after"]) == (
        60,
        2,
        600,
        100,
    )
    assert curve.iloc[-1][["spent_eur", "avoided_per_year"]].tolist() == [70, 700]
    assert curve.iloc[0][["budget_eur", "avoided_per_year"]].tolist() == [0, 0]


def test_works_begin_when_the_years_pay_for_them(spurs: tuple[Situation, Candidates]) -> None:
    today, measures = spurs
    budget = Budget(60.0, years_eur=(15.0, 45.0))
    plan = choose(by_level(today), measures, DRAWS, budget=budget, first_year=2027).plan
    assert plan.set_index("action_id")["year_start"].to_dict() == {"mesure-01": 2027, "mesure-02": 2028}
    assert (plan["year"] == plan["year_start"]).all()  # twelve months: done within the year


def test_what_the_study_imposes_is_there_and_what_it_bars_is_not(
    spurs: tuple[Situation, Candidates],
) -> None:
    today, measures = spurs
    budget = Budget(60.0, force=["mesure-00"], forbid=["mesure-01"])
    result = choose(by_level(today), measures, DRAWS, budget=budget, first_year=2027)
    assert sorted(result.plan["action_id"]) == ["mesure-00", "mesure-02"]
    assert result.ecartees["motif"].tolist() == ["exclue par l'étude"]
    assert "imposée par l'étude" in result.plan.set_index("action_id")["explication"]["mesure-00"]


def test_a_negative_budget_is_refused(spurs: tuple[Situation, Candidates]) -> None:
    with pytest.raises(ValueError, match="budget: -1"):
        plan_of(spurs, -1.0)
