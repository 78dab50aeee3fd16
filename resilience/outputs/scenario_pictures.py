"""The curve and the map of a crisis as pictures, for slides and exercise papers; needs the extra `images`."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from gracethd.outputs.drawing import standing_points
from gracethd.outputs.labels import value_label
from gracethd.outputs.publish import marking
from resilience.crisis import Played
from resilience.outputs.ground_map import draw_scale, near

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AROUND_M = 1000.0
"""Ground around the interventions that the map shows."""
STAGE_COLORS = ("#4c0a16", "#a8261f", "#d95f43", "#e8b48a", "#8a8f94")
NO_PICTURES = "images non dessinées : installez l'extra images (pip install 'gracethd[images]')"


def draw_curve(played: Played, path: Path, *, day: date, recipient: str = "") -> None:
    """Draw the prises without service over time, with the bands of drawn hours, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    curve = played.curve
    end = max(float(curve["hour"].iloc[-1]), played.hour, 1.0) * 1.05
    if len(played.bands):
        bands = played.bands
        end = max(end, float(bands["hour"].iloc[-1]))
        axes.fill_between(
            bands["hour"], bands["prises_down_p05"], bands["prises_down_p95"],
            step="post", color="#e8b48a", alpha=0.6, linewidth=0, label="durées tirées, 5 à 95 %",
        )  # fmt: skip
    hours, down, stranded = (
        [*curve[name], last]
        for name, last in (
            ("hour", end),
            ("prises_down", curve["prises_down"].iloc[-1]),
            ("prises_stranded", curve["prises_stranded"].iloc[-1]),
        )
    )
    axes.step(hours, down, where="post", color="#a8261f", linewidth=2, label="sans service")
    axes.step(
        hours,
        stranded,
        where="post",
        color="#1f3a52",
        linewidth=1.2,
        linestyle="--",
        label="sans aucun chemin",
    )
    axes.set(xlim=(0, end), ylim=(0, None), xlabel="heures depuis le début", ylabel="prises")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    _finish(figure, played, path, marking(recipient, day))


def draw_map(
    played: Played,
    path: Path,
    *,
    day: date,
    recipient: str = "",
    communes: gpd.GeoDataFrame | None = None,
    ways: gpd.GeoDataFrame | None = None,
) -> None:
    """Draw tasks by stage, depots, communes and network as a PNG; nothing where no task has a place."""
    from matplotlib.figure import Figure

    tasks = played.tasks[~(played.tasks.geometry.isna() | played.tasks.geometry.is_empty)]
    if tasks.empty:
        return
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots()
    spots = standing_points(tasks.geometry.to_numpy())
    west, south, east, north = shapely.total_bounds(spots)
    window = shapely.box(west - _AROUND_M, south - _AROUND_M, east + _AROUND_M, north + _AROUND_M)
    axes.set(xlim=window.bounds[0::2], ylim=window.bounds[1::2])
    if communes is not None:
        communes.boundary.plot(ax=axes, aspect=None, color="#c9b458", linewidth=0.8, linestyle="--")
    network = near(ways, window)
    if len(network):
        network.plot(ax=axes, aspect=None, color="#c3cad1", linewidth=0.7, zorder=1)
    for stage, color in enumerate(STAGE_COLORS):
        here = spots[(tasks["stage"] == stage).to_numpy()]
        if len(here):
            label = f"{value_label('stage', str(stage))} ({len(here)})"
            axes.scatter(shapely.get_x(here), shapely.get_y(here), s=34, color=color, label=label, zorder=3)
    if played.crews is not None and played.crews["x"].notna().any():
        axes.scatter(
            played.crews["x"], played.crews["y"], marker="^", s=90, color="#1f3a52", label="dépôts", zorder=4
        )
    axes.set_aspect("equal")
    axes.set_axis_off()
    draw_scale(axes, window.bounds)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), title="Interventions")
    _finish(figure, played, path, marking(recipient, day))


def _finish(figure: "Figure", played: Played, path: Path, mark: str) -> None:
    # a dollar sign would begin a formula, and draw nothing of what follows
    figure.suptitle(played.scenario.title.replace("$", r"\$"), fontsize=13)
    figure.supxlabel(mark.replace("$", r"\$"), fontsize=7, color="#a8261f")
    figure.savefig(path, format="png", dpi=120, metadata={"Software": None})
