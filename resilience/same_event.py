"""Hazards that come together: a flood and the power cut that it brings, its depth and its speed, two rivers.

For the analyst whose study says `same_event` of several hazards. They are then one hazard with one set of
events: at a given return period the maps of all of them hold at once, what they break is drawn in one sample,
and the year counts the event once. Nothing here opens a file.
"""

import math
from collections.abc import Sequence

import pandas as pd

from gracethd.findings import findings_frame, merge_findings
from resilience.hazards import EVENT_KINDS, STATIC_KINDS, Hazard, HazardError, HazardEvent

COLUMNS = ("hazard", "scenario", "joint", "joint_scenario", "joint_return_period")


def check_same_events(hazards: Sequence[Hazard]) -> None:
    """Refuse hazards that cannot come together.

    Raises
    ------
    HazardError
        When an event has one hazard only or the name of a hazard, when a hazard of it breaks nothing in an
        event, or when one of its maps without a frequency has
        the name of no event of the others.
    """
    for name, members in _sets(hazards).items():
        if len(members) == 1:
            raise HazardError(
                f"hazard {members[0].name!r}: no other hazard has same_event = {name!r}; write it of all that"
                " come together, or take it out"
            )
        if name in {hazard.name for hazard in hazards}:
            raise HazardError(
                f"same_event {name!r} is also the name of a hazard, and results could not tell them apart;"
                " give the event a name of its own"
            )
        for hazard in members:
            if hazard.kind not in EVENT_KINDS:
                raise HazardError(
                    f"hazard {hazard.name!r}: {hazard.kind} breaks nothing in an event; take same_event out"
                    f" (it is for {', '.join(EVENT_KINDS)})"
                )
            others = {event.scenario for one in members if one is not hazard for event in one.events}
            for event in hazard.events:
                is_timeless = hazard.kind in STATIC_KINDS and math.isnan(event.return_period)
                if is_timeless and event.scenario not in others:
                    raise HazardError(
                        f"hazard {hazard.name!r}: nothing tells with which events of {name!r} the map"
                        f" {event.path.name} comes; give its return_period, or the day observed or the"
                        " scenario that an event of the others has"
                    )


def joint_events(hazards: Sequence[Hazard]) -> pd.DataFrame:
    """List which maps hold in each event of the hazards that come together.

    At a return period at which one of the hazards has no map, its map of the next more frequent event holds:
    the rarer event brings no less; nothing, where it has none. Events without a return period meet by name.

    Returns
    -------
    DataFrame
        One row per map and event in which it holds: hazard, scenario (of the map), joint (the name of the
        event), joint_scenario, joint_return_period (NaN without one). Empty where no hazard says
        `same_event`.
    """
    rows: list[tuple[str, str, str, str, float]] = []
    for name, members in _sets(hazards).items():
        for years in _periods(members):
            for hazard in members:
                map_ = _holding(hazard, years)
                if map_ is not None:
                    rows.append((hazard.name, map_.scenario, name, f"Q{years:g}", years))
        rows += [
            (hazard.name, event.scenario, name, event.scenario, math.nan)
            for hazard in members
            for event in hazard.events
            if math.isnan(event.return_period)
        ]
    types = dict.fromkeys(COLUMNS[:-1], str) | {COLUMNS[-1]: float}
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)


def joined(failures: pd.DataFrame, joint: pd.DataFrame) -> pd.DataFrame:
    """Put the failures of hazards that come together into the events that they share.

    Parameters
    ----------
    failures : DataFrame
        From `resilience.fragility.failure_probabilities`, or changes of it with their column ``measure``.
    joint : DataFrame
        From `joint_events`; where it is empty, `failures` is given back as it is.

    Returns
    -------
    DataFrame
        The same columns. ``hazard``, ``scenario`` and ``return_period`` are those of the shared event. What
        two maps can do to one asset by one mechanism is one row: it fails with either, and is repaired in
        the longer time. A row with p = NaN stays beside it where one of the maps does not cover the asset.
    """
    if joint.empty:
        return failures
    is_joint = failures["hazard"].isin(joint["hazard"])
    shared = failures[is_joint].merge(joint, on=["hazard", "scenario"])
    shared = shared.assign(
        hazard=shared["joint"],
        scenario=shared["joint_scenario"],
        return_period=shared["joint_return_period"],
    )[list(failures.columns)]
    rows = pd.concat([failures[~is_joint], _put_together(shared)], ignore_index=True)
    return rows.sort_values(
        ["hazard", "return_period", "scenario", "asset", "mechanism", "p"], ignore_index=True, kind="stable"
    )


def same_event_findings(hazards: Sequence[Hazard]) -> pd.DataFrame:
    """Tell at which return periods of a shared event a hazard has no map of its own.

    Returns
    -------
    DataFrame
        Findings ``alea_sans_carte``: ``table`` is "hazards", ``code`` the hazard.
    """
    parts = []
    for name, members in _sets(hazards).items():
        for hazard in members:
            own = {event.return_period for event in hazard.events}
            for years in _periods(members):
                if years in own:
                    continue
                map_ = _holding(hazard, years)
                taken = "rien n'est retenu" if map_ is None else f"celle de {map_.scenario} est retenue"
                message = f"pas de carte à Q{years:g}, que d'autres aléas de « {name} » ont : {taken}"
                parts.append(
                    findings_frame("alea_sans_carte", "info", "hazards", code=[hazard.name], message=message)
                )
    return merge_findings(parts)


def _sets(hazards: Sequence[Hazard]) -> dict[str, list[Hazard]]:
    names = sorted({hazard.same_event for hazard in hazards} - {""})
    return {name: [hazard for hazard in hazards if hazard.same_event == name] for name in names}


def _periods(members: Sequence[Hazard]) -> list[float]:
    years = {event.return_period for hazard in members for event in hazard.events}
    return sorted(one for one in years if not math.isnan(one))


def _holding(hazard: Hazard, years: float) -> HazardEvent | None:
    """Give the map of a hazard that holds at a return period: the rarest that is not rarer."""
    able = [event for event in hazard.events if event.return_period <= years]  # NaN never is
    return max(able, key=lambda event: event.return_period, default=None)


def _put_together(rows: pd.DataFrame) -> pd.DataFrame:
    """Make one row of those that two maps give to one asset and mechanism in one event."""
    key = ["hazard", "scenario", "asset", "mechanism", *(c for c in ("measure",) if c in rows)]
    key.append("is_unmapped")
    rows = rows.assign(is_unmapped=rows["p"].isna())
    is_twice = rows.duplicated(key, keep=False)
    if not is_twice.any():
        return rows.drop(columns="is_unmapped")
    twice = rows[is_twice].assign(p=1.0 - rows["p"]).groupby(key, sort=False, as_index=False)
    how = {column: "first" for column in rows.columns if column not in key}
    how |= {"p": "prod", "repair_h": "max", "is_assumed": "max"}
    whole = twice.agg({column: how[column] for column in how if column in rows.columns})
    whole["p"] = (1.0 - whole["p"]).where(~whole["is_unmapped"])
    columns = [column for column in rows.columns if column != "is_unmapped"]
    return pd.concat([rows[~is_twice], whole], ignore_index=True)[columns].astype(rows[columns].dtypes)
