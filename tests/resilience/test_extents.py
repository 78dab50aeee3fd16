"""Outlines of hazards, on rasters that a reader can draw."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
from shapely.geometry import Point, box

from resilience.exposure import extents
from resilience.exposure.extents import hazard_extents, mapped_areas
from resilience.hazards import Hazard, HazardEvent

CRS = pyproj.CRS("EPSG:2154")
ORIGIN = (640_000.0, 7_070_000.0)


@pytest.fixture
def hazard(tmp_path: Path) -> Hazard:
    """Four cells of 10 m a side; . dry, w wet, - no data.

    Q20   . w . .      Q100   . w w w
          . w . .             . w w .
          - . . .             - . . .
    """
    frequent = [[0, 1, 0, 0], [0, 1, 0, 0], [-9999, 0, 0, 0]]
    rare = [[0, 2, 1, 1], [0, 2, 1, 0], [-9999, 0, 0, 0]]
    events = []
    for years, cells in ((20.0, frequent), (100.0, rare)):
        path = tmp_path / f"q{years:g}.tif"
        with rasterio.open(
            path, "w", driver="GTiff", width=4, height=3, count=1, dtype="float32", crs="EPSG:2154",
            transform=rasterio.Affine(10, 0, ORIGIN[0], 0, -10, ORIGIN[1]), nodata=-9999,
        ) as sink:  # fmt: skip
            sink.write(np.array(cells, dtype="float32"), 1)
        events.append(HazardEvent(years, path))
    return Hazard("crue", "flood_depth", "m", "valid", tuple(events))


def cell(row: int, col: int) -> Point:
    return Point(ORIGIN[0] + 10 * col + 5, ORIGIN[1] - 10 * row - 5)


def test_each_event_covers_its_wet_cells(hazard: Hazard) -> None:
    frame = hazard_extents([hazard], CRS)
    assert frame["return_period"].tolist() == [20.0, 100.0]
    assert frame.geometry.iloc[0].equals(box(640_010, 7_069_980, 640_020, 7_070_000))
    rare = frame.geometry.iloc[1]
    assert [rare.contains(cell(0, col)) for col in range(4)] == [False, True, True, True]
    assert rare.area == pytest.approx(500, abs=60)  # five cells, steps smoothed by half a cell


def test_the_mapped_area_is_what_the_hazard_says(hazard: Hazard, tmp_path: Path) -> None:
    valid = mapped_areas([hazard], CRS).geometry.iloc[0]
    assert valid.area == pytest.approx(1100, abs=60)
    assert not valid.contains(cell(2, 0))
    whole = Hazard("crue", "flood_depth", "m", "extent", hazard.events)
    assert mapped_areas([whole], CRS).geometry.iloc[0].area == pytest.approx(1200)
    layer = tmp_path / "emprise.gpkg"
    drawn = box(640_000, 7_069_975, 640_015, 7_070_000)
    gpd.GeoDataFrame(geometry=[drawn], crs=CRS).to_file(layer)
    by_layer = Hazard("crue", "flood_depth", "m", layer, hazard.events)
    assert mapped_areas([by_layer], CRS).geometry.iloc[0].equals(drawn)


def test_a_large_raster_is_drawn_coarser_and_loses_no_water(
    hazard: Hazard, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = hazard_extents([hazard], CRS)
    monkeypatch.setattr(extents, "PICTURE_CELLS", 2)
    coarse = hazard_extents([hazard], CRS)
    assert (coarse.area >= fine.area).all()
    assert coarse.geometry.iloc[0].contains(cell(1, 1))


def test_an_event_without_water_is_an_empty_outline(hazard: Hazard) -> None:
    with rasterio.open(hazard.events[0].path, "r+") as sink:
        sink.write(np.zeros((1, 3, 4), dtype="float32"))
    frame = hazard_extents([hazard], CRS)
    assert frame.geometry.is_empty.tolist() == [True, False]


def test_outlines_come_in_the_crs_of_the_network(hazard: Hazard) -> None:
    frame = hazard_extents([hazard], pyproj.CRS("EPSG:3950"))
    assert frame.crs == "EPSG:3950"
    back = frame.to_crs(2154).geometry.iloc[0]
    assert back.centroid.distance(Point(640_015, 7_069_990)) < 0.1
