"""Write a conformant GraceTHD delivery (shapefiles and CSV, or one GeoPackage), for whoever hands one over.

Nothing is interpreted: tables go out under the names, order, types and widths of the model, and what does
not fit is an error, never cut. The same tables give the same bytes, whatever the day or the machine.
"""

import csv
import io
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import shapely
from pyogrio.raw import write_arrow

from gracethd.errors import CRSError, GraceTHDError
from gracethd.model import attributes
from gracethd.outputs.geopackage import unsynced
from gracethd.outputs.publish import DIFFUSION, written_aside

WrittenVersion = Literal["2.0.1", "3.0.1"]
Texts = dict[str, pa.Array]

_DRIVER, _SHAPE = "ESRI Shapefile", "geometry"
_EPOCH = 315_532_800  # 1980-01-01, the first day that a zip entry can carry
_TRUE, _FALSE = {"t", "true", "1", "o", "oui"}, {"f", "false", "0", "n", "non"}
# Widths of the empty shapefiles shipped with the public model: integers in 11 digits, free numbers in 32.10,
# moments as text since a DBF knows days only.
_INTEGER, _NUMBER, _MOMENT = "int:11", "float:32.10", "str:29"


def write_delivery(tables: Mapping[str, pd.DataFrame], version: WrittenVersion, path: Path) -> None:
    """Write one delivery as a folder, an archive when `path` ends in ``.zip``, or a GeoPackage in ``.gpkg``.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By GraceTHD name (``t_cable``, ``t_cable_patch201``). Columns are attributes of the model, of any
        dtype that says the value without doubt (text "12", int 12, bool or "t"); absent ones are written
        empty. Geographic tables are GeoDataFrames in metres, one CRS for all. Tables that are not given
        are not written.
    version : {"2.0.1", "3.0.1"}
        Booleans of version 2 are t/f (logical in a shapefile), those of version 3 are 0/1.
    path : Path
        A file is replaced; a folder must not exist yet, or be empty. It appears whole or not at all,
        readable by its owner only.

    Raises
    ------
    GraceTHDError
        A table or attribute that the model does not have, or a value that it cannot hold; the message names
        table, attribute and code, never the value. Numbers are rounded to the decimals of the model.
    CRSError
        A geographic table without CRS, in degrees, or in another CRS than the others.

    Examples
    --------
    >>> write_delivery({"t_cable": cable, "t_noeud": noeud}, "3.0.1", Path("PM01.zip"))  # doctest: +SKIP

    Notes
    -----
    Layout of rules co_1_f/s of the public model documents: shapefiles for geometry, ``;`` CSV in UTF-8
    without quotes (unless a value holds ``;``, a quote or a line end), ISO dates, header always there. A
    GeoPackage holds the same tables under the same names, types and widths, with full attribute names.
    """
    _check_names(tables, version)
    wkt = _common_crs(tables)
    if path.suffix.lower() == ".gpkg":
        _write_geopackage(tables, version, path, wkt)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        for name in sorted(tables):
            _write_table(tables[name], name, version, aside, wkt)
        if path.suffix.lower() == ".zip":
            pack_folder(aside, path)
        else:
            _publish_folder(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def pack_folder(folder: Path, path: Path) -> None:
    """Put the files of a folder in an archive, sorted and with one fixed date, so that bytes repeat.

    The date is ``SOURCE_DATE_EPOCH`` where it is set, else 1980-01-01. The archive is replaced at once.
    """
    aside = path.with_name(f".{path.name}.part")
    moment = time.gmtime(source_date())[:6]
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), moment)
                entry.compress_type, entry.create_system, entry.external_attr = (
                    zipfile.ZIP_DEFLATED,
                    3,
                    0o600 << 16,
                )
                archive.writestr(entry, file.read_bytes())
    aside.chmod(0o600)
    aside.replace(path)


def source_date() -> int:
    """Give the moment that written files carry, in seconds: ``SOURCE_DATE_EPOCH``, never before 1980."""
    return max(int(os.environ.get("SOURCE_DATE_EPOCH") or _EPOCH), _EPOCH)


