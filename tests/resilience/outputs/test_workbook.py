"""The workbook, read back with another library."""

import hashlib
import stat
import time
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook.workbook import Workbook

from gracethd.outputs.workbook import Sheet, write_workbook
from resilience.outputs.report import Report
from resilience.outputs.sheets import study_notes, study_sheets
from tests.hostile_text import FORMULA, HOSTILE

DAY = date(2026, 3, 1)
HEADER = 5  # row of the headings, as Excel counts


@pytest.fixture
def written(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "plan.xlsx"
    sheets, notes = study_sheets(report), study_notes(report)
    write_workbook(sheets, path, title=report.title, recipient=report.recipient, day=report.day, notes=notes)
    return path


def column(book: Workbook, sheet: str, heading: str) -> list[object]:
    page = book[sheet]
    letter = next(cell.column for cell in page[HEADER] if cell.value == heading)
    return [page.cell(row, letter).value for row in range(HEADER + 1, page.max_row + 1)]


def test_the_sheets_are_those_of_the_study(written: Path) -> None:
    assert openpyxl.load_workbook(written).sheetnames == [
        "Lisez-moi", "Synthèse", "Plan", "Enfouissement", "Sécurisation de site", "Écartées", "Fiches",
        "SPOF", "Séries", "Bouclages", "Aléas", "Exposition",
        "Non cartographié", "Événements",
        "Perte annuelle", "Pertes communes", "Conventions", "Constats", "Niveaux", "Hypothèses",
    ]  # fmt: skip


def test_plan_rows_are_those_of_the_plan(written: Path, report: Report) -> None:
    book = openpyxl.load_workbook(written, data_only=True)
    assert column(book, "Plan", "Action") == ["A-001", "A-002", None]
    assert column(book, "Plan", "Famille")[:2] == ["Sécurisation de site", "Enfouissement"]
    assert column(book, "Plan", "Libellé")[0] == report.plan["libelle"].iloc[0]
    assert column(book, "Plan", "Longueur (m)")[0] is None


def test_a_drawn_mean_stands_with_its_margin(written: Path) -> None:
    """1.96 standard errors on either side hold 95 % of a normal law; rates are exact."""
    book = openpyxl.load_workbook(written, data_only=True)
    events = column(book, "Événements", "Prises·h perdues, ± de la moyenne à 95 %")
    assert events[:2] == pytest.approx([19.6, 3920.0], abs=0.1)
    assert column(book, "Perte annuelle", "± de la moyenne, à 95 %")[:4] == pytest.approx(
        [61.15, 0, 0, 0], abs=0.01
    )


def test_rows_are_as_high_as_what_is_written_in_them(tmp_path: Path) -> None:
    """48 characters at most a line: LibreOffice finds no height by itself, and lines would overlap."""
    words = "mot " * 40
    frame = pd.DataFrame({"libelle": ["court", words.strip(), "deux\nlignes", "mot " * 8000], "prises": 1})
    path = tmp_path / "plan.xlsx"
    write_workbook([Sheet("Plan", frame, "Titre", words)], path, title="T", recipient="R", day=DAY)
    book = openpyxl.load_workbook(path)
    heights = [book["Plan"].row_dimensions[HEADER + 1 + row].height for row in range(4)]
    assert heights[0] is None
    assert heights[1] is not None
    assert len(words) / 48 * 13 < heights[1] < len(words) / 48 * 13 * 1.6
    assert heights[2:] == pytest.approx([27, 409], abs=0.5)
    read_me = book["Lisez-moi"]
    row = next(cell.row for cell in read_me["A"] if cell.value == "Plan")
    assert read_me.row_dimensions[row].height == 27  # 160 characters on 96


def test_totals_are_formulas_that_carry_their_value(written: Path, report: Report) -> None:
    formula = column(openpyxl.load_workbook(written), "Plan", "Coût HT (€)")[-1]
    assert isinstance(formula, str)
    assert formula.startswith("=SUBTOTAL(109,")
    span = formula.removeprefix("=SUBTOTAL(109,").removesuffix(")")
    plain = openpyxl.load_workbook(written, data_only=True)
    summed = [cell.value for row in plain["Plan"][span] for cell in row]
    assert summed == report.plan["cost_eur_central"].tolist()
    assert column(plain, "Plan", "Coût HT (€)")[-1] == 137000


def test_no_text_is_ever_a_formula(written: Path) -> None:
    book = openpyxl.load_workbook(written)
    formulas = [c.coordinate for page in book for row in page.iter_rows() for c in row
                if c.data_type == "f" and not str(c.value).startswith("=SUBTOTAL(109,")]  # fmt: skip
    assert formulas == []
    texts = {str(c.value) for page in book for row in page.iter_rows() for c in row if c.data_type == "s"}
    assert {FORMULA, HOSTILE, "@SUM(A1)", "+Surélever l'armoire du PM1"} <= texts


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "{=1}", "http://exemple.invalid", "1e5", "a\x01b"]
)
def test_hostile_text_stays_text(tmp_path: Path, text: str) -> None:
    sheet = Sheet("A", pd.DataFrame({"code": [text]}), text)
    write_workbook([sheet], tmp_path / "a.xlsx", title=text, recipient=text, day=DAY)
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["A"]
    cell = page.cell(HEADER + 1, 1)
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert str(cell.value).replace("_x0001_", "\x01") == text.replace("\r", "\n")


