"""One crisis played again with other crews, stock or hours: what comparisons between them are made of."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from resilience.crisis.dispatch import dispatch
from resilience.crisis.timeline import prises_down, spans
from resilience.losses import LossIndex
from resilience.parameters import Parameters
from resilience.scenarios import Scenario

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Works:
    """All that the repair of one scenario follows from.

    Attributes
    ----------
    scenario : Scenario
    parameters : Parameters
    failures : DataFrame
        From `resilience.crisis.failing.failed_assets`.
    tasks : DataFrame
        From `resilience.crisis.repair.repair_tasks`.
    crews : DataFrame or None
    stock : DataFrame
        From `resilience.crisis.resources`.
    access_h : (n_crews, n_tasks) float64 or None
        From `resilience.crisis.access.access_hours`; None for straight lines.
    index : LossIndex
        Of the nominal graph, for the prises.
    """

    scenario: Scenario
    parameters: Parameters
    failures: pd.DataFrame
    tasks: pd.DataFrame
    crews: pd.DataFrame | None
    stock: pd.DataFrame
    access_h: Float | None
    index: LossIndex


def repaired(works: Works) -> pd.DataFrame:
    """Say who does which task when, by the rule of the scenario.

    Generators are sent only where the stock speaks of them.

    Returns
    -------
    DataFrame
        From `resilience.crisis.dispatch.dispatch`.
    """
    keep = (works.tasks["stock"] != "groupe").to_numpy() | ("groupe" in set(works.stock["stock"]))
    return dispatch(
        works.tasks[keep].reset_index(drop=True), works.crews, works.parameters, works.stock,
        access_h=None if works.access_h is None else works.access_h[:, keep],
        order=works.scenario.order, level=works.scenario.level,
    )  # fmt: skip


def curve_of(works: Works, done: pd.DataFrame) -> pd.DataFrame:
    """Count the prises without service, hour by hour; see `resilience.crisis.timeline.prises_down`."""
    return prises_down(works.index, spans(works.failures, done))
