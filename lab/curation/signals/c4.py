"""C4's rules as signals of documents (Raffel et al. 2020, arXiv:1910.10683, section 2.2).

C4 edits: it drops lines, then pages that have too little left. The lab does not edit, it measures
what C4 would have seen, in the order of datatrove's `C4QualityFilter` (0.10), whose line rules
are: a word over 1,000 characters; citations such as [12] and [edit] are cut out; no `. ? ! " '` at
the end, or `...`; fewer than three words; `javascript`; a phrase about cookies or terms of use. A
page falls for `lorem ipsum` or `{` on a line that the rules before have not dropped, or for fewer
than five sentences on kept lines. So a `{` on a dropped line is never seen, and switching the
punctuation rule off (as FineWeb does: definitions `fw1`) can drop more pages.

Sentences: datatrove asks spaCy. Here a sentence ends where `.`, `?` or `!`, perhaps with closing
quotes or brackets, ends a word; the end of a line ends one too. Abbreviations (`Dr. No`) count
twice, and scripts with other full stops count one sentence a line.
"""

import polars as pl

from lab.curation.signals.characters import NON_SPACE, SPACE, SPACES, regex_class
from lab.curation.signals.definitions import C4, COUNT, SHARE, Definition
from lab.curation.signals.lines import PIECE, ratio

CITATION = r"\[\d*\]|\[edit\]|\[citation needed\]"
POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
LONGEST_WORD = 1000
GAP = f"[{regex_class(SPACE)}]+"
THREE_WORDS = f"{NON_SPACE}{GAP}{NON_SPACE}+{GAP}{NON_SPACE}"
CLOSERS = "\"'”’)]"
SENTENCE_STOP = r"""[.?!]["'”’)\]]*"""
RAW, LINE = pl.col("raw"), pl.col("line")
LOWER = pl.col("lower")


def line_frame(lines: pl.Series) -> pl.LazyFrame:
    """One row per line: document, raw, line (citations cut), lower, and what is tested of it."""
    return (
        lines.to_frame("raw")
        .lazy()
        .with_row_index("document")
        .explode("raw", empty_as_null=False)
        .with_columns(RAW.str.strip_chars(SPACES))
        .with_columns(line=RAW.str.replace_all(CITATION, ""))
        .with_columns(lower=LINE.str.to_lowercase(), usable=usable(), sentences=sentences())
        .with_columns(
            terminal=LINE.str.contains(r"""[.?!"']$""") & ~LINE.str.ends_with("..."),
            javascript=LOWER.str.contains("javascript", literal=True),
            policy=LOWER.str.contains("|".join(POLICY)),  # a third of the cost of `contains_any`
            lorem_ipsum=LOWER.str.contains("lorem ipsum", literal=True),
            curly=LINE.str.contains("{", literal=True),
        )
    )


def line_counts(lines: pl.Series) -> pl.DataFrame:
    """Counts of lines and sentences per document, in order, from lists of non-blank lines."""
    counted = line_frame(lines).select("document", **line_tests()).group_by("document").sum()
    everyone = pl.LazyFrame({"document": pl.int_range(len(lines), dtype=pl.UInt32, eager=True)})
    joined = everyone.join(counted, on="document", how="left", maintain_order="left")
    return joined.select(pl.exclude("document").fill_null(0)).collect()


def line_tests() -> dict[str, pl.Expr]:
    """What is counted of each line (0 or 1, but for sentences), in C4's and FineWeb's setting."""
    javascript = pl.col("javascript")
    readings = {"fw1": pl.col("usable"), "dt1": pl.col("usable") & pl.col("terminal")}
    tests = {f"c4_{name}": pl.col(name) for name in ("terminal", "javascript", "policy")}
    for setting, read in readings.items():
        kept = read & ~javascript & ~pl.col("policy")
        tests[f"c4_lorem_ipsum_{setting}"] = read & pl.col("lorem_ipsum")
        tests[f"c4_curly_{setting}"] = read & ~javascript & pl.col("curly")
        tests[f"c4_kept_{setting}"] = kept
        tests[f"c4_sentences_{setting}"] = pl.col("sentences") * kept
    return {name: test.cast(pl.UInt32) for name, test in tests.items()}


