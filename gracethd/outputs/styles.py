"""How layers look, in QGIS and on the page: classes, colours, and the QML that QGIS reads.

The colours of losses darken from class to class and the lines thicken, so that rank is read without colour;
water is blue, works take hues that stay apart for colour-blind readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

GeometryKind = Literal["point", "line", "polygon"]
_QGIS_KIND: dict[GeometryKind, tuple[str, str, str]] = {
    "point": ("0", "marker", "SimpleMarker"),
    "line": ("1", "line", "SimpleLine"),
    "polygon": ("2", "fill", "SimpleFill"),
}
_END = 1e9  # open upper class: QGIS ranges need a number


@dataclass(frozen=True)
class Class:
    """One entry of a legend: what it takes, how it is drawn.

    Attributes
    ----------
    label : str
    color : str
        ``#rrggbb``.
    size : float
        Line width or point diameter, in millimetres on paper.
    lower, upper : float
        Of a graduated style: ``lower <= value <= upper``.
    value : str
        Of a categorised style.
    """

    label: str
    color: str
    size: float
    lower: float = 0.0
    upper: float = 0.0
    value: str = ""


@dataclass(frozen=True)
class Style:
    """How one layer is drawn: by classes of `attribute`, or all alike where `attribute` is empty."""

    kind: GeometryKind
    classes: tuple[Class, ...]
    attribute: str = ""
    renderer: Literal["graduated", "categorised", "single"] = "single"


# limits of gravity: below a PM (Arcep 2010-1312), one PM, several PM, a mean NRO; assumptions
_CUT = (
    (0, 299, "moins de 300", "#d8a03c", 0.5),
    (300, 999, "300 à 999", "#d4652a", 0.9),
    (1000, 4999, "1 000 à 4 999", "#a8261f", 1.4),
    (5000, _END, "5 000 et plus", "#4c0a16", 2.0),
)
_DEPTH = (
    (0.0, 0.2, "jusqu'à 0,2 m", "#9ecae1", 0.6),
    (0.2, 0.5, "0,2 à 0,5 m", "#5aa2cf", 0.8),
    (0.5, 1.0, "0,5 à 1 m", "#2b7bba", 1.0),
    (1.0, 2.0, "1 à 2 m", "#08519c", 1.3),
    (2.0, _END, "plus de 2 m", "#08264d", 1.6),
)
_FAMILY = (
    ("BOUCLAGE", "Bouclage", "#5b3a9e", 1.2),
    ("SECURISATION_SITE", "Sécurisation de site", "#00776b", 1.2),
    ("ENFOUISSEMENT", "Enfouissement", "#b0308a", 1.2),
    ("AUTRE", "Autre", "#555555", 1.2),
)


def cut_style(kind: GeometryKind) -> Style:
    """Give the style of losses: `prises_cut` in four classes, limits 300, 1,000 and 5,000 prises."""
    grow = 2.0 if kind == "point" else 1.0
    classes = tuple(Class(label, color, size * grow, low, high) for low, high, label, color, size in _CUT)
    return Style(kind, classes, "prises_cut", "graduated")


def depth_style(kind: GeometryKind) -> Style:
    """Give the style of exposure to water: `intensity_max` in five classes of depth, metres."""
    grow = 2.0 if kind == "point" else 1.0
    classes = tuple(Class(label, color, size * grow, low, high) for low, high, label, color, size in _DEPTH)
    return Style(kind, classes, "intensity_max", "graduated")


def plan_style(kind: GeometryKind) -> Style:
    """Give the style of works: one hue for each `famille`."""
    grow = 2.5 if kind == "point" else 1.0
    classes = tuple(Class(label, color, size * grow, value=value) for value, label, color, size in _FAMILY)
    return Style(kind, classes, "famille", "categorised")


def severity_style() -> Style:
    """Give the style of findings: `severity`, the more serious the darker and larger."""
    words = (
        ("bloquant", "#4c0a16", 3.0),
        ("majeur", "#a8261f", 2.4),
        ("mineur", "#d8a03c", 1.8),
        ("info", "#8a8f94", 1.4),
    )
    classes = tuple(Class(value.capitalize(), color, size, value=value) for value, color, size in words)
    return Style("point", classes, "severity", "categorised")


def outline_style() -> Style:
    """Give the style of communes: a thin grey outline on a fill that can hardly be seen."""
    return Style("polygon", (Class("Communes", "#8a8f94", 0.2),))


def rooms_style() -> Style:
    """Give the style of NRO and PM: `nature` by size and tone."""
    classes = (Class("NRO", "#10202e", 2.6, value="NRO"), Class("PM", "#4a6072", 1.6, value="PM"))
    return Style("point", classes, "nature", "categorised")


def extent_style() -> Style:
    """Give the style of what events cover: `return_period`, darker where water comes more often."""
    limits = (0, 30, 300, _END)
    labels = ("30 ans et moins", "de 31 à 300 ans", "plus de 300 ans")
    colors = ("#7fb2d9", "#b3d2ea", "#dbe9f5")
    classes = tuple(Class(labels[i], colors[i], 0.1, limits[i] + (i > 0), limits[i + 1]) for i in range(3))
    return Style("polygon", classes, "return_period", "graduated")


def coverage_style() -> Style:
    """Give the style of the area where a hazard has been mapped: an outline."""
    return Style("polygon", (Class("Emprise cartographiée", "#3b6ea5", 0.5),))


def status_style() -> Style:
    """Give the style of optical routes at their prise: `status`, the more broken the darker and larger."""
    words = (("broken", "Rompue", "#a8261f", 2.4), ("ambiguous", "Ambiguë", "#d8a03c", 1.8),
             ("complete", "Complète", "#3b6ea5", 1.2))  # fmt: skip
    classes = tuple(Class(label, color, size, value=value) for value, label, color, size in words)
    return Style("point", classes, "status", "categorised")


def mounting_style() -> Style:
    """Give the style of mountings: `mounting`, aerial warm, buried cool, unknown grey and thick."""
    words = (
        ("aérien télécom", "#d4652a"), ("aérien énergie", "#a8261f"), ("aérien", "#d8a03c"),
        ("façade", "#b0308a"), ("immeuble", "#5b3a9e"), ("pleine terre", "#00776b"), ("caniveau", "#2b7bba"),
        ("galerie", "#08519c"), ("conduite", "#3b6ea5"), ("égout", "#4a6072"), ("spécifique", "#555555"),
        ("inconnu", "#8a8f94"),
    )  # fmt: skip
    classes = tuple(Class(word.capitalize(), color, 0.8, value=word) for word, color in words)
    return Style("line", classes, "mounting", "categorised")


def qml(style: Style, aliases: Sequence[tuple[str, str]] = ()) -> str:
    """Give the style as QML, with the French alias of each field.

    Parameters
    ----------
    style : Style
    aliases : sequence of (field, alias)
        In the order of the layer's fields.

    Returns
    -------
    str
        XML that QGIS 3 loads as a layer's default style (``layer_styles.styleQML``).
    """
    root = style_of(style, aliases)
    text = ET.tostring(root, encoding="unicode")
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}"


def style_of(style: Style, aliases: Sequence[tuple[str, str]] = ()) -> ET.Element:
    """Give what `qml` writes: its children are those of a layer in a project, too."""
    root = ET.Element("qgis", version="3.22.16", styleCategories="Symbology|Fields")
    root.append(_renderer(style))
    names = ET.SubElement(root, "aliases")
    for index, (name, alias) in enumerate(aliases):
        ET.SubElement(names, "alias", field=name, index=str(index), name=alias)
    ET.SubElement(root, "layerGeometryType").text = _QGIS_KIND[style.kind][0]
    return root


def _renderer(style: Style) -> ET.Element:
    names = {"graduated": "graduatedSymbol", "categorised": "categorizedSymbol", "single": "singleSymbol"}
    renderer = ET.Element("renderer-v2", type=names[style.renderer], enableorderby="0", forceraster="0")
    if style.attribute:
        renderer.set("attr", style.attribute)
    if style.renderer == "graduated":
        renderer.set("graduatedMethod", "GraduatedColor")
        ranges = ET.SubElement(renderer, "ranges")
        for index, entry in enumerate(style.classes):
            limits = {"lower": repr(float(entry.lower)), "upper": repr(float(entry.upper))}
            ET.SubElement(ranges, "range", limits, symbol=str(index), label=entry.label, render="true")
    if style.renderer == "categorised":
        categories = ET.SubElement(renderer, "categories")
        for index, entry in enumerate(style.classes):
            ET.SubElement(
                categories, "category", symbol=str(index), value=entry.value, label=entry.label, render="true"
            )
    symbols = ET.SubElement(renderer, "symbols")
    symbols.extend(_symbol(style.kind, index, entry) for index, entry in enumerate(style.classes))
    return renderer


def _symbol(kind: GeometryKind, index: int, entry: Class) -> ET.Element:
    _, symbol_type, layer_class = _QGIS_KIND[kind]
    symbol = ET.Element("symbol", name=str(index), type=symbol_type, alpha="1", clip_to_extent="1")
    layer = ET.SubElement(symbol, "layer", {"class": layer_class}, enabled="1", locked="0")
    layer.set("pass", str(index))  # heavier classes are drawn over lighter ones
    properties = _symbol_properties(kind, entry)
    option = ET.SubElement(layer, "Option", type="Map")
    for name, value in properties.items():  # QGIS 3.26 and later read Option, older ones prop
        ET.SubElement(option, "Option", name=name, value=value, type="QString")
    for name, value in properties.items():
        ET.SubElement(layer, "prop", k=name, v=value)
    return symbol


def _symbol_properties(kind: GeometryKind, entry: Class) -> dict[str, str]:
    color = _rgba(entry.color, 255)
    if kind == "line":
        return {
            "line_color": color, "line_width": f"{entry.size:g}", "line_width_unit": "MM",
            "line_style": "solid", "capstyle": "round", "joinstyle": "round",
        }  # fmt: skip
    if kind == "point":
        return {
            "color": color, "size": f"{entry.size + 1:g}", "size_unit": "MM", "name": "circle",
            "outline_color": "255,255,255,255", "outline_width": "0.3", "outline_width_unit": "MM",
        }  # fmt: skip
    return {
        "color": _rgba(entry.color, 20), "style": "solid", "outline_color": color, "outline_style": "solid",
        "outline_width": f"{entry.size:g}", "outline_width_unit": "MM",
    }  # fmt: skip


def _rgba(color: str, alpha: int) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"
