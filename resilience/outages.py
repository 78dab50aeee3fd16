"""Power cuts that a study imposes on a zone: no map, but what the table of equipment says is fed together.

For crisis planning, beside cuts that a map draws (hazards of kind ``outage``). What stands at the place of a
member of the zone is without mains for so many hours; what the table gives to another zone has power; of all
else nothing is known.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gracethd.network.types import Network
from resilience.hazards import UNITS
from resilience.sections import StudyError
from resilience.study_outages import ZoneOutage


def outage_exposure(
    network: Network, equipment: pd.DataFrame | None, outages: Sequence[ZoneOutage]
) -> pd.DataFrame:
    """Tell what each cut leaves without mains, as rows of exposure.

    Parameters
    ----------
    network : Network
    equipment : DataFrame or None
        The table equipements: kind, code, zone_elec.
    outages : sequence of ZoneOutage

    Returns
    -------
    DataFrame
        Columns of `resilience.exposure.expose`, then ``hazard_kind`` and ``outage_h``: one row per cut and
        asset at the place of something that the table gives to a zone; intensity_max is 1 without mains,
        else 0.

    Raises
    ------
    StudyError
        A zone that no row of the table has.
    """
    assets = network.assets
    zone = zones_of_assets(assets, equipment)
    parts = []
    for outage in outages:
        is_off = (zone["zone_elec"] == outage.zone_elec).groupby(zone["asset"]).any()
        if not is_off.any():
            known = ", ".join(sorted(zone["zone_elec"].unique())) or "none"
            raise StudyError(
                f"outages {outage.name!r}: no object of the network has zone_elec {outage.zone_elec!r} in the"
                f" table equipements; zones: {known}"
            )
        asset = is_off.index.to_numpy(np.int64)
        parts.append(
            pd.DataFrame(
                {
                    "asset": asset.astype(np.int32), "kind": assets["kind"].to_numpy()[asset],
                    "code": assets["code"].to_numpy()[asset], "hazard": outage.name,
                    "scenario": outage.as_hazard().events[0].scenario, "return_period": outage.return_period,
                    "intensity_max": is_off.to_numpy(np.float64), "intensity_unit": UNITS["outage"],
                    "wet_m": 0.0, "length_m": 0.0, "mapped_share": 1.0, "hazard_kind": "outage",
                    "outage_h": outage.hours,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def zones_of_assets(assets: pd.DataFrame, equipment: pd.DataFrame | None) -> pd.DataFrame:
    """Give the power zones of each asset: those of all that stands at its place.

    Parameters
    ----------
    assets : DataFrame
        ``Network.assets``.
    equipment : DataFrame or None
        The table equipements: kind, code, zone_elec.

    Returns
    -------
    DataFrame
        asset, zone_elec: one row per pair; none for what no row of the table places in a zone.
    """
    if equipment is None or "zone_elec" not in equipment:
        return pd.DataFrame({"asset": [], "zone_elec": []})
    given = equipment[equipment["zone_elec"].fillna("") != ""]
    named = pd.MultiIndex.from_frame(assets[["kind", "code"]])
    member = named.get_indexer(pd.MultiIndex.from_frame(given[["kind", "code"]]))
    own = pd.DataFrame({"asset": member, "zone_elec": given["zone_elec"].to_numpy()})[member >= 0]
    own["place"] = assets["nd_code"].to_numpy()[own["asset"]]
    placed = own[own["place"].fillna("") != ""].drop(columns="asset")
    beside = pd.DataFrame({"asset": assets.index, "place": assets["nd_code"]}).merge(placed, on="place")
    columns = ["asset", "zone_elec"]
    return pd.concat([own[columns], beside[columns]], ignore_index=True).drop_duplicates()
