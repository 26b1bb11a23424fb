"""Bits per byte on held-out text, per source: the smoothest measure of what a mixture teaches.

    bpb = sum over documents of -log2 p(document)  /  sum over documents of its UTF-8 bytes

Unlike loss per token it is comparable across tokenizers. Each document begins after end-of-text and
is cut into windows of the model's context; each is fed the one token before it, the last is filled
up to the left, and every token is predicted exactly once: the rolling log-likelihood of
lm-evaluation-harness 0.4, with which it agrees to 1e-7. The end-of-text after a document is not
scored: it has no bytes.

Which documents: those the split by content hash holds out, exact copies once, in the order of
their content hash up to `SOURCE_BYTES`, of each its first `DOCUMENT_CHARACTERS`. The choice depends
on the text alone, so runs with different tokenizers read the same bytes, and a document that is
added later moves at most the tail. About 60,000 tokens a source at 4 bytes a token; one core scores
30,000 tokens a second at `nano` with a vocabulary of 4,096.

Where it fails: the first tokens of a window are predicted from little context, which raises every
value (the early-token curse of Press et al. 2021, arXiv:2012.15832). It does so alike for all runs
of one context length; values at different context lengths do not compare.
"""

from typing import TYPE_CHECKING, Final

import polars as pl

from lab.core.files import digest
from lab.core.progress import SILENT, Progress
from lab.evaluation.scoring.encoding import cut, encode
from lab.evaluation.scoring.likelihood import log_likelihoods
from lab.evaluation.scoring.scores import context_length, end_of_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

SOURCE_BYTES: Final = 240_000  # about 60,000 tokens of English
DOCUMENT_CHARACTERS: Final = 16_000  # so that a few books do not fill the sample of a source

HELDOUT: Final = pl.Schema(
    {
        "source": pl.String,
        "id": pl.String,
        "nats": pl.Float64,  # minus log-likelihood of the text
        "bytes": pl.UInt32,  # of the text that was scored
        "tokens": pl.UInt32,
    }
)


def heldout_sample(documents: pl.LazyFrame, limit: int = SOURCE_BYTES) -> pl.DataFrame:
    """The held-out documents to score: id, content_hash, text, bytes; sorted by content hash.

    `documents` has the columns of schema.DOCUMENTS. Documents are taken while those before them
    hold fewer than `limit` bytes. Two passes: one over ids, one for the texts of the chosen.
    """
    size = pl.min_horizontal("bytes", pl.lit(DOCUMENT_CHARACTERS, pl.UInt32)).cast(pl.UInt64)
    chosen = (
        documents.filter(pl.col("heldout") & (pl.col("bytes") > 0))
        .select("id", "content_hash", size=size)
        .collect()
        .sort("content_hash", "id")
        .unique("content_hash", keep="first", maintain_order=True)
        .filter(pl.col("size").cum_sum() - pl.col("size") < limit)
    )
    text = pl.col("text").str.slice(0, DOCUMENT_CHARACTERS)
    return (
        documents.filter(pl.col("id").is_in(chosen["id"].implode()))
        .select("id", "content_hash", text=text, bytes=text.str.len_bytes())
        .collect()
        .sort("content_hash", "id")
    )


def sample_hash(sample: pl.DataFrame) -> str:
    """Names a sample by what is scored: ids, content and bytes."""
    return digest(sample.select("id", "content_hash", "bytes").rows())


def score_heldout(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    source: str,
    sample: pl.DataFrame,
    *,
    max_length: int | None = None,
    progress: Progress = SILENT,
) -> pl.DataFrame:
    """Score the documents of `sample` (columns id, text, bytes): a frame of HELDOUT, same order."""
    eot = end_of_text(model)
    tokens = encode(tokenizer, sample["text"].to_list())
    found = log_likelihoods(
        model,
        [[cut(ids, 0, eot)] for ids in tokens],
        max_length=max_length or context_length(model),
        progress=progress,
        message=f"held-out text of {source}",
    )
    return sample.select(
        pl.lit(source).alias("source"),
        "id",
        nats=pl.Series(-found.nats),
        bytes="bytes",
        tokens=pl.Series([len(ids) for ids in tokens], dtype=pl.UInt32),
    ).cast(HELDOUT)
