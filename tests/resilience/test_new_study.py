"""The study that `resilience init` writes, and the schema beside it."""

import json
import re
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.new_study import SCHEMA_FILE, study_text, write_study
from resilience.study import KEYS, LOSS_KEYS, StudyError, TableName, load_study
from resilience.study_hazards import EVENT_KEYS
from resilience.study_hazards import KEYS as HAZARD_KEYS
from resilience.study_outages import KEYS as OUTAGE_KEYS
from resilience.study_scenarios import FAILURE_KEYS
from resilience.study_scenarios import KEYS as SCENARIO_KEYS
from resilience.study_schema import study_schema
from resilience.tables import SCHEMAS
from tests.resilience.small_network import small_network

DAY = date(2026, 12, 1)
EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "exemple" / "etude.toml"


@pytest.fixture(scope="module")
def small() -> tuple[Network, Routes]:
    return small_network()


def of(schema: dict[str, object], *keys: str) -> dict[str, object]:
    """Go down a schema by properties, and into the items of arrays."""
    for key in keys:
        schema = schema["properties"][key]  # type: ignore[index]
        schema = schema.get("items", schema)  # type: ignore[assignment]
    return schema


def test_the_new_study_loads_and_names_the_largest_nro(small: tuple[Network, Routes], tmp_path: Path) -> None:
    (tmp_path / "livraisons").mkdir()
    for number in range(7):
        (tmp_path / "livraisons" / f"L{number}.zip").touch()
    sources = [str(path) for path in (tmp_path / "livraisons").iterdir()]
    routes = replace(small[1], rooms=small[1].rooms.assign(prises=[5, 9, 5, 9]))
    path = tmp_path / "etudes" / "etude.toml"
    path.parent.mkdir()
    write_study(sources, routes, path, day=DAY)
    assert 'inventory = ["../livraisons/*.zip"]' in path.read_text(encoding="utf-8")
    study = load_study(path)
    assert len(study.inventory) == 7
    assert study.budget is None
    assert study.scenarios["incendie_nro"].failures[0].objects == ("local:LN2",)
    schema = json.loads((path.parent / SCHEMA_FILE).read_text(encoding="utf-8"))
    jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), schema)
    with pytest.raises(StudyError, match="this file exists"):
        write_study(sources, routes, path, day=DAY)


def test_every_line_shown_as_an_example_is_one_that_a_study_takes(
    small: tuple[Network, Routes], tmp_path: Path
) -> None:
    routes = replace(small[1], rooms=small[1].rooms.assign(prises=1))
    head, _, rest = study_text(["a.zip"], routes, tmp_path, day=DAY).partition("inventory =")
    shown = re.sub(r"^# ", "", f"inventory ={rest}", flags=re.MULTILINE)
    assert head.count("\n") == 5
    jsonschema.validate(tomllib.loads(shown), study_schema())
    assert {f"{name} = " for name in SCHEMAS} <= set(re.findall(r"^\w+ = ", shown, flags=re.MULTILINE))


def test_few_sources_are_named_one_by_one_and_an_address_is_refused(
    small: tuple[Network, Routes], tmp_path: Path
) -> None:
    routes = replace(small[1], rooms=small[1].rooms.assign(prises=1).iloc[:0])
    text = study_text([str(tmp_path / "b.zip"), str(tmp_path / "a")], routes, tmp_path, day=DAY)
    assert 'inventory = ["a", "b.zip"]' in text
    assert "scenarios" not in text
    with pytest.raises(StudyError, match="gracethd import ADDRESS"):
        write_study(["postgresql://me:secret@host/base"], routes, tmp_path / "etude.toml", day=DAY)
    assert not (tmp_path / "etude.toml").exists()


def test_names_of_a_delivery_cannot_leave_their_string(small: tuple[Network, Routes], tmp_path: Path) -> None:
    hostile = 'N"]}]\nseed = -1 # \\'
    rooms = small[1].rooms.assign(prises=[9, 1, 1, 1])
    rooms.loc[rooms["code"] == "LN1", ["code", "name"]] = hostile
    study = tomllib.loads(
        study_text([str(tmp_path / "a.zip")], replace(small[1], rooms=rooms), tmp_path, day=DAY)
    )
    assert study["seed"] == 1
    assert study["scenarios"]["incendie_nro"]["title"] == 'Incendie : N"]}] seed = -1 # \\'


def test_the_schema_knows_every_key_that_a_study_may_have() -> None:
    schema = study_schema()
    for keys, known in (
        ((), KEYS),
        (("loss",), LOSS_KEYS),
        (("hazards",), HAZARD_KEYS),
        (("hazards", "events"), EVENT_KEYS),
        (("outages",), OUTAGE_KEYS),
        (("tables",), TableName.__args__),
    ):
        assert set(of(schema, *keys)["properties"]) == set(known)  # type: ignore[call-overload]
    scenario = of(schema, "scenarios")["additionalProperties"]
    assert set(scenario["properties"]) == set(SCENARIO_KEYS)  # type: ignore[index]
    assert set(of(scenario, "failures")["properties"]) == set(FAILURE_KEYS)  # type: ignore[arg-type, call-overload]
    assert set(TableName.__args__) == {*SCHEMAS, "terrain"}


def test_the_schema_takes_the_example_and_underlines_mistakes() -> None:
    study = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    judge = jsonschema.Draft202012Validator(study_schema())
    judge.check_schema(study_schema())
    assert list(judge.iter_errors(study)) == []
    for key, wrong in (
        ("seed", -1),
        ("seeed", 1),
        ("loss", {"tail": "long"}),
        ("budget", {"total_eur": 0}),
        ("parameters", {"cost.chamber.eur": {"low": 1}}),
        ("scenarios", {"x": {"failures": [{"objects": ["LC1"]}]}}),
    ):
        assert list(judge.iter_errors({**study, key: wrong})), key
