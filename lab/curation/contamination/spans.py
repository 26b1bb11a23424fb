"""Where a document and an item say the same: character spans in both texts.

Words and n-grams are those of the search (`lab.curation.words`): lower-cased, without punctuation,
wherever the lines break. A span begins with the first character of the first shared word and ends
with the last of the last, punctuation between them included; overlapping n-grams are one span.
Read for one pair at a time, when somebody looks: 1 ms for 3 kB.
"""

import re
from typing import NamedTuple

import polars as pl

CHUNK = re.compile("[^\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int


class Matched(NamedTuple):
    """Spans of the document and of the item that share n-grams, each list in order."""

    document: list[Span]
    item: list[Span]


class Placed(NamedTuple):
    """The words of a text and the span of each."""

    words: list[str]
    spans: list[Span]


def matched_spans(text: str, item_text: str, n: int) -> Matched:
    """Spans in which two texts share runs of `n` words; both empty if they share none."""
    left, right = place_words(text), place_words(item_text)
    return Matched(shared_spans(left, right, n), shared_spans(right, left, n))


def place_words(text: str) -> Placed:
    """The words of a text as the search sees them, with their places."""
    from lab.curation.words import spell

    chunks = list(CHUNK.finditer(text))
    spelt = spell(pl.Series([chunk[0] for chunk in chunks], dtype=pl.String)).to_list()
    kept = [(words[0], chunk) for words, chunk in zip(spelt, chunks, strict=True) if words]
    return Placed([word for word, _ in kept], [trim(chunk) for _, chunk in kept])


def trim(chunk: re.Match[str]) -> Span:
    """The span of a word without punctuation around it."""
    inner = chunk[0]
    low, high = 0, len(inner)
    while low < high - 1 and not inner[low].isalnum():
        low += 1
    while high > low + 1 and not inner[high - 1].isalnum():
        high -= 1
    return Span(chunk.start() + low, chunk.start() + high)


def shared_spans(ours: Placed, theirs: Placed, n: int) -> list[Span]:
    """Spans of ours that are covered by n-grams of theirs."""
    known = {tuple(theirs.words[i : i + n]) for i in range(len(theirs.words) - n + 1)}
    spans: list[Span] = []
    last = -1  # the last word covered so far
    for i in range(len(ours.words) - n + 1):
        if tuple(ours.words[i : i + n]) in known:
            start, end = ours.spans[i].start, ours.spans[i + n - 1].end
            if i <= last:
                spans[-1] = Span(spans[-1].start, end)
            else:
                spans.append(Span(start, end))
            last = i + n - 1
    return spans
