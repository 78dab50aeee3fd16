"""Who repairs what, and when: tasks with their hours of work, and crews that take them by a rule.

A task waits until its parts are there and until one can go there; then it keeps one crew for its hours of
work. With unlimited crews each task begins as soon as it can, which gives the prises·h of DESIGN D19.
"""

import heapq
from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.network import Network
from gracethd.network.build import SEGMENTS
from gracethd.outputs.drawing import standing_points
from resilience.crisis.failing import within
from resilience.losses import LossIndex, behind_losses_of_assets, lost_vertices, with_weights
from resilience.parameters import Level, Parameters
from resilience.rates import AERIAL
from resilience.scenarios import Order, Scenario
from resilience.sections import StudyError, near_name

Float = NDArray[np.float64]
SKILLS = ("ligne", "nro", "pm")
"""What a crew may be limited to, in the column competence of the table ressources; empty is all of them."""
TASK_COLUMNS = (
    "asset", "failed_at_h", "ready_h", "crew_h", "skill", "x", "y", "prises_behind", "sites_behind", "stage",
)  # fmt: skip


def repair_tasks(
    failures: pd.DataFrame,
    scenario: Scenario,
    network: Network,
    parameters: Parameters,
    index: LossIndex,
    weights: NDArray[np.int64],
) -> pd.DataFrame:
    """Give one task for each asset that somebody has to repair.

    Hours of work come from the scenario, else from the event that broke the asset, else from the parameters
    of what it is: ``nro.fire`` and ``pm.destroyed`` for rooms and sites, ``closure.flood`` for boxes,
    ``pole.repair_h`` for poles, ``way.aerial`` or ``way.dig_up`` (the longer where the mounting is unknown)
    for all the rest. Of the repair time of an NRO or a PM, ``crisis.*.crew_h`` are work and the rest is
    waiting.

    Parameters
    ----------
    failures : DataFrame
        From `resilience.crisis.failing.failed_assets`.
    scenario : Scenario
        Of use here: level, no_access.
    network : Network
    parameters : Parameters
    index : LossIndex
        Of the nominal graph.
    weights : (n_vertices, 2) int64
        Prises and sensitive sites at each vertex.

    Returns
    -------
    DataFrame
        By asset: asset (int32), failed_at_h, ready_h (when work can begin: parts and access), crew_h, skill
        (`SKILLS`), x, y (in the CRS of the network, NaN without a place), prises_behind, sites_behind (int64:
        those without service that the asset has on a route of theirs, when everything has failed), stage
        (0 collecte and NRO, 1 transport, 2 PM, 3 distribution, 4 raccordement and the rest).

    Raises
    ------
    GraceTHDError
        Areas without access that cannot be read.
    """
    broken = failures[failures["back_at_h"].isna()]
    tasks = broken.groupby("asset").agg(failed_at_h=("failed_at_h", "min"), repair_h=("repair_h", "max"))
    tasks = tasks.reset_index().astype({"asset": np.int32})
    assets = network.assets.iloc[tasks["asset"]]
    work_h, default_h = _hours_of_work(network, assets, parameters, scenario.level)
    repair_h = tasks["repair_h"].fillna(pd.Series(default_h)).to_numpy(np.float64)
    tasks["crew_h"] = np.minimum(work_h, repair_h)
    tasks["ready_h"] = tasks["failed_at_h"] + repair_h - tasks["crew_h"]
    shapes = assets.geometry.to_numpy()
    for area in scenario.no_access:
        closed = within(shapes, area.polygon, assets.crs, f"scenarios.{scenario.name}.no_access")
        tasks["ready_h"] = tasks["ready_h"].where(~closed, np.maximum(tasks["ready_h"], area.until_h))
    points = standing_points(shapes)
    tasks["x"], tasks["y"] = shapely.get_x(points), shapely.get_y(points)
    nature = assets["nature"].to_numpy(str)
    tasks["skill"] = np.select([nature == "NRO", nature == "PM"], ["nro", "pm"], default="ligne")
    down = lost_vertices(index, failures["asset"].to_numpy())
    behind = behind_losses_of_assets(with_weights(index, weights * down[:, None]))[tasks["asset"]]
    tasks["prises_behind"], tasks["sites_behind"] = behind.T
    tasks["stage"] = _stages(assets)
    return tasks[list(TASK_COLUMNS)]


