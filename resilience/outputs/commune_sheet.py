"""What a mayor asks: one line a commune, from the lists of the study."""

import pandas as pd

MANY = 300
"""Prises cut from which an object is counted: the smallest PM."""


def communes_summary(
    communes: pd.DataFrame,
    spof: pd.DataFrame | None,
    losses: pd.DataFrame | None,
    plan: pd.DataFrame | None,
) -> pd.DataFrame:
    """Sum a study up by commune.

    Parameters
    ----------
    communes : DataFrame
        code_insee, nom and, where known, epci_nom.
    spof, plan : DataFrame, optional
        With `commune` as INSEE code: objects stand there, whomever they cut; works are done there.
    losses : DataFrame, optional
        ``pertes_communes``: of the prises of each commune.

    Returns
    -------
    DataFrame
        commune, epci_nom, prises, prises_h_per_year, hours_per_prise_year, n_objects (that cut `MANY`
        prises or more), worst (its name and prises), n_chosen, cost_eur_central; the largest loss first.
    """
    names = {"code_insee": "code", "nom": "commune", "epci_nom": "epci_nom"}
    table = pd.DataFrame(communes)[[name for name in names if name in communes]].rename(columns=names)
    table = table.drop_duplicates("code").set_index("code")
    if losses is not None and len(losses):
        told = losses.set_index("group")[["prises", "prises_h_per_year", "hours_per_prise_year"]]
        table = table.join(told)
    table = table.join(_objects(spof)).join(_works(plan))
    counts = [name for name in ("prises", "n_objects", "n_chosen") if name in table]
    table[counts] = table[counts].fillna(0).astype("int64")
    table["cost_eur_central"] = table["cost_eur_central"].fillna(0.0)
    order = "prises_h_per_year" if "prises_h_per_year" in table else "n_objects"
    return table.sort_values([order, "commune"], ascending=[False, True]).reset_index(drop=True)


def _objects(spof: pd.DataFrame | None) -> pd.DataFrame:
    """Count the large objects of each commune, and name the worst, the first in the list."""
    if spof is None or spof.empty:
        return pd.DataFrame({"n_objects": [], "worst": []})
    large = spof[(spof["prises_cut"] >= MANY) & spof["commune"].notna() & (spof["commune"] != "")]
    first = large.drop_duplicates("commune").set_index("commune")
    label = first["libelle"].fillna("") if "libelle" in first else pd.Series("", first.index)
    named = label.where(label != "", first["code"]).astype(str)
    worst = named + " : " + first["prises_cut"].astype(int).astype(str) + " prises"
    return pd.DataFrame({"n_objects": large.groupby("commune").size(), "worst": worst})


def _works(plan: pd.DataFrame | None) -> pd.DataFrame:
    """Count the works in one commune, and what they cost; those of several communes belong to none."""
    if plan is None or plan.empty:
        return pd.DataFrame({"n_chosen": [], "cost_eur_central": []})
    grouped = plan.groupby("commune")
    return pd.DataFrame({"n_chosen": grouped.size(), "cost_eur_central": grouped["cost_eur_central"].sum()})
