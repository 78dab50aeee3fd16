"""The plan: which measures to do under a budget, in which order, what each avoids and what it costs.

For the programme manager. Measures are chosen on the sampled model of `resilience.choice`; the chosen set is
then evaluated once more on the whole network, and both figures are given.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from resilience.choice import (
    BudgetError,
    Limits,
    Sampled,
    alone,
    best_set,
    bound_of,
    bundle_greedy,
    frontier,
    limits_of,
    sampled_models,
    shares_chosen,
    years_of,
)
from resilience.loss import Sampling, network_loss
from resilience.measures import Candidates, Situation, apply
from resilience.parameters import LEVELS, Level
from resilience.study_budget import Budget

COLUMNS = (
    "rank", "action_id", "famille", "mesure", "libelle", "objets", "commune", "epci", "longueur_m",
    "prises_secured", "prises_h_avoided_per_year_low", "prises_h_avoided_per_year_central",
    "prises_h_avoided_per_year_high", "cost_eur_low", "cost_eur_central", "cost_eur_high", "annee_prix",
    "eur_per_prise_h", "priority", "year", "duree_mois", "autorisations", "maitre_ouvrage", "financement",
    "statut", "rank_low", "rank_high", "hypotheses",
)  # fmt: skip
"""Columns of a plan, in order (DESIGN, Machine-readable names)."""
FURTHER = (
    "year_start", "prises_h_added_per_year", "share_chosen", "explication", "duree_vie_ans", "cout_vie_eur",
    "fourreau_m", "accotement_m", "chaussee_m", "centre_m", "exige", "exclut",
)  # fmt: skip
"""Columns that follow, before those that the candidates carry beside, and the geometry."""

_AVOIDED = "prises_h_avoided_per_year_"
_NEGLIGIBLE = 1e-9  # share of the network's loss below which an effect is rounding
_EXACT = 20_000
"""Cures of routes up to which the best set is sought; larger models have the bundles and the proven gap."""


@dataclass(frozen=True)
class Plan:
    """What to do, what not to do and why, and the figures of page one.

    Attributes
    ----------
    plan : GeoDataFrame
        The chosen measures, columns of `COLUMNS`, then of `FURTHER`, then further ones of the candidates, by
        rank. ``prises_h_avoided_per_year_*`` is what the measure avoids alone, at each level of parameters;
        ``prises_h_added_per_year`` what it adds to the others of the plan, or would; ``year_start`` the year
        in which it begins, ``year`` the one in which it is done; ``share_chosen`` the share of draws of
        prices and losses in which it is chosen; ``explication``, in French, why and what would change that.
    ecartees : GeoDataFrame
        The other candidates, by action_id: the same columns without rank, rank_low, rank_high, year and
        year_start, and ``motif``, why, in French.
    frontier : DataFrame
        See `resilience.choice.stability.frontier`.
    summary : dict
        budget_eur, spent_eur, n_candidates, n_chosen, n_omitted, loss_before (prises·h per year by level),
        loss_after, avoided (by level, of the whole set on the whole network), avoided_model (central, by
        the sampled model that the choice was made on), bound (no set within the limits avoids more by that
        model), gap, n_needs (of the model), message.
    causes : DataFrame
        cause (hazard or mechanism of a rate), prises_h_per_year_before, prises_h_per_year_after: central
        losses of the whole network, without and with the plan, the largest first.
    follow_up : DataFrame or None
        What became of works of an earlier plan that are not in this one (`resilience.follow_up`).
    """

    plan: gpd.GeoDataFrame
    ecartees: gpd.GeoDataFrame
    frontier: pd.DataFrame
    summary: dict[str, object]
    causes: pd.DataFrame
    follow_up: pd.DataFrame | None = None


def choose(
    today: Mapping[Level, Situation],
    candidates: Candidates,
    sampling: Sampling,
    *,
    budget: Budget,
    first_year: int,
) -> Plan:
    """Choose the measures that avoid most prises·h per year within a budget, at central parameters.

    Parameters
    ----------
    today : mapping of Level to Situation
    candidates : Candidates
        From `resilience.measures.propose`.
    sampling : Sampling
    budget : Budget
        Central costs are held against it.
    first_year : int
        Year in which works start.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        When the budget is negative or not a number.
    BudgetError
        When its conditions cannot be met.
    """
    limits = limits_of(budget, candidates)
    models = sampled_models(today, candidates, sampling)
    model = models["central"]
    taken, bound = _best(model, limits)
    losses = {level: _losses_by_cause(today[level], sampling) for level in LEVELS}
    curve = frontier(model, limits, taken, sum(losses["central"].values()))
    shares = shares_chosen(model, limits, candidates.measures, losses, seed=sampling.seed)
    table = _with_effects(candidates, models, shares)
    chosen = np.flatnonzero(taken)
    added = _added(model, taken)
    order = _ranks(_eur_per_prise_h(table.iloc[chosen], "central"), table["action_id"].iloc[chosen])
    begun = years_of(
        chosen[np.argsort(order)].tolist(), limits.cost_eur, list(limits.requirements), budget.years_eur
    )
    price = _marginal_price(curve, limits.total_eur)
    said = _Said(candidates, limits, taken, table, added, price)
    rows = table.assign(explication="", prises_h_added_per_year=added)
    rows["explication"] = [said.chosen(n) if taken[n] else said.left(n) for n in range(len(rows))]
    plan = _ranked(rows.iloc[chosen], begun, first_year)
    others = rows.drop(index=chosen.tolist())
    motives = [_motive(n, model, limits, taken, candidates) for n in others.index]
    kept = [name for name in plan.columns if name in others.columns and name != "geometry"]
    ecartees = others.assign(motif=pd.Series(motives, others.index, dtype=str))[[*kept, "motif", "geometry"]]
    built = losses_once_built(today, candidates, chosen.tolist(), sampling)
    after = {level: sum(built[level].values()) for level in LEVELS}
    before = {level: sum(losses[level].values()) for level in LEVELS}
    value = model.value(taken)
    summary: dict[str, object] = {
        "budget_eur": float(budget.total_eur),
        "spent_eur": float(limits.cost_eur[taken].sum()),
        "n_candidates": len(table),
        "n_chosen": len(chosen),
        "n_omitted": dict(candidates.omitted),
        "loss_before": before,
        "loss_after": after,
        "avoided": {level: before[level] - after[level] for level in LEVELS},
        "avoided_model": value,
        "bound": bound,
        "gap": max(0.0, (bound - value) / bound) if bound > 0 else 0.0,
        "n_needs": len(model.weight),
        "message": _message(limits, taken),
    }
    causes = _before_and_after(losses["central"], built["central"])
    return Plan(plan, ecartees.reset_index(drop=True), curve, summary, causes)


def losses_once_built(
    today: Mapping[Level, Situation], candidates: Candidates, chosen: list[int], sampling: Sampling
) -> dict[Level, dict[str, float]]:
    """Give the expected prises·h per year of the network once measures are done, by level and cause."""
    return {
        level: _losses_by_cause(
            apply(today[level], candidates, chosen, level) if chosen else today[level], sampling
        )
        for level in LEVELS
    }


def _before_and_after(before: Mapping[str, float], after: Mapping[str, float]) -> pd.DataFrame:
    """Put the losses of each cause side by side, the largest first."""
    causes = sorted({*before, *after}, key=lambda cause: (-before.get(cause, 0.0), cause))
    return pd.DataFrame(
        {
            "cause": pd.Series(causes, dtype=str),
            "prises_h_per_year_before": [before.get(cause, 0.0) for cause in causes],
            "prises_h_per_year_after": [after.get(cause, 0.0) for cause in causes],
        }
    )


def _best(model: Sampled, limits: Limits) -> tuple[NDArray[np.bool_], float]:
    """Choose by bundles, and exactly where the model is small; give the set and the proven bound."""
    taken = bundle_greedy(model, limits)
    if len(model.cure) > _EXACT:
        found, bound = None, bound_of(model, limits)
    else:
        solution = best_set(model, limits)
        found, bound = solution.taken, solution.bound
    if found is not None and (not limits.allow(taken) or model.value(found) >= model.value(taken)):
        taken = found
    if not limits.allow(taken):
        raise BudgetError(
            "budget: no set of works was found that meets every condition at once (total, families, floors,"
            " force, forbid); loosen one of them"
        )
    return taken, max(bound, model.value(taken))


def _losses_by_cause(situation: Situation, sampling: Sampling) -> dict[str, float]:
    table = network_loss(
        situation.graph, situation.failures, situation.rates, asset_keys=situation.asset_keys,
        seed=sampling.seed, draws=sampling.draws, tail=sampling.tail, workers=sampling.workers,
    )  # fmt: skip
    return {str(c): float(v) for c, v in zip(table["cause"], table["prises_h_per_year"], strict=True)}


def _with_effects(
    candidates: Candidates, models: Mapping[Level, Sampled], shares: NDArray[np.float64]
) -> gpd.GeoDataFrame:
    """Add what each measure avoids alone, and its price per prise·h."""
    table = candidates.measures.copy()
    for level in LEVELS:
        table[f"{_AVOIDED}{level}"] = alone(models[level])
    table["eur_per_prise_h"] = _eur_per_prise_h(table, "central")
    return table.assign(share_chosen=shares)


def _eur_per_prise_h(table: pd.DataFrame, level: Level) -> NDArray[np.float64]:
    """Give the price of a prise·h per year avoided, NaN where the measure avoids nothing alone."""
    avoided = table[f"{_AVOIDED}{level}"].to_numpy(np.float64)
    cost = table[f"cost_eur_{level}"].to_numpy(np.float64)
    return np.divide(cost, avoided, out=np.full(len(table), np.nan), where=avoided > 0)


def _added(model: Sampled, taken: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give what each measure adds to the others of the plan, or would add, (n_options,) float64."""
    whole = model.value(taken)
    added = np.zeros(model.n_options)
    for number in range(model.n_options):
        other = taken.copy()
        other[number] = not taken[number]
        added[number] = abs(whole - model.value(other)) if taken[number] else model.value(other) - whole
    return added


