"""Values of text columns: what a GraceTHD attribute says once its text has been understood.

For whoever turns the text of a delivery into numbers, booleans and dates. Each parser takes a column of
text (missing = NaN) and gives the values and a mask of the texts that it could not read; the two have the
index of the column, and a missing text is neither a value nor unreadable.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TRUE_TEXTS = ("t", "1", "o", "true", "oui", "vrai")
FALSE_TEXTS = ("f", "0", "n", "false", "non", "faux")

_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_ISO = r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})"
_FRENCH = r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})"
_TIME = (
    r"(?:[ T](?P<hour>[0-9]{1,2})[:-](?P<minute>[0-9]{2})(?:[:-](?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def parse_bool(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read booleans written t/f, 1/0, O/N, true/false, oui/non or vrai/faux, whatever the case.

    Parameters
    ----------
    text : Series of str
        Missing = NaN.

    Returns
    -------
    values : Series of boolean
        ``<NA>`` where the text is missing or unreadable.
    unreadable : Series of bool

    Examples
    --------
    >>> parse_bool(pd.Series(["t", "N", None, "peut-être"]))[1].tolist()
    [False, False, False, True]
    """
    if not text.notna().any():
        return pd.Series(pd.NA, index=text.index, dtype="boolean"), pd.Series(data=False, index=text.index)
    lower = text.str.lower()
    known = dict.fromkeys(TRUE_TEXTS, True) | dict.fromkeys(FALSE_TEXTS, False)
    values = lower.map(known).astype("boolean")
    return values, (values.isna() & text.notna()).astype(bool)


def parse_number(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read numbers written with a decimal point or a decimal comma; no thousands separator, no unit.

    Parameters
    ----------
    text : Series of str
        Missing = NaN.

    Returns
    -------
    values : Series of float64
        NaN where the text is missing or unreadable; always finite otherwise.
    unreadable : Series of bool

    Examples
    --------
    >>> parse_number(pd.Series(["12", "1,5", "12 m"]))[0].tolist()
    [12.0, 1.5, nan]
    """
    well_formed = text.str.fullmatch(_NUMBER).fillna(value=False).astype(bool)
    numbers = pd.to_numeric(text.where(well_formed).str.replace(",", ".", regex=False), errors="coerce")
    numbers = numbers.astype(np.float64)
    values = numbers.where(np.isfinite(numbers))
    return values, values.isna() & text.notna()


def parse_date(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read dates in the forms that deliveries use; day first wherever slashes follow a day.

    The forms are ``2020-09-14`` and ``14/09/2020``, alone or followed by ``11:11``, ``11:11:11`` or
    ``11-11-11``. A date that the calendar does not hold (31/02/2020) is unreadable. Time zones are read
    over: dates of a delivery are local.

    Parameters
    ----------
    text : Series of str
        Missing = NaN.

    Returns
    -------
    values : Series of datetime64[s]
        NaT where the text is missing or unreadable.
    unreadable : Series of bool

    Examples
    --------
    >>> parse_date(pd.Series(["05/04/2020", "2020-09-14 11-11-11"]))[0].dt.month.tolist()
    [4, 9]
    """
    if not text.notna().any():
        nothing = pd.Series(np.datetime64("NaT", "s"), index=text.index, name=text.name)
        return nothing, pd.Series(data=False, index=text.index)
    # a column holds few distinct dates: each is read once
    codes, distinct = pd.factorize(text)
    distinct_text = pd.Series(distinct, dtype=str)
    dates = _calendar(distinct_text.str.extract(f"^{_ISO}{_TIME}$"))
    if np.isnat(dates).any():
        french = _calendar(distinct_text.str.extract(f"^{_FRENCH}{_TIME}$"))
        dates = np.where(np.isnat(dates), french, dates)
    found = np.append(dates, np.datetime64("NaT", "s"))[codes]  # code -1, missing, is the last
    values = pd.Series(found, index=text.index, name=text.name)
    return values, values.isna() & text.notna()


def _calendar(parts: pd.DataFrame) -> NDArray[np.datetime64]:
    """Give the dates of their parts, NaT where a part is missing or impossible."""
    there = parts["year"].notna().to_numpy()
    numbers = {name: parts[name].fillna("0").astype(np.int64).to_numpy() for name in parts}
    month = (numbers["year"] - 1970) * 12 + numbers["month"] - 1
    first = month.astype("datetime64[M]")
    day = first.astype("datetime64[D]") + (numbers["day"] - 1).astype("timedelta64[D]")
    possible = (numbers["month"] >= 1) & (numbers["month"] <= 12) & (numbers["year"] >= 1)
    possible &= day.astype("datetime64[M]") == first
    possible &= (numbers["hour"] < 24) & (numbers["minute"] < 60) & (numbers["second"] < 60)
    seconds = (numbers["hour"] * 60 + numbers["minute"]) * 60 + numbers["second"]
    stamps: NDArray[np.datetime64] = day.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    stamps[~(there & possible)] = np.datetime64("NaT", "s")
    return stamps
