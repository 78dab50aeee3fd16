"""The ground on which one more cable can run: existing ducts and roads, joined into one graph.

For `resilience.second_path`. Nothing is searched here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gracethd.network.types import Network
from resilience.exposure import expose
from resilience.hazards import Hazard

if TYPE_CHECKING:
    import networkx as nx

Float = NDArray[np.float64]
Index = NDArray[np.int64]
Shapes = NDArray[np.object_]
Nature = Literal["fourreau", "accotement", "chaussee", "centre"]
NATURES: tuple[Nature, ...] = get_args(Nature)
EVENT = ["hazard", "scenario", "return_period"]

DUCTS = ("5", "6", "7")  # gutter, gallery, duct: mountings (typ_imp) in which one more cable can be pulled
ROAD_STEP_M = 25.0  # a trench may start this near to any point of a road: half of it is the largest error
CONNECT_M = 50.0  # a chamber farther from a road than this is not joined to it

_VERGES = {
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified",
    "track", "path", "cycleway", "bridleway", "route à 1 chaussée", "route à 2 chaussées",
    "route empierrée", "chemin", "sentier", "rond-point", "bretelle",
}  # fmt: skip
_TOWN = {"pedestrian", "footway", "steps", "rue piétonne", "escalier"}


@dataclass(frozen=True)
class Ground:
    """Where one more cable can run: existing ducts and roads, joined into one undirected graph.

    Attributes
    ----------
    xy : (n_nodes, 2) float64
    tail, head : (n_edges,) int64
    length_m : (n_edges,) float64
    nature : (n_edges,) int8
        Row of `NATURES`: a duct, or what a trench is dug in.
    asset : (n_edges,) int32
        The way that holds the duct, -1 for a trench.
    shapes : (n_edges,) LineString
    wet : DataFrame
        edge, hazard, scenario, return_period, wet_m: one row per event and edge that is under water in it.
    tree : STRtree
        Of `shapes`.
    """

    xy: Float
    tail: Index
    head: Index
    length_m: Float
    nature: NDArray[np.int8]
    asset: NDArray[np.int32]
    shapes: Shapes
    wet: pd.DataFrame
    tree: shapely.STRtree

    @cached_property
    def around(self) -> tuple[Index, Index, Index]:
        """Edges at each node, in compressed rows: pointers, node at the other end, edge."""
        at = np.concatenate([self.tail, self.head])
        order = np.argsort(at, kind="stable")
        ptr = np.searchsorted(at[order], np.arange(len(self.xy) + 1)).astype(np.int64)
        other = np.concatenate([self.head, self.tail])[order].astype(np.int64)
        return ptr, other, (order % max(len(self.tail), 1)).astype(np.int64)

    @cached_property
    def doors(self) -> tuple[tuple[NDArray[np.bool_], Index, cKDTree], ...]:
        """Where the ground is entered, ducts then roads: edges of the kind, their nodes, these by place."""
        found = []
        for of in (self.asset >= 0, self.asset < 0):
            nodes = np.unique(np.concatenate([self.tail[of], self.head[of]]))
            found += [(of, nodes, cKDTree(self.xy[nodes]))] if len(nodes) else []
        return tuple(found)


def build_ground(
    network: Network, *, roads: "nx.MultiDiGraph[int] | None" = None, hazards: Sequence[Hazard] = ()
) -> Ground:
    """Join the ducts of a network and the roads of its area into the graph on which second paths are sought.

    A duct is entered at its ends only, a road anywhere (every `ROAD_STEP_M`); the ends of ducts are joined to
    the nearest road within `CONNECT_M`. One-way roads can be dug both ways.

    Parameters
    ----------
    network : Network
    roads : networkx.MultiDiGraph, optional
        From `resilience.roads.road_graph`, in the CRS of the network. The attribute highway or nature tells
        the ground: verges for roads of the open country, paved centre for streets on foot, carriageway
        where it is not known.
    hazards : sequence of Hazard
        What is to be avoided; none = nothing is known to be wet.
    """
    duct_shapes, duct_asset = _ducts(network)
    road_shapes, road_nature = _road_pieces(roads)
    ends = np.concatenate([_ends(duct_shapes), _ends(road_shapes)], axis=1)
    xy, node = np.unique(np.round(ends.reshape(-1, 2), 2), axis=0, return_inverse=True)
    node = node.reshape(2, -1)
    of_duct, of_road = node[:, : len(duct_shapes)], node[:, len(duct_shapes) :]
    near, road = _connectors(xy, np.unique(of_duct), np.unique(of_road))
    shapes = np.concatenate([duct_shapes, road_shapes, _straight(xy[near], xy[road])])
    new = np.concatenate([road_nature, np.full(len(near), NATURES.index("chaussee"), np.int8)])
    return Ground(
        xy=xy,
        tail=np.concatenate([node[0], near]),
        head=np.concatenate([node[1], road]),
        length_m=np.asarray(shapely.length(shapes)),
        nature=np.concatenate([np.zeros(len(duct_shapes), np.int8), new]),
        asset=np.concatenate([duct_asset, np.full(len(new), -1, np.int32)]),
        shapes=shapes,
        wet=_wet_edges(network, shapes, hazards),
        tree=shapely.STRtree(shapes),
    )


def _ducts(network: Network) -> tuple[Shapes, NDArray[np.int32]]:
    kind = network.assets["kind"].to_numpy()[network.lines["asset"].to_numpy()]
    is_duct = network.lines["typ_imp"].isin(DUCTS).to_numpy() & (kind == "cheminement")
    lines = network.lines.loc[is_duct, ["asset", "geometry"]].explode(ignore_index=True)
    shapes: Shapes = np.asarray(shapely.force_2d(lines.geometry.to_numpy()), object)
    has_length = np.asarray(shapely.length(shapes)) > 0
    return shapes[has_length], lines["asset"].to_numpy(np.int32)[has_length]


def _road_pieces(roads: "nx.MultiDiGraph[int] | None") -> tuple[Shapes, NDArray[np.int8]]:
    """Cut roads into straight pieces of at most `ROAD_STEP_M`, each road once."""
    import osmnx as ox

    if roads is None or roads.number_of_edges() == 0:
        return np.empty(0, object), np.empty(0, np.int8)
    edges: gpd.GeoDataFrame = ox.graph_to_gdfs(roads, nodes=False, fill_edge_geometry=True)
    drawn = shapely.normalize(shapely.force_2d(edges.geometry.to_numpy()))
    _, once = np.unique(shapely.to_wkb(drawn), return_index=True)
    xy, line = shapely.get_coordinates(shapely.segmentize(drawn[once], ROAD_STEP_M), return_index=True)
    inner = line[1:] == line[:-1]
    return _straight(xy[:-1][inner], xy[1:][inner]), _natures(edges.iloc[once])[line[1:][inner]]


def _natures(edges: gpd.GeoDataFrame) -> NDArray[np.int8]:
    named = pd.Series("", index=edges.index, dtype=str)
    for column in ("nature", "highway"):
        if column in edges:
            # osmnx gives a list where it has merged roads of several classes
            text = edges[column].map(lambda value: value[0] if isinstance(value, list) else value)
            named = named.where(text.isna(), text.astype(str).str.strip().str.lower())
    known = {"accotement": named.isin(_VERGES).to_numpy(), "centre": named.isin(_TOWN).to_numpy()}
    rows = [NATURES.index("accotement"), NATURES.index("centre")]
    return np.select(list(known.values()), rows, NATURES.index("chaussee")).astype(np.int8)


def _ends(shapes: Shapes) -> Float:
    """Give the two ends of each line, (2, n, 2)."""
    return shapely.get_coordinates(shapely.get_point(shapes, [[0], [-1]])).reshape(2, -1, 2)


def _straight(start: Float, end: Float) -> Shapes:
    """Draw one straight line for each pair of points."""
    return np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), object).reshape(-1)


def _connectors(xy: Float, duct_nodes: Index, road_nodes: Index) -> tuple[Index, Index]:
    """Join each end of a duct that is on no road to the nearest road."""
    off_road = np.setdiff1d(duct_nodes, road_nodes)
    if not len(off_road) or not len(road_nodes):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    distance, nearest = cKDTree(xy[road_nodes]).query(xy[off_road], distance_upper_bound=CONNECT_M)
    is_near = np.isfinite(distance)
    return off_road[is_near], road_nodes[np.asarray(nearest)[is_near]]


def _wet_edges(network: Network, shapes: Shapes, hazards: Sequence[Hazard]) -> pd.DataFrame:
    """Measure the water on each edge as on any line of the network."""
    columns = ["edge", *EVENT, "wet_m"]
    if not hazards or not len(shapes):
        types = {"edge": np.int64, "hazard": str, "scenario": str}
        return pd.DataFrame({name: pd.Series(dtype=types.get(name, np.float64)) for name in columns})
    n, crs = len(network.assets), network.assets.crs
    edges = pd.DataFrame({"kind": "cheminement", "code": "", "geometry": None}, index=np.arange(len(shapes)))
    # the places of the network stand with them, so that a map is away from both or from none
    named = pd.DataFrame(network.assets[["kind", "code", "geometry"]])
    assets = pd.concat([named, edges], ignore_index=True)
    lines = gpd.GeoDataFrame({"asset": np.arange(n, n + len(shapes))}, geometry=shapes, crs=crs)
    with_edges = replace(network, assets=gpd.GeoDataFrame(assets, geometry="geometry", crs=crs), lines=lines)
    exposure = expose(with_edges, hazards)
    wet = exposure[(exposure["asset"] >= n) & (exposure["wet_m"] > 0)]
    return wet.assign(edge=wet["asset"].astype(np.int64) - n)[columns].reset_index(drop=True)
