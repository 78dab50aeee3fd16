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
from numpy.typing import NDArray

from gracethd.connected import connected_parts
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
        of the network come first, then the groups by kind and code), asset. An ``ouvrage`` is one of
        `crossings`. ``attrs["not_found"]`` lists the members that are no asset, as ``kind:code``.
    """
    told, passing = _by_passage(tables.get("groupes"))
    named = [_named(told, "group", "groupe")]
    equipment = tables.get("equipements")
    named += [_named(equipment, kind, kind) for kind in ("groupe", "zone_elec")]
    given = pd.concat(named, ignore_index=True)
    across = crossings(network, tables.get("groupes")).assign(kind="ouvrage")
    given["asset"] = _assets_of(network, given)
    passing = _named(passing, "group", "ouvrage")
    unknown = pd.concat([given[given["asset"] < 0], passing[_assets_of(network, passing) < 0]])
    if given.empty and across.empty and unknown.empty:
        return _none()
    columns = ["kind", "code", "libelle", "asset"]
    members = pd.concat(
        [given.loc[given["asset"] >= 0, columns], across[columns]], ignore_index=True
    ).drop_duplicates(["kind", "code", "asset"])
    members = members.sort_values(["kind", "code", "asset"], ignore_index=True)
    members["number"] = len(network.assets) + members.groupby(["kind", "code"], sort=True).ngroup().astype(
        np.int64
    )
    members = members[_COLUMNS].astype({"number": np.int64, "asset": np.int64})
    members.attrs["not_found"] = (unknown["of_kind"] + ":" + unknown["of_code"]).drop_duplicates().tolist()
    return members


def crossings(network: Network, groups: pd.DataFrame | None = None) -> pd.DataFrame:
    """List what crosses each bridge, railway or river: what fails with it.

    Ways of one passage (`CROSSINGS`) that hang together by their end nodes are one crossing. The table of
    groups names others, with its column ``passage``: the only way for version 3, which has none, and for
    bridges whose ways share no node. What they have in common makes them one.

    Parameters
    ----------
    network : Network
    groups : DataFrame, optional
        The table groupes: group, kind, code, and passage where the group is a crossing.

    Returns
    -------
    DataFrame
        One row per member: code (that of the group, else the first of its ways), libelle, passage, asset; by
        code and asset, each asset once.
    """
    assets = network.assets
    passage = assets["passage"].fillna("") if "passage" in assets else pd.Series("", index=assets.index)
    is_way = passage.isin(list(CROSSINGS)) & (assets["kind"] == "cheminement")
    ways = pd.DataFrame({"asset": assets.index[is_way], "joint": "", "passage": passage[is_way].to_numpy()})
    told = _told(network, groups)
    table = pd.concat([ways, _joints(network, passage, ways["asset"]), told], ignore_index=True)
    if table.empty:
        return pd.DataFrame(columns=["code", "libelle", "passage", "asset"])
    table["own"] = assets["code"].reindex(table["asset"]).to_numpy()
    of = table.assign(part=_parts(table["asset"], table["joint"])).groupby("part")
    # the name and passage that a study gives stand before those of the ways
    table["code"] = of["name"].transform("min").fillna(of["own"].transform("min"))
    table["passage"] = of["told"].transform("min").fillna(of["passage"].transform("min"))
    table["libelle"] = table["passage"].map(CROSSINGS) + " " + table["code"]
    members = table.drop_duplicates("asset").sort_values(["code", "asset"], ignore_index=True)
    return members[["code", "libelle", "passage", "asset"]].astype({"asset": np.int64})


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
    crossing = groups[groups["kind"] == "ouvrage"]
    parts, owner = shapely.get_parts(
        network.assets["geometry"].to_numpy()[crossing["asset"].to_numpy()], return_index=True
    )
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    number, at = np.unique(crossing["number"].to_numpy()[owner[is_line]], return_inverse=True)
    if len(number):
        shapes[rows.index.get_indexer(pd.Index(number))] = shapely.multilinestrings(
            parts[is_line], indices=at
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


def _by_passage(groups: pd.DataFrame | None) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Part the table of groups into plain groups and crossings; all rows of a group are of its passage."""
    if groups is None or "passage" not in groups:
        return groups, None
    passage = groups["passage"].fillna("").astype(str).groupby(groups["group"]).transform("max")
    return groups[passage == ""], groups[passage != ""].assign(passage=passage)


def _assets_of(network: Network, named: pd.DataFrame) -> NDArray[np.intp]:
    """Give the asset of each named member, -1 where there is none."""
    # codes first: pairs are only made of the few assets that may be meant
    near = np.flatnonzero(network.assets["code"].isin(named["of_code"]))
    index = pd.MultiIndex.from_frame(network.assets[["kind", "code"]].iloc[near])
    at = index.get_indexer(pd.MultiIndex.from_frame(named[["of_kind", "of_code"]]))
    return np.append(near, -1)[at]


def _told(network: Network, groups: pd.DataFrame | None) -> pd.DataFrame:
    """Give the members of the crossings that the table of groups names."""
    _, passing = _by_passage(groups)
    if passing is None or passing.empty:
        none = {"asset": np.int64, "joint": str, "passage": str, "name": str, "told": str}
        return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in none.items()})
    named = _named(passing, "group", "ouvrage")
    asset, name, passage = _assets_of(network, named), named["code"], passing["passage"].to_numpy()
    rows = pd.DataFrame(
        {"asset": asset, "joint": "groupe:" + name, "passage": passage, "name": name, "told": passage}
    )
    return rows[rows["asset"] >= 0]


def _joints(network: Network, passage: "pd.Series[str]", ways: "pd.Series[int]") -> pd.DataFrame:
    """Give the nodes at the ends of ways, apart for each passage."""
    links = network.links
    if links.empty or ways.empty:
        return pd.DataFrame(columns=["asset", "joint", "passage"])
    pairs = pd.concat([links[["a", "b"]], links[["b", "a"]].set_axis(["a", "b"], axis=1)])
    pairs = pairs[pairs["a"].isin(ways)]
    pairs = pairs[(network.assets["kind"].reindex(pairs["b"]) == "noeud").to_numpy()]
    of = passage.reindex(pairs["a"]).to_numpy()
    joint = of + ":" + pairs["b"].astype(str).to_numpy()
    return pd.DataFrame({"asset": pairs["a"].to_numpy(), "joint": joint, "passage": of})


def _parts(asset: "pd.Series[int]", joint: "pd.Series[str]") -> NDArray[np.int32]:
    """Give each row the number of what its asset hangs together with; the joint "" holds nothing."""
    row, assets = pd.factorize(asset)
    column, joints = pd.factorize(joint.where(joint != ""))
    held = column >= 0
    n = len(assets)
    return connected_parts(n + len(joints), row[held], n + column[held])[row]


def _appended(array: Int, more: pd.Series) -> Int:
    return np.concatenate([array, more.to_numpy(np.int32)])
