"""Deliveries come out whole, one by one, named, dated by their content and judged by their columns."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from gracethd.deliveries import Delivery, open_deliveries, open_delivery
from gracethd.errors import SourceError
from gracethd.model import attributes

DEMO01_ROWS = {
    "t_adresse": 16, "t_baie": 8, "t_cab_cond": 12, "t_cable": 49, "t_cableline": 22, "t_cassette": 12,
    "t_cheminement": 25, "t_cond_chem": 27, "t_conduite": 25, "t_docobj": 556, "t_document": 42, "t_ebp": 27,
    "t_empreinte": 3, "t_equipement": 9, "t_fibre": 1051, "t_love": 2, "t_ltech": 2, "t_masque": 38,
    "t_noeud": 27, "t_organisme": 8, "t_position": 43, "t_ptech": 9, "t_reference": 22, "t_ropt": 42,
    "t_siteemission": 1, "t_sitetech": 2, "t_suf": 21, "t_tiroir": 15, "t_zcoax": 1, "t_zdep": 1,
    "t_znro": 1, "t_zpbo": 3, "t_zsro": 1,
}  # fmt: skip
"""Counted by the authors of the reference material, with another tool."""


def same_tables(one: Delivery, other: Delivery) -> bool:
    return list(one.tables) == list(other.tables) and all(
        one.tables[t].equals(other.tables[t]) for t in one.tables
    )


def zipped(folder: Path, path: Path, *, under: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, under + file.name)
    return path


def cables(folder: Path, *codes: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t_cable.csv").write_text("cb_code\n" + "".join(f"{code}\n" for code in codes))
    return folder


def test_demo01_is_read_whole(demo01: Path) -> None:
    delivery = open_delivery(demo01)
    assert {table: len(frame) for table, frame in delivery.tables.items()} == DEMO01_ROWS
    assert set(delivery.versions.values()) == {"2"}
    assert delivery.crs is not None
    assert delivery.crs.to_epsg() == 2154
    assert delivery.findings["rule"].tolist() == ["listes_non_lues"]
    assert delivery.name == "demo01-v2.0.1"
    model = attributes("2.0.1")
    for table, frame in delivery.tables.items():
        of_table = model["table"] == table
        assert set(model.loc[of_table, "attribute"]) - set(frame) <= {"geom"}
        assert {str(frame[name].dtype) for name in frame if name not in ("line", "geometry")} == {"str"}
        assert frame["line"].tolist() == list(range(1, len(frame) + 1))


def test_every_text_of_demo01_is_the_one_of_its_csv(demo01: Path) -> None:
    delivery = open_delivery(demo01)
    for csv in sorted(demo01.glob("t_*.csv")):
        expected = pd.read_csv(csv, sep=";", dtype=str)  # another parser
        expected = expected.apply(lambda column: column.str.strip())
        read = delivery.tables[csv.stem].drop(columns="line")
        pd.testing.assert_frame_equal(read, expected.astype("str"), check_like=True)


def test_the_v3_sample_mixes_versions_by_table(sample_v3: Path) -> None:
    delivery = open_delivery(sample_v3)
    assert len(delivery.tables) == 20
    told = {
        table: delivery.versions.get(table)
        for table in ("t_cable", "t_cab_chem", "t_local", "t_site", "t_noeud")
    }
    assert told == {"t_cable": "3", "t_cab_chem": "3", "t_local": "3", "t_site": "3", "t_noeud": "2"}
    assert delivery.tables["t_love"]["lv_long"].tolist() == ["7", "10"]  # quoted in the file


def test_a_zip_gives_what_its_folder_gives(demo01: Path, tmp_path: Path) -> None:
    folder = open_delivery(demo01)
    archive = zipped(demo01, tmp_path / "demo01-v2.0.1.zip", under="livraison/")
    packed = open_delivery(archive)
    assert same_tables(folder, packed)
    assert packed.name == folder.name
    assert packed.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert packed.size_bytes == archive.stat().st_size
    assert packed.findings.equals(folder.findings)


def test_the_digest_of_a_folder_tells_its_content_not_its_place(demo01_copy: Path, demo01: Path) -> None:
    assert open_delivery(demo01_copy).sha256 == open_delivery(demo01).sha256
    (demo01_copy / "t_love.csv").write_text("lv_id;lv_cb_code\n")
    assert open_delivery(demo01_copy).sha256 != open_delivery(demo01).sha256


def test_reading_writes_nothing_in_the_delivery(demo01_copy: Path) -> None:
    before = {file.name: file.read_bytes() for file in demo01_copy.iterdir()}
    open_delivery(demo01_copy)
    assert {file.name: file.read_bytes() for file in demo01_copy.iterdir()} == before


def test_layers_and_tables_may_stand_in_two_sub_folders(demo01: Path, tmp_path: Path) -> None:
    for file in sorted(demo01.iterdir()):
        target = tmp_path / "demo" / ("CSV" if file.suffix == ".csv" else "SHP")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / file.name.upper())
    assert same_tables(open_delivery(tmp_path / "demo"), open_delivery(demo01))


def test_a_folder_of_deliveries_is_expanded_in_order(tmp_path: Path) -> None:
    root = tmp_path / "livraisons"
    cables(root / "b", "CB2")
    cables(root / "c" / "x", "CB3")
    zipped(cables(tmp_path / "hors", "CB1"), root / "a.zip")
    found = open_deliveries([root])
    assert [delivery.name for delivery in found] == ["a", "b", "c"]
    assert [delivery.tables["t_cable"]["cb_code"][0] for delivery in found] == ["CB1", "CB2", "CB3"]
    with pytest.raises(SourceError, match="holds 3 deliveries"):
        open_delivery(root)


def test_names_are_unique_and_a_path_given_twice_is_read_once(tmp_path: Path) -> None:
    one, two = cables(tmp_path / "lot1" / "SRO_7", "CB1"), cables(tmp_path / "lot2" / "SRO_7", "CB2")
    found = open_deliveries([one, two, one])
    assert [delivery.name for delivery in found] == ["lot1/SRO_7", "lot2/SRO_7"]
    assert all((delivery.findings["delivery"] == delivery.name).all() for delivery in found)


def test_unknown_columns_of_a_known_table_are_listed(tmp_path: Path) -> None:
    (tmp_path / "t_cable.csv").write_text("cb_code;mon_champ\nCB1;x\n")
    delivery = open_delivery(tmp_path)
    assert list(delivery.tables["t_cable"].columns) == ["cb_code", "line"]
    assert delivery.findings["rule"].tolist() == ["attribut_inconnu"]
    assert "mon_champ" in delivery.findings["message"][0]


def test_a_table_of_no_known_version_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t_cable.csv").write_text("id;name\n1;x\n")
    with pytest.raises(SourceError, match="t_cable: unknown version, columns id, name"):
        open_delivery(tmp_path)


@pytest.mark.parametrize("make", ["missing", "file", "empty"])
def test_what_is_no_delivery_is_said_so(tmp_path: Path, make: str) -> None:
    path = tmp_path / "x"
    if make == "file":
        path.write_text("x")
    elif make == "empty":
        path.mkdir()
        (path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match="x: "):
        open_delivery(path)


def test_a_table_twice_beside_another_is_an_error(tmp_path: Path) -> None:
    cables(tmp_path, "CB1")
    cables(tmp_path / "old", "CB1")
    with pytest.raises(SourceError, match="t_cable: two files"):
        open_delivery(tmp_path)


def test_a_pattern_gives_what_it_matches_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a", "c"):
        cables(tmp_path / "livraisons" / name, f"CB{name}")
    assert [d.name for d in open_deliveries([tmp_path / "livraisons" / "[ab]"])] == ["a", "b"]
    monkeypatch.chdir(tmp_path)
    assert [d.name for d in open_deliveries([Path("livr*/*"), tmp_path / "livraisons" / "a"])] == [
        "a",
        "b",
        "c",
    ]
    with pytest.raises(SourceError, match=r"nothing matches this pattern"):
        open_deliveries([tmp_path / "*.zip"])


def test_a_name_with_a_star_that_exists_is_no_pattern(tmp_path: Path) -> None:
    cables(tmp_path / "lot [1]", "CB1")
    assert open_delivery(tmp_path / "lot [1]").name == "lot [1]"
