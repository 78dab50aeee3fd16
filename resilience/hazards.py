"""Hazards as a study names them: maps of an intensity, one per return period, with the area they cover."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from gracethd.errors import GraceTHDError, SourceError
from gracethd.findings import findings_frame, merge_findings

HazardKind = Literal["flood_depth"]
UNITS: dict[HazardKind, str] = {"flood_depth": "m"}
DROP_M = 0.001  # depths are compared to the millimetre: below it, a difference is rounding in the file


class HazardError(GraceTHDError):
    """A hazard that cannot be used; the message names the hazard or its file, and the cure."""


@dataclass(frozen=True)
class HazardEvent:
    """One map of a hazard: the raster at `path` is reached or exceeded every `return_period` years."""

    return_period: float
    path: Path

    @property
    def scenario(self) -> str:
        """Name of the event, like ``Q20``."""
        return f"Q{self.return_period:g}"


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

    Raises
    ------
    HazardError
        When the kind is unknown, the unit is not the one of the kind, there is no event, or the return
        periods are not positive and increasing. Files are opened by `resilience.exposure.expose` only.
    """

    name: str
    kind: HazardKind
    unit: str
    coverage: Path | Literal["extent", "valid"]
    events: tuple[HazardEvent, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be exposed, before any file is opened."""
        if self.kind not in get_args(HazardKind):
            known = ", ".join(get_args(HazardKind))
            raise HazardError(f"hazard {self.name!r}: kind {self.kind!r} is not known; use one of: {known}")
        if self.unit != UNITS[self.kind]:
            raise HazardError(
                f"hazard {self.name!r}: unit {self.unit!r} where {self.kind} needs {UNITS[self.kind]!r};"
                " convert the raster (or set its band scale) and say unit = 'm'"
            )
        if isinstance(self.coverage, str) and self.coverage not in ("extent", "valid"):
            raise HazardError(
                f"hazard {self.name!r}: coverage {self.coverage!r} is neither 'extent', 'valid' nor a layer;"
                " say where the hazard has been mapped"
            )
        periods = [event.return_period for event in self.events]
        if not periods:
            raise HazardError(
                f"hazard {self.name!r} has no event; name at least one raster and its return period"
            )
        if not all(math.isfinite(period) and period > 0 for period in periods):
            raise HazardError(f"hazard {self.name!r}: return periods must be years above 0, not {periods}")
        if any(after <= before for before, after in pairwise(periods)):
            raise HazardError(f"hazard {self.name!r}: return periods must increase, each once, not {periods}")


def local_file(path: Path, *, role: str) -> Path:
    """Give the absolute path of an ordinary local file, or refuse it.

    GDAL would follow web addresses and virtual file systems (``/vsizip``, ``/vsicurl``): paths come from
    studies written by others, so only files that exist on disk are handed to it.

    Raises
    ------
    SourceError
        With `role` ("raster of hazard 'crue'") in the message.
    """
    text = path.as_posix()
    if text.startswith("/vsi") or ":/" in text[2:]:  # a drive letter may stand before the first colon
        raise SourceError(f"{role}: {text} is not a local file; copy it to disk and name that copy")
    if not path.is_file():
        raise SourceError(f"{role}: {text} does not exist; check the path, which is relative to the study")
    return path.resolve()


def hazard_findings(hazards: Sequence[Hazard], exposure: pd.DataFrame) -> pd.DataFrame:
    """Tell what the maps of each hazard say against each other.

    Parameters
    ----------
    hazards : sequence of Hazard
    exposure : DataFrame
        As `resilience.exposure.expose` gives it for these hazards.

    Returns
    -------
    DataFrame
        Findings; ``table`` is "hazards", ``code`` the hazard. ``alea_non_monotone``: assets less deep under
        water at a rarer event than at the next more frequent one, counted, the worst one named (one row
        per pair of events). ``alea_fichiers_identiques``: one file under several events, by content.
    """
    return merge_findings([*_less_deep_when_rarer(exposure), *_identical_files(hazards)])


def _less_deep_when_rarer(exposure: pd.DataFrame) -> list[pd.DataFrame]:
    parts = []
    for name, of_hazard in exposure.groupby("hazard", sort=True):
        events = [event for _, event in of_hazard.groupby("return_period", sort=True)]
        for often, rare in pairwise(events):
            # expose gives the same rows in the same order for each event
            drop = often["intensity_max"].to_numpy() - rare["intensity_max"].to_numpy()
            n_less = int((drop > DROP_M).sum())
            if n_less == 0:
                continue
            worst = often.iloc[int(pd.Series(drop).argmax())]
            message = (
                f"{n_less} objets ont moins d'eau à {rare['scenario'].iloc[0]} qu'à"
                f" {often['scenario'].iloc[0]}, jusqu'à {pd.Series(drop).max():.2f} m ({worst['kind']}"
                f" {worst['code']}) : rasters d'études différentes, ou échangés ?"
            )
            parts.append(
                findings_frame("alea_non_monotone", "majeur", "hazards", code=[name], message=message)
            )
    return parts


def _identical_files(hazards: Sequence[Hazard]) -> list[pd.DataFrame]:
    keyed = [
        (
            _sha256(local_file(event.path, role=f"raster of hazard {hazard.name!r}")),
            hazard.name,
            event.scenario,
        )
        for hazard in hazards
        for event in hazard.events
    ]
    parts = []
    for _, same in groupby(sorted(keyed), key=lambda row: row[0]):
        named = [(hazard, scenario) for _, hazard, scenario in same]
        if len(named) > 1:
            events = ", ".join(f"{hazard} {scenario}" for hazard, scenario in named)
            message = f"le même contenu de fichier vaut pour {events} : donner à chaque événement sa carte"
            parts.append(
                findings_frame(
                    "alea_fichiers_identiques", "majeur", "hazards", code=[named[0][0]], message=message
                )
            )
    return parts


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
