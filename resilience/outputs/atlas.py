"""The atlas: one page of map an EPCI, as a PDF to print; needs the extra `images`."""

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from gracethd.outputs.labels import phrase
from gracethd.outputs.publish import marking, written_aside
from gracethd.outputs.styles import cut_style

from .ground_map import can_draw, draw_ground, draw_rooms, draw_scale, near
from .report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

A3_INCHES = (16.54, 11.69)
_WORKS = "#5b3a9c"
_DPI = 200
"""Of what is drawn as an image: as lines, a whole network would make a page of a hundred megabytes."""


def write_atlas(report: Report, path: Path) -> bool:
    """Write a page for each EPCI of the table communes, or one page where there is none; whole, owner only.

    Each shows the network, séries by the prises that they cut, NRO and PM, the water of the rarest flood and
    the works of the plan.

    Parameters
    ----------
    report : Report
        Its `ways`, `series`, `rooms`, `plan`, `hazard_extents` and `communes`.
    path : Path

    Returns
    -------
    bool
        False where matplotlib is not installed: nothing is written.
    """
    if not can_draw() or report.ways is None or report.ways.empty:
        return False
    from matplotlib.backends.backend_pdf import PdfPages

    # a date would make two runs differ
    told = {"Title": report.title, "CreationDate": None, "Producer": None, "Creator": None}
    with written_aside(path) as aside, PdfPages(aside, metadata=told) as book:
        for name, frame in _pages(report):
            book.savefig(_page(report, name, frame), dpi=_DPI)
    return True


def _pages(report: Report) -> list[tuple[str, shapely.Polygon]]:
    """Give the title and the frame of each page."""
    communes = report.communes
    if communes is None or "epci_nom" not in communes or communes["epci_nom"].fillna("").eq("").all():
        assert report.ways is not None
        return [(report.title, shapely.box(*report.ways.total_bounds))]
    named = communes[communes["epci_nom"].fillna("") != ""]
    return [
        (str(name), shapely.box(*rows.total_bounds)) for name, rows in named.groupby("epci_nom", sort=True)
    ]


def _page(report: Report, name: str, frame: shapely.Polygon) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=A3_INCHES)
    axes = figure.add_axes((0.02, 0.05, 0.80, 0.86))
    west, south, east, north = shapely.buffer(
        frame, 0.03 * max(frame.bounds[2] - frame.bounds[0], 500.0)
    ).bounds
    window = shapely.box(west, south, east, north)
    axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    axes.set_axis_off()
    draw_ground(report, window, axes)
    handles = [*_draw_series(report.series, window, axes), *_draw_works(report.plan, window, axes)]
    draw_rooms(report, window, axes)
    draw_scale(axes, window.bounds)
    figure.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.985, 0.9), frameon=False, fontsize=11)
    figure.text(0.02, 0.945, name.replace("$", r"\$"), fontsize=20, color="#1f3a52", weight="bold")
    mark = f"{report.title} · {marking(report.recipient, report.day)}"
    figure.text(0.02, 0.02, mark.replace("$", r"\$"), fontsize=9, color="#a8261f")
    return figure


def _draw_series(series: gpd.GeoDataFrame | None, window: shapely.Polygon, axes: "Axes") -> list[object]:
    """Draw séries in the classes of every other map, heavier over lighter; give their legend."""
    from matplotlib.lines import Line2D

    shown = near(series, window)
    if shown.empty:
        return []
    handles: list[object] = []
    for entry in cut_style("line").classes:
        rows = shown[(shown["prises_cut"] >= entry.lower) & (shown["prises_cut"] < entry.upper)]
        if len(rows):
            width = 2.2 * entry.size
            rows.plot(
                ax=axes, aspect=None, color=entry.color, linewidth=width, markersize=6 * width, zorder=3
            )
            handles.append(Line2D([], [], color=entry.color, linewidth=width, label=f"{entry.label} prises"))
    return handles


def _draw_works(plan: pd.DataFrame | None, window: shapely.Polygon, axes: "Axes") -> list[object]:
    from matplotlib.lines import Line2D

    shown = near(plan if isinstance(plan, gpd.GeoDataFrame) else None, window)
    if shown.empty:
        return []
    shown.plot(ax=axes, aspect=None, color=_WORKS, linewidth=3, markersize=70, marker="^", zorder=4)
    return [Line2D([], [], color=_WORKS, marker="^", linewidth=3, label=phrase("layer_plan"))]
