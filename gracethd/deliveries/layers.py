"""Shapefiles and lone .dbf tables of a delivery, read in bulk and turned into text and 2-D geometry.

GDAL chooses a driver from the content of a file: each file is therefore recognised and measured here first,
so that nothing but a whole shapefile ever reaches GDAL, and the driver that opened it is checked.
"""

import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError, FieldError

from gracethd.deliveries.text import TEXT_DTYPES, clean_text
from gracethd.errors import SourceError
from gracethd.findings import NO_FINDING, findings_frame, merge_findings

FARTHEST_M = 2e7
"""No projected coordinate is larger: half the way round the Earth (metres)."""

DRIVER = "ESRI Shapefile"
_SHP_MAGIC, _SHP_VERSION, _SHP_HEADER = 9994, 1000, 100
_DBF_VERSIONS = frozenset({0x02, 0x03, 0x04, 0x30, 0x31, 0x32, 0x43, 0x83, 0x8B, 0xF5, 0xFB})
_CODE_PAGES = {
    "": (),
    "utf8": ("utf-8",),
    "1252": ("cp1252",),
    "ansi 1252": ("cp1252",),
    "88591": ("latin-1",),
}


def read_layer(parts: Mapping[str, Path], table: str) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read a shapefile: attributes as text, ``line`` and ``geometry`` (2-D, no CRS yet), with findings.

    Numbers become their shortest text ("1.0" is "1"), logical fields "1" or "0", dates ISO text. Text
    is decoded value by value: UTF-8 if it is valid, else what the .cpg says, else cp1252. A null or
    empty geometry becomes None and is listed; multi-part geometries are kept.

    Parameters
    ----------
    parts : mapping of str to Path
        Files by extension; ``.shp``, ``.shx`` and ``.dbf`` are needed.
    table : str

    Raises
    ------
    SourceError
        A file is missing, truncated or not what its name says.
    """
    missing = [extension for extension in (".shp", ".shx", ".dbf") if extension not in parts]
    if missing:
        raise SourceError(
            f"{parts['.shp']}: {table}{missing[0]} is missing; deliver .shp, .shx and .dbf together"
        )
    n_rows = _check_dbf(parts[".dbf"])
    n_shapes = _check_shp(parts[".shp"], parts[".shx"])
    if n_shapes != n_rows:
        raise SourceError(
            f"{parts['.dbf']}: {n_rows} rows for {n_shapes} shapes; one of the two is truncated"
        )
    read = _read_arrow(parts, ".shp")
    frame, findings = _text_frame(read.select(range(read.num_columns - 1)), parts, table)
    layer, shapeless = with_geometry(frame, read.column(read.num_columns - 1), table)
    return layer, merge_findings([findings, shapeless])


def read_dbf(parts: Mapping[str, Path], table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a .dbf that stands without .shp: its rows as text and ``line``; one byte is an empty table."""
    if parts[".dbf"].stat().st_size <= 1:  # seen in real deliveries for t_empreinte, t_zdep, t_zcoax
        return pd.DataFrame({"line": pd.Series(dtype=np.int64)}), merge_findings([])
    _check_dbf(parts[".dbf"])
    return _text_frame(_read_arrow({".dbf": parts[".dbf"]}, ".dbf"), parts, table)


