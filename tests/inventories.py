"""Inventories drawn at random: every column of every table, missing values and odd texts included."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from hypothesis import strategies as st

from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.normalise import TABLES

# what text readers give: no NUL, nothing that UTF-8 cannot say
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
CODES = st.sampled_from(["A", "B", "007", "=1+1", "Œ'\";--", "x" * 40])
NUMBERS = st.one_of(
    st.none(), st.integers(0, 999).map(float), st.floats(allow_nan=False, allow_infinity=False)
)
DATES = st.one_of(st.none(), st.datetimes(pd.Timestamp("1950-01-01"), pd.Timestamp("2100-01-01")))
AT = st.floats(-1e7, 1e7)
LINES = st.lists(st.tuples(AT, AT), min_size=2, max_size=4, unique=True)
SHAPES = st.one_of(
    st.none(),
    st.tuples(AT, AT).map(shapely.Point),
    LINES.map(shapely.LineString),
    st.lists(LINES, min_size=1, max_size=3).map(shapely.MultiLineString),
    st.tuples(AT, AT).map(lambda at: shapely.Point(at).buffer(10, quad_segs=1)),
)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Draw an inventory of up to three rows a table, in Lambert-93 or in zone CC50."""
    crs = pyproj.CRS.from_epsg(draw(st.sampled_from([2154, 3950])))
    tables = {name: draw(_table(name, crs)) for name in TABLES if name != "cableline"}
    deliveries = pd.DataFrame(
        {
            "delivery": pd.Series(draw(st.lists(TEXTS, max_size=2)), dtype=str),
            "sha256": pd.Series(dtype=str),
            "size_bytes": pd.Series(dtype=np.int64),
            "versions": pd.Series(dtype=str),
            "n_rows": pd.Series(dtype=np.int64),
        }
    )
    deliveries = deliveries.fillna({"size_bytes": draw(st.integers(0, 2**60)), "n_rows": 3})
    deliveries = deliveries.astype({"size_bytes": np.int64, "n_rows": np.int64})
    codes = draw(st.lists(TEXTS, max_size=3))
    findings = findings_frame("cle_double", "majeur", "cable", code=codes, message=draw(TEXTS), line=2)
    return Inventory(tables, crs, deliveries, merge_findings([findings]))


@st.composite
def _table(draw: st.DrawFn, name: str, crs: pyproj.CRS) -> pd.DataFrame:
    spec, n = TABLES[name], draw(st.integers(0, 3))

    def column(values: st.SearchStrategy[object], dtype: str) -> pd.Series:
        return pd.Series(draw(st.lists(values, min_size=n, max_size=n)), dtype=object).astype(dtype)

    text = st.one_of(st.none(), CODES, TEXTS)
    columns = {
        c: column(NUMBERS, "float64") if c in spec.numbers else column(text, "str") for c in spec.columns
    }
    frame = pd.DataFrame(columns)
    frame["updated"] = column(DATES, "datetime64[s]")
    frame["delivery"] = column(TEXTS, "str")
    frame["line"] = column(st.integers(1, 2**60), "int64")
    if not (spec.geometry or name == "cable"):
        return frame
    shapes = np.empty(n, dtype=object)
    shapes[:] = draw(st.lists(SHAPES, min_size=n, max_size=n))
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=crs))
