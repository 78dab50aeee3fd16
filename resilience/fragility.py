"""Fragility: how likely each bearer is to be out of service after an event, and for how long.

For the analyst of losses and of works. Water has one bearer for each mechanism (DESIGN D18), so that one
flood is not counted six times: rooms of NRO and PM, closures, and buried lines by wet kilometre. All the
rest fails by what it carries and has no row.
"""

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.findings import findings_frame
from gracethd.network.types import Network
from resilience.parameters import Level, Parameters
from resilience.rates import BURIED, rooms

Float = NDArray[np.float64]

COLUMNS = (
    "asset", "hazard", "scenario", "return_period", "mechanism", "p", "repair_h", "is_assumed",
)  # fmt: skip
EVENT = ["hazard", "scenario", "return_period"]
MECHANISMS = ("closure.flood", "nro.flood", "pm.flood", "way.flood")
ROOM_HEIGHTS = {"nro.flood": "nro.floor_m", "pm.flood": "pm.plinth_m"}
ABOVE_GROUND = ("0", "1", "2", "3")
"""Mountings out of its reach: telecom and power poles, façade, inside a building. Others are unknown."""


def failure_probabilities(
    network: Network,
    exposure: pd.DataFrame,
    parameters: Parameters,
    level: Level,
    *,
    equipment: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give the probability that each bearer is out of service after each event, and its repair time.

    - ``nro.flood``, ``pm.flood``: the room, or the site where no room is recorded; a piecewise-linear curve
      of depth above ground (`room_probability`).
    - ``closure.flood``: a box in a chamber, on a pole or façade, once the water is above its mounting (the
      ground where no height is given).
    - ``way.flood``: a buried line, p = 1 - exp(-rate x wet kilometres), so that cutting a way in two, or
      joining two, changes nothing.

    Water that is deeper never lowers a probability, and dry ground never fails.

    Parameters
    ----------
    network : Network
    exposure : DataFrame
        From `resilience.exposure.expose`, for the same network. Not changed.
    parameters : Parameters
        Those of ``parameters/vulnerability.csv``.
    level : {"low", "central", "high"}
    equipment : DataFrame, optional
        kind, code, hauteur_m: height above ground of the floor, plinth or mounting of what stands there.
        It shifts the curve once, by the default height less the given one. For a room, the height given
        for it wins, else the one given for its site, else for its node; for a box, its own only.

    Returns
    -------
    DataFrame
        One row per bearer and event, sorted by (hazard, return_period, asset): asset (int32, row of
        ``network.assets``), hazard, scenario, return_period, mechanism, p (float64, NaN = not mapped, or a
        bearer without any place; `count_bearers` counts them), repair_h, is_assumed (bool: the mounting is
        unknown, the pessimistic one is taken: in a chamber, buried).

    Examples
    --------
    >>> failures = failure_probabilities(network, exposure, parameters, "central")  # doctest: +SKIP
    >>> failures.query("mechanism == 'pm.flood' and p > 0.5")  # doctest: +SKIP
    """
    number, events = _events(exposure)
    depths = exposure[["asset", "intensity_max", "wet_m"]].assign(event=number)
    parts = [
        _points(point_bearers(network, equipment), depths, len(events), parameters, level),
        _lines(network, depths, parameters, level),
    ]
    failures = pd.concat(parts, ignore_index=True).sort_values(["event", "asset"], ignore_index=True)
    repair = pd.Series({name: parameters.at(f"{name}.repair_h", level) for name in MECHANISMS})
    failures["repair_h"] = failures["mechanism"].map(repair).astype(np.float64)
    named = events.take(failures["event"].to_numpy(np.int64)).reset_index(drop=True)
    return pd.concat([named, failures], axis=1)[list(COLUMNS)]


def _events(exposure: pd.DataFrame) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Give the number of the event of each row, and the events, by hazard and return period."""
    hazard, _ = pd.factorize(exposure["hazard"], sort=True)
    period, periods = pd.factorize(exposure["return_period"], sort=True)
    _, first, number = np.unique(hazard * len(periods) + period, return_index=True, return_inverse=True)
    events: pd.DataFrame = exposure[EVENT].take(first)
    return number, events.reset_index(drop=True)


def count_bearers(failures: pd.DataFrame) -> pd.DataFrame:
    """Count, for each event and mechanism, the bearers, those not mapped and those of unknown mounting.

    Returns
    -------
    DataFrame
        hazard, scenario, return_period, mechanism, n_bearers, n_unmapped, n_assumed (int64), and
        expected_failures (sum of p over the mapped ones).
    """
    counted = failures.assign(is_unmapped=failures["p"].isna())
    return (
        counted.groupby([*EVENT, "mechanism"])
        .agg(
            n_bearers=("asset", "size"),
            n_unmapped=("is_unmapped", "sum"),
            n_assumed=("is_assumed", "sum"),
            expected_failures=("p", "sum"),
        )
        .reset_index()
        .sort_values(["hazard", "return_period", "mechanism"], ignore_index=True)
    )


def room_probability(
    mechanism: str, depth_m: Float, hauteur_m: Float, parameters: Parameters, level: Level
) -> Float:
    """Give the probability that water of a depth puts the room of an NRO or a PM out of service.

    The curve is stated on depth above ground for a room at its default height. A given height moves it by
    (default height - given height), once; the parameter ``*.curve_shift_m`` moves it towards deeper
    water. Where the ground is dry nothing fails, even a room whose floor is below it.

    Parameters
    ----------
    mechanism : {"nro.flood", "pm.flood"}
    depth_m : (n,) float64
        Above ground; NaN (not mapped) stays NaN.
    hauteur_m : (n,) float64
        Height of the floor or plinth above ground; NaN = not known, the default height.
    parameters : Parameters
    level : {"low", "central", "high"}

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> from resilience.parameters import default_parameters
    >>> depth, height = np.array([0.75, 0.8, 0.0]), np.array([np.nan, 0.6, np.nan])
    >>> room_probability("pm.flood", depth, height, default_parameters(), "central").round(3).tolist()
    [0.375, 0.075, 0.0]
    """
    nature = mechanism.split(".", maxsplit=1)[0]
    curve = _curves().query("curve == @nature")
    default_m = parameters.at(ROOM_HEIGHTS[mechanism], level)
    shift_m = default_m - np.where(np.isnan(hauteur_m), default_m, hauteur_m)
    depth_on_curve = depth_m + shift_m - parameters.at(f"{nature}.curve_shift_m", level)
    p = np.interp(depth_on_curve, curve["x"].to_numpy(), curve["p"].to_numpy())
    return np.where(np.isnan(depth_m), np.nan, np.where(depth_m > 0, p, 0.0))


@cache
def _curves() -> pd.DataFrame:
    path = files("resilience.parameters") / "curves" / "flood_depth.csv"
    with path.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype={"curve": str, "x": float, "p": float, "source": str})


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
    height = np.concatenate([_given_heights(assets, equipment), [np.nan]])
    is_given = ~np.isnan(height[stands])
    # the floor of a building says nothing of the box in the chamber beside it
    is_given[is_closure, 1:] = False
    bearers["hauteur_m"] = height[_first(stands, is_given)]
    in_chamber, is_known = _mounting(assets, assets["nd_code"].iloc[bearers["asset"]])
    bearers["in_chamber"] = is_closure & in_chamber
    bearers["is_assumed"] = is_closure & ~is_known
    return bearers.astype({"asset": np.int32})


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


