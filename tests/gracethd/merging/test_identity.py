"""One code in two deliveries: one object, or two that keep their own cables, boxes and fibres."""

from collections.abc import Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.deliveries import Delivery, open_delivery
from gracethd.inventory import Inventory
from gracethd.merging.alike import first_alike
from gracethd.merging.references import references
from gracethd.model import VERSIONS, attributes
from gracethd.normalise import TABLES
from gracethd.reading import build_inventory
from tests.deliveries import delivery, found, ground, table
from tests.draws import draws

FAR = 10_000.0


def code_attributes() -> dict[str, set[str]]:
    """Give the keys and foreign keys of each table, from the model documents alone."""
    names: dict[str, set[str]] = {}
    for version in VERSIONS:
        model = attributes(version)
        for table_name, attribute in model.loc[
            (model["primary_key"] == "yes") | (model["foreign_key"] != ""), ["table", "attribute"]
        ].itertuples(index=False):
            names.setdefault(table_name, set()).add(attribute)
    names["t_local"] |= {"lc_bp_codf", "lc_bp_codp"}
    return names


def moved(source: Delivery, name: str, by: float, *, suffix: str = "") -> Delivery:
    """Give a delivery of another name, moved east, its codes all different where a suffix is given."""
    codes, tables = code_attributes(), {}
    for key, frame in source.tables.items():
        changed = frame.assign(
            **{column: frame[column] + suffix for column in codes[key] if column in frame and suffix}
        )
        if isinstance(changed, gpd.GeoDataFrame):
            changed = changed.set_geometry(changed.geometry.translate(by))
        tables[key] = changed
    return replace(source, name=name, tables=tables)


def test_two_owners_with_the_same_numbers_give_what_they_would_give_with_other_numbers(
    demo01_delivery: Delivery,
) -> None:
    """The judge adds ~b to every key and foreign key of the second delivery before anything is merged."""
    clashing = build_inventory([demo01_delivery, moved(demo01_delivery, "b", FAR)])
    distinct = build_inventory([demo01_delivery, moved(demo01_delivery, "b", FAR, suffix="~b")])
    for name in clashing:
        pd.testing.assert_frame_equal(pd.DataFrame(clashing[name]), pd.DataFrame(distinct[name]), obj=name)


@pytest.fixture(scope="module")
def demo01_delivery(demo01: object) -> Delivery:
    return open_delivery(demo01)  # type: ignore[arg-type]


def test_the_same_network_surveyed_again_is_one_network(demo01_delivery: Delivery) -> None:
    once = build_inventory([demo01_delivery])
    twice = build_inventory([demo01_delivery, moved(demo01_delivery, "b", 0.3)])
    for name in once:
        assert twice[name].iloc[:, 0].tolist() == once[name].iloc[:, 0].tolist()
    assert set(twice.findings["rule"]) - set(once.findings["rule"]) == {"zone_deux_livraisons"}


def test_references_are_the_foreign_keys_of_the_model() -> None:
    """Every column named like a key of the model is followed; what the inventory makes itself is named."""
    told = {pair for columns in references().values() for pair in columns}
    assert ("cable", "cb_nd1") in told
    assert {("position", "ps_1"), ("position", "ps_cs_code"), ("zpbo", "zp_bp_code")} <= told
    assert ("premise", "bp_codf") in told
    assert not [pair for pair in told if pair[1] not in TABLES[pair[0]].columns]


HERE, THERE = (700_000.0, 7_000_000.0), (700_050.0, 7_000_000.0)


def one_chamber(name: str, at: tuple[float, float], **more: object) -> Delivery:
    """Give a delivery of one chamber at a place, with the box in it."""
    return delivery(
        name,
        **ground(
            t_noeud=table({"nd_code": "N1"}, at=[at]),
            t_ptech=table({"pt_code": "PT1", "pt_nd_code": "N1", **more}),
            t_ebp=table({"bp_code": "B1", "bp_pt_code": "PT1"}),
        ),
    )


