"""What a study says in words and figures, checked by hand on the invented study."""

from dataclasses import fields, replace

import geopandas as gpd
import pandas as pd
import pytest

from gracethd.outputs.labels import Language
from resilience.outputs.hazard_tables import exposure_summary
from resilience.outputs.report import (
    Report,
    findings_summary,
    key_figures,
    middle_event,
    missing_parts,
    sentences,
    with_commune_names,
)

THIN = "\u202f"


def bare(report: Report, language: Language = "fr") -> Report:
    return Report(title="Vide", recipient="", day=report.day, language=language)


def test_exposure_counts_wet_dry_and_unmapped_apart(exposure: gpd.GeoDataFrame) -> None:
    summary = exposure_summary(exposure).set_index(["return_period", "kind"])
    counts = summary[["n_assets", "n_wet", "n_dry", "n_unmapped"]]
    assert counts.loc[(20.0, "local")].tolist() == [1, 0, 1, 0]
    assert counts.loc[(100.0, "local")].tolist() == [2, 1, 0, 1]
    assert counts.loc[(100.0, "cheminement")].tolist() == [1, 1, 0, 0]
    assert summary.loc[(100.0, "cheminement"), ["wet_km", "length_km", "unmapped_km"]].tolist() == [
        0.9,
        2.3,
        1.15,
    ]


def test_an_asset_in_two_lines_counts_once_and_is_wet_when_one_is(exposure: gpd.GeoDataFrame) -> None:
    way = exposure[exposure["scenario"] == "Q20"].query("kind == 'cheminement'")
    twice = pd.concat([way, way.assign(intensity_max=0.0, wet_m=0.0), way.assign(intensity_max=float("nan"))])
    row = exposure_summary(twice).iloc[0]
    assert (row["n_assets"], row["n_wet"], row["n_dry"], row["n_unmapped"]) == (1, 1, 0, 0)
    assert row["length_km"] == pytest.approx(6.9)


def test_findings_are_counted_by_rule_severest_first(report: Report) -> None:
    assert report.findings is not None
    summary = findings_summary(report.findings)
    assert summary[["severity", "rule", "n"]].to_numpy().tolist() == [
        ["bloquant", "geom_nulle", 1],
        ["majeur", "cle_double", 2],
    ]


def test_key_figures_are_those_of_the_tables(report: Report) -> None:
    values = [figure.value for figure in key_figures(report)]
    # prises; worst série; séries of 300 and more; 1020 + 140 + 397 + 300; 20,000 + 117,000; the set
    assert values == [7090, 5510, 2, 1857, 137000, 590]


def test_sentences_hold_the_figures_that_a_reader_can_check(report: Report) -> None:
    network, hazard, plan = sentences(report)
    for text in (f"7{THIN}090", f"98,7{THIN}%", "CM-A", f"5{THIN}510", f"77,7{THIN}%", "Lumbres"):
        assert text in network
    for text in ("100 ans", "812", f"1{THIN}857", f"1{THIN}020", "837", "580", f"7{THIN}800"):
        assert text in hazard
    for text in ("2 mesures", f"137{THIN}000", "590", f"31,8{THIN}%", "232,20"):
        assert text in plan


def test_the_worst_object_may_be_a_room_that_no_series_holds(report: Report) -> None:
    assert report.spof is not None
    bigger = report.spof.assign(prises_cut=[6000, 5510, 1200])
    text = sentences(replace(report, spof=bigger))[0]
    assert f"local NRO de Lumbres, en couperait 6{THIN}000, soit 84,6{THIN}%" in text
    assert f"série, CM-A (transport, 2,30 km, Lumbres), en couperait 5{THIN}510" in text
    assert key_figures(replace(report, spof=bigger))[1].value == 6000
    alone = sentences(replace(report, spof=None))[0]
    assert f"une seule série, CM-A (transport, 2,30 km, Lumbres), en couperait 5{THIN}510" in alone


def test_communes_are_named_for_readers_where_they_are_known(report: Report) -> None:
    assert report.spof is not None
    coded = replace(report, spof=report.spof.assign(commune=["62534", "99999", ""]))
    named = with_commune_names(coded)
    assert named.spof is not None
    assert coded.spof is not None
    assert named.spof["commune"].tolist() == ["Lumbres", "99999", ""]
    assert coded.spof["commune"].tolist() == ["62534", "99999", ""]
    assert with_commune_names(replace(coded, communes=None)).spof is coded.spof


def test_one_measure_is_said_in_the_singular(report: Report) -> None:
    assert report.plan is not None
    assert "une mesure" in sentences(replace(report, plan=report.plan.head(1)))[2]
    assert (
        sentences(replace(report, plan=report.plan.head(0)))[2]
        == "Aucune mesure n'est retenue dans le budget."
    )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_study_without_anything_says_what_is_missing(report: Report, language: Language) -> None:
    empty = bare(report, language)
    assert key_figures(empty) == []
    assert set(sentences(empty)) <= set(missing_parts(empty))
    assert len(missing_parts(empty)) == 11
    assert missing_parts(report) == []


@pytest.mark.parametrize("name", [f.name for f in fields(Report) if f.default is None])
def test_any_part_may_be_missing(report: Report, name: str) -> None:
    without = replace(report, **{name: None})
    assert all(sentences(without))
    assert len(key_figures(without)) >= 2


def test_the_event_quoted_is_the_one_nearest_to_a_hundred_years() -> None:
    events = pd.DataFrame({"hazard": "crue", "return_period": [10.0, 50.0, 300.0, 1000.0]})
    assert middle_event(events)["return_period"] == 50.0
