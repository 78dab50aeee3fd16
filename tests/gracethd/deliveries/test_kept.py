"""An import that was interrupted goes on where it was, and ends in the bytes of one that was not."""

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from gracethd.cli import app, run_command
from gracethd.deliveries import Delivery, Reader, kept_in, open_deliveries, open_root
from gracethd.errors import SourceError
from gracethd.reading import read_whole
from gracethd.synth import random_area, synthesise, write_synth

Run = Callable[..., int]


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of three deliveries."""
    folder = tmp_path_factory.mktemp("lot")
    write_synth(synthesise(random_area(40, seed=3, version="mixed"), seed=3, faults=0.01), folder)
    assert len(list((folder / "livraisons").iterdir())) == 3
    return folder / "livraisons"


@pytest.fixture(scope="module")
def whole(lot: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the digests of the store of an import that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    sys.argv, before = ["gracethd", "import", str(lot), "-o", str(folder / "s.parquet")], sys.argv
    assert run_command(app) == 0
    sys.argv = before
    assert [path.name for path in folder.iterdir()] == ["s.parquet"]
    return digests(folder / "s.parquet")


@pytest.fixture
def read_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of what is really read from its files."""
    names: list[str] = []

    def reader(root: Path) -> list[Delivery]:
        names.append(root.name)
        return read_whole(root)

    monkeypatch.setattr("gracethd.reading.read_whole", reader)
    return names


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def command(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["gracethd", *map(str, arguments)])
        return run_command(app)

    return command


def read_then_stop(work: Path, reader: Reader, given: list[Path], *, options: str = "") -> list[Delivery]:
    """Read all that is given, and be interrupted before anything is written."""
    deliveries = []
    with suppress(KeyboardInterrupt), kept_in(work, reader, say=print, options=options) as kept:
        deliveries = open_deliveries(given, reader=kept)
        raise KeyboardInterrupt
    return deliveries


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


KILLED = """
import os, signal, sys
from gracethd import reading
from gracethd.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
lean, done = reading.read_whole, []
def reader(root):
    if len(done) == {after}:
        os.kill(os.getpid(), {signal})
    done.append(root)
    return lean(root)
reading.read_whole = reader
sys.argv = ["gracethd", "import", {lot!r}, "-o", {store!r}]
main()
"""


