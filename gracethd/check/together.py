"""Deliveries put together for the rules that look at the tables of one delivery: one pass for many of them.

What such a rule costs on a small delivery is nearly all fixed, and a network comes in thousands of them.
Those that have the same tables with the same columns are made into one, in which nothing of one can be taken
for something of another: codes have the number of their delivery before them, and shapes are moved apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.check.keys import is_abandoned
from gracethd.check.places import Shapes, node_points, shapes_of
from gracethd.check.rules import NOTHING, row_codes
from gracethd.deliveries.types import Delivery
from gracethd.findings import merge_findings
from gracethd.model import VERSIONS, attributes

AT_ONCE = 64
"""Deliveries put together: what is fixed is shared enough, and x stays exact to 2e-7 m."""
APART_M = 2.0**24
"""From one delivery to the next, along x."""
REACH_M = 2.0**22
"""A delivery whose shapes leave -REACH_M to REACH_M could meet another one: it stays alone."""
MARK = "\x1f"
"""Ends the number of a delivery before a code; the first one does, whatever the code holds."""
READ = frozenset({
    "ad_distinf", "ad_nbfotth", "ad_nblent", "ad_nblpro", "ad_nblpub", "ad_nblres", "bp_typelog", "cb_capafo",
    "cb_typephy", "cm_avct", "cm_compo", "cm_typ_imp", "fo_nintub", "fo_numtub", "lc_proptyp", "lc_typelog",
    "or_nom", "pt_codeext", "pt_etiquet", "pt_typephy", "st_typelog",
})  # fmt: skip
"""What rules on one delivery read beside keys, shapes and what says that a row is abandoned."""


@dataclass(frozen=True)
class Together:
    """Several deliveries as one.

    Attributes
    ----------
    delivery : Delivery
        Its ``line`` counts the rows of all of them.
    parts : tuple of Delivery
        Those put together, in order.
    """

    delivery: Delivery
    parts: tuple[Delivery, ...]

    def tell(self, findings: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """Give findings on rows back to the deliveries of these: name, line and code."""
        found = merge_findings(findings) if findings else NOTHING
        if len(self.parts) == 1 or found.empty:
            return found.assign(delivery=self.parts[0].name)
        return merge_findings(
            [self._told(str(table), rows) for table, rows in found.groupby("table", sort=True)]
        )

    def _told(self, table: str, rows: pd.DataFrame) -> pd.DataFrame:
        frames = [one.tables[table] for one in self.parts]
        starts = np.cumsum([0, *map(len, frames)])
        at = rows["line"].to_numpy(np.int64) - 1
        part = np.searchsorted(starts, at, side="right") - 1
        pieces = []
        for number in np.unique(part):
            own = rows[part == number]
            of = pd.DataFrame(frames[number]).iloc[at[part == number] - starts[number]]
            codes = row_codes(of, table).to_numpy()
            name = self.parts[number].name
            pieces.append(own.assign(delivery=name, line=of["line"].to_numpy(), code=codes))
        return pd.concat(pieces)


def together(deliveries: Sequence[Delivery]) -> Iterator[Together]:
    """Give all deliveries, once, those alike together, at most `AT_ONCE` of them."""
    groups: dict[object, list[Delivery]] = {}
    for number, delivery in enumerate(deliveries):
        groups.setdefault(_likeness(delivery) or number, []).append(delivery)
    for group in groups.values():
        for start in range(0, len(group), AT_ONCE):
            yield _joined(group[start : start + AT_ONCE])


def _likeness(delivery: Delivery) -> object | None:
    """Give what deliveries put together have in common; None for one that must stay alone.

    A rule that does not apply where a table is absent or empty (abandoned rows left out), or where no node is
    drawn, must not begin to apply because of another delivery.
    """
    tables = []
    for table, frame in delivery.tables.items():
        geographic = isinstance(frame, gpd.GeoDataFrame)
        if _all_gone(frame) or (isinstance(frame, gpd.GeoDataFrame) and not _within_reach(frame)):
            return None
        tables.append((table, _read(table, frame), len(frame) > 0, geographic))
    drawn = len(node_points(delivery.tables)) > 0
    return tuple(tables), tuple(sorted(delivery.versions.items())), str(delivery.crs), drawn


def _read(table: str, frame: pd.DataFrame) -> tuple[str, ...]:
    """Give the attributes that rules on one delivery read, those there."""
    keys = _followed(table)
    return tuple(name for name in map(str, frame.columns) if name in READ or name in keys or _says_gone(name))


def _says_gone(name: str) -> bool:
    return name.endswith(("_abandon", "_abddate"))


def _all_gone(frame: pd.DataFrame) -> bool:
    gone = [name for name in map(str, frame.columns) if _says_gone(name)]
    filled = bool(gone) and len(frame) > 0 and bool(frame[gone].notna().any(axis=1).all())
    return filled and bool(is_abandoned(frame).all())


def _within_reach(layer: gpd.GeoDataFrame) -> bool:
    sides = shapely.bounds(shapes_of(layer.geometry))[:, [0, 2]]
    return not bool((np.abs(sides) > REACH_M).any())


def _joined(parts: Sequence[Delivery]) -> Together:
    if len(parts) == 1:
        return Together(parts[0], tuple(parts))
    tables = {table: _stacked(table, [one.tables[table] for one in parts]) for table in parts[0].tables}
    return Together(replace(parts[0], name="", tables=tables), tuple(parts))


def _stacked(table: str, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    number = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    names = [*_read(table, frames[0]), *(["geometry"] if isinstance(frames[0], gpd.GeoDataFrame) else [])]
    rows = pd.concat([frame[names] for frame in frames], ignore_index=True)
    prefix = pd.Series(number, index=rows.index).astype("str") + MARK
    codes = {name: prefix + rows[name] for name in _followed(table) if name in rows}
    rows = rows.assign(line=np.arange(1, len(rows) + 1), **codes)
    if isinstance(rows, gpd.GeoDataFrame):
        moved = _moved(shapes_of(rows.geometry), (number * APART_M).astype(np.float64))
        rows = rows.set_geometry(gpd.GeoSeries(moved, index=rows.index, crs=rows.crs))
    return rows


def _moved(shapes: Shapes, metres: NDArray[np.float64]) -> Shapes:
    """Move each shape along x."""
    points, of = shapely.get_coordinates(shapes, return_index=True)
    points[:, 0] += metres[of]
    moved: Shapes = shapely.set_coordinates(shapes.copy(), points)
    return moved


@cache
def _followed(table: str) -> tuple[str, ...]:
    """Give the attributes of a table that are keys, its own or of another one."""
    model = pd.concat([attributes(version) for version in VERSIONS])
    rows = model[model["table"] == table]
    chosen = (rows["primary_key"] == "yes") | (rows["foreign_key"] != "")
    return tuple(dict.fromkeys(rows.loc[chosen, "attribute"]))
