"""Findings as they go back to who delivered: how many of each rule, by delivery and by zone of a PM."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gracethd.check.places import Shapes, shapes_of
from gracethd.check.rules import RULES
from gracethd.deliveries.types import Delivery
from gracethd.findings import SEVERITIES
from gracethd.outputs.drawing import standing_points

COLUMNS = ("delivery", "zone", "rule", "severity", "n", "fr")


def by_delivery_and_zone(findings: gpd.GeoDataFrame, deliveries: Sequence[Delivery] = ()) -> pd.DataFrame:
    """Count findings by delivery, zone and rule: what each contractor has to correct, and where.

    Parameters
    ----------
    findings : GeoDataFrame
        From `gracethd.check.check_all`.
    deliveries : sequence of Delivery, optional
        Those checked, for their SRO zones; without them no zone is told.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: ``zone`` (zs_code of the first SRO zone where the object stands, "" where it stands
        in none or has no place), ``n`` (int64) and the French text of the rule; sorted by delivery, zone,
        severity and rule. The counts add up to the findings.
    """
    told = pd.DataFrame(findings[["delivery", "rule", "severity"]]).fillna("")
    told.insert(1, "zone", _zones(findings, deliveries))
    counts = (
        told.groupby(["delivery", "zone", "rule", "severity"], sort=True).size().rename("n").reset_index()
    )
    rank = counts["severity"].map({name: i for i, name in enumerate(SEVERITIES)})
    counts = counts.assign(_rank=rank, fr=counts["rule"].map(RULES["fr"]).fillna(""))
    return counts.sort_values(["delivery", "zone", "_rank", "rule"])[list(COLUMNS)].reset_index(drop=True)


def _zones(findings: gpd.GeoDataFrame, deliveries: Sequence[Delivery]) -> list[str]:
    """Give the code of the zone in which each finding stands, of several the first delivered."""
    codes, shapes = _outlines(deliveries, findings.crs)
    zone = np.full(len(findings), -1)
    points = standing_points(shapes_of(findings.geometry))
    found, at = shapely.STRtree(shapes).query(points, predicate="intersects")
    order = np.lexsort((at, found))
    rows, first = np.unique(found[order], return_index=True)
    zone[rows] = at[order][first]
    return [codes[i] if i >= 0 else "" for i in zone]


def _outlines(deliveries: Sequence[Delivery], crs: pyproj.CRS | None) -> tuple[list[str], Shapes]:
    """Give codes and outlines of all SRO zones, in the CRS of the findings."""
    codes: list[str] = []
    shapes: list[Shapes] = [np.empty(0, dtype=object)]
    for one in deliveries:
        zones = one.tables.get("t_zsro")
        if isinstance(zones, gpd.GeoDataFrame) and "zs_code" in zones:
            drawn = zones[zones["zs_code"].notna() & zones.geometry.notna().to_numpy()]
            moved = (
                drawn.geometry.to_crs(crs) if crs is not None and drawn.crs is not None else drawn.geometry
            )
            codes += drawn["zs_code"].tolist()
            shapes.append(shapely.make_valid(shapes_of(moved)))
    return codes, np.concatenate(shapes)