def test_another_type_is_another_object() -> None:
    """A chamber and a pole of one code at one place; the box of the second delivery hangs on the pole."""
    merged = build_inventory(
        [one_chamber("d1", HERE, pt_typephy="C"), one_chamber("d2", HERE, pt_typephy="A")]
    )
    assert merged["ptech"][["pt_code", "pt_typephy"]].to_numpy().tolist() == [["PT1", "C"], ["PT1~d2", "A"]]
    assert found(merged, "code_deux_types") == [["ptech", "PT1~d2", "d2", 1]]


def test_a_type_that_one_delivery_does_not_tell_is_no_difference() -> None:
    merged = build_inventory([one_chamber("d1", HERE, pt_typephy="C"), one_chamber("d2", HERE)])
    assert merged["ptech"]["pt_code"].tolist() == ["PT1"]


def test_a_third_delivery_finds_the_object_that_it_means() -> None:
    merged = build_inventory(
        [one_chamber("d1", HERE), one_chamber("d2", THERE), one_chamber("d3", THERE), one_chamber("d4", HERE)]
    )
    assert merged["noeud"]["nd_code"].tolist() == ["N1", "N1~d2"]
    assert merged["ebp"][["bp_code", "bp_pt_code"]].to_numpy().tolist() == [
        ["B1", "PT1"], ["B1~d2", "PT1~d2"],
    ]  # fmt: skip
    assert [row[:3] for row in found(merged, "code_deux_lieux") if row[0] == "noeud"] == [
        ["noeud", "N1~d2", "d2"], ["noeud", "N1~d2", "d3"],
    ]  # fmt: skip


def fibres(name: str, cable: str, fibre: str, position: str) -> Delivery:
    return delivery(
        name,
        **ground(
            t_cable=table({"cb_code": cable}),
            t_fibre=table({"fo_code": fibre, "fo_cb_code": cable}),
            t_position=table({"ps_code": position, "ps_1": fibre, "ps_cs_code": "CS" + cable}),
        ),
    )


def test_a_fibre_of_another_cable_is_another_fibre_and_its_splice_another_splice() -> None:
    merged = build_inventory([fibres("d1", "C1", "F1", "P1"), fibres("d2", "C2", "F1", "P1")])
    assert merged["fibre"][["fo_code", "fo_cb_code"]].to_numpy().tolist() == [["F1", "C1"], ["F1~d2", "C2"]]
    assert merged["position"][["ps_code", "ps_1"]].to_numpy().tolist() == [["P1", "F1"], ["P1~d2", "F1~d2"]]
    assert found(merged, "code_deux_objets") == [["fibre", "", "d2", 0], ["position", "", "d2", 0]]


def conduit(name: str, way: str, line: list[tuple[float, float]]) -> Delivery:
    return delivery(
        name,
        **ground(
            t_cheminement=table({"cm_code": way}, at=[line]),
            t_conduite=table({"cd_code": "D1"}),
            t_cond_chem=table({"dm_cd_code": "D1", "dm_cm_code": way}),
            t_cab_cond=table({"cc_cb_code": "C" + way, "cc_cd_code": "D1"}),
        ),
    )


