"""Status of each optical route: complete, ambiguous or broken, and why, in French (D7)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import taken
from gracethd.routes.alignments import MAX_HOPS, find_stops
from gracethd.routes.splices import fibres_to_hand_out, hand_out
from gracethd.routes.survey import NOWHERE, Survey
from gracethd.routes.tallies import WHY_UNTRACED
from gracethd.routes.trace import Laid
from gracethd.routes.trails import claimants

BY_WHAT = {"cable": "suivie par les câbles", "zone": "suivie par la zone du PM"}
WHERE_STOPPED = (
    (
        "ambiguous",
        "coupleur ou fibre employée deux fois : ",
        " a plusieurs suites, rien ne dit laquelle est allumée ; ",
    ),
    ("broken", f"épissures sans fin : plus de {MAX_HOPS} fibres jusqu'à ", " ; "),
    ("broken", "alignement rompu : la fibre ", " n'a pas de suite ; "),
    ("broken", "l'alignement finit par la fibre ", " dans un local qu'aucune injection n'alimente ; "),
)  # fmt: skip
"""Status, and words around the fibre where a walk stopped: several follow, no end, none follows, no feed."""
NOT_LIT = "plusieurs chemins passifs possibles, rien ne dit lequel est allumé"
NO_FIBRE = {
    "cable": "aucune fibre attribuée à cette prise : suivie par les câbles",
    "zone": "ni épissure ni câble jusqu'à son PBO : suivie par la zone du PM",
}
NO_TRANSPORT = "transport non livré : la route s'arrête au PM"


def judge(laid: Laid, prises: pd.DataFrame, fibre_code: NDArray[np.object_]) -> pd.DataFrame:
    """Give status and reason of the route of each prise.

    Parameters
    ----------
    laid : Laid
    prises : DataFrame
        `Routes.prises`: traced, state, reason, nro.
    fibre_code : (n_fibres,) object
        What fibre numbers stand for.

    Returns
    -------
    DataFrame
        With the rows of `prises`: status (complete|ambiguous|broken), reason ("" where there is nothing to
        say). *Complete* also holds where no fibre is recorded and one path of cables is known; *broken* where
        fibres are recorded and stop before a drawer, though cables go on.
    """
    traced = prises["traced"]
    lost = (traced == "").to_numpy()
    last, choices = _where_fibres_stop(laid)
    stuck = (last >= 0) & ~lost
    status = np.select([lost, prises["state"] == "ambiguous"], ["broken", "ambiguous"], "complete").astype(
        object
    )
    reason = np.select(
        [
            lost,
            prises["state"] == "ambiguous",
            traced.isin(list(NO_FIBRE)),
            prises["nro"] == "",
        ],
        [
            prises["reason"].map(WHY_UNTRACED).to_numpy(object),
            np.full(len(prises), NOT_LIT, object),
            traced.map(NO_FIBRE).to_numpy(object),
            np.full(len(prises), NO_TRANSPORT, object),
        ],
        "",
    )
    case = np.select([choices >= 2, choices == 1, choices == 0], [0, 1, 2], 3)[stuck]
    words, before, after = (np.array(column, object)[case] for column in zip(*WHERE_STOPPED, strict=True))
    cable = taken(laid.survey.fibres.cable, last[stuck])
    by = traced[stuck].map(BY_WHAT).to_numpy(object)
    status[stuck] = words
    reason[stuck] = before + taken(fibre_code, last[stuck]) + " (câble " + cable + ")" + after + by
    return pd.DataFrame({"status": status, "reason": reason})


def _where_fibres_stop(laid: Laid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the last fibre of the walk that each unserved prise would have taken, -1 none, and what follows.

    Fibres of a drop that no position names are not recorded: they tell nothing.
    """
    survey, how = laid.survey, laid.traced["traced"].to_numpy()
    last = np.full(len(how), NOWHERE, np.int64)
    choices = np.full(len(how), NOWHERE, np.int64)
    every_room = pd.Series(data=True, index=survey.nature.index)
    is_told = _with_position(survey)
    for waiting, by, starts in fibres_to_hand_out(survey, claimants(laid)):
        served, walks, _ = hand_out(survey, waiting, by, starts)
        unfed = how[served] != "splice"
        last[served[unfed]] = walks.fibre[walks.indptr[1:] - 1][unfed]
        fibre, count = find_stops(
            survey.fibres, starts["fibre"].to_numpy(np.int32), survey.box_asset.index, every_room
        )
        failed = starts.assign(last=fibre, choices=count)[(count >= 0) & is_told[starts["fibre"].to_numpy()]]
        failed = failed.assign(turn=failed.groupby("by").cumcount())
        left = waiting[~waiting["row"].isin(served)]
        left = left.assign(turn=left.groupby(by).cumcount())[["row", by, "turn"]]
        pair = left.merge(failed, left_on=[by, "turn"], right_on=["by", "turn"])
        last[pair["row"].to_numpy()] = pair["last"].to_numpy()
        choices[pair["row"].to_numpy()] = pair["choices"].to_numpy()
    return last, choices


def _with_position(survey: Survey) -> NDArray[np.bool_]:
    told = np.zeros(len(survey.fibres.cable), np.bool_)
    for table, names in (
        (survey.fibres.splices, ("fibre1", "fibre2")),
        (survey.fibres.contacts, ("fibre",)),
        (survey.fibres.waiting, ("fibre",)),
    ):
        for name in names:
            told[table[name].to_numpy(np.int64)] = True
    return told
