"""All events of one hazard, each by what its map is: rasters that share a grid at once, then polygons."""

import numpy as np
import shapely

from resilience.exposure.coverage import clip_lines, read_coverage
from resilience.exposure.layers import Layers
from resilience.exposure.polygons import measure_polygons
from resilience.exposure.rasters import measure_rasters
from resilience.exposure.types import Area, Measured, Places
from resilience.hazards import WATER_KINDS, Hazard, HazardError
from resilience.parameters import Level


def measure(
    places: Places, hazard: Hazard, layers: Layers, *, level: Level, wet_from_m: float
) -> list[Measured]:
    """Measure every event of a hazard, in order; `layers` are those of its polygons, near the places.

    See `resilience.exposure.expose` for the rules and the errors; `wet_from_m` is for depths of water, any
    other intensity touches where it is above 0.
    """
    area = _area(places, hazard)
    lines, is_mapped = places.lines, np.ones(len(places.points), bool)
    if not isinstance(area, str):
        lines, is_mapped = clip_lines(lines, area), shapely.intersects(area, places.points)
    touched_from = wet_from_m if hazard.kind in WATER_KINDS else 0.0
    rasters = [event for event in hazard.events if event.is_raster]
    measured = measure_rasters(places, lines, hazard, rasters, area, level=level, touched_from=touched_from)
    measured += [
        measure_polygons(
            places, lines, hazard, event, area, layers[event.path, event.layer],
            level=level, touched_from=touched_from,
        )
        for event in hazard.events
        if not event.is_raster
    ]  # fmt: skip
    rank = {event.scenario: number for number, event in enumerate(hazard.events)}
    measured.sort(key=lambda one: rank[one.event.scenario])
    return [
        Measured(one.event, np.where(is_mapped, one.point, np.nan), one.line, one.wet_m, one.mapped_m)
        for one in measured
    ]


def _area(places: Places, hazard: Hazard) -> Area:
    if isinstance(hazard.coverage, str):
        return hazard.coverage
    area = read_coverage(hazard.coverage, places.crs, hazard=hazard.name)
    bounds = places.bounds
    if np.isfinite(bounds).all() and not shapely.intersects(area, shapely.box(*bounds)):
        raise HazardError(
            f"{hazard.coverage}: the coverage of hazard {hazard.name!r} does not touch the network; check its"
            " CRS and that it belongs to this territory"
        )
    return area
