"""Roads of extracts and of saved graphs: ways written by hand, graphs saved and read again, real files."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import osmnx as ox
import pytest
import shapely

from resilience.crisis.access import access_hours
from resilience.road_files import read_graphml, read_osm
from resilience.roads import road_graph
from resilience.sections import StudyError
from resilience.tables import read_table

NODES = {1: (2.0, 50.0), 2: (2.001, 50.0), 3: (2.002, 50.0), 4: (2.002, 50.001)}
WAYS = [
    ("residential", {}, [1, 2]),
    ("primary", {"oneway": "-1"}, [2, 3]),
    ("tertiary", {"junction": "roundabout"}, [3, 4, 2]),
    ("tertiary", {"oneway": "reversible", "name": 'rue "du" Port'}, [1, 4]),
    ("footway", {}, [1, 3]),
    ("service", {}, [9, 3, 4]),  # the extract is clipped: it does not hold node 9
    ("service", {}, [9, 3]),
]


def extract(path: Path, ways: list[tuple[str, dict[str, str], list[int]]]) -> Path:
    """Write ways as an extract."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
    lines += [f"<node id='{n}' lat='{y}' lon='{x}' version='1'/>" for n, (x, y) in NODES.items()]
    for number, (kind, tags, nodes) in enumerate(ways, start=1):
        told = {"highway": kind, **tags} if kind else tags
        refs = "".join(f"<nd ref='{n}'/>" for n in nodes)
        marks = "".join(f"<tag k='{k}' v='{v.replace(chr(34), '&quot;')}'/>" for k, v in told.items())
        lines.append(f"<way id='{number}' version='1'>{refs}{marks}</way>")
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def test_ways_of_an_extract_are_read_with_the_nodes_that_it_holds(tmp_path: Path) -> None:
    roads = read_table(extract(tmp_path / "sud.osm.xml", WAYS), "routes")
    assert roads["highway"].tolist() == [kind for kind, _, _ in WAYS[:6]]
    assert roads["oneway"].tolist() == ["", "-1", "yes", "", "", ""]
    placed = roads.to_crs(4326).geometry
    expected = [[1, 2], [2, 3], [3, 4, 2], [1, 4], [1, 3], [3, 4]]
    for line, nodes in zip(placed, expected, strict=True):
        assert np.allclose(shapely.get_coordinates(line), [NODES[n] for n in nodes], atol=1e-9)


def test_what_is_no_extract_or_holds_no_road_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "autre.osm.pbf"
    other.write_bytes(b"PK\x03\x04" + bytes(50))
    with pytest.raises(StudyError, match=r"routes \(autre\.osm\.pbf\): not an extract of OpenStreetMap"):
        read_osm(other, "routes")
    bare = extract(tmp_path / "nu.osm", [("", {"waterway": "river"}, [1, 2])])
    with pytest.raises(StudyError, match="no way with a highway tag"):
        read_osm(bare, "routes")
    cut = tmp_path / "coupe.osm.xml"
    cut.write_text(extract(tmp_path / "sud.osm.xml", WAYS).read_text("utf-8")[:700], encoding="utf-8")
    with pytest.raises(StudyError, match="cannot be read"):
        read_osm(cut, "routes")
    with pytest.raises(StudyError, match="not a GraphML file"):
        read_graphml(bare, "routes")
    with pytest.raises(StudyError, match=r"read from \.gpkg, \.pbf, \.osm, \.xml, \.graphml"):
        read_table(tmp_path / "routes.shp", "routes")


def test_a_saved_graph_gives_each_street_once(tmp_path: Path) -> None:
    shapes = [[(0, 0), (50, 10), (100, 0)], [(100, 0), (200, 0)], [(100, 0), (100, 80)]]
    drawn = gpd.GeoDataFrame(
        {"highway": ["residential", "primary", "service"], "oneway": ["", "yes", "no"]},
        geometry=[shapely.LineString(shape) for shape in shapes], crs=2154,
    )  # fmt: skip
    ox.save_graphml(road_graph(drawn), tmp_path / "rues.graphml")
    roads = read_table(tmp_path / "rues.graphml", "routes")
    read = {
        kind: (way, line)
        for kind, way, line in zip(roads["highway"], roads["oneway"], roads.geometry, strict=True)
    }
    assert {kind: way for kind, (way, _) in read.items()} == {
        "residential": "",
        "primary": "yes",
        "service": "",
    }
    for kind, line in zip(drawn["highway"], drawn.geometry, strict=True):
        assert read[kind][1].normalize().equals_exact(line.normalize(), 1e-6)


def test_a_crew_keeps_to_what_is_driven() -> None:
    """A footpath of 100 m between depot and works, and 300 m of streets around."""
    lines = [[(0, 0), (100, 0)], [(0, 0), (0, 100), (100, 100), (100, 0)]]
    roads = gpd.GeoDataFrame(
        {"highway": ["footway", "track"]}, geometry=[shapely.LineString(line) for line in lines], crs=2154
    )
    ends = np.array([[0.0, 0.0], [100.0, 0.0]])
    reach = access_hours(roads, ends[:1], ends[1:], hours_per_m=0.001, reach_m=10)
    assert reach.hours.tolist() == pytest.approx(np.array([[0.3]]))


def test_real_extracts_and_graphs_hold_the_roads_that_are_published_of_them(shared: Path) -> None:
    """Counts of the material's own note; of 2,256 directed edges, 610 are one-way streets."""
    folder = shared / "realdata" / "osm_extracts"
    assert len(read_osm(folder / "andorra.osm.pbf", "routes")) == 1614
    assert len(read_osm(folder / "liechtenstein-latest.osm.pbf", "routes")) == 4658
    streets = read_graphml(folder / "maisons_laffitte_osmnx.graphml", "routes")
    assert (streets["oneway"] == "yes").sum() + 2 * (streets["oneway"] == "").sum() == 2256
