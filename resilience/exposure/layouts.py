"""What the attributes of French hazard layers mean: which hold the scenario, the class, the depth, the dates.

Facts are rows of two tables: ``layouts.csv`` (attributes of each layout, in the order in which they are
tried) and ``classes.csv`` (intensity that a code stands for, low, central and high, with its source). A
study replaces any of them (`resilience.hazards.Reading`).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.values import parse_date
from resilience.hazards import Hazard, HazardError, Reading, Triple, plain_text
from resilience.parameters import LEVELS, Level

Float = NDArray[np.float64]

OPEN_FROM = 99.0  # 99 and 9999 are how "and more" is written in the upper limit of a class of depth
SHOWN = 8
PRESENCE: Triple = (1.0, 1.0, 1.0)


def fields_of(columns: Sequence[str], reading: Reading) -> dict[str, str]:
    """Give the attribute of each role ("class", "low"...): the study's, or the first known layout's.

    Parameters
    ----------
    columns : sequence of str
        Attributes of the layer; case does not count.
    reading : Reading

    Examples
    --------
    >>> fields_of(["ID_ZONE", "HT_MIN", "HT_MAX", "SCENARIO"], Reading())
    {'low': 'HT_MIN', 'high': 'HT_MAX', 'scenario': 'SCENARIO'}
    """
    known = {name.casefold(): name for name in columns}
    rows = _table("layouts.csv")
    found: dict[str, str] = {}
    for _, layout in rows.groupby("layout", sort=False):
        here = layout[layout["attribute"].isin(list(known))].drop_duplicates("role")
        # a layout is told by what gives its intensity; the last one, mere presence, by its scenario
        needed = {"low", "high", "class"} & set(layout["role"]) or {"scenario"}
        if needed <= set(here["role"]):
            found = {
                role: known[attribute]
                for role, attribute in zip(here["role"], here["attribute"], strict=True)
            }
            break
    given = {role: known.get(name.casefold(), name) for role, name in reading.fields.items()}
    intensity = {"class", "value", "low", "high"}
    if intensity & set(given):
        found = {role: name for role, name in found.items() if role not in intensity}
    return found | given


def intensities(
    rows: pd.DataFrame, hazard: Hazard, fields: Mapping[str, str], level: Level, *, role: str
) -> Float:
    """Give the intensity of each polygon at one level of what is known.

    A value stands for itself; limits give low = the lower, high = the upper, central = their middle, an upper
    limit of 99 or more (or none) being open; a class is looked up; without any of them, "presence" kinds are
    1 inside, and depths are what the study says "flooded" stands for.

    Parameters
    ----------
    rows : DataFrame
        Attributes of the polygons.
    hazard : Hazard
    fields : mapping
        From `fields_of`.
    level : {"low", "central", "high"}
    role : str
        The layer, as messages name it.

    Raises
    ------
    HazardError
        A value that is no number, a class that nothing explains, no depth at all.
    """
    reading, at = hazard.reading, LEVELS.index(level)
    if "value" in fields:
        return _numbers(rows, fields["value"], role)
    if "low" in fields:
        return _of_limits(rows, hazard, fields, at, role=role)
    if hazard.unit == "présence":
        return np.full(len(rows), PRESENCE[at])
    if "class" in fields:
        return _of_classes(rows[fields["class"]], hazard, at, attribute=fields["class"], role=role)
    if reading.presence is not None:
        return np.full(len(rows), reading.presence[at])
    raise HazardError(
        f"{role}: no attribute of intensity is known among {', '.join(map(str, rows.columns))}; name it,"
        " for instance"
        f' fields = {{class = "..."}}, or say what being inside stands for with presence = [low, central,'
        " high]"
        f" in {hazard.unit}"
    )


def intensity_of_codes(codes: Float, hazard: Hazard, level: Level, *, role: str) -> Float:
    """Give the intensity of cells that hold codes of classes, NaN where there is none.

    Raises
    ------
    HazardError
        When a code is not among the study's classes.
    """
    distinct, number = np.unique(codes[~np.isnan(codes)], return_inverse=True)
    at = LEVELS.index(level)
    found = np.full(len(codes), np.nan)
    found[~np.isnan(codes)] = _of_classes(
        pd.Series(distinct, dtype=float), hazard, at, attribute="a cell", role=role
    )[number]
    return found


def in_force(
    rows: pd.DataFrame, fields: Mapping[str, str], day: date | None, *, role: str
) -> NDArray[np.bool_]:
    """Tell which rows were in force on a day: begun by then, and not ended yet.

    Raises
    ------
    HazardError
        When a date is not one.
    """
    keep = np.ones(len(rows), bool)
    for name, is_end in (("begin", False), ("end", True)) if day is not None else ():
        if name not in fields:
            continue
        dates, unreadable = parse_date(_iso(rows[fields[name]]))
        if unreadable.any():
            raise HazardError(
                f"{role}: {fields[name]} holds {int(unreadable.sum())} dates that cannot be read; write"
                " them like"
                " 2026-01-31"
            )
        limit = np.datetime64(day, "s")
        keep &= (dates.isna() | ((dates > limit) if is_end else (dates <= limit))).to_numpy()
    return keep


def _iso(dates: pd.Series) -> "pd.Series[str]":
    """Write dates, or the texts of dates like 20260131 and 2026/01/31, as ISO text."""
    if pd.api.types.is_datetime64_any_dtype(dates):
        return dates.dt.strftime("%Y-%m-%d")
    text = dates.map(_code, na_action=None)
    return text.mask(text == "").str.replace(r"^(\d{4})[/-]?(\d{2})[/-]?(\d{2})", r"\1-\2-\3", regex=True)


def _of_limits(rows: pd.DataFrame, hazard: Hazard, fields: Mapping[str, str], at: int, *, role: str) -> Float:
    low = _numbers(rows, fields["low"], role)
    if "high" not in fields:
        raise HazardError(
            f'{role}: {fields["low"]} is a lower limit; name the upper one: fields = {{high = "..."}}'
        )
    high = pd.to_numeric(rows[fields["high"]], errors="coerce").to_numpy(np.float64)
    is_open = np.isnan(high) | (high >= OPEN_FROM)
    wrong = ~is_open & (high < low)
    if wrong.any():
        raise HazardError(
            f"{role}: {int(wrong.sum())} polygons have {fields['high']} below {fields['low']}; correct them"
        )
    top = np.where(is_open, low, high)
    closed = (low, (low + top) / 2, top)[at]
    return np.where(is_open, low + hazard.reading.open_class_m[at], closed)


def _numbers(rows: pd.DataFrame, attribute: str, role: str) -> Float:
    values = pd.to_numeric(rows[attribute], errors="coerce").to_numpy(np.float64)
    if np.isnan(values).any():
        raise HazardError(
            f"{role}: {attribute} is no number in {int(np.isnan(values).sum())} of {len(values)}"
            " polygons; fill it in,"
            " or leave those rows out with where"
        )
    return values


def _of_classes(codes: pd.Series, hazard: Hazard, at: int, *, attribute: str, role: str) -> Float:
    table = {plain_text(code): triple[at] for code, triple in hazard.reading.classes.items()}
    if not table:
        rows = _table("classes.csv")
        rows = rows[rows["unit"] == hazard.unit]
        # a code of one attribute (GRIDCODE) wins over the same code elsewhere
        of = rows[rows["attribute"].isna()], rows[rows["attribute"] == attribute.casefold()]
        rows = pd.concat(of).drop_duplicates("code", keep="last")
        table = dict(zip(rows["code"], rows[LEVELS[at]].astype(float), strict=True))
    plain = codes.map(_code, na_action=None)
    unknown = sorted(set(plain) - set(table))
    if unknown:
        shown = ", ".join(repr(code) for code in unknown[:SHOWN]) + (" ..." if len(unknown) > SHOWN else "")
        raise HazardError(
            f"{role}: nothing says which intensity {attribute} = {shown} stands for; add it, for instance"
            f" classes = {{{unknown[0]!r} = [low, central, high]}} in {hazard.unit}, or leave those rows"
            " out with where"
        )
    return np.asarray(plain.map(table), np.float64)


def _code(value: object) -> str:
    """Write a code as text: 3.0 is 3, none is empty."""
    if value is None or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN differs from itself
        return ""
    return plain_text(f"{value:g}" if isinstance(value, float | int) else str(value))


@cache
def _table(name: str) -> pd.DataFrame:
    with (files("resilience.exposure") / name).open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str)
