"""Where each column of an inventory goes in a delivery of one version, and what is written beside it."""

from collections.abc import Mapping
from functools import cache

import geopandas as gpd
import pandas as pd

from gracethd.carried import PROVENANCE
from gracethd.deliveries.write import WrittenVersion
from gracethd.export.carry import carried_homes
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.model import attributes, value_lists
from gracethd.normalise import PREMISE_TYPES, ROOM_TYPES, TABLES

_OF_PREMISES_3 = {
    "code": "lc_code",
    "type": "lc_typelog",
    "st_code": "lc_st_code",
    "bp_codf": "lc_bp_codf",
    "bp_codp": "lc_bp_codp",
}
"""Premises of version 3 are rows of t_local."""
_TOLD_ELSEWHERE: dict[WrittenVersion, dict[str, tuple[str, ...]]] = {
    "2.0.1": {"local": ("lc_typelog",)},
    "3.0.1": {"premise": ("nd_code", "ad_code", "bp_code"), "ebp": ("bp_sf_code",)},
}
"""Columns without attribute that reading finds again: the type of a room from its site (2), the node, address
and box of a premise from its site and planned boxes, the premise of a PTO from its local (3)."""


@cache
def homes(name: str, version: WrittenVersion) -> dict[str, tuple[str, str]]:
    """Give the delivered (table, attribute) that holds each column of an inventory table.

    A column that is told elsewhere (see above) has the empty table and attribute.

    Examples
    --------
    >>> homes("cable", "2.0.1")["cb_bp1"]
    ('t_cable_patch201', 'cb_bp1')
    """
    told = dict.fromkeys(_TOLD_ELSEWHERE[version].get(name, ()), ("", ""))
    if name == "premise" and version == "3.0.1":
        return {column: ("t_local", attribute) for column, attribute in _OF_PREMISES_3.items()} | told
    model = attributes(version)
    known = set(zip(model["table"], model["attribute"], strict=True))
    found: dict[str, tuple[str, str]] = {}
    for source, renames in TABLES[name].sources.items():
        for table in (source, f"{source}_patch201"):
            for column in TABLES[name].columns:
                wanted = [(table, renames.get(column, column)), (table, column)]
                home = next((one for one in wanted if one in known), None)
                if home is not None:
                    found.setdefault(column, home)
    return found | told


def delivered_tables(inventory: Inventory, version: WrittenVersion) -> dict[str, pd.DataFrame]:
    """Give the tables of a delivery that holds an inventory, by GraceTHD name.

    Parameters
    ----------
    inventory : Inventory
        From `gracethd.export.as_version` for the same version.
    version : {"2.0.1", "3.0.1"}

    Returns
    -------
    dict of str to DataFrame
        For `gracethd.deliveries.write.write_delivery`: the columns of the inventory, what is carried beside
        it, and the tables that it carries whole.
    """
    delivered: dict[str, pd.DataFrame] = {
        name: _without_provenance(rows) for name, rows in inventory.carried.items() if name not in TABLES
    }
    for name, table in inventory.items():
        carried = inventory.carried.get(name, pd.DataFrame(index=table.index))
        parts = _parts(name, table, carried, version)
        if name == "cable":
            parts["t_cableline"] = _lines(inventory.geo("cable"), carried)
        for target, rows in parts.items():
            known = delivered.get(target)
            delivered[target] = rows if known is None else pd.concat([known, rows], ignore_index=True)
    return delivered


def _without_provenance(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=[column for column in PROVENANCE if column in rows])


