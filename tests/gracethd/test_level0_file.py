"""A level-0 source is read wherever deliveries are, or its prises are held against theirs."""

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gracethd.check import check_all
from gracethd.cli import app, run_command
from gracethd.deliveries import open_deliveries
from gracethd.errors import CRSError, GraceTHDError, SourceError
from gracethd.level0_file import is_level0, read_level0
from gracethd.reading import read
from resilience.cli import app as resilience

X, Y = 650_000, 7_060_000
IPE = """[level0]
kind = "ipe"
file = "ipe.csv"
crs = "EPSG:2154"
[level0.columns]
address = "Identifiant Imb"
x = "X"
y = "Y"
prises = "Nb_Log"
pm = "RefPM"
"""
ZAPM = '[level0]\nkind = "zapm"\nfile = "zapm.gpkg"\n[level0.columns]\npm = "ref_pm"\nprises = "NB"\n'
Run = Callable[..., str]


@pytest.fixture
def ipe(tmp_path: Path) -> Path:
    """Give an IPE as a spreadsheet of France writes it: PM1 12 + 30 prises, PM2 7, one line without PM."""
    text = (
        "Identifiant Imb;Nb_Log;X;Y;RefPM;Ville\r\n"
        f"IMB/1;12;{X},5;{Y};PM1;Équihen\r\nIMB/2;30;{X + 90};{Y};PM1;Équihen\r\n"
        f"IMB/3;7;{X + 900};{Y};PM2;Équihen\r\nIMB/4;3;{X};{Y};;Équihen\r\n"
    )
    (tmp_path / "ipe.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "niveau0.toml").write_text(IPE, encoding="utf-8")
    return tmp_path / "niveau0.toml"


@pytest.fixture
def zapm(tmp_path: Path) -> Path:
    squares = [shapely.box(X, Y, X + 100, Y + 100), shapely.box(X + 800, Y, X + 950, Y + 100)]
    zones = gpd.GeoDataFrame({"REF_PM": ["PM1", "PM3"], "NB": [40, 5]}, geometry=squares, crs=2154)
    zones.to_file(tmp_path / "zapm.gpkg", layer="Zones", engine="pyogrio")
    (tmp_path / "zones.toml").write_text(ZAPM, encoding="utf-8")
    return tmp_path / "zones.toml"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a function that runs a command, expects its exit code and gives what it printed."""

    def command(*arguments: object, code: int = 0, of: Callable[..., object] = app) -> str:
        monkeypatch.setattr("sys.argv", ["command", *map(str, arguments)])
        assert run_command(of) == code
        told = capsys.readouterr()
        return told.err if code == 2 else told.out

    return command


def test_an_ipe_goes_through_import_info_and_spof(ipe: Path, run: Run, tmp_path: Path) -> None:
    run("import", ipe, "-o", tmp_path / "s.parquet")
    counts = json.loads(run("info", "--json", tmp_path / "s.parquet"))
    assert counts == json.loads(run("info", "--json", ipe))
    assert counts["prises_inventoried"] == counts["prises_traced_zone"] == 12 + 30 + 7
    found = read(tmp_path / "s.parquet").findings.query("rule == 'immeuble_illisible'")
    assert found[["code", "delivery", "line"]].to_numpy().tolist() == [["IMB/4", "niveau0", 4]]
    run("spof", ipe, "--min-prises", 0, "-o", tmp_path / "spof.csv", of=resilience)
    cut = pd.read_csv(tmp_path / "spof.csv").groupby("code")["prises_cut"].max()
    assert cut[["PM1", "PM2"]].tolist() == [42, 7]


def test_zones_are_read_beside_deliveries_and_told_apart_from_studies(
    ipe: Path, zapm: Path, tmp_path: Path
) -> None:
    both = read([ipe, zapm])
    assert set(both["zsro"]["zs_refpm"]) == {"PM1", "PM2", "PM3"}
    assert both.deliveries["delivery"].tolist() == ["niveau0", "zones"]
    assert (both.deliveries["sha256"].str.len() == 64).all()
    (tmp_path / "etude.toml").write_text('inventory = ["livraisons"]')
    assert [is_level0(path) for path in (ipe, zapm, tmp_path / "etude.toml", tmp_path / "ipe.csv")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_a_shapefile_of_zones_takes_its_crs_from_the_description_where_it_tells_none(
    zapm: Path, tmp_path: Path
) -> None:
    gpd.read_file(tmp_path / "zapm.gpkg").to_file(tmp_path / "zapm.shp", engine="pyogrio")
    (tmp_path / "zapm.prj").unlink()
    zapm.write_text(ZAPM.replace(".gpkg", ".shp"))
    with pytest.raises(CRSError, match=r"zapm\.shp: the zones tell no CRS; say level0\.crs in zones\.toml"):
        read_level0(zapm)
    zapm.write_text(ZAPM.replace(".gpkg", '.shp"\ncrs = "EPSG:2154'))
    assert read_level0(zapm).tables["t_adresse"]["ad_nblhab"].tolist() == ["40", "5"]


def test_prises_by_pm_are_findings_of_check(ipe: Path, zapm: Path, run: Run, tmp_path: Path) -> None:
    """Delivered (here the zones): PM1 40, PM3 5. The IPE: PM1 42, PM2 7."""
    found = check_all(open_deliveries([zapm]), level0=read_level0(ipe))
    told = found[found["rule"].isin(["prises_pm_ecart", "pm_absent", "pm_en_trop"])]
    assert sorted(told[["rule", "code", "severity"]].to_numpy().tolist()) == [
        ["pm_absent", "PM2", "majeur"], ["pm_en_trop", "PM3", "majeur"], ["prises_pm_ecart", "PM1", "majeur"],
    ]  # fmt: skip
    assert "40 prises livrées, 42 selon niveau0" in told["message"].tolist()
    assert found.query("rule == 'immeuble_illisible'")["delivery"].tolist() == ["niveau0"]
    printed = run(
        "check", zapm, "--level0", ipe, "-o", tmp_path / "constats.csv", "--fail-on", "majeur", code=1
    )
    assert "prises_pm_ecart" in printed
    assert "prises_pm_ecart" in (tmp_path / "constats.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (('pm = "RefPM"', 'pm = "pm_ref"'), GraceTHDError, r"ipe\.csv: niveau0: no column 'pm_ref' \(pm\)"),
        (('pm = "RefPM"', ""), GraceTHDError, "no column is named for 'pm'"),
        (("ipe.csv", "../absent.csv"), SourceError, "level0.file: .* does not exist"),
        (("ipe.csv", "/vsicurl/http://x/ipe.csv"), SourceError, "is the path of a file"),
        (("EPSG:2154", "EPSG:4326"), CRSError, "in degrees"),
        (("EPSG:2154", "Lambert"), CRSError, "'Lambert' is no coordinate system"),
        (('crs = "EPSG:2154"', ""), CRSError, "level0.crs is needed"),
        (('kind = "ipe"', 'kind = "IPE"'), SourceError, "level0.kind is one of ipe, zapm"),
        (('x = "X"', 'x = "X"\nx_mp = "X"'), SourceError, "columns.x_mp: the columns of ipe are address, x"),
        (('x = "X"', "x = 3"), SourceError, "level0.columns.x: a text between quotes"),
        (('crs = "', 'crss = "a"\ncrs = "'), SourceError, "unknown key level0.crss"),
        (("[level0]", "[level0"), SourceError, "not valid TOML"),
        (("[level0]\n", "[study]\n"), SourceError, "level0|no table"),
        (('"ipe.csv"', '"niveau0.toml"'), SourceError, "an ipe is a .csv"),
    ],
)
def test_what_is_wrong_in_a_description_is_said(
    change: tuple[str, str], error: type[Exception], message: str, ipe: Path
) -> None:
    ipe.write_text(IPE.replace(*change), encoding="utf-8")
    with pytest.raises(error, match=message):
        open_deliveries([ipe])


def test_a_file_of_zones_that_is_none_is_said(zapm: Path, tmp_path: Path) -> None:
    gpd.read_file(tmp_path / "zapm.gpkg").to_file(tmp_path / "zapm.gpkg", layer="autre", engine="pyogrio")
    with pytest.raises(SourceError, match=r"say level0\.layer in zones\.toml, one of Zones, autre"):
        read_level0(zapm)
    zapm.write_text(ZAPM.replace(".gpkg", '.gpkg"\nlayer = "zones'))
    assert len(read_level0(zapm).tables["t_zsro"]) == 2
    (tmp_path / "zapm.gpkg").write_text("<OGRVRTDataSource/>")
    with pytest.raises(SourceError, match="not a GeoPackage"):
        read_level0(zapm)


def test_separators_and_a_description_that_changed_are_seen(ipe: Path) -> None:
    """Commas are read with a finding; another column for the prises is another delivery."""
    first = open_deliveries([ipe])[0]
    csv = ipe.parent / "ipe.csv"
    csv.write_bytes(csv.read_bytes().replace(b",5", b".5").replace(b";", b","))
    second = open_deliveries([ipe])[0]
    assert "csv_separateur" in second.findings["rule"].tolist()
    assert second.tables["t_adresse"].equals(first.tables["t_adresse"])
    ipe.write_text(IPE + 'insee = "Ville"\n', encoding="utf-8")
    third = open_deliveries([ipe])[0]
    assert third.tables["t_adresse"]["ad_insee"].unique().tolist() == ["Équihen"]
    assert len({first.sha256, second.sha256, third.sha256}) == 3
