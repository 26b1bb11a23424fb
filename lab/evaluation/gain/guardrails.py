"""Guardrails: knowledge, reasoning, language and code, each with a line of its own.

A mean hides a loss. In the phi-4 report (Abdin et al. 2024, arXiv:2412.08905, section 2) a mixture
of synthetic text alone gains in the mean of the benchmarks and loses 14.8 points of TriviaQA; an
objective without a line for knowledge picks it. So every benchmark belongs to a group, a guardrail
is the plain mean over the benchmarks of its group, and its difference between two mixtures has the
interval of any other difference (seeds and items, `noise`). Twins are left out: they would count
the same content twice. A loss counts by its own interval; a gain counts as `won` only if it stands
as one of so many guardrails (Holm 1979), since the best of four is a chosen one.

Where it fails: a guardrail is what its benchmarks measure. One at chance (code, at proxy size)
cannot fall and guards nothing; `Guardrail.words` says so. A group without a benchmark is an open
line, not a passed one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.formats import GROUPS, by_name, default_group
from lab.evaluation.benchmarks.registry import list_benchmarks
from lab.evaluation.comparing.compare import Pair
from lab.evaluation.comparing.verdicts import Difference, adjust, stands
from lab.evaluation.runs.metrics import Metric, Scored

ALWAYS: Final = ("knowledge", "reasoning", "language", "code")
SCOPE: Final = "guardrail"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One line: the group, its benchmarks, and the difference b - a; None without a benchmark."""

    group: str
    benchmarks: tuple[str, ...]
    difference: Difference | None

    @property
    def lost(self) -> bool:
        """A is better, by the interval of this line alone."""
        return self.difference is not None and self.difference.verdict == "A better"

    @property
    def won(self) -> bool:
        """B is better, and would be as one of all guardrails."""
        row = self.difference
        return row is not None and row.verdict == "B better" and stands(row)

    @property
    def words(self) -> str:
        """The verdict and its reason, or that nothing guards this."""
        if self.difference is None:
            return "not measured: no benchmark of this group is scored"
        return f"{self.difference.verdict}: {self.difference.reason}"


def benchmark_groups(ws: Workspace) -> dict[str, str]:
    """Benchmark -> its group, by its name where it states none; "" where none is known."""
    return {
        bench.name: bench.group or default_group(bench.name, by_name(bench.format), bench.template)
        for bench in list_benchmarks(ws)
    }


def guardrails(pair: Pair, groups: Mapping[str, str], metric: str) -> tuple[Guardrail, ...]:
    """A line for each group by `metric` of its benchmarks, adjusted for the number of lines."""
    found: dict[str, tuple[tuple[str, ...], Difference]] = {}
    for group in GROUPS:
        members = [
            m
            for m in pair.left
            if (m.scope, m.metric) == ("benchmark", metric) and groups.get(m.on) == group
        ]
        if members:
            left, right = (mean_of(group, [side[m] for m in members]) for side in sides(pair))
            found[group] = names_of(members), pair.between(left, right)
    rows = adjust([row for _, row in found.values()])
    adjusted = dict(zip(found, rows, strict=True))
    return tuple(
        Guardrail(group, found[group][0] if group in found else (), adjusted.get(group))
        for group in GROUPS
        if group in found or group in ALWAYS
    )


def sides(pair: Pair) -> tuple[dict[Metric, Scored], dict[Metric, Scored]]:
    """The tables of both groups."""
    return pair.left, pair.right


def names_of(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """The benchmarks, by name."""
    return tuple(sorted(metric.on for metric in metrics))


def mean_of(group: str, members: Sequence[Scored]) -> Scored:
    """The plain mean of a group's benchmarks as one metric."""
    lines = [m.chance for m in members if m.chance is not None]
    return Scored(
        replace(members[0].metric, scope=SCOPE, on=group),
        [table for m in members for table in m.tables],
        sum(m.n for m in members),
        sum(lines) / len(lines) if len(lines) == len(members) else None,
    )
