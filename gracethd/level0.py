"""Zones and prises known without a network: a table of PM zones, or a flat file of buildings (Arcep IPE).

They become deliveries of the lowest level of use (DESIGN D16: zones and prises, loss of the PM only), to be
merged with others, or they are held against what deliveries announce, PM by PM.
"""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gracethd.deliveries.crs import require_metric
from gracethd.deliveries.types import Delivery
from gracethd.errors import CRSError, GraceTHDError
from gracethd.findings import findings_frame
from gracethd.inventory import Inventory
from gracethd.values import parse_number

REACH_M = 1.0
"""The zone of a PM that a flat file tells is this far around each of its buildings: it draws no limit."""


def from_buildings(
    table: pd.DataFrame, columns: Mapping[str, str], crs: pyproj.CRS | str, *, name: str = "ipe"
) -> Delivery:
    """Make a delivery of a flat file of buildings, such as an IPE of Arcep.

    Parameters
    ----------
    table : DataFrame
        One row a building, as text (`gracethd.deliveries.text.read_csv` reads any encoding and separator).
    columns : mapping of str to str
        Which column holds what: ``address`` (its code), ``x``, ``y``, ``prises``, ``pm`` (its reference), and
        optionally ``x_pm``, ``y_pm`` (else the PM stands amid its buildings) and ``insee``.
    crs : pyproj.CRS or str
        Of the coordinates; in metres.
    name : str
        Of the delivery.

    Returns
    -------
    Delivery
        ``t_adresse``, ``t_noeud``, ``t_sitetech`` and ``t_zsro``; buildings of one address and PM together.
        Rows without PM, place or number are left out and are findings (``immeuble_illisible``).

    Raises
    ------
    GraceTHDError
        A column is not there; `CRSError` when the coordinates are in degrees.

    Examples
    --------
    >>> rows = pd.DataFrame({"imb": ["A1"], "x": ["650000"], "y": ["7060000"], "n": ["4"], "pm": ["PM1"]})
    >>> told = {"address": "imb", "x": "x", "y": "y", "prises": "n", "pm": "pm"}
    >>> from_buildings(rows, told, "EPSG:2154").tables["t_zsro"]["zs_refpm"].tolist()
    ['PM1']
    """
    _require(table, columns, ("address", "x", "y", "prises", "pm"), name)
    rows = pd.DataFrame({role: table[column].astype("str") for role, column in columns.items()})
    rows["line"] = table["line"] if "line" in table else np.arange(1, len(table) + 1)
    for role in ("x", "y", "prises", "x_pm", "y_pm"):
        if role in rows:
            rows[role] = parse_number(rows[role])[0]
    sound = rows[["address", "pm", "x", "y", "prises"]].notna().all(axis=1) & (rows["prises"] >= 0)
    lost = rows[~sound]
    findings = findings_frame(
        "immeuble_illisible", "majeur", "t_adresse", code=lost["address"],
        message="immeuble sans PM, sans coordonnées ou sans nombre de prises : non lu", delivery=name,
        line=lost["line"],
    )  # fmt: skip
    firsts = {role: "first" for role in rows if role not in ("address", "pm", "prises")}
    rows = rows[sound].groupby(["address", "pm"], as_index=False).agg({"prises": "sum", **firsts})
    several = rows["address"].duplicated(keep=False)  # an address that two PM share is two
    rows["address"] = rows["address"].where(~several, rows["address"] + "/" + rows["pm"])
    points = _points(rows[["x", "y"]])
    discs = gpd.GeoDataFrame({"pm": rows["pm"]}, geometry=shapely.buffer(points, REACH_M, quad_segs=4))
    zones = discs.dissolve("pm").geometry
    place = rows.groupby("pm")[["x_pm", "y_pm"] if {"x_pm", "y_pm"} <= set(rows) else ["x", "y"]].mean()
    return _delivery(
        name,
        crs,
        zones=zones.reindex(place.index),
        places=_points(place),
        addresses=rows.rename(columns={"address": "code"}).assign(geometry=points),
        findings=findings,
    )


def from_zones(zones: gpd.GeoDataFrame, columns: Mapping[str, str], *, name: str = "zapm") -> Delivery:
    """Make a delivery of the polygons that PM serve (ZAPM) and their numbers of prises.

    Parameters
    ----------
    zones : GeoDataFrame
        One polygon a PM, in metres.
    columns : mapping of str to str
        Which column holds what: ``pm`` (its reference) and ``prises``.
    name : str
        Of the delivery.

    Returns
    -------
    Delivery
        As `from_buildings`: the PM and one address for all its prises stand inside the polygon. Zones without
        polygon, PM or number are left out and are findings (``zone_illisible``).

    Raises
    ------
    GraceTHDError
        A column is not there; `CRSError` when the polygons have no CRS or are in degrees.
    """
    _require(zones, columns, ("pm", "prises"), name)
    if zones.crs is None:
        raise CRSError(f"{name}: the zones have no CRS; set one (EPSG:2154)")
    pm, n = zones[columns["pm"]].astype("str"), zones[columns["prises"]].astype("str")
    prises = parse_number(n)[0]
    shapes = zones.geometry.to_numpy()
    sound = pm.notna() & prises.ge(0) & (shapely.get_dimensions(shapes) == 2) & ~pm.duplicated()
    findings = findings_frame(
        "zone_illisible", "majeur", "t_zsro", code=pm[~sound],
        message="zone sans PM, sans polygone, sans nombre de prises, ou en double : non lue", delivery=name,
        line=np.flatnonzero(~sound) + 1,
    )  # fmt: skip
    inside = shapely.point_on_surface(shapes[sound])
    rows = pd.DataFrame(
        {"code": pm[sound], "pm": pm[sound], "prises": prises[sound], "line": np.flatnonzero(sound) + 1}
    )
    return _delivery(
        name,
        zones.crs,
        zones=pd.Series(shapes[sound], index=pd.Index(pm[sound])),
        places=inside,
        addresses=rows.assign(geometry=inside),
        findings=findings,
    )


