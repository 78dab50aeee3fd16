"""What a measure is: works on some objects, and what they change at each level of parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.hazards import Hazard
from resilience.measures.catalogue import WORKS, Work
from resilience.parameters import Level

if TYPE_CHECKING:
    import networkx as nx

Int = NDArray[np.int32]


@dataclass(frozen=True)
class Situation:
    """What one level of parameters says of a network: who is served through what, and what fails.

    Attributes
    ----------
    graph : ServiceGraph
        The nominal one.
    asset_keys : (n_assets,) uint64
        See `resilience.loss.keys_of_assets`.
    failures, rates : DataFrame
        From `resilience.fragility.failure_probabilities` and `resilience.rates.annual_rates`.
    """

    graph: ServiceGraph
    asset_keys: NDArray[np.uint64]
    failures: pd.DataFrame
    rates: pd.DataFrame


@dataclass(frozen=True)
class Surroundings:
    """What is known around the network.

    Attributes
    ----------
    exposure : mapping of Level to DataFrame
        From `resilience.exposure.expose_levels`, on the same network, with its column ``hazard_kind``
        (without it all are depths): events that have a return period, and what has rates (clay).
    hazards : sequence of Hazard
        For second paths, which avoid the water; none = they do not.
    equipment : DataFrame or None
        Heights, as for `failure_probabilities`.
    roads : networkx.MultiDiGraph or None
        From `resilience.roads.road_graph`. Without roads second paths run in existing ducts only.
    joint : DataFrame or None
        Hazards that come together, from `resilience.same_event.joint_events`.
    owners : DataFrame or None
        kind, code, owner, from `gracethd.stock.lengths.asset_owners`: burying is split among them.
    works : mapping of str to Work
        The catalogue, from `resilience.measures.catalogue.works_of`.
    false_loops : frozenset of str
        Codes of the NRO whose loop is false, from `resilience.loops.loops`: a leg of each may be moved.
    """

    exposure: Mapping[Level, pd.DataFrame]
    hazards: Sequence[Hazard] = ()
    equipment: pd.DataFrame | None = None
    roads: "nx.MultiDiGraph[int] | None" = None
    joint: pd.DataFrame | None = None
    owners: pd.DataFrame | None = None
    false_loops: frozenset[str] = frozenset()
    works: Mapping[str, Work] = field(default_factory=lambda: WORKS)


@dataclass(frozen=True)
class Link:
    """A second path as the service graph sees it.

    Attributes
    ----------
    room, anchor : int
        Vertices of the nominal graph that it joins.
    relays : (n,) int64
        Vertices that pass light on to others; see `resilience.measures.links`.
    protects : (n,) int32
        Assets whose failure, alone, cuts the room today and no longer does.
    carriers : (n,) int32
        Assets of today on which the new path depends.
    dug_m : float
        New trench.
    wet : DataFrame
        hazard, scenario, return_period, wet_m: metres of that trench under water.
    replaces : (n,) int64
        Edges of the nominal graph that the works take away: those of a leg that goes another way.
    """

    room: int
    anchor: int
    relays: NDArray[np.int64]
    protects: Int
    carriers: Int
    dug_m: float
    wet: pd.DataFrame
    replaces: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True)
class Draft:
    """A measure before its effect is known.

    Attributes
    ----------
    mesure : str
        One of `resilience.measures.catalogue.WORKS`.
    objects : tuple of str
        Codes of the treated objects, sorted; with `mesure` they make the `action_id`.
    name : str
        What the label calls them.
    treated : (n,) int32
        Their assets, the one that gives the commune first.
    changed : (n,) int32
        Other assets whose failures change with the works (boxes on a pole line that is buried).
    geometry : shapely geometry or None
    length_m : float
    cost_eur : mapping of Level to float
        Before VAT.
    hypotheses : str
    link : Link or None
    ground_m : mapping of str to float
        Metres by the nature of the ground (`resilience.ground.NATURES`), where works follow one.
    is_named : bool
        True where `name` is the whole label, as the study has it.
    factors : mapping of str to float
        What remains of how often the treated objects fail, by mechanism, where the study says so itself.
    """

    mesure: str
    objects: tuple[str, ...]
    name: str
    treated: Int
    changed: Int
    geometry: shapely.geometry.base.BaseGeometry | None
    length_m: float
    cost_eur: Mapping[Level, float]
    hypotheses: str
    link: Link | None = None
    ground_m: Mapping[str, float] = field(default_factory=dict)
    is_named: bool = False
    factors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidates:
    """Measures that can be chosen, numbered by their row.

    Attributes
    ----------
    measures : GeoDataFrame
        One row per measure, sorted by action_id, RangeIndex: action_id, famille, mesure, libelle, objets,
        commune, epci, longueur_m, prises_secured, cost_eur_low, cost_eur_central, cost_eur_high,
        annee_prix, duree_mois, autorisations, maitre_ouvrage, financement, statut, criticite (largest of the
        treated objects, NaN unknown), priority (its label), hypotheses, duree_vie_ans, cout_vie_eur (present
        cost over that time, upkeep included), fourreau_m, accotement_m, chaussee_m, centre_m (metres by
        ground, where known), exige, exclut (action_id of those that it needs, and that cannot be done with
        it), geometry.
    failures, rates : mapping of Level to DataFrame
        Columns of `Situation.failures` and `Situation.rates`, and ``measure``: rows that stand in place
        of all rows of the same asset and mechanism once the measure is done. Asset ``n_assets + measure``
        is the new work itself.
    links : mapping of int to Link
        By measure.
    exclusions : (n, 2) int64
        Pairs of measures of which at most one can be chosen.
    requirements : (n, 2) int64
        Pairs (a, b): a can be chosen only with b.
    omitted : mapping of str to int
        By mesure, how many more could have been proposed and were left out, the least exposed ones.
    """

    measures: gpd.GeoDataFrame
    failures: Mapping[Level, pd.DataFrame]
    rates: Mapping[Level, pd.DataFrame]
    links: Mapping[int, Link]
    exclusions: NDArray[np.int64]
    requirements: NDArray[np.int64]
    omitted: Mapping[str, int]
