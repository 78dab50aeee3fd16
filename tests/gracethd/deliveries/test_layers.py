"""Shapefiles as exported by many hands: text, shapes and CRS come out right, or one message says why not."""

import math
import struct
from pathlib import Path

import fiona
import geopandas as gpd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, Point

from gracethd.deliveries import Delivery, open_delivery
from gracethd.errors import CRSError, GraceTHDError, SourceError
from tests.draws import draws

LAMBERT = "EPSG:2154"
HERE = Point(667_000, 6_677_000)


def written(
    folder: Path,
    table: str,
    geometry: list[object],
    *,
    crs: str | None = LAMBERT,
    encoding: str = "UTF-8",
    **columns: list[object],
) -> Path:
    """Write a layer by pyogrio; its key column is the table's own."""
    folder.mkdir(exist_ok=True)
    key = {"t_noeud": "nd_code", "t_cableline": "cl_code", "t_cheminement": "cm_code"}[table]
    frame = gpd.GeoDataFrame(
        {key: [f"X{i}" for i in range(len(geometry))], **columns}, geometry=geometry, crs=crs
    )
    frame.to_file(folder / f"{table}.shp", engine="pyogrio", encoding=encoding)
    return folder


def rules(delivery: Delivery) -> list[str]:
    return delivery.findings["rule"].tolist()


def test_types_become_the_shortest_text(tmp_path: Path) -> None:
    schema = {
        "geometry": "Point",
        "properties": {
            "nd_code": "str:20",
            "nd_geolqlt": "float:10.2",
            "nd_abddate": "date",
            "nd_type": "int:4",
        },
    }
    path = tmp_path / "d"
    path.mkdir()
    with fiona.open(path / "t_noeud.shp", "w", driver="ESRI Shapefile", crs=LAMBERT, schema=schema) as sink:
        for code, quality, day, kind in (("ND1 ", 1.0, "2020-09-14", 3), ("ND2", 12.5, None, None)):
            properties = {"nd_code": code, "nd_geolqlt": quality, "nd_abddate": day, "nd_type": kind}
            sink.write(
                {"type": "Feature", "geometry": shapely.geometry.mapping(HERE), "properties": properties}
            )
    noeud = open_delivery(path).tables["t_noeud"]
    assert noeud.drop(columns="geometry").fillna("-").to_numpy().tolist() == [
        ["ND1", "1", "2020-09-14", "3", 1], ["ND2", "12.5", "-", "-", 2],
    ]  # fmt: skip
    assert {str(noeud[name].dtype) for name in ("nd_code", "nd_geolqlt", "nd_abddate", "nd_type")} == {"str"}


def test_logical_fields_of_two_bytes_are_read(demo01: Path) -> None:
    adresse = open_delivery(demo01).tables["t_adresse"]
    assert set(adresse["ad_nat"].dropna()) == {"0"}  # measured: f on every row, two bytes wide in the .dbf


@pytest.mark.parametrize("encoding", ["UTF-8", "CP1252"])
@pytest.mark.parametrize("cpg", ["kept", "removed", "wrong"])
def test_text_is_decoded_whatever_the_cpg_says(tmp_path: Path, encoding: str, cpg: str) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE], encoding=encoding, nd_nom=["Église de Lœuilly"])
    if cpg == "removed":
        (path / "t_noeud.cpg").unlink()
    elif cpg == "wrong":
        (path / "t_noeud.cpg").write_text("CP1252" if encoding == "UTF-8" else "UTF-8")
    delivery = open_delivery(path)
    assert delivery.tables["t_noeud"]["nd_nom"].tolist() == ["Église de Lœuilly"]
    assert rules(delivery) == (["cpg_absent"] if cpg == "removed" else [])


def test_a_character_cut_by_the_field_width_costs_only_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE], nd_nom=["Église 123456789é"])
    dbf = path / "t_noeud.dbf"
    dbf.write_bytes(dbf.read_bytes().replace("9é".encode(), b"9\xc3 "))
    assert open_delivery(path).tables["t_noeud"]["nd_nom"].tolist() == ["Église 123456789"]


