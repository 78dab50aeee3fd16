"""Routes by splices: drops, waiting fibres, spliced transport (DESIGN D6, D7, D9)."""

import pandas as pd
import pytest
import shapely

from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.routes import Routes, trace_routes
from tests.networks import cable, closure, draw, losses, nro, patch, pbo, pm, prises, splice, wait, way

AT = {f"N{i}": (100.0 * i, 0.0) for i in range(8)}


def trace(inventory: Inventory) -> tuple[Network, Routes]:
    network = build_network(inventory)
    return network, trace_routes(inventory, network)


def traced(routes: Routes) -> dict[str, str]:
    return dict(zip(routes.prises["code"], routes.prises["traced"], strict=True))


def loss(inventory: Inventory) -> pd.DataFrame:
    network, routes = trace(inventory)
    return losses(routes, network)


def test_d7_a_drop_with_n_fibres_carries_min_n_its_premises_by_splice() -> None:
    """PM --C1-- B1 ==D1 (2 fibres spliced)== three homes at N2: two by splice, one by cable."""
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1", fibres=4),
        patch("PM", "C1.1", "C1.2", "C1.3", "C1.4"), cable("D1", "N1", "N2", "RA", fibres=2),
        splice("B1", "C1.1", "D1.1"), splice("B1", "C1.2", "D1.2"),
        prises("B1", "L3", "L1", "L2", nd_code="N2"), at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert traced(routes) == {"L1": "splice", "L2": "splice", "L3": "cable"}


def test_d7_waiting_fibres_are_handed_out_in_code_order_and_only_those_that_reach_a_drawer() -> None:
    """Three fibres wait in B1: C1.1 reaches no drawer, C1.2 and C1.3 do. L1 and L2 take them; L3 has none."""
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1", fibres=3), patch("PM", "C1.2", "C1.3"),
        wait("B1", "C1.3", "C1.1", "C1.2"), prises("B1", "L2", "L3", "L1"), at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert traced(routes) == {"L1": "splice", "L2": "splice", "L3": "cable"}


