"""Indicators: the figures of page one, one row each, with unit and scope (slr.md section 1)."""

import numpy as np
import pandas as pd

from gracethd.network.types import Network
from gracethd.outputs.labels import value_label
from gracethd.routes.types import Routes
from resilience.parameters import LEVELS
from resilience.plan import Plan

AERIAL = ("0", "1")
LARGE_CABLE_FO = 48
"""A cable of 48 fibres or more is the one that national scenarios would bury first (Tactis 2023)."""


def indicators(
    routes: Routes,
    listed: pd.DataFrame,
    loops: pd.DataFrame,
    network: Network,
    loss: pd.DataFrame,
    plan: Plan | None,
) -> pd.DataFrame:
    """Compute the indicators of a study.

    Returns
    -------
    DataFrame
        code, libelle, value (float64), unit, scope.
    """
    traced = int(routes.nominal.prises.sum())
    unprotected = listed[~listed["protected"].astype(bool)]
    judged = loops[loops["k_srlg"].notna()]
    aerial = network.lines[network.lines["typ_imp"].isin(AERIAL)]
    large = _large_aerial_m(network, aerial)
    rows: list[tuple[str, str, float, str, str]] = [
        ("prises_inventoriees", "Prises inventoriées", routes.prises["n"].sum(), "prises", "réseau"),
        ("prises_tracees", "Prises tracées", traced, "prises", "réseau"),
        (
            "perte_unique_max",
            "Plus grande perte par un seul objet",
            listed["prises_cut"].max(),
            "prises",
            "réseau",
        ),
        *(
            (
                f"objets_non_proteges_{limit}",
                f"Objets non protégés coupant au moins {limit} prises",
                int((unprotected["prises_cut"] >= limit).sum()),
                "objets",
                "réseau",
            )
            for limit in (300, 1000, 5000)
        ),
        (
            "part_nro_deux_chemins",
            "NRO à deux chemins de collecte sans risque partagé",
            float((judged["k_srlg"] >= 2).mean()) if len(judged) else np.nan,
            "part",
            "NRO jugés",
        ),
        ("fausses_boucles", "Fausses boucles de collecte", int(loops["is_false"].sum()), "NRO", "NRO jugés"),
        ("km_aerien", "Linéaire aérien", aerial["length_m"].sum() / 1000, "km", "cheminements"),
        (
            "km_aerien_48fo",
            "Linéaire aérien portant un câble de 48 FO ou plus",
            large / 1000,
            "km",
            "cheminements",
        ),
    ]
    rows += [
        (
            f"perte_annuelle_{level}",
            f"Perte annuelle attendue (paramètres {value_label('parameter_level', level)})",
            loss[f"prises_h_per_year_{level}"].sum(),
            "prises·h/an",
            "réseau",
        )
        for level in LEVELS
    ]
    if plan is not None:
        after = plan.summary["loss_after"]
        assert isinstance(after, dict)
        rows.append(
            ("perte_apres_plan", "Perte annuelle après le plan", after["central"], "prises·h/an", "réseau")
        )
    table = pd.DataFrame(rows, columns=["code", "libelle", "value", "unit", "scope"])
    return table.astype({"value": float})


def _large_aerial_m(network: Network, aerial: pd.DataFrame) -> float:
    """Sum the aerial ways that carry a cable of 48 fibres or more."""
    large = network.assets.index[network.assets["capafo"] >= LARGE_CABLE_FO]
    carriers = network.uses.loc[network.uses["carried"].isin(large), "carrier"]
    return float(aerial.loc[aerial["asset"].isin(carriers) | aerial["asset"].isin(large), "length_m"].sum())
