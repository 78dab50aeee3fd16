"""Workbooks that a programme manager opens: French headings, totals, print set-up; one writer.

Text is always written as text: a cell that begins with = + - @ shows as it is and is never a formula. The
only formulas are the totals, which carry their value, so that a reader that does not calculate shows them.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format as XlsxFormat
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from gracethd.outputs.labels import (
    MOST_DECIMALS,
    column_format,
    column_label,
    is_missing,
    significant_decimals,
    value_label,
    written,
)
from gracethd.outputs.publish import DIFFUSION, fixed_moment, marking, written_aside

_HEADER_ROW = 4
_MAX_ROWS = 1_000_000  # a sheet holds 1,048,576 rows
_MAX_TEXT = 32_767  # characters in a cell
_FILLED = 0.9  # of a width, in characters: the fonts that stand in for Calibri are wider
_LINE_POINTS, _TITLE_POINTS, _HIGHEST_POINTS = 13.5, 24, 409  # Excel takes no higher row
_CARD_WIDTHS = (26, 72)
_PICTURE_POINTS, _PICTURE_PIXELS = 380, (690, 495)
_THOUSANDS = '[>=1000000]#"\u202f"###"\u202f"##0;[>=1000]#"\u202f"##0;0'
_NUMBER_FORMATS = {
    "int": _THOUSANDS,
    "dec": "0.0",
    "dec2": "0.00",
    "eur": _THOUSANDS,
    "eur2": "0.00",
    "share": "0.0%",
    "year": "0",
    # a cell of a column of values shows three figures: General in such a section is ### in LibreOffice
    "value": _THOUSANDS,
    **{f"value_{n}": f"0.{n * '0'}" for n in range(1, MOST_DECIMALS + 1)},
    "text": "@",
    "bool": "@",
}
_PRIORITIES = (("P1", "#F4C7C3"), ("P2", "#FBE3C0"), ("P3", "#FFF6CC"))


@dataclass(frozen=True)
class Sheet:
    r"""One sheet: a table with what a reader must know about it.

    Attributes
    ----------
    name : str
        Of the tab; at most 31 characters, none of ``[ ] : * ? / \``.
    frame : DataFrame
        Machine names as columns; headings, formats and words for codes come from `labels`. Geometry is
        left out.
    title : str
    note : str
        One line under the title: what was left out, what a column means.
    totals : tuple of str
        Columns with a total under the table, over the rows that a filter leaves visible.
    curve : (str, str), optional
        Columns for the horizontal and the vertical axis of a chart drawn under the table.
    on_paper : int, optional
        Columns that are printed, the first ones; the others are grouped behind. None = all.
    choices : mapping of str to sequence of str
        Columns that readers fill from a closed list, and the list: drop-downs in their cells.
    """

    name: str
    frame: pd.DataFrame
    title: str
    note: str = ""
    totals: tuple[str, ...] = ()
    curve: tuple[str, str] | None = None
    on_paper: int | None = None
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """One object told on a page of its own.

    Attributes
    ----------
    title : str
    facts : sequence of (str, str)
        Headings and texts, in reading order; empty texts are left out.
    picture : bytes
        A PNG drawn under them, empty where there is none.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    picture: bytes = b""


@dataclass(frozen=True)
class Cards:
    """A sheet of cards, one printed page each; `name`, `title` and `note` as those of a `Sheet`."""

    name: str
    cards: Sequence[Card]
    title: str
    note: str = ""


def write_workbook(
    sheets: Sequence[Sheet | Cards],
    path: Path,
    *,
    title: str,
    recipient: str,
    day: date,
    notes: Sequence[str] = (),
) -> None:
    """Write sheets to an XLSX behind a first sheet `Lisez-moi`, whole, owner only.

    Parameters
    ----------
    sheets : sequence of Sheet or Cards
    path : Path
    title : str
        Of the document, French.
    recipient : str
    day : date
        Date of the study. Inner dates are SOURCE_DATE_EPOCH, else this day: equal content, equal bytes.
    notes : sequence of str
        Paragraphs of `Lisez-moi`: what the document is, hypotheses, what it does not cover.
    """
    with written_aside(path) as aside:
        book = xlsxwriter.Workbook(
            str(aside), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        )
        book.set_properties(
            {"title": title, "comments": DIFFUSION, "created": fixed_moment(day).replace(tzinfo=None)}
        )
        formats = _formats(book)
        _write_readme(book, formats, sheets, title=title, mark=marking(recipient, day), notes=notes)
        for sheet in sheets:
            if isinstance(sheet, Cards):
                _write_cards(book, formats, sheet, marking(recipient, day))
            else:
                _write_sheet(book, formats, sheet, marking(recipient, day))
        book.close()


