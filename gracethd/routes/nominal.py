"""The nominal graph: the network as it is spliced today, on which prises are cut (D6, D7, D9)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.fibres import Fibres
from gracethd.network.types import Network
from gracethd.routes.alignments import Walks
from gracethd.routes.graph import NOWHERE, GraphParts


@dataclass(frozen=True)
class Joints:
    """Vertices of the cable graph, for those who hang something on it.

    Attributes
    ----------
    stops : DataFrame
        layer, cable (asset), stop, vertex: where each cable of each layer stops.
    boxes : DataFrame
        layer, ebp (code), cable (asset, -1 for the joint of unspliced cables), vertex.
    rooms : Series
        Vertex of each NRO and PM room, by code.
    entries : Series
        Vertex where transport reaches each PM, by code; joined to its room unless splices say the route.
    """

    stops: pd.DataFrame
    boxes: pd.DataFrame
    rooms: pd.Series
    entries: pd.Series


def cable_graph(
    parts: GraphParts, network: Network, fibres: Fibres, rooms: pd.DataFrame, box_asset: pd.Series
) -> Joints:
    """Lay the cables of each layer as edges, joined in boxes as their splices say (D6, Inside a box).

    Parameters
    ----------
    parts : GraphParts
        Receives the vertices and the edges.
    rooms : DataFrame
        NRO and PM rooms: room, nature, place (number), asset.
    box_asset : Series
        Asset number by bp_code.
    """
    room_vertex = pd.Series(
        parts.vertices(len(rooms), rooms["place"].to_numpy(), rooms["asset"].to_numpy()), index=rooms["room"]
    )
    is_pm = (rooms["nature"] == "PM").to_numpy()
    entry = pd.Series(
        parts.vertices(int(is_pm.sum()), rooms.loc[is_pm, "place"], rooms.loc[is_pm, "asset"]),
        index=rooms.loc[is_pm, "room"],
    )
    spliced = _spliced_cables(network, fibres)
    at = _stop_rows(network)
    at["is_spliced"] = pd.MultiIndex.from_frame(at[["cable", "ebp"]]).isin(
        pd.MultiIndex.from_frame(spliced[["cable", "ebp"]])
    )
    in_room = at["room"].isin(room_vertex.index)
    to_entry = in_room & (at["layer"] == "transport") & at["room"].isin(entry.index)
    boxed = at[~in_room & at["ebp"].notna()].copy()
    boxed["joint"] = boxed["cable"].where(boxed["is_spliced"], NOWHERE)
    boxes = boxed[["layer", "ebp", "joint"]].drop_duplicates().sort_values(["layer", "ebp", "joint"])
    place_of_box = network.assets["nd_code"].to_numpy()[box_asset.reindex(boxes["ebp"]).to_numpy()]
    boxes["vertex"] = parts.vertices(
        len(boxes), parts.places.get_indexer(place_of_box), box_asset.reindex(boxes["ebp"]).to_numpy()
    )
    boxed = boxed.merge(boxes, on=["layer", "ebp", "joint"])
    _join_in_boxes(parts, boxes, spliced)
    many = boxed.groupby(["layer", "stop"])["vertex"].transform("size") > 1
    alone = boxed.loc[~many, ["layer", "cable", "stop", "vertex"]]
    shared = _shared_stops(parts, boxed[many], box_asset)
    open_stop = at[~in_room & at["ebp"].isna()]
    stops = pd.concat(
        [
            at.loc[in_room & ~to_entry, ["layer", "cable", "stop"]].assign(
                vertex=room_vertex.reindex(at.loc[in_room & ~to_entry, "room"]).to_numpy()
            ),
            at.loc[to_entry, ["layer", "cable", "stop"]].assign(
                vertex=entry.reindex(at.loc[to_entry, "room"]).to_numpy()
            ),
            alone,
            shared,
            _place_stops(parts, open_stop, boxes, network, box_asset),
        ],
        ignore_index=True,
    ).drop_duplicates(["layer", "cable", "stop"])
    _lay_sections(parts, network, stops)
    return Joints(stops, boxes.rename(columns={"joint": "cable"}), room_vertex, entry)


def _stop_rows(network: Network) -> pd.DataFrame:
    """Repeat the stops of each cable for each of its layers; drops end in a vertex of their own."""
    layers = network.sections[["cable", "layer"]].drop_duplicates()
    at = network.stops.merge(layers, on="cable").sort_values(["layer", "cable", "stop", "ebp"])
    premise_end = network.ends[network.ends["is_premise"]]
    codes = network.assets["code"].to_numpy()[at["cable"].to_numpy()]
    ends = pd.MultiIndex.from_frame(premise_end[["cable", "place"]])
    at["is_premise"] = pd.MultiIndex.from_arrays([codes, at["place"]]).isin(ends)
    return at.reset_index(drop=True)


def _spliced_cables(network: Network, fibres: Fibres) -> pd.DataFrame:
    """List the pairs of cables spliced in a box, both ways round: cable, other (assets), ebp."""
    assets = network.assets
    number = pd.Series(
        assets.index[assets["kind"] == "cable"], index=assets.loc[assets["kind"] == "cable", "code"]
    )
    one = number.reindex(fibres.cable[fibres.splices["fibre1"].to_numpy()]).to_numpy()
    two = number.reindex(fibres.cable[fibres.splices["fibre2"].to_numpy()]).to_numpy()
    pair = pd.DataFrame({"cable": one, "other": two, "ebp": fibres.splices["ebp"].to_numpy()}).dropna()
    back = pair.rename(columns={"cable": "other", "other": "cable"})
    both = pd.concat([pair, back], ignore_index=True).astype({"cable": np.int64, "other": np.int64})
    return both.drop_duplicates().sort_values(["ebp", "cable", "other"], ignore_index=True)


def _join_in_boxes(parts: GraphParts, boxes: pd.DataFrame, spliced: pd.DataFrame) -> None:
    own = boxes[boxes["joint"] >= 0]
    pairs = own.merge(
        spliced[spliced["cable"] < spliced["other"]], left_on=["ebp", "joint"], right_on=["ebp", "cable"]
    )
    pairs = pairs.merge(
        own.rename(columns={"vertex": "far"}),
        left_on=["layer", "ebp", "other"],
        right_on=["layer", "ebp", "joint"],
    )
    parts.edges(pairs["vertex"], pairs["far"], ambiguous=(pairs["layer"] != "collecte").to_numpy())
    common = boxes[boxes["joint"] < 0]
    joined = own.merge(common.rename(columns={"vertex": "far"}), on=["layer", "ebp"])
    parts.edges(joined["vertex"], joined["far"], ambiguous=(joined["layer"] != "collecte").to_numpy())


def _shared_stops(parts: GraphParts, boxed: pd.DataFrame, box_asset: pd.Series) -> pd.DataFrame:
    """Give a stop with several boxes a vertex of its own: their order is unknown (D9)."""
    once = boxed[["layer", "cable", "stop", "place"]].drop_duplicates(["layer", "stop"])
    once = once.assign(hub=parts.vertices(len(once), parts.places.get_indexer(once["place"])))
    each = boxed.merge(once[["layer", "stop", "hub"]], on=["layer", "stop"])
    parts.edges(each["hub"], each["vertex"], ambiguous=(each["layer"] != "collecte").to_numpy())
    parts.possible(box_asset.reindex(each["ebp"]).to_numpy(), each["hub"])
    return once.rename(columns={"hub": "vertex"})[["layer", "cable", "stop", "vertex"]]


def _place_stops(
    parts: GraphParts, open_stop: pd.DataFrame, boxes: pd.DataFrame, network: Network, box_asset: pd.Series
) -> pd.DataFrame:
    """Join the cables that end at a place without a box, and those whose box there cannot be told."""
    dangling = open_stop["is_premise"] | open_stop["place"].isna()
    alone = open_stop[dangling]
    # a drop ends in a vertex that nothing else shares; a premise is no asset (D1)
    alone = alone.assign(vertex=parts.vertices(len(alone)))
    shared = open_stop[~dangling]
    hubs = shared[["layer", "place"]].drop_duplicates().sort_values(["layer", "place"])
    hubs["vertex"] = parts.vertices(len(hubs), parts.places.get_indexer(hubs["place"]))
    place_of_box = network.assets["nd_code"].to_numpy()[box_asset.reindex(boxes["ebp"]).to_numpy()]
    near = hubs.merge(
        boxes.assign(place=place_of_box).rename(columns={"vertex": "far"}), on=["layer", "place"]
    )
    parts.edges(near["vertex"], near["far"], ambiguous=(near["layer"] != "collecte").to_numpy())
    shared = shared.merge(hubs, on=["layer", "place"])
    return pd.concat([alone, shared], ignore_index=True)[["layer", "cable", "stop", "vertex"]]


def _lay_sections(parts: GraphParts, network: Network, stops: pd.DataFrame) -> None:
    vertex = stops.set_index(["layer", "stop"])["vertex"]
    sections = network.sections
    ends = [
        vertex.reindex(pd.MultiIndex.from_arrays([sections["layer"], sections[name]])).to_numpy()
        for name in ("stop1", "stop2")
    ]
    parts.edges(
        ends[0].astype(np.int32),
        ends[1].astype(np.int32),
        section=sections["section"].to_numpy(),
        ambiguous=(sections["layer"] != "collecte").to_numpy(),
    )


def spliced_chains(
    parts: GraphParts,
    network: Network,
    walks: Walks,
    first_stop: NDArray[np.int64],
    first_box: NDArray[np.int64],
    last_room: pd.Series,
    first_vertex: NDArray[np.int32],
    cable_of_fibre: NDArray[np.int64],
    box_asset_of: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Lay each distinct spliced route as a chain of its own, and give the vertex where it starts.

    Parameters
    ----------
    walks : Walks
        From the starting fibre (downstream) to the drawer.
    first_stop : (n_walks,) int
        Stop of the first cable where the route starts (a PBO, a premise, a PM drawer).
    first_box : (n_walks,) int
        Asset of the box where the route starts, -1 for a premise or a drawer.
    last_room : Series
        Vertex of each room by its number in the walks.
    first_vertex : (n_walks,) int32
        Vertex where the chain must end downstream, -1 for a new one.
    cable_of_fibre : (n_fibres,) int
        Asset of each fibre's cable, -1 for a patch cord.
    box_asset_of : (n_boxes,) int32
        Asset of each box number of the walks.

    Returns
    -------
    (n_walks,) int32
        The downstream vertex of each walk; walks along the same route share it.
    """
    n = len(walks.start)
    if n == 0:
        return np.zeros(0, np.int32)
    steps = _chain_steps(network, walks, first_stop, first_box, cable_of_fibre, box_asset_of)
    steps["place"] = parts.places.get_indexer(steps["place"])
    route = _same_routes(steps, walks, first_stop, first_vertex)
    kept = np.unique(route, return_index=True)[1]
    steps = steps[steps["walk"].isin(kept)].reset_index(drop=True)
    # vertices: one downstream of each step; the last step's upstream vertex is the room
    starts = ~steps["walk"].duplicated()
    downstream = parts.vertices(len(steps), steps["place"].to_numpy(), steps["owner"].to_numpy())
    given = first_vertex[steps["walk"].to_numpy()]
    downstream = np.where(starts.to_numpy() & (given >= 0), given, downstream).astype(np.int32)
    upstream = np.append(downstream[1:], NOWHERE)
    ends = ~steps["walk"].duplicated(keep="last").to_numpy()
    room = last_room.reindex(walks.room).to_numpy()
    upstream[ends] = room[steps["walk"].to_numpy()[ends]]
    parts.edges(upstream, downstream, section=steps["section"].to_numpy())
    multi = steps["possible"].explode().dropna()
    parts.possible(multi.to_numpy(np.int32), downstream[multi.index.to_numpy()])
    vertex_of_walk = pd.Series(downstream[starts.to_numpy()], index=steps.loc[starts, "walk"])
    return vertex_of_walk.reindex(kept).fillna(NOWHERE).to_numpy(np.int32)[route]


