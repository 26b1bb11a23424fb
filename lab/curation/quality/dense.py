"""Ridge regression on embeddings: FineWeb-Edu's head, a linear layer on a frozen encoder.

Solved exactly: (X'X + penalty I) w = X'y on centred data (Hoerl and Kennard 1970). Embeddings are
unit vectors, so penalties below 1 are small. What the encoder does not see, past its first 1,100
characters, the head cannot judge.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.curation.quality.nested import Learner

F64 = NDArray[np.float64]
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Linear:
    """`score = intercept + x @ coefficients`."""

    coefficients: F64
    intercept: float

    def predict(self, x: Any) -> F64:
        """Scores of vectors [n, d]."""
        return np.asarray(x, np.float64) @ self.coefficients + self.intercept

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        intercept = np.array([self.intercept])
        return {"coefficients": self.coefficients, "intercept": intercept}


def fit_linear(x: Any, labels: F64, penalty: float) -> Linear:
    """The ridge regression of `labels` on vectors [n, d]."""
    wide = np.asarray(x, np.float64)
    centre, mean = wide.mean(axis=0), float(labels.mean())
    centred = wide - centre
    gram = centred.T @ centred
    gram[np.diag_indices_from(gram)] += penalty
    coefficients = np.linalg.solve(gram, centred.T @ (labels - mean))
    return Linear(coefficients, mean - float(centre @ coefficients))


LINEAR = Learner("penalty", PENALTIES, fit_linear)


def load_linear(arrays: dict[str, NDArray[Any]]) -> Linear:
    """The head of stored arrays."""
    return Linear(arrays["coefficients"], float(arrays["intercept"][0]))
