"""Optical routes hop by hop (DESIGN D7): what each case gives, and two judges that read rows one by one."""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings

from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.reading import read
from gracethd.routes import OpticalRoutes, Routes, optical_routes
from tests.draws import draws
from tests.networks import Piece, cable, closure, draw, nro, patch, pbo, pm, prises, splice, wait
from tests.resilience.test_losses_of_spliced_inventories import inventories

AT = {f"N{i}": (100.0 * i, 0.0) for i in range(8)}
Row = dict[str, object]


def hops_of(inventory: Inventory, prise: str = "L1") -> pd.DataFrame:
    hops = plain(optical_routes(inventory, build_network(inventory)).hops)
    return hops[hops["prise"] == prise]


def plain(hops: pd.DataFrame) -> pd.DataFrame:
    """Give categories as text."""
    return hops.astype(dict.fromkeys(hops.columns[hops.dtypes == "category"], str))


def told(hops: pd.DataFrame) -> list[str]:
    """Write each hop in a word: a stretch by its fibre or cable, the others by box, room or place."""
    named = hops["fibre"].where(hops["fibre"] != "", hops["cable"])
    for column in ("box", "room", "place"):
        named = named.where(named != "", hops[column])
    return (hops["hop"] + " " + named).tolist()


def line(*pieces: Piece) -> Inventory:
    """Lay NR(N0) --T1-- PM(N1) --C1-- B1(N2) --C2-- B2(N3) --D1-- N4: L1 has its drop in the PBO B2."""
    return draw(
        nro("NR", "N0"), pm("PM", "N1"), closure("B1", "N2"), pbo("B2", "N3"),
        cable("T1", "N0", "N1", "TR", fibres=2, line=[(0, 0), (100, 0)]),
        cable("C1", "N1", "N2", fibres=2, line=[(100, 0), (200, 0)]),
        cable("C2", "N2", "N3", fibres=2, line=[(300, 0), (200, 0)]),
        cable("D1", "N3", "N4", "RA", fibres=1, line=[(300, 0), (360, 0), (360, 5)]),
        prises("B2", "L1", nd_code="N4"), *pieces, at=AT,
    )  # fmt: skip


SPLICED = (
    splice("B2", "D1.1", "C2.1"), splice("B1", "C1.1", "C2.1"), patch("PM", "C1.1"),
)  # fmt: skip


def test_a_spliced_route_names_fibre_box_and_length_from_the_nro_to_the_outlet() -> None:
    """Lengths by hand: 100 m of T1, C1 and C2 (drawn backwards), 65 m of drop; no patch cord is recorded."""
    hops = hops_of(line(*SPLICED, patch("PM", "T1.2"), patch("NR", "T1.2")))
    assert told(hops) == [
        "nro NR", "cable T1", "pm PM", "cable C1.1", "box B1", "cable C2.1", "box B2", "cable D1.1", "pto N4",
    ]  # fmt: skip
    assert hops["how"].tolist() == ["room", "splice", "room"] + ["splice"] * 6
    lengths = hops.loc[hops["hop"] == "cable", "length_m"].tolist()
    assert lengths == [100.0, 100.0, 100.0, 65.0]
    assert hops["ps_fonct"].tolist() == ["", "", "CO", "", "EP", "", "EP", "", ""]
    assert set(hops["status"]) == {"complete"}
    assert set(hops["reason"]) == {""}
    assert hops["order"].tolist() == list(range(1, 10))
    assert set(hops["route"]) == {"L1/1"}


