"""The main job: everything that a study names, from deliveries to plan and report.

`analyse` runs the stages in memory, for notebooks; `write_results` writes what people open.
"""

import platform
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from gracethd.network import Network, build_network
from gracethd.outputs.geopackage import write_geopackage
from gracethd.outputs.publish import publish_folder
from gracethd.outputs.tables import write_json, write_table
from gracethd.outputs.workbook import write_workbook
from gracethd.reading import read
from gracethd.report import prises_line
from gracethd.routes import Routes, trace_routes
from resilience.benefits import Sampling
from resilience.exposure import expose
from resilience.exposure.extents import mapped_areas, water_extents
from resilience.fragility import equipment_findings, failure_probabilities
from resilience.hazards import hazard_findings
from resilience.indicators import indicators
from resilience.loops import loops
from resilience.loss import event_losses, failure_frequency, keys_of_assets, loss_table, network_loss
from resilience.measures import Surroundings, propose, situations
from resilience.outputs.layers import study_layers
from resilience.outputs.page import write_page
from resilience.outputs.report import Report
from resilience.outputs.sheets import study_notes, study_sheets
from resilience.parameters import LEVELS
from resilience.plan import Plan, choose
from resilience.rates import annual_rates
from resilience.roads import road_graph
from resilience.series import series
from resilience.spof import collapse, spof
from resilience.study import Study, study_files
from resilience.tables import load_tables

