"""Lines and paragraphs: five published splittings, and what repeats among the pieces.

| column       | used by            | pieces                                                      |
|--------------|--------------------|-------------------------------------------------------------|
| `rows`       | repeated lines     | between runs of `\\n`; a final one adds an empty piece      |
| `full_rows`  | FineWeb            | the same, without blank ones                                |
| `lines`      | Gopher bullets, C4 | `splitlines()`, ten kinds of break, without blank ones      |
| `paragraphs` | repeated ones      | of the stripped text, between runs of two or more `\\n`    |
| `blocks`     | Curator            | the non-empty ones between `\\n\\n`                         |

Blank lines enter no numerator, so runs of breaks are split at once: a document of fifty million
newlines becomes two pieces, not fifty million. Where a denominator counts blank lines
(`splitlines()`), the kernel has counted them.
"""

import polars as pl

from lab.curation.signals.characters import LINE_BREAK, NON_SPACE, SPACES, regex_class

PIECE = pl.element()
OTHER_BREAKS = f"[{regex_class(LINE_BREAK - {chr(10)})}]"


def splittings() -> dict[str, pl.Expr]:
    """The five lists of pieces, as expressions over the column `text`."""
    text = pl.col("text")
    rows = split(text, r"\n+")
    return {
        "rows": rows,
        "full_rows": not_blank(rows),
        "lines": not_blank(split(text.str.replace_all(OTHER_BREAKS, "\n"), r"\n+")),
        "paragraphs": split(text.str.strip_chars(SPACES), r"\n{2,}"),
        "blocks": split(text, r"(?:\n\n)+").list.eval(PIECE.filter(PIECE != "")),
    }


def split(text: pl.Expr, pattern: str) -> pl.Expr:
    """Lists of pieces between matches of a regex; empty text is one empty piece."""
    return text.str.split(pattern, literal=False)


def not_blank(pieces: pl.Expr) -> pl.Expr:
    """The pieces that hold anything but white space."""
    return pieces.list.eval(PIECE.filter(PIECE.str.contains(NON_SPACE)))


def count_where(pieces: pl.Expr, test: pl.Expr) -> pl.Expr:
    """How many pieces pass a test on `PIECE`."""
    return pieces.list.eval(test.cast(pl.UInt32)).list.sum()


def total_chars(pieces: pl.Expr) -> pl.Expr:
    """Characters of all pieces."""
    return pieces.list.eval(PIECE.str.len_chars()).list.sum()


def repeated(pieces: pl.Expr) -> pl.Expr:
    """How many pieces are second or later copies."""
    return pieces.list.len() - pieces.list.n_unique()


def repeated_chars(pieces: pl.Expr) -> pl.Expr:
    """Characters of second and later copies."""
    return total_chars(pieces) - total_chars(pieces.list.unique())


def ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """`part` / `whole`, with a whole of 0 read as 1: shares of nothing are 0, never undefined."""
    return part / pl.max_horizontal(whole, 1)
