"""A false loop drawn by hand: which leg is moved, from where to where, and what cuts the NRO afterwards."""

from dataclasses import fields, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.ground import build_ground
from resilience.loops import loops
from resilience.losses import index_graph, losses_of_assets
from resilience.measures import with_second_paths
from resilience.measures.legs import _together, moved_leg_drafts
from resilience.measures.loops import rooms_and_feeds
from resilience.measures.types import Draft
from resilience.parameters import default_parameters
from resilience.roads import road_graph
from tests.resilience.service_graphs import service_graph

PARAMETERS = default_parameters()
PLACES = {
    "H": (0.0, 0.0), "A": (800.0, 0.0), "J": (1000.0, 0.0), "K": (2000.0, 0.0), "B": (2200.0, 0.0),
    "N": (3000.0, 0.0), "C": (900.0, 400.0), "D": (2100.0, 400.0),
}  # fmt: skip
WAYS = {
    "HA": "HA",
    "AJ": "AJ",
    "JK": "JK",
    "KB": "KB",
    "BN": "BN",
    "HC": "HC",
    "CJ": "CJ",
    "KD": "KD",
    "DN": "DN",
}
CABLES = {"CO1": ("HA", "AJ", "JK", "KB", "BN"), "CO2": ("HC", "CJ", "JK", "KD", "DN")}


@pytest.fixture(scope="module")
def false_loop() -> tuple[Network, Routes]:
    r"""Two collecte cables from the feed H to the NRO at N, one trench JK of 1,000 m under both.

    C                 D
     / \               / \
    H -A- J ========= K -B- N (100 prises)
    """
    rows = [("noeud", f"N{code}", code, shapely.Point(xy)) for code, xy in PLACES.items()]
    rows += [("ptech", f"P{code}", code, shapely.Point(xy)) for code, xy in PLACES.items()]
    rows += [("local", "NRO", "N", shapely.Point(PLACES["N"]))]
    shapes = {way: shapely.LineString([PLACES[end] for end in ends]) for way, ends in WAYS.items()}
    rows += [("cheminement", way, "", shape) for way, shape in shapes.items()]
    rows += [
        ("cable", cable, "", shapely.union_all([shapes[w] for w in ways])) for cable, ways in CABLES.items()
    ]
    table = pd.DataFrame(rows, columns=["kind", "code", "place", "geometry"])
    table = table.sort_values(["kind", "code"], ignore_index=True)
    table = table.assign(
        libelle="", segment="collecte",
        nature=table["kind"].map({"local": "NRO", "ptech": "chambre"}).fillna(""),
        length_m=gpd.GeoSeries(table["geometry"]).length,
        nd_code=np.where(table["place"] == "", "", "N" + table["place"]),
    )  # fmt: skip
    assets = gpd.GeoDataFrame(table, geometry="geometry", crs=2154)
    number = {code: i for i, code in enumerate(assets["code"])}
    lines = gpd.GeoDataFrame(
        {"asset": [number[way] for way in WAYS], "typ_imp": "7"}, geometry=list(shapes.values()), crs=2154
    )
    lines["length_m"] = lines.length
    links = [(number[way], number[f"N{end}"]) for way, ends in WAYS.items() for end in ends]
    links += [(number[f"N{place}"], number[f"P{place}"]) for place in PLACES]
    held = {
        cable: [number[x] for way in ways for x in (way, *(f"{k}{end}" for end in way for k in "NP"))]
        for cable, ways in CABLES.items()
    }
    uses = pd.DataFrame(
        [
            (carrier, number[cable], 0, "identity")
            for cable, of in held.items()
            for carrier in sorted(set(of))
        ],
        columns=["carrier", "carried", "section", "source"],
    )
    sections = pd.DataFrame({"cable": [number[cable] for cable in CABLES], "layer": "collecte"})
    frames = {field.name: pd.DataFrame() for field in fields(Network)} | {
        "assets": assets, "lines": lines, "links": pd.DataFrame(links, columns=["a", "b"]), "uses": uses,
        "sections": sections,
    }  # fmt: skip
    own = {1: ("NH", "PH"), 2: ("NRO", "NN", "PN")}
    graph = service_graph(
        [(0, 1), (1, 2), (1, 2)], [0, 0, 100], n_assets=len(assets),
        vertex_links=[(number[code], v) for v, codes in own.items() for code in codes],
        edge_links=[
            (asset, edge) for edge, (cable, of) in enumerate(held.items(), start=1)
            for asset in sorted({*of, number[cable]} - {number[f"{k}{p}"] for k in "NP" for p in "HN"})
        ],
    )  # fmt: skip
    rooms = pd.DataFrame(
        {"code": ["NRO"], "asset": [number["NRO"]], "nature": ["NRO"], "nro": [""], "name": ["Nord"],
         "vertex_nominal": [2], "vertex_physical": [2]}
    )  # fmt: skip
    empty = pd.DataFrame()
    feeds = pd.DataFrame({"feed": ["NH"], "kind": ["noeud"], "source": ["table"]})
    return Network(**frames), Routes(graph, graph, empty, rooms, feeds, empty, {}, empty)


