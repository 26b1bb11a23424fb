"""The search as a step: one artifact per source, set of benchmarks, n and list of allowed n-grams.

Parts aligned with the documents: id, contaminated, hits (distinct n-grams after the allowed ones),
`contamination.gramsN` (the same number, as a rule reads it), `contamination.ratio7` and
`contamination.ratio7_multiset` (phi-4's r). Beside them `matches.parquet` and `overlaps.parquet`, a
row for each document and item (`ngram_index.MATCHES`, `OVERLAPS`), and `items.parquet` with the
length of every item. Removal is the recipe's decision. Cost: see `ngram_index`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lab.core.artifacts import Artifact, build, find, require, write_part
from lab.core.engine import run_shards
from lab.core.errors import ArtifactMissing, ConfigError, nearest
from lab.core.files import file_sha256
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.contamination.allow import allowed_digest, read_allowed
from lab.curation.contamination.method import NGRAM

STEP = "contamination"
VERSION = 2
TABLES = ("matches", "overlaps")
PROCESSES_FROM = 8  # parts; below, starting processes (2.7 s) costs more than it saves


class Task(NamedTuple):
    """One documents part, the part to write, and the folder with the index."""

    part: Path
    target: Path
    folder: Path
    ngram: int


def decontaminate(
    ws: Workspace,
    source: str,
    benchmarks: Sequence[str],
    ngram: int = NGRAM,
    *,
    progress: Progress = SILENT,
) -> Artifact:
    """Search every document of `source` for items of `benchmarks`.

    Raises ConfigError for a benchmark that is not registered, or an n-gram below one word.
    """
    files = item_files(ws, benchmarks)
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        from lab.curation.contamination.ngram_index import build_index, item_texts, save_index

        items = pl.concat(map(read_items, files))
        index = build_index(item_texts(items), ngram, read_allowed(ws, ngram))
        scratch = folder / "index"
        scratch.mkdir(exist_ok=True)
        save_index(index, scratch)
        write_part(index.items(), folder / "items.parquet")
        tasks = [
            Task(part, folder / part.name, scratch, ngram)
            for part in found.parts
            if not (folder / part.name).exists()
        ]
        message = f"benchmark items in {source}"
        run_shards(
            search_part, tasks, processes_from=PROCESSES_FROM, progress=progress, message=message
        )
        return collect(folder, ngram)

    settings, inputs = identity(ws, found, files, benchmarks, ngram)
    return build(ws, STEP, VERSION, settings, inputs, make)


def require_contamination(
    ws: Workspace, source: str, benchmarks: Sequence[str], ngram: int = NGRAM
) -> Artifact:
    """The stored search for exactly these benchmarks as they are now, or ArtifactMissing."""
    files = item_files(ws, benchmarks)
    settings, inputs = identity(ws, documents(ws, source), files, benchmarks, ngram)
    return require(
        ws,
        STEP,
        VERSION,
        settings,
        inputs,
        what=f"{source} has not been searched for items of {', '.join(sorted(set(benchmarks)))}.",
        next_step=f"`mixlab decontaminate --source {source}`",
    )


def registered(ws: Workspace) -> list[str]:
    """Names of the registered benchmarks."""
    return sorted(path.parent.name for path in ws.benchmarks.glob("*/items.parquet"))


def item_files(ws: Workspace, benchmarks: Sequence[str]) -> list[Path]:
    """Item files of `benchmarks` by name; ConfigError if one is not registered, or none given."""
    known = registered(ws)
    for name in benchmarks:
        if name not in known:
            raise ConfigError(
                f"Benchmark {name!r} is not registered.",
                where="decontaminate.benchmarks",
                value=name,
                next_step=f"{nearest(name, known)} `mixlab benchmark add NAME PATH`",
            )
    if not benchmarks:
        raise ConfigError(
            "No benchmark to search for.",
            where="decontaminate.benchmarks",
            next_step=nearest("", known),
        )
    return [ws.benchmarks / name / "items.parquet" for name in sorted(set(benchmarks))]


def identity(
    ws: Workspace, found: Artifact, files: Sequence[Path], benchmarks: Sequence[str], ngram: int
) -> tuple[dict[str, Any], list[str]]:
    """Settings and inputs that name the artifact: a changed benchmark file makes it missing."""
    if ngram < 1:
        raise ConfigError(
            "An n-gram has at least one word.",
            where="decontaminate.ngram",
            value=ngram,
            next_step="13 is usual",
        )
    settings = {
        "benchmarks": sorted(set(benchmarks)),
        "ngram": ngram,
        "allowed": allowed_digest(ws, ngram),
    }
    return settings, [found.id, *map(file_sha256, files)]


def read_items(path: Path) -> pl.DataFrame:
    """Items of one benchmark, named by its folder."""
    columns = ["id", "question", "choices", "answer"]
    name = pl.lit(path.parent.name).alias("benchmark")
    return pl.read_parquet(path, columns=columns).with_columns(name)


def search_part(task: Task) -> None:
    """Write the part's matches and overlaps, then the part."""
    from lab.curation.contamination.ngram_index import load_index
    from lab.curation.contamination.ngram_search import find_matches

    frame = pl.read_parquet(task.part, columns=["id", "text"])
    found = find_matches(load_index(task.folder, task.ngram), frame)
    for name in TABLES:
        table = getattr(found, name)
        write_part(table, task.target.with_name(task.target.name.replace("part", name)))
    columns = {
        "contaminated": found.hits > 0,
        "hits": found.hits,
        f"contamination.grams{task.ngram}": found.hits,
        "contamination.ratio7": found.ratio,
        "contamination.ratio7_multiset": found.ratio_multiset,
    }
    write_part(frame.select("id").with_columns(**columns), task.target)


