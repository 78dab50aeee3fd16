"""Exposure against rasters worked by hand, dense sampling, a published split, and real layers."""

import copy
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

from gracethd.errors import CRSError, SourceError
from gracethd.network.types import Network
from resilience.exposure import COLUMNS, coverage_findings, expose, grid, rasters
from resilience.exposure.pieces import Pieces, cut_at_cells, segments_of
from resilience.hazards import Hazard, HazardError, HazardEvent
from tests.draws import draws
from tests.resilience.exposure_cases import (
    L93,
    NORTH,
    WEST,
    Line,
    flood,
    from_origin,
    network,
    polygon_layer,
    row_of,
    write_raster,
    xy,
)

# ---------------------------------------------------------------- 3 x 3 rasters worked by hand

THREE = [[0.0, 0.5, 1.0], [0.0, -9999.0, 2.0], [0.3, 0.0, 0.0]]
"""Depths in m of 10 m cells; the middle one has no data."""


@pytest.fixture
def three(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "q20.tif", THREE, nodata=-9999)


@pytest.mark.parametrize(
    ("at", "extent", "valid"),
    [
        ((0.5, 0.5), 0.0, 0.0),
        ((1.5, 0.5), 0.5, 0.5),
        ((2.5, 1.5), 2.0, 2.0),
        ((1.5, 1.5), 0.0, np.nan),  # no data: dry inside the extent, unknown where only data say "mapped"
        ((3.5, 0.5), np.nan, np.nan),  # beside the raster
        ((1.5, -0.1), np.nan, np.nan),
        ((1.0, 0.5), 0.5, 0.5),  # on a border: the cell of higher column
        ((2.0, 1.0), 2.0, 2.0),  # on a corner: of higher row and column
        ((3.0, 0.5), np.nan, np.nan),  # on the last border: outside
    ],
)
def test_a_point_takes_the_depth_of_its_cell(
    three: Path, at: tuple[float, float], extent: float, valid: float
) -> None:
    net = network([xy(*at), xy(0.5, 0.5)])
    for coverage, expected in (("extent", extent), ("valid", valid)):
        row = row_of(expose(net, [flood(three, coverage)]), "C0")
        np.testing.assert_equal(row["intensity_max"], expected)
        is_mapped = not np.isnan(expected)
        assert row["mapped_share"] == float(is_mapped)
        np.testing.assert_equal(row["wet_m"], 0.0 if is_mapped else np.nan)
        assert row["length_m"] == 0.0


@pytest.mark.parametrize(
    ("line", "deepest", "wet_m", "share"),
    [
        ([(0.5, 0.5), (2.5, 0.5)], 1.0, 15.0, 1.0),  # 5 m dry, 10 m at 0.5, 5 m at 1.0
        ([(0.5, 1.5), (1.5, 1.5)], 0.0, 0.0, 1.0),  # dry cell then no data
        ([(2.5, 0.5), (4.5, 0.5)], 1.0, 5.0, 0.25),  # 15 of 20 m beyond the raster
        ([(4.0, 0.5), (5.0, 0.5)], np.nan, np.nan, 0.0),
        ([(0.5, 0.5), (2.5, 0.5), (2.5, 2.5)], 2.0, 30.0, 1.0),  # an angle inside a cell
        ([(1.0, 0.0), (1.0, 1.0)], 0.5, 10.0, 1.0),  # along a border: the cell to the east
        ([(0.0, 1.0), (1.0, 1.0)], 0.0, 0.0, 1.0),  # along a border: the cell to the south
        ([(0.0, 0.0), (1.0, 1.0), (3.0, 3.0)], 0.0, 0.0, 1.0),  # through corners: touches neither 0.5 nor 0.3
        ([(1.0, 0.0), (3.0, 2.0)], 2.0, 20 * np.sqrt(2), 1.0),  # through the corner (2, 1)
        ([(2.5, 0.5), (0.5, 0.5)], 1.0, 15.0, 1.0),  # drawn the other way
        ([(1.5, 0.5), (1.5, 0.5)], 0.5, 0.0, 1.0),  # a line of no length is a place
    ],
)
def test_a_line_is_cut_at_cell_borders(
    three: Path, line: Line, deepest: float, wet_m: float, share: float
) -> None:
    net = network(lines=[[xy(*p) for p in line], [xy(0.1, 0.1), xy(0.2, 0.2)]])
    row = row_of(expose(net, [flood(three)]), "W0")
    np.testing.assert_equal(row["intensity_max"], np.float64(np.float32(deepest)))
    np.testing.assert_allclose(row["wet_m"], wet_m, atol=1e-9)
    np.testing.assert_allclose(row["mapped_share"], share, atol=1e-12)
    np.testing.assert_allclose(row["length_m"], shapely.LineString([xy(*p) for p in line]).length)


