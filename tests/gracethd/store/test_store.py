"""A store gives back the inventory that it was given, exactly, or says what is wrong with it."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings

from gracethd.errors import SourceError
from gracethd.inventory import Inventory
from gracethd.reading import read
from gracethd.store import check_destination, is_store, refuse_stores, write_store
from tests.draws import draws
from tests.inventories import inventories

DAY = date(2026, 3, 1)
FORMS = ["store.parquet", "store", "store.gpkg"]


def assert_same(one: Inventory, other: Inventory) -> None:
    """Compare every value, dtype, order and coordinate of two inventories."""
    assert list(one) == list(other)
    assert one.crs == other.crs
    pairs = [(one[name], other[name]) for name in one]
    for left, right in [*pairs, (one.deliveries, other.deliveries), (one.findings, other.findings)]:
        pd.testing.assert_frame_equal(
            left.drop(columns="geometry", errors="ignore"),
            right.drop(columns="geometry", errors="ignore"),
            check_exact=True,
            check_index_type="exact",
        )
        assert type(left) is type(right)
        assert left.columns.tolist() == right.columns.tolist()
        if isinstance(left, gpd.GeoDataFrame) and isinstance(right, gpd.GeoDataFrame):
            assert left.crs == right.crs
            assert left.geometry.to_wkb().tolist() == right.geometry.to_wkb().tolist()


def digests(path: Path) -> dict[str, str]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in files}


@settings(max_examples=draws(10))
@given(inventory=inventories())
def test_a_folder_gives_back_any_inventory(
    inventory: Inventory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("s") / "store.parquet"
    write_store(inventory, path, day=DAY)
    assert_same(read(path), inventory)


@settings(max_examples=draws(4))
@given(inventory=inventories())
def test_a_geopackage_gives_back_any_inventory(
    inventory: Inventory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("s") / "store.gpkg"
    write_store(inventory, path, day=DAY)
    assert_same(read(path), inventory)


@pytest.mark.parametrize("form", ["store.parquet", "store.gpkg"])
@pytest.mark.parametrize("sample", ["demo01", "sample_v3"])
def test_the_samples_come_back_from_every_form(
    form: str, sample: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    inventory = read(request.getfixturevalue(sample))
    write_store(inventory, tmp_path / form, day=DAY)
    assert is_store(tmp_path / form)
    assert_same(read(tmp_path / form), inventory)


@pytest.fixture(scope="module")
def inventory(demo01: Path) -> Inventory:
    return read(demo01)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_inventory_gives_the_same_bytes_and_is_for_its_owner(
    form: str, inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_store(inventory, tmp_path / "a" / form, day=DAY)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    write_store(inventory, tmp_path / "b" / form, day=DAY)
    assert digests(tmp_path / "a" / form) == digests(tmp_path / "b" / form)
    made = tmp_path / "a" / form
    for path in [made, *made.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0
    assert [path.name for path in made.parent.iterdir()] == [form]


@pytest.mark.parametrize("form", FORMS)
def test_a_store_takes_the_place_of_a_store_and_an_interruption_leaves_it(
    form: str, inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / form
    write_store(inventory, path, day=DAY)
    before = digests(path)
    fewer = Inventory(
        {**inventory.tables, "cable": inventory["cable"][:5]}, inventory.crs, inventory.deliveries,
        inventory.findings,
    )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr("gracethd.store.folder.write_json", interrupt)
        patch.setattr("gracethd.outputs.geopackage._store_styles", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_store(fewer, path, day=DAY)
    assert digests(path) == before
    assert [left.name for left in tmp_path.iterdir()] == [form]
    write_store(fewer, path, day=DAY)
    assert len(read(path)["cable"]) == 5
    assert [left.name for left in tmp_path.iterdir()] == [form]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["store.csv", "store.zip", "full", "file.gpkg", "other"])
def test_what_is_no_store_is_left_alone(name: str, inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "file.gpkg").write_text("not a geopackage")
    write_store(inventory, tmp_path / "folder.parquet", day=DAY)
    (tmp_path / "folder.parquet").rename(tmp_path / "folder.gpkg")
    with pytest.raises(SourceError, match="-o"):
        check_destination(tmp_path / name.replace("other", "folder.gpkg"))
    assert (tmp_path / "full" / "letter.txt").read_text() == "dear"


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as database:
        yield database
        database.commit()


def change_manifest(path: Path, **changes: object) -> None:
    if path.is_dir():
        file = path / "inventory.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
        return
    with opened(path) as database:
        raw = json.loads(database.execute("SELECT manifest FROM gracethd_inventory").fetchone()[0])
        database.execute("UPDATE gracethd_inventory SET manifest = ?", (json.dumps({**raw, **changes}),))


def tables_of(path: Path) -> list[dict[str, object]]:
    return json.loads((path / "inventory.json").read_text())["tables"]


@pytest.mark.parametrize("form", ["store.parquet", "store.gpkg"])
def test_a_store_of_another_version_says_so(form: str, inventory: Inventory, tmp_path: Path) -> None:
    path = tmp_path / form
    write_store(inventory, path, day=DAY)
    change_manifest(path, format=99)
    with pytest.raises(SourceError, match=rf"{form}.*format 99.*update gracethd"):
        read(path)
    change_manifest(path, format=1, tables=[])
    with pytest.raises(SourceError, match=rf"{form}.*holds no noeud\.nd_code.*import the deliveries again"):
        read(path)


@pytest.mark.parametrize("changes", [{"crs": "nowhere"}, {"tables": 3}, {"format": "one"}, {"tables": [{}]}])
@pytest.mark.parametrize("form", ["store.parquet", "store.gpkg"])
def test_a_manifest_that_makes_no_sense_is_damage(
    form: str, changes: dict[str, object], inventory: Inventory, tmp_path: Path
) -> None:
    write_store(inventory, tmp_path / form, day=DAY)
    change_manifest(tmp_path / form, **changes)
    with pytest.raises(SourceError, match="damaged"):
        read(tmp_path / form)


def test_a_damaged_folder_names_the_file(inventory: Inventory, tmp_path: Path) -> None:
    path = tmp_path / "store"
    write_store(inventory, path, day=DAY)
    whole = (path / "cable.parquet").read_bytes()
    for spoiled in (whole[:-50], whole[:100] + b"!" + whole[101:], b""):
        (path / "cable.parquet").write_bytes(spoiled)
        with pytest.raises(SourceError, match=r"store: damaged.*cable\.parquet"):
            read(path)
    (path / "cable.parquet").unlink()
    with pytest.raises(SourceError, match=r"cable\.parquet is missing"):
        read(path)
    (path / "inventory.json").write_text("{")
    with pytest.raises(SourceError, match=r"inventory\.json cannot be read"):
        read(path)


def test_a_manifest_does_not_lead_out_of_its_folder(inventory: Inventory, tmp_path: Path) -> None:
    write_store(inventory, tmp_path / "store", day=DAY)
    tables = tables_of(tmp_path / "store")
    change_manifest(tmp_path / "store", tables=[*tables, {**tables[0], "name": "../store/noeud"}])
    with pytest.raises(SourceError, match="names no table"):
        read(tmp_path / "store")


def test_a_damaged_geopackage_is_an_error(inventory: Inventory, tmp_path: Path) -> None:
    path = tmp_path / "store.gpkg"
    write_store(inventory, path, day=DAY)
    whole = path.read_bytes()
    with opened(path) as database:
        database.execute("DROP TABLE fibre")
    with pytest.raises(SourceError, match="fibre"):
        read(path)
    path.write_bytes(whole)
    with opened(path) as database:
        database.execute("DELETE FROM fibre WHERE fo_code = (SELECT min(fo_code) FROM fibre)")
    with pytest.raises(SourceError, match="fibre has 1050 rows of 1051"):
        read(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError):
        read(path)


def test_a_store_is_read_alone_and_is_no_delivery(inventory: Inventory, demo01: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.parquet"
    write_store(inventory, path, day=DAY)
    with pytest.raises(SourceError, match="read alone"):
        read([path, demo01])
    with pytest.raises(SourceError, match="name its deliveries"):
        refuse_stores([demo01, path])


def test_nothing_of_the_inventory_is_changed_by_storing(inventory: Inventory, tmp_path: Path) -> None:
    kept = {name: frame.copy() for name, frame in inventory.items()}
    for form in FORMS:
        write_store(inventory, tmp_path / form, day=DAY)
    for name, frame in kept.items():
        pd.testing.assert_frame_equal(frame, inventory[name])
