"""Where the objects of a delivery stand, followed from key to key up to a node, in either version.

The places here are those that codes tell; the network (DESIGN D6) also asks the geometry.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TypeVar, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

Tables = Mapping[str, pd.DataFrame]
Shapes = NDArray[np.object_]

SUPPORTS: dict[str, tuple[str, ...]] = {
    "t_ebp": ("bp_pt_code", "bp_lt_code", "bp_lc_code", "bp_sf_code"),
    "t_baie": ("ba_lt_code", "ba_lc_code"),
}
"""Attributes that say where a box or a rack stands, the first that is filled wins."""


Derived = TypeVar("Derived")


class Remembering(dict[str, pd.DataFrame]):
    """The tables of one delivery, with what has been derived from them: each thing once for all rules."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.derived: dict[str, object] = {}


def remembered(derive: Callable[[Tables], Derived]) -> Callable[[Tables], Derived]:
    """Derive a thing once from tables that remember; what is given is not to be changed."""

    @wraps(derive)
    def once(tables: Tables) -> Derived:
        if not isinstance(tables, Remembering):
            return derive(tables)
        if derive.__name__ not in tables.derived:
            tables.derived[derive.__name__] = derive(tables)
        return cast("Derived", tables.derived[derive.__name__])

    return once


def column(tables: Tables, table: str, name: str) -> pd.Series:
    """Give a column of a table, empty text where the table or the column is not there."""
    frame = tables.get(table)
    if frame is None:
        return pd.Series(dtype=str)
    return frame[name] if name in frame else pd.Series(np.nan, index=frame.index, dtype=str)


def mapping(tables: Tables, table: str, key: str, value: str) -> pd.Series:
    """Give a value by key, the first row of each key winning; rows without key or value are left out."""
    pairs = pd.DataFrame({"key": column(tables, table, key), "value": column(tables, table, value)}).dropna()
    return pairs.drop_duplicates("key").set_index("key")["value"]


def filled(*columns: pd.Series) -> pd.Series:
    """Give the first of the columns that is not missing, row by row."""
    first, *others = (one.astype("str") for one in columns)  # a map that finds nothing is not text
    for other in others:
        first = first.where(first.notna(), other)
    return first


@remembered
def place_nodes(tables: Tables) -> dict[str, pd.Series]:
    """Give, for each table of things that stand somewhere, the node code by code of the thing."""
    site = _together(
        mapping(tables, "t_sitetech", "st_code", "st_nd_code"),
        mapping(tables, "t_site", "st_code", "st_nd_code"),
    )
    found = {
        "t_ptech": mapping(tables, "t_ptech", "pt_code", "pt_nd_code"),
        "t_sitetech": site,
        "t_site": site,
        "t_ltech": mapping(tables, "t_ltech", "lt_code", "lt_st_code").map(site).dropna(),
        "t_local": mapping(tables, "t_local", "lc_code", "lc_st_code").map(site).dropna(),
        "t_suf": mapping(tables, "t_suf", "sf_code", "sf_nd_code"),
    }
    targets = {"pt": found["t_ptech"], "lt": found["t_ltech"], "lc": found["t_local"], "sf": found["t_suf"]}
    for table, key in (("t_ebp", "bp_code"), ("t_baie", "ba_code")):
        given = [column(tables, table, name).map(targets[name[3:5]]) for name in SUPPORTS[table]]
        nodes = pd.DataFrame({"key": column(tables, table, key), "node": filled(*given)}).dropna()
        found[table] = nodes.drop_duplicates("key").set_index("key")["node"].astype(str)
    return found


@remembered
def cable_ends(tables: Tables) -> pd.DataFrame:
    """Give what the codes of each cable say of its ends.

    Returns
    -------
    DataFrame
        The rows of t_cable with ``cb_code``, ``line`` and, for i = 1 and 2, ``nd{i}`` (declared node),
        ``box{i}``, ``rack{i}`` (codes, from t_cable or its patch) and ``place{i}`` (node of the box,
        else of the rack); missing = NaN.
    """
    cable = tables.get("t_cable")
    if cable is None:
        return pd.DataFrame({"cb_code": pd.Series(dtype=str), "line": pd.Series(dtype=np.int64)})
    nodes = place_nodes(tables)
    ends = pd.DataFrame({"cb_code": column(tables, "t_cable", "cb_code"), "line": cable["line"]})
    for i in ("1", "2"):
        ends[f"nd{i}"] = column(tables, "t_cable", f"cb_nd{i}")
        for thing, prefix in (("box", "cb_bp"), ("rack", "cb_ba")):
            patch = mapping(tables, "t_cable_patch201", "cb_code", prefix + i)
            ends[thing + i] = filled(column(tables, "t_cable", prefix + i), ends["cb_code"].map(patch))
        ends[f"place{i}"] = filled(ends[f"box{i}"].map(nodes["t_ebp"]), ends[f"rack{i}"].map(nodes["t_baie"]))
    return ends


@remembered
def cable_lines(tables: Tables) -> gpd.GeoSeries:
    """Give the line of each cable by cable code, the first that has a geometry."""
    return _geometry(tables, "t_cableline", "cl_cb_code")


@remembered
def node_points(tables: Tables) -> gpd.GeoSeries:
    """Give the point of each node by node code, nodes without geometry or with another one left out."""
    drawn = _geometry(tables, "t_noeud", "nd_code")
    return drawn[shapely.get_type_id(shapes_of(drawn)) == shapely.GeometryType.POINT]


def line_ends(lines: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the first and the last point of lines, (n, 2) each; NaN where several pieces do not join."""
    merged: Shapes = shapely.line_merge(lines)
    single = kept(merged, shapely.get_type_id(merged) == shapely.GeometryType.LINESTRING)
    first, last = shapely.get_point(single, 0), shapely.get_point(single, -1)
    return (
        np.column_stack([shapely.get_x(first), shapely.get_y(first)]),
        np.column_stack([shapely.get_x(last), shapely.get_y(last)]),
    )


def shapes_of(layer: object) -> Shapes:
    """Give the shapes of a layer as an array, None where there is none."""
    return np.asarray(layer, dtype=object)


def kept(shapes: Shapes, mask: NDArray[np.bool_]) -> Shapes:
    """Give the shapes where the mask is true, None elsewhere."""
    chosen = shapes.copy()
    chosen[~mask] = None
    return chosen


def _geometry(tables: Tables, table: str, key: str) -> gpd.GeoSeries:
    frame = tables.get(table)
    if not isinstance(frame, gpd.GeoDataFrame) or key not in frame:
        return gpd.GeoSeries([], index=pd.Index([], dtype=str))
    given = frame[frame[key].notna() & frame.geometry.notna().to_numpy()].drop_duplicates(key)
    return gpd.GeoSeries(given.geometry.to_numpy(), index=pd.Index(given[key], dtype=str), crs=frame.crs)


def _together(*series: pd.Series) -> pd.Series:
    both: pd.Series = pd.concat([one for one in series if len(one)] or list(series[:1]))
    return both[~both.index.duplicated()]
