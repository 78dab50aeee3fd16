"""One delivery's tables in the inventory's names and types, whatever version wrote them.

An inventory table takes the names of GraceTHD 3 where both versions know a thing, and keeps what only
version 2 tells (conduits, passages). Only what analyses read is carried; personal attributes are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.deliveries.types import Delivery
from gracethd.findings import NO_FINDING, Severity, findings_frame, merge_findings
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
        ("cm_code", "cm_ndcode1", "cm_ndcode2", "cm_typ_imp", "cm_typelog", "cm_passage", "cm_compo"),
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
        ("zs_code", "zs_nd_code", "zs_lc_code", "zs_zn_code", "zs_refpm"),
        {"t_zsro": {"zs_lc_code": "zs_lt_code"}},
        geometry=True,
    ),
    "zpbo": Table(("zp_code", "zp_nd_code", "zp_bp_code", "zp_zs_code"), {"t_zpbo": {}}, geometry=True),
    "organisme": Table(("or_code", "or_nom", "or_siren", "or_siret"), {"t_organisme": {}}),
}  # fmt: skip
"""Every inventory table, in dependency order."""

FARTHEST_M = 2e7
"""No projected coordinate is larger: half the way round the Earth (metres)."""

MARKS = ("_majdate", "_creadat", "_abddate", "_abandon")
"""Ends of the attribute names that date a row or abandon it, whatever their table's prefix."""
ROOM_TYPES = ("NRO", "NRA", "NRAHD", "NRAMED", "NRAZO", "SRO", "SROL", "SROS", "TEC", "HEBERG")
PREMISE_TYPES = {"R": "RES", "P": "PRO", "E": "ENT", "U": "PUB"}
"""v2 sf_type codes that are prises (D15), with their v3 name; O (operator) and T (technical) are not."""
PRISE_TYPES = ("RES", "PRO", "ENT", "PUB", "FTTH")


def select_tables(delivery: Delivery) -> dict[str, pd.DataFrame]:
    """Give one delivery's tables under the inventory's names, nothing parsed yet.

    Parameters
    ----------
    delivery : Delivery

    Returns
    -------
    dict of str to DataFrame
        The names of `TABLES` that the delivery holds; columns as there, all text, then `MARKS`, ``delivery``,
        ``file`` and ``line``. Geographic tables are GeoDataFrames.
    """
    named = {
        source: table.assign(file=delivery.files.get(source, "")) for source, table in delivery.tables.items()
    }
    delivered = _split_locals(_fold_patches(named))
    selected = {}
    for name, spec in TABLES.items():
        sources = [(source, renames) for source, renames in spec.sources.items() if source in delivered]
        parts = [_rename(delivered[source], spec, renames, delivery) for source, renames in sources]
        if parts:
            selected[name] = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return selected


