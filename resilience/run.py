"""The main job: everything that a study names, stage by stage, from deliveries to plan.

`analyse` runs in memory, for notebooks; `resilience.outputs.folder.write_results` writes what people open.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from gracethd.deliveries import Tell
from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.reading import read
from gracethd.routes import Routes, trace_routes
from gracethd.stock.lengths import asset_owners
from resilience.backtest import back_test
from resilience.bearers import equipment_findings
from resilience.exposure import (
    coverage_findings,
    expose_levels,
    layer_findings,
    layers_near,
    unmapped_by_commune,
)
from resilience.follow_up import choose_followed
from resilience.fragility import failure_probabilities, of_a_year
from resilience.hazards import flood_rows, hazard_findings, on_day, recurrent_floods, with_kinds
from resilience.incidents import update_rates
from resilience.loops import loops
from resilience.loss import (
    Sampling,
    Until,
    contributions,
    event_losses,
    failure_frequency,
    group_weights,
    keys_of_assets,
    loss_table,
    losses_by_convention,
    losses_by_group,
    losses_by_kind,
    units_of,
    yearly_loss,
)
from resilience.loss.workers import Workers, cluster, processes
from resilience.losses import index_graph
from resilience.measures import Surroundings, own_drafts, propose, situations
from resilience.measures.catalogue import works_of
from resilience.mechanisms import effect_findings
from resilience.objects import told_of_assets
from resilience.outages import outage_exposure
from resilience.parameters import LEVELS, Level
from resilience.power import power_cuts
from resilience.rates import GROUND, annual_rates
from resilience.results import MIN_PRISES, Results
from resilience.roads import road_graph
from resilience.same_event import joined, joint_events, same_event_findings
from resilience.sensitivity import Setting, one_at_a_time_table
from resilience.series import series
from resilience.shared_risk import risk_groups
from resilience.spof import collapse, spof
from resilience.study import Study
from resilience.tables import load_tables

if TYPE_CHECKING:
    import networkx as nx

Say = Callable[[str], None]


def analyse(
    study: Study,
    *,
    day: date,
    say: Say = lambda _: None,
    count: Tell = lambda _done, _all: None,
    scheduler: str | None = None,
) -> Results:
    """Run every stage that a study has the inputs for.

    Parameters
    ----------
    study : Study
        From `resilience.study.load_study`.
    day : date
        Of the results: works of the plan start the year after.
    say : callable
        Told the name of each stage as it begins.
    count : callable
        Told how many deliveries have been read and how many there are, after each.
    scheduler : str, optional
        Address of a Dask cluster that evaluates the draws of events and of the plan, instead of processes of
        this machine.

    Raises
    ------
    GraceTHDError
        Any input that cannot be used, in the user's words.
    """
    clock = _Clock(say)
    inventory, network, routes, tables, owners = _laid_out(study, clock, count)
    own = own_drafts(tables["options"], network) if "options" in tables else []
    study, log, found = _with_incidents(study, tables, network)
    clock.start("exposition")
    equipment = tables.get("equipements")
    hazards = on_day(study.hazards, day)
    floods = recurrent_floods(hazards)
    layers = layers_near(network, hazards)
    exposed = expose_levels(network, hazards, wet_from_m=study.loss.wet_from_m, layers=layers)
    exposure = exposed["central"]
    wet = flood_rows(exposure, hazards)
    told = _told(study, network, exposed, equipment)
    every, rates = _what_fails(study, network, told, tables)
    coming = [*hazards, *(cut.as_hazard() for cut in study.outages)]
    joint = joint_events(coming)
    failures = {level: of_a_year(joined(rows, joint)) for level, rows in every.items()}
    clock.start("points uniques de défaillance")
    often = failure_frequency(
        failures["central"],
        rates["central"],
        n_assets=len(network.assets),
        tail=study.loss.tail,
        uses=network.uses,
    )
    table = spof(network, routes, tables, failures_per_year=often, on_date=day, parameters=study.parameters)
    rings = loops(network, routes, risk_groups(network, tables))
    deepest = wet.groupby("asset")["intensity_max"].max() if len(wet) else None
    rows = series(network, table, intensity=deepest)
    clock.start("perte annuelle attendue")
    has_hazard, has_event = bool(study.hazards), bool(study.hazards or study.outages)
    with _workers(study, scheduler) as workers:
        loss, events = _losses(study, network, routes, failures, rates, workers)
        units = _units(network, table)
        parts = _parts(study, network, routes, units, failures["central"], rates["central"])
        parts |= log | _tests(study, network, routes, units, told, every["central"], joint, tables)
        if has_event:
            parts["conventions"] = losses_by_convention(events)
        del every  # a copy of all failures, at three levels, which the plan does not read
        plan = None
        if study.budget is not None:
            clock.start("plan d'actions")
            _give_back()
            around = Surroundings(
                _of_a_year(told),
                floods,
                equipment,
                _roads(tables),
                joint,
                owners,
                frozenset(rings.loc[rings["is_false"], "nro"]),
                works_of(tables.get("catalogue")),
            )
            today = situations(network, routes, failures, rates)
            candidates = propose(network, routes, table, today, study.parameters, around, own=own)
            sampling = Sampling(study.seed, study.loss.draws, study.loss.tail, workers)
            plan = choose_followed(
                today, candidates, sampling, tables.get("suivi"),
                budget=study.budget, first_year=day.year + 1,
            )  # fmt: skip
    clock.stop()
    found += [
        *(inventory.findings, network.findings, routes.findings),
        *(hazard_findings(hazards, exposure), coverage_findings(hazards), layer_findings(hazards, layers)),
        *(same_event_findings(coming), effect_findings(hazards)),
    ]
    found += [] if equipment is None else [equipment_findings(network, equipment)]
    return Results(
        study=study,
        inventory=inventory,
        network=network,
        routes=routes,
        tables=tables,
        spof=table,
        listed=collapse(table, min_prises=MIN_PRISES),
        series=rows,
        loops=rings,
        layers=layers,
        exposure=exposure if has_hazard else None,
        unmapped=unmapped_by_commune(network, exposure, tables.get("communes")) if has_hazard else None,
        event_losses=events if has_event else None,
        loss=loss,
        loss_parts=parts,
        plan=plan,
        findings=merge_findings(found),
        day=day,
        timings_s=clock.timings_s,
    )


class _LaidOut(NamedTuple):
    inventory: Inventory
    network: Network
    routes: Routes
    tables: dict[str, pd.DataFrame]
    owners: pd.DataFrame


def _laid_out(study: Study, clock: "_Clock", count: Tell) -> _LaidOut:
    """Read, build and trace; let go of what only that needed (tables, fibres), a third of the memory."""
    clock.start("lecture des livraisons")
    inventory = read(study.inventory, tell=count)
    tables = load_tables(study, crs=inventory.crs)
    clock.start("réseau")
    network = build_network(inventory)
    clock.start("routes")
    routes = trace_routes(inventory, network, feeds=tables.get("feeds"))
    owners = asset_owners(inventory)
    settled = replace(inventory, tables={}, carried={})
    del inventory
    _give_back()
    return _LaidOut(settled, replace(network, places=None, fibres=None), routes, tables, owners)


def _give_back() -> None:
    """Give back what texts took and no longer hold: 2 GB at 680,300 prises, which Arrow would keep."""
    pa.default_memory_pool().release_unused()


def _told(
    study: Study,
    network: Network,
    exposed: Mapping[Level, pd.DataFrame],
    equipment: pd.DataFrame | None,
) -> dict[Level, pd.DataFrame]:
    """Give exposure with the kind of each hazard, and what power cuts without a map leave without mains."""
    told = {level: with_kinds(rows, study.hazards) for level, rows in exposed.items()}
    if not study.outages:
        return told
    cuts = outage_exposure(network, equipment, study.outages)
    return {level: pd.concat([rows, cuts], ignore_index=True) for level, rows in told.items()}


def _what_fails(
    study: Study,
    network: Network,
    exposed: Mapping[Level, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
) -> tuple[dict[Level, pd.DataFrame], dict[Level, pd.DataFrame]]:
    """Give the probabilities of failure in all events, and the rates, at each level."""
    failures, rates = {}, {}
    for level in LEVELS:
        failures[level] = failure_probabilities(
            network, exposed[level], study.parameters, level,
            equipment=tables.get("equipements"), groups=tables.get("groupes"),
        )  # fmt: skip
        rates[level] = annual_rates(network, study.parameters, level, exposure=exposed[level])
    return failures, rates


def _of_a_year(exposure: Mapping[Level, pd.DataFrame]) -> dict[Level, pd.DataFrame]:
    """Leave out maps that have no part in a year: no return period, no rate, no help for the wind."""
    return {
        level: rows[rows["return_period"].notna() | rows["hazard_kind"].isin([*GROUND, "woods"])]
        for level, rows in exposure.items()
    }


def _losses(
    study: Study,
    network: Network,
    routes: Routes,
    failures: Mapping[Level, pd.DataFrame],
    rates: Mapping[Level, pd.DataFrame],
    workers: Workers,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the expected annual loss by cause at the three levels, and the losses of each event."""
    index = index_graph(routes.nominal, routes.nominal.prises[:, None])
    precision, tail = study.loss.precision, study.loss.tail
    events = {
        level: event_losses(
            routes.nominal, failures[level], asset_keys=keys_of_assets(network.assets), seed=study.seed,
            draws=study.loss.draws, index=index, workers=workers,
            until=None if precision is None else Until(precision, study.loss.max_draws),
        )
        for level in LEVELS
    }  # fmt: skip
    losses = {level: yearly_loss(index, events[level], rates[level], tail=tail) for level in LEVELS}
    return loss_table(losses), events["central"]


