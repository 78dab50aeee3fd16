"""Losses by PM, NRO, commune and EPCI, and how many prises hang behind a single large object.

For the analyst who answers a mayor ("what does this cut at home?") and the manager who asks how much of the
network one object can take down.
"""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.types import Network
from gracethd.routes.climb import slices
from gracethd.routes.types import Routes
from resilience.losses import (
    LossIndex,
    index_graph,
    losses_of_sets,
    lost_alone,
    lost_intervals,
    with_weights,
)
from resilience.shared_risk import risk_groups, with_groups
from resilience.stakes import communes_of_prises, prises_of_sites

Long = NDArray[np.int64]

SCOPES = ("pm", "nro", "commune", "epci")
THRESHOLDS = (10, 30, 100, 300, 1000, 2000, 5000, 10_000)
"""Prises cut from which objects are counted: the limits of gravité (300, 1,000 and 5,000), and between."""


def losses_by_area(
    network: Network, routes: Routes, table: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Tell how many prises each object cuts and strands in each PM, NRO, commune and EPCI.

    Parameters
    ----------
    network : Network
    routes : Routes
    table : DataFrame
        Rows of `resilience.spof.spof` (all, or those of a list), by asset number.
    tables : mapping of str to DataFrame
        Those that `table` was made with; of use here: communes, groupes, equipements.

    Returns
    -------
    DataFrame
        kind, code, scope (one of `SCOPES`), area (code), prises_cut, prises_stranded (int64); only areas
        where one of them is not 0. Rows follow those of `table`, then scope and area. For each row of the
        table, prises_cut of one scope sum to its prises_cut less the prises of no such area.
    """
    groups = risk_groups(network, tables)
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0]
    areas = areas_of_prises(prises, tables.get("communes"))
    assets = table.index.to_numpy(np.int32)
    sums = []
    for name, graph in (("nominal", routes.nominal), ("physical", routes.physical)):
        index = index_graph(with_groups(graph, groups), graph.prises)
        intervals = lost_intervals(index, assets)
        sums.append((index.tree.position[prises[f"vertex_{name}"].to_numpy()], intervals))
    parts = []
    for level, scope in enumerate(SCOPES):
        number, names = pd.factorize(areas[scope].where(areas[scope] != ""), sort=True)
        cut, stranded = (
            sums_in_intervals(intervals, at, number, prises["n"].to_numpy(np.int64), len(names))
            for at, intervals in sums
        )
        key = np.union1d(cut.index, stranded.index)
        row, area = np.divmod(key, max(1, len(names)))
        lost = {"prises_cut": cut.reindex(key), "prises_stranded": stranded.reindex(key)}
        columns = {column: values.fillna(0).to_numpy(np.int64) for column, values in lost.items()}
        code = pd.Series(names.to_numpy(dtype=object)[area], dtype=str)
        parts.append(pd.DataFrame({"row": row, "level": level, "scope": scope, "area": code, **columns}))
    out = pd.concat(parts, ignore_index=True)
    out = out.iloc[np.lexsort((out["level"], out["row"]))]  # stable: areas come sorted within a scope
    named = table[["kind", "code"]].iloc[out["row"].to_numpy()].reset_index(drop=True)
    return pd.concat([named, out.drop(columns=["row", "level"]).reset_index(drop=True)], axis=1)


def worst_by_area(losses: pd.DataFrame, routes: Routes, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Name the worst single object of each PM, NRO, commune and EPCI.

    Parameters
    ----------
    losses : DataFrame
        From `losses_by_area`.
    routes : Routes
    tables : mapping of str to DataFrame
        Of use here: communes.

    Returns
    -------
    DataFrame
        scope, area, libelle (of a commune or EPCI, where the table tells), prises (traced, int64), n_objects
        (that cut some of them), prises_cut (the most by one object), kind and code of that object, the first
        of `losses` where several cut as many. By scope in the order of `SCOPES`, then prises_cut
        descending, then area.
    """
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0]
    areas = areas_of_prises(prises, tables.get("communes"))
    parts = []
    for scope in SCOPES:
        rows = losses[(losses["scope"] == scope) & (losses["prises_cut"] > 0)]
        total = prises["n"].groupby(areas[scope].to_numpy()).sum().drop("", errors="ignore")
        most = rows.sort_values("prises_cut", ascending=False, kind="stable").drop_duplicates("area")
        part = most.set_index("area")[["kind", "code", "prises_cut"]].reindex(total.index)
        part["prises"] = total
        part["n_objects"] = rows.groupby("area").size().reindex(total.index).fillna(0).astype(np.int64)
        part["libelle"] = _names(scope, part.index, tables.get("communes"))
        parts.append(part.rename_axis("area").reset_index().assign(scope=scope))
    out = pd.concat(parts, ignore_index=True)
    out["prises_cut"] = out["prises_cut"].fillna(0).astype(np.int64)
    out[["kind", "code"]] = out[["kind", "code"]].fillna("").astype(str)
    out["scope"] = pd.Categorical(out["scope"], SCOPES, ordered=True)
    out = out.sort_values(["scope", "prises_cut", "area"], ascending=[True, False, True], ignore_index=True)
    order = ["scope", "area", "libelle", "prises", "n_objects", "prises_cut", "kind", "code"]
    return out[order].astype({"scope": str})


