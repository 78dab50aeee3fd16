"""A map as inline SVG, for pages that run no script: lines, points and outlines on one sheet, north up."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import shapely
from numpy.typing import NDArray

from gracethd.outputs.drawing import one_kind

MARGIN = 12.0
BAR_SHARE = 0.22
"""The scale bar takes at most this share of the width."""
MAX_COORDINATES = 400_000
"""A page with more coordinates than that is slow to open: lines are simplified further."""


@dataclass(frozen=True)
class MapLayer:
    """One kind of object: what the legend calls it, its shapes, and how they look.

    Attributes
    ----------
    label : str
    shapes : (n,) array of geometries
        In one projected CRS, metres; None is left out.
    colour : str
        As CSS writes it, ``#rrggbb``.
    size : float
        Width of lines, or diameter of points, in pixels.
    dash : str
        SVG dash pattern, "" for none.
    """

    label: str
    shapes: NDArray[np.object_]
    colour: str
    size: float = 1.5
    dash: str = ""


def draw_map(layers: Sequence[MapLayer], *, title: str, width: int = 1180, height: int = 720) -> str:
    """Draw layers over one another, the first at the bottom, with a legend and a scale bar.

    Parameters
    ----------
    layers : sequence of MapLayer
        Those without shapes are left out; where none has any, the answer is empty.
    title : str
        For readers who do not see the map.
    width, height : int
        Largest size in pixels; the map keeps the proportions of the ground.

    Returns
    -------
    str
        An ``svg`` element and its legend, safe to put in a page: texts are escaped, nothing else comes from
        data.

    Examples
    --------
    >>> line = np.array([shapely.LineString([(0, 0), (100, 50)])])
    >>> "<path" in draw_map([MapLayer("Câbles", line, "#1f3a52")], title="Réseau")
    True
    """
    layers = [layer for layer in (_drawable(layer) for layer in layers) if len(layer.shapes)]
    if not layers:
        return ""
    bounds = shapely.total_bounds(np.concatenate([layer.shapes for layer in layers]))
    extent = max(bounds[2] - bounds[0], 1.0), max(bounds[3] - bounds[1], 1.0)
    scale = min((width - 2 * MARGIN) / extent[0], (height - 2 * MARGIN) / extent[1])
    wide, high = extent[0] * scale + 2 * MARGIN, extent[1] * scale + 2 * MARGIN
    offset = np.array([bounds[0], bounds[3]])
    parts = [_drawn(layer, offset, scale) for layer in layers]
    bar = _scale_bar(extent[0], scale, high)
    size = f'viewBox="0 0 {wide:.0f} {high + 26:.0f}" width="{wide:.0f}"'
    head = f'<svg class="map" {size} role="img" aria-label="{escape(title)}">'
    legend = "".join(_legend_item(layer) for layer in layers)
    return f'{head}{"".join(parts)}{bar}</svg><ul class="legend">{legend}</ul>'


def _drawable(layer: MapLayer) -> MapLayer:
    shapes = one_kind(layer.shapes)
    shapes = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
    return MapLayer(layer.label, shapes, layer.colour, layer.size, layer.dash)


def _drawn(layer: MapLayer, offset: NDArray[np.float64], scale: float) -> str:
    dimension = int(shapely.get_dimensions(layer.shapes).max())
    if dimension == 0:
        return _points(layer, offset, scale)
    lines = shapely.get_parts(layer.shapes)
    lines = lines[shapely.get_dimensions(lines) == dimension]
    tolerance = 0.3 / scale
    while shapely.get_num_coordinates(lines).sum() > MAX_COORDINATES and tolerance < 50 / scale:
        lines = shapely.simplify(lines, tolerance)
        lines = lines[shapely.length(lines) > tolerance]
        tolerance *= 2
    rings = shapely.get_rings(lines) if dimension > 1 else lines
    path = _path(rings, offset, scale)
    fill = f'fill="{layer.colour}" fill-opacity=".12"' if dimension > 1 else 'fill="none"'
    dash = f' stroke-dasharray="{layer.dash}"' if layer.dash else ""
    look = f'{fill} stroke="{layer.colour}" stroke-width="{layer.size:g}"{dash}'
    return f'<path d="{path}" {look} stroke-linejoin="round"><title>{escape(layer.label)}</title></path>'


def _path(lines: NDArray[np.object_], offset: NDArray[np.float64], scale: float) -> str:
    """Write lines as one path, in tenths of pixels."""
    coordinates, row = shapely.get_coordinates(lines, return_index=True)
    at = _pixels(coordinates, offset, scale)
    is_first = np.diff(row, prepend=-1) != 0
    moved = is_first | (np.abs(np.diff(at, axis=0, prepend=-1)) > 0).any(axis=1)
    last = np.append(is_first[1:], True)
    kept = moved | last
    text = np.char.add(np.where(is_first, "M", "L")[kept], _written(at[kept, 0]))
    return "".join(np.char.add(np.char.add(text, " "), _written(at[kept, 1])).tolist())


def _points(layer: MapLayer, offset: NDArray[np.float64], scale: float) -> str:
    """Draw points as a path of dots: round line ends of no length."""
    at = np.unique(_pixels(shapely.get_coordinates(layer.shapes), offset, scale), axis=0)
    dots = np.char.add(np.char.add(np.char.add("M", _written(at[:, 0])), " "), _written(at[:, 1]))
    path = "h0".join(dots.tolist()) + "h0"
    look = f'stroke="{layer.colour}" stroke-width="{layer.size:g}" stroke-linecap="round" fill="none"'
    return f'<path d="{path}" {look}><title>{escape(layer.label)}</title></path>'


def _pixels(coordinates: NDArray[np.float64], offset: NDArray[np.float64], scale: float) -> NDArray[np.int64]:
    """Give tenths of pixels from the upper left corner."""
    at = (coordinates - offset) * np.array([scale, -scale]) + MARGIN
    return np.round(at * 10).astype(np.int64)


def _written(tenths: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.char.mod("%.1f", tenths / 10)


def _scale_bar(extent: float, scale: float, high: float) -> str:
    metres = _round_length(extent * BAR_SHARE)
    label = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    top, length = round(high + 6), metres * scale
    bar = f'<path d="M{MARGIN} {top}v6h{length:.1f}v-6" fill="none" stroke="#17222c"/>'
    return f'{bar}<text x="{MARGIN + length + 6:.1f}" y="{top + 8}">{label.replace(".", ",")}</text>'


def _round_length(metres: float) -> float:
    power = 10.0 ** np.floor(np.log10(metres))
    return float(max(step for step in (1, 2, 5) if step * power <= metres) * power)


def _legend_item(layer: MapLayer) -> str:
    is_line = int(shapely.get_dimensions(layer.shapes).max()) > 0
    dash = f' stroke-dasharray="{layer.dash}"' if layer.dash else ""
    width = min(layer.size, 10) if is_line else 9
    path = "M2 8h24" if is_line else "M14 8h0"
    key = (
        f'<svg width="28" height="16" aria-hidden="true"><path d="{path}" stroke="{layer.colour}" '
        f'stroke-width="{width:g}" stroke-linecap="round"{dash}/></svg>'
    )
    number = f"{len(layer.shapes):,}".replace(",", "\u202f")
    return f"<li>{key}{escape(layer.label)} <span>({number})</span></li>"
