"""The optional tables of a study: communes, subscribers, sensitive sites, roads..., checked and typed.

For whoever crosses a network with what the deliveries do not say. A table is a CSV, an XLSX (first sheet) or
a GeoPackage; columns are found by name, in any order and case, and others are left out. What a table must
hold is the data of `SCHEMAS`: adding a column is adding a row there.
"""

import difflib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gracethd.deliveries.text import read_csv
from gracethd.network.types import KINDS
from gracethd.values import parse_date, parse_number
from resilience.road_files import read_graphml, read_osm
from resilience.sections import StudyError, near_name
from resilience.study import Study
from resilience.study_budget import STATUTS

SiteType = Literal[
    "sdis", "hopital", "ehpad", "gendarmerie", "mairie", "prefecture", "enseignement", "eau", "pylone",
    "video", "lorawan", "data_centre", "autre",
]  # fmt: skip
IncidentCause = Literal[
    "terrassement", "vehicule", "malveillance", "incendie", "vetuste", "inondation", "vent", "energie",
    "autre",
]  # fmt: skip
ResourceType = Literal["equipe", "groupe", "cable_m", "poteau", "armoire", "nro_mobile"]
OwnWork = Literal[
    "batardeau_nro", "detection_incendie_nro", "extinction_incendie_nro", "batteries_nro", "groupe_nro",
    "prise_groupe_nro", "rehausse_pm", "protection_pm", "enfouissement",
]  # fmt: skip
CatalogueWork = Literal[
    "deviation_jambe_nro", "second_chemin_nro", "second_chemin_pm", "enfouissement", "batardeau_nro",
    "detection_incendie_nro", "extinction_incendie_nro", "batteries_nro", "groupe_nro", "prise_groupe_nro",
    "priorite_nro", "rehausse_pm", "protection_pm", "nro_mobile", "lot_secours_pm", "contrat_intervention",
    "elagage",
]  # fmt: skip
Mechanism = Literal[
    "nro.flood", "nro.power", "nro_fire", "pm.flood", "pm_destroyed", "closure.flood", "closure.groundwater",
    "way.flood", "way.scour", "way.wind", "way.fire", "dig_up", "aerial_cut", "clay", "ground_movement",
]  # fmt: skip
Content = Literal["insee", "text", "number", "count", "share", "date"]

MAX_XLSX_BYTES = 500_000_000  # unpacked; a workbook above this is not a table of a study
SHOWN_FAULTS = 5


