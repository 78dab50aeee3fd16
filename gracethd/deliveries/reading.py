"""Opening deliveries: from paths to tables of text, whole or not at all."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from gracethd.deliveries.archives import unpack
from gracethd.deliveries.crs import read_prj, unify
from gracethd.deliveries.folders import GEOGRAPHIC, TableFiles, delivery_roots, is_wanted, table_files
from gracethd.deliveries.layers import missing_geometry, read_dbf, read_layer
from gracethd.deliveries.text import read_csv
from gracethd.deliveries.types import Delivery
from gracethd.deliveries.versions import keep_known, table_version
from gracethd.errors import SourceError
from gracethd.findings import findings_frame, merge_findings

if TYPE_CHECKING:
    import pyproj


def open_delivery(path: Path) -> Delivery:
    """Read one delivery, a folder or a .zip of shapefiles and CSV, table by table as text.

    Tables of the model are read, whatever the case of their names; other ``t_*`` and ``l_*`` files are
    reported. Nothing is interpreted: see `gracethd.deliveries.types.Delivery` for the shape of the tables.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SourceError
        The path cannot be read, is unsafe, holds no table or several deliveries, or a table's columns are
        of no known version.
    CRSError
        The coordinates are in degrees, or no layer tells its CRS.

    Examples
    --------
    >>> delivery = open_delivery(Path("livraisons/SRO_7.zip"))  # doctest: +SKIP
    >>> delivery.versions["t_cable"]  # doctest: +SKIP
    '2'
    """
    found = open_deliveries([path])
    if len(found) != 1:
        raise SourceError(f"{path}: holds {len(found)} deliveries ({found[0].name}...); use open_deliveries")
    return found[0]


def open_deliveries(paths: Sequence[Path]) -> list[Delivery]:
    """Read deliveries in the order of the paths; a folder of deliveries gives each of them, sorted by name.

    Parameters
    ----------
    paths : sequence of Path
        Folders or zips; a folder that holds only zips or sub-folders with deliveries is expanded.

    Returns
    -------
    list of Delivery
        With distinct names; the same path given twice is read once.

    Raises
    ------
    SourceError, CRSError
        As `open_delivery`.
    """
    if not paths:
        raise SourceError("no delivery given: name at least one folder or .zip")
    roots = [root for path in paths for root in delivery_roots(Path(path))]
    distinct = list({root.resolve(): root for root in roots}.values())
    read = [delivery for root in distinct for delivery in _open_root(root)]
    return [_renamed(delivery, name) for delivery, name in zip(read, _unique_names(read), strict=True)]


def _open_root(root: Path) -> list[Delivery]:
    if root.is_dir():
        return [_read_folder(root, name=root.resolve().name, path=root)]
    with tempfile.TemporaryDirectory(prefix="gracethd-") as temporary:
        folder = Path(temporary)
        left = unpack(root, folder, wanted=is_wanted)
        if not any(folder.iterdir()):
            inside = f"; it holds {left[0]}" if left else ""
            raise SourceError(
                f"{root}: no GraceTHD table in this zip{inside} (nested archives are not opened)"
            )
        digest, size = _file_sha256(root), root.stat().st_size
        several = delivery_roots(folder)
        others = [name for name in left if name.rsplit("/", 1)[-1].lower()[:2] in ("t_", "l_")]
        names = [root.stem if one == folder else f"{root.stem}/{one.name}" for one in several]
        return [
            _read_folder(one, name=name, path=root, packed=(digest, size), left=others)
            for one, name in zip(several, names, strict=True)
        ]


def _read_folder(
    folder: Path, *, name: str, path: Path, packed: tuple[str, int] | None = None, left: Sequence[str] = ()
) -> Delivery:
    found, others = table_files(folder)
    parts = [_ignored([file.name for file in others] + [member.rsplit("/", 1)[-1] for member in left])]
    tables: dict[str, pd.DataFrame] = {}
    layers: dict[str, gpd.GeoDataFrame] = {}
    stated: dict[str, pyproj.CRS | None] = {}
    versions: dict[str, str] = {}
    for files in found:
        frame, findings = _read_table(files)
        kept, unknown = keep_known(frame, files.table)
        parts += [findings, unknown]
        columns = [str(column) for column in frame.columns if column not in ("line", "geometry")]
        if columns and (version := table_version(files.table, columns)):
            versions[files.table] = version
        if isinstance(kept, gpd.GeoDataFrame):
            layers[files.table] = kept
            stated[files.table] = read_prj(files.parts[".prj"]) if ".prj" in files.parts else None
        tables[files.table] = kept
    unified, crs, crs_findings = unify(layers, stated)
    digest, size = packed or _folder_sha256(folder, found)
    findings = merge_findings([*parts, crs_findings]).assign(delivery=name)
    origin = {files.table: _main_file(files).relative_to(folder).as_posix() for files in found}
    return Delivery(name, path, digest, size, {**tables, **unified}, versions, crs, findings, origin)


def _read_table(files: TableFiles) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a table from the best of its files; a geographic one always comes out with a geometry."""
    frame, findings = _read_rows(files)
    parts = [findings]
    if ".csv" in files.parts and ".dbf" in files.parts:
        message = "Table livrée en CSV et en .dbf : lue du second si elle est géographique, sinon du premier"
        parts.append(findings_frame("fichier_double", "info", files.table, code=[""], message=message))
    if files.table not in GEOGRAPHIC:
        return pd.DataFrame(frame.drop(columns="geometry", errors="ignore")), merge_findings(parts)
    if isinstance(frame, gpd.GeoDataFrame):
        return frame, merge_findings(parts)
    layer, absent = missing_geometry(frame, files.table)
    return layer, merge_findings([*parts, absent])


