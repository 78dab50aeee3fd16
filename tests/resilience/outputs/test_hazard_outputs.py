"""Every hazard of a study reaches its readers: tables, map, layers and words, in French and in English."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import get_args

import geopandas as gpd
import pandas as pd
import pytest

from gracethd.outputs.geopackage import write_geopackage
from gracethd.outputs.labels import Language, column_label, value_label
from gracethd.outputs.workbook import Sheet
from resilience.hazards import Hazard, HazardEvent, HazardKind
from resilience.outputs.chapters import chapters, loss_parts
from resilience.outputs.hazard_styles import area_style, exposure_style, extent_limits
from resilience.outputs.hazard_tables import (
    exposure_summary,
    footprints_in_words,
    hazards_in_words,
    hazards_summary,
    unmapped_summary,
)
from resilience.outputs.layers import layer_word, study_layers
from resilience.outputs.page_map import map_layers
from resilience.outputs.report import Report, with_commune_names
from resilience.outputs.sheets import study_sheets

KINDS: tuple[HazardKind, ...] = get_args(HazardKind)
WET: tuple[HazardKind, ...] = ("flood_depth", "flood_level")


def tables_of(report: Report) -> list[Sheet]:
    """Give the sheets that hold a table."""
    return [sheet for sheet in study_sheets(report) if isinstance(sheet, Sheet)]


def test_each_hazard_and_kind_of_asset_has_its_line_even_without_a_frequency(stormy: Report) -> None:
    assert stormy.exposure is not None
    table = exposure_summary(stormy.exposure).set_index(["hazard", "scenario", "kind"])
    assert table.loc[("Vent d'Ouest", "Q50", "cheminement"), "intensity_max"] == 37.5
    clay = table.loc[("argiles", "ExpoArgile", "cheminement")]
    assert (clay["n_assets"], clay["n_wet"], clay["n_dry"], clay["n_unmapped"]) == (2, 1, 0, 1)
    assert (clay["wet_km"], clay["length_km"], clay["unmapped_km"]) == (0.8, 3.3, 1.0)
    assert clay["intensity_unit"] == "classe"
    assert table.loc[("crue", "Q100", "local"), "n_unmapped"] == 1


def test_an_observed_flood_is_told_in_a_sentence(stormy: Report) -> None:
    """PM1 stands in it, PM2 is not mapped; floods with a period and other hazards have no sentence."""
    assert stormy.exposure is not None
    summary = exposure_summary(stormy.exposure)
    assert footprints_in_words(stormy.exposure, summary, "en") == [
        "'crue vue', observé: 1 rooms, 0 closures and 0 chambers or poles touched, and 0.0 km of ways."
    ]
    text = next(chapter for chapter in chapters(stormy) if chapter.id == "exposition").text
    assert any(line.startswith("« crue vue », observé : 1 locaux") for line in text)


def test_a_commune_is_told_at_its_least_mapped_event_and_a_whole_one_is_not(report: Report) -> None:
    assert report.unmapped is not None
    table = unmapped_summary(report.unmapped, report.communes)
    assert table.to_dict("records") == [
        {
            "hazard": "crue", "code_insee": "62292", "commune": "Elnes", "n_objets": 2,
            "n_non_cartographies": 1, "length_km": 2.0, "unmapped_km": 0.5, "unmapped_share": 0.25,
        }
    ]  # fmt: skip


def test_a_commune_with_points_only_has_the_share_of_its_points(report: Report) -> None:
    assert report.unmapped is not None
    points = report.unmapped.assign(length_m=0.0, unmapped_m=0.0)
    assert unmapped_summary(points)["unmapped_share"].tolist() == [0.5]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_hazard_says_what_comes_of_it(stormy: Report, language: Language) -> None:
    assert stormy.exposure is not None
    path = Path("x.gpkg")
    hazards = [
        Hazard(
            "crue",
            "flood_depth",
            "m",
            Path("emprise.gpkg"),
            (HazardEvent(20.0, path), HazardEvent(100.0, path)),
        ),
        Hazard("argiles", "clay", "classe", "valid", (HazardEvent(nan, path, "ExpoArgile"),)),
        Hazard("crue vue", "flood_extent", "présence", "valid", (HazardEvent(nan, path, "observé"),)),
        Hazard("bois", "woods", "présence", "valid", (HazardEvent(nan, path, "bois"),)),
    ]
    assert stormy.loss is not None
    clay = stormy.loss.iloc[[1]].assign(cause="clay", prises_h_per_year_central=55.0)
    loss = pd.concat([stormy.loss, clay])
    table = hazards_in_words(hazards_summary(hazards, stormy.exposure, loss), language).set_index("hazard")
    assert "NRO" in table.loc["crue", "effect"]
    years = {"fr": "20 ans, 100 ans", "en": "20 years, 100 years"}[language]
    assert table.loc["crue", ["events", "coverage"]].tolist() == [years, "emprise.gpkg"]
    assert table.loc["crue", "prises_h_per_year_central"] == 1020.0
    assert table.loc["crue", ["n_wet", "n_unmapped"]].tolist() == [2, 1]
    assert table.loc["argiles", "prises_h_per_year_central"] == 55.0
    assert pd.isna(table.loc["crue vue", "prises_h_per_year_central"])
    begin = {
        "fr": ("part de la perte annuelle : nro", "taux", "défaillances par événement", "exposition seule"),
        "en": ("part of the annual loss: nro", "a rate", "failures by event", "exposure only"),
    }[language]
    assert [effect.lower().startswith(word) for effect, word in zip(table["effect"], begin, strict=True)] == [
        True
    ] * 4


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_hazard_is_a_group_of_the_map_with_legend_and_switch(stormy: Report, language: Language) -> None:
    layers = map_layers(replace(stormy, language=language))
    groups = {str(layer["group"]) for layer in layers} - {""}
    assert groups == {"crue", "Vent d'Ouest", "argiles", "crue vue"}
    for name in groups:
        parts = {str(layer["id"]).split("-")[0] for layer in layers if layer["group"] == name}
        assert parts == {"coverage", "extent", "exposure"}, name
    shown = [layer["id"] for layer in layers if layer["group"] and layer["visible"]]
    assert shown == ["coverage-crue", "extent-crue-100"]
    clay = next(layer for layer in layers if layer["id"] == "extent-argiles-ExpoArgile")
    words = {"fr": ["faible (1)", "fort (3)"], "en": ["low (1)", "high (3)"]}[language]
    assert [entry["label"] for entry in clay["classes"]] == words  # type: ignore[attr-defined]
    wind = next(layer for layer in layers if layer["id"] == "exposure-Vent d'Ouest-50")
    assert wind["title"] == {"fr": "Ouvrages touchés, 50 ans", "en": "Assets touched, 50 years"}[language]
    assert wind["attribute"] == "intensity_max"


def test_each_hazard_has_its_layers_in_the_geopackage(stormy: Report, tmp_path: Path) -> None:
    path = tmp_path / "r.gpkg"
    write_geopackage(study_layers(stormy), path, recipient="x", day=stormy.day)
    with closing(sqlite3.connect(path)) as database:
        names = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
        styled = {name for (name,) in database.execute("SELECT f_table_name FROM layer_styles")}
    own = {
        "exposure", "exposure_lignes", "exposure_vent_d_ouest", "exposure_vent_d_ouest_lignes",
        "exposure_argiles", "exposure_argiles_lignes", "exposure_crue_vue", "emprises_aleas",
        "emprise_vent_d_ouest", "emprise_argiles", "emprise_crue_vue", "emprise_cartographiee",
    }  # fmt: skip
    assert own <= names
    assert own <= styled
    wind = gpd.read_file(path, layer="exposure_vent_d_ouest_lignes")
    assert wind["intensity_max"].tolist() == [28.0, 37.5]
    assert set(gpd.read_file(path, layer="exposure")["hazard"]) == {"crue"}


def test_two_hazards_of_one_word_have_two_layers(stormy: Report) -> None:
    assert stormy.exposure is not None
    twin = stormy.exposure.assign(hazard=stormy.exposure["hazard"].replace("argiles", "vent d'ouest"))
    names = [layer.name for layer in study_layers(replace(stormy, exposure=twin))]
    assert {"exposure_vent_d_ouest", "exposure_vent_d_ouest_2"} <= set(names)
    assert len(names) == len(set(names))
    assert layer_word("'; DROP TABLE x --") == "drop_table_x"
    assert layer_word("水") == "alea"


def test_the_workbook_is_french_whatever_the_page_is(report: Report) -> None:
    sheets = {sheet.name: sheet.frame for sheet in tables_of(replace(report, language="en"))}
    assert sheets["Aléas"]["events"].tolist() == ["20 ans, 100 ans"]
    assert sheets["Aléas"]["effect"].iloc[0].startswith("part de la perte annuelle")


def test_a_hazard_that_comes_with_another_says_so(report: Report) -> None:
    assert report.hazards is not None
    words = hazards_in_words(report.hazards.assign(together="crue de la Lys"), "fr")
    assert words["effect"].iloc[0].endswith("; compté avec « crue de la Lys »")


def test_the_parts_of_the_loss_are_sheets_and_tables_of_the_page(report: Report) -> None:
    sheets = {sheet.name: sheet.frame for sheet in tables_of(report)}
    assert sheets["Pertes communes"]["commune"].tolist() == ["Elnes", "Lumbres"]
    assert sheets["Conventions"]["linear"].tolist() == [1100.0]
    assert sheets["Non cartographié"]["unmapped_km"].tolist() == [0.5]
    loss = next(chapter for chapter in chapters(with_commune_names(report)) if chapter.id == "perte")
    assert [table.id for table in loss.tables][-2:] == ["pertes_communes", "pertes_conventions"]
    exposure = next(chapter for chapter in chapters(report) if chapter.id == "exposition")
    assert [table.id for table in exposure.tables] == ["hazards", "exposure", "unmapped"]


def test_a_part_of_the_loss_that_nobody_foresaw_is_shown_too(report: Report) -> None:
    parts = loss_parts(replace(report, loss_parts={"neuve": pd.DataFrame({"hazard": ["crue"]})}))
    assert [(name, title) for name, title, _ in parts] == [("neuve", "neuve")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_and_a_style_darker_where_stronger(kind: HazardKind) -> None:
    assert value_label("hazard_kind", kind, "fr") != kind
    assert value_label("hazard_kind", kind, "en") != kind
    for shape in ("point", "line"):
        classes = exposure_style(kind, shape).classes  # type: ignore[arg-type]
        tones = [sum(int(entry.color[i : i + 2], 16) for i in (1, 3, 5)) for entry in classes]
        assert tones == sorted(tones, reverse=True)
        assert len(set(tones)) == len(tones)
    for low, up, name in extent_limits(kind):
        assert low < up
        if kind not in WET:
            assert value_label("legend", name, "en") != ""
            assert name in {entry.value for entry in area_style(kind).classes}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WET])
def test_classes_of_intensity_follow_each_other_without_gap(kind: HazardKind) -> None:
    limits = extent_limits(kind)
    assert limits[0][0] == 0.0
    assert [up for _, up, _ in limits[:-1]] == [low for low, _, _ in limits[1:]]


def test_no_machine_name_is_left_in_a_heading(stormy: Report) -> None:
    assert stormy.exposure is not None
    shown = [*exposure_summary(stormy.exposure).columns, *unmapped_summary(stormy.unmapped).columns]
    for part in stormy.loss_parts.values():
        shown += [name for name in part.columns if name != "group"]
    for language in ("fr", "en"):
        left = [name for name in shown if column_label(name, language) == name.replace("_", " ")]  # type: ignore[arg-type]
        assert left == [], language


def test_a_part_of_the_loss_too_long_to_read_is_cut_and_says_so(report: Report) -> None:
    long = pd.DataFrame({"serie": [f"S{i}" for i in range(2500)], "prises_h_per_year": 1.0})
    sheet = next(
        s for s in study_sheets(replace(report, loss_parts={"series": long})) if s.name == "Pertes séries"
    )
    assert len(sheet.frame) == 1000
    assert "2\u202f500" in sheet.note
    assert "pertes_series.csv" in sheet.note
