"""Second paths on a road graph: ``python benchmarks/second_path.py [SIDE] [PATHS]``.

SIDE x SIDE crossings (410: 302,000 edges), a tenth of the streets missing, three prices of ground, PATHS
pairs of places (10). Aim: at least 5 times faster than A* of networkx on the same graph with the same bound.
"""

import sys
import time

import networkx as nx
import numpy as np
import pandas as pd
import shapely

from resilience.ground import EVENT, Ground
from resilience.second_path import cheapest_path

STEP_M = 100.0
ACCESS_EUR = 100.0


def grid(side: int, random: np.random.Generator) -> tuple[Ground, np.ndarray]:
    """Draw crossings that are moved by up to 20 m, and the price of each street."""
    xy = (
        np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1).reshape(-1, 2)
        * STEP_M
    )
    xy = xy + random.uniform(-20, 20, xy.shape)
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    kept = random.random(len(tail)) > 0.1
    tail, head = tail[kept], head[kept]
    length = np.linalg.norm(xy[tail] - xy[head], axis=1)
    shapes = shapely.linestrings(np.stack([xy[tail], xy[head]], axis=1))
    wet = pd.DataFrame({name: [] for name in ["edge", *EVENT, "wet_m"]})
    ground = Ground(
        xy, tail, head, length, np.ones(len(tail), np.int8), np.full(len(tail), -1, np.int32), shapes, wet,
        shapely.STRtree(shapes[:1]),
    )  # fmt: skip
    return ground, length * random.choice([60.0, 110.0, 200.0], len(tail))


def main(side: int, paths: int) -> None:
    """Print times and the ratio."""
    random = np.random.default_rng(2)
    ground, weight = grid(side, random)
    graph = nx.Graph()
    graph.add_weighted_edges_from(
        zip(ground.tail.tolist(), ground.head.tolist(), weight.tolist(), strict=True)
    )
    least = float((weight / ground.length_m).min())
    whole = max(nx.connected_components(graph), key=len)
    pairs = random.choice(np.array(sorted(whole)), (paths, 2), replace=False)
    is_open = np.ones(len(weight), np.bool_)

    def ours(a: int, b: int) -> float:
        ends = shapely.points(ground.xy[[a, b]])
        found = cheapest_path(ground, weight, is_open, *ends, access_eur_per_m=ACCESS_EUR)
        assert found is not None
        return float(weight[found[0]].sum())

    def theirs(a: int, b: int) -> float:
        def left(u: int, v: int) -> float:
            return least * float(np.hypot(*(ground.xy[u] - ground.xy[v])))

        return float(nx.astar_path_length(graph, a, b, heuristic=left))

    ours(*pairs[0])  # compiles
    costs, times = [], []
    for method in (ours, theirs):
        begun = time.perf_counter()
        costs.append([method(int(a), int(b)) for a, b in pairs])
        times.append((time.perf_counter() - begun) / paths)
    assert np.allclose(*costs)
    print(f"{len(weight):,} edges, {paths} paths, equal costs")
    told = f"{times[0] * 1e3:.0f} ms a path, networkx A* {times[1] * 1e3:.0f}"
    print(f"{told}: {times[1] / times[0]:.1f} times (aim 5)")


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[1:]]
    main(*numbers, *(410, 10)[len(numbers) :])
