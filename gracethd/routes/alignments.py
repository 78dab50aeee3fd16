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
        Room of the drawer reached (number in the list of rooms given).
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


def walk_alignments(
    fibres: Fibres, starts: NDArray[np.int32], boxes: pd.Index, rooms: pd.Index, targets: pd.Series
) -> Walks:
    """Follow splices from each starting fibre until a drawer of a target room.

    A walk ends without result where no splice goes on (broken) or where more than one does (a splitter or
    a repeated position: nothing tells which is lit).

    Parameters
    ----------
    fibres : Fibres
    starts : (n,) int32
        Fibre numbers.
    boxes, rooms : Index of codes
        What box and room numbers stand for.
    targets : Series of bool by room code
        Rooms whose drawers end a walk.
    """
    n = len(fibres.cable)
    one, two = fibres.splices["fibre1"].to_numpy(), fibres.splices["fibre2"].to_numpy()
    box = boxes.get_indexer(fibres.splices["ebp"]).astype(np.int32)
    near = np.concatenate([one, two])
    far = np.concatenate([two, one]).astype(np.int32)
    order = np.lexsort((far, near))
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(near, minlength=n), out=indptr[1:])
    ends = fibres.contacts[amount(fibres.contacts["room"], targets) > 0]
    ends = ends.drop_duplicates("fibre")
    room = np.full(n, -1, np.int32)
    room[ends["fibre"].to_numpy()] = rooms.get_indexer(ends["room"])
    reached, length, fibre, boxed = _walk(
        starts.astype(np.int64), indptr, far[order], np.concatenate([box, box])[order], room
    )
    kept = np.flatnonzero(reached >= 0)
    size = length[kept]
    offset = np.concatenate([[0], np.cumsum(size)])
    take = np.repeat(kept * MAX_HOPS - offset[:-1], size) + np.arange(offset[-1])
    return Walks(kept, reached[kept], offset, fibre[take], boxed[take])


@compiled
def _walk(
    starts: NDArray[np.int64],
    indptr: NDArray[np.int64],
    far: NDArray[np.int32],
    box: NDArray[np.int32],
    room: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    n = starts.size
    reached = np.full(n, -1, np.int32)
    length = np.zeros(n, np.int64)
    fibre = np.empty(n * MAX_HOPS, np.int32)
    boxed = np.empty(n * MAX_HOPS, np.int32)
    for i in range(n):
        here, before = starts[i], -1
        base = i * MAX_HOPS
        for hop in range(MAX_HOPS):
            fibre[base + hop] = here
            boxed[base + hop] = -1
            if room[here] >= 0:
                reached[i], length[i] = room[here], hop + 1
                break
            following, at, choices = -1, -1, 0
            for k in range(indptr[here], indptr[here + 1]):
                if far[k] != before and far[k] != following:
                    following, at, choices = far[k], box[k], choices + 1
            if choices != 1:
                break
            boxed[base + hop] = at
            before, here = here, following
    return reached, length, fibre, boxed
