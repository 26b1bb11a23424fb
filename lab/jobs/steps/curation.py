"""Steps that compute attributes of documents: signals, duplicates, contamination, scores."""

from pathlib import Path
from typing import Any

from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.tokens import count_tokens
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources, chosen_tokenizer, facts

Result = dict[str, Any]


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