def test_only_cells_with_data_are_mapped_when_the_coverage_is_valid(three: Path) -> None:
    """W0 crosses the middle row: 10 m dry, 10 m without data, 10 m under 2 m."""
    exposure = expose(network(lines=[[xy(0, 1.5), xy(3, 1.5)]]), [flood(three, "valid")])
    row = row_of(exposure, "W0")
    assert row["intensity_max"] == 2.0
    assert row[["wet_m", "mapped_share"]].tolist() == pytest.approx([10.0, 2 / 3])


def test_wet_metres_are_those_deeper_than_the_given_depth(three: Path) -> None:
    net = network(lines=[[xy(0.5, 0.5), xy(2.5, 0.5)]])
    for wet_from_m, wet_m in ((0.0, 15.0), (0.5, 5.0), (1.0, 0.0)):
        assert expose(net, [flood(three)], wet_from_m=wet_from_m)["wet_m"].tolist() == pytest.approx([wet_m])


def test_a_multiline_is_one_row_and_several_lines_of_an_asset_are_several(three: Path) -> None:
    parts = shapely.MultiLineString([[xy(1.2, 0.5), xy(1.7, 0.5)], [xy(2.5, 1.2), xy(2.5, 1.4)]])
    net = network(lines=[parts, [xy(0.1, 0.1), xy(0.2, 0.1)]])
    twice = Network(**(vars(net) | {"lines": net.lines.assign(asset=np.zeros(2, np.int32))}))
    exposure = expose(twice, [flood(three)])
    assert exposure["asset"].tolist() == [0, 0]
    assert exposure["wet_m"].tolist() == pytest.approx([7.0, 0.0])
    assert exposure["intensity_max"].tolist() == [2.0, 0.0]


def test_rows_and_types(three: Path) -> None:
    net = network([xy(0.5, 0.5), None, xy(1.5, 0.5)], [[xy(0.5, 0.5), xy(2.5, 0.5)]])
    two = Hazard("a", "flood_depth", "m", "extent", (HazardEvent(20, three), HazardEvent(100, three)))
    exposure = expose(net, [flood(three, name="b"), two])
    assert tuple(exposure.columns) == COLUMNS
    assert exposure["asset"].dtype == np.int32
    assert exposure["asset"].tolist() == [0, 1, 3] * 3  # C1 has no geometry, hence no row
    assert exposure["scenario"].tolist() == ["Q20"] * 3 + ["Q100"] * 3 + ["Q20"] * 3
    assert exposure["hazard"].tolist() == ["a"] * 6 + ["b"] * 3
    assert set(exposure["intensity_unit"]) == {"m"}
    assert exposure["code"].iloc[:3].tolist() == ["W0", "C0", "C2"]
    assert tuple(expose(net, []).columns) == COLUMNS
    assert expose(net, []).dtypes.tolist() == exposure.dtypes.tolist()


def test_inputs_are_not_changed(three: Path) -> None:
    net = network([xy(0.5, 0.5)], [[xy(0.5, 0.5), xy(2.5, 0.5)]])
    before = copy.deepcopy(net)
    expose(net, [flood(three)])
    pd.testing.assert_frame_equal(pd.DataFrame(net.assets), pd.DataFrame(before.assets))
    pd.testing.assert_frame_equal(pd.DataFrame(net.lines), pd.DataFrame(before.lines))


# ---------------------------------------------------------------- coverage polygons


@pytest.mark.parametrize("driver", ["GPKG", "GeoJSON", "ESRI Shapefile"])
def test_outside_the_coverage_polygon_nothing_is_mapped(tmp_path: Path, three: Path, driver: str) -> None:
    """The polygon covers columns 0 to 1.5, and goes on 100 m west of the raster."""
    suffix = {"GPKG": "gpkg", "GeoJSON": "geojson", "ESRI Shapefile": "shp"}[driver]
    area = shapely.box(*xy(-10, 3), *xy(1.5, 0))
    if driver == "GeoJSON":
        layer = tmp_path / "emprise.geojson"
        gpd.GeoSeries([area.segmentize(1.0)], crs=L93).to_crs(4326).to_file(
            layer, driver=driver, engine="fiona"
        )
    else:
        layer = polygon_layer(tmp_path / f"emprise.{suffix}", area, driver=driver)
    points = [xy(1.2, 0.5), xy(1.7, 0.5), xy(1.2, 1.5), xy(-5, 0.5)]
    net = network(points, [[xy(0.5, 0.5), xy(2.5, 0.5)], [xy(2, 0.5), xy(3, 0.5)], [xy(-3, 0.5), xy(1, 0.5)]])
    exposure = expose(net, [flood(three, layer)])
    np.testing.assert_equal(
        [row_of(exposure, f"C{i}")["intensity_max"] for i in range(4)], [0.5, np.nan, 0.0, 0.0]
    )
    half, outside, west = (row_of(exposure, f"W{i}") for i in range(3))
    assert [half["intensity_max"], half["wet_m"], half["mapped_share"]] == pytest.approx(
        [0.5, 5.0, 0.5], abs=1e-3
    )
    np.testing.assert_equal([outside["intensity_max"], outside["wet_m"]], [np.nan, np.nan])
    assert outside["mapped_share"] == 0.0
    assert [west["intensity_max"], west["wet_m"], west["mapped_share"]] == [0.0, 0.0, 1.0]


