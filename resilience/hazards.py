"""Hazards as a study names them: maps of an intensity, one per event, with the area they cover."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from gracethd.errors import GraceTHDError, SourceError
from gracethd.findings import findings_frame, merge_findings

HazardKind = Literal[
    "flood_depth", "flood_level", "flood_velocity", "flood_extent", "groundwater", "clay", "ground_movement",
    "fire", "gust", "woods", "outage", "susceptibility",
]  # fmt: skip
UNITS: Mapping[HazardKind, str] = {
    "flood_depth": "m",
    "flood_level": "m",
    "flood_velocity": "m/s",
    "flood_extent": "présence",
    "groundwater": "classe",
    "clay": "classe",
    "ground_movement": "classe",
    "fire": "classe",
    "gust": "m/s",
    "woods": "présence",
    "outage": "présence",
    "susceptibility": "indice",
}
"""Unit of each kind. "classe": 0 none, 1 low, 2 medium, 3 high, 4 very high; "présence": 1 inside, 0
outside."""
STATIC_KINDS: tuple[HazardKind, ...] = (
    "groundwater", "clay", "ground_movement", "fire", "woods", "outage", "susceptibility",
)  # fmt: skip
"""Kinds whose maps have no frequency, and need no name."""
EVENT_KINDS: tuple[HazardKind, ...] = (
    "flood_depth", "flood_extent", "flood_level", "fire", "flood_velocity", "groundwater", "gust", "outage",
)  # fmt: skip
"""Kinds that break something in an event (`resilience.fragility`); ground that moves is a rate."""
WATER_KINDS: tuple[HazardKind, ...] = ("flood_depth", "flood_level")
"""Kinds whose exposure is a depth of water above ground, in metres."""
LAYERS = (".gpkg", ".shp", ".geojson", ".json", ".csv")
"""Suffixes of layers of polygons; any other file must be a GeoTIFF."""
ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".tar", ".tgz")
DROP_M = 0.001  # depths are compared to the millimetre: below it, a difference is rounding in the file
FROM_LINES = (
    "levels along lines (n_iso_cote) are interpolated first, as by gdal_grid -zfield COTE -a linear, or"
    " name the depths (n_iso_ht) that come with them"
)
"""Cure for lines of equal level of water: what lies between two of them is a choice of whoever knows the
flood."""
Triple = tuple[float, float, float]
OPEN_CLASS_M: Triple = (0.0, 0.5, 1.5)
"""Depth above its lower limit that a class without an upper limit stands for (low, central, high):
assumption."""
WOODS_M = 15.0
"""A line this near to a wood or hedge is under its trees: assumption, about the height of a grown hedge
tree."""

SCENARIOS: Mapping[str, float] = {"for": 20.0, "moy": 100.0, "mcc": 100.0, "fai": 1000.0}
"""Years of the scenarios of the floods directive, as TRI write them (01For, 02Moy, 03Mcc, 04Fai and their
variants under climate change): frequent (10 to 30), medium (100 to 300), extreme (1,000 and more). A study
may say others."""


class HazardError(GraceTHDError):
    """A hazard that cannot be used; the message names the hazard or its file, and the cure."""


@dataclass(frozen=True)
class HazardEvent:
    """One map of a hazard.

    Attributes
    ----------
    return_period : float
        Years: what the map shows is reached or exceeded once in so many. NaN where the map has no frequency:
        an observed flood, a step of a rising water, a map of clay.
    path : Path
        A GeoTIFF, or a layer of polygons.
    name : str
        How results call the event; needed where it has no return period.
    select : str
        Scenario of a layer that holds several: only its rows are taken; it names the event where nothing
        else does.
    layer : str
        Layer of a GeoPackage that has several.
    rise_m : float
        Water stands this much higher than the map says, where the map has water (a depth), or wherever it
        reaches (a level above the ground). Where the map is the ground itself, it is the level of the water.
    """

    return_period: float
    path: Path
    name: str = ""
    select: str = ""
    layer: str = ""
    rise_m: float = 0.0

    @property
    def scenario(self) -> str:
        """Name of the event: the one given, else its scenario, else like ``Q20``."""
        return self.name or self.select or f"Q{self.return_period:g}"

    @property
    def is_raster(self) -> bool:
        """True unless the suffix is that of a layer of polygons (`LAYERS`)."""
        return self.path.suffix.lower() not in LAYERS


@dataclass(frozen=True)
class Reading:
    """How the values of a hazard's files are read; every field has its rule in `resilience.exposure.layouts`.

    Attributes
    ----------
    fields : mapping of str to str
        Attribute of the layer that holds: "scenario", "class", "value", "low", "high", "begin", "end". Those
        of known French layouts are found by themselves.
    where : mapping of str to tuple of str
        Only rows whose attribute has one of these values are taken.
    classes : mapping of str to (low, central, high)
        Intensity that a code stands for, in polygons or in cells; "" is a row without a code.
    open_class_m : (low, central, high)
        Added to the lower limit of a depth class that has no upper one.
    presence : (low, central, high), optional
        Depth that stands for "flooded" in a layer that has no depth.
    valid_on : date, optional
        Polygons that were not in force on that day are left out; None looks at no date.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: Mapping[str, Triple] = field(default_factory=dict)
    open_class_m: Triple = OPEN_CLASS_M
    presence: Triple | None = None
    valid_on: date | None = None


