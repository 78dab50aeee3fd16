"""Rules across tables that matter for resilience: cables, fibres, splices, PBO, rooms and zones."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import shapely

from gracethd.check.civil import check_civil_works
from gracethd.check.keys import is_abandoned
from gracethd.check.places import (
    Remembering,
    Tables,
    cable_ends,
    cable_lines,
    column,
    filled,
    mapping,
    node_points,
    place_nodes,
    shapes_of,
)
from gracethd.check.premises import check_premises
from gracethd.check.rules import report
from gracethd.check.settings import Thresholds
from gracethd.check.zones import check_zones
from gracethd.deliveries.types import Delivery
from gracethd.values import parse_number


def check_trade(delivery: Delivery, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find what no single table shows; abandoned rows are not held to these rules."""
    gone = {table: is_abandoned(frame) for table, frame in delivery.tables.items()}
    live = delivery.tables  # as it is, with all that has been derived, where nothing is abandoned
    if any(rows.any() for rows in gone.values()):
        live = Remembering({table: frame[~gone[table]] for table, frame in delivery.tables.items()})
    yield from _cables(live)
    yield from _fibres(live, limits)
    yield from _positions(live)
    yield from _pbo(live, limits)
    yield from check_zones(live, limits)
    yield from check_premises(live, limits)
    yield from check_civil_works(live, limits)


def _cables(tables: Tables) -> Iterator[pd.DataFrame]:
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


def _fibres(tables: Tables, limits: Thresholds) -> Iterator[pd.DataFrame]:
    fibre = tables.get("t_fibre")
    if fibre is None or not {"fo_code", "fo_cb_code"} <= set(fibre.columns):
        return
    distinct = fibre.drop_duplicates("fo_code")
    counts = distinct["fo_cb_code"].value_counts()
    cable = tables.get("t_cable")
    if cable is not None and {"cb_code", "cb_capafo"} <= set(cable.columns):
        capacity, n_fibres = parse_number(cable["cb_capafo"])[0], cable["cb_code"].map(counts).astype(float)
        yield report("capacite_fibres", "t_cable", cable, n_fibres < capacity, attribute="cb_capafo")
        yield report("capacite_depassee", "t_cable", cable, n_fibres > capacity, attribute="cb_capafo")
        odd = (capacity < limits["capacity_min"]) | (capacity > limits["capacity_max"])
        yield report("capacite_hors_bornes", "t_cable", cable, odd, attribute="cb_capafo")
    rank = [name for name in ("fo_cb_code", "fo_numtub", "fo_nintub") if name in fibre]
    if len(rank) > 2:
        ranked = distinct[distinct[rank].notna().all(axis=1)]
        yield report("fibre_rang_double", "t_fibre", ranked, ranked.duplicated(rank), attribute="fo_nintub")


def _positions(tables: Tables) -> Iterator[pd.DataFrame]:
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
    itself = one.notna() & (one == two)
    yield report("position_meme_fibre", "t_position", position, itself, attribute="ps_2")
    again = joint.duplicated() & one.notna() & two.notna()
    yield report("position_double", "t_position", position, again, attribute="ps_2")
    fibres = pd.concat([one[~again], two[~again]]).dropna().value_counts()
    many = fibres.index[fibres > 2]
    fibre = tables.get("t_fibre")
    if fibre is not None and "fo_code" in fibre:
        yield report("fibre_positions", "t_fibre", fibre, fibre["fo_code"].isin(many), attribute="fo_code")
    nowhere = joint["cassette"].isna() & joint["tiroir"].isna()
    yield report("position_sans_support", "t_position", position, nowhere, attribute="ps_cs_code")


def _pbo(tables: Tables, limits: Thresholds) -> Iterator[pd.DataFrame]:
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
    reached |= box_nodes.isin(_cable_nodes(tables, ends, limits)) | boxes["bp_code"].isin(
        _spliced_boxes(tables)
    )
    lost = boxes["bp_typelog"].eq("PBO") & serves & ~reached
    yield report("pbo_sans_cable", "t_ebp", boxes, lost, attribute="bp_code")


def _cable_nodes(tables: Tables, ends: pd.DataFrame, limits: Thresholds) -> set[str]:
    """Give the nodes where cables end, by code or by the node on which their line ends."""
    coded = set(pd.concat([ends["nd1"], ends["nd2"], ends["place1"], ends["place2"]]).dropna())
    nodes, lines = node_points(tables), cable_lines(tables)
    if nodes.empty or lines.empty:
        return coded
    tips = shapely.boundary(shapely.line_merge(shapes_of(lines)))
    tree = shapely.STRtree(shapes_of(nodes))
    _, hit = tree.query(tips, predicate="dwithin", distance=limits["node_m"])
    return coded | set(nodes.index[np.unique(hit)])


def _spliced_boxes(tables: Tables) -> pd.Series:
    """Give the boxes in whose cassettes a fibre has a position."""
    used = column(tables, "t_position", "ps_cs_code").dropna().unique()
    boxes = mapping(tables, "t_cassette", "cs_code", "cs_bp_code")
    return boxes[boxes.index.isin(used)]
