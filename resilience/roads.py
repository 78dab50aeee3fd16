"""The road graph, for whoever looks for a second path or an itinerary.

A line layer in metres becomes the same kind of graph as osmnx makes of OpenStreetMap, so that every osmnx and
networkx function works on it. Lines that cross without a common end (bridges) are not joined: right for road
layers cut at crossroads, as BD TOPO is; a layer that is not cut there gives a graph in pieces.
"""

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.errors import CRSError, SourceError

END_PRECISION_M = 0.01  # line ends that agree to the centimetre are one crossroads

_ONEWAY = {
    "yes": 1,
    "1": 1,
    "true": 1,
    "oui": 1,
    "sens direct": 1,
    "-1": -1,
    "reverse": -1,
    "sens inverse": -1,
}
NOT_DRIVEN = frozenset(
    (
        "abandoned", "bridleway", "construction", "corridor", "cycleway", "elevator", "escalator", "footway",
        "no", "path", "pedestrian", "planned", "platform", "proposed", "raceway", "razed", "steps", "trail",
    )
)  # fmt: skip
"""Values of highway on which a van does not drive, after the network type "drive_service" of osmnx; tracks
are driven here, since poles stand along them."""
_TWO_WAY = {"", "no", "0", "false", "non", "double sens", "sans objet"}


def road_graph(lines: gpd.GeoDataFrame) -> "nx.MultiDiGraph[int]":
    """Turn a line layer into an osmnx graph with one edge per line and direction.

    Parameters
    ----------
    lines : GeoDataFrame
        LineString or MultiLineString in a projected CRS in metres. The columns highway, nature, oneway and
        wet_m are carried by the edges where they exist; oneway accepts the values of OpenStreetMap and of
        BD TOPO, empty = two-way.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes have x, y, street_count; edges have osmid (row of `lines`, from 0), length (m), geometry,
        oneway, reversed and the columns carried. Valid for ``osmnx.convert.validate_graph(strict=True)``.
        Do not pass it to ``osmnx.simplify_graph``, which would straighten the lines.

    Raises
    ------
    CRSError
        When the layer has no CRS or one in degrees.
    SourceError
        When no line is left, or when a geometry or a value of oneway is not understood.

    Examples
    --------
    >>> road = shapely.LineString([(0, 0), (3, 4)])
    >>> graph = road_graph(gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[road], crs=2154))
    >>> [data["length"] for _, _, data in graph.edges(data=True)]
    [5.0, 5.0]
    """
    import osmnx as ox

    _check_crs(lines)
    edges = _directed(_single_lines(lines))
    ends = shapely.get_coordinates(shapely.get_point(edges.geometry.to_numpy(), [[0], [-1]]))
    places, place = np.unique(np.round(ends / END_PRECISION_M), axis=0, return_inverse=True)
    place = place.reshape(2, -1)
    edges["u"], edges["v"] = place[0], place[1]
    edges["key"] = edges.groupby(["u", "v"]).cumcount()
    x, y = (places * END_PRECISION_M).T
    nodes = gpd.GeoDataFrame({"x": x, "y": y}, geometry=gpd.points_from_xy(x, y), crs=lines.crs)
    nodes.index.name = "osmid"
    graph: nx.MultiDiGraph[int] = ox.graph_from_gdfs(
        nodes, edges.set_index(["u", "v", "key"]), graph_attrs={"crs": lines.crs}
    )
    # osmnx's own count merges two one-way roads of opposite directions between the same crossroads
    once = ~edges.duplicated("part").to_numpy()
    streets = np.bincount(place[:, once].ravel(), minlength=len(places))
    nx.set_node_attributes(graph, dict(enumerate(streets.tolist())), "street_count")
    ox.convert.validate_graph(graph, strict=True)
    return graph


def _check_crs(lines: gpd.GeoDataFrame) -> None:
    if lines.crs is None:
        raise CRSError("routes: the road layer has no CRS; give it that of the inventory, such as EPSG:2154")
    if lines.crs.is_geographic:
        raise CRSError(
            f"routes: {lines.crs.to_string()} is in degrees; reproject the road layer to EPSG:2154"
        )


def _single_lines(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give one row per LineString that has a length, with the row it comes from as osmid."""
    carried = [name for name in ("highway", "nature", "oneway", "wet_m") if name in lines.columns]
    roads = gpd.GeoDataFrame(
        lines[carried].reset_index(drop=True), geometry=lines.geometry.to_numpy(), crs=lines.crs
    )
    roads["osmid"] = np.arange(len(roads))
    has_shape = ~(shapely.is_missing(roads.geometry.to_numpy()) | shapely.is_empty(roads.geometry.to_numpy()))
    is_line = roads.geom_type.isin(["LineString", "MultiLineString"]) | ~has_shape
    if not is_line.all():
        row = int(np.argmin(is_line.to_numpy()))
        raise SourceError(f"routes: row {row + 1} is a {roads.geom_type.iloc[row]}; a line layer is expected")
    single = roads[has_shape].explode(ignore_index=True)
    single = single[single.geometry.length > 0].reset_index(drop=True)
    if single.empty:
        raise SourceError("routes: no line with a length; the road layer is empty")
    flat = shapely.force_2d(single.geometry.to_numpy())
    return gpd.GeoDataFrame(single.drop(columns="geometry"), geometry=flat, crs=lines.crs)


def _directed(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give one row per direction in which a road can be driven; a loop has one, both are the same."""
    direction = directions(roads)
    edges = roads.assign(part=np.arange(len(roads)), length=roads.geometry.length, oneway=direction != 0)
    ends = shapely.get_point(edges.geometry.to_numpy(), [[0], [-1]])
    is_loop = shapely.equals(ends[0], ends[1])
    forward = edges[direction >= 0].assign(reversed=False)
    backward = edges[(direction < 0) | ((direction == 0) & ~is_loop)].assign(reversed=True)
    backward = backward.set_geometry(shapely.reverse(backward.geometry.to_numpy()), crs=roads.crs)
    return gpd.GeoDataFrame(
        pd.concat([forward, backward], ignore_index=True), geometry="geometry", crs=roads.crs
    )


def is_driven(roads: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which roads a van drives on, by their highway; without that column, all, (n_roads,)."""
    if "highway" not in roads:
        return np.ones(len(roads), np.bool_)
    return np.asarray(~roads["highway"].isin(NOT_DRIVEN), np.bool_)


def directions(roads: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Give 1 for roads driven as they are drawn only, -1 against it only, 0 both ways, (n_roads,).

    Raises
    ------
    SourceError
        When a value of oneway is not understood.
    """
    if "oneway" not in roads:
        return np.zeros(len(roads), np.int64)
    text = roads["oneway"].astype("str").fillna("").str.strip().str.lower().replace("nan", "")
    unknown = ~text.isin([*_ONEWAY, *_TWO_WAY])
    if unknown.any():
        known = ", ".join(sorted({*_ONEWAY, *_TWO_WAY} - {""}))
        raise SourceError(
            f"routes: oneway = {text[unknown].iloc[0]!r} is not understood; use one of {known}, or nothing"
        )
    return np.asarray(text.map(_ONEWAY).fillna(0), np.int64)
