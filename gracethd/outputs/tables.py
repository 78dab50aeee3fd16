"""Tables and summaries that programs read: CSV, Parquet (GeoParquet) and JSON, under the names of DESIGN.

Parquet holds every value exactly. CSV opens in a spreadsheet at a double click, so there a text cell that a
spreadsheet would take for a formula (it begins with = + - @, a tab or a line break, and is longer than that
sign) gets an apostrophe in front; numbers are never touched. Codes of GraceTHD do not begin so: whoever
meets one joins on the Parquet file.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.outputs.publish import DIFFUSION, written_aside

_LINE_END = r"\r\n?"
_FORMULA = r"(?s)[=+\-@\t\n]."


def write_table(frame: pd.DataFrame, path: Path, *, diffusion: str = DIFFUSION) -> None:
    """Write a frame as ``.csv`` or ``.parquet``, whole, owner only, with `diffusion` as its last column.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        Written without its index; geometry goes to GeoParquet (with its CRS) and is left out of CSV.
    path : Path
        The suffix says the format. CSV: comma, UTF-8, LF, decimal point, ISO dates, missing = empty.
    diffusion : str
        What the last column says; another word only for sums that may be published.

    Raises
    ------
    ValueError
        When the suffix is neither ``.csv`` nor ``.parquet``.
    """
    marked = with_diffusion(frame, diffusion)
    if path.suffix not in {".csv", ".parquet"}:
        raise ValueError(
            f"{path.name}: tables are written as .csv or .parquet, not {path.suffix or 'without suffix'}"
        )
    with written_aside(path) as aside:
        if path.suffix == ".csv":
            csv_ready(marked).to_csv(aside, index=False, encoding="utf-8", lineterminator="\n")
        else:
            marked.to_parquet(aside, index=False)


def with_diffusion(frame: pd.DataFrame, diffusion: str = DIFFUSION) -> pd.DataFrame:
    """Give the frame with the constant column `diffusion` in last place; geometry stays one of the columns.

    Notes held in ``frame.attrs`` are dropped: Parquet would carry them, in an order that is not ours.
    """
    marked = frame.drop(columns="diffusion", errors="ignore").reset_index(drop=True)
    marked["diffusion"] = pd.Series(diffusion, index=marked.index, dtype=str)
    marked.attrs = {}
    return marked


def csv_ready(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame as CSV holds it: no geometry, ISO dates, no text that a spreadsheet would compute."""
    if isinstance(frame, gpd.GeoDataFrame):
        frame = pd.DataFrame(frame.drop(columns=list(frame.columns[frame.dtypes == "geometry"])))
    columns = {_harmless_text(str(name)): _csv_column(frame[name]) for name in frame.columns}
    return pd.DataFrame(columns, index=frame.index)


def _csv_column(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        known = values.dropna()
        is_days = bool((known == known.dt.normalize()).all())
        return values.dt.strftime("%Y-%m-%d" if is_days else "%Y-%m-%dT%H:%M:%S")
    if isinstance(values.dtype, pd.StringDtype):
        text: pd.Series = values.str.replace(_LINE_END, "\n", regex=True)
        return text.mask(text.str.match(_FORMULA, na=False), "'" + text)
    if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object:
        return values.astype(object).map(lambda v: _harmless_text(v) if isinstance(v, str) else v)
    return values


def _harmless_text(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if len(text) > 1 and text[0] in "=+-@\t\n" else text


def write_json(summary: Mapping[str, object], path: Path) -> None:
    """Write a summary as JSON, whole, owner only: keys sorted, two spaces, UTF-8, NaN and infinity as null.

    Values of NumPy and pandas, dates, paths and nested mappings are taken; a frame becomes a list of rows.
    """
    text = json.dumps(plain(summary), ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    with written_aside(path) as aside:
        aside.write_text(text + "\n", encoding="utf-8", newline="\n")


def plain(value: object) -> object:
    """Give the value as JSON knows it: mappings, lists, text, numbers, booleans and null.

    Examples
    --------
    >>> plain({"a": float("nan"), "b": (1, 2)})
    {'a': None, 'b': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, pd.DataFrame):
        columns = [name for name in value.columns if str(value[name].dtype) != "geometry"]
        return [{str(k): plain(v) for k, v in row.items()} for row in value[columns].to_dict("records")]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value, key=str)]
    if isinstance(value, (list, tuple, np.ndarray, pd.Series, pd.Index)):
        return [plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (bool, int, str)) else str(value)
