"""The rules: what may be wrong in a delivery, why it matters, what to do. Rows, not code.

The ids are stable: others filter and count by them. The documentation page is made from the same rows.
"""

from importlib.resources import files
from typing import cast

import numpy as np
import pandas as pd

from gracethd.findings import Severity, findings_frame, merge_findings
from gracethd.model import VERSIONS, attributes


def _load() -> pd.DataFrame:
    with (files(__name__.rpartition(".")[0]) / "rules.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False).set_index("rule", drop=False)


RULES = _load()
"""One row per rule, indexed by id: rule, family, severity, fr, en, why (English), action (French)."""

NOTHING = merge_findings([])
OF = "_delivery"
"""Column that names the delivery of a row; no attribute of the model begins so."""

PRIMARY_KEYS: dict[str, tuple[str, ...]] = {
    str(table): tuple(rows["attribute"])
    for version in VERSIONS
    for table, rows in attributes(version).query("primary_key == 'yes'").groupby("table", sort=True)
}
"""Key attributes of each table of any version; two for the tables that link two others."""


def report(
    rule: str, table: str, frame: pd.DataFrame, faulty: object, *, attribute: str = "", detail: str = ""
) -> pd.DataFrame:
    """Build the findings of one rule on the faulty rows of a table, one each, never telling a value.

    Parameters
    ----------
    rule : str
        A row of `RULES`, which gives severity and text.
    table : str
    frame : DataFrame
        Rows of the table, with ``line`` and the key where it is delivered, and the name of their delivery
        where the rows of several are put together (`gracethd.check.batches`).
    faulty : (n_rows,) bool
        Array or Series, by position.
    attribute : str
    detail : str
        Added to the text of the rule; a name of the model or a number, never a value of the delivery.
    """
    mask = np.asarray(faulty, dtype=bool)
    if not mask.any():
        return NOTHING
    names = ("line", OF, *PRIMARY_KEYS.get(table, ()))
    rows = frame[[name for name in names if name in frame]][mask]
    severity = cast("Severity", RULES.loc[rule, "severity"])
    message = str(RULES.loc[rule, "fr"]) + (f" : {detail}" if detail else "")
    codes, lines = row_codes(pd.DataFrame(rows), table), rows["line"]
    return findings_frame(
        rule, severity, table, attribute=attribute, code=codes, message=message, line=lines,
        delivery=rows.get(OF, ""),
    )  # fmt: skip


def report_table(rule: str, table: str, *attributes: str, detail: str = "") -> pd.DataFrame:
    """Build the findings of a rule on whole attributes of a table, one each."""
    rows = pd.DataFrame({"line": np.zeros(len(attributes), np.int64)})
    return report(rule, table, rows, np.ones(len(rows)), detail=detail).assign(attribute=list(attributes))


def row_codes(rows: pd.DataFrame, table: str) -> pd.Series:
    """Give the code of each row: its key, two keys joined by ``/``, empty where the key is missing."""
    names = [name for name in PRIMARY_KEYS.get(table, ()) if name in rows]
    codes = pd.Series("", index=rows.index, dtype=str)
    for name in names:
        codes = codes + ("/" if name != names[0] else "") + rows[name].fillna("")
    return codes
