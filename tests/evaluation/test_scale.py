"""Does the order hold? Pairs planted to hold, to flip and to stay open."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import new_model, save_run, train_on
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from lab.core.errors import ConfigError
from lab.core.estimate import Estimate
from lab.core.files import read_json, write_json
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.evaluation.comparing.scale import PairAtSizes, Scale, agreement, scale
from lab.evaluation.comparing.verdicts import Difference
from lab.evaluation.runs.evaluate import evaluate_run
from lab.evaluation.runs.metrics import Metric
from lab.proxy.sizes import SIZES

GOLD = Metric("benchmark", "facts", "gold_bpb", "bits/byte", "lower")


def row(value: float, half: float) -> Difference:
    """b - a with an interval; below zero B is better."""
    estimate = Estimate(value, value - half, value + half, 100)
    zero = Estimate(0, 0, 0, 100)
    better = "B better" if value < 0 else "A better"
    verdict = better if estimate.resolved else "unresolved"
    return Difference(
        GOLD, "a", "b", zero, zero, estimate, None, 3, True, 0.01, None, 0.5, verdict, "because"
    )


def pair(name: str, small: tuple[float, float], large: tuple[float, float]) -> PairAtSizes:
    return PairAtSizes(GOLD, "a", name, row(*small), row(*large))


HOLDS = pair("b", (-1, 0.1), (-0.5, 0.1))
FLIPS = pair("c", (-1, 0.1), (0.5, 0.1))
OPEN = pair("d", (-1, 0.1), (0.1, 0.5))  # the sign turns, inside the noise
LIKELY = pair("e", (-1, 0.1), (-0.1, 0.5))


def test_pairs_hold_flip_or_stay_open() -> None:
    assert [p.verdict for p in (HOLDS, FLIPS, OPEN, LIKELY)] == [
        "holds", "flips", "unresolved", "unresolved",
    ]  # fmt: skip


def test_agreement_and_its_bounds_by_hand() -> None:
    found = agreement("nano", "micro", [HOLDS, FLIPS, OPEN, LIKELY])
    assert (found.agreement.value, found.tau) == (0.5, 0.0)  # the same sign in two of four
    assert (found.agreement.low, found.agreement.high) == (0.25, 0.75)
    assert found.verdict == "another order at micro: a, c flip beyond noise"
    assert Scale(("nano", "micro"), (found,), (), ()).warnings == [
        "facts gold_bpb: another order at micro: a, c flip beyond noise"
    ]


def test_inside_the_noise_nothing_is_said() -> None:
    found = agreement("nano", "micro", [OPEN])
    assert (found.agreement.low, found.agreement.high) == (0, 1)
    assert found.verdict == "unresolved: 1 of 1 pairs are inside the noise"
    assert agreement("nano", "micro", [HOLDS]).verdict == "the order holds"


def test_missing_runs_are_named_with_their_command(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    found = scale(ws, ["a", "b"], ["nano", "micro"])
    assert found.missing[0] == ("a", "nano", "mixlab train a --size nano --seeds 2")
    assert len(found.missing) == 4 and not found.rows
    assert "Two sizes" in found.notes[0]
    with pytest.raises(ConfigError, match="two recipes"):
        scale(ws, ["a", "a"])
    with pytest.raises(ConfigError, match="Unknown proxy size"):
        scale(ws, ["a", "b"], ["nanoo"])


def write(
    ws: Workspace, name: str, model: LlamaForCausalLM, tokenizer: Tokenizer, **spec: Any
) -> None:
    """A finished and scored run, with the keys that proxy writes."""
    fixed = {"id": name, "created": f"2026-01-01T00:00:{len(list(ws.runs.iterdir())):02d}+00:00"}
    fixed |= {"steps": 1, "tokenizer": {"name": "t"}, "selection": "s", "sources": []}
    folder = save_run(ws.runs / name, model, tokenizer, fixed | spec)
    write_json(folder / "status.json", {"state": "done"})
    evaluate_run(ws, folder)


def test_two_trained_sizes_agree_on_the_order_on_every_text(
    tmp_path: Path, tokenizer: Tokenizer, write_lines: Callable[..., Path]
) -> None:
    """Real training at two widths, three seeds each: the order on each text is the same at both."""
    ws = create(tmp_path / "w", heldout_share=0.3)
    rng = np.random.default_rng(0)
    words = {"river": ["The river", "runs", "the lamp"], "stone": ["Which", "copper", "is in"]}
    texts = {
        name: [" ".join(rng.choice(parts, 12)) + f" {k}" for k in range(80)]
        for name, parts in words.items()
    }
    for name, documents in texts.items():
        rows = [{"text": text} for text in documents]
        add_source(ws, name, [str(write_lines(*rows, name=f"{name}.jsonl"))])
    for name, (size, hidden), seed in product(texts, (("nano", 16), ("micro", 32)), range(3)):
        tokens = [t for text in texts[name] for t in [0, *tokenizer.encode(text).ids]]
        model = new_model(tokenizer.get_vocab_size(), seed, scale=0.02, hidden=hidden)
        spec = {"recipe": name, "recipe_id": name, "size": size, "seed": seed}
        spec |= {"hyperparameters": asdict(SIZES[size])}
        write(ws, f"{name}-{size}-{seed}", train_on(model, tokens, 20, seed), tokenizer, **spec)
    found = scale(ws, ["river", "stone"])
    assert (found.sizes, found.missing) == (("nano", "micro"), ())
    rows_of = {row.metric.on: row for row in found.rows}
    for name in texts:
        assert (rows_of[name].verdict, rows_of[name].agreement.value) == ("the order holds", 1)
    assert not any("differs between" in note for note in found.notes)
    for seed in range(3):
        path = ws.runs / f"stone-micro-{seed}" / "run.json"
        write_json(path, read_json(path) | {"recipe_id": "edited", "selection": "other"})
    notes = scale(ws, ["river", "stone"]).notes
    told = "stone differs between nano, micro in recipe, documents: that is part of every flip."
    assert told in notes and not any(note.startswith("river differs") for note in notes)
