"""The inventory: every delivery in one set of tables that does not depend on the GraceTHD version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd
import pyproj


def no_person() -> pd.DataFrame:
    """Give the table of what is told of persons where nothing is."""
    return pd.DataFrame({name: pd.Series(dtype=str) for name in ("table", "code", "attribute", "value")})


@dataclass(frozen=True)
class Inventory(Mapping[str, pd.DataFrame]):
    """Tables of a network, merged from deliveries; ``inventory["cable"]`` gives one of them.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        By the names of `gracethd.normalise.TABLES`; an absent table is an empty frame with its columns.
        Codes are text; tables with a place are GeoDataFrames in `crs`. Each row carries ``delivery``,
        ``file`` (as it is named in the delivery) and ``line`` (row in that file, from 1).
    crs : pyproj.CRS
        Projected, in metres; one for all tables.
    deliveries : DataFrame
        One row per delivery: delivery, sha256, size_bytes, versions, n_rows, replaced_by ("" where it is
        read, else the newer delivery that takes its place).
    findings : DataFrame
        What reading and merging had to report (columns of `gracethd.findings.COLUMNS`).
    carried : mapping of str to DataFrame
        What deliveries tell and analyses do not read, where it was asked for (`gracethd.carried`). Under the
        name of one of `tables`: attributes by their GraceTHD names, row by row beside it. Under the name of a
        GraceTHD table that is none of them (``t_reference``): its rows. Columns are of dtype category.
    personal : DataFrame
        What is told of persons where an import kept it (`gracethd.personal`), a line a value, text: table (of
        `tables`), code, attribute (its GraceTHD name), value. None of it stands in `tables` or `carried`.
    """

    tables: Mapping[str, pd.DataFrame]
    crs: pyproj.CRS
    deliveries: pd.DataFrame
    findings: pd.DataFrame = field(repr=False)
    carried: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    personal: pd.DataFrame = field(default_factory=no_person, repr=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def geo(self, name: str) -> gpd.GeoDataFrame:
        """Give a table that has geometry, typed as such."""
        table = self.tables[name]
        if not isinstance(table, gpd.GeoDataFrame):
            raise TypeError(f"{name}: this table has no geometry")
        return table
