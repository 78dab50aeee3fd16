"""Deliveries that meet: a cable told in two parts, a chamber with a code in each."""

import pandas as pd
import pytest
import shapely

from gracethd.deliveries import Delivery
from gracethd.reading import build_inventory
from tests.deliveries import delivery, found, ground, table

X, Y = 700_000.0, 7_000_000.0


def at(x: float, y: float = 0.0) -> tuple[float, float]:
    return (X + x, Y + y)


def part(name: str, ends: tuple[str, str], line: list[tuple[float, float]], **more: pd.DataFrame) -> Delivery:
    """Give a delivery of one cable C between two nodes, a box at the first of them."""
    return delivery(
        name,
        **ground(
            t_noeud=table({"nd_code": ends[0]}, {"nd_code": ends[1]}, at=[line[0], line[-1]]),
            t_cable=table({"cb_code": "C", "cb_nd1": ends[0], "cb_nd2": ends[1], "cb_bp1": "B" + ends[0]}),
            t_cableline=table({"cl_cb_code": "C"}, at=[line]),
            **more,
        ),
    )


def test_a_cable_told_in_two_parts_is_one_cable() -> None:
    """N1 ---d1--- N2 ---d2--- N3, the second part told from its far end."""
    merged = build_inventory(
        [part("d1", ("N1", "N2"), [at(0), at(80)]), part("d2", ("N3", "N2"), [at(200), at(80.4)])]
    )
    (cable,) = merged["cable"].itertuples()
    assert (cable.cb_code, cable.cb_nd1, cable.cb_nd2, cable.cb_bp1, cable.cb_bp2) == (
        "C", "N1", "N3", "BN1", "BN3",
    )  # fmt: skip
    assert cable.geometry.length == pytest.approx(199.6)
    assert found(merged, "cable_en_deux_livraisons") == [["cable", "C", "d2", 1]]


def test_two_cables_of_one_code_that_leave_the_same_room_are_two() -> None:
    """The PM stands at N2: cables are numbered from it in both deliveries."""
    room = {"t_sitetech": table({"st_code": "S", "st_nd_code": "N2", "st_typelog": "SRO"})}
    merged = build_inventory(
        [
            part("d1", ("N1", "N2"), [at(0), at(80)], **room),
            part("d2", ("N3", "N2"), [at(200), at(80)], **room),
        ]
    )
    assert merged["cable"]["cb_code"].tolist() == ["C", "C~d2"]
    assert merged["cable"]["cb_nd1"].tolist() == ["N1", "N3"]


def chambers(name: str, *codes: str, apart: float = 0.0, kind: str = "C", **more: pd.DataFrame) -> Delivery:
    """Give chambers 100 m apart, the whole row moved east by `apart`."""
    return delivery(
        name,
        **ground(
            t_noeud=table(
                *({"nd_code": f"N{c}"} for c in codes), at=[at(apart + 100 * i) for i in range(len(codes))]
            ),
            t_ptech=table(*({"pt_code": c, "pt_nd_code": f"N{c}", "pt_typephy": kind} for c in codes)),
            **more,
        ),
    )


def test_a_chamber_that_two_deliveries_name_each_in_its_way_is_one_place() -> None:
    cable = {"t_cable": table({"cb_code": "C", "cb_nd1": "Nb2", "cb_nd2": "Nb1"})}
    merged = build_inventory([chambers("d1", "a1"), chambers("d2", "b1", "b2", apart=0.4, **cable)])
    assert merged["noeud"]["nd_code"].tolist() == ["Na1", "Nb2"]
    assert merged["ptech"][["pt_code", "pt_nd_code"]].to_numpy().tolist() == [["a1", "Na1"], ["b2", "Nb2"]]
    assert merged["cable"][["cb_nd1", "cb_nd2"]].to_numpy().tolist() == [["Nb2", "Na1"]]
    assert found(merged, "lieu_commun") == [["noeud", "Nb1", "d2", 1], ["ptech", "b1", "d2", 1]]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (chambers("d2", "b1", apart=0.6), "too far"),
        (chambers("d2", "b1", kind="A"), "a pole"),
        (chambers("d2", "b1", t_suf=table({"sf_code": "L", "sf_nd_code": "Nb1", "sf_type": "R"})), "a home"),
    ],
)
def test_places_that_are_not_one(second: Delivery, why: str) -> None:
    merged = build_inventory([chambers("d1", "a1"), second])
    assert "Nb1" in merged["noeud"]["nd_code"].tolist(), why
    assert found(merged, "lieu_commun") == []


def test_places_of_one_delivery_are_never_joined() -> None:
    both = delivery(
        "d1",
        **ground(t_noeud=table({"nd_code": "A"}, {"nd_code": "B"}, at=[at(0), at(0.1)])),
    )
    merged = build_inventory([both, chambers("d2", "c1", apart=5000.0)])
    assert merged["noeud"]["nd_code"].tolist() == ["A", "B", "Nc1"]


def test_a_place_that_might_be_either_of_two_stays_apart() -> None:
    """d1 has two chambers 0.6 m apart, that of d2 lies between them."""
    two = delivery(
        "d1",
        **ground(
            t_noeud=table({"nd_code": "A"}, {"nd_code": "B"}, at=[at(0), at(0.6)]),
            t_ptech=table(*({"pt_code": f"P{n}", "pt_nd_code": n, "pt_typephy": "C"} for n in "AB")),
        ),
    )
    merged = build_inventory([two, chambers("d2", "c1", apart=0.3)])
    assert len(merged["noeud"]) == 3
    assert [row[1] for row in found(merged, "lieux_proches")] == ["A", "B", "Nc1"]


def pm(name: str, code: str, *, zone: str | None, apart: float = 0.0) -> Delivery:
    shape = {"zs_code": zone, "zs_nd_code": f"N{code}"}
    zones = {"t_zsro": table(shape, at=[shapely.box(X - 50, Y - 50, X + 50, Y + 50)])} if zone else {}
    return delivery(
        name,
        **ground(
            t_noeud=table({"nd_code": f"N{code}"}, at=[at(apart)]),
            t_sitetech=table({"st_code": f"S{code}", "st_nd_code": f"N{code}", "st_typelog": "SRO"}),
            t_ltech=table({"lt_code": f"R{code}", "lt_st_code": f"S{code}"}),
            t_baie=table({"ba_code": f"BA{code}", "ba_lt_code": f"R{code}"}),
            **zones,
        ),
    )


def test_the_room_of_a_pm_that_transport_and_distribution_name_each_in_its_way_is_one_room() -> None:
    merged = build_inventory([pm("distribution", "a", zone="Z"), pm("transport", "b", zone=None, apart=0.2)])
    assert merged["site"]["st_code"].tolist() == ["Sa"]
    assert merged["local"]["lc_code"].tolist() == ["Ra"]
    assert merged["baie"]["ba_lc_code"].tolist() == ["Ra", "Ra"]


def test_the_pms_of_two_zones_side_by_side_are_two() -> None:
    merged = build_inventory([pm("d1", "a", zone="Z1"), pm("d2", "b", zone="Z2", apart=0.2)])
    assert merged["site"]["st_code"].tolist() == ["Sa", "Sb"]
    assert merged["zsro"]["zs_nd_code"].tolist() == ["Na", "Nb"]
