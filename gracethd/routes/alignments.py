"""Alignments: which fibre continues which, walked splice by splice up to a drawer (D6, D7)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import amount
from gracethd.compiled import compiled
from gracethd.network.fibres import Fibres

MAX_HOPS = 64
"""A route has a dozen splices at most; a longer walk is a loop in the data."""


@dataclass(frozen=True)
class Walks:
    """One walk per starting fibre that reached a drawer.

    Attributes
    ----------
    start : (n,) int
        Row of the starting fibre in the list given.
    room : (n,) int
        Room of the drawer reached (row of the targets given).
    indptr : (n + 1,) int
        Slices of `fibre` and `box`.
    fibre : fibres met, the starting one first.
    box : box (number in the list given) where each fibre is spliced to the *next*; -1 for the last.
    """

    start: NDArray[np.int64]
    room: NDArray[np.int32]
    indptr: NDArray[np.int64]
    fibre: NDArray[np.int32]
    box: NDArray[np.int32]

    def take(self, kept: NDArray[np.int64]) -> "Walks":
        """Give these walks, in this order."""
        size = np.diff(self.indptr)[kept]
        indptr = np.concatenate([[0], np.cumsum(size)])
        at = np.repeat(self.indptr[kept] - indptr[:-1], size) + np.arange(indptr[-1])
        return Walks(self.start[kept], self.room[kept], indptr, self.fibre[at], self.box[at])


def walk_alignments(fibres: Fibres, starts: NDArray[np.int32], boxes: pd.Index, targets: pd.Series) -> Walks:
    """Follow splices from each starting fibre until a drawer of a target room.

    A walk ends without result where no splice goes on (broken) or where more than one does (a splitter or
    a repeated position: nothing tells which is lit).

    Parameters
    ----------
    fibres : Fibres
    starts : (n,) int32
        Fibre numbers.
    boxes : Index of bp_code
        What box numbers stand for.
    targets : Series of bool by room code
        Rooms whose drawers end a walk; room numbers are its rows.
    """
    room, graph = _splice_graph(fibres, boxes, targets)
    reached, length = _walk(starts.astype(np.int64), room, *graph)
    kept = np.flatnonzero(reached >= 0)
    offset = np.concatenate([[0], np.cumsum(length[kept])])
    fibre, boxed = _trail(starts.astype(np.int64)[kept], offset, *graph)
    return Walks(kept, reached[kept], offset, fibre, boxed)


def find_stops(
    fibres: Fibres, starts: NDArray[np.int32], boxes: pd.Index, targets: pd.Series
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Tell where walks stop and why: the arguments of `walk_alignments`.

    Returns
    -------
    fibre : (n,) int32
        Last fibre of each walk.
    choices : (n,) int32
        Fibres that might follow it: 0 broken, 2 or more ambiguous, 1 a loop; -1 where it is in a drawer.
    """
    room, graph = _splice_graph(fibres, boxes, targets)
    return _stop(starts.astype(np.int64), room, *graph)


def _splice_graph(
    fibres: Fibres, boxes: pd.Index, targets: pd.Series
) -> tuple[NDArray[np.int32], tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]]:
    """Give the room of the drawer of each fibre (-1 none), and what it is spliced to, in which box."""
    n = len(fibres.cable)
    one, two = fibres.splices["fibre1"].to_numpy(), fibres.splices["fibre2"].to_numpy()
    box = boxes.get_indexer(pd.Index(fibres.splices["ebp"])).astype(np.int32)
    near = np.concatenate([one, two])
    far = np.concatenate([two, one]).astype(np.int32)
    order = np.lexsort((far, near))
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(near, minlength=n), out=indptr[1:])
    ends = fibres.contacts[amount(fibres.contacts["room"], targets) > 0]
    ends = ends.drop_duplicates("fibre")
    room = np.full(n, -1, np.int32)
    room[ends["fibre"].to_numpy()] = targets.index.get_indexer(pd.Index(ends["room"]))
    return room, (indptr, far[order], np.concatenate([box, box])[order])


@compiled
def _onward(
    here: np.int64,
    before: np.int64,
    indptr: NDArray[np.int64],
    far: NDArray[np.int32],
    box: NDArray[np.int32],
) -> tuple[int, int, int]:
    """Give the fibre that follows, the box of the splice, and how many fibres might follow."""
    following, at, choices = -1, -1, 0
    for k in range(indptr[here], indptr[here + 1]):
        if far[k] not in (before, following):
            following, at, choices = far[k], box[k], choices + 1
    return following, at, choices


@compiled
def _walk(
    starts: NDArray[np.int64],
    room: NDArray[np.int32],
    indptr: NDArray[np.int64],
    far: NDArray[np.int32],
    box: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Give the room that each walk reaches, -1 none, and how many fibres it takes."""
    reached = np.full(starts.size, -1, np.int32)
    length = np.zeros(starts.size, np.int64)
    for i in range(starts.size):
        here, before = starts[i], np.int64(-1)
        for hop in range(MAX_HOPS):
            if room[here] >= 0:
                reached[i], length[i] = room[here], hop + 1
                break
            following, _, choices = _onward(here, before, indptr, far, box)
            if choices != 1:
                break
            before, here = here, np.int64(following)
    return reached, length


@compiled
def _trail(
    starts: NDArray[np.int64],
    offset: NDArray[np.int64],
    indptr: NDArray[np.int64],
    far: NDArray[np.int32],
    box: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Write down the fibres of walks known to arrive, and the box where each is spliced to the next."""
    fibre = np.empty(offset[-1], np.int32)
    boxed = np.full(offset[-1], -1, np.int32)
    for i in range(starts.size):
        here, before = starts[i], np.int64(-1)
        for k in range(offset[i], offset[i + 1]):
            fibre[k] = here
            if k + 1 < offset[i + 1]:
                following, boxed[k], _ = _onward(here, before, indptr, far, box)
                before, here = here, np.int64(following)
    return fibre, boxed


@compiled
def _stop(
    starts: NDArray[np.int64],
    room: NDArray[np.int32],
    indptr: NDArray[np.int64],
    far: NDArray[np.int32],
    box: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give the last fibre of each walk and how many might follow it; -1 where it is in a drawer."""
    last = np.empty(starts.size, np.int32)
    count = np.empty(starts.size, np.int32)
    for i in range(starts.size):
        here, before, choices = starts[i], np.int64(-1), 1
        for _ in range(MAX_HOPS):
            if room[here] >= 0:
                choices = -1
                break
            following, _, choices = _onward(here, before, indptr, far, box)
            if choices != 1:
                break
            before, here = here, np.int64(following)
        last[i], count[i] = here, choices
    return last, count
