"""Each fault told is there, and nothing else has changed."""

from pathlib import Path
from zipfile import ZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gracethd.synth import SynthNetwork, synthesise, write_deliveries
from gracethd.synth.faults import FILE_FAULTS, spoil_files, spoil_tables
from gracethd.synth.parts import Part

Delivered = list[tuple[Part, dict[str, pd.DataFrame]]]
RATE = 0.02


@pytest.fixture(scope="module")
def spoilt(
    example_tables: Delivered,
) -> list[tuple[Part, dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]]:
    rows = []
    for rank, (part, tables) in enumerate(example_tables):
        kept = {name: frame.copy() for name, frame in tables.items()}
        after, faults = spoil_tables(tables, part, RATE, np.random.default_rng([9, rank]))
        for name, frame in kept.items():
            assert frame.equals(tables[name]), f"{name} was changed in place"
        rows.append((part, tables, after, faults))
    return rows


def codes(faults: pd.DataFrame, rule: str) -> set[str]:
    return set(faults.loc[faults["rule"] == rule, "code"])


def test_every_kind_of_row_fault_occurs(spoilt: list) -> None:
    every = pd.concat([faults for *_, faults in spoilt])
    assert set(every["rule"]) == {
        "adresse_sans_ligne", "cle_double", "code_orphelin", "lien_absent", "ligne_abandonnee",
        "ligne_inversee", "noeud_geometrie", "noeud_manquant", "pbo_sans_cable", "typelog_vide",
    }  # fmt: skip
    assert set(every["delivery"]) <= {part.name for part, *_ in spoilt}


def test_rate_is_about_the_one_asked(spoilt: list) -> None:
    cables = sum(len(before["t_cable"]) for _, before, _, _ in spoilt)
    blanked = sum((faults["rule"] == "typelog_vide").sum() for *_, faults in spoilt)
    assert RATE * 0.9 < blanked / cables < RATE * 1.1


def test_blanked_attributes_are_blank_and_no_other(spoilt: list) -> None:
    for _, before, after, faults in spoilt:
        for attribute, rule in (
            ("cb_nd1", "noeud_manquant"),
            ("cb_nd2", "noeud_manquant"),
            ("cb_typelog", "typelog_vide"),
        ):
            told = set(faults.loc[(faults["rule"] == rule) & (faults["attribute"] == attribute), "code"])
            found = after["t_cable"]
            assert set(found.loc[found[attribute] == "", "cb_code"]) == told
            same = found[found[attribute] != ""].set_index("cb_code")[attribute]
            assert same.equals(before["t_cable"].set_index("cb_code")[attribute].loc[same.index])


def test_reversed_lines_run_the_other_way_and_no_other(spoilt: list) -> None:
    for _, before, after, faults in spoilt:
        was = gpd.GeoSeries(before["t_cableline"].set_index("cl_code").geometry)
        now = gpd.GeoSeries(after["t_cableline"].set_index("cl_code").geometry)
        told = codes(faults, "ligne_inversee")
        turned = ~now.geom_equals_exact(was.loc[now.index], 0)
        assert set(now.index[turned]) == told
        assert now[turned].reverse().geom_equals_exact(was.loc[now.index[turned]], 0).all()


def test_wrong_ends_disagree_with_geometry(spoilt: list) -> None:
    for _, before, after, faults in spoilt:
        if "t_cheminement" not in before:
            continue
        was = before["t_cheminement"].set_index("cm_code")["cm_ndcode2"]
        now = after["t_cheminement"].set_index("cm_code")["cm_ndcode2"]
        assert set(now.index[now != was.loc[now.index]]) == codes(faults, "noeud_geometrie")


def test_lost_and_dangling_links(spoilt: list) -> None:
    for part, before, after, faults in spoilt:
        table = "t_cab_cond" if part.version == "2.0.1" else "t_cab_chem"
        if table not in before:
            continue
        gone = len(before[table]) - len(after[table]) + (faults["rule"] == "code_orphelin").sum()
        dropped = set(before["t_cable"]["cb_code"]) - set(after["t_cable"]["cb_code"])
        by_drop = before[table]["cc_cb_code"].isin(dropped).sum()
        assert gone == (faults["rule"] == "lien_absent").sum() + by_drop
        assert (after[table].iloc[:, 1] == "INCONNU0001").sum() == (faults["rule"] == "code_orphelin").sum()


