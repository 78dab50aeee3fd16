"""Zip archives: what a delivery needs is unpacked into a private folder, anything unsafe is refused.

Archives come from many hands. Nothing is written before every name has been judged, nothing is written
outside the folder given, and what is written is counted while it is written: a header may lie.
"""

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from gracethd.errors import SourceError

MAX_MEMBERS = 20_000
"""A delivery has at most some 130 files (35 tables, 50 lists, 5 files a layer); a programme of 100 fits."""

MAX_UNPACKED_BYTES = 24 * 2**30
"""A whole département (680,000 prises) takes about 8 GB, most of it blanks of the fixed-width .dbf."""

MAX_RATIO = 400
"""The .dbf of t_cheminement is 97 % blanks and shrinks up to 100 times; deflate itself stops at 1,032."""

RATIO_FROM_BYTES = 256 * 2**20
"""Below this size unpacked, a high ratio harms nobody (a short text repeated)."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile(r"^[A-Za-z]:")
_CHUNK = 1 << 20


def unpack(
    archive: Path, folder: Path, *, wanted: Callable[[str], bool], at_most: int | None = None
) -> tuple[list[str], int]:
    """Unpack the wanted members of a zip into a folder, lower-cased names, and give the other names.

    Parameters
    ----------
    archive : Path
    folder : Path
        Private and empty; sub-folders of the archive are kept.
    wanted : callable
        Tells from the lower-case file name (without folders) whether the delivery needs the member.
    at_most : int, optional
        Bytes that may be unpacked, `MAX_UNPACKED_BYTES` where it is not given.

    Returns
    -------
    left : list of str
        Members that were left packed, sorted.
    unpacked : int
        Bytes that were unpacked.

    Raises
    ------
    SourceError
        The file is not a zip, is damaged, encrypted or too big, or holds an unsafe name or a link.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            members = [member for member in source.infolist() if not member.is_dir()]
            _refuse_unsafe(archive, members)
            chosen = {member.filename: _target(member) for member in members if wanted(_base(member))}
            _refuse_twins(archive, list(chosen.values()))
            limit = MAX_UNPACKED_BYTES if at_most is None else at_most
            unpacked = _refuse_bombs(
                archive, [member for member in members if member.filename in chosen], folder, limit
            )
            for member in members:
                if member.filename in chosen:
                    _write(source, member, folder / chosen[member.filename])
            left = sorted(member.filename for member in members if member.filename not in chosen)
            return left, unpacked
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise SourceError(f"{archive}: this zip is damaged ({error}); have it sent again") from error
    except OSError as error:
        raise SourceError(f"{archive}: cannot be unpacked ({error.strerror or error})") from error


def _base(member: zipfile.ZipInfo) -> str:
    """Give the file name of a member in lower case, without its folders."""
    return member.filename.replace("\\", "/").rsplit("/", 1)[-1].lower()


def _target(member: zipfile.ZipInfo) -> str:
    """Give the place of a member below the folder; `_refuse_unsafe` has judged it."""
    return member.filename.replace("\\", "/").lower()


def _refuse_unsafe(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise SourceError(
            f"{archive}: {len(members)} files, more than the {MAX_MEMBERS} allowed; split the zip"
        )
    for member in members:
        name = member.filename.replace("\\", "/")
        shown = f"{archive}: member {member.filename!r}"
        if name.startswith("/") or _DRIVE.match(name) or "\0" in member.orig_filename:
            raise SourceError(
                f"{shown} has an absolute path: not unpacked; rebuild the zip with relative names"
            )
        if ".." in name.split("/"):
            raise SourceError(f"{shown} leads out of the archive ('..'): not unpacked; rebuild the zip")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise SourceError(f"{shown} is a link or a device: not unpacked; put the file itself in the zip")
        if member.flag_bits & 0x1:
            raise SourceError(f"{shown} is encrypted; give an archive without a password")
        if member.compress_type not in _METHODS:
            raise SourceError(f"{shown} uses a compression other than deflate; rebuild it as an ordinary zip")


def _refuse_twins(archive: Path, targets: list[str]) -> None:
    seen: set[str] = set()
    for target in targets:
        if target in seen:
            raise SourceError(f"{archive}: {target!r} stands twice in the zip; keep one")
        seen.add(target)


def _refuse_bombs(archive: Path, members: list[zipfile.ZipInfo], folder: Path, at_most: int) -> int:
    """Give the size of the members once unpacked, if it is one that deliveries have."""
    unpacked = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    if unpacked > at_most:
        raise SourceError(
            f"{archive}: {unpacked / 2**30:.1f} GiB once unpacked, more than the "
            f"{at_most / 2**30:.1f} GiB allowed; unpack it and give the folder"
        )
    if unpacked > RATIO_FROM_BYTES and unpacked > packed * MAX_RATIO:
        raise SourceError(
            f"{archive}: {unpacked // packed} times bigger once unpacked (limit {MAX_RATIO}); "
            "if you trust it, unpack it and give the folder"
        )
    if unpacked > shutil.disk_usage(folder).free:
        raise SourceError(
            f"{archive}: {unpacked / 2**30:.1f} GiB once unpacked do not fit in {folder.parent}"
        )
    return unpacked


def _write(source: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member, never more than the size that was judged."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with source.open(member) as packed, target.open("xb") as plain:
        while chunk := packed.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile(f"{member.filename} is longer than announced")
            plain.write(chunk)
    if left:
        raise zipfile.BadZipFile(f"{member.filename} is shorter than announced")
