"""DCLM's reading of Gopher's rules, for its RefinedWeb (Li et al. 2024, arXiv:2406.11794).

Lines and paragraphs are stripped and blank ones left out; all copies of what repeats count, and a
text of one line has no repeats. Words of n-grams are Unicode words that start with a letter or
digit: here `uw1`, where DCLM asks uniseg for UAX #29 words. An n-gram that occurs once is no
repeat, the longest of the most frequent counts, and a word inside two repeated n-grams counts once.
The word count is over fastText's words (between ASCII white space) that start with a letter or
digit.

DCLM drops a document without words, lines or stop words outright; here every share of nothing is 0,
and the rule on the word count drops it.
"""

import polars as pl

from lab.curation.signals.definitions import COUNT, DCLM, REPEATS, SHARE, Definition
from lab.curation.signals.lines import ratio

LINES, PARAS = pl.col("stripped_lines"), pl.col("stripped_paras")
SPACED = pl.col("text").str.count_matches(". . .", literal=True)

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "gopher.word_count@dclm1",
        "word count (DCLM)",
        "words",
        "words between ASCII white space that start with a letter or digit",
        "low values point to stubs and captions, very high ones to dumps",
        DCLM,
        COUNT,
    ): pl.col("spaced_words"),
    Definition(
        "gopher.symbol_ratio@dclm1",
        "hash signs and ellipses per word (DCLM)",
        "per word",
        "occurrences of `#`, `...`, `. . .` and `…` together / words of `str.split()`",
        "high values point to tag lists and truncated teasers",
        DCLM,
        SHARE,
    ): ratio(pl.col("hashes") + pl.col("ellipses") + SPACED, pl.col("words")),
    Definition(
        "gopher.bullet_lines@dclm1",
        "share of lines that start with a bullet (DCLM)",
        "share",
        "non-blank lines whose first visible character is one of ● • * - / such lines",
        "high values point to lists",
        DCLM,
        SHARE,
    ): ratio(pl.col("dclm_bullets"), LINES),
    Definition(
        "gopher.ellipsis_lines@dclm1",
        "share of lines that end in an ellipsis (DCLM)",
        "share",
        "non-blank lines that end in `...`, `. . .` or `…`, trailing space aside / such lines",
        "high values point to truncated teasers",
        DCLM,
        SHARE,
    ): ratio(pl.col("dclm_ellipses"), LINES),
    Definition(
        "gopher.stop_word_count@dclm1",
        "occurrences of stop words in any case (DCLM)",
        "words",
        "words that are one of the, be, to, of, and, that, have, with when lower-cased",
        "low values point to lists, code and languages other than English",
        DCLM,
        COUNT,
    ): pl.col("any_stop_count"),
    Definition(
        "repetition.dup_lines@dclm1",
        "share of lines that occur twice or more (DCLM)",
        "share",
        "all copies of stripped lines that repeat / non-blank lines",
        REPEATS,
        DCLM,
        SHARE,
    ): ratio(pl.col("line_copies"), LINES),
    Definition(
        "repetition.dup_line_chars@dclm1",
        "share of characters in lines that occur twice or more (DCLM)",
        "share",
        "characters of all copies of stripped lines that repeat / characters of stripped lines",
        REPEATS,
        DCLM,
        SHARE,
    ): ratio(pl.col("line_copied_chars"), pl.col("stripped_chars")),
    Definition(
        "repetition.dup_paras@dclm1",
        "share of paragraphs that occur twice or more (DCLM)",
        "share",
        "all copies of stripped paragraphs that repeat / non-blank paragraphs",
        REPEATS,
        DCLM,
        SHARE,
    ): ratio(pl.col("para_copies"), PARAS),
    Definition(
        "repetition.dup_para_chars@dclm1",
        "share of characters in paragraphs that occur twice or more (DCLM)",
        "share",
        "characters of all copies of stripped paragraphs that repeat / characters of paragraphs",
        REPEATS,
        DCLM,
        SHARE,
    ): ratio(pl.col("para_copied_chars"), pl.col("para_chars")),
    **{
        Definition(
            f"repetition.top_{n}_gram@dclm1",
            f"share of letters in the most frequent {n}-gram (DCLM)",
            "share",
            f"letters of the longest of the most frequent runs of {n} Unicode words x its "
            "occurrences / letters of words; 0 if none repeats",
            REPEATS,
            DCLM,
            SHARE,
        ): pl.col(f"dclm_gram_{n}")
        for n in (2, 3, 4)
    },
    **{
        Definition(
            f"repetition.dup_{n}_gram@dclm1",
            f"share of letters in words of repeated {n}-grams (DCLM)",
            "share",
            f"letters of Unicode words in runs of {n} that repeat, first copies too, each word "
            "once / letters of words",
            REPEATS,
            DCLM,
            SHARE,
        ): pl.col(f"dclm_gram_{n}")
        for n in range(5, 11)
    },
}
