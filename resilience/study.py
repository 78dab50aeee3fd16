"""A study: one TOML file that names the deliveries, the hazards, the budget and whom the results are for.

For whoever starts a run: `load_study` answers at once, before anything heavy is read, whether the file can
be used. It checks names, types and that every file is there; what the files hold is checked by those who
read them (`resilience.tables`, `gracethd.deliveries`, `resilience.exposure`).
"""

import glob
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, get_args

from resilience.hazards import Hazard, HazardError
from resilience.parameters import (
    LEVELS,
    Parameters,
    default_parameters,
    replace_curves,
    replace_parameters,
)
from resilience.parameters.curves import read_curves
from resilience.scenarios import Scenario
from resilience.sections import Section, StudyError, near_name, plain_path
from resilience.study_budget import Budget, read_budget
from resilience.study_hazards import read_hazards
from resilience.study_outages import ZoneOutage, check_together, read_outages
from resilience.study_scenarios import read_scenarios
from resilience.toml_lines import line_of

__all__ = ["Loss", "Study", "StudyError", "load_study", "study_files"]

Language = Literal["fr"]
Tail = Literal["none", "constant", "linear"]  # as resilience.loss has them, without loading it
TableName = Literal[
    "communes", "abonnes", "sites_sensibles", "cuivre", "feeds", "equipements", "ressources", "routes",
    "terrain", "groupes", "incidents", "options", "suivi", "catalogue",
]  # fmt: skip

KEYS = (
    "inventory", "seed", "language", "tables", "hazards", "outages", "parameters", "loss", "scenarios",
    "budget", "outputs",
)  # fmt: skip
LOSS_KEYS = (
    "tail", "draws", "wet_from_m", "precision", "max_draws", "workers", "memory_mb", "one_at_a_time",
    "observed",
)  # fmt: skip
DRAWS = 1000  # DESIGN D19
MAX_DRAWS = 100_000


@dataclass(frozen=True)
class Observed:
    """An event that happened, and how many prises were then down at the worst.

    Attributes
    ----------
    name : str
    prises_down : int
        As counted by the operator or its customers.
    hazard, scenario : str
        The map of what was seen, and its event; empty where the objects are named.
    objects : tuple of str
        ``kind:code`` of what failed, where that is known.
    """

    name: str
    prises_down: int
    hazard: str = ""
    scenario: str = ""
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss:
    """How losses are integrated: the convention beyond the mapped events, and the draws an event (D19).

    Attributes
    ----------
    tail : {"none", "constant", "linear"}
        What is taken beyond the mapped events; see `resilience.loss.annual_loss`.
    draws : int
        Sampled states for each event.
    wet_from_m : float
        A metre of line is wet where the depth is above this (m).
    precision : float or None
        Events are drawn further until the 95 % interval of their mean is this share of it on either side.
    max_draws : int
        Of one event at most.
    workers : int
        Processes that evaluate draws; they change no number.
    memory_mb : int
        For the draws that one of them holds at a time; it changes no number.
    one_at_a_time : bool
        Whether each parameter is also taken at low and high alone (`resilience.sensitivity`), which takes
        many times as long as the loss itself.
    observed : tuple of Observed
        Events to replay (`resilience.backtest`).
    """

    tail: Tail = "constant"
    draws: int = DRAWS
    wet_from_m: float = 0.0
    precision: float | None = None
    max_draws: int = MAX_DRAWS
    workers: int = 1
    memory_mb: int = 200
    one_at_a_time: bool = False
    observed: tuple[Observed, ...] = ()


