"""The tables of all deliveries in the inventory's names and types, whatever version wrote them.

An inventory table takes the names of GraceTHD 3 where both versions know a thing, and keeps what only
version 2 tells (conduits, passages). `TABLES` says what analyses read; the rest is carried beside it on
demand (`gracethd.carried`), and what is about persons apart from both (`gracethd.personal`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely
from numpy.typing import NDArray

from gracethd.codes import among
from gracethd.deliveries.text import TEXT_DTYPES
from gracethd.deliveries.types import Delivery
from gracethd.encoding import stacked
from gracethd.findings import NO_FINDING, Severity, findings_frame, merge_findings
from gracethd.model import VERSIONS, attributes
from gracethd.values import parse_bool, parse_date, parse_number


@dataclass(frozen=True)
class Table:
    """How an inventory table is read: its columns, and where each delivered table keeps them.

    Attributes
    ----------
    columns : tuple of str
        Text columns, the key first; ``numbers`` names those parsed to float64.
    sources : mapping
        Delivered table name to the renaming of its attributes; an attribute that is not renamed keeps its
        name. ``key_length`` columns together are the key (2 for link tables).
    geometry : bool
    """

    columns: tuple[str, ...]
    sources: Mapping[str, Mapping[str, str]]
    geometry: bool = False
    key_length: int = 1
    numbers: tuple[str, ...] = ()

    @property
    def key(self) -> list[str]:
        """Columns that identify a row."""
        return list(self.columns[: self.key_length])


TABLES: dict[str, Table] = {
    "noeud": Table(("nd_code", "nd_type"), {"t_noeud": {}}, geometry=True),
    "site": Table(
        ("st_code", "st_nd_code", "st_typelog", "st_typephy", "st_nom", "st_ad_code"),
        {"t_sitetech": {}, "t_site": {}},
    ),
    "local": Table(
        ("lc_code", "lc_st_code", "lc_typelog", "lc_etiquet"),
        {
            "t_ltech": {"lc_code": "lt_code", "lc_st_code": "lt_st_code", "lc_etiquet": "lt_etiquet"},
            "t_local": {},
        },
    ),
    "premise": Table(
        ("code", "type", "nd_code", "st_code", "ad_code", "zp_code", "bp_code", "bp_codf", "bp_codp"),
        {
            "t_suf": {
                "code": "sf_code", "type": "sf_type", "nd_code": "sf_nd_code", "ad_code": "sf_ad_code",
                "zp_code": "sf_zp_code", "bp_codf": "lc_bp_codf", "bp_codp": "lc_bp_codp",
            },
        },
    ),
    "adresse": Table(
        ("ad_code", "ad_insee", "ad_racc", "ad_nblhab", "ad_nblres", "ad_nblpro", "ad_nblent", "ad_nblpub"),
        {"t_adresse": {}},
        geometry=True,
        numbers=("ad_nblhab", "ad_nblres", "ad_nblpro", "ad_nblent", "ad_nblpub"),
    ),
    "ptech": Table(
        ("pt_code", "pt_nd_code", "pt_typephy", "pt_nature", "pt_prop", "pt_etiquet"), {"t_ptech": {}}
    ),
    "ebp": Table(
        ("bp_code", "bp_typelog", "bp_pt_code", "bp_lc_code", "bp_sf_code", "bp_linecod"),
        {"t_ebp": {"bp_lc_code": "bp_lt_code"}},
    ),
    "baie": Table(("ba_code", "ba_lc_code"), {"t_baie": {"ba_lc_code": "ba_lt_code"}}),
    "tiroir": Table(("ti_code", "ti_ba_code"), {"t_tiroir": {}}),
    "cassette": Table(("cs_code", "cs_bp_code", "cs_num"), {"t_cassette": {}}, numbers=("cs_num",)),
    "cable": Table(
        (
            "cb_code", "cb_etiquet", "cb_nd1", "cb_nd2", "cb_bp1", "cb_ba1", "cb_bp2", "cb_ba2",
            "cb_typephy", "cb_typelog", "cb_capafo", "cb_lgreel",
        ),
        {"t_cable": {}},
        numbers=("cb_capafo", "cb_lgreel"),
    ),
    "cableline": Table(("cl_cb_code",), {"t_cableline": {}}, geometry=True),
    "fibre": Table(
        ("fo_code", "fo_cb_code", "fo_nincab", "fo_numtub", "fo_nintub"),
        {"t_fibre": {}},
        numbers=("fo_nincab", "fo_numtub", "fo_nintub"),
    ),
    "position": Table(
        ("ps_code", "ps_1", "ps_2", "ps_cs_code", "ps_ti_code", "ps_fonct", "ps_etat", "ps_numero"),
        {"t_position": {}},
        numbers=("ps_numero",),
    ),
    "cheminement": Table(
        (
            "cm_code", "cm_ndcode1", "cm_ndcode2", "cm_typ_imp", "cm_typelog", "cm_passage", "cm_compo",
            "cm_prop",
        ),
        {"t_cheminement": {}},
        geometry=True,
    ),
    "conduite": Table(("cd_code", "cd_type", "cd_prop"), {"t_conduite": {}}),
    "cab_cond": Table(("cc_cb_code", "cc_cd_code"), {"t_cab_cond": {}}, key_length=2),
    "cond_chem": Table(("dm_cd_code", "dm_cm_code"), {"t_cond_chem": {}}, key_length=2),
    "cab_chem": Table(("cc_cb_code", "cc_cm_code"), {"t_cab_chem": {}}, key_length=2),
    "znro": Table(
        ("zn_code", "zn_nd_code", "zn_lc_code", "zn_nroref"),
        {"t_znro": {"zn_lc_code": "zn_lt_code"}},
        geometry=True,
    ),
    "zsro": Table(
        ("zs_code", "zs_nd_code", "zs_lc_code", "zs_zn_code", "zs_refpm", "zs_capamax"),
        {"t_zsro": {"zs_lc_code": "zs_lt_code"}},
        geometry=True,
        numbers=("zs_capamax",),
    ),
    "zpbo": Table(("zp_code", "zp_nd_code", "zp_bp_code", "zp_zs_code"), {"t_zpbo": {}}, geometry=True),
    "organisme": Table(("or_code", "or_nom", "or_siren", "or_siret"), {"t_organisme": {}}),
}  # fmt: skip
"""Every inventory table, in dependency order."""

_KEYS = {
    str(table): tuple(rows["attribute"])
    for version in VERSIONS
    for table, rows in attributes(version).query("primary_key == 'yes'").groupby("table")
}

_POINTS, _LINES = ("noeud", "adresse"), ("cableline", "cheminement")

MARKS = ("_majdate", "_creadat", "_abddate", "_abandon")
"""Ends of the attribute names that date a row or abandon it, whatever their table's prefix."""
ROOM_TYPES = ("NRO", "NRA", "NRAHD", "NRAMED", "NRAZO", "SRO", "SROL", "SROS", "TEC", "HEBERG")
PREMISE_TYPES = {"R": "RES", "P": "PRO", "E": "ENT", "U": "PUB"}
"""v2 sf_type codes that are prises (D15), with their v3 name; O (operator) and T (technical) are not."""
PRISE_TYPES = ("RES", "PRO", "ENT", "PUB", "FTTH")


