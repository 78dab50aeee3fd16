"""Kilometres: of ways by mounting and owner, of cables by class of fibres and by what they are laid in."""

import numpy as np
import pandas as pd

from gracethd.codes import follow
from gracethd.inventory import Inventory
from gracethd.network.types import Network
from gracethd.routes.mounting import MOUNTING, UNKNOWN

POSES = {
    "aérien": "aérien", "aérien télécom": "aérien", "aérien énergie": "aérien", "façade": "façade",
    "immeuble": "immeuble", "pleine terre": "souterrain", "caniveau": "souterrain", "galerie": "souterrain",
    "conduite": "souterrain", "égout": "souterrain", "spécifique": "autre",
}  # fmt: skip
"""Groups of mountings (`gracethd.routes.mounting`); `UNKNOWN` is one of its own."""
UNUSED = "sans câble"
BIG_FO = 48
"""Aerial cables of 48 fibres and more are counted apart: they are the heavy ones (syndicates' practice)."""
CLASSES = ((12, "12 FO et moins"), (24, "13 à 24 FO"), (BIG_FO - 1, "25 à 47 FO"), (72, "48 à 72 FO"),
           (144, "73 à 144 FO"), (288, "145 à 288 FO"), (np.inf, "plus de 288 FO"))  # fmt: skip


def pose_of(mountings: pd.Series) -> pd.Series:
    """Group mountings: aérien, façade, immeuble, souterrain, autre or inconnu.

    Examples
    --------
    >>> pose_of(pd.Series(["aérien énergie", "conduite", "inconnu"])).tolist()
    ['aérien', 'souterrain', 'inconnu']
    """
    return mountings.map(POSES).fillna(UNKNOWN).astype(str)


def fibre_class(capafo: pd.Series) -> pd.Series:
    """Name the class of a number of fibres; a capacity that is not told is inconnu.

    Examples
    --------
    >>> fibre_class(pd.Series([12, 48, None])).tolist()
    ['12 FO et moins', '48 à 72 FO', 'inconnu']
    """
    limits = [limit for limit, _ in CLASSES]
    names = np.array([name for _, name in CLASSES] + [UNKNOWN], dtype=object)
    at = np.searchsorted(limits, capafo.fillna(0).to_numpy(float))
    return pd.Series(names[np.where(capafo.isna(), len(CLASSES), at)], index=capafo.index, dtype=str)


def ways_by_mounting(metres: pd.DataFrame) -> pd.DataFrame:
    """Add up the physical lines, each once: segment, mounting, pose, source, length_km, n_lines.

    Parameters
    ----------
    metres : DataFrame
        From `gracethd.routes.mounting.mounting`.
    """
    lines = metres.assign(pose=pose_of(metres["mounting"]), segment=metres["segment"].replace("", UNUSED))
    return _totals(lines, ["segment", "pose", "mounting", "source"], "n_lines")


def ways_by_owner(inventory: Inventory, network: Network) -> pd.DataFrame:
    """Add up the ways by owner and mounting: owner, pose, length_km, n_lines."""
    assets = network.assets
    ways = assets[assets["kind"] == "cheminement"]
    owner = way_owners(inventory).reindex(ways["code"]).fillna(UNKNOWN).to_numpy(object)
    frame = pd.DataFrame(
        {"owner": owner, "pose": pose_of(ways["typ_imp"].map(MOUNTING)), "length_m": ways["length_m"]}
    )
    return _totals(frame, ["owner", "pose"], "n_lines")


def way_owners(inventory: Inventory) -> pd.Series:
    """Give the owner of each way by code: its own, else that of its conduits, else of the places at its ends.

    Where several conduits or both ends tell different owners, none is taken. An owner is the name of the
    organisation where it is a company, else its code.
    """
    way = inventory["cheminement"]
    conduit = inventory["cond_chem"].merge(inventory["conduite"], left_on="dm_cd_code", right_on="cd_code")
    by_conduit = _agreed(conduit["dm_cm_code"], conduit["cd_prop"])
    ptech = inventory["ptech"].dropna(subset="pt_nd_code")
    by_place = _agreed(ptech["pt_nd_code"], ptech["pt_prop"])
    ends = pd.concat([way[["cm_code", name]].set_axis(["way", "node"], axis=1)
                      for name in ("cm_ndcode1", "cm_ndcode2")])  # fmt: skip
    by_ends = _agreed(ends["way"], follow(ends["node"], by_place))
    own = way["cm_prop"] if "cm_prop" in way else pd.Series(np.nan, index=way.index, dtype=str)
    code = own.fillna(follow(way["cm_code"], by_conduit)).fillna(follow(way["cm_code"], by_ends))
    return pd.Series(_named(code, inventory).to_numpy(object), index=pd.Index(way["cm_code"]))


