"""Fragility: how likely each bearer is to be out of service after an event, and for how long.

For the analyst of losses and of works. Each mechanism has one bearer (DESIGN D18), so that one flood is not
counted six times: water the rooms of NRO and PM, closures, and buried lines by wet kilometre; fast water the
bridges with all that crosses them; wind and fire the aerial lines; a power cut the rooms of NRO. All the rest
fails by what it carries and has no row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.types import Network
from resilience.bearers import autonomy_h, point_bearers
from resilience.hazards import EVENT_KINDS
from resilience.parameters import Level, Parameters
from resilience.rates import BURIED, INDOOR
from resilience.shared_risk import crossings

Float = NDArray[np.float64]

COLUMNS = (
    "asset", "hazard", "scenario", "return_period", "mechanism", "p", "repair_h", "is_assumed", "fails_with",
)  # fmt: skip
EVENT = ["hazard", "scenario", "return_period"]
ROOM_HEIGHTS = {"nro.flood": "nro.floor_m", "pm.flood": "pm.plinth_m"}
FACADE = ("2",)
BRIDGE = "PON"
"""The ``passage`` of a way on a bridge."""
POLES = ("0", "1")
"""Mountings on poles, telecom or power: what wind and trees bring down."""
WATER = ("flood_depth", "flood_extent", "flood_level")
"""Kinds of hazard that are water: its depth, or where it stood."""


@dataclass(frozen=True)
class LineMechanism:
    """How one kind of hazard breaks lines.

    Attributes
    ----------
    kinds : tuple of str
        Of the hazard.
    spared : tuple of str
        Mountings (typ_imp) out of its reach; those neither spared nor `certain` are unknown, and take it.
    certain : tuple of str
        Mountings in its reach.
    """

    kinds: tuple[str, ...]
    spared: tuple[str, ...]
    certain: tuple[str, ...]


LINES: Mapping[str, LineMechanism] = {
    "way.fire": LineMechanism(("fire",), (*BURIED, *INDOOR), (*POLES, *FACADE)),
    "way.flood": LineMechanism(WATER, (*POLES, *FACADE, *INDOOR), BURIED),
    "way.wind": LineMechanism(("gust",), (*BURIED, *FACADE, *INDOOR), POLES),
}
"""Lines that break by the kilometre; those on bridges ("way.scour", flood_velocity) break by crossing."""
MECHANISMS = (
    "closure.flood",
    "closure.groundwater",
    "nro.flood",
    "nro.power",
    "pm.flood",
    "way.scour",
    *LINES,
)


def failure_probabilities(
    network: Network,
    exposure: pd.DataFrame,
    parameters: Parameters,
    level: Level,
    *,
    equipment: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give the probability that each bearer is out of service after each event, and its repair time.

    - ``nro.flood``, ``pm.flood``: the room, or the site where no room is recorded; a curve of depth above
      ground (`room_probability`).
    - ``closure.flood``: a box in a chamber, on a pole or façade, by the depth above its mounting (the ground
      where no height is given).
    - ``closure.groundwater``: a box in a chamber, by the class of a map of rising groundwater; rooms stand
      above the ground, and no map says what their cellars hold.
    - ``way.flood`` (buried), ``way.wind``, ``way.fire`` (aerial): a line, p = 1 - exp(-failures per km x km
      concerned), so that cutting a way in two, or joining two, changes nothing. A curve of probability (wind,
      fire) is that of one span of ``pole.per_km``; in wind, spans under trees (the metres that a hazard of
      kind ``woods`` has) have ``pole.near_wood.factor`` times the odds.
    - ``way.scour``: what crosses a bridge under fast water (`resilience.shared_risk.crossings`). The bridge
      goes once, with the probability of the curve, and all that crosses it goes with it: its rows have the
      same `fails_with`.
    - ``nro.power``: the room of an NRO inside a power cut (of ``outage.duration_h``, or of the column
      ``outage_h`` of `exposure`) that is longer than its batteries last (``autonomie_h`` of `equipment`, else
      ``nro.autonomy_h``); it is out for the rest.

    Where a flood is only known by its extent, its depth is ``flood.extent_m``.

    Water that is deeper never lowers a probability, and dry ground never fails. A line of unknown mounting
    takes the mechanisms of buried and of aerial ones, and is marked.

    Parameters
    ----------
    network : Network
    exposure : DataFrame
        From `resilience.exposure.expose`, for the same network. Not changed. Its column ``hazard_kind`` says
        which mechanisms read the row (those of `EVENT_KINDS` are read); without it all are depths of water.
    parameters : Parameters
        Those of ``parameters/vulnerability.csv`` and the curves.
    level : {"low", "central", "high"}
    equipment : DataFrame, optional
        kind, code, hauteur_m: height above ground of the floor, plinth or mounting of what stands there.
        It shifts the curve once, by the default height less the given one. For a room, the height given
        for it wins, else the one given for its site, else for its node; for a box, its own only. Also
        autonomie_h: hours that batteries last, found in the same way.
    groups : DataFrame, optional
        The table groupes, for the bridges that it names (column ``passage``).

    Returns
    -------
    DataFrame
        One row per bearer and event, sorted by (hazard, return_period, asset, mechanism): asset (int32, row
        of ``network.assets``), hazard, scenario, return_period, mechanism, p (float64, NaN = not mapped, or
        a bearer without any place; `count_bearers` counts them), repair_h, is_assumed (bool: the mounting is
        unknown, the pessimistic one is taken: in a chamber, buried, aerial), fails_with (rows with one name
        fail in the same draws; "" = on its own).

    Examples
    --------
    >>> failures = failure_probabilities(network, exposure, parameters, "central")  # doctest: +SKIP
    >>> failures.query("mechanism == 'pm.flood' and p > 0.5")  # doctest: +SKIP
    """
    number, events = _events(exposure)
    kind = events.pop("hazard_kind")
    of_kind = {str(name): kind.index[kind == name].to_numpy() for name in EVENT_KINDS}
    read = [name for name in ("asset", "intensity_max", "wet_m", "outage_h") if name in exposure]
    rows = exposure[read].assign(event=number)
    by_extent = rows["event"].isin(of_kind["flood_extent"])
    rows.loc[by_extent, "intensity_max"] *= parameters.at("flood.extent_m", level)
    wet = np.sort(np.concatenate([of_kind[name] for name in WATER]))
    bearers = point_bearers(network, equipment)
    parts = [_flooded(_at_events(bearers, rows, wet), parameters, level)]
    parts.append(
        _soaked(_at_events(bearers[bearers["in_chamber"]], rows, of_kind["groundwater"]), parameters, level)
    )
    off = rows[rows["event"].isin(of_kind["outage"])]
    parts.append(_without_power(network, off, parameters, level, equipment))
    under_trees = _under_trees(exposure)
    for mechanism, bearer in LINES.items():
        concerned = rows[kind.isin(bearer.kinds).to_numpy()[number]]
        parts.append(_lines(network, mechanism, concerned, under_trees, parameters, level))
    fast = rows[rows["event"].isin(of_kind["flood_velocity"])]
    parts = [part.assign(fails_with="") for part in parts]
    parts.append(_crossings(network, fast, parameters, level, groups))
    parts = [part for part in parts if len(part)] or parts[:1]
    failures = pd.concat(parts, ignore_index=True)
    failures = failures.sort_values(["event", "asset", "mechanism"], ignore_index=True)
    repair = {name: parameters.at(f"{name}.repair_h", level) for name in MECHANISMS if name != "nro.power"}
    own = failures["repair_h"]
    failures["repair_h"] = own.where(own.notna(), failures["mechanism"].map(repair)).astype(np.float64)
    named = events.take(failures["event"].to_numpy(np.int64)).reset_index(drop=True)
    return pd.concat([named, failures], axis=1)[list(COLUMNS)]


