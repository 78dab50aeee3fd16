"""Where equipment stands: the node and the room of every site, box, rack and drawer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gracethd.codes import among, follow
from gracethd.inventory import Inventory

NRO_TYPES = ("NRO", "NRA", "NRAHD", "NRAMED", "NRAZO")
PM_TYPES = ("SRO", "SROL", "SROS")
NETWORK_BOXES = ("BPE", "BPI", "PBO")
"""Box types that belong to the network; PTO and DTI belong to the premise (D1)."""


@dataclass(frozen=True)
class Places:
    """Places by code, each a Series from code to code (NaN where nothing is known).

    Attributes
    ----------
    rooms : DataFrame
        One row per room: room (code), kind (local|site|noeud: what stands for it as an asset), st_code,
        nd_code, nature (NRO|PM|HEBERG|""). A site with a nature and no local is a room itself.
    ptech_node, site_node, ebp_node, ebp_room, rack_room, drawer_room : Series
    boxes : DataFrame
        Boxes of the network (not PTO, not DTI): bp_code, nature (BPE|PBO), nd_code.
    premise_only : set of str
        Nodes that hold premises and nothing of the network: no asset (D1).
    """

    rooms: pd.DataFrame
    ptech_node: pd.Series
    site_node: pd.Series
    ebp_node: pd.Series
    ebp_room: pd.Series
    rack_room: pd.Series
    drawer_room: pd.Series
    boxes: pd.DataFrame
    premise_only: frozenset[str]


def find_places(inventory: Inventory) -> Places:
    """Resolve the place of everything that has one (DESIGN D1, D6)."""
    known = inventory["noeud"]["nd_code"]
    site_node, ptech_node = (
        inventory[table].set_index(key)[node].where(lambda nodes: among(nodes, known))
        for table, key, node in (("site", "st_code", "st_nd_code"), ("ptech", "pt_code", "pt_nd_code"))
    )
    rooms = _rooms(inventory, site_node)
    room_node = rooms.set_index("room")["nd_code"]
    ebp = inventory["ebp"].set_index("bp_code")
    premise_node = inventory["premise"].set_index("code")["nd_code"]
    ebp_node = (
        follow(ebp["bp_pt_code"], ptech_node)
        .fillna(follow(ebp["bp_lc_code"], room_node))
        .fillna(follow(ebp["bp_sf_code"], premise_node))
    )  # fmt: skip
    rack_room = inventory["baie"].set_index("ba_code")["ba_lc_code"]
    drawer_room = follow(inventory["tiroir"].set_index("ti_code")["ti_ba_code"], rack_room)
    is_network = ~ebp["bp_typelog"].isin(("PTO", "DTI")) & ebp["bp_sf_code"].isna()
    boxes = pd.DataFrame(
        {
            "bp_code": ebp.index[is_network],
            "nature": np.where(ebp["bp_typelog"][is_network] == "PBO", "PBO", "BPE"),
            "nd_code": ebp_node[is_network].to_numpy(),
        }
    )
    client = inventory["premise"]["nd_code"].dropna()
    busy = pd.concat(
        [ptech_node, _network_sites(inventory)["st_nd_code"], boxes["nd_code"], rooms["nd_code"]]
    ).dropna()
    premise_only = frozenset(client) - frozenset(busy)
    return Places(
        rooms, ptech_node, site_node, ebp_node, ebp["bp_lc_code"], rack_room, drawer_room, boxes, premise_only
    )


def _network_sites(inventory: Inventory) -> pd.DataFrame:
    """Give the sites that are not mere client buildings: a CLIENT site counts when it holds no premise."""
    site = inventory["site"]
    of_premises = among(site["st_code"], inventory["premise"]["st_code"]) & (site["st_typelog"] == "CLIENT")
    return site[~of_premises]


def nature_of(typelog: pd.Series) -> pd.Series:
    """Tell what a logical type stands for: NRO, PM, HEBERG or ""."""
    nature = np.select(
        [typelog.isin(NRO_TYPES), typelog.isin(PM_TYPES), typelog == "HEBERG"], ["NRO", "PM", "HEBERG"], ""
    )
    return pd.Series(nature, index=typelog.index, dtype=str)


def _rooms(inventory: Inventory, site_node: pd.Series) -> pd.DataFrame:
    local, site, zsro, znro = inventory["local"], inventory["site"], inventory["zsro"], inventory["znro"]
    rooms = pd.DataFrame(
        {
            "room": local["lc_code"],
            "kind": "local",
            "st_code": local["lc_st_code"],
            "nd_code": follow(local["lc_st_code"], site_node),
            "nature": nature_of(local["lc_typelog"]),
        }
    )
    for zones, column, nature in ((zsro, "zs_lc_code", "PM"), (znro, "zn_lc_code", "NRO")):
        named = among(rooms["room"], zones[column].dropna()) & (rooms["nature"] == "")
        rooms.loc[named, "nature"] = nature
    bare = site[~among(site["st_code"], local["lc_st_code"])]
    bare_rooms = pd.DataFrame(
        {
            "room": bare["st_code"],
            "kind": "site",
            "st_code": bare["st_code"],
            "nd_code": follow(bare["st_code"], site_node),
            "nature": nature_of(bare["st_typelog"]),
        }
    )
    rooms = pd.concat([rooms, bare_rooms[bare_rooms["nature"] != ""]], ignore_index=True)
    for zones, column, nature in ((zsro, "zs_nd_code", "PM"), (znro, "zn_nd_code", "NRO")):
        nodes = zones.loc[zones[column].notna(), column].drop_duplicates()
        known = rooms.loc[rooms["nature"] == nature, "nd_code"]
        alone = nodes[among(nodes, inventory["noeud"]["nd_code"]) & ~among(nodes, known)]
        extra = pd.DataFrame(
            {"room": alone, "kind": "noeud", "st_code": np.nan, "nd_code": alone, "nature": nature}
        ).astype({"st_code": str})
        rooms = pd.concat([rooms, extra], ignore_index=True)
    return rooms.drop_duplicates("room").sort_values("room").reset_index(drop=True)
