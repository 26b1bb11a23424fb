"""Scores of benchmark items, one row each, from log-likelihoods.

For choices c with log-likelihood l_c (nats), b_c bytes (of what is scored, the joining space
included; see `encoding`) and t_c characters (without that space), gold g:

    correct         argmax_c l_c       is g          accuracy of the harness (`acc`)
    correct_norm    argmax_c l_c / t_c is g          the harness's `acc_norm`: no short choice is
                                                     favoured
    margin          l_g - max_{c != g} l_c           nats; moves before accuracy does
    gold_bpb        -l_g / (b_g ln 2)                bits per byte of the right answer

Where all choices are scored by texts of one length (letters, WinoGrande), both are the same.

`gold_bpb` is the smoothest of them and the default target at proxy size: on the same items the
log-probability of the right choice has about four times the signal to noise of accuracy (SIQA, 7.7
against 2.0 over 240 mixtures; marin-community/marin, domain_phase_mix). Ties go to the first
choice, as in the harness. Cloze items are `correct` if every token of the answer is the model's
first choice, given the tokens before it. Generative items are scored as the likelihood of their
answer directly after the question, which is no accuracy; `exact` is filled by `generation` where
answers were generated.

Where it fails: a choice longer than the model's context is scored in pieces that do not see each
other, and a question that does not fit is cut from the left; `lost` counts those tokens.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from lab.core.progress import SILENT, Progress
from lab.evaluation.benchmarks.prompts import render
from lab.evaluation.scoring.encoding import encode_pairs
from lab.evaluation.scoring.likelihood import Likelihoods, log_likelihoods

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

VERSION: Final = 3  # of the definitions above; scores of another version are made again

SCORES: Final = pl.Schema(
    {
        "benchmark": pl.String(),
        "item_id": pl.String(),
        "kind": pl.String(),
        "cluster": pl.String(),  # items of one question share it: they are not independent
        "answer_index": pl.Int32(),
        "nats": pl.List(pl.Float64()),  # log-likelihood per choice, or of the answer alone
        "bytes": pl.List(pl.UInt32()),
        "gold_bpb": pl.Float64(),
        "margin": pl.Float64(),  # null without choices
        "correct": pl.Boolean(),  # null for generative items
        "correct_norm": pl.Boolean(),  # null without choices
        "exact": pl.Boolean(),  # the generated answer is right; null where none was generated
        "lost": pl.UInt32(),  # context tokens that did not fit, most over the choices
    }
)


def score_items(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    items: pl.DataFrame,
    *,
    table: pl.DataFrame | None = None,
    max_length: int | None = None,
    eot_id: int | None = None,
    progress: Progress = SILENT,
) -> pl.DataFrame:
    """Score `items` (schema.ITEMS): a frame of SCORES, in the order of the items.

    `table` holds the texts, as `prompts.render` makes them; by default items stand as written. Runs
    on the model's device in fp32. `max_length` (tokens fed at once) and `eot_id` default to the
    model's `max_position_embeddings` and `eos_token_id`. Raises ConfigError for a model that is no
    plain Llama.
    """
    table = render(items) if table is None else table
    texts = list(table.select("context", "continuation").iter_rows())
    spans = encode_pairs(tokenizer, texts, end_of_text(model) if eot_id is None else eot_id)
    ends = table.group_by("item", maintain_order=True).len()["len"].cum_sum().to_list()
    groups = [spans[low:high] for low, high in pairwise([0, *ends])]
    length = max_length or context_length(model)
    found = log_likelihoods(
        model, groups, max_length=length, progress=progress, message="scoring items"
    )
    return item_scores(items, table, found)


def item_scores(items: pl.DataFrame, table: pl.DataFrame, found: Likelihoods) -> pl.DataFrame:
    """Join log-likelihoods of texts into one row of SCORES per item."""
    flat = table.select(
        "item",
        "bytes",
        characters=pl.col("continuation").str.strip_chars_start().str.len_chars().clip(1),
        nats=pl.Series(found.nats),
        greedy=pl.Series(found.greedy),
        lost=pl.Series(found.lost),
    )
    per_item = flat.group_by("item", maintain_order=True).agg(
        "nats", "bytes", "characters", pl.col("greedy").first(), pl.col("lost").max()
    )
    gold = pl.col("answer_index").fill_null(0)
    joined = pl.concat([items, per_item.drop("item")], how="horizontal")
    chosen = pl.col("answer_index").is_not_null()
    by_length = (pl.col("nats") / pl.col("characters")).list.arg_max()
    cloze = pl.when(pl.col("kind") == "cloze").then("greedy")
    return joined.select(
        "benchmark",
        pl.col("id").alias("item_id"),
        "kind",
        cluster=pl.when(pl.col("question") != "")
        .then(pl.col("id").first().over("question"))
        .otherwise("id"),
        answer_index="answer_index",
        nats="nats",
        bytes="bytes",
        gold_bpb=-(pl.col("nats") / pl.col("bytes")).list.get(gold) / np.log(2),
        margin=margins(joined),
        correct=pl.when(chosen).then(pl.col("nats").list.arg_max() == gold).otherwise(cloze),
        correct_norm=pl.when(chosen).then(by_length == gold),
        exact=pl.lit(None, pl.Boolean),
        lost="lost",
    ).cast(SCORES)


def margins(scores: pl.DataFrame) -> pl.Series:
    """Nats of the gold choice minus those of the best wrong one; null without choices."""
    flat = scores.select("answer_index", "nats").with_row_index("item").explode("nats")
    place = pl.int_range(pl.len()).over("item")
    right = place == pl.col("answer_index")
    return (
        flat.group_by("item", maintain_order=True)
        .agg(pl.col("nats").filter(right).first() - pl.col("nats").filter(~right).max())
        .get_column("nats")
    )


def context_length(model: "PreTrainedModel") -> int:
    """The longest sequence the model was made for, in tokens."""
    return int(model.config.max_position_embeddings)


def end_of_text(model: "PreTrainedModel") -> int:
    """The model's end-of-text token; documents began after it in training."""
    token = model.config.eos_token_id
    return int(token[0] if isinstance(token, list) else token)
