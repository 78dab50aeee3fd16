"""Writing and opening a store, whichever its form."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from gracethd.errors import SourceError
from gracethd.inventory import Inventory
from gracethd.postgis import is_address, shown, split_schema
from gracethd.store import folder, geopackage, postgis


def is_store(source: Path | str) -> bool:
    """Tell whether a path, or the schema that an address names, is a store and nothing else."""
    if is_address(source):
        return postgis.is_store_database(source)
    path = Path(source)
    if path.is_dir():
        return (path / folder.MANIFEST).is_file()
    return path.is_file() and geopackage.is_store_file(path)


def store_name(source: Path | str) -> str:
    """Give the name of a store as messages show it: an address without user and password."""
    return shown(source) if is_address(source) else str(source)


def refuse_stores(paths: Iterable[Path | str]) -> None:
    """Refuse a store where only deliveries will do: it keeps what analyses read, not what was delivered.

    Raises
    ------
    SourceError
    """
    for path in paths:
        if is_store(path):
            raise SourceError(
                f"{store_name(path)}: a store no longer holds what was delivered; name its deliveries"
            )


def open_store(source: Path | str, *, carried: bool = False) -> Inventory:
    """Give the inventory that was stored: equal to it in every value, order and dtype.

    Parameters
    ----------
    source : path or str
        A folder, a GeoPackage, or ``postgresql://user@host/database?schema=NAME``.
    carried : bool
        Read also what the store carries and keeps of persons, and analyses do not read.

    Raises
    ------
    SourceError
        The path is no store, the store is damaged, incomplete, or of another version of this package.

    Examples
    --------
    >>> inventory = open_store(Path("inventaire.parquet"))  # doctest: +SKIP
    """
    if is_address(source):
        return postgis.read_database(source, carried=carried)
    path = Path(source)
    if not is_store(path):
        raise SourceError(f"{path}: not a store; make one with gracethd import")
    reader = folder.read_folder if path.is_dir() else geopackage.read_file
    return reader(path, carried=carried)


def write_store(inventory: Inventory, path: Path | str, *, day: date) -> None:
    """Keep an inventory for reuse: a GeoPackage where `path` ends in ``.gpkg``, a database, else a folder.

    Parameters
    ----------
    inventory : Inventory
    path : path or str
        ``postgresql://user@host/database?schema=NAME`` writes to that schema, ``gracethd`` where the address
        names none. A folder takes no suffix or ``.parquet``. A store that stands there is replaced, anything
        else is left alone. The store appears whole or not at all, readable by its owner only.
    day : date
        That a GeoPackage carries inside where SOURCE_DATE_EPOCH is not set; a folder carries none.

    Raises
    ------
    SourceError
        Something that is no store stands at `path`, or nothing can be written there.

    Examples
    --------
    >>> write_store(inventory, Path("inventaire.parquet"), day=date.today())  # doctest: +SKIP
    """
    check_destination(path)
    if is_address(path):
        postgis.write_database(inventory, path)
        return
    path = Path(path)
    if path.suffix == ".gpkg":
        geopackage.write_file(inventory, path, day=day)
    else:
        folder.write_folder(inventory, path)


def work_folder(path: Path | str) -> Path:
    """Give the folder where `gracethd import` keeps what it has read until the store at `path` is whole.

    Examples
    --------
    >>> work_folder("inventaires/nord.parquet").as_posix()
    'inventaires/nord.parquet.partial'
    >>> work_folder("postgresql://me@localhost/reseau").as_posix()
    'localhost_reseau_gracethd.partial'
    """
    if not is_address(path):
        return Path(path).with_name(f"{Path(path).name}.partial")
    base, schema = split_schema(path)
    plain = re.sub("[^A-Za-z0-9-]+", "_", f"{shown(base).removeprefix('postgresql://')}_{schema}")
    return Path(f"{plain}.partial")


def check_destination(path: Path | str) -> None:
    """Refuse, before hours of reading, a destination that `write_store` would refuse."""
    if is_address(path):
        postgis.check_database(path)
        return
    path = Path(path)
    if path.suffix not in ("", ".parquet", ".gpkg"):
        raise SourceError(
            f"{path}: a store is a folder (name or name.parquet) or a .gpkg; choose one with -o"
        )
    is_empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not is_store(path) and not is_empty:
        raise SourceError(f"{path}: something that is no store stands there; name another place with -o")
    if path.exists() and path.is_dir() == (path.suffix == ".gpkg"):
        raise SourceError(f"{path}: a store of the other form stands there; name another place with -o")
