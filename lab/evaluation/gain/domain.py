"""Which source's fresh text is nearest to a benchmark: where a real gain should show as well.

A model that knows more of a subject predicts new text about it better, whatever its format. So a
gain on a benchmark is held against the held-out bits per byte of the source most like its items.
Likeness is the cosine of word counts, 1 + ln(count) weighed by ln(S/s) for a word in s of S sources
(tf-idf; Salton and Buckley 1988). A source much of which quotes items of the benchmark is no fresh
text for it, held out or not, and is left out; a few quotes in a source of other text are not what
its held-out documents measure. Cost: 0.1 s a source of 240 kB.

Where it fails: likeness in words is not likeness in knowledge, and with two sources a word weighs
something only if one of them lacks it. The choice is shown beside the number.
"""

from collections.abc import Collection, Mapping
from math import log, sqrt

import polars as pl

from lab.core.workspace import Workspace

Counts = Mapping[str, int]
MANY = 0.1  # of a source's documents quote the benchmark: it is made of quotes
WORD = r"\p{L}[\p{L}\p{N}']*"


def nearest_sources(
    ws: Workspace, benchmarks: Collection[str], quoted: pl.DataFrame, sources: Collection[str]
) -> dict[str, str]:
    """Benchmark -> the source of `sources` whose held-out text is most like its items.

    `quoted` has benchmark, source and share of its documents: pairs of more than MANY are left out.
    Benchmarks without any source are absent.
    """
    from lab.evaluation.benchmarks.registry import load_items

    texts = {name: heldout_texts(ws, name) for name in sorted(sources)}
    counts = {name: word_counts(text) for name, text in texts.items()}
    made = quoted.filter(pl.col("share") > MANY)
    closed = set(made.select("benchmark", "source").unique().rows())
    found = {}
    for name in sorted(benchmarks):
        items = load_items(ws, name)
        words = word_counts(
            pl.concat([items["question"], items["choices"].explode(), items["answer"]])
        )
        near = {s: likeness(words, c, counts) for s, c in counts.items() if (name, s) not in closed}
        best = max(near, key=lambda s: (near[s], s), default="")
        if best and near[best] > 0:
            found[name] = best
    return found


def heldout_texts(ws: Workspace, source: str) -> pl.Series:
    """The texts that held-out bits per byte are measured on."""
    from lab.corpus.sources import scan_documents
    from lab.evaluation.scoring.heldout import heldout_sample

    return heldout_sample(scan_documents(ws, source))["text"]


def word_counts(texts: pl.Series) -> dict[str, int]:
    """Lower-case words and how often each occurs."""
    words = texts.drop_nulls().str.to_lowercase().str.extract_all(WORD).explode().drop_nulls()
    return dict(words.value_counts(name="count").rows())


def likeness(words: Counts, text: Counts, texts: Mapping[str, Counts]) -> float:
    """Cosine of two tf-idf vectors; the weights are those of `texts`."""
    one, other = weights(words, texts), weights(text, texts)
    norms = sqrt(sum(v * v for v in one.values()) * sum(v * v for v in other.values()))
    return sum(v * other.get(w, 0.0) for w, v in one.items()) / norms if norms > 0 else 0.0


def weights(counts: Counts, texts: Mapping[str, Counts]) -> dict[str, float]:
    """tf-idf of every word that some source has and not all have."""
    total = len(texts)
    in_sources = {w: sum(w in text for text in texts.values()) for w in counts}
    return {
        w: (1 + log(counts[w])) * log(total / s) for w, s in in_sources.items() if 0 < s < total
    }