def test_null_empty_z_and_multi_geometries(tmp_path: Path) -> None:
    lines = [
        LineString([(0, 0, 5), (1, 0, 5)]), None,
        MultiLineString([[(0, 0, 1), (1, 1, 1)], [(2, 2, 1), (3, 3, 1)]]),
    ]  # fmt: skip
    delivery = open_delivery(written(tmp_path / "d", "t_cableline", lines))
    shapes = delivery.tables["t_cableline"].geometry
    assert shapes.iloc[0].wkt == "LINESTRING (0 0, 1 0)"
    assert shapes.iloc[1] is None
    assert shapes.iloc[2].geom_type == "MultiLineString"
    assert not shapes.has_z.any()
    told = delivery.findings[["rule", "code", "line"]].to_numpy().tolist()
    assert told == [["geometrie_absente", "X1", 2]]


def test_upper_case_names_and_mixed_cases(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE])
    for name, renamed in (
        ("t_noeud.shp", "T_NOEUD.SHP"),
        ("t_noeud.dbf", "T_Noeud.Dbf"),
        ("t_noeud.shx", "t_noeud.SHX"),
    ):
        (path / name).rename(path / renamed)
    assert open_delivery(path).tables["t_noeud"]["nd_code"].tolist() == ["X0"]


def test_one_byte_dbf_is_an_empty_layer(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE])
    (path / "t_zdep.dbf").write_bytes(b"\x1a")
    delivery = open_delivery(path)
    assert len(delivery.tables["t_zdep"]) == 0
    assert isinstance(delivery.tables["t_zdep"], gpd.GeoDataFrame)
    assert delivery.tables["t_zdep"].crs == delivery.crs


def test_esri_prj_is_recognised(tmp_path: Path) -> None:
    for code in (2154, 3942, 3950):
        path = written(tmp_path / f"d{code}", "t_noeud", [HERE])
        (path / "t_noeud.prj").write_text(pyproj.CRS.from_epsg(code).to_wkt("WKT1_ESRI"))
        crs = open_delivery(path).crs
        assert crs is not None
        assert crs.to_epsg() == code


def test_degrees_are_refused_with_the_cure(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [Point(2.4, 47.1)], crs="EPSG:4326")
    with pytest.raises(CRSError, match=r"t_noeud\.prj: EPSG:4326 is in degrees.*EPSG:2154"):
        open_delivery(path)


def test_a_layer_without_prj_takes_the_crs_of_the_others(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE])
    written(path, "t_cableline", [LineString([(0, 0), (1, 1)])])
    (path / "t_cableline.prj").unlink()
    delivery = open_delivery(path)
    assert delivery.tables["t_cableline"].crs == delivery.crs == pyproj.CRS(LAMBERT)
    assert rules(delivery) == ["crs_absent"]
    (path / "t_noeud.prj").unlink()
    with pytest.raises(CRSError, match="no layer of the delivery has a"):
        open_delivery(path)


