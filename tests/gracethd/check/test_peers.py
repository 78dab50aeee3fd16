"""Every control of the two public checkers is mapped to a rule of ours, or it is said why not."""

import pytest

from gracethd.check import RULES
from gracethd.check.conditions import conditions
from gracethd.check.keys import UNIQUE
from gracethd.check.model import table_model
from gracethd.check.peers import peer_controls, peer_ids

FOREIGN_KEYS = """
ba_lc_code ba_rf_code cc_cb_code cc_cm_code cb_rf_code cl_cb_code cs_bp_code cs_rf_code cm_ndcode1 cm_ndcode2
bp_lc_code bp_pt_code fo_cb_code lc_bp_codf lc_bp_codp lc_st_code lv_cb_code lv_nd_code ps_1 ps_2 ps_cs_code
ps_ti_code pt_nd_code st_ad_code st_nd_code ti_ba_code ti_rf_code tr_pa1 tr_pa2 zd_nd_code zd_zs_code
zn_lc_code zs_lc_code zs_zn_code
"""
"""Attributes of ctrl_fk; tr_couptyp, which the model gives no target, and zn_nd_code of version 2 apart."""
UNIQUE_OF_PEER = """
cb_codeext bp_codeext em_do_code lc_codeext pa_codeext pa_codtemp pt_codeext pt_nd_code st_nd_code st_codeext
ti_codeext zc_nd_code zd_nd_code zp_bp_code
"""
TABLES = """
t_baie t_cab_chem t_cable t_cableline t_cassette t_cheminement t_ebp t_fibre t_local t_love t_position t_ptech
t_site t_tiroir t_tranchee t_zdep t_znro t_zsro
"""


@pytest.mark.parametrize(("peer", "n"), [("GraceTHD-Check", 691), ("dbt-grace-thd", 768)])
def test_every_control_is_there_once(peer: str, n: int) -> None:
    """Published: 691 = 669 + 7 + 7 + 8; 24 + 283 + 17 + 36 + 64 + 273 + 38 + 13 + 20 = 768."""
    table = peer_controls()
    ids = [one for family in table.loc[table["peer"] == peer, "ids"] for one in peer_ids(family)]
    assert len(ids) == len(set(ids)) == n
    assert [len(peer_ids(family)) for family in table["ids"]] == table["n"].tolist()


def test_ids_met_in_the_catalogue_of_the_peer_are_those_that_we_write_out() -> None:
    known = {
        "ad_x_ban_1_r00011", "ad_geom_1_r00052", "or_code_1_r00053", "rf_code_1_r00076",
        "nd_code_1_r00087", "do_abddate_1_r00650", "od_id_1_r00652", "em_geom_1_r00669",
    }  # fmt: skip
    assert known <= set(peer_ids(peer_controls()["ids"].iloc[0]))


def test_a_control_has_a_rule_of_ours_or_a_reason() -> None:
    table = peer_controls()
    ours = {rule for rules in table["ours"] for rule in rules.split()}
    assert ours <= set(RULES.index)
    assert (table.loc[table["ours"] == "", "note"] != "").all()


def test_keys_uniqueness_and_conditions_of_the_peer_are_checked_attribute_by_attribute() -> None:
    assert set(UNIQUE_OF_PEER.split()) <= {name for names in UNIQUE.values() for name in names}
    targets = {
        attribute: target
        for table in TABLES.split()
        for attribute, target in table_model(table, "3")["foreign_key"].items()
    }
    assert not [name for name in FOREIGN_KEYS.split() if not targets.get(name)]
    mapped = peer_controls().query("ours == 'remplissage_conditionnel'")["ids"]
    assert {one for ids in mapped for one in peer_ids(ids)} == set(
        conditions().query("version == '3'")["peer"]
    )


def test_the_attributes_of_conditions_are_those_of_the_model() -> None:
    for rule in conditions().itertuples():
        model = table_model(str(rule.table), "2" if rule.version == "2" else "3").index
        named = [clause.split()[0] for clause in str(rule.when).split(";") if clause != "pbo outdoors"]
        assert {rule.attribute, *named} <= set(model)
