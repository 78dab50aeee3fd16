"""Roads as they are downloaded: extracts of OpenStreetMap and graphs that osmnx saved.

For the table ``routes`` of a study, beside a GeoPackage. Both give lines with the columns highway and oneway,
in the coordinate reference system of the file. Ways that a clipped extract holds without some of their nodes
are read with the nodes that it holds.
"""

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd

from resilience.sections import StudyError

_TAGS = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_ONE_WAY = {"yes": "yes", "1": "yes", "true": "yes", "-1": "-1", "reverse": "-1"}
_ROUND = {"roundabout", "circular"}


def read_osm(path: Path, name: str) -> gpd.GeoDataFrame:
    """Read the ways of an extract that bear a highway tag.

    Parameters
    ----------
    path : Path
        ``.osm.pbf``, ``.osm`` or ``.osm.xml``.
    name : str
        Of the table, for messages.

    Returns
    -------
    GeoDataFrame
        highway, oneway ("yes", "-1" or "" = both ways; a roundabout is one-way, what changes with the hour
        is not), line (number of the way in the file, from 1), geometry (LineString, EPSG:4326). Areas and
        closed ways that GDAL takes for areas are left out.

    Raises
    ------
    StudyError
        When the file is no extract, cannot be read, or holds no such way.
    """
    import pyogrio

    with path.open("rb") as stream:
        head = stream.read(1024)
    if b"OSMHeader" not in head and b"<osm" not in head:
        raise StudyError(f"{name} ({path.name}): not an extract of OpenStreetMap (.osm.pbf or .osm.xml)")
    try:
        ways = pyogrio.read_dataframe(
            path, layer="lines", columns=["highway", "other_tags"], where="highway IS NOT NULL"
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError) as error:
        raise StudyError(f"{name} ({path.name}): this extract cannot be read; download it again") from error
    if ways.empty:
        raise StudyError(f"{name} ({path.name}): no way with a highway tag; give an extract with the roads")
    tags = [dict(_TAGS.findall(text)) if isinstance(text, str) else {} for text in ways["other_tags"]]
    told = pd.Series([tag.get("oneway", "") for tag in tags], index=ways.index, dtype=str)
    is_round = pd.Series([tag.get("junction", "") in _ROUND for tag in tags], index=ways.index)
    oneway = told.map(_ONE_WAY).fillna("").mask(is_round & (told == ""), "yes")
    columns = {"highway": ways["highway"], "oneway": oneway, "line": range(1, len(ways) + 1)}
    return gpd.GeoDataFrame(columns, geometry=ways.geometry, crs=ways.crs)


def read_graphml(path: Path, name: str) -> gpd.GeoDataFrame:
    """Read the streets of a graph that osmnx saved: one line for each, not one for each direction.

    Parameters, columns and errors are those of `read_osm`; the reference system is that of the graph.
    """
    import osmnx as ox

    with path.open("rb") as stream:
        if b"<graphml" not in stream.read(1024):
            raise StudyError(f"{name} ({path.name}): not a GraphML file; save the graph with osmnx")
    try:
        edges = ox.graph_to_gdfs(ox.load_graphml(path), nodes=False, fill_edge_geometry=True)
    except (ValueError, KeyError, SyntaxError, TypeError) as error:
        raise StudyError(
            f"{name} ({path.name}): not a graph of osmnx ({error}); save it with ox.save_graphml"
        ) from error
    if "highway" not in edges:
        raise StudyError(f"{name} ({path.name}): no edge says its highway; save the graph with its tags")
    is_oneway = pd.Series(data=False, index=edges.index)
    if "oneway" in edges:
        is_oneway = edges["oneway"].map(
            lambda told: told is True
        )  # a list where streets were joined: unknown
    # the second direction of a street is the same line, drawn the other way
    edges = edges[is_oneway | ~edges.geometry.normalize().to_wkb().duplicated()]
    kind = edges["highway"].map(lambda one: one[0] if isinstance(one, list) else one)
    oneway = is_oneway[edges.index].map({True: "yes", False: ""})
    columns = {"highway": kind, "oneway": oneway, "line": range(1, len(edges) + 1)}
    return gpd.GeoDataFrame(columns, geometry=edges.geometry, crs=edges.crs).reset_index(drop=True)