def compare_prises(inventory: Inventory, prises: pd.DataFrame, other: Delivery) -> pd.DataFrame:
    """Hold the prises of each PM against those that a flat file or a table of zones tells.

    Parameters
    ----------
    inventory : Inventory
    prises : DataFrame
        ``Routes.prises`` of this inventory: columns zone and n.
    other : Delivery
        Of `from_buildings` or `from_zones`.

    Returns
    -------
    DataFrame
        Findings ``prises_pm_ecart`` (numbers differ), ``pm_absent`` (a PM that only `other` knows) and
        ``pm_en_trop`` (one that it does not know). PM are matched by reference, else by zone code; codes are
        those of zones, of `other` for a PM that only it knows.
    """
    zsro = inventory["zsro"]
    reference = zsro["zs_refpm"].fillna(zsro["zs_code"]).set_axis(zsro["zs_code"])
    zone = prises["zone"].map(reference)
    here = prises["n"].groupby(zone).sum().reindex(sorted(set(reference)), fill_value=0)
    address = other.tables["t_adresse"]
    there = address["ad_nblhab"].astype(np.int64).groupby(address["pm"]).sum()
    zoned = other.tables["t_zsro"]["zs_refpm"]
    there = there.reindex(sorted({*there.index, *zoned}), fill_value=0)
    both = pd.DataFrame({"here": here, "there": there})
    differ = both.dropna().query("here != there")
    code_of = pd.Series(reference.index, index=reference.to_numpy()).groupby(level=0).first()
    parts = [
        ("prises_pm_ecart", code_of.reindex(differ.index),
         [f"{int(n)} prises livrées, {int(m)} selon {other.name}" for n, m in differ.to_numpy()]),
        ("pm_absent", both.index[both["here"].isna()], f"PM de {other.name} absent des livraisons"),
        ("pm_en_trop", code_of.reindex(both.index[both["there"].isna()]), f"PM livré absent de {other.name}"),
    ]  # fmt: skip
    return pd.concat(
        [
            findings_frame(rule, "majeur", "zsro", attribute="zs_refpm", code=code, message=message)
            for rule, code, message in parts
        ],
        ignore_index=True,
    )


def _require(table: pd.DataFrame, columns: Mapping[str, str], roles: tuple[str, ...], name: str) -> None:
    for role in roles:
        if role not in columns:
            raise GraceTHDError(f"{name}: no column is named for {role!r}; name one")
    for role, column in columns.items():
        if column not in table:
            raise GraceTHDError(f"{name}: no column {column!r} ({role}); it has {', '.join(table.columns)}")


def _points(xy: pd.DataFrame) -> NDArray[np.object_]:
    return np.asarray(shapely.points(xy.to_numpy(dtype=float)), dtype=object)


def _delivery(
    name: str,
    crs: pyproj.CRS | str,
    *,
    zones: pd.Series,
    places: NDArray[np.object_],
    addresses: pd.DataFrame,
    findings: pd.DataFrame,
) -> Delivery:
    """Write zones by PM, the place of each and addresses (code, pm, prises, geometry) as version 2 does."""
    metric = require_metric(pyproj.CRS.from_user_input(crs), name)
    pm = pd.Series(zones.index, dtype="str")
    line = np.arange(1, len(pm) + 1)
    text = {"ad_code": addresses["code"], "ad_nblhab": addresses["prises"].astype(np.int64).astype("str")}
    if "insee" in addresses:
        text["ad_insee"] = addresses["insee"]
    tables = {
        "t_noeud": gpd.GeoDataFrame({"nd_code": pm, "line": line}, geometry=places, crs=metric),
        "t_sitetech": pd.DataFrame({"st_code": pm, "st_nd_code": pm, "st_typelog": "SRO", "line": line}),
        "t_zsro": gpd.GeoDataFrame(
            {"zs_code": pm, "zs_refpm": pm, "zs_nd_code": pm, "line": line},
            geometry=zones.to_numpy(), crs=metric,
        ),
        "t_adresse": gpd.GeoDataFrame(
            {**text, "pm": addresses["pm"], "line": addresses["line"].astype(np.int64)},
            geometry=addresses["geometry"].to_numpy(), crs=metric,
        ).reset_index(drop=True),
    }  # fmt: skip
    return Delivery(
        name, Path(name), "", 0, tables, dict.fromkeys(tables, "2"), metric, findings.assign(delivery=name)
    )
