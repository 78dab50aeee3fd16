"""Inventories drawn at random: every column of every table, missing values and odd texts included."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from hypothesis import strategies as st

from gracethd.codes import follow
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.model import VERSIONS, attributes
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
            "replaced_by": pd.Series(dtype=str),
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
    frame["file"] = column(TEXTS, "str")
    frame["line"] = column(st.integers(1, 2**60), "int64")
    if not (spec.geometry or name == "cable"):
        return frame
    shapes = np.empty(n, dtype=object)
    shapes[:] = draw(st.lists(SHAPES, min_size=n, max_size=n))
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=crs))


PLAIN = st.text(
    st.characters(max_codepoint=0x24F, categories=("L", "N"), include_characters="-';\" é"), max_size=8
)
"""Texts as readers leave them: stripped, without line ends."""
_REFERS = {
    "nd_code": "noeud", "st_code": "site", "lc_code": "local", "ad_code": "adresse", "pt_code": "ptech",
    "bp_code": "ebp", "zp_code": "zpbo", "zs_code": "zsro", "zn_code": "znro", "sf_code": "premise",
    "cb_code": "cable", "cd_code": "conduite", "cm_code": "cheminement", "ba_code": "baie",
    "ti_code": "tiroir", "cs_code": "cassette", "ps_1": "fibre", "ps_2": "fibre", "bp_codf": "ebp",
    "bp_codp": "ebp",
    "cb_nd1": "noeud", "cb_nd2": "noeud", "cb_bp1": "ebp", "cb_bp2": "ebp", "cb_ba1": "baie",
    "cb_ba2": "baie", "cm_ndcode1": "noeud", "cm_ndcode2": "noeud", "pt_prop": "organisme",
    "cd_prop": "organisme",
}  # fmt: skip
_WORDS = {
    "st_typelog": ("NRO", "SRO", "SROL", "CLIENT", "RESEAU", "HEBERG"),
    "lc_typelog": ("NRO", "SRO", "SROL", "TEC", "NRAZO"),
    "type": ("RES", "PRO", "ENT", "PUB", "FTTH", "OPE", "OBJ", "O", "T"),
    "bp_typelog": ("BPE", "BPI", "PBO", "PTO", "DTI"), "nd_type": ("PT", "ST"),
    "cb_typelog": ("DI", "RA", "TR"),
    "cb_typephy": ("C", "J"), "cm_typ_imp": ("0", "7"), "st_typephy": ("BAT", "SHE"), "ad_insee": ("62001",),
}  # fmt: skip
# columns whose attribute is narrower than the texts drawn (accents count twice in a shapefile)
_NARROW = {
    str(name)
    for version in VERSIONS
    for name, kind, length in attributes(version)[["attribute", "type", "length"]].itertuples(index=False)
    if kind == "VARCHAR" and int(length) < 16
}
_POINTS = st.tuples(st.integers(600_000, 700_000), st.integers(7_000_000, 7_100_000))
_SHAPES = {
    "noeud": _POINTS.map(shapely.Point),
    "adresse": _POINTS.map(shapely.Point),
    "cheminement": st.lists(_POINTS, min_size=2, max_size=4, unique=True).map(shapely.LineString),
    "cable": st.lists(_POINTS, min_size=2, max_size=4, unique=True).map(shapely.LineString),
}
_ZONES = _POINTS.map(lambda at: shapely.Point(at).buffer(500, quad_segs=1))


@st.composite
def readable_inventories(draw: st.DrawFn) -> Inventory:
    """Draw an inventory as reading gives them: keys once, in order, references that lead somewhere or not."""
    sizes = {name: draw(st.integers(0, 3)) for name in TABLES}
    sizes |= {name: max(1, sizes[name]) for name in ("noeud", "premise", "zsro")}
    tables = {name: draw(_readable(name, sizes)) for name in TABLES if name != "cableline"}
    local, site = tables["local"], tables["site"].set_index("st_code")["st_typelog"]
    tables["local"] = local.assign(lc_typelog=local["lc_typelog"].fillna(follow(local["lc_st_code"], site)))
    organisme = tables["organisme"]
    company = organisme["or_siren"].notna() | organisme["or_siret"].notna()
    tables["organisme"] = organisme.assign(or_nom=organisme["or_nom"].where(company))
    deliveries = pd.DataFrame(
        {
            "delivery": ["d"],
            "sha256": ["0"],
            "size_bytes": [1],
            "versions": [""],
            "n_rows": [1],
            "replaced_by": [""],
        }
    )
    return Inventory(tables, pyproj.CRS.from_epsg(2154), deliveries, merge_findings([]))


@st.composite
def _readable(draw: st.DrawFn, name: str, sizes: dict[str, int]) -> pd.DataFrame:
    spec, n = TABLES[name], sizes[name]

    def values(column: str) -> st.SearchStrategy[object]:
        ending = column if column in _REFERS else column.split("_", 1)[-1]
        target = _REFERS.get(ending) or _REFERS.get(
            column.split("_", 1)[0] + "_code" if "_" in column else ""
        )
        if column in spec.numbers:
            return st.one_of(st.none(), st.integers(0, 900).map(float))
        if column in _WORDS:
            return st.one_of(st.none(), st.sampled_from(_WORDS[column]))
        if column in _REFERS or ending in _REFERS:
            known = [f"{target}{k}" for k in range(sizes[str(target)])]
            return st.sampled_from([None, *known, "nulle part"])
        if column in _NARROW:
            return st.one_of(st.none(), st.sampled_from(["A", "1"]))
        return PLAIN.map(lambda text: text.strip() or None)

    told = [st.none() if [c] == spec.key else values(c) for c in spec.columns]
    rows = draw(st.lists(st.tuples(*told), min_size=n, max_size=n))
    frame = pd.DataFrame(rows, columns=list(spec.columns), dtype=object)
    if spec.key_length == 1:
        frame[spec.columns[0]] = [f"{name}{k}" for k in range(n)]
    frame = frame.astype({c: "float64" if c in spec.numbers else "str" for c in spec.columns})
    frame = (
        frame.dropna(subset=spec.key).drop_duplicates(spec.key).sort_values(spec.key).reset_index(drop=True)
    )
    n = len(frame)
    frame["updated"] = pd.Series(draw(st.lists(DATES, min_size=n, max_size=n)), dtype="datetime64[s]")
    frame["delivery"] = pd.Series(["d"] * n, dtype="str")
    frame["file"] = pd.Series(["f"] * n, dtype="str")
    frame["line"] = np.arange(1, n + 1, dtype=np.int64)
    if not (spec.geometry or name == "cable"):
        return frame
    shapes = np.empty(n, dtype=object)
    shapes[:] = draw(st.lists(st.one_of(_SHAPES.get(name, _ZONES), st.none()), min_size=n, max_size=n))
    if name == "noeud":
        shapes[0] = shapely.Point(650_000, 7_050_000)  # a delivery without a place has no coordinate system
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=2154))
