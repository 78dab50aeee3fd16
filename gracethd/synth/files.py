"""Write a synthetic network as operators deliver theirs, and give what a study needs beside it."""

import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.deliveries.write import pack_folder, source_date, write_delivery
from gracethd.errors import GraceTHDError
from gracethd.synth.cells import polygons
from gracethd.synth.faults import (
    COLUMNS,
    FILE_FAULTS,
    FURTHER_FILE_FAULTS,
    draw_file_fault,
    spoil_files,
    spoil_tables,
)
from gracethd.synth.further import reuse_code, spoil_further
from gracethd.synth.network import SynthNetwork
from gracethd.synth.openings import open_in_passage
from gracethd.synth.parts import Part, parts
from gracethd.synth.tables import Tables, delivery_tables


def write_synth(network: SynthNetwork, folder: Path) -> None:
    """Write a whole synthetic area: ``livraisons/*.zip``, ``routes.gpkg``, ``feeds.csv`` and ``faults.csv``.

    Version 3 has no word for a site of collecte; ``feeds.csv`` names the injection points for a study.

    The folder must be absent or empty; it appears whole or not at all.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise GraceTHDError(f"{folder}: already there and not empty; name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        faults = write_deliveries(network, aside / "livraisons")
        faults.to_csv(aside / "faults.csv", index=False, lineterminator="\n")
        _feed_table(network).to_csv(aside / "feeds.csv", index=False, lineterminator="\n")
        write_roads(network, aside / "routes.gpkg")
        if folder.exists():
            folder.rmdir()
        aside.replace(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_deliveries(network: SynthNetwork, folder: Path) -> pd.DataFrame:
    """Write one archive per PM zone, per NRO transport and for collecte; give the faults put in them.

    Parameters
    ----------
    network : SynthNetwork
        Its `faults` is the share of rows to spoil.
    folder : Path
        Made if needed. Archives of the same names are replaced; the same network gives the same bytes.

    Returns
    -------
    DataFrame
        delivery, rule, table, attribute, code: one row per fault, text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = [pd.DataFrame(columns=list(COLUMNS), dtype=str)]
    kinds = (FURTHER_FILE_FAULTS if network.area.is_random else ()) + FILE_FAULTS
    n_forms = 0
    supports = pd.DataFrame({"pt_code": [], "pt_typephy": []})  # of the delivery before
    for rank, part in enumerate(parts(network)):
        rng = np.random.default_rng([network.seed, 51, rank])
        tables = delivery_tables(network, part)
        if network.area.is_random:
            tables, opened = open_in_passage(tables, part, network.faults, rng)
            tables, further = spoil_further(tables, part, network.faults, rng)
            before, supports = supports, tables.get("t_ptech", supports)
            tables, reused = reuse_code(tables, part, before, network.faults, rng)
            told += [opened, further, reused]
        tables, faults = spoil_tables(tables, part, network.faults, rng)
        form = draw_file_fault(kinds, n_forms, network.faults, rng)
        _write_part(tables, part, form, folder)
        told.append(faults)
        if form:
            n_forms += 1
            told.append(pd.DataFrame([(part.name, form, "", "", "")], columns=list(COLUMNS), dtype=str))
    return pd.concat(told, ignore_index=True)


def _write_part(tables: Tables, part: Part, form: str, folder: Path) -> None:
    if form == "point_virgule":
        cable = tables["t_cable"]
        label = cable["cb_code"] + ";" + cable["cb_capafo"].astype(str) + "FO"
        tables = tables | {"t_cable": cable.assign(cb_etiquet=label)}
    with tempfile.TemporaryDirectory(prefix=f".{part.name}.", dir=folder) as room:
        loose = Path(room) / part.name
        write_delivery(tables, part.version, loose)
        spoil_files(loose, form)
        pack_folder(loose, folder / f"{part.name}.zip")


def _feed_table(network: SynthNetwork) -> pd.DataFrame:
    sites = network.sites[network.sites["kind"] == "POP"]
    share = 1 / len(sites)
    node = network.places["nd_code"].to_numpy()[sites["place"]]
    return pd.DataFrame(
        {"noeud": node, "operateur": [feed.operateur for feed in network.area.feeds], "part": share}
    )


