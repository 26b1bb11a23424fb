"""Repetition on the surface of texts: what a compressor and repeated n-grams see.

zstd_ratio: bytes over compressed bytes of texts laid end to end, zstd level 3 with a window of
2^27 bytes (Shaib et al. 2024, arXiv:2403.00553, with gzip: blind past 32 kB, where a corpus and its
exact double look the same; here the double has twice the ratio). It rises with the amount of text,
so it is taken at a fixed number of bytes. Its error is a jackknife over `GROUPS` groups of
documents.

self_repetition: mean over documents of log(1 + distinct runs of 8 words that also stand in another
document) (Salkar et al. 2022). By integer codes of words and a rolling polynomial over 64 bits: one
sort of all runs, O(tokens log tokens); 2 s for 10 MB of text.

Of each text the first `CHARACTERS` are read, so that a few books do not stand for a source.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
import zstandard
from numpy.typing import NDArray

from lab.diversity.breadth.measured import F64, Measured, mean_of

CHARACTERS = 20_000
WINDOW = 27  # log2 of bytes
LEVEL = 3
GROUPS = 8
RUN = 8  # words
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing
U64 = NDArray[np.uint64]


def measure_texts(
    texts: Sequence[str], units: NDArray[np.int64], fixed: int | None = None
) -> dict[str, Measured]:
    """Both measures; the ratio of the first `fixed` bytes (default: of all). `units` [n] are stable
    numbers of the documents. Nothing for texts without a character.
    """
    short = [text[:CHARACTERS] for text in texts]
    found = {"self_repetition": self_repetition(short, units)} if short else {}
    ratio = measure_ratio(short, units, fixed)
    return ({"zstd_ratio": ratio} if ratio else {}) | found


def zstd_ratio(content: bytes) -> float:
    """Bytes over compressed bytes; 1 for nothing."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=WINDOW, enable_ldm=True
    )
    packed = zstandard.ZstdCompressor(compression_params=parameters).compress(content)
    return len(content) / len(packed) if content else 1.0


def measure_ratio(
    texts: Sequence[str], units: NDArray[np.int64], fixed: int | None = None
) -> Measured | None:
    """zstd_ratio of the first `fixed` bytes, its units groups of documents; None for no text."""
    pieces = [text.encode() + b"\n" for text in texts]
    ends = np.cumsum([len(piece) for piece in pieces])
    count = len(pieces) if fixed is None else int(np.searchsorted(ends, fixed)) + 1
    pieces = pieces[:count]
    whole = b"".join(pieces)[:fixed]
    if not whole.strip():
        return None
    value = zstd_ratio(whole)
    group = np.asarray(units[: len(pieces)]) % GROUPS
    left = []
    for number in range(GROUPS):
        rest = b"".join(p for p, g in zip(pieces, group, strict=True) if g != number)
        left.append(zstd_ratio(rest[:fixed]) if rest.strip() else value)
    influence = (GROUPS * (GROUPS - 1)) ** 0.5 * (np.mean(left) - np.array(left))
    return Measured(
        value, influence, np.arange(GROUPS), len(pieces), "bytes per compressed byte", "ratio"
    )


def self_repetition(texts: Sequence[str], units: NDArray[np.int64], run: int = RUN) -> Measured:
    """Mean log(1 + distinct runs of `run` words that another document holds, too)."""
    shared = shared_runs(texts, run)
    return mean_of(np.log1p(shared), units, "log of 1 + shared runs")


def shared_runs(texts: Sequence[str], run: int = RUN) -> NDArray[np.int64]:
    """Per text, how many distinct runs of `run` words stand in another text as well."""
    words = pl.Series("text", list(texts), pl.String).str.to_lowercase().str.extract_all(r"\S+")
    counts = words.list.len().to_numpy().astype(np.int64)
    flat = words.explode().drop_nulls()
    if counts.sum() < run:
        return np.zeros(len(counts), np.int64)
    codes = (flat.rank("dense").to_numpy()).astype(np.uint64)
    document = np.repeat(np.arange(len(counts)), counts)
    value, start = rolling(codes, run), document[: len(document) - run + 1]
    inside = start == document[run - 1 :]
    pairs = pl.DataFrame({"run": value[inside], "document": start[inside]}).unique()
    found = pairs.filter(pl.len().over("run") > 1)["document"].to_numpy()
    return np.bincount(found, minlength=len(counts)).astype(np.int64)


def rolling(codes: U64, run: int) -> U64:
    """A number for each `run` neighbours: the same for the same words, by chance for others in
    2^-64.
    """
    mixed = (codes ^ (codes >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    value = np.zeros(len(codes) - run + 1, np.uint64)
    for k in range(run):
        value = value * BASE + mixed[k : len(codes) - run + 1 + k]
    return value


def means_by_document(columns: dict[str, F64], units: NDArray[np.int64]) -> dict[str, Measured]:
    """Means of numbers that stand beside the documents, like quality; missing ones are left out."""
    found = {}
    for name, values in columns.items():
        known = np.isfinite(values)
        if known.sum() > 1:
            found[name] = mean_of(values[known], units[known], "")
    return found
