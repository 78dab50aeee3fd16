"""What one delivery is once it has been read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyproj


@dataclass(frozen=True)
class Delivery:
    """One GraceTHD delivery, read table by table, nothing interpreted yet.

    Attributes
    ----------
    name : str
        File or folder name, unique among the deliveries read together.
    path : Path
    sha256 : str
        Of the archive, or of the sorted (name, content) pairs of a folder.
    size_bytes : int
    tables : mapping of str to DataFrame
        By GraceTHD table name in lower case (``t_cable``, ``t_cable_patch201``). Columns are lower-case
        attribute names; every attribute is text (``str`` dtype, missing = NaN; numbers of a DBF become
        their shortest text, so 1.0 is "1"); geographic tables are GeoDataFrames with a ``geometry`` column
        (2-D) in the delivery's CRS. The int64 column ``line`` counts rows of the file, the first one 1.
    versions : mapping of str to str
        Major version of each table that tells one, "2" or "3", from its columns.
    crs : pyproj.CRS or None
        None when no geographic table has rows.
    findings : DataFrame
    files : mapping of str to str
        The file that holds each table, as it is named in the delivery (``csv/t_cable.csv``).
    """

    name: str
    path: Path
    sha256: str
    size_bytes: int
    tables: Mapping[str, pd.DataFrame]
    versions: Mapping[str, str]
    crs: pyproj.CRS | None
    findings: pd.DataFrame = field(repr=False)
    files: Mapping[str, str] = field(default_factory=dict)
