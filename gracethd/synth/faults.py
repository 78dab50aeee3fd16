"""Faults that real deliveries have, put in sound ones at a given rate, each of them told."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.synth.parts import Part
from gracethd.synth.tables import Tables

COLUMNS = ("delivery", "rule", "table", "attribute", "code")
FILE_FAULTS = ("csv_cp1252", "bom_crlf", "dates_jour_mois", "dbf_un_octet", "cpg_absent", "point_virgule")
FURTHER_FILE_FAULTS = (
    "heures_a_tirets", "guillemets", "colonnes_vides_absentes", "noms_majuscules", "prj_absent",
)  # fmt: skip
"""Put in random areas, before `FILE_FAULTS` in turn."""

_FILE_FAULTS_PER_ROW_RATE = 150  # deliveries with a fault of form: 30 % at 0.2 % of faulty rows
_DETACHED_PER_ROW_RATE = 60  # zones with a PBO that no cable reaches: 12 % at 0.2 %

Rows = list[tuple[str, str, str, str]]
Spoiler = Callable[[Tables, Part, float, np.random.Generator], Iterator[tuple[str, str, str, str]]]


def spoil_tables(
    tables: Tables, part: Part, rate: float, rng: np.random.Generator
) -> tuple[Tables, pd.DataFrame]:
    """Give tables with faults in about `rate` of the rows of each kind, and the list of these faults.

    Returns
    -------
    tables : dict
        New frames; those given are left as they are.
    faults : DataFrame
        Columns of `COLUMNS`, one row per fault.
    """
    spoilt = {name: frame.copy() for name, frame in tables.items()}
    rows: Rows = []
    if rate > 0:
        for spoil in _SPOILERS:
            rows += list(spoil(spoilt, part, rate, rng))
    faults = pd.DataFrame([(part.name, *row) for row in rows], columns=list(COLUMNS), dtype=str)
    return spoilt, faults


def draw_file_fault(kinds: Sequence[str], n_before: int, rate: float, rng: np.random.Generator) -> str:
    """Give the fault of form of a delivery, "" for none; kinds come in turn, `n_before` were put before."""
    drawn = rng.random() < min(1.0, rate * _FILE_FAULTS_PER_ROW_RATE)
    return kinds[n_before % len(kinds)] if drawn else ""


def spoil_files(folder: Path, fault: str) -> None:
    """Put one fault of form in the files of a delivery (`point_virgule` is put in tables instead)."""
    if fault in _FORMS:
        for file in sorted(folder.glob("*.csv")):
            file.write_bytes(_FORMS[fault](file.read_bytes().decode("utf-8")))
    elif fault == "dbf_un_octet":
        (folder / "t_zdep.dbf").write_bytes(b"\x1a")
    elif fault in {"cpg_absent", "prj_absent"}:
        for file in folder.glob("*.cpg" if fault == "cpg_absent" else "t_noeud.prj"):
            file.unlink()
    elif fault == "noms_majuscules":
        for file in sorted(folder.iterdir()):
            file.rename(folder / file.name.upper())


def _french_dates(text: str) -> bytes:
    text = re.sub(r"\b(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d):\d\d\b", r"\3/\2/\1 \4", text)
    return re.sub(r"\b(\d{4})-(\d\d)-(\d\d)\b", r"\3/\2/\1", text).encode()


def _dashed_hours(text: str) -> bytes:
    return re.sub(r"\b(\d{4}-\d\d-\d\d \d\d):(\d\d):(\d\d)\b", r"\1-\2-\3", text).encode()


def _quoted(text: str) -> bytes:
    stream = io.StringIO(newline="")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    csv.writer(stream, delimiter=";", lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return stream.getvalue().encode()


def _short(text: str) -> bytes:
    """Leave out the columns that hold nothing."""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    kept = [k for k in range(len(rows[0])) if any(row[k] for row in rows[1:])]
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";", lineterminator="\n").writerows([row[k] for k in kept] for row in rows)
    return stream.getvalue().encode()


_FORMS: dict[str, Callable[[str], bytes]] = {
    "csv_cp1252": lambda text: text.encode("cp1252"),
    "bom_crlf": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "dates_jour_mois": _french_dates,
    "heures_a_tirets": _dashed_hours,
    "guillemets": _quoted,
    "colonnes_vides_absentes": _short,
}


def draw_rows(n: int, rate: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw about rate x n rows, in order."""
    count = int(rate * n + rng.random())
    return np.sort(rng.choice(n, min(count, n), replace=False)) if n else np.empty(0, np.int64)


