"""A rising water told step by step: what it takes down, which object gives way first, where it matters.

For the crisis unit that watches a gauge: at each level, what is out of service if each object stands until
its failure is more likely than not.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gracethd.network import Network
from gracethd.routes import Routes
from resilience.exposure import expose
from resilience.fragility import failure_probabilities
from resilience.hazards import Hazard, with_kinds
from resilience.losses import index_graph, losses_of_assets, losses_of_sets
from resilience.parameters import Parameters
from resilience.spof import class_limits

LIKELY = 0.5
"""An object is taken to fail from the level at which it does more likely than not (central parameters)."""
COLUMNS = (
    "hazard", "scenario", "rise_m", "n_down", "n_more", "first_object", "first_prises", "prises_down",
    "prises_more", "prises_stranded", "gravite", "is_threshold",
)  # fmt: skip


def rising_waters(
    hazards: Sequence[Hazard],
    network: Network,
    routes: Routes,
    tables: Mapping[str, pd.DataFrame],
    parameters: Parameters,
    *,
    wet_from_m: float = 0.0,
) -> pd.DataFrame:
    """Tell what each step of each rising water of a study takes down.

    Parameters
    ----------
    hazards : sequence of Hazard
        Of the study; those that do not rise by steps (``sweep``) are left out.
    network, routes : Network, Routes
    tables : mapping of str to DataFrame
        Of use here: equipements (heights), groupes.
    parameters : Parameters
    wet_from_m : float
        Depth from which an object counts as wet.

    Returns
    -------
    DataFrame
        One row per hazard and step, by level: hazard, scenario (the step), rise_m; n_down, objects that fail
        there, n_more of them not at the step before; first_object (``kind:code``), of these the most likely
        to fail, and among several the one that cuts most alone (first_prises); prises_down and
        prises_stranded, exact, of all that fail together, prises_more than at the step before; gravite (1 to
        4 by prises_down, 0 = none) and is_threshold, where it rises.

    Examples
    --------
    >>> rising_waters(study.hazards, network, routes, {}, study.parameters)  # doctest: +SKIP
    """
    rising = [hazard for hazard in hazards if any(event.rise_m for event in hazard.events)]
    if not rising:
        return pd.DataFrame(columns=list(COLUMNS))
    exposure = expose(network, rising, wet_from_m=wet_from_m, level="central")
    failures = failure_probabilities(
        network, with_kinds(exposure, rising), parameters, "central",
        equipment=tables.get("equipements"), groups=tables.get("groupes"),
    )  # fmt: skip
    likely = failures[failures["p"] >= LIKELY]
    likely = likely.sort_values("p", ascending=False, kind="stable")
    likely = likely.drop_duplicates(["hazard", "scenario", "asset"])
    nominal = index_graph(routes.nominal, routes.nominal.prises[:, None])
    physical = index_graph(routes.physical, routes.physical.prises[:, None])
    alone = losses_of_assets(nominal)[:, 0]
    name = (network.assets["kind"] + ":" + network.assets["code"]).to_numpy(dtype=object)
    rows: list[tuple[object, ...]] = []
    limits = class_limits("gravite", "prises", parameters)
    for hazard in rising:
        before, down_before, level_before = np.empty(0, np.int64), 0, 0
        for event in sorted(hazard.events, key=lambda event: event.rise_m):
            of_step = likely["hazard"].eq(hazard.name) & likely["scenario"].eq(event.scenario)
            here = likely[of_step].set_index("asset")["p"]
            out = np.sort(here.index.to_numpy(np.int64))
            sets, members = np.array([0, len(out)]), out.astype(np.int32)
            down, stranded = (
                int(losses_of_sets(index, sets, members)[0, 0]) for index in (nominal, physical)
            )
            more = here[~here.index.isin(before)]
            first = max(more.index, key=lambda asset: (more[asset], alone[asset], -asset), default=-1)
            level = int(np.searchsorted(limits, down, side="right") + (down > 0))
            rows.append(
                (
                    hazard.name, event.scenario, event.rise_m, len(out), len(more),
                    name[first] if first >= 0 else "", int(alone[first]) if first >= 0 else 0,
                    down, down - down_before, stranded, level, level > level_before,
                )
            )  # fmt: skip
            before, down_before, level_before = out, down, max(level, level_before)
    return pd.DataFrame(rows, columns=list(COLUMNS))
