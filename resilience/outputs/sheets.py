"""Sheets of ``plan.xlsx``: what a study's report puts in its workbook, in French."""

from dataclasses import replace

import pandas as pd

from gracethd.outputs.labels import phrase, written
from gracethd.outputs.workbook import Cards, Sheet

from .chapters import loss_parts
from .fiches import action_cards
from .hazard_tables import exposure_summary, hazards_in_words, unmapped_summary
from .page_tables import with_margins
from .plan_sheets import plan_sheets
from .report import (
    Report,
    findings_summary,
    key_figures,
    loss_conventions,
    missing_parts,
    sentences,
    with_commune_names,
)

_PART_SHEETS = {
    "series": "Pertes séries", "objets": "Pertes objets", "communes": "Pertes communes", "pm": "Pertes PM",
    "conventions": "Conventions", "observees": "Crues rejouées", "coupures": "Coupures électriques",
    "parametres": "Sensibilité", "taux": "Taux",
}  # fmt: skip
_PART_ROWS = 1000
_OBJECT_ROWS = 5000
"""Rows of SPOF and Séries in the workbook: more are not read on a sheet, and stand in the CSV."""
_LOSS_TOTALS = tuple(f"prises_h_per_year_{level}" for level in ("low", "central", "high"))


_CURVES = {"Seuils": ("threshold", "prises")}


def study_sheets(report: Report) -> list[Sheet | Cards]:
    """Give the sheets of the plan's workbook, each only where the study has its part.

    Synthèse, those of the plan (`resilience.outputs.plan_sheets`), Fiches, Communes, SPOF,
    Séries, Seuils, Bouclages, Aléas, Exposition, Non cartographié,
    Événements, Perte annuelle, its parts (Pertes séries, Pertes communes...), Constats, Niveaux, Hypothèses.
    """
    french = with_commune_names(replace(report, language="fr"))
    return [_summary_sheet(french), *plan_sheets(french), *action_cards(french), *_analysis_sheets(french)]


def study_notes(report: Report) -> list[str]:
    """Give the paragraphs of `Lisez-moi`: three sentences, conventions, what is missing."""
    report = with_commune_names(replace(report, language="fr"))
    notice = [report.notice] if report.notice else []
    conventions = [phrase("text_spof"), phrase("text_exposure")]
    loss = [loss_conventions(report)] if report.loss is not None else []
    return [*notice, *sentences(report), *conventions, *loss, *missing_parts(report), *report.limits]


def _summary_sheet(report: Report) -> Sheet:
    figures = key_figures(report)
    frame = pd.DataFrame(
        {
            "indicateur": pd.Series([f.label for f in figures], dtype=str),
            "valeur": pd.Series([f.value for f in figures], dtype=float),
            "unit": pd.Series([f.unit for f in figures], dtype=str),
            "note": pd.Series([f.note for f in figures], dtype=str),
        }
    )
    return Sheet("Synthèse", frame, report.title, note=report.notice)


def _analysis_sheets(report: Report) -> list[Sheet]:
    exposure = None if report.exposure is None else exposure_summary(report.exposure)
    hazards = None if report.hazards is None else hazards_in_words(report.hazards, "fr")
    unmapped = None if report.unmapped is None else unmapped_summary(report.unmapped, report.communes)
    findings = None if report.findings is None else findings_summary(report.findings)
    events = None if report.event_losses is None else with_margins(report.event_losses)
    loss = None if report.loss is None else with_margins(report.loss)
    pertes = tuple(_loss_sheet(name, title, part) for name, title, part in loss_parts(report))
    parts: tuple[tuple[str, pd.DataFrame | None, str, str, tuple[str, ...]], ...] = (
        ("Communes", report.by_commune, "title_by_commune", phrase("text_by_commune"), ("n_chosen",)),
        ("SPOF", *_first(report.spof, "title_spof", phrase("text_spof"), "spof.csv"), ()),
        ("Séries", *_first(report.series, "title_series", "", "series.csv"), ()),
        ("Seuils", report.thresholds, "title_curve", phrase("text_thresholds"), ()),
        ("Bouclages", report.loops, "title_loops", "", ()),
        ("Aléas", hazards, "title_hazards", "", ()),
        ("Exposition", exposure, "title_exposure", phrase("text_exposure"), ()),
        ("Non cartographié", unmapped, "title_unmapped", phrase("text_unmapped"), ()),
        ("Événements", events, "title_events", "", ()),
        ("Perte annuelle", loss, "title_loss", loss_conventions(report), _LOSS_TOTALS),
        *pertes,
        ("Constats", findings, "title_findings", "", ("n",)),
        ("Niveaux", report.levels, "title_levels", phrase("text_data"), ("prises",)),
        ("Hypothèses", report.parameters, "title_parameters", phrase("text_parameters"), ()),
    )
    return [
        Sheet(
            name,
            frame,
            phrase(title) if title.startswith("title_") else title,
            note,
            totals,
            _CURVES.get(name),
        )
        for name, frame, title, note, totals in parts
        if frame is not None
    ]


def _first(
    frame: pd.DataFrame | None, title: str, note: str, file: str
) -> tuple[pd.DataFrame | None, str, str]:
    """Give the first rows of a long table, its title, and a note that says where the others are."""
    if frame is None or len(frame) <= _OBJECT_ROWS:
        return frame, title, note
    shown, total = written(_OBJECT_ROWS, "int"), written(len(frame), "int")
    more = f"{phrase('truncated', shown=shown, total=total)} ({file})"
    return frame.head(_OBJECT_ROWS), title, f"{note} {more}".strip()


def _loss_sheet(
    name: str, title: str, part: pd.DataFrame
) -> tuple[str, pd.DataFrame, str, str, tuple[str, ...]]:
    """Give the sheet of a part of the loss: its first rows, where the file beside it has too many to read."""
    note = ""
    if len(part) > _PART_ROWS:
        shown, total = written(_PART_ROWS, "int"), written(len(part), "int")
        note = f"{phrase('truncated', shown=shown, total=total)} (pertes_{name}.csv)"
    return _PART_SHEETS.get(name, f"Pertes {name}"[:31]), part.head(_PART_ROWS), title, note, ()
