"""Write a conformant GraceTHD delivery (shapefiles and CSV), for whoever hands one over.

Nothing is interpreted: tables go out under the names, order, types and widths of the model, and what does
not fit is an error, never cut. The same tables give the same bytes, whatever the day or the machine.
"""

import csv
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.errors import CRSError, GraceTHDError
from gracethd.model import attributes

WrittenVersion = Literal["2.0.1", "3.0.1"]

_EPOCH = 315_532_800  # 1980-01-01, the first day that a zip entry can carry
_TRUE, _FALSE = {"t", "true", "1", "o", "oui"}, {"f", "false", "0", "n", "non"}
# Widths of the empty shapefiles shipped with the public model: integers in 11 digits, free numbers in 32.10,
# moments as text since a DBF knows days only.
_INTEGER, _NUMBER, _MOMENT = "int:11", "float:32.10", "str:29"


def write_delivery(tables: Mapping[str, pd.DataFrame], version: WrittenVersion, path: Path) -> None:
    """Write one delivery as a folder, or as an archive when `path` ends in ``.zip``.

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
        An archive is replaced; a folder must not exist yet, or be empty. It appears whole or not at all,
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
    without quotes (unless a value holds ``;``, a quote or a line end), ISO dates, header always there.
    """
    _check_names(tables, version)
    wkt = _common_crs(tables)
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


def _check_names(tables: Mapping[str, pd.DataFrame], version: WrittenVersion) -> None:
    model = attributes(version)
    for name, frame in tables.items():
        known = set(model.loc[model["table"] == name, "attribute"])
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
    model = attributes(version)
    rows = model[model["table"] == name]
    shape = rows.loc[rows["geometry_type"] != "", "geometry_type"].tolist()
    plain = rows[rows["geometry_type"] == ""]
    if shape and not isinstance(frame, gpd.GeoDataFrame):
        raise GraceTHDError(f"{name}: this table has geometry in GraceTHD {version}; give a GeoDataFrame")
    texts = _texts(frame, plain, name, version, in_bytes=bool(shape))
    if isinstance(frame, gpd.GeoDataFrame) and shape:
        _write_shapefile(texts, frame.geometry, plain, shape[0], folder / f"{name}.shp", wkt)
    else:
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter=";", lineterminator="\n")
            writer.writerow(texts)
            writer.writerows(zip(*texts.values(), strict=True))


def _texts(
    frame: pd.DataFrame, plain: pd.DataFrame, name: str, version: WrittenVersion, *, in_bytes: bool
) -> dict[str, list[str]]:
    """Give every attribute of the model, in its order, as the text that the delivery will hold."""
    columns: dict[str, list[str]] = {}
    for attribute, kind, length in zip(plain["attribute"], plain["type"], plain["length"], strict=True):
        if attribute not in frame:
            columns[attribute] = [""] * len(frame)
            continue
        raw = _plain_text(frame[attribute])
        convert = _converter(kind, length, version, in_bytes=in_bytes)
        known = {text: convert(text) if text else "" for text in set(raw)}
        texts = [known[text] for text in raw]
        if None in texts:
            code = _code_of(frame, plain, texts.index(None))
            expected = f"{kind}({length})" if length else kind
            raise GraceTHDError(
                f"{name}.{attribute}, {code}: the value does not fit {expected}; mend it, nothing is cut"
            )
        columns[attribute] = [text or "" for text in texts]
    return columns


def _code_of(frame: pd.DataFrame, plain: pd.DataFrame, row: int) -> str:
    keys = [name for name in plain.loc[plain["primary_key"] != "", "attribute"] if name in frame]
    return str(frame[keys[0]].iloc[row]) if keys else f"row {row + 1}"


def _plain_text(column: pd.Series) -> list[str]:
    """Give values as text, "" where missing or blank; 12.0 is "12", since a gap turns integers to floats."""
    gone = column.isna().to_numpy()
    if pd.api.types.is_float_dtype(column):
        values = [np.format_float_positional(value, trim="-") for value in column.to_numpy()]
    else:
        values = [str(value) for value in column.tolist()]
    return [
        "" if missing or not value.strip() else value for missing, value in zip(gone, values, strict=True)
    ]


def _converter(
    kind: str, length: str, version: WrittenVersion, *, in_bytes: bool
) -> Callable[[str], str | None]:
    """Give what turns a text into that of the delivery, None where the model cannot hold it."""
    if kind == "VARCHAR":
        width = int(length)
        return lambda text: text if len(text.encode() if in_bytes else text) <= width else None
    if kind == "BOOLEAN":
        yes, no = ("t", "f") if version == "2.0.1" else ("1", "0")
        words = dict.fromkeys(_TRUE, yes) | dict.fromkeys(_FALSE, no)
        return lambda text: words.get(text.lower())
    if kind in {"DATE", "TIMESTAMP"}:
        return lambda text: _moment(text, "%Y-%m-%d" if kind == "DATE" else "%Y-%m-%d %H:%M:%S")
    if kind in {"INTEGER", "BIGINT"}:
        return _integer
    precision, scale = (int(part) for part in length.split(",")) if length else (32, 10)
    return lambda text: _number(text, precision, scale)


def _moment(text: str, form: str) -> str | None:
    try:
        return datetime.fromisoformat(text).strftime(form)
    except ValueError:
        return None


def _integer(text: str) -> str | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 10**10 else None  # ten digits and a sign


def _number(text: str, precision: int, scale: int) -> str | None:
    try:
        value = round(float(text), scale)
    except ValueError:
        return None
    fits = abs(value) < 10.0 ** (precision - scale)  # false for nan
    return np.format_float_positional(value, trim="-") if fits else None


def _write_shapefile(
    texts: dict[str, list[str]],
    geometry: gpd.GeoSeries,
    plain: pd.DataFrame,
    shape: str,
    path: Path,
    wkt: str,
) -> None:
    names = [alias or name[:10] for name, alias in zip(plain["attribute"], plain["alias10"], strict=True)]
    kinds = [_field(kind, length) for kind, length in zip(plain["type"], plain["length"], strict=True)]
    schema = {
        "geometry": shape.removeprefix("Multi"),
        "properties": dict(zip(names, kinds, strict=True)),
    }
    columns = [_typed(column, kind) for column, kind in zip(texts.values(), kinds, strict=True)]
    with fiona.open(
        path, "w", driver="ESRI Shapefile", crs_wkt=wkt, schema=schema, encoding="UTF-8"
    ) as layer:
        layer.writerecords(_records(columns, geometry, names))
    _fix_dbf_date(path.with_suffix(".dbf"))


def _typed(column: list[str], kind: str) -> list[object]:
    reading: dict[str, Callable[[str], object]] = {"int": int, "float": float, "bool": _is_true}
    convert = reading.get(kind.partition(":")[0], str)
    known = {text: convert(text) if text else None for text in set(column)}
    return [known[text] for text in column]


def _is_true(text: str) -> bool:
    return text in {"t", "1"}


def _records(
    columns: list[list[object]], geometry: gpd.GeoSeries, names: list[str]
) -> Iterator[dict[str, object]]:
    shapes = shapely.force_2d(geometry.to_numpy())
    for shape, *values in zip(shapes, *columns, strict=True):
        mapped = None if shape is None else shapely.geometry.mapping(shape)
        yield {"type": "Feature", "geometry": mapped, "properties": dict(zip(names, values, strict=True))}


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
