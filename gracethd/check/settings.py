"""What a user may change of the rules: severities, thresholds, and which rules are left out."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from gracethd.check.rules import RULES
from gracethd.errors import GraceTHDError
from gracethd.findings import SEVERITIES, Severity, merge_findings

Thresholds = Mapping[str, float]


@cache
def thresholds_table() -> pd.DataFrame:
    """Give the shipped thresholds: name, value (float), unit, rules, meaning and source, by name."""
    with (files(__package__) / "thresholds.csv").open(encoding="utf-8") as stream:
        table = pd.read_csv(stream, dtype=str, keep_default_na=False)
    return table.astype({"value": float}).set_index("name", drop=False)


def default_thresholds() -> Thresholds:
    """Give the shipped thresholds by name.

    Examples
    --------
    >>> default_thresholds()["node_m"]
    0.1
    """
    return {str(name): float(value) for name, value in thresholds_table()["value"].items()}


@dataclass(frozen=True)
class Settings:
    """What differs from the shipped rules.

    Attributes
    ----------
    thresholds : mapping of str to float
        All of them, those that were not changed too.
    severity : mapping of str to Severity
        By rule; the others keep the severity of the rule table.
    disabled : frozenset of str
        Rules whose findings are left out.
    """

    thresholds: Thresholds = field(default_factory=default_thresholds)
    severity: Mapping[str, Severity] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()


def load_settings(path: Path) -> Settings:
    """Read settings from a TOML file: ``disable`` (list of rules), ``[severity]`` and ``[thresholds]``.

    Raises
    ------
    GraceTHDError
        The file cannot be read, or holds a key, rule, threshold or value that does not exist; the message
        names the line and what may stand there.

    Examples
    --------
    A file that forgives old labels and looks closer at nodes::

        disable = ["longueur"]
        [severity]
        cable_boucle = "majeur"
        [thresholds]
        node_m = 0.05
    """
    try:
        text = path.read_text(encoding="utf-8")
        given = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise GraceTHDError(f"{path}: rules file cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise GraceTHDError(f"{path}: not TOML: {error}") from error
    fault = _fault(given)
    if fault is not None:
        name, why = fault
        raise GraceTHDError(f"{path}, line {_line_of(text, name)}: {why}")
    changed = {name: float(value) for name, value in given.get("thresholds", {}).items()}
    return Settings(
        {**default_thresholds(), **changed}, given.get("severity", {}), frozenset(given.get("disable", ()))
    )


def _fault(given: Mapping[str, object]) -> tuple[str, str] | None:
    """Give the first name that cannot stand, and why."""
    checks = {"disable": _disable_fault, "severity": _severity_fault, "thresholds": _threshold_fault}
    for name, value in given.items():
        if name not in checks:
            return name, f"unknown key {name!r}; expected disable, [severity] or [thresholds]"
        fault = checks[name](value)
        if fault is not None:
            return fault
    return None


def _disable_fault(rules: object) -> tuple[str, str] | None:
    if not isinstance(rules, list) or not all(isinstance(one, str) for one in rules):
        return "disable", 'disable is a list of rules, as ["longueur"]'
    return next((_unknown_rule(rule) for rule in rules if rule not in RULES.index), None)


def _severity_fault(table: object) -> tuple[str, str] | None:
    if not isinstance(table, dict):
        return "severity", "severity is a table: write [severity]"
    for rule, value in table.items():
        if rule not in RULES.index:
            return _unknown_rule(rule)
        if value not in SEVERITIES:
            return rule, f"severity {value!r} does not exist; choose one of {', '.join(SEVERITIES)}"
    return None


def _threshold_fault(table: object) -> tuple[str, str] | None:
    if not isinstance(table, dict):
        return "thresholds", "thresholds is a table: write [thresholds]"
    for name, value in table.items():
        if name not in default_thresholds():
            return name, f"threshold {name!r} does not exist; choose one of {', '.join(default_thresholds())}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            return name, f"threshold {name} is {value!r}; a number from 0 up is expected"
    return None


def _unknown_rule(rule: str) -> tuple[str, str]:
    return rule, f"rule {rule!r} does not exist; docs/rules.md lists them"


def apply(settings: Settings, findings: pd.DataFrame) -> pd.DataFrame:
    """Give the findings with the severities of the settings, those of disabled rules left out, sorted."""
    kept = findings[~findings["rule"].isin(settings.disabled)]
    severity = kept["severity"].to_numpy(object, copy=True)
    for rule, changed in settings.severity.items():
        severity[(kept["rule"] == rule).to_numpy()] = changed
    return merge_findings([kept.assign(severity=pd.Series(severity, index=kept.index, dtype=str))])


def _line_of(text: str, name: str) -> int:
    """Give the line where a name first stands as a word, 1 where quoting hides it."""
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if word.search(line.split("#")[0])), 1)
