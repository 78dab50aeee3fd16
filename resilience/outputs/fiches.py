"""A card for each of the first works of a plan: what, why, who, and where on a small map."""

from collections.abc import Hashable, Mapping
from io import BytesIO

import geopandas as gpd
import pandas as pd
import shapely

from gracethd.outputs.labels import column_format, column_label, is_missing, value_label, written
from gracethd.outputs.workbook import Card, Cards

from .ground_map import can_draw, draw_ground, draw_rooms, draw_scale
from .report import Report

MOST = 30
"""Works that have a card, those of first rank."""
MARGIN_M = 250.0
"""Ground that a picture shows around its works, and at least half of the longer side of them."""
_FACTS = (
    "famille", "priority", "commune", "epci", "objets", "explication", "prises_secured",
    "prises_h_avoided_per_year_central", "prises_h_added_per_year", "eur_per_prise_h", "longueur_m",
    "fourreau_m", "accotement_m", "chaussee_m", "centre_m", "duree_vie_ans", "cout_vie_eur", "duree_mois",
    "year_start", "year", "autorisations", "maitre_ouvrage", "financement", "exige", "exclut", "statut",
    "hypotheses", "action_id",
)  # fmt: skip
_LENGTHS = ("longueur_m", "fourreau_m", "accotement_m", "chaussee_m", "centre_m")
_LONG = 600
"""Characters of a fact that are shown: some works treat hundreds of objects."""
_WORKS = "#a8261f"


def action_cards(report: Report) -> list[Cards]:
    """Give the sheet of cards of a plan; none where it has no works."""
    plan = report.plan
    if plan is None or plan.empty:
        return []
    note = (
        f"Les {MOST} premières mesures du plan, une par page." if len(plan) > MOST else "Une mesure par page."
    )
    if not can_draw():
        note += " Sans carte : l'extra images n'est pas installé (pip install 'gracethd[images]')."
    rows = plan.head(MOST)
    told = zip(rows.to_dict("records"), _pictures(rows, report), strict=True)
    cards = [
        Card(f"{number}. {row['libelle']}", _facts(row, plan), picture)
        for number, (row, picture) in enumerate(told, start=1)
    ]
    return [Cards("Fiches", cards, "Fiches des mesures", note)]


def _facts(row: Mapping[Hashable, object], plan: pd.DataFrame) -> list[tuple[str, str]]:
    facts = [("Coût HT", _cost(row))]
    for name in _FACTS:
        value = row.get(name)
        if value is None or is_missing(value) or (name in _LENGTHS and not value):
            continue
        text = (
            value_label(name, value)
            if isinstance(value, str)
            else written(value, column_format(name, plan[name]))
        )
        facts.append((column_label(name), text if len(text) <= _LONG else f"{text[:_LONG]}…"))
    return facts


def _cost(row: Mapping[Hashable, object]) -> str:
    low, central, high = (written(row[f"cost_eur_{level}"], "eur") for level in ("low", "central", "high"))
    return f"{central} € ({low} à {high}), prix de {row['annee_prix']}"


def _pictures(rows: pd.DataFrame, report: Report) -> list[bytes]:
    if not can_draw() or not isinstance(rows, gpd.GeoDataFrame):
        return [b""] * len(rows)
    drawn = []
    for shape in rows.geometry:
        is_placed = shape is not None and not shape.is_empty
        drawn.append(draw_works(shape, report) if is_placed else b"")
    return drawn


def draw_works(shape: shapely.geometry.base.BaseGeometry, report: Report) -> bytes:
    """Draw works among ways, rooms, water and communes, with a scale bar and the north up, as a PNG.

    Parameters
    ----------
    shape : shapely geometry
        In the CRS of the report's layers, in metres.
    report : Report
        Its `ways`, `rooms`, `hazard_extents` (water of the longest return period) and `communes`.
    """
    from matplotlib.figure import Figure

    west, south, east, north = shape.bounds
    half = max(east - west, (north - south) * 1.4, 2 * MARGIN_M) / 2 + MARGIN_M
    x, y = (west + east) / 2, (south + north) / 2
    frame = shapely.box(x - half, y - half / 1.4, x + half, y + half / 1.4)
    figure = Figure(figsize=(7.0, 5.0))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=frame.bounds[0::2], ylim=frame.bounds[1::2], aspect="equal")
    axes.set_axis_off()
    draw_ground(report, frame, axes)
    drawn = gpd.GeoSeries([shape])
    drawn.plot(ax=axes, color=_WORKS, linewidth=3.5, markersize=140, zorder=4)
    draw_rooms(report, frame, axes)
    draw_scale(axes, frame.bounds)
    out = BytesIO()
    figure.savefig(out, format="png", dpi=120, metadata={"Software": None})
    return out.getvalue()