def test_without_fibres_the_route_follows_the_cables_and_says_so() -> None:
    hops = hops_of(line())
    assert told(hops) == [
        "nro NR", "cable T1", "pm PM", "cable C1", "box B1", "cable C2", "box B2", "cable D1", "pto N4",
    ]  # fmt: skip
    assert set(hops["how"]) == {"cable", "room"}
    assert set(hops["fibre"]) == {""}
    assert hops["reason"].iloc[0] == "aucune fibre attribuée à cette prise : suivie par les câbles"


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (
            "splitter",
            "ambiguous",
            "coupleur ou fibre employée deux fois : C2.1 (câble C2) a plusieurs suites",
        ),
        ("cut", "broken", "alignement rompu : la fibre C2.1 (câble C2) n'a pas de suite"),
        ("loop", "ambiguous", "coupleur ou fibre employée deux fois : D1.1 (câble D1) a plusieurs suites"),
        ("twice", "complete", ""),
    ],
)
def test_a_splitter_and_a_cycle_are_ambiguous_a_cut_is_broken_and_a_repeated_row_is_nothing(
    fault: str, status: str, reason: str
) -> None:
    pieces = {
        "splitter": [*SPLICED, splice("B1", "C1.2", "C2.1")],
        "cut": [SPLICED[0], SPLICED[2]],
        "loop": [
            SPLICED[0], splice("B1", "C2.1", "C1.1"), splice("B1", "C1.1", "C2.2"),
            splice("B2", "C2.2", "D1.1"),
        ],
        "twice": [*SPLICED, splice("B2", "C2.1", "D1.1"), splice("B1", "C2.1", "C1.1")],
    }[fault]  # fmt: skip
    hops = hops_of(line(*pieces))
    assert set(hops["status"]) == {status}
    assert hops["reason"].iloc[0].startswith(reason)
    assert set(hops.loc[hops["hop"] == "cable", "cable"]) == {"T1", "C1", "C2", "D1"}
    if status != "complete":
        assert hops["reason"].iloc[0].endswith("suivie par les câbles")
        assert set(hops["fibre"]) == {""}


def test_a_walk_that_does_not_end_is_broken() -> None:
    """40 fibres of C1 and of C2 spliced to and fro in B1: longer than any route."""
    fro = [splice("B1", f"C2.{i}", f"C1.{i}") for i in range(1, 41)]
    to = [splice("B1", f"C1.{i}", f"C2.{i + 1}") for i in range(1, 40)]
    inventory = draw(
        pm("PM", "N0"), closure("B1", "N1"), pbo("B2", "N2"), cable("C1", "N0", "N1", fibres=40),
        cable("C2", "N1", "N2", fibres=40), *fro, *to, wait("B2", "C2.1"), prises("B2", "L1"), at=AT,
    )  # fmt: skip
    hops = hops_of(inventory)
    assert set(hops["status"]) == {"broken"}
    assert hops["reason"].iloc[0].startswith("épissures sans fin : plus de 64 fibres")


def cord(code: str) -> Piece:
    """Give a patch cord in the PM, of one fibre."""
    return cable(code, "N1", "N1", None, fibres=1, cb_typephy="J", cb_ba1="BAPM", cb_ba2="BAPM")


def patched(room: str, one: str, two: str) -> Piece:
    """Connect two fibres in the drawer of a room."""
    return {"position": [{"ps_1": one, "ps_2": two, "ps_ti_code": f"TI{room}", "ps_fonct": "CO"}]}


def test_patch_cords_tell_the_transport_fibre_even_through_a_splitter_of_the_room() -> None:
    """C1.1 - J1 - J2, where J2 also feeds C1.2 by J3: one splitter, one transport fibre, T1.2."""
    hops = hops_of(
        line(
            *SPLICED, patch("NR", "T1.1", "T1.2"), patch("PM", "T1.1"), cord("J1"), cord("J2"), cord("J3"),
            patched("PM", "J1.1", "C1.1"), patched("PM", "J1.1", "J2.1"), patched("PM", "J2.1", "J3.1"),
            patched("PM", "J3.1", "C1.2"), patched("PM", "T1.2", "J2.1"),
        )
    )  # fmt: skip
    assert told(hops)[:7] == [
        "nro NR", "cable T1.2", "pm PM", "cord J2.1", "pm PM", "cord J1.1", "pm PM",
    ]  # fmt: skip
    assert hops["how"].tolist()[2:7] == ["splice"] * 5


