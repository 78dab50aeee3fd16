"""Quality of the data: what reading, building and tracing found, counted where it lies."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.codes import follow
from gracethd.findings import SEVERITIES, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.types import Network
from gracethd.routes import Routes
from gracethd.routes.demand import containing

_OF_TABLE = {"t_sitetech": "site", "t_ltech": "local", "t_suf": "premise"}
"""Inventory table of the delivered ones that have another name there."""


def findings_by_zone(inventory: Inventory, network: Network, routes: Routes) -> pd.DataFrame:
    """Count findings by SRO zone and severity.

    A finding on a prise counts in the zone of the prise, one on a zone there, any other in the zone that
    holds the middle of its object; a fibre is where its cable is. What lies in no zone, or nowhere, has the
    zone "".

    Returns
    -------
    DataFrame
        By zone, sorted: findings_bloquant, findings_majeur, findings_mineur, findings_info (int64). Their
        sums are the numbers of findings.
    """
    return _counted(inventory, network, routes, _zones_of_objects(inventory, network, routes), "zone")


def findings_by_commune(
    inventory: Inventory, network: Network, routes: Routes, communes: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Count findings by commune and severity, as `findings_by_zone`; prises by the commune of their address.

    Parameters
    ----------
    inventory, network, routes
        Of one another.
    communes : GeoDataFrame
        From `gracethd.stock.communes.read_communes`.
    """
    placed = _placed(inventory, network, communes, "code_insee")
    by_prise = pd.Series(routes.prises["insee"].to_numpy(), "premise " + routes.prises["code"])
    every = pd.concat([by_prise, placed]).astype("str")
    every = every[~every.index.duplicated() & every.index.notna()]
    return _counted(inventory, network, routes, every, "code_insee")


def _counted(
    inventory: Inventory, network: Network, routes: Routes, area: pd.Series, name: str
) -> pd.DataFrame:
    found = merge_findings([inventory.findings, network.findings, routes.findings])
    table = found["table"].replace(_OF_TABLE).str.removeprefix("t_")
    where = follow(table + " " + found["code"], area).fillna("")
    counts = pd.crosstab(where, found["severity"]).reindex(columns=list(SEVERITIES), fill_value=0)
    return counts.astype(np.int64).add_prefix("findings_").rename_axis(index=name, columns=None)


def _zones_of_objects(inventory: Inventory, network: Network, routes: Routes) -> pd.Series:
    """Give the zone of every object that has one, by table and code in one text."""
    zones = inventory.geo("zsro")
    by_prise = pd.Series(routes.prises["zone"].to_numpy(), "premise " + routes.prises["code"])
    own = pd.Series(zones["zs_code"].to_numpy(), "zsro " + zones["zs_code"])
    every = pd.concat([by_prise, own, _placed(inventory, network, zones, "zs_code")]).astype("str")
    return every[~every.index.duplicated() & every.index.notna()]


def _placed(inventory: Inventory, network: Network, areas: gpd.GeoDataFrame, code: str) -> pd.Series:
    """Give the area that holds the middle of each asset, fibre and address, by table and code in one text."""
    assets, fibre, address = network.assets, inventory["fibre"], inventory.geo("adresse")
    middle = shapely.centroid(assets["geometry"].to_numpy(object))
    placed = pd.Series(containing(middle, areas, code).to_numpy(), assets["kind"] + " " + assets["code"])
    by_fibre = pd.Series(
        follow("cable " + fibre["fo_cb_code"], placed).to_numpy(), "fibre " + fibre["fo_code"]
    )
    by_address = pd.Series(
        containing(address["geometry"].to_numpy(), areas, code).to_numpy(), "adresse " + address["ad_code"]
    )
    return pd.concat([placed, by_fibre, by_address])
