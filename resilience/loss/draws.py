"""Draws of what fails together in one event, and the nested sets of failures that their repair goes through.

For the modules beside this one, which turn sets of failures into prises·h. Nothing here knows the network.

The draws are *common random numbers*: the number that decides whether a bearer fails depends on the seed,
the event, the draw, and the bearer's kind, code and mechanism, and on nothing else. Two inventories, or
the same one with and without a measure, are therefore compared in the same floods; a row added elsewhere
changes nothing; and a higher probability fails in every draw in which a lower one did.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

UInt64 = NDArray[np.uint64]
Float = NDArray[np.float64]
Index = NDArray[np.intp]

# SplitMix64: Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLY_1, _MULTIPLY_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_KEEP_53_BITS = np.uint64(11)
_SECOND_HASH = np.uint64(0xD1B54A32D192ED03)
_CELLS = 16_384  # draws x bearers looked at together: larger blocks leave the processor's cache (3 x slower)


@dataclass(frozen=True)
class Bearers:
    """What can fail in one event: one row per asset and mechanism, by asset, the slowest repair first.

    Attributes
    ----------
    asset : (n,) int32
    state : (n,) uint64
        Start of each row's own stream of random numbers.
    p : (n,) float64
        Probability that it fails in the event, none NaN.
    repair_h : (n,) float64
        Hours until it works again when it has failed.
    """

    asset: NDArray[np.int32]
    state: UInt64
    p: Float
    repair_h: Float


@dataclass(frozen=True)
class Stages:
    """The repair of several draws, as stages: between two repairs the failed assets are one set.

    Attributes
    ----------
    draw : (n_stages,) int
        Rising; the stages of one draw from its last one (fewest assets left) to its first (all failed).
    hours : (n_stages,) float64
        How long the stage lasts.
    set_row : (n_stages,) int
        Which of the distinct sets is failed during the stage.
    indptr : (n_sets + 1,) int64
    assets : (indptr[-1],) int32
        The distinct sets: ``assets[indptr[i]:indptr[i + 1]]``.
    """

    draw: Index
    hours: Float
    set_row: Index
    indptr: NDArray[np.int64]
    assets: NDArray[np.int32]


def keys_of_assets(assets: pd.DataFrame) -> UInt64:
    """Give each asset a number that stands for its kind and code, the same in every inventory and run.

    Parameters
    ----------
    assets : DataFrame
        With the text columns ``kind`` and ``code``, such as ``Network.assets``.

    Returns
    -------
    (n_assets,) uint64
        SipHash-2-4 of ``kind:code`` with the fixed key of pandas, scrambled by `mix`.

    Examples
    --------
    >>> keys = keys_of_assets(pd.DataFrame({"kind": ["cable", "site"], "code": ["CB1", "CB1"]}))
    >>> keys[0] != keys[1]
    np.True_
    """
    return text_keys(assets["kind"].astype(str) + ":" + assets["code"].astype(str))


def text_keys(texts: Iterable[str]) -> UInt64:
    """Hash texts to 64 bits, the same on every machine and in every run."""
    return pd.util.hash_array(np.array(list(texts), dtype=object), categorize=False)


def stream_starts(event: str, mechanism_keys: UInt64, asset_keys: UInt64) -> UInt64:
    """Give the start of the random stream of each row from the event (seed included), mechanism and asset."""
    mixed = mix(text_keys([event]))
    return mix(mix(mixed ^ mechanism_keys) ^ asset_keys)


def failures_of_draws(bearers: Bearers, draws: range) -> tuple[Index, Index]:
    """Tell which rows fail in which draws.

    A row fails in draw d when the (d + 1)-th number of its SplitMix64 stream, as 53 bits, is below p.

    Returns
    -------
    draw, row : (n_failures,) int
        Sorted by draw, then row. Memory grows with the number of failures, not with draws x bearers.
    """
    threshold = np.ceil(bearers.p * 2.0**53).astype(np.uint64)
    step = max(1, _CELLS // max(1, len(threshold)))
    found: list[tuple[Index, Index]] = []
    for first in range(draws.start, draws.stop, step):
        counters = np.arange(first + 1, min(first + step, draws.stop) + 1, dtype=np.uint64) * _STEP
        number = mix(bearers.state + counters[:, None]) >> _KEEP_53_BITS
        draw, row = np.nonzero(number < threshold)
        found.append((draw + first, row))
    nothing = np.empty(0, np.intp)
    draw, row = (np.concatenate([nothing, *(pair[i] for pair in found)]) for i in (0, 1))
    return draw, row


def repair_stages(draw: Index, asset: NDArray[np.int32], repair_h: Float) -> Stages:
    """Cut the repair of each draw into stages, and name the distinct sets of assets that are failed in them.

    At time t the assets whose repair lasts longer than t are failed, so the sets of one draw are nested.
    An asset that failed twice counts once, with its slowest repair. Equal sets are recognised by their
    size and two independent 64-bit sums, which do not depend on the order of the assets.

    Parameters
    ----------
    draw, asset, repair_h : (n_failures,)
        Sorted by draw, then asset, then falling repair time.
    """
    once = np.ones(len(draw), np.bool_)
    once[1:] = (draw[1:] != draw[:-1]) | (asset[1:] != asset[:-1])
    draw, asset, repair_h = draw[once], asset[once], repair_h[once]
    order = np.lexsort((asset, -repair_h, draw))
    draw, asset, repair_h = draw[order], asset[order], repair_h[order]

    is_last_of_draw = np.ones(len(draw), np.bool_)
    is_last_of_draw[:-1] = draw[1:] != draw[:-1]
    next_h = np.where(is_last_of_draw, 0.0, np.append(repair_h[1:], 0.0))
    last = np.flatnonzero(is_last_of_draw | (repair_h != next_h))
    start = np.searchsorted(draw, draw[last])
    set_row, kept = distinct_sets(asset, start, last + 1)
    size = (last + 1 - start)[kept]
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    member = np.arange(indptr[-1]) + np.repeat(start[kept] - indptr[:-1], size)
    return Stages(draw[last], (repair_h - next_h)[last], set_row, indptr, asset[member])


def mix(state: UInt64) -> UInt64:
    """Scramble 64-bit states: the output function of SplitMix64 (a bijection)."""
    mixed = (state ^ (state >> _SHIFT_1)) * _MULTIPLY_1
    mixed = (mixed ^ (mixed >> _SHIFT_2)) * _MULTIPLY_2
    return mixed ^ (mixed >> _SHIFT_3)


def distinct_sets(members: NDArray[np.integer], start: Index, stop: Index) -> tuple[Index, Index]:
    """Give the number of each set ``members[start:stop]``, equal for equal sets, and the first of each."""
    numbers = members.astype(np.uint64)
    keys: dict[str, Index | UInt64] = {"size": stop - start}
    for name, salt in (("first", _STEP), ("second", _SECOND_HASH)):
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mix(numbers * _MULTIPLY_1 + salt))])
        keys[name] = sums[stop] - sums[start]
    frame = pd.DataFrame(keys)
    set_row = frame.groupby(list(keys), sort=False).ngroup().to_numpy(np.intp)
    return np.asarray(set_row, np.intp), np.flatnonzero(~frame.duplicated().to_numpy())
