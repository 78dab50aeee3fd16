"""Fibres followed by brute force through the positions, from the drop to the drawer."""

from collections import defaultdict

import networkx as nx
import pandas as pd
import pytest

from gracethd.synth import SynthNetwork

Delivered = list[tuple[object, dict[str, pd.DataFrame]]]


def fibre_graph(positions: pd.DataFrame) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(positions["ps_1"])
    joined = positions[positions["ps_2"] != ""]
    graph.add_edges_from(zip(joined["ps_1"], joined["ps_2"], strict=True))
    return graph


@pytest.fixture(scope="module")
def spliced(example_tables: Delivered) -> Delivered:
    return [(part, tables) for part, tables in example_tables if part.level == 3]


def test_each_premise_has_a_fibre_of_its_own_to_the_drawer(spliced: Delivered) -> None:
    seen = 0
    for part, tables in spliced:
        if part.layer != "DI":
            continue
        graph = fibre_graph(tables["t_position"])
        drawer = set(tables["t_position"].loc[tables["t_position"]["ps_ti_code"] != "", "ps_1"])
        parts_of = list(nx.connected_components(graph))
        assert all(nx.is_tree(graph.subgraph(part)) for part in parts_of)
        assert max(dict(graph.degree).values()) <= 2
        drops = {f"FO{code[2:]}001" for code in part.premises.loc[part.premises["connected"], "code"]}
        starts = [component & drawer for component in parts_of]
        assert all(len(start) == 1 for start in starts)  # every alignment begins at the drawer, once
        ended = [component & drops for component in parts_of]
        assert all(len(end) <= 1 for end in ended)
        assert set().union(*ended) == drops
        assert len(parts_of) == len(part.premises) == len(drawer)
        seen += 1
    assert seen >= 3


def test_waiting_fibres_are_in_the_pbo_of_their_premises(spliced: Delivered, example: SynthNetwork) -> None:
    for part, tables in spliced:
        if part.layer != "DI":
            continue
        box = tables["t_cassette"].set_index("cs_code")["cs_bp_code"]
        waiting = tables["t_position"][tables["t_position"]["ps_fonct"] == "AT"]
        found = box.loc[waiting["ps_cs_code"]].value_counts().to_dict()
        idle = part.premises[~part.premises["connected"]]
        expected = example.boxes["bp_code"].iloc[idle["box"]].value_counts().to_dict()
        assert found == expected


def test_transport_alignments_join_the_drawers_of_nro_and_pm(spliced: Delivered) -> None:
    for part, tables in spliced:
        if part.layer != "TR":
            continue
        graph = fibre_graph(tables["t_position"])
        drawers = defaultdict(set)
        at_drawer = tables["t_position"][tables["t_position"]["ps_ti_code"] != ""]
        for fibre, drawer in zip(at_drawer["ps_1"], at_drawer["ps_ti_code"], strict=True):
            drawers[fibre].add(drawer)
        rooms = tables["t_tiroir"].set_index("ti_code")["ti_ba_code"]
        nro = part.sites.loc[part.sites["kind"] == "NRO", "ba_code"].iloc[0]
        for component in nx.connected_components(graph):
            ends = [rooms[drawer] for fibre in component for drawer in drawers[fibre]]
            assert len(ends) == 2
            assert ends.count(nro) == 1


def test_fibres_are_numbered_by_tube_and_positions_fill_cassettes(spliced: Delivered) -> None:
    for _, tables in spliced:
        fibres = tables["t_fibre"]
        assert ((fibres["fo_numtub"] - 1) * 12 + fibres["fo_nintub"] == fibres["fo_nincab"]).all()
        capacity = tables["t_cable"].set_index("cb_code")["cb_capafo"]
        assert (fibres.groupby("fo_cb_code").size() == capacity.loc[sorted(set(fibres["fo_cb_code"]))]).all()
        held = tables["t_position"].groupby("ps_cs_code")["ps_numero"]
        assert held.max().max() <= 12
        assert (held.nunique() == held.size()).all()


def test_one_closure_holds_transport_and_distribution_in_different_cassettes(spliced: Delivered) -> None:
    by_box: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for part, tables in spliced:
        held = tables["t_cassette"]
        for cassette, box in zip(held["cs_code"], held["cs_bp_code"], strict=True):
            if box:
                by_box[box].add((part.layer, cassette))
    both = [box for box, held in by_box.items() if {layer for layer, _ in held} == {"TR", "DI"}]
    assert both
    for box in both:
        cassettes = [cassette for _, cassette in by_box[box]]
        assert len(cassettes) == len(set(cassettes))
