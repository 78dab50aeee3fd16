"""Plans of boxes and drawers, occupancy, prises by PBO, mounting, against counts by hand and by row."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd
import pytest
import shapely
from hypothesis import given, settings

from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.network.places import find_places
from gracethd.reading import read
from gracethd.routes import OpticalRoutes, optical_routes
from gracethd.routes.demand import keyed_boxes
from gracethd.routes.mounting import mounting, mounting_totals
from gracethd.routes.plans import cable_occupancy, pbo_occupancy, pm_occupancy, position_plan
from tests.draws import draws
from tests.networks import Piece, cable, draw, make_inventory, patch, pbo, pm, prises, splice, wait
from tests.resilience.test_losses_of_spliced_inventories import inventories

AT = {f"N{i}": (100.0 * i, 0.0) for i in range(8)}
Traced = tuple[Inventory, Network, OpticalRoutes]


def trace(path: Path) -> Traced:
    inventory = read(path)
    network = build_network(inventory)
    return inventory, network, optical_routes(inventory, network)


@pytest.fixture(scope="module")
def demo(demo01: Path) -> Traced:
    """Trace demo01."""
    return trace(demo01)


@pytest.fixture(scope="module")
def v3(sample_v3: Path) -> Traced:
    """Trace the v3 sample."""
    return trace(sample_v3)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


# plans


def test_the_plan_of_demo01_has_its_43_positions_by_support(demo: Traced) -> None:
    """By hand in t_position: closures 4 + 8 + 3, PBOs 2 + 1 + 1, six drawers of four."""
    plan = position_plan(demo[0])
    assert plan["support"].value_counts().to_dict() == {"tiroir": 24, "BPE": 15, "PBO": 4}
    box = plan[plan["box"] == "BP000180030675"]
    names = ["cassette_num", "position_num", "fibre_1", "fibre_2", "ps_fonct", "ps_etat"]
    assert box[names].to_numpy().tolist() == [
        [1, 1, "FO180030329001", "FO180034417001", "EP", "OK"],
        [1, 2, "FO180030329002", "FO180034417002", "EP", "OK"],
    ]  # fmt: skip
    # the transport of the four prises is written four times: in two closures and four drawers
    assert plan["repeated"].sum() == 6 * 4


def test_a_plan_follows_cassettes_and_positions_and_keeps_fibres_that_nobody_knows() -> None:
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1", fibres=2),
        {"position": [
            {"ps_1": "C1.2", "ps_cs_code": "CSB1", "ps_numero": 2.0, "ps_fonct": "AT"},
            {"ps_1": "C1.1", "ps_2": "perdue", "ps_cs_code": "CSB1", "ps_numero": 1.0, "ps_fonct": "EP"},
        ]}, patch("PM", "C1.1"), prises("B1", "L1"), at=AT,
    )  # fmt: skip
    plan = position_plan(inventory)
    shown = plan[
        ["support", "box", "drawer", "room", "place", "position_num", "fibre_1", "fibre_2", "cable_2"]
    ]
    assert shown.astype(object).where(shown.notna(), 0).to_numpy().tolist() == [
        ["PBO", "B1", "", "", "N1", 1, "C1.1", "perdue", ""],
        ["PBO", "B1", "", "", "N1", 2, "C1.2", "", ""],
        ["tiroir", "", "TIPM", "PM", "N0", 0, "C1.1", "", ""],
    ]


# occupancy


def test_cables_of_demo01_use_the_fibres_that_its_positions_splice(demo: Traced) -> None:
    """By hand: 18 fibres of 10 cables; with 7 patch cords the 25 fibres of 1,051 that positions name."""
    table = cable_occupancy(demo[0], demo[1], demo[2].hops).set_index("cable")
    used = table.loc[table["used"] > 0, "used"].to_dict()
    assert used == {
        "CB000180030001": 1, "CB000180030003": 1, "CB000180030007": 1, "CB000180030329": 2,
        "CB000180030341": 1, "CB000180030739": 1, "CB000180030916": 4, "CB000180030975": 3,
        "CB000180034417": 2, "CB000180034421": 1, "CB000180034603": 1,
    }  # fmt: skip
    assert (table["used"] + table["waiting"] + table["free"] == table["fibres"]).all()
    assert (table["lit"] == table["used"]).all()
    assert table.loc["CB000180030916", ["capafo", "fibres", "free"]].tolist() == [576, 576, 572]


def test_pbos_of_demo01(demo: Traced) -> None:
    table = pbo_occupancy(demo[0], demo[1], demo[2].routes).set_index("box")
    assert table[["prises", "fibres", "connected", "available", "shortage"]].to_numpy().tolist() == [
        [6, 2, 2, 0, 4], [8, 1, 1, 0, 7], [7, 1, 1, 0, 6],
    ]  # fmt: skip
    assert table["drops"].sum() == 14


def test_pbos_of_the_v3_sample_have_the_fibres_that_wait_in_them_and_the_premises_that_name_them(
    v3: Traced, shared: Path
) -> None:
    """The 24 fibres said to wait in BP000180030705 are in no t_fibre; one home stands twice (D15)."""
    files = shared / "gracethd" / "sample-v3"
    known = {row["fo_code"] for row in rows_of(files / "t_fibre.csv")}
    box_of = {row["cs_code"]: row["cs_bp_code"] for row in rows_of(files / "t_cassette.csv")}
    waiting = Counter(
        box_of[row["ps_cs_code"]]
        for row in rows_of(files / "t_position.csv")
        if row["ps_fonct"] == "AT" and row["ps_1"] in known
    )
    homes = {row["lc_code"]: row for row in rows_of(files / "t_local.csv")}.values()
    planned, direct = (Counter(row[name] for row in homes) for name in ("lc_bp_codf", "lc_bp_codp"))
    served = Counter(row["lc_bp_codf"] or row["lc_bp_codp"] for row in homes)
    table = pbo_occupancy(v3[0], v3[1], v3[2].routes).set_index("box")
    for column, count in (
        ("fibres", waiting), ("planned", planned), ("point_to_point", direct), ("prises", served)
    ):  # fmt: skip
        assert table[column].to_dict() == {box: count[box] for box in table.index}, column
    assert table["point_to_point"].sum() == 1
    assert (table["drops"] == 0).all()


def test_the_pm_of_both_samples(demo: Traced, v3: Traced, shared: Path) -> None:
    """By hand in demo01: racks 506 and 508 hold drawers 511, 515 to 517 and 519; four positions in three."""
    names = ["prises", "drawers", "positions", "fibres_tr", "fibres_di", "capacity_tr", "capacity_di"]
    two = pm_occupancy(demo[0], demo[1], demo[2].routes)
    assert two[names].to_numpy().tolist() == [[21, 5, 12, 1, 4, 96, 576]]
    files = shared / "gracethd" / "sample-v3"
    capacity = {row["cb_code"]: int(row["cb_capafo"]) for row in rows_of(files / "t_cable.csv")}
    three = pm_occupancy(v3[0], v3[1], v3[2].routes)
    both = capacity["CB000180030916"] + capacity["CB000180030917"]
    assert three[names].to_numpy().tolist() == [[21, 2, 168, 96, 72, capacity["CB000180030001"], both]]


def test_point_to_point_prises_are_counted_at_their_own_box_beside_the_planned_ones() -> None:
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N2"), cable("C1", "N0", "N1"), cable("C2", "N0", "N2"),
        prises("B1", "L1", bp_codf="B1"), prises("B1", "L2", bp_codf="B1", bp_codp="B2"),
        prises("B2", "L3", bp_codp="B2"), at=AT,
    )  # fmt: skip
    network = build_network(inventory)
    table = pbo_occupancy(inventory, network, optical_routes(inventory, network).routes).set_index("box")
    assert table[["prises", "planned", "point_to_point"]].to_numpy().tolist() == [[2, 2, 0], [1, 0, 2]]


def test_version_2_plans_homes_at_the_box_of_their_zone_and_firms_point_to_point() -> None:
    """Zone Z names B1; two homes, a business, a firm, a public body, an operator; one home of no zone."""
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1"), prises("B1", *"abcdefg"), at=AT
    )
    premise = inventory["premise"].assign(bp_code=None, zp_code=["Z"] * 6 + [None])
    premise["type"] = ["RES", "RES", "PRO", "ENT", "PUB", "O", "RES"]
    zones = make_inventory(zpbo=[{"zp_code": "Z", "zp_bp_code": "B1", "geometry": None}])["zpbo"]
    tables = {
        **inventory.tables,
        "premise": premise.astype({"bp_code": "str", "zp_code": "str"}),
        "zpbo": zones,
    }
    other = Inventory(tables, inventory.crs, inventory.deliveries, inventory.findings)
    keyed = keyed_boxes(other, find_places(other))
    assert keyed.fillna("").to_numpy().tolist() == [["B1", ""]] * 3 + [["", "B1"]] * 3 + [["", ""]]


def test_a_pbo_counts_fibres_that_wait_or_go_to_a_drop_and_no_other() -> None:
    """C1.1 goes on to a drop, C1.2 waits, C1.3 is spliced onward to C2, C1.4 has no position."""
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N2"), cable("C1", "N0", "N1", fibres=4),
        cable("C2", "N1", "N2", fibres=1), cable("D1", "N1", "N3", "RA", fibres=2),
        splice("B1", "C1.1", "D1.1"), wait("B1", "C1.2"), splice("B1", "C1.3", "C2.1"),
        prises("B1", "L1", "L2", "L3", nd_code="N3"), prises("B2", "L4"), at=AT,
    )  # fmt: skip
    network = build_network(inventory)
    optical = optical_routes(inventory, network)
    table = pbo_occupancy(inventory, network, optical.routes).set_index("box")
    names = ["prises", "drops", "fibres", "connected", "available", "shortage"]
    assert table[names].to_numpy().tolist() == [[3, 1, 2, 1, 1, 1], [1, 0, 0, 0, 0, 0]]
    cables = cable_occupancy(inventory, network, optical.hops).set_index("cable")
    assert cables.loc["C1", ["fibres", "used", "waiting", "free"]].tolist() == [4, 2, 1, 1]


@settings(max_examples=draws(5))
@given(inventories())
def test_counts_equal_those_made_row_by_row(inventory: Inventory) -> None:
    network = build_network(inventory)
    optical = optical_routes(inventory, network)
    rows = {name: table.to_dict("records") for name, table in inventory.items()}
    cable_of = {row["fo_code"]: row["fo_cb_code"] for row in rows["fibre"]}
    is_drop = {code for code in cable_of.values() if code.startswith("D")}
    joined: set[str] = set()
    named: set[str] = set()
    ready, lit = defaultdict(set), defaultdict(set)
    for row in rows["position"]:
        ends = [row[name] for name in ("ps_1", "ps_2") if not pd.isna(row[name])]
        named |= set(ends)
        if len(set(ends)) == 2:
            joined |= set(ends)
        box = str(row["ps_cs_code"])[2:]
        for fibre in ends:
            to_drop = any(cable_of[other] in is_drop for other in ends if other != fibre)
            if cable_of[fibre] not in is_drop and not pd.isna(row["ps_cs_code"]):
                if to_drop or row["ps_fonct"] == "AT":
                    ready[box].add(fibre)
                if to_drop:
                    lit[box].add(fibre)
    for row in cable_occupancy(inventory, network, optical.hops).to_dict("records"):
        own = {fibre for fibre, code in cable_of.items() if code == row["cable"]}
        counts = [len(own & joined), len(own & named - joined), len(own - named)]
        assert [row["used"], row["waiting"], row["free"]] == counts
    for row in pbo_occupancy(inventory, network, optical.routes).to_dict("records"):
        assert (row["fibres"], row["connected"]) == (len(ready[row["box"]]), len(lit[row["box"]]))
    plan = position_plan(inventory)
    assert len(plan) == len(rows["position"])


# mounting


def test_every_metre_of_the_ways_of_demo01(demo: Traced) -> None:
    """By cm_typ_imp: 8 aerial ways of 151.3 m, 2 on façades of 11.5 m, 15 in ducts of 388.5 m."""
    totals = mounting_totals(mounting(demo[0], demo[1]))
    by = totals.groupby("typ_imp")[["n", "length_m"]].sum()
    assert by["n"].to_dict() == {"0": 8, "2": 2, "7": 15}
    assert by["length_m"].round(1).to_dict() == {"0": 151.3, "2": 11.5, "7": 388.5}
    assert set(totals["source"]) == {"cheminement"}


def pole(node: str) -> Piece:
    return {"ptech": [{"pt_code": f"A{node}", "pt_nd_code": node, "pt_typephy": "A"}]}


def address(code: str, racc: str | None) -> Piece:
    return {"adresse": [{"ad_code": code, "ad_racc": racc, "geometry": shapely.Point(0, 0)}]}


def test_who_tells_the_mounting_the_way_then_the_address_of_a_drop_then_poles_then_nobody() -> None:
    """W1 says duct; W2 stands between poles; W3 between a pole and a chamber; drops D1 to D3 have no way."""
    ways = [("W1", "N0", "N1", "7"), ("W2", "N1", "N2", None), ("W3", "N2", "N3", None)]
    chem = [
        {"cm_code": code, "cm_ndcode1": one, "cm_ndcode2": two, "cm_typ_imp": typ,
         "geometry": shapely.LineString([AT[one], AT[two]])}
        for code, one, two, typ in ways
    ]  # fmt: skip
    homes = {"H1": (300.0, 50.0), "H2": (300.0, -60.0), "H3": (370.0, 0.0)}
    drops = [
        cable(f"D{home[1]}", "N3", home, "RA", fibres=2, line=[AT["N3"], point])
        for home, point in homes.items()
    ]
    inventory = draw(
        pm("PM", "N0"), pbo("B3", "N3"), pole("N1"), pole("N2"), {"cheminement": chem},
        cable("C1", "N0", "N3", line=[AT["N0"], AT["N3"]]), *drops,
        address("A1", "1"), address("A2", "0"), address("A3", "2"),
        prises("B3", "L1", nd_code="H1", ad_code="A1"), prises("B3", "L2", nd_code="H2", ad_code="A2"),
        prises("B3", "L3", nd_code="H2", ad_code="A3"), prises("B3", "L4", nd_code="H3"), at={**AT, **homes},
    )  # fmt: skip
    metres = mounting(inventory, build_network(inventory)).set_index("code")
    assert metres[["typ_imp", "mounting", "source", "length_m"]].T.to_dict("list") == {
        "W1": ["7", "conduite", "cheminement", 100.0],
        "W2": ["", "aérien", "appuis", 100.0],
        "W3": ["", "inconnu", "", 100.0],
        "D1": ["1", "aérien énergie", "ad_racc", 50.0],
        "D2": ["", "inconnu", "", 60.0],  # its two premises say two things
        "D3": ["", "inconnu", "", 70.0],
    }
    totals = mounting_totals(metres.reset_index())
    assert totals.loc[totals["mounting"] == "inconnu", "length_m"].sum() == 230.0
    assert totals["length_m"].sum() == 480.0


def test_a_delivery_without_positions_nor_ways_gives_empty_plans() -> None:
    inventory = draw(pm("PM", "N0"), prises(None, "L1"), at=AT)
    network = build_network(inventory)
    optical = optical_routes(inventory, network)
    assert len(position_plan(inventory)) == 0
    assert len(cable_occupancy(inventory, network, optical.hops)) == 0
    assert len(pbo_occupancy(inventory, network, optical.routes)) == 0
    assert pm_occupancy(inventory, network, optical.routes)["positions"].tolist() == [0]
    assert isinstance(mounting_totals(mounting(inventory, network)), pd.DataFrame)
    assert optical.hops["status"].tolist() == ["broken"]
