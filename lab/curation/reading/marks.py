"""Finders: functions from a text to the places of something in it, for `reading.spans`.

Each follows the formula of one signal (`lab.curation.signals`), with places in place of counts; the
tests hold the two together. Plain Python, since one text is read, and only its first part.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from lab.curation.pii import KINDS, find_personal
from lab.curation.signals.c4 import line_frame
from lab.curation.signals.words import STOP_WORDS

BULLETS = {
    "dt1": "•-",
    "dol1": "*-",
    "dclm1": "●•*-",
    "cur1": "•‣⁃⁌⁍∙○●◘◦⦾⦿",
    "rps1": "•‣▶◀◦■□▪▫–",
}  # sources: `lab.curation.signals`


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters [start, end) of a text and what they are, in a few words."""

    start: int
    end: int
    what: str


Finder = Callable[[str, str], Iterable[Span]]  # (text, column)


def matches(pattern: str, what: str, flags: re.RegexFlag = re.NOFLAG) -> Finder:
    """A finder of all matches of a regular expression (linear: no nested repetition)."""
    compiled = re.compile(pattern, flags)
    return lambda text, _: (Span(*found.span(), what) for found in compiled.finditer(text))


def broken_lines(text: str) -> Iterator[tuple[int, str]]:
    """(start, line) of the lines of `str.splitlines()` that are not blank, stripped."""
    at = 0
    for line in text.splitlines(keepends=True):
        if stripped := line.strip():
            yield at + line.index(stripped), stripped
        at += len(line)


def rows(text: str) -> Iterator[tuple[int, str]]:
    """(start, row) of what stands between `\\n`, unstripped, if not blank."""
    for found in re.finditer(r"[^\n]+", text):
        if not found[0].isspace():
            yield found.start(), found[0]


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """(start, paragraph) of the stripped text between two and more `\\n`."""
    at = len(text) - len(text.lstrip())
    for piece in re.split(r"(\n{2,})", text.strip()):
        if piece.strip("\n"):
            yield at, piece
        at += len(piece)


def words(text: str) -> list[tuple[int, str]]:
    """(start, word) of the words of `str.split()`."""
    return [(found.start(), found[0]) for found in re.finditer(r"\S+", text)]


def repeats(pieces: Callable[[str], Iterator[tuple[int, str]]], what: str) -> Finder:
    """A finder of second and later copies."""

    def find(text: str, _: str) -> Iterator[Span]:
        seen: set[str] = set()
        for start, piece in pieces(text):
            if piece in seen:
                yield Span(start, start + len(piece), what)
            seen.add(piece)

    return find


def where(
    pieces: Callable[[str], Iterable[tuple[int, str]]], test: Callable[[str], bool], what: str
) -> Finder:
    """A finder of the pieces that pass a test."""
    return lambda text, _: (
        Span(start, start + len(piece), what) for start, piece in pieces(text) if test(piece)
    )


def gram_size(column: str) -> int:
    """The n of an n-gram signal."""
    found = re.search(r"(\d+)_?gram", column)
    return int(found[1]) if found else 1


def top_gram(text: str, column: str) -> Iterator[Span]:
    """All places of the most frequent n-gram, the first of those that are equally frequent."""
    n, placed = gram_size(column), words(text)
    grams = [tuple(word for _, word in placed[i : i + n]) for i in range(len(placed) - n + 1)]
    top, count = Counter(grams).most_common(1)[0] if grams else ((), 0)
    for i, gram in enumerate(grams):
        if gram == top:
            end = placed[i + n - 1][0] + len(gram[-1])
            yield Span(placed[i][0], end, f"most frequent {n}-gram, {count} times")


