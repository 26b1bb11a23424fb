"""Simulated epoching: by hand, as invariants, and against a target whose optimum is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.proxy.packing import PhasePlan, pack
from lab.proxy.reading import Documents, Parts, in_order
from lab.proxy.repetition import (
    Budget,
    first_documents,
    foresee,
    match_repetition,
    repetition_notes,
)
from lab.proxy.shards import open_rows

EOT = 0


def corpus(lengths: list[int]) -> Parts:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return [(np.ones(offsets[-1], np.uint16), offsets)]


def phase(share: float = 1.0, weights: dict | None = None, **rows: Documents) -> PhasePlan:
    return PhasePlan("p", share, weights or dict.fromkeys(rows, 1 / len(rows)), rows)


def test_a_tenth_of_the_budget_keeps_a_tenth_of_the_text() -> None:
    tokens = {"a": corpus([7] * 100), "b": corpus([15] * 40)}  # 800 and 640 with end-of-text
    plan = phase(weights={"a": 0.25, "b": 0.75}, a=np.arange(100), b=np.arange(40))
    (kept,), account = match_repetition([plan], tokens, Budget(960, 9600, 8), seed=0)
    a, b = account["sources"]["a"], account["sources"]["b"]
    assert (a["pool_tokens"], a["used_tokens"], a["documents"]) == (800, 80, 10)
    assert (b["pool_tokens"], b["used_tokens"], b["documents"]) == (640, 64, 4)
    assert a["epochs_here"] == a["epochs_target"] == 3.0  # 2,400 of 800 tokens, 240 of 80
    assert b["epochs_here"] == b["epochs_target"] == 11.25
    assert (len(kept.rows["a"]), len(kept.rows["b"])) == (10, 4)
    assert (account["match"], account["target_tokens"]) == (True, 9600)
    assert repetition_notes(account, Budget(960, 9600, 8)) == []


def test_without_matching_all_documents_stay_and_the_difference_is_said() -> None:
    tokens = {"a": corpus([7] * 100)}
    plan, budget = phase(a=np.arange(100)), Budget(160, 1600, 8)
    kept, account = match_repetition([plan], tokens, budget, seed=0, match=False)
    assert kept == [plan]
    use = account["sources"]["a"]
    assert (use["used_tokens"], use["epochs_here"], use["epochs_target"]) == (800, 0.2, 2.0)
    (note,) = repetition_notes(account, budget)
    assert "0.2 times here and 2 times in the real run" in note
    assert "off" in note


def test_a_proxy_longer_than_the_target_uses_everything_and_says_so() -> None:
    tokens, plan, budget = {"a": corpus([7] * 100)}, phase(a=np.arange(100)), Budget(3200, 1600, 8)
    kept, account = match_repetition([plan], tokens, budget, seed=0)
    assert kept[0].rows["a"].tolist() == list(range(100))
    assert account["sources"]["a"]["epochs_here"] == 4.0
    (note,) = repetition_notes(account, budget)
    assert "more than the 1,600 of the real run" in note
    assert "2 times as often" in note


def test_a_source_of_one_document_keeps_it_and_the_loss_is_said() -> None:
    tokens = {"a": corpus([99]), "b": corpus([9] * 1000)}
    plan, budget = phase(a=np.arange(1), b=np.arange(1000)), Budget(1000, 100_000, 256)
    kept, account = match_repetition([plan], tokens, budget, seed=0)
    assert kept[0].rows["a"].tolist() == [0]
    assert account["sources"]["a"]["epochs_here"] == 5.0
    assert account["sources"]["a"]["epochs_target"] == 500.0
    said = repetition_notes(account, budget)
    assert any("'a' is seen 5 times here and 5e+02 times" in note for note in said)
    (small,) = [note for note in said if "less than one sequence" in note]
    assert "'b'" in small  # of 'a' all there is was kept
    assert "only 100 tokens" in small


def test_phases_with_filters_are_cut_in_one_order() -> None:
    """What a sharper phase keeps is what the broad one keeps of it, but for the cut's edge."""
    tokens = {"a": corpus([9] * 1000)}
    sharp = np.arange(0, 1000, 5)
    plans = [phase(0.8, a=np.arange(1000)), phase(0.2, a=sharp)]
    kept, account = match_repetition(plans, tokens, Budget(1000, 10_000, 8), seed=3)
    broad, late = (set(plan.rows["a"].tolist()) for plan in kept)
    assert (len(broad), len(late)) == (100, 20)
    assert len(late - broad) <= 8
    assert late <= set(sharp.tolist())
    order = in_order(np.arange(1000), "a", 3, 0).tolist()
    assert broad == set(order[:100])
    assert late == set([d for d in order if d % 5 == 0][:20])
    assert account["sources"]["a"]["documents"] == len(broad | late)


lengths = st.lists(st.integers(1, 50), min_size=1, max_size=60)


@given(lengths, st.floats(1e-4, 1.5), st.floats(1e-4, 1.5), st.integers(0, 9))
def test_a_larger_budget_keeps_what_a_smaller_one_kept(
    sizes: list[int], one: float, other: float, seed: int
) -> None:
    rows, size = np.arange(len(sizes)), np.array(sizes)
    low, high = sorted((one, other))
    small = set(first_documents(rows, size, low, "s", seed).tolist())
    large = set(first_documents(rows, size, high, "s", seed).tolist())
    assert small <= large


