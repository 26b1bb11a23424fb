"""What each action does: call the stage, say in a small dict what came of it.

The only place that knows every stage. Each function is one path for page, terminal and worker;
heavy packages are imported by the stages, inside their functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus import sources as corpus
from lab.corpus import tokenizer as tokenizers
from lab.corpus.tokens import count_tokens
from lab.jobs import actions as a

Result = dict[str, Any]


def sample(ws: Workspace, p: a.Sample, progress: Progress) -> Result:
    """The sample world: sources, tokenizer, benchmarks, recipes, labels, and their measurements."""
    from lab.jobs.sample import build_sample

    return build_sample(ws, documents=p.documents, seed=p.seed, progress=progress)


def add(ws: Workspace, p: a.Add, progress: Progress) -> Result:
    """Read a source."""
    summary = corpus.add_source(
        ws,
        p.name,
        p.paths,
        kind=p.kind,
        text_column=p.text_column,
        id_column=p.id_column,
        licence=p.licence,
        progress=progress,
    )
    return asdict(summary)


def tokenizer(ws: Workspace, p: a.Tokenizer, progress: Progress) -> Result:
    """Train or take a tokenizer."""
    if p.path:
        tokenizers.add_tokenizer(ws, p.name, p.path)
    else:
        tokenizers.train_tokenizer(ws, p.name, vocab_size=p.vocab_size, progress=progress)
    return {"name": p.name, "vocabulary": tokenizers.vocab_size(ws, p.name)}


def chosen_sources(ws: Workspace, name: str | None) -> list[str]:
    """One source by name, or all; ConfigError if the workspace has none."""
    if name:
        return [corpus.get_source(ws, name).name]
    names = [s.name for s in corpus.list_sources(ws)]
    if not names:
        raise ConfigError(
            "The workspace has no sources yet.",
            where=str(ws.root),
            next_step="`mixlab add NAME PATH`, or `mixlab init --sample` for the sample world",
        )
    return names


def chosen_tokenizer(ws: Workspace, name: str | None, progress: Progress) -> str:
    """A tokenizer by name, else the workspace's default, else one trained now on all sources."""
    known = tokenizers.list_tokenizers(ws)
    if name or known:
        return name or tokenizers.default_tokenizer(ws)
    tokenizers.train_tokenizer(ws, "bpe-4k", vocab_size=4096, progress=progress)
    return "bpe-4k"


def measure(ws: Workspace, p: a.Measure, progress: Progress) -> Result:
    """Token counts and signals per source."""
    from lab.curation.measure import measure as measure_signals

    names = chosen_sources(ws, p.source)
    tokenizer_name = chosen_tokenizer(ws, p.tokenizer, progress.part(0.0, 0.1))
    measured = {}
    for k, name in enumerate(names):
        low, high = 0.1 + 0.9 * k / len(names), 0.1 + 0.9 * (k + 1) / len(names)
        middle = (low + high) / 2
        tokens = count_tokens(
            ws, name, tokenizer_name, progress=progress.part(low, middle), workers=p.workers
        )
        signals = measure_signals(
            ws,
            name,
            p.signals,
            workers=p.workers,
            engine=p.engine,
            progress=progress.part(middle, high),
        )
        measured[name] = {
            "tokens": tokens.manifest.get("tokens"),
            "signals": len(signals.manifest["columns"]),
        }
    return {"tokenizer": tokenizer_name, "sources": measured}


def dedup(ws: Workspace, p: a.Dedup, progress: Progress) -> Result:
    """Duplicate groups over all sources."""
    from lab.curation.duplicates import DedupConfig, MinHash, find_duplicates

    config = DedupConfig(exact=True, minhash=MinHash(p.bands, p.rows, p.ngram, p.jaccard))
    artifact = find_duplicates(ws, chosen_sources(ws, None), config, progress=progress)
    return facts(artifact.manifest)


def decontaminate(ws: Workspace, p: a.Decontaminate, progress: Progress) -> Result:
    """Contamination hits per source."""
    from lab.curation.contamination import decontaminate as find_hits

    benchmarks = p.benchmarks or benchmark_names(ws)
    names = chosen_sources(ws, p.source)
    found = {}
    for k, name in enumerate(names):
        part = progress.part(k / len(names), (k + 1) / len(names))
        found[name] = facts(find_hits(ws, name, benchmarks, p.ngram, progress=part).manifest)
    return {"benchmarks": benchmarks, "sources": found}


def benchmark_names(ws: Workspace) -> list[str]:
    """Registered benchmarks; ConfigError if there are none."""
    names = sorted(p.parent.name for p in ws.benchmarks.glob("*/items.parquet"))
    if not names:
        raise ConfigError(
            "No benchmark is registered.",
            where=str(ws.benchmarks),
            next_step="`mixlab benchmark add NAME PATH`",
        )
    return names


def score(ws: Workspace, p: a.Score, progress: Progress) -> Result:
    """A learned quality score for every document."""
    from lab.curation.quality import score as learn

    return learn(ws, p.name, Path(p.labels), chosen_sources(ws, None), progress=progress)


