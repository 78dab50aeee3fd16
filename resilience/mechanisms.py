"""What each kind of hazard can break, so that a study can say of each layer what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

import pandas as pd

from gracethd.findings import findings_frame, merge_findings
from resilience.hazards import Hazard, HazardKind

Effect = Literal["year", "event", "rate", "trees", "none"]


@dataclass(frozen=True)
class Answer:
    """What answers to a kind of hazard: mechanisms of failure, in events or as a rate of every year."""

    mechanisms: tuple[str, ...]
    is_rate: bool = False


_WATER = Answer(("nro.flood", "pm.flood", "closure.flood", "way.flood"))
ANSWERS: Mapping[HazardKind, Answer] = {
    "flood_depth": _WATER,
    "flood_level": _WATER,
    "flood_extent": _WATER,
    "flood_velocity": Answer(("way.scour",)),
    "gust": Answer(("way.wind",)),
    "fire": Answer(("way.fire",)),
    "outage": Answer(("nro.power",)),
    "groundwater": Answer(("closure.groundwater",)),
    "clay": Answer(("clay",), is_rate=True),
    "ground_movement": Answer(("ground_movement",), is_rate=True),
}
"""Kinds that a mechanism answers to. Woods are not among them: they make wind worse; the others are exposure
only. Mechanisms are those of `resilience.fragility` and `resilience.rates`."""


def effect_of(hazard: Hazard, hazards: Sequence[Hazard]) -> Effect:
    """Tell what becomes of a hazard in a study.

    Parameters
    ----------
    hazard : Hazard
    hazards : sequence of Hazard
        All of the study: woods have an effect where there is wind.

    Returns
    -------
    {"year", "event", "rate", "trees", "none"}
        "year": failures in its events, and a part of the yearly loss. "event": failures in its events, which
        have no frequency, so no part of a year. "rate": failures of every year. "trees": it makes wind worse.
        "none": exposure only.
    """
    if hazard.kind == "woods":
        return "trees" if any(other.kind == "gust" for other in hazards) else "none"
    answer = ANSWERS.get(hazard.kind)
    if answer is None:
        return "none"
    if answer.is_rate:
        return "rate"
    has_frequency = any(not isnan(event.return_period) for event in hazard.events)
    return "year" if has_frequency else "event"


def effect_findings(hazards: Sequence[Hazard]) -> pd.DataFrame:
    """Tell the hazards that are read, exposed and counted, but lead to no loss.

    Returns
    -------
    DataFrame
        Findings ``alea_sans_perte``, severity info; ``table`` is "hazards", ``code`` the hazard.
    """
    parts = []
    for hazard in hazards:
        effect = effect_of(hazard, hazards)
        if effect == "none":
            why = (
                "aucun vent dans l'étude, que des arbres aggraveraient"
                if hazard.kind == "woods"
                else "aucune courbe ne dit ce qu'il casse"
            )
            message = f"exposition seule, aucune perte : {why}"
        elif effect == "event":
            message = (
                "défaillances par événement seulement : sans période de retour, il n'entre pas dans la perte"
                " annuelle"
            )
        else:
            continue
        parts.append(
            findings_frame("alea_sans_perte", "info", "hazards", code=[hazard.name], message=message)
        )
    return merge_findings(parts)
