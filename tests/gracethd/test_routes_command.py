"""`gracethd routes` as a user types it: what it prints, writes, refuses and repeats."""

import shutil
import stat
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pyogrio
import pytest

from gracethd.cli import app, run_command
from gracethd.inventory import Inventory
from gracethd.network import build_network
from gracethd.routes import optical_routes
from gracethd.routes.write import write_routes
from tests.networks import cable, draw, nro, patch, pbo, pm, prises, splice, wait

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `gracethd routes` in this process: exit code, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        monkeypatch.setattr(sys, "argv", ["gracethd", "routes", *map(str, arguments)])
        code = run_command(app)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_without_output_it_says_how_many_routes_are_complete(demo01: Path, command: Run) -> None:
    code, out, _ = command(demo01)
    assert code == 0
    assert out.splitlines() == ["23 prises, 21 routes", "Complète : 21", "Ambiguë : 0", "Rompue : 2"]


def test_one_prise_is_told_hop_by_hop_in_french(demo01: Path, command: Run) -> None:
    code, out, _ = command(demo01, "--prise", "SF000180031330")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "route SF000180031330/1 · Complète · par épissure"
    assert lines[1].startswith("   1  NRO LT000180030001 · tiroir TI000180030502")
    assert "  22  Câble CB000180034417 · tronçon 1 · tube 1 fibre 1 (FO180034417001) · 7,0 m" in lines
    assert lines[-1].strip() == "284,4 m de câble"


def test_a_prise_that_nobody_knows_is_one_clear_error_and_nothing_is_written(
    demo01: Path, command: Run, tmp_path: Path
) -> None:
    code, out, err = command(demo01, "--prise", "SF9", "-o", tmp_path / "r.csv")
    assert (code, out) == (2, "")
    assert err.startswith("error: --prise SF9: no prise of the inventory has this code")
    assert not list(tmp_path.iterdir())


def test_a_name_that_says_no_format_is_refused_before_any_work(command: Run, tmp_path: Path) -> None:
    code, _, err = command(tmp_path / "absent", "-o", tmp_path / "routes.pdf")
    assert code == 2
    assert "ends in .parquet or .csv" in err


@pytest.mark.parametrize("name", ["routes.parquet", "routes.csv"])
def test_hops_are_written_private_marked_and_the_same_for_rows_in_another_order(
    name: str, demo01_copy: Path, command: Run, tmp_path: Path
) -> None:
    first, second = tmp_path / "un" / name, tmp_path / "deux" / name
    assert command(demo01_copy, "-o", first)[0] == 0
    position = demo01_copy / "t_position.csv"
    head, *rows = position.read_text(encoding="utf-8").splitlines()
    position.write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="utf-8")
    assert command(demo01_copy, "-o", second)[0] == 0
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    hops = pd.read_parquet(first) if name.endswith("parquet") else pd.read_csv(first)
    assert hops.columns[-1] == "diffusion"
    assert hops["prise"].nunique() == 22


def test_a_workbook_a_geopackage_and_a_folder_hold_hops_plans_occupancy_and_mounting(
    demo01: Path, command: Run, tmp_path: Path
) -> None:
    for name in ("plans.xlsx", "plans.gpkg", "plans"):
        assert command(demo01, "-o", tmp_path / name)[0] == 0
    book = openpyxl.load_workbook(tmp_path / "plans.xlsx", read_only=True)
    assert book.sheetnames == [
        "Lisez-moi", "Routes", "Sauts", "Positions", "Câbles", "PBO", "PM", "Pose", "Pose, totaux",
    ]  # fmt: skip
    heads = [cell.value for cell in next(book["PBO"].iter_rows(min_row=5, max_row=5))]
    assert heads[:4] == ["Boîte", "Nœud", "Prises", "Prises prévues (FTTH)"]
    layers = dict(pyogrio.list_layers(tmp_path / "plans.gpkg"))
    assert {name: layers[name] for name in ("routes", "cables", "pbo", "pm", "pose")} == {
        "routes": "Point", "cables": "LineString", "pbo": "Point", "pm": "Point", "pose": "LineString",
    }  # fmt: skip
    assert layers["sauts"] is None
    assert sorted(path.stem for path in (tmp_path / "plans").iterdir()) == [
        "cables", "pbo", "pm", "pose", "pose_totaux", "positions", "routes", "sauts",
    ]  # fmt: skip
    routes = pd.read_parquet(tmp_path / "plans" / "routes.parquet")
    assert routes["n_hops"].max() == 23
    assert routes.loc[routes["prise"] == "SF000180031330", "length_m"].round(1).tolist() == [284.4]


def test_a_hostile_code_stays_text_in_every_output(demo01_copy: Path, command: Run, tmp_path: Path) -> None:
    """A drawer whose code is a formula, a script or a path is written as it is, and computes nothing."""
    hostile = '=cmd|"/c calc"!A1<script>../x'
    for table in ("t_tiroir.csv", "t_position.csv"):
        file = demo01_copy / table
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("TI000180030519", hostile.replace('"', "")), encoding="utf-8")
    csv, xlsx = tmp_path / "r.csv", tmp_path / "r.xlsx"
    assert command(demo01_copy, "-o", csv)[0] == command(demo01_copy, "-o", xlsx)[0] == 0
    assert "'=cmd|" in csv.read_text(encoding="utf-8")
    book = openpyxl.load_workbook(xlsx)
    cells = [cell for row in book["Positions"].iter_rows() for cell in row if "cmd" in str(cell.value)]
    assert cells
    assert all(cell.data_type == "s" for cell in cells)
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.parametrize("table", ["baie", "cable", "cassette", "ebp", "fibre", "local", "noeud", "position"])
def test_any_table_may_be_empty_and_every_output_is_still_written(table: str, tmp_path: Path) -> None:
    """A network with everything in it, minus one table: every prise keeps its row."""
    at = {f"N{i}": (100.0 * i, 0.0) for i in range(5)}
    whole = draw(
        nro("NR", "N0"), pm("PM", "N1"), pbo("B1", "N2"), cable("T1", "N0", "N1", "TR", fibres=1),
        patch("NR", "T1.1"), patch("PM", "T1.1", "C1.1"), cable("C1", "N1", "N2", fibres=2),
        cable("D1", "N2", "N3", "RA", fibres=1), splice("B1", "C1.1", "D1.1"), wait("B1", "C1.2"),
        prises("B1", "L1", nd_code="N3"), prises("B1", "L2"), at=at,
    )  # fmt: skip
    tables = {name: frame.iloc[:0] if name == table else frame for name, frame in whole.items()}
    inventory = Inventory(tables, whole.crs, whole.deliveries, whole.findings)
    network = build_network(inventory)
    optical = optical_routes(inventory, network)
    assert sorted(set(optical.hops["prise"])) == ["L1", "L2"]
    for name in ("r.gpkg", "r"):
        write_routes(inventory, network, optical, tmp_path / name, day=date(2026, 1, 1))
    assert set(pd.read_parquet(tmp_path / "r" / "routes.parquet")["prise"]) == {"L1", "L2"}
