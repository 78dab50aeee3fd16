"""Fibres and their positions: where cables are spliced, and the alignments that fibres form."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import follow, locate
from gracethd.connected import connected_parts
from gracethd.inventory import Inventory
from gracethd.network.places import Places


@dataclass(frozen=True)
class Fibres:
    """Fibres by number (rows of ``inventory["fibre"]``) and what positions say of them.

    Attributes
    ----------
    cable : (n,) array of str codes
        Cable of each fibre.
    splices : DataFrame
        One row per splice met once: fibre1, fibre2 (numbers, fibre1 < fibre2), ebp (box).
    contacts : DataFrame
        One row per fibre that stops at a drawer: fibre, room.
    touches : DataFrame
        Where fibres of a cable have positions: cable, ebp, room, n (one of ebp, room is NaN).
    waiting : DataFrame
        Fibres waiting in a box (ps_fonct AT): fibre, ebp, ps_code, in code order.
    group : (n,) int
        Alignment that each fibre belongs to: fibres joined by splices, never through a drawer (D6).
    """

    cable: NDArray[np.object_]
    splices: pd.DataFrame
    contacts: pd.DataFrame
    touches: pd.DataFrame
    waiting: pd.DataFrame
    group: NDArray[np.int32]


def read_fibres(inventory: Inventory, places: Places) -> Fibres:
    """Resolve positions to fibres, boxes and rooms; positions that name no known fibre tell nothing."""
    fibre, position = inventory["fibre"], inventory["position"]
    cable = fibre["fo_cb_code"].to_numpy(dtype=object)
    box = follow(position["ps_cs_code"], inventory["cassette"].set_index("cs_code")["cs_bp_code"])
    room = follow(position["ps_ti_code"], places.drawer_room)
    box = box.mask(position["ps_ti_code"].notna())  # a module of a drawer is a cassette too
    first = locate(position["ps_1"], fibre["fo_code"])
    second = locate(position["ps_2"], fibre["fo_code"])
    ends = pd.DataFrame(
        {
            "fibre": np.concatenate([first, second]),
            "ebp": pd.concat([box, box], ignore_index=True),
            "room": pd.concat([room, room], ignore_index=True),
        }
    )
    ends = ends[ends["fibre"] >= 0]
    contacts = (
        ends.loc[ends["room"].notna(), ["fibre", "room"]].drop_duplicates().sort_values(["fibre", "room"])
    )
    touched = ends[ends["ebp"].notna() | ends["room"].notna()]
    touches = (
        touched.assign(cable=cable[touched["fibre"].to_numpy()])
        .groupby(["cable", "ebp", "room"], dropna=False, sort=True)
        .size()
        .rename("n")
        .reset_index()
    )
    touches = touches[touches["cable"].notna()]
    splices = _splices(first, second, box)
    is_waiting = (
        ((first >= 0) ^ (second >= 0)) & box.notna().to_numpy() & (position["ps_fonct"] == "AT").to_numpy()
    )
    waiting = pd.DataFrame(
        {
            "fibre": np.maximum(first, second)[is_waiting],
            "ebp": box[is_waiting],
            "ps_code": position["ps_code"][is_waiting],
        }
    ).sort_values(["ebp", "ps_code"], ignore_index=True)
    group = connected_parts(len(fibre), splices["fibre1"].to_numpy(), splices["fibre2"].to_numpy())
    return Fibres(cable, splices, contacts.reset_index(drop=True), touches, waiting, group)


def _splices(first: NDArray[np.int64], second: NDArray[np.int64], box: pd.Series) -> pd.DataFrame:
    joined = (first >= 0) & (second >= 0) & (first != second) & box.notna().to_numpy()
    pairs = pd.DataFrame(
        {
            "fibre1": np.minimum(first, second)[joined],
            "fibre2": np.maximum(first, second)[joined],
            "ebp": box[joined].to_numpy(),
        }
    )
    return pairs.drop_duplicates().sort_values(["fibre1", "fibre2", "ebp"], ignore_index=True)
