"""Gopher's rules over Unicode words (`uw1`), and two measures of variety among them.

The second word splitter: punctuation is no word and scripts without spaces have words, so the same
thresholds mean something for Chinese or Thai text, and `lamp,` is a stop word as `lamp` would be.
The formulas are those of `ws1`; stop words count in any case. Show both before trusting either: the
splitter moves more verdicts than the thresholds do. What is no word at all, tables of symbols say,
lowers no share here, while over white space it lowers `alpha_words`.

Entropy of words: -sum p log p in nats (Shannon 1948), of the distribution of a document's words; it
grows with length, as the share of distinct words falls with it, so compare documents of one length.
"""

import polars as pl

from lab.curation.signals.definitions import COMMON, COUNT, REPEATS, SHARE, UNICODE, Definition
from lab.curation.signals.lines import ratio

WORDS = pl.col("uw_words")

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "gopher.word_count@uw1",
        "word count (Unicode words)",
        "words",
        "Unicode words; punctuation is none, a Han, kana or Thai character is one",
        "low values point to stubs and captions, very high ones to dumps",
        UNICODE,
        COUNT,
    ): WORDS,
    Definition(
        "gopher.mean_word_length@uw1",
        "mean word length (Unicode words)",
        "characters",
        "characters of Unicode words / such words; 0 without words",
        "low values point to tables and scripts without spaces, high ones to code",
        UNICODE,
        SHARE,
    ): ratio(pl.col("uw_chars"), WORDS),
    Definition(
        "gopher.hash_ratio@uw1",
        "hash signs per Unicode word",
        "per word",
        "`#` characters / Unicode words",
        "high values point to tag lists and markup",
        UNICODE,
        SHARE,
    ): ratio(pl.col("hashes"), WORDS),
    Definition(
        "gopher.ellipsis_ratio@uw1",
        "ellipses per Unicode word",
        "per word",
        "occurrences of `...` and `…` / Unicode words",
        "high values point to truncated teasers",
        UNICODE,
        SHARE,
    ): ratio(pl.col("ellipses"), WORDS),
    Definition(
        "gopher.alpha_words@uw1",
        "share of Unicode words with a letter",
        "share",
        "Unicode words with at least one letter / Unicode words",
        "low values point to tables and numbers",
        UNICODE,
        SHARE,
    ): ratio(pl.col("uw_letter_words"), WORDS),
    Definition(
        "gopher.stop_words@uw1",
        "distinct stop words in any case (Unicode words)",
        "of 8",
        "how many of the, be, to, of, and, that, have, with are among the lower-cased words",
        "low values point to lists, code and languages other than English",
        UNICODE,
        COUNT,
    ): pl.col("uw_stop_words").bitwise_count_ones(),
    Definition(
        "fineweb.newline_per_word@uw1",
        "newlines per Unicode word",
        "per word",
        "`\\n` characters / Unicode words",
        "high values point to lists",
        UNICODE,
        SHARE,
    ): ratio(pl.col("newlines"), WORDS),
    **{
        Definition(
            f"repetition.top_{n}_gram@uw1",
            f"share of characters in the most frequent {n}-gram of Unicode words",
            "share",
            f"length of the most frequent run of {n} Unicode words x its occurrences / characters; "
            "one that occurs once counts too",
            REPEATS,
            UNICODE,
            SHARE,
        ): pl.col(f"uw_gram_{n}")
        for n in (2, 3, 4)
    },
    **{
        Definition(
            f"repetition.dup_{n}_gram@uw1",
            f"share of characters in repeated {n}-grams of Unicode words",
            "share",
            f"letters of runs of {n} Unicode words seen before, none counted twice / characters",
            REPEATS,
            UNICODE,
            SHARE,
        ): pl.col(f"uw_gram_{n}")
        for n in range(5, 11)
    },
    Definition(
        "words.distinct@uw1",
        "share of distinct words",
        "share",
        "different Unicode words, case kept / Unicode words",
        "low values point to repetition and lists; long documents have lower ones",
        COMMON,
        SHARE,
    ): pl.col("uw_distinct"),
    Definition(
        "words.entropy@uw1",
        "entropy of words",
        "nats",
        "-sum p log p over a document's Unicode words, case kept, natural logarithm",
        "low values point to repetition and to short documents",
        COMMON,
        SHARE,
    ): pl.col("uw_entropy"),
}
