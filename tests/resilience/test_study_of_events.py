"""A study of events that come together, as a user runs it, on a network whose losses are counted by hand."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import typer.testing

from gracethd.inventory import Inventory
from gracethd.store import write_store
from resilience.cli import app
from tests.networks import cable, draw, nro, pbo, pm, prises

X, Y = 700_000.0, 7_000_000.0
FLOODED, CUT = 168.0, 10.0 - 4.0  # hours: repair of a flooded NRO, and a cut less the batteries
STUDY = """
inventory = ["reseau.parquet"]
seed = 1
[tables]
equipements = "equipements.csv"
[[hazards]]
name = "crue"
kind = "flood_depth"
unit = "m"
coverage = "extent"
events = [{return_period = 100, path = "q100.tif"}]
[[outages]]
name = "coupure"
zone_elec = "Z"
hours = 10
return_period = 100
[loss]
draws = 20
"""


def two_trees() -> Inventory:
    """Build N1 -- P1 -- B1 (7 prises), and 2 km east N2 -- P2 -- B2 (10 prises)."""
    pieces, at = [], {}
    for number, n in (("1", 7), ("2", 10)):
        east = X + 2000 * int(number)
        at |= {f"{name}{number}": (east + 500 * i, Y) for i, name in enumerate(("A", "B", "C"))}
        a, b, c = (f"{name}{number}" for name in "ABC")
        pieces += [
            nro(f"N{number}", a), pm(f"P{number}", b), pbo(f"B{number}", c),
            cable(f"TR{number}", a, b, "TR", line=[at[a], at[b]]),
            cable(f"DI{number}", b, c, "DI", line=[at[b], at[c]]),
            prises(f"B{number}", *(f"H{number}{i}" for i in range(n))),
        ]  # fmt: skip
    drawn = draw(*pieces, at=at)
    # a store tells which file each row came from, and which delivery replaces another
    tables = {name: rows.assign(file="essai.csv") for name, rows in drawn.tables.items()}
    return replace(drawn, tables=tables, deliveries=drawn.deliveries.assign(replaced_by=""))


def write_depths(path: Path, depths: dict[int, float]) -> None:
    """Write a row of 800 cells of 10 m, the first 2 km west of N1, dry but for these."""
    cells = np.zeros((1, 800), np.float32)
    cells[0, list(depths)] = list(depths.values())
    place = rasterio.Affine(10, 0, X - 5, 0, -10, Y + 5)
    with rasterio.open(
        path, "w", driver="GTiff", height=1, width=800, count=1, dtype="float32", crs="EPSG:2154",
        transform=place,
    ) as sink:  # fmt: skip
        sink.write(cells, 1)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Write the study: both NRO are in the zone that is cut, and 2 m of water stand on N2 alone."""
    write_store(two_trees(), tmp_path / "reseau.parquet", day=date(2026, 1, 1))
    pd.DataFrame({"kind": "local", "code": ["N1", "N2"], "zone_elec": "Z"}).to_csv(
        tmp_path / "equipements.csv", index=False
    )
    write_depths(tmp_path / "q100.tif", {400: 2.0})  # N2 stands in the middle of that cell
    return tmp_path / "etude.toml"


def results(study: Path, text: str) -> tuple[pd.DataFrame, dict[str, float]]:
    study.write_text(text, encoding="utf-8")
    out = study.parent / "resultats"
    told = typer.testing.CliRunner().invoke(app, ["run", str(study), "-o", str(out)])
    assert told.exit_code == 0, told.output
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    events = pd.DataFrame(summary["event_losses"]).set_index("hazard")
    yearly = {
        row["cause"]: row["prises_h_per_year_central"] for row in summary["loss"] if row["origin"] == "event"
    }
    return events, yearly


def test_apart_a_flood_and_a_cut_are_two_events_of_the_year(study: Path) -> None:
    events, yearly = results(study, STUDY)
    assert events["prises_down_mean"].to_dict() == {"crue": 10, "coupure": 17}
    assert events["prises_h_mean"].to_dict() == pytest.approx({"crue": 10 * FLOODED, "coupure": 17 * CUT})
    # the tail "constant": once in 100 years and nothing more frequent
    assert yearly == pytest.approx({"crue": 10 * FLOODED / 100, "coupure": 17 * CUT / 100})


def test_together_what_is_flooded_waits_for_its_repair_and_the_rest_for_the_mains(study: Path) -> None:
    text = STUDY.replace('path = "q100.tif"}]\n', 'path = "q100.tif"}]\nsame_event = "tempête"\n')
    text = text.replace("hours = 10\n", 'hours = 10\nsame_event = "tempête"\n')
    events, yearly = results(study, text)
    assert events["prises_down_mean"].to_dict() == {"tempête": 17}
    assert yearly == pytest.approx({"tempête": (10 * FLOODED + 7 * CUT) / 100})


def test_a_longer_cut_than_the_repair_is_what_counts(study: Path) -> None:
    """The mains are away for 200 h: N2 would work after 168 h, and waits."""
    text = STUDY.replace('path = "q100.tif"}]\n', 'path = "q100.tif"}]\nsame_event = "tempête"\n')
    text = text.replace("hours = 10\n", 'hours = 200\nsame_event = "tempête"\n')
    _, yearly = results(study, text)
    assert yearly == pytest.approx({"tempête": 17 * (200 - 4) / 100})


def test_a_cut_that_comes_with_a_flood_of_another_name_is_refused(study: Path) -> None:
    study.write_text(STUDY.replace("hours = 10\n", 'hours = 10\nsame_event = "tempête"\n'), encoding="utf-8")
    told = typer.testing.CliRunner().invoke(app, ["run", str(study), "-o", str(study.parent / "non")])
    assert told.exit_code != 0
    assert "no other hazard has same_event = 'tempête'" in str(told.exception)
    assert not (study.parent / "non").exists()