def _formats(book: Workbook) -> dict[str, XlsxFormat]:
    base = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
    heading = {
        "bold": True,
        "font_color": "#FFFFFF",
        "bg_color": "#1F3A52",
        "text_wrap": True,
        "valign": "vcenter",
    }
    formats = {
        "title": book.add_format({**base, "bold": True, "font_size": 16, "font_color": "#1F3A52"}),
        "mark": book.add_format({**base, "bold": True, "font_color": "#A8261F"}),
        "note": book.add_format({**base, "italic": True, "font_color": "#4A5560"}),
        "paragraph": book.add_format({**base, "text_wrap": True, "font_size": 11}),
        "strong": book.add_format({**base, "bold": True}),
        "card": book.add_format({**base, "bold": True, "font_size": 13, "font_color": "#1F3A52"}),
        "head": book.add_format({**base, **heading, "border": 1, "border_color": "#FFFFFF"}),
    }
    line = {"bottom": 1, "bottom_color": "#D5DADF"}
    for name, number_format in _NUMBER_FORMATS.items():
        wrap = {"text_wrap": True} if name == "text" else {}
        formats[name] = book.add_format({**base, **line, **wrap, "num_format": number_format})
        total = {"bold": True, "top": 2, "top_color": "#1F3A52", "num_format": number_format}
        formats[f"total_{name}"] = book.add_format({**base, **total})
    for priority, color in _PRIORITIES:
        formats[priority] = book.add_format({"bg_color": color})
    return formats


def _write_readme(
    book: Workbook,
    formats: dict[str, XlsxFormat],
    sheets: Sequence[Sheet | Cards],
    *,
    title: str,
    mark: str,
    notes: Sequence[str],
) -> None:
    page = book.add_worksheet("Lisez-moi")
    page.hide_gridlines(2)
    page.set_column(0, 0, 26)
    page.set_column(1, 1, 96)
    _text(page, 0, 0, title, formats["title"])
    page.set_row(0, _TITLE_POINTS)
    _text(page, 1, 0, mark, formats["mark"])
    row = 3
    for note in notes:
        page.merge_range(row, 0, row, 1, "", formats["paragraph"])
        _text(page, row, 0, note, formats["paragraph"])
        page.set_row(row, 15 * _n_lines(note, 122))
        row += 1
    row += 1
    _text(page, row, 0, "Feuille", formats["head"])
    _text(page, row, 1, "Contenu", formats["head"])
    for offset, sheet in enumerate(sheets, start=1):
        _text(page, row + offset, 0, sheet.name, formats["strong"])
        content = f"{sheet.title}. {sheet.note}".strip()
        _text(page, row + offset, 1, content, formats["text"])
        page.set_row(row + offset, _LINE_POINTS * _n_lines(content, 96))
    _print_setup(page, mark, repeat=None)


