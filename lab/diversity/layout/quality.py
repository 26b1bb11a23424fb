"""How far a map can be trusted: trustworthiness and neighbour recall, each with its n.

- **Trustworthiness** (Venna and Kaski 2001): 1 if no text has neighbours on the map that are not
  neighbours in the embedding, weighed by how far off they are. On a sample, as it is O(n^2).
- **Recall**: of the k nearest texts in the embedding, the share that is among the k nearest on the
  map; mean over `QUERIES` texts, each against all points (or `AMONG` of them). Random places give
  k / n. It is the stricter of the two: 0.3 is usual for UMAP with many near texts, because which of
  a hundred near texts is nearest is not what two coordinates can say.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
NEIGHBOURS = 15
TRUST_SAMPLE = 2000
QUERIES, AMONG = 500, 50_000
Z = 1.959964


def trust(vectors: F32, places: F32, seed: int) -> dict[str, Any] | None:
    """Trustworthiness on a sample; None for fewer than four points."""
    from sklearn.manifold import trustworthiness

    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:TRUST_SAMPLE])
    k = min(NEIGHBOURS, (len(rows) - 1) // 2)
    if k < 1:
        return None
    value = trustworthiness(vectors[rows], places[rows], n_neighbors=k, metric="cosine")
    return {"value": float(value), "neighbours": k, "n": len(rows)}


def recall(vectors: F32, places: F32, seed: int) -> dict[str, Any] | None:
    """Neighbour recall with a 95 % interval over the queries; None for fewer than four points.

    `n` is the number of points among which neighbours are looked for, `queries` of texts asked.
    """
    order = np.random.default_rng(seed).permutation(len(vectors))
    rows = np.sort(order[:AMONG])
    k = min(NEIGHBOURS, (len(rows) - 1) // 2)
    if k < 1:
        return None
    x, y = vectors[rows], places[rows].astype(np.float32)
    asked = np.sort(np.random.default_rng(seed).permutation(len(rows))[:QUERIES])
    near = x[asked] @ x.T
    squared = (y**2).sum(axis=1)
    close = 2 * (y[asked] @ y.T) - squared
    own = np.arange(len(asked))
    near[own, asked] = close[own, asked] = -np.inf
    first, second = (np.argpartition(-s, k, axis=1)[:, :k] for s in (near, close))
    shared = (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)
    value, half = float(shared.mean()), Z * float(shared.std()) / len(asked) ** 0.5
    return {
        "value": value,
        "low": max(value - half, 0.0),
        "high": min(value + half, 1.0),
        "neighbours": k,
        "queries": len(asked),
        "n": len(rows),
    }
