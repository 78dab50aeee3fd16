"""Exposure to polygons: drawn by hand, against geopandas.overlay and unions, and on layers as delivered."""

import json
from datetime import date
from itertools import pairwise
from math import nan
from pathlib import Path
from zipfile import ZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gracethd.errors import CRSError, GraceTHDError, SourceError
from resilience.exposure import expose, expose_levels, layer_findings, layers_near, unmapped_by_commune
from resilience.exposure.extents import hazard_extents, mapped_areas
from resilience.exposure.layers import Polygons, polygons_of, read_layers
from resilience.exposure.layouts import fields_of
from resilience.exposure.polygons import line_intensity, point_intensity
from resilience.hazards import (
    Hazard,
    HazardError,
    HazardEvent,
    Reading,
    flood_rows,
    hazard_findings,
    on_day,
    recurrent_floods,
    years_of_scenario,
)
from tests.draws import draws
from tests.resilience.exposure_cases import L93, NORTH, WEST, network, polygon_layer, row_of, xy

ORIGIN = np.array([WEST, NORTH])
AROUND = shapely.box(*xy(-10, 13), *xy(13, -10))


def box(west: float, north: float, east: float, south: float) -> shapely.Polygon:
    """Give a box in cells of 10 m: columns to the east, rows to the south."""
    return shapely.box(*xy(west, south), *xy(east, north))


def layer(path: Path, rows: list[dict[str, object]], *, crs: str | None = L93, **more: object) -> Path:
    frame = pd.DataFrame(rows)
    shapes = gpd.GeoSeries(list(frame.pop("geometry")), crs=crs)
    gpd.GeoDataFrame(frame, geometry=shapes).to_file(path, engine="pyogrio", **more)
    return path


def hazard(
    path: Path, coverage: object = "valid", *, kind: str = "flood_depth", select: str = "", **more: object
) -> Hazard:
    units = {"flood_depth": "m", "clay": "classe", "woods": "présence", "flood_extent": "présence"}
    return Hazard(
        "crue",
        kind,
        units.get(kind, "présence"),
        coverage,
        (HazardEvent(100.0, path, select=select),),
        **more,
    )


def findings_of(one: Hazard) -> pd.DataFrame:
    """Give what had to be mended in the whole of its layers."""
    return layer_findings([one], read_layers([one], pyproj.CRS(2154)))


@pytest.fixture
def around(tmp_path: Path) -> Path:
    return polygon_layer(tmp_path / "emprise.gpkg", AROUND)


# ---------------------------------------------------------------- by hand


def test_depths_of_tri_classes_at_three_levels(tmp_path: Path, around: Path) -> None:
    """Two classes side by side, columns 0-1 (0 to 0.5 m) and 1-2 (1 m and more), a line from -1 to 3.

    The open class is 1 m, 1.5 m or 2.5 m deep; the closed one 0, 0.25 or 0.5 m.
    """
    path = layer(
        tmp_path / "n_iso_ht_01_01for_s_059.shp",
        [
            {"id_tri": "T", "ht_min": 0.0, "ht_max": 0.5, "scenario": "02Moy", "geometry": box(0, 0, 1, 3)},
            {
                "id_tri": "T",
                "ht_min": 1.0,
                "ht_max": 9999.0,
                "scenario": "02Moy",
                "geometry": box(1, 0, 2, 3),
            },
        ],
    )
    net = network([xy(0.5, 1), xy(1.5, 1), xy(2.5, 1)], [[xy(-1, 1), xy(3, 1)]])
    levels = expose_levels(net, [hazard(path, around)])
    points = {level: levels[level]["intensity_max"].iloc[1:].tolist() for level in levels}
    assert points == {"low": [0.0, 1.0, 0.0], "central": [0.25, 1.5, 0.0], "high": [0.5, 2.5, 0.0]}
    line = {level: levels[level].iloc[0] for level in levels}
    assert [line[level]["intensity_max"] for level in ("low", "central", "high")] == [1.0, 1.5, 2.5]
    # a class that begins at 0 m is dry at its low end
    assert [line[level]["wet_m"] for level in ("low", "central", "high")] == pytest.approx([10, 20, 20])
    assert line["central"]["mapped_share"] == 1.0
    assert line["central"]["scenario"] == "Q100"


def test_an_open_class_is_what_the_study_says(tmp_path: Path) -> None:
    path = layer(tmp_path / "t.gpkg", [{"ht_min": 2.0, "ht_max": 99.0, "geometry": box(0, 0, 3, 3)}])
    one = hazard(path, reading=Reading(open_class_m=(0.1, 0.2, 0.3)))
    levels = expose_levels(network([xy(1, 1)]), [one])
    assert [levels[level]["intensity_max"].item() for level in levels] == pytest.approx([2.1, 2.2, 2.3])