def _write_sheet(book: Workbook, formats: dict[str, XlsxFormat], sheet: Sheet, mark: str) -> None:
    page = book.add_worksheet(sheet.name)
    frame, left_out = sheet.frame.iloc[:_MAX_ROWS], max(0, len(sheet.frame) - _MAX_ROWS)
    columns = [name for name in frame.columns if str(frame[name].dtype) != "geometry"]
    note = f"{sheet.note} {left_out} lignes ne tiennent pas dans une feuille." if left_out else sheet.note
    _text(page, 0, 0, sheet.title, formats["title"])
    page.set_row(0, _TITLE_POINTS)
    _text(page, 1, 0, mark, formats["mark"])
    _text(page, 2, 0, note, formats["note"])
    n_lines = [1] * len(frame)
    for position, name in enumerate(columns):
        how = column_format(name, frame[name])
        texts = _write_column(page, position, frame[name], formats, how)
        _text(page, _HEADER_ROW, position, column_label(name), formats["head"])
        width = _width(column_label(name), texts)
        behind = sheet.on_paper is not None and position >= sheet.on_paper
        page.set_column(position, position, width, None, {"level": 1, "hidden": True} if behind else {})
        if not behind:
            n_lines = [max(n, _n_lines(text, width)) for n, text in zip(n_lines, texts, strict=True)]
        if name in sheet.choices and len(frame):
            last = _HEADER_ROW + len(frame)
            allowed = {"validate": "list", "source": list(sheet.choices[name])}
            page.data_validation(_HEADER_ROW + 1, position, last, position, allowed)
        if name in sheet.totals and len(frame):
            _write_total(page, position, frame[name], formats[f"total_{how}"])
    for row, n in enumerate(n_lines, start=_HEADER_ROW + 1):
        if n > 1:
            page.set_row(row, min(_HIGHEST_POINTS, _LINE_POINTS * n))
    if sheet.totals and len(frame) and columns and columns[0] not in sheet.totals:
        _text(page, _HEADER_ROW + len(frame) + 1, 0, "Total", formats["total_text"])
    if sheet.curve is not None and len(frame):
        _draw_curve(book, page, sheet, columns, len(frame))
    _arrange(page, formats, columns, len(frame))
    _print_setup(page, mark, repeat=_HEADER_ROW)
    if sheet.curve is not None:
        page.fit_to_pages(1, 1)  # a table and its curve are read together
    if sheet.on_paper is not None:
        page.print_area(0, 0, _HEADER_ROW + len(frame) + 1, sheet.on_paper - 1)


def _write_cards(book: Workbook, formats: dict[str, XlsxFormat], sheet: Cards, mark: str) -> None:
    page = book.add_worksheet(sheet.name)
    page.hide_gridlines(2)
    page.set_column(0, 0, _CARD_WIDTHS[0])
    page.set_column(1, 1, _CARD_WIDTHS[1])
    _text(page, 0, 0, sheet.title, formats["title"])
    page.set_row(0, _TITLE_POINTS)
    _text(page, 1, 0, mark, formats["mark"])
    _text(page, 2, 0, sheet.note, formats["note"])
    row, breaks = 4, []
    for number, card in enumerate(sheet.cards):
        if number:
            breaks.append(row)
        _text(page, row, 0, card.title, formats["card"])
        page.set_row(row, _TITLE_POINTS)
        row += 1
        for heading, text in card.facts:
            if text:
                _text(page, row, 0, heading, formats["strong"])
                _text(page, row, 1, text, formats["text"])
                page.set_row(row, min(_HIGHEST_POINTS, _LINE_POINTS * _n_lines(text, _CARD_WIDTHS[1])))
                row += 1
        if card.picture:
            page.set_row(row, _PICTURE_POINTS)
            page.insert_image(
                row, 0, f"{number}.png",
                {"image_data": BytesIO(card.picture), "x_offset": 4, "y_offset": 4, "object_position": 1,
                 "description": card.title[:250], **_fitted(card.picture)},
            )  # fmt: skip
            row += 1
        row += 1
    _print_setup(page, mark, repeat=None)
    page.set_portrait()
    page.set_h_pagebreaks(breaks)


def _fitted(picture: bytes) -> dict[str, float]:
    """Scale a PNG to the width of a card, and to the height of its row if that is less."""
    # width and height stand at fixed places of the first chunk of a PNG
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    scale = min(_PICTURE_PIXELS[0] / width, _PICTURE_PIXELS[1] / height)
    return {"x_scale": scale, "y_scale": scale}


def _write_column(
    page: Worksheet, position: int, values: pd.Series, formats: dict[str, XlsxFormat], how: str
) -> list[str]:
    """Write one column cell by cell (xlsxwriter has no other way) and give its texts, for the width."""
    texts, style, name = [], formats[how], str(values.name)
    for row, value in enumerate(values.tolist(), start=_HEADER_ROW + 1):
        text = ""
        if is_missing(value):
            page.write_blank(row, position, None, style)
        elif isinstance(value, (bool, np.bool_)):
            _text(page, row, position, "oui" if value else "non", style)
        elif isinstance(value, (int, float, np.number)) and np.isfinite(value):
            decimals = significant_decimals(float(value)) if how == "value" else 0
            page.write_number(row, position, value, formats[f"value_{decimals}"] if decimals else style)
            text = written(value, "value") if decimals else f"{value:,.0f}"
        else:
            text = _day(value) if isinstance(value, (date, datetime)) else value_label(name, value)
            _text(page, row, position, text, style)
        texts.append(text)
    return texts