def _ranked(table: gpd.GeoDataFrame, begun: Mapping[int, int], first_year: int) -> gpd.GeoDataFrame:
    """Rank the chosen measures (D20), with the interval that each rank keeps over the levels."""
    ranks = {level: _ranks(_eur_per_prise_h(table, level), table["action_id"]) for level in LEVELS}
    every = np.stack(list(ranks.values()))
    start = first_year + np.array([begun[number] for number in table.index], np.int64)
    plan = table.assign(
        rank=ranks["central"],
        rank_low=every.min(axis=0),
        rank_high=every.max(axis=0),
        year_start=start,
        year=start + (table["duree_mois"].to_numpy(np.int64) - 1) // 12,
    )
    own = [name for name in table.columns if name not in (*COLUMNS, *FURTHER, "criticite", "geometry")]
    return plan.sort_values("rank", ignore_index=True)[[*COLUMNS, *FURTHER, *own, "geometry"]]


def _ranks(price: NDArray[np.float64], action_id: pd.Series) -> NDArray[np.int64]:
    order = (
        pd.DataFrame({"price": price, "action_id": action_id.to_numpy()})
        .sort_values(["price", "action_id"])
        .index
    )
    ranks = np.empty(len(price), np.int64)
    ranks[order.to_numpy()] = np.arange(1, len(price) + 1)
    return ranks