def test_overlaps_count_once_and_the_deepest_wins(tmp_path: Path, around: Path) -> None:
    """Columns 0-2 at 0.5 m, 1-3 at 1 m, 1.5-2.5 at 0.2 m, and the line goes from column 0 to 4."""
    rows = [
        {"h": 0.5, "geometry": box(0, 0, 2, 3)},
        {"h": 1.0, "geometry": box(1, 0, 3, 3)},
        {"h": 0.2, "geometry": box(1.5, 0, 2.5, 3)},
    ]
    path = layer(tmp_path / "h.gpkg", rows)
    net = network([xy(1.7, 1)], [[xy(0, 1), xy(4, 1)], [xy(2.2, 1), xy(2.4, 1)]])
    exposure = expose(net, [hazard(path, around, reading=Reading(fields={"value": "h"}))])
    assert exposure["intensity_max"].tolist() == [1.0, 1.0, 1.0]
    assert exposure["wet_m"].tolist() == pytest.approx([30.0, 2.0, 0.0])
    deeper = expose(net, [hazard(path, around, reading=Reading(fields={"value": "h"}))], wet_from_m=0.5)
    assert deeper["wet_m"].tolist() == pytest.approx([20.0, 2.0, 0.0])


def test_valid_maps_the_polygons_only(tmp_path: Path) -> None:
    path = layer(
        tmp_path / "h.gpkg", [{"h": 0.0, "geometry": box(0, 0, 1, 3)}, {"h": 1, "geometry": box(1, 0, 2, 3)}]
    )
    net = network([xy(0.5, 1), xy(5, 1)], [[xy(0, 1), xy(4, 1)], [xy(5, 1), xy(6, 1)]])
    exposure = expose(net, [hazard(path, reading=Reading(fields={"value": "h"}))])
    np.testing.assert_equal(exposure["intensity_max"].tolist(), [1.0, nan, 0.0, nan])
    np.testing.assert_allclose(exposure["mapped_share"], [0.5, 0.0, 1.0, 0.0])
    np.testing.assert_allclose(exposure["wet_m"], [10.0, nan, 0.0, nan])


def test_outside_the_coverage_nothing_is_known_whatever_the_polygons_say(tmp_path: Path) -> None:
    path = layer(tmp_path / "h.gpkg", [{"h": 1.0, "geometry": box(-5, -5, 9, 9)}])
    cover = polygon_layer(tmp_path / "e.gpkg", box(0, 0, 2, 3))
    net = network([xy(1, 1), xy(5, 1)], [[xy(0, 1), xy(8, 1)]])
    exposure = expose(net, [hazard(path, cover, reading=Reading(fields={"value": "h"}))])
    np.testing.assert_equal(exposure["intensity_max"].tolist(), [1.0, 1.0, nan])
    assert exposure[["wet_m", "mapped_share"]].iloc[0].tolist() == pytest.approx([20.0, 0.25])


@pytest.mark.parametrize(
    ("line", "metres"),
    [
        ([(0, 0), (0, 1)], 10.0),  # along the border: inside
        ([(-1, 0), (4, 0)], 30.0),  # along the whole northern border, and beyond
        ([(-1, -1), (0, 0)], 0.0),  # ends on a corner
        ([(-1, 1), (1, -1)], 0.0),  # touches a corner in passing
        ([(0, 0), (3, 3)], 10 * np.sqrt(8)),  # through the hole, corner to corner
        ([(0.5, 1.5), (2.5, 1.5)], 10.0),  # across the hole
        ([(1, 1), (2, 1)], 10.0),  # along the border of the hole: inside
        ([(1.2, 1.2), (1.8, 1.8)], 0.0),  # within the hole
        ([(-1, 1.5), (4, 1.5), (4, 0.5), (-1, 0.5)], 50.0),  # there and back
        ([(0.5, 0.5), (0.5, 0.5)], 0.0),  # no length
    ],
)
def test_a_square_with_a_hole(line: list[tuple[float, float]], metres: float) -> None:
    """A square of 3 x 3 cells of 10 m with its middle cell cut out."""
    ring = shapely.Polygon(
        [xy(0, 0), xy(3, 0), xy(3, 3), xy(0, 3)], [[xy(1, 1), xy(2, 1), xy(2, 2), xy(1, 2)]]
    )
    shape = shapely.LineString([xy(*p) for p in line])
    _, inside_m, touched_m = line_intensity(np.array([shape]), Polygons(np.array([ring]), np.array([1.0])))
    if line == [(0, 0), (3, 3)]:
        metres = 2 * np.hypot(10, 10)
    assert inside_m.tolist() == touched_m.tolist() == pytest.approx([metres], abs=1e-9)


# ---------------------------------------------------------------- against overlay and unions

whole = st.integers(0, 6).map(float)
place = st.one_of(st.tuples(whole, whole), st.tuples(st.floats(0, 6), st.floats(0, 6)))
paths = st.lists(place, min_size=2, max_size=4)
rings = st.lists(place, min_size=3, max_size=7)


