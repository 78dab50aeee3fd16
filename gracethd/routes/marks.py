"""Hops of optical routes as numbers: what each route meets, from the prise up, before anything is named."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import locate
from gracethd.routes.climb import slices
from gracethd.routes.positions import Positions, follow_cords
from gracethd.routes.survey import NOWHERE, Survey
from gracethd.routes.trace import Laid
from gracethd.routes.trails import Trails, Trunks, rows_of_walks

KINDS = ("nro", "pm", "box", "place", "cable", "cord", "pto", "")
"""Kinds of hops: a room by one of its drawers, a box, a place without box, a stretch of cable, a patch cord
in a room or a box, the outlet; nothing for an untraced prise."""
HOWS = ("splice", "cable", "zone", "room", "")
"""How one hop leads to the next: recorded positions, cables of one layer, the zone, membership of a room."""
PARTS = ("prise", "trail", "pm", "trunk", "nro")
MARK = (
    "route", "part", "seq", "side", "hop", "how", "asset", "place", "section", "fibre", "room", "position",
)  # fmt: skip
"""Columns of a mark: the route and its part, the turn in it, 0 for what stands and 1 for what runs, then
numbers of what `gracethd.routes.hops` names, -1 where there is none."""
BLOCK = 50_000
"""Routes that are laid at a time: a million hops."""


def lay_marks(
    laid: Laid, positions: Positions, trails: Trails, trunks: Trunks
) -> tuple[pd.DataFrame, Iterator[pd.DataFrame]]:
    """Lay the parts of every route end to end, as numbers.

    Returns
    -------
    table : DataFrame
        One row per route: row (of the prise), k (from 1), pm, nro (rows of `Survey.rooms`), trunk, walk; -1
        where there is none.
    marks : iterator of DataFrame
        Columns of `MARK` (int32), some routes at a time, from the NRO down; route is the row of `table`.
    """
    survey, how = laid.survey, laid.traced["traced"].to_numpy(object)
    cords, lit = _pm_cords(positions, trails, trunks)
    table = _alternatives(survey, trails, trunks, lit)
    row, walk = table["row"].to_numpy(np.int64), table["walk"].to_numpy(np.int64)
    lit_walks = np.unique(walk[walk >= 0])
    bright = rows_of_walks(survey, trunks, lit_walks)
    is_spliced = np.zeros(int(trunks.ways["trunk"].max()) + 1 if len(trunks.ways) else 0, np.bool_)
    is_spliced[trunks.ways["trunk"]] = trunks.ways["is_spliced"]
    kept = trunks.rows[trunks.rows["trail"].isin(trunks.ways["trunk"])]
    ways = [
        (_way_marks(survey, positions, trails.rows, how, "trail"), row),
        (
            _way_marks(
                survey, positions, kept, np.where(is_spliced, "splice", "cable").astype(object), "trunk"
            ),
            np.where(walk >= 0, NOWHERE, table["trunk"].to_numpy(np.int64)),
        ),
        (
            _way_marks(survey, positions, bright, np.full(len(lit_walks), "splice", object), "trunk"),
            np.where(walk >= 0, np.searchsorted(lit_walks, walk), NOWHERE),
        ),
    ]
    every = np.arange(len(table))
    rooms = _room_marks(survey, positions, table, trails, trunks, cords)
    alone = [_prise_marks(laid, row, how[row]), *rooms]
    parts = [*ways, *((_by_route(marks), every) for marks in alone)]
    return table, (
        _laid_block(parts, first, min(first + BLOCK, len(table))) for first in range(0, len(table), BLOCK)
    )


def _laid_block(parts: list[tuple[pd.DataFrame, NDArray[np.int64]]], first: int, end: int) -> pd.DataFrame:
    """Put the parts of some routes together: what each takes of each part, and in which order."""
    spread = []
    for marks, of in parts:
        key = marks["route"].to_numpy()
        edge = np.searchsorted(key, np.stack([of[first:end], of[first:end] + 1]))
        route, at = slices(edge[0], edge[1] - edge[0])
        spread.append(marks.iloc[at].assign(route=(route + first).astype(np.int32)))
    block = pd.concat(spread, ignore_index=True)
    order = ["part", "seq", "side"]
    down = np.lexsort((*(-block[name].to_numpy() for name in reversed(order)), block["route"].to_numpy()))
    return block.iloc[down].reset_index(drop=True)


def _by_route(marks: pd.DataFrame) -> pd.DataFrame:
    return marks.sort_values("route", kind="stable", ignore_index=True)


def _pm_cords(
    positions: Positions, trails: Trails, trunks: Trunks
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]:
    """Follow cords from the fibre of each prise to transport: the cords, and the walk lit (-1 not known)."""
    goals = pd.DataFrame({"fibre": trunks.walks.fibre[trunks.walks.indptr[:-1]], "room": trunks.pm_of})
    arrivals = pd.DataFrame({"fibre": trails.fibre, "room": trails.room})
    indptr, fibre = follow_cords(positions, arrivals, goals.astype(np.int64))
    size = np.diff(indptr)
    lit = np.full(len(size), NOWHERE, np.int64)
    found = size > 0
    once = goals.assign(walk=np.arange(len(goals))).drop_duplicates(["fibre", "room"])
    walk = once.set_index(["fibre", "room"])["walk"]
    last = fibre[indptr[1:][found] - 1]
    at = pd.MultiIndex.from_arrays([last, trails.room[found]])
    lit[found] = walk.reindex(at).to_numpy(np.int64)
    return (indptr, fibre), lit


def _alternatives(survey: Survey, trails: Trails, trunks: Trunks, lit: NDArray[np.int64]) -> pd.DataFrame:
    """List the routes of each prise: one for each way from its PM to an NRO, the lit one first.

    An untraced prise has one too, which meets nothing.
    """
    base = pd.DataFrame({"row": np.arange(len(trails.room)), "pm": trails.room, "lit": lit})
    base["lit_trunk"] = (
        np.where(base["lit"] >= 0, trunks.trunk_of[base["lit"]], NOWHERE) if len(trunks.trunk_of) else NOWHERE
    )
    table = base.merge(trunks.ways[["trunk", "pm", "nro"]], on="pm", how="left")
    is_nro = np.append(survey.rooms["nature"] == "NRO", False)[table["pm"].to_numpy(np.int64)]
    table["nro"] = np.where(is_nro, table["pm"], table["nro"].fillna(NOWHERE)).astype(np.int64)
    table["pm"] = np.where(is_nro, NOWHERE, table["pm"])
    table["trunk"] = table["trunk"].fillna(NOWHERE).astype(np.int64)
    is_lit = (table["trunk"] == table["lit_trunk"]) & (table["trunk"] >= 0)
    table["walk"] = table["lit"].where(is_lit, NOWHERE)
    table = table.assign(other=~is_lit).sort_values(["row", "other", "trunk"], ignore_index=True)
    table["k"] = 1 + table.groupby("row").cumcount()
    return table[["row", "k", "pm", "nro", "trunk", "walk"]]


def _part(name: str, n: int, **columns: object) -> pd.DataFrame:
    """Dress marks of one part; numbers that do not apply are -1."""
    frame = pd.DataFrame({column: columns.get(column, NOWHERE) for column in MARK}, index=range(n))
    return frame.assign(part=PARTS.index(name)).astype(dict.fromkeys(MARK, np.int32))


def _hows(how: NDArray[np.object_]) -> NDArray[np.int64]:
    return pd.Index(HOWS).get_indexer(pd.Index(how)).astype(np.int64)


def _prise_marks(laid: Laid, row: NDArray[np.int64], how: NDArray[np.object_]) -> pd.DataFrame:
    """Give the outlet of each prise that has a drop, and the PBO of each untraced one."""
    prises, survey = laid.demand.prises, laid.survey
    has_drop = prises["drop"].notna().to_numpy()[row] & np.isin(how, ["splice", "cable"])
    route, lost = np.flatnonzero(has_drop), np.flatnonzero(how == "")
    place = locate(prises["node"], survey.nodes)[row[route]]
    pbo = survey.box_asset.reindex(prises["pbo"]).fillna(NOWHERE).to_numpy(np.int64)[row[lost]]
    outlets = _part(
        "prise", len(route), route=route, seq=0, side=0, hop=KINDS.index("pto"), place=place,
        how=_hows(how[route]),
    )  # fmt: skip
    nothing = _part(
        "prise", len(lost), route=lost, seq=0, side=0, hop=KINDS.index(""), how=HOWS.index(""), asset=pbo
    )
    return pd.concat([outlets, nothing], ignore_index=True)


def _way_marks(
    survey: Survey, positions: Positions, rows: pd.DataFrame, how: NDArray[np.object_], part: str
) -> pd.DataFrame:
    """Turn rows of trails into hops: what stands at the downstream end, then the stretch."""
    route = rows["trail"].to_numpy(np.int64)
    code = _hows(how)[route]
    kind_of = survey.network.assets["kind"].to_numpy(object)
    owner, place = rows["owner"].to_numpy(np.int64), rows["place"].to_numpy(np.int64)
    kind = np.where(owner >= 0, kind_of[owner], "") if len(kind_of) else np.full(len(rows), "")
    room_of = pd.Index(survey.rooms["asset"].to_numpy())
    room = np.where(np.isin(kind, ["local", "site", "noeud"]), room_of.get_indexer(pd.Index(owner)), NOWHERE)
    room = np.where(owner >= 0, room, NOWHERE)
    is_nro = (survey.rooms["nature"] == "NRO").to_numpy()
    hop = np.select(
        [kind == "ebp", room >= 0, kind == "cable"],
        [
            KINDS.index("box"),
            np.where(is_nro[room], KINDS.index("nro"), KINDS.index("pm")) if len(is_nro) else NOWHERE,
            KINDS.index("cable"),
        ],
        KINDS.index("place"),
    )
    is_first_of_drop = survey.is_drop()[_cable_at(survey, rows)] & (rows["seq"] == 0).to_numpy()
    at_home = is_first_of_drop & (part == "trail") & (owner < 0)
    stands = ((owner >= 0) | (place >= 0)) & ~at_home
    fibre, before = rows["fibre"].to_numpy(np.int64), rows["before"].to_numpy(np.int64)
    box = np.where(kind == "ebp", owner, NOWHERE)
    joined = (fibre >= 0) & (before >= 0) & (fibre != before) & (box >= 0)
    held = (fibre >= 0) & ~joined & (box >= 0)
    position = np.full(len(rows), NOWHERE, np.int64)
    position[joined] = positions.of_pair(fibre[joined], before[joined], "box", box[joined])
    position[held] = positions.of_fibre(fibre[held], "box", box[held])
    seq = rows["seq"].to_numpy(np.int64)
    common = {"seq": seq, "how": code, "route": route}
    nodes = _part(
        part, len(rows), **common, side=0, hop=hop, asset=np.where(room >= 0, NOWHERE, owner), place=place,
        room=room, position=position,
    )[stands]  # fmt: skip
    is_cord = rows["cord"].to_numpy()
    runs = (rows["section"] >= 0).to_numpy() | is_cord
    stretches = _part(
        part, len(rows), **common, side=1, hop=np.where(is_cord, KINDS.index("cord"), KINDS.index("cable")),
        asset=_cable_at(survey, rows), section=rows["section"], fibre=fibre,
    )[runs]  # fmt: skip
    # a leg inside one stop is the cable itself: its fibre is known
    nodes["fibre"] = np.where(nodes["hop"] == KINDS.index("cable"), fibre[stands], NOWHERE).astype(np.int32)
    return _by_route(pd.concat([nodes, stretches], ignore_index=True))


def _cable_at(survey: Survey, rows: pd.DataFrame) -> NDArray[np.int64]:
    """Give the cable (asset) of each stretch, -1 none."""
    once = survey.network.sections.drop_duplicates("section").set_index("section")["cable"]
    return once.reindex(rows["section"]).fillna(NOWHERE).to_numpy(np.int64)


def _room_marks(
    survey: Survey,
    positions: Positions,
    table: pd.DataFrame,
    trails: Trails,
    trunks: Trunks,
    cords: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> list[pd.DataFrame]:
    """Give the rooms of each route, drawer by drawer where patch cords are recorded."""
    row = table["row"].to_numpy(np.int64)
    arriving = trails.fibre[row]
    walk = table["walk"].to_numpy(np.int64)
    is_lit = walk >= 0
    at_pm = (table["pm"] >= 0).to_numpy()
    size = np.where(is_lit & at_pm, np.diff(cords[0])[row], 0)
    path = slices(cords[0][:-1][row], size)
    pm = _one_room("pm", table["pm"].to_numpy(np.int64), arriving, (path[0], cords[1][path[1]]), positions)
    ends = trunks.walks.fibre[trunks.walks.indptr[1:] - 1].astype(np.int64)
    last = np.where(at_pm, NOWHERE, arriving)
    last[is_lit & at_pm] = ends[walk[is_lit & at_pm]]
    nro = table["nro"].to_numpy(np.int64)
    return [pm, _one_room("nro", nro, last, _nro_cords(survey, positions, last, nro), positions)]


def _nro_cords(
    survey: Survey, positions: Positions, fibre: NDArray[np.int64], room: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Follow cords from transport to the port of an operator: a cord whose other side is given no fibre."""
    table = positions.table
    single = table[(table["room"] >= 0) & ((table["fibre1"] < 0) | (table["fibre2"] < 0))]
    port = pd.DataFrame({"fibre": single[["fibre1", "fibre2"]].max(axis=1), "room": single["room"]})
    port = port[survey.cable_of_fibre[port["fibre"].to_numpy(np.int64)] < 0].drop_duplicates()
    asked = pd.DataFrame({"fibre": fibre, "room": room})
    once = asked[(fibre >= 0) & (room >= 0)].drop_duplicates(ignore_index=True)
    indptr, path = follow_cords(positions, once, port)
    number = pd.MultiIndex.from_frame(once).get_indexer(pd.MultiIndex.from_frame(asked))
    size = np.where(number >= 0, np.diff(indptr)[number], 0) if len(once) else np.zeros(len(asked), np.int64)
    first = indptr[:-1][number] if len(once) else np.zeros(len(asked), np.int64)
    owner, at = slices(first, size)
    return owner, path[at]