def _same_routes(
    steps: pd.DataFrame, walks: Walks, first_stop: NDArray[np.int64], first_vertex: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Number the distinct routes; the first walk along each stands for it."""
    turn = steps.groupby("walk").cumcount()
    wide = steps.assign(turn=turn, key=steps["section"].astype(np.int64) * (2**31) + steps["owner"])
    table = wide.pivot(index="walk", columns="turn", values="key").reindex(range(len(walks.start)))
    table = table.fillna(-(2**62)).astype(np.int64)
    table["room"], table["stop"], table["given"] = walks.room, first_stop, first_vertex
    group = table.groupby(list(table.columns), sort=False).ngroup()
    return group.to_numpy()


def _chain_steps(
    network: Network,
    walks: Walks,
    first_stop: NDArray[np.int64],
    first_box: NDArray[np.int64],
    cable_of_fibre: NDArray[np.int64],
    box_asset_of: NDArray[np.int32],
) -> pd.DataFrame:
    """Expand each walk into the stretches of cable that it runs through, from downstream to upstream.

    One row per stretch: walk, section, and what stands at its *downstream* end: place, owner (box asset or
    -1), possible (box assets whose order there is unknown).
    """
    stops = network.stops
    asset = pd.Series(network.assets.index, index=pd.MultiIndex.from_frame(network.assets[["kind", "code"]]))
    boxed = stops[stops["ebp"].notna()]
    box = asset.reindex(pd.MultiIndex.from_arrays([["ebp"] * len(boxed), boxed["ebp"]])).to_numpy()
    boxed = boxed.assign(box=box)
    stop_at = boxed.set_index(["cable", "box"])["stop"]
    stop_at = stop_at[~stop_at.index.duplicated()]
    once = stops.drop_duplicates("stop")
    lowest, highest = once.groupby("cable")["stop"].min(), once.groupby("cable")["stop"].max()
    walk = np.repeat(np.arange(len(walks.start)), np.diff(walks.indptr))
    cable = cable_of_fibre[walks.fibre]
    leg = pd.DataFrame(
        {"walk": walk, "cable": cable, "up_box": np.where(walks.box >= 0, box_asset_of[walks.box], -1)}
    )
    leg["is_first"] = ~leg["walk"].duplicated()
    before = leg.groupby("walk")["up_box"].shift(1)
    leg["down_box"] = before.fillna(pd.Series(first_box[walk], index=leg.index)).astype(np.int64)
    leg = leg[leg["cable"] >= 0]
    down = stop_at.reindex(pd.MultiIndex.from_frame(leg[["cable", "down_box"]])).to_numpy(float)
    down = np.where(leg["is_first"], first_stop[leg["walk"].to_numpy()], down)
    up = stop_at.reindex(pd.MultiIndex.from_frame(leg[["cable", "up_box"]])).to_numpy(float)
    low = lowest.reindex(leg["cable"]).to_numpy(float)
    high = highest.reindex(leg["cable"]).to_numpy(float)
    # a leg whose box is no stop of its cable, or that ends at a drawer, runs to the end away from the other
    down = np.where(np.isnan(down) | (down < 0), np.where(up == low, high, low), down)
    up = np.where(np.isnan(up), np.where(down == low, high, low), up)
    leg = leg.assign(down=down.astype(np.int64), up=up.astype(np.int64))
    size = (leg["up"] - leg["down"]).abs().to_numpy()
    row = np.repeat(np.arange(len(leg)), size)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    sign = np.sign((leg["up"] - leg["down"]).to_numpy())[row]
    here = leg["down"].to_numpy()[row] + sign * within
    lower = np.where(sign > 0, here, here - 1)
    section_of = pd.Series(network.sections["section"].to_numpy(), index=network.sections["stop1"])
    section_of = section_of[~section_of.index.duplicated()]
    place = pd.Series(once["place"].to_numpy(), index=once["stop"])
    boxes_at = boxed.groupby("stop")["box"].agg(list)
    at_here = pd.Series(boxes_at.reindex(here).to_numpy(), dtype=object)
    n_boxes = at_here.str.len().fillna(0).to_numpy(int)
    only = at_here.str[0].to_numpy()
    is_joint = within == 0
    joint = np.where(is_joint, leg["down_box"].to_numpy()[row], -1)
    own = np.where(joint >= 0, joint, np.where(n_boxes == 1, only, -1)).astype(np.int64)
    unsure = n_boxes > 1
    return pd.DataFrame(
        {
            "walk": leg["walk"].to_numpy()[row],
            "section": section_of.reindex(lower).to_numpy(np.int32),
            "place": pd.Series(place.reindex(here)).to_numpy(),
            "owner": own,
            "possible": at_here.where(unsure, None).to_numpy(),
        }
    )
