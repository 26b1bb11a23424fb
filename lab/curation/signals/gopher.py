"""Gopher's quality rules as signals (Rae et al. 2021, arXiv:2112.11446, appendix A.1.1).

The paper's rules on words and lines, in datatrove's reading (`GopherQualityFilter`, 0.10): words
that consist of symbols only count neither for the word count nor for the mean length; hash signs
and ellipses are counted as strings and judged apart; stop words are counted once each and only in
lower case, so that a text whose only `the` opens a sentence (`The`) has none. Dolma, DCLM, NeMo
Curator and RedPajama each read the paper differently; their numbers are not comparable with these.
"""

import polars as pl

from lab.curation.signals.characters import BLANKS
from lab.curation.signals.definitions import COUNT, GOPHER, SHARE, Definition
from lab.curation.signals.lines import PIECE, count_where, ratio

WORDS, LINES, LINE_COUNT = pl.col("words"), pl.col("lines"), pl.col("line_count")
BULLET = PIECE.str.contains(f"^{BLANKS}[•-]")
ELLIPSIS_END = PIECE.str.contains(f"(?:\\.\\.\\.|…){BLANKS}$")

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "gopher.word_count@ws1",
        "word count",
        "words",
        "words with at least one character that is no punctuation mark or symbol",
        "low values point to stubs and captions, very high ones to dumps",
        GOPHER,
        COUNT,
    ): pl.col("content_words"),
    Definition(
        "gopher.mean_word_length@ws1",
        "mean word length",
        "characters",
        "characters per word, over words that are not all symbols; 0 without words",
        "low values point to tables, high ones to code, links or unspaced scripts",
        GOPHER,
        SHARE,
    ): ratio(pl.col("content_chars"), pl.col("content_words")),
    Definition(
        "gopher.hash_ratio@ws1",
        "hash signs per word",
        "per word",
        "`#` characters / words",
        "high values point to tag lists and markup",
        GOPHER,
        SHARE,
    ): ratio(pl.col("hashes"), WORDS),
    Definition(
        "gopher.ellipsis_ratio@ws1",
        "ellipses per word",
        "per word",
        "occurrences of `...` and `…` / words",
        "high values point to truncated teasers",
        GOPHER,
        SHARE,
    ): ratio(pl.col("ellipses"), WORDS),
    Definition(
        "gopher.bullet_lines@dt1",
        "share of lines that start with a bullet",
        "share",
        "lines whose first visible character is `•` or `-` / lines",
        "high values point to lists",
        GOPHER,
        SHARE,
    ): ratio(count_where(LINES, BULLET), LINE_COUNT),
    Definition(
        "gopher.ellipsis_lines@dt1",
        "share of lines that end in an ellipsis",
        "share",
        "lines that end in `...` or `…`, trailing space aside / lines",
        "high values point to truncated teasers",
        GOPHER,
        SHARE,
    ): ratio(count_where(LINES, ELLIPSIS_END), LINE_COUNT),
    Definition(
        "gopher.alpha_words@ws1",
        "share of words with a letter",
        "share",
        "words with at least one letter / words",
        "low values point to tables, numbers and symbols",
        GOPHER,
        SHARE,
    ): ratio(pl.col("letter_words"), WORDS),
    Definition(
        "gopher.stop_words@ws1",
        "distinct stop words",
        "of 8",
        "how many of the, be, to, of, and, that, have, with occur in lower case",
        "low values point to lists, code and languages other than English",
        GOPHER,
        COUNT,
    ): pl.col("stop_words").bitwise_count_ones(),
}
