"""A network small enough to be counted by hand, with every kind of asset, for the tests of tables."""

from dataclasses import fields

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from tests.resilience.service_graphs import service_graph

NODES = {
    "NH": (0, 0), "N1": (100, 0), "N2": (200, 50), "NP1": (100, 100), "NC": (100, 200), "NB1": (50, 300),
    "NB2": (150, 300), "NP2": (300, 50), "NB3": (400, 50),
}  # fmt: skip
# cable: segment, ways, ends, nodes that hold it
CABLES = {
    "CO1": ("collecte", ["WC1"], "NH", "N1"),
    "CO2": ("collecte", ["WC2"], "NH", "N1"),
    "CO3": ("collecte", ["WC3"], "N1", "N2"),
    "TR1": ("transport", ["W1"], "N1", "NP1"),
    "TR2": ("transport", ["WT2"], "N2", "NP2"),
    "DI1": ("distribution", ["W2"], "NP1", "NC"),
    "DI2": ("distribution", ["W2"], "NP1", "NC"),
    "DI3": ("distribution", ["W3"], "NC", "NB1"),
    "DI4": ("distribution", ["W4"], "NC", "NB2"),
    "DI5": ("distribution", ["W5"], "NP2", "NB3"),
    "RA1": ("raccordement", [], "NB1", "NB1"),
}
POINTS = [
    ("local", "LN1", "NRO", "N1"), ("local", "LN2", "NRO", "N2"), ("local", "LP1", "PM", "NP1"),
    ("local", "LP2", "PM", "NP2"), ("site", "SH", "", "NH"), ("site", "SN1", "NRO", "N1"),
    ("site", "SP1", "PM", "NP1"), ("ptech", "CH", "chambre", "NC"), ("ptech", "AP", "appui", "NB3"),
    ("ebp", "C1", "BPE", "NC"), ("ebp", "B1", "PBO", "NB1"), ("ebp", "B2", "PBO", "NB2"),
    ("ebp", "B3", "PBO", "NB3"),
]  # fmt: skip
SEGMENT_OF_NODE = {
    "NH": "collecte", "N1": "collecte", "N2": "collecte", "NP1": "transport", "NP2": "transport",
}  # fmt: skip


def small_network(*, geometry_use: bool = False) -> tuple[Network, Routes]:
    r"""Build the network drawn here; the feed is NH, prises in brackets.

        NH ==CO1,CO2== N1 --CO3-- N2 --TR2-- NP2 --DI5-- NB3 (7)
                        |
                       TR1
                        |
                       NP1 ==DI1,DI2 in way W2== NC --DI3-- NB1 (10, of which 1 by drop RA1)
                                                  \--DI4-- NB2 (5)

    CO1 and CO2 lie in ways WC1 and WC2. Closure C1 in chamber CH at NC splices DI1 to DI3 and DI2 to DI4.
    With `geometry_use`, the way W2 carries DI2 by geometry only.
    """
    assets = _assets()
    number = pd.Series(assets.index.to_numpy(), index=assets["kind"] + ":" + assets["code"])
    uses = _uses(number, geometry_use=geometry_use)
    frames = {f.name: pd.DataFrame() for f in fields(Network)}
    sections = pd.DataFrame(
        {"cable": [number[f"cable:{c}"] for c in CABLES], "layer": [v[0] for v in CABLES.values()]}
    )
    sections["layer"] = sections["layer"].replace({"raccordement": "distribution"})
    links = _links(number)
    network = Network(**{**frames, "assets": assets, "uses": uses, "sections": sections, "links": links})
    nominal, at = _graph(assets, number, uses, NOMINAL, {"B1": 9, "R1": 1, "B2": 5, "B3": 7})
    physical, at_physical = _graph(assets, number, uses, PHYSICAL, {"B1": 9, "R1": 1, "B2": 5, "B3": 7})
    rows = [
        ("P1", 9, "B1", "LP1", "LN1", "62001", "B1"), ("P2", 1, "B1", "LP1", "LN1", "62001", "R1"),
        ("P3", 5, "B2", "LP1", "LN1", "62002", "B2"), ("P4", 7, "B3", "LP2", "LN2", "", "B3"),
        ("P5", 3, "", "LP1", "LN1", "62001", ""),
    ]  # fmt: skip
    prises = pd.DataFrame(rows, columns=["code", "n", "pbo", "pm", "nro", "insee", "at"])
    prises["vertex_nominal"] = prises["at"].map(at).fillna(-1).astype(np.int32)
    prises["vertex_physical"] = prises["at"].map(at_physical).fillna(-1).astype(np.int32)
    prises["x"] = [50.0, 52.0, 150.0, 400.0, 0.0]
    prises["y"] = [310.0, 310.0, 310.0, 60.0, 400.0]
    rooms = pd.DataFrame(
        [(number[f"local:{c}"], c, n, c, nro) for c, n, nro in
         [("LN1", "NRO", ""), ("LN2", "NRO", ""), ("LP1", "PM", "LN1"), ("LP2", "PM", "LN2")]],
        columns=["asset", "code", "nature", "name", "nro"],
    )  # fmt: skip
    rooms["vertex_nominal"] = rooms["code"].map(at).astype(np.int32)
    rooms["vertex_physical"] = rooms["code"].map(at_physical).astype(np.int32)
    empty = pd.DataFrame()
    return network, Routes(nominal, physical, prises, rooms, empty, empty, {}, empty)


