"""Tables of many deliveries put together where a rule looks at rows alone: one pass for all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import pyproj

from gracethd.check.model import Major, table_major
from gracethd.check.rules import OF
from gracethd.deliveries.types import Delivery


@dataclass(frozen=True)
class Batch:
    """The rows of one table in the deliveries that write it with the same columns.

    Attributes
    ----------
    table : str
    major : {"2", "3"}
        The version that the table is held against.
    frame : DataFrame
        Rows with their columns, ``line`` and `OF`.
    deliveries : tuple of str
        Names, in order.
    crs : pyproj.CRS or None
        Of a geographic table.
    """

    table: str
    major: Major
    frame: pd.DataFrame
    deliveries: tuple[str, ...]
    crs: pyproj.CRS | None


def batches(deliveries: Sequence[Delivery]) -> Iterator[Batch]:
    """Give every table of every delivery, once, those alike together; few batches for many deliveries."""
    groups: dict[tuple[str, Major, tuple[str, ...], str], list[Delivery]] = {}
    for delivery in deliveries:
        for table, frame in delivery.tables.items():
            where = str(delivery.crs) if isinstance(frame, gpd.GeoDataFrame) else ""
            key = (table, table_major(delivery, table), tuple(map(str, frame.columns)), where)
            groups.setdefault(key, []).append(delivery)
    for (table, major, _, where), holders in groups.items():
        parts = [one.tables[table].assign(**{OF: one.name}) for one in holders]
        frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        crs = holders[0].crs if where else None
        yield Batch(table, major, frame, tuple(one.name for one in holders), crs)
