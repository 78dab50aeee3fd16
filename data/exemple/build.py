"""Build the example study: the deliveries of ``area.toml``, then invented hazards, tables and study.

``python data/exemple/build.py [DIR]`` writes beside this file, or into DIR; the tests build it anew and
compare. Only names, codes, centroids and premises counts of communes are facts. The network, limits, relief,
river, depths, sites, subscribers and dates are invented, and say so.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.transform import Affine
from shapely.ops import substring

from gracethd.synth import (
    SynthNetwork,
    read_area,
    reference_layers,
    synthesise,
    write_deliveries,
    write_layer,
    write_roads,
)

Floats = NDArray[np.float64]

HERE = Path(__file__).resolve().parent
SEED = 1
FAULTS = 0.002  # of the rows spoiled, by kind of fault: what real deliveries show
STAGE_M = {20: 0.30, 100: 0.80, 1000: 1.45}  # water above the bank, by return period: invented
FLOOR_M = 160.0  # half width of the valley floor, where the ground is 1 m above the bank: invented
RISE = 1.6  # exponent of the cross-section: flat near the river, steeper beyond
FALL = 0.0012  # slope of the river, 1.2 m a kilometre
UPSTREAM_M = 38.0  # level of the bank where the river enters the area
CELL_M = 10.0
RELIEF_CELL_M = 40.0
COVERED = (0.12, 0.90)  # part of the river that the invented flood study has mapped
COVERED_M = 1100.0
CONNECTED = 0.74  # prises with a subscriber, as the whole network of the two départements at the end of 2024
NODATA = -9999.0
EPCI = {  # facts: code and name of the intercommunal bodies (COG 2026, Licence Ouverte)
    **dict.fromkeys(("62403", "62423", "62902"), ("200069037", "CA du Pays de Saint-Omer")),
    **dict.fromkeys(
        ("62292", "62309", "62534", "62702", "62794", "62882"), ("246201016", "CC du Pays de Lumbres")
    ),
}
SITES = (
    ("sdis", "Centre d'incendie et de secours (fictif)"), ("hopital", "Hôpital (fictif)"),
    ("ehpad", "EHPAD des Peupliers (fictif)"), ("gendarmerie", "Gendarmerie (fictive)"),
    ("enseignement", "Collège (fictif)"), ("eau", "Château d'eau (fictif)"),
    ("pylone", "Pylône mobile (fictif)"),
)  # fmt: skip
RESOURCES = pd.DataFrame(  # invented: two depots, who can work on what, what is in stock and what comes later
    [("equipe", 3, 638000, 7067800, "ligne", None), ("equipe", 2, 645200, 7068900, "", None),
     ("equipe", 1, 645200, 7068900, "nro", None), ("cable_m", 2000, 645200, 7068900, "", None),
     ("poteau", 30, 638000, 7067800, "", None), ("poteau", 60, 638000, 7067800, "", 24),
     ("armoire", 1, 645200, 7068900, "", None), ("armoire", 2, 645200, 7068900, "", 72),
     ("nro_mobile", 1, 645200, 7068900, "", 48), ("groupe", 1, 645200, 7068900, "", None)],
    columns=["type", "nombre", "depot_x", "depot_y", "competence", "delai_h"],
).astype({"delai_h": "Int64"})  # fmt: skip
STUDY = """# Étude d'exemple : vallée de l'Aa. RÉSEAU, ALÉA ET TABLES INVENTÉS ; voir README.md.
# Les chemins sont relatifs à ce fichier ; toute clé inconnue est une erreur.
inventory = ["livraisons/*.zip"]
seed = 1
language = "fr"

[tables]
abonnes = "abonnes.csv"
communes = "communes.gpkg"
cuivre = "cuivre.csv"
equipements = "equipements.csv"
feeds = "feeds.csv"
ressources = "ressources.csv"
routes = "routes.gpkg"
sites_sensibles = "sites_sensibles.csv"
terrain = "relief.tif"

[[hazards]]
name = "crue de l'Aa (inventée)"
kind = "flood_depth"
unit = "m"
coverage = "emprise.gpkg"
events = [
  {return_period = 20, path = "hauteur_q20.tif"},
  {return_period = 100, path = "hauteur_q100.tif"},
  {return_period = 1000, path = "hauteur_q1000.tif"},
]

[loss]
tail = "constant"
draws = 1000

