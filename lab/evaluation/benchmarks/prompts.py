"""What a model is shown: from items to the texts whose likelihood is taken.

    context = header + shots + context of the item      continuation = what is scored

Both come from the benchmark's template (see `templates`) and are joined by `seam`: one space,
unless white space stands there. In cloze form the continuation is the text of a choice, in letters
form " A", " B", ... A shot is the same context with its right answer and an empty line after it;
shots are fixed, in the order of their file, the same for every item and every model, and never from
the split that is scored. Nothing is drawn: the same benchmark gives the same texts, always.

A benchmark may be replaced, or its template edited, while it is read. Its folder is swapped whole,
so texts belong to the hash that was read before them if the same hash is there after them;
otherwise they are read again.

Cost: 0.3 s for 40,000 texts; five long shots make 200 MB of text for MMLU's 56,000.
"""

import time
from typing import Final, NamedTuple

import polars as pl

from lab.core.errors import DataError
from lab.core.files import confined
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.registry import (
    BenchmarkSummary,
    load_items,
    read_summary,
    shown_hash,
)
from lab.evaluation.benchmarks.templates import LETTERS, Protocol, Template, check_protocol, fill

__all__ = ["Protocol", "load_protocol", "load_shots", "render", "render_benchmark", "seam"]

BETWEEN: Final = "\n\n"  # shots, as in the harness (`fewshot_delimiter`)
ATTEMPTS: Final = 5  # at reading a benchmark that is being replaced
PAUSE: Final = 0.2  # seconds between them


class Rendered(NamedTuple):
    """A benchmark as it is put to a model."""

    summary: BenchmarkSummary
    items: pl.DataFrame  # schema.ITEMS
    table: pl.DataFrame  # of `render`


def render(
    items: pl.DataFrame, protocol: Protocol | None = None, shots: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row per text to score: item (row number), context, continuation, bytes.

    `items` and `shots` are schema.ITEMS; without a protocol items stand as they are written. Bytes
    are those of what is scored, the joining space included. Raises ConfigError where the items
    cannot be put so.
    """
    protocol = protocol or Protocol()
    template = check_protocol(items, protocol)
    flat = fields(items)
    before = pl.concat_str(fill(template.header), shot_block(template, shots, protocol.shots))
    texts = flat.select(
        "item",
        context=pl.concat_str(before, fill(template.context)),
        continuation=fill(template.continuation),
    )
    pairs = [seam(*pair) for pair in texts.select("context", "continuation").iter_rows()]
    return texts.select(
        "item",
        pl.Series("context", [context for context, _ in pairs], pl.String),
        pl.Series("continuation", [text for _, text in pairs], pl.String),
    ).with_columns(bytes=pl.col("continuation").str.len_bytes())


def seam(context: str, continuation: str) -> tuple[str, str]:
    """(context without white space at its end, continuation with all that comes after it)."""
    stripped = context.rstrip()
    open_seam = stripped and stripped == context and not continuation[:1].isspace()
    return stripped, context[len(stripped) :] + (" " if open_seam else "") + continuation


def fields(items: pl.DataFrame) -> pl.DataFrame:
    """One row per choice (or answer alone) with every field that a template may name."""
    rows = items.with_row_index("item").with_columns(options(items))
    several = pl.col("choices").list.len() > 0
    texts = pl.when(several).then("choices").otherwise(pl.concat_list("answer"))
    flat = rows.with_columns(texts.alias("choice")).explode("choice")
    place = pl.int_range(pl.len()).over("item")
    blank = pl.col("question").str.splitn("_", 2).struct
    return flat.with_columns(
        place=place,
        gold=place == pl.col("answer_index").fill_null(0),
        letter=place.replace_strict(dict(enumerate(LETTERS)), default=""),
        before=blank.field("field_0"),
        after=blank.field("field_1").str.strip_chars(),
    )


def options(items: pl.DataFrame) -> pl.Series:
    """All choices of every item as lines `A. text`."""
    lines = [
        "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, choices, strict=False))
        for choices in items["choices"].to_list()
    ]
    return pl.Series("options", lines, pl.String)


def shot_block(template: Template, shots: pl.DataFrame | None, count: int) -> pl.Expr:
    """The shots that stand before an item: the same for all, or by a field of `meta`."""
    if shots is None or count == 0:
        return pl.lit("")
    texts = shot_texts(shots, template)
    if not template.shots_by:
        return pl.lit("".join(texts["text"].head(count)))
    blocks = texts.group_by("key", maintain_order=True).agg(pl.col("text").head(count).str.join(""))
    by_key = dict(blocks.iter_rows())
    key = fill(f"{{meta.{template.shots_by}}}")
    return key.replace_strict(by_key, default="", return_dtype=pl.String)


def shot_texts(shots: pl.DataFrame, template: Template) -> pl.DataFrame:
    """`key` (of `shots_by`) and `text` of every shot: context, right answer, empty line."""
    rows = (
        fields(shots)
        .filter("gold")
        .select(
            key=fill(f"{{meta.{template.shots_by}}}") if template.shots_by else pl.lit(""),
            context=fill(template.context),
            shot=fill(template.shot or template.continuation),
        )
    )
    pairs = [seam(*pair) for pair in rows.select("context", "shot").iter_rows()]
    texts = [context + answer + BETWEEN for context, answer in pairs]
    return rows.select("key", pl.Series("text", texts, pl.String))


def load_protocol(ws: Workspace, name: str) -> Protocol:
    """How benchmark `name` is put to every model."""
    known = read_summary(ws, name)
    return Protocol(known.form, known.shots, known.template)


def load_shots(ws: Workspace, name: str) -> pl.DataFrame:
    """The fixed shots of benchmark `name` as schema.ITEMS; no rows where it has none."""
    path = confined(ws.benchmarks, name) / "shots.parquet"
    return pl.read_parquet(path) if path.is_file() else load_items(ws, name).clear()


def render_benchmark(ws: Workspace, name: str) -> Rendered:
    """Benchmark `name` as it is now; its summary, items and texts belong together (see above).

    Raises DataError if it was replaced at every attempt, or is gone.
    """
    for _ in range(ATTEMPTS):
        before = read_summary(ws, name)
        shown = shown_hash(before)
        try:
            items = load_items(ws, name)
            table = render(items, load_protocol(ws, name), load_shots(ws, name))
        except FileNotFoundError:  # between the old folder and the new
            time.sleep(PAUSE)
            continue
        if shown_hash(read_summary(ws, name)) == shown:
            return Rendered(before, items, table)
    raise DataError(
        "This benchmark is being replaced while it is read.",
        where=str(ws.benchmarks / name),
        next_step="evaluate again once it has been registered",
    )
