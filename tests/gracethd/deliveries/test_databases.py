"""Deliveries in one GeoPackage or SpatiaLite file, and what such a file must not make us do."""

import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.deliveries import open_deliveries, open_delivery
from gracethd.errors import CRSError, SourceError
from gracethd.reading import read
from tests.draws import draws
from tests.gracethd.deliveries.test_archives import packed

PLACE = shapely.Point(650_000, 7_060_000)


def layer(path: Path, name: str, frame: pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", append=path.exists())
    return path


def nodes(crs: int = 2154) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"ND_CODE": ["ND1", "ND2"]}, geometry=[PLACE, None], crs=crs)


def sql(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return path


def test_a_geopackage_says_what_its_shapefiles_say(demo01: Path, tmp_path: Path) -> None:
    """Each table of demo01 put in a GeoPackage as GIS tools do: layers with types, tables as text."""
    path = tmp_path / "demo01-v2.0.1.gpkg"
    for file in sorted([*demo01.glob("t_*.shp"), *demo01.glob("t_*.csv")]):
        if file.suffix == ".csv":
            frame = pd.read_csv(file, sep=";", dtype=str)
            layer(path, file.stem.upper(), frame)
        else:
            layer(path, file.stem, gpd.read_file(file, engine="pyogrio"))
    one, other = open_delivery(path), open_delivery(demo01)
    assert one.crs == other.crs
    assert set(one.files.values()) == {"demo01-v2.0.1.gpkg"}
    assert sorted(one.tables) == sorted(other.tables)
    for name, table in other.tables.items():
        for column in table:
            if column == "geometry":
                assert shapely.equals(one.tables[name][column].array, table[column].array).all()
            elif column == "line" or not len(table):
                assert len(one.tables[name]) == len(table)
            else:
                days = one.tables[name][column].str.removesuffix(" 00:00:00")
                assert days.tolist() == table[column].str.removesuffix(" 00:00:00").tolist(), (name, column)


def test_a_geopackage_gives_the_inventory_of_its_files(demo01: Path, tmp_path: Path) -> None:
    path = tmp_path / "demo01.gpkg"
    for file in sorted([*demo01.glob("t_*.shp"), *demo01.glob("t_*.csv")]):
        frame = (
            pd.read_csv(file, sep=";", dtype=str)
            if file.suffix == ".csv"
            else gpd.read_file(file, engine="pyogrio")
        )
        layer(path, file.stem, frame)
    one, other = read(path), read(demo01)
    for name in other:
        columns = [column for column in other[name].columns if column not in ("delivery", "file")]
        pd.testing.assert_frame_equal(pd.DataFrame(one[name][columns]), pd.DataFrame(other[name][columns]))


def test_a_layer_without_geometry_and_one_with_a_null_are_read(tmp_path: Path) -> None:
    path = layer(tmp_path / "zone.gpkg", "T_Noeud", nodes())
    layer(path, "t_cable", pd.DataFrame({"cb_code": ["é"], "cb_capafo": [12.0], "cb_nd1": [None]}))
    delivery = open_delivery(path)
    assert delivery.tables["t_noeud"]["nd_code"].tolist() == ["ND1", "ND2"]
    assert delivery.tables["t_noeud"]["geometry"].isna().tolist() == [False, True]
    assert delivery.tables["t_cable"][["cb_code", "cb_capafo"]].to_numpy().tolist() == [["é", "12"]]
    assert delivery.findings["rule"].tolist() == ["geometrie_absente"]


def test_a_key_of_whole_numbers_is_kept(tmp_path: Path) -> None:
    """SQLite numbers its rows by an INTEGER PRIMARY KEY, which GDAL then hides."""
    path = layer(tmp_path / "zone.gpkg", "t_noeud", nodes())
    sql(path, "CREATE TABLE t_baie (ba_code INTEGER PRIMARY KEY, ba_lt_code TEXT)",
        "INSERT INTO t_baie VALUES (12, 'LT1')")  # fmt: skip
    assert open_delivery(path).tables["t_baie"][["ba_code", "ba_lt_code"]].to_numpy().tolist() == [
        ["12", "LT1"]
    ]


def spatialite(path: Path) -> Path:
    """Write a SpatiaLite 4 table by hand, geometry as its documentation says (BLOB-Geometry)."""
    x, y = PLACE.x, PLACE.y
    blob = (
        b"\x00\x01" + struct.pack("<i4d", 2154, x, y, x, y) + b"\x7c" + struct.pack("<i2d", 1, x, y) + b"\xfe"
    )
    sql(
        path,
        "CREATE TABLE spatial_ref_sys (srid INTEGER PRIMARY KEY, auth_name TEXT, auth_srid INTEGER,"
        " ref_sys_name TEXT, proj4text TEXT, srtext TEXT)",
        "INSERT INTO spatial_ref_sys VALUES (2154, 'epsg', 2154, 'RGF93 / Lambert-93', '', '')",
        "CREATE TABLE geometry_columns (f_table_name TEXT, f_geometry_column TEXT, geometry_type INTEGER,"
        " coord_dimension INTEGER, srid INTEGER, spatial_index_enabled INTEGER)",
        "INSERT INTO geometry_columns VALUES ('t_noeud', 'geom', 1, 2, 2154, 0)",
        "CREATE TABLE t_noeud (nd_code TEXT PRIMARY KEY, geom BLOB)",
        "CREATE TABLE t_cable (cb_code TEXT, cb_nd1 TEXT)",
        "INSERT INTO t_cable VALUES ('CB1', 'ND1')",
        f"INSERT INTO t_noeud VALUES ('ND1', x'{blob.hex()}')",
    )
    return path


def test_a_spatialite_file_is_read(tmp_path: Path) -> None:
    delivery = open_delivery(spatialite(tmp_path / "zone.sqlite"))
    assert delivery.tables["t_noeud"]["nd_code"].tolist() == ["ND1"]
    assert delivery.tables["t_noeud"]["geometry"].tolist() == [PLACE]
    assert delivery.crs is not None
    assert delivery.crs.to_epsg() == 2154
    assert delivery.tables["t_cable"]["cb_nd1"].tolist() == ["ND1"]


def test_several_databases_in_a_folder_or_an_archive_are_several_deliveries(tmp_path: Path) -> None:
    one, two = (layer(tmp_path / "lot" / f"{name}.gpkg", "t_noeud", nodes()) for name in "ab")
    assert [delivery.name for delivery in open_deliveries([tmp_path / "lot"])] == ["a", "b"]
    archive = packed(tmp_path / "lot.zip", {one.name: one.read_bytes(), two.name: two.read_bytes()})
    assert [delivery.name for delivery in open_deliveries([archive])] == ["lot/a", "lot/b"]


def test_a_database_among_files_completes_them_and_wins(tmp_path: Path) -> None:
    layer(tmp_path / "zone" / "zone.gpkg", "t_noeud", nodes())
    layer(tmp_path / "zone" / "zone.gpkg", "t_baie", pd.DataFrame({"ba_code": ["base"]}))
    (tmp_path / "zone" / "t_cable.csv").write_text("cb_code;cb_nd1\nCB1;\n")
    (tmp_path / "zone" / "t_baie.csv").write_text("ba_code;ba_lt_code\nfichier;\n")
    delivery = open_delivery(tmp_path / "zone")
    assert delivery.tables["t_baie"]["ba_code"].tolist() == ["base"]
    assert delivery.tables["t_cable"]["cb_code"].tolist() == ["CB1"]
    assert "fichier_double" in delivery.findings["rule"].tolist()


def test_views_and_virtual_tables_are_not_read(tmp_path: Path) -> None:
    path = layer(tmp_path / "zone.gpkg", "t_noeud", nodes())
    sql(path, "CREATE VIEW t_cable AS SELECT 'CB1' AS cb_code",
        "CREATE VIRTUAL TABLE t_fibre USING fts5(fo_code)")  # fmt: skip
    assert sorted(open_delivery(path).tables) == ["t_noeud"]


def test_computed_columns_are_refused(tmp_path: Path) -> None:
    path = layer(tmp_path / "zone.gpkg", "t_noeud", nodes())
    sql(path, "CREATE TABLE t_baie (ba_code TEXT, ba_lt_code TEXT AS (hex(zeroblob(400000000))))",
        "INSERT INTO t_baie (ba_code) VALUES ('a')")  # fmt: skip
    with pytest.raises(SourceError, match=r"zone\.gpkg: t_baie has a computed column"):
        open_delivery(path)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"PK\x03\x04", b"<xml/>"])
