"""What stands behind each vertex of the service graph: prises, rooms, subscribers, sensitive sites, copper.

For the SPOF table: each column is a weight of vertices, lost with them.
"""

from collections.abc import Mapping
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gracethd.routes.types import Routes

SITE_REACH_M = (
    50.0  # assumption: a sensitive site without premise code takes the nearest traced prise this near
)
# Gravité of what a site is for (slr.md 2.2, assumption): any site counts as 2, these as more.
GRAVITE_OF_SITE = {"gendarmerie": 3, "hopital": 3, "pylone": 3, "sdis": 4, "prefecture": 4}


def stakes(
    routes: Routes, tables: Mapping[str, pd.DataFrame], *, on_date: date | None = None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Count what stands at each vertex of the nominal graph.

    Parameters
    ----------
    routes : Routes
    tables : mapping of str to DataFrame
        Those of `resilience.tables.load_tables`: abonnes, sites_sensibles, cuivre, communes, if there.
    on_date : date, optional
        Copper is closed where ``date_fermeture`` is this day or before; without it, in every commune of
        the table.

    Returns
    -------
    counts : DataFrame
        int64, by vertex number. prises, n_pm, n_nro always; abonnes, sites, sites_3 and sites_4 (those of
        gravité 3 or more, and 4), sans_cuivre where their table is there.
    left_out : dict
        What could not be placed, by name, counted: abonnes_not_placed (subscribers of codes that serve no
        traced prise), sites_not_placed, prises_without_commune.
    """
    n = routes.nominal.n_vertices
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0].sort_values("code", kind="stable")
    at = prises["vertex_nominal"].to_numpy()
    rooms = routes.rooms[routes.rooms["vertex_nominal"] >= 0]
    columns = {"prises": routes.nominal.prises}
    for name, nature in (("n_pm", "PM"), ("n_nro", "NRO")):
        columns[name] = _summed(n, rooms.loc[rooms["nature"] == nature, "vertex_nominal"].to_numpy())
    left_out = {}
    if "abonnes" in tables:
        abonnes = tables["abonnes"]
        columns["abonnes"] = _summed(n, at, subscribers_of_prises(prises, abonnes))
        served = pd.concat([prises["pbo"], prises["pm"]])
        left_out["abonnes_not_placed"] = int(abonnes.loc[~abonnes["code"].isin(served), "abonnes"].sum())
    if "sites_sensibles" in tables:
        sites = tables["sites_sensibles"]
        row = prises_of_sites(prises, sites)
        level = sites["type"].map(GRAVITE_OF_SITE).fillna(2).to_numpy()
        for name, least in (("sites", 2), ("sites_3", 3), ("sites_4", 4)):
            columns[name] = _summed(n, at[row[(row >= 0) & (level >= least)]])
        left_out["sites_not_placed"] = int((row < 0).sum())
    if "cuivre" in tables:
        commune = communes_of_prises(prises, tables.get("communes"))
        lots = tables["cuivre"]
        closed = lots if on_date is None else lots[lots["date_fermeture"] <= pd.Timestamp(on_date)]
        is_closed = commune.isin(closed["code_insee"]).to_numpy()
        columns["sans_cuivre"] = _summed(n, at[is_closed], prises["n"].to_numpy()[is_closed])
        left_out["prises_without_commune"] = int(prises.loc[(commune == "").to_numpy(), "n"].sum())
    return pd.DataFrame(columns), left_out


def subscribers_of_prises(prises: pd.DataFrame, abonnes: pd.DataFrame) -> NDArray[np.int64]:
    """Spread the subscribers of each PBO, else PM, on its prises, whole and without losing one.

    Those of a PM that its PBOs already tell are not counted twice: what remains (not below 0) goes to the
    prises of the PM whose PBO is not in the table. The running share is rounded down, so that the sum is
    exact and rows of equal codes keep their order.

    Parameters
    ----------
    prises : DataFrame
        n, pbo, pm; one row per premise.
    abonnes : DataFrame
        code (of a PBO or a PM), abonnes.

    Returns
    -------
    (n_rows,) int64
    """
    given = abonnes.groupby("code")["abonnes"].sum()
    told = prises["pbo"].isin(given.index) & (prises["pbo"] != "")
    by_pbo = _spread(prises["n"].where(told, 0), prises["pbo"], given)
    of_pm = given.sub(pd.Series(by_pbo).groupby(prises["pm"].to_numpy()).sum(), fill_value=0).clip(lower=0)
    return by_pbo + _spread(prises["n"].mask(told, 0), prises["pm"], of_pm[of_pm.index.isin(given.index)])


def prises_of_sites(prises: pd.DataFrame, sites: pd.DataFrame) -> NDArray[np.int64]:
    """Give the row of the prise of each sensitive site, -1 where there is none.

    By premise code (the first of its rows); else the nearest prise within `SITE_REACH_M` of x, y.
    """
    first = pd.Series(np.arange(len(prises)), index=prises["code"].to_numpy())
    row = first[~first.index.duplicated()].reindex(sites["code"]).fillna(-1).to_numpy(np.int64)
    spot, wanted = prises[["x", "y"]].to_numpy(float), sites[["x", "y"]].to_numpy(float)
    placed = np.flatnonzero(np.isfinite(spot).all(axis=1))
    asked = np.flatnonzero((row < 0) & np.isfinite(wanted).all(axis=1))
    if len(placed) and len(asked):
        distance, nearest = cKDTree(spot[placed]).query(wanted[asked])
        row[asked] = np.where(distance <= SITE_REACH_M, placed[nearest], -1)
    return row


def communes_of_prises(prises: pd.DataFrame, communes: pd.DataFrame | None) -> pd.Series:
    """Give the INSEE code of each prise: the delivery's, else that of the commune around it, else ""."""
    told = prises["insee"].fillna("").astype(str)
    if not isinstance(communes, gpd.GeoDataFrame):
        return told
    around = communes_around(gpd.points_from_xy(prises["x"], prises["y"]).to_numpy(), communes)
    return told.mask(told == "", around["code_insee"].to_numpy())


def communes_around(points: NDArray[np.object_], communes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give code_insee and epci of the commune around each point, "" outside all (on a limit, the first)."""
    ordered = communes.sort_values("code_insee", ignore_index=True)
    row, commune = ordered.sindex.query(points, predicate="intersects")
    first = pd.Series(commune).groupby(row).min().reindex(np.arange(len(points))).fillna(-1).astype(np.int64)
    found = ordered[["code_insee", "epci"]].astype(str).reindex(first.to_numpy())
    return found.fillna("").reset_index(drop=True)


def _summed(n: int, vertex: NDArray[np.int32], values: NDArray[np.int64] | int = 1) -> NDArray[np.int64]:
    out = np.zeros(n, np.int64)
    np.add.at(out, vertex, values)
    return out


def _spread(n: pd.Series, code: pd.Series, total: pd.Series) -> NDArray[np.int64]:
    """Share each code's total in proportion to `n`, in whole numbers that add up."""
    key = code.to_numpy()
    size = n.groupby(key).transform("sum").to_numpy(np.int64)
    upto = n.groupby(key).cumsum().to_numpy(np.int64)
    whole = code.map(total).fillna(0).to_numpy(np.int64)
    size = np.maximum(size, 1)
    before = upto - n.to_numpy(np.int64)
    return np.asarray(whole * upto // size - whole * before // size, np.int64)
