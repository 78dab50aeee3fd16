"""An inventory for support: the same network under other codes, elsewhere, without a label.

What is kept is what analyses count: structure, types, capacities, lengths, the order of codes (which settles
ties). It is not anonymous: whoever knows the streets recognises their shape. For helpers bound to secrecy.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gracethd.findings import NO_FINDING
from gracethd.inventory import Inventory
from gracethd.model import VERSIONS, attributes, value_lists
from gracethd.normalise import PREMISE_TYPES, PRISE_TYPES, ROOM_TYPES, TABLES

_SPREAD_M = 50_000
"""How far from the middle of its coordinate system a network may land."""


def pseudonymise(inventory: Inventory, *, secret: str = "") -> Inventory:
    """Give the same network under other identities.

    Codes become numbers in the order of the codes, the same in every table; texts that are no code of the
    model are dropped, as are dates and the names and checksums of deliveries; places are turned by quarters
    and moved by whole metres, so that distances stay. Reading findings are left out: they name codes.

    Parameters
    ----------
    inventory : Inventory
    secret : str
        The same secret gives the same identities; without one, the checksums of the deliveries take its
        place, which only those who hold them know.

    Returns
    -------
    Inventory
        With the same counts, routes and losses, object by object in the order of their codes.

    Examples
    --------
    >>> pseudonymise(inventory)["cable"]["cb_code"][0]  # doctest: +SKIP
    'X7F2A-0000131'
    """
    key = secret or "".join(inventory.deliveries["sha256"])
    draw = np.random.default_rng(list(hashlib.sha256(key.encode()).digest()))
    names = _new_codes(inventory, f"X{draw.integers(16**4):04X}")
    turned = _Turn.of(inventory, draw)
    listed = inventory.deliveries["delivery"]
    deliveries = sorted(
        {*listed, *(name for table in inventory.values() for name in table["delivery"].dropna())}
    )
    known = {name: f"livraison-{number:04}" for number, name in enumerate(deliveries, start=1)}
    tables = {name: turned.applied(_renamed(name, table, names, known)) for name, table in inventory.items()}
    replacing = inventory.deliveries["replaced_by"].map(known).fillna("").astype(str)
    listing = inventory.deliveries.assign(delivery=listed.map(known), sha256="", replaced_by=replacing)
    return Inventory(tables, inventory.crs, listing.astype(inventory.deliveries.dtypes), NO_FINDING)


@cache
def _kinds() -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Give the columns of an inventory that hold codes of objects, and the values of those with a list.

    By ``table.column``; what the model says of an attribute in any version holds for the column.
    """
    codes = {f"{name}.{column}" for name, spec in TABLES.items() for column in spec.key}
    # premises and their boxes: version 3 says these in t_local, not in the t_suf that the column names
    codes |= {"premise.st_code", "premise.bp_code", "premise.bp_codf", "premise.bp_codp", "ebp.bp_lc_code"}
    lists: dict[str, set[str]] = {
        "premise.type": {*PRISE_TYPES, *PREMISE_TYPES, "OPE", "OBJ", "TEC"},
        "local.lc_typelog": {*ROOM_TYPES, "RESEAU", "CLIENT"},
    }
    for version in VERSIONS:
        values = value_lists(version)
        model = {(row["table"], row["attribute"]): row for row in attributes(version).to_dict("records")}
        for key, home in _homes(model):
            row = model[home]
            if row["primary_key"] or row["foreign_key"]:
                codes.add(key)
            if row["value_list"]:
                known = values.loc[values["list"] == row["value_list"], "code"]
                lists.setdefault(key, set()).update(known)
    return frozenset(codes), {key: frozenset(known) for key, known in lists.items() if key not in codes}


def _homes(known: Collection[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give each inventory column with the (table, attribute) that hold it in a version, patches included."""
    tables = sorted({table for table, _ in known})
    for name, spec in TABLES.items():
        for source, renames in spec.sources.items():
            targets = [t for t in tables if t == source or t.startswith(f"{source}_patch")]
            for target, column in product(targets, spec.columns):
                for attribute in {renames.get(column, column), column}:
                    if (target, attribute) in known:
                        yield f"{name}.{column}", (target, attribute)


def _new_codes(inventory: Inventory, prefix: str) -> pd.Series:
    """Give each code of an inventory its new one: its number in their order."""
    codes, _ = _kinds()
    found = {
        code
        for name, table in inventory.items()
        for column in TABLES[name].columns
        if f"{name}.{column}" in codes
        for code in table[column].dropna()
    }
    ordered = sorted(found)
    while any(code.startswith(prefix) for code in ordered):
        prefix += "X"
    width = max(7, len(str(len(ordered))))
    return pd.Series(
        [f"{prefix}-{k:0{width}}" for k in range(1, len(ordered) + 1)],
        index=pd.Index(ordered, dtype=str),
        dtype=str,
    )


def _renamed(name: str, table: pd.DataFrame, names: pd.Series, deliveries: Mapping[str, str]) -> pd.DataFrame:
    codes, lists = _kinds()
    columns: dict[str, pd.Series] = {}
    for column in TABLES[name].columns:
        values, key = table[column], f"{name}.{column}"
        if key in codes:
            columns[column] = pd.Series(
                names.reindex(values).to_numpy(dtype=object), index=table.index, dtype=str
            )
        elif str(values.dtype) == "str":
            columns[column] = values.where(values.isin(lists.get(key, frozenset())))
    columns["delivery"] = table["delivery"].map(deliveries).astype(str)
    columns["file"] = pd.Series("", index=table.index, dtype=str)
    columns["updated"] = pd.Series(pd.NaT, index=table.index, dtype=table["updated"].dtype)
    return table.assign(**columns)


class _Turn:
    """A turn by quarters about the middle of a network, and a move to the middle of its coordinate system."""

    def __init__(self, quarters: int, middle: tuple[float, float], target: tuple[float, float]) -> None:
        self._quarters, self._middle, self._target = quarters, np.array(middle), np.array(target)

    @classmethod
    def of(cls, inventory: Inventory, draw: np.random.Generator) -> "_Turn":
        shapes = [
            table.geometry.to_numpy() for table in inventory.values() if isinstance(table, gpd.GeoDataFrame)
        ]
        bounds = shapely.total_bounds(np.concatenate(shapes)) if shapes else np.zeros(4)
        middle = np.nan_to_num(np.rint((bounds[:2] + bounds[2:]) / 2))
        moved = _centre(inventory.crs) + draw.integers(-_SPREAD_M, _SPREAD_M, 2, endpoint=True)
        return cls(int(draw.integers(1, 4)), tuple(middle), tuple(moved))

    def applied(self, table: pd.DataFrame) -> pd.DataFrame:
        if not isinstance(table, gpd.GeoDataFrame):
            return table
        moved = shapely.transform(table.geometry.to_numpy(), self._moved)
        return table.set_geometry(gpd.GeoSeries(moved, index=table.index, crs=table.crs))

    def _moved(self, points: np.ndarray) -> np.ndarray:
        x, y = (points - self._middle).T
        for _ in range(self._quarters):
            x, y = -y, x
        return np.column_stack([x, y]) + self._target


def _centre(crs: pyproj.CRS) -> np.ndarray:
    """Give the middle of where a coordinate system is used, in whole metres."""
    area = crs.area_of_use
    if area is None:
        return np.array([700_000.0, 6_600_000.0])  # the origin of Lambert-93
    there = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    return np.rint(there.transform((area.west + area.east) / 2, (area.south + area.north) / 2))