def test_two_transport_fibres_behind_one_cord_leave_the_room_joined_by_membership() -> None:
    hops = hops_of(
        line(
            *SPLICED, patch("NR", "T1.1", "T1.2"), cord("J1"), patched("PM", "J1.1", "C1.1"),
            patched("PM", "J1.1", "T1.1"), patched("PM", "T1.2", "J1.1"),
        )
    )  # fmt: skip
    assert told(hops)[:4] == ["nro NR", "cable T1", "pm PM", "cable C1.1"]
    assert hops["how"].tolist()[2] == "room"


def test_two_spliced_transports_are_two_routes_of_one_prise() -> None:
    inventory = line(
        *SPLICED, patch("PM", "T1.1"), patch("NR", "T1.1"), cable("T2", "N0", "N1", "TR", fibres=1),
        patch("PM", "T2.1"), patch("NR", "T2.1"),
    )  # fmt: skip
    hops = hops_of(inventory)
    first = hops.groupby("route")["cable"].agg(lambda codes: next(code for code in codes if code))
    assert first.to_dict() == {"L1/1": "T1", "L1/2": "T2"}
    assert set(hops["status"]) == {"complete"}


def test_a_cable_opened_in_mid_span_is_followed_section_by_section() -> None:
    """PM(N0) --C1-- B1(N1) --C1-- B2(N2): L2 waits at the end, and its fibre passes B1."""
    inventory = draw(
        pm("PM", "N0"), pbo("B1", "N1"), pbo("B2", "N2"),
        cable("C1", "N2", "N0", fibres=2, line=[(200, 0), (0, 0)]), patch("PM", "C1.1", "C1.2"),
        wait("B1", "C1.1"), wait("B2", "C1.2"), prises("B1", "L1"), prises("B2", "L2"), at=AT,
    )  # fmt: skip
    near, far = hops_of(inventory, "L1"), hops_of(inventory, "L2")
    assert told(near) == ["pm PM", "cable C1.1", "box B1"]
    assert told(far) == ["pm PM", "cable C1.2", "box B1", "cable C1.2", "box B2"]
    # sections are numbered from end 1, which is the far one here
    assert far.loc[far["hop"] == "cable", ["section", "length_m"]].to_numpy().tolist() == [
        [2, 100.0],
        [1, 100.0],
    ]
    assert far["ps_fonct"].tolist() == ["CO", "", "", "", "AT"]
    assert near["reason"].iloc[0] == "transport non livré : la route s'arrête au PM"


def test_zones_come_last_and_untraced_prises_keep_one_row_that_says_why() -> None:
    zone = [(-50.0, -50.0), (450.0, -50.0), (450.0, 50.0), (-50.0, 50.0)]
    inventory = draw(
        nro("NR", "N0"), pm("PM", "N1", zone=zone), pbo("B1", "N2"), pbo("B2", "N6"),
        cable("T1", "N0", "N1", "TR"), prises("B1", "L1", nd_code="N2"), prises("B2", "L2"), at=AT,
    )  # fmt: skip
    near, lost = hops_of(inventory, "L1"), hops_of(inventory, "L2")
    assert told(near) == ["nro NR", "cable T1", "pm PM", "box B1"]
    assert near["how"].tolist() == ["room", "cable", "room", "zone"]
    assert lost[["order", "hop", "status", "box"]].to_numpy().tolist() == [[0, "", "broken", "B2"]]
    assert lost["reason"].iloc[0].endswith("non tracée")


# the demo delivery


@pytest.fixture(scope="module")
def demo(demo01: Path) -> OpticalRoutes:
    """Trace demo01."""
    inventory = read(demo01)
    found = optical_routes(inventory, build_network(inventory))
    return OpticalRoutes(found.routes, plain(found.hops))


END_TO_END = [
    "TI000180030502", "FO180030257101", "TI000180030512", "FO180030008101", "TI000180030508",
    "FO180030007001", "BP000180030091", "FO180030003001", "BP000180030714", "FO180030001001",
    "TI000180030511", "FO180030227101", "TI000180030515", "FO180030017101", "TI000180030519",
    "FO180030916001", "BP000180030714", "FO180030975001", "BP000180030976", "FO180030329001",
    "BP000180030675", "FO180034417001", "BP000180031330",
]  # fmt: skip
"""Read by hand in t_position of demo01, from the collecte drawer of the operator to the outlet."""


