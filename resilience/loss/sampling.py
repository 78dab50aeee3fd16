"""How losses are drawn where they are compared: the same draws for the network with and without works."""

from dataclasses import dataclass

from resilience.loss.annual import Tail
from resilience.loss.workers import HERE, Workers


@dataclass(frozen=True)
class Sampling:
    """How losses are computed; the same for every evaluation, so that they can be compared.

    Attributes
    ----------
    seed, draws : int
    tail : {"none", "constant", "linear"}
        See `resilience.loss.annual_loss`.
    workers : Workers
        From `resilience.loss.workers`: where draws are evaluated; they change no number.
    """

    seed: int
    draws: int = 1000
    tail: Tail = "constant"
    workers: Workers = HERE
