"""Prises traced one way after the other: by splices, else by cables, else by zone (D7, D15)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import among
from gracethd.routes.graph import GraphParts
from gracethd.routes.laying import Graphs
from gracethd.routes.splices import splice_vertices
from gracethd.routes.survey import NOWHERE, Survey


def trace_prises(graphs: Graphs, survey: Survey, demand: pd.DataFrame) -> pd.DataFrame:
    """Give each prise its vertices, say how it was traced, or why not.

    Parameters
    ----------
    graphs : Graphs
        Receives the routes by splice and by zone.
    survey : Survey
    demand : DataFrame
        `Demand.prises`.

    Returns
    -------
    DataFrame
        `demand` with traced (splice|cable|zone or ""), reason (sans_pm, pm_isole, sans_pbo, or why it was
        not to be traced), vertex_nominal and vertex_physical (-1 untraced).
    """
    prises = demand.assign(drop_asset=survey.cable_asset.reindex(demand["drop"]).to_numpy())
    far = _far_vertices(graphs, prises)
    spliced = splice_vertices(graphs, survey, prises, far)
    cabled = np.where(prises["reason"] == "", _cable_vertices(graphs, survey, prises), NOWHERE)
    prises["traced"] = np.select([spliced >= 0, cabled >= 0], ["splice", "cable"], "")
    nearest = np.where(spliced >= 0, spliced, cabled).astype(np.int32)
    far = np.where(prises["traced"] != "", far, NOWHERE).astype(np.int32)
    prises["vertex_nominal"] = _behind_own_box(graphs.nominal, survey, prises, nearest)
    prises["vertex_physical"] = _behind_own_box(graphs.physical, survey, prises, far)
    return _by_zone(graphs, survey, prises)


def _far_vertices(graphs: Graphs, prises: pd.DataFrame) -> NDArray[np.int32]:
    """Give the physical vertex of each prise: the end of its drop, else its PBO (D8)."""
    at_drop = graphs.hooks.drops.reindex(prises["drop_asset"]).to_numpy(float)
    at_pbo = graphs.hooks.pbos.reindex(prises["pbo"]).to_numpy(float)
    far = np.where(np.isnan(at_drop), at_pbo, at_drop)
    return np.where(np.isnan(far), NOWHERE, far).astype(np.int32)


def _cable_vertices(graphs: Graphs, survey: Survey, prises: pd.DataFrame) -> NDArray[np.int32]:
    """Give the vertex where cables reach each prise: the end of its drop, else the joint of its PBO."""
    stop = survey.premise_stop.reindex(prises["drop_asset"]).to_numpy(float)
    stops = graphs.joints.stops[graphs.joints.stops["layer"] == "distribution"]
    at_drop = stops.drop_duplicates("stop").set_index("stop")["vertex"].reindex(stop).to_numpy(float)
    boxes = graphs.joints.boxes
    common = boxes[(boxes["layer"] == "distribution") & (boxes["cable"] == NOWHERE)]
    at_pbo = common.set_index("ebp")["vertex"].reindex(prises["pbo"]).to_numpy(float)
    vertex = np.where(np.isnan(at_drop), at_pbo, at_drop)
    vertex = np.where(np.isnan(vertex), NOWHERE, vertex).astype(np.int32)
    return np.where((vertex >= 0) & (graphs.nominal.depth()[vertex] >= 0), vertex, NOWHERE).astype(np.int32)


def _behind_own_box(
    graph: GraphParts, survey: Survey, prises: pd.DataFrame, vertex: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Put prises behind their PBO where their drop is also in other boxes or drawers: its own counts (D9)."""
    of_drops = survey.boxed[survey.boxed["cable"].isin(survey.premise_stop.index)]
    in_drawers = survey.cable_of_fibre[survey.fibres.contacts["fibre"].to_numpy()]
    several = [*of_drops.loc[of_drops["cable"].duplicated(), "cable"], *in_drawers]
    ends_there = pd.MultiIndex.from_frame(prises[["drop_asset", "pbo"]]).isin(
        pd.MultiIndex.from_frame(of_drops[["cable", "ebp"]])
    )
    mixed = (vertex >= 0) & prises["drop_asset"].isin(several).to_numpy() & ends_there
    pairs = pd.DataFrame({"vertex": vertex[mixed], "pbo": prises.loc[mixed, "pbo"].to_numpy()})
    once = pairs.drop_duplicates().sort_values(["vertex", "pbo"])
    asset = survey.box_asset.reindex(once["pbo"]).to_numpy()
    own = pd.Series(
        graph.vertices(len(once), survey.box_place(once["pbo"]), asset),
        index=pd.MultiIndex.from_frame(once),
    )
    graph.edges(once["vertex"], own)
    behind = vertex.copy()
    behind[mixed] = own.reindex(pd.MultiIndex.from_frame(pairs)).to_numpy()
    return behind


def _by_zone(graphs: Graphs, survey: Survey, prises: pd.DataFrame) -> pd.DataFrame:
    """Trace by zone what neither splice nor cable reaches, and give the reasons of the rest.

    The route of such a prise is its PBO with its place, and the PM of its zone. One without PBO stands in
    the room of the PM where no prise of the zone could be traced better (level 0).
    """
    reason = prises["reason"].to_numpy(dtype=object).copy()
    left = (reason == "") & (prises["traced"] == "").to_numpy()
    room = graphs.joints.rooms.reindex(prises["pm"]).to_numpy(float)
    fed = ~np.isnan(room)
    fed[fed] = graphs.nominal.depth()[room[fed].astype(np.int64)] >= 0
    has_pbo = prises["pbo"].notna().to_numpy()
    is_bare = ~among(prises["zone"], prises.loc[prises["traced"] != "", "zone"].dropna()).to_numpy()
    reason[left & ~fed] = np.where(prises["pm"].isna(), "sans_pm", "pm_isole")[left & ~fed]
    reason[left & fed & ~has_pbo & ~is_bare] = "sans_pbo"
    in_room, at_box = left & fed & ~has_pbo & is_bare, left & fed & has_pbo
    pairs = prises.loc[at_box, ["pbo", "pm"]].drop_duplicates().sort_values(["pbo", "pm"])
    place = survey.box_place(pairs["pbo"])
    asset = survey.box_asset.reindex(pairs["pbo"]).to_numpy()
    traced = prises.assign(reason=reason, traced=prises["traced"].mask(in_room | at_box, "zone"))
    for name, graph, rooms in (
        ("vertex_nominal", graphs.nominal, graphs.joints.rooms),
        ("vertex_physical", graphs.physical, graphs.hooks.rooms),
    ):
        hung = pd.Series(graph.vertices(len(pairs), place, asset), index=pd.MultiIndex.from_frame(pairs))
        graph.edges(rooms.reindex(pairs["pm"]), hung)
        vertex = prises[name].to_numpy(copy=True)
        vertex[in_room] = rooms.reindex(prises.loc[in_room, "pm"])
        vertex[at_box] = hung.reindex(pd.MultiIndex.from_frame(prises.loc[at_box, ["pbo", "pm"]]))
        traced[name] = vertex
    return traced
