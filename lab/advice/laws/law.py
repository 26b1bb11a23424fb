"""What a law is: a rule that turns runs (mixture, score) into a prediction for any mixture.

A law is fitted to many columns at once, each an independent problem on the same runs: the metrics,
the folds of a cross-validation (held-out rows have count 0) and the replicates of a bootstrap
(rows have any count) all go through one call, as matrix products instead of loops. The result
keeps its parameters as plain arrays and says them as JSON.

Scores are costs, lower being better; `lab.advice.fitting.fit` turns the sign of metrics that point
the other way before it comes here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from lab.advice.simplex import Array


class Fitted(Protocol):
    """A fitted law for B columns over m sources."""

    @property
    def law(self) -> str:
        """Name of the law in `lab.advice.laws.LAWS`."""

    @property
    def convex(self) -> bool:
        """Whether the cost is convex in the weights, so that a least one found is the least."""

    def predict(self, weights: Array) -> Array:
        """Cost of each mixture under each column: weights [n, m] -> [n, B]."""

    def at(self, points: Array) -> tuple[Array, Array]:
        """Column b at its own mixture points[b]: cost [B] and slope by weight [B, m]."""

    def take(self, columns: Sequence[int]) -> Self:
        """Only the given columns, in that order."""

    def mapping(self) -> dict[str, Any]:
        """The parameters as JSON values, with the key `law`."""


class Law(Protocol):
    """A way to fit; `start` warms the search up with a fit of as many columns as `values` has."""

    @property
    def name(self) -> str:
        """Name of the law in `lab.advice.laws.LAWS`."""

    def fit(
        self,
        weights: Array,
        values: Array,
        counts: Array | None = None,
        start: Fitted | None = None,
    ) -> Fitted:
        """Fit `values` [K, B] at `weights` [K, m]; row k counts `counts[k, b]` in column b."""

    def restore(self, mapping: Mapping[str, Any]) -> Fitted:
        """The fit that `Fitted.mapping` wrote."""


def counted(values: Array, counts: Array | None) -> tuple[Array, Array]:
    """`values` and `counts` as [B, K]; counts default to one each."""
    rows = np.ones_like(values) if counts is None else counts
    return np.ascontiguousarray(values.T), np.ascontiguousarray(rows.T, dtype=np.float64)


def least_possible(values: Array, counts: Array) -> Array:
    """The cost [B, 1] that no mixture can undercut: 0 where all that counts is positive, else -inf.

    A loss, a perplexity or bits per byte end at zero. A cost that is positive in every run is taken
    for one of them: nothing else in a table says what its values mean.
    """
    positive = np.where(counts > 0, values, 1.0).min(axis=1, keepdims=True) > 0
    return np.where(positive, 0.0, -np.inf)


def standardise(values: Array, counts: Array) -> tuple[Array, Array]:
    """Mean and standard deviation [B, 1] of the rows that count; 1 where the deviation is zero."""
    total = counts.sum(axis=1, keepdims=True)
    centre = (values * counts).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((counts * (values - centre) ** 2).sum(axis=1, keepdims=True) / total)
    return centre, np.where(spread > 0, spread, 1.0)
