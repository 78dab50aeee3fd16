"""What no hazard map says anything about, commune by commune: never safe, only unknown (DESIGN D17)."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.network.types import Network
from resilience.stakes import communes_around

KEYS = ["hazard", "scenario", "return_period", "code_insee"]


def unmapped_by_commune(
    network: Network, exposure: pd.DataFrame, communes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Count what is not mapped in each commune, event by event.

    Parameters
    ----------
    network : Network
    exposure : DataFrame
        From `resilience.exposure.expose`, for this network.
    communes : GeoDataFrame, optional
        code_insee, epci and geometry, in the CRS of the network. Without it there is one row an event,
        code_insee "".

    Returns
    -------
    DataFrame
        One row per event and commune that holds an asset, sorted by (hazard, return_period, scenario,
        code_insee): hazard, scenario, return_period, code_insee ("" outside all communes), n_objets and
        n_non_cartographies (int64: point assets, and those outside the coverage), length_m and unmapped_m
        (float64: metres of lines, and those outside the coverage). An asset counts whole in the commune of a
        point on it near its middle.

    Examples
    --------
    >>> unmapped_by_commune(network, exposure, tables["communes"]).query("unmapped_m > 0")  # doctest: +SKIP
    """
    commune = _commune_of_assets(network, communes)
    is_line = exposure["length_m"].to_numpy() > 0
    mapped = exposure["mapped_share"].to_numpy(np.float64)
    rows = exposure[["hazard", "scenario", "return_period"]].assign(
        code_insee=commune.take(exposure["asset"].to_numpy()).to_numpy(),
        n_objets=(~is_line).astype(np.int64),
        n_non_cartographies=(~is_line & (mapped == 0)).astype(np.int64),
        length_m=exposure["length_m"].to_numpy(np.float64),
        unmapped_m=exposure["length_m"].to_numpy(np.float64) * (1.0 - mapped),
    )
    counted = rows.groupby(KEYS, dropna=False, sort=False).sum().reset_index()
    return counted.sort_values(["hazard", "return_period", "scenario", "code_insee"], ignore_index=True)


def _commune_of_assets(network: Network, communes: pd.DataFrame | None) -> "pd.Series[str]":
    geometry = network.assets.geometry.to_numpy()
    if not isinstance(communes, gpd.GeoDataFrame):
        return pd.Series("", index=np.arange(len(geometry)), dtype=str)
    middle = shapely.point_on_surface(geometry)  # as the list of single points of failure has it
    placed = np.flatnonzero(~(shapely.is_missing(middle) | shapely.is_empty(middle)))
    code = np.full(len(geometry), "", dtype=object)
    code[placed] = communes_around(middle[placed], communes)["code_insee"].to_numpy()
    return pd.Series(code, dtype=str)
