"""Following a key from one table to another.

Codes are compared by Arrow: pandas turns each of them into a Python object for ``isin`` (3.1), and hashes an
index anew for each look-up.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray


def follow(codes: pd.Series, table: pd.Series) -> pd.Series:
    """Give what each code stands for: a column of text even where nothing answers.

    Parameters
    ----------
    codes : Series of str
        Missing = NaN.
    table : Series of str, indexed by code
        Unique index.

    Returns
    -------
    Series of str
        With the index of `codes`; NaN where the code is missing or unknown.

    Examples
    --------
    >>> follow(pd.Series(["a", None, "c"]), pd.Series({"a": "A", "b": "B"})).isna().tolist()
    [False, True, True]
    """
    told = _texts(table).take(_rows(codes, table.index))
    return pd.Series(told, index=codes.index, dtype="str")


def amount(codes: pd.Series, table: pd.Series) -> NDArray[np.float64]:
    """Give the number that stands behind each code, 0 where the code is missing or unknown.

    Examples
    --------
    >>> amount(pd.Series(["a", None]), pd.Series({"a": 3})).tolist()
    [3.0, 0.0]
    """
    row = locate(codes, table.index)
    numbers = np.append(table.to_numpy(dtype=float), 0.0)  # the last one for who is not there
    return np.nan_to_num(numbers[row])


def among(codes: pd.Series, known: Iterable[str]) -> pd.Series:
    """Tell which codes are among known ones; a missing one is when one of the known is missing too.

    Examples
    --------
    >>> among(pd.Series(["a", None, "c"]), pd.Index(["c", "a"])).tolist()
    [True, False, True]
    """
    found = pc.is_in(_texts(codes), value_set=_texts(known))
    return pd.Series(found.to_numpy(zero_copy_only=False), index=codes.index)


def locate(codes: Iterable[str], known: Iterable[str]) -> NDArray[np.int64]:
    """Give the first row of each code among known ones, -1 where it is missing or unknown.

    Examples
    --------
    >>> locate(pd.Series(["a", None, "c"]), pd.Index(["c", "a", "a"])).tolist()
    [1, -1, 0]
    """
    return pc.fill_null(_rows(codes, known), -1).to_numpy(zero_copy_only=False).astype(np.int64)


def taken(values: NDArray[np.object_], numbers: ArrayLike) -> NDArray[np.object_]:
    """Give the text that each number stands for, "" where the number is -1 or the text is missing.

    Examples
    --------
    >>> taken(np.array(["a", None], object), [0, -1, 1]).tolist()
    ['a', '', '']
    """
    at = np.asarray(numbers, np.int64)
    if not len(values):
        return np.full(len(at), "", object)
    found = np.where(at >= 0, values[at], "")
    return np.where(pd.isna(found), "", found)


def _rows(codes: Iterable[str], known: Iterable[str]) -> pa.Array:
    return pc.index_in(_texts(codes), value_set=_texts(known), skip_nulls=True)


def _texts(codes: Iterable[str]) -> pa.Array:
    """Give codes as one Arrow array of text, missing = null."""
    given = codes if isinstance(codes, pd.Series | pd.Index) else pd.Series(list(codes), dtype="str")
    if not (isinstance(given.dtype, pd.StringDtype) or given.dtype == object):
        given = given.astype("str")  # an empty column, or one that is missing throughout
    array = pa.array(given, pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