@given(lines=st.lists(paths, min_size=1, max_size=4), shapes=st.lists(rings, min_size=1, max_size=4))
def test_metres_are_those_of_the_union(
    lines: list[list[tuple[float, float]]], shapes: list[list[tuple[float, float]]]
) -> None:
    """The judge intersects each line with the union of the mended polygons, 7,000 km from the origin.

    What runs within a micrometre of a border may go either way: such draws are left to the cases by hand.
    """
    polygons = shapely.get_parts(
        shapely.make_valid(np.array([shapely.Polygon(10 * np.array(s) + ORIGIN) for s in shapes]))
    )
    polygons = polygons[shapely.get_type_id(polygons) == 3]
    drawn = np.array([shapely.LineString(10 * np.array(line) + ORIGIN) for line in lines])
    depth = np.arange(len(polygons), dtype=float)
    most, inside_m, wet_m = line_intensity(drawn, Polygons(polygons, depth))
    near = (
        shapely.union_all(shapely.buffer(shapely.boundary(polygons), 1e-5))
        if len(polygons)
        else shapely.Point()
    )
    slack = shapely.length(shapely.intersection(drawn, near))
    for kept, metres in ((polygons, inside_m), (polygons[depth > 0], wet_m)):
        segments = [[shapely.LineString(pair) for pair in pairwise(line.coords)] for line in drawn]
        area = shapely.union_all(kept)
        judged = [sum(shapely.intersection(part, area).length for part in parts) for parts in segments]
        assert (np.abs(np.array(judged) - metres) <= slack + 1e-5).all()
    if len(polygons):
        pairs = shapely.length(shapely.intersection(drawn[:, None], polygons[None, :]))
        sure = np.where(pairs > 1e-4, depth, -1.0).max(axis=1)
        assert (np.nan_to_num(most, nan=-1.0) >= sure).all()
        touched = np.where(shapely.intersects(drawn[:, None], polygons[None, :]), depth, -1.0).max(axis=1)
        assert (np.nan_to_num(most, nan=-1.0) <= touched).all()


def star(rng: np.random.Generator, size: float, span: float) -> shapely.Polygon:
    n = int(rng.integers(5, 30))
    angle, radius = np.sort(rng.uniform(0, 2 * np.pi, n)), size * rng.uniform(0.3, 1, n)
    middle = rng.uniform(0, span, 2) + ORIGIN
    return shapely.Polygon(middle + np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))


def test_lines_and_points_are_those_of_geopandas_overlay() -> None:
    """3,000 lines and points on 150 overlapping stars."""
    rng = np.random.default_rng(4)
    polygons = shapely.get_parts(shapely.make_valid(np.array([star(rng, 150, 3000) for _ in range(150)])))
    polygons = polygons[shapely.get_type_id(polygons) == 3]
    start = rng.uniform(0, 3000, (3000, 1, 2)) + ORIGIN
    lines = shapely.linestrings(start + np.cumsum(rng.normal(0, 30, (3000, 4, 2)), axis=1))
    depth = rng.uniform(0, 3, len(polygons))
    most, inside_m, _ = line_intensity(lines, Polygons(polygons, depth))
    areas = gpd.GeoDataFrame({"h": depth}, geometry=polygons, crs=L93)
    left = gpd.GeoDataFrame({"line": np.arange(3000)}, geometry=lines, crs=L93)
    judged = gpd.overlay(left, areas, how="intersection")
    expected = judged.groupby("line")["h"].max().reindex(np.arange(3000))
    np.testing.assert_array_equal(most, expected)
    once = gpd.overlay(left, areas.dissolve(), how="intersection").set_index("line").length
    np.testing.assert_allclose(inside_m, once.reindex(np.arange(3000)).fillna(0.0), atol=1e-7)
    points = shapely.points(start[:, 0])
    joined = gpd.GeoDataFrame(geometry=points, crs=L93).sjoin(areas, predicate="intersects")["h"]
    at, is_in = point_intensity(points, Polygons(polygons, depth))
    np.testing.assert_array_equal(
        np.where(is_in, at, nan), joined.groupby(level=0).max().reindex(np.arange(3000))
    )


@settings(max_examples=draws(50))
@given(share=st.floats(0.05, 0.95), line=paths, ring=rings)
def test_splitting_a_line_changes_no_total(
    share: float, line: list[tuple[float, float]], ring: list[tuple[float, float]]
) -> None:
    shape = shapely.LineString(line)
    areas = shapely.get_parts(shapely.make_valid(shapely.Polygon(ring)))
    areas = areas[shapely.get_type_id(areas) == 3]
    if shape.length < 1e-3:
        return
    parts = [shapely.ops.substring(shape, *ends, normalized=True) for ends in ((0, share), (share, 1))]
    polygons = Polygons(areas, np.ones(len(areas)))
    near = shapely.intersection(
        shape, shapely.union_all(shapely.buffer(shapely.boundary(areas), 1e-5))
    ).length
    _, together, _ = line_intensity(np.array([shape]), polygons)
    _, apart, _ = line_intensity(np.array(parts), polygons)
    assert together.sum() == pytest.approx(apart.sum(), abs=near + 1e-6)
    assert (together <= shape.length).all()


