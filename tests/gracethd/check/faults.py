"""One way to spoil demo01 for each rule that a delivery in memory can break, and nothing else.

A fault takes the tables (copies) and a number that chooses the object, and gives the code expected in the
finding, or None where the finding is on a whole table.
"""

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import affinity
from shapely.geometry import LineString, MultiLineString, Point, Polygon

Tables = dict[str, pd.DataFrame]
Fault = Callable[[Tables, int], str | None]

KEYS = {
    "t_cable": "cb_code", "t_noeud": "nd_code", "t_ptech": "pt_code", "t_ebp": "bp_code", "t_baie": "ba_code",
    "t_fibre": "fo_code", "t_position": "ps_code", "t_cheminement": "cm_code", "t_cableline": "cl_code",
    "t_zpbo": "zp_code", "t_zsro": "zs_code", "t_znro": "zn_code", "t_adresse": "ad_code", "t_love": "lv_id",
    "t_reference": "rf_code", "t_masque": "mq_id", "t_document": "do_code", "t_cassette": "cs_code",
    "t_suf": "sf_code", "t_sitetech": "st_code",
}  # fmt: skip


def pick(tables: Tables, table: str, number: int, mask: object = None) -> tuple[int, str]:
    """Choose a row among those of the mask: its position and its code."""
    frame = tables[table]
    rows = np.arange(len(frame)) if mask is None else np.flatnonzero(np.asarray(mask, dtype=bool))
    row = int(rows[number % len(rows)])
    return row, str(frame[KEYS[table]].iloc[row])


def put(tables: Tables, table: str, row: int, **values: object) -> None:
    frame = tables[table]
    for name, value in values.items():
        frame.loc[frame.index[row], name] = value


def spoil(table: str, value: object, *names: str) -> Fault:
    """Make the fault that writes a value into attributes of any row."""

    def fault(tables: Tables, number: int) -> str:
        row, code = pick(tables, table, number)
        put(tables, table, row, **dict.fromkeys(names, value))
        return code

    return fault


def again(tables: Tables, table: str, row: int, **values: object) -> None:
    """Add a copy of a row, changed."""
    frame = tables[table]
    copy = frame.iloc[[row]].assign(line=len(frame) + 1, **values)
    tables[table] = pd.concat([frame, copy], ignore_index=True)


def shape(tables: Tables, table: str, row: int, geometry: object) -> None:
    frame = tables[table]
    assert isinstance(frame, gpd.GeoDataFrame)
    shapes = frame.geometry.to_numpy().copy()
    shapes[row] = geometry
    tables[table] = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


def line_of(tables: Tables, table: str, row: int) -> list[tuple[float, float]]:
    return list(tables[table].geometry.iloc[row].coords)  # type: ignore[attr-defined]


def point_of(tables: Tables, node: str) -> Point:
    nodes = tables["t_noeud"]
    return nodes.geometry[nodes["nd_code"] == node].iloc[0]  # type: ignore[attr-defined]


def duplicate_key(tables: Tables, number: int) -> str:
    table = ("t_reference", "t_document", "t_noeud", "t_adresse")[number % 4]
    row, code = pick(tables, table, number)
    again(tables, table, row)
    return code


def no_table(tables: Tables, number: int) -> None:  # noqa: ARG001 - one way only
    del tables["t_position"]


def no_references(tables: Tables, number: int) -> None:  # noqa: ARG001
    del tables["t_reference"]


def no_column(tables: Tables, number: int) -> None:  # noqa: ARG001
    tables["t_cable"] = tables["t_cable"].drop(columns="cb_localis")


def no_key(tables: Tables, number: int) -> None:  # noqa: ARG001
    tables["t_love"] = tables["t_love"].drop(columns="lv_id")


