"""Indicators: the figures of page one, one row each, with unit and scope (slr.md section 1)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from gracethd.network.types import Network
from gracethd.outputs.labels import value_label
from resilience.fragility import POLES
from resilience.hazards import WATER_KINDS, with_kinds
from resilience.parameters import LEVELS
from resilience.results import Results

LARGE_CABLE_FO = 48
"""A cable of 48 fibres or more is the one that national scenarios would bury first (Tactis 2023)."""
LASTING_H = 4.0
"""Hours of batteries from which an NRO rides through two hours of load shedding and its recovery."""


class Indicator(NamedTuple):
    """One row."""

    code: str
    libelle: str
    value: float
    unit: str
    scope: str = "réseau"


def indicators(results: Results, behind: pd.DataFrame) -> pd.DataFrame:
    """Compute the indicators of a study.

    Parameters
    ----------
    results : Results
    behind : DataFrame
        From `resilience.areas.behind_single_objects`.

    Returns
    -------
    DataFrame
        code, libelle, value (float64, NaN unknown), unit, scope.
    """
    rows = [
        *_of_network(results, behind),
        *_of_lines(results.network),
        *_of_rooms(results),
        *_of_losses(results),
        *_of_plan(results),
    ]
    return pd.DataFrame(rows, columns=Indicator._fields).astype({"value": float})


def _of_network(results: Results, behind: pd.DataFrame) -> Iterator[Indicator]:
    routes, listed, loops = results.routes, results.listed, results.loops
    yield Indicator("prises_inventoriees", "Prises inventoriées", routes.prises["n"].sum(), "prises")
    traced = int(routes.nominal.prises.sum())
    yield Indicator("prises_tracees", "Prises tracées", traced, "prises")
    worst = listed["prises_cut"].max()
    yield Indicator("perte_unique_max", "Plus grande perte par un seul objet", worst, "prises")
    unprotected = listed[~listed["protected"].astype(bool)]
    for limit in (300, 1000, 5000):
        count = int((unprotected["prises_cut"] >= limit).sum())
        label = f"Objets non protégés coupant au moins {limit} prises"
        yield Indicator(f"objets_non_proteges_{limit}", label, count, "objets")
    for row in behind[behind["threshold"].isin([300, 1000])].to_dict("records"):
        words = f"derrière au moins un objet non protégé qui en coupe {row['threshold']} ou plus"
        code = f"prises_derriere_objet_{row['threshold']}"
        yield Indicator(code, f"Prises {words}", row["prises"], "prises")
        yield Indicator(f"part_{code}", f"Part des prises {words}", row["share"], "part")
    judged = loops[loops["k_srlg"].notna()]
    looped = float((judged["k_srlg"] >= 2).mean()) if len(judged) else np.nan
    label = "NRO à deux chemins de collecte sans risque partagé"
    yield Indicator("part_nro_deux_chemins", label, looped, "part", "NRO jugés")
    false = int(judged["is_false"].sum()) if len(judged) else np.nan
    yield Indicator("fausses_boucles", "Fausses boucles de collecte", false, "NRO", "NRO jugés")


def _of_lines(network: Network) -> Iterator[Indicator]:
    aerial = network.lines[network.lines["typ_imp"].isin(POLES)]
    length_km = aerial["length_m"].sum() / 1000
    yield Indicator("km_aerien", "Linéaire aérien", length_km, "km", "cheminements")
    large = _large_aerial_m(network, aerial) / 1000
    label = f"Linéaire aérien portant un câble de {LARGE_CABLE_FO} FO ou plus"
    yield Indicator("km_aerien_48fo", label, large, "km", "cheminements")


def _of_rooms(results: Results) -> Iterator[Indicator]:
    """NRO and PM in the water of each event, and those that keep their mains for some hours."""
    rooms = results.routes.rooms
    if results.exposure is not None:
        told = with_kinds(results.exposure, results.study.hazards)
        told = told[told["hazard_kind"].isin(list(WATER_KINDS)) & told["asset"].isin(rooms["asset"])]
        for (hazard, _, scenario), rows in told.groupby(
            ["hazard", "return_period", "scenario"], dropna=False
        ):
            touched = rooms[rooms["asset"].isin(rows.loc[rows["intensity_max"] > 0, "asset"])]
            for nature in ("NRO", "PM"):
                code = f"{nature.lower()}_inondes:{hazard}:{scenario}"
                label = f"{nature} dans l'eau : {hazard}, {scenario}"
                count = int((touched["nature"] == nature).sum())
                yield Indicator(code, label, count, nature, "locaux cartographiés")
    equipment = results.tables.get("equipements")
    if equipment is None:
        return
    nro = rooms.loc[rooms["nature"] == "NRO", "code"]
    told_h = equipment[(equipment["kind"] == "local") & equipment["code"].isin(nro)]["autonomie_h"].dropna()
    if len(told_h):
        label, lasting = f"NRO à {LASTING_H:g} h d'autonomie ou plus", int((told_h >= LASTING_H).sum())
        yield Indicator("nro_autonomes", label, lasting, "NRO", f"{len(told_h)} NRO renseignés")


def _of_losses(results: Results) -> Iterator[Indicator]:
    loss = results.loss
    for level in LEVELS:
        label = f"Perte annuelle attendue (paramètres {value_label('parameter_level', level)})"
        total = loss[f"prises_h_per_year_{level}"].sum()
        yield Indicator(f"perte_annuelle_{level}", label, total, "prises·h/an")
    for cause, value in loss.groupby("cause")["prises_h_per_year_central"].sum().items():
        label = f"Perte annuelle attendue : {value_label('cause', cause)}"
        yield Indicator(f"perte:{cause}", label, value, "prises·h/an")


def _of_plan(results: Results) -> Iterator[Indicator]:
    plan = results.plan
    if plan is None:
        return
    after, avoided = plan.summary["loss_after"], plan.summary["avoided"]
    assert isinstance(after, dict)
    assert isinstance(avoided, dict)
    yield Indicator("perte_apres_plan", "Perte annuelle après le plan", after["central"], "prises·h/an")
    for row in plan.causes.to_dict("records"):
        label = f"Perte annuelle après le plan : {value_label('cause', row['cause'])}"
        value = row["prises_h_per_year_after"]
        yield Indicator(f"perte_apres_plan:{row['cause']}", label, value, "prises·h/an")
    spent = float(str(plan.summary["spent_eur"]))
    price = spent / avoided["central"] if avoided["central"] > 0 else np.nan
    yield Indicator(
        "cout_prise_h_evitee", "Coût du plan par prise·h évitée chaque année", price, "€ HT", "plan"
    )


def _large_aerial_m(network: Network, aerial: pd.DataFrame) -> float:
    """Sum the aerial ways that carry a cable of 48 fibres or more."""
    large = network.assets.index[network.assets["capafo"] >= LARGE_CABLE_FO]
    carriers = network.uses.loc[network.uses["carried"].isin(large), "carrier"]
    return float(aerial.loc[aerial["asset"].isin(carriers) | aerial["asset"].isin(large), "length_m"].sum())
