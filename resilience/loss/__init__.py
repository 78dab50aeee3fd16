"""Expected annual loss in prises·h: events drawn jointly, integrated over their frequencies, rates beside.

For the analyst and the programme manager. The way through it: `keys_of_assets` once for an inventory;
`event_losses` gives what each event takes down; `annual_losses` integrates; `network_loss` does both and
adds the rates without a map, for one level of parameters; `loss_table` puts the three levels side by side.
A measure is judged by the difference of two `network_loss` with the same seed.
"""

from resilience.loss.annual import (
    TAILS,
    Tail,
    annual_loss,
    annual_losses,
    event_weights,
    is_monotone,
    loss_table,
    network_loss,
    shares_of_year,
    yearly_loss,
)
from resilience.loss.draws import keys_of_assets
from resilience.loss.means import Until, event_losses, event_losses_by_group, group_weights
from resilience.loss.parts import (
    contributions,
    losses_by_convention,
    losses_by_group,
    losses_by_kind,
    units_of,
)
from resilience.loss.sampling import Sampling
from resilience.loss.worst import failure_frequency, losses_by_asset

__all__ = [
    "TAILS",
    "Sampling",
    "Tail",
    "Until",
    "annual_loss",
    "annual_losses",
    "contributions",
    "event_losses",
    "event_losses_by_group",
    "event_weights",
    "failure_frequency",
    "group_weights",
    "is_monotone",
    "keys_of_assets",
    "loss_table",
    "losses_by_asset",
    "losses_by_convention",
    "losses_by_group",
    "losses_by_kind",
    "network_loss",
    "shares_of_year",
    "units_of",
    "yearly_loss",
]