@dataclass(frozen=True)
class Study:
    """A study that has been read and checked; every path in it is absolute and exists.

    Attributes
    ----------
    path : Path
        The TOML file.
    inventory : tuple of Path
        Deliveries, patterns expanded, sorted, each once.
    seed : int
    language : {"fr"}
        Of reports and workbooks.
    tables : mapping of str to Path
        The optional tables that are named; `resilience.tables.load_tables` reads them.
    hazards : tuple of Hazard
        In the order of the file.
    outages : tuple of ZoneOutage
        Power cuts of zones of the table equipements.
    parameters : Parameters
        The shipped ones with the study's values in their place.
    curves : Path or None
        The file of curves that stand in place of shipped ones.
    incident_days : (date, date) or None
        First and last day that the table of incidents covers.
    loss : Loss
    scenarios : mapping of str to Scenario
    budget : Budget or None
    title, recipient, notice : str
        Of every output: its title (the name of the study's folder where the study does not say), whom the
        confidentiality mark names, and a warning to be read first, empty where there is none.
    """

    path: Path
    inventory: tuple[Path, ...]
    seed: int
    language: Language
    tables: Mapping[str, Path]
    hazards: tuple[Hazard, ...]
    outages: tuple[ZoneOutage, ...]
    parameters: Parameters
    curves: Path | None
    incident_days: tuple[date, date] | None
    loss: Loss
    scenarios: Mapping[str, Scenario]
    budget: Budget | None
    title: str
    recipient: str
    notice: str

    def with_budget(self, total_eur: float | None) -> "Study":
        """Give the study with another total; families, floors and decisions stay.

        Raises
        ------
        StudyError
            When neither the study nor the caller names a budget, or its years sum to something else.
        """
        if total_eur is None:
            if self.budget is None:
                raise StudyError(f"{self.path.name}: no [budget]; add one, or say --budget EUR")
            return self
        if self.budget is None:
            return replace(self, budget=Budget(total_eur))
        if self.budget.years_eur and abs(sum(self.budget.years_eur) - total_eur) > 0.005:
            raise StudyError(
                f"--budget {total_eur:,.0f}: {self.path.name} spreads its budget over budget.years_eur; "
                "change them there, or leave them out"
            )
        return replace(self, budget=replace(self.budget, total_eur=total_eur))


def load_study(path: str | Path) -> Study:
    """Read a study and check that it can be run.

    Paths are relative to the file. Only plain paths are taken: an address, a network share or a
    connection string is refused, because what a study names must be readable without a network.

    Parameters
    ----------
    path : str or Path
        The TOML file.

    Raises
    ------
    StudyError
        When the file cannot be read, holds an unknown key, a value of the wrong type or out of range, or
        names files that are not there (all of them in one message).
    HazardError
        What `resilience.hazards.Hazard` refuses, and hazards that cannot come together.

    Examples
    --------
    >>> study = load_study("data/exemple/etude.toml")  # doctest: +SKIP
    >>> [event.return_period for event in study.hazards[0].events]  # doctest: +SKIP
    [20.0, 100.0, 1000.0]
    """
    path = Path(path).absolute()
    text = _read_text(path)
    try:
        return _study(path, text)
    except (StudyError, HazardError) as error:
        number = line_of(text, _key_in(str(error)))
        if number is None:
            raise
        raise type(error)(f"{path.name}, line {number}: {error}") from error


def _key_in(message: str) -> str:
    """Give the key that a message begins with, as the file has it; a hazard may speak for itself."""
    hazard = re.match(r"""hazard (?:"([^"]*)"|'([^']*)'): """, message)
    return message.partition(": ")[0] if hazard is None else f"hazards.{hazard[1] or hazard[2]}.name"


def _study(path: Path, text: str) -> Study:
    raw = Section("", _read_toml(path, text))
    raw.refuse_unknown(KEYS)
    outputs = raw.section("outputs")
    curves = _curves_file(raw.section("parameters"), path.parent)
    outputs.refuse_unknown(("title", "recipient", "notice"))
    study = Study(
        path=path,
        inventory=_inventory(raw, path.parent),
        seed=raw.whole("seed", default=1, least=0),
        language=raw.choice("language", get_args(Language), default="fr"),
        tables=_tables(raw.section("tables"), path.parent),
        hazards=read_hazards(raw, path.parent),
        outages=read_outages(raw),
        parameters=_parameters(raw.section("parameters"), curves),
        curves=curves,
        incident_days=_incident_days(raw),
        loss=_loss(raw.section("loss")),
        scenarios=read_scenarios(raw.section("scenarios"), path.parent),
        budget=read_budget(raw.section("budget")) if "budget" in raw.values else None,
        title=outputs.text("title", default=path.parent.name),
        recipient=outputs.text("recipient", default=""),
        notice=outputs.text("notice", default=""),
    )
    check_together(study.hazards, study.outages)
    _refuse_missing(study)
    return study