def settle(name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parse what the selected tables of all deliveries say, and leave out the rows that cannot be used.

    Parameters
    ----------
    name : str
        Of `TABLES`.
    table : DataFrame
        Rows of `select_tables`, of any number of deliveries.

    Returns
    -------
    table : DataFrame
        Columns of the inventory table, then ``updated`` (datetime64, NaT unknown), ``delivery``, ``file``,
        ``line``.
    findings : DataFrame
        Rows without key, abandoned rows (out of the network, D15), numbers that are none, coordinates that
        no place of the Earth has (the row is kept without its place).
    """
    spec = TABLES[name]
    keyless = table[spec.key].isna().any(axis=1)
    abandoned = _is_abandoned(table) & ~keyless
    found = [
        _rows_found(
            name, "cle_absente", "majeur", table[keyless], f"ligne sans {', '.join(spec.key)} : écartée"
        ),
        _rows_found(name, "objet_abandonne", "info", table[abandoned], "objet abandonné : hors du réseau"),
    ]
    updated = _dates(table["_majdate"]).fillna(_dates(table["_creadat"]))
    kept = (
        table.drop(columns=list(MARKS)).assign(updated=updated)[~keyless & ~abandoned].reset_index(drop=True)
    )
    for column in spec.numbers:
        values, bad = parse_number(kept[column])
        message = f"{column} n'est pas un nombre : pris comme inconnu"
        found.append(_rows_found(name, "nombre_illisible", "mineur", kept[bad], message, attribute=column))
        kept[column] = values.astype(float)
    if name == "premise":
        kept["type"] = kept["type"].replace(PREMISE_TYPES)
    if spec.geometry:
        kept, nowhere = _on_earth(name, gpd.GeoDataFrame(kept))
        found.append(nowhere)
    return kept, merge_findings(found)


def _rows_found(
    name: str, rule: str, severity: Severity, rows: pd.DataFrame, message: str, *, attribute: str = ""
) -> pd.DataFrame:
    return findings_frame(
        rule, severity, name, attribute=attribute, code=rows[TABLES[name].columns[0]], message=message,
        delivery=rows["delivery"], line=rows["line"],
    )  # fmt: skip


def _on_earth(name: str, table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Take away the geometry that has a coordinate beyond `FARTHEST_M`, or one that is no number."""
    bounds = np.abs(shapely.bounds(table.geometry.to_numpy()))
    there = table.geometry.notna().to_numpy()
    nowhere = there & ~(bounds <= FARTHEST_M).all(axis=1)
    nowhere |= there & ~_all_finite(table.geometry.to_numpy())
    if not nowhere.any():
        return table, NO_FINDING
    message = "coordonnées impossibles : objet gardé sans lieu"
    found = _rows_found(name, "coordonnees_impossibles", "majeur", table[nowhere], message, attribute="geom")
    return table.set_geometry(table.geometry.mask(nowhere)), found


def _all_finite(shapes: np.ndarray) -> np.ndarray:
    """Tell which shapes have only coordinates that are numbers; bounds leave out those that are not."""
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    bad = row[~np.isfinite(xy).all(axis=1)]
    finite = np.ones(len(shapes), bool)
    finite[bad] = False
    return finite


def _fold_patches(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Join the ``t_x_patch20y`` tables to the table that they complete, on its key."""
    folded = {name: table for name, table in tables.items() if "_patch20" not in name}
    for name in sorted(set(tables) - set(folded)):
        base = name.split("_patch20")[0]
        patch = tables[name].drop(columns=["line", "file"])
        key = str(patch.columns[0])
        if base in folded and key in folded[base]:
            new = [column for column in patch.columns if column == key or column not in folded[base]]
            once = patch.loc[patch[key].notna(), new].drop_duplicates(key)
            folded[base] = folded[base].merge(once, on=key, how="left")
    return folded


def _split_locals(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Set the premises of a v3 ``t_local`` apart from its rooms, as v2 does with ``t_suf``."""
    if "t_local" not in tables:
        return tables
    local = tables["t_local"]
    typelog = _text(local, "lc_typelog")
    is_room = typelog.isin(ROOM_TYPES) | typelog.isna()
    premise = local[~is_room].rename(
        columns={"lc_code": "sf_code", "lc_typelog": "sf_type", "lc_st_code": "st_code"}
    )
    # the planned PBO first, else the box of a point-to-point line (D15)
    premise = premise.assign(bp_code=_text(premise, "lc_bp_codf").fillna(_text(premise, "lc_bp_codp")))
    split = {**tables, "t_local": local[is_room]}
    suf = [split["t_suf"]] if "t_suf" in split else []
    split["t_suf"] = pd.concat([*suf, premise], ignore_index=True) if suf else premise
    return split


def _text(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column] if column in table else pd.Series(np.nan, index=table.index, dtype=str)


def _rename(table: pd.DataFrame, spec: Table, renames: Mapping[str, str], delivery: Delivery) -> pd.DataFrame:
    columns: dict[str, object] = {}
    for column in spec.columns:
        source = renames.get(column, column)
        columns[column] = _text(table, source if source in table else column)
    for mark in MARKS:
        named = next((name for name in table.columns if str(name).endswith(mark)), "")
        columns[mark] = _text(table, named)
    columns["delivery"] = delivery.name
    columns["file"] = table["file"]
    columns["line"] = table["line"].astype(np.int64)
    renamed = pd.DataFrame(columns, index=table.index)
    if not spec.geometry:
        return renamed
    return gpd.GeoDataFrame(renamed, geometry=table.get("geometry"), crs=delivery.crs)


def _dates(text: pd.Series) -> pd.Series:
    values, _ = parse_date(text)
    return values.astype("datetime64[s]")


def _is_abandoned(table: pd.DataFrame) -> pd.Series:
    flag, _ = parse_bool(table["_abandon"])
    return table["_abddate"].notna() | flag.fillna(value=False).astype(bool)


def no_rows(spec: Table) -> pd.DataFrame:
    """Give the selected table of a delivery that does not hold it."""
    text = (*spec.columns, *MARKS, "delivery", "file")
    frame = pd.DataFrame({column: pd.Series(dtype=str) for column in text})
    frame["line"] = pd.Series(dtype=np.int64)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([])) if spec.geometry else frame
