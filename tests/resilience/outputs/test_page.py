"""The page as text: whole with any part missing, inert with any text, the same to the byte."""

import base64
import gzip
import hashlib
import json
import re
import stat
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from gracethd.outputs.labels import Language
from resilience.outputs.chapters import loss_ranges
from resilience.outputs.page import maplibre_assets, packed, render_page, write_page
from resilience.outputs.page_failures import Failures
from resilience.outputs.page_map import map_layers
from resilience.outputs.page_tables import TABLE_ROWS, page_table
from resilience.outputs.report import Report
from tests.hostile_text import FORMULA, HOSTILE, SEPARATOR


class Reader(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        self.tags.append((tag, dict(attrs)))
        self._within = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: D102
        self._within = "" if tag == self._within else self._within

    def handle_data(self, data: str) -> None:  # noqa: D102
        if self._within == "script":
            self.scripts[-1] += data
        elif self._within != "style":
            self.texts.append(data)


def data_of(reader: Reader) -> dict[str, list[dict[str, object]]]:
    packed_text = next(
        s for s, (_, a) in zip(reader.scripts, scripts_of(reader), strict=True) if a.get("id") == "data"
    )
    return dict(json.loads(gzip.decompress(base64.b64decode(packed_text))))


def scripts_of(reader: Reader) -> list[tuple[str, dict[str, str | None]]]:
    return [(tag, attrs) for tag, attrs in reader.tags if tag == "script"]


def test_hostile_text_is_shown_and_makes_no_element(report: Report) -> None:
    reader = Reader(render_page(report))
    assert len(reader.scripts) == 3
    assert not [tag for tag, _ in reader.tags if tag in {"img", "b"} and tag == "img"]
    shown = " ".join(reader.texts)
    for text in (HOSTILE, FORMULA, SEPARATOR, "<d'essai>"):
        assert text in shown
    assert not [name for _, attrs in reader.tags for name in attrs if name.startswith("on")]


def test_the_policy_lets_in_only_the_scripts_of_the_page(report: Report) -> None:
    reader = Reader(render_page(report))
    policy = next(
        str(a["content"]) for _, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    run = [s for s, (_, a) in zip(reader.scripts, scripts_of(reader), strict=True) if "type" not in a]
    assert {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in run} == allowed
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert "http" not in policy


def test_nothing_points_out_of_the_page(report: Report) -> None:
    reader = Reader(render_page(report))
    links = [a.get(name) for _, a in reader.tags for name in ("href", "src", "action") if name in a]
    assert links
    assert all(str(link).startswith(("#", "data:")) for link in links)


def test_anchors_of_the_contents_exist(report: Report) -> None:
    reader = Reader(render_page(report))
    ids = [a["id"] for _, a in reader.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for tag, a in reader.tags if tag == "a"} <= set(ids)


def test_equal_reports_give_equal_bytes(report: Report, tmp_path: Path) -> None:
    write_page(report, tmp_path / "1.html")
    write_page(replace(report), tmp_path / "2.html")
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()
    assert stat.S_IMODE((tmp_path / "1.html").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", [f.name for f in fields(Report) if f.default is None])
@pytest.mark.parametrize("empty", [False, True])
def test_a_missing_or_empty_part_leaves_a_sound_page(with_failures: Report, name: str, empty: bool) -> None:  # noqa: FBT001
    part = getattr(with_failures, name)
    if part is None:
        part = pd.DataFrame()
    nothing = replace(part, rows=(), codes=()) if isinstance(part, Failures) else part.head(0)
    text = render_page(replace(with_failures, **{name: nothing if empty else None}))
    assert text.rstrip().endswith("</html>")
    assert "DIFFUSION RESTREINTE" in text


@pytest.mark.parametrize(
    ("language", "missing"), [("fr", "Aucun plan d'actions"), ("en", "No plan was drawn up")]
)
def test_a_page_without_anything_says_so(report: Report, language: Language, missing: str) -> None:
    bare = Report(title="Vide", recipient="", day=report.day, language=language)
    shown = " ".join(Reader(render_page(bare)).texts)
    assert shown.count(missing) == 3  # the sentence, the chapter, what is not covered
    assert ("Aucun objet à cartographier." in shown) == (language == "fr")


def test_the_english_page_has_english_words(report: Report) -> None:
    text = render_page(replace(report, language="en"))
    assert '<html lang="en">' in text
    for word in ("Prises cut", "Expected annual loss", "7,090", "Site hardening", "under 300"):
        assert word in text or word in json.dumps(data_of(Reader(text)))


def test_a_long_list_is_cut_and_says_so(report: Report) -> None:
    many = pd.concat([report.spof] * 400, ignore_index=True)
    table = page_table(many, ("code", "prises_cut"), name="spof", title="", language="fr", on_map=True)
    assert len(table.rows) == TABLE_ROWS
    assert "500 premières lignes sur 1\u202f200" in table.note
    assert table.keys[-1] == "spof:499"


def test_only_the_plan_is_printed_whole(report: Report) -> None:
    many = {name: pd.concat([getattr(report, name)] * 40, ignore_index=True) for name in ("spof", "plan")}
    page = render_page(replace(report, **many))
    assert '<figure class="table long" id="table-spof">' in page
    assert '<figure class="table" id="table-plan">' in page
    assert page.count("60 premières lignes, dans l&#39;ordre affiché") == 1


def test_an_empty_column_is_left_out_and_a_bar_is_a_share_of_the_largest(report: Report) -> None:
    table = page_table(
        report.spof,
        ("code", "abonnes_cut", "prises_cut"),
        name="spof",
        title="",
        language="fr",
        bars=("prises_cut",),
    )
    assert [c.name for c in table.columns] == ["code", "prises_cut"]
    assert [row[1].bar for row in table.rows] == [100.0, 100.0, 21.8]
    assert table.rows[2][1].number == "1200"


def test_map_objects_are_in_degrees_within_ten_centimetres(report: Report) -> None:
    plan = next(layer for layer in map_layers(report) if layer["id"] == "plan")
    geometry = plan["features"][0]["geometry"]
    expected = report.plan.to_crs(4326).geometry.iloc[0]
    assert geometry["type"] == "Point"
    assert geometry["coordinates"] == pytest.approx([expected.x, expected.y], abs=1e-6)
    assert plan["features"][0]["key"] == "plan:0"


def test_rows_and_objects_have_the_same_keys(report: Report) -> None:
    reader = Reader(render_page(report))
    rows = {a["data-key"] for tag, a in reader.tags if tag == "tr" and "data-key" in a}
    objects = {f["key"] for layer in data_of(reader)["layers"] for f in layer["features"]}  # type: ignore[attr-defined]
    assert rows == {f"{name}:{i}" for name, n in (("series", 3), ("spof", 3), ("plan", 2)) for i in range(n)}
    assert rows <= objects


def test_the_range_chart_stands_on_one_scale(report: Report) -> None:
    chart = {line.label: (line.low, line.central, line.high) for line in loss_ranges(report)}
    assert chart["Incendie de NRO"] == (0.77, 10.18, 100.0)  # 30, 397 and 3,900 of 3,900
    assert chart["crue"] == (10.26, 26.15, 66.67)


def test_packed_data_has_no_date_and_no_markup() -> None:
    text = packed({"a": "</script>\u2028"})
    assert text == packed({"a": "</script>\u2028"})
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", text)
    assert json.loads(gzip.decompress(base64.b64decode(text))) == {"a": "</script>\u2028"}


def test_the_map_library_is_inlined_with_its_licence(report: Report) -> None:
    script, sheet = maplibre_assets()
    assert "</script" not in script.lower()
    assert "maplibregl-popup" in sheet
    page = render_page(report)
    for text in (
        "Copyright (c) 2023, MapLibre contributors",
        "THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS",
    ):
        assert text in page


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_on_every_ground(report: Report) -> None:
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", render_page(report)))
    for ink in ("ink", "soft", "deep", "alert", "focus"):
        for ground in (colors["paper"], colors["tint"], "#fdf6e7", "#fdf3c7", "#eef3f8"):
            assert contrast(colors[ink], ground) >= 4.5, (ink, ground)
    assert contrast("#ffffff", colors["deep"]) >= 4.5


def test_a_layer_of_more_objects_than_a_browser_draws_says_how_many(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resilience.outputs.page_map.MAP_OBJECTS", 2)
    (series,) = [layer for layer in map_layers(report) if layer["id"] == "series"]
    assert (len(series["features"]), series["total"]) == (2, 3)  # type: ignore[arg-type]
    assert "2 objets montrés sur 3" in render_page(report)
