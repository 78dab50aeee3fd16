"""Séries against a network drawn by hand and against the components of networkx."""

from dataclasses import fields, replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gracethd.network.types import Network
from resilience.series import COLUMNS, serie_of_assets, series
from resilience.spof import spof
from tests.resilience.small_network import small_network


def members(table: pd.DataFrame) -> dict[str, set[str]]:
    named = table[table["serie"] != ""]
    labels = named["kind"] + ":" + named["code"]
    return {str(serie): set(rows) for serie, rows in labels.groupby(named["serie"])}


def test_a_trench_its_closure_its_chamber_and_its_node_are_one_serie() -> None:
    network, routes = small_network()
    found = members(spof(network, routes, {}))
    assert found["W2"] == {"cheminement:W2", "ptech:CH", "noeud:NC", "ebp:C1"}
    assert found["TR1"] == {"cable:TR1", "cheminement:W1"}
    assert found["DI3"] == {"cable:DI3", "cheminement:W3", "ebp:B1", "noeud:NB1"}
    assert found["DI1"] == {"cable:DI1"}


def test_drops_rooms_and_what_cuts_nothing_are_in_no_serie() -> None:
    network, routes = small_network()
    table = spof(network, routes, {})
    alone = table.loc[table["serie"] == "", "code"]
    assert set(alone) == {
        "CO1", "CO2", "WC1", "WC2", "RA1", "LN1", "LN2", "LP1", "LP2", "N1", "N2", "NP1", "NP2", "SN1", "SP1",
    }  # fmt: skip


def test_series_are_summed_up_and_ranked() -> None:
    network, routes = small_network()
    table = spof(network, routes, {})
    wet = pd.Series(np.nan, index=table.index)
    wet[table["code"] == "CH"], wet[table["code"] == "W2"] = 0.4, 0.1
    summed = series(network, table, intensity=wet).set_index("serie")
    assert summed.reset_index().columns.tolist() == list(COLUMNS)
    trench = summed.loc["W2"]
    assert trench["prises_cut"] == 15
    assert trench[["length_m", "n_ways", "n_chambers", "n_poles", "n_cables"]].tolist() == [100.0, 1, 1, 0, 0]
    assert trench["intensity_max"] == 0.4
    assert np.isnan(summed.loc["TR1", "intensity_max"])
    assert trench["geometry"].equals(shapely.MultiLineString([[(100, 100), (100, 200)]]))
    assert summed.loc["SH", "geometry"].equals(shapely.MultiPoint([(0, 0)]))
    assert summed.index[:4].tolist() == ["NH", "SH", "TR1", "W2"]
    assert summed["rank"].tolist() == list(range(1, len(summed) + 1))
    assert summed.crs == network.assets.crs


def test_one_code_under_two_kinds_gives_two_names() -> None:
    assets = gpd.GeoDataFrame(
        {"kind": ["cable", "cheminement"], "code": "X", "segment": "transport", "nature": "", "nd_code": ""},
        geometry=[None, None],
    )
    none = pd.DataFrame({"a": np.int64([]), "b": np.int64([])})  # type: ignore[arg-type]
    frames = {f.name: pd.DataFrame() for f in fields(Network)}
    network = Network(**{**frames, "assets": assets, "links": none})
    one = np.array([[1, 1], [2, 2]], np.uint64)
    found = serie_of_assets(network, np.array([1, 1]), one, np.array([0, 0], np.int32))
    assert found.tolist() == ["X", "cheminement:X"]


@given(st.data())
def test_series_are_the_connected_parts_of_equal_assets(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 9))
    row = st.tuples(
        st.sampled_from(["cable", "cheminement", "ebp"]),
        st.sampled_from(["transport", "distribution", "raccordement"]),
        st.integers(0, 2),
        st.integers(0, 3),
    )
    rows = data.draw(st.lists(row, min_size=n, max_size=n))
    pairs = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=14))
    table = pd.DataFrame(rows, columns=["kind", "segment", "cut", "depth"]).assign(nature="", nd_code="")
    table["code"] = [f"A{i}" for i in np.random.default_rng(n).permutation(n)]
    network = Network(
        **{
            **{f.name: pd.DataFrame() for f in fields(Network)},
            "assets": gpd.GeoDataFrame(table, geometry=[None] * n),
            "links": pd.DataFrame(pairs, columns=["a", "b"], dtype=np.int64),
        }
    )
    signatures = np.repeat(table["cut"].to_numpy(np.uint64)[:, None], 2, axis=1)
    found = serie_of_assets(network, table["cut"].to_numpy(), signatures, table["depth"].to_numpy(np.int32))
    net = nx.Graph()
    net.add_nodes_from(i for i in range(n) if table["cut"][i] and table["segment"][i] != "raccordement")
    alike = table[["cut", "segment"]].apply(tuple, axis=1)
    net.add_edges_from((a, b) for a, b in pairs if a in net and b in net and alike[a] == alike[b])
    expected = pd.Series("", index=range(n))
    for part in nx.connected_components(net):
        first = min(part, key=lambda i: (table["depth"][i], table["code"][i]))
        expected[list(part)] = table["code"][first]
    assert found.tolist() == expected.tolist()


def test_the_order_of_links_changes_nothing_and_inputs_stay() -> None:
    network, routes = small_network()
    table = spof(network, routes, {})
    back = network.links.iloc[::-1].rename(columns={"a": "b", "b": "a"}).reset_index(drop=True)
    again = spof(replace(network, links=back), routes, {})
    pd.testing.assert_frame_equal(table, again)
    before = table.copy()
    series(network, table)
    pd.testing.assert_frame_equal(table, before)
