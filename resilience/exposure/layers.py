"""Layers of polygons of hazards, as they are delivered: read near the network, mended, in its CRS."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely
from fiona.errors import FionaError
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from gracethd.errors import CRSError, SourceError
from gracethd.findings import Severity, findings_frame, merge_findings
from resilience.exposure.layouts import fields_of, in_force, intensities
from resilience.hazards import FROM_LINES, Hazard, HazardError, HazardEvent, local_file
from resilience.parameters import Level

DRIVERS = ["GPKG", "GeoJSON", "ESRI Shapefile"]
AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
LINES = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
STRAIGHT_M = 1000.0  # sides longer than this bend when they are reprojected (under 0.1 m at this length)
METRES_PER_DEGREE = 111_320.0
CHUNK_ROWS = 100_000  # of a shapefile, held at once
GEOJSON_COLUMNS = ("geo_shape", "geojson", "geometry")

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Polygons:
    """Single valid polygons of one event, in the CRS of the network, with their intensity.

    Attributes
    ----------
    geometry : (n,) object
        May overlap.
    intensity : (n,) float64
    """

    geometry: NDArray[np.object_]
    intensity: Float


@dataclass(frozen=True)
class Layer:
    """Rows of a layer as they are delivered, near the network, with those that have no shape.

    Attributes
    ----------
    rows : DataFrame
    geometry : (n_rows,) object
        In two dimensions.
    crs : pyproj.CRS
        Of the layer.
    """

    rows: pd.DataFrame
    geometry: NDArray[np.object_]
    crs: pyproj.CRS


Layers = Mapping[tuple[Path, str], Layer]
"""What `read_layers` gives, by file and name of layer ("" where the file has one)."""


def read_layers(hazards: Sequence[Hazard], crs: pyproj.CRS, *, bounds: Float | None = None) -> Layers:
    """Read each layer of polygons that hazards name, once, whatever the number of events that share it.

    Parameters
    ----------
    hazards : sequence of Hazard
    crs : pyproj.CRS
        Of the network, projected, in metres.
    bounds : (4,) float64, optional
        Of the network in `crs`: only what meets them, and what lies in reach, is read; None reads all.

    Raises
    ------
    SourceError, CRSError, HazardError
        As `polygons_of`, for the layer itself.

    Examples
    --------
    >>> read_layers([], pyproj.CRS(2154))
    {}
    """
    first: dict[tuple[Path, str], tuple[Hazard, HazardEvent]] = {}
    reach_m: dict[tuple[Path, str], float] = {}
    for hazard in hazards:
        for event in hazard.events:
            if not event.is_raster:
                key = event.path, event.layer
                first.setdefault(key, (hazard, event))
                reach_m[key] = max(reach_m.get(key, 0.0), hazard.distance_m)
    return {key: _read(*named, crs, bounds, reach_m[key]) for key, named in first.items()}


def polygons_of(
    layer: Layer, hazard: Hazard, event: HazardEvent, crs: pyproj.CRS, *, level: Level
) -> Polygons:
    """Give the polygons of one event in the CRS of the network.

    Rows of another scenario, left out by ``where``, or not in force are not taken; invalid rings are mended;
    for "woods", and lines of hedges, the reach of the hazard is added.

    Parameters
    ----------
    layer : Layer
        That of the event, from `read_layers`.
    hazard : Hazard
    event : HazardEvent
    crs : pyproj.CRS
        Of the result, projected, in metres.
    level : {"low", "central", "high"}

    Raises
    ------
    SourceError
        A missing or unreadable file, or one that is not an ordinary local file.
    CRSError
        A layer without CRS.
    HazardError
        Several layers and none named, no polygon, an attribute or a scenario that is not there, an intensity
        that nothing explains.
    """
    role = layer_role(hazard, event)
    rows, geometry = layer.rows, layer.geometry
    fields = fields_of(rows.columns.tolist(), hazard.reading)
    keep = _asked(rows, fields, hazard, role) & _of_scenario(layer, fields, hazard, event, role)
    keep &= in_force(rows, fields, hazard.reading.valid_on, role=role)
    keep &= ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    rows, geometry = rows[keep].reset_index(drop=True), geometry[keep]
    shapes = _shaped(geometry, hazard, role, {str(name).casefold() for name in rows.columns})
    value = intensities(rows, hazard, fields, level, role=role) if len(rows) else np.empty(0)
    shapes = reprojected(shapes, layer.crs, crs)
    if hazard.distance_m > 0:
        shapes = shapely.buffer(shapes, hazard.distance_m, quad_segs=16)
    parts, number = shapely.get_parts(shapes, return_index=True)
    is_area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    return Polygons(parts[is_area], value[number[is_area]])


def layer_findings(hazards: Sequence[Hazard], layers: Layers) -> pd.DataFrame:
    """Tell what had to be mended or left out in the layers of polygons.

    Parameters
    ----------
    hazards : sequence of Hazard
    layers : mapping
        From `read_layers`: what they hold elsewhere than near the network is not looked at.

    Returns
    -------
    DataFrame
        Findings; ``table`` is "hazards", ``code`` the hazard. ``alea_sans_geometrie``: rows without a shape,
        ``alea_geometrie_reparee``: invalid rings mended, ``alea_hors_validite``: rows not in force on the
        day,
        ``alea_scenario_ignore``: scenarios of a layer that no event of the hazard takes.
    """
    parts = []
    for hazard in hazards:
        sharing: dict[tuple[Path, str], list[HazardEvent]] = {}
        for event in hazard.events:
            if not event.is_raster:
                sharing.setdefault((event.path, event.layer), []).append(event)
        for key, events in sharing.items():
            parts += _faults(hazard, events, layers[key])
    return merge_findings(parts)


def layer_role(hazard: Hazard, event: HazardEvent) -> str:
    """Name a layer as messages do."""
    layer = f", layer {event.layer!r}" if event.layer else ""
    return f"{event.path} (hazard {hazard.name!r}{layer})"


def reprojected(shapes: NDArray[np.object_], source: pyproj.CRS, target: pyproj.CRS) -> NDArray[np.object_]:
    """Give valid shapes in another CRS, long sides bent as they must."""
    if source.equals(target, ignore_axis_order=True) or not len(shapes):
        return shapes
    step = STRAIGHT_M / METRES_PER_DEGREE if source.is_geographic else STRAIGHT_M
    dense = gpd.GeoSeries(shapely.segmentize(shapes, step), crs=source)
    return shapely.make_valid(dense.to_crs(target).to_numpy())


def _faults(hazard: Hazard, events: Sequence[HazardEvent], layer: Layer) -> list[pd.DataFrame]:
    """Tell what is wrong in the layer that these events share."""
    role, name = layer_role(hazard, events[0]), events[0].path.name
    rows, geometry = layer.rows, layer.geometry
    fields = fields_of(rows.columns.tolist(), hazard.reading)
    is_void = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    n_void, n_broken = int(is_void.sum()), int((~is_void & ~shapely.is_valid(geometry)).sum())
    n_old = int((~in_force(rows, fields, hazard.reading.valid_on, role=role)).sum())
    named = {event.select for event in events}
    left = (
        rows[fields["scenario"]].map(str) if "scenario" in fields and named != {""} else pd.Series(dtype=str)
    )
    left = left[~left.isin(named)].value_counts().sort_index()
    shown = ", ".join(f"{scenario} ({count})" for scenario, count in left.items())
    told: tuple[tuple[str, Severity, int, str], ...] = (
        ("alea_sans_geometrie", "mineur", n_void, "lignes sans géométrie, laissées de côté"),
        ("alea_geometrie_reparee", "info", n_broken, "polygones aux contours invalides, réparés"),
        (
            "alea_hors_validite",
            "info",
            n_old,
            f"polygones hors validité au {hazard.reading.valid_on}, laissés de côté",
        ),
        (
            "alea_scenario_ignore",
            "info",
            int(left.sum()),
            f"polygones de scénarios hors de l'étude : {shown}",
        ),
    )
    return [
        findings_frame(rule, severity, "hazards", code=[hazard.name], message=f"{name} : {n} {text}")
        for rule, severity, n, text in told
        if n
    ]


def _read(hazard: Hazard, event: HazardEvent, crs: pyproj.CRS, bounds: Float | None, reach_m: float) -> Layer:
    """Read the layer of an event, near the bounds where they are given."""
    role = layer_role(hazard, event)
    file = local_file(event.path, role=f"layer of hazard {hazard.name!r}")
    if file.suffix.lower() == ".csv":
        return _rows_of_csv(file, role)
    layer, layer_crs, n = _described(file, event, role)
    if layer_crs is None:
        raise CRSError(f"{role}: the layer has no CRS; assign it (a shapefile needs its .prj)")
    if n == 0:
        raise HazardError(f"{role}: the layer is empty; export it again, or take this event out of the study")
    box = None
    if bounds is not None and np.isfinite(bounds).all():
        near = bounds + np.array([-1, -1, 1, 1]) * (reach_m + STRAIGHT_M)
        transformer = pyproj.Transformer.from_crs(crs, layer_crs, always_xy=True)
        box = transformer.transform_bounds(*near)
        box = box if np.isfinite(box).all() else None
    try:
        frame = _near(file, layer, n, box)
    except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
        raise SourceError(f"{role}: cannot be read ({error}); export it again as GeoPackage") from error
    shapes = frame.geometry.to_numpy()
    return Layer(pd.DataFrame(frame.drop(columns=frame.geometry.name)), shapely.force_2d(shapes), layer_crs)


def _near(file: Path, layer: str, n: int, box: tuple[float, float, float, float] | None) -> gpd.GeoDataFrame:
    """Read the rows whose bounds meet a box and those without a shape, all rows without a box.

    The index of a GeoPackage is kept by the file itself. That of a shapefile (.sbn) is a file of its own,
    which GDAL believes even when it is of another layer: shapefiles are read whole, some rows at a time.
    """
    if box is None:
        return pyogrio.read_dataframe(file, layer=layer)
    if file.suffix.lower() == ".gpkg":
        shape = pyogrio.read_info(file, layer=layer)["geometry_name"].replace('"', '""')
        void = f'"{shape}" IS NULL OR ST_IsEmpty("{shape}")'
        parts = [
            pyogrio.read_dataframe(file, layer=layer, bbox=box),
            pyogrio.read_dataframe(file, layer=layer, where=void),
        ]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    parts = []
    for first in range(0, n, CHUNK_ROWS):
        part = pyogrio.read_dataframe(file, layer=layer, skip_features=first, max_features=CHUNK_ROWS)
        west, south, east, north = shapely.bounds(part.geometry.to_numpy()).T
        is_near = (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
        parts.append(part[is_near | np.isnan(west)])
    return pd.concat(parts, ignore_index=True)


def _described(file: Path, event: HazardEvent, role: str) -> tuple[str, pyproj.CRS | None, int]:
    """Give the layer to read, its CRS and its number of rows; no driver but those of `DRIVERS` is tried."""
    try:
        layers = fiona.listlayers(file)
        if event.layer and event.layer not in layers:
            raise HazardError(f"{role}: no such layer; it has {', '.join(layers)}")
        if not event.layer and len(layers) != 1:
            raise HazardError(f'{role}: {len(layers)} layers ({", ".join(layers)}); say which: layer = "..."')
        layer = event.layer or layers[0]
        with fiona.open(file, layer=layer, enabled_drivers=DRIVERS) as source:
            crs = pyproj.CRS.from_user_input(source.crs.to_wkt()) if source.crs else None
            return layer, crs, len(source)
    except FionaError as error:
        raise SourceError(
            f"{role}: cannot be read ({error}); use GeoPackage, GeoJSON or shapefile"
        ) from error


def _rows_of_csv(file: Path, role: str) -> Layer:
    """Read the CSV of an open data portal, whose shapes are GeoJSON text in one column (WGS 84)."""
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    separator = ";" if text.split("\n", 1)[0].count(";") else ","
    try:
        rows = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as error:
        raise SourceError(f"{role}: cannot be read ({error}); export it again as GeoPackage") from error
    column = next((name for name in rows.columns if name.casefold() in GEOJSON_COLUMNS), None)
    if column is None:
        raise HazardError(
            f"{role}: no column of GeoJSON shapes ({', '.join(GEOJSON_COLUMNS)}); use GeoPackage instead"
        )
    shapes = shapely.from_geojson([_shape_text(value) for value in rows[column]], on_invalid="ignore")
    return Layer(rows.drop(columns=column), shapely.force_2d(shapes), pyproj.CRS("OGC:CRS84"))


def _shape_text(text: str) -> str | None:
    try:
        return text if isinstance(json.loads(text), dict) else None
    except ValueError:
        return None


def _asked(rows: pd.DataFrame, fields: Mapping[str, str], hazard: Hazard, role: str) -> NDArray[np.bool_]:
    """Tell the rows with the attributes that the study asks for."""
    known = {name.casefold(): name for name in rows.columns}
    absent = [name for name in fields.values() if name not in rows]
    absent += [name for name in hazard.reading.where if name.casefold() not in known]
    if absent:
        raise HazardError(
            f"{role}: no attribute {', '.join(map(repr, absent))}; it has"
            f" {', '.join(map(str, rows.columns))}: name one of these in fields or where"
        )
    keep = np.ones(len(rows), bool)
    for name, values in hazard.reading.where.items():
        keep &= rows[known[name.casefold()]].map(str).isin(values).to_numpy()
    return keep


def _of_scenario(
    layer: Layer, fields: Mapping[str, str], hazard: Hazard, event: HazardEvent, role: str
) -> NDArray[np.bool_]:
    """Tell the rows of the scenario of an event, where the layer tells scenarios apart."""
    rows = layer.rows
    if "scenario" not in fields:
        return np.ones(len(rows), bool)
    scenario = rows[fields["scenario"]].map(str)
    if not event.select:
        if len(set(scenario)) > 1:
            there = ", ".join(sorted(set(scenario)))
            raise HazardError(
                f"{role}: {fields['scenario']} holds several scenarios ({there}); say which one each"
                " event is:"
                ' scenario = "..."'
            )
        return np.ones(len(rows), bool)
    named = (scenario == event.select).to_numpy()
    if not named.any():
        whole = _read(hazard, event, layer.crs, None, 0.0)  # there may be some away from the network
        mapped = sorted(set(whole.rows[fields["scenario"]].map(str)))
        if event.select not in mapped:
            raise HazardError(
                f"{role}: nobody mapped the scenario {event.select!r}; {fields['scenario']} holds"
                f" {', '.join(mapped)}: name one of these, or take this event out"
            )
    return named


def _shaped(
    geometry: NDArray[np.object_], hazard: Hazard, role: str, attributes: AbstractSet[str]
) -> NDArray[np.object_]:
    """Mend shapes; only areas are taken, and lines where the hazard reaches beyond them."""
    kinds: tuple[int, ...] = (*AREAS, *LINES) if hazard.distance_m > 0 else AREAS
    if not np.isin(shapely.get_type_id(geometry), kinds).all():
        if {"cote", "id_ligne"} <= attributes:  # lines of the floods directive, in the standard of Covadis
            raise HazardError(f"{role}: holds levels of water along lines; {FROM_LINES}")
        cure = "" if hazard.distance_m > 0 else ", or give distance_m around lines"
        raise HazardError(f"{role}: holds shapes that are not polygons; keep areas{cure}")
    is_broken = ~shapely.is_valid(geometry)
    if is_broken.any():
        geometry = geometry.copy()
        geometry[is_broken] = shapely.make_valid(geometry[is_broken])
    return geometry
