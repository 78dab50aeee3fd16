"""Time ``resilience spof`` stage by stage, from a store, or from deliveries that it makes, to its files.

    python benchmarks/spof.py [PRISES | STORE] [OUTPUT...]

OUTPUT: parquet, csv, gpkg, xlsx or folder; all of them by default. Wall clock and processor seconds of each
stage (more of the second than of the first where cores share the work), and the peak of memory so far.
`docs/performance.md` says where the time goes.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

import geopandas as gpd

from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.outputs.tables import write_table
from gracethd.reading import read
from gracethd.routes import Routes, trace_routes
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
OUTPUTS = ("parquet", "csv", "gpkg", "xlsx", "folder")


def stage(label: str, call: Callable[[], Result]) -> Result:
    """Run a stage and print what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{label:<44}{wall:9.2f} s{cpu:9.2f} s cpu{peak:9.2f} GB", flush=True)
    return result


def inventory_of(source: str, folder: Path) -> Inventory:
    """Read a store, or deliveries made for so many prises."""
    if not source.isdigit():
        return stage("read the store", lambda: read(source))
    write_synth(synthesise(random_area(int(source), seed=1), seed=1, faults=0.0), folder)
    return stage("read deliveries", lambda: read(sorted((folder / "livraisons").iterdir())))


def traced(source: str, folder: Path) -> tuple[Network, Routes]:
    """Give what the table is made of, and let the inventory go."""
    inventory = inventory_of(source, folder)
    network = stage("build the network", lambda: build_network(inventory))
    return network, stage("trace routes", lambda: trace_routes(inventory, network))


def main(source: str, outputs: Sequence[str]) -> None:
    """Print the stages of one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network, routes = traced(source, folder)
        table = stage(f"table, {len(network.assets):,} assets", lambda: spof(network, routes, {}))
        listed = stage("list", lambda: collapse(table))
        print(f"  {len(table):,} rows, {len(listed):,} in the list")
        if "parquet" in outputs:
            stage("spof.parquet", lambda: write_table(table, folder / "spof.parquet"))
        if set(outputs) != {"parquet"}:
            _extracts(network, routes, table, listed)
        found = SpofList(network, routes, {}, table, table, listed, 10)
        for output in outputs:
            if output == "parquet":
                continue
            target = folder / (f"spof.{output}" if output != "folder" else "spof")
            stage(f"{target.name}, what it holds included", lambda to=target: write_spof(found, to, day=DAY))


def _extracts(network: Network, routes: Routes, table: gpd.GeoDataFrame, listed: gpd.GeoDataFrame) -> None:
    """Time what lists hold beside the table, each alone."""
    groups = risk_groups(network, {})
    stage("series", lambda: series(network, table))
    losses = stage("losses by area", lambda: losses_by_area(network, routes, listed, {}))
    stage("worst by area", lambda: worst_by_area(losses, routes, {}))
    stage("curve by threshold", lambda: behind_single_objects(network, routes, table, {}))
    stage("redundancy", lambda: redundancy(network, routes, groups))
    stage("near legs", lambda: near_legs(network, routes))
    stage("worst pairs and triples", lambda: worst_further_failures(network, routes, {}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "2000", sys.argv[2:] or OUTPUTS)
