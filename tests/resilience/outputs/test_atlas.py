"""The atlas: a page an EPCI, private, the same to the byte."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from resilience.outputs import ground_map
from resilience.outputs.atlas import write_atlas
from resilience.outputs.report import Report


@pytest.fixture
def drawn(report: Report) -> Report:
    """Give the report lines of a network, and communes of two EPCI."""
    assert report.series is not None
    assert report.communes is not None
    names = ["CC de l'Est", "CC de l'Ouest $"]
    told = report.communes.assign(epci_nom=[names[i % 2] for i in range(len(report.communes))])
    return replace(report, ways=report.series[["geometry"]].iloc[1:], communes=told)


def pages(path: Path) -> int:
    text = path.read_bytes()
    return text.count(b"/Type /Page") - text.count(b"/Type /Pages")


def test_each_epci_has_a_page(drawn: Report, tmp_path: Path) -> None:
    assert drawn.communes is not None
    path = tmp_path / "atlas.pdf"
    assert write_atlas(drawn, path)
    assert pages(path) == drawn.communes["epci_nom"].nunique()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_atlas(drawn, tmp_path / "again.pdf")
    assert path.read_bytes() == (tmp_path / "again.pdf").read_bytes()


def test_without_epci_the_network_is_one_page(drawn: Report, tmp_path: Path) -> None:
    path = tmp_path / "atlas.pdf"
    bare = replace(drawn, communes=None, plan=None, series=None, rooms=None, hazard_extents=None)
    assert write_atlas(bare, path)
    assert pages(path) == 1


def test_nothing_is_written_without_a_network_or_matplotlib(
    drawn: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not write_atlas(replace(drawn, ways=None), tmp_path / "atlas.pdf")
    monkeypatch.setattr(ground_map, "find_spec", lambda _: None)
    assert not write_atlas(drawn, tmp_path / "atlas.pdf")
    assert list(tmp_path.iterdir()) == []
