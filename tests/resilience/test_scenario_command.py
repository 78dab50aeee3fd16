"""``resilience scenario`` as a user types it: what it prints, what it writes, what it refuses."""

import json
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pyogrio
import pytest

from gracethd.cli import run_command
from gracethd.synth import random_area, synthesise, write_synth
from resilience import cli

TABLES = ("courbe", "et_si", "exercice", "ordres", "reparations", "sites", "stock", "territoires")
SCENARIOS = """
[scenarios.feu]
title = "=Feu au NRO"
start = 2026-11-26T19:00:00
failures = [{kind = "local", nature = "NRO", share = 0.01, repair_h = 10}]
[scenarios.poteaux]
failures = [{kind = "ptech", nature = "appui", share = 0.5}]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a study of 150 synthetic prises with two scenarios and two crews."""
    folder = tmp_path_factory.mktemp("etude")
    write_synth(synthesise(random_area(150, seed=3), seed=3, faults=0.0), folder)
    (folder / "ressources.csv").write_text("type,nombre,competence\nequipe,2,\n", encoding="utf-8")
    text = 'inventory = ["livraisons/*"]\n[tables]\nfeeds = "feeds.csv"\nressources = "ressources.csv"\n'
    (folder / "etude.toml").write_text(text + SCENARIOS, encoding="utf-8")
    return folder / "etude.toml"


def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["resilience", "scenario", *map(str, words)])
    code = run_command(cli.app)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_scenario_is_told_and_written(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        code, out, _ = command(monkeypatch, capsys, study, "feu", "--at", "30min", "-o", tmp_path / name)
        assert code == 0
    assert "150 prises sans service" in out
    assert "À 0,5 h (le 26/11/2026 à 19:30)" in out
    assert "50 % à 10 h (le 27/11/2026 à 05:00)" in out
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    tables = [f"scenario_feu_{name}.csv" for name in TABLES]
    pictures = ["scenario_feu_carte.png", "scenario_feu_courbe.png"]
    assert files == sorted(
        [*pictures, "scenario_feu.gpkg", "scenario_feu.json", "scenario_feu.xlsx", *tables]
    )
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    curve = pd.read_csv(tmp_path / "a" / "scenario_feu_courbe.csv")
    assert curve[["hour", "prises_down"]].to_numpy().tolist() == [[0, 150], [10, 0]]
    assert (curve["diffusion"] == "DIFFUSION RESTREINTE").all()
    book = openpyxl.load_workbook(tmp_path / "a" / "scenario_feu.xlsx")
    assert book.sheetnames == [
        "Lisez-moi",
        "Territoires",
        "Réparations",
        "Courbe",
        "Stock",
        "Exercice",
        "Et si",
        "Ordres",
    ]
    assert all(cell.data_type != "f" for row in book["Lisez-moi"].iter_rows() for cell in row)
    assert {layer for layer, _ in pyogrio.list_layers(tmp_path / "a" / "scenario_feu.gpkg")} == {
        "reparations", "layer_styles",
    }  # fmt: skip


def test_all_scenarios_are_compared_where_none_is_named(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = command(monkeypatch, capsys, study, "-o", tmp_path / "a")
    assert code == 0
    table = pd.read_csv(tmp_path / "a" / "scenarios_comparaison.csv").set_index("scenario")
    for name in ("feu", "poteaux"):
        summary = json.loads((tmp_path / "a" / f"scenario_{name}.json").read_text(encoding="utf-8"))
        for column in ("prises_down_max", "prises_h", "restored_90_h", "n_tasks"):
            assert table.loc[name, column] == pytest.approx(summary[column])
    needed = pd.read_csv(tmp_path / "a" / "scenarios_organisation.csv").set_index("resource")
    # all poles could be mended at once, and there are two crews that do everything
    assert table.loc["poteaux", "n_tasks"] > 2
    assert needed.loc["equipe_ligne", "needed"] == table.loc["poteaux", "n_tasks"]
    assert needed.loc["equipe_ligne", "missing_quantity"] == table.loc["poteaux", "n_tasks"] - 2
    assert needed.loc["equipe_nro", "scenario"] == "feu"
    assert pd.isna(needed.loc["poteau", "missing_quantity"])
    supply = pd.read_csv(tmp_path / "a" / "scenarios_dependances.csv")
    assert supply["prises_outside"].max() == table.loc["feu", "prises_down_max"] == 150
    book = openpyxl.load_workbook(tmp_path / "a" / "scenarios.xlsx")
    assert book.sheetnames == ["Lisez-moi", "Comparaison", "Organisation", "Dépendances"]


def test_the_exercise_tells_what_happens_by_time(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, capsys, study, "feu", "-o", tmp_path)
    told = pd.read_csv(tmp_path / "scenario_feu_exercice.csv")
    assert told["hour"].is_monotonic_increasing
    assert told["moment"].iloc[0] == "26/11/2026 19:00"
    assert "150 prises sans service" in told["inject"].iloc[0]
    assert told[["hour", "decision"]].iloc[-1].tolist()[0] == 10
    assert "retour d'expérience" in told["decision"].iloc[-1]


def test_without_the_extra_no_picture_is_drawn_and_all_else_is_written(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from resilience.outputs import scenario_files

    monkeypatch.setattr(scenario_files, "can_draw", lambda: False)
    code, _, _ = command(monkeypatch, capsys, study, "feu", "-o", tmp_path)
    assert code == 0
    assert not list(tmp_path.glob("*.png"))
    assert (tmp_path / "scenario_feu.xlsx").exists()


def test_the_summary_is_one_json_object(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = command(monkeypatch, capsys, study, "poteaux", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["n_crews"] == 2
    assert told["n_tasks"] == told["n_failed"] > 0
    assert told["tasks_without_crew"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fue"], "no scenario 'fue'; did you mean 'feu'?"),
        (["feu", "--at", "demain"], "--at: 'demain' is not a time; write it as 6h"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is_read(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    code, _, err = command(monkeypatch, capsys, study, *words, "-o", tmp_path / "out")
    assert code == 2
    assert message in err
    assert not (tmp_path / "out").exists()