def study_files(study: Study) -> dict[str, tuple[Path, ...]]:
    """Give every file or folder that a study reads, by the key that names it, itself first.

    Examples
    --------
    >>> list(study_files(load_study("data/exemple/etude.toml")))[:2]  # doctest: +SKIP
    ['study', 'inventory']
    """
    files = {"study": (study.path,), "inventory": study.inventory}
    files |= {f"tables.{name}": (path,) for name, path in study.tables.items()}
    if study.curves is not None:
        files["parameters.curves"] = (study.curves,)
    for hazard in study.hazards:
        coverage = (hazard.coverage,) if isinstance(hazard.coverage, Path) else ()
        terrain = () if hazard.terrain is None else (hazard.terrain,)
        maps = dict.fromkeys((*coverage, *terrain, *(event.path for event in hazard.events)))
        files[f"hazards.{hazard.name}"] = tuple(maps)
    for scenario in study.scenarios.values():
        drawn = [rule.polygon for rule in scenario.failures if rule.polygon is not None]
        if areas := dict.fromkeys((*drawn, *(area.polygon for area in scenario.no_access))):
            files[f"scenarios.{scenario.name}"] = tuple(areas)
    return files


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin with a mark
    except FileNotFoundError:
        raise StudyError(f"{path}: this study does not exist; check the path") from None
    except OSError as error:
        raise StudyError(f"{path}: this study cannot be read ({error.strerror}); give a TOML file") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 text (byte {error.start}); save the study as UTF-8") from error


def _read_toml(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path}: not valid TOML, {error}; correct it there") from error


def _inventory(raw: Section, folder: Path) -> tuple[Path, ...]:
    found = [match for pattern in raw.items("inventory") for match in _expand(pattern, folder)]
    return tuple(sorted(set(found)))


def _expand(pattern: object, folder: Path) -> list[Path]:
    """Give the files of one pattern; a name that exists as it is written is not a pattern."""
    path = plain_path(pattern, folder, "inventory")
    if path.exists() or not glob.has_magic(str(pattern)):
        return [path]
    matches = glob.glob(str(pattern), root_dir=folder, recursive=True)  # noqa: PTH207 - Path.glob: relative only
    if not matches:
        raise StudyError(
            f"inventory: nothing matches {pattern!r} in {folder}; correct it or add the deliveries"
        )
    return [folder / match for match in matches]


def _tables(raw: Section, folder: Path) -> dict[str, Path]:
    raw.refuse_unknown(get_args(TableName))
    return {name: plain_path(raw.values[name], folder, raw.full(name)) for name in sorted(raw.values)}


def _curves_file(raw: Section, folder: Path) -> Path | None:
    return plain_path(raw.values["curves"], folder, raw.full("curves")) if "curves" in raw.values else None


def _incident_days(raw: Section) -> tuple[date, date] | None:
    """Give the days that the log covers, which the log itself cannot tell; both are named, or neither."""
    parameters = raw.section("parameters")
    if "incidents" not in parameters.values:
        if "incidents" in raw.section("tables").values:
            raise StudyError(
                "tables.incidents: say which days the log covers, [parameters]"
                " incidents = {from = 2021-01-01, to = 2025-12-31}"
            )
        return None
    covered = parameters.section("incidents")
    covered.refuse_unknown(("from", "to"))
    days = covered.day("from"), covered.day("to")
    if days[1] < days[0]:
        raise StudyError(f"{covered.name}: ends on {days[1]}, before it begins on {days[0]}")
    if "incidents" not in raw.section("tables").values:
        raise StudyError(f"{covered.name}: there is no log; name it in [tables] incidents")
    return days


