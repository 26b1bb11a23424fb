"""Gopher's repetition rules as signals (Rae et al. 2021, arXiv:2112.11446, table A1).

Datatrove's reading (`GopherRepetitionFilter`, 0.10): the first copy of a line or paragraph is no
repeat, and every share of characters is of the whole text, white space included, although repeated
n-grams of five words and more count letters only. A document shorter than n words has share 0 of
n-grams. The most frequent n-gram counts even if it occurs once: a text of two words has
`top_2_gram` 1. The n-grams are read by the compiled kernel, since exploding them into rows is five
times slower.
"""

import polars as pl

from lab.curation.signals.definitions import GOPHER, REPEATS, SHARE, Definition
from lab.curation.signals.lines import ratio, repeated, repeated_chars

ROWS, PARAGRAPHS, CHARS = pl.col("rows"), pl.col("paragraphs"), pl.col("chars")

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "repetition.dup_paras@dt1",
        "share of repeated paragraphs",
        "share",
        "second and later copies of a paragraph / paragraphs",
        REPEATS,
        GOPHER,
        SHARE,
    ): ratio(repeated(PARAGRAPHS), PARAGRAPHS.list.len()),
    Definition(
        "repetition.dup_para_chars@dt1",
        "share of characters in repeated paragraphs",
        "share",
        "characters of second and later copies of a paragraph / characters",
        REPEATS,
        GOPHER,
        SHARE,
    ): ratio(repeated_chars(PARAGRAPHS), CHARS),
    Definition(
        "repetition.dup_lines@dt1",
        "share of repeated lines",
        "share",
        "second and later copies of a line / lines; blank runs are one break",
        REPEATS,
        GOPHER,
        SHARE,
    ): ratio(repeated(ROWS), ROWS.list.len()),
    Definition(
        "repetition.dup_line_chars@dt1",
        "share of characters in repeated lines",
        "share",
        "characters of second and later copies of a line / characters",
        REPEATS,
        GOPHER,
        SHARE,
    ): ratio(repeated_chars(ROWS), CHARS),
    **{
        Definition(
            f"repetition.top_{n}_gram@ws1",
            f"share of characters in the most frequent {n}-gram",
            "share",
            f"length of the most frequent run of {n} words x its occurrences / characters; "
            "one that occurs once counts too",
            REPEATS,
            GOPHER,
            SHARE,
        ): pl.col(f"gram_{n}")
        for n in (2, 3, 4)
    },
    **{
        Definition(
            f"repetition.dup_{n}_gram@ws1",
            f"share of characters in repeated {n}-grams",
            "share",
            f"letters of runs of {n} words seen before, none counted twice / characters",
            REPEATS,
            GOPHER,
            SHARE,
        ): pl.col(f"gram_{n}")
        for n in range(5, 11)
    },
}
