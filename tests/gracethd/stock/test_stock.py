"""The état des lieux: kilometres and prises counted by hand, on drawings and on the public demo."""

import re
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyproj
import pytest
import shapely

from gracethd.errors import SourceError
from gracethd.findings import Severity, findings_frame, merge_findings, severity
from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.reading import read
from gracethd.routes import Routes, trace_routes
from gracethd.stock import read_communes, take_stock, write_stock
from gracethd.stock.lengths import asset_owners, big_aerial_km, fibre_class, way_owners
from gracethd.stock.quality import findings_by_commune, findings_by_zone
from tests.networks import cable, draw, make_inventory, nro, pbo, pm, prises, way

X0, Y0 = 700_000.0, 7_000_000.0
DAY = date(2026, 3, 1)
Built = tuple[Inventory, Network, Routes]


def at(x: float, y: float = 0) -> tuple[float, float]:
    return X0 + x, Y0 + y


def built(inventory: Inventory) -> Built:
    network = build_network(inventory)
    return inventory, network, trace_routes(inventory, network)


@pytest.fixture(scope="module")
def demo(demo01: Path) -> Built:
    return built(read(demo01))


@pytest.fixture(scope="module")
def street() -> Built:
    """Draw ways of 1 km: T (288 FO) is buried in w1; D (48 FO) and E (12 FO) hang on w2; E goes on alone.

    N ==w1== M ==w2== P ....... Q

    What a way covers reaches half a metre beyond its end (D4): E is bare for 999.5 m.
    """
    places = {"N": at(0), "M": at(1000), "P": at(2000), "Q": at(3000)}
    buried = way("w1", "N", "M", "T", line=[at(0), at(1000)])
    aerial = way("w2", "M", "P", "D", "E", line=[at(1000), at(2000)])
    buried["cheminement"][0]["cm_typ_imp"] = "7"  # type: ignore[index]
    aerial["cheminement"][0]["cm_typ_imp"] = "0"  # type: ignore[index]
    zone = [at(1500, -9), at(4000, -9), at(4000, 9), at(1500, 9)]
    return built(draw(
        nro("NRO", "N"), pm("PM", "M", zone=zone), pbo("B1", "P"), pbo("B2", "Q"), buried, aerial,
        cable("T", "N", "M", "TR", line=[at(0), at(1000)], cb_capafo=288),
        cable("D", "M", "P", "DI", line=[at(1000), at(2000)], cb_capafo=48),
        cable("E", "M", "Q", "DI", line=[at(1000), at(3000)], cb_capafo=12),
        prises("B1", "H1", "H2", nd_code="P"), prises("B2", "H3", nd_code="Q"), at=places,
    ))  # fmt: skip


def rows(table: pd.DataFrame, *names: str) -> list[list[object]]:
    return table[list(names)].round(6).to_numpy().tolist()


def test_a_physical_line_counts_once_in_its_upstream_segment(street: Built) -> None:
    stock = take_stock(*street)
    assert rows(stock["lineaire_pose"], "segment", "pose", "length_km") == [
        ["distribution", "aérien", 1.0], ["distribution", "inconnu", 0.9995],
        ["transport", "souterrain", 1.0],
    ]  # fmt: skip


def test_a_cable_counts_wherever_it_is_laid(street: Built) -> None:
    assert rows(take_stock(*street)["cables"], "segment", "fibre_class", "pose", "length_km") == [
        ["distribution", "12 FO et moins", "aérien", 1.0],
        ["distribution", "12 FO et moins", "inconnu", 0.9995],
        ["distribution", "48 à 72 FO", "aérien", 1.0],
        ["transport", "145 à 288 FO", "souterrain", 1.0],
    ]


def test_heavy_aerial_cable_is_told_apart(street: Built) -> None:
    """D alone hangs and has 48 fibres."""
    assert big_aerial_km(take_stock(*street)["cables"]) == pytest.approx(1.0)


def test_prises_are_counted_by_nro_pm_pbo_and_zone(street: Built) -> None:
    """H1, H2 and H3 hang behind one PM; its zone starts halfway along w2: it holds E's bare kilometre."""
    stock = take_stock(*street)
    assert rows(stock["nro"], "code", "n_pms", "prises") == [["NRO", 1, 3]]
    assert rows(stock["pm"], "code", "nro", "n_pbo", "prises") == [["PM", "NRO", 2, 3]]
    assert rows(stock["pbo"], "code", "pm", "prises", "traced_cable") == [
        ["B1", "PM", 2, 2],
        ["B2", "PM", 1, 1],
    ]
    zone = stock["zones"].set_index("zone").loc["ZPM"]
    assert (zone["prises"], zone["level"]) == (3, 2)
    assert zone["length_unknown_km"] == pytest.approx(0.9995)


