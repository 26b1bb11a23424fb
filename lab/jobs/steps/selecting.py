"""Step of selection: choose documents of a source for breadth, and say what it did."""

from typing import Any

import polars as pl

from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import attributes, locate
from lab.curation.filters.parsing import column_of
from lab.jobs import actions as a
from lab.jobs.steps.corpus import facts

Result = dict[str, Any]


def select(ws: Workspace, p: a.Select, progress: Progress) -> Result:
    """A stored selection, as a column that a recipe can use."""
    from lab.diversity.selecting.stored import Settings
    from lab.diversity.selecting.stored import select as select_documents

    source = get_source(ws, p.source).name
    quality = column_of(p.quality, "select.quality") if p.quality else ""
    settings = Settings(p.method, p.keep, p.tokens, quality, p.balance, p.encoder, p.seed)
    frame, inputs = described(ws, source, quality)
    made = select_documents(ws, source, frame, settings, inputs, progress)
    return {"selection": made.id, **facts(made.manifest)}


def described(ws: Workspace, source: str, quality: str) -> tuple[pl.DataFrame, list[str]]:
    """Columns id, heldout, tokens, content_hash and perhaps quality; what they were read from."""
    columns = [quality] if quality else []
    tokenizer = default_tokenizer(ws)
    table = attributes(ws, source, columns, tokenizer)
    inputs = [require_tokens(ws, source, tokenizer).id]
    inputs += [column.artifact.id for column in locate(ws, source, columns)]
    plain = table.select("id", "heldout", "tokens", "content_hash")
    if not quality:
        return plain, inputs
    if not table[quality].dtype.is_numeric():
        raise ConfigError(
            "Quality is a number: larger is better.",
            where="select.quality",
            value=f"{quality}: {table[quality].dtype}",
            next_step="name a score, such as quality.NAME, or a signal that is a number",
        )
    score = table[quality].cast(pl.Float64).fill_null(float("nan"))
    return plain.with_columns(quality=score), inputs
