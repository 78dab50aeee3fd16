"""How every metre of the network is mounted, by whom it is told, and how many metres nobody tells."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import follow
from gracethd.inventory import Inventory
from gracethd.network import Network
from gracethd.network.places import find_places
from gracethd.routes.demand import find_demand

MOUNTING = {
    "0": "aérien télécom", "1": "aérien énergie", "2": "façade", "3": "immeuble", "4": "pleine terre",
    "5": "caniveau", "6": "galerie", "7": "conduite", "8": "égout", "9": "spécifique",
}  # fmt: skip
"""Codes of l_implantation_type (version 2) and l_implantation (version 3), in our words."""
AERIAL = "aérien"
UNKNOWN = "inconnu"
SOURCES = ("cheminement", "ad_racc", "appuis", "")
"""Who tells: the way, the address of the premise that a drop serves, the poles at both ends, nobody."""


def mounting(inventory: Inventory, network: Network) -> pd.DataFrame:
    """Say how every physical line is mounted: ways, and the parts of cables that no way covers.

    The way tells first (cm_typ_imp); for a drop without, the addresses of all its premises where they agree
    (ad_racc); else poles at both ends of the line make it aerial. Nothing else is guessed.

    Returns
    -------
    DataFrame
        With the rows of ``network.lines``: kind (cheminement|cable), code, segment, typ_imp (code or ""),
        mounting (French, `UNKNOWN` where nobody tells), source (`SOURCES`), length_m.
    """
    lines, assets = network.lines, network.assets
    asset = lines["asset"].to_numpy(np.int64)
    by_way = lines["typ_imp"].where(lines["typ_imp"].isin(list(MOUNTING)), "").to_numpy(object)
    by_drop = _drop_types(inventory, network)[asset]
    told = np.where(by_way != "", by_way, by_drop)
    on_poles = _between_poles(inventory, network)[asset] & (told == "")
    source = np.select([by_way != "", by_drop != "", on_poles], SOURCES[:3], "")
    words = pd.Series(told).map(MOUNTING).to_numpy(object)
    return pd.DataFrame(
        {
            "kind": assets["kind"].to_numpy()[asset],
            "code": assets["code"].to_numpy()[asset],
            "segment": lines["segment"].to_numpy(),
            "typ_imp": told.astype(str),
            "mounting": np.where(told != "", words, np.where(on_poles, AERIAL, UNKNOWN)).astype(str),
            "source": source.astype(str),
            "length_m": lines["length_m"].to_numpy(),
        }
    )


def mounting_totals(metres: pd.DataFrame) -> pd.DataFrame:
    """Add up lines and metres by segment, mounting and source; unknown metres have their own rows."""
    keys = ["segment", "mounting", "typ_imp", "source"]
    return (
        metres.groupby(keys)["length_m"]
        .agg(n="size", length_m="sum")
        .reset_index()
        .sort_values(keys, ignore_index=True)
    )


def _drop_types(inventory: Inventory, network: Network) -> NDArray[np.object_]:
    """Give each asset the ad_racc of its drop, or of the drops of one kind that it carries."""
    assets = network.assets
    prises = find_demand(inventory, network, find_places(inventory)).prises.dropna(subset="drop")
    address = inventory["premise"].drop_duplicates("code").set_index("code")["ad_code"]
    racc = inventory["adresse"].set_index("ad_code")["ad_racc"]
    said = follow(follow(prises["code"], address), racc)
    row = pd.Series(assets.index.to_numpy(), index=pd.Index(assets["code"]))
    row = row[(assets["kind"] == "cable").to_numpy()]
    of_drop = pd.DataFrame(
        {"asset": row.reindex(prises["drop"]).to_numpy(), "said": said.to_numpy()}
    ).dropna()
    of_drop = of_drop[of_drop["said"].isin(list(MOUNTING))].astype({"asset": np.int64})
    is_drop = (assets["segment"] == "raccordement").to_numpy()
    carried = network.uses[is_drop[network.uses["carrier"].to_numpy()]]
    by_way = carried.merge(of_drop, left_on="carried", right_on="asset")[["carrier", "said"]]
    both = pd.concat([of_drop, by_way.rename(columns={"carrier": "asset"})])
    tally = both.groupby("asset")["said"].agg(["nunique", "first"])
    agreed = tally.loc[tally["nunique"] == 1, "first"]
    types = np.full(len(assets), "", object)
    types[agreed.index.to_numpy(np.int64)] = agreed.to_numpy(object)
    return types


def _between_poles(inventory: Inventory, network: Network) -> NDArray[np.bool_]:
    """Tell the ways and cables whose two ends are places with a pole."""
    assets = network.assets
    poles = set(assets.loc[(assets["kind"] == "ptech") & (assets["nature"] == "appui"), "nd_code"]) - {""}
    way = inventory["cheminement"]
    declared = pd.DataFrame({"code": way["cm_code"], "one": way["cm_ndcode1"], "two": way["cm_ndcode2"]})
    ends = network.ends.pivot(index="cable", columns="end", values="place").reindex(columns=[1, 2])
    cables = pd.DataFrame({"code": ends.index, "one": ends[1].to_numpy(), "two": ends[2].to_numpy()})
    between = np.zeros(len(assets), np.bool_)
    for kind, table in (("cheminement", declared), ("cable", cables)):
        both = table.loc[
            table["one"].isin(poles) & table["two"].isin(poles) & (table["one"] != table["two"]), "code"
        ]
        between |= ((assets["kind"] == kind) & assets["code"].isin(both)).to_numpy()
    return between
