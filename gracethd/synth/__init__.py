"""Synthetic networks: invent an area or read one, lay a realistic network, write it as deliveries."""

from gracethd.synth.area import Area, Commune, Feed, Nro, random_area, read_area
from gracethd.synth.files import reference_layers, write_deliveries, write_layer, write_roads, write_synth
from gracethd.synth.network import SynthNetwork, synthesise

__all__ = [
    "Area",
    "Commune",
    "Feed",
    "Nro",
    "SynthNetwork",
    "random_area",
    "read_area",
    "reference_layers",
    "synthesise",
    "write_deliveries",
    "write_layer",
    "write_roads",
    "write_synth",
]
