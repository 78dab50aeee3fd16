"""What every printed map shows: water, communes, network, rooms, a scale; needs the extra `images`."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from resilience.hazards import WATER_KINDS

from .report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WAYS, _WATER, _ROOM = "#9aa5af", "#8db9d8", "#1f3a52"


def can_draw() -> bool:
    """Tell whether matplotlib is there."""
    return find_spec("matplotlib") is not None


def draw_ground(report: Report, frame: shapely.Polygon, axes: "Axes") -> None:
    """Draw the water of the rarest flood, the communes and the network."""
    water = near(_water(report), frame)
    if len(water):
        water.plot(ax=axes, aspect=None, color=_WATER, alpha=0.5, linewidth=0)
    communes = near(report.communes, frame)
    if len(communes):
        communes.boundary.plot(ax=axes, aspect=None, color="#c9b458", linewidth=1.0, linestyle="--")
    ways = near(report.ways, frame)
    if len(ways):
        ways.plot(ax=axes, aspect=None, color=_WAYS, linewidth=1.0, rasterized=True)


def _water(report: Report) -> gpd.GeoDataFrame | None:
    """Give where the rarest flood reaches."""
    extents = report.hazard_extents
    if extents is None:
        return None
    wet = extents[extents["hazard_kind"].isin(list(WATER_KINDS))]
    return (
        wet[wet["return_period"] == wet["return_period"].max()] if wet["return_period"].notna().any() else wet
    )


def near(layer: gpd.GeoDataFrame | None, frame: shapely.Polygon) -> gpd.GeoDataFrame:
    """Give what of a layer meets a frame, in its order; empty where there is no layer."""
    if layer is None or layer.empty:
        return gpd.GeoDataFrame()
    return layer.iloc[np.sort(layer.sindex.query(frame, predicate="intersects"))]


def draw_rooms(report: Report, frame: shapely.Polygon, axes: "Axes") -> None:
    """Draw and name NRO and PM."""
    rooms = report.rooms
    if rooms is None:
        return
    points = rooms.geometry.to_numpy()
    inside = shapely.intersects(points, frame)
    for nature, marker, size in (("PM", "s", 38), ("NRO", "D", 80)):
        here = inside & (rooms["nature"] == nature).to_numpy()
        places = shapely.get_coordinates(points[here])
        axes.scatter(places[:, 0], places[:, 1], marker=marker, s=size, color=_ROOM, zorder=5)
        for (x, y), name in zip(places.tolist(), rooms.loc[here, "name"], strict=True):
            words = str(name).replace("$", r"\$")
            axes.annotate(words, (x, y), xytext=(6, 6), textcoords="offset points", fontsize=8, zorder=6)


def draw_scale(axes: "Axes", bounds: tuple[float, float, float, float]) -> None:
    """Draw a bar of a round length, about a fifth of the width, in the lower left corner."""
    west, south, east, north = bounds
    raw = (east - west) / 5
    power = 10 ** np.floor(np.log10(raw))
    length = float(max(step * power for step in (1, 2, 5) if step * power <= raw))
    x, y = west + (east - west) * 0.03, south + (north - south) * 0.04
    axes.plot([x, x + length], [y, y], color="black", linewidth=3, zorder=6, solid_capstyle="butt")
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    axes.annotate(
        text, (x + length / 2, y), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=8
    )
