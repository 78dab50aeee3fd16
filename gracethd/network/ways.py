"""The chain of ways of each cable, and the places that it passes (D3, D4)."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.codes import among, locate
from gracethd.connected import connected_parts
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.ends import ON_NODE_M
from gracethd.threads import by_rows

ALONG_M = 0.50
ALONG_SHARE = 0.80
"""A way belongs to a cable when 80 % of it lies within 0.5 m of the line's part not yet covered (D4)."""
REMAINDER_M = 1.0
"""Uncovered pieces that add up to less than a metre are the offsets of chambers, not a way of their own."""


@dataclass(frozen=True)
class Chains:
    """What holds each cable.

    Attributes
    ----------
    ways : DataFrame
        cable, way (cm_code), source (identity|geometry).
    conduits : DataFrame
        cable, conduit (cd_code).
    nodes : DataFrame
        cable, node (nd_code), source: places that the cable ends in or passes (D3).
    bare : GeoDataFrame
        cable, geometry: the part of a cable's line that no way covers.
    way_nodes : DataFrame
        way, node: the places at the ends of each way.
    findings : DataFrame
    """

    ways: pd.DataFrame
    conduits: pd.DataFrame
    nodes: pd.DataFrame
    bare: gpd.GeoDataFrame
    way_nodes: pd.DataFrame
    findings: pd.DataFrame


def cable_chains(inventory: Inventory, ends: pd.DataFrame) -> Chains:
    """Find the ways and the places of every cable, by identity first and then by geometry."""
    conduits, by_key = _by_identity(inventory)
    way_nodes = _way_nodes(inventory)
    cable = inventory.geo("cable")
    cable = cable[~cable["cb_typephy"].isin(("J", "B"))]
    by_key = by_key[among(by_key["cable"], cable["cb_code"])]
    complete = _complete(by_key, way_nodes, ends)
    open_cables = cable[
        ~among(cable["cb_code"], complete) & ~shapely.is_missing(cable["geometry"].to_numpy())
    ]
    added, bare = _by_geometry(open_cables, by_key, inventory.geo("cheminement"))
    ways = pd.concat([by_key.assign(source="identity"), added.assign(source="geometry")], ignore_index=True)
    ways = ways.drop_duplicates(["cable", "way"]).sort_values(["cable", "way"], ignore_index=True)
    nodes = _nodes(ways, way_nodes, ends, bare, inventory.geo("noeud"))
    off = _off_chain(cable[among(cable["cb_code"], complete)], nodes, inventory)
    findings = merge_findings(
        [
            findings_frame(
                "cheminement_par_geometrie", "mineur", "cable", code=added["cable"],
                message="porté par le cheminement " + added["way"] + " par géométrie : aucune clé ne les lie",
            ),
            off,
            _off_line(by_key, cable, inventory.geo("cheminement")),
        ]
    )  # fmt: skip
    return Chains(ways, conduits, nodes, bare, way_nodes, findings)


def _by_identity(inventory: Inventory) -> tuple[pd.DataFrame, pd.DataFrame]:
    cab_cond, cond_chem, cab_chem = (inventory[name] for name in ("cab_cond", "cond_chem", "cab_chem"))
    cables = inventory["cable"]["cb_code"]
    conduits = pd.DataFrame({"cable": cab_cond["cc_cb_code"], "conduit": cab_cond["cc_cd_code"]})
    conduits = conduits[
        among(conduits["cable"], cables) & among(conduits["conduit"], inventory["conduite"]["cd_code"])
    ]
    through = cab_cond.merge(cond_chem, left_on="cc_cd_code", right_on="dm_cd_code")
    pairs = pd.concat(
        [
            pd.DataFrame({"cable": through["cc_cb_code"], "way": through["dm_cm_code"]}),
            pd.DataFrame({"cable": cab_chem["cc_cb_code"], "way": cab_chem["cc_cm_code"]}),
        ],
        ignore_index=True,
    ).drop_duplicates()
    known = among(pairs["cable"], cables) & among(pairs["way"], inventory["cheminement"]["cm_code"])
    return (
        conduits.drop_duplicates().sort_values(["cable", "conduit"], ignore_index=True),
        pairs[known].sort_values(["cable", "way"], ignore_index=True),
    )