def moved(case: tuple[Network, Routes], roads: list[list[tuple[float, float]]]) -> list[Draft]:
    network, routes = case
    lines = [shapely.LineString(line) for line in roads]
    drawn = gpd.GeoDataFrame({"highway": ["residential"] * len(lines)}, geometry=lines, crs=2154)
    ground = build_ground(network, roads=road_graph(drawn), hazards=[])
    index = index_graph(routes.nominal, routes.nominal.prises[:, None])
    ends = rooms_and_feeds(network, routes, routes.nominal, index)
    return moved_leg_drafts(network, routes, index, ends, ground, PARAMETERS, false_loops={"NRO"})


SOUTH = [(800.0, 0.0), (800.0, -300.0), (2200.0, -300.0), (2200.0, 0.0)]


def test_the_loop_is_false(false_loop: tuple[Network, Routes]) -> None:
    (row,) = loops(*false_loop).to_dict("records")
    assert (row["k_cable"], row["k_srlg"], row["shared_m"], row["is_false"]) == (2, 1, 1000.0, True)


def test_a_leg_leaves_before_the_shared_trench_and_comes_back_after_it(
    false_loop: tuple[Network, Routes],
) -> None:
    (draft,) = moved(false_loop, [SOUTH])
    network, routes = false_loop
    assert draft.objects == ("NRO", "NA", "NB")
    assert draft.length_m == pytest.approx(2000)
    assert draft.cost_eur["central"] == pytest.approx(2000 * (110 + 6 + 1000 / 300) + 2 * 2500)
    assert draft.link is not None
    code = network.assets["code"].to_numpy()
    assert sorted(code[draft.link.protects]) == ["JK", "NJ", "NK", "PJ", "PK"]
    # it keeps its cable and its way before and after, and no longer what lies between
    assert {"CO1", "HA", "BN", "NA", "NB"} <= set(code[draft.link.carriers])
    assert not {"JK", "CO2", "HC", "DN"} & set(code[draft.link.carriers])
    assert draft.link.replaces.tolist() == [1]
    after = with_second_paths(routes.nominal, [draft.link])
    lost = losses_of_assets(index_graph(after, after.prises[:, None]))[: len(code), 0]
    assert sorted(code[lost > 0]) == ["NH", "NN", "NRO", "PH", "PN"]  # both ends, as before


def test_without_ground_for_a_new_way_nothing_is_drafted(false_loop: tuple[Network, Routes]) -> None:
    assert moved(false_loop, [[(0.0, 5000.0), (10.0, 5000.0)]]) == []


def test_an_nro_keeps_a_leg_of_today_when_its_neighbour_moves_one(false_loop: tuple[Network, Routes]) -> None:
    """On a ring root - 1 - 2 - root, NRO 1 and 2 may not both give up their leg to the root."""
    (draft,) = moved(false_loop, [SOUTH])
    assert draft.link is not None
    ring = service_graph([(0, 1), (1, 2), (2, 0)], [0, 5, 7], n_assets=3)
    first, second = (
        replace(draft, link=replace(draft.link, room=room, replaces=np.array([edge], np.int64)))
        for room, edge in ((1, 0), (2, 2))
    )
    assert _together(ring, [first, second]) == [first]
    between = replace(draft, link=replace(draft.link, room=2, replaces=np.array([1], np.int64)))
    assert _together(ring, [first]) == [first]
    assert _together(ring, [first, between]) == [first]
