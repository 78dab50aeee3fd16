"""Each fault is told by its own rule, on its own object, and by no other; nothing stops the check."""

import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gracethd.check import RULES, check, check_all, check_tables, exceeds, summary
from gracethd.check.keys import foreign_keys
from gracethd.deliveries import Delivery, open_delivery
from gracethd.errors import GraceTHDError
from gracethd.findings import COLUMNS, SEVERITIES
from gracethd.model import PERSONAL, attributes, value_lists
from tests.draws import draws
from tests.gracethd.check.faults import ALSO, FAULTS, KEYS, MAY
from tests.gracethd.check.test_small_tables import SMALL

TESTED_ELSEWHERE = {"versions_melangees", "remplissage", "geometrie_absente"}
ON_NETWORKS = {"reseau", "chaines", "livraisons", "demande"}


@pytest.fixture(scope="session")
def delivery(demo01: Path) -> Delivery:
    return open_delivery(demo01)


@pytest.fixture(scope="session")
def baseline(delivery: Delivery) -> gpd.GeoDataFrame:
    return check(delivery)


@pytest.fixture(scope="session")
def v3(sample_v3: Path) -> Delivery:
    return open_delivery(sample_v3)


@pytest.fixture(scope="session")
def slim(delivery: Delivery) -> Delivery:
    """Give demo01 without what no fault touches, so that each fault is checked in a fraction of a second."""
    idle = ("t_docobj", "t_empreinte", "t_zcoax", "t_zdep", "t_equipement", "t_siteemission", "t_ropt")
    model = attributes("2.0.1")
    joined = set(model.loc[(model["foreign_key"] != "") | (model["primary_key"] != ""), "attribute"])
    kept = joined | {
        "line", "geometry", "cb_modulo", "cb_creadat", "cb_etiquet", "cb_statut", "cb_localis", "cb_typephy",
        "cb_capafo", "cb_typelog", "bp_codeext", "pt_secu", "pt_abddate", "bp_typelog", "st_typelog",
        "fo_numtub", "fo_nintub",
    }  # fmt: skip
    tables = {
        table: frame[[name for name in frame if name in kept]]
        for table, frame in delivery.tables.items()
        if table not in idle
    }
    return replace(delivery, tables=tables)


@pytest.fixture(scope="session")
def slim_baseline(slim: Delivery) -> gpd.GeoDataFrame:
    return check_tables([slim])


def spoiled(delivery: Delivery, rule: str, number: int) -> tuple[Delivery, str | None]:
    tables = {table: frame.copy() for table, frame in delivery.tables.items()}
    code = FAULTS[rule](tables, number)
    return replace(delivery, tables=tables), code


def new_rules(after: pd.DataFrame, before: pd.DataFrame) -> set[str]:
    return set(Counter(after["rule"]) - Counter(before["rule"]))


def test_every_rule_is_tested(delivery: Delivery) -> None:
    """Rules on networks: `test_network_rules`; small tables: `test_small_tables`; reading: its own tests."""
    apart = set(RULES.index[RULES["family"].isin({"lecture", "export"} | ON_NETWORKS)])
    assert set(FAULTS) | set(SMALL) == set(RULES.index) - apart - TESTED_ELSEWHERE
    assert set(KEYS) <= set(delivery.tables)


@pytest.mark.parametrize("rule", sorted(FAULTS))
def test_a_fault_fires_its_rule_alone(slim: Delivery, slim_baseline: pd.DataFrame, rule: str) -> None:
    damaged, code = spoiled(slim, rule, zlib.crc32(rule.encode()))
    after = check_tables([damaged])
    assert new_rules(after, slim_baseline) == {rule} | ALSO.get(rule, set())
    if code is not None:
        assert code in set(after.loc[after["rule"] == rule, "code"])


@settings(max_examples=draws(8), phases=[Phase.generate, Phase.shrink])  # explaining traces every line
@given(st.sampled_from(sorted(FAULTS)), st.integers(0, 10_000))
def test_a_fault_fires_its_rule_on_any_object(
    slim: Delivery, slim_baseline: pd.DataFrame, rule: str, number: int
) -> None:
    damaged, code = spoiled(slim, rule, number)
    after = check_tables([damaged])
    sure = {rule} | ALSO.get(rule, set())
    assert sure <= new_rules(after, slim_baseline) <= sure | MAY.get(rule, set()), (rule, number)
    assert code is None or code in set(after.loc[after["rule"] == rule, "code"])


def test_demo01_breaks_no_key_and_no_list(delivery: Delivery, baseline: pd.DataFrame) -> None:
    """Published: 92 foreign keys without orphan, 95 lists without stray value, no duplicate key."""
    keys = foreign_keys(delivery)
    assert len(keys) == 92
    lists = attributes("2.0.1")
    assert (lists["value_list"] != "").sum() == 95
    assert not set(baseline["rule"]) & {
        "cle_etrangere", "cle_etrangere_annexe", "hors_liste", "cle_double", "cle_vide", "obligatoire_vide",
        "table_referencee_absente",
    }  # fmt: skip


