"""Benchmarks of a workspace: `benchmarks/NAME/items.parquet` and `benchmark.yaml`.

A benchmark is registered once, checked once, and named by a hash of its items' content; scores are
stored with that hash, so scores of other items are never compared with these. What the yaml states:
items by kind, the split that was taken, what was left out or set aside, the hash of the file it
came from, and the chance line: the accuracy of a guess, mean over items of 1/choices. At proxy size
many benchmarks sit on that line, which is why accuracy is never shown without it.

A twin holds the same content in another format, under `<name>_twin`: a gain that does not carry
over to the twin was a gain in format.

Ambiguous items, whose gold text is also a wrong choice, are kept and counted (2 of BLiMP's first
10,200 pairs).
"""

import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from lab.core.artifacts import write_part
from lab.core.errors import ConfigError, DataError, nearest
from lab.core.files import confined, digest, file_sha256, new_folder, read_yaml, write_yaml
from lab.core.progress import SILENT, Progress
from lab.core.settings import from_mapping
from lab.core.workspace import Workspace
from lab.evaluation.items import choose_split, read_items

TWIN = "_twin"


@dataclass(frozen=True, slots=True)
class BenchmarkSummary:
    """What is known of a registered benchmark; counts are items."""

    name: str
    items: int
    kinds: dict[str, int]
    split: str  # "" if the file names none, "all" if it names several and none is preferred
    other_splits: int  # items of splits that are not used
    chance: float | None  # accuracy of a guess; None where nothing is chosen
    ambiguous: int  # items whose gold text is also one of the wrong choices
    skipped: int  # invalid items set aside in quarantine.parquet
    source: str  # name of the file it was read from
    source_sha256: str
    hash: str
    reasons: dict[str, int] = field(default_factory=dict)  # why items were set aside


def add_benchmark(
    ws: Workspace,
    name: str,
    path: Path | str,
    progress: Progress = SILENT,
    *,
    split: str | None = None,
    skip_invalid: bool = False,
    replace: bool = False,
) -> BenchmarkSummary:
    """Register the items of `path` as benchmark `name`; the same content twice does nothing.

    `split` keeps items of that split (default: test, else validation, else all). An invalid item is
    a DataError that names it; with `skip_invalid` it goes to quarantine.parquet and is counted.
    Raises ConfigError if `name` is taken by other items and `replace` is not set.
    """
    folder, path = confined(ws.benchmarks, name), Path(path)
    progress(0, 2, f"reading {path.name}")
    everything, faults = read_items(name, path, skip_invalid=skip_invalid)
    items, used = choose_split(everything, split, str(path))
    summary = summarise(name, items, faults, path, used, everything.height - items.height)
    progress(1, 2, f"writing {items.height} items")
    if folder.exists():
        if read_summary(ws, name).hash == summary.hash:
            return read_summary(ws, name)
        if not replace:
            raise ConfigError(
                "A benchmark of this name holds other items.",
                where=str(folder),
                value=name,
                next_step="choose another name, or ask to replace it (runs are then scored again)",
            )
    write_benchmark(folder, items, faults, summary)
    progress(2, 2, f"{items.height} items")
    return summary


def summarise(
    name: str, items: pl.DataFrame, faults: pl.DataFrame, path: Path, split: str, others: int
) -> BenchmarkSummary:
    """Count what `items` holds."""
    golds = items.explode("choices").filter(pl.col("choices") == pl.col("answer"))
    kinds = items["kind"].value_counts().sort("kind")
    reasons = faults["reason"].value_counts().sort("count", "reason", descending=[True, False])
    return BenchmarkSummary(
        name=name,
        items=items.height,
        kinds=dict(kinds.iter_rows()),
        split=split,
        other_splits=others,
        chance=chance(items),
        ambiguous=golds.group_by("id").len().filter(pl.col("len") > 1).height,
        skipped=faults.height,
        source=path.name,
        source_sha256=file_sha256(path),
        hash=digest(items.to_dicts()),
        reasons=dict(reasons.iter_rows()),
    )


def chance(items: pl.DataFrame) -> float | None:
    """Accuracy of a guess: mean of 1/choices over the items that have choices; None without any."""
    counts = items["choices"].list.len()
    share = (1 / counts.filter(counts > 0)).mean()
    return None if share is None else float(share)  # type: ignore[arg-type]


def write_benchmark(
    folder: Path, items: pl.DataFrame, faults: pl.DataFrame, summary: BenchmarkSummary
) -> None:
    """Publish the folder whole; an older one of the same name is removed just before."""
    with new_folder(folder) as temp:
        write_part(items, temp / "items.parquet")
        if faults.height:
            write_part(faults, temp / "quarantine.parquet")
        write_yaml(temp / "benchmark.yaml", asdict(summary))
        shutil.rmtree(folder, ignore_errors=True)


def list_benchmarks(ws: Workspace) -> list[BenchmarkSummary]:
    """The registered benchmarks, by name."""
    found = sorted(path.parent.name for path in ws.benchmarks.glob("*/benchmark.yaml"))
    return [read_summary(ws, name) for name in found]


def read_summary(ws: Workspace, name: str) -> BenchmarkSummary:
    """What is known of benchmark `name`; DataError with the nearest name if there is none."""
    path = confined(ws.benchmarks, name) / "benchmark.yaml"
    if not path.is_file():
        known = [p.parent.name for p in ws.benchmarks.glob("*/benchmark.yaml")]
        raise DataError(
            "There is no benchmark of this name.",
            where=str(ws.benchmarks),
            value=name,
            next_step=nearest(name, known) + "; `mixlab benchmark add NAME PATH` registers one",
        )
    return from_mapping(BenchmarkSummary, read_yaml(path), str(path))


def load_items(ws: Workspace, name: str) -> pl.DataFrame:
    """The items of benchmark `name`, as schema.ITEMS, in the order of their file."""
    read_summary(ws, name)
    return pl.read_parquet(confined(ws.benchmarks, name) / "items.parquet")


def benchmark_hash(ws: Workspace, name: str) -> str:
    """The hash of the items of `name`; scores carry it."""
    return read_summary(ws, name).hash


def twins(names: Iterable[str]) -> dict[str, str]:
    """Benchmark -> its twin, for those of `names` whose twin is among them."""
    known = set(names)
    return {name: name + TWIN for name in sorted(known) if name + TWIN in known}
