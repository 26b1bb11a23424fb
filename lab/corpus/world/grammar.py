"""Grammar: sentence pairs of which one is wrong by a single rule of English.

Method: minimal pairs as in BLiMP (Warstadt et al., 2020, arXiv:1912.00582): the two sentences share
all words but one, so that only the rule decides which is likelier. Five rules: agreement of the
verb with its subject across a phrase that tempts, this and these, a and an, the participle after
"has", and the order of adjective and noun.

Separation: benchmark pairs have a beginning (and a choice) that `is_held_out` keeps out of training
text; the words themselves are all known.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final
from zlib import crc32

from lab.corpus.world.draws import pick
from lab.corpus.world.lexicon import POOLS
from lab.corpus.world.phrases import article

RULES: Final[tuple[str, ...]] = ("agreement", "demonstrative", "article", "participle", "order")
_PLACES: Final[tuple[str, ...]] = (
    "near the doors", "behind the barns", "under the windows", "beside the carts",
    "between the walls", "near the mill", "behind the stable", "under the roof",
    "beside the well", "by the gate",
)  # fmt: skip
_ENDINGS: Final[tuple[str, ...]] = (
    "in the cold hall", "on the wide road", "in the dusty room", "at the old inn",
    "by the steep path", "in the quiet garden", "on the small bridge", "at the busy market",
)  # fmt: skip
_PARTICIPLES: Final[tuple[tuple[str, str], ...]] = (
    ("taken", "took"), ("broken", "broke"), ("written", "wrote"), ("chosen", "chose"),
    ("hidden", "hid"), ("stolen", "stole"), ("forgotten", "forgot"), ("seen", "saw"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """`start` + `right` + `rest` is good English, `start` + `wrong` + `rest` is not."""

    rule: str
    start: str
    right: str
    wrong: str
    rest: str

    @property
    def good(self) -> str:
        """The good sentence."""
        return f"{self.start}{self.right}{self.rest}"

    @property
    def bad(self) -> str:
        """The bad sentence."""
        return f"{self.start}{self.wrong}{self.rest}"


def make_pair(rng: Random, *, held_out: bool = False) -> Pair:
    """A minimal pair by one of the five rules."""
    while True:
        pair = _BUILDERS[pick(rng, RULES)](rng)
        if is_held_out(pair) == held_out:
            return pair


def is_held_out(pair: Pair) -> bool:
    """Whether the pair is kept for the benchmark (one in eight, by a checksum).

    The decision ignores what follows the gap: any 13 words of an item hold its beginning.
    """
    return crc32("|".join((pair.start, *sorted((pair.right, pair.wrong)))).encode()) % 8 == 0


def _agreement(rng: Random) -> Pair:
    noun, adj = pick(rng, POOLS["thing"]), pick(rng, POOLS["adj"])
    place, ending = pick(rng, _PLACES), pick(rng, _ENDINGS)
    plural = rng.random() < 0.5
    right, wrong = ("are", "is") if plural else ("is", "are")
    return Pair(
        "agreement", f"The {noun}{'s' * plural} {place} ", right, wrong, f" {adj} {ending}."
    )


def _demonstrative(rng: Random) -> Pair:
    noun, adj, ending = pick(rng, POOLS["thing"]), pick(rng, POOLS["adj"]), pick(rng, _ENDINGS)
    person = pick(rng, POOLS["job"])
    plural = rng.random() < 0.5
    right, wrong = ("these", "this") if plural else ("this", "these")
    start = f"The {person} found "
    return Pair("demonstrative", start, right, wrong, f" {adj} {noun}{'s' * plural} {ending}.")


def _article(rng: Random) -> Pair:
    noun, ending = pick(rng, (*POOLS["thing"], *POOLS["job"])), pick(rng, _ENDINGS)
    right = article(noun).split()[0]
    start = f"The {pick(rng, POOLS['group'])} saw "
    return Pair("article", start, right, "a" if right == "an" else "an", f" {noun} {ending}.")


def _participle(rng: Random) -> Pair:
    right, wrong = pick(rng, _PARTICIPLES)
    start = f"The {pick(rng, POOLS['adj'])} {pick(rng, POOLS['job'])} has "
    return Pair("participle", start, right, wrong, f" the {pick(rng, POOLS['thing'])} "
                f"{pick(rng, _ENDINGS)}.")  # fmt: skip


def _order(rng: Random) -> Pair:
    noun, adj = pick(rng, POOLS["noun"]), pick(rng, POOLS["adj"])
    start = f"The {pick(rng, POOLS['group'])} {pick(rng, POOLS['verb'])} the "
    rest = f" {pick(rng, POOLS['time'])}."
    return Pair("order", start, f"{adj} {noun}", f"{noun} {adj}", rest)


_BUILDERS = {
    "agreement": _agreement,
    "demonstrative": _demonstrative,
    "article": _article,
    "participle": _participle,
    "order": _order,
}
