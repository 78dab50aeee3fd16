"""Plans of boxes and drawers, and what is used of cables, PBOs and PMs, as positions tell it."""

import numpy as np
import pandas as pd

from gracethd.codes import amount, follow
from gracethd.inventory import Inventory
from gracethd.network import Network
from gracethd.network.places import find_places
from gracethd.routes.demand import keyed_boxes
from gracethd.routes.types import Routes

DISTRIBUTING = ("AT", "MA")
"""Functions of positions that hold a fibre ready for a drop: waiting, and for re-arranging (version 3)."""


def position_plan(inventory: Inventory) -> pd.DataFrame:
    """List every position of boxes and drawers in the order in which a technician meets them.

    Returns
    -------
    DataFrame
        Text, "" where nothing is said: support (BPE|PBO|PTO|tiroir, "" unknown), box, drawer, room, place
        (nd_code), cassette, cassette_num (Int32), position (ps_code), position_num (Int32), ps_fonct,
        ps_etat, then for both fibres fibre_1, cable_1, tube_1, fibre_tube_1 (Int32) and fibre_2...; repeated
        (bool: another position of the same box or drawer holds the same fibres). Fibres that `t_fibre` does
        not hold keep their code, without cable.
    """
    places = find_places(inventory)
    held = _positions(inventory)
    box, drawer = held["box"], held["ps_ti_code"]
    room = follow(drawer, places.drawer_room).fillna(follow(box, places.ebp_room))
    node = follow(box, places.ebp_node).fillna(follow(room, places.rooms.set_index("room")["nd_code"]))
    typelog = follow(box, inventory["ebp"].set_index("bp_code")["bp_typelog"])
    number = inventory["cassette"].set_index("cs_code")["cs_num"]
    fibre = inventory["fibre"].set_index("fo_code")
    plan = pd.DataFrame(
        {
            "support": typelog.mask(drawer.notna(), "tiroir"),
            "box": box,
            "drawer": drawer,
            "room": room,
            "place": node,
            "cassette": held["ps_cs_code"],
            "cassette_num": _whole(held["ps_cs_code"], number),
            "position": held["ps_code"],
            "position_num": held["ps_numero"].round().astype("Int32"),
            "ps_fonct": held["ps_fonct"],
            "ps_etat": held["ps_etat"],
        }
    )
    for side in (1, 2):
        code = held[f"ps_{side}"]
        plan[f"fibre_{side}"] = code
        plan[f"cable_{side}"] = follow(code, fibre["fo_cb_code"])
        plan[f"tube_{side}"] = _whole(code, fibre["fo_numtub"])
        plan[f"fibre_tube_{side}"] = _whole(code, fibre["fo_nintub"])
    text = [name for name in plan.columns if not name.endswith("num") and "tube" not in name]
    plan[text] = plan[text].fillna("")
    both = plan[["fibre_1", "fibre_2"]]
    pair = plan[["box", "drawer"]].assign(low=both.min(axis=1), high=both.max(axis=1))
    plan["repeated"] = pair.duplicated(keep=False) & (pair["high"] != "")
    order = ["room", "box", "drawer", "cassette_num", "cassette", "position_num", "position"]
    return plan.sort_values(order, kind="stable", ignore_index=True)


def _positions(inventory: Inventory) -> pd.DataFrame:
    """Give positions with their box; a module of a drawer is a cassette too, and no box."""
    position = inventory["position"]
    of_cassette = inventory["cassette"].set_index("cs_code")["cs_bp_code"]
    box = follow(position["ps_cs_code"], of_cassette).mask(position["ps_ti_code"].notna())
    return position.assign(box=box)


def _whole(codes: pd.Series, numbers: pd.Series) -> pd.Series:
    return numbers.reindex(codes).round().astype("Int32").set_axis(codes.index)


def _fibre_ends(inventory: Inventory) -> pd.DataFrame:
    """List fibres in positions, both sides of each: fibre, cable, other, other_cable, box, drawer, fonct."""
    held = _positions(inventory)
    cable_of = inventory["fibre"].set_index("fo_code")["fo_cb_code"]
    sides = []
    for one, two in ((1, 2), (2, 1)):
        cable, other = follow(held[f"ps_{one}"], cable_of), follow(held[f"ps_{two}"], cable_of)
        side = pd.DataFrame(
            {
                "fibre": held[f"ps_{one}"],
                "cable": cable,
                "other": held[f"ps_{two}"].where(other.notna()),
                "other_cable": other,
                "box": held["box"],
                "drawer": held["ps_ti_code"],
                "fonct": held["ps_fonct"],
            }
        )
        sides.append(side[cable.notna()])
    ends = pd.concat(sides, ignore_index=True)
    return ends.assign(joined=ends["other"].notna() & (ends["other"] != ends["fibre"]))


