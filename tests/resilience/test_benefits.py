"""What measures avoid together, against the loss of the whole network computed for each set of them."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings

from resilience.benefits import Sampling, class_losses, classes_of, joint_benefits, single_benefits
from resilience.loss import network_loss
from resilience.measures import Candidates, Situation, apply
from tests.draws import draws
from tests.resilience.measure_cases import candidates, cases, failure_rows, rate_rows, situation
from tests.resilience.service_graphs import service_graph

DRAWS = Sampling(seed=3, draws=40)


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


def subsets(n: int) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(n), size) for size in range(n + 1)))


@settings(max_examples=draws(25))
@given(case=cases())
def test_any_set_avoids_what_the_loss_of_the_whole_network_says(case: tuple[Situation, Candidates]) -> None:
    today, measures = case
    benefits = joint_benefits(today, measures, classes_of(today, measures), "central", DRAWS)
    assert benefits.neglected == 0.0
    before = whole_loss(today)
    for chosen in subsets(len(measures.measures)):
        if any(a in chosen and b in chosen for a, b in measures.exclusions.tolist()):
            continue
        avoided = before - whole_loss(apply(today, measures, chosen, "central"))
        assert benefits.of(chosen) == pytest.approx(avoided, abs=1e-9 * max(1.0, before))


@settings(max_examples=draws(25))
@given(case=cases())
def test_the_losses_of_classes_add_up_to_the_loss_of_those_concerned(
    case: tuple[Situation, Candidates],
) -> None:
    today, measures = case
    classes = classes_of(today, measures)
    parts = class_losses(today, classes.weights, DRAWS)
    concerned = class_losses(today, classes.weights.sum(axis=1, keepdims=True), DRAWS)
    assert parts.sum() == pytest.approx(concerned.sum())
    whole = class_losses(today, today.graph.prises[:, None], DRAWS)
    assert whole.sum() == pytest.approx(whole_loss(today))
    for members, colour in zip(classes.members, [classes.colour] * len(classes.members), strict=True):
        assert len(set(colour[members])) == members.sum()  # of one colour, at most one in a class


@settings(max_examples=draws(25))
@given(case=cases())
def test_each_measure_alone_is_the_difference_with_and_without_it(case: tuple[Situation, Candidates]) -> None:
    today, measures = case
    alone = single_benefits(today, measures, classes_of(today, measures), "high", DRAWS)
    before = whole_loss(today)
    for number, avoided in enumerate(alone):
        after = whole_loss(apply(today, measures, [number], "high"))
        assert avoided == pytest.approx(before - after, abs=1e-9 * max(1.0, before))


def test_raising_one_of_two_drowned_rooms_on_a_route_gains_nothing_both_gain_all() -> None:
    """Root --- N(1) --- P(2: 100 prises); N and P drown together in each event for the same 24 h."""
    graph = service_graph([(0, 1), (1, 2)], [0, 0, 100], vertex_links=[(0, 1), (1, 2)])
    today = situation(graph, failure_rows([(0, "flood", 1.0, 24.0), (1, "flood", 1.0, 24.0)]), rate_rows([]))
    dry = failure_rows([(0, "flood", 0.0, 24.0), (1, "flood", 0.0, 24.0)])
    measures = candidates(
        dry.assign(measure=[0, 0, 1, 1]), rate_rows([]).assign(measure=[]), {}, [10.0, 10.0]
    )
    benefits = joint_benefits(today, measures, classes_of(today, measures), "central", DRAWS)
    every_year = 0.5 * (1 / 20 - 1 / 100) * 2 + 1 / 100  # trapezoid over both events, constant tail
    assert benefits.of([0]) == benefits.of([1]) == 0.0
    assert benefits.of([0, 1]) == pytest.approx(100 * 24 * every_year)


def test_measures_at_two_ends_of_the_network_share_one_evaluation() -> None:
    """Root --- P(1: 5) and root --- Q(2: 7): nobody stands behind both."""
    graph = service_graph([(0, 1), (0, 2)], [0, 5, 7], edge_links=[(0, 0), (1, 1)])
    flood = failure_rows([(0, "flood", 1.0, 10.0), (1, "flood", 1.0, 10.0)])
    today = situation(graph, flood, rate_rows([]))
    changes = failure_rows([(0, "flood", 0.0, 10.0), (1, "flood", 1.0, 5.0)]).assign(measure=[0, 0, 1, 1])
    measures = candidates(changes, rate_rows([]).assign(measure=[]), {}, [1.0, 1.0])
    benefits = joint_benefits(today, measures, classes_of(today, measures), "central", DRAWS)
    assert benefits.evaluations == 2  # today, and both measures at once
    floods_a_year = 0.05  # two certain events of 20 and 100 years, constant tail
    avoided = [benefits.of([0]), benefits.of([1]), benefits.of([0, 1])]
    assert avoided == pytest.approx([50 * floods_a_year, 35 * floods_a_year, 85 * floods_a_year])


def test_rates_need_no_draws() -> None:
    """Root --- P(1: 5), dug up once in ten years for 10 h; a measure halves that."""
    graph = service_graph([(0, 1)], [0, 5], edge_links=[(0, 0)])
    today = situation(graph, failure_rows([]), rate_rows([(0, "dig", 0.1, 10.0)]))
    changes = rate_rows([(0, "dig", 0.05, 10.0)]).assign(measure=[0])
    measures = candidates(failure_rows([]).assign(measure=[]), changes, {}, [1.0])
    benefits = joint_benefits(today, measures, classes_of(today, measures), "central", DRAWS)
    assert benefits.of([0]) == pytest.approx(2.5)
    assert benefits.evaluations == 0


def test_what_is_given_stays_as_it_was() -> None:
    graph = service_graph([(0, 1)], [0, 5], edge_links=[(0, 0)])
    today = situation(graph, failure_rows([]), rate_rows([(0, "dig", 0.1, 10.0)]))
    before = today.rates.copy(deep=True)
    changes = rate_rows([(0, "dig", 0.0, 10.0)]).assign(measure=[0])
    measures = candidates(failure_rows([]).assign(measure=[]), changes, {}, [1.0])
    joint_benefits(today, measures, classes_of(today, measures), "central", DRAWS)
    assert today.rates.equals(before)
    assert np.array_equal(today.graph.tail, [0])
