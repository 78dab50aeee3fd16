"""What deliveries tell of persons: out, or apart where ``gracethd import --keep-personal`` asks for it.

While deliveries are merged, a value that is kept stands in the row that tells it, in a column of its own
(`PREFIX` and the attribute). An inventory has one long table of them; only stores and exports read it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from gracethd.codes import follow
from gracethd.encoding import mapped
from gracethd.inventory import Inventory, no_person
from gracethd.model import PERSONAL, PERSONAL_WITHOUT_SIREN
from gracethd.normalise import ROOM_TYPES, TABLES

PREFIX = "personal_"

_OUTLETS = ("PTO", "DTI")


def without_persons(name: str, table: pd.DataFrame, *, apart: bool = False) -> pd.DataFrame:
    """Empty the attributes about persons: of premises, outlets, and whoever has no company number.

    Parameters
    ----------
    name : str
        Of the delivered table.
    table : DataFrame
        Its rows, all text.
    apart : bool
        Put what is taken out into columns of its own (`PREFIX`).
    """
    about = {
        column: where
        for column, where in _about_persons(name, table).items()
        if column in table and (table[column].notna() & where).any()
    }
    gone = {column: table[column].mask(where) for column, where in about.items()}
    kept = {f"{PREFIX}{column}": table[column].where(where) for column, where in about.items() if apart}
    return table.assign(**gone, **kept) if gone else table


def _about_persons(name: str, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Give the rows of each attribute that tells of a person."""

    def column(attribute: str) -> pd.Series:
        return table[attribute] if attribute in table else pd.Series(np.nan, index=table.index, dtype=str)

    everyone = pd.Series(data=True, index=table.index)
    about = dict.fromkeys(PERSONAL.get(name, ()), everyone)
    if name == "t_local":
        typelog = column("lc_typelog")
        about = dict.fromkeys(about, typelog.notna() & ~typelog.isin(ROOM_TYPES))
    elif name == "t_ebp":
        about = dict.fromkeys(about, column("bp_typelog").str.upper().isin(_OUTLETS))
    elif name == "t_organisme":
        about |= dict.fromkeys(PERSONAL_WITHOUT_SIREN, column("or_siren").isna() & column("or_siret").isna())
    return about


def listed(kept: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give what is kept of persons as one table, a line a value.

    Parameters
    ----------
    kept : mapping of str to DataFrame
        By inventory table: attributes, row by row beside it.
    tables : mapping of str to DataFrame
        Of the inventory.

    Returns
    -------
    DataFrame
        See `gracethd.inventory.Inventory`; sorted.
    """
    parts = [no_person()]
    for name, beside in kept.items():
        codes = tables[name][TABLES[name].columns[0]].reset_index(drop=True)
        for attribute in beside:
            values = beside[attribute].astype("str").dropna()
            rows = pd.DataFrame({"code": codes[values.index], "value": values})
            parts.append(rows.assign(table=name, attribute=str(attribute)))
    columns = [str(column) for column in parts[0]]
    return pd.concat(parts)[columns].astype("str").sort_values(columns, ignore_index=True)


def put_back(inventory: Inventory) -> Inventory:
    """Give an inventory that tells what was kept of persons where its deliveries told it."""
    tables, carried = dict(inventory.tables), dict(inventory.carried)
    for key, rows in inventory.personal.groupby(["table", "attribute"]):
        name, attribute = map(str, key)
        table = tables[name]
        told = follow(table[TABLES[name].columns[0]], rows.set_index("code")["value"])
        if attribute in table:
            tables[name] = table.assign(**{attribute: table[attribute].fillna(told)})
            continue
        beside = carried.get(name, pd.DataFrame(index=table.index))
        values = beside[attribute].astype("str").fillna(told) if attribute in beside else told
        carried[name] = beside.assign(**{attribute: mapped(values)})
    return replace(inventory, tables=tables, carried=carried, personal=no_person())
