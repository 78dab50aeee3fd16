"""Ends of cables: the place, the box or the room where each end stops (D6)."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.codes import among, follow
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.fibres import Fibres
from gracethd.network.places import Places

ON_NODE_M = 0.10
NEAR_NODE_M = 0.50


def cable_ends(inventory: Inventory, places: Places, fibres: Fibres) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the two ends of every cable, and the contradictions met on the way.

    Returns
    -------
    ends : DataFrame
        cable (cb_code), end (1|2), place (nd_code), ebp, room, source (box|code|geometry), is_premise
        (the end is at a PTO, a DTI or a node that holds only premises). Missing = NaN.
    findings : DataFrame
    """
    cable = inventory.geo("cable")
    ends = pd.concat([_declared(cable, places, end) for end in (1, 2)], ignore_index=True)
    known = inventory["noeud"]["nd_code"]
    for column in ("box_node", "code_node"):
        ends[column] = ends[column].where(among(ends[column], known))
    ends["place"] = ends["box_node"].fillna(ends["code_node"])
    ends["source"] = np.where(
        ends["box_node"].notna(), "box", np.where(ends["code_node"].notna(), "code", "")
    )
    ends, geometry_findings = _from_geometry(ends, cable, inventory.geo("noeud"))
    clash = ends[
        ends["box_node"].notna() & ends["code_node"].notna() & (ends["box_node"] != ends["code_node"])
    ]
    findings = [
        findings_frame(
            "extremite_contradictoire", "majeur", "cable", attribute="cb_nd1/cb_nd2", code=clash["cable"],
            message="bout " + clash["end"].astype(str) + " : le nœud de sa boîte est " + clash["box_node"]
            + ", cb_nd dit " + clash["code_node"] + " ; la boîte l'emporte",
        ),
        geometry_findings,
        findings_frame(
            "extremite_inconnue", "majeur", "cable", attribute="cb_nd1/cb_nd2",
            code=ends.loc[ends["place"].isna() & ends["is_cable"], "cable"],
            message="un bout sans boîte, sans code de nœud et sans nœud à 0,5 m : câble ouvert à cet endroit",
        ),
    ]  # fmt: skip
    ends = _equipment(ends, places, fibres)
    is_pto = ends["ebp"].notna() & ~among(ends["ebp"], places.boxes["bp_code"])
    ends["is_premise"] = is_pto | among(ends["place"], places.premise_only)
    ends["ebp"] = ends["ebp"].mask(is_pto)
    columns = ["cable", "end", "place", "ebp", "room", "source", "is_premise"]
    return ends.sort_values(["cable", "end"], ignore_index=True)[columns], merge_findings(findings)


def _declared(cable: pd.DataFrame, places: Places, end: int) -> pd.DataFrame:
    box = cable[f"cb_bp{end}"]
    box = box.where(among(box, places.ebp_node.index))
    rack_room = follow(cable[f"cb_ba{end}"], places.rack_room)
    room_node = places.rooms.set_index("room")["nd_code"]
    return pd.DataFrame(
        {
            "cable": cable["cb_code"],
            "end": end,
            "ebp": box,
            "room": rack_room.where(box.isna()),
            "box_node": follow(box, places.ebp_node).fillna(follow(rack_room, room_node)),
            "code_node": cable[f"cb_nd{end}"],
            "is_cable": ~cable["cb_typephy"].isin(("J", "B")),
        }
    )


def _from_geometry(
    ends: pd.DataFrame, cable: gpd.GeoDataFrame, noeud: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orient each line by its known ends, then find the node at each end that is still unknown."""
    line = cable["geometry"].to_numpy()
    has_line = shapely.get_type_id(line) == shapely.GeometryType.LINESTRING
    start, stop = shapely.get_point(line, 0), shapely.get_point(line, -1)
    point_of = noeud.set_index("nd_code")["geometry"]
    half = len(cable)
    place1, place2 = (
        point_of.reindex(ends["place"].iloc[part]).to_numpy() for part in (slice(0, half), slice(half, None))
    )
    straight = _distance(start, place1) + _distance(stop, place2)
    swapped = _distance(stop, place1) + _distance(start, place2)
    is_reversed = has_line & (swapped < straight)
    tips = np.concatenate([np.where(is_reversed, stop, start), np.where(is_reversed, start, stop)])
    tips[~np.concatenate([has_line, has_line])] = None
    ends = ends.assign(tip=tips)
    missing = ends["place"].isna().to_numpy() & shapely.is_geometry(tips)
    if missing.any() and len(noeud):
        tree = shapely.STRtree(noeud["geometry"].to_numpy())
        rows = np.flatnonzero(missing)
        hit, distance = tree.query_nearest(
            tips[rows], max_distance=NEAR_NODE_M, return_distance=True, all_matches=True
        )
        near = pd.DataFrame(
            {"row": rows[hit[0]], "nd": noeud["nd_code"].to_numpy()[hit[1]], "distance": distance}
        ).sort_values(["row", "distance", "nd"])
        near = near.drop_duplicates("row")
        ends.loc[near["row"], "place"] = near["nd"].to_numpy()
        ends.loc[near["row"], "source"] = "geometry"
        loose = near[near["distance"] > ON_NODE_M]
        far = findings_frame(
            "extremite_approchee", "mineur", "cable", code=ends.loc[loose["row"], "cable"],
            message="ligne finie à " + loose["distance"].round(2).astype(str) + " m du nœud " + loose["nd"],
        )  # fmt: skip
    else:
        far = pd.DataFrame()
    return ends, far


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.nan_to_num(shapely.distance(one, other), nan=0.0)


def _equipment(ends: pd.DataFrame, places: Places, fibres: Fibres) -> pd.DataFrame:
    """Find the box or room of each end that declares none (D6, Ends)."""
    touches = fibres.touches.copy()
    touches["place"] = follow(touches["ebp"], places.ebp_node)
    room_node = places.rooms.set_index("room")["nd_code"]
    touches["place"] = touches["place"].fillna(follow(touches["room"], room_node))
    touches = touches.sort_values(["cable", "place", "n", "ebp"], ascending=[True, True, False, True])
    best = touches.drop_duplicates(["cable", "place"]).set_index(["cable", "place"])[["ebp", "room"]]
    bare = ends["ebp"].isna() & ends["room"].isna()
    key = pd.MultiIndex.from_arrays([ends["cable"], ends["place"]])
    by_fibres = best.reindex(key)
    ebp = ends["ebp"].mask(bare, pd.Series(by_fibres["ebp"].to_numpy(object), index=ends.index, dtype="str"))
    room = ends["room"].mask(
        bare, pd.Series(by_fibres["room"].to_numpy(object), index=ends.index, dtype="str")
    )
    at_place = places.boxes.dropna(subset="nd_code").groupby("nd_code")["bp_code"].agg(["size", "first"])
    only = at_place.loc[at_place["size"] == 1, "first"]
    bare = ebp.isna() & room.isna()
    ebp = ebp.mask(bare, follow(ends["place"], only))
    served = places.rooms[places.rooms["nature"].isin(("NRO", "PM"))].dropna(subset="nd_code")
    room_at = served.drop_duplicates("nd_code").set_index("nd_code")["room"]
    bare = ebp.isna() & room.isna()
    room = room.mask(bare, follow(ends["place"], room_at))
    return ends.assign(ebp=ebp, room=room)


def side_by_side(ends: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give one column of both ends of each cable: index cable, columns 1 and 2."""
    return (
        ends.pivot(index="cable", columns="end", values=column)
        .reindex(columns=[1, 2])
        .astype(ends[column].dtype)
    )
