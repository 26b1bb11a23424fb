"""The sample workspace: the generated world, read and measured like anybody's own text.

Nothing is special about it after this: its files lie in `world/` inside the workspace, were read by
`add_source`, counted, measured and scored by the same steps, and its recipes are ordinary recipes.
The planted truth stays beside it in `world/truth/`, for those who want to check what the lab found.
Deterministic: the same size and seed give the same bytes everywhere.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.bundle import bundled
from lab.core.files import read_yaml, write_json, write_text
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.search import index_documents
from lab.corpus.sources import add_source, list_sources
from lab.corpus.tokenizer import list_tokenizers, train_tokenizer
from lab.corpus.world import DEFAULT_DOCUMENTS, write_world
from lab.curation.contamination import decontaminate
from lab.curation.duplicates import DedupConfig, MinHash, find_duplicates
from lab.curation.quality import score
from lab.evaluation.benchmarks.registry import add_benchmark
from lab.jobs import actions
from lab.mixture.recipe_files import check_recipe, read_recipe, save_recipe

TOKENIZER = "world-4k"
VOCABULARY = 4096


def build_sample(
    ws: Workspace,
    documents: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fill `ws` with the sample world of about `documents` documents; skips what is done."""
    from lab.jobs.steps.curation import measure

    report = progress or Progress()
    world = ws.folder("world")
    if not (world / "sources.yaml").is_file():
        shutil.rmtree(world, ignore_errors=True)
        report(0, 1, "writing the world")
        write_world(world, documents=documents or DEFAULT_DOCUMENTS, seed=seed)
    add_sources(ws, world, report.part(0.1, 0.3))
    if TOKENIZER not in list_tokenizers(ws):
        part = report.part(0.3, 0.4, "tokenizer: ")
        train_tokenizer(ws, TOKENIZER, vocab_size=VOCABULARY, progress=part)
    measure(ws, actions.Measure(tokenizer=TOKENIZER), report.part(0.4, 0.6))
    names = [s.name for s in list_sources(ws)]
    for name in names:
        index_documents(ws, name)
    dedup = DedupConfig(exact=True, minhash=MinHash())
    find_duplicates(ws, names, dedup, progress=report.part(0.6, 0.7, "duplicates: "))
    benchmarks = add_benchmarks(ws, world)
    for k, name in enumerate(names):
        part = report.part(0.7 + 0.1 * k / len(names), 0.7 + 0.1 * (k + 1) / len(names))
        decontaminate(ws, name, benchmarks, progress=part)
    labels = labels_of(world, ws.folder("world", "labels", "educational.ids.jsonl"))
    score(ws, "educational", labels, names, progress=report.part(0.8, 1.0, "quality: "))
    read = sum(s.counts["documents"] for s in list_sources(ws))
    recipes = add_recipes(ws, read / DEFAULT_DOCUMENTS)
    made = {"sources": names, "benchmarks": benchmarks, "recipes": recipes, "tokenizer": TOKENIZER}
    write_json(world / "done.json", made)
    return made


def is_unfinished(ws: Workspace) -> bool:
    """True if somebody began to build the sample here, and it was interrupted."""
    world = ws.folder("world")
    return world.is_dir() and not (world / "done.json").is_file()


def add_sources(ws: Workspace, world: Path, progress: Progress) -> None:
    """Read the world's sources with their kinds, licences and provenance."""
    described = read_yaml(world / "sources.yaml")
    for k, (name, about) in enumerate(described.items()):
        path = next((world / "sources").glob(f"{name}.*"))
        part = progress.part(k / len(described), (k + 1) / len(described))
        add_source(
            ws,
            name,
            [str(path)],
            kind=about["kind"],
            id_column="id",
            licence=about["licence"],
            provenance=about["provenance"],
            description=about["description"],
            progress=part,
        )


def labels_of(world: Path, path: Path) -> Path:
    """The world's labels under the ids that its documents have in a workspace."""
    labels = pl.read_ndjson(world / "labels" / "educational.jsonl")
    named = labels.select(pl.format("{}/{}", "source", "id").alias("id"), "label")
    write_text(path, named.write_ndjson())
    return path


def add_benchmarks(ws: Workspace, world: Path) -> list[str]:
    """Register every benchmark of the world."""
    paths = sorted((world / "benchmarks").glob("*.jsonl"))
    for path in paths:
        add_benchmark(ws, path.stem, path)
    return [path.stem for path in paths]


def add_recipes(ws: Workspace, scale: float) -> list[str]:
    """Save the sample's recipes, unless the user already has one of that name.

    Their budgets suit the default size; `scale` keeps the epochs the same in a larger or smaller
    world.
    """
    names = []
    for path in sorted((bundled("sample_data") / "recipes").glob("*.yaml")):
        recipe = check_recipe(ws, read_recipe(path), path.name)
        if not (ws.recipes / path.name).exists():
            tokens = round(recipe.mixture.tokens * scale)
            save_recipe(ws, replace(recipe, mixture=replace(recipe.mixture, tokens=tokens)))
        names.append(recipe.name)
    return names
