"""Planted truths: response surfaces that are known, and runs drawn from them with known noise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.advice.fitting.surface import Surface
from lab.advice.laws.log_linear import LogLinearFit
from lab.advice.simplex import Array

FIXTURES = Path(__file__).parent / "fixtures" / "regmix"


@dataclass(frozen=True, slots=True)
class Planted:
    """A known surface of T metrics over m sources, and K noisy runs of it as two tables."""

    truth: Surface
    natural: dict[str, float]
    ratios: pl.DataFrame
    metrics: pl.DataFrame

    @property
    def sources(self) -> list[str]:
        return list(self.natural)

    def cost(self, mixtures: Array) -> Array:
        """Mean true cost of mixtures [n, m]."""
        return self.truth.predict(mixtures)[0].mean(axis=1)


def plant(sources: int, runs: int, noise: float, seed: int, metrics: int = 3) -> Planted:
    """Log-linear metrics with random slopes; runs from a flat Dirichlet and the natural mixture."""
    rng = np.random.default_rng(seed)
    slopes = rng.normal(0, 1.5, (metrics, sources))
    law = LogLinearFit(rng.uniform(0.5, 1, metrics), np.full(metrics, np.log(0.3)), slopes)
    truth = Surface((tuple(range(metrics)),), (law,), 1)
    natural = rng.dirichlet(np.full(sources, 3.0)) * 0.8 + 0.2 / sources
    weights = rng.dirichlet(np.ones(sources), runs)
    weights[0] = natural
    values = truth.predict(weights)[0] + rng.normal(0, noise, (runs, metrics))
    names = [f"s{j}" for j in range(sources)]
    ids = {"run": [f"r{k}" for k in range(runs)]}
    return Planted(
        truth,
        dict(zip(names, natural.tolist(), strict=True)),
        pl.DataFrame(ids | {name: weights[:, j] for j, name in enumerate(names)}),
        pl.DataFrame(ids | {f"m{t}": values[:, t] for t in range(metrics)}),
    )


@pytest.fixture(scope="session")
def planted() -> Callable[..., Planted]:
    return plant


@pytest.fixture(scope="session")
def regmix() -> Callable[[str], tuple[pl.DataFrame, pl.DataFrame]]:
    """Ratios and metrics of one of RegMix's four tables, without the prefixes of the columns."""

    def load(name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        frame = pl.read_parquet(FIXTURES / f"regmix_{name}.parquet")
        parts = (frame.select("run", pl.col(f"^{kind}/.*$")) for kind in ("mix", "loss"))
        ratios, metrics = (p.rename(lambda c: c.split("/")[-1]) for p in parts)
        return ratios, metrics

    return load
