"""Time exposure against the bare decode of a raster, peers and geopandas.overlay, on drawn data.

    python benchmarks/exposure.py [CELLS] [LINES]

CELLS is the side of a square raster of 5 m cells in deflated tiles of 512: 20,000 of them are 100 km, an
area that has 900,000 lines. Lines have four vertices over some 60 m; there are ten points for nine lines.
Ratios are of processor seconds in one run, and both sides must agree. Peers are timed on a part of the
lines, by the line.
"""

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.windows import Window

from resilience.exposure.layers import Polygons
from resilience.exposure.measuring import measure
from resilience.exposure.polygons import line_intensity
from resilience.exposure.types import Measured, Places
from resilience.hazards import Hazard, HazardEvent

WEST, NORTH = 640_000.0, 7_070_000.0
BLOCK = 512
CELL_M = 5.0
CRS = "EPSG:2154"


def write_depths(path: Path, side: int) -> None:
    """Write a valley of depths to the millimetre, band by band: dry ground, and water that deepens."""
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "float32", "crs": CRS,
        "transform": rasterio.Affine(CELL_M, 0, WEST, 0, -CELL_M, NORTH), "tiled": True, "blockxsize": BLOCK,
        "blockysize": BLOCK, "compress": "deflate", "predictor": 3,
    }  # fmt: skip
    rng, col = np.random.default_rng(1), np.arange(side)
    with rasterio.open(path, "w", **profile) as sink:
        for top in range(0, side, BLOCK):
            row = np.arange(top, min(top + BLOCK, side))[:, None]
            depth = np.sin(row / 700) + np.cos(col / 900) + rng.normal(0, 0.02, (len(row), side))
            sink.write(
                np.round(np.clip(depth, 0, None), 3).astype("float32"),
                1,
                window=Window(0, top, side, len(row)),
            )


def draw_lines(n: int, side: int) -> np.ndarray:
    """Draw lines of four vertices inside the raster."""
    rng, metres = np.random.default_rng(2), side * CELL_M
    xy = rng.uniform(100, metres - 100, (n, 1, 2)) + np.cumsum(rng.normal(0, 15, (n, 4, 2)), axis=1)
    return shapely.linestrings(xy * [1, -1] + [[WEST, NORTH]])


def draw_polygons(n: int, side: int) -> np.ndarray:
    """Draw stars of 8 to 60 vertices, which overlap, over the same ground."""
    rng, stars = np.random.default_rng(3), []
    metres = side * CELL_M
    radius = metres / np.sqrt(n)
    for middle in rng.uniform(0, metres, (n, 2)) * [1, -1] + [[WEST, NORTH]]:
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(8, 60))))
        reach = radius * rng.uniform(0.4, 1, len(angle))
        stars.append(
            shapely.Polygon(middle + np.column_stack([reach * np.cos(angle), reach * np.sin(angle)]))
        )
    parts = shapely.get_parts(shapely.make_valid(np.array(stars)))
    return parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]


def decode(path: Path) -> None:
    """Read every block once, and keep nothing."""
    with rasterio.open(path) as source:
        for _, window in source.block_windows(1):
            source.read(1, window=window)


def timed(label: str, call: Callable[[], object], *, times: int = 1) -> tuple[float, object]:
    """Print the processor seconds of a call, the best of some; give them and what it gave."""
    spent, found = float("inf"), None
    for _ in range(times):
        begin = time.process_time()
        found = call()
        spent = min(spent, time.process_time() - begin)
    print(f"{label:<62}{spent:10.3f} s")
    return spent, found


def check(label: str, ours: np.ndarray, theirs: np.ndarray, *, within: float) -> None:
    """End the run where the two sides differ."""
    gap = float(np.max(np.abs(ours - theirs), initial=0.0))
    if not gap <= within:
        raise SystemExit(f"{label}: the two sides differ by {gap:g}")


def ratio(label: str, value: float, target: float, *, at_most: bool) -> None:
    """Print a ratio beside its target."""
    is_met = value <= target if at_most else value >= target
    sign = "<=" if at_most else ">="
    print(f"  {label}: {value:.2f} (target {sign} {target:g}: {'met' if is_met else 'NOT met'})")


