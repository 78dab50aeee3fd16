"""What has to be repaired: one task an asset, with its hours of work and what it takes from the stock."""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.network import Network
from gracethd.network.build import SEGMENTS
from gracethd.outputs.drawing import standing_points
from resilience.crisis.failing import within
from resilience.losses import LossIndex, behind_losses_of_assets, lost_vertices, with_weights
from resilience.parameters import LEVELS, Level, Parameters
from resilience.rates import AERIAL
from resilience.scenarios import Scenario

Float = NDArray[np.float64]
TASK_COLUMNS = (
    "asset", "failed_at_h", "ready_h", "crew_h", "skill", "stock", "quantity", "back_at_h", "x", "y",
    "prises_behind", "sites_behind", "stage", "given_h", "open_h",
)  # fmt: skip


def repair_tasks(
    failures: pd.DataFrame,
    scenario: Scenario,
    network: Network,
    parameters: Parameters,
    index: LossIndex,
    weights: NDArray[np.int64],
) -> pd.DataFrame:
    """Give one task for each asset that somebody has to repair, and for each NRO that wants a generator.

    Hours of work come from the scenario, else from the event that broke the asset, else from the parameters
    of what it is: ``nro.fire`` and ``pm.destroyed`` for rooms and sites, ``closure.flood`` for boxes,
    ``pole.repair_h`` for poles, ``way.aerial`` or ``way.dig_up`` (the longer where the mounting is unknown)
    for all the rest. Of the repair time of an NRO or a PM, ``crisis.*.crew_h`` are work and the rest is
    waiting. From the stock a line takes ``crisis.cut.cable_m`` of cable at most (of each cable in a way), a
    pole a pole, a PM a cabinet, an NRO a mobile NRO. An NRO that waits for the mains wants a generator from
    the moment they are gone, as long as it would still be of use.

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
        (of `resilience.crisis.resources.SKILLS`), stock, quantity (what it takes; "" and 0 for nothing),
        back_at_h (of generators: when the mains are back; else NaN), x, y (in the CRS of the network, NaN
        without a place), prises_behind, sites_behind (int64: those
        without service that the asset has on a route of theirs, when everything has failed), stage
        (0 collecte and NRO, 1 transport, 2 PM, 3 distribution, 4 raccordement and the rest), given_h (hours
        of repair that the scenario or the event gives, else NaN), open_h (when one can go there).

    Raises
    ------
    GraceTHDError
        Areas without access that cannot be read.
    """
    tasks = pd.concat(
        [_broken(failures, network, parameters, scenario), _dark(failures, parameters, scenario)]
    )
    tasks = tasks.reset_index(drop=True).astype({"asset": np.int32})
    assets = network.assets.iloc[tasks["asset"]]
    cable_m = parameters.at("crisis.cut.cable_m", scenario.level)
    tasks["stock"], tasks["quantity"] = _taken(tasks, network, cable_m)
    shapes = assets.geometry.to_numpy()
    tasks["open_h"] = 0.0
    for area in scenario.no_access:
        closed = within(shapes, area.polygon, assets.crs, f"scenarios.{scenario.name}.no_access")
        tasks["open_h"] = tasks["open_h"].where(~closed, np.maximum(tasks["open_h"], area.until_h))
    tasks["ready_h"] = np.maximum(tasks["ready_h"], tasks["open_h"])
    points = standing_points(shapes)
    tasks["x"], tasks["y"] = shapely.get_x(points), shapely.get_y(points)
    nature = assets["nature"].to_numpy(str)
    tasks["skill"] = np.select([nature == "NRO", nature == "PM"], ["nro", "pm"], default="ligne")
    down = lost_vertices(index, failures["asset"].to_numpy())
    behind = behind_losses_of_assets(with_weights(index, weights * down[:, None]))[tasks["asset"]]
    tasks["prises_behind"], tasks["sites_behind"] = behind.T
    tasks["stage"] = _stages(assets)
    return tasks[list(TASK_COLUMNS)]


