"""GraceTHD tables of one delivery: the same rows under the attributes of version 2.0.1 or 3.0.1."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.model import table_columns
from gracethd.synth.cells import dissolve_cells, polygons
from gracethd.synth.network import SynthNetwork
from gracethd.synth.parts import Part, znro_code
from gracethd.synth.splices import Splices, splice

SMO, TELECOM, ENERGY = "ORSYNTH00001", "ORSYNTH00002", "ORSYNTH00003"

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
_DAY, _MOMENT = "2021-09-15", "2021-09-15 12:00:00"
_BOX_SIZES = (6, 12, 24, 36, 48, 72, 96, 144, 288, 432, 576, 720)

Tables = dict[str, pd.DataFrame]


def delivery_tables(network: SynthNetwork, part: Part) -> Tables:
    """Give the tables of one delivery in the attributes of its version, sound: no fault is put in here.

    Returns
    -------
    dict of str to DataFrame
        By GraceTHD name; geographic ones are GeoDataFrames. Attributes that are left empty are absent.
    """
    spliced = splice(network, part) if part.level == 3 else None
    drops = _drops(network, part)
    tables: dict[str, pd.DataFrame] = {
        "t_organisme": _organisms(),
        "t_reference": _references(),
        "t_noeud": _nodes(network, part),
        "t_ptech": _supports(part),
        "t_baie": _racks(part),
        "t_ebp": _boxes(network, part),
        "t_cable": _cables(network, part, drops),
        "t_cableline": _cable_lines(part, drops),
    }
    if len(part.addresses):
        tables["t_adresse"] = _addresses(network, part)
    if part.layer == "TR":
        tables["t_znro"] = _nro_zones(network, part)
    if part.layer == "DI":
        tables["t_zsro"] = _pm_zones(network, part)
    if part.level >= 2:
        tables["t_cheminement"] = _ways(network, part, drops)
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


def _geo(columns: Mapping[str, object], geometry: object, network: SynthNetwork) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        columns, geometry=np.asarray(geometry, dtype=object), crs=f"EPSG:{network.area.epsg}"
    )


def _organisms() -> pd.DataFrame:
    siren = [f"99999{k:04d}" for k in range(len(_ORGANISMS))]
    return pd.DataFrame(
        {
            "or_code": list(_ORGANISMS),
            "or_nom": list(_ORGANISMS.values()),
            "or_siren": siren,
            "or_type": "FICTIF",
        }
    )


def _references() -> pd.DataFrame:
    kind, design = zip(*_REFERENCES.values(), strict=True)
    return pd.DataFrame(
        {"rf_code": list(_REFERENCES), "rf_type": kind, "rf_design": design, "rf_fabric": SMO}
    )


def _nodes(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    at_site = part.places["pt_code"] == ""
    kind = [*np.where(at_site, "ST", "PT"), *["SF"] * len(part.addresses)]
    return _geo(
        {
            "nd_code": [*part.places["nd_code"], *part.addresses["nd_code"]],
            "nd_type": kind,
            "nd_creadat": _MOMENT,
        },
        [*part.places.geometry, *part.addresses.geometry],
        network,
    )


def _supports(part: Part) -> pd.DataFrame:
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
            "pt_creadat": _MOMENT,
        }
    )


def _racks(part: Part) -> pd.DataFrame:
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


def _boxes(network: SynthNetwork, part: Part) -> pd.DataFrame:
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
            "bp_creadat": _MOMENT,
        }
    )


def _drops(network: SynthNetwork, part: Part) -> pd.DataFrame:
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


def _cables(network: SynthNetwork, part: Part, drops: pd.DataFrame) -> pd.DataFrame:
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
            "cb_dateins": _DAY,
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
            "cb_creadat": _MOMENT,
        }
    )


def _labels(cables: pd.DataFrame) -> list[str]:
    return [
        f"{code[2:]}-{capacity}FO-{layer}"
        for code, capacity, layer in zip(cables["cb_code"], cables["capacity"], cables["layer"], strict=True)
    ]


def _cable_lines(part: Part, drops: pd.DataFrame) -> gpd.GeoDataFrame:
    serial = [*part.cables["cb_code"].str[2:], *drops["code"].str[2:]]
    geometry = [*part.cables.geometry, *drops["geometry"]]
    return gpd.GeoDataFrame(
        {
            "cl_code": [f"CL{value}" for value in serial],
            "cl_cb_code": [f"CB{value}" for value in serial],
            "cl_long": np.round(shapely.length(geometry), 2),
            "cl_creadat": _MOMENT,
        },
        geometry=geometry,
        crs=part.cables.crs,
    )


def _ways(network: SynthNetwork, part: Part, drops: pd.DataFrame) -> gpd.GeoDataFrame:
    ways, drops = part.ways, drops[drops["way"] != ""].drop_duplicates("way")
    place, kind = network.places["nd_code"].to_numpy(), network.places["kind"].to_numpy()
    mounting = np.where(kind[drops["place"]] == "appui", "0", "7")
    typ_imp = np.concatenate([ways["typ_imp"], mounting])
    geometry = [*ways.geometry, *drops["geometry"]]
    owner = np.where(typ_imp == "1", ENERGY, np.where(typ_imp == "0", TELECOM, SMO))
    return _geo(
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
            "cm_creadat": _MOMENT,
        },
        geometry,
        network,
    )


def _addresses(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    rows = part.addresses
    communes = [network.area.communes[rank] for rank in rows["commune"]]
    residential = rows["size"] - rows["n_pro"]
    return _geo(
        {
            "ad_code": rows["ad_code"],
            "ad_nomvoie": rows["voie"],
            "ad_numero": rows["numero"],
            "ad_insee": [commune.insee for commune in communes],
            "ad_postal": [commune.postal for commune in communes],
            "ad_commune": [commune.nom for commune in communes],
            "ad_nblhab": residential,
            "ad_nblres": residential,
            "ad_nblpro": rows["n_pro"],
            "ad_nbprhab": residential,
            "ad_nbprpro": rows["n_pro"],
            "ad_nbfotth": rows["size"],
            "ad_batcode": "1",
            "ad_racc": "0",
            "ad_ietat": "CI",
            "ad_imneuf": "0",
            "ad_isole": "0",
            "ad_prio": "0",
            "ad_iaccgst": "0",
            "ad_raclong": "0",
            "ad_datmodi": _DAY,
            "ad_geolmod": "INDT",
            "ad_creadat": _MOMENT,
        },
        rows.geometry,
        network,
    )


def _pm_zones(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    zone, site = part.limits.iloc[0], part.sites.iloc[0]
    return _geo(
        {
            "zs_code": [zone["zs_code"]],
            "zs_nom": [zone["zs_refpm"]],
            "zs_nd_code": [network.places["nd_code"].iloc[site["place"]]],
            "zs_lc_code": [site["lc_code"]],
            "zs_zn_code": [znro_code(network, int(zone["nro"]))],
            "zs_r1_code": ["SYNT"],
            "zs_r2_code": ["SYNT"],
            "zs_r3_code": ["SYNT"],
            "zs_refpm": [zone["zs_refpm"]],
            "zs_etatpm": ["DP"],
            "zs_typeemp": ["ADR"],
            "zs_capamax": [-(-int(zone["prises"]) // 100) * 100],
            "zs_nblogmt": [zone["prises"]],
            "zs_lgmaxln": [5],
            "zs_znllong": [0],
            "zs_actif": ["1"],
            "zs_creadat": [_MOMENT],
        },
        part.limits.geometry,
        network,
    )


def _nro_zones(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    site = part.sites[part.sites["kind"] == "NRO"].iloc[0]
    whole = polygons(shapely.union_all(list(part.limits.geometry)))
    return _geo(
        {
            "zn_code": [znro_code(network, part.net)],
            "zn_nom": [str(site["nom"])[:30]],
            "zn_nd_code": [network.places["nd_code"].iloc[site["place"]]],
            "zn_lc_code": [site["lc_code"]],
            "zn_r1_code": ["SYNT"],
            "zn_r2_code": ["SYNT"],
            "zn_nroref": [f"NRO{part.net + 1:03d}"],
            "zn_nrotype": ["PON-PTP"],
            "zn_etat": ["DP"],
            "zn_creadat": [_MOMENT],
        },
        [whole],
        network,
    )


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
                "st_creadat": _MOMENT,
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
        "t_suf": _suf(network, part),
        "t_cable_patch201": _cables(network, part, drops)[
            ["cb_code", "cb_bp1", "cb_ba1", "cb_bp2", "cb_ba2"]
        ],
    }
    if part.layer == "DI":
        tables |= _pbo_zones(network, part)
    if part.level >= 2:
        tables |= _ducts(part, drops)
    return tables


def _suf(network: SynthNetwork, part: Part) -> pd.DataFrame:
    rows = part.premises
    address = network.addresses.iloc[rows["address"]]
    box = network.boxes["bp_code"].to_numpy()[rows["box"]]
    return pd.DataFrame(
        {
            "sf_code": rows["code"],
            "sf_nd_code": address["nd_code"].to_numpy(),
            "sf_ad_code": address["ad_code"].to_numpy(),
            "sf_zp_code": [f"ZP{code[2:]}" for code in box],
            "sf_type": np.where(rows["is_pro"], "P", "R"),
            "sf_racco": np.where(rows["connected"], "EL", ""),
            "sf_creadat": _MOMENT,
        }
    )


def _pbo_zones(network: SynthNetwork, part: Part) -> Tables:
    """Give the land nearest to the addresses of each PBO, inside the PM zone."""
    zone = part.limits.iloc[0]
    served, label = np.unique(part.addresses["box"], return_inverse=True)
    points = shapely.get_coordinates(part.addresses.geometry.to_numpy())
    limits = dissolve_cells(points, label.astype(np.int64), zone.geometry)
    boxes = network.boxes.iloc[served]
    code = [f"ZP{value[2:]}" for value in boxes["bp_code"]]
    return {
        "t_zpbo": _geo(
            {
                "zp_code": code,
                "zp_nd_code": network.places["nd_code"].to_numpy()[boxes["place"]],
                "zp_zs_code": zone["zs_code"],
                "zp_capamax": 12,
                "zp_creadat": _MOMENT,
            },
            limits,
            network,
        ),
        "t_zpbo_patch201": pd.DataFrame({"zp_code": code, "zp_bp_code": boxes["bp_code"].to_numpy()}),
    }


def _ducts(part: Part, drops: pd.DataFrame) -> Tables:
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
                "cd_creadat": _MOMENT,
            }
        ),
        "t_cond_chem": pd.DataFrame(
            {"dm_cd_code": duct.to_numpy(), "dm_cm_code": way, "dm_creadat": _MOMENT}
        ),
        "t_cab_cond": pd.DataFrame(
            {
                "cc_cb_code": cable,
                "cc_cd_code": duct.loc[followed].to_numpy(),
                "cc_creadat": _MOMENT,
            }
        ),
    }


def _version_3(network: SynthNetwork, part: Part, drops: pd.DataFrame) -> Tables:
    tables = {"t_site": _all_sites(network, part), "t_local": _locals(network, part)}
    if part.level >= 2:
        chain, drops = part.cable_ways, drops[drops["way"] != ""]
        tables["t_cab_chem"] = pd.DataFrame(
            {
                "cc_cb_code": [*part.cables["cb_code"].loc[chain["cable"]], *("CB" + drops["code"].str[2:])],
                "cc_cm_code": [*part.ways["cm_code"].loc[chain["way"]], *drops["way"]],
                "cc_creadat": _MOMENT,
            }
        )
    return tables


def _all_sites(network: SynthNetwork, part: Part) -> pd.DataFrame:
    sites, buildings = part.sites, part.addresses
    node = network.places["nd_code"].to_numpy()[sites["place"]]
    physical = sites["kind"].map({"PM": "ADR", "NRO": "SHE", "POP": "BAT"})
    return pd.DataFrame(
        {
            "st_code": [*sites["st_code"], *buildings["st_code"]],
            "st_nd_code": [*node, *buildings["nd_code"]],
            "st_nom": [*sites["nom"], *[""] * len(buildings)],
            "st_codeext": [*sites["st_code"], *buildings["st_code"]],
            "st_ad_code": [""] * len(sites) + list(buildings["ad_code"]),
            "st_typephy": [*physical, *["BAT"] * len(buildings)],
            "st_typelog": ["RESEAU"] * len(sites) + ["CLIENT"] * len(buildings),
            "st_prop": [SMO] * len(sites) + [""] * len(buildings),
            "st_statut": "REC",
            "st_avct": "E",
            "st_nra": "0",
            "st_abandon": "0",
            "st_creadat": _MOMENT,
        }
    )


def _locals(network: SynthNetwork, part: Part) -> pd.DataFrame:
    sites, rows = part.sites, part.premises
    kind = sites["kind"].map({"PM": "SRO", "NRO": "NRO", "POP": "TEC"})
    building = network.addresses["st_code"].to_numpy()[rows["address"]]
    box = network.boxes["bp_code"].to_numpy()[rows["box"]]
    return pd.DataFrame(
        {
            "lc_code": [*sites["lc_code"], *rows["code"]],
            "lc_codeext": [*sites["lc_code"], *rows["code"]],
            "lc_etiquet": [*sites["nom"].str[:20], *[""] * len(rows)],
            "lc_st_code": [*sites["st_code"], *building],
            "lc_bp_codf": [""] * len(sites) + list(box),
            "lc_typelog": [*kind, *np.where(rows["is_pro"], "PRO", "RES")],
            "lc_statut": "REC",
            "lc_etat": "OK",
            "lc_avct": "E",
            "lc_abandon": "0",
            "lc_creadat": _MOMENT,
        }
    )
