"""Files and folders appear whole or not at all, for their owner only."""

import stat
from datetime import date
from pathlib import Path

import pytest

from gracethd.errors import SourceError
from gracethd.outputs.publish import fixed_moment, marking, publish_folder, written_aside


def stop_after_writing(path: Path, error: type[BaseException]) -> None:
    path.write_text("half")
    raise error


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with written_aside(tmp_path / "new" / "a.txt") as aside:
        aside.write_text("x")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert stat.S_IMODE((tmp_path / "new" / "a.txt").stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_file_leaves_the_old_one_and_no_trace(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), written_aside(path) as aside:
        stop_after_writing(aside, error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "sortie"
    with publish_folder(folder) as staging:
        (staging / "sous").mkdir()
        (staging / "sous" / "a").write_text("1")
        assert not folder.exists()
    assert (folder / "sous" / "a").read_text() == "1"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(tmp_path.iterdir()) == [folder]


def test_a_second_run_replaces_its_files_and_leaves_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "sortie"
    (folder / "sous").mkdir(parents=True)
    for name in ("a", "notes", "sous/b"):
        (folder / name).write_text("old")
    with publish_folder(folder) as staging:
        (staging / "sous").mkdir()
        (staging / "a").write_text("new")
        (staging / "sous" / "b").write_text("new")
    texts = {name: (folder / name).read_text() for name in ("a", "notes", "sous/b")}
    assert texts == {"a": "new", "notes": "old", "sous/b": "new"}


def test_a_failed_run_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "sortie"
    folder.mkdir()
    (folder / "a").write_text("old")
    with pytest.raises(RuntimeError), publish_folder(folder) as staging:
        stop_after_writing(staging / "a", RuntimeError)
    assert (folder / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="a file stands there"), publish_folder(tmp_path / "file"):
        pass
    with pytest.raises(SourceError, match="a folder stands there"), written_aside(tmp_path):
        pass
    with pytest.raises(SourceError, match="cannot write there"), written_aside(tmp_path / "file" / "a.csv"):
        pass
    with pytest.raises(SourceError, match="cannot write there"), publish_folder(tmp_path / "file" / "out"):
        pass


def test_inner_dates_come_from_the_study_or_from_the_packager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert fixed_moment(date(2026, 3, 1)).isoformat() == "2026-03-01T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert fixed_moment(date(2026, 3, 1)).isoformat() == "1970-01-02T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "hier")
    with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH"):
        fixed_moment(date(2026, 3, 1))


def test_the_mark_names_who_and_when() -> None:
    assert marking("", date(2026, 3, 1)).startswith("DIFFUSION RESTREINTE · destinataire : non précisé")
