"""The GeoPackage opens styled, in French, with its mark, and is the same to the byte."""

import shutil
import sqlite3
import stat
import subprocess
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import matplotlib.image
import numpy as np
import pandas as pd
import pyogrio
import pytest

from gracethd.outputs.geopackage import Layer, write_geopackage
from gracethd.outputs.qgis_project import Relation, write_project
from gracethd.outputs.styles import (
    Style,
    coverage_style,
    cut_style,
    depth_style,
    extent_style,
    outline_style,
    plan_style,
    qml,
    rooms_style,
)
from resilience.outputs.layers import RELATIONS, study_groups, study_layers
from resilience.outputs.report import Report
from tests.hostile_text import HOSTILE, SEPARATOR

DAY = date(2026, 3, 1)
STYLES = [
    *[style(kind) for style in (cut_style, depth_style, plan_style) for kind in ("point", "line")],
    rooms_style(), extent_style(), coverage_style(), outline_style(),
]  # fmt: skip


@pytest.fixture
def written(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "resultats.gpkg"
    write_geopackage(study_layers(report), path, recipient=report.recipient, day=report.day)
    return path


def query(path: Path, text: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(text).fetchall()


def test_each_part_is_a_layer_of_one_kind_of_geometry(written: Path) -> None:
    kinds = dict(pyogrio.list_layers(written))
    assert kinds == {
        "plan": "Point", "plan_lignes": "LineString", "series": "Point",
        "series_lignes": "MultiLineString", "spof": "Point", "spof_lignes": "MultiLineString",
        "exposure": "Point", "exposure_lignes": "LineString", "nro_pm": "Point",
        "emprises_aleas": "Polygon", "emprise_cartographiee": "Polygon", "communes": "Polygon",
        "layer_styles": None,
    }  # fmt: skip


def test_rows_and_values_come_back(written: Path, report: Report) -> None:
    spof = gpd.read_file(written, layer="spof")
    assert spof["code"].tolist() == ["NRO1", "CM-A", SEPARATOR]
    assert spof["prises_cut"].tolist() == [5510, 5510, 1200]
    assert set(spof["diffusion"]) == {"DIFFUSION RESTREINTE"}
    assert spof.crs == report.spof.crs
    assert len(gpd.read_file(written, layer="exposure")) == 3  # the wet rows
    lines = gpd.read_file(written, layer="series_lignes")
    assert lines["serie"].tolist()[1] == HOSTILE
    assert lines.length.round().tolist()[2] == 800


def test_the_file_is_a_geopackage_1_2_for_its_owner(written: Path) -> None:
    assert query(written, "PRAGMA user_version") == [(10200,)]
    assert query(written, "PRAGMA integrity_check") == [("ok",)]
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert sorted(p.name for p in written.parent.iterdir()) == ["resultats.gpkg"]


def test_each_layer_says_for_whom_and_when(written: Path, report: Report) -> None:
    for name in ("spof", "plan_lignes", "communes"):
        info = pyogrio.read_info(written, layer=name)
        assert info["layer_metadata"]["DIFFUSION"] == "DIFFUSION RESTREINTE"
        assert info["layer_metadata"]["DESTINATAIRE"] == report.recipient
        assert info["layer_metadata"]["DATE"] == "2026-03-01"
    told = query(written, "SELECT description FROM gpkg_contents WHERE data_type = 'features'")
    assert all("DIFFUSION RESTREINTE" in str(row[0]) and report.recipient in str(row[0]) for row in told)


def test_equal_results_give_equal_bytes_another_day(written: Path, report: Report, tmp_path: Path) -> None:
    time.sleep(1.1)  # the clock's second that SQLite would have written
    again = tmp_path / "again" / "resultats.gpkg"
    write_geopackage(study_layers(report), again, recipient=report.recipient, day=report.day)
    assert again.read_bytes() == written.read_bytes()


def test_inner_dates_follow_the_packager(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    write_geopackage(study_layers(report), tmp_path / "a.gpkg", recipient="", day=report.day)
    assert set(query(tmp_path / "a.gpkg", "SELECT last_change FROM gpkg_contents")) == {
        ("1970-01-02T00:00:00.000Z",)
    }
    assert set(query(tmp_path / "a.gpkg", "SELECT update_time FROM layer_styles")) == {
        ("1970-01-02T00:00:00.000Z",)
    }


def test_fields_have_french_names(written: Path) -> None:
    rows = query(written, "SELECT column_name, title FROM gpkg_data_columns WHERE table_name = 'spof'")
    names = dict(rows)
    assert names["prises_cut"] == "Prises coupées"
    assert set(names) == set(pyogrio.read_info(written, layer="spof")["fields"])
    # each table and name once, as the GeoPackage schema extension demands
    assert query(
        written, "SELECT count(*) - count(DISTINCT table_name || '|' || name) FROM gpkg_data_columns"
    ) == [(0,)]


def test_every_default_style_fits_its_layer(written: Path) -> None:
    rows = query(
        written, "SELECT f_table_name, f_geometry_column, styleQML FROM layer_styles WHERE useAsDefault = 1"
    )
    assert len(rows) == 12
    expected = {"Point": "0", "LineString": "1", "MultiLineString": "1", "Polygon": "2"}
    for name, column, text in rows:
        info = pyogrio.read_info(written, layer=str(name))
        tree = ET.fromstring(str(text))
        renderer = tree.find("renderer-v2")
        assert renderer is not None
        assert column == info["geometry_name"]
        assert renderer.get("attr", "fid") in {*info["fields"], "fid"}
        assert tree.findtext("layerGeometryType") == expected[info["geometry_type"]]
        aliases = [alias.get("field") for alias in tree.iter("alias")]
        assert aliases == ["fid", *info["fields"]]


@pytest.mark.parametrize("style", STYLES)
def test_classes_have_symbols_and_do_not_overlap(style: Style) -> None:
    tree = ET.fromstring(qml(style))
    symbols = {symbol.get("name") for symbol in tree.iter("symbol")}
    assert symbols == {str(i) for i in range(len(style.classes))}
    used = [entry.get("symbol") for tag in ("range", "category") for entry in tree.iter(tag)]
    assert set(used) <= symbols
    ranges = [(float(e.get("lower", "")), float(e.get("upper", ""))) for e in tree.iter("range")]
    assert all(low < high for low, high in ranges)
    assert all(high <= low for (_, high), (low, _) in pairwise(ranges))
    values = [entry.get("value") for entry in tree.iter("category")]
    assert len(values) == len(set(values))


@pytest.mark.parametrize(
    ("prises", "label"),
    [
        (0, "moins de 300"), (299, "moins de 300"), (300, "300 à 999"), (1000, "1 000 à 4 999"),
        (4999, "1 000 à 4 999"), (5000, "5 000 et plus"),
    ],
)  # fmt: skip
def test_every_number_of_prises_has_one_class(prises: int, label: str) -> None:
    found = [entry.label for entry in cut_style("line").classes if entry.lower <= prises <= entry.upper]
    assert found == [label]


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("style", [cut_style("line"), depth_style("line")])
def test_heavier_classes_are_darker_and_thicker(style: Style) -> None:
    tones = [luminance(entry.color) for entry in style.classes]
    sizes = [entry.size for entry in style.classes]
    assert all(a - b > 0.015 for a, b in pairwise(tones))
    assert sizes == sorted(sizes)


def test_an_empty_layer_a_table_and_a_missing_part_are_written(tmp_path: Path, report: Report) -> None:
    layers = [
        Layer("vide", report.series.head(0), "Rien", cut_style("line")),
        Layer("table", pd.DataFrame({"famille": pd.Categorical(["AUTRE"]), "n": [1]}), "Table"),
    ]
    write_geopackage(layers, tmp_path / "a.gpkg", recipient="x", day=DAY)
    assert dict(pyogrio.list_layers(tmp_path / "a.gpkg")) == {
        "vide": "LineString",
        "table": None,
        "layer_styles": None,
    }
    bare = replace(report, plan=None, exposure=None, communes=None, coverage=None)
    assert [layer.name for layer in study_layers(bare)] == [
        "series", "series_lignes", "spof", "spof_lignes", "nro_pm", "emprises_aleas",
    ]  # fmt: skip


def test_a_wrong_style_or_name_is_refused_before_anything_is_written(tmp_path: Path, report: Report) -> None:
    wrong = Layer("communes", report.communes, "Communes", cut_style("line"))
    with pytest.raises(ValueError, match="layer communes: its style uses column prises_cut"):
        write_geopackage([wrong], tmp_path / "a.gpkg", recipient="x", day=DAY)
    twice = [Layer("a", report.series, ""), Layer("a", report.series, "")]
    with pytest.raises(ValueError, match="different names"):
        write_geopackage(twice, tmp_path / "a.gpkg", recipient="x", day=DAY)
    assert list(tmp_path.iterdir()) == []


READ_IN_QGIS = """
import sys
from qgis.core import QgsApplication, QgsVectorLayer
application = QgsApplication([], False); application.initQgis()
for name in sys.argv[2:]:
    layer = QgsVectorLayer(f"{sys.argv[1]}|layername={name}", name, "ogr")
    renderer = layer.renderer()
    print(name, layer.isValid(), renderer.type(), len(renderer.legendSymbolItems()), sep=";")
del renderer, layer  # QGIS crashes on leaving while Python still holds a layer
application.exitQgis()
"""


@pytest.fixture
def qgis(tmp_path: Path) -> Callable[..., str]:
    """Give what runs a script in the Python of QGIS, and gives what it prints."""
    python = shutil.which("python3", path="/usr/bin")
    if (
        python is None
        or subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False).returncode
    ):
        pytest.skip("python3-qgis is not installed on this machine")

    def run(script: str, *words: str) -> str:
        return subprocess.run(
            [python, "-c", script, *words], capture_output=True, text=True, check=True,
            env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        ).stdout  # fmt: skip

    return run


def test_qgis_opens_each_layer_with_its_style(written: Path, qgis: Callable[..., str]) -> None:
    names = ["spof", "series_lignes", "plan", "exposure_lignes", "communes"]
    assert qgis(READ_IN_QGIS, str(written), *names).split() == [
        "spof;True;graduatedSymbol;4", "series_lignes;True;graduatedSymbol;4",
        "plan;True;categorizedSymbol;4",
        "exposure_lignes;True;graduatedSymbol;5", "communes;True;singleSymbol;1",
    ]  # fmt: skip


OPEN_PROJECT = """
import sys
from qgis.core import QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsProject
from qgis.PyQt.QtCore import QSize
application = QgsApplication([], False); application.initQgis()
project = QgsProject.instance()
print(project.read(sys.argv[1]), project.crs().authid(), project.readNumEntry("Paths", "/Absolute", 1)[0])
tree = project.layerTreeRoot()
print([group.name() for group in tree.children()])
for layer in sorted(project.mapLayers().values(), key=lambda layer: layer.id()):
    print(layer.id(), layer.isValid(), layer.renderer().type(), layer.attributeAlias(1) != "", sep=";")
print([(r.id(), r.isValid()) for r in project.relationManager().relations().values()])
shown = [node.layer() for node in tree.findLayers() if node.isVisible()]
settings = QgsMapSettings()
settings.setLayers(shown); settings.setDestinationCrs(project.crs()); settings.setOutputSize(QSize(300, 300))
settings.setExtent(shown[0].extent().buffered(500))
job = QgsMapRendererParallelJob(settings); job.start(); job.waitForFinished()
job.renderedImage().save(sys.argv[2])
del shown, layer, tree, job, settings
project.clear(); application.exitQgis()
"""


def test_qgis_opens_the_project_grouped_styled_and_related(
    report: Report, tmp_path: Path, qgis: Callable[..., str]
) -> None:
    assert report.spof is not None
    layers = study_layers(replace(report, spof=report.spof.assign(serie=["", "CM-A", "CM-C"])))
    write_geopackage(layers, tmp_path / "resultats.gpkg", recipient="r", day=report.day)
    path = tmp_path / "resultats.qgz"
    write_project(
        study_groups(layers), path, "resultats.gpkg", title="Étude", recipient="r", day=report.day,
        relations=[
            *RELATIONS, Relation("sans couche", "absent", "a", "series", "serie"),
            Relation("sans champ", "spof", "absent", "series", "serie"),
        ],
    )  # fmt: skip
    picture = tmp_path / "carte.png"
    told = [line for line in qgis(OPEN_PROJECT, str(path), str(picture)).splitlines() if line]
    assert told[0] == "True EPSG:2154 0"
    assert told[1] == str(["Plan d'actions", "Défaillances", "Aléas", "Fond"])
    drawn = [line.split(";") for line in told[2:-1]]
    assert {row[0] for row in drawn} == {
        f"resilience_{layer.name}" for layer in layers if layer.style is not None and len(layer.frame)
    }
    assert all(row[1] == "True" and row[3] == "True" for row in drawn)
    assert told[-1] == str([("spof_lignes_series", True), ("spof_series", True)])
    pixels = np.unique(matplotlib.image.imread(picture).reshape(-1, 4), axis=0)
    assert len(pixels) > 5  # more than paper: symbols of several colours


def test_a_project_is_a_private_file_of_equal_bytes_without_a_script(report: Report, tmp_path: Path) -> None:
    groups = study_groups(study_layers(report))
    texts = []
    for name in ("a", "b"):
        path = tmp_path / name / "resultats.qgz"
        write_project(groups, path, "resultats.gpkg", title="<É>", recipient="r", day=report.day)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]
    with zipfile.ZipFile(tmp_path / "a" / "resultats.qgz") as archive:
        assert archive.namelist() == ["resultats.qgs"]
        text = archive.read("resultats.qgs").decode("utf-8")
    assert "DIFFUSION RESTREINTE" in text
    assert "Macros" not in text
    assert "http" not in text.partition("\n")[2]
    assert str(tmp_path) not in text
