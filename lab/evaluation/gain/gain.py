"""Is the gain real? Every resolved difference between two mixtures, held against three checks.

    clean      the same metric on the items that no training text of either mixture quotes
    twin       the same content in another format (its own quoted items left out)
    held out   bits per byte of fresh text of the benchmark's domain (`domain`), of a source that
               both mixtures train on or neither

A check *supports* the difference if it is resolved with the same sign, *contradicts* it if it is
resolved with the other sign or if the winner's lead is larger, beyond noise, on the quoted items
than on the clean ones (on the benchmark than on its twin). Otherwise it is open: that the clean
items alone do not resolve it may only mean that they are fewer. The lead's excess is the difference
of differences, with the interval of `noise` over the same seeds.

    real           clean and twin support it (without a twin, held-out text), and it stands as one
                   of so many benchmarks (Holm 1979)
    contaminated   clean contradicts it
    format         the twin contradicts it
    unresolved     the difference is inside the noise, or a check is open; the reason names the run

The verdict on the whole reads the guardrails first: a mixture that gains in the mean and loses one
of them is named by the loss.

Where it fails: clean items say nothing of paraphrases; the twin's units (bits per byte of longer
answers) need not have the benchmark's scale, so a smaller lead there is evidence, not proof.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from lab.core.errors import ArtifactMissing
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.evaluation.comparing.compare import Pair, flat, pair_up, require_two
from lab.evaluation.comparing.verdicts import Difference, adjust, stands
from lab.evaluation.gain.checks import (
    CONTRADICTS,
    SUPPORTS,
    UNKNOWN,
    Check,
    clean_check,
    heldout_check,
    twin_check,
)
from lab.evaluation.gain.clean import QUOTED, only, quoted_items, trained_sources, without
from lab.evaluation.gain.domain import nearest_sources
from lab.evaluation.gain.guardrails import Guardrail, benchmark_groups, guardrails
from lab.evaluation.gain.overall import Overall, judge_whole
from lab.evaluation.runs.groups import read_groups
from lab.evaluation.runs.metrics import MEAN

DEFAULT_METRIC: Final = "gold_bpb"


@dataclass(frozen=True, slots=True)
class BenchmarkGain:
    """One benchmark: its difference on all items, the checks, and the verdict."""

    benchmark: str
    group: str
    difference: Difference
    quoted: int
    checks: tuple[Check, ...]
    verdict: str  # real, contaminated, format, unresolved
    reason: str
    settle: str = ""

    def check(self, name: str) -> Check:
        """The check called `name`."""
        return next(check for check in self.checks if check.name == name)


@dataclass(frozen=True, slots=True)
class Gain:
    """Two mixtures: guardrails, benchmarks with their checks, and the verdict on the whole."""

    metric: str
    benchmarks: tuple[BenchmarkGain, ...]
    guardrails: tuple[Guardrail, ...]
    mean: Difference | None
    overall: Overall
    notes: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """One row per benchmark: all items, clean, twin and held-out text, verdict, reason."""
        return pl.DataFrame([gain_row(row) for row in self.benchmarks], infer_schema_length=None)

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        lines = [
            {"group": g.group, "benchmarks": list(g.benchmarks), "words": g.words}
            | ({} if g.difference is None else {"difference": flat(g.difference)})
            for g in self.guardrails
        ]
        whole = {"metric": self.metric, "overall": asdict(self.overall), "guardrails": lines}
        return whole | {"benchmarks": self.frame().to_dicts(), "notes": list(self.notes)}


def gain(ws: Workspace, groups: Mapping[str, Sequence[Path]], metric: str = DEFAULT_METRIC) -> Gain:
    """Judge the second of two groups against the first by `metric` of the benchmarks.

    `groups` maps two names to evaluated run folders. Raises as `compare` does.
    """
    require_two(groups)
    (first, second), notes = read_groups(ws, dict(list(groups.items())[:2]), current=True)
    pair, remarks = pair_up(first, second)
    belongs = benchmark_groups(ws)
    try:
        quoted: pl.DataFrame | None = quoted_items(ws, pair)
    except ArtifactMissing as missing:
        quoted = None
        notes.append(f"{missing.what} {missing.next_step}")
    found = judge_benchmarks(ws, pair, quoted, belongs, metric)
    lines = guardrails(pair, belongs, metric)
    mean = next(
        (m for m in pair.left if (m.scope, m.on, m.metric) == ("benchmark", MEAN, metric)), None
    )
    whole = pair.row(mean) if mean else None
    verdicts = {row.benchmark: (row.difference.verdict, row.verdict, row.settle) for row in found}
    overall = judge_whole(first.name, second.name, lines, whole, verdicts)
    return Gain(metric, tuple(found), lines, whole, overall, (*notes, *remarks))


def judge_benchmarks(
    ws: Workspace,
    pair: Pair,
    quoted: pl.DataFrame | None,
    belongs: Mapping[str, str],
    metric: str,
) -> list[BenchmarkGain]:
    """Every benchmark that `metric` was measured on, twins aside."""
    wanted = [m for m in pair.left if (m.scope, m.metric) == ("benchmark", metric) and m.on != MEAN]
    known = pl.DataFrame(schema=QUOTED) if quoted is None else quoted
    clean, dirty = (without(pair, known), only(pair, known)) if known.height else (pair, None)
    alike = trained_alike(pair)  # a source that one side alone trained on is that side's own style
    held = {m.on: m for m in pair.left if m.scope == "heldout" and alike(m.on)}
    near = nearest_sources(ws, [m.on for m in wanted], known, held)
    rows = []
    for m, row in zip(wanted, adjust([pair.row(m) for m in wanted]), strict=True):
        count = known.filter(pl.col("benchmark") == m.on)["item_id"].n_unique()
        checks = (
            clean_check(row, m, count, clean, dirty)
            if quoted is not None
            else Check("clean", UNKNOWN, "not searched", settle="`mixlab decontaminate`"),
            twin_check(row, m, pair, clean),
            heldout_check(row, pair, held.get(near.get(m.on, ""))),
        )
        rows.append(judged_gain(m.on, belongs.get(m.on, ""), row, count, checks))
    return rows


def trained_alike(pair: Pair) -> Callable[[str], bool]:
    """Whether a source has weight in both recipes or in neither; false for the mean of all."""
    left, right = (
        set(trained_sources(read_json(group.runs[0].folder / "run.json")))
        for group in (pair.a, pair.b)
    )
    return lambda source: source != MEAN and (source in left) == (source in right)


def judged_gain(
    name: str, group: str, row: Difference, quoted: int, checks: tuple[Check, ...]
) -> BenchmarkGain:
    """The verdict from the checks; see the module's table."""
    clean, twin, held = checks
    settle = "; ".join(dict.fromkeys(c.settle for c in checks if c.settle))

    def verdict(word: str, *because: Check) -> BenchmarkGain:
        reason = "; ".join(check.words for check in because) or row.reason
        return BenchmarkGain(name, group, row, quoted, checks, word, reason, settle)

    if row.verdict == "unresolved":
        return replace(verdict("unresolved"), settle="")
    if clean.state == CONTRADICTS:
        return verdict("contaminated", *[c for c in checks if c.state == CONTRADICTS])
    if twin.state == CONTRADICTS:
        return verdict("format", twin)
    second = held if twin.state == UNKNOWN else twin
    if row.p_holm is not None and not stands(row):
        return verdict("unresolved")
    if held.state == CONTRADICTS:
        return verdict("unresolved", held)
    if clean.state == second.state == SUPPORTS:
        return verdict("real", *checks)
    return verdict("unresolved", *[c for c in checks if c.state != SUPPORTS])


def gain_row(row: BenchmarkGain) -> dict[str, Any]:
    """A row of Gain.frame; bounds that are unknown are null."""
    values: dict[str, Any] = {}
    parts = [
        ("all", row.difference),
        *[(c.name.replace(" ", ""), c.difference) for c in row.checks],
    ]
    for name, found in parts:
        numbers = flat(found) if found else {}
        for key, suffix in (
            ("difference", ""),
            ("difference_low", "_low"),
            ("difference_high", "_high"),
        ):
            values[name + suffix] = numbers.get(key)
    states = {c.name.replace(" ", "") + "_check": c.state for c in row.checks}
    about = {"benchmark": row.benchmark, "group": row.group, "unit": row.difference.metric.unit}
    said = {"better": row.difference.verdict, "verdict": row.verdict, "quoted": row.quoted}
    words = {"reason": row.reason, "settle": row.settle}
    return about | said | values | states | {"items": row.difference.difference.n} | words
