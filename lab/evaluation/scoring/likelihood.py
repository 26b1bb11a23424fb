"""Log-likelihood of token spans under a Llama decoder, in fp32, in batches.

Five savings, none of which changes a value beyond rounding:

- *Shared beginnings.* Spans of one item (its choices) mostly begin alike. They are fed as one row,
  the beginning once and the endings side by side, with positions that restart at each ending and a
  mask under which an ending sees the beginning and itself: a tree in one sequence (the device of
  Miao et al. 2024, SpecInfer, arXiv:2305.09781). Done where the tokens saved are worth the larger
  attention matrix.
- *Headers.* What items begin with in common, such as the examples of a few-shot prompt (of each
  subject in MMLU), is fed once; every row sees its keys and values.
- *Only scored positions* go through the end of the last layer and the head, each once however many
  endings it predicts. At proxy size the vocabulary costs as much as the layers (`micro`: 0.52 M
  multiplications a token against 0.64 M).
- *Rows of like length together*, so that little is padding (4 % of ARC-Easy).
- *A plain decoder* (see `decoder`) in place of the library's class.

Padding stands at the right, where a causal model cannot see it. What is summed is fp64. The result
does not depend on the order of the input beyond rounding: rows are sorted by length, ties by place.

Where it fails: a model that is no plain Llama is refused.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lab.core.progress import SILENT, Progress
from lab.evaluation.scoring.encoding import Span
from lab.evaluation.scoring.rows import NONE, Row, batches, plan

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from lab.evaluation.scoring.decoder import Cache, Decoder

LOGITS: Final = 1 << 20  # held at once: 4 MB; products with the head ran at 88 GFLOP/s, at 32 MB 57


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Per span, in input order: log-likelihood in nats, and how it was read."""

    nats: NDArray[np.float64]
    greedy: NDArray[np.bool_]  # every scored token was the model's first choice
    lost: NDArray[np.uint32]  # context tokens that did not fit


@dataclass(frozen=True, slots=True)
class TokenLikelihoods:
    """Per scored token, in an order that depends on the texts alone: which span, and how likely."""

    owner: NDArray[np.int64]  # number of its span, in input order
    nats: NDArray[np.float64]
    first: NDArray[np.bool_]  # it was the model's first choice
    lost: NDArray[np.uint32]  # per span: context tokens that did not fit


def log_likelihoods(
    model: "PreTrainedModel",
    groups: Sequence[Sequence[Span]],
    *,
    max_length: int,
    progress: Progress = SILENT,
    message: str = "",
) -> Likelihoods:
    """Score every span of every group (spans of a group may share a beginning), flat, in order.

    `max_length` is the longest sequence fed, in tokens; longer spans are cut by `windows`.
    Raises ConfigError if the model is no plain Llama.
    """
    found = token_likelihoods(
        model, groups, max_length=max_length, progress=progress, message=message
    )
    total = np.bincount(found.owner, found.nats, len(found.lost))
    missed = np.bincount(found.owner, ~found.first, len(found.lost))
    return Likelihoods(total.astype(np.float64), missed == 0, found.lost)


def token_likelihoods(
    model: "PreTrainedModel",
    groups: Sequence[Sequence[Span]],
    *,
    max_length: int,
    progress: Progress = SILENT,
    message: str = "",
) -> TokenLikelihoods:
    """What `log_likelihoods` sums. Models of one context length give their tokens in one order."""
    from lab.evaluation.scoring.decoder import decoder_of

    work = plan(groups, max_length)
    order = sorted(work.rows, key=lambda row: (row.kind, -len(row.tokens)))  # ties keep their place
    owners, values, firsts = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, bool)]
    with inference(model):
        decoder = decoder_of(model)
        caches = {NONE: None} | dict(enumerate(header_cache(decoder, h) for h in work.headers))
        done = 0
        for batch in batches(order):
            value, first = score_batch(decoder, batch, caches[batch[0].header])
            owners.append(joined([row.owners for row in batch]))
            values.append(value)
            firsts.append(first)
            done += len(batch)
            progress(done, len(order), message)
    return TokenLikelihoods(
        np.concatenate(owners),
        np.concatenate(values),
        np.concatenate(firsts),
        np.asarray(work.lost, np.uint32),
    )