def test_layers_in_several_crs_go_to_the_most_frequent(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE])
    written(path, "t_cheminement", [LineString([HERE, Point(667_100, 6_677_000)])])
    there = gpd.GeoSeries([HERE, Point(667_100, 6_677_000)], crs=LAMBERT).to_crs("EPSG:3947")
    written(path, "t_cableline", [LineString(list(there))], crs="EPSG:3947")
    delivery = open_delivery(path)
    assert delivery.crs == pyproj.CRS(LAMBERT)
    line = delivery.tables["t_cableline"].geometry.iloc[0]
    assert shapely.get_point(line, 0).distance(HERE) < 1e-3
    assert rules(delivery) == ["crs_different"]


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
@pytest.mark.parametrize("left", [0, 1, 90, 140])
def test_truncated_files_are_named(tmp_path: Path, part: str, left: int) -> None:
    path = written(tmp_path / "d", "t_cableline", [LineString([(0, i), (1, i), (2, i)]) for i in range(9)])
    file = path / f"t_cableline{part}"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(SourceError, match=rf"t_cableline\{part}"):
        open_delivery(path)


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_missing_parts_are_named(tmp_path: Path, part: str) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE])
    (path / f"t_noeud{part}").unlink()
    with pytest.raises(SourceError, match=rf"t_noeud\{part} is missing"):
        open_delivery(path)


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
def test_another_driver_is_never_reached(tmp_path: Path, part: str) -> None:
    """GDAL opens by content: a virtual layer named .shp could read any file of the machine."""
    path = written(tmp_path / "d", "t_noeud", [HERE])
    secret = tmp_path / "secret.csv"
    secret.write_text("nd_code\nSECRET\n")
    virtual = f'<OGRVRTDataSource><OGRVRTLayer name="t_noeud"><SrcDataSource>{secret}</SrcDataSource>'
    (path / f"t_noeud{part}").write_text(virtual.ljust(2000))
    with pytest.raises(SourceError):
        open_delivery(path)


def test_a_shapefile_that_counts_other_rows_than_its_dbf_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE, HERE])
    other = written(tmp_path / "e", "t_noeud", [HERE])
    (path / "t_noeud.dbf").write_bytes((other / "t_noeud.dbf").read_bytes())
    with pytest.raises(SourceError, match="1 rows for 2 shapes"):
        open_delivery(path)


def test_a_table_delivered_as_dbf_gets_its_full_names_back(tmp_path: Path) -> None:
    path = written(tmp_path / "d", "t_noeud", [HERE])
    schema = {
        "geometry": "None",
        "properties": {"fo_code": "str:20", "fo_code_ex": "str:20", "fo_type": "str:9"},
    }
    with fiona.open(path / "t_fibre.dbf", "w", driver="ESRI Shapefile", schema=schema) as sink:
        sink.write(
            {"geometry": None, "properties": {"fo_code": "FO1", "fo_code_ex": "EXT", "fo_type": "G652"}}
        )
    fibre = open_delivery(path).tables["t_fibre"]
    assert fibre["fo_code_ext"].tolist() == ["EXT"]
    assert "geometry" not in fibre


@settings(max_examples=draws(150))
@given(
    st.sampled_from([".shp", ".shx", ".dbf", ".prj", ".cpg"]),
    st.integers(0, 600),
    st.binary(min_size=1, max_size=6),
)
def test_damaged_bytes_give_a_delivery_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, part: str, offset: int, noise: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("d") / "d", "t_noeud", [HERE, Point(1, 2)], nd_nom=["Église", "x"])
    file = path / f"t_noeud{part}"
    content = bytearray(file.read_bytes())
    content[offset % len(content) : offset % len(content) + len(noise)] = noise
    file.write_bytes(content)
    try:
        delivery = open_delivery(path)
    except GraceTHDError as error:
        assert "t_noeud" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert len(delivery.tables["t_noeud"]) <= 2


@pytest.mark.parametrize("easting", [math.inf, -math.inf, math.nan, 1e300, 3e7])
def test_coordinates_that_no_place_has_leave_the_object_without_place(tmp_path: Path, easting: float) -> None:
    """Two nodes; the easting of the second is put in the .shp as the 8 bytes of its double."""
    written(tmp_path, "t_noeud", [Point(6e5, 7e6), Point(7e5, 7e6)])
    content = (tmp_path / "t_noeud.shp").read_bytes()
    infinite = content.replace(struct.pack("<d", 7e5), struct.pack("<d", easting))
    (tmp_path / "t_noeud.shp").write_bytes(infinite)
    delivery = open_delivery(tmp_path)
    assert delivery.tables["t_noeud"]["geometry"].isna().tolist() == [False, True]
    if not math.isnan(easting):  # GDAL takes such a point for an empty one
        told = delivery.findings.set_index("rule").loc["coordonnees_impossibles"]
        assert told[["table", "code", "line"]].tolist() == ["t_noeud", "X1", 2]
