"""Fragility curves as data: from an intensity to a probability, or to failures per kilometre.

A table has one row per number of a curve: ``curve``, its ``form`` and ``unit`` of intensity, ``at`` (which
number it is), ``low``, ``central``, ``high``, or the ``parameter`` that holds them, and ``source``. Forms:

- ``table``: probability at each intensity ``at``, straight lines between them, level outside;
- ``step``: probability ``p`` where the intensity is above ``from``;
- ``lognormal``: probability that a lognormal variable of median ``theta`` and log-deviation ``beta`` is
  below the intensity;
- ``rate``: failures per kilometre at each intensity ``at``, straight lines between them, level outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

Form = Literal["table", "step", "lognormal", "rate"]
COLUMNS = ("curve", "form", "unit", "at", "low", "central", "high", "parameter", "source")
_NEEDED = ("curve", "form", "unit", "at", "low", "central", "high", "source")
_LEVELS = ("low", "central", "high")
_NUMBERS: Mapping[str, tuple[str, ...]] = {"step": ("from", "p"), "lognormal": ("theta", "beta")}


@dataclass(frozen=True)
class Curve:
    """One curve at one level of parameters.

    Attributes
    ----------
    form : {"table", "step", "lognormal", "rate"}
    x : (n,) float64
        Intensities of its points; the two numbers (from, p) or (theta, beta) of the forms without points.
    y : (n,) float64
        Probabilities or failures per kilometre at them; empty for the forms without points.
    """

    form: Form
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def __call__(self, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what the curve says at each intensity; NaN stays NaN.

        Examples
        --------
        >>> Curve("step", np.array([0.5, 0.2]), np.empty(0))(np.array([0.5, 0.6, np.nan])).tolist()
        [0.0, 0.2, nan]
        """
        if self.form in ("table", "rate"):
            return np.interp(intensity, self.x, self.y)
        first, second = self.x
        if self.form == "step":
            return np.where(np.isnan(intensity), np.nan, np.where(intensity > first, second, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            p = ndtr(np.log(intensity / first) / second)
        return np.where(intensity <= 0, 0.0, p)


def read_curves(stream: IO[str]) -> pd.DataFrame:
    """Read a table of curves, texts stripped, numbers as float64.

    Raises
    ------
    ValueError
        When a column is missing or a cell that should be a number is not; the message names it.
    """
    try:
        raw = pd.read_csv(stream, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"not a table of comma-separated values ({error})") from error
    missing = [name for name in _NEEDED if name not in raw]
    if missing:
        raise ValueError(f"column {', '.join(missing)} missing; expected {', '.join(_NEEDED)}")
    table = raw.reindex(columns=list(COLUMNS), fill_value="").apply(lambda column: column.str.strip())
    for name in _LEVELS:
        number = pd.to_numeric(table[name], errors="coerce")
        wrong = number.isna() & (table[name] != "")
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"line {row + 2}, column {name}: {table[name].iloc[row]!r} is not a number")
        table[name] = number.astype(np.float64)
    return table


def checked_curves(table: pd.DataFrame, shipped: pd.DataFrame, parameters: set[str]) -> None:
    """Refuse curves in another unit than the shipped ones, or that name no value or an unknown parameter.

    Raises
    ------
    ValueError
        Naming the curve, what is wrong and what is expected.
    """
    units = shipped.drop_duplicates("curve").set_index("curve")["unit"]
    for curve, rows in table.groupby("curve", sort=True):
        other = sorted(set(rows["unit"]) - {units[curve]})
        if other:
            raise ValueError(f"curve {curve!r}: unit {other[0]!r}; its intensity is in {units[curve]!r}")
        unknown = sorted(set(rows["parameter"]) - parameters - {""})
        if unknown:
            raise ValueError(f"curve {curve!r}: parameter {unknown[0]!r} does not exist")
        empty = rows[rows[list(_LEVELS)].isna().any(axis=1) & (rows["parameter"] == "")]
        if len(empty):
            raise ValueError(f"curve {curve!r}, at {empty['at'].iloc[0]}: give low, central and high")
        if (rows["source"] == "").any():
            raise ValueError(f"curve {curve!r}: every row needs a source or the word 'assumption'")


def curves_of(table: pd.DataFrame, level: str, parameters: Mapping[str, float]) -> dict[str, Curve]:
    """Give the curves of a table at one level, by name.

    Parameters
    ----------
    table : DataFrame
    level : {"low", "central", "high"}
    parameters : mapping of str to float
        Values at that level.

    Raises
    ------
    ValueError
        When a curve is incomplete, has an unknown form, falls with the intensity or leaves its range.
    """
    named = table["parameter"].map(parameters)
    value = table[level].where(table["parameter"] == "", named).to_numpy(np.float64)
    rows = table.assign(value=value)
    return {str(name): _curve(str(name), of_curve) for name, of_curve in rows.groupby("curve", sort=True)}


def _curve(name: str, rows: pd.DataFrame) -> Curve:
    forms = rows["form"].unique()
    if len(forms) > 1 or forms[0] not in get_args(Form):
        raise ValueError(f"curve {name!r}: form {', '.join(forms)}; one of {', '.join(get_args(Form))}")
    form: Form = forms[0]
    value = rows["value"].to_numpy(np.float64)
    if form in _NUMBERS:
        found = dict(zip(rows["at"], value, strict=True))
        if sorted(rows["at"]) != sorted(_NUMBERS[form]):
            raise ValueError(f"curve {name!r}: form {form} needs one row at each of {_NUMBERS[form]}")
        x, y = np.array([found[key] for key in _NUMBERS[form]]), np.empty(0)
        is_wrong = not 0 <= x[1] <= 1 if form == "step" else not (x > 0).all()
    else:
        x, y = pd.to_numeric(rows["at"], errors="coerce").to_numpy(np.float64), value
        top = 1.0 if form == "table" else np.inf
        is_wrong = bool((y < 0).any() or (y > top).any() or (np.diff(y) < 0).any())
        if np.isnan(x).any() or (np.diff(x) <= 0).any():
            raise ValueError(f"curve {name!r}: 'at' must be intensities that rise from row to row")
    if is_wrong or not np.isfinite(np.concatenate([x, y])).all():
        expected = {"lognormal": "theta and beta above 0", "step": "p from 0 to 1"}.get(
            form, "values of 0 or more that never fall" + (", at most 1" if form == "table" else "")
        )
        raise ValueError(f"curve {name!r}: {expected} expected")
    return Curve(form, x, y)
