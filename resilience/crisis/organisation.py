"""What scenarios ask of an organisation: crews and stock needed, and which NROs depend on which supply."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gracethd.network import Network
from gracethd.routes import Routes
from resilience.bearers import autonomy_h
from resilience.crisis.play import Played
from resilience.crisis.resources import SKILLS, STOCK
from resilience.losses import index_graph, lost_vertices
from resilience.outages import zones_of_assets
from resilience.parameters import Parameters
from resilience.rates import rooms


def compared(told: Sequence[Played]) -> pd.DataFrame:
    """Put scenarios beside each other, a row each, those that lose most prises at once first.

    Returns
    -------
    DataFrame
        scenario, libelle (its title), n_failed, prises_down_max, hour_of_worst, prises_stranded_max, prises_h
        (NaN where some never come back), restored_50_h, restored_90_h, restored_99_h (NaN likewise), n_tasks,
        n_never (tasks that nobody does), best_resource, best_saved (what one more of it saves, prises·h; ""
        and NaN where nothing alone helps).
    """
    rows = []
    for one in told:
        best = one.what_if.iloc[1:2]
        now = one.what_if["prises_never"].iloc[0] if len(one.what_if) else 0
        best = best[(best["prises_h_saved"] > 0) | (best["prises_never"] < now)]
        rows.append(
            {
                "scenario": one.scenario.name,
                "libelle": one.scenario.title,
                **{name: one.summary[name] for name in _COMPARED},
                "n_never": int(one.tasks["end_h"].isna().sum()),
                "best_resource": "".join(best["resource"]),
                "best_saved": best["prises_h_saved"].sum(min_count=1),
            }
        )
    table = pd.DataFrame(rows)
    hours = ["prises_h", "restored_50_h", "restored_90_h", "restored_99_h"]
    table[hours] = table[hours].astype(float)
    return table.sort_values(["prises_down_max", "scenario"], ascending=[False, True], ignore_index=True)


_COMPARED = (
    "n_failed", "prises_down_max", "hour_of_worst", "prises_stranded_max", "prises_h", "restored_50_h",
    "restored_90_h", "restored_99_h", "n_tasks",
)  # fmt: skip


def organisation(told: Sequence[Played]) -> pd.DataFrame:
    """Tell what the scenarios need, what there is and what is missing.

    Crews needed are those that work at once when nothing has to wait for a crew; a crew of every skill counts
    for each of them.

    Returns
    -------
    DataFrame
        resource (equipe_ligne, equipe_nro, equipe_pm, or a kind of stock), needed (by the scenario that needs
        most), scenario (that one), in_stock (NaN: nothing is said of it), missing_quantity (0 or more, NaN
        likewise); what no scenario needs and nobody has is left out.
    """
    rows = []
    for skill in SKILLS:
        need = {one.scenario.name: _at_once(one.tasks[one.tasks["skill"] == skill]) for one in told}
        crews = told[0].crews if told else None
        has = np.nan if crews is None else float(crews["skill"].isin(["", skill]).sum())
        rows.append((f"equipe_{skill}", need, has))
    for kind in STOCK:
        of_kind = {one.scenario.name: one.stock[one.stock["stock"] == kind] for one in told}
        need = {name: float(rows["needed"].sum()) for name, rows in of_kind.items()}
        has = max((float(rows["in_stock"].max()) for rows in of_kind.values() if len(rows)), default=np.nan)
        rows.append((kind, need, has))
    table = pd.DataFrame(
        [
            (name, max(need.values()), max(sorted(need), key=need.__getitem__), has)
            for name, need, has in rows
            if need and (max(need.values()) > 0 or has > 0)
        ],
        columns=["resource", "needed", "scenario", "in_stock"],
    )
    table["scenario"] = table["scenario"].where(table["needed"] > 0, "")
    return table.assign(missing_quantity=(table["needed"] - table["in_stock"]).clip(lower=0))


def _at_once(tasks: pd.DataFrame) -> float:
    """Give the largest number of tasks in progress together when each begins as soon as it can."""
    begins, ends = tasks["ready_h"].to_numpy(np.float64), (tasks["ready_h"] + tasks["crew_h"]).to_numpy(float)
    step = pd.Series(np.r_[np.ones(len(begins)), -np.ones(len(ends))], index=np.r_[begins, ends])
    together = step.groupby(level=0).sum().sort_index().cumsum()
    return float(together.max()) if len(together) else 0.0


def dependences(
    network: Network, routes: Routes, tables: Mapping[str, pd.DataFrame], parameters: Parameters
) -> pd.DataFrame:
    """Tell which supply each NRO depends on, and what falls with it outside its zone.

    An NRO that cuts many prises outside the zone of its supply is one to register as priority with the
    operator of the grid.

    Returns
    -------
    DataFrame
        By prises_outside, the most first: code, libelle, zone_elec ("" unknown), autonomie_h (central),
        prises_cut (traced prises without service when it falls), prises_outside (of them, those whose PBO the
        table of equipment does not put in the same zone).
    """
    assets, equipment = network.assets, tables.get("equipements")
    nro = rooms(assets, "NRO")
    given = (
        pd.DataFrame({"asset": [], "zone_elec": []}, dtype=str)
        if equipment is None
        else zones_of_assets(assets, equipment)
    )
    zone = given.drop_duplicates("asset").set_index("asset")["zone_elec"]
    index = index_graph(routes.nominal, routes.nominal.prises[:, None])
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0]
    boxes = assets.index[assets["kind"] == "ebp"]
    box_zone = zone.reindex(boxes).fillna("").astype(str).set_axis(assets.loc[boxes, "code"])
    box_zone = box_zone[~box_zone.index.duplicated()]
    home_zone = box_zone.reindex(prises["pbo"].to_numpy(), fill_value="").to_numpy(str)
    rows = []
    for asset, hours in zip(
        nro.tolist(), autonomy_h(network, nro.astype(np.int64), parameters, "central", equipment), strict=True
    ):
        down = prises["n"].where(lost_vertices(index, np.array([asset]))[prises["vertex_nominal"]], 0)
        own = str(zone.get(asset, ""))
        outside = int(down[(home_zone != own) | (own == "")].sum())
        rows.append(
            (assets["code"].iloc[asset], assets["libelle"].iloc[asset], own, hours, int(down.sum()), outside)
        )
    columns = ["code", "libelle", "zone_elec", "autonomie_h", "prises_cut", "prises_outside"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["prises_outside", "code"], ascending=[False, True], ignore_index=True
    )
