"""One object explained: what hangs on it, through what, and which other way exists but does not count.

For the engineer who does not believe a line of the SPOF list, and the analyst who wants its sub-network as
layers.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gracethd.errors import GraceTHDError
from gracethd.network.types import Network
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import cables_of_edges, without
from resilience.losses import (
    LossIndex,
    index_graph,
    lost_vertices,
    vertices_behind,
    vertices_maybe_lost,
)
from resilience.shared_risk import risk_groups, with_groups
from resilience.spanning import Bool, Int

FATES = ("isolée", "coupée", "incertaine", "secourue")
ROLES = ("objet", "membre", "porté", "amont", "aval", "secours")
SHOWN_CODES = 8
_NEAR_CODES = 5
_COMPARED = 20_000  # codes compared with one that is unknown; nearest first by common beginning


@dataclass(frozen=True)
class Explanation:
    """What one object cuts, and why nothing replaces it.

    Attributes
    ----------
    label : str
        ``kind:code``.
    lines : tuple of str
        The explanation in words, in French.
    objects : GeoDataFrame
        The sub-network: role (of `ROLES`), reason, kind, code, libelle, segment, prises_cut, prises_stranded,
        geometry; in the order of roles, then from the feed down (amont), else by kind and code.

        - objet: the object itself; membre: of a group; porté: cables that fail with it;
        - amont: cables, rooms and closures between a feed and it; aval: those that lose service with it;
        - secours: cables of another way, and in `reason` whether it counts.
    prises : GeoDataFrame
        What hangs on it: code, n, pbo, pm, nro, fate (of `FATES`), geometry (points). isolée: no way at all
        remains (D8); coupée: cut, but a re-splicing would restore it; incertaine: one of several possible
        routes (D7); secourue: another active route remains (D12).
    """

    label: str
    lines: tuple[str, ...]
    objects: gpd.GeoDataFrame
    prises: gpd.GeoDataFrame


def explain(
    network: Network,
    routes: Routes,
    table: gpd.GeoDataFrame,
    label: str,
    tables: Mapping[str, pd.DataFrame],
) -> Explanation:
    """Explain one object of the SPOF table.

    Parameters
    ----------
    network : Network
    routes : Routes
    table : GeoDataFrame
        The full table of `resilience.spof.spof`.
    label : str
        ``kind:code``, as ``cable:CB012``.
    tables : mapping of str to DataFrame
        Those that `table` was made with.

    Raises
    ------
    GraceTHDError
        When there is no such object; the message proposes the nearest codes.

    Examples
    --------
    >>> told = explain(network, routes, spof(network, routes, {}), "cable:CB012", {})  # doctest: +SKIP
    >>> told.lines[0]  # doctest: +SKIP
    """
    asset = find_asset(table, label)
    groups = risk_groups(network, tables)
    case = _case(network, routes, table, asset, groups)
    prises = _prises(case)
    members = np.sort(groups.loc[groups["number"] == asset, "asset"].to_numpy())
    carried = _carried(case)
    upstream = _upstream(case)
    downstream = np.setdiff1d(_downstream(case), np.concatenate([carried, members, upstream, [asset]]))
    other, words = _other_ways(case, prises, carried)
    parts = [
        ("objet", np.array([asset]), ""),
        ("membre", members, ""),
        ("porté", np.setdiff1d(carried, np.array([asset])), "tombe avec l'objet"),
        ("amont", upstream, ""),
        ("aval", downstream, ""),
        *(("secours", cables, reason) for cables, reason in other),
    ]
    lines = [
        *_what(case, prises),
        *_through(case, members, carried),
        *_from(case, upstream),
        *words,
        *_context(table.loc[[asset]].iloc[0]),
    ]
    return Explanation(label, tuple(lines), _objects(table, parts), prises)


def find_asset(table: pd.DataFrame, label: str) -> int:
    """Give the asset number of ``kind:code``.

    Raises
    ------
    GraceTHDError
        When there is none; the message proposes the nearest codes, and the kinds where the code exists.
    """
    kind, colon, code = label.partition(":")
    kinds = sorted(set(table["kind"]))
    if not colon or kind not in kinds:
        raise GraceTHDError(f"--asset {label!r}: KIND:CODE is expected, with a kind among {', '.join(kinds)}")
    rows = table.index[(table["kind"] == kind) & (table["code"] == code)]
    if len(rows):
        return int(rows[0])
    elsewhere = sorted(set(table.loc[table["code"] == code, "kind"]))
    if elsewhere:
        named = ", ".join(f"{other}:{code}" for other in elsewhere)
        raise GraceTHDError(f"--asset {label!r}: no such {kind}; the code exists as {named}")
    near = _near_codes(code, table.loc[table["kind"] == kind, "code"])
    cure = (
        f"the nearest codes are {', '.join(f'{kind}:{other}' for other in near)}"
        if near
        else (f"no code of a {kind} is near it")
    )
    raise GraceTHDError(f"--asset {label!r}: no such {kind}; {cure}")


@dataclass(frozen=True)
class _Case:
    """One object in both graphs: which vertices it cuts, strands, may cut, and has behind it."""

    network: Network
    routes: Routes
    table: gpd.GeoDataFrame
    asset: int
    nominal: ServiceGraph
    physical: ServiceGraph
    index: LossIndex
    cut: Bool
    maybe: Bool
    behind: Bool
    stranded: Bool
    served: Bool


def _case(
    network: Network, routes: Routes, table: gpd.GeoDataFrame, asset: int, groups: pd.DataFrame
) -> _Case:
    nominal, physical = (with_groups(graph, groups) for graph in (routes.nominal, routes.physical))
    alone = np.array([asset])
    index = index_graph(nominal, nominal.prises)
    possible = index_graph(physical, physical.prises)
    return _Case(
        network,
        routes,
        table,
        asset,
        nominal,
        physical,
        index,
        cut=lost_vertices(index, alone),
        maybe=vertices_maybe_lost(index, alone),
        behind=vertices_behind(index, alone),
        stranded=lost_vertices(possible, alone),
        served=possible.tree.position >= 0,
    )


def _prises(case: _Case) -> gpd.GeoDataFrame:
    """List what hangs on the object, each premise with its fate."""
    prises = case.routes.prises[case.routes.prises["vertex_nominal"] >= 0]
    nominal, physical = prises["vertex_nominal"].to_numpy(), prises["vertex_physical"].to_numpy()
    stranded = case.stranded[physical] & (physical >= 0)
    fate = np.select(
        [stranded, case.cut[nominal], case.maybe[nominal], case.behind[nominal]], list(FATES), ""
    )
    hangs = prises.assign(fate=fate)[fate != ""]
    order = hangs["fate"].map({name: i for i, name in enumerate(FATES)})
    hangs = hangs.assign(order=order).sort_values(["order", "code"], kind="stable")
    places = gpd.points_from_xy(hangs["x"], hangs["y"])
    names = ["code", "n", "pbo", "pm", "nro", "fate"]
    return gpd.GeoDataFrame(hangs[names].reset_index(drop=True), geometry=places, crs=case.network.assets.crs)


def _elements(case: _Case) -> tuple[Int, Int]:
    """Give the vertices and the edges of the nominal graph that the object owns."""
    graph = case.nominal
    return graph.vertex_of[graph.vertex_asset == case.asset], graph.edge_of[graph.edge_asset == case.asset]


def _carried(case: _Case) -> NDArray[np.int64]:
    """Give the cables that fail with the object."""
    cable = cables_of_edges(case.nominal, case.network)[_elements(case)[1]]
    return np.unique(cable[cable >= 0]).astype(np.int64)


def _upstream(case: _Case) -> NDArray[np.int64]:
    """Give the cables, rooms and closures between a feed and the object, from the feed down."""
    tree = case.index.tree
    vertices, edges = _elements(case)
    below = tree.edge_child[edges]
    spots = [*tree.position[vertices].tolist(), *tree.parent[below[below > 0]].tolist()]
    spots = [spot for spot in spots if spot >= 0]
    if not spots:
        return np.empty(0, np.int64)
    at = min(spots, key=lambda spot: (tree.depth[spot], spot))
    path = [at]
    while tree.parent[path[-1]] >= 0:
        path.append(int(tree.parent[path[-1]]))
    vertex_at = np.empty(len(tree.end), np.int32)
    reached = np.flatnonzero(tree.position >= 0)
    vertex_at[tree.position[reached]] = reached
    edge_above = np.full(len(tree.end), -1, np.int32)
    on_tree = np.flatnonzero(tree.edge_child > 0)
    edge_above[tree.edge_child[on_tree]] = on_tree
    cable = cables_of_edges(case.nominal, case.network)
    shown = _equipment(case.nominal, case.network)
    found: list[int] = []
    for spot in reversed(path):
        edge = edge_above[spot]
        found += [int(cable[edge])] if edge >= 0 and cable[edge] >= 0 else []
        found += shown.get(int(vertex_at[spot]), [])
    once = list(dict.fromkeys(found))
    return np.array([asset for asset in once if asset != case.asset], np.int64)


def _downstream(case: _Case) -> NDArray[np.int64]:
    """Give the cables, rooms and closures that lose service with the object."""
    graph = case.nominal
    cable = cables_of_edges(graph, case.network)
    touched = (case.cut[graph.tail] | case.cut[graph.head]) & (cable >= 0)
    kind = case.table["kind"].reindex(graph.vertex_asset)
    shown = case.cut[graph.vertex_of] & kind.isin(("ebp", "local")).to_numpy()
    return np.unique(np.concatenate([cable[touched], graph.vertex_asset[shown]])).astype(np.int64)


def _equipment(graph: ServiceGraph, network: Network) -> dict[int, list[int]]:
    """Give the rooms and closures that stand at each vertex."""
    kind = network.assets["kind"].reindex(graph.vertex_asset)
    shown = kind.isin(("ebp", "local")).to_numpy()
    by_vertex: dict[int, list[int]] = {}
    for vertex, asset in zip(
        graph.vertex_of[shown].tolist(), graph.vertex_asset[shown].tolist(), strict=True
    ):
        by_vertex.setdefault(vertex, []).append(asset)
    return by_vertex


Ways = list[tuple[NDArray[np.int64], str]]


def _other_ways(case: _Case, prises: gpd.GeoDataFrame, carried: NDArray[np.int64]) -> tuple[Ways, list[str]]:
    """Find the cables of other ways, each with the reason why it counts or not, and say it."""
    found: Ways = []
    words: list[str] = []
    used = _cables_behind(case)
    if (prises["fate"] == "secourue").any():
        cables = np.setdiff1d(_route_without(case, case.nominal, "secourue", prises), carried)
        # what cuts prises alone is on every route: only the rest is the other way
        cables = cables[(case.table.loc[cables, "prises_cut"] == 0).to_numpy()]
        found.append((cables, "compte : route active aujourd'hui"))
        words.append(
            f"{_count(prises, 'secourue')} prises gardent une autre route active sans lui, par "
            f"{_codes(case, cables)} : elles ne sont pas coupées"
        )
    if (prises["fate"] == "coupée").any():
        cables = np.setdiff1d(_route_without(case, case.physical, "coupée", prises), used)
        found.append((cables, "ne compte pas : demande une reprise d'épissure ou de brassage"))
        through = f" par {_codes(case, cables)}" if len(cables) else " sur les mêmes câbles"
        words.append(
            f"{_count(prises, 'coupée')} prises coupées pourraient être reprises{through} : cette "
            "alternative ne compte pas, aucune épissure ni aucun brassage ne l'emprunte aujourd'hui"
        )
    if (prises["fate"] == "isolée").any():
        more, said = _false_ways(case, carried)
        found += more
        words += said
    if (prises["fate"] == "incertaine").any():
        words.append(
            f"{_count(prises, 'incertaine')} prises de plus peuvent en dépendre : les données ne disent pas "
            "lequel de plusieurs chemins est éclairé"
        )
    return found, words


def _cables_behind(case: _Case) -> NDArray[np.int64]:
    """Give the cables that serve today what hangs on the object, up to the feeds."""
    graph = case.nominal
    cable = cables_of_edges(graph, case.network)
    inside = case.behind[graph.tail] | case.behind[graph.head]
    return np.unique(np.concatenate([cable[inside & (cable >= 0)], _upstream(case)]))


def _route_without(
    case: _Case, graph: ServiceGraph, fate: str, prises: gpd.GeoDataFrame
) -> NDArray[np.int64]:
    """Give the cables of a shortest way to the largest group of such prises, the object being out."""
    every = case.routes.prises.drop_duplicates("code").set_index("code")
    column = "vertex_nominal" if graph is case.nominal else "vertex_physical"
    rows = prises[prises["fate"] == fate]
    vertex = every[column].reindex(rows["code"]).to_numpy(np.int64)
    total = pd.Series(rows["n"].to_numpy(), index=vertex).groupby(level=0).sum()
    target = int(total.sort_values(ascending=False, kind="stable").index[0])
    kept = without(graph, case.asset)
    edges = shortest_way(graph, kept, target)
    cable = cables_of_edges(graph, case.network)[edges]
    return np.unique(cable[cable >= 0]).astype(np.int64)


def shortest_way(graph: ServiceGraph, kept: Bool, target: int) -> Int:
    """Give the edges of a way of fewest edges from the root to a vertex, from the root down.

    Parameters
    ----------
    graph : ServiceGraph
    kept : (n_edges,) bool
        Edges that may be taken; of parallel ones the first is.
    target : int
        Vertex.

    Returns
    -------
    (n,) int32
        Empty where there is no way.
    """
    used = np.flatnonzero(kept & (graph.tail != graph.head))
    low, high = np.minimum(graph.tail, graph.head)[used], np.maximum(graph.tail, graph.head)[used]
    key = low.astype(np.int64) * graph.n_vertices + high
    pairs, first = np.unique(key, return_index=True)
    edge = used[first]
    shape = (graph.n_vertices, graph.n_vertices)
    matrix = sparse.csr_array((np.ones(len(edge), np.int8), (low[first], high[first])), shape=shape)
    _, above = csgraph.breadth_first_order(matrix, 0, directed=False)
    way: list[int] = []
    while target != 0 and above[target] >= 0:
        before = int(above[target])
        at = np.searchsorted(pairs, min(before, target) * graph.n_vertices + max(before, target))
        way.append(int(edge[at]))
        target = before
    return np.array(way[::-1] if target == 0 else [], np.int32)


def _false_ways(case: _Case, carried: NDArray[np.int64]) -> tuple[Ways, list[str]]:
    """Say why what is stranded has no other way: cables that fall together, layers that do not meet."""
    graph, network = case.physical, case.network
    gone = case.stranded.copy()
    own = graph.vertex_of[graph.vertex_asset == case.asset]
    gone[own] = True
    gone[0] = False
    cable = cables_of_edges(graph, network)
    border = (gone[graph.tail] != gone[graph.head]) & case.served[graph.tail] & case.served[graph.head]
    joining = np.unique(cable[border & (cable >= 0)]).astype(np.int64)
    found: Ways = []
    words: list[str] = []
    if len(joining) > 1:
        together = np.setdiff1d(joining, np.array([case.asset]))
        found.append((together, "ne compte pas : tombe avec l'objet"))
        words.append(
            f"{len(joining)} câbles relient ce qui est isolé au reste du réseau ({_codes(case, joining)}), "
            "mais tous passent par l'objet ou s'y terminent : ils tombent ensemble"
        )
    elif len(joining) == 1:
        words.append(f"un seul câble relie ce qui est isolé au reste du réseau : {_codes(case, joining)}")
    else:
        words.append("aucun autre câble ne relie ce qui est isolé au reste du réseau")
    places, passing = _other_layers(case, gone, cable)
    passing = np.setdiff1d(passing, np.concatenate([joining, carried]))
    if len(passing):
        found.append((passing, "ne compte pas : autre couche, ne se raccorde pas en ce lieu"))
        words.append(
            f"{_codes(case, passing)} passe(nt) aux mêmes lieux ({_codes(case, places)}) dans une autre "
            "couche : les couches ne se raccordent que dans les locaux techniques"
        )
    return found, words


def _other_layers(case: _Case, gone: Bool, cable: Int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the places where what is lost and what is not stand together unjoined, and the cables there."""
    graph = case.physical
    is_place = (case.table["kind"].reindex(graph.vertex_asset) == "noeud").to_numpy()
    place, vertex = graph.vertex_asset[is_place], graph.vertex_of[is_place]
    still = case.served[vertex] & ~gone[vertex]
    both = np.intersect1d(place[case.stranded[vertex]], place[still])
    both = both[both != case.asset]
    beside = np.zeros(graph.n_vertices, np.bool_)
    beside[vertex[still & np.isin(place, both)]] = True
    touching = (beside[graph.tail] | beside[graph.head]) & (cable >= 0)
    return both.astype(np.int64), np.unique(cable[touching]).astype(np.int64)


