"""What is kept of a source's texts so that the breadth of any mixture follows without them.

Of `BATCHES` random batches of the sample: second moment (upper triangle), mean, and cluster shares
on the common partition. Their mean is the source's; how they differ says how sure it is (`mixture`
deletes one batch of every source at a time). 2.4 MB a source at 384 dimensions and 8 batches.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.errors import DataError
from lab.core.files import write_bytes
from lab.diversity.breadth.measures import check
from lab.diversity.breadth.moments import F64, moments

BATCHES = 8
MOMENTS, SHARES = "moments.safetensors", "shares.npy"


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Of each batch its number of texts [b], triangle of the second moment [b, d(d+1)/2] and mean
    [b, d], both float32, and cluster shares [b, k].
    """

    counts: NDArray[np.int64]
    second: NDArray[np.float32]
    mean: NDArray[np.float32]
    shares: F64

    @property
    def n(self) -> int:
        """Texts in the sample."""
        return int(self.counts.sum())


def summarise(
    vectors: NDArray[Any], clusters: NDArray[Any], k: int, *, batches: int = BATCHES, seed: int = 0
) -> Summary:
    """Summary of unit vectors [n, d] with cluster numbers [n] below k; fewer batches than texts.

    Raises DataError for fewer than two vectors, numbers that are not finite or clusters beyond k.
    """
    check(vectors)
    if len(clusters) != len(vectors) or (len(clusters) and int(np.max(clusters)) >= k):
        raise DataError(
            "Vectors and clusters do not belong together.",
            value=(len(vectors), len(clusters), k),
            next_step="draw the map anew: `mixlab map`",
        )
    order = np.random.default_rng(seed).permutation(len(vectors))
    groups = np.array_split(order, min(batches, len(vectors)))
    found = [moments(vectors[np.sort(rows)]) for rows in groups]
    upper = np.triu_indices(vectors.shape[1])
    shares = [np.bincount(clusters[rows], minlength=k) / len(rows) for rows in groups]
    return Summary(
        np.array([len(rows) for rows in groups]),
        np.array([m.second[upper] for m in found], np.float32),
        np.array([m.mean for m in found], np.float32),
        np.array(shares),
    )


def save_summary(of: Summary, folder: Path) -> None:
    """Write `moments.safetensors` and `shares.npy` into `folder`."""
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {
        "counts": of.counts, "second": of.second, "mean": of.mean,
    }  # fmt: skip
    write_bytes(folder / MOMENTS, save(arrays))
    write_array(folder / SHARES, of.shares)


def load_summary(folder: Path) -> Summary:
    """The summary that `save_summary` wrote."""
    from safetensors.numpy import load_file

    arrays = load_file(folder / MOMENTS)
    shares = np.load(folder / SHARES, allow_pickle=False)
    return Summary(arrays["counts"], arrays["second"], arrays["mean"], shares)
