"""RedPajama-V2's quality signals, and its names as a vocabulary (Weber et al. 2024, 2411.12372).

The published annotations of 30 T tokens made `rps_*` names the ones in which people state
thresholds. `NAMES` says which definition a name means here. Two words differ: normal ones
(lower-cased, no ASCII punctuation, NFD, split on white space; `don't` is `dont`) and raw ones
(NLTK's WordPunctTokenizer: runs of `\\w`, and runs of punctuation). An n-gram that occurs once is
no repeat. RedPajama rounds to eight places and says null where a document has no words; here
nothing is rounded and a share of nothing is 0.

Signals of single lines (`rps_lines_*`) are given per document: as a share of lines, a share of
characters or a mean. Lines end at `\\n` and may be blank; text after the last one is a line.

`NOT_OFFERED` says which names have no definition here, and why.
"""

import polars as pl

from lab.curation.signals.definitions import COUNT, REDPAJAMA, REPEATS, SHARE, Definition
from lab.curation.signals.lines import ratio

WORDS, TOKENS, CHARS = pl.col("norm_words"), pl.col("raw_tokens"), pl.col("chars")
LINES = pl.col("newlines") + ~pl.col("text").str.contains(r"(?:^|\n)\z")
NORMAL_CHARS = (pl.col("norm_chars") + WORDS).cast(pl.Int64) - 1  # words joined by single spaces


def signal(
    name: str, label: str, unit: str, summary: str, direction: str, dtype: pl.DataType = SHARE
) -> Definition:
    """A definition of this family; `name` is RedPajama's without `rps_doc_`."""
    return Definition(f"redpajama.{name}@rps1", label, unit, summary, direction, REDPAJAMA, dtype)


SIGNALS: dict[Definition, pl.Expr] = {
    signal(
        "word_count",
        "word count (RedPajama)",
        "words",
        "words of the lower-cased text without ASCII punctuation",
        "low values point to stubs, very high ones to dumps",
        COUNT,
    ): WORDS,
    signal(
        "mean_word_length",
        "mean word length (RedPajama)",
        "characters",
        "characters of normalised words / such words",
        "high values point to code, links or unspaced scripts",
    ): ratio(pl.col("norm_chars"), WORDS),
    signal(
        "num_sentences",
        "sentences (RedPajama)",
        "sentences",
        r"matches of `\b[^.!?]+[.!?]*`",
        "low values point to pages without prose",
        COUNT,
    ): pl.col("raw_sentences"),
    signal(
        "symbol_to_word_ratio",
        "hash signs and ellipses per token (RedPajama)",
        "per token",
        "occurrences of `#`, `...` and `…` together / raw words, punctuation marks among them",
        "high values point to tag lists and truncated teasers",
    ): ratio(pl.col("hashes") + pl.col("ellipses"), TOKENS),
    signal(
        "frac_no_alph_words",
        "share of tokens without an ASCII letter (RedPajama)",
        "share",
        "raw words without a-z and A-Z, punctuation marks among them / raw words",
        "high values point to tables, numbers and other scripts",
    ): ratio(TOKENS - pl.col("raw_letter_tokens"), TOKENS),
    signal(
        "frac_all_caps_words",
        "share of words in capitals (RedPajama)",
        "share",
        "raw words whose letters are all upper case / raw words, punctuation marks among them",
        "high values point to shouting, headings and identifiers",
    ): ratio(pl.col("raw_capital_tokens"), TOKENS),
    signal(
        "frac_unique_words",
        "share of distinct words (RedPajama)",
        "share",
        "different normalised words / normalised words",
        "low values point to repetition; long documents have lower ones",
    ): pl.col("norm_distinct"),
    signal(
        "unigram_entropy",
        "entropy of words (RedPajama)",
        "nats",
        "-sum p log p over a document's normalised words, natural logarithm",
        "low values point to repetition and to short documents",
    ): pl.col("norm_entropy"),
    signal(
        "lorem_ipsum",
        "`lorem ipsum` per character",
        "per character",
        "occurrences of `lorem ipsum` in the normalised text / characters of that text",
        "any points to a page template",
    ): ratio(pl.col("norm_lorem"), NORMAL_CHARS),
    signal(
        "curly_bracket",
        "share of curly brackets",
        "share",
        "characters { and } / characters",
        "high values point to program code",
    ): ratio(pl.col("curly"), CHARS),
    signal(
        "frac_lines_end_with_ellipsis",
        "share of lines that end in an ellipsis (RedPajama)",
        "share",
        "lines that end in `...` or `…`, trailing space aside / lines, blank ones included",
        "high values point to truncated teasers",
    ): ratio(pl.col("rps_ellipses"), LINES),
    **{
        signal(
            f"frac_chars_top_{n}gram",
            f"share of letters in the most frequent {n}-gram (RedPajama)",
            "share",
            f"letters of the most frequent run of {n} normalised words x its occurrences / letters "
            "of such words; 0 if none repeats",
            REPEATS,
        ): pl.col(f"norm_gram_{n}")
        for n in (2, 3, 4)
    },
    **{
        signal(
            f"frac_chars_dupe_{n}grams",
            f"share of letters in words of repeated {n}-grams (RedPajama)",
            "share",
            f"letters of normalised words in runs of {n} that repeat, each word once / letters of "
            "such words",
            REPEATS,
        ): pl.col(f"norm_gram_{n}")
        for n in range(5, 11)
    },
    signal(
        "lines_terminal",
        "share of lines that end a sentence (RedPajama)",
        "share",
        "lines that end in one of . ! ? ”, trailing space aside / lines, blank ones included",
        "low values point to menus, lists and headlines",
    ): ratio(pl.col("rps_end_marks"), LINES),
    signal(
        "lines_bullet",
        "share of lines that start with a bullet (RedPajama)",
        "share",
        "lines whose first visible character is one of ten bullets, en dash among them / lines, "
        "blank ones included",
        "high values point to lists",
    ): ratio(pl.col("rps_bullets"), LINES),
    signal(
        "lines_words",
        "words per line (RedPajama)",
        "words",
        "normalised words / lines, blank ones included",
        "low values point to menus, lists and tables",
    ): ratio(WORDS, LINES),
    signal(
        "lines_numeric",
        "share of numerals among the letters of words (RedPajama)",
        "share",
        "numeric characters of normalised words / characters of such words",
        "high values point to tables and logs",
    ): ratio(pl.col("norm_numeric"), pl.col("norm_chars")),
    signal(
        "javascript",
        "occurrences of the word javascript (RedPajama)",
        "words",
        "normalised words equal to `javascript`",
        "high values point to browser notices and code",
        COUNT,
    ): pl.col("norm_javascript"),
}

