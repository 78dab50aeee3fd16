"""``resilience spof`` as a user types it: filters, files, one object explained, sums for the public."""

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely

from gracethd.cli import run_command
from gracethd.inventory import Inventory
from gracethd.network import KINDS, build_network
from gracethd.reading import read
from gracethd.routes import trace_routes
from gracethd.synth import files as synth_files
from gracethd.synth import random_area, synthesise, write_synth
from resilience import cli, further
from resilience.losses import index_graph, losses_of_assets, lost_vertices
from resilience.outputs import spof_files
from resilience.public import LEAST_ASSETS, LEAST_PRISES, public_sums
from resilience.spof import collapse, spof
from resilience.stakes import communes_of_prises
from tests.networks import cable, closure, draw, nro, pbo, pm, prises
from tests.resilience.service_graphs import service_graph
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
        "rapport.html",
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
        (["--kind", "cables"], "--kind 'cables' does not exist; did you mean 'cable'?"),
        (["--kind", "xyz"], "--kind 'xyz' does not exist; known: cable, cheminement"),
        (["--segment", "transports"], "--segment 'transports' does not exist; did you mean 'transport'?"),
        (["--commune", "62011"], "no object stands there; did you mean '62001'"),
        (["--commune", "vilage 3"], "no object stands there; did you mean '62003' (Village 3)?"),
        (["--commune", "Paris"], "no object stands there; give an INSEE code, as 6200"),
        (["--public", "--min-prises", "300"], "--public and --min-prises do not go together"),
        (["--asset", "cable:NONE"], "--asset: no object 'cable:NONE' in the deliveries"),
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
    sums = public_sums(routes, table, {"communes": COMMUNES})
    told = {(row.scope, row.area, row.kind): (row.n_objects, row.prises) for row in sums.itertuples()}
    # 62001 holds 10 prises, 62002 5 and 62003 7: none reaches 11 alone, E1 has 15
    assert not [key for key in told if key[0] == "commune"]
    # cables of E1 that cut 10 or more: TR1 (15), DI1 and DI3 (10 each); without TR1, 10 of 15 remain
    assert told["epci", "E1", "cable"] == (3, 15)
    objects = collapse(table[table["kind"].isin(KINDS)], min_prises=10)
    assert sum(n for n, _ in told.values()) + sums.attrs["withheld"] == len(objects)


@pytest.mark.parametrize(
    ("behind", "told"),
    [
        # three objects in a row: what the first cuts alone is 30 of 60
        ({"A": [30, 20, 10]}, [("commune", "62001", 3, 60)]),
        # beside each other: the first makes 200 of 220, more than 85 %, and 62002 has nothing to hide it
        ({"A": [200], "B": [10], "C": [10]}, []),
        ({"A": [100], "B": [10], "C": [10]}, [("commune", "62001", 3, 120)]),
        # two objects are too few, whatever they cut
        ({"A": [100, 90]}, []),
    ],
)
def test_no_object_makes_most_of_a_public_sum(
    behind: dict[str, list[int]], told: list[tuple[str, str, int, int]]
) -> None:
    """Chains of cables hang on the feed; each number of prises stands after one more cable."""
    edges, counts = [], [0]
    for chain in behind.values():
        before = 0
        for n in chain:
            counts.append(n)
            edges.append((before, len(counts) - 1))
            before = len(counts) - 1
    graph = service_graph(edges, counts, edge_links=[(e, e) for e in range(len(edges))])
    cut = losses_of_assets(index_graph(graph, graph.prises))[:, 0]
    _, routes = small_network()
    vertex = np.arange(1, len(counts), dtype=np.int32)
    prises = pd.DataFrame({"code": [f"P{v}" for v in vertex], "n": counts[1:], "insee": "62001"})
    prises[["pm", "nro"]] = "R"
    prises["vertex_nominal"] = prises["vertex_physical"] = vertex
    prises[["x", "y"]] = 0.0
    table = pd.DataFrame(
        {"kind": "cable", "code": [f"C{e}" for e in range(len(edges))], "prises_cut": cut,
         "prises_stranded": cut, "segment": "transport", "commune": "62001", "epci": "E1", "same_as": "",
         "rank": range(len(edges))}
    )  # fmt: skip
    sums = public_sums(replace(routes, nominal=graph, prises=prises), table, {"communes": COMMUNES})
    assert list(sums[["scope", "area", "n_objects", "prises"]].itertuples(index=False, name=None)) == told
    assert sums.attrs["withheld"] == (0 if told else len(edges))


