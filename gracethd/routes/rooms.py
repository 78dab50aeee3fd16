"""How rooms are reached: spliced transport, rooms of one building, feeds, and gaps between splices."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.places import Places
from gracethd.routes.alignments import Walks, walk_alignments
from gracethd.routes.chains import Starts, find_chains, lay_chains
from gracethd.routes.feeds import candidate_feeds, choose_feeds
from gracethd.routes.laying import Graphs
from gracethd.routes.survey import NOWHERE, Survey


def lay_transport(graphs: Graphs, survey: Survey) -> None:
    """Lay the spliced routes between PMs and NROs (D7); a PM without any takes the cables of its layer.

    Several spliced routes of one PM are redundancy: it is cut when each of them is.
    """
    walks, starts, pm = transport_walks(graphs, survey)
    near, far = graphs.joints.rooms, graphs.hooks.rooms
    chains = find_chains(survey, walks, starts)
    lay_chains(graphs.nominal, chains, survey, rooms=near.to_numpy(), given=starts.vertex[chains.first])
    lay_chains(
        graphs.physical, chains, survey, rooms=far.to_numpy(),
        given=far.reindex(pm).to_numpy(np.int32)[chains.first], kept=chains.is_loose,
    )  # fmt: skip
    by_cable = graphs.joints.entries[~graphs.joints.entries.index.isin(pm)]
    graphs.nominal.edges(by_cable, near.reindex(by_cable.index))


def transport_walks(graphs: Graphs, survey: Survey) -> tuple[Walks, Starts, pd.Index]:
    """Walk the fibres in the drawers of every PM up to an NRO: the walks, their starts and their PM."""
    contacts = survey.fibres.contacts
    from_pm = contacts[(contacts["room"].map(survey.nature) == "PM").to_numpy()]
    from_pm = from_pm[survey.cable_of_fibre[from_pm["fibre"].to_numpy()] >= 0]
    fibre = from_pm["fibre"].to_numpy(np.int32)
    walks = walk_alignments(survey.fibres, fibre, survey.box_asset.index, survey.nature == "NRO")
    pm = pd.Index(from_pm["room"].to_numpy()[walks.start])
    at = pd.MultiIndex.from_arrays([survey.cable_of_fibre[fibre[walks.start]], pm])
    starts = Starts(
        stop=survey.room_stop.reindex(at).fillna(NOWHERE).to_numpy(np.int64),
        box=np.full(len(pm), NOWHERE, np.int64),
        vertex=graphs.joints.rooms.reindex(pm).to_numpy(np.int32),
        spot=("room:" + pm.astype(object)).to_numpy(object),
    )
    return walks, starts, pm


def join_same_place(graphs: Graphs, survey: Survey) -> None:
    """Join a PM to the NRO of its own place where no transport cable serves it: a patch in the building."""
    transport = survey.network.sections.loc[survey.network.sections["layer"] == "transport", "cable"]
    stops = survey.network.stops
    with_cable = stops.loc[stops["cable"].isin(transport), "room"].dropna()
    rooms = survey.rooms.dropna(subset="nd_code")
    pm = rooms[(rooms["nature"] == "PM") & ~rooms["room"].isin(with_cable)]
    pair = pm.merge(rooms[rooms["nature"] == "NRO"], on="nd_code", suffixes=("", "_nro"))
    for graph, vertex in ((graphs.nominal, graphs.joints.rooms), (graphs.physical, graphs.hooks.rooms)):
        graph.edges(vertex.reindex(pair["room"]), vertex.reindex(pair["room_nro"]))


def join_feeds(graphs: Graphs, survey: Survey, places: Places, table: pd.DataFrame | None) -> pd.DataFrame:
    """Choose the feeds of each connected part and join the root to them (D14).

    Returns
    -------
    DataFrame
        feed, source, nd_code, part: -1 for a feed of the study's table that is on no cable.
    """
    candidates = _on_parts(graphs, candidate_feeds(places, survey.nodes, table))
    chosen = choose_feeds(candidates)
    lost = candidates[(candidates["source"] == "table") & (candidates["part"] == NOWHERE)]
    graphs.physical.edges(0, chosen["vertex"])
    rooms = graphs.joints.rooms
    in_room = chosen["room"].isin(rooms.index)
    graphs.nominal.edges(0, rooms.reindex(chosen.loc[in_room, "room"]))
    placed = _placed_joints(graphs, survey)
    at_feed = placed["spot"].isin("place:" + chosen.loc[~in_room, "nd_code"])
    collecte = placed[at_feed & (placed["layer"] == "collecte")]
    graphs.nominal.edges(0, collecte["vertex"].drop_duplicates())
    return pd.concat([chosen, lost], ignore_index=True)[["feed", "source", "nd_code", "part"]]


def _on_parts(graphs: Graphs, candidates: pd.DataFrame) -> pd.DataFrame:
    """Find the vertex and the connected part of each candidate feed."""
    hooks = graphs.hooks
    at_room = hooks.rooms.reindex(candidates["room"]).to_numpy(float)
    collecte = pd.MultiIndex.from_product([["collecte"], "place:" + candidates["nd_code"]])
    vertex = np.where(np.isnan(at_room), hooks.spots.reindex(collecte).to_numpy(float), at_room)
    known = ~np.isnan(vertex)
    vertex = np.where(known, vertex, 0).astype(np.int32)
    part = np.where(known, graphs.physical.components(rooted=False)[vertex], NOWHERE)
    return candidates.assign(vertex=np.where(known, vertex, NOWHERE), part=part)


def _placed_joints(graphs: Graphs, survey: Survey) -> pd.DataFrame:
    stops = graphs.joints.stops
    return stops.assign(spot=survey.spot.reindex(stops["stop"]).to_numpy()).dropna(subset="spot")


def close_gaps(graphs: Graphs, survey: Survey) -> list[str]:
    """Join by place the cables on the way to rooms that no splice reaches, and give the rooms.

    A room that has cables to a feed, none of them spliced through, has an unknown route: it is that of its
    cables, as if each closure on the way joined the collecte or the transport cables that stop there.
    Closures whose cables are all reached are left as they are spliced.
    """
    far = graphs.physical.depth()[graphs.hooks.rooms.to_numpy(np.int64)] >= 0
    depth = graphs.nominal.depth()
    gap = graphs.joints.rooms.index[far & (depth[graphs.joints.rooms.to_numpy(np.int64)] < 0)]
    if not len(gap):
        return []
    placed = _placed_joints(graphs, survey)
    is_between = (placed["layer"] != "distribution") & ~placed["spot"].str.startswith("room:")
    placed = placed[is_between].drop_duplicates(["layer", "spot", "vertex"])
    is_open = pd.Series(depth[placed["vertex"].to_numpy()] < 0, index=placed.index)
    placed = placed[is_open.groupby([placed["layer"], placed["spot"]]).transform("any")]
    placed = placed[_beside(graphs, placed, gap)]
    hubs = placed[["layer", "spot"]].drop_duplicates().sort_values(["layer", "spot"])
    place = survey.nodes.get_indexer(pd.Index(hubs["spot"].str.removeprefix("place:")))
    hubs["hub"] = graphs.nominal.vertices(len(hubs), place)
    each = placed.merge(hubs, on=["layer", "spot"])
    graphs.nominal.edges(each["hub"], each["vertex"], ambiguous=each["layer"] != "collecte")
    return sorted(gap)


def _beside(graphs: Graphs, placed: pd.DataFrame, gap: pd.Index) -> NDArray[np.bool_]:
    """Tell the joints that cables connect to a room of `gap`, whatever the root joins."""
    part = graphs.physical.components(rooted=False)
    broken = part[graphs.hooks.rooms.reindex(gap).to_numpy(np.int64)]
    spot = pd.MultiIndex.from_frame(placed[["layer", "spot"]])
    return np.isin(part[graphs.hooks.spots.reindex(spot).to_numpy(np.int64)], broken)
