"""Small situations with measures, drawn at random or by hand, for the tests of benefits and plans."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.loss import keys_of_assets
from resilience.measures import Candidates, Link, Situation
from resilience.measures.effects import MEASURE_COLUMNS
from resilience.parameters import LEVELS, Level
from tests.resilience.service_graphs import served_only, service_graphs

EVENTS = [("crue", "Q20", 20.0), ("crue", "Q100", 100.0)]
NO_WATER = pd.DataFrame({"hazard": [], "scenario": [], "return_period": [], "wet_m": []})
LOAD: Mapping[Level, float] = {"low": 0.5, "central": 1.0, "high": 2.0}


def failure_rows(rows: Sequence[tuple[int, str, float, float]]) -> pd.DataFrame:
    """Build failures from (asset, mechanism, p in each event, repair_h)."""
    table = pd.DataFrame(rows, columns=["asset", "mechanism", "p", "repair_h"])
    events = pd.DataFrame(EVENTS, columns=["hazard", "scenario", "return_period"])
    whole = table.merge(events, how="cross")
    types = {"asset": np.int32, "mechanism": str, "p": float, "repair_h": float}
    return whole.astype(types)[["asset", "hazard", "scenario", "return_period", "mechanism", "p", "repair_h"]]


def rate_rows(rows: Sequence[tuple[int, str, float, float]]) -> pd.DataFrame:
    """Build rates from (asset, mechanism, rate_per_year, repair_h)."""
    table = pd.DataFrame(rows, columns=["asset", "mechanism", "rate_per_year", "repair_h"])
    types = {"asset": np.int32, "mechanism": str, "rate_per_year": float, "repair_h": float}
    return table.astype(types).assign(length_m=0.0, is_assumed=False)


def situation(graph: ServiceGraph, failures: pd.DataFrame, rates: pd.DataFrame) -> Situation:
    codes = [f"A{i}" for i in range(graph.n_assets)]
    keys = keys_of_assets(pd.DataFrame({"kind": "cheminement", "code": codes}))
    return Situation(graph, keys, failures, rates)


def by_level(today: Situation) -> dict[Level, Situation]:
    """Give a situation in which everything is half as likely at "low", twice as likely at "high"."""
    return {
        level: Situation(
            today.graph,
            today.asset_keys,
            today.failures.assign(p=(today.failures["p"] * load).clip(upper=1.0)),
            today.rates.assign(rate_per_year=today.rates["rate_per_year"] * load),
        )
        for level, load in LOAD.items()
    }


def candidates(
    failures: pd.DataFrame,
    rates: pd.DataFrame,
    links: Mapping[int, Link],
    costs: Sequence[float],
    exclusions: Sequence[tuple[int, int]] = (),
) -> Candidates:
    """Build candidates from changes with a column ``measure``, the same at each level but for the load."""
    n = len(costs)
    texts = {name: "" for name in MEASURE_COLUMNS if name not in ("geometry", "criticite")}
    measures = gpd.GeoDataFrame(
        texts | {"criticite": np.nan}, index=range(n), geometry=gpd.GeoSeries([None] * n, crs=2154)
    ).assign(
        action_id=[f"mesure-{i:02d}" for i in range(n)],
        longueur_m=0.0,
        prises_secured=0,
        annee_prix=2024,
        duree_mois=12,
        duree_vie_ans=20,
        priority="P3",
        cout_vie_eur=0.0,
        cost_eur_low=np.array(costs) * 0.5,
        cost_eur_central=np.array(costs, float),
        cost_eur_high=np.array(costs) * 2.0,
    )
    return Candidates(
        measures=measures[list(MEASURE_COLUMNS)],
        failures={
            level: failures.assign(p=(failures["p"] * LOAD[level]).clip(upper=1.0)) for level in LEVELS
        },
        rates={level: rates.assign(rate_per_year=rates["rate_per_year"] * LOAD[level]) for level in LEVELS},
        links=links,
        exclusions=np.array(exclusions, np.int64).reshape(-1, 2),
        requirements=np.empty((0, 2), np.int64),
        omitted={},
    )


@st.composite
def cases(draw: st.DrawFn, *, most: int = 4) -> tuple[Situation, Candidates]:
    """Draw a network in which assets fail in two events and by rates, and measures that change some of it.

    Prises stand where light arrives, as traced ones do: works that bring others a first route avoid no loss.
    """
    graph = served_only(draw(service_graphs(max_vertices=8, max_edges=12)))
    asset = st.integers(0, graph.n_assets - 1)
    hours = st.sampled_from([6.0, 24.0])
    p, rate = st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from([0.01, 0.5])
    flooded = sorted(draw(st.sets(asset, max_size=4)))
    rated = sorted(draw(st.sets(asset, max_size=4)))
    failures = failure_rows([(a, "flood", draw(p), draw(hours)) for a in flooded])
    rates = rate_rows([(a, "dig", draw(rate), draw(hours)) for a in rated])
    n = draw(st.integers(0, most))
    spare_p, spare_rate = list(flooded), list(rated)
    new_p: list[tuple[int, int, float]] = []
    new_rates: list[tuple[int, int, float]] = []
    links: dict[int, Link] = {}
    relays = (
        draw(st.sets(st.integers(1, graph.n_vertices - 1), max_size=3)) if graph.n_vertices > 1 else set()
    )
    for number in range(n):
        kinds = ["link"] * (graph.n_vertices > 1) + ["p"] * bool(spare_p) + ["rate"] * bool(spare_rate)
        kind = draw(st.sampled_from(kinds)) if kinds else ""
        if kind == "p":
            new_p.append((number, spare_p.pop(), draw(st.sampled_from([0.0, 0.05]))))
        elif kind == "rate":
            new_rates.append((number, spare_rate.pop(), draw(st.sampled_from([0.0, 0.005]))))
        elif kind == "link":
            links[number] = _link(draw, graph, relays, [one.replaces for one in links.values()])
            new_rates.append((number, graph.n_assets + number, 0.02))
    changed_p = failure_rows([(a, "flood", value, 6.0) for _, a, value in new_p])
    changed_rates = rate_rows([(a, "dig", value, 6.0) for _, a, value in new_rates])
    costs = [float(c) for c in draw(st.lists(st.integers(1, 20), min_size=n, max_size=n))]
    rooms = {number: one.room for number, one in links.items()}
    twice = [(a, b) for a in rooms for b in rooms if a < b and rooms[a] == rooms[b]]
    return situation(graph, failures, rates), candidates(
        changed_p.assign(measure=np.repeat([m for m, _, _ in new_p], len(EVENTS)).astype(np.int64)),
        changed_rates.assign(measure=np.array([m for m, _, _ in new_rates], np.int64)),
        links, costs, twice,
    )  # fmt: skip


def _link(draw: st.DrawFn, graph: ServiceGraph, relays: set[int], replaced: list[NDArray[np.int64]]) -> Link:
    room = draw(st.integers(1, graph.n_vertices - 1))
    anchor = draw(st.integers(0, graph.n_vertices - 1).filter(lambda v: v != room))
    carriers = draw(st.sets(st.integers(0, graph.n_assets - 1), max_size=2))
    none = np.empty(0, np.int32)
    return Link(
        room=room, anchor=anchor, relays=np.array(sorted(relays | {room, anchor}), np.int64), protects=none,
        carriers=np.array(sorted(carriers), np.int32), dug_m=100.0, wet=NO_WATER,
        replaces=_spare_leg(draw, graph, room, replaced),
    )  # fmt: skip


def _spare_leg(
    draw: st.DrawFn, graph: ServiceGraph, room: int, replaced: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Draw an edge at a room without which, and without those replaced already, all are served as today."""
    gone = set(np.concatenate([np.empty(0, np.int64), *replaced]).tolist())
    ends = list(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))
    today = nx.node_connected_component(nx.MultiGraph([(0, 0), *ends]), 0)
    spare = [
        edge
        for edge, of in enumerate(ends)
        if room in of and edge not in gone and nx.node_connected_component(
            nx.MultiGraph([(0, 0), *(one for e, one in enumerate(ends) if e not in gone | {edge})]), 0
        ) == today
    ]  # fmt: skip
    moved = draw(st.sampled_from([-1, *spare]))
    return np.array([moved] if moved >= 0 else [], np.int64)
