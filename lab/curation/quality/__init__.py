"""Learned quality: labels on some documents become a score on all, stored like any signal.

phi-1 (Gunasekar et al. 2023, section 2.1) labelled 100,000 files for educational value, fitted a
random forest on embeddings and kept a sixth of the text; FineWeb-Edu (Penedo et al. 2024) did the
same with 450,000 labels of 0 to 5 and a linear layer on frozen embeddings. Here the labels are JSON
lines {id, label}, from people, from a language model (`lab.curation.labels.llm`) or planted, and
three heads learn from them:

| head | reads | fitting 600 labels, s | Spearman, sample world | documents/s |
|---|---|---|---|---|
| ngrams (default) | hashed words and pairs of words | 3.4 | .831 [.798, .858] | 18,000 |
| embedding-ridge | stored embeddings | 1.9 | .781 [.740, .817] | 36 |
| embedding-forest | stored embeddings | 16 | .761 [.718, .798] | 36 |

(held-out folds of 600 labels, of which 15 % are off by one, on 2,500 documents; speed on one core,
of which embedding takes all but a hundredth. The world repeats its phrases, which favours n-grams.)

A head on embeddings scores a source only once all its documents are embedded: a million take eight
hours on one core. Such scores over-select technical vocabulary (phi-4 report, section 2.3); the
evaluation beside every head shows the bias per source, topic and cluster.

FineWeb-Edu keeps a document if `round(clip(score, 0, 5)) >= 3`. That is `score >= 2.5` but for
2.5 itself, which Python rounds to 2; a rule `min: 2.5` here keeps it. Scores are stored as they
come out of the head, not rounded and not clipped.

Steps: `quality-head` (one per set of labels and settings, with `evaluation/*.parquet`), `quality`
(one per source, column `quality.NAME`, aligned with the documents).
"""

from lab.curation.quality.learning import HEADS, Learning
from lab.curation.quality.scores import (
    find_quality,
    quality_columns,
    require_quality,
    score,
)
from lab.curation.quality.store import find_head, read_evaluation

__all__ = [
    "HEADS",
    "Learning",
    "find_head",
    "find_quality",
    "quality_columns",
    "read_evaluation",
    "require_quality",
    "score",
]
