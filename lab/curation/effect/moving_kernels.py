"""The compiled loop of `effect.moving`. It needs numba: only what computes imports it."""

import numpy as np
from numpy.typing import NDArray

from lab.curation.words import compiled

I64 = NDArray[np.int64]


@compiled
def kept_kernel(
    source: NDArray[np.uint16],
    others: NDArray[np.bool_],
    values: NDArray[np.float64],
    low: float,
    high: float,
    amounts: I64,  # [documents, 3]
    kept: I64,  # [sources, 4], added to: documents, then the three amounts
) -> None:
    """Add up what passes the other rules and low <= value <= high, per source."""
    for i in range(values.size):
        if others[i] and low <= values[i] <= high:
            s = source[i]
            kept[s, 0] += 1
            kept[s, 1] += amounts[i, 0]
            kept[s, 2] += amounts[i, 1]
            kept[s, 3] += amounts[i, 2]
