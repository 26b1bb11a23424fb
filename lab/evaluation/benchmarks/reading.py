"""One item as a model sees it, for a person to read: prompt, choices, white space made visible.

What is shown is what `prompts.render` gives to the scorer, not a description of it. White space
decides how a tokenizer cuts a seam, so the white space that could be overlooked is marked: every
line end, blanks at the edge of a line, double blanks, tabs and blanks other than a plain one.
"""

import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from lab.core.errors import DataError, nearest
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.prompts import load_protocol, load_shots, render
from lab.evaluation.benchmarks.registry import load_items

ODD = "\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000"
HIDDEN = re.compile(rf"^ +| +$| {{2,}}|[\t\r{ODD}]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ItemPrompt:
    """An item and the texts whose likelihood is taken, one per choice (or the answer alone)."""

    item: dict[str, Any]
    contexts: list[str]
    continuations: list[str]  # as they are scored, the joining space included
    gold: int

    @property
    def one_context(self) -> bool:
        """True unless the choices stand in the context, as in WinoGrande."""
        return len(set(self.contexts)) == 1


def read_prompt(ws: Workspace, name: str, item_id: str | None = None) -> ItemPrompt:
    """The item `item_id` (default: the first) of benchmark `name`; DataError if there is none."""
    items = load_items(ws, name)
    chosen = items.head(1) if item_id is None else items.filter(id=item_id)
    if chosen.is_empty():
        raise DataError(
            "The benchmark has no such item.",
            where=name,
            value=item_id,
            next_step=nearest(str(item_id), items["id"].head(5000).to_list()),
        )
    texts = render(chosen, load_protocol(ws, name), load_shots(ws, name))
    row = chosen.row(0, named=True)
    return ItemPrompt(
        row, texts["context"].to_list(), texts["continuation"].to_list(), row["answer_index"] or 0
    )


def marked(text: str) -> str:
    """`text` with white space that could be overlooked made visible; a line end is `⏎`."""
    return HIDDEN.sub(lambda found: visible(found[0]), text).replace("\n", "⏎\n")


def visible(blanks: str) -> str:
    """Blanks as dots, a tab as an arrow, other blanks by their code point."""
    known = {" ": "·", "\t": "→"}
    return "".join(known.get(blank, f"<U+{ord(blank):04X}>") for blank in blanks)


def item_list(ws: Workspace, name: str) -> pl.DataFrame:
    """id, kind, question, choices (their number) and answer of every item, for a table."""
    return load_items(ws, name).select(
        "id", "kind", "question", pl.col("choices").list.len(), "answer", "answer_index"
    )