# ---------------------------------------------------------------- layouts of French practice


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["ID", "HT_MIN", "HT_MAX", "SCENARIO"],
         {"low": "HT_MIN", "high": "HT_MAX", "scenario": "SCENARIO"}),
        (["typ_inond", "scenario", "datentree", "datsortie"],
         {"scenario": "scenario", "begin": "datentree", "end": "datsortie"}),
        (["idzonealea", "typealea", "niveaualea", "occurrence"],
         {"class": "niveaualea", "scenario": "occurrence"}),
        (["id_zone", "nivalea", "nivalea_st", "coderisque"], {"class": "nivalea_st"}),
        (["id_zone", "nivalea", "coderisque"], {"class": "nivalea"}),
        (["DPT", "NIVEAU", "ALEA"], {"class": "NIVEAU"}),
        (["nom", "surface"], {}),
    ],
)  # fmt: skip
def test_layouts_are_known_by_their_attributes(columns: list[str], expected: dict[str, str]) -> None:
    assert fields_of(columns, Reading()) == expected


def test_a_mapping_of_the_study_wins_over_a_known_layout() -> None:
    found = fields_of(["HT_MIN", "HT_MAX", "hauteur"], Reading(fields={"value": "HAUTEUR"}))
    assert found == {"value": "hauteur"}


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("01For", 20),
        ("02Moy", 100),
        ("02 moyen", 100),
        ("03Mcc_ct", 100),
        ("04Faicc_ct", 1000),
        ("Q100", None),
        ("", None),
    ],
)
def test_scenarios_of_the_floods_directive(text: str, years: float | None) -> None:
    assert years_of_scenario(text) == years


def tri(path: Path) -> Path:
    """One layer, three scenarios, in WGS 84: frequent in column 0, medium in 0-1, one out of force in 0-2."""

    def shape(east: float) -> shapely.Geometry:
        return gpd.GeoSeries([box(0, 0, east, 3)], crs=L93).to_crs(4326).iloc[0]

    rows = [
        {"scenario": "01For", "datentree": "2014-01-01", "datsortie": None, "geometry": shape(1)},
        {"scenario": "02Moy", "datentree": "2014-01-01", "datsortie": None, "geometry": shape(2)},
        {"scenario": "02Moy", "datentree": "2014-01-01", "datsortie": "2020-06-30", "geometry": shape(3)},
        {"scenario": "04Fai", "datentree": "20300101", "datsortie": None, "geometry": shape(3)},
    ]
    return layer(path, rows, crs="EPSG:4326")


def test_scenarios_dates_and_degrees(tmp_path: Path, around: Path) -> None:
    path = tri(tmp_path / "n_inondable_01_s.gpkg")
    reading = Reading(presence=(0.2, 0.5, 1.0), valid_on=date(2026, 1, 1))
    events = tuple(
        HazardEvent(years, path, select=name) for name, years in (("01For", 20.0), ("02Moy", 100.0))
    )
    one = Hazard("TRI", "flood_depth", "m", around, events, reading)
    net = network([xy(0.5, 1), xy(1.5, 1), xy(2.5, 1)])
    exposure = expose(net, [one])
    assert exposure["scenario"].tolist() == ["01For"] * 3 + ["02Moy"] * 3
    assert exposure["intensity_max"].tolist() == [0.5, 0.0, 0.0, 0.5, 0.5, 0.0]
    before = Hazard(
        "TRI",
        "flood_depth",
        "m",
        around,
        events,
        Reading(presence=(0.2, 0.5, 1.0), valid_on=date(2020, 6, 29)),
    )
    assert expose(net, [before])["intensity_max"].iloc[3:].tolist() == [0.5, 0.5, 0.5]
    findings = findings_of(one).set_index("rule")["message"]
    assert "2 polygones hors validité au 2026-01-01" in findings["alea_hors_validite"]
    assert "04Fai (1)" in findings["alea_scenario_ignore"]
    assert on_day([before], date(2030, 1, 1)) == (before,)


def test_classes_of_ppr_are_depths_or_ranks(tmp_path: Path) -> None:
    """CNIG niveaualea: 01 weak, 04 strong; filtered to floods (typealea 112), the landslide left out."""
    rows = [
        {"typealea": "112", "niveaualea": "01", "geometry": box(0, 0, 1, 3)},
        {"typealea": "112", "niveaualea": "04", "geometry": box(1, 0, 2, 3)},
        {"typealea": "124", "niveaualea": "04", "geometry": box(2, 0, 3, 3)},
    ]
    path = layer(tmp_path / "pprn_62ddtm_zonealeareference.gpkg", rows)
    net = network([xy(0.5, 1), xy(1.5, 1), xy(2.5, 1)])
    floods = Reading(where={"TYPEALEA": ("112",)})
    levels = expose_levels(net, [hazard(path, reading=floods)])
    np.testing.assert_equal(levels["low"]["intensity_max"].tolist(), [0.1, 1.0, nan])
    np.testing.assert_equal(levels["high"]["intensity_max"].tolist(), [0.5, 2.0, nan])
    own = Reading(where={"typealea": ("112",)}, classes={"01": (0.3, 0.3, 0.3), "04": (2.0, 2.0, 2.0)})
    np.testing.assert_equal(
        expose(net, [hazard(path, reading=own)])["intensity_max"].tolist(), [0.3, 2.0, nan]
    )
    ranks = Hazard("mvt", "ground_movement", "classe", "valid", (HazardEvent(nan, path, "carte"),))
    assert expose(net, [ranks])["intensity_max"].tolist() == [1.0, 3.0, 3.0]


