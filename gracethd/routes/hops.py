"""Optical routes NRO-SRO-PBO-PTO, hop by hop, recomputed from positions and joined through the rooms (D7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import follow
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


COUNTED = ("section", "tube", "fibre_tube", "fibre_cable", "cassette_num", "position_num")


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
        (complete|ambiguous|broken), reason (French). Texts are categories, "" where they do not apply. An
        untraced prise has one row, order 0, without hop.
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
    return OpticalRoutes(routes, _name(table, marks, _spell(inventory, laid, routes, positions, table)))


@dataclass(frozen=True)
class _Spelling:
    """What numbers of marks are called.

    Attributes
    ----------
    words : mapping of str to array of str
        Categories of each column of text; the first is "".
    code : mapping of str to int32 array
        Category by number (asset, fibre, position, prise or route), with a last 0 for the number -1.
    number : mapping of str to float array
        Other columns by number (section, fibre or position), with a last NaN for the number -1.
    """

    words: Mapping[str, NDArray[np.object_]]
    code: Mapping[str, NDArray[np.int32]]
    number: Mapping[str, NDArray[np.float64]]


def _name(table: pd.DataFrame, blocks: Iterator[pd.DataFrame], spelling: _Spelling) -> pd.DataFrame:
    """Name the hops: block after block becomes codes of categories, spelled once at the end."""
    parts = [_coded(table, block, spelling) for block in blocks]
    frame: dict[str, object] = {}
    for name in COLUMNS:
        values = np.concatenate([part[name] for part in parts]) if parts else np.zeros(0, np.int32)
        if name in spelling.words:
            words = pd.Index(spelling.words[name], dtype="str")
            frame[name] = pd.Categorical.from_codes(values, words).remove_unused_categories()
        elif name in COUNTED:
            missing = np.isnan(values)
            counted = pd.array(np.where(missing, 0, values).round().astype(np.int32), dtype="Int32")
            counted[missing] = pd.NA
            frame[name] = counted
        else:
            frame[name] = values
    return pd.DataFrame(frame)


def _coded(table: pd.DataFrame, block: pd.DataFrame, spelling: _Spelling) -> dict[str, NDArray[np.generic]]:
    """Give the columns of some hops as codes and numbers."""
    code, number = spelling.code, spelling.number
    route, hop, asset, fibre, room, position, section = (
        block[name].to_numpy() for name in ("route", "hop", "asset", "fibre", "room", "position", "section")
    )
    row = table["row"].to_numpy(np.int64)[route]
    is_cable, is_pto = hop == KINDS.index("cable"), hop == KINDS.index("pto")
    is_lost = hop == KINDS.index("")
    first = np.searchsorted(route, route)
    return {
        "route": code["route"][route],
        "prise": code["prise"][row],
        "n": number["n"][row].astype(np.int64),
        "order": np.where(is_lost, 0, 1 + np.arange(len(route)) - first),
        "hop": code["hop"][hop],
        "how": code["how"][block["how"].to_numpy()],
        "cable": np.where(is_cable, code["cable"][asset], code["cord"][fibre]),
        "section": number["section"][section],
        "fibre": code["fibre"][fibre],
        "tube": number["tube"][fibre],
        "fibre_tube": number["fibre_tube"][fibre],
        "fibre_cable": number["fibre_cable"][fibre],
        "box": np.where(is_pto, code["pto"][row], code["box"][asset]),
        "room": code["room"][room],
        "drawer": code["drawer"][position],
        "cassette": code["cassette"][position],
        "cassette_num": number["cassette_num"][position],
        "position": code["position"][position],
        "position_num": number["position_num"][position],
        "ps_fonct": code["ps_fonct"][position],
        "place": np.where(room >= 0, code["room_place"][room], code["place"][block["place"].to_numpy()]),
        "length_m": number["length_m"][section],
        "traced": code["traced"][row],
        "status": code["status"][row],
        "reason": code["reason"][row],
    }


def _spell(
    inventory: Inventory, laid: Laid, routes: Routes, positions: Positions, table: pd.DataFrame
) -> _Spelling:
    """Prepare the names of everything that hops may meet."""
    survey, prises, fibre, told = laid.survey, routes.prises, inventory["fibre"], positions.table
    assets = survey.network.assets
    verdict = judge(laid, prises, fibre["fo_code"].to_numpy(object))
    route = prises["code"].to_numpy(object)[table["row"]] + "/" + table["k"].astype(str).to_numpy(object)
    spelled = {
        "route": pd.Series(route),
        "prise": prises["code"],
        "fibre": fibre["fo_code"],
        "room": survey.rooms["room"],
        "place": pd.Series(survey.nodes),
        "drawer": told["drawer"],
        "cassette": told["cassette"],
        "position": told["position"],
        "ps_fonct": told["fonct"],
        "traced": prises["traced"],
        "status": verdict["status"],
        "reason": verdict["reason"],
        "hop": pd.Series(KINDS),
        "how": pd.Series(HOWS),
        "cable": assets["code"].where(assets["kind"] == "cable"),
        "box": assets["code"].where(assets["kind"] == "ebp"),
    }
    words, code = {}, {}
    for name, values in spelled.items():
        words[name], code[name] = _categories(values)
    words["cable"], code["cable"], code["cord"] = _shared(spelled["cable"], fibre["fo_cb_code"])
    words["box"], code["box"], code["pto"] = _shared(spelled["box"], _outlets(inventory, prises["code"]))
    code["room_place"] = np.append(code["place"][survey.rooms["place"].to_numpy(np.int64)], 0)
    rank, length = _sections(survey)
    number = {
        "n": prises["n"].to_numpy(float),
        "section": rank,
        "length_m": length,
        "tube": fibre["fo_numtub"].to_numpy(float),
        "fibre_tube": fibre["fo_nintub"].to_numpy(float),
        "fibre_cable": fibre["fo_nincab"].to_numpy(float),
        "cassette_num": told["cassette_num"].to_numpy(float),
        "position_num": told["position_num"].to_numpy(float),
    }
    return _Spelling(words, code, {name: np.append(values, np.nan) for name, values in number.items()})


def _categories(values: pd.Series) -> tuple[NDArray[np.object_], NDArray[np.int32]]:
    """Give the distinct texts, "" first, and the code of each value; then 0, for the number -1."""
    codes, words = pd.factorize(values.where(values != ""), sort=True)
    return np.append("", np.asarray(words, object)), np.append(codes + 1, 0).astype(np.int32)


def _shared(
    one: pd.Series, two: pd.Series
) -> tuple[NDArray[np.object_], NDArray[np.int32], NDArray[np.int32]]:
    """Give two series the same categories."""
    words, code = _categories(pd.concat([one, two], ignore_index=True).astype("str"))
    return words, np.append(code[: len(one)], 0).astype(np.int32), code[len(one) :]


def _sections(survey: Survey) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the number of each stretch along its cable (from 1) and its length, by section number."""
    once = survey.network.sections.drop_duplicates("section").sort_values("section")
    n = int(once["section"].max()) + 1 if len(once) else 0
    rank, length = np.full(n, np.nan), np.full(n, np.nan)
    rank[once["section"]] = 1 + once.groupby("cable").cumcount()
    length[once["section"]] = once["length_m"]
    return rank, length


def _outlets(inventory: Inventory, prises: pd.Series) -> pd.Series:
    ebp = inventory["ebp"]
    own = ebp[ebp["bp_sf_code"].notna()].sort_values("bp_code").drop_duplicates("bp_sf_code")
    return follow(prises, own.set_index("bp_sf_code")["bp_code"])
