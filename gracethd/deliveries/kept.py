"""What was read of each delivery, kept in a work folder until all are: who starts again reads the rest only.

One file holds what one path given led to: its deliveries, as streams of Arrow, one after the other. Its name
is the digest of all that the reading depends on, then that of its own bytes: nothing else has to be believed.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from gracethd.deliveries.reading import Reader, Root, content_digest
from gracethd.deliveries.text import TEXT_DTYPES
from gracethd.deliveries.types import Delivery
from gracethd.errors import SourceError

FORMAT = 1
"""Raised when files of before would be read otherwise."""

_OURS = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{64}\.arrow|\.new\.\d+")
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass
class Kept:
    """A reader that keeps what it reads in `folder`, and takes what is already there.

    Attributes
    ----------
    folder : Path
    reader : callable
        Reads what is not there yet.
    say : callable
        Told in words what is taken from the folder, or discarded.
    options : str
        Of the command, where they change what is read.
    taken : int
        Paths that were not read again.
    """

    folder: Path
    reader: Reader
    say: Callable[[str], None]
    options: str = ""
    taken: int = 0

    def __call__(self, root: Root) -> list[Delivery]:
        """Give the deliveries of a path as `reader` does; rows of a database tell alone what it holds."""
        if not isinstance(root, Path):
            return self.reader(root)
        key = self._key(root)
        for file in sorted(self.folder.glob(f"{key}.*.arrow")):
            if file.name == f"{key}.{_file_digest(file)}.arrow":
                self.taken += 1
                return _load(file, root)
            self.say(f"{file}: damaged, discarded; {root} is read again")
            file.unlink()
        deliveries = self.reader(root)
        _save(deliveries, self.folder, key)
        return deliveries

    def _key(self, root: Path) -> str:
        """Digest the content of a path, its name (of which deliveries make theirs), tool and options."""
        told = (str(FORMAT), version("gracethd"), self.options, root.resolve().name, content_digest(root))
        return hashlib.sha256("\0".join(told).encode()).hexdigest()


@contextmanager
def kept_in(
    folder: Path, reader: Reader, *, say: Callable[[str], None], options: str = ""
) -> Iterator[Reader]:
    """Give a reader that keeps what it reads in `folder`, which goes when the block ends well.

    After an error, Ctrl-C or the end of the machine the folder stays, and who enters it again with the same
    deliveries is given what it holds. A delivery that changed, another version of this package or other
    options have other digests: they are read again. Nothing but what this function put there is removed.

    Parameters
    ----------
    folder : Path
        Made when it does not exist, for its owner only.
    reader : callable
        Gives the deliveries of one root; those of a database are read again each time.
    say : callable
        Told in words what is taken from the folder, discarded, or left there.
    options : str
        What else changes what is read.

    Raises
    ------
    SourceError
        A file stands at `folder`, it holds something else, or it cannot be written to.

    Examples
    --------
    >>> with kept_in(Path("x.partial"), open_root, say=print) as reader:  # doctest: +SKIP
    ...     deliveries = open_deliveries([Path("livraisons")], reader=reader)
    """
    _prepare(folder)
    kept = Kept(folder, reader, say, options)
    try:
        yield kept
    except BaseException:
        if n := len(list(folder.glob("*.arrow"))):
            say(
                f"{n} deliveries that were read are kept in {folder}: the same import goes on from there; "
                "remove the folder if you do not want to"
            )
        else:
            _remove(folder)
        raise
    _remove(folder)
    if kept.taken:
        say(f"{kept.taken} deliveries were not read again: an import that was interrupted had read them")


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        strange = next((child.name for child in folder.iterdir() if not _OURS.fullmatch(child.name)), None)
    except OSError as error:
        raise SourceError(
            f"{folder}: the work folder cannot be made ({error.strerror}) - choose another place with -o"
        ) from error
    if strange is not None or folder.is_symlink():
        raise SourceError(
            f"{folder}: not a work folder of gracethd import ({strange or 'a link'}); rename it, or choose "
            "another name with -o"
        )


def _remove(folder: Path) -> None:
    for child in folder.iterdir():
        if not _OURS.fullmatch(child.name):
            return
    shutil.rmtree(folder, ignore_errors=True)


def _save(deliveries: Sequence[Delivery], folder: Path, key: str) -> None:
    """Write deliveries to one file that is named by `key` and by the digest of its bytes."""
    aside = folder / f".new.{os.getpid()}"
    try:
        with pa.OSFile(str(aside), "wb") as sink:
            _write(sink, pa.table({"head": [json.dumps([_head(one) for one in deliveries])]}))
            for delivery in deliveries:
                for frame in (delivery.findings, *delivery.tables.values()):
                    _write(sink, _arrow(frame))
        aside.chmod(0o600)
        aside.replace(folder / f"{key}.{_file_digest(aside)}.arrow")
    except OSError as error:
        raise SourceError(
            f"{folder}: what was read cannot be kept there ({error.strerror or error}) - make room, or "
            "choose another place with -o"
        ) from error


def _load(file: Path, root: Path) -> list[Delivery]:
    with pa.OSFile(str(file), "rb") as source:
        heads = json.loads(_read(source)["head"][0].as_py())
        return [_delivery(source, head, root) for head in heads]


def _head(delivery: Delivery) -> dict[str, object]:
    tables = [[name, *_geometry(frame)] for name, frame in delivery.tables.items()]
    return {
        "name": delivery.name,
        "sha256": delivery.sha256,
        "size_bytes": delivery.size_bytes,
        "versions": dict(delivery.versions),
        "crs": _crs_text(delivery.crs),
        "files": dict(delivery.files),
        "tables": tables,
    }


def _delivery(source: pa.NativeFile, head: dict, root: Path) -> Delivery:  # type: ignore[type-arg]
    findings = _frame(_read(source))
    tables = {name: _frame(_read(source), *geometry) for name, *geometry in head["tables"]}
    crs = _crs(head["crs"])
    return Delivery(
        head["name"], root, head["sha256"], head["size_bytes"], tables, head["versions"], crs, findings,
        head["files"],
    )  # fmt: skip


def _geometry(frame: pd.DataFrame) -> tuple[bool, str]:
    return (True, _crs_text(frame.crs)) if isinstance(frame, gpd.GeoDataFrame) else (False, "")


def _crs_text(crs: pyproj.CRS | None) -> str:
    """Give the text that a CRS was made of: made of it again, it is the same in every form of writing."""
    return "" if crs is None else str(crs.srs)


def _crs(text: str) -> pyproj.CRS | None:
    return pyproj.CRS(text) if text else None


def _arrow(frame: pd.DataFrame) -> pa.Table:
    columns = {}
    for name, values in frame.items():
        if str(values.dtype) == "geometry":
            columns[str(name)] = pa.array(shapely.to_wkb(values.to_numpy()), pa.large_binary())
        else:
            kind = pa.large_string() if isinstance(values.dtype, pd.StringDtype) else None
            columns[str(name)] = pa.array(values, kind, from_pandas=True)
    return pa.table(columns)


def _frame(table: pa.Table, is_geographic: bool = False, crs: str = "") -> pd.DataFrame:  # noqa: FBT001, FBT002
    frame = table.to_pandas(types_mapper=TEXT_DTYPES.get)
    if not is_geographic:
        return frame
    shapes = gpd.GeoSeries(shapely.from_wkb(frame["geometry"].to_numpy()), index=frame.index, crs=_crs(crs))
    return gpd.GeoDataFrame(frame.assign(geometry=shapes))


def _write(sink: pa.NativeFile, table: pa.Table) -> None:
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table)


def _read(source: pa.NativeFile) -> pa.Table:
    with pa.ipc.open_stream(source) as stream:
        return stream.read_all()


def _file_digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
