"""Compression ratio: how much of a text its own beginning predicts (bytes / bytes compressed).

Zstandard at level 3, each document alone, frame header included. Repetition compresses well and
random strings do not, so both tails are worth reading (phi-4, arXiv:2412.08905, section 2.3, looks
there for corruption). The ratio grows with length whatever the quality: a tweet is below 1, a book
near 3. Compare documents of one length, or cut by percentile within a source.

Cost: about 18 microseconds a document of 2.9 kB, with one compressor for the batch, which is as
fast as zstd is (2026-11). A Python loop over documents, because no column operation compresses a
cell.
"""

import numpy as np
import polars as pl

from lab.curation.signals.definitions import SHARE, Definition, Functions

LEVEL = 3  # zstd's default; another level is another definition
RATIO = Definition(
    "content.compression@lab1",
    "compression ratio",
    "times",
    "bytes in UTF-8 / bytes after Zstandard at level 3; 0 without text",
    "high values point to repetition, low ones to short texts and encoded data",
    "Abdin et al. 2024, arXiv:2412.08905",
    SHARE,
)


def compression(text: pl.Series) -> pl.DataFrame:
    """The column of RATIO."""
    import zstandard

    compress = zstandard.ZstdCompressor(level=LEVEL).compress
    sizes = [len(compress(data)) for data in text.cast(pl.Binary)]
    ratio = text.str.len_bytes().to_numpy() / np.array(sizes, np.float64)
    return pl.DataFrame({RATIO.id: ratio})


FUNCTIONS: Functions = {(RATIO,): compression}
