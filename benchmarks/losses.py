"""Time the losses of every asset against the obvious ways, on a drawn network of the size given.

    python benchmarks/losses.py [PRISES]

The network: NROs on rings, PM trees below them, a share of PM with two homes; ways hold one to three cables
in a row, so that assets are groups. Ratios are what lasts; seconds are those of this machine.
"""

import sys
import time
from collections.abc import Callable

import networkx as nx
import numpy as np

from gracethd.service import ServiceGraph
from resilience.losses import (
    LossIndex,
    index_graph,
    losses_of_assets,
    losses_of_sets,
    maximal_losses_of_assets,
)


def rings_and_trees(n_prises: int, *, seed: int = 1) -> ServiceGraph:
    """Draw about five vertices for four prises: rings of 8 NROs, PMs, boxes, and drops as leaves."""
    rng = np.random.default_rng(seed)
    n_nro, n_pm, n_box = max(8, n_prises // 6800), max(16, n_prises // 450), max(60, n_prises // 4)
    nro = 1 + np.arange(n_nro)
    pm = 1 + n_nro + np.arange(n_pm)
    box = 1 + n_nro + n_pm + np.arange(n_box)
    drop = 1 + n_nro + n_pm + n_box + np.arange(n_prises)
    above_box = np.where(
        rng.random(n_box) < 0.2, rng.choice(pm, n_box), np.maximum(box - rng.integers(1, 9, n_box), pm[0])
    )
    two_homes = rng.choice(pm, n_pm * 3 // 10, replace=False)
    tail = np.concatenate(
        [np.where(np.arange(n_nro) % 8 == 0, 0, nro - 1), np.where(np.arange(n_nro) % 8 == 7, 0, -1)]
    )
    head = np.concatenate([nro, nro])
    tail, head = tail[tail >= 0], head[tail >= 0]
    tail = np.concatenate(
        [tail, rng.choice(nro, n_pm), rng.choice(nro, len(two_homes)), above_box, rng.choice(box, n_prises)]
    )
    head = np.concatenate([head, pm, two_homes, box, drop])
    n_edges, n_vertices = len(tail), int(drop[-1]) + 1
    n_ways = n_edges
    rows = np.arange(n_edges)
    prises = np.zeros(n_vertices, np.int64)
    prises[drop] = 1
    none = np.empty(0, np.int32)
    return ServiceGraph(
        n_vertices=n_vertices,
        n_assets=n_edges + n_ways + n_vertices,
        tail=tail.astype(np.int32),
        head=head.astype(np.int32),
        ambiguous=rng.random(n_edges) < 0.001,
        vertex_asset=(n_edges + n_ways + np.arange(1, n_vertices)).astype(np.int32),
        vertex_of=np.arange(1, n_vertices, dtype=np.int32),
        edge_asset=np.concatenate([rows, n_edges + rows, n_edges + np.maximum(rows - 1, 0)]).astype(np.int32),
        edge_of=np.concatenate([rows, rows, rows]).astype(np.int32),
        possible_asset=none,
        possible_vertex=none,
        prises=prises,
    )


def timed(label: str, call: Callable[[], object]) -> float:
    """Print and give the seconds of a call."""
    begin = time.perf_counter()
    call()
    spent = time.perf_counter() - begin
    print(f"{label:<58}{spent:10.3f} s")
    return spent


def remove_and_search(graph: ServiceGraph, whole: nx.MultiGraph, assets: list[int]) -> list[int]:
    """Lose one asset at a time, the obvious way: take it out, search, put it back."""
    out = []
    reached = nx.node_connected_component(whole, 0)
    for asset in assets:
        edges = [
            (int(graph.tail[e]), int(graph.head[e]), int(e)) for e in graph.edge_of[graph.edge_asset == asset]
        ]
        for vertex in graph.vertex_of[graph.vertex_asset == asset].tolist():
            edges += list(whole.edges(vertex, keys=True))
        whole.remove_edges_from(edges)
        out.append(int(graph.prises[list(reached - nx.node_connected_component(whole, 0))].sum()))
        whole.add_edges_from(edges)
    return out


def main(n_prises: int) -> None:
    """Print times and ratios."""
    graph = rings_and_trees(n_prises)
    print(f"{graph.n_vertices:,} vertices, {len(graph.tail):,} edges, {graph.n_assets:,} assets")
    small = rings_and_trees(1000)
    index = index_graph(small, small.prises)
    timed(
        "first call, compilation or its cache included",
        lambda: (losses_of_assets(index), maximal_losses_of_assets(index)),
    )
    walked: list[LossIndex] = []
    walk = timed("index_graph", lambda: walked.append(index_graph(graph, graph.prises)))
    every = timed("losses_of_assets, every asset", lambda: losses_of_assets(walked[0]))
    timed("maximal_losses_of_assets, every asset", lambda: maximal_losses_of_assets(walked[0]))
    rng = np.random.default_rng(2)
    draws = rng.integers(0, graph.n_assets, 100_000).astype(np.int32)
    drawn = timed(
        "losses_of_sets, 1,000 sets of 100 assets",
        lambda: losses_of_sets(walked[0], np.arange(0, 100_001, 100), draws),
    )
    whole = nx.MultiGraph()
    built = timed(
        "networkx graph",
        lambda: whole.add_edges_from(
            zip(graph.tail.tolist(), graph.head.tolist(), range(len(graph.tail)), strict=True)
        ),
    )
    some = rng.choice(graph.n_assets, 20, replace=False).tolist()
    found: list[list[int]] = []
    spent = timed(
        "networkx remove and search, 20 assets", lambda: found.append(remove_and_search(graph, whole, some))
    )
    if found[0] != losses_of_assets(walked[0])[some, 0].tolist():
        raise SystemExit("the two ways disagree")
    points = timed(
        "networkx articulation_points (vertices only, no count)", lambda: list(nx.articulation_points(whole))
    )
    ours = walk + every
    print(f"every asset: {spent / 20 * graph.n_assets / ours:,.0f} x faster than remove and search (from 20)")
    print(f"             {(points + built) / ours:,.1f} x faster than the articulation points of networkx")
    print(f"sets:        {1000 / drawn:,.0f} drawn sets of 100 assets a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
