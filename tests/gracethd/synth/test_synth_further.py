"""Faults of invented areas: each told is there, and an opening in mid-span cuts nobody off."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gracethd.check import check_all
from gracethd.deliveries import open_deliveries, open_delivery
from gracethd.deliveries.write import write_delivery
from gracethd.network import build_network
from gracethd.reading import read
from gracethd.routes import trace_routes
from gracethd.synth import SynthNetwork, random_area, synthesise, write_deliveries
from gracethd.synth.faults import FURTHER_FILE_FAULTS, spoil_files
from gracethd.synth.further import lose_junctions, reuse_code, spoil_further
from gracethd.synth.openings import OPENED, open_in_passage
from gracethd.synth.parts import Part, parts
from gracethd.synth.tables import delivery_tables

RATE = 0.02
Spoilt = list[tuple[Part, dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]]


@pytest.fixture(scope="module")
def drawn() -> SynthNetwork:
    return synthesise(random_area(2000, seed=4), seed=4)


@pytest.fixture(scope="module")
def spoilt(drawn: SynthNetwork) -> Spoilt:
    rows = []
    for rank, part in enumerate(parts(drawn)):
        tables = delivery_tables(drawn, part)
        kept = {name: frame.copy() for name, frame in tables.items()}
        after, faults = spoil_further(tables, part, RATE, np.random.default_rng([9, rank]))
        assert all(frame.equals(tables[name]) for name, frame in kept.items()), "changed in place"
        rows.append((part, tables, after, faults))
    return rows


def told(faults: pd.DataFrame, rule: str) -> set[str]:
    return set(faults.loc[faults["rule"] == rule, "code"])


def test_every_further_fault_occurs(spoilt: Spoilt) -> None:
    assert set(pd.concat([faults for *_, faults in spoilt])["rule"]) == {
        "cable_sans_ligne", "capacite_fibres", "extremite_contradictoire", "extremite_eloignee",
        "geometrie_absente", "noeud_absent", "noeud_de_cheminement_vide", "pbo_interieur_sans_cable",
        "jonction_sans_noeud", "pbo_non_nomme", "position_double", "zone_debordante",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "key", "rule"),
    [("t_cableline", "cl_code", "cable_sans_ligne"), ("t_noeud", "nd_code", "noeud_absent")],
)
def test_rows_left_out_are_those_told(spoilt: Spoilt, table: str, key: str, rule: str) -> None:
    for _, before, after, faults in spoilt:
        gone = set(before[table][key]) - set(after[table][key])
        with_cable = told(faults, "pbo_interieur_sans_cable") and table == "t_cableline"
        assert told(faults, rule) <= gone
        junctions = len(told(faults, "jonction_sans_noeud")) if table == "t_noeud" else 0
        # the cable of the PBO moved indoors, and the nodes of junctions, told by their ways
        assert len(gone - told(faults, rule)) <= bool(with_cable) + junctions


@pytest.mark.parametrize(
    ("table", "key", "attribute", "rule"),
    [
        ("t_cheminement", "cm_code", "cm_ndcode1", "noeud_de_cheminement_vide"),
        ("t_suf", "sf_code", "sf_zp_code", "pbo_non_nomme"),
        ("t_local", "lc_code", "lc_bp_codf", "pbo_non_nomme"),
        ("t_cable", "cb_code", "cb_nd2", "extremite_contradictoire"),
        ("t_cable", "cb_code", "cb_capafo", "capacite_fibres"),
    ],
)
def test_attributes_that_changed_are_those_told(
    spoilt: Spoilt, table: str, key: str, attribute: str, rule: str
) -> None:
    for _, before, after, faults in spoilt:
        if table not in before or attribute not in before[table]:
            continue
        was, now = (tables[table].set_index(key)[attribute] for tables in (before, after))
        now = now[now.index.isin(was.index)]
        changed = now.index[now.astype(str) != was.loc[now.index].astype(str)]
        if attribute == "cm_ndcode1":  # emptied at junctions that were forgotten, too
            gone = set(before["t_noeud"]["nd_code"]) - set(after["t_noeud"]["nd_code"])
            at_lost = (now[changed] == "") & was[changed].isin(gone)
            changed = changed[~at_lost | changed.isin(told(faults, rule))]
        assert set(changed) == told(faults, rule)


def test_shapes_that_changed_are_those_told(spoilt: Spoilt) -> None:
    for part, before, after, faults in spoilt:
        lines = gpd.GeoDataFrame(after["t_cableline"]).set_index("cl_code").geometry
        was = gpd.GeoDataFrame(before["t_cableline"]).set_index("cl_code").geometry.loc[lines.index]
        assert set(lines.index[~lines.geom_equals_exact(was, 0)]) == told(faults, "extremite_eloignee")
        for code in told(faults, "extremite_eloignee") & set(lines.index):
            ends = lines[code].boundary.geoms[1], was[code].boundary.geoms[1]
            assert 19.9 < ends[0].distance(ends[1]) < 60.1
        if "t_cheminement" in after:
            bare = after["t_cheminement"].loc[after["t_cheminement"].geometry.isna(), "cm_code"]
            assert set(bare) == told(faults, "geometrie_absente")
        if part.layer == "DI":
            grown = after["t_zsro"].area.iloc[0] > before["t_zsro"].area.iloc[0]
            assert grown == bool(told(faults, "zone_debordante"))


def test_a_pbo_moved_indoors_stands_in_a_room_of_a_building_that_it_serves(spoilt: Spoilt) -> None:
    seen = set()
    for part, _, after, faults in spoilt:
        for code in told(faults, "pbo_interieur_sans_cable"):
            box = after["t_ebp"].set_index("bp_code").loc[code]
            assert box["bp_pt_code"] == ""
            old = part.version == "2.0.1"
            rooms = after["t_ltech"].set_index("lt_code") if old else after["t_local"].set_index("lc_code")
            building = rooms.loc[
                box["bp_lt_code" if old else "bp_lc_code"], "lt_st_code" if old else "lc_st_code"
            ]
            served = part.addresses.set_index("st_code").loc[building]
            assert part.boxes.loc[served["box"], "bp_code"] == code
            ends = after["t_cable_patch201" if old else "t_cable"]
            assert not (ends["cb_bp2"] == code).any()
            seen.add(part.version)
    assert seen == {"2.0.1", "3.0.1"}


def test_repeated_positions_join_the_same_fibres(spoilt: Spoilt) -> None:
    for _, before, after, faults in spoilt:
        if "t_position" not in before:
            continue
        twice = after["t_position"].set_index("ps_code").loc[sorted(told(faults, "position_double"))]
        once = before["t_position"].set_index("ps_code").loc[[code[:-1] for code in twice.index]]
        assert twice[["ps_1", "ps_2"]].to_numpy().tolist() == once[["ps_1", "ps_2"]].to_numpy().tolist()
        new = set(after["t_position"]["ps_code"]) - set(before["t_position"]["ps_code"])
        assert new == told(faults, "position_double")


def test_an_opening_in_mid_span_cuts_nobody_off(drawn: SynthNetwork, tmp_path: Path) -> None:
    """R ==a== B ==b== C becomes R ==a+b== C, opened at B: the same prises are spliced through."""
    from gracethd.deliveries.write import write_delivery

    n_opened = 0
    for rank, part in enumerate(parts(drawn)):
        sound = delivery_tables(drawn, part)
        opened, faults = open_in_passage(sound, part, RATE, np.random.default_rng([3, rank]))
        assert len(sound["t_cable"]) == len(opened["t_cable"]) + len(faults)
        assert set(faults["rule"]) <= {OPENED}
        assert len(faults) == 0 or part.level == 3
        n_opened += len(faults)
        write_delivery(sound, part.version, tmp_path / "sound" / part.name)
        write_delivery(opened, part.version, tmp_path / "opened" / part.name)
    assert n_opened > 5
    found = []
    for name in ("sound", "opened"):
        inventory = read([tmp_path / name])
        network = build_network(inventory)
        found.append((network, trace_routes(inventory, network)))
    (network, before), (with_openings, after) = found
    columns = ["code", "n", "pbo", "pm", "nro", "traced", "state"]
    assert after.prises[columns].equals(before.prises[columns])
    assert (before.prises["traced"] == "splice").sum() > 500
    n_stops = [
        int((one.stops.groupby("cable")["stop"].nunique() > 2).sum()) for one in (network, with_openings)
    ]
    assert n_stops[1] - n_stops[0] == n_opened


def test_every_delivery_with_a_further_fault_of_form_reads_as_without(
    drawn: SynthNetwork, tmp_path: Path
) -> None:
    from gracethd.deliveries.write import write_delivery

    part = next(part for part in parts(drawn) if part.layer == "DI" and part.level == 3)
    tables = delivery_tables(drawn, part)
    write_delivery(tables, part.version, tmp_path / "sound")
    sound = open_delivery(tmp_path / "sound")
    for fault in FURTHER_FILE_FAULTS:
        write_delivery(tables, part.version, tmp_path / fault)
        before = {file.name: file.read_bytes() for file in (tmp_path / fault).iterdir()}
        spoil_files(tmp_path / fault, fault)
        assert {file.name: file.read_bytes() for file in (tmp_path / fault).iterdir()} != before
        read_back = open_delivery(tmp_path / fault)
        assert set(read_back.tables) == set(sound.tables)
        for name, frame in sound.tables.items():
            other = read_back.tables[name]
            assert len(other) == len(frame)
            for column in frame.columns.drop(["geometry", "line"], errors="ignore"):
                if column.endswith(("creadat", "datmodi")) or column not in other:
                    continue
                assert other[column].fillna("").tolist() == frame[column].fillna("").tolist(), (fault, column)
            lost = frame.columns.difference(other.columns)
            assert frame[lost].isna().all(axis=None)


def test_a_random_area_tells_all_its_faults_and_announces_the_same(tmp_path: Path) -> None:
    area = random_area(1500, seed=6)
    faults = write_deliveries(synthesise(area, seed=6, faults=0.01), tmp_path)
    assert {OPENED, "typelog_vide", "extremite_eloignee"} <= set(faults["rule"])
    assert set(faults["rule"]) & set(FURTHER_FILE_FAULTS)
    inventory = read([tmp_path])
    routes = trace_routes(inventory, build_network(inventory))
    assert routes.counts["prises_inventoried"] == 1500


def test_junctions_forgotten_and_codes_borne_twice_are_named_by_their_rule(
    drawn: SynthNetwork, tmp_path: Path
) -> None:
    """Each of the two faults alone in sound deliveries: `check` names the rule and the code that was told."""
    faults, rules = [], ("jonction_sans_noeud", "code_deux_lieux", "code_deux_types")
    supports = pd.DataFrame({"pt_code": [], "pt_typephy": []})
    for rank, part in enumerate(parts(drawn)):
        tables, rng = dict(delivery_tables(drawn, part)), np.random.default_rng([11, rank])
        met = list(lose_junctions(tables, part, RATE, rng))
        before, supports = supports, tables.get("t_ptech", supports)
        tables, reused = reuse_code(tables, part, before, 1.0, rng)
        faults += [(part.name, rule, code) for rule, _, _, code in met]
        faults += list(reused[["delivery", "rule", "code"]].itertuples(index=False, name=None))
        write_delivery(tables, part.version, tmp_path / part.name)
    found = check_all(open_deliveries([tmp_path]))
    found = found[found["rule"].isin(rules)]
    found = found.assign(code=found["code"].str.partition("~")[0])  # told by the new code of the second one
    named = set(found[["delivery", "rule", "code"]].itertuples(index=False, name=None))
    assert {rule for _, rule, _ in faults} == set(rules)
    assert named == set(faults)
