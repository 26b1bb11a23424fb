"""Comparisons: planted scores with known answers, then real models trained on unlike text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tiny_models import new_model, save_run, train_on
from tokenizers import Tokenizer

from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.files import write_json
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.evaluation.comparing.compare import Comparison, compare
from lab.evaluation.comparing.verdicts import UNKNOWN_SEEDS, Difference
from lab.evaluation.runs.evaluate import RunScores, evaluate_run, known_scores, save
from lab.evaluation.scoring.heldout import HELDOUT
from lab.evaluation.scoring.scores import SCORES

Write = Callable[..., Path]
ITEMS, DOCUMENTS = 200, 60


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def write_run(
    ws: Workspace,
    name: str,
    seed: int,
    gains: dict[str, float],
    *,
    bpb: float = 2.0,
    luck: float = 0.02,
    hashes: str = "h",
    **run: Any,
) -> Path:
    """A run folder with planted scores: accuracy 0.5 plus `gains` of its benchmark, held-out `bpb`.

    Items and documents have difficulties of their own, alike in all runs; a seed shifts them all.
    """
    folder = ws.runs / f"{name}-{seed}"
    (folder / "model").mkdir(parents=True)
    for file in ("model.safetensors", "config.json", "tokenizer.json"):
        (folder / "model" / file).write_text(f"{name} {seed}")
    write_json(folder / "run.json", {"seed": seed, "size": "nano", "tokens": 1000, **run})
    shift = float(np.random.default_rng([seed, len(name)]).normal(0, luck))
    scores = known_scores(folder)
    frames = [benchmark(b, 0.5 + gain + shift, seed, len(name)) for b, gain in gains.items()]
    rng = np.random.default_rng(5)
    size = rng.integers(200, 4000, DOCUMENTS)
    nats = size * np.log(2) * (bpb + shift + rng.normal(0, 0.3, DOCUMENTS))
    documents = pl.DataFrame(
        {
            "source": ["web"] * DOCUMENTS,
            "id": [f"web/{i:03d}" for i in range(DOCUMENTS)],
            "nats": nats,
            "bytes": size,
            "tokens": size // 4,
        }
    ).cast(HELDOUT)
    entry = {"hash": hashes, "items": ITEMS, "chance": 0.5}
    summary = scores.summary | {
        "context": 256,
        "benchmarks": {b: dict(entry) for b in gains},
        "heldout": {"web": {"hash": "d", "documents": DOCUMENTS}},
    }
    items = pl.concat(frames) if frames else pl.DataFrame(schema=SCORES)
    save(RunScores(folder, items, documents, summary))
    return folder


def benchmark(name: str, accuracy: float, seed: int, group: int) -> pl.DataFrame:
    """Scores of 200 items of two choices; each item is right with about probability `accuracy`."""
    skill = np.random.default_rng(len(name)).uniform(0, 1, ITEMS)
    rest = np.random.default_rng([seed, group, len(name)]).normal(0, 0.05, ITEMS)
    margin = accuracy - skill + rest
    return pl.DataFrame(
        {
            "benchmark": [name] * ITEMS,
            "item_id": [f"{name}-{i:03d}" for i in range(ITEMS)],
            "kind": ["multiple_choice"] * ITEMS,
            "cluster": [f"{name}-{i:03d}" for i in range(ITEMS)],
            "answer_index": [0] * ITEMS,
            "nats": [[m - 1.0, -1.0] for m in margin],
            "bytes": [[4, 4]] * ITEMS,
            "gold_bpb": (1 - margin) / 4,
            "margin": margin,
            "correct": margin > 0,
            "correct_norm": margin > 0,
            "lost": [0] * ITEMS,
            "exact": [None] * ITEMS,
        }
    ).cast(SCORES)


def row(found: Comparison, on: str, metric: str, scope: str = "benchmark") -> Difference:
    [one] = [
        r
        for r in found.rows
        if (r.metric.scope, r.metric.on, r.metric.metric) == (scope, on, metric)
    ]
    return one


def two_groups(ws: Workspace, seeds: int, gain: float, **kinds: float) -> dict[str, list[Path]]:
    base = dict.fromkeys(kinds or {"facts": 0.0}, 0.0)
    better = kinds or {"facts": gain}
    return {
        "A": [write_run(ws, "a", s, base) for s in range(seeds)],
        "BB": [write_run(ws, "bb", s, better, bpb=1.8) for s in range(seeds)],
    }


def test_a_planted_difference_is_resolved_with_its_sign_and_size(ws: Workspace) -> None:
    found = compare(ws, two_groups(ws, 3, 0.2))
    facts = row(found, "facts", "accuracy")
    assert facts.verdict == "B better"
    assert facts.difference.value == pytest.approx(0.2, abs=0.06)
    assert facts.b.value - facts.a.value == pytest.approx(facts.difference.value)
    assert facts.difference.low < facts.difference.value < facts.difference.high
    assert (facts.seeds, facts.paired, facts.difference.n) == (3, True, ITEMS)
    gold = row(found, "facts", "gold_bpb")
    assert (gold.verdict, gold.metric.better_is) == ("B better", "lower")
    assert gold.difference.value < 0
    web = row(found, "web", "bpb", "heldout")
    assert web.verdict == "B better"
    assert web.difference.value == pytest.approx(-0.2, abs=0.06)
    assert web.difference.n == DOCUMENTS


def test_the_other_order_says_the_same(ws: Workspace) -> None:
    groups = two_groups(ws, 3, 0.2)
    one, other = (compare(ws, dict(order)) for order in (groups.items(), [*groups.items()][::-1]))
    for left, right in zip(one.rows, other.rows, strict=True):
        assert left.difference.value == pytest.approx(-right.difference.value)
        assert left.p == pytest.approx(right.p)
        assert {left.verdict, right.verdict} in ({"A better", "B better"}, {"unresolved"})


def test_no_planted_difference_is_unresolved_and_says_what_would_help(ws: Workspace) -> None:
    groups = {
        "A": [write_run(ws, "a", s, {"facts": 0.0}) for s in range(3)],
        "BB": [write_run(ws, "bb", s, {"facts": 0.0}) for s in range(3)],
    }
    for found in compare(ws, groups).rows:
        assert found.verdict == "unresolved"
        assert "would help" in found.reason or "both at chance" in found.reason


def test_one_seed_is_never_resolved(ws: Workspace) -> None:
    found = compare(ws, two_groups(ws, 1, 0.4))
    for one in found.rows:
        assert (one.verdict, one.reason) == ("unresolved", UNKNOWN_SEEDS)
        assert one.p is None
        assert one.difference.low < one.difference.value < one.difference.high
    assert "0 of" in found.notes[-1]


def test_one_seed_against_three_is_not_resolved_either(ws: Workspace) -> None:
    groups = two_groups(ws, 3, 0.4)
    found = compare(ws, {"A": groups["A"], "BB": groups["BB"][:1]})
    assert {one.reason for one in found.rows} == {UNKNOWN_SEEDS}


def test_seeds_pair_by_number_whatever_their_order(ws: Workspace) -> None:
    groups = two_groups(ws, 3, 0.2)
    straight = compare(ws, groups)
    crossed = compare(ws, {"A": groups["A"][::-1], "BB": groups["BB"]})
    assert straight.frame().equals(crossed.frame())


def test_a_run_without_partner_is_left_out_and_named(ws: Workspace) -> None:
    groups = two_groups(ws, 3, 0.2)
    whole = compare(ws, {"A": groups["A"][:2], "BB": groups["BB"][:2]})
    found = compare(ws, {"A": groups["A"], "BB": groups["BB"][:2]})
    assert found.frame().equals(whole.frame())
    assert any(note.startswith("A: seed 2 has no partner") for note in found.notes)


def test_other_seeds_are_compared_unpaired_with_all_runs(ws: Workspace) -> None:
    groups = {
        "A": [write_run(ws, "a", s, {"facts": 0.0}) for s in (0, 1, 2)],
        "BB": [write_run(ws, "bb", s, {"facts": 0.2}) for s in (2, 3, 4, 5)],
    }
    facts = row(compare(ws, groups), "facts", "accuracy")
    assert (facts.paired, facts.seeds, facts.verdict) == (False, 3, "B better")


def test_means_leave_twins_out_and_have_their_own(ws: Workspace) -> None:
    kinds = {"facts": 0.3, "facts_twin": 0.3, "reasoning": 0.1, "reasoning_twin": 0.0}
    found = compare(ws, two_groups(ws, 3, 0.0, **kinds))
    for scope, names in (
        ("benchmark", ("facts", "reasoning")),
        ("twin", ("facts_twin", "reasoning_twin")),
    ):
        each = [row(found, name, "accuracy", scope).difference.value for name in names]
        mean = row(found, "(mean)", "accuracy", scope)
        assert mean.difference.value == pytest.approx(sum(each) / 2)
        assert mean.difference.n == 2 * ITEMS


def test_a_gain_that_the_twin_does_not_show_is_marked(ws: Workspace) -> None:
    kinds = {"facts": 0.3, "facts_twin": 0.3, "logic": 0.3, "logic_twin": 0.0, "code": 0.3}
    kinds |= {"odd": 0.3, "odd_twin": -0.3}
    found = compare(ws, two_groups(ws, 3, 0.0, **kinds))
    assert row(found, "facts", "accuracy").twin == "carries over to the twin"
    assert "not resolved on the twin" in row(found, "logic", "accuracy").twin
    assert "reversed" in row(found, "odd", "accuracy").twin
    assert row(found, "code", "accuracy").twin == ""


def test_verdicts_that_would_not_stand_among_many_say_so(ws: Workspace) -> None:
    kinds = {f"b{i:02d}{'x' * i}": 0.0 for i in range(12)} | {"weak": 0.035}
    found = compare(ws, two_groups(ws, 3, 0.0, **kinds))
    assert all(r.p_holm is not None and r.p is not None and r.p_holm >= r.p for r in found.rows)
    marginal = [r for r in found.rows if r.verdict != "unresolved" and (r.p_holm or 0) >= 0.05]
    assert marginal
    assert all(f"one of {len(found.rows)} comparisons" in r.reason for r in marginal)
    assert "by chance" in found.notes[-1]


def test_later_groups_are_compared_with_the_first(ws: Workspace) -> None:
    groups = two_groups(ws, 2, 0.2)
    groups["CCC"] = [write_run(ws, "ccc", s, {"facts": -0.2}) for s in range(2)]
    found = compare(ws, groups)
    pairs = {(r.group_a, r.group_b) for r in found.rows}
    assert pairs == {("A", "BB"), ("A", "CCC")}


def test_scores_of_other_items_are_not_compared(ws: Workspace) -> None:
    groups = two_groups(ws, 2, 0.2)
    groups["BB"][1] = write_run(ws, "bb", 7, {"facts": 0.2, "code": 0.1}, hashes="older")
    found = compare(ws, groups)
    assert {r.metric.scope for r in found.rows} == {"heldout"}
    assert any("facts: not scored alike" in note for note in found.notes)
    assert any("code: not scored alike" in note for note in found.notes)
    assert any("changed or removed" in note for note in found.notes)


def test_runs_without_common_scores_are_an_error(ws: Workspace) -> None:
    groups = two_groups(ws, 1, 0.2)
    summary_path = groups["A"][0] / "scores" / "summary.json"
    summary = json.loads(summary_path.read_text())
    summary["benchmarks"], summary["heldout"] = {}, {}
    summary_path.write_text(json.dumps(summary))
    with pytest.raises(DataError, match="no scores in common"):
        compare(ws, groups)


def test_runs_of_one_group_are_repeats_of_each_other(ws: Workspace) -> None:
    groups = {
        "A": [write_run(ws, "a", s, {}, recipe_id=f"r{s}") for s in range(2)],
        "BB": [write_run(ws, "bb", 0, {})],
    }
    with pytest.raises(ConfigError, match="differ in 'recipe_id'"):
        compare(ws, groups)


def test_groups_of_unlike_budget_carry_a_note(ws: Workspace) -> None:
    groups = {"A": [write_run(ws, "a", 0, {})], "BB": [write_run(ws, "bb", 0, {}, tokens=9)]}
    assert "the groups differ in tokens: that is part of every difference." in (
        compare(ws, groups).notes
    )


@pytest.mark.parametrize("groups", [{}, {"A": []}, {"A": [], "B": []}])
def test_a_comparison_needs_two_groups_with_runs(
    ws: Workspace, groups: dict[str, list[Path]]
) -> None:
    with pytest.raises(ConfigError, match="two groups"):
        compare(ws, groups)


def test_an_unevaluated_run_is_named(ws: Workspace) -> None:
    groups = two_groups(ws, 2, 0.2)
    (groups["BB"][1] / "scores" / "summary.json").unlink()
    with pytest.raises(ArtifactMissing, match="bb-1"):
        compare(ws, groups)


def test_the_frame_and_the_json_hold_the_rows(ws: Workspace) -> None:
    found = compare(ws, two_groups(ws, 2, 0.2))
    frame = found.frame()
    assert frame.height == len(found.rows)
    assert frame.columns[:10] == [
        "scope",
        "on",
        "metric",
        "unit",
        "better_is",
        "group_a",
        "group_b",
        "a",
        "a_low",
        "a_high",
    ]
    text = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(text)["rows"][0]["verdict"] == found.rows[0].verdict


def test_the_table_says_a_difference_with_its_interval(ws: Workspace) -> None:
    found = compare(ws, two_groups(ws, 2, 0.2))
    facts = row(found, "facts", "accuracy").difference
    [line] = found.table().filter(metric="benchmark facts accuracy").rows(named=True)
    assert (line["A"], line["B"]) == ("A", "BB")
    assert line["b - a"] == (f"{facts.value:+.3g} [{facts.low:+.3g}, {facts.high:+.3g}] share")


def test_two_models_that_guess_are_said_to_guess(ws: Workspace) -> None:
    facts = row(compare(ws, two_groups(ws, 3, 0.0)), "facts", "accuracy")
    assert facts.chance == 0.5
    assert (facts.verdict, facts.reason) == (
        "unresolved",
        "both at chance (0.5): too hard for these models",
    )


def test_models_trained_on_unlike_text_differ_as_they_should(
    ws: Workspace, tokenizer: Tokenizer, write_lines: Write
) -> None:
    """Two recipes, three seeds, real training: each wins on the text that it read."""
    rng = np.random.default_rng(0)
    words = {
        "river": ["The river", "runs under", "the bridge", "and", "the lamp"],
        "stone": ["Which stone", "is in", "the garden?", "Seven", "copper"],
    }
    texts = {
        name: [" ".join(rng.choice(parts, 12)) + f" {i}" for i in range(80)]
        for name, parts in words.items()
    }
    ws = create(ws.root.parent / "real", heldout_share=0.2)
    for name, documents in texts.items():
        rows = [{"text": text} for text in documents]
        add_source(ws, name, [str(write_lines(*rows, name=f"{name}.jsonl"))])
    groups: dict[str, list[Path]] = {}
    for name, documents in texts.items():
        tokens = [t for text in documents for t in [0, *tokenizer.encode(text).ids]]
        for seed in range(3):
            model = new_model(tokenizer.get_vocab_size(), seed, scale=0.02)
            folder = ws.runs / f"{name}-{seed}"
            save_run(folder, train_on(model, tokens, 40, seed), tokenizer, {"seed": seed})
            evaluate_run(ws, folder)
            groups.setdefault(name, []).append(folder)
    found = compare(ws, groups)
    assert row(found, "river", "bpb", "heldout").verdict == "A better"
    assert row(found, "stone", "bpb", "heldout").verdict == "B better"
    same = compare(ws, {"river": groups["river"], "again": groups["river"]})
    assert {r.verdict for r in same.rows} == {"unresolved"}
