"""Steps of the corpus: the sample world, sources, tokenizers."""

from dataclasses import asdict
from typing import Any

from lab.core.engine import sharing
from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus import sources as corpus
from lab.corpus import tokenizer as tokenizers
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
    if sharing():  # every process of the array would train one, beside the others
        raise ConfigError(
            "There is no tokenizer yet, and the shares of a job array cannot train one.",
            where="--shard",
            next_step="first `mixlab tokenizer NAME`, then the shares",
        )
    tokenizers.train_tokenizer(ws, "bpe-4k", vocab_size=4096, progress=progress)
    return "bpe-4k"


def facts(manifest: dict[str, Any]) -> Result:
    """What a manifest says beyond its own making."""
    making = {"step", "version", "config", "inputs", "made_by", "created", "asked"}
    return {k: v for k, v in manifest.items() if k not in making}
