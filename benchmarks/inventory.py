"""Time the way from deliveries to routes on synthetic networks of three sizes, ten times apart in all.

    python benchmarks/inventory.py [small|medium|large|lines|FOLDER...]

``small`` (the default) is 700 to 7,000 prises, ``medium`` 7,000 to 70,000, ``large`` 68,030 to 680,300;
folders that ``gracethd synth`` wrote are used as they are, smallest first. Each size is run in a process of
its own, so that its peak memory is its own; seconds are those of the processor, which other work on the
machine leaves alone. The last
part reads one layer of many lines with our reader and with fiona, row by row; ``lines`` does that alone, with
900,000 of them. Targets: issue B.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import fiona
import geopandas as gpd
import numpy as np
import shapely
import shapely.geometry
import shapely.geometry.base

from gracethd.deliveries.layers import read_layer
from gracethd.deliveries.write import write_delivery
from gracethd.network import build_network
from gracethd.reading import read
from gracethd.routes import trace_routes
from gracethd.synth import random_area, synthesise, write_synth

SIZES = {"small": (700, 2_100, 7_000), "medium": (7_000, 21_000, 70_000), "large": (68_030, 204_090, 680_300)}
FIONA_ROWS = 90_000
LINES = {"small": 9_000, "medium": 90_000, "large": 900_000}
GROWTH, MEMORY_GB, READER = 1.3, 8.0, 5.0
"""Targets of issue B: time per prise from 68k to 680k, memory at 680k, our reader over fiona row by row."""

Given = TypeVar("Given")


def timed(call: Callable[[], Given]) -> tuple[Given, float]:
    """Give the answer of a call and its seconds of processor."""
    begin = time.process_time()
    given = call()
    return given, time.process_time() - begin


def peak_gb() -> float:
    """Give the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def stages(folder: Path) -> dict[str, float]:
    """Read, build and trace the deliveries of a folder: seconds and memory after each stage."""
    warm_up()
    inventory, reading = timed(lambda: read([folder / "livraisons"]))
    read_gb = peak_gb()
    network, building = timed(lambda: build_network(inventory))
    built_gb = peak_gb()
    routes, tracing = timed(lambda: trace_routes(inventory, network))
    prises = int(routes.counts["prises_inventoried"])  # type: ignore[call-overload]
    untraced = int(routes.counts["prises_untraced"])  # type: ignore[call-overload]
    return {
        "prises": prises, "untraced": untraced, "deliveries": len(inventory.deliveries), "read_s": reading,
        "build_s": building, "trace_s": tracing, "read_gb": read_gb, "build_gb": built_gb,
        "trace_gb": peak_gb(),
    }  # fmt: skip


def warm_up() -> None:
    """Compile, or load what is compiled: a cost of the first run ever, not of a size."""
    with tempfile.TemporaryDirectory() as folder:
        made = make(100, Path(folder) / "zone")
        inventory = read([made / "livraisons"])
        trace_routes(inventory, build_network(inventory))


def make(prises: int, folder: Path) -> Path:
    """Write the synthetic deliveries of a size."""
    write_synth(synthesise(random_area(prises, seed=1), seed=1), folder)
    return folder


