"""One kind of geometry for each object."""

import numpy as np
import pytest
import shapely

from gracethd.outputs.drawing import are_lines, one_kind, standing_points


@pytest.mark.parametrize(
    ("wkt", "kept", "point", "is_line"),
    [
        ("POINT (1 2)", "POINT (1 2)", "POINT (1 2)", False),
        ("LINESTRING (0 0, 4 0)", "LINESTRING (0 0, 4 0)", "POINT (2 0)", True),
        (
            "MULTILINESTRING ((0 0, 1 0), (0 5, 4 5))",
            "MULTILINESTRING ((0 0, 1 0), (0 5, 4 5))", "POINT (2 5)", True,
        ),
        (
            "GEOMETRYCOLLECTION (POINT (9 9), MULTILINESTRING ((0 0, 2 0)), POLYGON ((0 0, 1 0, 1 1, 0 0)))",
            "MULTILINESTRING ((0 0, 2 0))", "POINT (1 0)", True,
        ),
        ("GEOMETRYCOLLECTION (POINT (9 9))", "MULTIPOINT ((9 9))", "POINT (9 9)", False),
    ],
)  # fmt: skip
def test_collections_keep_their_lines(wkt: str, kept: str, point: str, is_line: bool) -> None:  # noqa: FBT001
    given = np.array([shapely.from_wkt(wkt)])
    assert shapely.equals(one_kind(given)[0], shapely.from_wkt(kept))
    assert standing_points(given)[0] == shapely.from_wkt(point)
    assert are_lines(given).tolist() == [is_line]


def test_a_missing_geometry_stays_missing() -> None:
    given = np.array([None, shapely.LineString([(0, 0), (2, 0)])], dtype=object)
    assert standing_points(given).tolist() == [None, shapely.Point(1, 0)]
    assert are_lines(given).tolist() == [False, True]


def test_the_point_of_a_polygon_lies_inside() -> None:
    shape = shapely.from_wkt("POLYGON ((0 0, 10 0, 10 10, 9 10, 9 1, 0 1, 0 0))")
    assert shape.contains(standing_points(np.array([shape]))[0])
