"""What a study has to say, in one object that the writers of workbook, layers and page read.

Every part is optional: what is missing is told (`missing_parts`), never guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import geopandas as gpd
import pandas as pd

from gracethd.outputs.labels import Format, Language, is_missing, phrase, value_label, written

from .page_failures import Failures


@dataclass(frozen=True)
class Report:
    """The results of a study, ready to be written.

    Frames use the column names of DESIGN; geometries are in one projected CRS. ``None`` means that the part
    does not exist (the analysis was not run, or its input is absent), an empty frame that it found nothing.

    Attributes
    ----------
    title, recipient : str
    day : date
    language : {"fr", "en"}
        Of the page; workbook and layers are in French.
    notice : str
        Shown at the head of everything, for instance that the data are invented.
    counts : mapping
        The ``counts`` block of ``summary.json``.
    deliveries, levels, feeds, findings : DataFrame, optional
        Of the inventory, the routes and the checks.
    indicators : DataFrame, optional
        code, libelle, value, unit, scope.
    spof, series : GeoDataFrame, optional
        Lists (collapsed, above the threshold), in rank order.
    loops : DataFrame, optional
    thresholds : DataFrame, optional
        Prises behind single objects by size (`resilience.areas.behind_single_objects`).
    is_study : bool
        False where only the single points of failure were asked: what else a study has is then not missed.
    rooms : GeoDataFrame, optional
        NRO and PM: code, nature, name, prises, geometry.
    communes : GeoDataFrame, optional
        nom, geometry.
    by_commune : DataFrame, optional
        One line a commune (`resilience.outputs.commune_sheet`).
    ways : GeoDataFrame, optional
        Lines of the network, for pictures.
    hazards : DataFrame, optional
        One row a hazard (`resilience.outputs.hazard_tables.hazards_summary`).
    hazard_extents : GeoDataFrame, optional
        hazard, hazard_kind, scenario, return_period, intensity_class, geometry: where each event reaches.
    coverage : GeoDataFrame, optional
        hazard, geometry: where each hazard has been mapped.
    exposure : DataFrame, optional
        Columns of ``exposure`` and hazard_kind, with geometry where the assets have one.
    unmapped : DataFrame, optional
        What no map says anything about (`resilience.exposure.unmapped_by_commune`).
    event_losses : DataFrame, optional
        hazard, scenario, return_period, prises_down_mean, prises_h_mean and their _p05, _p50, _p95.
    loss : DataFrame, optional
        origin (event|rate), cause, prises_h_per_year_low, _central, _high (`resilience.loss.loss_table`).
    loss_parts : mapping of str to DataFrame
        Where the annual loss comes from, as ``pertes_<name>.csv`` have it.
    tail, draws : str, int
        Conventions of the expected annual loss (D19), named wherever it is shown.
    plan, ecartees : GeoDataFrame or DataFrame, optional
        Measures that were chosen, and the others with ``raison``.
    follow_up : DataFrame, optional
        What became of works of an earlier plan (`resilience.follow_up.followed_plan`).
    frontier : DataFrame, optional
        What other budgets would avoid (`resilience.choice.stability.frontier`).
    causes : DataFrame, optional
        Losses by cause without and with the plan (``Plan.causes``).
    failures : Failures, optional
        The network around the first rows of `spof` (`resilience.outputs.page_failures`).
    budget : mapping
        budget_eur, spent_eur, prises_h_avoided_per_year_low, _central, _high, gap: any of them.
    parameters : DataFrame, optional
        name, unit, low, central, high, source.
    limits : sequence of str
        What the study does not cover or has left out and counted, in the language of the page.
    """

    title: str
    recipient: str
    day: date
    language: Language = "fr"
    notice: str = ""
    counts: Mapping[str, object] = field(default_factory=dict)
    deliveries: pd.DataFrame | None = None
    levels: pd.DataFrame | None = None
    feeds: pd.DataFrame | None = None
    findings: pd.DataFrame | None = None
    indicators: pd.DataFrame | None = None
    spof: gpd.GeoDataFrame | None = None
    series: gpd.GeoDataFrame | None = None
    loops: pd.DataFrame | None = None
    thresholds: pd.DataFrame | None = None
    rooms: gpd.GeoDataFrame | None = None
    communes: gpd.GeoDataFrame | None = None
    by_commune: pd.DataFrame | None = None
    ways: gpd.GeoDataFrame | None = None
    hazards: pd.DataFrame | None = None
    hazard_extents: gpd.GeoDataFrame | None = None
    coverage: gpd.GeoDataFrame | None = None
    exposure: pd.DataFrame | None = None
    unmapped: pd.DataFrame | None = None
    event_losses: pd.DataFrame | None = None
    loss: pd.DataFrame | None = None
    loss_parts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    tail: str = "constant"
    draws: int = 0
    plan: pd.DataFrame | None = None
    follow_up: pd.DataFrame | None = None
    frontier: pd.DataFrame | None = None
    ecartees: pd.DataFrame | None = None
    causes: pd.DataFrame | None = None
    failures: Failures | None = None
    budget: Mapping[str, float] = field(default_factory=dict)
    parameters: pd.DataFrame | None = None
    limits: Sequence[str] = ()
    is_study: bool = True


@dataclass(frozen=True)
class Figure:
    """One key figure: what it is, its value as a number, how it is written, what qualifies it."""

    label: str
    value: float
    how: Format
    unit: str
    note: str = ""


_PARTS = (
    "levels",
    "findings",
    "series",
    "spof",
    "loops",
    "exposure",
    "event_losses",
    "loss",
    "plan",
    "parameters",
)
_SPOF_PARTS = ("levels", "series", "spof", "loops")


def missing_parts(report: Report) -> list[str]:
    """Give one sentence for each part that the study does not have."""
    parts = _PARTS if report.is_study else _SPOF_PARTS
    absent = [part for part in parts if getattr(report, part) is None]
    if not report.counts:
        absent.insert(0, "counts")
    return [phrase(f"absent_{part}", report.language) for part in absent]


def findings_summary(findings: pd.DataFrame) -> pd.DataFrame:
    """Count findings by rule: severity, rule, table, n, message (of the first one), severest first."""
    order = {"bloquant": 0, "majeur": 1, "mineur": 2, "info": 3}
    groups = findings.groupby(["severity", "rule", "table"], sort=True)
    counted = groups.agg(n=("code", "size"), message=("message", "first")).reset_index()
    rank = counted["severity"].map(order).fillna(len(order))
    ordered = counted.assign(_rank=rank).sort_values(["_rank", "rule", "table"], ignore_index=True)
    return ordered.drop(columns="_rank")


def key_figures(report: Report) -> list[Figure]:
    """Give the figures of the first page, each only where the study has it."""
    return [*_network_figures(report), *_loss_figures(report), *_plan_figures(report)]


def _network_figures(report: Report) -> list[Figure]:
    language, figures = report.language, []
    inventoried, traced = _count(report, "prises_inventoried"), traced_prises(report)
    if inventoried:
        share = written(traced / inventoried, "share", language)
        note = phrase(
            "note_traced", language, share=share, untraced=written(inventoried - traced, "int", language)
        )
        figures.append(Figure(phrase("figure_prises", language), inventoried, "int", "prises", note))
    worst = worst_object(report)
    if worst is not None:
        figures.append(Figure(phrase("figure_worst", language), worst[1], "int", "prises", worst[0]))
    if report.series is not None:
        many = int((report.series["prises_cut"] >= 300).sum())
        note = phrase("note_many", language)
        figures.append(
            Figure(phrase("figure_many", language), many, "int", phrase("unit_series", language), note)
        )
    return figures


def _loss_figures(report: Report) -> list[Figure]:
    total, language = annual_loss(report), report.language
    if total is None:
        return []
    low, _, high = (written(value, "int", language) for value in total)
    apart = _loss_apart(report)
    note = f"{phrase('note_loss', language, low=low, high=high)} ; {apart}"
    return [Figure(phrase("figure_loss", language), total[1], "int", phrase("unit_loss", language), note)]


def _plan_figures(report: Report) -> list[Figure]:
    if report.plan is None:
        return []
    language, spent, avoided = report.language, plan_cost(report), plan_avoided(report)
    budget = report.budget.get("budget_eur")
    note = (
        phrase("note_budget", language, budget=written(budget, "eur", language)) if budget is not None else ""
    )
    figures = [
        Figure(phrase("figure_cost", language), spent, "eur", "€ HT" if language == "fr" else "€", note)
    ]
    total = annual_loss(report)
    share = "" if total is None or total[1] <= 0 else written(avoided / total[1], "share", language)
    note = phrase("note_avoided", language, share=share) if share else ""
    figures.append(
        Figure(phrase("figure_avoided", language), avoided, "int", phrase("unit_loss", language), note)
    )
    return figures


def loss_conventions(report: Report) -> str:
    """Give the sentence that names how the expected annual loss was integrated (D19)."""
    language = report.language
    draws = (
        phrase("text_draws", language, draws=written(report.draws, "int", language)) if report.draws else ""
    )
    return phrase("text_loss", language, tail=phrase(f"tail_{report.tail}", language), draws=draws)


def sentences(report: Report) -> list[str]:
    """Give the sentences to quote: the network, the hazard, the plan; or what is missing for them."""
    if not report.is_study:
        return [_network_sentence(report)]
    return [_network_sentence(report), _hazard_sentence(report), _plan_sentence(report)]


def _network_sentence(report: Report) -> str:
    language, inventoried = report.language, _count(report, "prises_inventoried")
    if not inventoried:
        return phrase("absent_counts", language)
    traced = written(traced_prises(report) / inventoried, "share", language)
    parts = [phrase("sentence_network", language, prises=written(inventoried, "int", language), share=traced)]
    single, chain = worst_object(report), worst_series(report)
    if single is not None and report.spof is not None and len(report.spof):
        name, cut = single
        share = written(cut / inventoried, "share", language)
        parts.append(
            phrase("sentence_object", language, name=name, cut=written(cut, "int", language), share=share)
        )
    if chain is not None:
        key = "sentence_only_series" if len(parts) == 1 else "sentence_series"
        share = written(float(chain["prises_cut"]) / inventoried, "share", language)
        number, place = written(chain["prises_cut"], "int", language), _place(chain, language)
        parts.append(phrase(key, language, serie=chain["serie"], place=place, cut=number, share=share))
    return " ".join(parts)


def _hazard_sentence(report: Report) -> str:
    language, total, events = report.language, annual_loss(report), report.event_losses
    if total is None:
        return phrase("absent_loss", language)
    low, central, high = (written(value, "int", language) for value in total)
    apart = _loss_apart(report)
    whole = phrase("sentence_loss", language, low=low, central=central, high=high, apart=apart)
    event = None if events is None else middle_event(events)
    if event is None:
        return whole
    down, years = (
        written(event["prises_down_mean"], "int", language),
        written(event["return_period"], "int", language),
    )
    first = phrase("sentence_event", language, years=years, hazard=event["hazard"], down=down)
    return f"{first} {whole}"


def _plan_sentence(report: Report) -> str:
    language = report.language
    if report.plan is None:
        return phrase("absent_plan", language)
    if report.plan.empty:
        return phrase("sentence_plan_empty", language)
    avoided, total = plan_avoided(report), annual_loss(report)
    share = "" if total is None or total[1] <= 0 else written(avoided / total[1], "share", language)
    return phrase(
        "sentence_plan" if len(report.plan) > 1 else "sentence_plan_one", language,
        n=written(len(report.plan), "int", language), cost=written(plan_cost(report), "eur", language),
        avoided=written(avoided, "int", language),
        share=phrase("sentence_share", language, share=share) if share else "",
        each=written(plan_cost(report) / avoided if avoided > 0 else None, "eur2", language),
    )  # fmt: skip


def traced_prises(report: Report) -> float:
    """Give the prises that were traced, by splice, cable or zone."""
    return sum(_count(report, f"prises_traced_{how}") for how in ("splice", "cable", "zone"))


def worst_object(report: Report) -> tuple[str, float] | None:
    """Give the name of the object that cuts most prises, and how many; a série where no object is listed."""
    if report.spof is not None and len(report.spof):
        keys = ["prises_cut", "prises_stranded", "kind", "code"]
        row = report.spof.sort_values(keys, ascending=[False, False, True, True]).iloc[0]
        label = row["code"] if is_missing(row.get("libelle")) else row["libelle"]
        name = f"{value_label('kind', row['kind'], report.language).lower()} {label}"
        return name, float(row["prises_cut"])
    chain = worst_series(report)
    if chain is None:
        return None
    return f"série {chain['serie']}{_place(chain, report.language)}", float(chain["prises_cut"])


def with_commune_names(report: Report) -> Report:
    """Give the report for readers: names of communes instead of INSEE codes, where they are known."""
    communes = report.communes
    if communes is None or not {"code_insee", "nom"} <= set(communes.columns):
        return report
    names = dict(zip(communes["code_insee"].tolist(), communes["nom"].tolist(), strict=True))
    frames = {name: getattr(report, name) for name in ("spof", "series", "plan", "ecartees")}
    named = {
        name: frame.assign(commune=frame["commune"].map(lambda codes: _named(codes, names)))
        for name, frame in frames.items()
        if frame is not None and "commune" in frame.columns
    }
    parts = dict(report.loss_parts)
    if "communes" in parts:
        part = parts["communes"]
        parts["communes"] = part.assign(group=part["group"].map(lambda code: names.get(code, code)))
    return replace(report, loss_parts=parts, **named)


def _named(codes: object, names: Mapping[str, str]) -> object:
    """Give the names of communes from a code, or from several separated by commas."""
    return ", ".join(names.get(code, code) for code in codes.split(", ")) if isinstance(codes, str) else codes


def worst_series(report: Report) -> pd.Series | None:
    """Give the série that cuts most prises, the one of first rank, or None."""
    if report.series is None or report.series.empty:
        return None
    order = ["prises_cut", "rank" if "rank" in report.series else "serie"]
    first = report.series.sort_values(order, ascending=[False, True]).iloc[0]
    return first if isinstance(first, pd.Series) else None


def annual_loss(report: Report) -> tuple[float, float, float] | None:
    """Give the expected annual loss over all mechanisms, low, central and high, in prises·h a year."""
    if report.loss is None:
        return None
    low, central, high = (
        report.loss[f"prises_h_per_year_{level}"].sum() for level in ("low", "central", "high")
    )
    return float(low), float(central), float(high)


def _loss_apart(report: Report) -> str:
    """Say what of the annual loss comes from maps, and what from causes without one."""
    if report.loss is None or not (report.loss["origin"] == "event").any():
        return phrase("loss_without_map", report.language)
    events, rates = _loss_of(report, "event"), _loss_of(report, "rate")
    return phrase("loss_apart", report.language, events=events, rates=rates)


def _loss_of(report: Report, origin: str) -> str:
    rows = pd.DataFrame() if report.loss is None else report.loss[report.loss["origin"] == origin]
    return written(None if rows.empty else rows["prises_h_per_year_central"].sum(), "int", report.language)


def plan_cost(report: Report) -> float:
    """Give what the chosen measures cost, central, in euros before tax."""
    return 0.0 if report.plan is None else float(report.plan["cost_eur_central"].sum())


def plan_avoided(report: Report) -> float:
    """Give what the chosen measures avoid together, prises·h a year; the whole set's where it is known."""
    together = report.budget.get("prises_h_avoided_per_year_central")
    if together is not None:
        return float(together)
    return 0.0 if report.plan is None else float(report.plan["prises_h_avoided_per_year_central"].sum())


def middle_event(events: pd.DataFrame) -> pd.Series | None:
    """Give the event nearest to the 100 years of the French reference flood (R566-6), in ratio, or None."""
    recurrent = events[events["return_period"].notna()]
    if recurrent.empty:
        return None
    distance = (recurrent["return_period"].astype(float) / 100).map(lambda r: max(r, 1 / r))
    ordered = recurrent.assign(_distance=distance).sort_values(["_distance", "hazard", "return_period"])
    return ordered.drop(columns="_distance").iloc[0]


def _count(report: Report, name: str) -> float:
    value = report.counts.get(name, 0)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _place(row: pd.Series, language: Language) -> str:
    """Say where and how long a série is, from what the row has: « transport, 2,3 km, Hallines »."""
    segment, length, commune = (row.get(name) for name in ("segment", "length_m", "commune"))
    parts = [] if is_missing(segment) else [value_label("segment", segment, language)]
    if not is_missing(length) and float(str(length)) > 0:
        parts.append(f"{written(float(str(length)) / 1000, 'dec2', language)} km")
    parts += [] if is_missing(commune) else [str(commune)]
    return f" ({', '.join(parts)})" if parts else ""
