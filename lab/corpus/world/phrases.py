"""Phrase templates: the small grammar that every writer of the sample world speaks.

Method: a template is a string with slots, `"{^adv} the {adj} {noun} stood empty."`. It is cut once
into literals and slots; filling it draws every slot from its pool, so the cost is one random number
and one list lookup a slot (about 0.2 microseconds), which is what lets one core write thousands of
documents a second. This is the context-free "tracery" style of text generation (Compton et al.,
2015) without recursion.

Slot spelling: `{noun}` draws from the pool `noun` or takes the bound value of that name; `{^noun}`
capitalises the first letter; `{a:noun}` puts "a" or "an" in front.

Where it fails: sentences agree inside themselves only; nothing keeps two sentences of a page from
contradicting each other, except the facts of the world, which are always bound, never drawn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import TypeVar

from lab.corpus.world.lexicon import POOLS

T = TypeVar("T")
_SLOT = re.compile(r"\{([^{}]+)\}")
_VOWELS = frozenset("aeiouAEIOU")


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of `options`, uniformly; three times faster than `Random.choice`."""
    return options[int(rng.random() * len(options))]


def sample(rng: Random, options: Sequence[T], count: int) -> list[T]:
    """`count` different elements of `options`, in random order."""
    return rng.sample(options, count)


def article(word: str) -> str:
    """`word` with its indefinite article: "a lamp", "an oven"."""
    return f"an {word}" if word[0] in _VOWELS else f"a {word}"


def capital(text: str) -> str:
    """`text` with its first letter in upper case and the rest untouched."""
    return text[:1].upper() + text[1:]


def fill(rng: Random, template: str, bound: Mapping[str, str] | None = None) -> str:
    """`template` with every slot filled from `bound` or, failing that, drawn from its pool."""
    parts: list[str] = []
    for literal, name, flags in _cut(template):
        parts.append(literal)
        if name:
            value = bound.get(name) if bound else None
            if value is None:
                pool = POOLS[name]
                value = pool[int(rng.random() * len(pool))]
            if flags:
                value = _inflect(value, flags)
            parts.append(value)
    return "".join(parts)


def say(rng: Random, templates: Sequence[str], bound: Mapping[str, str] | None = None) -> str:
    """One of `templates`, filled."""
    return fill(rng, pick(rng, templates), bound)


def _inflect(value: str, flags: str) -> str:
    if "a" in flags:
        value = article(value)
    return capital(value) if "^" in flags else value


@lru_cache(maxsize=4096)
def _cut(template: str) -> tuple[tuple[str, str, str], ...]:
    """(literal, slot name, flags) triples; the last has an empty slot name."""
    pieces = _SLOT.split(template)
    triples = [
        (literal, slot.lstrip("^").removeprefix("a:"), _flags(slot))
        for literal, slot in zip(pieces[0::2], [*pieces[1::2], ""], strict=True)
    ]
    return tuple(triples)


def _flags(slot: str) -> str:
    return ("^" if slot.startswith("^") else "") + ("a" if "a:" in slot else "")
