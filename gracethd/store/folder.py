"""A store as a folder: one GeoParquet file a table and ``inventory.json``, the same bytes each time."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from gracethd.inventory import Inventory
from gracethd.outputs.publish import DIFFUSION, replaced_folder
from gracethd.outputs.tables import write_json, write_table
from gracethd.store.manifest import (
    Manifest,
    Shape,
    damaged,
    dress,
    frames_of,
    from_plain,
    inventory_of,
    shape_of,
    to_plain,
    to_read,
)

MANIFEST = "inventory.json"


def write_folder(inventory: Inventory, folder: Path) -> None:
    """Write the store of an inventory in place of `folder`, whole or not at all, owner only."""
    shapes: dict[str, Shape] = {}
    with replaced_folder(folder) as aside:
        for name, frame in frames_of(inventory).items():
            file = aside / f"{name}.parquet"
            write_table(frame, file)
            shapes[name] = shape_of(frame, sha256=_digest(file))
        described = to_plain(Manifest(inventory.crs, shapes))
        write_json({**described, "diffusion": DIFFUSION}, aside / MANIFEST)


def read_folder(folder: Path, *, carried: bool = False) -> Inventory:
    """Read the store that a folder is.

    Raises
    ------
    SourceError
        A file is missing or is not the one that was written, or the store is of another version.
    """
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(folder, f"{MANIFEST} cannot be read") from error
    manifest = from_plain(raw, folder)
    names = to_read(manifest, carried=carried)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Arrow and GEOS let other threads run
        frames = list(pool.map(lambda name: _read(folder, name, manifest), names))
    return inventory_of(dict(zip(names, frames, strict=True)), manifest.crs)


def _read(folder: Path, name: str, manifest: Manifest) -> pd.DataFrame:
    if not name.isidentifier():  # a manifest from elsewhere does not lead out of its folder
        raise damaged(folder, "its description names no table")
    file, shape = folder / f"{name}.parquet", manifest.shapes[name]
    if not file.is_file():
        raise damaged(folder, f"{file.name} is missing")
    if _digest(file) != shape.sha256:
        raise damaged(folder, f"{file.name} is not the file that was written")
    try:
        frame = pq.read_table(file, columns=shape.names).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError) as error:
        raise damaged(folder, f"{file.name} cannot be read") from error
    for column, dtype in shape.columns:
        if dtype == "geometry" and column in frame:
            frame[column] = gpd.GeoSeries(shapely.from_wkb(frame[column].to_numpy()), index=frame.index)
    return dress(frame, name, manifest, folder)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