@contextmanager
def inference(model: "PreTrainedModel") -> Iterator[None]:
    """Evaluation mode, no gradients, no autocast; the model's mode is put back afterwards."""
    import torch

    training = model.training
    model.eval()
    try:
        with torch.inference_mode(), torch.autocast(model.device.type, enabled=False):
            yield
    finally:
        model.train(training)


def header_cache(decoder: "Decoder", header: list[int]) -> "Cache":
    """Keys and values of the header, per layer."""
    import torch

    from lab.evaluation.scoring.decoder import causal

    cache: Cache = []
    tokens = torch.tensor([header], device=decoder.device)
    places = torch.arange(len(header), device=decoder.device)[None]
    mask = causal(len(header), decoder.device)
    decoder.hidden(tokens, places, mask, read=places[0, -1:], kept=cache)
    return cache


def score_batch(
    decoder: "Decoder", batch: Sequence[Row], header: "Cache | None"
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(log-probability, was it the first choice) of every target of the batch, row after row."""
    import torch

    device = decoder.device
    tokens = padded([row.tokens for row in batch])
    length = tokens.shape[1]
    flat = joined([row.at for row in batch])
    flat += np.repeat(np.arange(len(batch)) * length, [len(row.at) for row in batch])
    read, places = np.unique(flat, return_inverse=True)
    hidden = decoder.hidden(
        torch.from_numpy(tokens).to(device),
        torch.from_numpy(padded([row.positions for row in batch])).to(device),
        seen(batch, device),
        read=torch.from_numpy(read).to(device),
        before=header,
    )
    return read_targets(decoder, hidden, places, joined([row.targets for row in batch]))


def read_targets(
    decoder: "Decoder",
    hidden: "torch.Tensor",
    places: NDArray[np.int64],
    targets: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Log-probability of each target after row `places` of `hidden`, and if it is the largest."""
    import torch

    values, firsts = np.empty(len(targets)), np.empty(len(targets), bool)
    step = max(64, LOGITS // len(decoder.head))
    for low, high in pairwise([*range(0, len(hidden), step), len(hidden)]):
        logits = torch.nn.functional.linear(hidden[low:high], decoder.head)
        top, table = logits.amax(1), torch.log_softmax(logits, 1)
        here = np.flatnonzero((places >= low) & (places < high))
        row = torch.from_numpy(places[here] - low).to(hidden.device)
        column = torch.from_numpy(targets[here]).to(hidden.device)
        values[here] = table[row, column].cpu().double().numpy()
        firsts[here] = (logits[row, column] >= top[row]).cpu().numpy()
    return values, firsts


def seen(batch: Sequence[Row], device: "torch.device") -> "torch.Tensor":
    """The mask of a batch, to be added to scores: [B, 1, L, L] with branches, else [1, 1, L, L]."""
    import torch

    from lab.evaluation.scoring.decoder import causal

    later = causal(max(len(row.tokens) for row in batch), device)
    if not batch[0].kind[1]:
        return later
    branch = torch.from_numpy(padded([row.branches for row in batch])).to(device)
    known = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
    return later.masked_fill(~known[:, None], float("-inf"))


def padded(lists: Sequence[list[int]]) -> NDArray[np.int64]:
    """Lists as the rows of one array, zeros at the right."""
    sizes = np.asarray([len(values) for values in lists])
    array = np.zeros((len(lists), sizes.max()), np.int64)
    array[np.arange(array.shape[1]) < sizes[:, None]] = joined(lists)
    return array


def joined(lists: Sequence[list[int]]) -> NDArray[np.int64]:
    """Lists one after another."""
    return np.fromiter(chain.from_iterable(lists), np.int64, sum(map(len, lists)))