def _blank(attribute: str, rule: str) -> Spoiler:
    """Empty an attribute of cables."""

    def blank(
        tables: Tables, _part: Part, rate: float, rng: np.random.Generator
    ) -> Iterator[tuple[str, str, str, str]]:
        frame = tables["t_cable"]
        rows = draw_rows(len(frame), rate, rng)
        column = frame[attribute].astype(str).to_numpy(dtype=object).copy()
        column[rows] = ""
        tables["t_cable"] = frame.assign(**{attribute: column})
        for code in frame["cb_code"].iloc[rows]:
            yield rule, "t_cable", attribute, str(code)

    return blank


def _reverse_lines(
    tables: Tables, _part: Part, rate: float, rng: np.random.Generator
) -> Iterator[tuple[str, str, str, str]]:
    frame = gpd.GeoDataFrame(tables["t_cableline"])
    rows = draw_rows(len(frame), rate, rng)
    shapes = np.array(frame.geometry, dtype=object)
    shapes[rows] = shapely.reverse(shapes[rows])
    tables["t_cableline"] = frame.set_geometry(shapes, crs=frame.crs)
    for code in frame["cl_code"].iloc[rows]:
        yield "ligne_inversee", "t_cableline", "geom", str(code)


def _wrong_ends(
    tables: Tables, _part: Part, rate: float, rng: np.random.Generator
) -> Iterator[tuple[str, str, str, str]]:
    """Name, as the second end of a way, the node where another way ends."""
    if "t_cheminement" not in tables:
        return
    frame = tables["t_cheminement"]
    rows = draw_rows(len(frame), rate, rng)
    ends = frame["cm_ndcode2"].to_numpy(dtype=object).copy()
    ends[rows] = np.roll(frame["cm_ndcode2"].to_numpy(dtype=object), 1)[rows]
    wrong = ends != frame["cm_ndcode2"].to_numpy(dtype=object)
    tables["t_cheminement"] = frame.assign(cm_ndcode2=ends)
    for code in frame["cm_code"][wrong]:
        yield "noeud_geometrie", "t_cheminement", "cm_ndcode2", str(code)


def _lose_links(
    tables: Tables, _part: Part, rate: float, rng: np.random.Generator
) -> Iterator[tuple[str, str, str, str]]:
    """Forget cable-way rows, and add one that names a way or a conduit that is nowhere."""
    for table in ("t_cab_chem", "t_cab_cond"):
        if table not in tables:
            continue
        frame = tables[table]
        rows = draw_rows(len(frame), rate, rng)
        for code in frame.iloc[rows, 0]:
            yield "lien_absent", table, frame.columns[1], str(code)
        frame = frame.drop(index=list(rows))
        if len(rows):
            dangling = frame.iloc[[0]].assign(**{frame.columns[1]: "INCONNU0001"})
            frame = pd.concat([frame, dangling], ignore_index=True)
            yield "code_orphelin", table, frame.columns[1], str(frame.iloc[0, 0])
        tables[table] = frame.reset_index(drop=True)


