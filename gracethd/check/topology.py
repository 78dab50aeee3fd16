"""Rules on what joins what: ends of lines on nodes, declared ends against drawn ones, boxes and racks."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gracethd.check.places import (
    SUPPORTS,
    Shapes,
    cable_ends,
    cable_lines,
    kept,
    line_ends,
    node_points,
    shapes_of,
)
from gracethd.check.rules import report
from gracethd.deliveries.types import Delivery

TOLERANCE_M = 0.10
"""An end is on a node within 10 cm: parameter of GraceTHD-Check, and DESIGN D3."""

Points = NDArray[np.float64]


def check_topology(delivery: Delivery) -> Iterator[pd.DataFrame]:
    """Find ends that join nothing and ends that code and drawing place differently."""
    yield from _superposed_nodes(delivery)
    yield from _loose_lines(delivery, "t_cableline", "cable_hors_noeud")
    yield from _loose_lines(delivery, "t_cheminement", "chem_hors_noeud")
    yield from _declared_ways(delivery)
    yield from _declared_cables(delivery)
    yield from _supports(delivery)


def _superposed_nodes(delivery: Delivery) -> Iterator[pd.DataFrame]:
    nodes = delivery.tables.get("t_noeud")
    if not isinstance(nodes, gpd.GeoDataFrame) or "nd_code" not in nodes:
        return
    points = nodes[nodes.geometry.notna().to_numpy() & nodes["nd_code"].notna()].drop_duplicates("nd_code")
    # to the millimetre: two nodes of one chamber drawn 5 cm apart are two places
    where = pd.DataFrame(np.round(points.get_coordinates().to_numpy(), 3), index=points.index)
    yield report("noeuds_superposes", "t_noeud", points, where.duplicated(keep=False), attribute="geom")


def _loose_lines(delivery: Delivery, table: str, rule: str) -> Iterator[pd.DataFrame]:
    layer, nodes = delivery.tables.get(table), node_points(delivery.tables)
    if not isinstance(layer, gpd.GeoDataFrame) or nodes.empty:
        return
    tree = cKDTree(_coordinates(shapes_of(nodes)))
    first, last = line_ends(shapes_of(layer.geometry))
    for end, points in (("première", first), ("dernière", last)):
        known = np.isfinite(points).all(axis=1)
        loose = np.zeros(len(layer), bool)
        loose[known] = ~(tree.query(points[known], distance_upper_bound=TOLERANCE_M)[0] <= TOLERANCE_M)
        yield report(rule, table, layer, loose, attribute="geom", detail=f"{end} extrémité")


def _declared_ways(delivery: Delivery) -> Iterator[pd.DataFrame]:
    ways = delivery.tables.get("t_cheminement")
    if not isinstance(ways, gpd.GeoDataFrame) or not {"cm_ndcode1", "cm_ndcode2"} <= set(ways.columns):
        return
    nodes = node_points(delivery.tables)
    far = _far_from_declared(shapes_of(ways.geometry), nodes, ways["cm_ndcode1"], ways["cm_ndcode2"])
    for i in (1, 2):
        yield report("chem_noeud_declare", "t_cheminement", ways, far[i - 1], attribute=f"cm_ndcode{i}")


def _declared_cables(delivery: Delivery) -> Iterator[pd.DataFrame]:
    ends = cable_ends(delivery.tables)
    if ends.empty:
        return
    lines = cable_lines(delivery.tables)
    drawn = ends["cb_code"].isin(lines.index).to_numpy()
    shapes = np.full(len(ends), None, dtype=object)
    shapes[drawn] = shapes_of(lines.reindex(ends.loc[drawn, "cb_code"]))
    far = _far_from_declared(shapes, node_points(delivery.tables), ends["nd1"], ends["nd2"])
    for i in (1, 2):
        yield report("cable_noeud_declare", "t_cable", ends, far[i - 1], attribute=f"cb_nd{i}")
        nodes, places = ends[f"nd{i}"], ends[f"place{i}"]
        other = nodes.notna() & places.notna() & (nodes != places)
        yield report("cable_boite_declaree", "t_cable", ends, other, attribute=f"cb_nd{i}")
        told = ends[[f"nd{i}", f"box{i}", f"rack{i}"]].notna().any(axis=1)
        yield report(
            "cable_sans_extremite",
            "t_cable",
            ends,
            ~told & ~drawn & _is_cable(delivery),
            attribute=f"cb_nd{i}",
        )


def _is_cable(delivery: Delivery) -> pd.Series:
    """Tell which rows of t_cable are not patch cords or breakouts, which stay inside a room (DESIGN D5)."""
    cable = delivery.tables["t_cable"]
    if "cb_typephy" not in cable:
        return pd.Series(np.ones(len(cable), bool), index=cable.index)
    return ~cable["cb_typephy"].isin(["J", "B"])


def _far_from_declared(
    shapes: Shapes, nodes: gpd.GeoSeries, code1: pd.Series, code2: pd.Series
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell at which ends the declared node is away from the line, drawn in its better direction.

    The direction of a line means nothing: a third of the lines of a real delivery run against their codes.
    """
    first, last = line_ends(shapes)
    node1, node2 = _declared(nodes, code1), _declared(nodes, code2)
    along = np.stack([_distance(node1, first), _distance(node2, last)])
    against = np.stack([_distance(node1, last), _distance(node2, first)])
    better = np.where(np.nansum(along, axis=0) <= np.nansum(against, axis=0), along, against)
    with np.errstate(invalid="ignore"):
        far = better > TOLERANCE_M
    return far[0], far[1]


def _declared(nodes: gpd.GeoSeries, codes: pd.Series) -> Points:
    return _coordinates(shapes_of(nodes.reindex(codes)))


def _coordinates(points: Shapes) -> Points:
    single = kept(points, shapely.get_type_id(points) == shapely.GeometryType.POINT)
    return np.column_stack([shapely.get_x(single), shapely.get_y(single)])


def _distance(one: Points, other: Points) -> NDArray[np.float64]:
    distance: NDArray[np.float64] = np.hypot(one[:, 0] - other[:, 0], one[:, 1] - other[:, 1])
    return distance


def _supports(delivery: Delivery) -> Iterator[pd.DataFrame]:
    for table, none, several in (
        ("t_ebp", "ebp_sans_support", "ebp_plusieurs_supports"),
        ("t_baie", "baie_sans_local", None),
    ):
        frame = delivery.tables.get(table)
        if frame is None:
            continue
        names = [name for name in SUPPORTS[table] if name in frame]
        if not names:  # that the attributes are absent is told once
            continue
        given = frame[names].notna().sum(axis=1)
        yield report(none, table, frame, given == 0, attribute=names[0])
        if several:
            yield report(several, table, frame, given > 1, attribute=names[0])
