"""The plan as lines for a terminal: what the budget buys, the first works, what other budgets would."""

import pandas as pd

from resilience.plan import Plan

FIRST = 10
"""Works that are named."""


def plan_lines(plan: Plan) -> list[str]:
    """Write the plan in French, figures first."""
    summary = plan.summary
    avoided, after = summary["avoided"], summary["loss_after"]
    assert isinstance(avoided, dict)
    assert isinstance(after, dict)
    lines = [
        str(summary["message"]),
        (
            f"perte annuelle : {_whole(avoided['central'])} prises·h/an évitées "
            f"({_whole(avoided['low'])} à {_whole(avoided['high'])}), {_whole(after['central'])} restantes ; "
            f"écart à l'optimum prouvé {float(str(summary['gap'])):.2%}"
        ),
    ]
    lines += [
        f"{row['rank']:>4}  {row['action_id']}  {row['libelle']} : {_whole(row['cost_eur_central'])} €, "
        f"{_whole(row['prises_h_avoided_per_year_central'])} prises·h/an"
        for row in plan.plan.head(FIRST).to_dict("records")
    ]
    if len(plan.plan) > FIRST:
        lines.append(f"      et {len(plan.plan) - FIRST} autres")
    lines.append("autres budgets (€ : prises·h/an évitées, € par prise·h de plus)")
    for row in plan.frontier.to_dict("records"):
        dearer = row["marginal_eur_per_prise_h"]
        price = "" if pd.isna(dearer) else f", {_whole(dearer)} €"
        lines.append(f"{_whole(row['budget_eur']):>14} : {_whole(row['avoided_per_year'])}{price}")
    return lines


def _whole(value: float) -> str:
    return f"{float(value):,.0f}".replace(",", "\u202f")
