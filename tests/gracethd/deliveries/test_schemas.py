"""A delivery in a PostGIS schema is read as its files are, whatever the types and names of its columns."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import LiteralString

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gracethd.cli import app, run_command
from gracethd.deliveries import Delivery, open_deliveries, open_delivery
from gracethd.errors import CRSError, GraceTHDError, SourceError
from gracethd.inventory import Inventory
from gracethd.model import Version, attributes
from gracethd.normalise import TABLES
from gracethd.postgis import connected, sql
from gracethd.reading import read
from gracethd.store import is_store

psycopg = pytest.importorskip("psycopg", reason="psycopg absent: install the extra postgis")

SQL_TYPES = {"INTEGER": "integer", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp"}
Make = Callable[[str], str]


@pytest.fixture
def schema(postgis: str) -> Iterator[Make]:
    """Give a function that makes an empty schema and gives its address; gone after the test."""
    made = []

    def make(name: str) -> str:
        with connected(postgis) as connection:
            connection.execute(sql("CREATE EXTENSION IF NOT EXISTS postgis"))
            connection.execute(sql("DROP SCHEMA IF EXISTS {} CASCADE", name))
            connection.execute(sql("CREATE SCHEMA {}", name))
        made.append(name)
        return f"{postgis}?schema={name.replace('%', '%25').replace('&', '%26')}"

    yield make
    with connected(postgis) as connection:
        for name in made:
            connection.execute(sql("DROP SCHEMA IF EXISTS {} CASCADE", name))


def execute(address: str, *statements: LiteralString) -> None:
    with connected(address) as connection:
        for statement in statements:
            connection.execute(statement)


def load(
    address: str, name: str, delivery: Delivery, *, version: Version | None = None, upper: bool = False
) -> None:
    """Write a delivery to a schema as another tool would: as text, or with the types of the model."""
    cased = str.upper if upper else str
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL datestyle = 'ISO, DMY'")
        for table, frame in delivery.tables.items():
            kinds = kinds_of(version, table) if version else {}
            plain = frame.drop(columns=["line", "geometry"], errors="ignore")
            fields = [sql("{} " + kinds.get(str(column), "text"), cased(str(column))) for column in plain]
            rows = plain.astype(object).where(plain.notna(), None).to_numpy().tolist()
            if isinstance(frame, gpd.GeoDataFrame):
                fields.append(sql("geom geometry(Geometry, 2154)"))
                ewkb = shapely.to_wkb(
                    shapely.set_srid(frame.geometry.to_numpy(), 2154), hex=True, include_srid=True
                )
                rows = [[*row, shape] for row, shape in zip(rows, ewkb, strict=True)]
            made = psycopg.sql.SQL(", ").join(fields)
            cursor.execute(sql("CREATE TABLE {}.{} (", name, cased(table)) + made + sql(")"))
            with cursor.copy(sql("COPY {}.{} FROM STDIN", name, cased(table))) as copy:
                for row in rows:
                    copy.write_row(row)


def kinds_of(version: Version, table: str) -> dict[str, str]:
    rows = attributes(version)[attributes(version)["table"] == table]
    return {
        str(name): "numeric"
        if str(kind).upper().startswith(("NUMERIC", "REAL", "DECIMAL"))
        else SQL_TYPES[str(kind).upper()]
        for name, kind in zip(rows["attribute"], rows["type"], strict=True)
        if str(kind).upper().startswith(("NUMERIC", "REAL", "DECIMAL")) or str(kind).upper() in SQL_TYPES
    }


def sorted_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Give the values of a table, whatever the order of its rows and columns."""
    plain = pd.DataFrame(table.drop(columns=["line", "file", "delivery"], errors="ignore"))
    if "geometry" in plain:
        plain["geometry"] = shapely.to_wkb(table["geometry"].to_numpy(), hex=True)
    columns = sorted(plain.columns)
    return plain[columns].sort_values(columns, ignore_index=True)


