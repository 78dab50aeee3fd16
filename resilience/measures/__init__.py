"""Hardening measures: what can be done and where, what it costs and what it changes in the network.

For the programme manager's plan. `situations` puts together what each level of parameters says of the
network, `propose` drafts measures of the three families, `apply` gives the situation once some of them are
done; `resilience.plan` chooses among them.
"""

from resilience.measures.catalogue import WORKS, life_factor, present_cost
from resilience.measures.effects import apply
from resilience.measures.links import with_second_paths
from resilience.measures.own import own_drafts
from resilience.measures.propose import propose, situations
from resilience.measures.types import Candidates, Link, Situation, Surroundings

__all__ = [
    "WORKS",
    "Candidates",
    "Link",
    "Situation",
    "Surroundings",
    "apply",
    "life_factor",
    "own_drafts",
    "present_cost",
    "propose",
    "situations",
    "with_second_paths",
]
