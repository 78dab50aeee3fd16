"""Findings as files: the same rows in each format, marked, private, and nothing hostile gets through."""

import json
import re
import stat
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from shapely import LineString, Point, box

from gracethd.check import RULES
from gracethd.check.returns import by_delivery_and_zone
from gracethd.check.settings import Settings, default_thresholds
from gracethd.check.write import SUFFIXES, write_findings
from gracethd.deliveries import Delivery
from gracethd.errors import GraceTHDError
from gracethd.findings import findings_frame, merge_findings

DAY = date(2026, 3, 1)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def findings() -> gpd.GeoDataFrame:
    rows = merge_findings([
        findings_frame("cable_boucle", "mineur", "t_cable", code=["CB1", HOSTILE], message="m", line=[1, 2]),
        findings_frame("cle_double", "majeur", "t_cable", code=["CB3"], message="=1+1", delivery=HOSTILE),
        findings_frame("autre_regle", "info", "", code=[""], message="d'une autre étape"),
    ])  # fmt: skip
    shapes = [LineString([(700_000, 7_000_000), (700_100, 7_000_000)]), Point(700_050, 7_000_050), None, None]
    return gpd.GeoDataFrame(rows, geometry=gpd.GeoSeries(shapes, crs=2154))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_format_is_private_marked_and_the_same_twice(
    findings: gpd.GeoDataFrame, tmp_path: Path, suffix: str
) -> None:
    one, two = tmp_path / f"un{suffix}", tmp_path / f"deux{suffix}"
    for path in (one, two):
        write_findings(findings, path, day=DAY)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if suffix != ".gpkg":  # SQLite writes the name of the file into it
        assert one.read_bytes() == two.read_bytes()
    if suffix in (".csv", ".html"):
        assert "DIFFUSION RESTREINTE" in one.read_text(encoding="utf-8")


def test_every_format_tells_every_finding(findings: gpd.GeoDataFrame, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        write_findings(findings, tmp_path / f"f{suffix}", day=DAY)
    expected = sorted(findings["rule"])
    assert sorted(pd.read_csv(tmp_path / "f.csv")["rule"]) == expected
    layer = gpd.read_file(tmp_path / "f.gpkg", layer="constats")
    assert sorted(layer["rule"]) == expected
    assert layer.crs == findings.crs
    assert layer.geometry.notna().sum() == 2
    written = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert sorted(row["rule"] for row in written["constats"]) == expected
    sheet = openpyxl.load_workbook(tmp_path / "f.xlsx")["Constats"]
    assert sorted(str(cell.value) for cell in sheet["A"][5:]) == expected
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert all(page.count(f'id="{rule}"') == 1 for rule in set(expected))


class Elements(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        self.names.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src", "onload", "onclick")]


def test_the_page_runs_nothing_and_asks_for_nothing(findings: gpd.GeoDataFrame, tmp_path: Path) -> None:
    write_findings(findings, tmp_path / "f.html", day=DAY)
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    elements = Elements()
    elements.feed(page)
    assert "script" not in elements.names
    assert elements.links == []
    assert "&lt;script&gt;" in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert unescape(policy.group(1)).startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_the_page_explains_rules_and_says_what_was_changed(
    findings: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    settings = Settings(
        {**default_thresholds(), "node_m": 0.05}, {"cable_boucle": "mineur"}, frozenset({"longueur"})
    )
    write_findings(findings, tmp_path / "f.html", day=DAY, settings=settings)
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert "Il ne joint rien" in page  # why a cable with one node matters
    assert "Corriger cb_nd1 et cb_nd2 ou cb_typephy" in page
    assert "Seuil changé : node_m = 0.05 (au lieu de 0.1)" in page
    assert "Règle écartée : longueur" in page


def zoned(name: str, code: str, left: float) -> Delivery:
    """Give a delivery that is one SRO zone of 100 m."""
    outline = box(left, 6_999_900, left + 100, 7_000_100)
    zones = gpd.GeoDataFrame({"zs_code": [code], "line": [1]}, geometry=gpd.GeoSeries([outline], crs=2154))
    return Delivery(
        name, Path(name), "", 0, {"t_zsro": zones}, {"t_zsro": "2"}, zones.crs, merge_findings([])
    )


def test_findings_are_counted_for_who_has_to_correct_them(tmp_path: Path) -> None:
    told = [
        ("nord", 700_010, "cable_boucle"), ("nord", 700_020, "cable_boucle"),
        ("nord", 700_150, "cable_boucle"), ("sud", 700_150, "cle_double"), ("sud", None, "cle_double"),
        ("sud", 701_000, "longueur"),
    ]  # fmt: skip
    severities = RULES["severity"]
    rows = pd.concat([
        findings_frame(rule, severities[rule], "t_cable", code=["C"], message="m", delivery=name)
        for name, _, rule in told
    ], ignore_index=True)  # fmt: skip
    shapes = [None if x is None else Point(x, 7_000_000) for _, x, _ in told]
    findings = gpd.GeoDataFrame(rows, geometry=gpd.GeoSeries(shapes, crs=2154))
    deliveries = [zoned("nord", "Z1", 700_000), zoned("sud", "Z2", 700_100)]
    counts = by_delivery_and_zone(findings, deliveries)
    assert counts[["delivery", "zone", "rule", "n"]].to_numpy().tolist() == [
        ["nord", "Z1", "cable_boucle", 2], ["nord", "Z2", "cable_boucle", 1],
        ["sud", "", "cle_double", 1], ["sud", "", "longueur", 1], ["sud", "Z2", "cle_double", 1],
    ]  # fmt: skip
    assert by_delivery_and_zone(findings)["n"].tolist() == [3, 2, 1]
    write_findings(findings, tmp_path / "f.xlsx", day=DAY, deliveries=deliveries, recipient="Mairie")
    book = openpyxl.load_workbook(tmp_path / "f.xlsx")
    assert [cell.value for cell in book["Retours"]["E"][5:]] == [2, 1, 1, 1, 1]
    assert any("Mairie" in str(cell.value) for row in book["Constats"].iter_rows(max_row=4) for cell in row)
    write_findings(findings, tmp_path / "f.html", day=DAY, deliveries=deliveries, recipient="Mairie")
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert "Par livraison et par zone" in page
    assert "Mairie" in page


def test_no_finding_gives_files_that_say_so(findings: gpd.GeoDataFrame, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        write_findings(findings.iloc[:0], tmp_path / f"f{suffix}", day=DAY)
    assert "Aucun constat" in (tmp_path / "f.html").read_text(encoding="utf-8")


def test_another_ending_is_refused(findings: gpd.GeoDataFrame, tmp_path: Path) -> None:
    with pytest.raises(GraceTHDError, match=r"\.csv, \.gpkg, \.xlsx, \.json, \.html"):
        write_findings(findings, tmp_path / "f.pdf", day=DAY)
