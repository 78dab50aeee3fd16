"""Who is served from where: zones and their NRO, and the cables of the three layers laid in the streets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from gracethd.synth.area import Area
from gracethd.synth.collecte import Leg
from gracethd.synth.demand import Demand
from gracethd.synth.roads import Floats, Ints
from gracethd.synth.stations import Stations, route_tree, street_graph
from gracethd.synth.trees import Section, cut_tree

_MAX_DISTRIBUTION_FIBRES = 130
_CLOSURE_STEP_M = 2000.0
_COLLECTE_FIBRES = 12
_LEVELS = (3, 2, 3, 2, 2)


@dataclass(frozen=True)
class Laid:
    """A section with the tree that it belongs to."""

    layer: str
    net: int
    section: Section


def lay_zones(area: Area, stations: Stations, demand: Demand) -> pd.DataFrame:
    """Give one row per PM zone: its NRO is the nearest one by the streets."""
    distance = [
        route_tree(street_graph(stations, open_sites=(root,)), root)[0][stations.pm]
        for root in stations.nro.tolist()
    ]
    n = len(stations.pm)
    prises = np.bincount(demand.pbo_zone, demand.pbo_demand, minlength=n).astype(np.int64)
    commune = demand.zone_commune
    rank = np.arange(n) - np.searchsorted(commune, commune) + 1
    insee = np.array([place.insee for place in area.communes])[commune]
    level = np.resize(_LEVELS, n)
    if n > 1:
        level[int(np.argmin(prises))] = 1  # one zone comes without ways, as some deliveries do
    mixed = np.where(np.arange(n) % 2 == 0, "2.0.1", "3.0.1")
    return pd.DataFrame(
        {
            "zs_code": [f"ZS{code}{k:02d}" for code, k in zip(insee, rank, strict=True)],
            "zs_refpm": [f"PM-{code}-{k:02d}" for code, k in zip(insee, rank, strict=True)],
            "nro": np.argmin(distance, axis=0),
            "commune": commune,
            "prises": prises,
            "level": level,
            "version": mixed if area.version == "mixed" else np.full(n, area.version),
            "shared_closure": (level == 3) & (np.arange(n) % 5 == 2),
        }
    )


def lay_distribution(stations: Stations, demand: Demand, zones: pd.DataFrame) -> list[Laid]:
    """Lay the tree of each PM zone to its PBO; some zones start in a closure that transport shares."""
    graph = street_graph(stations)
    order = np.argsort(demand.pbo_zone, kind="stable")
    bounds = np.searchsorted(demand.pbo_zone[order], np.arange(len(zones) + 1))
    laid = []
    for zone, root in enumerate(stations.pm.tolist()):
        members = order[bounds[zone] : bounds[zone + 1]]
        wanted = dict(zip(stations.pbo[members].tolist(), demand.pbo_demand[members].tolist(), strict=True))
        distance, predecessor = _reaching(graph, root, stations.pbo[members])
        gate = [int(stations.pm_gate[zone])] if zones["shared_closure"].iloc[zone] else []
        sections = cut_tree(
            predecessor,
            distance,
            root,
            wanted,
            max_fibres=_MAX_DISTRIBUTION_FIBRES,
            max_length_m=np.inf,
            boxes=gate,
        )
        laid += [Laid("DI", zone, section) for section in sections]
    return laid


def _reaching(graph: csr_array, root: int, wanted: Ints) -> tuple[Floats, Ints]:
    """Search around a root no further than its zone needs: a whole network has a thousand of them."""
    limit = 4000.0
    while True:
        distance, predecessor = route_tree(graph, root, limit_m=limit)
        if np.isfinite(distance[wanted]).all():
            return distance, predecessor
        limit *= 4


def lay_transport(stations: Stations, zones: pd.DataFrame) -> list[Laid]:
    """Lay the tree of each NRO to its PM, with a closure at each parting and about every 2 km."""
    laid = []
    for nro, root in enumerate(stations.nro.tolist()):
        members = np.flatnonzero(zones["nro"] == nro)
        distance, predecessor = route_tree(street_graph(stations, open_sites=(root,)), root)
        fibres = np.where(zones["prises"].iloc[members] > 400, 36, 24)  # splitters of 32, direct lines, spare
        wanted = dict(zip(stations.pm[members].tolist(), fibres.tolist(), strict=True))
        gates = stations.pm_gate[members[zones["shared_closure"].iloc[members].to_numpy()]].tolist()
        sections = cut_tree(
            predecessor,
            distance,
            root,
            wanted,
            max_fibres=10**9,
            max_length_m=_CLOSURE_STEP_M,
            boxes=gates,
        )
        laid += [Laid("TR", nro, section) for section in sections]
    return laid


def lay_legs(legs: list[Leg], stations: Stations) -> list[Laid]:
    """Cut each collecte leg into cables, with a closure about every 2 km."""
    laid = []
    for rank, leg in enumerate(legs):
        path = np.array(leg.path)
        step = np.hypot(*np.diff(stations.xy[path], axis=0).T)
        distance, predecessor = np.zeros(len(stations.xy)), np.zeros(len(stations.xy), np.int64)
        distance[path[1:]], predecessor[path[1:]] = np.cumsum(step), path[:-1]
        sections = cut_tree(
            predecessor,
            distance,
            leg.path[0],
            {leg.path[-1]: _COLLECTE_FIBRES},
            max_fibres=10**9,
            max_length_m=_CLOSURE_STEP_M,
        )
        laid += [Laid("CO", rank, section) for section in sections]
    return laid