def _spoil_premises(
    tables: Tables, part: Part, rate: float, rng: np.random.Generator
) -> Iterator[tuple[str, str, str, str]]:
    """Repeat rows, forget rows that their address announces, and add abandoned rows."""
    table, key = ("t_suf", "sf_code") if part.version == "2.0.1" else ("t_local", "lc_code")
    if part.layer != "DI":
        return
    frame: pd.DataFrame = tables[table]
    premises = np.flatnonzero(frame[key].isin(part.premises["code"]))
    lost = premises[draw_rows(len(premises), rate / 2, rng)]
    _forget_premises(tables, table, key, lost)
    for code in frame[key].iloc[lost]:
        yield "adresse_sans_ligne", table, key, str(code)
    kept = frame.drop(index=list(lost))
    left = kept.index[kept[key].isin(part.premises["code"])]
    twice = kept.loc[left[draw_rows(len(left), rate, rng)]]
    for code in twice[key]:
        yield "cle_double", table, key, str(code)
    gone = kept.loc[left[draw_rows(len(left), rate, rng)]]
    gone = gone.assign(**{key: [f"{code}A" for code in gone[key]]})
    gone["sf_abddate" if table == "t_suf" else "lc_abandon"] = "2020-01-01" if table == "t_suf" else "1"
    for code in gone[key]:
        yield "ligne_abandonnee", table, key, str(code)
    tables[table] = pd.concat([kept, twice, gone], ignore_index=True)


def _forget_premises(tables: Tables, table: str, key: str, rows: np.ndarray) -> None:
    """Take the outlet and the drop away with each premise, so that only the address still tells of it."""
    serial = tables[table][key].iloc[rows].str[2:]
    remove_rows(tables, "t_ebp", "bp_code", "BP" + serial)
    remove_cables(tables, "CB" + serial)


def remove_cables(tables: Tables, codes: pd.Series) -> None:
    """Take cables out of every table that names them, with their fibres and the splices of these."""
    for name, attribute in (
        ("t_cable", "cb_code"),
        ("t_cable_patch201", "cb_code"),
        ("t_cableline", "cl_cb_code"),
        ("t_cab_chem", "cc_cb_code"),
        ("t_cab_cond", "cc_cb_code"),
    ):
        remove_rows(tables, name, attribute, codes)
    if "t_fibre" in tables:
        fibres = tables["t_fibre"].loc[tables["t_fibre"]["fo_cb_code"].isin(codes), "fo_code"]
        remove_rows(tables, "t_fibre", "fo_cb_code", codes)
        remove_rows(tables, "t_position", "ps_1", fibres)
        remove_rows(tables, "t_position", "ps_2", fibres)


def remove_rows(tables: Tables, name: str, attribute: str, codes: pd.Series) -> None:
    """Take the rows that name any of some codes out of a table, where the delivery has it."""
    if name in tables:
        frame = tables[name]
        tables[name] = frame[~frame[attribute].isin(codes)].reset_index(drop=True)


def _detach_pbo(
    tables: Tables, part: Part, rate: float, rng: np.random.Generator
) -> Iterator[tuple[str, str, str, str]]:
    """Forget the cable of a PBO at the end of a branch."""
    if part.layer != "DI" or rng.random() >= min(1.0, rate * _DETACHED_PER_ROW_RATE):
        return
    ends = part.boxes[(part.boxes["typelog"] == "PBO") & ~part.boxes.index.isin(part.cables["box1"])]
    box = ends.index[int(rng.integers(len(ends)))]
    remove_cables(tables, part.cables.loc[part.cables["box2"] == box, "cb_code"])
    yield "pbo_sans_cable", "t_ebp", "bp_code", str(ends.loc[box, "bp_code"])


_SPOILERS: tuple[Spoiler, ...] = (
    _spoil_premises,
    _detach_pbo,
    _blank("cb_nd1", "noeud_manquant"),
    _blank("cb_nd2", "noeud_manquant"),
    _blank("cb_typelog", "typelog_vide"),
    _reverse_lines,
    _wrong_ends,
    _lose_links,
)
