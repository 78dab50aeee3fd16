"""How long repairs may take: hours drawn between low and high, and the bands that they put on the curve."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network import Network
from resilience.crisis.repair import with_drawn_hours
from resilience.crisis.replay import Works, curve_of, repaired
from resilience.crisis.timeline import RESTORED, hours_until_restored, prises_hours
from resilience.loss.draws import keys_of_assets, mix, text_keys

Float = NDArray[np.float64]
QUANTILES = (0.05, 0.5, 0.95)
N_HOURS = 101
_53_BITS = np.uint64(11)


def bands(works: Works, network: Network, *, seed: int, draws: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Play a scenario with drawn hours of repair.

    Each task draws its own hours, triangular between low and high with the mode at central; hours that the
    scenario or the event gives are certain. Draws depend on seed, scenario, draw and asset only, so that one
    more crew is compared in the same draws.

    Parameters
    ----------
    works : Works
    network : Network
    seed, draws : int

    Returns
    -------
    curve : DataFrame
        hour (`N_HOURS` from 0 to the last change in any draw), prises_down_p05, _p50, _p95.
    totals : DataFrame
        measure (prises_h, restored_50_h, restored_90_h, restored_99_h), p05, p50, p95 over the draws (inf
        where some prises never come back).
    """
    keys = keys_of_assets(network.assets.iloc[works.tasks["asset"]][["kind", "code"]])
    curves = []
    for draw in range(draws):
        start = mix(text_keys([f"{seed}/{works.scenario.name}/durees/{draw}"]))
        u = (mix(start ^ keys) >> _53_BITS).astype(np.float64) / 2.0**53
        tasks = with_drawn_hours(works.tasks, network, works.parameters, u)
        drawn = replace(works, tasks=tasks)
        curves.append(curve_of(drawn, repaired(drawn)))
    hour = np.linspace(0.0, max(float(curve["hour"].iloc[-1]) for curve in curves), N_HOURS)
    down = np.stack(
        [
            curve["prises_down"].to_numpy()[np.searchsorted(curve["hour"].to_numpy(), hour, side="right") - 1]
            for curve in curves
        ]
    )
    measures = {
        "prises_h": [prises_hours(curve) for curve in curves],
        **{
            f"restored_{share * 100:.0f}_h": [hours_until_restored(curve, share) for curve in curves]
            for share in RESTORED
        },
    }
    names = [f"p{q * 100:02.0f}" for q in QUANTILES]
    low, middle, high = np.quantile(down, QUANTILES, axis=0, method="inverted_cdf")
    totals = np.array([np.quantile(v, QUANTILES, method="inverted_cdf") for v in measures.values()])
    return (
        pd.DataFrame(
            {"hour": hour, "prises_down_p05": low, "prises_down_p50": middle, "prises_down_p95": high}
        ),
        pd.DataFrame({"measure": list(measures), **dict(zip(names, totals.T, strict=True))}),
    )
