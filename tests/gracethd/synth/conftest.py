"""Networks that the tests of `gracethd.synth` share."""

from pathlib import Path

import pandas as pd
import pytest

from gracethd.synth import Area, Commune, Feed, Nro, SynthNetwork, read_area, synthesise
from gracethd.synth.parts import Part, parts
from gracethd.synth.tables import delivery_tables

EXAMPLE = Path(__file__).resolve().parents[3] / "data" / "exemple" / "area.toml"

Delivered = list[tuple[Part, dict[str, pd.DataFrame]]]


@pytest.fixture(scope="session")
def example_area() -> Area:
    return read_area(EXAMPLE)


@pytest.fixture(scope="session")
def example(example_area: Area) -> SynthNetwork:
    return synthesise(example_area, seed=1)


@pytest.fixture(scope="session")
def example_tables(example: SynthNetwork) -> Delivered:
    return [(part, delivery_tables(example, part)) for part in parts(example)]


def small_area(version: str = "mixed") -> Area:
    """Two looped NRO and a third one on a false loop, on both banks.

    ::

        POP1 -- [A] -------- [B] -- POP2
                  |            |
        ~~~~~~~~ bridge ~~~~~~~~~~~~~~~~  river
                  |
                 [C]   both legs over one bridge
    """
    return Area(
        nom="petite zone (inventée)",
        epsg=2154,
        version=version,  # type: ignore[arg-type]
        prises_per_pm=60,
        communes=(
            Commune("S0001", "Amont", "62999", 650_000.0, 7_060_000.0, 130),
            Commune("S0002", "Aval", "62999", 653_000.0, 7_060_100.0, 120),
            Commune("S0003", "Rive", "62999", 651_600.0, 7_058_000.0, 70),
            Commune("S0004", "Côte", "62999", 651_300.0, 7_062_000.0, 40),
        ),
        nros=(
            Nro("NRO A", 650_000.0, 7_060_000.0, "boucle"),
            Nro("NRO B", 653_000.0, 7_060_100.0, "boucle"),
            Nro("NRO C", 651_600.0, 7_058_000.0, "fausse_boucle"),
        ),
        feeds=(
            Feed("POP 1", "Opérateur 1 (fictif)", 648_500.0, 7_060_500.0),
            Feed("POP 2", "Opérateur 2 (fictif)", 654_600.0, 7_060_700.0),
        ),
        river=((647_000.0, 7_058_900.0), (651_500.0, 7_059_050.0), (656_000.0, 7_058_800.0)),
    )


@pytest.fixture(scope="session")
def small() -> SynthNetwork:
    return synthesise(small_area(), seed=3)
