"""An object found by ``kind:code``, or the nearest codes proposed."""

import difflib

import pandas as pd

from gracethd.errors import GraceTHDError

_NEAR_CODES = 5
_COMPARED = 20_000  # codes compared with one that is unknown; nearest first by common beginning


def find_asset(table: pd.DataFrame, label: str) -> int:
    """Give the asset number of ``kind:code``.

    Raises
    ------
    GraceTHDError
        When there is none; the message proposes the nearest codes, and the kinds where the code exists.
    """
    kind, colon, code = label.partition(":")
    kinds = sorted(set(table["kind"]))
    if not colon or kind not in kinds:
        raise GraceTHDError(f"--asset {label!r}: KIND:CODE is expected, with a kind among {', '.join(kinds)}")
    rows = table.index[(table["kind"] == kind) & (table["code"] == code)]
    if len(rows):
        return int(rows[0])
    elsewhere = sorted(set(table.loc[table["code"] == code, "kind"]))
    if elsewhere:
        named = ", ".join(f"{other}:{code}" for other in elsewhere)
        raise GraceTHDError(f"--asset {label!r}: no such {kind}; the code exists as {named}")
    near = _near_codes(code, table.loc[table["kind"] == kind, "code"])
    cure = (
        f"the nearest codes are {', '.join(f'{kind}:{other}' for other in near)}"
        if near
        else (f"no code of a {kind} is near it")
    )
    raise GraceTHDError(f"--asset {label!r}: no such {kind}; {cure}")


def _near_codes(code: str, known: pd.Series) -> list[str]:
    """Give the codes nearest to one that does not exist, among those that begin most alike."""
    for length in range(min(len(code), 6), -1, -1):
        near = known[known.str.startswith(code[:length])] if length else known
        found = difflib.get_close_matches(code, sorted(near)[:_COMPARED], n=_NEAR_CODES, cutoff=0.5)
        if found:
            return found
    return []
