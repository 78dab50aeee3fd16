"""Which assets a scenario takes down, when, and when power comes back by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gracethd.network import Network
from gracethd.service import ServiceGraph
from resilience.bearers import autonomy_h
from resilience.exposure.coverage import read_area
from resilience.loss.draws import failures_of_draws, keys_of_assets, mix, text_keys
from resilience.loss.events import events_of, sample_event
from resilience.losses import LossIndex
from resilience.objects import rows_named
from resilience.outages import zones_of_assets
from resilience.parameters import Parameters
from resilience.rates import AERIAL, BURIED, rooms
from resilience.scenarios import FailureRule, Outage, Scenario
from resilience.sections import StudyError, near_name
from resilience.shared_risk import GROUP_KINDS, risk_groups
from resilience.stakes import communes_around

Numbers = NDArray[np.int32]
COLUMNS = ("asset", "failed_at_h", "back_at_h", "cut_at_h", "repair_h", "cause")
_MOUNTINGS = {"aerien": AERIAL, "souterrain": BURIED}


@dataclass(frozen=True)
class Chances:
    """What the hazards of a study can break, and how states of an event are drawn.

    Attributes
    ----------
    graph, index : ServiceGraph, LossIndex
        The nominal graph, and its index for one weight, the prises: drawn states are ordered by prises·h.
    failures : DataFrame
        From `resilience.fragility.failure_probabilities`, of one level; empty where no hazard is named.
    seed, draws : int
    """

    graph: ServiceGraph
    index: LossIndex
    failures: pd.DataFrame
    seed: int
    draws: int


def failed_assets(
    scenario: Scenario,
    network: Network,
    tables: Mapping[str, pd.DataFrame],
    parameters: Parameters,
    chances: Chances,
    owners: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List what fails in a scenario.

    Parameters
    ----------
    scenario : Scenario
    network : Network
    tables : mapping of str to DataFrame
        Those of `resilience.tables.load_tables`; of use here: equipements (zone_elec, autonomie_h), groupes,
        communes.
    parameters : Parameters
    chances : Chances
        Of the level of the scenario.
    owners : DataFrame, optional
        From `gracethd.stock.lengths.asset_owners`; of use where a selection names an owner.

    Returns
    -------
    DataFrame
        One row per asset and cause, sorted by (failed_at_h, asset, cause): asset (int32), failed_at_h,
        back_at_h (NaN: until it is repaired; otherwise when the mains are back), cut_at_h (when they went, or
        NaN), repair_h (hours until it works
        again, NaN: as the parameters have it), cause (``objets``, ``selection``, ``coupure`` or the name of
        the hazard).

    Raises
    ------
    StudyError
        An object, a zone, a commune, an owner or an event that does not exist, a selection in which nothing
        is.

    Examples
    --------
    >>> failed_assets(scenario, network, {}, parameters, chances)["asset"]  # doctest: +SKIP
    """
    parts = []
    for number, rule in enumerate(scenario.failures):
        where = f"scenarios.{scenario.name}.failures[{number}]"
        if rule.hazard:
            rows = _drawn_state(rule, network, chances, where)
        elif rule.objects:
            rows = pd.DataFrame({"asset": _named(rule, network, tables, where), "cause": "objets"})
        else:
            draw = f"{chances.seed}/{scenario.name}/{number}"
            chosen = _selected(rule, network, tables, owners, draw, where)
            rows = pd.DataFrame({"asset": chosen, "cause": "selection"})
        if rule.repair_h is not None:
            rows["repair_h"] = rule.repair_h
        parts.append(rows.assign(failed_at_h=rule.at_h))
    parts += [_without_power(one, scenario, network, tables, parameters) for one in scenario.outages]
    out = pd.concat(parts, ignore_index=True).reindex(columns=list(COLUMNS))
    out = out.astype(
        {"asset": np.int32, "cause": str, "back_at_h": float, "cut_at_h": float, "repair_h": float}
    )
    return out.sort_values(["failed_at_h", "asset", "cause"], ignore_index=True).drop_duplicates(
        ignore_index=True
    )


def within(
    geometry: NDArray[np.object_], path: Path, crs: pyproj.CRS | None, where: str
) -> NDArray[np.bool_]:
    """Tell which shapes touch the areas of a layer; what has no geometry touches none."""
    return np.asarray(
        shapely.intersects(read_area(path, pyproj.CRS.from_user_input(crs), role=where), geometry), np.bool_
    )


def _named(rule: FailureRule, network: Network, tables: Mapping[str, pd.DataFrame], where: str) -> Numbers:
    assets = pd.DataFrame(network.assets[["kind", "code"]]).reset_index(names="asset")
    if any(one.partition(":")[0] in GROUP_KINDS for one in rule.objects):
        assets = pd.concat([assets, risk_groups(network, tables)[["asset", "kind", "code"]]])
    named = assets["asset"].to_numpy(np.int32)[rows_named(assets, rule.objects, where=where)]
    return np.unique(named)


