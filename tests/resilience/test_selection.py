"""The choice under a budget, against enumeration."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.benefits import Benefits
from resilience.selection import select

Pairs = list[tuple[int, int]]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Benefits, list[float], float, Pairs, Pairs]:
    """Draw up to 9 measures that help or hinder each other, some free of effect, some in exclusion."""
    n = draw(st.integers(0, 9))
    gain = st.integers(-20, 60)
    terms = {(i,): float(draw(gain)) for i in range(n)}
    sizes = st.sampled_from([2, 2, 3])
    if n >= 3:
        for _ in range(draw(st.integers(0, 6))):
            group = draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=draw(sizes), unique=True))
            terms[tuple(sorted(group))] = float(draw(st.integers(-30, 40)))
    costs = [float(c) for c in draw(st.lists(st.integers(1, 30), min_size=n, max_size=n))]
    pair = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(n - 1, 0))).filter(
        lambda p: p[0] != p[1]
    )
    pairs = st.lists(pair, max_size=2) if n >= 2 else st.just([])
    budget = float(draw(st.integers(0, 120)))
    return Benefits(terms, 3, neglected=0.0, evaluations=0), costs, budget, draw(pairs), draw(pairs)


def feasible(
    chosen: tuple[int, ...], costs: list[float], budget: float, exclusions: Pairs, needs: Pairs
) -> bool:
    inside = set(chosen)
    return (
        sum(costs[i] for i in chosen) <= budget
        and not any(a in inside and b in inside for a, b in exclusions)
        and all(b in inside for a, b in needs if a in inside)
    )


@given(problem=problems())
def test_the_choice_is_the_best_the_cheapest_and_the_first_of_all_sets(
    problem: tuple[Benefits, list[float], float, Pairs, Pairs],
) -> None:
    benefits, costs, budget, exclusions, needs = problem
    sets = [
        chosen
        for size in range(len(costs) + 1)
        for chosen in combinations(range(len(costs)), size)
        if feasible(chosen, costs, budget, exclusions, needs)
    ]
    best = min(sets, key=lambda s: (-benefits.of(s), sum(costs[i] for i in s), sum(i + 1 for i in s)))
    found = select(benefits, costs, budget, exclusions=exclusions, requirements=needs)
    assert feasible(found.chosen, costs, budget, exclusions, needs)
    assert found.value == pytest.approx(benefits.of(best))
    assert found.cost_eur == pytest.approx(sum(costs[i] for i in best))
    assert sum(found.chosen) + len(found.chosen) == sum(best) + len(best)
    assert found.bound == pytest.approx(found.value, abs=1e-6)
    assert found.gap == pytest.approx(0.0, abs=1e-6)


def test_two_works_in_series_are_bought_together_though_neither_gains_alone() -> None:
    """Two drowned rooms on one route: the greedy choice takes the small third and never finds them."""
    benefits = Benefits({(0,): 0.0, (1,): 0.0, (2,): 5.0, (0, 1): 100.0}, 2, neglected=0.0, evaluations=0)
    assert select(benefits, [50, 50, 10], 100).chosen == (0, 1)


def test_a_budget_of_nothing_buys_nothing_and_an_endless_one_all_that_helps() -> None:
    benefits = Benefits({(0,): 3.0, (1,): 2.0, (2,): -1.0}, 1, neglected=0.0, evaluations=0)
    assert select(benefits, [1, 1, 1], 0).chosen == ()
    assert select(benefits, [1, 1, 1], 1e12).chosen == (0, 1)


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
def test_a_budget_that_is_no_amount_is_refused(budget: float) -> None:
    with pytest.raises(ValueError, match="budget"):
        select(Benefits({(0,): 1.0}, 1, neglected=0.0, evaluations=0), [1.0], budget)
