"""Deliveries put together into one inventory: ties, repeats, coordinates, versions, and what is left out."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gracethd.deliveries import Delivery, open_deliveries
from gracethd.errors import CRSError, LevelError
from gracethd.findings import NO_FINDING
from gracethd.normalise import TABLES
from gracethd.reading import build_inventory, read
from tests.deliveries import delivery, found, ground, table


def chamber(name: str, dated: str | None) -> pd.DataFrame:
    return table({"pt_code": "PT1", "pt_etiquet": name, "pt_majdate": dated})


def kept(*deliveries: Delivery) -> str:
    return str(build_inventory(deliveries)["ptech"].set_index("pt_code").loc["PT1", "pt_etiquet"])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2024-01-01", "2024-06-01", "second"),
        ("2024-06-01", "2024-01-01", "first"),
        ("01/02/2024", "2024-01-31 11-11-11", "first"),  # both are read as dates, whatever their form
        ("2024-01-01", "2024-01-01", "first"),
        (None, "2001-01-01", "second"),
        (None, None, "first"),
    ],
)
def test_the_newest_update_wins_then_the_delivery_given_first(
    first: str | None, second: str | None, expected: str
) -> None:
    one = delivery("d1", **ground(t_ptech=chamber("first", first)))
    two = delivery("d2", **ground(t_ptech=chamber("second", second)))
    assert kept(one, two) == expected


def test_a_key_repeated_within_one_delivery_is_counted_once_and_is_a_finding() -> None:
    twice = table({"pt_code": "PT1"}, {"pt_code": "PT2"}, {"pt_code": "PT1"})
    inventory = build_inventory([delivery("d1", **ground(t_ptech=twice))])
    assert inventory["ptech"]["pt_code"].tolist() == ["PT1", "PT2"]
    assert found(inventory, "cle_double") == [["ptech", "PT1", "d1", 3]]


def test_objects_of_two_deliveries_with_one_code_are_one_unless_they_lie_apart() -> None:
    """N1 is 0.5 m apart in the two deliveries (survey noise), N2 2 m apart."""
    here = [(700_000.0, 7_000_000.0), (700_100.0, 7_000_000.0)]
    there = [(700_000.5, 7_000_000.0), (700_102.0, 7_000_000.0)]
    rows = [{"nd_code": "N1"}, {"nd_code": "N2"}]
    inventory = build_inventory(
        [
            delivery("d1", **ground(t_noeud=table(*rows, at=here))),
            delivery("d2", **ground(t_noeud=table(*rows, at=there))),
        ]
    )
    assert found(inventory, "code_deux_lieux") == [["noeud", "N2~d2", "d2", 2]]
    assert found(inventory, "cle_double") == []
    places = inventory.geo("noeud").set_index("nd_code")["geometry"]
    assert places.index.tolist() == ["N1", "N2", "N2~d2"]
    assert places.tolist() == [shapely.Point(p) for p in (*here, there[1])]


def test_rows_without_key_and_abandoned_rows_are_out_and_counted() -> None:
    rows = table(
        {"pt_code": "PT1", "pt_abandon": "0"},
        {"pt_code": None, "pt_abandon": "0"},
        {"pt_code": "PT3", "pt_abandon": "1"},
        {"pt_code": "PT4", "pt_abddate": "2023-05-05"},
    )
    inventory = build_inventory([delivery("d1", **ground(t_ptech=rows))])
    assert inventory["ptech"]["pt_code"].tolist() == ["PT1"]
    assert found(inventory, "cle_absente") == [["ptech", "", "d1", 2]]
    assert found(inventory, "objet_abandonne") == [["ptech", "PT3", "d1", 3], ["ptech", "PT4", "d1", 4]]


def test_deliveries_in_two_projected_systems_are_reprojected_to_the_one_of_most_rows() -> None:
    """Lambert-93 has two rows, CC50 one: 1 km east in one system is about 1 km east in the other."""
    lambert = [(650_000.0, 7_060_000.0), (651_000.0, 7_060_000.0)]
    same = gpd.GeoSeries([shapely.Point(652_000, 7_060_000)], crs=2154).to_crs(3950).iloc[0]
    big = table({"nd_code": "N1"}, {"nd_code": "N2"}, at=lambert)
    small = table({"nd_code": "N3"}, at=[(same.x, same.y)], crs=3950)
    inventory = build_inventory(
        [delivery("d2", 3950, **ground(t_noeud=small)), delivery("d1", 2154, **ground(t_noeud=big))]
    )
    assert inventory.crs.to_epsg() == 2154
    x = inventory.geo("noeud").set_index("nd_code")["geometry"].x
    assert x["N3"] == pytest.approx(652_000, abs=0.01)
    assert x["N2"] == 651_000


def test_no_coordinate_system_at_all_is_an_error_that_tells_the_cure() -> None:
    tables = {name: frame for name, frame in ground().items() if name != "t_noeud"}
    bare = Delivery("d1", Path("d1"), "0", 1, tables, {}, None, NO_FINDING)
    with pytest.raises(CRSError, match=r"d1: .*add the \.prj files"):
        build_inventory([bare])


@pytest.mark.parametrize(
    ("missing", "expected"), [("t_suf", "t_suf, t_local or t_adresse"), ("t_ebp", "t_ebp")]
)
def test_nothing_to_analyse_is_an_error_that_names_the_tables_to_bring(missing: str, expected: str) -> None:
    tables = {name: frame for name, frame in ground().items() if name != missing}
    with pytest.raises(LevelError, match=f"d1: no level of use.*{expected}"):
        build_inventory([delivery("d1", **tables)])


def test_both_versions_fill_the_same_tables() -> None:
    """One home with its box and its room, told in v2 and in v3."""
    point = [(700_000.0, 7_000_000.0)]
    two = delivery(
        "d2",
        t_noeud=table({"nd_code": "N1"}, at=point),
        t_sitetech=table({"st_code": "ST1", "st_nd_code": "N1", "st_typelog": "SRO"}),
        t_ltech=table({"lt_code": "LC1", "lt_st_code": "ST1"}),
        t_suf=table({"sf_code": "L1", "sf_nd_code": "N1", "sf_type": "P"}),
        t_ebp=table({"bp_code": "B1", "bp_typelog": "PBO", "bp_lt_code": "LC1"},
                    {"bp_code": "T1", "bp_typelog": "PTO", "bp_sf_code": "L1"}),
        t_cable=table({"cb_code": "C1", "cb_typelog": "DI"}),
        t_cable_patch201=table({"cb_code": "C1", "cb_bp1": "B1", "cb_ba1": None}),
    )  # fmt: skip
    three = delivery(
        "d3",
        t_noeud=table({"nd_code": "N1"}, at=point),
        t_site=table({"st_code": "ST1", "st_nd_code": "N1", "st_typelog": "RESEAU"}),
        t_local=table({"lc_code": "LC1", "lc_st_code": "ST1", "lc_typelog": "SRO"},
                      {"lc_code": "L1", "lc_st_code": "ST1", "lc_typelog": "PRO"}),
        t_ebp=table({"bp_code": "B1", "bp_typelog": "PBO", "bp_lc_code": "LC1"},
                    {"bp_code": "T1", "bp_typelog": "PTO", "bp_lc_code": "L1"}),
        t_cable=table({"cb_code": "C1", "cb_typelog": "DI", "cb_bp1": "B1"}),
    )  # fmt: skip
    for each in (build_inventory([two]), build_inventory([three])):
        local = each["local"].set_index("lc_code").loc["LC1"]
        assert local[["lc_st_code", "lc_typelog"]].tolist() == ["ST1", "SRO"]
        premise = each["premise"].set_index("code").loc["L1"]
        assert premise[["type", "nd_code"]].tolist() == ["PRO", "N1"]
        ebp = each["ebp"].set_index("bp_code")
        assert ebp.loc["B1", "bp_lc_code"] == "LC1"
        assert ebp.loc["T1", "bp_sf_code"] == "L1"
        assert each["cable"].set_index("cb_code").loc["C1", "cb_bp1"] == "B1"


def test_a_number_that_is_none_is_unknown_and_a_finding() -> None:
    bad = table({"cb_code": "C1", "cb_capafo": "12,0"}, {"cb_code": "C2", "cb_capafo": "douze"})
    inventory = build_inventory([delivery("d1", **ground(t_cable=bad))])
    capacity = inventory["cable"].set_index("cb_code")["cb_capafo"]
    assert capacity["C1"] == 12
    assert pd.isna(capacity["C2"])
    assert found(inventory, "nombre_illisible") == [["cable", "C2", "d1", 2]]


def test_the_lines_of_cables_join_their_cables_and_pieces_are_merged() -> None:
    pieces = shapely.MultiLineString([[(0, 0), (1, 0)], [(1, 0), (2, 0)]])
    lines = table({"cl_cb_code": "C1"}, at=[(0.0, 0.0)])
    lines["geometry"] = gpd.GeoSeries([pieces], crs=2154)
    inventory = build_inventory(
        [delivery("d1", **ground(t_cable=table({"cb_code": "C1"}, {"cb_code": "C2"}), t_cableline=lines))]
    )
    line = inventory.geo("cable").set_index("cb_code")["geometry"]
    assert line["C1"].equals(shapely.LineString([(0, 0), (2, 0)]))
    assert line["C2"] is None


@pytest.mark.parametrize("sample", ["demo01", "sample_v3"])
def test_the_samples_give_every_table_of_the_inventory(sample: str, request: pytest.FixtureRequest) -> None:
    inventory = read(request.getfixturevalue(sample))
    assert set(inventory) == set(TABLES) - {"cableline"}
    assert len(inventory["premise"]) == 21
    assert len(inventory["ebp"]) == {"demo01": 27, "sample_v3": 6}[sample]  # the v3 sample has no PTO
    assert inventory["noeud"]["nd_code"].is_unique
    # the v3 sample borrows the layers of demo01, which are of version 2: told table by table
    assert inventory.deliveries["versions"].tolist() == [{"demo01": "2", "sample_v3": "2, 3"}[sample]]


def test_reading_one_delivery_twice_changes_nothing_but_the_list(demo01: Path) -> None:
    once, twice = read(demo01), build_inventory(list(open_deliveries([demo01])) * 2)
    for name in once:
        pd.testing.assert_frame_equal(pd.DataFrame(once[name]), pd.DataFrame(twice[name]))


def test_shapes_that_a_table_cannot_have_leave_the_object_without_place() -> None:
    """N1 is a multi-point of one, N2 a line; the second zone is a point."""
    rows = table(
        {"nd_code": "N1"}, {"nd_code": "N2"}, at=[shapely.MultiPoint([(7e5, 7e6)]), [(0.0, 0.0), (1.0, 1.0)]]
    )
    zones = table({"zs_code": "Z1"}, {"zs_code": "Z2"}, at=[shapely.box(0, 0, 1, 1), (0.5, 0.5)])
    merged = build_inventory([delivery("d1", **ground(t_noeud=rows, t_zsro=zones))])
    places = merged.geo("noeud").set_index("nd_code")["geometry"]
    assert places["N1"] == shapely.Point(7e5, 7e6)
    assert places["N2"] is None
    assert found(merged, "geometrie_type") == [["noeud", "N2", "d1", 2], ["zsro", "Z2", "d1", 2]]


def test_patch_tables_of_202_complete_their_table_and_what_completes_nothing_is_told() -> None:
    """The second row of the patch repeats the first, the third names no zone."""
    square = shapely.box(0, 0, 1, 1)
    merged = build_inventory(
        [
            delivery(
                "d1",
                **ground(
                    t_zsro=table({"zs_code": "Z1", "zs_nd_code": "N1"}, at=[square]),
                    t_zsro_patch202=table(
                        {"zs_lt_code": "LT1", "zs_code": "Z1"},
                        {"zs_lt_code": "LT2", "zs_code": "Z1"},
                        {"zs_lt_code": "LT3", "zs_code": "Z9"},
                    ),
                ),
            )
        ]
    )
    assert merged["zsro"][["zs_code", "zs_lc_code"]].to_numpy().tolist() == [["Z1", "LT1"]]
    assert found(merged, "patch_sans_objet") == [
        ["t_zsro_patch202", "Z1", "d1", 2],
        ["t_zsro_patch202", "Z9", "d1", 3],
    ]


def test_a_hundred_thousand_rows_of_one_code_are_one_object() -> None:
    rows = pd.DataFrame({"pt_code": pd.Series(["PT1"] * 100_000, dtype="str"), "line": range(100_000)})
    inventory = build_inventory(
        [delivery("d1", **ground(t_ptech=rows)), delivery("d2", **ground(t_ptech=rows))]
    )
    assert inventory["ptech"]["pt_code"].tolist() == ["PT1"]
    assert (inventory.findings["rule"] == "cle_double").sum() == 2 * 99_999


def test_columns_that_the_inventory_does_not_take_change_nothing() -> None:
    """`read` keeps what is taken of each delivery as it goes; whole deliveries give the same inventory."""
    folder = Path(__file__).resolve().parents[2] / "data" / "exemple" / "livraisons"
    lean, whole = read([folder]), build_inventory(open_deliveries([folder]))
    assert lean.deliveries.equals(whole.deliveries)
    assert lean.findings.equals(whole.findings)
    for name, frame in whole.items():
        assert lean[name].equals(frame), name
