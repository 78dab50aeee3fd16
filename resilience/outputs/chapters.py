"""Chapters of the page: for each, what to read first, its tables and its chart."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gracethd.outputs.labels import phrase, written

from .curve import threshold_curve
from .hazard_tables import exposure_summary, footprints_in_words, hazards_in_words, unmapped_summary
from .page_tables import Table, page_table, with_margins, with_ranges
from .plan_charts import before_and_after, criticality_matrix, frontier_curve
from .report import Report, findings_summary, loss_conventions, missing_parts

_SPOF = (
    "rank", "kind", "code", "libelle", "segment", "commune", "prises_cut", "prises_cut_max",
    "prises_stranded", "abonnes_cut", "n_pm", "n_nro", "sites_sensibles", "protected", "criticite",
)  # fmt: skip
_SERIES = (
    "rank", "serie", "segment", "commune", "prises_cut", "prises_stranded", "length_m", "n_ways",
    "n_chambers", "n_poles", "n_cables", "intensity_max",
)  # fmt: skip
_COMMUNES = (
    "commune", "epci_nom", "prises", "prises_h_per_year", "hours_per_prise_year", "n_objects", "worst",
    "n_chosen", "cost_eur_central",
)  # fmt: skip
_THRESHOLDS = ("threshold", "prises", "share", "n_objects", "n_series")
_PLAN = (
    "rank", "famille", "libelle", "commune", "longueur_m", "prises_secured",
    "prises_h_avoided_per_year_central", "prises_h_avoided_range", "cost_eur_central", "cost_eur_range",
    "eur_per_prise_h", "priority", "rank_range",
)  # fmt: skip
_ECARTEES = (
    "famille", "libelle", "commune", "prises_secured", "prises_h_avoided_per_year_central",
    "cost_eur_central", "eur_per_prise_h", "raison",
)  # fmt: skip
_EVENTS = (
    "hazard", "scenario", "return_period", "prises_down_mean", "prises_down_margin", "prises_down_p05",
    "prises_down_p95", "prises_h_mean", "prises_h_margin", "prises_h_p05", "prises_h_p95",
    "n_unmapped", "prises_unmapped",
)  # fmt: skip
_LOSS = (
    "origin", "cause", "prises_h_per_year_low", "prises_h_per_year_central", "prises_h_per_year_high",
    "margin", "convention",
)  # fmt: skip
_GROUP = {"communes": "commune", "pm": "pm"}
_LEVELS = ("zone", "level", "prises", "traced_splice", "traced_cable", "traced_zone", "untraced")
_PARAMETERS = ("name", "libelle", "unit", "low", "central", "high", "source")
_HAZARDS = (
    "hazard", "hazard_kind", "events", "coverage", "n_wet", "n_unmapped", "effect",
    "prises_h_per_year_central",
)  # fmt: skip
_EXPOSURE = (
    "hazard", "scenario", "return_period", "kind", "n_assets", "n_wet", "n_dry", "n_unmapped", "wet_km",
    "length_km", "unmapped_km", "intensity_max", "intensity_unit",
)  # fmt: skip
_UNMAPPED = (
    "hazard", "commune", "n_objets", "n_non_cartographies", "length_km", "unmapped_km", "unmapped_share",
)  # fmt: skip
PARTS = ("series", "objets", "communes", "pm", "conventions", "observees", "coupures", "parametres", "taux")
"""Parts of the loss in reading order; those that a study does not have are left out, others come last."""


@dataclass(frozen=True)
class Chapter:
    """One section of the page: anchor, title, what to read first, tables, ranges to draw, charts."""

    id: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    ranges: tuple["Range", ...] = ()
    charts: tuple["Chart", ...] = ()


@dataclass(frozen=True)
class Chart:
    """A title and an ``svg`` element."""

    title: str
    svg: str


@dataclass(frozen=True)
class Range:
    """One line of a range chart: label, written value, and positions in percent of the widest."""

    label: str
    text: str
    low: float
    central: float
    high: float


def chapters(report: Report) -> list[Chapter]:
    """Give the sections of the page after its map, in reading order; a new one is a function and a line."""
    if not report.is_study:
        return [_data_chapter(report), _spof_chapter(report), _limits_chapter(report)]
    return [
        _data_chapter(report),
        _spof_chapter(report),
        _exposure_chapter(report),
        _loss_chapter(report),
        _plan_chapter(report),
        _parameters_chapter(report),
        _limits_chapter(report),
    ]


def _data_chapter(report: Report) -> Chapter:
    language = report.language
    reasons = report.counts.get("prises_untraced_reasons")
    listed = sorted(reasons.items()) if isinstance(reasons, dict) else []
    untraced = pd.DataFrame(listed, columns=["reason", "prises"])
    parts = [
        ("levels", report.levels, _LEVELS),
        ("untraced", untraced, ("reason", "prises")),
        ("deliveries", report.deliveries, ("delivery", "versions", "n_rows", "size_bytes")),
        ("feeds", report.feeds, ("feed", "kind", "source")),
        ("indicators", report.indicators, ("code", "libelle", "value", "unit", "scope")),
    ]
    tables = [
        _table(report, name, frame, columns)
        for name, frame, columns in parts
        if frame is not None and len(frame)
    ]
    if report.findings is not None:
        summary = findings_summary(report.findings)
        tables.append(_table(report, "findings", summary, ("severity", "rule", "table", "n", "message")))
    text = [phrase("text_data", language)] if report.levels is not None else []
    absent = _absent(report, "counts", "levels", "findings")
    return Chapter("donnees", phrase("chapter_data", language), (*text, *absent), tuple(tables))


def _spof_chapter(report: Report) -> Chapter:
    parts = [("series", report.series, _SERIES), ("spof", report.spof, _SPOF)]
    loops = ("nro", "k_cable", "k_place", "k_srlg", "shared_m", "shared_places", "is_false")
    tables = [
        _table(report, name, frame, columns, bars=("prises_cut",), on_map=True)
        for name, frame, columns in parts
        if frame is not None
    ]
    if report.loops is not None and len(report.loops):
        tables.append(_table(report, "loops", report.loops, loops))
    if report.by_commune is not None and len(report.by_commune):
        bars = ("prises_h_per_year",)
        tables.append(_table(report, "by_commune", report.by_commune, _COMMUNES, bars=bars))
    text = (phrase("text_spof", report.language), *_absent(report, "series", "spof", "loops"))
    charts = []
    if report.thresholds is not None:
        tables.insert(0, _table(report, "thresholds", report.thresholds, _THRESHOLDS, bars=("prises",)))
        charts.append(("title_curve", threshold_curve(report.thresholds, report.language)))
    if report.spof is not None:
        charts.append(("title_matrix", criticality_matrix(report.spof, report.language)))
    title = phrase("chapter_spof", report.language)
    return Chapter("spof", title, text, tuple(tables), charts=_charts(report, charts))


def _charts(report: Report, drawn: Sequence[tuple[str, str]]) -> tuple[Chart, ...]:
    """Title the charts that have something to show."""
    return tuple(Chart(phrase(title, report.language), svg) for title, svg in drawn if svg)


def _exposure_chapter(report: Report) -> Chapter:
    language = report.language
    title = phrase("chapter_exposure", language)
    if report.exposure is None:
        return Chapter("exposition", title, _absent(report, "exposure"))
    tables, text = [], [phrase("text_exposure", language)]
    if report.hazards is not None:
        tables.append(_table(report, "hazards", hazards_in_words(report.hazards, language), _HAZARDS))
    summary = exposure_summary(report.exposure)
    text += footprints_in_words(report.exposure, summary, language)
    tables.append(_table(report, "exposure", summary, _EXPOSURE))
    if report.unmapped is not None:
        unmapped = unmapped_summary(report.unmapped, report.communes)
        text.append(phrase("text_unmapped" if len(unmapped) else "text_unmapped_none", language))
        if len(unmapped):
            tables.append(_table(report, "unmapped", unmapped, _UNMAPPED, bars=("unmapped_km",)))
    return Chapter("exposition", title, tuple(text), tuple(tables))


def _loss_chapter(report: Report) -> Chapter:
    language, tables, text = report.language, [], []
    ranges: tuple[Range, ...] = ()
    if report.loss is not None:
        text.append(loss_conventions(report))
        tables.append(
            _table(report, "loss", with_margins(report.loss), _LOSS, bars=("prises_h_per_year_central",))
        )
        ranges = loss_ranges(report)
    if report.event_losses is not None:
        tables.append(_table(report, "events", with_margins(report.event_losses), _EVENTS))
    tables += [
        _table(report, f"pertes_{name}", part, [str(column) for column in part.columns], title=title)
        for name, title, part in loss_parts(report)
    ]
    text += _absent(report, "loss", "event_losses")
    return Chapter("perte", phrase("chapter_loss", language), tuple(text), tuple(tables), ranges)


def loss_parts(report: Report) -> list[tuple[str, str, pd.DataFrame]]:
    """Give the parts of the annual loss in reading order: name, title, rows; communes by their names."""
    names = [*(name for name in PARTS if name in report.loss_parts)]
    names += sorted(set(report.loss_parts) - set(names))
    parts = []
    for name in names:
        part = report.loss_parts[name]
        if part.empty:
            continue
        title = phrase(f"title_pertes_{name}", report.language) if name in PARTS else name
        parts.append((name, title, part.rename(columns={"group": _GROUP.get(name, "group")})))
    return parts


def loss_ranges(report: Report) -> tuple[Range, ...]:
    """Give the expected annual loss by mechanism as lines of a chart, low to high, on one scale from 0."""
    if report.loss is None or report.loss.empty:
        return ()
    loss, language = report.loss, report.language
    columns = [f"prises_h_per_year_{level}" for level in ("low", "central", "high")]
    widest = float(loss[columns].max().max())
    if not widest > 0:
        return ()
    table = page_table(loss, ("cause",), name="x", title="", language=language)
    names = [" · ".join(dict.fromkeys(cell.text for cell in row if cell.text != "—")) for row in table.rows]
    triples = loss[columns].fillna(0.0).to_numpy(dtype=float)
    return tuple(
        Range(name, written(value[1], "int", language), *(round(float(v) / widest * 100, 2) for v in value))
        for name, value in zip(names, triples, strict=False)
    )


def _plan_chapter(report: Report) -> Chapter:
    language, tables = report.language, []
    text = list(_absent(report, "plan"))
    if report.plan is not None:
        text.insert(0, phrase("text_plan", language))
        ranged = with_ranges(report.plan, language)
        tables.append(
            _table(report, "plan", ranged, _PLAN, bars=("prises_h_avoided_per_year_central",), on_map=True)
        )
    charts = []
    if report.causes is not None:
        charts.append(("title_before_after", before_and_after(report.causes, language)))
    if report.frontier is not None:
        own = report.budget.get("budget_eur", 0.0)
        charts.append(("title_frontier", frontier_curve(report.frontier, own, language)))
    gap = report.budget.get("gap")
    if gap is not None:
        text.append(phrase("text_gap", language, gap=written(gap, "share", language)))
    if report.ecartees is not None and len(report.ecartees):
        tables.append(_table(report, "ecartees", report.ecartees, _ECARTEES))
    title = phrase("chapter_plan", language)
    return Chapter("plan", title, tuple(text), tuple(tables), charts=_charts(report, charts))


def _parameters_chapter(report: Report) -> Chapter:
    title = phrase("chapter_parameters", report.language)
    if report.parameters is None:
        return Chapter("parametres", title, _absent(report, "parameters"))
    table = _table(
        report,
        "parameters",
        report.parameters,
        ("name", "libelle", "unit", "low", "central", "high", "source"),
    )
    return Chapter("parametres", title, (phrase("text_parameters", report.language),), (table,))


def _limits_chapter(report: Report) -> Chapter:
    text = (*missing_parts(report), *report.limits) or (phrase("text_limits_none", report.language),)
    return Chapter("limites", phrase("chapter_limits", report.language), tuple(text))


def _table(
    report: Report,
    name: str,
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    bars: Sequence[str] = (),
    on_map: bool = False,
    title: str = "",
) -> Table:
    title = title or phrase(f"title_{name}", report.language)
    return page_table(
        frame, columns, name=name, title=title, language=report.language, bars=bars, on_map=on_map
    )


def _absent(report: Report, *parts: str) -> tuple[str, ...]:
    told = set(missing_parts(report))
    sentences_ = [phrase(f"absent_{part}", report.language) for part in parts]
    return tuple(sentence for sentence in sentences_ if sentence in told)
