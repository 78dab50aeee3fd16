"""The physical graph: what could be re-spliced and re-patched, on which prises are stranded (D8)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gracethd.network.types import Network
from gracethd.routes.graph import GraphParts


@dataclass(frozen=True)
class Hooks:
    """Vertices of the physical graph by what stands there.

    Attributes
    ----------
    rooms : Series by room code
    places : Series by (layer, nd_code)
    pbos : Series by bp_code
    drops : Series by cable asset
        Where the premises stand, at the far end of each drop.
    """

    rooms: pd.Series
    places: pd.Series
    pbos: pd.Series
    drops: pd.Series


def place_graph(parts: GraphParts, network: Network, rooms: pd.DataFrame, pbos: pd.DataFrame) -> Hooks:
    """Lay the cables of each layer between places, and hang each PBO and each drop on its place.

    Parameters
    ----------
    parts : GraphParts
        Receives the vertices and the edges.
    rooms : DataFrame
        NRO and PM rooms: room, place (number), asset.
    pbos : DataFrame
        Boxes that serve premises: bp_code, asset, place (nd_code).

    Returns
    -------
    Hooks
    """
    room_vertex = pd.Series(
        parts.vertices(len(rooms), rooms["place"].to_numpy(), rooms["asset"].to_numpy()), index=rooms["room"]
    )
    is_drop = (network.assets["segment"] == "raccordement").to_numpy()
    trunk = network.sections[~is_drop[network.sections["cable"].to_numpy()]]
    once = network.stops.drop_duplicates("stop")
    layered = pd.concat(
        [
            trunk[["layer", "stop1"]].set_axis(["layer", "stop"], axis=1),
            trunk[["layer", "stop2"]].set_axis(["layer", "stop"], axis=1),
        ]
    ).drop_duplicates()
    at = layered.merge(once[["stop", "place", "room"]], on="stop").sort_values(["layer", "stop"])
    at["vertex"] = room_vertex.reindex(at["room"]).to_numpy()
    own = at["vertex"].isna() & at["place"].isna()
    at.loc[own, "vertex"] = parts.vertices(int(own.sum()))
    wanted = pd.concat(
        [
            at.loc[at["vertex"].isna(), ["layer", "place"]],
            pbos[["place"]].dropna().assign(layer="distribution")[["layer", "place"]],
        ]
    )
    hubs = wanted.drop_duplicates().sort_values(["layer", "place"])
    hubs["hub"] = parts.vertices(len(hubs), parts.places.get_indexer(hubs["place"]))
    hub = hubs.set_index(["layer", "place"])["hub"]
    at["vertex"] = at["vertex"].fillna(
        pd.Series(hub.reindex(pd.MultiIndex.from_frame(at[["layer", "place"]])).to_numpy(), index=at.index)
    )
    vertex = at.set_index(["layer", "stop"])["vertex"]
    tail, head = (
        vertex.reindex(pd.MultiIndex.from_arrays([trunk["layer"], trunk[name]])).to_numpy(np.int32)
        for name in ("stop1", "stop2")
    )
    parts.edges(tail, head, section=trunk["section"].to_numpy(), ambiguous=True)
    pbo_vertex = pd.Series(
        parts.vertices(len(pbos), parts.places.get_indexer(pbos["place"]), pbos["asset"].to_numpy()),
        index=pbos["bp_code"],
    )
    placed = pbos["place"].notna().to_numpy()
    parts.edges(
        hub.reindex([("distribution", place) for place in pbos.loc[placed, "place"]]).to_numpy(np.int32),
        pbo_vertex.to_numpy()[placed],
    )
    return Hooks(room_vertex, hub, pbo_vertex, _hang_drops(parts, network, pbo_vertex, hub, is_drop))


def _hang_drops(
    parts: GraphParts, network: Network, pbo_vertex: pd.Series, hub: pd.Series, is_drop: np.ndarray
) -> pd.Series:
    """Hang each drop on its PBO, else on its place; each ends in a vertex of its own."""
    drop = network.sections[is_drop[network.sections["cable"].to_numpy()]]
    drop = drop.drop_duplicates("section").sort_values(["cable", "section"])
    ends = network.ends[~network.ends["is_premise"]].drop_duplicates("cable").set_index("cable")
    codes = network.assets["code"].to_numpy()[drop["cable"].to_numpy()]
    near = pbo_vertex.reindex(ends["ebp"].reindex(codes)).to_numpy(float)
    place = pd.Series("distribution", index=drop.index), ends["place"].reindex(codes).to_numpy()
    at_place = hub.reindex(pd.MultiIndex.from_arrays(place)).to_numpy(float)
    near = np.where(np.isnan(near), at_place, near)
    beyond = parts.vertices(len(drop))  # one after each stretch: their order along the drop changes no loss
    is_first = ~drop["cable"].duplicated().to_numpy()
    tail = np.where(is_first, near, np.append(np.nan, beyond[:-1]))
    known = ~np.isnan(tail)
    parts.edges(tail[known].astype(np.int32), beyond[known], section=drop["section"].to_numpy()[known])
    is_last = ~drop["cable"].duplicated(keep="last").to_numpy()
    return pd.Series(beyond[is_last], index=drop["cable"].to_numpy()[is_last])
