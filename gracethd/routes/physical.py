"""The physical graph: what could be re-spliced and re-patched, on which prises are stranded (D8)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gracethd.routes.graph import GraphParts
from gracethd.routes.survey import Survey


@dataclass(frozen=True)
class Hooks:
    """Vertices of the physical graph by what stands there.

    Attributes
    ----------
    rooms : Series by room code
    spots : Series by (layer, spot)
        Where cables of one layer can be re-spliced (see `Survey.spot`).
    pbos : Series by bp_code
    drops : Series by cable asset
        Where the premises stand, at the far end of each drop.
    """

    rooms: pd.Series
    spots: pd.Series
    pbos: pd.Series
    drops: pd.Series


def place_graph(parts: GraphParts, survey: Survey, pbos: pd.DataFrame) -> Hooks:
    """Lay the cables of each layer between places, and hang each PBO and each drop on its place.

    Parameters
    ----------
    parts : GraphParts
        Receives the vertices and the edges.
    survey : Survey
    pbos : DataFrame
        Boxes that serve premises: bp_code, nd_code.

    Returns
    -------
    Hooks
    """
    rooms = survey.rooms
    room_vertex = pd.Series(
        parts.vertices(len(rooms), rooms["place"], rooms["asset"]), index=pd.Index(rooms["room"])
    )
    sections, is_drop = survey.network.sections, survey.is_drop()
    trunk = sections[~is_drop[sections["cable"].to_numpy()]]
    pbo_spot = ("place:" + pbos["nd_code"]).fillna("box:" + pbos["bp_code"])
    spots = _spots(parts, survey, trunk, pbo_spot)
    vertex = _stop_vertices(parts, survey, trunk, room_vertex, spots)
    tail, head = (
        vertex.reindex(pd.MultiIndex.from_frame(trunk[["layer", name]])).to_numpy(np.int32)
        for name in ("stop1", "stop2")
    )
    parts.edges(tail, head, section=trunk["section"], ambiguous=True)
    asset = survey.box_asset.reindex(pbos["bp_code"]).to_numpy()
    pbo_vertex = pd.Series(
        parts.vertices(len(pbos), survey.box_place(pbos["bp_code"]), asset), index=pd.Index(pbos["bp_code"])
    )
    hub = spots.reindex(pd.MultiIndex.from_product([["distribution"], pbo_spot])).to_numpy(np.int32)
    parts.edges(hub, pbo_vertex)
    return Hooks(room_vertex, spots, pbo_vertex, _hang_drops(parts, survey, room_vertex, pbo_vertex, spots))


def _stops_by_layer(survey: Survey, trunk: pd.DataFrame) -> pd.DataFrame:
    """List where the cables of each layer stop: layer, stop, spot."""
    both = [trunk[["layer", name]].set_axis(["layer", "stop"], axis=1) for name in ("stop1", "stop2")]
    at = pd.concat(both).drop_duplicates().sort_values(["layer", "stop"], ignore_index=True)
    return at.assign(spot=survey.spot.reindex(at["stop"]).to_numpy())


def _spots(parts: GraphParts, survey: Survey, trunk: pd.DataFrame, pbo_spot: pd.Series) -> pd.Series:
    """Give a vertex to each place where cables of a layer stop or a PBO stands, by layer and spot."""
    at = _stops_by_layer(survey, trunk)[["layer", "spot"]].dropna()
    at = at[~at["spot"].str.startswith("room:")]
    serving = pd.DataFrame({"layer": "distribution", "spot": pbo_spot})
    spots = pd.concat([at, serving]).drop_duplicates().sort_values(["layer", "spot"])
    place = survey.nodes.get_indexer(pd.Index(spots["spot"].str.removeprefix("place:")))
    return pd.Series(parts.vertices(len(spots), place), index=pd.MultiIndex.from_frame(spots))


def _stop_vertices(
    parts: GraphParts, survey: Survey, trunk: pd.DataFrame, room_vertex: pd.Series, spots: pd.Series
) -> pd.Series:
    """Give the vertex of each stop, by layer and stop: its room, its spot, else one of its own."""
    at = _stops_by_layer(survey, trunk)
    in_room = room_vertex.reindex(at["spot"].str.removeprefix("room:")).to_numpy(float)
    at_spot = spots.reindex(pd.MultiIndex.from_frame(at[["layer", "spot"]])).to_numpy(float)
    vertex = np.where(np.isnan(in_room), at_spot, in_room)
    alone = np.isnan(vertex)
    vertex[alone] = parts.vertices(int(alone.sum()))
    _open_beside_rooms(parts, survey, at.assign(vertex=vertex), spots)
    return pd.Series(vertex.astype(np.int32), index=pd.MultiIndex.from_frame(at[["layer", "stop"]]))


def _open_beside_rooms(parts: GraphParts, survey: Survey, at: pd.DataFrame, spots: pd.Series) -> None:
    """Let a cable that ends in a room, and is opened in a box at the same place, be re-spliced there too."""
    beside = at[at["spot"].str.startswith("room:").fillna(value=False).astype(bool)].merge(
        survey.boxed.drop_duplicates("stop")[["stop", "cable", "place"]], on="stop"
    )
    hub = spots.reindex(pd.MultiIndex.from_arrays([beside["layer"], "place:" + beside["place"]]))
    known = hub.notna().to_numpy()
    piece = parts.vertices(int(known.sum()), survey.nodes.get_indexer(pd.Index(beside["place"]))[known],
                           beside["cable"].to_numpy()[known])  # fmt: skip
    parts.edges(beside["vertex"].to_numpy(np.int32)[known], piece)
    parts.edges(piece, hub.to_numpy()[known].astype(np.int32))


def _hang_drops(
    parts: GraphParts, survey: Survey, room_vertex: pd.Series, pbo_vertex: pd.Series, spots: pd.Series
) -> pd.Series:
    """Hang each drop on its PBO, else on its room or place; each ends in a vertex of its own."""
    network, is_drop = survey.network, survey.is_drop()
    drop = network.sections[is_drop[network.sections["cable"].to_numpy()]]
    drop = drop.drop_duplicates("section").sort_values(["cable", "section"])
    near_end = network.ends[~network.ends["is_premise"]].drop_duplicates("cable").set_index("cable")
    ends = near_end.reindex(network.assets["code"].to_numpy()[drop["cable"].to_numpy()])
    at_place = pd.MultiIndex.from_product([["distribution"], "place:" + ends["place"]])
    near = (
        pd.Series(pbo_vertex.reindex(ends["ebp"]).to_numpy(float))
        .fillna(pd.Series(room_vertex.reindex(ends["room"]).to_numpy(float)))
        .fillna(pd.Series(spots.reindex(at_place).to_numpy(float)))
    )
    beyond = parts.vertices(len(drop))  # one after each stretch: their order along the drop changes no loss
    is_first = ~drop["cable"].duplicated().to_numpy()
    tail = np.where(is_first, near, np.append(np.nan, beyond)[: len(drop)])
    known = ~np.isnan(tail)
    parts.edges(tail[known].astype(np.int32), beyond[known], section=drop["section"].to_numpy()[known])
    is_last = ~drop["cable"].duplicated(keep="last").to_numpy()
    return pd.Series(beyond[is_last], index=drop["cable"].to_numpy()[is_last])
