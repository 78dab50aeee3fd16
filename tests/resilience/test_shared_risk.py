"""Groups that fail together: named in tables, or the ways of one crossing."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.network.types import Network
from resilience.fragility import failure_probabilities
from resilience.loss import contributions, event_losses, keys_of_assets
from resilience.parameters import default_parameters
from resilience.shared_risk import CROSSINGS, crossings, risk_groups, with_groups
from resilience.spof import collapse, spof
from tests.resilience.loss_cases import NO_RATES
from tests.resilience.service_graphs import service_graphs
from tests.resilience.small_network import small_network
from tests.resilience.test_losses import lost_by_search, members
from tests.resilience.test_spof import at


def with_passage(network: Network, passage: dict[str, str]) -> Network:
    assets = network.assets.copy()
    assets["passage"] = assets["code"].map(passage).fillna("").where(assets["kind"] == "cheminement", "")
    return replace(network, assets=assets)


def test_a_bridge_is_the_ways_that_hang_together_over_it() -> None:
    network, routes = small_network()
    # W1 and W2 meet at NP1; W5 is another bridge; W3 meets W2 but passes under a railway
    network = with_passage(network, {"W1": "PON", "W2": "PON", "W3": "SNC", "W5": "PON", "W4": "TROT"})
    table = spof(network, routes, {})
    crossings = table[table["kind"] == "ouvrage"]
    assert crossings["code"].tolist() == ["W1", "W3", "W5"]
    assert crossings["libelle"].tolist() == ["Pont W1", "Passage SNCF W3", "Pont W5"]
    assert crossings["prises_cut"].tolist() == [15, 10, 7]
    assert crossings["segment"].tolist() == ["transport", "distribution", "distribution"]
    assert crossings["geometry"].iloc[0].length == at(table, "cheminement:W1")["geometry"].length + (
        at(table, "cheminement:W2")["geometry"].length
    )
    assert at(table, "ouvrage:W5")["same_as"] == "cheminement:W5"
    assert at(table, "cheminement:W5")["same_as"] == "ouvrage:W5"
    listed = collapse(table, min_prises=7)
    labels = set(listed["kind"] + ":" + listed["code"])
    assert {"ouvrage:W5", "ouvrage:W1", "cheminement:W1"} <= labels
    assert "cheminement:W5" not in labels
    only_ways = table[table["kind"] == "cheminement"]
    assert "W5" in set(collapse(only_ways, min_prises=7)["code"]), "a filter must not make rows vanish"


def test_two_cables_of_a_loop_over_one_bridge_share_its_risk() -> None:
    network, routes = small_network()
    network = with_passage(network, {"WC1": "PON", "WC2": "PON"})
    table = spof(network, routes, {})
    assert at(table, "cable:CO1")["prises_cut"] == 0
    assert at(table, "ouvrage:WC1")["prises_cut"] == 22
    assert at(table, "cheminement:WC1")["srlg"] == "ouvrage:WC1"
    # the cables that its ways carry are in the group; the site of both, with fewer members, comes first
    assert at(table, "cable:CO1")["srlg"] == "site:SH"
    tables = {"groupes": pd.DataFrame([("a", "cheminement", "W3")], columns=["group", "kind", "code"])}
    tables["groupes"] = pd.concat([tables["groupes"], tables["groupes"].assign(code="W5")])
    assert at(spof(network, routes, tables), "cable:DI5")["srlg"] == "groupe:a"


def test_a_study_names_the_bridges_that_deliveries_do_not() -> None:
    """Version 3 tells no bridge: the study gives the legs CO1 and CO2, and a chamber, as one."""
    network, routes = small_network()
    rows = [("Pont de l'Aa", "cheminement", "WC1", "PON"), ("Pont de l'Aa", "cable", "CO2", ""),
            ("Pont de l'Aa", "ptech", "CH", "PON"), ("autre", "cable", "DI5", ""),
            ("Pont de l'Aa", "cable", "NONE", "PON")]  # fmt: skip
    groupes = pd.DataFrame(rows, columns=["group", "kind", "code", "passage"])
    table = spof(network, routes, {"groupes": groupes})
    assert at(table, "ouvrage:Pont de l'Aa")[["prises_cut", "libelle"]].tolist() == [22, "Pont Pont de l'Aa"]
    assert at(table, "groupe:autre")["prises_cut"] == 7
    assert not ((table["kind"] == "groupe") & (table["code"] == "Pont de l'Aa")).any()
    assert table.attrs["groupes_not_found"] == ["cable:NONE"]


def test_a_bridge_that_a_study_names_takes_in_the_ways_that_hang_on_it() -> None:
    """W1 and W2 share NP1; the study adds W5, which shares no node with them: one bridge of three ways."""
    network, _ = small_network()
    network = with_passage(network, {"W1": "PON", "W2": "PON", "W5": "PON", "W3": "SNC"})
    rows = [("P", "cheminement", "W2", "PON"), ("P", "cheminement", "W5", "PON")]
    table = crossings(network, pd.DataFrame(rows, columns=["group", "kind", "code", "passage"]))
    named = table.assign(way=network.assets["code"].iloc[table["asset"]].to_numpy())
    assert named[["code", "passage", "way"]].to_numpy().tolist() == [
        ["P", "PON", "W1"], ["P", "PON", "W2"], ["P", "PON", "W5"], ["W3", "SNC", "W3"],
    ]  # fmt: skip


def test_fast_water_takes_both_legs_of_a_loop_over_one_bridge_at_once() -> None:
    """Once in 100 years, p = 0.35 and 120 h: 22 prises are down or none, never by chance of two bridges."""
    network, routes = small_network()
    assets = network.assets
    ways = assets[assets["kind"] == "cheminement"]
    exposure = pd.DataFrame(
        {"asset": ways.index, "hazard": "vitesse", "scenario": "Q100", "return_period": 100.0, "wet_m": 0.0,
         "intensity_max": np.where(ways["code"] == "WC1", 3.0, 0.0), "hazard_kind": "flood_velocity"}
    )  # fmt: skip
    exposure["length_m"] = 100.0
    rows = [("pont", "cheminement", "WC1", "PON"), ("pont", "cheminement", "WC2", "PON")]
    groupes = pd.DataFrame(rows, columns=["group", "kind", "code", "passage"])
    network = replace(network, lines=ways.assign(typ_imp="7", asset=ways.index))
    failures = failure_probabilities(network, exposure, default_parameters(), "central", groups=groupes)
    keys = keys_of_assets(assets)
    events = event_losses(routes.nominal, failures, asset_keys=keys, seed=1, draws=4000)
    assert events[["prises_down_p05", "prises_down_p95"]].to_numpy().tolist() == [[0, 22]]
    assert events["prises_h_mean"].tolist() == pytest.approx([22 * 120 * 0.35], rel=0.06)
    alone = failure_probabilities(network, exposure, default_parameters(), "central")
    assert alone.empty, "a network without a bridge has none to lose"
    part = contributions(
        routes.nominal,
        failures,
        NO_RATES,
        pd.Series("boucle", assets.index),
        asset_keys=keys,
        seed=1,
        draws=500,
    )
    assert part["failures_per_year"].tolist() == pytest.approx([0.35 / 100])


def test_groups_and_power_zones_of_equipment_have_rows() -> None:
    network, routes = small_network()
    equipment = pd.DataFrame(
        [("local", "LP1", "A", "Z1"), ("local", "LP2", "A", "Z1"), ("local", "LN2", "", "Z2"),
         ("local", "NONE", "A", "")],
        columns=["kind", "code", "groupe", "zone_elec"],
    )  # fmt: skip
    groupes = pd.DataFrame([("A", "cable", "DI1")], columns=["group", "kind", "code"])
    table = spof(network, routes, {"equipements": equipment, "groupes": groupes})
    # both PMs: 15 + 7; LN2: the 7 of its PM
    assert at(table, "groupe:A")[["prises_cut", "n_pm"]].tolist() == [22, 2]
    assert at(table, "zone_elec:Z1")["prises_cut"] == 22
    assert at(table, "zone_elec:Z2")["prises_cut"] == 7
    assert table.attrs["groupes_not_found"] == ["local:NONE"]


@given(st.data())
def test_crossings_are_the_connected_ways_of_one_passage(data: st.DataObject) -> None:
    network, _ = small_network()
    ways = sorted(network.assets.loc[network.assets["kind"] == "cheminement", "code"])
    passage = {way: data.draw(st.sampled_from(["", "PON", "AQU", "TROT"])) for way in ways}
    network = with_passage(network, passage)
    kind, code = network.assets["kind"], network.assets["code"]
    met: nx.Graph = nx.Graph()
    met.add_nodes_from(way for way in ways if passage[way] in CROSSINGS)
    by_place: dict[int, list[str]] = {}
    for a, b in network.links[["a", "b"]].to_numpy().tolist():
        if kind[a] == "cheminement" and kind[b] == "noeud":
            by_place.setdefault(b, []).append(code[a])
    for met_there in by_place.values():
        met.add_edges_from(
            (a, b)
            for a in met_there
            for b in met_there
            if passage[a] == passage[b] and passage[a] in CROSSINGS
        )
    expected = sorted(sorted(part) for part in nx.connected_components(met))
    groups = risk_groups(network, {})
    found = [sorted(code[rows["asset"]]) for _, rows in groups.groupby("number")]
    assert sorted(found) == expected


@given(service_graphs(), st.data())
def test_a_group_cuts_what_its_members_cut_together(graph: object, data: st.DataObject) -> None:
    from gracethd.service import ServiceGraph
    from resilience.losses import index_graph, losses_of_assets

    assert isinstance(graph, ServiceGraph)
    chosen = sorted(data.draw(st.sets(st.integers(0, graph.n_assets - 1), min_size=1)))
    groups = pd.DataFrame({"number": graph.n_assets, "asset": chosen})
    wider = with_groups(graph, groups)
    lost = lost_by_search(graph, *members(graph, set(chosen)))
    found = losses_of_assets(index_graph(wider, graph.prises))
    assert found[-1, 0] == graph.prises[sorted(lost)].sum()
    assert (found[:-1] == losses_of_assets(index_graph(graph, graph.prises))).all()
