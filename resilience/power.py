"""Power cuts: what falls because an NRO is without supply, apart from the homes that are without it anyway.

For crisis planning. An NRO lasts its batteries, then falls with all that it feeds and all that passes through
it; PMs need no power (`resilience.fragility`, mechanism ``nro.power``). A home inside the cut has no use of
its fibre until the mains are back, unless its own box is backed up: it is counted apart.
"""

import numpy as np
import pandas as pd

from gracethd.routes.types import Routes
from resilience.loss import event_losses_by_group, group_weights
from resilience.loss.draws import UInt64

INSIDE, OUTSIDE, UNKNOWN = "sans courant", "avec courant", "inconnu"
COLUMNS = (
    "hazard", "scenario", "homes_inside", "homes_outside", "homes_unknown", "prises_down_inside",
    "prises_down_outside", "prises_down_unknown", "prises_h_outside",
)  # fmt: skip


def power_cuts(
    routes: Routes,
    exposure: pd.DataFrame,
    failures: pd.DataFrame,
    *,
    asset_keys: UInt64,
    seed: int,
    draws: int = 1000,
) -> pd.DataFrame:
    """Count what each power cut takes down, inside and outside the area without power.

    Parameters
    ----------
    routes : Routes
    exposure : DataFrame
        From `resilience.exposure.expose` with its column ``hazard_kind``: rows of kind outage are read.
    failures : DataFrame
        From `failure_probabilities`, of one level.
    asset_keys, seed, draws
        As for `resilience.loss.event_losses`.

    Returns
    -------
    DataFrame
        One row per cut: hazard, scenario; homes_inside, homes_outside, homes_unknown (traced prises by the
        place of their PBO; unknown where it has none or is not mapped); prises_down_inside, _outside,
        _unknown (mean over the draws: those outside have power and lose their fibre all the same);
        prises_h_outside.
    """
    rows = []
    cuts = exposure[exposure["hazard_kind"] == "outage"]
    for (hazard, scenario), cut in cuts.groupby(["hazard", "scenario"], sort=True):
        at_box = cut[cut["kind"] == "ebp"].drop_duplicates("code").set_index("code")["intensity_max"]
        intensity = routes.prises["pbo"].map(at_box).to_numpy(np.float64)
        where = np.select([np.isnan(intensity), intensity > 0], [UNKNOWN, INSIDE], default=OUTSIDE)
        weights, names = group_weights(
            routes.prises.assign(power=where), "power", n_vertices=routes.nominal.n_vertices
        )
        of_cut = failures[(failures["hazard"] == hazard) & (failures["scenario"] == scenario)]
        losses = event_losses_by_group(
            routes.nominal, of_cut.assign(return_period=1.0), weights, names,
            asset_keys=asset_keys, seed=seed, draws=draws,
        ).set_index("group")  # fmt: skip
        homes = pd.Series(weights.sum(axis=0), index=names)
        down = losses["prises_down_mean"] if len(losses) else pd.Series(0.0, index=names)
        hours = losses["prises_h_mean"] if len(losses) else pd.Series(0.0, index=names)
        groups = (INSIDE, OUTSIDE, UNKNOWN)
        row = [hazard, scenario, *(int(homes.get(name, 0)) for name in groups)]
        rows.append([*row, *(float(down.get(name, 0.0)) for name in groups), float(hours.get(OUTSIDE, 0.0))])
    return pd.DataFrame(rows, columns=list(COLUMNS))
