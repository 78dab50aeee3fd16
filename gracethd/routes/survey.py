"""Codes of the network resolved to numbers once, for all the steps of tracing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import follow
from gracethd.network.fibres import Fibres
from gracethd.network.places import Places
from gracethd.network.types import Network

NOWHERE = -1


@dataclass(frozen=True)
class Survey:
    """What tracing reads again and again.

    Attributes
    ----------
    network : Network
    fibres : Fibres
    nodes : Index of nd_code
        What place numbers stand for.
    rooms : DataFrame
        NRO and PM rooms: room (code), nature, nd_code, place and asset (numbers, -1 unknown).
    nature : Series
        NRO or PM by room code.
    box_asset, cable_asset : Series
        Asset by bp_code and by cb_code.
    cable_of_fibre : (n_fibres,) int
        Asset of each fibre's cable, -1 for a patch cord.
    boxed : DataFrame
        Stops that have a box: cable (asset), stop, place, ebp (code), box (asset).
    room_stop : Series
        Stop by (cable asset, room code): the end in the room, else the one at its place.
    premise_stop : Series
        Stop at the premise by cable asset: its index is the drops.
    spot : Series
        What a stop shares with the others where cables can be re-spliced (D8): its room, its place, else
        its box where the place of that is unknown; NaN where it shares nothing.
    """

    network: Network
    fibres: Fibres
    nodes: pd.Index
    rooms: pd.DataFrame
    nature: pd.Series
    box_asset: pd.Series
    cable_asset: pd.Series
    cable_of_fibre: NDArray[np.int64]
    boxed: pd.DataFrame
    room_stop: pd.Series
    premise_stop: pd.Series
    spot: pd.Series

    def box_place(self, codes: pd.Series) -> NDArray[np.int32]:
        """Give the place number of each box, -1 unknown."""
        asset = self.box_asset.reindex(codes).to_numpy(np.int64)
        node = self.network.assets["nd_code"].to_numpy()[asset]
        return self.nodes.get_indexer(pd.Index(node)).astype(np.int32)

    def is_drop(self) -> NDArray[np.bool_]:
        """Tell the assets that are drops: cables with an end at a premise."""
        drop = np.zeros(len(self.network.assets), np.bool_)
        drop[self.premise_stop.index.to_numpy(np.int64)] = True
        return drop


def survey_network(network: Network, places: Places, fibres: Fibres, nodes: pd.Index) -> Survey:
    """Resolve codes to numbers."""
    rooms = _rooms(network, places, nodes)
    box_asset, cable_asset = (_asset_by_code(network.assets, kind) for kind in ("ebp", "cable"))
    boxed = network.stops[network.stops["ebp"].notna()]
    boxed = boxed.assign(box=box_asset.reindex(boxed["ebp"]).to_numpy(np.int64))
    return Survey(
        network=network,
        fibres=fibres,
        nodes=nodes,
        rooms=rooms,
        nature=rooms.set_index("room")["nature"],
        box_asset=box_asset,
        cable_asset=cable_asset,
        cable_of_fibre=cable_asset.reindex(fibres.cable).fillna(NOWHERE).to_numpy(np.int64),
        boxed=boxed[["cable", "stop", "place", "ebp", "box"]],
        room_stop=_room_stops(network, rooms),
        premise_stop=_premise_stops(network, cable_asset),
        spot=_spots(network, rooms, places),
    )


def _asset_by_code(assets: pd.DataFrame, kind: str) -> pd.Series:
    of_kind = assets[assets["kind"] == kind]
    return pd.Series(of_kind.index.to_numpy(np.int64), index=pd.Index(of_kind["code"]))


def _rooms(network: Network, places: Places, nodes: pd.Index) -> pd.DataFrame:
    number = pd.Series(
        network.assets.index.to_numpy(np.int64),
        index=pd.MultiIndex.from_frame(network.assets[["kind", "code"]]),
    )
    rooms = places.rooms[places.rooms["nature"].isin(("NRO", "PM"))].reset_index(drop=True)
    asset = number.reindex(pd.MultiIndex.from_arrays([rooms["kind"], rooms["room"]]))
    return rooms.assign(
        place=nodes.get_indexer(pd.Index(rooms["nd_code"])), asset=asset.fillna(NOWHERE).to_numpy(np.int64)
    )


def _room_stops(network: Network, rooms: pd.DataFrame) -> pd.Series:
    """Give the stop of each cable in each room; a box beside a drawer may have been taken for its end."""
    inside = network.stops[network.stops["room"].notna()]
    beside = network.stops.drop(columns="room").merge(
        rooms[["room", "nd_code"]].dropna(), left_on="place", right_on="nd_code"
    )
    both = pd.concat([inside, beside])[["cable", "room", "stop"]].drop_duplicates(["cable", "room"])
    return both.set_index(["cable", "room"])["stop"]


def _premise_stops(network: Network, cable_asset: pd.Series) -> pd.Series:
    """Give the stop at the premise of each drop; end 1 where both ends are at premises."""
    premise = network.ends[network.ends["is_premise"]]
    at = cable_asset.reindex(premise["cable"]).to_numpy(float)
    known = ~np.isnan(at)
    cable, is_first = at[known].astype(np.int64), premise["end"].to_numpy()[known] == 1
    edge = network.stops.groupby("cable")["stop"].agg(["min", "max"])
    stop = np.where(is_first, edge["min"].reindex(cable), edge["max"].reindex(cable))
    stops = pd.Series(stop.astype(np.int64), index=cable)
    return stops[~stops.index.duplicated()]


def _spots(network: Network, rooms: pd.DataFrame, places: Places) -> pd.Series:
    stops = network.stops.drop_duplicates("stop")
    box_node = follow(stops["ebp"], places.ebp_node)
    unplaced = ("box:" + stops["ebp"]).where(stops["ebp"].notna() & box_node.isna())
    room = ("room:" + stops["room"]).where(stops["room"].isin(rooms["room"]))
    spot = room.fillna(unplaced).fillna("place:" + stops["place"])
    return pd.Series(spot.to_numpy(), index=stops["stop"].to_numpy())
