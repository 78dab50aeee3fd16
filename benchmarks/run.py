"""Time a whole study: ``python benchmarks/run.py FOLDER``, deliveries that ``gracethd synth`` wrote.

The deliveries are imported into a store, three floods are invented around six rivers, and ``resilience run``
goes from the store to the plan, each in a process of its own. Aims, at 680,300 prises: 8 GB for the run, ten
minutes.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyogrio
import rasterio
from rasterio.transform import from_origin

AIM_GB, AIM_S = 8.0, 600.0
CELL_M, RIVERS = 25.0, 6
FLOODS = {20: 0.6, 100: 1.3, 1000: 2.6}
"""Depth in the middle of a river, in metres, by return period; it falls by 1 m each 200 m away."""
STUDY = """inventory = ["inventaire.parquet"]
[tables]
feeds = "{deliveries}/feeds.csv"
routes = "{deliveries}/routes.gpkg"
[[hazards]]
name = "crue"
kind = "flood_depth"
unit = "m"
coverage = "valid"
events = [{events}]
[budget]
total_eur = 3800000
"""


def invent_floods(folder: Path, bounds: tuple[float, float, float, float]) -> None:
    """Write a depth for each return period, over the whole area."""
    west, south, east, north = bounds
    x = west + (np.arange(int((east - west) / CELL_M) + 1) + 0.5) * CELL_M
    y = north - (np.arange(int((north - south) / CELL_M) + 1)[:, None] + 0.5) * CELL_M
    apart = (north - south) / RIVERS
    away = np.full((len(y), len(x)), np.inf, np.float32)
    for river in range(RIVERS):
        middle = south + (river + 0.5) * apart + 0.35 * apart * np.sin((x - west) / 9_000 + river)
        away = np.minimum(away, np.abs(y - middle).astype(np.float32))
    shape = {"height": len(y), "width": len(x), "count": 1, "dtype": "float32", "crs": "EPSG:2154"}
    for years, depth in FLOODS.items():
        place = from_origin(west, north, CELL_M, CELL_M)
        with rasterio.open(
            folder / f"q{years}.tif", "w", driver="GTiff", transform=place, compress="deflate", **shape
        ) as out:
            out.write(np.maximum(0, depth - away / 200).astype(np.float32), 1)


def timed(*words: str | Path) -> tuple[float, float]:
    """Run a command beside this Python; give its seconds and the most memory, in GB, of any child so far."""
    command = [str(Path(sys.executable).with_name(str(words[0]))), *map(str, words[1:])]
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9


def main(deliveries: Path) -> None:
    """Print times, memory, and whether the aims are met."""
    deliveries = deliveries.absolute()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        invent_floods(folder, pyogrio.read_info(deliveries / "routes.gpkg")["total_bounds"])
        events = ", ".join(f'{{return_period = {years}, path = "q{years}.tif"}}' for years in FLOODS)
        study = folder / "etude.toml"
        study.write_text(STUDY.format(deliveries=deliveries, events=events), encoding="utf-8")
        store = folder / "inventaire.parquet"
        seconds, before = timed("gracethd", "import", deliveries / "livraisons", "-o", store)
        print(f"import {seconds:.0f} s, {before:.2f} GB", flush=True)
        seconds, peak = timed("resilience", "run", study, "-o", folder / "resultats")
    # the most of all children: the run's own where it is above the import's
    told = f"{peak:.2f} GB" if peak > before else f"at most {before:.2f} GB"
    print(f"run {seconds:.0f} s (aim {AIM_S:.0f}), {told} (aim {AIM_GB:g})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
