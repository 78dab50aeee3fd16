"""From drafts to candidates: what each measure changes at each level, and the network once some are done."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.types import Network
from gracethd.service import ServiceGraph
from resilience.bearers import point_bearers
from resilience.fragility import failure_probabilities
from resilience.ground import NATURES
from resilience.loss import keys_of_assets
from resilience.measures.catalogue import Work, life_factor, lifetime_years
from resilience.measures.lessen import lessened
from resilience.measures.links import with_possible_paths, with_second_paths
from resilience.measures.types import Candidates, Draft, Link, Situation, Surroundings
from resilience.objects import facts_of_assets
from resilience.parameters import LEVELS, Level, Parameters
from resilience.rates import annual_rates
from resilience.same_event import joined

_KEY = ["asset", "mechanism"]
_NAMED = 5
"""Communes or EPCI of one work that are named; more are counted."""
_RAISED = {"batardeau_nro": ("nro", "floor_m", "nro_barrier"), "rehausse_pm": ("pm", "plinth_m", "pm_raise")}
_COMBINES = (
    "contrat_intervention", "elagage", "extinction_incendie_nro", "lot_secours_pm", "nro_mobile",
    "priorite_nro",
)  # fmt: skip
"""Works that may stand beside others on the same failure: each takes its share of what the other leaves."""
_REQUIRES = {"extinction_incendie_nro": "detection_incendie_nro"}


def apply(situation: Situation, candidates: Candidates, chosen: Iterable[int], level: Level) -> Situation:
    """Give the situation once the chosen measures are done.

    Parameters
    ----------
    situation : Situation
        Today's, of `level`. Not changed.
    candidates : Candidates
    chosen : iterable of int
        Numbers of measures.
    level : {"low", "central", "high"}

    Returns
    -------
    Situation
        Numbers of today's assets and vertices do not change; asset ``n_assets + measure`` is the new work.
    """
    numbers = sorted(set(chosen))
    return Situation(
        linked_graph(situation.graph, candidates, numbers),
        keys_with_works(situation, candidates),
        replaced(situation.failures, candidates.failures[level], numbers),
        replaced(situation.rates, candidates.rates[level], numbers),
    )


def linked_graph(graph: ServiceGraph, candidates: Candidates, chosen: Iterable[int]) -> ServiceGraph:
    """Give the graph with the second paths among the chosen measures, and an asset for every measure."""
    inside = set(chosen)
    links = [link for number, link in _links_with_works(graph, candidates).items() if number in inside]
    return replace(with_second_paths(graph, links), n_assets=graph.n_assets + len(candidates.measures))


def possible_graph(graph: ServiceGraph, candidates: Candidates) -> tuple[ServiceGraph, list[tuple[int, ...]]]:
    """Give the graph with every second path that could be built; see `with_possible_paths`."""
    every, conditions = with_possible_paths(graph, _links_with_works(graph, candidates))
    return replace(every, n_assets=graph.n_assets + len(candidates.measures)), conditions


def _links_with_works(graph: ServiceGraph, candidates: Candidates) -> dict[int, Link]:
    """Give the second paths by measure, each carried by the works that build it too."""
    return {
        number: replace(link, carriers=np.append(link.carriers, np.int32(graph.n_assets + number)))
        for number, link in sorted(candidates.links.items())
    }


def keys_with_works(situation: Situation, candidates: Candidates) -> NDArray[np.uint64]:
    """Give the keys of today's assets and of the works of every measure."""
    works = pd.DataFrame({"kind": "mesure", "code": candidates.measures["action_id"]})
    return np.concatenate([situation.asset_keys, keys_of_assets(works)])


def replaced(base: pd.DataFrame, changes: pd.DataFrame, chosen: Iterable[int]) -> pd.DataFrame:
    """Give rows of today with those that the chosen measures change in their place."""
    rows = changes[changes["measure"].isin(list(chosen))]
    if rows.empty:
        return base
    rows = _combined(rows, base)
    is_old = pd.MultiIndex.from_frame(base[_KEY]).isin(pd.MultiIndex.from_frame(rows[_KEY]))
    return pd.concat([base[~is_old], rows], ignore_index=True)


