"""Parameters as data: each has a unit, low, central and high values, and a source or the word "assumption".

The tables beside this module hold them, by theme; a study replaces any of them by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Literal, get_args

import pandas as pd

Level = Literal["low", "central", "high"]
LEVELS: tuple[Level, ...] = get_args(Level)
COLUMNS = ("name", "unit", "low", "central", "high", "source")


@dataclass(frozen=True)
class Parameters:
    """The parameter set of a run; ``parameters.at("pm.plinth_m", "central")`` gives one value.

    Attributes
    ----------
    table : DataFrame
        Columns of `COLUMNS` (values float64), sorted by name, one row each, `name` unique.
    """

    table: pd.DataFrame

    def at(self, name: str, level: Level) -> float:
        """Give one value; a KeyError names the parameter that does not exist."""
        try:
            return self._values[name][level]
        except KeyError:
            raise KeyError(f"parameter {name!r} does not exist; see resilience/parameters") from None

    @cached_property
    def _values(self) -> dict[str, dict[str, float]]:
        rows = self.table[["name", *LEVELS]].itertuples(index=False)
        return {str(name): dict(zip(LEVELS, map(float, values), strict=True)) for name, *values in rows}


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
    return Parameters(_checked(table))


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(dict.fromkeys(LEVELS, float)).sort_values("name").reset_index(drop=True)
    twice = table.loc[table["name"].duplicated(), "name"].tolist()
    if twice:
        raise ValueError(f"parameters given twice: {', '.join(twice)}")
    if table[list(COLUMNS)].isna().to_numpy().any():
        raise ValueError("every parameter needs a unit, three values and a source or the word 'assumption'")
    return table
