"""Prises traced by splices: the fibres of their drop, else the fibres that wait in their PBO (D7)."""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.routes.alignments import Walks, walk_alignments
from gracethd.routes.chains import Chains, Starts, find_chains, lay_chains
from gracethd.routes.laying import Graphs
from gracethd.routes.survey import NOWHERE, Survey


def splice_vertices(
    graphs: Graphs, survey: Survey, prises: pd.DataFrame, far: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Lay the spliced routes of prises and give the nominal vertex of each prise, -1 without such a route.

    A drop with n fibres spliced through to a drawer carries min(n, its premises); premises without drop take
    the fibres waiting in their PBO; both in code order. An address that stands for several prises takes no
    fibre: nothing tells which of them is connected.

    Parameters
    ----------
    graphs : Graphs
        Receives the chains.
    survey : Survey
    prises : DataFrame
        One row per prise: n, pbo, drop_asset (NaN none), reason ("" where it is to be traced).
    far : (n_prises,) int32
        Vertex of each prise in the physical graph, -1 unknown.
    """
    vertex = np.full(len(prises), NOWHERE, np.int32)
    for waiting, by, starts in fibres_to_hand_out(survey, prises):
        served, walks, first = hand_out(survey, waiting, by, starts)
        vertex[served] = _lay(graphs, survey, walks, first, far[served])
    depth = graphs.nominal.depth()
    return np.where((vertex >= 0) & (depth[vertex] >= 0), vertex, NOWHERE).astype(np.int32)


def fibres_to_hand_out(
    survey: Survey, prises: pd.DataFrame
) -> list[tuple[pd.DataFrame, Literal["drop_asset", "pbo"], pd.DataFrame]]:
    """List who takes fibres of what: prises (with their row), the column that they share, the fibres.

    Fibres are a frame: fibre (number), by (value of that column), box (asset or -1) and stop of their start.
    """
    single = prises.assign(row=np.arange(len(prises)))[(prises["reason"] == "") & (prises["n"] == 1)]
    with_drop = single["drop_asset"].notna()
    return [
        (single[with_drop], "drop_asset", _drop_fibres(survey)),
        (single[~with_drop].dropna(subset="pbo"), "pbo", _waiting_fibres(survey)),
    ]


def _drop_fibres(survey: Survey) -> pd.DataFrame:
    """List the fibres of drops, with the stop at the premise."""
    is_drop = np.append(survey.is_drop(), False)  # a patch cord, -1, reads the last
    fibre = np.flatnonzero(is_drop[survey.cable_of_fibre])
    by = survey.cable_of_fibre[fibre]
    stop = survey.premise_stop.reindex(by).to_numpy(np.int64)
    return pd.DataFrame({"fibre": fibre, "by": by, "box": NOWHERE, "stop": stop})


def _waiting_fibres(survey: Survey) -> pd.DataFrame:
    """List the fibres of network cables that wait in a box where their cable stops."""
    wait = survey.fibres.waiting[["fibre", "ebp"]]
    wait = wait.assign(cable=survey.cable_of_fibre[wait["fibre"].to_numpy()])
    at = survey.boxed.drop_duplicates(["cable", "ebp"])
    wait = wait.merge(at[["cable", "ebp", "box", "stop"]], on=["cable", "ebp"])
    wait = wait[~survey.is_drop()[wait["cable"].to_numpy()]]
    return wait.rename(columns={"ebp": "by"})[["fibre", "by", "box", "stop"]]


def hand_out(
    survey: Survey, prises: pd.DataFrame, by: str, starts: pd.DataFrame
) -> tuple[NDArray[np.int64], Walks, pd.DataFrame]:
    """Walk the starting fibres and hand those that reach a drawer out to prises, in code order.

    Returns
    -------
    rows : (n,) int
        Of the prises served.
    walks : Walks
        One for each.
    first : DataFrame
        Where each starts: box, stop.
    """
    starts = starts[starts["by"].isin(prises[by])].reset_index(drop=True)
    every_room = pd.Series(data=True, index=survey.nature.index)
    walks = walk_alignments(
        survey.fibres, starts["fibre"].to_numpy(np.int32), survey.box_asset.index, every_room
    )
    good = starts.iloc[walks.start].assign(walk=np.arange(len(walks.start)))
    good["turn"] = good.groupby("by").cumcount()
    turns = prises.assign(turn=prises.groupby(by).cumcount())[["row", by, "turn"]]
    pair = turns.merge(good, left_on=[by, "turn"], right_on=["by", "turn"]).sort_values("walk")
    return pair["row"].to_numpy(np.int64), walks.take(pair["walk"].to_numpy(np.int64)), pair


def _lay(
    graphs: Graphs, survey: Survey, walks: Walks, first: pd.DataFrame, far: NDArray[np.int32]
) -> NDArray[np.int32]:
    new = np.full(len(first), NOWHERE, np.int32)
    chains = spliced_chains(survey, walks, first)
    vertex = lay_chains(
        graphs.nominal, chains, survey, rooms=graphs.joints.rooms.to_numpy(), given=new[chains.first]
    )
    lay_chains(
        graphs.physical, chains, survey, rooms=graphs.hooks.rooms.to_numpy(), given=far[chains.first],
        kept=chains.is_loose,
    )  # fmt: skip
    return vertex[chains.route]


def spliced_chains(survey: Survey, walks: Walks, first: pd.DataFrame) -> Chains:
    """Expand the walks of `hand_out` into the stretches of cable that they run through."""
    new = np.full(len(first), NOWHERE, np.int32)
    anywhere = np.full(len(first), None, object)
    starts = Starts(first["stop"].to_numpy(np.int64), first["box"].to_numpy(np.int64), new, anywhere)
    return find_chains(survey, walks, starts)
