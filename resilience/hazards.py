"""Hazards as a study names them: maps of an intensity, one per return period, with the area they cover."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HazardKind = Literal["flood_depth"]


@dataclass(frozen=True)
class HazardEvent:
    """One map of a hazard: the raster at `path` is reached or exceeded every `return_period` years."""

    return_period: float
    path: Path


@dataclass(frozen=True)
class Hazard:
    """A hazard of a study.

    Attributes
    ----------
    name : str
    kind : {"flood_depth"}
    unit : str
        Unit of the raster's cells; "m" for depths.
    coverage : Path, "extent" or "valid"
        Where the hazard has been mapped (DESIGN D17): a polygon layer, the raster's rectangle, or its
        cells with data.
    events : tuple of HazardEvent
        By increasing return period.
    """

    name: str
    kind: HazardKind
    unit: str
    coverage: Path | Literal["extent", "valid"]
    events: tuple[HazardEvent, ...]