def _selected(
    rule: FailureRule,
    network: Network,
    tables: Mapping[str, pd.DataFrame],
    owners: pd.DataFrame | None,
    draw: str,
    where: str,
) -> Numbers:
    assets = network.assets
    keep = np.ones(len(assets), np.bool_)
    for name in ("kind", "segment", "nature"):
        if value := getattr(rule, name):
            keep &= (assets[name] == value).to_numpy()
    if rule.mounting:
        lines = network.lines
        keep &= assets.index.isin(lines.loc[lines["typ_imp"].isin(_MOUNTINGS[rule.mounting]), "asset"])
    if rule.owner:
        keep &= _owned_by(rule.owner, assets, owners, where)
    if rule.commune:
        keep &= _in_commune(rule.commune, assets, keep, tables, where)
    if rule.polygon is not None:
        keep &= within(assets.geometry.to_numpy(), rule.polygon, assets.crs, where)
    chosen = np.flatnonzero(keep).astype(np.int32)
    if not len(chosen):
        raise StudyError(f"{where}: no object of the network fits this selection; widen it")
    if rule.share == 1.0:
        return chosen
    state = mix(mix(text_keys([draw])) ^ keys_of_assets(assets.loc[chosen, ["kind", "code"]]))
    # the assets of the smallest numbers: exactly the share, and a larger one holds a smaller one
    n = max(1, round(rule.share * len(chosen)))
    return np.sort(chosen[np.argsort(state, kind="stable")[:n]])


def _owned_by(
    owner: str, assets: gpd.GeoDataFrame, owners: pd.DataFrame | None, where: str
) -> NDArray[np.bool_]:
    if owners is None or owners.empty:
        raise StudyError(f"{where}: owner {owner!r} is named, and the inventory tells no owner of anything")
    of_owner = owners[owners["owner"] == owner]
    if of_owner.empty:
        known = ", ".join(repr(one) for one in sorted(owners["owner"].unique()))
        raise StudyError(f"{where}: nothing belongs to an owner {owner!r}; known: {known}")
    named = pd.MultiIndex.from_frame(assets[["kind", "code"]])
    return np.asarray(named.isin(pd.MultiIndex.from_frame(of_owner[["kind", "code"]])), np.bool_)


def _in_commune(
    commune: str,
    assets: gpd.GeoDataFrame,
    keep: NDArray[np.bool_],
    tables: Mapping[str, pd.DataFrame],
    where: str,
) -> NDArray[np.bool_]:
    communes = tables.get("communes")
    if not isinstance(communes, gpd.GeoDataFrame):
        raise StudyError(f"{where}: a commune is named; give their areas in [tables] communes")
    if commune not in set(communes["code_insee"]):
        near = near_name(commune, communes["code_insee"])
        raise StudyError(f"{where}: no commune {commune!r} in the table communes; {near}")
    out = np.zeros(len(assets), np.bool_)
    points = shapely.point_on_surface(assets.geometry.to_numpy()[keep])
    out[keep] = (communes_around(points, communes)["code_insee"] == commune).to_numpy()
    return out


def _drawn_state(rule: FailureRule, network: Network, chances: Chances, where: str) -> pd.DataFrame:
    """Give what fails in the drawn state of an event that stands at a quantile of prises·h."""
    rows = chances.failures
    of_event = rows[(rows["hazard"] == rule.hazard) & (rows["scenario"] == rule.event)]
    if of_event.empty:
        events = sorted({f"{h} / {s}" for h, s in rows[["hazard", "scenario"]].itertuples(index=False)})
        named = ", ".join(events) or "none"
        raise StudyError(f"{where}: no event {rule.event!r} of a hazard {rule.hazard!r}; events: {named}")
    # one state of the world, whatever its frequency
    (event,) = events_of(
        chances.graph,
        of_event.assign(return_period=1.0),
        asset_keys=keys_of_assets(network.assets),
        seed=chances.seed,
    )
    samples = sample_event(chances.index, event, draws=chances.draws)
    hours = np.concatenate([sample.hours[:, 0] for sample in samples])
    place = max(0, int(np.ceil(rule.quantile * chances.draws)) - 1)
    draw = int(np.argsort(hours, kind="stable")[place])
    _, row = failures_of_draws(event.bearers, range(draw, draw + 1))
    state = pd.DataFrame({"asset": event.bearers.asset[row], "repair_h": event.bearers.repair_h[row]})
    return state.drop_duplicates("asset").assign(cause=rule.hazard)  # the slowest repair comes first


def _without_power(
    outage: Outage,
    scenario: Scenario,
    network: Network,
    tables: Mapping[str, pd.DataFrame],
    parameters: Parameters,
) -> pd.DataFrame:
    """NRO of a power zone: they last their batteries, then wait for the mains; PM need no power."""
    equipment = tables.get("equipements")
    known = set() if equipment is None else set(equipment["zone_elec"].fillna("").astype(str)) - {""}
    if outage.zone_elec not in known:
        cure = (
            near_name(outage.zone_elec, known)
            if known
            else "name [tables] equipements, with its column zone_elec"
        )
        raise StudyError(
            f"scenarios.{scenario.name}.outages: no equipment stands in the power zone"
            f" {outage.zone_elec!r}; {cure}"
        )
    zone = zones_of_assets(network.assets, equipment)
    nro = rooms(network.assets, "NRO")
    of_zone = nro[np.isin(nro, zone.loc[zone["zone_elec"] == outage.zone_elec, "asset"])]
    lasts = autonomy_h(network, of_zone.astype(np.int64), parameters, scenario.level, equipment)
    falls = lasts < outage.hours
    return pd.DataFrame(
        {
            "asset": of_zone[falls],
            "failed_at_h": outage.at_h + lasts[falls],
            "back_at_h": outage.at_h + outage.hours,
            "cut_at_h": outage.at_h,
            "cause": "coupure",
        }
    )
