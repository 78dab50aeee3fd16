"""A store in a PostGIS database: one schema, a table a frame, replaced in one transaction."""

import io
import json
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import shapely

from gracethd.errors import SourceError
from gracethd.inventory import Inventory
from gracethd.outputs.publish import DIFFUSION
from gracethd.postgis import comma, connected, copied, shown, split_schema, sql
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
    to_read,
)

if TYPE_CHECKING:
    import psycopg

_MANIFEST, _ROW = "gracethd_inventory", "gracethd_row"
_SQL = {
    "str": "text",
    "float64": "double precision",
    "int64": "bigint",
    "bool": "boolean",
    "datetime64[s]": "timestamp(0)",
    "category": "text",
}
_ARROW = {
    "str": pa.large_string(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "datetime64[s]": pa.timestamp("s"),
    "geometry": pa.large_string(),
    "category": pa.large_string(),
}


def check_database(address: str) -> None:
    """Refuse, before hours of reading, a database or schema that `write_database` would refuse.

    Raises
    ------
    SourceError
    """
    with connected(address, read_only=True) as connection, connection.cursor() as cursor:
        _refuse_foreign(cursor, address)


def is_store_database(address: str) -> bool:
    """Tell whether the schema of an address holds a store.

    Raises
    ------
    SourceError
        The database cannot be reached.
    """
    with connected(address, read_only=True) as connection, connection.cursor() as cursor:
        return _holds_store(cursor, split_schema(address)[1])


def write_database(inventory: Inventory, address: str) -> None:
    """Write the store of an inventory in the schema that an address names, whole or not at all.

    Raises
    ------
    SourceError
        The database cannot be reached, has no PostGIS, or its schema holds something that is no store.
    """
    frames, schema = frames_of(inventory), split_schema(address)[1]
    described = to_plain(Manifest(inventory.crs, {name: shape_of(frame) for name, frame in frames.items()}))
    with connected(address) as connection, connection.cursor() as cursor:
        _refuse_foreign(cursor, address)
        cursor.execute(sql("CREATE EXTENSION IF NOT EXISTS postgis"))
        cursor.execute(sql("DROP SCHEMA IF EXISTS {} CASCADE", schema))
        cursor.execute(sql("CREATE SCHEMA {}", schema))
        cursor.execute(sql("COMMENT ON SCHEMA {} IS %s", schema, literals=(DIFFUSION,)))
        for name, frame in frames.items():
            _write(cursor, schema, name, frame, inventory.crs.to_epsg() or 0)
        cursor.execute(sql("CREATE TABLE {}.{} (manifest text)", schema, _MANIFEST))
        told = (json.dumps(described),)
        cursor.execute(sql("INSERT INTO {}.{} VALUES (%s)", schema, _MANIFEST, literals=told))


def read_database(address: str, *, carried: bool = False) -> Inventory:
    """Read the store that a database holds.

    Raises
    ------
    SourceError
        The database cannot be reached, or holds no store, or one of another version.
    """
    schema = split_schema(address)[1]
    with connected(address) as connection, connection.cursor() as cursor:
        if not _holds_store(cursor, schema):
            raise SourceError(f"{shown(address)}: no store in this database; make one with gracethd import")
        cursor.execute(sql("SELECT manifest FROM {}.{}", schema, _MANIFEST))
        row = cursor.fetchone()
        try:
            raw = json.loads(row[0]) if row else None
        except (TypeError, ValueError) as error:
            raise damaged(shown(address), f"its table {_MANIFEST} cannot be read") from error
        manifest = from_plain(raw, shown(address))
        wanted = to_read(manifest, carried=carried)
        frames = {name: _read(cursor, schema, name, manifest, address) for name in wanted}
    return inventory_of(frames, manifest.crs)


def _write(cursor: "psycopg.Cursor", schema: str, name: str, frame: pd.DataFrame, srid: int) -> None:
    shape = shape_of(frame)
    fields = [sql("{} bigint PRIMARY KEY", _ROW)]
    for column, dtype in shape.columns:
        kind = _SQL.get(dtype, f"geometry(Geometry, {srid})")
        fields.append(sql("{} " + kind, column))
    cursor.execute(sql("CREATE TABLE {}.{} (", schema, name) + comma(fields) + sql(")"))
    cursor.execute(
        sql("COMMENT ON TABLE {}.{} IS %s", schema, name, literals=(f"{title_of(name)} - {DIFFUSION}",))
    )
    text = io.BytesIO()
    options = pc.WriteOptions(include_header=False, quoting_style="all_valid")
    pc.write_csv(_arrow_of(frame, shape, srid), text, options)
    with cursor.copy(sql("COPY {}.{} FROM STDIN (FORMAT csv)", schema, name)) as copy:
        copy.write(text.getvalue())
    for column, dtype in shape.columns:
        if dtype == "geometry":
            cursor.execute(sql("CREATE INDEX ON {}.{} USING gist ({})", schema, name, column))


def _arrow_of(frame: pd.DataFrame, shape: Shape, srid: int) -> pa.Table:
    columns: dict[str, object] = {_ROW: pa.array(range(len(frame)), pa.int64())}
    for column, dtype in shape.columns:
        if dtype == "geometry":
            given = shapely.set_srid(frame[column].to_numpy(), srid)
            columns[column] = pa.array(shapely.to_wkb(given, hex=True, include_srid=True), pa.large_string())
        else:
            values = frame[column].astype("str") if dtype == "category" else frame[column]
            columns[column] = pa.array(values, _ARROW[dtype], from_pandas=True)
    return pa.table(columns)


def _read(cursor: "psycopg.Cursor", schema: str, name: str, manifest: Manifest, address: str) -> pd.DataFrame:
    shape = manifest.shapes[name]
    told = [
        sql("encode(ST_AsBinary({}), 'hex') AS {}", column, column)
        if dtype == "geometry"
        else sql("{}", column)
        for column, dtype in shape.columns
    ]
    query = sql("SELECT ") + comma(told) + sql(" FROM {}.{} ORDER BY {}", schema, name, _ROW)
    types = {column: _ARROW[dtype] for column, dtype in shape.columns}
    table, _ = copied(cursor, query, types, f"{shown(address)}, {name}")
    frame = table.to_pandas(ignore_metadata=True)
    for column, dtype in shape.columns:
        if dtype == "geometry":
            shapes = shapely.from_wkb(frame[column].to_numpy(dtype=object, na_value=None))
            frame[column] = gpd.GeoSeries(shapes, index=frame.index)
    return dress(frame, name, manifest, shown(address))


def _refuse_foreign(cursor: "psycopg.Cursor", address: str) -> None:
    schema = split_schema(address)[1]
    cursor.execute(sql("SELECT 1 FROM pg_namespace WHERE nspname = %s"), [schema])
    if cursor.fetchone() and not _holds_store(cursor, schema):
        raise SourceError(
            f"{shown(address)}: its schema {schema} holds something that is no store; name another with "
            "-o postgresql://user@host/database?schema=NAME"
        )


def _holds_store(cursor: "psycopg.Cursor", schema: str) -> bool:
    cursor.execute(
        sql("SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s"), [schema, _MANIFEST]
    )
    return cursor.fetchone() is not None
