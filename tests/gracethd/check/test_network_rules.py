"""Rules on networks: each with a drawing that breaks it, and its clean twin.

The street of most cases::

    N ==w1== C1 ==w2== M ==w3== C2 ==w4== P      x = 0, 100, 200, 300, 400
    NRO                PM             PBO

Cable T runs from N to M through w1 and w2, cable D from M to P through w3 and w4.
"""

from collections.abc import Mapping

import pandas as pd
import pytest
import shapely

from gracethd.check.built import build
from gracethd.check.settings import default_thresholds
from gracethd.check.traced import check_network
from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from tests.networks import Piece, cable, closure, draw, nro, patch, pbo, pm, prises, splice, wait, way

X0, Y0 = 700_000.0, 7_000_000.0


def at(x: float, y: float = 0) -> tuple[float, float]:
    return X0 + x, Y0 + y


PLACES = {"N": at(0), "C1": at(100), "M": at(200), "C2": at(300), "P": at(400), "Q": at(400, 300)}
ZONE = [at(150, -500), at(1000, -500), at(1000, 500), at(150, 500)]


def told(*pieces: Piece, places: Mapping[str, tuple[float, float]] = PLACES) -> pd.DataFrame:
    """Give what the rules on networks find in a drawing."""
    return findings_of(draw(*pieces, at=places))


def findings_of(inventory: Inventory) -> pd.DataFrame:
    return merge_findings(check_network(build(inventory), default_thresholds()))


def street(
    *,
    ways: Mapping[str, tuple[str, str]] | None = None,
    of_d: str = "w3 w4",
    d_code: str = "DI",
    d_line: tuple[tuple[float, float], ...] = (at(200), at(400)),
    d_fibres: int = 4,
    homes: int = 2,
    lit: bool = True,
    **d_more: object,
) -> list[Piece]:
    """Draw the street; what is said of cable D and of the ways may be changed."""
    ends = {"w1": ("N", "C1"), "w2": ("C1", "M"), "w3": ("M", "C2"), "w4": ("C2", "P"), **(ways or {})}
    drawn = {"w1": (0, 100), "w2": (100, 200), "w3": (200, 300), "w4": (300, 400)}
    carried = {"w1": ["T"], "w2": ["T"], **{one: ["D"] for one in of_d.split()}}
    return [
        nro("NRO", "N"),
        pm("PM", "M", zone=ZONE),
        pbo("BP", "P"),
        cable("T", "N", "M", "TR", fibres=2, line=[at(0), at(200)]),
        cable("D", "M", "P", d_code, fibres=d_fibres, line=d_line, **d_more),
        *(
            way(code, *ends[code], *carried.get(code, []), line=[at(x) for x in drawn[code]])
            for code in sorted(drawn)
        ),
        patch("NRO", "T.1"),
        patch("PM", "T.1", *(f"D.{i}" for i in range(1, d_fibres + 1) if lit)),
        wait("BP", *(f"D.{i}" for i in range(1, d_fibres + 1))),
        prises("BP", *(f"H{i}" for i in range(homes)), nd_code="P"),
    ]


def codes(findings: pd.DataFrame, rule: str) -> list[str]:
    return findings.loc[findings["rule"] == rule, "code"].tolist()


def test_the_street_as_it_should_be_breaks_no_rule() -> None:
    assert told(*street()).empty


def test_a_cable_that_no_room_feeds_is_an_isolated_part() -> None:
    """Q lies off the street: two cables meet there and neither reaches a room."""
    places = {**PLACES, "R": at(500, 300), "S": at(600, 300)}
    found = told(*street(), closure("BQ", "Q"), cable("E", "Q", "R"), cable("F", "R", "S"), places=places)
    lost = found[found["rule"] == "partie_isolee"]
    assert lost["code"].tolist() == ["E"]
    assert "2 câble" in lost["message"].iloc[0]


def test_a_layer_is_no_way_out_of_an_isolated_part() -> None:
    """Distribution that meets the street only in a chamber of transport is not fed: layers join in rooms."""
    found = told(*street(), cable("E", "C1", "Q", "DI", line=[at(100), at(400, 300)]))
    assert codes(found, "partie_isolee") == ["E"]
    joined = told(*street(), cable("E", "M", "Q", "DI", line=[at(200), at(400, 300)]))
    assert codes(joined, "partie_isolee") == []


