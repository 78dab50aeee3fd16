"""From vertices and sections to the frames of the network: places, ways, boxes, cables, zones, premises."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gracethd.synth.area import Area
from gracethd.synth.cells import dissolve_cells
from gracethd.synth.demand import Demand
from gracethd.synth.layout import Laid
from gracethd.synth.roads import Bools, Ints, Roads
from gracethd.synth.stations import Stations

DEMAND_SERIAL = 5_000_000  # serial numbers of what belongs to addresses and premises start here
SITE_SERIAL = 9_000_000

# aerial under 10 % of collecte, 30 % of transport, 50 to 60 % of distribution: assumption; as a way takes the
# mounting of the upper layer on it, the lower ones start from less
_BURIED_SHARE = {"CO": 0.94, "TR": 0.60, "DI": 0.27}
_FACADE_SHARE = 0.05
_ENERGY_SHARE = 0.30  # of aerial ways, on poles of the electricity network
_DROP_WAY_SHARE = 0.4
_MIXED = {"CO": "CO", "TR": "TR", "DI": "DI", "CO+TR": "CT", "CO+DI": "CD", "TR+DI": "TD", "CO+TR+DI": "CX"}
_OUTLINE_M = 500.0


class Plant(TypedDict):
    """The frames of `SynthNetwork`."""

    roads: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    ways: gpd.GeoDataFrame
    sites: pd.DataFrame
    zones: gpd.GeoDataFrame
    boxes: pd.DataFrame
    cables: gpd.GeoDataFrame
    cable_ways: pd.DataFrame
    addresses: gpd.GeoDataFrame
    premises: pd.DataFrame


def assemble(
    area: Area,
    roads: Roads,
    demand: Demand,
    stations: Stations,
    zones: pd.DataFrame,
    laid: Sequence[Laid],
    *,
    seed: int,
) -> Plant:
    """Give codes, kinds and geometry to what was laid; only what a cable uses becomes a place or a way."""
    crs = f"EPSG:{area.epsg}"
    commune = _commune_of_vertices(area, roads, stations)
    insee = np.array([place.insee for place in area.communes])[commune]
    steps = _steps(stations, laid)
    number = _place_numbers(stations, steps)
    ways = _ways(roads, stations, steps, number, insee, seed)
    sites = _sites(area, stations, zones, number, insee)
    places = _places(stations, sites, ways, number, insee)
    boxes, ends = _boxes(stations, demand, zones, laid, number, insee)
    cables = _cables(stations, laid, ends, number, insee)
    addresses = _addresses(area, roads, demand, boxes, ends.pbo_box)
    premises = _premises(demand, zones, addresses, cables, seed)
    # a zone holds its PM and its PBOs, and then its addresses
    xy = np.concatenate([stations.xy[stations.pm], stations.xy[stations.pbo], demand.address_xy])
    zone = np.concatenate([np.arange(len(zones)), demand.pbo_zone, addresses["zone"].to_numpy()])
    outline = shapely.MultiPoint(xy).convex_hull.buffer(_OUTLINE_M, quad_segs=4)
    limits = dissolve_cells(xy, zone, outline)
    return Plant(
        roads=_road_frame(roads, crs),
        places=gpd.GeoDataFrame(_as_objects(places), crs=crs),
        ways=gpd.GeoDataFrame(_as_objects(ways), crs=crs),
        sites=_as_objects(sites),
        zones=gpd.GeoDataFrame(zones, geometry=limits, crs=crs),
        boxes=_as_objects(boxes),
        cables=gpd.GeoDataFrame(_as_objects(cables), crs=crs),
        cable_ways=_cable_ways(steps),
        addresses=gpd.GeoDataFrame(_as_objects(addresses), crs=crs),
        premises=_as_objects(premises),
    )


def _as_objects(frame: pd.DataFrame) -> pd.DataFrame:
    """Hold texts as Python objects: every delivery looks up whole columns, which must not be copied then."""
    return frame.astype({name: object for name, dtype in frame.dtypes.items() if dtype == "str"})


def _commune_of_vertices(area: Area, roads: Roads, stations: Stations) -> Ints:
    """Give the commune of the street that a vertex is on, else the nearest one."""
    centres = np.array([(commune.x, commune.y) for commune in area.communes])
    commune = np.asarray(cKDTree(centres).query(stations.xy)[1], np.int64)
    street = stations.edge >= 0
    rank = np.where(street, roads.commune[stations.edge], -1)
    for ends in (stations.tail, stations.head):
        commune[ends[rank >= 0]] = rank[rank >= 0]
    commune[stations.tail[~street]] = commune[stations.head[~street]]  # a site is where its gate is
    return commune


def _steps(stations: Stations, laid: Sequence[Laid]) -> pd.DataFrame:
    """Give each straight step of each cable: cable, layer, from, to, segment and way (its number)."""
    length = np.array([len(one.section.path) for one in laid])
    vertex = np.concatenate([one.section.path for one in laid]).astype(np.int64)
    cable = np.repeat(np.arange(len(laid)), length)
    inside = cable[1:] == cable[:-1]
    a, b, cable = vertex[:-1][inside], vertex[1:][inside], cable[1:][inside]
    n = len(stations.xy)
    code = np.minimum(stations.tail, stations.head) * n + np.maximum(stations.tail, stations.head)
    order = np.argsort(code, kind="stable")
    segment = order[np.searchsorted(code[order], np.minimum(a, b) * n + np.maximum(a, b))]
    layer = np.array([one.layer for one in laid])[cable]
    way = np.unique(segment, return_inverse=True)[1]
    return pd.DataFrame({"cable": cable, "layer": layer, "a": a, "b": b, "segment": segment, "way": way})


def _place_numbers(stations: Stations, steps: pd.DataFrame) -> Ints:
    """Give the rank of each vertex among those that cables use, -1 for the others."""
    used = np.unique(np.concatenate([steps["a"], steps["b"]]))
    number = np.full(len(stations.xy), -1)
    number[used] = np.arange(len(used))
    return number


def _cable_ways(steps: pd.DataFrame) -> pd.DataFrame:
    chain = steps[["cable", "way"]]
    return chain.assign(rank=chain.groupby("cable").cumcount())


def _ways(
    roads: Roads,
    stations: Stations,
    steps: pd.DataFrame,
    number: Ints,
    insee: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    segment = np.unique(steps["segment"])
    used = {name: np.zeros(len(segment), bool) for name in ("CO", "TR", "DI")}
    for name, way in steps.groupby("layer")["way"]:
        used[str(name)][way.to_numpy()] = True
    tail, head, edge = stations.tail[segment], stations.head[segment], stations.edge[segment]
    bridge = (edge >= 0) & roads.bridge[edge]
    ends = stations.xy[np.column_stack([tail, head])]
    names = np.array([*roads.names, "ENTREE DE SITE"])
    return pd.DataFrame(
        {
            "cm_code": _codes("CM", insee[tail], segment),
            "place1": number[tail],
            "place2": number[head],
            "typ_imp": _mounting(roads, edge, used, bridge, np.random.default_rng([seed, 41])),
            "passage": np.where(bridge, "PON", ""),
            "typelog": [_mixed(flags) for flags in zip(*used.values(), strict=True)],
            "voie": names[np.where(edge >= 0, roads.street[edge], -1)],
            "geometry": shapely.linestrings(ends),
        }
    )


def _mixed(flags: Sequence[bool]) -> str:
    return _MIXED["+".join(name for name, flag in zip(("CO", "TR", "DI"), flags, strict=True) if flag)]


def _mounting(
    roads: Roads, edge: Ints, used: Mapping[str, Bools], bridge: Bools, rng: np.random.Generator
) -> np.ndarray:
    """Draw how each way is mounted: alike along a street, buried on bridges and at the entries of sites."""
    block = np.where(roads.commune >= 0, len(roads.tail) + roads.street, np.arange(len(roads.tail)))
    drawn = rng.random((2, len(roads.tail) + len(roads.names)))[:, block[edge]]
    buried = np.where(used["DI"], _BURIED_SHARE["DI"], 0.0)
    facade = np.where(used["TR"] | used["CO"], 0.0, _FACADE_SHARE)
    buried = np.where(used["TR"], _BURIED_SHARE["TR"], buried)
    buried = np.where(used["CO"], _BURIED_SHARE["CO"], buried)
    aerial = np.where(drawn[1] < _ENERGY_SHARE, "1", "0")
    mounting = np.where(drawn[0] < buried, "7", np.where(drawn[0] < buried + facade, "2", aerial))
    return np.where(bridge | (edge < 0), "7", mounting)


def _codes(prefix: str, insee: np.ndarray, serial: Ints) -> list[str]:
    return [f"{prefix}{code}{k:07d}" for code, k in zip(insee, serial.tolist(), strict=True)]


def _sites(
    area: Area, stations: Stations, zones: pd.DataFrame, number: Ints, insee: np.ndarray
) -> pd.DataFrame:
    vertex = np.concatenate([stations.pm, stations.nro, stations.feed])
    kind = ["PM"] * len(stations.pm) + ["NRO"] * len(stations.nro) + ["POP"] * len(stations.feed)
    names = [*zones["zs_refpm"], *(nro.nom for nro in area.nros), *(feed.nom for feed in area.feeds)]
    frame = pd.DataFrame({"kind": kind, "place": number[vertex], "nom": names, "insee": insee[vertex]})
    for column, prefix in (("st_code", "ST"), ("lc_code", "LC"), ("ba_code", "BA")):
        frame[column] = _codes(prefix, insee[vertex], SITE_SERIAL + np.arange(len(vertex)))
    return frame[frame["place"] >= 0].reset_index(drop=True)


def _places(
    stations: Stations, sites: pd.DataFrame, ways: pd.DataFrame, number: Ints, insee: np.ndarray
) -> pd.DataFrame:
    """Give what stands at each vertex: a chamber where a way is buried, else a pole, else a façade."""
    vertex = np.flatnonzero(number >= 0)
    kind = np.full(len(vertex), "facade", dtype=object)
    for mounting, support in ((("0", "1"), "appui"), (("7",), "chambre")):
        there = ways["typ_imp"].isin(mounting)
        kind[np.concatenate([ways.loc[there, "place1"], ways.loc[there, "place2"]])] = support
    kind[sites["place"].to_numpy()] = sites["kind"].to_numpy()
    at_site = np.isin(kind, ["PM", "NRO", "POP"])
    support_code = np.where(at_site, "", _codes("PT", insee[vertex], vertex))
    return pd.DataFrame(
        {
            "nd_code": _codes("ND", insee[vertex], vertex),
            "insee": insee[vertex],
            "kind": kind.astype(str),
            "pt_code": support_code,
            "geometry": shapely.points(stations.xy[vertex]),
        }
    )


class _Ends:
    """Box or site at both ends of each section, and the box of each PBO."""

    def __init__(self, n: int, n_pbo: int) -> None:
        self.box = np.full((n, 2), -1)
        self.site = np.full((n, 2), -1)
        self.pbo_box = np.full(n_pbo, -1)


def _boxes(
    stations: Stations,
    demand: Demand,
    zones: pd.DataFrame,
    laid: Sequence[Laid],
    number: Ints,
    insee: np.ndarray,
) -> tuple[pd.DataFrame, _Ends]:
    """Put a box where cables of one tree end; a shared closure belongs to transport and distribution."""
    sites = {v: k for k, v in enumerate(np.concatenate([stations.pm, stations.nro, stations.feed]).tolist())}
    pbo = {v: k for k, v in enumerate(stations.pbo.tolist())}
    shared = {int(stations.pm_gate[zone]): zone for zone in np.flatnonzero(zones["shared_closure"]).tolist()}
    known: dict[tuple[str, int, int], int] = {}
    rows: list[tuple[int, str, int]] = []
    ends = _Ends(len(laid), len(pbo))
    for i, one in enumerate(laid):
        for side, vertex in enumerate((one.section.path[0], one.section.path[-1])):
            if vertex in sites:
                ends.site[i, side] = sites[vertex]
                continue
            layer, net = (
                ("DI", shared[vertex]) if one.layer == "TR" and vertex in shared else (one.layer, one.net)
            )
            box = known.setdefault((layer, net, vertex), len(rows))
            serves = layer == "DI" and vertex in pbo and int(demand.pbo_zone[pbo[vertex]]) == net
            if box == len(rows):
                rows.append((vertex, "PBO" if serves else "BPE", net if layer == "DI" else -1))
            if serves:
                ends.pbo_box[pbo[vertex]] = box
            ends.box[i, side] = box
    vertex_of = np.array([row[0] for row in rows])
    frame = pd.DataFrame(
        {
            "bp_code": _codes("BP", insee[vertex_of], np.arange(len(rows))),
            "place": number[vertex_of],
            "typelog": [row[1] for row in rows],
            "zone": [row[2] for row in rows],
        }
    )
    return frame, ends


def _cables(
    stations: Stations, laid: Sequence[Laid], ends: _Ends, number: Ints, insee: np.ndarray
) -> pd.DataFrame:
    start = np.array([one.section.path[0] for one in laid])
    end = np.array([one.section.path[-1] for one in laid])
    return pd.DataFrame(
        {
            "cb_code": _codes("CB", insee[start], np.arange(len(laid))),
            "layer": [one.layer for one in laid],
            "net": [one.net for one in laid],
            "place1": number[start],
            "place2": number[end],
            "box1": ends.box[:, 0],
            "box2": ends.box[:, 1],
            "site1": ends.site[:, 0],
            "site2": ends.site[:, 1],
            "first": [one.section.first for one in laid],
            "used": [one.section.used for one in laid],
            "capacity": [one.section.capacity for one in laid],
            "geometry": [shapely.LineString(stations.xy[list(one.section.path)]) for one in laid],
        }
    )


def _addresses(area: Area, roads: Roads, demand: Demand, boxes: pd.DataFrame, pbo_box: Ints) -> pd.DataFrame:
    serial = DEMAND_SERIAL + np.arange(len(demand.address_xy))
    insee = np.array([commune.insee for commune in area.communes])[demand.address_commune]
    size = np.bincount(demand.premise_address, minlength=len(serial))
    box = pbo_box[demand.address_pbo]
    return pd.DataFrame(
        {
            "ad_code": _codes("AD", insee, serial),
            "nd_code": _codes("ND", insee, serial),
            "st_code": _codes("ST", insee, serial),
            "commune": demand.address_commune,
            "numero": demand.address_number,
            "voie": np.array(roads.names)[roads.street[demand.address_edge]],
            "box": box,
            "zone": boxes["zone"].to_numpy()[box],
            "size": size,
            "n_pro": np.bincount(demand.premise_address, demand.premise_is_pro, minlength=len(serial)).astype(
                np.int64
            ),
            "geometry": shapely.points(demand.address_xy),
        }
    )


def _premises(
    demand: Demand, zones: pd.DataFrame, addresses: pd.DataFrame, cables: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Give each premise the slot of its PBO, so that its fibre is the same number all along the way."""
    address = demand.premise_address
    serial = DEMAND_SERIAL + np.arange(len(address))
    insee = [code[2:-7] for code in addresses["ad_code"].iloc[address]]
    pbo, box = demand.address_pbo[address], addresses["box"].to_numpy()[address]
    zone = addresses["zone"].to_numpy()[address]
    first = cables[cables["layer"] == "DI"].set_index("box2")["first"]
    slot = first.loc[box].to_numpy() + np.arange(len(pbo)) - np.searchsorted(pbo, pbo)
    drawn = np.random.default_rng([seed, 42]).random(len(addresses))[address] < _DROP_WAY_SHARE
    with_ways = (zones["level"].to_numpy()[zone] >= 2) & (zone % 3 == 0)
    return pd.DataFrame(
        {
            "code": _codes("LC", np.array(insee), serial),
            "address": address,
            "box": box,
            "zone": zone,
            "slot": slot,
            "is_pro": demand.premise_is_pro,
            "connected": demand.premise_connected,
            "has_way": demand.premise_connected & with_ways & drawn,
        }
    )


def _road_frame(roads: Roads, crs: str) -> gpd.GeoDataFrame:
    """Give the roads in the words of the national road layer (nature, importance)."""
    bridge = np.where(roads.bridge, [f"pont-{k:03d}" for k in np.cumsum(roads.bridge)], "")
    between = roads.commune < 0
    return gpd.GeoDataFrame(
        {
            "nom": np.array(roads.names)[roads.street],
            "nature": "Route à 1 chaussée",
            "importance": np.where(between, "3", "5"),
            "pont": bridge,
        },
        geometry=shapely.linestrings(roads.xy[np.column_stack([roads.tail, roads.head])]),
        crs=crs,
    )