def _one_room(
    name: str,
    room: NDArray[np.int64],
    fibre: NDArray[np.int64],
    cords: tuple[NDArray[np.int64], NDArray[np.int64]],
    positions: Positions,
) -> pd.DataFrame:
    """Give one room of each route: its drawer, or each drawer with the cords between (owner, fibre)."""
    owner, path = cords
    turn = np.arange(len(owner)) - np.searchsorted(owner, owner)
    is_start = turn == 0
    before = np.where(is_start, fibre[owner], np.append(NOWHERE, path[:-1])[: len(path)])
    patched = np.bincount(owner, minlength=len(room)) > 0
    bare = np.flatnonzero((room >= 0) & ~patched)
    drawer = np.full(len(bare), NOWHERE, np.int64)
    known = fibre[bare] >= 0
    drawer[known] = positions.of_fibre(fibre[bare][known], "room", room[bare][known])
    kind = KINDS.index(name)
    one = _part(
        name, len(bare), route=bare, seq=0, side=0, hop=kind, room=room[bare], position=drawer,
        how=HOWS.index("room"),
    )  # fmt: skip
    joints = _part(
        name, len(path), route=owner, seq=turn, side=0, hop=kind, room=room[owner],
        position=positions.of_pair(before, path, "room", room[owner]), how=HOWS.index("splice"),
    )  # fmt: skip
    # the last fibre of a PM is that of its transport cable: no cord
    is_last = (
        np.append(np.diff(owner) != 0, [True])[: len(owner)] if name == "pm" else np.zeros(len(owner), bool)
    )
    inside = ~is_last
    lines = _part(
        name, int(inside.sum()), route=owner[inside], seq=turn[inside], side=1, hop=KINDS.index("cord"),
        fibre=path[inside], room=room[owner[inside]], how=HOWS.index("splice"),
    )  # fmt: skip
    parts = [one, joints, lines]
    if name == "nro":
        is_port = np.append(np.diff(owner) != 0, [True])[: len(owner)]
        port = _part(
            name, int(is_port.sum()), route=owner[is_port], seq=1 + turn[is_port], side=0, hop=kind,
            room=room[owner[is_port]], how=HOWS.index("splice"),
            position=positions.of_fibre(path[is_port], "room", room[owner[is_port]]),
        )  # fmt: skip
        parts.append(port)
    return pd.concat(parts, ignore_index=True)
