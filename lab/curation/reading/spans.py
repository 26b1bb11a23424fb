"""Where in a text a signal comes from, so that a reader sees why a rule fired.

    spans(text, "gopher.bullet_lines@dt1")  # [Span(start=0, end=12, what="bullet"), ...]

A signal is a number of the whole document; the spans are the lines, words and characters that it
counts, or, where a low value is the bad one, those that are missing from the count (lines without
an end mark, words without a letter). A column is matched by the words of its name. The marks follow
the formula of datatrove (`dt1`, `ws1`, and C4's `fw1`) and of the lab (`lab1`), exactly; the other
definitions of a name have the same marks, which is close. Counts of everything (words, characters,
entropy, language) have no place in the text, nor have columns that compare documents: no spans.

Bounded: the first 200,000 characters are read and at most 500 spans given: a hundredth of a second
for most columns, a sixth at worst.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from lab.curation.reading import marks
from lab.curation.reading.marks import Finder, Span, matches, repeats, where
from lab.curation.signals.characters import SENTENCE_END
from lab.curation.signals.curator import LOREM, PHRASES
from lab.curation.signals.fineweb import SHORT
from lab.curation.signals.registry import BY_ID, DEFAULTS

READ = 200_000  # characters
MOST = 500  # spans: more marks than a page can show
LONG_WORD = 20  # characters; such words raise the mean word length


def spans(text: str, column: str) -> list[Span]:
    """The places in `text` that `column` (a bare or full name) counts, in order.

    Spans of one kind do not overlap. A column without places, or unknown, has none.
    """
    name = column.partition("@")[0]
    if column not in BY_ID and column not in DEFAULTS:
        return []
    find = next((find for pattern, find in FINDERS if re.search(pattern, name)), None)
    if find is None:
        return []
    return list(islice(merged(sorted(find(text[:READ], column))), MOST))


def merged(found: Iterable[Span]) -> Iterator[Span]:
    """Spans in order of their start, those of one kind joined where they overlap."""
    last: Span | None = None
    for span in found:
        if last is not None and span.start < last.end and span.what == last.what:
            last = Span(last.start, max(last.end, span.end), span.what)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


POLICY = r"terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"
BOILERPLATE = "|".join(map(re.escape, (*PHRASES, LOREM)))
# The first pattern found in a column's bare name decides.
FINDERS: tuple[tuple[str, Finder], ...] = (
    (r"^pii\.", marks.personal),
    (r"top_\d+_?gram", marks.top_gram),
    (r"dupe?_\d+_?gram", marks.repeated_grams),
    (r"(?:dup|unique)_para", repeats(marks.paragraphs, "repeated paragraph")),
    (r"(?:dup|unique)_line", repeats(marks.rows, "repeated line")),
    (r"bullet", marks.bullets),
    (r"ellipsis_lines|end_with_ellipsis", marks.ellipsis_ends),
    (r"hash", matches("#", "hash sign")),
    (r"symbol", matches(r"#|\.\.\.|…", "symbol")),
    (r"ellipsis", matches(r"\.\.\.|…", "ellipsis")),
    (r"alph", where(marks.words, lambda word: not any(map(str.isalpha, word)), "no letter")),
    (r"stop_words?", marks.stop_words),
    (
        r"word_length|longest_word",
        where(marks.words, lambda word: len(word) > LONG_WORD, "long word"),
    ),
    (r"short_lines", where(marks.rows, lambda row: len(row) <= SHORT, "short line")),
    (r"line_punct", where(marks.rows, lambda row: row[-1] not in SENTENCE_END, "no end mark")),
    (r"terminal", marks.unended_lines),
    (r"^c4\.curly", marks.in_read_lines("{")),
    (r"^c4\.lorem", marks.in_read_lines("lorem ipsum")),
    (r"curly", matches(r"[{}]", "curly bracket")),
    (r"lorem", matches("lorem ipsum", "lorem ipsum", re.I)),
    (r"javascript", matches("javascript", "javascript", re.I)),
    (r"policy|cookie", matches(POLICY, "notice", re.I)),
    (r"^c4\.(?:kept_lines|sentences)", marks.dropped_lines),
    (r"boilerplate", matches(BOILERPLATE, "boilerplate", re.I)),
    (r"open_lines", where(marks.broken_lines, marks.is_open, "no end mark")),
    (r"code_lines", where(marks.broken_lines, lambda line: line[-1] in ";{}", "code")),
    (r"code_marks", matches(r"[{}\[\]()<>=;|&^~\\$#@*+_/%]+", "marks")),
    (r"url", matches(r"(?:https?://|www\.)[^\s\"'<>]+", "address")),
    (r"digit|numer", matches(r"\d+", "digits")),
    (r"all_caps_words", where(marks.words, str.isupper, "capitals")),
    (r"upper", marks.capitals),
    (r"bracket", matches(r"[()\[\]{}⟨⟩]", "bracket")),
)
