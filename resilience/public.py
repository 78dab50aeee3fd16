"""Sums that may be published: how many objects and prises by commune, without a code, a place or a maximum.

A full list of single points of failure is an attack map. What leaves the syndicate says how exposed a commune
is, never through what (DESIGN, Confidentiality).
"""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.errors import GraceTHDError
from gracethd.network import KINDS
from gracethd.outputs.tables import write_table
from gracethd.routes.types import Routes
from resilience.areas import areas_of_prises
from resilience.losses import LossIndex, index_graph, lost_intervals
from resilience.results import MIN_PRISES
from resilience.spof import collapse

LEAST_PRISES, LEAST_ASSETS = 11, 3
MOST_SHARE = 0.85
"""Share of a sum that one object may make alone: the rule of dominance of INSEE for sums over firms."""
PUBLIC = "DIFFUSION PUBLIQUE"
SUFFIXES = (".csv", ".parquet")
Long = NDArray[np.int64]

COLUMNS = ("scope", "area", "libelle", "kind", "n_objects", "prises")


def public_sums(routes: Routes, table: gpd.GeoDataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count the unprotected objects of each commune and the prises that hang on them there.

    Objects are those that cut `resilience.results.MIN_PRISES` or more, one a place (D10). The threshold is
    no argument: two sums at two thresholds would tell by their difference what single objects cut.

    Parameters
    ----------
    routes : Routes
    table : GeoDataFrame
        The full table of `resilience.spof.spof`.
    tables : mapping of str to DataFrame
        Those that `table` was made with; ``communes`` must be there.

    Returns
    -------
    DataFrame
        Columns of `COLUMNS`: scope (commune|epci|ensemble), area (INSEE or EPCI code, "" for ensemble),
        libelle (its name), kind, n_objects (that stand there, drops apart), prises (traced, of the area,
        that at least one of these objects cuts). A row has at least `LEAST_PRISES` prises and `LEAST_ASSETS`
        objects, and no object makes more than `MOST_SHARE` of its prises alone: that is what the row would
        lose without it. Communes where a row would break one of these rules are put together by EPCI, those
        of EPCI that still do into ``ensemble``; these rows hold only what the finer ones do not, so that
        nothing can be found by subtraction. What remains is in no row: ``attrs["withheld"]`` counts its
        objects.

    Raises
    ------
    GraceTHDError
        When the table ``communes`` is absent.
    """
    communes = tables.get("communes")
    if not isinstance(communes, gpd.GeoDataFrame):
        raise GraceTHDError(
            "--public sums by commune: name the table communes in a study (.toml) and give the study in "
            "place of the deliveries"
        )
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0]
    homes = pd.DataFrame({"vertex": prises["vertex_nominal"], "n": prises["n"]})
    homes[["commune", "epci"]] = areas_of_prises(prises, communes)[["commune", "epci"]]
    index = index_graph(routes.nominal, routes.nominal.prises)
    listed = collapse(table[table["kind"].isin(KINDS)], min_prises=MIN_PRISES)
    objects = listed[["kind", "commune", "epci"]]
    parts, withheld = [], 0
    for kind, of_kind in objects.groupby("kind"):
        left, homes_left = of_kind, homes
        for scope in ("commune", "epci", "ensemble"):
            rows = _rows(index, left, homes_left, scope)
            enough = (rows["n_objects"] >= LEAST_ASSETS) & (rows["prises"] >= LEAST_PRISES)
            rows = rows[enough & (rows["most_alone"] <= MOST_SHARE * rows["prises"])]
            parts.append(rows.assign(scope=scope, kind=kind))
            if scope != "ensemble":
                left = left[~left[scope].isin(rows["area"])]
                homes_left = homes_left[~homes_left[scope].isin(rows["area"])]
            elif len(rows):
                left = left.iloc[:0]
        withheld += len(left)
    out = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    out["libelle"] = _names(out, communes)
    rank = out["scope"].map({"commune": 0, "epci": 1, "ensemble": 2})
    out = out.assign(rank=rank).sort_values(["rank", "area", "kind"], ignore_index=True)[list(COLUMNS)]
    out.attrs["withheld"] = withheld
    return out


def public_plan(plan: pd.DataFrame, communes: pd.DataFrame | None) -> pd.DataFrame:
    """Count the works of a plan and their euros by commune and family: no object, no place, no effect.

    Parameters
    ----------
    plan : DataFrame
        ``Plan.plan``: famille, commune, epci (codes), cost_eur_central.
    communes : DataFrame or None
        The table of a study, for names.

    Returns
    -------
    DataFrame
        scope (commune|epci|ensemble), area, libelle, famille, n_chosen, cost_eur_central. A row has at least
        `LEAST_ASSETS` works, none of which makes more than `MOST_SHARE` of its euros; works of several
        communes count by EPCI, of several EPCI in ``ensemble``, as do those whose finer row would break the
        rule: rows hold only what the finer ones do not. ``attrs["withheld"]`` counts the works in no row.
    """
    left = pd.DataFrame(plan)[["famille", "commune", "epci", "cost_eur_central"]].assign(ensemble="")
    # several codes in one cell are none of the table
    for scope, column in (("commune", "code_insee"), ("epci", "epci")):
        known = left[scope].isin([] if communes is None else communes[column])
        left[scope] = left[scope].where(known, "")
    parts = []
    for scope in ("commune", "epci", "ensemble"):
        placed = left[left[scope] != ""] if scope != "ensemble" else left
        sums = placed.groupby([scope, "famille"])["cost_eur_central"].agg(["size", "sum", "max"])
        sound = sums[(sums["size"] >= LEAST_ASSETS) & (sums["max"] <= MOST_SHARE * sums["sum"])].reset_index()
        told = {"area": sound[scope].astype(str), "famille": sound["famille"], "n_chosen": sound["size"]}
        parts.append(pd.DataFrame(told | {"cost_eur_central": sound["sum"].round(-3)}).assign(scope=scope))
        told_of = pd.MultiIndex.from_frame(sound[[scope, "famille"]])
        left = left[~pd.MultiIndex.from_frame(left[[scope, "famille"]]).isin(told_of)]
    out = pd.concat(parts, ignore_index=True)
    out["libelle"] = "" if communes is None else _names(out, communes)
    out = out[["scope", "area", "libelle", "famille", "n_chosen", "cost_eur_central"]]
    out.attrs["withheld"] = len(left)
    return out


def check_public_destination(path: Path) -> None:
    """Refuse formats that could hold more than sums.

    Raises
    ------
    GraceTHDError
    """
    if path.suffix not in SUFFIXES:
        raise GraceTHDError(f"{path}: --public writes to a name that ends in {' or '.join(SUFFIXES)}")


def write_public(sums: pd.DataFrame, path: Path) -> None:
    """Write what `public_sums` gives, marked as public."""
    check_public_destination(path)
    write_table(sums, path, diffusion=PUBLIC)


def _rows(index: LossIndex, objects: pd.DataFrame, homes: pd.DataFrame, scope: str) -> pd.DataFrame:
    """Count objects, the prises that they cut, and the most of these that one makes alone, by area."""
    here = objects[scope] if scope != "ensemble" else pd.Series("", index=objects.index)
    rows = []
    for area, members in here.groupby(here):
        if scope != "ensemble" and area == "":
            continue
        own = homes if scope == "ensemble" else homes[homes[scope] == area]
        cut_by, only = _cut_by(index, members.index.to_numpy(np.int32))
        at, n = own["vertex"].to_numpy(), own["n"].to_numpy(np.int64)
        alone = cut_by[at] == 1
        by_object = np.bincount(only[at[alone]], n[alone], minlength=1).astype(np.int64)
        rows.append((area, len(members), int(n[cut_by[at] > 0].sum()), int(by_object.max())))
    return pd.DataFrame(rows, columns=["area", "n_objects", "prises", "most_alone"]).astype(
        {"area": str, "n_objects": np.int64, "prises": np.int64, "most_alone": np.int64}
    )


def _cut_by(index: LossIndex, assets: NDArray[np.int32]) -> tuple[Long, Long]:
    """Count the assets that cut each vertex off alone, and name it (its number in `assets`) where it is one.

    Returns
    -------
    (n_vertices,) int64, (n_vertices,) int64
        The second says nothing where the first is not 1.
    """
    number, start, end, sign = lost_intervals(index, assets).T
    steps = np.zeros((len(index.tree.end) + 1, 2), np.int64)
    for at, turn in ((start, sign), (end, -sign)):
        np.add.at(steps, at, np.column_stack([turn, turn * number]))
    count, sums = np.cumsum(steps, axis=0)[:-1].T
    position = index.tree.position
    reached = position >= 0
    return np.where(reached, count[position], 0), np.where(reached, sums[position], 0)


def _names(rows: pd.DataFrame, communes: pd.DataFrame) -> pd.Series:
    named = communes.set_index("code_insee")["nom"]
    epci = communes.drop_duplicates("epci").set_index("epci")["epci_nom"]
    by_scope = rows["area"].map(named).where(rows["scope"] == "commune", rows["area"].map(epci))
    return by_scope.where(rows["scope"] != "ensemble", "Reste du réseau").fillna("").astype(str)
