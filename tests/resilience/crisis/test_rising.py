"""A water that rises by steps, on two trees of which each has one room in the water."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import typer.testing

from resilience.cli import app
from tests.resilience.test_study_of_events import study, write_depths

__all__ = ["study"]  # the fixture: two trees of 7 and 10 prises, P1 500 m and N2 4,000 m from the first cell

STUDY = """
inventory = ["reseau.parquet"]
[[hazards]]
name = "montée"
kind = "flood_depth"
unit = "m"
coverage = "extent"
sweep = {path = "eau.tif", from_m = 0, to_m = 6, step_m = 3}
[scenarios.feu]
failures = [{objects = ["local:N1"]}]
"""


@pytest.fixture
def water(study: Path) -> Path:
    """Lay 2 m of water on N2, and 5 cm on P1, 2,500 m east of the first cell."""
    write_depths(study.parent / "eau.tif", {400: 2.0, 250: 0.05})
    study.write_text(STUDY, encoding="utf-8")
    return study


def test_each_step_tells_what_falls_first_and_what_is_lost(water: Path) -> None:
    out = water.parent / "crises"
    told = typer.testing.CliRunner().invoke(app, ["scenario", str(water), "-o", str(out)])
    assert told.exit_code == 0, told.output
    table = pd.read_csv(out / "scenarios_montee.csv").set_index("rise_m")
    assert table["first_object"].fillna("").to_dict() == {0: "local:N2", 3: "local:P1", 6: ""}
    assert table["first_prises"].to_dict() == {0: 10, 3: 7, 6: 0}
    assert table["prises_down"].to_dict() == {0: 10, 3: 17, 6: 17}
    assert table["prises_more"].to_dict() == {0: 10, 3: 7, 6: 0}
    assert table["n_more"].to_dict() == {0: 1, 3: 1, 6: 0}
    assert table["is_threshold"].tolist() == [True, False, False]
    assert "montée : à +0 m, 10 prises sans service (gravité 1)." in told.output
    book = openpyxl.load_workbook(out / "scenarios.xlsx")
    assert "Montée des eaux" in book.sheetnames


def test_without_a_rising_water_nothing_is_told_of_one(study: Path) -> None:
    sweep = STUDY[STUDY.index("sweep") : STUDY.index("[scenarios")]
    flood = 'events = [{return_period = 100, path = "q100.tif"}]\n'
    study.write_text(STUDY.replace(sweep, flood), encoding="utf-8")
    out = study.parent / "crises"
    told = typer.testing.CliRunner().invoke(app, ["scenario", str(study), "-o", str(out)])
    assert told.exit_code == 0, told.output
    assert not (out / "scenarios_montee.csv").exists()
    assert "Montée des eaux" not in openpyxl.load_workbook(out / "scenarios.xlsx").sheetnames
