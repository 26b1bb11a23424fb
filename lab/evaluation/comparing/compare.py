"""Compare groups of runs: is the difference between two mixtures real?

A group is one recipe at one size and budget, trained under several seeds. For every metric the
difference B - A gets an interval that holds both reasons why it would come out otherwise next time:
other seeds and other items (`noise`). A difference whose interval holds zero is *unresolved*, never
"no effect". With one seed in a group the noise of training is unknown; the interval then holds item
error only, and the verdict is always unresolved.

Seeds: runs of the same seed share initial weights and document order, so their difference has
less noise (common random numbers). If at least two seeds are in both groups, the comparison is made
on these pairs, and runs without a partner are left out and named; otherwise all runs are used
unpaired.

Many metrics are compared at once. `p` is per metric, `p_holm` is adjusted for their number (Holm
1979), and the reason says when a verdict would not stand after that.

Twins: where a benchmark has a twin (the same content in another format), a resolved difference is
checked against it. A gain that the twin does not show may be format or contamination, not ability.

Where it fails: differences of training beyond mixture and seed (size, budget, context) are in the
difference too; a note names those it can see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lab.core.errors import ConfigError
from lab.core.estimate import Estimate
from lab.core.workspace import Workspace
from lab.evaluation.comparing.verdicts import (
    UNKNOWN_SEEDS,
    Difference,
    adjust,
    count_note,
    judged,
    twin_hint,
)
from lab.evaluation.runs.evaluate import RunScores
from lab.evaluation.runs.groups import Group, read_groups
from lab.evaluation.runs.metrics import Metric, Scored, metric_tables
from lab.evaluation.statistics.noise import (
    LEVEL,
    Parts,
    half_width,
    p_value,
    seed_share,
    split_difference,
    split_variance,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every metric of every later group against the first, and what a reader must know."""

    rows: tuple[Difference, ...]
    notes: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """One row per difference; estimates as value, low and high."""
        return pl.DataFrame([flat(row) for row in self.rows], infer_schema_length=None)

    def table(self) -> pl.DataFrame:
        """The frame for people: one line a metric, the difference with its interval as text."""
        return pl.DataFrame(
            [
                {
                    "metric": f"{row.metric.scope} {row.metric.on} {row.metric.metric}",
                    "A": row.group_a,
                    "a": f"{row.a.value:.4g}",
                    "B": row.group_b,
                    "b": f"{row.b.value:.4g}",
                    "b - a": f"{row.difference.value:+.3g} "
                    f"[{row.difference.low:+.3g}, {row.difference.high:+.3g}] {row.metric.unit}",
                    "verdict": row.verdict,
                    "why": row.twin or row.reason,
                }
                for row in self.rows
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Rows and notes as JSON values; bounds that are unknown are null."""
        return {"rows": self.frame().to_dicts(), "notes": list(self.notes)}


def compare(ws: Workspace, groups: Mapping[str, Sequence[Path]]) -> Comparison:
    """Compare each group after the first with the first, the baseline.

    `groups` maps a name to its evaluated run folders. Raises ConfigError for fewer than two groups
    or an empty one, ArtifactMissing for a run without scores, DataError if runs share no scores.
    """
    require_two(groups)
    read, notes = read_groups(ws, groups)
    rows: list[Difference] = []
    for other in read[1:]:
        found, remarks = compare_pair(read[0], other)
        rows.extend(found)
        notes.extend(remarks)
    rows = [replace(row, twin=twin_hint(row, rows)) for row in adjust(rows)]
    return Comparison(tuple(rows), (*notes, count_note(rows)))


def require_two(groups: Mapping[str, Sequence[Path]]) -> None:
    """ConfigError unless there are two groups, and a run in each."""
    if len(groups) < 2 or not all(groups.values()):
        raise ConfigError(
            "A comparison needs two groups with at least one run each.",
            value={name: len(runs) for name, runs in groups.items()},
            next_step="name two recipes that have finished runs",
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups brought to common seeds, and the tables of every metric of both."""

    a: Group
    b: Group
    paired: bool
    left: dict[Metric, Scored]
    right: dict[Metric, Scored]

    def row(self, metric: Metric) -> Difference:
        """The difference b - a of one metric."""
        return self.between(self.left[metric], self.right[metric])

    def between(self, left: Scored, right: Scored) -> Difference:
        """The difference of two tables of these groups."""
        return difference(left, right, self.a.name, self.b.name, self.paired)

    def rows(self) -> list[Difference]:
        """All metrics, not yet adjusted for their number."""
        return [self.row(metric) for metric in self.left]

    def filtered(self, keep: Callable[[pl.DataFrame], pl.DataFrame]) -> "Pair":
        """The same runs with `keep` of their items, held-out text left out."""
        return pair_of(self.a.filtered(keep), self.b.filtered(keep), self.paired)


def compare_pair(a: Group, b: Group) -> tuple[list[Difference], list[str]]:
    """All metrics of two groups, not yet adjusted for their number, and the runs left out."""
    pair, notes = pair_up(a, b)
    return pair.rows(), notes


def pair_up(a: Group, b: Group) -> tuple[Pair, list[str]]:
    """Two groups as a pair, and the runs that are left out of it."""
    a, b, paired, notes = pair_seeds(a, b)
    return pair_of(a, b, paired), notes


def pair_of(a: Group, b: Group, paired: bool) -> Pair:
    """Two groups whose runs stand in the order in which they are compared."""
    left, right = ({s.metric: s for s in tables_of(group.runs)} for group in (a, b))
    return Pair(a, b, paired, left, right)


def tables_of(runs: Sequence[RunScores]) -> list[Scored]:
    """The metrics of a group."""
    items, documents = [run.items for run in runs], [run.heldout for run in runs]
    return metric_tables(items, documents, runs[0].chances)


def pair_seeds(a: Group, b: Group) -> tuple[Group, Group, bool, list[str]]:
    """The groups reduced to their common seeds in one order, if these are two or more."""
    common = sorted(set(a.seeds) & set(b.seeds))
    unique = len(set(a.seeds)) == len(a.seeds) and len(set(b.seeds)) == len(b.seeds)
    if len(common) < 2 or not unique:
        return a, b, False, []
    notes = [
        f"{group.name}: seed {seed} has no partner and is left out of the comparison of "
        f"{a.name} and {b.name}."
        for group in (a, b)
        for seed in sorted(set(group.seeds) - set(common))
    ]
    return a.only(common), b.only(common), True, notes


def difference(a: Scored, b: Scored, name_a: str, name_b: str, paired: bool) -> Difference:
    """One metric of two groups, verdict by its own interval."""
    parts = split_difference(a.tables, b.tables, paired=paired)
    estimate = interval(parts, a)
    known = not np.isnan(parts.seed)
    share = float(seed_share(parts))
    row = Difference(
        metric=a.metric,
        group_a=name_a,
        group_b=name_b,
        a=interval(split_variance(a.tables), a),
        b=interval(split_variance(b.tables), b),
        difference=estimate,
        chance=a.chance,
        seeds=min(len(a.tables[0]), len(b.tables[0])),
        paired=paired,
        p=float(p_value(parts)) if known else None,
        p_holm=None,
        seed_share=share if known else None,
        verdict="unresolved",
        reason=UNKNOWN_SEEDS,
    )
    return judged(row) if known else row


def interval(parts: Parts, scored: Scored) -> Estimate:
    """The value and interval that `parts` give."""
    value, half = float(parts.value), float(half_width(parts))
    return Estimate(value, value - half, value + half, scored.n, scored.metric.unit, LEVEL)


def flat(row: Difference) -> dict[str, Any]:
    """A row of Comparison.frame."""
    estimates = {
        f"{name}{suffix}": number if isfinite(number) else None
        for name, e in (("a", row.a), ("b", row.b), ("difference", row.difference))
        for suffix, number in (("", e.value), ("_low", e.low), ("_high", e.high))
    }
    rest = {
        name: getattr(row, name)
        for name in (
            "chance",
            "seeds",
            "paired",
            "p",
            "p_holm",
            "seed_share",
            "verdict",
            "reason",
            "twin",
        )
    }
    names = {"group_a": row.group_a, "group_b": row.group_b}
    return {**asdict(row.metric), **names, **estimates, "n": row.difference.n, **rest}
