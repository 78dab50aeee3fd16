"""One scenario of a study, from deliveries to who is down when and who repairs what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.network import Network
from gracethd.routes import Routes
from resilience.crisis.access import roads_to_works
from resilience.crisis.failing import Chances, failed_assets
from resilience.crisis.optimum import orders_compared
from resilience.crisis.repair import repair_tasks
from resilience.crisis.replay import Works, repaired
from resilience.crisis.resources import crews_of, stock_of, stock_used
from resilience.crisis.timeline import (
    RESTORED,
    counts_down,
    down_over_time,
    hours_until_restored,
    prises_hours,
    situation,
    spans,
)
from resilience.crisis.uncertain import bands
from resilience.crisis.what_if import one_more
from resilience.exposure import expose
from resilience.fragility import failure_probabilities
from resilience.hazards import on_day, with_kinds
from resilience.losses import index_graph
from resilience.outages import outage_exposure
from resilience.same_event import joined, joint_events
from resilience.scenarios import Scenario
from resilience.sections import StudyError, near_name
from resilience.stakes import stakes
from resilience.study import Study

Say = Callable[[str], None]
AT_HOUR = {"abonnes": "abonnes_down_at", "sans_cuivre": "prises_sans_cuivre_at"}
"""Columns of `resilience.stakes.stakes` that a summary sums at its hour, and under which name."""


@dataclass(frozen=True)
class Played:
    """What a scenario gives.

    Attributes
    ----------
    scenario : Scenario
    hour : float
        Of the situation.
    summary : mapping
        hour_of_worst, prises_down_max, prises_stranded_max, patchable_max, prises_h (None where some prises
        never come back), restored_50_h, restored_90_h, restored_99_h (None likewise), n_failed, n_tasks,
        n_crews (None = unlimited), tasks_without_crew, tasks_without_stock, prises_down_at,
        prises_stranded_at and, with the tables abonnes and cuivre, abonnes_down_at and
        prises_sans_cuivre_at (communes whose copper is closed on the day of the crisis).
    curve : DataFrame
        From `resilience.crisis.timeline.down_over_time`.
    tasks : GeoDataFrame
        From `resilience.crisis.dispatch.dispatch`, by turn, with kind, code, libelle, segment, cause,
        geometry.
    crews : DataFrame or None
        From `resilience.crisis.resources.crews_of`.
    stock : DataFrame
        From `resilience.crisis.resources.stock_used`.
    what_if : DataFrame
        From `resilience.crisis.what_if.one_more`.
    orders : DataFrame
    no_optimum : str
        From `resilience.crisis.optimum.orders_compared`.
    bands, totals : DataFrame
        From `resilience.crisis.uncertain.bands`; empty where the scenario draws nothing.
    waiting : DataFrame
        What comes back with the power: kind, code, libelle, failed_at_h, back_at_h.
    areas, sites : DataFrame
        From `resilience.crisis.timeline.situation`.
    """

    scenario: Scenario
    hour: float
    summary: Mapping[str, object]
    curve: pd.DataFrame
    tasks: gpd.GeoDataFrame
    crews: pd.DataFrame | None
    stock: pd.DataFrame
    what_if: pd.DataFrame
    orders: pd.DataFrame
    no_optimum: str
    bands: pd.DataFrame
    totals: pd.DataFrame
    waiting: pd.DataFrame
    areas: pd.DataFrame
    sites: pd.DataFrame


def play(  # noqa: PLR0913 - one argument for each thing that is read
    study: Study,
    name: str,
    network: Network,
    routes: Routes,
    tables: Mapping[str, pd.DataFrame],
    *,
    day: date,
    owners: pd.DataFrame | None = None,
    at_h: float | None = None,
    say: Say = lambda _: None,
) -> Played:
    """Play one scenario of a study on its network.

    Parameters
    ----------
    study : Study
    name : str
        Of the scenario.
    network, routes, tables
        Of the study: `gracethd.network.build_network`, `gracethd.routes.trace_routes`,
        `resilience.tables.load_tables`.
    day : date
        On which maps must be in force, where they do not say another one.
    owners : DataFrame, optional
        From `gracethd.stock.lengths.asset_owners`, where the scenario selects by owner.
    at_h : float, optional
        Hour of the situation that is told; without it the first hour at which most prises are down.
    say : callable
        Told what begins.

    Raises
    ------
    StudyError
        A scenario, an object, a zone, a commune, an owner or an event that does not exist.

    Examples
    --------
    >>> played = play(study, "feu", network, routes, tables, day=date.today())  # doctest: +SKIP
    """
    scenario = scenario_named(study, name)
    crews, stock = crews_of(tables), stock_of(tables)
    graph = routes.nominal
    # copper is closed or not on the day of the crisis
    counts, _ = stakes(routes, tables, on_date=day if scenario.start is None else scenario.start.date())
    weights = np.stack([graph.prises, counts.get("sites", pd.Series(0, counts.index)).to_numpy()], axis=1)
    nominal = index_graph(graph, graph.prises[:, None])
    physical = index_graph(routes.physical, routes.physical.prises[:, None])
    say("pannes")
    possible = _probabilities(study, scenario, network, tables, day)
    chances = Chances(graph, nominal, possible, study.seed, study.loss.draws)
    failures = failed_assets(scenario, network, tables, study.parameters, chances, owners)
    say("réparations")
    tasks = repair_tasks(failures, scenario, network, study.parameters, nominal, weights)
    say("accès")
    tasks, access_h = roads_to_works(
        scenario, tasks, crews, tables.get("routes"), on_day(study.hazards, day), study.parameters
    )
    works = Works(scenario, study.parameters, failures, tasks, crews, stock, access_h, nominal)
    done = repaired(works)
    out = spans(failures, done)
    curve = down_over_time(nominal, physical, out)
    worst_h = float(curve["hour"].iloc[int(curve["prises_down"].to_numpy().argmax())])
    hour = worst_h if at_h is None else at_h
    say("situation")
    areas, sites = situation(hour, out, nominal, physical, routes, tables)
    at_hour = counts_down(hour, out, nominal, counts)
    say("comparaisons")
    orders, no_optimum = orders_compared(works)
    drawn, totals = (
        bands(works, network, seed=study.seed, draws=scenario.draws)
        if scenario.draws
        else (pd.DataFrame(), pd.DataFrame())
    )
    return Played(
        scenario=scenario,
        hour=hour,
        summary={
            **_summary(curve, failures, done, crews, hour, worst_h),
            **{name: int(at_hour[of]) for of, name in AT_HOUR.items() if of in counts},
        },
        curve=curve,
        tasks=_named_tasks(done, failures, network),
        crews=crews,
        stock=stock_used(done, stock),
        what_if=one_more(works),
        orders=orders,
        no_optimum=no_optimum,
        bands=drawn,
        totals=totals,
        waiting=_waiting(failures, network),
        areas=areas,
        sites=sites,
    )


def scenario_named(study: Study, name: str) -> Scenario:
    """Give a scenario of a study.

    Raises
    ------
    StudyError
        When the study has none of that name.
    """
    if name not in study.scenarios:
        known = (
            near_name(name, study.scenarios)
            if study.scenarios
            else "it has none; write [scenarios.NAME] with what fails"
        )
        raise StudyError(f"{study.path.name}: no scenario {name!r}; {known}")
    return study.scenarios[name]


def _probabilities(
    study: Study, scenario: Scenario, network: Network, tables: Mapping[str, pd.DataFrame], day: date
) -> pd.DataFrame:
    """Give the probabilities of failure in the hazards that the scenario names; no row if it names none."""
    named = {rule.hazard for rule in scenario.failures if rule.hazard}
    hazards = [one for one in on_day(study.hazards, day) if {one.name, one.same_event} & named]
    cuts = [one for one in study.outages if {one.name, one.same_event} & named]
    if not hazards and not cuts:
        return pd.DataFrame(columns=["hazard", "scenario"])
    exposure = expose(network, hazards, wet_from_m=study.loss.wet_from_m, level=scenario.level)
    told = with_kinds(exposure, hazards)
    equipment = tables.get("equipements")
    if cuts:
        told = pd.concat([told, outage_exposure(network, equipment, cuts)], ignore_index=True)
    failures = failure_probabilities(
        network, told, study.parameters, scenario.level, equipment=equipment, groups=tables.get("groupes")
    )
    # a scenario may name one map, or the event in which several come together
    joint = joint_events([*hazards, *(cut.as_hazard() for cut in cuts)])
    shared = joined(failures, joint)
    return pd.concat([failures, shared[shared["hazard"].isin(joint["joint"])]], ignore_index=True)


def _summary(
    curve: pd.DataFrame,
    failures: pd.DataFrame,
    done: pd.DataFrame,
    crews: pd.DataFrame | None,
    hour: float,
    worst_h: float,
) -> dict[str, object]:
    state = curve[curve["hour"] <= hour].iloc[-1]
    patchable = curve["prises_down"] - curve["prises_stranded"]
    restored = {f"restored_{share * 100:.0f}_h": hours_until_restored(curve, share) for share in RESTORED}
    return {
        "hour_of_worst": worst_h,
        "prises_down_max": int(curve["prises_down"].max()),
        "prises_stranded_max": int(curve["prises_stranded"].max()),
        "patchable_max": int(patchable.max()),
        "prises_h": _finite(prises_hours(curve)),
        **{key: _finite(value) for key, value in restored.items()},
        "n_failed": int(failures["asset"].nunique()),
        "n_tasks": len(done),
        "n_crews": None if crews is None else len(crews),
        "tasks_without_crew": int((done["missing"] == "competence").sum()),
        "tasks_without_stock": int(((done["missing"] == done["stock"]) & (done["stock"] != "")).sum()),
        "prises_down_at": int(state["prises_down"]),
        "prises_stranded_at": int(state["prises_stranded"]),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _named_tasks(done: pd.DataFrame, failures: pd.DataFrame, network: Network) -> gpd.GeoDataFrame:
    cause = failures.groupby("asset")["cause"].agg(lambda causes: ", ".join(sorted(set(causes))))
    assets = network.assets.iloc[done["asset"]][["kind", "code", "libelle", "segment", "geometry"]]
    rows = pd.concat([done.reset_index(drop=True), assets.reset_index(drop=True)], axis=1)
    rows["cause"] = rows["asset"].map(cause)
    first = ["turn", "kind", "code", "libelle", "segment", "cause", "stage", "skill", "crew"]
    rest = [
        name
        for name in rows.columns
        if name not in {*first, "geometry", "asset", "x", "y", "given_h", "open_h"}
    ]
    ordered = rows.sort_values("turn", ignore_index=True)[[*first, *rest, "geometry"]]
    return gpd.GeoDataFrame(ordered, geometry="geometry", crs=network.assets.crs)


def _waiting(failures: pd.DataFrame, network: Network) -> pd.DataFrame:
    rows = failures[failures["back_at_h"].notna()]
    named = network.assets.iloc[rows["asset"]][["kind", "code", "libelle"]].reset_index(drop=True)
    return pd.concat([named, rows[["failed_at_h", "back_at_h"]].reset_index(drop=True)], axis=1)
