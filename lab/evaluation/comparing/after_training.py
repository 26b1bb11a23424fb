"""Does the gap between two mixtures close after post-training?

For mixtures A and B and one metric, with scores before and after the same stage, seed by seed:

    gap before = B - A        gap after = B' - A'        moved = (B' - A') - (B - A)

`moved` is the difference of differences: what A and B gained, compared. Its interval is not that of
the two gaps together: a run before and after shares its seed and all items, so that their noise
cancels in the gain of each run, and only what differs between gains is left (`noise`).

    narrowed, widened    the interval of `moved` excludes zero; the size of the gap falls or grows
    reversed             the same, and both gaps are resolved with opposite signs
    closed               narrowed, and the gap after is no longer resolved, though it was before
    unresolved           the interval holds zero, or there is one seed

A gap that closes was one of format or of little practice; one that stays is of what the parent
knows. Where it fails: at accuracy, near chance or near 1, gaps close because there is no room; look
at `gold_bpb` beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import polars as pl

from lab.core.errors import DataError
from lab.core.estimate import Estimate
from lab.core.workspace import Workspace
from lab.evaluation.comparing.choose import named_groups
from lab.evaluation.comparing.compare import interval, tables_of
from lab.evaluation.runs.groups import Group, read_groups
from lab.evaluation.runs.metrics import MEAN, Metric, Scored
from lab.evaluation.statistics.noise import split_difference

NUMBERS = ("before", "after", "moved")


@dataclass(frozen=True, slots=True)
class Gap:
    """One metric of B minus A before and after; `moved` is the change of the gap."""

    metric: Metric
    before: Estimate
    after: Estimate
    moved: Estimate
    seeds: int

    @property
    def verdict(self) -> str:
        """See the module's text."""
        if self.seeds < 2 or not self.moved.resolved:
            return "unresolved"
        turned = self.before.value * self.after.value < 0
        if turned and self.before.resolved and self.after.resolved:
            return "reversed"
        if abs(self.after.value) >= abs(self.before.value):
            return "widened"
        return "closed" if self.before.resolved and not self.after.resolved else "narrowed"


@dataclass(frozen=True, slots=True)
class GapsAfter:
    """Every metric, one line that sums them up, and what a reader must know."""

    rows: tuple[Gap, ...]
    summary: str
    notes: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """One row per metric: its keys, before, after and moved with their bounds, verdict."""
        return pl.DataFrame([flat(row) for row in self.rows], infer_schema_length=None)

    def table(self) -> pl.DataFrame:
        """The frame for people."""
        return pl.DataFrame(
            [
                {"metric": words(row.metric)}
                | {key: said(getattr(row, key)) for key in NUMBERS}
                | {"unit": row.metric.unit, "verdict": row.verdict}
                for row in self.rows
            ]
        )


def gap_after(ws: Workspace, a: str, b: str, stage: str = "sft") -> GapsAfter:
    """How the gap between recipes `a` and `b` moved in `stage` ("sft", "dpo" or "sft+dpo").

    Raises ConfigError if one of the four groups has no runs at a budget that all share, DataError
    if they share no seed or no scores.
    """
    names = [a, b, f"{a}+{stage}", f"{b}+{stage}"]
    groups, notes = read_groups(ws, named_groups(ws, names))
    seeds = sorted(set.intersection(*(set(group.seeds) for group in groups)))
    if not seeds:
        raise DataError(
            "These runs have no seed in common.",
            where=", ".join(names),
            value={group.name: list(group.seeds) for group in groups},
            next_step=f"`mixlab posttrain {a} {b}` trains all of their runs further",
        )
    tables = [by_metric(group, seeds) for group in groups]
    rows = tuple(gap([of[metric] for of in tables], len(seeds)) for metric in tables[0])
    return GapsAfter(rows, summed_up(rows, stage), tuple(notes))


def by_metric(group: Group, seeds: Sequence[int]) -> dict[Metric, Scored]:
    """The tables of a group's runs of `seeds`, in that order."""
    return {scored.metric: scored for scored in tables_of(group.only(seeds).runs)}


def gap(of: Sequence[Scored], seeds: int) -> Gap:
    """One metric of A, B, A' and B'."""
    a, b, later_a, later_b = (scored.tables for scored in of)
    gained_a = [after - before for after, before in zip(later_a, a, strict=True)]
    gained_b = [after - before for after, before in zip(later_b, b, strict=True)]
    sides = ((a, b), (later_a, later_b), (gained_a, gained_b))
    before, after, moved = (interval(split_difference(x, y, paired=True), of[0]) for x, y in sides)
    return Gap(of[0].metric, before, after, moved, seeds)


def summed_up(rows: Sequence[Gap], stage: str) -> str:
    """The mean over benchmarks in one line, and how many gaps did what."""
    counts = {v: sum(row.verdict == v for row in rows) for v in VERDICTS}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    mean = [r for r in rows if (r.metric.scope, r.metric.on) == ("benchmark", MEAN)]
    lead = next((r for r in mean if r.metric.metric == "gold_bpb"), rows[0])
    return (
        f"After {stage} the gap in {words(lead.metric)} went from {said(lead.before)} to "
        f"{said(lead.after)} {lead.metric.unit}: {lead.verdict}. Of {len(rows)} gaps: {told}."
    )


VERDICTS = ("closed", "narrowed", "widened", "reversed", "unresolved")


def words(metric: Metric) -> str:
    """A metric by name."""
    return f"{metric.scope} {metric.on} {metric.metric}"


def said(estimate: Estimate) -> str:
    """An estimate with its interval."""
    return f"{estimate.value:+.3g} [{estimate.low:+.3g}, {estimate.high:+.3g}]"


def flat(row: Gap) -> dict[str, object]:
    """A row of GapsAfter.frame; bounds that are unknown are null."""
    numbers = {
        f"{key}{suffix}": value if isfinite(value) else None
        for key in NUMBERS
        for suffix, value in bounds(getattr(row, key))
    }
    keys = ("scope", "on", "metric", "unit", "better_is")
    named = {key: getattr(row.metric, key) for key in keys}
    return {**named, **numbers, "seeds": row.seeds, "verdict": row.verdict}


def bounds(estimate: Estimate) -> tuple[tuple[str, float], ...]:
    """The three numbers of an estimate with the ends of their columns' names."""
    return ("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)
