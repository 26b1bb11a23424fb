"""What is kept of an embedded sample beside its vectors: moments, and the panel of measures.

The moments are means, so those of the whole are the means of the blocks', weighed by their sizes:
a million vectors are read in blocks of `ROWS` and never held at once. The panel takes its own
sample of a sample, evenly spaced over the documents.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.diversity.breadth.measures import panel
from lab.diversity.breadth.moments import Moments, moments, save_moments
from lab.diversity.embedding.stored import F16, read_part

ROWS = 32_768  # 100 MB in float64 at 384 dimensions
MEASURED = 20_000  # vectors that the panel draws from


def summarise(folder: Path) -> dict[str, Any]:
    """Store the moments; the panel of measures for the manifest, empty for a single document."""
    parts = [vectors for part in Artifact(folder, {}).parts if len(vectors := read_part(part)[1])]
    save_moments(joint_moments(list(blocks(parts))), folder / "moments.safetensors")
    few = every_kth(parts, MEASURED)
    measured = panel(few) if len(few) > 1 else {}
    return {"panel": {name: asdict(estimate) for name, estimate in measured.items()}}


def blocks(parts: list[F16]) -> Iterator[Moments]:
    """Yield the moments of some rows at a time."""
    for vectors in parts:
        for start in range(0, len(vectors), ROWS):
            yield moments(vectors[start : start + ROWS])


def joint_moments(of: list[Moments]) -> Moments:
    """The moments of all texts from those of their blocks."""
    total = sum(block.n for block in of)
    second = np.sum([block.second * (block.n / total) for block in of], axis=0)
    mean = np.sum([block.mean * (block.n / total) for block in of], axis=0)
    return Moments(second, mean, total)


def every_kth(parts: list[F16], most: int) -> NDArray[np.float16]:
    """At most `most` rows of all parts, evenly spaced."""
    total = sum(map(len, parts))
    step = -(-total // most)
    starts = np.cumsum([0, *map(len, parts)])
    return np.concatenate(
        [v[(-start) % step :: step] for v, start in zip(parts, starts[:-1], strict=True)]
    )
