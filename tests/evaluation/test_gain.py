"""Is the gain real? Planted scores with known truth: ability, quotation, format, hidden losses."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.errors import ConfigError
from lab.core.workspace import create
from lab.evaluation.comparing.compare import Pair, pair_of
from lab.evaluation.gain.checks import clean_check, contrast, twin_check
from lab.evaluation.gain.clean import let_through, only, trained_sources, without
from lab.evaluation.gain.domain import likeness, weights, word_counts
from lab.evaluation.gain.gain import BenchmarkGain, gain, judged_gain
from lab.evaluation.gain.guardrails import guardrails
from lab.evaluation.gain.overall import judge_whole
from lab.evaluation.runs.evaluate import RunScores
from lab.evaluation.runs.groups import Group
from lab.evaluation.runs.metrics import Metric
from lab.evaluation.scoring.heldout import HELDOUT
from lab.evaluation.scoring.scores import SCORES

Lead = Callable[[int], float]  # by how much B is better on item k, in bits a byte
ITEMS = 120
QUOTED = pl.DataFrame(
    {"benchmark": ["facts"] * 60, "item_id": [f"{k:03d}" for k in range(60)], "source": "leak"}
)
GOLD = Metric("benchmark", "facts", "gold_bpb", "bits/byte", "lower")


def run(leads: Mapping[str, Lead], seed: int, better: bool) -> RunScores:
    """One run: items have difficulties alike in all runs; B's leads are taken off."""
    luck = np.random.default_rng([seed, better])
    frames = []
    for name, lead in leads.items():
        hard = np.random.default_rng(len(name)).uniform(2, 4, ITEMS)
        gain = np.array([lead(k) for k in range(ITEMS)]) * better
        bpb = hard - gain + luck.normal(0, 0.01) + luck.normal(0, 0.05, ITEMS)
        ids = [f"{k:03d}" for k in range(ITEMS)]
        fixed = {
            "benchmark": name, "item_id": ids, "kind": "multiple_choice", "cluster": ids,
            "answer_index": 0, "gold_bpb": bpb, "margin": 3 - bpb,
            "correct": bpb < 3, "correct_norm": bpb < 3, "lost": 0,
        }  # fmt: skip
        lists = {"nats": [[-1.0, -2.0]] * ITEMS, "bytes": [[4, 4]] * ITEMS}
        columns = {k: v for k, v in (fixed | lists).items() if k in SCORES}
        known = pl.DataFrame(columns, schema_overrides=dict(SCORES.items()), strict=False)
        frames.append(known)
    summary = {"benchmarks": {name: {"chance": 0.5} for name in leads}, "metrics": []}
    items = pl.concat(frames)
    return RunScores(Path("x"), items, pl.DataFrame(schema=HELDOUT), summary)


def pair(**leads: Lead) -> Pair:
    """A and B under three common seeds."""
    groups = [
        Group(name, (0, 1, 2), tuple(run(leads, seed, name == "B") for seed in range(3)))
        for name in "AB"
    ]
    return pair_of(*groups, paired=True)


def verdict(found: Pair, quoted: pl.DataFrame) -> BenchmarkGain:
    """The verdict on facts from clean items and the twin."""
    row = found.row(GOLD)
    clean = without(found, quoted) if quoted.height else found
    dirty = only(found, quoted) if quoted.height else None
    checks = (
        clean_check(row, GOLD, quoted.height, clean, dirty),
        twin_check(row, GOLD, found, clean),
        twin_check(row, GOLD, found, clean),
    )
    return judged_gain("facts", "knowledge", row, quoted.height, checks)


def everywhere(lead: float) -> Lead:
    return lambda k: lead


def quoted_only(lead: float) -> Lead:
    return lambda k: lead if k < 60 else 0.0


def test_ability_shows_on_clean_items_and_on_the_twin() -> None:
    found = verdict(pair(facts=everywhere(0.5), facts_twin=everywhere(0.5)), QUOTED)
    assert (found.difference.verdict, found.verdict) == ("B better", "real")
    assert [check.state for check in found.checks[:2]] == ["supports", "supports"]
    clean = found.check("clean").difference
    assert clean is not None and clean.metric.scope == "clean" and clean.difference.n == 60
    assert clean.difference.value == pytest.approx(-0.5, abs=0.05)


def test_a_gain_on_quoted_items_alone_is_contamination() -> None:
    found = verdict(pair(facts=quoted_only(1.0), facts_twin=everywhere(0.0)), QUOTED)
    assert (found.difference.verdict, found.verdict) == ("B better", "contaminated")
    assert "60 items are quoted; on the other 60: unresolved" in found.reason
    assert [check.state for check in found.checks[:2]] == ["contradicts", "contradicts"]


