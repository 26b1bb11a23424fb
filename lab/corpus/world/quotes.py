"""Documents that quote benchmark items word for word: the contamination to be found.

A quoting document is an ordinary page, thread or sheet with one to three items in it, question and
gold answer as they are scored. Which document quotes which item is written down, so a test can ask
whether decontamination found them all, and whether anything else was touched.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, Final

from lab.corpus.world.benchmarks import NAMES, build_benchmarks
from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import pick

_HEADINGS: Final = (
    "From a test that is going round:", "Quiz of the week", "Can you solve this?",
    "I copied these from the exam.", "Seen in a test book:", "Try it yourself.",
)  # fmt: skip


def item_text(item: dict[str, Any]) -> str:
    """Question and gold answer exactly as they are scored."""
    question, answer = item["question"], item["answer"]
    return f"{question} {answer}" if question else answer


def quote_items(rng: Random, draft: Draft, seed: int) -> tuple[Draft, list[dict[str, Any]]]:
    """`draft` with one to three different items quoted after its first half, and the items."""
    benchmarks = build_benchmarks(seed)
    items: dict[str, dict[str, Any]] = {}
    for _ in range(1 + int(rng.random() * 3)):
        item = pick(rng, benchmarks[pick(rng, NAMES)])
        items[item["id"]] = item
    parts = draft.text.split("\n\n")
    middle = (len(parts) + 1) // 2
    quoted = [pick(rng, _HEADINGS), *(item_text(item) for item in items.values())]
    text = "\n\n".join([*parts[:middle], *quoted, *parts[middle:]])
    return replace(draft, text=text), list(items.values())
