"""Hours by road from 20 crews to 500 works, beside one networkx Dijkstra a crew: ``python access.py [SIDE]``.

A grid of SIDE x SIDE crossroads (200), each road with a bend. Aim: 5 times faster, equal hours. The judge's
graph is made before its time is taken; ours is made within.
"""

import sys
import time

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

from resilience.crisis.access import access_hours

AIM = 5


def main(side: int) -> int:
    """Print both times and their ratio; give 1 where the aim is missed."""
    rng = np.random.default_rng(4)
    x, y = (one.ravel() for one in np.meshgrid(np.arange(side) * 100.0, np.arange(side) * 100.0))
    x, y = x + rng.uniform(-20, 20, len(x)).round(), y + rng.uniform(-20, 20, len(y)).round()
    number = np.arange(side * side).reshape(side, side)
    tail = np.r_[number[:, :-1].ravel(), number[:-1].ravel()]
    head = np.r_[number[:, 1:].ravel(), number[1:].ravel()]
    bend = np.column_stack([(x[tail] + x[head]) / 2 + 10, (y[tail] + y[head]) / 2]).round()
    path = np.stack([np.column_stack([x, y])[tail], bend, np.column_stack([x, y])[head]], axis=1)
    roads = gpd.GeoDataFrame(geometry=shapely.linestrings(path), crs=2154)
    metres = np.hypot(*np.diff(path, axis=1).transpose(2, 0, 1)).sum(axis=1)
    graph = nx.Graph()
    graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), metres.tolist(), strict=True))
    crews, works = (rng.choice(side * side, n, replace=False) for n in (20, 500))
    xy = np.column_stack([x, y])
    begun = time.process_time()
    told = access_hours(roads, xy[crews], xy[works], hours_per_m=1.0, reach_m=100.0).hours
    ours = time.process_time() - begun
    begun = time.process_time()
    judged = []
    for crew in crews.tolist():
        far = nx.single_source_dijkstra_path_length(graph, crew)
        judged.append([far[work] for work in works.tolist()])
    theirs = time.process_time() - begun
    if not np.allclose(told, judged, atol=1e-3):
        raise SystemExit("hours differ")
    met = theirs >= AIM * ours
    print(f"{len(roads):,} roads: {ours:.2f} s, networkx {theirs:.2f} s")
    print(f"{theirs / ours:.1f} x, aim {AIM}: {'met' if met else 'NOT MET'}")
    return int(not met)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