def repeated_grams(text: str, column: str) -> Iterator[Span]:
    """Runs of n words seen before, none counted twice."""
    n, placed = gram_size(column), words(text)
    seen: set[str] = set()
    i = 0
    while i + n <= len(placed):
        gram = "".join(word for _, word in placed[i : i + n])
        if gram in seen:
            start, last = placed[i + n - 1]
            yield Span(placed[i][0], start + len(last), f"repeated {n}-gram")
        i += n if gram in seen else 1
        seen.add(gram)


def bullets(text: str, column: str) -> Iterator[Span]:
    """Lines whose first visible character is a bullet of the column's definition."""
    signs = BULLETS.get(column.partition("@")[2], BULLETS["dt1"])
    for start, line in broken_lines(text):
        if line[0] in signs:
            yield Span(start, start + len(line), "bullet")


def is_open(line: str) -> bool:
    """Whether a line ends in none of NeMo Curator's end marks."""
    return not line.endswith((".", "?", "!", '"', "'"))


def stop_words(text: str, _: str) -> Iterator[Span]:
    """The first place of each of the eight stop words."""
    first = {word: start for start, word in reversed(words(text)) if word in STOP_WORDS}
    return (Span(start, start + len(word), "stop word") for word, start in first.items())


def capitals(text: str, _: str) -> Iterator[Span]:
    """Runs of upper-case letters."""
    for found in re.finditer(r"[^\W\d_]+", text):
        for run in re.finditer("U+", "".join("U" if c.isupper() else "-" for c in found[0])):
            yield Span(found.start() + run.start(), found.start() + run.end(), "capitals")


def personal(text: str, column: str) -> list[Span]:
    """Personal data of the column's kind, of all kinds for the total."""
    kind = column.partition("@")[0].removeprefix("pii.")
    found = find_personal(text, [kind] if kind in KINDS else KINDS)
    return [Span(piece.start, piece.end, piece.kind.replace("_", " ")) for piece in found]


def c4_tests(text: str) -> Iterator[tuple[int, str, dict[str, bool]]]:
    """(start, line, tests) of the lines that are not blank, tested as the C4 signals do."""
    placed = list(broken_lines(text))
    lines = pl.Series([[line for _, line in placed]], dtype=pl.List(pl.String))
    tests = line_frame(lines).select("usable", "terminal", "javascript", "policy").collect()
    for (start, line), row in zip(placed, tests.iter_rows(named=True), strict=True):
        yield start, line, row


def in_read_lines(mark: str) -> Finder:
    """A finder of `mark`, in any case, on the lines that C4 still has when it looks for it."""
    pattern = re.compile(re.escape(mark), re.IGNORECASE)

    def find(text: str, column: str) -> Iterator[Span]:
        for start, line, tests in c4_tests(text):
            read = tests["usable"] and (tests["terminal"] or column.endswith("@fw1"))
            if read and (mark != "{" or not tests["javascript"]):
                for found in pattern.finditer(line):
                    yield Span(start + found.start(), start + found.end(), f"`{mark}`")

    return find


def unended_lines(text: str, _: str) -> Iterator[Span]:
    """Lines without one of C4's end marks."""
    for start, line, tests in c4_tests(text):
        if not tests["terminal"]:
            yield Span(start, start + len(line), "no end mark")


def dropped_lines(text: str, column: str) -> Iterator[Span]:
    """Lines that C4 drops, with a rule that does."""
    for start, line, tests in c4_tests(text):
        reasons = {
            "no end mark": not tests["terminal"] and not column.endswith("@fw1"),
            "under three words": not tests["usable"] and len(line.split()) < 3,
            "long word": not tests["usable"],
            "javascript": tests["javascript"],
            "notice": tests["policy"],
        }
        if what := next((reason for reason, holds in reasons.items() if holds), ""):
            yield Span(start, start + len(line), what)


def ellipsis_ends(text: str, _: str) -> Iterator[Span]:
    """Ellipses at the ends of lines."""
    for start, line in broken_lines(text):
        size = 3 if line.endswith("...") else line.endswith("…")
        if size:
            yield Span(start + len(line) - size, start + len(line), "ellipsis")
