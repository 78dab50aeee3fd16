"""Rules on what deliveries make together: the inventory, its network and its routes, built once.

What these stages report while they are built is told here too, as findings of the rows delivered.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gracethd.check.built import Built, build, tell
from gracethd.check.chains import check_chains
from gracethd.check.continuity import check_continuity
from gracethd.check.layering import check_layers
from gracethd.check.settings import Thresholds
from gracethd.deliveries.types import Delivery
from gracethd.errors import CRSError, LevelError
from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from gracethd.level0 import compare_prises
from gracethd.normalise import TABLES
from gracethd.reading import build_inventory

TOLD_BEFORE = frozenset({
    "cle_absente", "cle_double", "nombre_illisible", "extremite_contradictoire", "extremite_approchee",
    "coordonnees_impossibles",
})  # fmt: skip
"""What reading and building report that a rule on tables tells of the same row."""
ALSO_IN = {"premise": ("adresse",), "local": ("site", "noeud")}
"""Tables where a code may stand that its own does not hold: announced prises, rooms that are a site."""


def check_traced(
    deliveries: Sequence[Delivery], limits: Thresholds, *, level0: Delivery | None = None
) -> Iterator[pd.DataFrame]:
    """Find what only the built network shows, with the delivery and the line of each object.

    Prises by PM are held against those of `level0` where it is given.
    """
    try:
        inventory = build_inventory(deliveries)
    except (LevelError, CRSError):
        yield tell("niveau_inaccessible", "", [""])
        return
    built = build(inventory)
    of_reading = {rule for one in deliveries for rule in one.findings["rule"]}
    stages = merge_findings([inventory.findings, built.network.findings, built.routes.findings])
    stages = stages[~stages["rule"].isin(TOLD_BEFORE | of_reading)]
    found = [stages, *check_network(built, limits)]
    if level0 is not None:
        found.append(compare_prises(inventory, built.routes.prises, level0))
    yield as_delivered(merge_findings(found), inventory, deliveries)


def check_network(built: Built, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Apply the rules on the network: tables are those of the inventory, deliveries and lines not known."""
    yield from check_continuity(built, limits)
    yield from check_layers(built)
    yield from check_chains(built, limits)


def as_delivered(
    findings: pd.DataFrame, inventory: Inventory, deliveries: Sequence[Delivery]
) -> pd.DataFrame:
    """Name the delivered table, delivery and line of findings on inventory tables.

    Findings on no table of the inventory, or on codes that it does not hold, stay as they are.
    """
    parts = []
    for name, group in findings.groupby("table", sort=True):
        if str(name) in TABLES:
            parts.append(_named_rows(group, str(name), inventory, deliveries))
        else:
            parts.append(group)
    return merge_findings(parts)


def _named_rows(
    group: pd.DataFrame, name: str, inventory: Inventory, deliveries: Sequence[Delivery]
) -> pd.DataFrame:
    delivery = group["delivery"].to_numpy(object, copy=True)
    line = group["line"].to_numpy(np.int64, copy=True)
    table = np.full(len(group), name, object)
    open_rows = np.ones(len(group), bool)
    for candidate in (name, *ALSO_IN.get(name, ())):
        if candidate not in inventory:
            continue
        rows = inventory[candidate].drop_duplicates(TABLES[candidate].columns[0])
        at = pd.Index(rows[TABLES[candidate].columns[0]]).get_indexer(group["code"])
        known = open_rows & (at >= 0)
        own = known & (line == 0)
        delivery[own] = rows["delivery"].to_numpy(object)[at[own]]
        line[own] = rows["line"].to_numpy()[at[own]]
        table[known] = candidate
        open_rows &= ~known
    sources = {
        (one.name, candidate): next((source for source in _sources(candidate) if source in one.tables), "")
        for one in deliveries
        for candidate in {*table}
    }
    delivered = [sources.get((str(d), str(t))) or f"t_{t}" for d, t in zip(delivery, table, strict=True)]
    return group.assign(
        delivery=pd.Series(delivery, index=group.index, dtype=str), line=line, table=delivered
    )


def _sources(name: str) -> tuple[str, ...]:
    """Give the delivered tables that may hold the rows of an inventory table."""
    return (*TABLES[name].sources, *(("t_local",) if name == "premise" else ()))
