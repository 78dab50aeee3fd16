"""The power cuts that a study imposes on zones: what its [[outages]] tables may say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from resilience.hazards import UNITS, Hazard, HazardEvent
from resilience.same_event import check_same_events
from resilience.sections import Section, StudyError

KEYS = ("name", "zone_elec", "hours", "return_period", "same_event")


@dataclass(frozen=True)
class ZoneOutage:
    """A cut of one zone.

    Attributes
    ----------
    name : str
        Of the hazard that results name.
    zone_elec : str
        As in the table equipements.
    hours : float
        Without mains; NaN = the parameter ``outage.duration_h``.
    return_period : float
        In years; NaN = imposed once, no part of a year.
    same_event : str
        Name of the event that it comes with (`resilience.same_event`), "" alone.
    """

    name: str
    zone_elec: str
    hours: float = math.nan
    return_period: float = math.nan
    same_event: str = ""

    def as_hazard(self) -> Hazard:
        """Give it as a hazard whose one event has no map."""
        event = HazardEvent(self.return_period, Path("equipements"), name=self.zone_elec)
        return Hazard(self.name, "outage", UNITS["outage"], "valid", (event,), same_event=self.same_event)


def read_outages(raw: Section) -> tuple[ZoneOutage, ...]:
    """Give the cuts of a study, its ``[[outages]]``.

    Raises
    ------
    StudyError
        An unknown key, a value of the wrong type or out of range, no table that tells the zones.
    """
    if "outages" not in raw.values:
        return ()
    if "equipements" not in raw.section("tables").values:
        raise StudyError(
            "outages: nothing tells what a zone feeds; name [tables] equipements, column zone_elec"
        )
    return tuple(_outage(section) for section in raw.sections("outages"))


def check_together(hazards: Sequence[Hazard], outages: Sequence[ZoneOutage]) -> None:
    """Refuse two of one name, and what cannot come together (`resilience.same_event`)."""
    every = [*hazards, *(outage.as_hazard() for outage in outages)]
    names = sorted(hazard.name for hazard in every)
    if twice := [name for name, after in pairwise(names) if name == after]:
        raise StudyError(f"outages.name: {twice[0]!r} is given twice; each cut and hazard needs its own name")
    check_same_events(every)


def _outage(raw: Section) -> ZoneOutage:
    raw.refuse_unknown(KEYS)
    raw = Section(f"outages.{raw.text('name')}", raw.values)
    numbers = {key: raw.number(key) if key in raw.values else math.nan for key in ("hours", "return_period")}
    for key, value in numbers.items():
        if value <= 0:
            raise StudyError(f"{raw.full(key)}: {value:g}; give a number above 0")
    return ZoneOutage(
        raw.text("name"), raw.text("zone_elec"), numbers["hours"], numbers["return_period"],
        raw.text("same_event", default=""),
    )  # fmt: skip
