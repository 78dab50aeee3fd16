"""One row a key: the newest update, else the delivery given first."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.findings import NO_FINDING, findings_frame
from gracethd.normalise import TABLES


def newest_rows(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows that are kept, one a key, sorted by key.

    Parameters
    ----------
    name : str
        Of `gracethd.normalise.TABLES`.
    table : DataFrame
        Rows in the order of the deliveries, with ``updated`` (NaT is older than any date).
    """
    return _sorted_by_key(table[~repeated(table, TABLES[name].key)], TABLES[name].key)


def once_per_delivery(name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out the rows whose key another row of their delivery has, and report them.

    Returns
    -------
    table, findings : DataFrame
        Rule ``cle_double`` for tables with a key of their own; a link told twice is the same link.
    """
    spec = TABLES[name]
    twice = repeated(table, [*spec.key, "delivery"])
    if not twice.any():
        return table, NO_FINDING
    gone = table[twice]
    findings = findings_frame(
        "cle_double", "majeur", name, attribute=spec.key[0], code=gone[spec.key[0]],
        message="même clé deux fois dans une livraison : comptée une fois", delivery=gone["delivery"],
        line=gone["line"],
    )  # fmt: skip
    return table[~twice].reset_index(drop=True), findings if spec.key_length == 1 else NO_FINDING


def repeated(table: pd.DataFrame, key: list[str]) -> np.ndarray:
    """Tell which rows have the key of a row that is newer, or as new and given before."""
    twice = np.zeros(len(table), bool)
    # most codes stand once: only the others are compared
    suspects = np.flatnonzero(table[key[0]].duplicated(keep=False).to_numpy())
    if len(suspects):
        some = pd.DataFrame(table[[*key, "updated"]].iloc[suspects]).reset_index(drop=True)
        order = some["updated"].sort_values(ascending=False, kind="stable", na_position="last").index
        twice[suspects[order]] = some.loc[order].duplicated(key, keep="first").to_numpy()
    return twice


def _sorted_by_key(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    kept = table.sort_values(key, kind="stable").reset_index(drop=True)
    return gpd.GeoDataFrame(kept) if isinstance(table, gpd.GeoDataFrame) else kept
