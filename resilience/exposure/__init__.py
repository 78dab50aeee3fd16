"""Exposure: how deep the water is at each place, and over how many metres of each line.

For analysts and for `resilience.fragility`. Nothing is said here of what fails.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gracethd.errors import CRSError
from gracethd.network.types import Network
from resilience.exposure.coverage import coverage_findings
from resilience.exposure.depths import Depths, Places, measure_depths
from resilience.hazards import Hazard, HazardError

__all__ = ["COLUMNS", "coverage_findings", "expose"]

COLUMNS = (
    "asset", "kind", "code", "hazard", "scenario", "return_period",
    "intensity_max", "intensity_unit", "wet_m", "length_m", "mapped_share",
)  # fmt: skip
Float = NDArray[np.float64]

ROUNDING = 1e-9  # share of a line below which a sum of its pieces is the whole


def expose(network: Network, hazards: Sequence[Hazard], *, wet_from_m: float = 0.0) -> pd.DataFrame:
    """Tell how deep under water each point asset and each line is, event by event.

    A point takes the depth of the cell that holds it. A line is cut exactly at cell borders
    (`resilience.exposure.pieces.cut_at_cells`): its intensity is that of the deepest cell it enters, its wet
    metres those deeper than `wet_from_m`. What lies outside the coverage of the hazard is not mapped,
    whatever the raster says there; inside it, a cell without data is dry, and so is a place beyond a
    raster that was cropped to the water. The border of a coverage polygon belongs to it.

    Parameters
    ----------
    network : Network
        In a projected CRS in metres. Not changed.
    hazards : sequence of Hazard
        Names must differ.
    wet_from_m : float
        A metre of line is wet where the depth is greater (DESIGN D19).

    Returns
    -------
    DataFrame
        One row per event and per point asset with a geometry or row of ``network.lines`` (an asset with
        several lines has several rows), sorted by (hazard, return_period, asset), lines of one asset in
        their order. Columns: asset (int32, row of ``network.assets``), kind, code, hazard, scenario ("Q20"),
        return_period (years), intensity_max (float64, NaN = not mapped, 0 = mapped and dry),
        intensity_unit, wet_m (wet metres of the mapped part, 0 for points, NaN = not mapped), length_m
        (of the geometry, 0 for points), mapped_share (0 to 1, of the length; 0 or 1 for points).

    Raises
    ------
    CRSError
        A network that is not in metres, a raster or coverage without CRS.
    SourceError
        A missing or unreadable file, or one that is not an ordinary local file.
    HazardError
        A raster away from the network, without any data, with several bands or with values that are no
        depths; a coverage that is empty, not made of polygons, or away from the network.

    Notes
    -----
    Rasters are read by tiles, only where the network is; lines go by chunks, cut once for all events that
    share a grid. Memory is linear in the network and does not depend on the rasters.

    Examples
    --------
    >>> exposure = expose(network, study.hazards)  # doctest: +SKIP
    >>> exposure.query("kind == 'local' and intensity_max > 0")  # doctest: +SKIP
    """
    names = [hazard.name for hazard in hazards]
    if len(set(names)) < len(names):
        raise HazardError(f"hazards named twice among {', '.join(sorted(names))}; give each its own name")
    crs = _metric_crs(network)
    geometry = network.assets.geometry.to_numpy()
    at_point = np.flatnonzero(shapely.get_type_id(geometry) == shapely.GeometryType.POINT)
    at_point = at_point[~shapely.is_empty(geometry[at_point])]
    places = Places(geometry[at_point], network.lines.geometry.to_numpy(), crs)
    asset = np.concatenate([at_point, network.lines["asset"].to_numpy()])
    measured = [
        (hazard, depths)
        for hazard in sorted(hazards, key=lambda one: one.name)
        for depths in measure_depths(places, hazard, wet_from_m=wet_from_m)
    ]
    return _rows(network, measured, asset, np.nan_to_num(shapely.length(places.lines)))


def _rows(
    network: Network,
    measured: Sequence[tuple[Hazard, Depths]],
    asset: NDArray[np.integer],
    length_m: Float,
) -> pd.DataFrame:
    """Dress what was measured as rows, in the order of assets; `asset` is that of points, then of lines."""
    order = np.argsort(asset, kind="stable")
    of_row = np.tile(asset[order], len(measured)).astype(np.int32)
    number = np.repeat(np.arange(len(measured)), len(order))
    parts = [_measures(depths, length_m) for _, depths in measured]
    columns: dict[str, object] = {
        "asset": of_row,
        "kind": _taken(network.assets["kind"], of_row),
        "code": _taken(network.assets["code"], of_row),
        "hazard": _taken(pd.Series([hazard.name for hazard, _ in measured], dtype=str), number),
        "scenario": _taken(pd.Series([depths.event.scenario for _, depths in measured], dtype=str), number),
        "return_period": np.array([depths.event.return_period for _, depths in measured], np.float64)[number],
        "intensity_unit": _taken(pd.Series([hazard.unit for hazard, _ in measured], dtype=str), number),
    }
    for name in ("intensity_max", "wet_m", "length_m", "mapped_share"):
        columns[name] = np.concatenate([np.empty(0), *(part[name][order] for part in parts)])
    return pd.DataFrame(columns)[list(COLUMNS)]


def _metric_crs(network: Network) -> pyproj.CRS:
    crs = network.assets.crs
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise CRSError(
            f"the network is in {crs.name if crs else 'no CRS'}, metres under water need a projected CRS in"
            " metres; reproject the deliveries, for instance to EPSG:2154"
        )
    return crs


def _taken(text: "pd.Series[str]", number: NDArray[np.integer]) -> "pd.Series[str]":
    return text.take(number).reset_index(drop=True)


def _measures(depths: Depths, length_m: Float) -> dict[str, Float]:
    """Give the columns of one event: points, then lines of `length_m`."""
    none, is_mapped_point = np.zeros(len(depths.point_m)), ~np.isnan(depths.point_m)
    is_mapped = ~np.isnan(depths.line_m)
    # a line of no length is mapped or not as a whole; sums of pieces differ from the whole by rounding
    share = np.where(length_m > 0, depths.mapped_m / np.where(length_m > 0, length_m, 1.0), is_mapped)
    share = np.where(share > 1 - ROUNDING, 1.0, share)
    wet = np.where(is_mapped, np.minimum(depths.wet_m, length_m), np.nan)
    columns = {
        "intensity_max": (depths.point_m, depths.line_m),
        "wet_m": (np.where(is_mapped_point, 0.0, np.nan), wet),
        "length_m": (none, length_m),
        "mapped_share": (is_mapped_point.astype(np.float64), share),
    }
    return {name: np.concatenate(both) for name, both in columns.items()}
