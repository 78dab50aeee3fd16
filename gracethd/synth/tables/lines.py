"""Rows of cables, their lines, the ways that they follow and the conduits of version 2."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.synth.network import SynthNetwork
from gracethd.synth.parts import Part
from gracethd.synth.tables.invented import DAY, ENERGY, MOMENT, SMO, TELECOM, geo_frame


def drop_rows(network: SynthNetwork, part: Part) -> pd.DataFrame:
    """Give one row per drop: its box, premise, way ("" none, one per address) and straight line."""
    served = part.premises[part.premises["connected"]]
    address = network.addresses.iloc[served["address"]]
    place = network.boxes["place"].to_numpy()[served["box"]]
    start = shapely.get_coordinates(network.places.geometry.to_numpy()[place]).reshape(-1, 2)
    end = shapely.get_coordinates(address.geometry.to_numpy()).reshape(-1, 2)
    return pd.DataFrame(
        {
            "code": served["code"].to_numpy(),
            "bp_code": network.boxes["bp_code"].to_numpy()[served["box"]],
            "nd1": network.places["nd_code"].to_numpy()[place],
            "nd2": address["nd_code"].to_numpy(),
            "place": place,
            "way": np.where(served["has_way"], "CM" + address["ad_code"].str[2:].to_numpy(), ""),
            "geometry": shapely.linestrings(np.stack([start, end], axis=1)),
        }
    )


def cable_rows(network: SynthNetwork, part: Part, drops: pd.DataFrame) -> pd.DataFrame:
    """Give t_cable: network cables, then drops; both ways to name equipment ends are there."""
    cables, serial = part.cables, drops["code"].str[2:]
    place, box, rack = (
        network.places["nd_code"].to_numpy(),
        np.array([*network.boxes["bp_code"], ""]),  # number -1, no box, takes the last one
        np.array([*network.sites["ba_code"], ""]),
    )
    capacity = np.concatenate([cables["capacity"], np.ones(len(drops), np.int64)])
    used = np.concatenate([cables["used"], np.ones(len(drops), np.int64)])
    code = [*cables["cb_code"], *("CB" + serial)]
    label = [*_labels(cables), *[f"RA-{value}" for value in serial]]
    length = np.concatenate(
        [cables.geometry.length, shapely.length(drops["geometry"].to_numpy(dtype=object))]
    )
    return pd.DataFrame(
        {
            "cb_code": code,
            "cb_codeext": label,
            "cb_etiquet": label,
            "cb_cabphy": code,
            "cb_nd1": [*place[cables["place1"]], *drops["nd1"]],
            "cb_nd2": [*place[cables["place2"]], *drops["nd2"]],
            "cb_bp1": [*box[cables["box1"]], *drops["bp_code"]],
            "cb_bp2": [*box[cables["box2"]], *("BP" + serial)],
            "cb_ba1": [*rack[cables["site1"]], *[""] * len(drops)],
            "cb_ba2": [*rack[cables["site2"]], *[""] * len(drops)],
            "cb_r1_code": "SYNT",
            "cb_prop": SMO,
            "cb_gest": SMO,
            "cb_user": SMO,
            "cb_proptyp": "CST",
            "cb_statut": "REC",
            "cb_etat": "OK",
            "cb_avct": "E",
            "cb_dateins": DAY,
            "cb_tech": "OPT",
            "cb_typephy": "C",
            "cb_typelog": [*cables["layer"], *["RA"] * len(drops)],
            "cb_rf_code": "RFSYNTHCA",
            "cb_capafo": capacity,
            "cb_fo_disp": capacity - used,
            "cb_fo_util": used,
            "cb_modulo": 12,
            "cb_fo_type": "G657A2",
            "cb_lgreel": np.round(length * 1.03, 2),
            "cb_abandon": "0",
            "cb_creadat": MOMENT,
        }
    )


def _labels(cables: pd.DataFrame) -> list[str]:
    return [
        f"{code[2:]}-{capacity}FO-{layer}"
        for code, capacity, layer in zip(cables["cb_code"], cables["capacity"], cables["layer"], strict=True)
    ]


def line_rows(part: Part, drops: pd.DataFrame) -> gpd.GeoDataFrame:
    """Give t_cableline: one line per cable, drawn from end 1 to end 2."""
    serial = [*part.cables["cb_code"].str[2:], *drops["code"].str[2:]]
    geometry = [*part.cables.geometry, *drops["geometry"]]
    return gpd.GeoDataFrame(
        {
            "cl_code": [f"CL{value}" for value in serial],
            "cl_cb_code": [f"CB{value}" for value in serial],
            "cl_long": np.round(shapely.length(geometry), 2),
            "cl_creadat": MOMENT,
        },
        geometry=geometry,
        crs=part.cables.crs,
    )


def way_rows(network: SynthNetwork, part: Part, drops: pd.DataFrame) -> gpd.GeoDataFrame:
    """Give t_cheminement: ways of the cables, then those of drops, one per address."""
    ways, drops = part.ways, drops[drops["way"] != ""].drop_duplicates("way")
    place, kind = network.places["nd_code"].to_numpy(), network.places["kind"].to_numpy()
    mounting = np.where(kind[drops["place"]] == "appui", "0", "7")
    typ_imp = np.concatenate([ways["typ_imp"], mounting])
    geometry = [*ways.geometry, *drops["geometry"]]
    owner = np.where(typ_imp == "1", ENERGY, np.where(typ_imp == "0", TELECOM, SMO))
    return geo_frame(
        {
            "cm_code": [*ways["cm_code"], *drops["way"]],
            "cm_ndcode1": [*place[ways["place1"]], *drops["nd1"]],
            "cm_ndcode2": [*place[ways["place2"]], *drops["nd2"]],
            "cm_voie": [*ways["voie"], *[""] * len(drops)],
            "cm_prop": owner,
            "cm_gest": owner,
            "cm_statut": "REC",
            "cm_etat": "OK",
            "cm_avct": "E",
            "cm_typelog": [*ways["typelog"], *["RA"] * len(drops)],
            "cm_typ_imp": typ_imp,
            "cm_nature": np.where(typ_imp == "1", "ELE", "TEL"),
            "cm_mod_pos": np.where(typ_imp == "7", "TRA", ""),
            "cm_passage": [*ways["passage"], *[""] * len(drops)],
            "cm_long": np.round(shapely.length(geometry), 2),
            "cm_creadat": MOMENT,
        },
        geometry,
        network,
    )


def duct_tables(part: Part, drops: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give one conduit per way of the layer (a virtual one, AER, where the way is not buried)."""
    drops = drops[drops["way"] != ""]
    drop_ways = drops["way"].drop_duplicates()
    way = [*part.ways["cm_code"], *drop_ways]
    buried = np.concatenate([part.ways["typ_imp"] == "7", np.zeros(len(drop_ways), bool)])
    duct = pd.Series([f"CD{part.layer}{code[2:]}" for code in way], index=way)
    chain = part.cable_ways
    cable = [*part.cables["cb_code"].loc[chain["cable"]], *("CB" + drops["code"].str[2:])]
    followed = [*part.ways["cm_code"].loc[chain["way"]], *drops["way"]]
    carried = pd.Series(followed).value_counts().reindex(way, fill_value=0)
    return {
        "t_conduite": pd.DataFrame(
            {
                "cd_code": duct.to_numpy(),
                "cd_etiquet": duct.to_numpy(),
                "cd_prop": np.where(buried, SMO, TELECOM),
                "cd_gest": SMO,
                "cd_statut": "REC",
                "cd_etat": "OK",
                "cd_type": np.where(buried, "PEHD", "AER"),
                "cd_nbcable": carried.to_numpy(),
                "cd_creadat": MOMENT,
            }
        ),
        "t_cond_chem": pd.DataFrame({"dm_cd_code": duct.to_numpy(), "dm_cm_code": way, "dm_creadat": MOMENT}),
        "t_cab_cond": pd.DataFrame(
            {
                "cc_cb_code": cable,
                "cc_cd_code": duct.loc[followed].to_numpy(),
                "cc_creadat": MOMENT,
            }
        ),
    }