def write_roads(network: SynthNetwork, path: Path) -> None:
    """Write the invented roads as a GeoPackage (layer ``routes``: nom, nature, importance, pont)."""
    write_layer(network.roads, path, layer="routes")


def write_layer(frame: gpd.GeoDataFrame, path: Path, *, layer: str) -> None:
    """Write one layer as a GeoPackage whose bytes do not tell the day of writing."""
    aside = path.with_name(f".{path.name}.part.gpkg")
    aside.unlink(missing_ok=True)
    frame.to_file(aside, driver="GPKG", layer=layer, engine="pyogrio")
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(source_date()))
    with sqlite3.connect(aside) as base:
        base.execute("UPDATE gpkg_contents SET last_change = ?", (moment,))
    base.close()
    aside.chmod(0o600)
    aside.replace(path)


def reference_layers(network: SynthNetwork) -> dict[str, gpd.GeoDataFrame]:
    """Give the invented geography around a network, for hazards, tables and maps of a study.

    Returns
    -------
    dict of str to GeoDataFrame
        In the CRS of the area:

        - ``communes``: code_insee, nom, prises, geometry (MultiPolygon). Limits are INVENTED: the land
          nearest to the addresses of each commune, which cover ``outline`` once.
        - ``river``: one LineString, empty frame where the area has none.
        - ``bridges``: pont, geometry (LineString of the road piece).
        - ``routes``: as `SynthNetwork.roads`.
        - ``sites``: kind (PM|NRO|POP), nom, nd_code, st_code, lc_code, operateur (of a POP), prises (of a
          PM), geometry (Point).
        - ``addresses``: ad_code, code_insee, pbo (bp_code), pm (lc_code of its room), prises, connected.
        - ``outline``: one polygon.
    """
    crs = f"EPSG:{network.area.epsg}"
    river = [shapely.LineString(network.area.river)] if len(network.area.river) > 1 else []
    bridges = network.roads[network.roads["pont"] != ""]
    communes = _commune_limits(network)
    return {
        "communes": communes,
        "river": gpd.GeoDataFrame(geometry=gpd.GeoSeries(river, crs=crs)),
        "bridges": bridges[["pont", "geometry"]].reset_index(drop=True),
        "routes": network.roads,
        "sites": _site_layer(network),
        "addresses": _address_layer(network),
        "outline": gpd.GeoDataFrame(geometry=[polygons(shapely.union_all(list(communes.geometry)))], crs=crs),
    }


def _commune_limits(network: SynthNetwork) -> gpd.GeoDataFrame:
    zones = network.zones
    rows = []
    for rank, commune in enumerate(network.area.communes):
        shape = polygons(shapely.union_all(list(zones.geometry[zones["commune"] == rank])))
        rows.append((commune.insee, commune.nom, commune.prises, shape))
    return gpd.GeoDataFrame(rows, columns=["code_insee", "nom", "prises", "geometry"], crs=zones.crs)


def _site_layer(network: SynthNetwork) -> gpd.GeoDataFrame:
    sites, places = network.sites, network.places
    feeds = [feed.operateur for feed in network.area.feeds]
    return gpd.GeoDataFrame(
        {
            "kind": sites["kind"],
            "nom": sites["nom"],
            "nd_code": places["nd_code"].to_numpy()[sites["place"]],
            "st_code": sites["st_code"],
            "lc_code": sites["lc_code"],
            "operateur": [""] * (len(sites) - len(feeds)) + feeds,
            "prises": [*network.zones["prises"], *[0] * (len(sites) - len(network.zones))],
        },
        geometry=places.geometry.to_numpy()[sites["place"]],
        crs=places.crs,
    )


def _address_layer(network: SynthNetwork) -> gpd.GeoDataFrame:
    rows, premises = network.addresses, network.premises
    insee = np.array([commune.insee for commune in network.area.communes])
    connected = np.bincount(premises["address"], premises["connected"], minlength=len(rows)).astype(np.int64)
    return gpd.GeoDataFrame(
        {
            "ad_code": rows["ad_code"],
            "code_insee": insee[rows["commune"]],
            "pbo": network.boxes["bp_code"].to_numpy()[rows["box"]],
            "pm": network.sites["lc_code"].to_numpy()[rows["zone"]],
            "prises": rows["size"],
            "connected": connected,
        },
        geometry=rows.geometry,
        crs=rows.crs,
    )
