"""What the [scenarios.NAME] tables of a study may say, and what is refused in its writer's words."""

import re
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from resilience.scenarios import ClosedRoads, FailureRule, NoAccess, Outage, Scenario
from resilience.sections import Section, StudyError, hours_of
from resilience.study_scenarios import read_scenarios

FULL = """
[crue]
title = "Crue et délestage"
start = 2026-11-26T19:00:00
order = "sites"
level = "high"
failures = [
  {objects = ["local:LC1", "ouvrage:PT1"], repair_h = 12},
  {hazard = "aa", event = "Q100", quantile = 0.95, at_h = 3},
  {kind = "ptech", nature = "appui", commune = "62001", polygon = "vent.gpkg", share = 0.1},
]
outages = [{zone_elec = "Z1", at_h = 1, hours = 2}]
no_access = [{polygon = "eau.gpkg", until_h = 72}]
"""


def scenarios(text: str) -> dict[str, Scenario]:
    return dict(read_scenarios(Section("scenarios", tomllib.loads(text)), Path("/etude")))


def test_a_full_scenario_is_read_as_it_is_written() -> None:
    assert scenarios(FULL)["crue"] == Scenario(
        name="crue",
        title="Crue et délestage",
        start=datetime(2026, 11, 26, 19, 0),  # noqa: DTZ001 - local time, as people plan an exercise
        failures=(
            FailureRule(objects=("local:LC1", "ouvrage:PT1"), repair_h=12.0),
            FailureRule(hazard="aa", event="Q100", quantile=0.95, at_h=3.0),
            FailureRule(
                kind="ptech", nature="appui", commune="62001", polygon=Path("/etude/vent.gpkg"), share=0.1
            ),
        ),
        outages=(Outage("Z1", 1.0, 2.0),),
        no_access=(NoAccess(Path("/etude/eau.gpkg"), 72.0),),
        order="sites",
        level="high",
    )


def test_the_smallest_scenario_names_an_object() -> None:
    told = scenarios('[feu_nro]\nfailures = [{objects = ["local:LC1"]}]')["feu_nro"]
    assert (told.title, told.order, told.level, told.start) == ("feu nro", "collecte", "central", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]", "scenarios.a: nothing happens"),
        ('["../a"]\nfailures = [{objects = ["cable:C"]}]', r"'\.\./a' names files"),
        ('[a]\nfailures = [{objects = ["cable:C"], kind = "cable"}]', "objects and a selection is given"),
        ("[a]\nfailures = [{at_h = 1}]", "nothing is given"),
        ('[a]\nfailures = [{objects = ["C"]}]', "objects are written kind:code"),
        ('[a]\nfailures = [{kind = "cables"}]', "kind: one of 'cable'"),
        ('[a]\nfailures = [{kind = "cable", share = 1.5}]', "share: 1.5; give a share above 0"),
        ('[a]\nfailures = [{kind = "cable", quantile = 0.5}]', "quantile: goes with something else"),
        ('[a]\nfailures = [{hazard = "crue"}]', "event: a text is expected"),
        ('[a]\nfailures = [{objects = ["cable:C"], at_h = -1}]', "at_h: -1 h; give 0 hours or more"),
        ('[a]\noutages = [{zone_elec = "Z", hours = 0}]', "an outage lasts longer than 0 hours"),
        ('[a]\noutages = [{zone_elec = "Z", hours = 1}]\nordre = "sites"', "did you mean 'order'"),
        ('[a]\nstart = "hier"\noutages = [{zone_elec = "Z", hours = 1}]', "start: a date and time"),
        ('[a]\nno_access = [{polygon = "a.gpkg"}]\noutages = [{zone_elec = "Z", hours = 1}]', "until_h"),
    ],
)
def test_what_cannot_be_played_is_refused(text: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        scenarios(text)


def test_times_are_written_as_people_write_them() -> None:
    assert [hours_of(text, "--at") for text in ("6h", "90min", "2j", "1,5", " 0 h")] == [6, 1.5, 48, 1.5, 0]
    with pytest.raises(StudyError, match="--at: 'demain' is not a time; write it as 6h"):
        hours_of("demain", "--at")


def test_the_ready_scenarios_of_the_documentation_are_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    read = [read_scenarios(Section("scenarios", tomllib.loads(text)["scenarios"]), Path()) for text in blocks]
    ready = {name: scenario for part in read for name, scenario in part.items()}
    assert len(ready) == 12
    assert ready["crue_100"].closed_roads == ClosedRoads("crue", "Q100", 72.0)
    assert ready["crue_100"].draws == 200
    assert ready["appuis_d_un_tiers"].failures[0].owner == "Énergie fictive"
    assert [one.at_h for one in ready["delestage"].outages] == [0, 2, 4]
