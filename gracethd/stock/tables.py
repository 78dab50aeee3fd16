"""The tables of the état des lieux, from a built network and its routes."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.codes import amount, follow
from gracethd.inventory import Inventory
from gracethd.network.places import find_places
from gracethd.network.types import Network
from gracethd.routes import Routes
from gracethd.routes.mounting import UNKNOWN, mounting
from gracethd.stock.communes import cut_by_commune
from gracethd.stock.lengths import cables_by_class, ways_by_mounting, ways_by_owner
from gracethd.stock.quality import findings_by_commune, findings_by_zone

UNTOLD = "non dite"
TRACED = ("splice", "cable", "zone")


def take_stock(
    inventory: Inventory, network: Network, routes: Routes, communes: gpd.GeoDataFrame | None = None
) -> Mapping[str, pd.DataFrame]:
    """Give the tables of the état des lieux.

    Parameters
    ----------
    inventory, network, routes
        Of one another.
    communes : GeoDataFrame, optional
        Limits, from `gracethd.stock.communes.read_communes`: kilometres and findings by commune.

    Returns
    -------
    mapping of str to DataFrame
        ``lineaire_pose`` (segment, pose, mounting, source, length_km, n_lines),
        ``lineaire_proprietaire`` (owner, pose, length_km, n_lines), ``cables`` (segment, fibre_class, pose,
        length_km, n_cables), ``nro``, ``pm``, ``pbo`` (code, ..., prises and how they are traced), ``zones``
        (level, prises, how they are traced, findings by severity, length_km, length_unknown_km: mounting
        unknown) and ``communes``
        (by the INSEE code of addresses: level, the lowest of the zones of their prises, prises, how they are
        traced; with limits, findings by severity). With limits ``lineaire_communes`` too (code_insee,
        segment, pose, length_km).

    Examples
    --------
    >>> stock = take_stock(inventory, network, routes)  # doctest: +SKIP
    >>> stock["lineaire_pose"]["length_km"].sum()  # doctest: +SKIP
    0.55
    """
    metres = mounting(inventory, network)
    by_commune = {}
    if communes is not None:
        by_commune["lineaire_communes"] = cut_by_commune(
            metres, network.lines["geometry"].to_numpy(object), communes
        )
    return {
        "lineaire_pose": ways_by_mounting(metres),
        "lineaire_proprietaire": ways_by_owner(inventory, network),
        "cables": cables_by_class(network, metres),
        "nro": _rooms(routes, "NRO"),
        "pm": _rooms(routes, "PM"),
        "pbo": _pbos(inventory, routes),
        "zones": _zones(inventory, network, routes, metres),
        "communes": _communes(inventory, network, routes, communes),
        **by_commune,
    }


def _tally(prises: pd.DataFrame, key: str) -> pd.DataFrame:
    """Count prises by a key: prises, traced_splice, traced_cable, traced_zone, untraced, n_ambiguous."""
    n = prises["n"]
    columns = {f"traced_{how}": n.where(prises["traced"] == how, 0) for how in TRACED}
    columns["untraced"] = n.where(prises["traced"] == "", 0)
    columns["n_ambiguous"] = n.where(prises["state"] == "ambiguous", 0)
    frame = pd.DataFrame({key: prises[key], "prises": n, **columns})
    return frame.groupby(key).sum()


def _rooms(routes: Routes, nature: str) -> pd.DataFrame:
    """List NROs (with their number of PMs) or PMs (with their NRO and number of PBOs), and their prises."""
    rooms = routes.rooms[routes.rooms["nature"] == nature].sort_values("code")
    if nature == "NRO":
        pms = routes.rooms[routes.rooms["nature"] == "PM"]
        more: dict[str, object] = {"n_pms": amount(rooms["code"], pms.groupby("nro").size()).astype(np.int64)}
    else:
        boxes = routes.prises[routes.prises["pbo"] != ""].groupby("pm")["pbo"].nunique()
        more = {"nro": rooms["nro"].to_numpy(object), "n_pbo": amount(rooms["code"], boxes).astype(np.int64)}
    listed = pd.DataFrame({"code": rooms["code"], "name": rooms["name"], **more}).reset_index(drop=True)
    return _with_tally(listed, _tally(routes.prises, nature.lower()))


def _pbos(inventory: Inventory, routes: Routes) -> pd.DataFrame:
    """List PBOs, those without prises too, with the PM of most of their prises."""
    boxes = find_places(inventory).boxes
    pbo = boxes.loc[boxes["nature"] == "PBO", "bp_code"]
    codes = pd.Index(pbo).union(pd.Index(routes.prises["pbo"]).drop_duplicates()).drop("", errors="ignore")
    served = routes.prises.groupby(["pbo", "pm"])["n"].sum().reset_index()
    served = served.sort_values(["pbo", "n", "pm"], ascending=[True, False, True]).drop_duplicates("pbo")
    listed = pd.DataFrame({"code": codes.sort_values().astype(str)})
    listed["pm"] = follow(listed["code"], served.set_index("pbo")["pm"]).fillna("")
    return _with_tally(listed, _tally(routes.prises, "pbo"))


def _with_tally(listed: pd.DataFrame, tally: pd.DataFrame) -> pd.DataFrame:
    counts = tally.reindex(listed["code"]).fillna(0).astype(np.int64).reset_index(drop=True)
    return pd.concat([listed, counts], axis=1)


def _zones(inventory: Inventory, network: Network, routes: Routes, metres: pd.DataFrame) -> pd.DataFrame:
    """List SRO zones: level of use, prises, and the kilometres of line in the middle of which they lie."""
    zones = inventory.geo("zsro")
    middle = shapely.line_interpolate_point(
        shapely.line_merge(network.lines["geometry"].to_numpy()), 0.5, normalized=True
    )
    row, zone = shapely.STRtree(zones["geometry"].to_numpy()).query(middle, predicate="intersects")
    first = pd.DataFrame({"row": row, "zone": zones["zs_code"].to_numpy(object)[zone]})
    first = first.sort_values(["row", "zone"]).drop_duplicates("row")
    length = network.lines["length_m"].to_numpy()[first["row"]] / 1000
    unknown = np.where((metres["mounting"] == UNKNOWN).to_numpy()[first["row"]], length, 0.0)
    metres = pd.DataFrame(
        {"zone": first["zone"].to_numpy(), "length_km": length, "length_unknown_km": unknown}
    )
    levels = routes.levels.set_index("zone")[["level"]]
    counted = levels.join(_tally(routes.prises, "zone")).join(
        findings_by_zone(inventory, network, routes), how="outer"
    )
    tally = counted.fillna(0).astype(np.int64).rename_axis("zone").reset_index()
    named = tally.merge(metres.groupby("zone").sum().reset_index(), on="zone", how="left")
    named["zone"] = named["zone"].replace("", "hors zone")
    return named


def _communes(
    inventory: Inventory, network: Network, routes: Routes, communes: gpd.GeoDataFrame | None
) -> pd.DataFrame:
    """Count prises by commune: the INSEE code of their address; those without one are a line of their own."""
    prises = routes.prises.assign(code_insee=routes.prises["insee"].replace("", UNTOLD))
    rooms = prises[(prises["pm"] != "")].groupby("code_insee")["pm"].nunique()
    level = follow(prises["zone"], routes.levels.set_index("zone")["level"]).fillna(0)
    tally = _tally(prises, "code_insee")
    tally.insert(0, "level", level.groupby(prises["code_insee"]).min().astype(np.int64))
    if communes is not None:
        findings = findings_by_commune(inventory, network, routes, communes).rename(index={"": UNTOLD})
        tally = tally.join(findings, how="outer").fillna(0).astype(np.int64)
    table = tally.rename_axis("code_insee").reset_index()
    table.insert(1, "n_pms", amount(table["code_insee"], rooms).astype(np.int64))
    return table
