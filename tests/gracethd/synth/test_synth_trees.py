"""Cables cut from a tree, against the slowest obvious reading of the same definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gracethd.synth.trees import Section, cut_tree

Drawn = tuple[list[int], list[float], dict[int, int]]


@st.composite
def trees(draw: st.DrawFn) -> Drawn:
    """Draw a tree on 0..n-1 (parent before child), lengths to the parent, and some vertices with demand."""
    n = draw(st.integers(2, 25))
    parent = [0] + [draw(st.integers(0, i - 1)) for i in range(1, n)]
    length = [0.0] + [float(draw(st.integers(1, 9))) for _ in range(1, n)]
    wanted = draw(st.dictionaries(st.integers(1, n - 1), st.integers(1, 6), min_size=1))
    return parent, length, wanted


def cut(tree: Drawn, max_fibres: int, max_length: float) -> list[Section]:
    parent, length, wanted = tree
    distance = np.zeros(len(parent))
    for i in range(1, len(parent)):
        distance[i] = distance[parent[i]] + length[i]
    return cut_tree(np.array(parent), distance, 0, wanted, max_fibres=max_fibres, max_length_m=max_length)


def chain(sections: list[Section], vertex: int) -> list[Section]:
    """Give the cables from a vertex back to the root."""
    found = []
    while vertex != 0:
        ending = [section for section in sections if section.path[-1] == vertex]
        assert len(ending) == 1, f"{len(ending)} cables end at {vertex}"
        found.append(ending[0])
        vertex = ending[0].path[0]
    return found


@given(tree=trees(), max_fibres=st.integers(1, 30), max_length=st.sampled_from([3.0, 10.0, 1e9]))
def test_each_demand_is_served_by_one_chain_of_cables_along_the_tree(
    tree: Drawn, max_fibres: int, max_length: float
) -> None:
    parent, _, wanted = tree
    sections = cut(tree, max_fibres, max_length)
    for section in sections:
        assert all(parent[b] == a for a, b in zip(section.path, section.path[1:], strict=False))
    carried = {section.path: 0 for section in sections}
    for vertex, count in wanted.items():
        for section in chain(sections, vertex):
            carried[section.path] += count
    assert carried == {section.path: section.used for section in sections}


@given(tree=trees(), max_fibres=st.integers(1, 30))
def test_a_slot_keeps_its_number_in_every_cable_it_crosses(tree: Drawn, max_fibres: int) -> None:
    _, _, wanted = tree
    sections = cut(tree, max_fibres, 1e9)
    slots: dict[int, set[int]] = {}
    for vertex, count in wanted.items():
        first = chain(sections, vertex)[0].first
        slots[vertex] = set(range(first, first + count))
    every = sorted(slot for group in slots.values() for slot in group)
    assert every == list(range(sum(wanted.values())))  # no slot twice, none left out
    for section in sections:
        inside = {v for v in wanted if section in chain(sections, v)}
        expected = set().union(*(slots[v] for v in inside))
        assert set(range(section.first, section.first + section.used)) == expected


@given(tree=trees(), max_fibres=st.integers(1, 30))
def test_where_too_many_fibres_pass_cables_run_side_by_side(tree: Drawn, max_fibres: int) -> None:
    parent, _, wanted = tree
    for section in cut(tree, max_fibres, 1e9):
        assert section.path[0] == 0 or section.used <= max_fibres
        for vertex in section.path[1:-1]:
            below = sum(count for v, count in wanted.items() if vertex in _ancestors(parent, v))
            opened = [s for s in cut(tree, max_fibres, 1e9) if s.path[0] == vertex]
            assert below > max_fibres or not opened


def _ancestors(parent: list[int], vertex: int) -> set[int]:
    found = {vertex}
    while vertex:
        vertex = parent[vertex]
        found.add(vertex)
    return found


def test_a_long_cable_gets_a_closure_after_the_length_asked() -> None:
    """0 --2-- 1 --2-- 2 --2-- 3 --2-- 4(demand), a closure beyond 3: at 2, then the end."""
    tree = ([0, 0, 1, 2, 3], [0.0, 2.0, 2.0, 2.0, 2.0], {4: 1})
    assert [section.path for section in cut(tree, 99, 3.0)] == [(0, 1, 2), (2, 3, 4)]


def test_a_box_that_is_asked_gathers_what_passes() -> None:
    """0 -- 1 -- 2(4) and 1 -- 3(4): without a box at 1 two cables, with it one and two."""
    parent, distance = np.array([0, 0, 1, 1]), np.array([0.0, 1.0, 2.0, 2.0])
    wanted = {2: 4, 3: 4}
    apart = cut_tree(parent, distance, 0, wanted, max_fibres=5, max_length_m=1e9)
    assert [(s.path, s.first, s.used) for s in apart] == [((0, 1, 2), 0, 4), ((0, 1, 3), 4, 4)]
    gathered = cut_tree(parent, distance, 0, wanted, max_fibres=5, max_length_m=1e9, boxes=[1])
    assert [(s.path, s.first, s.used) for s in gathered] == [((0, 1), 0, 8), ((1, 2), 0, 4), ((1, 3), 4, 4)]


def test_the_smallest_cable_that_fits_is_taken() -> None:
    assert [Section((0, 1), 0, used).capacity for used in (1, 5, 6, 100, 125, 620, 700)] == [
        6,
        6,
        12,
        144,
        144,
        720,
        864,
    ]
