"""The SPOF table of a network counted by hand (see `small_network`)."""

import shutil
from datetime import date
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gracethd.network.build import build_network
from gracethd.reading import read
from gracethd.routes.trace import trace_routes
from gracethd.routes.types import Routes
from resilience.parameters import LEVELS, default_parameters, replace_parameters
from resilience.spof import COLUMNS, collapse, spof
from resilience.stakes import prises_of_sites, subscribers_of_prises
from tests.resilience.small_network import small_network
from tests.resilience.test_losses import lost_by_search, members

CUT = {  # prises_cut, prises_stranded
    "cable:CO1": (0, 0), "cable:CO3": (7, 7), "cable:TR1": (15, 15), "cable:DI1": (10, 0),
    "cable:DI2": (5, 0), "cable:DI3": (10, 10), "cable:RA1": (1, 1), "cheminement:W2": (15, 15),
    "cheminement:WC1": (0, 0), "ebp:C1": (15, 0), "ebp:B1": (10, 10), "ptech:CH": (15, 15),
    "noeud:NC": (15, 15), "local:LN1": (22, 22), "local:LN2": (7, 7), "local:LP1": (15, 15),
    "site:SH": (22, 22), "noeud:NH": (22, 22),
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> gpd.GeoDataFrame:
    return spof(*small_network(), {})


def at(table: pd.DataFrame, label: str) -> pd.Series:
    kind, code = label.split(":")
    return table[(table["kind"] == kind) & (table["code"] == code)].iloc[0]


def test_every_asset_has_one_row_with_the_columns_in_order(table: gpd.GeoDataFrame) -> None:
    network, _ = small_network()
    assert tuple(table.columns) == COLUMNS
    assert table[["kind", "code"]].to_numpy().tolist() == network.assets[["kind", "code"]].to_numpy().tolist()
    assert table.crs == network.assets.crs
    assert (table["diffusion"] == "DIFFUSION RESTREINTE").all()


@pytest.mark.parametrize("label", CUT)
def test_cut_and_stranded_are_those_counted_by_hand(table: gpd.GeoDataFrame, label: str) -> None:
    row = at(table, label)
    assert (row["prises_cut"], row["prises_stranded"]) == CUT[label]


def test_cut_and_stranded_are_those_of_remove_and_search(table: gpd.GeoDataFrame) -> None:
    _, routes = small_network()
    for name, graph in (("prises_cut", routes.nominal), ("prises_stranded", routes.physical)):
        lost = [lost_by_search(graph, *members(graph, {a})) for a in range(len(table))]
        assert table[name].tolist() == [int(graph.prises[sorted(vertices)].sum()) for vertices in lost]


def test_stranded_is_at_most_cut_and_cut_at_most_its_maximum(table: gpd.GeoDataFrame) -> None:
    assert (table["prises_stranded"] <= table["prises_cut"]).all()
    assert (table["prises_cut"] <= table["prises_cut_max"]).all()


def test_rooms_that_lose_service_are_counted(table: gpd.GeoDataFrame) -> None:
    assert at(table, "cable:CO3")[["n_pm", "n_nro"]].tolist() == [1, 1]
    assert at(table, "local:LN1")[["n_pm", "n_nro"]].tolist() == [2, 2]
    assert at(table, "cable:DI1")[["n_pm", "n_nro"]].tolist() == [0, 0]


def test_an_nro_holds_its_own_prises_and_those_in_transit(table: gpd.GeoDataFrame) -> None:
    for label in ("local:LN1", "site:SN1", "noeud:N1"):
        assert at(table, label)[["prises_own", "prises_transit"]].tolist() == [15, 7]
    assert at(table, "local:LN2")[["prises_own", "prises_transit"]].tolist() == [7, 0]
    others = table[~table["code"].isin(["LN1", "SN1", "N1", "LN2", "N2"])]
    assert others[["prises_own", "prises_transit"]].isna().all(axis=None)


def test_cables_that_fail_or_end_with_an_asset_are_counted(table: gpd.GeoDataFrame) -> None:
    labels = ("cable:DI1", "cheminement:W2", "ptech:CH", "ebp:C1", "local:LN1", "cheminement:W5")
    assert [at(table, label)["n_cables"] for label in labels] == [1, 2, 4, 4, 4, 1]


def test_only_the_looped_cables_are_protected(table: gpd.GeoDataFrame) -> None:
    assert set(table.loc[table["protected"], "code"]) == {"CO1", "CO2", "WC1", "WC2"}


def test_alternatives_are_the_ways_that_remain(table: gpd.GeoDataFrame) -> None:
    labels = ("cable:CO1", "cable:DI1", "cable:DI3", "cheminement:W2", "ebp:C1", "local:LN1", "local:LP1")
    assert [at(table, label)["n_alternatives"] for label in labels] == [1, 1, 0, 0, 1, 2, 1]


def test_the_smallest_group_that_cuts_more_is_named(table: gpd.GeoDataFrame) -> None:
    labels = ("cable:DI1", "cable:DI3", "cable:TR1", "cheminement:W2", "ebp:C1")
    assert [at(table, label)["srlg"] for label in labels] == [
        "cheminement:W2",
        "ptech:CH",
        "site:SN1",
        "",
        "",
    ]


def test_the_list_has_one_row_a_place_and_counts_what_it_leaves_out(table: gpd.GeoDataFrame) -> None:
    short = collapse(table, min_prises=7)
    assert len(short) + sum(short.attrs["left_out"].values()) == len(table)
    # 0: both looped cables and their ways; 1: the drop; 5: DI2, DI4, W4, B2 and its node
    assert short.attrs["left_out"] == {"below_min_prises": 10, "drops": 0, "same_place": 11}
    assert at(short, "local:LN1")["same_as"] == "site:SN1, noeud:N1"
    assert at(short, "ebp:B3")["same_as"] == "ptech:AP, noeud:NB3"
    # the closure can be re-spliced on the spot, its chamber cannot: two rows
    assert {"C1", "CH"} <= set(short["code"])
    assert "NC" not in set(short["code"])
    assert short["rank"].tolist() == list(range(1, len(short) + 1))
    assert short[["prises_cut", "prises_stranded"]].iloc[:3].to_numpy().tolist() == [
        [22, 22],
        [22, 22],
        [15, 15],
    ]


def test_drops_come_only_when_asked(table: gpd.GeoDataFrame) -> None:
    assert "RA1" not in set(collapse(table, min_prises=1)["code"])
    assert "RA1" in set(collapse(table, min_prises=1, drops=True)["code"])


def test_ranks_follow_cut_then_stranded_then_kind_then_code(table: gpd.GeoDataFrame) -> None:
    by_rank = table.sort_values("rank")
    keys = zip(
        -by_rank["prises_cut"], -by_rank["prises_stranded"], by_rank["kind"], by_rank["code"], strict=True
    )
    keys = list(keys)
    assert keys == sorted(keys)
    assert sorted(table["rank"]) == list(range(1, len(table) + 1))


def test_columns_without_their_table_are_empty_and_named(table: gpd.GeoDataFrame) -> None:
    assert table.attrs["absent"] == [
        "commune", "epci", "abonnes_cut", "sites_sensibles", "prises_sans_cuivre", "vraisemblance",
        "criticite",
    ]  # fmt: skip
    assert (table[["commune", "epci"]] == "").all(axis=None)
    assert table[table.attrs["absent"][2:]].isna().all(axis=None)


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    sites = pd.DataFrame(
        [("S1", "mairie", "P3", np.nan, np.nan), ("S2", "hopital", "", 400.0, 105.0),
         ("S3", "eau", "", 400.0, 111.0), ("S4", "ehpad", "P5", np.nan, np.nan)],
        columns=["id", "type", "code", "x", "y"],
    )  # fmt: skip
    communes = gpd.GeoDataFrame(
        {"code_insee": ["62003", "62001"], "epci": ["200", "100"]},
        geometry=[shapely.box(250, -500, 600, 500), shapely.box(-50, -500, 250, 500)],
        crs="EPSG:2154",
    )
    return {
        "communes": communes,
        "abonnes": pd.DataFrame({"code": ["B1", "LP1", "LP2", "X"], "abonnes": [8, 10, 5, 4]}),
        "sites_sensibles": sites,
        "cuivre": pd.DataFrame(
            {"code_insee": ["62001", "62003"], "date_fermeture": pd.to_datetime(["2026-01-31", "2028-01-31"])}
        ),
    }


def test_subscribers_sites_and_copper_behind_each_asset_are_counted(tables: dict[str, pd.DataFrame]) -> None:
    table = spof(*small_network(), tables)
    labels = ("local:LP1", "cable:DI1", "cable:DI2", "cable:RA1", "local:LN1")
    # PM LP1 has 10 subscribers, of which its PBO B1 tells 8; the other 2 are behind B2
    assert [at(table, label)["abonnes_cut"] for label in labels] == [10, 8, 2, 1, 15]
    # S2 takes the prise 45 m away; S3 finds none within 50 m; S4 is an untraced premise
    assert [at(table, label)["sites_sensibles"] for label in labels] == [1, 0, 1, 0, 2]
    # P4 says no commune: its place does
    assert [at(table, label)["prises_sans_cuivre"] for label in labels] == [10, 10, 0, 1, 17]
    assert table.attrs["abonnes_not_placed"] == 4
    assert table.attrs["sites_not_placed"] == 2
    assert table.attrs["prises_without_commune"] == 0
    assert at(table, "cheminement:W5")[["commune", "epci"]].tolist() == ["62003", "200"]
    assert table.attrs["absent"] == ["vraisemblance", "criticite"]


def test_copper_closes_on_its_date(tables: dict[str, pd.DataFrame]) -> None:
    table = spof(*small_network(), tables, on_date=date(2026, 1, 31))
    assert at(table, "local:LN1")["prises_sans_cuivre"] == 10


def test_gravite_is_the_highest_of_prises_sites_rooms_and_hours(tables: dict[str, pd.DataFrame]) -> None:
    network, routes = small_network()
    table = spof(network, routes, tables)
    labels = ("cable:DI1", "local:LP1", "local:LP2", "local:LN1")
    assert [at(table, label)["gravite"] for label in labels] == [1, 2, 3, 4]
    hours = pd.Series({at(table, "cable:DI1").name: 24.0, at(table, "local:LP1").name: 3.9})
    timed = spof(network, routes, {}, duration_h=hours)
    assert [at(timed, label)["gravite"] for label in labels] == [3, 1, 1, 4]


def test_criticite_is_gravite_times_vraisemblance() -> None:
    network, routes = small_network()
    codes = network.assets["code"]
    rates = {"LN1": 0.0019, "SH": 0.002, "TR1": 0.02, "DI1": 0.1, "DI2": 0.11}
    failures = pd.Series({int(codes.index[codes == code][0]): rate for code, rate in rates.items()})
    table = spof(network, routes, {}, failures_per_year=failures).set_index("code")
    assert table.loc[list(rates), "vraisemblance"].tolist() == [1, 2, 3, 3, 4]
    assert table.loc[list(rates), "criticite"].tolist() == [4, 8, 3, 3, 4]
    assert table.loc["DI3", ["vraisemblance", "criticite"]].isna().all()


def test_a_group_of_the_user_has_a_row_and_is_a_shared_risk() -> None:
    rows = [("pont", "cable", "CO1"), ("pont", "cable", "CO2"), ("pont", "cable", "NONE")]
    groupes = pd.DataFrame(rows, columns=["group", "kind", "code"])
    network, routes = small_network()
    table = spof(network, routes, {"groupes": groupes})
    bridge = at(table, "groupe:pont")
    assert bridge[["prises_cut", "prises_stranded", "n_cables"]].tolist() == [22, 22, 2]
    assert bridge["n_alternatives"] is pd.NA
    assert at(table, "cable:CO1")["srlg"] == "groupe:pont"
    assert table.attrs["groupes_not_found"] == ["cable:NONE"]
    assert table.index.tolist() == list(range(len(network.assets) + 1))
    assert "pont" in set(collapse(table)["code"])


def test_what_geometry_adds_to_the_keys_is_told_where_it_differs() -> None:
    table = spof(*small_network(geometry_use=True), {})
    assert at(table, "cheminement:W2")["prises_cut"] == 15
    assert at(table, "cheminement:W2")["prises_cut_identity"] == 10
    assert table["prises_cut_identity"].notna().sum() == 1


def test_the_table_can_be_kept_as_parquet(table: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = tmp_path / "spof.parquet"
    table.to_parquet(path)
    back = gpd.read_parquet(path)
    assert back["prises_own"].tolist() == table["prises_own"].tolist()
    assert back["rank"].tolist() == table["rank"].tolist()


def test_inputs_stay_as_they_were(tables: dict[str, pd.DataFrame]) -> None:
    network, routes = small_network()
    spof(network, routes, tables)
    again, routes_again = small_network()
    pd.testing.assert_frame_equal(network.assets, again.assets)
    pd.testing.assert_frame_equal(network.uses, again.uses)
    pd.testing.assert_frame_equal(routes.prises, routes_again.prises)
    assert (routes.nominal.edge_asset == routes_again.nominal.edge_asset).all()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from("MN")), max_size=8),
    st.dictionaries(st.sampled_from("abMN"), st.integers(0, 50)),
)
def test_no_subscriber_is_lost_or_made_up(rows: list[tuple[int, str, str]], given_: dict[str, int]) -> None:
    prises = pd.DataFrame(rows, columns=["n", "pbo", "pm"]).astype({"n": np.int64, "pbo": str, "pm": str})
    abonnes = pd.DataFrame({"code": list(given_), "abonnes": list(given_.values())}).astype({"code": str})
    abonnes["abonnes"] = abonnes["abonnes"].astype(np.int64)
    share = subscribers_of_prises(prises, abonnes)
    assert (share >= 0).all()
    for code in "ab":
        of_box = (prises["pbo"] == code).to_numpy()
        if code in given_ and prises["n"][of_box].sum():
            assert share[of_box].sum() == given_[code]
    free = ~prises["pbo"].isin(list(given_))
    for code in "MN":
        of_pm = (prises["pm"] == code).to_numpy()
        told = int(share[of_pm & ~free.to_numpy()].sum())
        expected = max(0, given_.get(code, 0) - told) if prises["n"][of_pm & free.to_numpy()].sum() else 0
        assert share[of_pm & free.to_numpy()].sum() == expected


