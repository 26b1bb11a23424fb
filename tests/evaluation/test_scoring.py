"""Scores against a plain, slow reading of the model, one text at a time."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from tiny_models import CONTEXT, frame, item, rolling
from tokenizers import Tokenizer
from transformers import GraniteConfig, GraniteForCausalLM, LlamaConfig, LlamaForCausalLM

from lab.core.errors import Cancelled, ConfigError
from lab.core.progress import Progress
from lab.evaluation.benchmarks.prompts import Protocol, render
from lab.evaluation.scoring import rows as rows_of_tokens
from lab.evaluation.scoring.encoding import Span
from lab.evaluation.scoring.likelihood import Likelihoods, log_likelihoods
from lab.evaluation.scoring.rows import plan
from lab.evaluation.scoring.scores import SCORES, item_scores, score_items


def slow(model: LlamaForCausalLM, tokenizer: Tokenizer, context: str, text: str) -> float:
    """Sum of log p of `text` after `context`, one forward pass, log_softmax over all positions."""
    space = "" if not context or context[-1].isspace() or text[0].isspace() else " "
    moved = context[len(context.rstrip()) :]
    context, text = context.rstrip(), moved + space + text
    whole = tokenizer.encode(context + text, add_special_tokens=False).ids
    size = len(tokenizer.encode(context, add_special_tokens=False).ids) if context else 0
    if not size:
        whole, size = [0, *whole], 1
    fed = whole[-(CONTEXT + 1) :][:-1]
    with torch.no_grad():
        table = model(input_ids=torch.tensor([fed])).logits[0].log_softmax(-1)
    gold = whole[size:]
    rows = table[-len(gold) :]
    return float(sum(rows[i, token] for i, token in enumerate(gold)))


def test_every_item_and_choice_as_the_slow_reading(
    model: LlamaForCausalLM, tokenizer: Tokenizer, items: pl.DataFrame
) -> None:
    scores = score_items(model, tokenizer, items)
    assert scores.schema == SCORES
    assert scores["item_id"].to_list() == items["id"].to_list()
    for row, scored in zip(items.rows(named=True), scores.rows(named=True), strict=True):
        texts = row["choices"] or [row["answer"]]
        expected = [slow(model, tokenizer, row["question"], text) for text in texts]
        assert scored["nats"] == pytest.approx(expected, abs=2e-5), row["id"]


def test_the_columns_by_hand(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    row = item(0, question="The lamp is", choices=["green", "Ω", "a copper"], answer_index=1)
    [scored] = score_items(model, tokenizer, frame([row])).rows(named=True)
    nats, size = scored["nats"], scored["bytes"]
    assert size == [len(" green"), len(" Ω".encode()), len(" a copper")]
    assert size[1] == 3
    rate = [n / b for n, b in zip(nats, size, strict=True)]
    assert scored["gold_bpb"] == pytest.approx(-rate[1] / math.log(2))
    assert scored["margin"] == pytest.approx(nats[1] - max(nats[0], nats[2]))
    assert scored["correct"] == (nats[1] == max(nats))


def test_accuracy_by_length_divides_by_characters_without_the_joining_space() -> None:
    """As `acc_norm` does; by bytes, or with the space, the first choice would win."""
    row = item(0, question="Q", choices=["Ωé", "abcd", "abcdefgh"], answer_index=1)
    items = frame([row])
    nats = np.array([-2.4, -4.4, -9.2])  # a character: -1.2, -1.1, -1.15
    found = Likelihoods(nats, np.zeros(3, bool), np.zeros(3, np.uint32))
    [scored] = item_scores(items, render(items), found).rows(named=True)
    assert (scored["correct"], scored["correct_norm"]) == (False, True)


def test_letters_have_one_length_so_both_accuracies_are_one(
    model: LlamaForCausalLM, tokenizer: Tokenizer, items: pl.DataFrame
) -> None:
    chosen = items.filter(kind="multiple_choice")
    table = render(chosen, Protocol("letters", 0, "arc"))
    scores = score_items(model, tokenizer, chosen, table=table)
    assert scores["correct_norm"].equals(scores["correct"], check_names=False)


def test_kinds_have_what_they_can_have(
    model: LlamaForCausalLM, tokenizer: Tokenizer, items: pl.DataFrame
) -> None:
    scores = score_items(model, tokenizer, items)
    cloze, generative = scores.row(7, named=True), scores.row(8, named=True)
    assert cloze["correct"] is False  # an untrained model's first choice is another
    assert cloze["margin"] is None
    assert generative["correct"] is None
    assert generative["gold_bpb"] > 0
    assert scores["correct"].null_count() == 1


def test_greedy_means_every_token_was_the_first_choice(model: LlamaForCausalLM) -> None:
    context = [3, 4, 5, 6]
    for _ in range(3):
        with torch.no_grad():
            context.append(int(model(input_ids=torch.tensor([context])).logits[0, -1].argmax()))
    swapped = [*context[:5], context[5] ^ 1, context[6]]
    found = log_likelihoods(model, [[Span(context, 4)], [Span(swapped, 4)]], max_length=CONTEXT)
    assert found.greedy.tolist() == [True, False]


def test_items_that_share_a_question_are_one_cluster_and_pairs_are_not(
    model: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    rows = [
        item(0, question="Which?", choices=["a", "b"]),
        item(1, question="Which?", choices=["c", "d"]),
        item(2, choices=["x y", "y x"]),
        item(3, choices=["p q", "q p"]),
    ]
    scores = score_items(model, tokenizer, frame(rows))
    assert scores["cluster"].to_list() == ["i0", "i0", "i2", "i3"]


def test_order_and_batch_do_not_matter(
    model: LlamaForCausalLM,
    tokenizer: Tokenizer,
    items: pl.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = pl.concat([items.with_columns(pl.col("id") + f"-{k}") for k in range(5)])
    expected = score_items(model, tokenizer, many)
    again = score_items(model, tokenizer, many)
    assert again.equals(expected)
    shuffled = score_items(model, tokenizer, many.sample(fraction=1, shuffle=True, seed=3))
    back = many.select("id").join(shuffled, left_on="id", right_on="item_id", maintain_order="left")
    wide = expected["nats"].explode().to_numpy()
    assert np.abs(back["nats"].explode().to_numpy() - wide).max() < 2e-5
    for size in (1, 70, 100_000):
        monkeypatch.setattr(rows_of_tokens, "BATCH_TOKENS", size)
        other = score_items(model, tokenizer, many)
        assert np.abs(other["nats"].explode().to_numpy() - wide).max() < 2e-5


def test_sharing_a_beginning_saves_tokens_and_changes_nothing(model: LlamaForCausalLM) -> None:
    context = list(range(1, 25))
    group = [Span([*context, *end], 24) for end in ([30, 31], [30, 32, 33], [40], [41, 42])]
    shared = plan([group], CONTEXT).rows
    assert [len(row.tokens) for row in shared] == [24 + 1 + 2 + 0 + 1]
    apart = plan([[span] for span in group], CONTEXT)
    assert sum(len(row.tokens) for row in apart.rows) == 25 + 26 + 24 + 25
    together = log_likelihoods(model, [group], max_length=CONTEXT).nats
    alone = log_likelihoods(model, [[span] for span in group], max_length=CONTEXT).nats
    assert together == pytest.approx(alone, abs=1e-5)


def test_scored_tokens_inside_a_shared_beginning_count_for_every_choice(
    model: LlamaForCausalLM,
) -> None:
    begin = list(range(1, 20))
    group = [Span([0, *begin, 50], 1), Span([0, *begin, 51, 52], 1)]
    assert len(plan([group], CONTEXT).rows) == 1
    together = log_likelihoods(model, [group], max_length=CONTEXT).nats
    alone = log_likelihoods(model, [[span] for span in group], max_length=CONTEXT).nats
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_choice_longer_than_the_context_is_scored_in_pieces(
    model: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    long = "漢字 bridge " * 40
    row = item(0, question="Which stone?", choices=[long, "short"])
    [scored] = score_items(model, tokenizer, frame([row])).rows(named=True)
    context = tokenizer.encode("Which stone?").ids
    whole = tokenizer.encode("Which stone? " + long).ids
    assert len(whole) > 3 * CONTEXT
    total = rolling(model, whole, len(context))
    assert scored["nats"][0] == pytest.approx(total, abs=1e-3)
    assert scored["lost"] == len(context) - 1
    assert scored["bytes"][0] == len((" " + long).encode())


def test_scoring_leaves_the_model_as_it_was(
    model: LlamaForCausalLM, tokenizer: Tokenizer, items: pl.DataFrame
) -> None:
    model.train()
    score_items(model, tokenizer, items)
    assert model.training
    model.eval()


def test_a_head_that_scales_its_logits_is_refused(
    tokenizer: Tokenizer, items: pl.DataFrame
) -> None:
    config = GraniteConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.3,
        logits_scaling=8.0,
    )
    with pytest.raises(ConfigError, match="not a plain Llama"):
        score_items(GraniteForCausalLM(config), tokenizer, items)


def test_no_items_are_no_scores(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    assert score_items(model, tokenizer, frame([])).height == 0


def test_a_request_to_stop_stops(
    model: LlamaForCausalLM, tokenizer: Tokenizer, items: pl.DataFrame
) -> None:
    with pytest.raises(Cancelled):
        score_items(model, tokenizer, items, progress=Progress(should_stop=lambda: True))


def few_shot_groups(header: list[int], count: int = 6) -> list[list[Span]]:
    """Four-choice items behind one header: choices of one to three tokens."""
    rng = np.random.default_rng(1)
    groups = []
    for _ in range(count):
        context = [*header, *rng.integers(1, 300, 3).tolist()]
        sizes = (1, 2, 3, 1)
        groups.append(
            [Span([*context, *rng.integers(1, 300, n).tolist()], len(context)) for n in sizes]
        )
    return groups


def test_a_header_that_items_share_is_fed_once_and_changes_nothing(model: LlamaForCausalLM) -> None:
    one, two = list(range(1, 36)), list(range(60, 96))
    groups = [*few_shot_groups(one), *few_shot_groups(two), *few_shot_groups([5, 6])]
    groups.append([Span([*one, *range(7, 30)], 50)])  # begins with a header, and is too long for it
    found = plan(groups, CONTEXT)
    assert [len(header) for header in found.headers] == [35, 36]
    assert max(len(row.tokens) for row in found.rows[:12]) < 20
    together = log_likelihoods(model, groups, max_length=CONTEXT)
    spans = [span for group in groups for span in group]
    alone = [float(log_likelihoods(model, [[s]], max_length=CONTEXT).nats[0]) for s in spans]
    assert together.nats == pytest.approx(alone, abs=2e-5)
    assert together.lost.tolist() == [0] * 72 + [len(spans[-1].tokens) - 1 - CONTEXT]


def test_grouped_heads_of_keys_and_values_score_as_the_model_does(tokenizer: Tokenizer) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.3,
    )
    grouped = LlamaForCausalLM(config)
    for name, gain in grouped.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(gain, 0.5, 2.0)
    row = item(0, question="Which stone?", choices=["copper", "the green river stone"])
    [scored] = score_items(grouped, tokenizer, frame([row])).rows(named=True)
    expected = [slow(grouped, tokenizer, "Which stone?", text) for text in row["choices"]]
    assert scored["nats"] == pytest.approx(expected, abs=2e-5)


def test_choices_that_are_cut_alike_still_share_what_is_left(model: LlamaForCausalLM) -> None:
    context = [7, *range(1, 60)]
    group = [Span([*context, *end], 60) for end in ([70], [71], [72, 73], [74, 75])]
    found = plan([group], CONTEXT)
    assert found.lost == [60 - CONTEXT, 60 - CONTEXT, 61 - CONTEXT, 61 - CONTEXT]
    assert sorted(len(row.tokens) for row in found.rows) == [CONTEXT, CONTEXT + 1]
    together = log_likelihoods(model, [group], max_length=CONTEXT).nats
    alone = [float(log_likelihoods(model, [[s]], max_length=CONTEXT).nats[0]) for s in group]
    assert together == pytest.approx(alone, abs=2e-5)