def test_clay_woods_and_outages(tmp_path: Path, around: Path) -> None:
    """RGA: class of the ground; woods: 15 m around a hedge drawn as a line; a zone without supply."""
    clay = layer(
        tmp_path / "ExpoArgile.shp",
        [
            {"NIVEAU": 3, "ALEA": "Fort", "geometry": box(0, 0, 1, 3)},
            {"NIVEAU": 1, "ALEA": "Faible", "geometry": box(1, 0, 3, 3)},
        ],
    )
    net = network([xy(0.5, 1)], [[xy(0, 1.5), xy(3, 1.5)]])
    exposure = expose(net, [Hazard("rga", "clay", "classe", around, (HazardEvent(nan, clay, "carte"),))])
    assert exposure["intensity_max"].tolist() == [3.0, 3.0]
    assert exposure["wet_m"].tolist() == pytest.approx([30.0, 0.0])
    hedge = layer(
        tmp_path / "haies.gpkg",
        [{"nature": "Haie", "geometry": shapely.LineString([xy(1.5, -9), xy(1.5, 9)])}],
    )
    wood = Hazard("bois", "woods", "présence", around, (HazardEvent(nan, hedge, "carte"),), distance_m=10.0)
    assert expose(net, [wood])["wet_m"].tolist() == pytest.approx([20.0, 0.0], abs=1e-9)
    zone = layer(tmp_path / "depart.gpkg", [{"poste": "A", "geometry": box(0, 0, 1, 3)}])
    cut = Hazard("coupure", "outage", "présence", around, (HazardEvent(nan, zone, "départ A"),))
    assert expose(net, [cut])[["scenario", "intensity_max"]].to_numpy().tolist() == [["départ A", 1.0]] * 2


def test_hazards_without_frequency_are_no_yearly_floods(tmp_path: Path, around: Path) -> None:
    path = layer(tmp_path / "h.gpkg", [{"h": 1.0, "geometry": box(0, 0, 1, 3)}])
    reading = Reading(fields={"value": "h"})
    events = (HazardEvent(100.0, path), HazardEvent(nan, path, "observé 2023-11-10"))
    flood = Hazard("crue", "flood_depth", "m", around, events, reading)
    clay = Hazard(
        "rga", "clay", "classe", around, (HazardEvent(nan, path, "carte"),), Reading(fields={"value": "h"})
    )
    assert [len(one.events) for one in recurrent_floods([flood, clay])] == [1]
    exposure = expose(network([xy(0.5, 1)]), [flood, clay])
    assert exposure["scenario"].tolist() == ["Q100", "observé 2023-11-10", "carte"]
    assert flood_rows(exposure, [flood, clay])["scenario"].tolist() == ["Q100"]
    assert hazard_findings([clay], exposure).empty  # one layer, one hazard: nothing to compare
    same = hazard_findings([flood], exposure)
    assert same["rule"].tolist() == ["alea_fichiers_identiques"]


def test_levels_are_shared_where_every_hazard_is_exact() -> None:
    levels = expose_levels(network([xy(0.5, 1)]), [])
    assert levels["low"] is levels["high"]


def test_invalid_rings_and_missing_shapes_are_told(tmp_path: Path) -> None:
    bow_tie = shapely.Polygon([xy(0, 0), xy(2, 2), xy(2, 0), xy(0, 2)])
    path = tmp_path / "portail.csv"
    shapes = gpd.GeoSeries([bow_tie, box(2, 0, 3, 3)], crs=L93).to_crs(4326)
    rows = [[json.dumps(shapely.geometry.mapping(shape)), "02Moy"] for shape in shapes] + [["", "02Moy"]]
    pd.DataFrame(rows, columns=["geo_shape", "scenario"]).to_csv(path, sep=";", index=False)
    one = hazard(path, select="02Moy", reading=Reading(presence=(1.0, 1.0, 1.0)))
    exposure = expose(network([xy(0.2, 1), xy(1, 0.2), xy(2.5, 1)]), [one])
    np.testing.assert_equal(exposure["intensity_max"].tolist(), [1.0, nan, 1.0])
    findings = findings_of(one).set_index("rule")["message"]
    assert findings["alea_sans_geometrie"] == "portail.csv : 1 lignes sans géométrie, laissées de côté"
    assert findings["alea_geometrie_reparee"].startswith("portail.csv : 1 polygones")


