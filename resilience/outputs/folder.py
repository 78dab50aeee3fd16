"""The folder of results: a study's report composed, and every file of it written together."""

import hashlib
import platform
import resource
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.outputs.geopackage import write_geopackage
from gracethd.outputs.publish import publish_folder
from gracethd.outputs.qgis_project import write_project
from gracethd.outputs.tables import write_json, write_table
from gracethd.outputs.workbook import write_workbook
from resilience.areas import behind_single_objects
from resilience.exposure.extents import hazard_extents, mapped_areas
from resilience.hazards import on_day, with_kinds
from resilience.indicators import indicators
from resilience.outputs.atlas import write_atlas
from resilience.outputs.commune_sheet import communes_summary
from resilience.outputs.hazard_styles import extent_limits
from resilience.outputs.hazard_tables import hazards_summary
from resilience.outputs.layers import RELATIONS, study_groups, study_layers
from resilience.outputs.page import write_page
from resilience.outputs.page_failures import listed_failures
from resilience.outputs.page_tables import TABLE_ROWS
from resilience.outputs.parameter_words import described_parameters
from resilience.outputs.report import Report
from resilience.outputs.sheets import study_notes, study_sheets
from resilience.parameters import LEVELS
from resilience.plan import Plan
from resilience.results import MIN_PRISES, Results
from resilience.study import Study, study_files


def write_results(results: Results, folder: Path) -> dict[str, object]:
    """Write what people open, all files together or none, and give the summary.

    Writes ``plan.xlsx``, ``plan.csv``, ``plan.parquet``, ``plan.gpkg``, ``budgets.csv``, ``avant_apres.csv``,
    ``resultats.gpkg`` and ``resultats.qgz`` that opens it, ``spof.csv``, ``spof.parquet``, ``series.csv``,
    ``thresholds.csv``, ``pertes_*.csv``, ``exposure.parquet``, ``non_cartographie.csv``,
    ``indicateurs.csv``, ``communes.csv``, ``findings.csv``, ``rapport.html``, ``atlas.pdf`` (with the
    extra `images`) and ``summary.json``, each where the study has its part.
    """
    report = report_of(results)
    layers = study_layers(report)
    begun = time.perf_counter()
    with publish_folder(folder) as aside:
        write_table(results.spof, aside / "spof.parquet")
        write_table(results.listed, aside / "spof.csv")
        write_table(results.series, aside / "series.csv")
        write_table(results.loops, aside / "loops.csv")
        write_table(results.findings, aside / "findings.csv")
        for name, part in results.loss_parts.items():
            write_table(part, aside / f"pertes_{name}.csv")
        if report.indicators is not None:
            write_table(report.indicators, aside / "indicateurs.csv")
        if report.thresholds is not None:
            write_table(report.thresholds, aside / "thresholds.csv")
        if results.exposure is not None:
            write_table(results.exposure, aside / "exposure.parquet")
        if report.by_commune is not None:
            write_table(report.by_commune, aside / "communes.csv")
        if results.unmapped is not None:
            write_table(results.unmapped, aside / "non_cartographie.csv")
        if results.plan is not None:
            write_table(results.plan.plan, aside / "plan.parquet")
            write_table(results.plan.plan, aside / "plan.csv")
            write_table(results.plan.frontier, aside / "budgets.csv")
            write_table(results.plan.causes, aside / "avant_apres.csv")
            works = [layer for layer in layers if layer.name in {"plan", "plan_lignes"}]
            if works:
                write_geopackage(works, aside / "plan.gpkg", recipient=report.recipient, day=report.day)
        write_workbook(
            study_sheets(report),
            aside / "plan.xlsx",
            title=report.title,
            recipient=report.recipient,
            day=report.day,
            notes=study_notes(report),
        )
        write_geopackage(layers, aside / "resultats.gpkg", recipient=report.recipient, day=report.day)
        write_project(
            study_groups(layers), aside / "resultats.qgz", "resultats.gpkg", title=report.title,
            recipient=report.recipient, day=report.day, relations=RELATIONS,
        )  # fmt: skip
        write_page(report, aside / "rapport.html")
        write_atlas(report, aside / "atlas.pdf")
        timings = {**results.timings_s, "écriture": round(time.perf_counter() - begun, 3)}
        summary = _summary(results, report.indicators, timings)
        write_json(summary, aside / "summary.json")
    return summary