def _combined(rows: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Put changes of one failure by several measures together: each by its ratio to what stands today.

    Where nothing stands today the largest counts; a failure that one measure does away with stays away.
    """
    kept = rows.drop(columns="measure")
    if not rows[[*_KEY, "measure"]].drop_duplicates().duplicated(_KEY).any():
        return kept
    key = [name for name in ("asset", "mechanism", "hazard", "scenario", "return_period") if name in rows]
    often = "p" if "p" in rows else "rate_per_year"
    today = base.drop_duplicates(key).set_index(key)[[often, "repair_h"]]
    today = today.reindex(pd.MultiIndex.from_frame(kept[key])).reset_index(drop=True)
    by = kept.reset_index(drop=True)
    groups = [by[name] for name in key]
    out = by.drop_duplicates(key).set_index(key)
    for name in (often, "repair_h"):
        ratio = (by[name] / today[name]).where(today[name] > 0)
        whole = today[name] * ratio.groupby(groups).transform("prod")
        largest = by[name].groupby(groups).transform("max")
        out[name] = whole.where(today[name] > 0, largest)[by.drop_duplicates(key).index].to_numpy()
    return out.reset_index()[list(kept.columns)]


def gather(
    drafts: Sequence[Draft],
    network: Network,
    spof: pd.DataFrame,
    situations: Mapping[Level, Situation],
    parameters: Parameters,
    around: Surroundings,
    *,
    omitted: Mapping[str, int],
) -> Candidates:
    """Give numbers to the drafts and work out what each changes; `prises_secured` is left at 0."""
    ordered = sorted(drafts, key=action_id)
    measures = _table(ordered, network, spof, parameters, around.works)
    failures, rates = {}, {}
    for level in LEVELS:
        situation = situations[level]
        raised = _raised_rooms(ordered, network, around, parameters, level)
        buried_p, buried_rates = _buried_lines(ordered, network, around, parameters, level)
        sheltered = _sheltered_lines(ordered, situation.failures)
        new_p, new_rates = _new_trenches(ordered, situation.graph.n_assets, parameters, level)
        rarer_p = lessened(ordered, situation.failures, "failures", parameters, level)
        rarer_rates = lessened(ordered, situation.rates, "rates", parameters, level)
        told_p = _told_factors(ordered, situation.failures, "p")
        told_rates = _told_factors(ordered, situation.rates, "rate_per_year")
        powered = _longer_powered(ordered, situation.failures, parameters, level)
        changed = _changes([raised, powered, rarer_p, buried_p, sheltered, new_p, told_p], situation.failures)
        if around.joint is not None:
            changed = joined(changed, around.joint).sort_values(
                ["measure", *_KEY], kind="stable", ignore_index=True
            )
        failures[level] = _effective(changed, situation.failures)
        rates[level] = _changes([rarer_rates, buried_rates, new_rates, told_rates], situation.rates)
    links = {i: draft.link for i, draft in enumerate(ordered) if draft.link is not None}
    rivals = _exclusions(links, [*failures.values(), *rates.values()])
    combines = np.array([draft.mesure in _COMBINES for draft in ordered], np.bool_)
    exclusions = rivals[~combines[rivals].any(axis=1)]
    requirements = _requirements(ordered)
    told = measures.assign(
        exige=_others(measures["action_id"], requirements),
        exclut=_others(measures["action_id"], np.concatenate([exclusions, exclusions[:, ::-1]])),
    )
    return Candidates(told, failures, rates, links, exclusions, requirements, omitted)


def priority_of(criticite: float, parameters: Parameters) -> str:
    """Give P1 from ``class.priority_1.criticite`` on, P2 from the second limit on, else P3 (unknown too)."""
    first, second = (parameters.at(f"class.priority_{n}.criticite", "central") for n in (1, 2))
    return "P1" if criticite >= first else "P2" if criticite >= second else "P3"


def _others(names: pd.Series, pairs: NDArray[np.int64]) -> pd.Series:
    """Name, for each measure, the second ones of its pairs."""
    table = pd.DataFrame({"first": pairs[:, 0], "name": names.to_numpy()[pairs[:, 1]]})
    listed = table.sort_values(["first", "name"]).groupby("first")["name"].agg(", ".join)
    return listed.reindex(names.index).fillna("").astype("str")


def action_id(draft: Draft) -> str:
    """Name a measure by what is done to what: the same in every run and every inventory."""
    # what the study alone calls for is told apart by its label: several such works may be done to one object
    label = [draft.name] if draft.factors else []
    text = "|".join([draft.mesure, *draft.objects, *label])
    return f"{draft.mesure}-{hashlib.blake2b(text.encode(), digest_size=5).hexdigest()}"


def _table(
    drafts: Sequence[Draft],
    network: Network,
    spof: pd.DataFrame,
    parameters: Parameters,
    catalogue: Mapping[str, Work],
) -> gpd.GeoDataFrame:
    told = _told(network, spof)
    price_year = round(parameters.at("cost.price_year", "central"))
    works = {mesure: catalogue[mesure] for mesure in sorted({draft.mesure for draft in drafts})}
    months = {
        mesure: parameters.at(f"measure.{work.lead}.lead_months", "central") for mesure, work in works.items()
    }
    over_life = {mesure: life_factor(work, parameters, "central") for mesure, work in works.items()}
    years = {mesure: lifetime_years(work, parameters) for mesure, work in works.items()}
    rows = []
    for draft in drafts:
        work = works[draft.mesure]
        of = told.iloc[draft.treated]
        costs = {f"cost_eur_{level}": draft.cost_eur[level] for level in LEVELS}
        rows.append(
            {
                "action_id": action_id(draft),
                "famille": work.famille,
                "mesure": draft.mesure,
                "libelle": draft.name if draft.is_named else work.libelle.format(draft.name),
                "objets": ", ".join(draft.objects),
                "commune": _listed(of["commune"], "communes"),
                "epci": _listed(of["epci"], "EPCI"),
                "longueur_m": draft.length_m,
                "prises_secured": 0,
                **costs,
                "annee_prix": price_year,
                "duree_mois": round(months[draft.mesure]),
                "autorisations": work.autorisations,
                "maitre_ouvrage": work.maitre_ouvrage,
                "financement": work.financement,
                "statut": "proposé",
                "criticite": of["criticite"].max(),
                "priority": priority_of(of["criticite"].max(), parameters),
                "hypotheses": draft.hypotheses,
                "duree_vie_ans": years[draft.mesure],
                "cout_vie_eur": over_life[draft.mesure] * draft.cost_eur["central"],
                **{f"{nature}_m": draft.ground_m.get(nature, 0.0) for nature in NATURES},
                "exige": "",
                "exclut": "",
                "geometry": draft.geometry,
            }
        )
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))
    return gpd.GeoDataFrame(table, geometry="geometry", crs=network.assets.crs)


def _listed(names: pd.Series, several: str) -> str:
    """Name the places of a work, or count them where nobody would read the list."""
    known = sorted({name for name in names if name})
    return ", ".join(known) if len(known) <= _NAMED else f"{len(known)} {several}"


MEASURE_COLUMNS = (
    "action_id", "famille", "mesure", "libelle", "objets", "commune", "epci", "longueur_m", "prises_secured",
    "cost_eur_low", "cost_eur_central", "cost_eur_high", "annee_prix", "duree_mois", "autorisations",
    "maitre_ouvrage", "financement", "statut", "criticite", "priority", "hypotheses",
    "duree_vie_ans", "cout_vie_eur", "fourreau_m", "accotement_m", "chaussee_m", "centre_m", "exige",
    "exclut", "geometry",
)  # fmt: skip


def _told(network: Network, spof: pd.DataFrame) -> pd.DataFrame:
    """Give commune, epci and criticité of each asset, in the order of assets."""
    told = facts_of_assets(spof, network.assets, ["commune", "epci", "criticite"])
    told["criticite"] = told["criticite"].astype(np.float64)
    texts = ["commune", "epci"]
    told[texts] = told[texts].astype(object).where(told[texts].notna(), "").astype(str)
    return told


def _raised_rooms(
    drafts: Sequence[Draft],
    network: Network,
    around: Surroundings,
    parameters: Parameters,
    level: Level,
) -> pd.DataFrame:
    """Probabilities of the rooms that are raised or walled in: their curve moves up once more."""
    assets = network.assets
    today = point_bearers(network, around.equipment).set_index("asset")["hauteur_m"]
    raised, measure_of = [], {}
    for number, draft in enumerate(drafts):
        if draft.mesure not in _RAISED:
            continue
        nature, default, work = _RAISED[draft.mesure]
        room = int(draft.treated[0])
        height = today.get(room, np.nan)
        base_m = parameters.at(f"{nature}.{default}", level) if np.isnan(height) else float(height)
        added_m = parameters.at(f"measure.{work}.height_m", level)
        named = assets.iloc[room][["kind", "code"]].to_dict()
        raised.append({**named, "hauteur_m": base_m + added_m})
        measure_of[room, f"{nature}.flood"] = number
    if not raised:
        return pd.DataFrame()
    no_lines = replace(network, lines=network.lines.iloc[:0])
    exposure, heights = around.exposure[level], pd.DataFrame(raised)
    rows = failure_probabilities(no_lines, exposure, parameters, level, equipment=heights)
    keys = list(zip(rows["asset"], rows["mechanism"], strict=True))
    numbers = pd.Series([measure_of.get(key, -1) for key in keys], index=rows.index)
    return rows.assign(measure=numbers)[numbers >= 0]


def _buried_lines(
    drafts: Sequence[Draft],
    network: Network,
    around: Surroundings,
    parameters: Parameters,
    level: Level,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Failures and rates of lines that go underground, with the boxes that go with them.

    All that reaches buried lines stands in place of all that reached them in the air: water and clay where
    maps show them, digging; a bridge is crossed as before.
    """
    way_of, other_of = _owners(drafts, "treated"), _owners(drafts, "changed")
    if way_of.empty:
        return pd.DataFrame(), pd.DataFrame()
    lines = network.lines[network.lines["asset"].isin(way_of.index)].assign(typ_imp="7")
    kind = network.assets["kind"].iloc[other_of.index].to_numpy()
    assets = network.assets.copy()
    assets.loc[other_of.index[kind == "ptech"], "nature"] = "chambre"
    buried = replace(network, assets=assets, lines=lines)
    boxes = assets.iloc[other_of.index[kind == "ebp"]][["kind", "code"]]
    exposure, kept = around.exposure[level], around.equipment
    if kept is not None:
        pairs = pd.MultiIndex.from_frame(kept[["kind", "code"]])
        kept = kept[~pairs.isin(pd.MultiIndex.from_frame(boxes))]
    failures = failure_probabilities(buried, exposure, parameters, level, equipment=kept)
    failures = failures[failures["mechanism"] != "way.scour"]
    rates = annual_rates(buried, parameters, level, exposure=exposure)
    rates = rates[rates["asset"].isin(way_of.index)]
    stopped = rates.drop_duplicates("asset").assign(mechanism="aerial_cut", rate_per_year=0.0)
    rates = pd.concat([rates, stopped], ignore_index=True)
    owner = pd.concat([way_of, other_of])
    return (
        failures.assign(measure=failures["asset"].map(owner)).dropna(subset="measure"),
        rates.assign(measure=rates["asset"].map(owner)),
    )


def _sheltered_lines(drafts: Sequence[Draft], today: pd.DataFrame) -> pd.DataFrame:
    """Failures of lines that go underground by what no longer reaches them: wind and fire."""
    owner = _owners(drafts, "treated")
    if owner.empty:
        return pd.DataFrame()
    rows = today[today["asset"].isin(owner.index) & today["mechanism"].isin(["way.fire", "way.wind"])]
    return rows.assign(p=rows["p"].where(rows["p"].isna(), 0.0), measure=rows["asset"].map(owner))


def _owners(drafts: Sequence[Draft], role: Literal["treated", "changed"]) -> pd.Series:
    """Give the number of the burying that holds each asset; an asset is in one série, so in one of them."""
    pairs = [
        (int(asset), number)
        for number, draft in enumerate(drafts)
        if draft.mesure == "enfouissement"
        for asset in getattr(draft, role)
    ]
    return pd.Series([number for _, number in pairs], index=[asset for asset, _ in pairs], dtype=np.int64)


def _new_trenches(
    drafts: Sequence[Draft], n_assets: int, parameters: Parameters, level: Level
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Failures and rates of what is dug anew: new ground can be dug up and flooded like any other."""
    failures, rates = [], []
    per_wet_km = parameters.at("way.buried.rate_per_wet_km", level)
    per_km_year = parameters.at("way.dig_up.rate_per_km_year", level)
    for number, draft in enumerate(drafts):
        if draft.link is None or draft.link.dug_m <= 0:
            continue
        new = {"asset": n_assets + number, "is_assumed": False, "measure": number}
        wet = draft.link.wet
        p = -np.expm1(-per_wet_km * wet["wet_m"].to_numpy(np.float64) / 1000.0)
        repair_h = parameters.at("way.flood.repair_h", level)
        failures.append(
            wet.drop(columns="wet_m").assign(
                **new, mechanism="way.flood", p=p, repair_h=repair_h, fails_with=""
            )
        )
        rates.append(
            {
                **new,
                "mechanism": "dig_up",
                "rate_per_year": per_km_year * draft.link.dug_m / 1000.0,
                "repair_h": parameters.at("way.dig_up.repair_h", level),
                "length_m": draft.link.dug_m,
            }
        )
    return (pd.concat(failures, ignore_index=True) if failures else pd.DataFrame()), pd.DataFrame(rates)


def _told_factors(drafts: Sequence[Draft], today: pd.DataFrame, often: str) -> pd.DataFrame:
    """Lower what the study itself says that works lower."""
    parts = [pd.DataFrame()]
    for number, draft in enumerate(drafts):
        if not draft.factors:
            continue
        rows = today[today["asset"].isin(draft.treated) & today["mechanism"].isin(list(draft.factors))]
        parts.append(
            rows.assign(
                **{often: rows[often] * rows["mechanism"].map(draft.factors).astype(np.float64)},
                measure=number,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _longer_powered(
    drafts: Sequence[Draft], today: pd.DataFrame, parameters: Parameters, level: Level
) -> pd.DataFrame:
    """Power cuts of NRO that get more batteries: only what is longer than them fails, for what is left."""
    parts = [pd.DataFrame()]
    cuts = today[today["mechanism"] == "nro.power"]
    added_h = parameters.at("measure.nro_batteries.hours_h", level)
    for number, draft in enumerate(drafts):
        if draft.mesure != "batteries_nro":
            continue
        rows = cuts[cuts["asset"].isin(draft.treated)].assign(measure=number)
        left_h = rows["repair_h"] - added_h
        p = rows["p"].where(rows["p"].isna() | (left_h > 0), 0.0)
        parts.append(rows.assign(p=p, repair_h=left_h.where(left_h > 0, rows["repair_h"])))
    return pd.concat(parts, ignore_index=True)


def _requirements(drafts: Sequence[Draft]) -> NDArray[np.int64]:
    """Pair works with those that they cannot do without, on the same room."""
    numbers = {(draft.mesure, draft.objects): number for number, draft in enumerate(drafts)}
    pairs = [
        (number, numbers[other, objects])
        for (mesure, objects), number in numbers.items()
        if (other := _REQUIRES.get(mesure, "")) and (other, objects) in numbers
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _changes(parts: Sequence[pd.DataFrame], base: pd.DataFrame) -> pd.DataFrame:
    """Put changes together with the columns and types of what they replace."""
    columns = [*base.columns, "measure"]
    types = {**base.dtypes.to_dict(), "measure": np.dtype(np.int64)}
    kept = [part.reindex(columns=columns) for part in parts if len(part)]
    rows = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=columns)
    return rows.astype(types).sort_values(["measure", *_KEY], kind="stable", ignore_index=True)


def _effective(changes: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Leave out what fails as it did, or never: most lines that go underground stay dry."""
    key = [*_KEY, "hazard", "scenario"]
    before = base.drop_duplicates(key).set_index(key)[["p", "repair_h"]]
    before = before.reindex(pd.MultiIndex.from_frame(changes[key])).reset_index(drop=True)
    p = [changes["p"].fillna(0.0), before["p"].fillna(0.0)]
    differs = (p[0] != p[1]) | ((changes["repair_h"] != before["repair_h"]) & (p[0] > 0))
    return changes[differs.groupby([changes[name] for name in ("measure", *_KEY)]).transform("any")]


def _exclusions(links: Mapping[int, Link], changes: Sequence[pd.DataFrame]) -> NDArray[np.int64]:
    """Pair the measures that change the same failure, or open two second paths for one room."""
    touched = [part[[*_KEY, "measure"]].drop_duplicates() for part in changes]
    rooms = pd.DataFrame(
        {"asset": [link.room for link in links.values()], "mechanism": "", "measure": list(links)}
    )
    keyed = [*touched, rooms.astype({"asset": np.int64, "measure": np.int64})]
    pairs = {
        (int(a), int(b))
        for part in keyed
        for a, b in part.merge(part, on=_KEY)[["measure_x", "measure_y"]].itertuples(index=False)
        if a < b
    }
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)
