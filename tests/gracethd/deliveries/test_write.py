"""What a written delivery holds, read back with the peers (pyogrio, csv, zipfile) and with our own reader."""

import csv
import io
import time
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.deliveries import open_delivery
from gracethd.deliveries.write import pack_folder, write_delivery
from gracethd.errors import CRSError, GraceTHDError
from gracethd.model import attributes, table_columns
from tests.draws import draws


def nodes(**columns: object) -> gpd.GeoDataFrame:
    """ND1 ----- ND2, 10 m apart, in Lambert-93."""
    points = shapely.points([[650_000.0, 7_000_000.0], [650_010.0, 7_000_000.0]])
    return gpd.GeoDataFrame({"nd_code": ["ND1", "ND2"], **columns}, geometry=points, crs=2154)


def ways(**columns: object) -> gpd.GeoDataFrame:
    line = shapely.linestrings([[650_000.0, 7_000_000.0], [650_010.0, 7_000_000.0]])
    return gpd.GeoDataFrame({"cm_code": ["CM1"], **columns}, geometry=[line], crs=2154)


def cables(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"cb_code": ["CB1", "CB2"], **columns})


def text_of(folder: Path, name: str) -> str:
    return (folder / name).read_bytes().decode("utf-8")


def test_csv_has_every_attribute_in_model_order_semicolons_and_no_quotes(tmp_path: Path) -> None:
    write_delivery({"t_cable": cables(cb_capafo=[12, None], cb_nd1=["ND1", None])}, "3.0.1", tmp_path / "d")
    lines = text_of(tmp_path / "d", "t_cable.csv").split("\n")
    header = lines[0].split(";")
    assert header == list(table_columns("3.0.1")["t_cable"])
    assert dict(zip(header, lines[1].split(";"), strict=True))["cb_capafo"] == "12"
    assert dict(zip(header, lines[2].split(";"), strict=True))["cb_capafo"] == ""
    assert lines[3] == ""
    assert '"' not in "".join(lines)
    assert "\r" not in "".join(lines)


@pytest.mark.parametrize(("version", "yes", "no"), [("2.0.1", "t", "f"), ("3.0.1", "1", "0")])
def test_booleans_follow_the_version(tmp_path: Path, version: str, yes: str, no: str) -> None:
    table, column = ("t_ltech", "lt_elec") if version == "2.0.1" else ("t_local", "lc_elec")
    key = table_columns(version)[table][0] if version == "2.0.1" else "lc_code"  # type: ignore[index]
    given = [True, "f", None] if version == "2.0.1" else ["1", "0", None]
    write_delivery({table: pd.DataFrame({key: ["1", "2", "3"], column: given})}, version, tmp_path / "d")  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text_of(tmp_path / "d", f"{table}.csv")), delimiter=";"))
    assert [row[column] for row in rows] == [yes, no, ""]


@pytest.mark.parametrize(
    ("given", "day", "moment"),
    [("2021-09-15", "2021-09-15", "2021-09-15 00:00:00"),
     (pd.Timestamp("2021-09-15 07:08:09"), "2021-09-15", "2021-09-15 07:08:09")],
)  # fmt: skip
def test_dates_are_iso(tmp_path: Path, given: object, day: str, moment: str) -> None:
    frame = cables(cb_dateins=[given, None], cb_creadat=[given, None])
    write_delivery({"t_cable": frame}, "2.0.1", tmp_path / "d")
    rows = list(csv.DictReader(io.StringIO(text_of(tmp_path / "d", "t_cable.csv")), delimiter=";"))
    assert [(row["cb_dateins"], row["cb_creadat"]) for row in rows] == [(day, moment), ("", "")]


def test_a_value_with_the_separator_is_quoted_and_read_back(tmp_path: Path) -> None:
    tricky = ['XX;144FO - "TR"', "two\nlines"]
    write_delivery({"t_cable": cables(cb_comment=tricky)}, "2.0.1", tmp_path / "d")
    rows = list(
        csv.DictReader(io.StringIO(text_of(tmp_path / "d", "t_cable.csv"), newline=""), delimiter=";")
    )
    assert [row["cb_comment"] for row in rows] == tricky


