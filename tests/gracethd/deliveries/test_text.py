"""CSV tables come out row for row, whatever the quotes, encoding and line ends."""

import csv
import io
import resource
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.deliveries import open_delivery, text
from gracethd.deliveries.text import read_csv
from gracethd.errors import SourceError


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "t_cable.csv"
    path.write_bytes(content)
    return path


def rows(frame: pd.DataFrame) -> list[list[str | None]]:
    return [
        [None if pd.isna(value) else value for value in row] for row in frame.to_numpy(dtype=object).tolist()
    ]


def test_separator_inside_quotes_bom_and_crlf(tmp_path: Path) -> None:
    content = '\ufeffCB_CODE;cb_etiquet\r\nCB1;"XX-FTTH;144FO - TR"\r\n\r\nCB2;  \r\n'.encode()
    frame, findings = read_csv(written(tmp_path, content), "t_cable")
    assert rows(frame) == [["CB1", "XX-FTTH;144FO - TR", 1], ["CB2", None, 2]]
    assert findings.empty
    assert frame["cb_code"].dtype == "str"


@pytest.mark.parametrize(
    ("encoding", "text"), [("cp1252", "Poteau n°1 rue Œuf"), ("utf-16", "Église"), ("utf-8", "Église")]
)
def test_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    frame, findings = read_csv(
        written(tmp_path, f"cb_code;cb_etiquet\nCB1;{text}\n".encode(encoding)), "t_cable"
    )
    assert rows(frame) == [["CB1", text, 1]]
    assert findings["rule"].tolist() == ([] if encoding == "utf-8" else ["csv_encodage"])


def test_ragged_rows_are_repaired_or_listed(tmp_path: Path) -> None:
    content = b"a_code;b;c\nA1;1;2\nA2;1\nA3;1;2;;\nA4;1;2;3\nA5;5;6\n"
    frame, findings = read_csv(written(tmp_path, content), "t_cable")
    assert rows(frame) == [
        ["A1", "1", "2", 1],
        ["A2", "1", None, 2],
        ["A3", "1", "2", 3],
        ["A5", "5", "6", 5],
    ]
    told = findings.set_index("rule")["line"].to_dict()
    assert told == {"csv_ligne_illisible": 4, "csv_ligne_incomplete": 2, "csv_champ_vide_en_trop": 3}


def test_a_lone_quote_does_not_swallow_rows(tmp_path: Path) -> None:
    frame, findings = read_csv(written(tmp_path, b'a_code;b\nA1;"12 pouces\nA2;x\nA3;y\n'), "t_cable")
    assert rows(frame) == [["A1", '"12 pouces', 1], ["A2", "x", 2], ["A3", "y", 3]]
    assert findings["rule"].tolist() == ["csv_guillemets"]


def test_a_lone_quote_among_quoted_values(tmp_path: Path) -> None:
    content = b'a_code;b\n"A1";"x;1"\n"A2";"12" pouces\n"A3";"3 pouces\n"A4";"y;2"\n'
    frame, findings = read_csv(written(tmp_path, content), "t_cable")
    assert frame["a_code"].tolist() == ["A1", "A2", "A3", "A4"]
    assert frame["b"].tolist() == ["x;1", '"12" pouces', '"3 pouces', "y;2"]
    assert findings["rule"].tolist() == ["csv_guillemets"]


def test_a_text_on_two_lines_is_one_value(tmp_path: Path) -> None:
    frame, findings = read_csv(written(tmp_path, b'a_code;b;c\r\nA1;"x\r\ny";z\r\nA2;;\r\n'), "t_cable")
    assert rows(frame) == [["A1", "x\r\ny", "z", 1], ["A2", None, None, 2]]
    assert findings.empty


def test_header_only_and_empty_files(tmp_path: Path) -> None:
    frame, findings = read_csv(written(tmp_path, b"cb_code;cb_nd1"), "t_cable")
    assert list(frame.columns) == ["cb_code", "cb_nd1", "line"]
    assert frame.empty
    assert findings.empty
    frame, findings = read_csv(written(tmp_path, b""), "t_cable")
    assert list(frame.columns) == ["line"]
    assert findings["rule"].tolist() == ["fichier_vide"]


def test_other_separator_is_read_and_told(tmp_path: Path) -> None:
    frame, findings = read_csv(written(tmp_path, b"cb_code,cb_nd1\nCB1,ND1\n"), "t_cable")
    assert rows(frame) == [["CB1", "ND1", 1]]
    assert findings["rule"].tolist() == ["csv_separateur"]


def test_a_column_named_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cb_code"):
        read_csv(written(tmp_path, b"cb_code;CB_CODE\nCB1;CB1\n"), "t_cable")


FIELDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8)


@given(
    st.lists(st.lists(FIELDS, min_size=3, max_size=3).filter(any), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_agrees_with_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], end: str, quoting: int
) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator=end, quoting=quoting)
    writer.writerows([["a_code", "b", "c"], *table])
    path = tmp_path_factory.mktemp("csv") / "t_cable.csv"
    path.write_bytes(stream.getvalue().encode())
    frame, _ = read_csv(path, "t_cable")
    stripped = [[value.strip() or None for value in row] for row in table]
    assert [row[:3] for row in rows(frame)] == stripped
    assert frame["line"].tolist() == list(range(1, len(table) + 1))


@pytest.mark.parametrize("start", ["C1;", 'C1;"', ""])
def test_a_value_without_end_is_refused_with_its_cause(tmp_path: Path, start: str) -> None:
    """A field of 50 MB, quoted or not, or a header of as much: no table of the model has that."""
    path = tmp_path / "t_cable.csv"
    path.write_text(("cb_code;cb_nd1\n" if start else "") + start + "x" * 50_000_000 + "\n")
    with pytest.raises(SourceError, match=r"t_cable"):
        open_delivery(tmp_path)


def test_a_table_larger_than_any_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t_cable.csv").write_text("cb_code;cb_nd1\nC1;\n")
    monkeypatch.setattr(text, "MAX_BYTES", 10)
    with pytest.raises(SourceError, match=r"t_cable\.csv: .*in one table"):
        open_delivery(tmp_path)


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_field_of_a_hundred_megabytes_is_an_error_in_bounded_memory(tmp_path: Path, quote: bytes) -> None:
    size = 100 * 2**20
    path = written(tmp_path, b"cb_code;cb_etiquet\nCB1;" + quote + b"x" * size + quote + b"\nCB2;T\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with pytest.raises(SourceError, match=r"t_cable.csv: .* a line is longer than 16 MiB"):
        read_csv(path, "t_cable")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < 4 * size
