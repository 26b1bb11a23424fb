"""Nested cross-validation and the learning curve, the same for every head.

Five outer folds give a held-out prediction for every label; within each, the setting of the head is
chosen by three inner folds, so the choice is not paid for with the test (Varma and Simon 2006).
Documents of one group share a fold. The last fit, on all labels, is the head.

The learning curve repeats the outer folds with the first m training documents, at the setting that
was chosen for all: where it still falls at the right end, more labels help; where it is flat, a
better head or better labels are needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.curation.quality.measures import held_out_error

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
OUTER, INNER = 5, 3
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the training documents, the points of the curve
SMALLEST = 10  # training documents; below, a point of the curve says nothing


class Model(Protocol):
    """A fitted head."""

    def predict(self, x: Any) -> F64:
        """Scores of the rows of `x`."""


@dataclass(frozen=True, slots=True)
class Learner:
    """A family of heads: `fit(x, labels, choice)` for one of `choices` of `setting`."""

    setting: str
    choices: tuple[float, ...]
    fit: Callable[[Any, F64, float], Model]


@dataclass(frozen=True, slots=True)
class Nested:
    """The head on all labels, its setting, the held-out predictions and the fold of each row."""

    model: Model
    choice: float
    predicted: F64
    fold: I64


def nested(x: Any, labels: F64, groups: pl.Series, learner: Learner) -> Nested:
    """Fit and cross-validate; rows of `x` with equal `groups` share a fold."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    order = group_order(groups)
    predicted = np.empty(len(labels))
    with threadpool_limits(1):  # sums in another order would change the last bits
        for fold in range(OUTER):
            test = order % OUTER == fold
            choice = choose(x[~test], labels[~test], order[~test] // OUTER, learner)
            predicted[test] = learner.fit(x[~test], labels[~test], choice).predict(x[test])
        choice = choose(x, labels, order, learner)
        return Nested(learner.fit(x, labels, choice), choice, predicted, order % OUTER)


def group_order(groups: pl.Series) -> I64:
    """Number of each row's group, by name; names are hashes, so that the order is random."""
    return groups.rank("dense").to_numpy().astype(np.int64)


def choose(x: Any, labels: F64, order: I64, learner: Learner) -> float:
    """The choice with the smallest squared error over `INNER` folds of `order`."""
    losses = []
    for choice in learner.choices:
        loss = 0.0
        for fold in range(INNER):
            test = order % INNER == fold
            model = learner.fit(x[~test], labels[~test], choice)
            loss += float(((model.predict(x[test]) - labels[test]) ** 2).sum())
        losses.append(loss)
    return learner.choices[int(np.argmin(losses))]


def learning_curve(
    x: Any, labels: F64, groups: pl.Series, learner: Learner, choice: float, cut: float
) -> pl.DataFrame:
    """Columns labels (training documents), measure, value, low, high, n: held-out error."""
    from threadpoolctl import threadpool_limits

    order = group_order(groups)
    rows = []
    with threadpool_limits(1):
        for share in SHARES:
            predicted, sizes = np.empty(len(labels)), []
            for fold in range(OUTER):
                test = order % OUTER == fold
                train = np.flatnonzero(~test)
                train = train[np.argsort(order[train], kind="stable")]
                train = train[: max(SMALLEST, round(share * len(train)))]
                sizes.append(len(train))
                model = learner.fit(x[train], labels[train], choice)
                predicted[test] = model.predict(x[test])
            for name, e in held_out_error(labels, predicted, cut).items():
                rows.append((round(float(np.mean(sizes))), name, e.value, e.low, e.high, e.n))
    columns = ["labels", "measure", "value", "low", "high", "n"]
    return pl.DataFrame(rows, schema=columns, orient="row")
