"""The assets of an inventory: everything of the network that can fail, one row each (D1)."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.codes import among, follow
from gracethd.inventory import Inventory
from gracethd.network.places import Places, nature_of

PTECH_NATURE = {"A": "appui", "C": "chambre", "F": "facade", "I": "immeuble"}
COLUMNS = (
    "kind",
    "code",
    "libelle",
    "nature",
    "typ_imp",
    "passage",
    "capafo",
    "nd_code",
    "delivery",
    "geometry",
)


def list_assets(inventory: Inventory, places: Places, cables: pd.Index) -> gpd.GeoDataFrame:
    """List the assets, sorted by kind and code.

    Parameters
    ----------
    inventory : Inventory
    places : Places
    cables : Index of cb_code
        Cables that are assets: no patch cord (D5).

    Returns
    -------
    GeoDataFrame
        Columns of `COLUMNS`, RangeIndex; geometry of points is that of their place.
    """
    point = inventory.geo("noeud").set_index("nd_code")["geometry"]
    parts = [
        _cables(inventory, cables),
        _ways(inventory),
        _frame("conduite", inventory["conduite"], "cd_code"),
        _boxes(inventory, places),
        _rooms(inventory, places),
        _nodes(inventory, places),
        _ptechs(inventory),
        _sites(inventory, places),
    ]
    table = pd.concat(parts, ignore_index=True).sort_values(["kind", "code"], ignore_index=True)
    at_place = table["geometry"].isna() & table["nd_code"].notna()
    geometry = table["geometry"].mask(at_place, table["nd_code"].map(point))
    table["geometry"] = gpd.GeoSeries(geometry.where(geometry.notna(), None), crs=inventory.crs)
    for column in ("nature", "typ_imp", "passage", "nd_code"):
        table[column] = table[column].fillna("").astype(str)
    table["libelle"] = table["libelle"].fillna(table["code"]).astype(str)
    return gpd.GeoDataFrame(table[list(COLUMNS)], geometry="geometry", crs=inventory.crs)


def _frame(kind: str, table: pd.DataFrame, code: str, **columns: object) -> pd.DataFrame:
    """Dress one inventory table as assets; columns that do not apply stay empty."""
    empty = {"libelle": np.nan, "nature": np.nan, "typ_imp": np.nan, "passage": np.nan, "nd_code": np.nan}
    frame = pd.DataFrame({name: columns.get(name, value) for name, value in empty.items()}, index=table.index)
    frame = frame.astype(dict.fromkeys(empty, str)).where(frame.notna())
    capafo, geometry = (
        pd.Series(columns.get(name), index=table.index, dtype=dtype)
        for name, dtype in (("capafo", "float64"), ("geometry", "object"))
    )
    return frame.assign(
        kind=kind, code=table[code], delivery=table["delivery"], capafo=capafo, geometry=geometry
    )


def _cables(inventory: Inventory, codes: pd.Index) -> pd.DataFrame:
    cable = inventory["cable"][among(inventory["cable"]["cb_code"], codes)]
    return _frame(
        "cable",
        cable,
        "cb_code",
        libelle=cable["cb_etiquet"],
        capafo=cable["cb_capafo"],
        geometry=cable["geometry"],
    )


def _ways(inventory: Inventory) -> pd.DataFrame:
    way = inventory["cheminement"]
    return _frame(
        "cheminement",
        way,
        "cm_code",
        typ_imp=way["cm_typ_imp"],
        passage=way["cm_passage"],
        geometry=way["geometry"],
    )


def _boxes(inventory: Inventory, places: Places) -> pd.DataFrame:
    box = inventory["ebp"].merge(places.boxes, on="bp_code")
    return _frame("ebp", box, "bp_code", nature=box["nature"], nd_code=box["nd_code"])


def _rooms(inventory: Inventory, places: Places) -> pd.DataFrame:
    local = inventory["local"].merge(places.rooms, left_on="lc_code", right_on="room")
    return _frame(
        "local",
        local,
        "lc_code",
        libelle=local["lc_etiquet"],
        nature=local["nature"],
        nd_code=local["nd_code"],
    )


def _nodes(inventory: Inventory, places: Places) -> pd.DataFrame:
    noeud = inventory["noeud"][~among(inventory["noeud"]["nd_code"], places.premise_only)]
    return _frame("noeud", noeud, "nd_code", nd_code=noeud["nd_code"])


def _ptechs(inventory: Inventory) -> pd.DataFrame:
    ptech = inventory["ptech"]
    return _frame(
        "ptech",
        ptech,
        "pt_code",
        libelle=ptech["pt_etiquet"],
        nature=ptech["pt_typephy"].map(PTECH_NATURE),
        nd_code=ptech["pt_nd_code"],
    )


def _sites(inventory: Inventory, places: Places) -> pd.DataFrame:
    site = inventory["site"]
    of_rooms = (
        places.rooms[places.rooms["nature"] != ""].drop_duplicates("st_code").set_index("st_code")["nature"]
    )
    nature = follow(site["st_code"], of_rooms).fillna(nature_of(site["st_typelog"]))
    holds_box = among(site["st_nd_code"], places.boxes["nd_code"])
    is_home = among(site["st_nd_code"], inventory["premise"]["nd_code"]) & (nature == "") & ~holds_box
    site = site[~is_home]
    return _frame(
        "site", site, "st_code", libelle=site["st_nom"], nature=nature[~is_home], nd_code=site["st_nd_code"]
    )
