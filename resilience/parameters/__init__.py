"""Parameters as data: each has a unit, low, central and high values, and a source or the word "assumption".

The tables beside this module hold them, by theme; the table of curves says how a probability of failure
follows from an intensity. A study replaces any of them by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Literal, get_args

import pandas as pd

from resilience.parameters.curves import Curve, checked_curves, curves_of, read_curves

Level = Literal["low", "central", "high"]
LEVELS: tuple[Level, ...] = get_args(Level)
COLUMNS = ("name", "unit", "low", "central", "high", "source")

__all__ = [
    "COLUMNS",
    "LEVELS",
    "Level",
    "Parameters",
    "default_curves",
    "default_parameters",
    "one_at_a_time",
    "replace_curves",
    "replace_parameters",
]


def default_curves() -> pd.DataFrame:
    """Give the curves shipped with the package, with the columns of `resilience.parameters.curves`.

    Examples
    --------
    >>> default_curves()["curve"].iloc[0]
    'nro.flood'
    """
    path = files(__name__) / "curves" / "fragilities.csv"
    with path.open(encoding="utf-8") as stream:
        return read_curves(stream)


@dataclass(frozen=True)
class Parameters:
    """The parameter set of a run; ``parameters.at("pm.plinth_m", "central")`` gives one value.

    Attributes
    ----------
    table : DataFrame
        Columns of `COLUMNS` (values float64), sorted by name, one row each, `name` unique.
    curves : DataFrame
        Columns of `resilience.parameters.curves.COLUMNS`; the shipped ones unless replaced.
    """

    table: pd.DataFrame
    curves: pd.DataFrame = field(default_factory=default_curves)

    def at(self, name: str, level: Level) -> float:
        """Give one value; a KeyError names the parameter that does not exist."""
        try:
            return self._values[name][level]
        except KeyError:
            raise KeyError(f"parameter {name!r} does not exist; see resilience/parameters") from None

    def curve(self, name: str, level: Level) -> Curve:
        """Give one curve; a KeyError names the one that does not exist."""
        try:
            return self._curves[name, level]
        except KeyError:
            raise KeyError(f"curve {name!r} does not exist; see resilience/parameters/curves") from None

    @cached_property
    def _values(self) -> dict[str, dict[str, float]]:
        rows = self.table[["name", *LEVELS]].itertuples(index=False)
        return {str(name): dict(zip(LEVELS, map(float, values), strict=True)) for name, *values in rows}

    @cached_property
    def _curves(self) -> dict[tuple[str, Level], Curve]:
        return {
            (name, level): curve
            for level in LEVELS
            for name, curve in curves_of(
                self.curves, level, {name: values[level] for name, values in self._values.items()}
            ).items()
        }


def default_parameters() -> Parameters:
    """Give the parameters shipped with the package: every ``*.csv`` beside this module.

    Examples
    --------
    >>> default_parameters().table.columns.tolist()
    ['name', 'unit', 'low', 'central', 'high', 'source']
    """
    tables = sorted((p for p in files(__name__).iterdir() if p.name.endswith(".csv")), key=lambda p: p.name)
    frames = []
    for path in tables:
        with path.open(encoding="utf-8") as stream:
            frames.append(pd.read_csv(stream, dtype={"name": str, "unit": str, "source": str}, comment="#"))
    table = pd.concat(frames, ignore_index=True)[list(COLUMNS)]
    return Parameters(_checked(table))


def replace_parameters(parameters: Parameters, changes: Mapping[str, Mapping[str, object]]) -> Parameters:
    """Give the set in which a study's values stand in place of the defaults.

    Parameters
    ----------
    parameters : Parameters
    changes : mapping of name to mapping
        Each with ``low``, ``central``, ``high`` (all three, low and high on either side of central or
        equal) and ``source``; the unit stays.

    Raises
    ------
    ValueError
        When a name is unknown or a value is missing; the message names it and lists near names.
    """
    table = parameters.table.copy()
    known = {str(name): position for position, name in enumerate(table["name"])}
    for name, change in changes.items():
        if name not in known:
            near = [other for other in known if other.split(".")[0] == name.split(".")[0]][:5]
            raise ValueError(f"parameter {name!r} does not exist; near names: {', '.join(near) or 'none'}")
        missing = [key for key in (*LEVELS, "source") if key not in change]
        if missing:
            raise ValueError(
                f"parameter {name!r}: {', '.join(missing)} missing; give {', '.join(LEVELS)}, source"
            )
        for key in LEVELS:
            table.loc[known[name], key] = float(str(change[key]))
        table.loc[known[name], "source"] = str(change["source"])
    return _usable(Parameters(_checked(table), parameters.curves))


def replace_curves(parameters: Parameters, curves: pd.DataFrame) -> Parameters:
    """Give the set in which whole curves of a study stand in place of those of the same name.

    Parameters
    ----------
    parameters : Parameters
    curves : DataFrame
        As `resilience.parameters.curves.read_curves` gives it.

    Raises
    ------
    ValueError
        When a name is unknown or a curve cannot be one; the message names it.
    """
    known = parameters.curves["curve"].unique()
    unknown = sorted(set(curves["curve"]) - set(known))
    if unknown:
        raise ValueError(f"curve {unknown[0]!r} does not exist; known: {', '.join(sorted(known))}")
    kept = parameters.curves[~parameters.curves["curve"].isin(curves["curve"])]
    changed = Parameters(parameters.table, pd.concat([kept, curves], ignore_index=True))
    checked_curves(changed.curves, parameters.curves, set(parameters.table["name"]))
    return _usable(changed)


def one_at_a_time(parameters: Parameters, name: str, level: Level) -> Parameters:
    """Give the set in which one parameter or curve has, at the central level, its value of `level`.

    Parameters
    ----------
    parameters : Parameters
    name : str
        Of a parameter, or of a curve after ``curve:`` (those of its numbers that are not parameters).
    level : {"low", "central", "high"}
    """
    if name.startswith("curve:"):
        curves = parameters.curves.copy()
        rows = curves["curve"] == name.removeprefix("curve:")
        curves.loc[rows, "central"] = curves.loc[rows, level]
        return Parameters(parameters.table, curves)
    table = parameters.table.copy()
    table.loc[table["name"] == name, "central"] = parameters.at(name, level)
    return Parameters(table, parameters.curves)


def _usable(parameters: Parameters) -> Parameters:
    """Refuse a set whose values make a curve impossible: building one builds, and so checks, them all."""
    for level in LEVELS:
        parameters.curve(str(parameters.curves["curve"].iloc[0]), level)
    return parameters


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(dict.fromkeys(LEVELS, float)).sort_values("name").reset_index(drop=True)
    twice = table.loc[table["name"].duplicated(), "name"].tolist()
    if twice:
        raise ValueError(f"parameters given twice: {', '.join(twice)}")
    if table[list(COLUMNS)].isna().to_numpy().any():
        raise ValueError("every parameter needs a unit, three values and a source or the word 'assumption'")
    return table
