"""From deliveries to one inventory: read each, normalise, put together, report what did not fit.

A store takes the place of the deliveries that it was made of.
"""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from gracethd.carried import PROVENANCE, encoded, newest_of, set_apart, without
from gracethd.codes import among, follow, locate
from gracethd.deliveries import Delivery, Reader, Root, Tell, open_deliveries, open_root
from gracethd.errors import CRSError, LevelError, SourceError
from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from gracethd.merging import join_cables, join_places, newest_rows, part_codes, replace_older
from gracethd.normalise import TABLES, gather, only_taken, settle, settle_carried
from gracethd.store import is_store, open_store


def read_lean(root: Root) -> list[Delivery]:
    """Read the deliveries of one root as far as the inventory takes them."""
    return [only_taken(delivery) for delivery in open_root(root)]


def read_whole(root: Root) -> list[Delivery]:
    """Read the deliveries of one root but what is about persons; what analyses do not read is encoded."""
    return [encoded(delivery) for delivery in open_root(root)]


def read_with_personal(root: Root) -> list[Delivery]:
    """As `read_whole`, and what is about persons apart."""
    return [encoded(delivery, personal=True) for delivery in open_root(root)]


def read(
    sources: Sequence[Path | str] | Path | str,
    *,
    carried: bool = False,
    reader: Reader | None = None,
    tell: Tell = lambda _done, _all: None,
) -> Inventory:
    """Read one or many deliveries, or one store, into an inventory.

    Parameters
    ----------
    sources : path or sequence of paths
        Folders or zip archives of shapefile+CSV, GeoPackages or SpatiaLite files, or patterns of such names,
        in GraceTHD 2.0.x or 3.x, mixed as they come; or ``postgresql://user@host/database?schema=NAME`` for
        the delivery that a schema holds. Their order settles ties: where two deliveries hold the
        same object, the newest update wins, then the first.
        Or the one store that `gracethd.store.write_store` made, in a database too.
    carried : bool
        Give also what analyses do not read, for a store or a delivery that is to be handed over.
    reader : callable, optional
        Reads one folder, archive or database in the place of `read_lean`, or `read_whole` with `carried`;
        `gracethd.deliveries.kept_in` gives one that goes on, and `read_with_personal` keeps what is about
        persons.
    tell : callable, optional
        Told how many have been read and how many there are, after each.

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
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    stores = [source for source in given if is_store(source)]
    if not stores:
        usual = read_whole if carried else read_lean
        return build_inventory(open_deliveries(given, reader=reader or usual, tell=tell), carried=carried)
    if len(given) > 1:
        raise SourceError("a store is read alone; import all deliveries into one, or name deliveries only")
    return open_store(stores[0], carried=carried)


def build_inventory(deliveries: Sequence[Delivery], *, carried: bool = False) -> Inventory:
    """Merge deliveries that have been opened into one inventory (see `read`).

    With `carried`, all that they hold is: `gracethd.carried.encoded` leaves out what is about persons, or
    sets it apart.
    """
    crs = _common_crs(deliveries)
    found = [delivery.findings for delivery in deliveries]
    names = [delivery.name for delivery in deliveries]
    listing = _listing(deliveries)
    rows, incomplete = gather(deliveries, crs, carried=carried)
    found.append(incomplete)
    del deliveries  # and so what merging has no more need of, as its tables grow
    for name in TABLES:
        rows[name], findings = settle(name, rows[name], crs)
        found.append(findings)
    whole = {name: settle_carried(rows.pop(name), crs) for name in sorted(set(rows) - set(TABLES))}
    replacement = replace_older(rows, names)
    found.append(replacement.findings)
    listing["replaced_by"] = [replacement.replaced_by.get(name, "") for name in names]
    rows, parted = part_codes({**replacement.tables, **without(whole, replacement.replaced_by)})
    del replacement
    rows, continued = join_cables(rows)
    told = rows["noeud"][["nd_code", "delivery"]]
    one_a_key = {
        name: newest_rows(name, table) if name in TABLES else newest_of(name, table)
        for name, table in rows.items()
    }
    merged, joined = join_places(_complete(one_a_key, crs), told, names)
    found += [parted, continued, joined]
    _check_level(merged, names)
    tables, beside, personal = set_apart(merged)
    return Inventory(tables, crs, listing, merge_findings(found), beside, personal)


def _listing(deliveries: Sequence[Delivery]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "delivery": [d.name for d in deliveries],
            "sha256": [d.sha256 for d in deliveries],
            "size_bytes": [d.size_bytes for d in deliveries],
            "versions": [", ".join(sorted({v for v in d.versions.values() if v})) for d in deliveries],
            "n_rows": [sum(len(table) for table in d.tables.values()) for d in deliveries],
        }
    )


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


def _complete(tables: dict[str, pd.DataFrame], crs: pyproj.CRS) -> dict[str, pd.DataFrame]:
    """Fill what one version says elsewhere: types of v2 rooms, premises of v3 PTOs, lines of cables."""
    site = tables["site"].set_index("st_code")
    local = tables["local"]
    from_site = follow(local["lc_st_code"], site["st_typelog"])
    local = local.assign(lc_typelog=local["lc_typelog"].fillna(from_site))
    ebp = tables["ebp"]
    in_premise = among(ebp["bp_lc_code"], tables["premise"]["code"])
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
    cable = _with_attributes_of_lines(tables["cable"], tables["cableline"])
    merged = shapely.line_merge(line.reindex(cable["cb_code"]).to_numpy())
    cable = gpd.GeoDataFrame(cable, geometry=gpd.GeoSeries(merged, index=cable.index, crs=crs))
    organisme = tables["organisme"]
    is_company = organisme["or_siren"].notna() | organisme["or_siret"].notna()
    # without a company number it may be a person, whose name stands apart or nowhere (`gracethd.personal`)
    organisme = organisme.assign(or_nom=organisme["or_nom"].where(is_company))
    done = {**tables, "organisme": organisme, "local": local, "ebp": ebp, "premise": premise, "cable": cable}
    del done["cableline"]
    return done


def _with_attributes_of_lines(cable: pd.DataFrame, cableline: pd.DataFrame) -> pd.DataFrame:
    """Put what is carried of the line of each cable beside the cable."""
    own = {*TABLES["cableline"].columns, *PROVENANCE, "geometry"}
    told = [column for column in cableline.columns if column not in own]
    if not told:
        return cable
    row = locate(cable["cb_code"], cableline["cl_cb_code"])
    values = pd.DataFrame(cableline[told]).reset_index(drop=True).reindex(row).set_axis(cable.index)
    return pd.concat([cable, values], axis=1)


def _check_level(tables: dict[str, pd.DataFrame], deliveries: Sequence[str]) -> None:
    has_demand = len(tables["premise"]) + len(tables["adresse"]) > 0
    has_network = len(tables["zsro"]) + len(tables["ebp"]) + len(tables["cable"]) + len(tables["site"]) > 0
    if has_demand and has_network:
        return
    names = ", ".join(deliveries) or "no delivery"
    wanted = (
        "t_suf, t_local or t_adresse (premises)"
        if not has_demand
        else "t_zsro, t_ebp, t_cable or t_site(tech)"
    )
    raise LevelError(f"{names}: no level of use can be reached; expected at least {wanted}")
