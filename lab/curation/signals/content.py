"""What a text carries beside prose: links and program code (the lab's own definitions).

URLs: `http://`, `https://` or `www.` and what follows up to white space, a quotation mark or an
angle bracket. Code is guessed from shapes that need no parser: lines that end in `;`, `{` or `}`,
and the share of marks that program text is rich in. Python shows by the second only; formulas in
LaTeX look like code to both, so these find candidates, not verdicts.
"""

import polars as pl

from lab.curation.signals.characters import SPACE, regex_class
from lab.curation.signals.definitions import COMMON, COUNT, SHARE, Definition
from lab.curation.signals.lines import ratio, total_chars

URL = f"(?:https?://|www\\.)[^{regex_class(SPACE)}\"'<>]+"
TEXT, CHARS = pl.col("text"), pl.col("chars")
URLS = (
    pl.when(TEXT.str.contains_any(["http", "www."])).then(TEXT).str.extract_all(URL)
)  # null, and free, for texts without links

SIGNALS: dict[Definition, pl.Expr] = {
    Definition(
        "content.urls@lab1",
        "number of URLs",
        "URLs",
        "addresses that start with http://, https:// or www.",
        "high values point to link lists and references",
        COMMON,
        COUNT,
    ): URLS.list.len().fill_null(0),
    Definition(
        "content.url_chars@lab1",
        "share of characters in URLs",
        "share",
        "characters of addresses, paths included / characters",
        "high values point to link lists",
        COMMON,
        SHARE,
    ): ratio(total_chars(URLS).fill_null(0), CHARS),
    Definition(
        "content.code_lines@lab1",
        "share of lines that end as code does",
        "share",
        "non-blank lines that end in ; { or }, trailing space aside / non-blank lines",
        "high values point to program code",
        COMMON,
        SHARE,
    ): ratio(pl.col("code_lines"), pl.col("stripped_lines")),
    Definition(
        "content.code_marks@lab1",
        "share of marks that code is rich in",
        "share",
        "characters { } [ ] ( ) < > = ; | & ^ ~ \\ $ # @ * + _ / % / characters",
        "high values point to program code, formulas and markup",
        COMMON,
        SHARE,
    ): ratio(pl.col("code_marks"), CHARS),
    Definition(
        "content.byte_entropy@lab1",
        "entropy of bytes",
        "nats",
        "-sum p log p over the 256 bytes of the text in UTF-8, natural logarithm",
        "low values point to repetition, high ones to encoded data and mixed scripts",
        COMMON,
        SHARE,
    ): pl.col("byte_entropy"),
}
