"""Rules across tables that matter for resilience: cables, fibres, splices, PBO, rooms and zones."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.check.keys import is_abandoned
from gracethd.check.places import (
    cable_ends,
    cable_lines,
    column,
    filled,
    mapping,
    node_points,
    place_nodes,
    shapes_of,
)
from gracethd.check.rules import report
from gracethd.check.topology import TOLERANCE_M
from gracethd.deliveries.types import Delivery
from gracethd.values import parse_number

OVERLAP_M2 = 1.0
"""Zones drawn edge to edge by hand overlap by slivers; a square metre holds no premises."""

NRO_TYPES = ("NRO", "NRA", "NRAMED", "HEBERG")
SRO_TYPES = ("SRO", "SROL", "SROS")


def check_trade(delivery: Delivery) -> Iterator[pd.DataFrame]:
    """Find what no single table shows; abandoned rows are not held to these rules."""
    live = {table: frame[~is_abandoned(frame)] for table, frame in delivery.tables.items()}
    yield from _cables(live)
    yield from _fibres(live)
    yield from _positions(live)
    yield from _pbo(live)
    yield from _zones(live)
    yield from _overlaps(live)


def _cables(tables: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    ends = cable_ends(tables)
    if ends.empty:
        return
    patch = column(tables, "t_cable", "cb_typephy").isin(["J", "B"])
    one, two = filled(ends["place1"], ends["nd1"]), filled(ends["place2"], ends["nd2"])
    known = one.notna() & two.notna() & ~patch
    drawn = ends["cb_code"].isin(cable_lines(tables).index)
    yield report("cable_sans_ligne", "t_cable", ends, known & (one != two) & ~drawn)
    yield report("cable_boucle", "t_cable", ends, known & (one == two), attribute="cb_nd2")
    lines = tables.get("t_cableline")
    if lines is not None and "cl_cb_code" in lines:
        again = lines["cl_cb_code"].notna() & lines.duplicated("cl_cb_code")
        yield report("cable_plusieurs_lignes", "t_cableline", lines, again, attribute="cl_cb_code")


def _fibres(tables: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    fibre = tables.get("t_fibre")
    if fibre is None or not {"fo_code", "fo_cb_code"} <= set(fibre.columns):
        return
    distinct = fibre.drop_duplicates("fo_code")
    counts = distinct["fo_cb_code"].value_counts()
    cable = tables.get("t_cable")
    if cable is not None and {"cb_code", "cb_capafo"} <= set(cable.columns):
        capacity, n_fibres = parse_number(cable["cb_capafo"])[0], cable["cb_code"].map(counts)
        differ = capacity.notna() & n_fibres.notna() & (capacity != n_fibres)
        yield report("capacite_fibres", "t_cable", cable, differ, attribute="cb_capafo")
    rank = [name for name in ("fo_cb_code", "fo_numtub", "fo_nintub") if name in fibre]
    if len(rank) > 2:
        ranked = distinct[distinct[rank].notna().all(axis=1)]
        yield report("fibre_rang_double", "t_fibre", ranked, ranked.duplicated(rank), attribute="fo_nintub")


def _positions(tables: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    position = tables.get("t_position")
    if position is None or not {"ps_1", "ps_2"} <= set(position.columns):
        return
    one, two = position["ps_1"], position["ps_2"]
    swapped = (one > two).fillna(value=False).to_numpy(dtype=bool)
    joint = pd.DataFrame({
        "low": one.where(~swapped, two), "high": two.where(~swapped, one),
        "cassette": column(tables, "t_position", "ps_cs_code"),
        "tiroir": column(tables, "t_position", "ps_ti_code"),
    })  # fmt: skip
    again = joint.duplicated() & one.notna() & two.notna()
    yield report("position_double", "t_position", position, again, attribute="ps_2")
    fibres = pd.concat([one[~again], two[~again]]).dropna().value_counts()
    many = fibres.index[fibres > 2]
    fibre = tables.get("t_fibre")
    if fibre is not None and "fo_code" in fibre:
        yield report("fibre_positions", "t_fibre", fibre, fibre["fo_code"].isin(many), attribute="fo_code")
    nowhere = joint["cassette"].isna() & joint["tiroir"].isna()
    yield report("position_sans_support", "t_position", position, nowhere, attribute="ps_cs_code")


def _pbo(tables: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    boxes = tables.get("t_ebp")
    if boxes is None or not {"bp_code", "bp_typelog"} <= set(boxes.columns):
        return
    ends, nodes = cable_ends(tables), place_nodes(tables)
    if ends.empty:  # that no cable was delivered is told once
        return
    zones = column(tables, "t_suf", "sf_zp_code")
    serving = pd.concat([
        column(tables, "t_local", "lc_bp_codf"), column(tables, "t_local", "lc_bp_codp"),
        zones.map(mapping(tables, "t_zpbo_patch201", "zp_code", "zp_bp_code")),
    ]).dropna()  # fmt: skip
    zone_nodes = zones.map(mapping(tables, "t_zpbo", "zp_code", "zp_nd_code"))
    box_nodes = boxes["bp_code"].map(nodes["t_ebp"])
    serves = boxes["bp_code"].isin(serving) | (box_nodes.notna() & box_nodes.isin(zone_nodes.dropna()))
    reached = boxes["bp_code"].isin(pd.concat([ends["box1"], ends["box2"]]).dropna())
    reached |= box_nodes.isin(_cable_nodes(tables, ends)) | boxes["bp_code"].isin(_spliced_boxes(tables))
    lost = boxes["bp_typelog"].eq("PBO") & serves & ~reached
    yield report("pbo_sans_cable", "t_ebp", boxes, lost, attribute="bp_code")


def _cable_nodes(tables: dict[str, pd.DataFrame], ends: pd.DataFrame) -> set[str]:
    """Give the nodes where cables end, by code or by the node on which their line ends."""
    coded = set(pd.concat([ends["nd1"], ends["nd2"], ends["place1"], ends["place2"]]).dropna())
    nodes, lines = node_points(tables), cable_lines(tables)
    if nodes.empty or lines.empty:
        return coded
    tips = shapely.boundary(shapely.line_merge(shapes_of(lines)))
    tree = shapely.STRtree(shapes_of(nodes))
    _, hit = tree.query(tips, predicate="dwithin", distance=TOLERANCE_M)
    return coded | set(nodes.index[np.unique(hit)])


def _spliced_boxes(tables: dict[str, pd.DataFrame]) -> pd.Series:
    """Give the boxes in whose cassettes a fibre has a position."""
    used = column(tables, "t_position", "ps_cs_code").dropna().unique()
    boxes = mapping(tables, "t_cassette", "cs_code", "cs_bp_code")
    return boxes[boxes.index.isin(used)]


def _zones(tables: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    nodes = place_nodes(tables)
    for table, prefix, types, rule in (
        ("t_znro", "zn", NRO_TYPES, "zone_sans_nro"), ("t_zsro", "zs", SRO_TYPES, "zone_sans_sro"),
    ):  # fmt: skip
        zones = tables.get(table)
        if zones is None or zones.empty:
            continue
        patched = mapping(tables, f"{table}_patch202", f"{prefix}_code", f"{prefix}_lt_code")
        of_patch = column(tables, table, f"{prefix}_code").map(patched)
        rooms = filled(column(tables, table, f"{prefix}_lc_code"), of_patch)
        known_rooms, known_nodes = _rooms_of_type(tables, nodes, types)
        found = rooms.isin(known_rooms) | column(tables, table, f"{prefix}_nd_code").isin(known_nodes)
        key = "nd_code" if rooms.isna().all() else "lc_code"
        yield report(rule, table, zones, ~found, attribute=f"{prefix}_{key}")
        if table == "t_zsro":
            shared = rooms.notna() & rooms.duplicated()
            yield report("zsro_local_partage", table, zones, shared, attribute="zs_lc_code")


def _rooms_of_type(
    tables: dict[str, pd.DataFrame], nodes: dict[str, pd.Series], types: tuple[str, ...]
) -> tuple[pd.Index, pd.Index]:
    """Give the rooms of a type and the nodes where they stand; in version 2 the site carries the type."""
    local = column(tables, "t_local", "lc_code")[column(tables, "t_local", "lc_typelog").isin(types)]
    site = column(tables, "t_sitetech", "st_code")[column(tables, "t_sitetech", "st_typelog").isin(types)]
    of_site = mapping(tables, "t_ltech", "lt_code", "lt_st_code")
    rooms = pd.Index(local.dropna()).union(of_site.index[of_site.isin(site)])
    places = pd.concat([local.map(nodes["t_local"]), site.map(nodes["t_sitetech"])]).dropna()
    return rooms, pd.Index(places.unique())


def _overlaps(tables: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for table in ("t_znro", "t_zsro", "t_zpbo"):
        zones = tables.get(table)
        if not isinstance(zones, gpd.GeoDataFrame) or zones.empty:
            continue
        there = zones[zones.geometry.notna().to_numpy()]
        shapes = shapely.make_valid(shapes_of(there.geometry))
        left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        pairs = left < right
        area = shapely.area(shapely.intersection(shapes[left[pairs]], shapes[right[pairs]]))
        overlaps = np.isin(np.arange(len(there)), right[pairs][area > OVERLAP_M2])
        yield report("zone_recouvrement", table, there, overlaps, attribute="geom")
    yield from _outside_parent(tables)


def _outside_parent(tables: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    small, large = tables.get("t_zsro"), tables.get("t_znro")
    if not isinstance(small, gpd.GeoDataFrame) or not isinstance(large, gpd.GeoDataFrame):
        return
    if "zs_zn_code" not in small or "zn_code" not in large:
        return
    known = large[large.geometry.notna().to_numpy()].drop_duplicates("zn_code").set_index("zn_code").geometry
    inside = small[small.geometry.notna().to_numpy() & small["zs_zn_code"].isin(known.index)]
    parents = shapely.make_valid(shapes_of(known.reindex(inside["zs_zn_code"])))
    outside = shapely.difference(shapely.make_valid(shapes_of(inside.geometry)), parents)
    yield report(
        "zsro_hors_znro", "t_zsro", inside, shapely.area(outside) > OVERLAP_M2, attribute="zs_zn_code"
    )
