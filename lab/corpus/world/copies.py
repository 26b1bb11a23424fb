"""Planted duplicates: which documents copy another one, and how a near copy is made.

A document's role follows from a checksum of (seed, source, index), so the origin of a copy is found
without any list in memory. Copies only point backwards, to an original, within the source or from
the encyclopaedia into the web (mirror sites). Near copies get a line of page furniture, lose a
sentence, lose their end, or have some words replaced; what they still share is measured as the
Jaccard index of word 5-grams, the measure that MinHash with 5-word shingles estimates (Broder,
1997; Lee et al., 2022, arXiv:2107.06499).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final
from zlib import crc32

from lab.corpus.world.draws import pick
from lab.corpus.world.lexicon import POOLS
from lab.corpus.world.phrases import fill

SHINGLE: Final = 5
SHARES: Final[dict[str, dict[str, float]]] = {  # share of each source's documents in each role
    "web": {"exact": 0.02, "near": 0.03, "mirror": 0.01, "near mirror": 0.01, "quote": 0.006},
    "forum": {"exact": 0.01, "near": 0.01, "quote": 0.006},
    "encyclopaedia": {"near": 0.01},
    "code": {"exact": 0.03, "near": 0.03},
    "web_rewritten": {"near": 0.01},
    "textbooks": {"exact": 0.005, "near": 0.01},
    "exercises": {"exact": 0.005, "near": 0.01, "quote": 0.004},
}
MIRRORED: Final = "encyclopaedia"
_FOOTERS: Final = (
    "Copied from another page by {name}.", "Share this page with a friend.",
    "Posted again in {month}.", "Found {time}, {where}.", "All rights of the {job} reserved.",
    "Reprinted for the {people} who asked.", "First seen {where} by {name}.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy was made from; `kind` is exact or near, `jaccard` over word 5-grams."""

    original: str  # id
    kind: str
    scope: str  # within, across
    jaccard: float


def role_of(seed: int, source: str, index: int) -> str:
    """Role of a document: "original", or a key of `SHARES`."""
    draw = crc32(f"role/{seed}/{source}/{index}".encode()) / 2**32
    for role, share in SHARES[source].items():
        if draw < share:
            return role
        draw -= share
    return "original"


def origin_of(
    seed: int, source: str, index: int, role: str, ratio: float
) -> tuple[str, int] | None:
    """(source, index) that a copy was made from; None where nothing precedes it.

    `ratio` is documents of the mirrored source per document of this one; it keeps the origin of a
    mirror inside that source for any size of the corpus.
    """
    where = MIRRORED if "mirror" in role else source
    below = int(index * ratio) - 1 if where != source else index
    if below < 1:
        return None
    start = crc32(f"origin/{seed}/{source}/{index}".encode()) % below
    for candidate in (*range(start, -1, -1), *range(start + 1, below)):
        if role_of(seed, where, candidate) == "original":
            return where, candidate
    return None


def make_near(rng: Random, text: str, is_code: bool) -> str:
    """`text` after one to three small edits; never equal to it."""
    edits = _CODE_EDITS if is_code else _EDITS
    changed = text
    for _ in range(1 + int(rng.random() * 3)):
        changed = pick(rng, edits)(rng, changed)
    return changed if changed != text else _footer(rng, text)


def jaccard(one: str, two: str) -> float:
    """|A and B| / |A or B| over sets of lower-cased word 5-grams; 1.0 for two empty sets."""
    first, second = _shingles(one), _shingles(two)
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}


def _footer(rng: Random, text: str) -> str:
    return f"{text}\n\n{fill(rng, pick(rng, _FOOTERS))}"


def _comment(rng: Random, text: str) -> str:
    return f"# {fill(rng, '{adj} copy of {month}, kept for the {job}')}\n{text}"


def _drop_sentence(rng: Random, text: str) -> str:
    sentences = text.split(". ")
    if len(sentences) > 4:
        del sentences[1 + int(rng.random() * (len(sentences) - 2))]
    return ". ".join(sentences)


def _cut_end(rng: Random, text: str) -> str:
    return text[: int(len(text) * (0.85 + 0.1 * rng.random()))].rstrip()


def _replace_words(rng: Random, text: str) -> str:
    words = text.split(" ")
    for _ in range(1 + len(words) // 60):
        words[int(rng.random() * len(words))] = pick(rng, POOLS["noun"])
    return " ".join(words)


_EDITS: Final[tuple[Callable[[Random, str], str], ...]] = (
    _footer, _drop_sentence, _cut_end, _replace_words,
)  # fmt: skip
_CODE_EDITS: Final[tuple[Callable[[Random, str], str], ...]] = (_comment,)
