"""What a run can be scored on: every registered benchmark, and held-out text of every source.

Read once, scored for as many checkpoints as there are. A material carries the hash that its scores
are stored under, so what has been scored already is known without reading items.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.prompts import render_benchmark
from lab.evaluation.benchmarks.registry import BenchmarkSummary, list_benchmarks, shown_hash
from lab.evaluation.scoring.heldout import heldout_sample, sample_hash


@dataclass(frozen=True, slots=True)
class Material:
    """One benchmark or the sample of one source; `entry` is what the summary says of it."""

    part: str  # benchmarks, heldout: the part of the summary
    name: str
    entry: dict[str, Any]  # with `hash`; of benchmarks `registered`, of twins `twin_of_hash`
    read: Callable[[], tuple["Material", pl.DataFrame, pl.DataFrame | None]]
    # as it is now: items and the table of texts to score, or held-out documents alone

    @property
    def generated(self) -> bool:
        """True if answers are to be generated."""
        return bool(self.entry.get("generated"))


def gather(ws: Workspace, generate: bool = False) -> Iterator[Material]:
    """Everything there is to score, benchmarks first, each by name.

    With `generate` answers are generated where a benchmark has generative items.
    """
    from lab.corpus.sources import list_sources, scan_documents

    for bench in list_benchmarks(ws):
        yield benchmark_material(ws, bench, generate)
    for source in list_sources(ws):
        yield heldout_material(source.name, heldout_sample(scan_documents(ws, source.name)))


def benchmark_material(ws: Workspace, bench: BenchmarkSummary, generate: bool = False) -> Material:
    """The material of a benchmark; its items are read when they are needed."""
    name, generated = bench.name, generate and "generative" in bench.kinds
    entry: dict[str, Any] = {"hash": shown_hash(bench), "registered": bench.hash}
    entry |= {"items": bench.items, "chance": bench.chance}
    entry |= {"generated": True} if generated else {}
    entry |= {"twin_of_hash": bench.twin_of_hash} if bench.twin_of_hash else {}
    return Material("benchmarks", name, entry, lambda: read_benchmark(ws, name, generate))


def heldout_material(source: str, sample: pl.DataFrame) -> Material:
    """The material of a source."""
    entry = {"hash": sample_hash(sample), "documents": sample.height}
    material = Material("heldout", source, entry, lambda: (material, sample, None))
    return material


def read_benchmark(
    ws: Workspace, name: str, generate: bool = False
) -> tuple[Material, pl.DataFrame, pl.DataFrame]:
    """The benchmark as it is now, its items and texts, which belong together."""
    now = render_benchmark(ws, name)
    return benchmark_material(ws, now.summary, generate), now.items, now.table
