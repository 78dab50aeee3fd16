"""Choosing works: the sampled model of what they avoid, the limits that people set, and the sets within them.

For `resilience.plan`. `sampled_model` turns candidates into needs, routes and cures; `bundle_greedy` chooses
fast, `best_set` exactly where the model is small, and `bound_of` proves how far any set may be from the best.
"""

from resilience.choice.budget import BudgetError, limits_of, years_of
from resilience.choice.greedy import bundle_greedy
from resilience.choice.limits import Limits
from resilience.choice.programme import best_set, bound_of
from resilience.choice.sampled import Sampled, alone, sampled_model, sampled_models
from resilience.choice.stability import frontier, shares_chosen

__all__ = [
    "BudgetError",
    "Limits",
    "Sampled",
    "alone",
    "best_set",
    "bound_of",
    "bundle_greedy",
    "frontier",
    "limits_of",
    "sampled_model",
    "sampled_models",
    "shares_chosen",
    "years_of",
]