def test_overlapping_and_invalid_polygons_count_once(tmp_path: Path, three: Path) -> None:
    bow_tie = shapely.Polygon([xy(0, 0), xy(3, 3), xy(3, 0), xy(0, 3)])
    layer = polygon_layer(
        tmp_path / "e.gpkg", bow_tie, shapely.box(*xy(0, 3), *xy(2, 0)), shapely.box(*xy(0, 3), *xy(1, 0))
    )
    row = row_of(expose(network(lines=[[xy(0, 0.5), xy(3, 0.5)]]), [flood(three, layer)]), "W0")
    # columns 0 to 2 by the boxes, and 2.5 to 3 by the right wing of the bow tie
    assert [row["mapped_share"], row["wet_m"]] == pytest.approx([2.5 / 3, 15.0])


def test_the_border_of_the_coverage_is_mapped(tmp_path: Path, three: Path) -> None:
    layer = polygon_layer(tmp_path / "e.gpkg", shapely.box(*xy(0, 3), *xy(2.5, 0)))
    net = network([xy(2.5, 0.5)], [[xy(2.5, 0.0), xy(2.5, 1.0)]])
    exposure = expose(net, [flood(three, layer)])
    assert exposure["intensity_max"].tolist() == [1.0, 1.0]
    assert exposure["mapped_share"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("west", "share"), [(0.0, None), (-1.0, "25.0%"), (-9.0, "75.0%")])
def test_a_coverage_that_goes_beyond_the_raster_is_told(
    tmp_path: Path, three: Path, west: float, share: str
) -> None:
    layer = polygon_layer(tmp_path / "e.gpkg", shapely.box(*xy(west, 3), *xy(3, 0)))
    findings = coverage_findings([flood(three, layer), flood(three, "extent", name="autre")])
    assert findings["rule"].tolist() == (["alea_emprise_hors_raster"] if share else [])
    assert findings["message"].str.startswith(f"{share} de l'emprise").all()


# ---------------------------------------------------------------- grids of all sorts

GRIDS = {
    "north-up": from_origin(WEST, NORTH, 10, 10),
    "non-square": from_origin(WEST, NORTH, 8, 13),
    "south-up": Affine(10, 0, WEST, 0, 10, NORTH),
    "rotated": Affine.translation(WEST, NORTH) @ Affine.rotation(31) @ Affine.scale(9, -12),
    "mirrored": Affine(-10, 0, WEST, 0, -10, NORTH),
}


@pytest.mark.parametrize("name", GRIDS)
def test_any_affine_grid_gives_what_dense_sampling_gives(tmp_path: Path, name: str) -> None:
    """40 lines of 3 vertices; the judge asks the cell of 20,000 middles of steps by the inverse affine."""
    transform, rng = GRIDS[name], np.random.default_rng(7)
    cells = np.round(np.clip(rng.normal(0.0, 1.0, (17, 23)), 0, None), 3)
    path = write_raster(tmp_path / "q.tif", cells, transform=transform)
    pixel = rng.uniform([-2, -2], [25, 19], (40, 3, 2))
    lines = [[transform @ tuple(p) for p in line] for line in pixel]
    exposure = expose(network(lines=lines), [flood(path)])
    for line, row in zip(lines, exposure.itertuples(), strict=True):
        depth, inside, length = dense_depths(line, cells, transform, 20_000)
        step = length / 20_000
        assert row.wet_m == pytest.approx(step * (depth > 0).sum(), abs=30 * step)
        assert row.mapped_share * length == pytest.approx(step * inside.sum(), abs=6 * step)
        assert row.length_m == pytest.approx(length)
        assert row.intensity_max >= np.float32(np.nanmax(depth)) - 1e-6


