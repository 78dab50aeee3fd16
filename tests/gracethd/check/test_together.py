"""Deliveries checked together are told what each is told alone."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from shapely import Point

import gracethd.check
from gracethd.check import check_tables
from gracethd.check import together as module
from gracethd.check.together import READ, together
from gracethd.deliveries import Delivery
from gracethd.model import VERSIONS, attributes
from tests.gracethd.copies import copy_of, tiny
from tests.gracethd.mutations import Tables, in_shape, loop_cable, put

RULE_MODULES = ("civil", "conditions", "keys", "places", "premises", "topology", "trade", "zones")


def last(n: int) -> int:
    return n - 1


def second_cable_away(tables: Tables) -> None:
    put(tables, "t_cable", 1, "cb_nd1", tables["t_cable"]["cb_nd2"].iloc[0])


def node_off_the_earth(tables: Tables) -> None:
    in_shape(tables, "t_noeud", last, Point(1.5e7, 7e6))


def no_node(tables: Tables) -> None:
    tables["t_noeud"] = tables["t_noeud"].iloc[:0]


def all_abandoned(tables: Tables) -> None:
    tables["t_zsro"] = tables["t_zsro"].assign(zs_abddate="2020-01-01")


def a_support_less(tables: Tables) -> None:
    put(tables, "t_ebp", 0, "bp_pt_code", None)


def fibre_of_another_cable(tables: Tables) -> None:
    put(tables, "t_fibre", 0, "fo_cb_code", tables["t_cable"]["cb_code"].iloc[-1])


def other_columns(tables: Tables) -> None:
    tables["t_ebp"] = tables["t_ebp"].drop(columns="bp_pt_code")


SPOILT: list[Callable[[Tables], object]] = [
    second_cable_away, node_off_the_earth, no_node, all_abandoned, a_support_less, fibre_of_another_cable,
    other_columns, lambda tables: loop_cable(tables, "", last),
]  # fmt: skip


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[Delivery]:
    """Give two sound copies of a version 2 delivery, then one for each way to spoil it."""
    sound = tiny(tmp_path_factory.mktemp("tiny") / "network", "2.0.1")
    copies = [replace(sound, name="modèle")]  # the same place, in part the same codes: never one delivery
    copies += [copy_of(sound, number) for number in range(1, len(SPOILT) + 1)]
    for number, spoil in enumerate(SPOILT, start=1):
        tables: Tables = dict(copies[number].tables)
        spoil(tables)
        copies[number] = replace(copies[number], tables=tables)
    return [*copies, replace(copies[1], name="jumeau")]


def test_together_or_alone_deliveries_are_told_the_same(
    deliveries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [len(group.parts) for group in together(deliveries)]
    assert sum(sizes) == len(deliveries)
    assert max(sizes) > 4
    assert sizes.count(1) >= 4  # off the earth, no node, all abandoned, other columns
    found = pd.DataFrame(check_tables(deliveries)).drop(columns="geometry")
    monkeypatch.setattr(module, "AT_ONCE", 1)
    alone = pd.DataFrame(check_tables(deliveries)).drop(columns="geometry")
    pd.testing.assert_frame_equal(found, alone)
    told = found.groupby("delivery")["rule"].agg(set)
    assert "cable_noeud_declare" in told["008"]


def test_all_that_rules_read_is_kept() -> None:
    """The names in the modules of the rules are those put together, keys, or only looked at row by row."""
    model = pd.concat([attributes(version) for version in VERSIONS])
    keys = set(model.loc[(model["primary_key"] == "yes") | (model["foreign_key"] != ""), "attribute"])
    named: set[str] = set()
    for name in RULE_MODULES:
        text = (Path(gracethd.check.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        text = re.sub(r"UNIQUE = \{.*?\n\}", "", text, flags=re.DOTALL)
        named |= set(re.findall(r'"([a-z]{2}_\w+)"', text)) & set(model["attribute"])
    elsewhere = {"or_nom", "st_typelog", "ad_distinf", "cm_avct", "cm_compo", "cm_typ_imp", "lc_proptyp"}
    assert named - keys <= READ
    assert named - keys | elsewhere == READ
