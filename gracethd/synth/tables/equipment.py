"""Rows of nodes, supports, racks and boxes, under the attributes of both versions."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.synth.network import SynthNetwork
from gracethd.synth.parts import Part
from gracethd.synth.tables.invented import MOMENT, SMO, TELECOM, geo_frame

_BOX_SIZES = (6, 12, 24, 36, 48, 72, 96, 144, 288, 432, 576, 720)


def node_rows(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    """Give t_noeud: places of chambers, poles and sites, then one node per address."""
    at_site = part.places["pt_code"] == ""
    kind = [*np.where(at_site, "ST", "PT"), *["SF"] * len(part.addresses)]
    return geo_frame(
        {
            "nd_code": [*part.places["nd_code"], *part.addresses["nd_code"]],
            "nd_type": kind,
            "nd_creadat": MOMENT,
        },
        [*part.places.geometry, *part.addresses.geometry],
        network,
    )


def support_rows(part: Part) -> pd.DataFrame:
    """Give t_ptech: the chamber, pole or façade of each place that is not a site."""
    held = part.places[part.places["pt_code"] != ""]
    physical = held["kind"].map({"chambre": "C", "appui": "A", "facade": "F"})
    opened = set(part.boxes["place"])
    return pd.DataFrame(
        {
            "pt_code": held["pt_code"],
            "pt_codeext": held["pt_code"],
            "pt_etiquet": held["pt_code"],
            "pt_nd_code": held["nd_code"],
            "pt_insee": held["insee"],
            "pt_prop": np.where(physical == "C", SMO, TELECOM),
            "pt_gest": SMO,
            "pt_proptyp": np.where(physical == "C", "CST", "LOC"),
            "pt_statut": "REC",
            "pt_etat": "OK",
            "pt_avct": "E",
            "pt_typephy": physical,
            "pt_typelog": np.where(held.index.isin(opened), "R", "T"),
            "pt_nature": physical.map({"C": "L2T", "A": "PBOI", "F": "IND"}),
            "pt_abandon": "0",
            "pt_creadat": MOMENT,
        }
    )


def rack_rows(part: Part) -> pd.DataFrame:
    """Give t_baie: one rack per site."""
    sites = part.sites
    return pd.DataFrame(
        {
            "ba_code": sites["ba_code"],
            "ba_codeext": sites["ba_code"],
            "ba_etiquet": sites["nom"],
            "ba_lt_code": sites["lc_code"],
            "ba_lc_code": sites["lc_code"],
            "ba_prop": SMO,
            "ba_gest": SMO,
            "ba_proptyp": "CST",
            "ba_statut": "REC",
            "ba_etat": "OK",
            "ba_rf_code": "RFSYNTHBA",
            "ba_type": "BAIE",
            "ba_nb_u": 42,
            "ba_abandon": "0",
        }
    )


def box_rows(network: SynthNetwork, part: Part) -> pd.DataFrame:
    """Give closures and PBO, and one outlet (PTO) per connected premise."""
    held = network.places["pt_code"].to_numpy()[part.boxes["place"].to_numpy()]
    carried = part.cables.groupby("box2")["used"].sum().reindex(part.boxes.index, fill_value=6).clip(6, 720)
    size = [next(size for size in _BOX_SIZES if size >= used) for used in carried]
    served = part.premises[part.premises["connected"]]
    own = len(part.boxes)
    outlet = [""] * own + [f"OO-{code[2:]}" for code in served["code"]]
    code = [*part.boxes["bp_code"], *("BP" + served["code"].str[2:])]
    return pd.DataFrame(
        {
            "bp_code": code,
            "bp_codeext": [*part.boxes["bp_code"], *outlet[own:]],
            "bp_etiquet": [*part.boxes["bp_code"], *outlet[own:]],
            "bp_pt_code": [*held, *[""] * len(served)],
            "bp_sf_code": [""] * own + list(served["code"]),
            "bp_lc_code": [""] * own + list(served["code"]),
            "bp_prop": SMO,
            "bp_gest": SMO,
            "bp_proptyp": "CST",
            "bp_statut": "REC",
            "bp_etat": "OK",
            "bp_avct": "E",
            "bp_typephy": [f"B{k:03d}" for k in size] + ["DTI1"] * len(served),
            "bp_typelog": [*part.boxes["typelog"], *["PTO"] * len(served)],
            "bp_rf_code": "RFSYNTHBP",
            "bp_abandon": "0",
            "bp_creadat": MOMENT,
        }
    )
