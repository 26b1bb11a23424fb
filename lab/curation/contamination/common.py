"""Which n-grams to allow: those of a benchmark that stand everywhere, a reference source included.

Proposed are benchmark n-grams in more than `more_than` different texts of the corpus (GPT-3 ignored
those in more than 10), *and* in a text of the reference source; phi-4 asked for "common in
Wikipedia and training". Without a reference, an item that leaked into eleven pages would be allowed
for the very reason that it leaked, so one must be named: a source believed to hold no benchmark
text. Cost: one search of the corpus (`ngram_index`).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source, list_sources
from lab.curation.contamination.search import item_files, read_items

MORE_THAN = 10  # different texts (GPT-3)


def common_ngrams(
    ws: Workspace,
    benchmarks: Sequence[str],
    ngram: int,
    reference: str,
    more_than: int = MORE_THAN,
    progress: Progress = SILENT,
) -> pl.DataFrame:
    """Columns ngram, texts (of the corpus), reference_texts: what could be allowed, most first.

    Raises ConfigError for a reference that is no source.
    """
    from lab.curation.contamination.ngram_index import build_index, item_texts
    from lab.curation.contamination.ngram_search import hit_ngrams, spell_long

    known = get_source(ws, reference).name
    items = pl.concat(map(read_items, item_files(ws, benchmarks)))
    index = build_index(item_texts(items), ngram)
    size = len(index.long.starts)
    counts = {"texts": np.zeros(size, np.int64), "reference_texts": np.zeros(size, np.int64)}
    sources = list_sources(ws)
    for k, source in enumerate(sources):
        progress(k, len(sources), f"common n-grams in {source.name}")
        for part in documents(ws, source.name).parts:
            frame = pl.read_parquet(part, columns=["id", "text", "content_hash"])
            own = hit_ngrams(index, frame.unique("content_hash", keep="first"))
            counts["texts"] += own
            if source.name == known:
                counts["reference_texts"] += own
    common = (counts["texts"] > more_than) & (counts["reference_texts"] > 0)
    chosen = np.flatnonzero(common)
    table = {name: count[chosen] for name, count in counts.items()}
    return pl.DataFrame({"ngram": spell_long(index, chosen), **table}).sort(
        "texts", "ngram", descending=[True, False]
    )
