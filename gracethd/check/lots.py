"""Deliveries checked in lots as they are read: all of a network, whole, do not fit in memory.

Rules on the rows of one delivery are applied to a lot of whole deliveries. Then only what rules between
deliveries, the network and the place of each finding need is kept of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from gracethd.check.across import is_compared
from gracethd.check.checking import SHIPPED, check_each, check_others
from gracethd.check.keys import foreign_keys
from gracethd.check.settings import Settings
from gracethd.deliveries import Delivery, Root, Tell, open_deliveries, open_root
from gracethd.findings import merge_findings
from gracethd.normalise import is_taken

LOT_ROWS = 300_000
"""Rows held whole at a time: some fifty zones of a PM, less than what all their slim tables take."""


@dataclass(frozen=True)
class Checked:
    """Deliveries that were checked as they were read.

    Attributes
    ----------
    findings : GeoDataFrame
        As `gracethd.check.check_all` gives them.
    deliveries : list of Delivery
        What `slim` leaves of each.
    """

    findings: gpd.GeoDataFrame
    deliveries: list[Delivery]


def check_paths(
    paths: Sequence[Path | str],
    *,
    container: str | None = None,
    phase: str | None = None,
    settings: Settings = SHIPPED,
    level0: Delivery | None = None,
    lot_rows: int = LOT_ROWS,
    tell: Tell = lambda _done, _all: None,
) -> Checked:
    """Read deliveries and tell what is wrong in them, as `check_all` does, without holding them whole.

    Parameters
    ----------
    paths : sequence of Path or str
        As `gracethd.deliveries.open_deliveries` takes them.
    container, phase, settings, level0
        As `check_all` takes them.
    lot_rows : int
        Whole deliveries are held until they have so many rows; the findings are the same for any number.
    tell : callable, optional
        Told how many paths have been read, and how many there are.

    Returns
    -------
    Checked

    Raises
    ------
    GraceTHDError
        A path cannot be read (see `open_deliveries`); the container or phase does not exist.

    Examples
    --------
    >>> check_paths(["livraisons/*.zip"]).findings  # doctest: +SKIP
    """
    lots = _Lots(settings, container, phase, lot_rows)
    deliveries = open_deliveries(paths, reader=lots, tell=tell)
    lots.check()
    names = pd.Series([delivery.name for delivery in deliveries], dtype=str)
    found = [one.assign(delivery=one["delivery"].astype(int).map(names)) for one in lots.found if len(one)]
    findings = check_others(
        deliveries, found, container=container, phase=phase, settings=settings, level0=level0
    )
    return Checked(findings, deliveries)


@dataclass
class _Lots:
    """A reader that checks what it reads, lot by lot, and gives it slim.

    A delivery has its number for a name here: names are made distinct when all have been read.
    """

    settings: Settings
    container: str | None
    phase: str | None
    lot_rows: int
    lot: list[Delivery] = field(default_factory=list)
    found: list[pd.DataFrame] = field(default_factory=list)
    n_read: int = 0

    def __call__(self, root: Root) -> list[Delivery]:
        slimmed = []
        for delivery in open_root(root):
            self.lot.append(replace(delivery, name=str(self.n_read)))
            self.n_read += 1
            slimmed.append(slim(delivery))
            if sum(len(table) for one in self.lot for table in one.tables.values()) >= self.lot_rows:
                self.check()
        return slimmed

    def check(self) -> None:
        limits = self.settings.thresholds
        found = check_each(self.lot, limits, container=self.container, phase=self.phase)
        self.found.append(merge_findings(found))
        self.lot.clear()


def slim(delivery: Delivery) -> Delivery:
    """Keep of a delivery what is read of it once its own rows have been checked.

    These are the columns that the inventory takes, the keys that a row refers by, and what other deliveries
    may tell otherwise, where it is filled at all.
    """
    keys = foreign_keys(delivery)
    refers = set(zip(keys["table"], keys["attribute"], strict=True))
    tables = {}
    for name, table in delivery.tables.items():
        columns = [
            column
            for column in map(str, table.columns)
            if is_taken(name.split("_patch20")[0], column)
            or (((name, column) in refers or is_compared(column)) and table[column].notna().any())
        ]
        tables[name] = table[columns]
    return replace(delivery, tables=tables)
