"""The sampled model, against the loss of the whole network computed again for each set of works."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from resilience.choice import alone, sampled_model
from resilience.loss import Sampling, network_loss
from resilience.measures import Candidates, Link, Situation, apply
from tests.draws import draws
from tests.resilience.measure_cases import NO_WATER, candidates, cases, failure_rows, rate_rows, situation
from tests.resilience.service_graphs import service_graph

SAMPLING = Sampling(seed=3, draws=40)
NOTHING_CHANGES = failure_rows([]).assign(measure=[]), rate_rows([]).assign(measure=[])


def whole_loss(today: Situation) -> float:
    table = network_loss(
        today.graph, today.failures, today.rates, asset_keys=today.asset_keys,
        seed=SAMPLING.seed, draws=SAMPLING.draws,
    )  # fmt: skip
    return float(table["prises_h_per_year"].sum())


def subsets(n: int) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(n), size) for size in range(n + 1)))


def of(n: int, *numbers: int) -> NDArray[np.bool_]:
    return np.isin(np.arange(n), numbers)


@settings(max_examples=draws(25))
@given(case=cases())
def test_any_set_avoids_what_the_loss_of_the_whole_network_says(case: tuple[Situation, Candidates]) -> None:
    today, measures = case
    n = len(measures.measures)
    model = sampled_model(today, measures, "central", SAMPLING)
    before, single = whole_loss(today), alone(model)
    for chosen in subsets(n):
        if any(a in chosen and b in chosen for a, b in measures.exclusions.tolist()):
            continue
        avoided = before - whole_loss(apply(today, measures, chosen, "central"))
        assert model.value(of(n, *chosen)) == pytest.approx(avoided, abs=1e-9 * max(1.0, before))
        if len(chosen) == 1:
            assert single[chosen[0]] == pytest.approx(avoided, abs=1e-9 * max(1.0, before))


def test_raising_one_of_two_drowned_rooms_on_a_route_gains_nothing_both_gain_all() -> None:
    """Root --- N(1) --- P(2: 100 prises); N and P drown together in each event for the same 24 h."""
    graph = service_graph([(0, 1), (1, 2)], [0, 0, 100], vertex_links=[(0, 1), (1, 2)])
    today = situation(graph, failure_rows([(0, "flood", 1.0, 24.0), (1, "flood", 1.0, 24.0)]), rate_rows([]))
    dry = failure_rows([(0, "flood", 0.0, 24.0), (1, "flood", 0.0, 24.0)])
    measures = candidates(dry.assign(measure=[0, 0, 1, 1]), NOTHING_CHANGES[1], {}, [10.0, 10.0])
    model = sampled_model(today, measures, "central", SAMPLING)
    every_year = 0.5 * (1 / 20 - 1 / 100) * 2 + 1 / 100  # trapezoid over both events, constant tail
    assert alone(model).tolist() == [0.0, 0.0]
    assert model.value(of(2, 0)) == model.value(of(2, 1)) == 0.0
    assert model.value(of(2, 0, 1)) == pytest.approx(100 * 24 * every_year)
    assert len(model.weight) == 1  # both events, every draw: the same prises want the same two cures


def test_a_shorter_repair_saves_the_hours_after_it() -> None:
    """Root --- P(1: 5), certain for 24 h in each event; a measure brings the repair down to 6 h."""
    graph = service_graph([(0, 1)], [0, 5], edge_links=[(0, 0)])
    today = situation(graph, failure_rows([(0, "flood", 1.0, 24.0)]), rate_rows([]))
    sooner = failure_rows([(0, "flood", 1.0, 6.0)]).assign(measure=[0, 0])
    model = sampled_model(today, candidates(sooner, NOTHING_CHANGES[1], {}, [1.0]), "central", SAMPLING)
    assert model.value(of(1, 0)) == pytest.approx(5 * (24 - 6) * 0.05)  # 0.05 floods a year


def test_a_loop_and_a_burial_of_what_it_protects_do_not_add_up() -> None:
    """Root --- P(1: 5) by a line dug up once in ten years for 10 h; a second path, or a safe line."""
    graph = service_graph([(0, 1)], [0, 5], edge_links=[(0, 0)])
    today = situation(graph, failure_rows([]), rate_rows([(0, "dig", 0.1, 10.0)]))
    none = np.empty(0, np.int32)
    loop = Link(1, 0, np.array([0, 1]), none, none, 100.0, NO_WATER)
    cured = rate_rows([(0, "dig", 0.0, 10.0)]).assign(measure=[1])
    measures = candidates(NOTHING_CHANGES[0], cured, {0: loop}, [1.0, 1.0])
    model = sampled_model(today, measures, "central", SAMPLING)
    assert [model.value(of(2, *chosen)) for chosen in ((0,), (1,), (0, 1))] == pytest.approx([5.0, 5.0, 5.0])


def test_works_that_bring_a_new_danger_are_charged_with_it() -> None:
    """Root --- P(1: 5): what is buried is no longer cut by the wind, and can be dug up."""
    graph = service_graph([(0, 1)], [0, 5], edge_links=[(0, 0)])
    today = situation(graph, failure_rows([]), rate_rows([(0, "aerial_cut", 0.1, 10.0)]))
    buried = rate_rows([(0, "aerial_cut", 0.0, 10.0), (0, "dig_up", 0.04, 10.0)]).assign(measure=[0, 0])
    model = sampled_model(today, candidates(NOTHING_CHANGES[0], buried, {}, [1.0]), "central", SAMPLING)
    assert alone(model).tolist() == pytest.approx([5 * (0.1 - 0.04) * 10])
    assert dict(zip(model.causes, np.bincount(model.cause, model.weight), strict=True)) == pytest.approx(
        {"aerial_cut": 5.0, "dig_up": 2.0}
    )


def test_what_is_given_stays_as_it_was() -> None:
    graph = service_graph([(0, 1)], [0, 5], edge_links=[(0, 0)])
    today = situation(graph, failure_rows([]), rate_rows([(0, "dig", 0.1, 10.0)]))
    before = today.rates.copy(deep=True)
    changes = rate_rows([(0, "dig", 0.0, 10.0)]).assign(measure=[0])
    sampled_model(today, candidates(NOTHING_CHANGES[0], changes, {}, [1.0]), "central", SAMPLING)
    assert today.rates.equals(before)
    assert np.array_equal(today.graph.tail, [0])
