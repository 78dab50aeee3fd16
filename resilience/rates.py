"""Failures apart from events, a year: dig-ups, aerial cuts, burnt cabinets and NRO, lines in moving ground.

For the analyst of the expected annual loss. Each such event breaks one bearer (DESIGN D18, D19), so the
losses of these events add up exactly, unlike those of a flood.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network import Network
from resilience.losses import LossIndex, losses_of_sets
from resilience.parameters import Level, Parameters

AERIAL = ("0", "1", "2")
"""Mountings (typ_imp) at the rate of aerial cuts: telecom poles, power poles and façades, which vehicles,
malice and age reach alike; D18's wind and trees, a hazard of its own, reach the first two only."""
BURIED = ("4", "5", "6", "7", "8")
"""Mountings at the rate of dig-ups: bare earth, gutter, gallery, duct, sewer."""
INDOOR = ("3",)
"""Mountings inside a building, where neither rate applies. Other codes ("9", specific) are unknown."""
GROUND = {"clay": (*AERIAL, *INDOOR), "ground_movement": INDOOR}
"""Kinds of ground that breaks lines every year, by the kilometre, and the mountings that each one spares:
clay swells around ducts, a landslide or a hollow takes poles too. Their curves are ``way.<kind>``."""

COLUMNS = ("asset", "mechanism", "rate_per_year", "repair_h", "length_m", "is_assumed")
_WAY_MECHANISMS = {"aerial_cut": "way.aerial", "dig_up": "way.dig_up"}
_ROOM_MECHANISMS = {"pm_destroyed": "pm.destroyed", "nro_fire": "nro.fire"}


