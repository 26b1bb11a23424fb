"""C4's line rules as an edit (Raffel et al. 2020, arXiv:1910.10683, section 2.2).

What `lab.curation.signals.c4` measures is done here: lines that C4 drops are dropped, citations
such as [12] and [edit] are cut out of the others, and what is left is joined by `\\n`. Order and
tests are those of datatrove's `C4QualityFilter` (0.10), line by line: a word over 1,000 characters;
citations; no end mark (`c4-lines` only); fewer than three words, citations counted; `javascript`; a
phrase about cookies or terms of use. Blank lines go, as in C4.

C4 also drops whole documents, for `lorem ipsum`, `{` or fewer than five sentences. An edit drops
none: set a rule on `c4.lorem_ipsum`, `c4.curly_brackets` and `c4.sentences` for that. Such lines
stay. A second run may change a text again, where a citation was one of a line's three words or
stood inside another; it drops nothing else. Cost: 25 to 70 microseconds for a document of
2.7 kB.
"""

import polars as pl

from lab.curation.signals import c4
from lab.curation.signals.batches import batches
from lab.curation.signals.characters import SPACES
from lab.curation.signals.lines import splittings

KEPT = pl.col("usable") & ~pl.col("javascript") & ~pl.col("policy")


def drop_lines(text: pl.Series) -> pl.Series:
    """`text` without the lines that C4 drops."""
    return kept_text(text, KEPT & pl.col("terminal"))


def drop_lines_fineweb(text: pl.Series) -> pl.Series:
    """`text` without the lines that FineWeb's C4 rules drop: lines need no end mark."""
    return kept_text(text, KEPT)


def kept_text(text: pl.Series, kept: pl.Expr) -> pl.Series:
    """The lines of each text (no nulls) for which `kept` holds, citations cut out."""
    parts = [kept_of_batch(part, kept) for part in batches(text)]
    return pl.concat([pl.Series("text", [], pl.String), *parts])


def kept_of_batch(text: pl.Series, kept: pl.Expr) -> pl.Series:
    """`kept_text` of a batch of bounded size."""
    lines = text.to_frame("text").select(lines=splittings()["lines"])["lines"]
    found = (
        c4.line_frame(lines)
        .filter(kept)
        .group_by("document", maintain_order=True)
        .agg(pl.col("line").str.join("\n").str.strip_chars(SPACES).alias("text"))
    )
    everyone = pl.LazyFrame({"document": pl.int_range(len(text), dtype=pl.UInt32, eager=True)})
    joined = everyone.join(found, on="document", how="left", maintain_order="left")
    return joined.select(pl.col("text").fill_null("")).collect()["text"]
