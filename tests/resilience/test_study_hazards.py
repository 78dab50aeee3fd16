"""What the [[hazards]] of a study may say, and what is refused in its writer's words."""

import tomllib
from datetime import date
from math import isnan
from pathlib import Path

import pytest

from gracethd.errors import GraceTHDError
from resilience.hazards import OPEN_CLASS_M, WOODS_M, Hazard
from resilience.sections import Section
from resilience.study_hazards import read_hazards

TRI = """
[[hazards]]
name = "tri"
kind = "flood_depth"
unit = "m"
coverage = "perimetre.gpkg"
open_class_m = [0, 0.4, 1]
valid_on = 2026-01-31
fields = {low = "H1", high = "H2"}
where = {typ_inond = ["01", "03"], id_tri = "FRA"}
events = [
  {path = "n_iso_ht.shp", scenario = "04Fai"},
  {path = "n_iso_ht.shp", scenario = "01For", return_period = 15},
  {path = "vu.gpkg", observed = 2023-11-10, layer = "emprise"},
  {path = "n_iso_ht.shp", scenario = "02Moy"},
]
"""


SWEEP = '{path = "a.tif", from_m = 0, to_m = 1, step_m = 1}'


def hazards(text: str) -> tuple[Hazard, ...]:
    return read_hazards(Section("", tomllib.loads(text)), Path("/etude"))


def one(**keys: str) -> str:
    """Write one hazard, each key as TOML writes it; an empty one is left out."""
    given = {
        "name": '"crue"', "kind": '"flood_depth"', "unit": '"m"', "coverage": '"extent"',
        "events": '[{return_period = 20, path = "q20.tif"}]',
    } | keys  # fmt: skip
    return "[[hazards]]\n" + "\n".join(f"{key} = {value}" for key, value in given.items() if value)


def test_a_layer_with_scenarios() -> None:
    (tri,) = hazards(TRI)
    assert [event.scenario for event in tri.events] == ["01For", "02Moy", "04Fai", "observé 2023-11-10"]
    assert [event.return_period for event in tri.events[:3]] == [15.0, 100.0, 1000.0]
    assert isnan(tri.events[3].return_period)
    assert [event.select for event in tri.events] == ["01For", "02Moy", "04Fai", ""]
    assert tri.events[3].layer == "emprise"
    assert tri.events[0].path == Path("/etude/n_iso_ht.shp")
    assert tri.reading.where == {"typ_inond": ("01", "03"), "id_tri": ("FRA",)}
    assert tri.reading.fields == {"low": "H1", "high": "H2"}
    assert tri.reading.open_class_m == (0.0, 0.4, 1.0)
    assert tri.reading.valid_on == date(2026, 1, 31)


def test_what_is_not_said() -> None:
    (plain,) = hazards(one())
    assert plain.reading.open_class_m == OPEN_CLASS_M
    assert (plain.reading.valid_on, plain.reading.presence, plain.distance_m) == (None, None, 0.0)
    (wood,) = hazards(
        one(kind='"woods"', unit='"présence"', coverage='"valid"', events='[{path = "haies.gpkg"}]')
    )
    assert wood.distance_m == WOODS_M
    assert wood.events[0].scenario == "haies"


def test_classes_are_one_number_or_three() -> None:
    (coded,) = hazards(one(classes="{1 = 0.25, 2 = [0.5, 0.75, 1], F = 2}"))
    assert coded.reading.classes == {"1": (0.25,) * 3, "2": (0.5, 0.75, 1.0), "F": (2.0,) * 3}
    assert not coded.is_exact
    assert hazards(one())[0].is_exact


def test_a_rising_water() -> None:
    sweep = '{path = "q1000.tif", from_m = 0, to_m = 3, step_m = 0.5}'
    (depth,) = hazards(one(events="", sweep=sweep))
    assert [event.rise_m for event in depth.events] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert [event.scenario for event in depth.events[:2]] == ["+0 m", "+0.5 m"]
    over_ground = one(
        kind='"flood_level"', terrain='"mnt.tif"', events="", sweep="{from_m = 2, to_m = 2.3, step_m = 0.1}"
    )
    (level,) = hazards(over_ground)
    assert [event.scenario for event in level.events] == [
        "cote 2 m",
        "cote 2.1 m",
        "cote 2.2 m",
        "cote 2.3 m",
    ]
    assert {event.path for event in level.events} == {level.terrain}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"coverage": ""}, "coverage"),
        ({"events": '[{path = "a.shp", scenario = "Centennale"}]'}, "'Centennale'"),
        ({"events": '[{path = "a.tif"}]'}, "return_period"),
        ({"events": '[{path = "a.tif", return_period = 20, observed = 2020-01-01}]'}, "no return period"),
        ({"events": '[{path = "a.tif", observed = "2020"}]'}, "a date without quotes"),
        ({"events": '[{path = "/vsicurl/x/a.tif", return_period = 20}]'}, "not a plain file path"),
        ({"events": '[{path = "a.gpkg", return_period = 20}]'}, "perimeter"),
        ({"events": '[{path = "a.tif", return_period = 20, couche = "x"}]'}, "couche: unknown key"),
        ({"sweep": "{from_m = 0, to_m = 1, step_m = 0.5}"}, "keep one of them"),
        ({"events": "", "sweep": '{path = "a.tif", from_m = 0, to_m = 1, step_m = 0}'}, "steps above 0"),
        ({"events": "", "sweep": '{path = "a.tif", from_m = 0, to_m = 1, step_m = 1e-9}'}, "at most 1000"),
        ({"fields": '{depth = "h"}'}, "depth: unknown key"),
        ({"classes": "{1 = [1, 0.5, 2]}"}, "must rise from 0"),
        ({"classes": "{1 = [1, 2]}"}, "a list of 3 numbers"),
        ({"classes": '{1 = ["a", "b", "c"]}'}, "a number is expected"),
        ({"where": "{typ = []}"}, "a list of texts"),
        ({"open_class_m": "[0, 1]"}, "a list of 3 numbers"),
        ({"distance_m": "-1"}, "0 or more"),
        ({"kind": '"flood_level"'}, "elevation raster as terrain"),
        ({"terrain": '"mnt.tif"'}, "flood_level only"),
        ({"kind": '"gust"', "unit": '"m"'}, "'m/s'"),
        ({"kind": '"gust"', "unit": '"m/s"', "events": "", "sweep": SWEEP}, "only water rises"),
    ],
)  # fmt: skip
def test_what_is_refused(keys: dict[str, str], words: str) -> None:
    with pytest.raises(GraceTHDError) as caught:
        hazards(one(**keys))
    assert words in str(caught.value)
    assert "crue" in str(caught.value)