@pytest.mark.parametrize("version", ["2.0.1", "3.0.1"])
def test_shapefiles_have_the_types_and_widths_of_the_model(tmp_path: Path, version: str) -> None:
    write_delivery({"t_noeud": nodes(), "t_cheminement": ways()}, version, tmp_path / "d")  # type: ignore[arg-type]
    model = attributes(version)  # type: ignore[arg-type]
    for name in ("t_noeud", "t_cheminement"):
        fields = dbf_fields((tmp_path / "d" / f"{name}.dbf").read_bytes())
        rows = model[(model["table"] == name) & (model["geometry_type"] == "")]
        assert [field[0] for field in fields] == rows["attribute"].tolist()
        for (_, kind, width, decimals), row in zip(fields, rows.itertuples(), strict=True):
            if row.type in {"VARCHAR", "NUMERIC"}:
                expected = number_field(row.length) if row.type == "NUMERIC" else ("C", int(row.length), 0)
            else:
                expected = {
                    "INTEGER": ("N", 11, 0),
                    "BOOLEAN": ("L", 1, 0),
                    "DATE": ("D", 8, 0),
                    "TIMESTAMP": ("C", 29, 0),
                }[row.type]
            assert (kind, width, decimals) == expected, row.attribute


def number_field(length: str) -> tuple[str, int, int]:
    """NUMERIC(6,2) needs 8 characters (-9999.99); without length, 32.10 as the public template."""
    if not length:
        return "N", 32, 10
    precision, scale = (int(part) for part in length.split(","))
    return "N", precision + 2, scale


def dbf_fields(content: bytes) -> list[tuple[str, str, int, int]]:
    """Read field descriptors of a DBF by hand (dBASE III layout: 32 bytes each from byte 32 on)."""
    fields, at = [], 32
    while content[at] != 0x0D:
        name = content[at : at + 11].split(b"\0")[0].decode()
        fields.append((name, chr(content[at + 11]), content[at + 16], content[at + 17]))
        at += 32
    return fields


def test_shapefile_values_crs_and_encoding(tmp_path: Path) -> None:
    frame = ways(
        cm_voie=["Rue de l'Été"],
        cm_long=[10.004],
        cm_fildtec=[True],
        cm_datcons=["2020-02-29"],
        cm_fo_util=[3],
    )
    write_delivery({"t_cheminement": frame}, "2.0.1", tmp_path / "d")
    info = pyogrio.read_info(tmp_path / "d" / "t_cheminement.shp")
    assert info["crs"] == "EPSG:2154"
    assert info["encoding"] == "UTF-8"
    assert text_of(tmp_path / "d", "t_cheminement.cpg").strip() == "UTF-8"
    assert text_of(tmp_path / "d", "t_cheminement.prj").startswith("PROJCS[")
    row = pyogrio.read_dataframe(tmp_path / "d" / "t_cheminement.shp").iloc[0]
    assert (row["cm_voie"], row["cm_long"], bool(row["cm_fildtec"]), row["cm_fo_util"]) == (
        "Rue de l'Été",
        10.0,
        True,
        3,
    )
    assert str(row["cm_datcons"])[:10] == "2020-02-29"
    assert row.geometry.equals_exact(frame.geometry.iloc[0], 0)


def test_multipolygons_and_empty_tables_go_out(tmp_path: Path) -> None:
    squares = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)])
    zone = gpd.GeoDataFrame({"zn_code": ["ZN1"], "zn_nd_code": ["ND1"]}, geometry=[squares], crs=2154)
    write_delivery(
        {"t_znro": zone, "t_zsro": gpd.GeoDataFrame({"zs_code": []}, geometry=[], crs=2154)},
        "2.0.1",
        tmp_path / "d",
    )
    assert pyogrio.read_dataframe(tmp_path / "d" / "t_znro.shp").area.iloc[0] == 2.0
    assert len(pyogrio.read_dataframe(tmp_path / "d" / "t_zsro.shp")) == 0


