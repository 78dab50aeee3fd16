"""Hold losses against igraph and networkx at full size: ``python benchmarks/judges.py STORE|PRISES``.

On the nominal and the physical graph of a stored inventory, or on a drawn network of so many prises:

- igraph, dominators: what each vertex and each edge cuts is the prises of the subtree that it dominates;
- igraph and networkx: articulation points and bridges are the vertices and edges that cut others;
- assets of one vertex or one edge lose what that element does; of the others, groups, 100 are removed one by
  one and what igraph then reaches is counted.

It stops where anything differs. Seconds of each judge beside ours, wall clock, once.
"""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import igraph
import networkx as nx
import numpy as np
from losses import networkx_of, rings_and_trees
from numpy.typing import NDArray

from gracethd.network import build_network
from gracethd.reading import read
from gracethd.routes import trace_routes
from gracethd.service import ServiceGraph
from resilience.losses import index_graph, losses_of_assets
from resilience.low_points import losses_of_nodes_and_cables

T = TypeVar("T")
REMOVED = 100


def timed(label: str, call: Callable[[], T]) -> T:
    """Print the seconds of a call and give what it gives."""
    begun = time.perf_counter()
    found = call()
    print(f"  {label:<60}{time.perf_counter() - begun:9.2f} s", flush=True)
    return found


def graphs_of(source: str) -> dict[str, ServiceGraph]:
    """Give the graphs to judge, by name."""
    if source.isdigit():
        return {"drawn": rings_and_trees(int(source))}
    inventory = read(source)
    routes = trace_routes(inventory, build_network(inventory))
    return {"nominal": routes.nominal, "physical": routes.physical}


def dominated(graph: ServiceGraph) -> NDArray[np.int64]:
    """Sum the prises that each vertex dominates, then each edge, as a vertex put in its middle."""
    n, middle = graph.n_vertices, graph.n_vertices + np.arange(len(graph.tail))
    one = np.concatenate([graph.tail, graph.head])
    two = np.concatenate([middle, middle])
    arcs = np.column_stack([np.concatenate([one, two]), np.concatenate([two, one])])
    whole = igraph.Graph(n=n + len(middle), edges=arcs, directed=True)
    above = np.nan_to_num(np.array(whole.dominator(0, mode="out")), nan=-2).astype(np.int64)
    total = np.zeros(len(above), np.int64)
    total[:n] = np.where(above[:n] >= -1, graph.prises, 0)
    # leaves first: an element is summed up once all that it dominates has been
    waiting = np.bincount(above[above >= 0], minlength=len(above))
    ready = np.flatnonzero((waiting == 0) & (above >= 0))
    while len(ready):
        up = above[ready]
        np.add.at(total, up, total[ready])
        np.subtract.at(waiting, up, 1)
        up = np.unique(up)
        ready = up[(waiting[up] == 0) & (above[up] >= 0)]
    return total


def judge(graph: ServiceGraph) -> None:
    """Compare, and stop where anything differs."""
    n, ends = graph.n_vertices, np.column_stack([graph.tail, graph.head])
    print(f"  {n:,} vertices, {len(ends):,} edges, {graph.n_assets:,} assets, {graph.prises.sum():,} prises")
    walk = timed("ours: every vertex and edge", lambda: losses_of_nodes_and_cables(graph, graph.prises))
    every = timed("ours: every asset", lambda: losses_of_assets(index_graph(graph, graph.prises))[:, 0])
    ones = losses_of_nodes_and_cables(graph, np.ones(n, np.int64))
    expected = timed("igraph: dominators", lambda: dominated(graph))
    same(walk.vertex[1:], expected[1:n], "vertices")
    same(walk.edge, expected[n:], "edges")
    whole = igraph.Graph(n=n, edges=ends)
    cutting, bridges = np.flatnonzero(ones.vertex > 1), np.flatnonzero(ones.edge > 0)
    served = np.zeros(n, np.bool_)
    served[whole.subcomponent(0)] = True
    found = np.array(timed("igraph: articulation points", whole.articulation_points), np.int64)
    same(cutting, np.sort(found[served[found] & (found > 0)]), "articulation points (igraph)")
    found = np.array(timed("igraph: bridges", whole.bridges), np.int64)
    same(bridges, np.sort(found[served[graph.tail[found]]]), "bridges (igraph)")
    _judge_assets(graph, every, expected, whole, served)
    several = networkx_of(graph)
    found = np.array(
        timed("networkx: articulation points", lambda: list(nx.articulation_points(several))), np.int64
    )
    same(cutting, np.sort(found[served[found] & (found > 0)]), "articulation points (networkx)")
    pairs = timed("networkx: bridges", lambda: sorted(map(tuple, map(sorted, nx.bridges(several)))))
    own = sorted(map(tuple, np.sort(ends[bridges], axis=1).tolist()))
    if own != [pair for pair in pairs if served[pair[0]]]:
        raise SystemExit("bridges (networkx) differ")
    print(f"  equal: {len(cutting):,} articulation points and {len(bridges):,} bridges behind the root")


def _judge_assets(
    graph: ServiceGraph,
    every: NDArray[np.int64],
    expected: NDArray[np.int64],
    whole: igraph.Graph,
    served: NDArray[np.bool_],
) -> None:
    """Hold assets of one element against it, and some of those of several against removal."""
    asset = np.concatenate([graph.vertex_asset, graph.edge_asset])
    element = np.concatenate([graph.vertex_of, graph.n_vertices + graph.edge_of])
    held = np.bincount(asset, minlength=graph.n_assets)
    single = (held == 1)[asset] & (element > 0)
    same(every[asset[single]], expected[element[single]], "assets of one element")
    rng = np.random.default_rng(0)
    groups = np.flatnonzero(held > 1)
    some = rng.choice(groups, min(REMOVED, len(groups)), replace=False)
    begun = time.perf_counter()
    for number in some.tolist():
        mine = element[asset == number]
        vertices, edges = mine[mine < graph.n_vertices], mine[mine >= graph.n_vertices] - graph.n_vertices
        out = np.zeros(graph.n_vertices, np.bool_)
        out[vertices] = True
        out[0] = False
        cut = out[graph.tail] | out[graph.head]
        cut[edges] = True
        left = whole.copy()
        left.delete_edges(np.flatnonzero(cut))
        kept = np.zeros(graph.n_vertices, np.bool_)
        kept[left.subcomponent(0)] = True
        same(every[number], graph.prises[served & ~kept].sum(), f"asset {number}")
    spent = time.perf_counter() - begun
    print(f"  {f'igraph: {len(some)} groups of {len(groups):,} removed one by one':<60}{spent:9.2f} s")
    print(f"  equal: {int(single.sum()):,} assets of one element, {len(some)} groups")


def same(ours: object, theirs: object, what: str) -> None:
    """Stop where two answers differ."""
    if not np.array_equal(np.asarray(ours), np.asarray(theirs)):
        raise SystemExit(f"{what} differ")


def main(source: str) -> None:
    """Judge each graph of the source."""
    for name, graph in graphs_of(source).items():
        print(name)
        judge(graph)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "5000")
