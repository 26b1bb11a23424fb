"""From a frame of documents to a frame of signals, in batches of bounded size.

A document's values depend on its own text only, so the batches change memory and nothing else.
Working memory is about 14 bytes per byte of prose (36 for single letters, the worst found), so
some 120 MB for the 8 MB of a batch; a longer document is a batch of its own. A plan is read off
the expressions: columns that no wanted signal refers to are not made, so that `basic` does not pay
for n-grams.

Cost on one core, microseconds for a document of 2.9 kB (2026-11): 245 for all signals but language
and personal data. Alone, definitions ws1 take 96 of these, dt1 80, dol1 70, dclm1 78, cur1 86, rps1
99, uw1 60; they share columns, so the parts do not add up. Language takes 155, personal data 44.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from lab.core.errors import DataError
from lab.curation.signals import c4, lines, words
from lab.curation.signals.definitions import Definition
from lab.curation.signals.registry import FUNCTIONS, SIGNALS, select

BATCH_BYTES = 8_000_000  # larger gains nothing: the tables leave the processor's cache
ROW_BYTES = 64  # added per document, so that a million empty documents are no single batch


def compute(frame: pl.DataFrame, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Signals of each row's `text`: one column per definition, named by its id, rows in order.

    `names` are definition ids or bare names (all definitions for None). Counts are UInt32, shares
    and means Float64 in the units of the registry. Where the text is null, so is every signal.
    Raises ConfigError for an unknown name, DataError if `frame` has no text column.
    """
    definitions = select(names)
    if frame.schema.get("text") != pl.String:
        raise DataError(
            "A column `text` of strings is needed to compute signals.",
            value=dict(frame.schema),
            next_step="name the text column when the source is added: `mixlab add --text-column`",
        )
    empty = pl.DataFrame(schema={d.id: d.dtype for d in definitions})
    parts = [measure(part, definitions) for part in batches(frame["text"])]
    return pl.concat([empty, *parts])


def batches(text: pl.Series) -> Iterator[pl.Series]:
    """`text` in runs of rows that hold at most BATCH_BYTES, or one longer document."""
    sizes = text.str.len_bytes().fill_null(0).to_numpy().astype(np.int64) + ROW_BYTES
    batch = (np.cumsum(sizes) - sizes) // BATCH_BYTES
    bounds = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(text)]
    for start, end in pairwise(bounds):
        if end > start:
            yield text.slice(start, end - start)


def measure(text: pl.Series, definitions: Sequence[Definition]) -> pl.DataFrame:
    """Signals of one batch."""
    filled = text.fill_null("")
    wanted = {d.id: SIGNALS[d].cast(d.dtype) for d in definitions if d in SIGNALS}
    roots = {root for expression in wanted.values() for root in expression.meta.root_names()}
    frames = [prepare(filled, roots).lazy().select(**wanted).collect()]
    for group, function in FUNCTIONS.items():
        if asked := [d for d in group if d in definitions]:
            frames.append(function(filled).select(pl.col(d.id).cast(d.dtype) for d in asked))
    values = pl.concat(frames, how="horizontal").select(d.id for d in definitions)
    if text.null_count() == 0:
        return values
    return values.select(pl.when(text.is_not_null()).then(pl.all()))


def prepare(text: pl.Series, roots: set[str]) -> pl.DataFrame:
    """Those of the columns that expressions start from which `roots` name."""
    if roots & set(c4.COUNTS):
        roots = roots | {"lines"}  # which its counts are made from
    pieces = {k: v for k, v in lines.splittings().items() if k in roots}
    frames = [text.to_frame("text").select(**pieces)]
    scans = [scan for columns, scan in words.SCANS.items() if roots & set(columns)]
    if scans:
        batch = words.lay_out(text)
        frames += [scan(text, batch, roots) for scan in scans]
    if roots & set(c4.COUNTS):
        frames.append(c4.line_counts(frames[0]["lines"]))
    if "text" in roots:
        frames.append(text.to_frame("text"))
    return pl.concat(frames, how="horizontal")
