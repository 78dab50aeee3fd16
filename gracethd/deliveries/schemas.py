"""A delivery that stands in a PostgreSQL schema, as the scripts of GraceTHD or an import made it there.

Tables and views named like those of the model are read in one read-only transaction, whatever the case of
their names and the types of their columns, rows in the order of their keys: a table has no other order.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError as ProjError

from gracethd.deliveries.crs import stated_crs
from gracethd.deliveries.folders import GEOGRAPHIC, TABLES
from gracethd.deliveries.layers import text_frame, with_geometry
from gracethd.deliveries.tables import ReadTable, as_delivery, not_read_tables
from gracethd.deliveries.text import clean_text
from gracethd.deliveries.types import Delivery
from gracethd.errors import CRSError, SourceError
from gracethd.findings import NO_FINDING
from gracethd.model import VERSIONS, attributes
from gracethd.postgis import comma, connected, copied, shown, split_schema, sql

if TYPE_CHECKING:
    import psycopg

_KEYS = frozenset(
    str(name)
    for version in VERSIONS
    for name in attributes(version).query("primary_key == 'yes'")["attribute"]
)
_GEOMETRY = "geometry"  # no attribute of the model has this name
_AS_TEXT = {
    "boolean": "{}::int::text",
    "numeric": "trim_scale({})::text",
    "timestamp without time zone": "to_char({}, 'YYYY-MM-DD HH24:MI:SS')",
    "timestamp with time zone": "to_char({}, 'YYYY-MM-DD HH24:MI:SS')",
    "date": "to_char({}, 'YYYY-MM-DD')",
    "bytea": "NULL::text",
}
"""How values of a type are written, ``{}::text`` where it is not named: as files write them."""
_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, NULL), t.typname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname COLLATE "C", a.attnum
"""
_POSTGIS = """
    SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'postgis'
"""
_HOLDERS = """
    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE lower(c.relname) = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    GROUP BY n.nspname ORDER BY count(*) DESC, n.nspname COLLATE "C" LIMIT 5
"""


def address_of(address: str) -> str:
    """Give an address in one form, so that the same schema named twice is read once."""
    base, schema = split_schema(address)
    return f"{base}{'&' if '?' in base else '?'}schema={quote(schema, safe='')}"


def read_schema(address: str) -> Delivery:
    """Read the delivery that a schema holds.

    Parameters
    ----------
    address : str
        ``postgresql://user@host/database?schema=NAME``; the schema is ``gracethd`` where none is named.

    Returns
    -------
    Delivery
        Named ``database.schema``; its digest is that of the rows as they were sent.

    Raises
    ------
    SourceError
        The database cannot be reached or refuses, has no such schema or no table of the model in it, or
        names a table or column twice in two cases of letters.
    CRSError
        The coordinates are in degrees or of several systems, or no layer tells its system.
    """
    schema = split_schema(address)[1]
    digest, size = hashlib.sha256(), 0
    read = []
    with connected(address, read_only=True) as connection, connection.cursor() as cursor:
        columns = _columns(cursor, schema)
        names = _table_names(list(columns), address)
        if not names:
            raise SourceError(_why_nothing(cursor, schema, address, is_empty=not columns))
        for table, name in sorted(names.items()):
            one, sent = _read_table(cursor, schema, name, table, columns[name], address)
            read.append(one)
            digest.update(f"{table}\0{len(sent)}\0".encode() + sent)
            size += len(sent)
        database = connection.info.dbname
    others = [name for name in columns if name.lower()[:2] in ("t_", "l_") and name.lower() not in TABLES]
    name = f"{database}.{schema}"
    return as_delivery(name, Path(name), (digest.hexdigest(), size), read, not_read_tables(others))


def _columns(cursor: "psycopg.Cursor", schema: str) -> dict[str, list[tuple[str, str]]]:
    """Give the columns of each table of a schema with their types, ``geometry`` for those of PostGIS."""
    cursor.execute(sql(_COLUMNS), [schema])
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind, plain in cursor.fetchall():
        found.setdefault(table, []).append(
            (column, _GEOMETRY if plain in ("geometry", "geography") else kind)
        )
    return found


def _table_names(names: Sequence[str], address: str) -> dict[str, str]:
    """Give the tables of the model that a schema holds, by their name in the model."""
    found: dict[str, str] = {}
    for name in names:
        table = name.lower()
        if table in found:
            raise SourceError(f"{shown(address)}: two tables, {found[table]!r} and {name!r}; keep one")
        if table in TABLES:
            found[table] = name
    return found


