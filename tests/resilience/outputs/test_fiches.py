"""Cards of works: a page each, with what a committee asks, and a map where the works stand."""

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from gracethd.outputs.workbook import write_workbook
from resilience.outputs import ground_map
from resilience.outputs.fiches import action_cards, draw_works
from resilience.outputs.report import Report
from resilience.outputs.sheets import study_sheets


def test_each_work_has_a_card_of_words_and_written_numbers(report: Report) -> None:
    (sheet,) = action_cards(report)
    first, second = sheet.cards
    assert [card.title for card in sheet.cards] == [
        "1. +Surélever l'armoire du PM1",
        "2. Enfouir la série <b>CM-A</b>",
    ]
    facts = dict(first.facts)
    assert facts["Coût HT"] == "20\u202f000 € (10\u202f000 à 45\u202f000), prix de 2024"
    assert facts["Famille"] == "Sécurisation de site"
    assert facts["Prises sécurisées"] == "1\u202f200"
    assert "Longueur (m)" not in facts  # a cabinet has none
    assert dict(second.facts)["Longueur (m)"] == "1\u202f300"
    assert all(card.picture.startswith(b"\x89PNG") for card in sheet.cards)


def test_the_sheet_prints_a_page_a_work_with_its_picture(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    write_workbook(study_sheets(report), path, title="t", recipient="r", day=report.day)
    page = openpyxl.load_workbook(path)["Fiches"]
    texts = [cell.value for cell in page["A"] if cell.value]
    assert texts[3] == "1. +Surélever l'armoire du PM1"
    assert all(cell.data_type != "f" for row in page.rows for cell in row)
    assert len(page._images) == 2
    assert [page.cell(b.id + 1, 1).value for b in page.row_breaks.brk] == ["2. Enfouir la série <b>CM-A</b>"]


def test_equal_works_have_equal_pictures_and_others_not(report: Report) -> None:
    assert report.plan is not None
    one, other = report.plan.geometry
    assert draw_works(one, report) == draw_works(one, report)
    assert draw_works(one, report) != draw_works(other, report)
    assert draw_works(one, replace(report, rooms=None)) != draw_works(one, report)


def test_without_matplotlib_the_cards_say_why_they_have_no_map(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground_map, "find_spec", lambda _: None)
    (sheet,) = action_cards(report)
    assert "pip install 'gracethd[images]'" in sheet.note
    assert [card.picture for card in sheet.cards] == [b"", b""]


def test_a_plan_without_works_has_no_cards(report: Report) -> None:
    assert report.plan is not None
    assert action_cards(replace(report, plan=None)) == []
    assert action_cards(replace(report, plan=report.plan.iloc[:0])) == []
