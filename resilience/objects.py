"""Objects found by ``kind:code``, as studies and command lines name them, or the nearest codes proposed."""

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from resilience.sections import StudyError

_NEAR_CODES = 5
_COMPARED = 20_000  # codes compared with one that is unknown; nearest first by common beginning


def rows_named(table: pd.DataFrame, labels: Sequence[str], *, where: str) -> NDArray[np.intp]:
    """Give the rows of a table that bear one of these names, in their order.

    Parameters
    ----------
    table : DataFrame
        With columns kind and code; several rows may bear one name, as the members of a group do.
    labels : sequence of str
        ``kind:code``, as ``cable:CB012``.
    where : str
        What names them, as the message says it.

    Returns
    -------
    (n,) intp
        Positions of rows, rising.

    Raises
    ------
    StudyError
        When a name is borne by no row; the message proposes the nearest codes, or the kinds where the code
        exists.

    Examples
    --------
    >>> rows_named(pd.DataFrame({"kind": ["cable", "local"], "code": "A"}), ["local:A"], where="x").tolist()
    [1]
    """
    # codes first: names are only written for the few rows that may be meant
    near = np.flatnonzero(table["code"].isin([label.partition(":")[2] for label in labels]))
    few = table.iloc[near]
    named = few["kind"].astype(str) + ":" + few["code"].astype(str)
    known = set(named)
    for label in labels:
        if label not in known:
            raise StudyError(f"{where}: {_missing(table, label)}")
    return near[named.isin(list(labels)).to_numpy()]


def object_named(table: pd.DataFrame, label: str, *, where: str) -> int:
    """Give the index of the first row of a table that bears a name: its asset number; see `rows_named`."""
    return int(table.index[rows_named(table, [label], where=where)[0]])


def facts_of_assets(table: pd.DataFrame, assets: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Give what a table by (kind, code) says of assets.

    Parameters
    ----------
    table : DataFrame
        kind, code; of rows of one object the first counts.
    assets : DataFrame
        kind, code.
    columns : sequence of str
        Those that the table has not are missing throughout.

    Returns
    -------
    DataFrame
        `columns`, with the index of `assets`; missing where the table does not hold the asset.

    Examples
    --------
    >>> table = pd.DataFrame({"kind": ["cable"], "code": ["A"], "serie": ["S"]})
    >>> assets = pd.DataFrame({"kind": ["local", "cable"], "code": "A"})
    >>> facts_of_assets(table, assets, ["serie"])["serie"].tolist()
    [nan, 'S']
    """
    named = pd.MultiIndex.from_frame(assets[["kind", "code"]])
    # an index of the whole table is slow to make for a few of its rows
    rows = table if len(assets) >= len(table) else table[table["code"].isin(assets["code"])]
    by_name = rows.drop_duplicates(["kind", "code"]).set_index(["kind", "code"])
    return by_name.reindex(columns=list(columns)).reindex(named).set_axis(assets.index)


def told_of_assets(table: pd.DataFrame, assets: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Give the texts of `facts_of_assets`, "" where the table says nothing."""
    told = facts_of_assets(table, assets, columns).astype(object)
    return told.where(told.notna(), "").astype(str)


def _missing(table: pd.DataFrame, label: str) -> str:
    """Tell that an object does not exist, and what may be meant."""
    kind, colon, code = label.partition(":")
    kinds = sorted(set(table["kind"].astype(str)))
    if not colon or kind not in kinds:
        return (
            f"nothing of the kind of {label!r} is in the deliveries; KIND:CODE is expected, with a kind among"
            f" {', '.join(kinds)}"
        )
    told = f"no object {label!r} in the deliveries"
    if elsewhere := sorted(set(table.loc[table["code"] == code, "kind"].astype(str))):
        return f"{told}; the code exists as {', '.join(f'{other}:{code}' for other in elsewhere)}"
    near = _near_codes(code, table.loc[table["kind"] == kind, "code"])
    if not near:
        return f"{told}; no code of a {kind} is near it"
    return f"{told}; the nearest codes are {', '.join(f'{kind}:{other}' for other in near)}"


def _near_codes(code: str, known: pd.Series) -> list[str]:
    """Give the codes nearest to one that does not exist, among those that begin most alike."""
    for length in range(min(len(code), 6), -1, -1):
        near = known[known.str.startswith(code[:length])] if length else known
        found = difflib.get_close_matches(code, sorted(near)[:_COMPARED], n=_NEAR_CODES, cutoff=0.5)
        if found:
            return found
    return []