def _why_nothing(cursor: "psycopg.Cursor", schema: str, address: str, *, is_empty: bool) -> str:
    cursor.execute(sql(_HOLDERS), [sorted(TABLES)])
    holders = [name for (name,) in cursor.fetchall()]
    cure = f"schemas that hold some: {', '.join(holders)}" if holders else "no other schema holds any"
    cursor.execute(sql("SELECT 1 FROM pg_namespace WHERE nspname = %s"), [schema])
    what = "no GraceTHD table (t_noeud, t_cable...) in schema"
    if is_empty and cursor.fetchone() is None:
        what = "no such schema:"
    return f"{shown(address)}: {what} {schema!r}; name one with ?schema=NAME - {cure}"


def _read_table(
    cursor: "psycopg.Cursor",
    schema: str,
    name: str,
    table: str,
    columns: Sequence[tuple[str, str]],
    address: str,
) -> tuple[ReadTable, bytes]:
    where = f"{shown(address)}, {schema}.{name}"
    plain = [(column, kind) for column, kind in columns if kind != _GEOMETRY]
    lower = [column.lower() for column, _ in plain]
    if twice := sorted(
        {column for column in lower if lower.count(column) > 1 or column in ("line", _GEOMETRY)}
    ):
        raise SourceError(
            f"{where}: column {twice[0]!r} stands twice or is of no model; leave it out of a view"
        )
    shape = next((column for column, kind in columns if kind == _GEOMETRY), "") if table in GEOGRAPHIC else ""
    told = [
        sql(f"({_AS_TEXT.get(kind, '{}::text')}) AS {{}}", *([column] * (kind != "bytea")), column.lower())
        for column, kind in plain
    ]
    if shape:  # hexadecimal EWKB, and no function that must be found first
        told.append(sql("{}::text AS {}", shape, _GEOMETRY))
    if not told:
        raise SourceError(f"{where}: this table has no column; drop it, or fill it")
    # by key, then whatever tells two rows of one key apart
    order = [*sorted(lower, key=lambda column: column not in _KEYS), *([_GEOMETRY] if shape else [])]
    query = sql("SELECT * FROM (SELECT ") + comma(told) + sql(" FROM {}.{}) AS told ORDER BY ", schema, name)
    query += comma([sql('{} COLLATE "C"', column) for column in order])
    types = dict.fromkeys(order, pa.large_string())
    rows, sent = copied(cursor, query, types, where)
    frame = text_frame({column: clean_text(rows[column]) for column in lower}, rows.num_rows)
    if not shape:
        return ReadTable(table, frame, None, NO_FINDING, f"{schema}.{name}"), sent
    shapes = shapely.from_wkb(rows[_GEOMETRY].to_numpy(), on_invalid="ignore")
    crs = _crs(cursor, np.unique(shapely.get_srid(shapes[~shapely.is_missing(shapes)])), where)
    wkb = pa.chunked_array([pa.array(shapely.to_wkb(shapes), pa.large_binary())])
    layer, findings = with_geometry(frame, wkb, table)
    return ReadTable(table, layer, crs, findings, f"{schema}.{name}"), sent


def _crs(cursor: "psycopg.Cursor", srids: NDArray[np.int_], where: str) -> pyproj.CRS | None:
    """Give the system that the numbers in geometries mean in this database; None where there are none."""
    if len(srids) > 1:
        numbers = ", ".join(map(str, srids))
        raise CRSError(f"{where}: geometries of several systems (SRID {numbers}); bring them to one")
    if not len(srids) or srids[0] == 0:
        return None
    srid = int(srids[0])
    cursor.execute(sql(_POSTGIS))
    place = cursor.fetchone()
    known = None
    if place is not None:
        told = "SELECT auth_name, auth_srid, srtext FROM {}.spatial_ref_sys WHERE srid = %s"
        known = cursor.execute(sql(told, place[0], literals=(str(srid),))).fetchone()
    text = f"EPSG:{srid}" if known is None else f"EPSG:{known[1]}" if known[0] == "EPSG" else str(known[2])
    try:
        return stated_crs(text, where)
    except ProjError as error:
        raise CRSError(f"{where}: SRID {srid} is no system that is known; set the right one") from error
