"""Small inventories written by hand or drawn, for tests of networks, routes and losses."""

from collections.abc import Callable, Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from hypothesis import strategies as st

from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from gracethd.network import Network
from gracethd.normalise import TABLES
from gracethd.routes import Routes
from resilience.losses import index_graph, losses_of_assets, losses_of_sets, maximal_losses_of_assets

LAMBERT93 = pyproj.CRS.from_epsg(2154)
Rows = Sequence[Mapping[str, object]]


def make_inventory(**rows: Rows) -> Inventory:
    """Build an inventory from rows by table; columns that are not given are missing, as in a delivery."""
    tables: dict[str, pd.DataFrame] = {}
    for name, spec in TABLES.items():
        if name == "cableline":
            continue
        given = pd.DataFrame(list(rows.get(name, ())))
        table = given.reindex(columns=[*spec.columns])
        numbers = dict.fromkeys(spec.numbers, float)
        table = table.astype({**dict.fromkeys(spec.columns, str), **numbers}).where(table.notna())
        table["updated"] = pd.Series(pd.NaT, index=table.index, dtype="datetime64[s]")
        table["delivery"] = "essai"
        table["line"] = np.arange(1, len(table) + 1, dtype=np.int64)
        if spec.geometry or name == "cable":
            shapes = (
                given["geometry"] if "geometry" in given else pd.Series([None] * len(table), dtype=object)
            )
            table = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes.to_numpy(), crs=LAMBERT93))
        tables[name] = table
    deliveries = pd.DataFrame(
        {"delivery": ["essai"], "sha256": [""], "size_bytes": [0], "versions": ["3"], "n_rows": [0]}
    )
    return Inventory(tables, LAMBERT93, deliveries, merge_findings([]))


def nodes(*codes: str, at: Mapping[str, tuple[float, float]] | None = None) -> list[dict[str, object]]:
    """Give one place per code, 100 m apart unless `at` says where."""
    at = at or {}
    return [
        {"nd_code": code, "geometry": shapely.Point(at.get(code, (700_000.0 + 100 * i, 7_000_000.0)))}
        for i, code in enumerate(codes)
    ]


def room(code: str, node: str, nature: str) -> tuple[dict[str, object], dict[str, object]]:
    """Give the site and the room of an NRO or a PM (nature SRO) at a node: site ST<code>, room <code>."""
    return (
        {"st_code": f"ST{code}", "st_nd_code": node, "st_typelog": "RESEAU"},
        {"lc_code": code, "lc_st_code": f"ST{code}", "lc_typelog": nature},
    )


def box(code: str, node: str, typelog: str) -> tuple[dict[str, object], dict[str, object]]:
    """Give a chamber and the box in it, at a node: chamber PT<code>, box <code>."""
    return (
        {"pt_code": f"PT{code}", "pt_nd_code": node, "pt_typephy": "C"},
        {"bp_code": code, "bp_pt_code": f"PT{code}", "bp_typelog": typelog},
    )


Piece = Mapping[str, Rows]
Points = Sequence[tuple[float, float]]


def draw(*pieces: Piece, at: Mapping[str, tuple[float, float]]) -> Inventory:
    """Build an inventory from pieces (`pm`, `pbo`, `cable`, `splice`...) on places at these positions."""
    rows: dict[str, list[Mapping[str, object]]] = {"noeud": nodes(*at, at=at)}
    for piece in pieces:
        for table, more in piece.items():
            rows.setdefault(table, []).extend(more)
    for number, position in enumerate(rows.get("position", ())):
        position["ps_code"] = f"PS{number:04}"  # type: ignore[index]
    return make_inventory(**rows)


def nro(code: str, node: str) -> Piece:
    """Give an NRO: room, site, rack and drawer at a node."""
    return _equipped(code, node, "NRO")


def pm(code: str, node: str, *, zone: Points | None = None) -> Piece:
    """Give a PM: room, site, rack, drawer at a node, and its zone Z<code>."""
    shape = None if zone is None else shapely.Polygon(zone)
    of_zone = {"zs_code": f"Z{code}", "zs_lc_code": code, "geometry": shape}
    return {**_equipped(code, node, "SRO"), "zsro": [of_zone]}


def _equipped(code: str, node: str, nature: str) -> Piece:
    site, local = room(code, node, nature)
    return {
        "site": [site],
        "local": [local],
        "baie": [{"ba_code": f"BA{code}", "ba_lc_code": code}],
        "tiroir": [{"ti_code": f"TI{code}", "ti_ba_code": f"BA{code}"}],
    }


def closure(code: str, node: str) -> Piece:
    """Give a closure in a chamber, with its cassette."""
    return _boxed(code, node, "BPE")


def pbo(code: str, node: str) -> Piece:
    """Give a PBO in a chamber, with its cassette."""
    return _boxed(code, node, "PBO")


