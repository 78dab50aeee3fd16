"""Where each cable stops, and the stretches between: ends, and openings in mid-span (D9)."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.codes import among, amount, follow, locate
from gracethd.findings import findings_frame
from gracethd.network.ends import side_by_side
from gracethd.network.fibres import Fibres
from gracethd.network.places import Places

AT_STOP_M = 0.5
"""A place within half a metre of a stop along the cable belongs to both of its stretches."""


def cable_stops(
    cable: gpd.GeoDataFrame, ends: pd.DataFrame, places: Places, fibres: Fibres, noeud: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the stops of every cable in order along it.

    Parameters
    ----------
    cable : GeoDataFrame
        Cables that are assets: cb_code, geometry (LineString or None).
    ends : DataFrame
        From `gracethd.network.ends.cable_ends`.
    places, fibres
    noeud : GeoDataFrame
        Places: nd_code, geometry.

    Returns
    -------
    stops : DataFrame
        cable (cb_code), stop (number over all cables), place, ebp, room, at_m (along the line, NaN where
        there is no line). A stop has several rows where several boxes open the cable at one place.
    findings : DataFrame
        Openings whose order along the cable nothing tells.
    """
    at_ends = ends.loc[among(ends["cable"], cable["cb_code"]), ["cable", "end", "place", "ebp", "room"]]
    opened = _openings(at_ends, fibres, places)
    rows = pd.concat([at_ends.assign(is_end=True), opened.assign(is_end=False)], ignore_index=True)
    # a box that opens the cable at the place of one of its ends shares that end's stop
    end_place = at_ends.dropna(subset="place").set_index(["cable", "place"])["end"]
    end_place = end_place[~end_place.index.duplicated()]
    shared = end_place.reindex(pd.MultiIndex.from_frame(rows[["cable", "place"]])).to_numpy()
    rows["end"] = rows["end"].where(rows["is_end"], shared)
    line = cable["geometry"].to_numpy()[locate(rows["cable"], cable["cb_code"])]
    point = noeud.set_index("nd_code")["geometry"].reindex(rows["place"]).to_numpy(object)
    rows["at_m"] = shapely.line_locate_point(line, point)
    rows["at_m"] = _pin_ends(rows, shapely.length(line))
    # end 1 first, openings along the line, end 2 last
    first = rows[rows["end"] == 1].drop_duplicates("cable").set_index("cable")["at_m"]
    rows["offset"] = (rows["at_m"] - first.reindex(rows["cable"]).to_numpy(float)).abs()
    rows["turn"] = np.select([rows["end"] == 1, rows["end"] == 2], [0, 2], 1)
    rows = rows.sort_values(
        ["cable", "turn", "offset", "place", "is_end", "ebp"], ascending=[True] * 4 + [False, True]
    )
    group = np.where(rows["turn"] == 1, rows["place"].astype(object), rows["turn"].astype(object))
    key = rows["cable"].astype(object) + "\0" + pd.Series(group, index=rows.index).astype(str)
    rows["stop"] = pd.factorize(key)[0].astype(np.int32)
    blind = rows[(rows["turn"] == 1) & rows["offset"].isna()]
    findings = findings_frame(
        "ordre_ouvertures_inconnu", "mineur", "cable", code=blind["cable"].drop_duplicates(),
        message="ouvert en passage mais sans ligne : ses ouvertures sont prises dans l'ordre des codes",
    )  # fmt: skip
    return rows[["cable", "stop", "place", "ebp", "room", "at_m"]].reset_index(drop=True), findings


def _openings(at_ends: pd.DataFrame, fibres: Fibres, places: Places) -> pd.DataFrame:
    touch = fibres.touches[fibres.touches["ebp"].notna()]
    touch = touch[among(touch["cable"], at_ends["cable"]) & among(touch["ebp"], places.boxes["bp_code"])]
    own = pd.MultiIndex.from_frame(at_ends[["cable", "ebp"]])
    touch = touch[~pd.MultiIndex.from_frame(touch[["cable", "ebp"]]).isin(own)]
    place = follow(touch["ebp"], places.ebp_node)
    opened = pd.DataFrame({"cable": touch["cable"], "place": place, "ebp": touch["ebp"]})
    opened["room"] = pd.Series(np.nan, index=opened.index, dtype=str)
    return opened[opened["place"].notna()].astype({"cable": str})


def _pin_ends(rows: pd.DataFrame, length: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the two ends of each line at 0 and at its length: a node may lie a little beside the line."""
    at = rows["at_m"].to_numpy(copy=True)
    is_end = rows["is_end"].to_numpy() & np.isfinite(length)
    other = side_by_side(rows[rows["is_end"]], "at_m")
    is_forward = (other[1].fillna(-np.inf) <= other[2].fillna(np.inf)).reindex(rows["cable"]).to_numpy()
    starts = (rows["end"].to_numpy() == 1) == is_forward
    at[is_end] = np.where(starts, 0.0, length)[is_end]
    return at


def stretches(stops: pd.DataFrame) -> pd.DataFrame:
    """Give the stretch between each two consecutive stops: cable, section, stop1, stop2, from_m, to_m."""
    once = stops.drop_duplicates("stop")
    after = once.shift(-1)
    follows = (once["cable"] == after["cable"]).to_numpy()
    here, there = once["at_m"].to_numpy()[follows], after["at_m"].to_numpy()[follows]
    return pd.DataFrame(
        {
            "cable": once["cable"].to_numpy()[follows],
            "section": np.arange(int(follows.sum()), dtype=np.int32),
            "stop1": once["stop"].to_numpy()[follows],
            "stop2": after["stop"].to_numpy()[follows].astype(np.int32),
            "from_m": np.minimum(here, there),
            "to_m": np.maximum(here, there),
        }
    )


def sections_passed(
    pairs: pd.DataFrame, shape: NDArray[np.object_], cable_line: pd.Series, sections: pd.DataFrame
) -> pd.DataFrame:
    """Tell which stretches of a cable each carrier holds.

    Parameters
    ----------
    pairs : DataFrame
        cable and whatever else identifies the carrier; kept as it is.
    shape : (n,) geometries
        Where the carrier is: a way, a place, or None (then it holds the whole cable).
    cable_line : Series of geometry by cb_code
    sections : DataFrame
        From `stretches`.

    Returns
    -------
    DataFrame
        The rows of `pairs`, repeated for each stretch held, with the column ``section``.
    """
    n_sections = sections.groupby("cable").size()
    is_cut = amount(pairs["cable"], n_sections) > 1
    tip = shapely.get_type_id(shape) == shapely.GeometryType.POINT
    cut = shape[is_cut]  # a cable in one piece needs no measuring
    middle = np.where(
        tip[is_cut], cut, shapely.line_interpolate_point(shapely.line_merge(cut), 0.5, normalized=True)
    )
    at = np.full(len(pairs), np.nan)
    at[is_cut] = shapely.line_locate_point(cable_line.reindex(pairs["cable"][is_cut]).to_numpy(), middle)
    slack = np.where(tip, AT_STOP_M, 0.0)
    spread = pairs.assign(_at=at, _slack=slack).merge(
        sections[["cable", "section", "from_m", "to_m"]], on="cable"
    )
    unknown = spread["_at"].isna() | spread["from_m"].isna()
    inside = (spread["_at"] >= spread["from_m"] - spread["_slack"]) & (
        spread["_at"] <= spread["to_m"] + spread["_slack"]
    )
    return spread.loc[unknown | inside, [*pairs.columns, "section"]].reset_index(drop=True)