def cable_occupancy(inventory: Inventory, network: Network, hops: pd.DataFrame) -> pd.DataFrame:
    """Count the fibres of each cable: in use, waiting, free.

    A fibre is *in use* where a position joins it to another fibre, *waiting* where positions hold it alone
    (AT, a port of a drawer without cord), *free* where no position names it: the three add up.

    Returns
    -------
    DataFrame
        cable, libelle, segment, capafo (declared, NaN unknown), fibres (rows), used, waiting, free, lit
        (fibres on a route of a prise, among those of `hops`), length_m; sorted by cable.
    """
    ends, fibre = _fibre_ends(inventory), inventory["fibre"]
    used = fibre["fo_code"].isin(ends.loc[ends["joined"], "fibre"])
    told = fibre["fo_code"].isin(ends["fibre"])
    tally = pd.DataFrame(
        {
            "cable": fibre["fo_cb_code"],
            "fibres": 1,
            "used": used,
            "waiting": told & ~used,
            "free": ~told,
            "lit": fibre["fo_code"].isin(hops["fibre"].unique().astype(str)),
        }
    )
    counts = tally.groupby("cable").sum().astype(np.int64)
    cable = network.assets[network.assets["kind"] == "cable"]
    table = cable[["code", "libelle", "segment", "capafo", "length_m"]].rename(columns={"code": "cable"})
    for name in ("fibres", "used", "waiting", "free", "lit"):
        table[name] = amount(table["cable"], counts[name]).astype(np.int64)
    columns = ["cable", "libelle", "segment", "capafo", *counts.columns, "length_m"]
    return pd.DataFrame(table[columns]).reset_index(drop=True)


def pbo_occupancy(inventory: Inventory, network: Network, routes: Routes) -> pd.DataFrame:
    """Count what each PBO serves and what it has left.

    Returns
    -------
    DataFrame
        box, place, prises (D15), planned (premises whose key names it for FTTH), point_to_point (whose key
        names it for a point-to-point line; see `gracethd.routes.demand.keyed_boxes`), drops (cables to
        premises that end there), fibres (network fibres that wait there or are spliced to a drop), connected
        (spliced to a drop), available, shortage (prises beyond the fibres, where any fibre is recorded);
        sorted by box.
    """
    assets, keyed = network.assets, keyed_boxes(inventory, find_places(inventory))
    box = assets[(assets["kind"] == "ebp") & (assets["nature"] == "PBO")]
    drops = assets.loc[(assets["kind"] == "cable") & (assets["segment"] == "raccordement"), "code"]
    ends = _fibre_ends(inventory)
    ends = ends[ends["box"].isin(box["code"]) & ~ends["cable"].isin(drops)]
    to_drop = ends["joined"] & ends["other_cable"].isin(drops)
    ready = ends[to_drop | ends["fonct"].isin(DISTRIBUTING)]
    drop_ends = network.ends[network.ends["cable"].isin(drops)].drop_duplicates(["cable", "ebp"])
    counts = {
        "prises": routes.prises.groupby("pbo")["n"].sum(),
        "planned": keyed["planned"].value_counts(),
        "point_to_point": keyed["point_to_point"].value_counts(),
        "drops": drop_ends["ebp"].value_counts(),
        "fibres": ready.groupby("box")["fibre"].nunique(),
        "connected": ends[to_drop].groupby("box")["fibre"].nunique(),
    }
    table = pd.DataFrame({"box": box["code"].to_numpy(), "place": box["nd_code"].to_numpy()})
    for name, count in counts.items():
        table[name] = amount(table["box"], count).astype(np.int64)
    table["available"] = table["fibres"] - table["connected"]
    over = (table["prises"] - table["fibres"]).clip(lower=0)
    table["shortage"] = over.where(table["fibres"] > 0, 0)
    return table


def pm_occupancy(inventory: Inventory, network: Network, routes: Routes) -> pd.DataFrame:
    """Count what each PM holds: prises, drawers, fibres of transport and of distribution, capacity.

    Returns
    -------
    DataFrame
        pm (room), name, nro, prises, capamax (lines declared for its zone, NaN unknown), drawers, positions,
        fibres_tr, fibres_di (fibres of transport and of distribution cables in its drawers), capacity_tr,
        capacity_di (fibres of the cables that end in the room); sorted by pm.
    """
    places, assets = find_places(inventory), network.assets
    rooms = routes.rooms[routes.rooms["nature"] == "PM"].sort_values("code", ignore_index=True)
    ends = _fibre_ends(inventory)
    ends = ends.assign(room=follow(ends["drawer"], places.drawer_room))
    cable = assets[assets["kind"] == "cable"].set_index("code")
    ends["segment"] = follow(ends["cable"], cable["segment"])
    stops = network.ends[["cable", "room"]].dropna().drop_duplicates()
    stops = stops.assign(
        segment=follow(stops["cable"], cable["segment"]), capafo=amount(stops["cable"], cable["capafo"])
    )
    zsro = inventory["zsro"]
    at_node = places.rooms[places.rooms["nature"] == "PM"].dropna(subset="nd_code").drop_duplicates("nd_code")
    of_zone = zsro["zs_lc_code"].fillna(follow(zsro["zs_nd_code"], at_node.set_index("nd_code")["room"]))
    table = pd.DataFrame(
        {
            "pm": rooms["code"],
            "name": rooms["name"],
            "nro": rooms["nro"],
            "prises": rooms["prises"],
            "capamax": zsro.groupby(of_zone)["zs_capamax"]
            .sum(min_count=1)
            .reindex(rooms["code"])
            .to_numpy(float),
        }
    )
    position = inventory["position"]
    counts = {
        "drawers": places.drawer_room.value_counts(),
        "positions": follow(position["ps_ti_code"], places.drawer_room).value_counts(),
    }
    for short, segment in (("tr", "transport"), ("di", "distribution")):
        counts[f"fibres_{short}"] = ends[ends["segment"] == segment].groupby("room")["fibre"].nunique()
        counts[f"capacity_{short}"] = stops[stops["segment"] == segment].groupby("room")["capafo"].sum()
    for name in ("drawers", "positions", "fibres_tr", "fibres_di", "capacity_tr", "capacity_di"):
        table[name] = amount(table["pm"], counts[name]).astype(np.int64)
    return table
