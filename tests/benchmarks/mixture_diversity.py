"""Mixture diversity on a weight change: 384 dimensions, 12 sources, 64 clusters; target 20 ms.

    python tests/benchmarks/mixture_diversity.py [--sources 12] [--dimensions 384] [--repeats 200]

Planted sources of 2,000 texts around topics that overlap between sources. Printed: median and 95th
percentile, in milliseconds, of wall time and of this process's processor time for scores with
bands and all gains; the same without bands; laying the ground, which happens once; and how far the
gains are from recomputing the mixture with 0.1 per cent more of each source.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from lab.diversity.breadth.mixture import STEP, lay_ground, mixture_breadth, point
from lab.diversity.breadth.summary import Summary, summarise

TEXTS, CLUSTERS, TOPICS = 2000, 64, 200


def planted(sources: int, dimensions: int) -> dict[str, Summary]:
    """Summaries of sources that each favour some topics."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(TOPICS, dimensions)) * np.arange(1, dimensions + 1) ** -0.3
    found = {}
    for k in range(sources):
        topic = rng.choice(TOPICS, TEXTS, p=rng.dirichlet(np.full(TOPICS, 0.2)))
        x = centres[topic] + 0.3 * rng.normal(size=(TEXTS, dimensions))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        found[f"source{k:02d}"] = summarise(x, topic % CLUSTERS, CLUSTERS)
    return found


def timed(work: Callable[[], object], repeats: int) -> str:
    """Median and 95th percentile of wall and processor time."""
    rows = []
    for _ in range(repeats):
        wall, own = time.perf_counter(), time.process_time()
        work()
        rows.append((time.perf_counter() - wall, time.process_time() - own))
    (w50, c50), (w95, c95) = 1e3 * np.percentile(rows, [50, 95], axis=0)
    return f"wall {w50:6.1f} / {w95:6.1f} ms    processor {c50:6.1f} / {c95:6.1f} ms"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sources", type=int, default=12)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=200)
    options = parser.parse_args()
    by_source = planted(options.sources, options.dimensions)
    ground = lay_ground(by_source)
    rng = np.random.default_rng(1)
    draw = lambda: rng.dirichlet(np.ones(options.sources))  # noqa: E731
    named = lambda w: dict(zip(ground.sources, w.tolist(), strict=True))  # noqa: E731
    mixture_breadth(ground, named(draw()))
    print("all         ", timed(lambda: mixture_breadth(ground, named(draw())), options.repeats))
    print("no bands    ", timed(lambda: point(ground, draw()), options.repeats))
    print("ground, once", timed(lambda: lay_ground(by_source), 5))
    w = draw()
    _, gains = point(ground, w)
    step, eye = STEP / 10, np.eye(len(w))
    for k, name in enumerate(("vendi_1", "vendi_2")):
        base = point(ground, w)[0][k]
        true = [point(ground, (1 - step) * w + step * row)[0][k] - base for row in eye]
        worst = np.abs(10 * np.array(true) - gains[k]).max() / np.abs(gains[k]).max()
        print(f"{name}: gains differ from recomputation by {100 * worst:.2f} % of the largest")


if __name__ == "__main__":
    main()