@dataclass(frozen=True)
class Column:
    """What one column holds.

    Attributes
    ----------
    name : str
    content : Content
        How its text is read: "insee" is a code of 5 characters, "count" a whole number of 0 or more,
        "share" a number from 0 to 1, "date" an ISO or French date.
    required : bool
        True where every row must have a value.
    aliases : tuple of str
        Other headers that stand for it; a row fills one of them only.
    choices : tuple of str
        The closed list, where there is one.
    """

    name: str
    content: Content = "text"
    required: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """What one table holds: its columns, its key, its geometry, and columns of which each row needs one.

    Attributes
    ----------
    columns : tuple of Column
    key : tuple of str
        Columns that together may not occur twice; empty where rows may repeat.
    geometry : str
        "Polygon" or "LineString" (single or multi) where the table is a layer, else "".
    point : tuple of str
        The two columns that the points of a GeoPackage fill, where it may be one.
    one_of : tuple of tuple of str
        Each row must fill all columns of one of these groups.
    is_checked_later : bool
        True where rows are checked against the network too: the column ``line`` is kept for the messages,
        and the shapes of a GeoPackage as ``geometry``.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    geometry: str = ""
    point: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    is_checked_later: bool = False


SCHEMAS: Mapping[str, Schema] = {
    "communes": Schema(
        (Column("code_insee", "insee", required=True), Column("nom", required=True), Column("epci"),
         Column("epci_nom")),
        key=("code_insee",), geometry="Polygon",
    ),
    "abonnes": Schema(
        (Column("code", required=True, aliases=("pm", "pbo")),
         Column("abonnes", "count", required=True)),
        key=("code",),
    ),
    "sites_sensibles": Schema(
        (Column("id", required=True), Column("type", required=True, choices=get_args(SiteType)),
         Column("nom"), Column("code", aliases=("prise",)), Column("x", "number"), Column("y", "number")),
        key=("id",), point=("x", "y"), one_of=(("code",), ("x", "y")),
    ),
    "cuivre": Schema(
        (Column("code_insee", "insee", required=True), Column("lot", required=True),
         Column("date_fermeture", "date", required=True)),
        key=("code_insee",),
    ),
    "feeds": Schema(
        (Column("code", required=True, aliases=("noeud", "site")), Column("operateur"),
         Column("part", "share")),
        key=("code", "operateur"),
    ),
    "equipements": Schema(
        (Column("kind", required=True, choices=KINDS), Column("code", required=True),
         Column("hauteur_m", "number"), Column("autonomie_h", "number"), Column("groupe"),
         Column("zone_elec")),
        key=("kind", "code"),
    ),
    "ressources": Schema(
        (Column("type", required=True, choices=get_args(ResourceType)),
         Column("nombre", "count", required=True), Column("depot_x", "number"),
         Column("depot_y", "number"), Column("competence"), Column("delai_h", "number")),
        point=("depot_x", "depot_y"),
    ),
    "routes": Schema(
        (Column("highway"), Column("nature"), Column("oneway")),
        geometry="LineString", one_of=(("highway",), ("nature",)),
    ),
    "incidents": Schema(
        (Column("date", "date", required=True), Column("kind", choices=KINDS), Column("code"),
         Column("x", "number"), Column("y", "number"),
         Column("cause", required=True, choices=get_args(IncidentCause)), Column("hours", "number")),
        point=("x", "y"), one_of=(("kind", "code"), ("x", "y")),
    ),
    "groupes": Schema(
        (Column("group", required=True), Column("kind", required=True, choices=KINDS),
         Column("code", required=True), Column("passage", choices=("PON", "SNC", "AQU"))),
        key=("group", "kind", "code"),
    ),
    "suivi": Schema(
        (Column("action_id", required=True, aliases=("action",)), Column("libelle", aliases=("libellé",)),
         Column("statut", choices=STATUTS), Column("decision_comite"), Column("commentaire")),
        key=("action_id",),
    ),
    "catalogue": Schema(
        (Column("mesure", required=True, choices=get_args(CatalogueWork)), Column("autorisations"),
         Column("maitre_ouvrage"), Column("financement"), Column("propose", choices=("oui", "non"))),
        key=("mesure",),
    ),
    "options": Schema(
        (Column("mesure", choices=get_args(OwnWork)), Column("libelle"), Column("objets", required=True),
         Column("cost_eur_low", "number"), Column("cost_eur_central", "number", required=True),
         Column("cost_eur_high", "number"), Column("mecanisme", choices=get_args(Mechanism)),
         Column("facteur", "share")),
        one_of=(("mesure",), ("libelle", "mecanisme", "facteur")), is_checked_later=True,
    ),
}  # fmt: skip
"""By name of the table in a study; `terrain` is a raster and is not read here."""


def load_tables(study: Study, *, crs: pyproj.CRS | str = "EPSG:2154") -> dict[str, pd.DataFrame]:
    """Read the tables that a study names; one that it does not name is absent from the answer.

    Parameters
    ----------
    study : Study
    crs : pyproj.CRS or str
        Of the inventory: layers are reprojected to it, and x, y, depot_x, depot_y of CSV and XLSX tables
        are taken to be in it.

    Returns
    -------
    dict of str to DataFrame
        With exactly the columns of `SCHEMAS` in that order (a missing optional one is empty): text as
        ``str`` where missing is "", numbers and shares as float64 where missing is NaN, counts as int64,
        dates as datetime64[s]. `communes` and `routes` are GeoDataFrames in `crs`. Rows keep their order.

    Raises
    ------
    StudyError
        When a table cannot be read or departs from its schema; the message names table, column and rows.

    Examples
    --------
    >>> sorted(load_tables(load_study("data/exemple/etude.toml")))[:2]  # doctest: +SKIP
    ['abonnes', 'communes']
    """
    named = [name for name in SCHEMAS if name in study.tables]
    return {name: read_table(study.tables[name], name, crs=crs) for name in named}


def read_table(path: Path, name: str, *, crs: pyproj.CRS | str = "EPSG:2154") -> pd.DataFrame:
    """Read one table of a study from its file; see `load_tables` for what is given and raised."""
    schema = SCHEMAS[name]
    where = f"{name} ({path.name})"
    readers = _readers(name)
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise StudyError(f"{where}: this table is read from {', '.join(readers)}; save it so")
    raw = reader(path, name)
    raw.columns = pd.Index([str(column).strip().lower() for column in raw.columns])
    text = _placed(raw, schema, crs, where)
    faults: list[str] = []
    frame = pd.DataFrame({column.name: _typed(text, column, where, faults) for column in schema.columns})
    faults += _missing_groups(frame, text["line"], schema) + _repeated_keys(frame, text["line"], schema)
    if schema.geometry:
        shapes, wrong = _shapes(text, schema)
        faults += wrong
        frame = gpd.GeoDataFrame(frame, geometry=shapes, crs=crs)
    if schema.is_checked_later:
        drawn = shapely.force_2d(text.geometry.to_numpy()) if isinstance(text, gpd.GeoDataFrame) else None
        frame = frame.assign(line=text["line"].to_numpy(), geometry=drawn)
    if faults:
        more = f" (and {len(faults) - SHOWN_FAULTS} more)" if len(faults) > SHOWN_FAULTS else ""
        raise StudyError(f"{where}: {'; '.join(faults[:SHOWN_FAULTS])}{more}; correct the table")
    return frame


def _read_csv(path: Path, name: str) -> pd.DataFrame:
    frame, findings = read_csv(path, name)
    lost = findings[findings["severity"].isin(["bloquant", "majeur"])]
    if len(lost):
        lines = ", ".join(str(line + 1) for line in lost["line"][:SHOWN_FAULTS])
        raise StudyError(
            f"{name} ({path.name}): rows with too many fields at line {lines}; correct the table"
        )
    return frame.assign(line=frame["line"] + 1)  # as an editor counts: the header is line 1


def _read_xlsx(path: Path, name: str) -> pd.DataFrame:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_XLSX_BYTES:
            raise StudyError(f"{name} ({path.name}): {size:,} bytes unpacked; give the table as CSV")
        if name == "suivi":
            from resilience.follow_up import read_returned

            return read_returned(path)
        frame = pd.read_excel(path, dtype=str, keep_default_na=False, na_values=[""], engine="openpyxl")
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        if isinstance(error, StudyError):
            raise
        raise StudyError(f"{name} ({path.name}): not a readable XLSX workbook; save it again") from error
    filled = frame.notna().any(axis=1)
    numbered = frame.assign(line=np.arange(2, len(frame) + 2, dtype=np.int64))
    return numbered.loc[filled].reset_index(drop=True)


def _read_gpkg(path: Path, name: str) -> pd.DataFrame:
    """Read the layer of that name, else the only one; the magic keeps other formats away from GDAL."""
    import pyogrio

    with path.open("rb") as stream:
        if stream.read(16) != b"SQLite format 3\0":
            raise StudyError(f"{name} ({path.name}): not a GeoPackage; save the layer as GeoPackage")
    try:
        layers = [str(layer) for layer, _ in pyogrio.list_layers(path) if layer != "layer_styles"]
        layer = name if name in layers else layers[0] if len(layers) == 1 else ""
        if not layer:
            raise StudyError(f"{name} ({path.name}): no layer {name!r} among {', '.join(layers)}; rename one")
        frame = pyogrio.read_dataframe(path, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise StudyError(f"{name} ({path.name}): this GeoPackage cannot be read; save it again") from error
    numbered: pd.DataFrame = frame.assign(line=np.arange(1, len(frame) + 1, dtype=np.int64))
    return numbered


def _readers(name: str) -> Mapping[str, Callable[[Path, str], pd.DataFrame]]:
    """Give what reads a table, by the end of the file's name."""
    if not SCHEMAS[name].geometry:
        return {".csv": _read_csv, ".xlsx": _read_xlsx, ".gpkg": _read_gpkg}
    if name != "routes":
        return {".gpkg": _read_gpkg}
    return {
        ".gpkg": _read_gpkg,
        ".pbf": read_osm,
        ".osm": read_osm,
        ".xml": read_osm,
        ".graphml": read_graphml,
    }


