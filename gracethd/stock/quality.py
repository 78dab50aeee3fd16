"""Quality of the data: what reading, building and tracing found, counted where it lies."""

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
    found = merge_findings([inventory.findings, network.findings, routes.findings])
    table = found["table"].replace(_OF_TABLE).str.removeprefix("t_")
    key = table + " " + found["code"]
    zone = follow(key, _zones_of_objects(inventory, network, routes)).fillna("")
    counts = pd.crosstab(zone, found["severity"]).reindex(columns=list(SEVERITIES), fill_value=0)
    counts = counts.astype(np.int64).add_prefix("findings_")
    return counts.rename_axis(index="zone", columns=None)


def _zones_of_objects(inventory: Inventory, network: Network, routes: Routes) -> pd.Series:
    """Give the zone of every object that has one, by table and code in one text."""
    assets, zones = network.assets, inventory.geo("zsro")
    middle = shapely.centroid(assets["geometry"].to_numpy(object))
    placed = pd.Series(containing(middle, zones, "zs_code").to_numpy(), assets["kind"] + " " + assets["code"])
    fibre = inventory["fibre"]
    by_fibre = pd.Series(
        follow("cable " + fibre["fo_cb_code"], placed).to_numpy(), "fibre " + fibre["fo_code"]
    )
    address = inventory.geo("adresse")
    by_address = pd.Series(
        containing(address["geometry"].to_numpy(), zones, "zs_code").to_numpy(),
        "adresse " + address["ad_code"],
    )
    by_prise = pd.Series(routes.prises["zone"].to_numpy(), "premise " + routes.prises["code"])
    own = pd.Series(zones["zs_code"].to_numpy(), "zsro " + zones["zs_code"])
    every = pd.concat([by_prise, own, placed, by_fibre, by_address]).astype("str")
    return every[~every.index.duplicated() & every.index.notna()]