def test_each_sheet_carries_the_mark_and_is_ready_to_print(written: Path, report: Report) -> None:
    for page in openpyxl.load_workbook(written):
        marks = [str(page.cell(row, 1).value) for row in (1, 2)]
        assert any("DIFFUSION RESTREINTE" in text and report.recipient in text for text in marks), page.title
        assert page.page_setup.orientation == ("portrait" if page.title == "Fiches" else "landscape")
        assert page.page_setup.paperSize == 9
        assert "DIFFUSION RESTREINTE" in str(page.oddHeader.left.text)
        if page.title not in {"Lisez-moi", "Fiches"}:
            assert page.print_title_rows == "$5:$5"
            assert page.freeze_panes is not None
            assert page.auto_filter.ref.startswith("A5:")


def test_numbers_are_shown_with_thin_spaces(written: Path) -> None:
    page = openpyxl.load_workbook(written)["SPOF"]
    cut = next(cell for cell in page[HEADER] if cell.value == "Prises coupées")
    assert "\u202f" in page.cell(HEADER + 1, cut.column).number_format
    assert page.cell(HEADER + 1, cut.column).value == 5510


def test_a_column_of_values_shows_three_figures_of_each(tmp_path: Path) -> None:
    shown = {14.02: "0", 0.0035: "0.0000", 2.5: "0.0", 0.000123456: "0.000000", 12345.6: "0"}
    sheet = Sheet("Valeurs", pd.DataFrame({"value": list(shown)}), "Valeurs")
    write_workbook([sheet], tmp_path / "v.xlsx", title="", recipient="", day=date(2026, 12, 1), notes=[])
    page = openpyxl.load_workbook(tmp_path / "v.xlsx")["Valeurs"]
    cells = [page.cell(HEADER + 1 + row, 1) for row in range(len(shown))]
    assert [cell.value for cell in cells] == list(shown)
    assert [cell.number_format.split(";")[-1] for cell in cells] == list(shown.values())
    # "General" beside conditions is ### in LibreOffice where a number has many decimals
    assert not any("General" in cell.number_format for cell in cells)


def test_equal_content_gives_equal_bytes_another_day(written: Path, report: Report, tmp_path: Path) -> None:
    time.sleep(2.1)  # zip archives count in steps of two seconds
    again = tmp_path / "again.xlsx"
    write_workbook(
        study_sheets(report), again, title=report.title, recipient=report.recipient, day=report.day,
        notes=study_notes(report),
    )  # fmt: skip
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (written, again)}
    assert len(digests) == 1
    assert stat.S_IMODE(again.stat().st_mode) == 0o600


def test_a_study_without_plan_still_makes_a_workbook(report: Report, tmp_path: Path) -> None:
    bare = Report(title="Vide", recipient="", day=report.day)
    write_workbook(
        study_sheets(bare), tmp_path / "a.xlsx", title="Vide", recipient="", day=DAY, notes=study_notes(bare)
    )
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Lisez-moi", "Synthèse"]
    texts = [str(row[0].value) for row in book["Lisez-moi"].iter_rows(max_col=1)]
    assert "Aucun plan d'actions n'a été établi." in texts


def test_long_text_is_cut_and_says_so(tmp_path: Path) -> None:
    sheet = Sheet("A", pd.DataFrame({"code": ["x" * 40_000], "n": [np.inf]}), "A")
    write_workbook([sheet], tmp_path / "a.xlsx", title="A", recipient="", day=DAY)
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["A"]
    text = str(page.cell(HEADER + 1, 1).value)
    assert len(text) == 32_767
    assert text.endswith("…")
    assert page.cell(HEADER + 1, 2).value == "inf"
