"""Steps that compute attributes of documents: signals, duplicates, contamination."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from lab.core.engine import each_share, sharing
from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.tokens import count_tokens
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources, chosen_tokenizer, facts

Result = dict[str, Any]


def per_source(
    names: Sequence[str], work: Callable[[str, Progress], Result], progress: Progress
) -> Result:
    """`work(source, progress)` for every source, by name."""
    steps = [
        partial(work, name, progress.part(k / len(names), (k + 1) / len(names)))
        for k, name in enumerate(names)
    ]
    return dict(zip(names, each_share(steps), strict=True))


def measure(ws: Workspace, p: a.Measure, progress: Progress) -> Result:
    """Token counts and signals per source."""
    from lab.curation.measure import measure as measure_signals

    tokenizer_name = chosen_tokenizer(ws, p.tokenizer, progress.part(0.0, 0.1))

    def work(name: str, part: Progress) -> Result:
        tokens, signals = each_share(
            [
                partial(count_tokens, ws, name, tokenizer_name, part.part(0.0, 0.5)),
                partial(measure_signals, ws, name, p.signals, progress=part.part(0.5, 1.0)),
            ]
        )
        columns = len(signals.manifest["columns"])
        return {"tokens": tokens.manifest.get("tokens"), "signals": columns}

    measured = per_source(chosen_sources(ws, p.source), work, progress.part(0.1, 1.0))
    return {"tokenizer": tokenizer_name, "sources": measured}


def edit(ws: Workspace, p: a.Edit, progress: Progress) -> Result:
    """Edited texts beside the originals, and their tokens."""
    from lab.curation.edits import edit_documents

    tokenizer_name = chosen_tokenizer(ws, p.tokenizer, progress.part(0.0, 0.1))

    def work(name: str, part: Progress) -> Result:
        texts = edit_documents(ws, name, p.edits, progress=part.part(0.0, 0.5))
        tokens = count_tokens(ws, name, tokenizer_name, part.part(0.5, 1.0), of=texts)
        return facts(texts.manifest) | {"tokens": tokens.manifest["tokens"]}

    edited = per_source(chosen_sources(ws, p.source), work, progress.part(0.1, 1.0))
    return {"edits": p.edits, "sources": edited}


def dedup(ws: Workspace, p: a.Dedup, progress: Progress) -> Result:
    """Duplicate groups over all sources, and what else was asked for."""
    from lab.curation.duplicates import DedupConfig, find_duplicates
    from lab.curation.duplicates.presets import load_preset, setting_warnings

    given = {k: getattr(p, k) for k in ("bands", "rows", "ngram", "jaccard")}
    minhash = replace(
        load_preset(p.preset).minhash, **{k: v for k, v in given.items() if v is not None}
    )
    names = chosen_sources(ws, None)
    config = DedupConfig(exact=True, minhash=minhash)
    artifact = find_duplicates(ws, names, config, progress=progress.part(0.0, 0.6))
    result = asdict(minhash) | facts(artifact.manifest)
    if said := setting_warnings(minhash):
        result["warnings"] = said
    if p.lines:
        result["repeated"] = repeated(ws, names, progress.part(0.6, 0.8))
    if p.semantic:
        result["semantic"] = semantic(ws, p, names, progress.part(0.8, 1.0))
    return result


def repeated(ws: Workspace, names: list[str], progress: Progress) -> Result:
    """Mean share of characters in repeated lines and paragraphs, per source."""
    from lab.curation.duplicates.repeated import find_repeated

    found = find_repeated(ws, names, progress=progress)
    return {name: artifact.manifest["mean"] for name, artifact in found.items()}


def semantic(ws: Workspace, p: a.Dedup, names: list[str], progress: Progress) -> Result:
    """Documents that SemDeDup's rule drops at this epsilon, per source."""
    from lab.curation.duplicates.semantic import epsilon_curve, epsilon_words, find_semantic

    find_semantic(ws, names, encoder=p.encoder, order=p.order, progress=progress)
    curve = epsilon_curve(ws, (p.epsilon,), encoder=p.encoder, order=p.order)
    counts = {
        row["source"]: {"dropped": row["documents"], "compared": row["embedded"]}
        for row in curve.iter_rows(named=True)
    }
    return {"rule": epsilon_words(p.epsilon), "sources": counts}


def decontaminate(ws: Workspace, p: a.Decontaminate, progress: Progress) -> Result:
    """Contamination per source, with documents by phi-4's verdicts."""
    from lab.curation.contamination import decontaminate as find_hits
    from lab.curation.contamination.report import source_pairs
    from lab.curation.contamination.verdicts import Thresholds, document_verdicts

    limits = Thresholds(p.info, p.contaminated, p.count)
    benchmarks = p.benchmarks or benchmark_names(ws)
    names = chosen_sources(ws, p.source)
    allowed = allow_ngrams(ws, p, benchmarks, progress.part(0.0, 0.2))

    def work(name: str, part: Progress) -> Result:
        artifact = find_hits(ws, name, benchmarks, p.ngram, progress=part)
        verdicts = document_verdicts(source_pairs(ws, name, artifact, limits))
        counts = dict(verdicts.group_by("verdict").len().sort("verdict").iter_rows())
        return facts(artifact.manifest) | {"verdicts": counts}

    found = per_source(names, work, progress.part(0.2, 1.0))
    return {"benchmarks": benchmarks, "allowed": allowed, "sources": found}


def allow_ngrams(
    ws: Workspace, p: a.Decontaminate, benchmarks: list[str], progress: Progress
) -> int:
    """Replace the list of allowed n-grams if that was asked for; how many spare something."""
    from lab.curation.contamination.allow import allow, allow_file, read_allowed
    from lab.curation.contamination.common import common_ngrams

    if sharing() and (p.allow is not None or p.allow_common is not None):
        raise ConfigError(
            "The list of allowed n-grams is for one process to write.",
            where="--shard",
            next_step="run it once with the list and without --shard, then the shares without it",
        )
    if p.allow is not None and p.allow_common is not None:
        raise ConfigError(
            "Allowed n-grams come from a file or from the corpus, not from both.",
            where="decontaminate",
            next_step="give `--allow FILE` or `--allow-common N --reference SOURCE`",
        )
    if p.allow is not None:
        allow_file(ws, Path(p.allow))
    if p.allow_common is not None:
        if not p.reference:
            raise ConfigError(
                "Common n-grams are allowed only if a reference source holds them too.",
                where="decontaminate.reference",
                next_step="name a source believed to hold no benchmark text: `--reference SOURCE`",
            )
        found = common_ngrams(ws, benchmarks, p.ngram, p.reference, p.allow_common, progress)
        allow(ws, found["ngram"].to_list())
    return len(read_allowed(ws, p.ngram))


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
