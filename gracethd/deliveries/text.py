"""CSV tables of a delivery, read whole as text whatever their encoding, quotes and line ends.

The rule is `;`, a header, UTF-8; what is met is quotes or none, `;` inside quotes, byte order marks, cp1252,
rows with a missing or a spare field. Every row is either read or listed in a finding.
"""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from gracethd.errors import SourceError
from gracethd.findings import findings_frame, merge_findings

SEPARATORS = (";", "\t", ",", "|")
"""The rule is the first; the others are read with a finding."""

MAX_BYTES = 3 * 2**30
"""The fibres of 680,000 prises in one table take about 1 GiB; what is far more is no table."""

_BLOCK = 1 << 24


@dataclass(frozen=True)
class _Reading:
    """One reading of a file: its rows that fit, and the (row, fields) of those that do not."""

    table: pa.Table
    odd: list[tuple[int, str]]


def read_csv(path: Path, table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a CSV table: every column text (missing = NaN), and ``line``, with findings on what departs.

    Column names are lower-cased; surrounding blanks are stripped; an empty text is missing. A row with
    too few fields is completed with missing ones, a row whose spare fields are empty is cut; any other odd
    row is left out and listed.

    Parameters
    ----------
    path : Path
    table : str
        Name given to the findings.

    Returns
    -------
    frame : DataFrame
        The columns of the file in order, then ``line`` (int64): the row in the file, the first after the
        header being 1; blank lines are not counted.
    findings : DataFrame

    Raises
    ------
    SourceError
        The file cannot be read, or its header names a column twice or not at all.
    """
    if path.stat().st_size > MAX_BYTES:
        raise SourceError(
            f"{path}: {path.stat().st_size / 2**30:.1f} GiB in one table, more than the "
            f"{MAX_BYTES / 2**30:.0f} GiB read; deliver by zone"
        )
    if path.stat().st_size == 0:
        empty = pd.DataFrame({"line": pd.Series(dtype=np.int64)})
        return empty, _departs("fichier_vide", table, "Fichier sans en-tête")
    encoding = _encoding(path)
    header, separator = _header(path, encoding, table)
    reading = _read(path, encoding, header, separator, quote='"')
    parts = []
    if reading is None or reading.odd or _has_newlines(reading.table):
        # a lone quote opens a text that swallows rows: the reading that loses fewer of them is right
        plain = _read(path, encoding, header, separator, quote=False)
        if plain is not None and _loses_fewer(plain, reading, header, separator):
            reading = _Reading(_without_quotes(plain.table), plain.odd)
            parts.append(_departs("csv_guillemets", table, "Guillemet isolé dans un texte"))
    if reading is None:
        raise SourceError(
            f"{path}: this CSV cannot be read as text separated by {separator!r}; a quote is not closed, or "
            f"a line is longer than {_BLOCK >> 20} MiB"
        )
    frame, odd = _with_odd_rows(reading, header, separator, table)
    parts.append(odd)
    if separator != SEPARATORS[0]:
        parts.append(_departs("csv_separateur", table, f"Séparateur {separator!r}, non ';'"))
    if encoding != "utf-8":
        parts.append(_departs("csv_encodage", table, f"Encodage {encoding}, non UTF-8"))
    return frame, merge_findings(parts)


def clean_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strip surrounding blanks; an empty text becomes missing."""
    stripped = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, stripped.type), stripped)


def _encoding(path: Path) -> str:
    """Give utf-8 where the whole file is, else cp1252, else latin-1 (which reads any byte)."""
    with path.open("rb") as stream:
        if stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as stream:
            try:
                while chunk := stream.read(_BLOCK):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    return "latin-1"


def _header(path: Path, encoding: str, table: str) -> tuple[list[str], str]:
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline=None) as stream:
        first = stream.readline(1 << 16).strip("\r\n")
    separator = max(SEPARATORS, key=lambda one: (first.count(one), -SEPARATORS.index(one)))
    names = [name.strip().lower() for name in next(csv.reader([first], delimiter=separator), [])]
    while names and not names[-1]:  # a separator at the end of each row
        names.pop()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names or "" in names:
        fault = f"column {twice[0]!r} named twice" if twice else "a column without a name"
        raise SourceError(f"{path}: header of {table} with {fault}; expected the attributes separated by ';'")
    return names, separator


def _departs(rule: str, table: str, message: str) -> pd.DataFrame:
    """Report a departure of a whole file from the rule."""
    return findings_frame(rule, "mineur", table, code=[""], message=message)


