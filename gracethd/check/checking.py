"""Checking deliveries: every rule on every table, never stopping at the first fault."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.check.across import check_across
from gracethd.check.batches import Batch, batches
from gracethd.check.columns import check_columns, check_filling, grid_column
from gracethd.check.conditions import check_conditions_elsewhere
from gracethd.check.geometry import check_geometry
from gracethd.check.keys import check_abandoned, check_foreign_keys, check_primary_keys, check_unique
from gracethd.check.locate import locate
from gracethd.check.places import Remembering
from gracethd.check.presence import check_presence, check_required, check_versions
from gracethd.check.rules import RULES
from gracethd.check.settings import Settings, Thresholds, apply
from gracethd.check.together import together
from gracethd.check.topology import check_topology
from gracethd.check.traced import check_traced
from gracethd.check.trade import check_trade
from gracethd.deliveries.types import Delivery
from gracethd.findings import SEVERITIES, Severity, merge_findings

SHIPPED = Settings()


def check(
    delivery: Delivery,
    *,
    container: str | None = None,
    phase: str | None = None,
    settings: Settings = SHIPPED,
) -> gpd.GeoDataFrame:
    """Tell what is wrong in one delivery, by rule, with the place of each fault.

    Parameters
    ----------
    delivery : Delivery
        As `gracethd.deliveries.open_delivery` gives it; what was found at reading is included.
    container : {"C1", "C2", "C3", "C4"}, optional
        Also ask the version 3 tables for what this container of the filling grid requires.
    phase : {"PRE", "DIA", "AVP", "PRO", "ACT", "EXE", "TVX", "REC", "MCO"}, optional
        Also ask the version 2 tables for what this phase requires.
    settings : Settings, optional
        Thresholds, severities and rules left out; see `gracethd.check.settings.load_settings`.

    Returns
    -------
    GeoDataFrame
        Columns of `gracethd.findings.COLUMNS`, then ``geometry`` in the delivery's CRS: of the faulty object,
        or of the cable or node that its keys lead to; None where nothing leads anywhere. Sorted by
        severity, rule, table and code. Messages never tell a value of the delivery.

    Raises
    ------
    GraceTHDError
        The container or phase does not exist.

    Examples
    --------
    >>> findings = check(open_delivery(Path("SRO_7.zip")), phase="REC")  # doctest: +SKIP
    >>> exceeds(findings, "majeur")  # doctest: +SKIP
    True
    """
    return check_all([delivery], container=container, phase=phase, settings=settings)


def check_all(
    deliveries: Sequence[Delivery],
    *,
    container: str | None = None,
    phase: str | None = None,
    settings: Settings = SHIPPED,
    level0: Delivery | None = None,
) -> gpd.GeoDataFrame:
    """Tell what is wrong in deliveries that belong together: in their tables, and in the network they make.

    As `check`, but a code may be found in any of the deliveries, and a table that one of them holds is not
    absent. The geometry is in the CRS of the first delivery that has one. Prises by PM are held against those
    of `level0` (`gracethd.level0_file.read_level0`) where it is given; what could not be read of it is told.
    """
    found = [*check_each(deliveries, settings.thresholds, container=container, phase=phase)]
    return check_others(deliveries, found, container=container, phase=phase, settings=settings, level0=level0)


def check_others(
    deliveries: Sequence[Delivery],
    found: Sequence[pd.DataFrame],
    *,
    container: str | None = None,
    phase: str | None = None,
    settings: Settings = SHIPPED,
    level0: Delivery | None = None,
) -> gpd.GeoDataFrame:
    """Tell what `check_all` does, where what `check_each` finds has been found already.

    Of the deliveries, what `gracethd.check.lots.slim` leaves is enough.
    """
    rest = _between(deliveries, container=container, phase=phase)
    rest += check_traced(deliveries, settings.thresholds, level0=level0)
    if level0 is not None:
        rest.append(level0.findings)
    return _located(deliveries, apply(settings, _once(merge_findings([*found, *rest]))))


def check_tables(
    deliveries: Sequence[Delivery],
    *,
    container: str | None = None,
    phase: str | None = None,
    settings: Settings = SHIPPED,
) -> gpd.GeoDataFrame:
    """Tell what is wrong in the tables of deliveries alone: no network is built, no prise is traced."""
    found = [*check_each(deliveries, settings.thresholds, container=container, phase=phase)]
    found += _between(deliveries, container=container, phase=phase)
    return _located(deliveries, apply(settings, merge_findings(found)))


def check_each(
    deliveries: Sequence[Delivery], limits: Thresholds, *, container: str | None, phase: str | None
) -> Iterator[pd.DataFrame]:
    """Find what the rows of one delivery are enough to tell, whichever are looked at with it."""
    for batch in batches(deliveries):
        yield from _of_batch(batch, limits, container=container, phase=phase)
    grid = grid_column("3", container=container, phase=phase)
    for group in together(deliveries):
        yield group.tell(list(_own_findings(group.delivery, limits, grid)))


def _between(
    deliveries: Sequence[Delivery], *, container: str | None, phase: str | None
) -> list[pd.DataFrame]:
    """Find what the tables of all deliveries tell, and what was found as each was read."""
    found = []
    for delivery in deliveries:
        found += [
            one.assign(delivery=delivery.name) for one in (delivery.findings, *check_versions(delivery))
        ]
    found += [
        findings.assign(delivery=name)
        for name, findings in (*check_foreign_keys(deliveries), *check_across(deliveries))
        if len(findings)
    ]
    found += check_presence(deliveries)
    found += check_required(deliveries, container=container, phase=phase)
    return found


def _once(findings: pd.DataFrame) -> pd.DataFrame:
    """Leave out findings of which another rule tells more, of the same object."""
    for rule, by in TOLD_BY.items():
        told = findings.loc[findings["rule"] == by, ["delivery", "code"]]
        again = pd.MultiIndex.from_frame(findings[["delivery", "code"]]).isin(pd.MultiIndex.from_frame(told))
        findings = findings[~((findings["rule"] == rule) & again)]
    return findings


TOLD_BY = {
    "extremite_inconnue": "cable_sans_extremite",
    "boite_sans_lieu": "ebp_sans_support",
    "boite_isolee": "pbo_sans_cable",
    "noeuds_superposes_livraisons": "lieu_commun",
    "livraisons_contradictoires": "objet_modifie",
}
"""Rules, and the rule that says more of the same object."""


def _located(deliveries: Sequence[Delivery], findings: pd.DataFrame) -> gpd.GeoDataFrame:
    crs = next((delivery.crs for delivery in deliveries if delivery.crs is not None), None)
    shapes = np.full(len(findings), None, dtype=object)
    rows_of = findings.groupby("delivery", sort=False).indices
    for delivery in deliveries:
        if (rows := rows_of.get(delivery.name)) is None:
            continue
        located = locate(delivery, findings.iloc[rows])
        shapes[rows] = (
            located.to_crs(crs) if crs is not None and delivery.crs is not None else located
        ).to_numpy()
    return gpd.GeoDataFrame(findings, geometry=gpd.GeoSeries(shapes, index=findings.index, crs=crs))


def exceeds(findings: pd.DataFrame, severity: Severity) -> bool:
    """Tell whether a finding is of this severity or of a graver one.

    Examples
    --------
    >>> exceeds(pd.DataFrame({"severity": ["mineur"]}), "majeur")
    False
    """
    graver = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return bool(findings["severity"].isin(graver).any())


def summary(findings: pd.DataFrame) -> pd.DataFrame:
    """Count findings by rule, the gravest first.

    Returns
    -------
    DataFrame
        Columns rule, family, severity, n (int64), fr, action; rules without finding left out. Rules that
        other stages add have an empty family.
    """
    counts = findings.groupby(["rule", "severity"], sort=True).size().rename("n").reset_index()
    rank = counts["severity"].map({name: i for i, name in enumerate(SEVERITIES)})
    counts = counts.assign(_rank=rank).sort_values(["_rank", "rule"]).drop(columns="_rank")
    told = counts.merge(RULES[["family", "fr", "action"]], left_on="rule", right_index=True, how="left")
    told[["family", "fr", "action"]] = told[["family", "fr", "action"]].fillna("")
    return told[["rule", "family", "severity", "n", "fr", "action"]].reset_index(drop=True)


def _of_batch(
    batch: Batch, limits: Thresholds, *, container: str | None, phase: str | None
) -> Iterable[pd.DataFrame]:
    """Give the findings that rows of one table are enough to make."""
    yield from check_columns(batch)
    yield from check_filling(batch, container=container, phase=phase)
    yield from check_primary_keys(batch)
    yield from check_unique(batch)
    yield from check_geometry(batch, limits)


def _own_findings(delivery: Delivery, limits: Thresholds, grid: str | None) -> Iterable[pd.DataFrame]:
    """Give the findings that the tables of one delivery make together."""
    delivery = replace(delivery, tables=Remembering(delivery.tables))
    yield from check_abandoned(delivery)
    yield from check_topology(delivery, limits)
    yield from check_trade(delivery, limits)
    if grid:
        yield from check_conditions_elsewhere(delivery, grid)
