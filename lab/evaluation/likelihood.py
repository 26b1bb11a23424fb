"""Log-likelihood of token spans under a causal language model, in fp32, in batches.

Three savings, none of which changes a value beyond rounding:

- *Shared beginnings.* Spans of one item (its choices) mostly begin alike. They are fed as one row,
  the beginning once and the endings side by side, with positions that restart at each ending and a
  mask under which an ending sees the beginning and itself: a tree in one sequence (the device of
  Miao et al. 2024, SpecInfer, arXiv:2305.09781). Done where it saves tokens and does not
  enlarge the attention matrix.
- *Only scored positions reach the head.* At proxy size the vocabulary costs as much as the layers
  (`micro`: 0.52 M multiplications a token against 0.64 M).
- *Rows of like length together*, so that little is padding.

Padding stands at the right, where a causal model cannot see it. What is summed is fp64. The result
does not depend on the order of the input beyond rounding: rows are sorted by length, ties by place.

Where it fails: a model that does more to its logits than one linear map (soft-capping in Gemma 2,
scaling in Granite and Cohere) is refused by a check on the first row.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import ConfigError
from lab.core.progress import SILENT, Progress
from lab.evaluation.encoding import Span, windows

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

BATCH_TOKENS = (
    2048  # fed at once; larger batches were slower on a CPU (492 items a second, 427 at 8,192)
)
LOGITS = 1 << 21  # held at once: 8 MB, near the size of a cache


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence to feed, and what to read: after index `at`, token `target`, for `owner`."""

    tokens: list[int]
    positions: list[int]
    branches: list[int]  # 0 for the shared beginning, 1.. for the endings
    at: list[int]
    targets: list[int]
    owners: list[int]

    @property
    def branched(self) -> bool:
        """True if several endings share the row."""
        return self.branches[-1] > 0


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Per span, in input order: log-likelihood in nats, and how it was read."""

    nats: NDArray[np.float64]
    greedy: NDArray[np.bool_]  # every scored token was the model's first choice
    lost: NDArray[np.uint32]  # context tokens that did not fit


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
    Raises ConfigError if the model's head is not one linear map.
    """
    rows, lost = plan(groups, max_length)
    count = len(lost)
    order = sorted(range(len(rows)), key=lambda i: (rows[i].branched, -len(rows[i].tokens), i))
    owners, values, firsts = [], [], []
    with inference(model):
        if rows:
            check_head(model, rows[order[-1]])
        done = 0
        for batch in batches([rows[i] for i in order]):
            value, first = score_batch(model, batch)
            owners.append(np.concatenate([np.asarray(row.owners, np.int64) for row in batch]))
            values.append(value)
            firsts.append(first)
            done += len(batch)
            progress(done, len(rows), message)
    owner = np.concatenate(owners or [np.zeros(0, np.int64)])
    total = np.bincount(owner, np.concatenate(values or [np.zeros(0)]), count)
    missed = np.bincount(owner, ~np.concatenate(firsts or [np.zeros(0, bool)]), count)
    return Likelihoods(total.astype(np.float64), missed == 0, np.asarray(lost, np.uint32))


def plan(groups: Sequence[Sequence[Span]], max_length: int) -> tuple[list[Row], list[int]]:
    """Rows that score every span, and per span the context tokens that do not fit.

    A Python loop: 25 us an item of four choices, where the smallest model needs 1,800.
    """
    rows: list[Row] = []
    lost: list[int] = []
    for group in groups:
        owners = range(len(lost), len(lost) + len(group))
        fits = all(len(span.tokens) - 1 <= max_length for span in group)
        shared = common_beginning(group) if fits and len(group) > 1 else 0
        if shared and pays(group, shared):
            rows.append(branched_row(group, shared, owners))
            lost.extend(0 for _ in group)
            continue
        for owner, span in zip(owners, group, strict=True):
            pieces, cut = windows(span, max_length)
            rows.extend(branched_row([piece], len(piece.tokens) - 1, [owner]) for piece in pieces)
            lost.append(cut)
    return rows, lost


def common_beginning(group: Sequence[Span]) -> int:
    """Number of tokens that all spans begin with, short of the last token of the shortest."""
    first, last = min(s.tokens for s in group), max(s.tokens for s in group)
    limit = min(len(span.tokens) for span in group) - 1
    pairs = zip(first[:limit], last, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), limit)


