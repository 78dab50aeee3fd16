"""The page in a real browser, without a network."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_sets
from resilience.outputs.page import write_page
from resilience.outputs.report import Report

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox", "--disable-dev-shm-usage", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--disable-background-networking",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on PATH and CHROMIUM is not set")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opened(chromium: Any, with_failures: Report, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give the page of the invented study, its plan long enough for a filter, loaded once for all tests."""
    report = with_failures
    longer = replace(report, plan=pd.concat([report.plan] * 5, ignore_index=True).assign(rank=range(1, 11)))
    path = tmp_path_factory.mktemp("page") / "rapport.html"
    write_page(longer, path)
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, locale="fr-FR", offline=True, reduced_motion="reduce"
    )
    page = context.new_page()
    problems: list[str] = []
    requests: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: problems.append(str(e)))
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "blob:", "data:")) else requests.append(r.url)
    )
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready='1']", state="attached", timeout=60_000)
    yield page
    context.close()
    assert problems == []
    assert requests == []


def rendered(page: Any, *layers: str) -> int:
    return int(page.evaluate("layers => map.queryRenderedFeatures({layers}).length", list(layers)))


def until(page: Any, condition: str) -> None:
    """Wait until the condition holds; the page's own policy forbids Playwright's way of waiting."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came true: {condition}")


def look_at_the_middle_of(page: Any, lines: gpd.GeoDataFrame, *, zoom: float) -> None:
    """Bring the middle of a line to the centre of the map, the map to its place in the page."""
    middle = lines.geometry.interpolate(0.5, normalized=True).to_crs(4326).iloc[0]
    page.evaluate("map.stop(); document.getElementById('carte').scrollIntoView({behavior: 'instant'})")
    until(page, "!document.querySelector('#frame.docked')")
    page.evaluate("view => map.jumpTo(view)", {"center": [middle.x, middle.y], "zoom": zoom})
    until(page, "map.loaded()")


def texts(page: Any, column: int) -> list[str]:
    return [
        text.strip()
        for text in page.locator(f"#table-plan tbody tr:visible td:nth-child({column})").all_inner_texts()
    ]


def test_the_map_shows_the_results_and_the_lists_are_whole(opened: Any, tmp_path: Path) -> None:
    assert rendered(opened, "series-line") > 0
    assert rendered(opened, "rooms-point") > 0
    assert rendered(opened, "plan-line", "plan-point") > 0
    assert opened.locator("#table-plan tbody tr").count() == 10
    assert opened.locator("#table-spof tbody tr").count() == 3
    opened.screenshot(path=str(tmp_path / "rapport.png"), full_page=True)
    assert (tmp_path / "rapport.png").stat().st_size > 50_000


def test_hostile_text_does_nothing(opened: Any) -> None:
    assert opened.evaluate("window.stolen") is None
    assert "<script>window.stolen=1</script>" in opened.locator("#table-series").inner_text()
    assert opened.locator("main img, main script").count() == 0


def test_headings_sort_by_number_both_ways(opened: Any) -> None:
    heading = opened.locator("#table-plan th[data-name='prises_secured']")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert texts(opened, 6) == ["5\u202f510"] * 5 + ["1\u202f200"] * 5
    assert texts(opened, 1)[:2] == ["2", "4"]  # equal values keep their order
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert texts(opened, 6)[0] == "1\u202f200"


def test_words_filter_the_list_whatever_their_accents(opened: Any) -> None:
    opened.locator("#table-plan input").fill("SURELEVER elnes")
    assert texts(opened, 1) == ["1", "3", "5", "7", "9"]
    assert opened.locator("#table-plan .count").inner_text() == "5 / 10 lignes"
    opened.locator("#table-plan input").fill("")
    assert len(texts(opened, 1)) == 10


def test_a_click_on_a_row_moves_the_map_and_marks_the_object(opened: Any) -> None:
    before = opened.evaluate("map.getCenter().toArray()")
    row = opened.locator("#table-plan tbody tr").nth(0)
    row.click()
    until(opened, "!map.isMoving()")
    until(opened, "map.queryRenderedFeatures({layers: ['chosen-point']}).length > 0")
    assert opened.evaluate("map.getCenter().toArray()") != before
    assert "chosen" in str(row.get_attribute("class"))
    assert opened.locator("#frame.docked").count() == 1  # the list stays in view, the map comes to it
    opened.locator("#undock").click()
    assert opened.locator("#frame.docked").count() == 0


def test_a_row_answers_to_the_keyboard(opened: Any) -> None:
    row = opened.locator("#table-series tbody tr").nth(1)
    row.focus()
    opened.keyboard.press("Enter")
    until(opened, "map.queryRenderedFeatures({layers: ['chosen-line']}).length > 0")
    assert "chosen" in str(row.get_attribute("class"))


def test_a_click_on_an_object_opens_its_sheet(opened: Any, report: Report) -> None:
    look_at_the_middle_of(opened, report.series.iloc[[2]], zoom=14)
    until(opened, "map.queryRenderedFeatures({layers: ['series-line']}).length > 0")
    box = opened.locator("#map").bounding_box()
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    popup = opened.locator(".maplibregl-popup-content")
    popup.wait_for()
    assert "CM-C" in popup.inner_text()
    assert "Prises coupées" in popup.inner_text()
    popup.locator("button", has_text="Voir dans la liste").click()
    assert opened.evaluate("document.activeElement.dataset.key") == "series:2"


def test_what_fails_together_is_what_python_says(opened: Any, lit: ServiceGraph) -> None:
    index = index_graph(lit, lit.prises[:, None])
    for failed in chain.from_iterable(combinations(range(3), size) for size in range(4)):
        whole = losses_of_sets(index, np.array([0, len(failed)]), np.array(failed, np.int32))[0, 0]
        keys = [f"spof:{row}" for row in failed]
        assert opened.evaluate("keys => window.prisesDown(keys)", keys) == whole, failed


def test_an_object_is_found_by_its_words_and_imagined_down(opened: Any) -> None:
    opened.fill("#search input", "nro de LUMBRES")
    assert opened.locator("#found option").first.get_attribute("value") == "Local NRO1 NRO de Lumbres"
    opened.locator("#search button[data-fail]").click()
    panel = opened.locator("#what-if")
    assert "370 prises coupées, 2 PM touchés" in panel.inner_text()
    opened.fill("#search input", "cheminement cm-a")
    opened.locator("#search button[data-fail]").click()
    assert panel.locator(".fallen li").count() == 2
    panel.locator(".fallen button").first.click()
    # CM-A takes both legs of PM1 in one trench, and the other leg of PM2 stands
    assert "300 prises coupées, 1 PM touchés" in panel.inner_text()
    panel.locator(".fallen button").first.click()
    assert not panel.is_visible()
    opened.fill("#search input", "nulle part")
    opened.locator("#search button", has_text="Montrer").click()
    assert "Rien de ce nom" in opened.locator("#search [role=status]").inner_text()


def test_a_commune_is_found_and_shown(opened: Any) -> None:
    before = opened.evaluate("map.getCenter().toArray()")
    opened.fill("#search input", "lumbres")
    opened.locator("#search button", has_text="Montrer").click()
    until(opened, "!map.isMoving()")
    assert opened.evaluate("map.getCenter().toArray()") != before


def test_a_layer_can_be_switched_off_and_on(opened: Any, report: Report) -> None:
    look_at_the_middle_of(opened, report.series.iloc[[2]], zoom=12)
    box = opened.locator("#layers input[data-layer='series']")
    box.uncheck()
    until(opened, "map.queryRenderedFeatures({layers: ['series-line']}).length === 0")
    box.check()
    until(opened, "map.queryRenderedFeatures({layers: ['series-line']}).length > 0")
    opened.locator("#layers input[data-layer='exposure-crue-100']").check()
    until(opened, "map.queryRenderedFeatures({layers: ['exposure-crue-100-line']}).length > 0")


def test_the_page_prints_with_its_map(opened: Any, tmp_path: Path) -> None:
    opened.pdf(path=str(tmp_path / "rapport.pdf"), format="A4", landscape=True, print_background=True)
    content = (tmp_path / "rapport.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Subtype /Image" in content  # the map's canvas


def test_a_page_without_a_map_is_ready_too(chromium: Any, report: Report, tmp_path: Path) -> None:
    write_page(Report(title="Vide", recipient="", day=report.day), tmp_path / "vide.html")
    page = chromium.new_page()
    page.goto((tmp_path / "vide.html").as_uri())
    page.wait_for_selector("html[data-ready='1']", state="attached", timeout=20_000)
    assert page.locator("#map").count() == 0
    page.close()
