"""Where deliveries meet: cables that each tells a part of, and places that each names in its own way."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gracethd.codes import among, follow
from gracethd.findings import NO_FINDING, findings_frame, merge_findings
from gracethd.merging.references import rename_codes
from gracethd.merging.shapes import Shapes, lines_touch, shapes_of
from gracethd.normalise import ROOM_TYPES

SAME_PLACE_M = 1.0
"""Two deliveries speak of one object when its positions are within a metre (issue B; half a chamber)."""

JOIN_WITHIN_M = 0.5
"""Places of one kind this near, told by two deliveries, are one place (issue B)."""

_CROWD = 32
"""More places than this in a square of `JOIN_WITHIN_M` are no border: they are left as they are."""

_ENDS = ("nd", "bp", "ba")


def join_cables(tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Make one cable of the parts that two deliveries hold under one code.

    Two parts follow one another when an end of the one is within `SAME_PLACE_M` of an end of the other,
    outside any room. The line becomes the two lines, the ends the two outer ones.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Rows of all deliveries, as `part_codes` gives them: one object a code.

    Returns
    -------
    tables : dict of str to DataFrame
    findings : DataFrame
        Rule ``cable_en_deux_livraisons``.
    """
    cables = tables["cable"]
    several = np.flatnonzero(cables["cb_code"].duplicated(keep=False).to_numpy())
    if not len(several):
        return dict(tables), NO_FINDING
    rows = pd.DataFrame(cables.iloc[several])
    lines = shapes_of(tables, "cable", rows)
    number = pd.factorize(rows["cb_code"])[0]
    first = np.full(number.max(initial=-1) + 1, -1)
    first[number[::-1]] = np.arange(len(rows))[::-1]
    other = np.setdiff1d(np.arange(len(rows)), first)
    one = first[number[other]]
    follows = np.flatnonzero(cables_continued(tables, lines[one], lines[other]))
    if not len(follows):
        return dict(tables), NO_FINDING
    # a third part of the same code would follow one of the two; the first that does is taken
    follows = follows[np.unique(one[follows], return_index=True)[1]]
    one, other = one[follows], other[follows]
    joined = shapely.line_merge(shapely.union(lines[one], lines[other]))
    whole = _outer_ends(rows.iloc[one], rows.iloc[other])
    values = cables.copy()
    for part in (one, other):
        for column in whole:
            taken = values[column].to_numpy(dtype=object).copy()
            taken[several[part]] = whole[column].to_numpy(dtype=object)
            values[column] = pd.Series(taken, index=values.index, dtype="str")
    drawn = tables["cableline"]
    shapes = np.asarray(drawn["geometry"], dtype=object).copy()
    line_of = pd.Series(joined, index=rows["cb_code"].iloc[one], dtype=object)
    redrawn = np.flatnonzero(drawn["cl_cb_code"].isin(line_of.index).to_numpy())
    shapes[redrawn] = line_of.reindex(drawn["cl_cb_code"].iloc[redrawn]).to_numpy(dtype=object)
    crs = gpd.GeoDataFrame(drawn).crs
    told = rows.iloc[other]
    findings = findings_frame(
        "cable_en_deux_livraisons", "info", "cable", attribute="cb_code", code=told["cb_code"],
        message="câble dont deux livraisons disent chacune une partie : pris pour un seul",
        delivery=told["delivery"], line=told["line"],
    )  # fmt: skip
    lines_table = gpd.GeoDataFrame(drawn.assign(geometry=gpd.GeoSeries(shapes, index=drawn.index, crs=crs)))
    return {**tables, "cable": values, "cableline": lines_table}, findings


def cables_continued(tables: Mapping[str, pd.DataFrame], one: Shapes, other: Shapes) -> NDArray[np.bool_]:
    """Tell lines of one code that follow one another outside any room: a cable delivered in two parts."""
    touch = np.zeros(len(one), bool)
    drawn = (shapely.get_dimensions(one) == 1) & (shapely.get_dimensions(other) == 1)
    near = np.flatnonzero(drawn & (shapely.distance(one, other) <= SAME_PLACE_M))
    touch[near] = lines_touch(one[near], other[near], SAME_PLACE_M)
    pairs = np.flatnonzero(touch)
    if len(pairs):
        ends = shapely.buffer(shapely.boundary(one[pairs]), SAME_PLACE_M)
        rooms = shapes_of(tables, "site", tables["site"])
        joint = shapely.intersection(ends, shapely.buffer(shapely.boundary(other[pairs]), SAME_PLACE_M))
        in_room, _ = shapely.STRtree(rooms).query(joint, predicate="intersects")
        touch[pairs[np.unique(in_room)]] = False
    return touch


