"""A French reader finds every parameter named, with its unit and its source, in French."""

import re

import pytest

from resilience.outputs.parameter_words import described_parameters, french_words
from resilience.parameters import default_parameters, replace_parameters

ENGLISH = re.compile(r"\b(?:assumption|year|month|probability|per|the|of|and)\b")


def test_every_shipped_parameter_has_its_french_words_and_no_other_has() -> None:
    assert sorted(french_words().index) == sorted(default_parameters().table["name"])


@pytest.mark.parametrize("column", ["libelle", "unit", "source"])
def test_no_english_is_left_in_what_a_french_reader_sees(column: str) -> None:
    described = described_parameters(default_parameters().table, "fr")
    text = described[column].str.replace("Reliability of fiber optic cable systems", "")
    assert (text != "").all()
    assert not text[text.str.contains(ENGLISH)].tolist()


def test_what_a_study_replaced_keeps_the_source_of_the_study() -> None:
    given = {"pm.plinth_m": {"low": 0.1, "central": 0.2, "high": 0.3, "source": "relevé de 2025"}}
    described = described_parameters(replace_parameters(default_parameters(), given).table, "fr")
    row = described.set_index("name").loc["pm.plinth_m"]
    assert (row["source"], row["low"], row["unit"]) == ("relevé de 2025", 0.1, "m")


def test_an_english_reader_gets_the_table_as_it_is() -> None:
    table = default_parameters().table
    assert described_parameters(table, "en") is table
