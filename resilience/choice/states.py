"""What fails together, for how long, and which options would cure it: the states that a plan is judged by.

For `resilience.choice.sampled`. A *bearer* (an asset and a mechanism) that fails does so in a *lot*: a draw
of an event (D19, the same common random numbers as everywhere), or a year of its own where it has a rate. It
fails from hour 0 until its repair. With an option it fails until another hour, or not at all; so its time
falls into *spans*, each with what cures it: any of the options under which it works by then, or, where only
an option makes it fail, that option not being taken. Between two hours at which something changes in a lot,
what fails is one *state*. Two options that both
change one bearer in an event cure it where one of them would alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from resilience.choice.routes import NO_CURE
from resilience.loss.draws import (
    Bearers,
    Float,
    Index,
    UInt64,
    distinct_sets,
    failures_of_draws,
    mix,
    stream_starts,
    text_keys,
)
from resilience.loss.events import blocks_of, put_together, row_keys
from resilience.spanning import Bool, Long

TODAY = -1
"""Number that stands for no option."""
BEARER = ["asset", "mechanism"]


class States(NamedTuple):
    """Distinct states of one cause.

    Attributes
    ----------
    hours : (n_states,) float64
        Per year.
    indptr : (n_states + 1,) int64
    assets, cures : (indptr[-1],) int64
    """

    hours: Float
    indptr: Long
    assets: Long
    cures: Long


class Cures:
    """Numbers of cures: sets of options, any of which cures; ``~k`` stands for option k not being taken."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, ...], int] = {(): NO_CURE}

    def number(self, options: tuple[int, ...]) -> int:
        """Give the number of one cure."""
        return self._numbers.setdefault(options, len(self._numbers))

    def numbers(self, ptr: Long, options: Long) -> Long:
        """Give the numbers of cures in compressed rows, each of them rising."""
        start, stop = ptr[:-1], ptr[1:]
        number, first = distinct_sets(options, start, stop)
        found = [self.number(tuple(options[start[i] : stop[i]].tolist())) for i in first]
        return np.array(found, np.int64)[number]

    def rows(self) -> tuple[Long, Long]:
        """Give every cure in compressed rows, by number."""
        sizes = [len(one) for one in self._numbers]
        every = [option for one in self._numbers for option in one]
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), np.array(every, np.int64)


@dataclass(frozen=True)
class Bearing:
    """Bearers, and the options that change each of them.

    Attributes
    ----------
    rows : DataFrame
        asset, mechanism; sorted by both, RangeIndex.
    bearer, option : (n_changes,) int64
        One change each, by bearer, then option.
    """

    rows: pd.DataFrame
    bearer: Long
    option: Long


@dataclass(frozen=True)
class Spans:
    """Spans of time in which an asset fails, one row each.

    Attributes
    ----------
    lot, asset : (n,) int64
    begin_h, end_h : (n,) float64
    cure : (n,) int64
    """

    lot: Long
    asset: Long
    begin_h: Float
    end_h: Float
    cure: Long


def states_by_rates(
    today: pd.DataFrame,
    changes: pd.DataFrame,
    concerned: Bool,
    cures: Cures,
    *,
    exclusions: Sequence[tuple[int, int]] = (),
) -> Iterator[tuple[str, States]]:
    """Give the states of assets that fail alone, by mechanism.

    Parameters
    ----------
    today, changes : DataFrame
        See `resilience.measures.Candidates`.
    concerned : (n_assets,) bool
        Assets whose failure matters even where no option changes it: those that cut an end of a second path.
    cures : Cures
    exclusions : sequence of (int, int)
        Options of which at most one is taken. Those on one bearer that do not exclude each other each take
        their share of what the others leave, as `resilience.measures.effects.replaced` has it.
    """
    bearing = _bearing(today, changes)
    hours = [(rows["rate_per_year"] * rows["repair_h"]).to_numpy(np.float64) for rows in (today, changes)]
    until_h = np.bincount(_at(bearing, today), hours[0], len(bearing.rows))
    under_h = np.bincount(_change_at(bearing, changes), hours[1], len(bearing.bearer))
    asset = bearing.rows["asset"].to_numpy(np.int64)
    matters = concerned[asset]
    matters[bearing.bearer] = True
    # a lot is a bearer: what two mechanisms do to one asset comes apart
    shared = _shared(
        bearing,
        until_h.astype(np.float64),
        under_h.astype(np.float64),
        {frozenset(pair) for pair in exclusions},
    )
    matters[list(shared)] = False
    lot = np.flatnonzero(matters)
    change = np.flatnonzero(~np.isin(bearing.bearer, list(shared)))
    at, begin_h, end_h, cure = _spans(
        bearing, (lot, lot, until_h[lot].astype(np.float64)),
        (change, bearing.bearer[change], under_h[change].astype(np.float64)), cures,
    )  # fmt: skip
    for bearer, groups in shared.items():
        # laid end to end on the hours of a year: each part has its own options
        ends = np.cumsum([0.0, *(until_h[bearer] * share for share, _ in groups)])
        at = np.append(at, np.full(len(groups), bearer))
        begin_h, end_h = np.append(begin_h, ends[:-1]), np.append(end_h, ends[1:])
        cure = np.append(cure, [cures.number(options) for _, options in groups])
    lot = np.append(lot, list(shared)).astype(np.int64)
    mechanism = bearing.rows["mechanism"].to_numpy()
    for name in sorted(set(mechanism[lot].tolist())):
        of = mechanism[at] == name
        yield str(name), _states(Spans(at[of], asset[at[of]], begin_h[of], end_h[of], cure[of]), 1.0)


