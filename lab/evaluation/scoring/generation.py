"""Answers in a model's own words: greedy decoding in batches, and whether they are right.

Each next token is the most likely one (temperature 0, nothing is drawn), until end-of-text, a stop
text, or `max_new_tokens`. Keys and values of what has been read are kept, so a token costs one
position. Prompts of a batch are padded at the left and positions are counted from each prompt's own
beginning, so a prompt is answered as it would be alone. A prompt that leaves no room for the answer
is cut from the left, as in lm-evaluation-harness.

Proxies below some 100M parameters answer almost nothing right; the likelihood of the right answer
(`gold_bpb`) tells them apart long before. That is why this is done only when asked for. Cost: one
position of the model a token; a batch goes on until its longest answer ends.

Where it fails: where two tokens are equally likely to the last bits, the batch may decide, since
sums are rounded in another order.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from lab.core.errors import ConfigError
from lab.core.progress import SILENT, Progress
from lab.evaluation.scoring.answers import cut, extract, is_match
from lab.evaluation.scoring.encoding import encode
from lab.evaluation.scoring.likelihood import inference
from lab.evaluation.scoring.scores import context_length, end_of_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

BATCH: Final = 32  # prompts decoded together
ANSWER_TOKENS: Final = 128  # an answer of GSM8K with its solution has about 100


def generate_answers(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    stop: Sequence[str] = (),
    progress: Progress = SILENT,
) -> list[str]:
    """The greedy continuation of every prompt, cut before the first of the `stop` texts.

    Raises ConfigError if `max_new_tokens` leaves no room for a prompt in the model's context.
    """
    room = context_length(model) - max_new_tokens
    if max_new_tokens < 1 or room < 1:
        raise ConfigError(
            "The answer leaves no room for a prompt.",
            where="max_new_tokens",
            value=max_new_tokens,
            next_step=f"the model reads {context_length(model)} tokens; give 1 to "
            f"{context_length(model) - 1}",
        )
    eot = end_of_text(model)
    tokens = [ids[-room:] or [eot] for ids in encode(tokenizer, prompts)]
    order = sorted(range(len(tokens)), key=lambda i: -len(tokens[i]))
    answers = [""] * len(tokens)
    with inference(model):
        for low in range(0, len(order), BATCH):
            chosen = order[low : low + BATCH]
            found = decode(model, tokenizer, [tokens[i] for i in chosen], max_new_tokens, stop, eot)
            for i, text in zip(chosen, found, strict=True):
                answers[i] = text
            progress(low + len(chosen), len(order), "generating answers")
    return answers


def decode(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    stop: Sequence[str],
    eot: int,
) -> list[str]:
    """Greedy continuations of one batch of prompts, all decoded side by side."""
    import torch
    from transformers import DynamicCache

    width = max(map(len, prompts))
    device = model.device
    fed = torch.tensor([[eot] * (width - len(p)) + p for p in prompts], device=device)
    real = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    places = (real.cumsum(1) - 1).clamp_min(0)
    cache = DynamicCache(config=model.config)
    made: list[list[int]] = [[] for _ in prompts]
    texts: list[str | None] = [None] * len(prompts)  # None while the answer goes on
    for _ in range(max_new_tokens):
        out = model(
            input_ids=fed,
            attention_mask=real,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        fed = out.logits[:, -1].argmax(-1, keepdim=True)
        for i, token in enumerate(fed[:, 0].tolist()):
            if texts[i] is None:
                texts[i] = ended(tokenizer, made[i], token, stop, eot)
        if None not in texts:
            break
        real = torch.cat((real, torch.ones_like(fed)), 1)
        places = places[:, -1:] + 1
    return [
        tokenizer.decode(ids, skip_special_tokens=False) if text is None else text
        for ids, text in zip(made, texts, strict=True)
    ]


def ended(
    tokenizer: "Tokenizer", made: list[int], token: int, stop: Sequence[str], eot: int
) -> str | None:
    """The answer if it ends with `token`; None, with `token` added to `made`, if it goes on."""
    if token != eot:
        made.append(token)
    text = tokenizer.decode(made, skip_special_tokens=False)
    short = cut(text, stop)
    return short if token == eot or len(short) < len(text) else None


def exact_matches(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    items: pl.DataFrame,
    table: pl.DataFrame,
    progress: Progress = SILENT,
) -> pl.Series:
    """Per item, if the generated answer is right; null for items that are not generative.

    `table` holds the texts of `items` (see `prompts.render`); how an answer ends and is read is in
    the item's `meta`: `stop`, `answer_pattern`, `aliases`. An empty pattern means that the answer
    cannot be judged by its text, as with programs: such items are not generated.
    """
    prompts = table.group_by("item", maintain_order=True).agg(pl.col("context").first())["context"]
    metas = [json.loads(meta or "{}") for meta in items["meta"]]
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, kind in enumerate(items["kind"]):
        if kind == "generative" and metas[i].get("answer_pattern", "line"):
            groups.setdefault(tuple(metas[i].get("stop", ["\n"])), []).append(i)
    exact: list[bool | None] = [None] * items.height
    longest = min(ANSWER_TOKENS, context_length(model) // 2)
    for number, (stop, members) in enumerate(groups.items()):
        answers = generate_answers(
            model,
            tokenizer,
            prompts.gather(members).to_list(),
            max_new_tokens=longest,
            stop=stop,
            progress=progress.part(number / len(groups), (number + 1) / len(groups)),
        )
        for i, answer in zip(members, answers, strict=True):
            pattern = metas[i].get("answer_pattern", "line")
            aliases = metas[i].get("aliases", [])
            exact[i] = is_match(extract(answer, pattern), items["answer"][i], aliases, pattern)
    return pl.Series("exact", exact, pl.Boolean)