def test_findings_are_counted_in_the_zone_of_their_object(street: Built) -> None:
    """H1 stands in the zone, the middle of E too; N lies before it, and a finding on no object nowhere."""
    inventory, network, routes = street
    told: list[tuple[Severity, str, str]] = [
        ("majeur", "premise", "H1"),
        ("mineur", "t_cable", "E"),
        ("info", "noeud", "N"),
        ("info", "", ""),
    ]
    more = [findings_frame("x", severity, table, code=[code], message="") for severity, table, code in told]
    before = findings_by_zone(inventory, network, routes)
    noted = replace(inventory, findings=merge_findings([inventory.findings, *more]))
    after = findings_by_zone(noted, network, routes)
    change = after.sub(before, fill_value=0).astype(int)
    assert change.loc["ZPM"].tolist() == [0, 1, 1, 0]
    assert change.loc[""].tolist() == [0, 0, 0, 2]
    listed = [noted.findings, network.findings, routes.findings]
    assert int(after.to_numpy().sum()) == sum(map(len, listed))
    zones = take_stock(noted, network, routes)["zones"].set_index("zone")
    assert zones.loc["ZPM", "findings_majeur"] == after.loc["ZPM", "findings_majeur"]
    assert zones["findings_info"].sum() == after["findings_info"].sum()


def limits(path: Path, **outlines: tuple[float, float, float, float]) -> Path:
    """Write communes as rectangles of metres around the street."""
    boxes = [shapely.box(X0 + x1, Y0 + y1, X0 + x2, Y0 + y2) for x1, y1, x2, y2 in outlines.values()]
    frame = gpd.GeoDataFrame({"CODE_INSEE": [*outlines]}, geometry=boxes, crs=2154)
    frame.to_file(path, layer="communes", driver="GPKG")
    return path


def test_lines_are_cut_at_the_limits_of_communes(street: Built, tmp_path: Path) -> None:
    """A ends at 400 m, B at 2,500 m; w2 runs along the limit of B and C: it counts once, in B."""
    file = limits(
        tmp_path / "c.gpkg", C=(1000, -500, 2000, 0), B=(400, 0, 2500, 500), A=(-100, -500, 400, 500)
    )
    communes = read_communes(file, street[0].crs)
    assert communes["code_insee"].tolist() == ["A", "B", "C"]
    table = take_stock(*street, communes)["lineaire_communes"]
    assert rows(table, "code_insee", "segment", "pose", "length_km") == [
        ["A", "transport", "souterrain", 0.4],
        ["B", "distribution", "aérien", 1.0],
        ["B", "distribution", "inconnu", 0.4995],
        ["B", "transport", "souterrain", 0.6],
        ["hors communes", "distribution", "inconnu", 0.5],
    ]
    whole = take_stock(*street)["lineaire_pose"]["length_km"].sum()
    assert table["length_km"].sum() == pytest.approx(whole)


def test_findings_are_counted_in_the_commune_of_their_object(street: Built, tmp_path: Path) -> None:
    """N stands in A, the middle of E in B; a finding on no object is in none."""
    inventory, network, routes = street
    told = [("majeur", "t_cable", "E"), ("info", "noeud", "N"), ("info", "", "")]
    more = [findings_frame("x", severity(level), name, code=[code], message="") for level, name, code in told]
    noted = replace(inventory, findings=merge_findings([inventory.findings, *more]))
    file = limits(tmp_path / "c.gpkg", A=(-100, -9, 400, 9), B=(400, -9, 3100, 9))
    communes = read_communes(file, inventory.crs)
    before = findings_by_commune(inventory, network, routes, communes)
    change = findings_by_commune(noted, network, routes, communes).sub(before, fill_value=0).astype(int)
    assert change.loc["B"].tolist() == [0, 1, 0, 0]
    assert change.loc["A"].tolist() == change.loc[""].tolist() == [0, 0, 0, 1]
    table = take_stock(noted, network, routes, communes)["communes"].set_index("code_insee")
    assert table.loc["B", "findings_majeur"] >= 1
    assert table.loc["non dite", ["level", "prises"]].tolist() == [2, 3]  # drawn premises have no address


def test_limits_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"insee": ["62000"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=2154)
    frame.to_file(tmp_path / "c.gpkg", driver="GPKG")
    with pytest.raises(SourceError, match="field code_insee"):
        read_communes(tmp_path / "c.gpkg", pyproj.CRS(2154))
    with pytest.raises(SourceError, match="that exists"):
        read_communes(tmp_path / "d.gpkg", pyproj.CRS(2154))


@pytest.mark.parametrize(
    ("fibres", "name"),
    [(1, "12 FO et moins"), (12, "12 FO et moins"), (24, "13 à 24 FO"), (47, "25 à 47 FO"),
     (48, "48 à 72 FO"), (720, "plus de 288 FO"), (None, "inconnu")],
)  # fmt: skip
def test_classes_of_fibres(fibres: float | None, name: str) -> None:
    assert fibre_class(pd.Series([fibres], dtype=float)).tolist() == [name]


