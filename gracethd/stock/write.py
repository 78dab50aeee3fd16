"""The état des lieux as files: one CSV a table, one workbook, one page with a map."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.inventory import Inventory
from gracethd.network.types import Network
from gracethd.outputs.labels import written
from gracethd.outputs.pages import page_table, write_page
from gracethd.outputs.publish import publish_folder
from gracethd.outputs.svg import MapLayer, draw_map
from gracethd.outputs.tables import write_table
from gracethd.outputs.workbook import Sheet, write_workbook
from gracethd.report import FEED_WORDS
from gracethd.routes import Routes
from gracethd.routes.mounting import UNKNOWN, mounting
from gracethd.stock.lengths import BIG_FO, big_aerial_km, pose_of
from gracethd.stock.tables import take_stock

TITLE = "État des lieux du réseau"
CHAPTERS = {
    "lineaire_pose": ("Linéaire par pose", "Linéaire de génie civil par segment et mode de pose"),
    "lineaire_proprietaire": ("Linéaire par propriétaire", "Linéaire de cheminements par propriétaire"),
    "cables": ("Câbles", "Linéaire de câbles par segment, classe de fibres et mode de pose"),
    "nro": ("NRO", "Prises par NRO"),
    "pm": ("PM", "Prises par PM"),
    "pbo": ("PBO", "Prises par PBO"),
    "zones": ("Zones", "Niveau d'usage et qualité par zone SRO"),
    "communes": ("Communes", "Prises et qualité par commune"),
    "lineaire_communes": ("Linéaire par commune", "Linéaire par commune, segment et mode de pose"),
}
"""By table: tab and title."""
NOTES = {
    "lineaire_pose": "Une ligne physique compte une fois, dans le segment le plus en amont de ses câbles ; "
    "« inconnu » : ni cheminement, ni type de raccordement, ni appuis ne disent la pose.",
    "lineaire_proprietaire": "Propriétaire du cheminement, sinon de ses fourreaux, sinon des chambres et "
    "appuis de ses bouts quand ils s'accordent.",
    "cables": "Chaque câble compte là où il est posé : un cheminement à deux câbles compte deux fois.",
    "nro": "Prises dont la route passe par le NRO, sinon de ses zones.",
    "pbo": "Les PBO sans prise sont listés aussi.",
    "zones": "Niveau 0 : zones et prises, 1 : câbles, 2 : cheminements et nœuds, 3 : épissures. Une ligne "
    "compte dans la zone où est son milieu. Constats de la lecture, du réseau et des routes par gravité ; "
    "ceux que rien ne place sont « hors zone ».",
    "communes": "Commune de l'adresse des prises (ad_insee) ; niveau le plus bas de leurs zones.",
    "lineaire_communes": "Lignes coupées aux limites données (--communes) ; le long d'une limite, la "
    "première commune par code.",
}
NO_LIMITS = (
    "Les communes sont celles des adresses : sans limites (--communes), ni linéaire ni constats par commune."
)
TOTALS = ("length_km", "length_unknown_km", "n_lines", "n_pms", "n_pbo", "prises", "traced_splice",
          "traced_cable", "traced_zone", "untraced", "n_ambiguous", "findings_bloquant", "findings_majeur",
          "findings_mineur", "findings_info")  # fmt: skip
POSE_COLOURS = {
    "aérien": ("#c0392b", ""), "façade": ("#b77700", ""), "immeuble": ("#7b5ea7", ""),
    "souterrain": ("#1f3a52", ""), "autre": ("#3d8b5f", ""), UNKNOWN: ("#7d8894", "4 3"),
}  # fmt: skip
ROOM_COLOURS = {"NRO": ("#000000", 13), "PM": ("#0a62c4", 9)}


def write_stock(
    inventory: Inventory, network: Network, routes: Routes, folder: Path, *, day: date, recipient: str = "",
    communes: gpd.GeoDataFrame | None = None,
) -> Mapping[str, pd.DataFrame]:  # fmt: skip
    """Write the état des lieux into a folder, whole, and give its tables (see `take_stock`).

    Files: ``etat_des_lieux.html``, ``etat_des_lieux.xlsx`` and one CSV for each table.
    """
    stock = take_stock(inventory, network, routes, communes)
    chapters = {name: words for name, words in CHAPTERS.items() if name in stock}
    with publish_folder(folder) as aside:
        for name, table in stock.items():
            write_table(table, aside / f"{name}.csv")
        sheets = [
            Sheet(
                tab,
                stock[name],
                title,
                NOTES.get(name, ""),
                tuple(one for one in TOTALS if one in stock[name]),
            )
            for name, (tab, title) in chapters.items()
        ]
        notes = limits(inventory, routes)
        if communes is None:
            notes.append(NO_LIMITS)
        write_workbook(
            sheets, aside / "etat_des_lieux.xlsx", title=TITLE, recipient=recipient, day=day, notes=notes
        )
        context = {
            "title": TITLE,
            "figures": figures(stock, routes),
            "map": draw_map(map_layers(inventory, network, routes), title="Carte du réseau par mode de pose"),
            "chapters": [
                (tab, NOTES.get(name, ""), page_table(stock[name], title=title, most=200))
                for name, (tab, title) in chapters.items()
            ],
            "limits": notes,
        }
        write_page("etat.html.j2", context, aside / "etat_des_lieux.html", recipient=recipient, day=day)
    return stock


def figures(stock: Mapping[str, pd.DataFrame], routes: Routes) -> list[tuple[str, str]]:
    """Give the key figures as (name, text)."""
    prises = routes.prises
    total = int(prises["n"].sum())
    traced = int(prises.loc[prises["traced"] != "", "n"].sum())
    lines = stock["lineaire_pose"].groupby("pose")["length_km"].sum()
    known = float(lines.drop(UNKNOWN, errors="ignore").sum())
    aerial = float(lines.get("aérien", 0.0))
    natures = routes.rooms["nature"].value_counts()
    return [
        ("Prises inventoriées", written(total, "int")),
        ("dont tracées jusqu'à une injection", written(traced / total if total else None, "share")),
        ("NRO · PM", f"{natures.get('NRO', 0)} · {natures.get('PM', 0)}"),
        ("Linéaire de génie civil", f"{written(float(lines.sum()), 'dec')} km"),
        ("dont aérien (pose connue)", written(aerial / known if known else None, "share")),
        (f"Câble aérien de {BIG_FO} FO et plus", f"{written(big_aerial_km(stock['cables']), 'dec')} km"),
        ("Linéaire de pose inconnue", f"{written(float(lines.get(UNKNOWN, 0.0)), 'dec')} km"),
    ]


def map_layers(inventory: Inventory, network: Network, routes: Routes) -> Sequence[MapLayer]:
    """Give what the map shows: lines by mounting, then PBOs, PMs and NROs."""
    lines, assets = network.lines, network.assets
    pose = pose_of(mounting(inventory, network)["mounting"]).to_numpy(object)
    layers = [
        MapLayer(f"Pose : {name}", lines["geometry"].to_numpy()[pose == name], colour, 1.6, dash)
        for name, (colour, dash) in POSE_COLOURS.items()
    ]
    pbo = assets[(assets["kind"] == "ebp") & (assets["nature"] == "PBO")]
    layers.append(MapLayer("PBO", pbo["geometry"].to_numpy(object), "#3d8b5f", 2.5))
    for nature in ("PM", "NRO"):
        rooms = routes.rooms.loc[(routes.rooms["nature"] == nature) & (routes.rooms["asset"] >= 0), "asset"]
        shapes = assets["geometry"].to_numpy(object)[rooms.to_numpy(np.int64)]
        layers.append(MapLayer(nature, shapes, *ROOM_COLOURS[nature]))
    return layers


def limits(inventory: Inventory, routes: Routes) -> list[str]:
    """Say what the tables rest on: deliveries, feeds, what is left out."""
    feeds = routes.feeds["source"].value_counts()
    fed = ", ".join(f"{FEED_WORDS[str(source)]} {n}" for source, n in feeds.items()) or "aucune"
    why = routes.prises[routes.prises["traced"] == ""].groupby("reason")["n"].sum()
    untraced = ", ".join(f"{reason} {n}" for reason, n in why.items()) or "aucune"
    replaced = int((inventory.deliveries.get("replaced_by", pd.Series(dtype=str)).fillna("") != "").sum())
    return [
        f"{len(inventory.deliveries)} livraison(s), dont {replaced} remplacée(s) ; {inventory.crs.name}.",
        f"Injection : {fed}.",
        f"Prises non tracées, par cause : {untraced}.",
        "Les objets abandonnés ne sont pas comptés.",
    ]
