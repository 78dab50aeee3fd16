"""Invented owners, references and dates that every table of a synthetic delivery uses."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.synth.network import SynthNetwork

SMO, TELECOM, ENERGY = "ORSYNTH00001", "ORSYNTH00002", "ORSYNTH00003"
DAY, MOMENT = "2021-09-15", "2021-09-15 12:00:00"

_ORGANISMS = {
    SMO: "SYNDICAT MIXTE NUMÉRIQUE (FICTIF)",
    TELECOM: "GESTIONNAIRE DE POTEAUX ET FOURREAUX (FICTIF)",
    ENERGY: "GESTIONNAIRE D'APPUIS ÉLECTRIQUES (FICTIF)",
}
_REFERENCES = {
    "RFSYNTHBA": ("BA", "Baie 42U (fictive)"),
    "RFSYNTHTI": ("TI", "Tiroir optique 144 (fictif)"),
    "RFSYNTHBP": ("BP", "Boîte étanche (fictive)"),
    "RFSYNTHCS": ("CS", "Cassette 12 (fictive)"),
    "RFSYNTHCA": ("CA", "Câble optique modulo 12 (fictif)"),
}


def geo_frame(columns: Mapping[str, object], geometry: object, network: SynthNetwork) -> gpd.GeoDataFrame:
    """Make a GeoDataFrame in the CRS of the area."""
    return gpd.GeoDataFrame(
        columns, geometry=np.asarray(geometry, dtype=object), crs=f"EPSG:{network.area.epsg}"
    )


def organism_rows() -> pd.DataFrame:
    """Give t_organisme: owners that say that they are fictitious."""
    siren = [f"99999{k:04d}" for k in range(len(_ORGANISMS))]
    return pd.DataFrame(
        {
            "or_code": list(_ORGANISMS),
            "or_nom": list(_ORGANISMS.values()),
            "or_siren": siren,
            "or_type": "FICTIF",
        }
    )


def reference_rows() -> pd.DataFrame:
    """Give t_reference: one fictitious model of each kind of equipment."""
    kind, design = zip(*_REFERENCES.values(), strict=True)
    return pd.DataFrame(
        {"rf_code": list(_REFERENCES), "rf_type": kind, "rf_design": design, "rf_fabric": SMO}
    )
