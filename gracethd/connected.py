"""What hangs together: the connected parts of a graph given by the ends of its edges."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Ends = NDArray[np.integer]


def connected_parts(n: int, one: Ends, two: Ends) -> NDArray[np.int32]:
    """Give the number of the connected part of each vertex, (n,) int32, from 0 on.

    Parameters
    ----------
    n : int
        Vertices, numbered from 0.
    one, two : (n_edges,) int
        Vertices at both ends of each edge.

    Examples
    --------
    >>> connected_parts(4, np.array([0, 3]), np.array([1, 1])).tolist()
    [0, 0, 1, 0]
    """
    graph = sparse.coo_array((np.ones(len(one), np.int8), (one, two)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)
