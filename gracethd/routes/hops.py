"""Optical routes NRO-SRO-PBO-PTO, hop by hop, recomputed from positions and joined through the rooms (D7)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import follow, taken
from gracethd.inventory import Inventory
from gracethd.network.types import Network
from gracethd.routes.marks import HOWS, KINDS, lay_marks
from gracethd.routes.positions import Positions, read_positions
from gracethd.routes.survey import Survey
from gracethd.routes.trace import Laid, conclude, lay_routes
from gracethd.routes.trails import find_trails, find_trunks
from gracethd.routes.types import Routes
from gracethd.routes.verdicts import judge

COLUMNS = (
    "route", "prise", "n", "order", "hop", "how", "cable", "section", "fibre", "tube", "fibre_tube",
    "fibre_cable", "box", "room", "drawer", "cassette", "cassette_num", "position", "position_num",
    "ps_fonct", "place", "length_m", "traced", "status", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class OpticalRoutes:
    """Routes as `trace_routes` gives them, and the hops of each.

    Attributes
    ----------
    routes : Routes
    hops : DataFrame
        One row per hop, from the NRO down to the prise, sorted by prise, route and order. Columns:
        route (prise/1, prise/2... where several are redundancy), prise, n (prises that it stands for), order
        (from 1), hop (`gracethd.routes.marks.KINDS`), how (`HOWS`), cable, section (number of the stretch
        along the cable from its end 1), fibre (fo_code), tube, fibre_tube, fibre_cable (numbers, Int32), box,
        room, drawer, cassette, cassette_num, position (ps_code), position_num, ps_fonct, place (nd_code),
        length_m (float, of the stretch, NaN unknown or no stretch), traced (splice|cable|zone or ""), status
        (complete|ambiguous|broken), reason (French). Text that does not apply is "". An untraced prise has
        one row, order 0, without hop.
    """

    routes: Routes
    hops: pd.DataFrame


def optical_routes(
    inventory: Inventory, network: Network, *, feeds: pd.DataFrame | None = None
) -> OpticalRoutes:
    """Trace every prise and list the hops of its optical routes.

    The fibres of a route change only where a position records it: splices in boxes, patch cords in rooms.
    Rooms without recorded patch cords are joined by membership (`how` = room). Where fibres are missing the
    route follows the cables of each layer (`how` = cable), and last the zone of its PM (`how` = zone): then
    no fibre is named. An ambiguous route shows the shortest of its possible paths.

    Parameters
    ----------
    inventory : Inventory
    network : Network
        Built from the same inventory.
    feeds : DataFrame, optional
        As for `trace_routes`; routes end at the NRO, collecte is not listed.

    Examples
    --------
    >>> hops = optical_routes(inventory, network).hops  # doctest: +SKIP
    >>> hops[hops.prise == "SF000180031330"].length_m.sum()  # doctest: +SKIP
    """
    laid = lay_routes(inventory, network, feeds)
    routes = conclude(inventory, laid)
    positions = read_positions(inventory, laid.places, laid.survey)
    trails, trunks = find_trails(laid), find_trunks(laid)
    table, marks = lay_marks(laid, positions, trails, trunks)
    return OpticalRoutes(routes, _name(inventory, laid, routes, positions, table, marks))


def _name(
    inventory: Inventory,
    laid: Laid,
    routes: Routes,
    positions: Positions,
    table: pd.DataFrame,
    marks: pd.DataFrame,
) -> pd.DataFrame:
    """Give names to numbers, from the NRO down, and the untraced prises their row."""
    survey, prises, fibre = laid.survey, routes.prises, inventory["fibre"]
    fibre_code = fibre["fo_code"].to_numpy(object)
    verdict = judge(laid, prises, fibre_code)
    marks = marks.iloc[::-1].sort_values("route", kind="stable", ignore_index=True)
    route = marks["route"].to_numpy(np.int64)
    row = table["row"].to_numpy(np.int64)[route]
    codes = survey.network.assets["code"].to_numpy(object)
    is_box, is_line = (
        np.isin(marks["hop"], [KINDS.index(k) for k in kinds]) for kinds in (["box"], ["cable"])
    )
    number = marks["fibre"].to_numpy(np.int64)
    position = marks["position"].to_numpy(np.int64)
    told = positions.table
    room = marks["room"].to_numpy(np.int64)
    section = marks["section"].to_numpy(np.int64)
    rank, length = _sections(survey)
    prise = prises["code"].to_numpy(object)[row]
    cable = np.where(
        is_line, taken(codes, marks["asset"]), taken(fibre["fo_cb_code"].to_numpy(object), number)
    )
    place = np.where(room >= 0, taken(survey.rooms["nd_code"].to_numpy(object), room),
                     taken(survey.nodes.to_numpy(object), marks["place"]))  # fmt: skip
    pto = _outlets(inventory, prises["code"])
    box = np.where(is_box, taken(codes, marks["asset"]), "")
    box = np.where((marks["hop"] == KINDS.index("pto")).to_numpy(), pto[row], box)
    hops = pd.DataFrame(
        {
            "route": prise + "/" + table["k"].astype(str).to_numpy(object)[route],
            "prise": prise,
            "n": prises["n"].to_numpy()[row],
            "order": 1 + marks.groupby("route").cumcount().to_numpy(),
            "hop": np.array(KINDS, object)[marks["hop"].to_numpy()],
            "how": np.array(HOWS, object)[marks["how"].to_numpy()],
            "cable": cable,
            "section": _counted(rank, section),
            "fibre": taken(fibre_code, number),
            "tube": _counted(fibre["fo_numtub"].to_numpy(float), number),
            "fibre_tube": _counted(fibre["fo_nintub"].to_numpy(float), number),
            "fibre_cable": _counted(fibre["fo_nincab"].to_numpy(float), number),
            "box": box,
            "room": taken(survey.rooms["room"].to_numpy(object), room),
            "drawer": taken(told["drawer"].to_numpy(object), position),
            "cassette": taken(told["cassette"].to_numpy(object), position),
            "cassette_num": _counted(told["cassette_num"].to_numpy(float), position),
            "position": taken(told["position"].to_numpy(object), position),
            "position_num": _counted(told["position_num"].to_numpy(float), position),
            "ps_fonct": taken(told["fonct"].to_numpy(object), position),
            "place": place,
            "length_m": np.where(section >= 0, _measured(length, section), np.nan),
            "_row": row,
        }
    )
    hops = pd.concat([hops, _untraced(prises, hops)], ignore_index=True)
    hops = hops.sort_values(["_row", "route", "order"], kind="stable", ignore_index=True)
    of = hops.pop("_row").to_numpy(np.int64)
    hops["traced"] = prises["traced"].to_numpy(object)[of]
    hops["status"], hops["reason"] = (verdict[name].to_numpy(object)[of] for name in ("status", "reason"))
    text = [name for name in COLUMNS if hops[name].dtype == object]
    hops[text] = hops[text].fillna("").astype(str)
    return hops[list(COLUMNS)]


def _untraced(prises: pd.DataFrame, hops: pd.DataFrame) -> pd.DataFrame:
    lost = prises[prises["traced"] == ""]
    rows = pd.DataFrame({"route": lost["code"] + "/1", "prise": lost["code"], "n": lost["n"], "order": 0})
    rows = rows.assign(box=lost["pbo"], _row=lost.index.to_numpy(np.int64)).reindex(columns=hops.columns)
    return rows.astype({name: dtype for name, dtype in hops.dtypes.items() if str(dtype) == "Int32"})


def _sections(survey: Survey) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the number of each stretch along its cable (from 1) and its length, by section number."""
    once = survey.network.sections.drop_duplicates("section").sort_values("section")
    n = int(once["section"].max()) + 1 if len(once) else 0
    rank, length = np.full(n, np.nan), np.full(n, np.nan)
    rank[once["section"]] = 1 + once.groupby("cable").cumcount()
    length[once["section"]] = once["length_m"]
    return rank, length


def _outlets(inventory: Inventory, prises: pd.Series) -> NDArray[np.object_]:
    ebp = inventory["ebp"]
    own = ebp[ebp["bp_sf_code"].notna()].sort_values("bp_code").drop_duplicates("bp_sf_code")
    return follow(prises, own.set_index("bp_sf_code")["bp_code"]).fillna("").to_numpy(object)


def _measured(values: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(at >= 0, values[at], np.nan) if len(values) else np.full(len(at), np.nan)


def _counted(values: NDArray[np.float64], at: NDArray[np.int64]) -> pd.Series:
    return pd.Series(_measured(values, at)).round().astype("Int32")