_TAKEN = {
    source: {name for column in spec.columns for name in (column, renames.get(column, column))}
    for spec in TABLES.values()
    for source, renames in spec.sources.items()
}
_TAKEN["t_local"] |= _TAKEN["t_suf"]  # premises of version 3 stand there


_READ = frozenset(_TAKEN)


def only_taken(delivery: Delivery) -> Delivery:
    """Leave out the columns that the inventory does not take: most of what a delivery holds."""
    tables = {
        name: table[[column for column in table.columns if is_taken(name.split("_patch20")[0], str(column))]]
        for name, table in delivery.tables.items()
    }
    return replace(delivery, tables=tables)


def is_taken(table: str, column: str) -> bool:
    """Tell whether reading needs a column of a delivered table, be it to date a row or to name it."""
    named = (
        column in {"line", "geometry"} or column in _TAKEN.get(table, ()) or column in _KEYS.get(table, ())
    )
    return named or column.endswith(MARKS)


@dataclass(frozen=True)
class _Part:
    """One delivered table, of which an inventory table takes some columns."""

    delivery: Delivery
    source: str
    file: str
    rows: pd.DataFrame


def gather(
    deliveries: Sequence[Delivery], crs: pyproj.CRS, *, carried: bool = False
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Put the tables of deliveries under the inventory's names, nothing parsed yet.

    Parameters
    ----------
    deliveries : sequence of Delivery
        Their order is that of the rows.
    crs : pyproj.CRS
        Geometry in another one is reprojected to it.
    carried : bool
        Take along what analyses do not read (see `gracethd.carried`).

    Returns
    -------
    tables : dict of str to DataFrame
        The names of `TABLES`; columns as there, all text, then `MARKS`, ``delivery``, ``file``, ``line`` and,
        where the table has a place, ``geometry`` (shapely objects or None). With `carried`, then the other
        attributes, of dtype category, and the delivered tables of which nothing is read.
    findings : DataFrame
        Rows of ``t_x_patch20y`` tables that complete nothing.
    """
    delivered: dict[str, list[_Part]] = {}
    found = []
    for delivery in deliveries:
        folded, lost = _fold_patches(delivery)
        found.append(lost)
        for source, origin, rows in _split_locals(folded):
            part = _Part(delivery, source, delivery.files.get(origin, ""), rows)
            delivered.setdefault(source, []).append(part)
    specs = dict(TABLES)
    if carried:
        specs |= {source: _whole(source, parts) for source, parts in delivered.items() if source not in _READ}
    tables = {}
    for name, spec in specs.items():
        parts = [part for source in spec.sources for part in delivered.get(source, [])]
        tables[name] = _stack(parts, spec, crs, carried=carried)
    return tables, merge_findings(found)


def _whole(source: str, parts: Sequence["_Part"]) -> Table:
    """Say of a delivered table that no inventory table takes anything of it."""
    return Table((), {source: {}}, geometry=any("geometry" in part.rows for part in parts))


def settle(name: str, table: pd.DataFrame, crs: pyproj.CRS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parse what the gathered tables of all deliveries say, and leave out the rows that cannot be used.

    Parameters
    ----------
    name : str
        Of `TABLES`.
    table : DataFrame
        Rows of `gather`, of any number of deliveries.
    crs : pyproj.CRS
        Of the geometry.

    Returns
    -------
    table : DataFrame or GeoDataFrame
        Columns of the inventory table, then ``updated`` (datetime64, NaT unknown), ``delivery``, ``file``,
        ``line``.
    findings : DataFrame
        Rows without key, abandoned rows (out of the network, D15), numbers that are none, geometry of another
        type than the table's (the row is kept without its place).
    """
    spec = TABLES[name]
    keyless = table[spec.key].isna().any(axis=1)
    abandoned = _is_abandoned(table) & ~keyless
    kept = table.drop(columns=list(MARKS)).assign(updated=_updated(table))
    found = []
    if keyless.any():
        message = f"ligne sans {', '.join(spec.key)} : écartée"
        found.append(_rows_found(name, "cle_absente", "majeur", table[keyless], message))
    if abandoned.any():
        message = "objet abandonné : hors du réseau"
        found.append(_rows_found(name, "objet_abandonne", "info", table[abandoned], message))
    if found:
        kept = kept[~keyless & ~abandoned].reset_index(drop=True)
    for column in spec.numbers:
        values, bad = parse_number(kept[column])
        message = f"{column} n'est pas un nombre : pris comme inconnu"
        found.append(_rows_found(name, "nombre_illisible", "mineur", kept[bad], message, attribute=column))
        kept[column] = values.astype(float)
    if name == "premise":
        kept["type"] = kept["type"].replace(PREMISE_TYPES)
    if spec.geometry:
        shapes, nowhere = _placed(name, kept)
        kept = gpd.GeoDataFrame(kept.assign(geometry=gpd.GeoSeries(shapes, index=kept.index, crs=crs)))
        found.append(nowhere)
    return kept, merge_findings(found)


def settle_carried(table: pd.DataFrame, crs: pyproj.CRS) -> pd.DataFrame:
    """Date the rows of a table that is carried whole, and give it its places; nothing else is read of it."""
    dated = table.drop(columns=list(MARKS)).assign(updated=_updated(table))
    if "geometry" not in dated:
        return dated
    return gpd.GeoDataFrame(
        dated.assign(geometry=gpd.GeoSeries(dated["geometry"], index=dated.index, crs=crs))
    )


def _updated(table: pd.DataFrame) -> pd.Series:
    return _dates(table["_majdate"]).fillna(_dates(table["_creadat"]))


def _rows_found(
    name: str, rule: str, severity: Severity, rows: pd.DataFrame, message: str, *, attribute: str = ""
) -> pd.DataFrame:
    return findings_frame(
        rule, severity, name, attribute=attribute, code=rows[TABLES[name].columns[0]], message=message,
        delivery=rows["delivery"], line=rows["line"],
    )  # fmt: skip


def _placed(name: str, table: pd.DataFrame) -> tuple[NDArray[np.object_], pd.DataFrame]:
    """Take away the geometry that a table cannot have."""
    shapes = table["geometry"].to_numpy().copy()
    if name in _POINTS:
        several = shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT
        alone = several & (shapely.get_num_geometries(shapes) == 1)
        shapes[alone] = shapely.get_geometry(shapes[alone], 0)  # a multi-point of one
    strange = ~shapely.is_missing(shapes) & ~np.isin(shapely.get_type_id(shapes), _types_of(name))
    if not strange.any():
        return shapes, NO_FINDING
    shapes[strange] = None
    message = "géométrie d'un autre type que celui du modèle : objet gardé sans lieu"
    return shapes, _rows_found(name, "geometrie_type", "majeur", table[strange], message, attribute="geom")


def _types_of(name: str) -> list[int]:
    if name in _POINTS:
        return [shapely.GeometryType.POINT]
    if name in _LINES:
        return [shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING]
    return [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]


def _fold_patches(delivery: Delivery) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Join the ``t_x_patch20y`` tables to the table that they complete, on its key."""
    tables = delivery.tables
    folded = {name: table for name, table in tables.items() if "_patch20" not in name}
    found = []
    for name in sorted(set(tables) - set(folded)):
        base, patch = name.split("_patch20")[0], tables[name]
        key = next((key for key in _KEYS.get(base, ()) if key in patch), "")
        if not key or base not in folded or key not in folded[base]:
            found.append(_unused(delivery, name, key, patch))
            continue
        used = among(patch[key], folded[base][key].dropna()) & ~patch.duplicated(key)
        found.append(_unused(delivery, name, key, patch[~used]))
        new = [column for column in patch.columns if column == key or column not in folded[base]]
        folded[base] = folded[base].merge(patch.loc[used, new], on=key, how="left")
    return folded, merge_findings(found)


def _unused(delivery: Delivery, name: str, key: str, rows: pd.DataFrame) -> pd.DataFrame:
    return findings_frame(
        "patch_sans_objet", "mineur", name, attribute=key, code=rows[key] if key else [""] * len(rows),
        message="ligne de table complémentaire sans objet à compléter, ou en double : non lue",
        delivery=delivery.name, line=rows["line"],
    )  # fmt: skip


def _split_locals(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Give each table with the name it is taken for and its own; premises of ``t_local`` are ``t_suf``."""
    for name, table in tables.items():
        if name != "t_local":
            yield name, name, table
            continue
        typelog = _text(table, "lc_typelog")
        is_room = typelog.isin(ROOM_TYPES) | typelog.isna()
        premise = table[~is_room].rename(
            columns={"lc_code": "sf_code", "lc_typelog": "sf_type", "lc_st_code": "st_code"}
        )
        # the planned PBO first, else the box of a point-to-point line (D15)
        box = _text(premise, "lc_bp_codf").fillna(_text(premise, "lc_bp_codp"))
        yield "t_local", "t_local", table[is_room]
        yield "t_suf", "t_local", premise.assign(bp_code=box)


def _text(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column] if column in table else pd.Series(np.nan, index=table.index, dtype=str)


def _stack(parts: Sequence[_Part], spec: Table, crs: pyproj.CRS, *, carried: bool) -> pd.DataFrame:
    """Put the rows of parts one under the other, column by column: frames of each would cost more."""
    parts = [part for part in parts if len(part.rows)]
    sizes = [len(part.rows) for part in parts]
    columns = {column: _text_column(parts, spec, column) for column in spec.columns}
    columns |= {mark: _marked_column(parts, mark) for mark in MARKS}
    columns["delivery"] = _repeated([part.delivery.name for part in parts], sizes)
    columns["file"] = _repeated([part.file for part in parts], sizes)
    frame = pa.table(columns).to_pandas(types_mapper=TEXT_DTYPES.get)
    lines = [part.rows["line"].to_numpy(dtype=np.int64) for part in parts]
    frame["line"] = np.concatenate(lines) if lines else np.empty(0, np.int64)
    if spec.geometry:
        shapes = [_shapes(part, crs) for part in parts]
        frame["geometry"] = np.concatenate(shapes) if shapes else np.empty(0, object)
    if not carried:
        return frame
    used = [{*spec.columns, *(_attribute(part, spec, column) for column in spec.columns)} for part in parts]
    rest = stacked([part.rows for part in parts], used)
    return pd.concat([frame, pd.DataFrame(rest, index=frame.index)], axis=1)


def _attribute(part: _Part, spec: Table, column: str) -> str:
    """Name the attribute that holds a column of an inventory table in the rows of a part."""
    name = spec.sources[part.source].get(column, column)
    return name if name in part.rows else column


def _text_column(parts: Sequence[_Part], spec: Table, column: str) -> pa.ChunkedArray:
    return _joined([_arrow(part.rows, _attribute(part, spec, column)) for part in parts])


def _marked_column(parts: Sequence[_Part], mark: str) -> pa.ChunkedArray:
    named = [next((str(name) for name in part.rows if str(name).endswith(mark)), "") for part in parts]
    return _joined([_arrow(part.rows, name) for part, name in zip(parts, named, strict=True)])


def _arrow(rows: pd.DataFrame, column: str) -> pa.ChunkedArray:
    if column not in rows:
        return pa.chunked_array([pa.nulls(len(rows), pa.large_string())])
    values = pa.array(rows[column], pa.large_string(), from_pandas=True)
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.large_string())


def _repeated(texts: Sequence[str], times: Sequence[int]) -> pa.ChunkedArray:
    distinct = pa.array(texts, pa.large_string())
    return pa.chunked_array([distinct.take(pa.array(np.repeat(np.arange(len(texts)), times)))])


def _shapes(part: _Part, crs: pyproj.CRS) -> NDArray[np.object_]:
    rows, own = part.rows, part.delivery.crs
    if "geometry" not in rows:
        return np.full(len(rows), None, dtype=object)
    shapes = gpd.GeoSeries(rows["geometry"])
    if own is not None and own != crs:
        shapes = shapes.set_crs(own, allow_override=True).to_crs(crs)
    return np.asarray(shapes, dtype=object)


def _dates(text: pd.Series) -> pd.Series:
    values, _ = parse_date(text)
    return values.astype("datetime64[s]")


def _is_abandoned(table: pd.DataFrame) -> pd.Series:
    flag, _ = parse_bool(table["_abandon"])
    return table["_abddate"].notna() | flag.fillna(value=False).astype(bool)
