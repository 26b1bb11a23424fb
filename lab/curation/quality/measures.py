"""How far held-out predictions are from the labels, with intervals.

r2 against the mean label, rmse in labels, Spearman's rank correlation, and F1, precision and recall
of "label at or above the cut" as predicted by "score at or above the cut". Intervals are percentile
bootstraps over documents (Efron 1979, 1,000 draws), the fits held fixed: they hold the chance of
the test documents, not that of the training labels. A score whose interval of Spearman's
correlation holds zero ranks nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.estimate import Estimate

F64 = NDArray[np.float64]
DRAWS = 1000
UNITS = {"r2": "", "rmse": "label", "spearman": "", "f1": "", "precision": "", "recall": ""}


def held_out_error(labels: F64, predicted: F64, cut: float, seed: int = 0) -> dict[str, Estimate]:
    """An estimate for each measure that is defined for these labels."""
    rows = np.random.default_rng(seed).integers(len(labels), size=(DRAWS, len(labels)))
    draws = measures(labels[rows], predicted[rows], cut)
    values = measures(labels[None], predicted[None], cut)[:, 0]
    found = {}
    for value, drawn, (name, unit) in zip(values, draws, UNITS.items(), strict=True):
        if np.isfinite(value):
            low, high = np.nanquantile(drawn, [0.025, 0.975])
            found[name] = Estimate(float(value), float(low), float(high), len(labels), unit)
    return found


def measures(labels: F64, predicted: F64, cut: float) -> F64:
    """The measures of `UNITS` for each row of [rows, n] arrays: [6, rows].

    NaN where a denominator is zero, but 0 for the correlation of something that does not vary.
    """
    from scipy.stats import rankdata

    squared = ((labels - predicted) ** 2).mean(axis=1)
    middle = (labels.shape[1] + 1) / 2
    a, b = (rankdata(v, axis=1) - middle for v in (labels, predicted))
    norm = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    good, kept = labels >= cut, predicted >= cut
    hits, right, chosen = (v.sum(axis=1) for v in (good & kept, good, kept))
    return np.array(
        [
            1 - share(squared, labels.var(axis=1)),
            np.sqrt(squared),
            np.nan_to_num(share((a * b).sum(axis=1), norm), nan=0.0),
            share(2 * hits, right + chosen),
            share(hits, chosen),
            share(hits, right),
        ]
    )


def share(part: NDArray[Any], whole: NDArray[Any]) -> F64:
    """`part / whole`, NaN for nothing of nothing."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
