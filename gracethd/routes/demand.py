"""Demand: the prises that a delivery announces, their zone, their drop and their PBO (D15)."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.codes import among, amount, follow
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.places import Places
from gracethd.network.types import Network
from gracethd.normalise import PRISE_TYPES

EXTRA = "adresse_sans_ligne"

POINT_TO_POINT = ("ENT", "PUB", "OPE", "O")
"""Types of premises whose box is that of a point-to-point line and no planned PBO; O is OPE in version 2."""


@dataclass(frozen=True)
class Demand:
    """Prises before tracing.

    Attributes
    ----------
    prises : DataFrame
        code, n, node (nd_code), zone (zs_code), pm (room of the zone), pbo (bp_code), drop (cb_code), reason
        ("" or adresse_sans_ligne), insee, delivery, x, y. Missing codes are NaN.
    zones : DataFrame
        zone, pm (room), nro (room of its ZNRO); NaN where the delivery does not say.
    findings : DataFrame
    """

    prises: pd.DataFrame
    zones: pd.DataFrame
    findings: pd.DataFrame


def find_demand(inventory: Inventory, network: Network, places: Places) -> Demand:
    """List the prises of an inventory: premise rows, then what addresses announce beyond them.

    Rows of operators, objects and technical rooms are no prise: each is a finding. A row without type is one.
    """
    premise = inventory["premise"]
    is_prise = premise["type"].isin(PRISE_TYPES) | premise["type"].isna()
    rows = premise[is_prise].reset_index(drop=True)
    point = _premise_points(rows, inventory)
    zones = _zones(inventory, places)
    rows = rows.assign(n=1, reason="", zone=_zone_of(rows, point, inventory))
    rows["drop"] = _drops(rows, inventory, network)
    rows["pbo"] = _pbo_of(rows, point, inventory, network, places)
    addressed, findings = _announced(rows, inventory)
    address_point = addressed["geometry"].to_numpy()
    addressed["zone"] = containing(address_point, inventory.geo("zsro"), "zs_code")
    with_rows = set(rows["zone"].fillna(""))
    takes_address = ~among(addressed["zone"].fillna(""), with_rows)
    addressed["reason"] = np.where(takes_address, "", EXTRA)
    in_zpbo = containing(address_point, inventory.geo("zpbo"), "zp_code")
    addressed["pbo"] = follow(in_zpbo, boxes_of_zones(inventory, places)).where(takes_address)
    columns = ["code", "n", "nd_code", "zone", "pbo", "drop", "reason", "ad_code", "delivery"]
    prises = pd.concat([rows.reindex(columns=columns), addressed.reindex(columns=columns)], ignore_index=True)
    prises = prises.rename(columns={"nd_code": "node"})
    shape = np.concatenate([point, address_point])
    insee = inventory["adresse"].set_index("ad_code")["ad_insee"]
    prises = prises.assign(
        pm=follow(prises["zone"], zones.set_index("zone")["pm"]),
        insee=follow(prises["ad_code"], insee),
        x=shapely.get_x(shape),
        y=shapely.get_y(shape),
    ).drop(columns="ad_code")
    order = prises.sort_values(["code", "reason"]).index
    return Demand(
        prises.loc[order].reset_index(drop=True),
        zones,
        merge_findings([findings, _no_prise(premise[~is_prise])]),
    )


def _no_prise(rows: pd.DataFrame) -> pd.DataFrame:
    return findings_frame(
        "local_hors_demande", "info", "premise", attribute="type", code=rows["code"],
        message="de type " + rows["type"].astype(str) + " : pas une prise, hors de la demande",
        delivery=rows["delivery"], line=rows["line"],
    )  # fmt: skip


def _premise_points(rows: pd.DataFrame, inventory: Inventory) -> np.ndarray:
    """Give a premise the point of its node, else of its address."""
    at_node = inventory.geo("noeud").set_index("nd_code")["geometry"].reindex(rows["nd_code"]).to_numpy()
    at_address = inventory.geo("adresse").set_index("ad_code")["geometry"].reindex(rows["ad_code"]).to_numpy()
    return np.where(shapely.is_geometry(at_node), at_node, at_address)


def containing(points: np.ndarray, zones: gpd.GeoDataFrame, code: str) -> pd.Series:
    """Tell the zone that holds each point; the first code where zones overlap, NaN outside all."""
    tree = shapely.STRtree(zones["geometry"].to_numpy())
    row, hit = tree.query(points, predicate="intersects")
    pairs = pd.DataFrame({"row": row, "code": zones[code].to_numpy()[hit]}).sort_values(["row", "code"])
    found = pairs.drop_duplicates("row").set_index("row")["code"]
    return follow(pd.Series(range(len(points))), found)


def _zones(inventory: Inventory, places: Places) -> pd.DataFrame:
    zsro = inventory["zsro"]
    znro = inventory["znro"].set_index("zn_code")
    rooms = places.rooms
    known = set(rooms["room"])

    def room_at(lc_code: pd.Series, nd_code: pd.Series, nature: str) -> pd.Series:
        at_node = rooms[rooms["nature"] == nature].dropna(subset="nd_code").drop_duplicates("nd_code")
        return lc_code.where(among(lc_code, known)).fillna(
            follow(nd_code, at_node.set_index("nd_code")["room"])
        )

    zn = zsro["zs_zn_code"]
    return pd.DataFrame(
        {
            "zone": zsro["zs_code"],
            "pm": room_at(zsro["zs_lc_code"], zsro["zs_nd_code"], "PM"),
            "nro": room_at(follow(zn, znro["zn_lc_code"]), follow(zn, znro["zn_nd_code"]), "NRO"),
        }
    )


def _zone_of(rows: pd.DataFrame, point: np.ndarray, inventory: Inventory) -> pd.Series:
    zpbo = inventory["zpbo"].set_index("zp_code")["zp_zs_code"]
    by_key = follow(rows["zp_code"], zpbo)
    by_key = by_key.where(among(by_key, inventory["zsro"]["zs_code"]))
    return by_key.fillna(containing(point, inventory.geo("zsro"), "zs_code"))


def _drops(rows: pd.DataFrame, inventory: Inventory, network: Network) -> pd.Series:
    """Give each premise its drop: by its PTO, else the drops that reach its node, filled in code order."""
    assets = network.assets
    drops = assets.loc[(assets["kind"] == "cable") & (assets["segment"] == "raccordement"), "code"]
    cable = inventory["cable"]
    cable = cable[among(cable["cb_code"], drops)]
    premise_of_pto = inventory["ebp"].set_index("bp_code")["bp_sf_code"]
    pairs = [
        pd.DataFrame({"drop": cable["cb_code"], "code": follow(cable[f"cb_bp{end}"], premise_of_pto)})
        for end in (1, 2)
    ]
    by_pto = pd.concat(pairs).dropna().sort_values(["code", "drop"]).drop_duplicates("code")
    found = follow(rows["code"], by_pto.set_index("code")["drop"])
    at_node = network.ends[network.ends["is_premise"] & among(network.ends["cable"], drops)]
    at_node = at_node[~among(at_node["cable"], by_pto["drop"])]
    capacity = cable.set_index("cb_code")["cb_capafo"].fillna(1).clip(lower=1)
    by_node = _filled(rows.loc[found.isna(), ["nd_code", "code"]], at_node[["cable", "place"]], capacity)
    return found.fillna(follow(pd.Series(rows.index, index=rows.index), by_node))


def _filled(premises: pd.DataFrame, drops: pd.DataFrame, capacity: pd.Series) -> pd.Series:
    """Fill the drops of each node one after the other; the last takes whoever is left: nobody else can."""
    waiting = premises.dropna(subset="nd_code").sort_values(["nd_code", "code"])
    waiting["turn"] = waiting.groupby("nd_code").cumcount().astype(float)
    drops = drops.dropna(subset="place").drop_duplicates().sort_values(["place", "cable"])
    fibres = pd.Series(amount(drops["cable"], capacity), index=drops.index)
    drops["until"] = fibres.groupby(drops["place"]).cumsum()
    drops.loc[~drops["place"].duplicated(keep="last"), "until"] = np.inf
    seated = pd.merge_asof(
        waiting.assign(row=waiting.index).sort_values("turn", kind="stable"),
        drops.sort_values("until", kind="stable"),
        left_on="turn", right_on="until", left_by="nd_code", right_by="place",
        direction="forward", allow_exact_matches=False,
    )  # fmt: skip
    return seated.dropna(subset="cable").set_index("row")["cable"]


def boxes_of_zones(inventory: Inventory, places: Places) -> pd.Series:
    """Give the box of each ZPBO: the one it names, else the first PBO at its node."""
    zpbo = inventory["zpbo"].set_index("zp_code")
    pbo = places.boxes[places.boxes["nature"] == "PBO"]
    at_node = pbo.dropna(subset="nd_code").drop_duplicates("nd_code").set_index("nd_code")["bp_code"]
    named = zpbo["zp_bp_code"].where(among(zpbo["zp_bp_code"], places.boxes["bp_code"]))
    return named.fillna(follow(zpbo["zp_nd_code"], at_node))


def keyed_boxes(inventory: Inventory, places: Places) -> pd.DataFrame:
    """Give the box that the keys of each premise name: columns planned and point_to_point.

    Version 3 has a key for each. Version 2 has the zone alone: its box is planned for homes and businesses,
    and that of a point-to-point line for firms, public bodies and operators (public migration table, 2.0.2 to
    3.0: ``zp_bp_code`` by ``sf_type``).
    """
    premise = inventory["premise"]
    told = premise["bp_codf"].notna() | premise["bp_codp"].notna()
    of_zone = follow(premise["zp_code"], boxes_of_zones(inventory, places)).mask(told)
    direct = premise["type"].isin(POINT_TO_POINT)
    return pd.DataFrame(
        {
            "planned": premise["bp_codf"].fillna(of_zone.mask(direct)),
            "point_to_point": premise["bp_codp"].fillna(of_zone.where(direct)),
        }
    )


def _pbo_of(
    rows: pd.DataFrame, point: np.ndarray, inventory: Inventory, network: Network, places: Places
) -> pd.Series:
    ends = network.ends[~network.ends["is_premise"] & network.ends["ebp"].notna()]
    by_drop = follow(rows["drop"], ends.drop_duplicates("cable").set_index("cable")["ebp"])
    by_key = rows["bp_code"].where(among(rows["bp_code"], places.boxes["bp_code"]))
    of_zpbo = boxes_of_zones(inventory, places)
    by_zone = follow(containing(point, inventory.geo("zpbo"), "zp_code"), of_zpbo)
    return by_drop.fillna(by_key).fillna(follow(rows["zp_code"], of_zpbo)).fillna(by_zone)


def _announced(rows: pd.DataFrame, inventory: Inventory) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Give the prises that each address announces beyond its rows, and report rows beyond the number."""
    address = inventory.geo("adresse")
    homes = address["ad_nblhab"].fillna(address["ad_nblres"])
    others = address[["ad_nblpro", "ad_nblent", "ad_nblpub"]].sum(axis=1, min_count=1)
    total = homes.fillna(0) + others.fillna(0)
    says = homes.notna() | others.notna()
    n_rows = rows["ad_code"].value_counts().reindex(address["ad_code"]).fillna(0).to_numpy()
    extra = (total - n_rows).clip(lower=0).where(says, 0).astype(np.int64)
    over = says & (n_rows > total)
    findings = findings_frame(
        "lignes_au_dela_adresse", "mineur", "adresse", attribute="ad_nblhab",
        code=address.loc[over, "ad_code"], message="plus de locaux que l'adresse n'en annonce",
        delivery=address.loc[over, "delivery"], line=address.loc[over, "line"],
    )  # fmt: skip
    kept = address.loc[extra > 0, ["ad_code", "delivery", "geometry"]].assign(n=extra[extra > 0])
    kept["code"] = kept["ad_code"]
    return kept.reset_index(drop=True), merge_findings([findings])
