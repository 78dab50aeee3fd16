"""The list of single points of failure that ``resilience spof`` prints and writes."""

from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from gracethd.errors import GraceTHDError
from gracethd.network import KINDS
from gracethd.network.build import SEGMENTS
from gracethd.outputs.geopackage import write_geopackage
from gracethd.outputs.tables import write_table
from resilience.outputs.layers import study_layers
from resilience.outputs.report import Report

SHOWN = 20


def chosen(table: gpd.GeoDataFrame, *, kind: str | None, segment: str | None) -> gpd.GeoDataFrame:
    """Keep the rows of one kind and one segment.

    Raises
    ------
    GraceTHDError
        When the kind or the segment does not exist.
    """
    for name, value, known in (("kind", kind, (*KINDS, "groupe")), ("segment", segment, SEGMENTS)):
        if value is not None and value not in known:
            raise GraceTHDError(f"--{name} {value!r} does not exist; choose one of {', '.join(known)}")
        if value is not None:
            table = table[table[name] == value]
    return table


def describe(listed: pd.DataFrame) -> str:
    """Write the head of the list, and what is left out of it."""
    if listed.empty:
        return "aucun objet ne coupe assez de prises"
    columns = [
        "rank",
        "kind",
        "code",
        "segment",
        "prises_cut",
        "prises_cut_max",
        "prises_stranded",
        "protected",
    ]
    left = listed.attrs["left_out"]
    head = listed[columns].head(SHOWN).to_string(index=False)
    return (
        f"{head}\n{len(listed)} objets ; hors liste : {left['below_min_prises']} sous le seuil, "
        f"{left['drops']} raccordements, {left['same_place']} de même lieu"
    )


def write_list(full: gpd.GeoDataFrame, listed: gpd.GeoDataFrame, path: Path, *, day: date) -> None:
    """Write the full table (.parquet) or the list (.csv, .gpkg).

    Raises
    ------
    GraceTHDError
        When the name ends in nothing of these.
    """
    if path.suffix == ".parquet":
        write_table(full, path)
    elif path.suffix == ".csv":
        write_table(listed, path)
    elif path.suffix == ".gpkg":
        report = Report("Points uniques de défaillance", "", day, spof=listed)
        write_geopackage(study_layers(report), path, recipient="", day=day)
    else:
        raise GraceTHDError(f"{path}: write to a name that ends in .csv, .parquet or .gpkg")
