"""Sums that may be published: how many objects and prises by commune, without a code, a place or a maximum.

A full list of single points of failure is an attack map. What leaves the syndicate says how exposed a commune
is, never through what (DESIGN, Confidentiality).
"""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.errors import GraceTHDError
from gracethd.network import KINDS
from gracethd.outputs.tables import write_table
from gracethd.routes.types import Routes
from resilience.areas import areas_of_prises
from resilience.losses import LossIndex, index_graph, lost_alone

LEAST_PRISES, LEAST_ASSETS = 11, 3
PUBLIC = "DIFFUSION PUBLIQUE"
SUFFIXES = (".csv", ".parquet")
COLUMNS = ("scope", "area", "libelle", "kind", "n_objects", "prises")


def public_sums(
    routes: Routes,
    table: gpd.GeoDataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    min_prises: int,
) -> pd.DataFrame:
    """Count the unprotected objects of each commune and the prises that hang on them there.

    Parameters
    ----------
    routes : Routes
    table : GeoDataFrame
        The full table of `resilience.spof.spof`.
    tables : mapping of str to DataFrame
        Those that `table` was made with; ``communes`` must be there.
    min_prises : int
        Objects that cut fewer prises are not counted.

    Returns
    -------
    DataFrame
        Columns of `COLUMNS`: scope (commune|epci|ensemble), area (INSEE or EPCI code, "" for ensemble),
        libelle (its name), kind, n_objects (that stand there, drops apart), prises (traced, of the area,
        that at least one of these objects cuts). A row has at least `LEAST_PRISES` prises and `LEAST_ASSETS`
        objects. Communes that have fewer are put together by EPCI, those of EPCI that still have fewer into
        ``ensemble``; these rows hold only what the finer ones do not, so that nothing can be found by
        subtraction. What remains is in no row: ``attrs["withheld"]`` counts its objects.

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
    chosen = table["kind"].isin(KINDS) & (table["prises_cut"] >= max(1, min_prises))
    chosen &= table["segment"] != "raccordement"
    objects = table.loc[chosen, ["kind", "commune", "epci"]]
    parts, withheld = [], 0
    for kind, of_kind in objects.groupby("kind"):
        left, homes_left = of_kind, homes
        for scope in ("commune", "epci", "ensemble"):
            rows = _rows(index, left, homes_left, scope)
            rows = rows[(rows["n_objects"] >= LEAST_ASSETS) & (rows["prises"] >= LEAST_PRISES)]
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
    """Count objects, and prises that they cut, in each area of the scope."""
    here = objects[scope] if scope != "ensemble" else pd.Series("", index=objects.index)
    rows = []
    for area, members in here.groupby(here):
        if scope != "ensemble" and area == "":
            continue
        own = homes if scope == "ensemble" else homes[homes[scope] == area]
        lost = lost_alone(index, members.index.to_numpy(np.int32))
        rows.append((area, len(members), int(own.loc[lost[own["vertex"].to_numpy()], "n"].sum())))
    return pd.DataFrame(rows, columns=["area", "n_objects", "prises"]).astype(
        {"area": str, "n_objects": np.int64, "prises": np.int64}
    )


def _names(rows: pd.DataFrame, communes: gpd.GeoDataFrame) -> pd.Series:
    named = communes.set_index("code_insee")["nom"]
    epci = communes.drop_duplicates("epci").set_index("epci")["epci_nom"]
    by_scope = rows["area"].map(named).where(rows["scope"] == "commune", rows["area"].map(epci))
    return by_scope.where(rows["scope"] != "ensemble", "Reste du réseau").fillna("").astype(str)
