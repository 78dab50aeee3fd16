"""What deliveries tell and analyses do not read: carried beside an inventory, to be handed over again.

Attributes of the rows that an inventory takes stand row by row beside its tables; tables of the model that it
does not take stand whole. Every column is encoded (each distinct text once, a small number a row): most
attributes of a delivery hold a few words. What is about persons is not among it (`gracethd.personal`).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gracethd.deliveries.types import Delivery
from gracethd.encoding import mapped, words_of
from gracethd.merging.newest import repeated
from gracethd.model import VERSIONS, attributes
from gracethd.normalise import TABLES, is_taken
from gracethd.personal import PREFIX, listed, without_persons
from gracethd.values import parse_bool, parse_date, parse_number

PROVENANCE = ("updated", "delivery", "file", "line")
"""Columns of every table of an inventory that are of no delivery."""

_MOMENTS, _NUMBERS = {"DATE", "TIMESTAMP"}, {"INTEGER", "BIGINT", "NUMERIC", "FLOAT", "REAL"}


def encoded(delivery: Delivery, *, personal: bool = False) -> Delivery:
    """Keep of a delivery all but what is about persons, or that apart; what analyses do not read is encoded.

    Columns without a value go: most attributes of the model stay empty in any delivery.
    """
    tables = {}
    for name, table in delivery.tables.items():
        base = name.split("_patch20")[0]
        kept = without_persons(name, table, apart=personal)
        rest = [column for column in kept.columns if not is_taken(base, str(column))]
        empty = [column for column in rest if not kept[column].notna().any()]
        words = {column: words_of(kept[column]) for column in rest if column not in empty}
        tables[name] = kept.drop(columns=empty).assign(**words) if rest else kept
    return replace(delivery, tables=tables)


def without(whole: Mapping[str, pd.DataFrame], deliveries: Collection[str]) -> dict[str, pd.DataFrame]:
    """Leave out the rows of some deliveries."""
    return {
        name: table[~table["delivery"].isin(deliveries).to_numpy()].reset_index(drop=True)
        for name, table in whole.items()
    }


def newest_of(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of a table that is carried whole, one a key: the newest update, else the first given.

    A key that is a number counts the rows of one delivery: rows that tell the same are one, and a number that
    another row bears is replaced by the next free one.
    """
    keys = [key for key, _ in _keys(name) if key in table]
    if not keys or not len(table):
        return table
    if _keys(name)[0][1] not in _NUMBERS:
        return _by(table[~repeated(table, keys)], keys)
    told = [column for column in table.columns if column not in (*keys, *PROVENANCE, "geometry")]
    if told:
        table = table[~table.duplicated([*keys, *told]).to_numpy()].reset_index(drop=True)
    numbers = parse_number(table[keys[0]].astype("str"))[0]
    again = (numbers.duplicated() & numbers.notna()).to_numpy()
    if again.any():
        text = table[keys[0]].astype("str")
        next_free = int(np.nan_to_num(numbers.max())) + 1
        text = text.mask(again, pd.Series(next_free + np.cumsum(again) - 1, text.index).astype("str"))
        table = table.assign(**{keys[0]: text})
    return table