def test_demo01_hops_hold_the_assets_of_the_nominal_routes(demo: OpticalRoutes, demo01: Path) -> None:
    assets_hold(build_network(read(demo01)), demo.routes, demo.hops)


def test_demo01_runs_end_to_end_from_the_drawer_of_the_operator_to_the_outlet(demo: OpticalRoutes) -> None:
    hops = demo.hops[demo.hops["prise"] == "SF000180031330"]
    met = hops["fibre"].where(hops["fibre"] != "", hops["drawer"])
    assert met.where(met != "", hops["box"]).tolist() == END_TO_END


def test_demo01_gives_each_spliced_prise_the_fibre_that_its_positions_reserve_for_it(
    demo: OpticalRoutes, demo01: Path
) -> None:
    """ps_preaff, which is not read, names the premise of each position of distribution."""
    told = (
        pd.read_csv(demo01 / "t_position.csv", sep=";", dtype=str).set_index("ps_code")["ps_preaff"].dropna()
    )
    spliced = demo.hops[demo.hops["position"].isin(told.index)]
    assert (told.reindex(spliced["position"]).to_numpy() == spliced["prise"]).all()
    assert spliced["prise"].nunique() == 4


# the judges


def adjacency(rows: dict[str, list[Row]]) -> tuple[dict, dict]:
    """Read positions one by one: what each fibre is spliced to and where, and its rooms."""
    joined: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rooms: dict[str, set[str]] = defaultdict(set)
    for row in rows["position"]:
        ends = [row[name] for name in ("ps_1", "ps_2") if name in row]
        if "ps_ti_code" in row:
            for fibre in ends:
                rooms[fibre].add(str(row["ps_ti_code"])[2:])
        elif len(ends) == 2 and ends[0] != ends[1]:
            for one, two in (ends, ends[::-1]):
                joined[one][two].add(str(row["ps_cs_code"])[2:])
    return joined, rooms


def follow(fibre: str, joined: dict, rooms: dict) -> tuple[list[str], str]:
    """Walk from a fibre to a drawer, or tell what stops the walk."""
    path, before = [fibre], None
    for _ in range(63):
        if rooms[path[-1]]:
            return path, "drawer"
        onward = [other for other in joined[path[-1]] if other != before]
        if len(onward) != 1:
            return path, "ambiguous" if onward else "broken"
        before = path[-1]
        path.append(onward[0])
    return path, "drawer" if rooms[path[-1]] else "broken"


def fibres_hold(inventory: Inventory, hops: pd.DataFrame) -> None:
    """Check that fibres change only where a position says so, and that no two prises have the same."""
    rows: dict[str, list[Row]] = {
        name: [{k: v for k, v in row.items() if v == v} for row in table.to_dict("records")]  # noqa: PLR0124
        for name, table in inventory.items()
    }
    joined, rooms = adjacency(rows)
    takers: dict[str, set[str]] = defaultdict(set)
    for (prise, _), route in hops[hops["traced"] == "splice"].groupby(["prise", "route"]):
        upward = route.iloc[::-1]
        below_room = upward[: (upward["room"] != "").to_numpy().argmax()]
        fibres = list(dict.fromkeys(below_room.loc[below_room["fibre"] != "", "fibre"]))
        assert (fibres, "drawer") == follow(fibres[0], joined, rooms)
        takers[fibres[0]].add(prise)
        for one, two in pairwise(fibres):
            assert joined[one][two] & set(below_room["box"])
        for row in below_room[below_room["position"] != ""].to_dict("records"):
            source = next(r for r in rows["position"] if r["ps_code"] == row["position"])
            assert {source.get("ps_1"), source.get("ps_2")} & set(fibres)
    assert all(len(prises) == 1 for prises in takers.values())
    for prise, route in hops[hops["traced"] == "cable"].groupby("prise"):
        reason, status = route["reason"].iloc[0], route["status"].iloc[0]
        if "plusieurs suites" in reason:
            stuck = reason.split("deux fois : ")[1].split(" ")[0]
            assert (status, len(joined[stuck]) >= 2) == ("ambiguous", True), prise
        if "rompu" in reason:
            stuck = reason.split("la fibre ")[1].split(" ")[0]
            assert (status, len(joined[stuck]) <= 1) == ("broken", True), prise
            assert not rooms[stuck]


