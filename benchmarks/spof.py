"""Time ``resilience spof`` stage by stage, from deliveries to its files, on a synthetic network.

    python benchmarks/spof.py [PRISES]

Processor seconds and the peak of memory so far; `docs/benchmarks.md` says where the time goes.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from gracethd.network import build_network
from gracethd.outputs.tables import write_table
from gracethd.reading import read
from gracethd.routes import trace_routes
from gracethd.synth import random_area, synthesise, write_synth
from resilience.areas import behind_single_objects, losses_by_area, worst_by_area
from resilience.further import worst_further_failures
from resilience.loops import redundancy
from resilience.near_legs import near_legs
from resilience.outputs.spof_files import SpofList, write_spof
from resilience.series import series
from resilience.shared_risk import risk_groups
from resilience.spof import collapse, spof

Result = TypeVar("Result")
DAY = date(2026, 1, 1)


def stage(label: str, call: Callable[[], Result]) -> Result:
    """Run a stage and print what it took."""
    begin = time.process_time()
    result = call()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{label:<44}{time.process_time() - begin:9.2f} s{peak:9.2f} GB", flush=True)
    return result


def main(n_prises: int) -> None:
    """Print the stages of one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_synth(synthesise(random_area(n_prises, seed=1), seed=1, faults=0.0), folder)
        inventory = stage("read deliveries", lambda: read(sorted((folder / "livraisons").iterdir())))
        network = stage("build the network", lambda: build_network(inventory))
        routes = stage("trace routes", lambda: trace_routes(inventory, network))
        stage("first call: compilation or its cache", lambda: spof(network, routes, {}))
        table = stage(f"table, {len(network.assets):,} assets", lambda: spof(network, routes, {}))
        listed = stage("list", lambda: collapse(table))
        groups = risk_groups(network, {})
        stage("series", lambda: series(network, table))
        losses = stage("losses by area", lambda: losses_by_area(network, routes, listed, {}))
        stage("worst by area", lambda: worst_by_area(losses, routes, {}))
        stage("curve by threshold", lambda: behind_single_objects(network, routes, table, {}))
        stage("redundancy", lambda: redundancy(network, routes, groups))
        stage("near legs", lambda: near_legs(network, routes))
        stage("worst pairs and triples", lambda: worst_further_failures(network, routes, {}))
        stage("spof.parquet", lambda: write_table(table, folder / "spof.parquet"))
        found = SpofList(network, routes, {}, table, table, listed, 10)
        for suffix in (".csv", ".gpkg", ".xlsx"):
            target = folder / f"spof{suffix}"
            stage(f"spof{suffix}, what it holds included", lambda to=target: write_spof(found, to, day=DAY))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
