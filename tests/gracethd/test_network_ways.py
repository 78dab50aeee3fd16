"""What holds each cable: ways by key, then by geometry, and the places that it passes (DESIGN D3, D4, D9)."""

from pathlib import Path

import pandas as pd
import pytest
import shapely

from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.reading import read
from tests.networks import cable, closure, draw, pbo, pm, wait, way

AT = {"N0": (0.0, 0.0), "N1": (100.0, 0.0), "N2": (200.0, 0.0), "N3": (300.0, 0.0), "X": (50.0, 0.05)}


def carriers(network: Network, code: str, kind: str) -> dict[str, str]:
    """Give what carries a cable: code and source."""
    assets = network.assets
    carried = assets.index[(assets["kind"] == "cable") & (assets["code"] == code)]
    uses = network.uses[network.uses["carried"].isin(carried)]
    named = uses.assign(kind=assets["kind"].reindex(uses["carrier"]).to_numpy(),
                        code=assets["code"].reindex(uses["carrier"]).to_numpy())  # fmt: skip
    of_kind = named[named["kind"] == kind].drop_duplicates("code").sort_values("code")
    return dict(zip(of_kind["code"], of_kind["source"], strict=True))


def bare_metres(network: Network, code: str) -> float:
    asset = network.assets.index[(network.assets["kind"] == "cable") & (network.assets["code"] == code)]
    return float(network.lines.loc[network.lines["asset"].isin(asset), "length_m"].sum())


def line(*points: float, y: float = 0.0) -> list[tuple[float, float]]:
    return [(x, y) for x in points]


def found(network: Network, rule: str) -> list[str]:
    return network.findings.loc[network.findings["rule"] == rule, "code"].tolist()


def test_d4_a_complete_chain_takes_nothing_from_geometry() -> None:
    """C1 lies in W1 and W2 by key; W3 lies on the same line and stays another trench's."""
    network = build_network(
        draw(
            pm("PM", "N0"), cable("C1", "N0", "N2", line=line(0, 200)),
            way("W1", "N0", "N1", "C1", line=line(0, 100)), way("W2", "N1", "N2", "C1", line=line(100, 200)),
            way("W3", "N0", "N1", line=line(0, 100)), at=AT,
        )
    )  # fmt: skip
    assert carriers(network, "C1", "cheminement") == {"W1": "identity", "W2": "identity"}
    assert carriers(network, "C1", "noeud") == {"N0": "identity", "N1": "identity", "N2": "identity"}
    assert bare_metres(network, "C1") == 0
    assert found(network, "cheminement_par_geometrie") == []


def test_d3_a_place_on_the_line_but_outside_a_complete_chain_is_a_finding() -> None:
    network = build_network(
        draw(
            pm("PM", "N0"), cable("C1", "N0", "N1", line=line(0, 100)),
            way("W1", "N0", "N1", "C1", line=line(0, 100)), at=AT,
        )
    )  # fmt: skip
    assert "X" not in carriers(network, "C1", "noeud")
    assert found(network, "noeud_hors_chaine") == ["C1"]


@pytest.mark.parametrize("missing", ["piece", "end"])
def test_d4_a_chain_in_two_pieces_or_that_misses_an_end_is_completed_by_geometry(missing: str) -> None:
    """C1 from N0 to N3; the way in the middle (or at the end) carries no key."""
    keys = {"W1": True, "W2": missing != "piece", "W3": missing != "end"}
    ways = [
        way(f"W{i}", f"N{i - 1}", f"N{i}", *["C1"] * keys[f"W{i}"], line=line(100 * i - 100, 100 * i))
        for i in (1, 2, 3)
    ]
    network = build_network(draw(pm("PM", "N0"), cable("C1", "N0", "N3", line=line(0, 300)), *ways, at=AT))
    expected = {code: "identity" if keyed else "geometry" for code, keyed in keys.items()}
    assert carriers(network, "C1", "cheminement") == expected
    assert found(network, "cheminement_par_geometrie") == ["C1"]
    assert bare_metres(network, "C1") == 0


