"""Following a key from one table to another."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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
    return pd.Series(table.reindex(codes).to_numpy(dtype=object), index=codes.index, dtype="str")


def amount(codes: pd.Series, table: pd.Series) -> NDArray[np.float64]:
    """Give the number that stands behind each code, 0 where the code is missing or unknown.

    Examples
    --------
    >>> amount(pd.Series(["a", None]), pd.Series({"a": 3})).tolist()
    [3.0, 0.0]
    """
    return np.nan_to_num(table.reindex(codes).to_numpy(dtype=float))
