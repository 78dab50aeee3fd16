"""``resilience spof`` as a user types it: filters, files, one object explained, sums for the public."""

import json
import re
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely

from gracethd.cli import run_command
from gracethd.network import build_network
from gracethd.reading import read
from gracethd.routes import trace_routes
from gracethd.synth import random_area, synthesise, write_synth
from resilience import cli
from resilience.outputs import spof_files
from resilience.public import LEAST_ASSETS, LEAST_PRISES, public_sums
from resilience.spof import spof
from tests.resilience.small_network import small_network
from tests.resilience.test_areas import COMMUNES

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a study of 400 synthetic prises in six communes of two EPCI, one of them almost empty."""
    folder = tmp_path_factory.mktemp("etude")
    write_synth(synthesise(random_area(400, seed=5), seed=5, faults=0.0), folder)
    inventory = read(sorted((folder / "livraisons").iterdir()))
    west, south, east, north = shapely.box(*inventory.geo("noeud").total_bounds).buffer(50).bounds
    x = np.array([west, west + 0.02 * (east - west), *np.linspace(west, east, 6)[1:]])
    boxes = [shapely.box(x[i], south, x[i + 1], north) for i in range(6)]
    gpd.GeoDataFrame(
        {
            "code_insee": [f"6200{i}" for i in range(6)],
            "nom": [f"Village {i}" for i in range(6)],
            "epci": ["246200001"] * 3 + ["246200002"] * 3,
            "epci_nom": ["Amont"] * 3 + ["Aval"] * 3,
        },
        geometry=boxes,
        crs=inventory.crs,
    ).to_file(folder / "communes.gpkg")
    (folder / "etude.toml").write_text(
        'inventory = ["livraisons/*"]\n[tables]\ncommunes = "communes.gpkg"\nfeeds = "feeds.csv"\n'
        '[outputs]\nrecipient = "Essai"\n',
        encoding="utf-8",
    )
    return folder / "etude.toml"


@pytest.fixture(scope="module")
def once() -> Callable[..., object]:
    """Read the same sources once: reading is not what is tested here."""
    known: dict[str, object] = {}
    read_inventory = cli._read_inventory

    def remembered(sources: list[Path], say: Callable[[str], None]) -> object:
        key = "|".join(map(str, sources))
        if key not in known:
            known[key] = read_inventory(sources, say)
        return known[key]

    return remembered


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], once: Callable[..., object]
) -> Run:
    monkeypatch.setattr(cli, "_read_inventory", once)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["resilience", "spof", *map(str, arguments)])
        code = run_command(cli.app)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_folder_holds_every_file_whole_and_private(study: Path, tmp_path: Path, command: Run) -> None:
    out = tmp_path / "spof"
    code, printed, _ = command(study, "-o", out)
    assert code == 0
    assert "400 inventoriées" in printed
    names = {path.name for path in out.iterdir()}
    assert names == {
        "spof.parquet", "spof.csv", "spof.gpkg", "spof.xlsx", "series.csv", "loops.csv", "areas.csv",
        "losses_by_area.csv", "thresholds.csv", "redundancy.csv", "near_legs.csv", "further_failures.csv",
    }  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    full, listed = gpd.read_parquet(out / "spof.parquet"), pd.read_csv(out / "spof.csv")
    assert set(full["diffusion"]) == {"DIFFUSION RESTREINTE"}
    assert (listed["prises_cut"] >= 10).all()
    assert len(full) > len(listed) > 0
    by_area = pd.read_csv(out / "losses_by_area.csv", dtype={"area": str})
    of_nro = by_area[by_area["scope"] == "nro"].groupby(["kind", "code"])["prises_cut"].sum()
    cut = listed.set_index(["kind", "code"])["prises_cut"]
    assert of_nro.reindex(cut.index).tolist() == cut.tolist()
    book = openpyxl.load_workbook(out / "spof.xlsx", read_only=True)
    assert set(book.sheetnames) == {
        "Lisez-moi", "SPOF", "Séries", "Bouclages", "Redondance", "Jambes proches", "Pannes combinées",
        "Territoires", "Seuils",
    }  # fmt: skip
    with closing(sqlite3.connect(out / "spof.gpkg")) as database:
        layers = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
    assert {"spof", "series", "nro_pm", "communes"} <= layers


def test_a_workbook_holds_so_many_rows_and_counts_the_rest(
    study: Path, tmp_path: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spof_files.MAX_SHEET_ROWS == 50_000
    monkeypatch.setattr(spof_files, "MAX_SHEET_ROWS", 5)
    out = tmp_path / "spof.xlsx"
    assert command(study, "-o", out)[0] == 0
    assert command(study, "-o", tmp_path / "spof.csv")[0] == 0
    n = len(pd.read_csv(tmp_path / "spof.csv"))
    book = openpyxl.load_workbook(out)
    ranks = [row[0].value for row in book["SPOF"].iter_rows(min_row=6) if row[0].value is not None]
    assert len(ranks) == 5
    first = " ".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row if cell.value)
    assert f"Feuille SPOF : {n - 5} lignes au-delà des 5 premières" in first


def test_filters_keep_what_they_name(study: Path, tmp_path: Path, command: Run) -> None:
    out = tmp_path / "spof.csv"
    assert command(study, "--segment", "distribution", "--kind", "cheminement", "-o", out)[0] == 0
    rows = pd.read_csv(out)
    assert set(rows["kind"]) == {"cheminement"}
    assert set(rows["segment"]) == {"distribution"}
    assert command(study, "--min-prises", 1, "-o", out)[0] == 0
    commune = pd.read_csv(out, dtype={"commune": str})["commune"].dropna().mode()[0]
    assert command(study, "--commune", commune, "--min-prises", 1, "-o", out)[0] == 0
    assert set(pd.read_csv(out, dtype={"commune": str})["commune"]) == {commune}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--kind", "cables"], "--kind 'cables' does not exist"),
        (["--segment", "transports"], "--segment 'transports' does not exist"),
        (["--commune", "99999"], "no object stands there"),
        (["--asset", "cable:NONE"], "no such cable"),
        (["--public", "--asset", "cable:NONE"], "do not go together"),
        (["--public", "--kind", "cable"], "do not go together"),
        (["-o", "spof.docx"], "write to a folder or to a name that ends in .csv, .gpkg, .parquet or .xlsx"),
        (["--public", "-o", "sums.gpkg"], "--public writes to a name that ends in .csv or .parquet"),
        (["--asset", "cable:NONE", "-o", "one.xlsx"], "--asset writes to a name that ends in"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    study: Path,
    tmp_path: Path,
    command: Run,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, printed, errors = command(study, *arguments)
    assert (code, printed) == (2, "")
    assert named in errors
    assert errors.count("error: ") == 1
    assert list(tmp_path.iterdir()) == []


def test_deliveries_alone_have_no_communes_and_say_the_cure(study: Path, command: Run) -> None:
    deliveries = sorted((study.parent / "livraisons").iterdir())
    for arguments in (["--public"], ["--commune", "62001"]):
        code, _, errors = command(*deliveries, *arguments)
        assert code == 2
        assert "communes" in errors
        assert "study" in errors


def test_one_object_is_explained_in_words_and_layers(study: Path, tmp_path: Path, command: Run) -> None:
    assert command(study, "--kind", "cable", "-o", tmp_path / "spof.csv")[0] == 0
    worst = pd.read_csv(tmp_path / "spof.csv").iloc[0]
    out = tmp_path / "un.gpkg"
    code, printed, _ = command(study, "--asset", f"cable:{worst['code']}", "-o", out)
    assert code == 0
    assert f"{worst['prises_cut']} prises coupées" in printed
    layer = gpd.read_file(out, layer="prises")
    assert layer.loc[layer["fate"].isin(["isolée", "coupée"]), "n"].sum() == worst["prises_cut"]
    assert "objet" in set(gpd.read_file(out, layer="objets")["role"])
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_public_sums_hold_no_code_no_place_and_no_label(study: Path, tmp_path: Path, command: Run) -> None:
    inventory = read(sorted((study.parent / "livraisons").iterdir()))
    network = build_network(inventory)
    secret = set(network.assets["code"]) | set(network.assets["libelle"])
    for table in inventory.values():
        for name in table.columns:
            if name.endswith(("_code", "_codeext", "_etiquet", "_nom")):
                secret |= set(table[name].dropna().astype(str))
    secret = {word for word in secret if len(word) > 3}
    assert len(secret) > 300
    shapes = np.concatenate(
        [t.geometry.to_numpy() for t in inventory.values() if isinstance(t, gpd.GeoDataFrame)]
    )
    numbers = {
        f"{value:.{digits}f}" for value in shapely.get_coordinates(shapes).ravel() for digits in (0, 1, 2)
    }
    for name in ("sums.csv", "sums.parquet"):
        out = tmp_path / name
        code, printed, _ = command(study, "--public", "-o", out)
        assert code == 0
        raw = out.read_bytes()
        rows = pd.read_csv(out, dtype=str) if name.endswith("csv") else pd.read_parquet(out).astype(str)
        assert len(rows) > 0
        assert set(rows.columns) == {"scope", "area", "libelle", "kind", "n_objects", "prises", "diffusion"}
        words = set(rows.to_numpy().ravel()) | set(re.findall(r"[\w.\-]+", printed))
        assert not words & secret
        assert not words & numbers
        assert not [word for word in secret if word.encode() in raw]
        assert b"geometry" not in raw
        assert b"DIFFUSION RESTREINTE" not in raw
        assert (rows["prises"].astype(int) >= LEAST_PRISES).all()
        assert (rows["n_objects"].astype(int) >= LEAST_ASSETS).all()


def test_small_communes_are_told_only_within_their_epci() -> None:
    network, routes = small_network()
    table = spof(network, routes, {"communes": COMMUNES})
    sums = public_sums(routes, table, {"communes": COMMUNES}, min_prises=1)
    told = {(row.scope, row.area, row.kind): (row.n_objects, row.prises) for row in sums.itertuples()}
    objects = table[(table["prises_cut"] >= 1) & (table["segment"] != "raccordement")]
    # 62001 holds 10 prises, 62002 5 and 62003 7: none reaches 11 alone, E1 has 15
    assert not [key for key in told if key[0] == "commune"]
    cables = objects[(objects["kind"] == "cable") & (objects["epci"] == "E1")]
    assert told["epci", "E1", "cable"] == (len(cables), 15)
    left = sum(n for n, _ in told.values()) + sums.attrs["withheld"]
    assert left == len(objects)


def test_inputs_and_order_of_rows_change_no_public_sum(study: Path) -> None:
    inventory = read(sorted((study.parent / "livraisons").iterdir()))
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    tables = {"communes": gpd.read_file(study.parent / "communes.gpkg")}
    table = spof(network, routes, tables)
    first = public_sums(routes, table, tables, min_prises=10)
    again = public_sums(routes, table.sample(frac=1, random_state=1), tables, min_prises=10)
    pd.testing.assert_frame_equal(first, again)
    assert json.loads(first.to_json(orient="records"))
