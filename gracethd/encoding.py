"""Columns of text that hold few distinct words: each word once, a small number a row."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def words_of(values: pd.Series) -> pd.Series:
    """Encode a column of text, in the fewest bytes a row."""
    coded = _dictionary(values)
    n = len(coded.dictionary)
    size = pa.int8() if n < 2**7 else pa.int16() if n < 2**15 else pa.int32()
    small = pa.DictionaryArray.from_arrays(coded.indices.cast(size), coded.dictionary)
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([small])), index=values.index)


def _dictionary(values: pd.Series) -> pa.DictionaryArray:
    """Give a column of text, encoded or not, as one encoded array of one type."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy()
        return pa.DictionaryArray.from_arrays(
            pa.array(codes.astype(np.int32), mask=codes < 0),
            pa.array(values.cat.categories, pa.large_string()),
        )
    given = pa.array(values, from_pandas=True)
    whole = given.combine_chunks() if isinstance(given, pa.ChunkedArray) else given
    if not pa.types.is_dictionary(whole.type):
        return whole.cast(pa.large_string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        whole.indices.cast(pa.int32()), whole.dictionary.cast(pa.large_string())
    )


def stacked(parts: Sequence[pd.DataFrame], left_out: Iterable[set[str]]) -> dict[str, pd.Series]:
    """Put the columns of parts one under the other, encoded, but those left out of each.

    Parameters
    ----------
    parts : sequence of DataFrame
        Rows of delivered tables, text or encoded.
    left_out : iterable of set of str
        One a part.

    Returns
    -------
    dict of str to Series
        By attribute, sorted; of dtype category, with the rows of all parts.
    """
    told = [
        {str(column) for column in rows.columns} - {"line", "geometry"} - out
        for rows, out in zip(parts, left_out, strict=True)
    ]
    columns = {}
    for attribute in sorted(set().union(*told)):
        chunks = [
            _dictionary(rows[attribute])
            if attribute in names
            else pa.DictionaryArray.from_arrays(
                pa.nulls(len(rows), pa.int32()), pa.array([], pa.large_string())
            )
            for rows, names in zip(parts, told, strict=True)
        ]
        whole = pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.large_string())).unify_dictionaries()
        joined = whole.combine_chunks()
        codes = joined.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        columns[attribute] = _categories(codes, joined.dictionary)
    return columns


def _categories(codes: NDArray[np.int32], words: pa.Array) -> pd.Series:
    index = pd.Index(words.to_pylist(), dtype=str)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(index)))


def mapped(values: pd.Series, change: Callable[[pa.Array], pa.Array] = lambda words: words) -> pd.Series:
    """Change the values of a column, each distinct one once; categories are those that are used, sorted.

    Parameters
    ----------
    values : Series
        Of text or category.
    change : callable
        Of the distinct texts (Arrow, stripped; null = without value) to as many texts.
    """
    coded = _dictionary(values)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    used = np.zeros(len(coded.dictionary) + 1, bool)
    used[codes] = True
    trimmed = pc.utf8_trim_whitespace(coded.dictionary)
    is_told = pc.and_(pc.not_equal(trimmed, ""), pa.array(used[:-1]))
    new = change(pc.if_else(is_told, trimmed, pa.scalar(None, pa.large_string())))
    distinct = pc.unique(new.drop_null())
    distinct = distinct.take(pc.array_sort_indices(distinct))
    row = pc.index_in(new, value_set=distinct, skip_nulls=True).fill_null(-1).to_numpy(zero_copy_only=False)
    row = np.append(row, -1)  # the last is for who has no value
    return _categories(row[codes], distinct).set_axis(values.index)
