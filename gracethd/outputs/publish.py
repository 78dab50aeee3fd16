"""How a file comes into being: aside first, then in place, owner only; for every writer of this package."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from gracethd.errors import SourceError

DIFFUSION = "DIFFUSION RESTREINTE"


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path to write to, put in place of `path` when the block ends well, removed otherwise.

    The file is written in a private folder beside its destination, so that what a library leaves around
    it (journals, locks) goes with the folder and the last move is atomic. It ends with mode 0600.

    Parameters
    ----------
    path : Path
        Destination; its folder is made when it does not exist.

    Raises
    ------
    SourceError
        When the destination is a folder, or its folder cannot be written to.
    """
    if path.is_dir():
        raise SourceError(f"{path}: a folder stands there, a file was to be written - name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise SourceError(
            f"{path}: cannot write there ({error.strerror}) - choose another folder with -o"
        ) from error
    try:
        yield folder / path.name
        (folder / path.name).chmod(0o600)
        (folder / path.name).replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def publish_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, whose files come into `folder` together when the block ends well.

    A new `folder` appears in one move. Into one that exists, files are moved one by one, each atomically,
    replacing those of the same name; others that stand there are left alone. After an error or Ctrl-C
    nothing has changed. The folder is readable by its owner only when it is new.

    Raises
    ------
    SourceError
        When a file stands at `folder`, or its parent cannot be written to.
    """
    with _staging(folder) as staging:
        yield staging
        _move_in(staging, folder)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of `folder` whole when the block ends well.

    What stood there is gone: for folders whose files only make sense together. The folder is readable by
    its owner only.

    Raises
    ------
    SourceError
        When a file stands at `folder`, or its parent cannot be written to.
    """
    with _staging(folder) as staging:
        yield staging
        if not folder.exists():
            staging.replace(folder)
            return
        before = staging.with_name(f"{staging.name}.old")  # as unique as the name beside it
        folder.replace(before)
        try:
            staging.replace(folder)
        except BaseException:
            before.replace(folder)
            raise
        shutil.rmtree(before, ignore_errors=True)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Give an empty private folder beside `folder`, gone when the block ends."""
    if folder.exists() and not folder.is_dir():
        raise SourceError(f"{folder}: a file stands there, a folder was to be written - name another folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise SourceError(
            f"{folder}: cannot write there ({error.strerror}) - choose another folder with -o"
        ) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move_in(staging: Path, folder: Path) -> None:
    if not folder.exists():
        staging.replace(folder)
        return
    for source in sorted(path for path in staging.rglob("*") if path.is_file()):
        target = folder / source.relative_to(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def fixed_moment(day: date) -> datetime:
    """Give the moment that files carry inside: SOURCE_DATE_EPOCH where it is set, else `day` at 0 h UTC.

    Formats that hold a date (GeoPackage, XLSX) would otherwise differ from run to run.

    Raises
    ------
    ValueError
        When SOURCE_DATE_EPOCH is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    if not epoch:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if not epoch.isdigit():
        raise ValueError(f"SOURCE_DATE_EPOCH is {epoch!r}; a whole number of seconds since 1970 is expected")
    return datetime.fromtimestamp(int(epoch), tz=UTC)


def marking(recipient: str, day: date) -> str:
    """Give the line that every sheet, page and layer carries: mark, recipient and date, in French.

    Examples
    --------
    >>> marking("Syndicat", date(2026, 3, 1))
    'DIFFUSION RESTREINTE · destinataire : Syndicat · 01/03/2026'
    """
    return f"{DIFFUSION} · destinataire : {recipient or 'non précisé'} · {day:%d/%m/%Y}"
