"""All kinds of personal data in one text, or counted over many.

Two steps, so that most documents cost little: for each kind a regular expression of Rust's engine
(linear time, all documents at once) says where the form occurs at all; only there Python's `re`,
whose lookarounds the other lacks, finds the spans and the checks are made. Every pattern is bounded
in length, so time is linear in the text as well: a hostile megabyte costs under a second.

Where spans overlap, the kind named first in KINDS keeps its own: the digits of an IBAN are no
telephone number. Cost: see `lab.curation.signals.pii`.
"""

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from lab.curation.pii import accounts, addresses, national, phones


class Kind(NamedTuple):
    """A kind of personal data: where its form may occur (a Rust regex), and its spans."""

    hint: str
    find: Callable[[str], Iterator[tuple[int, int]]]


class Found(NamedTuple):
    """One piece of personal data: characters [start, end) of the text."""

    start: int
    end: int
    kind: str


KINDS: dict[str, Kind] = {
    "email": Kind(addresses.EMAIL_HINT, addresses.emails),
    "iban": Kind(accounts.IBAN_HINT, accounts.ibans),
    "card": Kind(accounts.CARD_HINT, accounts.cards),
    "national_id": Kind(national.HINT, national.national_ids),
    "ip": Kind(addresses.IP_HINT, addresses.ips),
    "phone": Kind(phones.HINT, phones.phones),
}


def find_personal(text: str, kinds: Iterable[str] = KINDS) -> list[Found]:
    """Personal data of `kinds` in `text`, by position, none overlapping."""
    found: list[Found] = []
    for kind in KINDS:
        for start, end in KINDS[kind].find(text) if kind in kinds else ():
            at = bisect(found, (start,))
            before, after = found[max(at - 1, 0) : at], found[at : at + 1]
            if all(f.end <= start for f in before) and all(f.start >= end for f in after):
                found.insert(at, Found(start, end, kind))
    return found


def suspects(text: pl.Series) -> pl.DataFrame:
    """A Boolean column per kind: whether its form occurs, so that a search is worth its cost."""
    hints = [pl.col("text").str.contains(kind.hint).alias(name) for name, kind in KINDS.items()]
    return text.to_frame("text").select(hints)


def search(text: pl.Series) -> Iterator[tuple[int, str, list[Found]]]:
    """(row, text, spans) of the rows that may hold personal data."""
    marks = suspects(text)
    rows = marks.select(pl.any_horizontal(pl.all()).arg_true()).to_series()
    candidates = zip(rows, text.gather(rows), marks[rows].iter_rows(), strict=True)
    for row, candidate, flags in candidates:
        kinds = [kind for kind, flag in zip(KINDS, flags, strict=True) if flag]
        yield row, candidate, find_personal(candidate, kinds)


def count_personal(text: pl.Series) -> pl.DataFrame:
    """How many pieces of each kind every text holds: a UInt32 column per kind, rows in order."""
    counts = np.zeros((len(text), len(KINDS)), np.uint32)
    names = list(KINDS)
    for row, _, found in search(text):
        for piece in found:
            counts[row, names.index(piece.kind)] += 1
    return pl.DataFrame(counts, schema=names, orient="row")
