"""Findings: what is wrong in the data, row by row, told by rule; never blocking by itself."""

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import pandas as pd

from gracethd.errors import GraceTHDError

Severity = Literal["bloquant", "majeur", "mineur", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
COLUMNS = ("rule", "severity", "table", "attribute", "code", "message", "delivery", "line")


NO_FINDING = pd.DataFrame({name: pd.Series(dtype=np.int64 if name == "line" else str) for name in COLUMNS})
"""The findings of a rule that nothing breaks; made once, since most rules find nothing in most tables."""


def findings_frame(
    rule: str,
    severity: Severity,
    table: str,
    *,
    code: Iterable[object],
    message: str | Iterable[str],
    attribute: str = "",
    delivery: str | Iterable[str] = "",
    line: int | Iterable[int] = 0,
) -> pd.DataFrame:
    """Build findings of one rule on one table, one row per code.

    Parameters
    ----------
    rule, severity, table, attribute
        Constant over the rows; `table` is the name in the delivery or the inventory.
    code : iterable
        Code of each faulty object. Values of personal attributes never go into `message`.
    message, delivery, line : scalar or iterable of the same length
        `line` is the row in the source file, 0 where it is not known.

    Returns
    -------
    DataFrame
        With the columns of `COLUMNS`; `line` is int64, the others text.

    Examples
    --------
    >>> findings_frame("cle_double", "majeur", "t_cable", code=["CB1"], message="twice").code.tolist()
    ['CB1']
    """
    codes = code if isinstance(code, pd.Series | pd.Index) else pd.Series(list(code), dtype=object)
    if not len(codes):
        return NO_FINDING
    frame = pd.DataFrame({"code": pd.Series(codes.to_numpy(), dtype=str).fillna("")})
    frame["rule"], frame["severity"], frame["table"], frame["attribute"] = rule, severity, table, attribute
    for name, value in (("message", message), ("delivery", delivery)):
        given = value if isinstance(value, str | pd.Series) else list(value)
        frame[name] = given if isinstance(given, str) else pd.Series(np.asarray(given), dtype=str)
    frame["line"] = (
        np.full(len(frame), line, np.int64) if isinstance(line, int) else np.asarray(list(line), np.int64)
    )
    return frame[list(COLUMNS)]


def merge_findings(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put findings together, sorted by severity, rule, table, code, delivery and line."""
    kept = [part for part in parts if len(part)]
    if not kept:
        return NO_FINDING
    merged = pd.concat(kept, ignore_index=True)
    rank = merged["severity"].map({name: i for i, name in enumerate(SEVERITIES)})
    merged = merged.assign(_rank=rank).sort_values(["_rank", "rule", "table", "code", "delivery", "line"])
    return merged.drop(columns="_rank").reset_index(drop=True)


def severity(name: str) -> Severity:
    """Give the severity of that name.

    Raises
    ------
    GraceTHDError
        When there is no such severity.
    """
    for known in SEVERITIES:
        if name == known:
            return known
    raise GraceTHDError(f"severity {name!r} does not exist; choose one of {', '.join(SEVERITIES)}")