def spliced_street(*, in_drawer: bool) -> list[Piece]:
    """D is cut in a closure at C2: cable A from the PM, cable B to the PBO, spliced in it."""
    return [
        nro("NRO", "N"), pm("PM", "M", zone=ZONE), closure("BE", "C2"), pbo("BP", "P"),
        cable("T", "N", "M", "TR", fibres=2, line=[at(0), at(200)]),
        cable("A", "M", "C2", "DI", fibres=2, line=[at(200), at(300)]),
        cable("B", "C2", "P", "DI", fibres=2, line=[at(300), at(400)]),
        patch("NRO", "T.1"), patch("PM", "T.1", *(["A.1"] if in_drawer else [])),
        splice("BE", "A.1", "B.1"), wait("BP", "B.1"), prises("BP", "H0", nd_code="P"),
    ]  # fmt: skip


def test_an_alignment_that_reaches_no_drawer_is_told_on_its_upstream_cable() -> None:
    assert codes(told(*spliced_street(in_drawer=False)), "alignement_interrompu") == ["A"]
    assert codes(told(*spliced_street(in_drawer=True)), "alignement_interrompu") == []


def test_splices_that_go_round_are_told() -> None:
    """A.2 and B.2 are spliced to each other twice, in two closures."""
    round_trip = [splice("BE", "A.2", "B.2"), closure("BF", "M"), splice("BF", "A.2", "B.2")]
    found = told(*spliced_street(in_drawer=True), *round_trip)
    assert codes(found, "epissures_en_boucle") == ["A.2"]
    assert codes(told(*spliced_street(in_drawer=True), round_trip[0]), "epissures_en_boucle") == []


def test_a_pbo_with_prises_that_no_lit_fibre_reaches_is_told() -> None:
    """Another cable of the PM is in its drawer: its splices were delivered, those of D are missing."""
    other = [
        cable("E", "M", "Q", "DI", fibres=1, line=[at(200), at(400, 300)]),
        pbo("BQ", "Q"),
        patch("PM", "E.1"),
    ]
    found = told(*street(lit=False), *other)
    assert codes(found, "pbo_sans_fibre") == ["BP"]
    assert "2 prise" in found.loc[found["rule"] == "pbo_sans_fibre", "message"].iloc[0]
    assert codes(told(*street(lit=False, homes=0), *other), "pbo_sans_fibre") == []
    assert codes(told(*street(), *other), "pbo_sans_fibre") == []
    assert codes(told(*street(lit=False)), "pbo_sans_fibre") == []  # no splice of distribution at all


@pytest.mark.parametrize(("homes", "full"), [(4, []), (5, ["BP"])])
def test_a_pbo_holds_as_many_prises_as_fibres(homes: int, full: list[str]) -> None:
    assert codes(told(*street(homes=homes)), "pbo_sature") == full


def test_fibres_that_go_on_to_another_box_are_not_those_of_the_pbo() -> None:
    """Two of the four fibres of D are spliced on to E: the PBO has two left."""
    onward = [
        cable("E", "P", "Q", "DI", fibres=2, line=[at(400), at(400, 300)]), closure("BQ", "Q"),
        splice("BP", "D.3", "E.1"), splice("BP", "D.4", "E.2"),
    ]  # fmt: skip
    pieces = [
        piece
        for piece in street(homes=3)
        if not any("AT" in row.values() for row in piece.get("position", ()))
    ]
    assert codes(told(*pieces, wait("BP", "D.1", "D.2"), *onward), "pbo_sature") == ["BP"]
    assert codes(told(*pieces, wait("BP", "D.1", "D.2", "D.3")), "pbo_sature") == []


def test_a_box_that_no_cable_reaches_is_told() -> None:
    assert codes(told(*street(), closure("SEULE", "Q")), "boite_isolee") == ["SEULE"]


def test_a_cable_spliced_in_a_box_away_from_its_line_is_told() -> None:
    """A box 300 m off the street holds a position of D; one at C2, on its line, may."""
    assert codes(told(*street(), closure("BX", "Q"), wait("BX", "D.1")), "ouverture_loin_cable") == ["D"]
    assert codes(told(*street(), closure("BX", "C2"), wait("BX", "D.1")), "ouverture_loin_cable") == []


@pytest.mark.parametrize(
    ("code", "wrong"), [("TR", ["D"]), ("CT", ["D"]), ("DI", []), ("TD", []), (None, [])]
)
def test_the_type_of_a_cable_is_held_against_its_ends(code: str, wrong: list[str]) -> None:
    """D runs from the PM to a PBO: distribution, whatever else it carries."""
    assert codes(told(*street(d_code=code)), "couche_contradictoire") == wrong


@pytest.mark.parametrize(("code", "wrong"), [("TR", ["D"]), ("DI", []), ("CX", []), ("NC", []), (None, [])])
def test_the_type_of_a_cable_is_held_against_its_ways(code: str | None, wrong: list[str]) -> None:
    pieces = street()
    for piece in pieces:
        for row in piece.get("cheminement", ()):
            if row["cm_code"] in ("w3", "w4"):
                row["cm_typelog"] = code  # type: ignore[index]
    assert codes(told(*pieces), "couche_cheminement") == wrong


