"""The plan: which measures to do under a budget, in which order, what each avoids and what it costs.

For the programme manager. The choice is exact on the interactions that were evaluated; the chosen set is then
evaluated once more on the whole network, and both figures are given.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from resilience.benefits import (
    Benefits,
    Classes,
    Sampling,
    class_losses,
    classes_of,
    joint_benefits,
    single_benefits,
)
from resilience.measures import Candidates, Situation, apply
from resilience.parameters import LEVELS, Level
from resilience.selection import Selection, select

COLUMNS = (
    "rank", "action_id", "famille", "mesure", "libelle", "objets", "commune", "epci", "longueur_m",
    "prises_secured", "prises_h_avoided_per_year_low", "prises_h_avoided_per_year_central",
    "prises_h_avoided_per_year_high", "cost_eur_low", "cost_eur_central", "cost_eur_high", "annee_prix",
    "eur_per_prise_h", "priority", "year", "duree_mois", "autorisations", "maitre_ouvrage", "financement",
    "statut", "rank_low", "rank_high", "hypotheses", "geometry",
)  # fmt: skip
"""Columns of a plan, in order (DESIGN, Machine-readable names), then the geometry."""

_AVOIDED = "prises_h_avoided_per_year_"
_NEGLIGIBLE = 1e-9  # share of the network's loss below which an effect is rounding


@dataclass(frozen=True)
class Plan:
    """What to do, what not to do and why, and the figures of page one.

    Attributes
    ----------
    plan : GeoDataFrame
        The chosen measures, columns of `COLUMNS`, by rank. ``prises_h_avoided_per_year_*`` is what the
        measure avoids alone, at each level of parameters; what it adds to the others stands in `hypotheses`.
    ecartees : GeoDataFrame
        The other candidates, by action_id: the same columns without rank, rank_low, rank_high and year,
        and ``motif``, why, in French.
    summary : dict
        budget_eur, spent_eur, n_candidates, n_chosen, n_omitted, loss_before (prises·h per year by level),
        loss_after, avoided (by level, of the whole set on the whole network), avoided_model (central, by
        the terms that the choice was made on), bound (no set within the budget avoids more by these
        terms), gap, interaction_order, neglected (bound on the interactions that the terms leave out),
        evaluations, message.
    """

    plan: gpd.GeoDataFrame
    ecartees: gpd.GeoDataFrame
    summary: dict[str, object]


def choose(
    today: Mapping[Level, Situation],
    candidates: Candidates,
    sampling: Sampling,
    *,
    budget_eur: float,
    first_year: int,
) -> Plan:
    """Choose the measures that avoid most prises·h per year within a budget, at central parameters.

    Parameters
    ----------
    today : mapping of Level to Situation
    candidates : Candidates
        From `resilience.measures.propose`.
    sampling : Sampling
    budget_eur : float
        Before VAT, 0 or more; central costs are held against it.
    first_year : int
        Year in which works start: ``year`` is the one in which a measure is done if it starts with it.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        When the budget is negative or not a number.
    """
    classes = classes_of(today["central"], candidates)
    benefits = joint_benefits(today["central"], candidates, classes, "central", sampling)
    measures = candidates.measures
    selection = select(
        benefits,
        measures["cost_eur_central"],
        budget_eur,
        exclusions=candidates.exclusions.tolist(),
        requirements=candidates.requirements.tolist(),
    )
    table = _with_effects(today, candidates, classes, benefits, sampling)
    chosen = list(selection.chosen)
    plan = _ranked(table.iloc[chosen], benefits, selection, first_year)
    others = table.drop(index=chosen)
    motives = [_motive(int(number), selection, candidates, benefits, budget_eur) for number in others.index]
    kept = [name for name in COLUMNS if name in others.columns and name != "geometry"]
    ecartees = others.assign(motif=motives)[[*kept, "motif", "geometry"]].reset_index(drop=True)
    return Plan(plan, ecartees, _summary(today, candidates, benefits, selection, sampling, budget_eur))


def network_losses(
    today: Mapping[Level, Situation], candidates: Candidates, chosen: list[int], sampling: Sampling
) -> dict[Level, float]:
    """Give the expected prises·h per year of the whole network once some measures are done, by level."""
    losses: dict[Level, float] = {}
    for level in LEVELS:
        situation = apply(today[level], candidates, chosen, level) if chosen else today[level]
        prises = today[level].graph.prises[:, None]
        losses[level] = float(class_losses(situation, prises, sampling).sum())
    return losses


def priority_of(criticite: float) -> str:
    """Give P1 from 12 on, P2 from 6 on, else P3 (also where the criticité is not known)."""
    return "P1" if criticite >= 12 else "P2" if criticite >= 6 else "P3"


def _with_effects(
    today: Mapping[Level, Situation],
    candidates: Candidates,
    classes: Classes,
    benefits: Benefits,
    sampling: Sampling,
) -> gpd.GeoDataFrame:
    """Add what each measure avoids alone, its price per prise·h and its priority."""
    table = candidates.measures.copy()
    for level in LEVELS:
        alone = (
            np.array([benefits.terms[number,] for number in range(len(table))], np.float64)
            if level == "central"
            else single_benefits(today[level], candidates, classes, level, sampling)
        )
        table[f"{_AVOIDED}{level}"] = alone
    table["eur_per_prise_h"] = _eur_per_prise_h(table, "central")
    table["priority"] = pd.Series(
        [priority_of(value) for value in table["criticite"]], table.index, dtype=str
    )
    return table


def _eur_per_prise_h(table: pd.DataFrame, level: Level) -> NDArray[np.float64]:
    """Give the price of a prise·h per year avoided, NaN where the measure avoids nothing alone."""
    avoided = table[f"{_AVOIDED}{level}"].to_numpy(np.float64)
    cost = table[f"cost_eur_{level}"].to_numpy(np.float64)
    return np.divide(cost, avoided, out=np.full(len(table), np.nan), where=avoided > 0)


def _ranked(
    table: gpd.GeoDataFrame, benefits: Benefits, selection: Selection, first_year: int
) -> gpd.GeoDataFrame:
    """Rank the chosen measures (D20), with the interval that each rank keeps over the levels."""
    ranks = {level: _ranks(_eur_per_prise_h(table, level), table["action_id"]) for level in LEVELS}
    every = np.stack(list(ranks.values()))
    chosen = set(selection.chosen)
    added = [benefits.of(chosen) - benefits.of(chosen - {number}) for number in table.index]
    words = [
        f"{text} ; ajoute {value:.1f} prises·h/an aux autres travaux du plan"
        for text, value in zip(table["hypotheses"], added, strict=True)
    ]
    plan = table.assign(
        rank=ranks["central"],
        rank_low=every.min(axis=0),
        rank_high=every.max(axis=0),
        year=first_year + (table["duree_mois"].to_numpy(np.int64) - 1) // 12,
        hypotheses=pd.Series(words, table.index, dtype=str),
    )
    return plan.sort_values("rank", ignore_index=True)[list(COLUMNS)]


def _ranks(price: NDArray[np.float64], action_id: pd.Series) -> NDArray[np.int64]:
    order = (
        pd.DataFrame({"price": price, "action_id": action_id.to_numpy()})
        .sort_values(["price", "action_id"])
        .index
    )
    ranks = np.empty(len(price), np.int64)
    ranks[order.to_numpy()] = np.arange(1, len(price) + 1)
    return ranks


def _motive(
    number: int, selection: Selection, candidates: Candidates, benefits: Benefits, budget_eur: float
) -> str:
    """Say in French why a measure was not chosen, the plainest reason first."""
    cost = float(candidates.measures["cost_eur_central"].iloc[number])
    chosen = set(selection.chosen)
    joined = max((gain for term, gain in benefits.terms.items() if number in term), default=0.0)
    smallest = _NEGLIGIBLE * max(1.0, abs(selection.bound))
    if joined <= smallest:
        return "sans effet mesurable sur la perte attendue"
    if cost > budget_eur:
        return "coûte plus que le budget"
    rivals = {int(b if a == number else a) for a, b in candidates.exclusions if number in (a, b)}
    if rivals & chosen:
        rival = candidates.measures["action_id"].iloc[min(rivals & chosen)]
        return f"incompatible avec {rival}, retenue"
    if benefits.of(chosen | {number}) - benefits.of(chosen) <= smallest:
        return "n'ajoute rien aux mesures retenues"
    if cost <= budget_eur - selection.cost_eur:
        return "dépend d'une mesure qui n'est pas retenue"
    return "le reste du budget ne suffit pas ; les mesures retenues évitent davantage"


def _summary(
    today: Mapping[Level, Situation],
    candidates: Candidates,
    benefits: Benefits,
    selection: Selection,
    sampling: Sampling,
    budget_eur: float,
) -> dict[str, object]:
    before = network_losses(today, candidates, [], sampling)
    after = network_losses(today, candidates, list(selection.chosen), sampling)
    return {
        "budget_eur": float(budget_eur),
        "spent_eur": selection.cost_eur,
        "n_candidates": len(candidates.measures),
        "n_chosen": len(selection.chosen),
        "n_omitted": dict(candidates.omitted),
        "loss_before": before,
        "loss_after": after,
        "avoided": {level: before[level] - after[level] for level in LEVELS},
        "avoided_model": selection.value,
        "bound": selection.bound,
        "gap": selection.gap,
        "interaction_order": benefits.order,
        "neglected": benefits.neglected,
        "evaluations": benefits.evaluations,
        "message": _message(candidates, selection, budget_eur),
    }


def _message(candidates: Candidates, selection: Selection, budget_eur: float) -> str:
    """Say in one French sentence what the budget buys."""
    n, chosen = len(candidates.measures), len(selection.chosen)
    every = float(candidates.measures["cost_eur_central"].sum())
    if n == 0:
        return "Aucune mesure n'est proposée : rien d'exposé qu'une mesure du catalogue puisse traiter."
    if budget_eur == 0:
        return f"Budget nul : aucune des {n} mesures proposées n'est retenue."
    if chosen == 0:
        return f"Aucune des {n} mesures proposées n'a d'effet et ne tient dans {_euros(budget_eur)}."
    spent = f"{chosen} mesure(s) sur {n} pour {_euros(selection.cost_eur)}"
    if budget_eur >= every:
        return f"{spent} : le budget ({_euros(budget_eur)}) suffit à toutes, les autres n'ajoutent rien."
    return f"{spent} sur un budget de {_euros(budget_eur)}."


def _euros(value: float) -> str:
    return f"{value:,.0f} €".replace(",", "\u202f")