def _outer_ends(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Give cb_nd, cb_bp and cb_ba of both ends of the whole, as told where the parts have no common node."""
    inner_one = _common_end(one, other)
    inner_other = _common_end(other, one)
    known = (inner_one > 0) & (inner_other > 0)
    whole = {}
    for kind in _ENDS:
        a = [one[f"cb_{kind}{part}"].to_numpy(dtype=object) for part in "12"]
        b = [other[f"cb_{kind}{part}"].to_numpy(dtype=object) for part in "12"]
        outer_a = np.where(inner_one == 1, a[1], a[0])
        outer_b = np.where(inner_other == 1, b[1], b[0])
        whole[f"cb_{kind}1"] = np.where(known, outer_a, a[0])
        whole[f"cb_{kind}2"] = np.where(known, outer_b, a[1])
    return pd.DataFrame(whole)


def _common_end(one: pd.DataFrame, other: pd.DataFrame) -> NDArray[np.int8]:
    """Tell which end (1 or 2) of each cable is an end of the other; 0 where none or both are."""
    shared = [
        (one[f"cb_nd{part}"].to_numpy(dtype=object) == other["cb_nd1"].to_numpy(dtype=object))
        | (one[f"cb_nd{part}"].to_numpy(dtype=object) == other["cb_nd2"].to_numpy(dtype=object))
        for part in "12"
    ]
    return np.select([shared[0] & ~shared[1], shared[1] & ~shared[0]], [1, 2], 0).astype(np.int8)


def join_places(
    tables: Mapping[str, pd.DataFrame], told: pd.DataFrame, deliveries: Sequence[str]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Make one place of nodes that different deliveries name in their own way.

    Nodes of one kind (the same kind of chamber or pole, a site, or nothing on them) within `JOIN_WITHIN_M`
    are one place when no delivery holds two of them and all are within reach of each other. The chamber,
    pole, site and technical room on it are then one too, where each delivery has just one there. Nodes that
    two zones name as their PM or NRO stay apart: they are two of them, side by side. So do boxes: two zones
    may hang a box each on one pole. Nodes of a single delivery are never joined (D3).

    Parameters
    ----------
    tables : mapping of str to DataFrame
        One row a key.
    told : DataFrame
        Columns nd_code, delivery: which deliveries hold which node.
    deliveries : sequence of str
        Their order: the code of the first is kept.

    Returns
    -------
    tables : dict of str to DataFrame
    findings : DataFrame
        Rule ``lieu_commun``, one a joined code; ``lieux_proches`` where it is not clear which are one.
    """
    pairs = _near_pairs(tables, told) if len(deliveries) > 1 else pd.DataFrame()
    if not len(pairs):
        return dict(tables), NO_FINDING
    renames, doubtful = _joined_nodes(pairs, told, deliveries)
    found = [
        findings_frame(
            "lieux_proches", "mineur", "noeud", attribute="nd_code", code=doubtful,
            message=f"plusieurs lieux de même nature à moins de {JOIN_WITHIN_M:g} m dans plusieurs livraisons"
            " : laissés séparés",
        )
    ]  # fmt: skip
    joined = dict(tables)
    on_it = {"ptech": "pt_nd_code", "site": "st_nd_code"}
    more = {name: _one_on_each(joined[name], column, renames) for name, column in on_it.items()}
    more["local"] = _rooms(joined, more["site"])
    for name, pairs_of_codes in {"noeud": renames, **more}.items():
        found.append(_listed(joined[name], name, pairs_of_codes))
        gone = among(joined[name].iloc[:, 0], pairs_of_codes["code"])
        joined[name] = joined[name][~gone.to_numpy()].reset_index(drop=True)
        joined = rename_codes(joined, name, pairs_of_codes)
    return joined, merge_findings(found)


def _near_pairs(tables: Mapping[str, pd.DataFrame], told: pd.DataFrame) -> pd.DataFrame:
    """Give pairs of nodes (columns a, b) of one kind, near one another, that no delivery holds both of."""
    nodes = tables["noeud"]
    shapes = np.asarray(nodes["geometry"], dtype=object)
    wanted = ~among(nodes["nd_code"], _homes(tables)).to_numpy() & ~shapely.is_missing(shapes)
    codes, at = nodes["nd_code"].to_numpy(dtype=object)[wanted], shapely.get_coordinates(shapes[wanted])
    crowd = pd.DataFrame(np.floor(at / JOIN_WITHIN_M)).groupby([0, 1])[0].transform("size").to_numpy()
    codes, at = codes[crowd <= _CROWD], at[crowd <= _CROWD]
    if not len(codes):
        return pd.DataFrame()
    near = cKDTree(at).query_pairs(JOIN_WITHIN_M, output_type="ndarray")
    pairs = pd.DataFrame({"a": codes[near[:, 0]], "b": codes[near[:, 1]]}, dtype="str")
    holders = told[among(told["nd_code"], codes[np.unique(near)])]
    both = (
        pairs.reset_index()
        .merge(holders.rename(columns={"nd_code": "a"}), on="a")
        .merge(holders.rename(columns={"nd_code": "b"}), on=["b", "delivery"])["index"]
    )
    pairs = pairs[~pairs.index.isin(both)]
    kinds = _kinds(tables, pd.unique(pd.concat([pairs["a"], pairs["b"]])))
    kept = kinds.reindex(pairs["a"]).to_numpy() == kinds.reindex(pairs["b"]).to_numpy()
    for centres in _zone_nodes(tables):
        kept &= ~(pairs["a"].isin(centres) & pairs["b"].isin(centres)).to_numpy()
    return pairs[kept].reset_index(drop=True)


def _homes(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Give the nodes of premises: demand is counted row by row, wherever its places lie."""
    premise = tables["premise"]
    of_building = follow(premise["st_code"], tables["site"].set_index("st_code")["st_nd_code"])
    return pd.concat([premise["nd_code"], of_building])


def _zone_nodes(tables: Mapping[str, pd.DataFrame]) -> list[pd.Series]:
    """Give the nodes where the PM of zones stand, and those of their NRO: two zones have two of them."""
    site = tables["site"].set_index("st_code")["st_nd_code"]
    room_at = follow(tables["local"]["lc_st_code"], site).set_axis(tables["local"]["lc_code"])
    return [
        pd.concat([zone[node], follow(zone[room], room_at)]).dropna()
        for zone, node, room in (
            (tables["zsro"], "zs_nd_code", "zs_lc_code"),
            (tables["znro"], "zn_nd_code", "zn_lc_code"),
        )
    ]


def _kinds(tables: Mapping[str, pd.DataFrame], codes: NDArray[np.object_]) -> pd.Series:
    """Tell what stands on some nodes, in one word each; "" for nothing."""
    ptech, site = tables["ptech"], tables["site"]
    on_them = pd.concat(
        [
            pd.DataFrame({"node": ptech["pt_nd_code"], "kind": "ptech " + ptech["pt_typephy"].fillna("")}),
            pd.DataFrame({"node": site["st_nd_code"], "kind": "site"}),
        ]
    )
    on_them = on_them[on_them["node"].isin(codes)].drop_duplicates().sort_values(["node", "kind"])
    return on_them.groupby("node")["kind"].agg(" + ".join).reindex(codes, fill_value="")


def _joined_nodes(
    pairs: pd.DataFrame, told: pd.DataFrame, deliveries: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Give (code, new) of the nodes that take the code of another, and the codes of unclear groups."""
    codes = pd.Index(pd.unique(pd.concat([pairs["a"], pairs["b"]])))
    a, b = codes.get_indexer(pairs["a"]), codes.get_indexer(pairs["b"])
    links = sp.coo_array((np.ones(len(pairs)), (a, b)), shape=(len(codes), len(codes)))
    n_groups, group = sp.csgraph.connected_components(links, directed=False)
    size = np.bincount(group, minlength=n_groups)
    complete = np.bincount(group[a], minlength=n_groups) == size * (size - 1) // 2
    rank = told[among(told["nd_code"], codes)].assign(
        rank=lambda rows: rows["delivery"].map({name: i for i, name in enumerate(deliveries)})
    )
    first = rank.groupby("nd_code")["rank"].min().reindex(codes).to_numpy()
    order = pd.DataFrame({"code": codes, "group": group, "first": first}).sort_values(
        ["group", "first", "code"]
    )
    order["new"] = order.groupby("group")["code"].transform("first")
    taken = complete[order["group"].to_numpy()] & (order["code"] != order["new"]).to_numpy()
    return (
        order.loc[taken, ["code", "new"]].astype("str").reset_index(drop=True),
        sorted(codes[~complete[group]]),
    )


def _one_on_each(table: pd.DataFrame, node: str, renames: pd.DataFrame) -> pd.DataFrame:
    """Give (code, new) of what stands alone on a joined node and alone on the node that it becomes."""
    key = str(table.columns[0])
    alone = pd.DataFrame(table[[key, node]][~table[node].duplicated(keep=False).to_numpy()])
    at = alone.dropna().set_index(node)[key]
    both = pd.DataFrame({"code": follow(renames["code"], at), "new": follow(renames["new"], at)}).dropna()
    return both[both["code"] != both["new"]].reset_index(drop=True)


def _rooms(tables: Mapping[str, pd.DataFrame], sites: pd.DataFrame) -> pd.DataFrame:
    """Give (code, new) of the technical rooms of one kind that joined sites hold, one each."""
    local = pd.DataFrame(tables["local"][tables["local"]["lc_typelog"].isin(ROOM_TYPES).to_numpy()])
    rooms = _one_on_each(local, "lc_st_code", sites)
    kind = local.set_index("lc_code")["lc_typelog"]
    return rooms[follow(rooms["code"], kind).to_numpy() == follow(rooms["new"], kind).to_numpy()]


def _listed(table: pd.DataFrame, name: str, renames: pd.DataFrame) -> pd.DataFrame:
    key = str(table.columns[0])
    rows = table.set_index(key).loc[renames["code"], ["delivery", "line"]]
    return findings_frame(
        "lieu_commun", "info", name, attribute=key, code=renames["code"],
        message=[f"à moins de {JOIN_WITHIN_M:g} m de {new}, de même nature, d'une autre livraison : "
                 "pris pour un seul objet" for new in renames["new"]],
        delivery=rows["delivery"], line=rows["line"],
    )  # fmt: skip
