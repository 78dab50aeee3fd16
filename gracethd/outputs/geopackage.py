"""GeoPackages that open styled in QGIS: one writer for every command.

GDAL writes the layers; what it does not write (default styles, French aliases, the mark of restricted
circulation) and what it would date with today is put right through SQLite afterwards.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from gracethd.outputs.labels import column_label
from gracethd.outputs.publish import DIFFUSION, fixed_moment, marking, written_aside
from gracethd.outputs.styles import Style, qml
from gracethd.outputs.tables import with_diffusion

_DATA_COLUMNS = """
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
    mime_type TEXT, constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
    CONSTRAINT gdc_tn UNIQUE (table_name, name))
"""
_EXTENSIONS = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
    scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))
"""
_LAYER_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""


@dataclass(frozen=True)
class Layer:
    """One layer: name, rows (with geometry of one kind, or none), what it holds in French, how it looks.

    Lines beside multi-lines become multi-lines, unless the layer is `mixed`: every geometry as it is.
    """

    name: str
    frame: pd.DataFrame
    title: str
    style: Style | None = None
    mixed: bool = False


def write_geopackage(layers: Sequence[Layer], path: Path, *, recipient: str, day: date) -> None:
    """Write layers to a GeoPackage 1.2, whole, owner only, styled, with French aliases and the mark.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which QGIS lists them. Frames are GeoDataFrames in a projected CRS, or plain frames.
    path : Path
    recipient : str
        For whom the file is; written into the metadata and description of each layer.
    day : date
        Date of the study. Inner dates are SOURCE_DATE_EPOCH, else this day: equal content, equal bytes.

    Raises
    ------
    ValueError
        When there is no layer, two have one name, or a style names a column that its layer does not have.
    """
    _check(layers)
    note = marking(recipient, day)
    metadata = {"DIFFUSION": DIFFUSION, "DESTINATAIRE": recipient, "DATE": day.isoformat()}
    with written_aside(path) as aside:
        with unsynced():
            for layer in layers:
                _write_rows(layer, aside, metadata)
        with closing(sqlite3.connect(aside)) as database:
            for layer in layers:
                _describe(database, layer, note)
            _store_styles(database, layers)
            _fix_dates(database, f"{fixed_moment(day):%Y-%m-%dT%H:%M:%S}.000Z")
            database.commit()
            database.execute("VACUUM")
        _fix_change_counter(aside)


def _fix_change_counter(path: Path) -> None:
    """Set what SQLite counts of the changes of a file, at both places of its header: GDAL's count varies."""
    with path.open("r+b") as stream:
        for offset in (24, 92):  # sqlite.org/fileformat2.html: change counter, version-valid-for
            stream.seek(offset)
            stream.write((1).to_bytes(4, "big"))


@contextmanager
def unsynced() -> Iterator[None]:
    """Let GDAL not wait for the disk after each layer (0.1 s); SQLite syncs the whole file at the end."""
    name = "OGR_SQLITE_SYNCHRONOUS"
    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


def _check(layers: Sequence[Layer]) -> None:
    names = [layer.name for layer in layers]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"a GeoPackage needs layers with different names: {', '.join(names) or 'none given'}"
        )
    for layer in layers:
        attribute = layer.style.attribute if layer.style else ""
        if attribute and attribute not in layer.frame.columns:
            raise ValueError(f"layer {layer.name}: its style uses column {attribute}, which it does not have")


def _write_rows(layer: Layer, path: Path, metadata: dict[str, str]) -> None:
    frame = with_diffusion(layer.frame)
    options: dict[str, object] = {"dataset_options": {"VERSION": "1.2"}} if not path.exists() else {}
    if isinstance(frame, gpd.GeoDataFrame):
        kind = "Unknown" if layer.mixed else _geometry_type(frame, layer.style)
        options["geometry_type"] = kind
        options["promote_to_multi"] = kind.startswith("Multi")
    categories = [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    pyogrio.write_dataframe(
        frame.astype(dict.fromkeys(categories, str)),
        path, layer=layer.name, driver="GPKG", layer_metadata=metadata, append=path.exists(),
        layer_options={"DESCRIPTION": layer.title}, **options,
    )  # fmt: skip


def _geometry_type(frame: gpd.GeoDataFrame, style: Style | None) -> str:
    kinds = sorted(set(frame.geometry.geom_type.dropna()))
    if not kinds and style is not None:
        return {"point": "Point", "line": "LineString", "polygon": "Polygon"}[style.kind]
    if len(kinds) == 1:
        return str(kinds[0])
    singles = {kind.removeprefix("Multi") for kind in kinds}
    return f"Multi{singles.pop()}" if len(singles) == 1 else "Unknown"


def _describe(database: sqlite3.Connection, layer: Layer, note: str) -> None:
    database.execute(
        "UPDATE gpkg_contents SET description = ? WHERE table_name = ?",
        (f"{layer.title} — {note}", layer.name),
    )
    database.execute(_EXTENSIONS)
    database.execute(_DATA_COLUMNS)
    known = "SELECT 1 FROM gpkg_extensions WHERE table_name = 'gpkg_data_columns'"
    if not database.execute(known).fetchone():
        database.execute(
            "INSERT INTO gpkg_extensions VALUES ('gpkg_data_columns', NULL, 'gpkg_schema', "
            "'http://www.geopackage.org/spec/#extension_schema', 'read-write')"
        )
    rows = [(layer.name, name, alias, alias) for name, alias in aliases_of(layer)]
    database.executemany("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, NULL, NULL, NULL)", rows)


def aliases_of(layer: Layer) -> list[tuple[str, str]]:
    """Give (field, French alias); an alias already taken in the layer gets the field's name behind it."""
    taken: set[str] = set()
    aliases = []
    for name in with_diffusion(layer.frame).columns:
        if str(layer.frame.get(name, pd.Series()).dtype) == "geometry":
            continue
        alias = column_label(str(name))
        alias = f"{alias} ({name})" if alias in taken else alias
        taken.add(alias)
        aliases.append((str(name), alias))
    return aliases


def _store_styles(database: sqlite3.Connection, layers: Sequence[Layer]) -> None:
    database.execute(_LAYER_STYLES)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '', '', 0)"
    )
    columns = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall())
    for layer in layers:
        if layer.style is not None and layer.name in columns:
            text = qml(layer.style, [("fid", "fid"), *aliases_of(layer)])
            database.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
                "styleName, styleQML, useAsDefault, description, owner) "
                "VALUES ('', '', ?, ?, ?, ?, 1, ?, '')",
                (layer.name, columns[layer.name], layer.name[:30], text, layer.title),
            )


def _fix_dates(database: sqlite3.Connection, moment: str) -> None:
    database.execute("UPDATE gpkg_contents SET last_change = ?", (moment,))
    database.execute("UPDATE layer_styles SET update_time = ?", (moment,))
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "gpkg_metadata_reference" in tables:
        database.execute("UPDATE gpkg_metadata_reference SET timestamp = ?", (moment,))
