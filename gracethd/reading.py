"""From deliveries to one inventory: read each, normalise, put together, report what did not fit.

A store takes the place of the deliveries that it was made of.
"""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gracethd.codes import follow
from gracethd.deliveries import Delivery, open_deliveries
from gracethd.errors import CRSError, LevelError, SourceError
from gracethd.findings import NO_FINDING, findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.normalise import TABLES, no_rows, select_tables, settle
from gracethd.store import is_store, open_store

SAME_PLACE_M = 1.0
"""Two deliveries speak of one object when its positions are within a metre (issue B; half a chamber)."""


def read(sources: Sequence[Path | str] | Path | str) -> Inventory:
    """Read one or many deliveries, or one store, into an inventory.

    Parameters
    ----------
    sources : path or sequence of paths
        Folders or zip archives of shapefile+CSV, in GraceTHD 2.0.x or 3.x, mixed as they come. Their order
        settles ties: where two deliveries hold the same object, the newest update wins, then the first.
        Or the one store that `gracethd.store.write_store` made.

    Returns
    -------
    Inventory
        In the coordinate system of most rows; other projected systems are reprojected to it.

    Raises
    ------
    SourceError
        A path that does not exist, an archive that is not safe, a file that cannot be read; a store that is
        damaged, of another version, or given with anything else.
    CRSError
        Geographic coordinates (lengths need metres), or no coordinate system at all.
    LevelError
        Nothing to analyse: neither premises nor addresses, or neither a PM nor a PBO.

    Examples
    --------
    >>> inventory = read("livraisons/PM7.zip")  # doctest: +SKIP
    >>> len(inventory["cable"])  # doctest: +SKIP
    49
    """
    paths = [Path(sources)] if isinstance(sources, str | Path) else [Path(source) for source in sources]
    stores = [path for path in paths if is_store(path)]
    if not stores:
        return build_inventory(open_deliveries(paths))
    if len(paths) > 1:
        raise SourceError(
            f"{stores[0]}: a store is read alone; import all deliveries into one, or name deliveries only"
        )
    return open_store(stores[0])


def build_inventory(deliveries: Sequence[Delivery]) -> Inventory:
    """Merge deliveries that have been opened into one inventory (see `read`)."""
    crs = _common_crs(deliveries)
    found = [delivery.findings for delivery in deliveries]
    selected = [select_tables(delivery) for delivery in deliveries]
    merged: dict[str, pd.DataFrame] = {}
    for name, spec in TABLES.items():
        parts = [_to_crs(tables[name], crs) for tables in selected if name in tables and len(tables[name])]
        rows = pd.concat(parts, ignore_index=True) if parts else _to_crs(no_rows(spec), crs)
        table, findings = settle(name, rows)
        merged[name], repeated = _merge(name, table, crs)
        found += [findings, repeated]
    merged = _complete(merged, crs)
    _check_level(merged, deliveries)
    listing = pd.DataFrame(
        {
            "delivery": [d.name for d in deliveries],
            "sha256": [d.sha256 for d in deliveries],
            "size_bytes": [d.size_bytes for d in deliveries],
            "versions": [", ".join(sorted({v for v in d.versions.values() if v})) for d in deliveries],
            "n_rows": [sum(len(table) for table in d.tables.values()) for d in deliveries],
        }
    )
    return Inventory(merged, crs, listing, merge_findings(found))


def _common_crs(deliveries: Sequence[Delivery]) -> pyproj.CRS:
    """Give the coordinate system that holds most geographic rows; ties go to the first delivery."""
    rows: dict[pyproj.CRS, int] = {}
    for delivery in deliveries:
        if delivery.crs is not None:
            size = sum(
                len(table) for table in delivery.tables.values() if isinstance(table, gpd.GeoDataFrame)
            )
            rows[delivery.crs] = rows.get(delivery.crs, 0) + size
    if not rows:
        names = ", ".join(delivery.name for delivery in deliveries)
        raise CRSError(f"{names}: no layer tells its coordinate system; add the .prj files and read again")
    return max(rows, key=lambda crs: rows[crs])


def _to_crs(table: pd.DataFrame, crs: pyproj.CRS) -> pd.DataFrame:
    if not isinstance(table, gpd.GeoDataFrame):
        return table
    if table.crs is None or table.crs == crs:
        return table.set_crs(crs, allow_override=True)
    return table.to_crs(crs)


