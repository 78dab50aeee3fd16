"""How each kind of hazard is drawn: classes of its intensity, in its own colours, darker where stronger."""

from collections.abc import Mapping, Sequence

from gracethd.outputs.styles import Class, GeometryKind, Style, depth_style
from resilience.hazards import WATER_KINDS, HazardKind

_END = 1e9  # open upper class: QGIS ranges need a number
# limits between the classes 0 none, 1 low... 4 very high, which may hold any number between them
_LEVELS = ((0.0, 1.5, "faible (1)"), (1.5, 2.5, "moyen (2)"), (2.5, 3.5, "fort (3)"),
           (3.5, _END, "très fort (4)"))  # fmt: skip
# 110, 130 and 150 km/h are 31, 36 and 42 m/s: gusts by which storms are told in France
_GUST = ((0.0, 25.0, "jusqu'à 25 m/s (90 km/h)"), (25.0, 31.0, "25 à 31 m/s (110 km/h)"),
         (31.0, 36.0, "31 à 36 m/s (130 km/h)"), (36.0, 42.0, "36 à 42 m/s (150 km/h)"),
         (42.0, _END, "plus de 42 m/s"))  # fmt: skip
_VELOCITY = ((0.0, 0.5, "jusqu'à 0,5 m/s"), (0.5, 1.0, "0,5 à 1 m/s"), (1.0, 2.0, "1 à 2 m/s"),
             (2.0, _END, "plus de 2 m/s"))  # fmt: skip
_INSIDE = ((0.0, _END, "dans l'emprise"),)
_INDEX = ((0.0, _END, "indice au-dessus de 0"),)

Limits = Sequence[tuple[float, float, str]]
_LIMITS: Mapping[HazardKind, Limits] = {
    "flood_velocity": _VELOCITY,
    "gust": _GUST,
    "groundwater": _LEVELS,
    "clay": _LEVELS,
    "ground_movement": _LEVELS,
    "fire": _LEVELS,
    "flood_extent": _INSIDE,
    "woods": _INSIDE,
    "outage": _INSIDE,
    "susceptibility": _INDEX,
}
_COLORS: Mapping[HazardKind, tuple[str, ...]] = {
    "flood_velocity": ("#c3b5e0", "#9a83cb", "#6d4fae", "#42267c"),
    "gust": ("#9fd3c7", "#5db3a3", "#2b8c7d", "#0f6157", "#063a35"),
    "groundwater": ("#8fd0d8", "#4fb0bd", "#1f8795", "#0b545e"),
    "clay": ("#d9b382", "#b98246", "#8c5a1f", "#57340b"),
    "ground_movement": ("#dcc274", "#bf9b35", "#8f6f14", "#574207"),
    "fire": ("#f2a65a", "#e0703a", "#b8401f", "#6e1a0e"),
    "flood_extent": ("#2b7bba",),
    "woods": ("#3f7d3a",),
    "outage": ("#8a6d00",),
    "susceptibility": ("#6b6280",),
}
_SIZES = (0.6, 0.8, 1.0, 1.3, 1.6)


def extent_limits(kind: HazardKind) -> Limits:
    """Give the classes by which the reach of a kind is drawn: lower, upper limit and French name.

    Examples
    --------
    >>> [name for _, _, name in extent_limits("clay")]
    ['faible (1)', 'moyen (2)', 'fort (3)', 'très fort (4)']
    """
    return _LIMITS.get(kind, ((0.0, _END, ""),))


def exposure_style(hazard_kind: HazardKind, kind: GeometryKind) -> Style:
    """Give the style of what a kind of hazard touches: `intensity_max` by class, or all alike by presence."""
    if hazard_kind in WATER_KINDS:
        return depth_style(kind)
    grow = 2.0 if kind == "point" else 1.0
    colors, limits = _COLORS[hazard_kind], _LIMITS[hazard_kind]
    if len(limits) == 1:
        return Style(kind, (Class(limits[0][2], colors[0], grow),))
    classes = tuple(
        Class(label, color, size * grow, low, high)
        for (low, high, label), color, size in zip(limits, colors, _SIZES, strict=False)
    )
    return Style(kind, classes, "intensity_max", "graduated")


def area_style(hazard_kind: HazardKind) -> Style:
    """Give the style of where a hazard that is no depth of water reaches: by `intensity_class`."""
    classes = tuple(
        Class(label, color, 0.2, value=label)
        for (_, _, label), color in zip(_LIMITS[hazard_kind], _COLORS[hazard_kind], strict=True)
    )
    return Style("polygon", classes, "intensity_class", "categorised")
