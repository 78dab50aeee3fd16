"""Legs of a loop that run near each other on different ways: apart in the data, together on the ground.

For the engineer who must decide whether two trenches on both sides of one road are two paths. Plain geometric
distance between the lines of the two legs; what the legs share is in `resilience.loops` and not here.
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, cast

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import cables_of_edges, joined_by_cables, part_of
from resilience.loops import collecte_edges, transport_to_pm
from resilience.parameters import Parameters, default_parameters
from resilience.spanning import Bool

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = ("nature", "code", "stretch", "length_m", "distance_m", "ways_a", "ways_b", "geometry")
_Node = tuple[int, int, int]  # (joined vertex, -1, -1), or (one end, other end, cable)
_Legs = tuple[str, str, list[list[int]]]  # nature and code of a room, the cables of its two legs


def near_legs(network: Network, routes: Routes, parameters: Parameters | None = None) -> gpd.GeoDataFrame:
    """List where two legs of the loop of an NRO or a PM run near each other on different ways.

    Parameters
    ----------
    network : Network
    routes : Routes
    parameters : Parameters, optional
        The shipped ones by default. ``loop.near_legs.distance_m`` (central, metres) is how near is near,
        ``loop.near_legs.length_m`` (central, metres along the first leg) leaves shorter stretches out: legs
        meet at their ends and cross.

    Returns
    -------
    GeoDataFrame
        One row per stretch of the first leg, columns of `COLUMNS`: nature (NRO|PM) and code of the room;
        stretch (number, the longest first); length_m; distance_m, the least between the legs there; ways_a,
        ways_b (codes, joined by ", ", of the first leg's ways along it and of the second leg's ways near it);
        geometry (LineString). The legs are two paths that share no cable, those of fewest cables that a
        maximum flow finds; rooms that have no two are left out. Those of a PM run over collecte and transport
        cables, through no other PM, as in `resilience.loops.redundancy`.

    Examples
    --------
    >>> near = near_legs(network, routes)  # doctest: +SKIP
    >>> near.groupby("code")["length_m"].sum()  # doctest: +SKIP
    """
    parameters = default_parameters() if parameters is None else parameters
    near_m, least_m = (
        parameters.at(f"loop.near_legs.{name}", "central") for name in ("distance_m", "length_m")
    )
    lines = _lines_of_cables(network)
    rows: list[tuple[object, ...]] = []
    for nature, code, legs in [*legs_of_nro(network, routes), *_legs_of_pm(network, routes)]:
        found = _stretches(lines, legs, near_m=near_m, least_m=least_m)
        rows += [(nature, code, *row) for row in found]
    out = pd.DataFrame(rows, columns=list(COLUMNS))
    return gpd.GeoDataFrame(out, geometry="geometry", crs=network.assets.crs)


def legs_of_nro(network: Network, routes: Routes, codes: Collection[str] | None = None) -> Iterator[_Legs]:
    """Give ("NRO", code, cables of each of its two legs from a feed on) of the NRO that have two, by code.

    Parameters
    ----------
    network, routes
    codes : collection of str, optional
        Look at these NRO only.
    """
    nro = routes.rooms[(routes.rooms["nature"] == "NRO") & (routes.rooms["vertex_physical"] > 0)]
    nro = nro.sort_values("code", ignore_index=True)
    vertex = nro["vertex_physical"].to_numpy()
    part, number = part_of(routes.physical, collecte_edges(network, routes, routes.physical, vertex))
    every = np.ones(len(part.tail), np.bool_)
    ends = [
        (code, own)
        for code, own in zip(nro["code"], number[vertex], strict=True)
        if codes is None or code in codes
    ]
    yield from _legs(network, part, every, "NRO", ends)


def _legs_of_pm(network: Network, routes: Routes) -> Iterator[_Legs]:
    pm = routes.rooms[(routes.rooms["nature"] == "PM") & (routes.rooms["vertex_physical"] > 0)]
    pm = pm.sort_values("code", ignore_index=True)
    to_pm = transport_to_pm(network, routes.physical, pm["vertex_physical"].to_numpy())
    for code, own, legs in zip(pm["code"], to_pm.vertex.tolist(), to_pm.legs.tolist(), strict=True):
        if legs >= 2:
            yield from _legs(network, to_pm.part, to_pm.edges_to(own), "PM", [(code, own)])


def _legs(
    network: Network, part: ServiceGraph, kept: Bool, nature: str, rooms: list[tuple[str, int]]
) -> Iterator[_Legs]:
    """Find two cable-disjoint legs to each room (code, vertex of the part) over the edges kept."""
    cable = cables_of_edges(part, network)
    label = joined_by_cables(part, cable, kept).label
    net: nx.Graph[_Node] = nx.Graph()
    ends = np.sort(np.stack([label[part.tail], label[part.head]], axis=1), axis=1)
    chosen = kept & (cable >= 0) & (ends[:, 0] != ends[:, 1])
    for a, b, number in np.unique(np.column_stack([ends, cable])[chosen], axis=0).tolist():
        middle = (a, b, number)
        net.add_edges_from([((a, -1, -1), middle), (middle, (b, -1, -1))])
    source = (int(label[0]), -1, -1)
    for code, own in rooms:
        target = (int(label[own]), -1, -1) if own >= 0 else source
        if target == source or source not in net or target not in net or not nx.has_path(net, source, target):
            continue
        found = cast("Iterable[list[_Node]]", nx.edge_disjoint_paths(net, source, target, cutoff=2))
        legs = [[node[2] for node in path if node[2] >= 0] for path in found]
        if len(legs) == 2:
            yield nature, code, sorted(legs, key=lambda leg: (len(leg), leg))


def _lines_of_cables(network: Network) -> pd.DataFrame:
    """List the lines that each cable runs along (cable, code, shape): its ways, and what none covers."""
    assets, uses = network.assets, network.uses
    ways = uses[(assets["kind"].reindex(uses["carrier"]) == "cheminement").to_numpy()]
    ways = ways[["carried", "carrier"]].drop_duplicates().set_axis(["cable", "asset"], axis=1)
    if len(network.lines):
        bare = network.lines[(assets["kind"].reindex(network.lines["asset"]) == "cable").to_numpy()]
        own = pd.DataFrame({"cable": bare["asset"], "asset": bare["asset"], "shape": bare["geometry"]})
    else:
        own = pd.DataFrame({"cable": [], "asset": [], "shape": []})
    ways["shape"] = assets["geometry"].reindex(ways["asset"]).to_numpy()
    lines = pd.concat([ways, own], ignore_index=True).astype({"cable": np.int64, "asset": np.int64})
    lines["code"] = assets["code"].reindex(lines["asset"]).to_numpy()
    return lines.sort_values(["cable", "code"], ignore_index=True)


def _stretches(
    lines: pd.DataFrame, legs: list[list[int]], *, near_m: float, least_m: float
) -> list[tuple[object, ...]]:
    """Cut the first leg down to what lies near the second, but what both share."""
    first, second = (lines[lines["cable"].isin(leg)].drop_duplicates("asset") for leg in legs)
    shared = set(first["asset"]) & set(second["asset"])
    first, second = (leg[~leg["asset"].isin(shared)] for leg in (first, second))
    # legs are far longer than what is near: only that is drawn together and widened
    tree = shapely.STRtree(second["shape"].to_numpy())
    close = tree.query(first["shape"].to_numpy(), predicate="dwithin", distance=near_m)
    if not close.size:
        return []
    first, second = (leg.iloc[np.unique(at)] for leg, at in zip((first, second), close, strict=True))
    other = shapely.union_all(second["shape"].to_numpy())
    near = shapely.intersection(shapely.union_all(first["shape"].to_numpy()), shapely.buffer(other, near_m))
    merged = shapely.get_parts(shapely.line_merge(near))
    parts = merged[(shapely.get_dimensions(merged) == 1) & (shapely.length(merged) >= least_m)]
    order = np.lexsort((shapely.to_wkt(parts), -shapely.length(parts)))
    rows: list[tuple[object, ...]] = []
    for i, part in enumerate(parts[order].tolist(), start=1):
        along = first[shapely.length(shapely.intersection(first["shape"].to_numpy(), part)) > 0]
        beside = second[shapely.distance(second["shape"].to_numpy(), part) <= near_m]
        names = [", ".join(sorted(set(leg["code"]))) for leg in (along, beside)]
        rows.append((i, float(part.length), float(shapely.distance(part, other)), *names, part))
    return rows
