"""The tables of one delivery, in the attributes of version 2.0.1 or 3.0.1."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.model import table_columns
from gracethd.synth.network import SynthNetwork
from gracethd.synth.parts import Part
from gracethd.synth.splices import Splices, splice
from gracethd.synth.tables.equipment import box_rows, node_rows, rack_rows, support_rows
from gracethd.synth.tables.invented import MOMENT, SMO, organism_rows, reference_rows
from gracethd.synth.tables.land import (
    address_rows,
    locals_v3,
    nro_zone_rows,
    pbo_zone_tables,
    pm_zone_rows,
    sites_v3,
    suf,
)
from gracethd.synth.tables.lines import cable_rows, drop_rows, duct_tables, line_rows, way_rows

Tables = dict[str, pd.DataFrame]


def delivery_tables(network: SynthNetwork, part: Part) -> Tables:
    """Give the tables of one delivery in the attributes of its version, sound: no fault is put in here.

    Returns
    -------
    dict of str to DataFrame
        By GraceTHD name; geographic ones are GeoDataFrames. Attributes that are left empty are absent.
    """
    spliced = splice(network, part) if part.level == 3 else None
    drops = drop_rows(network, part)
    tables: dict[str, pd.DataFrame] = {
        "t_organisme": organism_rows(),
        "t_reference": reference_rows(),
        "t_noeud": node_rows(network, part),
        "t_ptech": support_rows(part),
        "t_baie": rack_rows(part),
        "t_ebp": box_rows(network, part),
        "t_cable": cable_rows(network, part, drops),
        "t_cableline": line_rows(part, drops),
    }
    if len(part.addresses):
        tables["t_adresse"] = address_rows(network, part)
    if part.layer == "TR":
        tables["t_znro"] = nro_zone_rows(network, part)
    if part.layer == "DI":
        tables["t_zsro"] = pm_zone_rows(network, part)
    if part.level >= 2:
        tables["t_cheminement"] = way_rows(network, part, drops)
    if spliced is not None:
        tables |= _splice_tables(spliced)
    tables |= (
        _version_2(network, part, drops) if part.version == "2.0.1" else _version_3(network, part, drops)
    )
    columns = table_columns(part.version)
    return {name: _fit(frame, columns[name]) for name, frame in tables.items() if len(frame)}


def _fit(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Keep what the version knows: builders name the attributes of both."""
    shape = ["geometry"] if isinstance(frame, gpd.GeoDataFrame) else []
    kept = [name for name in columns if name in frame] + shape
    return frame[kept].reset_index(drop=True)


def _splice_tables(spliced: Splices) -> Tables:
    fibres, positions, drawers = spliced.fibres, spliced.positions, spliced.drawers
    rank = fibres["n"] - 1
    return {
        "t_fibre": pd.DataFrame(
            {
                "fo_code": fibres["fo_code"],
                "fo_cb_code": fibres["cb_code"],
                "fo_nincab": fibres["n"],
                "fo_numtub": rank // 12 + 1,
                "fo_nintub": rank % 12 + 1,
                "fo_type": "G657A2",
                "fo_etat": "OK",
            }
        ),
        "t_position": pd.DataFrame(
            {
                "ps_code": positions["ps_code"],
                "ps_numero": positions["numero"],
                "ps_1": positions["ps_1"],
                "ps_2": positions["ps_2"],
                "ps_cs_code": positions["cs_code"],
                "ps_ti_code": positions["ti_code"],
                "ps_type": np.where(positions["fonct"] == "CO", "CSA", "SFU"),
                "ps_fonct": positions["fonct"],
                "ps_etat": "OK",
            }
        ),
        "t_cassette": pd.DataFrame(
            {
                "cs_code": spliced.cassettes["cs_code"],
                "cs_nb_pas": 1,
                "cs_bp_code": spliced.cassettes["bp_code"],
                "cs_num": spliced.cassettes["num"],
                "cs_type": "E",
                "cs_face": "A",
                "cs_rf_code": "RFSYNTHCS",
            }
        ),
        "t_tiroir": pd.DataFrame(
            {
                "ti_code": drawers["ti_code"],
                "ti_codeext": drawers["ti_code"],
                "ti_etiquet": drawers["ti_code"],
                "ti_ba_code": drawers["ba_code"],
                "ti_prop": SMO,
                "ti_etat": "OK",
                "ti_type": "TIROIR",
                "ti_rf_code": "RFSYNTHTI",
                "ti_taille": 3,
                "ti_placemt": 1,
                "ti_abandon": "0",
            }
        ),
    }


def _version_2(network: SynthNetwork, part: Part, drops: pd.DataFrame) -> Tables:
    sites = part.sites
    node = network.places["nd_code"].to_numpy()[sites["place"]]
    common = {"prop": SMO, "gest": SMO, "statut": "REC", "etat": "OK"}
    kind = sites["kind"].map({"PM": "SRO", "NRO": "NRO", "POP": "HEBERG"})
    physical = sites["kind"].map({"PM": "ADR", "NRO": "SHE", "POP": "BAT"})
    tables = {
        "t_sitetech": pd.DataFrame(
            {
                "st_code": sites["st_code"],
                "st_nd_code": node,
                "st_nom": sites["nom"],
                "st_typephy": physical,
                "st_typelog": kind,
                "st_creadat": MOMENT,
                **{f"st_{name}": value for name, value in common.items()},
            }
        ),
        "t_ltech": pd.DataFrame(
            {
                "lt_code": sites["lc_code"],
                "lt_etiquet": sites["nom"].str[:20],
                "lt_st_code": sites["st_code"],
                **{f"lt_{name}": value for name, value in common.items()},
            }
        ),
        "t_suf": suf(network, part),
        "t_cable_patch201": cable_rows(network, part, drops)[
            ["cb_code", "cb_bp1", "cb_ba1", "cb_bp2", "cb_ba2"]
        ],
    }
    if part.layer == "DI":
        tables |= pbo_zone_tables(network, part)
    if part.level >= 2:
        tables |= duct_tables(part, drops)
    return tables


def _version_3(network: SynthNetwork, part: Part, drops: pd.DataFrame) -> Tables:
    tables = {"t_site": sites_v3(network, part), "t_local": locals_v3(network, part)}
    if part.level >= 2:
        chain, drops = part.cable_ways, drops[drops["way"] != ""]
        tables["t_cab_chem"] = pd.DataFrame(
            {
                "cc_cb_code": [*part.cables["cb_code"].loc[chain["cable"]], *("CB" + drops["code"].str[2:])],
                "cc_cm_code": [*part.ways["cm_code"].loc[chain["way"]], *drops["way"]],
                "cc_creadat": MOMENT,
            }
        )
    return tables
