"""The crisis scenarios of a study: what its [scenarios.NAME] tables may say, and what they stand for."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import get_args

from gracethd.network.build import SEGMENTS
from gracethd.network.types import KINDS
from resilience.parameters import LEVELS
from resilience.scenarios import ClosedRoads, FailureRule, Mounting, NoAccess, Order, Outage, Scenario
from resilience.sections import Section, StudyError

KEYS = ("title", "start", "failures", "outages", "no_access", "closed_roads", "order", "level", "draws")
SELECTION = ("kind", "segment", "nature", "commune", "mounting", "owner", "polygon")
FAILURE_KEYS = ("objects", "hazard", "event", "quantile", *SELECTION, "share", "at_h", "repair_h")
NATURES = ("BPE", "NRO", "PBO", "PM", "appui", "chambre", "facade", "immeuble")


def read_scenarios(raw: Section, folder: Path) -> Mapping[str, Scenario]:
    """Give the scenarios of a study by name; no file is opened.

    Parameters
    ----------
    raw : Section
        The section ``scenarios``.
    folder : Path
        That of the study: paths are relative to it.

    Raises
    ------
    StudyError
        An unknown key, a value of the wrong type or out of range, a scenario in which nothing happens.
    """
    return {name: _scenario(name, raw.section(name), folder) for name in raw.values}


def _scenario(name: str, raw: Section, folder: Path) -> Scenario:
    if not re.fullmatch(r"\w[\w-]*", name):  # it names files
        raise StudyError(
            f"scenarios: {name!r} names files; use letters, figures, hyphens and underscores only"
        )
    raw.refuse_unknown(KEYS)
    failures = raw.sections("failures") if "failures" in raw.values else []
    outages = raw.sections("outages") if "outages" in raw.values else []
    if not failures and not outages:
        raise StudyError(
            f"{raw.name}: nothing happens in this scenario; give failures = [{{objects = [...]}}] or outages"
        )
    closed = raw.sections("no_access") if "no_access" in raw.values else []
    order: Order = raw.choice("order", get_args(Order), default="collecte")
    return Scenario(
        name=name,
        title=raw.text("title", default=name.replace("_", " ")),
        start=_moment(raw, "start") if "start" in raw.values else None,
        failures=tuple(_failure(one, folder) for one in failures),
        outages=tuple(_outage(one) for one in outages),
        no_access=tuple(_no_access(one, folder) for one in closed),
        closed_roads=_closed_roads(raw.section("closed_roads")) if "closed_roads" in raw.values else None,
        order=order,
        level=raw.choice("level", LEVELS, default="central"),
        draws=raw.whole("draws", default=0, least=0),
    )


def _failure(raw: Section, folder: Path) -> FailureRule:
    raw.refuse_unknown(FAILURE_KEYS)
    given = [
        name
        for name, keys in (("objects", ("objects",)), ("hazard", ("hazard",)), ("a selection", SELECTION))
        if set(keys) & set(raw.values)
    ]
    if len(given) != 1:
        said = " and ".join(given) if given else "nothing"
        raise StudyError(
            f"{raw.name}: what fails is said by objects, or by hazard and event, or by a selection"
            f" ({', '.join(SELECTION)}); {said} is given"
        )
    at_h = _hours(raw, "at_h", default=0.0)
    repair_h = _hours(raw, "repair_h") if "repair_h" in raw.values else None
    if "objects" in given:
        _refuse_beside(raw, "objects", ("event", "quantile", "share"))
        return FailureRule(objects=_objects(raw), at_h=at_h, repair_h=repair_h)
    if "hazard" in given:
        _refuse_beside(raw, "hazard", ("share",))
        return FailureRule(
            hazard=raw.text("hazard"),
            event=raw.text("event"),
            quantile=_share(raw, "quantile", default=0.5),
            at_h=at_h,
            repair_h=repair_h,
        )
    _refuse_beside(raw, "a selection", ("event", "quantile"))
    mounting: Mounting | None = raw.choice("mounting", (*get_args(Mounting), None), default=None)
    return FailureRule(
        kind=_one_of(raw, "kind", KINDS),
        segment=_one_of(raw, "segment", SEGMENTS),
        nature=_one_of(raw, "nature", NATURES),
        commune=raw.text("commune", default=""),
        mounting=mounting or "",
        owner=raw.text("owner", default=""),
        polygon=raw.path("polygon", folder) if "polygon" in raw.values else None,
        share=_share(raw, "share", default=1.0),
        at_h=at_h,
        repair_h=repair_h,
    )


def _refuse_beside(raw: Section, what: str, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key in raw.values:
            raise StudyError(f"{raw.full(key)}: goes with something else than {what}; take it out")


def _objects(raw: Section) -> tuple[str, ...]:
    objects = raw.items("objects")
    if not all(isinstance(one, str) and ":" in one for one in objects):
        raise StudyError(f"{raw.full('objects')}: objects are written kind:code, like 'local:LC0001'")
    return tuple(str(one) for one in objects)


def _outage(raw: Section) -> Outage:
    raw.refuse_unknown(("zone_elec", "at_h", "hours"))
    hours = _hours(raw, "hours")
    if hours == 0:
        raise StudyError(f"{raw.full('hours')}: an outage lasts longer than 0 hours")
    return Outage(raw.text("zone_elec"), _hours(raw, "at_h", default=0.0), hours)


def _no_access(raw: Section, folder: Path) -> NoAccess:
    raw.refuse_unknown(("polygon", "until_h"))
    return NoAccess(raw.path("polygon", folder), _hours(raw, "until_h"))


def _closed_roads(raw: Section) -> ClosedRoads:
    raw.refuse_unknown(("hazard", "event", "until_h"))
    until_h = _hours(raw, "until_h") if "until_h" in raw.values else None
    return ClosedRoads(raw.text("hazard"), raw.text("event"), until_h)


def _one_of(raw: Section, key: str, known: tuple[str, ...]) -> str:
    return raw.choice(key, known) if key in raw.values else ""


def _hours(raw: Section, key: str, *, default: float | None = None) -> float:
    hours = raw.number(key, default=default)
    if hours < 0:
        raise StudyError(f"{raw.full(key)}: {hours:g} h; give 0 hours or more")
    return hours


def _share(raw: Section, key: str, *, default: float) -> float:
    share = raw.number(key, default=default)
    if not 0 < share <= 1:
        raise StudyError(f"{raw.full(key)}: {share:g}; give a share above 0 and up to 1")
    return share


def _moment(raw: Section, key: str) -> datetime:
    value = raw.values[key]
    if not isinstance(value, datetime):
        raise StudyError(f"{raw.full(key)}: a date and time without quotes, like 2026-11-26T19:00:00")
    return value
