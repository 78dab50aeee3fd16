"""Text columns are read as an engineer reads them, or reported; never guessed."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.values import parse_bool, parse_date, parse_number


def texts(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype=str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("t", True), ("T", True), ("1", True), ("O", True), ("true", True), ("f", False), ("0", False),
     ("N", False), ("FALSE", False)],
)  # fmt: skip
def test_booleans_in_use_are_read(text: str, expected: bool) -> None:  # noqa: FBT001 - a case, not an option
    values, unreadable = parse_bool(texts(text))
    assert values[0] == expected
    assert not unreadable[0]


def test_missing_is_neither_a_value_nor_unreadable() -> None:
    for parse in (parse_bool, parse_number, parse_date):
        values, unreadable = parse(texts(None, None))
        assert values.isna().all()
        assert not unreadable.any()
        empty_values, empty_mask = parse(texts())
        assert len(empty_values) == len(empty_mask) == 0
        assert empty_mask.dtype == bool


@pytest.mark.parametrize(
    "text", ["12 m", "nan", "inf", "1e400", "0x10", "1_000", "1 000", "--1", "", "\u0661", "1.2.3"]
)
def test_what_is_not_a_number_is_unreadable(text: str) -> None:
    values, unreadable = parse_number(texts(text))
    assert unreadable[0]
    assert math.isnan(values[0])


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_a_written_number_is_read_back(number: float, comma: bool) -> None:  # noqa: FBT001 - drawn
    text = repr(number).replace(".", ",") if comma else repr(number)
    values, unreadable = parse_number(texts(text))
    assert values[0] == number
    assert not unreadable[0]


@given(st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31)))  # noqa: DTZ001
def test_a_date_reads_the_same_in_all_the_forms_met(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0)
    clock = f"{moment:%H:%M:%S}"
    day_first = f"{moment.day:02}/{moment.month:02}/{moment.year:04}"
    iso = moment.date().isoformat()
    written = texts(
        f"{iso} {clock}", f"{day_first} {clock}", f"{iso} {clock.replace(':', '-')}", f"{iso}T{clock}"
    )
    values, unreadable = parse_date(written)
    assert not unreadable.any()
    assert (values == np.datetime64(moment, "s")).all()
    assert (parse_date(texts(iso, day_first))[0] == np.datetime64(moment.date(), "s")).all()


@pytest.mark.parametrize(
    "text", ["31/02/2020", "09/14/2020", "2020-13-01", "14.09.2020", "2020", "2020-01-01 25:00"]
)
def test_an_impossible_date_is_unreadable(text: str) -> None:
    values, unreadable = parse_date(texts(text))
    assert unreadable[0]
    assert values.isna()[0]


def test_parsers_keep_the_index() -> None:
    column = pd.Series(["1", None], index=[7, 3], dtype=str)
    for parse in (parse_bool, parse_number, parse_date):
        values, unreadable = parse(column)
        assert values.index.tolist() == unreadable.index.tolist() == [7, 3]