def _given_heights(assets: pd.DataFrame, equipment: pd.DataFrame | None) -> Float:
    if equipment is None or "hauteur_m" not in equipment:
        return np.full(len(assets), np.nan)
    given = equipment.dropna(subset=["hauteur_m"]).drop_duplicates(["kind", "code"])
    number = pd.MultiIndex.from_frame(given[["kind", "code"]]).get_indexer(
        pd.MultiIndex.from_frame(assets[["kind", "code"]])
    )
    height = np.concatenate([given["hauteur_m"].to_numpy(np.float64), [np.nan]])
    return height[number]  # number -1, not given, is the NaN at the end


def _mounting(assets: pd.DataFrame, place: pd.Series) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell whether a closure is in a chamber (also where that is not known), and whether it is known."""
    ptech = assets[(assets["kind"] == "ptech") & (assets["nd_code"] != "")]
    chamber = place.isin(ptech.loc[ptech["nature"] == "chambre", "nd_code"]).to_numpy()
    above = place.isin(ptech.loc[ptech["nature"].isin(["appui", "facade", "immeuble"]), "nd_code"]).to_numpy()
    return chamber | ~above, chamber ^ above


def _points(
    bearers: pd.DataFrame, depths: pd.DataFrame, n_events: int, parameters: Parameters, level: Level
) -> pd.DataFrame:
    rows = bearers.merge(pd.DataFrame({"event": np.arange(n_events)}), how="cross")
    # a place is a point: it has one row per event
    at_place = depths.loc[depths["asset"].isin(bearers["at"]), ["asset", "event", "intensity_max"]]
    at_place = at_place.rename(columns={"asset": "at"})
    rows = rows.merge(at_place, on=["at", "event"], how="left", validate="m:1")
    depth_m, hauteur_m = rows["intensity_max"].to_numpy(np.float64), rows["hauteur_m"].to_numpy(np.float64)
    p = np.full(len(rows), np.nan)
    for mechanism in ROOM_HEIGHTS:
        of = (rows["mechanism"] == mechanism).to_numpy()
        p[of] = room_probability(mechanism, depth_m[of], hauteur_m[of], parameters, level)
    chamber, pole = (parameters.at(f"closure.{where}.p", level) for where in ("chamber", "pole"))
    once_wet = np.where(rows["in_chamber"].to_numpy(), chamber, pole)
    is_wet = (depth_m > 0) & (depth_m > np.nan_to_num(hauteur_m, nan=0.0))
    of = (rows["mechanism"] == "closure.flood").to_numpy()
    p[of] = np.where(np.isnan(depth_m), np.nan, np.where(is_wet, once_wet, 0.0))[of]
    return rows[["asset", "event", "mechanism", "is_assumed"]].assign(p=p)


def _lines(network: Network, depths: pd.DataFrame, parameters: Parameters, level: Level) -> pd.DataFrame:
    lines = network.lines.drop_duplicates("asset")
    bearers = lines.loc[~lines["typ_imp"].isin(ABOVE_GROUND), ["asset", "typ_imp"]]
    is_assumed = pd.Series(~bearers["typ_imp"].isin(BURIED).to_numpy(), index=bearers["asset"].to_numpy())
    rows = depths.loc[depths["asset"].isin(bearers["asset"]), ["asset", "event", "wet_m"]]
    whole = rows.groupby(["asset", "event"], as_index=False)[["wet_m"]].sum(min_count=1)
    rate = parameters.at("way.buried.rate_per_wet_km", level)
    p = -np.expm1(-rate * whole["wet_m"].to_numpy(np.float64) / 1000.0)
    return whole.assign(p=p, mechanism="way.flood", is_assumed=whole["asset"].map(is_assumed).astype(bool))
