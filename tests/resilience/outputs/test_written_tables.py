"""CSV, Parquet and JSON: exact for programs, harmless for spreadsheets, equal bytes for equal content."""

import csv
import json
import stat
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.outputs.tables import write_json, write_table
from tests.draws import draws
from tests.hostile_text import FORMULA, HOSTILE, SEPARATOR

MARK = "DIFFUSION RESTREINTE"


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_csv_is_read_back_by_another_reader(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "code": ["001", 'a,"b', None],
            "n": [1, -2, 3],
            "x": [0.1, np.nan, -1e-9],
            "d": pd.to_datetime(["2026-01-02", None, "2026-01-03"]),
            "t": pd.to_datetime(["2026-01-02 10:30", None, "2026-01-03 00:00"]),
        }
    )
    write_table(frame, tmp_path / "a.csv")
    assert rows_of(tmp_path / "a.csv") == [
        ["code", "n", "x", "d", "t", "diffusion"],
        ["001", "1", "0.1", "2026-01-02", "2026-01-02T10:30:00", MARK],
        ['a,"b', "-2", "", "", "", MARK],
        ["", "3", "-1e-09", "2026-01-03", "2026-01-03T00:00:00", MARK],
    ]
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o600


@settings(max_examples=draws(100))
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8), min_size=1))
def test_no_text_of_a_csv_is_a_formula_and_harmless_text_is_exact(texts: list[str]) -> None:
    frame = pd.DataFrame({"a": pd.Series(texts, dtype=str), "b": pd.Series(texts, dtype=object)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        write_table(frame, path)
        rows = rows_of(path)[1:]
    assert len(rows) == len(texts)
    for text, (first, second, _) in zip(texts, rows, strict=True):
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        assert first == second
        assert first.removeprefix("'") == plain.removeprefix("'")
        assert len(first) < 2 or first[0] not in "=+-@\t\r\n"
        if not plain or plain[0] not in "=+-@\t\n":
            assert first == plain


def test_csv_leaves_numbers_and_a_lone_dash_alone(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"x": [-5], "note": ["-"], "=h()": ["=1+1"]}), tmp_path / "a.csv")
    assert rows_of(tmp_path / "a.csv") == [["x", "note", "'=h()", "diffusion"], ["-5", "-", "'=1+1", MARK]]


def test_parquet_keeps_every_value_and_the_place(tmp_path: Path, spof: gpd.GeoDataFrame) -> None:
    spof = spof.copy(deep=True)
    spof.attrs["absent"] = ["abonnes"]
    before = spof.copy(deep=True)
    write_table(spof, tmp_path / "spof.parquet")
    back = gpd.read_parquet(tmp_path / "spof.parquet")
    assert back.columns[-1] == "diffusion"
    assert set(back["diffusion"]) == {MARK}
    assert back["code"].tolist() == ["NRO1", "CM-A", SEPARATOR]
    assert back["libelle"].tolist()[1] == FORMULA
    assert back.crs == spof.crs
    assert back.geometry.geom_equals(spof.geometry).all()
    pd.testing.assert_frame_equal(pd.DataFrame(spof), pd.DataFrame(before))


def test_csv_has_no_geometry_and_marks_each_row_last(tmp_path: Path, spof: gpd.GeoDataFrame) -> None:
    write_table(spof.assign(diffusion="libre")[["diffusion", "code", "geometry"]], tmp_path / "a.csv")
    assert rows_of(tmp_path / "a.csv")[:2] == [["code", "diffusion"], ["NRO1", MARK]]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_equal_tables_give_equal_bytes(tmp_path: Path, spof: gpd.GeoDataFrame, name: str) -> None:
    write_table(spof, tmp_path / "1" / name)
    write_table(spof.set_index("code", drop=False), tmp_path / "2" / name)
    assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_another_suffix_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.csv or \.parquet"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "a.xls")
    assert list(tmp_path.iterdir()) == []


def test_json_is_sorted_and_knows_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_json(
        {"b": np.float64("nan"), "a": {"n": np.int64(3), "ok": np.array([0]) == 0},
         "c": [float("inf"), HOSTILE],
         "d": pd.Timestamp("2026-01-02"), "e": pd.DataFrame({"x": [1.5, np.nan]}), "f": {"z", "y"}},
        path,
    )  # fmt: skip
    text = path.read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": {"n": 3, "ok": [True]}, "b": None, "c": [None, HOSTILE], "d": "2026-01-02 00:00:00",
        "e": [{"x": 1.5}, {"x": None}], "f": ["y", "z"],
    }  # fmt: skip
    assert [line[3] for line in text.splitlines() if line.startswith('  "')] == list("abcdef")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
