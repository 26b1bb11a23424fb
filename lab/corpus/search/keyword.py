"""Keyword search ranked by BM25 (Robertson and Zaragoza 2009), k1 = 1.2, b = 0.75.

    river stone        documents that have both words, those about them first
    "river of stone"   exactly these words in this order; punctuation and case do not matter
    -market            not with this word or phrase

    score(d) = sum over words of idf(w) f (k1 + 1) / (f + k1 (1 - b + b |d| / mean length))

f is how often w stands in d, idf(w) = log(1 + (N - n + 0.5) / (n + 0.5)) with n of N documents
having it, a phrase counting as the sum of its words. Every word is required: with any-word matching
most of a corpus matches, and counts say nothing. N and n are those of all sources searched
(`count_words`), else a word that one source hardly knows would lift that source above all others;
the mean length is the source's own. The user's text never reaches a query parser, so no input is a
syntax error: an unpaired quote is closed at the end. Cost of the best 25 of 100,000 documents: 0.1
ms, 95th percentile 1.6, phrases of the two commonest words 16; listing 100,000 matches 55 ms
(`tests/benchmarks/keyword_search.py`).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ConfigError
from lab.corpus.search.index import open_index, schema, words_of

PIECE = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
MOST_WORDS = 64  # of a query
MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """What must and must not stand in a document: each entry is one word or a phrase of several."""

    wanted: tuple[tuple[str, ...], ...]
    unwanted: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows of a source's documents that match, best first, and their scores; `total` counts all
    matches, of which `rows` may be the best only.
    """

    rows: NDArray[np.uint32]
    scores: NDArray[np.float32]
    total: int


def read_query(text: str) -> KeywordQuery:
    """The query that a person typed. ConfigError if it holds no word, or too many."""
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    for match in PIECE.finditer(text[:MOST_CHARACTERS]):
        words = tuple(words_of(match["phrase"] or match["word"] or ""))
        if words:
            (unwanted if match["minus"] else wanted).append(words)
    if sum(map(len, (*wanted, *unwanted))) > MOST_WORDS or len(text) > MOST_CHARACTERS:
        raise ConfigError(
            f"A query has at most {MOST_WORDS} words.", where="search", next_step="leave some out"
        )
    if not wanted:
        raise ConfigError(
            "There is no word to look for.",
            where="search",
            value=text,
            next_step='type words, or "an exact phrase"; signs alone are found by a pattern',
        )
    return KeywordQuery(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted)))


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Of some indexes together: `documents`, and for each word in how many of them it stands."""

    documents: int
    having: dict[str, int]

    def idf(self, words: tuple[str, ...]) -> float:
        """The weight of a word, or of the words of a phrase."""
        rest = [(self.documents - n + 0.5) / (n + 0.5) for n in map(self.having.__getitem__, words)]
        return sum(math.log(1 + odds) for odds in rest)


def count_words(indexes: Sequence[Artifact], query: KeywordQuery) -> WordCounts:
    """What the weights of the query's words come from, over all these sources."""
    searchers = [open_index(index.path).searcher() for index in indexes]
    words = {word for entry in query.wanted for word in entry}
    having = {word: sum(s.doc_freq("text", word) for s in searchers) for word in words}
    return WordCounts(sum(s.num_docs for s in searchers), having)


def search(
    index: Artifact, query: KeywordQuery, limit: int = 10_000, counts: WordCounts | None = None
) -> Hits:
    """The best `limit` documents of a source, and how many match in all. `counts` are those of all
    sources whose scores are compared; None takes the source's own.
    """
    searcher = open_index(index.path).searcher()
    own = count_words([index], query)
    asked = to_tantivy(query, own, counts or own)
    found: Any = searcher.search(asked, limit=max(limit, 1), count=True)
    scores = np.array([score for score, _ in found.hits], np.float32)
    places = [address for _, address in found.hits]
    rows = np.array(searcher.fast_field_values("row", places) if places else [], np.uint32)
    order = np.lexsort((rows, -scores))  # equal scores by row, whatever the segments are
    return Hits(rows[order], scores[order], int(found.count))


def phrase_counts(index: Artifact, entries: Sequence[tuple[str, ...]]) -> list[int]:
    """In how many documents of a source each word or phrase stands."""
    searcher: Any = open_index(index.path).searcher()
    return [int(searcher.search(entry_query(e), limit=1, count=True).count) for e in entries]


def to_tantivy(query: KeywordQuery, own: WordCounts, overall: WordCounts) -> Any:
    """The query as tantivy understands it: it weighs words by its own index, hence the boosts."""
    clauses = []
    for entry in query.wanted:
        boost = overall.idf(entry) / own.idf(entry)
        clauses.append((tantivy.Occur.Must, tantivy.Query.boost_query(entry_query(entry), boost)))
    clauses += [(tantivy.Occur.MustNot, entry_query(entry)) for entry in query.unwanted]
    return tantivy.Query.boolean_query(clauses)


def entry_query(words: tuple[str, ...]) -> Any:
    """One word, or a phrase."""
    if len(words) == 1:
        return tantivy.Query.term_query(schema(), "text", words[0])
    return tantivy.Query.phrase_query(schema(), "text", list(words))
