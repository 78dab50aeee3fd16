"""What is exposed, and what one event does to it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from resilience.hazards import HazardEvent

Float = NDArray[np.float64]
Area = shapely.Geometry | Literal["extent", "valid"]


@dataclass(frozen=True)
class Places:
    """Points and lines (LineString or MultiLineString, arrays of geometries) in a metric CRS."""

    points: NDArray[np.object_]
    lines: NDArray[np.object_]
    crs: pyproj.CRS

    @property
    def bounds(self) -> Float:
        """West, south, east and north of them all; NaN where there is nothing."""
        return np.asarray(shapely.total_bounds(np.concatenate([self.points, self.lines])), np.float64)


@dataclass(frozen=True)
class Measured:
    """What one event does to the places; NaN = not mapped, 0 = mapped and untouched.

    Attributes
    ----------
    event : HazardEvent
    point : (n_points,) float64
        Intensity at each point.
    line : (n_lines,) float64
        Largest intensity that the mapped part of the line meets.
    wet_m, mapped_m : (n_lines,) float64
        Metres of the line that are mapped and touched, and mapped.
    """

    event: HazardEvent
    point: Float
    line: Float
    wet_m: Float
    mapped_m: Float
