"""What is measured of a run, and the tables of scores by seed and unit that noise is computed from.

Scopes: `heldout` (bits per byte per source), `benchmark`, and `twin` (a benchmark that holds the
content of another in another format; kept apart, so that a mean does not count content twice). In
every scope `(mean)` is the plain mean over its sources or benchmarks. A benchmark has `accuracy`
(absent for generative items), `exact_match` (where answers were generated), `gold_bpb`, and, of
choices, `margin` and `accuracy_norm` (the harness's `acc_norm`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.evaluation.benchmarks.registry import TWIN
from lab.evaluation.statistics.noise import linearise

Array = NDArray[np.float64]
MEAN: Final = "(mean)"
GUESSED: Final = ("accuracy", "accuracy_norm")  # metrics that a guess has a share of
COLUMNS: Final = (  # of an item's scores: metric, column, unit, better is
    ("accuracy", "correct", "share", "higher"),
    ("accuracy_norm", "correct_norm", "share", "higher"),
    ("exact_match", "exact", "share", "higher"),
    ("gold_bpb", "gold_bpb", "bits/byte", "lower"),
    ("margin", "margin", "nats", "higher"),
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a run: `metric` on a benchmark or source."""

    scope: str  # heldout, benchmark, twin
    on: str  # the source or benchmark, or MEAN
    metric: str
    unit: str
    better_is: str  # higher, lower


@dataclass(frozen=True, slots=True)
class Scored:
    """Tables [seeds, units] of one metric, one per source or benchmark that it averages over."""

    metric: Metric
    tables: list[Array]
    n: int  # items or documents
    chance: float | None = None  # accuracy of a guess


def metric_tables(
    items: Sequence[pl.DataFrame],
    heldout: Sequence[pl.DataFrame],
    chances: Mapping[str, float | None],
) -> list[Scored]:
    """All metrics of runs (one frame of items and of held-out documents each), means last.

    `chances` holds the chance line of each benchmark. The runs must have scored the same items and
    documents; `compare` sees to that.
    """
    single = [*heldout_tables(heldout), *benchmark_tables(items, chances)]
    return [*single, *mean_tables(single)]


def heldout_tables(runs: Sequence[pl.DataFrame]) -> Iterator[Scored]:
    """Bits per byte of every source; the unit is the document."""
    for source in runs[0]["source"].unique().sort():
        frames = [run.filter(source=source).sort("id") for run in runs]
        bits = np.stack([frame["nats"].to_numpy() / np.log(2) for frame in frames])
        table = linearise(bits, frames[0]["bytes"].to_numpy())
        metric = Metric("heldout", source, "bpb", "bits/byte", "lower")
        yield Scored(metric, [table], frames[0].height)


def benchmark_tables(
    runs: Sequence[pl.DataFrame], chances: Mapping[str, float | None]
) -> Iterator[Scored]:
    """The metrics of every benchmark; the unit is a cluster of items that share a question."""
    names = runs[0]["benchmark"].unique().sort().to_list()
    for name in names:
        every = set.intersection(*(set(run.columns) for run in runs))  # older scorers have fewer
        own = ["cluster", *(column for _, column, _, _ in COLUMNS if column in every)]
        parts = [
            run.filter(benchmark=name).select(*own, run=pl.lit(i)) for i, run in enumerate(runs)
        ]
        frame = pl.concat(parts)
        for label, column, unit, better in COLUMNS:
            if column not in own or frame[column].null_count():
                continue
            sums = (
                frame.group_by("run", "cluster")
                .agg(pl.col(column).cast(pl.Float64).sum(), pl.len())
                .sort("run", "cluster")
            )
            shape = (len(runs), -1)
            counts = sums["len"].to_numpy().reshape(shape)[0]
            table = linearise(sums[column].to_numpy().reshape(shape), counts)
            scope = "twin" if name.endswith(TWIN) else "benchmark"
            chance = chances.get(name) if label in GUESSED else None
            yield Scored(Metric(scope, name, label, unit, better), [table], parts[0].height, chance)


def mean_tables(single: Sequence[Scored]) -> Iterator[Scored]:
    """The mean of every metric over its scope, where there are at least two to average."""
    keys = dict.fromkeys((s.metric.scope, s.metric.metric) for s in single)
    for scope, label in keys:
        members = [s for s in single if (s.metric.scope, s.metric.metric) == (scope, label)]
        if len(members) > 1:
            first = members[0].metric
            metric = Metric(scope, MEAN, label, first.unit, first.better_is)
            lines = [m.chance for m in members if m.chance is not None]
            chance = sum(lines) / len(lines) if len(lines) == len(members) else None
            tables = [m.tables[0] for m in members]
            yield Scored(metric, tables, sum(m.n for m in members), chance)