def _marginal_price(curve: pd.DataFrame, budget_eur: float) -> float:
    """Give what one more prise·h a year costs beside this budget: with a larger one, else with this one."""
    known = curve[curve["marginal_eur_per_prise_h"].notna()]
    beyond = known[known["budget_eur"] > budget_eur]
    near = beyond.head(1) if len(beyond) else known.tail(1)
    return float(near["marginal_eur_per_prise_h"].iloc[0]) if len(near) else np.nan


@dataclass(frozen=True)
class _Said:
    """Why each measure is chosen or not, in French, with what would change that."""

    candidates: Candidates
    limits: Limits
    taken: NDArray[np.bool_]
    table: pd.DataFrame
    added: NDArray[np.float64]
    price: float

    def chosen(self, number: int) -> str:
        """Say why a measure is in the plan."""
        row = self.table.loc[number]
        parts = [f"protège {_whole(row['prises_secured'])} prises"]
        alone_h, added = row[f"{_AVOIDED}central"], float(self.added[number])
        parts.append(f"évite {_whole(alone_h)} prises·h/an seule, {_whole(added)} en plus des autres du plan")
        rivals = self._rivals(number)
        if rivals:
            parts.append(f"remplace {', '.join(rivals)}")
        if self.limits.forced[number]:
            return " ; ".join([*parts, "imposée par l'étude"])
        share = float(str(row["share_chosen"]))
        parts.append(f"retenue dans {share:.0%} des tirages de prix et de pertes")
        if np.isfinite(self.price) and added > 0:
            parts.append(
                f"ne le serait plus au-delà de {_euros(self.price * added)}, au prix marginal du budget"
                if self.price * added > self.limits.cost_eur[number]
                else f"au-dessus du prix marginal ({_euros(self.price)}) : tient dans le reste du budget"
            )
        return " ; ".join(parts)

    def left(self, number: int) -> str:
        """Say what would bring a measure into the plan."""
        if self.limits.forbidden[number]:
            return "exclue par l'étude"
        share = float(str(self.table.loc[number, "share_chosen"]))
        parts = [f"retenue dans {share:.0%} des tirages de prix et de pertes"]
        added = float(self.added[number])
        if np.isfinite(self.price) and added > 0:
            parts.append(f"le serait au-dessous de {_euros(self.price * added)}, au prix marginal du budget")
        return " ; ".join(parts)

    def _rivals(self, number: int) -> list[str]:
        """Name the measures that this one excludes."""
        others = {b if a == number else a for a, b in self.limits.exclusions if number in (a, b)}
        return [str(self.table.loc[other, "action_id"]) for other in sorted(others)]