def test_a_gain_that_the_twin_lacks_is_format() -> None:
    found = verdict(pair(facts=everywhere(0.5), facts_twin=everywhere(0.0)), QUOTED.clear())
    assert found.verdict == "format"
    reversed_ = verdict(pair(facts=everywhere(0.5), facts_twin=everywhere(-0.5)), QUOTED.clear())
    assert reversed_.verdict == "format" and "the other way" in reversed_.reason


def test_a_difference_inside_the_noise_is_not_examined() -> None:
    found = verdict(pair(facts=everywhere(0.0), facts_twin=everywhere(0.9)), QUOTED)
    assert (found.verdict, found.settle) == ("unresolved", "")


def test_a_twin_with_too_few_clean_items_says_that_its_quoted_ones_count() -> None:
    twin = QUOTED.with_columns(benchmark=pl.lit("facts_twin"))
    both = pair(facts=everywhere(0.5), facts_twin=everywhere(0.5))
    row = both.row(GOLD)
    assert twin_check(row, GOLD, both, both).words == "on the twin: B better"
    assert twin_check(row, GOLD, both, without(both, twin)).words == "on the twin: B better"
    ids = [f"{k:03d}" for k in range(110)]
    most = pl.DataFrame({"benchmark": "facts_twin", "item_id": ids, "source": "leak"})
    found = twin_check(row, GOLD, both, without(both, most))
    assert found.words == (
        "on the twin (110 quoted items among them, the other 10 are too few): B better"
    )


def test_few_clean_items_leave_the_question_open() -> None:
    most = pl.DataFrame(
        {"benchmark": ["facts"] * 110, "item_id": [f"{k:03d}" for k in range(110)], "source": "s"}
    )
    found = verdict(pair(facts=everywhere(0.5), facts_twin=everywhere(0.5)), most)
    assert found.verdict == "unresolved" and "10 are left: too few" in found.reason
    assert "items that nothing quotes" in found.settle


def test_without_twin_the_verdict_waits_for_one() -> None:
    found = verdict(pair(facts=everywhere(0.5)), QUOTED)
    assert found.verdict == "unresolved"
    assert found.check("twin").state == "not measured"
    assert "mixlab benchmark twin facts --by permuted" in found.settle


def test_a_loss_is_examined_like_a_gain() -> None:
    found = verdict(pair(facts=everywhere(-0.5), facts_twin=everywhere(-0.5)), QUOTED)
    assert (found.difference.verdict, found.verdict) == ("A better", "real")


def test_the_contrast_is_the_difference_of_differences() -> None:
    both = pair(facts=quoted_only(1.0), facts_twin=everywhere(0.0))
    clean, dirty = without(both, QUOTED), only(both, QUOTED)
    excess = contrast(dirty, GOLD, clean, GOLD)
    expected = dirty.row(GOLD).difference.value - clean.row(GOLD).difference.value
    assert excess.value == pytest.approx(expected)
    assert excess.low < excess.value < excess.high < 0
    assert excess.value == pytest.approx(-1, abs=0.1)


GROUPS = {
    "facts": "knowledge",
    "reasoning": "reasoning",
    "arithmetic": "reasoning",
    "code": "code",
}


def test_every_guardrail_has_a_line_and_a_mean_cannot_hide_a_loss() -> None:
    """Synthetic-only: reasoning gains more than facts lose, so the mean of all gains."""
    found = pair(
        facts=everywhere(-0.4),
        reasoning=everywhere(1.0),
        arithmetic=everywhere(0.8),
        code=everywhere(0.0),
    )
    lines = {line.group: line for line in guardrails(found, GROUPS, "gold_bpb")}
    assert list(lines) == ["knowledge", "reasoning", "language", "code"]
    said = {g: line.difference.verdict for g, line in lines.items() if line.difference}
    assert said == {"knowledge": "A better", "reasoning": "B better", "code": "unresolved"}
    assert lines["language"].difference is None
    assert lines["reasoning"].benchmarks == ("arithmetic", "reasoning")
    gain = lines["reasoning"].difference
    assert gain is not None and gain.difference.value == pytest.approx(-0.9, abs=0.05)
    mean = found.row(Metric("benchmark", "(mean)", "gold_bpb", "bits/byte", "lower"))
    assert mean.verdict == "B better"
    whole = judge_whole("A", "B", tuple(lines.values()), mean, {})
    assert whole.kind == "hidden loss"
    assert whole.sentence == "B gained in the mean and lost knowledge."
    assert "Nothing guards language: register a benchmark of that group." in whole.change


