"""Tables of the page: frames as headed, sorted, written cells that a template lays out."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gracethd.outputs.labels import (
    Format,
    Language,
    column_format,
    column_label,
    is_missing,
    phrase,
    value_label,
    written,
)
from resilience.loss.means import NORMAL_95

_MARGINS = {
    "prises_down_se": "prises_down_margin", "prises_h_se": "prises_h_margin", "standard_error": "margin",
}  # fmt: skip
_TO = "\u2013"  # en dash
TABLE_ROWS = 500
"""Rows that the page shows of one table; the files beside it hold them all."""


@dataclass(frozen=True)
class Cell:
    """One cell: its text, the number it sorts by (or ""), its share of the column's largest value (0-100)."""

    text: str
    number: str = ""
    bar: float = 0.0


@dataclass(frozen=True)
class Column:
    """One column: machine name, heading, whether it is aligned and sorted as numbers."""

    name: str
    label: str
    is_number: bool


@dataclass(frozen=True)
class Table:
    """One table as the template lays it out; `keys` link rows with objects of the map ("" where none)."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    keys: tuple[str, ...]
    note: str = ""


def page_table(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    name: str,
    title: str,
    language: Language,
    bars: Sequence[str] = (),
    on_map: bool = False,
) -> Table:
    """Give the first rows of a frame as a table of the page.

    Parameters
    ----------
    frame : DataFrame
    columns : sequence of str
        Those that the frame does not have, or holds nothing in, are left out.
    name : str
        Identifier in the page; rows are linked with objects ``name:position`` of the map.
    bars : sequence of str
        Numeric columns whose cells show a bar, scaled to the column's largest value.
    on_map : bool
        Whether rows of a frame with geometry are linked with the map.
    """
    shown = frame.head(TABLE_ROWS)
    kept = [c for c in columns if c in shown.columns and not all(map(is_missing, shown[c].tolist()))]
    kept = kept or [c for c in columns if c in shown.columns]
    formats = {c: column_format(c, shown[c]) for c in kept}
    cells = [_cells(shown[c], c, formats[c], language, has_bar=c in bars) for c in kept]
    placed = (
        shown.geometry.notna().tolist() if on_map and hasattr(shown, "geometry") else [False] * len(shown)
    )
    note = ""
    if len(frame) > len(shown):
        counts = {
            "shown": written(len(shown), "int", language),
            "total": written(len(frame), "int", language),
        }
        note = phrase("truncated", language, **counts)
    return Table(
        id=name,
        title=title,
        columns=tuple(Column(c, column_label(c, language), _is_number(c, formats[c])) for c in kept),
        rows=tuple(zip(*cells, strict=True)) if cells else (),
        keys=tuple(f"{name}:{i}" if there else "" for i, there in enumerate(placed)),
        note=note,
    )


def _is_number(name: str, how: Format) -> bool:
    return how not in {"text", "bool"} or name.endswith("_range")


def with_ranges(plan: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Give the plan with its intervals in words: cost_eur_range, prises_h_avoided_range, rank_range."""
    pairs: dict[str, tuple[str, str, Format]] = {
        "cost_eur_range": ("cost_eur_low", "cost_eur_high", "eur"),
        "prises_h_avoided_range": ("prises_h_avoided_per_year_low", "prises_h_avoided_per_year_high", "int"),
        "rank_range": ("rank_low", "rank_high", "int"),
    }
    ranges = {
        name: pd.Series(
            [
                f"{written(a, how, language)} {_TO} {written(b, how, language)}"
                for a, b in zip(plan[low].tolist(), plan[high].tolist(), strict=True)
            ],
            index=plan.index,
            dtype=str,
        )
        for name, (low, high, how) in pairs.items()
        if {low, high} <= set(plan.columns)
    }
    return plan.assign(**ranges)


def with_margins(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the margin of each drawn mean, half of its 95 % interval, in the place of its standard error."""
    errors = [name for name in _MARGINS if name in frame.columns]
    return frame.assign(**{name: NORMAL_95 * frame[name] for name in errors}).rename(columns=_MARGINS)


def _cells(values: pd.Series, name: str, how: Format, language: Language, *, has_bar: bool) -> list[Cell]:
    items = values.tolist()
    numbers = [v for v in items if has_bar and isinstance(v, (int, float)) and not is_missing(v)]
    largest = max((float(v) for v in numbers), default=0.0)
    return [_cell(v, name, how, language, largest) for v in items]


def _cell(value: object, name: str, how: Format, language: Language, largest: float) -> Cell:
    if isinstance(value, str):
        return Cell(value_label(name, value, language) if value else written(value, how, language))
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not is_missing(value):
        bar = round(100 * max(0.0, float(value)) / largest, 1) if largest > 0 else 0.0
        return Cell(written(value, how, language), repr(value), bar)
    return Cell(written(value, how, language))