def test_inputs_and_order_of_rows_change_no_public_sum(study: Path) -> None:
    inventory = read(sorted((study.parent / "livraisons").iterdir()))
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    tables = {"communes": gpd.read_file(study.parent / "communes.gpkg")}
    table = spof(network, routes, tables)
    first = public_sums(routes, table, tables)
    again = public_sums(routes, table.sample(frac=1, random_state=1), tables)
    pd.testing.assert_frame_equal(first, again)
    assert len(first) > 0
    # each row of a commune, counted again object by object
    index = index_graph(routes.nominal, routes.nominal.prises)
    listed = collapse(table[table["kind"].isin(KINDS)], min_prises=10)
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0]
    commune = communes_of_prises(prises, tables["communes"])
    for row in first[first["scope"] == "commune"].itertuples():
        objects = listed[(listed["commune"] == row.area) & (listed["kind"] == row.kind)]
        own = prises[(commune == row.area).to_numpy()]
        lost = np.array(
            [lost_vertices(index, np.array([a]))[own["vertex_nominal"]] for a in objects.index.tolist()]
        )
        n = own["n"].to_numpy()
        assert (len(objects), n[lost.any(axis=0)].sum()) == (row.n_objects, row.prises)
        without = [n[np.delete(lost, i, axis=0).any(axis=0)].sum() for i in range(len(objects))]
        assert row.prises - min(without) <= 0.85 * row.prises
        assert row.n_objects >= LEAST_ASSETS
        assert row.prises >= LEAST_PRISES


def test_what_is_found_can_be_read_by_machines(study: Path, command: Run) -> None:
    code, printed, _ = command(study, "--json", "--kind", "cable")
    assert code == 0
    told = json.loads(printed)
    assert told["counts"]["prises_inventoried"] == 400
    assert told["filters"] == {"kind": "cable", "min_prises": 10}
    assert [row["rank"] for row in told["worst"]] == list(range(1, len(told["worst"]) + 1))
    assert {row["kind"] for row in told["worst"]} == {"cable"}
    label = f"cable:{told['worst'][0]['code']}"
    explained = json.loads(command(study, "--json", "--asset", label)[1])
    assert explained["asset"] == label
    lost = [row["n"] for row in explained["prises"] if row["fate"] in {"isolée", "coupée"}]
    assert sum(lost) == told["worst"][0]["prises_cut"]
    sums = json.loads(command(study, "--json", "--public")[1])
    assert set(sums) == {"sums", "withheld"}
    assert not any("code" in row for row in sums["sums"])