def _placed(raw: pd.DataFrame, schema: Schema, crs: pyproj.CRS | str, where: str) -> pd.DataFrame:
    """Bring a layer to `crs`; the points of one fill the two columns of coordinates."""
    if not isinstance(raw, gpd.GeoDataFrame):
        return raw
    if raw.crs is None:
        raise StudyError(
            f"{where}: the layer states no coordinate reference system; set it (EPSG:2154 for example)"
        )
    placed = raw.to_crs(crs)
    if not schema.point:
        return placed
    points = shapely.centroid(placed.geometry.to_numpy())
    x, y = schema.point
    return pd.DataFrame(placed.drop(columns=placed.geometry.name)).assign(
        **{x: shapely.get_x(points), y: shapely.get_y(points)}
    )


def _typed(frame: pd.DataFrame, column: Column, where: str, faults: list[str]) -> pd.Series:
    """Give one column as its content says; what cannot be read is appended to `faults`."""
    text = _text(frame, column, where, faults)
    if column.content == "insee":
        text = text.str.zfill(5)  # a spreadsheet drops the leading zero
    missing = text.isna()
    if column.content in {"insee", "text"}:
        values = text.fillna("")
        wrong = (
            ~missing & ~text.isin(column.choices)
            if column.choices
            else pd.Series(data=False, index=text.index)
        )
        if column.content == "insee":
            wrong |= ~missing & ~text.str.fullmatch(r"[0-9][0-9AB][0-9]{3}").fillna(value=False)
    elif column.content == "date":
        values, wrong = parse_date(text)
    else:
        values, wrong = parse_number(text)
        wrong |= (column.content == "count") & ((values < 0) | (values % 1 != 0)) & ~missing
        wrong |= (column.content == "share") & ~values.between(0, 1) & ~missing
    faults += [_fault(frame, column, int(row), text) for row in np.flatnonzero(wrong.to_numpy(bool))]
    if column.required:
        lines = frame.loc[missing.to_numpy(bool), "line"]
        faults += [f"line {line}, column {column.name}: a value is needed" for line in lines]
    return values.fillna(0).astype(np.int64) if column.content == "count" else values


