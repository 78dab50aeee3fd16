"""Small inventories written by hand or drawn, for tests of networks, routes and losses."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from gracethd.normalise import TABLES

LAMBERT93 = pyproj.CRS.from_epsg(2154)
Rows = Sequence[Mapping[str, object]]


def make_inventory(**rows: Rows) -> Inventory:
    """Build an inventory from rows by table; columns that are not given are missing, as in a delivery."""
    tables: dict[str, pd.DataFrame] = {}
    for name, spec in TABLES.items():
        if name == "cableline":
            continue
        given = pd.DataFrame(list(rows.get(name, ())))
        table = given.reindex(columns=[*spec.columns])
        numbers = dict.fromkeys(spec.numbers, float)
        table = table.astype({**dict.fromkeys(spec.columns, str), **numbers}).where(table.notna())
        table["updated"] = pd.Series(pd.NaT, index=table.index, dtype="datetime64[s]")
        table["delivery"] = "essai"
        table["line"] = np.arange(1, len(table) + 1, dtype=np.int64)
        if spec.geometry or name == "cable":
            shapes = (
                given["geometry"] if "geometry" in given else pd.Series([None] * len(table), dtype=object)
            )
            table = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes.to_numpy(), crs=LAMBERT93))
        tables[name] = table
    deliveries = pd.DataFrame(
        {"delivery": ["essai"], "sha256": [""], "size_bytes": [0], "versions": ["3"], "n_rows": [0]}
    )
    return Inventory(tables, LAMBERT93, deliveries, merge_findings([]))


def nodes(*codes: str, at: Mapping[str, tuple[float, float]] | None = None) -> list[dict[str, object]]:
    """Give one place per code, 100 m apart unless `at` says where."""
    at = at or {}
    return [
        {"nd_code": code, "geometry": shapely.Point(at.get(code, (700_000.0 + 100 * i, 7_000_000.0)))}
        for i, code in enumerate(codes)
    ]


def room(code: str, node: str, nature: str) -> tuple[dict[str, object], dict[str, object]]:
    """Give the site and the room of an NRO or a PM (nature SRO) at a node: site ST<code>, room <code>."""
    return (
        {"st_code": f"ST{code}", "st_nd_code": node, "st_typelog": "RESEAU"},
        {"lc_code": code, "lc_st_code": f"ST{code}", "lc_typelog": nature},
    )


def box(code: str, node: str, typelog: str) -> tuple[dict[str, object], dict[str, object]]:
    """Give a chamber and the box in it, at a node: chamber PT<code>, box <code>."""
    return (
        {"pt_code": f"PT{code}", "pt_nd_code": node, "pt_typephy": "C"},
        {"bp_code": code, "bp_pt_code": f"PT{code}", "bp_typelog": typelog},
    )
