"""Following keys: Arrow must answer as pandas does, one code at a time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.codes import among, amount, follow, locate

code = st.one_of(st.none(), st.sampled_from(["a", "b", "CB01", "é", ""]))
codes = st.lists(code, max_size=8)
tables = st.dictionaries(st.sampled_from(["a", "b", "CB01", "é", "", "z"]), code, max_size=6)


@given(codes, tables)
def test_a_code_is_followed_to_what_it_stands_for(
    given_codes: list[str | None], table: dict[str, str]
) -> None:
    asked = pd.Series(given_codes, dtype="str", index=range(3, 3 + len(given_codes)))
    told = follow(asked, pd.Series(table, dtype="str", index=pd.Index(list(table), dtype="str")))
    assert told.index.equals(asked.index)
    assert told.dtype == "str"
    expected = [None if one is None else table.get(one) for one in given_codes]
    assert [None if pd.isna(one) else one for one in told] == expected


@given(codes, codes)
def test_codes_are_found_as_pandas_finds_them(given_codes: list[str | None], known: list[str | None]) -> None:
    asked, among_them = pd.Series(given_codes, dtype=object), pd.Series(known, dtype=object)
    assert among(asked.astype("str"), among_them.astype("str")).tolist() == [
        one in known for one in given_codes
    ]
    assert locate(asked, among_them).tolist() == [
        known.index(one) if one is not None and one in known else -1 for one in given_codes
    ]


def test_numbers_are_summed_up_from_zero() -> None:
    table = pd.Series([2.5, np.nan], index=["a", "b"])
    assert amount(pd.Series(["b", "a", None, "c"]), table).tolist() == [0, 2.5, 0, 0]


@pytest.mark.parametrize("nothing", [pd.Series(dtype="str"), pd.Series(dtype=object), pd.Series(dtype=float)])
def test_empty_tables_answer_nothing(nothing: pd.Series) -> None:
    asked = pd.Series(["a", None])
    assert follow(asked, nothing).isna().all()
    assert amount(asked, nothing.astype(float)).tolist() == [0, 0]
    assert not among(asked, nothing).any()
    assert follow(nothing, pd.Series({"a": "A"})).empty