def dense_depths(
    line: Line, cells: np.ndarray, transform: Affine, n: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sample a line at the middles of n equal steps: depth (NaN outside) by looking up each cell."""
    shape = shapely.LineString(line)
    at = shapely.get_coordinates(shape.interpolate((np.arange(n) + 0.5) / n, normalized=True))
    col, row = np.floor(np.column_stack(~transform @ tuple(at.T))).astype(int).T
    inside = (row >= 0) & (row < cells.shape[0]) & (col >= 0) & (col < cells.shape[1])
    depth = np.where(
        inside, cells[np.clip(row, 0, cells.shape[0] - 1), np.clip(col, 0, cells.shape[1] - 1)], np.nan
    )
    return depth, inside, shape.length


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_any_type_of_cell(tmp_path: Path, dtype: str) -> None:
    """Whole metres without nodata: 0 is a depth, not an absence."""
    path = write_raster(tmp_path / "q.tif", [[0, 1, 15]], dtype=dtype)
    exposure = expose(network([xy(i + 0.5, 0.5) for i in range(3)]), [flood(path, "valid")])
    assert exposure["intensity_max"].tolist() == [0.0, 1.0, 15.0]


def test_scale_offset_and_levels_below_ground(tmp_path: Path) -> None:
    """Centimetres with band scale 0.01 and offset -1 m: 250 is 1.5 m, 40 is below ground, 0 is no data."""
    path = write_raster(tmp_path / "q.tif", [[250, 40, 0]], dtype="int16", nodata=0)
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = (0.01,), (-1.0,)
    exposure = expose(network([xy(i + 0.5, 0.5) for i in range(3)]), [flood(path, "valid")])
    np.testing.assert_allclose(exposure["intensity_max"], [1.5, 0.0, np.nan])


def test_nan_cells_are_without_data(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "q.tif", [[np.nan, 1.0]])
    net = network([xy(0.5, 0.5), xy(1.5, 0.5)])
    np.testing.assert_equal(expose(net, [flood(path, "valid")])["intensity_max"].tolist(), [np.nan, 1.0])
    np.testing.assert_equal(expose(net, [flood(path, "extent")])["intensity_max"].tolist(), [0.0, 1.0])


def test_lambert_93_without_an_epsg_code_is_lambert_93(tmp_path: Path) -> None:
    wkt = pyproj.CRS(2154).to_wkt("WKT1_ESRI")
    path = write_raster(tmp_path / "q.tif", THREE, nodata=-9999, crs=wkt)
    assert expose(network([xy(2.5, 1.5)]), [flood(path)])["intensity_max"].tolist() == [2.0]


def test_vertices_go_to_the_crs_of_the_raster_and_metres_stay(tmp_path: Path) -> None:
    """A raster in degrees: the judge asks rasterio, point by point, along lines densified to 0.5 m."""
    rng = np.random.default_rng(3)
    cells = np.clip(rng.normal(0, 1, (60, 80)), 0, None).astype(np.float32)
    lon, lat = 2.25, 50.75
    path = write_raster(
        tmp_path / "q.tif", cells, transform=from_origin(lon, lat, 0.0008, 0.0005), crs="EPSG:4326"
    )
    to_metres = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)
    lines = [
        [to_metres.transform(lon + 0.064 * u, lat - 0.03 * v) for u, v in rng.uniform(0.02, 0.98, (4, 2))]
        for _ in range(6)
    ]
    exposure = expose(network(lines=lines), [flood(path)])
    back = pyproj.Transformer.from_crs(2154, 4326, always_xy=True)
    for line, row in zip(lines, exposure.itertuples(), strict=True):
        shape = shapely.LineString(line)
        n = int(shape.length / 0.5)
        at = shapely.get_coordinates(shape.interpolate((np.arange(n) + 0.5) / n, normalized=True))
        with rasterio.open(path) as source:
            depth = np.array([value[0] for value in source.sample(np.column_stack(back.transform(*at.T)))])
        # a segment of 2 km bends by 0.1 m between the two CRS: each of ~100 crossings may move so much
        assert row.wet_m == pytest.approx(shape.length / n * (depth > 0).sum(), abs=10.0)
        assert row.length_m == pytest.approx(shape.length)


# ---------------------------------------------------------------- laws

coordinate = st.one_of(
    st.integers(-1, 6).map(float),
    # a billionth of a cell is the finest: below 1e-100 products vanish in GEOS, the judge
    st.floats(-1, 6, allow_nan=False).map(lambda x: round(x, 9)),
    st.sampled_from([0.5, 1.5, 2.25]),
)
lines_in_pixels = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=5)


def pieces_of(line: Line) -> Pieces:
    segments = segments_of(np.array([shapely.LineString(line)], dtype=object))
    return cut_at_cells(segments.xy, segments)


@given(line=lines_in_pixels)
def test_pieces_are_those_of_brute_force(line: Line) -> None:
    """The judge intersects each segment with each cell, less what runs along its far borders."""
    pieces = pieces_of(line)
    shape = shapely.LineString(line)
    assert pieces.length_m.sum() == pytest.approx(shape.length, abs=1e-7)
    got = (
        pd.DataFrame({"row": pieces.row, "col": pieces.col, "m": pieces.length_m})
        .groupby(["row", "col"])["m"]
        .sum()
    )
    expected: dict[tuple[int, int], float] = {}
    for start, end in pairwise(line):
        segment = shapely.LineString([start, end])
        for row in range(-2, 7):
            for col in range(-2, 7):
                part = shapely.intersection(segment, shapely.box(col, row, col + 1, row + 1)).length
                # what runs along the far border belongs to the next cell
                on_far = shapely.LineString([(col + 1, row), (col + 1, row + 1), (col, row + 1)])
                part -= shapely.intersection(segment, on_far).length
                if part > 1e-7:
                    expected[row, col] = expected.get((row, col), 0.0) + part
    for cell in set(expected) | set(got.index):
        assert got.get(cell, 0.0) == pytest.approx(expected.get(cell, 0.0), abs=1e-6)


@settings(max_examples=draws(30))
@given(line=lines_in_pixels)
def test_each_piece_lies_in_its_cell_at_1_mm_steps(line: Line) -> None:
    line = [(0.0123 + 0.997 * col, 0.0321 + 0.993 * row) for col, row in line]  # off the borders, mostly
    pieces = pieces_of(line)
    shape = shapely.LineString(line)
    if shape.length < 1e-9:
        assert (len(pieces.row), pieces.length_m.sum()) == (1, shape.length)
        return
    # cells of 10 m: middles of 1 mm steps are 1e-4 of a cell apart
    n = int(shape.length / 1e-4) + 1
    at = shapely.get_coordinates(shape.interpolate((np.arange(n) + 0.5) / n, normalized=True))
    sampled = pd.DataFrame(np.floor(at).astype(int), columns=["col", "row"]).value_counts() * (
        shape.length / n
    )
    got = (
        pd.DataFrame({"col": pieces.col, "row": pieces.row, "m": pieces.length_m})
        .groupby(["col", "row"])["m"]
        .sum()
    )
    on_border = np.isclose(at, np.round(at), atol=1e-7).any(axis=1).any()
    for cell in set(sampled.index) | set(got.index) if not on_border else set():
        assert got.get(cell, 0.0) == pytest.approx(sampled.get(cell, 0.0), abs=1e-4 * 4 * len(line))


def test_a_corner_is_no_visit_to_the_cell_beside_it() -> None:
    """Lines along x + y = 1 meet the corners (1, 0) and (2, -1), up to rounding."""
    for start in np.linspace(0.05, 0.95, 181):
        pieces = pieces_of([(start, 1 - start), (start + 2, -1 - start)])
        assert list(zip(pieces.row, pieces.col, strict=True)) == [(0, 0), (-1, 1), (-2, 2)]
        assert pieces.length_m.sum() == pytest.approx(np.sqrt(8))


@given(line=lines_in_pixels, share=st.floats(0.01, 0.99))
def test_splitting_a_line_changes_nothing(line: Line, share: float) -> None:
    shape = shapely.LineString(line)
    if shape.length < 1e-3:
        return
    parts = [shapely.ops.substring(shape, *ends, normalized=True) for ends in ((0, share), (share, 1))]
    whole, split = (
        cut_at_cells(segments.xy, segments)
        for segments in (segments_of(np.array(x, dtype=object)) for x in ([shape], parts))
    )

    def by_cell(pieces: Pieces) -> pd.Series:
        return pd.Series(pieces.length_m).groupby([pieces.row, pieces.col]).sum()

    difference = by_cell(whole).sub(by_cell(split), fill_value=0.0)
    if not any(float(v).is_integer() for p in line for v in p):  # a border may round to either side
        assert difference.abs().max() < 1e-6
    assert split.length_m.sum() == pytest.approx(whole.length_m.sum(), abs=1e-7)


def test_tiles_and_chunks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    cells = np.clip(rng.normal(0, 1, (90, 130)), 0, None)
    path = write_raster(tmp_path / "q.tif", cells, tiled=True, blockxsize=32, blockysize=16)
    lines = [[xy(*p) for p in line] for line in rng.uniform([-5, -5], [135, 95], (300, 4, 2))]
    net = network([xy(*p) for p in rng.uniform(0, 90, (200, 2))], lines)
    whole = expose(net, [flood(path)])
    inside = shapely.covered_by(net.lines.geometry.to_numpy(), shapely.box(*xy(0, 90), *xy(130, 0)))
    assert inside.sum() > 100
    assert (whole["mapped_share"].to_numpy()[:300][inside] == 1.0).all()  # exactly, whatever the rounding
    monkeypatch.setattr(grid, "TILE_CELLS", 32 * 16)
    monkeypatch.setattr(rasters, "CHUNK_PIECES", 700)
    small = expose(net, [flood(path)])
    pd.testing.assert_frame_equal(small, whole, check_exact=True)


def test_rows_do_not_depend_on_the_order_of_hazards_and_events_share_the_cut(tmp_path: Path) -> None:
    paths = [write_raster(tmp_path / f"q{i}.tif", np.full((3, 3), i / 10)) for i in (1, 2, 3)]
    shifted = write_raster(
        tmp_path / "q4.tif", np.full((6, 6), 0.4), transform=from_origin(WEST, NORTH, 5, 5)
    )
    events = tuple(HazardEvent(10.0 ** (i + 1), p) for i, p in enumerate([*paths, shifted]))
    hazard = Hazard("crue", "flood_depth", "m", "extent", events)
    net = network([xy(1.5, 1.5)], [[xy(0.5, 0.5), xy(2.5, 2.5)]])
    exposure = expose(net, [hazard])
    assert exposure["intensity_max"].tolist() == pytest.approx(np.repeat([0.1, 0.2, 0.3, 0.4], 2), abs=1e-6)
    other = flood(paths[0], name="a")
    pd.testing.assert_frame_equal(expose(net, [hazard, other]), expose(net, [other, hazard]))


# ---------------------------------------------------------------- bad input


def refused(error: type[Exception], *words: str, net: Network | None = None, hazard: Hazard) -> None:
    with pytest.raises(error) as caught:
        expose(net or network([xy(0.5, 0.5)], [[xy(0.5, 0.5), xy(1.5, 0.5)]]), [hazard])
    for word in words:
        assert word in str(caught.value)
    if any(word.endswith((".tif", ".png", ".gpkg")) for word in words):
        assert f"hazard {hazard.name!r}" in str(caught.value)  # a study names many maps


def test_a_raster_without_crs(tmp_path: Path) -> None:
    refused(
        CRSError,
        "q.tif",
        "no CRS",
        "gdal_edit",
        hazard=flood(write_raster(tmp_path / "q.tif", THREE, crs=None)),
    )


def test_a_raster_without_georeference(tmp_path: Path) -> None:
    profile = {"width": 3, "height": 3, "count": 1, "dtype": "uint8"}
    with pytest.warns(NotGeoreferencedWarning):
        rasterio.open(tmp_path / "q.tif", "w", driver="GTiff", crs=L93, **profile).close()
    refused(HazardError, "q.tif", "not georeferenced", hazard=flood(tmp_path / "q.tif"))
    with pytest.warns(NotGeoreferencedWarning):
        rasterio.open(tmp_path / "q.png", "w", driver="PNG", **profile).close()
    refused(SourceError, "q.png", "GeoTIFF", hazard=flood(tmp_path / "q.png"))


def test_a_raster_elsewhere(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "q.tif", THREE, transform=from_origin(0, 0, 10, 10))
    refused(HazardError, "q.tif", "does not overlap", "CRS", hazard=flood(path))


def test_a_raster_without_any_data(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "q.tif", np.full((3, 3), -9999), nodata=-9999)
    refused(HazardError, "q.tif", "no cell", hazard=flood(path))


@pytest.mark.parametrize("value", [-9999.0, -32768.0, -3.4e38, 9999.0, np.inf])
def test_a_no_data_number_that_the_file_does_not_declare(tmp_path: Path, value: float) -> None:
    path = write_raster(tmp_path / "q.tif", [[value, 1.0, 0.0]])
    refused(HazardError, "q.tif", f"{np.float64(np.float32(value)):g}", "nodata", hazard=flood(path))


def test_several_bands(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "width": 3, "height": 3, "count": 3, "dtype": "uint8", "crs": L93}
    with rasterio.open(tmp_path / "q.tif", "w", transform=from_origin(WEST, NORTH, 10, 10), **profile):
        pass
    refused(HazardError, "q.tif", "3 bands", hazard=flood(tmp_path / "q.tif"))


def test_a_missing_raster(tmp_path: Path) -> None:
    refused(SourceError, "q20.tif", "crue", "does not exist", hazard=flood(tmp_path / "q20.tif"))


@pytest.mark.parametrize("content", [b"", b"not a raster", b"<VRTDataset rasterXSize='3' rasterYSize='3'/>"])
def test_a_file_that_is_no_geotiff(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "q.tif"
    path.write_bytes(content)
    refused(SourceError, "q.tif", "GeoTIFF", hazard=flood(path))


def test_a_truncated_raster(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "q.tif", np.ones((300, 300)))
    path.write_bytes(path.read_bytes()[:5000])
    refused(SourceError, "q.tif", hazard=flood(path))


@pytest.mark.parametrize(
    "path",
    ["/vsicurl/http://localhost/q.tif", "/vsizip/a.zip/q.tif", "http://localhost/q.tif", "zip://a.zip!q.tif"],
)
def test_addresses_and_virtual_files_are_refused(path: str, three: Path) -> None:
    refused(SourceError, "local file", hazard=flood(Path(path)))
    refused(SourceError, "local file", hazard=flood(three, Path(path)))


def test_coverage_layers_that_cannot_be_used(tmp_path: Path, three: Path) -> None:
    box = shapely.box(*xy(0, 3), *xy(3, 0))
    refused(SourceError, "emprise.gpkg", "does not exist", hazard=flood(three, tmp_path / "emprise.gpkg"))
    empty = tmp_path / "vide.gpkg"
    gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=L93)).to_file(
        empty, engine="pyogrio", geometry_type="Polygon"
    )
    refused(HazardError, "vide.gpkg", "empty", hazard=flood(three, empty))
    bare = polygon_layer(tmp_path / "bare.shp", box, driver="ESRI Shapefile")
    bare.with_suffix(".prj").unlink()
    refused(CRSError, "bare.shp", "CRS", hazard=flood(three, bare))
    lines = polygon_layer(tmp_path / "lignes.gpkg", shapely.LineString([xy(0, 0), xy(3, 3)]))
    refused(HazardError, "lignes.gpkg", "polygons", hazard=flood(three, lines))
    away = polygon_layer(tmp_path / "loin.gpkg", shapely.box(0, 0, 10, 10))
    refused(HazardError, "loin.gpkg", "does not touch", hazard=flood(three, away))
    two = polygon_layer(tmp_path / "deux.gpkg", box)
    gpd.GeoDataFrame(geometry=gpd.GeoSeries([box], crs=L93)).to_file(
        two, layer="autre", driver="GPKG", engine="fiona"
    )
    refused(HazardError, "deux.gpkg", "2 layers", hazard=flood(three, two))
    text = tmp_path / "emprise.csv"
    text.write_text("x,y\n1,2\n")
    refused(SourceError, "emprise.csv", "GeoPackage", hazard=flood(three, text))


def test_a_network_in_degrees(three: Path) -> None:
    refused(CRSError, "metres", net=network([(2.3, 50.7)], crs="EPSG:4326"), hazard=flood(three))


def test_two_hazards_of_one_name(three: Path) -> None:
    with pytest.raises(HazardError, match="crue"):
        expose(network([xy(0.5, 0.5)]), [flood(three), flood(three)])


# ---------------------------------------------------------------- real layers

AQUEDUCT = "inunriver_rcp4p5_MIROC-ESM-CHEM_2030_rp"
PERIODS = (2, 5, 10, 25, 50, 100, 250, 500, 1000)


@pytest.fixture(scope="module")
def djibouti(shared: Path) -> Path:
    folder = shared / "realdata" / "flood_djibouti_aqueduct"
    if not folder.is_dir():
        pytest.skip("flood_djibouti_aqueduct absent from the reference material")
    return folder


def test_djibouti_roads_are_cut_as_published(djibouti: Path) -> None:
    """104 OSM roads on WRI Aqueduct: the 685 pieces of open-gira (the truth), cell by cell, with 9 depths."""
    roads = gpd.read_parquet(djibouti / "roads_edges.geoparquet")
    truth = gpd.read_parquet(djibouti / "expected" / "splits_with_depths.geoparquet")
    segments = segments_of(roads.geometry.to_numpy())
    paths = {period: djibouti / "rasters" / f"{AQUEDUCT}{period:05d}.tif" for period in PERIODS}
    hazard = "aqueduct"
    with grid.open_raster(paths[2], hazard=hazard) as source:
        cells = grid.grid_of(source, hazard)
    pieces = cut_at_cells(cells.pixels(segments.xy, pyproj.CRS(4326)), segments)
    ours = pd.DataFrame(
        {"edge_id": roads["edge_id"].to_numpy()[pieces.line], "i": pieces.col, "j": pieces.row}
    )
    geod = pyproj.Geod(ellps="WGS84")
    ours["degrees"] = pieces.length_m
    theirs = truth[["edge_id", "raster_i", "raster_j", "geometry", "length_km"]].set_axis(
        ["edge_id", "i", "j", "geometry", "length_km"], axis=1
    )
    theirs = pd.DataFrame(theirs).assign(degrees=shapely.length(truth.geometry.to_numpy()))
    key = ["edge_id", "i", "j"]
    both = (
        ours.groupby(key)["degrees"]
        .sum()
        .to_frame("ours")
        .join(theirs.groupby(key)["degrees"].sum(), how="outer")
    )
    np.testing.assert_allclose(both["ours"], both["degrees"], atol=2e-9)
    # a visit is a run of pieces in one cell: what the peer lists as one piece
    is_new = (ours[key] != ours[key].shift()).any(axis=1)
    assert int(is_new.sum()) == len(truth) == 685
    assert sum(geod.geometry_length(line) for line in roads.geometry) / 1000 == pytest.approx(
        406.001, abs=0.001
    )
    for period, path in paths.items():
        with grid.open_raster(path, hazard=hazard) as source:
            depth = grid.read_cells(source, cells, truth["raster_j"].to_numpy(), truth["raster_i"].to_numpy())
        np.testing.assert_array_equal(
            depth.astype(np.float32), truth[f"hazard-{AQUEDUCT}{period:05d}"].replace(-9999, np.nan)
        )


def test_djibouti_through_the_public_function(djibouti: Path) -> None:
    """In UTM 38N: depth and wet metres of each road and period, from the pieces of the peer."""
    roads = gpd.read_parquet(djibouti / "roads_edges.geoparquet")
    truth = gpd.read_parquet(djibouti / "expected" / "splits_with_depths.geoparquet")
    net = network(lines=list(roads.to_crs(32638).geometry), crs="EPSG:32638")
    events = tuple(
        HazardEvent(period, djibouti / "rasters" / f"{AQUEDUCT}{period:05d}.tif") for period in PERIODS
    )
    exposure = expose(net, [Hazard("aqueduct", "flood_depth", "m", "extent", events)])
    assert len(exposure) == 104 * 9
    length_m = truth.to_crs(32638).length
    for period, rows in exposure.groupby("return_period"):
        depth = truth[f"hazard-{AQUEDUCT}{int(period):05d}"].clip(lower=0).fillna(0)
        deepest = depth.groupby(truth["edge_id"]).max().reindex(roads["edge_id"])
        wet_m = length_m.where(depth > 0, 0.0).groupby(truth["edge_id"]).sum().reindex(roads["edge_id"])
        np.testing.assert_allclose(rows["intensity_max"], deepest, atol=1e-7)
        np.testing.assert_allclose(rows["wet_m"], wet_m, atol=1.0)  # a long side bends between the two CRS
        assert rows["intensity_max"].max() == pytest.approx(depth.max())
    assert exposure["intensity_max"].max() == pytest.approx(0.2416, abs=1e-4)


def test_jakarta_buildings(shared: Path) -> None:
    """Real depths in degrees; the judge is rasterio's own sampling of each point."""
    folder = shared / "realdata" / "flood_jakarta_inasafe"
    if not folder.is_dir():
        pytest.skip("flood_jakarta_inasafe absent from the reference material")
    homes = gpd.read_file(folder / "jakarta_building.gpkg").to_crs(32748).geometry.centroid
    path = folder / "jakarta_continuous_flood.tif"
    exposure = expose(network([(p.x, p.y) for p in homes], crs="EPSG:32748"), [flood(path, "valid")])
    with rasterio.open(path) as source:
        at = homes.to_crs(4326)
        sampled = np.array([v[0] for v in source.sample(zip(at.x, at.y, strict=True))], dtype=float)
        inside = (at.x > source.bounds.left) & (at.x < source.bounds.right)
        inside &= (at.y > source.bounds.bottom) & (at.y < source.bounds.top)
    expected = np.where(inside.to_numpy() & (sampled != -9999), sampled, np.nan)
    np.testing.assert_allclose(exposure["intensity_max"], expected)
    assert (exposure["intensity_max"] > 0).sum() > 1000


def test_kampen_int8_without_nodata(shared: Path) -> None:
    """7.9 M cells of int8: lines across the town against 0.25 m sampling of the array."""
    path = shared / "realdata" / "flood_kampen" / "hazard" / "inundation_map.tif"
    if not path.is_file():
        pytest.skip("flood_kampen absent from the reference material")
    with rasterio.open(path) as source:
        cells, transform, bounds = source.read(1), source.transform, source.bounds
    rng = np.random.default_rng(5)
    middle = rng.uniform([bounds.left, bounds.bottom], [bounds.right, bounds.top], (60, 2))
    lines = [[tuple(m), tuple(m + step)] for m, step in zip(middle, rng.normal(0, 200, (60, 2)), strict=True)]
    exposure = expose(network(lines=lines, crs="EPSG:28992"), [flood(path)])
    for line, row in zip(lines, exposure.itertuples(), strict=True):
        n = int(row.length_m / 0.25) + 1
        depth, _, length = dense_depths(line, cells.astype(float), transform, n)
        assert row.wet_m == pytest.approx((depth > 0).sum() * length / n, abs=0.02 * length + 2)
        assert row.intensity_max >= np.nanmax(depth)
    assert (exposure["wet_m"] > 0).any()