[scenarios.incendie_nro]
title = "Incendie du NRO de Wizernes"
start = 2026-04-28T19:00:00
failures = [{objects = ["local:LC629029000015"]}]

[scenarios.crue_millennale]
title = "Crue de 1 000 ans, l'une des plus graves"
order = "sites"
failures = [{hazard = "crue de l'Aa (inventée)", event = "Q1000", quantile = 0.95}]

[scenarios.sabotage_collecte]
title = "Câbles de collecte coupés la même nuit"
failures = [{kind = "cable", segment = "collecte", share = 0.3}]

[scenarios.tempete]
title = "Tempête : un appui de distribution sur vingt à terre"
order = "prises"
failures = [{kind = "ptech", nature = "appui", segment = "distribution", share = 0.05}]

[budget]
total_eur = 300000

[outputs]
title = "Vallée de l'Aa : étude d'exemple"
recipient = "Comité de l'étude d'exemple"
notice = "Exemple : réseau, crues, limites et sites inventés ; noms et prises des communes réels."
"""


@dataclass(frozen=True)
class Valley:
    """The invented valley: its river, from where it enters to where it leaves."""

    river: shapely.LineString

    def bank_m(self, x: Floats, y: Floats) -> Floats:
        """Level of the bank of the nearest stretch of river, metres."""
        along: Floats = shapely.line_locate_point(self.river, shapely.points(x, y))
        return UPSTREAM_M - FALL * along

    def rise_m(self, x: Floats, y: Floats) -> Floats:
        """Height of the ground above that bank: a cross-section with gentle mounds."""
        distance: Floats = shapely.distance(self.river, shapely.points(x, y))
        mounds = 0.15 * np.sin(x / 83.0) * np.sin(y / 61.0) + 0.10 * np.sin((x + y) / 37.0)
        rise: Floats = (distance / FLOOR_M) ** RISE + mounds * np.minimum(distance / 60.0, 1.0)
        return np.minimum(rise, 0.6 * distance**0.5 + 8.0)


def build(folder: Path) -> SynthNetwork:
    """Write the whole example into a folder, what it held under these names is replaced; give the network."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder != HERE:
        shutil.copyfile(HERE / "area.toml", folder / "area.toml")
    network = synthesise(read_area(HERE / "area.toml"), seed=SEED, faults=FAULTS)
    shutil.rmtree(folder / "livraisons", ignore_errors=True)
    faults = write_deliveries(network, folder / "livraisons")
    write_roads(network, folder / "routes.gpkg")
    _write_communes(network, folder)
    _write_hazard(network, folder)
    for name, table in {**_tables(network), "ressources": RESOURCES, "faults": faults}.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", encoding="utf-8")
    (folder / "etude.toml").write_text(STUDY, encoding="utf-8", newline="\n")
    return network


def _write_communes(network: SynthNetwork, folder: Path) -> None:
    communes = reference_layers(network)["communes"]
    epci = [EPCI[code] for code in communes["code_insee"]]
    communes = communes.assign(epci=[code for code, _ in epci], epci_nom=[name for _, name in epci])
    columns = ["code_insee", "nom", "epci", "epci_nom", "geometry"]
    write_layer(communes[columns].assign(limites="inventées"), folder / "communes.gpkg", layer="communes")


def _write_hazard(network: SynthNetwork, folder: Path) -> None:
    """Write relief, depths and the mapped area, which leaves out both ends of the river."""
    crs = f"EPSG:{network.area.epsg}"
    valley = Valley(shapely.LineString(network.area.river))
    mapped = substring(valley.river, *COVERED, normalized=True).buffer(COVERED_M, quad_segs=4)
    mapped = mapped.simplify(1.0)
    coverage = gpd.GeoDataFrame({"nom": ["emprise inventée"]}, geometry=[mapped], crs=crs)
    write_layer(coverage, folder / "emprise.gpkg", layer="emprise")
    around = shapely.box(*shapely.total_bounds(np.append(network.roads.geometry.to_numpy(), mapped)))
    x, y, transform = _grid(around, RELIEF_CELL_M)
    relief = valley.bank_m(x, y) + valley.rise_m(x, y)
    _write_raster(np.round(relief, 1), transform, crs, folder / "relief.tif", "relief inventé, m")
    x, y, transform = _grid(mapped, CELL_M)
    rise = valley.rise_m(x, y)
    inside = shapely.contains_xy(mapped, x, y)
    for period, stage in STAGE_M.items():
        depth = np.where(inside & (rise < stage), stage - rise, NODATA)
        note = f"hauteur d'eau inventée, m, période de retour {period} ans"
        _write_raster(np.round(depth, 2), transform, crs, folder / f"hauteur_q{period}.tif", note)


