"""A level-0 source as a small TOML file: which table, and which of its columns holds what.

[level0]
kind = "ipe"              # a flat file of buildings (CSV); "zapm": polygons by PM (.gpkg, .shp)
file = "ipe.csv"          # relative to this file
crs = "EPSG:2154"         # of x and y; for polygons only where the layer states none
layer = "zapm"            # of a .gpkg that holds several
[level0.columns]
address = "imb_id"        # ipe: address, x, y, prises, pm, and x_pm, y_pm, insee where known
pm = "pm_ref"             # zapm: pm, prises
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

import geopandas as gpd
import pyproj
from pyproj.exceptions import CRSError as ProjError

from gracethd.deliveries.crs import read_prj
from gracethd.deliveries.databases import EXTENSIONS, database_tables, layer_names, read_database
from gracethd.deliveries.layers import read_layer
from gracethd.deliveries.text import read_csv
from gracethd.deliveries.types import Delivery
from gracethd.errors import CRSError, GraceTHDError, SourceError
from gracethd.findings import merge_findings
from gracethd.level0 import from_buildings, from_zones

Kind = Literal["ipe", "zapm"]
ROLES: dict[Kind, tuple[str, ...]] = {
    "ipe": ("address", "x", "y", "prises", "pm", "x_pm", "y_pm", "insee"),
    "zapm": ("pm", "prises"),
}
"""What a column may hold, by kind of source."""


@dataclass(frozen=True)
class Source:
    """A level-0 source, read from its TOML file; columns by role, in lower case as they are read."""

    path: Path
    kind: Kind
    file: Path
    columns: Mapping[str, str]
    crs: pyproj.CRS | None
    layer: str


def is_level0(path: Path | str) -> bool:
    """Tell whether a file is the description of a level-0 source: a TOML file with a table ``level0``."""
    path = Path(path)
    if path.suffix.lower() != ".toml" or not path.is_file():
        return False
    try:
        return "level0" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def read_source(path: Path) -> Source:
    """Read the description of a level-0 source.

    Raises
    ------
    SourceError
        It is not one, names an unknown key, kind or role, or a file that is not there.
    CRSError
        Its CRS is none, or is not in metres.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))["level0"]
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SourceError(f"{path}: not valid TOML, {error}; correct it there") from error
    except KeyError as error:
        raise SourceError(f"{path}: no table [level0]; a study is given to the command resilience") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("columns", {}), dict):
        raise SourceError(f"{path}: level0 and level0.columns are tables")
    told = {key: raw[key] for key in raw if key != "columns"}
    columns = raw.get("columns", {})
    for key, value in [*told.items(), *((f"columns.{role}", name) for role, name in columns.items())]:
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise SourceError(f"{path}: level0.{key}: a text between quotes is expected")
    if unknown := sorted(set(told) - {"kind", "file", "crs", "layer"}):
        raise SourceError(f"{path}: unknown key level0.{unknown[0]}; known: kind, file, crs, layer, columns")
    if told.get("kind") not in ROLES:
        raise SourceError(f"{path}: level0.kind is one of {', '.join(ROLES)}")
    kind = cast("Kind", told["kind"])
    if strange := sorted(set(columns) - set(ROLES[kind])):
        known = ", ".join(ROLES[kind])
        raise SourceError(f"{path}: level0.columns.{strange[0]}: the columns of {kind} are {known}")
    return Source(
        path=path,
        kind=kind,
        file=_file(path, told.get("file", "")),
        columns={role: name.strip().lower() for role, name in columns.items()},
        crs=_crs(path, told["crs"]) if "crs" in told else None,
        layer=told.get("layer", ""),
    )


