"""A store as one GeoPackage: a layer a table, which opens in QGIS, and a table that describes them."""

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from gracethd.inventory import Inventory
from gracethd.outputs.geopackage import Layer, write_geopackage
from gracethd.store.manifest import (
    Manifest,
    damaged,
    dress,
    frames_of,
    from_plain,
    inventory_of,
    shape_of,
    texts_of,
    title_of,
    to_plain,
    to_read,
)

MANIFEST = "gracethd_inventory"
_MAGIC = b"SQLite format 3\0"


def write_file(inventory: Inventory, path: Path, *, day: date) -> None:
    """Write the store of an inventory as a GeoPackage, whole or not at all, owner only."""
    frames = frames_of(inventory)
    described = to_plain(Manifest(inventory.crs, {name: shape_of(frame) for name, frame in frames.items()}))
    manifest = pd.DataFrame({"manifest": [json.dumps(described, sort_keys=True)]})
    layers = [Layer(name, texts_of(frame), title_of(name), mixed=True) for name, frame in frames.items()]
    layers.append(Layer(MANIFEST, manifest, "Description de l'inventaire"))
    write_geopackage(layers, path, recipient="", day=day)


def is_store_file(path: Path) -> bool:
    """Tell whether a file is a GeoPackage that `write_file` wrote."""
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            return False
    try:
        with closing(_open(path)) as database:
            wanted = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            return database.execute(wanted, (MANIFEST,)).fetchone() is not None
    except sqlite3.Error:
        return False  # whoever reads it as a delivery says what is wrong


def read_file(path: Path, *, carried: bool = False) -> Inventory:
    """Read the store that a GeoPackage is.

    Raises
    ------
    SourceError
        Rows or layers are missing, or the store is of another version.
    """
    try:
        with closing(_open(path)) as database:
            text = database.execute(f"SELECT manifest FROM {MANIFEST}").fetchone()[0]  # noqa: S608 - a constant
        raw = json.loads(text)
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise damaged(path, f"its table {MANIFEST} cannot be read") from error
    manifest = from_plain(raw, path)
    wanted = to_read(manifest, carried=carried)
    return inventory_of({name: _read(path, name, manifest) for name in wanted}, manifest.crs)


def _read(path: Path, name: str, manifest: Manifest) -> pd.DataFrame:
    shape = manifest.shapes[name]
    columns = [column for column, dtype in shape.columns if dtype != "geometry"]
    try:
        frame = pyogrio.read_dataframe(
            path, layer=name, columns=columns, read_geometry=shape.geometry, use_arrow=True
        )
    except (DataSourceError, DataLayerError, ValueError) as error:
        raise damaged(path, f"layer {name} cannot be read") from error
    return dress(frame, name, manifest, path)


def _open(path: Path) -> sqlite3.Connection:
    """Open for reading what nobody writes: no journal is made beside a file on a read-only disk."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
