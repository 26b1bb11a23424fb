"""MinHash signatures, folded into one 64-bit key a band (Broder 1997; Indyk and Motwani 1998).

Each of b x r hash functions is a linear permutation, an odd multiple plus an offset modulo 2^32, of
the shingle's well-mixed hash (Bohman, Cooper and Frieze 2000); its minimum over a text's shingles
agrees between two texts with probability equal to their Jaccard similarity. Measured over 20,000
random pairs each at .50, .71 and .80, pairs share a band as often as P(s) says, within .003. Only
the hash of each band's r minima is kept: 14 x 8 signatures are 448 bytes a document (448 MB a
million), their 14 keys 112, and the similarity itself is later taken from the texts.

Cost: 14 x 8 on 5-word shingles, about 150 MB of text a second on one core, two thirds of it
splitting words. A text of fewer words than a shingle has no signature
and is compared exactly only.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.artifacts import write_part
from lab.core.compiled import compiled
from lab.curation.duplicates.config import MinHash
from lab.curation.words import I64, U64, finish, hash_runs, hash_words

U32 = NDArray[np.uint32]

SEED = 20210915  # any constant: keys of two builds compare only under the same functions


class BandsTask(NamedTuple):
    """One documents part and where its keys go."""

    part: Path
    target: Path
    minhash: MinHash


def write_bands(task: BandsTask) -> None:
    """Write `part-N.bands.npy` (uint64 [bands, documents]), then the part (id, shingles)."""
    frame = pl.read_parquet(task.part, columns=["id", "text"])
    keys, shingles = band_keys(frame["text"], task.minhash)
    write_array(task.target.with_suffix(".bands.npy"), keys)
    counts = pl.Series("shingles", shingles, pl.UInt32)
    write_part(frame.select("id").with_columns(counts), task.target)


def band_keys(text: pl.Series, minhash: MinHash) -> tuple[U64, NDArray[np.int64]]:
    """Keys [bands, documents] and the shingles of each document (where 0, keys mean nothing)."""
    words, offsets = hash_words(text)
    runs, bounds = hash_runs(words, offsets, minhash.ngram)
    multiply, add = hash_functions(minhash.bands * minhash.rows)
    keys = np.zeros((minhash.bands, len(text)), np.uint64)
    band_kernel(runs, bounds, multiply, add, minhash.rows, keys)
    return keys, np.diff(bounds)


def hash_functions(count: int) -> tuple[U32, U32]:
    """Odd multipliers and offsets of `count` permutations, the same ones always."""
    rng = np.random.default_rng(SEED)
    multiply = rng.integers(0, 2**32, count, dtype=np.uint32) | np.uint32(1)
    return multiply, rng.integers(0, 2**32, count, dtype=np.uint32)


@compiled
def band_kernel(runs: U64, bounds: I64, multiply: U32, add: U32, rows: int, keys: U64) -> None:
    """Fill `keys`; the loop over hash functions is innermost, so that it runs in SIMD registers."""
    lowest = np.empty(multiply.shape[0], np.uint32)
    for k in range(bounds.shape[0] - 1):
        lowest[:] = np.uint32(0xFFFFFFFF)
        for i in range(bounds[k], bounds[k + 1]):
            run = np.uint32(runs[i] >> np.uint64(32))
            for p in range(multiply.shape[0]):
                value = np.uint32(multiply[p] * run + add[p])
                lowest[p] = min(lowest[p], value)
        for band in range(keys.shape[0]):
            key = np.uint64(band)
            for p in range(band * rows, (band + 1) * rows):
                key = finish(key ^ np.uint64(lowest[p])) + np.uint64(p)
            keys[band, k] = key