def test_a_chain_with_a_gap_is_told() -> None:
    """Cable L runs from N to P; its keys name w1, w2 and w4: w3 is missing."""
    keys: Piece = {"cab_chem": [{"cc_cb_code": "L", "cc_cm_code": one} for one in ("w1", "w2", "w4")]}
    line = cable("L", "N", "P", "CD", line=[at(0), at(400)])
    found = told(*street(), line, keys)
    assert codes(found, "chaine_interrompue") == ["L"]
    whole: Piece = {"cab_chem": [{"cc_cb_code": "L", "cc_cm_code": f"w{i}"} for i in (1, 2, 3, 4)]}
    assert codes(told(*street(), line, whole), "chaine_interrompue") == []


def test_a_chain_that_stops_short_is_told() -> None:
    assert codes(told(*street(of_d="w3")), "chaine_incomplete") == ["D"]


def test_a_chain_with_a_branch_is_told() -> None:
    """w5 leaves the street at C2 and belongs to no cable of it, whatever its key says."""
    spur = way("w5", "C2", "Q", "D", line=[at(300), at(400, 300)])
    assert codes(told(*street(), spur), "chaine_ramifiee") == ["D"]
    assert codes(told(*street(), way("w5", "C2", "Q", line=[at(300), at(400, 300)])), "chaine_ramifiee") == []


def test_ways_whose_nodes_are_swapped_are_out_of_order() -> None:
    """Four ways a, b, c, d lie along L in this order; the nodes of b and c are swapped: a-c-b-d by nodes."""
    places = {"N": at(0), "A": at(100), "B": at(200), "C": at(300), "P": at(400)}
    drawn = {"a": (0, 100), "b": (100, 200), "c": (200, 300), "d": (300, 400)}
    sound = {"a": ("N", "A"), "b": ("A", "B"), "c": ("B", "C"), "d": ("C", "P")}
    swapped = {**sound, "b": ("B", "C"), "c": ("A", "B")}

    def laid(ends: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
        ways = [way(code, *ends[code], "L", line=[at(x) for x in drawn[code]]) for code in drawn]
        line = cable("L", "N", "P", "DI", line=[at(0), at(400)])
        return told(nro("NRO", "N"), pm("PM", "N", zone=ZONE), pbo("BP", "P"), line, *ways,
                    prises("BP", "H", nd_code="P"), places=places)  # fmt: skip

    assert codes(laid(swapped), "chaine_desordonnee") == ["L"]
    assert codes(laid(sound), "chaine_desordonnee") == []


def test_a_line_longer_than_its_ways_is_told() -> None:
    """The ways of D add up to 200 m; drawn with a detour of 60 m each way it is 320 m long."""
    detour = (at(200), at(300), at(300, 60), at(300), at(400))
    found = told(*street(d_line=detour))
    assert codes(found, "longueur_chaine") == ["D"]
    assert "320 m de câble, 200 m" in found.loc[found["rule"] == "longueur_chaine", "message"].iloc[0]
    small = (at(200), at(300), at(300, 9), at(300), at(400))  # 18 m, under a tenth
    assert codes(told(*street(d_line=small)), "longueur_chaine") == []


@pytest.mark.parametrize(("metres", "wrong"), [(150.0, ["D"]), (230.0, []), (400.0, ["D"]), (0.0, [])])
def test_a_declared_length_must_fit_the_line(metres: float, wrong: list[str]) -> None:
    """D is drawn 200 m long."""
    assert codes(told(*street(cb_lgreel=metres)), "longueur_declaree") == wrong


def test_metres_that_no_way_carries_are_told() -> None:
    off = cable("E", "M", "Q", "DI", line=[at(200), at(400, 300)])
    found = told(*street(), off, closure("BQ", "Q"))
    assert codes(found, "cable_sans_cheminement") == ["E"]
    length = shapely.LineString([at(200), at(400, 300)]).length
    assert f"{length:.1f} m" in found.loc[found["rule"] == "cable_sans_cheminement", "message"].iloc[0]


def test_an_end_that_no_way_touches_is_told() -> None:
    """D is carried by w4 whose far node is written C1: no way of D ends at P, though they lie along it."""
    found = told(*street(ways={"w3": ("C1", "C2"), "w4": ("C2", "P")}, of_d=""))
    assert codes(found, "bout_sans_cheminement") == ["D"]
    assert codes(told(*street(of_d="")), "bout_sans_cheminement") == []