def pays(group: Sequence[Span], shared: int) -> bool:
    """True if one branched row has no larger attention matrix than the spans apart."""
    lengths = [len(span.tokens) - 1 for span in group]
    together = shared + sum(length - shared for length in lengths)
    return together**2 <= sum(length**2 for length in lengths)


def branched_row(group: Sequence[Span], shared: int, owners: Sequence[int]) -> Row:
    """The first `shared` tokens once, then the rest of every span; last tokens are only targets."""
    row = Row(group[0].tokens[:shared], list(range(shared)), [0] * shared, [], [], [])
    for branch, (span, owner) in enumerate(zip(group, owners, strict=True), start=1):
        shift = len(row.tokens) - shared  # from a place in the span to its place in the row
        ending = span.tokens[shared:-1]
        row.tokens.extend(ending)
        row.positions.extend(range(shared, shared + len(ending)))
        row.branches.extend([branch] * len(ending))
        before = range(span.start - 1, len(span.tokens) - 1)
        row.at.extend(i if i < shared else i + shift for i in before)
        row.targets.extend(span.tokens[span.start :])
        row.owners.extend([owner] * len(before))
    return row


def batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Runs of rows that hold at most BATCH_TOKENS with padding; branched rows are kept apart."""
    batch: list[Row] = []
    for row in rows:
        width = max(len(row.tokens), *(len(r.tokens) for r in batch[:1]), 0)
        full = width * (len(batch) + 1) > BATCH_TOKENS
        if batch and (full or batch[0].branched != row.branched):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


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


def score_batch(
    model: "PreTrainedModel", batch: Sequence[Row]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(log-probability, was it the first choice) of every target of the batch, row after row."""
    import torch

    inputs = feed(batch, model.device)
    hidden = body(model)(**inputs, use_cache=False).last_hidden_state
    wanted = [
        (i, *pair) for i, row in enumerate(batch) for pair in zip(row.at, row.targets, strict=True)
    ]
    places, back = np.unique(np.asarray(wanted), axis=0, return_inverse=True)
    rows, at, targets = torch.from_numpy(places.T.copy()).to(model.device)
    picked, head = hidden[rows, at], model.get_output_embeddings()
    step = max(64, LOGITS // int(model.config.vocab_size))
    values, firsts = [], []
    for low in range(0, len(targets), step):
        logits = head(picked[low : low + step]).float()
        gold = logits.gather(1, targets[low : low + step, None])[:, 0]
        values.append((gold - logits.logsumexp(1)).cpu().double().numpy())
        firsts.append((gold >= logits.amax(1)).cpu().numpy())
    return np.concatenate(values)[back], np.concatenate(firsts)[back]


def feed(batch: Sequence[Row], device: "torch.device") -> dict[str, Any]:
    """The arguments of the model's body: tokens, and for branched rows positions and mask."""
    import torch

    def padded(lists: Sequence[list[int]], fill: int) -> torch.Tensor:
        array = np.full((len(lists), max(map(len, lists))), fill, np.int64)
        for line, values in zip(array, lists, strict=True):
            line[: len(values)] = values
        return torch.from_numpy(array).to(device)

    tokens = padded([row.tokens for row in batch], 0)
    if not batch[0].branched:
        return {"input_ids": tokens}
    branch = padded([row.branches for row in batch], -1)
    seen = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
    seen = seen.tril()[:, None]
    mask = torch.zeros(seen.shape, device=device).masked_fill(~seen, torch.finfo(torch.float32).min)
    positions = padded([row.positions for row in batch], 0)
    return {"input_ids": tokens, "position_ids": positions, "attention_mask": mask}


def body(model: "PreTrainedModel") -> Any:
    """The model without its head."""
    return model.base_model


def check_head(model: "PreTrainedModel", row: Row) -> None:
    """ConfigError unless head(body(x)) is what the model itself returns, on one row."""
    inputs = feed([row], model.device)
    whole = model(**inputs, use_cache=False).logits.float()
    hidden = body(model)(**inputs, use_cache=False).last_hidden_state
    parts = model.get_output_embeddings()(hidden).float()
    if not bool((whole - parts).abs().max() <= 1e-3 * (1 + whole.abs().max())):
        raise ConfigError(
            "This model does more to its logits than one linear map; it cannot be scored here.",
            where=type(model).__name__,
            next_step="score a Llama-like model",
        )
