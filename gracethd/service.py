"""The rooted graph on which every loss is computed: who is served through what."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int32]


@dataclass(frozen=True)
class ServiceGraph:
    """An undirected multigraph rooted at the feeds, whose parts fail with assets.

    A prise standing at a vertex is served while that vertex is connected to the root. The root (vertex 0)
    is a super-source joined to every feed by edges that no asset owns: it stands for the national
    backbone and cannot fail. Two graphs of this type tell the two losses of DESIGN: the *nominal* one,
    with the splices of today (prises_cut, D7), and the *physical* one, where cables of one layer can be
    re-spliced wherever they end (prises_stranded, D8).

    Attributes
    ----------
    n_vertices, n_assets : int
        Vertex and asset numbers run from 0; assets are the rows of ``Network.assets``.
    tail, head : (n_edges,) int32
        The ends of each edge. Parallel edges and self-loops may occur.
    ambiguous : (n_edges,) bool
        True where several paths through the edge are uncertainty about the lit one, and False where they
        are redundancy (several collecte paths, several spliced paths).
    vertex_asset, vertex_of : (n_vertex_links,) int32
        Failing asset ``vertex_asset[i]`` removes vertex ``vertex_of[i]``.
    edge_asset, edge_of : (n_edge_links,) int32
        Failing asset ``edge_asset[i]`` removes edge ``edge_of[i]``.
    possible_asset, possible_vertex : (n_possible,) int32
        The asset may stand on the way to the vertex, at a place where the order of openings is unknown
        (D9): counted in prises_cut_max for the vertex and all that hangs behind it, never in prises_cut.
    prises : (n_vertices,) int64
        Traced prises that stand at each vertex.
    """

    n_vertices: int
    n_assets: int
    tail: Int
    head: Int
    ambiguous: NDArray[np.bool_]
    vertex_asset: Int
    vertex_of: Int
    edge_asset: Int
    edge_of: Int
    possible_asset: Int
    possible_vertex: Int
    prises: NDArray[np.int64]
