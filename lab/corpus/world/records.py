"""One document with its truth: the text, what it copies, which items it quotes.

`make_record(seed, source, index)` is a function of its arguments: nothing is remembered between
documents, so a corpus of any size streams in bounded memory and can be split among workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from lab.corpus.world.copies import MIRRORED, Copy, jaccard, make_near, origin_of, role_of
from lab.corpus.world.drafts import Draft, spans
from lab.corpus.world.draws import pick, stream
from lab.corpus.world.facts import build_world
from lab.corpus.world.lexicon import POOLS
from lab.corpus.world.quotes import quote_items
from lab.corpus.world.sources import SOURCES

_HOSTS: Final = ("halvery.test", "oldmill.example", "townnews.example", "shelf.test", "road.test")
_EPOCH: Final = date(2021, 1, 1)


@dataclass(frozen=True, slots=True)
class Record:
    """A document and everything planted in it."""

    id: str
    source: str
    draft: Draft
    copy: Copy | None = None
    quotes: tuple[tuple[str, str], ...] = ()  # (benchmark, item)

    @property
    def row(self) -> dict[str, Any]:
        """What a reader of the corpus sees: id, text, meta; no truth."""
        return {"id": self.id, "text": self.draft.text, "meta": self.draft.meta}

    @property
    def personal(self) -> list[tuple[int, int, str]]:
        """(start, end, kind) of personal data in the text, in characters."""
        return spans(self.draft.text, self.draft.personal)


def document_id(source: str, index: int) -> str:
    """The id of document `index` of `source`."""
    return f"{source}-{index:08d}"


def records(source: str, count: int, seed: int) -> Iterator[Record]:
    """The first `count` records of `source`; 10,000 to 20,000 a second on one core."""
    return (make_record(seed, source, index) for index in range(count))


def make_record(seed: int, source: str, index: int) -> Record:
    """Record `index` of `source` in the world of `seed`."""
    role = role_of(seed, source, index)
    rng = stream(seed, "edit", source, index) if role != "original" else None
    if rng is None:
        return Record(document_id(source, index), source, make_draft(seed, source, index))
    if role == "quote":
        return _quoting(rng, seed, source, index)
    return _copying(rng, seed, source, index, role)


def make_draft(seed: int, source: str, index: int) -> Draft:
    """The text that document `index` has when it copies and quotes nothing."""
    rng = stream(seed, source, index)
    draft = SOURCES[source].write(rng, build_world(seed), index)
    if source in ("web", "forum", "web_rewritten"):
        draft.meta["url"] = f"https://{pick(rng, _HOSTS)}/{pick(rng, POOLS['noun'])}/{index}"
        draft.meta["date"] = (_EPOCH + timedelta(days=int(rng.random() * 1500))).isoformat()
    return draft


def _quoting(rng: Random, seed: int, source: str, index: int) -> Record:
    draft, items = quote_items(rng, make_draft(seed, source, index), seed)
    quoted = tuple((item["benchmark"], item["id"]) for item in items)
    return Record(document_id(source, index), source, draft, quotes=quoted)


def _copying(rng: Random, seed: int, source: str, index: int, role: str) -> Record:
    ratio = SOURCES[MIRRORED].share / SOURCES[source].share
    origin = origin_of(seed, source, index, role, ratio)
    own = make_draft(seed, source, index)
    if origin is None:
        return Record(document_id(source, index), source, own)
    draft = make_draft(seed, *origin)
    kind = "near" if "near" in role else "exact"
    text = make_near(rng, draft.text, source == "code") if kind == "near" else draft.text
    strength = jaccard(draft.text, text) if kind == "near" else 1.0
    scope = "within" if origin[0] == source else "across"
    copy = Copy(document_id(*origin), kind, scope, round(strength, 4))
    return Record(
        document_id(source, index), source, replace(draft, text=text, meta=own.meta), copy
    )