def _publish_folder(aside: Path, path: Path) -> None:
    if path.exists() and any(path.iterdir()):
        raise GraceTHDError(f"{path}: the folder is not empty; name another one or empty it first")
    if path.exists():
        path.rmdir()
    for file in aside.iterdir():
        file.chmod(0o600)
    aside.replace(path)


@cache
def _tables(version: WrittenVersion) -> dict[str, pd.DataFrame]:
    return {str(name): rows for name, rows in attributes(version).groupby("table", sort=False)}


def _check_names(tables: Mapping[str, pd.DataFrame], version: WrittenVersion) -> None:
    model = _tables(version)
    for name, frame in tables.items():
        known = set(model[name]["attribute"]) if name in model else set()
        if not known:
            raise GraceTHDError(f"{name}: no such table in GraceTHD {version}")
        shape = {frame.geometry.name} if isinstance(frame, gpd.GeoDataFrame) else set()
        strange = sorted(set(frame.columns) - known - shape)
        if strange:
            raise GraceTHDError(f"{name}.{strange[0]}: no such attribute in GraceTHD {version}")


def _common_crs(tables: Mapping[str, pd.DataFrame]) -> str:
    found: str | None = None
    for name in sorted(tables):
        frame = tables[name]
        if not isinstance(frame, gpd.GeoDataFrame):
            continue
        if frame.crs is None or not frame.crs.is_projected:
            raise CRSError(
                f"{name}: a delivery is in a projected CRS in metres; set one (EPSG:2154) or reproject"
            )
        if found is not None and frame.crs.to_wkt() != found:
            raise CRSError(f"{name}: another CRS than the tables before it; reproject to one")
        found = frame.crs.to_wkt()
    return found or ""


def _write_table(frame: pd.DataFrame, name: str, version: WrittenVersion, folder: Path, wkt: str) -> None:
    rows, shape = _attributes_of(frame, name, version)
    texts = _texts(frame, rows, name, version, in_bytes=bool(shape))
    if isinstance(frame, gpd.GeoDataFrame) and shape:
        names = [alias or name[:10] for name, alias in zip(rows["attribute"], rows["alias10"], strict=True)]
        path = folder / f"{name}.shp"
        layer = _Layer(path, _DRIVER, name, shape.removeprefix("Multi"), wkt)
        _write_layer(layer, dict(zip(names, texts.values(), strict=True)), rows, frame.geometry)
        _fix_dbf_date(path.with_suffix(".dbf"))
    else:
        _write_csv(texts, folder / f"{name}.csv")


def _attributes_of(
    frame: pd.DataFrame, name: str, version: WrittenVersion
) -> tuple[pd.DataFrame, str | None]:
    """Give the plain attributes of a table, and its kind of geometry."""
    rows = _tables(version)[name]
    shape = next(iter(rows.loc[rows["geometry_type"] != "", "geometry_type"]), None)
    if shape and not isinstance(frame, gpd.GeoDataFrame):
        raise GraceTHDError(f"{name}: this table has geometry in GraceTHD {version}; give a GeoDataFrame")
    return rows[rows["geometry_type"] == ""], shape


def _write_geopackage(
    tables: Mapping[str, pd.DataFrame], version: WrittenVersion, path: Path, wkt: str
) -> None:
    moment = f"{datetime.fromtimestamp(source_date(), UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    with written_aside(path) as aside:
        with unsynced(), fiona.Env(OGR_SQLITE_SYNCHRONOUS="OFF"):  # each has a GDAL of its own
            for name in sorted(tables):
                frame = tables[name]
                rows, shape = _attributes_of(frame, name, version)
                texts = _texts(frame, rows, name, version, in_bytes=False)
                geometry = frame.geometry if isinstance(frame, gpd.GeoDataFrame) and shape else None
                kind = "None" if geometry is None else _kind_of(geometry, str(shape))
                _write_layer(_Layer(aside, "GPKG", name, kind, wkt), texts, rows, geometry)
        with closing(sqlite3.connect(aside)) as database:
            database.execute("UPDATE gpkg_contents SET last_change = ?, description = ?", (moment, DIFFUSION))
            database.commit()
            database.execute("VACUUM")