def test_premises_lost_stay_announced_and_the_total_does_not_move(spoilt: list) -> None:
    for part, _, after, faults in spoilt:
        if part.layer != "DI":
            continue
        table, key = ("t_suf", "sf_code") if part.version == "2.0.1" else ("t_local", "lc_code")
        rows = after[table]
        gone = rows["sf_abddate"].notna() if table == "t_suf" else rows["lc_abandon"] == "1"
        assert set(rows.loc[gone, key]) == codes(faults, "ligne_abandonnee")
        alive = rows.loc[~gone, key]
        assert set(alive[alive.duplicated()]) == codes(faults, "cle_double")
        lost = set(part.premises["code"]) - set(alive)
        assert lost == codes(faults, "adresse_sans_ligne")
        announced = (
            after["t_adresse"][["ad_nblhab" if table == "t_suf" else "ad_nblres", "ad_nblpro"]].sum().sum()
        )
        assert announced == len(part.premises)
        assert not set(after["t_ebp"]["bp_code"]) & {"BP" + code[2:] for code in lost}


def test_a_detached_pbo_has_no_cable_but_its_drops(spoilt: list) -> None:
    for _, before, after, faults in spoilt:
        for box in codes(faults, "pbo_sans_cable"):
            ends = "t_cable_patch201" if "t_cable_patch201" in after else "t_cable"
            assert (before[ends]["cb_bp2"] == box).sum() == 1
            assert not (after[ends]["cb_bp2"] == box).any()
            left = set(after["t_cable"]["cb_code"])
            for name, attribute in (("t_cableline", "cl_cb_code"), ("t_fibre", "fo_cb_code")):
                if name in after:
                    assert set(after[name][attribute]) <= left


def test_no_fault_is_put_in_at_rate_zero(example_tables: Delivered) -> None:
    part, tables = example_tables[1]
    after, faults = spoil_tables(tables, part, 0.0, np.random.default_rng(1))
    assert faults.empty
    assert all(after[name].equals(frame) for name, frame in tables.items())


@pytest.mark.parametrize("fault", FILE_FAULTS[:-1])
def test_faults_of_form(fault: str, tmp_path: Path) -> None:
    text = "or_code;or_nom;or_creadat\n1;RÉSEAU;2021-09-15 12:00:00\n2;B;2020-02-01\n"
    (tmp_path / "t_organisme.csv").write_text(text, encoding="utf-8")
    (tmp_path / "t_noeud.cpg").write_text("UTF-8")
    spoil_files(tmp_path, fault)
    found = (tmp_path / "t_organisme.csv").read_bytes()
    expected = {
        "csv_cp1252": text.encode("cp1252"),
        "bom_crlf": text.replace("\n", "\r\n").encode("utf-8-sig"),
        "dates_jour_mois": text.replace("2021-09-15 12:00:00", "15/09/2021 12:00")
        .replace("2020-02-01", "01/02/2020")
        .encode(),
    }
    assert found == expected.get(fault, text.encode())
    assert (tmp_path / "t_noeud.cpg").exists() == (fault != "cpg_absent")
    empty = tmp_path / "t_zdep.dbf"
    assert (len(empty.read_bytes()) == 1 if empty.exists() else 0) == (fault == "dbf_un_octet")


def test_all_forms_come_in_turn_in_the_archives(small: SynthNetwork, tmp_path: Path) -> None:
    faulty = synthesise(small.area, seed=3, faults=0.01)  # at 1 % every delivery has a fault of form
    told = write_deliveries(faulty, tmp_path)
    forms = told[told["rule"].isin(FILE_FAULTS)]
    assert set(forms["rule"]) == set(FILE_FAULTS)
    assert set(forms["delivery"]) == {path.stem for path in tmp_path.glob("*.zip")}
    for name, fault in zip(forms["delivery"], forms["rule"], strict=True):
        with ZipFile(tmp_path / f"{name}.zip") as archive:
            names = archive.namelist()
            cable = archive.read("t_cable.csv")
        assert ("t_zdep.dbf" in names) == (fault == "dbf_un_octet")
        assert any(file.endswith(".cpg") for file in names) == (fault != "cpg_absent")
        assert (b'"CB' in cable and b";" in cable) == (fault == "point_virgule")
        assert cable.startswith(b"\xef\xbb\xbf") == (fault == "bom_crlf")