def crews_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """List the crews of the table ressources, None where there is none: crews are then unlimited.

    Returns
    -------
    DataFrame
        One row per crew: crew (1, 2...), skill (`SKILLS`, or "" for all of them), x, y (depot, NaN unknown).

    Raises
    ------
    StudyError
        A skill that does not exist, or a table without any crew.
    """
    resources = tables.get("ressources")
    if resources is None:
        return None
    rows = resources[(resources["type"] == "equipe").to_numpy()]
    skill = rows["competence"].fillna("").astype(str)
    if len(wrong := skill[~skill.isin(("", *SKILLS))]):
        raise StudyError(
            f"ressources: competence {wrong.iloc[0]!r} of a crew; {near_name(wrong.iloc[0], SKILLS)}"
        )
    crews = rows.loc[rows.index.repeat(rows["nombre"])].reset_index(drop=True)
    if crews.empty:
        raise StudyError("ressources: no crew (type equipe) in this table; add one, or leave the table out")
    return pd.DataFrame(
        {
            "crew": np.arange(1, len(crews) + 1),
            "skill": crews["competence"].fillna("").astype(str),
            "x": crews["depot_x"].astype(np.float64),
            "y": crews["depot_y"].astype(np.float64),
        }
    )


def dispatch(
    tasks: pd.DataFrame,
    crews: pd.DataFrame | None,
    parameters: Parameters,
    *,
    order: Order = "collecte",
    level: Level = "central",
) -> pd.DataFrame:
    """Say who does which task when.

    A crew that is free takes, among the tasks that can begin and that it has the skill for, the first by the
    rule; of several free crews the one that stands nearest to it goes. No crew waits for a task that is not
    ready while another is. Rules: ``collecte``, by stage from collecte down to drops, then prises behind an
    hour of work; ``prises``, prises behind an hour of work; ``sites``, sensitive sites behind, then as
    collecte; ``proximite``, the nearest.

    Parameters
    ----------
    tasks : DataFrame
        From `repair_tasks`.
    crews : DataFrame or None
        From `crews_of`; None for unlimited crews, who need no time on the road.
    parameters, level
        ``crisis.road_kmh`` and ``crisis.road_detour``.
    order : {"collecte", "prises", "sites", "proximite"}

    Returns
    -------
    DataFrame
        `tasks` with: turn (1, 2... by begin_h, then asset), crew (0 = unlimited, -1 = nobody has the skill),
        travel_h, begin_h, end_h (NaN where nobody has the skill).

    Examples
    --------
    >>> dispatch(tasks, crews_of(tables), study.parameters)  # doctest: +SKIP
    """
    if crews is None:
        done = tasks.assign(crew=0, travel_h=0.0, begin_h=tasks["ready_h"])
    else:
        hours_per_m = (
            parameters.at("crisis.road_detour", level) / parameters.at("crisis.road_kmh", level) / 1e3
        )
        crew, travel_h, begin_h = _assigned(tasks, crews, _by_rule(tasks, order), hours_per_m, order)
        done = tasks.assign(crew=crew, travel_h=travel_h, begin_h=begin_h)
    done["end_h"] = done["begin_h"] + done["crew_h"]
    turn = done.sort_values(["begin_h", "asset"], kind="stable").index
    done["turn"] = pd.Series(np.arange(1, len(done) + 1), index=turn)
    return done


def _assigned(
    tasks: pd.DataFrame, crews: pd.DataFrame, by_rule: NDArray[np.intp], hours_per_m: float, order: Order
) -> tuple[NDArray[np.int64], Float, Float]:
    """Let the crews take the tasks, in time: crew, hours on the road and begin of each task."""
    ready = tasks["ready_h"].to_numpy(np.float64)[by_rule]
    hours = tasks["crew_h"].to_numpy(np.float64)[by_rule]
    skill = tasks["skill"].to_numpy(str)[by_rule]
    spot = tasks[["x", "y"]].to_numpy(np.float64)[by_rule]
    stands, able = crews[["x", "y"]].to_numpy(np.float64).copy(), crews["skill"].to_numpy(str)
    is_open = np.ones(len(tasks), np.bool_)
    crew = np.full(len(tasks), -1, np.int64)
    travel_h, begin_h = np.zeros(len(tasks)), np.full(len(tasks), np.nan)
    free = [(0.0, number) for number in range(len(crews))]
    while free and is_open.any():
        now = free[0][0]
        idle = []
        while free and free[0][0] == now:
            idle.append(heapq.heappop(free)[1])
        while idle:
            can = is_open & np.isin(skill, _skills_of(able[idle]))
            if not can.any():
                break  # nothing is left for these crews
            starts = np.flatnonzero(can & (ready <= now))
            if not len(starts):
                wait = float(ready[can].min())
                for number in idle:
                    heapq.heappush(free, (wait, number))
                break
            task, number = _pick(starts, idle, skill, able, spot, stands, nearest=order == "proximite")
            travel_h[task] = _road_h(stands[[number]], spot[[task]], hours_per_m)[0, 0]
            begin_h[task], crew[task], is_open[task] = now + travel_h[task], number + 1, False
            if not np.isnan(spot[task]).any():
                stands[number] = spot[task]
            idle.remove(number)
            heapq.heappush(free, (begin_h[task] + hours[task], number))
    back = np.argsort(by_rule)
    return crew[back], travel_h[back], begin_h[back]