def test_d7_an_address_that_stands_for_several_prises_takes_no_fibre() -> None:
    zone = [(-10.0, -10.0), (500.0, -10.0), (500.0, 10.0), (-10.0, 10.0)]
    address = {"adresse": [{"ad_code": "A1", "ad_nblhab": 3.0, "geometry": shapely.Point(100, 0)}]}
    zpbo = {"zpbo": [{"zp_code": "ZB", "zp_bp_code": "B1", "geometry": shapely.Polygon(zone)}]}
    inventory = draw(
        pm("PM", "N0", zone=zone), pbo("B1", "N1"), cable("C1", "N0", "N1", fibres=1), patch("PM", "C1.1"),
        wait("B1", "C1.1"), address, zpbo, at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert routes.prises[["code", "n", "traced"]].to_numpy().tolist() == [["A1", 3, "cable"]]


@pytest.mark.parametrize("fault", ["splitter", "loop", "none"])
def test_d7_a_fibre_with_two_continuations_is_not_followed_but_a_repeated_row_is(fault: str) -> None:
    """PM --C1-- B1 --C2-- B2: C2.1 waits in B2 and is spliced to C1.1, and to C1.2 too by fault."""
    extra = {
        "splitter": [splice("B1", "C1.2", "C2.1")],
        "loop": [splice("B1", "C1.1", "C2.2"), splice("B1", "C2.2", "C1.1")],
        "none": [splice("B1", "C2.1", "C1.1")],
    }[fault]
    inventory = draw(
        pm("PM", "N0"), closure("B1", "N1"), pbo("B2", "N2"), cable("C1", "N0", "N1", fibres=2),
        cable("C2", "N1", "N2", fibres=2), patch("PM", "C1.2" if fault == "loop" else "C1.1"),
        splice("B1", "C1.1", "C2.1"), *extra, wait("B2", "C2.1"), prises("B2", "L1"), at=AT,
    )  # fmt: skip
    _, routes = trace(inventory)
    assert traced(routes) == {"L1": "splice" if fault == "none" else "cable"}


def test_d6_cables_that_share_a_closure_meet_only_through_their_splices() -> None:
    """Two PMs feed one closure; the splices keep their prises apart.

    ::

        PA(N0) --C1-- B0(N1) --C3-- B1(N2)   C1.1=C3.1
        PB(N4) --C2-- B0(N1) --C4-- B2(N3)   C2.1=C4.1
    """
    by = loss(
        draw(
            pm("PA", "N0"), pm("PB", "N4"), closure("B0", "N1"), pbo("B1", "N2"), pbo("B2", "N3"),
            cable("C1", "N0", "N1", fibres=2), cable("C2", "N4", "N1", fibres=2),
            cable("C3", "N1", "N2", fibres=2), cable("C4", "N1", "N3", fibres=2),
            splice("B0", "C1.1", "C3.1"), splice("B0", "C2.1", "C4.1"),
            prises("B1", "L1", "L2"), prises("B2", "L3"), at=AT,
        )
    )  # fmt: skip
    assert by.loc[("cable", "C1"), "cut"] == by.loc[("local", "PA"), "cut"] == 2
    assert by.loc[("cable", "C2"), "cut"] == by.loc[("cable", "C4"), "cut"] == 1
    # cut, but not stranded: the closure can be re-spliced to the other PM
    assert by.loc[("cable", "C1"), "stranded"] == by.loc[("local", "PA"), "stranded"] == 0
    assert by.loc[("ebp", "B0"), ["cut", "stranded"]].tolist() == [3, 0]


def test_d6_a_cable_without_splice_joins_the_cables_of_its_layer_in_its_box() -> None:
    """Demo01 splices one drop of each PBO only: the others hang on the PBO all the same."""
    by = loss(
        draw(
            pm("PM", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1", fibres=1), patch("PM", "C1.1"),
            cable("D1", "N1", "N2", "RA", fibres=1), cable("D2", "N1", "N3", "RA", fibres=1),
            splice("B1", "C1.1", "D1.1"), prises("B1", "L1", nd_code="N2"), prises("B1", "L2", nd_code="N3"),
            at=AT,
        )
    )  # fmt: skip
    assert by.loc[("cable", "C1"), ["cut", "stranded"]].tolist() == [2, 2]
    assert by.loc[("cable", "D2"), ["cut", "stranded"]].tolist() == [1, 1]
    assert by.loc[("ebp", "B1"), ["cut", "stranded"]].tolist() == [2, 2]


def two_transport_paths(*, first: bool, second: bool) -> Inventory:
    """Lay two transport paths between an NRO and a PM, each spliced through or not.

    ::

        NR(N0) --T1-- B1(N1) --T2-- PM(N3) --C1-- P1(N4): L1, L2
        NR(N0) --T3-- B2(N2) --T4-- PM(N3)
    """
    spliced = [(1, "T1.1", "T2.1", first), (2, "T3.1", "T4.1", second)]
    return draw(
        nro("NR", "N0"), pm("PM", "N3"), closure("B1", "N1"), closure("B2", "N2"), pbo("P1", "N4"),
        cable("T1", "N0", "N1", "TR", fibres=1), cable("T2", "N1", "N3", "TR", fibres=1),
        cable("T3", "N0", "N2", "TR", fibres=1), cable("T4", "N2", "N3", "TR", fibres=1),
        cable("C1", "N3", "N4"), patch("NR", "T1.1", "T3.1"), patch("PM", "T2.1", "T4.1"),
        *(splice(f"B{i}", one, two) for i, one, two, there in spliced if there),
        prises("P1", "L1", "L2"), at=AT,
    )  # fmt: skip


def test_d7_two_spliced_transport_paths_are_redundancy() -> None:
    network, routes = trace(two_transport_paths(first=True, second=True))
    by = losses(routes, network)
    assert set(routes.prises["state"]) == {"complete"}
    for code in ("T1", "T2", "T3", "T4"):
        assert by.loc[("cable", code), ["cut", "cut_max", "stranded"]].tolist() == [0, 0, 0]
    assert by.loc[("local", "PM"), "cut"] == by.loc[("local", "NR"), "cut"] == 2


def test_d7_the_spliced_path_is_the_route_where_the_other_is_not_spliced() -> None:
    network, routes = trace(two_transport_paths(first=True, second=False))
    by = losses(routes, network)
    assert set(routes.prises["state"]) == {"complete"}
    assert by.loc[("cable", "T1"), ["cut", "stranded"]].tolist() == [2, 0]
    assert by.loc[("ebp", "B1"), ["cut", "stranded"]].tolist() == [2, 0]
    assert by.loc[("cable", "T3"), "cut"] == by.loc[("ebp", "B2"), "cut"] == 0


def test_d7_two_unspliced_paths_are_ambiguous() -> None:
    """prises_cut counts what both paths share, prises_cut_max what any path uses."""
    network, routes = trace(two_transport_paths(first=False, second=False))
    by = losses(routes, network)
    assert set(routes.prises["state"]) == {"ambiguous"}
    for code in ("T1", "T2", "T3", "T4"):
        assert by.loc[("cable", code), ["cut", "cut_max", "stranded"]].tolist() == [0, 2, 0]
    assert by.loc[("cable", "C1"), ["cut", "cut_max", "stranded"]].tolist() == [2, 2, 2]
    assert by.loc[("local", "NR"), "cut"] == 2


def test_d7_a_prise_without_drop_on_a_pbo_with_two_feeding_cables_is_ambiguous() -> None:
    """PA --C1-- B1 and PB --C2-- B1: nothing says which of the two lights the home.

    ::

        PA(N0) --C1-- B1(N1) --C2-- PB(N2)     C1.1 and C2.1 are spliced onward to C3.1 and C4.1
    """
    inventory = draw(
        pm("PA", "N0"), pm("PB", "N2"), pbo("B1", "N1"), cable("C1", "N0", "N1", fibres=1),
        cable("C2", "N2", "N1", fibres=1), cable("C3", "N1", "N3", fibres=1),
        cable("C4", "N1", "N4", fibres=1),
        splice("B1", "C1.1", "C3.1"), splice("B1", "C2.1", "C4.1"), prises("B1", "L1"), at=AT,
    )  # fmt: skip
    network, routes = trace(inventory)
    by = losses(routes, network)
    assert routes.prises["state"].tolist() == ["ambiguous"]
    for code in ("C1", "C2"):
        assert by.loc[("cable", code), ["cut", "cut_max"]].tolist() == [0, 1]
    assert by.loc[("ebp", "B1"), ["cut", "stranded"]].tolist() == [1, 1]


def two_boxes_in_one_place(*, spliced: bool) -> Inventory:
    """Open one cable in two boxes of one chamber: nothing tells their order.

    ::

        PM(N0) --C1-- [B1, B2](N1) --C1-- B3(N2)      L1 at B1, L2 at B2, L3 at B3
    """
    known = [patch("PM", "C1.1", "C1.2", "C1.3")] if spliced else []
    opened = [wait("B1", "C1.1"), wait("B2", "C1.2"), wait("B3", "C1.3")]
    return draw(
        pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N1"), pbo("B3", "N2"),
        cable("C1", "N0", "N2", fibres=3, cb_bp2="B3", line=[(0, 0), (200, 0)]), *opened, *known,
        prises("B1", "L1"), prises("B2", "L2"), prises("B3", "L3"), at=AT,
    )  # fmt: skip


@pytest.mark.parametrize("spliced", [True, False])
def test_d9_openings_at_one_place_cut_their_own_prise_and_the_others_only_at_most(*, spliced: bool) -> None:
    network, routes = trace(two_boxes_in_one_place(spliced=spliced))
    assert set(routes.prises["traced"]) == {"splice" if spliced else "cable"}
    by = losses(routes, network)
    assert by.loc[("ebp", "B1"), ["cut", "cut_max", "stranded"]].tolist() == [1, 3, 1]
    assert by.loc[("ebp", "B2"), ["cut", "cut_max", "stranded"]].tolist() == [1, 3, 1]
    assert by.loc[("ebp", "B3"), ["cut", "cut_max", "stranded"]].tolist() == [1, 1, 1]
    assert by.loc[("cable", "C1"), ["cut", "cut_max", "stranded"]].tolist() == [3, 3, 3]


def test_d8_a_splice_between_layers_is_a_route_that_exists_so_that_stranded_never_exceeds_cut() -> None:
    """A cable miscoded transport in the middle of distribution: only its splices say that it goes through.

    ::

        PM(N0) --C1 DI-- B1(N1) --C2 TR-- B2(N2) --C3 DI-- B3(N3): L1
    """
    inventory = draw(
        pm("PM", "N0"), closure("B1", "N1"), closure("B2", "N2"), pbo("B3", "N3"),
        cable("C1", "N0", "N1", fibres=1), cable("C2", "N1", "N2", "TR", fibres=1),
        cable("C3", "N2", "N3", fibres=1), patch("PM", "C1.1"), splice("B1", "C1.1", "C2.1"),
        splice("B2", "C2.1", "C3.1"), wait("B3", "C3.1"), prises("B3", "L1"), at=AT,
    )  # fmt: skip
    network, routes = trace(inventory)
    by = losses(routes, network)
    assert traced(routes) == {"L1": "splice"}
    for code in ("C1", "C2", "C3"):
        assert by.loc[("cable", code), ["cut", "stranded"]].tolist() == [1, 1]


def test_a_pbo_of_unknown_place_is_reached_by_the_cables_that_name_it() -> None:
    lost = {"ebp": [{"bp_code": "B1", "bp_typelog": "PBO", "bp_pt_code": "PT-unknown"}]}
    network, routes = trace(
        draw(pm("PM", "N0"), lost, cable("C1", "N0", "N1", cb_bp2="B1"), prises("B1", "L1"), at=AT)
    )
    by = losses(routes, network)
    assert traced(routes) == {"L1": "cable"}
    for key in (("cable", "C1"), ("ebp", "B1"), ("local", "PM")):
        assert by.loc[key, ["cut", "stranded"]].tolist() == [1, 1]


def test_gaps_in_transport_are_closed_by_place_and_said_without_touching_what_is_spliced() -> None:
    """PA is spliced through B1; PB has cables to B1 and no splice there: taken as joined, and reported.

    ::

        NR(N0) --T1-- B1(N1) --T2-- PA(N2)    T1.1=T2.1
                      B1(N1) --T3-- PB(N3)    T3 and T4 are spliced together only
                      B1(N1) --T4-- N5
    """
    inventory = draw(
        nro("NR", "N0"), pm("PA", "N2"), pm("PB", "N3"), closure("B1", "N1"), pbo("P1", "N4"),
        pbo("P2", "N6"),
        cable("T1", "N0", "N1", "TR", fibres=1), cable("T2", "N1", "N2", "TR", fibres=1),
        cable("T3", "N1", "N3", "TR", fibres=1), cable("T4", "N1", "N5", "TR", fibres=1),
        patch("NR", "T1.1"), patch("PA", "T2.1"), splice("B1", "T1.1", "T2.1"), splice("B1", "T3.1", "T4.1"),
        cable("C1", "N2", "N4"), cable("C2", "N3", "N6"), prises("P1", "L1"), prises("P2", "L2", "L3"), at=AT,
    )  # fmt: skip
    network, routes = trace(inventory)
    found = routes.findings[routes.findings["rule"] == "transport_sans_continuite"]
    assert found["code"].tolist() == ["PB"]
    assert set(traced(routes).values()) == {"cable"}
    by = losses(routes, network)
    assert by.loc[("cable", "T1"), "cut"] == by.loc[("local", "NR"), "cut"] == 3
    assert by.loc[("cable", "T3"), "cut"] == 2
    assert by.loc[("cable", "T2"), "cut"] == 1


def test_d9_a_cable_drawn_towards_its_pm_is_followed_to_the_pm_from_where_it_is_opened() -> None:
    """B2(N2) --C1-- B1(N1) --C1-- PM(N0): end 1 is the far one, the home waits in the middle."""
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N2"),
        cable("C1", "N2", "N0", fibres=1, line=[(200, 0), (0, 0)]), patch("PM", "C1.1"), wait("B1", "C1.1"),
        way("W1", "N0", "N1", "C1", line=[(0, 0), (100, 0)]),
        way("W2", "N1", "N2", "C1", line=[(100, 0), (200, 0)]), prises("B1", "L1"), at=AT,
    )  # fmt: skip
    network, routes = trace(inventory)
    by = losses(routes, network)
    assert traced(routes) == {"L1": "splice"}
    assert by.loc[("cheminement", "W1"), ["cut", "stranded"]].tolist() == [1, 1]
    assert by.loc[("cheminement", "W2"), "cut"] == by.loc[("ebp", "B2"), "cut"] == 0


def test_d9_the_own_box_of_a_prise_counts_though_its_fibre_goes_on_in_another_box_of_the_place() -> None:
    """C1.2 waits in B2, is spliced in B1 of the same chamber to C1.1, which comes from the PM."""
    by = loss(
        draw(
            pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N1"),
            cable("C1", "N0", "N2", fibres=2, line=[(0, 0), (200, 0)]), patch("PM", "C1.1"),
            splice("B1", "C1.1", "C1.2"), wait("B2", "C1.2"), prises("B2", "L1"), at=AT,
        )
    )  # fmt: skip
    assert by.loc[("ebp", "B2"), ["cut", "stranded"]].tolist() == [1, 1]
    assert by.loc[("ebp", "B1"), ["cut", "stranded"]].tolist() == [1, 0]


def test_a_cable_that_ends_in_a_room_and_is_opened_beside_it_serves_both() -> None:
    """C1 ends at the drawer of the PM and is spliced to C2 in a closure of the same building."""
    by = loss(
        draw(
            pm("PM", "N0"), closure("B0", "N0"), pbo("B1", "N1"), pbo("B2", "N2"),
            cable("C1", "N0", "N1", fibres=2, cb_ba1="BAPM"), cable("C2", "N0", "N2", fibres=1, cb_bp1="B0"),
            splice("B0", "C1.2", "C2.1"), prises("B1", "L1"), prises("B2", "L2"), at=AT,
        )
    )  # fmt: skip
    assert by.loc[("local", "PM"), ["cut", "stranded"]].tolist() == [2, 2]
    assert by.loc[("cable", "C1"), "cut"] == 2
    assert by.loc[("cable", "C2"), ["cut", "stranded"]].tolist() == [1, 1]
