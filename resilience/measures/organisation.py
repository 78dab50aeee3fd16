"""Drafts of works that build nothing: what is kept ready, contracted or agreed with others."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.types import Network
from resilience.measures.catalogue import at_levels, present_cost
from resilience.measures.sites import name_of, place_of, three_values
from resilience.measures.types import Draft, Int, Situation
from resilience.objects import told_of_assets
from resilience.parameters import LEVELS, Level, Parameters
from resilience.rates import AERIAL

_HELD = ("collecte", "transport")
"""Segments that a contract of intervention covers: few lines, behind which many prises hang."""


def organisation_drafts(
    network: Network,
    spof: pd.DataFrame,
    situations: Mapping[Level, Situation],
    cut: NDArray[np.int64],
    parameters: Parameters,
) -> list[Draft]:
    """Draft a mobile NRO, a spare PM, a contract of intervention, pruning by EPCI and priority with the grid.

    Each only where something that it lessens can happen at some level and would cut somebody.

    Parameters
    ----------
    network : Network
    spof : DataFrame
        kind, code and epci are read.
    situations : mapping of Level to Situation
    cut : (n_assets,) int64
        Prises cut with each asset alone.
    parameters : Parameters
    """
    rates = pd.concat([situation.rates for situation in situations.values()])
    rates = rates[rates["rate_per_year"] > 0]
    failures = pd.concat([situation.failures for situation in situations.values()])
    failures = failures[failures["p"] > 0]
    burn = _serving(rates, ["nro_fire"], cut)
    broken = _serving(rates, ["pm_destroyed"], cut)
    dark = _serving(failures, ["nro.power"], cut)
    held = _serving(rates, ["aerial_cut", "dig_up"], cut)
    held = held[network.assets["segment"].iloc[held].isin(_HELD).to_numpy()]
    blown = np.union1d(_serving(rates, ["aerial_cut"], cut), _serving(failures, ["way.wind"], cut))
    return [
        *_mobile_nro(network, burn, parameters),
        *_spare_pm(broken, parameters),
        *_priority(network, dark, parameters),
        *_contract(network, held, parameters),
        *_pruning(network, spof, blown.astype(np.int32), parameters),
    ]


def _serving(rows: pd.DataFrame, mechanisms: list[str], cut: NDArray[np.int64]) -> Int:
    found = np.unique(rows.loc[rows["mechanism"].isin(mechanisms), "asset"].to_numpy(np.int32))
    return found[cut[found] > 0]


def _mobile_nro(network: Network, rooms: Int, parameters: Parameters) -> list[Draft]:
    """Draft one mobile NRO for all: fires come one at a time, floods take several NRO at once."""
    hours = three_values(at_levels("measure.nro_mobile.hours_h", parameters))
    words = f"en service {hours} h après un incendie ; crues non comptées"
    price = at_levels("cost.nro_mobile.eur", parameters)
    codes = tuple(sorted(network.assets["code"].iloc[rooms].astype(str)))
    return [_draft("nro_mobile", codes, f"{len(rooms)} NRO", rooms, price, words)] if len(rooms) else []


def _spare_pm(rooms: Int, parameters: Parameters) -> list[Draft]:
    """Draft one spare cabinet for all: they are broken one at a time."""
    factor = three_values(at_levels("measure.pm_spare.repair_factor", parameters))
    words = f"heures d'arrêt après destruction multipliées par {factor} ; crues non comptées"
    price = at_levels("cost.pm_spare.eur", parameters)
    return [_draft("lot_secours_pm", ("PM",), f"{len(rooms)} PM", rooms, price, words)] if len(rooms) else []


def _priority(network: Network, rooms: Int, parameters: Parameters) -> list[Draft]:
    factor = three_values(at_levels("measure.nro_priority.cut_factor", parameters))
    words = f"coupures de secteur multipliées par {factor} (délestages évités)"
    price = at_levels("cost.nro_priority.eur", parameters)
    codes = network.assets["code"]
    drafts = []
    for room in rooms.tolist():
        one = np.array([room], np.int32)
        draft = _draft("priorite_nro", (str(codes.iloc[room]),), name_of(network, room), one, price, words)
        drafts.append(replace(draft, geometry=place_of(network, room)))
    return drafts


def _contract(network: Network, ways: Int, parameters: Parameters) -> list[Draft]:
    if not len(ways):
        return []
    length_m = _length_m(network, ways)
    yearly = at_levels("cost.crew_contract.eur_per_km_year", parameters)
    price = {level: _over_years(yearly[level] * length_m / 1000, 1, parameters, level) for level in LEVELS}
    factor = three_values(at_levels("measure.crew_contract.repair_factor", parameters))
    years = parameters.at("measure.contract.years", "central")
    words = f"heures de réparation multipliées par {factor} ; prix sur {years:.0f} ans, actualisé"
    name = f"{_long(length_m)} de collecte et de transport"
    return [_draft("contrat_intervention", _HELD, name, ways, price, words, length_m=length_m)]


def _pruning(network: Network, spof: pd.DataFrame, ways: Int, parameters: Parameters) -> list[Draft]:
    """Draft a contract for the aerial ways of each EPCI."""
    lines = network.lines
    aerial = np.unique(lines.loc[lines["typ_imp"].isin(AERIAL), "asset"].to_numpy(np.int32))
    ways = np.intersect1d(ways, aerial)
    epci = told_of_assets(spof, network.assets.iloc[ways], ["epci"])["epci"].to_numpy(object)
    per_m = at_levels("cost.pruning.eur_per_m", parameters)
    factor = three_values(at_levels("measure.pruning.rate_factor", parameters))
    wind = three_values(at_levels("measure.pruning.wind_factor", parameters))
    years = parameters.at("measure.contract.years", "central")
    words = f"coupures aériennes multipliées par {factor}, ruptures par le vent par {wind}"
    words += f" ; prix sur {years:.0f} ans, actualisé"
    cycle = {level: round(parameters.at("measure.pruning.cycle_years", level)) for level in LEVELS}
    drafts = []
    for code in sorted(set(epci)):
        of = ways[epci == code]
        length_m = _length_m(network, of)
        price = {
            level: _over_years(per_m[level] * length_m, cycle[level], parameters, level) for level in LEVELS
        }
        where = f" de l'EPCI {code}" if code else ""
        name = f"{_long(length_m)} de réseau aérien{where}"
        drafts.append(_draft("elagage", (code or "hors EPCI",), name, of, price, words, length_m=length_m))
    return drafts


def _over_years(eur: float, every: int, parameters: Parameters, level: Level) -> float:
    """Give the present cost of what is paid every so many years for the length of a contract."""
    return present_cost(
        eur,
        years=round(parameters.at("measure.contract.years", level)),
        discount_rate=parameters.at("measure.discount_rate", level),
        construction_every=every,
    )


def _long(length_m: float) -> str:
    """Write a length in French words, in metres below 1 km."""
    return f"{length_m:.0f} m" if length_m < 1000 else f"{length_m / 1000:.0f} km"


def _length_m(network: Network, ways: Int) -> float:
    lines = network.lines
    return float(lines.loc[lines["asset"].isin(ways), "length_m"].sum())


def _draft(
    mesure: str,
    objects: tuple[str, ...],
    name: str,
    treated: Int,
    price: Mapping[Level, float],
    words: str,
    *,
    length_m: float = 0.0,
) -> Draft:
    return Draft(
        mesure=mesure,
        objects=objects,
        name=name,
        treated=treated,
        changed=np.empty(0, np.int32),
        geometry=None,
        length_m=length_m,
        cost_eur=price,
        hypotheses=words,
    )
