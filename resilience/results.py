"""What a study gives, and the ten lines of it that matter."""

from dataclasses import dataclass, field
from datetime import date

import geopandas as gpd
import pandas as pd

from gracethd.inventory import Inventory
from gracethd.network import Network
from gracethd.outputs.labels import value_label
from gracethd.report import prises_line
from gracethd.routes import Routes
from resilience.exposure.layers import Layers
from resilience.hazards import flood_rows
from resilience.parameters import LEVELS
from resilience.plan import Plan
from resilience.study import Study

MIN_PRISES = 10
"""Lists leave out what cuts fewer prises; the full table keeps it."""


@dataclass(frozen=True)
class Results:
    """What a study gives, stage by stage; every frame is described where it is made.

    Attributes
    ----------
    study, network, routes
    inventory : Inventory
        Its deliveries, findings and CRS; the tables were let go of once the network was traced.
    tables : dict of str to DataFrame
    spof, listed, series, loops : see `resilience.spof`, `resilience.series`, `resilience.loops`
        `listed` is what people read; `spof` the full table.
    layers : mapping
        The layers of polygons that hazards name, near the network (`resilience.exposure.layers_near`).
    exposure, unmapped, event_losses, loss : DataFrame or None
        None where the study names no hazard (`loss` then holds the rates without a map alone); `unmapped`
        from `resilience.exposure.unmapped_by_commune`.
    loss_parts : dict of str to DataFrame
        Where the annual loss comes from, at central parameters: "series", "objets" (kinds of assets),
        "communes", "pm" and, with hazards, "conventions" (`resilience.loss.parts`).
    plan : Plan or None
        None where the study names no budget.
    findings : DataFrame
    day : date
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
    layers: Layers
    exposure: pd.DataFrame | None
    unmapped: pd.DataFrame | None
    event_losses: pd.DataFrame | None
    loss: pd.DataFrame
    loss_parts: dict[str, pd.DataFrame]
    plan: Plan | None
    findings: pd.DataFrame
    day: date
    timings_s: dict[str, float] = field(repr=False)


def headlines(results: Results) -> list[str]:
    """Write the ten lines that matter, in French."""
    lines = [prises_line(results.routes.prises)]
    levels = results.routes.levels.groupby("level")["prises"].sum()
    lines.append(
        "niveaux d'usage : " + ", ".join(f"niveau {level} {n} prises" for level, n in levels.items())
    )
    feeds = results.routes.feeds["source"].value_counts()
    lines.append(
        "points d'injection : "
        + ", ".join(f"{n} ({value_label('source', source)})" for source, n in feeds.items())
    )
    if len(results.series):
        worst = results.series.iloc[0]
        lines.append(
            f"pire série : {worst['serie']}, {worst['prises_cut']} prises coupées "
            f"({worst['n_ways']} cheminements sur {worst['length_m']:.0f} m, {worst['n_cables']} câble(s))"
        )
    if len(results.listed):
        worst = results.listed.iloc[0]
        kind = value_label("kind", worst["kind"]).lower()
        lines.append(f"pire objet : {kind} {worst['libelle']}, {worst['prises_cut']} prises coupées")
    false = results.loops[results.loops["is_false"]]
    judged, n_nro = int(results.loops["k_srlg"].notna().sum()), len(results.loops)
    of = f" sur {n_nro}" if judged < n_nro else ""
    lines.append(
        f"boucles de collecte : {judged} NRO jugés{of}, {len(false)} fausse(s) boucle(s)"
        + (f" ({', '.join(false['nro'])})" if len(false) else "")
    )
    if results.exposure is not None and results.event_losses is not None:
        floods = flood_rows(results.exposure, results.study.hazards)
        lines += _water_lines(floods, results.event_losses)
        lines += _other_lines(results.exposure.drop(floods.index))
    totals = {level: results.loss[f"prises_h_per_year_{level}"].sum() for level in LEVELS}
    tail = value_label("convention", results.study.loss.tail).lower()
    lines.append(
        f"perte annuelle attendue : {totals['central']:.0f} prises·h/an "
        f"({totals['low']:.0f} à {totals['high']:.0f}), {tail}"
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


def _other_lines(exposure: pd.DataFrame) -> list[str]:
    """Tell what the other hazards touch: those without a frequency, and those that are not water."""
    lines = []
    for (hazard, scenario), rows in exposure.groupby(["hazard", "scenario"]):
        assets = rows.groupby("asset")["intensity_max"].max()
        touched, unmapped = int((assets > 0).sum()), int(assets.isna().sum())
        lines.append(
            f"{hazard}, {scenario} : {touched} objets touchés, {unmapped} non cartographiés sur {len(assets)}"
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
