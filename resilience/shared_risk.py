"""Groups of assets that fail together beyond what the deliveries link: bridges, power zones, user groups.

For the SPOF table and the loops (D11): each group is one more asset, after those of the network, that owns
all that its members own. Groups come from what data say, never from closeness on the map.
"""

from collections.abc import Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from gracethd.network.types import LAYERS, Network
from gracethd.service import Int, ServiceGraph

CROSSINGS = {"PON": "Pont", "SNC": "Passage SNCF", "AQU": "Passage aquatique"}
"""Values of cm_passage that make an ``ouvrage`` of the ways that share them."""
GROUP_KINDS = ("groupe", "ouvrage", "zone_elec")
_COLUMNS = ["kind", "code", "libelle", "number", "asset"]


def risk_groups(network: Network, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """List the groups and their members (D11).

    Parameters
    ----------
    network : Network
    tables : mapping of str to DataFrame
        Those of `resilience.tables.load_tables`; of use here: groupes, and the columns groupe and zone_elec
        of equipements.

    Returns
    -------
    DataFrame
        One row per member: kind (groupe|ouvrage|zone_elec), code, libelle, number (of the group: the assets
        of the network come first, then the groups by kind and code), asset. An ``ouvrage`` is the ways of one
        crossing (`CROSSINGS`) that hang together by their end nodes, under the first of their codes.
        ``attrs["not_found"]`` lists the members that are no asset, as ``kind:code``.
    """
    named = [_named(tables.get("groupes"), "group", "groupe")]
    equipment = tables.get("equipements")
    named += [_named(equipment, kind, kind) for kind in ("groupe", "zone_elec")]
    given = pd.concat(named, ignore_index=True)
    crossings = _crossings(network)
    if given.empty and crossings.empty:
        return _none()
    index = pd.MultiIndex.from_frame(network.assets[["kind", "code"]])
    given["asset"] = index.get_indexer(pd.MultiIndex.from_frame(given[["of_kind", "of_code"]]))
    unknown = given[given["asset"] < 0]
    members = pd.concat(
        [given[given["asset"] >= 0][["kind", "code", "libelle", "asset"]], crossings],
        ignore_index=True,
    ).drop_duplicates(["kind", "code", "asset"])
    members = members.sort_values(["kind", "code", "asset"], ignore_index=True)
    members["number"] = len(index) + members.groupby(["kind", "code"], sort=True).ngroup().astype(np.int64)
    members = members[_COLUMNS].astype({"number": np.int64, "asset": np.int64})
    members.attrs["not_found"] = (unknown["of_kind"] + ":" + unknown["of_code"]).drop_duplicates().tolist()
    return members


def with_groups(graph: ServiceGraph, groups: pd.DataFrame) -> ServiceGraph:
    """Give the graph in which each group is one more asset, owner of all that its members own.

    Parameters
    ----------
    graph : ServiceGraph
    groups : DataFrame
        number and asset of `risk_groups`.
    """
    if groups.empty:
        return graph
    pairs = groups[["number", "asset"]]
    vertices = pd.DataFrame({"asset": graph.vertex_asset, "part": graph.vertex_of}).merge(pairs, on="asset")
    edges = pd.DataFrame({"asset": graph.edge_asset, "part": graph.edge_of}).merge(pairs, on="asset")
    maybe = pd.DataFrame({"asset": graph.possible_asset, "part": graph.possible_vertex}).merge(
        pairs, on="asset"
    )
    return replace(
        graph,
        n_assets=graph.n_assets + int(groups["number"].nunique()),
        vertex_asset=_appended(graph.vertex_asset, vertices["number"]),
        vertex_of=_appended(graph.vertex_of, vertices["part"]),
        edge_asset=_appended(graph.edge_asset, edges["number"]),
        edge_of=_appended(graph.edge_of, edges["part"]),
        possible_asset=_appended(graph.possible_asset, maybe["number"]),
        possible_vertex=_appended(graph.possible_vertex, maybe["part"]),
    )


def group_rows(network: Network, groups: pd.DataFrame) -> gpd.GeoDataFrame:
    """Give one row per group, as the table of assets has them, by number.

    Returns
    -------
    GeoDataFrame
        kind, code, libelle, segment (upstream-most of its members), use_source, geometry: the lines of an
        ``ouvrage``; None for other groups, whose members may be anywhere.
    """
    rows = groups.drop_duplicates("number").set_index("number")[["kind", "code", "libelle"]]
    order = [*LAYERS, "raccordement"]
    segment = network.assets["segment"].reindex(groups["asset"])
    level = pd.Index(order).get_indexer(pd.Index(segment)).astype(np.int64)
    first = pd.Series(level, index=groups["number"])
    first = first[first >= 0].groupby(level=0).min()
    rows["segment"] = first.map(dict(enumerate(order))).reindex(rows.index).fillna("")
    rows["use_source"] = ""
    shapes = np.full(len(rows), None, dtype=object)
    is_crossing = (rows["kind"] == "ouvrage").to_numpy()
    crossing = groups[groups["kind"] == "ouvrage"]
    parts, owner = shapely.get_parts(
        network.assets["geometry"].to_numpy()[crossing["asset"].to_numpy()], return_index=True
    )
    if len(parts):
        number = crossing["number"].to_numpy()[owner]
        shapes[is_crossing] = shapely.multilinestrings(
            parts, indices=np.unique(number, return_inverse=True)[1]
        )
    return gpd.GeoDataFrame(rows, geometry=shapes, crs=network.assets.crs)


def _none() -> pd.DataFrame:
    empty = {"kind": str, "code": str, "libelle": str, "number": np.int64, "asset": np.int64}
    members = pd.DataFrame(columns=_COLUMNS).astype(empty)
    members.attrs["not_found"] = []
    return members


def _named(table: pd.DataFrame | None, column: str, kind: str) -> pd.DataFrame:
    """Give the members that a table names: kind, code, libelle of the group; kind and code of the asset."""
    if table is None or column not in table:
        return pd.DataFrame(columns=["kind", "code", "libelle", "of_kind", "of_code"], dtype=str)
    rows = table[table[column].fillna("").astype(str) != ""]
    group = rows[column].astype(str).to_numpy()
    return pd.DataFrame(
        {"kind": kind, "code": group, "libelle": group, "of_kind": rows["kind"], "of_code": rows["code"]}
    ).astype(str)


def _crossings(network: Network) -> pd.DataFrame:
    """Put the ways of one crossing together: those of one cm_passage that share end nodes."""
    assets = network.assets
    passage = assets["passage"] if "passage" in assets else pd.Series("", index=assets.index)
    ways = assets.index[(passage.isin(list(CROSSINGS)) & (assets["kind"] == "cheminement")).to_numpy()]
    if ways.empty:
        return pd.DataFrame(columns=["kind", "code", "libelle", "asset"])
    links = network.links
    pairs = pd.concat([links[["a", "b"]], links[["b", "a"]].set_axis(["a", "b"], axis=1)])
    pairs = pairs[pairs["a"].isin(ways)]
    pairs = pairs[(assets["kind"].reindex(pairs["b"]) == "noeud").to_numpy()]
    joint = pd.factorize(passage.reindex(pairs["a"]).to_numpy() + ":" + pairs["b"].astype(str).to_numpy())[0]
    way = pd.Index(ways).get_indexer(pairs["a"])
    n = len(ways)
    shape = (n + len(joint), n + len(joint))
    joints = sparse.coo_array((np.ones(len(way), np.int8), (way, n + joint)), shape=shape)
    part = csgraph.connected_components(joints.tocsr(), directed=False)[1][:n]
    table = pd.DataFrame(
        {"kind": "ouvrage", "own": assets["code"].reindex(ways), "part": part, "asset": ways}
    )
    table["code"] = table.groupby("part")["own"].transform("min")
    table["libelle"] = passage.reindex(ways).map(CROSSINGS).to_numpy() + " " + table["code"].to_numpy()
    return table[["kind", "code", "libelle", "asset"]]


def _appended(array: Int, more: pd.Series) -> Int:
    return np.concatenate([array, more.to_numpy(np.int32)])
