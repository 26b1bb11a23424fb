"""The text that cheap predictors are judged by, as likelihoods under each source's model.

Whole documents and right answers are read from the scores that every run has: nothing is computed.
Likelihoods of single tokens, and those of merged models, are made here from a sample, the first
`SAMPLE_BYTES` of held-out text a source and the first `SAMPLE_ITEMS` items a benchmark, which
`nano` reads in about 6 seconds on one core for seven sources and four benchmarks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from lab.advice.cheap.mixmin import Target
from lab.advice.simplex import Array
from lab.core.errors import ConfigError, DataError
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.evaluation.runs.checkpoints import load_model
from lab.evaluation.runs.evaluate import RunScores, run_scores
from lab.evaluation.runs.material import gather

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

SAMPLE_BYTES: Final = 60_000
SAMPLE_ITEMS: Final = 200
BITS: Final = float(np.log(2.0))
MIXED: Final = ("bpb", "gold_bpb")  # metrics that are likelihoods


@dataclass(frozen=True, slots=True)
class Sample:
    """Text of one source (`table` is None) or benchmark: documents, or items and their texts."""

    part: str  # heldout, benchmarks
    name: str
    frame: pl.DataFrame
    table: pl.DataFrame | None = None


def split(name: str) -> tuple[str, str, str]:
    """`SCOPE/ON/METRIC` as its parts; ConfigError for anything else."""
    parts = name.split("/")
    if len(parts) < 3:
        raise ConfigError("A metric is written SCOPE/ON/METRIC.", value=name)
    return parts[0], "/".join(parts[1:-1]), parts[-1]


def stored_targets(folders: Sequence[Path], names: Sequence[str]) -> list[Target]:
    """A target per metric of bits per byte, pieces are documents or right answers.

    At a corner its cost is what the run of that source scored. ConfigError for metrics that are no
    likelihoods, DataError if the runs did not score the same text.
    """
    scores = [run_scores(folder) for folder in folders]
    return [stored_target(scores, name) for name in names]


def stored_target(scores: Sequence[RunScores], name: str) -> Target:
    """One target from the scores of m runs."""
    scope, on, metric = split(name)
    if metric not in MIXED:
        raise ConfigError(
            "Only likelihoods can be mixed.",
            value=name,
            next_step="choose held-out bits per byte, or `gold_bpb` of a benchmark",
        )
    part = "heldout" if scope == "heldout" else "benchmarks"
    hashes = {run.summary[part].get(on, {}).get("hash") for run in scores}
    if len(hashes) > 1 or None in hashes:
        raise DataError(
            "The source runs did not score the same text.",
            where=name,
            next_step=f"`mixlab evaluate {' '.join(run.folder.name for run in scores)}`",
        )
    return heldout_target(scores, name, on) if scope == "heldout" else item_target(scores, name, on)


def heldout_target(scores: Sequence[RunScores], name: str, on: str) -> Target:
    """Documents of one source: sums of bits over the sum of bytes."""
    frames = [run.heldout.filter(source=on).sort("id") for run in scores]
    logs = -np.stack([frame["nats"].to_numpy() for frame in frames], axis=1)
    total = float(frames[0]["bytes"].sum())
    return Target(name, logs, np.full(len(logs), 1.0 / (total * BITS)))


def item_target(scores: Sequence[RunScores], name: str, on: str) -> Target:
    """Right answers of one benchmark: the mean over items of bits per byte."""
    frames = [gold(run.items.filter(benchmark=on)) for run in scores]
    logs = np.stack([frame["nats"].to_numpy() for frame in frames], axis=1)
    return Target(name, logs, 1.0 / (frames[0]["bytes"].to_numpy() * len(logs) * BITS))


def gold(items: pl.DataFrame) -> pl.DataFrame:
    """Log-likelihood and bytes of the right answer of every item."""
    place = pl.col("answer_index").fill_null(0)
    return items.select(pl.col("nats").list.get(place), pl.col("bytes").list.get(place))


def samples(ws: Workspace, names: Sequence[str]) -> list[Sample]:
    """The sampled text of every source and benchmark that `names` speak of."""
    wanted = {
        ("heldout" if scope == "heldout" else "benchmarks", on)
        for scope, on, _ in map(split, names)
    }
    found = [one for one in sampled(ws) if (one.part, one.name) in wanted]
    lacking = wanted - {(one.part, one.name) for one in found}
    if lacking:
        raise DataError(
            "This text is no longer in the workspace.", value=sorted(on for _, on in lacking)
        )
    return found


def sampled(ws: Workspace) -> Iterator[Sample]:
    """A sample of everything there is to score."""
    for material in gather(ws):
        now, frame, table = material.read()
        if table is None:
            before = pl.col("bytes").cum_sum() - pl.col("bytes")
            yield Sample(now.part, now.name, frame.filter(before < SAMPLE_BYTES))
        else:
            few = table.filter(pl.col("item") < SAMPLE_ITEMS)
            yield Sample(now.part, now.name, frame.head(SAMPLE_ITEMS), few)


def token_targets(
    folders: Sequence[Path],
    texts: Sequence[Sample],
    names: Sequence[str],
    progress: Progress = SILENT,
) -> list[Target]:
    """A target per metric, pieces are the tokens of the samples; the models read them anew."""
    logs: dict[tuple[str, str], list[Array]] = {(t.part, t.name): [] for t in texts}
    prices: dict[tuple[str, str], Array] = {}
    for k, folder in enumerate(folders):
        model, tokenizer = load_model(folder)
        for j, text in enumerate(texts):
            progress(k * len(texts) + j, len(folders) * len(texts), f"{folder.name}: {text.name}")
            own, each = token_logs(model, tokenizer, text)
            logs[text.part, text.name].append(own)
            prices[text.part, text.name] = each
    found = []
    for name in names:
        scope, on, _ = split(name)
        key = ("heldout" if scope == "heldout" else "benchmarks", on)
        found.append(Target(name, np.stack(logs[key], axis=1), prices[key]))
    return found


def token_logs(
    model: "PreTrainedModel", tokenizer: "Tokenizer", text: Sample
) -> tuple[Array, Array]:
    """(log-likelihood of every token, what a nat on it adds to the metric)."""
    from lab.evaluation.scoring.encoding import cut, encode, encode_pairs
    from lab.evaluation.scoring.likelihood import token_likelihoods
    from lab.evaluation.scoring.scores import context_length, end_of_text

    eot = end_of_text(model)
    if text.table is None:
        spans = [cut(ids, 0, eot) for ids in encode(tokenizer, text.frame["text"].to_list())]
        size = np.full(len(spans), float(text.frame["bytes"].sum()))
    else:
        right = right_answers(text.frame, text.table)
        spans = encode_pairs(tokenizer, list(right.select("context", "continuation").rows()), eot)
        size = right["bytes"].to_numpy() * float(right.height)
    found = token_likelihoods(model, [[span] for span in spans], max_length=context_length(model))
    return found.nats, 1.0 / (size[found.owner] * BITS)


def right_answers(items: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The rows of `table` that are right answers, one an item."""
    gold_place = items["answer_index"].fill_null(0).to_numpy()
    place = pl.int_range(pl.len()).over("item")
    return table.filter(place == pl.Series(gold_place)[table["item"]])