def in_own_process(folder: Path) -> dict[str, float]:
    """Run `stages` in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(stages, (folder,))


def say(row: dict[str, float]) -> float:
    """Print one size and give its seconds per prise."""
    total = row["read_s"] + row["build_s"] + row["trace_s"]
    each = 1000 * total / row["prises"]
    print(
        f"{row['prises']:>9,.0f} prises {row['deliveries']:>6,.0f} deliveries "
        f"{row['read_s']:8.1f} {row['build_s']:8.1f} {row['trace_s']:8.1f} s {each:8.3f} ms a prise "
        f"{row['read_gb']:7.2f} {row['build_gb']:6.2f} {row['trace_gb']:6.2f} GB",
        flush=True,
    )
    return each


def many_lines(n: int, folder: Path) -> Path:
    """Write one layer of `n` ways, as deliveries merged into one file would hold."""
    rng = np.random.default_rng(1)
    start = rng.uniform([600_000, 7_000_000], [700_000, 7_100_000], (n, 2))
    end = start + rng.uniform(-60, 60, (n, 2))
    code = [f"CM{k:010d}" for k in range(n)]
    ways = gpd.GeoDataFrame(
        {
            "cm_code": code,
            "cm_voie": "RUE DES ORMES",
            "cm_typ_imp": "7",
            "cm_long": np.hypot(*(end - start).T),
        },
        geometry=shapely.linestrings(np.stack([start, end], axis=1)),
        crs=2154,
    )
    write_delivery({"t_cheminement": ways}, "2.0.1", folder)
    return folder / "t_cheminement.shp"


def row_by_row(path: Path, n: int) -> list[tuple[str, shapely.geometry.base.BaseGeometry]]:
    """Read the first `n` rows of a layer the obvious way: their code and their line."""
    with fiona.open(path) as layer:
        rows = [(dict(row.properties), shapely.geometry.shape(row.geometry)) for row in layer[:n]]
    return [(values["cm_code"], shape) for values, shape in rows]


def compare_readers(n: int) -> float:
    """Give how many times faster our reader is than fiona row by row, a row.

    Fiona takes as long for each row of a layer, however many there are: beyond `FIONA_ROWS` it reads only so
    many, and its seconds are those of a row times all rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = many_lines(n, Path(folder) / "couche")
        parts = {suffix: path.with_suffix(suffix) for suffix in (".shp", ".shx", ".dbf", ".cpg", ".prj")}
        (layer, _), ours = timed(lambda: read_layer(parts, "t_cheminement"))
        read_rows = min(n, FIONA_ROWS)
        rows, seconds = timed(lambda: row_by_row(path, read_rows))
    codes, shapes = zip(*rows, strict=True)
    first = layer[:read_rows]
    if (
        len(layer) != n
        or tuple(first["cm_code"]) != codes
        or not shapely.equals(first.geometry, shapes).all()
    ):
        raise SystemExit("the two readers disagree")
    theirs = seconds * n / read_rows
    told = "" if read_rows == n else f" (from its first {read_rows:,})"
    print(f"{n:,} lines: ours {ours:.2f} s, fiona row by row {theirs:.2f} s{told}, {theirs / ours:.1f} times")
    return theirs / ours


def verdict(label: str, value: float, target: float, *, met: bool) -> None:
    """Print a target and whether it is met."""
    print(f"{label:<52}{value:8.2f}   target {target:g}: {'met' if met else 'NOT met'}")


def main(arguments: list[str]) -> None:
    """Print times, memory and ratios."""
    if arguments == ["lines"]:
        faster = compare_readers(LINES["large"])
        verdict("our reader over fiona row by row, times", faster, READER, met=faster >= READER)
        return
    size = arguments[0] if arguments and arguments[0] in SIZES else "small"
    folders = [Path(name) for name in arguments if name not in SIZES]
    print("seconds and gigabytes after read, build and trace")
    with tempfile.TemporaryDirectory() as scratch:
        wanted = folders or [make(prises, Path(scratch) / f"{prises}") for prises in SIZES[size]]
        rows = [in_own_process(folder) for folder in wanted]
        each = [say(row) for row in rows]
    times = rows[-1]["prises"] / rows[0]["prises"]
    verdict(
        f"time per prise, {times:.1f} times the prises",
        each[-1] / each[0],
        GROWTH,
        met=each[-1] < GROWTH * each[0],
    )
    verdict(
        "peak memory of the largest, GB",
        rows[-1]["trace_gb"],
        MEMORY_GB,
        met=rows[-1]["trace_gb"] < MEMORY_GB,
    )
    faster = compare_readers(LINES[size])
    verdict("our reader over fiona row by row, times", faster, READER, met=faster >= READER)


if __name__ == "__main__":
    main(sys.argv[1:])
