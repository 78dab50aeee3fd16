"""Words and numbers as people read them."""

import math
import string
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.outputs import labels
from gracethd.outputs.labels import column_format, column_label, phrase, value_label, written

PLAN = """
    rank action_id famille mesure libelle objets commune epci longueur_m prises_secured
    prises_h_avoided_per_year_low prises_h_avoided_per_year_central prises_h_avoided_per_year_high
    cost_eur_low cost_eur_central cost_eur_high annee_prix eur_per_prise_h priority year duree_mois
    autorisations maitre_ouvrage financement statut rank_low rank_high hypotheses
"""
SPOF = """
    kind code libelle segment commune epci prises_cut prises_cut_max prises_stranded abonnes_cut
    n_pm n_nro prises_own prises_transit sites_sensibles n_cables protected n_alternatives srlg
    serie same_as use_source prises_cut_identity prises_sans_cuivre gravite vraisemblance criticite
    rank diffusion
"""
OTHERS = """
    n_ways n_chambers n_poles intensity_max k_cable k_place k_srlg shared_m shared_places is_false
    rule severity table attribute message delivery line hazard scenario return_period intensity_unit
    wet_m length_m mapped_share
"""


@pytest.mark.parametrize("name", f"{PLAN} {SPOF} {OTHERS}".split())
def test_every_name_of_the_product_has_french_and_english_words(name: str) -> None:
    row = labels._table("columns.csv", 1)[(name,)]
    assert row["fr"]
    assert row["en"]
    assert row["format"] in {"text", "int", "dec", "dec2", "eur", "eur2", "share", "bool", "year", "value"}


def test_each_phrase_has_the_same_blanks_in_both_languages() -> None:
    def blanks(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    for key, french in labels.phrases("fr").items():
        assert blanks(french) == blanks(labels.phrases("en")[key]), key


def test_no_row_stands_twice() -> None:
    for name, keys in (("columns.csv", 1), ("values.csv", 2), ("phrases.csv", 1)):
        with labels.files("gracethd.outputs").joinpath(name).open(encoding="utf-8") as stream:
            frame = pd.read_csv(stream, dtype=str, keep_default_na=False)
        assert not frame.duplicated(list(frame.columns[:keys])).any(), name
        assert len(labels._table(name, keys)) == len(frame)


@pytest.mark.parametrize(
    ("value", "how", "french", "english"),
    [
        (1234567, "int", "1\u202f234\u202f567", "1,234,567"),
        (-1234.5, "dec2", "\u22121\u202f234,50", "\u22121,234.50"),
        (0.256, "share", "25,6\u202f%", "25.6\u202f%"),
        (1.0, "share", "100\u202f%", "100\u202f%"),
        (-0.2, "int", "0", "0"),
        (2026, "year", "2026", "2026"),
        (0.00213, "value", "0,00213", "0.00213"),
        (1500.0, "value", "1\u202f500", "1,500"),
        (12.34567, "value", "12,3", "12.3"),
        (True, "bool", "oui", "yes"),
        (float("nan"), "int", "—", "—"),
        ("", "text", "—", "—"),
        (math.inf, "int", "∞", "∞"),
    ],
)
def test_values_as_they_are_written(value: object, how: labels.Format, french: str, english: str) -> None:
    assert written(value, how, "fr") == french
    assert written(value, how, "en") == english


@given(st.integers(-(10**12), 10**12))
def test_an_integer_is_read_back_from_its_french_text(value: int) -> None:
    assert int(written(value, "int").replace("\u202f", "").replace("\u2212", "-")) == value


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_three_significant_digits_are_within_half_a_percent(value: float) -> None:
    text = written(value, "value").replace("\u202f", "").replace("\u2212", "-").replace(",", ".")
    assert abs(Decimal(text) - Decimal(value)) <= Decimal("0.005") * abs(Decimal(value)) + Decimal("1e-9")


def test_unknown_names_stay_readable_and_unknown_phrases_are_errors() -> None:
    assert column_label("new_thing_m") == "new thing m"
    assert value_label("code", "cable") == "cable"
    assert value_label("kind", "cable") == "Câble"
    with pytest.raises(KeyError):
        phrase("nothing")


def test_a_numeric_format_is_not_forced_on_text() -> None:
    assert column_format("prises_cut", pd.Series([1, 2])) == "int"
    assert column_format("prises_cut", pd.Series(["a"])) == "text"
    assert column_format("unheard", pd.Series([1.5])) == "dec2"
    assert column_format("unheard", pd.Series([True])) == "bool"
