"""Which other way exists around one object, and why it counts or does not."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gracethd.service import ServiceGraph
from resilience.alternatives import cables_of_edges, without
from resilience.explain.case import Case, upstream_of
from resilience.explain.words import codes_of, count
from resilience.spanning import Bool, Int

Ways = list[tuple[NDArray[np.int64], str]]


def other_ways(case: Case, prises: gpd.GeoDataFrame, carried: NDArray[np.int64]) -> tuple[Ways, list[str]]:
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
            f"prises non coupées, qui gardent une autre route active sans lui : {count(prises, 'secourue')}, "
            f"par {codes_of(case, cables)}"
        )
    if (prises["fate"] == "coupée").any():
        cables = np.setdiff1d(_route_without(case, case.physical, "coupée", prises), used)
        found.append((cables, "ne compte pas : demande une reprise d'épissure ou de brassage"))
        through = f" par {codes_of(case, cables)}" if len(cables) else " sur les mêmes câbles"
        words.append(
            f"prises coupées qui pourraient être reprises{through} : {count(prises, 'coupée')} ; cette "
            "alternative ne compte pas, aucune épissure ni aucun brassage ne l'emprunte aujourd'hui"
        )
    if (prises["fate"] == "isolée").any():
        more, said = _false_ways(case, np.concatenate([carried, used]))
        found += more
        words += said
    if (prises["fate"] == "incertaine").any():
        words.append(
            f"prises de plus qui peuvent en dépendre : {count(prises, 'incertaine')} ; les données ne disent "
            "pas lequel de plusieurs chemins est éclairé"
        )
    return found, words


def _cables_behind(case: Case) -> NDArray[np.int64]:
    """Give the cables that serve today what hangs on the object, up to the feeds."""
    graph = case.nominal
    cable = cables_of_edges(graph, case.network)
    inside = case.behind[graph.tail] | case.behind[graph.head]
    return np.unique(np.concatenate([cable[inside & (cable >= 0)], upstream_of(case)]))


def _route_without(case: Case, graph: ServiceGraph, fate: str, prises: gpd.GeoDataFrame) -> NDArray[np.int64]:
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


def _false_ways(case: Case, known: NDArray[np.int64]) -> tuple[Ways, list[str]]:
    """Say why what is stranded has no other way: cables that fall together, layers that do not meet.

    `known` are the cables that serve it today or fail with the object: no other ways.
    """
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
            f"{len(joining)} câbles relient ce qui est isolé au reste du réseau ({codes_of(case, joining)}), "
            "mais tous passent par l'objet ou s'y terminent : ils tombent ensemble"
        )
    elif len(joining) == 1:
        words.append(f"un seul câble relie ce qui est isolé au reste du réseau : {codes_of(case, joining)}")
    else:
        words.append("aucun autre câble ne relie ce qui est isolé au reste du réseau")
    places, passing = _other_layers(case, gone, cable)
    passing = np.setdiff1d(passing, np.concatenate([joining, known]))
    if len(passing):
        found.append((passing, "ne compte pas : autre couche, ne se raccorde pas en ce lieu"))
        words.append(
            f"{codes_of(case, passing)} {'passent' if len(passing) > 1 else 'passe'} aux mêmes lieux "
            f"({codes_of(case, places)}) dans une autre "
            "couche : les couches ne se raccordent que dans les locaux techniques"
        )
    return found, words


def _other_layers(case: Case, gone: Bool, cable: Int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
