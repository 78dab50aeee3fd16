"""Deliveries of a synthetic network, judged by the model tables and read back."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from gracethd.deliveries import open_delivery
from gracethd.errors import GraceTHDError
from gracethd.model import attributes, value_lists
from gracethd.synth import SynthNetwork, reference_layers, synthesise, write_deliveries, write_synth
from gracethd.synth.parts import parts
from gracethd.synth.tables import delivery_tables

Delivered = list[tuple[object, dict[str, pd.DataFrame]]]


def merged(example_tables: Delivered, version: str) -> dict[str, pd.DataFrame]:
    """All rows of the deliveries of one version, table by table."""
    names = {name for part, tables in example_tables if part.version == version for name in tables}
    return {
        name: pd.concat([t[name] for part, t in example_tables if part.version == version and name in t])
        for name in sorted(names)
    }


def all_codes(example_tables: Delivered, table: str, attribute: str) -> set[str]:
    found: set[str] = set()
    for _, tables in example_tables:
        if table in tables and attribute in tables[table]:
            found |= set(tables[table][attribute].astype(str))
    return found


V2_OF_V3 = {("t_local", "lc_code"): ("t_ltech", "lt_code"), ("t_site", "st_code"): ("t_sitetech", "st_code")}


@pytest.mark.parametrize("version", ["2.0.1", "3.0.1"])
def test_every_foreign_key_resolves_in_some_delivery(example_tables: Delivered, version: str) -> None:
    model = attributes(version)
    checked = 0
    for row in model[model["foreign_key"] != ""].itertuples():
        given = {
            value
            for part, tables in example_tables
            if part.version == version and row.table in tables and row.attribute in tables[row.table]
            for value in tables[row.table][row.attribute].astype(str)
        } - {""}
        if not given:
            continue
        target = tuple(row.foreign_key.split("."))
        known = all_codes(example_tables, *target)
        for v3, v2 in V2_OF_V3.items():  # a room may be told in the other version by its neighbour
            if target in (v3, v2):
                known |= all_codes(example_tables, *v3) | all_codes(example_tables, *v2)
        assert given <= known, f"{row.table}.{row.attribute}: {sorted(given - known)[:3]}"
        checked += 1
    assert checked > 30


@pytest.mark.parametrize("version", ["2.0.1", "3.0.1"])
def test_listed_values_are_in_their_lists(example_tables: Delivered, version: str) -> None:
    lists = value_lists(version).groupby("list")["code"].agg(set)
    model = attributes(version)
    tables = merged(example_tables, version)
    checked = 0
    for row in model[model["value_list"].isin(lists.index)].itertuples():
        if row.table in tables and row.attribute in tables[row.table]:
            given = set(tables[row.table][row.attribute].astype(str)) - {""}
            assert given <= lists[row.value_list], f"{row.table}.{row.attribute}"
            checked += len(given) > 0
    assert checked > 20


@pytest.mark.parametrize("version", ["2.0.1", "3.0.1"])
def test_mandatory_attributes_are_filled_and_keys_are_unique(example_tables: Delivered, version: str) -> None:
    model = attributes(version)
    excused = {"ps_cs_code", "zs_lgmaxln"}
    for part, tables in example_tables:
        if part.version != version:
            continue
        for name, frame in tables.items():
            rows = model[(model["table"] == name) & (model["geometry_type"] == "")]
            for attribute in rows.loc[rows["mandatory"] == "O", "attribute"]:
                if attribute not in excused:
                    assert attribute in frame, f"{name}.{attribute}"
                    assert (frame[attribute].astype(str) != "").all(), f"{name}.{attribute}"
            key = rows.loc[rows["primary_key"] != "", "attribute"].tolist()
            assert not frame.duplicated(key).any(), name


def premises_by_pbo(example: SynthNetwork, version: str) -> dict[str, set[str]]:
    area = type(example.area)(**{**vars(example.area), "version": version})
    found: dict[str, set[str]] = {}
    network = synthesise(area, seed=1)
    for part in parts(network):
        if part.layer != "DI":
            continue
        tables = delivery_tables(network, part)
        if version == "2.0.1":
            rows = tables["t_suf"].merge(tables["t_zpbo_patch201"], left_on="sf_zp_code", right_on="zp_code")
            pairs = zip(rows["zp_bp_code"], rows["sf_code"], strict=True)
        else:
            rows = tables["t_local"].query("lc_typelog in ['RES', 'PRO']")
            pairs = zip(rows["lc_bp_codf"], rows["lc_code"], strict=True)
        for box, premise in pairs:
            found.setdefault(box, set()).add(premise)
    return found


def test_both_versions_hold_the_same_premises_per_pbo(example: SynthNetwork) -> None:
    v2, v3 = premises_by_pbo(example, "2.0.1"), premises_by_pbo(example, "3.0.1")
    assert v2 == v3
    assert sum(len(group) for group in v2.values()) == len(example.premises)


def test_addresses_announce_their_rows(example_tables: Delivered) -> None:
    for part, tables in example_tables:
        if part.layer != "DI":
            continue
        one, two = ("ad_nblhab", "ad_nblpro") if part.version == "2.0.1" else ("ad_nblres", "ad_nblpro")
        announced = tables["t_adresse"][one] + tables["t_adresse"][two]
        assert announced.sum() == len(part.premises)
        assert (announced >= 1).all()


def test_zones_of_pbo_hold_the_pbo_and_the_addresses_that_they_serve(example_tables: Delivered) -> None:
    seen = 0
    for part, tables in example_tables:
        if "t_zpbo" not in tables:
            continue
        zones = tables["t_zpbo"].merge(tables["t_zpbo_patch201"], on="zp_code").set_index("zp_bp_code")
        served = tables["t_suf"].merge(tables["t_adresse"], left_on="sf_ad_code", right_on="ad_code")
        limits = zones.set_index("zp_code").geometry.loc[served["sf_zp_code"]]
        assert gpd.GeoSeries(limits.to_numpy()).covers(gpd.GeoSeries(served["geometry"].to_numpy())).all()
        assert zones.area.sum() == pytest.approx(part.limits.area.sum(), rel=1e-9)
        places = gpd.GeoDataFrame(tables["t_noeud"]).set_index("nd_code").geometry
        assert zones.covers(places.loc[zones["zp_nd_code"]].set_axis(zones.index)).all()
        seen += 1
    assert seen >= 5


def test_levels_say_which_tables_come_along(example_tables: Delivered) -> None:
    assert {part.level for part, _ in example_tables} == {1, 2, 3}
    assert {part.version for part, _ in example_tables} == {"2.0.1", "3.0.1"}
    for part, tables in example_tables:
        assert ("t_cheminement" in tables) == (part.level >= 2)
        assert ("t_position" in tables) == (part.level == 3)


def test_archives_read_back_as_they_were_written(small: SynthNetwork, tmp_path: Path) -> None:
    faults = write_deliveries(small, tmp_path)
    assert faults.empty
    one_of_each = {(part.layer, part.version, part.level): part for part in parts(small)}
    assert len(one_of_each) >= 5
    for part in one_of_each.values():
        delivery = open_delivery(tmp_path / f"{part.name}.zip")
        expected = delivery_tables(small, part)
        assert set(delivery.tables) == set(expected)
        assert set(delivery.versions.values()) == {part.version[0]}
        assert delivery.crs is not None
        assert delivery.crs.to_epsg() == 2154
        for name, frame in expected.items():
            read = delivery.tables[name]
            assert len(read) == len(frame), name
            for column in frame.columns.drop("geometry", errors="ignore"):
                if column == "zs_actif" or frame[column].dtype.kind == "f":
                    continue  # written as t/f, or with the decimals of the model
                told = ["" if pd.isna(value) else str(value) for value in frame[column]]
                assert read[column].fillna("").tolist() == told, f"{name}.{column}"
            if "geometry" in frame:
                same = gpd.GeoSeries(read.geometry).geom_equals_exact(gpd.GeoSeries(frame.geometry), 1e-6)
                assert same.all() or name.startswith("t_z"), name


SCRIPT = """
import sys
from pathlib import Path
from gracethd.synth import random_area, synthesise, write_synth
write_synth(synthesise(random_area(120, seed=5), seed=5, faults=0.02), Path(sys.argv[1]))
"""


def test_two_runs_give_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    sums = []
    for run, hash_seed in enumerate(("1", "2")):
        folder = tmp_path / str(run)
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], check=True, env=environment)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        sums.append([(file.relative_to(folder), sha256(file.read_bytes()).hexdigest()) for file in files])
    assert sums[0] == sums[1]
    assert {path.name for path, _ in sums[0]} >= {"faults.csv", "feeds.csv", "routes.gpkg", "COLLECTE.zip"}


def test_a_folder_in_use_is_left_alone(small: SynthNetwork, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(GraceTHDError, match="not empty"):
        write_synth(small, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_reference_layers_agree_with_the_network(example: SynthNetwork) -> None:
    layers = reference_layers(example)
    communes = layers["communes"].set_index("code_insee")
    addresses = layers["addresses"]
    assert addresses.groupby("code_insee")["prises"].sum().to_dict() == communes["prises"].to_dict()
    assert addresses["connected"].sum() == example.premises["connected"].sum()
    inside = communes.geometry.loc[addresses["code_insee"]].reset_index(drop=True).covers(addresses.geometry)
    assert inside.all()
    assert communes.area.sum() == pytest.approx(layers["outline"].area.sum(), rel=1e-9)
    assert len(layers["bridges"]) == (example.roads["pont"] != "").sum() > 0
    assert layers["bridges"].intersects(layers["river"].geometry.iloc[0]).all()
    sites = layers["sites"]
    assert sites["kind"].value_counts().to_dict() == {"PM": 15, "NRO": 3, "POP": 2}
    assert sites["prises"].sum() == 7090
    assert (sites.loc[sites["kind"] == "POP", "operateur"] != "").all()
    assert set(layers["routes"].columns) >= {"nature", "importance", "geometry"}