def _merge(name: str, table: pd.DataFrame, crs: pyproj.CRS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep one row per key: the newest update, else the delivery given first."""
    spec = TABLES[name]
    order = np.arange(len(table))
    newest_first = table.assign(_order=order).sort_values(["updated", "_order"], ascending=[False, True])
    twice = newest_first.duplicated(spec.key, keep="first")
    kept = newest_first[~twice].sort_values(spec.key).drop(columns="_order").reset_index(drop=True)
    gone = newest_first[twice]
    findings = _repeated(name, kept, gone) if spec.key_length == 1 and len(gone) else NO_FINDING
    if spec.geometry:
        kept = gpd.GeoDataFrame(kept, geometry="geometry", crs=crs)
    return kept, findings


def _repeated(name: str, kept: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    """Report keys met again: within one delivery, and across deliveries where the objects lie apart."""
    key = TABLES[name].columns[0]
    first = kept.set_index(key).loc[gone[key]]
    same_delivery = gone["delivery"].to_numpy() == first["delivery"].to_numpy()
    within = gone[same_delivery]
    parts = [
        findings_frame(
            "cle_double", "majeur", name, attribute=key, code=within[key],
            message="même clé deux fois dans une livraison : comptée une fois", delivery=within["delivery"],
            line=within["line"],
        )
    ]  # fmt: skip
    if TABLES[name].geometry:
        apart = shapely.distance(gone["geometry"].to_numpy(), first["geometry"].to_numpy()) > SAME_PLACE_M
        far = gone[apart & ~same_delivery]
        parts.append(
            findings_frame(
                "code_deux_lieux", "majeur", name, attribute=key, code=far[key],
                message=f"même code à plus de {SAME_PLACE_M:g} m, deux livraisons : le plus récent est gardé",
                delivery=far["delivery"], line=far["line"],
            )
        )  # fmt: skip
    return merge_findings(parts)


def _complete(tables: dict[str, pd.DataFrame], crs: pyproj.CRS) -> dict[str, pd.DataFrame]:
    """Fill what one version says elsewhere: types of v2 rooms, premises of v3 PTOs, lines of cables."""
    site = tables["site"].set_index("st_code")
    local = tables["local"]
    from_site = follow(local["lc_st_code"], site["st_typelog"])
    local = local.assign(lc_typelog=local["lc_typelog"].fillna(from_site))
    ebp = tables["ebp"]
    in_premise = ebp["bp_lc_code"].isin(tables["premise"]["code"])
    ebp = ebp.assign(
        bp_sf_code=ebp["bp_sf_code"].fillna(ebp["bp_lc_code"].where(in_premise)),
        bp_lc_code=ebp["bp_lc_code"].mask(in_premise),
    )
    premise = tables["premise"]
    premise = premise.assign(
        nd_code=premise["nd_code"].fillna(follow(premise["st_code"], site["st_nd_code"])),
        ad_code=premise["ad_code"].fillna(follow(premise["st_code"], site["st_ad_code"])),
    )
    line = tables["cableline"].set_index("cl_cb_code")["geometry"]
    cable = tables["cable"]
    merged = shapely.line_merge(line.reindex(cable["cb_code"]).to_numpy())
    cable = gpd.GeoDataFrame(cable, geometry=gpd.GeoSeries(merged, index=cable.index, crs=crs))
    organisme = tables["organisme"]
    is_company = organisme["or_siren"].notna() | organisme["or_siret"].notna()
    # without a company number it may be a person, whose name is not carried (PERSONAL_WITHOUT_SIREN)
    organisme = organisme.assign(or_nom=organisme["or_nom"].where(is_company))
    done = {**tables, "organisme": organisme, "local": local, "ebp": ebp, "premise": premise, "cable": cable}
    del done["cableline"]
    return done


def _check_level(tables: dict[str, pd.DataFrame], deliveries: Sequence[Delivery]) -> None:
    has_demand = len(tables["premise"]) + len(tables["adresse"]) > 0
    has_network = len(tables["zsro"]) + len(tables["ebp"]) + len(tables["cable"]) + len(tables["site"]) > 0
    if has_demand and has_network:
        return
    names = ", ".join(delivery.name for delivery in deliveries) or "no delivery"
    wanted = (
        "t_suf, t_local or t_adresse (premises)"
        if not has_demand
        else "t_zsro, t_ebp, t_cable or t_site(tech)"
    )
    raise LevelError(f"{names}: no level of use can be reached; expected at least {wanted}")
