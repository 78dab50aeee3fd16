"""The way of each prise up to its rooms, stretch by stretch, as numbers: by splices, else by the graph."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import taken
from gracethd.routes.alignments import Walks
from gracethd.routes.chains import find_chains
from gracethd.routes.climb import Climbs, climb, grow_tree, slices
from gracethd.routes.rooms import transport_walks
from gracethd.routes.splices import fibres_to_hand_out, hand_out, spliced_chains
from gracethd.routes.survey import NOWHERE, Survey
from gracethd.routes.trace import Laid

ROW = ["trail", "seq", "owner", "place", "section", "fibre", "before", "cord"]
"""Columns of the rows of a trail, from downstream to upstream: what stands at the downstream end of a stretch
(owner: asset of a box, a room or a cable; place: number of the node) and the stretch (section), with the
fibre in it and the one before it, -1 where there is none or nothing tells; cord: it is a patch cord."""


@dataclass(frozen=True)
class Trails:
    """Ways from prises to the first room that they meet.

    Attributes
    ----------
    rows : DataFrame
        Columns of `ROW`; trail is the row of the prise in `Laid.traced`.
    room : (n_prises,) int64
        Room where each ends (row of `Survey.rooms`), -1 for an untraced prise.
    fibre : (n_prises,) int64
        Fibre that arrives there, -1 unknown.
    """

    rows: pd.DataFrame
    room: NDArray[np.int64]
    fibre: NDArray[np.int64]


@dataclass(frozen=True)
class Trunks:
    """Ways from PMs to NROs: every spliced one, else that of the cables.

    Attributes
    ----------
    ways : DataFrame
        One row per way: trunk, pm, nro (rows of `Survey.rooms`; nro -1 where the PM is itself the feed),
        is_spliced.
    rows : DataFrame
        Columns of `ROW` without fibres; trail is the trunk.
    walks : Walks
        One per fibre of the drawers of a PM that reaches an NRO.
    trunk_of, pm_of : (n_walks,) int64
        The way that each walk takes, and its PM (row of `Survey.rooms`).
    steps : DataFrame
        `Chains.steps` of the spliced ways: route is the trunk; without what stands in the room of the PM.
    """

    ways: pd.DataFrame
    rows: pd.DataFrame
    walks: Walks
    trunk_of: NDArray[np.int64]
    pm_of: NDArray[np.int64]
    steps: pd.DataFrame


def find_trails(laid: Laid) -> Trails:
    """Follow each traced prise up to its first room: PM, or NRO where no PM is on the way."""
    survey, how = laid.survey, laid.traced["traced"].to_numpy()
    climbs = _climb_graph(laid, laid.traced["vertex_nominal"].to_numpy(np.int64), ("PM", "NRO"))
    room = np.where(how != "", _room_at(laid, climbs.last()), NOWHERE)
    by_graph = _along_climbs(laid, climbs)
    fibre = np.full(len(how), NOWHERE, np.int64)
    spliced = [_no_row()]
    for waiting, by, starts in fibres_to_hand_out(survey, claimants(laid)):
        served, walks, first = hand_out(survey, waiting, by, starts)
        kept = np.flatnonzero(how[served] == "splice")
        chains, walks = spliced_chains(survey, walks, first), walks.take(kept)
        rows = _along_walks(survey, chains.steps, chains.route[kept], walks)
        spliced.append(rows.assign(trail=served[kept][rows["trail"].to_numpy()]))
        fibre[served[kept]] = walks.fibre[walks.indptr[1:] - 1]
        room[served[kept]] = walks.room
    by_splice = pd.concat(spliced, ignore_index=True)
    is_cabled = np.isin(how, ["cable", "zone"])[by_graph["trail"].to_numpy()]
    own = _own_boxes(by_splice, by_graph[(how == "splice")[by_graph["trail"].to_numpy()]], survey)
    rows = pd.concat([own, by_splice, by_graph[is_cabled]], ignore_index=True)
    return Trails(rows[ROW], room, fibre)


def claimants(laid: Laid) -> pd.DataFrame:
    """Give the prises as they were when fibres were handed out, with their drop's asset."""
    prises = laid.demand.prises
    return prises.assign(drop_asset=laid.survey.cable_asset.reindex(prises["drop"]).to_numpy())


