"""Duplicates: exact copies by content hash, near copies by MinHash-LSH with verification, repeated
lines and paragraphs, and texts that mean the same.

`find_duplicates` stores groups and the pairs they come from; `regroup` moves the similarity
threshold afterwards; `keepers` decides who stays.
"""

from lab.curation.duplicates.config import DedupConfig, MinHash, knee, probability
from lab.curation.duplicates.find import find_duplicates, require_duplicates
from lab.curation.duplicates.groups import keepers, leaks
from lab.curation.duplicates.regroup import (
    overlap,
    regroup,
    require_pairs,
    stored_groups,
    threshold_curve,
)

__all__ = [
    "DedupConfig",
    "MinHash",
    "find_duplicates",
    "keepers",
    "knee",
    "leaks",
    "overlap",
    "probability",
    "regroup",
    "require_duplicates",
    "require_pairs",
    "stored_groups",
    "threshold_curve",
]
