"""What one more crew, generator, cabinet... would have saved: the worth of being better prepared."""

from dataclasses import replace

import numpy as np
import pandas as pd

from resilience.crisis.replay import Works, curve_of, repaired
from resilience.crisis.resources import STOCK
from resilience.crisis.timeline import hours_until_restored, prises_hours


def one_more(works: Works) -> pd.DataFrame:
    """Play a scenario again with one more of each resource, each alone.

    The crew has every skill and the depot of the first one; of cable it is the length that a cut takes.

    Parameters
    ----------
    works : Works

    Returns
    -------
    DataFrame
        resource ("" for what there is, equipe, or a kind of stock that some task takes), more (metres or
        pieces), prises_h, prises_h_saved, restored_99_h (inf: never), prises_never (that never come back);
        the most saved first. prises_h and what is saved are NaN where some prises never come back. No row
        for crews without limit.
    """
    columns = ["resource", "more", "prises_h", "prises_h_saved", "restored_99_h", "prises_never"]
    if works.crews is None or works.tasks.empty:
        return pd.DataFrame(columns=columns)
    metres = works.parameters.at("crisis.cut.cable_m", works.scenario.level)
    taken = set(works.tasks["stock"])
    kinds = [
        kind for kind in STOCK if kind in taken and (kind == "groupe" or kind in set(works.stock["stock"]))
    ]
    cases = [("", 0.0, works), ("equipe", 1.0, _with_crew(works))]
    for kind in kinds:
        more = metres if kind == "cable_m" else 1.0
        cases.append((kind, more, _with_stock(works, kind, more)))
    rows = [(name, more, *_told(case)) for name, more, case in cases]
    table = pd.DataFrame(rows, columns=["resource", "more", "prises_h", "restored_99_h", "prises_never"])
    table["prises_h"] = table["prises_h"].where(np.isfinite(table["prises_h"]))
    table["prises_h_saved"] = table["prises_h"].iloc[0] - table["prises_h"]
    now, others = table.iloc[:1], table.iloc[1:]
    best = others.sort_values(["prises_never", "prises_h_saved"], ascending=[True, False], kind="stable")
    return pd.concat([now, best], ignore_index=True)[columns]


def _told(works: Works) -> tuple[float, float, int]:
    curve = curve_of(works, repaired(works))
    return prises_hours(curve), hours_until_restored(curve, 0.99), int(curve["prises_down"].iloc[-1])


def _with_crew(works: Works) -> Works:
    assert works.crews is not None
    more = works.crews.iloc[:1].assign(crew=len(works.crews) + 1, skill="", from_h=0.0)
    access_h = None if works.access_h is None else np.vstack([works.access_h, works.access_h[:1]])
    crews = pd.concat([works.crews, more], ignore_index=True)
    return replace(works, crews=crews, access_h=access_h)


def _with_stock(works: Works, kind: str, quantity: float) -> Works:
    more = pd.DataFrame({"stock": [kind], "hour": [0.0], "quantity": [quantity]})
    return replace(works, stock=pd.concat([works.stock, more], ignore_index=True))
