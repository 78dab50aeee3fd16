"""The version of a table, told from its columns: labels lie, and a delivery may mix versions (DESIGN D6).

Some names serve two versions (``cc_`` is t_cab_cond in v2 and t_cab_chem in v3, ``st_`` is t_sitetech and
t_site): a table is judged by the columns that only one version of *that* table has.
"""

from functools import cache

import pandas as pd

from gracethd.errors import SourceError
from gracethd.findings import NO_FINDING, findings_frame
from gracethd.model import VERSIONS, attributes


@cache
def known_columns(table: str) -> dict[str, frozenset[str]]:
    """Give the attributes of a table by major version ("2", "3"), geometry excluded; empty where unknown.

    Examples
    --------
    >>> sorted(known_columns("t_cab_chem")["3"])
    ['cc_cb_code', 'cc_cm_code']
    """
    found: dict[str, set[str]] = {"2": set(), "3": set()}
    for version in VERSIONS:
        model = attributes(version)
        rows = model[(model["table"] == table) & (model["geometry_type"] == "")]
        found[version[0]].update(rows["attribute"])
    return {major: frozenset(names) for major, names in found.items()}


@cache
def full_names(table: str) -> dict[str, str]:
    """Give the attribute behind each name cut to ten characters, where one is cut."""
    names = sorted(known_columns(table)["2"] | known_columns(table)["3"])
    return {name[:10]: name for name in names if len(name) > 10}


def table_version(table: str, columns: list[str]) -> str | None:
    """Tell the major version of a table, "2" or "3"; None where its columns fit both.

    Raises
    ------
    SourceError
        No column belongs to the table in any version.

    Examples
    --------
    >>> table_version("t_cable", ["cb_code", "cb_bp1", "cb_cabphy"])
    '3'
    """
    known, present = known_columns(table), {full_names(table).get(column, column) for column in columns}
    if not present & (known["2"] | known["3"]):
        expected = ", ".join(sorted(known["2"] or known["3"])[:6])
        shown = ", ".join(column[:32] for column in columns[:6])
        raise SourceError(
            f"{table}: unknown version, columns {shown or '(none)'} are of no GraceTHD "
            f"version; expected {expected}..."
        )
    own = {major: len(present & (known[major] - known[other])) for major, other in (("2", "3"), ("3", "2"))}
    if own["2"] == own["3"]:
        return None
    return max(own, key=lambda major: own[major])


def keep_known(frame: pd.DataFrame, table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give full attribute names to the columns and keep those of the model; the others are listed."""
    names = full_names(table)
    renamed = frame.rename(columns=names) if any(column in names for column in frame.columns) else frame
    known = known_columns(table)["2"] | known_columns(table)["3"] | {"line", "geometry"}
    unknown = [str(name) for name in renamed.columns if name not in known]
    if not unknown:
        return renamed, NO_FINDING
    shown = ", ".join(name[:32] for name in unknown[:10]) + ("..." if len(unknown) > 10 else "")
    message = f"Attributs hors modèle, non lus : {shown}"
    findings = findings_frame("attribut_inconnu", "info", table, code=[""], message=message)
    return renamed.drop(columns=unknown), findings