def _way_nodes(inventory: Inventory) -> pd.DataFrame:
    """Give the node at each end of each way: the declared one, else the node on the line's end."""
    way, noeud = inventory.geo("cheminement"), inventory.geo("noeud")
    line = shapely.line_merge(way["geometry"].to_numpy())
    single = shapely.get_type_id(line) == shapely.GeometryType.LINESTRING
    tips = {1: shapely.get_point(line, 0), 2: shapely.get_point(line, -1)}
    known = noeud["nd_code"]
    parts = []
    tree = shapely.STRtree(noeud["geometry"].to_numpy())
    for end in (1, 2):
        node = (
            way[f"cm_ndcode{end}"].where(among(way[f"cm_ndcode{end}"], known)).to_numpy(dtype=object).copy()
        )
        parts.append(pd.DataFrame({"way": way["cm_code"], "node": node, "end": end}))
    declared = pd.concat(parts, ignore_index=True)
    missing = declared["node"].isna().to_numpy() & np.concatenate([single, single])
    if missing.any() and len(noeud):
        # which tip is the unknown end: the one away from the declared node of the other end
        point = noeud.set_index("nd_code")["geometry"]
        half = len(way)
        other = np.concatenate([declared["node"].to_numpy()[half:], declared["node"].to_numpy()[:half]])
        other_point = point.reindex(pd.Series(other, dtype=object)).to_numpy()
        own_tip = np.concatenate([tips[1], tips[2]])
        far_tip = np.concatenate([tips[2], tips[1]])
        swap = np.nan_to_num(shapely.distance(other_point, own_tip), nan=np.inf) < np.nan_to_num(
            shapely.distance(other_point, far_tip), nan=np.inf
        )
        tip = np.where(swap, far_tip, own_tip)
        rows = np.flatnonzero(missing)
        hit, distance = tree.query_nearest(tip[rows], max_distance=ON_NODE_M, return_distance=True)
        near = pd.DataFrame({"row": rows[hit[0]], "nd": noeud["nd_code"].to_numpy()[hit[1]], "d": distance})
        near = near.sort_values(["row", "d", "nd"]).drop_duplicates("row")
        declared.loc[near["row"], "node"] = near["nd"].to_numpy()
    found = declared.loc[declared["node"].notna(), ["way", "node"]].drop_duplicates()
    return found.astype(str).sort_values(["way", "node"], ignore_index=True)


def _complete(by_key: pd.DataFrame, way_nodes: pd.DataFrame, ends: pd.DataFrame) -> set[str]:
    """Tell the cables whose ways form one connected piece that holds both end places (D4)."""
    reached = by_key.merge(way_nodes, on="way")
    if reached.empty:
        return set()
    # vertices are (cable, way) and (cable, node): one component a cable means one connected piece
    way_id = pd.factorize(reached["cable"] + "\0w" + reached["way"])[0]
    node_key = reached["cable"] + "\0n" + reached["node"]
    node_id, node_names = pd.factorize(node_key)
    n = int(way_id.max()) + 1
    part = connected_parts(n + len(node_names), way_id, n + node_id)
    pieces = (
        pd.DataFrame({"cable": reached["cable"], "part": part[way_id]}).groupby("cable")["part"].nunique()
    )
    n_ways = by_key.groupby("cable")["way"].nunique()
    n_reached = reached.groupby("cable")["way"].nunique()
    place = ends[ends["place"].notna()]
    held = among(place["cable"] + "\0n" + place["place"], node_names)
    both = held.groupby(place["cable"]).agg(["sum", "size"])
    whole = both.index[(both["sum"] == 2) & (both["size"] == 2)]
    one_piece = pieces.index[
        (pieces == 1) & (n_reached == n_ways.reindex(n_reached.index)).reindex(pieces.index)
    ]
    return set(whole) & set(one_piece)