def assert_same_inventory(one: Inventory, other: Inventory) -> None:
    assert one.crs == other.crs
    for name in TABLES:
        if name in other:
            pd.testing.assert_frame_equal(sorted_rows(one[name]), sorted_rows(other[name]))
    told, expected = (
        which.findings.query("rule != 'listes_non_lues'")["rule"].value_counts().to_dict()
        for which in (one, other)
    )
    assert told == expected


def test_text_columns_with_names_in_capitals_are_read_value_by_value(schema: Make, sample_v3: Path) -> None:
    of_files = open_delivery(sample_v3)
    address = schema("livraison")
    load(address, "livraison", of_files, upper=True)
    of_schema = open_deliveries([address])[0]
    assert of_schema.name.endswith(".livraison")
    assert of_schema.versions == of_files.versions
    assert of_schema.crs == of_files.crs
    assert list(of_schema.tables) == sorted(of_files.tables)
    for name, table in of_files.tables.items():
        assert type(of_schema.tables[name]) is type(table)
        pd.testing.assert_frame_equal(sorted_rows(of_schema.tables[name]), sorted_rows(table))
        assert of_schema.tables[name]["line"].tolist() == list(range(1, len(table) + 1))
    cable = of_schema.tables["t_cable"]["cb_code"].tolist()
    assert cable == sorted(cable)
    assert of_schema.files["t_cable"] == "livraison.T_CABLE"


def test_typed_columns_give_the_inventory_of_the_files(schema: Make, demo01: Path) -> None:
    address = schema("typee")
    load(address, "typee", open_delivery(demo01), version="2.0.1")
    assert not is_store(address)
    assert_same_inventory(read(address), read(demo01))
    assert open_deliveries([address, address])[0].sha256 == open_deliveries([address])[0].sha256
    assert len(open_deliveries([address, address])) == 1


