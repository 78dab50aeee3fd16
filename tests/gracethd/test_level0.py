"""Zones and prises without a network: what they become, and what they say of deliveries."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gracethd.errors import CRSError, GraceTHDError
from gracethd.level0 import compare_prises, from_buildings, from_zones
from gracethd.network import build_network
from gracethd.reading import build_inventory
from gracethd.routes import trace_routes

X, Y = 650_000, 7_060_000
TOLD = {"address": "imb", "x": "X", "y": "Y", "prises": "nb", "pm": "refpm"}


def buildings(*rows: tuple[str, int, str | None, str]) -> pd.DataFrame:
    """Give buildings (address, metres to the east, number of prises, PM)."""
    return pd.DataFrame(
        [{"imb": a, "X": str(X + east), "Y": f"{Y},0", "nb": n, "refpm": pm} for a, east, n, pm in rows]
    ).astype("str")


def test_buildings_give_prises_that_fall_with_their_pm() -> None:
    """PM1 serves A (two stairs, 4 + 3) and B (1); PM2 serves C (10), between the two: 18 prises in all."""
    table = buildings(
        ("A", 0, "4", "PM1"), ("A", 0, "3", "PM1"), ("B", 100, "1", "PM1"), ("C", 50, "10", "PM2")
    )
    inventory = build_inventory([from_buildings(table, TOLD, "EPSG:2154")])
    routes = trace_routes(inventory, build_network(inventory))
    assert routes.counts["prises_inventoried"] == 18
    assert routes.counts["prises_traced_zone"] == 18
    assert routes.prises.groupby("zone")["n"].sum().to_dict() == {"PM1": 8, "PM2": 10}
    assert inventory.geo("noeud").set_index("nd_code")["geometry"]["PM1"] == shapely.Point(X + 50, Y)


def test_an_address_of_two_pm_is_two_and_the_pm_stands_where_it_is_told() -> None:
    table = buildings(("A", 0, "4", "PM1"), ("A", 5, "3", "PM2")).assign(xpm=str(X + 7), ypm=str(Y + 7))
    delivery = from_buildings(table, {**TOLD, "x_pm": "xpm", "y_pm": "ypm"}, "EPSG:2154")
    assert delivery.tables["t_adresse"]["ad_code"].tolist() == ["A/PM1", "A/PM2"]
    assert delivery.tables["t_noeud"]["geometry"].tolist() == [shapely.Point(X + 7, Y + 7)] * 2


def test_buildings_that_cannot_be_read_are_told() -> None:
    table = buildings(
        ("A", 0, "4", "PM1"), ("B", 0, "douze", "PM1"), ("C", 0, "-1", "PM1"), ("D", 0, "2", None)
    )
    delivery = from_buildings(table, TOLD, "EPSG:2154")
    assert delivery.tables["t_adresse"]["ad_nblhab"].tolist() == ["4"]
    assert delivery.findings[["rule", "code", "line"]].to_numpy().tolist() == [
        ["immeuble_illisible", "B", 2], ["immeuble_illisible", "C", 3], ["immeuble_illisible", "D", 4],
    ]  # fmt: skip


def zones(crs: int | None = 2154) -> gpd.GeoDataFrame:
    squares = [shapely.box(X, Y, X + 100, Y + 100), shapely.box(X + 100, Y, X + 200, Y + 100), None]
    return gpd.GeoDataFrame({"ref": ["PM1", "PM2", "PM3"], "nb": [300, 0, 5]}, geometry=squares, crs=crs)


def test_zones_give_their_prises() -> None:
    delivery = from_zones(zones(), {"pm": "ref", "prises": "nb"})
    inventory = build_inventory([delivery])
    routes = trace_routes(inventory, build_network(inventory))
    assert routes.prises.groupby("zone")["n"].sum().to_dict() == {"PM1": 300}
    assert inventory["zsro"]["zs_refpm"].tolist() == ["PM1", "PM2"]
    assert delivery.findings[["rule", "code", "line"]].to_numpy().tolist() == [["zone_illisible", "PM3", 3]]


def test_numbers_by_pm_are_held_against_another_source() -> None:
    """Delivered: PM1 300, PM2 0. Told elsewhere: PM1 298, PM9 7."""
    inventory = build_inventory([from_zones(zones(), {"pm": "ref", "prises": "nb"})])
    routes = trace_routes(inventory, build_network(inventory))
    told = from_buildings(buildings(("A", 0, "298", "PM1"), ("Z", 900, "7", "PM9")), TOLD, "EPSG:2154")
    found = compare_prises(inventory, routes.prises, told)
    assert found[["rule", "code"]].to_numpy().tolist() == [
        ["prises_pm_ecart", "PM1"], ["pm_absent", "PM9"], ["pm_en_trop", "PM2"],
    ]  # fmt: skip
    assert found["message"][0] == "300 prises livrées, 298 selon ipe"
    same = from_zones(zones(), {"pm": "ref", "prises": "nb"})
    assert compare_prises(inventory, routes.prises, same).empty


def test_what_is_missing_is_said() -> None:
    with pytest.raises(GraceTHDError, match=r"ipe: no column is named for 'pm'"):
        from_buildings(
            buildings(("A", 0, "4", "PM1")), {k: v for k, v in TOLD.items() if k != "pm"}, "EPSG:2154"
        )
    with pytest.raises(GraceTHDError, match=r"zapm: no column 'nombre' \(prises\)"):
        from_zones(zones(), {"pm": "ref", "prises": "nombre"})
    with pytest.raises(CRSError, match="in degrees"):
        from_buildings(buildings(("A", 0, "4", "PM1")), TOLD, "EPSG:4326")
    with pytest.raises(CRSError, match="no CRS"):
        from_zones(zones(None), {"pm": "ref", "prises": "nb"})
