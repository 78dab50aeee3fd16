"""Which rows of the network each delivery holds: one per PM zone, one per NRO transport, one for collecte."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.deliveries.write import WrittenVersion
from gracethd.synth.network import SynthNetwork
from gracethd.synth.roads import Ints

PartLayer = Literal["CO", "TR", "DI"]


@dataclass(frozen=True)
class Part:
    """The rows of one delivery, by their numbers in the network.

    `level` says what comes along: 1 cables, 2 ways and places too, 3 fibres and splices too.
    """

    name: str
    layer: PartLayer
    net: int
    version: WrittenVersion
    level: int
    cables: gpd.GeoDataFrame
    ways: gpd.GeoDataFrame
    cable_ways: pd.DataFrame
    places: gpd.GeoDataFrame
    boxes: pd.DataFrame
    sites: pd.DataFrame
    addresses: gpd.GeoDataFrame
    premises: pd.DataFrame
    limits: gpd.GeoDataFrame


def parts(network: SynthNetwork) -> Iterator[Part]:
    """Give the deliveries one by one (collecte, PM zones, transport), so that memory holds one at a time."""
    given = network.area.version
    layer = network.cables["layer"].to_numpy()
    net = network.cables["net"].to_numpy()
    if (layer == "CO").any():
        version: WrittenVersion = "2.0.1" if given == "mixed" else given
        yield _part(network, "COLLECTE", "CO", 0, version, 3, np.flatnonzero(layer == "CO"))
    for rank in range(len(network.zones)):
        zone = network.zones.iloc[rank]
        rows = np.flatnonzero((layer == "DI") & (net == rank))
        yield _part(
            network, f"DISTRIBUTION_{zone['zs_refpm']}", "DI", rank, zone["version"], int(zone["level"]), rows
        )
    for rank in range(len(network.area.nros)):
        turn: WrittenVersion = "3.0.1" if rank % 2 == 0 else "2.0.1"
        version = turn if given == "mixed" else given
        rows = np.flatnonzero((layer == "TR") & (net == rank))
        if len(rows):
            yield _part(network, f"TRANSPORT_{znro_code(network, rank)}", "TR", rank, version, 3, rows)


def znro_code(network: SynthNetwork, nro: int) -> str:
    """Give the code of the zone of an NRO."""
    site = network.sites.index[network.sites["kind"] == "NRO"][nro]
    return "ZN" + str(network.sites["st_code"].iloc[site])[2:]


def _part(
    network: SynthNetwork,
    name: str,
    layer: PartLayer,
    net: int,
    version: WrittenVersion,
    level: int,
    rows: Ints,
) -> Part:
    cables = network.cables.iloc[rows]
    # cables of one tree follow each other, and cable_ways follows cables
    bounds = np.searchsorted(network.cable_ways["cable"], [rows[0], rows[-1] + 1])
    chain = network.cable_ways.iloc[bounds[0] : bounds[1] if level >= 2 else bounds[0]]
    ways = network.ways.iloc[np.unique(chain["way"])]
    boxes = network.boxes.iloc[_known(cables["box1"], cables["box2"])]
    sites = network.sites.iloc[_known(cables["site1"], cables["site2"])]
    place = np.unique(np.concatenate([ways["place1"], ways["place2"], boxes["place"], sites["place"]]))
    zone = net if layer == "DI" else -1
    return Part(
        name=name,
        layer=layer,
        net=net,
        version=version,
        level=level,
        cables=cables,
        ways=ways,
        cable_ways=chain,
        places=network.places.iloc[place],
        boxes=boxes,
        sites=sites,
        addresses=network.addresses[network.addresses["zone"] == zone],
        premises=network.premises[network.premises["zone"] == zone],
        limits=_limits(network, layer, net),
    )


def _known(*columns: pd.Series) -> Ints:
    numbers = np.unique(np.concatenate([column.to_numpy() for column in columns]))
    return numbers[numbers >= 0]


def _limits(network: SynthNetwork, layer: PartLayer, net: int) -> gpd.GeoDataFrame:
    """Give the zones that a delivery draws: its own PM zone, or all those of its NRO."""
    if layer == "DI":
        return network.zones.iloc[[net]]
    if layer == "TR":
        return network.zones[network.zones["nro"] == net]
    return network.zones.iloc[:0]