def test_demo01_is_told_its_measured_faults(baseline: pd.DataFrame) -> None:
    """The figures of the reference notes, each measured with another tool."""
    told = baseline.groupby("rule")["code"].agg(set)
    assert told["capacite_depassee"] == {"CB001800300071"}  # one cable with capacity 1 and 2 fibres
    assert "FO180030227101" in told["fibre_positions"]  # degree 5
    assert told["chem_noeud_declare"] == {"CM000180032599"}  # 4 to 11 m off
    assert len(told["ligne_inversee"]) == 6  # of the 22 ways with both nodes
    assert told["prise_non_tracee_adresse_sans_ligne"] == {"AD000180031404"}  # announces 2 and has no row
    assert told["jonction_sans_noeud"] <= {"CM000180032598", "CM000180032599", "CM200180032598"}
    loose = baseline[baseline["rule"].isin(["chem_hors_noeud", "jonction_sans_noeud"])]
    y_point = [shape.distance(gpd.points_from_xy([667531.34], [6677806.30])[0]) for shape in loose.geometry]
    assert max(y_point) < 0.01  # the one Y without a node
    assert "cable_hors_noeud" not in told  # 22 lines end on nodes at 0.000 m


def test_the_v3_sample_is_told_its_known_faults(v3: Delivery) -> None:
    findings = check(v3)
    told = findings.groupby("rule")["code"].agg(list)
    assert told["cle_double"] == ["LC001000000014"]
    assert told["cable_boite_declaree"] == ["CB000180030007", "CB000180030341"]
    assert told["versions_melangees"] == [""]
    assert "hors_liste" not in told
    fibres = set(v3.tables["t_fibre"]["fo_code"])
    ends = v3.tables["t_position"]
    orphans = [row.ps_code for row in ends.itertuples() for end in (row.ps_1, row.ps_2)
               if isinstance(end, str) and end not in fibres]  # fmt: skip
    broken = findings[(findings["rule"] == "cle_etrangere") & (findings["table"] == "t_position")]
    assert sorted(broken["code"]) == sorted(orphans)


def test_keys_resolve_in_any_of_the_deliveries(delivery: Delivery) -> None:
    """Transport and distribution come apart: what one lacks, the other may hold."""
    without = {
        table: frame for table, frame in delivery.tables.items() if table not in ("t_noeud", "t_cable")
    }
    part = replace(delivery, name="reste", tables=without)
    rest = {table: delivery.tables[table] for table in ("t_noeud", "t_cable", "t_organisme", "t_reference")}
    alone, other = check(part), replace(delivery, name="cables", tables=rest)
    assert {"table_absente", "table_referencee_absente"} <= set(alone["rule"])
    both = check_all([part, other])
    assert not set(both["rule"]) & {"table_absente", "table_referencee_absente", "cle_etrangere"}
    assert set(both["delivery"]) <= {"reste", "cables"}


def test_findings_have_the_agreed_columns_and_a_place(delivery: Delivery, baseline: gpd.GeoDataFrame) -> None:
    assert list(baseline.columns) == [*COLUMNS, "geometry"]
    assert baseline.crs == delivery.crs
    assert (baseline["delivery"] == delivery.name).all()
    damaged, _ = spoiled(delivery, "cle_etrangere_annexe", 0)
    found = check(damaged)
    cable = found[found["rule"] == "cle_etrangere_annexe"].iloc[0]
    lines = delivery.tables["t_cableline"]
    assert cable.geometry.equals(lines.geometry[lines["cl_cb_code"] == cable.code].iloc[0])  # type: ignore[attr-defined]
    boxes, _ = spoiled(delivery, "ebp_plusieurs_supports", 0)
    box = check(boxes).query("rule == 'ebp_plusieurs_supports'").iloc[0]
    assert box.geometry.geom_type == "Point"


def test_severities_are_those_of_the_rules(delivery: Delivery, baseline: pd.DataFrame, v3: Delivery) -> None:
    for findings in (baseline, check(v3), delivery.findings):
        assert (findings["severity"].to_numpy() == RULES.loc[findings["rule"], "severity"].to_numpy()).all()
    assert set(RULES["severity"]) <= set(SEVERITIES)
    assert RULES.index.is_unique
    assert (RULES[["fr", "en", "why", "action"]] != "").all(axis=None)


def test_messages_never_tell_a_value(delivery: Delivery) -> None:
    tables = {table: frame.copy() for table, frame in delivery.tables.items()}
    for table, names in PERSONAL.items():
        for name in (name for name in names if name in tables.get(table, ())):
            tables[table][name] = "SECRET" * 60
    tables["t_cable"]["cb_statut"] = "SECRET"
    tables["t_cable"]["cb_capafo"] = "SECRET"
    found = check(replace(delivery, tables=tables))
    assert {"longueur", "hors_liste", "type_nombre"} <= set(found["rule"])
    assert not found["message"].str.contains("SECRET").any()


