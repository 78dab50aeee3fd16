"""Optical routes as files: hops for programs, or all plans in one workbook, GeoPackage or folder."""

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gracethd.errors import GraceTHDError
from gracethd.inventory import Inventory
from gracethd.network import Network
from gracethd.outputs.geopackage import Layer, write_geopackage
from gracethd.outputs.publish import publish_folder
from gracethd.outputs.styles import mounting_style, status_style
from gracethd.outputs.tables import write_table
from gracethd.outputs.workbook import Sheet, write_workbook
from gracethd.routes.hops import OpticalRoutes
from gracethd.routes.mounting import mounting, mounting_totals
from gracethd.routes.plans import cable_occupancy, pbo_occupancy, pm_occupancy, position_plan
from gracethd.routes.telling import route_summary

TITLE = "Routes optiques et plans de boîtes"
TABLES, PLANS = (".parquet", ".csv"), (".xlsx", ".gpkg", "")
NAMES = {
    "routes": ("Routes", "Routes optiques"),
    "sauts": ("Sauts", "Routes optiques, saut par saut"),
    "positions": ("Positions", "Plans de boîtes et de tiroirs"),
    "cables": ("Câbles", "Occupation des câbles"),
    "pbo": ("PBO", "Occupation des PBO"),
    "pm": ("PM", "Occupation des PM"),
    "pose": ("Pose", "Mode de pose des cheminements et des câbles sans cheminement"),
    "pose_totaux": ("Pose, totaux", "Linéaire par mode de pose"),
}
NOTES = {
    "cables": "Employée : jointe à une autre fibre. En attente : seule en position. Libre : sans position.",
    "pbo": "Fibres : du réseau, en attente ou soudées à un raccordement. Manque : prises au-delà des fibres.",
    "pose": "Source : le cheminement, l'adresse (ad_racc), les appuis aux deux bouts, ou rien (inconnu).",
}
README = (
    (
        "Routes recalculées d'après t_position, jointes par appartenance dans les locaux NRO et PM ; aucune "
        "fibre ne change sans une épissure ou un cordon relevés."
    ),
    (
        "Sans fibre relevée, la route suit les câbles de sa couche, en dernier la zone de son PM : la "
        "colonne Continuité le dit. Plusieurs routes d'une prise sont de la redondance."
    ),
)


def check_output(path: Path) -> None:
    """Refuse, before any work, a name that says no format."""
    if path.suffix not in (*TABLES, *PLANS):
        raise GraceTHDError(
            f"{path}: write routes to a name that ends in .parquet or .csv (hops), .xlsx or .gpkg (hops and "
            "plans), or to a folder (a table each)"
        )


def write_routes(
    inventory: Inventory, network: Network, optical: OpticalRoutes, path: Path, *, day: date
) -> None:
    """Write hops to a .parquet or .csv; hops, plans, occupancy and mounting to a .xlsx, a .gpkg or a folder.

    Every file is whole and readable by its owner only.

    Parameters
    ----------
    inventory : Inventory
    network : Network
    optical : OpticalRoutes
    path : Path
        Its ending says the format.
    day : date
        Of the results.

    Raises
    ------
    GraceTHDError
        When the name ends in nothing of these.
    """
    check_output(path)
    if path.suffix in TABLES:
        write_table(optical.hops, path)
        return
    frames = _frames(inventory, network, optical)
    if path.suffix == ".xlsx":
        sheets = [
            Sheet(NAMES[name][0], frame, NAMES[name][1], NOTES.get(name, ""))
            for name, frame in frames.items()
        ]
        write_workbook(sheets, path, title=TITLE, recipient="", day=day, notes=README)
    elif path.suffix == ".gpkg":
        write_geopackage(_layers(network, optical, frames), path, recipient="", day=day)
    else:
        with publish_folder(path) as folder:
            for name, frame in frames.items():
                write_table(frame, folder / f"{name}.parquet")


def _frames(inventory: Inventory, network: Network, optical: OpticalRoutes) -> dict[str, pd.DataFrame]:
    metres = mounting(inventory, network)
    return {
        "routes": route_summary(optical.hops),
        "sauts": optical.hops,
        "positions": position_plan(inventory),
        "cables": cable_occupancy(inventory, network, optical.hops),
        "pbo": pbo_occupancy(inventory, network, optical.routes),
        "pm": pm_occupancy(inventory, network, optical.routes),
        "pose": metres,
        "pose_totaux": mounting_totals(metres),
    }


def _layers(network: Network, optical: OpticalRoutes, frames: dict[str, pd.DataFrame]) -> list[Layer]:
    shapes = _shapes(network, optical, frames)
    styles = {"routes": status_style(), "pose": mounting_style()}
    return [
        Layer(name, _placed(frame, shapes.get(name), network.assets.crs), NAMES[name][1], styles.get(name))
        for name, frame in frames.items()
    ]


def _placed(frame: pd.DataFrame, shape: NDArray[np.object_] | None, crs: pyproj.CRS | None) -> pd.DataFrame:
    if shape is None:
        return frame
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shape, index=frame.index, crs=crs))


def _shapes(
    network: Network, optical: OpticalRoutes, frames: dict[str, pd.DataFrame]
) -> dict[str, NDArray[np.object_]]:
    """Give the geometry of each frame that has one: routes at their prise, PBOs and PMs at their place."""
    assets, prises = network.assets, optical.routes.prises
    shape = assets["geometry"].to_numpy()
    by_code = pd.Series(shape, index=pd.Index(assets["code"]), dtype=object)
    of_kind = {kind: by_code[(assets["kind"] == kind).to_numpy()] for kind in ("cable", "noeud")}
    home = pd.Series(shapely.points(prises["x"], prises["y"]), index=pd.Index(prises["code"]), dtype=object)
    home = home[~home.index.duplicated() & prises["x"].notna().to_numpy()]
    room = optical.routes.rooms.set_index("code")["asset"].reindex(frames["pm"]["pm"]).to_numpy(np.int64)
    return {
        "routes": home.reindex(frames["routes"]["prise"]).to_numpy(),
        "cables": of_kind["cable"].reindex(frames["cables"]["cable"]).to_numpy(),
        "pose": network.lines["geometry"].to_numpy(),
        "pbo": of_kind["noeud"].reindex(frames["pbo"]["place"]).to_numpy(),
        "pm": pd.Series(shape, dtype=object).reindex(room).to_numpy(object),
    }