def _grid(area: shapely.Geometry, cell_m: float) -> tuple[Floats, Floats, Affine]:
    """Give the centres of the cells that hold an area, on round coordinates, and their transform."""
    west, south, east, north = area.bounds
    west, south = np.floor(west / cell_m) * cell_m, np.floor(south / cell_m) * cell_m
    columns, rows = int(np.ceil((east - west) / cell_m)), int(np.ceil((north - south) / cell_m))
    top = south + rows * cell_m
    x = west + (np.arange(columns) + 0.5) * cell_m
    y = top - (np.arange(rows) + 0.5) * cell_m
    grid_x, grid_y = np.meshgrid(x, y)
    return grid_x, grid_y, Affine(cell_m, 0.0, west, 0.0, -cell_m, top)


def _write_raster(values: Floats, transform: Affine, crs: str, path: Path, note: str) -> None:
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=1, height=height, width=width, crs=crs,
        transform=transform, nodata=NODATA, compress="deflate", predictor=3, tiled=True, blockxsize=256,
        blockysize=256,
    ) as raster:  # fmt: skip
        raster.write(values.astype(np.float32), 1)
        raster.set_band_description(1, note)


def _tables(network: SynthNetwork) -> dict[str, pd.DataFrame]:
    """Give the CSV tables, all invented, from the network as it was invented."""
    sites = reference_layers(network)["sites"]
    pm, nro, feeds = (sites[sites["kind"] == kind].reset_index(drop=True) for kind in ("PM", "NRO", "POP"))
    return {
        "abonnes": pd.DataFrame(
            {
                "pm": pm["lc_code"],
                "abonnes": np.floor(pm["prises"].to_numpy() * CONNECTED + 0.5).astype(np.int64),
            }
        ),
        "sites_sensibles": _sensitive_sites(network),
        "cuivre": pd.DataFrame(
            {
                "code_insee": [commune.insee for commune in network.area.communes],
                "lot": [f"lot fictif {1 + rank % 3}" for rank in range(len(network.area.communes))],
                "date_fermeture": [f"{2027 + rank % 3}-01-31" for rank in range(len(network.area.communes))],
            }
        ),
        "feeds": pd.DataFrame(
            {
                "noeud": feeds["nd_code"],
                "operateur": feeds["operateur"],
                "part": [1.0 / len(feeds)] * len(feeds),
            }
        ),
        "equipements": _heights(pm, nro),
    }


def _heights(pm: pd.DataFrame, nro: pd.DataFrame) -> pd.DataFrame:
    """Give surveyed heights: every NRO, and one PM in three; the others keep the default ones."""
    surveyed = pm.iloc[::3]
    return pd.DataFrame(
        {
            "kind": "local",
            "code": pd.concat([nro["lc_code"], surveyed["lc_code"]], ignore_index=True),
            "hauteur_m": [
                *np.resize([0.30, 0.55, 0.20], len(nro)),
                *np.resize([0.15, 0.35, 0.20], len(surveyed)),
            ],
            "autonomie_h": [*np.resize([4.0, 8.0, 2.0], len(nro)), *np.full(len(surveyed), np.nan)],
        }
    )


def _sensitive_sites(network: SynthNetwork) -> pd.DataFrame:
    """Place a town hall in each commune and the other sites in turn, largest first, at an address."""
    address = network.addresses
    rank = np.argsort([-commune.prises for commune in network.area.communes], kind="stable")
    wanted = [
        ("mairie", f"Mairie, {commune.nom} (position fictive)", i)
        for i, commune in enumerate(network.area.communes)
    ]
    wanted += [(kind, name, int(rank[k % len(rank)])) for k, (kind, name) in enumerate(SITES)]
    rows = []
    for k, (kind, name, commune) in enumerate(wanted):
        there = np.flatnonzero(address["commune"].to_numpy() == commune)
        point = address.geometry.iloc[int(there[(k * 37) % len(there)])]
        rows.append((f"SS{k + 1:03d}", kind, name, round(point.x, 1), round(point.y, 1)))
    return pd.DataFrame(rows, columns=["id", "type", "nom", "x", "y"])


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE)
