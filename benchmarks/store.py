"""Time reopening a store against importing the deliveries that it was made of.

    python benchmarks/store.py [PRISES]

The deliveries are a synthetic network of that many prises. Ratios are what lasts; seconds are those of this
machine. Target: reopening at least 10 times faster than importing.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from gracethd.reading import read
from gracethd.store import write_store
from gracethd.synth import random_area, synthesise, write_synth


def timed(work: Callable[[], object], *, runs: int) -> float:
    """Give the shortest of some runs, in seconds."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    """Print seconds, sizes and ratios for both forms."""
    n_prises = int(sys.argv[1]) if len(sys.argv) > 1 else 7000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_synth(synthesise(random_area(n_prises, seed=1), seed=1, faults=0.0), folder / "synth")
        deliveries = sorted((folder / "synth" / "livraisons").glob("*.zip"))
        inventory = read(deliveries)
        imported = timed(lambda: read(deliveries), runs=2)
        rows = sum(len(table) for table in inventory.values())
        print(f"{n_prises} prises, {len(deliveries)} deliveries, {rows} rows: imported in {imported:.2f} s")
        for name in ("store.parquet", "store.gpkg"):
            path = folder / name
            written = timed(lambda path=path: write_store(inventory, path, day=date(2026, 1, 1)), runs=1)
            opened = timed(lambda path=path: read(path), runs=3)
            files = path.iterdir() if path.is_dir() else [path]
            size = sum(file.stat().st_size for file in files) / 2**20
            ratio = imported / opened
            verdict = "met" if ratio >= 10 else "NOT met"
            print(
                f"{name:14s} {size:7.1f} MB, written in {written:.2f} s, reopened in {opened:.2f} s: "
                f"{ratio:.1f} times faster (target 10: {verdict})"
            )


if __name__ == "__main__":
    main()
