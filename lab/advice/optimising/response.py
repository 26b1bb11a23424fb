"""What the optimiser needs of a fit: costs and slopes of all metrics, for B replicates at once.

`Surface` answers for the laws as they were fitted; `Worn` (`lab.advice.optimising.supply`) for the
same laws once repetition has worn the tokens out. Costs are lower for better.
"""

from collections.abc import Sequence
from typing import Protocol, Self

from lab.advice.simplex import Array


class Response(Protocol):
    """Costs of T metrics over mixtures of m sources in B replicates."""

    @property
    def replicates(self) -> int:
        """B."""

    @property
    def metrics(self) -> int:
        """T."""

    @property
    def convex(self) -> bool:
        """True if no local optimum can be worse than the best one."""

    def predict(self, weights: Array) -> Array:
        """Mixtures [n, m] under every replicate: [B, n, T]."""

    def each(self, points: Array) -> tuple[Array, Array]:
        """Replicate b at its own mixture points[b]: cost [B, T] and slope [B, T, m]."""

    def at(self, points: Array, blend: Array) -> tuple[Array, Array]:
        """The same, metrics weighed by `blend` [T]: cost [B] and slope [B, m]."""

    def only(self, metrics: Sequence[int]) -> Self:
        """The response of some metrics, numbered anew in the order given."""

    def first(self, replicates: int) -> Self:
        """The first so many replicates."""