def _assets() -> gpd.GeoDataFrame:
    rows = [(kind, code, nature, node, "", shapely.Point(NODES[node])) for kind, code, nature, node in POINTS]
    rows += [("noeud", node, "", node, "", shapely.Point(spot)) for node, spot in NODES.items()]
    for cable, (segment, ways, a, b) in CABLES.items():
        line = shapely.LineString([NODES[a], NODES[b]])
        rows.append(("cable", cable, "", "", segment, line))
        rows += [("cheminement", way, "", "", segment, line) for way in ways if (way, line) not in rows]
    table = pd.DataFrame(rows, columns=["kind", "code", "nature", "nd_code", "segment", "geometry"])
    table = table.drop_duplicates(["kind", "code"]).sort_values(["kind", "code"], ignore_index=True)
    at_node = table["nd_code"].map(SEGMENT_OF_NODE).fillna("distribution")
    table["segment"] = table["segment"].where(table["nd_code"] == "", at_node)
    table["libelle"], table["use_source"] = table["code"], "identity"
    lines = gpd.GeoSeries(table["geometry"]).length
    table["length_m"] = lines.where(table["kind"].isin(("cable", "cheminement")), 0.0)
    return gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:2154")


def _uses(number: pd.Series, *, geometry_use: bool) -> pd.DataFrame:
    rows = []
    for cable, (_, ways, a, b) in CABLES.items():
        held = [f"cheminement:{way}" for way in ways]
        held += [
            f"{kind}:{code}" for kind, code, _, node in POINTS if kind in ("site", "ptech") and node in (a, b)
        ]
        held += [f"noeud:{node}" for node in {a, b}]
        for carrier in held:
            drawn = geometry_use and (carrier, cable) == ("cheminement:W2", "DI2")
            rows.append((number[carrier], number[f"cable:{cable}"], "geometry" if drawn else "identity"))
    return pd.DataFrame(rows, columns=["carrier", "carried", "source"]).sort_values(["carrier", "carried"])


def _links(number: pd.Series) -> pd.DataFrame:
    pairs = []
    for cable, (_, ways, a, b) in CABLES.items():
        pairs += [(f"cable:{cable}", f"cheminement:{way}") for way in ways]
        pairs += [(f"cheminement:{way}", f"noeud:{node}") for way in ways for node in (a, b)]
        boxes = [code for kind, code, _, node in POINTS if kind == "ebp" and node in (a, b)]
        pairs += [(f"cable:{cable}", f"ebp:{box}") for box in boxes]
    pairs += [(f"noeud:{node}", f"ptech:{code}") for kind, code, _, node in POINTS if kind == "ptech"]
    pairs += [(f"ebp:{code}", f"noeud:{node}") for kind, code, _, node in POINTS if kind == "ebp"]
    table = pd.DataFrame([(number[a], number[b]) for a, b in pairs], columns=["a", "b"])
    return table.drop_duplicates(ignore_index=True)


# vertex: node and owner; edges: cable or "" between vertices
NOMINAL = (
    {"root": ("", ""), "H": ("NH", ""), "LN1": ("N1", "local:LN1"), "LN2": ("N2", "local:LN2"),
     "LP1": ("NP1", "local:LP1"), "LP2": ("NP2", "local:LP2"), "C1a": ("NC", "ebp:C1"),
     "C1b": ("NC", "ebp:C1"), "B1": ("NB1", "ebp:B1"), "B2": ("NB2", "ebp:B2"), "B3": ("NB3", "ebp:B3"),
     "R1": ("", "")},
    [("root", "H", ""), ("H", "LN1", "CO1"), ("H", "LN1", "CO2"), ("LN1", "LN2", "CO3"),
     ("LN1", "LP1", "TR1"), ("LN2", "LP2", "TR2"), ("LP1", "C1a", "DI1"), ("LP1", "C1b", "DI2"),
     ("C1a", "B1", "DI3"), ("C1b", "B2", "DI4"), ("LP2", "B3", "DI5"), ("B1", "R1", "RA1")],
)  # fmt: skip
PHYSICAL = (
    {**{name: at for name, at in NOMINAL[0].items() if name not in ("C1a", "C1b")}, "C": ("NC", "")},
    [(a.replace("C1a", "C").replace("C1b", "C"), b.replace("C1a", "C").replace("C1b", "C"), cable)
     for a, b, cable in NOMINAL[1]],
)  # fmt: skip


def _graph(
    assets: pd.DataFrame,
    number: pd.Series,
    uses: pd.DataFrame,
    drawing: tuple[dict[str, tuple[str, str]], list[tuple[str, str, str]]],
    prises: dict[str, int],
) -> tuple[ServiceGraph, dict[str, int]]:
    vertices, edges = drawing
    at = {name: i for i, name in enumerate(vertices)}
    places = assets[assets["kind"].isin(("noeud", "ptech", "site"))]
    standing = [(int(a), node) for a, node in places["nd_code"].items()]
    links = [
        (asset, at[name])
        for name, (node, _) in vertices.items()
        for asset, other in standing
        if node == other
    ]
    links += [(int(number[owner]), at[name]) for name, (_, owner) in vertices.items() if owner]
    held = []
    for i, (_, _, cable) in enumerate(edges):
        if cable:
            own = int(number[f"cable:{cable}"])
            held += [(own, i), *((int(c), i) for c in uses.loc[uses["carried"] == own, "carrier"])]
    ends = [(at[a], at[b]) for a, b, _ in edges]
    counts = [prises.get(name, 0) for name in vertices]
    graph = service_graph(ends, counts, n_assets=len(assets), vertex_links=links, edge_links=held)
    return graph, {name: i for name, i in at.items() if name != "root"}
