"""The choice under a budget and other limits, against enumeration of every set."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resilience.choice import Limits, Sampled, best_set, bound_of, bundle_greedy, frontier
from tests.draws import draws

Needs = list[tuple[float, list[list[tuple[int, ...]]]]]


def model_of(n: int, needs: Needs) -> Sampled:
    """Build a model from needs: a weight, and routes of cures of options."""
    cures: dict[tuple[int, ...], int] = {(): 0}
    routes = [
        sorted({cures.setdefault(tuple(sorted(cure)), len(cures)) for cure in route})
        for _, of_need in needs
        for route in of_need
    ]
    return Sampled(
        n_options=n,
        weight=np.array([weight for weight, _ in needs], np.float64),
        cause=np.zeros(len(needs), np.int64),
        causes=("",),
        route_ptr=np.cumsum([0, *(len(of_need) for _, of_need in needs)]),
        cure_ptr=np.cumsum([0, *(len(route) for route in routes)]),
        cure=np.array(list(chain.from_iterable(routes)), np.int64),
        option_ptr=np.cumsum([0, *(len(cure) for cure in cures)]),
        option=np.array(list(chain.from_iterable(cures)), np.int64),
    )


def worth(needs: Needs, chosen: tuple[int, ...]) -> float:
    """Say what a set avoids, need by need, as the model is defined."""

    def met(of_need: list[list[tuple[int, ...]]], taken: set[int]) -> bool:
        return any(
            all(any((k in taken) if k >= 0 else (~k not in taken) for k in cure) for cure in route)
            for route in of_need
        )

    return sum(weight * (met(routes, set(chosen)) - met(routes, set())) for weight, routes in needs)


@st.composite
def problems(draw: st.DrawFn) -> tuple[int, Needs, Limits]:
    """Draw up to 12 options, needs of one to three routes, some of which an option shuts, and limits."""
    n = draw(st.integers(1, 12))
    option = st.integers(0, n - 1)
    cure = st.one_of(
        st.lists(option, min_size=1, max_size=3, unique=True).map(tuple), option.map(lambda k: (~k,))
    )
    route = st.lists(cure, min_size=1, max_size=3).filter(
        lambda cures: not {~c[0] for c in cures if c[0] < 0} & {k for c in cures for k in c if k >= 0}
    )
    need = st.tuples(st.integers(1, 50).map(float), st.lists(route, min_size=1, max_size=3))
    pair = st.tuples(option, option).filter(lambda p: p[0] != p[1])
    pairs = st.lists(pair, max_size=2) if n > 1 else st.just([])
    masks = st.lists(st.booleans(), min_size=n, max_size=n).map(lambda m: np.array(m, np.bool_))
    amount = st.integers(0, 60).map(float)
    limits = Limits(
        np.array(draw(st.lists(st.integers(1, 30), min_size=n, max_size=n)), np.float64),
        draw(st.integers(0, 120).map(float)),
        draw(st.lists(st.tuples(masks, amount), max_size=1)),
        draw(st.lists(st.tuples(masks, st.integers(0, 10).map(float)), max_size=1)),
        draw(pairs),
        draw(pairs),
    )
    return n, draw(st.lists(need, max_size=8)), limits


def every_set(n: int) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(n), size) for size in range(n + 1)))


def mask(n: int, chosen: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.isin(np.arange(n), chosen)


@settings(max_examples=draws(60))
@given(problem=problems())
def test_the_choice_is_the_best_the_cheapest_and_the_first_of_all_sets(
    problem: tuple[int, Needs, Limits],
) -> None:
    n, needs, limits = problem
    model = model_of(n, needs)
    allowed = [chosen for chosen in every_set(n) if limits.allow(mask(n, chosen))]
    solution = best_set(model, limits)
    if not allowed:
        assert solution.taken is None
        return
    cost = limits.cost_eur
    best = min(
        allowed, key=lambda s: (-round(worth(needs, s), 6), cost[list(s)].sum(), sum(k + 1 for k in s))
    )
    assert solution.taken is not None
    found = tuple(np.flatnonzero(solution.taken).tolist())
    assert limits.allow(solution.taken)
    assert model.value(solution.taken) == pytest.approx(worth(needs, found))
    assert worth(needs, found) == pytest.approx(worth(needs, best))
    assert cost[list(found)].sum() == pytest.approx(cost[list(best)].sum())
    assert sum(k + 1 for k in found) == sum(k + 1 for k in best)
    assert solution.bound == pytest.approx(max(worth(needs, best), 0.0), abs=1e-4)
    assert bound_of(model, limits) >= worth(needs, best) - 1e-6


@settings(max_examples=draws(60))
@given(problem=problems())
def test_bundles_keep_within_limits_and_never_beat_the_bound(problem: tuple[int, Needs, Limits]) -> None:
    n, needs, limits = problem
    model = model_of(n, needs)
    taken = bundle_greedy(model, limits)
    without_floors = Limits(
        limits.cost_eur, limits.total_eur, limits.ceilings, (), limits.exclusions, limits.requirements
    )
    assert without_floors.allow(taken)
    value = worth(needs, tuple(np.flatnonzero(taken).tolist()))
    assert model.value(taken) == pytest.approx(value)
    assert value <= bound_of(model, without_floors) + 1e-6


def test_two_works_in_series_are_bought_together_though_neither_gains_alone() -> None:
    """Two drowned rooms on one route: options one by one would take the small third and never find them."""
    model = model_of(3, [(100.0, [[(0,), (1,)]]), (5.0, [[(2,)]])])
    limits = Limits(np.array([50.0, 50.0, 10.0]), 100.0)
    assert bundle_greedy(model, limits).tolist() == [True, True, False]
    solution = best_set(model, limits)
    assert solution.taken is not None
    assert solution.taken.tolist() == [True, True, False]


def test_a_budget_of_nothing_buys_nothing_and_an_endless_one_all_that_helps() -> None:
    model = model_of(3, [(3.0, [[(0,)]]), (2.0, [[(1,)]]), (1.0, [[(~2,)]])])
    for choose in (bundle_greedy, lambda m, limits: best_set(m, limits).taken):
        assert choose(model, Limits(np.ones(3), 0.0)).tolist() == [False] * 3
        assert choose(model, Limits(np.ones(3), 1e12)).tolist() == [True, True, False]


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
def test_a_budget_that_is_no_amount_is_refused(budget: float) -> None:
    with pytest.raises(ValueError, match="budget"):
        Limits(np.ones(1), budget)


def test_more_money_never_avoids_less() -> None:
    needs: Needs = [(float(10 + k), [[(k,), (k + 1,)]]) for k in range(8)]
    model, limits = model_of(9, needs), Limits(np.arange(1.0, 10.0), 20.0)
    curve = frontier(model, limits, bundle_greedy(model, limits), loss_before=500.0)
    others = curve[curve["budget_eur"] != 20.0]
    assert others["avoided_per_year"].is_monotonic_increasing
    assert curve["avoided_per_year"].iloc[-1] == sum(weight for weight, _ in needs)
    assert (curve["loss_after"] == 500.0 - curve["avoided_per_year"]).all()
    assert (curve["spent_eur"] <= curve["budget_eur"]).all()
