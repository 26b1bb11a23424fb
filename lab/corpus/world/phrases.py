"""Phrase templates: the small grammar that every writer of the sample world speaks.

Method: a template is a string with slots, `"{^adverb} {people} left the {adj} {noun}."`. It is cut
once into literals and slots; filling it draws every slot from its pool, so the cost is one random
number and one list lookup a slot (about 0.2 microseconds), which is what lets one core write
thousands of documents a second. This is grammar-based text generation in the manner of Tracery
(Compton, Kybartas and Mateas, 2015), without recursion.

Slot spelling: `{noun}` takes the bound value of that name or else draws from the pool `noun`;
`{^noun}` capitalises its first letter; `{a:noun}` puts "a" or "an" in front.

Where it fails: sentences agree inside themselves only; nothing keeps two sentences of a page from
contradicting each other, except the facts of the world, which are always bound, never drawn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random

from lab.corpus.world.draws import pick
from lab.corpus.world.lexicon import POOLS

_SLOT = re.compile(r"\{([^{}]+)\}")
_VOWELS = frozenset("aeiouAEIOU")


def article(word: str) -> str:
    """`word` with its indefinite article: "a lamp", "an oven"."""
    return f"an {word}" if word[0] in _VOWELS else f"a {word}"


def capital(text: str) -> str:
    """`text` with its first letter in upper case and the rest untouched."""
    return text[:1].upper() + text[1:]


def fill(rng: Random, template: str, bound: Mapping[str, str] | None = None) -> str:
    """`template` with every slot taken from `bound` or, failing that, drawn from its pool."""
    parts: list[str] = []
    for literal, name, flags in _cut(template):
        parts.append(literal)
        if name:
            value = bound.get(name) if bound else None
            if value is None:
                pool = POOLS[name]
                value = pool[int(rng.random() * len(pool))]
            parts.append(_inflect(value, flags) if flags else value)
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
    return tuple(
        (literal, slot.lstrip("^").removeprefix("a:"), _flags(slot))
        for literal, slot in zip(pieces[0::2], [*pieces[1::2], ""], strict=True)
    )


def _flags(slot: str) -> str:
    return ("^" if slot.startswith("^") else "") + ("a" if "a:" in slot else "")