def _read_rows(files: TableFiles) -> tuple[pd.DataFrame, pd.DataFrame]:
    main = _main_file(files)
    if main.suffix.lower() == ".shp":
        return read_layer(files.parts, files.table)
    if main.suffix.lower() == ".csv":
        return read_csv(main, files.table)
    return read_dbf(files.parts, files.table)


def _main_file(files: TableFiles) -> Path:
    """Choose the file that the rows of a table are read from."""
    parts, table = files.parts, files.table
    if ".shp" in parts and (table in GEOGRAPHIC or ".csv" not in parts):
        return parts[".shp"]
    for extension in (".csv", ".dbf"):
        if extension in parts:
            return parts[extension]
    raise SourceError(
        f"{next(iter(parts.values()))}: {table} has no .shp, .dbf or .csv; deliver the data too"
    )


def _ignored(names: Sequence[str]) -> pd.DataFrame:
    """List files that look like tables or lists of the model and are not read, lists in one line."""
    tables = sorted({name.lower() for name in names if name.lower().startswith("t_")})
    lists = {name.lower() for name in names if name.lower().startswith("l_")}
    return merge_findings([
        findings_frame(
            "table_inconnue", "info", "", code=tables, message="Fichier d'un nom inconnu du modèle : non lu"
        ),
        findings_frame(
            "listes_non_lues", "info", "", code=[""] if lists else [],
            message=f"{len(lists)} listes l_* livrées et non lues : celles du modèle font foi",
        ),
    ])  # fmt: skip


def _unique_names(deliveries: Sequence[Delivery]) -> list[str]:
    """Name each delivery by its own name, with its parent folder or a number where that name is taken."""
    plain = [delivery.name for delivery in deliveries]
    longer = [
        f"{delivery.path.resolve().parent.name}/{name}" if plain.count(name) > 1 else name
        for delivery, name in zip(deliveries, plain, strict=True)
    ]
    seen: dict[str, int] = {}
    names = []
    for name in longer:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _renamed(delivery: Delivery, name: str) -> Delivery:
    if name == delivery.name:
        return delivery
    return replace(delivery, name=name, findings=delivery.findings.assign(delivery=name))


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _folder_sha256(folder: Path, found: Sequence[TableFiles]) -> tuple[str, int]:
    """Give the digest of the sorted (name, content) pairs of the files read, and their size."""
    files = sorted(
        (path.relative_to(folder).as_posix(), path) for one in found for path in one.parts.values()
    )
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0{_file_sha256(path)}\n".encode())
    return digest.hexdigest(), sum(path.stat().st_size for _, path in files)
