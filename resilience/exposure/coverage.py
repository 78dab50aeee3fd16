"""The area that a hazard study has mapped: outside it, nothing is known (DESIGN D17)."""

from collections.abc import Sequence
from pathlib import Path

import fiona
import numpy as np
import pandas as pd
import pyproj
import shapely
from fiona.errors import FionaError
from numpy.typing import NDArray

from gracethd.errors import CRSError, SourceError
from gracethd.findings import findings_frame, merge_findings
from resilience.exposure.grid import grid_of, open_raster, raster_role
from resilience.exposure.layers import AREAS, DRIVERS, reprojected
from resilience.hazards import Hazard, HazardError, local_file

BEYOND_SHARE = 0.001  # the cells of a border, not an area


def read_coverage(path: Path, crs: pyproj.CRS, *, hazard: str) -> shapely.Geometry:
    """Give the mapped area as one valid (multi)polygon in `crs`, prepared for many questions.

    Overlapping polygons are merged and invalid rings repaired. The layer is a GeoPackage, a GeoJSON file
    or a shapefile with one layer of polygons; no other GDAL driver is tried.

    Raises
    ------
    SourceError
        When the file is missing or unreadable.
    CRSError
        When the layer has no CRS.
    HazardError
        When it has several layers, no polygon, or geometries that are not polygons.
    """
    return read_area(path, crs, role=f"coverage of hazard {hazard!r}")


def read_area(path: Path, crs: pyproj.CRS, *, role: str) -> shapely.Geometry:
    """Give the polygons of a layer as one valid (multi)polygon; see `read_coverage`, which calls it.

    Parameters
    ----------
    path : Path
    crs : pyproj.CRS
        Of the result.
    role : str
        What the layer is for, as messages name it.
    """
    file = local_file(path, role=role)
    try:
        layers = fiona.listlayers(file)
        if len(layers) != 1:
            raise HazardError(f"{role}: {path} has {len(layers)} layers ({', '.join(layers)}); keep one")
        with fiona.open(file, enabled_drivers=DRIVERS) as source:
            layer_crs = pyproj.CRS.from_user_input(source.crs.to_wkt()) if source.crs else None
            shapes = [shapely.geometry.shape(row["geometry"]) for row in source if row["geometry"]]
    except FionaError as error:
        raise SourceError(
            f"{role}: {path} cannot be read ({error}); use GeoPackage, GeoJSON or shapefile"
        ) from error
    if layer_crs is None:
        raise CRSError(
            f"{role}: {path}, layer {layers[0]!r}, has no CRS; assign it (a shapefile needs its .prj)"
        )
    polygons = np.array(shapes, dtype=object)
    polygons = polygons[~shapely.is_empty(polygons)] if len(polygons) else polygons
    if len(polygons) == 0:
        raise HazardError(f"{role}: {path}, layer {layers[0]!r}, is empty; draw the area")
    if not np.isin(shapely.get_type_id(polygons), AREAS).all():
        raise HazardError(
            f"{role}: {path}, layer {layers[0]!r}, holds geometries that are not polygons; keep areas"
        )
    area = shapely.union_all(reprojected(shapely.make_valid(polygons), layer_crs, crs))
    shapely.prepare(area)
    return area


def clip_lines(geometry: NDArray[np.object_], area: shapely.Geometry) -> NDArray[np.object_]:
    """Give the part of each line inside the mapped area (border included), None where there is none."""
    clipped, is_met = geometry.copy(), shapely.intersects(area, geometry)
    clipped[~is_met] = None
    on_border = is_met & ~shapely.covers(area, geometry)
    clipped[on_border] = shapely.intersection(geometry[on_border], area)
    return clipped


def coverage_findings(hazards: Sequence[Hazard]) -> pd.DataFrame:
    """Tell the coverage polygons that go beyond their rasters: what lies there is taken as mapped and dry.

    That is right for a raster cropped to the water, and wrong for a coverage drawn too large.

    Returns
    -------
    DataFrame
        Findings ``alea_emprise_hors_raster``, one per event with more than `BEYOND_SHARE` of the coverage's
        area outside its raster; ``table`` is "hazards", ``code`` the hazard.
    """
    parts = []
    for hazard in hazards:
        for event in hazard.events if isinstance(hazard.coverage, Path) else ():
            if not event.is_raster:
                continue  # between polygons, what is mapped and dry is right
            with open_raster(event.path, hazard=hazard.name) as source:
                grid = grid_of(source, raster_role(event.path, hazard.name))
            area = read_coverage(Path(hazard.coverage), grid.crs, hazard=hazard.name)
            share = shapely.area(shapely.difference(area, grid.footprint())) / shapely.area(area)
            if share > BEYOND_SHARE:
                message = (
                    f"{share:.1%} de l'emprise est hors du raster de {event.scenario} et prise comme sèche :"
                    " juste si le raster est rogné à l'eau, faux si l'emprise est trop grande"
                )
                parts.append(
                    findings_frame(
                        "alea_emprise_hors_raster", "mineur", "hazards", code=[hazard.name], message=message
                    )
                )
    return merge_findings(parts)