def _by(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    order = table[keys].astype("str").sort_values(keys, kind="stable").index
    return table.loc[order].reset_index(drop=True)


@cache
def _keys(name: str) -> tuple[tuple[str, str], ...]:
    """Give the attributes that are the key of a table, with their type."""
    for version in VERSIONS:
        rows = attributes(version)
        rows = rows[(rows["table"] == name) & (rows["primary_key"] != "")]
        if len(rows):
            return tuple(zip(rows["attribute"], rows["type"], strict=True))
    return ()


def set_apart(
    tables: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]:
    """Part merged tables into those of an inventory, what is carried beside them, and what is about persons.

    Returns
    -------
    tables : dict of str to DataFrame
        Of `gracethd.normalise.TABLES`, with their own columns only.
    carried : dict of str to DataFrame
    personal : DataFrame
        See `gracethd.inventory.Inventory`.
    """
    plain, carried, kept = {}, {}, {}
    for name, table in tables.items():
        if name not in TABLES:
            carried[name] = table
            continue
        own = {*TABLES[name].columns, *PROVENANCE, "geometry"}
        rest = [column for column in table.columns if column not in own]
        plain[name] = table.drop(columns=rest) if rest else table
        apart = [column for column in rest if column.startswith(PREFIX)]
        carried[name] = pd.DataFrame(table[rest]).drop(columns=apart)
        kept[name] = pd.DataFrame(table[apart]).rename(columns=lambda column: column.removeprefix(PREFIX))
    return plain, settled(carried), listed(settled(kept), plain)


def settled(carried: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give what is carried in one form: values in one writing, columns that hold some, sorted by name.

    Dates are ISO, numbers in their shortest text, yes and no are 1 and 0; what cannot be read stays as it is.
    """
    found = {}
    for name in sorted(carried):
        table = carried[name]
        told = sorted(column for column in table.columns if column not in (*PROVENANCE, "geometry"))
        columns = {column: in_one_writing(column, table[column]) for column in told}
        columns = {column: values for column, values in columns.items() if len(values.cat.categories)}
        if name in TABLES:
            if columns:
                found[name] = pd.DataFrame(columns).reset_index(drop=True)
        elif len(table):
            rest = table[[column for column in table.columns if column not in told]]
            found[name] = rest.assign(**columns)[[*columns, *rest.columns]].reset_index(drop=True)
    return found


def in_one_writing(attribute: str, values: pd.Series) -> pd.Series:
    """Give a column with each value in one writing, whatever delivery wrote it; of dtype category."""
    return mapped(values, lambda words: _written(words, _kind(attribute)))


@cache
def _kind(attribute: str) -> str:
    """Give how the values of an attribute are written: bool, moment, number or text."""
    return _kinds().get(attribute, "text")


@cache
def _kinds() -> dict[str, str]:
    types: dict[str, set[str]] = {}
    for version in VERSIONS:
        rows = attributes(version)
        for name, kind, values in rows[["attribute", "type", "value_list"]].itertuples(index=False):
            types.setdefault(name, set()).add("BOOLEAN" if values == "l_bool" else kind)
    return {
        name: "bool" if kinds == {"BOOLEAN"}
        else "moment" if kinds <= _MOMENTS
        else "number" if kinds <= _NUMBERS
        else "text"
        for name, kinds in types.items()
    }  # fmt: skip


_IN_ONE_WRITING = {
    "bool": "^[01]$",
    "number": r"^(0|-?[1-9][0-9]{0,14}|-?(0|[1-9][0-9]{0,9})\.[0-9]{0,4}[1-9])$",
    "moment": "^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
}
"""What needs no reading: nearly all that deliveries hold."""


def _written(words: pa.Array, kind: str) -> pa.Array:
    if kind == "text":
        return words
    done = pc.match_substring_regex(words, _IN_ONE_WRITING[kind]).fill_null(True)  # noqa: FBT003 - of Arrow
    if pc.all(done).as_py():
        return words
    others = words.filter(pc.invert(done))
    text = _read(pd.Series(others.to_pylist(), dtype=str), kind)
    return pc.replace_with_mask(words, pc.invert(done), pa.array(text, pa.large_string(), from_pandas=True))


def _read(words: pd.Series, kind: str) -> pd.Series:
    """Give texts in one writing; those that cannot be read stay."""
    if kind == "bool":
        values, _ = parse_bool(words)
        text = pd.Series(np.where(values.fillna(value=False), "1", "0"), words.index, dtype=str)
    elif kind == "moment":
        values, _ = parse_date(words)
        days = values == values.dt.normalize()
        moments = values.dt.strftime("%Y-%m-%d %H:%M:%S")
        text = values.dt.strftime("%Y-%m-%d").where(days, moments).astype("str")
    else:
        values, _ = parse_number(words)
        shortest = [np.format_float_positional(value, trim="-") for value in values.fillna(0.0)]
        text = pd.Series(shortest, words.index, dtype=str)
    return text.where(values.notna(), words)
