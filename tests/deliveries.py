"""Small deliveries written by hand, as they are once they have been read."""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from gracethd.deliveries import Delivery
from gracethd.findings import NO_FINDING
from gracethd.inventory import Inventory

Row = dict[str, object]
Point = tuple[float, float]
Place = Point | list[Point] | shapely.Geometry


def table(*rows: Row, at: Sequence[Place] | None = None, crs: int = 2154) -> pd.DataFrame:
    """Write rows as a delivery holds them: text, numbered lines, a geometry where `at` says where.

    A place is a point (x, y), or a line of such points.
    """
    frame = pd.DataFrame(list(rows)).astype(str).where(pd.DataFrame(list(rows)).notna())
    frame["line"] = range(1, len(frame) + 1)
    if at is None:
        return frame
    return gpd.GeoDataFrame(frame, geometry=[shape(place) for place in at], crs=crs)


def shape(place: Place) -> shapely.Geometry:
    """Give a point or a line."""
    if isinstance(place, shapely.Geometry):
        return place
    return shapely.LineString(place) if isinstance(place, list) else shapely.Point(place)


def delivery(name: str, crs: int = 2154, **tables: pd.DataFrame) -> Delivery:
    return Delivery(
        name=name, path=Path(name), sha256="0", size_bytes=1, tables=tables,
        versions=dict.fromkeys(tables, "2"), crs=gpd.GeoSeries([], crs=crs).crs, findings=NO_FINDING,
    )  # fmt: skip


def ground(**more: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give the least that reaches a level of use: one home and one box."""
    return {
        "t_noeud": table({"nd_code": "N1"}, at=[(700_000.0, 7_000_000.0)]),
        "t_suf": table({"sf_code": "L1", "sf_nd_code": "N1", "sf_type": "R"}),
        "t_ebp": table({"bp_code": "B1", "bp_typelog": "PBO"}),
        **more,
    }


def found(inventory: Inventory, rule: str) -> list[list[object]]:
    rows = inventory.findings[inventory.findings["rule"] == rule]
    return rows[["table", "code", "delivery", "line"]].to_numpy().tolist()