def rasters(folder: Path, side: int, n: int) -> None:
    """Time lines and points on a raster."""
    path = folder / "depths.tif"
    write_depths(path, side)
    lines, none = draw_lines(n, side), np.empty(0, object)
    points = shapely.points(shapely.get_coordinates(lines)[::3][: n * 10 // 9])
    crs = gpd.GeoSeries(lines[:1], crs=CRS).crs
    flood = Hazard("crue", "flood_depth", "m", "extent", (HazardEvent(100.0, path),))

    def exposed(points: np.ndarray, lines: np.ndarray) -> Measured:
        return measure(Places(points, lines, crs), flood, {}, level="central", wet_from_m=0.0)[0]

    exposed(points[:10], lines[:10])
    bare, _ = timed(f"bare decode, {side:,} x {side:,} cells", lambda: decode(path), times=3)
    spent, found = timed(f"{n:,} lines", lambda: exposed(none, lines), times=3)
    assert isinstance(found, Measured)
    ratio("lines over decode", spent / bare, 1.5, at_most=True)
    at_points, dots = timed(f"{len(points):,} points", lambda: exposed(points, none), times=3)
    assert isinstance(dots, Measured)
    ratio("points over decode", at_points / bare, 1.5, at_most=True)
    with rasterio.open(path) as source:
        some = points[:2000]
        sampled = np.array([value[0] for value in source.sample(shapely.get_coordinates(some))], float)
    check("points", dots.point[:2000], sampled, within=1e-9)
    peers(path, side, lines, found.wet_m, spent / n)


def peers(path: Path, side: int, lines: np.ndarray, wet_m: np.ndarray, ours_s: float) -> None:
    """Time the peers on some of the lines; their wet metres must be ours."""
    try:
        import exactextract
        from exactextract.raster import RasterioRasterSource
    except ImportError:
        print("exactextract is not installed: not timed")
    else:
        n = min(len(lines), 2000)
        frame = gpd.GeoDataFrame({"id": np.arange(n)}, geometry=lines[:n], crs=CRS)
        with rasterio.open(path) as source:
            raster = RasterioRasterSource(source)
            asked = ["values", "coverage"]
            spent, found = timed(
                f"exactextract, {n:,} lines",
                lambda: exactextract.exact_extract(
                    raster, frame, asked, include_cols=["id"], output="pandas"
                ),
            )
        assert isinstance(found, pd.DataFrame)
        pairs = zip(found["values"], found["coverage"], strict=True)
        wet = np.array([float(np.sum(metres[depth > 0])) for depth, metres in pairs])
        check("exactextract", wet_m[:n], wet, within=1e-3)
        ratio("exactextract over ours, a line", spent / n / ours_s, 10, at_most=False)
    try:
        from snail import intersection
    except ImportError:
        print("nismod-snail is not installed: not timed")
        return
    n = min(len(lines), 200)
    frame = gpd.GeoDataFrame({"id": np.arange(n)}, geometry=lines[:n], crs=CRS)
    grid = intersection.GridDefinition(CRS, side, side, (CELL_M, 0.0, WEST, 0.0, -CELL_M, NORTH))
    with rasterio.open(path) as source:
        cells = source.read(1)

    def split() -> pd.Series:
        parts = intersection.apply_indices(intersection.split_linestrings(frame, grid), grid)
        depth = intersection.get_raster_values_for_splits(parts, cells)
        return parts.length.where(depth > 0, 0.0).groupby(parts["id"]).sum()

    spent, found = timed(f"snail, {n:,} lines (its raster already read)", split)
    assert isinstance(found, pd.Series)
    check("snail", wet_m[:n], found.reindex(np.arange(n)).to_numpy(), within=1e-3)
    ratio("snail over ours, a line", spent / n / ours_s, 100, at_most=False)


def polygons(side: int, n: int) -> None:
    """Time lines inside polygons, one for 18 lines as 50,000 are to 900,000."""
    lines, areas = draw_lines(n, side), draw_polygons(max(10, n // 18), side)
    depth = np.random.default_rng(4).uniform(0.1, 3, len(areas))
    line_intensity(lines[:10], Polygons(areas, depth))
    spent, found = timed(
        f"{n:,} lines in {len(areas):,} polygons", lambda: line_intensity(lines, Polygons(areas, depth))
    )
    left = gpd.GeoDataFrame({"line": np.arange(n)}, geometry=lines, crs=CRS)
    right = gpd.GeoDataFrame({"depth": depth}, geometry=areas, crs=CRS)
    judged_s, judged = timed(
        "geopandas.overlay (overlaps counted twice)", lambda: gpd.overlay(left, right, how="intersection")
    )
    assert isinstance(found, tuple)
    assert isinstance(judged, gpd.GeoDataFrame)
    most = judged.groupby("line")["depth"].max().reindex(np.arange(n))
    check("deepest", np.nan_to_num(found[0]), most.fillna(0.0).to_numpy(), within=0.0)
    alone = judged.groupby("line")["depth"].size().reindex(np.arange(n)).to_numpy() == 1
    metres = judged.length.groupby(judged["line"]).sum().reindex(np.arange(n)).to_numpy()
    check("metres in one polygon", found[1][alone], metres[alone], within=1e-6)
    ratio("geopandas.overlay over ours", judged_s / spent, 3, at_most=False)


def main(side: int, n: int) -> None:
    """Print times and ratios."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        rasters(Path(folder), side, n)
    polygons(side, n)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 4000,
        int(sys.argv[2]) if len(sys.argv) > 2 else 36_000,
    )
