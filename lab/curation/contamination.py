"""Which documents quote a benchmark: GPT-3's word 13-grams (Brown et al. 2020, appendix C).

A document is contaminated if any run of `ngram` words, lower-cased and without punctuation, also
stands in an item: in its question followed by one of its choices or by its answer. Items of fewer
words are *uncheckable*, which is not the same as clean. The method sees quotation only: a rephrased
or translated item passes, and common phrases of 13 words (legal notices, reference formats) are
false alarms; the stored matches show which n-gram it was.

One artifact per source, set of benchmarks and n: columns id, contaminated, hits (distinct n-grams),
aligned with the documents, and `matches.parquet` with a row for each document and item. Removal is
the recipe's decision. Cost: see `ngram_index`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lab.core.artifacts import Artifact, build, require, write_part
from lab.core.engine import run_shards
from lab.core.errors import ConfigError, nearest
from lab.core.files import file_sha256
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents

STEP = "contamination"
VERSION = 1
NGRAM = 13
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
    workers: int | None = None,
    engine: str = "local",
) -> Artifact:
    """Search every document of `source` for items of `benchmarks`.

    Raises ConfigError for a benchmark that is not registered, or an n-gram below one word.
    """
    files = item_files(ws, benchmarks)
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        from lab.curation.ngram_index import build_index, item_texts, save_index

        index = build_index(item_texts(pl.concat(map(read_items, files))), ngram)
        save_index(index, folder)
        tasks = [
            Task(part, folder / part.name, folder, ngram)
            for part in found.parts
            if not (folder / part.name).exists()
        ]
        count = 1 if workers is None and len(tasks) < PROCESSES_FROM else workers
        message = f"benchmark items in {source}"
        run_shards(
            search_part, tasks, workers=count, engine=engine, progress=progress, message=message
        )
        return collect(folder, index.items())

    settings, inputs = identity(found, files, benchmarks, ngram)
    return build(ws, STEP, VERSION, settings, inputs, make)


def require_contamination(
    ws: Workspace, source: str, benchmarks: Sequence[str], ngram: int = NGRAM
) -> Artifact:
    """The stored search for exactly these benchmarks as they are now, or ArtifactMissing."""
    files = item_files(ws, benchmarks)
    settings, inputs = identity(documents(ws, source), files, benchmarks, ngram)
    return require(
        ws,
        STEP,
        VERSION,
        settings,
        inputs,
        what=f"{source} has not been searched for items of {', '.join(sorted(set(benchmarks)))}.",
        next_step=f"`mixlab decontaminate --source {source}`",
    )


def item_files(ws: Workspace, benchmarks: Sequence[str]) -> list[Path]:
    """Item files of `benchmarks` by name; ConfigError if one is not registered, or none given."""
    known = sorted(path.parent.name for path in ws.benchmarks.glob("*/items.parquet"))
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
    found: Artifact, files: Sequence[Path], benchmarks: Sequence[str], ngram: int
) -> tuple[dict[str, Any], list[str]]:
    """Settings and inputs that name the artifact: a changed benchmark file makes it missing."""
    if ngram < 1:
        raise ConfigError(
            "An n-gram has at least one word.",
            where="decontaminate.ngram",
            value=ngram,
            next_step="13 is usual",
        )
    settings = {"benchmarks": sorted(set(benchmarks)), "ngram": ngram}
    return settings, [found.id, *map(file_sha256, files)]


def read_items(path: Path) -> pl.DataFrame:
    """Items of one benchmark, named by its folder."""
    columns = ["id", "question", "choices", "answer"]
    name = pl.lit(path.parent.name).alias("benchmark")
    return pl.read_parquet(path, columns=columns).with_columns(name)


def search_part(task: Task) -> None:
    """Write `matches-N.parquet`, then the part (id, contaminated, hits)."""
    from lab.curation.ngram_index import find_matches, load_index

    frame = pl.read_parquet(task.part, columns=["id", "text"])
    matches, hits = find_matches(load_index(task.folder, task.ngram), frame)
    write_part(matches, task.target.with_name(task.target.name.replace("part", "matches")))
    columns = [(hits > 0).alias("contaminated"), hits.alias("hits")]
    write_part(frame.select("id").with_columns(columns), task.target)


def collect(folder: Path, items: pl.DataFrame) -> dict[str, Any]:
    """Join the matches of all parts, drop the index, and count for the manifest."""
    pieces = sorted(folder.glob("matches-*.parquet"))
    if not (folder / "matches.parquet").exists():  # there after a stop while clearing up
        write_part(pl.concat(map(pl.read_parquet, pieces)), folder / "matches.parquet")
    matches = pl.read_parquet(folder / "matches.parquet")
    for scrap in (*pieces, folder / "texts.parquet", folder / "grams.parquet"):
        scrap.unlink()
    return {"report": report(matches, items).to_dicts()}


def report(matches: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Per benchmark: items, uncheckable, items_hit, documents_hit.

    `items` has benchmark, items, uncheckable; `matches` as stored.
    """
    hit = matches.group_by("benchmark").agg(
        items_hit=pl.col("item_id").n_unique(), documents_hit=pl.col("id").n_unique()
    )
    return items.join(hit, on="benchmark", how="left").fill_null(0).sort("benchmark")
