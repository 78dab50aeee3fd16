"""Rules on what joins what: ends of lines on nodes, declared ends against drawn ones, boxes and racks."""

from collections.abc import Iterator
from typing import NamedTuple

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
    column,
    kept,
    line_ends,
    node_points,
    shapes_of,
)
from gracethd.check.rules import report
from gracethd.check.settings import Thresholds
from gracethd.connected import connected_parts
from gracethd.deliveries.types import Delivery

Points = NDArray[np.float64]
Y_ARMS = 3
"""Two ways that meet end to end make one way; three arms make a place."""


def check_topology(delivery: Delivery, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find ends that join nothing and ends that code and drawing place differently."""
    yield from _crowded_nodes(delivery, limits)
    yield from _loose_lines(delivery, "t_cableline", "cable_hors_noeud", limits)
    yield from _loose_lines(delivery, "t_cheminement", "chem_hors_noeud", limits)
    yield from _junctions(delivery, limits)
    yield from _declared_ways(delivery, limits)
    yield from _declared_cables(delivery, limits)
    yield from _supports(delivery)
    yield from _cassettes(delivery)


def _crowded_nodes(delivery: Delivery, limits: Thresholds) -> Iterator[pd.DataFrame]:
    nodes = delivery.tables.get("t_noeud")
    if not isinstance(nodes, gpd.GeoDataFrame) or "nd_code" not in nodes:
        return
    is_point = shapely.get_type_id(shapes_of(nodes.geometry)) == shapely.GeometryType.POINT
    points = nodes[is_point & nodes["nd_code"].notna()].drop_duplicates("nd_code")
    # to the millimetre: two nodes of one chamber drawn 5 cm apart are two places
    position, at = _positions(_coordinates(shapes_of(points.geometry)))
    yield report("noeuds_superposes", "t_noeud", points, np.bincount(at)[at] > 1, attribute="geom")
    if len(position) > 1:
        near = has_neighbour(position, limits["near_node_m"])
        yield report("noeuds_proches", "t_noeud", points, near[at], attribute="geom")


def has_neighbour(points: Points, distance: float) -> NDArray[np.bool_]:
    """Tell which points have another one within a distance; with n points, O(n log n)."""
    nearest = np.asarray(cKDTree(points).query(points, k=2, distance_upper_bound=distance)[0])
    return np.isfinite(nearest[:, 1])


def _positions(points: Points) -> tuple[Points, NDArray[np.intp]]:
    """Give the distinct positions, to the millimetre, and the position of each point."""
    millimetres, at = np.unique(np.round(points * 1000), axis=0, return_inverse=True)
    return millimetres / 1000, at.ravel()


def _loose_lines(delivery: Delivery, table: str, rule: str, limits: Thresholds) -> Iterator[pd.DataFrame]:
    layer = delivery.tables.get(table)
    if not isinstance(layer, gpd.GeoDataFrame) or node_points(delivery.tables).empty:
        return
    for end, loose in zip(("première", "dernière"), _loose_ends(delivery, layer, limits), strict=True):
        yield report(
            rule, table, layer, np.isfinite(loose[:, 0]), attribute="geom", detail=f"{end} extrémité"
        )


def _loose_ends(delivery: Delivery, layer: gpd.GeoDataFrame, limits: Thresholds) -> tuple[Points, Points]:
    """Give the first and the last points of lines that are on no node, NaN where they are on one."""
    tree = cKDTree(_coordinates(shapes_of(node_points(delivery.tables))))
    first, last = line_ends(shapes_of(layer.geometry))
    for points in (first, last):
        known = np.isfinite(points).all(axis=1)
        near = tree.query(points[known], distance_upper_bound=limits["node_m"])[0] <= limits["node_m"]
        points[np.flatnonzero(known)[near]] = np.nan
    return first, last


def _junctions(delivery: Delivery, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find the places where three arms of ways or more meet without a node, once each."""
    ways = delivery.tables.get("t_cheminement")
    if not isinstance(ways, gpd.GeoDataFrame) or node_points(delivery.tables).empty:
        return
    ends = np.concatenate(_loose_ends(delivery, ways, limits))
    rows = np.tile(np.arange(len(ways)), 2)[np.isfinite(ends[:, 0])]
    ends = ends[np.isfinite(ends[:, 0])]
    if not len(ends):
        return
    position, at = _positions(ends)
    pairs = cKDTree(position).query_pairs(limits["node_m"], output_type="ndarray")
    n = len(position)
    place = connected_parts(n, pairs[:, 0], pairs[:, 1])
    tree = shapely.STRtree(shapes_of(ways.geometry))
    hit, way = tree.query(shapely.points(position), predicate="dwithin", distance=limits["node_m"])
    through = pd.DataFrame({"place": place[hit], "way": way}).drop_duplicates()
    n_lines = np.bincount(through["place"], minlength=n)
    n_ends = np.bincount(place[at], minlength=n)
    is_y = 2 * n_lines - n_ends >= Y_ARMS  # a line that does not end there has two arms
    lowest = pd.Series(ways["line"].to_numpy()[rows]).groupby(place[at]).min()
    found = lowest[is_y[lowest.index]]
    yield report("jonction_sans_noeud", "t_cheminement", ways, ways["line"].isin(found), attribute="geom")


def _declared_ways(delivery: Delivery, limits: Thresholds) -> Iterator[pd.DataFrame]:
    ways = delivery.tables.get("t_cheminement")
    if not isinstance(ways, gpd.GeoDataFrame) or not {"cm_ndcode1", "cm_ndcode2"} <= set(ways.columns):
        return
    nodes = node_points(delivery.tables)
    ends = _against_declared(shapes_of(ways.geometry), nodes, ways["cm_ndcode1"], ways["cm_ndcode2"], limits)
    for i in (1, 2):
        yield report("chem_noeud_declare", "t_cheminement", ways, ends.far[i - 1], attribute=f"cm_ndcode{i}")
    yield report("ligne_inversee", "t_cheminement", ways, ends.is_reversed, attribute="geom")


def _declared_cables(delivery: Delivery, limits: Thresholds) -> Iterator[pd.DataFrame]:
    ends = cable_ends(delivery.tables)
    if ends.empty:
        return
    lines = cable_lines(delivery.tables)
    drawn = ends["cb_code"].isin(lines.index).to_numpy()
    shapes = np.full(len(ends), None, dtype=object)
    shapes[drawn] = shapes_of(lines.reindex(ends.loc[drawn, "cb_code"]))
    told = _against_declared(shapes, node_points(delivery.tables), ends["nd1"], ends["nd2"], limits)
    yield report("ligne_inversee", "t_cable", ends, told.is_reversed, attribute="geom")
    for i in (1, 2):
        yield report("cable_noeud_declare", "t_cable", ends, told.far[i - 1], attribute=f"cb_nd{i}")
        nodes, places = ends[f"nd{i}"], ends[f"place{i}"]
        other = nodes.notna() & places.notna() & (nodes != places)
        yield report("cable_boite_declaree", "t_cable", ends, other, attribute=f"cb_nd{i}")
        silent = ends[[f"nd{i}", f"box{i}", f"rack{i}"]].isna().all(axis=1)
        nowhere = silent & ~drawn & _is_cable(delivery)
        yield report("cable_sans_extremite", "t_cable", ends, nowhere, attribute=f"cb_nd{i}")


def _is_cable(delivery: Delivery) -> pd.Series:
    """Tell which rows of t_cable are not patch cords or breakouts, which stay inside a room (DESIGN D5)."""
    return ~column(delivery.tables, "t_cable", "cb_typephy").isin(["J", "B"])


class _Ends(NamedTuple):
    """At which ends the declared node is away from the line, and which lines run against their codes."""

    far: NDArray[np.bool_]
    is_reversed: NDArray[np.bool_]


def _against_declared(
    shapes: Shapes, nodes: gpd.GeoSeries, code1: pd.Series, code2: pd.Series, limits: Thresholds
) -> _Ends:
    """Hold the ends of lines, drawn in their better direction, against the declared nodes.

    The direction of a line means nothing: a third of the lines of a real delivery run against their codes.
    """
    first, last = line_ends(shapes)
    node1, node2 = _declared(nodes, code1), _declared(nodes, code2)
    along = np.stack([_distance(node1, first), _distance(node2, last)])
    against = np.stack([_distance(node1, last), _distance(node2, first)])
    better = np.where(np.nansum(along, axis=0) <= np.nansum(against, axis=0), along, against)
    with np.errstate(invalid="ignore"):
        far = better > limits["node_m"]
        runs_back = (against <= limits["node_m"]).all(axis=0) & (along > limits["node_m"]).any(axis=0)
    return _Ends(far, np.asarray(runs_back))


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


def _cassettes(delivery: Delivery) -> Iterator[pd.DataFrame]:
    """Find cassettes that are nowhere; the module of a drawer is told by a position that has both."""
    cassettes = delivery.tables.get("t_cassette")
    if cassettes is None or not {"cs_code", "cs_bp_code"} <= set(cassettes.columns):
        return
    in_drawer = column(delivery.tables, "t_position", "ps_ti_code").notna()
    modules = column(delivery.tables, "t_position", "ps_cs_code")[in_drawer]
    lost = cassettes["cs_bp_code"].isna() & ~cassettes["cs_code"].isin(modules)
    told = column(delivery.tables, "t_cassette_patch201", "cs_code")  # cs_ti_code of the patch: a module too
    yield report(
        "cassette_sans_boite",
        "t_cassette",
        cassettes,
        lost & ~cassettes["cs_code"].isin(told),
        attribute="cs_bp_code",
    )
