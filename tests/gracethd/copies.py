"""Copies of one tiny network, each a delivery of its own, so that many spoilt ones cost little more than one.

What a stage costs on a tiny delivery is nearly all fixed: twenty copies read, merged, checked and traced
together take about the time of two. Their codes differ by a prefix and they stand 5 km apart.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import geopandas as gpd
import pandas as pd

from gracethd.check import check_all, traced
from gracethd.check.built import Built, build
from gracethd.check.keys import UNIQUE
from gracethd.check.rules import PRIMARY_KEYS
from gracethd.deliveries import Delivery, open_deliveries
from gracethd.synth import random_area, synthesise, write_synth
from tests.gracethd.mutations import MODEL, Tables

APART_M = 5_000.0
A_ROW = 10
PRISES = 4


def tiny(folder: Path, version: str) -> Delivery:
    """Give a transport and a distribution of 4 prises as one delivery without fault, through real files."""
    write_synth(synthesise(random_area(PRISES, seed=3, version=version), seed=3, faults=0.0), folder)
    opened = [one for one in open_deliveries([folder / "livraisons"]) if one.name != "COLLECTE"]
    tables: Tables = {}
    for name in sorted({name for one in opened for name in one.tables}):
        rows = pd.concat([one.tables[name] for one in opened if name in one.tables], ignore_index=True)
        once = rows.drop_duplicates(list(PRIMARY_KEYS[name])).reset_index(drop=True)
        tables[name] = once.assign(line=range(1, len(once) + 1))
    versions = {name: kind for one in opened for name, kind in one.versions.items()}
    return replace(opened[0], name=version, tables=tables, versions=versions)


def copy_of(delivery: Delivery, number: int) -> Delivery:
    """Give a copy that stands apart, its codes with a prefix of three digits."""
    tables: Tables = {}
    for table, frame in delivery.tables.items():
        names = [name for name in frame.columns if name in _coded(table)]
        copied = frame.assign(**{name: f"{number:03}-" + frame[name] for name in names})
        if isinstance(copied, gpd.GeoDataFrame):
            east, north = number % A_ROW * APART_M, number // A_ROW * APART_M
            copied = copied.set_geometry(copied.geometry.translate(xoff=east, yoff=north))
        tables[table] = copied
    return replace(delivery, name=f"{number:03}", tables=tables)


@cache
def _coded(table: str) -> frozenset[str]:
    """Give the attributes of a table that name an object."""
    model = MODEL[MODEL["table"] == table]
    coded = model.loc[(model["foreign_key"] != "") | (model["primary_key"] == "yes"), "attribute"]
    return frozenset(coded) | frozenset(UNIQUE.get(table, ()))


def walk(deliveries: Sequence[Delivery]) -> tuple[pd.DataFrame, Built]:
    """Walk the whole way as the checks do: give all that is said, and the network that they built.

    Nothing may be refused: a sound copy is among the deliveries.
    """
    caught: list[Built] = []
    with patch.object(
        traced, "build", side_effect=lambda inventory: caught.append(build(inventory)) or caught[-1]
    ):
        findings = pd.DataFrame(check_all(deliveries))
    return findings, caught[0]


def said_of(findings: pd.DataFrame, delivery: str) -> pd.DataFrame:
    """Give what is said of one copy, its prefix taken out."""
    of_it = (findings["delivery"] == delivery) | findings["code"].str.startswith(f"{delivery}-")
    rows = findings.loc[of_it, ["rule", "table", "attribute", "code", "message", "line"]].fillna("")
    plain = {name: rows[name].str.replace(f"{delivery}-", "", regex=False) for name in ("code", "message")}
    return rows.assign(**plain)


def new(said: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Give what is said now and was not before."""
    known = set(before.itertuples(index=False, name=None))
    return said[[row not in known for row in said.itertuples(index=False, name=None)]]
