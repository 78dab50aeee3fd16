"""What is there to repair with: crews, and a stock that tasks use up, from the table ressources."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from resilience.sections import StudyError, near_name

SKILLS = ("ligne", "nro", "pm")
"""What a crew may be limited to, in the column competence of the table ressources; empty is all of them."""
STOCK = ("cable_m", "poteau", "armoire", "nro_mobile", "groupe")
"""What tasks take from the stock: used up, but for generators, which come back with the mains."""


def crews_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """List the crews of the table ressources, None where there is none: crews are then unlimited.

    Returns
    -------
    DataFrame
        One row per crew: crew (1, 2...), skill (`SKILLS`, or "" for all of them), x, y (depot, NaN unknown),
        from_h (hours after the beginning from which it is there).

    Raises
    ------
    StudyError
        A skill that does not exist, a delay below 0, or a table without any crew.
    """
    resources = tables.get("ressources")
    if resources is None:
        return None
    rows = resources[(resources["type"] == "equipe").to_numpy()]
    skill = rows["competence"].fillna("").astype(str)
    if len(wrong := skill[~skill.isin(("", *SKILLS))]):
        raise StudyError(
            f"ressources: competence {wrong.iloc[0]!r} of a crew; {near_name(wrong.iloc[0], SKILLS)}"
        )
    crews = rows.loc[rows.index.repeat(rows["nombre"])].reset_index(drop=True)
    if crews.empty:
        raise StudyError("ressources: no crew (type equipe) in this table; add one, or leave the table out")
    return pd.DataFrame(
        {
            "crew": np.arange(1, len(crews) + 1),
            "skill": crews["competence"].fillna("").astype(str),
            "x": crews["depot_x"].astype(np.float64),
            "y": crews["depot_y"].astype(np.float64),
            "from_h": _delays(crews),
        }
    )


def stock_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """List what is in stock, and what comes later.

    Returns
    -------
    DataFrame
        stock (`STOCK`), hour (from which it is there), quantity (metres or pieces), by stock and hour; a kind
        of which the table says nothing has no row and is never short, one of which it says 0 is.

    Raises
    ------
    StudyError
        A delay below 0.
    """
    resources = tables.get("ressources")
    if resources is None:
        return pd.DataFrame({"stock": [], "hour": [], "quantity": []}).astype({"stock": str, "hour": float})
    rows = resources[resources["type"].isin(STOCK).to_numpy()]
    stock = pd.DataFrame(
        {"stock": rows["type"].astype(str), "hour": _delays(rows), "quantity": rows["nombre"].astype(float)}
    )
    return stock.groupby(["stock", "hour"])["quantity"].sum().reset_index()


def stock_used(done: pd.DataFrame, stock: pd.DataFrame) -> pd.DataFrame:
    """Tell what the tasks of a scenario take from the stock, and what is missing.

    Parameters
    ----------
    done : DataFrame
        From `resilience.crisis.dispatch.dispatch`.
    stock : DataFrame
        From `stock_of`.

    Returns
    -------
    DataFrame
        One row per kind that is needed or in stock, in the order of `STOCK`: stock, needed (by all tasks;
        of generators, NROs that want one), in_stock (NaN: the table says nothing of it), taken (generators
        are counted each time that they serve), missing_quantity (needed by tasks that never get
        theirs), n_waiting (tasks that never get theirs).
    """
    is_done = done["end_h"].notna()
    without = done["missing"] == done["stock"]
    total = stock.groupby("stock")["quantity"].sum()
    rows = [
        {
            "stock": name,
            "needed": done.loc[done["stock"] == name, "quantity"].sum(),
            "in_stock": total.get(name, np.nan),
            "taken": done.loc[(done["stock"] == name) & is_done, "quantity"].sum(),
            "missing_quantity": done.loc[(done["stock"] == name) & without, "quantity"].sum(),
            "n_waiting": int(((done["stock"] == name) & without).sum()),
        }
        for name in STOCK
        if name in total.index or (done["stock"] == name).any()
    ]
    columns = ["stock", "needed", "in_stock", "taken", "missing_quantity", "n_waiting"]
    return pd.DataFrame(rows, columns=columns)


def _delays(rows: pd.DataFrame) -> pd.Series:
    """Give the column delai_h, 0 where it is empty."""
    if "delai_h" not in rows:
        return pd.Series(0.0, index=rows.index)
    hours = rows["delai_h"].fillna(0.0).astype(np.float64)
    if (hours < 0).any():
        raise StudyError(f"ressources: delai_h {hours.min():g}; give hours from the beginning, 0 or more")
    return hours