def owned(**more: object) -> pd.Series:
    """Give the owners of way W, laid between two chambers of owner O1, as other rows say."""
    chambers = [{"pt_code": f"P{i}", "pt_nd_code": f"N{i}", "pt_prop": "O1"} for i in (1, 2)]
    rows_ = {
        "ptech": chambers,
        "cheminement": [{"cm_code": "W", "cm_ndcode1": "N1", "cm_ndcode2": "N2"}],
        **more,
    }
    return way_owners(make_inventory(**rows_))  # type: ignore[arg-type]


def conduits(*owners: str) -> dict[str, list[dict[str, str]]]:
    return {
        "conduite": [{"cd_code": f"C{i}", "cd_prop": owner} for i, owner in enumerate(owners)],
        "cond_chem": [{"dm_cd_code": f"C{i}", "dm_cm_code": "W"} for i in range(len(owners))],
    }


def test_a_way_is_owned_as_it_says_else_as_its_conduits_else_as_the_places_at_its_ends() -> None:
    own = {"cm_code": "W", "cm_ndcode1": "N1", "cm_ndcode2": "N2", "cm_prop": "O3"}
    assert owned(cheminement=[own], **conduits("O2"))["W"] == "O3"
    assert owned(**conduits("O2", "O2"))["W"] == "O2"
    assert owned(**conduits("O2", "O4"))["W"] == "O1"  # conduits disagree: the chambers tell
    assert owned()["W"] == "O1"
    assert owned(ptech=[])["W"] is not owned()["W"]


def test_a_company_is_named_and_anyone_else_is_a_code() -> None:
    company = {"or_code": "O1", "or_nom": "RÉSEAUX SA", "or_siren": "123"}
    assert owned(organisme=[company])["W"] == "RÉSEAUX SA"
    assert owned(organisme=[{"or_code": "O1", "or_nom": None}])["W"] == "O1"


def test_each_asset_that_tells_its_owner_is_listed_once_under_the_name_of_the_company() -> None:
    inventory = make_inventory(
        ptech=[{"pt_code": "P1", "pt_nd_code": "N1", "pt_prop": "O1"}, {"pt_code": "P2", "pt_nd_code": "N2"}],
        cheminement=[{"cm_code": "W", "cm_ndcode1": "N1", "cm_ndcode2": "N2"}],
        conduite=[{"cd_code": "C", "cd_prop": "O2"}],
        organisme=[{"or_code": "O1", "or_nom": "RÉSEAUX SA", "or_siren": "123"}],
    )
    assert asset_owners(inventory).to_numpy().tolist() == [
        ["cheminement", "W", "RÉSEAUX SA"], ["conduite", "C", "O2"], ["ptech", "P1", "RÉSEAUX SA"],
    ]  # fmt: skip


def test_the_demo_adds_up_to_its_published_lengths(demo: Built) -> None:
    """Published by another tool: 151.3 m aerial, 11.5 m on façades, 388.5 m in ducts."""
    table = take_stock(*demo)["lineaire_pose"]
    metres = (table.groupby("mounting")["length_km"].sum() * 1000).round(1).to_dict()
    assert metres == {"aérien télécom": 151.3, "conduite": 388.5, "façade": 11.5}
    assert table["n_lines"].sum() == 8 + 2 + 15


def test_the_demo_has_its_published_prises_by_pbo(demo: Built) -> None:
    """Published: PBO 675 serves 6 premises, 676 serves 8, 705 serves 7; 23 prises, 2 without a row."""
    stock = take_stock(*demo)
    by_pbo = dict(rows(stock["pbo"], "code", "prises"))  # type: ignore[arg-type]
    assert by_pbo == {"BP000180030675": 6, "BP000180030676": 8, "BP000180030705": 7}
    assert stock["pm"]["prises"].tolist() == stock["nro"]["prises"].tolist() == [23]
    assert stock["communes"][["prises", "untraced"]].to_numpy().tolist() == [[23, 2]]


def test_files_are_whole_marked_and_private(demo: Built, tmp_path: Path) -> None:
    stock = write_stock(*demo, tmp_path / "etat", day=DAY, recipient="Syndicat")
    written = {path.name for path in (tmp_path / "etat").iterdir()}
    assert written == {*(f"{name}.csv" for name in stock), "etat_des_lieux.html", "etat_des_lieux.xlsx"}
    for path in (tmp_path / "etat").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    book = openpyxl.load_workbook(tmp_path / "etat" / "etat_des_lieux.xlsx")
    assert book.sheetnames[0] == "Lisez-moi"
    assert len(book.sheetnames) == len(stock) + 1
    page = (tmp_path / "etat" / "etat_des_lieux.html").read_text(encoding="utf-8")
    assert "DIFFUSION RESTREINTE" in page
    assert "Syndicat" in page
    assert "<svg" in page
    assert "<script" not in page
    assert re.search(r"Mode de pose.*conduite", page, re.DOTALL)


def test_the_same_network_gives_the_same_bytes(demo: Built, tmp_path: Path) -> None:
    for name in ("un", "deux"):
        write_stock(*demo, tmp_path / name, day=DAY)
    for path in (tmp_path / "un").iterdir():
        assert path.read_bytes() == (tmp_path / "deux" / path.name).read_bytes()
