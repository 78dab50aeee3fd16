"""From the tables of a delivery, read from files or from a database, to the delivery that they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from gracethd.deliveries.crs import unify
from gracethd.deliveries.folders import GEOGRAPHIC
from gracethd.deliveries.layers import missing_geometry
from gracethd.deliveries.types import Delivery
from gracethd.deliveries.versions import keep_known, table_version
from gracethd.findings import findings_frame, merge_findings

if TYPE_CHECKING:
    import pyproj


@dataclass(frozen=True)
class ReadTable:
    """One table as it was read: rows of text, what its place states and where it stood.

    Attributes
    ----------
    table : str
        In the model.
    frame : DataFrame or GeoDataFrame
        Columns in lower case, text; ``line``; ``geometry`` where there is one.
    crs : CRS or None
        That it states.
    findings : DataFrame
    file : str
        Of the delivery.
    """

    table: str
    frame: pd.DataFrame
    crs: "pyproj.CRS | None"
    findings: pd.DataFrame
    file: str


def as_delivery(
    name: str, path: Path, packed: tuple[str, int], read: Sequence[ReadTable], not_read: pd.DataFrame
) -> Delivery:
    """Make a delivery of the tables that were read: known columns only, one CRS, versions by columns.

    Parameters
    ----------
    name : str
    path : Path
    packed : (str, int)
        SHA-256 and size in bytes.
    read : sequence of ReadTable
    not_read : DataFrame
        Findings on what was left.

    Raises
    ------
    SourceError
        The columns of a table are of no known version.
    CRSError
        The coordinates are in degrees, or no layer tells its CRS.
    """
    parts = [not_read]
    tables: dict[str, pd.DataFrame] = {}
    layers: dict[str, gpd.GeoDataFrame] = {}
    stated: dict[str, pyproj.CRS | None] = {}
    versions: dict[str, str] = {}
    for one in read:
        frame, findings = _placed(one)
        kept, unknown = keep_known(frame, one.table)
        parts += [findings, unknown]
        columns = [str(column) for column in frame.columns if column not in ("line", "geometry")]
        if columns and (version := table_version(one.table, columns)):
            versions[one.table] = version
        if isinstance(kept, gpd.GeoDataFrame):
            layers[one.table] = kept
            stated[one.table] = one.crs
        tables[one.table] = kept
    unified, crs, crs_findings = unify(layers, stated)
    findings = merge_findings([*parts, crs_findings]).assign(delivery=name)
    files = {one.table: one.file for one in read}
    return Delivery(name, path, *packed, {**tables, **unified}, versions, crs, findings, files)


def _placed(read: ReadTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a geographic table a geometry if it has none, and no other table one."""
    if read.table not in GEOGRAPHIC:
        return pd.DataFrame(read.frame.drop(columns="geometry", errors="ignore")), read.findings
    if isinstance(read.frame, gpd.GeoDataFrame):
        return read.frame, read.findings
    layer, absent = missing_geometry(read.frame, read.table)
    return layer, merge_findings([read.findings, absent])


def not_read_tables(names: Sequence[str]) -> pd.DataFrame:
    """List files that look like tables or lists of the model and are not read, lists in one line."""
    tables = sorted({name.lower() for name in names if name.lower().startswith("t_")})
    lists = {name.lower() for name in names if name.lower().startswith("l_")}
    return merge_findings([
        findings_frame(
            "table_inconnue", "info", "", code=tables, message="Fichier d'un nom inconnu du modèle : non lu"
        ),
        findings_frame(
            "listes_non_lues", "info", "", code=[""] if lists else [],
            message=f"{len(lists)} listes l_* livrées et non lues : celles du modèle font foi",
        ),
    ])  # fmt: skip