def embed(ws: Workspace, p: a.Embed, progress: Progress) -> Result:
    """Embeddings of a sample of each source."""
    from lab.diversity.embed import embed as embed_source

    names = chosen_sources(ws, p.source)
    found = {}
    for k, name in enumerate(names):
        part = progress.part(k / len(names), (k + 1) / len(names))
        artifact = embed_source(ws, name, encoder=p.encoder, sample=p.sample, progress=part)
        found[name] = facts(artifact.manifest)
    return {"encoder": p.encoder, "sources": found}


def project(ws: Workspace, p: a.Map, progress: Progress) -> Result:
    """The map and its clusters."""
    from lab.diversity.project import project as make_map

    return facts(make_map(ws, chosen_sources(ws, None), progress=progress).manifest)


def facts(manifest: dict[str, Any]) -> Result:
    """What a manifest says beyond its own making."""
    making = {"step", "version", "config", "inputs", "made_by", "created"}
    return {k: v for k, v in manifest.items() if k not in making}


def benchmark(ws: Workspace, p: a.Benchmark, progress: Progress) -> Result:
    """Register a benchmark."""
    from lab.evaluation.tasks import add_benchmark

    return asdict(add_benchmark(ws, p.name, Path(p.path), split=p.split, progress=progress))


def train(ws: Workspace, p: a.Train, progress: Progress) -> Result:
    """Proxy runs of some recipes under some seeds, trained side by side and scored."""
    from lab.mixture.recipe_files import load_recipe
    from lab.proxy.runs import prepare_run

    recipes = [load_recipe(ws, name) for name in p.recipes]
    seeds = p.seeds or [0]
    pairs = [(recipe, seed) for seed in seeds for recipe in recipes]
    folders = []
    for k, (recipe, seed) in enumerate(pairs):
        part = progress.part(0.1 * k / len(pairs), 0.1 * (k + 1) / len(pairs), "preparing: ")
        folders.append(
            prepare_run(ws, recipe, size=p.size, tokens=p.tokens, seed=seed, progress=part)
        )
    return train_folders(folders, p, progress.part(0.1, 1.0))


def resume(ws: Workspace, p: a.Resume, progress: Progress) -> Result:
    """Unfinished runs, continued side by side from their checkpoints."""
    return train_folders([ws.runs / name for name in p.runs], p, progress)


def train_folders(
    folders: Sequence[Path], p: a.Train | a.Resume | a.Sweep, progress: Progress
) -> Result:
    """Train prepared runs and score them; failures are reported beside what succeeded."""
    from lab.proxy.sweep import run_many

    outcome = run_many(
        folders,
        workers=p.workers,
        engine=p.engine,
        address=p.address,
        after="lab.evaluation.evaluate:evaluate_run",
        progress=progress,
    )
    return {"runs": [folder.name for folder in folders], "failed": outcome.failed}


def sweep(ws: Workspace, p: a.Sweep, progress: Progress) -> Result:
    """A designed set of mixtures around a recipe, trained and scored."""
    from lab.advice.swarm import swarm_recipes
    from lab.proxy.runs import prepare_run

    recipes = swarm_recipes(ws, p.recipe, p.runs, p.seed)
    folders = []
    for k, recipe in enumerate(recipes):
        part = progress.part(0.1 * k / len(recipes), 0.1 * (k + 1) / len(recipes), "preparing: ")
        folders.append(
            prepare_run(ws, recipe, size=p.size, tokens=p.tokens, seed=p.seed, progress=part)
        )
    return train_folders(folders, p, progress.part(0.1, 1.0))


def advise(ws: Workspace, p: a.Advise, progress: Progress) -> Result:
    """A fit of the runs and the advice drawn from it."""
    from lab.advice.from_runs import advise_from_runs

    progress(0, 1, "fitting the runs")
    fit, advice = advise_from_runs(ws, p.recipe, p.metric)
    progress(1, 1, "advice stored")
    return {"runs": len(fit.runs), "verdict": advice.verdict, "proposal": advice.proposal}


def evaluate(ws: Workspace, p: a.Evaluate, progress: Progress) -> Result:
    """Score finished runs on what they lack."""
    from lab.evaluation.evaluate import evaluate_run

    for k, name in enumerate(p.runs):
        part = progress.part(k / len(p.runs), (k + 1) / len(p.runs), f"{name}: ")
        evaluate_run(ws, ws.runs / name, progress=part)
    return {"runs": p.runs}


def export(ws: Workspace, p: a.Export, progress: Progress) -> Result:
    """The files of a target."""
    from lab.export import export as write_target
    from lab.mixture.recipe_files import load_recipe

    recipe = load_recipe(ws, p.recipe)
    return asdict(write_target(ws, recipe, p.target, Path(p.output), progress=progress))


STEPS: dict[str, Callable[[Workspace, Any, Progress], Result]] = {
    "sample": sample,
    "add": add,
    "tokenizer": tokenizer,
    "measure": measure,
    "dedup": dedup,
    "decontaminate": decontaminate,
    "score": score,
    "embed": embed,
    "map": project,
    "benchmark": benchmark,
    "train": train,
    "resume": resume,
    "sweep": sweep,
    "advise": advise,
    "evaluate": evaluate,
    "export": export,
}