def test_the_workbook_names_the_rooms_whose_worst_sets_were_not_all_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PM fed by two NROs: what cuts one leg and the other."""
    at = {"N0": (0.0, 0.0), "N1": (1000.0, 0.0), "N2": (1100.0, 0.0), "N9": (1000.0, 900.0)}
    inventory = draw(
        nro("R0", "N0"), nro("R9", "N9"), pm("R1", "N1"), pbo("B1", "N2"), prises("B1", "L1", "L2"),
        cable("TR1", "N0", "N1", "TR"), cable("TR2", "N9", "N1", "TR"), cable("DI1", "N1", "N2", "DI"), at=at,
    )  # fmt: skip
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    table = spof(network, routes, {})
    found = spof_files.SpofList(network, routes, {}, table, table, collapse(table, min_prises=1), 1)
    told = {}
    for most in (0, 100):
        monkeypatch.setattr(further, "MAX_SETS", most)
        out = tmp_path / f"{most}.xlsx"
        spof_files.write_spof(found, out, day=date(2026, 1, 1))
        rows = openpyxl.load_workbook(out)["Pannes combinées"].iter_rows(values_only=True)
        told[most] = " ".join(str(cell) for row in rows for cell in row if cell is not None)
    assert "Non cherchées, trop d'ensembles possibles : PM:R1 (à partir de 1 objets)" in told[0]
    assert "Non cherchées" not in told[100]
    assert " + " in told[100]


def test_the_page_of_a_list_has_map_curve_and_lists_and_misses_nothing_else(
    study: Path, tmp_path: Path, command: Run
) -> None:
    out = tmp_path / "spof"
    assert command(study, "--segment", "distribution", "-o", out)[0] == 0
    page = (out / "rapport.html").read_text(encoding="utf-8")
    curve = pd.read_csv(out / "thresholds.csv")
    assert {300, 1000, 5000} <= set(curve["threshold"])
    assert page.count("<circle") == len(curve)
    for anchor in ("carte", "spof", "limites"):
        assert f'<section id="{anchor}">' in page
    for other in ("exposition", "perte", "plan", "parametres"):
        assert f'<section id="{other}">' not in page
    assert "Aucun plan d'actions" not in page
    book = openpyxl.load_workbook(out / "spof.xlsx")
    assert len(book["Seuils"]._charts) == 1
    first = " ".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row if cell.value)
    assert "filtres : segment distribution" in first


AT = {"N0": (0.0, 0.0), "N1": (100.0, 0.0), "N2": (200.0, 0.0), "N3": (300.0, 0.0)}
HEAD = (nro("R0", "N0"), pm("R1", "N1"), cable("TR1", "N0", "N1", "TR"), pbo("B2", "N2"))


@pytest.mark.parametrize(
    ("inventory", "said", "cuts"),
    [
        (draw(*HEAD, cable("D1", "N1", "N2"), at=AT), "aucune prise n'est tracée", {}),
        (draw(closure("B1", "N1"), pbo("B2", "N2"), cable("D1", "N1", "N2"), prises("B2", "L1", "L2"), at=AT),
         "aucun point d'injection", {}),
        # two cables to the PBO, a ring: neither cuts it, the PM does
        (draw(*HEAD, cable("D1", "N1", "N2"), cable("D2", "N1", "N2"), prises("B2", "L1", "L2"), at=AT),
         "collecte non jugée", {"cable:D1": 0, "cable:TR1": 2, "local:R1": 2, "ebp:B2": 2}),
        # a PBO that no cable joins to the rest
        (draw(*HEAD, cable("D1", "N1", "N2"), pbo("B3", "N3"), prises("B2", "L1"), prises("B3", "L2"), at=AT),
         "1 prises non tracées", {"cable:D1": 1, "ebp:B3": 0}),
    ],
    ids=["empty demand", "no feed", "a cycle", "disconnected parts"],
)  # fmt: skip
def test_what_a_network_lacks_is_said_in_words(
    tmp_path: Path,
    command: Run,
    monkeypatch: pytest.MonkeyPatch,
    inventory: Inventory,
    said: str,
    cuts: dict[str, int],
) -> None:
    monkeypatch.setattr("gracethd.reading.read", lambda *_, **__: inventory)
    out = tmp_path / "spof"
    code, printed, errors = command(out, "--min-prises", 0, "-o", out)
    assert (code, errors) == (0, "")
    assert said in printed
    full = pd.read_parquet(out / "spof.parquet")
    found = full.set_index(full["kind"] + ":" + full["code"])["prises_cut"]
    assert {label: int(found[label]) for label in cuts} == cuts
    if not cuts:
        assert (found == 0).all()


def test_neither_hash_seed_nor_the_order_of_delivered_rows_changes_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = synthesise(random_area(60, seed=8), seed=8, faults=0.02)
    synth_files.write_deliveries(network, tmp_path / "1" / "livraisons")
    write = synth_files.write_delivery

    def shuffled(tables: dict[str, pd.DataFrame], version: str, path: Path) -> None:
        write({name: t.sample(frac=1, random_state=3) for name, t in tables.items()}, version, path)

    monkeypatch.setattr(synth_files, "write_delivery", shuffled)
    synth_files.write_deliveries(network, tmp_path / "2" / "livraisons")
    files = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1790000000"}
        deliveries = sorted(map(str, (tmp_path / seed / "livraisons").iterdir()))
        out = tmp_path / seed / "spof"
        subprocess.run(
            [sys.executable, "-c", "from resilience.cli import main; main()", "spof", *deliveries, "-o", out],
            env=environment, check=True, capture_output=True,
        )  # fmt: skip
        files.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert len(files[0]["spof.csv"].splitlines()) > 10
    assert [name for name in files[0] if files[0][name] != files[1].get(name)] == []