@pytest.mark.parametrize("name", ["h.gpkg", "h.shp", "h.geojson"])
def test_a_layer_is_read_once_for_all_that_it_tells(tmp_path: Path, name: str) -> None:
    """Two hazards, two scenarios each, three levels: the file may go once it has been read.

    Of the four rows, one has no shape, and one is an invalid ring 20 km away, which is nobody's concern.
    """
    bow = shapely.Polygon([xy(2000, 0), xy(2001, 3), xy(2001, 0), xy(2000, 3)])
    shapes = [("01For", box(0, 0, 1, 3)), ("02Moy", box(0, 0, 2, 3)), ("02Moy", bow), ("02Moy", None)]
    path = layer(tmp_path / name, [{"scenario": text, "geometry": shape} for text, shape in shapes])
    events = tuple(
        HazardEvent(years, path, select=text) for years, text in ((20.0, "01For"), (100.0, "02Moy"))
    )
    reading = Reading(presence=(0.2, 0.5, 1.0))
    hazards = [Hazard(one, "flood_depth", "m", "valid", events, reading) for one in ("a", "b")]
    net = network([xy(0.5, 1), xy(1.5, 1)])
    layers = layers_near(net, hazards)
    expected = expose_levels(net, hazards)
    for part in tmp_path.glob("h.*"):
        part.unlink()
    levels = expose_levels(net, hazards, layers=layers)
    for level, rows in levels.items():
        pd.testing.assert_frame_equal(rows, expected[level])
    assert hazard_extents(hazards, pyproj.CRS(2154), layers=layers).area.tolist() == [300.0, 600.0] * 2
    assert mapped_areas(hazards, pyproj.CRS(2154), layers=layers).area.tolist() == [300.0] * 2
    found = layer_findings(hazards, layers)
    assert found["rule"].tolist() == ["alea_sans_geometrie"] * 2


# ---------------------------------------------------------------- pictures and what is not mapped


def test_outlines_of_polygons(tmp_path: Path) -> None:
    drawn = ((1.0, box(0, 0, 2, 1)), (1.0, box(1, 0, 3, 1)), (0.0, box(5, 0, 6, 1)))
    path = layer(tmp_path / "h.gpkg", [{"h": depth, "geometry": shape} for depth, shape in drawn])
    valid = hazard(path, reading=Reading(fields={"value": "h"}))
    assert hazard_extents([valid], pyproj.CRS(2154)).area.tolist() == pytest.approx([300.0])
    assert mapped_areas([valid], pyproj.CRS(2154)).area.tolist() == pytest.approx([400.0])


def test_what_is_not_mapped_is_counted_by_commune(tmp_path: Path) -> None:
    """Two communes, west and east of column 3; the hazard is mapped up to column 2.

    The line of W0 (10 m in the west, of which none beyond column 2), W1 crosses 2 (half of it mapped), W2 is
    in the east; C0 west mapped, C1 west not mapped, C2 east not mapped, C3 outside both communes.
    """
    path = layer(tmp_path / "h.gpkg", [{"h": 1.0, "geometry": box(0, 0, 1, 3)}])
    cover = polygon_layer(tmp_path / "e.gpkg", box(0, 0, 2, 3))
    communes = gpd.GeoDataFrame(
        {"code_insee": ["62001", "62002"], "epci": ["E", "E"]},
        geometry=[box(0, 0, 3, 3), box(3, 0, 6, 3)],
        crs=L93,
    )
    net = network(
        [xy(0.5, 1), xy(2.5, 1), xy(5, 1), xy(9, 1)],
        [[xy(0.5, 1), xy(1.5, 1)], [xy(1.5, 1), xy(2.5, 1)], [xy(4, 1), xy(5, 1)]],
    )
    one = hazard(path, cover, reading=Reading(fields={"value": "h"}))
    table = unmapped_by_commune(net, expose(net, [one]), communes).set_index("code_insee")
    assert table["n_objets"].to_dict() == {"": 1, "62001": 2, "62002": 1}
    assert table["n_non_cartographies"].to_dict() == {"": 1, "62001": 1, "62002": 1}
    assert table["length_m"].to_dict() == pytest.approx({"": 0, "62001": 20, "62002": 10})
    assert table["unmapped_m"].to_dict() == pytest.approx({"": 0, "62001": 5, "62002": 10})
    whole = unmapped_by_commune(net, expose(net, [one]))
    assert whole[["n_objets", "n_non_cartographies"]].to_numpy().tolist() == [[4, 3]]
    assert whole["unmapped_m"].tolist() == pytest.approx([15.0])


# ---------------------------------------------------------------- bad input


def refused(error: type[GraceTHDError], one: Hazard, *words: str) -> None:
    with pytest.raises(error) as caught:
        expose(network([xy(0.5, 0.5)], [[xy(0, 1), xy(3, 1)]]), [one])
    for word in words:
        assert word in str(caught.value)


