"""Dolma's reading of Gopher's rules (Soldaini et al. 2024, arXiv:2402.00159; tagger gopher_v1).

Words of `str.split()`, lines of `split("\\n")` with empty ones, neither stripped. *All* copies of a
repeated line or n-gram count, the first too, and characters are those that are no white space, so
that the share of repeated lines, whose spaces do count, can exceed 1. A document shorter than n
words has share 0 of n-grams; the most frequent one counts even if it occurs once.

Dolma 1.5 and 1.6 ask for the most frequent n-gram under a name that the tagger does not write
(`..._2gram` for `..._2grams`), so those three rules never dropped a document.
"""

import polars as pl

from lab.curation.signals.definitions import COUNT, DOLMA, REPEATS, SHARE, Definition
from lab.curation.signals.lines import ratio

WORDS, LETTERS, LINES = pl.col("words"), pl.col("word_chars"), pl.col("newlines") + 1

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "gopher.median_word_length@dol1",
        "median word length",
        "characters",
        "median of the characters of words; 0 without words",
        "low values point to tables, high ones to code, links or unspaced scripts",
        DOLMA,
        SHARE,
    ): pl.col("median_twice") / 2,
    Definition(
        "gopher.symbol_words@dol1",
        "share of words with a hash sign or ellipsis sign",
        "share",
        "words that hold `#` or `…` / words; `...` does not count",
        "high values point to tag lists and truncated teasers",
        DOLMA,
        SHARE,
    ): ratio(pl.col("marked_words"), WORDS),
    Definition(
        "gopher.stop_word_count@dol1",
        "occurrences of stop words",
        "words",
        "words that are one of the, be, to, of, and, that, have, with in lower case",
        "low values point to lists, code and languages other than English",
        DOLMA,
        COUNT,
    ): pl.col("stop_count"),
    Definition(
        "gopher.bullet_lines@dol1",
        "share of lines that start with * or - (Dolma)",
        "share",
        "lines whose very first character is `*` or `-` / lines, empty ones included",
        "high values point to lists",
        DOLMA,
        SHARE,
    ): ratio(pl.col("dol_bullets"), LINES),
    Definition(
        "gopher.ellipsis_lines@dol1",
        "share of lines that end in an ellipsis sign (Dolma)",
        "share",
        "lines whose very last character is `…` / lines, empty ones included",
        "high values point to truncated teasers",
        DOLMA,
        SHARE,
    ): ratio(pl.col("dol_ellipses"), LINES),
    Definition(
        "repetition.dup_lines@dol1",
        "share of lines that occur twice or more (Dolma)",
        "share",
        "all copies of lines that repeat / lines; empty lines are lines",
        REPEATS,
        DOLMA,
        SHARE,
    ): ratio(pl.col("dol_copies"), LINES),
    Definition(
        "repetition.dup_line_chars@dol1",
        "characters of lines that occur twice or more, per letter (Dolma)",
        "share",
        "characters of all copies of lines that repeat / characters but white space; can exceed 1",
        REPEATS,
        DOLMA,
        SHARE,
    ): ratio(pl.col("dol_copied_chars"), LETTERS),
    **{
        Definition(
            f"repetition.top_{n}_gram@dol1",
            f"share of letters in the most frequent {n}-gram (Dolma)",
            "share",
            f"letters of the most frequent run of {n} words x its occurrences / characters but "
            "white space",
            REPEATS,
            DOLMA,
            SHARE,
        ): pl.col(f"dol_gram_{n}")
        for n in (2, 3, 4)
    },
    **{
        Definition(
            f"repetition.dup_{n}_gram@dol1",
            f"share of {n}-grams that occur twice or more, by letters (Dolma)",
            "share",
            f"letters of all copies of runs of {n} words that repeat / letters of all such runs",
            REPEATS,
            DOLMA,
            SHARE,
        ): pl.col(f"dol_gram_{n}")
        for n in range(5, 11)
    },
}
