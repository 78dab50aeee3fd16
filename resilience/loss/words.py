"""Many failed assets at once: 64 states in each machine word, walked down the spanning tree together.

For `resilience.loss.events`, where states are dense. `resilience.losses.losses_of_sets` costs what is cut;
when most of a network is cut it is faster to walk it whole, once for 64 states: bit s of a word tells whether
a vertex is reached in state s. Both give the same integers.
"""

import numpy as np
from numpy.typing import NDArray

from gracethd.compiled import compiled
from resilience.losses import LossIndex

UInt64 = NDArray[np.uint64]
Int = NDArray[np.int32]
Long = NDArray[np.int64]
ELEMENT_COST = 200
"""What one failed element costs when it is cut, in vertices walked for one of 64 states; measured."""
_BITS = 64
_EVERY = np.uint64(2**64 - 1)
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # Leiserson, Prokop and Randall 1998


def is_dense(index: LossIndex, indptr: Long, assets: Int) -> bool:
    """Tell whether the sets are large enough for `losses_in_words` to be the faster way."""
    n_sets = len(indptr) - 1
    if n_sets < _BITS // 2:
        return False
    elements = int(np.diff(index.owned.ptr)[assets].sum())
    return elements * ELEMENT_COST > n_sets * len(index.tree.end)


def losses_in_words(index: LossIndex, indptr: Long, assets: Int) -> Long:
    """Give what `resilience.losses.losses_of_sets` gives, 64 sets at a time.

    Parameters
    ----------
    index : LossIndex
    indptr : (n_sets + 1,) int64
    assets : (indptr[-1],) int32

    Returns
    -------
    (n_sets, k) int64
    """
    tree, n = index.tree, len(index.tree.end)
    half = np.flatnonzero(tree.half_at < tree.half_to)
    ends = (tree.half_at[half].copy(), tree.half_to[half].copy())
    core = _core(tree.parent, *ends)
    # one word each: vertices by position, tree edges above the core, edges outside the tree, nothing.
    # Elsewhere light only comes down: a vertex and the edge above it fail alike and share a word.
    above = np.arange(n)
    above[core] = n + np.arange(len(core))
    first_loose = n + len(core)
    nowhere = first_loose + len(half)
    loose = np.full(index.n_edges, nowhere, np.int64)
    loose[tree.half_edge[half]] = first_loose + np.arange(len(half))
    slot = np.concatenate(
        [
            np.where(tree.position > 0, tree.position, nowhere),  # the root never fails
            np.where(tree.edge_child >= 0, above[np.maximum(tree.edge_child, 0)], loose),
        ]
    ).astype(np.int32)
    failing = (assets, index.owned.ptr, slot[index.owned.element])
    below = index.prefix[tree.end] - index.prefix[:-1]
    out = np.zeros((len(indptr) - 1, index.prefix.shape[1]), np.int64)
    works, reached = np.empty(nowhere + 1, np.uint64), np.empty(n, np.uint64)
    for first in range(0, len(out), _BITS):
        works.fill(_EVERY)
        _fail(indptr[first : first + _BITS + 1].astype(np.int64), failing, works)
        _reach_core(
            (tree.parent, *ends, core), (works[:n], works[n:first_loose], works[first_loose:]), reached
        )
        _sum_lost(tree.parent, core, works, reached, below, out[first : first + _BITS])
    return out


@compiled
def _fail(sets: Long, failing: tuple[Int, Int, Int], works: UInt64) -> None:
    """Take what fails in set s out of bit s of `works`."""
    assets, ptr, slot = failing
    most = 0
    for s in range(len(sets) - 1):
        n = 0
        for m in range(sets[s], sets[s + 1]):
            n += ptr[assets[m] + 1] - ptr[assets[m]]
        most = max(most, n)
    at = np.empty(most, np.int32)
    for s in range(len(sets) - 1):
        n = 0
        for m in range(sets[s], sets[s + 1]):
            for i in range(ptr[assets[m]], ptr[assets[m] + 1]):
                at[n] = slot[i]
                n += 1
        # a loop of its own: the processor then waits for many words of memory at once
        keep = ~(np.uint64(1) << np.uint64(s))
        for k in range(n):
            works[at[k]] &= keep


@compiled
def _core(parent: Int, loose_a: Int, loose_b: Int) -> Int:
    """List the positions between the root and the ends of edges outside the tree, ascending, root apart."""
    is_core = np.zeros(len(parent), np.bool_)
    is_core[loose_a] = True
    is_core[loose_b] = True
    for p in range(len(parent) - 1, 0, -1):
        if is_core[p]:
            is_core[parent[p]] = True
    is_core[0] = False
    return np.flatnonzero(is_core).astype(np.int32)


@compiled
def _reach_core(
    forest: tuple[Int, Int, Int, Int], works: tuple[UInt64, UInt64, UInt64], reached: UInt64
) -> None:
    """Tell, by position, in which sets the core is still reached: bit s for set s.

    Light comes back up the tree only from the ends of edges outside it: what lies elsewhere waits.
    """
    parent, loose_a, loose_b, core = forest
    stands, joined, crossed = works
    reached[0] = ~np.uint64(0)
    for k in range(len(core)):
        p = core[k]
        joined[k] &= stands[p]
        reached[p] = reached[parent[p]] & joined[k]
    for h in range(len(loose_a)):
        crossed[h] &= stands[loose_a[h]] & stands[loose_b[h]]
    is_changed = True
    while is_changed:
        is_changed = False
        for h in range(len(loose_a)):
            a, b = loose_a[h], loose_b[h]
            either = (reached[a] | reached[b]) & crossed[h]
            is_changed |= (either & ~(reached[a] & reached[b])) != 0
            reached[a] |= either
            reached[b] |= either
        for k in range(len(core) - 1, -1, -1):  # children come after their parents
            q = parent[core[k]]
            if q > 0:
                reached[q] |= reached[core[k]] & joined[k] & stands[q]
        for k in range(len(core)):
            reached[core[k]] |= reached[parent[core[k]]] & joined[k]


@compiled
def _sum_lost(parent: Int, core: Int, stands: UInt64, reached: UInt64, below: Long, out: Long) -> None:
    """Go down from the core and add up what each set does not reach.

    That is the subtrees where light stops, less those where it comes back.
    """
    number = np.zeros(64, np.int64)  # by the six bits that a de Bruijn sequence leaves on top
    for s in range(64):
        number[((np.uint64(1) << np.uint64(s)) * _DE_BRUIJN) >> np.uint64(58)] = s
    k = 0
    for p in range(1, len(parent)):
        around = reached[parent[p]]
        if k < len(core) and core[k] == p:
            k += 1
        else:
            reached[p] = around & stands[p]
        changes = reached[p] ^ around
        while changes:
            bit = changes & (~changes + np.uint64(1))
            changes ^= bit
            s = number[(bit * _DE_BRUIJN) >> np.uint64(58)]
            if s < len(out):
                sign = -1 if reached[p] & bit else 1
                for column in range(below.shape[1]):
                    out[s, column] += sign * below[p, column]