def of_a_year(failures: pd.DataFrame) -> pd.DataFrame:
    """Leave out events without a return period: an observed flood, a step of a rising water."""
    return failures[failures["return_period"].notna()].reset_index(drop=True)


def _events(exposure: pd.DataFrame) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Give the number of the event of each row, and the events, by hazard, return period and scenario."""
    number = np.zeros(len(exposure), np.int64)
    for column in ("hazard", "return_period", "scenario"):
        code, values = pd.factorize(exposure[column], sort=True)
        number = number * (len(values) + 1) + code + 1  # 0 = no return period
    _, first, number = np.unique(number, return_index=True, return_inverse=True)
    events: pd.DataFrame = exposure[EVENT].take(first).reset_index(drop=True)
    kinds = exposure["hazard_kind"].take(first).to_numpy() if "hazard_kind" in exposure else "flood_depth"
    return number, events.assign(hazard_kind=kinds)


def _under_trees(exposure: pd.DataFrame) -> "pd.Series[float]":
    """Give the share of each line that stands under trees, by asset."""
    if "hazard_kind" not in exposure:
        return pd.Series(dtype=np.float64)
    woods = exposure[(exposure["hazard_kind"] == "woods") & (exposure["length_m"] > 0)]
    metres = woods.groupby(["asset", "hazard", "scenario"])[["wet_m", "length_m"]].sum()
    return (metres["wet_m"] / metres["length_m"]).groupby("asset").max()


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
    default_m = parameters.at(ROOM_HEIGHTS[mechanism], level)
    shift_m = default_m - np.where(np.isnan(hauteur_m), default_m, hauteur_m)
    depth_on_curve = depth_m + shift_m - parameters.at(f"{nature}.curve_shift_m", level)
    p = parameters.curve(mechanism, level)(depth_on_curve)
    return np.where(np.isnan(depth_m), np.nan, np.where(depth_m > 0, p, 0.0))


def _without_power(
    network: Network,
    exposure: pd.DataFrame,
    parameters: Parameters,
    level: Level,
    equipment: pd.DataFrame | None,
) -> pd.DataFrame:
    """Rooms of NRO in a power cut: they last their batteries, then wait for the mains."""
    bearers = point_bearers(network, equipment)
    powered = bearers[bearers["mechanism"] == "nro.flood"]
    lasts_h = autonomy_h(network, powered["asset"].to_numpy(np.int64), parameters, level, equipment)
    rows = _at_events(powered.assign(lasts_h=lasts_h), exposure, exposure["event"].unique())
    is_off = rows["intensity_max"].to_numpy(np.float64)
    lasting = (
        exposure.groupby("event")["outage_h"].max() if "outage_h" in exposure else pd.Series(dtype=float)
    )
    off_h = rows["event"].map(lasting).fillna(parameters.at("outage.duration_h", level))
    left_h = off_h.to_numpy(np.float64) - rows["lasts_h"].to_numpy(np.float64)
    p = np.where(np.isnan(is_off), np.nan, np.where((is_off > 0) & (left_h > 0), 1.0, 0.0))
    # what does not fail still has a repair time in its row, as every other bearer
    return rows[["asset", "event"]].assign(
        mechanism="nro.power", p=p, repair_h=np.where(left_h > 0, left_h, 1.0), is_assumed=False
    )


def _at_events(bearers: pd.DataFrame, exposure: pd.DataFrame, events: NDArray[np.int64]) -> pd.DataFrame:
    """Give each bearer a row per event with the intensity at its place, NaN where it is not mapped."""
    rows = bearers.merge(pd.DataFrame({"event": events}), how="cross")
    # a place is a point: it has one row per event
    at_place = exposure.loc[exposure["asset"].isin(bearers["at"]), ["asset", "event", "intensity_max"]]
    at_place = at_place.rename(columns={"asset": "at"})
    return rows.merge(at_place, on=["at", "event"], how="left", validate="m:1")


def _flooded(rows: pd.DataFrame, parameters: Parameters, level: Level) -> pd.DataFrame:
    depth_m, hauteur_m = rows["intensity_max"].to_numpy(np.float64), rows["hauteur_m"].to_numpy(np.float64)
    p = np.full(len(rows), np.nan)
    for mechanism in ROOM_HEIGHTS:
        of = (rows["mechanism"] == mechanism).to_numpy()
        p[of] = room_probability(mechanism, depth_m[of], hauteur_m[of], parameters, level)
    is_closure = (rows["mechanism"] == "closure.flood").to_numpy()
    in_chamber = rows["in_chamber"].to_numpy()
    above_m = depth_m - np.nan_to_num(hauteur_m, nan=0.0)
    for name, of in (("chamber", is_closure & in_chamber), ("pole", is_closure & ~in_chamber)):
        once_wet = parameters.curve(f"closure.{name}", level)(above_m[of])
        is_mapped = ~np.isnan(depth_m[of])
        p[of] = np.where(is_mapped, np.where((depth_m[of] > 0) & (above_m[of] > 0), once_wet, 0.0), np.nan)
    return rows[["asset", "event", "mechanism", "is_assumed"]].assign(p=p, repair_h=np.nan)


def _soaked(rows: pd.DataFrame, parameters: Parameters, level: Level) -> pd.DataFrame:
    """Closures in chambers that groundwater fills from below."""
    rank = rows["intensity_max"].to_numpy(np.float64)
    p = parameters.curve("closure.groundwater", level)(rank)
    return rows[["asset", "event", "is_assumed"]].assign(
        mechanism="closure.groundwater", p=np.where(np.isnan(rank), np.nan, p), repair_h=np.nan
    )


def _lines(
    network: Network,
    mechanism: str,
    exposure: pd.DataFrame,
    under_trees: "pd.Series[float]",
    parameters: Parameters,
    level: Level,
) -> pd.DataFrame:
    """Lines that one kind of hazard breaks by the kilometre."""
    of = LINES[mechanism]
    lines = network.lines.drop_duplicates("asset")
    bearers = lines.loc[~lines["typ_imp"].isin(of.spared), ["asset", "typ_imp"]]
    is_assumed = pd.Series(~bearers["typ_imp"].isin(of.certain).to_numpy(), bearers["asset"].to_numpy())
    rows = exposure[exposure["asset"].isin(bearers["asset"])]
    trees = np.asarray(rows["asset"].map(under_trees).fillna(0.0), np.float64)
    expected = rows[["asset", "event"]].assign(
        n=_failures_expected(mechanism, rows, trees, parameters, level)
    )
    # the pieces of a line outside the map are unknown, not safe: it is judged on those inside, if any
    whole = expected.groupby(["asset", "event"], as_index=False)[["n"]].sum(min_count=1)
    return whole[["asset", "event"]].assign(
        mechanism=mechanism,
        p=-np.expm1(-whole["n"].to_numpy(np.float64)),
        repair_h=np.nan,
        is_assumed=whole["asset"].map(is_assumed).astype(bool),
    )


def _failures_expected(
    mechanism: str, rows: pd.DataFrame, under_trees: Float, parameters: Parameters, level: Level
) -> Float:
    """Give failures per kilometre x kilometres concerned; infinite where failing is certain."""
    curve = parameters.curve(mechanism, level)
    km = rows["wet_m"].to_numpy(np.float64) / 1000.0
    at = curve(rows["intensity_max"].to_numpy(np.float64))
    if curve.form == "rate":
        return np.where(km > 0, at * km, km)
    odds = parameters.at("pole.near_wood.factor", level) if mechanism == "way.wind" else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):  # a certain failure is infinitely many
        in_the_open, near_wood = (-np.log1p(-at / (at + (1.0 - at) / times)) for times in (1.0, odds))
        # an infinite number times no metre is none
        open_km, wood_km = km * (1.0 - under_trees), km * under_trees
        per_km = [
            np.where(part > 0, n * part, 0.0) for n, part in ((in_the_open, open_km), (near_wood, wood_km))
        ]
    return np.where(km > 0, parameters.at("pole.per_km", level) * np.add(*per_km), km)


def _crossings(
    network: Network,
    exposure: pd.DataFrame,
    parameters: Parameters,
    level: Level,
    groups: pd.DataFrame | None,
) -> pd.DataFrame:
    """Give what crosses a bridge under fast water: all of it meets the fastest that any of it does."""
    columns = ["asset", "event", "mechanism", "p", "repair_h", "is_assumed", "fails_with"]
    if exposure.empty:
        return pd.DataFrame(columns=columns)
    across = crossings(network, groups)
    across = across.loc[across["passage"] == BRIDGE, ["code", "asset"]]
    met = exposure[["asset", "event", "intensity_max"]].merge(across, on="asset")
    fastest = met.groupby(["code", "event"], as_index=False)["intensity_max"].max()
    fastest["p"] = parameters.curve("way.scour", level)(fastest["intensity_max"].to_numpy(np.float64))
    rows = across.merge(fastest, on="code").astype({"asset": np.int32})
    named = "ouvrage:" + rows["code"]
    return rows.assign(mechanism="way.scour", repair_h=np.nan, is_assumed=False, fails_with=named)[columns]