def find_trunks(laid: Laid) -> Trunks:
    """Follow each PM up to its NRO."""
    survey, graphs = laid.survey, laid.graphs
    walks, starts, pm = transport_walks(graphs, survey)
    chains = find_chains(survey, walks, starts)
    pm_of = survey.nature.index.get_indexer(pm).astype(np.int64)
    vertex = graphs.joints.rooms.to_numpy(np.int64)
    fed = graphs.nominal.depth()[vertex] >= 0
    n_chains = len(chains.room)
    spliced = pd.DataFrame(
        {"trunk": np.arange(n_chains), "pm": pm_of[chains.first], "nro": chains.room.astype(np.int64)}
    )
    spliced = spliced[fed[spliced["nro"].to_numpy()]]
    is_pm = (survey.rooms["nature"] == "PM").to_numpy()
    alone = np.flatnonzero(is_pm & fed & ~np.isin(np.arange(len(is_pm)), spliced["pm"]))
    climbs = _climb_graph(laid, vertex[alone], ("NRO",))
    trunk = n_chains + np.arange(len(alone))
    cabled = pd.DataFrame({"trunk": trunk, "pm": alone, "nro": _room_at(laid, climbs.last())})
    first = ~chains.steps["route"].duplicated()
    steps = chains.steps.assign(
        owner=chains.steps["owner"].mask(first, NOWHERE), place=chains.steps["place"].mask(first, NOWHERE)
    )
    by_cable = _along_climbs(laid, climbs)
    # the room of the PM, and the entry by which transport reaches it
    in_pm = (by_cable["seq"] == 0) | by_cable["vertex"].isin(graphs.joints.entries) & (by_cable["seq"] == 1)
    by_cable = by_cable.assign(
        trail=by_cable["trail"] + n_chains,
        owner=by_cable["owner"].mask(in_pm, NOWHERE),
        place=by_cable["place"].mask(in_pm, NOWHERE),
    )
    return Trunks(
        ways=pd.concat([spliced.assign(is_spliced=True), cabled.assign(is_spliced=False)], ignore_index=True),
        rows=pd.concat([_without_fibres(steps), by_cable], ignore_index=True)[ROW],
        walks=walks,
        trunk_of=chains.route,
        pm_of=pm_of,
        steps=steps,
    )


def rows_of_walks(survey: Survey, trunks: Trunks, walk: NDArray[np.int64]) -> pd.DataFrame:
    """Give the rows of spliced ways with the fibres of these walks; trail is the place in `walk`."""
    return _along_walks(survey, trunks.steps, trunks.trunk_of[walk], trunks.walks.take(walk))


def _no_row() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=np.bool_ if name == "cord" else np.int64) for name in ROW})


def _climb_graph(laid: Laid, vertex: NDArray[np.int64], natures: tuple[str, ...]) -> Climbs:
    nominal, rooms = laid.graphs.nominal, laid.graphs.joints.rooms.to_numpy(np.int64)
    tail, head, _, _ = nominal.edge_list()
    stops = np.zeros(nominal.n_vertices, np.bool_)
    stops[rooms[laid.survey.rooms["nature"].isin(natures).to_numpy()]] = True
    return climb(grow_tree(nominal.n_vertices, tail, head), np.maximum(vertex, 0), stops)


def _room_at(laid: Laid, vertex: NDArray[np.int32]) -> NDArray[np.int64]:
    return pd.Index(laid.graphs.joints.rooms.to_numpy()).get_indexer(pd.Index(vertex)).astype(np.int64)


