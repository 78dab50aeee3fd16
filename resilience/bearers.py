"""Bearers that are points: which rooms and closures they are, where they stand, how high, on which batteries.

What the table of equipment says of a room, of its site or of its node is read here, once for floods, power
cuts, works and crises.
"""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.findings import findings_frame
from gracethd.network.types import Network
from resilience.parameters import Level, Parameters
from resilience.rates import rooms

Float = NDArray[np.float64]


def point_bearers(network: Network, equipment: pd.DataFrame | None = None) -> pd.DataFrame:
    """List the rooms and closures that bear water, where they stand and how high.

    Parameters
    ----------
    network : Network
    equipment : DataFrame, optional
        As in `failure_probabilities`.

    Returns
    -------
    DataFrame
        One row per bearer, sorted by asset: asset (int32), mechanism (nro.flood | pm.flood |
        closure.flood), at (int32: the asset whose place it takes, itself, else its site, else its node; -1
        where none has a geometry), hauteur_m (NaN = not given), in_chamber (closures), is_assumed.
    """
    assets = network.assets
    boxes = np.flatnonzero(assets["kind"] == "ebp")
    of_mechanism = {
        "nro.flood": rooms(assets, "NRO"),
        "pm.flood": rooms(assets, "PM"),
        "closure.flood": boxes,
    }
    parts = [pd.DataFrame({"asset": asset, "mechanism": name}) for name, asset in of_mechanism.items()]
    bearers = pd.concat(parts, ignore_index=True).sort_values("asset", ignore_index=True)
    stands = _stands_in(assets, bearers["asset"].to_numpy(np.int64))
    is_point = shapely.get_type_id(assets.geometry.to_numpy()) == shapely.GeometryType.POINT
    has_place = np.concatenate([is_point, [False]])  # number -1 is nothing
    bearers["at"] = _first(stands, has_place[stands]).astype(np.int32)
    is_closure = (bearers["mechanism"] == "closure.flood").to_numpy()
    height = np.concatenate([_given(assets, equipment, "hauteur_m"), [np.nan]])
    is_given = ~np.isnan(height[stands])
    # the floor of a building says nothing of the box in the chamber beside it
    is_given[is_closure, 1:] = False
    bearers["hauteur_m"] = height[_first(stands, is_given)]
    in_chamber, is_known = _mounting(assets, assets["nd_code"].iloc[bearers["asset"]])
    bearers["in_chamber"] = is_closure & in_chamber
    bearers["is_assumed"] = is_closure & ~is_known
    return bearers.astype({"asset": np.int32})


def autonomy_h(
    network: Network,
    asset: NDArray[np.int64],
    parameters: Parameters,
    level: Level,
    equipment: pd.DataFrame | None = None,
) -> Float:
    """Give how many hours the batteries of rooms last, (n,) float64.

    Parameters
    ----------
    network : Network
    asset : (n,) int64
        Rows of ``network.assets``.
    parameters, level
        ``nro.autonomy_h`` stands where nothing is given.
    equipment : DataFrame, optional
        kind, code, autonomie_h: that of the room wins, else that of its site, else of its node.
    """
    given = np.concatenate([_given(network.assets, equipment, "autonomie_h"), [np.nan]])
    stands = _stands_in(network.assets, asset)
    hours = given[_first(stands, ~np.isnan(given[stands]))]
    return np.where(np.isnan(hours), parameters.at("nro.autonomy_h", level), hours)


def equipment_findings(network: Network, equipment: pd.DataFrame) -> pd.DataFrame:
    """Tell the rows of the table of equipment that no asset answers to: their heights have no effect."""
    key = pd.MultiIndex.from_frame(network.assets[["kind", "code"]])
    unknown = equipment[~pd.MultiIndex.from_frame(equipment[["kind", "code"]]).isin(key)]
    return findings_frame(
        "equipement_inconnu", "mineur", "equipements", code=unknown["code"],
        message="aucun objet " + unknown["kind"].astype(str) + " de ce code : ligne sans effet",
        attribute="code",
    )  # fmt: skip


def _stands_in(assets: pd.DataFrame, asset: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give (n, 3) asset numbers: each asset, the site of its place, the node of its place; -1 = none."""
    place = assets["nd_code"].iloc[asset]
    found = [asset]
    for kind, key in (("site", "nd_code"), ("noeud", "code")):
        of_kind = assets.loc[(assets["kind"] == kind) & (assets[key] != ""), key].drop_duplicates()
        number = pd.Series(of_kind.index, index=of_kind.to_numpy())
        found.append(place.map(number).fillna(-1).to_numpy(np.int64))
    return np.column_stack(found)


def _first(choices: NDArray[np.int64], holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give, for each row, its first choice that holds, -1 where none does."""
    best = np.argmax(holds, axis=1)
    row = np.arange(len(choices))
    return np.where(holds[row, best], choices[row, best], -1)


def _given(assets: pd.DataFrame, equipment: pd.DataFrame | None, column: str) -> Float:
    """Give what the table of equipment says of each asset in one column, NaN where it does not."""
    if equipment is None or column not in equipment:
        return np.full(len(assets), np.nan)
    given = equipment.dropna(subset=[column]).drop_duplicates(["kind", "code"])
    number = pd.MultiIndex.from_frame(given[["kind", "code"]]).get_indexer(
        pd.MultiIndex.from_frame(assets[["kind", "code"]])
    )
    values = np.concatenate([given[column].to_numpy(np.float64), [np.nan]])
    return values[number]  # number -1, not given, is the NaN at the end


def _mounting(assets: pd.DataFrame, place: pd.Series) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell whether a closure is in a chamber (also where that is not known), and whether it is known."""
    ptech = assets[(assets["kind"] == "ptech") & (assets["nd_code"] != "")]
    chamber = place.isin(ptech.loc[ptech["nature"] == "chambre", "nd_code"]).to_numpy()
    above = place.isin(ptech.loc[ptech["nature"].isin(["appui", "facade", "immeuble"]), "nd_code"]).to_numpy()
    return chamber | ~above, chamber ^ above
