"""A random forest on embeddings: phi-1's head (Breiman 2001; Gunasekar et al. 2023, section 2.1).

phi-1's settings are unpublished; here 100 trees on bootstrap samples, the square root of the
dimensions tried at a split, and the smallest leaf chosen by cross-validation. A forest cannot
predict beyond the labels it saw and shrinks towards their mean, so a cut at the top keeps fewer
documents than the labels would.

Stored as plain arrays, one row a node, trees one after the other; no code is loaded with a head.
The predictor walks them as scikit-learn does (float32 vectors against float64 thresholds, left if
not larger, trees summed in order) and gives the same numbers, bit for bit.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.compiled import compiled
from lab.curation.quality.nested import Learner
from lab.curation.words import I64

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
TREES = 100
LEAVES = (1.0, 5.0)  # smallest number of labels in a leaf: scikit-learn's default, and Breiman's


@dataclass(frozen=True, slots=True)
class Forest:
    """Nodes of all trees: feature (-1 in a leaf), threshold, left and right (row of the child),
    value; `roots`, the row at which each tree begins.
    """

    roots: I64
    feature: I32
    threshold: F64
    left: I32
    right: I32
    value: F64

    def predict(self, x: Any) -> F64:
        """Scores of vectors [n, d]."""
        scores = np.zeros(len(x))
        rows = np.ascontiguousarray(x, np.float32)
        nodes = (self.feature, self.threshold, self.left, self.right, self.value)
        walk(rows, self.roots, *nodes, scores)
        return scores / len(self.roots)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@compiled
def walk(
    x: F32, roots: I64, feature: I32, threshold: F64, left: I32, right: I32, value: F64, scores: F64
) -> None:
    """Add the leaf that each row reaches in each tree."""
    for tree in range(roots.shape[0]):
        for row in range(x.shape[0]):
            node = roots[tree]
            while feature[node] >= 0:
                below = np.float64(x[row, feature[node]]) <= threshold[node]
                node = np.int64(left[node]) if below else np.int64(right[node])
            scores[row] += value[node]


def fit_forest(x: Any, labels: F64, leaf: float) -> Forest:
    """The forest of `labels` on vectors [n, d], no leaf smaller than `leaf` labels."""
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(
        TREES, max_features="sqrt", min_samples_leaf=int(leaf), random_state=0
    )
    return from_sklearn(model.fit(np.asarray(x, np.float32), labels))


def from_sklearn(model: Any) -> Forest:
    """The nodes of a fitted `RandomForestRegressor`."""
    trees = [estimator.tree_ for estimator in model.estimators_]
    counts = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *counts[:-1]], dtype=np.int64)

    def children(name: str) -> I32:
        moved = [
            np.where(getattr(tree, name) < 0, -1, getattr(tree, name) + root)
            for tree, root in zip(trees, roots, strict=True)
        ]
        return np.concatenate(moved).astype(np.int32)

    return Forest(
        roots,
        np.concatenate([np.maximum(tree.feature, -1) for tree in trees]).astype(np.int32),
        np.concatenate([tree.threshold for tree in trees]),
        children("children_left"),
        children("children_right"),
        np.concatenate([tree.value[:, 0, 0] for tree in trees]),
    )


FOREST = Learner("leaf", LEAVES, fit_forest)


def load_forest(arrays: dict[str, NDArray[Any]]) -> Forest:
    """The head of stored arrays."""
    return Forest(**arrays)
