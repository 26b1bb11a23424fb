"""An index of the word n-grams of benchmarks at two lengths, and the search for them in documents.

Texts are indexed whole, never paragraph by paragraph: split at line breaks, the same page
re-wrapped to eight words a line would be clean. The long n-grams (13 words) belong to *items*: an
n-gram that many items share (a prompt template) names the first `ITEMS_PER_NGRAM` of each
benchmark. The short ones (7 words) belong to *texts*, an item's question with one of its endings,
and count, as sets and as multisets, how much of a text stands in a document: phi-4's ratio
(arXiv:2412.08905, algorithm 1) is |document and text| / min(|document|, |text|).

Every hit is confirmed on words (`ngram_kernels`). Cost on one core against an index of 2 million
n-grams: `tests/benchmarks/contamination_lookup.py`. Memory: about 100 bytes an n-gram, mapped from
files and shared by workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.arrays import write_array
from lab.core.artifacts import write_part
from lab.curation.contamination.method import SHORT_NGRAM
from lab.curation.contamination.ngram_kernels import (
    U8,
    U32,
    fill_table,
    place_kernel,
)
from lab.curation.words import I64, U64, classes, hash_lowered, hash_runs, hash_words, utf8

ITEMS_PER_NGRAM = 16
ITEMS_PER_DOCUMENT = 16  # of each benchmark, those of the largest ratio
BATCH = 4096  # documents hashed at once
MATCHES = {
    "id": pl.String,
    "benchmark": pl.String,
    "item_id": pl.String,
    "ngram": pl.String,  # the first one in the document
    "ngrams": pl.UInt32,  # distinct n-grams of the item that the document holds
}
OVERLAPS = {
    "id": pl.String,
    "benchmark": pl.String,
    "item_id": pl.String,
    "shared": pl.UInt32,  # distinct 7-grams shared with the item's text of the largest ratio
    "ratio": pl.Float64,  # as sets
    "ratio_multiset": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Grams:
    """All n-grams of one length. Gram g stands at bytes `starts[g]` to `ends[g]` (end of text) and
    belongs to `owners[bounds[g] : bounds[g + 1]]`, `counts` times each; an owner has `distinct`
    and `totals` n-grams.
    """

    table: U64
    numbers: U32
    starts: I64
    ends: I64
    bounds: I64
    owners: U32
    counts: U32
    distinct: U32
    totals: U32


@dataclass(frozen=True, slots=True)
class Index:
    """`texts`: benchmark, item_id, text, item (number), words; `data`: the lower-cased texts.

    The owners of `long` are item numbers, those of `short` rows of `texts`.
    """

    ngram: int
    texts: pl.DataFrame
    data: U8
    long: Grams
    short: Grams

    def items(self) -> pl.DataFrame:
        """Columns benchmark, item_id, words (of the longest text), by item number."""
        return (
            self.texts.group_by("item", "benchmark", "item_id")
            .agg(pl.col("words").max())
            .sort("item")
            .drop("item")
        )


@dataclass(frozen=True, slots=True)
class Found:
    """`matches` and `overlaps` (columns MATCHES, OVERLAPS) in document order; per document the
    distinct long n-grams `hits` and the largest ratios `ratio`, `ratio_multiset`.
    """

    matches: pl.DataFrame
    overlaps: pl.DataFrame
    hits: pl.Series
    ratio: pl.Series
    ratio_multiset: pl.Series


def item_texts(items: pl.DataFrame) -> pl.DataFrame:
    """The texts that may leak: the question with each choice, and with the answer.

    `items` follows `schema.ITEMS`; returns benchmark, item_id, text, without repeats.
    """
    answers = pl.concat_list(pl.col("choices").fill_null([]), pl.col("answer").fill_null(""))
    text = pl.concat_str(pl.col("question"), pl.col("ending"), separator="\n", ignore_nulls=True)
    return (
        items.select("benchmark", "question", pl.col("id").alias("item_id"), ending=answers)
        .explode("ending")
        .select("benchmark", "item_id", text=text)
        .unique()
        .sort("benchmark", "item_id", "text")
    )


def build_index(texts: pl.DataFrame, ngram: int, allowed: Sequence[str] = ()) -> Index:
    """Index `texts` (benchmark, item_id, text); long n-grams in `allowed` are left out."""
    item = pl.struct("benchmark", "item_id").rle_id()
    texts = texts.sort("benchmark", "item_id", "text").with_columns(item=item)
    data, bounds = utf8(texts["text"].str.to_lowercase())
    words, offsets = hash_lowered(data, bounds)
    texts = texts.with_columns(words=pl.Series(np.diff(offsets), dtype=pl.UInt32))
    owners = texts["item"].to_numpy().astype(np.uint32)
    first = benchmark_starts(texts)
    spared = hash_runs(*hash_words(pl.Series(allowed, dtype=pl.String)), ngram)[0]
    rows = np.arange(texts.height, dtype=np.uint32)
    read = (data, bounds, words, offsets)
    return Index(
        ngram,
        texts,
        data,
        build_grams(*read, ngram, owners, first, spared),
        build_grams(*read, SHORT_NGRAM, rows, None, np.empty(0, np.uint64)),
    )


def benchmark_starts(texts: pl.DataFrame) -> NDArray[np.uint32]:
    """Benchmark number of each item."""
    items = texts.group_by("item").agg(pl.first("benchmark")).sort("item")
    return (items["benchmark"].rank("dense") - 1).to_numpy().astype(np.uint32)


def build_grams(
    data: U8,
    bounds: I64,
    words: U64,
    offsets: I64,
    n: int,
    owner_of: U32,
    group_of: U32 | None,
    spared: U64,
) -> Grams:
    """The n-grams of all texts; of each `group_of` owners only the first few share an n-gram."""
    runs, limits = hash_runs(words, offsets, n)
    rows, places = locate(np.arange(len(runs)), limits)
    starts = np.empty(len(runs), np.int64)
    place_kernel(data, bounds, classes(), rows, places, starts)
    frame = pl.DataFrame({"hash": runs, "owner": owner_of[rows], "start": starts, "row": rows})
    owners = int(owner_of[-1]) + 1 if len(owner_of) else 0  # in ascending order
    totals = np.bincount(owner_of[rows], minlength=owners).astype(np.uint32)
    posts = (
        frame.group_by("hash", "owner")
        .agg(pl.len().alias("count"), pl.first("start"), pl.first("row"))
        .sort("hash", "owner")
    )
    distinct = np.bincount(posts["owner"].to_numpy(), minlength=owners).astype(np.uint32)
    if group_of is not None:
        group = pl.Series("group", group_of[posts["owner"].to_numpy()])
        posts = posts.with_columns(group).filter(
            pl.int_range(pl.len()).over("hash", "group") < ITEMS_PER_NGRAM
        )
    posts = posts.filter(~pl.col("hash").is_in(pl.Series(spared).implode()))
    grams = posts.group_by("hash", maintain_order=True).agg(
        pl.len(), pl.first("start"), pl.first("row")
    )
    table, numbers = fill_table(grams["hash"].to_numpy())
    return Grams(
        table,
        numbers,
        grams["start"].to_numpy(),
        bounds[grams["row"].to_numpy() + 1].astype(np.int64),
        np.concatenate([[0], np.cumsum(grams["len"].to_numpy())]).astype(np.int64),
        posts["owner"].cast(pl.UInt32).to_numpy(),
        posts["count"].to_numpy(),
        distinct,
        totals,
    )


def locate(runs: I64, bounds: I64) -> tuple[I64, I64]:
    """Text number and place in that text of run numbers."""
    rows = np.searchsorted(bounds, runs, side="right") - 1
    return rows, runs - bounds[rows]


def save_index(index: Index, folder: Path) -> None:
    """Write the index for the workers."""
    write_array(folder / "data.npy", index.data)
    for name in ("long", "short"):
        for field in fields(Grams):
            write_array(
                folder / f"{name}-{field.name}.npy", getattr(getattr(index, name), field.name)
            )
    write_part(index.texts, folder / "texts.parquet")


def load_index(folder: Path, ngram: int) -> Index:
    """The index that `save_index` wrote, memory-mapped."""

    def read(name: str) -> NDArray[Any]:
        return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))

    long, short = (
        Grams(*(read(f"{name}-{field.name}") for field in fields(Grams)))
        for name in ("long", "short")
    )
    texts = pl.read_parquet(folder / "texts.parquet")
    return Index(ngram, texts, read("data"), long, short)