def _parts(
    name: str, table: pd.DataFrame, carried: pd.DataFrame, version: WrittenVersion
) -> dict[str, pd.DataFrame]:
    """Give the rows of one inventory table in each delivered table that holds some of its columns."""
    columns: dict[str, dict[str, pd.Series]] = {}
    for column, (target, attribute) in homes(name, version).items():
        if target:
            columns.setdefault(target, {})[attribute] = _said(name, column, table, version)
    where = carried_homes(name, version)
    for attribute in map(str, carried.columns):
        if attribute in where and where[attribute].table != "t_cableline":
            columns.setdefault(where[attribute].table, {})[attribute] = carried[attribute].astype("str")
    parts = {target: pd.DataFrame(given, index=table.index) for target, given in columns.items()}
    for target, rows in parts.items():
        if "_patch" in target:
            key = homes(name, version)[TABLES[name].columns[0]][1]
            completed = rows.assign(**{key: table[TABLES[name].columns[0]]})[[key, *rows.columns]]
            parts[target] = completed[rows.notna().any(axis=1)]
            continue
        if TABLES[name].geometry and isinstance(table, gpd.GeoDataFrame):
            parts[target] = gpd.GeoDataFrame(rows, geometry=table.geometry, crs=table.crs)
    return parts


def _said(name: str, column: str, table: pd.DataFrame, version: WrittenVersion) -> pd.Series:
    """Give a column as a version says it: types of premises (2), rooms and premises in one column (3)."""
    values = table[column]
    if (name, column, version) == ("premise", "type", "2.0.1"):
        return values.replace({ours: theirs for theirs, ours in PREMISE_TYPES.items()})
    if (name, column, version) == ("local", "lc_typelog", "3.0.1"):
        # what is no type of room there was filled from the site, and would make a premise of it
        return values.where(values.isin(ROOM_TYPES))
    if (name, column, version) == ("ebp", "bp_lc_code", "3.0.1"):
        return table["bp_sf_code"].fillna(values)
    return values


def _lines(cable: gpd.GeoDataFrame, carried: pd.DataFrame) -> gpd.GeoDataFrame:
    """Give the lines of the cables that have one."""
    drawn = cable[cable.geometry.notna()]
    own = {str(name): carried[name].astype("str") for name in carried if str(name).startswith("cl_")}
    rows = pd.DataFrame(own, index=cable.index).loc[drawn.index].assign(cl_cb_code=drawn["cb_code"])
    return gpd.GeoDataFrame(rows, geometry=drawn.geometry, crs=cable.crs)


def mandatory_gaps(delivered: Mapping[str, pd.DataFrame], version: WrittenVersion) -> pd.DataFrame:
    """List the attributes that a version wants filled and that stay empty, with the number of rows."""
    model = attributes(version)
    wanted = model[(model["mandatory"] == "O") & (model["geometry_type"] == "")]
    found = []
    for target, attribute in zip(wanted["table"], wanted["attribute"], strict=True):
        if target not in delivered or "_patch" in target:
            continue
        rows = delivered[target]
        n = int(rows[attribute].isna().sum()) if attribute in rows else len(rows)
        message = f"attribut obligatoire laissé vide sur {n} lignes : aucune livraison ne le dit"
        found.append(
            findings_frame(
                "export_vide",
                "info",
                str(target),
                attribute=str(attribute),
                code=[""] if n else [],
                message=message,
            )
        )
    return merge_findings(found)


def outside_lists(tables: Mapping[str, pd.DataFrame], version: WrittenVersion) -> pd.DataFrame:
    """List the objects whose value is in no list of the version: written as it is."""
    model, lists = attributes(version).set_index(["table", "attribute"])["value_list"], value_lists(version)
    found = []
    for name, table in tables.items():
        for column, home in homes(name, version).items():
            codes = lists.loc[lists["list"] == model.get(home, ""), "code"]
            if not len(codes):
                continue
            values = _said(name, column, table, version)
            strange = values.notna() & ~values.isin(codes)
            found.append(
                findings_frame(
                    "export_hors_liste", "mineur", name, attribute=column,
                    code=table.loc[strange, TABLES[name].columns[0]],
                    message=f"valeur hors des listes de {version} : écrite telle quelle",
                    delivery=table.loc[strange, "delivery"], line=table.loc[strange, "line"],
                )
            )  # fmt: skip
    return merge_findings(found)
