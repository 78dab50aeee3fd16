"""Faults that real deliveries have and that the example does not show, put in invented areas."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.synth.faults import COLUMNS, Rows, Spoiler, draw_rows, remove_cables, remove_rows
from gracethd.synth.parts import Part
from gracethd.synth.tables import Tables
from gracethd.synth.tables.invented import MOMENT

Told = Iterator[tuple[str, str, str, str]]

_WHOLE_PER_ROW_RATE = 60  # zones with a fault that only one of their objects has: 12 % at 0.2 %
_INDOOR_SERIAL = "L9"
Y_ARMS = 3
"""Ways that meet at a junction."""


def spoil_further(
    tables: Tables, part: Part, rate: float, rng: np.random.Generator
) -> tuple[Tables, pd.DataFrame]:
    """Give tables with the further faults, and the list of these (columns of `faults.COLUMNS`)."""
    spoilt = {name: frame.copy() for name, frame in tables.items()}
    rows: Rows = []
    for spoil in _SPOILERS if rate > 0 else ():
        rows += list(spoil(spoilt, part, rate, rng))
    return spoilt, pd.DataFrame([(part.name, *row) for row in rows], columns=list(COLUMNS), dtype=str)


def _dropped(table: str, key: str, rule: str) -> Spoiler:
    """Leave rows out of a table."""

    def drop(tables: Tables, _part: Part, rate: float, rng: np.random.Generator) -> Told:
        frame = tables[table]
        rows = draw_rows(len(frame), rate, rng)
        tables[table] = frame.drop(index=list(rows)).reset_index(drop=True)
        for code in frame[key].iloc[rows]:
            yield rule, table, key, str(code)

    return drop


def _blanked(table: str, key: str, attribute: str, rule: str) -> Spoiler:
    """Empty an attribute of a table, where the delivery has it."""

    def blank(tables: Tables, _part: Part, rate: float, rng: np.random.Generator) -> Told:
        if table not in tables or attribute not in tables[table]:
            return
        frame = tables[table]
        filled = np.flatnonzero(frame[attribute].astype(str) != "")
        rows = filled[draw_rows(len(filled), rate, rng)]
        column = frame[attribute].astype(str).to_numpy(dtype=object).copy()
        column[rows] = ""
        tables[table] = frame.assign(**{attribute: column})
        for code in frame[key].iloc[rows]:
            yield rule, table, attribute, str(code)

    return blank


def _move_line_ends(tables: Tables, _part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Draw the last point of cable lines 20 to 60 m away from where the cable ends."""
    frame = gpd.GeoDataFrame(tables["t_cableline"])
    rows = draw_rows(len(frame), rate, rng)
    shapes = np.array(frame.geometry, dtype=object)
    for row in rows:  # a handful of lines
        points = shapely.get_coordinates(shapes[row])
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(20, 60)
        points[-1] += [away * np.cos(angle), away * np.sin(angle)]
        shapes[row] = shapely.LineString(points.round(2))
    tables["t_cableline"] = frame.set_geometry(shapes, crs=frame.crs)
    for code in frame["cl_code"].iloc[rows]:
        yield "extremite_eloignee", "t_cableline", "geom", str(code)


def _lose_shapes(tables: Tables, _part: Part, rate: float, rng: np.random.Generator) -> Told:
    if "t_cheminement" not in tables:
        return
    frame = gpd.GeoDataFrame(tables["t_cheminement"])
    rows = draw_rows(len(frame), rate, rng)
    shapes = np.array(frame.geometry, dtype=object)
    shapes[rows] = None
    tables["t_cheminement"] = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    for code in frame["cm_code"].iloc[rows]:
        yield "geometrie_absente", "t_cheminement", "geom", str(code)