def test_layers_that_cannot_be_used(tmp_path: Path) -> None:
    plain = layer(tmp_path / "zone.gpkg", [{"nom": "x", "geometry": box(0, 0, 3, 3)}])
    refused(HazardError, hazard(plain), "zone.gpkg", "crue", "nom", "fields", "presence")
    refused(
        HazardError,
        hazard(plain, reading=Reading(fields={"class": "niveau"})),
        "no attribute 'niveau'",
        "nom",
    )
    refused(HazardError, hazard(plain, reading=Reading(where={"typ": ("1",)})), "no attribute 'typ'")
    refused(HazardError, hazard(plain, reading=Reading(fields={"class": "nom"})), "nom = 'x'", "classes")
    refused(
        HazardError, hazard(plain, reading=Reading(fields={"value": "nom"})), "nom is no number in 1 of 1"
    )
    refused(SourceError, hazard(tmp_path / "rien.gpkg"), "rien.gpkg", "does not exist")
    bare = layer(tmp_path / "nu.shp", [{"h": 1.0, "geometry": box(0, 0, 3, 3)}], crs=L93)
    bare.with_suffix(".prj").unlink()
    refused(CRSError, hazard(bare, reading=Reading(fields={"value": "h"})), "nu.shp", "no CRS", ".prj")
    lines = layer(
        tmp_path / "traits.gpkg", [{"h": 1.0, "geometry": shapely.LineString([xy(0, 0), xy(3, 3)])}]
    )
    refused(
        HazardError,
        hazard(lines, reading=Reading(fields={"value": "h"})),
        "traits.gpkg",
        "polygons",
        "distance_m",
    )
    damaged = tmp_path / "abime.gpkg"
    damaged.write_bytes(plain.read_bytes()[:900])
    refused(SourceError, hazard(damaged), "abime.gpkg", "GeoPackage")
    renamed = tmp_path / "faux.shp"
    renamed.write_bytes(plain.read_bytes())
    refused(SourceError, hazard(tmp_path / "faux.geojson"), "does not exist")
    text = tmp_path / "table.csv"
    text.write_text("a,b\n1,2\n")
    refused(HazardError, hazard(text), "table.csv", "GeoJSON", "GeoPackage")


def test_a_scenario_that_nobody_mapped(tmp_path: Path, around: Path) -> None:
    path = tri(tmp_path / "n_inondable.gpkg")
    reading = Reading(presence=(1.0, 1.0, 1.0))
    other = hazard(path, around, select="03Mcc", reading=reading)
    refused(HazardError, other, "nobody mapped the scenario '03Mcc'", "01For, 02Moy, 04Fai")
    refused(HazardError, hazard(path, around, reading=reading), "several scenarios", "01For, 02Moy, 04Fai")
    away = network([xy(500, 500)])  # mapped, only elsewhere: not an error
    far = polygon_layer(tmp_path / "loin.gpkg", shapely.box(*xy(400, 600), *xy(600, 400)))
    assert expose(away, [hazard(path, far, select="02Moy", reading=reading)])["intensity_max"].tolist() == [
        0.0
    ]


def test_layers_of_several_tables(tmp_path: Path) -> None:
    path = layer(tmp_path / "ppr.gpkg", [{"h": 1.0, "geometry": box(0, 0, 3, 3)}], layer="zonealea")
    layer(path, [{"nom": "p", "geometry": box(0, 0, 9, 9)}], layer="perimetre")
    refused(HazardError, hazard(path), "ppr.gpkg", "2 layers", "perimetre", "layer =")
    named = Hazard(
        "crue",
        "flood_depth",
        "m",
        "valid",
        (HazardEvent(100.0, path, layer="zonealea"),),
        Reading(fields={"value": "h"}),
    )
    assert expose(network([xy(1, 1)]), [named])["intensity_max"].tolist() == [1.0]
    absent = Hazard("crue", "flood_depth", "m", "valid", (HazardEvent(100.0, path, layer="alea"),))
    refused(HazardError, absent, "no such layer", "zonealea")


def test_lines_of_equal_level_are_refused_with_what_to_do(tmp_path: Path) -> None:
    """Attributes of `N_TRI_ISO_COTE_L` in the standard of Covadis; as depths, and as levels over a ground."""
    lines = [
        {"ID_LIGNE": f"LIC_{n}", "SCENARIO": "02Moy", "COTE": 10.0 + n, "geometry": shapely.LineString(ends)}
        for n, ends in enumerate([(xy(0, 0), xy(0, 3)), (xy(3, 0), xy(3, 3))])
    ]
    path = layer(tmp_path / "n_tri_iso_cote_l_059.shp", lines)
    depth = hazard(path, reading=Reading(presence=(1.0, 1.0, 1.0)))
    refused(HazardError, depth, "hazard 'crue'", "levels of water along lines", "gdal_grid", "n_iso_ht")
    with pytest.raises(HazardError, match=r"hazard 'cote'.*rasters only.*gdal_grid -zfield COTE"):
        Hazard("cote", "flood_level", "m", "valid", depth.events, terrain=tmp_path / "mnt.tif")


def test_limits_that_make_no_sense(tmp_path: Path) -> None:
    path = layer(tmp_path / "t.gpkg", [{"ht_min": 2.0, "ht_max": 1.0, "geometry": box(0, 0, 3, 3)}])
    refused(HazardError, hazard(path), "1 polygons have ht_max below ht_min")
    old = layer(
        tmp_path / "d.gpkg", [{"scenario": "02Moy", "datsortie": "bientôt", "geometry": box(0, 0, 3, 3)}]
    )
    one = hazard(old, reading=Reading(presence=(1.0, 1.0, 1.0), valid_on=date(2026, 1, 1)))
    refused(HazardError, one, "datsortie holds 1 dates", "2026-01-31")


# ---------------------------------------------------------------- real layers


