"""Opening deliveries: from paths to tables of text, whole or not at all."""

import glob
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gracethd.deliveries import archives
from gracethd.deliveries.crs import read_prj
from gracethd.deliveries.databases import read_database
from gracethd.deliveries.folders import (
    DATABASE,
    GEOGRAPHIC,
    TableFiles,
    delivery_roots,
    holds_tables,
    is_wanted_in_archive,
    table_files,
)
from gracethd.deliveries.layers import read_dbf, read_layer
from gracethd.deliveries.schemas import address_of, read_schema
from gracethd.deliveries.tables import ReadTable, as_delivery, not_read_tables
from gracethd.deliveries.text import read_csv
from gracethd.deliveries.types import Delivery
from gracethd.errors import GraceTHDError, SourceError
from gracethd.findings import findings_frame, merge_findings
from gracethd.postgis import is_address

if TYPE_CHECKING:
    import pyproj

MAX_NESTED = 3
"""Archives in one another: a programme of zones of deliveries has two."""


def open_delivery(path: Path) -> Delivery:
    """Read one delivery, a folder or a .zip of shapefiles and CSV, or a database, table by table as text.

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


Root = Path | str
"""A folder, an archive or a database that holds deliveries, or the address of a schema that is one."""

Reader = Callable[[Root], list[Delivery]]
"""Gives the deliveries of one root."""

Tell = Callable[[int, int], None]
"""Told how many of the paths have been read, and how many there are."""


def open_deliveries(
    paths: Sequence[Path | str], *, reader: Reader | None = None, tell: Tell = lambda _done, _all: None
) -> list[Delivery]:
    """Read deliveries in the order of the paths; a folder of deliveries gives each of them, sorted by name.

    Parameters
    ----------
    paths : sequence of Path or str
        Folders, zips (of zips, too), databases, or patterns of such names (``livraisons/*.zip``); a folder
        that holds only zips, databases or sub-folders with deliveries is expanded. A text that is
        ``postgresql://user@host/database?schema=NAME`` is the delivery that this schema holds; a .toml
        describes a level-0 source (`gracethd.level0_file`).
    reader : callable, optional
        Reads one path in the place of `open_root`, and may keep less: a thousand whole deliveries do not fit
        in memory.
    tell : callable, optional
        Told how far reading has come, after each path.

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
    roots = [root for path in paths for root in _roots(path)]
    distinct = list({_identity(root): root for root in roots}.values())
    read: list[Delivery] = []
    for done, root in enumerate(distinct, start=1):
        read += (reader or open_root)(root)
        tell(done, len(distinct))
    return [_renamed(delivery, name) for delivery, name in zip(read, _unique_names(read), strict=True)]


def _roots(path: Path | str) -> list[Root]:
    if is_address(path):
        return [address_of(path)]
    return [root for one in _expanded(Path(path)) for root in delivery_roots(one)]


def _identity(root: Root) -> Root:
    return root.resolve() if isinstance(root, Path) else root


def _expanded(path: Path) -> list[Path]:
    """Give the paths that match a pattern, sorted; a name that exists as it is written is not a pattern."""
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute too
    if not matches:
        raise SourceError(f"{path}: nothing matches this pattern; correct it or add the deliveries")
    return matches


@dataclass
class _Budget:
    """What may still be unpacked from an archive and from those in it."""

    bytes_left: int


def open_root(root: Root) -> list[Delivery]:
    """Read the deliveries of one folder, archive, database or schema."""
    if not isinstance(root, Path):
        return [read_schema(root)]
    if root.suffix.lower() == ".toml":
        from gracethd.level0_file import read_level0  # which stands on this package

        return [read_level0(root)]
    found = _open_one(
        root, name=_plain_name(root), path=root, depth=0, budget=_Budget(archives.MAX_UNPACKED_BYTES)
    )
    if not found:
        raise SourceError(f"{root}: no GraceTHD table in this zip, nor in the archives that it holds")
    return found


def _plain_name(root: Path) -> str:
    return root.resolve().name if root.is_dir() else root.stem


def _open_one(root: Path, *, name: str, path: Path, depth: int, budget: _Budget) -> list[Delivery]:
    """Read a folder, a database or an archive, and the archives in it; nothing where it holds no table."""
    if root.suffix.lower() != ".zip" or root.is_dir():
        return [_read_folder(root, name=name, path=path)]
    if depth > MAX_NESTED:
        raise SourceError(f"{root}: more than {MAX_NESTED} archives in one another; unpack them")
    with tempfile.TemporaryDirectory(prefix="gracethd-") as temporary:
        folder = Path(temporary)
        try:
            return _open_archive(root, folder, name=name, path=path, depth=depth, budget=budget)
        except GraceTHDError as error:  # said in the words of whoever gave the archive
            raise type(error)(str(error).replace(str(folder), str(root))) from error


def _open_archive(
    root: Path, folder: Path, *, name: str, path: Path, depth: int, budget: _Budget
) -> list[Delivery]:
    left, unpacked = archives.unpack(root, folder, wanted=is_wanted_in_archive, at_most=budget.bytes_left)
    budget.bytes_left -= unpacked
    if not holds_tables(folder):
        return []
    packed = (_file_sha256(root), root.stat().st_size)
    others = [member for member in left if member.rsplit("/", 1)[-1].lower()[:2] in ("t_", "l_")]
    found = []
    for one in delivery_roots(folder):
        inner = name if one == folder else f"{name}/{_plain_name(one)}"
        if one.suffix.lower() == ".zip" and one.is_file():
            found += _open_one(one, name=inner, path=path, depth=depth + 1, budget=budget)
        else:
            found.append(_read_folder(one, name=inner, path=path, packed=packed, left=others))
    return found


def _read_folder(
    folder: Path, *, name: str, path: Path, packed: tuple[str, int] | None = None, left: Sequence[str] = ()
) -> Delivery:
    found, others = table_files(folder)
    not_read = not_read_tables(
        [file.name for file in others] + [member.rsplit("/", 1)[-1] for member in left]
    )
    tables = [_read_table(files, folder) for files in found]
    return as_delivery(name, path, packed or _folder_sha256(folder, found), tables, not_read)


def _read_table(files: TableFiles, folder: Path) -> ReadTable:
    """Read a table from the best of its files."""
    frame, crs, findings = _read_rows(files)
    parts = [findings]
    if DATABASE in files.parts and len(files.parts) > 1:
        message = "Table livrée en base de données et en fichiers : lue de la première"
        parts.append(findings_frame("fichier_double", "info", files.table, code=[""], message=message))
    if ".csv" in files.parts and ".dbf" in files.parts:
        message = "Table livrée en CSV et en .dbf : lue du second si elle est géographique, sinon du premier"
        parts.append(findings_frame("fichier_double", "info", files.table, code=[""], message=message))
    main = _main_file(files)
    origin = main.relative_to(folder).as_posix() if main != folder else main.name
    return ReadTable(files.table, frame, crs, merge_findings(parts), origin)


def _read_rows(files: TableFiles) -> tuple[pd.DataFrame, "pyproj.CRS | None", pd.DataFrame]:
    main, table = _main_file(files), files.table
    if main == files.parts.get(DATABASE):
        return read_database(main, files.layer, table)
    if main.suffix.lower() == ".shp":
        layer, findings = read_layer(files.parts, table)
        return layer, read_prj(files.parts[".prj"]) if ".prj" in files.parts else None, findings
    frame, findings = read_csv(main, table) if main.suffix.lower() == ".csv" else read_dbf(files.parts, table)
    return frame, None, findings


def _main_file(files: TableFiles) -> Path:
    """Choose the file that the rows of a table are read from."""
    parts, table = files.parts, files.table
    if DATABASE in parts:
        return parts[DATABASE]
    if ".shp" in parts and (table in GEOGRAPHIC or ".csv" not in parts):
        return parts[".shp"]
    for extension in (".csv", ".dbf"):
        if extension in parts:
            return parts[extension]
    raise SourceError(
        f"{next(iter(parts.values()))}: {table} has no .shp, .dbf or .csv; deliver the data too"
    )


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


def content_digest(root: Path) -> str:
    """Digest all that reading one path of `delivery_roots` depends on, without reading its tables."""
    if root.suffix.lower() == ".toml":
        from gracethd.level0_file import source_digest

        return source_digest(root)
    if root.is_file():
        return _file_sha256(root)
    found, others = table_files(root)
    told = [_folder_sha256(root, found)[0], *(file.name for file in others)]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _folder_sha256(folder: Path, found: Sequence[TableFiles]) -> tuple[str, int]:
    """Give the digest of the sorted (name, content) pairs of the files read, and their size."""
    if folder.is_file():
        return _file_sha256(folder), folder.stat().st_size
    paths = {path for one in found for path in one.parts.values()}
    files = sorted((path.relative_to(folder).as_posix(), path) for path in paths)
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0{_file_sha256(path)}\n".encode())
    return digest.hexdigest(), sum(path.stat().st_size for _, path in files)
