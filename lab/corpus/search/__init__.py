"""Searching the text of documents: ranked keywords, regular expressions, SQL conditions.

Keywords use an index per source (`index`, `keyword`) and answer in milliseconds. Patterns and
conditions that read text scan the documents under a time limit (`scan`), and say how many they
read, because a part must never look like the whole. None of them can be made to write, fetch or
run anything, or to keep a processor for ever.
"""

from lab.corpus.search.index import index_documents, require_index
from lab.corpus.search.keyword import (
    Hits,
    KeywordQuery,
    WordCounts,
    count_words,
    phrase_counts,
    read_query,
    search,
)
from lab.corpus.search.pattern import check_pattern, find_pattern
from lab.corpus.search.predicate import Predicate, find_predicate, read_predicate
from lab.corpus.search.scan import Scanned

__all__ = [
    "Hits",
    "KeywordQuery",
    "Predicate",
    "Scanned",
    "WordCounts",
    "check_pattern",
    "count_words",
    "find_pattern",
    "find_predicate",
    "index_documents",
    "phrase_counts",
    "read_predicate",
    "read_query",
    "require_index",
    "search",
]