MIN_PRISES = 10
"""Lists leave out what cuts fewer prises; the full table keeps it (DESIGN, spof)."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Results:
    """What a study gives, stage by stage; every frame is described where it is made.

    Attributes
    ----------
    study, inventory, network, routes
    tables : dict of str to DataFrame
    spof, listed, series, loops : see `resilience.spof`, `resilience.series`, `resilience.loops`
        `listed` is what people read; `spof` the full table.
    exposure, event_losses, loss : DataFrame or None
        None where the study names no hazard (`loss` then holds the rates without a map alone).
    plan : Plan or None
        None where the study names no budget.
    findings : DataFrame
    report : Report
        The same, ready for the writers.
    timings_s : dict of str to float
    """

    study: Study
    inventory: Inventory
    network: Network
    routes: Routes
    tables: dict[str, pd.DataFrame]
    spof: gpd.GeoDataFrame
    listed: gpd.GeoDataFrame
    series: gpd.GeoDataFrame
    loops: pd.DataFrame
    exposure: pd.DataFrame | None
    event_losses: pd.DataFrame | None
    loss: pd.DataFrame
    plan: Plan | None
    findings: pd.DataFrame
    report: Report
    timings_s: dict[str, float] = field(repr=False)


def analyse(study: Study, *, day: date, say: Say = lambda _: None) -> Results:
    """Run every stage that a study has the inputs for.

    Parameters
    ----------
    study : Study
        From `resilience.study.load_study`.
    day : date
        Of the results: works of the plan start the year after.
    say : callable
        Told the name of each stage as it begins.

    Raises
    ------
    GraceTHDError
        Any input that cannot be used, in the user's words.
    """
    clock = _Clock(say)
    clock.start("lecture des livraisons")
    inventory = read(study.inventory)
    tables = load_tables(study, crs=inventory.crs)
    clock.start("réseau")
    network = build_network(inventory)
    clock.start("routes")
    routes = trace_routes(inventory, network, feeds=tables.get("feeds"))
    clock.start("exposition")
    equipment = tables.get("equipements")
    exposure = expose(network, study.hazards, wet_from_m=study.loss.wet_from_m)
    failures = {
        level: failure_probabilities(network, exposure, study.parameters, level, equipment=equipment)
        for level in LEVELS
    }
    rates = {level: annual_rates(network, study.parameters, level) for level in LEVELS}
    clock.start("points uniques de défaillance")
    often = failure_frequency(
        failures["central"],
        rates["central"],
        n_assets=len(network.assets),
        tail=study.loss.tail,
        uses=network.uses,
    )
    table = spof(network, routes, tables, failures_per_year=often, on_date=day)
    listed = collapse(table, min_prises=MIN_PRISES)
    rings = loops(network, routes)
    deepest = exposure.groupby("asset")["intensity_max"].max() if len(exposure) else None
    rows = series(network, table, intensity=deepest)
    clock.start("perte annuelle attendue")
    keys = keys_of_assets(network.assets)
    losses = {
        level: network_loss(
            routes.nominal,
            failures[level],
            rates[level],
            asset_keys=keys,
            seed=study.seed,
            draws=study.loss.draws,
            tail=study.loss.tail,
        )
        for level in LEVELS
    }
    events = event_losses(
        routes.nominal, failures["central"], asset_keys=keys, seed=study.seed, draws=study.loss.draws
    )
    plan = None
    if study.budget_eur is not None:
        clock.start("plan d'actions")
        today = situations(network, routes, failures, rates)
        lines = tables.get("routes")
        roads = road_graph(lines) if isinstance(lines, gpd.GeoDataFrame) else None
        around = Surroundings(exposure, study.hazards, equipment, roads)
        candidates = propose(network, routes, table, today, study.parameters, around)
        sampling = Sampling(study.seed, study.loss.draws, study.loss.tail)
        plan = choose(today, candidates, sampling, budget_eur=study.budget_eur, first_year=day.year + 1)
    clock.start("mise en forme")
    found = [inventory.findings, network.findings, routes.findings, hazard_findings(study.hazards, exposure)]
    if equipment is not None:
        found.append(equipment_findings(network, equipment))
    findings = merge_findings(found)
    has_hazard = bool(study.hazards)
    results = Results(
        study, inventory, network, routes, tables, table, listed, rows, rings,
        exposure if has_hazard else None, events if has_hazard else None, loss_table(losses), plan, findings,
        Report("", "", day), clock.timings_s,
    )  # fmt: skip
    report = _report(results, day)
    clock.stop()
    return Results(**{**results.__dict__, "report": report})


def write_results(results: Results, folder: Path) -> dict[str, object]:
    """Write what people open, all files together or none, and give the summary.

    Writes ``plan.xlsx``, ``plan.csv``, ``plan.parquet``, ``resultats.gpkg``, ``spof.csv``, ``spof.parquet``,
    ``series.csv``, ``exposure.parquet``, ``indicateurs.csv``, ``findings.csv``, ``rapport.html`` and
    ``summary.json``, each where the study has its part.
    """
    report = results.report
    begun = time.perf_counter()
    with publish_folder(folder) as aside:
        write_table(results.spof, aside / "spof.parquet")
        write_table(results.listed, aside / "spof.csv")
        write_table(results.series, aside / "series.csv")
        write_table(results.loops, aside / "loops.csv")
        write_table(results.findings, aside / "findings.csv")
        if report.indicators is not None:
            write_table(report.indicators, aside / "indicateurs.csv")
        if results.exposure is not None:
            write_table(results.exposure, aside / "exposure.parquet")
        if results.plan is not None:
            write_table(results.plan.plan, aside / "plan.parquet")
            write_table(results.plan.plan, aside / "plan.csv")
        write_workbook(
            study_sheets(report),
            aside / "plan.xlsx",
            title=report.title,
            recipient=report.recipient,
            day=report.day,
            notes=study_notes(report),
        )
        write_geopackage(
            study_layers(report), aside / "resultats.gpkg", recipient=report.recipient, day=report.day
        )
        write_page(report, aside / "rapport.html")
        results.timings_s["écriture"] = round(time.perf_counter() - begun, 3)
        summary = _summary(results)
        write_json(summary, aside / "summary.json")
    return summary


def headlines(results: Results) -> list[str]:
    """Write the ten lines that matter, in French."""
    report = results.report
    lines = [prises_line(results.routes.prises)]
    levels = results.routes.levels.groupby("level")["prises"].sum()
    lines.append(
        "niveaux d'usage : " + ", ".join(f"niveau {level} {n} prises" for level, n in levels.items())
    )
    feeds = results.routes.feeds["source"].value_counts()
    lines.append("injection : " + ", ".join(f"{source} {n}" for source, n in feeds.items()))
    if len(results.series):
        worst = results.series.iloc[0]
        lines.append(
            f"pire série : {worst['serie']}, {worst['prises_cut']} prises coupées "
            f"({worst['n_ways']} cheminements sur {worst['length_m']:.0f} m, {worst['n_cables']} câble(s))"
        )
    if len(results.listed):
        worst = results.listed.iloc[0]
        lines.append(f"pire objet : {worst['kind']} {worst['libelle']}, {worst['prises_cut']} prises coupées")
    false = results.loops[results.loops["is_false"]]
    lines.append(
        f"boucles de collecte : {len(results.loops)} NRO jugés, {len(false)} fausse(s) boucle(s)"
        + (f" ({', '.join(false['nro'])})" if len(false) else "")
    )
    if results.exposure is not None and results.event_losses is not None:
        lines += _water_lines(results.exposure, results.event_losses)
    totals = {level: results.loss[f"prises_h_per_year_{level}"].sum() for level in LEVELS}
    lines.append(
        f"perte annuelle attendue : {totals['central']:.0f} prises·h/an "
        f"({totals['low']:.0f} à {totals['high']:.0f}), convention de queue {report.tail}"
    )
    if results.plan is not None:
        lines.append(_plan_line(results.plan))
    return lines


def _water_lines(exposure: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    lines = []
    down = events.set_index(["hazard", "return_period"])["prises_down_mean"]
    for (hazard, years), rows in exposure.groupby(["hazard", "return_period"]):
        assets = rows.groupby("asset")["intensity_max"].max()
        wet, unmapped = int((assets > 0).sum()), int(assets.isna().sum())
        lines.append(
            f"{hazard}, retour {years:g} ans : {wet} objets dans l'eau, {unmapped} non cartographiés "
            f"sur {len(assets)} ; {down.get((hazard, years), 0.0):.0f} prises coupées en moyenne"
        )
    return lines


def _plan_line(plan: Plan) -> str:
    summary = plan.summary
    avoided, after = summary["avoided"], summary["loss_after"]
    assert isinstance(avoided, dict)
    assert isinstance(after, dict)
    return (
        f"plan : {summary['n_chosen']} mesures sur {summary['n_candidates']}, "
        f"{_thousands(summary['spent_eur'])} € HT sur {_thousands(summary['budget_eur'])} ; "
        f"{_thousands(avoided['central'])} prises·h/an évitées, {_thousands(after['central'])} restantes ; "
        f"écart à l'optimum prouvé {summary['gap']:.2%}"
    )


def _thousands(value: object) -> str:
    return f"{float(str(value)):,.0f}".replace(",", " ")


def _report(results: Results, day: date) -> Report:
    """Put the results in the form that the writers read."""
    study, network, tables = results.study, results.network, results.tables
    communes = tables.get("communes")
    rooms = results.routes.rooms
    placed = network.assets.loc[rooms["asset"].clip(lower=0), "geometry"].to_numpy()
    plan = results.plan
    return Report(
        title=study.title,
        recipient=study.recipient,
        day=day,
        language=study.language,
        notice=study.notice,
        counts=results.routes.counts,
        deliveries=results.inventory.deliveries,
        levels=results.routes.levels,
        feeds=results.routes.feeds,
        findings=results.findings,
        indicators=indicators(results.routes, results.listed, results.loops, network, results.loss, plan),
        spof=results.listed,
        series=results.series[results.series["prises_cut"] >= MIN_PRISES],
        loops=results.loops,
        rooms=gpd.GeoDataFrame(
            rooms[["code", "nature", "name", "prises"]], geometry=placed, crs=network.assets.crs
        ),
        communes=communes if isinstance(communes, gpd.GeoDataFrame) else None,
        hazard_extents=water_extents(study.hazards, results.inventory.crs) if study.hazards else None,
        coverage=mapped_areas(study.hazards, results.inventory.crs) if study.hazards else None,
        exposure=_located(results),
        event_losses=results.event_losses,
        loss=results.loss,
        tail=study.loss.tail,
        draws=study.loss.draws,
        plan=None if plan is None else plan.plan,
        ecartees=None if plan is None else plan.ecartees.rename(columns={"motif": "raison"}),
        budget={} if plan is None else _budget(plan),
        parameters=study.parameters.table,
        limits=_limits(results),
    )


def _located(results: Results) -> gpd.GeoDataFrame | None:
    """Give the exposure the geometry of what is exposed: the line for lines, the place for the rest."""
    if results.exposure is None:
        return None
    lines = results.network.lines.drop_duplicates("asset").set_index("asset")["geometry"]
    asset = results.exposure["asset"].to_numpy()
    shape = lines.reindex(asset).to_numpy()
    own = results.network.assets["geometry"].to_numpy()[asset]
    geometry = np.where(pd.isna(shape), own, shape)
    return gpd.GeoDataFrame(results.exposure, geometry=geometry, crs=results.network.assets.crs)


def _budget(plan: Plan) -> dict[str, float]:
    summary = plan.summary
    avoided = summary["avoided"]
    assert isinstance(avoided, dict)
    return {
        "budget_eur": float(str(summary["budget_eur"])),
        "spent_eur": float(str(summary["spent_eur"])),
        "gap": float(str(summary["gap"])),
        **{f"prises_h_avoided_per_year_{level}": float(avoided[level]) for level in LEVELS},
    }


def _limits(results: Results) -> list[str]:
    """Say what the study leaves out, counted."""
    limits = []
    absent = results.spof.attrs.get("absent", [])
    if absent:
        limits.append("Colonnes vides faute de table : " + ", ".join(map(str, absent)) + ".")
    left = results.listed.attrs.get("left_out", {})
    if left:
        limits.append(
            f"Liste SPOF : {left['below_min_prises']} objets coupant moins de {MIN_PRISES} prises, "
            f"{left['drops']} raccordements et {left['same_place']} objets de même lieu sont dans la table "
            "complète spof.parquet seulement."
        )
    out = results.routes.counts["prises_untraced"]
    limits.append(f"{out} prises inventoriées ne sont pas tracées et ne comptent dans aucune perte.")
    limits.append(
        "Vent, argiles, feux de forêt, coupures électriques et équipes d'intervention ne sont pas modélisés."
    )
    return limits


def _summary(results: Results) -> dict[str, object]:
    """Compose ``summary.json``; all but its ``run`` block is the same for the same inputs."""
    study, plan = results.study, results.plan
    indicators_frame = results.report.indicators
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "study": {
            "title": study.title,
            "recipient": study.recipient,
            "notice": study.notice,
            "seed": study.seed,
        },
        "inputs": {
            "deliveries": results.inventory.deliveries.to_dict("records"),
            "files": _checksums(study),
        },
        "versions": {
            name: version(name) for name in ("gracethd", "geopandas", "shapely", "networkx", "numpy")
        },
        "parameters": results.study.parameters.table.to_dict("records"),
        "counts": dict(results.routes.counts),
        "feeds": results.routes.feeds.to_dict("records"),
        "levels": results.routes.levels.to_dict("records"),
        "event_losses": [] if results.event_losses is None else results.event_losses.to_dict("records"),
        "loss": results.loss.to_dict("records"),
        "indicators": [] if indicators_frame is None else indicators_frame.to_dict("records"),
        "plan": {} if plan is None else plan.summary,
        "run": {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "timings_s": results.timings_s,
            "peak_memory_mb": round(usage / 1024, 1),
            "python": platform.python_version(),
        },
    }


def _checksums(study: Study) -> list[dict[str, object]]:
    """List the study's own files with size and checksum; deliveries have theirs in the inventory."""
    import hashlib

    rows = []
    for role, paths in study_files(study).items():
        for path in paths if role != "inventory" else ():
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            rows.append({"role": role, "file": path.name, "size_bytes": len(content), "sha256": digest})
    return rows


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
