"""NeMo Curator's heuristic filters for English (heuristic_filter_english_pipeline.yaml, 1.4).

Its own ratios (family `curator`) and its reading of Gopher's rules. Curator calls a non-blank line
a sentence, divides by zero on blank text where it does not say 1, and scores *unique* lines and
paragraphs, so those rules have a minimum. Alphanumeric means `[a-zA-Z0-9\\n?!,.]`: spaces and
accents count against a text, so that ordinary English has a fifth of other characters and German
more. Bullets do not include `-` and `*`. A word of symbols is an ellipsis, or made of runs of `#`
by more than half: `#` is one, `##` is not. Paragraphs lie between `\\n\\n` and may be empty.

What equals another definition is not repeated: digits are `basic.digit_share@lab1`, stop words
`gopher.stop_word_count@dol1`. Not offered: the most frequent n-gram, which Curator deletes from the
text (it misses those across line breaks, and ties go by the order of a Python set, so that two runs
differ). Documents shorter than n words have 0 of repeated n-grams here, 1 there.

Source of the phrases and marks: NVIDIA-NeMo/Curator, nemo_curator/stages/text/utils/constants.py,
Apache-2.0.
"""

import numpy as np
import polars as pl

from lab.curation.signals.definitions import COUNT, CURATOR, REPEATS, SHARE, Definition, Functions
from lab.curation.signals.lines import PIECE, ratio, total_chars

URL = r"https?://(?:[a-zA-Z0-9$\-_@.&+!*(),]|%[0-9a-fA-F][0-9a-fA-F])+"
PHRASES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "privacy overview",
    "use of cookies",
    "use cookies",
    "privacy & cookies policy",
    "privacy and cookies policy",
    "necessary cookies are absolutely essential for the website to function properly. this "
    "category only includes cookies that ensures basic functionalities and security features of "
    "the website. these cookies do not store any personal information.",
    "any cookies that may not be particularly necessary for the website to function and is used "
    "specifically to collect user personal data via analytics, ads, other embedded contents are "
    "termed as non-necessary cookies. it is mandatory to procure user consent prior to running "
    "these cookies on your website.",
    "if you continue to browse this site without changing your cookie settings, you agree to this "
    "use. acceptread more",
)
LOREM = "lorem ipsum"
# Rare pieces of them; U+212A is the one character outside ASCII that lower-cases into it.
HINTS = r"(?i-u:ookie|rivac|rms of|em ip)|\x{212A}"
TEXT, CHARS, ROWS = pl.col("text"), pl.col("chars"), pl.col("full_rows")
BLOCKS, LINES = pl.col("blocks"), pl.col("stripped_lines")
PARAGRAPHS = TEXT.str.count_matches("\n\n", literal=True) + 1
BOILERPLATE = Definition(
    "curator.boilerplate@cur1",
    "share of paragraphs with a phrase about cookies or terms of use",
    "share",
    "paragraphs with one of twelve phrases such as `privacy policy` / paragraphs; 1 if `lorem "
    "ipsum` occurs",
    "high values point to legal notices and page templates",
    CURATOR,
    SHARE,
)


def boilerplate(text: pl.Series) -> pl.DataFrame:
    """The column of BOILERPLATE; only the few texts with a hint of a phrase are read closely."""
    suspect = text.str.contains(HINTS).arg_true()
    low = text.gather(suspect).str.to_lowercase().to_frame("text")
    told = PIECE.str.contains_any(list(PHRASES)).cast(pl.UInt32)
    found = ratio(TEXT.str.split("\n\n").list.eval(told).list.sum(), PARAGRAPHS)
    lorem = TEXT.str.contains(LOREM, literal=True)
    shares = np.zeros(len(text))
    shares[suspect.to_numpy()] = low.select(pl.when(lorem).then(1.0).otherwise(found)).to_series()
    return pl.DataFrame({BOILERPLATE.id: shares})


def unique_blocks() -> pl.Expr:
    """Different paragraphs, the empty one among them, over paragraphs; 0 for blank text."""
    full = BLOCKS.list.len()
    empty = (full < PARAGRAPHS).cast(pl.UInt32)
    found = (BLOCKS.list.n_unique() + empty) / PARAGRAPHS
    return pl.when(pl.col("words") > 0).then(found).otherwise(0.0)


def url_chars() -> pl.Expr:
    """Characters in matches of URL."""
    suspect = pl.when(TEXT.str.contains("http", literal=True)).then(TEXT)
    return total_chars(suspect.str.extract_all(URL)).fill_null(0)


SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "curator.non_alnum@cur1",
        "share of characters that Curator calls non-alphanumeric",
        "share",
        "characters other than ASCII letters, digits, newline and ? ! , . / characters",
        "high values point to symbols, and to any script but ASCII's",
        CURATOR,
        SHARE,
    ): ratio(CHARS - pl.col("plain_alnum"), CHARS),
    Definition(
        "curator.url_chars@cur1",
        "share of characters in URLs (Curator)",
        "share",
        "characters of http and https addresses, without path and query / characters",
        "high values point to link lists",
        CURATOR,
        SHARE,
    ): ratio(url_chars(), CHARS),
    Definition(
        "curator.white_space@cur1",
        "share of white space",
        "share",
        "tabs, newlines, returns, backspaces and spaces / characters",
        "high values point to tables and broken layout",
        CURATOR,
        SHARE,
    ): ratio(pl.col("plain_blanks"), CHARS),
    Definition(
        "curator.brackets@cur1",
        "share of brackets",
        "share",
        "characters { } [ ] ( ) ⟨ ⟩ / characters",
        "high values point to code, formulas and references",
        CURATOR,
        SHARE,
    ): ratio(pl.col("brackets"), CHARS),
    Definition(
        "curator.longest_word@cur1",
        "longest word",
        "characters",
        "characters of the longest word of `str.split()`",
        "very high values point to encoded data and minified code",
        CURATOR,
        COUNT,
    ): pl.col("longest_word"),
    Definition(
        "curator.open_lines@cur1",
        "share of lines without an end mark",
        "share",
        "non-blank lines that do not end in one of . ? ! \" ' / non-blank lines",
        "high values point to menus, lists and headlines",
        CURATOR,
        SHARE,
    ): ratio(LINES - pl.col("cur_end_marks"), LINES),
    Definition(
        "gopher.symbol_words@cur1",
        "share of words made of symbols (Curator)",
        "share",
        "words that are an ellipsis, or runs of `#` by more than half of their length / words",
        "high values point to tag lists and truncated teasers",
        CURATOR,
        SHARE,
    ): ratio(pl.col("symbol_words"), pl.col("words")),
    Definition(
        "gopher.bullet_lines@cur1",
        "share of lines that start with a bullet (Curator)",
        "share",
        "non-blank lines that start with one of twelve bullets, no - and * / such lines",
        "high values point to lists",
        CURATOR,
        SHARE,
    ): ratio(pl.col("cur_bullets"), LINES),
    Definition(
        "gopher.ellipsis_lines@cur1",
        "share of lines that end in an ellipsis (Curator)",
        "share",
        "non-blank lines that end in an ellipsis, bare or in brackets, `-»` or `read more` / all",
        "high values point to truncated teasers",
        CURATOR,
        SHARE,
    ): ratio(pl.col("cur_ellipses"), LINES),
    Definition(
        "repetition.unique_lines@cur1",
        "share of distinct lines (Curator)",
        "share",
        "different non-blank lines / non-blank lines; 0 without lines",
        "low values point to boilerplate, menus and generated text",
        CURATOR,
        SHARE,
    ): ratio(ROWS.list.n_unique(), ROWS.list.len()),
    Definition(
        "repetition.unique_line_chars@cur1",
        "share of characters in distinct lines (Curator)",
        "share",
        "characters of different non-blank lines / characters of non-blank lines",
        "low values point to boilerplate, menus and generated text",
        CURATOR,
        SHARE,
    ): ratio(total_chars(ROWS.list.unique()), total_chars(ROWS)),
    Definition(
        "repetition.unique_paras@cur1",
        "share of distinct paragraphs (Curator)",
        "share",
        "different pieces between `\\n\\n` / pieces, empty ones included; 0 for blank text",
        "low values point to boilerplate, menus and generated text",
        CURATOR,
        SHARE,
    ): unique_blocks(),
    Definition(
        "repetition.unique_para_chars@cur1",
        "share of characters in distinct paragraphs (Curator)",
        "share",
        "characters of different pieces between `\\n\\n` / characters of all",
        "low values point to boilerplate, menus and generated text",
        CURATOR,
        SHARE,
    ): ratio(total_chars(BLOCKS.list.unique()), total_chars(BLOCKS)),
    **{
        Definition(
            f"repetition.dup_{n}_gram@cur1",
            f"share of characters in second and later copies of {n}-grams (Curator)",
            "share",
            f"letters and inner spaces of runs of {n} words seen before, overlaps once / all",
            REPEATS,
            CURATOR,
            SHARE,
        ): pl.col(f"cur_gram_{n}")
        for n in range(5, 11)
    },
}
FUNCTIONS: Functions = {(BOILERPLATE,): boilerplate}