@pytest.mark.parametrize(("sent", "after"), [(signal.SIGINT, 2), (signal.SIGKILL, 1)])
def test_an_import_that_was_stopped_goes_on_where_it_was(
    sent: signal.Signals,
    after: int,
    lot: Path,
    whole: dict[str, str],
    read_anew: list[str],
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = tmp_path / "s.parquet"
    script = KILLED.format(after=after, signal=int(sent), lot=str(lot), store=str(store))
    stopped = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert stopped.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in stopped.stderr
    if sent == signal.SIGINT:
        assert f"2 deliveries that were read are kept in {store}.partial" in stopped.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["s.parquet.partial"]
    work = tmp_path / "s.parquet.partial"
    assert [path.stat().st_mode & 0o077 for path in (work, *work.iterdir())] == [0] * (after + 1)

    assert run("import", lot, "-o", store) == 0
    assert read_anew == sorted(path.name for path in lot.iterdir())[after:]
    assert f"{after} deliveries were not read again" in capsys.readouterr().err
    assert digests(store) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["s.parquet"]


def test_a_delivery_that_cannot_be_read_is_mended_and_the_others_are_not_read_again(
    lot: Path, read_anew: list[str], run: Run, tmp_path: Path
) -> None:
    mine = shutil.copytree(lot, tmp_path / "lot")
    last = max(mine.iterdir())
    sound = last.read_bytes()
    last.write_bytes(sound[:100])
    assert run("import", mine, "-o", tmp_path / "s.gpkg") == 2
    last.write_bytes(sound)
    read_anew.clear()
    assert run("import", mine, "-o", tmp_path / "s.gpkg") == 0
    assert read_anew == [last.name]


def test_only_the_same_content_name_tool_and_options_are_taken(
    lot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = shutil.copytree(lot, tmp_path / "lot")
    first, *others = sorted(mine.iterdir())
    anew: list[str] = []

    def reader(root: Path) -> list[Delivery]:
        anew.append(root.name)
        return read_whole(root)

    def stopped(*, options: str = "") -> list[str]:
        anew.clear()
        read_then_stop(tmp_path / "work", reader, [mine], options=options)
        return anew

    every = [path.name for path in (first, *others)]
    assert stopped() == every
    assert stopped() == []
    with first.open("ab") as archive:  # an archive whose last bytes differ is another
        archive.write(b"\0")
    assert stopped() == [first.name]
    shutil.move(others[0], mine / "zz.zip")
    assert stopped() == ["zz.zip"]
    assert stopped(options="keep-personal") == sorted(path.name for path in mine.iterdir())
    monkeypatch.setattr("gracethd.deliveries.kept.version", lambda _: "999")
    assert stopped() == sorted(path.name for path in mine.iterdir())


def test_what_is_damaged_is_told_and_read_again(
    lot: Path, whole: dict[str, str], read_anew: list[str], run: Run, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    work = tmp_path / "s.parquet.partial"
    read_then_stop(work, read_whole, [lot])
    cut, changed, _ = sorted(work.iterdir())
    cut.write_bytes(cut.read_bytes()[:-1])
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    assert run("import", lot, "-o", tmp_path / "s.parquet") == 0
    assert len(read_anew) == 2
    assert capsys.readouterr().err.count("damaged, discarded") == 2
    assert digests(tmp_path / "s.parquet") == whole
    assert not work.exists()


def test_deliveries_come_back_as_they_were(lot: Path, demo01: Path, sample_v3: Path, tmp_path: Path) -> None:
    """Whole ones, too: every dtype, coordinate, place of a table, and a delivery without any layer."""
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "t_cable.csv").write_text("cb_code;cb_etiquet\nC1;\n")
    given = [lot, demo01, sample_v3, bare]
    before = read_then_stop(tmp_path / "work", open_root, given)

    def never(root: Path) -> list[Delivery]:
        raise AssertionError(root)

    with kept_in(tmp_path / "work", never, say=print) as reader:
        after = open_deliveries(given, reader=reader)
    assert len(before) == 6
    for one, other in zip(before, after, strict=True):
        plain = {"tables": {}, "findings": None}
        assert replace(one, **plain) == replace(other, **plain)
        assert list(one.tables) == list(other.tables)
        for left, right in [
            (one.findings, other.findings),
            *zip(one.tables.values(), other.tables.values(), strict=True),
        ]:
            assert type(left) is type(right)
            pd.testing.assert_frame_equal(pd.DataFrame(left), pd.DataFrame(right), check_exact=True)
    crs = [(one.crs, other.crs) for one, other in zip(before, after, strict=True)]
    assert [a and (a.srs, a.to_wkt(), a.to_json()) for a, _ in crs] == [
        b and (b.srs, b.to_wkt(), b.to_json()) for _, b in crs
    ]


def test_a_folder_of_someone_else_is_left_alone(lot: Path, run: Run, tmp_path: Path) -> None:
    theirs = tmp_path / "s.parquet.partial"
    theirs.mkdir()
    (theirs / "these.txt").write_text("mine")
    assert run("import", lot, "-o", tmp_path / "s.parquet") == 2
    assert (theirs / "these.txt").read_text() == "mine"
    shutil.rmtree(theirs)
    theirs.symlink_to(tmp_path)
    assert run("import", lot, "-o", tmp_path / "s.parquet") == 2
    theirs.unlink()
    theirs.write_text("a file")
    with pytest.raises(SourceError, match="partial"), kept_in(theirs, read_whole, say=print):
        pass
