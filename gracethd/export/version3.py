"""An inventory as version 3.0.1 says it: rooms have types, premises have sites, cables lie in ways.

The correspondence of attributes is that of the public migration table (2.0.2 to 3.0, see NOTICE); what it
calls "computed" is computed here.
"""

import numpy as np
import pandas as pd

from gracethd.codes import follow
from gracethd.export.carry import of_conduits
from gracethd.export.rows import borne, by_key, free_codes, with_rows
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.places import Places, find_places, nature_of
from gracethd.normalise import ROOM_TYPES
from gracethd.routes.demand import POINT_TO_POINT, boxes_of_zones

Tables = dict[str, pd.DataFrame]

_ROOMS = {"NRAHD": "NRA", "NRAZO": "NRA", "SROL": "SRO", "SROS": "SRO"}
"""Room types of version 2 without a code of their own in version 3."""
_PREMISES = {"O": "OPE", "T": "OBJ"}
"""A SUF of type T is an outlet for a technical object: OBJ, since TEC is for rooms of the network."""


def to_version_3(inventory: Inventory) -> tuple[Tables, pd.DataFrame]:
    """Give the tables of an inventory as version 3.0.1 says them, and what changed."""
    places = find_places(inventory)
    tables = dict(inventory.tables)
    found = []
    for step in (_rooms, _premises, _boxes, _ways, _addresses):
        changed, findings = step(tables, inventory, places)
        tables |= changed
        found.append(findings)
    return tables | _zones(tables, places), merge_findings(found)


def _rooms(tables: Tables, _: Inventory, __: Places) -> tuple[Tables, pd.DataFrame]:
    """Move the type of a site to its rooms; a site that is a room itself gets one."""
    site, local = tables["site"], tables["local"]
    typelog = site["st_typelog"]
    is_told = typelog.isna() | typelog.isin(("RESEAU", "CLIENT"))
    alone = site[~site["st_code"].isin(local["lc_st_code"]) & (nature_of(typelog) != "")]
    taken = borne([local["lc_code"], tables["premise"]["code"], tables["ebp"]["bp_lc_code"]])
    made = pd.DataFrame(
        {
            "lc_code": free_codes(alone["st_code"], taken, "-LC"),
            "lc_st_code": alone["st_code"],
            "lc_typelog": alone["st_typelog"],
            "delivery": alone["delivery"],
        }
    )
    site = site.assign(st_typelog=typelog.where(is_told, "RESEAU"))
    local = with_rows("local", local, made)
    of_site = follow(local["lc_st_code"], site.set_index("st_code")["st_typelog"])
    known = local["lc_typelog"].where(local["lc_typelog"].isin(ROOM_TYPES))
    replaced = known.isin(_ROOMS)
    found = [
        findings_frame(
            "export_ajoute", "info", "local", attribute="lc_code", code=made["lc_code"],
            message="local créé : en version 3 un site n'est pas un local", delivery=made["delivery"],
        ),
        findings_frame(
            "export_remplace", "info", "local", attribute="lc_typelog", code=local.loc[replaced, "lc_code"],
            message="type de local sans code en version 3 : remplacé par NRA ou SRO",
            delivery=local.loc[replaced, "delivery"],
        ),
    ]  # fmt: skip
    local = local.assign(lc_typelog=known.replace(_ROOMS).fillna(of_site))
    return {"site": site, "local": local}, merge_findings(found)


def _premises(tables: Tables, inventory: Inventory, places: Places) -> tuple[Tables, pd.DataFrame]:
    """Give each premise a site of its node and address, its v3 type, and its box in place of its zone."""
    premise, site = tables["premise"], tables["site"]
    taken = borne([site["st_code"], premise["st_code"], tables["local"]["lc_st_code"]])
    premise, made = _with_sites(premise, site, taken)
    site = with_rows("site", site, made)
    by_code = site.set_index("st_code")
    premise = premise.assign(
        nd_code=premise["nd_code"].fillna(follow(premise["st_code"], by_code["st_nd_code"])),
        ad_code=premise["ad_code"].fillna(follow(premise["st_code"], by_code["st_ad_code"])),
        type=premise["type"].replace(_PREMISES).fillna("FTTH"),
    )
    known = premise["bp_code"].where(premise["bp_code"].isin(places.boxes["bp_code"]))
    box = known.fillna(follow(premise["zp_code"], boxes_of_zones(inventory, places))).fillna(
        premise["bp_code"]
    )
    now = premise["bp_codf"].fillna(premise["bp_codp"])
    changed = box.notna() & (box != now)
    to_point = premise["type"].isin(POINT_TO_POINT)
    planned = premise["bp_codf"].where(~changed, box.where(~to_point))
    direct = premise["bp_codp"].where(~changed, box.where(to_point))
    lost = premise["zp_code"].notna() & planned.isna() & direct.isna()
    found = [
        findings_frame(
            "export_ajoute", "info", "site", attribute="st_code", code=made["st_code"],
            message="site CLIENT créé : en version 3 une prise est dans un site", delivery=made["delivery"],
        ),
        findings_frame(
            "export_perdu", "mineur", "premise", attribute="zp_code", code=premise.loc[lost, "code"],
            message="zone de PBO sans boîte : non portée en version 3",
            delivery=premise.loc[lost, "delivery"],
        ),
    ]  # fmt: skip
    premise = premise.assign(
        bp_codf=planned, bp_codp=direct, bp_code=planned.fillna(direct),
        zp_code=pd.Series(np.nan, index=premise.index, dtype=str),
    )  # fmt: skip
    return {"premise": premise, "site": site}, merge_findings(found)


