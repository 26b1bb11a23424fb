"""Steps of learned quality: labels from a model, scores from labels."""

from pathlib import Path
from typing import Any

from lab.core.engine import sharing
from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources

Result = dict[str, Any]


def score(ws: Workspace, p: a.Score, progress: Progress) -> Result:
    """A head learned from labels, and its score of every document."""
    from lab.curation.quality import Learning, find_head
    from lab.curation.quality import score as learn

    if sharing() and find_head(ws, p.name) is None:
        raise ConfigError(
            "The head is for one process to learn.",
            where="--shard",
            value=p.name,
            next_step=f"`mixlab score {p.name} --fit-only` first, then the shares",
        )
    specs = [p.labels] if isinstance(p.labels, str) else p.labels or [f"llm:{p.name}"]
    return learn(
        ws,
        p.name,
        [label_file(ws, spec) for spec in specs],
        [] if p.fit_only else chosen_sources(ws, None),
        learning=Learning(p.head, p.encoder, p.groups, p.threshold),
        progress=progress,
    )


def label_file(ws: Workspace, spec: str) -> Path:
    """The file that `spec` names: a path, `llm:NAME` for a model's labels, or `people:NAME` for
    tags and votes, which are written down as they are now.
    """
    kind, colon, name = spec.partition(":")
    if colon and kind == "people":
        from lab.curation.tags.store import export_labels

        path = ws.folder("labels", "people", f"{safe(name)}.jsonl")
        export_labels(ws, name, path)
        return path
    if colon and kind == "llm":
        return ws.folder("labels", "llm", safe(name), "labels.jsonl")
    return Path(spec)


def safe(name: str) -> str:
    """A question or name as a part of a file's name."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60] or "-"


def label(ws: Workspace, p: a.Label, progress: Progress) -> Result:
    """Labels from a language model, or what they would cost."""
    from lab.curation.labels.llm import label_with_llm
    from lab.curation.labels.prompts import load_prompt
    from lab.curation.labels.spending import Budget

    if p.concurrency < 1 or p.answer_tokens < 1 or p.timeout <= 0:
        raise ConfigError("Concurrency, answer tokens and time-out are above zero.")
    return label_with_llm(
        ws,
        p.name,
        chosen_sources(ws, p.source),
        count=p.count,
        base_url=p.base_url,
        model=p.model,
        prompt=load_prompt(p.prompt, p.scale, p.characters),
        budget=Budget(p.budget, p.budget_tokens, p.price_in, p.price_out),
        seed=p.seed,
        concurrency=p.concurrency,
        retry=p.retry,
        dry_run=p.dry_run,
        progress=progress,
        answer_tokens=p.answer_tokens,
        reasoning=p.reasoning,
        timeout=p.timeout,
    )