def _what(case: _Case, prises: gpd.GeoDataFrame) -> list[str]:
    row = case.table.loc[[case.asset]].iloc[0]
    named = f" ({row['libelle']})" if row["libelle"] and row["libelle"] != row["code"] else ""
    layer = f", {row['segment']}" if row["segment"] else ""
    head = (
        f"{row['kind']}:{row['code']}{named}{layer} : {row['prises_cut']} prises coupées, "
        f"{row['prises_stranded']} isolées, {row['prises_cut_max']} au plus ; {row['n_pm']} PM et "
        f"{row['n_nro']} NRO coupés"
    )
    lines = [head]
    if prises.empty:
        if not int(case.nominal.prises.sum()):
            return [*lines, "aucune prise n'est tracée dans cet inventaire : rien ne peut en dépendre"]
        spots, edges = _elements(case)
        tree = case.index.tree
        reached = (tree.position[spots] >= 0).any() or (tree.edge_child[edges] != -2).any()
        return [
            *lines,
            "aucune prise tracée n'en dépend : il ne mène à aucune"
            if reached
            else "aucun point d'injection n'y mène : il est dans une partie séparée ou sans service",
        ]
    lost = prises[prises["fate"].isin(("isolée", "coupée"))]
    hang = lost if len(lost) else prises
    for name, column in (("PBO", "pbo"), ("PM", "pm"), ("NRO", "nro")):
        codes = sorted(set(hang[column]) - {""})
        lines.append(
            f"{'derrière lui' if len(lost) else 'passent par lui'}, {len(codes)} {name} : {_list(codes)}"
        )
    return lines


