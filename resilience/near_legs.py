"""Legs of a loop that run near each other on different ways: apart in the data, together on the ground.

For the engineer who must decide whether two trenches on both sides of one road are two paths. Plain geometric
distance between the lines of the two legs; what the legs share is in `resilience.loops` and not here.
"""

from typing import TYPE_CHECKING, cast

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.alternatives import cables_of_edges, joined_by_cables, part_of
from resilience.loops import collecte_edges

if TYPE_CHECKING:
    from collections.abc import Iterable

NEAR_M, LEAST_M = 20.0, 100.0
"""Assumptions: one dig, slide or fire takes what lies within 20 m; below 100 m legs merely meet."""
COLUMNS = ("nro", "stretch", "length_m", "distance_m", "ways_a", "ways_b", "geometry")
_Node = tuple[int, int, int]  # (joined vertex, -1, -1), or (one end, other end, cable)


def near_legs(
    network: Network, routes: Routes, *, near_m: float = NEAR_M, least_m: float = LEAST_M
) -> gpd.GeoDataFrame:
    """List where two legs of an NRO's loop run near each other on different ways.

    Parameters
    ----------
    network : Network
    routes : Routes
    near_m : float
        Distance between the legs, metres.
    least_m : float
        Length of a stretch along the first leg, metres; shorter ones (legs meet at their ends) are left out.

    Returns
    -------
    GeoDataFrame
        One row per stretch of the first leg, columns of `COLUMNS`: nro; stretch (number, the longest first);
        length_m; distance_m, the least between the legs there; ways_a, ways_b (codes, joined by ", ", of the
        first leg's ways along it and of the second leg's ways near it); geometry (LineString). The legs are
        two paths that share no cable, those of fewest cables that a maximum flow finds; NROs that have no
        two are left out.
    """
    nro = routes.rooms[(routes.rooms["nature"] == "NRO") & (routes.rooms["vertex_physical"] > 0)]
    nro = nro.sort_values("code", ignore_index=True)
    vertex = nro["vertex_physical"].to_numpy()
    part, number = part_of(routes.physical, collecte_edges(network, routes, routes.physical, vertex))
    cable = cables_of_edges(part, network)
    label = joined_by_cables(part, cable, np.ones(len(cable), np.bool_)).label
    net: nx.Graph[_Node] = nx.Graph()
    ends = np.sort(np.stack([label[part.tail], label[part.head]], axis=1), axis=1)
    stretches = np.unique(np.column_stack([ends, cable])[(cable >= 0) & (ends[:, 0] != ends[:, 1])], axis=0)
    for a, b, number_of_cable in stretches.tolist():
        middle = (a, b, number_of_cable)
        net.add_edges_from([((a, -1, -1), middle), (middle, (b, -1, -1))])
    source = (int(label[0]), -1, -1)
    lines = _lines_of_cables(network)
    rows: list[tuple[object, ...]] = []
    for code, own in zip(nro["code"], number[vertex].tolist(), strict=True):
        target = (int(label[own]), -1, -1) if own >= 0 else source
        if target == source or source not in net or target not in net or not nx.has_path(net, source, target):
            continue
        found = cast("Iterable[list[_Node]]", nx.edge_disjoint_paths(net, source, target, cutoff=2))
        legs = [[node[2] for node in path if node[2] >= 0] for path in found]
        if len(legs) == 2:
            legs.sort(key=lambda leg: (len(leg), leg))
            rows += [(code, *row) for row in _stretches(lines, legs, near_m=near_m, least_m=least_m)]
    out = pd.DataFrame(rows, columns=list(COLUMNS))
    return gpd.GeoDataFrame(out, geometry="geometry", crs=network.assets.crs)


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
    if first.empty or second.empty:
        return []
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
