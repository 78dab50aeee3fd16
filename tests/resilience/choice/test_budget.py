"""A budget as people state it: what it allows, how years spread it, what it says when it cannot be met."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.choice import BudgetError, limits_of, years_of
from resilience.measures import Candidates
from resilience.study_budget import Budget
from tests.resilience.measure_cases import candidates, failure_rows, rate_rows


@pytest.fixture
def works() -> Candidates:
    """Three works of 10, 20 and 30 €, two families, two communes of one EPCI; the first two are rivals."""
    none = candidates(
        failure_rows([]).assign(measure=[]),
        rate_rows([]).assign(measure=[]),
        {},
        [10.0, 20.0, 30.0],
        [(0, 1)],
    )
    told = none.measures.assign(
        famille=["BOUCLAGE", "ENFOUISSEMENT", "ENFOUISSEMENT"],
        commune=["62001", "62001", "62002"],
        epci=["200069037"] * 3,
    )
    return replace(none, measures=told)


def test_families_and_places_become_envelopes(works: Candidates) -> None:
    limits = limits_of(
        Budget(100.0, {"ENFOUISSEMENT": 35.0}, {"62002": 30.0, "200069037": 5.0}, force=["mesure-02"]), works
    )
    assert [(of.tolist(), most) for of, most in limits.ceilings] == [([False, True, True], 35.0)]
    assert [(of.tolist(), least) for of, least in limits.floors] == [
        ([False, False, True], 30.0), ([True, True, True], 5.0),
    ]  # fmt: skip
    assert limits.forced.tolist() == [False, False, True]
    assert limits.exclusions == [(0, 1)]


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(100.0, force=["mesure-00"], forbid=["mesure-00"]), "mesure-00 is in force and in forbid"),
        (Budget(100.0, force=["mesure-0"]), "no proposed work is called 'mesure-0'; did you mean mesure-0"),
        (Budget(100.0, force=["mesure-00", "mesure-01"]), "exclude each other"),
        (Budget(25.0, force=["mesure-02"]), "cost 30 €, more than budget.total_eur"),
        (Budget(99.0, {"ENFOUISSEMENT": 5.0}, force=["mesure-01"]), "families.ENFOUISSEMENT: works in force"),
        (Budget(99.0, floors={"62003": 1.0}), "floors.62003: 1 € are to be spent there"),
        (Budget(99.0, floors={"62002": 30.0, "62001": 90.0}), "floors.62001: 90 €"),
    ],
)
def test_conditions_that_contradict_each_other_are_told(
    works: Candidates, budget: Budget, words: str
) -> None:
    with pytest.raises(BudgetError, match=words):
        limits_of(budget, works)


def test_years_are_filled_in_order_and_what_is_left_is_carried_over() -> None:
    """100 € now, 50 the year after: the second work has to wait, the third fits beside the first."""
    assert years_of([0, 1, 2], np.array([60.0, 60.0, 30.0]), [], [100.0, 50.0]) == {0: 0, 1: 1, 2: 0}


def test_what_is_required_begins_no_later() -> None:
    begun = years_of([0, 1], np.array([50.0, 60.0]), [(0, 1)], [60.0, 60.0])
    assert begun == {0: 1, 1: 0}


@given(
    cost=st.lists(st.integers(1, 40).map(float), min_size=1, max_size=8),
    shares=st.lists(st.integers(1, 5), min_size=1, max_size=4),
)
def test_no_year_spends_what_has_not_come_in(cost: list[float], shares: list[int]) -> None:
    envelopes = [sum(cost) * share / sum(shares) for share in shares]
    begun = years_of(range(len(cost)), np.array(cost), [], envelopes)
    for year in range(len(envelopes)):
        spent = sum(cost[number] for number, begins in begun.items() if begins <= year)
        assert spent <= sum(envelopes[: year + 1]) + 0.01
