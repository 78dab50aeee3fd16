"""What a crisis scenario says: what fails and when, which zones lose power, where nobody can go."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from resilience.parameters import Level

Mounting = Literal["aerien", "souterrain"]
Order = Literal["collecte", "prises", "proximite", "sites"]


@dataclass(frozen=True)
class FailureRule:
    """Some assets that fail together: named, in one drawn state of an event, or all that fit a selection.

    Attributes
    ----------
    objects : tuple of str
        ``kind:code``; a group (groupe, ouvrage, zone_elec) stands for its members.
    hazard, event : str
        Of the study; `quantile` then chooses among the drawn states of the event, ordered by prises·h.
    quantile : float
        0.5 is a middling state, 0.95 one that is exceeded in one draw of twenty.
    kind, segment, nature, commune, mounting, owner : str
        A selection: assets that fit all of those that are not empty.
    polygon : Path or None
        Also a selection: assets that touch the areas of this layer.
    share : float
        Of the selection that fails, drawn with the seed of the study.
    at_h : float
        Hours after the beginning of the scenario.
    repair_h : float or None
        Hours of work on each; None for the parameters of what each asset is.
    """

    objects: tuple[str, ...] = ()
    hazard: str = ""
    event: str = ""
    quantile: float = 0.5
    kind: str = ""
    segment: str = ""
    nature: str = ""
    commune: str = ""
    mounting: Mounting | Literal[""] = ""
    owner: str = ""
    polygon: Path | None = None
    share: float = 1.0
    at_h: float = 0.0
    repair_h: float | None = None


@dataclass(frozen=True)
class Outage:
    """A power zone (``zone_elec`` of the table equipements) without supply from `at_h`, for `hours`."""

    zone_elec: str
    at_h: float
    hours: float


@dataclass(frozen=True)
class NoAccess:
    """Areas of a layer where no crew can work before `until_h`: water, fire, police."""

    polygon: Path
    until_h: float


@dataclass(frozen=True)
class ClosedRoads:
    """Roads that the water of an event closes before `until_h`, None for good."""

    hazard: str
    event: str
    until_h: float | None = None


@dataclass(frozen=True)
class Scenario:
    """A crisis to play.

    Attributes
    ----------
    name, title : str
    start : datetime or None
        Of hour 0, for exercise papers; no number depends on it.
    failures : tuple of FailureRule
    outages : tuple of Outage
    no_access : tuple of NoAccess
    closed_roads : ClosedRoads or None
    order : {"collecte", "prises", "sites", "proximite"}
        The rule by which crews take tasks (`resilience.crisis.repair.dispatch`).
    level : {"low", "central", "high"}
        Of the parameters.
    draws : int
        Of the hours of repair (`resilience.crisis.uncertain`); 0 for none.
    """

    name: str
    title: str
    start: datetime | None = None
    failures: tuple[FailureRule, ...] = ()
    outages: tuple[Outage, ...] = ()
    no_access: tuple[NoAccess, ...] = ()
    closed_roads: ClosedRoads | None = None
    order: Order = "collecte"
    level: Level = "central"
    draws: int = 0
