"""Findings as files: a table, a layer that opens styled, a workbook, one JSON object, or one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.check.checking import SHIPPED, summary
from gracethd.check.returns import by_delivery_and_zone
from gracethd.check.rules import RULES
from gracethd.check.settings import Settings, default_thresholds
from gracethd.deliveries.types import Delivery
from gracethd.errors import GraceTHDError
from gracethd.findings import COLUMNS, SEVERITIES
from gracethd.outputs.drawing import standing_points
from gracethd.outputs.geopackage import Layer, write_geopackage
from gracethd.outputs.pages import PageTable, page_table, write_page
from gracethd.outputs.styles import severity_style
from gracethd.outputs.svg import MapLayer, draw_map
from gracethd.outputs.tables import write_json, write_table
from gracethd.outputs.workbook import Sheet, write_workbook

TITLE = "Constats de contrôle"
RETURNS = "Constats par livraison, zone de PM et règle : ce qui est à renvoyer à chacun"
SUFFIXES = (".csv", ".gpkg", ".xlsx", ".json", ".html")
PAGE_ROWS = 200
"""Findings of one rule that the page shows; the other formats hold them all."""
PAGE_RETURNS = 1000
"""Counts by delivery, zone and rule that the page shows."""
COLOURS = {"bloquant": "#7a0f12", "majeur": "#c0392b", "mineur": "#b77700", "info": "#4a6f8a"}


def check_suffix(path: Path) -> None:
    """Refuse a name that tells no format, before anything is read.

    Raises
    ------
    GraceTHDError
        When the name ends in nothing of `SUFFIXES`.
    """
    if path.suffix not in SUFFIXES:
        raise GraceTHDError(f"{path}: write findings to a name that ends in {', '.join(SUFFIXES)}")


def write_findings(
    findings: gpd.GeoDataFrame,
    path: Path,
    *,
    day: date,
    settings: Settings = SHIPPED,
    recipient: str = "",
    deliveries: Sequence[Delivery] = (),
) -> None:
    """Write findings to a .csv, .gpkg, .xlsx, .json or .html, whole and readable by its owner only.

    Parameters
    ----------
    findings : GeoDataFrame
        From `gracethd.check.check_all`.
    path : Path
        Its ending says the format.
    day : date
        Of the check.
    settings : Settings, optional
        What the page says was changed.
    recipient : str, optional
        For whom the file is; written into it.
    deliveries : sequence of Delivery, optional
        Those checked: their SRO zones tell where findings stand, in the counts by delivery and zone.

    Raises
    ------
    GraceTHDError
        When the name ends in nothing of these.
    """
    check_suffix(path)
    if path.suffix == ".csv":
        write_table(findings, path)
    elif path.suffix == ".gpkg":
        points = findings.set_geometry(standing_points(findings.geometry.to_numpy()), crs=findings.crs)
        write_geopackage(
            [Layer("constats", points, TITLE, severity_style())], path, recipient=recipient, day=day
        )
    elif path.suffix == ".xlsx":
        sheets = [
            Sheet("Synthèse", _explained(summary(findings)), TITLE),
            Sheet("Constats", findings, TITLE),
            Sheet("Retours", by_delivery_and_zone(findings, deliveries), RETURNS),
        ]
        write_workbook(sheets, path, title=TITLE, recipient=recipient, day=day)
    elif path.suffix == ".json":
        rows = findings.drop(columns="geometry").to_dict("records")
        returns = by_delivery_and_zone(findings, deliveries).to_dict("records")
        counts = {"par_regle": summary(findings).to_dict("records"), "retours": returns}
        write_json({"constats": rows, **counts}, path)
    else:
        context = page_context(findings, settings, deliveries)
        write_page("constats.html.j2", context, path, recipient=recipient, day=day)


def _explained(counts: pd.DataFrame) -> pd.DataFrame:
    """Give the summary with why each rule matters and its usual causes."""
    more = RULES[["pourquoi", "causes"]].reindex(counts["rule"]).fillna("").reset_index(drop=True)
    return pd.concat([counts, more], axis=1)


@dataclass(frozen=True)
class PageRule:
    """One rule as the page shows it: its words, how many findings, and the first of them."""

    id: str
    severity: str
    n: int
    fr: str
    why: str
    causes: str
    action: str
    table: PageTable


def page_context(
    findings: gpd.GeoDataFrame, settings: Settings, deliveries: Sequence[Delivery] = ()
) -> dict[str, object]:
    """Give what the page of findings is made of."""
    counts = findings["severity"].value_counts()
    shown = [name for name in COLUMNS if name not in ("rule", "severity")]
    told = _explained(summary(findings))
    group_of = findings.groupby(["rule", "severity"], sort=False).get_group
    rules = [
        PageRule(
            str(row["rule"]), str(row["severity"]), int(row["n"]), str(row["fr"] or row["rule"]),
            str(row["pourquoi"]), str(row["causes"]), str(row["action"]),
            page_table(pd.DataFrame(group_of((row["rule"], row["severity"]))[shown]), most=PAGE_ROWS),
        )
        for row in told.to_dict("records")
    ]  # fmt: skip
    points = standing_points(findings.geometry.to_numpy())
    layers = [
        MapLayer(name, points[(findings["severity"] == name).to_numpy()], COLOURS[name], 5)
        for name in reversed(SEVERITIES)
    ]
    return {
        "title": TITLE,
        "counts": [(name, int(counts.get(name, 0))) for name in SEVERITIES],
        "map": draw_map(layers, title="Lieux des constats"),
        "unplaced": int(np.sum(pd.isna(points))),
        "rules": rules,
        "returns": page_table(by_delivery_and_zone(findings, deliveries), most=PAGE_RETURNS),
        "changes": _changes(settings),
    }


def _changes(settings: Settings) -> list[str]:
    shipped = default_thresholds()
    return [
        *(f"Règle écartée : {rule}" for rule in sorted(settings.disabled)),
        *(f"Gravité changée : {rule} = {level}" for rule, level in sorted(settings.severity.items())),
        *(
            f"Seuil changé : {name} = {value:g} (au lieu de {shipped[name]:g})"
            for name, value in settings.thresholds.items()
            if value != shipped[name]
        ),
    ]