@pytest.mark.parametrize("name", ["zone.gpkg", "zone.sqlite"])
def test_what_is_not_a_database_is_said_so(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        open_delivery(tmp_path / name)


def test_a_database_without_a_table_of_the_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"zone\.gpkg: no GraceTHD table"):
        open_delivery(layer(tmp_path / "zone.gpkg", "routes", nodes()))


def test_degrees_are_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(CRSError, match=r"in degrees.*EPSG:2154"):
        open_delivery(layer(tmp_path / "zone.gpkg", "t_noeud", nodes(4326)))


def test_reading_writes_nothing_beside_the_file(tmp_path: Path) -> None:
    path = layer(tmp_path / "zone.gpkg", "t_noeud", nodes())
    before = path.read_bytes()
    open_delivery(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return spatialite(tmp_path_factory.mktemp("sound") / "zone.sqlite").read_bytes()


@settings(max_examples=draws(40))
@given(data=st.data())
def test_damaged_bytes_give_a_delivery_or_one_clear_error(
    data: st.DataObject, sound: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(content), len(content) // 2, 3000]))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "zone.sqlite").write_bytes(content[:cut])
    try:
        open_delivery(folder / "zone.sqlite")
    except (SourceError, CRSError) as error:
        assert "zone.sqlite" in str(error) or "t_" in str(error)  # noqa: PT017
    finally:
        shutil.rmtree(folder)
