"""Time the check of deliveries: rules on their tables, then rules on the network that they make.

    python benchmarks/check.py [PRISES...]

The deliveries are synthetic networks of that many prises. Reading the files is not counted; seconds are those
of the processor. Target: a network of 70,000 prises in less than a minute.
"""

import sys
import tempfile
import time
from pathlib import Path

from gracethd.check import check_all, check_tables
from gracethd.deliveries import open_deliveries
from gracethd.synth import random_area, synthesise, write_synth

TARGET_S_PER_PRISE = 60 / 70_000


def measure(n_prises: int, folder: Path) -> tuple[int, int, float, float]:
    """Give deliveries, findings, and processor seconds of the rules on tables and of all rules."""
    write_synth(synthesise(random_area(n_prises, seed=1), seed=1, faults=0.002), folder)
    deliveries = open_deliveries(sorted((folder / "livraisons").glob("*.zip")))
    start = time.process_time()
    check_tables(deliveries)
    middle = time.process_time()
    findings = check_all(deliveries)
    return len(deliveries), len(findings), middle - start, time.process_time() - middle


def main() -> None:
    """Print seconds by size, the smallest size first; a first small one compiles the kernels."""
    with tempfile.TemporaryDirectory() as temporary:
        measure(500, Path(temporary) / "warm")
        for n_prises in sorted(int(one) for one in sys.argv[1:]) or (3000, 7000):
            n, found, tables, every = measure(n_prises, Path(temporary) / str(n_prises))
            verdict = "met" if every / n_prises <= TARGET_S_PER_PRISE else "NOT met"
            print(
                f"{n_prises} prises, {n} deliveries, {found} findings: tables {tables:.1f} s, all rules "
                f"{every:.1f} s, {1000 * every / n_prises:.2f} ms a prise (target 0.86: {verdict})"
            )


if __name__ == "__main__":
    main()
