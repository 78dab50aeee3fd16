"""Where things stand, and where cables end (DESIGN D1, D5, D6)."""

import pandas as pd
import pytest
import shapely

from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from tests.networks import cable, closure, draw, nro, pbo, pm, prises, wait

AT = {"N0": (0.0, 0.0), "N1": (100.0, 0.0), "N2": (200.0, 0.0), "N3": (300.0, 0.0)}


def end(network: Network, code: str, number: int) -> pd.Series:
    return network.ends.set_index(["cable", "end"]).loc[(code, number)]


def rules(network: Network) -> list[str]:
    return network.findings["rule"].tolist()


def codes(network: Network, kind: str) -> list[str]:
    return network.assets.loc[network.assets["kind"] == kind, "code"].tolist()


def line(*points: float) -> list[tuple[float, float]]:
    return [(x, 0.0) for x in points]


@pytest.fixture
def building() -> Inventory:
    """Put a home with its PTO at N2 (nothing else there), another above the PBO at N1.

    ::

        PM(N0) --C1-- PBO B1 (N1, also home L1) --D2-- PTO T2 (N2, home L2)
    """
    pto = {"ebp": [{"bp_code": "T2", "bp_typelog": "PTO", "bp_sf_code": "L2"}]}
    homes = [
        {"code": "L1", "type": "RES", "nd_code": "N1", "bp_code": "B1"},
        {"code": "L2", "type": "RES", "nd_code": "N2"},
    ]
    drop = cable("D2", "N1", "N2", None, cb_bp2="T2")
    return draw(
        pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1"), drop, pto, {"premise": homes}, at=AT
    )


def test_d1_a_premise_its_pto_and_its_node_are_no_assets(building: Inventory) -> None:
    network = build_network(building)
    assert codes(network, "ebp") == ["B1"]
    assert codes(network, "noeud") == ["N0", "N1", "N3"]  # N1 holds a PBO beside the home


def test_d6_a_cable_that_ends_at_a_pto_is_a_drop(building: Inventory) -> None:
    network = build_network(building)
    assert end(network, "D2", 2)[["place", "source", "is_premise"]].tolist() == ["N2", "box", True]
    assert pd.isna(end(network, "D2", 2)["ebp"])
    assert network.assets.set_index("code").loc["D2", "segment"] == "raccordement"


def test_d6_the_end_box_wins_over_the_node_code_and_the_contradiction_is_a_finding() -> None:
    network = build_network(
        draw(pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N3", cb_bp2="B1"), prises("B1", "L1"), at=AT)
    )
    assert end(network, "C1", 2)[["place", "ebp", "source"]].tolist() == ["N1", "B1", "box"]
    found = network.findings.query("rule == 'extremite_contradictoire'")
    assert found["code"].tolist() == ["C1"]
    assert "N1" in found["message"].iloc[0]
    assert "N3" in found["message"].iloc[0]


def test_d6_the_node_code_wins_over_the_line_without_a_finding() -> None:
    network = build_network(draw(pm("PM", "N0"), cable("C1", "N0", "N1", line=line(0, 200)), at=AT))
    assert end(network, "C1", 2)[["place", "source"]].tolist() == ["N1", "code"]
    assert "extremite_contradictoire" not in rules(network)


@pytest.mark.parametrize(
    ("off_m", "place", "found"),
    [(0.10, "N1", []), (0.40, "N1", ["extremite_approchee"]), (0.60, None, ["extremite_inconnue"])],
)
def test_d6_geometry_answers_within_10_cm_then_within_50_cm_with_a_finding(
    off_m: float, place: str | None, found: list[str]
) -> None:
    wired = cable("C1", "N0", "N1", cb_nd1=None, cb_nd2=None, line=line(0, 100 + off_m))
    network = build_network(draw(pm("PM", "N0"), wired, at=AT))
    assert end(network, "C1", 1)["place"] == "N0"
    assert end(network, "C1", 1)["source"] == "geometry"
    at = end(network, "C1", 2)["place"]
    assert at == place if place else pd.isna(at)
    assert [rule for rule in rules(network) if rule.startswith("extremite")] == found


def test_d6_a_line_drawn_backwards_gives_its_unknown_end_the_right_place() -> None:
    network = build_network(
        draw(pm("PM", "N0"), cable("C1", "N0", "N1", cb_nd2=None, line=line(100, 0)), at=AT)
    )
    assert end(network, "C1", 1)[["place", "source"]].tolist() == ["N0", "code"]
    assert end(network, "C1", 2)[["place", "source"]].tolist() == ["N1", "geometry"]


def test_d6_an_end_without_equipment_is_in_the_box_where_its_fibres_have_positions() -> None:
    """Two boxes in one place: B2 holds two fibres of C1, B1 none."""
    network = build_network(
        draw(
            pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N1"), cable("C1", "N0", "N1", fibres=2),
            cable("C2", "N0", "N1"), wait("B2", "C1.1", "C1.2"), at=AT,
        )
    )  # fmt: skip
    assert end(network, "C1", 2)["ebp"] == "B2"
    assert pd.isna(end(network, "C2", 2)["ebp"])  # two boxes and no position: it cannot be told


def test_d6_else_it_is_in_the_only_network_box_of_the_place_else_in_its_room() -> None:
    pto = {"ebp": [{"bp_code": "T1", "bp_typelog": "PTO", "bp_lc_code": "PM"}]}
    network = build_network(
        draw(nro("NR", "N2"), pm("PM", "N0"), pto, closure("B1", "N1"), cable("C1", "N0", "N1"), at=AT)
    )
    assert end(network, "C1", 2)["ebp"] == "B1"
    assert end(network, "C1", 1)["room"] == "PM"


def test_d5_patch_cords_and_cables_inside_one_room_are_no_assets_and_have_no_way() -> None:
    cords = [
        cable("J1", "N0", "N0", None, cb_typephy="J"),
        cable("K1", "N0", "N0", "DI", cb_ba1="BAPM", cb_ba2="BAPM"),
    ]
    network = build_network(draw(pm("PM", "N0"), *cords, cable("C1", "N0", "N1"), at=AT))
    assert codes(network, "cable") == ["C1"]
    assert network.uses["carried"].unique().tolist() == network.assets.query("code == 'C1'").index.tolist()


def test_a_box_without_place_is_a_finding_and_still_an_asset() -> None:
    lost = {"ebp": [{"bp_code": "B9", "bp_typelog": "PBO", "bp_pt_code": "PT-unknown"}]}
    network = build_network(draw(pm("PM", "N0"), lost, cable("C1", "N0", "N1", cb_bp2="B9"), at=AT))
    assert "B9" in codes(network, "ebp")
    assert network.findings.query("rule == 'boite_sans_lieu'")["code"].tolist() == ["B9"]


def test_the_place_of_a_point_asset_is_that_of_its_node(building: Inventory) -> None:
    assets = build_network(building).assets.set_index(["kind", "code"])
    for key in (("ebp", "B1"), ("ptech", "PTB1"), ("noeud", "N1")):
        assert assets.loc[key, "nd_code"] == "N1"
        assert assets.loc[key, "geometry"] == shapely.Point(100, 0)
    assert assets.loc[("site", "STPM"), "nature"] == assets.loc[("local", "PM"), "nature"] == "PM"
