"""Rules that look at one column: types, lengths, lists, filling; and at the columns of a table."""

from collections.abc import Hashable, Iterator, Mapping

import pandas as pd

from gracethd.check.batches import Batch
from gracethd.check.conditions import check_conditions
from gracethd.check.model import (
    WIDEST,
    Major,
    expected_columns,
    list_codes,
    mandatory_columns,
    table_model,
)
from gracethd.check.places import SUPPORTS
from gracethd.check.rules import OF, PRIMARY_KEYS, report, report_table
from gracethd.errors import GraceTHDError
from gracethd.model import attributes
from gracethd.values import parse_bool, parse_date, parse_number

PHASES = {
    "PRE": "fill_PRE", "DIA": "fill_DIA", "AVP": "fill_AVP", "PRO": "fill_PRO_ACT", "ACT": "fill_PRO_ACT",
    "EXE": "fill_EXE", "TVX": "fill_TVX_REC", "REC": "fill_TVX_REC", "MCO": "fill_MCO",
}  # fmt: skip
"""Phases of the version 2 filling grid and the column of the model that holds each."""

CONTAINERS = {f"C{i}": f"container_C{i}" for i in range(1, 5)}
"""Containers of the version 3 filling grid."""


LAYER_TYPES = ("cb_typelog", "cm_typelog")
"""Attributes that say the layer of a cable or way: NC, not communicated, is a code of their list."""


def check_columns(batch: Batch) -> Iterator[pd.DataFrame]:
    """Find attributes that are absent, and values of a wrong type, length or list."""
    table, frame, major = batch.table, batch.frame, batch.major
    if not {str(name) for name in frame.columns} <= {"line", "geometry", OF}:
        for name in batch.deliveries:
            yield from (one.assign(delivery=name) for one in _absent(table, frame, major))
    for rule in table_model(table, major).to_dict("records"):
        if (name := rule["attribute"]) in frame and frame[name].notna().any():
            yield from _values(table, frame, name, rule, major)


def check_filling(
    batch: Batch, *, container: str | None = None, phase: str | None = None
) -> Iterator[pd.DataFrame]:
    """Find empty attributes that the model requires, and those of the grid that is asked for.

    Parameters
    ----------
    batch : Batch
    container : {"C1", "C2", "C3", "C4"}, optional
        Grid that version 3 tables must fill.
    phase : {"PRE", "DIA", "AVP", "PRO", "ACT", "EXE", "TVX", "REC", "MCO"}, optional
        Grid that version 2 tables must fill.

    Raises
    ------
    GraceTHDError
        The container or phase does not exist.
    """
    table, frame, major = batch.table, batch.frame, batch.major
    grid = grid_column(major, container=container, phase=phase)
    mandatory, model = mandatory_columns(table, major), table_model(table, major)
    required = frozenset(model.loc[model[grid] == "O", "attribute"]) if grid else frozenset()
    told = (*PRIMARY_KEYS.get(table, ()), *SUPPORTS["t_baie"])  # by rules of their own
    for name in (str(name) for name in model["attribute"] if name in frame and name not in told):
        if name in mandatory or name in required:
            rule = "obligatoire_vide" if name in mandatory else "remplissage"
            yield report(rule, table, frame, frame[name].isna(), attribute=name)
    if grid:
        yield from check_conditions(table, frame, major, grid)


def required_tables(major: Major, grid: str) -> list[str]:
    """Give the tables that a filling grid requires: those whose key it wants."""
    model = attributes(WIDEST[major])
    keys = model[(model["primary_key"] == "yes") & (model[grid] == "O")]
    return [table for table in dict.fromkeys(keys["table"]) if "_patch20" not in table]


def grid_column(major: Major, *, container: str | None, phase: str | None) -> str | None:
    """Give the column of the model that says what is required, None where nothing is asked.

    Raises
    ------
    GraceTHDError
        The container or phase does not exist.
    """
    if major == "2":
        return _grid("phase", phase, PHASES)
    return _grid("container", container, CONTAINERS)


def _grid(kind: str, asked: str | None, known: dict[str, str]) -> str | None:
    if asked is None:
        return None
    if asked.upper() not in known:
        raise GraceTHDError(f"{kind} {asked!r} does not exist; expected one of {', '.join(known)}")
    return known[asked.upper()]


def _absent(table: str, frame: pd.DataFrame, major: Major) -> Iterator[pd.DataFrame]:
    keys = PRIMARY_KEYS.get(table, ())
    for name in keys:
        if name not in frame and name in table_model(table, major).index:
            yield report_table("cle_absente", table, name)
    names = sorted(expected_columns(table, major) - set(frame.columns) - set(keys))
    yield report_table("attribut_absent", table, *names)


def _values(
    table: str, frame: pd.DataFrame, name: str, rule: Mapping[Hashable, str], major: Major
) -> Iterator[pd.DataFrame]:
    text = frame[name]
    kind, length = rule["type"], rule["length"]
    if kind in ("INTEGER", "BIGINT", "NUMERIC"):
        yield from _numbers(table, frame, name, kind, length)
    elif kind in ("DATE", "TIMESTAMP"):
        yield report("type_date", table, frame, parse_date(text)[1], attribute=name, detail=kind)
    elif kind == "BOOLEAN":
        yield report("type_booleen", table, frame, parse_bool(text)[1], attribute=name)
    elif kind == "VARCHAR" and length:
        too_long = text.str.len() > int(length)
        yield report("longueur", table, frame, too_long, attribute=name, detail=f"{length} caractères")
    # what version 3 has dropped keeps the name of a list without published codes, or of another list
    in_use = rule["value_list"] and (major == "2" or name in expected_columns(table, major))
    codes = list_codes(rule["value_list"], major) if in_use else frozenset()
    if codes:
        outside = text.notna() & ~text.isin(codes)
        yield report("hors_liste", table, frame, outside, attribute=name, detail=rule["value_list"])
    if name in LAYER_TYPES:
        yield report("valeur_nc", table, frame, text == "NC", attribute=name)


def _numbers(table: str, frame: pd.DataFrame, name: str, kind: str, length: str) -> Iterator[pd.DataFrame]:
    values, unreadable = parse_number(frame[name])
    if kind != "NUMERIC":
        unreadable = unreadable | (values % 1 > 0)
    yield report("type_nombre", table, frame, unreadable, attribute=name, detail=kind)
    if kind == "NUMERIC" and length:
        digits, _, decimals = length.partition(",")
        too_long = values.abs() >= 10.0 ** (int(digits) - int(decimals or 0))
        yield report("longueur", table, frame, too_long, attribute=name, detail=f"{length} chiffres")
