"""Sorting rows of one code into the objects that they speak of."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def first_alike(
    codes: NDArray[np.object_], compare: Callable[[Rows, Rows], NDArray[np.int8]]
) -> tuple[Rows, NDArray[np.int8]]:
    """Give, for each row, the first row of its code that speaks of the same object.

    Parameters
    ----------
    codes : (n,) object
    compare : callable
        Of two arrays of row numbers: 0 where the pair is one object, else a number that says why not.

    Returns
    -------
    like : (n,) int
        ``like[i] <= i``, and ``codes[like[i]] == codes[i]``.
    why : (n,) int8
        0 for the object of the first row of a code, else why it is not that one.

    Examples
    --------
    >>> x = np.array([0, 9, 9])
    >>> first_alike(np.array(["a"] * 3, object), lambda i, j: (x[i] != x[j]).astype(np.int8))
    (array([0, 1, 1]), array([0, 1, 1], dtype=int8))
    """
    like, why = np.arange(len(codes)), np.zeros(len(codes), np.int8)
    left = like
    while len(left):
        number, distinct = pd.factorize(codes[left])
        first = np.full(len(distinct), -1)
        first[number[::-1]] = left[::-1]
        reason = compare(first[number], left)
        placed = reason == 0
        like[left[placed]] = first[number][placed]
        why[left[placed]] = why[like[left[placed]]]
        left, reason = left[~placed], reason[~placed]
        why[left] = np.where(why[left] == 0, reason, why[left])
    return like, why
