"""Crises: what a scenario takes down, for whom, for how long, and in which order it is repaired.

For the operator's continuity exercise and the intervention scenarios of the SLR. A scenario says what fails
and when (`resilience.scenarios`), `failed_assets` turns it into assets, `repair_tasks` and `dispatch`
say who mends what and when, and `down_over_time` and `situation` what that leaves without service.
"""

from resilience.crisis.dispatch import dispatch
from resilience.crisis.failing import Chances, failed_assets
from resilience.crisis.play import Played, play
from resilience.crisis.repair import repair_tasks
from resilience.crisis.resources import crews_of, stock_of, stock_used
from resilience.crisis.timeline import down_over_time, hours_until_restored, situation

__all__ = [
    "Chances",
    "Played",
    "crews_of",
    "dispatch",
    "down_over_time",
    "failed_assets",
    "hours_until_restored",
    "play",
    "repair_tasks",
    "situation",
    "stock_of",
    "stock_used",
]