def read_level0(path: Path) -> Delivery:
    """Read the level-0 source that a TOML file describes, as a delivery of zones and prises.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Delivery
        Named as the file; see `gracethd.level0.from_buildings` and `from_zones`.

    Raises
    ------
    SourceError
        The description or the table cannot be read.
    CRSError
        Nothing tells the CRS, or it is not in metres.
    GraceTHDError
        A column is not named, or not there.

    Examples
    --------
    >>> read_level0(Path("niveau0.toml")).versions["t_zsro"]  # doctest: +SKIP
    '2'
    """
    source = read_source(path)
    make = _from_ipe if source.kind == "ipe" else _from_zapm
    try:
        delivery = make(source)
    except GraceTHDError as error:
        if str(source.file) in str(error):
            raise
        raise type(error)(f"{source.file}: {error}") from error
    digest = source_digest(path)
    files = dict.fromkeys(delivery.tables, source.file.name)
    return replace(
        delivery, path=path, sha256=digest, size_bytes=source.file.stat().st_size, files=files,
        findings=delivery.findings.assign(delivery=delivery.name),
    )  # fmt: skip


def source_digest(path: Path) -> str:
    """Digest a description and all the files that it leads to."""
    file = read_source(path).file
    beside = sorted(file.parent.glob(f"{_escaped(file.stem)}.*")) if file.suffix.lower() == ".shp" else [file]
    digest = hashlib.sha256(path.read_bytes())
    for one in beside:
        with one.open("rb") as stream:
            digest.update(f"\0{one.name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}".encode())
    return digest.hexdigest()


def _from_ipe(source: Source) -> Delivery:
    if source.file.suffix.lower() not in (".csv", ".txt"):
        raise SourceError(f"{source.file}: an ipe is a .csv; export it as one")
    if source.crs is None:
        raise CRSError(f"{source.path}: level0.crs is needed, that of x and y (EPSG:2154 for Lambert-93)")
    table, findings = read_csv(source.file, "t_adresse")
    delivery = from_buildings(table, source.columns, source.crs, name=source.path.stem)
    return replace(delivery, findings=merge_findings([findings, delivery.findings]))


def _from_zapm(source: Source) -> Delivery:
    suffix = source.file.suffix.lower()
    if suffix in EXTENSIONS:
        layer, crs = _of_database(source)
    elif suffix == ".shp":
        same = sorted(source.file.parent.glob(f"{_escaped(source.file.stem)}.*"))
        parts = {one.suffix.lower(): one for one in same}
        layer, _ = read_layer(parts, "t_zsro")
        crs = read_prj(parts[".prj"]) if ".prj" in parts else None
    else:
        raise SourceError(f"{source.file}: a zapm is a .gpkg or a .shp; export it as one")
    crs = crs or source.crs
    if crs is None:
        raise CRSError(f"{source.file}: the zones tell no CRS; say level0.crs in {source.path.name}")
    return from_zones(layer.set_crs(crs, allow_override=True), source.columns, name=source.path.stem)


def _of_database(source: Source) -> tuple[gpd.GeoDataFrame, pyproj.CRS | None]:
    names = layer_names(source.file)
    wanted = [name for name in names if source.layer.lower() in ("", name.lower())]
    if len(wanted) != 1:
        cure = f"say level0.layer in {source.path.name}, one of {', '.join(names) or '(none)'}"
        raise SourceError(f"{source.file}: which layer holds the zones? {cure}")
    database_tables(source.file, frozenset({wanted[0].lower()}))  # refuses computed columns
    layer, crs, _ = read_database(source.file, wanted[0], "t_zsro")
    if not isinstance(layer, gpd.GeoDataFrame):
        raise SourceError(f"{source.file}: layer {wanted[0]} has no geometry")
    return layer, crs


def _file(path: Path, name: str) -> Path:
    if not name or "://" in name or name.startswith(("/vsi", "\\\\", "//")):
        raise SourceError(f"{path}: level0.file is the path of a file, relative to this one")
    file = path.parent / name
    if not file.is_file():
        raise SourceError(f"{path}: level0.file: {file} does not exist; paths are relative to {path.name}")
    return file


def _crs(path: Path, text: str) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(text)
    except ProjError as error:
        raise CRSError(f"{path}: level0.crs {text!r} is no coordinate system; say EPSG:2154") from error


def _escaped(stem: str) -> str:
    return "".join(f"[{one}]" if one in "*?[" else one for one in stem)
