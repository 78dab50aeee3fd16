"""Rules on zones: the room that each names, its place, its outline, and the zones around it."""

from collections.abc import Iterator, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.check.places import column, filled, mapping, node_points, place_nodes, shapes_of
from gracethd.check.rules import report
from gracethd.check.settings import Thresholds

Tables = Mapping[str, pd.DataFrame]
NRO_TYPES = ("NRO", "NRA", "NRAMED", "HEBERG")
SRO_TYPES = ("SRO", "SROL", "SROS")


def check_zones(tables: Tables, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find zones without room, rooms without zone, places outside, overlaps, and zones that leave theirs."""
    nodes = place_nodes(tables)
    yield from _rooms(tables, nodes)
    yield from _nros(tables, nodes)
    yield from _places(tables, nodes, limits)
    yield from _overlaps(tables, limits)
    for rule, small, key, large, code in (
        ("zsro_hors_znro", "t_zsro", "zs_zn_code", "t_znro", "zn_code"),
        ("zpbo_hors_zsro", "t_zpbo", "zp_zs_code", "t_zsro", "zs_code"),
    ):
        yield from _outside_parent(tables, rule, (small, key), (large, code), limits)


def _named_rooms(tables: Tables, table: str, prefix: str) -> pd.Series:
    """Give the room that each zone names, in its table or in the patch of version 2.0.2."""
    patched = mapping(tables, f"{table}_patch202", f"{prefix}_code", f"{prefix}_lt_code")
    of_patch = column(tables, table, f"{prefix}_code").map(patched)
    return filled(column(tables, table, f"{prefix}_lc_code"), of_patch)


def _rooms(tables: Tables, nodes: dict[str, pd.Series]) -> Iterator[pd.DataFrame]:
    for table, prefix, types, rule in (
        ("t_znro", "zn", NRO_TYPES, "zone_sans_nro"), ("t_zsro", "zs", SRO_TYPES, "zone_sans_sro"),
    ):  # fmt: skip
        zones = tables.get(table)
        if zones is None or zones.empty:
            continue
        rooms = _named_rooms(tables, table, prefix)
        known_rooms, known_nodes = _rooms_of_type(tables, nodes, types)
        found = rooms.isin(known_rooms) | column(tables, table, f"{prefix}_nd_code").isin(known_nodes)
        for key, told in (("lc_code", rooms.notna()), ("nd_code", rooms.isna())):
            yield report(rule, table, zones, ~found & told, attribute=f"{prefix}_{key}")
        if table == "t_zsro":
            shared = rooms.notna() & rooms.duplicated()
            yield report("zsro_local_partage", table, zones, shared, attribute="zs_lc_code")


def _rooms_of_type(
    tables: Tables, nodes: dict[str, pd.Series], types: tuple[str, ...]
) -> tuple[pd.Index, pd.Index]:
    """Give the rooms of a type and the nodes where they stand; in version 2 the site carries the type."""
    local = column(tables, "t_local", "lc_code")[column(tables, "t_local", "lc_typelog").isin(types)]
    site = column(tables, "t_sitetech", "st_code")[column(tables, "t_sitetech", "st_typelog").isin(types)]
    of_site = mapping(tables, "t_ltech", "lt_code", "lt_st_code")
    rooms = pd.Index(local.dropna()).union(of_site.index[of_site.isin(site)])
    places = pd.concat([local.map(nodes["t_local"]), site.map(nodes["t_sitetech"])]).dropna()
    return rooms, pd.Index(places.unique())


def _nros(tables: Tables, nodes: dict[str, pd.Series]) -> Iterator[pd.DataFrame]:
    """Find NROs that no zone names, and NROs of one node."""
    zones = tables.get("t_znro")
    named = _named_rooms(tables, "t_znro", "zn")
    named_nodes = column(tables, "t_znro", "zn_nd_code")
    for table, key, typelog in (
        ("t_local", "lc_code", "lc_typelog"),
        ("t_sitetech", "st_code", "st_typelog"),
    ):
        frame = tables.get(table)
        if frame is None or key not in frame:
            continue
        is_nro = column(tables, table, typelog).eq("NRO")
        node = frame[key].map(nodes[table])
        of_zone = frame[key].isin(named) | node.isin(named_nodes.dropna())
        if table == "t_sitetech":
            of_zone |= frame[key].isin(
                named.map(mapping(tables, "t_ltech", "lt_code", "lt_st_code")).dropna()
            )
        if zones is not None and len(zones):
            yield report("nro_sans_zone", table, frame, is_nro & ~of_zone, attribute=key)
        nros = frame[is_nro & node.notna()]
        yield report("nro_meme_noeud", table, nros, node[nros.index].duplicated(), attribute=key)


def _places(tables: Tables, nodes: dict[str, pd.Series], limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find zones whose place (node, room or PBO) is outside their outline."""
    points = node_points(tables)
    rooms = pd.concat([nodes["t_ltech"], nodes["t_local"]])
    rooms = rooms[~rooms.index.duplicated()]
    boxes = column(tables, "t_zpbo", "zp_code").map(
        mapping(tables, "t_zpbo_patch201", "zp_code", "zp_bp_code")
    )
    for table, prefix, place in (
        ("t_znro", "zn", _named_rooms(tables, "t_znro", "zn").map(rooms)),
        ("t_zsro", "zs", _named_rooms(tables, "t_zsro", "zs").map(rooms)),
        ("t_zpbo", "zp", filled(column(tables, "t_zpbo", "zp_bp_code"), boxes).map(nodes["t_ebp"])),
    ):
        zones = tables.get(table)
        if not isinstance(zones, gpd.GeoDataFrame) or zones.empty or points.empty:
            continue
        node = filled(place, column(tables, table, f"{prefix}_nd_code"))
        point = shapes_of(points.reindex(node))
        away = shapely.distance(shapely.make_valid(shapes_of(zones.geometry)), point) > limits["zone_node_m"]
        yield report("noeud_hors_zone", table, zones, away, attribute=f"{prefix}_nd_code")


def _overlaps(tables: Tables, limits: Thresholds) -> Iterator[pd.DataFrame]:
    for table in ("t_znro", "t_zsro", "t_zpbo"):
        zones = tables.get(table)
        if not isinstance(zones, gpd.GeoDataFrame) or zones.empty:
            continue
        there = zones[zones.geometry.notna().to_numpy()]
        shapes = shapely.make_valid(shapes_of(there.geometry))
        left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        pairs = left < right
        area = shapely.area(shapely.intersection(shapes[left[pairs]], shapes[right[pairs]]))
        overlaps = np.isin(np.arange(len(there)), right[pairs][area > limits["overlap_m2"]])
        yield report("zone_recouvrement", table, there, overlaps, attribute="geom")


def _outside_parent(
    tables: Tables, rule: str, of: tuple[str, str], parent: tuple[str, str], limits: Thresholds
) -> Iterator[pd.DataFrame]:
    (table, key), (larger, code) = of, parent
    small, large = tables.get(table), tables.get(larger)
    if not isinstance(small, gpd.GeoDataFrame) or not isinstance(large, gpd.GeoDataFrame):
        return
    if key not in small or code not in large:
        return
    known = large[large.geometry.notna().to_numpy()].drop_duplicates(code).set_index(code).geometry
    inside = small[small.geometry.notna().to_numpy() & small[key].isin(known.index)]
    parents = shapely.make_valid(shapes_of(known.reindex(inside[key])))
    outside = shapely.difference(shapely.make_valid(shapes_of(inside.geometry)), parents)
    yield report(rule, table, inside, shapely.area(outside) > limits["overlap_m2"], attribute=key)
