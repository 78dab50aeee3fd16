"""What lies in each commune: kilometres cut at its limits, and findings; the limits are the user's layer."""

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gracethd.deliveries.databases import database_tables, layer_names, read_database
from gracethd.errors import CRSError, SourceError
from gracethd.stock.lengths import UNUSED, pose_of

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Shapes = NDArray[np.object_]
OUTSIDE = "hors communes"
CODE = "code_insee"
_SAME_M = 1e-6


def read_communes(path: Path, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Read the limits of communes from a GeoPackage of one layer.

    Parameters
    ----------
    path : Path
        A .gpkg whose layer has the field ``code_insee``.
    crs : pyproj.CRS
        That of the inventory; the limits are reprojected to it.

    Returns
    -------
    GeoDataFrame
        code_insee (text, sorted, each once) and geometry (valid).

    Raises
    ------
    SourceError
        It is not such a file, has no field ``code_insee``, or a commune has no limits or no code.
    CRSError
        It tells no CRS.

    Examples
    --------
    >>> read_communes(Path("communes.gpkg"), inventory.crs)  # doctest: +SKIP
    """
    if path.suffix.lower() != ".gpkg" or not path.is_file():
        raise SourceError(f"{path}: communes are a .gpkg that exists; export the layer as one")
    names = layer_names(path)
    if len(names) != 1:
        raise SourceError(f"{path}: {len(names)} layers, where communes are one; export that layer alone")
    database_tables(path, frozenset({names[0].lower()}))  # refuses computed columns
    layer, own, _ = read_database(path, names[0], "communes")
    if not isinstance(layer, gpd.GeoDataFrame) or CODE not in layer:
        raise SourceError(
            f"{path}: no limits with a field {CODE}; rename the field that holds the INSEE code"
        )
    if own is None:
        raise CRSError(f"{path}: the layer tells no coordinate system; set it and export again")
    if layer[CODE].isna().any() or layer.geometry.isna().any() or layer.geometry.is_empty.any():
        raise SourceError(f"{path}: a commune without {CODE} or without limits; complete it or take it out")
    placed = gpd.GeoDataFrame(
        {CODE: layer[CODE]}, geometry=layer.geometry.set_crs(own).to_crs(crs).make_valid()
    )
    return placed.dissolve(CODE, sort=True).reset_index()


def cut_by_commune(metres: pd.DataFrame, lines: Shapes, communes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Add up the physical lines by commune, each cut where it crosses a limit.

    A stretch that runs along a limit counts once, in the first of its communes by code. What lies in none is
    counted as `OUTSIDE`: the kilometres add up to those of the network.

    Parameters
    ----------
    metres : DataFrame
        From `gracethd.routes.mounting.mounting`.
    lines : (n,) array of shapely lines
        Their shapes, in the CRS of `communes`.
    communes : GeoDataFrame
        From `read_communes`.

    Returns
    -------
    DataFrame
        code_insee, segment, pose, length_km; sorted.
    """
    limits: Shapes = communes.geometry.to_numpy()
    whole = shapely.length(lines)
    row, commune = shapely.STRtree(limits).query(lines, predicate="intersects")
    order = np.lexsort((commune, row))
    row, commune = row[order], commune[order]
    shapely.prepare(limits)
    inside = shapely.covers(limits[commune], lines[row])
    parts: Shapes = lines[row]
    parts[~inside] = shapely.intersection(lines[row[~inside]], limits[commune[~inside]])
    length = shapely.length(parts)
    twice = np.bincount(row, length, minlength=len(lines)) > whole + _SAME_M
    for one in np.flatnonzero(twice):  # those that run along a limit are few
        taken: BaseGeometry = shapely.LineString()
        for at in np.flatnonzero(row == one):
            length[at] = parts[at].difference(taken).length
            taken = taken.union(parts[at])
    share = length / np.where(whole[row] > 0, whole[row], 1.0)
    known = np.minimum(np.bincount(row, share, minlength=len(lines)), 1.0)
    every = np.concatenate([row, np.arange(len(lines))])
    codes = np.concatenate([communes[CODE].to_numpy(object)[commune], np.full(len(lines), OUTSIDE, object)])
    km = metres["length_m"].to_numpy()[every] / 1000 * np.concatenate([share, 1.0 - known])
    told = metres.iloc[every]
    table = pd.DataFrame({
        CODE: codes, "segment": told["segment"].replace("", UNUSED).to_numpy(),
        "pose": pose_of(told["mounting"]).to_numpy(), "length_km": km,
    })  # fmt: skip
    table = table[table["length_km"] > _SAME_M / 1000]
    return table.groupby([CODE, "segment", "pose"], sort=True)["length_km"].sum().reset_index()