FIELDS = ("scenario", "class", "value", "low", "high", "begin", "end")


@dataclass(frozen=True)
class Hazard:
    """A hazard of a study.

    Attributes
    ----------
    name : str
    kind : HazardKind
        What the intensity is; see `UNITS`. "flood_level" is a level of water, made a depth by `terrain`.
    unit : str
        Unit of the intensity; that of the kind.
    coverage : Path, "extent" or "valid"
        Where the hazard has been mapped (DESIGN D17): a polygon layer, the raster's rectangle, or what has
        data: cells of a raster, the polygons themselves.
    events : tuple of HazardEvent
        By increasing return period, those without one last.
    reading : Reading
    terrain : Path, optional
        Elevation raster, in the unit and datum of the levels ("flood_level" only).
    distance_m : float
        Polygons (for "woods" also lines: hedges) reach so much further than drawn.
    same_event : str
        Name of the event that it comes with, that of other hazards too (`resilience.same_event`); "" alone.

    Raises
    ------
    HazardError
        When the kind is unknown, the unit is not the one of the kind, there is no event, return periods are
        not positive and increasing, names are missing or given twice, polygons have the coverage "extent",
        or the ground of a level is missing. Files are opened by `resilience.exposure.expose` only.
    """

    name: str
    kind: HazardKind
    unit: str
    coverage: Path | Literal["extent", "valid"]
    events: tuple[HazardEvent, ...]
    reading: Reading = Reading()
    terrain: Path | None = None
    distance_m: float = 0.0
    same_event: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be exposed, before any file is opened."""
        if self.kind not in get_args(HazardKind):
            known = ", ".join(get_args(HazardKind))
            raise HazardError(f"hazard {self.name!r}: kind {self.kind!r} is not known; use one of: {known}")
        if self.unit != UNITS[self.kind]:
            raise HazardError(
                f"hazard {self.name!r}: unit {self.unit!r} where {self.kind} needs {UNITS[self.kind]!r};"
                f" convert the map (or set its band scale) and say unit = {UNITS[self.kind]!r}"
            )
        if isinstance(self.coverage, str) and self.coverage not in ("extent", "valid"):
            raise HazardError(
                f"hazard {self.name!r}: coverage {self.coverage!r} is neither 'extent', 'valid' nor a layer;"
                " say where the hazard has been mapped"
            )
        self._check_events()
        self._check_ground()

    def _check_events(self) -> None:
        periods = [event.return_period for event in self.events if not math.isnan(event.return_period)]
        if not self.events:
            raise HazardError(
                f"hazard {self.name!r} has no event; name at least one map and its return period"
            )
        if not all(math.isfinite(period) and period > 0 for period in periods):
            raise HazardError(f"hazard {self.name!r}: return periods must be years above 0, not {periods}")
        if any(after <= before for before, after in pairwise(periods)):
            raise HazardError(f"hazard {self.name!r}: return periods must increase, each once, not {periods}")
        for event in self.events:
            if math.isnan(event.return_period) and not (event.name or event.select):
                raise HazardError(
                    f"hazard {self.name!r}: {event.path.name} has neither a return period nor a name;"
                    " give one"
                )
            if not event.is_raster and self.coverage == "extent":
                raise HazardError(
                    f"hazard {self.name!r}: the rectangle around the polygons of {event.path.name} is not"
                    " where"
                    " they were mapped; name the layer of the study's perimeter as coverage, or say 'valid'"
                    " where only the polygons themselves are known"
                )
        names = [event.scenario for event in self.events]
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise HazardError(
                f"hazard {self.name!r}: two events are named {twice[0]!r}; give each its own name"
            )

    def _check_ground(self) -> None:
        if (self.kind == "flood_level") != (self.terrain is not None):
            raise HazardError(
                f"hazard {self.name!r}: "
                + (
                    "a level of water needs the ground below it; name an elevation raster as terrain"
                    if self.terrain is None
                    else f"terrain is of use to flood_level only, not to {self.kind}; take it out"
                )
            )
        if self.kind == "flood_level" and not all(event.is_raster for event in self.events):
            raise HazardError(
                f"hazard {self.name!r}: levels of water are read from rasters only; {FROM_LINES}"
            )
        if any(event.rise_m for event in self.events) and self.kind not in WATER_KINDS:
            raise HazardError(f"hazard {self.name!r}: only water rises, not {self.kind}; take the rise out")

    @property
    def is_exact(self) -> bool:
        """True where low, central and high are known to be one: rasters of numbers."""
        return all(event.is_raster for event in self.events) and all(
            low == high for low, _, high in self.reading.classes.values()
        )


def years_of_scenario(scenario: str) -> float | None:
    """Give the return period that a scenario of the floods directive stands for, None for any other text.

    Examples
    --------
    >>> [years_of_scenario(text) for text in ("01For", "02 moyen", "04Faicc_ct", "Q100")]
    [20.0, 100.0, 1000.0, None]
    """
    found = re.match(r"0?[1-4]\s*(for|moy|mcc|fai)", plain_text(scenario))
    return SCENARIOS[found[1]] if found else None


def plain_text(text: str) -> str:
    """Give a text without accents, case or outer spaces."""
    straight = text.replace("\u2019", "'")  # the apostrophe of a word processor
    bare = unicodedata.normalize("NFKD", straight).encode("ascii", "ignore").decode()
    return " ".join(bare.casefold().split())


def on_day(hazards: Sequence[Hazard], day: date) -> tuple[Hazard, ...]:
    """Give the hazards as they were in force on a day, where they do not say another one."""
    return tuple(
        hazard
        if hazard.reading.valid_on is not None
        else replace(hazard, reading=replace(hazard.reading, valid_on=day))
        for hazard in hazards
    )


def recurrent_floods(hazards: Sequence[Hazard]) -> tuple[Hazard, ...]:
    """Give what a yearly loss of water rests on: depths, of events that have a return period.

    Examples
    --------
    >>> recurrent_floods([])
    ()
    """
    kept = []
    for hazard in hazards:
        events = tuple(event for event in hazard.events if not math.isnan(event.return_period))
        if hazard.kind in WATER_KINDS and events:
            kept.append(hazard if len(events) == len(hazard.events) else replace(hazard, events=events))
    return tuple(kept)


def flood_rows(exposure: pd.DataFrame, hazards: Sequence[Hazard]) -> pd.DataFrame:
    """Give the rows of `exposure` that a yearly loss of water rests on: those of `recurrent_floods`."""
    is_flood = exposure["hazard"].isin([hazard.name for hazard in recurrent_floods(hazards)])
    return exposure[is_flood & exposure["return_period"].notna()]


def with_kinds(exposure: pd.DataFrame, hazards: Sequence[Hazard]) -> pd.DataFrame:
    """Give exposure with the kind of each row's hazard, as ``hazard_kind``."""
    kinds = {hazard.name: str(hazard.kind) for hazard in hazards}
    return exposure.assign(hazard_kind=exposure["hazard"].map(kinds).astype(str))


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
    if path.suffix.lower() in ARCHIVES:
        raise SourceError(f"{role}: {text} is an archive; unpack it and name the map that it holds")
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
        water (or less shaken, ...) at a rarer event than at the next more frequent one, counted, the worst
        one named (one row per pair of events). ``alea_fichiers_identiques``: one file under several events,
        by content.
    """
    units = {hazard.name: hazard.unit for hazard in hazards if hazard.kind not in WATER_KINDS}
    return merge_findings([*_less_when_rarer(exposure, units), *_identical_files(hazards)])


def _less_when_rarer(exposure: pd.DataFrame, units: Mapping[str, str]) -> list[pd.DataFrame]:
    parts = []
    for key, of_hazard in exposure.groupby("hazard", sort=True):
        name = str(key)
        events = [event for _, event in of_hazard.groupby("return_period", sort=True)]
        for often, rare in pairwise(events):
            # expose gives the same rows in the same order for each event
            drop = often["intensity_max"].to_numpy() - rare["intensity_max"].to_numpy()
            n_less = int((drop > DROP_M).sum())
            if n_less == 0:
                continue
            worst = often.iloc[int(pd.Series(drop).argmax())]
            what, unit = ("une intensité moindre", units[name]) if name in units else ("moins d'eau", "m")
            message = (
                f"{n_less} objets ont {what} à {rare['scenario'].iloc[0]} qu'à"
                f" {often['scenario'].iloc[0]}, jusqu'à {pd.Series(drop).max():.2f} {unit} ({worst['kind']}"
                f" {worst['code']}) : cartes d'études différentes, ou échangées ?"
            )
            parts.append(
                findings_frame("alea_non_monotone", "majeur", "hazards", code=[name], message=message)
            )
    return parts


def _identical_files(hazards: Sequence[Hazard]) -> list[pd.DataFrame]:
    # one layer may hold several scenarios, and one map several steps of a rising water
    keyed = [
        (
            _sha256(local_file(event.path, role=f"map of hazard {hazard.name!r}")),
            event.rise_m,
            "" if event.is_raster else f"{event.layer} {event.select}",
            hazard.name,
            event.scenario,
        )
        for hazard in hazards
        for event in hazard.events
    ]
    parts = []
    for _, same in groupby(sorted(keyed), key=lambda row: row[:3]):
        named = [(hazard, scenario) for *_, hazard, scenario in same]
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
