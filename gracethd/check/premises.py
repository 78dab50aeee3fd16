"""Rules on premises: where they stand against their address, and in which zones an address lies."""

from collections.abc import Iterator, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.check.places import column, mapping, node_points, place_nodes, shapes_of
from gracethd.check.rules import report
from gracethd.check.settings import Thresholds
from gracethd.values import parse_number

Tables = Mapping[str, pd.DataFrame]
NO_PREMISE = ("NRO", "NRA", "NRAMED", "SRO", "TEC", "HEBERG")
"""Types of the rooms of a version 3 t_local: the others are premises."""
ANNOUNCED = ("ad_nblres", "ad_nblpro", "ad_nblent", "ad_nblpub")
"""Premises that a version 3 address announces, one FTTH fibre each."""


def check_premises(tables: Tables, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find premises away from their address, addresses in several zones, and fibres that do not add up."""
    addresses = tables.get("t_adresse")
    yield from _planned_fibres(tables)
    if not isinstance(addresses, gpd.GeoDataFrame) or "ad_code" not in addresses:
        return
    parts = list(_premises(tables))
    for table, frame, premise in parts:
        point = shapes_of(node_points(tables).reindex(premise["node"]))
        known = addresses[addresses["ad_code"].notna()].drop_duplicates("ad_code").set_index("ad_code")
        at_address = shapes_of(known.geometry.reindex(premise["address"]))
        away = shapely.distance(point, at_address) > limits["address_m"]
        yield report("prise_loin_adresse", table, frame, away, detail=f"plus de {limits['address_m']:g} m")
    if parts:
        together = pd.concat([premise for _, _, premise in parts], ignore_index=True)
        yield from _split_addresses(tables, addresses, together)


def _planned_fibres(tables: Tables) -> Iterator[pd.DataFrame]:
    """Find addresses whose planned FTTH fibres are not as many as the premises they announce."""
    addresses = tables.get("t_adresse")
    if addresses is None or "ad_nbfotth" not in addresses:
        return
    planned = parse_number(addresses["ad_nbfotth"])[0]
    announced = pd.DataFrame(
        {name: parse_number(addresses[name])[0] for name in ANNOUNCED if name in addresses}, addresses.index
    )
    wrong = announced.notna().any(axis=1) & planned.notna() & (announced.sum(axis=1) != planned)
    yield report("fibres_prevues_discordantes", "t_adresse", addresses, wrong, attribute="ad_nbfotth")


def _premises(tables: Tables) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Give the premises of each table that holds some, with their node and address codes."""
    nodes = place_nodes(tables)
    suf = tables.get("t_suf")
    if suf is not None and "sf_code" in suf:
        told = {
            "node": column(tables, "t_suf", "sf_nd_code"),
            "address": column(tables, "t_suf", "sf_ad_code"),
        }
        yield "t_suf", suf, pd.DataFrame(told)
    local = tables.get("t_local")
    if local is not None and "lc_code" in local:
        premises = local[~column(tables, "t_local", "lc_typelog").isin(NO_PREMISE)]
        site = column(tables, "t_local", "lc_st_code")[premises.index]
        address = site.map(mapping(tables, "t_site", "st_code", "st_ad_code"))
        yield "t_local", premises, pd.DataFrame({"node": site.map(nodes["t_site"]), "address": address})


def _split_addresses(
    tables: Tables, addresses: gpd.GeoDataFrame, premises: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    zones = tables.get("t_zsro")
    if not isinstance(zones, gpd.GeoDataFrame) or len(zones) < 2:
        return
    point = shapes_of(node_points(tables).reindex(premises["node"]))
    row, zone = shapely.STRtree(shapes_of(zones.geometry)).query(point, predicate="intersects")
    first = pd.DataFrame({"row": row, "zone": zone}).groupby("row")["zone"].min()
    of_zone = pd.DataFrame({"address": premises["address"], "zone": first.reindex(np.arange(len(premises)))})
    n_zones = of_zone.dropna().groupby("address")["zone"].nunique()
    several = addresses["ad_code"].isin(n_zones.index[n_zones > 1])
    yield report("adresse_plusieurs_zsro", "t_adresse", addresses, several, attribute="ad_code")