def test_the_commands_take_a_schema_and_tell_no_credential(
    postgis: str, demo01: Path, schema: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source, store = schema("gracethd"), schema("inventaire")
    execute(postgis, "DROP SCHEMA inventaire")
    load(source, "gracethd", open_delivery(demo01))
    monkeypatch.chdir(tmp_path)
    secret = postgis.replace("tester@", "tester:s3cret@")
    told = []
    for arguments in (
        ["info", "--json", secret],
        ["import", secret, "-o", f"{secret}?schema=inventaire"],
        ["info", "--json", f"{secret}?schema=inventaire"],
        ["import", secret, "-o", "s.parquet"],
        ["check", secret, "--fail-on", "bloquant", "-o", "constats.csv"],
    ):
        monkeypatch.setattr("sys.argv", ["gracethd", *map(str, arguments)])
        assert run_command(app) == 0
        told.append(capfd.readouterr())
    assert told[0].out == told[2].out
    for arguments in (
        ["check", f"{secret}?schema=inventaire"],  # a store is not what was delivered
        ["import", demo01, "-o", secret],  # a delivery is not overwritten
        ["info", f"{secret}?schema=rien"],
        ["info", f"{secret}?schema="],
        ["info", secret.replace("127.0.0.1:", "127.0.0.1:1")],
    ):
        monkeypatch.setattr("sys.argv", ["gracethd", *map(str, arguments)])
        assert run_command(app) == 2
        told.append(capfd.readouterr())
    assert "no longer holds what was delivered" in told[5].err
    assert "holds something that is no store" in told[6].err
    assert (
        "no such schema: 'rien'; name one with ?schema=NAME - schemas that hold some: gracethd" in told[7].err
    )
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["constats.csv", "s.parquet"]
    for secret_word in ("s3cret", "tester"):
        assert secret_word not in "".join(out + err for out, err in told)
        assert secret_word.encode() not in written
    assert is_store(store)


def test_names_are_quoted_and_what_is_of_no_model_is_listed(schema: Make, demo01: Path) -> None:
    name = 'x"; DROP SCHEMA public; %s {} --'
    address = schema(name)
    load(address, name, open_delivery(demo01))
    with connected(address) as connection:
        connection.execute(sql("ALTER TABLE {}.t_cable ADD COLUMN {} text", name, 'a"b; %s {0} é'))
        connection.execute(sql("CREATE TABLE {}.{} (a text)", name, "t_essai"))
    delivery = open_deliveries([address])[0]
    assert delivery.findings.query("rule == 'attribut_inconnu'")["table"].tolist()[-1:] == ["t_cable"]
    assert "t_essai" in delivery.findings.query("rule == 'table_inconnue'")["code"].tolist()
    assert len(delivery.tables["t_cable"]) == 49


def test_a_view_may_stand_for_a_table_but_changes_nothing(schema: Make) -> None:
    address = schema("vues")
    execute(
        address,
        "CREATE TABLE vues.mine (code text, place geometry(Point, 3950))",
        "INSERT INTO vues.mine VALUES ('N2', 'SRID=3950;POINT(1650000 9200000)'), ('N1', NULL)",
        "CREATE VIEW vues.t_noeud AS SELECT code AS nd_code, place AS geom FROM vues.mine",
    )
    delivery = open_deliveries([address])[0]
    assert delivery.tables["t_noeud"]["nd_code"].tolist() == ["N1", "N2"]
    assert delivery.crs is not None
    assert delivery.crs.to_epsg() == 3950
    execute(
        address,
        "CREATE FUNCTION vues.spoil() RETURNS text LANGUAGE sql VOLATILE"
        " AS 'DELETE FROM vues.mine RETURNING code'",
        "CREATE VIEW vues.t_cable AS SELECT vues.spoil() AS cb_code",
    )
    with pytest.raises(SourceError, match="read-only transaction"):
        open_deliveries([address])


def test_faults_of_a_schema_are_errors_in_its_words(schema: Make) -> None:
    address = schema("fautes")
    with pytest.raises(SourceError, match=r"no GraceTHD table .* in schema 'fautes'"):
        open_deliveries([address])
    execute(address, 'CREATE TABLE fautes.t_noeud (nd_code text, "ND_CODE" text, geom geometry)')
    with pytest.raises(SourceError, match=r"fautes\.t_noeud: column 'nd_code' stands twice"):
        open_deliveries([address])
    execute(
        address,
        'ALTER TABLE fautes.t_noeud DROP COLUMN "ND_CODE"',
        "INSERT INTO fautes.t_noeud VALUES ('N1', 'SRID=2154;POINT(700000 7000000)'),"
        " ('N2', 'SRID=3950;POINT(1650000 9200000)')",
    )
    with pytest.raises(CRSError, match=r"several systems \(SRID 2154, 3950\)"):
        open_deliveries([address])
    execute(address, "UPDATE fautes.t_noeud SET geom = 'SRID=4326;POINT(2 50)'")
    with pytest.raises(CRSError, match="EPSG:4326 is in degrees"):
        open_deliveries([address])
    execute(address, "UPDATE fautes.t_noeud SET geom = 'POINT(2 50)'")
    with pytest.raises(CRSError, match="no layer"):
        open_deliveries([address])
    execute(address, 'CREATE TABLE fautes."T_NOEUD" (nd_code text)')
    with pytest.raises(SourceError, match="two tables, 'T_NOEUD' and 't_noeud'; keep one"):
        open_deliveries([address])


def test_a_polygon_longer_than_a_block_of_the_reader_comes_whole(schema: Make) -> None:
    address = schema("grand")
    execute(
        address,
        "CREATE TABLE grand.t_zsro (zs_code text, geom geometry(Polygon, 2154))",
        "INSERT INTO grand.t_zsro"
        " SELECT 'Z', ST_Buffer('SRID=2154;POINT(700000 7000000)'::geometry, 100, 25000)",
    )
    zone = open_deliveries([address])[0].tables["t_zsro"]["geometry"][0]
    assert shapely.get_num_coordinates(zone) == 100_001


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(GraceTHDError, match=r"pip install 'gracethd\[postgis\]'"):
        read("postgresql://localhost/essai")
