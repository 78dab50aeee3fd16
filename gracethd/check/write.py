"""Findings as files: a table, a layer that opens styled, a workbook, or one JSON object."""

from datetime import date
from pathlib import Path

import geopandas as gpd

from gracethd.check.checking import summary
from gracethd.errors import GraceTHDError
from gracethd.outputs.drawing import standing_points
from gracethd.outputs.geopackage import Layer, write_geopackage
from gracethd.outputs.styles import severity_style
from gracethd.outputs.tables import write_json, write_table
from gracethd.outputs.workbook import Sheet, write_workbook

TITLE = "Constats de contrôle"


def write_findings(findings: gpd.GeoDataFrame, path: Path, *, day: date) -> None:
    """Write findings to a .csv, .gpkg, .xlsx or .json, whole and readable by its owner only.

    Parameters
    ----------
    findings : GeoDataFrame
        From `gracethd.check.check_all`.
    path : Path
        Its ending says the format.
    day : date
        Of the check.

    Raises
    ------
    GraceTHDError
        When the name ends in nothing of these.
    """
    if path.suffix == ".csv":
        write_table(findings, path)
    elif path.suffix == ".gpkg":
        points = findings.set_geometry(standing_points(findings.geometry.to_numpy()), crs=findings.crs)
        write_geopackage([Layer("constats", points, TITLE, severity_style())], path, recipient="", day=day)
    elif path.suffix == ".xlsx":
        sheets = [Sheet("Synthèse", summary(findings), TITLE), Sheet("Constats", findings, TITLE)]
        write_workbook(sheets, path, title=TITLE, recipient="", day=day)
    elif path.suffix == ".json":
        rows = findings.drop(columns="geometry").to_dict("records")
        write_json({"constats": rows, "par_regle": summary(findings).to_dict("records")}, path)
    else:
        raise GraceTHDError(f"{path}: write findings to a name that ends in .csv, .gpkg, .xlsx or .json")