def _by_geometry(
    cables: gpd.GeoDataFrame, by_key: pd.DataFrame, way: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Add ways that lie along what identity left uncovered, longest first, in rounds over all cables."""
    none = pd.DataFrame({"cable": pd.Series(dtype=str), "way": pd.Series(dtype=str)})
    codes = cables["cb_code"].to_numpy(dtype=object)
    left = cables["geometry"].to_numpy().copy()
    way_line = way["geometry"].to_numpy()
    if not len(cables):
        return none, gpd.GeoDataFrame({"cable": codes}, geometry=gpd.GeoSeries([], crs=cables.crs))
    keyed = by_key.merge(pd.DataFrame({"cable": codes, "row": np.arange(len(codes))}), on="cable")
    keyed["w"] = locate(keyed["way"], way["cm_code"])
    keyed["turn"] = keyed.groupby("cable").cumcount()
    for _, turn in keyed.groupby("turn"):
        rows = turn["row"].to_numpy()
        left[rows] = by_rows(_beyond, left[rows], way_line[turn["w"].to_numpy()])
    candidate = _candidates(left, way, keyed)
    taken: list[pd.DataFrame] = []
    for _, turn in candidate.groupby("turn"):
        rows, w = turn["row"].to_numpy(), turn["w"].to_numpy()
        fits = by_rows(_metres_along, way_line[w], left[rows]) >= ALONG_SHARE * turn["length"].to_numpy()
        rows, w = rows[fits], w[fits]
        left[rows] = by_rows(_beyond, left[rows], way_line[w])
        taken.append(pd.DataFrame({"cable": codes[rows], "way": way["cm_code"].to_numpy(dtype=object)[w]}))
    added = (
        pd.concat([none, *taken], ignore_index=True)
        .astype(str)
        .sort_values(["cable", "way"], ignore_index=True)
    )
    bare = shapely.length(left) > REMAINDER_M
    return added, gpd.GeoDataFrame({"cable": codes[bare]}, geometry=gpd.GeoSeries(left[bare], crs=cables.crs))


def _candidates(left: NDArray[np.object_], way: gpd.GeoDataFrame, keyed: pd.DataFrame) -> pd.DataFrame:
    """List the ways near each uncovered part, in the order in which they are tried."""
    line = way["geometry"].to_numpy()
    tree = shapely.STRtree(line)
    row, w = tree.query(left, predicate="dwithin", distance=ALONG_M)
    length = shapely.length(line[w])
    frame = pd.DataFrame({"row": row, "w": w, "length": length, "way": way["cm_code"].to_numpy()[w]})
    frame = frame[frame["length"] > 0]
    if len(keyed):
        pair = pd.MultiIndex.from_frame(frame[["row", "w"]])
        frame = frame[~pair.isin(pd.MultiIndex.from_frame(keyed[["row", "w"]]))]
    rows, turn = np.unique(frame["row"].to_numpy(), return_inverse=True)
    band = by_rows(_band, left[rows])[turn]  # a cable has many candidates and one band
    inside = by_rows(_metres_inside, line[frame["w"].to_numpy()], band)
    frame = frame[inside >= ALONG_SHARE * frame["length"].to_numpy()]
    frame = frame.sort_values(["row", "length", "way"], ascending=[True, False, True])
    return frame.assign(turn=frame.groupby("row").cumcount())


def _band(line: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give what lies along each line (D4)."""
    return np.asarray(shapely.buffer(line, ALONG_M), object)


def _beyond(line: NDArray[np.object_], way: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give the part of each line that does not run along its way."""
    return np.asarray(shapely.difference(line, _band(way)), object)


def _metres_inside(line: NDArray[np.object_], band: NDArray[np.object_]) -> NDArray[np.float64]:
    return np.asarray(shapely.length(shapely.intersection(line, band)), np.float64)


def _metres_along(way: NDArray[np.object_], line: NDArray[np.object_]) -> NDArray[np.float64]:
    """Give the metres of each way that run along its line."""
    return _metres_inside(way, _band(line))


def _nodes(
    ways: pd.DataFrame,
    way_nodes: pd.DataFrame,
    ends: pd.DataFrame,
    bare: gpd.GeoDataFrame,
    noeud: gpd.GeoDataFrame,
) -> pd.DataFrame:
    at_ends = ends.loc[ends["place"].notna() & ends["cable"].notna(), ["cable", "place", "source"]]
    at_ends = at_ends.rename(columns={"place": "node"})
    at_ends["source"] = np.where(at_ends["source"] == "geometry", "geometry", "identity")
    passed = ways.merge(way_nodes, on="way")[["cable", "node", "source"]]
    tree = shapely.STRtree(noeud["geometry"].to_numpy())
    row, hit = tree.query(bare["geometry"].to_numpy(), predicate="dwithin", distance=ON_NODE_M)
    touched = pd.DataFrame(
        {
            "cable": bare["cable"].to_numpy()[row],
            "node": noeud["nd_code"].to_numpy()[hit],
            "source": "geometry",
        }
    )
    nodes = pd.concat([at_ends, passed, touched], ignore_index=True)
    nodes["rank"] = (nodes["source"] == "geometry").astype(int)
    nodes = nodes.sort_values(["cable", "node", "rank"]).drop_duplicates(["cable", "node"])
    return nodes.drop(columns="rank").reset_index(drop=True)


def _off_chain(complete: gpd.GeoDataFrame, nodes: pd.DataFrame, inventory: Inventory) -> pd.DataFrame:
    """Report the places on the line of a complete chain that the chain does not pass (D3)."""
    noeud = inventory.geo("noeud")
    line = complete["geometry"].to_numpy()
    tree = shapely.STRtree(noeud["geometry"].to_numpy())
    row, hit = tree.query(line, predicate="dwithin", distance=ON_NODE_M)
    on_line = pd.DataFrame(
        {"cable": complete["cb_code"].to_numpy()[row], "node": noeud["nd_code"].to_numpy()[hit]}
    )
    on_line = on_line.merge(nodes[["cable", "node"]], on=["cable", "node"], how="left", indicator=True)
    off = on_line[on_line["_merge"] == "left_only"].sort_values(["cable", "node"])
    return findings_frame(
        "noeud_hors_chaine", "mineur", "cable", code=off["cable"],
        message="le nœud " + off["node"].astype(str) + " est sur la ligne, hors de la chaîne",
    )  # fmt: skip


def _off_line(by_key: pd.DataFrame, cable: gpd.GeoDataFrame, way: gpd.GeoDataFrame) -> pd.DataFrame:
    """Report the cables whose keys name ways that lie away from their line: identity wins (D4)."""
    line = cable["geometry"].to_numpy()[locate(by_key["cable"], cable["cb_code"])]
    of_way = shapely.line_merge(way["geometry"].to_numpy())  # once for each way, not for each cable in it
    middle = shapely.line_interpolate_point(of_way, 0.5, normalized=True)
    away = by_key[shapely.distance(middle[locate(by_key["way"], way["cm_code"])], line) > ALONG_M]
    tally = away.groupby("cable")["way"].agg(["size", "first"])
    return findings_frame(
        "cheminement_hors_trace", "mineur", "cable", code=tally.index,
        message=tally["size"].astype(str) + " cheminements par clé loin de sa ligne : " + tally["first"],
    )  # fmt: skip
