"""Duplicates: exact copies by content hash, near copies by MinHash-LSH with verification.

`find_duplicates` stores groups and the pairs they come from; `keepers` decides who stays.
"""

from lab.curation.duplicates.config import DedupConfig, MinHash, knee, match_probability
from lab.curation.duplicates.find import find_duplicates, require_duplicates
from lab.curation.duplicates.groups import keepers, leaks

__all__ = [
    "DedupConfig",
    "MinHash",
    "find_duplicates",
    "keepers",
    "knee",
    "leaks",
    "match_probability",
    "require_duplicates",
]
