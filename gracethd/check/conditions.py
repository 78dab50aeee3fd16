"""Attributes that are required in some cases only: rows of a table, not code.

A condition joins clauses with ``;`` that must all hold: ``attribute in CODE CODE``, ``attribute empty``,
``attribute differs other``, ``attribute names table other VALUE`` (the row it names has that value), and
``pbo outdoors`` (a home of the address has its PBO in a chamber or on a pole). Version 3: the cases of its
filling grid that a delivery alone can tell; "if the contract asks for it" is not one. Version 2: where the
grid of the phase says C and the meaning of the attribute says when (poles, buried ways, layer of a cable).
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import pandas as pd

from gracethd.check.model import Major, table_model
from gracethd.check.places import column, mapping
from gracethd.check.rules import PRIMARY_KEYS, report
from gracethd.deliveries.types import Delivery

Tables = Mapping[str, pd.DataFrame]
ELSEWHERE = ("names", "outdoors")
"""Verbs that ask other tables."""


@cache
def conditions() -> pd.DataFrame:
    """Give the conditions: peer (id in dbt-grace-thd), version, table, attribute, containers, when (text)."""
    with (files(__package__) / "conditions.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


def check_conditions(table: str, frame: pd.DataFrame, major: Major, grid: str) -> Iterator[pd.DataFrame]:
    """Find attributes that are empty in rows where their condition holds, told by the table alone.

    Parameters
    ----------
    table : str
    frame : DataFrame
    major : {"2", "3"}
    grid : str
        Column of the model that holds the phase or container asked for.
    """
    for name, when in _asked(table, major, grid):
        if name in frame and not _asks_elsewhere(when):
            faulty = holds(when, frame) & frame[name].isna()
            yield report("remplissage_conditionnel", table, frame, faulty, attribute=name, detail=when)


def check_conditions_elsewhere(delivery: Delivery, grid: str) -> Iterator[pd.DataFrame]:
    """Find attributes of version 3 tables that are empty where what other tables say requires them."""
    for table, frame in delivery.tables.items():
        for name, when in _asked(table, "3", grid) if delivery.versions.get(table) == "3" else ():
            if name in frame and _asks_elsewhere(when):
                faulty = holds(when, frame, delivery.tables) & frame[name].isna()
                yield report("remplissage_conditionnel", table, frame, faulty, attribute=name, detail=when)


def _asked(table: str, major: Major, grid: str) -> list[tuple[str, str]]:
    """Give attribute and condition of what a grid requires of a table in some cases."""
    rules = conditions()
    rules = rules[(rules["table"] == table) & (rules["version"] == major)]
    if major == "2":
        cell = table_model(table, "2")[grid].reindex(rules["attribute"]).to_numpy()
        rules = rules[cell == "C"]
    else:
        container = grid.removeprefix("container_")
        rules = rules[rules["containers"].str.split().map(lambda known: container in known).astype(bool)]
    return list(rules[["attribute", "when"]].itertuples(index=False, name=None))


def _asks_elsewhere(when: str) -> bool:
    return any(clause.split()[1] in ELSEWHERE for clause in when.split(";"))


def holds(when: str, frame: pd.DataFrame, tables: Tables | None = None) -> pd.Series:
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
        if verb == "outdoors":
            result &= frame["ad_code"].isin(_addresses_fed_outdoors(tables or {}))
            continue
        if not {name, *(others if verb == "differs" else ())} <= set(frame.columns):
            return pd.Series(data=False, index=frame.index)
        if verb == "in":
            result &= frame[name].isin(others)
        elif verb == "empty":
            result &= frame[name].isna()
        elif verb == "names":
            target, attribute, value = others
            said = mapping(tables or {}, target, PRIMARY_KEYS[target][0], attribute)
            result &= frame[name].map(said).eq(value)
        else:
            result &= frame[name].notna() & frame[others[0]].notna() & (frame[name] != frame[others[0]])
    return result


def _addresses_fed_outdoors(tables: Tables) -> pd.Series:
    """Give the addresses of homes whose PBO stands in a chamber or on a pole, not in the building."""
    home = column(tables, "t_local", "lc_typelog").eq("RES")
    support = mapping(tables, "t_ebp", "bp_code", "bp_pt_code")
    outdoors = home & column(tables, "t_local", "lc_bp_codf").isin(support.index)
    site = column(tables, "t_local", "lc_st_code")[outdoors]
    return site.map(mapping(tables, "t_site", "st_code", "st_ad_code")).dropna()
