"""Words and numbers as people read them, French or English; for workbooks, layers and the page.

The tables beside this module hold every word: ``columns.csv`` (column names with their number format),
``values.csv`` (closed codes), ``phrases.csv`` (sentences of the page). A new column needs a row, no code.
"""

import math
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import pandas as pd

Language = Literal["fr", "en"]
Format = Literal["text", "int", "dec", "dec2", "eur", "eur2", "share", "bool", "year", "value"]

MISSING = "—"
_MINUS = "\u2212"
_THIN = "\u202f"  # narrow no-break space: the French thousands separator
MOST_DECIMALS = 9
_DIGITS: dict[str, int] = {"int": 0, "dec": 1, "dec2": 2, "eur": 0, "eur2": 2, "year": 0}


@cache
def _table(name: str, keys: int) -> dict[tuple[str, ...], dict[str, str]]:
    with (files(__package__) / name).open(encoding="utf-8") as stream:
        frame = pd.read_csv(stream, dtype=str, keep_default_na=False)
    rows = frame.to_dict("records")
    return {tuple(list(row.values())[:keys]): {str(k): str(v) for k, v in row.items()} for row in rows}


def column_label(name: str, language: Language = "fr") -> str:
    """Give the heading of a column; a column without a row in ``columns.csv`` keeps its name, spaced.

    Examples
    --------
    >>> column_label("prises_cut"), column_label("prises_cut", "en"), column_label("new_thing")
    ('Prises coupées', 'Prises cut', 'new thing')
    """
    row = _table("columns.csv", 1).get((name,))
    return row[language] if row else name.replace("_", " ")


def column_format(name: str, values: pd.Series) -> Format:
    """Give how the values of a column are written: from ``columns.csv``, else from their dtype."""
    row = _table("columns.csv", 1).get((name,))
    if row and (row["format"] in {"text", "value"} or pd.api.types.is_numeric_dtype(values)):
        return row["format"]  # type: ignore[return-value]
    if pd.api.types.is_bool_dtype(values):
        return "bool"
    if pd.api.types.is_integer_dtype(values):
        return "int"
    return "dec2" if pd.api.types.is_float_dtype(values) else "text"


def value_label(column: str, value: object, language: Language = "fr") -> str:
    """Give the word for a closed code (``kind``, ``famille``...), or the value itself.

    Examples
    --------
    >>> value_label("famille", "SECURISATION_SITE"), value_label("code", "CB1")
    ('Sécurisation de site', 'CB1')
    """
    row = _table("values.csv", 2).get((column, str(value)))
    return row[language] if row else str(value)


def phrase(key: str, language: Language = "fr", **values: object) -> str:
    """Give a sentence of ``phrases.csv`` with its blanks filled; a KeyError names an unknown one."""
    return _table("phrases.csv", 1)[(key,)][language].format(**values)


def phrases(language: Language) -> dict[str, str]:
    """Give every sentence of ``phrases.csv`` in one language, blanks not filled."""
    return {key[0]: row[language] for key, row in _table("phrases.csv", 1).items()}


def is_missing(value: object) -> bool:
    """Tell whether a cell holds nothing: None, NaN, NaT, NA or empty text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    return value == "" if isinstance(value, str) else False


def written(value: object, how: Format, language: Language = "fr") -> str:
    r"""Write one value for a reader: thin spaces in thousands, decimal comma in French, a dash for nothing.

    Examples
    --------
    >>> written(1965, "int") == "1\u202f965", written(None, "int")
    (True, '—')
    """
    if is_missing(value):
        return MISSING
    if isinstance(value, (bool, np.bool_)):
        return {"fr": ("non", "oui"), "en": ("no", "yes")}[language][bool(value)]
    if how == "text" or isinstance(value, str) or not isinstance(value, (int, float, np.number)):
        return str(value)
    return _written_number(float(value), how, language)


def _written_number(value: float, how: Format, language: Language) -> str:
    if how == "year":
        return str(int(value))
    if how == "value":
        return _number(value, significant_decimals(value), language)
    if how == "share":
        percent = f"{value * 100:.1f}"
        return _number(float(percent), _decimals(percent), language) + f"{_THIN}%"
    return _number(value, _DIGITS.get(how, 2), language)


def _number(value: float, digits: int, language: Language) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    text = f"{value:,.{digits}f}"
    text = "0" if float(text.replace(",", "")) == 0 and digits == 0 else text.replace("-", _MINUS)
    return text if language == "en" else text.replace(",", _THIN).replace(".", ",")


def significant_decimals(value: float) -> int:
    """Give the decimals, at most `MOST_DECIMALS`, that show three figures of a number, without zeros behind.

    Examples
    --------
    >>> [significant_decimals(value) for value in (14.02, 0.0035, 12345.6, 2.0)]
    [0, 4, 0, 0]
    """
    if math.isinf(value) or value == round(value):
        return 0
    digits = min(MOST_DECIMALS, max(0, 2 - math.floor(math.log10(abs(value)))))
    return _decimals(f"{value:.{digits}f}")


def _decimals(text: str) -> int:
    return len(text.partition(".")[2].rstrip("0"))