def _boxed(code: str, node: str, typelog: str) -> Piece:
    chamber, ebp = box(code, node, typelog)
    return {"ptech": [chamber], "ebp": [ebp], "cassette": [{"cs_code": f"CS{code}", "cs_bp_code": code}]}


def cable(
    code: str, one: str, two: str, layer: str | None = "DI", *, fibres: int = 0, **more: object
) -> Piece:
    """Give a cable between two nodes; its fibres are <code>.1, <code>.2, ...; `line` is a list of points."""
    given = {
        "cb_nd1": one,
        "cb_nd2": two,
        "cb_typelog": layer,
        "cb_typephy": "C",
        "cb_capafo": fibres or None,
    }
    line = more.pop("line", None)
    shape = None if line is None else shapely.LineString(line)  # type: ignore[arg-type]
    return {
        "cable": [{"cb_code": code, "geometry": shape, **given, **more}],
        "fibre": [{"fo_code": f"{code}.{i}", "fo_cb_code": code} for i in range(1, fibres + 1)],
    }


def way(code: str, one: str | None, two: str | None, *cables: str, line: Points | None = None) -> Piece:
    """Give a way between two nodes and the cables that its keys say it carries."""
    shape = None if line is None else shapely.LineString(line)
    return {
        "cheminement": [{"cm_code": code, "cm_ndcode1": one, "cm_ndcode2": two, "geometry": shape}],
        "cab_chem": [{"cc_cb_code": carried, "cc_cm_code": code} for carried in cables],
    }


def splice(box_code: str, one: str, two: str) -> Piece:
    """Splice two fibres in a box."""
    return {"position": [{"ps_1": one, "ps_2": two, "ps_cs_code": f"CS{box_code}", "ps_fonct": "EP"}]}


def wait(box_code: str, *fibres: str) -> Piece:
    """Leave fibres waiting in a box."""
    return {
        "position": [{"ps_1": fibre, "ps_cs_code": f"CS{box_code}", "ps_fonct": "AT"} for fibre in fibres]
    }


def patch(room_code: str, *fibres: str) -> Piece:
    """End fibres at the drawer of a room."""
    return {
        "position": [{"ps_1": fibre, "ps_ti_code": f"TI{room_code}", "ps_fonct": "CO"} for fibre in fibres]
    }


def prises(box_code: str | None, *codes: str, **more: object) -> Piece:
    """Give homes that name this PBO."""
    return {"premise": [{"code": code, "type": "RES", "bp_code": box_code, **more} for code in codes]}


def losses(routes: Routes, network: Network) -> pd.DataFrame:
    """Give cut, cut_max and stranded of every asset, by (kind, code)."""
    nominal, physical = (index_graph(g, g.prises[:, None]) for g in (routes.nominal, routes.physical))
    return pd.DataFrame(
        {
            "cut": losses_of_assets(nominal)[:, 0],
            "cut_max": maximal_losses_of_assets(nominal)[:, 0],
            "stranded": losses_of_assets(physical)[:, 0],
        },
        index=pd.MultiIndex.from_frame(network.assets[["kind", "code"]]),
    )


def assert_losses(
    routes: Routes, network: Network, judged: Callable[..., int], groups: Sequence[Sequence[int]]
) -> None:
    """Hold the losses of each asset alone, and of groups of assets, against a judge.

    ``judged((kind, code), ..., physical=True)`` gives what these strand when they fail together, else cut.
    """
    found = losses(routes, network)
    labels = found.index.tolist()
    alone = zip(found["cut"], found["stranded"], strict=True)
    assert dict(zip(labels, alone, strict=True)) == {
        label: (judged(label, physical=False), judged(label, physical=True)) for label in labels
    }
    assert ((found["stranded"] <= found["cut"]) & (found["cut"] <= found["cut_max"])).all()
    sets = [tuple(labels[asset] for asset in group) for group in groups]
    together = zip(*losses_of_groups(routes, groups), strict=True)
    assert dict(zip(sets, together, strict=True)) == {
        gone: (judged(*gone, physical=False), judged(*gone, physical=True)) for gone in sets
    }


def groups_of(n_assets: int) -> st.SearchStrategy[list[list[int]]]:
    """Draw pairs of assets, and larger groups."""
    asset = st.integers(0, n_assets - 1)
    pairs = st.lists(st.lists(asset, min_size=2, max_size=2), min_size=6, max_size=6)
    larger = st.lists(st.lists(asset, min_size=3, max_size=6), min_size=3, max_size=3)
    return st.tuples(pairs, larger).map(lambda drawn: drawn[0] + drawn[1])


def losses_of_groups(routes: Routes, groups: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Give the prises that each group of assets cuts, and those that it strands."""
    indptr = np.cumsum([0, *(len(group) for group in groups)])
    assets = np.array([asset for group in groups for asset in group], np.int64)
    cut, stranded = (
        losses_of_sets(index_graph(graph, graph.prises[:, None]), indptr, assets)[:, 0].tolist()
        for graph in (routes.nominal, routes.physical)
    )
    return cut, stranded