def report_of(results: Results) -> Report:
    """Put the results of a study in the form that the writers read."""
    study, network, tables = results.study, results.network, results.tables
    communes = tables.get("communes")
    rooms = results.routes.rooms
    placed = network.assets.loc[rooms["asset"].clip(lower=0), "geometry"].to_numpy()
    plan = results.plan
    hazards, crs = on_day(study.hazards, results.day), results.inventory.crs
    located = _located(results)
    thresholds = behind_single_objects(network, results.routes, results.spof, tables)
    return Report(
        title=study.title,
        recipient=study.recipient,
        day=results.day,
        language=study.language,
        notice=study.notice,
        counts=results.routes.counts,
        deliveries=results.inventory.deliveries,
        levels=results.routes.levels,
        feeds=results.routes.feeds,
        findings=results.findings,
        indicators=indicators(results, thresholds),
        spof=results.listed,
        series=results.series[results.series["prises_cut"] >= MIN_PRISES],
        loops=results.loops,
        thresholds=thresholds,
        rooms=gpd.GeoDataFrame(
            rooms[["code", "nature", "name", "prises"]], geometry=placed, crs=network.assets.crs
        ),
        by_commune=None
        if not isinstance(communes, gpd.GeoDataFrame)
        else communes_summary(
            communes, results.listed, results.loss_parts.get("communes"), None if plan is None else plan.plan
        ),
        ways=network.lines,
        communes=communes if isinstance(communes, gpd.GeoDataFrame) else None,
        hazards=None if located is None else hazards_summary(hazards, located, results.loss),
        hazard_extents=hazard_extents(hazards, crs, layers=results.layers, limits=extent_limits)
        if hazards
        else None,
        coverage=mapped_areas(hazards, crs, layers=results.layers) if hazards else None,
        exposure=located,
        unmapped=results.unmapped,
        event_losses=results.event_losses,
        loss=results.loss,
        loss_parts=results.loss_parts,
        tail=study.loss.tail,
        draws=study.loss.draws,
        plan=None if plan is None else plan.plan,
        ecartees=None if plan is None else plan.ecartees.rename(columns={"motif": "raison"}),
        follow_up=None if plan is None else plan.follow_up,
        frontier=None if plan is None else plan.frontier,
        causes=None if plan is None else plan.causes,
        failures=listed_failures(
            results.routes.nominal, results.routes.prises, network.assets, results.listed, TABLE_ROWS
        ),
        budget={} if plan is None else _budget(plan),
        parameters=described_parameters(study.parameters.table, study.language),
        limits=_limits(results),
    )


def _located(results: Results) -> gpd.GeoDataFrame | None:
    """Give the exposure the geometry of what is exposed: the line for lines, the place for the rest."""
    if results.exposure is None:
        return None
    exposure = results.exposure
    lines = results.network.lines.drop_duplicates("asset").set_index("asset")["geometry"]
    asset = exposure["asset"].to_numpy()
    shape = lines.reindex(asset).to_numpy()
    own = results.network.assets["geometry"].to_numpy()[asset]
    geometry = np.where(pd.isna(shape), own, shape)
    told = with_kinds(exposure, results.study.hazards)
    return gpd.GeoDataFrame(told, geometry=geometry, crs=results.network.assets.crs)


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
        "Vent, argiles, feux de forêt et coupures électriques ne comptent que si l'étude en nomme une "
        "carte ; les équipes d'intervention ne sont pas modélisées. Deux aléas sont tirés séparément et "
        "leurs pertes s'ajoutent, sauf ceux que l'étude dit d'un même événement (same_event)."
    )
    return limits


def _summary(
    results: Results, indicators_frame: pd.DataFrame | None, timings_s: dict[str, float]
) -> dict[str, object]:
    """Compose ``summary.json``; all but its ``run`` block is the same for the same inputs."""
    study, plan = results.study, results.plan
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
            "timings_s": timings_s,
            "peak_memory_mb": round(usage / 1024, 1),
            "python": platform.python_version(),
        },
    }


def _checksums(study: Study) -> list[dict[str, object]]:
    """List the study's own files with size and checksum; deliveries have theirs in the inventory."""
    rows = []
    for role, paths in study_files(study).items():
        for path in paths if role != "inventory" else ():
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            rows.append({"role": role, "file": path.name, "size_bytes": len(content), "sha256": digest})
    return rows