def test_a_site_takes_its_premise_else_the_nearest() -> None:
    prises = pd.DataFrame({"code": ["A", "A", "B"], "x": [0.0, 0.0, np.nan], "y": [0.0, 0.0, np.nan]})
    sites = pd.DataFrame(
        {"code": ["A", "B", "", ""], "x": [9e9, 0.0, 30.0, np.nan], "y": [0.0, 0.0, 40.0, 0.0]}
    )
    assert prises_of_sites(prises, sites).tolist()[:2] == [0, 2]
    assert prises_of_sites(prises, sites)[2] in (0, 1)
    assert prises_of_sites(prises, sites)[3] == -1


def test_the_cut_of_a_series_of_rings_is_that_of_networkx() -> None:
    """Bridges of networkx are the cables that strand something, in the physical graph of the example."""
    network, routes = small_network()
    graph = routes.physical
    simple = nx.Graph()
    pairs = list(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))
    simple.add_edges_from(pair for pair in pairs if pairs.count(pair) == 1)
    multiple = {pair for pair in pairs if pairs.count(pair) > 1}
    simple.add_edges_from(multiple)
    bridges = {frozenset(edge) for edge in nx.bridges(simple)} - {frozenset(pair) for pair in multiple}
    table = spof(network, routes, {})
    cables = table[table["kind"] == "cable"]
    at_edge = {
        int(a): frozenset(pairs[e])
        for a, e in zip(graph.edge_asset, graph.edge_of, strict=True)
        if a in cables.index
    }
    strands = {at_edge[a] for a in cables.index[cables["prises_stranded"] > 0]}
    assert strands == {edge for edge in bridges if edge in set(at_edge.values())}


