"""Rows that a migration adds to a table, and codes that nothing else bears."""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.normalise import TABLES


def with_rows(name: str, table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Give a table with rows added, sorted by key as an inventory is; what they do not tell is missing.

    Parameters
    ----------
    name : str
        Of `gracethd.normalise.TABLES`.
    table : DataFrame
    rows : DataFrame
        Some of its columns; ``delivery`` says what they were made from, ``file`` is empty and
        ``line`` 0: they were in no file.
    """
    if not len(rows):
        return table
    plain = {str(column): dtype for column, dtype in table.dtypes.items() if str(dtype) != "geometry"}
    told = rows.assign(file="", line=0).reindex(columns=list(plain))
    told["updated"] = pd.Series(pd.NaT, index=told.index, dtype=plain["updated"])
    added = told.astype(plain).where(told.notna())
    if isinstance(table, gpd.GeoDataFrame):
        nowhere = gpd.GeoSeries(np.full(len(rows), None, dtype=object), index=rows.index, crs=table.crs)
        added = gpd.GeoDataFrame(added, geometry=nowhere)[list(table.columns)]
    return by_key(name, pd.concat([table, added], ignore_index=True))


def by_key(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Sort a table by its key, as reading does; rows of one key keep their order."""
    return table.sort_values(TABLES[name].key, kind="stable").reset_index(drop=True)


def borne(columns: Iterable[pd.Series]) -> set[str]:
    """Give the codes that objects bear or that rows refer to, even where nothing bears them."""
    return {code for column in columns for code in column.dropna()}


def free_codes(wanted: pd.Series, taken: set[str], suffix: str) -> pd.Series:
    """Give the codes wanted, with a suffix as often as needed where they are taken."""
    codes = wanted.copy()
    while (clash := codes.isin(taken)).any():
        codes = codes.where(~clash, codes + suffix)
    return codes
