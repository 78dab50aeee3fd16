"""What ``resilience spof -o`` writes: one table, a workbook, a GeoPackage, or a folder of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from gracethd.errors import GraceTHDError
from gracethd.network import Network
from gracethd.outputs.geopackage import write_geopackage
from gracethd.outputs.labels import phrase
from gracethd.outputs.publish import publish_folder
from gracethd.outputs.tables import write_table
from gracethd.outputs.workbook import Sheet, write_workbook
from gracethd.routes import Routes
from resilience.areas import behind_single_objects, losses_by_area, sites_by_type, worst_by_area
from resilience.further import worst_further_failures
from resilience.loops import redundancy
from resilience.near_legs import near_legs
from resilience.outputs.layers import study_layers
from resilience.outputs.page import write_page
from resilience.outputs.page_failures import listed_failures
from resilience.outputs.page_tables import TABLE_ROWS
from resilience.outputs.report import Report
from resilience.parameters import Parameters, default_parameters
from resilience.series import series
from resilience.shared_risk import risk_groups
from resilience.spof_list import caveats

MAX_SHEET_ROWS = 50_000
"""Rows of a list in a workbook; the rest is counted on its first sheet and stands in the other files."""
SUFFIXES = (".csv", ".gpkg", ".parquet", ".xlsx")
TITLE = "Points uniques de défaillance"
_CURVES = {"Seuils": ("threshold", "prises")}


@dataclass(frozen=True)
class SpofList:
    """The list and what it was drawn from.

    Attributes
    ----------
    network : Network
    routes : Routes
    tables : mapping of str to DataFrame
    full : GeoDataFrame
        From `resilience.spof.spof`, every row.
    rows : GeoDataFrame
        Those that the filters keep.
    listed : GeoDataFrame
        Those that people read.
    min_prises : int
    notes : sequence of str
        In French: how prises were traced, which filters were set.
    parameters : Parameters
        How near the legs of a loop may run (`resilience.near_legs`).
    """

    network: Network
    routes: Routes
    tables: Mapping[str, pd.DataFrame]
    full: gpd.GeoDataFrame
    rows: gpd.GeoDataFrame
    listed: gpd.GeoDataFrame
    min_prises: int
    notes: Sequence[str] = ()
    parameters: Parameters = field(default_factory=default_parameters)


def check_destination(path: Path) -> None:
    """Refuse a name that ends in nothing that can be written, before the work begins.

    Raises
    ------
    GraceTHDError
    """
    if path.suffix and path.suffix not in SUFFIXES and not path.is_dir():
        names = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        raise GraceTHDError(f"{path}: write to a folder or to a name that ends in {names}")


def write_spof(found: SpofList, path: Path, *, day: date, recipient: str = "") -> None:
    """Write the full table (.parquet), the list (.csv, .gpkg, .xlsx), or all of it into a folder.

    A folder holds ``rapport.html`` (map of the séries, curve by threshold, lists), ``spof.parquet``,
    ``spof.csv``, ``spof.gpkg``, ``spof.xlsx``, ``series.csv``,
    ``loops.csv``, ``redundancy.csv``, ``near_legs.csv``, ``further_failures.csv``, ``areas.csv``,
    ``losses_by_area.csv`` (of the list), ``thresholds.csv`` and, where sensitive sites are given,
    ``sites_by_type.csv``.

    Raises
    ------
    GraceTHDError
        When the name ends in nothing of these.
    """
    check_destination(path)
    if path.suffix == ".parquet":
        write_table(found.rows, path)
    elif path.suffix == ".csv":
        write_table(found.listed, path)
    elif path.suffix == ".gpkg":
        report = _report(found, _series(found), {}, day=day, recipient=recipient)
        write_geopackage(study_layers(report), path, recipient=recipient, day=day)
    elif path.suffix == ".xlsx":
        _write_book(found, _series(found), _extracts(found), path, day=day, recipient=recipient)
    else:
        rows, extracts = _series(found), _extracts(found)
        with publish_folder(path) as aside:
            write_table(found.rows, aside / "spof.parquet")
            write_table(found.listed, aside / "spof.csv")
            write_table(rows, aside / "series.csv")
            for name, extract in extracts.items():
                write_table(extract, aside / f"{name}.csv")
            report = _report(found, rows, extracts, day=day, recipient=recipient)
            write_geopackage(study_layers(report), aside / "spof.gpkg", recipient=recipient, day=day)
            write_page(report, aside / "rapport.html")
            _write_book(found, rows, extracts, aside / "spof.xlsx", day=day, recipient=recipient)


def _series(found: SpofList) -> gpd.GeoDataFrame:
    """Give the séries above the threshold that have a member among the rows kept."""
    every = series(found.network, found.full)
    kept = every["serie"].isin(found.rows["serie"]) & (every["prises_cut"] >= found.min_prises)
    out = every[kept].reset_index(drop=True)
    out["rank"] = range(1, len(out) + 1)
    return out


def _extracts(found: SpofList) -> dict[str, pd.DataFrame]:
    network, routes, tables = found.network, found.routes, found.tables
    losses = losses_by_area(network, routes, found.listed, tables)
    paths = redundancy(network, routes, risk_groups(network, tables))
    of_nro = paths[paths["nature"] == "NRO"].drop(columns="nature").rename(columns={"code": "nro"})
    extracts = {
        "loops": of_nro.reset_index(drop=True),
        "redundancy": paths,
        "near_legs": near_legs(network, routes, found.parameters),
        "further_failures": worst_further_failures(network, routes, tables),
        "areas": worst_by_area(losses, routes, tables),
        "losses_by_area": losses,
        "thresholds": behind_single_objects(network, routes, found.rows, tables),
    }
    if "sites_sensibles" in tables:
        extracts["sites_by_type"] = sites_by_type(network, routes, found.listed, tables)
    return extracts


def _report(
    found: SpofList,
    rows: gpd.GeoDataFrame,
    extracts: Mapping[str, pd.DataFrame],
    *,
    day: date,
    recipient: str,
) -> Report:
    """Put the list in the form that page and layers read."""
    rooms = found.routes.rooms[found.routes.rooms["asset"] >= 0]
    placed = found.network.assets.loc[rooms["asset"], "geometry"].to_numpy()
    communes = found.tables.get("communes")
    return Report(
        TITLE,
        recipient,
        day,
        counts=found.routes.counts,
        levels=found.routes.levels,
        feeds=found.routes.feeds,
        spof=found.listed,
        series=rows,
        loops=extracts.get("loops"),
        thresholds=extracts.get("thresholds"),
        rooms=gpd.GeoDataFrame(
            rooms[["code", "nature", "name", "prises"]], geometry=placed, crs=found.network.assets.crs
        ),
        communes=communes if isinstance(communes, gpd.GeoDataFrame) else None,
        failures=listed_failures(
            found.routes.nominal, found.routes.prises, found.network.assets, found.listed, TABLE_ROWS
        ),
        limits=[
            *(f"{note[:1].upper()}{note[1:]}." for note in caveats(found.full, found.routes)),
            _kept(found),
        ],
        is_study=False,
    )


def _kept(found: SpofList) -> str:
    left = found.listed.attrs["left_out"]
    return (
        f"Liste des objets coupant au moins {found.min_prises} prises. Hors liste : "
        f"{left['below_min_prises']} sous le seuil, {left['drops']} raccordements, "
        f"{left['same_place']} de même lieu."
    )


def _near_note(parameters: Parameters) -> str:
    near_m, least_m = (
        parameters.at(f"loop.near_legs.{name}", "central") for name in ("distance_m", "length_m")
    )
    return f"À {near_m:g} m ou moins, sur {least_m:g} m ou plus ; à part des risques partagés."


def _not_searched(failures: pd.DataFrame) -> str:
    """Name the rooms with too many sets to look at all of them."""
    rooms: Mapping[str, int] = failures.attrs["not_searched"]
    if not rooms:
        return ""
    named = ", ".join(f"{room} (à partir de {size} objets)" for room, size in sorted(rooms.items()))
    return f" Non cherchées, trop d'ensembles possibles : {named}."


def _write_book(
    found: SpofList,
    rows: gpd.GeoDataFrame,
    extracts: Mapping[str, pd.DataFrame],
    path: Path,
    *,
    day: date,
    recipient: str,
) -> None:
    titles = {
        "SPOF": (found.listed, phrase("title_spof"), phrase("text_spof")),
        "Séries": (rows, phrase("title_series"), ""),
        "Bouclages": (extracts["loops"], phrase("title_loops"), ""),
        "Redondance": (extracts["redundancy"], "Chemins disjoints vers chaque NRO et PM", ""),
        "Jambes proches": (
            extracts["near_legs"],
            "Jambes d'une boucle proches l'une de l'autre sur des cheminements distincts",
            _near_note(found.parameters),
        ),
        "Pannes combinées": (
            extracts["further_failures"],
            "Pires pannes de deux et trois objets pour les NRO et PM qu'aucun objet seul ne coupe",
            "Exactes ; un des pires ensembles où plusieurs se valent."
            + _not_searched(extracts["further_failures"]),
        ),
        "Territoires": (
            extracts["areas"],
            "Pire objet par PM, NRO, commune et EPCI",
            "Parmi les objets de la liste.",
        ),
        "Seuils": (extracts["thresholds"], phrase("title_curve"), phrase("text_thresholds")),
    }
    if "sites_by_type" in extracts:
        titles["Sites sensibles"] = (extracts["sites_by_type"], "Sites sensibles coupés, par type", "")
    beyond = [
        f"Feuille {name} : {len(frame) - MAX_SHEET_ROWS} lignes au-delà des {MAX_SHEET_ROWS} premières ne "
        "sont pas dans ce classeur ; elles sont dans les fichiers CSV et Parquet."
        for name, (frame, _, _) in titles.items()
        if len(frame) > MAX_SHEET_ROWS
    ]
    sheets = [
        Sheet(name, frame.head(MAX_SHEET_ROWS), title, note, curve=_CURVES.get(name))
        for name, (frame, title, note) in titles.items()
    ]
    write_workbook(
        sheets,
        path,
        title=TITLE,
        recipient=recipient,
        day=day,
        notes=[*found.notes, _kept(found), *beyond, *caveats(found.full, found.routes)],
    )