def asset_owners(inventory: Inventory) -> pd.DataFrame:
    """List who owns what: kind (cheminement, conduite, ptech), code, owner; one row per asset that tells one.

    Owners are named as in `way_owners`. An inventory carries none of cables, boxes and rooms.

    Examples
    --------
    >>> asset_owners(inventory).groupby("owner").size()  # doctest: +SKIP
    """
    ways = way_owners(inventory)
    parts = [pd.DataFrame({"kind": "cheminement", "code": ways.index, "owner": ways.to_numpy(object)})]
    for kind, code, owner in (("conduite", "cd_code", "cd_prop"), ("ptech", "pt_code", "pt_prop")):
        table = inventory[kind]
        named = _named(table[owner], inventory).to_numpy(object)
        parts.append(pd.DataFrame({"kind": kind, "code": table[code].to_numpy(object), "owner": named}))
    return pd.concat(parts).dropna().reset_index(drop=True)


def _named(code: pd.Series, inventory: Inventory) -> pd.Series:
    name = inventory["organisme"].drop_duplicates("or_code").set_index("or_code")["or_nom"]
    return follow(code, name).fillna(code)


def _agreed(key: pd.Series, value: pd.Series) -> pd.Series:
    """Give the one value of each key, left out where there are several or none."""
    pairs = pd.DataFrame({"key": key.to_numpy(object), "value": value.to_numpy(object)}).dropna()
    pairs = pairs.drop_duplicates()
    return pairs[~pairs["key"].duplicated(keep=False)].set_index("key")["value"].astype("str")


def cables_by_class(network: Network, metres: pd.DataFrame) -> pd.DataFrame:
    """Add up cable by class of fibres and mounting: segment, fibre_class, pose, length_km, n_cables.

    A cable counts where it is laid: along each of its ways, and as its own line is mounted where no way
    carries it. A cable of several mountings counts once in ``n_cables`` of each.
    """
    assets = network.assets
    is_way = (assets["kind"] == "cheminement").to_numpy()
    uses = network.uses.loc[is_way[network.uses["carrier"].to_numpy()], ["carried", "carrier"]]
    uses = uses.drop_duplicates()
    laid = pd.DataFrame({
        "cable": uses["carried"].to_numpy(),
        "mounting": assets["typ_imp"].map(MOUNTING).to_numpy(object)[uses["carrier"].to_numpy()],
        "length_m": assets["length_m"].to_numpy()[uses["carrier"].to_numpy()],
    })  # fmt: skip
    is_cable = (assets["kind"] == "cable").to_numpy()
    lines = network.lines.assign(mounting=metres["mounting"].to_numpy(object))
    bare = pd.DataFrame(lines[is_cable[lines["asset"].to_numpy()]]).rename(columns={"asset": "cable"})
    bare = bare[["cable", "mounting", "length_m"]]
    cables = assets[assets["kind"] == "cable"]
    undrawn = cables[~cables.index.isin(laid["cable"]) & ~cables.index.isin(bare["cable"])]
    rest = pd.DataFrame({"cable": undrawn.index, "mounting": UNKNOWN, "length_m": undrawn["length_m"]})
    every = pd.concat([laid, bare, rest], ignore_index=True)
    of = cables.loc[every["cable"]]
    every["segment"] = of["segment"].replace("", UNKNOWN).to_numpy()
    every["fibre_class"] = fibre_class(of["capafo"]).to_numpy()
    every["pose"] = pose_of(every["mounting"])
    keys = ["segment", "fibre_class", "pose"]
    totals = every.groupby(keys).agg(length_km=("length_m", "sum"), n_cables=("cable", "nunique"))
    totals = totals.reset_index()
    totals["length_km"] /= 1000
    order = {name: i for i, name in enumerate([*(name for _, name in CLASSES), UNKNOWN])}
    rank = totals["fibre_class"].map(order)
    return (
        totals.assign(rank=rank).sort_values(["segment", "rank", "pose"]).drop(columns="rank")
    ).reset_index(drop=True)


def big_aerial_km(cables: pd.DataFrame) -> float:
    """Give the kilometres of aerial cable of `BIG_FO` fibres and more, from `cables_by_class`."""
    big = [name for limit, name in CLASSES if limit >= BIG_FO]
    return float(
        cables.loc[(cables["pose"] == "aérien") & cables["fibre_class"].isin(big), "length_km"].sum()
    )


def _totals(frame: pd.DataFrame, keys: list[str], count: str) -> pd.DataFrame:
    totals = frame.groupby(keys)["length_m"].agg(["sum", "size"]).reset_index()
    totals["length_km"] = totals["sum"] / 1000
    return totals.rename(columns={"size": count})[[*keys, "length_km", count]]