def _fault(frame: pd.DataFrame, column: Column, row: int, text: pd.Series) -> str:
    expected = {
        "insee": "a commune code of 5 characters",
        "count": "a whole number of 0 or more",
        "share": "a share from 0 to 1",
        "date": "a date such as 2028-01-31",
        "number": "a number",
    }.get(column.content, "")
    value = str(text.iloc[row])
    hint = f"{expected} is expected" if expected else near_name(value, column.choices)
    return f"line {frame['line'].iloc[row]}, column {column.name}: {value!r}, {hint}"


def _text(frame: pd.DataFrame, column: Column, where: str, faults: list[str]) -> pd.Series:
    """Give a column as text, missing = NaN, from whichever of its headers each row fills."""
    headers = [name for name in (column.name, *column.aliases) if name in frame.columns]
    if not headers:
        _refuse_near(frame, column, where)
        return pd.Series(np.nan, index=frame.index, dtype=str)
    texts = [_as_text(frame[name]) for name in headers]
    filled = np.sum([text.notna().to_numpy() for text in texts], axis=0)
    both = " and ".join(headers)
    faults += [f"line {line}: {both} are both given; keep one" for line in frame.loc[filled > 1, "line"]]
    text = texts[0]
    for other in texts[1:]:
        text = text.fillna(other)
    return text


def _refuse_near(frame: pd.DataFrame, column: Column, where: str) -> None:
    """Refuse a table without a column it needs, or with a header one slip away from one it may have."""
    headers = [str(name) for name in frame.columns if name not in {"line", "geometry"}]
    near = difflib.get_close_matches(column.name, headers, n=1, cutoff=0.6 if column.required else 0.85)
    known = {other.name for schema in SCHEMAS.values() for other in schema.columns}
    if column.required or (near and near[0] not in known):
        hint = f"rename {near[0]!r}" if near else f"found: {', '.join(headers)}"
        names = " or ".join((column.name, *column.aliases))
        raise StudyError(f"{where}: column {names} is missing; {hint}")


def _as_text(values: pd.Series) -> pd.Series:
    """Give values of any type as stripped text, numbers at their shortest, missing = NaN."""
    if values.dtype.kind == "M":
        text = values.dt.strftime("%Y-%m-%d")
    elif values.dtype.kind in "iuf":
        text = values.map(lambda value: np.format_float_positional(value, trim="-"), na_action="ignore")
    else:
        text = values.astype(str).str.strip()
    text = text.astype(str)
    shown: pd.Series = text.mask(text.isna() | values.isna() | (text == ""))
    return shown


def _missing_groups(frame: pd.DataFrame, lines: pd.Series, schema: Schema) -> list[str]:
    if not schema.one_of:
        return []
    filled = frame.notna() & (frame != "")
    complete = np.any([filled[list(group)].all(axis=1) for group in schema.one_of], axis=0)
    names = " or ".join(" and ".join(group) for group in schema.one_of)
    return [f"line {line}: {names} is needed" for line in lines[~complete]]


def _repeated_keys(frame: pd.DataFrame, lines: pd.Series, schema: Schema) -> list[str]:
    if not schema.key:
        return []
    keys = frame[list(schema.key)]
    repeated = keys.duplicated() & (keys != "").any(axis=1)
    return [
        f"line {line}, column {' and '.join(schema.key)}: {' '.join(map(str, key))!r} stands there twice"
        for line, key in zip(lines[repeated], keys[repeated].itertuples(index=False), strict=True)
    ]


def _shapes(frame: pd.DataFrame, schema: Schema) -> tuple[np.ndarray, list[str]]:
    """Give the shapes of a layer, made valid, and what is wrong with them."""
    geometry = frame.geometry if isinstance(frame, gpd.GeoDataFrame) else None
    if geometry is None:
        return np.full(len(frame), None, dtype=object), [
            f"a layer of {schema.geometry} is needed; it has no geometry"
        ]
    shapes = shapely.force_2d(geometry.to_numpy())
    fitting = geometry.geom_type.isin([schema.geometry, f"Multi{schema.geometry}"]) & ~shapely.is_empty(
        shapes
    )
    lines = frame.loc[~fitting.to_numpy(bool), "line"]
    return shapely.make_valid(shapes), [f"row {line}: a {schema.geometry} is needed" for line in lines]
