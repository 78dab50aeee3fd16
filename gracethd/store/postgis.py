"""A store in a PostGIS database: one schema, a table a frame, replaced in one transaction."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import shapely

from gracethd.errors import GraceTHDError, SourceError
from gracethd.inventory import Inventory
from gracethd.outputs.publish import DIFFUSION
from gracethd.store.manifest import (
    Manifest,
    Shape,
    damaged,
    dress,
    frames_of,
    from_plain,
    inventory_of,
    shape_of,
    title_of,
    to_plain,
)

if TYPE_CHECKING:
    import psycopg

SCHEMA = "gracethd"
"""Where a store stands in its database; nothing else may stand there."""

_MANIFEST, _ROW = "gracethd_inventory", "gracethd_row"
_CONNECT_S = 10
_SQL = {
    "str": "text",
    "float64": "double precision",
    "int64": "bigint",
    "bool": "boolean",
    "datetime64[s]": "timestamp(0)",
}
_ARROW = {
    "str": pa.large_string(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "datetime64[s]": pa.timestamp("s"),
    "geometry": pa.large_string(),
}


def is_address(source: object) -> bool:
    """Tell whether a source is the address of a database and not a path.

    Examples
    --------
    >>> is_address("postgresql://me@localhost/reseau"), is_address("inventaire.gpkg")
    (True, False)
    """
    return isinstance(source, str) and source.startswith(("postgresql://", "postgres://"))


def shown(address: str) -> str:
    """Give an address as messages show it: without user and password.

    Examples
    --------
    >>> shown("postgresql://me:secret@db.example:5433/reseau?sslmode=require")
    'postgresql://db.example:5433/reseau'
    """
    parts = urlsplit(address)
    return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


def write_database(inventory: Inventory, address: str) -> None:
    """Write the store of an inventory in the schema `SCHEMA` of a database, whole or not at all.

    Raises
    ------
    SourceError
        The database cannot be reached, has no PostGIS, or its schema holds something that is no store.
    """
    frames = frames_of(inventory)
    described = to_plain(Manifest(inventory.crs, {name: shape_of(frame) for name, frame in frames.items()}))
    with _connected(address) as connection, connection.cursor() as cursor:
        _refuse_foreign(cursor, address)
        cursor.execute(_sql("CREATE EXTENSION IF NOT EXISTS postgis"))
        cursor.execute(_sql("DROP SCHEMA IF EXISTS {} CASCADE", SCHEMA))
        cursor.execute(_sql("CREATE SCHEMA {}", SCHEMA))
        cursor.execute(_sql("COMMENT ON SCHEMA {} IS %s", SCHEMA, literals=(DIFFUSION,)))
        for name, frame in frames.items():
            _write(cursor, name, frame, inventory.crs.to_epsg() or 0)
        cursor.execute(_sql("CREATE TABLE {}.{} (manifest text)", SCHEMA, _MANIFEST))
        cursor.execute(_sql("INSERT INTO {}.{} VALUES (%s)", SCHEMA, _MANIFEST), [json.dumps(described)])


def read_database(address: str) -> Inventory:
    """Read the store that a database holds.

    Raises
    ------
    SourceError
        The database cannot be reached, or holds no store, or one of another version.
    """
    with _connected(address) as connection, connection.cursor() as cursor:
        if not _holds_store(cursor):
            raise SourceError(f"{shown(address)}: no store in this database; make one with gracethd import")
        cursor.execute(_sql("SELECT manifest FROM {}.{}", SCHEMA, _MANIFEST))
        row = cursor.fetchone()
        try:
            raw = json.loads(row[0]) if row else None
        except (TypeError, ValueError) as error:
            raise damaged(shown(address), f"its table {_MANIFEST} cannot be read") from error
        manifest = from_plain(raw, shown(address))
        frames = {name: _read(cursor, name, manifest, address) for name in manifest.shapes}
    return inventory_of(frames, manifest.crs)


def _write(cursor: "psycopg.Cursor", name: str, frame: pd.DataFrame, srid: int) -> None:
    shape = shape_of(frame)
    fields = [_sql("{} bigint PRIMARY KEY", _ROW)]
    for column, dtype in shape.columns:
        kind = _SQL.get(dtype, f"geometry(Geometry, {srid})")
        fields.append(_sql("{} " + kind, column))
    cursor.execute(_sql("CREATE TABLE {}.{} (", SCHEMA, name) + _comma(fields) + _sql(")"))
    cursor.execute(
        _sql("COMMENT ON TABLE {}.{} IS %s", SCHEMA, name, literals=(f"{title_of(name)} - {DIFFUSION}",))
    )
    text = io.BytesIO()
    options = pc.WriteOptions(include_header=False, quoting_style="all_valid")
    pc.write_csv(_arrow_of(frame, shape, srid), text, options)
    with cursor.copy(_sql("COPY {}.{} FROM STDIN (FORMAT csv)", SCHEMA, name)) as copy:
        copy.write(text.getvalue())
    for column, dtype in shape.columns:
        if dtype == "geometry":
            cursor.execute(_sql("CREATE INDEX ON {}.{} USING gist ({})", SCHEMA, name, column))


def _arrow_of(frame: pd.DataFrame, shape: Shape, srid: int) -> pa.Table:
    columns: dict[str, object] = {_ROW: pa.array(range(len(frame)), pa.int64())}
    for column, dtype in shape.columns:
        if dtype == "geometry":
            given = shapely.set_srid(frame[column].to_numpy(), srid)
            columns[column] = pa.array(shapely.to_wkb(given, hex=True, include_srid=True), pa.large_string())
        else:
            columns[column] = pa.array(frame[column], _ARROW[dtype], from_pandas=True)
    return pa.table(columns)


def _read(cursor: "psycopg.Cursor", name: str, manifest: Manifest, address: str) -> pd.DataFrame:
    shape = manifest.shapes[name]
    told = [
        _sql("encode(ST_AsBinary({}), 'hex') AS {}", column, column)
        if dtype == "geometry"
        else _sql("{}", column)
        for column, dtype in shape.columns
    ]
    query = _sql("COPY (SELECT ") + _comma(told) + _sql(" FROM {}.{} ORDER BY {}", SCHEMA, name, _ROW)
    text = io.BytesIO()
    with cursor.copy(query + _sql(") TO STDOUT (FORMAT csv, HEADER)")) as copy:
        for block in copy:
            text.write(block)
    table = pc.read_csv(
        io.BytesIO(text.getvalue()),
        parse_options=pc.ParseOptions(newlines_in_values=True),
        convert_options=pc.ConvertOptions(
            column_types={column: _ARROW[dtype] for column, dtype in shape.columns},
            null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip
    frame = table.to_pandas(ignore_metadata=True)
    for column, dtype in shape.columns:
        if dtype == "geometry":
            shapes = shapely.from_wkb(frame[column].to_numpy(dtype=object, na_value=None))
            frame[column] = gpd.GeoSeries(shapes, index=frame.index)
    return dress(frame, name, manifest, shown(address))


def _refuse_foreign(cursor: "psycopg.Cursor", address: str) -> None:
    cursor.execute(_sql("SELECT 1 FROM pg_namespace WHERE nspname = %s"), [SCHEMA])
    if cursor.fetchone() and not _holds_store(cursor):
        raise SourceError(
            f"{shown(address)}: its schema {SCHEMA} holds something that is no store; rename it, or name "
            "another database with -o"
        )


def _holds_store(cursor: "psycopg.Cursor") -> bool:
    cursor.execute(
        _sql("SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s"), [SCHEMA, _MANIFEST]
    )
    return cursor.fetchone() is not None


@contextmanager
def _connected(address: str) -> Iterator["psycopg.Connection"]:
    """Open a connection whose block is one transaction; what fails is told without a credential."""
    try:
        import psycopg
    except ImportError as error:
        raise GraceTHDError(
            "postgresql:// needs psycopg; install gracethd with its extra: gracethd[postgis]"
        ) from error
    try:
        with psycopg.connect(address, connect_timeout=_CONNECT_S) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise SourceError(
            f"{shown(address)}: the database cannot be reached or refuses; check address, user and rights"
        ) from error
    except psycopg.Error as error:
        state = error.diag.message_primary or type(error).__name__
        raise SourceError(f"{shown(address)}: the database refuses: {state}") from error


def _sql(text: str, *names: str, literals: tuple[str, ...] = ()) -> "psycopg.sql.Composed":
    """Compose a statement: every name is quoted as an identifier, every literal as a text."""
    from psycopg import sql

    filled = text.replace("%s", "{}") if literals else text
    parts = [*map(sql.Identifier, names), *map(sql.Literal, literals)]
    return sql.SQL(filled).format(*parts)


def _comma(parts: "list[psycopg.sql.Composed]") -> "psycopg.sql.Composed":
    from psycopg import sql

    return sql.SQL(", ").join(parts)