def annual_rates(
    network: Network, parameters: Parameters, level: Level, *, exposure: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Give how often a year each bearer fails apart from any event, and how long it is out.

    Lines fail per kilometre, so that cutting a way in two changes nothing. A line whose mounting is
    unknown takes the worse of the two mechanisms (rate times repair time) and is marked. PM rooms fail as
    street cabinets, unless an NRO stands at the same place: those are indoors, and fail with it. A PM or
    NRO without a recorded room is represented by its site. Swelling clay shears buried lines, and those of
    unknown mounting, per kilometre and class of its map; ground that slides or sinks breaks aerial ones too.

    Parameters
    ----------
    network : Network
    parameters : Parameters
        Those of ``parameters/rates.csv``.
    level : {"low", "central", "high"}
    exposure : DataFrame, optional
        From `resilience.exposure.expose` with its column ``hazard_kind``: only rows of the kinds of `GROUND`
        are read, and a line that no map covers has no row.

    Returns
    -------
    DataFrame
        One row per asset and mechanism, sorted by both: asset (int32, row of ``network.assets``),
        mechanism (dig_up | aerial_cut | pm_destroyed | nro_fire | clay | ground_movement), rate_per_year
        (float64), repair_h, length_m (0 for rooms), is_assumed (bool: the mounting of some of that length is
        unknown).
    """
    parts = [_lines(network.lines, parameters, level), _rooms(network.assets, parameters, level)]
    if exposure is not None and "hazard_kind" in exposure:
        parts += [_in_moving_ground(kind, network.lines, exposure, parameters, level) for kind in GROUND]
    rates = pd.concat(parts, ignore_index=True).sort_values(["asset", "mechanism"], ignore_index=True)
    return rates[list(COLUMNS)]


def rates_loss(index: LossIndex, rates: pd.DataFrame) -> pd.DataFrame:
    """Give the prises·h per year of each mechanism: the sum of rate x prises cut alone x repair time.

    Parameters
    ----------
    index : LossIndex
        Of the nominal graph, with one weight: the prises.
    rates : DataFrame
        From `annual_rates`, as it is or changed by a measure.

    Returns
    -------
    DataFrame
        By mechanism: mechanism, n_bearers, length_m, failures_per_year, prises_h_per_year.
    """
    by_mechanism = rates.assign(prises_h_per_year=rate_losses_of_bearers(index, rates)).groupby("mechanism")
    return by_mechanism.agg(
        n_bearers=("asset", "size"),
        length_m=("length_m", "sum"),
        failures_per_year=("rate_per_year", "sum"),
        prises_h_per_year=("prises_h_per_year", "sum"),
    ).reset_index()


def rate_losses_of_bearers(index: LossIndex, rates: pd.DataFrame) -> NDArray[np.float64]:
    """Give the prises·h per year of each row of `rates`: its exact part of the annual loss."""
    asset = rates["asset"].to_numpy(np.int32)
    cut = losses_of_sets(index, np.arange(len(asset) + 1, dtype=np.int64), asset)[:, 0]
    hours = rates["rate_per_year"].to_numpy(np.float64) * rates["repair_h"].to_numpy(np.float64)
    return np.asarray(hours * cut, np.float64)


def rooms(assets: pd.DataFrame, nature: str) -> NDArray[np.int32]:
    """Give the assets that stand for the rooms of one nature: the rooms, and sites that record none.

    Parameters
    ----------
    assets : DataFrame
        ``Network.assets``.
    nature : {"NRO", "PM"}
    """
    of_nature = assets["nature"] == nature
    is_room = of_nature & (assets["kind"] == "local")
    has_room = assets["nd_code"].isin(_places(assets, is_room))
    is_site = of_nature & (assets["kind"] == "site") & ~has_room
    return np.flatnonzero(is_room | is_site).astype(np.int32)


def _lines(lines: gpd.GeoDataFrame, parameters: Parameters, level: Level) -> pd.DataFrame:
    """Rates of the lines, those of one asset and mechanism put together."""
    cost = {m: _rate(parameters, m, level) * _repair(parameters, m, level) for m in _WAY_MECHANISMS}
    pessimistic = max(sorted(cost), key=cost.__getitem__)
    typ_imp = lines["typ_imp"]
    mechanism = np.select(
        [typ_imp.isin(AERIAL), typ_imp.isin(BURIED), typ_imp.isin(INDOOR)],
        ["aerial_cut", "dig_up", ""],
        default=pessimistic,
    )
    known = typ_imp.isin([*AERIAL, *BURIED, *INDOOR])
    rows = pd.DataFrame(
        {
            "asset": lines["asset"].to_numpy(np.int32),
            "mechanism": mechanism,
            "length_m": lines["length_m"].to_numpy(np.float64),
            "is_assumed": ~known.to_numpy(),
        }
    )
    by_bearer = rows[rows["mechanism"] != ""].groupby(["asset", "mechanism"], as_index=False)
    whole = by_bearer.agg(length_m=("length_m", "sum"), is_assumed=("is_assumed", "any"))
    rate = whole["mechanism"].map({m: _rate(parameters, m, level) for m in _WAY_MECHANISMS}).astype(float)
    repair = whole["mechanism"].map({m: _repair(parameters, m, level) for m in _WAY_MECHANISMS}).astype(float)
    return whole.assign(rate_per_year=rate * whole["length_m"] / 1000.0, repair_h=repair)


def _in_moving_ground(
    kind: str, lines: gpd.GeoDataFrame, exposure: pd.DataFrame, parameters: Parameters, level: Level
) -> pd.DataFrame:
    """Lines in ground that moves, by the worst map where there are several; what is stable has no row."""
    spared = GROUND[kind]
    reached = lines[~lines["typ_imp"].isin(spared)].drop_duplicates("asset")
    unknown = reached.loc[~reached["typ_imp"].isin([*AERIAL, *BURIED]), "asset"]
    rows = exposure[(exposure["hazard_kind"] == kind) & exposure["asset"].isin(reached["asset"])]
    per_km = parameters.curve(f"way.{kind}", level)(rows["intensity_max"].to_numpy(np.float64))
    rows = rows.assign(rate_per_year=per_km * rows["wet_m"].to_numpy(np.float64) / 1000.0)
    by_map = rows.groupby(["asset", "hazard", "scenario"], as_index=False)[["rate_per_year", "wet_m"]].sum()
    worst = by_map.sort_values("rate_per_year", kind="stable").drop_duplicates("asset", keep="last")
    worst = worst[worst["rate_per_year"] > 0]
    return worst[["asset", "rate_per_year"]].assign(
        mechanism=kind,
        length_m=worst["wet_m"],
        is_assumed=worst["asset"].isin(unknown),
        repair_h=parameters.at(f"way.{kind}.repair_h", level),
    )


def _rooms(assets: pd.DataFrame, parameters: Parameters, level: Level) -> pd.DataFrame:
    nro, pm = rooms(assets, "NRO"), rooms(assets, "PM")
    is_nro = np.zeros(len(assets), np.bool_)
    is_nro[nro] = True
    indoor = assets["nd_code"].isin(_places(assets, pd.Series(is_nro, assets.index))).to_numpy()
    frames = []
    for mechanism, asset in {"nro_fire": nro, "pm_destroyed": pm[~indoor[pm]]}.items():
        prefix = _ROOM_MECHANISMS[mechanism]
        frames.append(
            pd.DataFrame(
                {
                    "asset": asset,
                    "mechanism": mechanism,
                    "length_m": 0.0,
                    "is_assumed": False,
                    "rate_per_year": parameters.at(f"{prefix}.rate_per_year", level),
                    "repair_h": parameters.at(f"{prefix}.repair_h", level),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _places(assets: pd.DataFrame, is_kept: pd.Series) -> set[str]:
    """Places of some assets, without the empty code of those that have none."""
    return set(assets.loc[is_kept, "nd_code"].dropna()) - {""}


def _rate(parameters: Parameters, mechanism: str, level: Level) -> float:
    return parameters.at(f"{_WAY_MECHANISMS[mechanism]}.rate_per_km_year", level)


def _repair(parameters: Parameters, mechanism: str, level: Level) -> float:
    return parameters.at(f"{_WAY_MECHANISMS[mechanism]}.repair_h", level)
