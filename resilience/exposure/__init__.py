"""Exposure: how deep the water is, or how strong another hazard, at each place and along each line.

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
from resilience.exposure.layers import Layers, layer_findings, read_layers
from resilience.exposure.measuring import measure
from resilience.exposure.types import Measured, Places
from resilience.exposure.unmapped import unmapped_by_commune
from resilience.hazards import Hazard, HazardError
from resilience.parameters import LEVELS, Level

__all__ = [
    "COLUMNS",
    "coverage_findings",
    "expose",
    "expose_levels",
    "layer_findings",
    "layers_near",
    "unmapped_by_commune",
]

COLUMNS = (
    "asset", "kind", "code", "hazard", "scenario", "return_period",
    "intensity_max", "intensity_unit", "wet_m", "length_m", "mapped_share",
)  # fmt: skip
Float = NDArray[np.float64]

ROUNDING = 1e-9  # share of a line below which a sum of its pieces is the whole


def expose(
    network: Network,
    hazards: Sequence[Hazard],
    *,
    wet_from_m: float = 0.0,
    level: Level = "central",
    layers: Layers | None = None,
) -> pd.DataFrame:
    """Tell how strong each hazard is at each point asset and along each line, event by event.

    On a raster, a point takes the value of the cell that holds it, and a line is cut exactly at cell borders
    (`resilience.exposure.pieces.cut_at_cells`); a level of water is made a depth by its ground, lines being
    cut on both grids. Among polygons, which may overlap, a point takes the largest intensity around it, and
    a line is cut exactly at their borders, each metre counted once
    (`resilience.exposure.polygons.line_intensity`). The intensity of a line is the largest that it meets;
    its wet metres are those deeper than `wet_from_m`, or above 0 for what is not a depth. What lies outside
    the coverage of the hazard is not mapped, whatever the map says there; inside it, a cell without data is
    dry, and so are a place between polygons and one beyond a raster that was cropped to the water. The
    border of a coverage polygon belongs to it.

    Parameters
    ----------
    network : Network
        In a projected CRS in metres. Not changed.
    hazards : sequence of Hazard
        Names must differ.
    wet_from_m : float
        A metre of line is wet where the depth is greater (DESIGN D19).
    level : {"low", "central", "high"}
        Of classes of depth that stand for an interval; numbers are what they are.
    layers : mapping, optional
        From `layers_near`, where they are of use elsewhere too; read here otherwise.

    Returns
    -------
    DataFrame
        One row per event and per point asset with a geometry or row of ``network.lines`` (an asset with
        several lines has several rows), sorted by (hazard, return_period, asset), lines of one asset in
        their order. Columns: asset (int32, row of ``network.assets``), kind, code, hazard, scenario ("Q20",
        or the name of the event), return_period (years, NaN without one), intensity_max (float64, NaN = not
        mapped, 0 = mapped and dry), intensity_unit (`resilience.hazards.UNITS`), wet_m (wet metres of the
        mapped part, 0 for points, NaN = not mapped), length_m (of the geometry, 0 for points), mapped_share
        (0 to 1, of the length; 0 or 1 for points).

    Raises
    ------
    CRSError
        A network that is not in metres, a raster or coverage without CRS.
    SourceError
        A missing or unreadable file, or one that is not an ordinary local file.
    HazardError
        A raster away from the network, without any data, with several bands or with values that are no
        intensities; polygons without the attribute, the scenario or the class that is asked for; a coverage
        that is empty, not made of polygons, or away from the network.

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
    places, asset = _places(network)
    if layers is None:
        layers = read_layers(hazards, places.crs, bounds=places.bounds)
    measured = [
        (hazard, one)
        for hazard in sorted(hazards, key=lambda one: one.name)
        for one in measure(places, hazard, layers, level=level, wet_from_m=wet_from_m)
    ]
    return _rows(network, measured, asset, np.nan_to_num(shapely.length(places.lines)))


def expose_levels(
    network: Network, hazards: Sequence[Hazard], *, wet_from_m: float = 0.0, layers: Layers | None = None
) -> dict[Level, pd.DataFrame]:
    """Give `expose` at low, central and high: one frame where every hazard is known exactly.

    Layers of polygons are read once for the three.

    Examples
    --------
    >>> expose_levels(network, study.hazards)["high"]  # doctest: +SKIP
    """
    layers = layers_near(network, hazards) if layers is None else layers
    if all(hazard.is_exact for hazard in hazards):
        return dict.fromkeys(LEVELS, expose(network, hazards, wet_from_m=wet_from_m, layers=layers))
    return {
        level: expose(network, hazards, wet_from_m=wet_from_m, level=level, layers=layers) for level in LEVELS
    }


def layers_near(network: Network, hazards: Sequence[Hazard]) -> Layers:
    """Read the layers of polygons near the network: see `resilience.exposure.layers.read_layers`.

    Examples
    --------
    >>> layers = layers_near(network, study.hazards)  # doctest: +SKIP
    >>> layer_findings(study.hazards, layers)  # doctest: +SKIP
    """
    places, _ = _places(network)
    return read_layers(hazards, places.crs, bounds=places.bounds)


def _places(network: Network) -> tuple[Places, NDArray[np.integer]]:
    """Give the points and lines of a network, and the asset of each, points first."""
    crs = _metric_crs(network)
    geometry = network.assets.geometry.to_numpy()
    at_point = np.flatnonzero(shapely.get_type_id(geometry) == shapely.GeometryType.POINT)
    at_point = at_point[~shapely.is_empty(geometry[at_point])]
    asset = np.concatenate([at_point, network.lines["asset"].to_numpy()])
    return Places(geometry[at_point], network.lines.geometry.to_numpy(), crs), asset


def _rows(
    network: Network,
    measured: Sequence[tuple[Hazard, Measured]],
    asset: NDArray[np.integer],
    length_m: Float,
) -> pd.DataFrame:
    """Dress what was measured as rows, in the order of assets; `asset` is that of points, then of lines."""
    order = np.argsort(asset, kind="stable")
    of_row = np.tile(asset[order], len(measured)).astype(np.int32)
    number = np.repeat(np.arange(len(measured)), len(order))
    parts = [_measures(one, length_m) for _, one in measured]
    columns: dict[str, object] = {
        "asset": of_row,
        "kind": _taken(network.assets["kind"], of_row),
        "code": _taken(network.assets["code"], of_row),
        "hazard": _taken(pd.Series([hazard.name for hazard, _ in measured], dtype=str), number),
        "scenario": _taken(pd.Series([one.event.scenario for _, one in measured], dtype=str), number),
        "return_period": np.array([one.event.return_period for _, one in measured], np.float64)[number],
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


def _measures(one: Measured, length_m: Float) -> dict[str, Float]:
    """Give the columns of one event: points, then lines of `length_m`."""
    none, is_mapped_point = np.zeros(len(one.point)), ~np.isnan(one.point)
    is_mapped = ~np.isnan(one.line)
    # a line of no length is mapped or not as a whole; sums of pieces differ from the whole by rounding
    share = np.where(length_m > 0, one.mapped_m / np.where(length_m > 0, length_m, 1.0), is_mapped)
    share = np.where(share > 1 - ROUNDING, 1.0, share)
    wet = np.where(is_mapped, np.minimum(one.wet_m, length_m), np.nan)
    columns = {
        "intensity_max": (one.point, one.line),
        "wet_m": (np.where(is_mapped_point, 0.0, np.nan), wet),
        "length_m": (none, length_m),
        "mapped_share": (is_mapped_point.astype(np.float64), share),
    }
    return {name: np.concatenate(both) for name, both in columns.items()}