def _motive(
    number: int, model: Sampled, limits: Limits, taken: NDArray[np.bool_], candidates: Candidates
) -> str:
    """Say in French why a measure was not chosen, the plainest reason first."""
    cost, with_it = float(limits.cost_eur[number]), taken.copy()
    with_it[number] = True
    smallest = _NEGLIGIBLE * max(1.0, float(model.weight.sum()))
    rivals = [b if a == number else a for a, b in limits.exclusions if number in (a, b)]
    kept = [candidates.measures["action_id"].iloc[rival] for rival in sorted(rivals) if taken[rival]]
    full = any(of[number] and limits.cost_eur[taken & of].sum() + cost > most for of, most in limits.ceilings)
    reasons = (
        (limits.forbidden[number], "exclue par l'étude"),
        (not _can_help(model, number), "sans effet mesurable sur la perte attendue"),
        (cost > limits.total_eur, "coûte plus que le budget"),
        (bool(kept), f"incompatible avec {', '.join(kept[:1])}, retenue"),
        (model.value(with_it) - model.value(taken) <= smallest, "n'ajoute rien aux mesures retenues"),
        (limits.allow(with_it), "n'ajoute presque rien aux mesures retenues"),
        (
            any(a == number and not taken[b] for a, b in limits.requirements),
            "dépend d'une mesure qui n'est pas retenue",
        ),
        (full, "l'enveloppe de sa famille est épuisée"),
        (True, "le reste du budget ne suffit pas ; les mesures retenues évitent davantage"),
    )
    return next(words for holds, words in reasons if holds)


def _can_help(model: Sampled, number: int) -> bool:
    """Tell whether a measure cures anything on any route."""
    cures = np.repeat(np.arange(len(model.option_ptr) - 1), np.diff(model.option_ptr))
    return bool(np.isin(model.cure, cures[model.option == number]).any())


def _message(limits: Limits, taken: NDArray[np.bool_]) -> str:
    """Say in one French sentence what the budget buys."""
    n, chosen, budget_eur = len(taken), int(taken.sum()), limits.total_eur
    spent_eur, every = float(limits.cost_eur[taken].sum()), float(limits.cost_eur.sum())
    if n == 0:
        return "Aucune mesure n'est proposée : rien d'exposé qu'une mesure du catalogue puisse traiter."
    if budget_eur == 0:
        return f"Budget nul : aucune des {n} mesures proposées n'est retenue."
    if chosen == 0:
        return f"Aucune des {n} mesures proposées n'a d'effet et ne tient dans {_euros(budget_eur)}."
    spent = f"{chosen} mesure(s) sur {n} pour {_euros(spent_eur)}"
    if budget_eur >= every:
        return f"{spent} : le budget ({_euros(budget_eur)}) suffit à toutes, les autres n'ajoutent rien."
    return f"{spent} sur un budget de {_euros(budget_eur)}."


def _whole(value: object) -> str:
    value = float(str(value))
    text = f"{value:,.1f}" if 0 < abs(value) < 10 else f"{value:,.0f}"
    return text.replace(",", "\u202f").replace(".", ",")


def _euros(value: float) -> str:
    return f"{value:,.0f} €".replace(",", "\u202f")