def with_drawn_hours(
    tasks: pd.DataFrame, network: Network, parameters: Parameters, u: NDArray[np.float64]
) -> pd.DataFrame:
    """Give the tasks with other hours: triangular between low and high, mode at central.

    Parameters
    ----------
    tasks : DataFrame
        From `repair_tasks`.
    network, parameters
    u : (n_tasks,) float64
        Place in the distribution of the hours of each task, from 0 to 1.

    Returns
    -------
    DataFrame
        `tasks` with other crew_h and ready_h; hours that are given stay.
    """
    assets = network.assets.iloc[tasks["asset"]]
    work, repair = np.array(
        [_hours_of_work(network, assets, parameters, level) for level in LEVELS]
    ).transpose(1, 0, 2)  # fmt: skip
    work_h, default_h = triangular(work, u), triangular(repair, u)
    drawn = _with_hours(tasks, tasks["given_h"].fillna(pd.Series(default_h, tasks.index)).to_numpy(), work_h)
    brought = np.array([[parameters.at("crisis.generator.crew_h", level)] * len(u) for level in LEVELS])
    is_generator = tasks["back_at_h"].notna()
    return tasks.assign(
        crew_h=drawn["crew_h"].where(~is_generator, triangular(brought, u)),
        ready_h=drawn["ready_h"].clip(lower=tasks["open_h"]).where(~is_generator, tasks["ready_h"]),
    )


def triangular(levels: Float, u: Float) -> Float:
    """Give the quantiles `u` of triangular distributions, (n,); `levels` (3, n) holds low, central, high.

    Examples
    --------
    >>> triangular(np.array([[0.0], [1.0], [2.0]]), np.array([0.5]))
    array([1.])
    """
    low, mode, high = levels
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = high - low
        below = low + np.sqrt(u * wide * (mode - low))
        above = high - np.sqrt((1 - u) * wide * (high - mode))
        drawn = np.where(u * wide < mode - low, below, above)
    return np.where(wide > 0, drawn, mode)  # also where all are infinite: wide is no number


def _with_hours(tasks: pd.DataFrame, repair_h: Float, work_h: Float) -> pd.DataFrame:
    crew_h = np.minimum(work_h, repair_h)
    return tasks.assign(crew_h=crew_h, ready_h=tasks["failed_at_h"] + repair_h - crew_h)


def _broken(
    failures: pd.DataFrame, network: Network, parameters: Parameters, scenario: Scenario
) -> pd.DataFrame:
    broken = failures[failures["back_at_h"].isna()]
    tasks = broken.groupby("asset", as_index=False).agg(
        failed_at_h=("failed_at_h", "min"), given_h=("repair_h", "max")
    )
    assets = network.assets.iloc[tasks["asset"]]
    work_h, default_h = _hours_of_work(network, assets, parameters, scenario.level)
    repair_h = tasks["given_h"].fillna(pd.Series(default_h)).to_numpy(np.float64)
    return _with_hours(tasks, repair_h, work_h).assign(back_at_h=np.nan)


def _dark(failures: pd.DataFrame, parameters: Parameters, scenario: Scenario) -> pd.DataFrame:
    """Give the NROs that wait for the mains, longest wait first counted once."""
    waits = failures[failures["back_at_h"].notna()].sort_values("back_at_h", kind="stable")
    waits = waits.drop_duplicates("asset", keep="last").sort_values("asset", kind="stable")
    crew_h = parameters.at("crisis.generator.crew_h", scenario.level)
    return waits.assign(ready_h=waits["cut_at_h"], crew_h=crew_h, given_h=np.nan)


def _taken(tasks: pd.DataFrame, network: Network, cable_m: float) -> tuple[NDArray[np.str_], Float]:
    """Give what each task takes from the stock, and how much; a place takes one cabinet or mobile NRO."""
    assets = network.assets.iloc[tasks["asset"]]
    kind, nature = assets["kind"].to_numpy(str), assets["nature"].to_numpy(str)
    is_room = np.isin(kind, ("local", "site"))
    stock = np.select(
        [
            tasks["back_at_h"].notna(),
            is_room & (nature == "PM"),
            is_room & (nature == "NRO"),
            (kind == "ptech") & (nature == "appui"),
            np.isin(kind, ("cable", "cheminement", "conduite")),
        ],
        ["groupe", "armoire", "nro_mobile", "poteau", "cable_m"],
        default="",
    )
    cables = network.uses.drop_duplicates(["carrier", "carried"])["carrier"].value_counts()
    n_cables = np.where(kind == "cable", 1, assets.index.to_series().map(cables).fillna(0))
    metres = np.minimum(assets["length_m"].to_numpy(np.float64), cable_m) * n_cables
    quantity = np.where(stock == "cable_m", np.ceil(metres), stock != "")
    # the room before its site, whatever the order of assets
    same = pd.DataFrame({"stock": stock, "place": assets["nd_code"].to_numpy(), "kind": kind, "q": quantity})
    twice = same.sort_values("kind", kind="stable").duplicated(["stock", "place"]).sort_index().to_numpy()
    quantity = np.where(np.isin(stock, ("armoire", "nro_mobile")) & twice, 0.0, quantity)
    return np.where(quantity > 0, stock, ""), quantity


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