def test_checking_changes_nothing_and_says_the_same_twice(delivery: Delivery, baseline: pd.DataFrame) -> None:
    before = {table: frame.copy() for table, frame in delivery.tables.items()}
    again = check(delivery)
    assert again.drop(columns="geometry").equals(baseline.drop(columns="geometry"))
    assert all(frame.equals(before[table]) for table, frame in delivery.tables.items())


def test_the_order_of_rows_does_not_matter(delivery: Delivery, baseline: pd.DataFrame) -> None:
    tables = {
        table: frame.sample(frac=1, random_state=1).reset_index(drop=True)
        for table, frame in delivery.tables.items()
    }
    found = check(replace(delivery, tables=tables))
    stable = ~baseline["rule"].isin(["position_double"])  # of two twins, the second in the file is told
    assert found["rule"].tolist() == baseline["rule"].tolist()
    assert found.loc[stable, "code"].tolist() == baseline.loc[stable, "code"].tolist()


@pytest.mark.parametrize("emptied", [False, True])
def test_any_table_may_be_absent_or_empty(delivery: Delivery, emptied: bool) -> None:  # noqa: FBT001 - a case
    """Robustness: half of the tables at a time, in two interleaved halves, then nothing but one."""
    for kept in (lambda i: i % 2 == 0, lambda i: i % 2 == 1, lambda i: i == 3):
        tables = {
            table: frame if kept(i) else frame.iloc[:0]
            for i, (table, frame) in enumerate(delivery.tables.items())
            if kept(i) or emptied
        }
        assert "table_absente" in set(check(replace(delivery, tables=tables))["rule"])


def test_any_column_may_be_absent_or_missing(slim: Delivery, v3: Delivery) -> None:
    """Robustness: tables cut to a third of their columns, and columns wholly missing."""
    for i, one in enumerate((slim, v3, slim)):
        cut = {
            table: frame[[name for j, name in enumerate(frame) if j % 3 == i or name in ("line", "geometry")]]
            for table, frame in one.tables.items()
        }
        assert "attribut_absent" in set(check(replace(one, tables=cut))["rule"])
    blank = {
        table: frame.assign(**{name: pd.Series(np.nan, index=frame.index, dtype=str)
                               for name in frame if name not in ("line", "geometry")})
        for table, frame in slim.tables.items()
    }  # fmt: skip
    assert "cle_vide" in set(check(replace(slim, tables=blank))["rule"])


def test_mixed_versions_are_told(delivery: Delivery) -> None:
    mixed = replace(delivery, versions={**delivery.versions, "t_suf": "3"})
    assert new_rules(check(mixed), check(delivery)) == {"versions_melangees"}


def test_the_grid_of_a_phase_is_asked_only_on_demand(delivery: Delivery, baseline: pd.DataFrame) -> None:
    found = check(delivery, phase="rec")
    assert new_rules(found, baseline) == {"remplissage", "remplissage_conditionnel"}
    model = attributes("2.0.1")
    expected = sum(
        int(delivery.tables[row.table][row.attribute].isna().sum())
        for row in model.itertuples()
        if row.fill_TVX_REC == "O" and row.primary_key != "yes" and row.geometry_type == ""
        and row.mandatory == "F" and row.table in delivery.tables
    )  # fmt: skip
    assert (found["rule"] == "remplissage").sum() == expected > 0
    assert (check(delivery, container="C4")["rule"] == "remplissage").sum() == 0
    with pytest.raises(GraceTHDError, match="phase 'ETE' does not exist; expected one of PRE"):
        check(delivery, phase="ETE")


def test_the_grid_of_a_container_is_asked_of_version_3(v3: Delivery) -> None:
    found = check(v3, container="C4")
    empty = found[found["rule"] == "remplissage"]
    model = attributes("3.0.1").set_index("attribute")
    assert len(empty) > 0
    assert set(model.loc[empty["attribute"].unique(), "container_C4"]) == {"O"}


def test_failing_on_a_severity_counts_the_graver_ones() -> None:
    findings = pd.DataFrame({"severity": ["info", "mineur"]})
    assert [exceeds(findings, severity) for severity in SEVERITIES] == [False, False, True, True]
    assert not exceeds(findings.iloc[:0], "info")


def test_the_summary_counts_by_rule(baseline: pd.DataFrame) -> None:
    told = summary(baseline)
    assert told["n"].sum() == len(baseline)
    assert dict(zip(told["rule"], told["n"], strict=True)) == dict(Counter(baseline["rule"]))
    assert told["severity"].tolist() == sorted(told["severity"], key=SEVERITIES.index)
    assert summary(baseline.iloc[:0]).empty


def test_a_list_code_added_by_the_second_release_is_no_fault(delivery: Delivery) -> None:
    lists = [
        set(value_lists(version).query("list == 'l_bp_type_log'").code) for version in ("2.0.1", "2.0.2")
    ]
    assert "BPI" in lists[1] - lists[0]
    tables = {**delivery.tables, "t_ebp": delivery.tables["t_ebp"].assign(bp_typelog="BPI")}
    assert "hors_liste" not in set(check(replace(delivery, tables=tables))["rule"])
