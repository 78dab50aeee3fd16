"""An inventory as version 2.0.1 says it: sites have types, premises have zones, cables lie in conduits.

The correspondence is that of the public migration table (2.0.2 to 3.0, see NOTICE), read the other way.
"""

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.codes import follow
from gracethd.export.rows import borne, free_codes, with_rows
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.model import value_lists
from gracethd.network.places import Places, find_places, nature_of
from gracethd.routes.demand import boxes_of_zones

Tables = dict[str, pd.DataFrame]

_PREMISES = {"FTTH": None, "OPE": "O", "OBJ": "T", "TEC": "T", "ENT": "PRO", "PUB": "PRO"}
"""Premise types of version 3 without a code in l_suf_type of 2.0.1; E and U came with 2.0.2."""
_ROOMS = {"SROS": "SRO"}
_OF_NATURE = {"NRO": "NRO", "PM": "SRO"}


def to_version_2(inventory: Inventory) -> tuple[Tables, pd.DataFrame]:
    """Give the tables of an inventory as version 2.0.1 says them, and what changed."""
    places = find_places(inventory)
    tables = dict(inventory.tables)
    found = []
    for step in (_rooms, _premises, _boxes, _ways, _addresses, _zones):
        changed, findings = step(tables, inventory, places)
        tables |= changed
        found.append(findings)
    return tables | _nodes(tables), merge_findings(found)


def _rooms(tables: Tables, inventory: Inventory, places: Places) -> tuple[Tables, pd.DataFrame]:
    """Give each site the type of its rooms; those of another type move to a site of their own."""
    site, local = tables["site"], tables["local"]
    lists = value_lists("2.0.1")
    known = set(lists.loc[lists["list"] == "l_site_type_log", "code"])
    nature = follow(local["lc_code"], places.rooms.drop_duplicates("room").set_index("room")["nature"])
    wanted = local["lc_typelog"].replace(_ROOMS)
    wanted = wanted.where(wanted.isin(known) & (wanted != "CLIENT"))
    # a room that only its zone makes an NRO or a PM: version 2 has no other way to say it
    wanted = wanted.where((nature_of(wanted) != "") | (nature.fillna("") == ""), nature.map(_OF_NATURE))
    rooms = local.assign(wanted=wanted.astype(str).where(wanted.notna()))
    own = site["st_typelog"].replace(_ROOMS)
    own = own.where(own.isin(known))
    typed = rooms.dropna(subset=["wanted", "lc_st_code"])
    agrees = typed[typed["wanted"] == follow(typed["lc_st_code"], pd.Series(own.to_numpy(), site["st_code"]))]
    chosen = (
        typed.sort_values(["wanted", "lc_code"])
        .drop_duplicates("lc_st_code")
        .set_index("lc_st_code")["wanted"]
    )
    keeps = site["st_code"].isin(agrees["lc_st_code"])
    kind = own.where(keeps, follow(site["st_code"], chosen).fillna(own))
    of_site = follow(rooms["lc_st_code"], pd.Series(kind.to_numpy(), site["st_code"]))
    homeless = ~rooms["lc_st_code"].isin(site["st_code"])
    untyped = rooms["wanted"].isna() & (nature_of(of_site) == "")
    moves = ~homeless & ~untyped & (rooms["wanted"].fillna("") != of_site.fillna(""))
    local, made = _moved(rooms, moves, site)
    site = with_rows("site", site.assign(st_typelog=kind), made)
    lost = homeless & rooms["wanted"].notna()
    types = follow(local["lc_st_code"], site.set_index("st_code")["st_typelog"])
    local = local.assign(lc_typelog=types).drop(columns="wanted")
    found = [
        findings_frame(
            "export_ajoute", "info", "site", attribute="st_code", code=made["st_code"],
            message="site créé : en version 2 les locaux d'un site sont d'un seul type",
            delivery=made["delivery"],
        ),
        findings_frame(
            "export_perdu", "mineur", "local", attribute="lc_typelog", code=rooms.loc[lost, "lc_code"],
            message="type de local sans site : non porté en version 2", delivery=rooms.loc[lost, "delivery"],
        ),
    ]  # fmt: skip
    return {"site": _without_client_sites(site, local, inventory), "local": local}, merge_findings(found)