def collect(folder: Path, ngram: int) -> dict[str, Any]:
    """Join the tables of all parts, drop the index, and count for the manifest."""
    for name in TABLES:
        pieces = sorted(folder.glob(f"{name}-*.parquet"))
        if not (folder / f"{name}.parquet").exists():  # there after a stop while clearing up
            write_part(pl.concat(map(pl.read_parquet, pieces)), folder / f"{name}.parquet")
        for piece in pieces:
            piece.unlink()
    for file in (folder / "index").iterdir():
        file.unlink()
    (folder / "index").rmdir()
    matches = pl.read_parquet(folder / "matches.parquet")
    items = pl.read_parquet(folder / "items.parquet")
    return {"report": count_items(matches, items, ngram).to_dicts()}


def count_items(matches: pl.DataFrame, items: pl.DataFrame, ngram: int) -> pl.DataFrame:
    """Per benchmark: items, uncheckable (shorter than n words), items_hit, documents_hit."""
    known = items.group_by("benchmark").agg(
        items=pl.len(), uncheckable=(pl.col("words") < ngram).sum()
    )
    hit = matches.group_by("benchmark").agg(
        items_hit=pl.col("item_id").n_unique(), documents_hit=pl.col("id").n_unique()
    )
    return known.join(hit, on="benchmark", how="left").fill_null(0).sort("benchmark")


def require_columns(ws: Workspace, source: str, column: str) -> Artifact:
    """The search of `source` for all registered benchmarks, which stores `column`."""
    names = registered(ws)
    if not names:
        raise ArtifactMissing(
            f"No benchmark is registered, so there is no {column}.",
            where=f"source {source}",
            value=column,
            next_step="`mixlab benchmark add NAME PATH`, then `mixlab decontaminate`",
        )
    artifact = require_contamination(ws, source, names)
    if column not in stored_columns(artifact):
        raise ConfigError(
            "Unknown column of contamination.",
            where=f"source {source}",
            value=column,
            next_step=nearest(column, stored_columns(artifact)),
        )
    return artifact


def contamination_columns(ws: Workspace, source: str) -> list[str]:
    """Columns of the stored search for all registered benchmarks, none if it was not made."""
    names = registered(ws)
    if not names:
        return []
    settings, inputs = identity(ws, documents(ws, source), item_files(ws, names), names, NGRAM)
    artifact = find(ws, STEP, VERSION, settings, inputs)
    return stored_columns(artifact) if artifact else []


def stored_columns(artifact: Artifact) -> list[str]:
    """Columns of an artifact that rules can read."""
    names = artifact.scan().collect_schema().names()
    return [name for name in names if name.startswith(f"{STEP}.")]
