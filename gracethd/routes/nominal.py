"""The nominal graph: the network as it is spliced today, on which prises are cut (D6, D7, D9)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gracethd.codes import among
from gracethd.connected import connected_parts
from gracethd.routes.graph import GraphParts
from gracethd.routes.survey import NOWHERE, Survey

STOP = ["layer", "cable", "stop", "vertex"]


@dataclass(frozen=True)
class Joints:
    """Vertices of the cable graph, for those who hang something on it.

    Attributes
    ----------
    stops : DataFrame
        layer, cable (asset), stop, vertex: where each cable of each layer stops.
    boxes : DataFrame
        layer, ebp (code), cable (asset, -1 for the joint of unspliced cables and of premises), vertex.
    rooms : Series
        Vertex of each NRO and PM room, by code.
    entries : Series
        Vertex where transport reaches each PM, by code; joined to its room unless splices say the route.
    """

    stops: pd.DataFrame
    boxes: pd.DataFrame
    rooms: pd.Series
    entries: pd.Series


def cable_graph(parts: GraphParts, survey: Survey, pbos: pd.Index) -> Joints:
    """Lay the cables of each layer as edges, joined in boxes as their splices say (D6, Inside a box).

    Parameters
    ----------
    parts : GraphParts
        Receives the vertices and the edges.
    survey : Survey
    pbos : Index of bp_code
        Boxes that serve premises: each has a joint of unspliced cables, where premises without drop hang.
    """
    rooms = survey.rooms
    room_vertex = pd.Series(
        parts.vertices(len(rooms), rooms["place"], rooms["asset"]), index=pd.Index(rooms["room"])
    )
    pm = rooms[rooms["nature"] == "PM"]
    entry = pd.Series(parts.vertices(len(pm), pm["place"], pm["asset"]), index=pd.Index(pm["room"]))
    spliced = _spliced_cables(survey)
    at = _stop_rows(survey)
    is_spliced = pd.MultiIndex.from_frame(at[["cable", "ebp"]]).isin(
        pd.MultiIndex.from_frame(spliced[["cable", "ebp"]])
    )
    at["joint"] = at["cable"].where(is_spliced, NOWHERE)
    in_room = at["room"].isin(room_vertex.index)
    boxed = at[~in_room & at["ebp"].notna()]
    boxes = _box_joints(parts, survey, boxed, pbos, spliced)
    standing = pd.concat(
        [_room_stops(at[in_room], room_vertex, entry), boxed.merge(boxes, on=["layer", "ebp", "joint"])],
        ignore_index=True,
    )
    many = standing.duplicated(["layer", "stop"], keep=False)
    stops = [
        standing.loc[~many, STOP],
        _shared_stops(parts, survey, standing[many]),
        _place_stops(parts, survey, _unequipped(at, in_room), boxes),
    ]
    found = pd.concat(stops, ignore_index=True)
    _lay_sections(parts, survey, found)
    return Joints(found, boxes.rename(columns={"joint": "cable"}), room_vertex, entry)


def _stop_rows(survey: Survey) -> pd.DataFrame:
    """Repeat the stops of each cable for each of its layers."""
    network = survey.network
    layers = network.sections[["cable", "layer"]].drop_duplicates()
    at = network.stops.merge(layers, on="cable").sort_values(["layer", "cable", "stop", "ebp"])
    at["is_premise"] = at["stop"].isin(survey.premise_stop)
    return at.reset_index(drop=True)


def _spliced_cables(survey: Survey) -> pd.DataFrame:
    """List the pairs of cables spliced in a box, both ways round: cable, other (assets), ebp."""
    splices = survey.fibres.splices
    one, two = (survey.cable_of_fibre[splices[name].to_numpy()] for name in ("fibre1", "fibre2"))
    pair = pd.DataFrame({"cable": one, "other": two, "ebp": splices["ebp"]})
    pair = pair[(pair["cable"] >= 0) & (pair["other"] >= 0)].drop_duplicates()
    back = pair.rename(columns={"cable": "other", "other": "cable"})
    both = pd.concat([pair, back], ignore_index=True).drop_duplicates()
    return both.sort_values(["ebp", "cable", "other"], ignore_index=True)


def _box_joints(
    parts: GraphParts, survey: Survey, boxed: pd.DataFrame, pbos: pd.Index, spliced: pd.DataFrame
) -> pd.DataFrame:
    """Give the cables of each layer their joint in each box; those that splices join share a vertex.

    A cable that no splice of the box holds is joined to all the cables of its layer there, and so is what a
    PBO serves: both stand at joint -1. Joints fail with the box alone, so those that are joined are one.
    """
    serving = boxed.loc[(boxed["layer"] == "distribution") & among(boxed["ebp"], pbos), ["layer", "ebp"]]
    boxes = pd.concat([boxed[["layer", "ebp", "joint"]], serving.assign(joint=NOWHERE)])
    boxes = boxes.drop_duplicates().sort_values(["layer", "ebp", "joint"], ignore_index=True)
    boxes["row"] = np.arange(len(boxes))
    near = boxes.merge(spliced, left_on=["ebp", "joint"], right_on=["ebp", "cable"])
    far = boxes.rename(columns={"row": "far", "joint": "other"})
    pairs = near.merge(far, on=["layer", "ebp", "other"])[["row", "far"]]
    common = boxes[boxes["joint"] == NOWHERE].rename(columns={"row": "far"})
    to_common = boxes.merge(common[["layer", "ebp", "far"]], on=["layer", "ebp"])[["row", "far"]]
    joined = pd.concat([pairs, to_common], ignore_index=True)
    group = connected_parts(len(boxes), joined["row"].to_numpy(), joined["far"].to_numpy())
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    once = boxes.iloc[first]
    asset = survey.box_asset.reindex(once["ebp"]).to_numpy()
    vertex = parts.vertices(len(once), survey.box_place(once["ebp"]), asset)
    return boxes.drop(columns="row").assign(vertex=vertex[number])


def _room_stops(at: pd.DataFrame, room_vertex: pd.Series, entry: pd.Series) -> pd.DataFrame:
    """Give the stops in rooms their vertex: transport reaches a PM at its entry."""
    is_entry = (at["layer"] == "transport") & at["room"].isin(entry.index)
    vertex = np.where(is_entry, entry.reindex(at["room"]), room_vertex.reindex(at["room"]))
    return at.assign(vertex=vertex.astype(np.int32))


def _shared_stops(parts: GraphParts, survey: Survey, standing: pd.DataFrame) -> pd.DataFrame:
    """Give a stop with several boxes, or a box beside a room, a vertex of its own: no order is known (D9).

    It is a piece of the cable, and falls with it: nothing else joins these boxes.
    """
    once = standing[["layer", "cable", "stop", "place"]].drop_duplicates(["layer", "stop"])
    place = survey.nodes.get_indexer(pd.Index(once["place"]))
    once = once.assign(hub=parts.vertices(len(once), place, once["cable"]))
    each = standing.merge(once[["layer", "stop", "hub"]], on=["layer", "stop"])
    parts.edges(each["hub"], each["vertex"], ambiguous=each["layer"] != "collecte")
    boxed = each[each["ebp"].notna()]
    parts.possible(survey.box_asset.reindex(boxed["ebp"]).to_numpy(), boxed["hub"])
    return once.rename(columns={"hub": "vertex"})[STOP]


def _unequipped(at: pd.DataFrame, in_room: pd.Series) -> pd.DataFrame:
    """Give the stops that have neither room nor box."""
    equipped = at.loc[in_room | at["ebp"].notna(), "stop"]
    return at[~at["stop"].isin(equipped)]


def _place_stops(
    parts: GraphParts, survey: Survey, open_stop: pd.DataFrame, boxes: pd.DataFrame
) -> pd.DataFrame:
    """Join the cables that end at a place without a box, and those whose box there cannot be told."""
    dangling = open_stop["is_premise"] | open_stop["place"].isna()
    alone = open_stop[dangling]
    # a drop ends in a vertex that nothing else shares; a premise is no asset (D1)
    alone = alone.assign(vertex=parts.vertices(len(alone)))
    hubs = open_stop.loc[~dangling, ["layer", "place"]].drop_duplicates().sort_values(["layer", "place"])
    hubs["vertex"] = parts.vertices(len(hubs), survey.nodes.get_indexer(pd.Index(hubs["place"])))
    at_place = boxes.assign(place=survey.box_place(boxes["ebp"])).rename(columns={"vertex": "far"})
    numbered = hubs.assign(place=survey.nodes.get_indexer(pd.Index(hubs["place"])))
    near = numbered.merge(at_place, on=["layer", "place"]).drop_duplicates(["vertex", "far"])
    parts.edges(near["vertex"], near["far"], ambiguous=near["layer"] != "collecte")
    shared = open_stop[~dangling].merge(hubs, on=["layer", "place"])
    return pd.concat([alone, shared], ignore_index=True)[STOP]


def _lay_sections(parts: GraphParts, survey: Survey, stops: pd.DataFrame) -> None:
    vertex = stops.set_index(["layer", "stop"])["vertex"]
    sections = survey.network.sections
    tail, head = (
        vertex.reindex(pd.MultiIndex.from_frame(sections[["layer", name]])).to_numpy(np.int32)
        for name in ("stop1", "stop2")
    )
    is_passive = sections["layer"] != "collecte"
    parts.edges(tail, head, section=sections["section"], ambiguous=is_passive)