def _moved(rooms: pd.DataFrame, moves: pd.Series, site: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the rooms with a site of their own type where they move, and the sites made for them."""
    key = rooms["lc_st_code"] + "-" + rooms["wanted"].fillna("TEC")
    base = rooms.loc[moves, ["lc_st_code", "wanted"]].assign(st_code=key[moves])
    made = base.drop_duplicates("st_code").sort_values("st_code")
    made = made.merge(site.drop(columns=["st_typelog", "line"]), left_on="lc_st_code", right_on="st_code")
    made = made.drop(columns="st_code_y").rename(columns={"st_code_x": "key"})
    taken = borne([site["st_code"], rooms["lc_st_code"]])
    made["st_code"] = free_codes(made["key"].astype(str), taken, "-ST")
    new_code = follow(key, made.set_index("key")["st_code"])
    moved = rooms.assign(lc_st_code=rooms["lc_st_code"].where(~moves, new_code))
    return moved, made.rename(columns={"wanted": "st_typelog"})


def _without_client_sites(site: pd.DataFrame, local: pd.DataFrame, inventory: Inventory) -> pd.DataFrame:
    """Leave out the buildings that hold premises only: version 2 puts premises at nodes, not in sites."""
    premises = inventory["premise"]["st_code"]
    mere = (site["st_typelog"] == "CLIENT") & site["st_code"].isin(premises)
    return site[~(mere & ~site["st_code"].isin(local["lc_st_code"]))].reset_index(drop=True)


def _premises(tables: Tables, inventory: Inventory, places: Places) -> tuple[Tables, pd.DataFrame]:
    """Give each premise the zone of its box, made where there is none, and its v2 type."""
    premise, zpbo = tables["premise"], tables["zpbo"]
    of_zone = boxes_of_zones(inventory, places)
    box = premise["bp_code"].where(premise["bp_code"].isin(places.boxes["bp_code"]))
    stays = box.isna() | (follow(premise["zp_code"], of_zone) == box)
    first = of_zone.dropna().sort_index()
    zone_of = pd.Series(first.index, index=pd.Index(first.to_numpy())).groupby(level=0).first()
    without = premise[~stays & ~box.isin(zone_of.index)]
    made = pd.DataFrame({"zp_bp_code": box[without.index], "delivery": without["delivery"]})
    made = made.drop_duplicates("zp_bp_code").sort_values("zp_bp_code")
    taken = borne([zpbo["zp_code"], premise["zp_code"]])
    made["zp_code"] = free_codes(made["zp_bp_code"].astype(str), taken, "-ZP")
    made["zp_nd_code"] = follow(made["zp_bp_code"], places.ebp_node)
    zone_of = pd.concat([zone_of, made.set_index("zp_bp_code")["zp_code"]])
    zone = premise["zp_code"].where(stays, follow(box, zone_of))
    merged = premise["type"].isin(("ENT", "PUB"))
    found = [
        findings_frame(
            "export_ajoute", "info", "zpbo", attribute="zp_code", code=made["zp_code"],
            message="zone de PBO créée sans contour : en version 2 une prise nomme sa zone, non son PBO",
            delivery=made["delivery"],
        ),
        findings_frame(
            "export_remplace", "info", "premise", attribute="type", code=premise.loc[merged, "code"],
            message="type de local sans code en 2.0.1 : PRO", delivery=premise.loc[merged, "delivery"],
        ),
    ]  # fmt: skip
    nothing = pd.Series(np.nan, index=premise.index, dtype=str)
    types = premise["type"].map(lambda kind: _PREMISES.get(kind, kind), na_action="ignore").astype(str)
    premise = premise.assign(
        type=types.where(types.notna()), zp_code=zone, st_code=nothing, bp_code=nothing, bp_codf=nothing,
        bp_codp=nothing,
    )  # fmt: skip
    return {"premise": premise, "zpbo": with_rows("zpbo", zpbo, made)}, merge_findings(found)


def _boxes(tables: Tables, _: Inventory, __: Places) -> tuple[Tables, pd.DataFrame]:
    ebp = tables["ebp"]
    indoor = ebp["bp_typelog"] == "BPI"
    told = findings_frame(
        "export_remplace", "info", "ebp", attribute="bp_typelog", code=ebp.loc[indoor, "bp_code"],
        message="BPI sans code en 2.0.1 : BPE", delivery=ebp.loc[indoor, "delivery"],
    )  # fmt: skip
    return {"ebp": ebp.assign(bp_typelog=ebp["bp_typelog"].mask(indoor, "BPE"))}, told


def _ways(tables: Tables, _: Inventory, __: Places) -> tuple[Tables, pd.DataFrame]:
    """Put a conduit in each way that a cable is said to take and that no conduit of it takes."""
    cab_chem = tables["cab_chem"]
    through = tables["cab_cond"].merge(tables["cond_chem"], left_on="cc_cd_code", right_on="dm_cd_code")
    known = pd.MultiIndex.from_frame(through[["cc_cb_code", "dm_cm_code"]])
    bare = cab_chem[~pd.MultiIndex.from_frame(cab_chem[["cc_cb_code", "cc_cm_code"]]).isin(known)]
    ways = bare[["cc_cm_code", "delivery"]].drop_duplicates("cc_cm_code").sort_values("cc_cm_code")
    named = [
        tables["conduite"]["cd_code"],
        tables["cab_cond"]["cc_cd_code"],
        tables["cond_chem"]["dm_cd_code"],
    ]
    code = free_codes(ways["cc_cm_code"], borne(named), "-CD")
    of_way = pd.Series(code.to_numpy(), index=pd.Index(ways["cc_cm_code"]))
    conduits = pd.DataFrame({"cd_code": code, "delivery": ways["delivery"]})
    in_ways = pd.DataFrame(
        {"dm_cd_code": code, "dm_cm_code": ways["cc_cm_code"], "delivery": ways["delivery"]}
    )
    in_conduits = pd.DataFrame(
        {
            "cc_cb_code": bare["cc_cb_code"],
            "cc_cd_code": follow(bare["cc_cm_code"], of_way),
            "delivery": bare["delivery"],
        }
    )
    added = findings_frame(
        "export_ajoute", "info", "conduite", attribute="cd_code", code=code,
        message="conduite créée : en version 2 un câble n'est dans un cheminement que par une conduite",
        delivery=ways["delivery"],
    )  # fmt: skip
    made = {"conduite": conduits, "cond_chem": in_ways, "cab_cond": in_conduits}
    return {
        **{name: with_rows(name, tables[name], rows) for name, rows in made.items()},
        "cab_chem": cab_chem.iloc[:0],
    }, added


def _addresses(tables: Tables, _: Inventory, __: Places) -> tuple[Tables, pd.DataFrame]:
    """Sum what 2.0.1 does not tell apart: businesses, firms and public bodies."""
    address = tables["adresse"]
    others = address[["ad_nblpro", "ad_nblent", "ad_nblpub"]].sum(axis=1, min_count=1)
    merged = address[["ad_nblent", "ad_nblpub"]].notna().any(axis=1)
    told = findings_frame(
        "export_remplace", "info", "adresse", attribute="ad_nblpro", code=address.loc[merged, "ad_code"],
        message="locaux d'entreprises et publics comptés avec les professionnels",
        delivery=address.loc[merged, "delivery"],
    )  # fmt: skip
    return {
        "adresse": address.assign(
            ad_nblhab=address["ad_nblhab"].fillna(address["ad_nblres"]), ad_nblpro=others,
            ad_nblres=np.nan, ad_nblent=np.nan, ad_nblpub=np.nan,
        )
    }, told  # fmt: skip


def _zones(tables: Tables, _: Inventory, places: Places) -> tuple[Tables, pd.DataFrame]:
    """Put each zone at the node of its room; a room that is not the first of its kind there is a finding."""
    rooms = places.rooms.dropna(subset="nd_code")
    node = rooms.drop_duplicates("room").set_index("room")["nd_code"]
    zones, found = {}, []
    for name, prefix, nature in (("znro", "zn", "NRO"), ("zsro", "zs", "PM")):
        table = tables[name]
        room = table[f"{prefix}_lc_code"]
        at = follow(room, node).fillna(table[f"{prefix}_nd_code"])
        first = rooms[rooms["nature"] == nature].drop_duplicates("nd_code").set_index("nd_code")["room"]
        other = room.isin(node.index) & (follow(at, first) != room)
        found.append(
            findings_frame(
                "export_ambigu", "majeur", name, attribute=f"{prefix}_lc_code",
                code=table.loc[other, f"{prefix}_code"],
                message="plusieurs locaux à ce nœud : en 2.0.1 la zone ne dit pas lequel",
                delivery=table.loc[other, "delivery"], line=table.loc[other, "line"],
            )
        )  # fmt: skip
        nothing = pd.Series(np.nan, index=table.index, dtype=str)
        zones[name] = table.assign(**{f"{prefix}_nd_code": at, f"{prefix}_lc_code": nothing})
    return zones, merge_findings(found)


def _nodes(tables: Tables) -> Tables:
    """Say of each node what stands there, where the inventory does not: site, chamber or pole, premise."""
    node = tables["noeud"]
    kind = node["nd_type"]
    for word, table, column in (
        ("ST", "site", "st_nd_code"),
        ("PT", "ptech", "pt_nd_code"),
        ("SF", "premise", "nd_code"),
    ):
        kind = kind.where(kind.notna() | ~node["nd_code"].isin(tables[table][column].dropna()), word)
    return {"noeud": gpd.GeoDataFrame(node.assign(nd_type=kind), crs=node.crs)}
