"""Columns that stages agree on. A stage may add columns to its own artifacts, never rename these.

`content_hash` is the first 128 bits of SHA-256 over the normalised text in UTF-8, as hex: ours and
stable, since library hashes promise nothing across versions. `heldout` is decided by that hash
alone, so exact copies, in any source, fall on the same side of the split.
"""

import hashlib

import polars as pl

DOCUMENTS = {
    "id": pl.String,  # unique in the workspace: "<source>/<id of the row or its number>"
    "text": pl.String,  # normalised: NFC, LF line ends, no NUL
    "source": pl.String,
    "meta": pl.String,  # the row's other columns as one JSON object
    "bytes": pl.UInt32,  # UTF-8 bytes of text
    "content_hash": pl.String,
    "heldout": pl.Boolean,
}

QUARANTINE = {
    "file": pl.String,
    "line": pl.UInt64,  # line number from 1, or row number in columnar files
    "reason": pl.String,
    "excerpt": pl.String,  # at most 200 characters, for a person to recognise the row
}

ITEMS = {
    "id": pl.String,
    "benchmark": pl.String,
    "split": pl.String,
    "kind": pl.String,  # multiple_choice, minimal_pair, cloze, generative
    "question": pl.String,
    "choices": pl.List(pl.String),
    "answer_index": pl.Int32,  # null where there are no choices
    "answer": pl.String,
    "meta": pl.String,
}


def content_hash(text: str) -> str:
    """32 hex characters that name a text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def is_heldout(hash_hex: str, share: float) -> bool:
    """True for about `share` of all content hashes, the same ones always."""
    return int(hash_hex[:8], 16) < share * 2**32
