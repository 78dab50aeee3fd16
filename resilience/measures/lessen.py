"""Works that make failures rarer or shorter: which, and by which parameter."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import pandas as pd

from resilience.measures.types import Draft
from resilience.parameters import Level, Parameters

Table = Literal["failures", "rates"]


class Effect(NamedTuple):
    """What works change of the treated objects.

    Attributes
    ----------
    table : {"failures", "rates"}
        Failures in events, or by the year.
    mechanisms : tuple of str
    column : str
        ``p`` or ``rate_per_year`` for rarer failures, ``repair_h`` for shorter ones.
    how : {"times", "at most"}
        The parameter multiplies the value, or bounds it.
    parameter : str
    """

    table: Table
    mechanisms: tuple[str, ...]
    column: Literal["p", "rate_per_year", "repair_h"]
    how: Literal["times", "at most"]
    parameter: str


_CUTS = ("aerial_cut", "dig_up")
EFFECTS: dict[str, tuple[Effect, ...]] = {
    "detection_incendie_nro": (
        Effect("rates", ("nro_fire",), "rate_per_year", "times", "measure.nro_fire_detection.rate_factor"),
    ),
    "extinction_incendie_nro": (
        Effect("rates", ("nro_fire",), "repair_h", "times", "measure.nro_fire_suppression.repair_factor"),
    ),
    "nro_mobile": (Effect("rates", ("nro_fire",), "repair_h", "at most", "measure.nro_mobile.hours_h"),),
    "groupe_nro": (Effect("failures", ("nro.power",), "p", "times", "measure.nro_generator.fails_share"),),
    "prise_groupe_nro": (
        Effect("failures", ("nro.power",), "repair_h", "at most", "measure.nro_inlet.connected_h"),
    ),
    "priorite_nro": (Effect("failures", ("nro.power",), "p", "times", "measure.nro_priority.cut_factor"),),
    "protection_pm": (
        Effect("rates", ("pm_destroyed",), "rate_per_year", "times", "measure.pm_protection.rate_factor"),
    ),
    "lot_secours_pm": (
        Effect("rates", ("pm_destroyed",), "repair_h", "times", "measure.pm_spare.repair_factor"),
    ),
    "contrat_intervention": (
        Effect("rates", _CUTS, "repair_h", "times", "measure.crew_contract.repair_factor"),
    ),
    "elagage": (
        Effect("rates", ("aerial_cut",), "rate_per_year", "times", "measure.pruning.rate_factor"),
        Effect("failures", ("way.wind",), "p", "times", "measure.pruning.wind_factor"),
    ),
}
"""By mesure; other works change failures in a way of their own (`resilience.measures.effects`)."""


def lessened(
    drafts: Sequence[Draft], today: pd.DataFrame, table: Table, parameters: Parameters, level: Level
) -> pd.DataFrame:
    """Give the failures of today that works make rarer or shorter, as they are then, with ``measure``.

    Parameters
    ----------
    drafts : sequence of Draft
        The number of a measure is its place.
    today : DataFrame
        `Situation.failures` or `Situation.rates`, as `table` says.
    table : {"failures", "rates"}
    parameters : Parameters
    level : {"low", "central", "high"}
    """
    parts = [pd.DataFrame()]
    concerned = {
        mechanisms: today[today["mechanism"].isin(mechanisms)]
        for mechanisms in {effect.mechanisms for effects in EFFECTS.values() for effect in effects}
    }
    for number, draft in enumerate(drafts):
        for effect in EFFECTS.get(draft.mesure, ()):
            if effect.table != table:
                continue
            rows = concerned[effect.mechanisms]
            rows = rows[rows["asset"].isin(draft.treated)]
            value = parameters.at(effect.parameter, level)
            before = rows[effect.column]
            after = before * value if effect.how == "times" else before.clip(upper=value)
            parts.append(rows.assign(**{effect.column: after}, measure=number))
    return pd.concat(parts, ignore_index=True)
