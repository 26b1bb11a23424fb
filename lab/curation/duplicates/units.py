"""Lines and paragraphs of documents as 64-bit hashes (FNV-1a, finished as words are), sorted."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.artifacts import write_part
from lab.core.compiled import compiled
from lab.curation.words import I64, U64, finish, utf8

U32 = NDArray[np.uint32]


class UnitsTask(NamedTuple):
    """One documents part, the stem of the files of its units, and the fewest characters of each."""

    part: Path
    target: Path
    least: Mapping[str, int]


class Units(NamedTuple):
    """Units of a part in order of hash: hash, row of the document in the part, characters."""

    hashes: U64
    rows: U32
    characters: U32


def write_units(task: UnitsTask) -> None:
    """Write the hashes of a part's units, then the part: id, characters in lines, in paragraphs."""
    frame = pl.read_parquet(task.part, columns=["id", "text"])
    totals = {}
    for unit, least in task.least.items():
        units, total = hash_units(frame["text"], unit == "paragraphs", least)
        for name, array in units._asdict().items():
            write_array(task.target.with_suffix(f".{unit}.{name}.npy"), array)
        totals[unit] = pl.Series(total, dtype=pl.UInt32)
    write_part(frame.select("id").with_columns(**totals), task.target)


def read_units(part: Path, unit: str) -> Units:
    """What `write_units` wrote, memory-mapped."""
    return Units(
        *(
            np.load(part.with_suffix(f".{unit}.{name}.npy"), mmap_mode="r", allow_pickle=False)
            for name in Units._fields
        )
    )


def hash_units(text: pl.Series, paragraphs: bool, least: int) -> tuple[Units, U32]:
    """Units of at least `least` characters, and the characters of all units of each text."""
    data, bounds = utf8(text)
    count = int(bounds[-1] - bounds[0]) // (least + 1) + len(text)  # a unit and its line end
    hashes, rows = np.empty(count, np.uint64), np.empty(count, np.uint32)
    characters, totals = np.empty(count, np.uint32), np.zeros(len(text), np.uint32)
    used = unit_kernel(data, bounds, paragraphs, least, hashes, rows, characters, totals)
    order = np.argsort(hashes[:used], kind="stable")
    return Units(hashes[order], rows[order], characters[order]), totals


@compiled
def unit_kernel(
    data: NDArray[np.uint8],
    bounds: I64,
    paragraphs: bool,
    least: int,
    hashes: U64,
    rows: U32,
    characters: U32,
    totals: U32,
) -> int:
    """Fill the arrays and return the units found.

    White space at the ends of a line is skipped; inside a paragraph lines are joined by one LF.
    """
    at = 0
    for k in range(bounds.shape[0] - 1):
        value, size, start = np.uint64(14695981039346656037), 0, bounds[k]
        for end in range(bounds[k], bounds[k + 1] + 1):
            if end < bounds[k + 1] and data[end] != 10:
                continue
            low, high = start, end
            while low < high and blank(data[low]):
                low += 1
            while low < high and blank(data[high - 1]):
                high -= 1
            if size and low < high:  # the paragraph goes on
                value = (value ^ np.uint64(10)) * np.uint64(1099511628211)
            for i in range(low, high):
                value = (value ^ np.uint64(data[i])) * np.uint64(1099511628211)
                size += (data[i] & 0xC0) != 0x80
            if size and (not paragraphs or low == high or end == bounds[k + 1]):
                totals[k] += size
                if size >= least:
                    hashes[at], rows[at], characters[at] = finish(value), k, size
                    at += 1
                value, size = np.uint64(14695981039346656037), 0
            start = end + 1
    return at


@compiled
def blank(byte: int) -> bool:
    """ASCII white space."""
    return byte == 32 or 9 <= byte <= 13
