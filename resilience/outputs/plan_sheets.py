"""The plan's sheets, as a committee reads them: what is chosen, by year, by family, and beyond the budget."""

from dataclasses import replace

import pandas as pd

from gracethd.outputs.labels import value_label
from gracethd.outputs.workbook import Sheet
from resilience.study_budget import STATUTS

from .report import Report

ON_PAPER = (
    "rank", "priority", "libelle", "commune", "year_start", "cost_eur_central",
    "prises_h_avoided_per_year_central", "eur_per_prise_h", "prises_secured", "explication", "statut",
    "decision_comite", "commentaire",
)  # fmt: skip
"""Columns that are printed, in order; the others follow, grouped, and can be unfolded on a screen."""
NEXT = 10
"""Works that are named in `Au-delà`: what the next euros would buy."""
_CHOICES = {"statut": STATUTS}
_TOTALS = (
    "prises_h_avoided_per_year_central", "cost_eur_low", "cost_eur_central", "cost_eur_high", "longueur_m",
)  # fmt: skip
_YEARS = "Ce que chaque année engage, et ce que ses travaux ajoutent aux autres du plan."
_YEAR_TOTALS = ("n_chosen", "cost_eur_low", "cost_eur_central", "cost_eur_high")


def plan_sheets(report: Report) -> list[Sheet]:
    """Give the sheets of a plan, in French: Plan, Par année, one a family, Budget, Au-delà, Écartées."""
    return [*_chosen(report), *_budget(report), *_left_out(report)]


def _chosen(report: Report) -> list[Sheet]:
    plan = report.plan
    if plan is None:
        return []
    note = (
        "Effets estimés mesure par mesure : leur total n'est l'effet du plan que si les mesures sont "
        "indépendantes (voir Synthèse). Les prises sécurisées ne s'additionnent pas."
    )
    asked = f"{note} À remplir et à rendre : statut, décision, commentaire."
    blank = {name: "" for name in ("decision_comite", "commentaire") if name not in plan}
    sheets = [replace(_sheet("Plan", plan.assign(**blank), "Plan d'actions", asked), choices=_CHOICES)]
    if len(plan) and "year_start" in plan:
        sheets.append(
            Sheet("Par année", by_year(plan), "Plan par année de début des travaux", _YEARS, _YEAR_TOTALS)
        )
    if len(set(plan["famille"])) > 1:
        for family, rows in plan.groupby("famille", sort=True):
            name = value_label("famille", family)
            sheets.append(_sheet(name[:31], rows, f"{name} : mesures du plan", note))
    if report.follow_up is not None:
        told = "Travaux d'un plan précédent qui ne sont pas dans celui-ci, et ce qu'ils sont devenus."
        sheets.append(Sheet("Suivi", report.follow_up, "Suivi du plan précédent", told, choices=_CHOICES))
    return sheets


def by_year(plan: pd.DataFrame) -> pd.DataFrame:
    """Sum the works of a plan by the year in which they begin.

    Returns
    -------
    DataFrame
        year_start, n_chosen, cost_eur_low, cost_eur_central, cost_eur_high, prises_h_added_per_year.
    """
    sums = [*_YEAR_TOTALS[1:], "prises_h_added_per_year"]
    grouped = plan.groupby("year_start", sort=True)
    table = pd.DataFrame(grouped[sums].sum())
    table.insert(0, "n_chosen", grouped.size())
    return table.reset_index()


def _budget(report: Report) -> list[Sheet]:
    if report.frontier is None or report.frontier.empty:
        return []
    note = (
        "Ce que d'autres budgets éviteraient, choisis de même ; la dernière colonne est le prix d'une "
        "prise·heure de plus depuis la ligne au-dessus."
    )
    return [
        Sheet(
            "Budget", report.frontier, "Perte évitée selon le budget", note,
            curve=("budget_eur", "avoided_per_year"),
        )
    ]  # fmt: skip


def _left_out(report: Report) -> list[Sheet]:
    others = report.ecartees
    if others is None:
        return []
    sheets = [
        _sheet("Écartées", others, "Mesures étudiées et non retenues", "Le motif est dit ligne à ligne.", ())
    ]
    beyond = beyond_the_budget(others)
    if len(beyond):
        note = "Ce que les prochains euros achèteraient : ce que chaque mesure ajouterait à celles du plan."
        sheets.insert(0, _sheet("Au-delà", beyond, "Ce que le budget laisse", note, ()))
    return sheets


def beyond_the_budget(others: pd.DataFrame) -> pd.DataFrame:
    """Give the works that would add most to the plan for their price, the best first, at most `NEXT`."""
    if "prises_h_added_per_year" not in others:
        return others.iloc[:0]
    adds = others[others["prises_h_added_per_year"] > 0]
    price = adds["cost_eur_central"] / adds["prises_h_added_per_year"]
    return adds.assign(_price=price).sort_values(["_price", "action_id"]).drop(columns="_price").head(NEXT)


def _sheet(name: str, frame: pd.DataFrame, title: str, note: str, totals: tuple[str, ...] = _TOTALS) -> Sheet:
    """Lay a table of works out for paper: the columns that are read first, the others grouped behind."""
    first = [*ON_PAPER]
    if "raison" in frame:
        first = [*ON_PAPER[:8], "prises_h_added_per_year", "raison", "explication"]
    printed = [column for column in first if column in frame]
    behind = [column for column in frame.columns if column not in printed]
    return Sheet(name, pd.DataFrame(frame)[[*printed, *behind]], title, note, totals, on_paper=len(printed))
