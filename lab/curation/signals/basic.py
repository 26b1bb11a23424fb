"""Plain measures of a text: its length, lines, digits and capitals.

None comes from a paper; every curation tool has them. They describe corpora well and make poor
filters alone. `basic.words` and `basic.mean_word_length` count all words, which is what Dolma and
NeMo Curator filter by (`gopher.word_count` leaves out words of symbols, as datatrove does).
"""

import polars as pl

from lab.curation.signals.definitions import COMMON, COUNT, SHARE, Definition
from lab.curation.signals.lines import ratio

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "basic.chars@lab1",
        "length",
        "characters",
        "characters (Unicode code points)",
        "low values point to stubs, very high ones to dumps",
        COMMON,
        COUNT,
    ): pl.col("chars"),
    Definition(
        "basic.words@ws1",
        "word count with symbols",
        "words",
        "words, those made of symbols only included",
        "low values point to stubs",
        COMMON,
        COUNT,
    ): pl.col("words"),
    Definition(
        "basic.mean_word_length@ws1",
        "mean word length with symbols",
        "characters",
        "characters per word, words made of symbols only included; 0 without words",
        "high values point to code, links or unspaced scripts",
        COMMON,
        SHARE,
    ): ratio(pl.col("word_chars"), pl.col("words")),
    Definition(
        "basic.lines@lab1",
        "line count",
        "lines",
        "lines of `str.splitlines()`, blank ones included",
        "high values beside few words point to lists",
        COMMON,
        COUNT,
    ): pl.col("line_count"),
    Definition(
        "basic.digit_share@lab1",
        "share of digits",
        "share",
        "decimal digits of any script / characters",
        "high values point to tables and logs",
        COMMON,
        SHARE,
    ): ratio(pl.col("digits"), pl.col("chars")),
    Definition(
        "basic.uppercase_share@lab1",
        "share of capital letters",
        "share",
        "upper-case letters / letters",
        "high values point to shouting, headings and identifiers",
        COMMON,
        SHARE,
    ): ratio(pl.col("capitals"), pl.col("letters")),
}