@given(lengths, st.floats(1e-4, 1.0), st.integers(0, 9), st.floats(0.05, 1.0))
def test_epochs_are_those_of_the_target_within_one_document(
    sizes: list[int], factor: float, seed: int, weight: float
) -> None:
    tokens = {"a": corpus(sizes), "b": corpus([5] * 50)}
    weights = {"a": weight, "b": 1 - weight} if weight < 1 else {"a": 1.0}
    rows = {"a": np.arange(len(sizes)), "b": np.arange(50)}
    plan = PhasePlan("p", 1.0, weights, {name: rows[name] for name in weights})
    target = 100_000
    budget = Budget(round(factor * target), target, 8)
    _, account = match_repetition([plan], tokens, budget, seed=seed)
    use = account["sources"]["a"]
    longest = max(sizes) + 1
    assert use["documents"] >= 1
    trained = weight * budget.proxy
    assert use["used_tokens"] == pytest.approx(trained / use["epochs_here"])
    assert abs(trained / use["epochs_here"] - trained / use["epochs_target"]) <= longest


def test_a_source_that_is_never_repeated_is_read_as_without_matching(tmp_path: Path) -> None:
    tokens = {"a": corpus([11] * 300)}
    tokens["a"][0][0][:] = np.arange(3300)
    plan = phase(a=np.arange(300))
    budget = Budget(64 * 8, 2560, 8)  # the target reads 2,560 of 3,600 tokens
    tables = []
    for match in (True, False):
        phases, _ = match_repetition([plan], tokens, budget, seed=1, match=match)
        folder = tmp_path / str(match)
        pack(folder, phases, tokens, sequences=64, sequence_length=8, eot_id=EOT, seed=1)
        tables.append(open_rows(folder).rows(0, 64))
    assert (tables[0] == tables[1]).all()


SYMBOLS, TARGET, PART = 64, 1 << 17, 8
GRID = (0.02, 0.04, 0.1, 0.3, 0.6)


def world() -> tuple[dict[str, np.ndarray], dict[str, Parts]]:
    """Two languages of unrelated letters; of `scarce` there is a fiftieth of the real run."""
    rng = np.random.default_rng(5)
    letters = {name: rng.dirichlet(np.full(SYMBOLS, 0.5)) for name in ("common", "scarce")}
    tokens = {}
    for k, (name, count) in enumerate((("common", 8000), ("scarce", 125))):
        flat = 1 + k * SYMBOLS + rng.choice(SYMBOLS, count * 20, p=letters[name])
        tokens[name] = [(flat.astype(np.uint16), np.arange(0, count * 20 + 1, 20))]
    return letters, tokens


def excess(rows: np.ndarray, letters: dict[str, np.ndarray]) -> float:
    """What a model of counts has not learnt: the mean divergence from both languages, in nats."""
    counts = np.bincount(rows[:, 1:].ravel(), minlength=2 * SYMBOLS + 1)[1:].reshape(2, SYMBOLS)
    guess = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
    true = np.stack([letters["common"], letters["scarce"]])
    return float((true * np.log((true + 1e-12) / guess)).sum(axis=1).mean())


def best_weight(tmp_path: Path, proxy: int, match: bool) -> float:
    letters, tokens = world()
    rows = {name: np.arange(len(parts[0][1]) - 1) for name, parts in tokens.items()}
    found = {}
    for weight in GRID:
        plan = phase(weights={"common": 1 - weight, "scarce": weight}, **rows)
        budget = Budget(proxy, TARGET, 16)
        losses = []
        for seed in range(3):
            phases, _ = match_repetition([plan], tokens, budget, seed=seed, match=match)
            folder = tmp_path / f"{proxy}-{match}-{weight}-{seed}"
            count = proxy // 16
            pack(folder, phases, tokens, sequences=count, sequence_length=16, eot_id=EOT, seed=seed)
            losses.append(excess(open_rows(folder).rows(0, count), letters))
        found[weight] = float(np.mean(losses))
    return min(found, key=lambda weight: found[weight])


def test_a_matched_proxy_finds_the_weight_that_is_best_in_the_target(tmp_path: Path) -> None:
    """Planted: repeats of `scarce` teach nothing, so the target wants little more than one epoch.

    A short run that never comes to the repeats wants half of its tokens from each language.
    """
    target = best_weight(tmp_path, TARGET, match=False)
    assert best_weight(tmp_path, TARGET // PART, match=True) == target
    assert best_weight(tmp_path, TARGET // PART, match=False) >= 4 * target


def test_what_a_proxy_would_see_before_it_is_prepared() -> None:
    sources = pl.DataFrame(
        {
            "source": ["web", "books", "unused"],
            "epochs": [0.5, 8.0, 0.0],
            "kept_documents": [10_000, 4, 10],
            "unique_tokens": [1_000_000, 4_000, 100],
        }
    )
    found = foresee(sources, Budget(10_000, 1_000_000, 256))
    rows = {row["source"]: row for row in found.to_dicts()}
    assert set(rows) == {"web", "books"}
    assert rows["web"]["matched"] == pytest.approx(0.5)
    assert rows["web"]["unmatched"] == pytest.approx(0.005)
    assert rows["web"]["used_tokens"] == 10_000
    assert rows["books"]["used_tokens"] == 1_000  # one document, not a hundredth of four
    assert rows["books"]["matched"] == pytest.approx(0.08 * 4)
    longer = foresee(sources, replace(Budget(1, 1, 256), proxy=2_000_000, target=1_000_000))
    assert longer["matched"].to_list() == longer["unmatched"].to_list() == [1.0, 16.0]