def _along_climbs(laid: Laid, climbs: Climbs) -> pd.DataFrame:
    """Lay paths of the graph as rows, but for the vertex where each stops."""
    place, owner = laid.graphs.nominal.vertex_list()
    section = laid.graphs.nominal.edge_list()[2]
    trail, at = slices(climbs.indptr[:-1], np.diff(climbs.indptr) - 1)
    rows = pd.DataFrame(
        {
            "trail": trail,
            "seq": at - climbs.indptr[:-1][trail],
            "vertex": climbs.vertex[at],
            "owner": owner[climbs.vertex[at]],
            "place": place[climbs.vertex[at]],
            "section": section[climbs.edge[at]],
            "fibre": NOWHERE,
            "before": NOWHERE,
        }
    )
    return rows.astype(np.int64).assign(cord=False)


def _without_fibres(steps: pd.DataFrame) -> pd.DataFrame:
    rows = steps.rename(columns={"route": "trail"})
    rows = rows.assign(seq=rows.groupby("trail").cumcount(), fibre=NOWHERE, before=NOWHERE, cord=False)
    return rows[ROW].astype(dict.fromkeys(ROW[:-1], np.int64))


def _along_walks(survey: Survey, steps: pd.DataFrame, route: NDArray[np.int64], walks: Walks) -> pd.DataFrame:
    """Lay walks as rows: the stretches of the cables that each runs through, and its patch cords."""
    edge = np.searchsorted(steps["route"].to_numpy(), np.stack([route, route + 1]))
    trail, at = slices(edge[0], edge[1] - edge[0])
    rows = steps[["turn", "owner", "place", "section"]].iloc[at].assign(trail=trail, cord=False)
    size = np.diff(walks.indptr)
    of_walk, where = slices(walks.indptr[:-1], size)
    is_cord = survey.cable_of_fibre[walks.fibre[where]] < 0
    joint = walks.box[np.maximum(where[is_cord] - 1, 0)]
    box = np.append(survey.box_asset.to_numpy(np.int64), NOWHERE)[joint]  # -1 reads the last
    node = taken(survey.network.assets["nd_code"].to_numpy(object), box)
    cords = pd.DataFrame(
        {
            "trail": of_walk[is_cord],
            "turn": where[is_cord] - walks.indptr[:-1][of_walk[is_cord]],
            "owner": box,
            "place": survey.nodes.get_indexer(pd.Index(node)),
            "section": NOWHERE,
            "cord": True,
        }
    )
    rows = pd.concat([rows, cords], ignore_index=True).sort_values(["trail", "turn"], kind="stable")
    trail, turn = rows["trail"].to_numpy(np.int64), rows["turn"].to_numpy(np.int64)
    fibre = walks.fibre[walks.indptr[trail] + turn] if len(rows) else np.zeros(0, np.int64)
    goes_on = rows.duplicated(["trail", "turn"]).to_numpy()
    previous = walks.fibre[np.maximum(walks.indptr[trail] + turn - 1, 0)] if len(rows) else fibre
    before = np.where(goes_on, fibre, np.where(turn > 0, previous, NOWHERE))
    rows = rows.assign(fibre=fibre, before=before, seq=rows.groupby("trail").cumcount())
    return rows[ROW].astype(dict.fromkeys(ROW[:-1], np.int64)).reset_index(drop=True)


def _own_boxes(by_splice: pd.DataFrame, by_graph: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Give the PBO of the spliced prises that the graph puts behind it, where their drop is elsewhere too."""
    first = by_graph[by_graph["seq"] == 0]
    is_box = np.isin(first["owner"].to_numpy(), survey.box_asset.to_numpy(np.int64))
    starts = by_splice[by_splice["seq"] == 0].set_index("trail")["owner"]
    other = starts.reindex(first["trail"]).to_numpy() != first["owner"].to_numpy()
    own = first[is_box & other & (first["section"] == NOWHERE).to_numpy()]
    return own.assign(seq=NOWHERE)