def _kind_of(geometry: gpd.GeoSeries, shape: str) -> str:
    """Give the kind of a layer: that of the model, single where all are; what is mixed has none."""
    found = set(geometry.geom_type.dropna())
    single = shape.removeprefix("Multi")
    if found <= {single}:
        return single
    return f"Multi{single}" if found == {f"Multi{single}"} else "Unknown"


def _write_csv(texts: Texts, path: Path) -> None:
    """Write rows in bulk, without quotes; one by one where a value holds a separator, quote or line end."""
    plainly = pa.csv.WriteOptions(include_header=False, delimiter=";", quoting_style="none")
    with path.open("wb") as stream:
        stream.write((";".join(texts) + "\n").encode())
        start = stream.tell()
        try:
            pa.csv.write_csv(pa.table(texts), stream, plainly)
        except pa.ArrowInvalid:
            stream.seek(start)
            stream.truncate()
            with io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
                rows = zip(*(column.to_pylist() for column in texts.values()), strict=True)
                csv.writer(text, delimiter=";", lineterminator="\n").writerows(rows)


def _texts(
    frame: pd.DataFrame, plain: pd.DataFrame, name: str, version: WrittenVersion, *, in_bytes: bool
) -> Texts:
    """Give every attribute of the model, in its order, as the text that the delivery will hold."""
    columns: Texts = {}
    for attribute, kind, length in zip(plain["attribute"], plain["type"], plain["length"], strict=True):
        if attribute not in frame:
            columns[attribute] = pa.nulls(len(frame), pa.large_string())
            continue
        raw = _plain_text(frame[attribute])
        fitted = _fitted(raw, kind, length, version, in_bytes=in_bytes)
        if fitted.null_count > raw.null_count:
            wrong = pc.and_(pc.is_null(fitted), pc.is_valid(raw)).to_numpy(zero_copy_only=False)
            code = _code_of(frame, plain, int(np.argmax(wrong)))
            expected = f"{kind}({length})" if length else kind
            raise GraceTHDError(
                f"{name}.{attribute}, {code}: the value does not fit {expected}; mend it, nothing is cut"
            )
        columns[attribute] = fitted
    return columns


def _code_of(frame: pd.DataFrame, plain: pd.DataFrame, row: int) -> str:
    keys = [name for name in plain.loc[plain["primary_key"] != "", "attribute"] if name in frame]
    return str(frame[keys[0]].iloc[row]) if keys else f"row {row + 1}"


def _plain_text(column: pd.Series) -> pa.Array:
    """Give values as text, null where missing or blank; 12.0 is "12": a gap turns integers to floats."""
    gone = column.isna().to_numpy()
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        given = pa.array(column, pa.large_string(), from_pandas=True)
        values = given.combine_chunks() if isinstance(given, pa.ChunkedArray) else given
    elif pd.api.types.is_float_dtype(column):
        texts = [np.format_float_positional(value, trim="-") for value in column.to_numpy()]
        values = pa.array(texts, pa.large_string(), mask=gone)
    else:
        values = pa.array([str(value) for value in column.tolist()], pa.large_string(), mask=gone)
    is_blank = pc.equal(pc.utf8_trim_whitespace(values), "")
    return pc.if_else(is_blank, pa.scalar(None, pa.large_string()), values)


def _fitted(raw: pa.Array, kind: str, length: str, version: WrittenVersion, *, in_bytes: bool) -> pa.Array:
    """Give texts as those of the delivery, null where the model cannot hold them; each distinct one once."""
    if kind == "VARCHAR":
        size = pc.binary_length(raw) if in_bytes else pc.utf8_length(raw)
        return pc.if_else(pc.less_equal(size, int(length)), raw, pa.scalar(None, pa.large_string()))
    coded = raw.dictionary_encode()
    convert = converter(kind, length, version)
    return pa.array(map(convert, coded.dictionary.to_pylist()), pa.large_string()).take(coded.indices)