PER_LINE = {
    "rps_lines_ending_with_terminal_punctution_mark": "redpajama.lines_terminal@rps1",  # sic
    "rps_lines_javascript_counts": "redpajama.javascript@rps1",
    "rps_lines_num_words": "redpajama.lines_words@rps1",
    "rps_lines_numerical_chars_fraction": "redpajama.lines_numeric@rps1",
    "rps_lines_start_with_bulletpoint": "redpajama.lines_bullet@rps1",
    "rps_lines_uppercase_letter_fraction": "basic.uppercase_share@lab1",
}
NAMES: dict[str, str] = {
    **{
        f"rps_doc_{d.name.removeprefix('redpajama.')}": d.id
        for d in SIGNALS
        if d.id not in PER_LINE.values()
    },
    **PER_LINE,
    "ccnet_length": "basic.chars@lab1",
    "ccnet_nlines": "basic.lines@lab1",
}
NOT_OFFERED: dict[str, str] = {
    **dict.fromkeys(
        ("rps_doc_stop_word_fraction", "rps_doc_ldnoobw_words", "rps_doc_ut1_blacklist"),
        "needs a word or domain list that is not part of the lab",
    ),
    **dict.fromkeys(
        (
            "rps_doc_books_importance",
            "rps_doc_openwebtext_importance",
            "rps_doc_wikipedia_importance",
            "rps_doc_ml_wikiref_score",
            "rps_doc_ml_palm_score",
            "rps_doc_ml_wikipedia_score",
            "ccnet_perplexity",
            "ccnet_bucket",
            "ccnet_language_score",
        ),
        "needs a model that RedPajama trained",
    ),
    **dict.fromkeys(
        ("ccnet_original_length", "ccnet_original_nlines"),
        "needs the page before paragraphs were removed",
    ),
    **dict.fromkeys(
        (f"minhash_signature_{s}" for s in ("0.7", "0.8", "0.9", "1.0")),
        "see the room of duplicates",
    ),
}
