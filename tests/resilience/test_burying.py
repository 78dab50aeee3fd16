"""Burying, on pole lines drawn by hand: what is one work, what it takes down, what it costs."""

from collections.abc import Sequence
from itertools import groupby

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gracethd.network.types import Network
from resilience.measures.burying import _cut, burying_drafts
from resilience.measures.types import Draft
from resilience.parameters import default_parameters

PARAMETERS = default_parameters()


def pole_line(
    places: dict[str, tuple[float, float]],
    ways: dict[str, tuple[str, str]],
    *,
    buried: Sequence[str] = (),
) -> Network:
    """Build a network of ways between poles, a box on each."""
    rows = [("noeud", code, "", code, shapely.Point(xy)) for code, xy in places.items()]
    rows += [("ptech", f"P{code}", "appui", code, shapely.Point(xy)) for code, xy in places.items()]
    rows += [("ebp", f"B{code}", "PBO", code, shapely.Point(xy)) for code, xy in places.items()]
    shapes = {code: shapely.LineString([places[a], places[b]]) for code, (a, b) in ways.items()}
    rows += [("cheminement", code, "", "", shape) for code, shape in shapes.items()]
    table = pd.DataFrame(rows, columns=["kind", "code", "nature", "nd_code", "geometry"])
    table = table.sort_values(["kind", "code"], ignore_index=True).assign(libelle="")
    assets = gpd.GeoDataFrame(table, geometry="geometry", crs=2154)
    number = {code: i for i, code in enumerate(assets["code"])}
    lines = gpd.GeoDataFrame(
        {"asset": [number[way] for way in ways], "typ_imp": ["7" if way in buried else "0" for way in ways]},
        geometry=list(shapes.values()), crs=2154,
    )  # fmt: skip
    lines["length_m"] = lines.length
    links = pd.DataFrame(
        [(number[way], number[node]) for way, ends in ways.items() for node in ends], columns=["a", "b"]
    )
    empty = pd.DataFrame()
    return Network(assets, lines, empty, empty, empty, empty, links, empty)


def drafts(
    network: Network,
    *,
    serie: dict[str, str] | None = None,
    commune: dict[str, str] | None = None,
    owner: dict[str, str] | None = None,
    harmless: Sequence[str] = (),
    most: int = 30,
) -> tuple[list[Draft], dict[str, int]]:
    assets = network.assets
    code = assets["code"]
    told = assets[["kind", "code"]].assign(
        serie=[(serie or {}).get(one, "S") for one in code],
        commune=[(commune or {}).get(one, "62001") for one in code],
    )
    owners = assets[["kind", "code"]].assign(owner=[(owner or {}).get(one, "X") for one in code])
    exposed = np.where(code.isin(harmless), 0.0, 1.0)
    return burying_drafts(network, told, PARAMETERS, exposed=exposed, most=most, owners=owners)


def objects(found: tuple[list[Draft], dict[str, int]]) -> list[tuple[str, ...]]:
    return sorted(draft.objects for draft in found[0])


@pytest.fixture
def street() -> Network:
    """Four spans of 60 m along a street, and a side street of 120 m from its second pole.

    A --W1-- B --W2-- C --W3-- D --W4-- E, and B --W5-- F at a right angle.
    """
    places = {"A": (0.0, 0.0), "B": (60.0, 0.0), "C": (120.0, 0.0), "D": (180.0, 0.0), "E": (240.0, 0.0)}
    return pole_line(
        {**places, "F": (60.0, 120.0)},
        {"W1": ("A", "B"), "W2": ("B", "C"), "W3": ("D", "C"), "W4": ("D", "E"), "W5": ("B", "F")},
    )


def test_a_street_is_one_work_and_its_side_street_another(street: Network) -> None:
    assert objects(drafts(street)) == [("W1", "W2", "W3", "W4"), ("W5",)]


def test_a_work_keeps_to_one_commune_and_to_one_owner(street: Network) -> None:
    assert objects(drafts(street, commune={"W3": "62002", "W4": "62002"})) == [
        ("W1", "W2"), ("W3", "W4"), ("W5",)
    ]  # fmt: skip
    assert objects(drafts(street, owner={"W2": "Y"})) == [("W1",), ("W2",), ("W3", "W4"), ("W5",)]


