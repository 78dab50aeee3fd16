"""The map of pages without script: where things are drawn, computed by hand on a square of 100 m."""

import re

import numpy as np
import shapely

from gracethd.outputs.svg import MapLayer, draw_map


def layer(label: str, *shapes: object) -> MapLayer:
    return MapLayer(label, np.array(shapes, dtype=object), "#112233")


def paths(svg: str) -> list[str]:
    return re.findall(r'<path d="([^"]*)" fill', svg.split("</svg>", maxsplit=1)[0])


def test_a_line_runs_from_corner_to_corner_with_north_up() -> None:
    """A square of 100 m in 124 pixels with 12 of margin: one metre is one pixel."""
    line = shapely.LineString([(0, 0), (50, 50), (100, 100)])
    svg = draw_map([layer("Câbles", line)], title="t", width=124, height=124)
    assert paths(svg)[0] == "M12.0 112.0L62.0 62.0L112.0 12.0"


def test_each_line_starts_anew_and_points_of_one_pixel_are_one() -> None:
    one, two = shapely.LineString([(0, 0), (0.001, 0), (100, 0)]), shapely.LineString([(0, 100), (100, 100)])
    svg = draw_map([layer("Câbles", one, two)], title="t", width=124, height=124)
    assert paths(svg)[0] == "M12.0 112.0L112.0 112.0M12.0 12.0L112.0 12.0"


def test_points_are_dots_each_place_once() -> None:
    dots = [shapely.Point(0, 0), shapely.Point(0, 0), shapely.Point(100, 100)]
    svg = draw_map([layer("Constats", *dots)], title="t", width=124, height=124)
    assert 'd="M12.0 112.0h0M112.0 12.0h0"' in svg
    assert "(3)" in svg  # the legend counts objects


def test_names_are_escaped_and_nothing_to_draw_is_nothing() -> None:
    svg = draw_map([layer("<b>", shapely.Point(0, 0))], title='"><script>')
    assert "<b>" not in svg
    assert "<script>" not in svg
    assert draw_map([layer("Rien"), layer("Vide", None, shapely.Point())], title="t") == ""


def test_the_scale_bar_is_a_round_length() -> None:
    """A fifth of 4 km, rounded down to 1, 2 or 5 times a power of ten: 500 m."""
    line = shapely.LineString([(0, 0), (4000, 1000)])
    assert ">500 m</text>" in draw_map([layer("Câbles", line)], title="t")


def test_a_large_layer_is_thinned_and_stays_in_its_place() -> None:
    x = np.linspace(0, 1000, 500_000)
    wave = shapely.LineString(np.column_stack([x, np.sin(x) * 0.01]))
    svg = draw_map([layer("Câbles", wave)], title="t")
    assert len(svg) < 100_000
    assert paths(svg)[0].startswith("M12.0 ")