def _with_sites(
    premise: pd.DataFrame, site: pd.DataFrame, taken: set[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the site of a premise where it says the same node and address, else name a new one for both."""
    by_code = site.set_index("st_code")
    place = premise[["nd_code", "ad_code"]]
    of_site = pd.DataFrame(
        {
            "nd_code": follow(premise["st_code"], by_code["st_nd_code"]),
            "ad_code": follow(premise["st_code"], by_code["st_ad_code"]),
        }
    )
    agrees = place.isna() | (place == of_site)
    told = premise["st_code"].isin(site["st_code"])
    wanting = ~(
        (told & agrees.all(axis=1) & of_site.notna().eq(place.notna()).all(axis=1)) | place.isna().all(axis=1)
    )
    made = (
        premise.loc[wanting, ["nd_code", "ad_code", "delivery"]]
        .sort_values(["nd_code", "ad_code"], kind="stable")
        .drop_duplicates(["nd_code", "ad_code"])
        .reset_index(drop=True)
    )
    base = made["nd_code"].fillna(made["ad_code"])
    rank = made.groupby(base.to_numpy()).cumcount()
    wanted = base.where(rank == 0, base + "-" + (rank + 1).astype(str))
    made["st_code"] = free_codes(wanted, taken, "-CLI")
    given = premise[["nd_code", "ad_code"]].merge(
        made[["nd_code", "ad_code", "st_code"]], on=["nd_code", "ad_code"], how="left"
    )
    code = premise["st_code"].where(~wanting, given["st_code"].set_axis(premise.index))
    new = made.rename(columns={"nd_code": "st_nd_code", "ad_code": "st_ad_code"})
    return premise.assign(st_code=code), new.assign(st_typelog="CLIENT", st_typephy="BAT")


def _boxes(tables: Tables, _: Inventory, __: Places) -> tuple[Tables, pd.DataFrame]:
    """Put the premise of an outlet where version 3 says it: in the one column for rooms and premises."""
    ebp = tables["ebp"]
    place = ebp["bp_sf_code"].fillna(ebp["bp_lc_code"])
    is_premise = place.isin(tables["premise"]["code"])
    both = ebp["bp_sf_code"].notna() & ebp["bp_lc_code"].notna()
    lost = findings_frame(
        "export_perdu", "mineur", "ebp", attribute="bp_lc_code", code=ebp.loc[both, "bp_code"],
        message="boîte dans une prise et dans un local : seule la prise est portée",
        delivery=ebp.loc[both, "delivery"],
    )  # fmt: skip
    return {"ebp": ebp.assign(bp_sf_code=place.where(is_premise), bp_lc_code=place.mask(is_premise))}, lost


def _ways(tables: Tables, inventory: Inventory, _: Places) -> tuple[Tables, pd.DataFrame]:
    """Say which ways a cable takes, and who owns them, without conduits, which version 3 does not have."""
    through = tables["cab_cond"].merge(
        tables["cond_chem"][["dm_cd_code", "dm_cm_code"]], left_on="cc_cd_code", right_on="dm_cd_code"
    )
    made = pd.DataFrame(
        {
            "cc_cb_code": through["cc_cb_code"],
            "cc_cm_code": through["dm_cm_code"],
            "delivery": through["delivery"],
        }
    )
    cab_chem = with_rows("cab_chem", tables["cab_chem"], made)
    cab_chem = cab_chem.drop_duplicates(["cc_cb_code", "cc_cm_code"])
    conduite, ways = tables["conduite"], tables["cheminement"]
    owner = ways["cm_prop"].fillna(of_conduits(inventory, "cd_prop", ways["cm_code"]))
    lost = findings_frame(
        "export_perdu", "mineur", "conduite", attribute="cd_code", code=conduite["cd_code"],
        message="conduite sans table en version 3 : ses câbles sont portés par ses cheminements",
        delivery=conduite["delivery"], line=conduite["line"],
    )  # fmt: skip
    emptied = {name: tables[name].iloc[:0] for name in ("conduite", "cab_cond", "cond_chem")}
    owned = ways.assign(cm_prop=owner)
    return {**emptied, "cheminement": owned, "cab_chem": by_key("cab_chem", cab_chem)}, lost


def _addresses(tables: Tables, _: Inventory, __: Places) -> tuple[Tables, pd.DataFrame]:
    address = tables["adresse"]
    homes = address["ad_nblhab"].fillna(address["ad_nblres"])
    return {"adresse": address.assign(ad_nblres=homes, ad_nblhab=np.nan)}, merge_findings([])


def _zones(tables: Tables, places: Places) -> Tables:
    """Name the room of each zone, as analyses find it from its node."""
    rooms = places.rooms[places.rooms["kind"] != "noeud"].dropna(subset="nd_code")
    zones = {}
    for name, prefix, nature in (("znro", "zn", "NRO"), ("zsro", "zs", "PM")):
        table = tables[name]
        at_node = rooms[rooms["nature"] == nature].drop_duplicates("nd_code").set_index("nd_code")["room"]
        found = follow(table[f"{prefix}_nd_code"], at_node)
        zones[name] = table.assign(**{f"{prefix}_lc_code": table[f"{prefix}_lc_code"].fillna(found)})
    return zones