def public_sample(folder: Path) -> tuple[gpd.GeoDataFrame, Routes]:
    inventory = read(folder)
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    return spof(network, routes, {}), routes


@pytest.mark.shared
def test_demo01_its_sro_cuts_all_its_premises(shared: Path) -> None:
    """One chamber carries transport and distribution, one closure holds splices of both (gracethd.md)."""
    table, routes = public_sample(shared / "gracethd" / "demo01-v2.0.1")
    assert at(table, "local:LT200180030502")[["prises_cut", "prises_stranded"]].tolist() == [21, 21]
    assert (table["prises_stranded"] <= table["prises_cut"]).all()
    for name, graph in (("prises_cut", routes.nominal), ("prises_stranded", routes.physical)):
        lost = [lost_by_search(graph, *members(graph, {a})) for a in range(len(table))]
        assert table[name].tolist() == [int(graph.prises[sorted(vertices)].sum()) for vertices in lost]


@pytest.mark.shared
def test_v3_sample_two_parallel_cables_cut_without_stranding_their_way_strands(
    shared: Path, tmp_path: Path
) -> None:
    """The golden case of gracethd.md: each cable cuts some and strands none, their way strands all."""
    for csv in sorted((shared / "gracethd" / "sample-v3").glob("t_*.csv")):
        shutil.copyfile(csv, tmp_path / csv.name)
    for layer in ("t_adresse", "t_cableline", "t_cheminement", "t_noeud", "t_znro", "t_zsro"):
        for part in sorted((shared / "gracethd" / "demo01-v2.0.1").glob(f"{layer}.*")):
            shutil.copyfile(part, tmp_path / part.name)
    table, _ = public_sample(tmp_path)
    cut = [at(table, f"cable:CB00018003{code}")["prises_cut"] for code in ("0916", "0917")]
    assert min(cut) > 0
    assert sum(cut) == 21
    assert [at(table, f"cable:CB00018003{code}")["prises_stranded"] for code in ("0916", "0917")] == [0, 0]
    assert at(table, "cheminement:CM200180033134")[["prises_cut", "prises_stranded"]].tolist() == [21, 21]


def test_a_study_may_move_the_limits_of_the_classes() -> None:
    network, routes = small_network()
    often = pd.Series(0.01, index=network.assets.index)
    shipped = spof(network, routes, {}, failures_per_year=often)
    assert shipped["gravite"].max() <= 4
    one = dict.fromkeys(LEVELS, 1.0) | {"source": "committee"}
    rare = dict.fromkeys(LEVELS, 0.5) | {"source": "committee"}
    moved = replace_parameters(
        default_parameters(),
        {**{f"class.gravite_{n}.prises": one for n in (2, 3, 4)},
         **{f"class.vraisemblance_{n}.per_year": rare for n in (2, 3, 4)}},
    )  # fmt: skip
    table = spof(network, routes, {}, failures_per_year=often, parameters=moved)
    cuts = table["prises_cut"] > 0
    assert set(table.loc[cuts, "gravite"]) == {4}
    assert set(table["vraisemblance"].dropna()) == {1}
    assert set(shipped["vraisemblance"].dropna()) == {2}
    assert (table["rank"] == shipped["rank"]).all()  # ranks never come from it
