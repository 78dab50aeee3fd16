"""Rules on a cable against its chain of ways: pieces, ends, branches, order, length (DESIGN D3, D4).

Drops are left out: their ways are seldom delivered, and they cut their own prises only.
"""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.check.built import Built, tell
from gracethd.check.layering import keyed_ways
from gracethd.check.settings import Thresholds
from gracethd.connected import connected_parts
from gracethd.network.ways import ALONG_M


def check_chains(built: Built, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find cables whose ways, length or line contradict each other."""
    assets = built.network.assets
    cables = assets[(assets["kind"] == "cable") & (assets["segment"] != "raccordement")]
    yield _declared_lengths(built, cables, limits)
    ways = assets[assets["kind"] == "cheminement"]
    if ways.empty:  # that no way was delivered is told once
        return
    pairs = keyed_ways(built)
    pairs = pairs[pairs["cable"].isin(cables["code"])]
    nodes = _way_nodes(built)
    chains = describe_chains(pairs, nodes, built.network.ends)
    broken = chains[chains["n_pieces"] > 1]
    yield tell(
        "chaine_interrompue", "cable", broken.index, detail=broken["n_pieces"].astype(str) + " morceaux"
    )
    whole = chains[chains["n_pieces"] == 1]
    short = whole[whole["ends_known"] & (whole["ends_reached"] < 2)]
    yield tell("chaine_incomplete", "cable", short.index)
    complete = whole[whole["ends_known"] & (whole["ends_reached"] == 2)]
    yield tell("chaine_ramifiee", "cable", complete.index[complete["branches"]])
    simple = pairs[pairs["cable"].isin(complete.index[~complete["branches"]])]
    yield _disorder(simple, nodes, cables, ways)
    yield _chain_lengths(simple, cables, ways, limits)
    yield from _bare(built, cables, nodes, pd.Index(broken.index).union(short.index), limits)


def _way_nodes(built: Built) -> pd.DataFrame:
    """Give the places at the ends of each way: codes way and node."""
    links, assets = built.network.links, built.network.assets
    kind, code = assets["kind"].to_numpy(object), assets["code"].to_numpy(object)
    one, two = links["a"].to_numpy(), links["b"].to_numpy()
    is_end = (kind[one] == "cheminement") & (kind[two] == "noeud")
    return pd.DataFrame({"way": code[one[is_end]], "node": code[two[is_end]]}, dtype=str)


def describe_chains(pairs: pd.DataFrame, nodes: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """Describe the chain of each cable all of whose ways have both their places.

    Parameters
    ----------
    pairs : DataFrame
        cable, way (codes).
    nodes : DataFrame
        way, node (codes).
    ends : DataFrame
        `Network.ends`.

    Returns
    -------
    DataFrame
        Indexed by cable: n_pieces (int), ends_known (both places), ends_reached (0 to 2), branches (a place
        where three ways meet, or where the chain ends that is no end of the cable).
    """
    n_nodes = nodes.drop_duplicates().groupby("way").size()
    open_ways = ~(n_nodes.reindex(pairs["way"]).to_numpy() == 2)
    pairs = pairs[~pairs["cable"].isin(pairs.loc[open_ways, "cable"])]
    reached = pairs.merge(nodes, on="way")
    way_at = pd.MultiIndex.from_frame(reached[["cable", "way"]]).factorize()[0]
    at_node = pd.MultiIndex.from_frame(reached[["cable", "node"]])
    node_at = at_node.factorize()[0]
    places = at_node.drop_duplicates()  # in the order of their numbers
    n_ways = int(way_at.max(initial=-1)) + 1
    part = connected_parts(n_ways + len(places), way_at, n_ways + node_at)
    pieces = (
        pd.DataFrame({"cable": reached["cable"], "part": part[way_at]}).groupby("cable")["part"].nunique()
    )
    told = ends.loc[ends["place"].notna() & ends["cable"].isin(pieces.index), ["cable", "place"]]
    n_ends = told.groupby("cable").size().reindex(pieces.index).fillna(0)
    is_end = places.isin(pd.MultiIndex.from_frame(told))
    on_chain = pd.MultiIndex.from_frame(told).isin(places)
    n_reached = pd.Series(on_chain).groupby(told["cable"].to_numpy()).sum().reindex(pieces.index).fillna(0)
    degree = np.bincount(node_at, minlength=len(places))
    odd = (degree > 2) | ((degree == 1) & ~is_end)
    branches = (
        pd.Series(odd).groupby(places.get_level_values(0)).any() if len(places) else pd.Series(dtype=bool)
    )
    return pd.DataFrame({
        "n_pieces": pieces, "ends_known": n_ends == 2, "ends_reached": n_reached.astype(int),
        "branches": branches.reindex(pieces.index).astype(bool),
    })  # fmt: skip


def _disorder(
    simple: pd.DataFrame, nodes: pd.DataFrame, cables: gpd.GeoDataFrame, ways: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Find chains whose neighbours along the line of the cable share no place."""
    line = cables["geometry"].to_numpy()[pd.Index(cables["code"]).get_indexer(pd.Index(simple["cable"]))]
    shape = ways["geometry"].to_numpy()[pd.Index(ways["code"]).get_indexer(pd.Index(simple["way"]))]
    middle = shapely.line_interpolate_point(shapely.line_merge(shape), 0.5, normalized=True)
    is_far = ~(shapely.distance(line, middle) <= ALONG_M)  # told by cheminement_hors_trace, or not drawn
    simple = simple.assign(at=shapely.line_locate_point(line, middle))
    simple = simple[~simple["cable"].isin(simple.loc[is_far, "cable"])].sort_values(["cable", "at", "way"])
    after = simple.shift(-1)
    follows = (simple["cable"] == after["cable"]).to_numpy()
    neighbours = pd.DataFrame({
        "cable": simple["cable"], "one": simple["way"], "other": after["way"]})[follows]  # fmt: skip
    neighbours["row"] = np.arange(len(neighbours))
    of_one = neighbours.merge(nodes, left_on="one", right_on="way")[["row", "node"]]
    of_other = neighbours.merge(nodes, left_on="other", right_on="way")[["row", "node"]]
    joined = of_one.merge(of_other, on=["row", "node"])["row"]
    apart = neighbours[~neighbours["row"].isin(joined)]
    tally = apart.groupby("cable").size()
    return tell("chaine_desordonnee", "cable", tally.index, detail=tally.astype(str) + " rupture(s)")


def _chain_lengths(
    simple: pd.DataFrame, cables: gpd.GeoDataFrame, ways: gpd.GeoDataFrame, limits: Thresholds
) -> pd.DataFrame:
    of_way = ways.set_index("code")["length_m"]
    chain = of_way.reindex(simple["way"]).groupby(simple["cable"].to_numpy()).sum()
    drawn = cables[cables["geometry"].notna()].set_index("code")["length_m"]
    line = drawn.reindex(chain.index)
    gap = (line - chain).abs()
    off = (gap > limits["chain_share"] * line) & (gap > limits["chain_m"])
    detail = line[off].round().astype(int).astype(str) + " m de câble, "
    detail += chain[off].round().astype(int).astype(str) + " m de cheminements"
    return tell("longueur_chaine", "cable", chain.index[off], detail=detail)


def _declared_lengths(built: Built, cables: gpd.GeoDataFrame, limits: Thresholds) -> pd.DataFrame:
    declared = built.inventory["cable"].set_index("cb_code")["cb_lgreel"]
    line = cables[cables["geometry"].notna()].set_index("code")["length_m"]
    laid = declared.reindex(line.index)
    share = laid / line.where(line > 0)
    odd = (share < limits["laid_share_min"]) | (share > limits["laid_share_max"])
    odd &= (laid > 0) & ((laid - line).abs() > limits["laid_m"])
    detail = laid[odd].round().astype(int).astype(str) + " m déclarés, "
    detail += line[odd].round().astype(int).astype(str) + " m dessinés"
    return tell("longueur_declaree", "cable", line.index[odd], detail=detail, attribute="cb_lgreel")


def _bare(
    built: Built, cables: gpd.GeoDataFrame, nodes: pd.DataFrame, told: pd.Index, limits: Thresholds
) -> Iterator[pd.DataFrame]:
    """Find metres that no way carries, and ends that no way of the cable, by key or drawing, touches."""
    network = built.network
    code = network.assets["code"].to_numpy(object)
    of_cable = network.lines[network.lines["asset"].isin(cables.index)]
    bare = of_cable.groupby("asset")["length_m"].sum()
    bare = bare[bare > limits["bare_m"]]
    bare = bare.set_axis(code[bare.index.to_numpy(np.int64)])
    yield tell("cable_sans_cheminement", "cable", bare.index, detail=bare.round(1).astype(str) + " m")
    is_way = (network.assets["kind"] == "cheminement").to_numpy()
    uses = network.uses.loc[is_way[network.uses["carrier"].to_numpy()], ["carried", "carrier"]]
    uses = uses.drop_duplicates()
    held = pd.DataFrame({"cable": code[uses["carried"].to_numpy()], "way": code[uses["carrier"].to_numpy()]})
    touched = pd.MultiIndex.from_frame(held.merge(nodes, on="way")[["cable", "node"]])
    ends = network.ends
    ends = ends[ends["cable"].isin(cables["code"]) & ends["cable"].isin(held["cable"])]
    ends = ends[ends["place"].notna() & ~ends["cable"].isin(told) & ~ends["cable"].isin(bare.index)]
    lost = ends[~pd.MultiIndex.from_frame(ends[["cable", "place"]]).isin(touched)]
    detail = "bout " + lost["end"].astype(str)
    yield tell("bout_sans_cheminement", "cable", lost["cable"], detail=detail)
