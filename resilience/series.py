"""Séries: assets that cut the same prises and hang together, one line of the list each (D10).

Five kilometres of trench with its cables, chambers and closures is one line that opens to its members, not
two hundred lines.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.connected import connected_parts
from gracethd.network.types import Network

COLUMNS = (
    "serie", "segment", "commune", "prises_cut", "prises_stranded", "length_m", "n_ways", "n_chambers",
    "n_poles", "n_cables", "intensity_max", "rank", "geometry",
)  # fmt: skip


def serie_of_assets(
    network: Network,
    prises_cut: NDArray[np.int64],
    signatures: NDArray[np.uint64],
    depths: NDArray[np.int32],
) -> pd.Series:
    """Give the série of each asset (D10): the code of its upstream-most member, "" where it is in none.

    Members cut the same set of prises, at least one, stand in one segment and are linked by use, member by
    member. Drops are left out; so are the rooms, sites and nodes of NROs and PMs. An asset alone is a série
    of one.

    Parameters
    ----------
    network : Network
        Its `links` say who is linked.
    prises_cut : (n_assets,) int64
    signatures : (n_assets, 2) uint64
        From `resilience.losses.signatures_of_assets` on the nominal graph.
    depths : (n_assets,) int32
        From `resilience.losses.depths_of_assets`: the upstream-most member is the nearest to the root, then
        the first by code, then by kind.

    Returns
    -------
    Series of str, by asset number
        Where two séries would get one code (an object of two kinds under one code), the later by kind is
        named ``kind:code``.
    """
    assets = network.assets
    eligible = (prises_cut > 0) & (assets["segment"] != "raccordement").to_numpy() & ~_rooms_and_sites(assets)
    segment = pd.factorize(assets["segment"], sort=True)[0]
    a, b = network.links["a"].to_numpy(), network.links["b"].to_numpy()
    alike = (
        eligible[a] & eligible[b] & (segment[a] == segment[b]) & (signatures[a] == signatures[b]).all(axis=1)
    )
    part = connected_parts(len(assets), a[alike], b[alike])
    members = assets.loc[eligible, ["kind", "code"]].assign(part=part[eligible], depth=depths[eligible])
    first = members.sort_values(["part", "depth", "code", "kind"]).drop_duplicates("part")
    first = first.sort_values(["code", "kind", "part"])
    name = first["code"].mask(first["code"].duplicated(), first["kind"] + ":" + first["code"])
    of_part = pd.Series(name.to_numpy(), index=first["part"])
    out = pd.Series("", index=assets.index, dtype=str, name="serie")
    out[members.index] = members["part"].map(of_part)
    return out


def series(
    network: Network, spof: gpd.GeoDataFrame, *, intensity: pd.Series | None = None
) -> gpd.GeoDataFrame:
    """Sum the séries up, the worst first.

    Parameters
    ----------
    network : Network
    spof : GeoDataFrame
        The full table of `resilience.spof.spof`, by asset number.
    intensity : Series, optional
        Intensity of a hazard by asset number (the worst over its events, say).

    Returns
    -------
    GeoDataFrame
        One row per série, columns of `COLUMNS`: segment; commune where most of its members are; prises_cut;
        prises_stranded, the most of a member; length_m of its distinct ways; numbers of ways, chambers, poles
        (int64) and cables; intensity_max over its members, NaN where none is mapped; rank by prises_cut,
        prises_stranded and length_m, descending, then serie. geometry: the lines
        of its ways, else of its cables, else the points of its members, or None.
    """
    assets = network.assets
    rows = spof.loc[assets.index]
    member = (rows["serie"] != "").to_numpy()
    table = pd.DataFrame(
        {
            "serie": rows["serie"],
            "segment": rows["segment"],
            "commune": rows["commune"],
            "prises_cut": rows["prises_cut"],
            "prises_stranded": rows["prises_stranded"],
            "length_m": assets["length_m"].where(assets["kind"] == "cheminement", 0.0),
            "n_ways": (assets["kind"] == "cheminement").astype(np.int64),
            "n_chambers": (assets["nature"] == "chambre").astype(np.int64),
            "n_poles": (assets["nature"] == "appui").astype(np.int64),
            "n_cables": (assets["kind"] == "cable").astype(np.int64),
            "intensity_max": np.nan if intensity is None else intensity.reindex(assets.index),
        }
    )[member]
    most = ["prises_cut", "prises_stranded", "intensity_max"]
    how = {name: "max" if name in most else "sum" for name in table.columns.drop(["serie", "commune"])}
    how |= {"segment": "first"}
    groups = table.groupby("serie", sort=True)
    summed = groups.agg(how).reset_index()
    summed["commune"] = _most_common(table["serie"], table["commune"]).reindex(summed["serie"]).to_numpy()
    summed["commune"] = summed["commune"].fillna("").astype(str)
    worst = ["prises_cut", "prises_stranded", "length_m", "serie"]
    summed = summed.sort_values(worst, ascending=[False, False, False, True])
    summed["rank"] = np.arange(1, len(summed) + 1, dtype=np.int64)
    shapes = _shapes(assets[member], rows.loc[member, "serie"])
    summed["geometry"] = shapes.reindex(summed["serie"]).to_numpy()
    return gpd.GeoDataFrame(summed[list(COLUMNS)], geometry="geometry", crs=assets.crs).reset_index(drop=True)


def _most_common(serie: pd.Series, commune: pd.Series) -> pd.Series:
    """Give the commune where most members of each série are, the first by code where several are."""
    named = (commune != "").to_numpy()
    n = serie[named].groupby([serie[named], commune[named]]).size().rename("n").reset_index(level=1)
    n = (
        n.rename_axis("serie")
        .reset_index()
        .sort_values(["serie", "n", "commune"], ascending=[True, False, True])
    )
    return n.drop_duplicates("serie").set_index("serie")["commune"]


def _rooms_and_sites(assets: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell the rooms of NROs and PMs, and the sites and nodes where they are."""
    room = (assets["kind"].isin(("local", "site")) & assets["nature"].isin(("NRO", "PM"))).to_numpy()
    place = set(assets.loc[room, "nd_code"]) - {""}
    around = assets["kind"].isin(("site", "noeud")) & assets["nd_code"].isin(place)
    return np.asarray(room | around.to_numpy(), np.bool_)


def _shapes(members: gpd.GeoDataFrame, serie: pd.Series) -> pd.Series:
    """Put the geometry of each série together: of its ways, else its cables, else its other members."""
    order = members["kind"].map({"cheminement": 0, "cable": 1}).fillna(2).astype(np.int64)
    drawn = members["geometry"].notna().to_numpy() & ~members["geometry"].is_empty.to_numpy()
    order, serie = order[drawn], serie[drawn]
    chosen = (order == order.groupby(serie).transform("min")).to_numpy()
    parts, owner = shapely.get_parts(members["geometry"].to_numpy()[drawn][chosen], return_index=True)
    name, number = np.unique(serie.to_numpy(dtype=object)[chosen][owner], return_inverse=True)
    by_serie = np.argsort(number, kind="stable")
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    shapes = np.full(len(name), None, dtype=object)
    for lines, build in ((True, shapely.multilinestrings), (False, shapely.multipoints)):
        rows = by_serie[is_line[by_serie] == lines]
        if len(rows):
            at, local = np.unique(number[rows], return_inverse=True)
            shapes[at] = build(parts[rows], indices=local)
    return pd.Series(shapes, index=name, dtype=object)