def _pick(
    starts: NDArray[np.intp],
    idle: list[int],
    skill: NDArray[np.str_],
    able: NDArray[np.str_],
    spot: Float,
    stands: Float,
    *,
    nearest: bool,
) -> tuple[int, int]:
    """Give the task to begin and the crew that goes: first by the rule, then the crew that is nearest."""
    if nearest:
        far = _road_h(stands[idle], spot[starts], 1.0)
        fits = (able[idle][:, None] == "") | (able[idle][:, None] == skill[starts])
        row, column = np.unravel_index(int(np.argmin(np.where(fits, far, np.inf))), far.shape)
        return int(starts[column]), idle[int(row)]
    task = int(starts[0])
    fit = [number for number in idle if able[number] in ("", skill[task])]
    far = _road_h(stands[fit], spot[[task]], 1.0)[:, 0]
    return task, fit[int(np.argmin(far))]


def _skills_of(able: NDArray[np.str_]) -> list[str]:
    return list(SKILLS) if "" in able else sorted(set(able.tolist()))


def _road_h(stands: Float, spot: Float, hours_per_m: float) -> Float:
    """Give the hours from each place to each other, (n, m); 0 where one of them is not known."""
    gap = np.hypot(*(stands[:, None, :] - spot[None, :, :]).transpose(2, 0, 1))
    return np.nan_to_num(gap, nan=0.0) * hours_per_m


def _by_rule(tasks: pd.DataFrame, order: Order) -> NDArray[np.intp]:
    per_hour = -tasks["prises_behind"].to_numpy() / np.maximum(tasks["crew_h"].to_numpy(np.float64), 1e-9)
    asset, stage, sites = (tasks[name].to_numpy() for name in ("asset", "stage", "sites_behind"))
    keys = {
        "collecte": (asset, per_hour, stage),
        "prises": (asset, per_hour),
        "sites": (asset, per_hour, stage, -sites),
        "proximite": (asset,),
    }
    return np.lexsort(keys[order]).astype(np.intp)


def _hours_of_work(
    network: Network, assets: pd.DataFrame, parameters: Parameters, level: Level
) -> tuple[Float, Float]:
    """Give the hours of a crew on each asset at most, and the hours of repair where nothing says them."""
    kind, nature = assets["kind"].to_numpy(str), assets["nature"].to_numpy(str)
    lines = network.lines
    aerial = assets.index.isin(lines.loc[lines["typ_imp"].isin(AERIAL), "asset"])
    known = assets.index.isin(lines.loc[lines["typ_imp"] != "", "asset"])
    at = {
        name: parameters.at(name, level)
        for name in (
            "nro.fire.repair_h", "pm.destroyed.repair_h", "closure.flood.repair_h", "pole.repair_h",
            "way.aerial.repair_h", "way.dig_up.repair_h", "crisis.nro.crew_h", "crisis.pm.crew_h",
        )
    }  # fmt: skip
    is_room = np.isin(kind, ("local", "site"))
    repair_h = np.select(
        [
            is_room & (nature == "PM"),
            is_room,
            kind == "ebp",
            (kind == "ptech") & (nature == "appui"),
            aerial & known,
            known,
        ],
        [
            at["pm.destroyed.repair_h"],
            at["nro.fire.repair_h"],
            at["closure.flood.repair_h"],
            at["pole.repair_h"],
            at["way.aerial.repair_h"],
            at["way.dig_up.repair_h"],
        ],
        default=max(at["way.aerial.repair_h"], at["way.dig_up.repair_h"]),
    )
    crew_h = np.select(
        [is_room & (nature == "PM"), is_room],
        [at["crisis.pm.crew_h"], at["crisis.nro.crew_h"]],
        default=np.inf,
    )
    return crew_h, repair_h


def _stages(assets: pd.DataFrame) -> NDArray[np.int64]:
    """Give the stage of repair of each asset: what feeds most comes first."""
    by_segment = assets["segment"].map(dict(zip(SEGMENTS, (0, 1, 3, 4), strict=True))).fillna(4)
    by_room = assets["nature"].map({"NRO": 0, "PM": 2})
    return np.asarray(by_room.fillna(by_segment), np.int64)
