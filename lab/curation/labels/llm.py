"""Labels from a language model, within a budget, resumable, never paid for twice.

    labels/llm-cache/KEY.jsonl     every answer under (model, prompt, text), over all sets of labels
    labels/llm/NAME/spending.jsonl the ledger of this set (`spending`), written before each question
    labels/llm/NAME/labels.jsonl   {id, label, by}: what `mixlab score` learns from
    labels/llm/NAME/quarantine.jsonl  documents without a label, why, and the answer, cut
    labels/llm/NAME/report.json    counts, tokens, money, settings; no key

An answer is in the cache before the next question is asked, so a killed process loses the questions
in flight, and the same command again asks only for what is missing. Nonsense is cached as well:
asked greedily, a model says it again; `retry` asks anew. Money and documents leave the machine here
and nowhere else: the documents go to the endpoint that was named.
"""

import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.files import digest, write_json, write_text
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.curation.journal import Record, append, read, writing
from lab.curation.labels.asking import Asked, Run, work
from lab.curation.labels.draw import draw
from lab.curation.labels.endpoint import Endpoint, connect
from lab.curation.labels.files import check_label_name
from lab.curation.labels.prompts import Prompt, check_prompt
from lab.curation.labels.spending import Budget, Ledger, Tokens, bound, check_budget, expected

CONCURRENCY = 4


def label_with_llm(
    ws: Workspace,
    name: str,
    sources: Sequence[str],
    *,
    count: int,
    base_url: str,
    model: str,
    prompt: Prompt,
    budget: Budget,
    seed: int = 0,
    concurrency: int = CONCURRENCY,
    retry: bool = False,
    dry_run: bool = False,
    progress: Progress = SILENT,
    **settings: Any,
) -> dict[str, Any]:
    """Have `count` documents of `sources` labelled by a model; the report, with the estimate.

    `settings` are those of `Endpoint` (answer_tokens, reasoning, timeout, attempts, ...). A dry run
    sends nothing. Stops before the budget is exceeded and says so in `stopped`. Raises ConfigError
    for settings that cannot work, DependencyMissing if the endpoint refuses or does not answer;
    what was answered is kept.
    """
    check_label_name(name)
    check_prompt(prompt)
    endpoint = connect(base_url, model, **settings)
    chosen = draw(ws, sources, count, seed)
    cache = cache_file(ws, endpoint, prompt)
    answers = {r["text"]: r for r in read(cache) if "text" in r}
    queue = unanswered(chosen, prompt, answers, retry)
    plan = estimate(queue, endpoint, budget) | {"documents": chosen.height}
    if dry_run:
        return {"name": name, "model": model, "estimate": plan, "dry_run": True}
    check_budget(budget)
    folder, purpose = ws.folder("labels", "llm", name), f"label {name}"
    with writing(folder / "spending.jsonl", purpose), writing(cache, purpose):
        ledger = Ledger(folder / "spending.jsonl")
        run = Run(endpoint, prompt, budget, ledger, cache, answers)
        if not cache.is_file():
            append(cache, [{"model": model, "prompt": asdict(prompt)}])
        try:
            work(run, queue, concurrency, progress)
        finally:
            report = write_results(folder, name, run, chosen) | {"estimate": plan}
            write_json(folder / "report.json", report)
    return report


def unanswered(
    chosen: pl.DataFrame, prompt: Prompt, answers: dict[str, Record], retry: bool
) -> "deque[Asked]":
    """Questions about the documents that have no answer, or with `retry` only nonsense."""
    rows = chosen.select("id", "content_hash", "text").iter_rows()
    return deque(
        Asked(document, text, prompt.fill(body))
        for document, text, body in rows
        if text not in answers or (retry and answers[text]["label"] is None)
    )


def cache_file(ws: Workspace, endpoint: Endpoint, prompt: Prompt) -> Path:
    """Where answers of this model to this prompt are."""
    key = digest([endpoint.model, prompt.key, endpoint.answer_tokens, endpoint.reasoning])
    return ws.folder("labels", "llm-cache", f"{key}.jsonl")


def estimate(queue: Sequence[Asked], endpoint: Endpoint, budget: Budget) -> dict[str, Any]:
    """Questions to ask, their likely and largest possible tokens and cost."""
    likely, most = Tokens(), Tokens()
    for asked in queue:
        likely = likely.plus(expected(asked.question, endpoint.answer_tokens))
        most = most.plus(bound(asked.question, endpoint.answer_tokens))
    return {
        "to_ask": len(queue),
        "question_tokens": likely.question,
        "answer_tokens": likely.answer,
        "cost": budget.cost(likely),
        "most_tokens": most.question + most.answer,
        "most_cost": budget.cost(most),
        "budget": budget.money,
        "budget_tokens": budget.tokens,
    }


def write_results(folder: Path, name: str, run: Run, chosen: pl.DataFrame) -> dict[str, Any]:
    """Write labels and quarantine of the drawn documents; the report."""
    labels, aside = [], []
    for document, text in chosen.select("id", "content_hash").iter_rows():
        answer = run.answers.get(text)
        if answer is None:
            if text in run.failed:
                aside.append({"id": document, "why": run.failed[text], "said": ""})
        elif answer["label"] is None:
            aside.append({"id": document, "why": answer["why"], "said": answer["said"]})
        else:
            labels.append({"id": document, "label": answer["label"], "by": run.endpoint.model})
    write_text(folder / "labels.jsonl", json_lines(labels))
    write_text(folder / "quarantine.jsonl", json_lines(aside))
    spent = run.ledger.spent
    return {
        "name": name,
        "model": run.endpoint.model,
        "base_url": run.endpoint.base_url,
        "prompt": asdict(run.prompt),
        "drawn": chosen.height,
        "labelled": len(labels),
        "quarantined": dict(Counter(row["why"][:60] for row in aside)),
        "not_asked": chosen.height - len(labels) - len(aside),
        "question_tokens": spent.question,
        "answer_tokens": spent.answer,
        "cost": run.budget.cost(spent),
        "unstated_usage": run.unstated,
        "stopped": run.stopped,
        "labels": str(folder / "labels.jsonl"),
    }


def json_lines(rows: Sequence[Record]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows)