def test_another_serie_is_another_work_once_it_is_worth_a_site(street: Network) -> None:
    two = {"W1": "S1", "W2": "S1", "W3": "S2", "W4": "S2", "W5": "S3"}
    assert objects(drafts(street, serie=two)) == [("W1", "W2"), ("W3", "W4"), ("W5",)]
    # 60 m of S1 are too short a work, 60 m of S3 at the end too
    four = {"W1": "S1", "W2": "S2", "W3": "S2", "W4": "S3"}
    assert objects(drafts(street, serie=four)) == [("W1", "W2", "W3", "W4"), ("W5",)]


def test_what_costs_nothing_is_left_and_cuts_the_work(street: Network) -> None:
    assert objects(drafts(street, harmless=["W2", "W5"])) == [("W1",), ("W3", "W4")]


def test_works_are_no_longer_than_a_season() -> None:
    places = {f"N{i}": (400.0 * i, 0.0) for i in range(13)}
    network = pole_line(places, {f"W{i:02d}": (f"N{i}", f"N{i + 1}") for i in range(12)})
    found = drafts(network)[0]
    assert [len(draft.objects) for draft in found] == [5, 5, 2]
    assert [draft.length_m for draft in found] == [2000, 2000, 800]


def test_poles_and_boxes_follow_where_no_other_aerial_way_ends(street: Network) -> None:
    code = street.assets["code"]
    follows = {draft.objects: sorted(code.iloc[draft.changed]) for draft in drafts(street)[0]}
    # the pole at B also holds the side street: it stays
    assert follows["W1", "W2", "W3", "W4"] == ["BA", "BC", "BD", "BE", "PA", "PC", "PD", "PE"]
    assert follows["W5",] == ["BF", "PF"]


def test_a_buried_way_is_no_part_of_it_and_holds_no_pole() -> None:
    places = {"A": (0.0, 0.0), "B": (90.0, 0.0), "C": (180.0, 0.0)}
    network = pole_line(places, {"W1": ("A", "B"), "W2": ("B", "C")}, buried=["W2"])
    found = drafts(network)[0]
    assert [draft.objects for draft in found] == [("W1",)]
    assert sorted(network.assets["code"].iloc[found[0].changed]) == ["BA", "BB", "PA", "PB"]


def test_a_short_work_is_priced_as_one_that_is_worth_a_site() -> None:
    network = pole_line({"A": (0.0, 0.0), "B": (40.0, 0.0)}, {"W1": ("A", "B")})
    draft = drafts(network)[0][0]
    assert (draft.length_m, draft.cost_eur["central"]) == (40, 100 * 90)
    assert "comptés sur 100 m au moins" in draft.hypotheses


def test_the_works_that_cost_most_are_kept_and_the_others_counted(street: Network) -> None:
    found, omitted = drafts(street, most=1)
    assert objects((found, omitted)) == [("W1", "W2", "W3", "W4")]
    assert omitted == {"enfouissement": 1}


def test_nothing_aerial_gives_no_work() -> None:
    network = pole_line({"A": (0.0, 0.0), "B": (40.0, 0.0)}, {"W1": ("A", "B")}, buried=["W1"])
    assert drafts(network) == ([], {})


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([10.0, 60.0, 150.0, 900.0])),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_works_are_runs_of_a_line_of_sensible_length(rows: list[tuple[int, int, float]]) -> None:
    rows.sort(key=lambda row: row[0])
    stroke, serie, length = (np.array(column) for column in zip(*rows, strict=True))
    work = _cut(stroke.astype(np.int64), serie.astype(np.int64), length.astype(float), (100.0, 1000.0))
    runs = [list(run) for _, run in groupby(range(len(rows)), lambda i: work[i])]
    assert len(runs) == len(set(work))  # each work is one run
    for run in runs:
        metres = float(length[run].sum())
        assert len(set(stroke[run])) == 1
        assert metres <= 1000 or len(run) == 1
        line = stroke == stroke[run[0]]
        if metres < 100:  # only where nothing on its line could take it
            beside = [i for i in (run[0] - 1, run[-1] + 1) if 0 <= i < len(rows) and line[i]]
            assert all(length[work == work[i]].sum() + metres > 1000 or i > run[0] for i in beside)
