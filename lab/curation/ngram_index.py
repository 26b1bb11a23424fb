"""An index of every word n-gram of the benchmarks, and the search for them in documents.

Texts are indexed whole, never paragraph by paragraph: split at line breaks, the same page
re-wrapped to eight words a line would be clean. Membership is one probe of an open-addressing table
of 64-bit hashes; what it reports is then compared word by word, so a reported match is a match.

An n-gram that many items share (a prompt template) names the first `ITEMS_PER_NGRAM` of them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lab.core.artifacts import write_part
from lab.curation.words import I64, U64, compiled, hash_runs, hash_words, spell

ITEMS_PER_NGRAM = 16
MATCHES = {
    "id": pl.String,
    "benchmark": pl.String,
    "item_id": pl.String,
    "ngram": pl.String,  # the first one in the document
    "ngrams": pl.UInt32,  # distinct n-grams of the item that the document holds
}


@dataclass(frozen=True, slots=True)
class Index:
    """`texts`: row, benchmark, item_id, text; `grams`: hash, row, start (place in that text)."""

    ngram: int
    texts: pl.DataFrame
    grams: pl.DataFrame

    def items(self) -> pl.DataFrame:
        """Per benchmark: items, and how many are too short to be looked for (uncheckable)."""
        keys = ["benchmark", "item_id"]
        checkable = self.texts.join(self.grams, on="row", how="semi").select(keys).unique()
        whole = self.texts.select(keys).unique()
        return (
            whole.join(checkable.with_columns(found=True), on=keys, how="left")
            .group_by("benchmark")
            .agg(items=pl.len(), uncheckable=pl.col("found").is_null().sum())
            .sort("benchmark")
        )


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


def build_index(texts: pl.DataFrame, ngram: int) -> Index:
    """Index `texts` (benchmark, item_id, text) by word n-grams."""
    texts = texts.with_row_index("row")
    runs, bounds = hash_runs(*hash_words(texts["text"]), ngram)
    rows, starts = locate(np.arange(len(runs)), bounds)
    grams = (
        pl.DataFrame({"hash": runs, "row": rows, "start": starts})
        .with_columns(pl.col("row").cast(pl.UInt32))
        .join(texts.select("row", "benchmark", "item_id"), on="row", maintain_order="left")
        .unique(["hash", "benchmark", "item_id"], keep="first", maintain_order=True)
        .filter(pl.int_range(pl.len()).over("hash", "benchmark") < ITEMS_PER_NGRAM)
        .select("hash", "row", "start")
    )
    return Index(ngram, texts, grams)


def locate(runs: I64, bounds: I64) -> tuple[I64, I64]:
    """Text number and place in that text of run numbers."""
    rows = np.searchsorted(bounds, runs, side="right") - 1
    return rows, runs - bounds[rows]


def save_index(index: Index, folder: Path) -> None:
    """Write the index for the workers."""
    write_part(index.texts, folder / "texts.parquet")
    write_part(index.grams, folder / "grams.parquet")


def load_index(folder: Path, ngram: int) -> Index:
    """The index that `save_index` wrote."""
    frames = (pl.read_parquet(folder / f"{name}.parquet") for name in ("texts", "grams"))
    return Index(ngram, *frames)


def find_matches(index: Index, documents: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Matches (`MATCHES`) in `documents` (id, text), and the distinct n-grams of each document."""
    runs, bounds = hash_runs(*hash_words(documents["text"]), index.ngram)
    table = fill_table(index.grams["hash"].unique().to_numpy())
    found = np.flatnonzero(member_kernel(runs, table))
    docs, places = locate(found, bounds)
    hits = (
        pl.DataFrame({"hash": runs[found], "doc": docs, "place": places})
        .unique(["hash", "doc"], keep="first", maintain_order=True)
        .join(index.grams, on="hash", maintain_order="left")
    )
    confirmed = confirm(hits, documents["text"], index)
    counts = confirmed.group_by("doc").agg(hits=pl.col("hash").n_unique().cast(pl.UInt32))
    lines = documents.select("id").with_row_index("doc").cast({"doc": pl.Int64})
    per_document = lines.join(counts, on="doc", how="left", maintain_order="left")["hits"]
    named = confirmed.join(lines, on="doc").join(index.texts.drop("text"), on="row")
    return name_matches(named), per_document.fill_null(0)


def confirm(hits: pl.DataFrame, text: pl.Series, index: Index) -> pl.DataFrame:
    """`hits` whose words agree, with the n-gram in words: equal hashes alone prove nothing."""
    ours = wording(text, hits["doc"], hits["place"], index.ngram)
    theirs = wording(index.texts["text"], hits["row"], hits["start"], index.ngram)
    same = [a == b for a, b in zip(ours, theirs, strict=True)]
    spelt = pl.DataFrame(ours).select(ngram=pl.concat_str(pl.all(), separator=" "))
    return hits.hstack(spelt).filter(pl.DataFrame(same).select(pl.all_horizontal("*")).to_series())


def wording(text: pl.Series, rows: pl.Series, starts: pl.Series, n: int) -> list[pl.Series]:
    """The `n` words of text `rows[k]` from word `starts[k]` on: word j of all runs is column j.

    Only the texts asked for are split, and words are gathered, not copied list by list.
    """
    wanted = rows.unique().sort()
    words = spell(text.gather(wanted))
    offsets = np.concatenate([[0], np.cumsum(words.list.len().to_numpy())])
    flat = words.explode().drop_nulls()  # an empty list explodes to one null
    first = offsets[np.searchsorted(wanted.to_numpy(), rows.to_numpy())] + starts.to_numpy()
    return [flat.gather(first + j).alias(f"word{j}") for j in range(n)]


def name_matches(named: pl.DataFrame) -> pl.DataFrame:
    """One row a document and item, in document order."""
    return (
        named.sort("doc", "benchmark", "item_id", "place")
        .group_by("doc", "id", "benchmark", "item_id", maintain_order=True)
        .agg(pl.first("ngram"), ngrams=pl.col("hash").n_unique())
        .select(pl.col(name).cast(kind) for name, kind in MATCHES.items())
    )


def fill_table(hashes: U64) -> U64:
    """An open-addressing table, at most a quarter full; 0 marks an empty slot."""
    table = np.zeros(1 << max(int(len(hashes) * 4).bit_length(), 4), np.uint64)
    fill_kernel(hashes, table)
    return table


@compiled
def fill_kernel(hashes: U64, table: U64) -> None:
    """Put each hash in the first free slot from its own place on."""
    mask = np.uint64(table.shape[0] - 1)
    for value in hashes:
        at = value & mask
        while table[at] != 0 and table[at] != value:
            at = (at + np.uint64(1)) & mask
        table[at] = value


@compiled
def member_kernel(runs: U64, table: U64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """True for each run that is in the table."""
    mask = np.uint64(table.shape[0] - 1)
    out = np.zeros(runs.shape[0], np.bool_)
    for k in range(runs.shape[0]):
        at = runs[k] & mask
        while table[at] != 0:
            if table[at] == runs[k]:
                out[k] = True
                break
            at = (at + np.uint64(1)) & mask
    return out
