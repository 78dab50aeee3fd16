"""Proposing measures: drafts of every family where the network is exposed, with their effects worked out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.ground import build_ground
from resilience.loss import keys_of_assets, losses_by_asset
from resilience.losses import LossIndex, index_graph, losses_of_assets
from resilience.measures.burying import burying_drafts
from resilience.measures.effects import gather
from resilience.measures.legs import moved_leg_drafts
from resilience.measures.loops import rooms_and_feeds, second_path_drafts
from resilience.measures.organisation import organisation_drafts
from resilience.measures.own import without_replaced
from resilience.measures.secured import prises_secured
from resilience.measures.sites import limited, room_drafts
from resilience.measures.types import Candidates, Draft, Situation, Surroundings
from resilience.parameters import LEVELS, Level, Parameters

MOST = 30
"""Candidates of each kind of works that are looked at; the least exposed ones beyond are counted."""


def situations(
    network: Network,
    routes: Routes,
    failures: Mapping[Level, pd.DataFrame],
    rates: Mapping[Level, pd.DataFrame],
) -> dict[Level, Situation]:
    """Put together, for each level, what `propose` and `resilience.plan.choose` start from.

    Parameters
    ----------
    network, routes
    failures, rates : mapping of Level to DataFrame
        From `failure_probabilities` and `annual_rates`.
    """
    keys = keys_of_assets(network.assets)
    return {level: Situation(routes.nominal, keys, failures[level], rates[level]) for level in LEVELS}


def propose(
    network: Network,
    routes: Routes,
    spof: pd.DataFrame,
    today: Mapping[Level, Situation],
    parameters: Parameters,
    around: Surroundings,
    *,
    own: Sequence[Draft] = (),
    most: int = MOST,
) -> Candidates:
    """Propose measures of the three families for the rooms, séries and first paths that are exposed.

    Rooms that a flood reaches are raised or walled in, NRO get fire detection, street cabinets bollards or a
    lock; aerial ways are buried along one road, in one commune and of one owner; NRO and PM that one object
    alone can cut (a false loop is one) get a second path, and a false loop one leg that leaves
    what both share. Of each kind the `most` exposed ones are kept:
    those whose treated objects cost most prises·h a year when they fail alone.

    Parameters
    ----------
    network, routes
    spof : DataFrame
        The full table: kind, code, commune, epci, criticite and serie are read.
    today : mapping of Level to Situation
        From `situations`.
    parameters : Parameters
    around : Surroundings
    own : sequence of Draft
        Works of the study itself, from `resilience.measures.own.own_drafts`; they stand in place of those
        that would be proposed on the same objects, and are all kept.
    most : int

    Returns
    -------
    Candidates
        Sorted by action_id; `prises_secured` are the traced prises behind the treated objects (for a second
        path: behind the room) for which a failure goes away or becomes rarer, each once.
    """
    central = today["central"]
    graph = central.graph
    index = index_graph(graph, graph.prises[:, None])
    exposed = _exposed(central, index)
    cut = losses_of_assets(index)[:, 0]
    drafts, omitted = limited(room_drafts(network, today, cut, parameters), exposed, most)
    drafts += organisation_drafts(network, spof, today, cut, parameters)
    lines, other_lines = burying_drafts(
        network, spof, parameters, exposed=exposed, most=most, owners=around.owners
    )
    ground = build_ground(network, roads=around.roads, hazards=around.hazards)
    ends = rooms_and_feeds(network, routes, graph, index)
    paths, other_paths = second_path_drafts(
        network, index, ends, ground, parameters, exposed=exposed, most=most
    )
    paths += moved_leg_drafts(
        network, routes, index, ends, ground, parameters, false_loops=around.false_loops
    )
    wanted = [draft for draft in (*drafts, *lines, *paths) if around.works[draft.mesure].is_proposed]
    candidates = gather(
        [*without_replaced(wanted, own), *own], network, spof, today, parameters, around,
        omitted=omitted | other_lines | other_paths,
    )  # fmt: skip
    secured = prises_secured(central, candidates, index)
    return replace(candidates, measures=candidates.measures.assign(prises_secured=secured))


def _exposed(central: Situation, index: LossIndex) -> NDArray[np.float64]:
    """Give the prises·h per year that each asset costs when it fails alone, which is exact without draws."""
    table = losses_by_asset(
        central.graph, central.failures, central.rates,
        asset_keys=central.asset_keys, seed=0, draws=1, index=index,
    )  # fmt: skip
    exposed = np.zeros(central.graph.n_assets)
    exposed[table["asset"]] = table["prises_h_alone_per_year"]
    return exposed
