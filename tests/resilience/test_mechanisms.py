"""What each kind of hazard leads to is said in words, and agrees with what the models read."""

from math import nan
from pathlib import Path

import pytest

from gracethd.outputs.labels import value_label
from resilience.fragility import MECHANISMS
from resilience.hazards import EVENT_KINDS, UNITS, Hazard, HazardEvent, HazardKind
from resilience.mechanisms import ANSWERS, Effect, effect_findings, effect_of
from resilience.rates import GROUND

MAP = Path("carte.gpkg")


def hazard(kind: HazardKind, years: float = nan, name: str = "aléa") -> Hazard:
    return Hazard(name, kind, UNITS[kind], "valid", (HazardEvent(years, MAP, "carte"),))


def test_the_table_of_answers_is_what_the_models_read() -> None:
    in_events = {kind for kind, answer in ANSWERS.items() if not answer.is_rate}
    assert in_events == set(EVENT_KINDS)
    assert {kind for kind, answer in ANSWERS.items() if answer.is_rate} == set(GROUND)
    broken = {name for kind in in_events for name in ANSWERS[kind].mechanisms}
    assert broken == set(MECHANISMS)


@pytest.mark.parametrize("kind", list(ANSWERS))
def test_every_mechanism_has_its_words(kind: HazardKind) -> None:
    for name in ANSWERS[kind].mechanisms:
        assert value_label("mechanism", name, "fr") != name
        assert value_label("mechanism", name, "en") != name


@pytest.mark.parametrize(
    ("kind", "years", "effect"),
    [
        ("flood_depth", 100.0, "year"),
        ("flood_extent", nan, "event"),
        ("groundwater", nan, "event"),
        ("groundwater", 100.0, "year"),
        ("clay", nan, "rate"),
        ("ground_movement", nan, "rate"),
        ("woods", nan, "none"),
        ("susceptibility", nan, "none"),
    ],
)
def test_what_becomes_of_a_hazard(kind: HazardKind, years: float, effect: Effect) -> None:
    if kind == "flood_depth":
        one = Hazard("aléa", kind, UNITS[kind], "extent", (HazardEvent(years, Path("c.tif")),))
    else:
        one = hazard(kind, years)
    assert effect_of(one, [one]) == effect


def test_woods_have_an_effect_where_there_is_wind() -> None:
    woods, wind = hazard("woods", name="bois"), hazard("gust", 50.0, "vent")
    assert effect_of(woods, [woods, wind]) == "trees"
    assert effect_findings([woods, wind]).empty


def test_what_leads_to_no_loss_is_a_finding_in_words() -> None:
    found = effect_findings([hazard("susceptibility", name="érosion"), hazard("outage", name="coupure")])
    by_code = found.set_index("code")["message"]
    assert set(found["rule"]) == {"alea_sans_perte"}
    assert "exposition seule, aucune perte" in by_code["érosion"]
    assert "période de retour" in by_code["coupure"]