def _parameters(raw: Section, curves: Path | None) -> Parameters:
    defaults = default_parameters()
    known = set(defaults.table["name"])
    changes = {}
    for name in raw.values:
        if name in {"curves", "incidents"}:
            continue
        change = raw.section(name)
        change.refuse_unknown((*LEVELS, "source"))
        low, central, high = (change.number(level) for level in LEVELS)
        if not (low <= central <= high or low >= central >= high):
            raise StudyError(f"{change.name}: {central:g} (central) must lie between {low:g} and {high:g}")
        change.text("source", hint='where the values come from, or "assumption",')
        if name not in known:
            raise StudyError(f"{change.name}: this parameter does not exist; {near_name(name, known)}")
        changes[name] = change.values
    try:
        parameters = replace_parameters(defaults, changes)
        if curves is None or not curves.is_file():  # what is missing is told with all other missing files
            return parameters
        with curves.open(encoding="utf-8-sig", newline="") as stream:
            return replace_curves(parameters, read_curves(stream))
    except UnicodeDecodeError as error:
        raise StudyError(f"parameters.curves: {curves} is not UTF-8 text; save it as UTF-8") from error
    except ValueError as error:
        where = "parameters" if curves is None else f"parameters.curves ({curves.name})"
        raise StudyError(f"{where}: {error}; correct it there") from error


def _loss(raw: Section) -> Loss:
    raw.refuse_unknown(LOSS_KEYS)
    wet_from_m = raw.number("wet_from_m", default=0.0)
    if wet_from_m < 0:
        raise StudyError(f"loss.wet_from_m: {wet_from_m:g} m; give a depth of 0 or more")
    precision = raw.number("precision") if "precision" in raw.values else None
    if precision is not None and not 0 < precision < 1:
        raise StudyError(
            f"loss.precision: {precision:g}; give a share of the mean between 0 and 1, like 0.05"
        )
    tail: Tail = raw.choice("tail", get_args(Tail), default="constant")
    draws = raw.whole("draws", default=DRAWS, least=1)
    return Loss(
        tail,
        draws=draws,
        wet_from_m=wet_from_m,
        precision=precision,
        max_draws=raw.whole("max_draws", default=max(draws, MAX_DRAWS), least=draws),
        workers=raw.whole("workers", default=1, least=1),
        memory_mb=raw.whole("memory_mb", default=200, least=1),
        one_at_a_time=_flag(raw, "one_at_a_time"),
        observed=tuple(_observed(one) for one in raw.sections("observed"))
        if "observed" in raw.values
        else (),
    )


def _flag(raw: Section, key: str) -> bool:
    value = raw.values.get(key, False)
    if not isinstance(value, bool):
        raise StudyError(f"{raw.full(key)}: true or false is expected, not {value!r}")
    return value


def _observed(raw: Section) -> Observed:
    raw.refuse_unknown(("name", "prises_down", "hazard", "event", "objects"))
    name = raw.text("name")
    if "prises_down" not in raw.values:
        raise StudyError(f"loss.observed {name!r}: prises_down is missing; how many were down at the worst?")
    prises_down = raw.whole("prises_down", default=0, least=0)
    if "objects" not in raw.values:
        return Observed(name, prises_down, raw.text("hazard"), raw.text("event"))
    if {"hazard", "event"} & set(raw.values):
        raise StudyError(f"loss.observed {name!r}: give hazard and event, or objects, not both")
    objects = raw.items("objects")
    if not all(isinstance(one, str) and ":" in one for one in objects):
        raise StudyError(f"loss.observed {name!r}: objects are written kind:code, like 'local:LC0001'")
    return Observed(name, prises_down, objects=tuple(str(one) for one in objects))


def _refuse_missing(study: Study) -> None:
    files = ((key, path) for key, paths in study_files(study).items() for path in paths)
    missing = "; ".join(f"{key}: {path}" for key, path in files if not path.exists())
    if missing:
        raise StudyError(
            f"{study.path.name} names files that do not exist - {missing}. "
            "Paths are relative to the study: correct them there, or put the files in place"
        )
