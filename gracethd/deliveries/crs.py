"""The coordinate reference system of a delivery: one, projected, in metres.

GraceTHD is delivered in Lambert-93 or in one of the nine conformal conic zones; the .prj is written by GDAL
or by ESRI tools, whose texts differ. Overseas zones (UTM) are accepted: what matters is metres.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj
from pyproj.exceptions import CRSError as ProjError

from gracethd.errors import CRSError
from gracethd.findings import findings_frame, merge_findings

LOOSE_CONFIDENCE = 25
"""Lowest pyproj score at which an ESRI text of Lambert-93 or of a CC zone finds its EPSG code."""


def read_prj(path: Path) -> pyproj.CRS | None:
    """Give the CRS that a .prj file states, by its EPSG code where it can be recognised; None if empty.

    Raises
    ------
    CRSError
        The text is not a CRS, or is one in degrees or in another unit than the metre.
    """
    text = path.read_bytes()[: 1 << 16].decode("utf-8", "replace").strip("\ufeff\0 \r\n")
    if not text:
        return None
    return stated_crs(text, str(path))


def stated_crs(text: str, where: str) -> pyproj.CRS:
    """Give the CRS that a text states (WKT or EPSG:n), by its EPSG code where it can be recognised.

    Raises
    ------
    CRSError
        The text is not a CRS, or is one in degrees or in another unit than the metre.
    """
    try:
        stated = _parsed(text)
    except ProjError as error:
        raise CRSError(
            f"{where}: this is not a coordinate reference system; export the layer again"
        ) from error
    return require_metric(stated, where)


@lru_cache(maxsize=64)
def _parsed(text: str) -> pyproj.CRS:
    """Parse a text once: a thousand layers of a network state the same system."""
    return _identified(pyproj.CRS.from_string(text))


def require_metric(crs: pyproj.CRS, where: str) -> pyproj.CRS:
    """Give the CRS back if lengths in it are metres.

    Raises
    ------
    CRSError
        Naming `where` and the cure.
    """
    name = f"EPSG:{crs.to_epsg()}" if crs.to_epsg() else crs.name
    if crs.is_geographic:
        raise CRSError(
            f"{where}: {name} is in degrees; lengths need metres - reproject the delivery to Lambert-93 "
            "(EPSG:2154) or to its CC zone (EPSG:3942 to 3950) before reading it"
        )
    if not crs.is_projected or any(axis.unit_name not in ("metre", "meter") for axis in crs.axis_info[:2]):
        raise CRSError(f"{where}: {name} is not projected in metres - reproject the delivery to EPSG:2154")
    return crs


def unify(
    layers: Mapping[str, gpd.GeoDataFrame], stated: Mapping[str, pyproj.CRS | None]
) -> tuple[dict[str, gpd.GeoDataFrame], pyproj.CRS | None, pd.DataFrame]:
    """Bring the layers of a delivery into the CRS that most of them are in.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame
        By table, without CRS.
    stated : mapping of str to CRS or None
        What the .prj of each table says; None where there is none.

    Returns
    -------
    layers : dict of str to GeoDataFrame
        All in `crs`.
    crs : CRS or None
        The most frequent one among layers with rows, in doubt the smallest code; None without such a layer.
    findings : DataFrame
        Layers that were reprojected (``crs_different``) or that state no CRS (``crs_absent``).

    Raises
    ------
    CRSError
        Layers have rows and none states its CRS.
    """
    filled = [table for table, layer in layers.items() if len(layer)]
    votes = Counter(crs.to_string() for table in filled if (crs := stated.get(table)) is not None)
    if not votes:
        if filled:
            raise CRSError(
                f"{filled[0]}: no layer of the delivery has a .prj; add one (EPSG:2154 for Lambert-93, "
                "EPSG:3942 to 3950 for the CC zones)"
            )
        return dict(layers), None, merge_findings([])
    chosen = min(votes, key=lambda name: (-votes[name], name))
    target = next(crs for crs in stated.values() if crs is not None and crs.to_string() == chosen)
    parts, unified = [], {}
    for table, layer in layers.items():
        own = stated.get(table)
        if own is None or own == target:
            unified[table] = layer.set_crs(target, allow_override=True)
        else:
            unified[table] = layer.set_crs(own, allow_override=True).to_crs(target)
        if table in filled and own is None:
            message = f"Couche sans .prj : lue en {chosen} comme les autres"
            parts.append(findings_frame("crs_absent", "mineur", table, code=[""], message=message))
        elif table in filled and own is not None and own != target:
            message = f"Couche en {own.to_string()} : reprojetée en {chosen}"
            parts.append(findings_frame("crs_different", "mineur", table, code=[""], message=message))
    return unified, target, merge_findings(parts)


def _identified(crs: pyproj.CRS) -> pyproj.CRS:
    """Replace a CRS told by its parameters with the EPSG one that it is."""
    plain = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
    plain = plain.sub_crs_list[0] if plain.is_compound else plain  # heights are not read
    if plain.is_geographic:
        return plain
    code = plain.to_epsg() or plain.to_epsg(min_confidence=LOOSE_CONFIDENCE)
    return pyproj.CRS.from_epsg(code) if code else plain
