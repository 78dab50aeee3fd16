"""Real graphs whose articulation points and bridges others have published or named (shared material)."""

import itertools
import json
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_assets
from resilience.low_points import losses_of_nodes_and_cables
from tests.resilience.service_graphs import service_graph

Edge = tuple[Hashable, Hashable]


@pytest.fixture
def realdata(shared: Path) -> Path:
    folder = shared / "realdata"
    if not folder.is_dir():
        pytest.skip("real graphs absent: no folder realdata in the reference material")
    return folder


def rooted(n: int, edges: Sequence[tuple[int, int]], at: Sequence[int]) -> ServiceGraph:
    """Hang a graph of vertices 1..n on the root at some of them; edge e is asset e, vertex v asset v + E."""
    hung = [*edges, *((0, v) for v in at)]
    return service_graph(
        hung, [0] + [1] * n, n_assets=len(edges) + n + 1,
        edge_links=[(e, e) for e in range(len(edges))],
        vertex_links=[(len(edges) + v, v) for v in range(1, n + 1)],
    )  # fmt: skip


def cutting(nodes: Sequence[Hashable], edges: Sequence[Edge]) -> tuple[set[Hashable], list[int]]:
    """Give the articulation points and the numbers of the bridges, as our losses tell them.

    The root hangs on one vertex of each part, then on another: a vertex is judged where the root is not.
    """
    number = {node: i for i, node in enumerate(nodes, start=1)}
    numbered = [(number[a], number[b]) for a, b in edges]
    whole: nx.Graph = nx.Graph(numbered)
    whole.add_nodes_from(number.values())
    parts = [sorted(part) for part in nx.connected_components(whole)]
    points: set[Hashable] = set()
    bridges: list[int] = []
    for end in (0, -1):
        at = [part[end] for part in parts]
        graph = rooted(len(nodes), numbered, at)
        walk = losses_of_nodes_and_cables(graph, graph.prises)
        every = losses_of_assets(index_graph(graph, graph.prises))[:, 0]
        assert every[: len(edges)].tolist() == walk.edge[: len(edges)].tolist()
        assert every[len(edges) + 1 :].tolist() == walk.vertex[1:].tolist()
        points |= {nodes[v - 1] for v in range(1, len(nodes) + 1) if v not in at and walk.vertex[v] > 1}
        bridges = np.flatnonzero(walk.edge[: len(edges)]).tolist()
    return points, bridges


def test_beira_the_337_edges_without_detour_are_the_bridges(realdata: Path) -> None:
    folder = realdata / "bridges_beira_ra2ce"
    roads = gpd.read_file(folder / "base_graph_edges.gpkg")
    told = pd.read_csv(folder / "tutorial_single_link_redundancy.csv")
    edges = list(zip(roads["u"], roads["v"], strict=True))
    nodes = sorted(set(roads["u"]) | set(roads["v"]))
    points, bridges = cutting(nodes, edges)
    assert len(points) == 279
    assert len(bridges) == 337
    assert roads["rfid"].iloc[bridges].tolist() == told.loc[told["detour"] == 0, "rfid"].tolist()
    assert nx.number_connected_components(nx.Graph(edges)) == 6


def test_ofds_networks_have_the_points_and_bridges_of_the_reference(realdata: Path) -> None:
    folder = realdata / "ofds_fibre"
    told = json.loads((folder / "REFERENCE_AP_BRIDGES.json").read_text(encoding="utf-8"))
    facts = pd.read_csv(folder / "REFERENCE_FACTS.csv").set_index("network")
    assert len(facts) == 8
    for name, row in facts.iterrows():
        network = json.loads((folder / str(row["file"])).read_text(encoding="utf-8"))["networks"][0]
        nodes = sorted(node["id"] for node in network["nodes"])
        ends = [(span.get("start"), span.get("end")) for span in network["spans"]]
        edges = [(a, b) for a, b in ends if a in nodes and b in nodes]
        assert len(ends) - len(edges) == row["spans_dangling"], name
        points, bridges = cutting(nodes, edges)
        found = sorted("|".join(sorted(edges[e])) for e in bridges)
        assert sorted(points) == sorted(told[str(name)]["articulation_points"]), name
        assert found == sorted("|".join(sorted(pair.split("|"))) for pair in told[str(name)]["bridges"]), name


def test_topologies_have_the_points_and_bridges_of_the_reference(realdata: Path) -> None:
    folder = realdata / "topologies_topohub"
    facts = pd.read_csv(folder / "REFERENCE_FACTS.csv")
    assert len(facts) > 150
    for row in facts.itertuples():
        topology = json.loads((folder / str(row.file)).read_text(encoding="utf-8"))
        nodes = [node["id"] for node in topology["nodes"]]
        edges = [(edge["source"], edge["target"]) for edge in topology["edges"]]
        points, bridges = cutting(nodes, edges)
        assert (len(points), len(bridges)) == (row.articulation_points, row.bridges), row.file


@pytest.mark.parametrize("name", ["grenoble/1963", "grenoble/solution", "nice/6514", "nice/solution"])
def test_rings_of_ducts_protect_and_chains_are_bridges(realdata: Path, name: str) -> None:
    """A named solution: 'b i j k' is a ring through distribution node i, 'c a x y' a chain hanging from a."""
    folder = realdata / "kiro2018_orange_ducts"
    town, solution = name.split("/")
    places = pd.read_csv(folder / town / "nodes.csv", sep=";")
    lines = [line.split() for line in (folder / f"{name}.txt").read_text().splitlines() if line.strip()]
    rings = [[int(v) for v in line[1:]] for line in lines if line[0] == "b"]
    chains = [[int(v) for v in line[1:]] for line in lines if line[0] == "c"]
    on_ring = [
        (a, b) for ring in rings if len(ring) > 1 for a, b in zip(ring, ring[1:] + ring[:1], strict=True)
    ]
    on_chain = [(a, b) for chain in chains for a, b in itertools.pairwise(chain)]
    assert set(places.index[places["Type"] == "distribution"]) == {ring[0] for ring in rings}
    distance = pd.read_csv(folder / town / "distances.csv", header=None)[0].to_numpy()
    cost = sum(int(distance[a * len(places) + b]) for a, b in [*on_ring, *on_chain])
    # costs of the two saved under a name, and those stated for the two others
    assert cost == (int(solution) if solution.isdigit() else {"grenoble": 2075, "nice": 6605}[town])
    hanging: dict[int, int] = defaultdict(int)  # terminals beyond each place, its own chains apart
    for chain in chains:
        for step, place in enumerate(chain[:-1]):
            hanging[place] += len(chain) - 1 - step
    graph = rooted(
        len(places), [(a + 1, b + 1) for a, b in [*on_ring, *on_chain]], [ring[0] + 1 for ring in rings]
    )
    found = losses_of_nodes_and_cables(graph, graph.prises)
    assert (found.edge[: len(on_ring)] == 0).all(), "no duct of a ring cuts anything alone"
    beyond = [len(chain) - 1 - step for chain in chains for step in range(len(chain) - 1)]
    chained = found.edge[len(on_ring) : len(on_ring) + len(on_chain)]
    starts = {chain[0] for chain in chains}
    for (_, b), lost, least in zip(on_chain, chained.tolist(), beyond, strict=True):
        assert lost == least or b in starts, "a duct of a chain cuts what is beyond it"
    for place in {v for ring in rings for v in ring[1:]}:
        assert found.vertex[place + 1] == 1 + hanging[place], "a place of a ring cuts itself and its chains"