@pytest.mark.parametrize(("share", "taken"), [(0.81, True), (0.79, False)])
def test_d4_a_way_is_taken_when_80_percent_of_it_lies_along_the_cable(share: float, *, taken: bool) -> None:
    """W1 follows the cable for `share` of its 100 m, then turns away at a right angle."""
    along = 100 * share
    # within half a metre of the line the turn still counts
    turned = [(0.0, 0.0), (along - 0.5, 0.0), (along - 0.5, 100.5 - along)]
    network = build_network(
        draw(
            pm("PM", "N0"), cable("C1", "N0", "N3", line=line(0, 300)), way("W1", None, None, line=turned),
            at=AT,
        )
    )  # fmt: skip
    assert carriers(network, "C1", "cheminement") == ({"W1": "geometry"} if taken else {})


def test_d4_ways_are_tried_longest_first_and_only_along_what_is_not_yet_covered() -> None:
    """The long W9 covers 0-200; W1 (0-100) then finds its ground taken; W2 (200-300) does not."""
    network = build_network(
        draw(
            pm("PM", "N0"), cable("C1", "N0", "N3", line=line(0, 300)),
            way("W1", "N0", "N1", line=line(0, 100)), way("W9", "N0", "N2", line=line(0, 200)),
            way("W2", "N2", "N3", line=line(200, 300)), at=AT,
        )
    )  # fmt: skip
    assert carriers(network, "C1", "cheminement") == {"W2": "geometry", "W9": "geometry"}


def test_d4_equal_lengths_are_tried_in_code_order() -> None:
    ways = [way(code, "N0", "N1", line=line(0, 100)) for code in ("W2", "W1")]
    network = build_network(draw(pm("PM", "N0"), cable("C1", "N0", "N1", line=line(0, 100)), *ways, at=AT))
    assert carriers(network, "C1", "cheminement") == {"W1": "geometry"}


def test_d4_what_no_way_covers_is_a_way_of_its_own_and_d3_holds_the_places_on_it() -> None:
    """C1 from N0 to N2: W2 covers 100-200; the first 99.5 m are bare and pass X, 5 cm beside the line."""
    network = build_network(
        draw(
            pm("PM", "N0"), cable("C1", "N0", "N2", line=line(0, 200)),
            way("W2", "N1", "N2", "C1", line=line(100, 200)), at=AT,
        )
    )  # fmt: skip
    assert bare_metres(network, "C1") == pytest.approx(99.5)
    bare = network.lines[network.lines["asset"].isin(network.assets.query("kind == 'cable'").index)]
    assert bare["typ_imp"].tolist() == [""]
    assert carriers(network, "C1", "noeud") == {"N0": "identity", "N1": "identity", "N2": "identity",
                                                "X": "geometry"}  # fmt: skip


def test_d4_a_way_by_key_that_lies_elsewhere_stays_and_is_a_finding() -> None:
    """Keys say W1 (complete), the line says 40 m away."""
    network = build_network(
        draw(
            pm("PM", "N0"), cable("C1", "N0", "N1", line=line(0, 100)),
            way("W1", "N0", "N1", "C1", line=[(0, 0), (50, 40), (100, 0)]), at=AT,
        )
    )  # fmt: skip
    assert carriers(network, "C1", "cheminement") == {"W1": "identity"}
    assert found(network, "cheminement_hors_trace") == ["C1"]


def test_d3_chambers_poles_and_sites_carry_the_cables_that_pass_their_place(passing: Inventory) -> None:
    network = build_network(passing)
    assert carriers(network, "C1", "ptech") == {"PTB1": "identity", "PTB2": "identity"}
    assert carriers(network, "C1", "site") == {"STPM": "identity"}
    assert carriers(network, "C1", "ebp") == {}


@pytest.fixture
def passing() -> Inventory:
    """Lay one cable through the chamber of B1 without opening it.

    ::

        PM(N0) --W1-- chamber of B1 (N1) --W2-- PBO B2 (N2)
    """
    return draw(
        pm("PM", "N0"), closure("B1", "N1"), pbo("B2", "N2"), cable("C1", "N0", "N2"),
        way("W1", "N0", "N1", "C1"), way("W2", "N1", "N2", "C1"), at=AT,
    )  # fmt: skip


