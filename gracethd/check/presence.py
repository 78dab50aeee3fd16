"""Rules on what was delivered at all: the tables that each level of use needs (DESIGN D16)."""

from collections.abc import Iterator, Sequence

import pandas as pd

from gracethd.check.columns import grid_column, required_tables
from gracethd.check.model import MAJORS
from gracethd.check.rules import report_table
from gracethd.deliveries.types import Delivery

NEEDED: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, ("t_suf", "t_local", "t_adresse")),
    (0, ("t_zsro",)),
    (1, ("t_noeud",)),
    (1, ("t_cable",)),
    (1, ("t_cableline",)),
    (1, ("t_ebp",)),
    (2, ("t_cheminement",)),
    (2, ("t_ptech",)),
    (3, ("t_fibre",)),
    (3, ("t_position",)),
    (3, ("t_cassette",)),
    (3, ("t_tiroir",)),
    (3, ("t_baie",)),
)
"""Level of use, and the tables of which one at least must have rows for it."""


def check_presence(deliveries: Sequence[Delivery]) -> Iterator[pd.DataFrame]:
    """Find tables without rows in all the deliveries together: they are usually cut by network level."""
    filled = {table for one in deliveries for table, frame in one.tables.items() if len(frame)}
    for level, tables in NEEDED:
        if not filled.intersection(tables):
            detail = f"niveau {level} hors d'atteinte (il faut {' ou '.join(tables)})"
            yield report_table("table_absente", tables[0], "", detail=detail)


def check_required(
    deliveries: Sequence[Delivery], *, container: str | None = None, phase: str | None = None
) -> Iterator[pd.DataFrame]:
    """Find tables that the grid of the container or phase requires and that have no rows.

    A grid is asked only where a delivery has tables of its version; what `check_presence` tells is not told
    again.

    Raises
    ------
    GraceTHDError
        The container or phase does not exist.
    """
    filled = {table for one in deliveries for table, frame in one.tables.items() if len(frame)}
    told = {tables[0] for _, tables in NEEDED if not filled.intersection(tables)}
    for major in MAJORS:
        grid = grid_column(major, container=container, phase=phase)
        if grid and any(version.startswith(major) for one in deliveries for version in one.versions.values()):
            for table in required_tables(major, grid):
                if table not in filled | told:
                    yield report_table("table_exigee", table, "")


def check_versions(delivery: Delivery) -> Iterator[pd.DataFrame]:
    """Find deliveries whose tables with rows tell different versions."""
    told = {table: major for table, major in delivery.versions.items() if len(delivery.tables.get(table, ()))}
    if len(set(told.values())) > 1:
        fewest = min("23", key=lambda major: (list(told.values()).count(major), major))
        odd = sorted(table for table, major in told.items() if major == fewest)
        yield report_table("versions_melangees", odd[0], "", detail=f"{', '.join(odd)} en version {fewest}")
