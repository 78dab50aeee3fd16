"""The optional tables of a study: what is taken, what is refused, and that the message finds the cell."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from resilience.study import load_study
from resilience.tables import SCHEMAS, StudyError, load_tables, read_table
from tests.draws import draws


def csv(tmp_path: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_subscribers_by_pm_or_by_pbo_become_one_column_of_codes(tmp_path: Path) -> None:
    path = csv(tmp_path, "abonnes", "pm,pbo,abonnes\nPM1,,310\n,00012,4\n")
    table = read_table(path, "abonnes")
    assert table.to_dict("list") == {"code": ["PM1", "00012"], "abonnes": [310, 4]}
    assert table["abonnes"].dtype == np.int64


def test_semicolons_decimal_commas_and_cp1252_are_read_as_a_spreadsheet_writes_them(tmp_path: Path) -> None:
    text = "Kind;Code;Hauteur_m;remarque\nsite;ST1;0,45;relevé\nebp;BP1;;\n"
    table = read_table(csv(tmp_path, "equipements", text, "cp1252"), "equipements")
    assert table["hauteur_m"].tolist()[0] == 0.45
    assert np.isnan(table["hauteur_m"].iloc[1])
    assert list(table.columns) == ["kind", "code", "hauteur_m", "autonomie_h", "groupe", "zone_elec"]
    assert table["groupe"].tolist() == ["", ""]


def test_a_workbook_gives_what_the_same_csv_gives(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"code_insee": [1004, 62534], "lot": ["L1", "L2"], "date_fermeture": ["2028-01-31"] * 2}
    )
    rows["date_fermeture"] = pd.to_datetime(rows["date_fermeture"])
    book = tmp_path / "cuivre.xlsx"
    rows.to_excel(book, index=False)
    text = "code_insee,lot,date_fermeture\n01004,L1,2028-01-31\n62534,L2,31/01/2028\n"
    from_csv = read_table(csv(tmp_path, "cuivre", text), "cuivre")
    pd.testing.assert_frame_equal(read_table(book, "cuivre"), from_csv)
    assert from_csv["code_insee"].tolist() == ["01004", "62534"]
    assert from_csv["date_fermeture"].dt.year.tolist() == [2028, 2028]


def test_sites_by_point_or_by_premise(tmp_path: Path) -> None:
    text = "id,type,nom,prise,x,y\nS1,ehpad,,SF1,,\nS2,mairie,Mairie,,650000,7070000\n"
    table = read_table(csv(tmp_path, "sites_sensibles", text), "sites_sensibles")
    assert table["code"].tolist() == ["SF1", ""]
    assert table[["x", "y"]].iloc[1].tolist() == [650_000, 7_070_000]


def test_points_of_a_geopackage_are_brought_to_the_inventory_crs(tmp_path: Path) -> None:
    sites = gpd.GeoDataFrame({"id": ["S1"], "type": ["sdis"]}, geometry=[Point(650_000, 7_070_000)], crs=2154)
    path = tmp_path / "sites.gpkg"
    sites.to_crs(4326).to_file(path, layer="sites_sensibles")
    table = read_table(path, "sites_sensibles", crs="EPSG:2154")
    assert table[["x", "y"]].iloc[0].to_numpy() == pytest.approx([650_000, 7_070_000], abs=1e-3)
    moved = read_table(path, "sites_sensibles", crs="EPSG:3950")
    assert moved[["x", "y"]].iloc[0].to_numpy() == pytest.approx(
        sites.to_crs(3950).get_coordinates().iloc[0].to_numpy(), abs=1e-3
    )


def test_layers_are_reprojected_and_keep_their_geometry(tmp_path: Path) -> None:
    roads = gpd.GeoDataFrame(
        {"nature": ["Route"]}, geometry=[LineString([(650_000, 7_070_000), (650_100, 7_070_000)])], crs=2154
    )
    roads.to_crs(4326).to_file(tmp_path / "routes.gpkg")
    table = read_table(tmp_path / "routes.gpkg", "routes")
    assert isinstance(table, gpd.GeoDataFrame)
    assert table.crs.to_epsg() == 2154
    assert table.length.iloc[0] == pytest.approx(100, abs=1e-3)
    assert table.columns.tolist() == ["highway", "nature", "oneway", "geometry"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("abonnes", "pm,abonnes\nPM1,3.5\n", r"^abonnes \(abonnes\.csv\): line 2, column abonnes: '3\.5', a"),
        ("abonnes", "pm,abonnes\nPM1,\n", r"line 2, column abonnes: a value is needed"),
        ("abonnes", "pm,abonnes\nPM1,-2\n", r"line 2, column abonnes: '-2'"),
        ("abonnes", "pm,abonnes\nPM1,1\nPM1,2\n", r"line 3, column code: 'PM1' stands there twice"),
        ("abonnes", "pm,pbo,abonnes\nPM1,BP1,1\n", r"line 2: pm and pbo are both given; keep one"),
        ("abonnes", "sro,abonnes\nPM1,1\n", r"column code or pm or pbo is missing; found: sro, abonnes"),
        ("sites_sensibles", "id,type,prise\nS1,hopitall,P\n", r"line 2, .*'hopitall', did you mean 'hopital"),
        ("sites_sensibles", "id,type,x,y\nS1,eau,1,\n", r"line 2: code or x and y is needed"),
        ("cuivre", "code_insee,lot,date_fermeture\nX,L,2028-01-31\n", r"column code_insee: '0000X'"),
        ("cuivre", "code_insee,lot,date_fermeture\n62534,L,31/02/2028\n", r"fermeture: '31/02/2028'"),
        ("feeds", "noeud,part\nND1,1.2\n", r"line 2, column part: '1\.2', a share from 0 to 1"),
        ("equipements", "kind,code,hauteur\nsite,S,1\n", r"column hauteur_m is missing; rename 'hauteur'"),
        ("equipements", "kind,code\nnro,S\n", r"column kind: 'nro', known: cable"),
        ("ressources", "type,nombre\nequipes,2\n", r"did you mean 'equipe'"),
        ("feeds", "noeud,part\nND1,0.5,surplus\n", r"rows with too many fields at line 2"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_named_by_table_line_and_column(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        read_table(csv(tmp_path, name, text), name)


def test_the_line_of_a_workbook_is_the_one_the_spreadsheet_shows(tmp_path: Path) -> None:
    pd.DataFrame({"pm": ["A", None, "B"], "abonnes": [1, None, "x"]}).to_excel(
        tmp_path / "a.xlsx", index=False
    )
    with pytest.raises(StudyError, match="line 4, column abonnes: 'x'"):
        read_table(tmp_path / "a.xlsx", "abonnes")


def test_many_faults_are_counted_and_only_the_first_are_shown(tmp_path: Path) -> None:
    text = "pm,abonnes\n" + "".join(f"PM{i},x\n" for i in range(8))
    with pytest.raises(StudyError, match=r"line 6, .* \(and 3 more\)"):
        read_table(csv(tmp_path, "abonnes", text), "abonnes")


def test_a_layer_needs_a_geopackage_a_crs_and_the_right_shapes(tmp_path: Path) -> None:
    square = gpd.GeoDataFrame({"code_insee": ["62534"], "nom": ["Lumbres"]}, geometry=[box(0, 0, 1, 1)])
    with pytest.raises(StudyError, match=r"read from \.gpkg"):
        read_table(csv(tmp_path, "communes", "code_insee,nom\n62534,Lumbres\n"), "communes")
    with pytest.warns(UserWarning, match="crs"):
        square.to_file(tmp_path / "sans.gpkg", driver="GPKG")
    with pytest.raises(StudyError, match="no coordinate reference system"):
        read_table(tmp_path / "sans.gpkg", "communes")
    square.set_geometry([LineString([(0, 0), (1, 1)])]).set_crs(2154).to_file(tmp_path / "lignes.gpkg")
    with pytest.raises(StudyError, match="row 1: a Polygon is needed"):
        read_table(tmp_path / "lignes.gpkg", "communes")


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    for suffix in (".gpkg", ".xlsx"):
        path = tmp_path / f"faux{suffix}"
        path.write_text("rien", encoding="utf-8")
        with pytest.raises(StudyError, match="save"):
            read_table(path, "abonnes")
    with pytest.raises(StudyError, match=r"read from \.csv, \.xlsx, \.gpkg"):
        read_table(tmp_path / "abonnes.ods", "abonnes")


def test_only_the_tables_that_a_study_names_are_there(tmp_path: Path) -> None:
    csv(tmp_path, "abonnes", "pm,abonnes\nPM1,3\n")
    (tmp_path / "z.zip").touch()
    (tmp_path / "relief.tif").touch()
    (tmp_path / "etude.toml").write_text(
        'inventory = ["z.zip"]\n[tables]\nabonnes = "abonnes.csv"\nterrain = "relief.tif"\n', encoding="utf-8"
    )
    study = load_study(tmp_path / "etude.toml")
    assert list(load_tables(study)) == ["abonnes"]
    assert load_tables(replace(study, tables={})) == {}
    assert set(SCHEMAS) | {"terrain"} >= set(study.tables)


CODES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)


@settings(max_examples=draws(100))
@given(
    rows=st.dictionaries(CODES, st.integers(0, 10**9), min_size=1, max_size=5),
    separator=st.sampled_from([",", ";", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_codes_and_counts_come_back_as_they_were_written(
    rows: dict[str, int], separator: str, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("abonnes") / "abonnes.csv"
    written = pd.DataFrame({"pm": list(rows), "abonnes": list(rows.values())})
    written.to_csv(path, sep=separator, index=False, encoding=encoding)
    table = read_table(path, "abonnes")
    assert dict(zip(table["code"], table["abonnes"], strict=True)) == rows