def test_a_conduit_that_lies_in_no_common_way_is_another_conduit() -> None:
    """Merged, it would make one shared risk of two streets."""
    here, there = [(0.0, 0.0), (50.0, 0.0)], [(500.0, 0.0), (550.0, 0.0)]
    merged = build_inventory([conduit("d1", "W1", here), conduit("d2", "W2", there)])
    assert merged["cab_cond"].iloc[:, :2].to_numpy().tolist() == [["CW1", "D1"], ["CW2", "D1~d2"]]
    same = build_inventory([conduit("d1", "W1", here), conduit("d2", "W1", here)])
    assert same["conduite"]["cd_code"].tolist() == ["D1"]
    # the same number for two ways: the conduit follows the way that was renamed
    ways = build_inventory([conduit("d1", "W1", here), conduit("d2", "W1", there)])
    assert ways["cond_chem"].iloc[:, :2].to_numpy().tolist() == [["D1", "W1"], ["D1~d2", "W1~d2"]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([(0.0, 0.0), (100.0, 0.0)], 1),  # the same
        ([(100.0, 0.0), (0.0, 0.0)], 1),  # drawn the other way round
        ([(0.0, 0.0), (50.0, 30.0), (100.0, 0.0)], 1),  # rerouted
        ([(0.0, 0.0), (180.0, 0.0)], 1),  # made longer
        ([(0.0, 0.0), (0.0, 100.0)], 2),  # starts at the same place
        ([(50.0, -40.0), (50.0, 40.0)], 2),  # crosses at the middle of both
        ([(0.0, 5.0), (100.0, 5.0)], 2),
    ],
)
def test_two_ways_of_one_code(line: list[tuple[float, float]], expected: int) -> None:
    """The first runs from (0, 0) to (100, 0)."""
    first = delivery("d1", **ground(t_cheminement=table({"cm_code": "W"}, at=[[(0.0, 0.0), (100.0, 0.0)]])))
    second = delivery("d2", **ground(t_cheminement=table({"cm_code": "W"}, at=[line])))
    merged = build_inventory([first, second])
    assert merged["cheminement"]["cm_code"].tolist() == ["W", "W~d2"][:expected]


@settings(max_examples=draws(100))
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=12))
def test_rows_go_to_the_first_that_is_alike(rows: list[tuple[str, int]]) -> None:
    """Judged one row after the other."""
    codes = np.array([code for code, _ in rows], dtype=object)
    at = np.array([place for _, place in rows], dtype=int)
    like, why = first_alike(codes, lambda i, j: (at[i] != at[j]).astype(np.int8))
    firsts: dict[tuple[str, int], int] = {}
    expected = [firsts.setdefault(row, number) for number, row in enumerate(rows)]
    assert like.tolist() == expected
    first_of_code = {code: number for number, (code, _) in reversed(list(enumerate(rows)))}
    assert [bool(one) for one in why] == [like[i] != first_of_code[code] for i, (code, _) in enumerate(rows)]


Drawn = Mapping[str, list[tuple[int, int]]]
SPOTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4)


@settings(max_examples=draws(12))
@given(st.lists(SPOTS, min_size=2, max_size=4))
def test_what_a_delivery_says_of_places_is_still_said(drawn: list[list[tuple[int, int]]]) -> None:
    """Deliveries number nodes, chambers and boxes from 0: each box must stay where its delivery puts it."""
    deliveries = [boxes_at(f"d{number}", spots) for number, spots in enumerate(drawn)]
    merged = build_inventory(deliveries)
    places = placed(merged)
    for one, spots in zip(deliveries, drawn, strict=True):
        expected = {(700_000.0 + 100 * x, 7_000_000.0 + 100 * y) for x, y in spots}
        assert expected <= set(places.values())
        for code, (x, y) in zip(one.tables["t_ebp"]["bp_code"], spots, strict=True):
            at = (700_000.0 + 100 * x, 7_000_000.0 + 100 * y)
            assert [at] == [
                place for box, place in places.items() if box.split("~")[0] == code and place == at
            ]


def boxes_at(name: str, spots: list[tuple[int, int]]) -> Delivery:
    numbers = range(len(spots))
    return delivery(
        name,
        **ground(
            t_noeud=table(
                *({"nd_code": f"N{i}"} for i in numbers),
                at=[(700_000.0 + 100 * x, 7_000_000.0 + 100 * y) for x, y in spots],
            ),
            t_ptech=table(*({"pt_code": f"P{i}", "pt_nd_code": f"N{i}"} for i in numbers)),
            t_ebp=table(*({"bp_code": f"B{i}", "bp_pt_code": f"P{i}"} for i in numbers)),
        ),
    )


def placed(inventory: Inventory) -> dict[str, tuple[float, float]]:
    """Give where each box is, following its codes one by one."""
    at = {row.nd_code: shapely.get_coordinates(row.geometry)[0] for row in inventory["noeud"].itertuples()}
    node = dict(zip(inventory["ptech"]["pt_code"], inventory["ptech"]["pt_nd_code"], strict=True))
    return {row.bp_code: tuple(at[node[row.bp_pt_code]]) for row in inventory["ebp"].itertuples()}
