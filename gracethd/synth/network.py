"""The invented network as frames that no GraceTHD version shapes yet, and how to make one from an area."""

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.synth.area import Area
from gracethd.synth.assemble import assemble
from gracethd.synth.collecte import lay_collecte
from gracethd.synth.demand import place_demand
from gracethd.synth.layout import lay_distribution, lay_legs, lay_transport, lay_zones
from gracethd.synth.roads import lay_roads
from gracethd.synth.stations import place_stations


@dataclass(frozen=True)
class SynthNetwork:
    """An invented network; rows are numbered from 0 and refer to each other by these numbers.

    Attributes
    ----------
    area, seed, faults
        What it was made from.
    roads : GeoDataFrame
        nom, nature, importance, pont (number of the bridge or ""), geometry (LineString).
    places : GeoDataFrame
        nd_code, insee, kind (chambre|appui|facade|PM|NRO|POP), pt_code ("" at sites), geometry (Point).
    ways : GeoDataFrame
        cm_code, place1, place2, typ_imp, passage, typelog, voie, geometry; drops have none here.
    sites : DataFrame
        PM in zone order, then NRO, then feeds: kind, place, nom, st_code, lc_code, ba_code.
    zones : GeoDataFrame
        zs_code, zs_refpm, nro (rank), commune (rank), prises, level, version, shared_closure, geometry.
    boxes : DataFrame
        bp_code, place, typelog (BPE|PBO), zone (-1 above the PM).
    cables : DataFrame
        cb_code, layer (CO|TR|DI), net (zone, NRO or leg), nro of a leg, place1, place2, box1, box2 (-1 none),
        site1, site2 (-1 none), first, used, capacity, geometry; end 1 is the root side.
    cable_ways : DataFrame
        cable, way, rank along the cable.
    addresses : GeoDataFrame
        ad_code, nd_code, commune, numero, voie, box, zone, size, n_pro, geometry.
    legs : DataFrame
        One row per collecte leg, its number being `net` of its cables: nro (rank), protection.
    premises : DataFrame
        code, address, box, zone, slot (in its zone), is_pro, connected, has_way (of its drop).
    """

    area: Area
    seed: int
    faults: float
    roads: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    ways: gpd.GeoDataFrame
    sites: pd.DataFrame
    zones: gpd.GeoDataFrame
    boxes: pd.DataFrame
    cables: gpd.GeoDataFrame
    legs: pd.DataFrame
    cable_ways: pd.DataFrame = field(repr=False)
    addresses: gpd.GeoDataFrame = field(repr=False)
    premises: pd.DataFrame = field(repr=False)


def synthesise(area: Area, *, seed: int = 1, faults: float = 0.0) -> SynthNetwork:
    """Invent the network of an area: exactly its prises, the same one for the same area and seed.

    Parameters
    ----------
    area : Area
        From `read_area` or `random_area`.
    seed : int
    faults : float
        Share of rows to spoil when deliveries are written, 0 for none; the network itself stays sound.

    Examples
    --------
    >>> network = synthesise(random_area(500, seed=1), seed=1)
    >>> len(network.premises)
    500
    """
    roads = lay_roads(area, seed=seed)
    demand = place_demand(area, roads, seed=seed)
    stations = place_stations(area, roads, demand)
    zones = lay_zones(area, stations, demand)
    legs = lay_collecte(area, roads, stations)
    laid = [*lay_distribution(stations, demand, zones), *lay_transport(stations, zones)]
    plant = assemble(area, roads, demand, stations, zones, [*laid, *lay_legs(legs, stations)], seed=seed)
    truth = pd.DataFrame({"nro": [leg.nro for leg in legs]}, dtype=np.int64)
    truth["protection"] = [area.nros[leg.nro].protection for leg in legs]
    return SynthNetwork(area, seed, faults, legs=truth, **plant)
