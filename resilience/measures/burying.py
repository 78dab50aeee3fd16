"""Drafts of burying: aerial ways that cost something, put together into works along one road.

Ways are joined where one goes straight on into the other, as roads are in the COINS algorithm (Tripathy et
al. 2021): at each node the two that turn least, if each is the other's best. Such a line is cut where what
hangs on it changes (another série), into works that are neither too short to be worth a site nor too long
for one contract; a work keeps to one commune and to one owner of the ways.
"""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.compiled import compiled
from gracethd.network.types import Network
from resilience.fragility import POLES
from resilience.measures.sites import three_values
from resilience.measures.types import Draft
from resilience.objects import told_of_assets
from resilience.parameters import LEVELS, Level, Parameters

STRAIGHT = np.cos(np.radians(60.0))
"""Two ways that turn by more than 60 degrees are not one road (the threshold of COINS)."""

Long = NDArray[np.int64]


def burying_drafts(
    network: Network,
    spof: pd.DataFrame,
    parameters: Parameters,
    *,
    exposed: NDArray[np.float64],
    most: int,
    owners: pd.DataFrame | None = None,
) -> tuple[list[Draft], dict[str, int]]:
    """Draft the burying of the aerial ways whose failures cost something; drops stay as they are.

    A pole becomes a chamber, and its boxes stand in it, where one work takes all the aerial ways that end
    there. Works shorter than ``measure.burying.shortest_m`` are priced at that length.

    Parameters
    ----------
    network : Network
    spof : DataFrame
        kind, code, serie and commune are read.
    parameters : Parameters
    exposed : (n_assets,) float64
        Prises·h per year that each asset costs alone.
    most : int
        Works kept, those whose ways cost most.
    owners : DataFrame, optional
        kind, code, owner, from `gracethd.stock.lengths.asset_owners`; None = no work is cut by owner.

    Returns
    -------
    drafts, omitted
        `omitted` counts the other works.
    """
    ways = _costly_ways(network, spof, exposed, owners)
    if ways.empty:
        return [], {}
    shortest_m = parameters.at("measure.burying.shortest_m", "central")
    pairs = pd.concat([network.links, network.links.rename(columns={"a": "b", "b": "a"})])
    ends = _ends(network, ways, pairs)
    stroke, order = _strokes(ways, ends)
    works = np.empty(len(ways), np.int64)
    works[order] = _cut(
        stroke[order], pd.factorize(ways["serie"])[0][order], ways["length_m"].to_numpy()[order],
        (shortest_m, parameters.at("measure.burying.longest_m", "central")),
    )  # fmt: skip
    ways = ways.assign(work=works)
    cost = ways.groupby("work")["costs"].sum()
    ranked = cost.sort_values(ascending=False, kind="stable").index
    ways = ways[ways["work"].isin(ranked[:most])]
    follow = _boxes_and_poles(network, pairs, ends, works)
    price = {level: parameters.at("cost.bury_aerial.eur_per_m", level) for level in LEVELS}
    drafts = [
        _draft(network, ways[ways["work"] == work], follow.get(work, []), price, shortest_m)
        for work in sorted(ranked[:most].tolist())
    ]
    return drafts, {"enfouissement": len(ranked) - most} if len(ranked) > most else {}


def _costly_ways(
    network: Network, spof: pd.DataFrame, exposed: NDArray[np.float64], owners: pd.DataFrame | None
) -> gpd.GeoDataFrame:
    """Give the aerial ways of a série whose failure costs something, by code: one row a way."""
    lines = network.lines
    asset = lines["asset"].to_numpy(np.int64)
    is_way = (network.assets["kind"] == "cheminement").to_numpy()[asset]
    taken = lines["typ_imp"].isin(POLES).to_numpy() & is_way & (exposed[asset] > 0)
    kept = lines.loc[taken, ["asset", "length_m", "geometry"]].assign(costs=exposed[asset[taken]])
    assets = network.assets.loc[kept["asset"], ["kind", "code"]]
    told = told_of_assets(spof, assets, ["serie", "commune"])
    whose = None if owners is None else told_of_assets(owners, assets, ["owner"])
    ways = kept.assign(
        code=assets["code"].to_numpy(object),
        serie=told["serie"].to_numpy(object),
        commune=told["commune"].to_numpy(object),
        owner="" if whose is None else whose["owner"].to_numpy(object),
    )
    ways = ways[ways["serie"] != ""]
    # a way that was delivered in pieces is one way
    length_m = ways.groupby("asset")["length_m"].transform("sum")
    several = ways[ways["asset"].duplicated(keep=False)]
    whole = ways.assign(length_m=length_m).drop_duplicates("asset").set_index("asset", drop=False)
    for asset, pieces in several.groupby("asset"):
        whole.loc[asset, "geometry"] = _merged(pieces.geometry.to_numpy())
    return whole.sort_values("code", ignore_index=True)


