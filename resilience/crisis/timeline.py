"""What is down, hour by hour, and for whom."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.routes import Routes
from resilience.areas import areas_of_prises
from resilience.losses import LossIndex, losses_of_sets, lost_vertices
from resilience.stakes import prises_of_sites

Float = NDArray[np.float64]
SCOPES = ("pm", "nro", "commune", "epci")
RESTORED = (0.5, 0.9, 0.99)


def spans(failures: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Give when each asset is out of service.

    Parameters
    ----------
    failures : DataFrame
        From `resilience.crisis.failing.failed_assets`.
    tasks : DataFrame
        From `resilience.crisis.dispatch.dispatch`.

    Returns
    -------
    DataFrame
        asset, from_h, to_h (inf: never repaired); one row per failure. What waits for power is back with it,
        or with a generator; all else when its task ends.
    """
    is_power = tasks["back_at_h"].notna()
    mended, lit = (
        failures["asset"].map(tasks[of].set_index("asset")["end_h"]).fillna(np.inf)
        for of in (~is_power, is_power)
    )
    to_h = failures["back_at_h"].fillna(mended)
    waits = failures["back_at_h"].notna() & (lit >= failures["cut_at_h"])
    to_h = to_h.where(~waits, np.minimum(to_h, np.maximum(lit, failures["failed_at_h"])))
    return pd.DataFrame({"asset": failures["asset"], "from_h": failures["failed_at_h"], "to_h": to_h})


def down_over_time(nominal: LossIndex, physical: LossIndex, out: pd.DataFrame) -> pd.DataFrame:
    """Count the prises down from each moment at which anything changes, exactly.

    Parameters
    ----------
    nominal, physical : LossIndex
        Of the two service graphs, each for the prises.
    out : DataFrame
        From `spans`.

    Returns
    -------
    DataFrame
        By hour, from 0: hour, prises_down (without service, with the splices of today), prises_stranded
        (whatever is spliced again: no path is left; the others could be served by patching), n_out (assets
        out of service). The last row holds for ever.
    """
    hours, sets, members = _sets_over_time(out)
    down = losses_of_sets(nominal, sets, members)[:, 0]
    stranded = losses_of_sets(physical, sets, members)[:, 0]
    return pd.DataFrame(
        {"hour": hours, "prises_down": down, "prises_stranded": stranded, "n_out": np.diff(sets)}
    )


def prises_down(index: LossIndex, out: pd.DataFrame) -> pd.DataFrame:
    """Count the prises down in one graph only: hour, prises_down as `down_over_time` gives them."""
    hours, sets, members = _sets_over_time(out)
    return pd.DataFrame({"hour": hours, "prises_down": losses_of_sets(index, sets, members)[:, 0]})


def _sets_over_time(out: pd.DataFrame) -> tuple[Float, NDArray[np.int64], NDArray[np.int32]]:
    """Give the moments at which anything changes, and the assets out of service from each."""
    begins, ends = out["from_h"].to_numpy(np.float64), out["to_h"].to_numpy(np.float64)
    hours = np.unique(np.concatenate([[0.0], begins, ends[np.isfinite(ends)]]))
    moment, row = np.nonzero((begins <= hours[:, None]) & (hours[:, None] < ends))
    sets = np.searchsorted(moment, np.arange(len(hours) + 1)).astype(np.int64)
    return hours, sets, out["asset"].to_numpy(np.int32)[row]


def prises_hours(curve: pd.DataFrame) -> float:
    """Sum the prises·h of a curve; infinite where some never come back."""
    down, hour = curve["prises_down"].to_numpy(np.float64), curve["hour"].to_numpy(np.float64)
    return float("inf") if down[-1] > 0 else float(np.sum(down[:-1] * np.diff(hour)))


def hours_until_restored(curve: pd.DataFrame, share: float) -> float:
    """Give the hour from which at least `share` of the prises down at the worst are back for good.

    Examples
    --------
    >>> curve = pd.DataFrame({"hour": [0.0, 4.0, 9.0], "prises_down": [10, 4, 0]})
    >>> hours_until_restored(curve, 0.5), hours_until_restored(curve, 0.99)
    (4.0, 9.0)
    """
    down = curve["prises_down"].to_numpy(np.float64)
    too_many = np.flatnonzero(down > (1 - share) * down.max())
    if not len(too_many):
        return 0.0
    last = int(too_many[-1])
    return float(curve["hour"].iloc[last + 1]) if last + 1 < len(curve) else float("inf")


def situation(
    hour: float,
    out: pd.DataFrame,
    nominal: LossIndex,
    physical: LossIndex,
    routes: Routes,
    tables: Mapping[str, pd.DataFrame],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell who is without service at an hour: by PM, NRO, commune and EPCI, and the sensitive sites.

    Returns
    -------
    areas : DataFrame
        scope (pm|nro|commune|epci), code, prises (traced), prises_down, prises_stranded, share_down; by
        scope, then the most down first; areas without a prise down are left out.
    sites : DataFrame
        The rows of the table sites_sensibles whose prise is down: id, type, nom, prise, stranded (bool);
        without that table, empty.
    """
    active = _active(hour, out)
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0].sort_values("code", kind="stable")
    is_down = lost_vertices(nominal, active)[prises["vertex_nominal"]]
    is_stranded = is_down & lost_vertices(physical, active)[prises["vertex_physical"]]
    counted = areas_of_prises(prises, tables.get("communes")).assign(
        prises=prises["n"],
        prises_down=prises["n"].where(is_down, 0),
        prises_stranded=prises["n"].where(is_stranded, 0),
    )
    parts = [
        counted[counted[scope] != ""]
        .groupby(scope)[["prises", "prises_down", "prises_stranded"]]
        .sum()
        .rename_axis("code")
        .reset_index()
        .assign(scope=scope)
        for scope in SCOPES
    ]
    areas = pd.concat(parts, ignore_index=True)
    areas = areas[areas["prises_down"] > 0].assign(share_down=areas["prises_down"] / areas["prises"])
    areas["rank"] = areas["scope"].map({scope: i for i, scope in enumerate(SCOPES)})
    areas = areas.sort_values(
        ["rank", "prises_down", "code"], ascending=[True, False, True], ignore_index=True
    )
    names = ["scope", "code", "prises", "prises_down", "prises_stranded", "share_down"]
    return areas[names], _sites_down(prises, is_down, is_stranded, tables)


def counts_down(hour: float, out: pd.DataFrame, nominal: LossIndex, counts: pd.DataFrame) -> pd.Series:
    """Sum what stands at the vertices without service at an hour.

    `counts` is from `resilience.stakes.stakes`; the answer is int64, by its columns.
    """
    return counts[lost_vertices(nominal, _active(hour, out))].sum()


def _active(hour: float, out: pd.DataFrame) -> NDArray[np.int32]:
    return out[(out["from_h"] <= hour) & (hour < out["to_h"])]["asset"].to_numpy(np.int32)


def _sites_down(
    prises: pd.DataFrame, is_down: np.ndarray, is_stranded: np.ndarray, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    columns = ["id", "type", "nom", "prise", "stranded"]
    if "sites_sensibles" not in tables:
        return pd.DataFrame(columns=columns)
    sites = tables["sites_sensibles"]
    row = prises_of_sites(prises, sites)
    hit = (row >= 0) & is_down[row]
    found = sites.loc[hit, ["id", "type", "nom"]].assign(
        prise=prises["code"].to_numpy()[row[hit]], stranded=is_stranded[row[hit]]
    )
    return found.sort_values(["type", "id"], ignore_index=True)[columns]
