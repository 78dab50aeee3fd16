"""A first study for an inventory: it runs as it is, and shows as comments what else a study may say."""

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from gracethd.outputs.labels import written
from gracethd.outputs.publish import written_aside
from gracethd.routes.types import Routes
from resilience.sections import StudyError
from resilience.study_schema import study_schema
from resilience.tables import SCHEMAS

SCHEMA_FILE = "etude.schema.json"
_LISTED = 5
"""Deliveries that are named one by one; more are named by a pattern where one fits."""


def write_study(sources: Sequence[str], routes: Routes, path: Path, *, day: date) -> None:
    """Write a study of an inventory, and the JSON schema that its first line names, beside it.

    Parameters
    ----------
    sources : sequence of str
        What was read; the study names it relative to its own folder.
    routes : Routes
    path : Path
        Of the new file.
    day : date

    Raises
    ------
    StudyError
        When the file exists, or the sources are an address that no study can name.
    """
    check_new(sources, path)
    text = study_text(sources, routes, path.absolute().parent, day=day)
    with written_aside(path) as aside, written_aside(path.parent / SCHEMA_FILE) as schema:
        aside.write_text(text, encoding="utf-8", newline="\n")
        schema.write_text(json.dumps(study_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def check_new(sources: Sequence[str], path: Path) -> None:
    """Refuse what `write_study` refuses, before anything heavy is read."""
    if path.exists():
        raise StudyError(f"{path}: this file exists; give another name with -o, or remove it")
    if any("://" in source for source in sources):
        raise StudyError(
            "a study names files: run gracethd import ADDRESS -o inventaire.parquet, and give that folder"
        )


def study_text(sources: Sequence[str], routes: Routes, folder: Path, *, day: date) -> str:
    """Give the text of the study; `folder` is where it will stand."""
    rooms = routes.rooms
    nro = rooms[rooms["nature"] == "NRO"].sort_values(["prises", "code"], ascending=[False, True])
    count = written(int(routes.prises["n"].sum()), "int")
    counts = f"{count} prises, {len(nro)} NRO, {int((rooms['nature'] == 'PM').sum())} PM"
    inventory = ", ".join(_quoted(name) for name in _named(sources, folder))
    parts = [
        f"#:schema {SCHEMA_FILE}",
        f"# Étude de résilience : {counts}. Écrite le {day:%d/%m/%Y}.",
        "# Les chemins sont relatifs à ce fichier. Une ligne qui commence par # est un exemple : ôtez le #",
        "# et corrigez-la. Puis : resilience run etude.toml -o resultats",
        "",
        f"inventory = [{inventory}]",
        "seed = 1                 # même graine, mêmes résultats",
        "",
        "[tables]                 # CSV, XLSX ou GeoPackage ; * = colonne obligatoire",
        *(_table_line(name) for name in SCHEMAS),
        '# terrain = "relief.tif"  # raster des altitudes, pour les cotes d\'eau',
        "",
        _HAZARDS,
        *_fire(nro),
        _REST,
    ]
    return "\n".join(parts)


def _table_line(name: str) -> str:
    schema = SCHEMAS[name]
    columns = ", ".join(f"{column.name}{'*' if column.required else ''}" for column in schema.columns)
    file = f"{name}.gpkg" if schema.geometry else f"{name}.csv"
    return f'# {name} = "{file}"  # {columns}'


def _named(sources: Sequence[str], folder: Path) -> list[str]:
    """Name what was read from the study's folder, with a pattern where it stands for just these."""
    paths = sorted({Path(source).absolute() for source in sources})
    parents, ends = {path.parent for path in paths}, {path.suffix for path in paths}
    if len(paths) > _LISTED and len(parents) == 1 and len(ends) == 1:
        (parent,), (end,) = parents, ends
        pattern = f"*{end}" if end else "*"
        if sorted(parent.glob(pattern)) == paths:
            return [_relative(parent / pattern, folder)]
    return [_relative(path, folder) for path in paths]


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _fire(nro: pd.DataFrame) -> list[str]:
    """Give a scenario that fits the network: its largest NRO burns."""
    if nro.empty:
        return []
    first = nro.iloc[0]
    title, burnt = f"Incendie : {first['name'] or first['code']}", f"local:{first['code']}"
    return [
        "[scenarios.incendie_nro] # resilience scenario etude.toml incendie_nro -o crise",
        f"title = {_quoted(title)}",
        f"failures = [{{objects = [{_quoted(burnt)}]}}]",
        "",
    ]


def _quoted(text: str) -> str:
    """Write text of a delivery as a TOML string: JSON's are, once they hold no control character."""
    return json.dumps("".join(one if one.isprintable() else " " for one in text), ensure_ascii=False)


_HAZARDS = """\
# [[hazards]]
# name = "crue"
# kind = "flood_depth"     # aussi flood_level, flood_extent, clay, gust, fire... (docs/hazards.md)
# unit = "m"
# coverage = "valid"       # ce qui est cartographié : "extent", "valid" ou une couche de polygones
# events = [
#   {return_period = 10, path = "crue_10.tif"},
#   {return_period = 100, path = "crue_100.tif"},
#   {return_period = 1000, path = "crue_1000.tif"},
# ]

[loss]
tail = "constant"        # au-delà des événements cartographiés : none, constant ou linear
draws = 1000             # tirages par événement
"""

_REST = """\
# [budget]
# total_eur = 3800000
# years_eur = [1000000, 1400000, 1400000]   # à la place du total
# families = {ENFOUISSEMENT = 2000000}      # au plus, par famille
# force = ["..."]                           # action_id imposés ; forbid = ceux qui sont exclus

# [parameters]             # valeurs et sources : docs/parameters.md
# "cost.bury_aerial.eur_per_m" = {low = 60, central = 95, high = 150, source = "marché 2026"}

[outputs]
title = "Étude de résilience"
# recipient = "à qui les résultats sont remis"
"""
