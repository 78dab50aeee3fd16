"""The network as the page needs it to say what fails with what: drawn together around what it lists.

Where no listed object can fail, what is connected stays so: such parts become one node. What is left is small
enough for a browser, and says of any set of listed objects exactly what the whole network says.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.connected import connected_parts
from gracethd.service import ServiceGraph

Long = NDArray[np.int64]


@dataclass(frozen=True)
class Contracted:
    """A network around some objects.

    Attributes
    ----------
    root : int
        Node from which all are served.
    n_nodes : int
        All of them served today.
    tail, head : (n_edges,) int64
        Nodes at the ends of each edge.
    node_object, node_of : (n,) int64
        Failing object ``node_object[i]`` (a place in the list) takes node ``node_of[i]`` away.
    edge_object, edge_of : (n,) int64
        And edges.
    groups : tuple of str
        In alphabetical order, as pandas sorts them.
    node, group, prises : (n,) int64
        Traced prises of each group (a place in `groups`) at each node.
    """

    root: int
    n_nodes: int
    tail: Long
    head: Long
    node_object: Long
    node_of: Long
    edge_object: Long
    edge_of: Long
    groups: tuple[str, ...]
    node: Long
    group: Long
    prises: Long


@dataclass(frozen=True)
class Failures:
    """A network around the objects of a list, and the row of each of them.

    Attributes
    ----------
    net : Contracted
    rows : tuple of int
    codes : tuple of str
    """

    net: Contracted
    rows: tuple[int, ...]
    codes: tuple[str, ...]


def contracted(
    graph: ServiceGraph, prises: pd.DataFrame, objects: NDArray[np.integer], by: str
) -> Contracted:
    """Draw a network together around some objects.

    Parameters
    ----------
    graph : ServiceGraph
        The nominal one.
    prises : DataFrame
        ``Routes.prises``: vertex_nominal, n and the column `by`.
    objects : (n_objects,) int
        Assets that may fail, each once.
    by : str
        Column that tells the group of a prise ("pm").
    """
    place = np.full(graph.n_assets, -1, np.int64)
    place[objects] = np.arange(len(objects))
    at_vertex, at_edge = place[graph.vertex_asset], place[graph.edge_asset]
    may_fall = (at_vertex >= 0) & (graph.vertex_of != 0)  # the root stands for the backbone
    vertex_of, vertex_object = graph.vertex_of[may_fall], at_vertex[may_fall]
    edge_of, edge_object = graph.edge_of[at_edge >= 0], at_edge[at_edge >= 0]
    falls = np.zeros(graph.n_vertices, np.bool_)
    falls[vertex_of] = True
    breaks = np.zeros(len(graph.tail), np.bool_)
    breaks[edge_of] = True
    stays = ~breaks & ~falls[graph.tail] & ~falls[graph.head]
    label = connected_parts(graph.n_vertices, graph.tail[stays], graph.head[stays])
    tail, head = label[graph.tail], label[graph.head]
    # parts that are served today, numbered anew
    served = connected_parts(int(label.max()) + 1, tail, head)
    is_served = served == served[label[0]]
    number = np.where(is_served, np.cumsum(is_served) - 1, -1)
    kept = np.flatnonzero(~stays & (tail != head) & is_served[tail])
    edge_number = np.full(len(graph.tail), -1, np.int64)
    edge_number[kept] = np.arange(len(kept))
    owned = edge_number[edge_of] >= 0
    fallen = number[label[vertex_of]]
    traced = prises[prises["vertex_nominal"] >= 0]
    node = number[label[traced["vertex_nominal"].to_numpy(np.int64)]]
    group, names = pd.factorize(traced[by].fillna("").astype(str), sort=True)
    counted = pd.DataFrame({"node": node, "group": group, "n": traced["n"].to_numpy(np.int64)})
    sums = counted[counted["node"] >= 0].groupby(["node", "group"], as_index=False)["n"].sum()
    return Contracted(
        root=int(number[label[0]]),
        n_nodes=int(is_served.sum()),
        tail=number[tail[kept]],
        head=number[head[kept]],
        node_object=vertex_object[fallen >= 0],
        node_of=fallen[fallen >= 0],
        edge_object=edge_object[owned],
        edge_of=edge_number[edge_of[owned]],
        groups=tuple(str(name) for name in names),
        node=sums["node"].to_numpy(np.int64),
        group=sums["group"].to_numpy(np.int64),
        prises=sums["n"].to_numpy(np.int64),
    )


def listed_failures(
    graph: ServiceGraph, prises: pd.DataFrame, assets: pd.DataFrame, listed: pd.DataFrame, most: int
) -> Failures:
    """Draw the network together around the first objects of a list.

    Parameters
    ----------
    graph, prises
        As `contracted` takes them; groups are PM.
    assets : DataFrame
        ``Network.assets``: kind, code.
    listed : DataFrame
        kind and code of what may fail, the first `most` rows; a group of assets (a bridge) is left out.
    most : int
    """
    named = pd.MultiIndex.from_frame(listed[["kind", "code"]].head(most).astype(object))
    known = assets[assets["code"].isin(named.get_level_values(1))]
    number = pd.Series(known.index, index=pd.MultiIndex.from_frame(known[["kind", "code"]].astype(object)))
    found = number.reindex(named).to_numpy(np.float64)
    rows = np.flatnonzero(~np.isnan(found))
    net = contracted(graph, prises, found[rows].astype(np.int64), "pm")
    return Failures(net, tuple(rows.tolist()), tuple(named.get_level_values(1)[rows].astype(str)))
