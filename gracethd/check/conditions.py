"""Attributes that version 3 requires in some cases only: rows of a table, not code.

A condition joins clauses with ``;`` that must all hold: ``attribute in CODE CODE``, ``attribute empty`` or
``attribute differs other``. The cases are those of the filling grid of GraceTHD 3 that a delivery alone can
tell; "if the contract asks for it" is not one.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import pandas as pd

from gracethd.check.rules import report


@cache
def conditions() -> pd.DataFrame:
    """Give the conditions: peer (id in dbt-grace-thd), table, attribute, containers and when, all text."""
    with (files(__package__) / "conditions.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


def check_conditions(table: str, frame: pd.DataFrame, container: str) -> Iterator[pd.DataFrame]:
    """Find attributes that are empty in rows where their condition holds, for one container."""
    rules = conditions()
    for rule in rules[rules["table"] == table].itertuples(index=False):
        name, when = str(rule.attribute), str(rule.when)
        if container not in str(rule.containers).split() or name not in frame:
            continue
        faulty = holds(when, frame) & frame[name].isna()
        yield report("remplissage_conditionnel", table, frame, faulty, attribute=name, detail=when)


def holds(when: str, frame: pd.DataFrame) -> pd.Series:
    """Tell in which rows a condition holds; an attribute that the table does not have holds nothing.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": ["X", "Y", None], "b": ["X", "X", "X"]})
    >>> holds("a in Y Z", frame).tolist(), holds("a empty", frame).tolist()
    ([False, True, False], [False, False, True])
    >>> holds("a differs b", frame).tolist()
    [False, True, False]
    """
    result = pd.Series(data=True, index=frame.index)
    for clause in when.split(";"):
        name, verb, *others = clause.split()
        if not {name, *(others if verb == "differs" else ())} <= set(frame.columns):
            return pd.Series(data=False, index=frame.index)
        if verb == "in":
            result &= frame[name].isin(others)
        elif verb == "empty":
            result &= frame[name].isna()
        else:
            result &= frame[name].notna() & frame[others[0]].notna() & (frame[name] != frame[others[0]])
    return result
