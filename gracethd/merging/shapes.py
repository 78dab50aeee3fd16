"""Where the objects of deliveries stand: their own geometry, or that of what holds them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.codes import among
from gracethd.normalise import TABLES

Shapes = NDArray[np.object_]

HOLDERS: dict[str, tuple[tuple[str, str], ...]] = {
    "site": (("st_nd_code", "noeud"),),
    "local": (("lc_st_code", "site"),),
    "premise": (("nd_code", "noeud"), ("st_code", "site")),
    "ptech": (("pt_nd_code", "noeud"),),
    "ebp": (("bp_pt_code", "ptech"), ("bp_lc_code", "local"), ("bp_sf_code", "premise")),
    "baie": (("ba_lc_code", "local"),),
    "tiroir": (("ti_ba_code", "baie"),),
    "cassette": (("cs_bp_code", "ebp"),),
    "znro": (("zn_nd_code", "noeud"), ("zn_lc_code", "local")),
    "zsro": (("zs_nd_code", "noeud"), ("zs_lc_code", "local")),
    "zpbo": (("zp_nd_code", "noeud"), ("zp_bp_code", "ebp")),
}
"""The columns that lead from an object to the place where it stands, the first that answers.

A zone stands where its NRO, PM or PBO does: polygons of two owners may overlap.
"""


def shapes_of(tables: Mapping[str, pd.DataFrame], name: str, rows: pd.DataFrame) -> Shapes:
    """Give the geometry of some rows of a table, None where nothing leads to one.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Rows of all deliveries, at most one a key and delivery.
    name : str
    rows : DataFrame
        Rows of that table. What they refer to is looked for in their own delivery first.

    Returns
    -------
    (n_rows,) array of geometries
        Points for what stands on a place, lines for cables (drawn, else straight between their nodes) and
        ways; for zones the point where they are fed from, else the polygon.
    """
    if name == "cable":
        return _cable_lines(tables, rows)
    found: Shapes = np.full(len(rows), None, dtype=object)
    for column, holder in HOLDERS.get(name, ()):
        _look_up(found, tables, holder, rows, column)
    if TABLES[name].geometry:
        own = np.asarray(rows["geometry"], dtype=object)
        found = np.where(shapely.is_missing(found) & ~shapely.is_missing(own), own, found)
    return found


def _look_up(
    found: Shapes, tables: Mapping[str, pd.DataFrame], holder: str, rows: pd.DataFrame, column: str
) -> None:
    """Fill what is missing in `found` with the geometry of the holders that a column names."""
    missing = np.flatnonzero(shapely.is_missing(found) & rows[column].notna().to_numpy())
    held = held_by(tables[holder], TABLES[holder].columns[0], rows.iloc[missing], column)
    missing, held = missing[held >= 0], held[held >= 0]
    if len(held):
        found[missing] = shapes_of(tables, holder, tables[holder].iloc[held])


def held_by(holder: pd.DataFrame, key: str, rows: pd.DataFrame, column: str) -> NDArray[np.intp]:
    """Give the position of the row of `holder` that each row refers to: of its delivery, else of the first.

    Returns
    -------
    (n_rows,) int
        -1 where no delivery holds the code.
    """
    if not len(rows):
        return np.empty(0, np.intp)
    positions = np.flatnonzero(among(holder[key], rows[column].dropna()).to_numpy())
    known = pd.DataFrame(holder[[key, "delivery"]].iloc[positions]).assign(_at=positions)
    wanted = pd.DataFrame({key: rows[column].to_numpy(), "delivery": rows["delivery"].to_numpy()})
    own = wanted.merge(known.drop_duplicates([key, "delivery"]), on=[key, "delivery"], how="left")["_at"]
    first = wanted.merge(known.drop_duplicates(key)[[key, "_at"]], on=key, how="left")["_at"]
    return own.fillna(first).fillna(-1).to_numpy(dtype=np.intp)


def _cable_lines(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> Shapes:
    if not len(rows):
        return np.empty(0, object)
    drawn = tables["cableline"]
    known = pd.DataFrame({"cb_code": rows["cb_code"], "delivery": rows["delivery"]})
    at = held_by(drawn, "cl_cb_code", known, "cb_code")
    same = np.full(len(rows), fill_value=False)
    same[at >= 0] = drawn["delivery"].to_numpy()[at[at >= 0]] == rows["delivery"].to_numpy()[at >= 0]
    found = np.full(len(rows), None, dtype=object)
    found[same] = shapely.line_merge(np.asarray(drawn["geometry"], dtype=object)[at[same]])
    ends = []
    for column in ("cb_nd1", "cb_nd2"):
        place = held_by(tables["noeud"], "nd_code", rows, column)
        shape = np.full(len(rows), None, dtype=object)
        shape[place >= 0] = np.asarray(tables["noeud"]["geometry"], dtype=object)[place[place >= 0]]
        ends.append(shape)
    straight = np.flatnonzero(
        shapely.is_missing(found) & ~shapely.is_missing(ends[0]) & ~shapely.is_missing(ends[1])
    )
    xy = np.stack([shapely.get_coordinates([end[i] for i in straight]) for end in ends], axis=1)
    found[straight] = shapely.linestrings(xy) if len(straight) else []
    found[shapely.is_empty(found)] = None
    return np.where(shapely.is_missing(found), _cable_points(tables, rows), found)


def _cable_points(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> Shapes:
    """Give a point on each cable: an end that is told, else a box or drawer where one of its fibres is."""
    found = np.full(len(rows), None, dtype=object)
    ends = (("cb_bp1", "ebp"), ("cb_ba1", "baie"), ("cb_bp2", "ebp"), ("cb_ba2", "baie"),
            ("cb_nd1", "noeud"), ("cb_nd2", "noeud"))  # fmt: skip
    for column, holder in ends:
        _look_up(found, tables, holder, rows, column)
    missing = np.flatnonzero(shapely.is_missing(found))
    if not len(missing):
        return found
    seen = _positions_of(tables, rows.iloc[missing])
    points = np.full(len(seen), None, dtype=object)
    for column, holder in (("ps_cs_code", "cassette"), ("ps_ti_code", "tiroir")):
        _look_up(points, tables, holder, seen, column)
    of_cable, shown = seen["row"].to_numpy()[::-1], points[::-1]
    there = ~shapely.is_missing(shown)
    found[missing[of_cable[there]]] = shown[there]  # the first position is the last written
    return found


def _positions_of(tables: Mapping[str, pd.DataFrame], cables: pd.DataFrame) -> pd.DataFrame:
    """Give the positions that hold a fibre of some cables of their delivery, with the number of the cable."""
    fibre, position = tables["fibre"], tables["position"]
    wanted = pd.DataFrame(
        {
            "row": range(len(cables)),
            "fo_cb_code": cables["cb_code"].array,
            "delivery": cables["delivery"].array,
        }
    )
    some = fibre.loc[
        among(fibre["fo_cb_code"], wanted["fo_cb_code"]).to_numpy(), ["fo_code", "fo_cb_code", "delivery"]
    ]
    held = wanted.merge(pd.DataFrame(some), on=["fo_cb_code", "delivery"])[["row", "fo_code", "delivery"]]
    columns = ["delivery", "ps_cs_code", "ps_ti_code"]
    sides = [
        held.merge(
            position.loc[among(position[side], held["fo_code"]).to_numpy(), [side, *columns]].rename(
                columns={side: "fo_code"}
            ),
            on=["fo_code", "delivery"],
        )
        for side in ("ps_1", "ps_2")
    ]
    return pd.concat(sides, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)


def lines_touch(one: Shapes, other: Shapes, within_m: float) -> NDArray[np.bool_]:
    """Tell which pairs of lines follow one another: an end of one is an end of the other, and no more."""
    return _shared_ends(one, other, within_m).any(axis=(1, 2)) & ~lines_agree(one, other, within_m)


def lines_agree(one: Shapes, other: Shapes, within_m: float) -> NDArray[np.bool_]:
    """Tell which pairs of lines may be one object: the same two ends, or one lies along the other.

    An object that was rerouted keeps its ends, one that was made longer lies along what it was; two objects
    that merely start at one place do neither.
    """
    shared = _shared_ends(one, other, within_m)
    same_ends = (shared[:, 0, 0] & shared[:, 1, 1]) | (shared[:, 0, 1] & shared[:, 1, 0])
    return same_ends | _lies_on(one, other, within_m) | _lies_on(other, one, within_m)


def _lies_on(one: Shapes, other: Shapes, within_m: float) -> NDArray[np.bool_]:
    """Tell lines of which the middle half begins and ends on the other: a line that crosses it does not."""
    along = [shapely.line_interpolate_point(_piece(one, 0), at, normalized=True) for at in (0.25, 0.75)]
    near: NDArray[np.bool_] = np.all([shapely.distance(at, other) <= within_m for at in along], axis=0)
    return near


def line_ends(lines: Shapes) -> Shapes:
    """Give the first and the last point of each line, (n, 2); of a line in pieces, of its pieces in order."""
    first, last = _piece(lines, 0), _piece(lines, -1)
    ends: Shapes = np.stack([shapely.get_point(first, 0), shapely.get_point(last, -1)], axis=1)
    return ends


def _piece(lines: Shapes, number: int) -> Shapes:
    """Give one piece of each line that is in several, the line itself where it is in one."""
    single = shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING
    return np.where(single, lines, shapely.get_geometry(lines, number))


def _shared_ends(one: Shapes, other: Shapes, within_m: float) -> NDArray[np.bool_]:
    """Tell, for each pair, which end of the one (axis 1) is which end of the other (axis 2)."""
    near: NDArray[np.bool_] = (
        shapely.distance(line_ends(one)[:, :, None], line_ends(other)[:, None, :]) <= within_m
    )
    return near
