"""Time the losses of every asset against the obvious ways, on a drawn network of the size given.

    python benchmarks/losses.py [PRISES]
    python benchmarks/losses.py alone PRISES

The second makes the arrays only, in a process of its own: seconds an asset, and the most memory that it took,
for sizes that networkx does not hold.

Every answer is compared with the one it is timed against. `docs/benchmarks.md` keeps the ratios.

The network: NROs on rings, PM trees below them, a share of PM with two homes; ways hold one to three cables
in a row, so that assets are groups. Ratios are what lasts; seconds are those of this machine.
"""

import io
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd

from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_assets, losses_of_sets
from resilience.low_points import adjacency, losses_of_nodes_and_cables

REMOVALS = 20


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


def timed(label: str, call: Callable[[], object], *, times: int = 3) -> float:
    """Print and give the seconds of a call, processor time, the best of some."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        call()
        spent.append(time.process_time() - begin)
    print(f"{label:<66}{min(spent):10.4f} s")
    return min(spent)


def target(label: str, ratio: float, limit: float, *, at_least: bool) -> None:
    """Print a ratio beside its target."""
    met = ratio >= limit if at_least else ratio <= limit
    print(
        f"{label:<66}{ratio:10.1f}   {'>=' if at_least else '<='} {limit:,.0f}: {'met' if met else 'NOT MET'}"
    )


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


def memory_of(build: Callable[[], object]) -> tuple[object, int]:
    """Give what a call builds and the bytes that it keeps."""
    tracemalloc.start()
    built = build()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return built, kept


def networkx_of(graph: ServiceGraph) -> nx.MultiGraph:
    """Build the same graph with networkx, edges keyed by number."""
    whole = nx.MultiGraph()
    whole.add_edges_from(zip(graph.tail.tolist(), graph.head.tolist(), range(len(graph.tail)), strict=True))
    return whole


def alone(n_prises: int) -> None:
    """Print what the losses of every asset take, and stop where two of our ways to count differ."""
    small = rings_and_trees(1000)
    losses_of_assets(index_graph(small, small.prises))
    losses_of_nodes_and_cables(small, small.prises)
    graph = rings_and_trees(n_prises)
    print(f"{graph.n_vertices:,} vertices, {len(graph.tail):,} edges, {graph.n_assets:,} assets")
    print(f"{'graph in memory':<66}{_peak():10.2f} GB")
    begun = time.process_time()
    index = index_graph(graph, graph.prises)
    indexed = time.process_time() - begun
    every = losses_of_assets(index)[:, 0]
    spent = time.process_time() - begun
    print(f"{'index for groups':<66}{indexed:10.2f} s")
    print(f"{'losses of every asset, index included':<66}{spent:10.2f} s")
    print(f"{'  an asset':<66}{spent / graph.n_assets * 1e9:10.1f} ns")
    print(f"{'most memory':<66}{_peak():10.2f} GB")
    walk = losses_of_nodes_and_cables(graph, graph.prises)
    n_edges = len(graph.tail)
    if (walk.edge != every[:n_edges]).any() or (walk.vertex[1:] != every[2 * n_edges + 1 :]).any():
        raise SystemExit("the ways of counting disagree")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(n_prises: int) -> None:
    """Print times, then ratios beside their targets."""
    graph = rings_and_trees(n_prises)
    n_edges = len(graph.tail)
    print(f"{graph.n_vertices:,} vertices, {n_edges:,} edges, {graph.n_assets:,} assets")
    small = rings_and_trees(1000)
    timed(
        "first call, compilation or its cache included",
        lambda: (
            losses_of_nodes_and_cables(small, small.prises),
            losses_of_assets(index_graph(small, small.prises)),
        ),
        times=1,
    )
    both = timed(
        "every node and cable (graph built in memory, one walk)",
        lambda: losses_of_nodes_and_cables(graph, graph.prises),
    )
    indexed = timed("index for groups", lambda: index_graph(graph, graph.prises))
    index = index_graph(graph, graph.prises)
    every = timed("every asset of the index: nodes, cables and groups", lambda: losses_of_assets(index))
    ways = np.arange(n_edges, 2 * n_edges)
    groups = timed(
        "every way (a group of one to three cables)",
        lambda: losses_of_sets(index, np.arange(n_edges + 1), ways),
    )
    chambers = np.arange(2 * n_edges, graph.n_assets)
    places = timed(
        "every chamber and pole", lambda: losses_of_sets(index, np.arange(len(chambers) + 1), chambers)
    )
    rng = np.random.default_rng(0)
    draws = rng.integers(0, graph.n_assets, 100_000).astype(np.int32)
    drawn = timed(
        "losses_of_sets, 1,000 sets of 100 assets",
        lambda: losses_of_sets(index, np.arange(0, 100_001, 100), draws),
    )
    whole, nx_bytes = memory_of(lambda: networkx_of(graph))
    assert isinstance(whole, nx.MultiGraph)
    _, own_bytes = memory_of(lambda: adjacency(graph.n_vertices, graph.tail, graph.head))
    own_bytes += graph.tail.nbytes + graph.head.nbytes
    some = rng.choice(graph.n_assets, REMOVALS, replace=False).tolist()
    found: list[list[int]] = []
    spent = timed(
        f"networkx remove and search, {REMOVALS} assets",
        lambda: found.append(remove_and_search(graph, whole, some)),
        times=1,
    )
    points = timed(
        "networkx articulation_points (no count)", lambda: list(nx.articulation_points(whole)), times=1
    )
    text = pd.DataFrame({"tail": graph.tail, "head": graph.head}).to_csv(index=False)
    read = timed("pandas reads the edge list (CSV in memory)", lambda: pd.read_csv(io.StringIO(text)))
    _agree(graph, found[0], some, whole)
    print()
    n_both = graph.n_vertices + n_edges
    target(
        "remove and search / every node and cable", spent / REMOVALS * n_both / both, 100_000, at_least=True
    )
    target("articulation_points / every node and cable", points / both, 10, at_least=True)
    target("every node and cable / pandas reading", both / read, 4, at_least=False)
    target(
        "ways, chambers and poles, index included / that walk",
        (indexed + groups + places) / both,
        15,
        at_least=False,
    )
    target("memory, networkx / graph", nx_bytes / own_bytes, 20, at_least=True)
    whole_table = spent / REMOVALS * graph.n_assets / (indexed + every)
    print(f"remove and search / every asset, index included: {whole_table:,.0f}")
    print(f"drawn sets of 100 assets: {1000 / drawn:,.0f} a second")


def _agree(graph: ServiceGraph, found: list[int], some: list[int], whole: nx.MultiGraph) -> None:
    """Stop where the ways of counting disagree."""
    index = index_graph(graph, graph.prises)
    every, n_edges = losses_of_assets(index)[:, 0], len(graph.tail)
    walk = losses_of_nodes_and_cables(graph, graph.prises)
    ones = losses_of_nodes_and_cables(graph, np.ones(graph.n_vertices, np.int64))
    cutting = set((1 + np.flatnonzero(ones.vertex[1:] > 1)).tolist())
    same = (
        found == every[some].tolist()
        and (walk.edge == every[:n_edges]).all()
        and (walk.vertex[1:] == every[2 * n_edges + 1 :]).all()
        and cutting == set(nx.articulation_points(whole)) - {0}
    )
    if not same:
        raise SystemExit("the ways of counting disagree")


if __name__ == "__main__":
    if sys.argv[1:2] == ["alone"]:
        alone(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