def assets_of(hops: pd.DataFrame, network: Network) -> set[tuple[str, str]]:
    """Give all that hops fail with: what they name, what stands at their place, what holds stretches."""
    assets = network.assets
    met = {("cable", code) for code in hops.loc[hops["hop"] == "cable", "cable"]}
    met |= {("ebp", code) for code in hops.loc[hops["hop"] == "box", "box"]}
    met |= {(kind, code) for code in hops["room"] for kind in ("local", "site", "noeud")}
    places = set(hops["place"]) - {""}
    stands = assets[assets["kind"].isin(["noeud", "ptech", "site"]) & assets["nd_code"].isin(places)]
    met |= set(zip(stands["kind"], stands["code"], strict=True))
    once = network.sections.drop_duplicates("section").sort_values("section")
    once = once.assign(
        rank=once.groupby("cable").cumcount() + 1, code=assets["code"].to_numpy()[once["cable"].to_numpy()]
    )
    used = hops[hops["section"].notna()].merge(once, left_on=["cable", "section"], right_on=["code", "rank"])[
        "section_y"
    ]
    held = network.uses[network.uses["section"].isin(used)]["carrier"].unique()
    met |= {(assets["kind"].iloc[i], assets["code"].iloc[i]) for i in held}
    return met & set(zip(assets["kind"], assets["code"], strict=True))


def cut_by(routes: Routes, network: Network) -> dict[int, set[tuple[str, str]]]:
    """Give the assets without which each vertex with prises is out of reach: take out, search again."""
    graph, assets = routes.nominal, network.assets
    names = list(zip(assets["kind"], assets["code"], strict=True))
    edges = list(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))
    needed: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for asset, name in enumerate(names):
        gone = set(graph.edge_of[graph.edge_asset == asset].tolist())
        dead = set(graph.vertex_of[graph.vertex_asset == asset].tolist()) - {0}
        left = nx.Graph([edge for i, edge in enumerate(edges) if i not in gone and not dead & {*edge}])
        left.add_node(0)
        reached = nx.node_connected_component(left, 0)
        for vertex in set(routes.prises["vertex_nominal"]) - reached:
            needed[vertex].add(name)
    return needed


def assets_hold(network: Network, routes: Routes, hops: pd.DataFrame) -> None:
    """Check that hops hold the assets of the nominal route and no other."""
    needed = cut_by(routes, network)
    for prise in routes.prises.to_dict("records"):
        own = hops[hops["prise"] == prise["code"]]
        if prise["traced"] == "":
            assert own["order"].tolist() == [0]
            continue
        each = [assets_of(route, network) for _, route in own.groupby("route")]
        shared = set.intersection(*each)
        if prise["state"] == "complete":
            assert shared == needed[prise["vertex_nominal"]]
        else:
            assert needed[prise["vertex_nominal"]] <= shared
            assert own["status"].iloc[0] in {"ambiguous", "broken"}


@settings(max_examples=draws(10))
@given(inventories())
def test_two_judges_find_the_fibres_and_the_assets_of_every_route(inventory: Inventory) -> None:
    network = build_network(inventory)
    found = optical_routes(inventory, network)
    hops, prises = plain(found.hops), found.routes.prises
    once = hops.drop_duplicates("prise").set_index("prise")["traced"]
    assert once.to_dict() == dict(zip(prises["code"], prises["traced"], strict=True))
    assert not hops.duplicated(["route", "order"]).any()
    fibres_hold(inventory, hops)
    assets_hold(network, found.routes, hops)
