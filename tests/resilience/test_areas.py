"""Losses by area and the curve by threshold, against the prises that each object really loses."""

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from resilience.areas import behind_single_objects, losses_by_area, sites_by_type, worst_by_area
from resilience.spof import spof
from tests.resilience.small_network import small_network
from tests.resilience.test_losses import lost_by_search, members

COMMUNES = gpd.GeoDataFrame(
    {
        "code_insee": ["62001", "62002", "62003"],
        "nom": ["Aix", "Brias", "Calais"],
        "epci": ["E1", "E1", "E2"],
        "epci_nom": ["Artois", "Artois", "Côte"],
    },
    geometry=[shapely.box(-10, 0, 100, 500), shapely.box(100, 100, 300, 500), shapely.box(300, 0, 500, 90)],
    crs="EPSG:2154",
)
TABLES: dict[str, pd.DataFrame] = {"communes": COMMUNES}


def test_each_object_loses_in_each_area_what_search_finds_there() -> None:
    network, routes = small_network()
    table = spof(network, routes, TABLES)
    found = losses_by_area(network, routes, table, TABLES)
    expected: Counter[tuple[str, ...]] = Counter()
    epci = {"62001": "E1", "62002": "E1", "62003": "E2"}
    prises = routes.prises[routes.prises["vertex_nominal"] >= 0]
    for name, graph in (("prises_cut", routes.nominal), ("prises_stranded", routes.physical)):
        column = "vertex_nominal" if name == "prises_cut" else "vertex_physical"
        for asset in table.index:
            lost = lost_by_search(graph, *members(graph, {asset}))
            for row in prises[prises[column].isin(lost)].itertuples():
                commune = row.insee or "62003"  # P4 has no INSEE code and stands in Calais
                places = {"pm": row.pm, "nro": row.nro, "commune": commune, "epci": epci[commune]}
                for scope, area in places.items():
                    expected[table["kind"][asset], table["code"][asset], scope, area, name] += row.n
    told: Counter[tuple[str, ...]] = Counter()
    for row in found.itertuples():
        for name in ("prises_cut", "prises_stranded"):
            told[row.kind, row.code, row.scope, row.area, name] += getattr(row, name)
    assert +told == +expected
    order = found["scope"].map({"pm": 0, "nro": 1, "commune": 2, "epci": 3})
    assert order.groupby(found["kind"] + found["code"]).is_monotonic_increasing.all()


def test_the_worst_object_of_each_area_is_named() -> None:
    network, routes = small_network()
    table = spof(network, routes, TABLES).sort_values("rank")
    worst = worst_by_area(losses_by_area(network, routes, table, TABLES), routes, TABLES)
    assert worst["scope"].drop_duplicates().tolist() == ["pm", "nro", "commune", "epci"]
    by = worst.set_index(["scope", "area"])
    assert by.loc[("pm", "LP1"), ["prises", "prises_cut", "kind", "code"]].tolist() == [
        15,
        15,
        "local",
        "LN1",
    ]
    assert by.loc[("commune", "62003"), ["prises", "prises_cut", "libelle"]].tolist() == [7, 7, "Calais"]
    assert by.loc[("epci", "E1"), ["prises", "prises_cut", "libelle"]].tolist() == [15, 15, "Artois"]


def test_prises_behind_a_single_object_count_once_each() -> None:
    network, routes = small_network()
    table = spof(network, routes, {})
    curve = behind_single_objects(network, routes, table, {}, thresholds=(8, 16, 23))
    # 8: PM 1 with its 15, LN1 and SH with all 22; 16: LN1 and SH; 23: nothing
    assert curve["prises"].tolist() == [22, 22, 0]
    assert curve["n_objects"].tolist() == [int((table["prises_cut"] >= t).sum()) for t in (8, 16, 23)]
    assert curve["share"].tolist() == [1.0, 1.0, 0.0]
    only_boxes = table[table["kind"] == "ebp"]
    # C1 cuts 15, B1 10 of these: each prise once
    assert behind_single_objects(network, routes, only_boxes, {}, thresholds=(8,))["prises"].tolist() == [15]


def test_sensitive_sites_are_counted_by_type() -> None:
    network, routes = small_network()
    sites = pd.DataFrame(
        [("a", "sdis", "P1", np.nan, np.nan), ("b", "eau", "P3", np.nan, np.nan),
         ("c", "eau", "", 150.0, 310.0), ("d", "mairie", "P5", np.nan, np.nan)],
        columns=["id", "type", "code", "x", "y"],
    )  # fmt: skip
    tables = {"sites_sensibles": sites}
    table = spof(network, routes, tables)
    found = sites_by_type(network, routes, table, tables).set_index(["kind", "code", "type"])["sites"]
    assert found.loc["local", "LP1"].to_dict() == {"eau": 2, "sdis": 1}
    assert found.loc["ebp", "B2"].to_dict() == {"eau": 2}
    total = found.groupby(level=[0, 1]).sum()
    counted = table.set_index(["kind", "code"])["sites_sensibles"]
    assert total.to_dict() == counted[counted > 0].to_dict()
    assert sites_by_type(network, routes, table, {}).empty
