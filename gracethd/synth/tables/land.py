"""Rows of addresses, premises, sites and zones, in the words of either version."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.synth.cells import dissolve_cells, polygons
from gracethd.synth.network import SynthNetwork
from gracethd.synth.parts import Part, znro_code
from gracethd.synth.tables.invented import DAY, MOMENT, SMO, geo_frame


def address_rows(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    """Give t_adresse: each address announces exactly the premises that stand there."""
    rows = part.addresses
    communes = [network.area.communes[rank] for rank in rows["commune"]]
    residential = rows["size"] - rows["n_pro"]
    return geo_frame(
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
            "ad_datmodi": DAY,
            "ad_geolmod": "INDT",
            "ad_creadat": MOMENT,
        },
        rows.geometry,
        network,
    )


def pm_zone_rows(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    """Give t_zsro: the zone of the PM of this delivery."""
    zone, site = part.limits.iloc[0], part.sites.iloc[0]
    return geo_frame(
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
            "zs_creadat": [MOMENT],
        },
        part.limits.geometry,
        network,
    )


def nro_zone_rows(network: SynthNetwork, part: Part) -> gpd.GeoDataFrame:
    """Give t_znro: the zones of all the PM of the NRO, in one."""
    site = part.sites[part.sites["kind"] == "NRO"].iloc[0]
    whole = polygons(shapely.union_all(list(part.limits.geometry)))
    return geo_frame(
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
            "zn_creadat": [MOMENT],
        },
        [whole],
        network,
    )


def suf(network: SynthNetwork, part: Part) -> pd.DataFrame:
    """Give t_suf, the premises of version 2."""
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
            "sf_creadat": MOMENT,
        }
    )


def pbo_zone_tables(network: SynthNetwork, part: Part) -> dict[str, pd.DataFrame]:
    """Give the land nearest to each PBO or to its addresses, inside the PM zone."""
    zone = part.limits.iloc[0]
    served, label = np.unique(part.addresses["box"], return_inverse=True)
    boxes = network.boxes.iloc[served]
    places = network.places.geometry.to_numpy()[boxes["place"]]
    points = shapely.get_coordinates([*places, *part.addresses.geometry])
    limits = dissolve_cells(points, np.concatenate([np.arange(len(served)), label]), zone.geometry)
    code = [f"ZP{value[2:]}" for value in boxes["bp_code"]]
    return {
        "t_zpbo": geo_frame(
            {
                "zp_code": code,
                "zp_nd_code": network.places["nd_code"].to_numpy()[boxes["place"]],
                "zp_zs_code": zone["zs_code"],
                "zp_capamax": 12,
                "zp_creadat": MOMENT,
            },
            limits,
            network,
        ),
        "t_zpbo_patch201": pd.DataFrame({"zp_code": code, "zp_bp_code": boxes["bp_code"].to_numpy()}),
    }


def sites_v3(network: SynthNetwork, part: Part) -> pd.DataFrame:
    """Give t_site: network sites, then one client site per address."""
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
            "st_creadat": MOMENT,
        }
    )


def locals_v3(network: SynthNetwork, part: Part) -> pd.DataFrame:
    """Give t_local: rooms of the network, then premises with their PBO."""
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
            "lc_creadat": MOMENT,
        }
    )