@pytest.fixture(scope="module")
def french(shared: Path) -> Path:
    folder = shared / "realdata" / "tri_ppr_fr"
    if not folder.is_dir():
        pytest.skip("tri_ppr_fr absent from the reference material")
    return folder


def whole_event(one: Hazard, event: HazardEvent) -> Polygons:
    """Give all polygons of an event, in Lambert-93."""
    crs = pyproj.CRS(2154)
    return polygons_of(read_layers([one], crs)[event.path, event.layer], one, event, crs, level="central")


def test_tri_of_lille_as_the_portal_exports_it(french: Path) -> None:
    """8 rows, 7 shapes: 4 frequent, 2 medium, 2 extreme, one of them without a shape; 100 to 5,860 m2."""
    path = french / "n_tri_lill_inondable_s_059.csv"
    events = tuple(
        HazardEvent(years, path, select=name)
        for name, years in (("01For", 20.0), ("02Moy", 100.0), ("04Fai", 1000.0))
    )
    one = Hazard("TRI Lille", "flood_extent", "présence", "valid", events)
    read = [whole_event(one, event) for event in events]
    area = np.sort(np.concatenate([shapely.area(polygons.geometry) for polygons in read]))
    assert area[-1] == pytest.approx(5860, abs=1)
    assert area[:2].sum() == pytest.approx(100, abs=1)  # the smallest shape crosses itself: mended, it is two
    assert len(area) == 8
    findings = findings_of(one)
    assert findings.set_index("rule")["message"].loc["alea_sans_geometrie"].startswith(path.name + " : 1 ")


def test_zones_of_the_clain_are_mended(french: Path) -> None:
    """62 multipolygons in degrees, 6 of them invalid, 61.23 km2, scenario '02 moyen' only."""
    path = french / "vienne_clain_zone_inondable.geojson"
    one = hazard(path, select="02 moyen", reading=Reading(presence=(0.5, 0.5, 0.5)))
    polygons = whole_event(one, one.events[0])
    assert shapely.is_valid(polygons.geometry).all()
    assert shapely.union_all(polygons.geometry).area / 1e6 == pytest.approx(61.23, abs=0.15)
    message = findings_of(one).set_index("rule")["message"]
    assert message["alea_geometrie_reparee"].startswith(f"{path.name} : 6 ")


def test_the_overlaps_of_pac_34_count_once(french: Path) -> None:
    """419 polygons, 8,558 km2 in all, 4,800 km2 once; the judge of lines is the dissolved layer."""
    path = french / "pac_034" / "N_PAC_RISQUES_S_034.shp"
    one = hazard(path, kind="flood_extent", reading=Reading())
    polygons = whole_event(one, one.events[0])
    whole = shapely.union_all(polygons.geometry)
    assert shapely.area(polygons.geometry).sum() / 1e6 == pytest.approx(8558, abs=1)
    assert whole.area / 1e6 == pytest.approx(4800, abs=1)
    rng = np.random.default_rng(8)
    west, south, east, north = whole.bounds
    ends = rng.uniform([west, south], [east, north], (200, 2, 2))
    ends[:, 1] = ends[:, 0] + rng.normal(0, 3000, (200, 2))
    lines = shapely.linestrings(ends)
    _, inside_m, _ = line_intensity(lines, polygons)
    judged = shapely.length(shapely.intersection(lines, whole))
    np.testing.assert_allclose(inside_m, judged, atol=1e-5)
    assert (inside_m > 100).sum() > 50


def test_an_isere_ppr_in_the_covadis_layout(french: Path, tmp_path: Path) -> None:
    """592 zones; the torrential floods (1130000) are 89, weak, medium and strong.

    Its .sbn index is not its own: read through it, 18 of the 89 would be lost around these points.
    """
    with ZipFile(french / "38DDT20170001.zip") as archive:
        archive.extractall(tmp_path)
    path = next(tmp_path.rglob("N_ZONE_ALEA_PPRN_20170001_S_038.shp"))
    cover = next(tmp_path.rglob("N_PERIMETRE_PPRN_20170001_S_038.shp"))
    one = hazard(path, cover, reading=Reading(where={"coderisque": ("1130000",)}))
    polygons = whole_event(one, one.events[0])
    assert len(polygons.geometry) == 89
    assert set(polygons.intensity) == {0.25, 0.75, 1.25}
    middle = shapely.point_on_surface(polygons.geometry)
    net = network([(p.x, p.y) for p in middle])
    assert (expose(net, [one])["intensity_max"].to_numpy() >= polygons.intensity).all()


def test_rows_of_an_asset_are_found_again(tmp_path: Path, around: Path) -> None:
    path = layer(tmp_path / "h.gpkg", [{"h": 1.0, "geometry": box(0, 0, 1, 3)}])
    exposure = expose(
        network([xy(0.5, 1)], [[xy(0, 1), xy(2, 1)]]),
        [hazard(path, around, reading=Reading(fields={"value": "h"}))],
    )
    assert row_of(exposure, "W0")["wet_m"] == pytest.approx(10.0)
    assert row_of(exposure, "C0")["length_m"] == 0.0
