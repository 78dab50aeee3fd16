"""The example study is what its script builds, and shows what it is there to show."""

import hashlib
import importlib.util
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely

from gracethd.synth import SynthNetwork
from resilience import demo
from resilience.demo import example_folder
from resilience.study import load_study
from resilience.study_budget import Budget
from resilience.tables import load_tables

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "data" / "exemple"
WRITTEN = {".zip", ".csv", ".gpkg", ".tif", ".toml"}
PERIODS = (20, 100, 1000)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SynthNetwork]:
    spec = importlib.util.spec_from_file_location("example_build", EXAMPLE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules["example_build"] = script  # its dataclass looks itself up
    spec.loader.exec_module(script)
    folder = tmp_path_factory.mktemp("exemple")
    return folder, script.build(folder)


def contents(path: Path) -> object:
    """Give what a file holds; archives, rasters and layers without what their libraries may write anew."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {
                name: hashlib.sha256(archive.read(name)).hexdigest() for name in sorted(archive.namelist())
            }
    if path.suffix == ".tif":
        with rasterio.open(path) as raster:
            return raster.read(1).tobytes(), raster.transform, str(raster.crs), raster.nodata
    if path.suffix == ".gpkg":
        layer = pyogrio.read_dataframe(path)
        shapes = shapely.set_precision(layer.geometry.to_numpy(), 1e-6, mode="pointwise")
        return pd.DataFrame(layer.drop(columns="geometry")).to_csv(), [s.wkb for s in shapes], str(layer.crs)
    return path.read_bytes()


def test_the_example_is_what_its_script_builds(built: tuple[Path, SynthNetwork]) -> None:
    folder, _ = built
    names = {
        path.relative_to(root).as_posix()
        for root in (folder, EXAMPLE)
        for path in root.rglob("*")
        if path.suffix in WRITTEN
    }
    assert any(name.startswith("livraisons/") for name in names)
    for name in sorted(names):
        assert (folder / name).is_file(), f"{name} is not built by data/exemple/build.py"
        assert (EXAMPLE / name).is_file(), f"{name} is missing: run data/exemple/build.py"
        assert contents(folder / name) == contents(EXAMPLE / name), f"{name}: run data/exemple/build.py"


def test_the_study_and_its_tables_are_valid() -> None:
    study = load_study(EXAMPLE / "etude.toml")
    assert study.budget == Budget(300_000)
    assert study.loss.tail == "constant"
    assert [event.return_period for event in study.hazards[0].events] == list(PERIODS)
    tables = load_tables(study)
    assert set(tables) == set(study.tables) - {"terrain"}
    assert len(tables["communes"]) == 9


def test_subscribers_are_three_quarters_of_the_prises() -> None:
    tables = load_tables(load_study(EXAMPLE / "etude.toml"))
    assert 0.73 < tables["abonnes"]["abonnes"].sum() / 7090 < 0.75


def depths(period: int) -> np.ndarray:
    with rasterio.open(EXAMPLE / f"hauteur_q{period}.tif") as raster:
        values = raster.read(1)
        return np.where(values == raster.nodata, 0.0, values)


def test_rarer_floods_are_nowhere_less_deep() -> None:
    q20, q100, q1000 = (depths(period) for period in PERIODS)
    assert (q20 <= q100).all()
    assert (q100 <= q1000).all()
    wet = [np.count_nonzero(depth > 0) for depth in (q20, q100, q1000)]
    assert 0 < wet[0] < wet[1] < wet[2]
    assert q1000.max() < 4.0


def test_water_stays_in_the_mapped_area_and_the_network_goes_beyond() -> None:
    coverage = gpd.read_file(EXAMPLE / "emprise.gpkg").geometry.union_all()
    with rasterio.open(EXAMPLE / "hauteur_q1000.tif") as raster:
        rows, columns = np.nonzero(raster.read(1) != raster.nodata)
        x, y = raster.xy(rows, columns)
    assert shapely.contains_xy(coverage, x, y).all()
    roads = gpd.read_file(EXAMPLE / "routes.gpkg")
    assert 0.2 < roads.intersection(coverage).length.sum() / roads.length.sum() < 0.9


def test_the_rarest_flood_reaches_some_rooms_and_the_frequent_one_few(
    built: tuple[Path, SynthNetwork],
) -> None:
    _, network = built
    rooms = network.sites[network.sites["kind"].isin(["PM", "NRO"])]
    points = network.places.geometry.iloc[rooms["place"]].get_coordinates().to_numpy()
    wet = {}
    for period in PERIODS:
        with rasterio.open(EXAMPLE / f"hauteur_q{period}.tif") as raster:
            wet[period] = sum(float(value[0]) > 0 for value in raster.sample(points))
    assert wet[20] <= wet[100] <= wet[1000]
    assert wet[20] <= 2
    assert 2 <= wet[1000] <= len(rooms) / 2


def test_all_that_is_invented_says_so() -> None:
    tables = load_tables(load_study(EXAMPLE / "etude.toml"))
    assert tables["sites_sensibles"]["nom"].str.contains("fictif|fictive").all()
    assert tables["cuivre"]["lot"].str.contains("fictif").all()
    assert "INVENT" in (EXAMPLE / "etude.toml").read_text(encoding="utf-8")
    with rasterio.open(EXAMPLE / "relief.tif") as raster:
        assert "inventé" in raster.descriptions[0]


def test_the_example_is_found_from_a_clone() -> None:
    with example_folder() as folder:
        assert folder == EXAMPLE


def test_the_example_of_an_installed_package_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "_data" / "exemple"
    inside.mkdir(parents=True)
    monkeypatch.setattr(demo, "files", lambda _: tmp_path)
    with example_folder() as folder:
        assert folder == inside