def _shared(
    bearing: Bearing, until_h: Float, under_h: Float, rivals: set[frozenset[int]]
) -> dict[int, list[tuple[float, tuple[int, ...]]]]:
    """Cut what bearers fail by the options that cure it, where options combine: shares, and their cures.

    Options that exclude each other cure nested parts, the others independent ones.
    """
    ptr = np.searchsorted(bearing.bearer, np.arange(len(until_h) + 1))
    found = {}
    for bearer in np.flatnonzero(np.diff(ptr) > 1).tolist():
        at = np.arange(ptr[bearer], ptr[bearer + 1])
        options = bearing.option[at].tolist()
        left = under_h[at] / until_h[bearer] if until_h[bearer] > 0 else np.ones(len(at))
        groups = _rival_groups(options, rivals)
        if len(groups) == 1 or (left > 1).any():
            continue
        parts: list[tuple[float, tuple[int, ...]]] = [(1.0, ())]
        for group in groups:
            steps = sorted((float(left[options.index(one)]), one) for one in group)
            ends = [*(share for share, _ in steps), 1.0]
            # below the least share nobody cures; above it those under which less is left
            nested = [(ends[0], ())] + [
                (ends[i + 1] - ends[i], tuple(one for _, one in steps[: i + 1])) for i in range(len(steps))
            ]
            parts = [(a * b, (*x, *y)) for a, x in parts for b, y in nested if a * b > 0]
        found[bearer] = [(share, tuple(sorted(options))) for share, options in parts]
    return found


