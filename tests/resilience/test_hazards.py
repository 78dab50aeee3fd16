"""Hazards refuse what cannot be used, and their maps are checked against each other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gracethd.errors import SourceError
from resilience.hazards import Hazard, HazardError, HazardEvent, hazard_findings, local_file


def events(*periods: float) -> tuple[HazardEvent, ...]:
    return tuple(HazardEvent(period, Path(f"q{period:g}.tif")) for period in periods)


@pytest.mark.parametrize(("period", "name"), [(20, "Q20"), (20.0, "Q20"), (2.5, "Q2.5"), (1000.0, "Q1000")])
def test_events_are_named_by_their_period(period: float, name: str) -> None:
    assert HazardEvent(period, Path("q.tif")).scenario == name


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kind": "wind"}, "flood_depth"),
        ({"unit": "cm"}, "'m'"),
        ({"coverage": "partout"}, "extent"),
        ({"events": ()}, "no event"),
        ({"events": events(100, 20)}, "increase"),
        ({"events": events(20, 20)}, "increase"),
        ({"events": events(0, 20)}, "above 0"),
        ({"events": events(float("inf"))}, "above 0"),
        ({"events": events(float("nan"))}, "neither a return period nor a name"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(changes: dict[str, object], word: str) -> None:
    given = {
        "name": "crue",
        "kind": "flood_depth",
        "unit": "m",
        "coverage": "extent",
        "events": events(20, 100),
    }
    Hazard(**given)
    with pytest.raises(HazardError, match=word) as caught:
        Hazard(**(given | changes))
    assert "crue" in str(caught.value)


def test_only_files_on_disk_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "q.tif"
    with pytest.raises(SourceError, match="does not exist"):
        local_file(path, role="raster")
    path.write_bytes(b"")
    assert local_file(path, role="raster") == path.resolve()
    for text in (
        "/vsicurl/http://localhost/q.tif",
        "/vsimem/q.tif",
        "https://localhost/q.tif",
        "s3://a/q.tif",
    ):
        with pytest.raises(SourceError, match="not a local file"):
            local_file(Path(text), role="raster")


def exposure(depths: dict[float, list[float]]) -> pd.DataFrame:
    """Give exposure of chambers C0, C1... with depths by return period."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "asset": np.arange(len(row)), "kind": "ptech", "code": [f"C{i}" for i in range(len(row))],
                    "hazard": "crue", "scenario": f"Q{period:g}", "return_period": period,
                    "intensity_max": row,
                }
            )
            for period, row in depths.items()
        ]
    )  # fmt: skip


@pytest.mark.parametrize("name", ["PPR.zip", "tri.7z", "Q100.TIF.GZ"])
def test_an_archive_is_to_be_unpacked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK")
    with pytest.raises(SourceError, match="is an archive; unpack it") as refusal:
        local_file(path, role="map of hazard 'crue'")
    assert name in str(refusal.value)
    assert "crue" in str(refusal.value)


def test_less_water_at_a_rarer_event_is_told_once_for_each_pair() -> None:
    frame = exposure(
        {20: [0.5, 1.0, np.nan, 0.2], 100: [0.6, 0.4, 0.3, 0.1], 1000: [0.6, 0.4, np.nan, 0.0995]}
    )
    findings = hazard_findings([], frame)
    assert findings["rule"].tolist() == ["alea_non_monotone"]  # half a millimetre less at Q1000 is rounding
    assert findings["code"].tolist() == ["crue"]
    message = findings["message"].iloc[0]
    assert message.startswith("2 objets ont moins d'eau à Q100 qu'à Q20, jusqu'à 0.60 m (ptech C1)")


def test_nested_maps_have_no_finding() -> None:
    assert hazard_findings([], exposure({20: [0.0, np.nan], 100: [0.0, np.nan], 1000: [1.0, 2.0]})).empty


def test_one_file_under_two_names_is_told(tmp_path: Path) -> None:
    for name, content in (("a.tif", b"same"), ("b.tif", b"same"), ("c.tif", b"other")):
        (tmp_path / name).write_bytes(content)
    three = tuple(HazardEvent(p, tmp_path / f"{n}.tif") for p, n in ((20, "a"), (100, "c"), (1000, "b")))
    hazard = Hazard("crue", "flood_depth", "m", "extent", three)
    findings = hazard_findings([hazard], exposure({20: [0.0]}))
    assert findings["rule"].tolist() == ["alea_fichiers_identiques"]
    assert "crue Q1000, crue Q20" in findings["message"].iloc[0]