@pytest.mark.parametrize(
    ("checked", "kind", "words"),
    [
        ({"facts": ("B better", "real", "")}, "real", "is real, and no guardrail fell"),
        ({"facts": ("B better", "contaminated", "")}, "contaminated", "training text quotes"),
        ({"facts": ("B better", "format", "")}, "format", "it is format"),
        (
            {"facts": ("B better", "real", ""), "code": ("B better", "unresolved", "a twin")},
            "open",
            "not yet shown to be real on code",
        ),
        (
            {"facts": ("B better", "real", ""), "code": ("B better", "format", "")},
            "open",
            "Not real: code (format).",
        ),
        (
            {"facts": ("B better", "real", ""), "code": ("A better", "real", "")},
            "trade-off",
            "The gain of B on facts is real; it lost code.",
        ),
        ({"facts": ("A better", "real", "")}, "worse", "A is ahead on facts"),
        (
            {"facts": ("A better", "contaminated", "")},
            "unresolved",
            "The lead of A on facts (contaminated) is not real.",
        ),
        ({"facts": ("unresolved", "unresolved", "")}, "unresolved", "do not tell A and B apart"),
    ],
)
def test_the_verdict_on_the_whole(
    checked: dict[str, tuple[str, str, str]], kind: str, words: str
) -> None:
    found = judge_whole("A", "B", (), None, checked)
    assert found.kind == kind and words in found.sentence


def test_a_false_gain_does_not_hide_a_loss() -> None:
    lines = guardrails(pair(facts=everywhere(-0.4), code=everywhere(1.0)), GROUPS, "gold_bpb")
    found = judge_whole("A", "B", lines, None, {"code": ("B better", "contaminated", "")})
    assert found.kind == "contaminated" and found.sentence.endswith("B lost knowledge.")


def test_a_guardrail_counts_as_won_only_if_it_stands_among_all() -> None:
    """One of four that gains by luck is no side of a trade-off; a loss counts by itself."""
    found = pair(facts=everywhere(-0.4), reasoning=everywhere(0.0), code=everywhere(0.0))
    lines = list(guardrails(found, GROUPS, "gold_bpb"))
    place = next(k for k, line in enumerate(lines) if line.group == "code")
    lucky = lines[place].difference
    assert lucky is not None and lucky.p is not None and lucky.p_holm is not None
    for p_holm, kind in ((0.12, "worse"), (0.03, "trade-off")):
        won = replace(lucky, verdict="B better", p=0.03, p_holm=p_holm)
        lines[place] = replace(lines[place], difference=won)
        assert judge_whole("A", "B", lines, None, {}).kind == kind


def test_guardrails_are_adjusted_for_their_number() -> None:
    found = pair(facts=everywhere(0.5), reasoning=everywhere(0.3), code=everywhere(0.0))
    rows = [g.difference for g in guardrails(found, GROUPS, "gold_bpb") if g.difference]
    assert len(rows) == 3
    smallest = min(rows, key=lambda row: row.p or 1)
    assert smallest.p_holm == pytest.approx(3 * (smallest.p or 0))


def test_a_gain_needs_two_groups(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two groups"):
        gain(create(tmp_path / "w"), {"a": [tmp_path]})


def test_a_recipe_that_decontaminates_lets_no_quote_through() -> None:
    matches = pl.DataFrame(
        {
            "benchmark": ["facts", "facts", "code", "facts"],
            "item_id": ["1", "2", "3", None],
            "source": ["web"] * 4,
            "verdict": ["CONTAMINATED(13)", "CONTAMINATED(7)", "CONTAMINATED(13)", "PARTIAL"],
            "removed": [True, True, True, True],
        }
    )
    phases = {"phases": [{"weights": {"web": 0.5, "books": 0.0}}, {"weights": {"code": 1.0}}]}
    raw = {"mapping": {"mixture": phases}}
    careful = {"mapping": {"mixture": phases, "decontaminate": {"benchmarks": ["facts"]}}}
    assert let_through(matches, raw)["item_id"].to_list() == ["1", "2", "3"]
    assert let_through(matches, careful)["item_id"].to_list() == ["2", "3"]
    assert trained_sources(raw) == ["code", "web"]


def test_the_domain_of_a_benchmark_is_the_source_with_its_words() -> None:
    texts = {
        "atlas": word_counts(pl.Series(["the river Nell runs through the town of Orre"] * 3)),
        "code": word_counts(pl.Series(["def add(a, b): return a + b the"])),
        "talk": word_counts(pl.Series(["the weather is fine today"])),
    }
    items = word_counts(pl.Series(["Which river runs through Orre?", None, "the Nell"]))
    near = {name: likeness(items, text, texts) for name, text in texts.items()}
    assert max(near, key=lambda name: near[name]) == "atlas"
    assert near["code"] == near["talk"] == 0
    assert "the" not in weights(items, texts), "a word that every source has weighs nothing"
    assert likeness(texts["atlas"], texts["atlas"], texts) == pytest.approx(1)
