"""Verdicts: what an interval allows to be said, alone, among many, and beside a twin.

    A better, B better    the interval of b - a excludes zero
    unresolved            it does not, or a group has one seed; the reason says what would help

With many metrics some intervals exclude zero by chance. The verdict stays that of the interval that
is shown; `p_holm` (Holm 1979) and the reason say whether it would stand as one of so many.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lab.core.estimate import Estimate
from lab.evaluation.benchmarks.registry import TWIN
from lab.evaluation.runs.metrics import Metric
from lab.evaluation.statistics.noise import LEVEL, holm

UNKNOWN_SEEDS: Final = "seed noise unknown: run at least 2 seeds"


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two groups; `difference` is b - a."""

    metric: Metric
    group_a: str
    group_b: str
    a: Estimate
    b: Estimate
    difference: Estimate
    chance: float | None  # accuracy of a guess
    seeds: int  # the smaller group's, or the number of pairs
    paired: bool
    p: float | None  # None where the seed noise is unknown
    p_holm: float | None
    seed_share: float | None  # of the variance, what more seeds would lower
    verdict: str  # "A better", "B better", "unresolved"
    reason: str
    twin: str = ""  # what the twin says of a resolved difference


def judged(row: Difference) -> Difference:
    """The row with its verdict, and for an unresolved one what would help."""
    if row.difference.resolved:
        b_wins = (row.difference.value > 0) == (row.metric.better_is == "higher")
        units = "documents" if row.metric.scope == "heldout" else "items"
        reason = f"outside the noise of {row.seeds} seeds and {row.difference.n:,} {units}"
        return replace(row, verdict="B better" if b_wins else "A better", reason=reason)
    if row.chance is not None and all(e.low <= row.chance <= e.high for e in (row.a, row.b)):
        return replace(row, reason=f"both at chance ({row.chance:.3g}): too hard for these models")
    share = row.seed_share or 0.0
    cause = "seeds: more seeds would help" if share > 0.5 else "items: more items would help"
    side = max(share, 1 - share)
    return replace(row, reason=f"inside the noise; {side:.0%} of it is between {cause}")


def adjust(rows: Sequence[Difference]) -> list[Difference]:
    """The rows with p adjusted for their number; reasons say which verdicts would not stand."""
    known = [row.p for row in rows if row.p is not None]
    adjusted = iter(holm(known))
    result = []
    for row in rows:
        p_holm = next(adjusted) if row.p is not None else None
        reason = row.reason
        if row.verdict != "unresolved" and p_holm is not None and p_holm >= 1 - LEVEL:
            reason += f"; alone, but not as one of {len(known)} comparisons (p_holm {p_holm:.2g})"
        result.append(replace(row, p_holm=p_holm, reason=reason))
    return result


def stands(row: Difference) -> bool:
    """True if an adjusted row would be resolved as one of all that it was adjusted with."""
    return row.p_holm is not None and row.p_holm < 1 - LEVEL


def twin_hint(row: Difference, rows: Sequence[Difference]) -> str:
    """What the twin of a benchmark says of a resolved difference; empty where it has none."""
    wanted = replace(row.metric, scope="twin", on=row.metric.on + TWIN)
    twin = next((r for r in rows if r.metric == wanted and r.group_b == row.group_b), None)
    if twin is None or row.metric.scope != "benchmark" or row.verdict == "unresolved":
        return ""
    if twin.verdict == row.verdict:
        return "carries over to the twin"
    if twin.verdict == "unresolved":
        return "not resolved on the twin: may be format, not ability"
    return "reversed on the twin: format or contamination, not ability"


def count_note(rows: Sequence[Difference]) -> str:
    """How many verdicts chance alone would give among so many."""
    known = sum(row.p is not None for row in rows)
    resolved = sum(row.verdict != "unresolved" for row in rows)
    stand = sum(map(stands, rows))
    return (
        f"{resolved} of {len(rows)} differences are resolved; without any true difference, up to "
        f"{(1 - LEVEL) * known:.1f} would be by chance. {stand} stand after Holm's adjustment."
    )