def behind_single_objects(
    network: Network,
    routes: Routes,
    table: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    thresholds: tuple[int, ...] = THRESHOLDS,
) -> pd.DataFrame:
    """Count the prises behind at least one unprotected object of a given size: the curve by threshold.

    Parameters
    ----------
    network, routes, table, tables
        As for `losses_by_area`; `table` is the full one.
    thresholds : tuple of int

    Returns
    -------
    DataFrame
        threshold, n_objects (rows of `table` that cut at least so many prises alone), n_series (that they
        form), prises (traced, that at least one of them cuts), share (of the traced prises).
    """
    index = index_graph(with_groups(routes.nominal, risk_groups(network, tables)), routes.nominal.prises)
    total = int(routes.nominal.prises.sum())
    rows = []
    for threshold in thresholds:
        large = table[table["prises_cut"] >= threshold]
        lost = lost_alone(index, large.index.to_numpy(np.int32))
        prises = int(routes.nominal.prises[lost].sum())
        n_series = large.loc[large["serie"] != "", "serie"].nunique()
        rows.append((threshold, len(large), n_series, prises, prises / total if total else 0.0))
    return pd.DataFrame(rows, columns=["threshold", "n_objects", "n_series", "prises", "share"])


def sites_by_type(
    network: Network, routes: Routes, table: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Count the sensitive sites that each object cuts, by type.

    Returns
    -------
    DataFrame
        kind, code, type, sites (int64, above 0); empty where the table ``sites_sensibles`` is absent.
    """
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0].sort_values("code", kind="stable")
    sites = tables.get("sites_sensibles", pd.DataFrame({"type": [], "code": [], "x": [], "y": []}))
    at = prises_of_sites(prises, sites) if len(sites) else np.empty(0, np.int64)
    sites = sites[at >= 0]
    vertex = prises["vertex_nominal"].iloc[at[at >= 0]]
    number, names = pd.factorize(sites["type"], sort=True)
    index = index_graph(
        with_groups(routes.nominal, risk_groups(network, tables)), np.zeros(routes.nominal.n_vertices, int)
    )
    ones = pd.Series(1, index=vertex.index)
    assets = table.index.to_numpy(np.int32)
    lost = _losses(index, assets, vertex, number, ones, max(1, len(names)))
    row, column = np.nonzero(lost)
    out = table[["kind", "code"]].iloc[row].reset_index(drop=True)
    return out.assign(type=np.asarray(names, dtype=object)[column], sites=lost[row, column])


def areas_of_prises(prises: pd.DataFrame, communes: pd.DataFrame | None) -> pd.DataFrame:
    """Give the PM, NRO, commune and EPCI of each prise, "" where it has none; index of `prises`."""
    commune = communes_of_prises(prises, communes)
    known = isinstance(communes, gpd.GeoDataFrame) and "epci" in communes
    epci = (
        communes.set_index("code_insee")["epci"] if known and communes is not None else pd.Series(dtype=str)
    )
    return pd.DataFrame(
        {
            "pm": prises["pm"].fillna("").astype(str),
            "nro": prises["nro"].fillna("").astype(str),
            "commune": commune,
            "epci": epci.reindex(commune).fillna("").astype(str).to_numpy(),
        }
    )


def sums_in_intervals(
    intervals: Long, at: NDArray[np.int32], area: NDArray[np.int64], n: Long, n_areas: int
) -> pd.Series:
    """Sum what stands in the intervals of each row, by area.

    Things are put in order of position and cut into runs of one area: an interval meets few of them.

    Parameters
    ----------
    intervals : (n_intervals, 4) int64
        From `resilience.losses.lost_intervals`.
    at, area, n : (n_things,) int
        Position, area and weight of each thing; below 0 for a position or an area that it has not.
    n_areas : int

    Returns
    -------
    Series of int64
        By ``row * n_areas + area``, ascending; sums of 0 are left out.
    """
    known = (at >= 0) & (area >= 0)
    order = np.flatnonzero(known)[np.argsort(at[known], kind="stable")]
    at, area = at[order], area[order]
    upto = np.concatenate([[0], np.cumsum(n[order])])
    row, start, end, sign = intervals.T
    first, last = np.searchsorted(at, start), np.searchsorted(at, end)
    met = last > first
    row, sign, first, last = row[met], sign[met], first[met], last[met]
    edge = np.flatnonzero(np.concatenate([[True], area[1:] != area[:-1]])) if len(area) else np.empty(0, int)
    run_first = np.searchsorted(edge, first, side="right") - 1
    run_last = np.searchsorted(edge, last - 1, side="right") - 1
    which, run = slices(run_first, run_last - run_first + 1)
    begin = np.maximum(edge[run], first[which])
    stop = np.minimum(np.append(edge[1:], len(area))[run], last[which])
    total = pd.Series(sign[which] * (upto[stop] - upto[begin]), index=row[which] * n_areas + area[edge[run]])
    total = total.groupby(level=0, sort=True).sum()
    return total[total != 0]


def _losses(
    index: LossIndex,
    assets: NDArray[np.int32],
    vertex: pd.Series,
    column: NDArray[np.int64],
    n: pd.Series,
    width: int,
) -> Long:
    """Sum what each asset loses of each column, (n_assets, width) int64."""
    weights = np.zeros((index.n_vertices, width), np.int64)
    at = vertex.to_numpy()
    chosen = (column >= 0) & (column < width) & (at >= 0)
    np.add.at(weights, (at[chosen], column[chosen]), n.to_numpy()[chosen])
    return losses_of_sets(with_weights(index, weights), np.arange(len(assets) + 1, dtype=np.int64), assets)


def _names(scope: str, codes: pd.Index, communes: pd.DataFrame | None) -> NDArray[np.object_]:
    column, name = {"commune": ("code_insee", "nom"), "epci": ("epci", "epci_nom")}.get(scope, ("", ""))
    if communes is None or column not in communes or name not in communes:
        return np.full(len(codes), "", dtype=object)
    first = communes.drop_duplicates(column).set_index(column)[name]
    return first.reindex(codes).fillna("").astype(str).to_numpy(dtype=object)
