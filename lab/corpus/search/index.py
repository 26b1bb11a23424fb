"""The inverted index of a source: for each word the documents and places where it stands.

A word is a run of Unicode word characters in lower case; of scripts that are written without spaces
(Han, kana, Thai, Lao, Khmer, Burmese) each character is a word, so that any part of a sentence can
be found. No stemmer and no stop words: they belong to one language, and a corpus has many. Words
longer than `LONGEST` bytes are left out.

tantivy (Rust, after Lucene) writes the files. They hold words, places and row numbers, not the
text. One commit a part: `num_docs` of what is committed says how many parts are in, so an
interrupted build goes on behind them. Names of tantivy's files are random, hence the same input
gives an equal index, not equal bytes. Cost: 17,000 documents of 100 words a second and core; 2.5
bytes a word (Zen 4).
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl
import tantivy

from lab.core.artifacts import Artifact, build, require
from lab.core.errors import DataError
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.search.scan import height
from lab.corpus.sources import documents

STEP = "search"
VERSION = 1
FOLDER = "index"
LONGEST = 200  # bytes of a word
SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
WORD = rf"[{SPACELESS}]|[\w--[{SPACELESS}]]+"
HEAP = 128_000_000  # bytes of words held before a segment is written
LOCKS = (".tantivy-meta.lock", ".tantivy-writer.lock")


def index_documents(
    ws: Workspace, source: str, *, progress: Progress = SILENT, workers: int | None = None
) -> Artifact:
    """The index of `source`, built if it is not stored."""
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        count = write_index(folder / FOLDER, found, source, progress, workers or 1)
        return {"source": source, "documents": count}

    return build(ws, STEP, VERSION, {"word": WORD, "longest": LONGEST}, [found.id], make)


def require_index(ws: Workspace, source: str) -> Artifact:
    """The stored index of the source's current documents, or ArtifactMissing."""
    return require(
        ws,
        STEP,
        VERSION,
        {"word": WORD, "longest": LONGEST},
        [documents(ws, source).id],
        what=f"Source {source!r} has no index for keywords.",
        next_step=f"`mixlab index --source {source}`",
    )


def write_index(
    folder: Path, found: Artifact, source: str, progress: Progress, workers: int
) -> int:
    """Index all parts of `found` that are not in `folder` yet; the number of documents."""
    folder.mkdir(exist_ok=True)
    index = tantivy.Index(schema(), path=str(folder))
    index.register_tokenizer("words", analyzer())
    done = index.searcher().num_docs
    ends = list(accumulate(height(part) for part in found.parts))
    if done and done not in ends:
        raise DataError(
            "The unfinished index does not fit the documents.",
            where=str(folder),
            value=done,
            next_step="delete this folder and run the step again",
        )
    writer = index.writer(heap_size=HEAP * workers, num_threads=workers)
    for part, end in zip(found.parts, ends, strict=True):
        if end > done:
            progress(end - height(part), ends[-1], f"index of {source}")
            for document in entries(part, end - height(part)):
                writer.add_document(document)
            writer.commit()
    progress(ends[-1], ends[-1], f"index of {source}")
    writer.wait_merging_threads()
    for name in LOCKS:
        (folder / name).unlink(missing_ok=True)
    return ends[-1]


def entries(part: Path, start: int) -> Iterator[tantivy.Document]:
    """Yield what is indexed of each document of a part: its text and its row in the source.

    A loop over documents: 3 us each beside 60 us of indexing 100 words.
    """
    texts = pl.read_parquet(part, columns=["text"])["text"]
    for row, text in enumerate(texts, start=start):
        document = tantivy.Document()
        document.add_text("text", text)
        document.add_unsigned("row", row)
        yield document


@lru_cache(maxsize=1)
def schema() -> tantivy.Schema:
    """Field `text`, searched and not stored, with places; field `row`, stored and not searched."""
    fields = tantivy.SchemaBuilder()
    fields.add_text_field("text", tokenizer_name="words", index_option="position")
    fields.add_unsigned_field("row", fast=True)
    return fields.build()


@lru_cache(maxsize=1)
def analyzer() -> tantivy.TextAnalyzer:
    """Text to words, for documents and queries alike."""
    words = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(WORD))
    lower = words.filter(tantivy.Filter.lowercase())
    return lower.filter(tantivy.Filter.remove_long(LONGEST + 1)).build()


def words_of(text: str) -> list[str]:
    """The words of a text as they are indexed."""
    return list(analyzer().analyze(text))


@lru_cache(maxsize=64)
def open_index(folder: Path) -> tantivy.Index:
    """A finished index; its files are mapped, not read. Safe to share between threads."""
    index = tantivy.Index.open(str(folder / FOLDER))
    index.register_tokenizer("words", analyzer())
    return index
