"""What ``resilience scenario`` writes and prints: a workbook, layers and tables of one crisis."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.outputs.drawing import are_lines, one_kind, standing_points
from gracethd.outputs.geopackage import Layer, write_geopackage
from gracethd.outputs.labels import value_label, written
from gracethd.outputs.publish import publish_folder
from gracethd.outputs.styles import Class, GeometryKind, Style
from gracethd.outputs.tables import write_json, write_table
from gracethd.outputs.workbook import Sheet, write_workbook
from resilience.crisis import Played
from resilience.crisis.optimum import MAX_TASKS
from resilience.crisis.organisation import compared, organisation
from resilience.outputs.exercise import exercise
from resilience.outputs.ground_map import can_draw
from resilience.outputs.scenario_pictures import STAGE_COLORS, draw_curve, draw_map

_SHOWN_TASKS = 10


def write_scenario(
    played: Played,
    folder: Path,
    *,
    day: date,
    recipient: str = "",
    communes: gpd.GeoDataFrame | None = None,
    ways: gpd.GeoDataFrame | None = None,
) -> None:
    """Write a scenario into a folder, whole or not at all.

    ``scenario_<name>.xlsx``, ``.gpkg``, ``.json`` (the summary), ``_courbe.csv``, ``_reparations.csv``,
    ``_stock.csv``, ``_et_si.csv``, ``_ordres.csv``, ``_exercice.csv``, ``_territoires.csv``, ``_sites.csv``,
    where hours are drawn ``_durees.csv``, and with the extra `images` ``_courbe.png`` and ``_carte.png``,
    over the `communes` and the `ways` of the network where they are given.
    """
    with publish_folder(folder) as aside:
        _write(played, aside, day=day, recipient=recipient, ground=(communes, ways))


def write_scenarios(
    told: Sequence[Played],
    supplies: pd.DataFrame,
    rising: pd.DataFrame,
    folder: Path,
    *,
    day: date,
    recipient: str = "",
    communes: gpd.GeoDataFrame | None = None,
    ways: gpd.GeoDataFrame | None = None,
) -> None:
    """Write all scenarios of a study into a folder, and what they ask for together, whole or not at all.

    Beside the files of each: ``scenarios.xlsx`` (comparison, organisation, supplies and, where a water rises
    by steps, its thresholds), and the same tables as ``scenarios_comparaison.csv``,
    ``scenarios_organisation.csv``, ``scenarios_dependances.csv`` and ``scenarios_montee.csv``.

    Parameters
    ----------
    told : sequence of Played
    supplies : DataFrame
        From `resilience.crisis.organisation.dependences`.
    rising : DataFrame
        From `resilience.crisis.rising.rising_waters`.
    folder, day, recipient, communes, ways
        As for `write_scenario`.
    """
    sheets = {
        "comparaison": Sheet(
            "Comparaison", compared(told), "Scénarios comparés",
            "Un scénario par ligne ; sans heure ni prises·h : des prises ne sont jamais rétablies.",
        ),
        "organisation": Sheet(
            "Organisation", organisation(told), "Moyens que demandent les scénarios",
            "Équipes au travail en même temps quand rien n'attend ; stock de toutes les interventions.",
        ),
        "dependances": Sheet(
            "Dépendances", supplies, "NRO et leur alimentation",
            "Hors de la zone : prises sans service que rien ne place dans la zone électrique du NRO.",
        ),
    }  # fmt: skip
    if len(rising):
        sheets["montee"] = Sheet(
            "Montée des eaux", rising, "Ce que prend chaque cran d'une eau qui monte",
            "Un ouvrage tombe quand sa défaillance est plus probable que non ; seuil : la gravité augmente.",
        )  # fmt: skip
    with publish_folder(folder) as aside:
        for played in told:
            _write(played, aside, day=day, recipient=recipient, ground=(communes, ways))
        for name, sheet in sheets.items():
            write_table(sheet.frame, aside / f"scenarios_{name}.csv")
        notes = [*(scenario_lines(played)[0] for played in told), *rising_lines(rising)]
        write_workbook(
            list(sheets.values()), aside / "scenarios.xlsx", title="Scénarios de crise comparés",
            recipient=recipient, day=day, notes=notes,
        )  # fmt: skip


def _write(
    played: Played,
    aside: Path,
    *,
    day: date,
    recipient: str,
    ground: tuple[gpd.GeoDataFrame | None, gpd.GeoDataFrame | None],
) -> None:
    name = f"scenario_{played.scenario.name}"
    tables = {
        "courbe": played.curve, "reparations": played.tasks, "territoires": played.areas,
        "stock": played.stock, "et_si": played.what_if, "ordres": played.orders, "sites": played.sites,
        "exercice": exercise(played), **({"durees": played.bands} if len(played.bands) else {}),
    }  # fmt: skip
    for table, frame in tables.items():
        write_table(frame, aside / f"{name}_{table}.csv")
    write_json({"scenario": played.scenario.name, **played.summary}, aside / f"{name}.json")
    layers = _layers(played.tasks)
    if layers:
        write_geopackage(layers, aside / f"{name}.gpkg", recipient=recipient, day=day)
    if can_draw():
        draw_curve(played, aside / f"{name}_courbe.png", day=day, recipient=recipient)
        communes, ways = ground
        draw_map(
            played, aside / f"{name}_carte.png", day=day, recipient=recipient, communes=communes, ways=ways
        )
    write_workbook(
        _sheets(played), aside / f"{name}.xlsx",
        title=f"Scénario de crise : {played.scenario.title}",
        recipient=recipient, day=day, notes=scenario_lines(played),
    )  # fmt: skip


def scenario_lines(played: Played) -> list[str]:
    """Say what a scenario gives, in French, a fact a line."""
    told, scenario = played.summary, played.scenario
    worst = (
        f"{scenario.title} : {_n(told['n_failed'])} objet(s) en panne, {_n(told['prises_down_max'])} prises"
        f" sans service au pire ({_hour(told['hour_of_worst'], played)}), dont {_n(told['patchable_max'])} au"
        " plus qu'un rebranchement suffirait à servir."
    )
    then = (
        f"À {_hour(played.hour, played)} : {_n(told['prises_down_at'])} prises sans service, dont"
        f" {_n(told['prises_stranded_at'])} sans aucun chemin."
    )
    if "abonnes_down_at" in told:
        then += f" Abonnés coupés à cette heure : {_n(told['abonnes_down_at'])}."
    if "prises_sans_cuivre_at" in told:
        then += f" Prises sans cuivre pour les secourir : {_n(told['prises_sans_cuivre_at'])}."
    lines = [worst, then]
    crews = (
        "équipes sans limite de nombre (aucune table ressources)"
        if told["n_crews"] is None
        else f"{_n(told['n_crews'])} équipes, ordre « {scenario.order} »"
    )
    lines.append(f"Réparation : {_n(told['n_tasks'])} intervention(s), {crews}.")
    if told["prises_h"] is None:
        lines.append(
            f"{_n(played.tasks['end_h'].isna().sum())} intervention(s) que personne ne peut faire :"
            f" {_n(int(played.curve['prises_down'].iloc[-1]))} prises ne sont jamais rétablies."
        )
    else:
        marks = ", ".join(
            f"{share} % à {_hour(told[f'restored_{share}_h'], played)}" for share in (50, 90, 99)
        )
        lines.append(f"Rétablissement : {marks} ; {_n(told['prises_h'])} prises·h perdues.")
    lines += _drawn_words(played) + _order_words(played) + _more_words(played)
    lines += [
        f"Stock : il manque {_n(row['missing_quantity'])} {value_label('stock', row['stock'])} pour"
        f" {_n(row['n_waiting'])} intervention(s) ; {_n(row['in_stock'])} en stock."
        for row in played.stock.to_dict("records")
        if row["n_waiting"]
    ]
    if len(played.waiting):
        lines.append(
            f"{len(played.waiting)} NRO à l'arrêt faute de courant, batteries épuisées ; ils reviennent avec"
            " lui. Les logements sans courant ne sont pas comptés à part."
        )
    if len(played.sites):
        types = played.sites["type"].value_counts().sort_index()
        named = ", ".join(f"{n} {value_label('type', kind)}" for kind, n in types.items())
        lines.append(f"Sites sensibles sans service à cette heure : {named}.")
    lines += [_task_words(task) for task in played.tasks.head(_SHOWN_TASKS).to_dict("records")]
    more = len(played.tasks) - _SHOWN_TASKS
    return [*lines, f"… et {_n(more)} autre(s) intervention(s)."] if more > 0 else lines


def rising_lines(rising: pd.DataFrame) -> list[str]:
    """Say at which steps of each rising water the gravité increases, in French, a line a water."""
    lines = []
    for hazard, steps in rising.groupby("hazard", sort=False):
        told = [
            f"à {row['scenario']}, {_n(row['prises_down'])} prises sans service (gravité {row['gravite']})"
            for row in steps[steps["is_threshold"]].to_dict("records")
        ]
        lines.append(f"{hazard} : {' ; '.join(told) or 'aucun cran ne coupe de prise'}.")
    return lines


def _drawn_words(played: Played) -> list[str]:
    if played.totals.empty:
        return []
    total = played.totals.set_index("measure")
    hours, lost = (total.loc[name].astype(float).to_dict() for name in ("restored_90_h", "prises_h"))
    said = (
        f"Durées tirées {_n(played.scenario.draws)} fois : 90 % rétablies en {_h(hours['p05'])} à"
        f" {_h(hours['p95'])} h (9 tirages sur 10, médiane {_h(hours['p50'])} h) ; {_n(lost['p05'])} à"
        f" {_n(lost['p95'])} prises·h perdues."
    )
    return [said]


def _order_words(played: Played) -> list[str]:
    if played.no_optimum:
        why = value_label("no_optimum", played.no_optimum).format(n=_n(len(played.tasks)), bound=MAX_TASKS)
        return [f"Ordre optimal non calculé : {why}."] if played.no_optimum != "unlimited" else []
    table = played.orders.set_index("order")
    gap = float(table["gap_share"].fillna(0.0)[played.scenario.order])
    said = (
        f"Ordre optimal : {_n(table.loc['optimum', 'prises_h'])} prises·h ; l'ordre"
        f" « {played.scenario.order} » en est à {written(gap, 'share')}."
    )
    return [said]


def _more_words(played: Played) -> list[str]:
    table = played.what_if
    if len(table) < 2:
        return []
    now, best = table.iloc[0], table.iloc[1]
    what = value_label("resource", best["resource"])
    if best["prises_never"] < now["prises_never"]:
        n = now["prises_never"] - best["prises_never"]
        return [f"Avec {what} de plus : {_n(n)} prises de plus seraient rétablies."]
    saved = best["prises_h_saved"]
    if np.isnan(saved) or round(saved) <= 0:
        return ["Une ressource de plus, quelle qu'elle soit, n'y changerait rien à elle seule."]
    return [f"Avec {what} de plus : {_n(saved)} prises·h évitées."]


def _task_words(task: Mapping[Hashable, Any]) -> str:
    what = f"{task['turn']}. {value_label('kind', task['kind'])} {task['libelle'] or task['code']}"
    behind = f"{_n(task['prises_behind'])} prises sans service derrière"
    if np.isnan(task["end_h"]):
        return f"{what}, {value_label('missing', task['missing'])}, {behind}"
    who = f"équipe {task['crew']}, " if task["crew"] else ""
    return f"{what}, {who}de {_h(task['begin_h'])} à {_h(task['end_h'])} h, {behind}"


def _sheets(played: Played) -> Sequence[Sheet]:
    at = _hour(played.hour, played)
    parts = (
        Sheet(
            "Territoires", played.areas, f"Prises sans service à {at}",
            "Par PM, NRO, commune et EPCI ; « sans chemin » : aucun rebranchement n'y suffirait.",
        ),
        Sheet(
            "Réparations", _stages_in_words(played.tasks), "Ordre des interventions",
            "Heures depuis le début. Équipe 0 : sans limite de nombre ; -1 : personne, voir « Manque ».",
        ),
        Sheet(
            "Courbe", played.curve, "Prises sans service au fil du temps",
            "Chaque ligne vaut jusqu'à la suivante.",
        ),
        Sheet(
            "Stock", played.stock, "Stock pris et manquant",
            "Besoin de toutes les interventions ; sans chiffre en stock, la table ressources n'en dit rien.",
        ),
        Sheet(
            "Exercice", exercise(played), "Déroulé de l'exercice",
            "Ce qui est annoncé aux joueurs, et ce que l'animateur attend d'eux.",
        ),
        Sheet(
            "Et si", played.what_if, "Une ressource de plus, chacune seule",
            "La première ligne est la situation étudiée ; une équipe de plus a toutes les compétences.",
        ),
        Sheet(
            "Ordres", played.orders, "Règles d'ordre comparées",
            f"L'ordre optimal est cherché jusqu'à {MAX_TASKS} interventions.",
        ),
        Sheet(
            "Durées tirées", played.bands, "Prises sans service quand les durées sont incertaines",
            f"{played.scenario.draws} tirages entre bas et haut des paramètres, mode au central.",
        ),
        Sheet("Durées, totaux", played.totals, "Ce que les durées tirées donnent", ""),
        Sheet("Sites sensibles", played.sites, f"Sites sensibles sans service à {at}", ""),
        Sheet("Courant", played.waiting, "NRO à l'arrêt faute de courant", "Ils reviennent avec lui."),
    )  # fmt: skip
    return [sheet for sheet in parts if len(sheet.frame) or sheet.name in ("Territoires", "Réparations")]


def _stages_in_words(tasks: gpd.GeoDataFrame) -> pd.DataFrame:
    words = tasks["stage"].map(lambda stage: value_label("stage", str(stage)))
    return pd.DataFrame(tasks.drop(columns="geometry")).assign(stage=words)


def _layers(tasks: gpd.GeoDataFrame) -> list[Layer]:
    placed = tasks[~(tasks.geometry.isna() | tasks.geometry.is_empty)]
    placed = placed.assign(stage=placed["stage"].astype(str))
    if placed.empty:
        return []
    shapes = placed.geometry.to_numpy()
    points = placed.set_geometry(gpd.GeoSeries(standing_points(shapes), placed.index, crs=placed.crs))
    layers = [Layer("reparations", points, "Interventions, par étape", _style("point"))]
    lines = are_lines(shapes)
    if lines.any():
        drawn = placed[lines].set_geometry(
            gpd.GeoSeries(one_kind(shapes[lines]), placed.index[lines], crs=placed.crs)
        )
        layers.append(
            Layer("reparations_lignes", drawn, "Interventions sur des lignes, par étape", _style("line"))
        )
    return layers


def _style(kind: GeometryKind) -> Style:
    classes = tuple(
        Class(value_label("stage", str(stage)).capitalize(), color, 1.2, value=str(stage))
        for stage, color in enumerate(STAGE_COLORS)
    )
    return Style(kind, classes, "stage", "categorised")


def _n(value: object) -> str:
    return written(value, "int")


def _h(hours: float) -> str:
    return written(float(hours), "value")


def _hour(hours: object, played: Played) -> str:
    """Write an hour of the scenario, with its moment where the scenario has a beginning."""
    text = f"{_h(float(str(hours)))} h"
    if played.scenario.start is None:
        return text
    moment = played.scenario.start + timedelta(hours=float(str(hours)))
    return f"{text} (le {moment:%d/%m/%Y à %H:%M})"