def _rival_groups(options: Sequence[int], rivals: set[frozenset[int]]) -> list[list[int]]:
    """Group options that exclude each other, directly or through others."""
    groups: list[list[int]] = []
    for one in options:
        near = [group for group in groups if any(frozenset((one, other)) in rivals for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([one, *(other for group in near for other in group)])
    return groups


@dataclass(frozen=True)
class Drawing:
    """How events are drawn.

    Attributes
    ----------
    asset_keys : (n_assets,) uint64
    seed, draws : int
    shares : mapping of (hazard, scenario) to float
        Events per year that each event stands for.
    """

    asset_keys: UInt64
    seed: int
    draws: int
    shares: Mapping[tuple[str, str], float]


def states_by_events(
    today: pd.DataFrame, changes: pd.DataFrame, drawing: Drawing, cures: Cures
) -> Iterator[tuple[str, States]]:
    """Give the states of the draws of each event, by blocks that bound the memory; see `states_by_rates`."""
    bearing = _bearing(today, changes)
    rows = pd.concat([today.assign(measure=TODAY), changes], ignore_index=True)
    rows = rows[rows["p"] > 0].reset_index(drop=True)
    key = row_keys(rows, drawing.asset_keys[rows["asset"].to_numpy()])
    version = _versions(bearing, rows)
    mechanism = text_keys(bearing.rows["mechanism"])[_bearer_of(version, bearing)]
    p, repair_h = (rows[column].to_numpy(np.float64) for column in ("p", "repair_h"))
    events = rows.groupby(["hazard", "return_period", "scenario"]).indices
    for event in sorted(cast("dict[tuple[str, float, str], Index]", events)):
        at = cast("dict[tuple[str, float, str], Index]", events)[event]
        number, kind, chance, hours, own = put_together(
            version[at].astype(np.int32), mechanism[at], p[at], repair_h[at], key[at]
        )
        hazard, _, scenario = event
        starts = stream_starts(f"{drawing.seed}/{hazard}/{scenario}", kind, own)
        bearers = Bearers(number, starts, chance, hours)
        share = drawing.shares[hazard, scenario] / drawing.draws
        for block in blocks_of(bearers, range(drawing.draws)):
            draw, row = failures_of_draws(bearers, block)
            failed = draw.astype(np.int64), number[row].astype(np.int64), hours[row]
            yield hazard, _of_draws(bearing, failed, cures, share)


def _of_draws(bearing: Bearing, failed: tuple[Long, Long, Float], cures: Cures, share: float) -> States:
    draw, version, repair_h = failed
    n = len(bearing.rows)
    is_today = version < n
    change = version[~is_today] - n
    at, begin_h, end_h, cure = _spans(
        bearing,
        (draw[is_today] * n + version[is_today], version[is_today], repair_h[is_today]),
        (change, draw[~is_today] * n + bearing.bearer[change], repair_h[~is_today]),
        cures,
    )
    asset = bearing.rows["asset"].to_numpy(np.int64)
    return _states(Spans(at // n, asset[at % n], begin_h, end_h, cure), share)


def _spans(
    bearing: Bearing, today: tuple[Long, Long, Float], under: tuple[Long, Long, Float], cures: Cures
) -> tuple[Long, Float, Float, Long]:
    """Cut the time of each failed bearer by what would cure it.

    Parameters
    ----------
    bearing : Bearing
    today : tuple of (n,) arrays
        What fails today: a number for its lot and bearer, distinct; the bearer; the hour of its repair.
    under : tuple of (m,) arrays
        What fails under an option: the change, the number for its lot and bearer, the hour of its repair.
    cures : Cures

    Returns
    -------
    lot and bearer, begin_h, end_h, cure
    """
    fails, fails_under = today[2] > 0, under[2] > 0
    failed, bearer, until_h = today[0][fails], today[1][fails], today[2][fails]
    change, changed, under_h = under[0][fails_under], under[1][fails_under], under[2][fails_under]
    # every option that changes what fails, and the hour until which it would fail under it
    ptr = np.searchsorted(bearing.bearer, np.arange(len(bearing.rows) + 1))
    count = np.diff(ptr)[bearer]
    of = np.repeat(np.arange(len(bearer)), count)
    which = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count) + ptr[bearer][of]
    n_changes = len(bearing.bearer)
    still_h = _looked_up(failed[of] * n_changes + which, changed * n_changes + change, under_h)
    cured = still_h < until_h[of]
    of, still_h, by = of[cured], still_h[cured], bearing.option[which[cured]]
    # a span begins at 0, and where an option would have it work again
    begin = pd.DataFrame(
        {"of": np.append(np.arange(len(failed)), of), "h": np.append(np.zeros(len(failed)), still_h)}
    )
    begin = begin.drop_duplicates().sort_values(["of", "h"], ignore_index=True)
    row, begin_h = begin["of"].to_numpy(np.int64), begin["h"].to_numpy(np.float64)
    is_last = np.append(row[1:] != row[:-1], np.True_)[: len(row)]
    end_h = np.where(is_last, until_h[row], np.append(begin_h[1:], 0.0)[: len(row)])
    cure = _cures_of(row, begin_h, pd.DataFrame({"of": of, "still": still_h, "by": by}), cures)
    # what only an option makes fail, or fail for longer
    today_h = _looked_up(changed, failed, until_h)
    longer = under_h > today_h
    absence = np.array(
        [cures.number((~one,)) for one in range(int(bearing.option.max(initial=-1)) + 1)], np.int64
    )
    return (
        np.concatenate([failed[row], changed[longer]]),
        np.concatenate([begin_h, today_h[longer]]),
        np.concatenate([end_h, under_h[longer]]),
        np.concatenate([cure, absence[bearing.option[change[longer]]]]),
    )


def _looked_up(asked: Long, known: Long, hours: Float) -> Float:
    """Give the hours of each number that is asked for, 0 where it is not known."""
    order = np.argsort(known)
    at = np.minimum(np.searchsorted(known[order], asked), max(len(known) - 1, 0))
    found = np.zeros(len(asked))
    if len(known):
        is_known = known[order][at] == asked
        found[is_known] = hours[order[at[is_known]]]
    return found


def _cures_of(row: Long, begin_h: Float, options: pd.DataFrame, cures: Cures) -> Long:
    """Give the number of the cure of each span: the options under which its bearer works by its beginning."""
    spans = pd.DataFrame({"of": row, "begin": begin_h, "span": np.arange(len(row))})
    pairs = spans.merge(options, on="of")
    pairs = pairs[pairs["still"] <= pairs["begin"]].sort_values(["span", "by"])
    ptr = np.searchsorted(pairs["span"].to_numpy(), np.arange(len(row) + 1)).astype(np.int64)
    return cures.numbers(ptr, pairs["by"].to_numpy(np.int64))


def _states(spans: Spans, share: float) -> States:
    """Cut each lot where something changes, and put equal states together."""
    hour, code = np.unique(np.concatenate([[0.0], spans.begin_h, spans.end_h]), return_inverse=True)
    n, m = len(spans.lot), len(hour)
    begin, end = spans.lot * m + code[1 : n + 1], spans.lot * m + code[n + 1 :]
    points = np.unique(np.concatenate([begin, end, spans.lot * m]))
    first, last = np.searchsorted(points, begin), np.searchsorted(points, end)
    size = last - first
    span = np.repeat(np.arange(n), size)
    state = first[span] + np.arange(len(span)) - np.repeat(np.cumsum(size) - size, size)
    lasts = np.diff(hour[points % m], append=0.0)
    members = pd.DataFrame({"state": state, "asset": spans.asset[span], "cure": spans.cure[span]})
    members = members.drop_duplicates().sort_values(["state", "asset", "cure"])
    of, asset, cure = (members[name].to_numpy(np.int64) for name in ("state", "asset", "cure"))
    start = np.flatnonzero(np.append(np.True_, of[1:] != of[:-1])[: len(of)])
    stop = np.append(start[1:], len(of))[: len(start)]
    code_of = (mix(asset.astype(np.uint64)) + cure.astype(np.uint64)).view(np.int64)
    number, kept = distinct_sets(code_of, start, stop)
    hours = np.bincount(number, lasts[of[start]], len(kept)) * share
    sizes = (stop - start)[kept]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    take = np.arange(indptr[-1]) + np.repeat(start[kept] - indptr[:-1], sizes)
    return States(hours.astype(np.float64), indptr, asset[take], cure[take])


def _bearing(today: pd.DataFrame, changes: pd.DataFrame) -> Bearing:
    """Give bearers numbers, and list the options that change each of them."""
    every = pd.concat([today[BEARER], changes[BEARER]]).drop_duplicates()
    rows = every.sort_values(BEARER, ignore_index=True)
    pairs = changes[[*BEARER, "measure"]].drop_duplicates()
    pairs = pairs.assign(bearer=_rows_at(rows, pairs)).sort_values(["bearer", "measure"])
    return Bearing(rows, pairs["bearer"].to_numpy(np.int64), pairs["measure"].to_numpy(np.int64))


def _at(bearing: Bearing, rows: pd.DataFrame) -> Long:
    return _rows_at(bearing.rows, rows)


def _rows_at(known: pd.DataFrame, rows: pd.DataFrame) -> Long:
    asked = pd.MultiIndex.from_frame(rows[BEARER])
    return np.asarray(pd.MultiIndex.from_frame(known[BEARER]).get_indexer(asked), np.int64)


def _change_at(bearing: Bearing, rows: pd.DataFrame) -> Long:
    known = pd.MultiIndex.from_arrays([bearing.bearer, bearing.option])
    asked = pd.MultiIndex.from_arrays([_at(bearing, rows), rows["measure"].to_numpy(np.int64)])
    return np.asarray(known.get_indexer(asked), np.int64)


def _versions(bearing: Bearing, rows: pd.DataFrame) -> Long:
    """Give a number to what can fail: bearers as they are today, then each as an option makes it."""
    version = _at(bearing, rows)
    is_changed = (rows["measure"] != TODAY).to_numpy()
    version[is_changed] = len(bearing.rows) + _change_at(bearing, rows[is_changed])
    return version


def _bearer_of(version: Long, bearing: Bearing) -> Long:
    n = len(bearing.rows)
    bearer = version.copy()
    bearer[version >= n] = bearing.bearer[version[version >= n] - n]
    return bearer