def _through(case: _Case, members: NDArray[np.int64], carried: NDArray[np.int64]) -> list[str]:
    lines = []
    if len(members):
        lines.append(f"groupe de {len(members)} objets : {_codes(case, members)}")
    others = carried[carried != case.asset]
    if len(others):
        uses = case.network.uses
        drawn = uses[(uses["carrier"] == case.asset) & (uses["source"] == "geometry")]["carried"]
        by_line = np.intersect1d(others, drawn.to_numpy(np.int64))
        lines.append(
            f"par {len(others)} câbles qui tombent avec lui : {_codes(case, others)}"
            + (f" ({len(by_line)} par géométrie seule : {_codes(case, by_line)})" if len(by_line) else "")
        )
    return lines


def _from(case: _Case, upstream: NDArray[np.int64]) -> list[str]:
    if not len(upstream):
        return []
    codes = (case.table["kind"] + ":" + case.table["code"]).reindex(upstream).tolist()
    shown = codes if len(codes) <= 2 * SHOWN_CODES else [*codes[:SHOWN_CODES], "…", *codes[-SHOWN_CODES:]]
    return ["depuis l'injection : " + " → ".join(shown)]


def _context(row: pd.Series) -> list[str]:
    lines = []
    if not pd.isna(row["n_alternatives"]):
        lines.append(f"chemins disjoints par câble qui restent sans lui, au moins : {row['n_alternatives']}")
    if row["srlg"]:
        lines.append(f"plus petit risque partagé qui coupe davantage : {row['srlg']}")
    if row["serie"]:
        lines.append(f"série : {row['serie']}")
    if row["same_as"]:
        lines.append(f"même lieu, mêmes pertes : {row['same_as']}")
    return lines


