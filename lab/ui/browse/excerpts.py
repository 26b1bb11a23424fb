"""Three lines of a document around what was found in it, as pieces that are marked or not.

What is marked are the words of the query, the matches of the pattern, or the places that the reason
counts. Only the first `READ` characters are looked at. Control characters and characters that turn
the direction of writing are shown by pictures of their own (`lab.ui.highlight.PICTURES`), so that
no text can hide or disguise another.
"""

import re
from collections.abc import Sequence
from itertools import islice

from lab.core.errors import LabError
from lab.corpus.search import read_query
from lab.corpus.search.pattern import places
from lab.ui.browse.finding import KEYWORDS, PATTERN
from lab.ui.highlight import PICTURES, Mark

READ = 20_000  # characters of a document that an excerpt is taken from
LENGTH = 260  # characters of an excerpt
BEFORE = 70  # characters before the first mark
MOST = 40  # marks of an excerpt
SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
Piece = tuple[str, bool]


def marks_for(text: str, mode: str, asked: str, columns: Sequence[str] = ()) -> list[Mark]:
    """What to mark in a text: the answer to the search, then the places that `columns` count."""
    from lab.curation.reading.spans import spans

    found = []
    if asked and mode == KEYWORDS:
        found = [Mark(start, end, "found", 0) for start, end in word_places(text, asked)]
    elif asked and mode == PATTERN:
        found = [Mark(start, end, "found", 0) for start, end in places(text, asked)]
    for place, column in enumerate(dict.fromkeys(columns)):
        found += [
            Mark(s.start, s.end, f"{s.what}: {column}", 1 + place % 4) for s in spans(text, column)
        ]
    return found


def word_places(text: str, asked: str) -> list[tuple[int, int]]:
    """Where the words and phrases of a query stand in a text."""
    try:
        entries = read_query(asked).wanted
    except LabError:
        return []
    found = []
    for entry in entries:
        body = r"[\W_]*?".join(bounded(word) for word in entry)
        found += [m.span() for m in islice(re.finditer(body, text, re.I), MOST)]
    return sorted(found)


def bounded(word: str) -> str:
    """A pattern for one word; words of scripts without spaces have no bounds."""
    return re.escape(word) if SPACELESS.match(word) else rf"\b{re.escape(word)}\b"


def excerpt(text: str, marks: Sequence[Mark]) -> list[Piece]:
    """Pieces (text, marked) of about `LENGTH` characters around the first mark, on one line."""
    first = min((mark.start for mark in marks), default=0)
    start = max(0, first - BEFORE)  # never earlier: a list cuts after three lines
    if start:
        space = text.find(" ", start, start + 30)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + LENGTH)
    pieces: list[Piece] = [("… ", False)] if start else []
    at = start
    for mark in sorted(marks)[:MOST]:
        low, high = max(mark.start, at), min(mark.end, end)
        if low < high:
            pieces += [(shown(text[at:low]), False), (shown(text[low:high]), True)]
            at = high
    pieces.append((shown(text[at:end]) + (" …" if end < len(text) else ""), False))
    return [piece for piece in pieces if piece[0]]


def shown(text: str) -> str:
    """A stretch on one line, hidden characters visible."""
    return re.sub(r"\s+", " ", text.translate(PICTURES))