def _day(value: date) -> str:
    return value.isoformat()[:10]


def _text(page: Worksheet, row: int, column: int, text: str, style: XlsxFormat) -> None:
    """Write text as text; line ends become LF and lone surrogates, which no XLSX can hold, question marks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    sound = text.encode("utf-8", "replace").decode("utf-8")
    page.write_string(row, column, sound if len(sound) <= _MAX_TEXT else f"{sound[: _MAX_TEXT - 1]}…", style)


def _width(label: str, texts: list[str]) -> float:
    longest_word = max((len(word) for word in label.split()), default=0)
    widest = max((len(text) for text in texts[:2000]), default=0)
    return float(min(48, max(8, longest_word + 3, len(label) / 2.5, widest / _FILLED + 2)))


def _n_lines(text: str, width: float) -> int:
    """Give the lines that a text takes in a column: rows are as high as their text in any program.

    Excel finds heights as it opens a file, LibreOffice does not and would write lines over each other.
    """
    room = max(1, int(_FILLED * width))
    if len(text) <= room and "\n" not in text:
        return 1
    return max(1, sum(max(1, len(textwrap.wrap(part, room))) for part in text.split("\n")))


def _write_total(page: Worksheet, position: int, values: pd.Series, style: XlsxFormat) -> None:
    first, last = _HEADER_ROW + 2, _HEADER_ROW + 1 + len(values)  # as Excel counts rows, from 1
    letter = xl_col_to_name(position)
    total = float(pd.to_numeric(values).sum())
    formula = f"=SUBTOTAL(109,{letter}{first}:{letter}{last})"
    page.write_formula(last, position, formula, style, int(total) if total.is_integer() else total)


def _draw_curve(book: Workbook, page: Worksheet, sheet: Sheet, columns: list[str], n_rows: int) -> None:
    """Draw one column over another, evenly spaced along the horizontal axis, with its values."""
    assert sheet.curve is not None
    along, up = (columns.index(name) for name in sheet.curve)
    first, last = _HEADER_ROW + 1, _HEADER_ROW + n_rows
    chart = book.add_chart({"type": "line"})
    chart.add_series(
        {
            "categories": [sheet.name, first, along, last, along],
            "values": [sheet.name, first, up, last, up],
            "line": {"color": "#A8261F", "width": 2.25},
            "marker": {"type": "circle", "size": 6, "fill": {"color": "#A8261F"}, "border": {"none": True}},
            "data_labels": {"value": True, "position": "above", "num_format": _THOUSANDS},
        }
    )
    chart.set_title({"name": sheet.title, "name_font": {"size": 11}})
    chart.set_legend({"none": True})
    chart.set_x_axis({"name": column_label(sheet.curve[0]), "num_format": _THOUSANDS})
    chart.set_y_axis({"name": column_label(sheet.curve[1]), "min": 0, "num_format": _THOUSANDS})
    chart.set_size({"width": 760, "height": 340})
    page.insert_chart(last + 2, 0, chart)


def _arrange(page: Worksheet, formats: dict[str, XlsxFormat], columns: list[str], n_rows: int) -> None:
    page.hide_gridlines(2)
    page.set_row(_HEADER_ROW, 45)
    page.freeze_panes(_HEADER_ROW + 1, min(2, max(0, len(columns) - 1)))
    if columns:
        page.autofilter(_HEADER_ROW, 0, _HEADER_ROW + n_rows, len(columns) - 1)
    if "priority" in columns and n_rows:
        position = columns.index("priority")
        for priority, _ in _PRIORITIES:
            rule = {"type": "cell", "criteria": "==", "value": f'"{priority}"', "format": formats[priority]}
            page.conditional_format(_HEADER_ROW + 1, position, _HEADER_ROW + n_rows, position, rule)


def _print_setup(page: Worksheet, mark: str, *, repeat: int | None) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    head = mark.replace("&", "&&")
    page.set_header(f"&L&9{head if len(head) <= 200 else DIFFUSION}")  # Excel takes 255 characters
    page.set_footer("&L&9&A&R&9page &P / &N")
    if repeat is not None:
        page.repeat_rows(repeat)