def _ends(network: Network, ways: gpd.GeoDataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Give the nodes of ways: way (row), node (asset), dx, dy (unit, from the node along the way).

    `pairs` are the links in both directions.
    """
    row_of = pd.Series(ways.index, index=ways["asset"])
    pairs = pairs[pairs["a"].isin(row_of.index)]
    is_node = (network.assets["kind"] == "noeud").to_numpy()
    pairs = pairs[is_node[pairs["b"].to_numpy(np.int64)]].drop_duplicates()
    way, node = row_of.loc[pairs["a"]].to_numpy(np.int64), pairs["b"].to_numpy(np.int64)
    at = shapely.get_coordinates(shapely.centroid(network.assets.geometry.to_numpy()[node]))
    middle = shapely.centroid(ways.geometry.to_numpy()[way])
    away = shapely.get_coordinates(middle) - at
    away /= np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-9)[:, None]
    ends = pd.DataFrame({"way": way, "node": node, "dx": away[:, 0], "dy": away[:, 1]})
    return ends.sort_values(["way", "node"], ignore_index=True)


def _strokes(ways: gpd.GeoDataFrame, ends: pd.DataFrame) -> tuple[Long, Long]:
    """Give the straight line of each way, in one commune and of one owner, and the order along the lines."""
    zone = ways.groupby(["commune", "owner"]).ngroup().to_numpy()
    ends = ends.assign(zone=zone[ends["way"]])
    pairs = ends.merge(ends, on=["node", "zone"], suffixes=("", "_2"))
    turn = -(pairs["dx"] * pairs["dx_2"] + pairs["dy"] * pairs["dy_2"])
    pairs = pairs.assign(turn=turn.round(9))[(pairs["way"] != pairs["way_2"]) & (turn >= STRAIGHT)]
    best = pairs.sort_values(["turn", "way_2"], ascending=[False, True], kind="stable")
    best = best.drop_duplicates(["way", "node"])[["way", "way_2", "node"]]
    mutual = best.merge(best.rename(columns={"way": "way_2", "way_2": "way"}), on=["way", "way_2", "node"])
    mutual = mutual.drop_duplicates(["way", "way_2"]).sort_values(["way", "node"])
    number = mutual.groupby("way").cumcount().to_numpy()
    next_to = np.full((len(ways), 2), -1, np.int64)
    # a way that ends at more than two nodes (a loop over itself, a faulty one) goes on at two of them
    kept = number < 2
    next_to[mutual["way"].to_numpy()[kept], number[kept]] = mutual["way_2"].to_numpy()[kept]
    return _walked(next_to)


@compiled
def _walked(next_to: Long) -> tuple[Long, Long]:
    """Walk lines from an end, then rings: the line of each way, and the ways in the order of the walk."""
    n = len(next_to)
    stroke, order = np.full(n, -1), np.empty(n, np.int64)
    lines, walked = 0, 0
    for ring in range(2):
        for first in range(n):
            if stroke[first] >= 0 or (ring == 0 and next_to[first, 0] >= 0 and next_to[first, 1] >= 0):
                continue
            at = first
            while at >= 0:
                stroke[at], order[walked] = lines, at
                walked += 1
                ahead = -1
                for side in range(2):
                    other = next_to[at, side]
                    if other >= 0 and stroke[other] < 0:
                        ahead = other
                        break
                at = ahead
            lines += 1
    return stroke, order


@compiled
def _cut(stroke: Long, serie: Long, length_m: NDArray[np.float64], bounds: tuple[float, float]) -> Long:
    """Cut lines into works: where the série changes, once long enough, and before they become too long.

    What is left too short at the end of a line goes with the work before it, if both are not too long.
    """
    shortest, longest = bounds
    work = np.empty(len(stroke), np.int64)
    number, begun, metres, before = -1, 0, 0.0, 0.0
    for i in range(len(stroke)):
        new_line = i == 0 or stroke[i] != stroke[i - 1]
        other = i > 0 and serie[i] != serie[i - 1]
        if new_line or metres + length_m[i] > longest or (other and metres >= shortest):
            number += 1
            begun, before, metres = i, 0.0 if new_line else metres, 0.0
        work[i] = number
        metres += length_m[i]
        last = i + 1 == len(stroke) or stroke[i + 1] != stroke[i]
        if last and metres < shortest and 0.0 < before <= longest - metres:
            work[begun : i + 1] = number - 1
            number -= 1
    return work


def _boxes_and_poles(
    network: Network, pairs: pd.DataFrame, ends: pd.DataFrame, works: Long
) -> dict[int, list[int]]:
    """List by work the poles that it takes down and the boxes on them: no other aerial way ends there."""
    lines = network.lines
    aerial = lines.loc[lines["typ_imp"].isin(POLES), "asset"].to_numpy(np.int64)
    kind = network.assets["kind"].to_numpy()
    hung = pairs[pairs["a"].isin(aerial[kind[aerial] == "cheminement"]) & pairs["b"].isin(ends["node"])]
    n_aerial = hung.drop_duplicates().groupby("b").size()
    taken = ends.assign(work=works[ends["way"]]).groupby("node")["work"].agg(["first", "nunique", "size"])
    whole = taken[(taken["nunique"] == 1) & (taken["size"] == n_aerial.reindex(taken.index))]
    code = network.assets["code"].to_numpy()[whole.index]
    work_of = pd.Series(whole["first"].to_numpy(), index=code)
    is_pole = (kind == "ptech") & (network.assets["nature"] == "appui").to_numpy()
    at = network.assets["nd_code"]
    with_pole = at[is_pole & at.isin(work_of.index).to_numpy()].unique()
    follows = (is_pole | (kind == "ebp")) & at.isin(with_pole).to_numpy()
    rows = pd.Series(np.flatnonzero(follows)).groupby(work_of.loc[at[follows]].to_numpy())
    return {int(str(work)): list(numbers) for work, numbers in rows.agg(list).items()}


def _draft(
    network: Network,
    rows: gpd.GeoDataFrame,
    follow: list[int],
    price: Mapping[Level, float],
    shortest_m: float,
) -> Draft:
    length_m = float(rows["length_m"].sum())
    by_serie = rows.groupby("serie")["costs"].sum()
    series = by_serie.sort_values(ascending=False, kind="stable").index.tolist()
    others = f" et {len(series) - 1} autre(s)" if len(series) > 1 else ""
    words = f"coupures aériennes supprimées, coups de pelle ajoutés ; {three_values(price)} €/m"
    if length_m < shortest_m:
        words += f", comptés sur {shortest_m:.0f} m au moins"
    treated = rows.sort_values(["costs", "code"], ascending=[False, True])["asset"].to_numpy(np.int32)
    return Draft(
        mesure="enfouissement",
        objects=tuple(sorted(network.assets["code"].iloc[treated].astype(str))),
        name=f"{length_m:.0f} m de réseau aérien (série {series[0]}{others})",
        treated=treated,
        changed=np.array(follow, np.int32),
        geometry=_merged(rows.geometry.to_numpy()),
        length_m=length_m,
        cost_eur={level: price[level] * max(length_m, shortest_m) for level in LEVELS},
        hypotheses=words,
    )


def _merged(shapes: NDArray[np.object_]) -> shapely.geometry.base.BaseGeometry:
    """Put lines together without touching them."""
    parts: list[shapely.LineString] = list(shapely.get_parts(shapely.force_2d(shapes)))
    return shapely.MultiLineString(parts) if len(parts) > 1 else parts[0]
