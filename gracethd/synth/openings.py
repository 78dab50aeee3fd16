"""Cables opened in mid-span: two cables of one delivery become one that a box opens in passage."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.synth.faults import COLUMNS, draw_rows, remove_rows
from gracethd.synth.parts import Part
from gracethd.synth.tables import Tables

OPENED = "ouverture_en_passage"


def open_in_passage(
    tables: Tables, part: Part, rate: float, rng: np.random.Generator
) -> tuple[Tables, pd.DataFrame]:
    """Make one cable of a cable and the one that goes on from its end; give the tables and what was done.

    The fibres of the second take the numbers of those that they were spliced to, so that whoever was served
    by splices still is. Only deliveries with splices: elsewhere nothing would tell the opening.
    """
    joined, told = dict(tables), []
    pairs = _pairs(part.cables if "t_fibre" in tables else part.cables.iloc[:0])
    for row in draw_rows(len(pairs), rate * 10, rng):  # few cables go on in another one: ten times the rate
        first, second = part.cables.loc[pairs["one"].iloc[row]], part.cables.loc[pairs["two"].iloc[row]]
        _join_fibres(joined, first, second)
        _join_rows(joined, first["cb_code"], second["cb_code"])
        _join_lines(joined, first, second)
        told.append((part.name, OPENED, "t_cable", "cb_code", str(first["cb_code"])))
    return joined, pd.DataFrame(told, columns=list(COLUMNS), dtype=str)


def _pairs(cables: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give pairs of cables, each in one of them: the second goes on from the box where the first ends.

    The second ends in a box that others leave: the last cable of a branch stays as it is.
    """
    inner = cables[(cables["box1"] >= 0) & cables["box2"].isin(cables["box1"])].reset_index(names="two")
    ended = cables.loc[cables["box2"] >= 0, ["box2"]].reset_index(names="one")
    pairs = inner[["two", "box1"]].merge(ended, left_on="box1", right_on="box2")
    pairs = pairs.drop_duplicates("one").sort_values("one", ignore_index=True)
    return pairs[~pairs["one"].isin(pairs["two"])].reset_index(drop=True)


def _join_fibres(tables: Tables, first: pd.Series, second: pd.Series) -> None:
    shift = int(second["first"] - first["first"])
    ranks = range(1, int(second["used"]) + 1)
    stem1, stem2 = (f"FO{cable['cb_code'][2:]}" for cable in (first, second))
    same = {f"{stem2}{k:03d}": f"{stem1}{k + shift:03d}" for k in ranks}
    positions = tables["t_position"]
    joint = positions["ps_2"].isin(list(same)) & positions["ps_1"].isin(list(same.values()))
    positions = positions[~joint].reset_index(drop=True)
    columns = {name: positions[name].map(same).fillna(positions[name]) for name in ("ps_1", "ps_2")}
    tables["t_position"] = positions.assign(**columns)
    remove_rows(tables, "t_fibre", "fo_cb_code", pd.Series([second["cb_code"]]))


def _join_rows(tables: Tables, one: str, two: str) -> None:
    """Give the first cable the far end of the second, its length and its ways."""
    for name in ("t_cable", "t_cable_patch201"):
        if name not in tables:
            continue
        frame = tables[name].copy()
        here, there = frame["cb_code"] == one, frame["cb_code"] == two
        for column in ("cb_nd2", "cb_bp2", "cb_ba2"):
            if column in frame:
                frame.loc[here, column] = frame.loc[there, column].iloc[0]
        if "cb_lgreel" in frame:
            frame.loc[here, "cb_lgreel"] += frame.loc[there, "cb_lgreel"].iloc[0]
        tables[name] = frame[~there].reset_index(drop=True)
    for name in ("t_cab_cond", "t_cab_chem"):
        if name in tables:
            frame = tables[name]
            frame = frame.assign(cc_cb_code=frame["cc_cb_code"].replace(two, one))
            tables[name] = frame.drop_duplicates(list(frame.columns[:2])).reset_index(drop=True)


def _join_lines(tables: Tables, first: pd.Series, second: pd.Series) -> None:
    frame = gpd.GeoDataFrame(tables["t_cableline"])
    codes = first["cb_code"], second["cb_code"]
    points = [shapely.get_coordinates(cable["geometry"]) for cable in (first, second)]
    line = shapely.LineString(np.concatenate([points[0], points[1][1:]]))
    here, there = (frame["cl_cb_code"] == code for code in codes)
    shapes = np.array(frame.geometry, dtype=object)
    shapes[here] = line
    frame = frame.set_geometry(shapes, crs=frame.crs)
    frame.loc[here, "cl_long"] = round(line.length, 2)
    tables["t_cableline"] = frame[~there].reset_index(drop=True)
