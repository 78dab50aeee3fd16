"""Prises, zones, feeds and levels of use (DESIGN D14, D15, D16)."""

import pandas as pd
import pytest
import shapely

from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.routes import Routes, trace_routes
from gracethd.routes.feeds import FeedError
from tests.networks import (
    Piece,
    Points,
    cable,
    closure,
    draw,
    losses,
    nro,
    pbo,
    pm,
    prises,
    splice,
    wait,
    way,
)

AT = {f"N{i}": (100.0 * i, 0.0) for i in range(8)}
HERE: Points = [(-50, -50), (450, -50), (450, 50), (-50, 50)]


def trace(inventory: Inventory, feeds: pd.DataFrame | None = None) -> tuple[Network, Routes]:
    network = build_network(inventory)
    return network, trace_routes(inventory, network, feeds=feeds)


def prise(routes: Routes, code: str) -> pd.Series:
    return routes.prises.set_index("code").loc[code]


def address(code: str, x: float, **announced: float) -> Piece:
    return {"adresse": [{"ad_code": code, "geometry": shapely.Point(x, 0), **announced}]}


# D15, demand


def test_d15_addresses_announce_prises_beyond_their_rows_and_these_are_inventoried_untraced() -> None:
    """A1 announces 2 homes and 1 office for one row; A2 announces one for two rows: a finding."""
    inventory = draw(
        pm("PM", "N0", zone=HERE), pbo("B1", "N1"), cable("C1", "N0", "N1"),
        address("A1", 100, ad_nblhab=2.0, ad_nblpro=1.0), address("A2", 100, ad_nblhab=1.0),
        prises("B1", "L1", nd_code="N1", ad_code="A1"), prises("B1", "L2", "L3", nd_code="N1", ad_code="A2"),
        at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert routes.counts["prises_inventoried"] == 5
    assert routes.counts["prises_untraced_reasons"] == {"adresse_sans_ligne": 2}
    assert prise(routes, "A1")[["n", "traced", "zone"]].tolist() == [2, "", "ZPM"]
    over = routes.findings.query("rule == 'lignes_au_dela_adresse'")
    assert over["code"].tolist() == ["A2"]


def test_d15_a_zone_without_rows_takes_its_addresses_assigned_to_pbo_by_zpbo_else_to_the_zone() -> None:
    zpbo = {"zpbo": [{"zp_code": "ZB", "zp_nd_code": "N1", "zp_zs_code": "ZPM",
                      "geometry": shapely.box(50, -50, 150, 50)}]}  # fmt: skip
    inventory = draw(
        pm("PM", "N0", zone=HERE), pbo("B1", "N1"), cable("C1", "N0", "N1"), zpbo,
        address("A1", 100, ad_nblres=4.0), address("A2", 300, ad_nblres=1.0), at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert prise(routes, "A1")[["n", "pbo", "traced"]].tolist() == [4, "B1", "cable"]
    assert prise(routes, "A2")[["pbo", "traced", "reason"]].tolist() == ["", "", "sans_pbo"]


def test_d15_operators_objects_and_technical_rows_are_no_prise_and_each_is_listed() -> None:
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1"), prises("B1", "L1"),
        *(prises("B1", f"X{kind}", type=kind) for kind in ("OPE", "OBJ", "TEC")),
        at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert routes.prises["code"].tolist() == ["L1"]
    assert routes.findings.query("rule == 'local_hors_demande'")["code"].tolist() == ["XOBJ", "XOPE", "XTEC"]


def test_d15_the_drop_of_a_premise_is_that_of_its_pto_else_one_that_reaches_its_node() -> None:
    """D1 has two fibres and takes L1 and L2; D2 takes who is left. L9 has its own by its PTO."""
    pto = {"ebp": [{"bp_code": "T9", "bp_typelog": "PTO", "bp_sf_code": "L9"}]}
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N2"), pto,
        cable("C1", "N0", "N1"), cable("C2", "N0", "N2"),
        cable("D1", "N1", "N3", "RA", fibres=2), cable("D2", "N2", "N3", "RA", fibres=1),
        cable("D9", "N2", "N3", "RA", cb_bp2="T9"), prises(None, "L1", "L2", "L3", "L4", "L9", nd_code="N3"),
        at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    pbos = routes.prises.set_index("code")["pbo"].to_dict()
    assert pbos == {"L1": "B1", "L2": "B1", "L3": "B2", "L4": "B2", "L9": "B2"}


def test_d15_the_pbo_is_that_of_the_drop_then_the_key_then_the_zpbo_that_holds_the_premise() -> None:
    zpbo = {"zpbo": [{"zp_code": "ZB", "zp_bp_code": "B3", "geometry": shapely.box(350, -50, 450, 50)},
                     {"zp_code": "ZC", "zp_bp_code": "B2", "geometry": None}]}  # fmt: skip
    homes = [
        {"code": "L1", "type": "RES", "nd_code": "N4", "bp_code": "B2"},  # drop to B1, key to B2, in ZB
        {"code": "L2", "type": "RES", "nd_code": "N5", "bp_code": "B2", "zp_code": "ZB"},
        {"code": "L3", "type": "RES", "nd_code": "N5", "zp_code": "ZC"},
        {"code": "L4", "type": "RES", "nd_code": "N6"},
        {"code": "L5", "type": "RES", "nd_code": "N7"},
    ]
    at = {**AT, "N4": (400.0, 0.0), "N6": (400.0, 10.0), "N7": (900.0, 0.0)}
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N2"), pbo("B3", "N3"), zpbo,
        cable("D1", "N1", "N4", "RA"),
        *(cable(f"C{i}", "N0", f"N{i}") for i in (1, 2, 3)), {"premise": homes}, at=at,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert routes.prises["pbo"].tolist() == ["B1", "B2", "B2", "B3", ""]


def test_d15_zone_tracing_takes_the_pbo_with_its_place_and_the_pm_of_the_zone() -> None:
    """B1 hangs on no cable: L1 is traced by zone; the zone is fed by transport T1."""
    inventory = draw(
        nro("NR", "N0"), pm("PM", "N1", zone=HERE), pbo("B1", "N2"), cable("T1", "N0", "N1", "TR"),
        prises("B1", "L1", nd_code="N3"), at=AT,
    )  # fmt: skip
    network, routes = trace(inventory)
    assert prise(routes, "L1")[["traced", "pm", "nro", "state"]].tolist() == ["zone", "PM", "NR", "complete"]
    by = losses(routes, network)
    hit = by[by["cut"] > 0].index.tolist()
    assert hit == [
        ("cable", "T1"), ("ebp", "B1"), ("local", "NR"), ("local", "PM"), ("noeud", "N0"), ("noeud", "N1"),
        ("noeud", "N2"), ("ptech", "PTB1"), ("site", "STNR"), ("site", "STPM"),
    ]  # fmt: skip
    assert by.loc[by["cut"] > 0, "stranded"].eq(1).all()


def test_d15_reasons_why_a_prise_is_not_traced() -> None:
    """L1: no zone, PBO on no cable. L2: its PM hangs on a part without feed... none: a PM feeds itself."""
    inventory = draw(
        pm("PM", "N0", zone=HERE), pbo("B1", "N7"), pbo("B2", "N1"), cable("C1", "N0", "N1"),
        prises("B1", "L1"), prises(None, "L2", nd_code="N2"), prises("B2", "L3", nd_code="N1"), at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert routes.prises[["code", "traced", "reason"]].to_numpy().tolist() == [
        ["L1", "", "sans_pm"], ["L2", "", "sans_pbo"], ["L3", "cable", ""],
    ]  # fmt: skip
    counts = routes.counts
    traced = sum(int(str(counts[f"prises_traced_{how}"])) for how in ("splice", "cable", "zone"))
    assert traced + int(str(counts["prises_untraced"])) == counts["prises_inventoried"] == 3


# D14, feeds


def feeding(routes: Routes) -> list[list[str]]:
    return routes.feeds[["feed", "source"]].to_numpy().tolist()


def two_parts() -> Inventory:
    """Draw two parts: NR(N0) --T1-- PA(N1) --C1-- B1(N2), and PB(N4) --C2-- B2(N5)."""
    return draw(
        nro("NR", "N0"), pm("PA", "N1"), pm("PB", "N4"), pbo("B1", "N2"), pbo("B2", "N5"),
        cable("T1", "N0", "N1", "TR"), cable("C1", "N1", "N2"), cable("C2", "N4", "N5"),
        prises("B1", "L1"), prises("B2", "L2"), at=AT,
    )  # fmt: skip


def test_d14_the_choice_is_made_for_each_connected_part() -> None:
    _, routes = trace(two_parts())
    assert feeding(routes) == [["NR", "nro"], ["PB", "pm"]]


def test_d14_a_hosting_site_reached_by_collecte_comes_before_the_nro() -> None:
    """HB(N3, HEBERG) --K1-- NR(N0) --T1-- PM(N1) --C1-- B1(N2)."""
    heberg = {"site": [{"st_code": "HB", "st_nd_code": "N3", "st_typelog": "HEBERG"}]}
    inventory = draw(
        nro("NR", "N0"), pm("PM", "N1"), pbo("B1", "N2"), heberg, cable("K1", "N3", "N0", "CO"),
        cable("T1", "N0", "N1", "TR"), cable("C1", "N1", "N2"), prises("B1", "L1"), at=AT,
    )  # fmt: skip
    network, routes = trace(inventory)
    assert feeding(routes) == [["HB", "heberg"]]
    by = losses(routes, network)
    assert by.loc[("cable", "K1"), ["cut", "stranded"]].tolist() == [1, 1]
    assert by.loc[("site", "HB"), "cut"] == 1


def test_d14_the_table_of_the_study_wins_and_several_collecte_paths_are_redundancy() -> None:
    """N3 --K1-- NR and N4 --K2-- NR: both ends are feeds."""
    inventory = draw(
        nro("NR", "N0"), pm("PM", "N1"), pbo("B1", "N2"), cable("K1", "N3", "N0", "CO"),
        cable("K2", "N4", "N0", "CO"), cable("T1", "N0", "N1", "TR"), cable("C1", "N1", "N2"),
        prises("B1", "L1"), at=AT,
    )  # fmt: skip
    network, routes = trace(inventory, pd.DataFrame({"code": ["N3", "N4"]}))
    assert feeding(routes) == [["N3", "table"], ["N4", "table"]]
    assert prise(routes, "L1")["state"] == "complete"
    by = losses(routes, network)
    assert by.loc[("cable", "K1"), "cut"] == by.loc[("cable", "K2"), "cut"] == 0
    assert by.loc[("local", "NR"), "cut"] == 1


def test_d14_a_feed_that_the_inventory_does_not_hold_is_an_error_that_names_it() -> None:
    with pytest.raises(FeedError, match=r"feeds, code N99: .*nd_code or an st_code"):
        trace(two_parts(), pd.DataFrame({"code": ["STNR", "N99"]}))


def test_d14_a_feed_of_the_table_that_no_cable_reaches_is_a_finding() -> None:
    _, routes = trace(two_parts(), pd.DataFrame({"code": ["N7"]}))
    assert routes.findings.query("rule == 'injection_sans_cable'")["code"].tolist() == ["N7"]
    assert feeding(routes) == [["NR", "nro"], ["PB", "pm"]]


def test_a_pm_in_the_building_of_its_nro_is_patched_to_it_and_is_no_feed_of_its_own() -> None:
    """SROL: NR and PM stand at N0, no transport cable between them."""
    network, routes = trace(
        draw(nro("NR", "N0"), pm("PM", "N0"), pbo("B1", "N1"),
             cable("C1", "N0", "N1", cb_ba1="BAPM"), prises("B1", "L1"), at=AT)
    )  # fmt: skip
    assert feeding(routes) == [["NR", "nro"]]
    by = losses(routes, network)
    assert by.loc[("local", "NR"), ["cut", "stranded"]].tolist() == [1, 1]
    assert prise(routes, "L1")[["pm", "nro"]].tolist() == ["PM", "NR"]


# D6, rooms


def test_d6_layers_meet_only_in_the_room_of_the_pm() -> None:
    """Transport and distribution pass one chamber, share one closure, and the PM cuts all the same.

    ::

        NR(N0) --T1-- B1(N1) --T2-- PM(N2)
                      B1(N1) ==C1== PM(N2)     B1(N1) --C2-- P1(N3): L1, L2
    """
    network, routes = trace(
        draw(
            nro("NR", "N0"), pm("PM", "N2"), closure("B1", "N1"), pbo("P1", "N3"),
            cable("T1", "N0", "N1", "TR"), cable("T2", "N1", "N2", "TR"), cable("C1", "N2", "N1"),
            cable("C2", "N1", "N3"), way("W1", "N1", "N2", "T2", "C1"), prises("P1", "L1", "L2"), at=AT,
        )
    )  # fmt: skip
    by = losses(routes, network)
    for key in (("local", "PM"), ("noeud", "N1"), ("cheminement", "W1"), ("cable", "C1"), ("cable", "T2")):
        assert by.loc[key, ["cut", "stranded"]].tolist() == [2, 2]
    assert by.loc[("ebp", "B1"), ["cut", "stranded"]].tolist() == [2, 0]


def test_a_drop_that_starts_in_the_room_of_the_pm_is_served_by_it() -> None:
    network, routes = trace(
        draw(pm("PM", "N0"), cable("D1", "N0", "N1", "RA"), prises(None, "L1", nd_code="N1"), at=AT)
    )
    by = losses(routes, network)
    assert prise(routes, "L1")["traced"] == "cable"
    assert by.loc[("cable", "D1"), ["cut", "stranded"]].tolist() == [1, 1]
    assert by.loc[("local", "PM"), ["cut", "stranded"]].tolist() == [1, 1]


# D16, levels


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_d16_each_zone_has_the_level_that_its_data_reach(level: int) -> None:
    """PM(N0) --C1-- B1(N1): nothing but the zone, then cables, then ways, then splices."""
    pieces = [
        pbo("B1", "N1"), prises("B1", "L1", nd_code="N1"),
        *([cable("C1", "N0", "N1", fibres=1)] if level >= 1 else []),
        *([way("W1", "N0", "N1", "C1")] if level >= 2 else []),
        *([{"position": [{"ps_1": "C1.1", "ps_ti_code": "TIPM"}]}, wait("B1", "C1.1")] if level >= 3 else []),
    ]  # fmt: skip
    _, routes = trace(draw(pm("PM", "N0", zone=HERE), *pieces, at=AT))
    assert routes.levels[["zone", "level", "prises"]].to_numpy().tolist() == [["ZPM", level, 1]]
    how = {0: "zone", 1: "cable", 2: "cable", 3: "splice"}[level]
    assert routes.levels[f"traced_{how}"].tolist() == [1]


def test_d16_a_zone_without_any_pbo_serves_its_prises_from_the_room_of_its_pm() -> None:
    network, routes = trace(draw(pm("PM", "N0", zone=HERE), prises(None, "L1", "L2", nd_code="N1"), at=AT))
    assert set(routes.prises["traced"]) == {"zone"}
    by = losses(routes, network)
    assert by.loc[("local", "PM"), ["cut", "stranded"]].tolist() == [2, 2]


# robustness

TABLES = (
    "site", "local", "premise", "adresse", "ptech", "ebp", "baie", "tiroir", "cassette", "cable", "fibre",
    "position", "cheminement", "conduite", "cab_cond", "cond_chem", "cab_chem", "znro", "zsro", "zpbo",
    "organisme", "noeud",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_any_table_may_be_empty_and_the_sum_still_holds(table: str) -> None:
    """A network with everything in it, minus one table."""
    whole = draw(
        nro("NR", "N0"), pm("PM", "N2", zone=HERE), closure("B1", "N1"), pbo("P1", "N3"),
        cable("T1", "N0", "N1", "TR", fibres=1, line=[(0, 0), (100, 0)]),
        cable("T2", "N1", "N2", "TR", fibres=1, line=[(100, 0), (200, 0)]), splice("B1", "T1.1", "T2.1"),
        cable("C1", "N2", "N3", fibres=2, line=[(200, 0), (300, 0)]), wait("P1", "C1.1"),
        cable("D1", "N3", "N4", "RA", fibres=1), way("W1", "N0", "N1", "T1", line=[(0, 0), (100, 0)]),
        way("W2", "N1", "N2", line=[(100, 0), (200, 0)]),
        prises("P1", "L1", nd_code="N4", ad_code="A1"), prises("P1", "L2"), address("A1", 400, ad_nblhab=2.0),
        {
            "conduite": [{"cd_code": "K1"}], "cab_cond": [{"cc_cb_code": "T2", "cc_cd_code": "K1"}],
            "cond_chem": [{"dm_cd_code": "K1", "dm_cm_code": "W2"}],
            "znro": [{"zn_code": "ZN", "zn_lc_code": "NR", "geometry": None}],
            "zpbo": [{"zp_code": "ZB", "zp_bp_code": "P1", "geometry": None}],
            "organisme": [{"or_code": "OR1"}],
        },
        at=AT,
    )  # fmt: skip
    tables = {name: frame.iloc[:0] if name == table else frame for name, frame in whole.items()}
    inventory = Inventory(tables, whole.crs, whole.deliveries, whole.findings)
    network, routes = trace(inventory)
    counts = routes.counts
    traced = sum(int(str(counts[f"prises_traced_{how}"])) for how in ("splice", "cable", "zone"))
    assert traced + int(str(counts["prises_untraced"])) == counts["prises_inventoried"]
    by = losses(routes, network)
    assert (by["stranded"] <= by["cut"]).all()
    assert (by["cut"] <= by["cut_max"]).all()