def usable() -> pl.Expr:
    """Whether a line has three words and no word over 1,000 characters."""
    suspect = pl.when(RAW.str.len_chars() > LONGEST_WORD).then(RAW)  # few lines: the rest is null
    words = suspect.str.extract_all(f"{NON_SPACE}+").list.eval(PIECE.str.len_chars())
    return RAW.str.contains(THREE_WORDS) & (words.list.max().fill_null(0) <= LONGEST_WORD)


def sentences() -> pl.Expr:
    """Sentences of a line: stops at the ends of words, and one more if the line's end is none."""
    stops = LINE.str.count_matches(f"{SENTENCE_STOP}(?:{GAP}|$)")
    last = LINE.str.strip_chars_end(SPACES).str.strip_chars_end(CLOSERS).str.slice(-1)
    return stops + ~last.is_in([".", "?", "!"])


COUNTS = tuple(line_tests())
LINES = pl.col("lines").list.len()
SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "c4.sentences@ws1",
        "sentences in lines that C4 keeps",
        "sentences",
        "in lines that C4's line rules keep: runs of text up to `.`, `?` or `!` at a word's end",
        "low values point to pages without prose",
        C4,
        COUNT,
    ): pl.col("c4_sentences_dt1"),
    Definition(
        "c4.sentences@fw1",
        "sentences in lines that FineWeb's C4 rules keep",
        "sentences",
        "as c4.sentences@ws1, but lines need no punctuation mark at their end",
        "low values point to pages without prose",
        C4,
        COUNT,
    ): pl.col("c4_sentences_fw1"),
    Definition(
        "c4.lorem_ipsum@dt1",
        "lines with `lorem ipsum`",
        "lines",
        "lines with `lorem ipsum`, any case, among those that C4's earlier line rules keep",
        "any points to a page template",
        C4,
        COUNT,
    ): pl.col("c4_lorem_ipsum_dt1"),
    Definition(
        "c4.lorem_ipsum@fw1",
        "lines with `lorem ipsum` (lines without end mark included)",
        "lines",
        "as c4.lorem_ipsum@dt1, but lines need no punctuation mark at their end",
        "any points to a page template",
        C4,
        COUNT,
    ): pl.col("c4_lorem_ipsum_fw1"),
    Definition(
        "c4.curly_brackets@dt1",
        "lines with `{`",
        "lines",
        "lines with `{` among those that C4's earlier line rules keep",
        "any points to program code",
        C4,
        COUNT,
    ): pl.col("c4_curly_dt1"),
    Definition(
        "c4.curly_brackets@fw1",
        "lines with `{` (lines without end mark included)",
        "lines",
        "as c4.curly_brackets@dt1, but lines need no punctuation mark at their end",
        "any points to program code",
        C4,
        COUNT,
    ): pl.col("c4_curly_fw1"),
    Definition(
        "c4.kept_lines@dt1",
        "share of lines that C4 keeps",
        "share",
        "non-blank lines that C4's line rules keep / non-blank lines",
        "low values point to menus, lists and notices",
        C4,
        SHARE,
    ): ratio(pl.col("c4_kept_dt1"), LINES),
    Definition(
        "c4.kept_lines@fw1",
        "share of lines that FineWeb's C4 rules keep",
        "share",
        "as c4.kept_lines@dt1, but lines need no punctuation mark at their end",
        "low values point to menus, lists and notices",
        C4,
        SHARE,
    ): ratio(pl.col("c4_kept_fw1"), LINES),
    Definition(
        "c4.terminal_lines@dt1",
        "share of lines that end in C4's punctuation marks",
        "share",
        "non-blank lines that end in one of . ? ! \" ' and not in `...` / non-blank lines",
        "low values point to menus, lists and headlines",
        C4,
        SHARE,
    ): ratio(pl.col("c4_terminal"), LINES),
    Definition(
        "c4.javascript_lines@dt1",
        "share of lines that mention JavaScript",
        "share",
        "non-blank lines with `javascript`, any case / non-blank lines",
        "high values point to browser notices",
        C4,
        SHARE,
    ): ratio(pl.col("c4_javascript"), LINES),
    Definition(
        "c4.policy_lines@dt1",
        "share of lines about cookies and terms of use",
        "share",
        "non-blank lines with one of six phrases such as `privacy policy` / non-blank lines",
        "high values point to legal notices",
        C4,
        SHARE,
    ): ratio(pl.col("c4_policy"), LINES),
}
