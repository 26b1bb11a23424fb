"""Connected components by union-find with path halving (Tarjan 1975); the root is the smallest."""

import numpy as np
from numpy.typing import NDArray

from lab.core.compiled import compiled

U32 = NDArray[np.uint32]


def find_components(first: U32, second: U32, count: int) -> U32:
    """For each of `count` nodes the smallest node of its component; edges join first to second."""
    parent = np.arange(count, dtype=np.uint32)
    join_kernel(first, second, parent)
    return parent


@compiled
def join_kernel(first: U32, second: U32, parent: U32) -> None:
    """Join the ends of every edge, then let every node point at its root."""
    for k in range(first.shape[0]):
        a, b = first[k], second[k]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    for node in range(parent.shape[0]):
        parent[node] = parent[parent[node]]  # a parent is smaller, so it is finished already
