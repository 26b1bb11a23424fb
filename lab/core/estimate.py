"""A number that says how sure it is.

Everything the lab concludes from a sample, a seed or a fit is an `Estimate`: value, interval, n,
unit. A difference whose interval holds zero is *unresolved*, never "no effect".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` with the interval [`low`, `high`] at `level`, from `n` observations, in `unit`."""

    value: float
    low: float
    high: float
    n: int
    unit: str = ""
    level: float = 0.95

    @property
    def resolved(self) -> bool:
        """True if the interval excludes zero: for differences, the sign is known."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        """`0.412 [0.371, 0.453] n=300 accuracy`."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] n={self.n}{unit}"
