"""A QGIS project over a GeoPackage: layers grouped by chapter, styled, with French aliases and relations.

The project is one XML file in a zip, which QGIS reads since version 3.2. It names the GeoPackage relative to
itself, holds no macro and asks nothing of a network.
"""

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj

from gracethd.outputs.geopackage import Layer, aliases_of
from gracethd.outputs.publish import fixed_moment, marking, written_aside
from gracethd.outputs.styles import style_of

VERSION = "3.22.16"  # of Debian 12; later ones read it too


@dataclass(frozen=True)
class Group:
    """Layers of one chapter, from the one drawn last (on top) to the one drawn first.

    Attributes
    ----------
    title : str
    layers : sequence of Layer
    visible : sequence of str
        Names of those that are shown when the project opens.
    """

    title: str
    layers: Sequence[Layer]
    visible: Sequence[str] = ()


@dataclass(frozen=True)
class Relation:
    """Rows of one layer that belong to a row of another: child and parent layer, and their fields."""

    name: str
    child: str
    child_field: str
    parent: str
    parent_field: str


def write_project(
    groups: Sequence[Group],
    path: Path,
    geopackage: str,
    *,
    title: str,
    recipient: str,
    day: date,
    relations: Sequence[Relation] = (),
) -> None:
    """Write a project ``.qgz`` beside the GeoPackage that it opens, whole, owner only.

    Parameters
    ----------
    groups : sequence of Group
        The uppermost first. Layers without geometry or style are left out.
    path : Path
    geopackage : str
        Name of the file, in the same folder.
    title, recipient : str
        Of the project; the recipient stands in the mark of restricted circulation.
    day : date
        Inner dates are SOURCE_DATE_EPOCH, else this day: equal content, equal bytes.
    relations : sequence of Relation
        Those whose layers or fields are not there are left out.
    """
    root = _project(groups, geopackage, f"{title} — {marking(recipient, day)}", relations)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    whole = f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}\n"
    with written_aside(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{path.stem}.qgs", fixed_moment(day).timetuple()[:6])
        archive.writestr(entry, whole.encode("utf-8"), zipfile.ZIP_DEFLATED)


def _project(
    groups: Sequence[Group], geopackage: str, title: str, relations: Sequence[Relation]
) -> ET.Element:
    drawn = [layer for group in groups for layer in _drawn(group)]
    root = ET.Element("qgis", version=VERSION, projectname=title)
    ET.SubElement(root, "title").text = title
    crs = next((layer.frame.crs for layer in drawn if isinstance(layer.frame, gpd.GeoDataFrame)), None)
    if crs is not None:
        ET.SubElement(root, "projectCrs").append(_reference(crs))
    tree = ET.SubElement(root, "layer-tree-group")
    for group in groups:
        branch = ET.SubElement(
            tree, "layer-tree-group", name=group.title, checked="Qt::Checked", expanded="1"
        )
        for layer in _drawn(group):
            shown = "Qt::Checked" if layer.name in group.visible else "Qt::Unchecked"
            ET.SubElement(
                branch, "layer-tree-layer", id=_id(layer.name), name=layer.title, checked=shown, expanded="0",
                providerKey="ogr", source=_source(geopackage, layer),
            )  # fmt: skip
    ET.SubElement(root, "projectlayers").extend(_map_layer(layer, geopackage) for layer in drawn)
    fields = {(layer.name, str(field)) for layer in drawn for field in layer.frame.columns}
    listed = ET.SubElement(root, "relations")
    for relation in relations:
        ends = {(relation.child, relation.child_field), (relation.parent, relation.parent_field)}
        if ends <= fields:
            _add_relation(listed, relation)
    root.append(_view(drawn))
    properties = ET.SubElement(root, "properties")
    ET.SubElement(ET.SubElement(properties, "Paths"), "Absolute", type="bool").text = "false"
    # without it QGIS does not read the project's reference system
    ET.SubElement(ET.SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", type="int").text = "1"
    return root


def _drawn(group: Group) -> Iterator[Layer]:
    for layer in group.layers:
        if layer.style is not None and isinstance(layer.frame, gpd.GeoDataFrame) and len(layer.frame):
            yield layer


def _id(name: str) -> str:
    """Give the identifier of a layer: QGIS replaces those of fewer than eleven characters."""
    return f"resilience_{name}"


def _source(geopackage: str, layer: Layer) -> str:
    return f"./{geopackage}|layername={layer.name}"


def _map_layer(layer: Layer, geopackage: str) -> ET.Element:
    """Give a layer with its style: what its QML holds stands in the project too."""
    assert layer.style is not None
    assert isinstance(layer.frame, gpd.GeoDataFrame)
    kinds = {"point": "Point", "line": "Line", "polygon": "Polygon"}
    node = ET.Element("maplayer", type="vector", geometry=kinds[layer.style.kind], autoRefreshEnabled="0")
    ET.SubElement(node, "id").text = _id(layer.name)
    ET.SubElement(node, "datasource").text = _source(geopackage, layer)
    ET.SubElement(node, "layername").text = layer.title
    ET.SubElement(node, "provider", encoding="UTF-8").text = "ogr"
    if layer.frame.crs is not None:
        ET.SubElement(node, "srs").append(_reference(layer.frame.crs))
    node.extend(style_of(layer.style, [("fid", "fid"), *aliases_of(layer)]))
    return node


def _reference(crs: pyproj.CRS) -> ET.Element:
    node = ET.Element("spatialrefsys", nativeFormat="Wkt")
    ET.SubElement(node, "wkt").text = crs.to_wkt()
    authority = crs.to_authority()
    if authority is not None:
        ET.SubElement(node, "authid").text = ":".join(authority)
    return node


def _add_relation(listed: ET.Element, relation: Relation) -> None:
    node = ET.SubElement(
        listed, "relation", id=f"{relation.child}_{relation.parent}", name=relation.name,
        referencingLayer=_id(relation.child), referencedLayer=_id(relation.parent), strength="Association",
    )  # fmt: skip
    fields = {"referencingField": relation.child_field, "referencedField": relation.parent_field}
    ET.SubElement(node, "fieldRef", fields)


def _view(layers: Sequence[Layer]) -> ET.Element:
    """Give the map as it opens: around everything that is drawn."""
    bounds = [layer.frame.total_bounds for layer in layers if isinstance(layer.frame, gpd.GeoDataFrame)]
    canvas = ET.Element("mapcanvas", name="theMapCanvas")
    known = np.array([box for box in bounds if np.isfinite(box).all()])
    if len(known):
        low, high = known[:, :2].min(axis=0), known[:, 2:].max(axis=0)
        extent = ET.SubElement(canvas, "extent")
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), (*low, *high), strict=True):
            ET.SubElement(extent, name).text = repr(float(value))
    return canvas
