"""What a choice of options must respect: the budget, and what people fix beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float = NDArray[np.float64]
CENT = 0.005
"""Euros by which a sum may differ from another and still be equal to it."""


@dataclass(frozen=True)
class Limits:
    """Bounds on a set of options.

    Attributes
    ----------
    cost_eur : (n,) float64
    total_eur : float
        Most that the set may cost.
    ceilings, floors : sequence of ((n,) bool, float)
        Options that share an envelope (a family), and the most or the least that they may cost together.
    exclusions, requirements : sequence of (int, int)
        At most one of a pair; the first of a pair only with the second.
    forced, forbidden : (n,) bool
    """

    cost_eur: Float
    total_eur: float
    ceilings: Sequence[tuple[Bool, float]] = ()
    floors: Sequence[tuple[Bool, float]] = ()
    exclusions: Sequence[tuple[int, int]] = ()
    requirements: Sequence[tuple[int, int]] = ()
    forced: Bool = field(default_factory=lambda: np.zeros(0, np.bool_))
    forbidden: Bool = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        n = len(self.cost_eur)
        for name in ("forced", "forbidden"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(n, np.bool_))
        if not np.isfinite(self.total_eur) or self.total_eur < 0:
            raise ValueError(f"budget: {self.total_eur} €; a number of euros, 0 or more, is expected")
        if not (np.isfinite(self.cost_eur) & (self.cost_eur >= 0)).all():
            raise ValueError("costs: each measure needs a number of euros, 0 or more")

    @property
    def envelopes(self) -> list[tuple[Bool, float]]:
        """Every ceiling, that of the whole budget first."""
        return [(np.ones(len(self.cost_eur), np.bool_), self.total_eur), *self.ceilings]

    def allow(self, taken: Bool) -> bool:
        """Tell whether a set respects every bound."""
        return (
            all(self.cost_eur[taken & of].sum() <= most + CENT for of, most in self.envelopes)
            and all(self.cost_eur[taken & of].sum() >= least - CENT for of, least in self.floors)
            and not any(taken[a] and taken[b] for a, b in self.exclusions)
            and all(taken[b] for a, b in self.requirements if taken[a])
            and bool((taken >= self.forced).all())
            and not (taken & self.forbidden).any()
        )