def _contradict_ends(tables: Tables, part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Name, as the second node of a cable that ends in a box, the first one."""
    frame = tables["t_cable"]
    boxed = set(part.cables.loc[part.cables["box2"] >= 0, "cb_code"])
    able = frame["cb_code"].isin(boxed) & (frame["cb_nd1"] != "") & (frame["cb_nd2"] != "")
    able &= frame["cb_nd1"] != frame["cb_nd2"]
    rows = np.flatnonzero(able)
    rows = rows[draw_rows(len(rows), rate, rng)]
    ends = frame["cb_nd2"].to_numpy(dtype=object).copy()
    ends[rows] = frame["cb_nd1"].to_numpy(dtype=object)[rows]
    tables["t_cable"] = frame.assign(cb_nd2=ends)
    for code in frame["cb_code"].iloc[rows]:
        yield "extremite_contradictoire", "t_cable", "cb_nd2", str(code)


def _lose_nodes(tables: Tables, part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Leave out nodes of supports where no box stands."""
    frame = tables["t_noeud"]
    plain = part.places[(part.places["pt_code"] != "") & ~part.places.index.isin(part.boxes["place"])]
    rows = np.flatnonzero(frame["nd_code"].isin(plain["nd_code"]))
    rows = rows[draw_rows(len(rows), rate, rng)]
    tables["t_noeud"] = frame.drop(index=list(rows)).reset_index(drop=True)
    for code in frame["nd_code"].iloc[rows]:
        yield "noeud_absent", "t_noeud", "nd_code", str(code)


def lose_junctions(tables: Tables, part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Forget supports without box where three ways or more meet: nothing tells any more that they do."""
    if "t_cheminement" not in tables:
        return
    ways, nodes = gpd.GeoDataFrame(tables["t_cheminement"]), tables["t_noeud"]
    drawn = ways[ways.geometry.notna().to_numpy()]
    arms = pd.concat([drawn["cm_ndcode1"], drawn["cm_ndcode2"]]).value_counts()
    plain = part.places[(part.places["pt_code"] != "") & ~part.places.index.isin(part.boxes["place"])]
    able = nodes["nd_code"].isin(plain["nd_code"]) & nodes["nd_code"].isin(arms.index[arms >= Y_ARMS])
    met = nodes["nd_code"][able].to_numpy(dtype=object)
    lost = met[draw_rows(len(met), 10 * rate, rng)]  # one support in eight: ten times the rate
    for code in lost:
        first = drawn["cm_code"][(drawn["cm_ndcode1"] == code) | (drawn["cm_ndcode2"] == code)].iloc[0]
        yield "jonction_sans_noeud", "t_cheminement", "geom", str(first)
    tables["t_noeud"] = nodes[~nodes["nd_code"].isin(lost)].reset_index(drop=True)
    remove_rows(tables, "t_ptech", "pt_nd_code", pd.Series(lost, dtype=object))
    blank = {name: ways[name].mask(ways[name].isin(lost), "") for name in ("cm_ndcode1", "cm_ndcode2")}
    tables["t_cheminement"] = ways.assign(**blank)


def reuse_code(
    tables: Tables, part: Part, taken: pd.DataFrame, rate: float, rng: np.random.Generator
) -> tuple[Tables, pd.DataFrame]:
    """Give a support of a zone the code that another support bears in the delivery before.

    Parameters
    ----------
    tables : dict
        Those given are left as they are.
    part : Part
    taken : DataFrame
        t_ptech of the delivery before.
    rate : float
    rng : numpy.random.Generator

    Returns
    -------
    tables : dict
    faults : DataFrame
        At most one row, columns of `faults.COLUMNS`; the code is the one that two objects now bear.
    """
    told = pd.DataFrame(columns=list(COLUMNS), dtype=str)
    frame = tables.get("t_ptech", pd.DataFrame({"pt_code": []}))
    others = taken[~taken["pt_code"].isin(frame["pt_code"])]
    boxed = part.places.loc[part.places.index.isin(part.boxes["place"]), "pt_code"]
    own = frame[frame["pt_code"].isin(boxed)]
    drawn = rng.random() < min(1.0, rate * _WHOLE_PER_ROW_RATE)
    if part.layer != "DI" or not drawn or others.empty or own.empty:
        return tables, told
    one, other = (rows.iloc[int(rng.integers(len(rows)))] for rows in (own, others))
    rule = "code_deux_lieux" if one["pt_typephy"] == other["pt_typephy"] else "code_deux_types"
    renamed = dict(tables)
    for name, attribute in (("t_ptech", "pt_code"), ("t_ebp", "bp_pt_code")):
        codes = tables[name][attribute].replace(one["pt_code"], other["pt_code"])
        renamed[name] = tables[name].assign(**{attribute: codes})
    told.loc[0] = [part.name, rule, "t_ptech", "pt_code", str(other["pt_code"])]
    return renamed, told


def _repeat_positions(tables: Tables, _part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Give positions again under another code: their fibres are spliced twice."""
    if "t_position" not in tables:
        return
    frame = tables["t_position"]
    twice = frame.iloc[draw_rows(len(frame), rate / 10, rng)]
    twice = twice.assign(ps_code=[f"{code}D" for code in twice["ps_code"]])
    tables["t_position"] = pd.concat([frame, twice], ignore_index=True)
    for code in twice["ps_code"]:
        yield "position_double", "t_position", "ps_code", str(code)


def _undersize(tables: Tables, part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Announce one fibre for cables that have more."""
    if "t_fibre" not in tables:
        return
    frame = tables["t_cable"]
    rows = np.flatnonzero(frame["cb_code"].isin(part.cables["cb_code"]))
    rows = rows[draw_rows(len(rows), rate, rng)]
    capacity = frame["cb_capafo"].to_numpy().copy()
    capacity[rows] = 1
    tables["t_cable"] = frame.assign(cb_capafo=capacity)
    for code in frame["cb_code"].iloc[rows]:
        yield "capacite_fibres", "t_cable", "cb_capafo", str(code)


def _spread_zone(tables: Tables, part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Draw the zone of a PM 30 m over its neighbours."""
    if part.layer != "DI" or rng.random() >= min(1.0, rate * _WHOLE_PER_ROW_RATE):
        return
    frame = gpd.GeoDataFrame(tables["t_zsro"])
    tables["t_zsro"] = frame.set_geometry(
        shapely.buffer(frame.geometry.to_numpy(), 30, quad_segs=2), crs=frame.crs
    )
    yield "zone_debordante", "t_zsro", "geom", str(frame["zs_code"].iloc[0])


def _move_indoors(tables: Tables, part: Part, rate: float, rng: np.random.Generator) -> Told:
    """Put a PBO at the end of a branch into a room of a building that it serves, and forget its cable."""
    if part.layer != "DI" or rng.random() >= min(1.0, rate * _WHOLE_PER_ROW_RATE):
        return
    cables = tables["t_cable_patch201" if part.version == "2.0.1" else "t_cable"]
    reached = part.boxes["bp_code"].isin(cables["cb_bp2"])
    ends = (part.boxes["typelog"] == "PBO") & ~part.boxes.index.isin(part.cables["box1"]) & reached
    if not ends.any():
        return
    box = part.boxes.index[ends][int(rng.integers(int(ends.sum())))]
    code = str(part.boxes.loc[box, "bp_code"])
    remove_cables(tables, part.cables.loc[part.cables["box2"] == box, "cb_code"])
    building = part.addresses[part.addresses["box"] == box].iloc[0]
    room = _INDOOR_SERIAL + code[2:]
    if part.version == "2.0.1":
        site = {"st_code": building["st_code"], "st_nd_code": building["nd_code"], "st_typephy": "BAT",
                "st_typelog": "CLIENT", "st_statut": "REC", "st_creadat": MOMENT}  # fmt: skip
        _append(tables, "t_sitetech", site)
        _append(tables, "t_ltech", {"lt_code": room, "lt_st_code": building["st_code"], "lt_statut": "REC",
                                    "lt_etat": "OK"})  # fmt: skip
    else:
        _append(tables, "t_local", {"lc_code": room, "lc_st_code": building["st_code"], "lc_typelog": "TEC",
                                    "lc_abandon": "0"})  # fmt: skip
    frame = tables["t_ebp"]
    here = frame["bp_code"] == code
    indoor = "bp_lt_code" if part.version == "2.0.1" else "bp_lc_code"
    given = frame[indoor] if indoor in frame else pd.Series("", index=frame.index)
    frame = frame.assign(bp_pt_code=frame["bp_pt_code"].mask(here, ""), **{indoor: given.mask(here, room)})
    tables["t_ebp"] = frame
    yield "pbo_interieur_sans_cable", "t_ebp", "bp_pt_code", code


def _append(tables: Tables, name: str, row: dict[str, str]) -> None:
    more = pd.DataFrame([row])
    tables[name] = pd.concat([tables[name], more], ignore_index=True) if name in tables else more


_SPOILERS: tuple[Spoiler, ...] = (
    _move_indoors,
    _dropped("t_cableline", "cl_code", "cable_sans_ligne"),
    _move_line_ends,
    _lose_shapes,
    _contradict_ends,
    _blanked("t_cheminement", "cm_code", "cm_ndcode1", "noeud_de_cheminement_vide"),
    _blanked("t_suf", "sf_code", "sf_zp_code", "pbo_non_nomme"),
    _blanked("t_local", "lc_code", "lc_bp_codf", "pbo_non_nomme"),
    _lose_nodes,
    _repeat_positions,
    _undersize,
    _spread_zone,
    lose_junctions,
)