def test_conduits_hold_the_cables_of_their_ways_and_link_the_two(passing: Inventory) -> None:
    """v2: a cable lies in a conduit (cab_cond), the conduit in ways (cond_chem)."""
    tables = {name: table.to_dict("records") for name, table in passing.items()}
    tables["cab_chem"] = []
    network = build_network(
        draw(
            {k: v for k, v in tables.items() if k != "noeud"},
            {
                "conduite": [{"cd_code": "D1"}],
                "cab_cond": [{"cc_cb_code": "C1", "cc_cd_code": "D1"}],
                "cond_chem": [{"dm_cd_code": "D1", "dm_cm_code": code} for code in ("W1", "W2")],
            },
            at=AT,
        )
    )
    assert carriers(network, "C1", "cheminement") == {"W1": "identity", "W2": "identity"}
    assert carriers(network, "C1", "conduite") == {"D1": "identity"}
    kind = network.assets["kind"]
    pairs = set(zip(network.links["a"].map(kind), network.links["b"].map(kind), strict=True))
    assert {("cable", "conduite"), ("conduite", "cheminement"), ("cable", "cheminement")} <= pairs


def test_d9_a_cable_is_cut_where_a_box_opens_it_and_each_way_holds_its_own_stretch(opened: Inventory) -> None:
    network = build_network(opened)
    assert network.stops["place"].tolist() == ["N0", "N1", "N2"]
    assert network.stops["ebp"].fillna("").tolist() == ["", "B1", "B2"]
    held = network.uses.assign(way=network.assets["code"].reindex(network.uses["carrier"]).to_numpy())
    held = held[held["way"].isin(["W1", "W2"])]
    assert held.set_index("way")["section"].to_dict() == {"W1": 0, "W2": 1}


@pytest.mark.parametrize("backwards", [False, True])
def test_d9_openings_follow_the_line_whichever_way_it_was_drawn(*, backwards: bool) -> None:
    points = line(300, 0) if backwards else line(0, 300)
    network = build_network(_opened_at(("B2", "N2"), ("B1", "N1"), line=points))
    assert network.stops["place"].tolist() == ["N0", "N1", "N2", "N3"]


def test_d9_openings_without_a_line_are_taken_in_code_order_with_a_finding() -> None:
    network = build_network(_opened_at(("B2", "N2"), ("B1", "N1"), line=None))
    assert network.stops["place"].tolist() == ["N0", "N1", "N2", "N3"]
    assert found(network, "ordre_ouvertures_inconnu") == ["C1"]


def test_d9_boxes_that_open_a_cable_at_one_place_share_one_stop() -> None:
    network = build_network(_opened_at(("B1", "N1"), ("B2", "N1"), line=line(0, 300)))
    assert network.stops["stop"].tolist() == [0, 1, 1, 2]
    assert network.stops["ebp"].fillna("").tolist() == ["", "B1", "B2", ""]


def _opened_at(*boxes: tuple[str, str], line: list[tuple[float, float]] | None) -> Inventory:
    waiting = [wait(code, f"C1.{i}") for i, (code, _) in enumerate(boxes, 1)]
    wired = cable("C1", "N0", "N3", fibres=2, line=line)
    return draw(pm("PM", "N0"), *(pbo(*each) for each in boxes), wired, *waiting, at=AT)


@pytest.fixture
def opened(passing: Inventory) -> Inventory:
    """Open the cable in B1: PM(N0) --W1-- B1 (N1) --W2-- B2 (N2)."""
    tables = {name: table.to_dict("records") for name, table in passing.items() if name != "noeud"}
    tables["cable"][0]["geometry"] = None
    lined = cable("C1", "N0", "N2", fibres=1, line=line(0, 200))
    for row, points in zip(tables["cheminement"], (line(0, 100), line(100, 200)), strict=True):
        row["geometry"] = shapely.LineString(points)
    return draw({**tables, "cable": []}, lined, wait("B1", "C1.1"), at=AT)


def test_demo01_16_of_25_ways_carry_no_cable_by_key_and_geometry_gives_them_back(demo01: Path) -> None:
    """D4 counts them; each of the 25 is then used by at least one cable, but for those with no line near."""
    inventory = read(demo01)
    network = build_network(inventory)
    through = inventory["cab_cond"].merge(inventory["cond_chem"], left_on="cc_cd_code", right_on="dm_cd_code")
    lined = inventory["cable"].loc[inventory["cable"]["cb_typephy"] == "C", "cb_code"]
    by_key = set(through.loc[through["cc_cb_code"].isin(lined), "dm_cm_code"])
    ways = network.assets[network.assets["kind"] == "cheminement"]
    assert len(ways) == 25
    assert len(set(ways["code"]) - by_key) == 16
    source = ways.set_index("code")["use_source"]
    assert (source.loc[sorted(by_key)] != "").all()
    assert pd.Series(source.loc[sorted(set(ways["code"]) - by_key)]).isin(["geometry", ""]).all()