def _objects(
    table: gpd.GeoDataFrame, parts: Iterable[tuple[str, NDArray[np.int64], str]]
) -> gpd.GeoDataFrame:
    names = ["kind", "code", "libelle", "segment", "prises_cut", "prises_stranded", "geometry"]
    frames = []
    for role, assets, reason in parts:
        rows = table.loc[assets, names]
        if role != "amont":
            rows = rows.sort_values(["kind", "code"])
        rows.insert(0, "role", role)
        rows.insert(1, "reason", reason)
        frames.append(rows)
    out = pd.concat(frames)
    out.attrs = {}
    return gpd.GeoDataFrame(out, geometry="geometry", crs=table.crs)


def _count(prises: pd.DataFrame, fate: str) -> int:
    return int(prises.loc[prises["fate"] == fate, "n"].sum())


def _codes(case: _Case, assets: NDArray[np.int64]) -> str:
    return _list(sorted(case.table.loc[assets, "code"]))


def _list(codes: list[str]) -> str:
    more = len(codes) - SHOWN_CODES
    return ", ".join(codes[:SHOWN_CODES]) + (f" et {more} autres" if more > 0 else "")


def _near_codes(code: str, known: pd.Series) -> list[str]:
    """Give the codes nearest to one that does not exist, among those that begin most alike."""
    for length in range(min(len(code), 6), -1, -1):
        near = known[known.str.startswith(code[:length])] if length else known
        found = difflib.get_close_matches(code, sorted(near)[:_COMPARED], n=_NEAR_CODES, cutoff=0.5)
        if found:
            return found
    return []
