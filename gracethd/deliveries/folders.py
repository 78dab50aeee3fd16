"""Where the tables of a delivery stand in a folder, and where a folder holds several deliveries.

A delivery is a folder in which no table stands twice, its sub-folders included: operators often part
layers from tables (``SHP/``, ``CSV/``). A folder of deliveries holds zips or databases, or sub-folders that
repeat tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gracethd.deliveries.databases import EXTENSIONS as DATABASES
from gracethd.deliveries.databases import database_tables, is_database
from gracethd.errors import SourceError
from gracethd.model import VERSIONS, attributes

EXTENSIONS = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".csv")
"""All that a delivery needs; anything else stays packed and unread."""

DATABASE = "database"
"""Stands for the extension of a database among the files of a table."""

MAX_DEPTH = 4
"""Folders below the one given; deliveries measured have two at most."""

TABLES = frozenset(str(table) for version in VERSIONS for table in attributes(version)["table"].unique())
"""Tables of every known version of the model, patches included."""

GEOGRAPHIC = frozenset(
    str(table)
    for version in VERSIONS
    for table in attributes(version).query("geometry_type != ''")["table"].unique()
)
"""Tables that carry a geometry in at least one version."""


@dataclass(frozen=True)
class TableFiles:
    """The files of one table, by extension in lower case; `layer` is its name in a database."""

    table: str
    parts: Mapping[str, Path]
    layer: str = ""


def is_wanted(name: str) -> bool:
    """Tell whether a delivery needs the file of this lower-case name."""
    stem, dot, extension = name.rpartition(".")
    return dot + extension in EXTENSIONS and stem in TABLES


def is_wanted_in_archive(name: str) -> bool:
    """Tell whether a file of this lower-case name may hold tables, as a database or an archive does."""
    return is_wanted(name) or name.endswith((*DATABASES, ".zip"))


def delivery_roots(path: Path) -> list[Path]:
    """Expand a path into the deliveries it holds: itself, or its zips and sub-folders in sorted order.

    Raises
    ------
    SourceError
        The path does not exist, is neither a folder nor a zip, holds no table of the model, or holds a
        table twice without being a folder of deliveries.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder")
    if path.is_file():
        if path.suffix.lower() == ".toml":  # a level-0 source
            return [path]
        if path.suffix.lower() != ".zip" and not is_database(path):
            raise SourceError(
                f"{path}: a delivery is a folder or a .zip of shapefiles and CSV, or a database "
                f"({', '.join(DATABASES)})"
            )
        if is_database(path) and not database_tables(path, TABLES):
            raise SourceError(f"{path}: no GraceTHD table (t_noeud, t_cable...) in this database")
        return [path]
    roots = _roots(path, depth=0)
    if not roots:
        raise SourceError(
            f"{path}: no GraceTHD table (t_noeud.shp, t_cable.csv...), no database and no .zip in this folder"
        )
    return roots


def holds_tables(folder: Path) -> bool:
    """Tell whether a folder holds a table of the model, or an archive or database where one may be."""
    return bool(_roots(folder, depth=0))


def table_files(folder: Path) -> tuple[list[TableFiles], list[Path]]:
    """Find the tables of one delivery, sorted by name, and the other files that look like tables or lists.

    Parameters
    ----------
    folder : Path
        Or a database.

    Raises
    ------
    SourceError
        A table, or one of its files, stands twice; a database that is damaged.
    """
    parts: dict[str, dict[str, Path]] = {}
    layers: dict[str, str] = {}
    others = []
    for file in _files(folder, depth=0) if folder.is_dir() else [folder]:
        if is_database(file):
            for table, layer in database_tables(file, TABLES).items():
                known = parts.setdefault(table, {})
                if DATABASE in known:
                    raise SourceError(f"{table}: in two databases, {known[DATABASE]} and {file}; keep one")
                known[DATABASE], layers[table] = file, layer
            continue
        table, extension = file.stem.lower(), file.suffix.lower()
        if not is_wanted(file.name.lower()):
            if extension in (".shp", ".csv", ".dbf") and table[:2] in ("t_", "l_"):
                others.append(file)
            continue
        known = parts.setdefault(table, {})
        if extension in known:
            raise SourceError(f"{table}: two files, {known[extension]} and {file}; keep one")
        known[extension] = file
    return [TableFiles(table, parts[table], layers.get(table, "")) for table in sorted(parts)], others


def _roots(folder: Path, *, depth: int) -> list[Path]:
    children = [child for child in _sorted(folder) if child.is_dir() and depth < MAX_DEPTH]
    below = {child: _tables_below(child, depth=depth + 1) for child in children}
    own = _own_tables(folder)
    everything = own + [table for tables in below.values() for table in tables]
    files = [child for child in _sorted(folder) if child.is_file()]
    zips = [file for file in files if file.suffix.lower() == ".zip"]
    zips += [file for file in files if is_database(file) and database_tables(file, TABLES)]
    if own or (everything and not zips and len(set(everything)) == len(everything)):
        return [folder]
    deeper = {child: _roots(child, depth=depth + 1) for child in children}
    return [root for child in sorted([*zips, *children]) for root in deeper.get(child, [child])]


def _own_tables(folder: Path) -> list[str]:
    """Give the tables that stand in the folder itself, each once."""
    return sorted(
        {file.stem.lower() for file in folder.iterdir() if is_wanted(file.name.lower()) and file.is_file()}
    )


def _tables_below(folder: Path, *, depth: int) -> list[str]:
    """Give the tables of a folder and its sub-folders, repeated as often as they stand."""
    below = [child for child in _sorted(folder) if child.is_dir() and depth < MAX_DEPTH]
    return _own_tables(folder) + [table for child in below for table in _tables_below(child, depth=depth + 1)]


def _files(folder: Path, *, depth: int) -> list[Path]:
    found: list[Path] = []
    for child in _sorted(folder):
        if child.is_dir() and depth < MAX_DEPTH:
            found.extend(_files(child, depth=depth + 1))
        elif child.is_file():
            found.append(child)
    return found


def _sorted(folder: Path) -> list[Path]:
    """List a folder in name order; hidden entries and the doubles that macOS adds are left out."""
    return sorted(child for child in folder.iterdir() if not child.name.startswith((".", "__MACOSX")))
