"""Which column of the inventory refers to which table, and renaming a code wherever it stands.

The foreign keys are those of the model; only the columns that the inventory makes itself are named here.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from gracethd.codes import among
from gracethd.model import VERSIONS, attributes
from gracethd.normalise import TABLES
from gracethd.personal import PREFIX

_MADE_HERE = (
    ("premise", "st_code", "site"),
    ("premise", "bp_code", "ebp"),
    ("premise", "bp_codf", "ebp"),
    ("premise", "bp_codp", "ebp"),
)
"""Columns that exist under no such name in the model: they come from ``t_local``."""

_ALSO = {"t_local": ("local", "premise")}
"""Version 3 keeps rooms and premises in one table, the inventory in two."""


@cache
def references() -> dict[str, tuple[tuple[str, str], ...]]:
    """Give, for each inventory table, the (table, column) pairs that hold its codes.

    Returns
    -------
    dict of str to tuple
        In the order of `gracethd.normalise.TABLES`; the key of the table itself is not one of them.

    Examples
    --------
    >>> references()["cassette"]
    (('position', 'ps_cs_code'),)
    """
    model_keys = _model_keys()
    found: dict[str, dict[tuple[str, str], None]] = {name: {} for name in TABLES}
    for name, spec in TABLES.items():
        for source, renames in spec.sources.items():
            for column in spec.columns:
                for attribute in {column, renames.get(column, column)}:
                    for target in sorted(model_keys.get((source, attribute), ())):
                        found[target][name, column] = None
    for name, column, target in _MADE_HERE:
        found[target][name, column] = None
    return {name: tuple(columns) for name, columns in found.items()}


@cache
def _model_keys() -> dict[tuple[str, str], set[str]]:
    """Give, for each delivered (table, attribute) that is a foreign key, the inventory tables it leads to."""
    inventory_name = _inventory_names()
    model_keys: dict[tuple[str, str], set[str]] = {}
    for version in VERSIONS:
        rows = attributes(version).query("foreign_key != ''")
        for table, attribute, key in zip(rows["table"], rows["attribute"], rows["foreign_key"], strict=True):
            model_keys.setdefault((table, attribute), set()).update(inventory_name.get(key.split(".")[0], ()))
    return model_keys


def _inventory_names() -> dict[str, tuple[str, ...]]:
    """Give the inventory tables that hold the rows of each delivered table."""
    names: dict[str, tuple[str, ...]] = {}
    for name, spec in TABLES.items():
        for source in spec.sources:
            names.setdefault(source, (name,))
    return names | _ALSO


@cache
def carried_references() -> dict[str, tuple[tuple[str, str], ...]]:
    """Give, for each inventory table, the carried (table, attribute) pairs that hold its codes.

    Attributes under their own names, of tables of the inventory and of those that are carried whole (see
    `gracethd.carried`).

    Examples
    --------
    >>> ("cable", "cb_prop") in carried_references()["organisme"]
    True
    """
    found: dict[str, dict[tuple[str, str], None]] = {name: {} for name in TABLES}
    names = _inventory_names()
    for (table, attribute), targets in sorted(_model_keys().items()):
        base = table.split("_patch20")[0]
        for holder in names.get(base, (base,)):
            for target in sorted(targets):
                if holder not in TABLES or attribute not in TABLES[holder].columns:
                    found[target][holder, attribute] = None
    return {name: tuple(columns) for name, columns in found.items()}


def rename_codes(
    tables: Mapping[str, pd.DataFrame], name: str, renames: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Give tables where codes of one table are others, in its key and in all that refers to it.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By the names of `gracethd.normalise.TABLES`.
    name : str
    renames : DataFrame
        Columns code and new (text), unique by code; with a column delivery, only rows of that delivery are
        renamed.

    Returns
    -------
    dict of str to DataFrame
        Tables without such a code are those given.
    """
    renamed = dict(tables)
    places = ((name, TABLES[name].columns[0]), *references()[name], *carried_references()[name])
    for table, attribute in places:
        for column in (attribute, f"{PREFIX}{attribute}"):
            if table in renamed and column in renamed[table]:
                renamed[table] = _renamed(renamed[table], column, renames)
    return renamed


def _renamed(table: pd.DataFrame, column: str, renames: pd.DataFrame) -> pd.DataFrame:
    rows = np.flatnonzero(among(table[column], renames["code"]).to_numpy())
    if not len(rows):
        return table
    by = ["delivery", "code"] if "delivery" in renames else ["code"]
    old = table[[column, "delivery"]].iloc[rows].rename(columns={column: "code"})
    new = pd.DataFrame(old).merge(renames, on=by, how="left")["new"]
    there = new.notna().to_numpy()
    if not there.any():
        return table
    values = table[column].to_numpy(dtype=object).copy()
    values[rows[there]] = new[there].to_numpy(dtype=object)
    return table.assign(**{column: pd.Series(values, index=table.index, dtype="str")})