def bow_tie(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_zpbo", number)
    place = point_of(tables, tables["t_zpbo"]["zp_nd_code"].iloc[row])
    x, y = place.x, place.y
    shape(tables, "t_zpbo", row, Polygon([(x, y), (x + 0.5, y + 0.5), (x + 0.5, y), (x, y + 0.5)]))
    return code


def line_as_address(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_adresse", number)
    point = tables["t_adresse"].geometry.iloc[row]  # type: ignore[attr-defined]
    shape(tables, "t_adresse", row, LineString([point, affinity.translate(point, 1)]))
    return code


def two_pieces(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_cheminement", number)
    line = tables["t_cheminement"].geometry.iloc[row]  # type: ignore[attr-defined]
    thirds = [line.interpolate(i / 3, normalized=True) for i in range(4)]
    shape(tables, "t_cheminement", row, MultiLineString([thirds[:2], thirds[2:]]))
    return code


def nowhere(tables: Tables, number: int) -> str:
    empty = ~tables["t_adresse"]["ad_code"].isin(tables["t_suf"]["sf_ad_code"])
    row, code = pick(tables, "t_adresse", number, empty)
    shape(tables, "t_adresse", row, Point(0, 0))
    return code


def no_length(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_cableline", number)
    start = line_of(tables, "t_cableline", row)[0]
    shape(tables, "t_cableline", row, LineString([start, start]))
    return code


def closed(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_cableline", number)
    points = line_of(tables, "t_cableline", row)
    shape(tables, "t_cableline", row, LineString([*points, (points[0][0] + 5, points[0][1] + 5), points[0]]))
    return code


def twin_node(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_noeud", number)
    again(tables, "t_noeud", row, nd_code="JUMEAU")
    return code


def loose_cable(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_cableline", number)
    points = line_of(tables, "t_cableline", row)
    shape(tables, "t_cableline", row, LineString([*points[:-1], (points[-1][0] + 0.2, points[-1][1])]))
    return code


def loose_way(tables: Tables, number: int) -> str:
    row, code = pick(
        tables, "t_cheminement", number, ~tables["t_cheminement"]["cm_code"].str.contains("3259")
    )
    put(tables, "t_cheminement", row, cm_ndcode1=np.nan, cm_ndcode2=np.nan)
    points = line_of(tables, "t_cheminement", row)
    shape(tables, "t_cheminement", row, LineString([(points[0][0] + 0.2, points[0][1]), *points[1:]]))
    return code


def far_node(tables: Tables, table: str, row: int) -> str:
    """Give the node that is farthest from a line."""
    nodes = tables["t_noeud"]
    distances = nodes.geometry.distance(tables[table].geometry.iloc[row])  # type: ignore[attr-defined]
    return str(nodes["nd_code"].iloc[int(np.argmax(distances))])


def wrong_way_node(tables: Tables, number: int) -> str:
    ways = tables["t_cheminement"]
    sound = ~ways["cm_code"].str.contains("3259") & ways["cm_ndcode1"].notna() & ways["cm_ndcode2"].notna()
    row, code = pick(tables, "t_cheminement", number, sound)
    put(tables, "t_cheminement", row, cm_ndcode1=far_node(tables, "t_cheminement", row))
    return code


def wrong_cable_node(tables: Tables, number: int) -> str:
    row, _ = pick(tables, "t_cableline", number)
    code = str(tables["t_cableline"]["cl_cb_code"].iloc[row])
    cable = int(np.flatnonzero(tables["t_cable"]["cb_code"] == code)[0])
    put(tables, "t_cable", cable, cb_nd1=far_node(tables, "t_cableline", row))
    return code


def undrawn(tables: Tables, number: int) -> tuple[int, str]:
    return pick(
        tables, "t_cable", number, ~tables["t_cable"]["cb_code"].isin(tables["t_cableline"]["cl_cb_code"])
    )


def wrong_box(tables: Tables, number: int) -> str:
    row, code = undrawn(tables, number)
    box = tables["t_ebp"][tables["t_ebp"]["bp_pt_code"].notna()].iloc[number % 6]
    place = tables["t_ptech"].set_index("pt_code").loc[box["bp_pt_code"], "pt_nd_code"]
    others = tables["t_noeud"]["nd_code"][tables["t_noeud"]["nd_code"] != place]
    put(tables, "t_cable", row, cb_nd1=others.iloc[number % len(others)])
    patch = {"cb_code": [code], "cb_bp1": [box["bp_code"]], "cb_bp2": [np.nan], "line": [1]}
    tables["t_cable_patch201"] = pd.DataFrame(patch | {"cb_ba1": [np.nan], "cb_ba2": [np.nan]})
    return code


def no_end(tables: Tables, number: int) -> str:
    row, code = undrawn(tables, number)
    put(tables, "t_cable", row, cb_typephy="C")
    return code


def not_drawn(tables: Tables, number: int) -> str:
    row, code = undrawn(tables, number)
    nodes = tables["t_noeud"]["nd_code"]
    put(tables, "t_cable", row, cb_typephy="C", cb_nd1=nodes.iloc[0], cb_nd2=nodes.iloc[1 + number % 20])
    return code


def goes_nowhere(tables: Tables, number: int) -> str:
    row, code = undrawn(tables, number)
    node = tables["t_noeud"]["nd_code"].iloc[number % 27]
    put(tables, "t_cable", row, cb_typephy="C", cb_nd1=node, cb_nd2=node)
    return code


def no_support(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_ebp", number, tables["t_ebp"]["bp_pt_code"].notna())
    put(tables, "t_ebp", row, bp_pt_code=np.nan)
    return code


def two_supports(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_ebp", number, tables["t_ebp"]["bp_pt_code"].notna())
    put(tables, "t_ebp", row, bp_lt_code=tables["t_ltech"]["lt_code"].iloc[0])
    return code


def two_lines(tables: Tables, number: int) -> str:
    row, _ = pick(tables, "t_cableline", number)
    again(tables, "t_cableline", row, cl_code="AUTRE")
    return "AUTRE"


def wrong_capacity(tables: Tables, number: int) -> str:
    cables = tables["t_cable"]
    filled = cables["cb_code"].isin(tables["t_fibre"]["fo_cb_code"]) & (cables["cb_code"] != "CB001800300071")
    row, code = pick(tables, "t_cable", number, filled)
    put(tables, "t_cable", row, cb_capafo="777")
    return code


def same_rank(tables: Tables, number: int) -> str:
    fibres = tables["t_fibre"]
    ranked = fibres[["fo_cb_code", "fo_numtub", "fo_nintub"]].notna().all(axis=1)
    row, code = pick(tables, "t_fibre", number, ranked & fibres.duplicated("fo_cb_code"))
    first = fibres[fibres["fo_cb_code"] == fibres["fo_cb_code"].iloc[row]].iloc[0]
    put(tables, "t_fibre", row, fo_numtub=first["fo_numtub"], fo_nintub=first["fo_nintub"])
    return code


def too_many_positions(tables: Tables, number: int) -> str:
    positions = tables["t_position"]
    unused = tables["t_fibre"]["fo_code"]
    unused = unused[~unused.isin(positions["ps_1"]) & ~unused.isin(positions["ps_2"])].reset_index(drop=True)
    code = str(unused[number % 500])
    row = int(np.flatnonzero(positions["ps_cs_code"].notna())[0])
    for i in range(3):
        again(tables, "t_position", row, ps_code=f"PS{i}", ps_1=code, ps_2=str(unused[501 + i]))
    return code


def twin_position(tables: Tables, number: int) -> str:
    positions = tables["t_position"]
    row, _ = pick(tables, "t_position", number, positions["ps_1"].notna() & positions["ps_2"].notna())
    swapped = {"ps_1": positions["ps_2"].iloc[row], "ps_2": positions["ps_1"].iloc[row]}
    again(tables, "t_position", row, ps_code="JUMELLE", **swapped)
    return "JUMELLE"


def no_code(tables: Tables, number: int) -> str:
    row, _ = pick(tables, "t_position", number)
    put(tables, "t_position", row, ps_code=np.nan)
    return ""


def unsupported(tables: Tables, number: int) -> str:
    positions = tables["t_position"]
    row, code = pick(tables, "t_position", number, ~positions.duplicated(["ps_1", "ps_2"], keep=False))
    put(tables, "t_position", row, ps_cs_code=np.nan, ps_ti_code=np.nan)
    return code


def lonely_pbo(tables: Tables, number: int) -> str:
    """Add a PBO on a pole of its own, told by a patch to serve the premises of a zone."""
    where = tables["t_zpbo"].geometry.iloc[number % 3].representative_point()  # type: ignore[attr-defined]
    again(tables, "t_noeud", 0, nd_code="ND_SEUL", geometry=where)
    again(tables, "t_ptech", 0, pt_code="PT_SEUL", pt_nd_code="ND_SEUL")
    pbo = int(np.flatnonzero(tables["t_ebp"]["bp_typelog"] == "PBO")[0])
    again(tables, "t_ebp", pbo, bp_code="BP_SEUL", bp_pt_code="PT_SEUL")
    zone = tables["t_zpbo"]["zp_code"].iloc[number % 3]
    tables["t_zpbo_patch201"] = pd.DataFrame({"zp_code": [zone], "zp_bp_code": ["BP_SEUL"], "line": [1]})
    row = number % len(tables["t_suf"])
    put(tables, "t_suf", row, sf_zp_code=zone)
    return "BP_SEUL"


def abandoned(tables: Tables, number: int) -> str:
    boxes = tables["t_ebp"]
    row, _ = pick(tables, "t_ebp", number, boxes["bp_pt_code"].notna())
    gone = tables["t_ptech"]["pt_code"] == boxes["bp_pt_code"].iloc[row]
    put(tables, "t_ptech", int(np.flatnonzero(gone)[0]), pt_abddate="2020-01-01")
    return str(boxes["bp_code"].iloc[row])


def no_nro(tables: Tables, number: int) -> str:
    _, code = pick(tables, "t_znro", number)
    nro = int(np.flatnonzero(tables["t_sitetech"]["st_typelog"] == "NRO")[0])
    put(tables, "t_sitetech", nro, st_typelog="SRO")
    return code


def no_sro(tables: Tables, number: int) -> str:
    _, code = pick(tables, "t_zsro", number)
    sro = int(np.flatnonzero(tables["t_sitetech"]["st_typelog"] == "SRO")[0])
    put(tables, "t_sitetech", sro, st_typelog="NRA")
    return code


def shared_room(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_zsro", number)
    room = tables["t_ltech"].merge(tables["t_sitetech"], left_on="lt_st_code", right_on="st_code")
    room = str(room.loc[room["st_typelog"] == "SRO", "lt_code"].iloc[0])
    around = point_of(tables, tables["t_zsro"]["zs_nd_code"].iloc[row]).buffer(0.3)
    again(tables, "t_zsro", row, zs_code="ZS_BIS", geometry=around, zs_zn_code=np.nan)
    patch = pd.DataFrame({"zs_code": [code, "ZS_BIS"], "zs_lt_code": [room, room], "line": [1, 2]})
    tables["t_zsro_patch202"] = patch.assign(zs_lgmaxln=np.nan, zs_znllong=np.nan)
    return "ZS_BIS"


def outside_nro(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_zsro", number)
    shape(tables, "t_znro", 0, point_of(tables, tables["t_znro"]["zn_nd_code"].iloc[0]).buffer(1))
    put(tables, "t_zsro", row, zs_zn_code=tables["t_znro"]["zn_code"].iloc[0])
    return code


def overlap(tables: Tables, number: int) -> str:
    row, _ = pick(tables, "t_zpbo", number)
    again(tables, "t_zpbo", row, zp_code="ZP_BIS")
    return "ZP_BIS"


def same_label(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_ebp", number, np.arange(len(tables["t_ebp"])) > 0)
    put(tables, "t_ebp", 0, bp_codeext="BOITE")
    put(tables, "t_ebp", row, bp_codeext="BOITE")
    return code


def near_node(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_noeud", number)
    where = tables["t_noeud"].geometry.iloc[row]  # type: ignore[attr-defined]
    again(tables, "t_noeud", row, nd_code="VOISIN", geometry=affinity.translate(where, 0.05, 0))
    return code


def sound_way(tables: Tables, number: int) -> int:
    """Choose a way drawn along its declared nodes."""
    ways, nodes = tables["t_cheminement"], tables["t_noeud"].set_index("nd_code").geometry
    first = gpd.GeoSeries([Point(line_of(tables, "t_cheminement", i)[0]) for i in range(len(ways))])
    declared = gpd.GeoSeries(nodes.reindex(ways["cm_ndcode1"]).to_numpy())
    sound = (first.distance(declared, align=False) < 0.1) & ways["cm_ndcode2"].notna().to_numpy()
    return pick(tables, "t_cheminement", number, sound)[0]


def branch(tables: Tables, number: int) -> str:
    """Branch a way off the middle of another one, without a node."""
    row = sound_way(tables, number)
    middle = tables["t_cheminement"].geometry.iloc[row].interpolate(0.5, normalized=True)  # type: ignore[attr-defined]
    end = tables["t_noeud"]["nd_code"].iloc[number % 20]
    line = LineString([middle, point_of(tables, end)])
    again(tables, "t_cheminement", row, cm_code="Y", cm_ndcode1=np.nan, cm_ndcode2=end, geometry=line)
    return "Y"


def backwards(tables: Tables, number: int) -> str:
    row = sound_way(tables, number)
    shape(tables, "t_cheminement", row, LineString(line_of(tables, "t_cheminement", row)[::-1]))
    return str(tables["t_cheminement"]["cm_code"].iloc[row])


def misplaced_zone(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_zpbo", number)
    put(tables, "t_zpbo", row, zp_nd_code=far_node(tables, "t_zpbo", row))
    return code


def too_small(tables: Tables, number: int) -> str:
    cables = tables["t_cable"]
    many = cables["cb_code"].map(tables["t_fibre"]["fo_cb_code"].value_counts()) > 1
    row, code = pick(tables, "t_cable", number, many & (cables["cb_code"] != "CB001800300071"))
    put(tables, "t_cable", row, cb_capafo="1")
    return code


def to_itself(tables: Tables, number: int) -> str:
    used = pd.concat([tables["t_position"]["ps_1"], tables["t_position"]["ps_2"]])
    fibres = tables["t_fibre"]["fo_code"][~tables["t_fibre"]["fo_code"].isin(used)].reset_index(drop=True)
    row = int(np.flatnonzero(tables["t_position"]["ps_cs_code"].notna())[0])
    fibre = str(fibres[number % 500])
    again(tables, "t_position", row, ps_code="BOUCLE", ps_1=fibre, ps_2=fibre)
    return "BOUCLE"


def second_nro(node: str) -> Fault:
    def fault(tables: Tables, number: int) -> str:
        nro = int(np.flatnonzero(tables["t_sitetech"]["st_typelog"] == "NRO")[0])
        place = tables["t_sitetech"]["st_nd_code"].iloc[nro] if node == "same" else node
        again(tables, "t_sitetech", nro, st_code=f"ZZ_NRO{number}", st_nd_code=place)
        return f"ZZ_NRO{number}"

    return fault


def spilling_zone(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_zpbo", number, tables["t_zpbo"]["zp_code"] != "ZP000180030675")
    zone = tables["t_zpbo"].geometry.iloc[row]  # type: ignore[attr-defined]
    shape(tables, "t_zpbo", row, zone.union(affinity.translate(Point(zone.centroid).buffer(2), 0, 60_000)))
    return code


def far_address(tables: Tables, number: int) -> str:
    row, code = pick(tables, "t_suf", number, tables["t_suf"]["sf_ad_code"].notna())
    address = int(
        np.flatnonzero(tables["t_adresse"]["ad_code"] == tables["t_suf"]["sf_ad_code"].iloc[row])[0]
    )
    where = tables["t_adresse"].geometry.iloc[address]  # type: ignore[attr-defined]
    shape(tables, "t_adresse", address, affinity.translate(where, 100, 0))
    return code


FAULTS: dict[str, Fault] = {
    "table_absente": no_table,
    "attribut_absent": no_column,
    "cle_absente": no_key,
    "type_nombre": spoil("t_cable", "12.5", "cb_modulo"),
    "type_date": spoil("t_cable", "31/02/2020", "cb_creadat"),
    "type_booleen": spoil("t_ptech", "peut-être", "pt_secu"),
    "longueur": spoil("t_cable", "x" * 255, "cb_etiquet"),
    "hors_liste": spoil("t_cable", "ZZZ", "cb_statut"),
    "cle_vide": no_code,
    "cle_double": duplicate_key,
    "cle_etrangere": spoil("t_masque", "ABSENT", "mq_nd_code"),
    "cle_etrangere_annexe": spoil("t_cable", "ABSENT", "cb_prop"),
    "table_referencee_absente": no_references,
    "obligatoire_vide": spoil("t_cable", np.nan, "cb_statut"),
    "geometrie_invalide": bow_tie,
    "geometrie_type": line_as_address,
    "geometrie_multiple": two_pieces,
    "coordonnees_absurdes": nowhere,
    "longueur_nulle": no_length,
    "ligne_fermee": closed,
    "noeuds_superposes": twin_node,
    "cable_hors_noeud": loose_cable,
    "chem_hors_noeud": loose_way,
    "cable_noeud_declare": wrong_cable_node,
    "chem_noeud_declare": wrong_way_node,
    "cable_boite_declaree": wrong_box,
    "cable_sans_extremite": no_end,
    "ebp_sans_support": no_support,
    "ebp_plusieurs_supports": two_supports,
    "baie_sans_local": spoil("t_baie", np.nan, "ba_lt_code"),
    "cable_sans_ligne": not_drawn,
    "cable_boucle": goes_nowhere,
    "cable_plusieurs_lignes": two_lines,
    "capacite_fibres": wrong_capacity,
    "fibre_rang_double": same_rank,
    "fibre_positions": too_many_positions,
    "position_double": twin_position,
    "position_sans_support": unsupported,
    "pbo_sans_cable": lonely_pbo,
    "abandon_utilise": abandoned,
    "zone_sans_nro": no_nro,
    "zone_sans_sro": no_sro,
    "zsro_local_partage": shared_room,
    "zsro_hors_znro": outside_nro,
    "zone_recouvrement": overlap,
    "valeur_nc": spoil("t_cable", "NC", "cb_typelog"),
    "valeur_double": same_label,
    "noeuds_proches": near_node,
    "jonction_sans_noeud": branch,
    "ligne_inversee": backwards,
    "cassette_sans_boite": spoil("t_cassette", np.nan, "cs_bp_code"),
    "noeud_hors_zone": misplaced_zone,
    "capacite_depassee": too_small,
    "capacite_hors_bornes": spoil("t_cable", "5000", "cb_capafo"),
    "position_meme_fibre": to_itself,
    "nro_sans_zone": second_nro("ND000180030072"),
    "nro_meme_noeud": second_nro("same"),
    "zpbo_hors_zsro": spilling_zone,
    "prise_loin_adresse": far_address,
}
"""By rule; rules of reading, of filling grids, between deliveries and on networks have tests of their own."""

ALSO = {
    "jonction_sans_noeud": {"chem_hors_noeud"},  # the branch ends on no node
    "capacite_hors_bornes": {"capacite_fibres"},  # 5,000 fibres are not delivered
    "nro_meme_noeud": {"valeur_double"},  # two sites name one node
}
"""Rules that a fault cannot but fire with its own."""

MAY = {
    "chem_hors_noeud": {"jonction_sans_noeud"},  # the end that is moved may leave a branch without its node
    "zone_recouvrement": {"zpbo_hors_zsro"},  # the zone laid over another may leave its PM zone
}
"""Rules that a fault fires with its own on some objects only."""
