"""One batch of documents against an index: hash, probe, confirm, count, name."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.curation.contamination.method import FLOOR, SHORT_NGRAM
from lab.curation.contamination.ngram_index import (
    BATCH,
    ITEMS_PER_DOCUMENT,
    MATCHES,
    OVERLAPS,
    Found,
    Grams,
    Index,
    locate,
)
from lab.curation.contamination.ngram_kernels import (
    F64,
    U8,
    U32,
    agree_kernel,
    distinct_kernel,
    place_kernel,
    probe_kernel,
    share_kernel,
)
from lab.curation.words import I64, U64, classes, hash_lowered, hash_runs, spell, utf8

BUFFER = 1 << 16  # entries of the counting kernel at least


class Words(NamedTuple):
    """A batch of texts: lower-cased bytes, their bounds, word hashes, their offsets."""

    data: U8
    bounds: I64
    words: U64
    offsets: I64


class Hits(NamedTuple):
    """Confirmed n-grams by document and place, each once a document: `docs` has hits `starts[d]` to
    `starts[d + 1]`; `distinct` and `totals` count all n-grams of these documents.
    """

    docs: I64
    starts: I64
    grams: U32
    repeats: U32
    places: I64
    distinct: U32
    totals: U32


class Shares(NamedTuple):
    """What documents share with owners, and the largest ratios of each document of the hits."""

    doc: I64
    owner: U32
    shared: U32
    place: I64
    ratio: F64  # [entries, 2]: as sets, as multisets
    best: F64  # [docs, 2]


def find_matches(index: Index, documents: pl.DataFrame) -> Found:
    """What `documents` (id, text) share with the items of the index."""
    batches = [search_batch(index, batch) for batch in documents.iter_slices(BATCH)]
    return join_found(batches)


def search_batch(index: Index, documents: pl.DataFrame) -> Found:
    """What `documents` (id, text) share with the items of the index."""
    text = documents["text"]
    data, bounds = utf8(text.str.to_lowercase())
    batch = Words(data, bounds, *hash_lowered(data, bounds))
    long = find_hits(index, index.long, index.ngram, batch)
    short = find_hits(index, index.short, SHORT_NGRAM, batch)
    hits = np.zeros(len(text), np.uint32)
    hits[long.docs] = np.diff(long.starts)
    matched, overlapping = share(index.long, long, 0.0), share(index.short, short, FLOOR)
    ratio = np.zeros((len(text), 2))
    ratio[short.docs] = overlapping.best
    return Found(
        name_matches(index, documents, long, matched),
        name_overlaps(index, documents["id"], short, overlapping),
        pl.Series("hits", hits),
        pl.Series("ratio", ratio[:, 0]),
        pl.Series("ratio_multiset", ratio[:, 1]),
    )


def join_found(batches: Sequence[Found]) -> Found:
    """The findings of consecutive batches."""
    if not batches:
        nothing = pl.Series([], dtype=pl.Float64)
        empty = (pl.DataFrame(schema=MATCHES), pl.DataFrame(schema=OVERLAPS))
        return Found(*empty, pl.Series([], dtype=pl.UInt32), nothing, nothing)
    return Found(
        pl.concat([batch.matches for batch in batches]),
        pl.concat([batch.overlaps for batch in batches]),
        pl.concat([batch.hits for batch in batches]),
        pl.concat([batch.ratio for batch in batches]),
        pl.concat([batch.ratio_multiset for batch in batches]),
    )


def find_hits(index: Index, grams: Grams, n: int, batch: Words) -> Hits:
    """The n-grams of the index that stand in the texts of a batch."""
    runs, limits = hash_runs(batch.words, batch.offsets, n)
    numbers = np.empty(len(runs), np.int32)
    probe_kernel(runs, grams.table, grams.numbers, numbers)
    found = np.flatnonzero(numbers >= 0)
    doc, place = locate(found, limits)
    gram = numbers[found].astype(np.uint32)
    by_gram = np.lexsort((place, gram, doc))
    new = np.ones(len(found), np.bool_)
    ordered = doc[by_gram], gram[by_gram]
    new[1:] = (ordered[0][1:] != ordered[0][:-1]) | (ordered[1][1:] != ordered[1][:-1])
    repeats = np.diff(np.append(np.flatnonzero(new), len(found))).astype(np.uint32)
    once = by_gram[new]  # the first place of each n-gram in each document
    by_place = np.argsort(once)
    once, repeats = once[by_place], repeats[by_place]
    sure = confirm(index, grams, n, batch, doc[once], place[once], gram[once])
    once, repeats = once[sure], repeats[sure]
    docs, starts = np.unique(doc[once], return_index=True)
    distinct = np.empty(len(docs), np.uint32)
    distinct_kernel(runs, limits, docs, distinct)
    totals = np.diff(limits)[docs].astype(np.uint32)
    bounds = np.append(starts, len(once)).astype(np.int64)
    return Hits(docs, bounds, gram[once], repeats, place[once], distinct, totals)


def confirm(
    index: Index, grams: Grams, n: int, batch: Words, doc: I64, place: I64, gram: U32
) -> NDArray[np.bool_]:
    """True where the words agree: equal hashes alone prove nothing. Hits in order of place."""
    at, same = np.empty(len(doc), np.int64), np.empty(len(doc), np.bool_)
    place_kernel(batch.data, batch.bounds, classes(), doc, place, at)
    ends = batch.bounds[doc + 1].astype(np.int64)
    theirs = grams.starts[gram], grams.ends[gram]
    agree_kernel(batch.data, at, ends, index.data, *theirs, n, classes(), same)
    return same


def share(grams: Grams, hits: Hits, floor: float) -> Shares:
    """How much each document shares with each owner, from a ratio of `floor` upwards."""
    owners = len(grams.distinct)
    size = max(BUFFER, owners)
    scratch = np.zeros((owners, 3), np.int64)
    best = np.zeros((len(hits.docs), 2))
    pieces: list[tuple[NDArray[Any], ...]] = []
    first = 0
    while first < len(hits.docs) or not pieces:
        buffers: tuple[NDArray[Any], ...] = (
            np.empty(size, np.int64),
            np.empty(size, np.uint32),
            np.empty(size, np.uint32),
            np.empty(size, np.int64),
            np.empty((size, 2)),
        )
        used, first = share_kernel(
            *(hits.starts, hits.grams, hits.repeats, hits.places, hits.distinct, hits.totals),
            *(grams.bounds, grams.owners, grams.counts, grams.distinct, grams.totals),
            *(floor, first, scratch, best),
            *buffers,
        )
        pieces.append(tuple(buffer[:used].copy() for buffer in buffers))
    doc, owner, shared, place, ratio = (np.concatenate(p) for p in zip(*pieces, strict=True))
    return Shares(doc, owner, shared, place, ratio, best)


def name_matches(index: Index, documents: pl.DataFrame, hits: Hits, shares: Shares) -> pl.DataFrame:
    """One row a document and item, in document order, with the first n-gram in words."""
    doc = hits.docs[shares.doc]
    items = index.items().select("benchmark", "item_id")[shares.owner]
    frame = pl.DataFrame(
        {
            "id": documents["id"].gather(doc),
            "benchmark": items["benchmark"],
            "item_id": items["item_id"],
            "ngram": wording(documents["text"], doc, shares.place, index.ngram),
            "ngrams": shares.shared,
            "doc": doc,
            "owner": shares.owner,
        }
    )
    return frame.sort("doc", "owner").select(
        pl.col(name).cast(kind) for name, kind in MATCHES.items()
    )


def wording(text: pl.Series, rows: I64, places: I64, n: int) -> pl.Series:
    """The `n` words of text `rows[k]` from word `places[k]` on.

    Only the texts asked for are split, and words are gathered, not copied list by list.
    """
    wanted = np.unique(rows)
    words = spell(text.gather(wanted))
    offsets = np.concatenate([[0], np.cumsum(words.list.len().to_numpy())])
    flat = words.explode().drop_nulls()  # an empty list explodes to one null
    first = offsets[np.searchsorted(wanted, rows)] + places
    columns = [flat.gather(first + j).alias(f"word{j}") for j in range(n)]
    return pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=" ")).to_series()


def name_overlaps(index: Index, ids: pl.Series, hits: Hits, shares: Shares) -> pl.DataFrame:
    """One row a document and item: the text of the item with the largest ratio.

    Of each benchmark the `ITEMS_PER_DOCUMENT` items of the largest ratios.
    """
    doc = hits.docs[shares.doc]
    texts = index.texts.select("benchmark", "item_id", "item")[shares.owner]
    frame = texts.with_columns(
        id=ids.gather(doc),
        doc=pl.Series(doc),
        shared=pl.Series(shares.shared),
        ratio=pl.Series(shares.ratio[:, 0]),
        ratio_multiset=pl.Series(shares.ratio[:, 1]),
    )
    per_item = frame.sort("ratio", descending=True, maintain_order=True).group_by(
        "doc", "id", "benchmark", "item_id", "item", maintain_order=True
    )
    return (
        per_item.agg(pl.first("shared"), pl.max("ratio"), pl.max("ratio_multiset"))
        .filter(pl.int_range(pl.len()).over("doc", "benchmark") < ITEMS_PER_DOCUMENT)
        .sort("doc", "item")
        .select(pl.col(name).cast(kind) for name, kind in OVERLAPS.items())
    )


def hit_ngrams(index: Index, documents: pl.DataFrame) -> I64:
    """For each long n-gram of the index the number of `documents` (id, text) that hold it."""
    counts = np.zeros(len(index.long.starts), np.int64)
    for frame in documents.iter_slices(BATCH):
        data, bounds = utf8(frame["text"].str.to_lowercase())
        batch = Words(data, bounds, *hash_lowered(data, bounds))
        hits = find_hits(index, index.long, index.ngram, batch)
        counts += np.bincount(hits.grams, minlength=len(counts))
    return counts


def spell_long(index: Index, grams: I64) -> pl.Series:
    """Some long n-grams of the index in words."""
    spans = zip(index.long.starts[grams], index.long.ends[grams], strict=True)
    texts = pl.Series([index.data[a:b].tobytes().decode() for a, b in spans], dtype=pl.String)
    return spell(texts).list.head(index.ngram).list.join(" ")