def converter(kind: str, length: str, version: WrittenVersion) -> Callable[[str], str | None]:
    """Give what turns a text into that of the delivery, None where the model cannot hold it."""
    if kind == "BOOLEAN":
        yes, no = ("t", "f") if version == "2.0.1" else ("1", "0")
        words = dict.fromkeys(_TRUE, yes) | dict.fromkeys(_FALSE, no)
        return lambda text: words.get(text.lower())
    if kind in {"DATE", "TIMESTAMP"}:
        return lambda text: _moment(text, "%Y-%m-%d" if kind == "DATE" else "%Y-%m-%d %H:%M:%S")
    if kind == "BIGINT":
        return lambda text: _integer(text, 18)  # in CSV only
    if kind == "INTEGER":
        return lambda text: _integer(text, 10)  # and a sign, in a DBF
    precision, scale = (int(part) for part in length.split(",")) if length else (32, 10)
    return lambda text: _number(text, precision, scale)


def _moment(text: str, form: str) -> str | None:
    try:
        return datetime.fromisoformat(text).strftime(form)
    except ValueError:
        return None


def _integer(text: str, digits: int) -> str | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 10**digits else None


def _number(text: str, precision: int, scale: int) -> str | None:
    try:
        value = round(float(text), scale)
    except ValueError:
        return None
    fits = abs(value) < 10.0 ** (precision - scale)  # false for nan
    return np.format_float_positional(value, trim="-") if fits else None


@dataclass(frozen=True)
class _Layer:
    """Where a layer goes: file, format, name, kind of geometry ("None" without), CRS."""

    path: Path
    driver: str
    name: str
    kind: str
    wkt: str


def _write_layer(layer: _Layer, texts: Texts, plain: pd.DataFrame, geometry: gpd.GeoSeries | None) -> None:
    """Write the fields through fiona, which knows exact widths and decimals, then the rows in bulk."""
    kinds = [_field(kind, length) for kind, length in zip(plain["type"], plain["length"], strict=True)]
    schema = {"geometry": layer.kind, "properties": dict(zip(texts, kinds, strict=True))}
    with fiona.open(
        layer.path, "w", driver=layer.driver, layer=layer.name, crs_wkt=layer.wkt, schema=schema,
        encoding="UTF-8",
    ):  # fmt: skip
        pass
    columns = [_typed(column, kind) for column, kind in zip(texts.values(), kinds, strict=True)]
    if not columns or not len(columns[0]):
        return
    rows = pa.table(columns, names=list(texts))
    shaped = {}
    if geometry is not None:
        shapes = pa.array(shapely.to_wkb(shapely.force_2d(geometry.to_numpy())), pa.binary())
        rows = rows.append_column(_SHAPE, shapes)
        shaped = {"geometry_name": _SHAPE, "geometry_type": layer.kind, "crs": layer.wkt}
    write_arrow(
        rows, layer.path, layer=layer.name, driver=layer.driver, encoding="UTF-8", append=True, **shaped
    )


def _typed(column: pa.Array, kind: str) -> pa.Array:
    if kind == "bool":
        return pc.or_(pc.equal(column, "t"), pc.equal(column, "1"))
    types = {"int": pa.int64(), "float": pa.float64(), "date": pa.date32()}
    return pc.cast(column, types.get(kind.partition(":")[0], pa.large_string()))


def _field(kind: str, length: str) -> str:
    """Give the fiona type of an attribute; NUMERIC(6,2) takes 8 characters with its sign and point."""
    if kind == "VARCHAR":
        return f"str:{length}"
    if kind == "NUMERIC":
        precision, _, scale = length.partition(",")
        return f"float:{int(precision) + 2}.{scale}" if length else _NUMBER
    return {"INTEGER": _INTEGER, "BIGINT": _INTEGER, "BOOLEAN": "bool", "DATE": "date", "TIMESTAMP": _MOMENT}[
        kind
    ]


def _fix_dbf_date(path: Path) -> None:
    """Replace the day of writing in the header (bytes 1 to 3), which would change every day."""
    year, month, day = time.gmtime(source_date())[:3]
    with path.open("r+b") as stream:
        stream.seek(1)
        stream.write(bytes((year - 1900, month, day)))
