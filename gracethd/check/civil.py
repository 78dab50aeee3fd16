"""Rules on civil works: who owns ways and chambers, and poles met twice."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import shapely

from gracethd.check.places import column, filled, node_points, shapes_of
from gracethd.check.rules import report
from gracethd.check.settings import Thresholds
from gracethd.check.topology import has_neighbour

Tables = Mapping[str, pd.DataFrame]
APART_M = 1e7
"""Poles of two labels are this far apart in the third dimension: never neighbours."""


def check_civil_works(tables: Tables, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find ways that no chamber at their ends has the owner of, and poles of one label side by side."""
    yield from _owners(tables)
    yield from _poles(tables, limits)


def _owners(tables: Tables) -> Iterator[pd.DataFrame]:
    ways = tables.get("t_cheminement")
    if ways is None or not {"cm_prop", "cm_ndcode1", "cm_ndcode2"} <= set(ways.columns):
        return
    is_chamber = column(tables, "t_ptech", "pt_typephy").eq("C")
    chambers = pd.DataFrame({
        "node": column(tables, "t_ptech", "pt_nd_code"), "owner": column(tables, "t_ptech", "pt_prop"),
    })[is_chamber].dropna()  # fmt: skip
    ends = pd.concat([ways[["line", "cm_prop", name]].set_axis(["line", "own", "node"], axis=1)
                      for name in ("cm_ndcode1", "cm_ndcode2")])  # fmt: skip
    met = ends.dropna().merge(chambers, on="node")
    agrees = (met["own"] == met["owner"]).groupby(met["line"]).any()
    wrong = ways["line"].isin(agrees.index[~agrees])
    yield report("proprietaire_discordant", "t_cheminement", ways, wrong, attribute="cm_prop")


def _poles(tables: Tables, limits: Thresholds) -> Iterator[pd.DataFrame]:
    ptech = tables.get("t_ptech")
    if ptech is None or not {"pt_code", "pt_nd_code"} <= set(ptech.columns):
        return
    label = filled(column(tables, "t_ptech", "pt_codeext"), column(tables, "t_ptech", "pt_etiquet"))
    point = shapes_of(node_points(tables).reindex(ptech["pt_nd_code"]))
    is_pole = column(tables, "t_ptech", "pt_typephy").eq("A") & label.notna()
    named = (is_pole & ~shapely.is_missing(point) & ~ptech.duplicated("pt_code")).to_numpy()
    poles = ptech[named]
    if len(poles) < 2:
        return
    number = pd.factorize(label[named])[0]
    at = np.column_stack([shapely.get_x(point[named]), shapely.get_y(point[named]), number * APART_M])
    double = has_neighbour(at, limits["pole_m"])
    yield report("appui_double", "t_ptech", poles, double, attribute="pt_codeext")