def with_geometry(
    frame: pd.DataFrame, wkb: pa.ChunkedArray, table: str
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Give a frame the 2-D geometry of its rows; with findings.

    It is None where it is null, empty or unreadable, or where a coordinate is none or beyond `FARTHEST_M`.
    """
    shapes = shapely.force_2d(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="ignore"))
    shapes = np.asarray(shapes, dtype=object)
    shapes[shapely.is_empty(shapes)] = None
    impossible = _nowhere(shapes)
    shapes[impossible] = None
    layer = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index))
    message = "coordonnées impossibles : objet gardé sans lieu"
    told = _shape_findings("coordonnees_impossibles", layer, table, impossible, message)
    return layer, merge_findings([told, _missing_geometry(layer, table)])


def _nowhere(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    found = np.zeros(len(shapes), bool)
    found[row[~(np.abs(xy) <= FARTHEST_M).all(axis=1)]] = True  # false for what is no number
    return found


def text_frame(columns: Mapping[str, pa.ChunkedArray], n_rows: int) -> pd.DataFrame:
    """Make a frame of columns of text, with ``line`` counted from 1."""
    frame = pd.DataFrame(index=range(n_rows))
    if columns:
        frame = pa.table(dict(columns)).to_pandas(types_mapper=TEXT_DTYPES.get)
    frame["line"] = np.arange(1, n_rows + 1, dtype=np.int64)
    return frame


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give typed values as their shortest text: 1.0 is "1", true is "1", a date is ISO; bytes are missing."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "1", "0").cast(pa.large_string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return clean_text(column.cast(pa.large_string()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.chunked_array([pa.nulls(len(column), pa.large_string())])
    if pa.types.is_timestamp(kind):
        return pc.strftime(column.cast(pa.timestamp("s"), safe=False), "%Y-%m-%d %H:%M:%S").cast(
            pa.large_string()
        )
    return pc.cast(column, pa.large_string())


def missing_geometry(frame: pd.DataFrame, table: str) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Give a geographic table that came without shapes a geometry of None, and say so."""
    nothing = gpd.GeoSeries(np.full(len(frame), None, dtype=object), index=frame.index)
    layer = gpd.GeoDataFrame(frame, geometry=nothing)
    return layer, _missing_geometry(layer, table)


def _missing_geometry(layer: gpd.GeoDataFrame, table: str) -> pd.DataFrame:
    missing = layer.geometry.isna().to_numpy()
    return _shape_findings("geometrie_absente", layer, table, missing, "Géométrie absente ou vide")


def _shape_findings(
    rule: str, layer: gpd.GeoDataFrame, table: str, faulty: NDArray[np.bool_], message: str
) -> pd.DataFrame:
    if not faulty.any():
        return NO_FINDING
    key = next((str(name) for name in layer.columns if str(name).endswith("_code")), "line")
    rows = layer[faulty]
    return findings_frame(
        rule, "majeur", table, attribute="geom", code=rows[key], message=message, line=rows["line"]
    )


def _read_arrow(parts: Mapping[str, Path], main: str) -> pa.Table:
    """Read through GDAL, as Latin-1 so that every byte of text can be had back.

    GDAL sees the files that were measured and no other, side by side under one name, case included.
    """
    shown = parts[main]
    with tempfile.TemporaryDirectory(prefix="gracethd-") as folder:
        for extension in (".shp", ".shx", ".dbf"):
            if extension in parts:
                (Path(folder) / f"layer{extension}").symlink_to(parts[extension].resolve())
        path = Path(folder) / f"layer{main}"
        try:
            driver = pyogrio.read_info(path)["driver"]
            _, read = pyogrio.read_arrow(path, encoding="ISO-8859-1") if driver == DRIVER else (None, None)
        except (DataSourceError, DataLayerError, FieldError, ValueError) as error:
            raise SourceError(f"{shown}: cannot be read as a shapefile; have it exported again") from error
    if read is None:
        raise SourceError(f"{shown}: opened as {driver}, not as a shapefile; not read")
    table: pa.Table = read
    return table


def _text_frame(read: pa.Table, parts: Mapping[str, Path], table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    declared = _declared_encoding(parts)
    columns = {
        name.lower(): as_text(_decoded(read.column(i), declared)) for i, name in enumerate(read.column_names)
    }
    frame = text_frame(columns, read.num_rows)
    silent = ".cpg" not in parts and read.num_rows > 0
    message = "Pas de .cpg : textes lus en UTF-8, sinon en cp1252"
    return frame, findings_frame("cpg_absent", "info", table, code=[""] if silent else [], message=message)


def _decoded(column: pa.ChunkedArray, declared: tuple[str, ...]) -> pa.ChunkedArray:
    """Decode texts that were read as Latin-1; only those with accents need it, each distinct one once."""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return column
    if pc.all(pc.string_is_ascii(column), min_count=0).as_py():
        return column
    coded = column.combine_chunks().dictionary_encode() if column.num_chunks else column
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    distinct = [_decode(text.encode("latin-1"), declared) for text in coded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(distinct, pa.large_string()).take(coded.indices)])


def _decode(raw: bytes, declared: tuple[str, ...]) -> str:
    """Decode one value: UTF-8 (its end may be cut by the field width), else declared, cp1252, Latin-1."""
    for cut in range(min(4, len(raw))):
        head, tail = raw[: len(raw) - cut], raw[len(raw) - cut :]
        if cut and tail[0] < 0xC2:  # the lowest first byte of a UTF-8 sequence
            continue
        try:
            text = head.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if cut == 0 or not head.isascii():
            return text
    for encoding in (*declared, "cp1252"):
        try:
            return raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def _declared_encoding(parts: Mapping[str, Path]) -> tuple[str, ...]:
    if ".cpg" not in parts:
        return ()
    name = parts[".cpg"].read_bytes()[:40].decode("ascii", "ignore").strip("\0 \r\n").lower()
    known = _CODE_PAGES.get(name.replace("-", ""), (name,))
    return tuple(encoding for encoding in known if encoding.isascii() and encoding.replace("-", "").isalnum())


def _check_shp(shp: Path, shx: Path) -> int:
    """Give the number of shapes; both files must be as long as they say."""
    for path in (shp, shx):
        with path.open("rb") as stream:
            header = stream.read(_SHP_HEADER)
        if len(header) < _SHP_HEADER or struct.unpack(">i", header[:4])[0] != _SHP_MAGIC:
            raise SourceError(
                f"{path}: not a shapefile, or truncated ({len(header)} bytes); have it exported again"
            )
        if struct.unpack("<i", header[28:32])[0] != _SHP_VERSION:
            raise SourceError(f"{path}: unknown shapefile version; have it exported again")
        announced, size = 2 * struct.unpack(">i", header[24:28])[0], path.stat().st_size
        if size < announced:
            raise SourceError(
                f"{path}: truncated, {size} bytes of the {announced} announced; have it sent again"
            )
    return (2 * _announced_words(shx) - _SHP_HEADER) // 8


def _announced_words(path: Path) -> int:
    with path.open("rb") as stream:
        words: int = struct.unpack(">i", stream.read(28)[24:28])[0]
    return words


def _check_dbf(path: Path) -> int:
    """Give the number of rows; the file must hold all that its header announces."""
    with path.open("rb") as stream:
        header = stream.read(32)
    if len(header) < 32 or header[0] not in _DBF_VERSIONS:
        raise SourceError(f"{path}: not a .dbf, or truncated ({len(header)} bytes); have it exported again")
    n_rows, header_size, row_size = struct.unpack("<IHH", header[4:12])
    needed, size = header_size + n_rows * row_size, path.stat().st_size
    if size < needed or header_size < 33 or (n_rows and not row_size):
        raise SourceError(f"{path}: truncated, {size} bytes of the {needed} announced; have it sent again")
    return int(n_rows)