@pytest.mark.parametrize(
    ("table", "frame", "named"),
    [
        ("t_noeud", nodes(nd_type=["PT", "ABC"]), r"t_noeud\.nd_type, ND2"),
        ("t_noeud", nodes(nd_comment=["é" * 128, "x"]), r"t_noeud\.nd_comment, ND1"),  # 256 bytes of UTF-8
        ("t_cable", cables(cb_capafo=[1, 1.5]), r"t_cable\.cb_capafo, CB2"),
        ("t_cable", cables(cb_capafo=["12", "douze"]), r"t_cable\.cb_capafo, CB2"),
        ("t_cable", cables(cb_dateins=["2020-01-01", "le 3"]), r"t_cable\.cb_dateins, CB2"),
        ("t_conduite", pd.DataFrame({"cd_code": ["CD1"], "cd_long": [1e7]}), r"t_conduite\.cd_long, CD1"),
        ("t_ltech", pd.DataFrame({"lt_code": ["LT1"], "lt_elec": ["peut-être"]}), r"t_ltech\.lt_elec, LT1"),
        ("t_cable", cables(cb_couleur=["1", "2"]), r"t_cable\.cb_couleur: no such attribute"),
        ("t_site", pd.DataFrame({"st_code": ["1"]}), r"t_site: no such table in GraceTHD 2\.0\.1"),
        ("t_noeud", pd.DataFrame({"nd_code": ["ND1"]}), r"t_noeud: this table has geometry"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error_and_nothing_is_written(
    table: str, frame: pd.DataFrame, named: str, tmp_path: Path
) -> None:
    with pytest.raises(GraceTHDError, match=named) as caught:
        write_delivery(
            {"t_organisme": pd.DataFrame({"or_code": ["1"]}), table: frame}, "2.0.1", tmp_path / "d.zip"
        )
    assert list(tmp_path.iterdir()) == []
    assert not any(
        value in str(caught.value) for value in ("douze", "peut-être", "éé")
    )  # codes, never values


def test_crs_must_be_metric_and_one(tmp_path: Path) -> None:
    with pytest.raises(CRSError, match="EPSG:2154"):
        write_delivery({"t_noeud": nodes().to_crs(4326)}, "2.0.1", tmp_path / "d")
    with pytest.raises(CRSError, match="EPSG:2154"):
        write_delivery({"t_noeud": nodes().set_crs(None, allow_override=True)}, "2.0.1", tmp_path / "d")
    with pytest.raises(CRSError, match="t_noeud: another CRS"):
        write_delivery({"t_noeud": nodes(), "t_cheminement": ways().to_crs(3950)}, "2.0.1", tmp_path / "d")


def test_archives_are_the_same_bytes_on_another_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = []
    for name in ("a", "b"):
        write_delivery({"t_noeud": nodes(), "t_cable": cables()}, "2.0.1", tmp_path / f"{name}.zip")
        sums.append(sha256((tmp_path / f"{name}.zip").read_bytes()).hexdigest())
        monkeypatch.setattr(time, "time", lambda: 4e9)
    assert sums[0] == sums[1]
    with ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("t_noeud.dbf")[1:4] == bytes((80, 1, 1))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1577836800")  # 2020-01-01
    write_delivery({"t_noeud": nodes()}, "2.0.1", tmp_path / "c.zip")
    with ZipFile(tmp_path / "c.zip") as archive:
        assert archive.infolist()[0].date_time == (2020, 1, 1, 0, 0, 0)
        assert archive.read("t_noeud.dbf")[1:4] == bytes((120, 1, 1))


def test_files_are_for_their_owner_and_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    write_delivery({"t_cable": cables()}, "2.0.1", tmp_path / "d.zip")
    write_delivery({"t_cable": cables()}, "2.0.1", tmp_path / "d")
    assert (tmp_path / "d.zip").stat().st_mode & 0o077 == 0
    assert (tmp_path / "d").stat().st_mode & 0o077 == 0
    with pytest.raises(GraceTHDError, match="not empty"):
        write_delivery({"t_cable": cables()}, "2.0.1", tmp_path / "d")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.zip"]


def test_packing_keeps_the_tree(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "b.csv").write_text("b")
    (tmp_path / "in" / "a.csv").write_text("a")
    pack_folder(tmp_path / "in", tmp_path / "out.zip")
    with ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["a.csv", "sub/b.csv"]


def test_inputs_are_left_as_they_are(tmp_path: Path) -> None:
    tables = {"t_noeud": nodes(nd_comment=[None, "x"]), "t_cable": cables(cb_capafo=["12", None])}
    kept = {name: frame.copy() for name, frame in tables.items()}
    write_delivery(tables, "2.0.1", tmp_path / "d")
    assert all(tables[name].equals(frame) for name, frame in kept.items())


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40).map(
    str.strip
)


@settings(max_examples=draws(30))
@given(
    comments=st.lists(TEXT, min_size=1, max_size=6),
    numbers=st.lists(st.integers(-(10**9), 10**9), min_size=6, max_size=6),
    lengths=st.lists(st.integers(-(10**7), 10**7), min_size=6, max_size=6),
)
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, comments: list[str], numbers: list[int], lengths: list[int]
) -> None:
    n = len(comments)
    frame = pd.DataFrame(
        {
            "cb_code": [f"CB{k}" for k in range(n)],
            "cb_comment": comments,
            "cb_capafo": numbers[:n],
            "cb_lgreel": [length / 1000 for length in lengths[:n]],
        }
    )
    path = tmp_path_factory.mktemp("w") / "d.zip"
    write_delivery({"t_cable": frame, "t_noeud": nodes(nd_comment=comments[0])}, "2.0.1", path)
    delivery = open_delivery(path)
    read = delivery.tables["t_cable"]
    assert read["cb_comment"].fillna("").tolist() == comments
    assert read["cb_capafo"].astype(int).tolist() == numbers[:n]
    assert read["cb_lgreel"].astype(float).tolist() == [length / 1000 for length in lengths[:n]]
    assert delivery.tables["t_noeud"]["nd_comment"].fillna("").tolist() == [comments[0]] * 2