def _parts(
    study: Study,
    network: Network,
    routes: Routes,
    units: "pd.Series[str]",
    failures: pd.DataFrame,
    rates: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Tell where the annual loss comes from, at central parameters: séries, kinds, communes, PM."""
    assets, graph = network.assets, routes.nominal
    given: dict[str, Any] = {
        "asset_keys": keys_of_assets(assets), "seed": study.seed, "draws": study.loss.draws,
        "tail": study.loss.tail,
    }  # fmt: skip
    parts = {
        "series": contributions(graph, failures, rates, units, **given),
        "objets": losses_by_kind(graph, failures, rates, assets["kind"], **given),
    }
    for name, column in (("communes", "insee"), ("pm", "pm")):
        groups = group_weights(routes.prises, column, n_vertices=graph.n_vertices)
        parts[name] = losses_by_group(graph, failures, rates, groups, **given)
    return parts


def _units(network: Network, spof_table: pd.DataFrame) -> "pd.Series[str]":
    return units_of(network.assets, told_of_assets(spof_table, network.assets, ["serie"])["serie"])


def _tests(
    study: Study,
    network: Network,
    routes: Routes,
    units: "pd.Series[str]",
    exposure: Mapping[Level, pd.DataFrame],
    failures: pd.DataFrame,
    joint: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    """Give what a study asks for beside its losses: back-tests, power cuts, one parameter at a time."""
    loss, keys, tests = study.loss, keys_of_assets(network.assets), {}
    given: dict[str, Any] = {"asset_keys": keys, "seed": study.seed, "draws": loss.draws}
    if loss.observed:
        shared = joined(failures, joint)  # an observed event may name one map, or all that came together
        shared = shared[shared["hazard"].isin(joint["joint"])]
        seen = pd.concat([failures, shared], ignore_index=True)
        tests["observees"] = back_test(routes.nominal, network, seen, loss.observed, **given)
    if (exposure["central"]["hazard_kind"] == "outage").any():
        tests["coupures"] = power_cuts(routes, exposure["central"], failures, **given)
    if loss.one_at_a_time:
        setting = Setting(
            network,
            routes.nominal,
            exposure,
            tables.get("equipements"),
            units,
            study.seed,
            loss.draws,
            loss.tail,
            joint,
            tables.get("groupes"),
        )
        tests["parametres"] = one_at_a_time_table(setting, study.parameters)
    return tests


def _with_incidents(
    study: Study, tables: Mapping[str, pd.DataFrame], network: Network
) -> tuple[Study, dict[str, pd.DataFrame], list[pd.DataFrame]]:
    """Give the study with the rates that its incident log updates, the table of them, and findings."""
    if study.incident_days is None:
        return study, {}, []
    log = update_rates(study.parameters, tables["incidents"], network, study.incident_days)
    return replace(study, parameters=log.parameters), {"taux": log.rates}, [log.findings]


def _roads(tables: Mapping[str, pd.DataFrame]) -> "nx.MultiDiGraph[int] | None":
    lines = tables.get("routes")
    return road_graph(lines) if isinstance(lines, gpd.GeoDataFrame) else None


def _workers(study: Study, scheduler: str | None) -> AbstractContextManager[Workers]:
    if scheduler is not None:
        return cluster(scheduler, memory_mb=study.loss.memory_mb)
    return processes(study.loss.workers, memory_mb=study.loss.memory_mb)


class _Clock:
    """Names the stages as they begin and keeps how long each took."""

    def __init__(self, say: Say) -> None:
        self.timings_s: dict[str, float] = {}
        self._say = say
        self._stage, self._begun = "", 0.0

    def start(self, stage: str) -> None:
        self.stop()
        self._stage, self._begun = stage, time.perf_counter()
        self._say(stage)

    def stop(self) -> None:
        if self._stage:
            self.timings_s[self._stage] = round(time.perf_counter() - self._begun, 3)
        self._stage = ""
