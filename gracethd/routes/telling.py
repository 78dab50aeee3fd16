"""Routes as people read them: one line a hop for a prise, and what all routes come to."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from gracethd.errors import GraceTHDError
from gracethd.outputs.labels import is_missing, value_label, written


def route_summary(hops: pd.DataFrame) -> pd.DataFrame:
    """Give one row per route.

    Parameters
    ----------
    hops : DataFrame
        `OpticalRoutes.hops`.

    Returns
    -------
    DataFrame
        route, prise, n, traced, status, reason, nro, pm, pbo (the last box before the prise), n_hops (0 for
        an untraced prise), length_m (of its stretches of known length), n_unknown (stretches without length).
    """
    by = hops.groupby("route", sort=False)
    table = by[["prise", "n", "traced", "status", "reason"]].first()
    for kind in ("nro", "pm"):
        of_kind = hops[hops["hop"] == kind].drop_duplicates("route").set_index("route")
        table[kind] = of_kind["room"].astype(str).reindex(table.index).fillna("")
    # an untraced prise has one row without hop, which may name its box
    boxed = hops[hops["hop"].isin(["box", ""]) & (hops["box"] != "")].drop_duplicates("route", keep="last")
    table["pbo"] = boxed.set_index("route")["box"].astype(str).reindex(table.index).fillna("")
    table["n_hops"] = by["order"].max()
    table["length_m"] = by["length_m"].sum()
    unknown = hops["section"].notna() & hops["length_m"].isna()
    table["n_unknown"] = unknown.groupby(hops["route"], sort=False).sum().astype(np.int64)
    return table.reset_index()


def summary_line(hops: pd.DataFrame) -> str:
    """Write how many prises have a complete, an ambiguous and a broken route, and why those last."""
    once = hops.drop_duplicates("prise")
    by = once.groupby("status")["n"].sum()
    lines = [
        f"{value_label('status', name)} : {by.get(name, 0)}" for name in ("complete", "ambiguous", "broken")
    ]
    return f"{once['n'].sum()} prises, {hops.loc[hops['order'] > 0, 'route'].nunique()} routes\n" + "\n".join(
        lines
    )


def of_prise(hops: pd.DataFrame, code: str) -> pd.DataFrame:
    """Give the hops of one prise.

    Raises
    ------
    GraceTHDError
        When the inventory holds no prise of that code.
    """
    found = hops[hops["prise"] == code]
    if found.empty:
        raise GraceTHDError(
            f"--prise {code}: no prise of the inventory has this code; give a code of t_suf, t_local or, "
            "for premises without a row, t_adresse"
        )
    return found


def tell(hops: pd.DataFrame) -> str:
    """Write the routes of one prise, a line a hop, in French.

    Parameters
    ----------
    hops : DataFrame
        `OpticalRoutes.hops` of one prise.
    """
    return "\n\n".join(_tell_route(route) for _, route in hops.groupby("route", sort=False))


def _tell_route(hops: pd.DataFrame) -> str:
    first = hops.iloc[0]
    how = value_label("traced", first["traced"] or "none")
    head = f"route {first['route']} · {value_label('status', first['status'])} · {how}"
    lines = [head] + ([f"  {first['reason']}"] if first["reason"] else [])
    lines += [f"{row['order']:>4}  {_tell_hop(row)}" for row in hops.to_dict("records") if row["hop"]]
    length, unknown = hops["length_m"].sum(), int((hops["section"].notna() & hops["length_m"].isna()).sum())
    if first["hop"]:
        missing = f" (sans {unknown} tronçons de longueur inconnue)" if unknown else ""
        lines.append(f"      {written(length, 'dec')} m de câble{missing}")
    return "\n".join(lines)


def _tell_hop(row: Mapping[Hashable, object]) -> str:
    parts = [value_label("hop", row["hop"])]
    for name in ("room", "box", "cable"):
        parts += [str(row[name])] if row[name] else []
    details = []
    if not is_missing(row["section"]):
        details.append(f"tronçon {row['section']}")
    if row["fibre"]:
        tube = f"tube {_number(row['tube'])} fibre {_number(row['fibre_tube'])}"
        details.append(f"{tube} ({row['fibre']})")
    elif row["hop"] == "cable" and row["how"] == "splice":
        details.append("fibre non désignée")
    for name, word in (("drawer", "tiroir"), ("cassette", "cassette"), ("place", "nœud")):
        details += [f"{word} {row[name]}"] if row[name] else []
    if row["position"]:
        details.append(f"position {_number(row['position_num'])} {row['ps_fonct']} ({row['position']})")
    if not is_missing(row["length_m"]):
        details.append(f"{written(row['length_m'], 'dec')} m")
    if row["how"] != "splice":
        details.append(value_label("how", row["how"]))
    return " · ".join([" ".join(parts), *details])


def _number(value: object) -> str:
    return "?" if is_missing(value) else str(value)
