"""Where a finding is on the map: the shape of its object, or the first that its keys lead to."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.check.keys import ANNEXES, foreign_keys
from gracethd.check.places import Shapes, kept, shapes_of
from gracethd.deliveries.types import Delivery

MAX_STEPS = 6
"""Longest chain measured: position, cassette, box, room, site, node."""


def locate(delivery: Delivery, findings: pd.DataFrame) -> gpd.GeoSeries:
    """Give the shape of each finding, None where no chain of keys leads to one.

    Parameters
    ----------
    delivery : Delivery
    findings : DataFrame
        Of this delivery; table and line name the object.

    Returns
    -------
    GeoSeries
        With the index of `findings`, in the CRS of the delivery.
    """
    shapes = np.full(len(findings), None, dtype=object)
    keys = foreign_keys(delivery)
    for table, rows in findings.reset_index(drop=True).groupby("table", sort=True):
        frame = delivery.tables.get(str(table))
        if frame is not None:
            wanted = pd.Index(frame["line"]).get_indexer(rows["line"])
            known = wanted >= 0
            faulty = frame.iloc[wanted[known]]
            shapes[rows.index.to_numpy()[known]] = _shapes(
                delivery, str(table), faulty, keys, steps=MAX_STEPS
            )
    return gpd.GeoSeries(shapes, index=findings.index, crs=delivery.crs)


def _shapes(delivery: Delivery, table: str, rows: pd.DataFrame, keys: pd.DataFrame, *, steps: int) -> Shapes:
    """Follow the keys of rows, in the order of the model, up to a table with shapes."""
    if isinstance(rows, gpd.GeoDataFrame):
        return shapes_of(rows.geometry)
    shapes: Shapes = np.full(len(rows), None, dtype=object)
    lines = delivery.tables.get("t_cableline")
    if table == "t_cable" and isinstance(lines, gpd.GeoDataFrame) and {"cl_cb_code"} <= set(lines.columns):
        shapes = _looked_up(_column(rows, "cb_code"), lines["cl_cb_code"], shapes_of(lines.geometry))
    chosen = keys[(keys["table"] == table) & (keys["target"] != table) & ~keys["target"].isin(ANNEXES)]
    for name, target, key in chosen[["attribute", "target", "key"]].itertuples(index=False, name=None):
        missing, targets = pd.isna(shapes), delivery.tables.get(target)
        if targets is None or key not in targets or name not in rows or not steps or not missing.any():
            continue
        used = targets[targets[key].isin(rows.loc[missing, name].dropna())].drop_duplicates(key)
        reached = _looked_up(rows[name], used[key], _shapes(delivery, target, used, keys, steps=steps - 1))
        shapes[missing] = reached[missing]
    return shapes


def _column(rows: pd.DataFrame, name: str) -> pd.Series:
    """Give a column, all missing where the delivery has none."""
    return rows[name] if name in rows else pd.Series(np.nan, index=rows.index, dtype=str)


def _looked_up(codes: pd.Series, keys: pd.Series, shapes: Shapes) -> Shapes:
    """Give the shape of each code, None where the code has none."""
    by_code = pd.Series(shapes, index=pd.Index(keys, dtype=str), dtype=object)
    by_code = by_code[by_code.index.notna() & ~by_code.index.duplicated()]
    found = shapes_of(by_code.reindex(codes.to_numpy()))
    return kept(found, np.asarray(pd.notna(found)))
