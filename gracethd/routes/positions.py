"""Positions of cassettes and drawers, looked up by the fibres that they hold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import follow
from gracethd.connected import connected_parts
from gracethd.inventory import Inventory
from gracethd.network.places import Places
from gracethd.routes.climb import climb, grow_tree
from gracethd.routes.survey import NOWHERE, Survey


@dataclass(frozen=True)
class Positions:
    """Positions by what they hold; the first in code order answers where several say the same.

    Attributes
    ----------
    table : DataFrame
        Rows of ``inventory["position"]``, sorted by code: fibre1, fibre2 (numbers, -1 none), box (asset, -1),
        room (row of `Survey.rooms`, -1), and text or number as delivered: position, cassette, cassette_num,
        position_num, drawer, fonct.
    """

    table: pd.DataFrame

    def of_pair(self, one: NDArray[np.int64], two: NDArray[np.int64], where: str, at: NDArray[np.int64]
                ) -> NDArray[np.int64]:  # fmt: skip
        """Find the position of two fibres in a box or a room (`where`), -1 none."""
        both = self.table[(self.table["fibre1"] >= 0) & (self.table["fibre2"] >= 0)]
        key = [both[["fibre1", "fibre2"]].min(axis=1), both[["fibre1", "fibre2"]].max(axis=1)]
        return _first(both.index, [*key, both[where]], [np.minimum(one, two), np.maximum(one, two), at])

    def of_fibre(self, fibre: NDArray[np.int64], where: str, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find the position of one fibre in a box or a room, one that holds it alone first, -1 none."""
        table = self.table
        is_alone = (table["fibre1"] < 0) | (table["fibre2"] < 0)
        sides = [table[is_alone], table[~is_alone]]
        rows = pd.concat([side.assign(fibre=side[name]) for side in sides for name in ("fibre1", "fibre2")])
        rows = rows[rows["fibre"] >= 0]
        return _first(rows.index, [rows["fibre"], rows[where]], [fibre, at])


def read_positions(inventory: Inventory, places: Places, survey: Survey) -> Positions:
    """Resolve positions to fibres, boxes and rooms; those that name no known fibre are left out."""
    position = inventory["position"].sort_values("ps_code", kind="stable", ignore_index=True)
    codes = pd.Index(inventory["fibre"]["fo_code"])
    cassette = inventory["cassette"].set_index("cs_code")
    in_drawer = position["ps_ti_code"].notna()
    box = follow(position["ps_cs_code"], cassette["cs_bp_code"]).mask(in_drawer)
    room = follow(position["ps_ti_code"], places.drawer_room)
    table = pd.DataFrame(
        {
            "fibre1": codes.get_indexer(position["ps_1"]).astype(np.int64),
            "fibre2": codes.get_indexer(position["ps_2"]).astype(np.int64),
            "box": survey.box_asset.reindex(box).fillna(NOWHERE).to_numpy(np.int64),
            "room": survey.nature.index.get_indexer(pd.Index(room)).astype(np.int64),
            "position": position["ps_code"],
            "cassette": position["ps_cs_code"],
            "cassette_num": cassette["cs_num"].reindex(position["ps_cs_code"]).to_numpy(float),
            "position_num": position["ps_numero"],
            "drawer": position["ps_ti_code"],
            "fonct": position["ps_fonct"],
        }
    )
    known = (table["fibre1"] >= 0) | (table["fibre2"] >= 0)
    return Positions(table[known].reset_index(drop=True))


def _first(rows: pd.Index, keys: list[pd.Series], wanted: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    names = [f"k{i}" for i in range(len(keys))]
    known = pd.DataFrame({name: key.to_numpy(np.int64) for name, key in zip(names, keys, strict=True)})
    known["row"] = rows.to_numpy(np.int64)
    known = known.drop_duplicates(names)
    asked = pd.DataFrame(dict(zip(names, wanted, strict=True)))
    found = asked.merge(known, on=names, how="left")["row"]
    return found.fillna(NOWHERE).to_numpy(np.int64)


def follow_cords(
    positions: Positions, arrivals: pd.DataFrame, goals: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Follow recorded patch cords inside rooms, from the drawer where a fibre arrives to the only goal.

    Splitters in drawers are crossed: what matters is that a single goal is joined to the arriving fibre.
    Where several are, or none, the patch is not recorded: the path is empty.

    Parameters
    ----------
    positions : Positions
    arrivals : DataFrame
        fibre, room (row of `Survey.rooms`).
    goals : DataFrame
        fibre, room: where cords may lead.

    Returns
    -------
    indptr : (n + 1,) int64
        Slices of `fibre`, one per arrival.
    fibre : int64
        Fibres after the arriving one, the goal last.
    """
    table = positions.table
    inside = table[(table["room"] >= 0) & (table["fibre1"] >= 0) & (table["fibre2"] >= 0)]
    # one vertex per fibre and room that a drawer position names, 0 the root
    keys = pd.concat(
        [
            inside[["fibre1", "room"]].set_axis(["fibre", "room"], axis=1),
            inside[["fibre2", "room"]].set_axis(["fibre", "room"], axis=1),
            goals[["fibre", "room"]],
            arrivals[["fibre", "room"]],
        ]
    )
    known = keys.drop_duplicates().sort_values(["fibre", "room"], ignore_index=True)
    number = pd.MultiIndex.from_frame(known)
    one, two = (
        1 + number.get_indexer(pd.MultiIndex.from_arrays([inside[name], inside["room"]]))
        for name in ("fibre1", "fibre2")
    )
    goal = 1 + number.get_indexer(pd.MultiIndex.from_frame(goals[["fibre", "room"]].drop_duplicates()))
    tail = np.concatenate([np.zeros(len(goal), np.int32), one]).astype(np.int32)
    head = np.concatenate([goal, two]).astype(np.int32)
    tree = grow_tree(1 + len(known), tail, head)
    part = connected_parts(1 + len(known), one, two)
    n_goals = np.bincount(part[goal], minlength=1 + len(known))
    start = 1 + number.get_indexer(pd.MultiIndex.from_frame(arrivals[["fibre", "room"]]))
    is_clear = (n_goals[part[start]] == 1) & ~np.isin(start, goal)
    paths = climb(tree, np.where(is_clear, start, 0), np.zeros(1 + len(known), np.bool_))
    size = np.where(is_clear, np.diff(paths.indptr) - 2, 0)
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    at = np.arange(indptr[-1]) + np.repeat(paths.indptr[:-1] + 1 - indptr[:-1], size)
    return indptr, known["fibre"].to_numpy(np.int64)[paths.vertex[at] - 1]
