"""FineWeb's three signals and its list rule (Penedo et al. 2024, arXiv:2406.17557, section 3.6).

Found by comparing more than fifty statistics on a better and a worse corpus and keeping those
whose histograms part, then by ablation at 28 billion tokens. Formulas of datatrove's
`FineWebQualityFilter` (0.10): lines are split at `\\n`, not stripped, blank ones left out. A line
that ends in a space does not end in a punctuation mark, nor does one that ends in a quotation
mark, a colon or an ellipsis sign. The paper prints 0.1 as the limit for repeated line characters,
its appendix and code 0.01.
"""

import polars as pl

from lab.curation.signals.characters import SENTENCE_END, regex_class
from lab.curation.signals.definitions import FINEWEB, REPEATS, SHARE, Definition
from lab.curation.signals.lines import PIECE, count_where, ratio, repeated_chars

SHORT = 30  # characters; FineWebQualityFilter(short_line_length=30)

LINES = pl.col("full_rows")
ENDED = PIECE.str.contains(f"[{regex_class(SENTENCE_END)}]$")

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "fineweb.line_punct@dt1",
        "share of lines that end in a full stop or the like",
        "share",
        "non-blank lines whose last character is one of 159 sentence-ending marks / such lines",
        "low values point to menus, lists and headlines",
        FINEWEB,
        SHARE,
    ): ratio(count_where(LINES, ENDED), LINES.list.len()),
    Definition(
        "fineweb.short_lines@dt1",
        "share of short lines",
        "share",
        "non-blank lines of at most 30 characters / such lines",
        "high values point to menus, lists and forms",
        FINEWEB,
        SHARE,
    ): ratio(count_where(LINES, PIECE.str.len_chars() <= SHORT), LINES.list.len()),
    Definition(
        "fineweb.dup_line_chars@dt1",
        "share of characters in repeated lines (newlines aside)",
        "share",
        "characters of second and later copies of a non-blank line / characters but newlines",
        REPEATS,
        FINEWEB,
        SHARE,
    ): ratio(repeated_chars(LINES), pl.col("chars") - pl.col("newlines")),
    Definition(
        "fineweb.newline_per_word@ws1",
        "newlines per word",
        "per word",
        "`\\n` characters / words",
        "high values point to lists",
        FINEWEB,
        SHARE,
    ): ratio(pl.col("newlines"), pl.col("words")),
}
