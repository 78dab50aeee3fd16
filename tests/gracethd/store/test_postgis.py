"""A store in a real PostGIS gives back what it was given, and leaves alone what is not its own."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.cli import app, run_command
from gracethd.errors import SourceError
from gracethd.inventory import Inventory
from gracethd.reading import read
from gracethd.store import refuse_stores, store_name, write_store
from tests.draws import draws
from tests.gracethd.store.test_store import assert_same
from tests.inventories import inventories

psycopg = pytest.importorskip("psycopg", reason="psycopg absent: install the extra postgis")

DAY = date(2026, 3, 1)


def query(address: str, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []


@settings(max_examples=draws(4))
@given(data=st.data())
def test_a_database_gives_back_any_inventory(postgis: str, data: st.DataObject) -> None:
    inventory = data.draw(inventories())
    write_store(inventory, postgis, day=DAY)
    assert_same(read(postgis), inventory)


def test_a_sample_comes_back_and_opens_with_sql(postgis: str, demo01: Path) -> None:
    inventory = read(demo01)
    write_store(inventory, postgis, day=DAY)
    assert_same(read(postgis), inventory)
    drawn = "SELECT count(*), min(ST_SRID(geometry)) FROM gracethd.cable WHERE geometry IS NOT NULL"
    assert query(postgis, drawn) == [(22, 2154)]
    assert query(postgis, "SELECT has_schema_privilege('public', 'gracethd', 'USAGE')") == [(False,)]
    assert query(postgis, "SELECT obj_description('gracethd'::regnamespace)") == [("DIFFUSION RESTREINTE",)]


def test_a_write_that_fails_leaves_the_store_before(
    postgis: str, demo01: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = read(demo01)
    write_store(inventory, postgis, day=DAY)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    tables = {**inventory.tables, "cable": inventory["cable"][:5]}
    fewer = Inventory(tables, inventory.crs, inventory.deliveries, inventory.findings)
    with monkeypatch.context() as patch:
        patch.setattr("gracethd.store.postgis.json.dumps", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_store(fewer, postgis, day=DAY)
    assert_same(read(postgis), inventory)


def test_what_is_no_store_is_left_alone(postgis: str, demo01: Path) -> None:
    inventory = read(demo01)
    query(postgis, "DROP SCHEMA IF EXISTS gracethd CASCADE")
    with pytest.raises(SourceError, match="no such schema"):
        read(postgis)
    query(postgis, "CREATE SCHEMA gracethd CREATE TABLE letters (text text)")
    with pytest.raises(SourceError, match="holds something that is no store"):
        write_store(inventory, postgis, day=DAY)
    assert query(postgis, "SELECT count(*) FROM gracethd.letters") == [(0,)]
    query(postgis, "DROP SCHEMA gracethd CASCADE")


def test_damage_is_an_error(postgis: str, demo01: Path) -> None:
    write_store(read(demo01), postgis, day=DAY)
    query(postgis, "DELETE FROM gracethd.fibre WHERE gracethd_row = 3")
    with pytest.raises(SourceError, match="fibre has 1050 rows of 1051"):
        read(postgis)
    query(postgis, "DROP TABLE gracethd.fibre")
    with pytest.raises(SourceError, match="fibre"):
        read(postgis)


def test_no_credential_is_ever_shown() -> None:
    address = "postgresql://moi:s3cret@127.0.0.1:1/base"
    assert store_name(address) == "postgresql://127.0.0.1:1/base"
    for failing in (lambda: read(address), lambda: refuse_stores([address])):
        with pytest.raises(SourceError) as caught:
            failing()
        assert "s3cret" not in str(caught.value)
        assert "moi" not in str(caught.value)


def test_the_commands_take_an_address(
    postgis: str, demo01: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = []
    for arguments in (
        ["import", demo01, "-o", postgis],
        ["info", "--json", postgis],
        ["info", "--json", demo01],
    ):
        monkeypatch.setattr("sys.argv", ["gracethd", *map(str, arguments)])
        assert run_command(app) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[1] == outputs[2]
    assert "tester" not in outputs[0]