def _has_newlines(read: pa.Table) -> bool:
    found = [pc.any(pc.match_substring(column, "\n"), min_count=0) for column in read.columns]
    return any(value.as_py() for value in found)


def _loses_fewer(plain: _Reading, quoted: _Reading | None, header: list[str], separator: str) -> bool:
    """Tell whether taking quotes as ordinary characters loses fewer rows than taking them as quotes."""
    if quoted is None:
        return True
    lost = [
        sum(len(_fields(text, separator)) != len(header) for _, text in one.odd) for one in (plain, quoted)
    ]
    return lost[0] < lost[1] or (lost[0] == lost[1] == 0 and plain.table.num_rows > quoted.table.num_rows)


def _without_quotes(read: pa.Table) -> pa.Table:
    """Take off the quotes that surround a whole value."""
    bare = [pc.replace_substring_regex(column, '^"(.*)"$', "\\1") for column in read.columns]
    return pa.table(bare, names=read.column_names)


def _read(
    path: Path, encoding: str, header: list[str], separator: str, *, quote: str | bool
) -> _Reading | None:
    odd: list[tuple[int, str]] = []

    def set_aside(row: pyarrow.csv.InvalidRow) -> str:
        odd.append((int(row.number) - 1, row.text))
        return "skip"

    if not _has_rows(path, encoding):
        return _Reading(pa.table({name: pa.array([], pa.large_string()) for name in header}), odd)
    try:
        read = pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(
                column_names=header,
                skip_rows=1,
                encoding=encoding,
                use_threads=False,
                block_size=min(_BLOCK, path.stat().st_size + 1),  # small tables are many
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=separator,
                quote_char=quote,
                newlines_in_values=bool(quote),
                invalid_row_handler=set_aside,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.large_string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return _Reading(read, odd)


def _has_rows(path: Path, encoding: str) -> bool:
    with path.open(encoding=encoding, errors="replace") as stream:
        stream.readline()
        return any(line.strip() for line in stream)


TEXT_DTYPES = {
    pa.string(): pd.StringDtype(na_value=np.nan),
    pa.large_string(): pd.StringDtype(na_value=np.nan),
}
"""The dtype of each Arrow type of text, for `pyarrow.Table.to_pandas`."""


def _with_odd_rows(
    reading: _Reading, header: list[str], separator: str, table: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put the odd rows that can be understood back where they stood, and list all of them."""
    rows = [(number, _fields(text, separator)) for number, text in reading.odd]
    fitted = [(number, fields) for number, fields in rows if not any(fields[len(header) :])]
    lost = [number for number, fields in rows if any(fields[len(header) :])]
    taken = {number for number, _ in rows}
    n_lines = reading.table.num_rows + len(rows)
    # a separator at the end of every row makes each of them odd: that is one finding, not one a row
    spare = [number for number, fields in fitted if len(fields) > len(header)]
    short = [number for number, fields in fitted if len(fields) < len(header)]
    lines = np.arange(1, n_lines + 1)
    lines = np.delete(lines, np.fromiter(taken, np.int64, len(taken)) - 1)
    columns = {name: clean_text(reading.table.column(i)) for i, name in enumerate(header)}
    frame = pa.table(columns).to_pandas(types_mapper=TEXT_DTYPES.get)
    frame["line"] = lines.astype(np.int64)
    if fitted:
        padded = [(fields + [""] * len(header))[: len(header)] for _, fields in fitted]
        extra = pd.DataFrame(padded, columns=header, dtype=str).apply(lambda column: column.str.strip())
        extra = extra.mask(extra == "")
        extra["line"] = np.array([number for number, _ in fitted], np.int64)
        frame = pd.concat([frame, extra], ignore_index=True).sort_values("line", ignore_index=True)
    return frame, merge_findings([
        findings_frame(
            "csv_ligne_illisible", "majeur", table, code=[""] * len(lost), line=lost,
            message="Ligne avec trop de champs : écartée",
        ),
        findings_frame(
            "csv_ligne_incomplete", "mineur", table, code=[""] * len(short), line=short,
            message="Ligne avec trop peu de champs : complétée par des vides",
        ),
        findings_frame(
            "csv_champ_vide_en_trop", "info", table, code=[""] if spare else [], line=spare[:1],
            message=f"{len(spare)} lignes terminées par des champs vides en trop",
        ),
    ])  # fmt: skip


def _fields(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text.rstrip("\r\n")), delimiter=separator), [])
    except csv.Error:  # a field longer than the csv module accepts
        return text.split(separator)
