"""Rows shared among threads give what one call on all rows gives, in order."""

import numpy as np
import pytest
import shapely

from gracethd.threads import FEW_ROWS, by_rows


@pytest.mark.parametrize("n", [0, 1, FEW_ROWS - 1, FEW_ROWS, 3 * FEW_ROWS + 7])
def test_parts_are_put_together_in_the_order_of_rows(n: int) -> None:
    x, y = np.arange(n), np.arange(n)[::-1] * 3
    assert by_rows(np.subtract, x, y).tolist() == [i - 3 * (n - 1 - i) for i in range(n)]


def test_geometry_of_many_rows_is_that_of_each_row() -> None:
    rng = np.random.default_rng(0)
    lines = shapely.linestrings(rng.random((FEW_ROWS + 11, 2, 2)))
    lengths = by_rows(shapely.length, lines)
    assert lengths.tolist() == [line.length for line in lines]


def test_what_a_row_refuses_is_raised() -> None:
    with pytest.raises(TypeError):
        by_rows(shapely.length, np.full(FEW_ROWS, "no line", object))
