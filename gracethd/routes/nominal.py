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
