"""Tables of a delivery that stand in one GeoPackage or SpatiaLite file.

Only ordinary tables named like those of the model are read, through the two GDAL drivers named here: a
view, a virtual table or a computed column would run what the file says.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
from pyogrio.errors import DataLayerError, DataSourceError, FieldError

from gracethd.deliveries.crs import stated_crs
from gracethd.deliveries.layers import as_text, text_frame, with_geometry
from gracethd.deliveries.versions import known_columns
from gracethd.errors import SourceError
from gracethd.findings import merge_findings

EXTENSIONS = (".gpkg", ".sqlite", ".spatialite")
DRIVERS = ("GPKG", "SQLite")
_MAGIC = b"SQLite format 3\0"
_OPEN = {"LIST_ALL_TABLES": "YES"}  # also those that the file does not declare
_COMPUTED = (2, 3)  # of PRAGMA table_xinfo: virtual and stored generated columns


def is_database(path: Path) -> bool:
    """Tell whether a file is named as a database is."""
    return path.suffix.lower() in EXTENSIONS and path.is_file()


def database_tables(path: Path, known: frozenset[str]) -> dict[str, str]:
    """Give the tables of a database that are of the model: name in the model to name in the file.

    Raises
    ------
    SourceError
        The file is not a database, is damaged, or names a table twice (in two cases of letters).
    """
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise SourceError(f"{path}: not a GeoPackage or SpatiaLite database; have it exported again")
    try:
        with closing(_open(path)) as database:
            rows = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'create virtual%'"
            ).fetchall()
            found = {str(name).lower(): str(name) for (name,) in rows if str(name).lower() in known}
            for table, name in found.items():
                hidden = database.execute("SELECT hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()
                if any(flag in _COMPUTED for (flag,) in hidden):
                    raise SourceError(f"{path}: {table} has a computed column: not read; export plain values")
    except sqlite3.Error as error:
        raise SourceError(f"{path}: this database is damaged ({error}); have it sent again") from error
    return found


def layer_names(path: Path) -> list[str]:
    """Give the tables of a GeoPackage or SpatiaLite file that have a geometry and are ordinary, sorted.

    Raises
    ------
    SourceError
        The file is not a database, or is damaged.
    """
    database_tables(path, frozenset())
    query = (
        "SELECT {} FROM {} JOIN sqlite_master ON lower(name) = lower({})"
        " WHERE type = 'table' AND sql NOT LIKE 'create virtual%'"
    )
    found: set[str] = set()
    with closing(_open(path)) as database:
        for place, column in (
            ("gpkg_geometry_columns", "table_name"),
            ("geometry_columns", "f_table_name"),
        ):
            with suppress(sqlite3.Error):  # the other kind of database
                rows = database.execute(query.format(column, place, column)).fetchall()
                found |= {str(name) for (name,) in rows}
    return sorted(found)


def read_database(path: Path, name: str, table: str) -> tuple[pd.DataFrame, pyproj.CRS | None, pd.DataFrame]:
    """Read one table of a database: attributes as text, ``line``, ``geometry`` where it has one.

    Returns
    -------
    frame : DataFrame or GeoDataFrame
    crs : CRS or None
        What the layer states; None where it states none.
    findings : DataFrame

    Raises
    ------
    SourceError
        The table cannot be read.
    CRSError
        Its coordinates are in degrees.
    """
    try:
        described = pyogrio.read_info(path, layer=name, **_OPEN)
        if described["driver"] not in DRIVERS:
            raise SourceError(
                f"{path}: opened as {described['driver']}, not as a GeoPackage or SpatiaLite: not read"
            )
        # a key of whole numbers may serve as the row number, and would be taken for it
        key = str(described["fid_column"])
        attributes = frozenset().union(*known_columns(table).values())
        meta, read = pyogrio.read_arrow(path, layer=name, return_fids=key.lower() in attributes, **_OPEN)
        shape = meta["geometry_name"] or ("wkb_geometry" if meta["geometry_type"] else "")
        columns = {column.lower(): as_text(read[column]) for column in read.column_names if column != shape}
        frame = text_frame(columns, read.num_rows)
    except (DataSourceError, DataLayerError, FieldError, pa.ArrowException, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{path}: {table} cannot be read; have the database exported again") from error
    if shape not in read.column_names:
        return frame, None, merge_findings([])
    layer, missing = with_geometry(frame, read[shape], table)
    stated = meta["crs"] or _declared_crs(path, name)
    crs = stated_crs(stated, f"{path}, {name}") if stated else None
    return layer, crs, missing


def _declared_crs(path: Path, name: str) -> str:
    """Give the EPSG code that SpatiaLite keeps for a table, which GDAL does not always find; "" if none."""
    query = (
        "SELECT auth_srid FROM geometry_columns JOIN spatial_ref_sys USING (srid)"
        " WHERE lower(f_table_name) = lower(?) AND lower(auth_name) = 'epsg'"
    )
    try:
        with closing(_open(path)) as database:
            found = database.execute(query, (name,)).fetchone()
    except sqlite3.Error:  # no such tables: a plain database
        return ""
    return f"EPSG:{found[0]}" if found and isinstance(found[0], int) else ""


def _open(path: Path) -> sqlite3.Connection:
    """Open for reading what nobody writes: no journal is made beside a file on a read-only disk."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
