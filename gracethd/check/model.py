"""The model that one delivered table is held against, whatever the exact version behind it.

Version 2 tables are held against 2.0.2 (which only adds to 2.0.1, and lengthens), version 3 tables against
3.0.1 (of which 3.1 keeps half): what a newer document allows is not a fault.
"""

from collections import Counter
from functools import cache
from typing import Literal, get_args

import pandas as pd

from gracethd.deliveries.types import Delivery
from gracethd.model import Version, attributes, value_lists

Major = Literal["2", "3"]
MAJORS: tuple[Major, ...] = get_args(Major)
WIDEST: dict[Major, Version] = {"2": "2.0.2", "3": "3.0.1"}
STRICTEST: dict[Major, Version] = {"2": "2.0.1", "3": "3.1"}


def table_major(delivery: Delivery, table: str) -> Major:
    """Tell the version a table is held against: its own, else the most frequent of its delivery."""
    own = delivery.versions.get(table)
    votes = Counter(delivery.versions.values())
    major: Major = "2" if (own or max("32", key=lambda one: votes[one])) == "2" else "3"
    if own is None and table_model(table, major).empty:
        return "3" if major == "2" else "2"
    return major


@cache
def table_model(table: str, major: Major) -> pd.DataFrame:
    """Give the attributes of a table, geometry excluded, indexed by name."""
    model = attributes(WIDEST[major])
    rows = model[(model["table"] == table) & (model["geometry_type"] == "")]
    return rows.set_index("attribute", drop=False)


@cache
def expected_columns(table: str, major: Major) -> frozenset[str]:
    """Give the attributes that every delivery of the table should have, geometry excluded."""
    model = attributes(STRICTEST[major])
    return frozenset(model.loc[(model["table"] == table) & (model["geometry_type"] == ""), "attribute"])


@cache
def mandatory_columns(table: str, major: Major) -> frozenset[str]:
    """Give the attributes that the model requires in every phase; version 3 knows containers only."""
    if major == "3":
        return frozenset()
    model = attributes("2.0.1")
    wanted = (model["table"] == table) & (model["mandatory"] == "O") & (model["primary_key"] == "")
    return frozenset(model.loc[wanted & (model["geometry_type"] == ""), "attribute"])


@cache
def geometry_type(table: str, major: Major) -> str:
    """Give Point, LineString or MultiPolygon; empty for a table without geometry."""
    model = attributes(WIDEST[major])
    kinds = model.loc[(model["table"] == table) & (model["geometry_type"] != ""), "geometry_type"]
    return str(kinds.iloc[0]) if len(kinds) else ""


@cache
def list_codes(name: str, major: Major) -> frozenset[str]:
    """Give the codes of a list in both releases of a version; empty where its codes are not published."""
    known = [value_lists(version) for version in (WIDEST[major], STRICTEST[major])]
    return frozenset[str]().union(*(frame.loc[frame["list"] == name, "code"] for frame in known))
