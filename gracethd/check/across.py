"""Rules between deliveries: what one says otherwise than another."""

from collections.abc import Iterator, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.check.rules import PRIMARY_KEYS, report, report_table
from gracethd.deliveries.types import Delivery

OWN = ("_creadat", "_majdate", "_majsrc", "_abddate", "_abdsrc", "_comment", "_geolsrc", "_perirec")
"""Ends of attribute names that tell of the delivery and not of the object."""
OF_LAYER = frozenset({"pt_typelog", "cm_typelog", "cd_nbcable"})
"""Attributes of shared civil works that each delivery tells of its own cables."""
SHOWN = 6


def is_compared(attribute: str) -> bool:
    """Tell whether deliveries that fill an attribute of one object differently contradict each other."""
    return (
        attribute not in {"line", "geometry", "number"}
        and not attribute.endswith(OWN)
        and attribute not in OF_LAYER
    )


def check_across(deliveries: Sequence[Delivery]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Find contradictions between deliveries, with the name of the delivery that comes later."""
    if len(deliveries) < 2:
        return
    told = {version for one in deliveries for version in one.versions.values()}
    if len(told) > 1 and all(len(set(one.versions.values())) == 1 for one in deliveries if one.versions):
        yield "", report_table("versions_livraisons", "", "")
    for table in sorted({table for one in deliveries for table in one.tables}):
        yield from _contradictions(deliveries, table)
    yield from _foreign_twins(deliveries)


def _contradictions(deliveries: Sequence[Delivery], table: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Hold the rows of a key against its first row in an earlier delivery, attribute by attribute."""
    keys = list(PRIMARY_KEYS.get(table, ()))
    holders = [
        one for one in deliveries if table in one.tables and set(keys) <= set(one.tables[table].columns)
    ]
    if not keys or len(holders) < 2:
        return
    sizes = [len(one.tables[table]) for one in holders]
    every = pd.concat([one.tables[table][keys] for one in holders], ignore_index=True)
    every["number"] = np.repeat(np.arange(len(holders)), sizes)
    every["row"] = np.concatenate([np.arange(size) for size in sizes])
    every = every[every.duplicated(keys, keep=False) & every[keys].notna().all(axis=1)]
    every = every[every.groupby(keys)["number"].transform("nunique") > 1]
    if every.empty:
        return
    rows = pd.concat(
        [
            pd.DataFrame(holders[int(str(number))].tables[table]).iloc[one["row"]].assign(number=number)
            for number, one in every.groupby("number")
        ],
        ignore_index=True,
    )
    first = rows.drop_duplicates(keys).set_index(keys)
    earlier = first.reindex(
        pd.MultiIndex.from_frame(rows[keys]) if len(keys) > 1 else pd.Index(rows[keys[0]])
    )
    later = rows["number"].to_numpy() > earlier["number"].to_numpy()
    found = _differences(table, rows[later], earlier[later])
    for number, one in found.groupby("number"):
        yield holders[int(str(number))].name, one.drop(columns="number")


def _differences(table: str, rows: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Report the rows where both fill an attribute, differently: findings that name it, and ``number``."""
    differ = {}
    for name in (str(name) for name in rows if name in earlier):
        if not is_compared(name):
            continue
        one, two = rows[name].reset_index(drop=True), earlier[name].reset_index(drop=True)
        unlike = ((one != two) & one.notna() & two.notna()).to_numpy(dtype=bool, copy=True)
        as_number = (pd.to_numeric(text[unlike], errors="coerce").to_numpy() for text in (one, two))
        unlike[unlike] = np.not_equal(*as_number)  # 12 and 12.0 are one number
        differ[name] = unlike
    unlike_in = pd.DataFrame(differ, index=rows.index)
    faulty = unlike_in.any(axis=1)
    names = unlike_in.columns.to_numpy()
    told = [", ".join(names[row][:SHOWN]) for row in unlike_in[faulty].to_numpy()]  # such rows are few
    found = report("livraisons_contradictoires", table, rows, faulty)
    message = found["message"] + " : " + pd.Series(told, index=found.index, dtype=str)
    return found.assign(message=message, number=rows.loc[faulty, "number"].to_numpy())


def _foreign_twins(deliveries: Sequence[Delivery]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Find nodes at the place, to the millimetre, of a node of another code in an earlier delivery."""
    crs = next((one.crs for one in deliveries if one.crs is not None), None)
    parts = []
    for number, one in enumerate(deliveries):
        nodes = one.tables.get("t_noeud")
        if isinstance(nodes, gpd.GeoDataFrame) and "nd_code" in nodes and crs and one.crs is not None:
            shapes = nodes.geometry.to_crs(crs)
            there = shapely.get_type_id(shapes.to_numpy()) == shapely.GeometryType.POINT
            at = np.round(shapes[there].get_coordinates().to_numpy(), 3)
            rows = pd.DataFrame({"code": nodes["nd_code"], "line": nodes["line"]})[there]
            parts.append(rows.assign(x=at[:, 0], y=at[:, 1], number=number))
    if len(parts) < 2:
        return
    every = pd.concat(parts, ignore_index=True).dropna(subset="code")
    first = every.drop_duplicates(["x", "y"]).set_index(["x", "y"])[["code", "number"]]
    met = first.reindex(pd.MultiIndex.from_frame(every[["x", "y"]]))
    is_twin = (met["code"].to_numpy() != every["code"].to_numpy()) & (
        met["number"].to_numpy() < every["number"].to_numpy()
    )
    known = every.groupby("code")["number"].transform("min") < every["number"]
    for number, rows in every[is_twin & ~known.to_numpy()].groupby("number"):
        nodes = deliveries[int(str(number))].tables["t_noeud"]
        faulty = nodes["line"].isin(rows["line"])
        yield (
            deliveries[int(str(number))].name,
            report("noeuds_superposes_livraisons", "t_noeud", nodes, faulty, attribute="geom"),
        )
