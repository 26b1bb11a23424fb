"""Do the intervals of the two-sample test hold what they promise?

    python -m tests.benchmarks.two_sample_coverage [--workspace DIR --sources A B]

What is estimated is the expected area under the curve of a classifier that learns from samples of
this size. Its true value is the mean over all repeats; coverage is how many of their 95 % intervals
hold it. Vectors are drawn from 20 clusters in 384 dimensions whose shares differ by `tilt` between
the sources, or, with a workspace, from the embeddings of two of its sources without replacement
(a finite pool of 600 covers a little too well). Ten minutes on a core.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lab.core.workspace import open_workspace
from lab.diversity.breadth.two_sample import two_sample
from lab.diversity.embedding.stored import load_vectors, require_embeddings

CLUSTERS, DIMENSIONS = 20, 384
CENTRES = np.random.default_rng(99).normal(scale=0.6, size=(CLUSTERS, DIMENSIONS))
GENERATED = ((20, 0.5), (50, 0.5), (100, 0.5), (300, 0.5), (300, 1.5), (1000, 0.5))
REPEATS = 200
Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]


def clusters(n: int, tilt: float) -> Draw:
    """Two samples of n; the second prefers later clusters."""
    shares = np.exp(tilt * np.linspace(-1, 1, CLUSTERS))

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        even = rng.integers(CLUSTERS, size=n)
        tilted = rng.choice(CLUSTERS, size=n, p=shares / shares.sum())
        noise = rng.normal(scale=0.8, size=(2, n, DIMENSIONS))
        return CENTRES[even] + noise[0], CENTRES[tilted] + noise[1]

    return draw


def stored(one: np.ndarray, other: np.ndarray, n: int) -> Draw:
    """n of each of two pools of vectors."""
    return lambda rng: (one[rng.permutation(len(one))[:n]], other[rng.permutation(len(other))[:n]])


def coverage(name: str, draw: Draw) -> None:
    """One line: the true value, its spread, and how often an interval holds it."""
    found = []
    for seed in range(REPEATS):
        one, other = draw(np.random.default_rng(seed))
        band = two_sample(one, other, permutations=1, seed=seed).auc
        found.append((band.value, band.low, band.high))
    value, low, high = np.array(found).T
    truth = value.mean()
    held = ((low <= truth) & (truth <= high)).mean()
    print(
        f"{name:32} truth {truth:.3f}  sd {value.std(ddof=1):.3f}  half width "
        f"{((high - low) / 2).mean():.3f}  holds {held:.3f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--sources", nargs=2)
    options = parser.parse_args()
    if options.workspace:
        ws = open_workspace(options.workspace)
        pools = [load_vectors(require_embeddings(ws, name))[1] for name in options.sources]
        for n in (60, 150):
            coverage(f"{' and '.join(options.sources)}, n = {n}", stored(pools[0], pools[1], n))
        return
    for n, tilt in GENERATED:
        coverage(f"clusters, tilt {tilt}, n = {n}", clusters(n, tilt))


if __name__ == "__main__":
    main()
