"""The commands as a user types them: what they write, what they refuse, and that they repeat."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from gracethd.cli import app as gracethd_app
from gracethd.cli import run_command
from gracethd.network import build_network
from gracethd.outputs import labels
from gracethd.reading import read
from gracethd.synth import random_area, synthesise, write_synth
from resilience.cli import app as resilience_app
from resilience.study import load_study

STUDY = """
inventory = ["livraisons/*.zip"]
seed = 7
[[hazards]]
name = "crue"
kind = "flood_depth"
unit = "m"
coverage = "emprise.gpkg"
events = [{return_period = 20, path = "q20.tif"}, {return_period = 1000, path = "q1000.tif"}]
[[hazards]]
name = "argiles"
kind = "clay"
unit = "classe"
coverage = "emprise.gpkg"
events = [{path = "argiles.gpkg"}]
[tables]
feeds = "feeds.csv"
routes = "routes.gpkg"
[loss]
draws = 50
[budget]
total_eur = 50000
[outputs]
recipient = "Essai"
"""


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small study: 600 synthetic prises, two depths that rise towards the west, half of it mapped."""
    folder = tmp_path_factory.mktemp("etude") / "etude"
    write_synth(synthesise(random_area(600, seed=3), seed=3, faults=0.0), folder)
    roads = gpd.read_file(folder / "routes.gpkg")
    west, south, east, north = roads.total_bounds
    cell = (east - west) / 50
    shape = int((north - south) / cell) + 1, 51
    slope = np.linspace(2.0, -2.0, shape[1])[None, :].repeat(shape[0], axis=0)
    for name, rise in (("q20.tif", -1.0), ("q1000.tif", 0.0)):
        depth = np.maximum(slope + rise, 0).astype("float32")
        profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1, "dtype": "float32"}
        transform = from_origin(west, north, cell, cell)
        with rasterio.open(folder / name, "w", crs="EPSG:2154", transform=transform, **profile) as sink:
            sink.write(depth, 1)
    mapped = shapely.box(west, south, (west + east) / 2, north)
    gpd.GeoDataFrame(geometry=[mapped], crs=2154).to_file(folder / "emprise.gpkg")
    clay = gpd.GeoDataFrame({"NIVEAU": [3]}, geometry=[mapped], crs=2154)
    clay.to_crs(4326).to_file(folder / "argiles.gpkg")
    (folder / "etude.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture
def study(study_folder: Path, tmp_path: Path) -> Path:
    """Give a copy of the study that a test may damage."""
    return Path(shutil.copytree(study_folder, tmp_path / "etude")) / "etude.toml"


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: exit code, stdout, stderr."""

    def run(name: str, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        code = run_command(gracethd_app if name == "gracethd" else resilience_app)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_study_gives_its_files_whole_and_private(study: Path, tmp_path: Path, command: Run) -> None:
    out = tmp_path / "resultats"
    code, printed, _ = command("resilience", "run", study, "-o", out)
    assert code == 0
    for name in ("plan.xlsx", "resultats.gpkg", "spof.csv", "spof.parquet", "rapport.html", "summary.json"):
        assert stat.S_IMODE((out / name).stat().st_mode) == 0o600, name
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    counts = summary["counts"]
    traced = sum(counts[f"prises_traced_{by}"] for by in ("splice", "cable", "zone"))
    assert counts["prises_inventoried"] == 600 == traced + counts["prises_untraced"]
    assert f"{counts['prises_inventoried']} inventoriées" in printed
    full = pd.read_parquet(out / "spof.parquet")
    assert (full["prises_stranded"] <= full["prises_cut"]).all()
    assert (full["prises_cut"] <= full["prises_cut_max"]).all()
    assert set(full["diffusion"]) == {"DIFFUSION RESTREINTE"}
    listed = pd.read_csv(out / "spof.csv")
    assert listed.columns[-1] == "diffusion"
    assert listed["prises_cut"].is_monotonic_decreasing
    exposure = pd.read_parquet(out / "exposure.parquet")
    assert exposure["intensity_max"].isna().any(), "half of the area is not mapped, and must say so"
    ground = exposure[exposure["hazard"] == "argiles"]
    assert ground["return_period"].isna().all()
    assert set(ground["intensity_max"].dropna()) == {3.0}
    unmapped = pd.read_csv(out / "non_cartographie.csv").set_index("hazard")
    missing_m = (ground["length_m"] * (1 - ground["mapped_share"])).sum()
    assert unmapped.loc["argiles", "unmapped_m"] == pytest.approx(missing_m)
    assert missing_m > 0
    plan = pd.read_csv(out / "plan.csv")
    assert plan["cost_eur_central"].sum() <= 50_000
    words = pd.read_csv(Path(labels.__file__).with_name("columns.csv"))["fr"]
    for sheet in openpyxl.load_workbook(out / "plan.xlsx").worksheets[1:]:
        if sheet.title == "Fiches":  # cards, which have no headings
            continue
        heads = {cell.value for cell in sheet[5] if cell.value}
        assert heads <= set(words), (sheet.title, heads - set(words))


def test_a_first_study_is_written_that_runs(study: Path, tmp_path: Path, command: Run) -> None:
    sources = [str(path) for path in load_study(study).inventory]
    first = tmp_path / "premiere.toml"
    code, printed, _ = command("resilience", "init", *sources, "-o", first)
    assert (code, str(first) in printed) == (0, True)
    code, _, _ = command("resilience", "run", first, "-o", tmp_path / "res")
    assert code == 0
    assert (tmp_path / "res" / "rapport.html").is_file()
    code, _, error = command("resilience", "init", *sources, "-o", first)
    assert code == 2
    assert "this file exists" in error


def test_power_cuts_of_zones_take_what_their_nro_feeds_until_the_mains_are_back(
    study: Path, tmp_path: Path, command: Run
) -> None:
    """The NRO has 4 h of batteries. Cut for 10 h every 5 years with its PMs, 3 h once, or its PMs alone.

    All that it feeds is down for 6 h; within its batteries nothing is, and PMs need no power.
    """
    rooms = build_network(read(load_study(study).inventory)).assets.query("kind == 'local'")
    nro, pms = (rooms.loc[rooms["nature"] == nature, "code"] for nature in ("NRO", "PM"))
    rows = [("local", code, 4.0, "Z1") for code in nro] + [("local", code, "", "Z2") for code in pms]
    table = pd.DataFrame(rows, columns=["kind", "code", "autonomie_h", "zone_elec"])
    table.to_csv(study.parent / "equipements.csv", index=False)
    cuts = [("long", "Z1", "10\nreturn_period = 5"), ("court", "Z1", "3"), ("pm", "Z2", "9")]
    text = "".join(f'[[outages]]\nname = "{n}"\nzone_elec = "{z}"\nhours = {h}\n' for n, z, h in cuts)
    told = STUDY.split("[budget]", maxsplit=1)[0].replace(
        "[tables]\n", '[tables]\nequipements = "equipements.csv"\n'
    )
    study.write_text(told + text, encoding="utf-8")
    out = tmp_path / "r"
    assert command("resilience", "run", study, "-o", out)[0] == 0
    full = pd.read_parquet(out / "spof.parquet").query("kind == 'local'")
    fed = int(full.loc[full["code"].isin(nro), "prises_cut"].sum())
    assert len(nro) == 1
    assert fed > 500
    cut = pd.read_csv(out / "pertes_coupures.csv").set_index("hazard")
    down = cut.filter(like="prises_down_").sum(axis=1)
    assert down.to_dict() == {"long": fed, "court": 0, "pm": 0}
    year = pd.read_csv(out / "pertes_conventions.csv").set_index("hazard")
    once, every_5_years = fed * (10 - 4), 1 / 5
    of_conventions = [0.0, once * every_5_years, once * (every_5_years + (1 / 2 - every_5_years) / 2)]
    assert year.loc["long", ["none", "constant", "linear"]].tolist() == pytest.approx(of_conventions)
    assert set(year.index) == {"crue", "long"}, "what is imposed once has no part of a year"
    study.write_text(told + text.replace("Z2", "Z9"), encoding="utf-8")
    code, _, message = command("resilience", "run", study, "-o", tmp_path / "non")
    assert (code, (tmp_path / "non").exists()) == (2, False)
    assert "outages 'pm': no object of the network has zone_elec 'Z9'" in message


def test_a_study_of_deliveries_alone_says_what_it_lacks(study: Path, tmp_path: Path, command: Run) -> None:
    study.write_text('inventory = ["livraisons/*.zip"]\n', encoding="utf-8")
    out = tmp_path / "resultats"
    code, printed, _ = command("resilience", "run", study, "-o", out)
    assert code == 0
    assert "600 inventoriées" in printed
    assert not (out / "plan.csv").exists()
    assert not (out / "exposure.parquet").exists()
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["event_losses"] == []
    assert {row["origin"] for row in summary["loss"]} == {"rate"}


def test_the_same_study_gives_the_same_bytes_whatever_the_hash_seed(
    study_folder: Path, tmp_path: Path
) -> None:
    written = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1790000000"}
        subprocess.run(
            [sys.executable, "-c", "from resilience.cli import main; main()", "run",
             str(study_folder / "etude.toml"), "-o", str(out)],
            env=environment, check=True, capture_output=True,
        )  # fmt: skip
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        del summary["run"]
        files = {path.name: path.read_bytes() for path in out.iterdir() if path.name != "summary.json"}
        written.append((summary, files))
    assert written[0][0] == written[1][0]
    differing = [name for name in written[0][1] if written[0][1][name] != written[1][1][name]]
    assert differing == []


def _missing_file(study: Path) -> None:
    (study.parent / "q20.tif").unlink()


def _no_coverage(study: Path) -> None:
    study.write_text(STUDY.replace('coverage = "emprise.gpkg"\n', ""), encoding="utf-8")


def test_a_plan_is_told_for_another_budget_and_written_only_when_asked(
    study: Path, tmp_path: Path, command: Run
) -> None:
    code, said, _ = command("resilience", "plan", study, "--budget", "20000", "--json")
    told = json.loads(said)
    assert code == 0
    assert told["budget_eur"] == 20_000
    assert told["spent_eur"] <= 20_000
    assert len(told["plan"]) == told["n_chosen"]
    assert 20_000 in [row["budget_eur"] for row in told["frontier"]]
    assert list(tmp_path.glob("*.xlsx")) == []
    study.write_text(STUDY.replace("total_eur = 50000", 'total_eur = 50000\nforce = ["x"]'), encoding="utf-8")
    code, _, message = command("resilience", "plan", study, "-o", tmp_path / "non")
    assert (code, (tmp_path / "non").exists()) == (2, False)
    assert "budget.force: no proposed work is called 'x'" in message


def _unknown_key(study: Path) -> None:
    study.write_text(STUDY + "\n[budgets]\ntotal_eur = 1\n", encoding="utf-8")


def _no_crs(study: Path) -> None:
    with rasterio.open(study.parent / "q20.tif") as source:
        cells, profile = source.read(1), {**source.profile, "crs": None}
    with rasterio.open(study.parent / "q20.tif", "w", **profile) as sink:
        sink.write(cells, 1)


def _elsewhere(study: Path) -> None:
    with rasterio.open(study.parent / "q20.tif") as source:
        cells, profile = source.read(1), {**source.profile, "transform": from_origin(0, 0, 10, 10)}
    with rasterio.open(study.parent / "q20.tif", "w", **profile) as sink:
        sink.write(cells, 1)


def _climbing_archive(study: Path) -> None:
    with zipfile.ZipFile(study.parent / "livraisons" / "ZZ.zip", "w") as archive:
        archive.writestr("../t_noeud.csv", "nd_code\n")


def _delivery(study: Path) -> Path:
    """Give the first archive of the study, unpacked in its place."""
    archive = min((study.parent / "livraisons").glob("*.zip"))
    folder = archive.with_suffix("")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    archive.unlink()
    study.write_text(STUDY.replace("livraisons/*.zip", "livraisons/*"), encoding="utf-8")
    return folder


def _truncated(study: Path) -> None:
    layer = next(_delivery(study).rglob("t_noeud.shp"))
    layer.write_bytes(layer.read_bytes()[:150])


def _unknown_version(study: Path) -> None:
    table = next(_delivery(study).rglob("t_cable.csv"))
    table.write_text("alpha;beta\n1;2\n", encoding="utf-8")


def _degrees(study: Path) -> None:
    import pyproj

    for prj in _delivery(study).rglob("*.prj"):
        prj.write_text(pyproj.CRS.from_epsg(4326).to_wkt("WKT1_ESRI"), encoding="utf-8")


def _no_level(study: Path) -> None:
    folder = _delivery(study)
    for other in (study.parent / "livraisons").glob("*.zip"):
        other.unlink()
    for table in folder.rglob("t_*"):
        if not table.name.startswith("t_noeud"):
            table.unlink()


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_missing_file, "q20.tif"),
        (_no_coverage, "coverage"),
        (_unknown_key, "budgets"),
        (_no_crs, "q20.tif"),
        (_elsewhere, "q20.tif"),
        (_climbing_archive, "ZZ.zip"),
        (_truncated, "t_noeud"),
        (_unknown_version, "t_cable"),
        (_degrees, "degrees"),
        (_no_level, "no level of use"),
    ],
)
def test_unusable_input_gives_one_message_and_writes_nothing(
    damage: Callable[[Path], None], named: str, study: Path, tmp_path: Path, command: Run
) -> None:
    damage(study)
    out = tmp_path / "resultats"
    code, printed, errors = command("resilience", "run", study, "-o", out)
    assert code == 2
    assert printed == ""
    assert errors.startswith("error: ")
    assert named in errors
    assert errors.count("error: ") == 1
    assert "Traceback" not in errors
    assert not out.exists()


def test_info_prints_the_counts_of_the_summary(study: Path, command: Run) -> None:
    archives = sorted((study.parent / "livraisons").glob("*.zip"))
    code, printed, _ = command("gracethd", "info", "--json", *archives)
    assert code == 0
    assert json.loads(printed)["prises_inventoried"] == 600
    code, printed, _ = command("gracethd", "info", *archives)
    assert code == 0
    assert "600 inventoriées" in printed


def test_check_exits_1_from_the_severity_that_the_user_names(
    demo01: Path, tmp_path: Path, command: Run
) -> None:
    out = tmp_path / "constats.csv"
    assert command("gracethd", "check", demo01, "-o", out, "--fail-on", "info")[0] == 1
    assert len(pd.read_csv(out)) > 0
    assert command("gracethd", "check", demo01, "--fail-on", "bloquant")[0] == 0
    code, _, errors = command("gracethd", "check", demo01, "--fail-on", "grave")
    assert code == 2
    assert "bloquant, majeur, mineur, info" in errors


def test_spof_lists_and_filters(demo01: Path, tmp_path: Path, command: Run) -> None:
    out = tmp_path / "spof.csv"
    code, printed, _ = command("resilience", "spof", demo01, "--kind", "cable", "--min-prises", 7, "-o", out)
    assert code == 0
    listed = pd.read_csv(out)
    assert set(listed["kind"]) == {"cable"}
    assert listed["prises_cut"].tolist() == [21, 21, 21, 21, 14, 8, 7]
    assert "21 tracées" in printed
    assert command("resilience", "spof", demo01, "--kind", "cables")[0] == 2


def test_an_nro_that_is_its_own_feed_is_not_counted_as_judged(
    demo01: Path, tmp_path: Path, command: Run
) -> None:
    assert command("resilience", "init", demo01, "-o", tmp_path / "etude.toml")[0] == 0
    code, printed, _ = command("resilience", "run", tmp_path / "etude.toml", "-o", tmp_path / "res")
    assert code == 0
    assert "boucles de collecte : 0 NRO jugés sur 1, 0 fausse(s) boucle(s)" in printed


def test_every_command_takes_a_store_in_the_place_of_its_deliveries(study: Path, command: Run) -> None:
    folder = study.parent
    deliveries = sorted((folder / "livraisons").glob("*.zip"))
    code, printed, _ = command("gracethd", "import", *deliveries, "-o", folder / "inventaire.parquet")
    assert code == 0
    assert "inventaire.parquet" in printed
    assert command("gracethd", "import", *deliveries, "-o", folder / "inventaire.gpkg")[0] == 0
    sources = ["livraisons", "inventaire.parquet", "inventaire.gpkg"]
    counts = [command("gracethd", "info", "--json", folder / source)[1] for source in sources]
    assert counts[0] == counts[1] == counts[2] != ""
    lists = [folder / f"{source}-spof.csv" for source in sources]
    for source, path in zip(sources, lists, strict=True):
        assert command("resilience", "spof", folder / source, "-o", path)[0] == 0
    assert lists[0].read_bytes() == lists[1].read_bytes() == lists[2].read_bytes()
    study.write_text('inventory = ["inventaire.parquet"]\n', encoding="utf-8")
    code, printed, _ = command("resilience", "run", study, "-o", folder / "resultats")
    assert code == 0
    assert "600 inventoriées" in printed
    summary = json.loads((folder / "resultats" / "summary.json").read_text(encoding="utf-8"))
    assert len(summary["inputs"]["deliveries"]) == len(deliveries)
    code, _, message = command("gracethd", "check", folder / "inventaire.gpkg")
    assert code == 2
    assert "name its deliveries" in message
